"""What a picture says of many numbers: histogram about zero, mean, spread, norm, an activation's health."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = [
    "BINS",
    "SATURATED_BELOW",
    "SATURATED_SHARE",
    "Mark",
    "Summary",
    "activation_note",
    "is_saturated",
    "summarise",
]

Mark = Literal["", "closed", "dead", "saturated"]

BINS = 25  # odd, so that the middle one is about zero
SATURATED_BELOW = 0.06  # f'(z) / max f', for every squashing function
SATURATED_SHARE = 0.95  # a unit is called saturated from this share of the examples on


@dataclass(frozen=True, slots=True)
class Summary:
    """Many numbers in brief. `limit` is the largest magnitude; `bins` count from -limit to limit."""

    count: int
    mean: float
    std: float
    norm: float
    limit: float
    bins: tuple[int, ...]
    flawed: int  # NaN or infinite, left out of all the rest


def summarise(arrays: Sequence[Any]) -> Summary:
    """The numbers of all `arrays` together, in two passes and without joining them."""
    count = flawed = 0
    total = limit = 0.0
    kept = []
    for array in arrays:
        flat = np.asarray(array, dtype=np.float64).ravel()
        finite = np.isfinite(flat)
        if not finite.all():
            flawed += int(flat.size - np.count_nonzero(finite))
            flat = flat[finite]
        if flat.size:
            kept.append(flat)
            count += flat.size
            total += float(flat.sum())
            limit = max(limit, float(np.abs(flat).max()))
    if not count:
        return Summary(0, math.nan, math.nan, math.nan, 0.0, (0,) * BINS, flawed)
    mean = total / count
    scale = limit or 1.0  # squares of huge numbers would overflow
    squares = deviations = 0.0
    bins = np.zeros(BINS, dtype=np.int64)
    for flat in kept:
        part = flat / scale
        squares += float(part @ part)
        deviations += float(np.square(part - mean / scale).sum())
        bins += np.bincount(np.rint((part + 1) / 2 * (BINS - 1)).astype(np.intp), minlength=BINS)
    return Summary(
        count,
        mean,
        scale * math.sqrt(deviations / count),
        scale * math.sqrt(squares),
        limit,
        tuple(int(n) for n in bins),
        flawed,
    )


def _flatness(op: str, out: Any) -> Any:
    """f'(z) / max f' of a squashing function, out of its value."""
    return 1 - out * out if op == "tanh" else 4 * out * (1 - out)


def is_saturated(op: str, out: float) -> bool:
    """Whether one unit's value `out` lies on a flat end of its activation `op`."""
    return op in {"tanh", "sigmoid"} and _flatness(op, out) < SATURATED_BELOW


def activation_note(op: str, out: Any) -> tuple[str, Mark]:
    """A line on the health of an activation's value, and its mark: "", "dead" or "saturated".

    `out` has an entry a unit, or a row an example and a column a unit. A unit is dead where its largest value
    over the examples is <= 0 (ReLU), saturated where f'(z) / max f' < 0.06 in 95 % of the examples (tanh,
    sigmoid).

    >>> activation_note("relu", np.array([[0.0, 2.0], [0.0, 0.0]]))
    ('75 % off, 1 of 2 units dead', '')
    """
    if op not in {"relu", "tanh", "sigmoid"} or not np.size(out):
        return "", ""
    table = np.asarray(out).reshape(-1, np.shape(out)[-1] if np.ndim(out) else 1)
    units = table.shape[1]
    if op == "relu":
        dead = int(np.count_nonzero(table.max(axis=0) <= 0))
        return f"{np.mean(table <= 0):.0%} off, {dead} of {units} units dead".replace(
            "%", " %"
        ), "dead" if dead == units else ""
    flat = _flatness(op, table) < SATURATED_BELOW
    stuck = int(np.count_nonzero(flat.mean(axis=0) >= SATURATED_SHARE))
    note = f"{np.mean(flat):.0%} saturated ({stuck} of {units} units)".replace("%", " %")
    return note, "saturated" if stuck == units else ""
