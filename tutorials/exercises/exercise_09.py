"""Exercises of tutorial 9, real data.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_9` in this folder.
"""

import numpy as np

import micrograd_nn.functional as F
from micrograd_nn import data, optim


def on_one_scale(X_train, X_test):
    """Two tables with a column for each measurement, put on one scale: `return X_train_scaled, X_test_scaled`.

    In the training table each column is to have the mean 0 and the standard deviation 1 (`.mean(axis=...)` and
    `.std(axis=...)` of NumPy). The test table is put on the *same* scale, measured on the training table alone, as if
    it had not been seen yet. Its means will not quite be 0, then. Change neither table itself.
    """
    ...  # your code: about three lines, the last with `return`


def confusion(y, said, classes):
    """The confusion matrix: an array (classes, classes) of whole numbers.

    `y` are the labels and `said` is what a classifier said, two arrays of as many whole numbers from 0 to classes − 1.
    Row i, column j counts the examples whose label is i and of which j was said. For y = [0, 0, 1] and said = [0, 1, 1]
    and two classes it is [[1, 1], [0, 1]].
    """
    ...  # your code: about four lines; a loop is fine


def dropout(a, p, training, rng):
    """Dropout on an array of activations, with NumPy.

    In training each entry of `a`, by itself, becomes 0 with probability p; the others are multiplied by 1/(1 − p). In
    use (`training` is False) nothing is changed. `rng` is a `numpy.random.Generator`: `rng.random(a.shape)` draws
    numbers that are evenly spread from 0 to 1.
    """
    ...  # your code: about four lines


def train(model, X, y, lr, epochs, seed):
    """Train `model` by plain SGD on batches of 32, and give back a list with the mean loss of each epoch.

    The order of the examples comes from ONE generator, `np.random.default_rng(seed)`, made before the first epoch and
    given to `data.batches` in each. The loss is `F.cross_entropy`. The mean is over the examples: a last batch that is
    smaller counts for less. Model and losses must come out as those of `mg.fit`, which you are not to call.
    """
    losses = []
    ...  # your code: about eleven lines; `optim.SGD(model.parameters(), lr=lr)` does the steps
    return losses
