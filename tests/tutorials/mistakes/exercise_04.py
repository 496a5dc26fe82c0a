"""Typical mistakes in the exercises of tutorial 4, and what the checks must say to each."""

import math

import numpy as np


def counted(n_in, sizes, *, inputs=False, with_biases=False, first=True, last_bias=True):
    pairs = list(zip([n_in, *sizes], sizes))
    weights = sum(m * n for m, n in (pairs if first else pairs[1:]))
    neurons = sum(sizes) + inputs * n_in
    biases = sum(sizes) - (0 if last_bias else sizes[-1])
    return neurons, weights + with_biases * biases, biases


def run(X, weights, biases, *, bias=True, last=False, transpose=True, plain=False, steep=1.0):
    for i, (weight, b) in enumerate(zip(weights, biases)):
        if plain:
            weight, b = getattr(weight, "data", weight), getattr(b, "data", b)
            weight, b = np.asarray(weight), np.asarray(b)
        X = X @ (weight.T if transpose else weight) + (b if bias else 0.0)
        if last or i < len(weights) - 1:
            X = 1.0 / (1.0 + np.exp(-steep * X)) if steep else X
    return X


def columns(X, weights, biases):
    for weight, bias in zip(weights, biases):
        X = weight @ X + bias[:, None]
    return X


def one_by_one(X, weights, biases):
    out = []
    for row in X:
        for i, (weight, b) in enumerate(zip(weights, biases)):
            z = weight @ row + b
            row = z if i == len(weights) - 1 else np.array([1 / (1 + math.exp(-v)) for v in z])
        out.append(row)
    return np.stack(out)


def back(X, weight, G, *, of_X=None, of_weight=None, of_bias=None):
    return (
        G @ weight if of_X is None else of_X,
        G.T @ X if of_weight is None else of_weight,
        G.sum(axis=0) if of_bias is None else of_bias,
    )


C, D, A = (
    "test_1_neurons_weights_and_biases",
    "test_2_the_forward_pass_of_any_depth",
    "test_2_the_forward_pass_on_tensors",
)
S, B = "test_3_two_layers_collapse_into_one", "test_4_back_through_a_layer"

MISTAKES = [
    (C, {"count": lambda n, s: counted(n, s, inputs=True)}, "The inputs are none"),
    (C, {"count": lambda n, s: counted(n, s, with_biases=True)}, "have the biases in them"),
    (C, {"count": lambda n, s: counted(n, s, first=False)}, "those of the first layer"),
    (C, {"count": lambda n, s: counted(n, s, last_bias=False)}, "the output too"),
    (C, {"count": lambda n, s: sum(counted(n, s)[1:])}, "three whole numbers"),
    (D, {"forward": lambda *a: run(*a, last=True)}, "There is a sigmoid on the output layer"),
    (D, {"forward": lambda *a: run(*a, bias=False)}, "The biases are missing"),
    (D, {"forward": lambda *a: run(*a, transpose=False)}, "is not the layer: `X @ weight.T`"),
    (D, {"forward": lambda *a: run(*a, steep=None)}, "No layer has an activation"),
    (D, {"forward": lambda *a: run(*a, steep=-1.0)}, "with the minus sign"),
    (D, {"forward": columns}, "Examples are rows here"),
    (A, {"forward": lambda *a: run(*a, plain=True)}, "the gradients are lost"),
    (A, {"forward": one_by_one}, "It does not run on Tensors"),
    (S, {"collapse": lambda W1, b1, W2, b2: W2 @ W1}, "an array of shape (4, 4)"),
    (S, {"collapse": lambda W1, b1, W2, b2: (W2 * W1, W2 @ b1 + b2)}, "multiplies number by number"),
    (S, {"collapse": lambda W1, b1, W2, b2: (W1 @ W2, W2 @ b1 + b2)}, "Your W is W1 W2"),
    (S, {"collapse": lambda W1, b1, W2, b2: (W2 @ W1, b2)}, "The first bias is missing"),
    (S, {"collapse": lambda W1, b1, W2, b2: (W2 @ W1, b1 + b2)}, "b1 goes through the second layer"),
    (S, {"collapse": lambda W1, b1, W2, b2: (W2 @ W1, W2 @ (b1 + b2))}, "W2 is not applied to b2"),
    (B, {"layer_backward": lambda X, w, G: (w.T @ G, G @ X.T, G)}, "Examples are rows here"),
    (B, {"layer_backward": lambda X, w, G: back(X, w, G, of_weight=X.T @ G)}, "that of weight.T"),
    (B, {"layer_backward": lambda X, w, G: back(X, w, G, of_X=G @ w.T)}, "goes through weight.T once more"),
    (B, {"layer_backward": lambda X, w, G: back(X, w, G, of_bias=G)}, "the sum of G over the rows"),
    (B, {"layer_backward": lambda X, w, G: back(X, w, G, of_bias=G.mean(axis=0))}, "You took a mean"),
    (B, {"layer_backward": lambda X, w, G: back(X, w, G, of_weight=G.T @ X / len(X))}, "You took a mean"),
]
