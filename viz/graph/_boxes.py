"""How each kind of box looks: how large it must be for its text, and the markup that fills it."""

from __future__ import annotations

import math
from functools import partial

from viz._marks import cross, square
from viz._scene import Box, Scene
from viz._summary import Summary
from viz._text import fitted, number, signed, width
from viz._xml import CARD, DOTS, FAINT, GREY, HATCH, INK, LINE, PALE, TRACK, Raw, element, hue, write
from viz.graph._bins import NO_GRADIENT, STEP, cell, row

__all__ = ["draw_box", "full_bar", "is_flawed", "is_quiet", "round_front", "size_of", "tick"]

_OP = 26.0  # height of an op's circle, and its width when the symbol is short
_GAP = 9.0  # between an op and its box
_LINE, _BAR = 17.5, 9.0
_USUAL = 124.0  # most scalars fit in this width, and columns of like boxes are easier to read
_WIDE = 250.0
_LOW = 26.0
_ROW = 42.0
_RING = 6.0  # from a highlighted box to its outer outline


def full_bar(scene: Scene) -> float:
    """The largest finite magnitude of a single number in the scene: what a full bar is."""
    values = [abs(b.value) for b in scene.boxes if b.kind == "scalar" and isinstance(b.value, float)]
    return max(filter(math.isfinite, values), default=0.0)


def size_of(box: Box, direction: str) -> tuple[float, float]:
    """Width and height in pixels, the op's circle included."""
    wide, high = (length + 2 * _ring(box) for length in _body(box))
    if not _has_circle(box):
        return wide, high
    if direction == "LR":
        return _op_width(box) + _GAP + wide, high
    return max(wide, _op_width(box)), _OP + _GAP + high


def _ring(box: Box) -> float:
    """The room that a highlighted box needs around it."""
    return _RING if box.highlighted else 0.0


def _has_circle(box: Box) -> bool:
    return box.kind in ("scalar", "unit") and bool(box.op)


def round_front(box: Box) -> float:
    """The radius of what edges arrive at: an op's circle; 0 for a box, which is flat."""
    return _OP / 2 if _has_circle(box) else 0.0


def _op_width(box: Box) -> float:
    return max(_OP, width(box.op, 12) + 13)


def _body(box: Box) -> tuple[float, float]:
    """Size of the box proper."""
    wide, high = _plain_body(box)
    return (max(wide, width(box.fault, 12, bold=True) + 40), high + 20) if box.verdict == "wrong" else (wide, high)


def _plain_body(box: Box) -> tuple[float, float]:
    if box.kind in ("scalar", "unit"):
        lines = _lines(box)
        left = max(width(text, 13, bold=k == 0 and bool(box.name)) for k, (text, _) in enumerate(lines))
        right = max(width(text, 13) for _, text in lines)
        wanted = _left(box) + left + (16 + right if right else 0) + 9
        usual = _USUAL if any(text for _, text in lines) else 0
        return max(usual, wanted), 11 + _LINE * len(lines)
    if box.kind == "constant":
        name = width(box.name, 12) + 8 if box.name else 0.0
        return max(20.0, name + width(_shown(box.value), 12) + 14), _LOW - 2
    if box.kind == "view":
        return sum(width(t, 12) + 14 for t in (box.op, box.name, box.shape) if t) + 6, _LOW
    rows = 0 if _one_number(box) else box.shows_value + _shows_grad(box)
    high = 32 + _ROW * rows + 17 * bool(box.subtitle or box.aside)
    high += 20 * bool(box.note) + 17 * bool(box.units and not _beside(box))
    if rows == 0 and (is_quiet(box) or not box.units):
        title = width(box.name, 13, bold=True) + width(box.shape, 12) + 42
        title += width(box.op, 12) + 20 if box.op else 0
        texts = width(box.note, 12), width(box.subtitle or box.aside, 12)
        below = max(*texts, _beside(box) + STEP * len(box.units) if box.units else 0.0) + 24
        return min(_WIDE, max(title, below, _USUAL * is_quiet(box))), high + 2
    return _WIDE, high + (2 if box.note or box.units else 4 if high > 32 else 0)


