"""Derivatives of a function that can only be called, each with its error bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.checking._differences import ENOUGH, STEP, ULP, Slope, own_size, rounding, slope, step_size
from micrograd_nn.checking._probe import PRECISION, typical
from micrograd_nn.checking._subject import OUTSIDE, called_by
from micrograd_nn.graph import Node
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["Numerical", "numerical_gradient", "numerical_jacobian"]

Array = np.ndarray[Any, Any]


class Numerical(np.ndarray[Any, Any]):
    """Derivatives found by differences: an array of them, right to within `error`.

    `verdict` says of each "ok", "not differentiable" (then the slopes `left` and `right` differ) or "undefined".
    All four have the shape of the array. What is computed from it is a plain array.
    """

    error: Array
    verdict: Array
    left: Array
    right: Array

    def __array_wrap__(self, array: Array, context: Any = None, return_scalar: bool = False) -> Any:
        plain = np.asarray(array)
        return plain[()] if return_scalar else plain

    def __getitem__(self, index: Any) -> Any:
        return np.asarray(self)[index]


def numerical_gradient(f: Callable[..., Any], x: Any, *, eps: float | None = None, rng: Any = 0) -> Numerical:
    """The gradient of `f`, a function with one number as its result, at `x`: an array of the shape of `x`.

    `x` is a number, an array, or a Value or Tensor, and `f` is given the like of it. `eps` is the first step to try.
    The result carries its error bars in `.error`, and says in `.verdict` where `f` has a kink or no slope.
    Richardson's extrapolation of central differences; see `_differences.py`. Raises ValueError where `f` gives more
    than one number: that is for `numerical_jacobian`.

    >>> slope = numerical_gradient(lambda x: x**3, 2.0)
    >>> bool(abs(slope - 12) <= slope.error <= 1e-11)
    True
    """
    shape, _, found = _columns(f, x, eps, rng)
    if shape and np.prod(shape) != 1:
        raise ValueError(
            f"numerical_gradient is for a function with one number as its result, and {called_by(f)} gave shape "
            f"{shape}: use numerical_jacobian, or sum the results."
        )
    return _shaped(found, (*np.shape(_plain(x)),), lambda column: column[0])


def numerical_jacobian(f: Callable[..., Any], x: Any, *, eps: float | None = None, rng: Any = 0) -> Numerical:
    """Every derivative of every result: shape (*shape of the result, *shape of `x`). As `numerical_gradient` else.

    >>> print(numerical_jacobian(lambda x: x * x, np.array([1.0, 2.0])).round(9))
    [[2. 0.]
     [0. 4.]]
    """
    shape, _, found = _columns(f, x, eps, rng)
    own = np.shape(_plain(x))
    turned = _shaped(found, (*own, *shape), lambda column: column.reshape(shape))
    axes = (*range(len(own), len(own) + len(shape)), *range(len(own)))
    out = np.asarray(turned).transpose(axes).view(Numerical)
    for name in ("error", "verdict", "left", "right"):
        setattr(out, name, getattr(turned, name).transpose(axes))
    return out


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Node) else x


def _columns(f: Any, x: Any, eps: float | None, rng: Any) -> tuple[tuple[int, ...], Array, list[Slope]]:
    """The shape of the result, the result, and the slopes of all results by each entry of `x` in order."""
    if np.asarray(_plain(x)).dtype.kind not in "fiub":
        raise TypeError(f"derivatives are by real numbers, and x is {np.asarray(_plain(x)).dtype}.")
    base = np.array(_plain(x), np.float64)

    def call(a: Array) -> Array:
        given = (
            Value(a.item()) if isinstance(x, Value) else Tensor(a) if isinstance(x, Node)
            else a.copy() if isinstance(x, np.ndarray) else a.item() if not a.ndim else a.copy()
        )  # fmt: skip
        return np.asarray(_plain(f(given)))

    with np.errstate(all="ignore"):
        out = call(base)
        if out.dtype.kind not in "fiub":
            raise TypeError(f"{called_by(f)} gives {out.dtype}, and derivatives are of real numbers.")
        here = np.asarray(out, float).ravel()

        def at(a: Array) -> Array | None:
            try:
                value = call(a).ravel()
            except OUTSIDE:
                return None
            if value.dtype.kind == "c":  # (-0.1) ** 0.5 is a complex number in Python
                return None
            value = np.asarray(value, float)
            return np.where(defined, value, 0.0) if np.isfinite(value[defined]).all() else None

        defined = np.isfinite(here)
        point, sizes = np.where(defined, here, 0.0), np.asarray(step_size(base, typical(base)))
        way = np.random.default_rng(rng).choice([-1.0, 1.0], base.shape) * own_size(base, sizes)
        precision = PRECISION.get(out.dtype, ULP)
        least = precision * np.abs(point)
        noise = np.maximum(rounding(lambda t: at(base + t * way), point, 1.0), least)
        found = []
        for index in np.ndindex(base.shape):
            moved, centre, size = base.copy(), float(base[index]), float(sizes[index])

            def move(t: float, moved: Array = moved, index: Any = index, centre: float = centre) -> Array | None:
                moved[index] = centre + t
                return at(moved)

            first = STEP if eps is None else eps / size
            smallest = float(own_size(centre, size))
            enough = max(ENOUGH, precision)
            column = slope(move, point, size, noise, centre, smallest, first, enough, precision=precision)
            for part in (column.value, column.error, column.left, column.right):
                part[~defined] = np.nan
            found.append(column)
    return out.shape, here, found


def _shaped(found: Sequence[Slope], shape: tuple[int, ...], pick: Callable[[Array], Any]) -> Numerical:
    """Columns as one array, with all that goes with it."""

    def whole(parts: Sequence[Any], dtype: Any = float) -> Array:
        return np.array([pick(p) for p in parts], dtype).reshape(shape)

    out = whole([s.value for s in found]).view(Numerical)
    out.error = whole([s.error for s in found])
    out.left, out.right = (
        whole([np.where(s.kinked, side, s.value) for s, side in ((s, getattr(s, name)) for s in found)])
        for name in ("left", "right")
    )
    out.verdict = whole([_words(s) for s in found], object)
    return out


def _words(s: Slope) -> Array:
    words = np.where(s.kinked, "not differentiable", np.where(np.isfinite(s.error), "ok", "undefined"))
    return words.astype(object)  # plain str
