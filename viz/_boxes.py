"""How each kind of box looks: how large it must be for its text, and the markup that fills it."""

from __future__ import annotations

import math
from functools import partial

from viz._marks import cross, square
from viz._scene import Box, Scene
from viz._summary import BINS, Summary
from viz._text import number, signed, width
from viz._xml import (
    CARD,
    DOTS,
    FAINT,
    GREY,
    HATCH,
    INK,
    LINE,
    NEGATIVE,
    PALE,
    POSITIVE,
    TRACK,
    Raw,
    element,
    hue,
    write,
)  # fmt: skip

__all__ = ["NO_GRADIENT", "draw_box", "full_bar", "round_front", "size_of"]

NO_GRADIENT = "–"
_OP = 26.0  # height of an op's circle, and its width when the symbol is short
_GAP = 9.0  # between an op and its box
_HIGH, _BAR = 46.0, 9.0
_USUAL = 124.0  # most scalars fit in this width, and columns of like boxes are easier to read
_WIDE = 240.0
_LOW = 26.0
_HIST, _ROW = 100.0, 42.0


def full_bar(scene: Scene) -> float:
    """The largest finite magnitude of a single number in the scene: what a full bar is."""
    values = [abs(b.value) for b in scene.boxes if b.kind == "scalar" and isinstance(b.value, float)]
    return max(filter(math.isfinite, values), default=0.0)


def size_of(box: Box, direction: str) -> tuple[float, float]:
    """Width and height in pixels, the op's circle included."""
    wide, high = _body(box)
    if not _has_circle(box):
        return wide, high
    if direction == "LR":
        return _op_width(box) + _GAP + wide, high
    return max(wide, _op_width(box)), _OP + _GAP + high


def _has_circle(box: Box) -> bool:
    return box.kind == "scalar" and bool(box.op)


def round_front(box: Box) -> float:
    """The radius of what edges arrive at: an op's circle; 0 for a box, which is flat."""
    return _OP / 2 if _has_circle(box) else 0.0


def _op_width(box: Box) -> float:
    return max(_OP, width(box.op, 12) + 13)


def _body(box: Box) -> tuple[float, float]:
    """Size of the box proper."""
    if box.kind == "scalar":
        labels, numbers = zip(*_lines(box), strict=True)
        name = width(labels[0], 13, bold=bool(box.name))
        wanted = _BAR + 9 + max(name, width(labels[1], 12)) + 16 + max(width(n, 13) for n in numbers) + 9
        return max(_USUAL, wanted), _HIGH
    if box.kind == "constant":
        name = width(box.name, 12) + 8 if box.name else 0.0
        return name + width(_shown(box.value), 12) + 14, _LOW - 2
    if box.kind == "view":
        return sum(width(t, 12) + 14 for t in (box.op, box.name, box.shape) if t) + 6, _LOW
    return _WIDE, 32 + _ROW * (1 + _shows_grad(box)) + (22 if box.note else 4)


def _shows_grad(box: Box) -> bool:
    return box.tracked


def _lines(box: Box) -> tuple[tuple[str, str], tuple[str, str]]:
    grad = signed(box.grad) if isinstance(box.grad, float) else NO_GRADIENT
    return (box.name or "value", _shown(box.value)), ("grad", grad)


def _shown(value: object) -> str:
    return number(value) if isinstance(value, float) else ""


def draw_box(box: Box, index: int, centre: tuple[float, float], direction: str, full: float) -> Raw:
    """The markup of a box around `centre`, hover text first."""
    total_w, total_h = size_of(box, direction)
    left, top = centre[0] - total_w / 2, centre[1] - total_h / 2
    parts = [element("title", box.hover)]
    wide, high = _body(box)
    x, y = left, top
    if _has_circle(box):
        op_w = _op_width(box)
        if direction == "LR":
            x = left + op_w + _GAP
            ox, oy, line = left + op_w / 2, centre[1], (left + op_w, centre[1], x, centre[1])
        else:
            x, y = centre[0] - wide / 2, top + _OP + _GAP
            ox, oy, line = centre[0], top + _OP / 2, (centre[0], top + _OP, centre[0], y)
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
                stroke=GREY,
                stroke_width=1.25,
            )
        )
        parts.append(
            write(box.op, ox, oy + (5 if len(box.op) == 1 else 4), 14 if len(box.op) == 1 else 12, INK, "middle")
        )
    draw = {"scalar": _scalar, "constant": _constant, "view": _view}.get(box.kind, _tensor)
    parts.append(element("g", *draw(box, wide, high, full), transform=f"translate({x:.2f} {y:.2f})"))
    return element("g", *parts, data_box=index, data_kind=box.kind, data_mark=box.mark or None)


