"""Checks of the exercises of tutorial 4."""

from itertools import pairwise

import exercise_04 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled, number

import micrograd_nn as mg

pytestmark = [pytest.mark.tutorial_4, pytest.mark.exercise]


def same(found, wanted):
    return np.shape(found) == np.shape(wanted) and np.allclose(found, wanted, rtol=1e-7)


def several(answer, n, name, what):
    __tracebackhide__ = True
    answer = filled(answer, name)
    if isinstance(answer, np.ndarray) and answer.shape == (n,):
        answer = answer.tolist()
    if not isinstance(answer, (tuple, list)) or len(answer) != n:
        found = f"an array of shape {answer.shape}" if isinstance(answer, np.ndarray) else f"{answer!r:.60}"
        if isinstance(answer, (tuple, list)):
            found = f"{len(answer)} of them"
        fail(f"{name} should give back {what}, and yours gives {found}.")
    return answer


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def test_1_neurons_weights_and_biases():
    for n_in, sizes in ((3, [4, 2]), (3, [4, 4, 1]), (7, [3]), (5, [11, 2, 6, 3])):
        answer = several(yours.count(n_in, list(sizes)), 3, "count", "three whole numbers")
        size = mg.nn.MLP(n_in, sizes, rng=0).summary()
        of = f"For {n_in} → {' → '.join(map(str, sizes))}"
        neurons, weights, biases = (
            int(number(n, f"the number of {name}")) for n, name in zip(answer, ("neurons", "weights", "biases"))
        )
        if neurons == size.units + n_in:
            fail(f"{of} you count {neurons} neurons. The inputs are none: they compute nothing.")
        if neurons != size.units:
            fail(f"{of} you count {neurons} neurons, and there are {size.units}: those of all layers.")
        if weights == size.parameters:
            fail(f"{of} your {weights} weights have the biases in them. They are counted apart.")
        if weights == size.weights - n_in * sizes[0] and len(sizes) > 1:
            fail(f"{of} you have {weights} weights: those of the first layer, on the inputs, are missing.")
        if weights != size.weights:
            fail(
                f"{of} you have {weights} weights, and there are {size.weights}: for each layer, its neurons times the "
                "numbers that come into it."
            )
        if biases != size.biases:
            fail(f"{of} you have {biases} biases, and there are {size.biases}: one for each neuron, the output too.")


def network(seed, *sizes):
    """Weights and biases of the layers of a network, and a batch of 6 rows."""
    rng = np.random.default_rng(seed)
    steps = list(pairwise(sizes))
    weights, biases = [rng.normal(size=(n, m)) for m, n in steps], [rng.normal(size=n) for _, n in steps]
    return rng.normal(size=(6, sizes[0])), weights, biases


def run(X, weights, biases, *, bias=True, last=False, transpose=True, bend=sigmoid):
    """The forward pass, and with other arguments one of those that are typically written instead."""
    for i, (weight, b) in enumerate(zip(weights, biases)):
        X = X @ (weight.T if transpose else weight) + bias * b
        if last or i < len(weights) - 1:
            X = bend(X)
    return X


def passed(X, weights, biases):
    try:
        return filled(yours.forward(X, list(weights), list(biases)), "forward")
    except ValueError as error:
        fail(
            "The shapes do not fit. Examples are rows here: X (N, inputs) times the transposed weight (inputs, "
            f"neurons), `X @ weight.T`, plus the bias.\n  {error}"
        )


def test_2_the_forward_pass_of_any_depth():
    # square matrices first: there, a transpose that is missing is an error of numbers and not of shapes
    for sizes in ((4, 4, 4), (3, 4, 4, 1), (3, 2), (2, 5, 4, 3, 2)):
        X, weights, biases = network(len(sizes), *sizes)
        found = array(passed(X.copy(), weights, biases), (6, sizes[-1]), "forward(X, weights, biases)")
        typical = [
            (run(X, weights, biases, last=True), "There is a sigmoid on the output layer. It has no activation."),
            (run(X, weights, biases, bias=False), "The biases are missing: X @ weight.T + bias."),
            (X @ weights[0].T + biases[0], "That is the first layer alone, without its activation."),
            (run(X, weights, biases, bend=lambda z: z), "No layer has an activation. Each hidden layer has a sigmoid."),
            (run(X, weights, biases, bend=lambda z: sigmoid(-z)), "The sigmoid is 1/(1 + e^−z), with the minus sign."),
        ]
        if len(set(sizes)) == 1:
            words = "X @ weight has a shape that fits for square matrices, and is not the layer: `X @ weight.T`."
            typical.append((run(X, weights, biases, transpose=False), words))
        wanted = run(X, weights, biases)
        for mistake, words in typical:
            if same(found, mistake) and not same(mistake, wanted):
                fail(words)
        how = " → ".join(map(str, sizes))
        close(found, wanted, f"For {how}: X @ weight.T + bias in each layer, and a sigmoid after all but the last.")


