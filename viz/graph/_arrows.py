"""How an edge looks: as wide as the gradient through it, in the hue of its sign, with a bar where that stops."""

from __future__ import annotations

import math
from collections.abc import Sequence

from viz._marks import Piece, said
from viz._scene import Edge, Scene
from viz._text import number, width
from viz._xml import GREY, INK, LINE, NEGATIVE, PAPER, Raw, element, hue, write
from viz.graph._layout import Curve, Point

__all__ = ["bar", "draw_edge", "hollow", "is_negative", "label_size", "largest_weight", "weights", "widths"]

_THIN, _THICK = 1.25, 5.25
_WEAKEST, _STRONGEST = -3, 1  # powers of ten: the gradients drawn thinnest and thickest
_DASHES = {"closed": "5 4", "saturated": "8 3 1.5 3"}


def label_size(edge: Edge) -> Point:
    """The room an edge's text needs."""
    return width(edge.label, 11) + 8, 17.0


def largest_weight(scene: Scene) -> float:
    """The largest finite magnitude of a weight in a wiring; 0 where there is none."""
    return max((abs(e.weight) for e in scene.edges if e.weight is not None and math.isfinite(e.weight)), default=0.0)


def _stroke(through: float | None) -> float:
    """How thick an edge is: even steps for every power of ten."""
    if not through or math.isnan(through):
        return _THIN
    power = min(_STRONGEST, max(_WEAKEST, math.log10(abs(through))))
    return _THIN + (_THICK - _THIN) * (power - _WEAKEST) / (_STRONGEST - _WEAKEST)


def _by_weight(weight: float, largest: float) -> float:
    share = abs(weight) / largest if largest and math.isfinite(weight) else 0.0
    return _THIN + (_THICK - _THIN) * share


def _colour(edge: Edge) -> str:
    if edge.weight is not None:
        return hue(edge.weight)
    return hue(edge.through) if edge.signed and edge.through else GREY if edge.through else LINE


def draw_edge(edge: Edge, index: int, curves: Sequence[Curve], label: Point | None, largest: float) -> Raw:
    """The markup of an edge along its curves, hover text first."""
    thick = _stroke(edge.through) if edge.weight is None else _by_weight(edge.weight, largest)
    colour = INK if edge.wrong else _colour(edge)
    thick = max(thick, 2.5) if edge.wrong else thick
    parts = [element("title", edge.hover)] if edge.hover else []
    for curve in curves:
        (x, y), *rest = curve.points
        d = f"M{x:.1f} {y:.1f}C" + " ".join(f"{px:.1f} {py:.1f}" for px, py in rest)
        dashes = {"stroke_dasharray": _DASHES.get(edge.stopped)}
        parts.append(element("path", d=d, fill="none", stroke=colour, stroke_width=thick, **dashes))
        if curve.tip is not None:
            parts.append(_arrow(curve.points[-1], curve.tip, thick, colour, is_negative(edge)))
            if edge.stopped:
                parts.append(_stop(curve.points[-4:]))
    if label is not None:
        bold = edge.wrong
        parts.append(write(edge.label, label[0], label[1] + 4, 11, INK, "middle", bold=bold, halo=True))
    # Edges without a sign come in bundles: each must show through the others.
    faint = None if edge.signed else 0.7
    exact = {name: None if x is None else repr(float(x)) for name, x in (
        ("data_through", edge.through), ("data_total", edge.total), ("data_local", edge.local),
        ("data_weight", edge.weight),
    )}  # fmt: skip
    return element(
        "g", *parts, opacity=faint, data_edge=index, data_tail=edge.tail, data_head=edge.head,
        data_stop=edge.stop or None, **exact,
    )  # fmt: skip


def is_negative(edge: Edge) -> bool:
    """Whether the edge's tip is hollow: a sign is told by more than its hue."""
    x = edge.weight if edge.weight is not None else edge.through if edge.signed else None
    return x is not None and x < 0 and not edge.wrong


def _arrow(base: Point, tip: Point, thick: float, colour: str, hollow: bool) -> Raw:
    dx, dy = tip[0] - base[0], tip[1] - base[1]
    length = math.hypot(dx, dy) or 1.0
    half = 2.4 + thick * 0.55
    nx, ny = -dy / length * half, dx / length * half
    corners = (base[0] + nx, base[1] + ny), tip, (base[0] - nx, base[1] - ny)
    look = {"fill": PAPER, "stroke": colour, "stroke_width": 1.25} if hollow else {"fill": colour}
    return element("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z", **look)


def _stop(points: Sequence[Point]) -> Raw:
    """A bar across the edge, shortly before its head: what comes back from there goes no further."""
    (x, y), (ux, uy) = _before_end(points, 8.0)
    ends = f"M{x - 6 * uy:.1f} {y + 6 * ux:.1f}L{x + 6 * uy:.1f} {y - 6 * ux:.1f}"
    return element("path", d=ends, fill="none", stroke=INK, stroke_width=2.5, stroke_linecap="round")


def _before_end(points: Sequence[Point], distance: float) -> tuple[Point, Point]:
    """A point on a Bézier piece that lies about `distance` before its end, and the direction there."""
    end, at = points[-1], points[-1]
    for step in range(1, 20):
        t, last = 1 - step / 20, at
        a, b, c, d = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
        x, y = (sum(w * p[i] for w, p in zip((a, b, c, d), points, strict=True)) for i in (0, 1))
        at = x, y
        if math.dist(at, end) >= distance:
            break
    dx, dy = last[0] - at[0], last[1] - at[1]
    length = math.hypot(dx, dy) or 1.0
    return at, (dx / length, dy / length)


# --- pieces of the legend -------------------------------------------------------------------------------------------


def bar(dashes: str, text: str) -> Piece:
    """An edge that a bar stops."""
    words = said(text, 36)
    parts = [
        element("line", x1=0, y1=0, x2=27, y2=0, stroke=GREY, stroke_width=1.5, stroke_dasharray=dashes),
        element("path", d="M28 -6V6", fill="none", stroke=INK, stroke_width=2.5, stroke_linecap="round"),
    ]
    return Piece(words.width, [*parts, *words.markup])


def hollow(what: str) -> Piece:
    """An edge with the tip of a negative number."""
    words = said(f"hollow tip: negative {what}", 26)
    line = element("line", x1=0, y1=0, x2=13, y2=0, stroke=NEGATIVE, stroke_width=2.5)
    return Piece(words.width, [line, _arrow((13.0, 0.0), (20.0, 0.0), 2.5, NEGATIVE, True), *words.markup])


def widths() -> Piece:
    """Lines of growing width, one a power of ten."""
    powers = range(_WEAKEST, _STRONGEST + 1)
    return _lines("gradient ≤ 0.001", [_stroke(10.0**power) for power in powers], "≥ 10")


def weights(largest: float) -> list[Piece]:
    """Lines from weight 0 to the largest there is."""
    return [_lines("weight 0", [_by_weight(k, 4) for k in range(5)], f"±{number(largest)}")] if largest else []


def _lines(first: str, strokes: Sequence[float], last: str) -> Piece:
    parts = [write(first, 0, 4, 11.5, GREY)]
    x = width(first, 11.5) + 7
    for stroke in strokes:
        parts.append(element("line", x1=x, y1=0, x2=x + 15, y2=0, stroke=GREY, stroke_width=stroke))
        x += 18
    end = said(last, x + 4)
    return Piece(end.width, [*parts, *end.markup])
