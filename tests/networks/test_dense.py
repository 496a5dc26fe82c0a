"""Neuron, Layer and MLP: two ways of computing, one set of parameters."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, nn
from micrograd_nn import functional as F

MOONS = json.loads((Path(__file__).parents[1] / "data" / "moons.json").read_text())


def set_parameters(model, flat):
    """Give an MLP the reference's parameters: for each neuron its weights, then its bias."""
    flat = iter(flat)
    for layer in model.layers:
        weight, bias = np.zeros((layer.n_out, layer.n_in)), np.zeros(layer.n_out)
        for i in range(layer.n_out):
            weight[i] = [next(flat) for _ in range(layer.n_in)]
            bias[i] = next(flat)
        layer.weight.data, layer.bias.data = weight, bias


networks = st.tuples(
    st.integers(1, 4),
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.sampled_from(["relu", "tanh", "sigmoid", "identity", "leaky_relu", "elu", "gelu", "silu", "softplus"]),
    st.integers(0, 2**32 - 1),
)


@settings(max_examples=40)
@given(networks)
def test_both_paths_give_the_same_outputs_and_gradients(case):
    n_in, sizes, activation, seed = case
    rng = np.random.default_rng(seed)
    model = nn.MLP(n_in, sizes, activation, rng)
    X = rng.normal(size=(5, n_in))

    out = model(X)
    (out * out).sum().backward()
    by_array = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad()
    rows = [model([float(v) for v in x]) for x in X]
    rows = [r if isinstance(r, list) else [r] for r in rows]
    sum(v * v for row in rows for v in row).backward()

    np.testing.assert_allclose([[v.data for v in row] for row in rows], out.data, rtol=0, atol=1e-12)
    for name, p in model.named_parameters():
        scale = max(1.0, np.abs(p.grad).max())
        np.testing.assert_allclose(p.grad / scale, by_array[name] / scale, rtol=0, atol=1e-12)


def test_the_published_moons_run_through_the_scalar_path_of_an_mlp():
    model = nn.MLP(2, [16, 16, 1])
    set_parameters(model, MOONS["init_params"])
    assert model.summary().parameters == 337
    opt = mg.optim.SGD(model.parameters(), lr=1.0)
    losses = []
    for k in range(3):  # all 100 are in tests/engine; here the modules are what is tested
        scores = [model(row) for row in MOONS["X"]]
        hinge = sum((1 + -y * s).relu() for y, s in zip(MOONS["y"], scores, strict=True)) * (1 / len(scores))
        loss = hinge + 1e-4 * sum((p * p).sum() for p in model.parameters())
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.lr = 1.0 - 0.9 * k / 100
        opt.step()
    np.testing.assert_allclose(losses, MOONS["rerun_losses"][:3], rtol=1e-12)


def test_the_published_moons_run_through_the_vectorised_path():
    model = nn.MLP(2, [16, 16, 1])
    set_parameters(model, MOONS["init_params"])
    X, y = np.array(MOONS["X"]), np.array(MOONS["y"])
    opt = mg.optim.SGD(model.parameters(), lr=1.0)
    losses = []
    for k in range(100):
        loss = F.hinge_loss(model(X), y) + 1e-4 * sum((p * p).sum() for p in model.parameters())
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.lr = 1.0 - 0.9 * k / 100
        opt.step()
    np.testing.assert_allclose(losses, MOONS["rerun_losses"], rtol=1e-9)


def test_a_layer_is_the_product_the_notes_write():
    layer = nn.Layer(3, 2, "identity", rng=0)
    X = np.random.default_rng(1).normal(size=(6, 3))
    np.testing.assert_array_equal(layer(X).data, X @ layer.weight.data.T + layer.bias.data)
    assert layer.weight.shape == (2, 3)
    assert layer.bias.shape == (2,)


def test_the_scalar_path_has_one_node_a_multiplication():
    out = nn.MLP(3, [4, 4, 1], "tanh", rng=0)([1.0, 2.0, 3.0])
    ops = [n.op.name for n in mg.topological_order(out) if n.op is not None]
    assert ops.count("mul") == 32
    assert ops.count("tanh") == 8
    assert ops.count("getitem") == 41


def test_the_scalars_of_a_layer_are_shared_by_all_calls():
    model = nn.MLP(2, [3, 1], rng=0)
    total = sum(model([float(i), 1.0]) for i in range(10))
    ops = [n.op.name for n in mg.topological_order(total) if n.op is not None]
    assert ops.count("getitem") == model.summary().parameters


@pytest.mark.parametrize("write", ["assign", "in place", "one entry"])
def test_the_scalar_path_sees_new_parameter_values(write):
    layer = nn.Layer(2, 1, "identity", rng=0)
    before = layer([1.0, 1.0]).item()
    if write == "assign":
        layer.weight.data = layer.weight.data + 1
    elif write == "in place":
        layer.weight.data += 1
    else:
        layer.weight.data[0, 0] += 2
    assert layer([1.0, 1.0]).item() == pytest.approx(before + 2)


def test_picking_every_weight_of_a_large_layer_costs_no_square():
    layer = nn.Layer(300, 100, "identity", rng=0)
    out = layer([1.0] * 300)
    sum(out).backward()
    np.testing.assert_array_equal(layer.weight.grad, np.ones((100, 300)))


