"""Kinds of units: PReLU and Maxout, different ones in one network, functions and modules as activations."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, nn
from micrograd_nn import functional as F
from micrograd_nn.nn._module import observer

KINDS = [*nn.ACTIVATIONS, "maxout"]


def rows_of(model, X):
    """The scalar path on every row: a list of Values each."""
    found = [model([float(v) for v in x]) for x in X]
    return [r if isinstance(r, list) else [r] for r in found]


def check_that_both_paths_agree(model, X):
    """Outputs, and gradients of their sum of squares, through arrays and number by number."""
    inputs = Tensor(X, requires_grad=True)
    out = model(inputs)
    (out * out).sum().backward()
    by_array = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad()
    singly = [[Value(float(v)) for v in x] for x in X]
    rows = [r if isinstance(r, list) else [r] for r in map(model, singly)]
    sum(v * v for row in rows for v in row).backward()
    np.testing.assert_allclose([[v.data for v in row] for row in rows], out.data, rtol=0, atol=1e-12)
    np.testing.assert_allclose([[v.grad or 0.0 for v in x] for x in singly], inputs.grad, rtol=1e-12, atol=1e-12)
    for name, p in model.named_parameters():
        scale = max(1.0, np.abs(by_array[name]).max())
        np.testing.assert_allclose(p.grad / scale, by_array[name] / scale, rtol=0, atol=1e-12, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 4), st.lists(st.tuples(st.integers(1, 4), st.sampled_from(KINDS)), max_size=3),
    st.integers(1, 3), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_any_mixture_of_units_computes_the_same_on_both_paths(n_in, hidden, n_out, seed):
    rng = np.random.default_rng(seed)
    model = nn.MLP(n_in, [*(n for n, _ in hidden), n_out], [kind for _, kind in hidden], rng)
    for p in model.parameters():
        p.data = rng.normal(size=p.shape)  # biases and slopes too
    check_that_both_paths_agree(model, rng.normal(size=(4, n_in)))


@pytest.mark.parametrize("kind", [k for k in nn.ACTIVATIONS if k != "prelu"])
def test_a_unit_by_name_is_the_function_of_that_name(kind):
    layer = nn.Layer(3, 4, kind, rng=0)
    X = np.random.default_rng(1).normal(size=(5, 3))
    expected = getattr(F, kind)(X @ layer.weight.data.T + layer.bias.data)
    np.testing.assert_array_equal(layer(X).data, expected)
    assert layer.activation == kind


# --- PReLU ---------------------------------------------------------------------------------------------------------


def test_prelu_starts_as_a_leaky_relu_of_slope_a_quarter():
    X = np.array([[-4.0, 2.0], [0.0, -1.0]])
    np.testing.assert_array_equal(nn.PReLU()(X).data, F.leaky_relu(X, 0.25))
    np.testing.assert_array_equal(nn.PReLU(2, init=0.1)(X).data, F.leaky_relu(X, 0.1))


def test_a_prelu_layer_learns_one_slope_a_neuron():
    layer = nn.Layer(3, 4, "prelu", rng=0)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias", "act.weight"]
    assert layer.act.weight.shape == (4,)
    layer.act.weight.data = np.array([0.0, 0.5, -1.0, 2.0])
    X = np.random.default_rng(0).normal(size=(50, 3))
    z = X @ layer.weight.data.T
    np.testing.assert_allclose(layer(X).data, np.where(z > 0, z, layer.act.weight.data * z))
    layer(X).sum().backward()
    np.testing.assert_allclose(layer.act.weight.grad, np.minimum(z, 0).sum(0))  # d(a z)/da = z where z < 0


def test_a_neuron_of_a_prelu_layer_uses_its_own_slope():
    layer = nn.Layer(1, 3, "prelu", init="ones")
    layer.act.weight.data = np.array([0.1, 0.2, 0.3])
    assert [n([-10.0]).item() for n in layer.neurons] == pytest.approx([-1.0, -2.0, -3.0])
    assert [n(np.array([-10.0])).item() for n in layer.neurons] == pytest.approx([-1.0, -2.0, -3.0])
    layer.neurons[1]([-10.0]).backward()
    assert layer.act.weight.grad.tolist() == [0.0, -10.0, 0.0]


def test_the_scalars_of_a_slope_are_shared_by_all_calls_and_follow_its_value():
    layer = nn.Layer(2, 3, "prelu", rng=0)
    total = sum(v for i in range(6) for v in layer([float(i), -1.0]))
    ops = [n.op.name for n in mg.topological_order(total) if n.op is not None]
    assert ops.count("getitem") == 3 * (2 + 1 + 1)
    before = layer([-1.0, -1.0])
    layer.act.weight.data[...] = 0.0
    assert [v.item() for v in layer([-1.0, -1.0])] == [max(0.0, v.item()) for v in before]


def test_one_prelu_given_as_the_activation_shares_its_slope():
    shared = nn.PReLU()
    model = nn.MLP(2, [3, 4, 1], shared, rng=0)
    names = [name for name, _ in model.named_parameters()]
    assert names.count("layers[0].act.weight") == 1
    assert len(names) == 7
    check_that_both_paths_agree(model, np.random.default_rng(0).normal(size=(4, 2)))
    out = model(np.ones((1, 2)))
    made_in = {n.module for n in mg.topological_order(out) if n.op is not None and n.op.name == "prelu"}
    assert made_in == {"layers[0].act", "layers[1].act"}


def test_slopes_count_as_weights_and_are_saved():
    model = nn.MLP(3, [4, 2], "prelu", rng=0)
    summary = model.summary()
    assert (summary.units, summary.weights, summary.biases, summary.parameters) == (6, 24, 6, 30)
    assert "a 2-layer network" in str(summary)
    other = nn.MLP(3, [4, 2], "prelu", rng=1)
    model.layers[0].act.weight.data = np.arange(4.0)
    other.load_state_dict(model.state_dict())
    assert other.layers[0].act.weight.data.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_prelu_of_a_single_number_or_of_one_number_a_unit():
    assert nn.PReLU()(-4.0).item() == -1.0
    assert [v.item() for v in nn.PReLU(2)([-4.0, 4.0])] == [-1.0, 4.0]
    assert nn.Neuron(2, "prelu", init="ones")(np.array([-2.0, -2.0])).item() == -1.0
    assert nn.Neuron(2, "prelu", init="ones")([-2.0, -2.0]).item() == -1.0


def test_a_number_of_slopes_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"PReLU\(3\) has 3 slopes, and there are 4 units"):
        nn.Layer(2, 4, nn.PReLU(3))
    with pytest.raises(ValueError, match=r"each of 3 units on the last axis, and got shape \(5, 4\)"):
        nn.PReLU(3)(np.ones((5, 4)))
    with pytest.raises(ValueError, match="each of 3 units, and got 2 numbers"):
        nn.PReLU(3)([1.0, 2.0])


def test_prelu_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    X = np.random.default_rng(0).normal(size=(6, 3))
    theirs = torch.nn.PReLU(3, dtype=torch.float64)
    x = torch.tensor(X, requires_grad=True)
    (theirs(x) ** 2).sum().backward()
    ours, inputs = nn.PReLU(3), Tensor(X, requires_grad=True)
    (ours(inputs) ** 2).sum().backward()
    np.testing.assert_allclose(inputs.grad, x.grad.numpy(), rtol=1e-14)
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), rtol=1e-14)


# --- Maxout --------------------------------------------------------------------------------------------------------


def gradients_of(layer, X, wanted=("weight", "bias")):
    """Output, and the gradients of a weighted sum of it: on the inputs, and on one piece's worth of the parameters."""
    inputs = Tensor(X, requires_grad=True)
    layer.zero_grad()
    out = layer(inputs)
    (out * np.cos(np.arange(out.size).reshape(out.shape))).sum().backward()
    return out.data, inputs.grad, [getattr(layer, name).grad for name in wanted]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_maxout_with_one_piece_zero_is_relu(n_in, n_out, seed):
    rng = np.random.default_rng(seed)
    relu, maxout = nn.Layer(n_in, n_out, "relu", rng), nn.Maxout(n_in, n_out)
    relu.bias.data = rng.normal(size=n_out)
    maxout.weight.data = np.stack([relu.weight.data, np.zeros((n_out, n_in))])
    maxout.bias.data = np.stack([relu.bias.data, np.zeros(n_out)])
    X = rng.normal(size=(7, n_in))
    out, on_inputs, (on_weight, on_bias) = gradients_of(maxout, X)
    expected, expected_on_inputs, (expected_on_weight, expected_on_bias) = gradients_of(relu, X)
    np.testing.assert_allclose(out, expected, atol=1e-14)
    np.testing.assert_allclose(on_inputs, expected_on_inputs, atol=1e-14)
    np.testing.assert_allclose(on_weight[0], expected_on_weight, atol=1e-13)
    np.testing.assert_allclose(on_bias[0], expected_on_bias, atol=1e-13)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.floats(0.001, 0.999), st.integers(0, 2**32 - 1))