def is_quiet(box: Box) -> bool:
    """Whether it shows no numbers: then it may be small."""
    return not (box.shows_value or box.shows_grad) or box.kind == "constant"


def _beside(box: Box) -> float:
    """How far to the right of its note a quiet box has the cells of its units; 0 where there is no room: below it."""
    right = width(box.note, 12) + 10
    return right if is_quiet(box) and box.note and right + STEP * len(box.units) <= _WIDE - 24 else 0.0


def _shows_grad(box: Box) -> bool:
    return box.tracked and box.shows_grad


def _one_number(box: Box) -> bool:
    """Whether it is one number that leaves a folded box: its note says which."""
    return isinstance(box.value, float) or isinstance(box.grad, float)


def _left(box: Box) -> float:
    """Where the text begins: after the bar."""
    return _BAR + 9 if box.kind == "scalar" and box.shows_value else 10.0


def _lines(box: Box) -> list[tuple[str, str]]:
    """What a scalar says, or a unit: words at the left, numbers at the right."""
    if box.kind == "unit":
        return [(box.name, "")] + ([("bias", box.shape or _shown(box.value))] if box.op and box.shows_value else [])
    first = (box.name or ("value" if box.shows_value else box.op_name or "value"), _shown(box.value))
    grad = signed(box.grad) if isinstance(box.grad, float) else NO_GRADIENT
    return [first, ("grad", grad)] if box.shows_grad else [first]


def _shown(value: object) -> str:
    return number(value) if isinstance(value, float) else ""


def draw_box(box: Box, index: int, centre: tuple[float, float], direction: str, full: float) -> Raw:
    """The markup of a box around `centre`, hover text first."""
    total_w, total_h = size_of(box, direction)
    left, top = centre[0] - total_w / 2, centre[1] - total_h / 2
    parts = [element("title", box.hover)]
    wide, high = _body(box)
    ring = _ring(box)
    x, y = left + ring, top + ring
    if _has_circle(box):
        op_w = _op_width(box)
        if direction == "LR":
            x = left + op_w + _GAP + ring
            ox, oy, line = left + op_w / 2, centre[1], (left + op_w, centre[1], x - ring, centre[1])
        else:
            x, y = centre[0] - wide / 2, top + _OP + _GAP + ring
            ox, oy, line = centre[0], top + _OP / 2, (centre[0], top + _OP, centre[0], y - ring)
        parts.append(element("line", x1=line[0], y1=line[1], x2=line[2], y2=line[3], stroke=GREY, stroke_width=1.25))
        parts.append(
            element(
                "rect",
                x=ox - op_w / 2,
                y=oy - _OP / 2,
                width=op_w,
                height=_OP,
                rx=_OP / 2,
                fill=CARD,
                stroke=INK if box.verdict == "wrong" else GREY,
                stroke_width=3 if box.verdict == "wrong" else 1.25,
            )
        )
        single = len(box.op) == 1
        parts.append(write(box.op, ox, oy + (5 if single else 4), 14 if single else 12, INK, "middle"))
        if box.verdict == "right":
            parts.append(tick(ox + op_w / 2 - 4, oy - _OP / 2 + 1))
    draw = {"scalar": _scalar, "unit": _scalar, "constant": _constant, "view": _view}.get(box.kind, _tensor)
    inside = draw(box, wide, high, full)
    if box.highlighted:
        inside = [*_ringed(wide, high), *inside]
    if box.verdict == "right" and not _has_circle(box):
        inside.append(tick(wide - 5, 1))
    if box.verdict == "wrong":
        d = f"M13.5 {high - 18.5:.2f}l9 9m0 -9l-9 9"  # not the cross of a dead unit: the same lines, another meaning
        inside += [
            element("path", d=d, fill="none", stroke=INK, stroke_width=2.5),
            write(box.fault, 29, high - 10, 12, INK, bold=True, halo=True),
        ]
    inside += _ends(box, wide, high, direction)
    parts.append(element("g", *inside, transform=f"translate({x:.2f} {y:.2f})"))
    return element(
        "g", *parts, data_box=index, data_kind=box.kind, data_mark=box.mark or None, data_name=box.name or None,
        data_module=box.module or None, data_op=box.op_name or None, data_verdict=box.verdict or None,
        data_highlighted="" if box.highlighted else None, data_value=_exact(box.value), data_grad=_exact(box.grad),
    )  # fmt: skip


