"""`HealthMonitor`: a callback that examines the units, the gradients and the steps at the end of each epoch."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd_nn.checks import at_least_one
from micrograd_nn.graph import Node
from micrograd_nn.health._activity import as_shown, found, shows_all
from micrograd_nn.health._measure import CANCELS, moments, unit_health
from micrograd_nn.health._report import GradientFlow
from micrograd_nn.modes import frame
from micrograd_nn.nn._module import observer
from micrograd_nn.training import Callback

__all__ = ["HealthMonitor"]


class HealthMonitor(Callback):
    """At the end of every `every`-th epoch, and of the last, adds a HealthReport to `run.history.health`.

    The units are examined on `examples` of the training examples, the same ones in every epoch, taken at even distances
    (default: a 24th of them, within 64 and 1,024), or of the examples X given (default: all of those). Gradients are
    those of the last batch, as training computed them; updates compare the weights before and after its step, so that
    they are what the optimiser really did (a run that is stopped in between has a last report without either). On the
    digits that costs under 5 % of the training time; where an epoch takes but a few milliseconds it is more, and
    `every` makes it less.

    >>> from micrograd_nn import data, fit, nn
    >>> X, y = data.make_moons(100, rng=0)
    >>> history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=2, callbacks=[HealthMonitor()], rng=0, progress=False)
    >>> [(report.epoch, report.examples) for report in history.health]
    [(1, 64), (2, 64)]
    """

    def __init__(self, examples: int | None = None, every: int = 1, X: Any = None) -> None:
        self.examples = None if examples is None else at_least_one(examples, "examples")
        self.every, self.X = at_least_one(every, "every"), X
        self._forget()

    def _forget(self) -> None:
        self._sample: Any = None
        self._shown: list[Any] = []
        self._before: list[tuple[str, Any, Any]] = []
        self._room: dict[str, Any] = {}
        self._flows: list[tuple[str | None, GradientFlow]] = []
        self._updates: dict[str, float | None] = {}
        self._done, self._awake = 0, True  # examples of this epoch; whether the next batch is its last

    def _due(self, run: Any) -> bool:
        return bool(run.epoch % self.every == 0 or run.epoch == run.epochs or run.stopped is not None)

    # --- seeing what training computes anyway -----------------------------------------------------------------------

    def on_train_begin(self, run: Any) -> None:
        self._forget()
        self._sees_all = shows_all(run.model.modules())
        self._sample = self._examples_of(run)
        outer, shown = observer.get(), self._shown

        def watch(module: Any, function: Any, z: Any, a: Any) -> None:
            if outer is not None:
                outer(module, function, z, a)
            if self._awake and run.loss is None and run.batch[0] is not None:  # not what callbacks compute in between
                shown.append((module, function, z, a, frame.get().module))

        observer.set(watch)  # until the end of the run: fit sees to that

    def on_train_end(self, run: Any) -> None:
        self._forget()

    def on_backward_end(self, run: Any) -> None:
        if run.last_batch and self._due(run):
            roots = None if self._sees_all else [run.loss]
            shown = [act for seen in self._shown if (act := as_shown(*seen))]
            activations = found(shown, roots, None, len(run.batch[0]))
            self._before = [(name, p, self._room_for(name, p)) for name, p in run.model.named_parameters()]
            with np.errstate(all="ignore"):
                rows = len(run.batch[0])
                self._flows = [(a.label, _flow(a.name, "activation", a.node, rows=rows)) for a in activations]
                self._flows += [(None, _flow(name, "parameter", p, room)) for name, p, room in self._before]
            for _, p, room in self._before:
                np.copyto(room, np.ravel(p.data))
        self._shown.clear()

    def on_batch_end(self, run: Any) -> None:
        if self._before:
            with np.errstate(all="ignore"):
                self._updates = {name: _update_ratio(before, p.data) for name, p, before in self._before}
            self._before = []
        size = len(run.batch[0])
        self._done = 0 if run.last_batch else self._done + size
        self._awake = len(run.X) - self._done <= size

    def _room_for(self, name: str, p: Any) -> Any:
        """Memory for a copy of a parameter, the same every time: fresh pages would cost more than the copying."""
        if name not in self._room or self._room[name].size != np.size(p.data):
            self._room[name] = np.empty(np.size(p.data))
        return self._room[name]

    def on_epoch_end(self, run: Any) -> None:
        if self._due(run):
            report = unit_health(run.model, self._sample)
            seen = {(h.name, h.activation) for h in report.layers}  # an activation of the weights is no layer's
            flows = [flow for label, flow in self._flows if label is None or (flow.name, label) in seen]
            run.history.health.append(replace(report, gradients=flows, updates=self._updates, epoch=run.epoch))
            self._flows, self._updates = [], {}
        self._shown.clear()

    def _examples_of(self, run: Any) -> Any:
        X = run.X if self.X is None else self.X
        X = X.data if isinstance(X, Node) else X if hasattr(X, "shape") else np.asarray(X)
        count = len(X)
        if self.examples is not None:
            count = min(count, self.examples)
        elif self.X is None:
            count = min(count, max(64, min(1024, count // 24)))
        return X if count == len(X) else X[np.linspace(0, len(X) - 1, count).astype(int)]


def _update_ratio(before: Any, after: Any) -> float | None:
    """log10(std(after - before) / std(before)), overwriting `before`; None where the numbers before are all equal.

    >>> round(_update_ratio(np.array([1.0, 2.0, 3.0]), np.array([1.001, 2.002, 3.003])), 9)
    -3.0
    """
    size, step = _spread(before), _spread(np.subtract(np.ravel(after), before, out=before))
    if size == 0:
        return None
    return math.log10(step / size) if step > 0 else -math.inf if step == 0 else math.nan


def _spread(x: Any) -> float:
    """The standard deviation of the numbers in a row."""
    n, total = max(1, len(x)), float(x @ x)
    mean = float(x.sum()) / n
    squares = total - n * mean * mean
    if squares < CANCELS * total:
        if (x == x[0]).all():
            return 0.0  # rounding would leave something
        squares = float(np.square(x - mean).sum())
    return math.sqrt(squares / n)


def _flow(name: str, kind: str, node: Node, room: Any = None, rows: int = 1) -> GradientFlow:
    """The gradient that training left in a node; in the mean loss each of `rows` examples counts for one in as many."""
    g = node.grad
    mean, std, norm, size, zeros = moments(np.zeros(np.shape(node.data)) if g is None else g, room)
    return GradientFlow(name, kind, mean * rows, std * rows, norm * math.sqrt(rows), size * rows, zeros)
