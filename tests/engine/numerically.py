"""Derivatives by central differences, and what the engine's are held against."""

import numpy as np

from micrograd_nn import Tensor, gradients
from micrograd_nn import functional as F
from micrograd_nn.graph import Node


def central(f, x, step=1e-6):
    """The gradient of a function with one number as its result, at the array `x`."""
    x = np.array(x, dtype=float)
    slope = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        here = x[i]
        x[i] = here + step
        above = float(f(x.copy()))
        x[i] = here - step
        below = float(f(x.copy()))
        x[i] = here
        slope[i] = (above - below) / (2 * step)
    return slope


def leaves(arrays):
    return [Tensor(a, requires_grad=True) for a in arrays]


def plain(x):
    return x.numpy() if isinstance(x, Node) else np.asarray(x)


def weights_like(array, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(array))


def agree_to_first_order(f, *arrays, tol=1e-6):
    """The engine's gradients of sum(weights * f(...)), one for each array, are the numerical ones."""
    inputs = leaves(arrays)
    out = f(*inputs)
    weights = weights_like(out.data)
    found = gradients((out * weights).sum())
    for i, x in enumerate(inputs):

        def along(a, i=i):
            return np.sum(weights * plain(f(*arrays[:i], a, *arrays[i + 1 :])))

        expected = central(along, arrays[i])
        got = found.get(x, np.zeros(x.shape))
        assert got.shape == x.shape
        np.testing.assert_allclose(got, expected, rtol=tol, atol=tol * max(1.0, np.abs(expected).max(initial=0)))


def agree_to_second_order(f, *arrays, tol=1e-5):
    """The gradient of the engine's gradient is the numerical derivative of it."""

    def slopes(inputs, create_graph):
        """The first-order gradients, each weighed and summed: one number that depends on every one of them."""
        out = f(*inputs)
        found = gradients((out * weights_like(out.data)).sum(), create_graph=create_graph)
        parts = [found[x] for x in inputs if x in found]
        return sum((F.sum(p * weights_like(plain(p), seed=1)) for p in parts), Tensor(0.0) if create_graph else 0.0)

    inputs = leaves(arrays)
    total = slopes(inputs, create_graph=True)
    found = gradients(total) if total.requires_grad else {}
    for i, x in enumerate(inputs):

        def along(a, i=i):
            return slopes(leaves([*arrays[:i], a, *arrays[i + 1 :]]), create_graph=False)

        expected = central(along, arrays[i])
        got = found.get(x, np.zeros(x.shape))
        np.testing.assert_allclose(got, expected, rtol=tol, atol=tol * max(1.0, np.abs(expected).max(initial=0)))


def agree(f, *arrays):
    """First and second order."""
    agree_to_first_order(f, *arrays)
    agree_to_second_order(f, *arrays)
