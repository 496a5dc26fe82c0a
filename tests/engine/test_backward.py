"""What a backward sweep leaves behind: in leaves, in the nodes between, after an error, and in the three modes."""

import math
import threading

import numpy as np
import pytest

from micrograd_nn import AnomalyError, Tensor, Value, detect_anomaly, gradients, no_grad
from micrograd_nn import functional as F
from micrograd_nn.checking import numerical_gradient
from micrograd_nn.graph import frame
from micrograd_nn.op import REGISTRY, Op


def test_leaves_add_up_and_the_nodes_between_hold_the_latest_sweep():
    a, t = Value(3.0), Tensor([1.0, 2.0], requires_grad=True)
    b, u = a * a, t * t
    c, w = b * 2, u.sum()
    for times in (1, 2, 3):
        c.backward()
        w.backward()
        assert (a.grad, b.grad, c.grad) == (12.0 * times, 2.0, 1.0)
        assert t.grad.tolist() == [2.0 * times, 4.0 * times]
        assert u.grad.tolist() == [1, 1]
        assert w.grad == 1


def test_two_roots_over_one_leaf():
    a = Value(3.0)
    (a * 2).backward()
    (a * a).backward()
    assert a.grad == 8.0


def test_a_leaf_is_a_graph_too():
    a, t = Value(3.0), Tensor(2.0, requires_grad=True)
    a.backward()
    t.backward()
    assert (a.grad, t.grad) == (1.0, 1.0)


def test_starting_from_another_gradient():
    a, t = Value(3.0), Tensor([1.0, 2.0], requires_grad=True)
    (a * a).backward(10)
    (t * t).backward([1.0, 10.0])
    assert a.grad == 60.0
    assert t.grad.tolist() == [2, 40]


def test_gradients_leave_grad_alone():
    a = Value(3.0)
    b = a * a
    b.backward()
    found = gradients(b * b)
    assert (found[a], found[b]) == (108.0, 18.0)
    assert (a.grad, b.grad) == (6.0, 1.0)
    untouched = Tensor([1.0], requires_grad=True)
    gradients((untouched * 2).sum())
    assert untouched.grad is None


def test_gradients_know_only_what_is_tracked():
    a, c = Value(3.0), Tensor([1.0, 2.0])
    root = (a * c).sum()
    assert set(gradients(root)) == {a, root, root.parents[0]}


def test_gradients_that_can_be_differentiated_again():
    x = Value(2.0)
    first = gradients(x**4, create_graph=True)[x]
    second = gradients(first, create_graph=True)[x]
    third = gradients(second)[x]
    assert (first.data, second.data, third) == (32.0, 48.0, 48.0)
    t = Tensor([1.0, 2.0], requires_grad=True)
    slope = gradients((t**3).sum(), create_graph=True)[t]
    assert gradients(slope, np.array([1.0, 10.0]))[t].tolist() == [6, 120]
    seed = Tensor([1.0, 1.0], requires_grad=True)
    assert gradients(gradients(t**3, seed, create_graph=True)[t].sum())[seed].tolist() == [3, 12]


def test_a_gradient_penalty():
    w, x = Tensor([0.5, -1.0], requires_grad=True), Tensor([2.0, 3.0], requires_grad=True)
    out = F.tanh(w @ x)
    slope = gradients(out, create_graph=True)[x]
    (slope * slope).sum().backward()
    expected = numerical_gradient(lambda w: np.sum(((1 - np.tanh(w @ x.data) ** 2) * w) ** 2), w.data)
    np.testing.assert_allclose(w.grad, expected, rtol=1e-9)


def test_no_two_leaves_share_a_gradient():
    shapes = {"a": (2, 3), "b": (2, 3), "c": (3,), "d": (2, 3)}
    leaves = {k: Tensor(np.ones(s), requires_grad=True) for k, s in shapes.items()}
    a, b, c, d = leaves.values()
    seed = np.ones((5, 3))
    root = np.concatenate([a + b, d.T.T, F.reshape(c, (1, 3)) + 0.0])
    root.backward(seed)
    before = {k: t.grad.copy() for k, t in leaves.items()}
    for k, t in leaves.items():
        t.grad += 100
        for other in leaves.keys() - {k}:
            np.testing.assert_array_equal(leaves[other].grad, before[other])
        t.grad -= 100
    assert (seed == 1).all()
    lone = Tensor([1.0], requires_grad=True)
    given = np.ones(1)
    lone.backward(given)
    lone.grad += 1
    assert given[0] == 1


@pytest.mark.parametrize(
    "f",
    [
        lambda t: t + 1, lambda t: t.reshape(-1), lambda t: t.T, lambda t: F.flip(t), lambda t: t[:],
        lambda t: F.identity(t),
        lambda t: F.broadcast_to(t, (2, 2)), lambda t: F.stack([t, t])[0], lambda t: F.split(t, 2)[0],
        lambda t: t.astype(float),
        lambda t: t.sum() * np.ones((2, 2)), lambda t: F.where(True, t, 0), lambda t: F.roll(t, 1),
        lambda t: F.squeeze(t),
    ],
)  # fmt: skip
def test_a_gradient_belongs_to_its_leaf(f):
    t, u = (Tensor(np.ones((2, 2)), requires_grad=True) for _ in range(2))
    root = f(t) + f(u)
    seed = np.ones(root.shape)
    root.backward(seed)
    expected = t.grad.copy()
    t.grad *= 7
    u.grad *= 3
    np.testing.assert_array_equal(t.grad, expected * 7)
    np.testing.assert_array_equal(u.grad, expected * 3)
    assert (seed == 1).all()
    assert (root.grad == 1).all()


