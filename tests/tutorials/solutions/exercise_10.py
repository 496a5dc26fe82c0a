"""Exercises of tutorial 10, solved."""

import micrograd_nn as mg
from micrograd_nn import nn


def odd():
    # as a function of the sum s of the inputs: s - 2 relu(s - 1) + 2 relu(s - 2) is 0, 1, 0, 1
    net = nn.Network()
    inputs = [net.input(name) for name in ("x1", "x2", "x3")]
    two = net.unit("two", "relu", bias=-1.0)
    three = net.unit("three", "relu", bias=-2.0)
    out = net.unit("out", "identity")
    for x in inputs:
        for unit in (two, three, out):
            net.connect(x, unit, 1.0)
    net.connect(two, out, -2.0)
    net.connect(three, out, 2.0)
    return net


def evaluation_order(reads):
    order, done, left = [], set(), dict(reads)
    while left:
        ready = [unit for unit, read in left.items() if all(r in done or r not in reads for r in read)]
        if not ready:
            raise ValueError(f"there is a loop among {', '.join(left)}")
        order += ready
        done |= set(ready)
        for unit in ready:
            del left[unit]
    return order


def unrolled(w, v, inputs):
    h = mg.Value(0.0)
    for x in inputs:
        h = (w * h + v * x).tanh()
    return h


def closes(edges, source, target):
    follow = {}
    for a, b in edges:
        follow.setdefault(a, []).append(b)
    came_from, waiting = {target: None}, [target]
    while waiting:
        unit = waiting.pop()
        for after in follow.get(unit, []):
            if after not in came_from:
                came_from[after] = unit
                waiting.append(after)
    if source not in came_from:
        return None
    loop = [target]
    while source is not None:
        loop.append(source)
        source = came_from[source]
    return loop[::-1]
