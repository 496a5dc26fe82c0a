"""A small map of each neuron: its activation over the plane of the two inputs, as nested tints about a zero line."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from viz._running import Array
from viz._xml import CARD, INK, NEGATIVE, POSITIVE, Raw, element
from viz.neurons._units import Columns

__all__ = ["TINTS", "Plane", "draw_map", "planes"]

_POINTS = 72  # a side of the grid
_STRAY = 0.35  # pixels that a line may be simplified by
_MARGIN = 0.08  # of the data's range, beyond it on each side
TINTS = 5  # levels of each sign
_TINT = 0.16  # how much each level adds: five of them on one another cover 58 %

_NOTHING = 1e-3  # of the scale: less is not tinted
_SURE, _DEEP = 0.1, 6  # a sign is printed where the activation is that much of the scale, so many points from all else

Plane = Array  # (y, x), y upwards


def planes(columns: Columns, X: Array, shown: list[list[int]]) -> list[dict[int, Plane]]:
    """For each column and unit shown, its activation on a grid over the range of X (N, 2), a little margin added."""
    low, high = X.min(0), X.max(0)
    room = np.where(high > low, (high - low) * _MARGIN, 1.0)
    xs, ys = (np.linspace(a, b, _POINTS) for a, b in zip(low - room, high + room, strict=True))
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    found = columns.values(grid)
    return [
        {i: values[:, i].reshape(_POINTS, _POINTS) for i in units} for values, units in zip(found, shown, strict=True)
    ]


def draw_map(plane: Plane, most: float, side: float, corner: float) -> list[Raw]:
    """The plane as a square of `side` pixels about (0, 0), tinted from -`most` to `most`, its zero line drawn."""
    half = side / 2
    parts = [element("rect", x=-half, y=-half, width=side, height=side, rx=corner, fill=CARD)]
    if not np.isfinite(plane).all() or not most:
        return parts
    low, high, lines = float(plane.min()), float(plane.max()), _generator(plane, half)
    nothing = _NOTHING
    if low == 0 or high == 0:
        # A closed ReLU is exactly 0, and where it begins to rise is its zero line. One step of the grid further on, a
        # contour meets slopes only, and is smooth.
        rise = max(float(np.abs(np.diff(plane, axis=axis)).max()) for axis in (0, 1))
        nothing = min(0.05, max(nothing, rise / most))
    for colour, sign in ((POSITIVE, 1.0), (NEGATIVE, -1.0)):
        for k in range(TINTS):
            level = most * max(k / TINTS, nothing)
            band = (level, 4 * most) if sign > 0 else (-4 * most, -level)
            if high <= band[0] or low >= band[1]:
                continue
            d = "".join(_rings(points, offsets) for points, offsets in zip(*lines.filled(*band), strict=True))
            if d:
                parts.append(element("path", d=d, fill=colour, fill_opacity=_TINT, fill_rule="evenodd"))
    if low <= 0 <= high and low < high:
        level = 0.0 if low < 0 < high else most * nothing * (1 if high > 0 else -1)
        zero = "".join(_path(line) for line in lines.lines(level))
        parts.append(element("path", d=zero, fill="none", stroke=INK, stroke_width=1.25, data_zero=""))
    for said, d in (("+", "M-3.5 0h7M0 -3.5v7"), ("-", "M-3.5 0h7")):  # hue alone would not do without colours
        middle = _depths(plane if said == "+" else -plane, most)
        if middle is not None:
            row, column = middle
            x, y = -half + side * column / (_POINTS - 1), half - side * row / (_POINTS - 1)
            glyph = element("path", d=d, fill="none", stroke=INK, stroke_width=1.5, data_sign=said)
            parts.append(element("g", glyph, transform=f"translate({x:.1f} {y:.1f})"))
    return parts


def _depths(plane: Plane, most: float) -> tuple[int, int] | None:
    """The place on the grid that is deepest within what is surely positive; None where nothing is deep enough."""
    left = np.pad(plane > _SURE * most, 1)
    depth = np.zeros(left.shape, int)
    while left.any():  # each step peels a layer off
        depth += left
        left = left & np.roll(left, 1, 0) & np.roll(left, -1, 0) & np.roll(left, 1, 1) & np.roll(left, -1, 1)
    deepest = depth[1:-1, 1:-1]
    if deepest.max() < _DEEP:
        return None
    row, column = np.unravel_index(int(deepest.argmax()), deepest.shape)
    return int(row), int(column)


def _generator(plane: Plane, half: float) -> Any:
    from contourpy import FillType, LineType, contour_generator

    at = np.linspace(-half, half, _POINTS)
    return contour_generator(
        at, -at, plane, name="serial", fill_type=FillType.OuterOffset, line_type=LineType.Separate
    )  # fmt: skip


def _rings(points: Array, offsets: Array) -> str:
    rings = [points[a:b] for a, b in pairwise(offsets)]
    return "".join(_path(ring[:-1]) + "Z" for ring in rings if len(ring) > 3)


def _path(points: Array) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in _simpler(points).tolist())


def _simpler(points: Array) -> Array:
    """The line without the points that lie within `_STRAY` of it (Douglas and Peucker 1973)."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    stack = [(0, len(points) - 1)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        inner, along = points[a + 1 : b] - points[a], points[b] - points[a]
        length = float(np.hypot(*along))
        if length:
            away = np.abs(inner[:, 0] * along[1] - inner[:, 1] * along[0]) / length
        else:  # a ring
            away = np.hypot(inner[:, 0], inner[:, 1])
        far = int(away.argmax())
        if away[far] > _STRAY:
            middle = a + 1 + far
            keep[middle] = True
            stack += [(a, middle), (middle, b)]
    return points[keep]
