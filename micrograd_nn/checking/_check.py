"""A check from start to end: contracts, then entries one by one, then random directions of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd_nn.checking._appeal import second_opinion
from micrograd_nn.checking._contracts import Returned, agree, same_results
from micrograd_nn.checking._coverage import chosen
from micrograd_nn.checking._differences import Slope
from micrograd_nn.checking._evidence import Evidence
from micrograd_nn.checking._judge import Tolerance, judge
from micrograd_nn.checking._probe import Probe
from micrograd_nn.checking._progress import Meter
from micrograd_nn.checking._projections import project
from micrograd_nn.checking._report import Row, figures
from micrograd_nn.checking._subject import Contract, Subject

__all__ = ["Checked", "check"]

Array = np.ndarray[Any, Any]


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
    done: Checked, rng: np.random.Generator, allowed: Tolerance, budget: int, undefined: list[Array],
    progress: bool | None,
) -> None:  # fmt: skip
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
            rows = second_opinion(probe, i, rows, scale, fair, done.order)
            rows = [
                r if np.isfinite(e.array[r.index]) else replace(r, note="the input itself is no number here.")
                for r in rows
            ]
            done.rows += rows
            shrunk += sum(f.shrunk and not f.side for _, f in slopes)
    if probe.agreed:
        tried = "the one place" if probe.agreed == 1 else f"all {probe.agreed} places"
        done.notes.append(f"A step in the imaginary direction agrees with differences at {tried} where it was tried.")
    if shrunk:
        entries = "an entry" if shrunk == 1 else f"{shrunk:,} entries"
        done.notes.append(f"The function is not defined all around {entries}: steps were made smaller until it was.")
    if any(len(flat) < e.array.size for e, flat in zip(subject.entries, places, strict=True)):
        project(done, rng, allowed, analytic, undefined)
