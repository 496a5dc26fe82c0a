"""`draw_functions`: functions of one variable over the same axis, such as a target and the networks that imitate it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from micrograd_nn import nn
from viz._marks import sample
from viz._picture import Picture
from viz._running import Array, at_work, numbers
from viz._sheet import Table, compose
from viz._text import clean, fitted, number, width
from viz._theme import Theme, checked_theme
from viz._xml import CARD, FAINT, GREY, INK, element
from viz.charts._chart import LABEL, TICK, WIDE, Axes, Ending, endings, limits, tick_labels, ticks, widest
from viz.charts._plain import tell_functions

__all__ = ["draw_functions"]

_POINTS, _ROWS = 601, 61  # where a function is computed for its line, and for the table
_HIGH = 320.0
_NAME = 260.0  # pixels of a name at the end of a line
# colour, dashes, width: the first is the ground that the others are held against
_LOOKS: tuple[tuple[str, str | None, float], ...] = (
    (FAINT, None, 7.0), (INK, None, 2.0), (INK, "8 4", 2.0), (INK, "2 4", 2.0), (GREY, None, 1.25),
    (GREY, "8 3 2 3", 1.5),
)  # fmt: skip


def draw_functions(
    functions: Any, low: float, high: float, *, points: Any = None, theme: Theme = "light", title: str | None = None
) -> Picture:
    """Functions of one variable from `low` to `high`, one line each; the first is broad and pale, to compare with.

    `functions` is a function, a model with one input and one output, or a dict {name: one of these}, six at most. A
    function takes an array (N,) and gives one, be it NumPy's or made of nodes. `points` are examples (x, y), two arrays
    (N,), drawn as dots.

    Raises ValueError for limits that are no interval, too many functions, and one that does not give a number for each
    x, TypeError for what is no function of an array.

    >>> import numpy as np
    >>> "sine" in draw_functions({"sine": np.sin, "line": lambda x: x}, -2, 2).svg
    True
    """
    checked_theme(theme)
    given = functions if isinstance(functions, Mapping) else {_name(functions): functions}
    if not 1 <= len(given) <= len(_LOOKS):
        raise ValueError(f"draw_functions draws 1 to {len(_LOOKS)} functions in one picture, not {len(given)}.")
    low, high = float(low), float(high)
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(
            f"low and high are where the picture begins and ends, so low < high; not {low:g} and {high:g}."
        )
    names = [clean(name, 40) for name in given]
    xs = np.linspace(low, high, _POINTS)
    lines = [_values(f, xs, name) for f, name in zip(given.values(), names, strict=True)]
    dots = _dots(points, low, high)
    ylim = limits([*np.concatenate(lines).tolist(), *(y for _, y in dots)], pad=0.05)
    left = 16 + max(width(text, TICK) for text in tick_labels(ticks(*ylim, 12)))
    shown = [fitted(name, LABEL, _NAME) for name in names]
    axes = Axes(left, 8.0, WIDE - left - widest(shown) - 8, _HIGH, (low, high), ylim, xlabel="x")
    known = [[None if math.isnan(y) else y for y in ys.tolist()] for ys in lines]
    drawn, ends = axes.frame(), []
    for (colour, dash, wide), ys, line, name, short in zip(_LOOKS, lines, known, names, shown, strict=False):
        drawn.append(axes.line(xs.tolist(), line, colour, dash, wide, title=name, data_function=name))
        at = np.flatnonzero(~np.isnan(ys))
        x, y = (axes.x(float(xs[at[-1]])), axes.y(float(ys[at[-1]]))) if at.size else (axes.x0, axes.bottom)
        ends.append(Ending(x, y, short, colour, dash, min(wide, 5.0)))
    drawn += [
        element("circle", cx=axes.x(x), cy=axes.y(y), r=3.5, fill=INK, stroke=CARD, data_point=f"{x!r} {y!r}")
        for x, y in dots
    ]
    rows = np.stack([xs, *lines], axis=1)[np.linspace(0, _POINTS - 1, _ROWS).round().astype(int)].tolist()
    sheet = compose(
        "functions", [*drawn, *endings(ends, axes)], (WIDE, axes.bottom + 44),
        [sample([element("circle", cx=5, r=3.5, fill=INK)], 10, "examples")] if dots else [],
        title=clean(title, 120) if title else "", name=clean(f"Functions: {', '.join(names)}", 200),
        description=_described(names, lines, low, high),
        tables=[Table("The functions", ("x", *names), [tuple(row) for row in rows])],
        plain=partial(tell_functions, names, xs.tolist(), known, dots, axes.xlim, ylim),
    )  # fmt: skip
    return Picture(sheet, theme)


def _name(function: Any) -> str:
    return repr(function) if isinstance(function, nn.Module) else getattr(function, "__name__", "f")


def _values(function: Any, xs: Array, name: str) -> Array:
    """The function at `xs`, of which a model has a column."""
    if not callable(function):
        raise TypeError(f"{name} is no function, and no model, but {type(function).__name__}.")
    with at_work(function):
        if isinstance(function, nn.Module):
            found = numbers(function(xs[:, None]), name)
        else:
            try:
                found = numbers(function(xs), name)
            except Exception as error:
                raise TypeError(
                    f"{name}, given an array {xs.shape} of x, raised {type(error).__name__}: "
                    f"{clean(error, 200).rstrip('.')}. The functions of NumPy and of micrograd_nn.functional take "
                    "arrays, and np.where(x > 0, a, b) does what an if does to one number."
                ) from error
    if found.size == 1 and not isinstance(function, nn.Module):
        return np.full(len(xs), found.item())  # a constant
    if found.size != len(xs):
        raise ValueError(
            f"{name} gives an array {found.shape} for {len(xs)} values of x, and a picture of a function needs "
            "one number for each."
        )
    return found.ravel()


def _dots(points: Any, low: float, high: float) -> list[tuple[float, float]]:
    """The examples that have a place in the picture."""
    if points is None:
        return []
    if not isinstance(points, (tuple, list)) or len(points) != 2:
        raise ValueError("points are two arrays, points=(x, y).")
    xs, ys = (numbers(part, f"points[{i}]").ravel().tolist() for i, part in enumerate(points))
    if len(xs) != len(ys):
        raise ValueError(f"points have {len(xs)} x and {len(ys)} y: one of each for every example.")
    return [(x, y) for x, y in zip(xs, ys, strict=True) if low <= x <= high and math.isfinite(y)]


def _described(names: list[str], lines: list[Array], low: float, high: float) -> str:
    said = [f"Over x from {number(low)} to {number(high)}."]
    for name, ys in zip(names, lines, strict=True):
        finite = ys[np.isfinite(ys)].tolist()
        if not finite:
            said.append(f"{name} is nowhere finite.")
            continue
        first, last, least, most = map(number, (finite[0], finite[-1], min(finite), max(finite)))
        said.append(f"{name} goes from {first} to {last}, lowest {least}, highest {most}.")
    return " ".join(said)
