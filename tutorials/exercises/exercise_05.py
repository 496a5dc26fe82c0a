"""Exercises of tutorial 5, what a network can represent.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_5` in this folder.
"""

import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F


def steepness_for(width):
    """How steep must a step be, to climb within a given width?

    The step σ(k·x) climbs from 0.1 to 0.9 over some width of x. Return the k with which this is `width`, a number above
    0. In the tutorial k = 1 gave a width of 4.39 and k = 20 gave 0.22. Do not return a rounded number: 4.39 is
    2·log(9), from solving σ(z) = 0.9 for z.
    """
    ...  # your code: one line


def tent(x, a, b):
    """A bump made of three ReLU units.

    Return, for an array x of any shape, a function that is 0 outside of the interval from a to b, rises in a straight
    line from 0 at a to 1 in the middle, and falls back to 0 at b. Use F.relu(x - place) three times, with a place for
    each unit, and add the three up with the right factors. After the middle the first unit keeps rising, so the others
    must work against it. The function should take a Tensor too, so use nothing but F.relu, +, -, * and /.
    """
    ...  # your code: about three lines


def polyline(xs, ys):
    """A network that goes through given points, straight on from each to the next.

    `xs` is an array of n + 1 places in growing order, `ys` the values there. Return mg.nn.MLP(1, [n, 1], "relu", rng=0)
    with all its weights and biases set by hand, such that model(x) for x of shape (N, 1) is a straight line between any
    two neighbouring points; what it gives outside of them does not matter.

    Hidden unit i should stand at xs[i]: weight 1, bias -xs[i]. To its right it adds its output weight to the slope of
    the whole. So: which slope does the line have between each two points, and by how much does it change at each? The
    bias of the output is what the network gives at xs[0]. Assign arrays to `.data`: the weight of the hidden layer has
    the shape (n, 1), its bias (n,), the output's weight (1, n), its bias (1,).
    """
    ...  # your code: about eight lines
