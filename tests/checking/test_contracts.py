"""Promises that need no numbers: each that is broken has its own sentence, and one only."""

import functools

import numpy as np
import pytest

from micrograd_nn import functional as F
from micrograd_nn.checking import check_backward, gradcheck
from micrograd_nn.op import REGISTRY, Op

look = functools.partial(check_backward, raise_on_error=False)
RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 4)), RNG.normal(size=4)


def affine(x, w, b):
    return x @ w + b


def with_b(made):
    """A right backward pass but for what is made of the gradient of b."""
    return lambda g, x, w, b: (g @ w.T, x.T @ g, made(g.sum(0)))


@pytest.mark.parametrize(
    ("made", "said"),
    [(lambda d: d.astype(int), "is int64, which holds no decimals: make it with np.zeros_like(b)"),
     (lambda d: d > 0, "is bool, which holds no decimals"),
     (lambda d: d + 0j, "is complex (complex128), and b is real: take its .real"),
     (lambda d: d.astype(object), "is an array of objects, not an array of numbers"),
     (lambda d: np.array(["a"] * 4), "is an array of <U1, not an array of numbers"),
     (lambda d: "text", "is a str, not an array of numbers"), (lambda d: object(), "is an object, not an array"),
     (lambda d: [[1.0], [1.0, 2.0]], "is a list, not an array of numbers"),
     (lambda d: list(d), "is a list, not an array: make it one with np.array(...)"),
     (lambda d: d.astype(np.float32), "is float32, and all else is float64: digits are lost on the way back"),
     (lambda d: d[None], "has shape (1, 4), and b has shape (4,): they must be the same"),
     (lambda d: d.sum(), "has shape (), and b has shape (4,)"), (lambda d: 0.0, "has shape (), and b has shape (4,)")],
)  # fmt: skip
def test_the_shape_and_type_of_a_gradient(made, said):
    report = look(affine, with_b(made), X, W, B)
    assert len(report.problems) == 1
    assert report.problems[0].startswith("the gradient of b ")
    assert said in report.problems[0]
    assert {r.verdict for r in report.rows if r.input != "b"} == {"ok"}  # the others are checked all the same


def test_no_numbers_are_compared_where_the_shape_is_another():
    report = look(affine, with_b(lambda d: np.zeros((3, 4))), X, W, B)
    assert {r.input for r in report.rows} == {"x", "w"}


def test_a_float32_gradient_is_told_off_for_its_type_and_not_for_its_digits():
    assert look(affine, with_b(lambda d: d.astype(np.float32)), X, W, B).count("wrong") == 0
    assert look(affine, with_b(lambda d: (2 * d).astype(np.float32)), X, W, B).count("wrong") == 4


def test_what_is_given_in_float32_throughout_comes_back_so():
    given = [a.astype(np.float32) for a in (X, W, B)]
    assert check_backward(affine, with_b(lambda d: d), *given)
    (problem,) = look(affine, with_b(lambda d: d.astype(float)), *given).problems
    assert problem == "b was given as float32, and its gradient comes back as float64: they must be the same."
    assert check_backward(affine, with_b(lambda d: d), X, W, B.astype(np.float32))  # NumPy widens the sum


# --- the same again ---------------------------------------------------------------------------------------------------


def test_a_forward_pass_that_is_not_the_same_twice():
    rng = np.random.default_rng(0)
    (problem,) = look(lambda x: x * rng.random(2), lambda g, x: g, X).problems
    assert problem.startswith("f is not deterministic: called twice with the same numbers, its result is ")
    assert ".eval()" in problem
    grown = [1]

    def longer(x):
        grown.append(1)
        return np.full(len(grown), x.sum())

    (problem,) = look(longer, lambda g, x: g.sum() * np.ones_like(x), X).problems
    assert "its result is of another shape" in problem
    (problem,) = look(lambda x: (x.sum(), x.sum() + rng.random()), lambda g, x: g[0] * x, X).problems
    assert "result 1 is" in problem


def test_a_backward_pass_that_is_not_the_same_twice():
    rng, total = np.random.default_rng(0), np.zeros_like(X)
    (problem,) = look(lambda x: 2 * x, lambda g, x: g * rng.random(2), X).problems
    assert problem.startswith("the backward pass is not the same twice")
    assert "grown" not in problem

    def adds_up(g, x):
        nonlocal total
        total = total + 2 * g
        return total

    (problem,) = look(lambda x: 2 * x, adds_up, X).problems
    assert problem.endswith("another gradient of x. It has grown: something is added up over calls.")


