"""Why a loss or a gradient is not a finite number: the first operation that gave such a number, and where."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.training._callbacks import Run
from micrograd_nn.graph import AnomalyError
from micrograd_nn.modes import detect_anomaly

__all__ = ["flaw", "sum_of_squares"]


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
    return f"{what} in epoch {run.epoch}: {_cause(run, forward)}"


def _cause(run: Run, forward: Callable[[], Any]) -> str:
    for name, leaf in run.model._named_leaves():
        values = np.asarray(leaf.data)
        if not np.isfinite(values).all():
            place = [int(i) for i in np.argwhere(~np.isfinite(values))[0]]
            held = f"{name} holds {values[tuple(place)]}" + (f" at {place}" if place else "")
            if not run.step:
                return f"{held} before the first step: start from weights that are finite numbers"
            return f"{held} since the step before: try a lower learning rate"
    try:
        with detect_anomaly():
            forward()
            run.optimizer.zero_grad()
            run.loss.backward()
    except AnomalyError as error:
        words = str(error).rstrip(".")
        if "backward pass" in words:
            return f"{words}: keep its input away from where its slope has no end, or try a lower learning rate"
        return f"{words}: try a lower learning rate"
    return "try a lower learning rate"
