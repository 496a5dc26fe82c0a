"""Exercises of tutorial 8, dead and saturated units.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_8` in this folder.
"""

import numpy as np


def on_rates_and_dead(a):
    """The on-rate of each unit, and which are dead, from activations `a` of ReLU units.

    `a` is an array (N, units): a row for each example, a column for each unit. Give back two arrays of length `units`:
    the share of the examples for which the activation is above 0, and True where a unit is dead on these N examples.
    """
    ...  # your code: about three lines


def saturated_units(a):
    """Which tanh units are saturated: an array of True and False, one for each column of `a` (N, units).

    `a` holds activations, tanh z. The slope of tanh at z is 1 − a², and its largest slope is 1. A unit is saturated if
    its slope is under 0.06 for at least 95 % of the examples.
    """
    ...  # your code: about three lines


def epochs_of_death(reports, layer):
    """For each unit of a layer, the epoch from which on it was dead until the end; 0 for a unit that is alive then.

    `reports` is the list of reports that a HealthMonitor kept, the earliest first: each has its `.epoch`, and in
    `.layers[layer].dead` an array with an entry a unit. A unit that died, came back and died again for good has the
    epoch of its last death. Give back an array of whole numbers.
    """
    ...  # your code: about seven lines


def wake(model, X, rng):
    """Give the dead units of the first layer new weights, so that they are alive and the network says what it said.

    `model` is an mg.nn.MLP of ReLU units, `X` the data (N, features), `rng` a NumPy generator. Change the arrays
    `model.layers[0].weight.data` (units, features), `model.layers[0].bias.data` (units,) and
    `model.layers[1].weight.data` (units of the next layer, units), and give nothing back. For each unit of the first
    layer that is dead on X:

    - draw its weights anew, with rng.normal;
    - choose its bias so that it is on for half of the examples: the median of X·w says where the middle is;
    - put 0 into the next layer's weights for it, so that what the network says is as before.

    All other units keep their weights. mg.unit_health(model, X).layers[0].dead says which units are dead.
    (Arrays of a model may be shared: make a copy, change it, and assign it to `.data`.)
    """
    ...  # your code: about ten lines