def test_maxout_with_one_piece_a_fraction_of_the_other_is_leaky_relu(n_in, n_out, slope, seed):
    rng = np.random.default_rng(seed)
    leaky, maxout = nn.Layer(n_in, n_out, lambda z: F.leaky_relu(z, slope), rng), nn.Maxout(n_in, n_out)
    leaky.bias.data = rng.normal(size=n_out)
    maxout.weight.data = np.stack([leaky.weight.data, slope * leaky.weight.data])
    maxout.bias.data = np.stack([leaky.bias.data, slope * leaky.bias.data])
    X = rng.normal(size=(7, n_in))
    out, on_inputs, (on_weight, on_bias) = gradients_of(maxout, X)
    expected, expected_on_inputs, (expected_on_weight, expected_on_bias) = gradients_of(leaky, X)
    np.testing.assert_allclose(out, expected, atol=1e-13)
    np.testing.assert_allclose(on_inputs, expected_on_inputs, atol=1e-13)
    np.testing.assert_allclose(on_weight[0] + slope * on_weight[1], expected_on_weight, atol=1e-12)
    np.testing.assert_allclose(on_bias[0] + slope * on_bias[1], expected_on_bias, atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_maxout_is_the_largest_of_its_pieces_on_both_paths(k):
    layer = nn.Maxout(3, 4, k, rng=0)
    layer.bias.data = np.random.default_rng(1).normal(size=(k, 4))
    X = np.random.default_rng(2).normal(size=(6, 3))
    expected = np.max([X @ W.T + b for W, b in zip(layer.weight.data, layer.bias.data, strict=True)], axis=0)
    np.testing.assert_allclose(layer(X).data, expected, atol=1e-14)
    np.testing.assert_allclose(layer(X[0]).data, expected[0], atol=1e-14)
    np.testing.assert_allclose(layer(X.reshape(2, 3, 3)).data, expected.reshape(2, 3, 4), atol=1e-14)
    check_that_both_paths_agree(layer, X)


def test_the_scalar_path_of_maxout_has_k_dot_products_a_unit():
    out = nn.Maxout(3, 2, k=4, rng=0)([1.0, 2.0, 3.0])
    ops = [n.op.name for n in mg.topological_order(out) if n.op is not None]
    assert ops.count("mul") == 2 * 4 * 3
    assert ops.count("maximum") == 2 * (4 - 1)
    assert ops.count("getitem") == 2 * 4 * (3 + 1)
    assert out[1].module == "neurons[1]"


def test_paths_agree_where_pieces_tie():
    layer = nn.Maxout(2, 2, k=3, init="zeros")
    check_that_both_paths_agree(layer, np.ones((2, 2)))
    layer.bias.data = np.ones((3, 2))
    check_that_both_paths_agree(layer, np.ones((2, 2)))


def test_maxout_multiplies_the_parameters_and_the_summary_says_so():
    plain, double, triple = nn.Linear(3, 5), nn.Maxout(3, 5), nn.Maxout(3, 5, k=3)
    assert double.summary().parameters == 2 * plain.summary().parameters
    assert triple.summary().parameters == 3 * plain.summary().parameters
    assert triple.summary().units == 5
    assert "3 pieces a unit, 3 times the parameters" in str(triple.summary())
    assert "pieces" not in str(plain.summary())


def test_an_mlp_of_maxout_units_ends_in_a_plain_layer():
    model = nn.MLP(2, [16, 16, 2], activation="maxout", rng=0)
    assert [type(layer) for layer in model.layers] == [nn.Maxout, nn.Maxout, nn.Layer]
    assert model.summary().parameters == 2 * (2 * 16 + 16) + 2 * (16 * 16 + 16) + (16 * 2 + 2)
    assert "layers[0], layers[1]: 2 pieces a unit" in str(model.summary())
    assert repr(model) == "MLP(2, [16, 16, 2], 'maxout')"


def test_neurons_of_a_maxout_are_its_units():
    layer = nn.Maxout(3, 4, k=2, rng=0)
    x = [0.5, -1.0, 2.0]
    expected = layer(np.array(x)).data.tolist()
    assert [n(x).item() for n in layer.neurons] == pytest.approx(expected, abs=1e-15)
    assert [n(np.array(x)).item() for n in layer.neurons] == pytest.approx(expected, abs=1e-15)
    assert layer.neurons[1].summary().parameters == 2 * (3 + 1)
    with pytest.raises(TypeError, match="row 1 of the layer's weight"):
        layer.neurons[1].parameters()


def test_as_an_activation_maxout_is_refused_and_its_layer_named():
    with pytest.raises(ValueError, match=r"nn\.Maxout\(n_in, n_out, k=2\)"):
        nn.Layer(2, 3, "maxout")
    with pytest.raises(ValueError, match="k is a count"):
        nn.Maxout(2, 3, k=0)


# --- activations of one's own --------------------------------------------------------------------------------------


class Swish(nn.Module):
    """A unit that learns how sharp it is."""

    def __init__(self):
        self.sharpness = Value(1.0)

    def forward(self, z):
        return z * F.sigmoid(z * self.sharpness)


def test_a_module_as_an_activation_becomes_a_part_of_the_layer():
    layer = nn.Layer(2, 3, Swish(), rng=0)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias", "act.sharpness"]
    X = np.random.default_rng(0).normal(size=(4, 2))
    np.testing.assert_allclose(layer(X).data, F.silu(X @ layer.weight.data.T))
    check_that_both_paths_agree(layer, X)


def test_different_units_work_in_one_network():
    model = nn.MLP(2, [3, 4, 5, 1], ["relu", lambda z: z * z, "maxout"], rng=0)
    assert [layer.activation for layer in model.layers] == ["relu", "<lambda>", "maxout", "identity"]
    assert repr(nn.MLP(2, [3, 4, 1], ["relu", "tanh"])) == "MLP(2, [3, 4, 1], ['relu', 'tanh'])"
    check_that_both_paths_agree(model, np.random.default_rng(0).normal(size=(3, 2)))


def test_a_list_of_activations_has_one_for_each_hidden_layer():
    with pytest.raises(ValueError, match="3 activations for 2 hidden layers: give one for each, and none for the out"):
        nn.MLP(2, [3, 4, 1], ["relu", "tanh", "identity"])
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        nn.MLP(2, [3, 4, 1], ["relu", "rleu"])


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        (nn.PReLU, r"PReLU\(\), with brackets"),
        (None, "no activation is named None"),
        ("preluu", "Did you mean 'prelu'"),
        ("softmax", "works on a whole layer"),
        (F.log_softmax, "works on a whole layer"),
        (["relu"], "no activation is named"),
    ],
)
def test_what_is_no_activation_is_refused(activation, message):
    with pytest.raises(ValueError, match=message):
        nn.Layer(2, 3, activation)
    if not isinstance(activation, list):
        with pytest.raises(ValueError, match=message):
            nn.MLP(2, [3], activation)


