"""`Tensor`: a node that holds an n-dimensional array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn import ops
from micrograd_nn.graph import Node, kinds, stamps
from micrograd_nn.modes import frame
from micrograd_nn.op import Op, Patch
from micrograd_nn.protocols import NumpyProtocols, number

__all__ = ["Tensor"]


_new = object.__new__
_frame_now = frame.get


def _binary(op: Op) -> tuple[Any, Any]:
    """`self op other` and `other op self`. The common case is spelled out: it is much of a step on small arrays."""
    forward = op.array

    def method(self: Tensor, other: Any) -> Any:
        kind = other.__class__
        if kind is int:
            other, kind = float(other), float
        frame = _frame_now()
        if frame.plain and self.stamp > 0 and (kind is float or (kind is Tensor and other.stamp > 0)):
            try:
                data = forward(self._data, other if kind is float else other._data)
            except (ValueError, IndexError, TypeError):
                return op.record((self, other), {})
            return _made(op, data, self, other, frame)
        return op.record((self, other if kind is Tensor else _operand(other)), {})

    def reflected(self: Tensor, other: Any) -> Any:
        if other.__class__ is int:
            other = float(other)
        frame = _frame_now()
        if frame.plain and self.stamp > 0 and other.__class__ is float:
            return _made(op, forward(other, self._data), other, self, frame)
        return op.record((_operand(other), self), {})

    method.__doc__ = f"`{op.name}` as a node, with NumPy's broadcasting."
    return method, reflected


def _made(op: Op, data: Any, a: Any, b: Any, frame: Any) -> Tensor:
    """The node of a tracked result of two inputs."""
    out: Tensor = _new(Tensor)
    out.stamp = next(stamps)
    if data.__class__ is not np.ndarray:
        data = np.asarray(data)
    data.setflags(write=False)  # a value overwritten under the graph would make gradients wrong
    out._data = data
    out.op = op
    out.a = a
    out.b = b
    out.frame = frame
    return out


def _operand(x: Any) -> Any:
    """A constant as an op takes it: Python's own numbers never widen a float32 array."""
    if isinstance(x, (Node, np.ndarray)):
        return x
    if isinstance(x, (float, int, np.generic)):
        return number(x)
    if isinstance(x, (list, tuple)) and _has_node(x):
        return F.stack(x)
    return Tensor._take(x)


