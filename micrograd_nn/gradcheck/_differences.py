"""The slope of a function that can only be called: by differences of several step sizes, with an error bar.

Around the point, f is called at four steps to either side. From these eight values come

- the slope: central differences D(h) = (f(h) - f(-h)) / 2h = f' + b2 h² + b4 h⁴ + b6 h⁶ + ..., of which a weighed sum
  over the four steps leaves f' alone (Richardson 1911);
- the kink: S(h) = (f(h) - 2 f(0) + f(-h)) / h = J + a1 h + a3 h³ + a5 h⁵ + ..., where J is how much the slope from the
  right exceeds the slope from the left: 0 wherever f is smooth;
- the two slopes from one side, by the same means.

What is wrong with the slope is at most about: what the next order changes, the jump of a kink that lies within the
steps, and the rounding of f, measured by the scatter of f over tiny steps (Moré and Wild 2011, "Estimating
computational noise", do so with equal steps). Such a block of steps is tried at one size after another, each a sixteenth
of the last: far ones suffer from curvature, near ones from rounding, and the one with the smallest error bar wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

__all__ = ["Slope", "rounding", "slope", "step_size"]

Array = np.ndarray[Any, Any]
Move = Callable[[float], Array | None]  # t -> f at a distance t from the point, a flat array; None outside its domain

# Steps have no round ratios, or what f rounds could be alike at all of them and pass for a slope; and few digits, so
# that x + step is exact almost always.
PARTS = np.array([64, 35, 19, 9]) / 64  # of a step


def _weights(*powers: int, parts: Array = PARTS) -> Array:
    """What to weigh values at `parts` with, so that of a sum of these powers only the first is left, at 0."""
    wanted = np.zeros(len(powers))
    wanted[0] = 1
    solved: Array = np.linalg.solve(np.stack([parts**p for p in powers]), wanted)
    return solved


CENTRAL, CENTRAL_LESS = _weights(0, 2, 4, 6), np.append(0.0, _weights(0, 2, 4, parts=PARTS[1:]))
JUMP, JUMP_LESS = _weights(0, 1, 3, 5), np.append(0.0, _weights(0, 1, 3, parts=PARTS[1:]))
SIDE, SIDE_LESS = _weights(0, 1, 2, 3), np.append(0.0, _weights(0, 1, 2, parts=PARTS[1:]))
# The same as one table: how much of each value above and below, less the value here, over the largest step.
STEPS = np.concatenate([PARTS, -PARTS])
TABLE = np.array(
    [[*w / PARTS / 2, *-w / PARTS / 2] for w in (CENTRAL, CENTRAL_LESS)]
    + [[*w / PARTS, *w / PARTS] for w in (JUMP, JUMP_LESS)]
    + [[*s * w / PARTS, *t * w / PARTS] for s, t in ((1, 0), (0, -1)) for w in (SIDE, SIDE_LESS)]
)
# How much of f's rounding, over the step, each result suffers: the values are rounded independently.
CENTRAL_NOISE, JUMP_NOISE, SIDE_NOISE = (float(np.sqrt(np.sum(t**2) + np.sum(t) ** 2)) for t in TABLE[[0, 2, 4]])
ULP = 2.0**-53  # of 1: what the last operation alone rounds off
SURE = 5.0  # how many times its rounding a number must be to be more than rounding
STEP = 791547 / 2**20 * 2.0**-4  # the first step, in units of the size of what is moved
SHRINK = 2.0**-4  # from one block of steps to the next
BLOCKS = 7
ENOUGH = 1e-12  # relative; below it no other steps are tried
# Where f is looked at for its rounding. Even steps would not do: what a step adds may be a whole number of f's last place.
NODES = np.array([277, 671, 977, 1201, 1567, 1893, 2081, 2477, 2741, 3119, 3371, 3697, 4013]) / 2**12
FIT = np.linalg.qr(np.vander(NODES, increasing=True))[0].T  # row k: how much of a polynomial of degree k there is
TINY, LARGER = (2.0**-20, 2.0**-29, 2.0**-38), (2.0**-12, 2.0**-5)


@dataclass
class Slope:
    """Slopes of every result at one point along one direction; `error` is the error bar of `value`."""

    value: Array
    error: Array
    left: Array  # the slopes from one side
    right: Array
    kinked: Array  # whether those two differ for certain
    side: str = ""  # "left" or "right" where f is defined on that side alone, "neither" where on none
    shrunk: bool = False  # whether steps had to shrink to stay where f is defined
    calls: int = 0
    side_error: Array = field(default_factory=lambda: np.array(np.nan))

    def where(self, better: Array, other: Slope) -> Slope:
        """This slope, and where it says so the other one."""
        names = ("value", "error", "left", "right", "kinked", "side_error")
        return replace(self, **{n: np.where(better, getattr(other, n), getattr(self, n)) for n in names})


def step_size(x: Any, typical: float) -> Any:
    """The size of a coordinate for steps: its own, or the typical one of its array where that is larger.

    A power of two, so that x + step is exact almost always.
    """
    return 2.0 ** np.round(np.log2(np.maximum(np.abs(x), typical)))


def rounding(move: Move, here: Array, size: float) -> Array:
    """How much of f is rounding: the standard deviation, one for each result; `size` is that of what is moved.

    It is what remains of f over a dozen tiny steps when the polynomial of degree 5 that fits best is taken away. Where
    f is curved even so, as near a pole, smaller steps tell; where it stands still, larger ones. Either side of the
    point has its turn, of which the smoother is taken, because a kink is not rounding.
    """
    best = np.full(here.shape, inf)
    for way in (size, -size):
        side, jumps = np.full(here.shape, inf), np.zeros(here.shape)
        for parts in (TINY, LARGER):
            for part in parts:
                moved = [move(way * part * node) for node in NODES]
                if any(v is None for v in moved):
                    continue
                values = np.stack(moved)  # type: ignore[arg-type]
                degrees = FIT @ (values - here)
                scatter = np.sqrt(np.mean(degrees[6:] ** 2, axis=0))
                still = np.count_nonzero(np.diff(np.sort(values, axis=0), axis=0), axis=0) < len(NODES) // 2
                side, jumps = np.where(still, side, np.minimum(side, scatter)), np.maximum(jumps, scatter)
                curved = np.abs(degrees[4:6]).max(axis=0) > 2 * SURE * scatter
                if not np.any(curved & ~still if parts is TINY else np.isinf(side)):
                    break
            if np.isfinite(side).all():
                break
        best = np.minimum(best, np.where(np.isinf(side) & (jumps > 0), jumps, side))
    return np.where(np.isfinite(best), best, 0.0)


def slope(
    move: Move, here: Array, size: float, noise: Array, at: float = 0.0, smallest: float = 0.0, first: float = STEP,
    enough: float = ENOUGH, fair: float = ENOUGH, precision: float = ULP,
) -> Slope:  # fmt: skip
    """The slope of f at the point where it is `here`, along the direction in which `move` goes.

    `size` is the size of what is moved, `noise` the rounding of each result, at least `precision` of it. `at` is the
    coordinate that is moved, where it is one: a step that is rounded when added to it is paid for. `smallest` is a
    smaller size that f may have as well: steps go down to a part of that. No other steps are tried once the error bar
    is below `enough` of the slope, or all of it is rounding and it is below `fair` of it.
    """
    best, shrunk, calls, grown, sides = None, False, 0, 0, {1.0: False, -1.0: False}
    steps = _steps(size, smallest, first)
    h: float | None = next(steps, None)
    while h is not None:
        values, calls = [move(sign * h * part) for sign in (1.0, -1.0) for part in PARTS], calls + 8
        if any(v is None for v in values):
            for i, sign in enumerate((1.0, -1.0)):
                sides[sign] |= all(v is not None for v in values[4 * i : 4 * i + 4])
            if grown:
                break
            shrunk, h = True, next(steps, None)
            continue
        found, rounded = _block(values, here, noise, h, at, precision)  # type: ignore[arg-type]
        if best is None:
            better = np.ones(here.shape, bool)
        else:  # where the two contradict each other, the larger steps were taken in by something between them
            apart = np.abs(found.value - best.value) > found.error + best.error
            better = ~apart & (found.error < best.error) if grown else apart | (found.error < best.error)
        best = found if best is None or better.all() else best.where(better, found)
        done = found.error <= 2 * rounded  # smaller steps can only be worse; larger ones may be better
        if np.all(best.error <= enough * np.abs(best.value)) or grown and not better.any():
            break
        if grown or np.all(done):
            if shrunk or not grown and h != size * first or np.all(best.error <= fair * np.abs(best.value)) or grown == 2:
                break
            grown, h = grown + 1, h / SHRINK
            continue
        h = next(steps, None)
    if best is None:
        nothing = np.full(here.shape, np.nan)
        side = "right" if sides[1.0] else "left" if sides[-1.0] else "neither"
        best = Slope(nothing, nothing, nothing, nothing, np.zeros(here.shape, bool), side)
    best.shrunk, best.calls = shrunk, calls
    return best


def _steps(size: float, smallest: float, first: float) -> Iterator[float]:
    """Steps to try, from large to small."""
    h, last = size * first, (smallest or size) * first * SHRINK ** (BLOCKS - 1)
    while h >= last and h > 0:
        yield h
        h *= SHRINK


def _block(
    values: list[Array], here: Array, noise: Array, h: float, at: float, precision: float
) -> tuple[Slope, Array]:
    """What the eight values around a point say, and the part of the error bar that is rounding."""
    around = np.stack(values)
    with np.errstate(all="ignore"):
        value, less, jump, jump_less, right, right_less, left, left_less = TABLE @ ((around - here) / h)
        noise = np.maximum(noise, precision * np.abs(around).max(axis=0)) * (SURE / h)
        # a step that does not add up exactly: the part by which it is off is a part of the slope
        steps = h * STEPS
        inexact = np.abs(TABLE[::2]) @ (np.abs((at + steps) - at - steps) / h)
        rounded = CENTRAL_NOISE * noise + inexact[0] * np.abs(value)
        seen = np.abs(jump) - JUMP_NOISE * noise - inexact[1] * np.abs(value)
        kinked = seen > 2 * np.abs(jump - jump_less)
        error = np.abs(value - less) + rounded + np.where(seen > 0, np.abs(jump), 0.0)
        side_error = SIDE_NOISE * noise + np.abs(right - right_less) + np.abs(left - left_less)
        side_error += np.maximum(inexact[2] * np.abs(right), inexact[3] * np.abs(left))
    return Slope(value, error, left, right, kinked, side_error=side_error), rounded
