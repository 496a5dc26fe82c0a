"""Exercises of tutorial 7, is my backprop right?

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_7` in this folder.
"""

import numpy as np


def central_difference(f, x, h=1e-5):
    """The gradient of `f` at the array `x`, measured.

    `f` takes an array of the shape of x and gives one number. Move each entry of x by itself, by h up and by h down,
    and leave the array that you were given as it was. Give back an array of the shape of x, whatever that is:
    `for index in np.ndindex(x.shape):` goes through the entries of any array, as x[index].
    """
    ...  # your code: about seven lines


def leaky_layer(x, W, b):
    """A layer: leaky ReLU of x·Wᵀ + b, with the slope 0.1 below 0. x is (N, in), W (out, in), b (out,)."""
    z = x @ W.T + b
    return np.where(z > 0, z, 0.1 * z)


def leaky_layer_backward(g, x, W, b):
    """The backward pass of `leaky_layer`: the gradients of x, of W and of b, in this order.

    `g` is the gradient on the layer's result, an array (N, out). Each gradient has the shape of what it belongs to.
    Compute z again: the slope depends on it.
    """
    ...  # your code: about three lines


def gated(x, w, b):
    """One unit for each entry: max(0, x·w + b), for arrays x, w and b of the same length."""
    return np.maximum(0, x * w + b)


def gated_backward_1(g, x, w, b):
    """A backward pass of `gated`. Right or wrong?"""
    d = g * (x * w > 0)
    return d * w, d * x, d


def gated_backward_2(g, x, w, b):
    """Another one."""
    d = g * (x * w + b > 0)
    return d * w, d * x, d


def gated_backward_3(g, x, w, b):
    """And another one."""
    d = g * (x * w + b > 0)
    return d * w, d * abs(x), d


def telling_inputs():
    """Inputs that tell the three backward passes of `gated` apart: arrays x, w and b of one length, as a tuple.

    One of the three is right and two are wrong. With x = [1, 2], w = [1, 1], b = [0, 0] all three pass
    mg.check_backward. Choose inputs with which it refuses the wrong ones, and only these. Stay away from the kink.
    """
    ...  # your code: three short arrays


def standardise(x):
    """Each column of x (N, features) with its mean taken off, divided by its standard deviation."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def standardise_backward(g, x):
    """The backward pass of `standardise`: the gradient of x, for the gradient `g` on its result, both (N, features).

    An entry of x reaches the result by three paths: by itself, through the mean of its column, and through the
    standard deviation of its column. With u = standardise(x), the slope of the standard deviation by an entry of x is
    that entry of u, divided by N.
    """
    ...  # your code: about four lines
