"""Why a loss or a gradient is not a finite number: the first operation that gave such a number, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.data import batches
from micrograd_nn.graph import AnomalyError
from micrograd_nn.modes import detect_anomaly
from micrograd_nn.training._callbacks import Run
from micrograd_nn.training._history import Epoch

__all__ = ["flaw", "flaw_after", "sum_of_squares"]


def sum_of_squares(params: Sequence[Any]) -> float:
    """The sum of all squared gradients. It is not finite where one of them is not, and takes one pass to know that."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for p in params:
            g = p.grad
            if g.__class__ is np.ndarray:
                if g.ndim != 1:
                    g = g.ravel("K")  # a view, in the order it lies in memory
                total += float(g.dot(g))
            elif g is not None:
                total += g * g
        if not math.isfinite(total):  # squares of float32 overflow early
            total = sum(float(np.square(p.grad, dtype=float).sum()) for p in params if p.grad is not None)
    return total


def flaw(run: Run, forward: Callable[[], Any]) -> str | None:
    """What went wrong in the batch at hand, of which the loss or the sum of squared gradients is not finite.

    `forward` computes `run.loss` again, from the same random numbers. None if it was only the sum that overflowed.
    """
    loss = run.loss.item()
    finite = math.isfinite(loss)
    if finite and all(p.grad is None or np.isfinite(p.grad).all() for p in run.optimizer.params):
        return None
    what = f"with a loss of {loss:.4g} a gradient was not finite" if finite else f"the loss became {loss}"

    def both_ways() -> None:
        forward()
        run.optimizer.zero_grad()
        run.loss.backward()

    return f"{what} in epoch {run.epoch}: {_bad_weight(run) or _cause(both_ways)}"


def flaw_after(run: Run, epoch: Epoch) -> str | None:
    """What went wrong in an epoch that is over: the validation loss or a weight is no finite number."""
    bad = _bad_weight(run)
    if epoch.val_loss is None or math.isfinite(epoch.val_loss):
        return bad and f"the last step of epoch {run.epoch} went too far: {bad}"

    def forward() -> None:
        assert run.validation_data is not None
        run.model.eval()
        for Xb, yb in batches(*run.validation_data, 1024):
            run.compute(run.model(Xb), yb)

    return f"the validation loss became {epoch.val_loss} in epoch {run.epoch}: {bad or _cause(forward)}"


def _bad_weight(run: Run) -> str | None:
    for name, p in run.model.named_parameters():  # what is frozen may hold an infinity on purpose
        values = np.asarray(p.data)
        if not np.isfinite(values).all():
            place = [int(i) for i in np.argwhere(~np.isfinite(values))[0]]
            held = f"{name} holds {values[tuple(place)]}" + (f" at {place}" if place else "")
            if not run.step:
                return f"{held} before the first step: start from weights that are finite numbers"
            return f"{held} since the last step: try a lower learning rate"
    return None


def _cause(compute: Callable[[], Any]) -> str:
    try:
        with detect_anomaly():
            compute()
    except AnomalyError as error:
        words = str(error).rstrip(".")
        if "backward pass" in words:
            return f"{words}: keep its input away from where its slope has no end, or try a lower learning rate"
        return f"{words}: try a lower learning rate"
    return "try a lower learning rate"
