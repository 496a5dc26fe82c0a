"""Typical mistakes in the exercises of tutorial 1, and what the checks must say to each."""

import math

import numpy as np

import micrograd_nn as mg


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def without_slope(x, w, b):
    return x, w, 1.0


def exchanged(x, w, b):
    out = sigmoid(np.sum(w * x) + b)
    slope = out * (1.0 - out)
    return slope * w, slope * x, slope


def output_as_slope(x, w, b):
    out = sigmoid(np.sum(w * x) + b)
    return out * x, out * w, out


def bias_forgotten(x, w, b):
    out = sigmoid(np.sum(w * x))
    return out * (1 - out) * x, out * (1 - out) * w, out * (1 - out)


def learning(neuron, x, target, rate, steps, *, clear=True, sign=-1.0, weights_only=False, plain=True):
    losses = []
    neuron.zero_grad()
    for _ in range(steps):
        if clear:
            neuron.zero_grad()
        loss = (neuron(x) - target) ** 2
        loss.backward()
        losses.append(loss.item() if plain else loss)
        for parameter in neuron.parameters():
            if parameter.shape or not weights_only:
                parameter.data = parameter.data + sign * rate * parameter.grad
    return losses


def never_back(neuron, x, target, rate, steps):
    neuron.zero_grad()
    return [parameter.data - rate * parameter.grad for parameter in neuron.parameters()]


def same_loss(neuron, x, target, rate, steps):
    neuron.zero_grad()
    loss = (neuron(x) - target) ** 2
    loss.backward()
    neuron.bias.data = neuron.bias.data - rate * neuron.bias.grad
    neuron.weight.data = neuron.weight.data - rate * neuron.weight.grad
    return [loss.item()] * steps


def at_once(node, gradient=1.0, found=None):
    found = {} if found is None else found
    found[node] = found.get(node, 0.0) + gradient
    for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
        if derivative is not None:
            at_once(parent, found[node] * derivative, found)
    return found


def path_by_path(node, gradient=1.0, found=None):
    found = {} if found is None else found
    found[node] = found.get(node, 0.0) + gradient
    for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
        if derivative is not None:
            path_by_path(parent, gradient * derivative, found)
    return found


def from_the_front(root, start=None):
    found = {root: 1.0}
    for node in mg.topological_order(root):
        for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
            if derivative is not None:
                gradient = found[node] if start is None else found.get(node, start)
                found[parent] = found.get(parent, 0.0) + gradient * derivative
    return found


def of_the_nodes(root):
    root.backward()
    return {node: node.grad for node in mg.topological_order(root) if node.grad is not None}


def overwriting(root):
    found = {root: 1.0}
    for node in reversed(mg.topological_order(root)):
        for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
            if derivative is not None:
                found[parent] = found[node] * derivative
    return found


def constants_too(root):
    found = {root: 1.0}
    for node in reversed(mg.topological_order(root)):
        for parent, derivative in zip(node.parents, mg.local_derivatives(node)):
            found[parent] = found.get(parent, 0.0) + found[node] * derivative
    return found


SOFTPLUS, NEURON, LEARNS = "test_1_the_slope_of_softplus", "test_2_the_gradients_of_a_neuron", "test_3_a_neuron_learns"
ANY, ONCE = "test_4_backward_for_any_graph", "test_4_each_node_has_its_turn_once"

MISTAKES = [
    (SOFTPLUS, {"slope_of_softplus": lambda z: math.exp(z)}, "the derivative of the first edge alone"),
    (SOFTPLUS, {"slope_of_softplus": lambda z: 1 / (1 + math.exp(z))}, "the last edge alone"),
    (SOFTPLUS, {"slope_of_softplus": lambda z: math.log(1 + math.exp(z))}, "That is softplus itself"),
    (SOFTPLUS, {"slope_of_softplus": lambda z: sigmoid(z) * (1 - sigmoid(z))}, "That is the slope of σ"),
    (SOFTPLUS, {"slope_of_softplus": lambda z: 0.5}, "the product of three local derivatives"),
    (NEURON, {"neuron_gradients": without_slope}, "The slope of the sigmoid is missing"),
    (NEURON, {"neuron_gradients": exchanged}, "are exchanged"),
    (NEURON, {"neuron_gradients": output_as_slope}, "You used the output σ(z) as the slope"),
    (NEURON, {"neuron_gradients": bias_forgotten}, "The bias b belongs to it too"),
    (NEURON, {"neuron_gradients": lambda x, w, b: 1.0}, "three things"),
    (LEARNS, {"learn": lambda *a: learning(*a, sign=1.0)}, "The loss grows"),
    (LEARNS, {"learn": lambda *a: learning(*a, clear=False)}, "Leaves add up"),
    (LEARNS, {"learn": lambda *a: learning(*a, weights_only=True)}, "The bias stays where it was"),
    (LEARNS, {"learn": lambda *a: learning(*a, plain=False)}, "plain numbers"),
    (LEARNS, {"learn": lambda *a: learning(*a, sign=0.0)}, "The weights are as they were"),
    (LEARNS, {"learn": lambda *a: learning(*a)[1:]}, "12 steps were asked for"),
    (LEARNS, {"learn": never_back}, "nothing has gone back yet"),
    (LEARNS, {"learn": same_loss}, "All your losses are the same number"),
    (ANY, {"gradients_of": at_once}, "is 6 and not 4"),
    (ANY, {"gradients_of": overwriting}, "a second path overwrote"),
    (ANY, {"gradients_of": constants_too}, "Step over those parents"),
    (ANY, {"gradients_of": lambda root: {}}, "The root itself is missing"),
    (ANY, {"gradients_of": from_the_front}, "looked up before it was in the dict"),
    (ANY, {"gradients_of": lambda root: from_the_front(root, 0.0)}, "Nothing arrives at a leaf"),
    (ANY, {"gradients_of": lambda root: {"a": 1.0, root: 1.0}}, "the nodes themselves"),
    (ANY, {"gradients_of": of_the_nodes}, "You called .backward()"),
    (ONCE, {"gradients_of": path_by_path}, "walks every path"),
    (ONCE, {"gradients_of": lambda root: mg.gradients(root)}, "You called mg.gradients"),
]
