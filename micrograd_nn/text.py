"""Aligned text tables, and words for numbers that JSON has none for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = ["spelled", "table"]


def table(rows: Sequence[Sequence[str]], words: int) -> list[str]:
    """The rows as lines, the first `words` columns aligned left and the others, numbers, right.

    >>> table([("name", "n"), ("a", "10")], words=1)
    ['name   n', 'a     10']
    """
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (c.ljust(w) if i < words else c.rjust(w) for i, (c, w) in enumerate(zip(row, wide, strict=True)))
        lines.append("  ".join(cells).rstrip())
    return lines


def spelled(x: Any) -> Any:
    """`x`, or for a float that is not finite the word that Python's `float` and JavaScript's `Number` read back.

    >>> spelled(0.5), spelled(-math.inf), spelled("text")
    (0.5, '-Infinity', 'text')
    """
    if not isinstance(x, float) or math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
