"""Charts as lines of characters, for a terminal: what each one shows, from numbers that can be kept in a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_letters
from typing import NamedTuple

import numpy as np

from viz._chars import Block, abreast, curves, framed, lettered, prose, shade, spark, tracks
from viz._running import Array
from viz._text import fitted, number
from viz.charts._panels import Column, Panel, Series, scale

__all__ = [
    "Bend", "Map", "Row", "Strip", "tell_activations", "tell_boundary", "tell_functions", "tell_health", "tell_history",
    "tell_lifetimes", "tell_paths",
]  # fmt: skip

Points = Sequence[tuple[float, float]]
GLYPHS = {"dead": "×", "saturated": "□", "dormant": "○", "nan": "!"}
_GROUNDS = " ░∙▒:▓"  # of the regions of classes
_SURE = "∙▒"  # and of two classes where the model is sure
_NARROW, _BROAD = 28, 56  # a map's characters across
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

# --- decision regions -------------------------------------------------------------------------------------------------


class Map(NamedTuple):
    """A panel of a decision boundary: the class given on a grid, upwards and along (-1: none); of two classes, where it
    surely is that; and the points drawn: where, of which class, and whether they are given another."""

    title: str
    told: str
    plane: Array
    sure: Array | None
    points: list[tuple[float, float, int, bool]]


def tell_boundary(
    maps: Sequence[Map], names: Sequence[str], features: tuple[str, str], xlim: tuple[float, float],
    ylim: tuple[float, float], aspect: float, surely: str, width: int,
) -> Block:  # fmt: skip
    """Maps side by side where there is room; points are the letters of their classes, capitals are misclassified.
    `surely` says what a model is sure of."""
    ends, sides = (_short(ylim[0]), _short(ylim[1])), (_short(xlim[0]), _short(xlim[1]))
    room = max(map(len, ends)) + 2
    across = min(len(maps), max(1, (width + 3) // (_NARROW + room + 3)))
    wide = max(12, min(_BROAD, (width + 3) // across - 3 - room))
    high = max(6, round(wide * aspect / 2))  # a character is about twice as high as wide
    blocks = []
    for m in maps:
        rows, columns = ((np.arange(n) + 0.5) * size // n for n, size in zip((high, wide), m.plane.shape, strict=True))
        at = np.ix_(rows.astype(int)[::-1], columns.astype(int))
        ground = np.array([*_GROUNDS, "?"])[np.where(m.plane < 0, len(_GROUNDS), m.plane % len(_GROUNDS))[at]]
        if m.sure is not None:
            ground = np.where(m.sure[at], np.array([*_SURE])[np.maximum(m.plane[at], 0)], ground)
        shown: Block = [[(c, "grey") for c in row] for row in ground.tolist()]
        for x, y, k, wrong in sorted(m.points, key=lambda p: p[3]):  # the wrong ones on top
            column, row = _cell(x, xlim, wide), high - 1 - _cell(y, ylim, high)
            letter = _LETTERS[k % len(_LETTERS)]
            hue = "" if len(names) > 2 else "positive" if k else "negative"
            shown[row][column] = (letter.upper(), "wrong") if wrong else (letter, hue)
        heads = [line for text, style in ((m.title, "name"), (m.told, "grey"), (f"↑ {features[1]}", "grey")) if text
                 for line in prose(text, wide + room, style)]  # fmt: skip
        blocks.append([*heads, *framed(shown, wide, ends, sides, f"→ {features[0]}")])
    most = max(len(b) for b in blocks)
    blocks = [[*[[]] * (most - len(b)), *b] for b in blocks]  # the axes in line
    kinds = sorted({int(k) for m in maps for k in np.unique(m.plane)})
    regions = ", ".join(f"{_ground(k).strip() or 'blank'} {names[k] if k >= 0 else 'NaN'}" for k in kinds)
    letters = ", ".join(f"{_LETTERS[k % len(_LETTERS)]} {name}" for k, name in enumerate(names))
    wrong = any(p[3] for m in maps for p in m.points)
    surer = f"; {' and '.join(_SURE)} where {surely}" if surely else ""
    said = f"Points: {letters}{'; a capital letter: misclassified' if wrong else ''}. Regions: {regions}{surer}."
    return [*abreast(blocks, width), [], *prose(said, width)]


def _ground(k: int) -> str:
    return "?" if k < 0 else _GROUNDS[k % len(_GROUNDS)]


def _cell(v: float, limits: tuple[float, float], count: int) -> int:
    """Which of `count` characters a number is in."""
    return max(0, min(count - 1, int(count * ((v - limits[0]) / (limits[1] - limits[0])))))


def _short(x: float) -> str:
    return number(float(f"{x:.3g}"))


# --- health -----------------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A layer: its name, its activation and size, the counts, and of each unit the mark and what grey shows."""

    name: str
    what: str
    counts: str
    marks: list[str]
    values: list[float]


