"""`Value`: a node that holds one Python float."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn import ops
from micrograd_nn.graph import Node, kinds, stamps
from micrograd_nn.modes import frame
from micrograd_nn.op import Op, Patch
from micrograd_nn.protocols import NumpyProtocols

__all__ = ["Value"]

_new = object.__new__
_frame_now = frame.get


def _binary(op: Op) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`self op other` and `other op self`. The common case is spelled out: it is most of a scalar step."""
    forward = op.scalar
    assert forward is not None

    def method(self: Value, other: Any) -> Any:
        kind = other.__class__
        if kind is Value and other.stamp > 0:
            x = other._data
        elif kind is float:
            x = other
        elif isinstance(other, Node) and not isinstance(other, Value):
            return NotImplemented
        else:
            return op.record((self, _operand(op, other)), {})
        frame = _frame_now()
        if frame.plain and self.stamp > 0:
            out = _new(Value)
            out.stamp = next(stamps)
            try:
                out._data = forward(self._data, x)
            except (ArithmeticError, ValueError):
                return op.record((self, other), {})
            out.op = op
            out.a = self
            out.b = other
            out.frame = frame
            return out
        return op.record((self, other), {})

    def reflected(self: Value, other: Any) -> Any:
        return op.record((_operand(op, other), self), {})

    method.__doc__ = f"`{op.name}` as a node."
    return method, reflected


def _unary(op: Op) -> Callable[..., Any]:
    forward = op.scalar
    assert forward is not None

    def method(self: Value) -> Any:
        frame = _frame_now()
        if frame.plain and self.stamp > 0:
            out = _new(Value)
            out.stamp = next(stamps)
            try:
                out._data = forward(self._data)
            except (ArithmeticError, ValueError):
                return op.record((self,), {})
            out.op = op
            out.a = self
            out.frame = frame
            out.b = None
            return out
        return op.record((self,), {})

    method.__doc__ = f"`{op.name}` as a node."
    return method


def _operand(op: Op, other: Any) -> Any:
    """What `op` is given beside a Value: a node or an array as it is, any other number as a float."""
    if isinstance(other, (Value, np.ndarray)):
        return other
    if isinstance(other, (int, float, np.floating, np.integer, np.bool_)):
        return float(other)
    raise TypeError(
        f"`{op.name}` cannot take a Value and {type(other).__name__} {other!r:.40}: use a number, a Value, or for "
        "arrays a Tensor."
    )


class Value(NumpyProtocols, Node):
    """One number in a graph: what it is, how it was made, and after `backward()` its gradient.

    `data` is anything that is one real number; complex numbers, text and arrays are refused.

    >>> a = Value(-4.0, name="a")
    >>> b = (a * a + 1).relu()
    >>> b.backward()
    >>> b.data, a.grad
    (17.0, -8.0)
    """

    __slots__ = ()
    kind = "Value"
    shape: tuple[int, ...] = ()
    ndim, size = 0, 1
    dtype = np.dtype(float)

    def __init__(self, data: Any, name: str | None = None) -> None:
        super().__init__(self._take(data), name)

    __add__, __radd__ = _binary(ops.add)
    __sub__, __rsub__ = _binary(ops.sub)
    __mul__, __rmul__ = _binary(ops.mul)
    __truediv__, __rtruediv__ = _binary(ops.div)
    __pow__, __rpow__ = _binary(ops.pow)
    __neg__ = _unary(ops.neg)
    __abs__ = abs = _unary(ops.abs)
    exp, log, sqrt, square = _unary(ops.exp), _unary(ops.log), _unary(ops.sqrt), _unary(ops.square)
    sin, cos, tanh = _unary(ops.sin), _unary(ops.cos), _unary(ops.tanh)
    relu, sigmoid = _unary(ops.relu), _unary(ops.sigmoid)

    def __pos__(self) -> Value:
        return self

    def item(self) -> float:
        """The number, outside the graph."""
        return float(self._data)

    def detach(self) -> Value:
        """The same number as a new leaf that nothing is tracked through."""
        leaf = Value(self._data, self.name)
        leaf.requires_grad = False
        return leaf

    def numpy(self) -> Any:
        """The number as a 0-d array, outside the graph."""
        return np.array(self._data)

    def _called(self) -> str:
        return self.name or f"a Value ({self._brief()})"

    def __repr__(self) -> str:
        parts = [f"{self._data!r}"]
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        if self.op is not None:
            parts.append(f"op={self.op.name}")
        if self.grad is not None:
            parts.append(f"grad={self.grad!r}")
        return f"Value({', '.join(parts)})"

    @staticmethod
    def _take(value: Any) -> float:
        if value.__class__ is float:
            return value
        if isinstance(value, Node):
            raise TypeError(
                f"a Value of {value.label} would not be connected to it: use the node itself, or .item() of it."
            )
        if isinstance(value, complex | np.complexfloating) or (
            isinstance(value, np.ndarray) and value.dtype.kind == "c"
        ):
            raise TypeError(f"a Value holds a real number, and {value!r} is complex: use its .real or abs() of it.")
        if isinstance(value, str | bytes | None) or np.ndim(value):
            hint = "use Tensor for an array or a list" if np.ndim(value) else "convert it with float(...) first"
            raise TypeError(f"a Value holds one real number, not {type(value).__name__} {value!r:.40}: {hint}.")
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TypeError(f"a Value holds one real number, not {type(value).__name__} {value!r:.40}.") from None

    def _brief(self) -> str:
        return f"{self._data:.4g}"

    def _seed(self, gradient: Any) -> Any:
        return 1.0 if gradient is None else self._take(gradient)

    def _fit(self, share: Any, g: Any) -> Any:
        if share.__class__ is float:
            return share
        if isinstance(share, Node):
            return ops.sum_to(share, ())
        if isinstance(share, Patch):
            share = share.dense()
        return float(np.sum(share))

    def _settle(self, gradient: Any, own: bool = False) -> Any:
        return gradient if gradient.__class__ is float or isinstance(gradient, Node) else self._fit(gradient, None)


kinds[float] = Value
