"""A loop can only be forced, by rewiring nodes by hand. Every walk reports it by name; none returns a number."""

import copy
import pickle
import re
from itertools import pairwise

import numpy as np
import pytest

from micrograd_nn import CycleError, Tensor, Value, gradients, topological_order
from micrograd_nn import functional as F

WALKS = {
    "topological_order": topological_order,
    "backward": lambda root: root.backward(),
    "gradients": gradients,
    "create_graph": lambda root: gradients(root, create_graph=True),
    "pickle": pickle.dumps,
    "deepcopy": copy.deepcopy,
}


def named(node, name):
    node.name = name
    return node


def self_loop(x):
    h = named(x * 2.0, "h")
    h.a = h
    return h, ["h -> h"]


def self_loop_of_one_input(x):
    h = named(F.exp(x), "h")
    h.a = h
    return F.sum(h), ["h -> h"]


def second_input(x):
    h1 = named(x * x, "h1")
    h2 = named(h1 * x, "h2")
    h1.b = h2
    return h2, ["h1 -> h2 -> h1", "h2 -> h1 -> h2"]


def two_of_equal_depth(x):
    h1, h2 = named(x * 2.0, "h1"), named(x * 3.0, "h2")
    root = named(h1 + h2, "root")
    h1.a, h2.a = h2, h1
    return root, ["h1 -> h2 -> h1", "h2 -> h1 -> h2"]


def long_loop(x):
    chain = [named(x * 1.0, "n0")]
    for i in range(1, 6):
        chain.append(named(chain[-1] + 0.0, f"n{i}"))
    chain[0].a = chain[-1]
    return chain[-1] * 2.0, [" -> ".join(f"n{(i + k) % 6}" for k in range(7)) for i in range(6)]


def not_through_the_root(x):
    h1 = named(F.tanh(x), "h1")
    h2 = named(h1 * 2.0, "h2")
    h1.a = h2
    return named((h2 + x) * x, "root"), ["h1 -> h2 -> h1", "h2 -> h1 -> h2"]


def among_many_inputs(x):
    h1 = named(x * 2.0, "h1")
    h2 = named(F.stack([x, h1, x]), "h2")
    h1.a = h2
    return F.sum(h2), ["h1 -> h2 -> h1", "h2 -> h1 -> h2"]


LOOPS = [
    self_loop, self_loop_of_one_input, second_input, two_of_equal_depth, long_loop, not_through_the_root,
    among_many_inputs,
]  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("build", LOOPS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_every_walk_names_the_loop(kind, build, walk):
    x = Value(1.5, name="x") if kind is Value else Tensor(1.5, requires_grad=True, name="x")
    x.grad = 0.25
    root, loops = build(x)
    with pytest.raises(CycleError) as error:
        WALKS[walk](root)
    found = re.search(r"loop: (.*)\. A value", str(error.value)).group(1)
    assert found in loops
    assert [n.label for n in error.value.loop] == found.split(" -> ")
    assert x.grad == 0.25


def test_the_loop_runs_as_the_data_does():
    x = Value(1.0)
    h1 = named(x * 2, "h1")
    h2 = named(h1 * 2, "h2")
    h3 = named(h2 * 2, "h3")
    h1.a = h3
    with pytest.raises(CycleError) as error:
        topological_order(h3)
    loop = error.value.loop
    assert loop[0] is loop[-1]
    for earlier, later in pairwise(loop):
        assert any(p is earlier for p in later.parents)


def test_nodes_of_equal_value_are_not_taken_for_one_another():
    x = Value(1.0)
    chain = [named(x * 1.0, "h0")]
    for i in range(1, 5):
        chain.append(named(chain[-1] * 1.0, f"h{i}"))
    chain[1].a = chain[3]
    with pytest.raises(CycleError, match="h3 -> h1 -> h2 -> h3"):
        topological_order(chain[4])


def test_a_long_loop_is_named_in_short():
    first = node = named(Value(1.0) * 1.0, "first")
    for _ in range(20_000):
        node = node + 0.0
    first.a = node
    with pytest.raises(CycleError) as error:
        node.backward()
    assert len(error.value.loop) == 20_002
    assert len(str(error.value)) < 1000


def test_other_graphs_work_after_a_loop():
    x = Value(3.0)
    root, _ = two_of_equal_depth(x)
    for _ in range(2):
        with pytest.raises(CycleError):
            root.backward()
    (x * x).backward()
    assert x.grad == 6.0


def test_rewiring_upwards_without_a_loop_gives_no_number_either():
    x = Value(1.0)
    low = x * 2.0
    high = (x * 3.0).tanh().tanh()
    root = low + high
    low.a = high
    with pytest.raises(RuntimeError, match="rewired by hand"):
        root.backward()
    assert x.grad is None


@pytest.mark.parametrize("make", [lambda: Value(1.0, name="p"), lambda: Value(1.0) * 2, lambda: Tensor(np.ones(2)) + 1])
def test_parents_cannot_be_assigned_and_the_error_says_why_and_what_to_write(make):
    node = make()
    before = node.parents
    with pytest.raises(AttributeError, match=r"fixed when it is made, .* cannot make a loop: .* `new = a \+ b`"):
        node.parents = (node, node)
    assert all(p is q for p, q in zip(node.parents, before, strict=True))


def test_arithmetic_cannot_make_a_loop():
    x = Value(1.0)
    x += x
    x = x * x
    assert len(topological_order(x)) == 3
    t = Tensor(np.ones(2), requires_grad=True)
    t = t + t
    assert len(topological_order(t)) == 2
