"""Typical mistakes in the exercises of tutorial 2, and what the checks must say to each."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def swish(slope):
    return lambda z: (z * sigmoid(z), slope(z))


def flat(z):
    return 1.0 - np.tanh(z) ** 2 < 0.06


def flat_sigmoid(z):
    return np.mean(sigmoid(z) * (1 - sigmoid(z)) / 0.25 < 0.06, axis=0) >= 0.95


def reviving(new_bias, everywhere=False):
    def revive(layer, X):
        b = layer.bias.data
        z = X @ layer.weight.data.T + b
        layer.bias.data = np.where(everywhere | (z.max(axis=0) <= 0), new_bias(z, b), b)

    return revive


def weights_too(layer, X):
    layer.weight.data = np.abs(layer.weight.data)


SWISH, FLAT = "test_1_swish_and_its_slope", "test_2_which_units_are_saturated"
DISTANCE, REVIVE = "test_3_maxout_as_a_distance", "test_4_reviving_dead_units"
BOTH_WAYS = [[[1.0]], [[-1.0]]]

MISTAKES = [
    (SWISH, {"swish": swish(sigmoid)}, "a second term is missing"),
    (SWISH, {"swish": swish(lambda z: z * sigmoid(z) * (1 - sigmoid(z)))}, "add that term"),
    (SWISH, {"swish": swish(lambda z: sigmoid(z) * (1 - sigmoid(z)))}, "the rule for products"),
    (SWISH, {"swish": lambda z: (sigmoid(z), sigmoid(z))}, "Swish is z·σ(z)"),
    (SWISH, {"swish": lambda z: z * sigmoid(z)}, "two things"),
    (SWISH, {"swish": lambda z: (sigmoid(z) * (1 + z * (1 - sigmoid(z))), z * sigmoid(z))}, "are exchanged"),
    (FLAT, {"saturated_units": flat_sigmoid}, "the slope of the sigmoid"),
    (FLAT, {"saturated_units": lambda z: flat(z).all(axis=0)}, "all of the examples"),
    (FLAT, {"saturated_units": lambda z: flat(z).any(axis=0)}, "One flat example is enough"),
    (FLAT, {"saturated_units": lambda z: np.mean(z > 2.1, axis=0) >= 0.95}, "the upper end only"),
    (FLAT, {"saturated_units": lambda z: np.mean(flat(z), axis=0) < 0.95}, "the wrong way round"),
    (FLAT, {"saturated_units": lambda z: np.mean(1 - np.tanh(z) ** 2, axis=0) < 0.06}, "the mean slope"),
    (FLAT, {"saturated_units": flat}, "should have the shape (6,)"),
    (FLAT, {"saturated_units": lambda z: np.mean(flat(z), axis=0)}, "True or False"),
    (DISTANCE, {"distance_from": lambda c: (BOTH_WAYS, [[0.0], [0.0]])}, "That is |x|."),
    (DISTANCE, {"distance_from": lambda c: (BOTH_WAYS, [[c], [-c]])}, "the wrong sign"),
    (DISTANCE, {"distance_from": lambda c: (BOTH_WAYS, [[-c], [-c]])}, "does not move it"),
    (DISTANCE, {"distance_from": lambda c: ([[[1.0]], [[0.0]]], [[-c], [0.0]])}, "That is a ReLU"),
    (DISTANCE, {"distance_from": lambda c: ([1.0, -1.0], [-c, c])}, "should have the shape (2, 1, 1)"),
    (REVIVE, {"revive": reviving(lambda z, b: b - np.median(z, axis=0), everywhere=True)}, "All biases have changed"),
    (REVIVE, {"revive": reviving(lambda z, b: -np.median(z, axis=0))}, "the old bias in it already"),
    (REVIVE, {"revive": reviving(lambda z, b: b - z.max(axis=0))}, "the unit is still off"),
    (REVIVE, {"revive": reviving(lambda z, b: b - z.mean(axis=0))}, "You took the mean of z"),
    (REVIVE, {"revive": reviving(lambda z, b: b + 100.0)}, "is now on for 100%"),
    (REVIVE, {"revive": weights_too}, "The weights have changed"),
    (REVIVE, {"revive": lambda layer, X: None}, "the output of the ReLU"),
]
