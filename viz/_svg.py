"""The drawing: a scene and the places of its things become one SVG that stands on its own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

from viz._boxes import (
    NO_GRADIENT,
    Pens,
    closed_pattern,
    draw_box,
    full_bar,
    round_front,
    saturated_pattern,
    size_of,
)
from viz._layout import Curve, Link, Placed, Point, lay_out, walk
from viz._route import settle
from viz._scene import Box, Edge, Scene
from viz._summary import SATURATED_BELOW, SATURATED_SHARE
from viz._text import number, signed, width
from viz._xml import BLUE, FAINT, FONT, GREY, INK, LINE, ORANGE, Raw, element, hue, write

__all__ = ["draw_svg"]

_MARGIN = 18.0
_NARROWEST = 480.0  # room for the legend
_LABELLED = 150  # with more edges than this, their labels would only be noise
_THIN, _THICK = 1.25, 5.25
_WEAKEST, _STRONGEST = -3, 1  # powers of ten: the gradients drawn thinnest and thickest


class Piece(NamedTuple):
    """A part of the legend: its width, and its markup with the middle of its left end at (0, 0)."""

    width: float
    markup: list[Raw]


def draw_svg(scene: Scene, direction: str, title: str) -> str:
    """The scene as SVG text; `title` is the heading, and may be empty. Raises `LayoutError`."""
    labelled = len(scene.edges) <= _LABELLED
    links = [Link(e.tail, e.head, _label_size(e) if labelled and e.label else None) for e in scene.edges]
    sizes = [size_of(b, direction) for b in scene.boxes]
    placed = lay_out(sizes, links, scene.root, direction)
    settle(placed, links, sizes, [round_front(b) for b in scene.boxes], direction)
    page = max(placed.width, _NARROWEST, width(title, 17, bold=True), width(scene.fold_note, 12.5))
    return _page(scene, placed, direction, title, page)


def _page(scene: Scene, placed: Placed, direction: str, title: str, page: float) -> str:
    name = title or "Computation graph"
    prefix = "viz" + hashlib.blake2s(repr((scene, direction, title)).encode(), digest_size=5).hexdigest()
    pens = Pens(full_bar(scene), prefix)
    head, y = _heading(title, scene.fold_note)
    body = _body(scene, placed, direction, pens)
    shift = _MARGIN + (page - placed.width) / 2
    body_y = y
    y += placed.height + 10
    legend, y = _legend(scene, pens, page, y)
    wide, high = page + 2 * _MARGIN, y + _MARGIN - 6
    svg = element(
        "svg",
        element("title", name, id=f"{prefix}-title"),
        element("desc", _describe(scene), id=f"{prefix}-desc"),
        element("defs", closed_pattern(prefix), saturated_pattern(prefix)),
        element("rect", width=wide, height=high, rx=12, fill="#ffffff"),
        *head,
        element("g", *body, transform=f"translate({shift:.2f} {body_y:.2f})"),
        *legend,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby=f"{prefix}-title {prefix}-desc",
        width=float(math.ceil(wide)),
        height=float(math.ceil(high)),
        viewBox=f"0 0 {math.ceil(wide)} {math.ceil(high)}",
        font_family=FONT,
        font_variant="tabular-nums",
    )
    return svg.markup + "\n"


def _heading(title: str, note: str) -> tuple[list[Raw], float]:
    """Title and fold note, and where the drawing may begin."""
    parts, y = [], _MARGIN
    if title:
        parts.append(write(title, _MARGIN, y + 15, 17, INK, bold=True))
        y += 27
    if note:
        parts.append(write(note, _MARGIN, y + 12, 12.5, GREY))
        y += 24
    return parts, y


def _body(scene: Scene, placed: Placed, direction: str, pens: Pens) -> list[Raw]:
    parts = []
    for k, frame in enumerate(walk(scene.root)):
        x0, y0, x1, y1 = placed.frames[k]
        parts.append(
            element(
                "rect",
                x=x0,
                y=y0,
                width=x1 - x0,
                height=y1 - y0,
                rx=10,
                fill="#7a7a70",
                fill_opacity=0.05,
                stroke=FAINT,
                stroke_width=1,
                data_frame=frame.label,
            )
        )
        parts.append(write(frame.label, x0 + 11, y0 + 17, 12, GREY))
    for i, edge in enumerate(scene.edges):
        parts.append(_edge(edge, i, placed.curves[i], placed.labels.get(i)))
    parts += [draw_box(b, i, placed.boxes[i], direction, pens) for i, b in enumerate(scene.boxes)]
    return parts


def _label_size(edge: Edge) -> Point:
    return width(edge.label, 11) + 8, 17.0


def _stroke(through: float | None) -> float:
    """How thick an edge is: even steps for every power of ten."""
    if not through or math.isnan(through):
        return _THIN
    power = min(_STRONGEST, max(_WEAKEST, math.log10(abs(through))))
    return _THIN + (_THICK - _THIN) * (power - _WEAKEST) / (_STRONGEST - _WEAKEST)


def _edge_colour(edge: Edge) -> str:
    return hue(edge.through) if edge.signed and edge.through else GREY if edge.through else LINE


def _edge(edge: Edge, index: int, curves: Sequence[Curve], label: Point | None) -> Raw:
    thick, colour = _stroke(edge.through), _edge_colour(edge)
    parts = [element("title", edge.hover)] if edge.hover else []
    for curve in curves:
        (x, y), *rest = curve.points
        d = f"M{x:.1f} {y:.1f}C" + " ".join(f"{px:.1f} {py:.1f}" for px, py in rest)
        parts.append(
            element(
                "path",
                d=d,
                fill="none",
                stroke=colour,
                stroke_width=thick,
                stroke_dasharray="5 4" if edge.closed else None,
            )
        )
        if curve.tip is not None:
            parts.append(_arrow(curve.points[-1], curve.tip, thick, colour))
    if label is not None:
        parts.append(write(edge.label, label[0], label[1] + 4, 11, INK, "middle", halo=True))
    # Edges without a sign come in bundles: each must show through the others.
    faint = None if edge.signed else 0.7
    return element("g", *parts, opacity=faint, data_edge=index, data_tail=edge.tail, data_head=edge.head)


def _arrow(base: Point, tip: Point, thick: float, colour: str) -> Raw:
    dx, dy = tip[0] - base[0], tip[1] - base[1]
    length = math.hypot(dx, dy) or 1.0
    half = 2.4 + thick * 0.55
    nx, ny = -dy / length * half, dx / length * half
    corners = (base[0] + nx, base[1] + ny), tip, (base[0] - nx, base[1] - ny)
    return element("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z", fill=colour)


def _legend(scene: Scene, pens: Pens, page: float, y: float) -> tuple[list[Raw], float]:
    """What the marks mean, in as many lines as the page needs; only marks that are on it."""
    boxes, edges = scene.boxes, scene.edges
    marks = {b.mark for b in boxes}
    summaries = any(b.kind in ("tensor", "group") for b in boxes)
    pieces = [_swatch(BLUE, "+ positive"), _swatch(ORANGE, "− negative")]
    if any(e.through for e in edges):
        pieces.append(_widths())
    if pens.full:
        pieces.append(_said(f"full bar: {number(pens.full)}"))
    if any(b.tracked and b.grad is None and b.kind != "view" for b in boxes):
        pieces.append(_said(f"{NO_GRADIENT} no gradient yet"))
    if "closed" in marks:
        pieces.append(_patterned(pens, "hatch", "closed ReLU gate"))
    if "dead" in marks:
        pieces.append(_patterned(pens, "hatch", "× every unit dead on these examples"))
    if "saturated" in marks:
        pieces.append(_patterned(pens, "dots", f"□ saturated: f′(z) / max f′ < {SATURATED_BELOW}"))
    elif any("saturated" in b.note for b in boxes):
        pieces.append(
            _said(f"saturated: f′(z) / max f′ < {SATURATED_BELOW}; a unit: in {SATURATED_SHARE:.0%} of examples")
        )
    if any("units dead" in b.note for b in boxes):
        pieces.append(_said("dead: max over these examples ≤ 0"))
    if summaries:
        pieces.append(_said("histogram height: √ count"))
    parts = [element("line", x1=_MARGIN, y1=y, x2=_MARGIN + page, y2=y, stroke=FAINT, stroke_width=1)]
    x, y = 0.0, y + 17
    for piece in pieces:
        if x and x + piece.width > page:
            x, y = 0.0, y + 20
        parts.append(element("g", *piece.markup, transform=f"translate({_MARGIN + x:.2f} {y:.2f})"))
        x += piece.width + 14
    return parts, y + 12


def _said(text: str, x: float = 0.0) -> Piece:
    return Piece(x + width(text, 11.5), [write(text, x, 4, 11.5, GREY)])


def _swatch(colour: str, text: str) -> Piece:
    said = _said(text, 16.0)
    return Piece(said.width, [element("rect", y=-5.5, width=11, height=11, rx=2, fill=colour), *said.markup])


def _patterned(pens: Pens, pattern: str, text: str) -> Piece:
    said = _said(text, 24.0)
    box = element("rect", y=-6.5, width=19, height=13, rx=3, fill=f"url(#{pens.prefix}-{pattern})", stroke=GREY)
    return Piece(said.width, [box, *said.markup])


def _widths() -> Piece:
    """Lines of growing width, one a power of ten."""
    powers = range(_WEAKEST, _STRONGEST + 1)
    parts = [write("gradient ≤ 0.001", 0, 4, 11.5, GREY)]
    x = width("gradient ≤ 0.001", 11.5) + 7
    for power in powers:
        parts.append(element("line", x1=x, y1=0, x2=x + 15, y2=0, stroke=GREY, stroke_width=_stroke(10.0**power)))
        x += 18
    said = _said("≥ 10", x + 4)
    return Piece(said.width, [*parts, *said.markup])


def _describe(scene: Scene) -> str:
    """The picture in words, for a screen reader: its extent, then its first boxes."""
    said = [f"{len(scene.boxes):,} boxes and {len(scene.edges):,} edges."]
    if scene.fold_note:
        said.append(scene.fold_note + ".")
    shown = scene.boxes[:40]
    said += [_tell(b) for b in shown]
    if len(scene.boxes) > len(shown):
        said.append(f"And {len(scene.boxes) - len(shown):,} more.")
    return " ".join(said)


def _tell(box: Box) -> str:
    name = " ".join(filter(None, [box.op, box.name])) or box.kind
    if isinstance(box.value, float):
        grad = f", gradient {signed(box.grad)}" if isinstance(box.grad, float) else ""
        return f"{name} = {number(box.value)}{grad}."
    return f"{name} {box.shape}{', ' + box.note if box.note else ''}."
