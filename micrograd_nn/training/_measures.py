"""What is measured of a model's scores beside the loss: accuracy, and metrics by name or of your own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.graph import Node
from micrograd_nn.training._history import MEASURES

__all__ = ["METRICS", "Measure", "accuracy", "measures_of"]

Measure = Callable[[Any, Any], float]


def accuracy(scores: Any, y: Any) -> float:
    """The share of examples (N, C) whose largest score is their label's; of one score each, whose sign is.

    Labels may be probabilities (N, C): the largest counts.
    """
    scores, y = np.asarray(plain(scores)), np.asarray(plain(y))
    if scores.ndim == 1 or scores.shape[1] == 1:
        right = (scores.reshape(-1) > 0) == (_like(scores, y).reshape(-1) > 0)
    else:
        right = scores.argmax(1) == (y.argmax(1) if y.shape == scores.shape else _like(scores[:, 0], y))
    return float(np.count_nonzero(right) / right.size)


def yes_or_no(scores: Any, y: Any) -> float:
    """The share of right answers where each score stands for the probability of a yes, and y is 1 or 0."""
    right = (scores > 0) == (y.reshape(scores.shape) > 0.5)
    return float(np.count_nonzero(right) / right.size)


def absolute(scores: Any, y: Any) -> float:
    return float(np.abs(scores - _like(scores, y)).mean())


def squared(scores: Any, y: Any) -> float:
    return float(np.square(scores - _like(scores, y)).mean())


def explained(y: Any) -> Measure:
    """The share of the variance of *all* of y that the scores explain; its mean over batches is that of the whole."""
    spread = np.var(y, axis=0)
    if not np.all(spread):
        raise ValueError("r2 is the share of y's variance that is explained, and y has none: leave it out.")
    return lambda scores, yb: float(1 - (np.square(scores - _like(scores, yb)) / spread.reshape(-1)).mean())


# By name, what makes the measure for given labels: the mean absolute error, the mean squared error, the coefficient of
# determination (over several outputs: its mean), the share of right answers.
METRICS: dict[str, Callable[[Any], Measure]] = {
    "mae": lambda y: absolute, "mse": lambda y: squared, "r2": explained, "accuracy": lambda y: accuracy,
}  # fmt: skip


def measures_of(metrics: Any, compute: Any, y: Any) -> dict[str, Measure]:
    """What to measure on labels `y`, by name; accuracy too, unasked, where the loss or `y` says classes."""
    found: dict[str, Measure] = {}
    if compute is F.binary_cross_entropy_with_logits:
        found["accuracy"] = yes_or_no
    elif has_classes(compute, y):
        found["accuracy"] = accuracy
    if not isinstance(metrics, Mapping):
        given = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics)
        names = [m if isinstance(m, str) else getattr(m, "__name__", type(m).__name__) for m in given]
        if twice := [name for i, name in enumerate(names) if name in names[:i]]:
            raise ValueError(f"two metrics are called {twice[0]!r}: name them, metrics={{'name': function, ...}}.")
        metrics = dict(zip(names, given, strict=True))
    for name, metric in metrics.items():
        if isinstance(metric, str):
            if metric not in METRICS:
                raise ValueError(
                    f"metrics has {', '.join(map(repr, METRICS))} by name, and not {metric!r}: give a function, "
                    "metrics={'name': function of (scores, y)}."
                )
            if name == "accuracy":
                found.setdefault(name, accuracy)
            else:
                found[name] = METRICS[metric](y)
        elif not callable(metric):
            raise TypeError(f"the metric {name!r} is a name or a function of (scores, y), not {metric!r:.40}.")
        elif name in MEASURES or name == "metrics" or name.startswith("val_"):
            raise ValueError(f"a metric cannot be called {name!r}: the history has a measure of that name.")
        else:
            found[name] = lambda scores, y, metric=metric: float(metric(scores, y))  # type: ignore[misc]
    return found


def has_classes(compute: Any, y: Any) -> bool:
    """Whether y says classes, so that there are right and wrong answers to count."""
    if compute in (F.cross_entropy, F.nll_loss, F.hinge_loss, F.multi_margin_loss):
        return True
    return compute not in (F.mse_loss, F.l1_loss) and y.ndim == 1 and y.dtype.kind in "iub"


def plain(x: Any) -> Any:
    """The plain numbers of a node."""
    return x.data if isinstance(x, Node) else x


def _like(scores: Any, y: Any) -> Any:
    """y in the shape of the scores: (N,) against (N, 1) would quietly make N x N differences."""
    if y.shape == scores.shape:
        return y
    if y.size != scores.size or len(y) != len(scores):
        raise ValueError(f"one score a label is needed, and the shapes are {scores.shape} and {y.shape}.")
    return y.reshape(scores.shape)
