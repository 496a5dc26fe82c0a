"""How edges look: hue and width by sign and size, and their numbers, where there is room for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from viz._marks import Piece, sample
from viz._places import Point, Rect, meet
from viz._text import signed, width
from viz._xml import GREY, INK, NEGATIVE, PAPER, Raw, element, hue, write
from viz.neurons._measured import Wire

__all__ = ["NUMBERED", "draw_wire", "negative_sample", "point_at", "settle_labels", "widest", "width_sample"]

NUMBERED = 40  # with more edges than this, their numbers would only be noise
_THINNEST = 0.5
_HOLLOW = 2.0  # from this width on a negative line has a core of paper; thinner ones are dashed
_DASH, _DOTS = "5 2.5", "1 3"  # of thin negative lines, and of what is no finite number
_PLACES = (0.5, 0.36, 0.64, 0.25, 0.75, 0.43, 0.57, 0.3, 0.7, 0.18, 0.82, 0.12, 0.88)  # of an edge, best first


def widest(count: int) -> float:
    """How wide the largest of a layer is drawn: less where there are many."""
    return 6.0 if count <= 40 else 4.5 if count <= 100 else 3.5


def draw_wire(wire: Wire, way: Sequence[Point], most: float, hover: str, numbered: bool, **data: object) -> Raw:
    """One edge, `most` pixels wide where it is the largest of its layer; `numbered` where its number will be on it."""
    (x, y), *rest = way
    d = f"M{x:.1f} {y:.1f}C" + " ".join(f"{px:.1f} {py:.1f}" for px, py in rest)
    flawed = not all(map(math.isfinite, wire.values))
    wide = wire.share * most
    told = numbered or flawed or wire.value >= 0  # hue alone would not do without colours
    line = element(
        "path", d=d, fill="none", stroke=INK if flawed else hue(wire.value),
        stroke_width=f"{max(_THINNEST, wide):.3f}",
        stroke_dasharray=_DOTS if flawed else None if told or wide >= _HOLLOW else _DASH,
        stroke_opacity=None if flawed else f"{0.4 + 0.6 * wire.share:.2f}",
    )  # fmt: skip
    parts = [element("title", hover), line]
    if not told and wide >= _HOLLOW:
        parts.append(element("path", d=d, fill="none", stroke=PAPER, stroke_width=f"{0.3 * wide:.3f}"))
    return element("g", *parts, **data)


def point_at(way: Sequence[Point], t: float) -> Point:
    """The point of a chain of cubic Bézier pieces at t, from 0 to 1, all pieces taking equally long."""
    pieces = (len(way) - 1) // 3
    k = min(pieces - 1, int(t * pieces))
    t = t * pieces - k
    a, b, c, d = way[3 * k : 3 * k + 4]
    s = 1 - t
    return tuple(s**3 * p + 3 * s * s * t * q + 3 * s * t * t * r + t**3 * u for p, q, r, u in zip(a, b, c, d))  # type: ignore[return-value]


def settle_labels(
    wires: Sequence[Wire], ways: Sequence[Sequence[Point]], taken: Sequence[Rect]
) -> dict[int, list[Raw]]:
    """The numbers of the edges, strongest first, each where fewest other edges pass and no text or unit is met; an
    edge without such a place has none."""
    rows = list(taken)
    traces = [[point_at(way, k / 40) for k in range(41)] for way in ways]
    parts: dict[int, list[Raw]] = {}
    for w in sorted(range(len(wires)), key=lambda w: -wires[w].share):
        text = signed(wires[w].value)
        half = width(text, 11) / 2 + 1
        best: tuple[float, Rect, Point] | None = None
        for rank, t in enumerate(_PLACES):
            x, y = point_at(ways[w], t)
            box = (x - half, y - 7.5, x + half, y + 7.5)
            if any(meet(box, other) for other in rows):
                continue
            cost = 0.15 * rank + sum(_inside(p, box) for v, trace in enumerate(traces) if v != w for p in trace)
            if best is None or cost < best[0]:
                best = cost, box, (x, y)
        if best is not None:
            _, box, (x, y) = best
            rows.append(box)
            back = element("rect", x=x - half, y=y - 7, width=2 * half, height=14, rx=4, fill=PAPER, fill_opacity=0.93)
            parts[w] = [back, write(text, x, y + 4, 11, hue(wires[w].value), "middle")]
    return parts


def _inside(p: Point, box: Rect) -> bool:
    return box[0] <= p[0] <= box[2] and box[1] <= p[1] <= box[3]


def width_sample(text: str, most: float) -> Piece:
    """Lines of growing width, and what they mean."""
    parts = [
        element("line", x1=k * 15, x2=k * 15 + 12, y1=0, y2=0, stroke=GREY, stroke_width=max(_THINNEST, most * k / 3))
        for k in range(4)
    ]
    return sample(parts, 61, text)


def negative_sample(text: str) -> Piece:
    """Lines as negative numbers have them where they are not printed, wide and thin."""
    lines = [
        element("line", x2=22, y1=y, y2=y, stroke=colour, stroke_width=wide, stroke_dasharray=dash)
        for y, colour, wide, dash in ((-3, NEGATIVE, 5, None), (-3, PAPER, 1.5, None), (4.5, NEGATIVE, 1.25, _DASH))
    ]
    return sample(lines, 23, text)
