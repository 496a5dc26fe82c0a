"""grad, value_and_grad, jacobian and hessian: every kind of input, nested to any order."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn import Tensor, Value, grad, gradients, hessian, jacobian, no_grad, value_and_grad
from micrograd_nn import functional as F
from micrograd_nn.checking import numerical_jacobian


def test_third_order_for_every_kind():
    f = lambda x: F.sum(x**4 + np.exp(x))
    g = lambda f: grad(lambda x: F.sum(grad(f)(x)))
    for x in (0.5, np.float64(0.5), np.array([0.5, -1.0]), np.array(0.5)):
        expected = 24 * np.asarray(x) + np.exp(x)
        found = g(lambda x: F.sum(grad(f)(x)))(x)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert type(found) is (float if isinstance(x, float) else np.ndarray)
    for x in (Value(0.5), Tensor([0.5, -1.0], requires_grad=True)):
        found = g(lambda x: F.sum(grad(f)(x)))(x)
        assert type(found) is type(x)
        np.testing.assert_allclose(found.data, 24 * x.data + np.exp(x.data), rtol=1e-12)
        fourth = gradients(F.sum(found))[x]
        np.testing.assert_allclose(fourth, 24 + np.exp(x.data), rtol=1e-12)
        assert x.grad is None


def test_ten_derivatives_of_a_sine():
    f = np.sin
    for n in range(1, 11):
        f = grad(f)
        assert f(0.7) == pytest.approx(math.sin(0.7 + n * math.pi / 2), rel=1e-12)


def test_perturbations_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(2.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(3.0))(2.0) == 4.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(3.0) == 12.0  # d/dx of 2 x x
    assert grad(lambda x: grad(lambda x: x * x)(x) * x)(3.0) == 12.0
    assert grad(lambda x: grad(lambda y: y * y)(5.0) * x)(3.0) == 10.0


def test_a_closure_over_a_node():
    w = Value(3.0)
    assert grad(lambda x: w * x * x)(2.0) == 12.0
    assert w.grad is None
    outer = lambda w: grad(lambda x: w * x * x)(2.0)
    assert grad(outer)(3.0) == 4.0


def test_several_arguments():
    f = lambda x, y, *, k=1.0: x * x * y * k
    assert grad(f)(3.0, 5.0) == 30.0
    assert grad(f, 1)(3.0, 5.0) == 9.0
    assert grad(f, -1)(3.0, 5.0, k=2.0) == 18.0
    assert grad(f, (0, 1))(3.0, 5.0) == (30.0, 9.0)
    assert grad(f, (1,))(3.0, 5.0) == (9.0,)
    value, (dx, dy) = value_and_grad(f, (0, 1))(3.0, np.array([5.0]))
    assert value.tolist() == [45.0]
    assert (dx, dy.tolist()) == (30.0, [9.0])
    mixed = grad(lambda w, b, x: F.sum(F.tanh(x @ w + b)), (0, 1))(np.ones((3, 2)), 0.5, np.ones((4, 3)))
    assert mixed[0].shape == (3, 2)
    assert type(mixed[1]) is float


def test_arguments_that_are_not_there():
    for argnum in (1, -2, (0, 3)):
        with pytest.raises(TypeError, match=r"argnum=.* needs that many positional arguments, and 1 were given"):
            grad(lambda x: x, argnum)(1.0)


def test_value_and_grad():
    assert value_and_grad(lambda x: x * x)(3.0) == (9.0, 6.0)
    value, slope = value_and_grad(lambda x: (x * x).sum())(np.array([1.0, 2.0]))
    assert value == 5.0
    assert slope.tolist() == [2, 4]
    v = Value(3.0)
    value, slope = value_and_grad(lambda x: x * x)(v)
    assert (type(value), type(slope)) == (Value, Value)
    assert gradients(value)[v] == gradients(slope)[v] * 3 == 6.0


def test_what_does_not_depend_on_the_argument_has_gradient_zero():
    assert grad(lambda x: 5.0)(1.0) == 0.0
    assert grad(lambda x, y: y * y)(1.0, 2.0) == 0.0
    assert grad(lambda x: F.sum(Tensor([1.0])))(np.ones(2)).tolist() == [0, 0]
    assert jacobian(lambda x: np.ones(3))(np.ones(2)).tolist() == [[0, 0]] * 3
    assert hessian(lambda x: x)(2.0) == 0.0
    assert hessian(lambda x: F.sum(x))(np.ones(2)).tolist() == [[0, 0], [0, 0]]


def test_more_than_one_number_needs_a_jacobian():
    for f in (lambda x: x * 2, lambda x: [x[0], x[1]], lambda x: np.ones(2)):
        with pytest.raises(ValueError, match=r"this one gave shape \(2,\): use jacobian"):
            grad(f)(np.ones(2))


@given(n=st.integers(1, 4), m=st.integers(1, 3), seed=st.integers(0, 100))
def test_jacobians_against_differences(n, m, seed):
    rng = np.random.default_rng(seed)
    A, x = rng.normal(size=(m, n)), rng.normal(size=n)
    f = lambda x: np.tanh(A @ x) * np.sum(x * x)
    found = jacobian(f)(x)
    assert found.shape == (m, n)
    expected = numerical_jacobian(f, x)
    assert (np.abs(found - expected) <= 1e-9 * np.abs(expected) + expected.error).all()
    assert expected.error.max() < 1e-9


def test_shapes_of_jacobians():
    x = np.arange(6.0).reshape(2, 3)
    assert jacobian(lambda x: x.sum(0))(x).shape == (3, 2, 3)
    assert jacobian(lambda x: x)(x).reshape(6, 6).tolist() == np.eye(6).tolist()
    assert jacobian(lambda x: x.sum())(x).shape == (2, 3)
    assert jacobian(lambda a: a * x)(2.0).tolist() == x.tolist()
    assert jacobian(lambda x: [x * x, 3 * x])(2.0).tolist() == [4, 3]
    assert jacobian(lambda a, b: a * b, 1)(x, x).shape == (2, 3, 2, 3)
    assert jacobian(lambda x: x * 2)(3.0) == 2.0
    assert jacobian(lambda x: x[:0])(np.ones(2)).shape == (0, 2)


def test_hessians():
    A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 4.0]])
    x = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(hessian(lambda x: 0.5 * x @ A @ x)(x), A, rtol=1e-14)
    assert hessian(lambda x: x**3)(2.0) == 12.0
    assert hessian(lambda x: F.sum(x**3))(np.ones((2, 2))).shape == (2, 2, 2, 2)
    matrix = hessian(lambda x: F.logsumexp(x))(x)
    p = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(matrix, np.diag(p) - np.outer(p, p), rtol=1e-12)


def test_third_order_through_jacobian_of_hessian():
    found = jacobian(hessian(lambda x: x[0] ** 2 * x[1] + x[1] ** 3))(np.array([2.0, 3.0]))
    expected = np.zeros((2, 2, 2))
    expected[0, 0, 1] = expected[0, 1, 0] = expected[1, 0, 0] = 2
    expected[1, 1, 1] = 6
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_transforms_of_nodes_stay_in_the_graph():
    t = Tensor([1.0, 2.0], requires_grad=True)
    matrix = hessian(lambda x: (x**3).sum())(t)
    assert type(matrix) is Tensor
    assert gradients(matrix.sum())[t].tolist() == [6, 6]
    rows = jacobian(lambda x: x * x)(t)
    assert gradients(rows.sum())[t].tolist() == [2, 2]


def test_a_constant_node_gives_plain_numbers():
    assert type(grad(lambda x: F.sum(x * x))(Tensor([1.0, 2.0]))) is np.ndarray


def test_float32_and_lists():
    assert grad(lambda x: F.sum(x * x))(np.float32([1, 2])).dtype == np.float32
    assert grad(lambda x: F.sum(x * x))([1, 2]).tolist() == [2, 4]
    assert grad(lambda x: x * x)(3) == 6.0


def test_what_comes_back_may_be_changed():
    x = np.ones(3)
    for f in (F.sum, lambda x: F.sum(x + 0.0), lambda x: F.sum(x.reshape(3, 1))):
        slope = grad(f)(x)
        slope += 1
    assert x.tolist() == [1, 1, 1]


def test_a_function_that_fails_leaves_no_trace():
    def fails(x):
        raise KeyError("on purpose")

    with pytest.raises(KeyError):
        grad(fails)(1.0)
    assert type(grad(lambda x: x * x)(1.0)) is float


def test_no_grad_inside_cuts_the_graph():
    def f(x):
        with no_grad():
            y = x * x
        return y * x

    assert grad(f)(3.0) == 9.0
