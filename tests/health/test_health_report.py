"""What a report says, and the forms it can be had in."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from micrograd_nn import HealthReport, nn, unit_health
from micrograd_nn.health._advice import spoken

rng = np.random.default_rng(0)


def report_on(activation, biases, examples=1437, n_in=2, **settings):
    """Health of a network whose first hidden layers have these biases and no weights to speak of."""
    model = nn.MLP(n_in, [*map(len, biases), 3], activation, rng=0)
    for layer, bias in zip(model.layers, biases, strict=False):
        layer.weight.data = 0.01 * np.sign(layer.weight.data)
        layer.bias.data = np.asarray(bias, float)
    return unit_health(model, rng.uniform(-1, 1, (examples, n_in)), **settings)


def biases(n, stuck, at=-50.0):
    return [at] * stuck + [0.7] * (n - stuck)


# --- sentences ------------------------------------------------------------------------------------------------------


def test_dead_units_are_said_with_the_notes_advice():
    assert report_on("relu", [biases(20, 0), biases(20, 18)]).findings == [
        "18 of 20 units of layer 2 are dead on these 1,437 examples: lower the learning rate, or try leaky ReLU or "
        "Maxout."
    ]


@pytest.mark.parametrize(
    ("units", "dead", "examples", "sentence"),
    [
        (20, 1, 2, "1 of 20 units of layer 1 is dead on these 2 examples"),
        (1, 1, 1, "1 of 1 unit of layer 1 is dead on this one example"),
        (1200, 1100, 5, "1,100 of 1,200 units of layer 1 are dead on these 5 examples"),
    ],
)
def test_one_and_many_are_told_apart(units, dead, examples, sentence):
    assert report_on("relu", [biases(units, dead)], examples).findings[0].startswith(sentence)


@pytest.mark.parametrize(("dead", "said"), [(0, False), (4, False), (5, True)])
def test_under_five_percent_is_no_complaint_but_is_in_the_table(dead, said):
    report = report_on("relu", [biases(100, dead)], 50)
    assert bool(report.findings) == said == (not report.ok)
    assert str(report).splitlines()[1].split()[:5] == ["layers[0]", "relu", "100", str(dead), str(dead)]
    assert ("All is well" in str(report)) == (not said)


@pytest.mark.parametrize(
    ("activation", "advice"),
    [
        ("sigmoid", "start from smaller initial weights, or use tanh, or better ReLU, in place of sigmoid."),
        ("tanh", "start from smaller initial weights, or use ReLU."),
        ("softplus", "start from smaller initial weights, or lower the learning rate."),
    ],
)
def test_saturated_units_are_said_with_the_advice_for_their_function(activation, advice):
    findings = report_on(activation, [biases(10, 7, -20.0)]).findings
    assert findings[0] == f"7 of 10 units of layer 1 are saturated on these 1,437 examples: {advice}"


def test_units_saturated_on_every_example_are_told_from_those_on_most():
    layer = nn.Layer(1, 2, "tanh", rng=0)
    layer.weight.data, layer.bias.data = np.array([[1.0], [0.0]]), np.array([0.0, 9.0])
    x = np.where(np.arange(100) < 96, 9.0, 0.0)[:, None]
    assert (
        "2 of 2 units of the tanh activation are saturated on these 100 examples (1 of them on every single one)"
        in (unit_health(layer, x).findings[0])
    )


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "maxout"])
def test_units_that_say_nothing_of_the_input_are_said_and_are_not_called_dormant(activation):
    model = nn.MLP(2, [5, 2], activation, init="zeros")
    report = unit_health(model, rng.normal(size=(50, 2)))
    assert report.findings == [
        "5 of 5 units of layer 1 are constant on these 50 examples, which says nothing of the input: start from random "
        "weights that are not 0, or mend the layer before."
    ]
    assert unit_health(model, np.ones((1, 2))).ok  # one example tells nothing


def test_gradients_and_steps_of_a_network_without_activations_are_shown():
    report = unit_health(nn.MLP(2, [2], init="zeros"), np.eye(2), [1, 1], loss=lambda s, y: 1e6 * s.sum())
    text = str(replace(report, updates={"layers[0].weight": -9.0}))
    assert "no activations whose health" in text
    assert "exploding" in text
    assert "-9.00" in text
    assert "The gradient explodes on the weight of layer 1" in text


@pytest.mark.parametrize(
    ("labels", "said"), [(None, " with the units. Whether"), ([0, 1, 1, 0], ": neither units nor")]
)
def test_all_is_well_says_of_what(labels, said):
    x = np.random.default_rng(1).normal(size=(4, 2))
    assert f"All is well{said}" in str(unit_health(nn.MLP(2, [4, 2], "tanh", rng=0), x, labels))


def test_dormant_units_that_are_alive_are_said():
    (sentence,) = report_on("relu", [[0.7] * 9 + [0.015]]).findings
    assert sentence.startswith(
        "1 of 10 units of layer 1 is dormant on these 1,437 examples, with a mean |a| of at most 0.025"
    )


@pytest.mark.parametrize(("ratio", "said"), [(-3.0, None), (-1.6, None), (-4.9, None), (-1.4, "lower"), (-5.1, "raise"),
                                             (-math.inf, "raise"), (None, None)])  # fmt: skip
def test_steps_too_large_or_too_small_for_the_weights_are_said(ratio, said):
    report = replace(report_on("relu", [[0.7] * 4]), updates={"layers[0].weight": ratio, "layers[0].bias": 2.0})
    assert [f"): {said} the learning rate" in f for f in report.findings] == ([True] if said else [])
    if said:
        assert "the weight of layer 1" in report.findings[0]
        assert "bias" not in report.findings[0]  # biases start at 0, where any step is large


def test_where_a_whole_layer_is_dead_nobody_is_told_to_raise_the_rate_of_weights_that_did_not_move():
    updates = {"layers[0].weight": -math.inf, "layers[1].weight": -5.5}
    said = replace(report_on("relu", [biases(4, 4)]), updates=updates).findings
    assert sum("lower the learning rate" in f for f in said) == 1
    assert [f for f in said if "raise" in f] == [f for f in said if "steps of the weight of layer 2 are small" in f]
    assert any("steps of the weight of layer 2" in f for f in said)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("layers[0]", "layer 1"), ("layers[11] #3", "layer 12 (call 3)"), ("body.layers[1]", "layer 2 of body"),
        ("layers[1].weight", "the weight of layer 2"), ("hidden", "hidden"), ("generations[2]", "generation 3"),
        ("generations[0].relu", "the relu units of generation 1"), ("relu", "the relu activation"),
    ],
)  # fmt: skip
def test_places_are_said_as_one_counts(name, words):
    assert spoken(name, "relu") == words


# --- tables ---------------------------------------------------------------------------------------------------------


def test_the_table_is_aligned_and_states_its_thresholds():
    report = report_on(["relu", "tanh"], [biases(20, 18), biases(5, 1)], y=np.zeros(1437, int))
    report = replace(report, updates={"layers[0].weight": -2.98765, "layers[0].bias": None})
    lines = str(report).splitlines()
    assert lines[0].split() == ["layer", "activation", "units", "dead", "dormant", "saturated", "always", "on-rate",
                                "mean", "spread"]  # fmt: skip
    assert lines[1].split()[:6] == ["layers[0]", "relu", "20", "18", "18", "0"]
    assert lines[2].split()[:7] == ["layers[1]", "tanh", "5", "0", "0", "1", "1"]
    for column in ("units", "dead", "saturated"):  # numbers end where their heading ends
        end = lines[0].index(column) + len(column)
        assert all(line[end - 1].isdigit() and line[end : end + 1] == " " for line in lines[1:3])
    text = str(report)
    for threshold in ("1,437 examples", "0.025", "6%", "95%", "1e-07", "10000", "near -3"):
        assert threshold in text
    assert "-2.99" in text
    assert "n/a" in text
    assert text.splitlines()[-2:] == report.findings[-2:]
    assert "On these 1,437 examples, after epoch 7. Dead:" in str(replace(report, epoch=7))


# --- other forms ----------------------------------------------------------------------------------------------------


def full():
    report = report_on(["relu", "tanh"], [biases(20, 18), biases(5, 1)], 30, y=np.zeros(30, int))
    updates = {"layers[0].weight": -3.25, "layers[0].bias": None, "layers[1].weight": -math.inf}
    return replace(report, updates=updates, epoch=7)


def not_finite():
    model = nn.MLP(2, [3, 3, 1], rng=0)
    for layer in model.layers[:2]:
        layer.weight.data = np.full(layer.weight.shape, 1e200)
    return unit_health(model, np.ones((4, 2)), np.zeros(4, int))


def named():
    return unit_health(nn.Network.from_mlp(nn.MLP(2, [3, 1], rng=0)), np.ones((4, 2)), flat=0.1)


@pytest.mark.parametrize("make", [full, not_finite, named, lambda: unit_health(nn.Linear(2, 1, rng=0), np.eye(2))])
def test_a_round_trip_through_strict_json_changes_nothing(make):
    report = make()
    text = json.dumps(report.to_dict(), allow_nan=False)
    again = HealthReport.from_dict(json.loads(text))
    assert again == report
    assert str(again) == str(report)
    assert again.findings == report.findings
    for a, b in zip(again.layers, report.layers, strict=True):
        assert a.units == b.units
        for name in ("on_rate", "dead", "mean", "spread", "saturated_share"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
            assert getattr(a, name).dtype == getattr(b, name).dtype


def test_reports_of_other_units_are_not_equal():
    assert report_on("relu", [biases(4, 1)], 5) != report_on("relu", [biases(4, 2)], 5)
    assert report_on("relu", [biases(4, 1)], 5) != "a report"


@pytest.mark.parametrize("content", [{}, None, {"layers": [{}]}, {"layers": 3}, [1]])
def test_what_is_no_report_is_refused(content):
    with pytest.raises(ValueError, match="not a health report"):
        HealthReport.from_dict(content)


def test_as_an_array_there_is_a_row_for_every_unit():
    report = full()
    units = report.to_numpy()
    assert len(units) == 25
    assert units["layer"].tolist() == ["layers[0]"] * 20 + ["layers[1]"] * 5
    assert units["unit"].tolist() == [*range(20), *range(5)]
    for name in ("dead", "saturated", "on_rate", "mean", "spread", "mean_abs"):
        np.testing.assert_array_equal(units[name], np.concatenate([getattr(h, name) for h in report.layers]))
    assert units[units["dead"]]["layer"].tolist() == ["layers[0]"] * 18
    assert named().to_numpy()["name"].tolist() == ["h1_1", "h1_2", "h1_3"]
