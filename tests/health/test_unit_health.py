"""What is measured of each unit: on-rate, dead, dormant, saturated, mean and spread, over data in any form."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_nn import Tensor, nn, unit_health
from micrograd_nn import functional as F
from micrograd_nn.health import _activity
from micrograd_nn.op import REGISTRY

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
MEASURES = ("on_rate", "saturated_share", "mean", "spread", "max", "mean_abs")
FLAGS = ("dead", "dormant", "saturated", "always_saturated")


class Mine(nn.Module):
    """A module of a user's own, of arrays and functions."""

    def __init__(self, function, W=None):
        self.W = Tensor(np.eye(3) if W is None else W, requires_grad=True)
        self.function = function

    def forward(self, x):
        return self.function(x @ self.W)


def one_layer(activation, bias, weight=0.0):
    """A layer of len(bias) units on one input: z = weight * x + bias."""
    layer = nn.Layer(1, len(bias), activation, rng=0)
    layer.weight.data = np.broadcast_to(np.asarray(weight, float).reshape(-1, 1), (len(bias), 1))
    layer.bias.data = np.asarray(bias, float)
    return layer


# --- the measures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 7, 60, 1000])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "leaky_relu", "prelu"])
def test_every_measure_is_numpys_own_on_all_examples_at_once(activation, batch_size):
    model = nn.MLP(3, [20, 10, 2], activation, rng=1)
    report = unit_health(model, X, batch_size=batch_size)
    h = X
    for layer, found in zip(model.layers, report.layers, strict=False):
        h = layer(h).data
        np.testing.assert_array_equal(found.on_rate, (h > 0).mean(0))
        np.testing.assert_allclose(found.mean, h.mean(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.spread, h.std(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.max, h.max(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.mean_abs, np.abs(h).mean(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(found.dormant, found.mean_abs <= 0.025 * found.mean_abs.mean())
        assert len(found) == h.shape[1]
    assert [found.activation for found in report.layers] == [activation] * 2
    assert report.examples == 60


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 80), st.sampled_from(["relu", "sigmoid", "silu", "maxout"]), st.booleans())
def test_the_size_of_the_batches_changes_nothing(batch_size, activation, labelled):
    model = nn.MLP(3, [8, 6, 4], activation, rng=2)
    y = np.arange(60) % 4 if labelled else None
    a, b = (unit_health(model, X, y, batch_size=n) for n in (60, batch_size))
    for p, q in zip(a.layers, b.layers, strict=True):
        for name in MEASURES:
            np.testing.assert_allclose(getattr(q, name), getattr(p, name), rtol=1e-12, atol=1e-12)
        for name in FLAGS:
            np.testing.assert_array_equal(getattr(q, name), getattr(p, name))
    for g, h in zip(a.gradients, b.gradients, strict=True):
        assert (h.name, h.verdict) == (g.name, g.verdict)
        for name in ("mean", "std", "norm", "mean_abs", "zeros"):
            assert getattr(h, name) == pytest.approx(getattr(g, name), rel=1e-11, abs=1e-12)


def test_the_spread_of_a_unit_far_from_zero_keeps_its_digits():
    layer = one_layer("relu", [1e6, 3.0], [1.0, 0.0])
    x = np.array([[0.0], [0.001], [0.002]])
    found = unit_health(layer, x, batch_size=2).layers[0]
    assert found.spread[0] == pytest.approx(np.std(x), rel=1e-6)  # rounded to 1e-10 by the addition of 1e6
    assert found.spread[1] == 0  # a unit that always gives the same


def test_a_single_example_has_no_spread():
    found = unit_health(nn.MLP(3, [4, 1], rng=0), X[:1])
    assert found.layers[0].spread.tolist() == [0.0] * 4
    assert set(found.layers[0].on_rate) <= {0.0, 1.0}
    assert "On this one example." in str(found)


@pytest.mark.parametrize(("size", "dormant"), [(0.02499, True), (0.02501, False)])
def test_dormant_is_a_fortieth_of_the_layers_mean(size, dormant):
    a = np.array([1.0] * 9 + [0.0])  # the tenth unit is to have `size` times the mean of all ten
    a[9] = size * 9 / (10 - size)
    found = unit_health(one_layer("relu", a), np.zeros((5, 1))).layers[0]
    assert found.dormant.tolist() == [False] * 9 + [dormant]
    assert not found.dead.any()


def test_a_faint_of_ones_own_is_used_and_printed():
    report = unit_health(one_layer("relu", [1.0, 0.5]), np.zeros((5, 1)), faint=0.7)
    assert report.layers[0].dormant.tolist() == [False, True]
    assert "mean |a| at most 0.7 of the layer's" in " ".join(str(report).split())


# --- dead -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "relu",
    [
        "relu",
        F.relu,
        lambda z: F.maximum(z, 0.0),
        lambda z: z * (z > 0),
        lambda z: 0.5 * (z + abs(z)),
        nn.PReLU(init=0),
    ],
)
def test_any_relu_dies_when_nothing_gets_through(relu):
    found = unit_health(one_layer(relu, [-3.0, 2.0, -0.5], [1.0, 1.0, 1.0]), np.array([[0.0], [1.0], [2.0]])).layers[0]
    assert found.dead.tolist() == [True, False, False]
    assert found.on_rate.tolist() == [0.0, 1.0, 2 / 3]
    assert not found.saturated.any()


@pytest.mark.parametrize(
    "activation", ["leaky_relu", "prelu", lambda z: F.leaky_relu(z, 1e-6), nn.PReLU(2), "identity"]
)
def test_what_leaks_never_dies_nor_saturates(activation):
    report = unit_health(one_layer(activation, [-100.0, -1e-3]), np.zeros((4, 1)))
    for found in report.layers:  # an identity is not in the report
        assert not (found.dead | found.saturated).any()
        assert found.on_rate.tolist() == [0, 0]
    assert bool(report.layers) == (activation != "identity")


def test_maxout_never_dies_nor_saturates():
    layer = nn.Maxout(3, 5, k=3, rng=0)
    layer.bias.data = np.full((3, 5), -100.0)
    found = unit_health(layer, X).layers[0]
    assert (found.activation, len(found)) == ("maxout", 5)
    assert not (found.dead | found.saturated).any()
    assert (found.max < 0).all()


def test_a_relu_that_is_on_once_is_alive():
    x = np.full((1000, 1), -1.0)
    x[777] = 1e-9
    assert unit_health(one_layer("relu", [0.0], [1.0]), x, batch_size=10).layers[0].dead.tolist() == [False]
    assert unit_health(one_layer("relu", [0.0], [1.0]), x[:777]).layers[0].dead.tolist() == [True]


@pytest.mark.parametrize("activation", ["gelu", "silu", "softplus"])
def test_a_smooth_relu_far_below_zero_is_both_dead_and_saturated(activation):
    found = unit_health(one_layer(activation, [-2000.0, 1.0]), np.zeros((4, 1))).layers[0]
    assert found.dead.tolist() == found.always_saturated.tolist() == [True, False]


# --- saturated ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [
        ("tanh", [0.0, 0.5, 0.96, -0.96], [0.98, -0.98]),  # |tanh| > 0.97
        ("sigmoid", [0.5, 0.02, 0.98], [0.0145, 0.9855]),  # < 0.015 or > 0.985
    ],
)
def test_saturation_is_where_the_field_draws_the_line(activation, low, high):
    inverse = {"tanh": np.arctanh, "sigmoid": lambda a: np.log(a) - np.log1p(-a)}[activation]
    z = inverse(np.array(low + high))
    found = unit_health(one_layer(activation, z), np.zeros((10, 1))).layers[0]
    assert found.saturated.tolist() == found.always_saturated.tolist() == [False] * len(low) + [True] * len(high)
    assert not found.dead.any()