class Tensor(NumpyProtocols, Node):
    """An array in a graph.

    `data` is copied. Floating types stay as they are, anything else becomes float64; complex numbers, text and
    objects are refused. With `requires_grad` the graph tracks it, and `backward()` leaves the gradient in `.grad`,
    an ndarray of the same shape.

    >>> W = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True, name="W")
    >>> loss = (W @ np.array([1.0, -1.0])).sum()
    >>> loss.backward()
    >>> W.grad
    array([[ 1., -1.],
           [ 1., -1.]])
    """

    __slots__ = ()
    kind = "Tensor"

    def __init__(self, data: Any, requires_grad: bool = False, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(np.array(self._take(data), dtype=_floating(dtype)), name, requires_grad)

    __add__, __radd__ = _binary(ops.add)
    __sub__, __rsub__ = _binary(ops.sub)
    __mul__, __rmul__ = _binary(ops.mul)
    __truediv__, __rtruediv__ = _binary(ops.div)
    __pow__, __rpow__ = _binary(ops.pow)
    __matmul__, __rmatmul__ = _binary(ops.matmul)

    __neg__, __abs__ = ops.neg, ops.abs

    def __pos__(self) -> Tensor:
        return self

    # Methods where NumPy or PyTorch has one; the functions are in `functional`.
    abs, exp, log, sqrt, square = F.abs, F.exp, F.log, F.sqrt, F.square
    sin, cos, tanh, sigmoid, relu, clip = F.sin, F.cos, F.tanh, F.sigmoid, F.relu, F.clip
    softmax, log_softmax, logsumexp = F.softmax, F.log_softmax, F.logsumexp
    sum, mean, var, std, max, min, prod, cumsum = F.sum, F.mean, F.var, F.std, F.max, F.min, F.prod, F.cumsum
    argmax, argmin, dot, trace = F.argmax, F.argmin, F.dot, F.trace
    ravel, flatten, squeeze, swapaxes, repeat = F.ravel, F.ravel, F.squeeze, F.swapaxes, F.repeat

    def reshape(self, *shape: Any) -> Any:
        """The same entries in another shape; one size may be -1."""
        return F.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, reversed when none are given."""
        return F.transpose(
            self, axes[0] if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)) else axes or None
        )

    def astype(self, dtype: Any) -> Any:
        """The same numbers in another floating type; the gradient comes back in this one's."""
        return ops.astype(self, dtype=_floating(dtype))

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        return F.transpose(self)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return self._data.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        return self._data.size  # type: ignore[no-any-return]

    def item(self) -> float:
        """The one number in it, outside the graph; an error when there are more."""
        if self.size != 1:
            raise ValueError(
                f"item() is for one number, and {self._called()} has shape {self.shape}: use .numpy() for all of them."
            )
        return float(self._data.reshape(()))

    def numpy(self) -> Any:
        """A copy of the array, outside the graph."""
        return self._data.copy()

    def tolist(self) -> Any:
        return self._data.tolist()

    def detach(self) -> Tensor:
        """A new leaf with the same numbers, that nothing is tracked through."""
        return Tensor(self._data, name=self.name)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a Tensor without axes has no len(): it is a single number, see .item().")
        return len(self._data)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        return F.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            f"{self._called()} cannot be changed in part: what was computed from it would keep the old numbers, and "
            "gradients would be wrong. Write F.where(mask, new, t) or F.concatenate([...]) for a new tensor, or "
            "t.data[...] = on a leaf before it is used."
        )

    def __contains__(self, item: Any) -> bool:
        return item in self._data

    def _called(self) -> str:
        return self.name or "this tensor"

    def __repr__(self) -> str:
        body = np.array2string(self._data, separator=", ", prefix="Tensor(", threshold=50, precision=4)
        parts = [body]
        if self.dtype != np.float64:
            parts.append(f"dtype={self.dtype}")
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        if self.op is not None:
            parts.append(f"op={self.op.name}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"Tensor({', '.join(parts)})"

    @staticmethod
    def _take(value: Any) -> Any:
        if isinstance(value, Node) or (isinstance(value, (list, tuple)) and _has_node(value)):
            raise TypeError(
                "a Tensor of nodes would not be connected to them: use np.stack([...]) to join nodes into one tensor, "
                "or .numpy() for the plain numbers."
            )
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"these rows do not make an array: {error}") from None
        if array.dtype.kind == "f":
            return array
        if array.dtype.kind in "biu":
            return array.astype(float)
        what = {"c": "complex numbers", "O": "objects", "U": "text", "S": "bytes"}.get(
            array.dtype.kind, str(array.dtype)
        )
        instead = {"c": "use .real or abs() of it"}.get(array.dtype.kind, "convert it with .astype(float) first")
        raise TypeError(f"a Tensor holds real numbers, not {what}: {instead}.")

    @property
    def data(self) -> Any:
        """The ndarray itself. On a leaf it can be assigned, and changed in place before the leaf is used."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = value if value is self._data else np.array(self._take(value), self._data.dtype)
        if array.shape != self._data.shape:
            raise ValueError(
                f"{self._called()} has shape {self._data.shape}; new data of shape {array.shape} does not fit it."
            )
        if self.op is not None:
            Node.data.__set__(self, array)  # type: ignore[attr-defined] # refuses
        self._data = array
        self.written()

    @staticmethod
    def _take_own(data: Any) -> Any:
        return data.copy()

    def _seal(self) -> None:
        self._data.setflags(write=False)

    def _brief(self) -> str:
        return f"{self._data:.4g}" if not self.ndim else f"an array of shape {self.shape}"

    def _seed(self, gradient: Any) -> Any:
        if gradient is None:
            if self.size != 1:
                raise ValueError(
                    f"backward() starts from a single number, and {self._called()} has shape {self.shape}: reduce it "
                    "first, with .sum() or .mean() or a loss, or give backward(gradient) an array of that shape."
                )
            return np.ones_like(self._data)
        array = np.array(self._take(gradient), self._data.dtype)
        if array.shape != self.shape:
            raise ValueError(f"backward(gradient) needs shape {self.shape}, and got {array.shape}.")
        return array

    def _fit(self, share: Any, g: Any) -> Any:
        own = self._data
        if share.__class__ is np.ndarray:
            if share.shape != own.shape:
                share = ops.sum_to(share, own.shape)
            elif share is g and self.op is None:
                share = share.copy()
            return share if share.dtype is own.dtype else share.astype(own.dtype, copy=False)
        if isinstance(share, Patch):
            return share
        if isinstance(share, Node):
            share = ops.sum_to(share, own.shape)
            return share if share.dtype == own.dtype else ops.astype(share, dtype=own.dtype)
        share = np.asarray(share, own.dtype)
        return share if not own.ndim else ops.stretched(share, own.shape)

    def _settle(self, gradient: Any, own: bool = False) -> Any:
        if gradient.__class__ is np.ndarray:
            return gradient.copy() if own and gradient.base is not None else gradient
        if isinstance(gradient, Patch):
            return gradient.dense().astype(self._data.dtype, copy=False)
        return gradient


def _floating(dtype: Any) -> Any:
    if dtype is None or np.dtype(dtype).kind == "f":
        return dtype
    raise TypeError(
        f"a Tensor holds real numbers: dtype {np.dtype(dtype)} cannot carry a gradient; use float64 or float32."
    )


def _has_node(items: Any) -> bool:
    return any(isinstance(x, Node) or (isinstance(x, (list, tuple)) and _has_node(x)) for x in items)


kinds[object] = Tensor
