"""The plane that a model decides on: its scores there, the class it gives, the regions and the lines between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from viz._running import Array, at_work, bare

__all__ = ["LARGEST", "Plane", "as_path", "decided", "filled", "lines", "margins", "place", "plane_of", "scores_of"]

LARGEST = 1e150  # of a margin: infinities have no contours
_PIECE = 4096  # rows at a time: memory stays small for wide models


def scores_of(model: Callable[[Any], Any], X: Array, name: str) -> Array:
    """The scores of a model as (N, columns). Raises ValueError where it takes or gives something else."""
    found = []
    with at_work(model):
        for i in range(0, max(1, len(X)), _PIECE):
            piece = X[i : i + _PIECE]
            try:
                out = bare(model(piece))
            except (ValueError, TypeError, IndexError) as error:
                raise ValueError(f"{name} cannot be drawn over two features: {error}") from error
            if out.ndim not in (1, 2) or len(out) != len(piece) or out.dtype.kind not in "fiub" or not out.size:
                raise ValueError(
                    f"{name} gave {out.dtype} of shape {out.shape} for {len(piece)} points: it should give one score a "
                    "point (N,) or (N, 1), or a column a class (N, classes)."
                )
            found.append(out.reshape(len(piece), -1).astype(float))
    return np.concatenate(found)


def decided(scores: Array, threshold: float) -> Array:
    """The class of each row as fit's accuracy counts it: a single score is above the threshold (1) or not (0), of
    several the largest counts. -1 where a score is NaN."""
    classes = scores.argmax(1) if scores.shape[1] > 1 else (scores[:, 0] > threshold).astype(int)
    return np.where(np.isnan(scores).any(1), -1, classes)


def margins(scores: Array, threshold: float) -> Array:
    """For each class by how much it wins (above 0) or loses, (N, classes); ties count as `decided` decides them."""
    if scores.shape[1] == 1:
        above = scores[:, 0] - threshold
        found = np.stack([-above, above], 1)
    else:
        with np.errstate(all="ignore"):
            top = np.sort(scores, 1)
            first, second = top[:, -1:], top[:, -2:-1]
            found = scores - np.where(scores == first, second, first)
            tied = (scores == first).sum(1) > 1
            found[tied] = np.minimum(scores - first, 0.0)[tied]
    found = np.clip(found, -LARGEST, LARGEST)
    classes = decided(scores, threshold)
    wins = np.arange(found.shape[1]) == classes[:, None]
    return np.where(found == 0, np.where(wins, 1e-12, -1e-12), found)


@dataclass(frozen=True)
class Plane:
    """A grid over the plane: `x` and `y` along its sides, and for each class its margin and the class given, by
    (rows of y, columns of x)."""

    x: Array
    y: Array
    margins: list[Array]
    classes: Array

    @property
    def has_nan(self) -> bool:
        return bool((self.classes < 0).any())


def plane_of(
    model: Callable[[Any], Any], xlim: tuple[float, float], ylim: tuple[float, float], across: int, down: int,
    threshold: float, name: str,
) -> Plane:  # fmt: skip
    """What a model says on a grid of so many points."""
    x, y = np.linspace(*xlim, across), np.linspace(*ylim, down)
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    scores = scores_of(model, grid, name)
    each = margins(scores, threshold)
    return Plane(x, y, [m.reshape(down, across) for m in each.T], decided(scores, threshold).reshape(down, across))


def _contours(plane: Plane, field: Array) -> Any:
    from contourpy import contour_generator

    z = np.ma.masked_invalid(field)
    return contour_generator(plane.x, plane.y, z, name="serial", fill_type="OuterOffset", line_type="Separate")


def filled(plane: Plane, field: Array, level: float) -> list[list[Array]]:
    """The parts of the plane where a field is above a level: for each its outline and the outlines of its holes."""
    highest = np.nanmax(field, initial=-math.inf)
    if not highest > level:
        return []
    points, offsets = _contours(plane, field).filled(level, highest + 1.0 + abs(highest))
    return [[p[a:b] for a, b in pairwise(o)] for p, o in zip(points, offsets, strict=True)]


def lines(plane: Plane, field: Array, level: float = 0.0) -> list[Array]:
    """Where a field crosses a level."""
    found: list[Array] = _contours(plane, field).lines(level)
    return found


def place(
    inside: Array, across: Array, down: Array, taken: Array, size: tuple[float, float]
) -> tuple[float, float] | None:
    """Where on the page a text of `size` has most room: within the cells that are `inside` (rows by columns, whose
    middles are at `across` and `down`), away from the points `taken`; None where it does not fit."""
    half = np.array(size) / 2
    free = np.stack(np.meshgrid(across, down), -1)
    candidates, others = free[inside], free[~inside]
    if not len(candidates):
        return None
    corners = np.array([[across[0], down[0]], [across[-1], down[-1]]])
    room = np.min(np.abs(candidates[:, None] - corners) / half, (1, 2))
    for things in (others, taken):
        room = np.minimum(room, _nearest(candidates, things, half))
    best = int(room.argmax())
    if room[best] < 1:
        return None
    return float(candidates[best, 0]), float(candidates[best, 1])


def _nearest(at: Array, others: Array, half: Array) -> Array:
    """How far the nearest of the others is, in units of a box around each place."""
    found = np.full(len(at), np.inf)
    for i in range(0, len(others), 512):
        x, y = (np.abs(at[:, k, None] - others[i : i + 512, k]) / half[k] for k in (0, 1))
        found = np.minimum(found, np.maximum(x, y, out=x).min(1))
    return found


def as_path(rings: Sequence[Array], x: Callable[[float], float], y: Callable[[float], float], closed: bool) -> str:
    """Lines in the plane as a path on the page, to a tenth of a pixel."""
    d = []
    for ring in rings:
        points = [f"{x(float(a)):.1f} {y(float(b)):.1f}" for a, b in ring]
        kept = [p for i, p in enumerate(points) if not i or p != points[i - 1]]
        d.append("M" + "L".join(kept) + ("Z" if closed else ""))
    return "".join(d)
