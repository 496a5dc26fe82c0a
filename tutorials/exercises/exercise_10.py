"""Exercises of tutorial 10, any acyclic wiring.

Each function below has a hole, `...`: put your code in its place. Then ask `pytest -m tutorial_10` in this folder.
"""

import micrograd_nn as mg
from micrograd_nn import nn


def odd():
    """A `nn.Network` that tells whether the number of ones among three inputs is odd: `return net`.

    Inputs x1, x2, x3, each 0 or 1; one output unit of the kind "identity", whose value is 1 for one or three ones and
    0 for none or two. Two hidden "relu" units are enough if the inputs skip to the output, and no more are allowed.
    Give the weights with net.connect(source, target, weight) and the biases with net.unit(..., bias=...). A hint: let
    every hidden unit read the sum of the inputs, and draw the output as a function of this sum.
    """
    ...  # your code: about twelve lines


def evaluation_order(reads):
    """An order in which the units of a wiring can be computed: a list of all its units, each once.

    `reads` is a dict: for each unit the list of those that it reads, as {"c": ["b", "x"], "b": ["x"]}. A name that is
    no key of it (here "x") is an input, is there from the start, and is not in the list. Each unit comes after
    everything it reads. Where a loop makes that impossible, raise ValueError.
    """
    ...  # your code: about eight lines


def unrolled(w, v, inputs):
    """The last value of a recurrent unit: h(t) = tanh(w·h(t − 1) + v·x(t)), with h(0) = 0.

    `w` and `v` are Values and `inputs` is a list of numbers, x(1), x(2) and so on. The same two Values serve at all
    times. Give back the last h, a Value whose backward() leaves the whole gradients in w.grad and v.grad.
    """
    ...  # your code: about four lines


def closes(edges, source, target):
    """The loop that a new edge source → target would close, as a list of names; None if it closes none.

    `edges` is a list of pairs (source, target) without any loop. The list begins and ends with `target` and follows
    the edges: for edges a → b, b → c and the new edge c → a it is ["a", "b", "c", "a"]. An edge from a unit to itself
    closes a loop too: ["a", "a"]. There may be very many ways through a wiring; look at each unit once only.
    """
    ...  # your code: about twelve lines
