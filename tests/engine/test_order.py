"""The sweep goes from young to old, whatever else was made in between."""

import threading

import numpy as np
import pytest

import micrograd_nn as mg
from micrograd_nn import Tensor, Value


def test_graphs_made_by_turns_do_not_disturb_each_other():
    a, b = Value(1.0), Value(2.0)
    x, y = a, b
    for _ in range(50):
        x, y = x * 1.01 + a, y * 0.99 + b
    x.backward()
    assert b.grad is None
    y.backward()
    assert a.grad == pytest.approx(sum(1.01**k for k in range(51)), rel=1e-12)
    assert b.grad == pytest.approx(sum(0.99**k for k in range(51)), rel=1e-12)


def test_a_graph_with_long_gaps_in_its_history():
    w = [Value(float(i)) for i in range(200)]
    total, other = Value(0.0), Value(1.0)
    for i, v in enumerate(w):
        total = total + v * v
        if i % 20 == 0:
            for _ in range(3000):  # another computation
                other = other * 1.0
    total.backward()
    assert [v.grad for v in w] == [2.0 * i for i in range(200)]


def test_old_results_used_late():
    x = Value(2.0)
    parts = [x * float(k) for k in range(100)]
    late = x
    for _ in range(1000):
        late = late * 1.0
    (late * sum(parts[::-1])).backward()  # d/dx of x * 4950 x
    assert x.grad == pytest.approx(2 * 4950 * 2.0)


def test_a_copy_is_younger_and_its_own():
    import copy

    x = Value(3.0)
    y = x * x
    twin = copy.copy(y)
    (y * twin).backward()
    assert x.grad == pytest.approx(4 * 27.0)


def test_an_anomaly_that_was_there_before_is_blamed_on_its_holder():
    W = Tensor([[1.0, np.inf]], requires_grad=True, name="W")
    with mg.detect_anomaly(), pytest.raises(mg.AnomalyError, match=r"W already held inf at \[0, 1\] when `transpose`"):
        W.T


def test_threads_that_make_nodes_at_once_sweep_their_own():
    w = Value(0.5)
    found = {}

    def work(k):
        y = w * 1.0
        for _ in range(300):
            y = y + w * float(k)
        found[k] = mg.gradients(y)[w]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == {k: 1.0 + 300 * k for k in range(8)}
