"""Shapes of every kind: broadcasting, ranks of products, axes, indices - all drawn, and checked numerically."""

import numpy as np
import pytest
from cases import between, leaves
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from micrograd_nn import Value, gradients
from micrograd_nn import functional as F
from micrograd_nn.checking import gradcheck


def array(shape, seed=0):
    """Numbers of both signs, away from 0 and from one another."""
    return between(-2, 2, shape, seed, away=0.1)


def check(f, *arrays, order=2):
    """Of nothing, or by nothing, there is no slope; but gradients have shapes all the same."""
    if np.size(f(*arrays)) and any(map(np.size, arrays)):
        gradcheck(f, *arrays, order=order)
    else:
        inputs = leaves(arrays)
        found = gradients(F.sum(f(*inputs)))
        for x in inputs:
            np.testing.assert_array_equal(found[x], np.zeros(x.shape), strict=True)


few = settings(max_examples=8)  # each looks at every entry, to the second order
pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)
triples = hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3)
shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)


@pytest.mark.parametrize("f", [F.add, F.sub, F.mul, F.div, F.maximum, F.minimum], ids=str)
@few
@given(drawn=pairs)
def test_two_arrays_that_broadcast(f, drawn):
    x, y = array(drawn.input_shapes[0]), array(drawn.input_shapes[1], 1) + 0.01
    assert f(*leaves([x, y])).shape == drawn.result_shape
    gradcheck(f, x, y, order=2)


@few
@given(drawn=pairs)
def test_powers_that_broadcast(drawn):
    gradcheck(F.pow, np.abs(array(drawn.input_shapes[0])) + 0.3, array(drawn.input_shapes[1], 1), order=2)


@few
@given(drawn=triples)
def test_where_with_a_condition_that_broadcasts(drawn):
    condition = array(drawn.input_shapes[2], 2) > 0
    gradcheck(
        lambda x, y: F.where(condition, x, y), array(drawn.input_shapes[0]), array(drawn.input_shapes[1], 1), order=2
    )


@few
@given(drawn=pairs)
def test_constants_broadcast_like_nodes(drawn):
    x, c = array(drawn.input_shapes[0]), array(drawn.input_shapes[1], 1)
    gradcheck(lambda t: t * c + c - t / c, x)
    gradcheck(lambda t: c * t + c - c / t, x, order=2)
    gradcheck(lambda t: np.multiply(c, np.exp(t)) + np.where(c > 0, t, c), x)


# --- products ----------------------------------------------------------------------------------------------------

MATMUL = [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((3,), (2, 3, 4)), ((2, 4, 3), (3,)),
    ((2, 4, 3), (3, 2)), ((4, 3), (2, 3, 2)), ((2, 4, 3), (2, 3, 2)), ((1, 4, 3), (2, 3, 2)),
    ((3, 1, 2, 3), (2, 3, 2)),
    ((3,), (2, 2, 3, 1)), ((2, 2, 1, 3), (3,)), ((1, 1), (1, 1)), ((1,), (1,)),
]  # fmt: skip
DOT = [
    ((), ()),
    ((), (3,)),
    ((2, 3), ()),
    *MATMUL[:8],
    ((2, 4, 3), (2, 3, 2)),
    ((2, 3), (2, 2, 3, 2)),
    ((3,), (2, 3, 2)),
]


@pytest.mark.parametrize(("left", "right"), MATMUL, ids=str)
def test_matmul_in_every_rank(left, right):
    x, y = array(left), array(right, 1)
    np.testing.assert_allclose(F.matmul(*leaves([x, y])).data, x @ y, rtol=1e-14)
    gradcheck(F.matmul, x, y, order=2)
    gradcheck(lambda t: t @ y, x)
    gradcheck(lambda t: x @ t, y)


@pytest.mark.parametrize(("left", "right"), DOT, ids=str)
def test_dot_and_inner_in_every_rank(left, right):
    x, y = array(left), array(right, 1)
    np.testing.assert_allclose(np.dot(*leaves([x, y])).data, np.dot(x, y), rtol=1e-13)
    gradcheck(np.dot, x, y, order=2)
    if len(right) > 1:
        y = np.swapaxes(y, -1, -2)
    if left and right:
        np.testing.assert_allclose(np.inner(*leaves([x, y])).data, np.inner(x, y), rtol=1e-13)
        gradcheck(np.inner, x, y, order=2)


@few
@given(
    batch=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
    n=st.integers(1, 3), m=st.integers(1, 3), k=st.integers(1, 3),
)  # fmt: skip
def test_stacks_of_matrices_broadcast(batch, n, m, k):
    left, right = batch.input_shapes
    gradcheck(F.matmul, array((*left, n, m)), array((*right, m, k), 1), order=2)


