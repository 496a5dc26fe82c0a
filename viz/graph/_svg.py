"""The drawing: a scene and the places of its things become one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from micrograd_nn.health._activity import FLAT
from micrograd_nn.health._report import OFTEN
from viz._marks import SIGNS, Piece, cross, patterned, said, square
from viz._scene import Box, Scene
from viz._sheet import Graph, Sheet, Table, compose
from viz._summary import Summary, percent
from viz._text import number, signed
from viz._thresholds import on, saturates
from viz._xml import CARD, DOTS, FAINT, FRAME, GREY, HATCH, INK, NEGATIVE, POSITIVE, Raw, element, write
from viz.graph._arrows import bar, draw_edge, hollow, is_negative, label_size, largest_weight, weights, widths
from viz.graph._bins import NO_GRADIENT
from viz.graph._boxes import draw_box, full_bar, is_flawed, is_quiet, round_front, size_of, tick
from viz.graph._layout import Link, Placed, lay_out, walk
from viz.graph._numbering import in_reading_order
from viz.graph._route import settle

__all__ = ["draw_scene"]

_CLOSE = 22.0  # pixels from rank to rank where boxes and edges show no numbers
_LABELLED = {"graph": 150, "wiring": 24}  # with more edges than this, their labels would only be noise
_NAMES = {"graph": "Computation graph", "wiring": "Network"}


def draw_scene(scene: Scene, direction: str, title: str, full: Callable[[], Any]) -> Sheet:
    """The scene on a page; `title` is the heading and may be empty, `full` makes the whole graph for exports.

    Raises `LayoutError`.
    """
    few = len(scene.edges) <= _LABELLED[scene.kind]
    shown = [bool(e.label) and (few or bool(e.stop) or e.wrong) for e in scene.edges]
    links = [Link(e.tail, e.head, label_size(e) if on else None) for e, on in zip(scene.edges, shown, strict=True)]
    sizes = [size_of(b, direction) for b in scene.boxes]
    quiet = scene.kind == "graph" and not any(link.label for link in links) and all(map(is_quiet, scene.boxes))
    placed = lay_out(sizes, links, scene.root, direction, _CLOSE if quiet and direction == "TB" else None)
    settle(placed, links, sizes, [round_front(b) for b in scene.boxes], direction)
    gathered = scene
    scene, placed = in_reading_order(scene, placed, direction)
    full_height = full_bar(scene)
    body = _body(scene, placed, direction, full_height)
    return compose(
        "graph",
        body,
        (placed.width, placed.height),
        _legend(scene, full_height, any(hue in part.markup for part in body for hue in (POSITIVE, NEGATIVE))),
        title=title,
        name=_NAMES[scene.kind],
        notes=[*([scene.fold_note] if scene.fold_note else []), *scene.notes],
        description=_describe(scene),
        tables=_tables(scene),
        graph=Graph(scene, placed, direction, full, gathered),
    )


def _tables(scene: Scene) -> list[Table]:
    """What the picture shows, in full precision: a row a box, and a row an edge."""
    arrays = any(isinstance(box.value, Summary) for box in scene.boxes)
    boxes: list[tuple[str | float | None, ...]] = []
    for i, box in enumerate(scene.boxes):
        numbers = [x if isinstance(x, float) else None for x in (box.value, box.grad)]
        if arrays:
            value, grad = (x if isinstance(x, Summary) and x.count else None for x in (box.value, box.grad))
            numbers += [value.mean, value.std] if value is not None else [None, None]
            numbers.append(None if grad is None else grad.norm)
        marks = [box.mark, box.note, {"wrong": box.fault, "right": "checked and right", "": ""}[box.verdict]]
        name, said = box.full_name or box.name, ", ".join(filter(None, marks))
        boxes.append((i, name, box.op, box.shape, *numbers, said, box.module))
    numbered = ("value", "gradient", "mean", "std", "norm of gradient") if arrays else ("value", "gradient")
    word = "weight" if scene.kind == "wiring" else "local derivative"
    edges = [
        (e.tail, e.head, e.label, e.through, e.count, e.weight if scene.kind == "wiring" else e.local, e.stop)
        for e in scene.edges
    ]
    columns = ("from", "to", "label", "gradient through", "uses", word, "stops")
    return [
        Table("Boxes", ("box", "name", "op", "shape", *numbered, "notes", "module"), boxes),
        Table("Edges", columns, list(edges)),
    ]


def _body(scene: Scene, placed: Placed, direction: str, full_height: float) -> list[Raw]:
    parts, names = [], []
    for k, frame in enumerate(walk(scene.root)):
        x0, y0, x1, y1 = placed.frames[k]
        heavy = {"stroke": INK, "stroke_width": 2} if frame.highlighted else {"stroke": FAINT, "stroke_width": 1}
        if frame.highlighted:
            ring = {"x": x0 - 4, "y": y0 - 4, "width": x1 - x0 + 8, "height": y1 - y0 + 8, "rx": 13}
            parts.append(element("rect", fill="none", stroke=INK, stroke_width=2, **ring))
        box = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0, "rx": 10}
        tint = {"fill": FRAME, "fill_opacity": 0.05}
        parts.append(element("rect", **box, **tint, **heavy, data_frame=frame.path or frame.label))
        name = write(frame.label, x0 + 11, y0 + 17, 12, GREY, halo=True)
        names.append(element("g", name, data_label=frame.path or frame.label))
    largest = largest_weight(scene)
    for i, edge in enumerate(scene.edges):
        parts.append(draw_edge(edge, i, placed.curves[i], placed.labels.get(i), largest))
    parts += names
    parts += [draw_box(b, i, placed.boxes[i], direction, full_height) for i, b in enumerate(scene.boxes)]
    return parts


# --- legend ---------------------------------------------------------------------------------------------------------


def _legend(scene: Scene, full_height: float, has_hues: bool) -> list[Piece]:
    """What the marks mean: only those that are on the page."""
    boxes, edges = scene.boxes, scene.edges
    marks = {b.mark for b in boxes}
    stops = {e.stopped for e in edges}
    pieces = list(SIGNS) * has_hues
    if scene.kind == "wiring":
        pieces += weights(largest_weight(scene))
    if any(e.through for e in edges):
        pieces.append(widths())
    if any(map(is_negative, edges)):
        pieces.append(hollow("weight" if scene.kind == "wiring" else "gradient"))
    if full_height:
        pieces.append(said(f"full bar: {number(full_height)}"))
    if any(b.tracked and b.shows_grad and b.grad is None and b.kind not in ("view", "unit") for b in boxes):
        pieces.append(said(f"{NO_GRADIENT} no gradient yet"))
    if "closed" in marks:
        pieces.append(patterned(HATCH, "closed ReLU gate"))
    if "closed" in stops:
        pieces.append(bar("5 4", "the gradient stops here"))
    if "saturated" in stops:
        pieces.append(bar("8 3 1.5 3", "next to none comes through"))
    pieces += _health(boxes)
    if any(b.is_input for b in boxes) or (scene.kind == "wiring" and boxes):
        pieces.append(_wedges())
    if any(is_flawed(b) for b in boxes):
        words = said("NaN or infinite", 26)
        frame = element("rect", x=1.5, y=-6.5, width=17, height=13, rx=3, fill=CARD, stroke=INK, stroke_width=3)
        pieces.append(Piece(words.width, [frame, *words.markup]))
    if any(b.highlighted for b in boxes) or any(f.highlighted for f in walk(scene.root)):
        pieces.append(_outlined())
    if any(b.verdict == "right" for b in boxes):
        words = said("checked and right", 16)
        pieces.append(Piece(words.width, [tick(5, 0), *words.markup]))
    if any(isinstance(x, Summary) and x.count for b in boxes if b.kind != "view" for x in (b.value, b.grad)):
        pieces.append(said("histogram height: √ count"))
    return pieces


def _health(boxes: Sequence[Box]) -> list[Piece]:
    """Dead and saturated, with the thresholds that they are told by."""
    marks = {b.mark for b in boxes} | {u.mark for b in boxes for u in b.units}
    notes = [b.note for b in boxes if b.examples]
    counts = {b.examples for b in boxes if b.examples}
    where = on(*counts) if len(counts) == 1 else "on these examples"
    pieces = []
    text = f"dead {where}: activation never above 0"
    if "dead" in marks:
        pieces.append(patterned(HATCH, text, cross(9.5, 0, 8)))
    elif any(" dead" in note for note in notes):
        pieces.append(said(text))
    if "saturated" in marks or any(" saturated" in note for note in notes):
        text = f"saturated: {saturates(FLAT)}"
        if counts:
            text += f" {where}" if counts == {1} else f", a unit {where}".replace("on", f"on ≥ {percent(OFTEN)} of", 1)
        pieces.append(patterned(DOTS, text, square(9.5, 0, 7)) if "saturated" in marks else said(text))
    if any(b.units for b in boxes):
        pieces.append(_greys())
    return pieces


def _greys() -> Piece:
    """The cells of units, from off to on."""
    words = said("a cell a unit: grey = share of examples it is on, or not saturated", 44)
    cells = [
        element("rect", x=13 * k, y=-5.5, width=11, height=11, rx=2.5, fill=INK, fill_opacity=f"{0.06 + 0.3 * k:.2f}",
                stroke=GREY)
        for k in range(3)
    ]  # fmt: skip
    return Piece(words.width, [*cells, *words.markup])


def _wedges() -> Piece:
    words = said("input, result", 14)
    return Piece(words.width, [element("path", d="M0 -6l7.5 6l-7.5 6Z", fill=INK), *words.markup])


def _outlined() -> Piece:
    words = said("highlighted", 26)
    outer = element("rect", x=0, y=-8, width=20, height=16, rx=5, fill=CARD, stroke=INK, stroke_width=2)
    inner = element("rect", x=4, y=-4, width=12, height=8, rx=2, fill=CARD, stroke=INK, stroke_width=1.5)
    return Piece(words.width, [outer, inner, *words.markup])


# --- in words -------------------------------------------------------------------------------------------------------


def _describe(scene: Scene) -> str:
    """The picture in words, for a screen reader: its extent, then its first boxes."""
    said = [f"{len(scene.boxes):,} boxes and {len(scene.edges):,} edges."]
    if scene.fold_note:
        said.append(scene.fold_note + ".")
    shown = scene.boxes[:40]
    said += [_tell(b) for b in shown]
    if len(scene.boxes) > len(shown):
        said.append(f"And {len(scene.boxes) - len(shown):,} more.")
    stops = [e for e in scene.edges if e.stopped]
    if stops:
        said.append(f"The gradient stops, or nearly, at {len(stops):,} of the edges.")
    return " ".join(said)


def _tell(box: Box) -> str:
    name = " ".join(filter(None, [box.op, box.name])) or box.kind
    marks = "".join(f", {word}" for word in (box.mark, box.fault) if word)
    if box.kind == "unit":
        return f"{name}, bias {number(box.value)}." if isinstance(box.value, float) else f"{name}."
    if isinstance(box.value, float):
        grad = f", gradient {signed(box.grad)}" if isinstance(box.grad, float) else ""
        return f"{name} = {number(box.value)}{grad}{marks}."
    return f"{name} {box.shape}{', ' + box.note if box.note else ''}{marks}."