def _outline(box: Box, wide: float, high: float, stroke: str = GREY, fill: str = CARD) -> list[Raw]:
    """The box itself: heavier for an output, patterned where its mark says so."""
    rect = partial(element, "rect", width=wide, height=high, rx=6)
    pattern = {"closed": HATCH, "dead": HATCH, "saturated": DOTS}.get(box.mark)
    parts = [rect(fill=fill)]
    if pattern:
        parts.append(rect(fill=pattern))
    flawed = isinstance(box.value, float) and not math.isfinite(box.value)
    flawed |= isinstance(box.value, Summary) and box.value.flawed > 0
    return [
        *parts,
        rect(
            fill="none",
            stroke=INK if box.is_output or flawed else stroke,
            stroke_width=3 if flawed else 2 if box.is_output else 1.25,
        ),
    ]


def _scalar(box: Box, wide: float, high: float, full: float) -> list[Raw]:
    (name, value), (word, grad) = _lines(box)
    halo = bool(box.mark)
    right = wide - 9
    leaf = not box.op
    parts = _outline(box, wide, high)
    parts += _bar(box.value if isinstance(box.value, float) else 0.0, high, full)
    parts += [
        write(name, _BAR + 9, 19.5, 13, INK if box.name else GREY, bold=bool(box.name), halo=halo),
        write(value, right, 19.5, 13, INK, "end", bold=leaf, halo=halo),
        write(word, _BAR + 9, 37, 12, GREY, halo=halo),
        write(grad, right, 37, 12, hue(box.grad if isinstance(box.grad, float) else None), "end", halo=halo),
    ]
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
    return [*parts, write(_shown(box.value), wide - 7, 16.5, 12, GREY, "end")]


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
    room = wide - x - width(box.shape, 12) - 18
    parts.append(write(_fitting(box.name, room), x, 20, 13, GREY if plain else INK, bold=True))
    parts.append(write(box.shape, wide - 11, 20, 12, GREY, "end", halo=bool(box.mark)))
    y = 32.0
    rows: list[tuple[str, float | Summary | None, tuple[str, ...]]] = [("value", box.value, ("mean", "std"))]
    if _shows_grad(box):
        rows.append(("grad", box.grad, ("norm",)))
    for word, summary, wanted in rows:
        parts += _row(word, summary if isinstance(summary, Summary) else None, wanted, y, wide, bool(box.mark))
        y += _ROW
    if box.note:
        parts.append(write(box.note, 12, high - 9, 12, INK, halo=bool(box.mark)))
    if box.mark == "dead":
        parts.append(cross(wide - 17, high - 13))
    if box.mark == "saturated":
        parts.append(square(wide - 17, high - 13))
    return parts


def _fitting(name: str, room: float) -> str:
    if width(name, 13, bold=True) <= room:
        return name
    while name and width(name + "…", 13, bold=True) > room:
        name = name[:-1]
    return name + "…" if name else ""


def _row(word: str, summary: Summary | None, wanted: tuple[str, ...], y: float, wide: float, halo: bool) -> list[Raw]:
    """One histogram with its caption, and beside it the numbers `wanted` of it."""
    base = y + 24
    parts = [element("line", x1=12, y1=base, x2=12 + _HIST, y2=base, stroke=LINE, stroke_width=1)]
    caption = word
    if summary is not None and summary.count:
        parts += _bars(summary, base)
        caption += f" ±{number(summary.limit)}"
    zero = 12 + _HIST / 2
    parts.append(
        element(
            "line",
            x1=zero,
            y1=y - 2,
            x2=zero,
            y2=base + 3,
            stroke=INK,
            stroke_width=1,
            stroke_dasharray="2 2",
        )
    )
    parts.append(write(caption, 12 + _HIST / 2, base + 13, 11, GREY, "middle", halo=halo))
    for k, what in enumerate(wanted):
        shown = NO_GRADIENT if summary is None else number(getattr(summary, what))
        line = base - 11 + 17 * k if len(wanted) > 1 else base - 3
        parts.append(write(what, 12 + _HIST + 11, line, 12, GREY, halo=halo))
        parts.append(write(shown, wide - 11, line, 12, INK, "end", halo=halo))
    return parts


def _bars(summary: Summary, base: float) -> list[Raw]:
    """Heights go with the square root of the count, so that a few numbers show beside very many."""
    step, most = _HIST / BINS, max(summary.bins)
    paths = {NEGATIVE: "", LINE: "", POSITIVE: ""}
    for i, count in enumerate(summary.bins):
        if count:
            high = max(1.0, 22 * math.sqrt(count / most))
            side = NEGATIVE if i < BINS // 2 else POSITIVE if i > BINS // 2 else LINE
            paths[side] += f"M{12 + i * step:.2f} {base:g}v-{high:.2f}h{step - 0.6:.2f}v{high:.2f}z"
    return [element("path", d=d, fill=fill) for fill, d in paths.items() if d]
