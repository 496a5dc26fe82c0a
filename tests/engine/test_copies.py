"""Nodes travel: pickled, copied, deep-copied, at any depth."""

import copy
import pickle

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, topological_order
from micrograd_nn import functional as F

WAYS = {"pickle": lambda x: pickle.loads(pickle.dumps(x)), "deepcopy": copy.deepcopy}
both = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@both
def test_leaves(way):
    v, t = Value(2.0, name="v"), Tensor(np.float32([1, 2]), requires_grad=True, name="t")
    v.grad, t.grad = 3.0, np.ones(2, np.float32)
    w, u = way(v), way(t)
    assert (w.data, w.name, w.grad, w.requires_grad) == (2.0, "v", 3.0, True)
    assert (u.data.tolist(), u.dtype, u.name, u.requires_grad) == ([1, 2], np.float32, "t", True)
    u.data -= 1
    assert t.data.tolist() == [1, 2]
    assert not way(Tensor([1.0])).requires_grad


@both
def test_a_graph_travels_whole(way):
    a, t = Value(2.0, name="a"), Tensor([[1.0, 2.0]], requires_grad=True, name="t")
    h = np.concatenate([t, a * t]) @ np.ones(2)
    h.name = "h"
    root = F.softmax(h)[0] + F.clip(a, 0, 5) * 3
    root.backward()
    twin = way(root)
    ours, theirs = topological_order(root), topological_order(twin)
    assert [n.label for n in ours] == [n.label for n in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine is not other
        np.testing.assert_array_equal(mine.data, other.data)
        assert (mine.op, mine.params, mine.module) == (other.op, other.params, other.module)
        if mine.grad is not None:
            np.testing.assert_array_equal(mine.grad, other.grad)
    leaves = {n.name: n for n in theirs if n.op is None}
    twin.backward()
    assert leaves["a"].grad == 2 * a.grad
    np.testing.assert_array_equal(leaves["t"].grad, 2 * t.grad)
    with pytest.raises(AttributeError, match="computed by"):
        theirs[-1].data = 1.0
    computed = next(n for n in theirs if n.name == "h")
    assert not computed.data.flags.writeable


@both
def test_deep_graphs(way):
    x = Value(1.0, name="x")
    y = x
    for _ in range(20_000):
        y = y + 1.0
    twin = way(y)
    twin.backward()
    assert twin.data == 20_001.0
    assert next(n for n in topological_order(twin) if n.name == "x").grad == 1.0
    assert x.grad is None


@both
def test_nodes_that_share_a_leaf_still_share_it(way):
    x = Value(2.0)
    y, z, w = way([x * 2, x * 3, x])
    (y + z).backward()
    assert w.grad == 5.0


def test_a_shallow_copy_has_the_same_inputs():
    x = Value(2.0, name="x")
    y = x * 3
    twin = copy.copy(y)
    assert twin is not y
    assert twin.data == 6.0
    twin.backward()
    assert x.grad == 3.0


def test_an_operation_travels_by_name():
    for way in WAYS.values():
        assert way(F.exp) is F.exp
    assert copy.copy(F.exp) is F.exp
