"""Model solutions of the exercises of tutorial 5."""

import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F


def steepness_for(width):
    return 2 * np.log(9) / width


def tent(x, a, b):
    middle = (a + b) / 2
    rise = F.relu(x - a) - 2 * F.relu(x - middle) + F.relu(x - b)
    return rise / (middle - a)


def polyline(xs, ys):
    slopes = np.diff(ys) / np.diff(xs)
    model = mg.nn.MLP(1, [len(slopes), 1], "relu", rng=0)
    hidden, out = model.layers
    hidden.weight.data = np.ones((len(slopes), 1))
    hidden.bias.data = -xs[:-1]
    out.weight.data = np.diff(slopes, prepend=0.0)[None, :]
    out.bias.data = ys[:1]
    return model
