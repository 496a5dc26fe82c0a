"""Last touches to the curves: arrows that meet get an entry each, and short curves become plain waves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from viz._places import Curve, Link, Placed, Point

__all__ = ["settle"]

Turn = Callable[[Point], Point]  # so that the flow always goes to the right

_ARROW = 7.0  # length of an arrow's head
_SHORT = 90.0  # a curve that bridges no more than this passes between two columns, and meets nothing
_SWING = 60.0
_STRAIGHT, _BACK = 1.99, 0.5  # length of two unit vectors' sum: at a joint that is no corner, and at a hairpin
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
        points = _smoothed(points)
    return Curve([turn(p) for p in points], None if entry is None else turn(entry))


def _smoothed(points: Sequence[Point]) -> list[Point]:
    """The same chain with its corners rounded: the handles on both sides of a joint come to lie on one line."""
    kept = list(points[:1])
    for k in range(1, len(points), 3):
        if any(math.dist(p, kept[-1]) > 0.5 for p in points[k : k + 3]):  # else a piece of no length
            kept += points[k : k + 3]
    points, smooth = kept, list(kept)
    for k in range(3, len(points) - 1, 3):
        (x0, y0), (x, y), (x1, y1) = points[k - 3], points[k], points[k + 3]
        arrives, leaves = _from(points[k - 1], points[k]), _from(points[k], points[k + 1])
        into = arrives if any(arrives) else (x - x0, y - y0)
        out = leaves if any(leaves) else (x1 - x, y1 - y)
        a, b = math.hypot(*into), math.hypot(*out)
        if not a or not b:
            continue
        dx, dy = into[0] / a + out[0] / b, into[1] / a + out[1] / b
        turn = math.hypot(dx, dy)
        if turn > _STRAIGHT or turn < _BACK:
            continue
        a = math.hypot(*arrives) or math.hypot(x - x0, y - y0) / 3
        b = math.hypot(*leaves) or math.hypot(x1 - x, y1 - y) / 3
        smooth[k - 1] = x - dx / turn * a, y - dy / turn * a
        smooth[k + 1] = x + dx / turn * b, y + dy / turn * b
    for k in range(0, len(smooth) - 1, 3):
        start, end = smooth[k], smooth[k + 3]
        smooth[k + 1], smooth[k + 2] = _fitted(start, smooth[k + 1], end), _fitted(end, smooth[k + 2], start)
    return smooth


def _fitted(knot: Point, handle: Point, other: Point) -> Point:
    """A handle so long that the curve does not turn on the spot, yet not past half of its way in either direction;
    and so short that it does not swing out far beyond both knots, as Graphviz has it do now and then."""
    step, way, long = _from(knot, handle), _from(knot, other), math.dist(knot, handle)
    wanted = 0.3 * math.dist(knot, other)
    most = math.inf
    for d, w in zip(step, way, strict=True):
        if abs(d) > 0.05 * long:
            wanted = min(wanted, 0.45 * w / d * long)
        if d:
            most = min(most, (_SWING + max(0.0, w if d > 0 else -w)) / abs(d) * long)
    length = min(max(long, wanted), most)
    return (knot[0] + step[0] * length / long, knot[1] + step[1] * length / long) if long else handle


def _from(a: Point, b: Point) -> Point:
    return b[0] - a[0], b[1] - a[1]
