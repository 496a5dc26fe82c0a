"""`fit`: train a model on arrays, show how it goes, and keep what happened."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.data import batches, paired
from micrograd_nn.graph import Node
from micrograd_nn.modes import no_grad
from micrograd_nn.nn import Module
from micrograd_nn.optim import SGD, Adam, Optimizer

__all__ = ["Epoch", "History", "accuracy", "fit"]

LOSSES: dict[str, Callable[..., Any]] = {
    "cross_entropy": F.cross_entropy, "mse_loss": F.mse_loss, "hinge_loss": F.hinge_loss,
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"adam": Adam, "sgd": SGD}


@dataclass(frozen=True)
class Epoch:
    """What one pass over the data gave. Loss and accuracy are means over the pass, while the weights moved; those of
    the validation data are taken at its end. None where there is nothing to measure."""

    epoch: int
    loss: float
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


@dataclass
class History:
    """Every epoch of a run, and how it ended: "finished", "interrupted", or what went wrong."""

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "finished"

    def __len__(self) -> int:
        return len(self.epochs)

    def __getitem__(self, measure: str) -> list[Any]:
        """One measure over the epochs: history["loss"]."""
        return [getattr(e, measure) for e in self.epochs]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, ready for JSON."""
        return {"ended": self.ended, "epochs": [{k: _known(v) for k, v in asdict(e).items()} for e in self.epochs]}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)


def _known(v: Any) -> Any:
    """`v`, or None for a number that JSON cannot write."""
    return None if isinstance(v, float) and not math.isfinite(v) else v


def accuracy(scores: Any, y: Any) -> float:
    """The share of examples (N, C) whose largest score is their label's; of one score each, whose sign is."""
    scores, y = np.asarray(scores.data if isinstance(scores, Node) else scores), np.asarray(y)
    if scores.ndim == 1 or scores.shape[1] == 1:
        return float(((scores.reshape(-1) > 0) == (y.reshape(-1) > 0)).mean())
    return float((scores.argmax(1) == y).mean())


def fit(
    model: Module, X: Any, y: Any, *, loss: str | Callable[[Any, Any], Any] = "cross_entropy",
    optimizer: str | Optimizer = "adam", lr: float = 1e-3, epochs: int = 10, batch_size: int = 32,
    validation_data: tuple[Any, Any] | None = None, rng: np.random.Generator | int | None = None,
    progress: bool | None = None,
) -> History:  # fmt: skip
    """Train `model` on X (N, features) and y by mini-batches, in an order drawn from `rng`.

    `loss` and `optimizer` are names or things of your own (an optimiser brings its own `lr`). `progress` shows a bar on
    a terminal and plain lines elsewhere; False is silent. Ctrl-C ends the run with what was learned so far, and so does
    a loss that is no longer a finite number; `History.ended` says which.

    >>> from micrograd_nn import data, nn
    >>> X, y = data.make_moons(100, rng=0)
    >>> history = fit(nn.MLP(2, [16, 2], rng=0), X, y, lr=0.02, epochs=60, rng=0, progress=False)
    >>> history["accuracy"][-1] > 0.9
    True
    """
    X, y = _checked(X, y, "X and y")
    if validation_data is not None and not (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2):
        raise TypeError("validation_data is a pair (X, y).")
    held = None if validation_data is None else _checked(*validation_data, "validation_data")
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"epochs is a whole number of at least 1, not {epochs!r}.")
    compute = named(loss, LOSSES, "loss")
    opt = (
        optimizer
        if isinstance(optimizer, Optimizer)
        else named(optimizer, OPTIMIZERS, "optimizer")(model.parameters(), lr=lr)
    )
    classes = _has_classes(compute, y)
    rng = np.random.default_rng(rng)
    history = History()
    model.train()
    with _display(progress, epochs) as show:
        try:
            for epoch in range(1, epochs + 1):
                begun = time.perf_counter()
                total = right = 0.0
                for Xb, yb in batches(X, y, batch_size, rng):
                    scores = model(Xb)
                    value = compute(scores, yb)
                    opt.zero_grad()
                    value.backward()
                    if not math.isfinite(value.item()):
                        history.ended = f"the loss became {value.item()} in epoch {epoch}: try a lower learning rate"
                        return history
                    opt.step()
                    total += value.item() * len(yb)
                    right += accuracy(scores, yb) * len(yb) if classes else math.nan
                test_loss, test_share = evaluate(model, compute, *held) if held else (None, None)
                share = None if math.isnan(right) else right / len(y)
                seconds = time.perf_counter() - begun
                history.epochs.append(Epoch(epoch, total / len(y), share, test_loss, test_share, seconds))
                show(history.epochs[-1])
        except KeyboardInterrupt:
            history.ended = "interrupted"
        finally:
            model.eval()
    return history