def tell_health(
    rows: Sequence[Row], meanings: Sequence[str], flows: Sequence[tuple[str, ...]], findings: Sequence[str], width: int
) -> Block:
    """A row a layer, a character a unit; a table of the gradients and updates; and what was found."""
    lines: Block = []
    room = width - 2
    for row in rows:
        lines += [[]] * bool(lines)
        lines.append([(row.name, "name"), (f"  {row.what}  ", "grey"), (row.counts, "mark")])
        size = math.ceil(len(row.marks) / (6 * room))
        if size > 1:
            lines += prose(f"A character: {size} units, with the mark that all of them have.", width)
        units = [_unit(row, i, i + size) for i in range(0, len(row.marks), size)]
        gap = " " * (2 * len(units) <= room)
        per = room // (1 + len(gap))
        for i in range(0, len(units), per):
            lines.append([("  ", ""), *((c + gap, style) for c, style in units[i : i + per])])
    lines += [[]] * bool(lines)
    for text in meanings:
        lines += prose(text, width)
    if len(flows) > 1:
        lines.append([])
        wides = [max(map(len, column)) for column in zip(*flows, strict=True)]
        for k, cells in enumerate(flows):
            numbers = "".join(f"  {cell:>{wide}}" for cell, wide in zip(cells[1:], wides[1:], strict=True))
            lines.append([(f"{cells[0]:<{wides[0]}}{numbers}", "" if k else "grey")])
    lines += [[]] * bool(findings)
    return [*lines, *(line for text in findings for line in prose(text, width, ""))]


def _unit(row: Row, start: int, end: int) -> tuple[str, str]:
    marks = set(row.marks[start:end])
    glyph = GLYPHS.get(marks.pop(), "") if len(marks) == 1 else ""
    values = row.values[start:end]
    return (glyph, "mark") if glyph else (shade(sum(values) / len(values)), "")


class Strip(NamedTuple):
    """A layer over training: its name, its activation and size, its shares of dead and of saturated units, in words how
    it ended."""

    name: str
    what: str
    dead: list[float | None]
    saturated: list[float | None]
    said: str


def tell_lifetimes(
    strips: Sequence[Strip], times: Sequence[int], word: str, meanings: Sequence[str], width: int
) -> Block:
    """The share of dead units of each layer by epoch, and of saturated ones where there were any."""
    lines: Block = []
    for strip in strips:
        lines += [[]] * bool(lines)
        lines.append([(strip.name, "name"), (f"  {strip.what}  ", "grey"), (strip.said, "mark")])
        for mark, shares in (("dead", strip.dead), ("saturated", strip.saturated)):
            if mark == "dead" or any(shares):
                lines.append([(f"  {GLYPHS[mark]} {mark:<9}  ", ""), (spark(shares, width - 30, 0.0, 1.0), "shape"),
                              (f"  {number(100 * (shares[-1] or 0.0))} %", "")])  # fmt: skip
    span = f"{word} {times[0]}" if len(times) == 1 else f"{word}s {times[0]} to {times[-1]}"
    lines += [[], *prose(f"From left to right {span}; a full bar is all units of the layer.", width)]
    return [*lines, *(line for text in meanings for line in prose(text, width))]


# --- curves -----------------------------------------------------------------------------------------------------------


def tell_history(runs: Sequence[Column], width: int) -> Block:
    """The first panel as curves, on the same axes for all runs, and every line as a sparkline with its numbers."""
    worth = list(dict.fromkeys(p.key for c in runs for p in c.panels if p.worth))
    scales = {key: scale([p for c in runs for p in c.panels if p.key == key]) for key in worth}
    large, log = [(c, p) for c in runs for p in c.panels if p.key == worth[0]], scales[worth[0]][0]
    found = [_up(v, log) for _, p in large for s in _drawn(p) for v in s.ys if v is not None]
    found = [v for v in found if math.isfinite(v)] or [0.0]
    ylim = (min(found), max(found))
    lines = abreast([_curves(c, p, log, ylim, width, len(runs)) for c, p in large], width)
    for c in runs:
        rows = _rows(c, scales, width)
        lines += [[], *([[(c.name, "name")]] if c.name and len(runs) > 1 else []), *rows]
        lines += [line for guide in c.guides for line in prose(f"Epoch {guide.x:g}: {guide.texts[0]}.", width)]
    return lines


def _drawn(panel: Panel) -> list[Series]:
    """The lines there is room for in curves."""
    return panel.series if panel.shared else panel.series[:2]


