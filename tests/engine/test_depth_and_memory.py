"""Depth is no limit, and a finished graph frees itself without the garbage collector."""

import gc
import sys
import tracemalloc

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, gradients, topological_order
from micrograd_nn import functional as F

DEFAULT_RECURSION_LIMIT = 1000


@pytest.fixture
def no_collector():
    """The garbage collector off, and cleaned up before: only reference counts free."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_chain_of_a_million_values(no_collector):
    assert sys.getrecursionlimit() <= DEFAULT_RECURSION_LIMIT
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1.0
    assert y.data == 1_000_001.0
    y.backward()
    assert x.grad == 1.0
    assert gc.collect() == 0
    del y  # a million deep, and no stack overflow


def test_a_chain_of_a_hundred_thousand_tensors():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y * 1.0
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    assert len(topological_order(y)) == 200_001
    del y


def test_a_deep_chain_in_every_other_walk():
    x = Value(2.0)
    y = x
    for _ in range(20_000):
        y = -y
    assert len(topological_order(y)) == 20_001
    assert gradients(y)[x] == 1.0
    recorded = gradients(y * x, create_graph=True)[x]
    assert recorded.data == 4.0


def test_a_wide_graph():
    x = Value(1.0)
    total = sum(x * float(i) for i in range(50_000))
    assert gradients(total)[x] == sum(range(50_000))


def test_picking_every_entry_costs_no_square():
    t = Tensor(np.ones(20_000), requires_grad=True)
    total = t[0]
    for i in range(1, 20_000):
        total = total + t[i]
    assert (gradients(total)[t] == 1).all()


def scalar_step(parameters):
    score = sum((w * x for w, x in zip(parameters, (0.5, -1.0, 2.0), strict=True)), Value(0.1)).tanh()
    loss = (score - 1) ** 2 + 0.01 * sum(w * w for w in parameters)
    for w in parameters:
        w.grad = None
    loss.backward()
    for w in parameters:
        w.data -= 0.1 * w.grad


X, LABELS = np.ones((4, 3)), np.array([0, 1, 1, 0])


def vector_step(parameters):
    w, b = parameters
    loss = F.cross_entropy(F.relu(X @ w + b), LABELS) + 1e-3 * F.norm(w) + w[0, [0, 1, 0]].mean()
    slope = gradients(loss, create_graph=True)[w]
    for p in parameters:
        p.grad = None
    (loss + (slope * slope).sum()).backward()
    for p in parameters:
        p.data -= 0.1 * p.grad


@pytest.mark.parametrize(
    ("step", "parameters"),
    [
        (scalar_step, [Value(0.1), Value(0.2), Value(-0.3)]),
        (vector_step, [Tensor(np.full((3, 2), 0.1), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)]),
    ],
    ids=["values", "tensors"],
)
def test_memory_is_flat_over_a_thousand_steps(step, parameters, no_collector):
    def run(steps):
        for _ in range(steps):
            step(parameters)
        objects = len(gc.get_objects())
        gc.collect()  # empties Python's own free lists; what a step left behind has been counted
        return objects, tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        run(10)
        objects, memory = run(10)
        objects_after, memory_after = run(1000)
    finally:
        tracemalloc.stop()
    assert objects_after - objects < 50
    assert memory_after - memory < 50_000  # a node a step would be three times that


def test_a_graph_is_gone_when_its_root_is(no_collector):
    import weakref

    x = Value(1.0)
    middle = x * 2
    watch = weakref.ref(middle)
    root = middle + 1
    root.backward()
    del middle
    assert watch() is not None
    del root
    assert watch() is None
