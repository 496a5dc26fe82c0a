"""Exercises of tutorial 3, one neuron is a classifier.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_3` in this folder.
NumPy is enough for all of them: `np.exp` takes a whole array, `math.exp` only a number. Everywhere X holds N examples,
a row each, w is an array of as many weights as X has columns, and b is a number.
"""

import numpy as np


def probability(X, w, b):
    """The probability of class 1 that a neuron with weights w and bias b gives to each row of X: an array of N numbers.

    For one example x it is σ(w·x + b). `X @ w` gives the products w·x of all rows at once.
    """
    ...  # your code: about two lines, the last with `return`


def gradients(X, y, w, b):
    """The gradients of the mean cross-entropy over all examples, by hand: first that of w, an array, then that of b.

    y holds the labels, 0 and 1. The gradient of one example's loss on its score is p − y; from there it goes back
    through w·x + b. The mean divides by N.
    """
    ...  # your code: about four lines, the last `return of_w, of_b`


def still_teaching(X, t, w, b):
    """Which examples still have a gradient under the hinge loss: an array of N times True or False.

    t holds the labels, −1 and +1.
    """
    ...  # your code: about two lines


def svm_step(X, t, w, b, rate, strength):
    """One step of gradient descent for a neuron that is an SVM: give back the new weights and the new bias.

    The loss is the mean of max(0, 1 − t·s) over all N examples, with s = w·x + b and labels t of −1 and +1, and to it
    comes the penalty strength · ½ Σ w² on the weights, not on the bias. Both gradients are taken at the old w and b.
    For an example that still teaches, the gradient of its loss on its score is −t; for the others it is 0.
    """
    ...  # your code: about five lines, the last `return w, b`
