"""nn.init: distributions by theory, formulas against PyTorch's, and which one a layer chooses."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn import Tensor, Value, nn
from micrograd_nn.nn import init

BIG = (300, 500)  # (out, in): the spread of 150,000 draws is known to half a per cent


def filled(fill, shape=BIG, **settings):
    return fill(Tensor(np.zeros(shape), requires_grad=True), rng=0, **settings).data


# --- by theory -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fill", "settings", "std"),
    [
        (init.uniform_, {"a": -1.0, "b": 3.0}, 4 / math.sqrt(12)),
        (init.normal_, {"mean": 1.0, "std": 0.3}, 0.3),
        (init.xavier_uniform_, {}, math.sqrt(2 / 800)),
        (init.xavier_normal_, {"gain": 2.0}, 2 * math.sqrt(2 / 800)),
        (init.kaiming_uniform_, {}, math.sqrt(2 / 500)),
        (init.kaiming_normal_, {"nonlinearity": "relu"}, math.sqrt(2 / 500)),
        (init.kaiming_normal_, {"mode": "fan_out"}, math.sqrt(2 / 300)),
        (init.kaiming_uniform_, {"a": 1.0}, math.sqrt(1 / 500)),
        (init.kaiming_uniform_, {"nonlinearity": "linear"}, math.sqrt(1 / 500)),
        (init.kaiming_normal_, {"nonlinearity": "tanh"}, 5 / 3 * math.sqrt(1 / 500)),
    ],
)
def test_the_spread_is_what_the_formula_says(fill, settings, std):
    assert filled(fill, **settings).std() == pytest.approx(std, rel=0.01)


@pytest.mark.parametrize(
    ("fill", "low", "high"),
    [
        (partial(init.uniform_, a=2.0, b=5.0), 2.0, 5.0),
        (init.xavier_uniform_, -math.sqrt(6 / 800), math.sqrt(6 / 800)),
        (partial(init.xavier_uniform_, gain=3.0), -3 * math.sqrt(6 / 800), 3 * math.sqrt(6 / 800)),
        (init.kaiming_uniform_, -math.sqrt(6 / 500), math.sqrt(6 / 500)),
        (partial(init.trunc_normal_, std=2.0, a=-1.0, b=0.5), -1.0, 0.5),
    ],
)
def test_bounds_are_kept_and_reached(fill, low, high):
    drawn = filled(fill)
    assert low <= drawn.min() <= low + 0.01 * (high - low)
    assert high - 0.01 * (high - low) <= drawn.max() <= high


def test_a_truncated_normal_has_the_moments_of_one():
    # for bounds of -1 and 2 standard deviations: mean (phi(-1) - phi(2)) / Z, and so on (Johnson & Kotz 1970)
    def phi(x):
        return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)

    z = (math.erf(2 / math.sqrt(2)) - math.erf(-1 / math.sqrt(2))) / 2
    mean = (phi(-1) - phi(2)) / z
    variance = 1 + (-1 * phi(-1) - 2 * phi(2)) / z - mean**2
    drawn = filled(partial(init.trunc_normal_, a=-1.0, b=2.0))
    assert drawn.mean() == pytest.approx(mean, abs=0.01)
    assert drawn.var() == pytest.approx(variance, rel=0.01)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.1, 5.0), st.integers(0, 2**32 - 1))
def test_orthogonal_rows_or_columns_are_at_right_angles(out, n_in, gain, seed):
    w = init.orthogonal_(Tensor(np.zeros((out, n_in))), gain, seed).data
    square = w @ w.T if out <= n_in else w.T @ w
    np.testing.assert_allclose(square, gain**2 * np.eye(min(out, n_in)), atol=1e-12 * gain**2)


def test_orthogonal_matrices_are_spread_evenly():
    # the trace of a random rotation of the plane averages 0; without fixing the signs of QR it is far from that
    traces = [np.trace(init.orthogonal_(Tensor(np.zeros((2, 2))), rng=seed).data) for seed in range(2000)]
    assert abs(np.mean(traces)) < 0.1


def test_each_piece_of_a_maxout_is_a_matrix_of_its_own():
    w = filled(init.orthogonal_, (3, 4, 6))
    for piece in w:
        np.testing.assert_allclose(piece @ piece.T, np.eye(4), atol=1e-12)
    assert not np.allclose(w[0], w[1])
    assert filled(init.kaiming_normal_, (2, 300, 500)).std() == pytest.approx(math.sqrt(2 / 500), rel=0.01)
    np.testing.assert_array_equal(filled(init.eye_, (2, 2, 3)), np.stack([np.eye(2, 3)] * 2))


def test_constants():
    assert filled(init.zeros_, (2, 2)).tolist() == [[0, 0], [0, 0]]
    assert filled(init.ones_, (2,)).tolist() == [1, 1]
    assert filled(init.constant_, (1, 2), val=0.5).tolist() == [[0.5, 0.5]]
    np.testing.assert_array_equal(filled(init.eye_, (2, 3)), np.eye(2, 3))


@pytest.mark.parametrize("name", sorted(init.NAMED))
def test_the_same_seed_draws_the_same_and_the_global_state_stays(name):
    state = np.random.get_state()[1].copy()
    fill = init.NAMED[name]
    first, again, other = (fill(Tensor(np.zeros((3, 4))), rng=seed).data for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    if name not in ("zeros", "ones", "eye"):
        assert not np.array_equal(first, other)
    assert np.array_equal(np.random.get_state()[1], state)


def test_a_filled_leaf_stays_the_same_leaf_of_the_same_type():
    w = Tensor(np.zeros((2, 3), np.float32), requires_grad=True, name="W")
    y = w.sum()
    assert init.xavier_normal_(w, rng=0) is w
    assert (w.dtype, w.name, w.requires_grad) == (np.float32, "W", True)
    with pytest.raises(RuntimeError, match="given a new value"):
        y.backward()  # it was computed from the old weights


# --- against PyTorch -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonlinearity", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains_are_pytorchs(nonlinearity):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init.calculate_gain
    assert init.calculate_gain(nonlinearity) == pytest.approx(theirs(nonlinearity), rel=1e-15)
    if nonlinearity == "leaky_relu":
        assert init.calculate_gain(nonlinearity, 0.3) == pytest.approx(theirs(nonlinearity, 0.3), rel=1e-15)


@pytest.mark.parametrize("shape", [(40, 1000), (1000, 40)])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("xavier_uniform_", {"gain": 1.5}),
        ("kaiming_uniform_", {}),
        ("kaiming_uniform_", {"a": 0.5, "mode": "fan_out"}),
        ("kaiming_uniform_", {"nonlinearity": "tanh"}),
        ("xavier_normal_", {}),
        ("kaiming_normal_", {"nonlinearity": "relu"}),
        ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "linear"}),
        ("orthogonal_", {"gain": 2.0}),
        ("trunc_normal_", {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 2.0}),
        ("normal_", {"mean": -1.0, "std": 0.5}),
        ("uniform_", {}),
    ],
)
def test_the_draws_spread_as_pytorchs_do(name, settings, shape):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape, dtype=torch.float64), **settings).numpy()
    ours = filled(getattr(init, name), shape, **settings)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.02 * theirs.std() + 0.001)
    if "uniform" in name:
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=1e-3)


# --- what a layer chooses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "softplus"])
def test_rectifiers_get_uniform_weights_of_variance_two_over_n(activation):
    bound = math.sqrt(6 / 5)
    expected = np.random.default_rng(7).uniform(-bound, bound, (4, 5))
    np.testing.assert_array_equal(nn.Layer(5, 4, activation, rng=7).weight.data, expected)


@pytest.mark.parametrize("activation", ["identity", np.sin])
def test_linear_units_and_unknown_functions_get_variance_one_over_n(activation):
    bound = math.sqrt(3 / 5)
    expected = np.random.default_rng(7).uniform(-bound, bound, (4, 5))
    np.testing.assert_array_equal(nn.Layer(5, 4, activation, rng=7).weight.data, expected)
    np.testing.assert_array_equal(nn.Linear(5, 4, rng=7).weight.data, expected)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_squashing_units_get_glorots_uniform_weights(activation):
    bound = math.sqrt(6 / 9)
    expected = np.random.default_rng(7).uniform(-bound, bound, (4, 5))
    np.testing.assert_allclose(nn.Layer(5, 4, activation, rng=7).weight.data, expected, rtol=1e-15)


def test_the_layers_of_an_mlp_draw_one_after_another_from_one_stream():
    rng = np.random.default_rng(3)
    model = nn.MLP(5, [7, 4, 2], rng=3)
    for layer, gain in zip(model.layers, (6, 6, 3), strict=True):
        bound = math.sqrt(gain / layer.n_in)
        np.testing.assert_array_equal(layer.weight.data, rng.uniform(-bound, bound, layer.weight.shape))
        assert not layer.bias.data.any()


def test_a_layer_takes_its_initialiser_by_name_or_as_a_function():
    expected = init.xavier_normal_(Tensor(np.zeros((4, 3))), rng=0).data
    for given_as in ("xavier_normal", "xavier_normal_", init.xavier_normal_, partial(init.xavier_normal_, gain=1.0)):
        np.testing.assert_array_equal(nn.Layer(3, 4, rng=0, init=given_as).weight.data, expected)
    half = nn.Layer(3, 4, init=lambda w, rng: init.constant_(w, 0.5))
    other = nn.Maxout(3, 4, init=lambda weight, generator: np.full(weight.shape, 0.5))
    assert (half.weight.data == 0.5).all()
    assert (other.weight.data == 0.5).all()
    assert all((layer.weight.data == 1).all() for layer in nn.MLP(2, [3, 1], init="ones").layers)
    assert nn.Neuron(3, init="ones").weight.data.tolist() == [1, 1, 1]


def test_a_scale_multiplies_the_weights_alone():
    for build in (
        lambda **s: nn.MLP(3, [5, 2], "tanh", 0, **s),
        lambda **s: nn.Maxout(3, 5, 2, 0, **s),
        lambda **s: nn.Linear(3, 5, 0, init="orthogonal", **s),
        lambda **s: nn.Neuron(3, "tanh", 0, **s),
    ):
        for p, q in zip(build().parameters(), build(scale=20.0).parameters(), strict=True):
            np.testing.assert_allclose(q.data, 20 * p.data)


def test_a_large_scale_saturates_units_on_purpose():
    x = np.random.default_rng(0).normal(size=(200, 50))
    plain, large = (np.abs(nn.Layer(50, 50, "tanh", 1, scale=s)(x).data) > 0.97 for s in (1.0, 30.0))
    assert plain.mean() < 0.1
    assert large.mean() > 0.9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: nn.Layer(2, 2, init="xavier_norml"), "Did you mean 'xavier_normal'"),
        (lambda: nn.Layer(2, 2, init="constant"), "nn.init.constant_"),
        (lambda: nn.Layer(2, 2, init=0.1), "init is a name"),
        (lambda: nn.Layer(2, 2, scale=math.nan), "scale is the number"),
        (lambda: nn.Layer(2, 2, init=lambda w, rng: np.zeros(3)), "does not fit"),
        (lambda: nn.Neuron(2, init="orthogonal"), r"a matrix \(out, in\)"),
        (lambda: init.normal_(np.zeros(3)), "fills a leaf Tensor, such as layer.weight, and this is a ndarray"),
        (lambda: init.normal_(Value(1.0)), "this is a Value"),
        (lambda: init.normal_(Tensor([1.0], requires_grad=True) * 2), "this was computed"),
        (lambda: init.xavier_normal_(Tensor(1.0)), r"needs axes \(out, in\)"),
        (lambda: init.kaiming_normal_(Tensor(np.ones((2, 2))), mode="fan"), "'fan_in' or 'fan_out'"),
        (lambda: init.calculate_gain("maxout"), "no gain is known for 'maxout'"),
        (lambda: init.uniform_(Tensor([1.0]), 2.0, 1.0), "not below"),
        (lambda: init.trunc_normal_(Tensor([1.0]), a=7.0, b=8.0), "widen the bounds"),
        (lambda: init.trunc_normal_(Tensor([1.0]), std=0.0), "std"),
    ],
)
def test_wrong_settings_are_refused(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()
