"""A matrix that has only some of its entries, and its products: how one block of units is wired to others.

Where at least an eighth of the entries are there it is filled up with zeros and multiplied as any matrix, so memory
stays within eight times the wires. Otherwise the wires are gone through a few thousand at a time, which keeps what is
gathered in the cache: six times as fast as all at once (1,000,000 wires, 64 examples).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["Wires", "Wiring"]

Array = np.ndarray[Any, Any]
Index = slice | Array
DENSE = 8  # a matrix is filled up when that makes it at most this many times as large
AT_ONCE = 1 << 18  # numbers gathered at a time: 2 MB


class Wires:
    """The wires from a block of `block` units to `rows` others, sorted by row, then by source; no pair is there twice.

    Wire e goes from unit `source[e]` of the block to `row[e]`. `used` tells which of the block's units have wires: the
    columns of the matrix.
    """

    def __init__(self, rows: int, block: int, row: Array, source: Array) -> None:
        self.rows, self.block, self.row, self.source = rows, block, row, source
        wired = np.zeros(block, bool)
        wired[source] = True
        self.used = as_index(np.flatnonzero(wired))
        self.columns = int(np.count_nonzero(wired))
        self.flat: Index | None = None  # where in the filled-up matrix each wire is; None when there are too few
        if len(row) * DENSE >= rows * self.columns:
            self.flat = as_index(row * self.columns + self.column)

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"<{len(self):,} wires from {self.block:,} units to {self.rows:,}>"

    @property
    def column(self) -> Array:
        """For each wire the place of its source among the units used."""
        found: Array = (
            self.source - self.used.start if isinstance(self.used, slice) else np.searchsorted(self.used, self.source)
        )
        return found

    def picked(self, x: Array) -> Array:
        """The rows of the block that are used."""
        return x if self.columns == self.block else x[self.used]

    def fills(self, x: Array) -> bool:
        """Whether the matrix may be filled up to be multiplied with x: where there is no wire, 0 * inf would be nan."""
        return self.flat is not None and (len(self) == self.rows * self.columns or bool(np.isfinite(x).all()))

    def matrix(self, w: Array) -> Array:
        """The weights as a matrix (rows, columns) filled up with zeros."""
        if len(w) == self.rows * self.columns:  # sorted, so each is in its place
            return w.reshape(self.rows, self.columns)
        whole = np.zeros(self.rows * self.columns, w.dtype)
        whole[self.flat] = w
        return whole.reshape(self.rows, self.columns)

    def product(self, w: Array, x: Array) -> Array:
        """out[t] = sum of w[e] * x[source[e]] over the wires e that lead to t; shape (rows, batch)."""
        if self.fills(used := self.picked(x)):
            return self.matrix(w) @ used
        return sums(self.rows, self.row, self.source, w, x)

    def dots(self, g: Array, x: Array) -> Array:
        """For each wire the dot product, over the batch, of x at its source and g at its end."""
        if self.flat is not None:
            return (g @ self.picked(x).T).reshape(-1)[self.flat]
        return dots(g, self.row, x, self.source)

    @cached_property
    def T(self) -> Turned:
        """The same wires the other way round, from the rows to the units used."""
        return Turned(self)


class Turned:
    """The transpose of `of`: its rows are the units that are used there."""

    used: Index = slice(0, None)

    def __init__(self, of: Wires) -> None:
        self.of, self.rows = of, of.columns
        self.block = self.columns = of.rows

    def __len__(self) -> int:
        return len(self.of)

    @cached_property
    def sorted(self) -> tuple[Array, Array, Array]:
        """Row and source of each wire sorted by row, and the order that makes them so."""
        row = self.of.column
        order = np.argsort(row, kind="stable")
        return row[order], self.of.row[order], order

    def product(self, w: Array, g: Array) -> Array:
        if self.of.fills(g):
            return self.of.matrix(w).T @ g
        row, source, order = self.sorted
        return sums(self.rows, row, source, w[order], g)

    def dots(self, g: Array, x: Array) -> Array:
        if self.of.flat is not None:
            return (x @ g.T).reshape(-1)[self.of.flat]
        return dots(x, self.of.row, g, self.of.column)

    @cached_property
    def T(self) -> Wires:
        return Wires(self.of.rows, self.rows, self.of.row, self.of.column)


class Wiring:
    """Wires from several blocks to the same rows: matrices side by side, their weights one after another."""

    def __init__(self, parts: Sequence[Wires | Turned]) -> None:
        self.parts = tuple(parts)
        ends = np.cumsum([0, *map(len, parts)]).tolist()
        self.slices = [slice(a, b) for a, b in pairwise(ends)]

    def __repr__(self) -> str:
        return f"<{sum(map(len, self.parts)):,} wires to {self.parts[0].rows:,} units>"

    def product(self, w: Array, *blocks: Array) -> Array:
        out = self.parts[0].product(w[self.slices[0]], blocks[0])
        for part, where, x in zip(self.parts[1:], self.slices[1:], blocks[1:], strict=True):
            out += part.product(w[where], x)
        return out

    def dots(self, g: Array, *blocks: Array) -> Array:
        found = [part.dots(g, x) for part, x in zip(self.parts, blocks, strict=True)]
        return found[0] if len(found) == 1 else np.concatenate(found)

    @cached_property
    def turned(self) -> tuple[Wiring, ...]:
        """Part by part the way back."""
        return tuple(Wiring((part.T,)) for part in self.parts)


def as_index(places: Array) -> Index:
    """Places in ascending order as a slice where they are a run, which NumPy reads without copying."""
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def chunks(wires: int, x: Array) -> Iterator[slice]:
    step = max(64, AT_ONCE // max(1, x.shape[1]))
    return (slice(i, i + step) for i in range(0, wires, step))


def sums(rows: int, row: Array, source: Array, w: Array, x: Array) -> Array:
    """The product of a matrix given wire by wire, sorted by row, with x."""
    dtype = np.result_type(w, x)
    out, x = np.zeros((rows, x.shape[1]), dtype), np.ascontiguousarray(x, dtype)
    for wires in chunks(len(w), x):
        ends = row[wires]
        first = np.flatnonzero(np.diff(ends, prepend=-1))
        terms = x[source[wires]]
        terms *= w[wires, None]
        out[as_index(ends[first])] += np.add.reduceat(terms, first)
    return out


def dots(g: Array, row: Array, x: Array, source: Array) -> Array:
    """For each pair of rows of g and x their dot product."""
    out = np.empty(len(row), np.result_type(g, x))
    g, x = np.ascontiguousarray(g), np.ascontiguousarray(x)
    for wires in chunks(len(row), x):
        np.einsum("eb,eb->e", g[row[wires]], x[source[wires]], out=out[wires])
    return out