def test_nan_is_the_same_as_nan_when_called_twice():
    report = look(lambda x: np.where(x > 5, x, np.nan), lambda g, x: g, X)
    assert not any("deterministic" in p for p in report.problems)
    assert not report


# --- nothing is changed -----------------------------------------------------------------------------------------------


def doubles(x):
    x *= 2
    return x


def halves_on_the_way_back(g, x):
    x /= 2
    return 2 * g


def doubles_what_comes_in(g, x):
    g *= 2
    return g


def writes_labels(x, i):
    i[0] = 1
    return x * 2.0


@pytest.mark.parametrize(
    ("forward", "backward", "said"),
    [(doubles, lambda g, x: 2 * g, "doubles changes its input x in place"),
     (lambda x: np.exp(x, out=x), lambda g, x: g, "f changes its input x in place"),
     (lambda x: 2 * x, halves_on_the_way_back, "halves_on_the_way_back changes its input x in place"),
     (lambda x: 2 * x, doubles_what_comes_in, "doubles_what_comes_in changes the gradient that comes in, in place"),
     (writes_labels, lambda g, x, i: 2 * g, "writes_labels changes its input i in place")],
    ids=["forward", "out=", "backward", "grad_output", "labels"],
)  # fmt: skip
def test_inputs_are_left_alone_and_so_is_what_comes_in(forward, backward, said):
    inputs = (X.copy(), np.array([0, 1])) if forward is writes_labels else (X.copy(),)
    before = [a.copy() for a in inputs]
    report = look(forward, backward, *inputs)
    assert len(report.problems) == 1
    assert said in report.problems[0]
    assert not report.rows
    np.testing.assert_equal(inputs, before)


def test_what_only_looks_the_same_in_memory_is_fine():
    assert check_backward(lambda x: x, lambda g, x: g, X)
    assert check_backward(lambda x: x.T, lambda g, x: g.T, X)
    assert check_backward(lambda x: x.reshape(-1), lambda g, x: g.reshape(x.shape), X)
    assert check_backward(lambda x: (x**2 / 2).sum(), lambda g, x: x * g, X)
    assert check_backward(lambda x, y: x + y, lambda g, x, y: (g, g), X, X)


# --- linear in what comes in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backward", "said"),
    [(lambda g, x: 2 * x, "does not depend on the gradient that comes in: multiply by it"),
     (lambda g, x: 2 * x * g**2, "is not linear in the gradient that comes in"),
     (lambda g, x: 2 * x * np.sign(g), "is not linear"), (lambda g, x: 2 * x * g + x, "is not linear"),
     (lambda g, x: (2 * x * g).astype("f4").astype(float), "something on the way back is rounded, or is float32")],
)  # fmt: skip
def test_gradients_are_linear_in_the_gradient_that_comes_in(backward, said):
    for forward in (lambda x: x**2, lambda x: (x**2).sum()):
        report = look(forward, backward, X)
        assert len(report.problems) == 1
        assert report.problems[0].startswith("the gradient of x ")
        assert said in report.problems[0]
        assert report.cause == "grad_output ignored"
        assert str(report).replace("\n  ", " ").count(report.problems[0]) == 1


def test_a_loss_whose_gradient_ignores_what_comes_in_is_told_even_though_its_numbers_are_right():
    report = look(lambda x: (x**2).sum(), lambda g, x: 2 * x, X)
    assert not report
    assert report.count("wrong") == 0


def test_sums_that_cancel_are_linear():
    def backward(g, x):
        return 1e8 * g.sum() * np.ones_like(x) - 1e8 * g.sum() * np.ones_like(x) + g

    assert not [p for p in look(lambda x: x * 1.0, backward, X).problems if "linear" in p]


# --- ops of our own ---------------------------------------------------------------------------------------------------


def test_a_rule_that_ignores_what_comes_in_is_named():
    op = Op("ignores", np.tanh, lambda g, out, a: 1 - out * out)
    del REGISTRY[op.name]
    report = gradcheck(lambda x: op(x * 2), X, raise_on_error=False)
    (problem,) = report.problems
    assert problem.startswith("the gradient of x ")
    assert report.cause == "grad_output ignored"
    assert report.blame.op == "ignores"


def test_a_function_of_nodes_that_is_not_the_same_twice():
    rng = np.random.default_rng(0)
    (problem,) = gradcheck(lambda x: F.tanh(x) * rng.random(2), X, raise_on_error=False).problems
    assert "is not deterministic" in problem
