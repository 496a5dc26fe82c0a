"""What an argument has to be, said in the same words everywhere."""

from __future__ import annotations

import numbers
from typing import Any

__all__ = ["at_least_one"]


def at_least_one(n: Any, name: str) -> int:
    """A count as an int. Raises ValueError for what is none."""
    if isinstance(n, bool) or not isinstance(n, numbers.Integral) or n < 1:
        raise ValueError(f"{name} is a whole number of at least 1, not {n!r}.")
    return int(n)
