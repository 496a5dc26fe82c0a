"""Aligned text tables."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]


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
