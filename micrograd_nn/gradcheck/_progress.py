"""A bar for a check that takes longer than two seconds."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

__all__ = ["Meter"]

PATIENCE = 2.0  # seconds without a bar


class Meter:
    """Counts steps; from two seconds on it shows them as a bar, on a terminal, or anywhere when `wanted`."""

    def __init__(self, total: int, wanted: bool | None) -> None:
        self.total, self.done, self.start = total, 0, monotonic()
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self.bar: Any = None

    def __enter__(self) -> Meter:
        return self

    def step(self) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update(self.task, completed=self.done)
        elif self.wanted and self.done < self.total and monotonic() - self.start > PATIENCE:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("gradcheck"), MofNCompleteColumn(), BarColumn(20), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("", total=self.total, completed=self.done)

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.stop()
