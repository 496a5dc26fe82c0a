"""NumPy's own functions on nodes: which of ours each means, and what is said where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.graph import Node
from micrograd_nn.modes import frame

__all__ = ["NumpyProtocols"]

UFUNCS: dict[Any, Any] = {
    np.add: F.add, np.subtract: F.sub, np.multiply: F.mul, np.divide: F.div, np.power: F.pow, np.float_power: F.pow,
    np.negative: F.neg, np.positive: F.identity, np.absolute: F.abs, np.fabs: F.abs, np.sign: F.sign,
    np.square: F.square, np.sqrt: F.sqrt, np.exp: F.exp, np.expm1: F.expm1, np.log: F.log, np.log1p: F.log1p,
    np.sin: F.sin, np.cos: F.cos, np.tan: F.tan, np.arcsin: F.arcsin, np.arccos: F.arccos, np.arctan: F.arctan,
    np.sinh: F.sinh, np.cosh: F.cosh, np.tanh: F.tanh, np.maximum: F.maximum, np.minimum: F.minimum,
    np.matmul: F.matmul,
}  # fmt: skip
REDUCE: dict[Any, Any] = {np.add: F.sum, np.multiply: F.prod, np.maximum: F.max, np.minimum: F.min}
FUNCTIONS: dict[Any, Any] = {
    np.sum: F.sum, np.mean: F.mean, np.var: F.var, np.std: F.std, np.max: F.max, np.min: F.min, np.prod: F.prod,
    np.cumsum: F.cumsum, np.argmax: F.argmax, np.argmin: F.argmin, np.clip: F.clip, np.where: F.where, np.dot: F.dot,
    np.inner: F.inner, np.outer: F.outer, np.tensordot: F.tensordot, np.einsum: F.einsum, np.transpose: F.transpose,
    np.swapaxes: F.swapaxes, np.moveaxis: F.moveaxis, np.trace: F.trace, np.linalg.norm: F.norm, np.reshape: F.reshape,
    np.ravel: F.ravel, np.squeeze: F.squeeze, np.expand_dims: F.expand_dims, np.broadcast_to: F.broadcast_to,
    np.concatenate: F.concatenate, np.stack: F.stack, np.split: F.split, np.pad: F.pad, np.flip: F.flip,
    np.roll: F.roll, np.tile: F.tile, np.repeat: F.repeat, np.diag: F.diag, np.diagonal: F.diagonal, np.tril: F.tril,
    np.triu: F.triu, np.lib.stride_tricks.sliding_window_view: F.sliding_window_view,
}  # fmt: skip
# Answers that are places, counts, shapes or yes and no have no gradient to lose, so NumPy may work on the plain data.
PLAIN: set[Any] = {
    np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.isfinite, np.isnan, np.isinf,
    np.signbit, np.logical_and, np.logical_or, np.logical_not, np.floor, np.ceil, np.rint, np.shape, np.ndim, np.size,
    np.allclose, np.isclose, np.array_equal, np.any, np.all, np.count_nonzero, np.argsort, np.nonzero, np.zeros_like,
    np.ones_like, np.empty_like, np.searchsorted, np.result_type, np.may_share_memory,
    np.shares_memory, np.array_repr, np.array_str, np.array2string, np.unravel_index,
}  # fmt: skip


class NumpyProtocols:
    """What both kinds of node share: NumPy's functions give nodes, comparisons give plain answers.

    A tracked node does not turn into a plain array or number by itself: that would lose its gradient.
    """

    __slots__ = ()
    __hash__ = Node.__hash__
    _data: Any
    stamp: int

    def __lt__(self, other: Any) -> Any:
        return self._data < plain(other)

    def __le__(self, other: Any) -> Any:
        return self._data <= plain(other)

    def __gt__(self, other: Any) -> Any:
        return self._data > plain(other)

    def __ge__(self, other: Any) -> Any:
        return self._data >= plain(other)

    def __eq__(self, other: object) -> Any:
        return self._data == plain(other)

    def __ne__(self, other: object) -> Any:
        return self._data != plain(other)

    def __bool__(self) -> bool:
        return bool(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self._may_leave(
            "a plain array (np.asarray, or np.array of a list of nodes)",
            "NumPy's functions work on it as they are (np.exp(t), np.dot(w, t)); write np.stack([...]) to join nodes, "
            "and .numpy()",
        )
        return np.array(self._data, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        self._may_leave("a plain float", "write np.exp(v) in the place of math.exp(v), and so on, and v.item()")
        return float(self.item())

    def __int__(self) -> int:
        return int(float(self))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def _may_leave(self, what: str, instead: str) -> None:
        """Raise where `what` would lose the gradient of this node; `instead` says what to write."""
        if self.stamp > 0 and frame.get().tracking:
            raise TypeError(
                f"{what} of {self._called()} would leave the graph, and its gradient would be lost: {instead} where "
                "plain numbers are what you want."
            )

    def item(self) -> float:
        """The one number in it, outside the graph."""
        raise NotImplementedError

    def _called(self) -> str:
        """What messages call this node."""
        raise NotImplementedError

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if not kwargs and method == "__call__" and ufunc in UFUNCS:
            return UFUNCS[ufunc](*[number(x) for x in inputs])
        if kwargs.pop("out", None) is not None:
            raise TypeError(
                f"np.{ufunc.__name__} cannot write a node into a plain array (`a += node`, or out=): its gradient "
                "would be lost. Write a = a + node, a new node, in the place of changing `a`."
            )
        if ufunc in PLAIN and method == "__call__":
            return ufunc(*_stripped(inputs), **kwargs)
        if method == "__call__" and ufunc in UFUNCS:
            return _call(ufunc, UFUNCS[ufunc], [number(x) for x in inputs], kwargs)
        if method == "reduce" and ufunc in REDUCE:
            return _call(ufunc, REDUCE[ufunc], (inputs[0],), {"axis": 0} | kwargs)
        raise TypeError(_no_rule(ufunc.__name__ + ("" if method == "__call__" else f".{method}")))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func in FUNCTIONS:
            return _call(func, FUNCTIONS[func], args, kwargs)
        if func in PLAIN:
            return func(*_stripped(args), **{k: _stripped(v) for k, v in kwargs.items()})
        raise TypeError(_no_rule(func.__name__))


def plain(x: Any) -> Any:
    """The number or array in a node; anything else as it is."""
    return x._data if isinstance(x, Node) else x


def number(x: Any) -> Any:
    """A NumPy scalar as a Python number, which never widens a float32 array and never narrows a Value."""
    return x.item() if isinstance(x, np.generic) else x


def _call(func: Any, ours: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    for setting in ("dtype", "out", "where", "initial", "casting", "order"):
        if kwargs.get(setting) is not None:
            raise TypeError(f"np.{func.__name__} on a node does not take {setting}=: leave it out.")
        kwargs.pop(setting, None)
    if len(args) > 2:  # NumPy's order of arguments is not ours: dtype= and out= come early
        args, kwargs = _by_name(func, args, kwargs)
        for setting in ("dtype", "out"):
            if kwargs.pop(setting, None) is not None:
                raise TypeError(f"np.{func.__name__} on a node does not take {setting}=: leave it out.")
    try:
        return ours(*args, **kwargs)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise TypeError(f"np.{func.__name__} on a node: {error}") from None


def _by_name(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """All but the first two arguments under the names that NumPy gives them, where it says so."""
    import inspect

    try:
        parameters = inspect.signature(func).parameters
    except ValueError:
        return args, kwargs
    names = list(parameters)
    if not {"dtype", "out"} & set(names) or any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
        return args, kwargs
    return args[:2], dict(zip(names[2:], args[2:], strict=False)) | kwargs


def _stripped(x: Any) -> Any:
    if isinstance(x, Node):
        return x._data
    return type(x)(_stripped(v) for v in x) if type(x) in (list, tuple) else x


def _no_rule(name: str) -> str:
    return (
        f"np.{name} has no derivative rule, so a gradient through it would be lost. Write it with functions of "
        "micrograd_nn.functional, or use .numpy() where plain numbers are what you want."
    )
