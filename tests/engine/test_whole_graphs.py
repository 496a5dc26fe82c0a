"""Random graphs, against a recursive engine so plain that it is plainly right: it sums over all paths."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_nn import Tensor, Value, grad, gradients, hessian, topological_order
from micrograd_nn import functional as F
from micrograd_nn.checking import gradcheck, numerical_jacobian

# name, how many inputs, what it is, and its slopes
STEPS = {
    "add": (2, lambda x, y: x + y, lambda x, y: (1, 1)),
    "sub": (2, lambda x, y: x - y, lambda x, y: (1, -1)),
    "mul": (2, lambda x, y: x * y, lambda x, y: (y, x)),
    "div": (2, lambda x, y: x / (y * y + 1), lambda x, y: (1 / (y * y + 1), -2 * x * y / (y * y + 1) ** 2)),
    "tanh": (1, F.tanh, lambda x: (1 - math.tanh(x) ** 2,)),
    "sin": (1, F.sin, lambda x: (math.cos(x),)),
    "square": (1, lambda x: x**2, lambda x: (2 * x,)),
    "relu": (1, F.relu, lambda x: (float(x > 0),)),
    "halve": (1, lambda x: x / 2, lambda x: (0.5,)),
    "shift": (1, lambda x: 3 - x, lambda x: (-1,)),
}


@st.composite
def programs(draw, steps=STEPS):
    """Lines of `name, places of the inputs`; the first places are the leaves."""
    inputs = draw(st.integers(1, 3))
    lines = []
    for place in range(inputs, inputs + draw(st.integers(1, 8))):
        name = draw(st.sampled_from(sorted(steps)))
        lines.append((name, [draw(st.integers(0, place - 1)) for _ in range(steps[name][0])]))
    return inputs, lines


def run(program, xs):
    values = list(xs)
    for name, places in program[1]:
        values.append(STEPS[name][1](*(values[i] for i in places)))
    return values


def naive_slope(program, values, leaf, place):
    """d values[place] / d values[leaf]: the sum over all paths, by plain recursion."""
    if place == leaf:
        return 1.0
    if place < program[0]:
        return 0.0
    name, places = program[1][place - program[0]]
    local = STEPS[name][2](*(values[i] for i in places))
    return sum(d * naive_slope(program, values, leaf, i) for d, i in zip(local, places, strict=True))


numbers = st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3)


@given(program=programs(), xs=numbers)
def test_values_against_the_naive_engine(program, xs):
    xs = xs[: program[0]]
    plain = run(program, xs)
    leaves = [Value(x) for x in xs]
    root = run(program, leaves)[-1]
    assert root.data == pytest.approx(plain[-1], rel=1e-14, abs=1e-300)
    found = gradients(root)
    root.backward()
    for i, leaf in enumerate(leaves):
        expected = naive_slope(program, plain, i, len(plain) - 1)
        assert found.get(leaf, 0.0) == pytest.approx(expected, rel=1e-10, abs=1e-12)
        assert leaf.grad == found.get(leaf)


@given(program=programs(), xs=numbers)
def test_tensors_do_entry_by_entry_what_values_do(program, xs):
    columns = [np.array([x, x / 2, -x]) for x in xs[: program[0]]]
    leaves = [Tensor(c, requires_grad=True) for c in columns]
    root = run(program, leaves)[-1]
    found = gradients(F.sum(root))
    for k in range(3):
        singles = [Value(c[k]) for c in columns]
        one = gradients(run(program, singles)[-1])
        for leaf, single in zip(leaves, singles, strict=True):
            assert found.get(leaf, np.zeros(3))[k] == pytest.approx(one.get(single, 0.0), rel=1e-12, abs=1e-14)


@settings(max_examples=20)
@given(program=programs({k: v for k, v in STEPS.items() if k != "relu"}), xs=numbers)
def test_second_derivatives_of_whole_graphs(program, xs):
    xs = np.array(xs[: program[0]])

    def f(x):
        return run(program, [x[i] for i in range(program[0])])[-1]

    gradcheck(f, xs, order=2)
    gradcheck(lambda *values: run(program, values)[-1], *xs.tolist(), order=2)
    found, expected = hessian(f)(xs), numerical_jacobian(grad(f), xs)
    assert found.shape == (len(xs), len(xs))
    assert (np.abs(found - expected) <= 1e-9 * np.abs(expected) + expected.error).all()


@given(program=programs(), xs=numbers)
def test_the_order_lists_everything_once_and_parents_first(program, xs):
    root = run(program, [Value(x) for x in xs[: program[0]]])[-1]
    order = topological_order(root)
    assert order[-1] is root
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    for node in order:
        assert all(place[p] < place[node] for p in node.parents)
    assert topological_order([root, root]) == order or len(topological_order([root, root])) == len(order)


def test_why_an_order_is_needed():
    a = Value(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert (c.data, a.grad, b.grad) == (4.0, 4.0, 2.0)


def test_inputs_of_a_node_keep_their_order():
    a, b = Value(1.0), Value(2.0)
    assert (a - b).parents == (a, b)
    assert (b - a).parents[0] is b
    assert [p.data for p in (5 - a).parents] == [5.0, 1.0]
    assert not (5 - a).parents[0].requires_grad
