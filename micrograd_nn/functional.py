"""Functions of a Value, a Tensor, an ndarray or a float, each giving the same kind.

Every operation of the rule table is here under NumPy's or PyTorch's name and arguments, with what is composed of
them: products of several kinds, statistics and ways to rearrange an array. The losses are in `losses.py`.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn import ops
from micrograd_nn.graph import Node
from micrograd_nn.losses import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    l1_loss,
    mse_loss,
    multi_margin_loss,
    nll_loss,
)
from micrograd_nn.op import shape_of
from micrograd_nn.ops import (
    abs,
    add,
    arccos,
    arcsin,
    arctan,
    cos,
    cosh,
    div,
    exp,
    expm1,
    gelu,
    joined,
    log,
    log1p,
    matmul,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softplus,
    sqrt,
    square,
    sub,
    tan,
    tanh,
)  # fmt: skip

__all__ = [
    "abs", "add", "arccos", "arcsin", "arctan", "argmax", "argmin", "binary_cross_entropy_with_logits", "broadcast_to",
    "clip", "concatenate", "cos", "cosh", "cross_entropy", "cumsum", "diag", "diagonal", "div", "dot", "einsum", "elu",
    "exp", "expand_dims", "expm1", "flip", "gelu", "getitem", "hinge_loss", "identity", "inner", "l1_loss",
    "leaky_relu", "log", "log1p", "log_softmax", "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum",
    "moveaxis", "mse_loss", "mul", "multi_margin_loss", "neg", "nll_loss", "norm", "outer", "pad", "pow", "prelu",
    "prod", "ravel", "relu", "repeat", "reshape", "roll", "sigmoid", "sign", "silu", "sin", "sinh",
    "sliding_window_view", "softmax", "softplus", "split", "sqrt", "square", "squeeze", "stack", "std", "sub", "sum",
    "swapaxes", "tan", "tanh", "tensordot", "tile", "trace", "transpose", "tril", "triu", "var", "where",
]  # fmt: skip

Axis = int | tuple[int, ...] | None


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


def _array(x: Any) -> Any:
    """Something with a shape: nodes and arrays as they are, lists and numbers as arrays."""
    x = joined(x)
    return x if isinstance(x, Node) or hasattr(x, "shape") else np.asarray(x)


def _axis(axis: Any) -> Axis:
    return tuple(int(i) for i in axis) if isinstance(axis, (tuple, list)) else axis if axis is None else int(axis)


def _over(axis: Any, keepdims: bool) -> dict[str, Any]:
    """The parameters of a reduction; none for the plain one over all entries."""
    return {} if axis is None and not keepdims else {"axis": _axis(axis), "keepdims": keepdims}


def _sizes(x: Any) -> tuple[int, ...]:
    """One size or several, as a tuple."""
    return (int(x),) if isinstance(x, (int, np.integer)) else tuple(x)


def _axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(i + ndim if i < 0 else i for i in axes)


# --- choosing and bounding -----------------------------------------------------------------------------------------


def where(condition: Any, x: Any, y: Any) -> Any:
    """`x` where `condition` holds and `y` elsewhere; the branch not taken gets a gradient of 0.

    >>> x = np.array([-1.0, 4.0])
    >>> where(x > 0, x, 0.0)
    array([0., 4.])
    """
    chosen = np.array(_plain(condition), bool)  # a copy: changed later, it would change gradients
    x, y = joined(x), joined(y)
    if not chosen.ndim:
        return ops.where(x, y, condition=bool(chosen))
    if not shape_of(x) and not shape_of(y):  # as many results as there are conditions
        x = stack([x]) if isinstance(x, Node) else np.asarray(x)
        y = stack([y]) if isinstance(y, Node) else np.asarray(y)
    return ops.where(x, y, condition=chosen)


def clip(a: Any, min: Any = None, max: Any = None, *, a_min: Any = None, a_max: Any = None) -> Any:
    """`a` held between `min` and `max`, either of which may be left out; the gradient is 0 outside.

    Bounds that are nodes or arrays work as `maximum` and `minimum` do.
    """
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if any(isinstance(bound, Node) or np.ndim(bound) for bound in (low, high)):
        a = a if low is None else maximum(a, low)
        return a if high is None else minimum(a, high)
    return ops.clip(a, low=-math.inf if low is None else low, high=math.inf if high is None else high)


# --- activations with a parameter or an axis -----------------------------------------------------------------------


def identity(x: Any) -> Any:
    """`x` itself: the activation of an output layer."""
    return x


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """`x` where positive, `negative_slope * x` elsewhere. For a slope that is learned see `prelu`."""
    if isinstance(negative_slope, Node):
        raise TypeError(
            f"leaky_relu has a fixed slope, and the gradient of the node {negative_slope.label} would be lost: use "
            "F.prelu(x, weight), whose slope is learned."
        )
    return ops.leaky_relu(x, negative_slope=negative_slope)


def prelu(input: Any, weight: Any) -> Any:
    """`input` where positive, `weight * input` elsewhere: `leaky_relu` with a slope that is learned (He et al. 2015).

    `weight` is one slope, or one a unit: as many as the last axis of `input` is long.

    >>> prelu(np.array([[-2.0, -2.0], [1.0, -4.0]]), np.array([0.25, 0.5]))
    array([[-0.5, -1. ],
           [ 1. , -2. ]])
    """
    input, weight = joined(input), joined(weight)
    shape, slopes = np.shape(_plain(input)), np.shape(_plain(weight))
    if slopes not in ((), (1,), shape[-1:]):
        raise ValueError(
            f"prelu takes one slope, or one for each of the {shape[-1] if shape else 1} units on the last axis of "
            f"{shape}, and the weight has shape {slopes}."
        )
    return ops.prelu(input, weight if shape or not slopes else getitem(weight, 0))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, `alpha * (exp(x) - 1)` elsewhere."""
    if isinstance(alpha, Node):
        raise TypeError(
            f"elu has a fixed alpha, and the gradient of the node {alpha.label} would be lost: write "
            "F.where(x > 0, x, alpha * F.expm1(F.minimum(x, 0.0)))."
        )
    return ops.elu(x, alpha=alpha)


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) over its sum along `axis`; a list of Values is joined first.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    return ops.softmax(_array(x), axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of `softmax`, right to the last digit where softmax itself would round to 0."""
    return ops.log_softmax(_array(x), axis=axis)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) along `axis`, over all entries by default; never overflows."""
    return ops.logsumexp(_array(x), axis=_axis(axis), keepdims=keepdims)


# --- reductions ----------------------------------------------------------------------------------------------------


def sum(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum along `axis` (an int or several), over all entries by default."""
    return ops.sum(joined(a), **_over(axis, keepdims))


def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean along `axis`."""
    return ops.mean(_array(a), **_over(axis, keepdims))


def max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry along `axis`; ties share the gradient equally."""
    return ops.max(joined(a), **_over(axis, keepdims))


def min(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry along `axis`; ties share the gradient equally."""
    return ops.min(joined(a), **_over(axis, keepdims))


def var(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance along `axis`: the mean squared distance from the mean, over n - ddof (NumPy's convention)."""
    a = _array(a)
    n = ops.count(a, _axis(axis))
    return sum(square(a - mean(a, axis, keepdims=True)), axis, keepdims) / (n - ddof)


def std(a: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The standard deviation along `axis`; where all entries are equal its gradient is 0, not NaN."""
    a = _array(a)
    n = ops.count(a, _axis(axis))
    return norm(a - mean(a, axis, keepdims=True), None, axis, keepdims) / math.sqrt(n - ddof)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The Euclidean length along `axis` (of a matrix: Frobenius), with gradient 0 at 0. `ord` may also be 1 or inf
    for vectors: the sum, or the largest, of the absolute values."""
    x, axis = _array(x), _axis(axis)
    vector = isinstance(axis, int) or (axis is None and len(shape_of(x)) == 1)
    if ord is None or (ord == 2 and vector) or (isinstance(ord, str) and ord == "fro"):
        return ops.norm(x, axis=axis, keepdims=keepdims)
    if vector and ord in (1, math.inf):
        return (sum if ord == 1 else max)(abs(x), axis, keepdims)
    raise ValueError(f"norm has no derivative rule for ord={ord!r} here: use None or 'fro', or 1, 2 or inf of vectors.")


def prod(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product along `axis`, multiplied pair by pair, so that its gradient is right through zeros too."""
    a = _array(a)
    if not isinstance(a, Node):
        return np.prod(a, axis=_axis(axis), keepdims=keepdims)
    axes = _axes(len(shape_of(a)), _axis(axis))
    if not axes:
        return a
    kept = tuple(size for i, size in enumerate(shape_of(a)) if i not in axes)
    rows = reshape(moveaxis(a, axes, range(len(axes))), (ops.count(a, axes), *kept))
    while shape_of(rows)[0] > 1:
        half = shape_of(rows)[0] // 2
        pairs = rows[:half] * rows[half : 2 * half]
        rows = concatenate([pairs, rows[2 * half :]]) if shape_of(rows)[0] % 2 else pairs
    if not shape_of(rows)[0]:
        rows = sum(rows, 0) + 1.0  # of nothing: 1
    return reshape(rows, tuple(1 if i in axes else size for i, size in enumerate(shape_of(a))) if keepdims else kept)


def cumsum(a: Any, axis: int | None = None) -> Any:
    """Running sums along `axis`, of the flattened array by default."""
    a = _array(a)
    return ops.cumsum(ravel(a), axis=0) if axis is None else ops.cumsum(a, axis=axis)


def argmax(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest entry is, as a plain int or array: a place has no gradient."""
    return np.argmax(_plain(_array(a)), axis=axis, keepdims=keepdims)


def argmin(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the smallest entry is, as a plain int or array."""
    return np.argmin(_plain(_array(a)), axis=axis, keepdims=keepdims)


# --- products ------------------------------------------------------------------------------------------------------


def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: the last axis of `a` against the last but one of `b`, or its only one; scalars multiply."""
    a, b = _array(a), _array(b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if not m or not n:
        return a * b
    return matmul(a, b) if m <= 2 >= n or n == 1 else tensordot(a, b, ([m - 1], [builtins.max(n - 2, 0)]))


def inner(a: Any, b: Any) -> Any:
    """The last axis of `a` against the last of `b`."""
    a, b = _array(a), _array(b)
    return a * b if not shape_of(a) or not shape_of(b) else tensordot(a, b, ([-1], [-1]))


def outer(a: Any, b: Any) -> Any:
    """Every entry of `a` times every entry of `b`: shape (size of a, size of b)."""
    return reshape(_array(a), (-1, 1)) * reshape(_array(b), (1, -1))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum over pairs of axes: the last `axes` of `a` with the first of `b`, or two lists that name them."""
    a, b = _array(a), _array(b)
    m, n = len(shape_of(a)), len(shape_of(b))
    if isinstance(axes, (int, np.integer)):
        axes = (list(range(m - axes, m)), list(range(axes)))
    left, right = (list(_sizes(x)) for x in axes)
    left, right = [i % m for i in left], [i % n for i in right]
    if [shape_of(a)[i] for i in left] != [shape_of(b)[i] for i in right]:
        raise ValueError(
            f"`tensordot` cannot pair axes {left} of shape {shape_of(a)} with axes {right} of shape {shape_of(b)}: "
            "the paired sizes must be equal."
        )
    free_a, free_b = [i for i in range(m) if i not in left], [i for i in range(n) if i not in right]
    size = math.prod(shape_of(a)[i] for i in left)
    rows, cols = [shape_of(a)[i] for i in free_a], [shape_of(b)[i] for i in free_b]
    p = reshape(transpose(a, free_a + left), (math.prod(rows), size))
    q = reshape(transpose(b, right + free_b), (size, math.prod(cols)))
    return reshape(matmul(p, q), (*rows, *cols))


def einsum(subscripts: str, *operands: Any) -> Any:
    """Einstein's notation as NumPy has it, with ellipsis, implicit output and diagonals.

    >>> einsum("ij,j->i", np.eye(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    if not isinstance(subscripts, str):
        raise TypeError("`einsum` takes its subscripts first, as text: einsum('ij,j->i', a, b).")
    arrays = [_array(x) for x in operands]
    text = subscripts.replace(" ", "")
    terms, arrow, target = text.partition("->")
    names = terms.split(",")
    if len(names) != len(arrays):
        raise ValueError(f"`einsum` got {len(arrays)} operands, and {subscripts!r} has {len(names)} terms.")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    if not arrow:
        letters = sorted(c for c in set(terms) if c.isalpha() and terms.count(c) == 1)
        target = ("..." if "..." in terms else "") + "".join(letters)
    hidden = [
        len(shape_of(x)) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(names, arrays, strict=True)
    ]
    widest = "".join(spare[: builtins.max(hidden, default=0)])
    names = [t.replace("...", widest[len(widest) - h :]) for t, h in zip(names, hidden, strict=True)]
    target = target.replace("...", widest)
    for i, (name, x) in enumerate(zip(names, arrays, strict=True)):
        if len(name) != len(shape_of(x)):
            raise ValueError(f"`einsum` term {name!r} names {len(name)} axes, and operand {i} has shape {shape_of(x)}.")
        for c in {c for c in name if name.count(c) > 1}:  # a letter twice in one term: the diagonal
            places = [k for k, other in enumerate(name) if other == c]
            if len({shape_of(x)[k] for k in places}) > 1:
                raise ValueError(f"`einsum` takes a diagonal along {c!r} of operand {i}, whose shape is {shape_of(x)}.")
            x = moveaxis(x, places, range(len(places)))
            x = getitem(x, (np.arange(shape_of(x)[0]),) * len(places))
            name = c + name.replace(c, "")
        names[i], arrays[i] = name, x
    return ops.einsum(*arrays, subscripts=",".join(names) + "->" + target)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of two axes, as the last axis of the result."""
    a = _array(a)
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, cols = shape_of(a)[-2:]
    i = np.arange(builtins.max(0, builtins.min(rows + builtins.min(offset, 0), cols - builtins.max(offset, 0))))
    return getitem(a, (Ellipsis, i - builtins.min(offset, 0), i + builtins.max(offset, 0)))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal."""
    return sum(diagonal(a, offset, axis1, axis2), -1)


def diag(v: Any, k: int = 0) -> Any:
    """The k-th diagonal of a matrix, or the matrix with `v` on it."""
    v = _array(v)
    if len(shape_of(v)) == 2:
        return diagonal(v, k)
    if len(shape_of(v)) != 1:
        raise ValueError(f"`diag` takes one or two axes, and got shape {shape_of(v)}.")
    n = shape_of(v)[0]
    i = np.arange(n)
    size = n + builtins.abs(k)
    return ops.scatter(v, index=(i - builtins.min(k, 0), i + builtins.max(k, 0)), shape=(size, size))


# --- shape ---------------------------------------------------------------------------------------------------------


def reshape(a: Any, shape: Any) -> Any:
    """The same entries in another shape; one size may be -1."""
    return ops.reshape(_array(a), shape=_sizes(shape))


def ravel(a: Any) -> Any:
    """All entries in one axis."""
    return reshape(a, (-1,))


def expand_dims(a: Any, axis: Any) -> Any:
    """A new axis of size 1."""
    return ops.expand_dims(_array(a), axis=_axis(axis))


def squeeze(a: Any, axis: Any = None) -> Any:
    """Without the axes of size 1, or those of them that are named."""
    a = _array(a)
    return reshape(a, np.squeeze(np.empty(shape_of(a), bool), _axis(axis)).shape)


def broadcast_to(a: Any, shape: Any) -> Any:
    """Repeated to `shape` by NumPy's broadcasting."""
    return ops.broadcast_to(_array(a), shape=_sizes(shape))


def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default."""
    a = _array(a)
    n = len(shape_of(a))
    return ops.transpose(a, axes=tuple(range(n))[::-1] if axes is None else _axes(n, tuple(axes)))


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes swapped."""
    a = _array(a)
    order = list(range(len(shape_of(a))))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return transpose(a, order)


def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the others in their order."""
    a = _array(a)
    places = np.moveaxis(np.empty(tuple(range(2, len(shape_of(a)) + 2)), bool), source, destination).shape
    return transpose(a, [n - 2 for n in places])


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Arrays joined along an axis they have; `axis=None` flattens them first."""
    parts = [_array(x) for x in arrays]
    if axis is None:
        parts, axis = [ravel(x) for x in parts], 0
    return ops.concatenate(*parts, axis=axis % builtins.max(1, len(shape_of(parts[0]))) if parts else 0)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Arrays, or numbers, joined along a new axis. A list of Values becomes one Tensor.

    >>> from micrograd_nn import Value
    >>> stack([Value(1.0), Value(2.0)]).shape
    (2,)
    """
    parts = [joined(x) for x in arrays]
    return ops.stack(*parts, axis=axis % (len(shape_of(parts[0])) + 1) if parts else 0)


def split(a: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut along `axis`, into equal parts or at the given places."""
    a = _array(a)
    places = np.split(np.arange(shape_of(a)[axis]), indices_or_sections)
    before = (slice(None),) * (axis % len(shape_of(a)))
    return [getitem(a, (*before, slice(p[0], p[-1] + 1) if len(p) else slice(0))) for p in places]


def pad(a: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    """More entries at the borders: a constant, or NumPy's modes that repeat entries ("edge", "reflect", "wrap" ...)."""
    a = _array(a)
    widths = tuple((int(p), int(q)) for p, q in np.broadcast_to(pad_width, (len(shape_of(a)), 2)))
    if mode == "constant":
        return ops.pad(a, widths=widths, value=constant_values)
    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(
            f"pad has no derivative rule for mode={mode!r}: use constant, edge, reflect, symmetric or wrap."
        )
    for i, (n, w) in enumerate(zip(shape_of(a), widths, strict=True)):
        a = getitem(a, (slice(None),) * i + (np.pad(np.arange(n), w, mode=mode),))  # type: ignore[call-overload]
    return a


def flip(a: Any, axis: Any = None) -> Any:
    """In reverse order along `axis`, along all by default."""
    return ops.flip(_array(a), axis=_axis(axis))


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Moved along `axis`, what leaves at one end coming in at the other."""
    return ops.roll(_array(a), shift=_axis(shift), axis=_axis(axis))


def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Every window of that shape, its axes last: what a convolution multiplies with its filter. An entry that several
    windows share gets the sum of their gradients.

    >>> sliding_window_view(np.array([1.0, 2.0, 3.0]), 2)
    array([[1., 2.],
           [2., 3.]])
    """
    x, window = _array(x), _sizes(window_shape)
    places = np.arange(math.prod(shape_of(x))).reshape(shape_of(x))
    return getitem(ravel(x), np.lib.stride_tricks.sliding_window_view(places, window, axis))


def tile(a: Any, reps: Any) -> Any:
    """Copies side by side, `reps` times along each axis."""
    a, reps = _array(a), _sizes(reps)
    n = builtins.max(len(reps), len(shape_of(a)))
    shape = (1,) * (n - len(shape_of(a))) + shape_of(a)
    reps = (1,) * (n - len(reps)) + reps
    a = reshape(a, [k for size in shape for k in (1, size)])
    a = broadcast_to(a, [k for pair in zip(reps, shape, strict=True) for k in pair])
    return reshape(a, [r * size for r, size in zip(reps, shape, strict=True)])


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry several times in a row."""
    a = _array(a)
    if axis is None:
        a, axis = ravel(a), 0
    before = (slice(None),) * (axis % len(shape_of(a)))
    return getitem(a, (*before, np.repeat(np.arange(shape_of(a)[axis]), repeats)))


def tril(m: Any, k: int = 0) -> Any:
    """Zeros above the k-th diagonal."""
    return ops.tril(_array(m), k=k)


def triu(m: Any, k: int = 0) -> Any:
    """Zeros below the k-th diagonal."""
    return ops.triu(_array(m), k=k)


def getitem(a: Any, index: Any) -> Any:
    """NumPy's indexing, basic and advanced; an entry picked several times gets the sum of its gradients."""
    items = index if isinstance(index, tuple) else (index,)
    for i in items:
        if isinstance(i, Node):
            raise TypeError(
                f"an index must be plain integers or booleans, and {i.label} is a node: use .numpy() of it."
            )
    # a copy of index arrays: changed later, they would change gradients
    items = tuple(np.array(i, int if not len(i) else None) if isinstance(i, (list, np.ndarray)) else i for i in items)
    return ops.getitem(a, index=items if isinstance(index, tuple) else items[0])
