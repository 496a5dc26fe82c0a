"""Where naive formulas give NaN: huge inputs, branches not taken, lengths of zero, ties."""

import math

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, grad, gradients, hessian
from micrograd_nn import functional as F

HUGE = np.array([-1e5, -1000.0, -30.0, 0.0, 30.0, 1000.0, 1e5])
UNITS = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", UNITS)
def test_units_at_huge_inputs(name, dtype):
    t = Tensor(HUGE, requires_grad=True, dtype=dtype)
    out = getattr(F, name)(t)
    assert np.isfinite(out.data).all()
    slope = gradients(F.sum(out), create_graph=True)[t]
    assert np.isfinite(slope.data).all()
    assert slope.dtype == dtype
    if slope.requires_grad:  # relu's is a constant
        assert np.isfinite(gradients(F.sum(slope))[t]).all()
    for x, y in zip(HUGE.tolist(), out.data, strict=True):
        assert getattr(F, name)(Value(x)).data == pytest.approx(float(y), rel=1e-6, abs=1e-12)
        assert math.isfinite(grad(getattr(F, name))(x))


@pytest.mark.parametrize(
    ("name", "at_the_left", "at_the_right", "slopes"),
    [
        ("sigmoid", 0, 1, (0, 0)), ("tanh", -1, 1, (0, 0)), ("relu", 0, 1000, (0, 1)),
        ("leaky_relu", -10, 1000, (0.01, 1)), ("elu", -1, 1000, (0, 1)), ("gelu", 0, 1000, (0, 1)),
        ("silu", 0, 1000, (0, 1)), ("softplus", 0, 1000, (0, 1)),
    ],
)  # fmt: skip
def test_units_far_out(name, at_the_left, at_the_right, slopes):
    f = getattr(F, name)
    assert [f(-1000.0), f(1000.0)] == pytest.approx([at_the_left, at_the_right], rel=1e-15, abs=1e-300)
    assert [grad(f)(-1000.0), grad(f)(1000.0)] == pytest.approx(slopes, abs=1e-300)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1000.0, 1e5])
def test_scores_of_any_size(size, dtype):
    scores = Tensor([[size, 0.0, -size], [-size, -size, -size]], requires_grad=True, dtype=dtype)
    labels = np.array([1, 2])
    assert F.softmax(scores).data[0].tolist() == [1, 0, 0]
    assert F.log_softmax(scores).data[0] == pytest.approx([0, -size, -2 * size])
    assert F.logsumexp(scores, 1).data == pytest.approx([size, math.log(3) - size])
    loss = F.cross_entropy(scores, labels)
    assert loss.item() == pytest.approx((size + math.log(3)) / 2, rel=1e-6)
    third = 1 / 6
    expected = np.array([[0.5, -0.5, 0], [third, third, third - 0.5]])
    np.testing.assert_allclose(gradients(loss)[scores], expected, atol=1e-7)
    for out in (F.softmax(scores), F.log_softmax(scores), F.logsumexp(scores, 1)):
        assert np.isfinite(gradients(F.sum(out))[scores]).all()


@pytest.mark.parametrize(
    ("f", "bad"),
    [
        (F.sqrt, -1.0), (F.sqrt, 0.0), (F.log, 0.0), (F.log, -1.0), (F.log1p, -1.0), (lambda x: 1 / x, 0.0),
        (lambda x: x / x, 0.0), (lambda x: x**-2, 0.0), (lambda x: x**0.5, 0.0), (lambda x: x**-1.5, 0.0),
        (lambda x: np.exp(x), 1e4), (lambda x: np.sinh(x), 1e4), (lambda x: np.cosh(x), 1e4),
        (lambda x: np.expm1(x), 1e4),
        (lambda x: np.arcsin(x), 1.0), (lambda x: np.arccos(x), -1.0), (lambda x: 2.0**x, 1e5),
        (lambda x: F.norm(F.expand_dims(x, 0), axis=0), 0.0), (lambda x: F.log(F.sqrt(F.abs(x))), 0.0),
    ],
)  # fmt: skip
def test_a_branch_not_taken_sends_back_exactly_zero(f, bad):
    x = np.array([bad, 0.5])
    t = Tensor(x, requires_grad=True)
    with np.errstate(all="ignore"):  # NumPy's own warning about the value that is not taken
        root = F.sum(F.where(x == bad, 0.0, f(t)))
        slope = gradients(root)[t]
    assert slope[0] == 0.0
    assert slope[1] == pytest.approx(grad(lambda v: F.sum(f(v)))(np.array(0.5)), rel=1e-12)
    with np.errstate(all="ignore"):
        second = gradients(F.sum(gradients(root, create_graph=True)[t]))[t]
        v = Value(bad)
        single = F.where(False, F.sum(f(v)), 2 * v)
        assert gradients(single)[v] == 2.0
    assert second[0] == 0.0


@pytest.mark.parametrize("power", [1, 2, 3, 4, 2.0, 1.0, 0, 0.0])
def test_powers_of_zero_to_any_order(power):
    f = lambda x: x**power * (1 + x)
    for order in range(5):
        expected = math.factorial(order) * (order == power) + math.factorial(order) * (order == power + 1)
        assert f(0.0) == expected if order == 0 else True
        g = f
        for _ in range(order):
            g = grad(g)
        assert g(0.0) == expected
        assert g(np.array(0.0)) == expected


