"""Exercises of tutorial 6, how big, how regular.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_6` in this folder.
"""

import math

import numpy as np


def l2_penalty(model, strength):
    """The L2 penalty of an MLP: strength · ½ · the sum of all squared weights.

    `model.layers` is a list of layers, each with a `.weight` and a `.bias`, which are Tensors; biases do not count. The
    result must be a node of the graph, such that its gradient reaches the weights: calculate with the Tensors
    themselves (`(w**2).sum()` works on them) and not with their `.data`. Without mg.nn.l2_penalty, please.
    """
    ...  # your code: about three lines


def dropout(a, p, rng):
    """Dropout for an array: each entry of `a` becomes 0 with probability p.

    An entry that stays is multiplied by 1 / (1 − p), so that on average over many draws every entry is what it was; a
    network then needs no change when it is in use. `a` is an array of any shape, 0 <= p < 1, and `rng` a generator of
    NumPy: rng.random(a.shape) gives an array of that shape, evenly spread from 0 to 1. Draw anew for every entry, and
    leave `a` itself as it is.
    """
    ...  # your code: one or two lines


def tries_needed(p, surely=0.95):
    """How many times must one begin anew, to have at least one good end with probability `surely`?

    One beginning ends well with probability p (0 < p < 1), whatever the others do. Return the smallest whole number n
    of beginnings for which the probability that at least one of them ends well is at least `surely` (above 0, below 1).

    Ask the other way round: how probable is it that all n end badly? In the tutorial 19 of 100 networks of 3 units
    ended well; how often would you have to begin?
    """
    ...  # your code: about two lines; math.log and math.ceil help, a loop does it too
