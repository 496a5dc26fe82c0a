"""An activation function on a grid of z: its values, its slopes as the health module sees them, where it is flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.health._activity import FLAT, Activation, Curves, by_units, watching
from micrograd_nn.modes import enable_grad
from micrograd_nn.tensor import Tensor
from viz._running import Array
from viz.charts._ticks import limits

__all__ = ["Shape", "sampled", "standalone"]

_POINTS = 601
_STEEP = 2.5  # times as much as the function rises and falls
_FAR = (20.0, 40.0)  # what is equal here is taken for a limit


@dataclass(frozen=True)
class Shape:
    """A function of one number on a grid that holds 0: `f` and `slope` are means over the units where these differ, and
    then `low` and `high` are their extremes. `flat` is where health calls it saturated, `closed` where its slope is
    exactly 0; `kinks` are where the slope jumps; `ends` are its limits at -∞ and ∞, None where there is
    none."""

    z: Array
    f: Array
    slope: Array
    flat: Array
    closed: Array
    limit: float  # of |slope|: below it is flat
    bends: bool
    at: Callable[[float], tuple[float, float]]  # f and slope at any z
    low: Array | None = None
    high: Array | None = None
    kinks: list[float] = field(default_factory=list)  # the last z before each jump
    ends: tuple[float | None, float | None] = (None, None)
    span: tuple[float, float] = (-np.inf, np.inf)  # the least and the largest value it takes or nears

    @property
    def is_steep(self) -> bool:
        """Whether the slope is so large that on one axis with it the function would look flat."""
        f, slope = self.f[np.isfinite(self.f)], self.slope[np.isfinite(self.slope)]
        return bool(f.size and slope.size) and float(np.abs(slope).max()) > _STEEP * float(np.ptp(f))

    @property
    def heights(self) -> tuple[float, float]:
        """From where to where an axis for it runs: 0, the function and its slope, or as much of that as there is room
        for."""
        spans = [
            line for line in (self.f, None if self.is_steep else self.slope, self.low, self.high) if line is not None
        ]
        return limits([0.0, *(float(v) for line in spans for v in line)], pad=0.08)

    def stretches(self, mask: Array) -> list[tuple[float, float]]:
        """Where `flat` or `closed` holds, as intervals of z, exact to the last digits."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
        return [(self._edge(a, mask), self._edge(b, mask)) for a, b in edges.reshape(-1, 2)]

    def _edge(self, i: int, mask: Array) -> float:
        if i in (0, len(self.z)):
            return float(self.z[min(i, len(self.z) - 1)])
        a, b = float(self.z[i - 1]), float(self.z[i])
        inside = bool(mask[i - 1])
        for _ in range(40):
            mid = (a + b) / 2
            slope = abs(self.at(mid)[1])
            a, b = (mid, b) if (slope == 0 if mask is self.closed else slope < self.limit) == inside else (a, mid)
        return (a + b) / 2


def standalone(name: str, function: Callable[[Any], Any]) -> tuple[Activation, Curves]:
    """A function by itself as an activation of one unit. Raises TypeError for what gives no node of the same shape."""
    z = Tensor(np.linspace(-1.0, 1.0, 5)[:, None], True)
    with enable_grad(), watching(None), np.errstate(all="ignore"):
        try:
            a = function(z)
        except Exception as error:
            raise TypeError(
                f"{name} is no activation: called on a Tensor of shape {z.shape} it raised {type(error).__name__}: "
                f"{error}. Give a function of one node, such as lambda z: F.tanh(2 * z)."
            ) from None
    if not isinstance(a, Node) or np.shape(a.data) != z.shape:
        got = f"shape {np.shape(a.data)}" if isinstance(a, Node) else type(a).__name__
        raise TypeError(
            f"{name} is no activation: from a Tensor of shape {z.shape} it gave {got}, not one of that shape."
        )
    return Activation(name, name, a, z, -1, function), Curves()


