"""A check from start to end: contracts, coordinates, projections, then what the errors look like and whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from micrograd_nn.gradcheck._contracts import Returned, agree, same_results
from micrograd_nn.gradcheck._coverage import chosen
from micrograd_nn.gradcheck._differences import Slope
from micrograd_nn.gradcheck._evidence import Evidence
from micrograd_nn.gradcheck._judge import Tolerance, judge
from micrograd_nn.gradcheck._probe import Probe
from micrograd_nn.gradcheck._progress import Meter
from micrograd_nn.gradcheck._report import Row, figures
from micrograd_nn.gradcheck._subject import Contract, Subject

__all__ = ["PROJECTIONS", "Checked", "check"]

Array = np.ndarray[Any, Any]
PROJECTIONS = 8  # of all coordinates at once, where not every one is looked at by itself
SURE_OF_IT = 20  # wrong entries confirmed one after another, after which the others of an input are believed;
PLAIN = 3  # where they are off by far more than the error bar
FOUND = 3  # wrong entries to find by halving, where a projection is off and no entry looked at is


class Checked:
    """A subject with all that a check of it found."""

    def __init__(self, subject: Subject, order: int) -> None:
        self.subject, self.order = subject, order
        self.rows: list[Row] = []
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.projections = 0
        self.returned: Returned | None = None
        self.probe: Probe | None = None
        self.allowed = Tolerance(0.0, 0.0)
        self.reason: BaseException | None = None  # what was raised, where that is what broke a contract
        self.numeric = [np.full(e.array.shape, np.nan) for e in subject.entries]  # of inputs without rows
        self.bars = [np.full(e.array.shape, np.nan) for e in subject.entries]

    @property
    def coordinates(self) -> int:
        return sum(e.array.size for e in self.subject.entries)

    def evidence(self) -> list[Evidence]:
        """What is known of every input's gradient, for a diagnosis."""
        assert self.returned is not None
        found = []
        for i, e in enumerate(self.subject.entries):
            came, numeric, bars = self.returned.arrays[i], self.numeric[i].copy(), self.bars[i].copy()
            wrong = np.zeros(e.array.shape, bool)
            for r in self.rows:
                if r.input == e.name and r.verdict in ("ok", "wrong"):
                    numeric[r.index], bars[r.index], wrong[r.index] = r.numeric, r.error_bar, r.verdict == "wrong"
            looked = np.isfinite(numeric)
            analytic = np.full(e.array.shape, np.nan) if came is None else np.where(looked, came, np.nan)
            odd = self.returned.raw[i] if came is None else None
            found.append(
                Evidence(e.name, e.array, analytic, numeric, bars, looked, wrong | (looked & (came is None)), odd)
            )
        return found


def check(
    subject: Subject, rng: np.random.Generator, eps: float | None, rtol: float | None, atol: float, budget: int,
    progress: bool | None, order: int = 1,
) -> Checked:  # fmt: skip
    """Look at a subject as far as the budget goes. What the errors mean is for others to say."""
    done = Checked(subject, order)
    with np.errstate(all="ignore"):
        try:
            outs = subject.outputs(subject.arrays)
            if not outs:
                done.notes.append(f"The derivative of order {order - 1} does not depend on the inputs any more.")
                return done
            coarse = any(o.dtype.kind == "f" and o.dtype.itemsize < 8 for o in outs)
            slack = 1e-3 if coarse else min(rtol or 0.0, 1e-3)
            same_results(subject, outs, slack)
            probe = done.probe = Probe(subject, outs, rng, eps)
            allowed = done.allowed = Tolerance(
                (1e-3 if coarse else 1e-9) if rtol is None else rtol, atol, 0.05 if coarse else 1e-3
            )
            if coarse:
                done.notes.append(f"The results are {probe.dtype}: judged to {figures(allowed.rtol)} of each entry.")
            if probe.hollow:
                allowed = done.allowed = replace(allowed, firm=0.0)
            natural = [probe.natural(i) for i in range(len(subject.entries))]
            done.returned = agree(subject, outs, probe.seeds, rng, slack, natural)
            done.problems += done.returned.problems
            undefined = _undefined(done, outs)
            _look(done, rng, allowed, budget, undefined, progress)
        except Contract as broken:
            done.problems.append(str(broken))
            done.reason = broken.__cause__
    done.notes += subject.notes
    return done


def _undefined(done: Checked, outs: Sequence[Array]) -> list[Array]:
    """Which coordinates a result depends on that is no number."""
    probe, subject, returned = done.probe, done.subject, done.returned
    assert probe is not None and returned is not None  # noqa: PT018
    nowhere = [np.zeros(e.array.shape, bool) for e in subject.entries]
    if not any(b.any() for b in probe.bad):
        return nowhere
    count, total = sum(int(b.sum()) for b in probe.bad), sum(b.size for b in probe.bad)
    what = "The result is" if total == 1 else f"{count} of {total} results {'is' if count == 1 else 'are'}"
    example = next(float(o[b][0]) for o, b in zip(outs, probe.bad, strict=True) if b.any())
    found = subject.pull(subject.arrays, [b.astype(float) for b in probe.bad])
    reach = []
    for i, (e, g) in enumerate(zip(subject.entries, found, strict=True)):
        came = returned.arrays[i]
        if g is None or np.shape(g) != e.array.shape or came is None:
            reach.append(np.full(e.array.shape, total == 1))
            continue
        slopes = np.asarray(g, float)
        reach.append((slopes != 0) | (total == 1))  # NaN != 0 too
        returned.arrays[i] = np.where(reach[-1], slopes, came)  # what the results left out have to say
    if any(r.any() for r in reach):
        done.notes.append(f"{what} no number ({figures(example)}): what they depend on has no slope." if total > 1 else
                          f"The result is {figures(example)} here: the function is not defined.")  # fmt: skip
    else:
        done.problems.append(
            f"{what} no number ({figures(example)}), and the backward pass says that nothing moves them."
        )
    return reach


