"""What may happen between the steps of a training run: callbacks, what they are shown, and early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.training._history import History

if TYPE_CHECKING:
    from micrograd_nn.nn import Module
    from micrograd_nn.optim import Optimizer

__all__ = ["Callback", "EarlyStopping", "Run"]


class Run:
    """A training run as its callbacks see it.

    `epoch` counts from 1, `step` the steps taken so far; `batch` is (Xb, yb), `last_batch` True on the last one of an
    epoch; `loss` is the node that the gradients come from (with the penalties, where there are any), `compute` the loss
    function. `history` holds the epochs that are over, at the end of an epoch that one too.
    """

    def __init__(
        self, model: Module, optimizer: Optimizer, X: Any, y: Any, validation_data: tuple[Any, Any] | None = None,
        epochs: int = 1, compute: Any = None, history: History | None = None,
    ) -> None:  # fmt: skip
        self.model, self.optimizer, self.compute = model, optimizer, compute
        self.X, self.y, self.validation_data, self.epochs = X, y, validation_data, epochs
        self.history = History() if history is None else history
        self.epoch = self.step = 0
        self.last_batch = False
        self.loss: Any = None
        self.batch: tuple[Any, Any] = (None, None)
        self.stopped: str | None = None

    def stop(self, reason: str) -> None:
        """End the run; `history.ended` will be `reason`.

        Called between the steps, it ends the run there: before the step in `on_backward_end`, after it in
        `on_batch_end`; an epoch left unfinished is not in the history.
        """
        if not isinstance(reason, str) or not reason:
            raise TypeError(f"run.stop(reason) takes the reason as text, and got {reason!r}.")
        if self.stopped is None:  # the first reason is the one that ended it
            self.stopped = reason


class Callback:
    """Called as a run goes on: subclass it and write the methods you need. Each is given the `Run`.

    The gradients are there in `on_backward_end`, before any clipping and before the step. What a callback must know to
    go on after a run was killed and resumed it gives in `state_dict`: numbers, text, arrays, dicts and lists.
    """

    def on_train_begin(self, run: Run) -> None: ...
    def on_backward_end(self, run: Run) -> None: ...
    def on_batch_end(self, run: Run) -> None: ...
    def on_epoch_end(self, run: Run) -> None: ...
    def on_train_end(self, run: Run) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


HOOKS = ("on_train_begin", "on_backward_end", "on_batch_end", "on_epoch_end", "on_train_end")


class Callbacks:
    """Several callbacks as one: for each moment, the methods to be called then."""

    on_train_begin: list[Callable[[Run], Any]]
    on_backward_end: list[Callable[[Run], Any]]
    on_batch_end: list[Callable[[Run], Any]]
    on_epoch_end: list[Callable[[Run], Any]]
    on_train_end: list[Callable[[Run], Any]]

    def __init__(self, callbacks: Any, first: Callback | None = None) -> None:
        self.all = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
        if first is not None:
            self.all.insert(0, first)
        for hook in HOOKS:
            setattr(self, hook, [])
        for c in self.all:
            if isinstance(c, type):
                raise TypeError(f"callbacks: {c.__name__} is a class; give an object of it, {c.__name__}().")
            found = [hook for hook in HOOKS if callable(getattr(c, hook, None))]
            for hook in found:
                method = getattr(c, hook)
                if getattr(method, "__func__", None) is not getattr(Callback, hook):  # what does nothing costs nothing
                    getattr(self, hook).append(method)
            if not found and callable(c):
                self.on_epoch_end.append(c)
            elif not found:
                raise TypeError(
                    f"callbacks: {c!r:.60} is neither a function of the run nor has it a method {', '.join(HOOKS)}."
                )

    def call(self, hook: str, run: Run) -> None:
        for method in getattr(self, hook):
            method(run)

    def names(self) -> list[str]:
        return [getattr(c, "__qualname__", type(c).__name__) for c in self.all]

    def state(self) -> list[Any]:
        return [c.state_dict() if hasattr(c, "state_dict") else {} for c in self.all]

    def load(self, states: list[Any]) -> None:
        for c, state in zip(self.all, states, strict=True):
            if hasattr(c, "load_state_dict"):
                c.load_state_dict(state)


LESS_IS_BETTER = {"loss", "mae", "mse", "rmse"}
MORE_IS_BETTER = {"accuracy", "r2"}


class EarlyStopping(Callback):
    """Stops a run whose `monitor` has not improved by more than `min_delta` for `patience` epochs (Prechelt 1998).

    `monitor` is a measure of the history: "val_loss", "val_accuracy", "loss", a metric such as "val_mae". Whether less
    or more of it is better is known of these; of a metric of your own `mode` says "min" or "max". With `restore_best`
    the model has the weights of its best epoch in the end, however the run ended; `history.best_epoch` says which.

    >>> from micrograd_nn import data, fit, nn
    >>> X, y = data.make_moons(60, rng=0)
    >>> stopping = EarlyStopping(patience=3, monitor="loss", min_delta=0.01)
    >>> history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=500, rng=0, early_stopping=stopping, progress=False)
    >>> history.ended.startswith("loss had not improved on")
    True
    """

    def __init__(
        self, patience: int = 10, min_delta: float = 0.0, monitor: str = "val_loss", restore_best: bool = True,
        mode: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(patience, bool) or not isinstance(patience, (int, np.integer)) or patience < 1:
            raise ValueError(f"patience is a whole number of epochs, at least 1, not {patience!r}.")
        if not 0 <= min_delta < math.inf:
            raise ValueError(f"min_delta is a number of at least 0, not {min_delta!r}.")
        bare = monitor.removeprefix("val_")
        if mode is None and bare in LESS_IS_BETTER | MORE_IS_BETTER:
            mode = "max" if bare in MORE_IS_BETTER else "min"
        if mode not in ("min", "max"):
            raise ValueError(f"is less or more of {monitor!r} better? Say mode='min' or mode='max'.")
        self.patience, self.min_delta, self.monitor = int(patience), min_delta, monitor
        self.restore_best, self.mode = restore_best, mode
        self._forget()

    def _forget(self) -> None:
        self.best, self.best_epoch, self.weights = math.inf if self.mode == "min" else -math.inf, 0, None

    best: float
    best_epoch: int
    weights: dict[str, Any] | None

    def on_train_begin(self, run: Run) -> None:
        self._forget()
        if self.monitor.startswith("val_") and run.validation_data is None:
            raise ValueError(
                f"early stopping watches {self.monitor}, and there is no validation_data: give validation_data=(X, y), "
                f"or watch the training data, EarlyStopping(monitor={self.monitor.removeprefix('val_')!r})."
            )

    def on_epoch_end(self, run: Run) -> None:
        now = run.history[self.monitor][-1]
        if now is None:
            raise ValueError(f"early stopping watches {self.monitor}, which this run does not measure.")
        gain = self.best - now if self.mode == "min" else now - self.best
        if gain > self.min_delta:  # never of a nan
            self.best, self.best_epoch = now, run.epoch
            self.weights = run.model.state_dict() if self.restore_best else None
        elif run.epoch - self.best_epoch >= self.patience:
            record = f"on {self.best:.4g} (epoch {self.best_epoch})" if self.best_epoch else "at all"
            kept = f", with the weights of epoch {self.best_epoch}" if self.weights is not None else ""
            run.stop(
                f"{self.monitor} had not improved {record} for {self.patience} epochs: stopped after epoch "
                f"{run.epoch}{kept}"
            )

    def on_train_end(self, run: Run) -> None:
        if self.weights is not None:
            run.model.load_state_dict(self.weights)
            run.history.best_epoch = self.best_epoch

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.best_epoch, self.weights = state["best"], state["best_epoch"], state["weights"]

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(patience={self.patience}, min_delta={self.min_delta}, monitor={self.monitor!r}, "
            f"restore_best={self.restore_best}, mode={self.mode!r})"
        )
