"""`draw_paths`: ways through a plane, step by step, such as that of two weights in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from viz._marks import sample
from viz._picture import Picture
from viz._places import Rect, meet
from viz._running import Array, bare, numbers
from viz._sheet import Table, compose
from viz._text import clean, fitted, number, width
from viz._theme import Theme, checked_theme
from viz._xml import CARD, GREY, INK, Raw, element, write
from viz.charts._chart import LABEL, TICK, WIDE, Axes, tick_labels, ticks
from viz.charts._plain import tell_paths

__all__ = ["draw_paths"]

_HIGH = 420.0
_ROOM, _NARROW = 0.07, 0.3  # around the paths, and what is seen at least, of the larger of width and height
_LEAST = 1e-9  # what counts as a step at all, of the larger of 1 and how far from 0 a path is
_FAR = 1e307  # twice that, a distance, is a number still
_DOTS = 500  # steps of a path with a dot each
_LONG = 240.0  # pixels of the name of an axis or a path
_LOOKS: tuple[tuple[str, str | None], ...] = ((INK, None), (GREY, "7 3"), (INK, "2 3"), (GREY, None))


def draw_paths(
    paths: Any, *, goal: Any = None, xlabel: str = "w1", ylabel: str = "w2", theme: Theme = "light",
    title: str | None = None,
) -> Picture:  # fmt: skip
    """Paths through a plane: an array (steps, 2), or a dict {name: array}, four at most.

    Both axes have one scale, so that angles are true. Each step is a dot, in paths of up to 500. `goal` is a point
    (x, y), marked by a ring.

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
    aims = [] if goal is None else _checked([goal], "goal").tolist()
    axes = _axes(np.concatenate([*ways, *map(np.atleast_2d, aims)]), xlabel, ylabel)
    drawn, keys, told = axes.frame(), [], []
    for way, name, (colour, dash) in zip(ways, names, _LOOKS, strict=False):
        places = [(axes.x(x), axes.y(y)) for x, y in way.tolist()]
        d = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in places)
        look = {"fill": "none", "stroke": colour, "stroke_width": 1.5, "stroke_linejoin": "round"}
        line = element("path", d=d, stroke_dasharray=dash, **look)
        drawn.append(element("g", element("title", name), line, data_path=name))
        dots = [element("circle", cx=x, cy=y, r=2.2, fill=colour, stroke=CARD, stroke_width=0.5, data_step=i)
                for i, (x, y) in enumerate(places)]  # fmt: skip
        drawn += dots if len(way) <= _DOTS else []
        key = [element("line", x2=30, stroke=colour, stroke_width=1.5, stroke_dasharray=dash),
               element("circle", cx=15, r=2.2, fill=colour)]  # fmt: skip
        keys.append(sample(key[: 1 + (len(way) <= _DOTS)], 30, f"{fitted(name, TICK, _LONG)}: {_counted(way)}"))
        begin, end = (f"({number(x)}, {number(y)})" for x, y in (way[0].tolist(), way[-1].tolist()))
        told.append(f"{name}: {_counted(way)} from {begin} to {end}.")
    for x, y in aims:
        ring = {"r": 7, "fill": "none", "stroke": INK, "stroke_width": 2}
        drawn.append(element("circle", cx=axes.x(x), cy=axes.y(y), **ring, data_goal=f"{x!r} {y!r}"))
    points = [*(("goal", x, y) for x, y in aims), *(("start", *way[0].tolist()) for way in ways)]
    drawn += _named([(text, axes.x(x), axes.y(y)) for text, x, y in points], axes)
    sheet = compose(
        "paths", drawn, (axes.right + 16, axes.bottom + 44), keys,
        title=clean(title, 120) if title else "", name=clean(f"Paths: {', '.join(names)}", 200),
        description=" ".join(told),
        tables=[
            Table(name, ("step", clean(xlabel), clean(ylabel)), [(i, x, y) for i, (x, y) in enumerate(way.tolist())])
            for name, way in zip(names, ways, strict=True)
        ],
        plain=partial(
            tell_paths, [(said, way.tolist()) for said, way in zip(told, ways, strict=True)], aims,
            (axes.xlabel, axes.ylabel), axes.xlim, axes.ylim,
        ),
    )  # fmt: skip
    return Picture(sheet, theme)


def _checked(path: Any, name: str) -> Array:
    """A path as an array; its steps may be pairs of nodes."""
    if isinstance(path, (list, tuple)):
        path = [[bare(x) for x in step] if isinstance(step, (list, tuple)) else bare(step) for step in path]
    found = numbers(path, name)
    if found.ndim != 2 or found.shape[1] != 2:
        what = "a point (x, y)" if name == "goal" else "an array (steps, 2), a point of the plane for each step,"
        raise ValueError(f"{name} is {what} and not {found.shape[name == 'goal' :]}.")
    if not (np.abs(found) < _FAR).all():
        raise ValueError(
            f"{name} has numbers that are not finite, or beyond {_FAR:g}: no place in a picture is theirs."
        )
    return found


def _axes(points: Array, xlabel: str, ylabel: str) -> Axes:
    """Axes of one scale around the points: as high as they may be, and as wide as that asks for, if there is room."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach, least = float((high - low).max()), _LEAST * max(1.0, float(np.abs(points).max()))
    if reach < least:  # one place, but for rounding
        reach = max(1.0, least)
    room = _ROOM * reach + np.maximum(0.0, _NARROW * reach - (high - low)) / 2
    (x0, y0), (x1, y1) = (low - room).tolist(), (high + room).tolist()
    left = 16 + max(width(text, TICK) for text in tick_labels(ticks(y0, y1, 8)))
    scale = min(_HIGH / (y1 - y0), (WIDE - left - 16) / (x1 - x0))
    size = (scale * (x1 - x0), scale * (y1 - y0))
    xlabel, ylabel = (fitted(label, LABEL, _LONG) for label in (xlabel, ylabel))
    return Axes(left, 24.0, *size, (x0, x1), (y0, y1), xlabel, ylabel, box=True)


def _named(points: Sequence[tuple[str, float, float]], axes: Axes) -> list[Raw]:
    """What points are, over or under them, within the axes and apart; one word for those of a kind that are near."""
    parts: list[Raw] = []
    named: list[tuple[str, float, float]] = []
    taken: list[Rect] = [(x - 9, y - 9, x + 9, y + 9) for text, x, y in points if text == "goal"]
    for text, x, y in points:
        half = width(text, LABEL) / 2 + 2
        if any(text == t and abs(x - px) < 2 * half and abs(y - py) < 16 for t, px, py in named):
            continue
        named.append((text, x, y))
        across = min(max(x, axes.x0 + half), axes.right - half)
        for down in (y + 24, y - 14) if text == "goal" else (y - 14, y + 24, y - 30, y + 40):
            box = (across - half, down - 12, across + half, down + 4)
            if axes.y0 + 14 < down < axes.bottom - 5 and not any(meet(box, other) for other in taken):
                taken.append(box)
                parts.append(write(text, across, down, LABEL, INK, "middle", halo=True))
                break
    return parts


def _counted(way: Array) -> str:
    return f"{len(way) - 1:,} step{'' if len(way) == 2 else 's'}"