def evaluate(model: Module, loss: Any, X: Any, y: Any, batch_size: int = 1024) -> tuple[float, float | None]:
    """Mean loss and accuracy of `model`, in evaluation mode, without recording a graph."""
    compute = named(loss, LOSSES, "loss")
    classes = _has_classes(compute, y)
    total = right = 0.0
    was_training = model.training
    model.eval()
    with no_grad():
        for Xb, yb in batches(X, y, batch_size):
            scores = model(Xb)
            total += compute(scores, yb).item() * len(yb)
            right += accuracy(scores, yb) * len(yb) if classes else math.nan
    model.train(was_training)
    return total / len(y), None if math.isnan(right) else right / len(y)


def _has_classes(loss: Any, y: Any) -> bool:
    """Whether y says classes, so that there are right and wrong answers to count."""
    return loss in (F.cross_entropy, F.hinge_loss) or (loss is not F.mse_loss and y.ndim == 1 and y.dtype.kind in "iub")


def named(given: Any, known: dict[str, Any], what: str) -> Any:
    if not isinstance(given, str):
        return given
    if given not in known:
        raise ValueError(f"{what} is {', '.join(map(repr, known))} or a function of your own, not {given!r}.")
    return known[given]


def _checked(X: Any, y: Any, who: str) -> tuple[Any, Any]:
    X, y = paired(X, y)
    if not len(X):
        raise ValueError(f"{who} hold no examples.")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"{who}: X holds {X.dtype}, and a network takes numbers.")
    bad = np.argwhere(~np.isfinite(X))
    if len(bad):
        raise ValueError(f"{who}: X has {X[tuple(bad[0])]} at {bad[0].tolist()}; a network cannot learn from that.")
    return (X if X.dtype.kind == "f" else X.astype(float)), y


@contextmanager
def _display(progress: bool | None, epochs: int) -> Iterator[Callable[[Epoch], None]]:
    """How an epoch is shown: a bar on a terminal, lines elsewhere, or not at all."""
    if progress is False:
        yield lambda epoch: None
    elif not sys.stderr.isatty():
        every = max(1, epochs // 10)

        def line(e: Epoch) -> None:
            if e.epoch % every == 0 or e.epoch in (1, epochs):
                print(f"epoch {e.epoch:>{len(str(epochs))}}/{epochs}  {_facts(e)}", file=sys.stderr, flush=True)

        yield line
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        facts = TextColumn("{task.description}")
        columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(12), facts, TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=epochs)
            yield lambda e: bar.update(task, completed=e.epoch, description=_facts(e, short=True))


def _facts(e: Epoch, short: bool = False) -> str:
    """An epoch in words, or short enough to stand beside a bar in 80 columns."""
    parts = []
    for name, loss, share in (("", e.loss, e.accuracy), ("test ", e.val_loss, e.val_accuracy)):
        if loss is not None:
            parts.append(f"{name}{'' if short and name else 'loss '}{loss:.4f}")
            if share is not None:
                parts.append(f"({share:.1%})" if short else f"{name}accuracy {share:.1%}")
    return (" " if short else "  ").join(parts)
