"""Checks of the exercises of tutorial 2."""

import exercise_02 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled

import micrograd_nn as mg
import micrograd_nn.functional as F

pytestmark = [pytest.mark.tutorial_2, pytest.mark.exercise]


def same(found, wanted):
    return np.allclose(found, wanted, rtol=1e-7)


def pair(answer, name, what):
    """The two things that an exercise gives back."""
    answer = filled(answer, name)
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        fail(f"{name} should give back two things, `return {what}`.")
    return answer


def test_1_swish_and_its_slope():
    z = np.random.default_rng(1).normal(size=8) * 2
    value, slope = pair(yours.swish(z.copy()), "swish", "value, slope")
    value, slope = array(value, (8,), "the value of swish"), array(slope, (8,), "the slope of swish")
    s = F.sigmoid(z)
    if same(value, s):
        fail("Your value is σ(z). Swish is z·σ(z).")
    wanted = [mg.grad(lambda v: v * v.sigmoid())(x) for x in z.tolist()]
    if same(value, wanted) and same(slope, z * s):
        fail("The two are exchanged: the value first, then the slope.")
    close(value, z * s, "Swish is z·σ(z).")
    typical = [
        (s, "Your slope is σ(z): the term for z growing. But σ(z) grows with z too: a second term is missing."),
        (z * s * (1 - s), "Your slope is z·σ·(1 − σ): the term for σ growing. But z itself grows too: add that term."),
        (s * (1 - s), "Your slope is that of σ alone. Swish is a product, so use the rule for products."),
        (s + s * (1 - s), "In your second term the factor z is missing: it is z times the slope of σ."),
    ]
    for mistake, words in typical:
        if same(slope, mistake):
            fail(words)
    close(slope, wanted, "The slope of u·v is u′·v + u·v′, here with u = z and v = σ(z).")


def test_2_which_units_are_saturated():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(200, 6))
    z[:, 1] = rng.choice([-4.0, 5.0], 200)  # flat on every example
    z[:, 2] = np.where(np.arange(200) < 191, -2.3, 0.0)  # on 95.5 % of them
    z[:, 3] = np.where(np.arange(200) < 189, 5.0, 0.0)  # on 94.5 %
    z[:, 4], z[:, 5] = 2.03, -5.0  # the first has a slope of 0.067
    layer = mg.nn.Layer(6, 6, "tanh", rng=0)
    layer.weight.data = np.eye(6)
    wanted = mg.unit_health(layer, z).layers[0].saturated
    answer = filled(yours.saturated_units(z.copy()), "saturated_units")
    found = array(answer, (6,), "saturated_units")
    if np.asarray(answer).dtype != bool:
        fail(f"Each entry should be True or False, as a comparison gives it, and yours begins with {found[:3]}.")
    found = found.astype(bool)

    flat = F.sigmoid(z) * (1 - F.sigmoid(z)) / 0.25 < 0.06
    typical = [
        (flat.mean(axis=0) >= 0.95, "You used the slope of the sigmoid. These are units of tanh: slope 1 − tanh²."),
        ((z > 2.0846).mean(axis=0) >= 0.95, "Your rule sees the upper end only. tanh is as flat at the lower one."),
        ((1 - np.tanh(z) ** 2 < 0.06).all(axis=0), "You ask for all of the examples. The rule says at least 95 %."),
        ((1 - np.tanh(z) ** 2 < 0.06).any(axis=0), "One flat example is enough in yours. The rule says 95 % of them."),
        (np.mean(1 - np.tanh(z) ** 2, axis=0) < 0.06, "You compare the mean slope. Compare each, and count how many."),
        (~wanted, "Your answer is the wrong way round: True is for a saturated unit."),
    ]
    for mistake, words in typical:
        if np.array_equal(found, mistake) and not np.array_equal(found, wanted):
            fail(words)
    for unit in np.flatnonzero(found != wanted):
        share = np.mean(1 - np.tanh(z[:, unit]) ** 2 < 0.06)
        fail(
            f"Unit {unit} has a slope below 0.06 on {share:.0%} of the examples, so it is "
            f"{'' if wanted[unit] else 'not '}saturated, and you say {bool(found[unit])}."
        )


def test_3_maxout_as_a_distance():
    x = np.linspace(-6.0, 6.0, 25)[:, None]
    for center in np.random.default_rng(3).uniform(1, 4, 3).round(2).tolist():
        weight, bias = pair(yours.distance_from(center), f"distance_from({center})", "weight, bias")
        unit = mg.nn.Maxout(1, 1, rng=0)
        unit.weight.data = array(weight, (2, 1, 1), "weight")
        unit.bias.data = array(bias, (2, 1), "bias")
        out, wanted = unit(x).data, np.abs(x - center)
        typical = [
            (np.abs(x), "That is |x|. The center belongs into the biases."),
            (np.abs(x + center), "That is |x + center|: both biases have the wrong sign."),
            (np.abs(x) - center, "Both of your biases are −center: that lowers |x| and does not move it."),
            (np.abs(x) + center, "Both of your biases are center: that lifts |x| and does not move it."),
            (np.maximum(x - center, 0), "That is a ReLU: your second line is 0. It should rise to the left."),
            (x - center, "Both lines are the same, so the larger is a straight line. One must rise, one must fall."),
        ]
        for mistake, words in typical:
            if same(out, mistake):
                fail(words)
        close(out, wanted, f"The larger of your two lines should be |x − {center}|, at 25 places x from −6 to 6.")


def test_4_reviving_dead_units():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(30, 3)) + 0.5
    layer = mg.nn.Layer(3, 5, "relu", rng=4)
    layer.bias.data = [0.1, -30.0, 0.0, -12.0, -0.2]
    before = mg.unit_health(layer, X).layers[0]
    weight, bias = layer.weight.data.copy(), layer.bias.data.copy()
    answer = yours.revive(layer, X.copy())
    if answer is not None:
        fail("revive should change `layer.bias.data`, and return nothing.")
    if not np.array_equal(layer.weight.data, weight):
        fail("The weights have changed. Only biases are to be changed.")
    if np.array_equal(layer.bias.data, bias):
        fail(
            "revive still has its hole, or changes nothing: give `layer.bias.data` a new array. (If your z is "
            "`layer(X)`: that is the output of the ReLU. Compute z from X, the weights and the biases.)"
        )
    now = array(layer.bias.data, (5,), "layer.bias.data")
    changed, dead = now != bias, before.dead
    if np.all(changed):
        fail("All biases have changed. Units that are alive should stay as they are: `np.where(dead, new, old)`.")
    if np.any(changed & ~dead):
        fail(f"Unit {np.flatnonzero(changed & ~dead)[0]} was alive, and its bias has changed.")
    for unit in np.flatnonzero(dead):
        rate = np.mean(X @ weight[unit] + now[unit] > 0)
        z = X @ weight[unit] + bias[unit]
        typical = [
            (
                -np.median(z),
                "You forgot that z has the old bias in it already: the new bias is the old one − the median.",
            ),
            (bias[unit] - z.mean(), "You took the mean of z. Half of the examples lie above the *median*."),
            (
                bias[unit] - z.max(),
                "You lifted the largest z to 0, where the unit is still off. Lift the median there.",
            ),
        ]
        for mistake, words in typical:
            if same(now[unit], mistake) and rate != 0.5:
                fail(words)
        if rate != 0.5:
            fail(f"Unit {unit} was dead, and is now on for {rate:.0%} of the examples. It should be 50 %.")
