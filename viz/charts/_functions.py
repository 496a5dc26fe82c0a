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
from viz._running import Array, at_work, bare, numbers
from viz._sheet import Table, compose
from viz._text import clean, width
from viz._theme import Theme, checked_theme
from viz._xml import CARD, FAINT, GREY, INK, element
from viz.charts._chart import WIDE, Axes, Ending, endings, tick_labels, ticks, widest
from viz.charts._plain import tell_functions

__all__ = ["draw_functions"]

_POINTS, _ROWS = 601, 61  # where a function is computed for its line, and for the table
_HIGH = 320.0
_FAR = 0.05  # room over and under the lines, of their height
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
    x, TypeError for what is no function.

    >>> import numpy as np
    >>> "sine" in draw_functions({"sine": np.sin, "line": lambda x: x}, -2, 2).svg
    True
    """
    checked_theme(theme)
    given = functions if isinstance(functions, Mapping) else {_name(functions): functions}
    if not 1 <= len(given) <= len(_LOOKS):
        raise ValueError(f"draw_functions draws 1 to {len(_LOOKS)} functions in one picture, not {len(given)}.")
    low, high = float(low), float(high)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"low and high are where the picture begins and ends, so low < high; not {low:g} and {high:g}."
        )
    names = [clean(name, 40) for name in given]
    xs = np.linspace(low, high, _POINTS)
    lines = [_values(f, xs, name) for f, name in zip(given.values(), names, strict=True)]
    dots = None if points is None else _dots(points)
    heights = np.concatenate([*lines, *([dots[1]] if dots else [])])
    heights = heights[np.isfinite(heights)]
    bottom, top = (float(heights.min()), float(heights.max())) if heights.size else (0.0, 1.0)
    room = _FAR * (top - bottom) or 1.0
    bottom, top = bottom - room, top + room
    left = 16 + max(width(text, 11.5) for text in tick_labels(ticks(bottom, top, 12)))
    axes = Axes(left, 8.0, WIDE - left - widest(names) - 8, _HIGH, (low, high), (bottom, top), xlabel="x")
    drawn = [
        axes.line(xs.tolist(), _or_none(ys), colour, dash, wide, title=name, data_function=name)
        for (colour, dash, wide), ys, name in zip(_LOOKS, lines, names, strict=False)
    ]
    marks = [
        element("circle", cx=axes.x(x), cy=axes.y(y), r=3.5, fill=INK, stroke=CARD, data_point=f"{x!r} {y!r}")
        for x, y in _inside(dots, low, high)
    ]
    ends = [
        Ending(axes.right, axes.y(_last(ys)), name, colour, dash, min(wide, 5.0))
        for (colour, dash, wide), ys, name in zip(_LOOKS, lines, names, strict=False)
    ]
    at = np.linspace(0, _POINTS - 1, _ROWS).round().astype(int)
    rows: list[tuple[Any, ...]] = [(float(xs[i]), *(float(ys[i]) for ys in lines)) for i in at]
    pieces = [sample([element("circle", cx=5, r=3.5, fill=INK)], 10, "examples")] if marks else []
    sheet = compose(
        "functions", [*axes.frame(), *drawn, *marks, *endings(ends, axes)], (WIDE, axes.bottom + 44), pieces,
        title=clean(title, 120) if title else "", name=clean(f"Functions: {', '.join(names)}", 200),
        description=_described(names, lines, low, high), tables=[Table("The functions", ("x", *names), rows)],
        plain=partial(tell_functions, names, xs.tolist(), [_or_none(ys) for ys in lines], _inside(dots, low, high),
                      (low, high), (bottom, top)),
    )  # fmt: skip
    return Picture(sheet, theme)


def _name(function: Any) -> str:
    return repr(function) if isinstance(function, nn.Module) else getattr(function, "__name__", "f")


def _values(function: Any, xs: Array, name: str) -> Array:
    """The function at `xs`: a model has a column of them, a function may want them one by one."""
    if not callable(function):
        raise TypeError(f"{name} is no function, and no model, but {type(function).__name__}.")
    with at_work(function):
        found = bare(function(xs[:, None]) if isinstance(function, nn.Module) else function(xs)).astype(float)
    if found.size == 1 and not isinstance(function, nn.Module):
        return np.full(len(xs), found.item())  # a constant
    if found.size != len(xs):
        raise ValueError(
            f"{name} gives an array {found.shape} for {len(xs)} values of x, and a picture of a function needs "
            "one number for each."
        )
    return found.ravel()


def _dots(points: Any) -> tuple[Array, Array]:
    if not isinstance(points, (tuple, list)) or len(points) != 2:
        raise ValueError("points are two arrays, points=(x, y).")
    x, y = (numbers(part, f"points[{i}]").ravel() for i, part in enumerate(points))
    if len(x) != len(y):
        raise ValueError(f"points have {len(x)} x and {len(y)} y: one of each for every example.")
    return x, y


def _inside(dots: tuple[Array, Array] | None, low: float, high: float) -> list[tuple[float, float]]:
    pairs = zip(*(part.tolist() for part in dots), strict=True) if dots else []
    return [(x, y) for x, y in pairs if low <= x <= high and math.isfinite(y)]


def _or_none(ys: Array) -> list[float | None]:
    return [None if math.isnan(y) else y for y in ys.tolist()]


def _last(ys: Array) -> float:
    finite = ys[np.isfinite(ys)]
    return float(finite[-1]) if finite.size else 0.0


def _described(names: list[str], lines: list[Array], low: float, high: float) -> str:
    def told(name: str, ys: Array) -> str:
        finite = ys[np.isfinite(ys)]
        low, high = finite.min(), finite.max()
        return f"{name} goes from {finite[0]:.4g} to {finite[-1]:.4g}, lowest {low:.4g}, highest {high:.4g}"

    said = [told(name, ys) if np.isfinite(ys).any() else f"{name} is nowhere finite" for name, ys in zip(names, lines)]
    return f"Over x from {low:g} to {high:g}. {'. '.join(said)}.".replace("-", "−")