SLOPES = {  # where |f'(z)| is 0.06 of its largest, solved by hand or by bisection of the textbook formula
    "tanh": np.arctanh(np.sqrt(0.94)),
    "sigmoid": np.log((1 + np.sqrt(0.94)) / (1 - np.sqrt(0.94))),
    "elu": np.log(0.06),
    "softplus": np.log(0.06 / 0.94),
}


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("how", ["by name", "as a function of one's own", "in a module of one's own"])
def test_the_line_is_the_same_however_the_function_is_given(activation, how):
    edge = SLOPES[activation]
    z = edge * np.array([0.999, 1.001])
    inner = getattr(F, activation)
    if how == "by name":
        model = one_layer(activation, z)
    elif how == "as a function of one's own":
        own = {"tanh": lambda z: 1 - 2 / (F.exp(2 * z) + 1), "sigmoid": lambda z: 1 / (1 + F.exp(-z)),
               "elu": lambda z: F.where(z > 0, z, F.expm1(z)), "softplus": lambda z: F.log(1 + F.exp(z))}  # fmt: skip
        model = one_layer(own[activation], z)
    else:
        model = Mine(lambda x: inner(x * 0 + np.append(z, 0.0)))
    x = np.zeros((4, 3 if how.startswith("in") else 1))
    assert unit_health(model, x).layers[0].saturated.tolist()[:2] == [False, True]