EINSUM = [
    ("ij,jk->ik", (2, 3), (3, 2)), ("ij,jk", (2, 3), (3, 2)), ("ji,jk", (3, 2), (3, 2)), ("ij->", (2, 3)),
    ("ij", (2, 3)),
    ("ba", (2, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("iij->j", (3, 3, 2)), ("iji->ij", (3, 2, 3)),
    ("iii->i", (2, 2, 2)), ("ijij->ji", (2, 3, 2, 3)), ("i,j->ij", (2,), (3,)), ("i,i", (3,), (3,)),
    ("...i,...i->...", (2, 1, 3), (4, 3)), ("...ij,jk", (2, 2, 3), (3, 2)), ("i...->...", (3, 2)), ("...", (2, 3)),
    ("i...,...->i...", (2, 3), (3,)), ("...ii->...i", (2, 3, 3)), ("ij,ij->i", (2, 3), (2, 1)),
    ("ij,ij->j", (1, 3), (2, 3)),
    ("i,ij,j", (2,), (2, 3), (3,)), ("ab,bc,cd->ad", (2, 3), (3, 2), (2, 2)), ("ij,kl->", (2, 3), (2, 2)),
    (" i j , j -> i ", (2, 3), (3,)), (",ij->ij", (), (2, 3)), ("ij,k->i", (2, 3), (2,)),
]  # fmt: skip


@pytest.mark.parametrize("case", EINSUM, ids=lambda c: c[0])
def test_einsum(case):
    text, *drawn = case
    arrays = [array(shape, i) for i, shape in enumerate(drawn)]
    out = np.einsum(text, *leaves(arrays))
    np.testing.assert_allclose(out.data, np.einsum(text, *arrays), rtol=1e-13, atol=1e-14)
    gradcheck(lambda *t: np.einsum(text, *t), *arrays, order=2)


@pytest.mark.parametrize("axes", [0, 1, 2, ([0, 2], [1, 0]), ([-1], [0]), (2, 0)], ids=str)
def test_tensordot(axes):
    x, y = array((2, 3, 3)), array((3, 2, 3), 1)
    if axes == 2:
        y = array((3, 3, 2), 1)
    if axes == ([0, 2], [1, 0]):
        y = array((3, 2, 2), 1)
    np.testing.assert_allclose(np.tensordot(*leaves([x, y]), axes).data, np.tensordot(x, y, axes), rtol=1e-13)
    gradcheck(lambda a, b: np.tensordot(a, b, axes), x, y, order=2)


# --- reductions --------------------------------------------------------------------------------------------------


@st.composite
def array_and_axis(draw):
    shape = draw(shapes)
    n = len(shape)
    several = st.lists(st.integers(0, n - 1), unique=True, min_size=1).map(tuple)
    axis = draw(st.none() | st.integers(-n, n - 1) | several | several.map(lambda t: tuple(i - n for i in t)))
    return array(shape), axis, draw(st.booleans())


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min", "prod"])
@few
@given(drawn=array_and_axis())
def test_reductions(name, drawn):
    x, axis, keepdims = drawn
    function = getattr(np, name)
    out = function(*leaves([x]), axis=axis, keepdims=keepdims)
    expected = function(x, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(out.data, expected, rtol=1e-13, atol=1e-15)
    assert out.shape == expected.shape
    gradcheck(lambda t: F.square(function(t, axis=axis, keepdims=keepdims)), x)


@few
@given(drawn=array_and_axis())
def test_logsumexp_and_norm_along_axes(drawn):
    x, axis, keepdims = drawn
    gradcheck(lambda t: F.logsumexp(t, axis, keepdims), x)
    gradcheck(lambda t: F.norm(t, axis=axis, keepdims=keepdims), x)


@few
@given(drawn=array_and_axis())
def test_cumsum_and_softmax_along_an_axis(drawn):
    x, axis, _ = drawn
    if not isinstance(axis, tuple):
        gradcheck(lambda t: np.cumsum(t, axis), x, order=2)
    if isinstance(axis, int):
        gradcheck(lambda t: F.softmax(t, axis), x)
        gradcheck(lambda t: F.log_softmax(t, axis), x)


# --- indexing and shape ------------------------------------------------------------------------------------------


@st.composite
def array_and_index(draw):
    shape = draw(shapes)
    index = draw(
        hnp.basic_indices(shape, allow_newaxis=True) | hnp.integer_array_indices(shape)
        | hnp.arrays(bool, shape)
    )  # fmt: skip
    return array(shape), index


@few
@given(drawn=array_and_index())
def test_indexing_basic_and_advanced(drawn):
    x, index = drawn
    np.testing.assert_array_equal(leaves([x])[0][index].data, x[index])
    check(lambda t: F.square(F.getitem(t, index)), x)


@pytest.mark.parametrize(
    "index",
    [
        [0, 0, 2],
        ([0, 0, 1], [1, 1, 2]),
        (slice(None), [3, 3]),
        (None, ..., [0, 0]),
        (1, [0, 0, 0]),
        -1,
        ([[0, 1], [1, 0]],),
    ],
    ids=str,
)
def test_entries_picked_several_times_add_up(index):
    x = array((3, 4))
    np.testing.assert_array_equal(F.getitem(x, index), x[index])
    gradcheck(lambda t: F.square(t[index]), x, order=2)


@few
@given(shape=shapes, data=st.data())
def test_rearranging(shape, data):
    x = array(shape)
    n = len(shape)
    axes = data.draw(st.permutations(range(n)))
    a, b = data.draw(st.integers(-n, n - 1)), data.draw(st.integers(-n, n - 1))
    for f in (
        lambda t: np.transpose(t, axes), lambda t: np.swapaxes(t, a, b), lambda t: np.moveaxis(t, a, b),
        lambda t: np.reshape(t, -1), lambda t: np.flip(t, a), lambda t: np.roll(t, 2, a),
        lambda t: np.repeat(t, 2, a),
        lambda t: np.expand_dims(t, a), lambda t: np.tile(t, (2, 1)), lambda t: np.stack([t, t * t], a),
        lambda t: np.concatenate([t, t * t], a), lambda t: np.pad(t, 1), lambda t: np.split(t, [1], a)[0] * 2,
    ):  # fmt: skip
        np.testing.assert_array_equal(f(*leaves([x])).data, f(x))
        check(f, x, order=1)


@pytest.mark.parametrize("places", [3, [1], [2, 2], [3, 1], [-1], [1, 9]], ids=str)
def test_split_at_any_places(places):
    x = array((2, 6))
    for i, part in enumerate(np.split(x, places, 1)):
        np.testing.assert_array_equal(F.split(x, places, 1)[i], part)
        check(lambda t, i=i: F.square(np.split(t, places, 1)[i]), x)


def test_methods_say_the_same():
    x = array((2, 3, 4))
    (t,) = leaves([x])
    for f in (
        lambda a: a.T, lambda a: a.sum(0), lambda a: a.mean((0, 1)), lambda a: a.reshape(4, 6),
        lambda a: a.reshape((6, -1)),
        lambda a: a.transpose(2, 0, 1), lambda a: a.transpose((2, 0, 1)), lambda a: a.transpose(),
        lambda a: a.ravel(),
        lambda a: a.swapaxes(0, 1), lambda a: a.clip(-1, 1), lambda a: a.max(axis=1, keepdims=True),
        lambda a: a.cumsum(1),
        lambda a: a.std(ddof=1), lambda a: a.repeat(2, 0), lambda a: a[0], lambda a: a[..., 1], lambda a: abs(a),
        lambda a: -a,
        lambda a: +a, lambda a: a.squeeze(), lambda a: a.dot(np.ones(4)), lambda a: a.flatten(), lambda a: a.prod(1),
        lambda a: a.min(), lambda a: a.var(), lambda a: a.trace(),
    ):  # fmt: skip
        np.testing.assert_allclose(f(t).data, f(x), rtol=1e-13)


@pytest.mark.parametrize(
    "name",
    [
        "abs",
        "exp",
        "log",
        "sqrt",
        "square",
        "sin",
        "cos",
        "tanh",
        "sigmoid",
        "relu",
        "softmax",
        "log_softmax",
        "logsumexp",
    ],
)
def test_methods_say_what_functions_say(name):
    x = np.abs(array((2, 3)))
    gradcheck(lambda t: getattr(t, name)() if hasattr(t, "op") else getattr(F, name)(t), x, order=2)
    if hasattr(Value, name):
        assert getattr(Value(0.3), name)().data == pytest.approx(getattr(F, name)(0.3), rel=1e-15)


def test_entries_of_no_axis_and_no_entry():
    for shape in ((0,), (3, 0), (0, 2)):
        x = np.ones(shape)
        check(lambda t: t * 2 + t.sum(0), x)
        check(lambda t: np.prod(t, 0), x)
    gradcheck(lambda t: t.sum() * t, np.array(2.0), order=2)
