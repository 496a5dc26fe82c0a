"""Exercises of tutorial 2, solved."""

import numpy as np


def swish(z):
    s = 1.0 / (1.0 + np.exp(-z))
    return z * s, s + z * s * (1.0 - s)


def saturated_units(z):
    slope = 1.0 - np.tanh(z) ** 2  # at most 1
    return np.mean(slope < 0.06, axis=0) >= 0.95


def distance_from(center):
    return [[[1.0]], [[-1.0]]], [[-center], [center]]


def revive(layer, X):
    z = X @ layer.weight.data.T + layer.bias.data
    dead = z.max(axis=0) <= 0
    layer.bias.data = np.where(dead, layer.bias.data - np.median(z, axis=0), layer.bias.data)
