"""Cells of a picture of activations: a function with its slope and flat regions, and a histogram under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrograd_nn.health import LayerHealth
from micrograd_nn.health._activity import FLAT
from viz._marks import Piece, patterned, sample, square
from viz._running import Array
from viz._text import clean, fitted
from viz._thresholds import saturates
from viz._xml import DOTS, GREY, HATCH, INK, LINE, TRACK, Raw, element, write
from viz.charts._chart import TICK, WIDE, Axes, Ending, endings, widest, wrapped
from viz.charts._curves import Shape

__all__ = ["BINS", "Cell", "counted", "draw_cells", "keys"]

BINS = 48  # about as many in a histogram


@dataclass(frozen=True)
class Cell:
    """One function to draw: its name, its shape (None: of no single z), and in a model what its units do."""

    name: str
    shape: Shape | None
    lo: float
    hi: float
    facts: list[str]
    health: LayerHealth | None = None
    z: Array | None = None  # all pre-activations that are finite
    bin: float = 0.25  # how wide each bin of the histogram is; `lo` and `hi` are multiples of it


def draw_cells(cells: Sequence[Cell]) -> tuple[list[Raw], tuple[float, float]]:
    """The cells in rows of up to three, their axes in line."""
    n = 2 if len(cells) == 4 else min(3, len(cells))
    ends = widest(["f(z)", "f′(z)"]) + 6 if n < 3 else 0.0
    gap, left = 26.0, 48.0
    wide = (WIDE - (n - 1) * gap) / n
    high = {1: 250.0, 2: 190.0, 3: 150.0}[n]
    parts: list[Raw] = []
    y = 0.0
    for start in range(0, len(cells), n):
        row = cells[start : start + n]
        facts = [[line for fact in _told(c, n == 1) for line in wrapped(fact, wide - 6, TICK)] for c in row]
        room = 26 + 16.0 * max(map(len, facts)) + 6
        end = y
        for k, (cell, lines) in enumerate(zip(row, facts, strict=True)):
            x = k * (wide + gap)
            drawn = [write(fitted(cell.name, 13.5, wide, bold=True), x, y + 14, 13.5, INK, bold=True)]
            for i, line in enumerate(lines):
                drawn.append(write(line, x, y + 32 + 16 * i, TICK, INK if cell.health and i == 0 else GREY))
            axes = Axes(
                x + left, y + room, wide - left - ends, high, (cell.lo, cell.hi),
                cell.shape.heights if cell.shape else (0.0, 1.0), xlabel="z", bare=cell.health is not None,
            )  # fmt: skip
            if cell.shape is not None:
                drawn += _function(cell.shape, axes, bool(ends))
            below = axes if cell.z is None else _below(axes, whole=cell.shape is None)
            if cell.z is not None:
                drawn += _histogram(cell, below)
            parts.append(element("g", *drawn, **_data(cell)))
            end = max(end, below.bottom + 42)
        y = end + 24
    return parts, (WIDE, y - 24)


def _told(cell: Cell, alone: bool) -> list[str]:
    """What is said over a function; where it has a row to itself, in one line after that of its units."""
    units = int(cell.health is not None)
    return [*cell.facts[:units], " · ".join(cell.facts[units:])] if alone else cell.facts


def _data(cell: Cell) -> dict[str, Any]:
    if cell.health is None:
        return {"data_activation": cell.name}
    h = cell.health
    return {
        "data_layer": clean(h.name, 200), "data_activation": clean(h.activation, 200),
        "data_saturated": repr(float(h.saturated_share.mean())), "data_dead": int(h.dead.sum()),
    }  # fmt: skip


def _below(axes: Axes, whole: bool) -> Axes:
    """Where the histogram goes: under the function, or where there is none in its place too."""
    top = axes.y0 + 20 if whole else axes.bottom + 34
    return replace(axes, y0=top, height=axes.bottom + 106 - top, percent=True, bare=False)


def _bands(s: Shape, axes: Axes, glyphs: bool) -> list[Raw]:
    """Where the function is closed, hatched, and where it is saturated otherwise, dotted, with the glyph."""
    parts = []
    for mask, fill, kind in ((s.flat & ~s.closed, DOTS, "saturated"), (s.closed, HATCH, "closed")):
        for a, b in s.stretches(s.flat if mask is None else mask):
            x0, x1 = axes.x(a), axes.x(b)
            parts.append(element("rect", x=x0, y=axes.y0, width=x1 - x0, height=axes.height, fill=fill,
                                 data_region=kind, data_from=repr(a), data_to=repr(b)))  # fmt: skip
    if glyphs:
        for a, b in s.stretches(s.flat):
            if axes.x(b) - axes.x(a) > 14:  # where it is furthest from both lines
                i = int(np.abs(s.z - (a + b) / 2).argmin())
                lines = axes.y(float(s.f[i])), axes.y(float(s.slope[i]))
                heights = [axes.y0 + axes.height * share for share in (0.5, 0.25, 0.75, 0.12, 0.88)]
                best = max(heights, key=lambda y: min(*(abs(y - line) for line in lines), 25))
                parts.append(square((axes.x(a) + axes.x(b)) / 2, best, 8))
    return parts


def _function(s: Shape, axes: Axes, labels: bool) -> list[Raw]:
    inside = _bands(s, axes, True)
    if s.low is not None and s.high is not None:
        points = [*zip(s.z, s.high, strict=True), *zip(s.z[::-1], s.low[::-1], strict=True)]
        d = "M" + "L".join(f"{axes.x(float(x)):.2f} {axes.y(float(y)):.2f}" for x, y in points) + "Z"
        inside.append(element("path", d=d, fill=TRACK))
    middle = axes.x(0.0)
    for end, x0, x1 in ((s.ends[0], axes.x0, middle), (s.ends[1], middle, axes.right)):
        if end:
            y = axes.y(end)
            inside.append(element("line", x1=x0, y1=y, x2=x1, y2=y, stroke=LINE, stroke_width=1.25,
                                  stroke_dasharray="2 3", data_mark="limit", data_value=repr(end)))  # fmt: skip
    inside.append(element("line", x1=middle, y1=axes.y0, x2=middle, y2=axes.bottom, stroke=LINE, stroke_width=1))
    parts = axes.frame(*inside)
    zs, slopes = _broken(s)
    if s.is_steep:
        zs, slopes = _within(zs, slopes, axes.ylim)
    f0, slope0 = s.at(0.0)
    parts.append(axes.line(zs, slopes, INK, "6 4", 1.75, title=f"f′(z), f′(0) = {slope0!r}", data_series="slope",
                           data_value=repr(slope0)))  # fmt: skip
    parts.append(axes.line(list(map(float, s.z)), list(map(float, s.f)), INK, None, 2.25, title=f"f(z), f(0) = {f0!r}",
                           data_series="f", data_value=repr(f0)))  # fmt: skip
    for v in dict.fromkeys((f0, slope0)):
        if axes.ylim[0] <= v <= axes.ylim[1]:
            parts.append(element("circle", cx=middle, cy=axes.y(v), r=3, fill=INK, data_at="0", data_value=repr(v)))
    if labels:
        last = [(float(s.f[-1]), "f(z)", None, 2.25), (float(s.slope[-1]), "f′(z)", "6 4", 1.75)]
        wanted = [Ending(axes.right, axes.y(v), text, INK, dash, thick) for v, text, dash, thick in last
                  if (axes.ylim[0] <= v <= axes.ylim[1] if s.is_steep else axes.shown(v))]  # fmt: skip
        parts += endings(wanted, axes)
    return parts


def _broken(s: Shape) -> tuple[list[float], list[float | None]]:
    """The slopes, with a gap wherever they jump."""
    zs: list[float] = []
    slopes: list[float | None] = []
    jumps = set(s.kinks)
    for z, slope in zip(map(float, s.z), map(float, s.slope), strict=True):
        zs.append(z)
        slopes.append(slope)
        if z in jumps:
            zs.append(z)
            slopes.append(None)
    return zs, slopes


def counted(cell: Cell) -> tuple[Array, Array]:
    """How many pre-activations are in each bin, and the edges. 0 is one, and belongs to the bin below, where a ReLU is
    closed."""
    assert cell.z is not None
    n = round((cell.hi - cell.lo) / cell.bin)
    first = round(cell.lo / cell.bin)
    edges = np.array([(first + k) * cell.bin for k in range(n + 1)])
    return np.histogram(-cell.z, bins=-edges[::-1])[0][::-1], edges


def _within(
    xs: Sequence[float], ys: Sequence[float | None], ylim: tuple[float, float]
) -> tuple[list[float], list[float | None]]:
    """A line with a gap wherever it is beyond the limits, and on either side of that a point where it leaves."""
    kept: list[tuple[float, float | None]] = []
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        edge = None if y is None else min(max(y, ylim[0]), ylim[1])
        if y is None or edge is None or edge == y:
            kept.append((x, y))
            continue
        for k in (i - 1, i + 1):
            v = ys[k] if 0 <= k < len(ys) else None
            at = (
                [(x + (edge - y) / (v - y) * (xs[k] - x), edge)]
                if v is not None and (v - edge) * (y - edge) < 0
                else []
            )
            kept += [*at, (x, None)] if k < i else at
    return [x for x, _ in kept], [y for _, y in kept]


def _histogram(cell: Cell, axes: Axes) -> list[Raw]:
    """The pre-activations, on the axis of the function above them."""
    counts, edges = counted(cell)
    total = max(1, int(counts.sum()))
    what = "outputs" if cell.shape is None else "pre-activations"
    axes = replace(axes, ylim=(0.0, max(1.08 * float(counts.max()) / total, 1e-9)), ylabel=what)
    parts = axes.frame(*([] if cell.shape is None else _bands(cell.shape, axes, False)))
    for n, a, b in zip(map(int, counts), map(float, edges), map(float, edges[1:]), strict=False):
        if n:
            x, y = axes.x(a), axes.y(n / total)
            words = element("title", f"z from {a:.4g} to {b:.4g}: {n:,} of {total:,}")
            parts.append(element("rect", words, x=x + 0.4, y=y, width=max(0.6, axes.x(b) - x - 0.8),
                                 height=axes.bottom - y, fill=GREY, data_bin=repr(a), data_value=n))  # fmt: skip
    return parts


def keys(cells: Sequence[Cell]) -> list[Piece]:
    pieces = [_key("f(z)", None, 2.25), _key("its slope f′(z)", "6 4", 1.75)]
    shapes = [cell.shape for cell in cells if cell.shape is not None]
    if not shapes:
        pieces = []
    if any(s.flat.any() for s in shapes):
        pieces.append(patterned(DOTS, f"saturated: {saturates(FLAT)}", square(9.5, 0, 7)))
    if any(s.closed.any() for s in shapes):
        pieces.append(patterned(HATCH, "closed: f′(z) = 0"))
    if any(any(s.ends) for s in shapes):
        pieces.append(_key("limit", "2 3", 1.25, LINE))
    if any(s.low is not None for s in shapes):
        pieces.append(sample([element("rect", y=-6, width=19, height=12, fill=TRACK)], 19, "what the units span"))
    return pieces


def _key(text: str, dash: str | None, thick: float, colour: str = INK) -> Piece:
    line = element("line", x1=0, y1=0, x2=26, y2=0, stroke=colour, stroke_width=thick, stroke_dasharray=dash)
    return sample([line], 27, text)
