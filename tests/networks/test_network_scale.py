"""Networks of thousands of units: right, and in memory that grows with the edges."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from test_network import agree, gradients_of, is_sound, networks, unit_by_unit

import micrograd_nn as mg
from micrograd_nn import nn, wiring
from micrograd_nn.nn import Network
from micrograd_nn.nn._acyclic import Acyclic


def wired_at_random(units, reads, inputs=20, seed=0, kinds=("tanh",)):
    """Each unit reads some of the inputs and units before it, anywhere."""
    rng = np.random.default_rng(seed)
    net = Network(rng)
    names = [net.input(f"x{i}") for i in range(inputs)]
    for i in range(units):
        chosen = rng.choice(len(names), min(reads, len(names)), replace=False)
        names.append(net.unit(f"u{i}", kinds[i % len(kinds)], [names[j] for j in chosen]))
    return net


@settings(max_examples=60, deadline=None)
@given(networks())
def test_thin_matrices_are_a_loop_over_the_units_too(net):
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(wiring, "DENSE", 0)  # else small networks are always filled up
        warnings.simplefilter("ignore", UserWarning)
        X = np.random.default_rng(1).normal(size=(5, len(net.inputs)))
        at_once, loop = net(X), unit_by_unit(net, X)
        np.testing.assert_allclose(at_once.data, loop.data, rtol=1e-12, atol=1e-12)
        expected, found = gradients_of(net, loop), gradients_of(net, at_once)
        for name, p in net.named_parameters():
            expected.setdefault(name, np.zeros(p.shape))
            found.setdefault(name, np.zeros(p.shape))
        agree(found, expected)


def test_a_large_random_network_is_a_loop_over_its_units():
    net = wired_at_random(400, 15, kinds=("relu", "tanh", "prelu", "maxout", "identity"))
    X = np.random.default_rng(1).normal(size=(3, 20))
    at_once, loop = net(X), unit_by_unit(net, X)
    np.testing.assert_allclose(at_once.data, loop.data, rtol=1e-12, atol=1e-12)
    agree(gradients_of(net, at_once), gradients_of(net, loop))


def test_sparse_layers_are_matrices_with_zeros():
    """Three layers of 300 units, a twentieth of the weights there, 64 examples: gathered in several pieces."""
    rng = np.random.default_rng(0)
    net = Network(rng)
    below, matrices = [net.input(f"x{i}") for i in range(300)], []
    for layer in range(3):
        there = rng.random((300, 300)) < 0.05
        units = [net.unit(f"h{layer}_{i}", "tanh") for i in range(300)]
        for i, j in rng.permutation(np.argwhere(there)):
            net.connect(below[j], units[i])
        matrices.append(there)
        below = units
    net.outputs = below
    X = rng.normal(size=(64, 300))
    start, layers, places = 0, [], []
    index = {name: int(name.partition("_")[2] or name[1:]) for name in (*net.inputs, *net.units)}
    for there in matrices:
        count = int(there.sum())
        w = np.zeros((300, 300))
        places.append(tuple(np.array([(index[t], index[s]) for s, t in net.edges[start : start + count]]).T))
        w[places[-1]] = net.weight.data[start : start + count]
        layers.append(mg.Tensor(w, requires_grad=True))
        start += count
    x = X
    for w in layers:
        x = (x @ w.T).tanh()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a unit may happen to be read by none
        out = net(X)
    np.testing.assert_allclose(out.data, x.data, rtol=1e-12, atol=1e-12)
    out.sum().backward()
    x.sum().backward()
    expected = np.concatenate([w.grad[at] for w, at in zip(layers, places, strict=True)])
    np.testing.assert_allclose(net.weight.grad, expected, rtol=1e-11, atol=1e-12)


def test_one_unit_may_read_more_than_is_gathered_at_a_time():
    net = Network(rng=0)
    x = [net.input(f"x{i}") for i in range(10_000)]
    net.unit("a", "identity", x)
    for i in range(200):  # which makes the matrix too thin to be filled up
        net.unit(f"b{i}", "identity", x[i : i + 1])
    X = np.random.default_rng(0).normal(size=(50, 10_000))
    out = net(X)
    np.testing.assert_allclose(out.data[:, 0], X @ net.weight.data[:10_000], rtol=1e-11)
    out[:, 0].sum().backward()
    np.testing.assert_allclose(net.weight.grad[:10_000], X.sum(0), rtol=1e-11, atol=1e-12)
    assert not net.weight.grad[10_000:].any()


def test_a_chain_may_be_as_long_as_it_likes():
    net = Network()
    name = net.input("x")
    for i in range(3000):
        name = net.unit(f"u{i}", "identity", [name])
    net.weight.data[...] = 1.0
    assert net(np.array([[2.5]])).item() == net([2.5]).item() == 2.5
    assert len(net.generations) == 3000


def test_few_blocks_are_in_hand_at_any_time():
    shrinking = Network(rng=0)
    names = below = [shrinking.input("x")]
    for n in range(50, 0, -1):  # generations of 50, 49, ... units, each read at the very end
        below = [shrinking.unit(f"{n}_{i}", "tanh", [below[i % len(below)]]) for i in range(n)]
        names = names + below
    shrinking.unit("y", "identity", names)
    for net in (shrinking, wired_at_random(1500, 10)):
        assert max(len(step.keep) for step in net._planned().steps) <= np.log2(len(net.units)) + 1
    X = np.ones((2, 1))
    np.testing.assert_allclose(shrinking(X).data, unit_by_unit(shrinking, X).data, rtol=1e-12)
    layered = Network.from_mlp(nn.MLP(5, [20, 20, 20, 3]))
    assert all((step.reads, step.keep, step.joined) == ((0,), (), 1) for step in layered._planned().steps)


def test_a_graph_that_a_network_made_can_be_pickled():
    net = wired_at_random(30, 3)
    out = net(np.ones((2, 20))).sum()
    again = pickle.loads(pickle.dumps(out))
    out.backward()
    again.backward()
    weight = next(n for n in mg.topological_order(again) if n.name == "weight")
    np.testing.assert_array_equal(weight.grad, net.weight.grad)


def peak_of(units, edges):
    """Bytes at most in use while a network of so many units and edges is planned, and goes forward and back."""
    net = wired_at_random(units, edges // units, inputs=edges // units)
    X = np.ones((2, edges // units))
    net.parameters()
    tracemalloc.start()
    try:
        net(X).sum().backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_with_the_edges_and_not_with_units_squared():
    few, many = peak_of(500, 40_000), peak_of(2000, 40_000)
    assert many < 1.5 * few
    assert many < 40_000 * 300  # bytes an edge; a matrix of all units would be 32,000,000


@pytest.mark.slow
def test_a_million_edges_in_any_order_stay_a_topological_order():
    rng = np.random.default_rng(0)
    n = 10_000
    hidden = rng.permutation(n)  # the order that the edges agree on, and that the wiring does not know
    pairs = rng.integers(0, n, (1_050_000, 2))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], 1), axis=0)
    acyclic = Acyclic()
    for _ in range(n):
        acyclic.add_node()
    edges = hidden[rng.permutation(pairs)[:1_000_000]].tolist()
    assert not any(acyclic.connect(s, t) for s, t in edges)
    assert is_sound(acyclic)
    for s, t in edges[::10_000]:
        assert acyclic.connect(t, s)[-2:] == [t, s]


@pytest.mark.slow
def test_ten_thousand_units_and_a_million_edges_learn():
    net = wired_at_random(10_000, 100, inputs=100, kinds=("relu", "tanh"))
    X = np.random.default_rng(0).normal(size=(64, 100))
    net.outputs = net.units[-10:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        before = (net(X) ** 2).mean()
    before.backward()
    # along the gradient the loss changes by its squared length: a check of a million derivatives at once
    step = 1e-4 / np.linalg.norm(net.weight.grad)
    around = []
    for sign in (1, -1):
        weight = net.weight.data
        net.weight.data = weight + sign * step * net.weight.grad
        around.append((net(X) ** 2).mean().item())
        net.weight.data = weight
    assert (around[0] - around[1]) / (2 * step) == pytest.approx((net.weight.grad**2).sum(), rel=1e-4)
