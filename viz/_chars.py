"""Charts in characters: lines of styled pieces, shades, sparklines, curves in braille, axes, blocks side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

__all__ = [
    "Block", "Curve", "Line", "Piece", "abreast", "cells", "curves", "framed", "lettered", "prose", "shade", "shades",
    "spark", "tracks",
]  # fmt: skip

Piece = tuple[str, str]  # text, and the style it has in a terminal with colours
Line = list[Piece]
Array = np.ndarray[Any, Any]
Block = list[Line]
Curve = tuple[Sequence[float], Sequence[float | None], bool]  # along, up, and whether it is dotted
_SHADES = "░▒▓█"
_BARS = "▁▂▃▄▅▆▇█"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille character: rows of two


def cells(pieces: Iterable[Piece]) -> int:
    """How many columns of a terminal the pieces take."""
    from rich.cells import cell_len

    return sum(cell_len(t) for t, _ in pieces)


def prose(text: str, width: int, style: str = "grey") -> Block:
    """A text in lines of one style."""
    return [[(part, style)] for part in wrap(text, width, break_on_hyphens=False)]


def shade(share: float) -> str:
    """A share from 0 to 1 as one of four shades.

    >>> [shade(x) for x in (0.0, 0.3, 1.0)]
    ['░', '▒', '█']
    """
    return _SHADES[min(3, int(4 * share))] if math.isfinite(share) else "!"


def shades(words: str) -> str:
    """What the shades stand for."""
    below = ", ".join(f"{c} below {25 * k} %" for k, c in enumerate(_SHADES[:3], 1))
    return f"Shades: {words}, {below}, {_SHADES[3]} the rest."


def spark(values: Sequence[float | None], wide: int, lo: float, hi: float) -> str:
    """A sparkline of at most `wide` characters from `lo` to `hi`, of neighbours' means where there are more values;
    a blank where there is no number, an arrow for an infinity.

    >>> spark([0.0, None, 0.5, 1.0], 10, 0.0, 1.0)
    '▁ ▅█'
    """
    shown = ""
    n = min(wide, len(values))
    for i in range(n):
        there = [v for v in values[i * len(values) // n : (i + 1) * len(values) // n] if v is not None and v == v]
        mean = sum(there) / len(there) if there else math.nan
        if not math.isfinite(mean):
            shown += " " if not there else "▲" if mean > 0 else "▼"
        else:
            shown += _BARS[round(7 * _share(mean, lo, hi))]
    return shown


def curves(lines: Sequence[Curve], wide: int, high: int, xlim: tuple[float, float], ylim: tuple[float, float]) -> Block:
    """Curves as braille characters, two dots across and four down each, with gaps where there is no number."""
    dots = np.zeros((4 * high, 2 * wide), bool)
    for xs, ys, dotted in lines:
        for run in _runs(xs, ys):
            at = np.array([_share(x, *xlim) for x, _ in run]) * (2 * wide - 1)
            up = np.array([1 - _share(y, *ylim) for _, y in run]) * (4 * high - 1)
            for column in range(round(at[0]), round(at[-1]) + 1):
                if dotted and column % 4 > 1:
                    continue
                ends = np.interp([column - 0.5, column + 0.5], at, up)
                met = [*ends, *up[np.abs(at - column) < 0.5]]
                dots[round(min(met)) : round(max(met)) + 1, column] = True
    return _braille(dots)


def lettered(
    lines: Sequence[tuple[str, Sequence[float], Sequence[float | None]]], wide: int, high: int,
    xlim: tuple[float, float], ylim: tuple[float, float],
) -> Block:  # fmt: skip
    """Lines on the same axes, each as a letter of its own, the first on top where they meet."""
    plot: Block = [[(" ", "")] * wide for _ in range(high)]
    for letter, xs, ys in reversed(lines):
        for run in _runs(xs, ys):
            at = [_share(x, *xlim) * (wide - 1) for x, _ in run]
            up = [(1 - _share(y, *ylim)) * (high - 1) for _, y in run]
            for column in range(round(at[0]), round(at[-1]) + 1):
                plot[round(float(np.interp(column, at, up)))][column] = (letter, "")
    return plot


def tracks(xs: Array, ys: Array, wide: int, high: int, xlim: tuple[float, float], ylim: tuple[float, float]) -> Block:
    """A way from point to point, back and forth, as braille characters."""
    dots = np.zeros((4 * high, 2 * wide), bool)
    at = np.clip((xs - xlim[0]) / (xlim[1] - xlim[0]), 0, 1) * (2 * wide - 1)
    up = np.clip((ylim[1] - ys) / (ylim[1] - ylim[0]), 0, 1) * (4 * high - 1)
    for k in range(max(1, len(at) - 1)):
        steps = np.linspace(0, 1, 2 + int(max(np.abs(np.diff(part[k : k + 2])).max(initial=0) for part in (at, up))))
        column, row = (part[k] + steps * (part[min(k + 1, len(at) - 1)] - part[k]) for part in (at, up))
        dots[row.round().astype(int), column.round().astype(int)] = True
    return _braille(dots)


def _braille(dots: Array) -> Block:
    """Dots, by rows and columns, as lines of braille characters."""
    high, wide = dots.shape[0] // 4, dots.shape[1] // 2
    bits = np.array(_DOTS)
    codes = (dots.reshape(high, 4, wide, 2) * bits[None, :, None, :]).sum((1, 3))
    return [[("".join(chr(0x2800 + c) if c else " " for c in row), "")] for row in codes.tolist()]


def _runs(xs: Sequence[float], ys: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """The stretches of a curve without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is None or not math.isfinite(y):
            runs.append([])
        else:
            runs[-1].append((x, y))
    return [run for run in runs if run]


def _share(v: float, lo: float, hi: float) -> float:
    return max(0.0, min(1.0, (v - lo) / (hi - lo))) if hi > lo else 0.5


def framed(plot: Block, wide: int, ends: tuple[str, str], sides: tuple[str, str], along: str = "") -> Block:
    """A plot with axes: `ends` stand beside its lowest and its highest line, `sides` under its left and right edge with
    the name of what goes `along` between them."""
    low, high = ends
    room = max(len(low), len(high))
    lines = []
    for k, row in enumerate(plot):
        said = high if not k else low if k == len(plot) - 1 else ""
        lines.append([(f"{said:>{room}} {'┤' if said else '│'}", "grey"), *row])
    lines.append([(" " * room + " ╰" + "─" * wide, "grey")])
    left, right = sides
    between = wide + 1 - len(left) - len(right)
    named = along if len(along) + 2 <= between else ""
    return [*lines, [(" " * (room + 1) + left + f"{named:^{max(1, between)}}" + right, "grey")]]


def abreast(blocks: Sequence[Block], width: int, gap: int = 3) -> Block:
    """Blocks side by side, as many as there is room for, and the rest below."""
    lines: Block = []
    wides = [max(map(cells, block), default=0) for block in blocks]
    start = 0
    while start < len(blocks):
        end, used = start + 1, wides[start]
        while end < len(blocks) and used + gap + wides[end] <= width:
            used += gap + wides[end]
            end += 1
        lines += [[]] * bool(lines)
        for k in range(max(map(len, blocks[start:end]))):
            line: Line = []
            at = 0
            for block, wide in zip(blocks[start:end], wides[start:end], strict=True):
                row = block[k] if k < len(block) else []
                line += [(" " * (at - cells(line)), ""), *row]
                at += wide + gap
            lines.append(line)
        start = end
    return lines
