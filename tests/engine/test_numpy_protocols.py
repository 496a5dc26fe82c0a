"""NumPy's own functions on nodes, from either side, and what is said where a gradient would be lost."""

import math

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, gradients, no_grad
from micrograd_nn.protocols import FUNCTIONS, PLAIN, UFUNCS

ARRAY = np.array([1.0, 2.0, 4.0])


@pytest.fixture
def v():
    return Value(3.0, name="v")


@pytest.fixture
def t():
    return Tensor([0.5, 1.0, 1.5], requires_grad=True, name="t")


def test_numpy_numbers_on_either_side(v):
    for out, slope in (
        (np.float64(2) * v, 2), (v * np.float64(2), 2), (np.int64(2) + v, 1), (v - np.float32(2), 1),
        (np.float64(6) / v, -6 / 9), (np.float64(2) ** v, 8 * math.log(2)), (np.bool_(True) * v, 1), (True * v, 1),
    ):  # fmt: skip
        assert type(out) is Value
        assert gradients(out)[v] == pytest.approx(slope, rel=1e-15)


def test_arrays_on_either_side(t):
    for out in (ARRAY * t, t * ARRAY, np.multiply(ARRAY, t)):
        assert type(out) is Tensor
        np.testing.assert_array_equal(gradients(out.sum())[t], ARRAY)
    for out in (ARRAY / t, np.divide(ARRAY, t)):
        np.testing.assert_allclose(gradients(out.sum())[t], -ARRAY / t.data**2, rtol=1e-15)
    np.testing.assert_array_equal(gradients(np.eye(3)[:2] @ t, np.array([3.0, 5.0]))[t], [3, 5, 0])
    assert type(np.float64(2) - t) is Tensor


def test_an_array_and_a_value_make_a_tensor(v):
    for out in (ARRAY * v, v * ARRAY):
        assert type(out) is Tensor
        assert gradients(out.sum())[v] == 7.0


def test_a_value_and_a_tensor_make_a_tensor(v, t):
    for out in (v * t, t * v, np.multiply(v, t)):
        assert type(out) is Tensor
        found = gradients(out.sum())
        assert found[v] == 3.0
        assert found[t].tolist() == [3, 3, 3]


def test_lists_beside_a_tensor(v, t):
    more = [1, 2, 3]
    assert (t + more).data.tolist() == [1.5, 3, 4.5]
    out = [v, 1.0, v] * t
    assert gradients(out.sum())[v] == 2.0


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "tanh", "square", "abs", "negative", "arctan"])
def test_ufuncs(name, v, t):
    f = getattr(np, name)
    assert type(f(v)) is Value
    assert f(v).data == pytest.approx(f(3.0), rel=1e-15)
    assert type(f(t)) is Tensor
    np.testing.assert_allclose(f(t).data, f(t.data), rtol=1e-15)


def test_ufunc_reduce(t):
    assert gradients(np.add.reduce(t))[t].tolist() == [1, 1, 1]
    assert gradients(np.multiply.reduce(t))[t] == pytest.approx([1.5, 0.75, 0.5])
    assert gradients(np.maximum.reduce(t))[t].tolist() == [0, 0, 1]
    matrix = Tensor(np.ones((2, 3)), requires_grad=True)
    assert np.add.reduce(matrix).shape == (3,)


def test_joining_nodes(v, t):
    joined = np.concatenate([t, ARRAY, t])
    assert gradients(joined @ np.arange(9.0))[t].tolist() == [6, 8, 10]
    stacked = np.stack([v, 2 * v, np.float64(1)])
    assert type(stacked) is Tensor
    assert gradients(stacked.sum())[v] == 3.0
    assert np.stack([t, ARRAY]).shape == (2, 3)


@pytest.mark.parametrize("make", [
    lambda v, t: np.array(v), lambda v, t: np.asarray(t), lambda v, t: np.array([v, v]), lambda v,
    t: np.array([t, t]),
    lambda v, t: np.array([1.0, v]), lambda v, t: np.asarray([[v, 1.0], [v, v]]), lambda v, t: np.sum([v, v]),
    lambda v, t: np.add.reduce([v, v]), lambda v, t: np.asarray(t, dtype=float), lambda v, t: np.mean([t, t]),
])  # fmt: skip
def test_a_node_never_turns_into_a_plain_array(make, v, t):
    with pytest.raises(TypeError, match=r"np\.stack") as error:
        make(v, t)
    assert "gradient would be lost" in str(error.value)


