"""A small graph as a diagram of box-drawing characters: columns from left to right, and lines that never run together.

Boxes stand in columns by the longest way from them to the output. Every use of a box has an arrow of its own, the first
input's on top. An edge over several columns passes through a line's height in each. Between two columns a line that
has to change its height gets a track, which only lines from the same box share (channel routing, after Hashimoto and
Stevens 1971): where lines cross, they do so at a right angle, and where they meet (├, ●) they are from the same box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from viz._chars import Piece, cells
from viz._scene import Edge

__all__ = ["diagram"]

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = dict(zip(
    (3, 12, 9, 5, 10, 6, 11, 7, 14, 13, 15, 1, 2, 4, 8), "│─╰╯╭╮├┤┬┴┼││──", strict=True
))  # fmt: skip
_SWEEPS = 6
_MOST = 8  # arrows into a box
_SHIFTS = 6  # rows that a column moves down at most
_Grid = dict[tuple[int, int], dict[tuple[int, int], int]]  # (row, column): by line, in which ways it leaves the cell


@dataclass(slots=True)
class _Item:
    """A box in its column, or, without `rows`, the place where an edge passes through."""

    column: int
    rows: list[list[Piece]] = field(default_factory=list)
    top: int = 0

    @property
    def height(self) -> int:
        return len(self.rows) + 2 if self.rows else 1


class _Hop(NamedTuple):
    """An edge from one column to the next: items, and the rows of these at which it leaves and arrives."""

    tail: int
    head: int
    leaves: int
    arrives: int


def diagram(contents: Sequence[list[list[Piece]]], edges: Sequence[Edge], width: int) -> list[list[Piece]] | None:
    """Lines of a diagram with a box for each of `contents` (rows of pieces), or None where it cannot be drawn so.

    That is where it would be wider than `width`, has a loop, or lines that would run into one another.
    """
    columns = _columns(len(contents), edges)
    if columns is None:
        return None
    arriving = Counter(e.head for e in edges)
    if max(arriving.values(), default=0) > _MOST:
        return None
    items = [
        _Item(c, rows + [[]] * (arriving[b] - len(rows)))
        for b, (c, rows) in enumerate(zip(columns, contents, strict=True))
    ]
    hops = _hops(items, edges)
    ranks = _ordered(items, hops)
    _place(items, ranks, hops)
    _untangle(items, hops, len(ranks))
    for room in (2, 1):  # columns between the last track and the box
        lines = _drawn(items, ranks, hops, room, width)
        if lines is not None:
            return lines
    return None


def _columns(count: int, edges: Sequence[Edge]) -> list[int] | None:
    """A column for each box, the last for what nothing is made from; None for a loop."""
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for e in edges:
        after[e.head].append(e.tail)
        waiting[e.tail] += 1
    distance = [0] * count
    ready = [b for b in range(count) if not waiting[b]]
    done = 0
    for b in ready:
        done += 1
        for tail in after[b]:
            distance[tail] = max(distance[tail], distance[b] + 1)
            waiting[tail] -= 1
            if not waiting[tail]:
                ready.append(tail)
    return [max(distance) - d for d in distance] if done == count and count else None


def _hops(items: list[_Item], edges: Sequence[Edge]) -> list[_Hop]:
    """All edges in steps of one column; makes the items that they pass through."""
    arriving = Counter(e.head for e in edges)
    arrived: Counter[int] = Counter()
    copies = Counter((e.tail, e.head) for e in edges)
    twins: Counter[tuple[int, int]] = Counter()
    hops = []
    for e in edges:
        rows, k = len(items[e.head].rows), arriving[e.head]
        sending, many = len(items[e.tail].rows), copies[e.tail, e.head]
        nth, twin = arrived[e.head], twins[e.tail, e.head]
        arrived[e.head] += 1
        twins[e.tail, e.head] += 1
        row = 1 + nth + (rows - k) // 2
        at, leaves = e.tail, 1 + ((sending - many) // 2 + twin if many <= sending else twin * sending // many)
        for column in range(items[e.tail].column + 1, items[e.head].column):
            items.append(_Item(column))
            hops.append(_Hop(at, len(items) - 1, leaves, 0))
            at, leaves = len(items) - 1, 0
        hops.append(_Hop(at, e.head, leaves, row))
    return hops


def _ordered(items: list[_Item], hops: list[_Hop]) -> list[list[int]]:
    """The items of each column from top to bottom, with few crossings: barycentres, back and forth, best of all."""
    before: dict[int, list[int]] = {i: [] for i in range(len(items))}
    after: dict[int, list[int]] = {i: [] for i in range(len(items))}
    for hop in hops:
        before[hop.head].append(hop.tail)
        after[hop.tail].append(hop.head)
    ranks: list[list[int]] = [[] for _ in range(max(i.column for i in items) + 1)]
    seen: set[int] = set()
    for end in [i for i in range(len(items)) if not after[i]]:  # from the output to the leaves, as one reads a formula
        stack = [end]
        while stack:
            i = stack.pop()
            if i not in seen:
                seen.add(i)
                ranks[items[i].column].append(i)
                stack += reversed(before[i])
    best, fewest = ranks, _crossings(ranks, hops)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        ranks = [list(column) for column in ranks]
        neighbours = after if sweep % 2 == 0 else before
        for column in reversed(ranks) if sweep % 2 == 0 else ranks:
            place = {i: k for other in ranks for k, i in enumerate(other)}
            column.sort(
                key=lambda i: sum(place[j] for j in neighbours[i]) / len(neighbours[i]) if neighbours[i] else place[i]
            )
        crossings = _crossings(ranks, hops)
        if crossings < fewest:
            best, fewest = ranks, crossings
    return best


def _crossings(ranks: list[list[int]], hops: list[_Hop]) -> int:
    place = {i: (c, k) for c, column in enumerate(ranks) for k, i in enumerate(column)}
    ends = [(*place[h.tail], h.leaves, place[h.head][1], h.arrives) for h in hops]
    return sum(a[0] == b[0] and a[1:3] < b[1:3] and a[3:] > b[3:] for a in ends for b in ends)


def _place(items: list[_Item], ranks: list[list[int]], hops: list[_Hop]) -> None:
    """Heights: the tallest column is stacked, and the others, outwards from it, stand level with their neighbours."""
    tall = [sum(items[i].height for i in column) for column in ranks]
    start = tall.index(max(tall))
    y = 0
    for i in ranks[start]:
        items[i].top, y = y, y + items[i].height
    for order, forward in ((range(start + 1, len(ranks)), True), (range(start - 1, -1, -1), False)):
        for c in order:
            wanted: list[float | None] = []
            for i in ranks[c]:
                tops = [
                    items[h.tail].top + h.leaves - h.arrives if forward else items[h.head].top + h.arrives - h.leaves
                    for h in hops
                    if (h.head if forward else h.tail) == i
                ]
                wanted.append(sum(tops) / len(tops) if tops else None)
            for i, top in zip(ranks[c], _spread(wanted, [items[i].height for i in ranks[c]]), strict=True):
                items[i].top = top


def _untangle(items: list[_Item], hops: list[_Hop], count: int) -> None:
    """Move columns down until there are tracks: no line then leaves at the height at which another one arrives.

    At the end the topmost item is in row 0.
    """
    for c in range(count - 1):
        here = [h for h in hops if items[h.tail].column == c]
        for _ in range(_SHIFTS):
            if _tracks(items, here) is not None:
                break
            for item in items:
                item.top += item.column > c
    highest = min(item.top for item in items)
    for item in items:
        item.top -= highest


def _spread(wanted: list[float | None], heights: list[int]) -> list[int]:
    """Tops in order and without overlap, as near to those wanted as can be: least squares, by pooling neighbours.

    Who wants nothing stands next to a neighbour who does.
    """
    pools: list[tuple[float, int]] = []  # mean of what is wanted, less the heights before; how many
    shifted, before = [], 0
    for top, height in zip(wanted, heights, strict=True):
        shifted.append(None if top is None else top - before)
        before += height
    told = [top for top in shifted if top is not None] or [0.0]
    last = told[0]
    for top in shifted:
        last = last if top is None else top
        pools.append((last, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, m), (b, n) = pools[-2], pools.pop()
            pools[-1] = ((a * m + b * n) / (m + n), m + n)
    tops, at = [], 0
    for mean, n in pools:
        for _ in range(n):
            tops.append(round(mean) + at)
            at += heights[len(tops) - 1]
    return tops


def _drawn(
    items: list[_Item], ranks: list[list[int]], hops: list[_Hop], room: int, width: int
) -> list[list[Piece]] | None:
    lines: _Grid = {}
    pieces: dict[tuple[int, int], Piece] = {}
    x = 0
    for c, column in enumerate(ranks):
        inner = max((cells(row) for i in column for row in items[i].rows), default=0)
        wide = inner + 4 if inner else 1
        for i in column:
            item = items[i]
            if not item.rows:
                _across(lines, (i, 0), item.top, x, x + wide)
                continue
            pieces[item.top, x] = ("╭" + "─" * (wide - 2) + "╮", "")
            for k, row in enumerate(item.rows):
                at = x + 2
                pieces[item.top + 1 + k, x] = ("│ ", "")
                for j, (text, style) in enumerate(row):
                    if j == len(row) - 1 and j:  # the last stands at the right edge
                        at = x + 2 + inner - cells([(text, style)])
                    pieces[item.top + 1 + k, at] = (text, style)
                    at += cells([(text, style)])
                pieces[item.top + 1 + k, x + wide - 2] = (" │", "")
            pieces[item.top + item.height - 1, x] = ("╰" + "─" * (wide - 2) + "╯", "")
        x += wide
        if c == len(ranks) - 1:
            break
        here = [h for h in hops if items[h.tail].column == c]
        tracks = _tracks(items, here)
        if tracks is None:
            return None
        used = max(tracks.values(), default=-1) + 1
        gap = 1 + used + room if used else 3
        for h in here:
            net, source, target = (h.tail, h.leaves), items[h.tail].top + h.leaves, items[h.head].top + h.arrives
            if source == target:
                _across(lines, net, source, x, x + gap)
            else:
                track = x + 1 + tracks[net]
                _across(lines, net, source, x, track)
                _add(lines, net, source, track, _LEFT)
                for y in range(min(source, target), max(source, target)):
                    _add(lines, net, y, track, _DOWN)
                    _add(lines, net, y + 1, track, _UP)
                _add(lines, net, target, track, _RIGHT)
                _across(lines, net, target, track + 1, x + gap)
            if items[h.head].rows:
                pieces[target, x + gap - 1] = ("►", "")
        x += gap
    return _assembled(pieces, lines) if x <= width else None


def _add(lines: _Grid, net: tuple[int, int], y: int, x: int, ways: int) -> None:
    cell = lines.setdefault((y, x), {})
    cell[net] = cell.get(net, 0) | ways


def _across(lines: _Grid, net: tuple[int, int], y: int, start: int, end: int) -> None:
    for x in range(start, end):
        _add(lines, net, y, x, _LEFT | _RIGHT)


def _tracks(items: list[_Item], hops: list[_Hop]) -> dict[tuple[int, int], int] | None:
    """A track for every port whose lines change height; None where no order of tracks keeps the lines apart."""
    nets: dict[tuple[int, int], list[tuple[int, int, int]]] = {}  # by source port: (row, target item, its row)
    source: dict[tuple[int, int], int] = {}
    for h in hops:
        port = (h.tail, h.leaves)
        source[port] = items[h.tail].top + h.leaves
        nets.setdefault(port, []).append((items[h.head].top + h.arrives, h.head, h.arrives))
    bent = {p: ends for p, ends in nets.items() if any(row != source[p] for row, _, _ in ends)}
    first: dict[tuple[int, int], set[tuple[int, int]]] = {p: set() for p in bent}  # whose tracks must lie to the left
    for p, ends in nets.items():
        for q in bent:
            if p == q or source[p] not in {row for row, _, _ in bent[q]}:
                continue
            if any(row == source[p] for row, _, _ in ends):  # straight on: it may meet q only where both arrive
                continue
            first[q].add(p)
    tracks: dict[tuple[int, int], int] = {}
    taken: list[list[tuple[int, int]]] = []
    while len(tracks) < len(bent):
        free = [p for p in bent if p not in tracks and first[p] <= tracks.keys()]
        if not free:
            return None
        p = min(free, key=lambda p: max(abs(row - source[p]) for row, _, _ in bent[p]))
        rows = [source[p], *(row for row, _, _ in bent[p])]
        low, high = min(rows), max(rows)
        track = max((tracks[q] + 1 for q in first[p]), default=0)
        while track < len(taken) and any(a <= high and low <= b for a, b in taken[track]):
            track += 1
        while track >= len(taken):
            taken.append([])
        taken[track].append((low, high))
        tracks[p] = track
    return tracks


def _assembled(pieces: dict[tuple[int, int], Piece], lines: _Grid) -> list[list[Piece]]:
    """Rows of pieces, out of what stands where."""
    rows: dict[int, dict[int, Piece]] = {}
    for (y, x), nets in lines.items():
        line = _LINES[sum(nets.values())]  # two lines in a cell cross, so that no way is taken twice
        rows.setdefault(y, {})[x] = ("●" if line == "┼" and len(nets) == 1 else line, "")
    for (y, x), piece in pieces.items():
        rows.setdefault(y, {})[x] = piece
    out = []
    for y in range(max(rows) + 1):
        row: list[Piece] = []
        at = 0
        for x, (text, style) in sorted(rows.get(y, {}).items()):
            row += [(" " * (x - at), "")] * (x > at) + [(text, style)]
            at = x + cells([(text, style)])
        out.append(row)
    return out
