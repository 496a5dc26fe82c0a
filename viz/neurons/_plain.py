"""The neuron diagram as lines of characters: a row a unit, with its mark, its numbers and what it reads most of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from viz._chars import Block, Line, abreast, cells, prose, shade
from viz._running import Array
from viz._summary import percent
from viz._text import clean, signed

__all__ = ["Layer", "Unit", "tell_network"]

_WIDE, _HIGH = 16, 7  # characters of a map
_FAINT = 0.02  # of the scale: less is blank
_GLYPHS = {"dead": "×", "saturated": "□"}


class Unit(NamedTuple):
    """A unit: its name and mark, with examples its mean activation and on-rate, the edges into it, the strongest first
    with the name of whom they read, how many more it has, and of two inputs its activation over their plane."""

    name: str
    mark: str
    mean: float | None
    on: float | None
    reads: list[tuple[float, str]]
    more: int
    plane: Array | None


class Layer(NamedTuple):
    """A column: what it is called and what is said of it, its units, words for those left out, and what the strongest
    shade of its maps stands for."""

    name: str
    what: list[str]
    units: list[Unit]
    hidden: str
    most: float


def tell_network(layers: Sequence[Layer], edges: str, meanings: Sequence[str], width: int) -> Block:
    """A block a layer: a map a unit, where there are two inputs, and a row a unit."""
    lines: Block = []
    for layer in layers:
        lines += [[]] * bool(lines)
        lines += _head(layer, width)
        maps = [[[(_called(u), "mark" if u.mark else "")], *_map(u.plane, layer.most)]
                for u in layer.units if u.plane is not None]  # fmt: skip
        lines += [[("  ", ""), *line] for line in abreast(maps, width - 2, 2)]
        lines += _table(layer, edges, width)
        lines += [[(f"  ⋮ {layer.hidden}", "grey")]] if layer.hidden else []
    told = list(meanings)
    if any(u.plane is not None for layer in layers for u in layer.units):
        axes = "Maps: the activation over the first input (→) and the second (↑)"
        told.insert(0, f"{axes}: ░▒▓█ from 0 up to the largest of its layer, - and = below 0, blank about 0.")
    return [*lines, [], *(line for text in told for line in prose(text, width))]


def _head(layer: Layer, width: int) -> Block:
    """What is said of a layer, in lines that break between what belongs together."""
    lines: Block = [[(layer.name, "name")]]
    for words in filter(None, layer.what):
        if cells(lines[-1]) + 3 + cells([(words, "")]) > width:
            lines.append([("  ", "")])
        lines[-1] += [("   " if cells(lines[-1]) > 2 else "", ""), (words, "grey")]
    return lines


def _called(u: Unit) -> str:
    return f"{_GLYPHS[u.mark]} {u.name}" if u.mark else u.name


def _map(plane: Array, most: float) -> Block:
    rows, columns = (((np.arange(n) + 0.5) * size / n).astype(int) for n, size in zip((_HIGH, _WIDE), plane.shape))
    shares = plane[np.ix_(rows[::-1], columns)] / (most or 1.0)
    return [[_tone(v) for v in row] for row in shares.tolist()]


def _tone(v: float) -> tuple[str, str]:
    if not math.isfinite(v):
        return "!", "mark"
    if abs(v) < _FAINT:
        return " ", ""
    return (shade(v), "positive") if v > 0 else ("-" if v > -0.5 else "=", "negative")


def _table(layer: Layer, edges: str, width: int) -> Block:
    """The rows of the units, under heads; edges as many as there is room for."""
    measured, known = any(u.mean is not None for u in layer.units), any(u.on is not None for u in layer.units)
    heads = ["", *["mean"] * measured, *["on"] * known]
    rows = []
    for u in layer.units:
        row = [f"{_GLYPHS.get(u.mark, ' ')} {clean(u.name, 16)}"]
        row += ["" if u.mean is None else signed(u.mean)] * measured
        row += ["" if u.on is None else f"{percent(u.on)} {shade(u.on)}"] * known
        rows.append(row)
    wides = [max(cells([(row[k], "")]) for row in (heads, *rows)) for k in range(len(heads))]
    reads = any(u.reads for u in layer.units)
    lines: Block = []
    if len(heads) > 1 or reads:
        lines.append([(_aligned(heads, wides) + (f"   {edges}, the strongest first" if reads else ""), "grey")])
    for row, u in zip(rows, layer.units, strict=True):
        line: Line = [(_aligned(row, wides), "mark" if u.mark else "")]
        left, room = len(u.reads) + u.more, width - sum(wides) - 2 * len(wides) - 1
        for value, name in u.reads:
            text = f"  {signed(value)}·{name}"
            last = f"  and {left - 1:,} more" if left > 1 else ""
            if cells([(text + last, "")]) > room:
                break
            line.append((text, "positive" if value > 0 else "negative" if value < 0 else ""))
            left, room = left - 1, room - cells([(text, "")])
        line += [(f"  and {left:,} more", "grey")] if left and u.reads else []
        lines.append(line)
    return lines


def _aligned(row: Sequence[str], wides: Sequence[int]) -> str:
    """Cells of a table: the first to the left, numbers to the right."""
    first, *rest = (" " * (wide - cells([(cell, "")])) for cell, wide in zip(row, wides, strict=True))
    return row[0] + first + "".join(f"  {space}{cell}" for space, cell in zip(rest, row[1:], strict=True))