def test_gelu_and_silu_saturate_below_zero_only():
    for activation in ("gelu", "silu"):
        found = unit_health(one_layer(activation, [-12.0, 0.0, 12.0]), np.zeros((4, 1))).layers[0]
        assert found.saturated.tolist() == [True, False, False]


@pytest.mark.parametrize(("n", "saturated", "always"), [(94, False, False), (95, True, False), (99, True, False),
                                                        (100, True, True)])  # fmt: skip
def test_a_unit_is_saturated_from_95_percent_of_the_examples_on(n, saturated, always):
    x = np.where(np.arange(100) < n, 10.0, 0.0)[:, None]
    found = unit_health(one_layer("tanh", [0.0], [1.0]), x, batch_size=9).layers[0]
    assert (found.saturated.tolist(), found.always_saturated.tolist()) == ([saturated], [always])
    assert found.saturated_share.tolist() == [n / 100]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 60))
def test_exactly_95_percent_is_enough_for_any_number_of_examples(twentieths):
    x = np.where(np.arange(20 * twentieths) < 19 * twentieths, 10.0, 0.0)[:, None]
    assert unit_health(one_layer("tanh", [0.0], [1.0]), x).layers[0].saturated.tolist() == [True]


def test_a_hard_sigmoid_saturates_and_a_square_does_not():
    x = np.zeros((4, 1))
    hard = unit_health(one_layer(lambda z: F.clip(0.2 * z + 0.5, 0.0, 1.0), [-9.0, 0.1, 9.0]), x).layers[0]
    assert hard.saturated.tolist() == [True, False, True]
    assert not hard.dead.any()
    assert not unit_health(one_layer(lambda z: z * z, [0.0, 0.1, 9.0]), x).layers[0].saturated.any()


def test_thresholds_are_arguments_and_are_printed():
    layer = one_layer("tanh", [0.6])  # slope 0.71
    assert not unit_health(layer, np.zeros((4, 1))).layers[0].saturated.any()
    report = unit_health(layer, np.zeros((4, 1)), flat=0.75, often=0.5)
    assert report.layers[0].saturated.all()
    assert "slope under 75% of its largest on at least 50%" in " ".join(str(report).split())


# --- which activations there are ------------------------------------------------------------------------------------


def test_a_composed_activation_of_a_layer_is_one_activation():
    def swish(z):
        return z * F.sigmoid(z)

    report = unit_health(nn.Sequential(nn.Layer(3, 4, swish, rng=0), Mine(F.tanh, np.ones((4, 2)))), X)
    assert [(h.name, h.activation, len(h)) for h in report.layers] == [
        ("layers[0]", "swish", 4),
        ("layers[1]", "tanh", 2),
    ]


def test_a_module_as_activation_is_one_activation():
    class Swish(nn.Module):
        def __init__(self):
            self.inner = nn.PReLU()

        def forward(self, z):
            return z * F.sigmoid(self.inner(z))

    for model in (nn.MLP(3, [4, 1], Swish(), rng=0), nn.MLP(3, [4, 1], nn.PReLU(4), rng=0)):
        assert [(h.name, len(h)) for h in unit_health(model, X).layers] == [("layers[0]", 4)]


def test_functions_between_the_layers_of_a_sequential_are_seen_there():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), F.relu, nn.Dropout(0.5, rng=0), nn.Linear(4, 5, rng=1), nn.PReLU(5))
    assert [(h.name, h.activation, len(h)) for h in unit_health(model, X).layers] == [
        ("layers[1]", "relu", 4),
        ("layers[4]", "prelu", 5),
    ]