# --- Sequential ----------------------------------------------------------------------------------------------------


def test_a_sequence_runs_its_parts_one_after_another():
    first, second = nn.Linear(2, 3, rng=0), nn.Linear(3, 2, rng=1)
    model = nn.Sequential(first, F.relu, second)
    X = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_array_equal(model(X).data, second(F.relu(first(X))).data)
    assert model[0] is first
    assert model[1] is F.relu
    assert len(model) == 3
    assert list(model) == [first, F.relu, second]
    assert [name for name, _ in model.named_parameters()] == [
        "layers[0].weight", "layers[0].bias", "layers[2].weight", "layers[2].bias",
    ]  # fmt: skip
    assert repr(model) == "Sequential(Linear(2, 3), relu, Linear(3, 2))"
    assert "a 2-layer network" in str(model.summary())


def test_a_sequence_is_the_mlp_of_the_same_layers_on_both_paths():
    mlp = nn.MLP(2, [4, 3, 1], ["tanh", "prelu"], rng=0)
    a, b, c = (nn.Linear(layer.n_in, layer.n_out) for layer in mlp.layers)
    for mine, theirs in zip((a, b, c), mlp.layers, strict=True):
        mine.weight.data, mine.bias.data = theirs.weight.data, theirs.bias.data
    model = nn.Sequential(a, F.tanh, b, nn.PReLU(3), c)
    X = np.random.default_rng(1).normal(size=(5, 2))
    np.testing.assert_array_equal(model(X).data, mlp(X).data)
    check_that_both_paths_agree(model, X)


