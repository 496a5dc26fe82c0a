"""What a picture says of many numbers: histogram about zero, mean, spread, norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

__all__ = ["BINS", "Mark", "Summary", "percent", "summarise"]

Mark = Literal["", "closed", "dead", "saturated"]

BINS = 25  # odd, so that the middle one is about zero


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


def percent(share: float, digits: int = 0) -> str:
    """A share as people write it, with `digits` after the point; only what is none or all says so.

    >>> percent(0.625), percent(0.9999), percent(1.0), percent(0.925, 1)
    ('62 %', '99.9 %', '100 %', '92.5 %')
    """
    near = f"{share:.0%}"
    if 0.0 < share < 1.0 and (digits or near in ("0%", "100%")):
        near = f"{min(max(share, 0.001), 0.999):.{max(1, digits)}%}"
    return near.replace("%", " %")
