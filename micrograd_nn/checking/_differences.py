"""The slope of a function that can only be called: by differences of several step sizes, with an error bar.

Around the point, f is called at four steps to either side. From these eight values come

- the slope: central differences D(h) = (f(h) - f(-h)) / 2h = f' + b2 h² + b4 h⁴ + b6 h⁶ + ..., of which a weighed sum
  over the four steps leaves f' alone (Richardson 1911);
- the kink: S(h) = (f(h) - 2 f(0) + f(-h)) / h = J + a1 h + a3 h³ + a5 h⁵ + ..., where J is how much the slope from the
  right exceeds the slope from the left: 0 wherever f is smooth;
- the two slopes from one side, by the same means.

What is wrong with the slope is at most about: what the next order changes, the jump of a kink that lies within the
steps, how far it is from the mean of those two, and the rounding of f, measured by the scatter of f over tiny steps
(Moré and Wild 2011, "Estimating computational noise", do so with equal steps). Such a block of steps is tried at one
size after another, each a sixteenth of the last: far ones suffer from curvature, near ones from rounding, and the one
with the smallest error bar wins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np

__all__ = ["KINK", "Slope", "own_size", "rounding", "slope", "step_size"]

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
BLOCKS, GROWTHS = 7, 12  # how many smaller ones there are, and larger ones
ENOUGH = 1e-12  # relative; below it no other steps are tried
SIDES = ("left", "right")
KINK = 1e-7  # slopes from either side that differ by less than this part of them are no kink but curvature
# Where f is looked at for its rounding: anywhere, since even steps may each add a whole number of f's last places; but
# in whole parts of GRID, so that x + step is exact, and its last digits are others each time.
NODES = np.modf(np.sqrt([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41]))[0]
GRID = 2.0**50


def _degrees(steps: Array) -> tuple[Array, Array]:
    """The steps, and what to weigh values there with: row k gives what f has of degree k beyond lower ones."""
    return steps, np.linalg.qr(np.vander(steps / steps.max(), increasing=True))[0].T


TINY, LARGER = ([_degrees(np.rint(NODES * 2.0**-k * GRID) / GRID) for k in ks] for ks in ((20, 38), (12, 5)))


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
    left_error: Array = field(default_factory=lambda: np.array([np.nan]))
    right_error: Array = field(default_factory=lambda: np.array([np.nan]))

    @property
    def gap(self) -> Array:
        """How far apart the slopes from either side are."""
        return np.asarray(np.abs(self.right - self.left))

    @property
    def gap_error(self) -> Array:
        return self.left_error + self.right_error

    def where(self, better: Array, other: Slope) -> Slope:
        """This slope, and where it says so the other one."""
        names = ("value", "error", "left", "right", "kinked", "left_error", "right_error")
        return replace(self, **{n: np.where(better, getattr(other, n), getattr(self, n)) for n in names})


def step_size(x: Any, typical: float) -> Any:
    """The size of a coordinate for steps: its own, or the typical one of its array where that is larger.

    A power of two, so that x + step is exact almost always.
    """
    return 2.0 ** np.round(np.log2(np.maximum(np.abs(x), typical)))


def own_size(x: Any, size: Any) -> Any:
    """The size of a coordinate close to where it is: its own, where that is far below its size for steps."""
    own = np.abs(x)
    return np.where((own > 0) & (own < size / 256), own, size)


def rounding(move: Move, here: Array, size: float) -> Array:
    """How much of f is rounding: the standard deviation, one for each result; `size` is that of what is moved.

    It is what remains of f over a dozen tiny steps when the polynomial of degree 5 that fits best is taken away. Two
    sizes of steps and either side of the point have their turn, and the smoothest counts, because what f does by itself
    is not rounding. Where f stands still over these, larger steps tell.
    """
    best = np.full(here.shape, inf)
    for way in (size, -size):
        side, jumps = np.full(here.shape, inf), np.zeros(here.shape)
        for k, (steps, degrees) in enumerate((*TINY, *LARGER)):
            if k >= len(TINY) and np.isfinite(side).all():
                break
            moved = [move(way * t) for t in steps]
            if any(v is None for v in moved):
                continue
            values = np.stack(moved)  # type: ignore[arg-type]
            scatter = np.sqrt(np.mean((degrees[6:] @ (values - here)) ** 2, axis=0))
            changes = np.count_nonzero(np.diff(np.sort(values, axis=0), axis=0), axis=0)
            side = np.where(changes < len(NODES) // 2, side, np.minimum(side, scatter))
            jumps = np.maximum(
                jumps, np.where(changes > 2, scatter, 0.0)
            )  # a step or two are f's own, as those of sign
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
    trend = _Trend(here.shape)
    h, last = size * first, (smallest or size) * first * SHRINK ** (BLOCKS - 1)
    while h >= last and h > 0:
        values, calls = [move(sign * h * part) for sign in sides for part in PARTS], calls + 8
        if any(v is None for v in values):
            for i, sign in enumerate(sides):
                sides[sign] |= all(v is not None for v in values[4 * i : 4 * i + 4])
            if grown:
                break
            shrunk, h = True, h * SHRINK
            continue
        found, rounded = _block(values, here, noise, h, at, precision)  # type: ignore[arg-type]
        if not grown:
            apart = trend.follow(found)
            # the larger steps were taken in by what lies between, and so may these be, unless all is rounding
            found.error = np.where(found.error > 2 * rounded, np.fmax(found.error, apart), found.error)
        better = np.ones(here.shape, bool)
        if best is not None:
            contradicts = np.abs(found.value - best.value) > found.error + best.error
            better = found.error < best.error
            better = better & ~contradicts & ~found.kinked if grown else better | contradicts | (apart > 0)
        best = found if best is None or better.all() else best.where(better, found)
        if np.all(best.error <= enough * np.abs(best.value)):
            break
        if not grown and np.any(found.error > 2 * rounded):
            h *= SHRINK
            continue
        # all is rounding: smaller steps can only be worse, and larger ones better
        seen = np.any(np.abs(best.value) > best.error)
        tried = shrunk or grown >= (GROWTHS if seen else 2) or not better.any() or (h < size * first and not grown)
        if tried or np.all(best.error <= fair * np.abs(best.value)):
            break
        grown, h = grown + 1, h / SHRINK
    if best is None:
        nothing = np.full(here.shape, np.nan)
        side = "right" if sides[1.0] else "left" if sides[-1.0] else "neither"
        best = Slope(nothing, nothing, nothing, nothing, np.zeros(here.shape, bool), side)
    else:
        trend.settle(best)
    best.shrunk, best.calls = shrunk, calls
    return best


class _Trend:
    """What becomes of the slopes as steps shrink, from block to block."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.first: Slope | None = None
        self.last: Slope | None = None
        self.bars = np.zeros(shape)
        # of either side: for how many blocks it has doubled at least; its slope where there is a kink, with error bar
        self.steeper = {side: np.zeros(shape, int) for side in SIDES}
        self.clearest = {side: (np.full(shape, np.nan), np.full(shape, inf)) for side in SIDES}
        self.closer, self.compared, self.kinked = np.ones(shape, bool), np.zeros(shape, bool), np.zeros(shape, bool)

    def follow(self, found: Slope) -> Array:
        """The next smaller block; how far its slope is from the one before where they contradict each other, else 0."""
        before, bars, apart = self.last, self.bars + found.error, np.zeros(found.value.shape)
        self.first, self.last, self.bars = self.first or found, found, found.error  # the bars as they were found
        with np.errstate(all="ignore"):
            for side, (clear, bar) in self.clearest.items():
                now, error = getattr(found, side), getattr(found, f"{side}_error")
                clearer = found.kinked & (error < bar)
                self.clearest[side] = np.where(clearer, now, clear), np.where(clearer, error, bar)
                if before is not None:
                    grown = np.abs(now) > np.fmax(2 * np.abs(getattr(before, side)), error)
                    self.steeper[side] = np.where(grown, self.steeper[side] + 1, 0)
            if before is not None:
                apart = np.abs(found.value - before.value)
                apart = np.where(apart > bars, apart, 0.0)
                sure = found.gap > 2 * found.gap_error
                self.closer &= ~sure | (found.gap < before.gap / 2)
                self.compared |= sure
                # between the smallest steps a kink may hide that larger ones have shown
                hidden = self.kinked & ~found.kinked & (found.gap > found.gap_error)
                found.error = found.error + np.where(hidden, found.gap, 0.0)
                inside = self.kinked & found.kinked & ~self.closer
                found.error = np.where(inside, np.fmax(found.error, before.error), found.error)
            self.kinked |= found.kinked
        return apart

    def settle(self, best: Slope) -> None:
        """Make slopes infinite that grow without end, and keep no kink that fades away or is not sure."""
        first, last = self.first, self.last
        assert first is not None and last is not None  # noqa: PT018
        with np.errstate(all="ignore"):
            steep = 2 * np.fmax(np.abs(first.left), np.abs(first.right))
            endless = {}
            for side, (clear, bar) in self.clearest.items():
                final = getattr(last, side)
                endless[side] = (self.steeper[side] > 2) & (np.abs(final) > steep)
                known = best.kinked & np.isfinite(bar)
                now, error = np.where(known, [clear, bar], [getattr(best, side), getattr(best, f"{side}_error")])
                setattr(best, side, np.where(endless[side], np.copysign(inf, final), now))
                setattr(best, f"{side}_error", np.where(endless[side], 0.0, error))
            jumps = endless["left"] | endless["right"]
            best.error = np.where(jumps, inf, best.error)
            larger = np.fmax(np.abs(best.left), np.abs(best.right))
            sure = (best.gap > KINK * larger + best.gap_error) & ~(self.closer & self.compared)
        best.kinked = jumps | (best.kinked & sure)


