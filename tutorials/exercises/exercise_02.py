"""Exercises of tutorial 2, activation functions.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_2` in this folder.
"""

import numpy as np


def swish(z):
    """The activation swish, z·σ(z), and its slope, for an array z: give back two arrays, `return value, slope`.

    By hand, with np.exp. It is a product of two things that both change with z, so its derivative has two terms.
    """
    ...  # your code: about three lines


def saturated_units(z):
    """Which units of a layer of tanh are saturated, as an array of True and False, one for each unit.

    z are their pre-activations, an array (examples, units). A unit is saturated on an example where its slope is below
    0.06 of the largest slope that tanh has; and it is called saturated where that holds for at least 95 % of examples.
    """
    ...  # your code: about three lines


def distance_from(center):
    """Weights and biases with which a Maxout unit of one input x gives |x − center|.

    Give back `return weight, bias`: the shapes are (2, 1, 1) and (2, 1), for two lines, one unit, one input.
    """
    ...  # your code: about three lines; nested lists or np.array


def revive(layer, X):
    """Wake the dead units of `layer`, a layer of ReLU, by changing their biases in place and nothing else.

    X are examples (N, inputs), N an even number. A unit is dead where its pre-activation is at most 0 on every example;
    give each of these the bias with which it is on, above 0, for exactly half of the examples. Units that are alive
    stay as they are. `layer.weight.data` has the shape (units, inputs), `layer.bias.data` (units,). Returns nothing.
    """
    ...  # your code: about five lines; np.median helps
