"""Exercises of tutorial 1, solved."""

import math

import numpy as np

import micrograd_nn as mg


def slope_of_softplus(z):
    p = math.exp(z)
    return 1.0 / (1.0 + p) * 1.0 * p


def neuron_gradients(x, w, b):
    out = 1.0 / (1.0 + np.exp(-(np.sum(w * x) + b)))
    slope = out * (1.0 - out)
    return slope * x, slope * w, slope


def learn(neuron, x, target, rate, steps):
    losses = []
    for _ in range(steps):
        neuron.zero_grad()
        loss = (neuron(x) - target) ** 2
        loss.backward()
        losses.append(loss.item())
        for parameter in neuron.parameters():
            parameter.data = parameter.data - rate * parameter.grad
    return losses


def gradients_of(root):
    found = {root: 1.0}
    for node in reversed(mg.topological_order(root)):
        for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
            if derivative is not None:
                found[parent] = found.get(parent, 0.0) + found[node] * derivative
    return found