def sampled(act: Activation, curves: Curves, lo: float, hi: float, flat: float = FLAT) -> Shape | None:
    """The function of an activation from `lo` to `hi`, or None where an output does not belong to one z."""
    with np.errstate(all="ignore"):
        curve = curves.of(act)
        if curve is None:
            return None
        units = by_units(act.z.data, act.axis).shape[1]

        def both(z: Array) -> tuple[Array, Array]:
            """Values and slopes, (points, units), at each z."""
            grid = _for_units(z, units, act)
            with np.errstate(all="ignore"):
                a = _values(act, grid)
                slopes = np.where(np.isnan(a), np.nan, curve.slope(grid, a))  # no slope where there is no value
            return by_units(a, act.axis), by_units(slopes, act.axis)

        step = (hi - lo) / (_POINTS - 1)
        z = np.unique(np.append(np.linspace(lo, hi, _POINTS), 0.0))
        z = z[(np.abs(z) > step / 3) | (z == 0)]  # nothing next to 0
        slopes = both(z)[1]
        kinks = _jumps(z, slopes, lambda at: both(at)[1])
        z = np.unique(np.concatenate([z, *kinks])) if kinks else z
        f, slopes = both(z)
        limit = flat * np.asarray(curve.steepest)
        flats = (np.abs(slopes) < limit).mean(1) > 0.5 if curve.bends else np.zeros(len(z), bool)
        wide = both(np.linspace(-_FAR[1], _FAR[1], 8 * int(_FAR[1]) + 1))[0].mean(1)
        closed = (slopes == 0).all(1)
        beside = np.concatenate([[False], closed, [False]])
        closed &= beside[:-2] | beside[2:]  # a slope may pass through 0 at a single place
        far = wide[[0, len(wide) // 4, -len(wide) // 4, -1]]
        ends = _limit(far[0], far[1]), _limit(far[3], far[2])
        every = np.concatenate([wide, f.mean(1)])
        differ = bool((np.ptp(f, axis=1) > 1e-12 * (1 + np.abs(f).max(1))).any())
        return Shape(
            z, f.mean(1), slopes.mean(1), flats, closed, float(np.max(limit)), curve.bends,
            lambda v: tuple(float(x.mean()) for x in both(np.array([v]))),  # type: ignore[arg-type, return-value]
            f.min(1) if differ else None, f.max(1) if differ else None,
            [float(pair[0]) for pair in kinks], ends, _span(every, (far[0], far[3]), ends),
        )  # fmt: skip


def _for_units(z: Array, units: int, act: Activation) -> Array:
    """The same z for every unit, with as many axes as the activation has."""
    if act.axis is None:
        return z
    return np.repeat(z[None], units, 0) if act.axis == 0 else np.repeat(z[:, None], units, 1)


def _values(act: Activation, grid: Array) -> Array:
    """The activation's own function on a grid."""
    if act.function is not None:
        with enable_grad(), watching(None):
            found = act.function(Tensor(grid))
        return np.broadcast_to(np.asarray(found.data if isinstance(found, Node) else found, float), grid.shape)
    op, node = act.node.op, act.node
    assert op is not None
    given = [grid if x is act.z else x.data if isinstance(x, Node) else x for x in node.inputs]
    return np.broadcast_to(np.asarray(op.array(*given, **node.params), float), grid.shape)


def _jumps(z: Array, slopes: Array, ask: Callable[[Array], Array]) -> list[Array]:
    """The pairs of places, next to nothing apart, between which the slope jumps."""
    change = np.abs(np.diff(slopes, axis=0)).max(1)
    where = np.flatnonzero(change > 0.02 * max(float(np.abs(slopes).max()), 1e-300))
    if len(where) > 200:  # noise, or a comb: no place is special
        return []
    pairs = []
    for i in where:
        a, b, left, right = z[i], z[i + 1], slopes[i], slopes[i + 1]
        for _ in range(24):
            mid = (a + b) / 2
            there = ask(np.array([mid]))[0]
            if np.abs(there - left).max() > np.abs(right - there).max():
                b, right = mid, there
            else:
                a, left = mid, there
        if np.abs(right - left).max() > 0.5 * change[i]:
            pairs.append(np.array([a, b]))
    return pairs


def _limit(end: float, before: float) -> float | None:
    """The limit that a function has reached, if it has."""
    if not (np.isfinite(end) and np.isfinite(before)) or abs(end - before) > 1e-6 * max(1.0, abs(end)):
        return None
    return round(float(end), 9) + 0.0


def _span(values: Array, far: tuple[float, float], ends: tuple[float | None, float | None]) -> tuple[float, float]:
    """The least and the largest of the values, or an infinity where an end without a limit leads there."""
    values = values[~np.isnan(values)]
    if not values.size:
        return np.nan, np.nan
    least, most = float(values.min()), float(values.max())
    open_ends = [v for v, end in zip(far, ends, strict=True) if end is None]
    known = [end for end in ends if end is not None]
    low = -np.inf if any(v <= least for v in open_ends) else min([least, *known])
    high = np.inf if any(v >= most for v in open_ends) else max([most, *known])
    return low, high
