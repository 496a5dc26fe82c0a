"""The drawing: a scene and the places of its things become one page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from viz._boxes import NO_GRADIENT, draw_box, full_bar, round_front, size_of
from viz._layout import Curve, Link, Placed, Point, lay_out, walk
from viz._marks import SIGNS, Piece, cross, patterned, said, square
from viz._route import settle
from viz._scene import Box, Edge, Scene
from viz._sheet import Graph, Sheet, Table, compose
from viz._summary import SATURATED_BELOW, SATURATED_SHARE
from viz._text import number, signed, width
from viz._xml import DOTS, FAINT, FRAME, GREY, HATCH, INK, LINE, Raw, element, hue, write

__all__ = ["draw_scene"]

_LABELLED = 150  # with more edges than this, their labels would only be noise
_THIN, _THICK = 1.25, 5.25
_WEAKEST, _STRONGEST = -3, 1  # powers of ten: the gradients drawn thinnest and thickest


def draw_scene(scene: Scene, direction: str, title: str, full: Callable[[], Any]) -> Sheet:
    """The scene on a page; `title` is the heading and may be empty, `full` makes the whole graph for exports.

    Raises `LayoutError`.
    """
    labelled = len(scene.edges) <= _LABELLED
    links = [Link(e.tail, e.head, _label_size(e) if labelled and e.label else None) for e in scene.edges]
    sizes = [size_of(b, direction) for b in scene.boxes]
    placed = lay_out(sizes, links, scene.root, direction)
    settle(placed, links, sizes, [round_front(b) for b in scene.boxes], direction)
    bar = full_bar(scene)
    return compose(
        "graph",
        _body(scene, placed, direction, bar),
        (placed.width, placed.height),
        _legend(scene, bar),
        title=title,
        name="Computation graph",
        notes=[scene.fold_note] if scene.fold_note else [],
        description=_describe(scene),
        tables=_tables(scene),
        graph=Graph(scene, placed, direction, full),
    )


def _tables(scene: Scene) -> list[Table]:
    """What the picture shows, in full precision: a row a box, and a row an edge."""
    boxes: list[tuple[str | float | None, ...]] = []
    for i, box in enumerate(scene.boxes):
        numbers = [x if isinstance(x, float) else None for x in (box.value, box.grad)]
        boxes.append((i, box.name, box.op, box.shape, *numbers, ", ".join(filter(None, [box.mark, box.note]))))
    edges = [(e.tail, e.head, e.label, e.through, e.count) for e in scene.edges]
    return [
        Table("Boxes", ("box", "name", "op", "shape", "value", "gradient", "notes"), boxes),
        Table("Edges", ("from", "to", "local derivative", "gradient through", "uses"), list(edges)),
    ]


def _body(scene: Scene, placed: Placed, direction: str, bar: float) -> list[Raw]:
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
                fill=FRAME,
                fill_opacity=0.05,
                stroke=FAINT,
                stroke_width=1,
                data_frame=frame.label,
            )
        )
        parts.append(write(frame.label, x0 + 11, y0 + 17, 12, GREY))
    for i, edge in enumerate(scene.edges):
        parts.append(_edge(edge, i, placed.curves[i], placed.labels.get(i)))
    parts += [draw_box(b, i, placed.boxes[i], direction, bar) for i, b in enumerate(scene.boxes)]
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


def _legend(scene: Scene, bar: float) -> list[Piece]:
    """What the marks mean: only those that are on the page."""
    boxes, edges = scene.boxes, scene.edges
    marks = {b.mark for b in boxes}
    summaries = any(b.kind in ("tensor", "group") for b in boxes)
    pieces = list(SIGNS)
    if any(e.through for e in edges):
        pieces.append(_widths())
    if bar:
        pieces.append(said(f"full bar: {number(bar)}"))
    if any(b.tracked and b.grad is None and b.kind != "view" for b in boxes):
        pieces.append(said(f"{NO_GRADIENT} no gradient yet"))
    if "closed" in marks:
        pieces.append(patterned(HATCH, "closed ReLU gate"))
    if "dead" in marks:
        pieces.append(patterned(HATCH, "every unit dead on these examples", cross(9.5, 0, 8)))
    if "saturated" in marks:
        pieces.append(patterned(DOTS, f"saturated: f′(z) / max f′ < {SATURATED_BELOW}", square(9.5, 0, 7)))
    elif any("saturated" in b.note for b in boxes):
        pieces.append(
            said(f"saturated: f′(z) / max f′ < {SATURATED_BELOW}; a unit: in {SATURATED_SHARE:.0%} of examples")
        )
    if any("units dead" in b.note for b in boxes):
        pieces.append(said("dead: max over these examples ≤ 0"))
    if summaries:
        pieces.append(said("histogram height: √ count"))
    return pieces


def _widths() -> Piece:
    """Lines of growing width, one a power of ten."""
    powers = range(_WEAKEST, _STRONGEST + 1)
    parts = [write("gradient ≤ 0.001", 0, 4, 11.5, GREY)]
    x = width("gradient ≤ 0.001", 11.5) + 7
    for power in powers:
        parts.append(element("line", x1=x, y1=0, x2=x + 15, y2=0, stroke=GREY, stroke_width=_stroke(10.0**power)))
        x += 18
    end = said("≥ 10", x + 4)
    return Piece(end.width, [*parts, *end.markup])


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
