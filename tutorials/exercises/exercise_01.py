"""Exercises of tutorial 1, one neuron by hand.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_1` in this folder.
"""

import math

import numpy as np

import micrograd_nn as mg


def slope_of_softplus(z):
    """The derivative of softplus, log(1 + e^z), at the number z, as a number.

    Go along its edges: p = e^z, then q = 1 + p, then out = log q (whose derivative by q is 1/q). Multiply the three
    local derivatives. `math.exp` is all you need of Python.
    """
    ...  # your code: about two lines, the last with `return`


def neuron_gradients(x, w, b):
    """The gradients of a sigmoid neuron, σ(w·x + b), by hand.

    x and w are NumPy arrays of the same length, b is a number. Give back three things in this order: the gradients of
    w (an array), of x (an array), and of b (a number).
    """
    ...  # your code: about four lines; np.exp and np.sum will do


def learn(neuron, x, target, rate, steps):
    """Move the parameters of `neuron` by gradient descent, `steps` times, so that its output for x nears `target`.

    The loss is (output − target)². Each step computes it anew, calls backward, and moves every parameter by
    −rate times its gradient. Use no optimiser: `neuron.parameters()` lists the parameters, each with `.data` and
    `.grad`. Give back the list of the losses, one for each step, as plain numbers, each from before its step's move.
    """
    losses = []
    ...  # your code: about eight lines
    return losses


def gradients_of(root):
    """The gradient of `root` by every node of its graph, as a dict {node: gradient}.

    As `backward` in the tutorial; but here graphs have constants too. A constant is among `node.parents`, and
    `mg.local_derivatives(node)` has None in its place: leave it out of the dict. The graph may be large and each node
    used many times, so that every node must have its turn once only. Do not call .backward() or mg.gradients.
    """
    ...  # your code: about seven lines