def test_2_the_forward_pass_on_tensors():
    X, weights, biases = network(9, 3, 4, 4, 1)
    tensors = [[mg.Tensor(p, requires_grad=True) for p in ps] for ps in (weights, biases)]
    try:
        out = passed(X, *tensors)
    except TypeError as error:
        fail(f"It does not run on Tensors, where np.exp and @ are all it needs.\n  {error}")
    if not isinstance(out, mg.Tensor):
        fail("With Tensors as parameters you give back a plain array, and the gradients are lost: leave `.data` out.")
    out.sum().backward()
    if any(p.grad is None for ps in tensors for p in ps):
        fail("Some parameters got no gradient: each has to take part, as it is and not by its `.data`.")
    model = mg.nn.MLP(3, [4, 4, 1], "sigmoid", rng=0)
    for layer, weight, bias in zip(model.layers, weights, biases):
        layer.weight.data, layer.bias.data = weight, bias
    model(X).sum().backward()
    for layer, weight in zip(model.layers, tensors[0]):
        close(weight.grad, layer.weight.grad, "The gradients of the weights are not those of an MLP of this size.")


def test_3_two_layers_collapse_into_one():
    # first all sizes equal: there, matrices in the wrong order are an error of numbers and not of shapes
    for n, hidden, out in ((4, 4, 4), (3, 5, 2)):
        rng = np.random.default_rng(hidden)
        W1, b1 = rng.normal(size=(hidden, n)), rng.normal(size=hidden)
        W2, b2 = rng.normal(size=(out, hidden)), rng.normal(size=out)
        try:
            answer = yours.collapse(W1.copy(), b1.copy(), W2.copy(), b2.copy())
        except ValueError as error:
            fail(f"The shapes do not fit: W1 is {W1.shape}, W2 is {W2.shape}, and x meets W1 first.\n  {error}")
        answer = several(answer, 2, "collapse", "two things, W and b")
        W, b = array(answer[0], (out, n), "W"), array(answer[1], (out,), "b")
        if n == out == hidden and same(W, W1 @ W2):
            fail("Your W is W1 W2. x meets W1 first, so W1 stands next to it: (W2 W1) x.")
        if n == out == hidden and same(W, W2 * W1):
            fail("`*` multiplies number by number. The product of matrices is `@`.")
        close(W, W2 @ W1, "W is the product of the two matrices, W2 W1.")
        typical = [(b2, "The first bias is missing: W2 is applied to W1 x + b1, and so to b1 too.")]
        if hidden == out:
            typical.append((b1 + b2, "b1 goes through the second layer as well: it is multiplied by W2."))
            typical.append((W2 @ (b1 + b2), "W2 is not applied to b2, which is added after it."))
        for mistake, words in typical:
            if same(b, mistake):
                fail(words)
        close(b, W2 @ b1 + b2, "Put x = 0 into both layers: what comes out is b.")


def test_4_back_through_a_layer():
    # again equal sizes first, 5 neurons and 5 inputs, where a missing transpose is an error of numbers only
    for seed, (n, inputs, neurons) in enumerate(((7, 5, 5), (6, 4, 3))):
        rng = np.random.default_rng(seed)
        X, weight, bias = (
            mg.Tensor(rng.normal(size=shape), requires_grad=True)
            for shape in ((n, inputs), (neurons, inputs), (neurons,))
        )
        G = rng.normal(size=(n, neurons))
        ((X @ weight.T + bias) * G).sum().backward()
        x, w = X.data, weight.data
        try:
            answer = yours.layer_backward(x.copy(), w.copy(), G.copy())
        except ValueError as error:
            fail(
                "The shapes do not fit. Examples are rows here, so what was G xᵀ in the tutorial looks different: "
                f"X is {x.shape}, weight is {w.shape}, G is {G.shape}.\n  {error}"
            )
        of_X, of_weight, of_bias = several(answer, 3, "layer_backward", "three gradients, of X, weight and bias")
        if np.shape(of_bias) == (n, neurons):
            fail("The bias is added to every row, so its gradient is the sum of G over the rows.")
        if same(of_weight, x.T @ G):
            fail("Your gradient of weight is XᵀG, which is that of weight.T. Turn it round: GᵀX.")
        of_X = array(of_X, (n, inputs), "the gradient of X")
        of_weight = array(of_weight, (neurons, inputs), "the gradient of weight")
        of_bias = array(of_bias, (neurons,), "the gradient of bias")
        if same(of_weight, weight.grad / n) or same(of_bias, bias.grad / n):
            fail("You took a mean over the examples. G already holds what the loss makes of each: add them up.")
        if inputs == neurons and same(of_X, G @ w.T):
            fail("Your gradient of X goes through weight.T once more. Forward was X @ weight.T, so back is G @ weight.")
        close(of_X, X.grad, "Each row of X reaches Z through weight.T, so its gradient comes back through weight.")
        close(of_weight, weight.grad, "Each weight gets its input times the gradient of its neuron, over all examples.")
        close(of_bias, bias.grad, "The gradient of the bias is the sum of G over the examples.")
