"""A second opinion on entries that look bad: other steps, rounding measured anew, a step in the imaginary direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from micrograd_nn.checking._judge import Tolerance, judge
from micrograd_nn.checking._probe import Probe
from micrograd_nn.checking._report import Row

__all__ = ["second_opinion"]

SURE_OF_IT = 20  # wrong entries confirmed one after another, after which the others of an input are believed;
PLAIN = 3  # where they are off by far more than the error bar


def second_opinion(
    probe: Probe, place: int, rows: Sequence[Row], scale: float, allowed: Tolerance, order: int
) -> list[Row]:
    """The same rows, those of input number `place`, with what a second look says of the bad ones.

    An entry is wrong when both opinions say so. Where many are, the first of them stand for the rest.
    """
    out, confirmed = list(rows), 0
    for k in sorted(range(len(rows)), key=lambda k: -rows[k].off):
        row = rows[k]
        plain = row.off > 1e-3 and abs(row.analytic - row.numeric) > 1e4 * row.error_bar
        if row.verdict in ("wrong", "not checked") and confirmed < (PLAIN if plain else SURE_OF_IT):
            out[k] = _again(probe, place, row, scale, allowed, order)
            confirmed += out[k].verdict == "wrong"
    return out


def _again(probe: Probe, place: int, row: Row, scale: float, allowed: Tolerance, order: int) -> Row:
    index, natural = row.index, float(probe.natural(place)[row.index])
    again = probe.coordinate(place, index, again=True)
    if again.side:
        return row
    if bool(again.kinked[0]) or not np.isfinite(row.analytic):
        return judge(row.input, index, row.analytic, again, scale, natural, allowed, order)
    value, bar = float(again.value[0]), float(again.error[0])
    apart, both = abs(value - row.numeric), bar + row.error_bar
    if row.error_bar <= bar:
        value, bar = row.numeric, row.error_bar
    if apart > both:  # the two do not agree: neither bar was wide enough
        bar = apart + both
    best = replace(again, value=np.array([value]), error=np.array([bar]))
    found = judge(row.input, index, row.analytic, best, scale, natural, allowed, order)
    exact = probe.complex_slope(place, index) if found.verdict in ("wrong", "not checked") else None
    if exact is None or abs(exact[0] - value) > bar:
        return found
    probe.agreed += 1
    best = replace(best, value=np.array(exact[:1]), error=np.array(exact[1:]))
    return judge(row.input, index, row.analytic, best, scale, natural, allowed, order)
