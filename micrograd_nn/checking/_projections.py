"""Random directions in which all coordinates move at once: what a sample of them did not hit shows there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.checking._appeal import second_opinion
from micrograd_nn.checking._judge import Tolerance, judge
from micrograd_nn.checking._probe import Probe

if TYPE_CHECKING:
    from micrograd_nn.checking._check import Checked

__all__ = ["project"]

Array = np.ndarray[Any, Any]
PROJECTIONS = 8
FOUND = 3  # wrong entries to find by halving, where a projection is off and no entry looked at is


def project(
    done: Checked, rng: np.random.Generator, allowed: Tolerance, analytic: list[Array], undefined: list[Array]
) -> None:
    """Slopes along random directions in which every coordinate moves; one that is off is halved until it is found."""
    subject, probe, returned = done.subject, done.probe, done.returned
    assert returned is not None and probe is not None  # noqa: PT018
    if sum(r.verdict == "wrong" for r in done.rows) >= FOUND:
        return  # there is enough to look at
    still = [
        u | ~np.isfinite(e.array) | ~np.isfinite(a) | (r is None)
        for u, e, a, r in zip(undefined, subject.entries, analytic, returned.arrays, strict=True)
    ]
    known = {(r.input, r.index) for r in done.rows if r.verdict != "ok"}
    for i, e in enumerate(subject.entries):
        for name, index in known:
            if name == e.name:
                still[i][index] = True
    offsets = np.cumsum([0, *(e.array.size for e in subject.entries)])
    tolerances = [replace(allowed, rtol=max(allowed.rtol, 1e-3)) if coarse else allowed for coarse in returned.coarse]
    rough = 0
    for _ in range(PROJECTIONS):
        ways = [
            np.where(s, 0.0, rng.choice([-1.0, 1.0], s.shape) * np.broadcast_to(z, s.shape))
            for s, z in zip(still, probe.sizes, strict=True)
        ]
        done.projections += 1
        for again in (False, True):
            off = _deviation(probe, ways, analytic, tolerances, again)
            if not (off.clear and off.sure):
                break
        rough += not off.clear
        if not (off.clear and off.sure):
            continue
        place = _halved(probe, ways, analytic, tolerances, off, offsets)
        if place is None:
            if abs(off.by) <= off.bar + off.tolerated:
                continue
            done.problems.append(
                "Along a random direction of all entries the slope is not what their gradients add up to, and no "
                "single entry stands out: many are off by a little. Raise max_coordinates to see them."
            )
            break
        i = int(np.searchsorted(offsets, place, side="right")) - 1
        e = subject.entries[i]
        index = tuple(int(j) for j in np.unravel_index(place - offsets[i], e.array.shape))
        natural, fair = float(probe.natural(i)[index]), tolerances[i]
        found = probe.coordinate(i, index)
        row = judge(
            e.name, index, float(analytic[i][index]), found, abs(float(found.value[0])), natural, fair, done.order
        )
        row = second_opinion(probe, i, [row], abs(row.numeric), fair, done.order)[0]
        if row.verdict != "ok":
            done.rows.append(replace(row, note=row.note or "not in the sample: found by halving random projections."))
        still[i][index] = True
        if sum(r.note.startswith("not in the sample") for r in done.rows) >= FOUND:
            break
    if rough:
        done.notes.append(f"{rough} of {done.projections} random projections were too rough to tell anything.")


@dataclass(frozen=True)
class Deviation:
    """By how much the slope along a direction is not what the gradients say.

    `bar` is how well that is known. `tolerated` is what it may come to where every entry is within its tolerance: five
    times the root of the sum of their squares, since signs are random (Hoeffding 1963: once in 100,000).
    """

    by: float
    bar: float
    tolerated: float
    clear: bool  # whether it could be told

    @property
    def sure(self) -> bool:
        return abs(self.by) > self.bar


def _deviation(
    probe: Probe, ways: Sequence[Array], analytic: Sequence[Array], tolerances: Sequence[Tolerance], again: bool = False
) -> Deviation:
    found = probe.direction(ways, again)
    value, error = float(found.value[0]), float(found.error[0])
    expected = amount = bar = squares = 0.0
    for w, a, allowed in zip(ways, analytic, tolerances, strict=True):
        terms = w * np.where(w == 0, 0.0, a)
        expected, amount = expected + float(terms.sum()), amount + float(np.abs(terms).sum())
        may = allowed.rtol * np.abs(terms) + allowed.atol * np.abs(w)
        bar, squares = bar + 1e-4 * float(may.sum()), squares + float(np.sum(may**2))
    clear = not found.side and not found.kinked[0] and error <= max(1e-6 * max(amount, abs(value)), 1e-10 * probe.size)
    return Deviation(value - expected, error + bar, 5 * squares**0.5, clear)


def _halved(
    probe: Probe, ways: Sequence[Array], analytic: Sequence[Array], tolerances: Sequence[Tolerance], off: Deviation,
    offsets: Array,
) -> int | None:  # fmt: skip
    """The one coordinate that makes a projection wrong, by halving; None where the error is spread out.

    The deviations of two halves add up to that of the whole, so that mostly one of them need be looked at.
    """
    inside = np.flatnonzero(np.concatenate([w.ravel() for w in ways]))

    def of(part: Array) -> Deviation:
        mask = np.zeros(offsets[-1], bool)
        mask[part] = True
        masks = [mask[a:b].reshape(w.shape) for a, b, w in zip(offsets[:-1], offsets[1:], ways, strict=True)]
        return _deviation(probe, [np.where(m, w, 0.0) for m, w in zip(masks, ways, strict=True)], analytic, tolerances)

    while len(inside) > 1:
        half, rest = inside[: len(inside) // 2], inside[len(inside) // 2 :]
        first = of(half)
        if first.clear and first.sure:
            inside, off = half, first
            continue
        other = replace(off, by=off.by - first.by, bar=off.bar + first.bar)
        if not (first.clear and other.sure):
            other = of(rest)
        if not (other.clear and other.sure):
            return None
        inside, off = rest, other
    return int(inside[0])
