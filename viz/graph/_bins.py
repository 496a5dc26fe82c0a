"""What fills the box of many numbers: histograms about zero with the numbers beside them, and a cell for every unit."""

from __future__ import annotations

import math
from functools import partial

from viz._marks import cross, square
from viz._scene import Unit
from viz._summary import BINS, Summary
from viz._text import number
from viz._xml import CARD, DOTS, GREY, HATCH, INK, LINE, NEGATIVE, POSITIVE, Raw, element, write

__all__ = ["NO_GRADIENT", "STEP", "cell", "row"]

NO_GRADIENT = "–"
STEP = 13.5  # from one unit's cell to the next
_CELL = 11.0
_HIST = 100.0


def cell(unit: Unit, x: float, y: float) -> Raw:
    """One unit: the greyer, the more it is on; dead with hatching and a cross, saturated with dots and a square."""
    rect = partial(element, "rect", x=x, y=y, width=_CELL, height=_CELL, rx=2.5, stroke=GREY, stroke_width=1)
    told = f"unit {unit.name}{', ' * bool(unit.mark)}{unit.mark}\n{unit.measure} for {unit.on!r} of the examples"
    parts = [element("title", told), rect(fill=CARD)]
    middle = x + _CELL / 2, y + _CELL / 2
    if unit.mark == "dead":
        parts += [rect(fill=HATCH), cross(*middle, 7)]
    elif unit.mark == "saturated":
        parts += [rect(fill=DOTS), square(*middle, 5.5)]
    else:
        parts.append(rect(fill=INK, fill_opacity=f"{0.06 + 0.6 * unit.on:.3f}"))
    return element("g", *parts, data_unit=unit.name, data_mark=unit.mark or None, data_value=repr(unit.on))


def row(word: str, summary: Summary | None, wanted: tuple[str, ...], y: float, wide: float, halo: bool) -> list[Raw]:
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
        exact = None if summary is None else getattr(summary, what)
        shown = NO_GRADIENT if exact is None else number(exact)
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
