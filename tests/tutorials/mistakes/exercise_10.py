"""Typical mistakes in the exercises of tutorial 10, and what the checks must say to each."""

import micrograd_nn as mg
from micrograd_nn import nn


def counting(*hidden, given=True, kind="identity", skip=True):
    """A network that adds up its inputs, with hidden units of these (bias, weight)."""
    net = nn.Network()
    inputs = [net.input(name) for name in ("x1", "x2", "x3")]
    units = [net.unit(f"h{k}", "relu", bias=bias) for k, (bias, _) in enumerate(hidden)]
    out = net.unit("out", kind, inputs=() if given else inputs)
    for x in inputs:
        for unit in [*units, out] if given and skip else units:
            net.connect(x, unit, 1.0)
    for unit, (_, weight) in zip(units, hidden, strict=True):
        net.connect(unit, out, weight)
    return net


def by_name(reads):
    return sorted(reads)


def backwards(reads):
    return ordered(reads)[::-1]


def with_inputs(reads):
    return [*{r for read in reads.values() for r in read if r not in reads}, *ordered(reads)]


def ordered(reads):
    order = []

    def visit(unit):
        if unit in reads and unit not in order:
            for r in reads[unit]:
                visit(r)
            order.append(unit)

    for unit in reads:
        visit(unit)
    return order


def each_time(reads):
    order = []

    def visit(unit):
        for r in reads[unit]:
            if r in reads:
                visit(r)
        order.append(unit)

    for unit in reads:
        visit(unit)
    return order


def as_given_in_a_loop(reads):
    left, order = dict(reads), []
    for _ in range(len(reads)):
        for unit in list(left):
            if all(r in order or r not in reads for r in left[unit]):
                order.append(unit)
                del left[unit]
    return order


def endless(reads):
    left, order = dict(reads), []
    while left:
        for unit in list(left):
            if all(r not in left for r in left[unit]):
                order.append(unit)
                del left[unit]
    return order


def by_generation(reads):
    return [ordered(reads)]


def changed_places(w, v, inputs):
    h = 0.0
    for x in inputs:
        h = (v * h + w * x).tanh()
    return h


def cut_off(w, v, inputs):
    h = 0.0
    for x in inputs:
        h = (w * h + v * x).tanh().data
    return mg.Value(h)


def carried_as_number(w, v, inputs):
    h = 0.0
    for x in inputs[:-1]:
        h = (w * h + v * x).tanh().data
    return (w * h + v * inputs[-1]).tanh()


def tanh_once(w, v, inputs):
    h = 0.0
    for x in inputs:
        h = w * h + v * x
    return h.tanh()


def all_of_them(w, v, inputs):
    found = [mg.Value(0.0)]
    for x in inputs:
        found.append((w * found[-1] + v * x).tanh())
    return found


def every_way(edges, source, target):
    def walk(unit, way):
        if unit == source:
            return [*way, target]
        for a, b in edges:
            if a == unit:
                found = walk(b, [*way, b])
                if found:
                    return found
        return None

    return walk(target, [target])


def either_direction(edges, source, target):
    both = [*edges, *((b, a) for a, b in edges)]
    came_from, waiting = {target: None}, [target]
    while waiting:
        unit = waiting.pop(0)
        for a, b in both:
            if a == unit and b not in came_from:
                came_from[b] = unit
                waiting.append(b)
    if source not in came_from:
        return None
    loop = [target]
    while source is not None:
        loop.append(source)
        source = came_from[source]
    return loop[::-1]


def turned_round(edges, source, target):
    found = right(edges, source, target)
    return found and found[::-1]


def without_the_end(edges, source, target):
    found = right(edges, source, target)
    return found and found[:-1]


def not_to_itself(edges, source, target):
    return None if source == target else right(edges, source, target)