def test_a_module_used_twice_is_counted_apart():
    class Twice(nn.Module):
        def __init__(self):
            self.hidden = nn.Layer(3, 3, "tanh", rng=0)

        def forward(self, x):
            return self.hidden(self.hidden(x))

    model = Twice()
    first, second = unit_health(model, X).layers
    assert (first.name, second.name) == ("hidden", "hidden #2")
    np.testing.assert_allclose(first.mean, model.hidden(X).data.mean(0), rtol=1e-12)
    np.testing.assert_allclose(second.mean, model.hidden(model.hidden(X)).data.mean(0), rtol=1e-12)


def test_a_neuron_is_one_unit():
    report = unit_health(nn.Neuron(3, "sigmoid", rng=0), X)
    assert [(h.name, len(h)) for h in report.layers] == [("sigmoid", 1)]
    assert unit_health(Mine(F.relu, np.ones(3)), X).layers[0].mean.shape == (1,)


def test_the_relu_of_the_notes_is_one():
    report = unit_health(Mine(lambda s: np.maximum(0, s), -np.eye(3)), np.abs(X), batch_size=11)
    assert [(h.activation, h.dead.tolist()) for h in report.layers] == [("relu", [True] * 3)]


def test_of_a_module_of_ones_own_every_activation_counts_in_its_order():
    report = unit_health(Mine(lambda z: F.tanh(F.relu(z))), np.array([[1.0, -1.0, 2.0], [2.0, -3.0, 0.0]]))
    assert [h.activation for h in report.layers] == ["relu", "tanh"]
    assert report.layers[0].dead.tolist() == report.layers[0].dormant.tolist() == [False, True, False]


def test_a_layer_within_a_module_of_ones_own_is_not_counted_twice():
    class Own(nn.Module):
        def __init__(self):
            self.body = nn.MLP(3, [4, 3], ["sigmoid"], rng=0)

        def forward(self, x):
            return F.relu(self.body(x)), x

    assert [(h.name, h.activation) for h in unit_health(Own(), X).layers] == [
        ("body.layers[0]", "sigmoid"), ("relu", "relu")]  # fmt: skip


def test_an_activation_of_the_weights_is_no_unit():
    class Masked(nn.Module):
        def __init__(self):
            self.mask = Tensor(np.zeros((4, 3)), requires_grad=True)

        def forward(self, x):
            return F.relu(x @ F.sigmoid(self.mask).T)

    assert [h.activation for h in unit_health(Masked(), np.ones((5, 3))).layers] == ["relu"]


def test_more_than_one_row_an_example_is_counted_row_by_row():
    model = Mine(lambda z: F.relu(F.stack([z, -z], axis=1)))
    assert unit_health(model, np.ones((4, 3))).layers[0].on_rate.tolist() == [0.5] * 3


def test_frozen_layers_are_seen_and_the_model_as_it_is_now():
    model = nn.MLP(3, [4, 4, 2], rng=0)
    for p in model.layers[0].parameters():
        p.requires_grad = False
    assert [h.name for h in unit_health(model, X).layers] == ["layers[0]", "layers[1]"]
    model.layers.insert(1, nn.Layer(4, 4, "tanh", rng=1))
    assert [h.activation for h in unit_health(model, X).layers] == ["relu", "tanh", "relu"]


