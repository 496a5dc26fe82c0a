"""What an argument has to be, said in the same words everywhere."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import Any

__all__ = ["at_least_one", "one_of", "real", "whole"]


def at_least_one(n: Any, name: str) -> int:
    """A count as an int. Raises ValueError for what is none."""
    return whole(n, name, 1)


def whole(n: Any, name: str, least: int) -> int:
    """A count of `least` or more as an int. Raises ValueError for what is none."""
    if isinstance(n, bool) or not isinstance(n, numbers.Integral) or n < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {n!r:.60}.")
    return int(n)


def one_of(given: Any, known: Iterable[str], name: str) -> str:
    """A word that is known. Raises ValueError with those there are."""
    known = list(known)
    if not isinstance(given, str) or given not in known:
        raise ValueError(f"{name} is one of {', '.join(map(repr, known))}, not {given!r:.60}.")
    return given


def real(x: Any, name: str, least: float = -math.inf) -> float:
    """A finite number of `least` or more as a float. Raises ValueError for what is none."""
    if isinstance(x, bool) or not isinstance(x, numbers.Real) or not math.isfinite(x) or x < least:
        more = "" if least == -math.inf else f" of at least {least:g}"
        raise ValueError(f"{name} is a finite number{more}, not {x!r:.60}.")
    return float(x)