def test_a_function_in_a_sequence_leaves_its_place_on_what_it_makes():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), F.relu, nn.Linear(3, 1, rng=1))

    class Outer(nn.Module):
        def __init__(self):
            self.net = model

        def forward(self, x):
            return self.net(x)

    for x in (np.ones((1, 2)), [1.0, 1.0]):
        places = {n.module for n in mg.topological_order(model(x)) if n.op is not None and n.op.name == "relu"}
        assert places == {"layers[1]"}
        places = {n.module for n in mg.topological_order(Outer()(x)) if n.op is not None and n.op.name == "relu"}
        assert places == {"net.layers[1]"}


def test_softmax_in_a_sequence_sees_the_whole_layer():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), F.softmax)
    by_array = model(np.array([[1.0, -1.0]])).data[0]
    np.testing.assert_allclose(model([1.0, -1.0]).data, by_array, atol=1e-15)
    assert by_array.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("relu",), r"not 'relu': F\.relu, the function itself"),
        (([F.relu],), "without the brackets of a list"),
        ((nn.PReLU,), r"PReLU\(\.\.\.\), made before"),
        ((3.0,), r"not 3\.0"),
    ],
)
def test_what_cannot_be_run_in_a_sequence_is_refused(parts, message):
    with pytest.raises(TypeError, match=message):
        nn.Sequential(*parts)


