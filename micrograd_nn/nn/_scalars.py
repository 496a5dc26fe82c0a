"""What modules need to compute number by number: the inputs one by one, and the entries of a parameter as Values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn import ops
from micrograd_nn.graph import Node, make
from micrograd_nn.modes import frame
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["checked", "numbers", "pick", "picked", "size"]

Place = tuple[Tensor, tuple[int, ...], str]  # a parameter, where in it, and what to call what is picked there


def numbers(x: Any) -> list[Any] | None:
    """The inputs one by one, when they were given as numbers or Values; None for an array or a Tensor."""
    if isinstance(x, (Value, float, int)):
        return [x]
    if isinstance(x, (list, tuple)) and all(isinstance(v, (Value, float, int, np.floating, np.integer)) for v in x):
        return list(x)
    return None


def checked(x: Any, n_in: int, who: Any) -> Any:
    """An array or Tensor with `n_in` features on its last axis."""
    x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x, float)
    if not x.ndim or x.shape[-1] != n_in:
        raise ValueError(f"{who!r} takes {n_in} inputs on the last axis, and got shape {x.shape}.")
    return x


def pick(source: Tensor, index: tuple[int, ...], name: str) -> Node:
    """One entry of a parameter as a Value that sends its gradient back there."""
    node = make(Value, ops.getitem, float(source._data[index]), (source,), {"index": index}, frame.get())
    node.name = name
    return node


def picked(cache: dict[Any, Any], slot: Any, places: Sequence[Place]) -> list[Any]:
    """For every place its entry, or a list of its entries along the last axis, as Values.

    They are shared by all calls until the parameters change. Those are compared by content too, because an array can
    be written to in place.
    """
    where = frame.get()
    key = [(id(p), p.stamp, p._data[i].tobytes()) for p, i, _ in places], where.tracking, where.module
    known: tuple[Any, list[Any]] | None = cache.get(slot)
    if known is None or known[0] != key:
        known = cache[slot] = (key, [
            [pick(p, (*i, j), f"{name}{j}") for j in range(p.shape[-1])] if len(i) < p.ndim else pick(p, i, name)
            for p, i, name in places
        ])  # fmt: skip
    return known[1]


def size(n: Any, name: str) -> int:
    """A count of units, or of pieces, as an int."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{name} is a count, an integer of at least 1, not {n!r}.")
    return int(n)
