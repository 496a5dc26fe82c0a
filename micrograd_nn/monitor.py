"""`HealthMonitor`: a callback that examines the units, the gradients and the steps at the end of each epoch."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any
from weakref import ref

import numpy as np

from micrograd_nn.activity import found, shows_all
from micrograd_nn.callbacks import Callback
from micrograd_nn.graph import Node
from micrograd_nn.health import GradientFlow, moments, unit_health
from micrograd_nn.modes import frame
from micrograd_nn.nn._module import observer

__all__ = ["HealthMonitor"]


class HealthMonitor(Callback):
    """At the end of every `every`-th epoch, and of the last, adds a HealthReport to `run.history.health`.

    The units are examined on `examples` of the training examples, the same ones in every epoch, taken at even distances
    (default: a 16th of them, within 64 and 1,024, which keeps the cost under 5 % of the training time), or of the
    examples X given (default: all). Gradients are those of the last batch, as training computed them; updates compare
    the weights before and after its step, so that they are what the optimiser really did.

    >>> from micrograd_nn import data, fit, nn
    >>> X, y = data.make_moons(100, rng=0)
    >>> history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=2, callbacks=[HealthMonitor()], rng=0, progress=False)
    >>> [(report.epoch, report.examples) for report in history.health]
    [(1, 64), (2, 64)]
    """

    def __init__(self, examples: int | None = None, every: int = 1, X: Any = None) -> None:
        for name, count in (("examples", examples), ("every", every)):
            if count is None and name == "examples":
                continue
            if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
                raise ValueError(f"{name} is a whole number of at least 1, not {count!r}.")
        self.examples, self.every, self.X = examples, every, X
        self._forget()

    def _forget(self) -> None:
        self._sample: Any = None
        self._shown: list[Any] = []
        self._before: list[tuple[str, Any, Any]] = []
        self._flows: list[tuple[str | None, GradientFlow]] = []
        self._updates: dict[str, float | None] = {}

    def _due(self, run: Any) -> bool:
        return bool(run.epoch % self.every == 0 or run.epoch == run.epochs)

    # --- seeing what training computes anyway -----------------------------------------------------------------------

    def on_train_begin(self, run: Any) -> None:
        self._forget()
        self._sees_all = shows_all(run.model.modules())
        self._sample = self._examples_of(run)
        shown, alive, outer = self._shown, ref(run), observer.get()

        def watch(module: Any, function: Any, z: Any, a: Any) -> None:
            if outer is not None:
                outer(module, function, z, a)
            where = frame.get()
            if where.tracking and isinstance(z, Node) and isinstance(a, Node) and alive() is not None:
                shown.append((module, function, z, a, where.module))

        self._watch, self._outer = watch, outer
        observer.set(watch)

    def on_train_end(self, run: Any) -> None:
        if observer.get() is self._watch:
            observer.set(self._outer)
        self._shown.clear()

    def on_backward_end(self, run: Any) -> None:
        if run.last_batch and self._due(run):
            roots = None if self._sees_all else [run.loss]
            activations = found(self._shown, roots, None, len(run.batch[0]))
            parameters = list(run.model.named_parameters())
            with np.errstate(all="ignore"):
                self._flows = [(a.label, _flow(a.name, "activation", a.node)) for a in activations]
                self._flows += [(None, _flow(name, "parameter", p)) for name, p in parameters]
            self._before = [(name, p, np.array(p.data, float)) for name, p in parameters]
        self._shown.clear()

    def on_batch_end(self, run: Any) -> None:
        if self._before:
            with np.errstate(all="ignore"):
                self._updates = {name: update_ratio(before, p.data) for name, p, before in self._before}
            self._before = []

    def on_epoch_end(self, run: Any) -> None:
        if self._due(run):
            report = unit_health(run.model, self._sample)
            seen = {(h.name, h.activation) for h in report.layers}  # an activation of the weights is no layer's
            flows = [flow for label, flow in self._flows if label is None or (flow.name, label) in seen]
            run.history.health.append(replace(report, gradients=flows, updates=self._updates, epoch=run.epoch))
            self._flows, self._updates = [], {}

    def _examples_of(self, run: Any) -> Any:
        X = run.X if self.X is None else self.X
        X = X.data if isinstance(X, Node) else X if hasattr(X, "shape") else np.asarray(X)
        count = len(X)
        if self.examples is not None:
            count = min(count, self.examples)
        elif self.X is None:
            count = min(count, max(64, min(1024, count // 16)))
        return X if count == len(X) else X[np.linspace(0, len(X) - 1, count).astype(int)]


def update_ratio(before: Any, after: Any) -> float | None:
    """log10(std(after - before) / std(before)); None where the numbers before are all equal.

    >>> update_ratio(np.array([1.0, 2.0, 3.0]), np.array([1.001, 2.002, 3.003]))
    -3.0
    """
    before = np.asarray(before, float)
    size, step = _spread(before), _spread(np.asarray(after, float) - before)
    if size == 0:
        return None
    return round(math.log10(step / size), 12) if step > 0 else -math.inf if step == 0 else math.nan


def _spread(x: Any) -> float:
    x = x.reshape(-1)
    mean = float(x.sum()) / max(1, len(x))
    off = x - mean
    found = math.sqrt(off @ off / max(1, len(x)))
    # Of equal numbers rounding may leave a spread that is not quite 0.
    return 0.0 if found < 1e-9 * abs(mean) and (x == x[0]).all() else found


def _flow(name: str, kind: str, node: Node) -> GradientFlow:
    g = node.grad
    return GradientFlow(name, kind, *moments(np.zeros(np.shape(node.data)) if g is None else g))
