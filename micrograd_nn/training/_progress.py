"""How a run is shown while it goes: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from micrograd_nn.training._history import Epoch

__all__ = ["display"]


@contextmanager
def display(progress: bool | None, epochs: int, scheduled: bool, done: int = 0) -> Iterator[Callable[[Epoch], None]]:
    """A function to show an epoch with, after `done` earlier ones; the learning rate is shown where it is `scheduled`.

    With `progress` False nothing is shown.
    """
    if progress is False:
        yield lambda epoch: None
    elif not sys.stderr.isatty():
        every = max(1, epochs // 10)

        def line(e: Epoch) -> None:
            if e.epoch % every == 0 or e.epoch in (1, epochs):
                text = "  ".join(facts(e, scheduled))
                print(f"epoch {e.epoch:>{len(str(epochs))}}/{epochs}  {text}", file=sys.stderr, flush=True)

        yield line
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        narrow, bar_width = console.width < 64, 7 if scheduled and console.width < 90 else 12
        columns = [TextColumn("epoch"), MofNCompleteColumn(), BarColumn(bar_width), TextColumn("{task.description}")]
        room = console.width - (len("epoch 1/1  ") + 2 * len(str(epochs)) - 2 + bar_width) - (0 if narrow else 8)
        with Progress(*columns, *([] if narrow else [TimeRemainingColumn()]), console=console) as bar:
            task = bar.add_task("", total=epochs, completed=done)
            yield lambda e: bar.update(task, completed=e.epoch, description=fitting(facts(e, scheduled, True), room))


def facts(e: Epoch, scheduled: bool, short: bool = False) -> list[str]:
    """An epoch in words, the most important first, or short enough to stand beside a bar."""
    parts = []
    for name, loss, share in (("", e.loss, e.accuracy), ("test ", e.val_loss, e.val_accuracy)):
        if loss is not None:
            parts.append(f"{name}{'' if short and name else 'loss '}{loss:.4f}")
            if share is not None:
                parts.append(f"({share:.1%})" if short else f"{name}accuracy {share:.1%}")
    if scheduled and e.lr is not None:
        parts.append(f"lr {e.lr:.2g}" if short else f"lr {e.lr:.4g}")
    return [*parts, *(f"{name.replace('val_', 'test ')} {value:.4g}" for name, value in e.metrics.items())]


def fitting(parts: list[str], room: int) -> str:
    """As many of the parts as fit, in one line; the first is always there."""
    text = parts[0]
    for part in parts[1:]:
        if len(text) + 1 + len(part) > room:
            break
        text += f" {part}"
    return text