def _look(
    done: Checked,
    rng: np.random.Generator,
    allowed: Tolerance,
    budget: int,
    undefined: list[Array],
    progress: bool | None,
) -> None:
    """A row for every coordinate that is looked at, and projections of all of them where some are not."""
    subject, returned, probe = done.subject, done.returned, done.probe
    assert returned is not None and probe is not None  # noqa: PT018
    analytic = [
        np.zeros(e.array.shape) if a is None else a for e, a in zip(subject.entries, returned.arrays, strict=True)
    ]
    places = chosen(analytic, budget, rng)
    shrunk = 0
    with Meter(sum(map(len, places)), progress) as meter:
        for i, (e, flat) in enumerate(zip(subject.entries, places, strict=True)):
            finite = np.abs(analytic[i][np.isfinite(analytic[i])])
            scale, natural, slopes = float(finite.max(initial=0.0)), probe.natural(i), []
            for k in flat:
                index = tuple(int(j) for j in np.unravel_index(k, e.array.shape))
                if undefined[i][index] or not np.isfinite(e.array[index]):
                    nothing = np.full(1, np.nan)
                    found = Slope(nothing, nothing, nothing, nothing, np.zeros(1, bool), "neither")
                else:
                    found = probe.coordinate(i, index)
                    if np.isfinite(found.value[0]):
                        scale = max(scale, abs(float(found.value[0])))
                slopes.append((index, found))
                meter.step()
            if returned.arrays[i] is None:
                for index, found in slopes:
                    done.numeric[i][index], done.bars[i][index] = found.value[0], found.error[0]
                continue
            # what came back in float32 is told off for that once, and then judged by the digits it has
            fair = replace(allowed, rtol=max(allowed.rtol, 1e-3)) if returned.coarse[i] else allowed
            rows = [
                judge(e.name, index, float(analytic[i][index]), found, scale, float(natural[index]), fair, done.order)
                for index, found in slopes
            ]
            rows = _appeal(probe, i, rows, scale, fair, done.order)
            rows = [
                r if np.isfinite(e.array[r.index]) else replace(r, note="the input itself is no number here.")
                for r in rows
            ]
            done.rows += rows
            shrunk += sum(f.shrunk and not f.side for _, f in slopes)
    if probe.agreed:
        done.notes.append(
            f"A step in the imaginary direction agrees with the differences at all {probe.agreed} places it was tried at."
        )
    if shrunk:
        done.notes.append(
            f"The function is not defined all around {shrunk:,} of the entries: steps were made smaller until it was."
        )
    if any(len(flat) < e.array.size for e, flat in zip(subject.entries, places, strict=True)):
        _project(done, rng, allowed, analytic, undefined)


def _appeal(probe: Probe, place: int, rows: list[Row], scale: float, allowed: Tolerance, order: int) -> list[Row]:
    """The same rows, after a second opinion on those that look bad: other steps, and where it can be had a complex one.

    An entry is wrong when both opinions say so. Where many are, the first of them stand for the rest.
    """
    out, confirmed = list(rows), 0
    for k in sorted(range(len(rows)), key=lambda k: -rows[k].off):
        row = rows[k]
        plain = row.off > 1e-3 and abs(row.analytic - row.numeric) > 1e4 * row.error_bar
        if row.verdict not in ("wrong", "not checked") or confirmed >= (PLAIN if plain else SURE_OF_IT):
            continue
        index, natural = row.index, float(probe.natural(place)[row.index])
        again = probe.coordinate(place, index, again=True)
        if again.side:
            continue
        if bool(again.kinked[0]) or not np.isfinite(row.analytic):
            out[k] = judge(row.input, index, row.analytic, again, scale, natural, allowed, order)
            confirmed += out[k].verdict == "wrong"
            continue
        apart = abs(float(again.value[0]) - row.numeric)
        best = again if again.error[0] < row.error_bar else replace(
            again, value=np.array([row.numeric]), error=np.array([row.error_bar]))  # fmt: skip
        if apart > row.error_bar + float(again.error[0]):  # the two do not agree: neither bar was wide enough
            best = replace(best, error=np.array([apart + row.error_bar + float(again.error[0])]))
        out[k] = judge(row.input, index, row.analytic, best, scale, natural, allowed, order)
        exact = probe.complex_slope(place, index) if out[k].verdict in ("wrong", "not checked") else None
        if exact is not None and abs(exact[0] - float(best.value[0])) <= float(best.error[0]):
            best = replace(best, value=np.array(exact[:1]), error=np.array(exact[1:]))
            out[k] = judge(row.input, index, row.analytic, best, scale, natural, allowed, order)
            probe.agreed += 1
        confirmed += out[k].verdict == "wrong"
    return out


def _project(
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
                "Along a random direction of all entries the slope is not what their gradients add up to, and no single "
                "entry stands out: many are off by a little. Raise max_coordinates to see them."
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
        row = _appeal(probe, i, [row], abs(row.numeric), fair, done.order)[0]
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
