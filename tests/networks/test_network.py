"""Network: any acyclic wiring, computed unit by unit and generation by generation, with the same result."""

import copy
import math
import pickle
import warnings
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, nn
from micrograd_nn import functional as F
from micrograd_nn.nn import Network
from micrograd_nn.nn._acyclic import Acyclic
from micrograd_nn.nn._module import observer

KINDS = [*nn.ACTIVATIONS, "maxout", F.sin]


@st.composite
def networks(draw, kinds=KINDS):
    """A random acyclic network: a few inputs, a few units of any kinds, made in any order, wired at once or later."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    net = Network(rng)
    names = [f"x{i}" for i in range(draw(st.integers(1, 4)))]
    makes, edges = {name: lambda name, _: net.input(name) for name in names}, []
    at_once = draw(st.booleans())
    for i in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(kinds))
        k = draw(st.integers(1, 4)) if kind == "maxout" else None
        given = {"pieces": k, "bias": rng.normal(size=k).tolist() if k else rng.normal()}
        if kind == "prelu":
            given["slope"] = rng.normal()
        chosen = [names[j] for j in rng.choice(len(names), rng.integers(1, len(names) + 1), replace=False)]
        makes[f"u{i}"] = lambda name, reads, kind=kind, given=given: net.unit(name, kind, reads, **given)
        now = [name for name in chosen if at_once and draw(st.booleans())]
        edges += [(source, f"u{i}", source in now) for source in chosen]
        names.append(f"u{i}")
    for name in names if at_once else rng.permutation(names).tolist():
        makes[name](name, [s for s, t, now in edges if t == name and now])
    for s, t, now in (edges[i] for i in rng.permutation(len(edges))):
        if not now:
            net.connect(s, t)
    if draw(st.booleans()):
        net.outputs = [names[-1], *(n for n in names[:-1] if n[0] == "u" and draw(st.booleans()))]
    return net


def unit_by_unit(net, X):
    """The network as a loop over its units, one at a time, each a handful of NumPy-like operations on the batch."""
    graph = net.to_networkx()
    w = {(s, t): [] for s, t in graph.edges}
    entry = 0
    for s, t in net.edges:
        for _ in range(graph.nodes[t].get("pieces", 1)):
            w[s, t].append(net.weight[entry])
            entry += 1
    values, rows = dict(zip(net.inputs, X.T, strict=True)), {}
    row = slope = 0
    for name in net.units:
        k = graph.nodes[name].get("pieces", 1)
        rows[name] = (row, slope)
        row, slope = row + k, slope + (graph.nodes[name]["activation"] == "prelu")
    for name in nx.topological_sort(graph):
        if name in values:
            continue
        unit = graph.nodes[name]
        first, at = rows[name]
        z = []
        for p in range(unit.get("pieces", 1)):
            total = net.bias[first + p] + 0.0 * np.ones(len(X))
            for source in graph.predecessors(name):
                total = total + w[source, name][p] * values[source]
            z.append(total)
        if unit["activation"] == "maxout":
            values[name] = z[0]
            for piece in z[1:]:
                values[name] = F.maximum(values[name], piece)
        elif unit["activation"] == "prelu":
            values[name] = F.where(z[0].data > 0, z[0], net.slope[at] * z[0])
        else:
            function = unit["activation"]
            values[name] = (nn.ACTIVATIONS[function] if isinstance(function, str) else function)(z[0])
    return F.stack([values[name] for name in net.outputs], -1)


def gradients_of(net, out):
    """The gradients of a number that depends on every output in its own way."""
    net.zero_grad()
    (out * np.linspace(0.5, 1.5, out.size).reshape(out.shape)).sum().backward()
    return {name: p.grad.copy() for name, p in net.named_parameters() if p.grad is not None}


def agree(found, expected):
    assert found.keys() == expected.keys()
    for name, g in found.items():
        scale = max(1.0, np.abs(expected[name]).max(initial=0.0))
        np.testing.assert_allclose(g / scale, expected[name] / scale, rtol=0, atol=1e-12)


@settings(max_examples=150, deadline=None)
@given(networks())
def test_generations_are_a_loop_over_the_units(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of units that no chosen output needs
        X = np.random.default_rng(1).normal(size=(5, len(net.inputs)))
        at_once, loop = net(X), unit_by_unit(net, X)
        np.testing.assert_allclose(at_once.data, loop.data, rtol=1e-12, atol=1e-12)
        expected = gradients_of(net, loop)
        found = gradients_of(net, at_once)
        for name, p in net.named_parameters():  # what nothing depends on: the loop does not even touch it
            expected.setdefault(name, np.zeros(p.shape))
            found.setdefault(name, np.zeros(p.shape))
        agree(found, expected)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_both_paths_give_the_same_outputs_and_gradients(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        X = np.random.default_rng(1).normal(size=(3, len(net.inputs)))
        at_once = net(X)
        rows = [net([float(v) for v in x]) for x in X]
        one_by_one = F.stack([F.stack(r) if isinstance(r, list) else F.stack([r]) for r in rows])
        np.testing.assert_allclose(at_once.data, one_by_one.data, rtol=1e-12, atol=1e-12)
        expected = gradients_of(net, at_once)
        found = gradients_of(net, one_by_one)
        for name, p in net.named_parameters():
            expected.setdefault(name, np.zeros(p.shape))
            found.setdefault(name, np.zeros(p.shape))
        agree(found, expected)


def is_sound(wiring):
    """Whether the ranks are a topological order."""
    edges = [(s, t) for t, sources in enumerate(wiring.reads) for s in sources]
    n = len(wiring.rank)
    return sorted(wiring.rank) == list(range(n)) and all(wiring.rank[s] < wiring.rank[t] for s, t in edges)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 3)), max_size=60))
def test_an_edge_is_refused_exactly_when_it_would_close_a_loop(steps):
    wiring, graph = Acyclic(), nx.DiGraph()
    graph.add_nodes_from(wiring.add_node() for _ in range(8))
    for s, t, what in steps:
        if graph.has_edge(s, t):
            if what == 0:
                wiring.disconnect(s, t)
                graph.remove_edge(s, t)
            continue
        before = copy.deepcopy(vars(wiring))
        loop = wiring.connect(s, t)
        assert bool(loop) == nx.has_path(graph, t, s)
        if loop:
            assert vars(wiring) == before
            assert loop[-2:] == [s, t]
            assert loop[0] == t
            assert all(graph.has_edge(a, b) for a, b in pairwise(loop[:-1]))
        else:
            graph.add_edge(s, t)
        assert is_sound(wiring)
        assert {(a, b) for b, sources in enumerate(wiring.reads) for a in sources} == set(graph.edges)
    edges = [(s, t) for s, t in zip(wiring.source, wiring.target, strict=True) if s >= 0]
    assert sorted(edges) == sorted(graph.edges)


def small():
    """x1, x2 -> h1; h1, x2 -> h2; h2 -> y"""
    net = Network(rng=0)
    x1, x2 = net.input("x1"), net.input("x2")
    h1 = net.unit("h1", "tanh", inputs=[x1, x2])
    h2 = net.unit("h2", "relu", inputs=[h1, x2])
    net.unit("y", "identity", inputs=[h2])
    return net


def picture(net):
    """Everything a network is."""
    return net.to_json(), net.inputs, net.units, net.edges, net.outputs, net.generations, net.state_dict().__repr__()


@pytest.mark.parametrize(
    ("source", "target", "loop"),
    [
        ("h2", "h1", ["h1", "h2", "h1"]),
        ("y", "h1", ["h1", "h2", "y", "h1"]),
        ("h1", "h1", ["h1", "h1"]),
    ],
)
def test_a_loop_is_refused_and_named_in_the_direction_data_flows(source, target, loop):
    net = small()
    before = picture(net)
    with pytest.raises(mg.CycleError, match=" -> ".join(loop)) as error:
        net.connect(source, target, weight=2.0)
    assert error.value.loop == loop
    assert picture(net) == before


def test_a_new_unit_cannot_read_itself():
    net = small()
    before = picture(net)
    with pytest.raises(mg.CycleError, match="z -> z"):
        net.unit("z", inputs=["x1", "z"])
    assert picture(net) == before


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda net: net.connect("x1", "h1"), ValueError, r"an edge x1 -> h1 already: net.set_weight\('x1', 'h1'"),
        (lambda net: net.connect("h1", "x2"), ValueError, "'x2' is an input: its value comes from outside"),
        (lambda net: net.connect("h11", "y"), ValueError, "no input or unit is named 'h11'. Did you mean 'h1'"),
        (lambda net: net.connect("h1", "output"), ValueError, "'output'. There are 'x1', 'x2', 'h1', 'h2', 'y'"),
        (lambda net: net.connect("h1", "y", weight=math.nan), ValueError, "the weight of h1 -> y is a finite number"),
        (lambda net: net.connect("h1", "y", weight="big"), ValueError, "a finite number, not 'big'"),
        (lambda net: net.connect("h1", "y", weight=[1.0, 2.0]), ValueError, "a finite number"),
        (lambda net: net.connect("h1", "y", weight=[[1.0], [2.0, 3.0]]), ValueError, "a finite number"),
        (lambda net: net.connect(3, "y"), ValueError, "no input or unit is named 3"),
        (lambda net: net.disconnect("x1", "h2"), ValueError, "no edge x1 -> h2: h2 reads 'h1', 'x2'"),
        (lambda net: net.input("h1"), ValueError, "there is a unit named 'h1' already"),
        (lambda net: net.unit("x1"), ValueError, "there is an input named 'x1' already"),
        (lambda net: net.unit(7), TypeError, "called by a name, a text, not 7"),
        (lambda net: net.unit("z", "rlu"), ValueError, "Did you mean 'relu'"),
        (lambda net: net.unit("z", ["x1", "h1"]), TypeError, r"net.unit\('z', inputs=\['x1', 'h1'\]\)"),
        (lambda net: net.unit("z", "softmax"), ValueError, "apply it to the output"),
        (lambda net: net.unit("z", nn.PReLU(3)), ValueError, "write 'prelu'"),
        (lambda net: net.unit("z", inputs="x1"), TypeError, r"inputs=\['x1'\]"),
        (lambda net: net.unit("z", inputs=["x1", "h3"]), ValueError, "is named 'h3'"),
        (lambda net: net.unit("z", inputs=["x1", "x1"]), ValueError, "'x1' is listed twice among the inputs of 'z'"),
        (lambda net: net.unit("z", pieces=2), ValueError, "pieces are for maxout"),
        (lambda net: net.unit("z", slope=0.1), ValueError, "a slope is for prelu"),
        (lambda net: net.unit("z", "maxout", pieces=0), ValueError, "at least 1"),
        (lambda net: net.unit("z", "maxout", bias=1.0), ValueError, "a list of 2 finite numbers"),
        (lambda net: net.unit("z", bias=math.inf), ValueError, "the bias of 'z' is a finite number"),
        (lambda net: setattr(net, "outputs", ["y", "y"]), ValueError, "'y' is listed twice among the outputs"),
        (lambda net: setattr(net, "outputs", ["Y"]), ValueError, "no input or unit is named 'Y'"),
        (lambda net: setattr(net, "outputs", "y"), TypeError, r"net.outputs = \['y'\]"),
    ],
)  # fmt: skip
def test_wrong_wiring_is_refused_with_the_fix_and_changes_nothing(act, error, message):
    net = small()
    before = picture(net)
    with pytest.raises(error, match=message):
        act(net)
    assert picture(net) == before


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([1.0], "takes 2 inputs, and got 1"),
        (np.ones((4, 3)), r"takes 2 inputs on the last axis, and got shape \(4, 3\)"),
        ({"x1": 1.0}, "'x2' missing"),
        ({"x1": 1.0, "x2": 2.0, "x3": 0.0}, "'x3' no input"),
    ],
)
def test_wrong_inputs_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        small()(x)


def test_a_network_without_inputs_or_units_says_what_is_missing():
    net = Network()
    with pytest.raises(ValueError, match=r"net.input\('x'\) makes one"):
        net([])
    net.input("x")
    with pytest.raises(ValueError, match=r"net.unit\('y', inputs=\[...\]\) makes one"):
        net([1.0])
    assert net.summary().parameters == 0
    assert net.generations == []


def test_a_unit_that_no_input_reaches_is_warned_of_once_with_the_fix():
    net = small()
    net.unit("lonely", bias=0.5)
    net.unit("after", inputs=["lonely"])
    with pytest.warns(UserWarning, match=r"no input reaches 'lonely', 'after'.*net.connect\('x1', 'lonely'\)"):
        out = net(np.zeros((2, 2)))
    assert out.shape == (2, 2)
    net(np.zeros((2, 2)))  # said already
    net.connect("x1", "lonely")
    net(np.zeros((2, 2)))


def test_units_that_no_chosen_output_needs_are_warned_of():
    net = small()
    net.outputs = ["h1"]
    with pytest.warns(UserWarning, match="no output depends on 'h2', 'y'"):
        assert net(np.zeros((3, 2))).shape == (3, 1)


def test_outputs_are_what_nothing_reads_until_they_are_chosen():
    net = small()
    assert net.outputs == ("y",)
    net.unit("z", "identity", inputs=["h1"])
    assert net.outputs == ("y", "z")
    net.outputs = ["z", "h1", "y"]
    x = np.array([[0.3, -0.2]])
    z, h1, y = net(x).data[0]
    assert h1 == pytest.approx(np.tanh(net.weight_of("x1", "h1") * 0.3 - net.weight_of("x2", "h1") * 0.2))
    assert [v.data for v in net([0.3, -0.2])] == pytest.approx([z, h1, y], abs=1e-15)
    net.outputs = None
    assert net.outputs == ("y", "z")


def test_shapes_and_kinds_of_what_goes_in_and_comes_out():
    net = small()
    net.unit("z", "identity", inputs=["h1"])
    X = np.random.default_rng(0).normal(size=(2, 3, 2))
    out = net(X)
    assert out.shape == (2, 3, 2)
    np.testing.assert_allclose(net(X[1, 2]).data, out.data[1, 2], atol=1e-15)
    np.testing.assert_allclose(net(X[1]).data, out.data[1], atol=1e-15)
    np.testing.assert_allclose(net({"x2": X[0, :, 1], "x1": X[0, :, 0]}).data, out.data[0], atol=1e-15)
    by_name = net({"x1": Value(1.0), "x2": 2.0})
    assert [type(v) for v in by_name] == [Value, Value]
    assert [v.data for v in by_name] == [v.data for v in net([1.0, 2.0])]
    assert net(np.ones((0, 2))).shape == (0, 2)
    assert net(np.ones((4, 2), int)).shape == (4, 2)
    assert net([[1, 2], [3, 4]]).shape == (2, 2)
    one = small()
    assert isinstance(one([1.0, 2.0]), Value)


def test_gradients_reach_the_inputs_on_both_paths():
    net = small()
    X = Tensor([[0.3, -0.7]], requires_grad=True)
    x = [Value(0.3), Value(-0.7)]
    net(X).sum().backward()
    net(x).backward()
    np.testing.assert_allclose([v.grad for v in x], X.grad[0], atol=1e-15)


def test_the_scalar_path_has_one_multiplication_an_edge_and_shares_what_it_picks():
    net = small()
    total = sum(net([float(i), 1.0]) for i in range(10))
    made = [n.op.name for n in mg.topological_order(total) if n.op is not None]
    assert made.count("mul") == 10 * 5
    assert made.count("getitem") == net.summary().parameters == 8
    net.weight.data[0] += 1.0  # in place: seen all the same
    assert net([1.0, 1.0]).data == pytest.approx(net(np.ones((1, 2))).item(), abs=1e-15)
    assert {n.name for n in mg.topological_order(net([1.0, 1.0])) if n.module == "generations[0].h1" and n.name} == {
        "w[x1]", "w[x2]", "b",
    }  # fmt: skip


def test_there_is_one_product_a_generation_however_units_are_wired():
    rng = np.random.default_rng(0)
    net = Network(rng=0)
    names = [net.input(f"x{i}") for i in range(5)]
    for i in range(200):
        kind = ["relu", "tanh", "prelu", "maxout"][i % 4]
        names.append(net.unit(f"u{i}", kind, [names[j] for j in rng.choice(len(names), 4, replace=False)]))
    out = net(np.ones((2, 5)))
    made = [n.op.name for n in mg.topological_order(out) if n.op is not None]
    assert made.count("wired") == len(net.generations) == nx.dag_longest_path_length(net.to_networkx(), weight=None)
    assert [sorted(g) for g in net.generations] == [
        sorted(g) for g in list(nx.topological_generations(net.to_networkx()))[1:]
    ]


@pytest.mark.parametrize(
    "mlp",
    [
        lambda: nn.MLP(3, [4, 4, 2], rng=1),
        lambda: nn.MLP(3, [5, 4, 3, 1], ["tanh", "prelu", "maxout"], rng=1),
        lambda: nn.MLP(2, [3, 2], F.sin, rng=1),
        lambda: nn.MLP(2, [6, 2], nn.PReLU(), rng=1),
        lambda: nn.Sequential(nn.Maxout(3, 4, k=3, rng=1), nn.Layer(4, 2, "sigmoid", rng=2)),
        lambda: nn.MLP(4, [3], rng=1),
        lambda: nn.MLP(64, [100, 50, 10], "gelu", rng=1),
    ],
)
def test_an_mlp_converted_computes_the_same(mlp):
    mlp = mlp()
    net = Network.from_mlp(mlp)
    layers = list(mlp.layers)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(7, layers[0].n_in))
    out, expected = net(X), mlp(X)
    np.testing.assert_allclose(out.data, expected.data, rtol=1e-12, atol=1e-12)
    weigh = rng.normal(size=out.shape)
    (out * weigh).sum().backward()
    (expected * weigh).sum().backward()
    weights = [np.moveaxis(m.weight.grad.reshape(-1, m.n_out, m.n_in), 0, -1).ravel() for m in layers]
    biases = [m.bias.grad.reshape(-1, m.n_out).T.ravel() for m in layers]
    np.testing.assert_allclose(net.weight.grad, np.concatenate(weights), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(net.bias.grad, np.concatenate(biases), rtol=1e-12, atol=1e-12)
    slopes = [m.act.weight.grad for m in layers if isinstance(m.act, nn.PReLU)]
    own = [p.grad for name, p in net.named_parameters() if name not in ("weight", "bias")]
    assert len(own) == len(slopes)
    for g, s in zip(own, slopes):
        np.testing.assert_allclose(g, s, rtol=1e-12, atol=1e-12)
    assert net.summary().parameters == mlp.summary().parameters
    assert [r.units for r in net.summary().rows if r.units] == [m.n_out for m in layers]


def test_an_mlp_with_dropout_or_noise_is_not_converted():
    with pytest.raises(ValueError, match="no dropout and no input noise"):
        Network.from_mlp(nn.MLP(2, [3, 1], dropout=0.5))
    for other in (nn.Dropout(0.5), nn.Sequential(nn.Linear(2, 3), F.relu), nn.Sequential()):
        with pytest.raises(TypeError, match="an MLP, or a Sequential of Layer, Linear and Maxout"):
            Network.from_mlp(other)


def test_the_notes_networks_have_their_numbers_of_parameters():
    for sizes, parameters in (([4, 2], 26), ([4, 4, 1], 41)):
        net = Network.from_mlp(nn.MLP(3, sizes))
        assert net.summary().parameters == parameters
        assert sum(p.size for p in net.parameters()) == parameters
        assert f"a {len(sizes)}-layer network" in str(net.summary())


def test_a_summary_says_what_is_in_each_generation():
    net = Network()
    x = [net.input("a"), net.input("b")]
    h = [net.unit("p", "prelu", x), net.unit("m", "maxout", x, pieces=3), net.unit("t", "tanh", x)]
    net.unit("y", "identity", h)
    first, second = net.summary().rows
    assert (first.name, first.kind, first.units) == ("generations[0]", "1 prelu, 1 maxout, 1 tanh", 3)
    assert (first.weights, first.biases) == (2 + 6 + 2 + 1, 5)
    assert (second.units, second.weights, second.biases) == (1, 3, 1)
    assert "generations[0]: maxout units of 3 pieces have 3 times the parameters" in str(net.summary())
    assert net.summary().parameters == sum(p.size for p in net.parameters())
    assert repr(net) == "Network(2 inputs, 4 units, 9 edges)"
    assert net.slope.shape == (1,)
    assert small().slope is None


def test_rows_lead_where_their_weights_do():
    net = Network()
    x = net.input("x")
    net.unit("a", inputs=[x])
    net.unit("m", "maxout", ["a", x])
    net.connect(net.input("z"), "a")
    assert net._row_of("weight").tolist() == [0, 1, 2, 1, 2, 0]
    assert net._row_of("bias") is None


# --- parameters through changes of the wiring -------------------------------------------------------------------------


def weights(net):
    return {edge: net.weight_of(*edge) for edge in net.edges}


def test_parameters_are_the_same_tensors_through_every_change():
    net = small()
    w, b = net.parameters()
    before = weights(net)
    net.unit("z", "maxout", ["x1", "h1"])
    net.connect("z", "y", weight=0.5)
    net.disconnect("h1", "h2")
    assert net.parameters() == [w, b]
    assert w.shape == (4 + 4 + 1,)
    assert b.shape == (5,)
    after = weights(net)
    assert after["z", "y"] == 0.5
    assert len(after["x1", "z"]) == 2
    assert all(after[e] == v for e, v in before.items() if e != ("h1", "h2"))
    net.connect("h1", "h2")
    assert net.edges[-1] == ("h1", "h2")
    assert weights(net).items() >= after.items()


@settings(max_examples=40, deadline=None)
@given(networks(), st.data())
def test_what_stays_keeps_its_weights_whatever_is_taken_away_and_added(net, data):
    for _ in range(3):
        before = weights(net)
        gone = data.draw(st.sets(st.sampled_from(net.edges))) if net.edges else set()
        for edge in gone:
            net.disconnect(*edge)
        unit = net.unit(f"new{len(net.units)}", "maxout", inputs=[*net.inputs, net.units[0]], pieces=3)
        net.set_weight(net.units[0], unit, [1.0, 2.0, 3.0])
        after = weights(net)
        assert {e: w for e, w in before.items() if e not in gone}.items() <= {
            e: w for e, w in after.items() if e[1] != unit
        }.items()
        assert after[net.units[0], unit] == [1.0, 2.0, 3.0]


def test_a_weight_given_to_an_edge_that_is_taken_away_again_is_forgotten():
    net = small()
    net.connect("x1", "y", weight=9.0)
    net.disconnect("x1", "y")
    net.connect("x2", "y", weight=7.0)
    assert net.weight_of("x2", "y") == 7.0
    assert 9.0 not in net.weight.data


def test_a_network_can_grow_while_it_learns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    y = (X[:, :1] * X[:, 1:] > 0) * 1.0
    net = small()

    def learn(steps):
        opt = mg.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(steps):
            opt.zero_grad()
            loss = F.mse_loss(net(X), y)
            loss.backward()
            opt.step()
        return loss.item()

    first = learn(30)
    learned = weights(net)
    net.unit("h3", "tanh", ["x1", "x2"])
    net.connect("h3", "y", weight=0.0)
    assert F.mse_loss(net(X), y).item() <= first  # a new unit of weight 0 changes nothing
    assert learned.items() <= weights(net).items()
    assert learn(30) < first


def test_weights_are_drawn_by_the_number_of_inputs_and_the_activation():
    net = Network(rng=0)
    x = [net.input(f"x{i}") for i in range(150)]
    bounds = {kind: math.sqrt(n / 150) for kind, n in (("relu", 6), ("prelu", 6), ("tanh", 3), ("identity", 3))}
    for kind in bounds:
        for i in range(20):
            net.unit(f"{kind}{i}", kind, x)
    drawn = net.weight.data.reshape(4, -1)
    for w, bound in zip(drawn, bounds.values(), strict=True):
        assert 0.99 * bound < np.abs(w).max() <= bound
        assert w.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert not net.bias.data.any()


def test_randomness_comes_from_the_generator_given_and_leaves_the_global_one_alone():
    state = np.random.get_state()[1].copy()
    a, b = small(), small()
    assert np.array_equal(a.weight.data, b.weight.data)
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_whole_and_independent(again):
    net = small()
    net.unit("z", F.sin, ["h1", "x1"])
    X = np.random.default_rng(0).normal(size=(3, 2))
    out = net(X).data
    twin = again(net)
    np.testing.assert_array_equal(twin(X).data, out)
    twin.connect("z", "y")
    twin.weight.data[...] = 0
    np.testing.assert_array_equal(net(X).data, out)
    assert "z" in net.outputs
    assert "z" not in twin.outputs
    with pytest.raises(mg.CycleError, match="z -> y -> z"):
        twin.connect("y", "z")


def test_state_goes_out_and_in_again():
    a, b = small(), small()
    b.weight.data[...] = 0
    b.load_state_dict(a.state_dict())
    X = np.ones((2, 2))
    np.testing.assert_array_equal(a(X).data, b(X).data)
    with pytest.raises(ValueError, match=r"weight \(needs \(5,\), got \(2,\)\)"):
        b.load_state_dict({"weight": np.zeros(2), "bias": np.zeros(3)})
    assert a.eval().train().training


def test_a_state_goes_on_the_edges_it_was_taken_from_and_on_no_others():
    def reading(source):
        net = Network(rng=0)
        net.input("a")
        net.input("b")
        net.unit("h", "tanh")
        net.connect(source, "h")
        return net

    other = nn.Sequential(reading("b"), nn.Linear(1, 1))
    before = other.state_dict()
    with pytest.raises(ValueError, match=r"left as it was. wired otherwise: layers\[0\].wiring"):
        other.load_state_dict(nn.Sequential(reading("a"), nn.Linear(1, 1)).state_dict())
    np.testing.assert_equal(other.state_dict(), before)
    other.load_state_dict({k: 2 * v for k, v in before.items() if not k.endswith("wiring")})  # a state made by hand
    assert other.layers[0].weight.data == 2 * before["layers[0].weight"]


def test_a_subclass_may_have_parts_and_parameters_of_its_own():
    class Headed(Network):
        def __init__(self):
            super().__init__(rng=0)
            self.head, self.factor = nn.Linear(1, 2, rng=1), mg.Value(3.0)
            self.unit("h", "tanh", [self.input("x")])

        def forward(self, x):
            return self.head(super().forward(x)) * self.factor

    net = Headed()
    assert {name for name, _ in net.named_parameters()} == {"factor", "weight", "bias", "head.weight", "head.bias"}
    net(np.ones((4, 1))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net.summary().parameters == 2 + 4 + 1


@pytest.mark.parametrize("kind", [*nn.ACTIVATIONS, "maxout"])
def test_batches_may_be_empty_and_have_any_number_of_axes(kind):
    mlp = nn.MLP(3, [4, 2], kind, rng=0)
    net = Network.from_mlp(mlp)
    for shape in ((3,), (0, 3), (1, 3), (2, 5, 3), (2, 0, 3), (2, 1, 4, 3)):
        x, z = (mg.Tensor(np.random.default_rng(1).normal(size=shape), requires_grad=True) for _ in "xz")
        out, expected = net(x), mlp(z)
        assert out.shape == (*shape[:-1], 2)
        np.testing.assert_allclose(out.data, expected.data, atol=1e-12)
        (out * out).sum().backward()
        (expected * expected).sum().backward()
        np.testing.assert_allclose(x.grad, z.grad, atol=1e-12)


# --- seen from outside ------------------------------------------------------------------------------------------------


def test_activations_are_shown_with_place_function_and_names():
    net = Network(rng=0)
    x = net.input("x")
    for name, kind in (("a", "tanh"), ("b", "relu"), ("c", "tanh"), ("m", "maxout")):
        net.unit(name, kind, [x])
    net.unit("y", "sigmoid", ["a", "b", "c", "m"])
    seen = []

    def watch(module, function, z, a):
        if module is net:
            assert module._units_axis == 0
            seen.append((mg.graph.frame.get().module, function.__name__, z.shape, a.shape, module._unit_names(a)))

    token = observer.set(watch)
    try:
        nn.Sequential(nn.Linear(3, 1), net)(np.ones((5, 3)))
    finally:
        observer.reset(token)
    assert seen == [
        ("layers[1].generations[0].tanh", "tanh", (2, 5), (2, 5), ("a", "c")),
        ("layers[1].generations[0].relu", "relu", (1, 5), (1, 5), ("b",)),
        ("layers[1].generations[0].maxout", "maxout", (1, 2, 5), (1, 5), ("m",)),
        ("layers[1].generations[1]", "sigmoid", (1, 5), (1, 5), ("y",)),
    ]


def test_detect_anomaly_names_the_generation():
    net = small()
    net.set_weight("h1", "h2", 1e308)
    net.set_weight("x2", "h2", 1e308)
    with mg.detect_anomaly(), pytest.raises(mg.AnomalyError, match=r"`wired` in generations\[1\] gave inf"):
        net(np.full((1, 2), 10.0))


def test_without_grad_nothing_is_recorded():
    net = small()
    with mg.no_grad():
        assert not net([1.0, 2.0]).requires_grad
        assert not net(np.ones((4, 2))).requires_grad
    assert net([1.0, 2.0]).requires_grad


def test_two_functions_of_one_name_are_told_apart():
    net = Network(rng=0)
    x = net.input("x")
    net.unit("a", lambda z: z * 2, [x])
    net.unit("b", lambda z: z * 3, [x])
    net.set_weight("x", "a", 1.0)
    net.set_weight("x", "b", 1.0)
    assert net(np.array([[1.0]])).data.tolist() == [[2.0, 3.0]]


def test_an_activation_that_works_on_more_than_one_number_is_refused():
    net = Network()
    net.unit("a", lambda z: F.sum(z, 0), [net.input("x")])
    with pytest.raises(ValueError, match="must work on each number alone"):
        net(np.ones((3, 1)))


def test_a_module_as_activation_is_a_part_with_its_parameters():
    net = Network(rng=0)
    shared = nn.PReLU(init=0.5)
    x = net.input("x")
    net.unit("a", shared, [x])
    net.unit("b", shared, ["a"])
    assert [name for name, _ in net.named_parameters()] == ["weight", "bias", "activations[0].weight"]
    net.set_weight("x", "a", -1.0)
    net.set_weight("a", "b", 1.0)
    assert net(np.array([[1.0]])).item() == net([1.0]).item() == -0.25
    net(np.array([[1.0]])).sum().backward()
    assert shared.weight.grad.tolist() == [-1.0]  # -w² at w = 0.5


def test_an_infinity_goes_where_there_are_edges_and_nowhere_else():
    net = Network()
    x = net.input("x")
    for i, kind in enumerate((F.exp, "tanh")):
        net.unit(f"h{i}", kind)
        net.connect(x, f"h{i}", weight=1.0)
        net.unit(f"y{i}", "identity", bias=0.0)
        net.connect(f"h{i}", f"y{i}", weight=1.0)
    with np.errstate(over="ignore"):
        out = net(np.array([[1000.0]]))
        assert out.data.tolist() == [[math.inf, 1.0]]
        out.backward(np.array([[math.inf, 1.0]]))
    assert net.bias.grad[net.units.index("y1")] == 1.0
    assert net.weight.grad[net.edges.index(("h1", "y1"))] == 1.0
    assert net.weight.grad[net.edges.index(("x", "h1"))] == 0.0


def test_a_unit_reads_its_sources_in_any_order_of_making():
    net = Network(rng=0)
    net.unit("y", "identity")
    net.unit("h", "identity")
    net.connect("h", "y", weight=2.0)
    net.connect(net.input("x"), "h", weight=3.0)
    net.connect("x", "y", weight=1.0)
    assert net([1.0]).data == net(np.array([1.0])).item() == 7.0


def test_xor_by_hand():
    net = Network()
    a, b = net.input("a"), net.input("b")
    both = net.unit("both", "relu", bias=-1.0)
    y = net.unit("y", "identity")
    for source, target, weight in ((a, both, 1), (b, both, 1), (a, y, 1), (b, y, 1), (both, y, -2)):
        net.connect(source, target, weight)
    assert net(np.array([[0, 0], [0, 1], [1, 0], [1, 1]])).data.ravel().tolist() == [0, 1, 1, 0]