def test_lengths_and_spreads_of_nothing():
    zero = Tensor(np.zeros(3), requires_grad=True)
    assert gradients(F.norm(zero))[zero].tolist() == [0, 0, 0]
    assert gradients(np.linalg.norm(zero))[zero].tolist() == [0, 0, 0]
    flat = Tensor(np.full((2, 3), 0.5), requires_grad=True)
    assert not gradients(F.sum(np.std(flat, axis=1)))[flat].any()
    assert not gradients(F.sum(F.norm(flat - 0.5, axis=0)))[flat].any()
    assert grad(F.std)(2.0) == 0.0


def test_ties_share_equally():
    t = Tensor([3.0, 1.0, 3.0, 3.0], requires_grad=True)
    assert gradients(t.max())[t].tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])
    assert gradients((-t).min())[t].tolist() == pytest.approx([-1 / 3, 0, -1 / 3, -1 / 3])
    assert gradients(F.sum(np.maximum(t, 3.0)))[t].tolist() == [0.5, 0, 0.5, 0.5]
    assert gradients(F.sum(np.minimum(t, 1.0)))[t].tolist() == [0, 0.5, 0, 0]
    a, b = Value(2.0), Value(2.0)
    assert [gradients(F.maximum(a, b))[x] for x in (a, b)] == [0.5, 0.5]
    matrix = Tensor([[1.0, 1.0], [0.0, 2.0]], requires_grad=True)
    assert gradients(F.sum(matrix.max(axis=0)))[matrix].tolist() == [[1, 0.0], [0, 1]]


def test_kinks_have_the_usual_slopes():
    assert [grad(F.relu)(0.0), grad(F.abs)(0.0), grad(F.sign)(0.0), grad(F.leaky_relu)(0.0)] == [0, 0, 0, 0.01]
    assert [grad(lambda x: F.clip(x, 0, 1))(x) for x in (-1.0, 0.0, 0.5, 1.0, 2.0)] == [0, 1, 1, 1, 0]


def test_clip_follows_numpy_when_the_bounds_are_crossed():
    for x in (-5.0, 2.0, 5.0):
        assert F.clip(x, 3, 1) == np.clip(x, 3, 1) == F.clip(np.array(x), 3, 1)


def test_bounds_that_are_nodes_or_arrays():
    x, low = Tensor([0.0, 2.0, 9.0], requires_grad=True), Value(1.0)
    found = gradients(F.sum(F.clip(x, low, np.array([5.0, 5.0, 6.0]))))
    assert found[x].tolist() == [0, 1, 0]
    assert found[low] == 1.0
    assert F.clip(Value(2.0), np.array([0.0, 3.0])).data.tolist() == [2, 3]


def test_products_through_zeros():
    for x in ([0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [1.0, 2.0, 0.0]):
        expected = [math.prod(x[:i] + x[i + 1 :]) for i in range(3)]
        assert grad(F.prod)(np.array(x)).tolist() == expected
    np.testing.assert_allclose(hessian(F.prod)(np.array([0.0, 0.0, 3.0])), [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_numbers_follow_ieee_as_arrays_do():
    with np.errstate(all="ignore"):
        assert (Value(1.0) / 0.0).data == math.inf
        assert (-1 / Value(0.0)).data == -math.inf
        assert F.exp(Value(1e4)).data == math.inf
        assert F.log(Value(0.0)).data == -math.inf
        assert math.isnan(F.sqrt(Value(-1.0)).data)
        assert math.isnan((Value(-8.0) ** (1 / 3)).data)
        assert (Value(0.0) ** -1).data == math.inf
    assert math.isnan(F.relu(math.nan)) == math.isnan(F.sign(math.nan)) == math.isnan(F.maximum(math.nan, 1.0)) is True


def test_python_numbers_do_not_widen():
    t = Tensor(np.ones(3, np.float32), requires_grad=True)
    for out in (
        t * 2, 2.0 * t, t + 1, 1 - t, t / 3, 3 / t, t**2, t**0.5, 2**t, F.maximum(t, 0.5),
        F.where(t.data > 0, t, 0.0),
        np.float64(2) * t, t * np.float64(2), np.sqrt(2.0) * t, t.clip(0, 1), F.pad(t, 1), t.mean(), t.var(), t.std(),
        F.leaky_relu(t, 0.2), t @ np.ones((3, 2), np.float32), F.dot(t, t), F.norm(t),
    ):  # fmt: skip
        assert out.dtype == np.float32
        for create_graph in (False, True):
            assert gradients(F.sum(out), create_graph=create_graph)[t].dtype == np.float32


def test_a_value_is_never_narrowed():
    assert (Value(0.1) * np.float32(2)).data == 0.2
    assert (np.float32(2) * Value(0.1)).data == 0.2
    assert type((Value(0.1) + np.int64(1)).data) is float


def test_types_are_kept_on_the_way_in():
    assert Tensor(np.float32([1, 2])).dtype == np.float32
    assert Tensor([1, 2]).dtype == Tensor([True, False]).dtype == Tensor(np.uint8([1])).dtype == np.float64
    assert Tensor([1.0], dtype="float32").dtype == np.float32
    t = Tensor(np.float32([1, 2]), requires_grad=True)
    t.data = [3.0, 4.0]
    assert t.dtype == np.float32
    wide = t.astype(np.float64)
    assert wide.dtype == np.float64
    assert gradients(wide.sum())[t].dtype == np.float32