def _curves(c: Column, panel: Panel, log: bool, ylim: tuple[float, float], width: int, n: int) -> Block:
    """Training as a line, validation as dots; of several runs each as a letter."""
    low, top = (_said(float(f"{10**v if log else v:.4g}"), panel.percent) for v in ylim)
    wide = max(20, min(72, (width + 3) // min(n, max(1, width // 38)) - 5 - max(len(low), len(top))))
    shown = _drawn(panel)
    ups = [[None if v is None else _up(v, log) for v in s.ys] for s in shown]
    if panel.shared:
        letters = [(c, s.xs, ys) for c, s, ys in zip(ascii_letters, shown, ups, strict=False)]
        drawn = lettered(letters, wide, 14, c.xlim, ylim)
        kinds = ", ".join(f"{letter} {s.name}" for letter, s in zip(ascii_letters, shown, strict=False))
    else:
        drawn = curves(
            [(s.xs, ys, s is not shown[0]) for s, ys in zip(shown, ups, strict=True)], wide, 10, c.xlim, ylim
        )
        kinds = f"line: {shown[0].name}, dots: {shown[1].name}" if len(shown) > 1 else ""
    said = f"{panel.heading}{' (log scale)' if log else ''}"
    sides = (f"{c.xlim[0]:g}", f"{c.xlim[1]:g}")
    heads: Block = [[(c.name, "name")]] if c.name else []
    heads += [[(said, "name" if not c.name else "")], *prose(kinds, wide)]
    return [*heads, *framed(drawn, wide, (low, top), sides, "epoch")]


def _said(v: float, percent: bool) -> str:
    return f"{number(100 * v)} %" if percent and math.isfinite(v) else number(v)


def _up(v: float, log: bool) -> float:
    return v if not log else math.log10(v) if v > 0 else -math.inf


def _rows(c: Column, scales: dict[str, tuple[bool, tuple[float, float]]], width: int) -> Block:
    """A line a series: its name, sparkline, first, last, least and largest number."""
    table: list[tuple[str, str, list[float | None], tuple[float, float], list[str]]] = []
    for panel in c.panels:
        if panel.key not in scales:
            continue
        log, lim = scales[panel.key]
        heading = "; ".join([panel.heading, *([panel.band[3]] if panel.band else []), *filter(None, [panel.more])])
        for s in panel.series:
            if not s.faint:
                known = [v for v in s.ys if v is not None]
                ends = [known[0], known[-1], min(known), max(known)] if known else []
                ys = [None if v is None else _up(v, log) for v in s.ys]
                said = [_said(v, panel.percent) for v in ends]
                bounds = (_up(lim[0], log), _up(lim[1], log))
                table.append((heading, s.name, ys, bounds, said))
    names = max((len(name) for _, name, *_ in table), default=0)
    numbers = max((len(n) for *_, said in table for n in said), default=0)
    longest = max((len(ys) for _, _, ys, *_ in table), default=0)
    wide = max(8, min(60, longest, width - names - 4 * (numbers + 2) - 4))
    last = ""
    heads = "".join(f"  {head:>{numbers}}" for head in ("first", "last", "least", "most"))
    lines: Block = [[(" " * (names + wide + 4) + heads, "grey")]]
    for heading, name, ys, bounds, said in table:
        if heading != last:
            lines.append([(heading, "")])
            last = heading
        shown = spark(ys, wide, *bounds)
        lines.append([(f"  {name:<{names}}  ", "grey"), (f"{shown:<{wide}}", "shape"),
                      ("".join(f"  {n:>{numbers}}" for n in said), "")])  # fmt: skip
    return lines


def tell_functions(
    names: Sequence[str], xs: Sequence[float], lines: Sequence[Sequence[float | None]], points: Points,
    xlim: tuple[float, float], ylim: tuple[float, float], width: int,
) -> Block:  # fmt: skip
    """Each function as a line over the first one in dots, on the same axes; examples are discs."""
    ends, sides = (_short(ylim[0]), _short(ylim[1])), (_short(xlim[0]), _short(xlim[1]))
    room = max(map(len, ends)) + 2
    shown = range(1, len(names)) if len(names) > 1 else range(1)
    per = min(len(shown), max(1, (width + 3) // (_NARROW + room + 3)))
    wide, high = max(12, min(72, (width + 3) // per - 3 - room)), 14 if per == 1 else 10
    blocks = []
    for k in shown:
        drawn = [(xs, lines[k], False), *([(xs, lines[0], True)] if k else [])]
        plot: Block = [[(c, "") for c in row[0][0]] for row in curves(drawn, wide, high, xlim, ylim)]
        for x, y in points:
            column, row = _cell(x, xlim, wide), high - 1 - _cell(y, ylim, high)
            plot[row][column] = ("•", "mark")
        said = f"line: {names[k]}, dots: {names[0]}" if k else names[0]
        blocks.append([*prose(said, wide + room), *framed(plot, wide, ends, sides, "x")])
    return [*abreast(blocks, width), *([[], [("• examples", "grey")]] if points else [])]


def tell_paths(
    ways: Sequence[tuple[str, Points]], goal: Points, names: tuple[str, str], xlim: tuple[float, float],
    ylim: tuple[float, float], width: int,
) -> Block:  # fmt: skip
    """Each path on axes of its own, all the same, with letters where it starts and ends and where it should go."""
    ends, sides = (_short(ylim[0]), _short(ylim[1])), (_short(xlim[0]), _short(xlim[1]))
    room = max(map(len, ends)) + 2
    per = min(len(ways), max(1, (width + 3) // (_NARROW + room + 3)))
    wide = max(12, min(_BROAD, (width + 3) // per - 3 - room))
    ratio = (ylim[1] - ylim[0]) / (xlim[1] - xlim[0])  # one scale, as a character is twice as high as wide
    high = max(6, min(24, round(wide * ratio / 2)))
    wide = max(12, min(wide, round(2 * high / ratio)))
    blocks = []
    for said, way in ways:
        xs, ys = (np.array(way)[:, k] for k in (0, 1))
        plot: Block = [[(c, "") for c in row[0][0]] for row in tracks(xs, ys, wide, high, xlim, ylim)]
        for letter, (x, y) in [*(("G", at) for at in goal), ("E", way[-1]), ("S", way[0])]:
            plot[high - 1 - _cell(y, ylim, high)][_cell(x, xlim, wide)] = (letter, "mark")
        heads = [*prose(said, wide + room), *prose(f"↑ {names[1]}", wide + room)]
        blocks.append([*heads, *framed(plot, wide, ends, sides, f"→ {names[0]}")])
    most = max(map(len, blocks))
    blocks = [[*[[]] * (most - len(b)), *b] for b in blocks]
    return [*abreast(blocks, width), [], *prose(f"S start, E end{', G goal' if goal else ''}.", width)]


# --- activations ------------------------------------------------------------------------------------------------------


class Bend(NamedTuple):
    """An activation function: what is said of it, and on a grid its values, slopes and where it is saturated or closed,
    if it has a curve; the counts of the bins of a histogram, if it has one."""

    name: str
    facts: list[str]
    lo: float
    hi: float
    grid: tuple[Array, Array, Array, Array, Array] | None  # z, f, slope, flat, closed
    counts: list[int]


def tell_activations(bends: Sequence[Bend], width: int) -> Block:
    """f and its slope on small axes, under these where it is flat and the histogram."""
    blocks = []
    per = max(1, min(2 if len(bends) == 4 else len(bends), (width + 3) // 37))
    wide = max(16, min(44, (width + 3) // per - 3 - 8))
    for b in bends:
        block: Block = [[(fitted(b.name, 1, wide), "name")]]
        pad = ""
        if b.grid is not None:
            z, f, slope, flat, closed = b.grid
            both = np.concatenate([f, slope])
            both = both[np.isfinite(both)]
            ylim = (float(both.min(initial=0.0)), float(both.max(initial=0.0)))
            lines = [(z.tolist(), f.tolist(), False), (z.tolist(), slope.tolist(), True)]
            ends = (f"{_short(ylim[0]):>6}", f"{_short(ylim[1]):>6}")
            block += framed(curves(lines, wide, 9, (b.lo, b.hi), ylim), wide, ends, (_short(b.lo), _short(b.hi)), "z")
            at = np.clip(np.searchsorted(z, b.lo + (np.arange(wide) + 0.5) / wide * (b.hi - b.lo)), 0, len(z) - 1)
            strip = "".join("×" if closed[i] else "□" if flat[i] else " " for i in at)
            pad = " " * 8
            block += [[(pad + strip, "mark")]] if strip.strip() else []
        if b.counts:
            bars = [float(b.counts[int((k + 0.5) * len(b.counts) / wide)]) for k in range(wide)]
            block.append([(pad, ""), (spark([v or None for v in bars], wide, 0.0, max(bars) or 1.0), "shape")])
        block += [line for fact in b.facts for line in prose(fact, wide + len(pad))]
        blocks.append(block)
    told = ["Line: f(z), dots: its slope f′(z)."]
    marks = {c for block in blocks for line in block for text, style in line if style == "mark" for c in text}
    told += [text for c, text in (("□", "□ saturated."), ("×", "× closed: the slope is 0.")) if c in marks]
    told += ["Bars: pre-activations."] if any(b.counts for b in bends) else []
    return [*abreast(blocks, width), [], *prose(" ".join(told), width)]