def test_a_node_without_a_gradient_to_lose_may(v):
    assert np.array(Tensor([1.0, 2.0])).tolist() == [1, 2]
    assert np.asarray(Tensor([1.0, 2.0]), dtype=np.float32).dtype == np.float32
    assert np.array([v.detach(), v.detach()]).dtype == float
    with no_grad():
        assert float(v) == float(np.array(v)) == 3.0
        assert math.exp(v) == math.exp(3.0)


def test_plain_numbers_are_had_by_asking(v, t):
    assert v.item() == 3.0
    assert float(v.numpy()) == 3.0
    assert t.tolist() == [0.5, 1, 1.5]
    copy = t.numpy()
    copy[0] = 9
    assert t.data[0] == 0.5
    assert f"{v:.2f}" == "3.00"


@pytest.mark.parametrize("leave", [float, int, math.exp, math.sqrt, math.tanh])
def test_pythons_functions_would_lose_the_gradient(leave, v):
    for node in (v, Tensor(1.0, requires_grad=True, name="v")):
        with pytest.raises(TypeError, match=r"np\.exp\(v\).*v\.item\(\)"):
            leave(node)


def test_in_place_into_an_array_is_refused(v, t):
    array = ARRAY.copy()
    for node in (v, t):
        with pytest.raises(TypeError, match=r"a = a \+ node"):
            array += node
        with pytest.raises(TypeError, match=r"np\.exp cannot write"):
            np.exp(node, out=array)
    with pytest.raises(TypeError, match=r"np\.sum on a node does not take out="):
        np.sum(t, out=array)
    assert array.tolist() == ARRAY.tolist()


def test_in_place_on_a_node_makes_a_new_one(t):
    u = t
    u += 1
    assert u is not t
    assert t.data[0] == 0.5


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (np.sinc, "np.sinc"), (np.fft.fft, "np.fft"), (np.median, "np.median"), (np.cbrt, "np.cbrt"),
        (np.sort, "np.sort"),
        (lambda t: np.add.accumulate(t), "np.add.accumulate"), (lambda t: np.add.outer(t, t), "np.add.outer"),
        (lambda t: np.hypot(t, t), "np.hypot"), (lambda t: np.linalg.inv(t), "np.inv"), (np.exp2, "np.exp2"),
        (lambda t: np.kron(t, t), "np.kron"), (lambda t: np.interp(t, [0, 1], [0, 1]), "np.interp"),
    ],
)  # fmt: skip
def test_a_function_without_a_rule_is_named(call, name, t):
    with pytest.raises(TypeError, match="no derivative rule") as error:
        call(t)
    assert name.split(".")[-1].removeprefix("np.") in str(error.value)
    assert "micrograd_nn.functional" in str(error.value)


def test_arguments_without_a_meaning_are_named(t):
    with pytest.raises(TypeError, match=r"np\.sum on a node does not take dtype="):
        np.sum(t, dtype=int)
    with pytest.raises(TypeError, match=r"np\.mean on a node does not take where="):
        np.mean(t, where=[True, False, True])
    with pytest.raises(TypeError, match=r"np\.pad on a node.*'end_values'"):
        np.pad(t, 1, mode="linear_ramp", end_values=2)


def test_comparisons_and_counts_are_plain(v, t):
    assert type(t > 0.7) is np.ndarray
    assert (t > 0.7).tolist() == [False, True, True]
    assert (t < ARRAY).all()
    assert (t == np.array([0.5, 0, 0])).tolist() == [True, False, False]
    assert (t != 0.5).tolist() == [False, True, True]
    assert (v != ARRAY).tolist() == [True, True, True]
    assert v > 2
    assert 2 < v <= 3 == v
    assert v != 4
    assert np.float64(2) < v
    assert max([v, Value(5.0)]).data == 5.0
    assert bool(v)
    assert not Value(0.0)
    assert np.isfinite(t).all()
    assert np.allclose(t, t.data)
    assert np.shape(t) == (3,)
    assert np.zeros_like(t).tolist() == [0, 0, 0]
    assert np.argsort(-t.data).tolist() == [2, 1, 0]


def test_sums_of_values(v):
    assert sum([v, v, 1]).data == 7.0
    assert gradients(sum([v, v, 1]))[v] == 2.0


def test_nothing_is_in_two_tables():
    assert not set(UFUNCS) & PLAIN
    assert not set(FUNCTIONS) & PLAIN


def test_nodes_are_keys_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == b
    assert len({a, b}) == 2