def _exact(x: float | Summary | None) -> str | None:
    return repr(x) if isinstance(x, float) else None


def tick(x: float, y: float) -> Raw:
    """The mark of a rule that was checked and is right, around (x, y)."""
    d = f"M{x - 4:.2f} {y:.2f}l3 3.5l5.5 -7"
    return element(
        "g",
        element("path", d=d, fill="none", stroke=CARD, stroke_width=5),
        element("path", d=d, fill="none", stroke=GREY, stroke_width=2),
    )


def _ringed(wide: float, high: float) -> list[Raw]:
    """The outer one of a heavy double outline."""
    gap = _RING - 1.25
    outer = {"x": -gap, "y": -gap, "width": wide + 2 * gap, "height": high + 2 * gap, "rx": 10}
    return [element("rect", fill=CARD, stroke=INK, stroke_width=2.5, **outer)]


def _ends(box: Box, wide: float, high: float, direction: str) -> list[Raw]:
    """A wedge where data comes into the model, and one where the result leaves it."""
    parts, ring = [], _ring(box)
    long = wide if direction == "LR" else high
    for there, at in ((box.is_input, -4 - ring), (box.is_output, long + 1.5 + ring)):
        if there and direction == "LR":
            parts.append(element("path", d=f"M{at:.2f} {high / 2 - 6:.2f}l7.5 6l-7.5 6Z", fill=INK))
        elif there:
            parts.append(element("path", d=f"M{wide / 2 - 6:.2f} {at:.2f}l6 7.5l6 -7.5Z", fill=INK))
    return parts


def is_flawed(box: Box) -> bool:
    """Whether NaN or an infinity is drawn in it."""
    shown = (box.value if box.shows_value else None, box.grad if box.tracked and box.shows_grad else None)
    return any(x.flawed > 0 if isinstance(x, Summary) else x is not None and not math.isfinite(x) for x in shown)


def _outline(box: Box, wide: float, high: float, stroke: str = GREY, fill: str = CARD) -> list[Raw]:
    """The box itself: heavier for an output, patterned where its mark says so."""
    rect = partial(element, "rect", width=wide, height=high, rx=6)
    pattern = {"closed": HATCH, "dead": HATCH, "saturated": DOTS}.get(box.mark)
    parts = [rect(fill=fill)]
    if pattern:  # fainter under the many words of a large box
        parts.append(rect(fill=pattern, fill_opacity=None if box.kind == "scalar" else 0.7))
    heavy = is_flawed(box) or box.verdict == "wrong"
    return [
        *parts,
        rect(
            fill="none",
            stroke=INK if box.is_output or heavy or box.highlighted else stroke,
            stroke_width=3 if heavy else 2 if box.is_output or box.highlighted else 1.25,
        ),
    ]


def _scalar(box: Box, wide: float, high: float, full: float) -> list[Raw]:
    halo, left, right = bool(box.mark), _left(box), wide - 9
    inner = high - 20 if box.verdict == "wrong" else high
    parts = _outline(box, wide, high)
    if box.kind == "scalar" and box.shows_value:
        parts += _bar(box.value if isinstance(box.value, float) else 0.0, inner, full)
    y = 19.5 if len(_lines(box)) > 1 else inner / 2 + 4.5
    for k, (word, shown) in enumerate(_lines(box)):
        named = k == 0 and bool(box.name)
        ink = INK if named else GREY
        parts.append(write(word, left, y + _LINE * k, 13 if k == 0 else 12, ink, bold=named, halo=halo))
        if shown and k == 0:
            parts.append(write(shown, right, y, 13, INK, "end", bold=not box.op, halo=halo))
        elif shown:
            x = box.value if box.kind == "unit" else box.grad
            shade = hue(x if isinstance(x, float) else None)
            parts.append(write(shown, right, y + _LINE * k, 12, shade, "end", halo=halo))
    if box.mark == "saturated":
        parts.append(square(wide - 0.5, 0.5))
    return parts


