"""Where ticks go on an axis, what is written at them, and from where to where an axis runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from viz._text import MINUS

__all__ = ["limits", "log_ticks", "tick_labels", "ticks", "usual"]

_LARGEST = 1e300


def ticks(lo: float, hi: float, about: int = 5, whole: bool = False) -> list[float]:
    """Round numbers from `lo` to `hi` in steps of 1, 2 or 5 times a power of ten, `about` as many as asked for.

    With `whole`, whole numbers only.

    >>> ticks(0, 1), ticks(-1.3, 7.9), ticks(1, 4, whole=True)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 2.0, 4.0, 6.0], [1.0, 2.0, 3.0, 4.0])
    """
    if not hi > lo:
        return [lo]
    rough = hi / about - lo / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((m * power for m in (1, 2, 5) if rough <= 1.2 * m * power), 10 * power)
    step = max(1.0, step) if whole else step
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(k * step, digits) if digits < 300 else k * step for k in range(first, last + 1)]


def log_ticks(lo: float, hi: float, about: int) -> list[float]:
    """Powers of ten from `lo` to `hi`; where there are hardly any, 2 and 5 times these as well."""
    below, above = math.ceil(math.log10(lo) - 1e-9), math.floor(math.log10(hi) + 1e-9)
    if above - below >= 2:
        return [10.0 ** int(k) for k in ticks(below, above, about, whole=True)]
    found = [m * 10.0**k for k in range(below - 1, above + 1) for m in (1, 2, 5)]
    found = [v for v in found if lo * (1 - 1e-9) <= v <= hi * (1 + 1e-9)]
    return found if len(found) > 1 else [v for v in ticks(lo, hi, about) if v > 0]


def tick_labels(values: Sequence[float], log: bool = False) -> list[str]:
    """Ticks as text, all with as many decimals as tell them apart.

    >>> tick_labels([0.0, 0.25, 0.5]), tick_labels([-2.0, 0.0]), tick_labels([0.001, 1.0, 1e6], log=True)
    (['0', '0.25', '0.50'], ['−2', '0'], ['0.001', '1', '1e6'])
    """
    if log:
        plain = [f"{v:g}" if 1e-3 <= v < 1e4 else _mantissa(v, 3) for v in values]
        return [text.replace("-", MINUS) for text in plain]
    largest = max(map(abs, values), default=0.0)
    step = min((b - a for a, b in pairwise(values)), default=largest)
    if not largest:
        return ["0"] * len(values)
    if 1e-4 <= largest < 1e5 and step >= 1e-5:
        decimals = next((d for d in range(6) if all(abs(v - round(v, d)) < step / 100 for v in values)), 6)
        plain = [f"{v:.{decimals}f}" if v else "0" for v in values]
    else:
        digits = min(17, 1 + max(0, math.ceil(math.log10(largest / step))) if step else 17)
        plain = [_mantissa(v, digits) if v else "0" for v in values]
    return [text.replace("-", MINUS) for text in plain]


def _mantissa(v: float, digits: int) -> str:
    head, _, exponent = f"{v:.{digits - 1}e}".partition("e")
    return f"{head.rstrip('0').rstrip('.') if '.' in head else head}e{int(exponent)}"


def usual(values: Iterable[float | None]) -> list[float]:
    """The numbers among `values`: no None, NaN or infinity."""
    return [v for v in values if v is not None and math.isfinite(v)]


def limits(values: Iterable[float | None], log: bool = False, pad: float = 0.06) -> tuple[float, float]:
    """From a little under the least to a little over the largest number; something sensible where all are one.

    >>> limits([1.0, None, 2.0], pad=0.1), limits([3.0, 3.0]), limits([])
    ((0.9, 2.1), (1.5, 4.5), (0.0, 1.0))
    """
    least = 1 / _LARGEST if log else -_LARGEST
    found = [max(least, min(v, _LARGEST)) for v in usual(values) if not log or v > 0]
    if not found:
        return (0.1, 1.0) if log else (0.0, 1.0)
    lo, hi = min(found), max(found)
    if log:
        room = max((math.log10(hi) - math.log10(lo)) * pad, 0.02 if hi > lo else 0.5)
        return 10 ** max(-307.0, math.log10(lo) - room), 10 ** min(307.0, math.log10(hi) + room)
    room = (hi * pad - lo * pad) or abs(lo) / 2 or 1.0
    if hi + room - (lo - room) <= 1e-9 * max(abs(lo), abs(hi)):  # nearly all one: rounding would show
        room = max(abs(lo), abs(hi)) * 1e-6
    return lo - room, hi + room
