"""How far a check is that takes longer than two seconds: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

__all__ = ["Meter"]

PATIENCE = 2.0  # seconds without a word, and between two lines


class Meter:
    """Counts steps up to `total`. With `wanted` None it shows them on a terminal only, with True anywhere."""

    def __init__(self, total: int, wanted: bool | None) -> None:
        self.total, self.done, self.spoke = total, 0, monotonic()
        self.terminal = sys.stderr.isatty()
        self.wanted = self.terminal if wanted is None else wanted
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Meter:
        return self

    def step(self) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update(self.task, completed=self.done)
        elif self.wanted and self.done < self.total and monotonic() - self.spoke > PATIENCE:
            self._show()

    def _show(self) -> None:
        if not self.terminal:
            print(f"gradcheck {self.done:,}/{self.total:,}", file=sys.stderr, flush=True)
            self.spoke = monotonic()
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("gradcheck"), MofNCompleteColumn(), BarColumn(20), TimeRemainingColumn())
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.task = self.bar.add_task("", total=self.total, completed=self.done)

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.stop()