def test_a_network_has_the_health_of_the_mlp_it_was_made_from_and_names():
    mlp = nn.MLP(3, [6, 5, 2], ["relu", "sigmoid"], rng=0)
    mlp.layers[0].bias.data[[1, 4]] = -100.0
    a, b = unit_health(mlp, X), unit_health(nn.Network.from_mlp(mlp), X, batch_size=13)
    for p, q in zip(a.layers, b.layers, strict=True):
        for name in MEASURES:
            np.testing.assert_allclose(getattr(q, name), getattr(p, name), rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(q.dead, p.dead)
    assert b.layers[0].units == tuple(f"h1_{i + 1}" for i in range(6))
    assert "2 of 6 units of generation 1 (h1_2 and h1_5) are dead" in b.findings[0]


def test_units_of_many_kinds_in_one_generation_are_told_apart():
    net = nn.Network(rng=0)
    net.input("x")
    kinds = {"a": "relu", "b": "tanh", "c": "maxout", "d": "prelu", "e": "relu", "f": lambda z: F.maximum(z, 0.0)}
    for name, kind in kinds.items():
        net.unit(name, kind, inputs=["x"], bias=[-9.0, -9.0] if kind == "maxout" else -9.0)
    net.unit("y", "identity", inputs=list(kinds))
    found = {h.units: h for h in unit_health(net, np.zeros((4, 1))).layers}
    assert {units: (h.dead.any(), h.saturated.any()) for units, h in found.items()} == {
        ("a", "e"): (True, False), ("b",): (False, True), ("c",): (False, False), ("d",): (False, False),
        ("f",): (True, False),
    }  # fmt: skip


def test_units_of_one_kind_in_a_generation_are_counted_by_that_kind():
    net = nn.Network(rng=0)
    net.input("x")
    for name, kind, bias in (("u4", "relu", 1.0), ("u5", "relu", -9.0), ("v", "tanh", 0.0), ("w", "elu", -99.0)):
        net.unit(name, kind, inputs=["x"], bias=bias)
    net.unit("y", "identity", inputs=["u4", "u5", "v", "w"])
    found = unit_health(net, np.linspace(-1.0, 1.0, 9).reshape(9, 1)).findings
    assert any(said.startswith("1 of 2 relu units of generation 1 (u5) is dead on these 9 examples") for said in found)
    assert any(said.startswith("1 of 1 elu unit of generation 1 (w) is ") for said in found)


def test_a_network_without_activations_says_so():
    report = unit_health(nn.Linear(3, 2, rng=0), X)
    assert report.layers == []
    assert report.ok
    assert "no activations" in " ".join(str(report).split())
    assert len(report.to_numpy()) == 0


def test_every_activation_looked_for_is_an_op():
    assert set(_activity.NAMES) <= set(REGISTRY)
    assert set(nn.ACTIVATIONS) - {"identity"} == set(_activity.NAMES)


# --- data in any form -----------------------------------------------------------------------------------------------


class Recorder:
    """An array that only gives slices, and remembers how long they were."""

    def __init__(self, X):
        self.X, self.shape, self.lengths = X, X.shape, []

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        self.lengths.append(len(self.X[rows]))
        return self.X[rows]


def test_all_forms_of_the_same_data_give_the_same_report(tmp_path):
    model, y = nn.MLP(3, [5, 4], rng=0), np.arange(60) % 4
    expected = unit_health(model, X, batch_size=16)
    np.save(tmp_path / "X.npy", X)
    pieces = np.array_split(X, [3, 40])
    for form in (X.tolist(), Tensor(X), np.load(tmp_path / "X.npy", mmap_mode="r"), Recorder(X)):
        assert unit_health(model, form, batch_size=16) == expected
    even = np.array_split(X, 2)  # as an array these would be two examples
    for form in (
        iter(pieces),
        (p for p in pieces),
        map(Tensor, pieces),
        iter([X[:0], *pieces]),
        pieces,
        even,
        (*even,),
    ):
        got = unit_health(model, form)
        assert got.examples == 60
        np.testing.assert_allclose(got.layers[0].mean, expected.layers[0].mean, rtol=1e-12)
    for container in (iter, list):
        labelled = unit_health(model, container(list(zip(pieces, np.array_split(y, [3, 40]), strict=True))))
        for g, h in zip(labelled.gradients, unit_health(model, X, y).gradients, strict=True):
            assert g.norm == pytest.approx(h.norm, rel=1e-12)


def test_no_more_than_a_batch_is_ever_taken():
    data = Recorder(X)
    unit_health(nn.MLP(3, [2], rng=0), data, batch_size=8)
    assert data.lengths == [8] * 7 + [4]


def test_memory_does_not_grow_with_the_number_of_batches():
    model = nn.MLP(50, [40, 30, 2], rng=0)
    peaks = []
    for count in (4, 40):
        batches = (np.full((500, 50), 1.0 + i) for i in range(count))
        tracemalloc.start()
        assert unit_health(model, batches).examples == 500 * count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_float32_stays_float32_and_integers_become_floats():
    seen = []

    class Looks(nn.Module):
        def forward(self, x):
            seen.append(x.dtype)
            return F.relu(x)

    unit_health(Looks(), X.astype(np.float32))
    unit_health(Looks(), np.arange(6).reshape(2, 3))
    assert seen == [np.float32, np.float64]


def test_a_mean_of_float32_is_taken_in_float64():
    x = np.full((3, 1), 16_777_217, np.float64).astype(np.float32)
    layer = one_layer("relu", [1.0], [0.0])
    for p in layer.parameters():
        p._data = p._data.astype(np.float32)
    assert unit_health(layer, x).layers[0].mean.dtype == np.float64


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (X[0], ValueError, r"examples \(N, features\), and got shape \(3,\): one example is X\[None\]"),
        (X[:0], ValueError, "no examples"),
        (iter([]), ValueError, "no examples"),
        (X[:, :2], ValueError, "takes 3 inputs"),
        (np.array([["a", "b", "c"]]), TypeError, "takes numbers"),
        (iter([X, (X, X[:, 0])]), ValueError, "some of the batches come with labels"),
        (iter([(X, [1, 2])]), ValueError, "one label an example"),
        (3.0, TypeError, "array of examples or an iterable of batches"),
    ],
)
def test_data_that_cannot_be_examined_is_refused(data, error, message):
    with pytest.raises(error, match=message):
        unit_health(nn.MLP(3, [4, 2], rng=0), data)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_none_is_named_with_its_place(bad):
    spoilt = X.copy()
    spoilt[41, 2] = bad
    for form in (spoilt, iter(np.array_split(spoilt, 7))):
        with pytest.raises(ValueError, match=rf"X has {bad} at \[41, 2\]"):
            unit_health(nn.MLP(3, [4, 2], rng=0), form, batch_size=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size is a whole number of at least 1"),
        ({"flat": 2}, "flat is a share between 0 and 1"),
        ({"often": -1}, "often is a share"),
        ({"loss": "mse_loss"}, "a loss needs labels"),
        ({"y": [1, 2]}, "one row an example: 60 and 2 rows"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        unit_health(nn.MLP(3, [4, 2], rng=0), X, **settings)


def test_a_function_is_no_module():
    with pytest.raises(TypeError, match="takes a Module"):
        unit_health(F.relu, X)


# --- nothing is changed ---------------------------------------------------------------------------------------------


def test_the_model_is_left_as_it_was():
    model = nn.MLP(3, [8, 2], dropout=0.5, input_noise=0.1, rng=0)
    y = np.zeros(60, int)
    F.cross_entropy(model(X), y).backward()
    model.layers[0].training = False
    before = [p.grad.copy() for p in model.parameters()], [g.bit_generator.state for _, g in model.named_generators()]
    modes = [m.training for m in model.modules()]
    report = unit_health(model, X, y)
    np.testing.assert_allclose(
        report.layers[0].mean, np.maximum(X @ model.layers[0].weight.data.T + model.layers[0].bias.data, 0).mean(0)
    )  # without dropout or noise
    assert [m.training for m in model.modules()] == modes
    for p, g in zip(model.parameters(), before[0], strict=True):
        np.testing.assert_array_equal(p.grad, g)
    assert [g.bit_generator.state for _, g in model.named_generators()] == before[1]


def test_modes_are_put_back_after_an_error_too():
    model = nn.MLP(3, [4, 2], dropout=0.5, rng=0)
    with pytest.raises(ValueError, match="takes 3 inputs"):
        unit_health(model, X[:, :2])
    assert all(m.training for m in model.modules())


def test_numbers_that_overflow_are_a_finding_and_no_crash():
    model = nn.MLP(3, [4, 4, 2], rng=0)
    for layer in model.layers[:2]:
        layer.weight.data = np.full(layer.weight.shape, 1e200)
    report = unit_health(model, np.abs(X), np.zeros(60, int))
    assert report.findings[0].startswith("4 of 4 units of layer 2 are not finite on these 60 examples")
    assert not report.layers[1].dead.any()
    assert any(g.verdict == "nan or inf" for g in report.gradients)
    assert str(report)