def _block(
    values: list[Array], here: Array, noise: Array, h: float, at: float, precision: float
) -> tuple[Slope, Array]:
    """What the eight values around a point say, and the part of the error bar that is rounding."""
    around = np.stack(values)
    with np.errstate(all="ignore"):
        value, less, jump, jump_less, right, right_less, left, left_less = TABLE @ ((around - here) / h)
        noise = SURE * np.maximum(noise, precision * np.abs(around).max(axis=0)) / h
        # a step that does not add up exactly: the part by which it is off is a part of the slope
        steps = h * STEPS
        inexact = np.abs(TABLE[::2]) @ (np.abs((at + steps) - at - steps) / h)
        rounded = CENTRAL_NOISE * noise + inexact[0] * np.abs(value)
        seen = np.abs(jump) - JUMP_NOISE * noise - inexact[1] * np.abs(value)
        kinked = seen > 2 * np.abs(jump - jump_less)
        # where the slope has a kink though f has none, as elu at 0, sums over both sides are off and those over one not
        bend = np.abs(value - (left + right) / 2) - (np.abs(right - right_less) + np.abs(left - left_less)) / 2
        error = np.abs(value - less) + rounded + np.where(seen > 0, np.abs(jump), 0.0) + np.maximum(bend, 0.0)
        error[np.isnan(error) | ~np.isfinite(value)] = inf  # numbers too large or too small to compute with
        right_error = np.abs(right - right_less) + SIDE_NOISE * noise + inexact[2] * np.abs(right)
        left_error = np.abs(left - left_less) + SIDE_NOISE * noise + inexact[3] * np.abs(left)
    return Slope(value, error, left, right, kinked, left_error=left_error, right_error=right_error), rounded