# --- what is shown to a watcher, and copies ------------------------------------------------------------------------


def test_every_kind_of_unit_shows_its_activation_once_and_in_its_place():
    seen = []
    hidden = [nn.Layer(2, 3, "tanh", rng=0), nn.Maxout(3, 4, rng=1), nn.Layer(4, 3, "prelu", rng=2)]
    model = nn.Sequential(*hidden, nn.Linear(3, 2, rng=3), F.sigmoid, nn.PReLU())
    token = observer.set(lambda module, function, z, a: seen.append((mg.graph.frame.get().module, z.shape, a.shape)))
    try:
        model(np.ones((5, 2)))
    finally:
        observer.reset(token)
    assert seen == [
        ("layers[0]", (5, 3), (5, 3)), ("layers[1]", (5, 2, 4), (5, 4)), ("layers[2]", (5, 3), (5, 3)),
        ("layers[3]", (5, 2), (5, 2)), ("layers[4]", (5, 2), (5, 2)), ("layers[5]", (5, 2), (5, 2)),
    ]  # fmt: skip


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_of_every_kind_of_unit_compute_the_same_and_share_nothing(twin):
    model = nn.MLP(2, [3, 3, 1], ["prelu", "maxout"], rng=0)
    x = [0.3, -0.8]
    expected = model(x).item()
    other = twin(model)
    assert other(x).item() == expected
    for p in model.parameters():
        p.data = np.zeros(p.shape)
    assert other(x).item() == expected
    assert other(np.array(x)).item() == pytest.approx(expected, abs=1e-15)


def test_representations_can_be_typed_back():
    typed = {"nn": nn, "np": np} | {name: getattr(nn, name) for name in nn.__all__}
    for module in (
        nn.Layer(3, 2), nn.Layer(3, 2, "prelu"), nn.Layer(3, 2, nn.PReLU()), nn.Layer(3, 2, nn.PReLU(2, init=0.1)),
        nn.Linear(3, 4), nn.Maxout(3, 4, 3), nn.PReLU(4), nn.Neuron(3, "tanh"), nn.MLP(3, [2]), nn.Dropout(0.3),
        nn.MLP(3, [4, 4, 2], ["tanh", "maxout"], dropout=0.5, input_noise=0.1), nn.GaussianNoise(0.2),
        nn.Sequential(nn.Linear(2, 3), nn.PReLU(), nn.Linear(3, 1)),
    ):  # fmt: skip
        assert repr(eval(repr(module), typed)) == repr(module)
        assert len(repr(module)) < 80


def test_maxout_keeps_the_size_of_a_signal():
    # for two independent standard normal pieces E[max(z1, z2)^2] = 1, so the weights need no gain
    x = np.random.default_rng(0).normal(size=(200, 400))
    a = nn.Maxout(400, 400, rng=1)(x).data
    assert math.sqrt(np.mean(a * a)) == pytest.approx(1, rel=0.05)
