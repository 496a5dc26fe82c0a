"""The panels of `draw_boundary`: regions, tinted by how sure a model is, the lines between them, examples, axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from viz._running import Array
from viz._summary import percent
from viz._text import MINUS, fitted, width
from viz._xml import CARD, GREY, HATCH, INK, NEGATIVE, PALE, POSITIVE, Raw, element, write
from viz.charts._chart import LABEL, TICK, WIDE, Axes, tick_labels
from viz.charts._examples import Labelled
from viz.charts._points import point, wrong
from viz.charts._regions import Plane, as_path, filled, lines, place

__all__ = ["TINT", "Shown", "accuracy", "aspect", "panels", "right", "with_sign"]

TINT = 0.085  # how opaque a step of the scale is, one over the other
_GAP, _HIGH = 20.0, 520.0


@dataclass(frozen=True)
class Shown:
    """A model on its way to a panel: its title, its plane, and the class it gives to each point of each set."""

    title: str
    plane: Plane
    given: dict[str, Array]


def aspect(xlim: tuple[float, float], ylim: tuple[float, float]) -> float:
    """Height over width of a panel: one unit is as long on both axes, unless that makes it too flat or too high."""
    ratio = (ylim[1] - ylim[0]) / (xlim[1] - xlim[0])
    return min(1.0, max(0.62, ratio)) if 0.4 < ratio < 1.6 else 0.8


def panels(
    shown: Sequence[Shown], sets: dict[str, Labelled], names: Sequence[str], features: tuple[str, str],
    xlim: tuple[float, float], ylim: tuple[float, float], levels: Sequence[float], scale: str, signed: bool,
    alone: bool,
) -> tuple[list[Raw], tuple[float, float]]:  # fmt: skip
    n = len(shown)
    across = n if n <= 3 else 2 if n == 4 else 3
    tall = max(aspect(xlim, ylim), 0.8 if across > 2 else 0.0)
    labels = Axes(0, 0, 1, _HIGH, xlim, ylim, box=True).ylabels()
    left = max(44.0, 16 + max(width(text, TICK) for text in labels))
    wide = min((WIDE - left - _GAP * (across - 1)) / across, _HIGH / tall, 640.0)
    high = wide * tall
    head = (0.0 if alone else 18.0) + 44.0  # title, accuracy, and the name of the y axis
    row = head + high + 48.0
    total = sum(len(s.drawn) for s in sets.values())
    r = (4.2 if total <= 250 else 3.4 if total <= 700 else 2.4) * (1.0 if wide > 300 else 0.82)
    told = [f"accuracy: {accuracy(s, sets)}" for s in shown]
    if any(width(line, 12) > wide for line in told):
        told = [accuracy(s, sets) for s in shown]
    reach = 0.0
    parts: list[Raw] = []
    for k, s in enumerate(shown):
        x0, y0 = left + k % across * (wide + _GAP), k // across * row + head
        beside = k % across > 0
        up = "" if beside else fitted(features[1], LABEL, wide)
        axes = Axes(x0, y0, wide, high, xlim, ylim, fitted(features[0], LABEL, wide), up, beside=beside, box=True)
        heading = []
        if not alone:
            heading.append(write(fitted(s.title, 13, wide, bold=True), x0, y0 - 49, 13, INK, bold=True))
        heading.append(write(fitted(told[k], 12, wide), x0, y0 - 31, 12, GREY))
        xs = axes.xticks()
        ends = zip(xs, tick_labels(xs), strict=True)
        reach = max([reach, *(axes.x(v) + width(text, TICK) / 2 - axes.right for v, text in ends)])
        parts.append(
            element(
                "g", *heading, *axes.frame(*_regions(s.plane, axes, levels)),
                *_dots(s, sets, axes, r, len(names)), *_edges(s.plane, axes, scale, signed),
                *_region_names(s.plane, sets, axes, names), data_panel=s.title,
            )
        )  # fmt: skip
    return parts, (max(0.0, reach - 12) + left + across * wide + (across - 1) * _GAP, math.ceil(n / across) * row - 6)


def accuracy(s: Shown, sets: dict[str, Labelled]) -> str:
    """The share of points right, set by set."""
    return " · ".join(f"{part} {percent(right(s, sets, part), 1)}" for part in sets)


def right(s: Shown, sets: dict[str, Labelled], part: str) -> float:
    return float((s.given[part] == sets[part].classes).mean())


def _regions(plane: Plane, axes: Axes, levels: Sequence[float]) -> list[Raw]:
    """The regions of the classes, the deeper the surer where there are two."""
    ground = {"x": axes.x0, "y": axes.y0, "width": axes.width, "height": axes.height}
    parts = [element("rect", fill=PALE, fill_opacity="0.35", **ground)]
    if plane.has_nan:
        parts.append(element("rect", fill=HATCH, **ground, data_mark="nan"))
    kinds = len(plane.margins)
    for k, field in enumerate(plane.margins):
        hue = INK if kinds > 2 else POSITIVE if k else NEGATIVE
        tint = TINT if kinds == 2 else 0.02 + 0.24 * k / (kinds - 1)
        for level in (0.0, *levels):
            for rings in filled(plane, field, level):
                d = as_path(rings, axes.x, axes.y, True)
                if plane.has_nan and not level:
                    parts.append(element("path", d=d, fill=CARD, fill_rule="evenodd"))
                data = {"data_region": k, "data_level": repr(level)}
                parts.append(element("path", d=d, fill=hue, fill_opacity=f"{tint:.3f}", fill_rule="evenodd", **data))
    return parts


def _edges(plane: Plane, axes: Axes, scale: str, signed: bool) -> list[Raw]:
    """The lines between the classes, over the points so that they can be followed."""
    parts, kinds = [], len(plane.margins)
    if scale == "margin" and signed and kinds == 2:
        d = "".join(as_path(lines(plane, plane.margins[1], at), axes.x, axes.y, False) for at in (-1.0, 1.0))
        if d:
            parts.append(
                element("path", d=d, fill="none", stroke=INK, stroke_width=1, stroke_dasharray="5 4", data_line="1")
            )
    edges = plane.margins[1:] if kinds == 2 else plane.margins
    d = "".join(as_path(lines(plane, field), axes.x, axes.y, False) for field in edges)
    if d:
        line = {"fill": "none", "stroke": INK, "stroke_width": 2.0 if kinds == 2 else 1.5, "stroke_linejoin": "round"}
        parts.append(element("path", d=d, data_line="0", **line))
    return parts


def _dots(s: Shown, sets: dict[str, Labelled], axes: Axes, r: float, kinds: int) -> list[Raw]:
    parts = []
    for part, points in sets.items():
        given = s.given[part]
        for i in points.drawn.tolist():
            x, y = axes.x(float(points.X[i, 0])), axes.y(float(points.X[i, 1]))
            k, said = int(points.classes[i]), int(given[i])
            data = {"data_point": i, "data_class": k, "data_predicted": said if said >= 0 else "nan", "data_set": part}
            parts.append(point(x, y, r, k, kinds, part == "train", **data))
            if k != said:
                parts.append(wrong(x, y, r))
    return parts


def _region_names(plane: Plane, sets: dict[str, Labelled], axes: Axes, names: Sequence[str]) -> list[Raw]:
    """Each class by name where its region has most room; of two classes the signs, where the names do not both fit."""
    step = max(1, math.ceil(max(plane.classes.shape) / 56))
    rows, columns = (np.unique(np.r_[0:n:step, n - 1]) for n in plane.classes.shape)
    across = np.array([axes.x(float(v)) for v in plane.x[columns]])
    down = np.array([axes.y(float(v)) for v in plane.y[rows]])
    coarse = plane.classes[np.ix_(rows, columns)]
    points = [(axes.x(float(a)), axes.y(float(b))) for s in sets.values() for a, b in s.X[s.drawn]]
    kinds, there = len(names), np.unique(coarse[coarse >= 0]).tolist()

    def written(texts: dict[int, str], size: float, room: float, taken: Array) -> list[Raw]:
        parts = []
        for k, text in texts.items():
            wide = width(text, size, bold=True)
            at = place(coarse == k, across, down, taken, (wide + room, size + room))
            if at is not None:
                parts.append(write(text, at[0], at[1] + 0.36 * size, size, _hue(k, kinds), "middle", True, True))
        return parts

    points_there = np.array(points)
    found = written({k: with_sign(k, names[k], kinds) for k in there}, LABEL, 15, points_there)
    if kinds > 2 or len(found) == len(there):
        return found
    signs = {k: "+" if k else MINUS for k in there}
    found = written(signs, 19, 6, points_there)
    return found if len(found) == len(there) else written(signs, 19, 0, np.zeros((0, 2)))


def _hue(k: int, kinds: int) -> str:
    return INK if kinds > 2 else POSITIVE if k else NEGATIVE


def with_sign(k: int, name: str, kinds: int) -> str:
    """Two classes carry the sign of their hue."""
    return name if kinds > 2 or name.endswith(("+1", MINUS + "1")) else f"{'+' if k else MINUS} {name}"
