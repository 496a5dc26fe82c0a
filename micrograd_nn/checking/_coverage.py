"""Which coordinates are looked at one by one when there are more than the budget allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["chosen"]

Array = np.ndarray[Any, Any]


def chosen(analytic: Sequence[Array], budget: int, rng: np.random.Generator) -> list[Array]:
    """For every input the flat places to look at, in order: all of them, or a sample that is spread over each input.

    Every input gets a part of the budget by its size, and small ones enough to be seen whole or nearly so. Within an
    input the places are one at random out of each of as many stretches of equal length: every row and every channel
    of a large array has its turn. Entries that are no numbers come first.
    """
    sizes = [a.size for a in analytic]
    if sum(sizes) <= budget:
        return [np.arange(n) for n in sizes]
    shares = _shares(sizes, budget)
    places = []
    for a, n, share in zip(analytic, sizes, shares, strict=True):
        if share >= n:
            places.append(np.arange(n))
            continue
        ends = np.linspace(0, n, share + 1).astype(int)
        sample = ends[:-1] + (rng.random(share) * np.diff(ends)).astype(int)
        odd = np.flatnonzero(~np.isfinite(a.ravel()))[: max(1, share // 4)] if share else np.arange(0)
        places.append(np.unique(np.concatenate([sample[len(odd) :], odd])))
    return places


def _shares(sizes: Sequence[int], budget: int) -> list[int]:
    """A budget shared out: all of a small input, and of the larger ones equal parts of what they have left."""
    shares = [0] * len(sizes)
    floor = max(1, budget // (4 * max(1, len(sizes))))
    for i, n in enumerate(sizes):
        shares[i] = min(n, floor)
    left, rest = budget - sum(shares), sum(n - s for n, s in zip(sizes, shares, strict=True))
    return [s + int(left * (n - s) / rest) if rest and left > 0 else s for n, s in zip(sizes, shares, strict=True)]