# --- a value overwritten ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new", ["value", "tensor", "constant", "mixed"])
def test_a_leaf_overwritten_after_use_is_noticed(new):
    w = Value(2.0, name="w") if new == "value" else Tensor([2.0], requires_grad=new != "constant", name="w")
    other = Value(3.0) if new in ("value", "mixed") else Tensor([3.0], requires_grad=True)
    root = F.sum((w * other) * 2.0)
    w.data = 5.0 if new == "value" else [5.0]
    for sweep in (root.backward, lambda: gradients(root), lambda: gradients(root, create_graph=True)):
        with pytest.raises(RuntimeError, match=r"w was given a new value after `mul` had used it"):
            sweep()
    assert other.grad is None
    again = F.sum(w * other)
    again.backward()
    assert other.grad == 5.0


def test_in_place_counts_as_a_new_value():
    for w in (Value(2.0, name="w"), Tensor([2.0], requires_grad=True, name="w")):
        root = F.sum(w * w)
        w.data -= 0.5
        with pytest.raises(RuntimeError, match="w was given a new value"):
            root.backward()


def test_a_leaf_overwritten_elsewhere_does_no_harm():
    a, b = Value(2.0), Value(3.0)
    root = a * a
    b.data = 5.0
    root.backward()
    assert a.grad == 4.0


def test_the_error_names_the_module():
    token = frame.set(frame.get().but(module="layers[0]"))
    try:
        w = Value(1.0, name="w")
        root = w.exp()
    finally:
        frame.reset(token)
    assert root.module == "layers[0]"
    w.data = 2.0
    with pytest.raises(RuntimeError, match=r"`exp` in layers\[0\]"):
        root.backward()


# --- an error in the middle ---------------------------------------------------------------------------------------


def test_an_error_in_the_middle_leaves_everything_usable():
    def fail(g, out, a):
        raise KeyError("on purpose")

    bad = Op("test_bad", lambda a: a * 1.0, fail, scalar=lambda a: a * 1.0)
    try:
        for a, b in ((Value(2.0), Value(3.0)), (Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True))):
            F.sum(a * b).backward()
            before = float(a.grad), float(b.grad)
            middle = a * b
            root = F.sum(bad(middle * a) + b * a)
            for sweep in (root.backward, lambda root=root: gradients(root)):
                with pytest.raises(KeyError, match="on purpose"):
                    sweep()
                assert (float(a.grad), float(b.grad)) == before
            F.sum(middle * middle).backward()
            assert (float(a.grad), float(b.grad)) == (before[0] + 2 * 2 * 9, before[1] + 2 * 3 * 4)
    finally:
        del REGISTRY["test_bad"]


# --- modes --------------------------------------------------------------------------------------------------------


def test_nothing_is_recorded_under_no_grad():
    a, t = Value(2.0), Tensor([1.0], requires_grad=True)

    @no_grad()
    def compute():
        return a * a + 1, np.exp(t) @ t, 2 ** (-a)

    for out in compute():
        assert not out.requires_grad
        assert out.op is None
        assert out.parents == ()
    assert (a * a).requires_grad
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (a * a).requires_grad


def test_no_grad_holds_for_its_own_thread_alone():
    a, seen = Value(2.0), []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((a * a).requires_grad))
        thread.start()
        thread.join()
        assert not (a * a).requires_grad
    assert seen == [True]


def test_a_leaf_can_be_told_to_be_a_constant():
    a, b = Value(2.0), Value(3.0)
    a.requires_grad = False
    root = a * b
    root.backward()
    assert (a.grad, b.grad) == (None, 2.0)
    a.requires_grad = True
    (a * b).backward()
    assert a.grad == 3.0


def test_detach_starts_anew():
    for x in (Value(2.0), Tensor([2.0], requires_grad=True)):
        y = (x * 3).detach()
        assert not y.requires_grad
        assert y.op is None
        z = F.sum(y * x)
        assert gradients(z)[x] == 6.0


def in_module(name, f):
    token = frame.set(frame.get().but(module=name))
    try:
        return f()
    finally:
        frame.reset(token)


def test_the_first_nan_forward_is_named():
    x, t = Value(-1.0, name="x"), Tensor([1.0, 0.0], requires_grad=True, name="t")
    with detect_anomaly():  # and no warning from NumPy
        with pytest.raises(AnomalyError, match=r"`log` in head gave nan in the forward pass from \(x = -1\)"):
            in_module("head", lambda: F.log(x))
        with pytest.raises(AnomalyError, match=r"`div` gave inf at \[1\].*t = an array of shape \(2,\)"):
            1.0 / t
        assert (x * 2).data == -2.0


def test_the_first_nan_backward_is_named():
    x, t = Value(0.0, name="x"), Tensor([1.0, 0.0], requires_grad=True, name="t")
    roots = [in_module("head", lambda: F.sqrt(x)), F.sqrt(t).sum()]
    with detect_anomaly():
        with pytest.raises(
            AnomalyError,
            match=r"`sqrt` in head gave inf in the backward pass.* x = 0; its own gradient was 1, its value 0",
        ):
            roots[0].backward()
        with pytest.raises(AnomalyError, match=r"`sqrt` gave inf at \[1\] in the backward pass"):
            roots[1].backward()
    with np.errstate(all="ignore"):
        assert x.grad is t.grad is None
        roots[0].backward()
    assert math.isinf(x.grad)


def test_anomalies_are_arithmetic_errors():
    assert issubclass(AnomalyError, ArithmeticError)
