"""What was computed from an old value of a leaf never gives a gradient, by whatever road."""

import copy
import pickle

import numpy as np
import pytest

import micrograd_nn as mg
from micrograd_nn import Tensor, Value
from micrograd_nn import functional as F


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))])
def test_a_copy_cannot_launder_a_stale_graph(twin):
    x = Value(2.0)
    y = x * x
    x.data = 5.0
    with pytest.raises(RuntimeError, match="new value"):
        twin(y)


def test_a_leaf_frozen_and_then_written_is_noticed():
    x, w = Value(2.0), Value(3.0)
    y = x * w
    x.requires_grad = False
    x.data = 100.0
    with pytest.raises(RuntimeError, match="new value"):
        y.backward()


def test_a_copied_leaf_has_an_array_of_its_own():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    twin = copy.copy(x)
    twin.data -= 1
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_view_of_a_weight_made_without_grad_cannot_be_written_through():
    w = Tensor([1.0, 2.0], requires_grad=True)
    with mg.no_grad():
        v = w.reshape(2)
    with pytest.raises(ValueError, match="read-only"):
        v.data *= 10


def test_index_arrays_and_masks_are_copied():
    x = Tensor([2.0, 3.0], requires_grad=True)
    places, mask = np.array([0]), np.array([True, False])
    y = x[places].sum() + F.where(mask, x, 0.0).sum()
    places[0], mask[:] = 1, ~mask
    y.backward()
    assert x.grad.tolist() == [2.0, 0.0]


def test_a_constant_of_a_graph_cannot_be_tracked_afterwards():
    c = (Value(2.0) * 3.0).parents[1]
    with pytest.raises(AttributeError, match="constant"):
        c.requires_grad = True


def test_functional_forms_work_within_no_grad():
    with mg.no_grad():
        assert mg.grad(lambda x: x**3)(2.0) == 12.0
        assert mg.hessian(lambda x: (x**3).sum())(np.ones(2)).tolist() == [[6.0, 0.0], [0.0, 6.0]]


def test_detect_anomaly_goes_through_indexing():
    x = Tensor([0.0, 3.0], requires_grad=True)
    with mg.detect_anomaly():
        (x[1] * 2).backward()
        with pytest.raises(mg.AnomalyError, match=r"`sqrt`.* in the backward pass"):
            F.sqrt(x[0]).backward()
    assert x.grad.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("x", [1.0, Value(1.0)])
def test_where_takes_as_many_as_there_are_conditions(x):
    got = F.where([True, False], x, 2.0)
    assert np.asarray(got.data if isinstance(got, Tensor) else got).tolist() == [1.0, 2.0]
    assert F.where([False], x, 2.0).shape == (1,)


def test_numpys_order_of_arguments_is_respected():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    for f in (np.sum, np.prod, np.mean):
        with pytest.raises(TypeError, match="does not take dtype="):
            f(x, 0, np.float32)
    assert np.sum(x, 0, None, None, True).shape == (1, 3)


def test_a_diagonal_needs_equal_sizes():
    with pytest.raises(ValueError, match="diagonal"):
        F.einsum("ii->", np.ones((2, 3)))


def test_numpy_integers_are_sizes_too():
    t = Tensor(np.ones((2, 3)), requires_grad=True)
    assert t.reshape(np.prod(t.shape)).shape == (6,)
    assert F.tile(t, np.int64(2)).shape == (2, 6)
    assert t[[]].shape == (0, 3)


def test_a_kind_of_ones_own():
    class Mine(Value):
        pass

    a, b = Mine(1.0), Mine(2.0)
    (a * b).backward()
    assert (a.grad, b.grad) == (2.0, 1.0)
