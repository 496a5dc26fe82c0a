"""Last touches to the curves: arrows that meet get an entry each, and short curves become plain waves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from viz._layout import Curve, Link, Placed, Point

__all__ = ["settle"]

Turn = Callable[[Point], Point]  # so that the flow always goes to the right

_ARROW = 7.0  # length of an arrow's head
_SHORT = 90.0  # a curve that bridges no more than this passes between two columns, and meets nothing
_STEP, _WIDEST = math.radians(44), math.radians(60)  # between neighbouring entries, and the outermost of them


def settle(
    placed: Placed, links: Sequence[Link], sizes: Sequence[Point], rounds: Sequence[float], direction: str
) -> None:
    """Change the curves of `placed`; `rounds[b]` is the radius of the front of box b, 0 where it is flat."""
    turn: Turn = _same if direction == "LR" else _swapped
    arriving: dict[int, list[int]] = {}
    for i, link in enumerate(links):
        arriving.setdefault(link.head, []).append(i)
    entries: dict[int, Point] = {}
    for head, edges in arriving.items():
        edges.sort(key=lambda i: (_height(placed.curves[i][-1], turn), i))
        centre, size = turn(placed.boxes[head]), turn(sizes[head])
        front = centre[0] - size[0] / 2, centre[1]
        for i, point in zip(edges, _fan(front, size[1], rounds[head], len(edges)), strict=True):
            entries[i] = point
    for i, curves in placed.curves.items():
        last = len(curves) - 1
        placed.curves[i] = [_bend(curve, entries[i] if k == last else None, turn) for k, curve in enumerate(curves)]


def _same(p: Point) -> Point:
    return p


def _swapped(p: Point) -> Point:
    return p[1], p[0]


def _height(curve: Curve, turn: Turn) -> float:
    return sum(turn(p)[1] for p in curve.points) / len(curve.points)


def _fan(front: Point, high: float, radius: float, count: int) -> list[Point]:
    """Points of entry around the middle of a box's front."""
    x, y = front
    places = [k - (count - 1) / 2 for k in range(count)]
    if radius:
        step = min(_STEP, 2 * _WIDEST / max(1, count - 1))
        return [(x + radius * (1 - math.cos(p * step)), y + radius * math.sin(p * step)) for p in places]
    step = min(14.0, 0.6 * high / max(1, count - 1))
    return [(x, y + p * step) for p in places]


def _bend(curve: Curve, entry: Point | None, turn: Turn) -> Curve:
    """The curve as it is to be drawn, ending in an arrow at `entry` when there is one."""
    points = [turn(p) for p in curve.points]
    start, end = points[0], points[-1]
    if entry is not None:
        end = entry[0] - _ARROW, entry[1]
    if abs(end[0] - start[0]) <= _SHORT:
        half = max(6.0, (end[0] - start[0]) / 2)
        points = [start, (start[0] + half, start[1]), (end[0] - half, end[1]), end]
    else:
        points[-2] = points[-2][0], points[-2][1] + end[1] - points[-1][1]
        points[-1] = end
    return Curve([turn(p) for p in points], None if entry is None else turn(entry))
