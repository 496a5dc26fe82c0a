"""Typical mistakes in the exercises of tutorial 5, and words that the checks must find for them."""

import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F


def half_the_climb(width):
    return np.log(9) / width


def multiplied(width):
    return 2 * np.log(9) * width


def rounded(width):
    return 4.39 / width


def falling(width):
    return -2 * np.log(9) / width


def too_high(x, a, b):
    return F.relu(x - a) - 2 * F.relu(x - (a + b) / 2) + F.relu(x - b)


def falls_on(x, a, b):
    return (F.relu(x - a) - 2 * F.relu(x - (a + b) / 2)) / ((b - a) / 2)


def stays_up(x, a, b):
    return (F.relu(x - a) - F.relu(x - (a + b) / 2)) / ((b - a) / 2)


def rises_again(x, a, b):
    return (F.relu(x - a) - 2 * F.relu(x - (a + b) / 2) + 2 * F.relu(x - b)) / ((b - a) / 2)


def by_numpy(x, a, b):
    x = x.data if isinstance(x, mg.Tensor) else x
    return np.maximum(0, 1 - np.abs(x - (a + b) / 2) / ((b - a) / 2))


def _network(xs, ys, sign=-1.0, changes=True, start=True, divided=True):
    slopes = np.diff(ys) / (np.diff(xs) if divided else 1.0)
    model = mg.nn.MLP(1, [len(slopes), 1], "relu", rng=0)
    hidden, out = model.layers
    hidden.weight.data = np.ones((len(slopes), 1))
    hidden.bias.data = sign * xs[:-1]
    out.weight.data = (np.diff(slopes, prepend=0.0) if changes else slopes)[None, :]
    out.bias.data = ys[:1] if start else np.zeros(1)
    return model


def plus_for_minus(xs, ys):
    return _network(xs, ys, sign=1.0)


def slopes_for_changes(xs, ys):
    return _network(xs, ys, changes=False)


def no_bias(xs, ys):
    return _network(xs, ys, start=False)


def differences_for_slopes(xs, ys):
    return _network(xs, ys, divided=False, changes=False)


def weight_replaced(xs, ys):
    model = _network(xs, ys)
    model.layers[0].weight = np.ones((len(xs) - 1, 1))
    return model


def a_unit_too_many(xs, ys):
    return mg.nn.MLP(1, [len(xs), 1], "relu", rng=0)


STEP, TENT = "test_1_a_step_climbs_within_the_given_width", "test_2_a_tent_is_0_then_1_in_the_middle_then_0"
LINE, QUARTER = "test_3_a_network_goes_through_the_points", "test_3_twice_the_points_a_quarter_of_the_error"

MISTAKES = [
    (STEP, {"steepness_for": half_the_climb}, "Twice as steep"),
    (STEP, {"steepness_for": multiplied}, "the other way round"),
    (STEP, {"steepness_for": rounded}, "rounded"),
    (STEP, {"steepness_for": falling}, "k is above 0"),
    (TENT, {"tent": too_high}, "half of its width"),
    (TENT, {"tent": falls_on}, "goes on falling"),
    (TENT, {"tent": stays_up}, "counts twice"),
    (TENT, {"tent": rises_again}, "rises again"),
    (TENT, {"tent": by_numpy}, "its gradient is lost"),
    (LINE, {"polyline": plus_for_minus}, "with the minus sign"),
    (LINE, {"polyline": slopes_for_changes}, "the CHANGE of slope"),
    (LINE, {"polyline": differences_for_slopes}, "divided by that of xs"),
    (LINE, {"polyline": no_bias}, "the output's bias is ys[0]"),
    (LINE, {"polyline": weight_replaced}, "the hidden weight is no Tensor any more"),
    (LINE, {"polyline": a_unit_too_many}, "should be MLP(1, [1, 1], 'relu')"),
    (QUARTER, {"polyline": slopes_for_changes}, "about a quarter"),
]