def calling_itself(edges, source, target):
    follow, been = {}, set()
    for a, b in edges:
        follow.setdefault(a, []).append(b)

    def walk(unit):
        if unit == source:
            return [unit]
        been.add(unit)
        for after in follow.get(unit, []):
            if after not in been:
                found = walk(after)
                if found:
                    return [unit, *found]
        return None

    found = walk(target)
    return found and [*found, target]


def right(edges, source, target):
    came_from, waiting = {target: None}, [target]
    while waiting:
        unit = waiting.pop()
        for a, b in edges:
            if a == unit and b not in came_from:
                came_from[b] = unit
                waiting.append(b)
    if source not in came_from:
        return None
    loop = [target]
    while source is not None:
        loop.append(source)
        source = came_from[source]
    return loop[::-1]


TWO = (-1.0, -2.0), (-2.0, 2.0)

MISTAKES = [
    ("test_1_odd_with_two_hidden_units", {"odd": lambda: counting(*TWO, skip=False)}, "past them"),
    ("test_1_odd_with_two_hidden_units", {"odd": lambda: counting(*TWO, kind="sigmoid")}, "but for a sigmoid"),
    ("test_2_each_unit_comes_after_what_it_reads", {"evaluation_order": by_generation}, "should hold names of units"),
    ("test_2_a_loop_has_no_order", {"evaluation_order": endless}, "goes round and round"),
    ("test_3_a_recurrent_unit", {"unrolled": changed_places}, "w and v have changed places"),
    ("test_1_odd_with_two_hidden_units", {"odd": lambda: counting((-1.0, -2.0))}, "has to bend twice"),
    ("test_1_odd_with_two_hidden_units", {"odd": lambda: counting((-1.0, 0.0))}, "counts the ones"),
    (
        "test_1_odd_with_two_hidden_units",
        {"odd": lambda: counting((-1.0, -2.0), (-2.0, 2.0), (-3.0, 1.0))},
        "at most two hidden units",
    ),
    (
        "test_1_odd_is_not_trained_but_made",
        {"odd": lambda: counting((-1.0, -2.0), (-2.0, 2.0), given=False)},
        "a weight was left out",
    ),
    ("test_2_each_unit_comes_after_what_it_reads", {"evaluation_order": by_name}, "which it reads"),
    ("test_2_each_unit_comes_after_what_it_reads", {"evaluation_order": backwards}, "turned round"),
    ("test_2_each_unit_comes_after_what_it_reads", {"evaluation_order": with_inputs}, "is an input"),
    ("test_2_each_unit_comes_after_what_it_reads", {"evaluation_order": each_time}, "should be computed once"),
    ("test_2_a_loop_has_no_order", {"evaluation_order": ordered}, "calls itself for ever"),
    ("test_2_a_loop_has_no_order", {"evaluation_order": as_given_in_a_loop}, "Raise ValueError"),
    ("test_3_a_recurrent_unit", {"unrolled": cut_off}, "the gradient of w is missing"),
    ("test_3_a_recurrent_unit", {"unrolled": carried_as_number}, "not the sum over the steps"),
    ("test_3_a_recurrent_unit", {"unrolled": tanh_once}, "not to the last alone"),
    ("test_3_a_recurrent_unit", {"unrolled": all_of_them}, "the last h alone"),
    ("test_4_the_loop_in_a_large_wiring", {"closes": every_way}, "Remember which units you have been to"),
    ("test_4_the_loop_in_a_large_wiring", {"closes": calling_itself}, "too long for a function that calls itself"),
    ("test_4_the_loop_that_an_edge_would_close", {"closes": either_direction}, "direction"),
    ("test_4_the_loop_that_an_edge_would_close", {"closes": turned_round}, "against the direction of the edges"),
    ("test_4_the_loop_that_an_edge_would_close", {"closes": without_the_end}, "A loop ends where it began"),
    ("test_4_the_loop_that_an_edge_would_close", {"closes": not_to_itself}, "the shortest there is"),
]
