"""Where units stand, a column a layer, and the ways of the edges between them, around every unit in between."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from viz._places import Point
from viz.neurons._units import Place

__all__ = ["Glyph", "Item", "Stand", "stand"]

_LANE, _ENTRY = 11.0, 9.0  # room for an edge that passes a column; between edges that arrive at one unit
_CLEAR = 10.0  # from the units of a column to where an edge that passes it may bend
_SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Glyph:
    """A unit's shape: a circle, or a square of the same half, with `reach` to the outside of its ring, and below it
    `under` pixels of text."""

    half: float
    reach: float
    under: float = 0.0
    is_square: bool = False

    def side(self, dy: float, bare: bool) -> float:
        """How far from the middle the outline is, `dy` below it; of a `bare` unit, which has no ring, its own."""
        reach = self.half + 0.5 if bare else self.reach
        return reach if self.is_square else math.sqrt(max(0.0, reach**2 - dy**2))


@dataclass(slots=True)
class Item:
    """What takes up room in a column: a unit, an ellipsis (unit -1), or a lane for an edge (unit -2, its number)."""

    column: int
    unit: int
    above: float
    below: float
    wire: int = -1
    y: float = 0.0
    before: list[Item] = field(default_factory=list, repr=False)
    after: list[Item] = field(default_factory=list, repr=False)


@dataclass(slots=True)
class Stand:
    """Where everything is: centres of units and ellipses, and for each wire the points of its cubic Bézier curve."""

    width: float
    height: float
    xs: list[float]  # the middle of each column
    units: dict[Place, Point]
    more: dict[int, Point]  # the ellipsis of each column that has one
    ways: list[list[Point]]


def stand(
    shown: Sequence[Sequence[int]],
    hidden: Sequence[int],
    glyphs: Sequence[Glyph],
    wires: Sequence[tuple[Place, Place]],
    *,
    gaps: Sequence[float],
    widths: Sequence[float],
    space: float,
    ellipsis: float,
    free: bool,
    bare: Collection[Place] = (),
) -> Stand:
    """Places for the units `shown` in each column, of which `hidden` more are told by an ellipsis `ellipsis` high.

    `gaps[c]` is the room before column c, `widths[c]` its width, `space` that between units. With `free`, units may
    change places within their column, where fewer edges cross then. Edges reach up to units that are `bare` of a ring.
    """
    columns = [_items(c, units, hidden[c], glyphs[c], space, ellipsis) for c, units in enumerate(shown)]
    at = {(i.column, i.unit): i for items in columns for i in items}
    chains = []
    for w, (tail, head) in enumerate(wires):
        chain = [at[tail]]
        for c in range(tail[0] + 1, head[0]):
            lane = Item(c, -2, _LANE / 2, _LANE / 2, w)
            columns[c].append(lane)
            chain.append(lane)
        chain.append(at[head])
        for a, b in pairwise(chain):
            a.after.append(b)
            b.before.append(a)
        chains.append(chain)
    for items in columns:
        _pack(items, [0.0] * len(items))
    if free:
        columns = _untangled(columns, [bool(h) for h in hidden])
    if free or any(i.unit == -2 for items in columns for i in items):
        for sweep in range(_SWEEPS):
            for items in columns if sweep % 2 else reversed(columns):
                _pack(items, [_wish(i) for i in items])
    top = min(i.y - i.above for items in columns for i in items)
    for items in columns:
        for i in items:
            i.y -= top
    xs, x = [], 0.0
    for c, wide in enumerate(widths):
        x += gaps[c] if c else 0.0
        xs.append(x + wide / 2)
        x += wide
    height = max(i.y + i.below for items in columns for i in items)
    return Stand(
        x, height, xs,
        {(i.column, i.unit): (xs[i.column], i.y) for items in columns for i in items if i.unit >= 0},
        {i.column: (xs[i.column], i.y) for items in columns for i in items if i.unit == -1},
        _ways(chains, glyphs, xs, bare),
    )  # fmt: skip


def _items(c: int, units: Sequence[int], hidden: int, glyph: Glyph, space: float, ellipsis: float) -> list[Item]:
    items = [Item(c, i, glyph.reach + space / 2, glyph.reach + glyph.under + space / 2) for i in units]
    if hidden:
        items.insert(len(items) - 1, Item(c, -1, ellipsis / 2, ellipsis / 2))
    return items


def _pack(items: list[Item], wishes: list[float]) -> None:
    """Put each item as near to where it wishes to be as their order and their sizes allow: the least sum of squares,
    by pooling neighbours that would overlap."""
    blocks: list[tuple[float, int]] = []  # mean of the wishes less the offsets, and how many share it
    offset, offsets = 0.0, []
    for k, item in enumerate(items):
        offset += (items[k - 1].below if k else 0.0) + item.above
        offsets.append(offset)
    for wish, off in zip(wishes, offsets, strict=True):
        mean, count = wish - off, 1
        while blocks and blocks[-1][0] >= mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
    starts = [mean for mean, count in blocks for _ in range(count)]
    for item, start, off in zip(items, starts, offsets, strict=True):
        item.y = start + off


def _wish(item: Item) -> float:
    """In the middle of its neighbours; a lane, which should be straight, pulls four times as hard."""
    near = [(other.y, 4.0 if -2 in (item.unit, other.unit) else 1.0) for other in (*item.before, *item.after)]
    return sum(y * w for y, w in near) / sum(w for _, w in near) if near else item.y


def _untangled(columns: list[list[Item]], fixed: list[bool]) -> list[list[Item]]:
    """The columns in the order, of those met in sweeps by the neighbours' mean, in which fewest edges cross.

    The inputs stay in order, and so do the units of a column of which some are hidden.
    """
    best = [list(items) for items in columns]
    fewest = _crossings(columns)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        order = range(1, len(columns)) if forward else range(len(columns) - 2, 0, -1)
        for c in order:
            items = columns[c]
            wish = {id(i): _mean([n.y for n in (i.before if forward else i.after)], i.y) for i in items}
            if fixed[c]:
                units = [i for i in items if i.unit > -2]
                low = -math.inf
                for i in units:  # lanes find their place among units that keep theirs
                    low = wish[id(i)] = max(low, i.y)
            items.sort(key=lambda i: wish[id(i)])
            _pack(items, [0.0] * len(items))
        if (count := _crossings(columns)) < fewest:
            best, fewest = [list(items) for items in columns], count
    for items in best:
        _pack(items, [0.0] * len(items))
    return best


def _mean(ys: list[float], otherwise: float) -> float:
    return sum(ys) / len(ys) if ys else otherwise


def _crossings(columns: list[list[Item]]) -> int:
    total = 0
    for items in columns[:-1]:
        ends: list[float] = []
        for item in sorted(items, key=lambda i: i.y):
            heads = sorted(other.y for other in item.after)
            total += sum(end > head for head in heads for end in ends)
            ends += heads
    return total


# --- the ways of the edges ------------------------------------------------------------------------------------------


def _ways(
    chains: list[list[Item]], glyphs: Sequence[Glyph], xs: list[float], bare: Collection[Place]
) -> list[list[Point]]:  # fmt: skip
    """Each edge leaves its unit to the right and arrives from the left, level, and passes columns in between level."""
    leaving: dict[int, list[int]] = {}
    arriving: dict[int, list[int]] = {}
    for w, chain in enumerate(chains):
        leaving.setdefault(id(chain[0]), []).append(w)
        arriving.setdefault(id(chain[-1]), []).append(w)
    starts, ends = {}, {}
    for group in leaving.values():
        group.sort(key=lambda w: (chains[w][1].y, w))
        for w, dy in zip(group, _fan(len(group), glyphs[chains[group[0]][0].column]), strict=True):
            starts[w] = dy
    for group in arriving.values():
        group.sort(key=lambda w: (chains[w][-2].y, w))
        for w, dy in zip(group, _fan(len(group), glyphs[chains[group[0]][-1].column]), strict=True):
            ends[w] = dy
    ways = []
    for w, chain in enumerate(chains):
        first, last = chain[0], chain[-1]
        reach = glyphs[first.column].side(starts[w], (first.column, first.unit) in bare) + 1
        way = [(xs[first.column] + reach, first.y + starts[w])]
        for lane in chain[1:-1]:
            x, aside = xs[lane.column], glyphs[lane.column].reach + _CLEAR
            _level(way, (x - aside, lane.y))
            _level(way, (x + aside, lane.y))
        reach = glyphs[last.column].side(ends[w], (last.column, last.unit) in bare) + 1
        _level(way, (xs[last.column] - reach, last.y + ends[w]))
        ways.append(way)
    return ways


def _fan(count: int, glyph: Glyph) -> list[float]:
    """How far above or below the middle of a unit each of its edges begins or ends."""
    step = min(_ENTRY, 1.3 * glyph.half / max(1, count - 1))
    return [(k - (count - 1) / 2) * step for k in range(count)]


def _level(way: list[Point], end: Point) -> None:
    """A piece of curve to `end`, level at both ends."""
    x, y = way[-1]
    bend = (end[0] - x) / 2
    way += [(x + bend, y), (end[0] - bend, end[1]), end]