def _bar(value: float, high: float, full: float) -> list[Raw]:
    """A thermometer at the left edge: up from the middle for positive, down for negative."""
    middle, half = high / 2, high / 2 - 5
    share = min(1.0, abs(value) / full) if full and math.isfinite(value) else 0.0
    length = max(1.5, share * half) if share else 0.0
    return [
        element("rect", x=5, y=5, width=_BAR - 2, height=high - 10, rx=2, fill=TRACK),
        element(
            "rect",
            x=5,
            y=middle - length if value > 0 else middle,
            width=_BAR - 2,
            height=length,
            fill=hue(value),
        ),
        element("line", x1=4, y1=middle, x2=_BAR + 4, y2=middle, stroke=INK, stroke_width=1),
    ]


def _constant(box: Box, wide: float, high: float, full: float) -> list[Raw]:
    parts = _outline(box, wide, high, FAINT, PALE)
    if box.name:
        parts.append(write(box.name, 7, 16.5, 12, GREY))
    if shown := _shown(box.value):
        parts.append(write(shown, wide - 7, 16.5, 12, GREY, "end"))
    return parts


def _view(box: Box, wide: float, high: float, full: float) -> list[Raw]:
    parts = _outline(box, wide, high, LINE)
    x = 10.0
    for text, fill in ((box.op, INK), (box.name, INK)):
        if text:
            parts.append(write(text, x, 17.5, 12, fill))
            x += width(text, 12) + 14
    return [*parts, write(box.shape, wide - 10, 17.5, 12, GREY, "end")]


def _tensor(box: Box, wide: float, high: float, full: float) -> list[Raw]:
    plain = box.kind == "tensor" and not box.tracked
    halo = bool(box.mark)
    parts = []
    if box.kind == "group":  # a sheet behind the sheet: there is more in here
        parts = [element("rect", x=4, y=4, width=wide, height=high, rx=6, fill=PALE, stroke=LINE, stroke_width=1)]
    parts += _outline(box, wide, high, FAINT if plain else GREY, PALE if plain else CARD)
    x = 12.0
    if box.op:
        chip = width(box.op, 12) + 12
        parts.append(element("rect", x=8, y=6, width=chip, height=19, rx=9.5, fill=PALE, stroke=FAINT, stroke_width=1))
        parts.append(write(box.op, 8 + chip / 2, 19.5, 12, INK, "middle"))
        x = 8 + chip + 8
    if box.name:
        name = fitted(box.name, 13, wide - x - width(box.shape, 12) - 18, bold=True)
        parts.append(write(name, x, 20, 13, GREY if plain else INK, bold=True, halo=halo))
    parts.append(write(box.shape, wide - 11, 20, 12, GREY, "end", halo=halo))
    y = 32.0
    if left := box.subtitle or box.aside:
        parts.append(write(fitted(left, 12, wide - 24), 12, y + 5, 12, GREY, halo=halo))
        if box.subtitle and box.aside and width(left, 12) + width(box.aside, 12) + 10 <= wide - 23:
            parts.append(write(box.aside, wide - 11, y + 5, 12, GREY, "end", halo=halo))
        y += 17
    rows: list[tuple[str, float | Summary | None, tuple[str, ...]]] = []
    if box.shows_value and not _one_number(box):
        rows.append(("out" if box.kind == "group" else "value", box.value, ("mean", "std")))
    if _shows_grad(box) and not _one_number(box):
        rows.append(("grad", box.grad, ("norm",)))
    for word, summary, wanted in rows:
        parts += row(word, summary if isinstance(summary, Summary) else None, wanted, y, wide, halo)
        y += _ROW
    y += 13
    if box.note:
        parts.append(write(fitted(box.note, 12, wide - 24), 12, y, 12, INK, halo=halo))
        y += 0 if _beside(box) else 17
    for k, unit in enumerate(box.units):
        parts.append(cell(unit, 12 + _beside(box) + STEP * k, y - 10 if _beside(box) else y - 11))
    if not box.units and box.mark == "dead":
        parts.append(cross(wide - 17, high - 13))
    if not box.units and box.mark == "saturated":
        parts.append(square(wide - 17, high - 13))
    return parts