def test_neurons_of_a_layer_are_its_rows():
    layer = nn.Layer(3, 4, "tanh", rng=0)
    x = np.array([0.5, -1.0, 2.0])
    assert [n([0.5, -1.0, 2.0]).item() for n in layer.neurons] == pytest.approx(layer(x).data.tolist(), abs=1e-15)
    assert layer.neurons[2](x).item() == pytest.approx(layer(x).data[2], abs=1e-15)
    layer.neurons[2](x).backward()
    assert np.flatnonzero(np.abs(layer.weight.grad).sum(1)).tolist() == [2]


def test_nodes_know_the_module_that_made_them():
    model = nn.MLP(2, [3, 1], rng=0)
    scalar = model([1.0, 2.0])
    assert scalar.module == "layers[1].neurons[0]"
    assert {n.module for n in mg.topological_order(scalar) if n.op is not None and n.op.name == "relu"} == {
        f"layers[0].neurons[{i}]" for i in range(3)
    }
    assert {n.module for n in mg.topological_order(model(np.ones((1, 2)))) if n.op is not None} == {
        "layers[0]",
        "layers[1]",
    }


def test_detect_anomaly_names_the_layer():
    model = nn.MLP(2, [3, 1], rng=0)
    model.layers[0].weight.data[...], model.layers[1].weight.data[...] = 1e200, 1e200
    with mg.detect_anomaly(), pytest.raises(mg.AnomalyError, match=r"`matmul` in layers\[1\] gave inf"):
        model(np.ones((1, 2)))


def test_values_in_give_their_gradient_too():
    x = [Value(0.3), Value(-0.7)]
    model = nn.MLP(2, [4, 1], "tanh", rng=0)
    model(x).backward()
    X = Tensor([0.3, -0.7], requires_grad=True)
    model(X).sum().backward()
    np.testing.assert_allclose([v.grad for v in x], X.grad, atol=1e-15)


def test_without_grad_nothing_is_recorded():
    model = nn.MLP(2, [3, 1], rng=0)
    with mg.no_grad():
        assert not model([1.0, 2.0]).requires_grad
        assert not model(np.ones((4, 2))).requires_grad
    assert model([1.0, 2.0]).requires_grad


def test_any_callable_on_nodes_is_an_activation():
    layer = nn.Layer(2, 2, lambda z: z * z, rng=0)
    x = [1.0, 2.0]
    np.testing.assert_allclose([v.data for v in layer(x)], layer(np.array(x)).data)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Layer(2, 3, "rlu"), "Did you mean 'relu'"),
        (lambda: nn.MLP(2, []), "at least one layer"),
        (lambda: nn.Layer(2, 0), "integer of at least 1"),
        (lambda: nn.Layer(2.5, 1), "integer of at least 1"),
        (lambda: nn.Layer(None, 1), "n_in is a count, an integer of at least 1, not None"),
        (lambda: nn.Linear(2, "3"), "n_out is a count, an integer of at least 1, not '3'"),
        (lambda: nn.MLP(2, "16"), r"as a list of sizes: MLP\(n_in, \[n1, ..., n_out\]\), not '16'"),
        (lambda: nn.MLP(2, None), "as a list of sizes"),
        (lambda: nn.MLP("2", [3, 1]), "n_in is a count"),
        (lambda: nn.MLP(2, [3, None]), "n_out is a count"),
        (lambda: nn.Layer(3, 2, rng=0)(np.ones((4, 2))), r"takes 3 inputs on the last axis, and got shape \(4, 2\)"),
        (lambda: nn.Layer(3, 2, rng=0)([1.0, 2.0]), "takes 3 inputs, and got 2"),
    ],
)
def test_wrong_sizes_and_names_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_sizes_may_be_numpys_own_and_one_layer_needs_no_list():
    assert repr(nn.MLP(np.int64(2), np.array([3, 1]))) == "MLP(2, [3, 1], 'relu')"
    assert repr(nn.MLP(2, 3)) == repr(nn.MLP(2, np.int64(3))) == "MLP(2, [3])"


def test_a_linear_layer_has_no_activation():
    layer = nn.Linear(3, 2, rng=0)
    X = np.random.default_rng(1).normal(size=(6, 3))
    np.testing.assert_array_equal(layer(X).data, X @ layer.weight.data.T)
    assert isinstance(layer, nn.Layer)
    assert repr(layer) == "Linear(3, 2)"


def test_logistic_regression_is_a_network_of_one_layer():
    for model in (nn.Neuron(3, "sigmoid"), nn.Layer(3, 1, "sigmoid"), nn.MLP(3, [1])):
        assert "a 1-layer network" in str(model.summary())
        assert model.summary().parameters == 4


def test_randomness_comes_from_the_generator_given_and_leaves_the_global_one_alone():
    state = np.random.get_state()[1].copy()
    a, b = nn.MLP(3, [4, 2], rng=7), nn.MLP(3, [4, 2], rng=np.random.default_rng(7))
    assert all(np.array_equal(p.data, q.data) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert np.array_equal(np.random.get_state()[1], state)
