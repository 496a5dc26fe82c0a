"""Typical mistakes in the exercises of tutorial 7, and what their checks say."""

import numpy as np


def forward_difference(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up = x.copy()
        up[index] += h
        gradient[index] = (f(up) - f(x)) / h
    return gradient


def half_the_step(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += h
        down[index] -= h
        gradient[index] = (f(up) - f(down)) / h
    return gradient


def not_put_back(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        x[index] += h
        up = f(x)
        x[index] -= 2 * h
        gradient[index] = (up - f(x)) / (2 * h)
    return gradient


def step_of_its_own(f, x, h=1e-5):
    return half_the_step(f, x, 1e-5) / 2


def relu_slope(g, x, W, b):
    d = g * (x @ W.T + b > 0)
    return d @ W, d.T @ x, d.sum(axis=0)


def no_slope(g, x, W, b):
    return g @ W, g.T @ x, g.sum(axis=0)


def no_sum(g, x, W, b):
    d = g * np.where(x @ W.T + b > 0, 1.0, 0.1)
    return d @ W, d.T @ x, d


def transposed(g, x, W, b):
    d = g * np.where(x @ W.T + b > 0, 1.0, 0.1)
    return d @ W, x.T @ d, d.sum(axis=0)


def as_given():
    return np.array([1.0, 2.0]), np.ones(2), np.zeros(2)


def bias_only():
    return np.array([1.0, 2.0]), np.ones(2), np.array([-3.0, 1.0])


def at_the_kink():
    return np.array([1.0, -2.0]), np.array([1.0, -1.0]), np.array([-1.0, 1.0])


def constants(g, x):
    return g / x.std(axis=0)


def mean_only(g, x):
    return (g - g.mean(axis=0)) / x.std(axis=0)


def in_place(g, x, W, b):
    g *= np.where(x @ W.T + b > 0, 1.0, 0.1)
    return g @ W, g.T @ x, g.sum(axis=0)


def slope_for_x_only(g, x, W, b):
    return (g * np.where(x @ W.T + b > 0, 1.0, 0.1)) @ W, g.T @ x, g.sum(axis=0)


def nothing():
    return np.array([]), np.array([]), np.array([])


def x_for_u(g, x):
    return (g - g.mean(axis=0) - x * (g * x).mean(axis=0)) / x.std(axis=0)


MISTAKES = [
    ("test_1_a_central_difference", {"central_difference": forward_difference}, "a difference to one side"),
    ("test_1_a_central_difference", {"central_difference": half_the_step}, "Divide by 2h and not by h"),
    ("test_1_a_central_difference", {"central_difference": not_put_back}, "has changed"),
    ("test_1_a_central_difference", {"central_difference": step_of_its_own}, "depend on the argument h"),
    ("test_2_the_backward_pass_of_a_leaky_layer", {"leaky_layer_backward": relu_slope}, "which is ReLU"),
    ("test_2_the_backward_pass_of_a_leaky_layer", {"leaky_layer_backward": no_slope}, "is missing"),
    ("test_2_the_backward_pass_of_a_leaky_layer", {"leaky_layer_backward": no_sum}, "sum over axis 0"),
    ("test_2_the_backward_pass_of_a_leaky_layer", {"leaky_layer_backward": transposed}, "they must be the same"),
    ("test_3_inputs_that_tell", {"telling_inputs": as_given}, "gated_backward_1 passes"),
    ("test_3_inputs_that_tell", {"telling_inputs": bias_only}, "gated_backward_3 passes"),
    ("test_3_inputs_that_tell", {"telling_inputs": at_the_kink}, "at its kink"),
    ("test_4_the_backward_pass_of_standardise", {"standardise_backward": constants}, "for constants"),
    ("test_4_the_backward_pass_of_standardise", {"standardise_backward": mean_only}, "standard deviation is missing"),
    (
        "test_2_the_backward_pass_of_a_leaky_layer",
        {"leaky_layer_backward": in_place},
        "g that was given to you has changed",
    ),
    ("test_2_the_backward_pass_of_a_leaky_layer", {"leaky_layer_backward": slope_for_x_only}, "of W is made from g"),
    ("test_3_inputs_that_tell", {"telling_inputs": nothing}, "arrays of one length"),
    ("test_4_the_backward_pass_of_standardise", {"standardise_backward": x_for_u}, "u = standardise(x) belongs"),
]
