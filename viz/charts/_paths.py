"""`draw_paths`: ways through a plane, step by step, such as that of two weights in training."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from viz._marks import sample
from viz._picture import Picture
from viz._running import Array, numbers
from viz._sheet import Table, compose
from viz._text import clean, number, width
from viz._theme import Theme, checked_theme
from viz._xml import CARD, GREY, INK, Raw, element, write
from viz.charts._chart import WIDE, Axes, tick_labels, ticks
from viz.charts._plain import tell_paths

__all__ = ["draw_paths"]

_HIGH = 420.0
_ROOM, _NARROW = 0.07, 0.3  # around the paths, and what is seen at least, of the larger of width and height
_LEAST = 1e-9  # what counts as a step at all, of the larger of 1 and how far from 0 a path is
_LOOKS: tuple[tuple[str, str | None], ...] = ((INK, None), (GREY, "7 3"), (INK, "2 3"), (GREY, None))


def draw_paths(
    paths: Any, *, goal: Any = None, xlabel: str = "w1", ylabel: str = "w2", theme: Theme = "light",
    title: str | None = None,
) -> Picture:  # fmt: skip
    """Paths through a plane, a dot a step: an array (steps, 2), or a dict {name: array}, four at most.

    Both axes have one scale, so that angles are true. `goal` is a point (x, y), marked by a ring.

    Raises ValueError for a path of another shape or with numbers that are not finite, and for too many paths.

    >>> import numpy as np
    >>> "there" in draw_paths({"there": np.eye(3)[:, :2]}, goal=(1, 0)).svg
    True
    """
    checked_theme(theme)
    given = paths if isinstance(paths, Mapping) else {"path": paths}
    if not 1 <= len(given) <= len(_LOOKS):
        raise ValueError(f"draw_paths draws 1 to {len(_LOOKS)} paths in one picture, not {len(given)}.")
    names = [clean(name, 40) for name in given]
    ways = [_checked(path, name) for path, name in zip(given.values(), names, strict=True)]
    aim = None if goal is None else _checked([goal], "goal")[0]
    axes = _axes(np.concatenate([*ways, *([aim[None]] if aim is not None else [])]), xlabel, ylabel)
    drawn: list[Raw] = axes.frame()
    for way, name, (colour, dash) in zip(ways, names, _LOOKS, strict=False):
        xs, ys = way[:, 0].tolist(), way[:, 1].tolist()
        drawn.append(axes.line(xs, ys, colour, dash, 1.5, title=name, data_path=name))
        drawn += [_dot(axes, x, y, 2.2, colour, data_step=i) for i, (x, y) in enumerate(zip(xs, ys, strict=True))]
    for x, y in {tuple(way[0].tolist()) for way in ways}:
        drawn.append(_name("start", axes, x, y, -9))
    if aim is not None:
        ring = {"cx": axes.x(aim[0]), "cy": axes.y(aim[1]), "r": 7, "fill": "none", "stroke": INK, "stroke_width": 2}
        drawn.append(element("circle", **ring, data_goal=f"{float(aim[0])!r} {float(aim[1])!r}"))
        drawn.append(_name("goal", axes, aim[0], aim[1], 24))
    keys = [
        sample(
            [_way(colour, dash), element("circle", cx=15, r=2.2, fill=colour)], 30, f"{name}: {len(way) - 1:,} steps"
        )
        for way, name, (colour, dash) in zip(ways, names, _LOOKS, strict=False)
    ]
    sheet = compose(
        "paths", drawn, (axes.right + 16, axes.bottom + 44), keys,
        title=clean(title, 120) if title else "", name=clean(f"Paths: {', '.join(names)}", 200),
        description=" ".join(_described(name, way) for name, way in zip(names, ways, strict=True)),
        tables=[
            Table(name, ("step", axes.xlabel, axes.ylabel), [(i, x, y) for i, (x, y) in enumerate(way.tolist())])
            for name, way in zip(names, ways, strict=True)
        ],
        plain=partial(
            tell_paths, [(_described(name, way), way.tolist()) for name, way in zip(names, ways, strict=True)],
            [] if aim is None else [aim.tolist()], (axes.xlabel, axes.ylabel), axes.xlim, axes.ylim,
        ),
    )  # fmt: skip
    return Picture(sheet, theme)


def _checked(path: Any, name: str) -> Array:
    found = numbers([list(step) for step in path] if isinstance(path, (list, tuple)) else path, name)
    if found.ndim != 2 or found.shape[1] != 2:
        raise ValueError(f"{name} is an array (steps, 2), a point of the plane for each step, and not {found.shape}.")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} goes through points that are not finite: the path has no place in a picture.")
    return found


def _axes(points: Array, xlabel: str, ylabel: str) -> Axes:
    """Axes of one scale around the points: as high as they may be, and as wide as that asks for, if there is room."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach, least = float((high - low).max()), _LEAST * max(1.0, float(np.abs(points).max()))
    if reach < least:  # one place, but for rounding
        reach = max(1.0, least)
    room = _ROOM * reach + np.maximum(0.0, _NARROW * reach - (high - low)) / 2
    (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
    left = 16 + max(width(text, 11.5) for text in tick_labels(ticks(y0, y1, 8)))
    scale = min(_HIGH / (y1 - y0), (WIDE - left - 16) / (x1 - x0))
    size = (scale * (x1 - x0), scale * (y1 - y0))
    return Axes(left, 24.0, *size, (x0, x1), (y0, y1), clean(xlabel, 40), clean(ylabel, 40), box=True)


def _dot(axes: Axes, x: float, y: float, r: float, colour: str, **data: Any) -> Raw:
    return element("circle", cx=axes.x(x), cy=axes.y(y), r=r, fill=colour, stroke=CARD, stroke_width=0.5, **data)


def _name(text: str, axes: Axes, x: float, y: float, below: float) -> Raw:
    """What a point is, beside it and within the axes."""
    across = min(max(axes.x(x), axes.x0 + 22), axes.right - 22)
    return write(
        text, across, min(max(axes.y(y) + below, axes.y0 + 16), axes.bottom - 8), 12.5, INK, "middle", halo=True
    )


def _way(colour: str, dash: str | None) -> Raw:
    return element("line", x2=30, stroke=colour, stroke_width=1.5, stroke_dasharray=dash)


def _described(name: str, way: Array) -> str:
    begin, end = (f"({number(x)}, {number(y)})" for x, y in (way[0].tolist(), way[-1].tolist()))
    return f"{name}: {len(way) - 1:,} steps from {begin} to {end}."
