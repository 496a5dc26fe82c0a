"""Exercises of tutorial 4, layers are matrices.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_4` in this folder.
NumPy is enough for all of them.
"""

import numpy as np


def count(n_in, sizes):
    """How many neurons, weights and biases a fully connected network has: three whole numbers, in this order.

    n_in is the number of inputs and `sizes` a list with the number of neurons of each layer: the network
    3 → 4 → 4 → 1 is count(3, [4, 4, 1]). It has to work for any number of layers.
    """
    ...  # your code: about six lines


def forward(X, weights, biases):
    """The forward pass of a network of any depth, for a batch X of examples, a row each.

    `weights` is a list of matrices of shape (neurons, inputs), `biases` a list of arrays of shape (neurons,), one of
    each for every layer. Hidden layers have a sigmoid, 1/(1 + e^−z), and the output layer has none. Give back the
    outputs, a row for each example. Use `@` and `np.exp`, so that it also works where the parameters are Tensors.
    """
    ...  # your code: about five lines


def collapse(W1, b1, W2, b2):
    """One layer that does what two do that have no activation between them: its matrix and its bias.

    The two layers are W2 (W1 x + b1) + b2 for a column x, the biases being arrays of shape (neurons,). Give back W and
    b so that W x + b is the same for every x.
    """
    ...  # your code: about two lines, the last `return W, b`


def layer_backward(X, weight, G):
    """Back through one layer without an activation: the gradients of X, of weight and of bias, in this order.

    The layer is Z = X @ weight.T + bias on a batch of rows: X has shape (N, inputs), weight (neurons, inputs), bias
    (neurons,). G, of shape (N, neurons), is the gradient of the loss on Z. Each gradient has the shape of what it
    belongs to. In the tutorial an example was a column; here it is a row, so begin with the shapes.
    """
    ...  # your code: about four lines, the last `return of_X, of_weight, of_bias`
