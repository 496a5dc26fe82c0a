"""`fit`: train a model on arrays, show how it goes, and keep what happened."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn import nn
from micrograd_nn.checks import at_least_one
from micrograd_nn.data import batches, paired
from micrograd_nn.graph import Node
from micrograd_nn.modes import no_grad
from micrograd_nn.nn import Module, utils
from micrograd_nn.nn._module import observer
from micrograd_nn.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, decay_groups, lr_scheduler
from micrograd_nn.training._callbacks import Callbacks, EarlyStopping, Run
from micrograd_nn.training._diagnosis import flaw, flaw_after, sum_of_squares
from micrograd_nn.training._history import Epoch, History
from micrograd_nn.training._measures import Measure, measures_of, plain
from micrograd_nn.training._progress import display
from micrograd_nn.training._resuming import Keeper

__all__ = ["LOSSES", "OPTIMIZERS", "SCHEDULES", "evaluate", "fit", "named"]

if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None

LOSSES: dict[str, Callable[..., Any]] = {
    "cross_entropy": F.cross_entropy, "nll_loss": F.nll_loss, "mse_loss": F.mse_loss, "l1_loss": F.l1_loss,
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits, "hinge_loss": F.hinge_loss,
    "multi_margin_loss": F.multi_margin_loss,
}  # fmt: skip
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": Adam, "sgd": SGD, "adagrad": Adagrad, "rmsprop": RMSprop, "adamw": AdamW,
}  # fmt: skip


def _tenth(epochs: int) -> int:
    return max(1, epochs // 10)


def _warmup(opt: Optimizer, epochs: int) -> Any:
    return lr_scheduler.LinearLR(opt, start_factor=0.1, total_iters=_tenth(epochs))


# Schedules by name, laid out for a run of so many epochs:
SCHEDULES: dict[str, Callable[[Optimizer, int], Any]] = {
    # a tenth of the rate after each third of the run
    "step": lambda opt, epochs: lr_scheduler.StepLR(opt, math.ceil(epochs / 3), 0.1),
    # by the same factor each time, down to a hundredth in the last epoch
    "exponential": lambda opt, epochs: lr_scheduler.ExponentialLR(opt, 0.01 ** (1 / max(1, epochs - 1))),
    # half a cosine wave, down to 0 when the last epoch is over (Loshchilov & Hutter 2017)
    "cosine": lambda opt, epochs: lr_scheduler.CosineAnnealingLR(opt, epochs),
    # from a tenth of the rate up to all of it in the first tenth of the run, then constant (Goyal et al. 2017)
    "warmup": _warmup,
    # the same, and then the cosine
    "warmup_cosine": lambda opt, epochs: lr_scheduler.SequentialLR(
        opt,
        [_warmup(opt, epochs), lr_scheduler.CosineAnnealingLR(opt, max(1, epochs - _tenth(epochs)))],
        [_tenth(epochs)],
    ),
    # half the rate whenever the validation loss (without one, the training loss) has not fallen for a tenth of the run
    "plateau": lambda opt, epochs: lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=_tenth(epochs)),
}


def fit(
    model: Module, X: Any, y: Any, *, loss: str | Callable[[Any, Any], Any] = "cross_entropy",
    optimizer: str | Optimizer = "adam", lr: float | None = None, epochs: int = 10, batch_size: int = 32,
    validation_data: tuple[Any, Any] | None = None,
    metrics: str | Iterable[Any] | Mapping[str, Callable[[Any, Any], Any]] = (), callbacks: Iterable[Any] = (),
    schedule: Any = None, early_stopping: int | EarlyStopping | None = None, l1: float = 0.0, l2: float = 0.0,
    weight_decay: float | None = None, max_norm: float | None = None, clip_norm: float | None = None,
    clip_value: float | None = None, checkpoint: str | Path | None = None, checkpoint_every: float = 0.0,
    resume: bool = False, rng: Rng = None, progress: bool | None = None,
) -> History:  # fmt: skip
    """Train `model` on X (N, features) and y by mini-batches, in an order drawn from `rng`.

    `loss` is a name (LOSSES) or a function of scores and labels. `optimizer` is a name (OPTIMIZERS), with the rate `lr`
    (1e-3 unless given) and a `weight_decay` that spares biases (0 unless given, for "adamw" 0.01); or an optimiser of
    your own, which brings both. `schedule` changes the rate after every epoch: a name (SCHEDULES), a scheduler of your
    optimiser, or a function that makes one for an optimiser.

    `l1` and `l2` add nn.l1_penalty and nn.l2_penalty to what is made small (`Epoch.loss` stays that of the data, the
    rest is `Epoch.penalty`); `max_norm` bounds every unit's weights after each step, `clip_norm` and then `clip_value`
    the gradient before it. `early_stopping` is an EarlyStopping, or its patience.

    `metrics` are measured beside the loss, and on `validation_data` as val_...: names (METRICS: "mae", "mse", "r2",
    "accuracy") or functions of (scores, y), in a list or a dict by name. Accuracy is there unasked where y says
    classes. `callbacks` are `Callback`s, or functions that are called with the `Run` after every epoch.

    `checkpoint` names a file that keeps the whole run after every epoch, or after the first that ends
    `checkpoint_every` seconds or more since it was last written, and at the end. With `resume=True` a run goes on from
    there, in a new process too, and ends bit for bit as if it had never been stopped; without such a file it begins.
    Data, model and settings must be the same (DataError says what is not); `epochs` may be more, but for a schedule by
    name, which is laid out for them. A run that is finished, or was stopped by a callback, is over: its history comes
    back.

    `progress` shows a bar on a terminal and plain lines elsewhere; False is silent. Ctrl-C ends the run with what was
    learned so far. A loss or a gradient that is no finite number ends it before the step is taken, a validation loss
    or weights that are not after their epoch; `History.ended` says so, with the operation and the layer that gave the
    first such number.

    >>> from micrograd_nn import data, nn
    >>> X, y = data.make_moons(100, rng=0)
    >>> history = fit(nn.MLP(2, [16, 2], rng=0), X, y, lr=0.02, epochs=60, rng=0, progress=False)
    >>> history["accuracy"][-1] > 0.9
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"fit takes a Module of micrograd_nn.nn, not {type(model).__name__}: subclass Module.")
    X, y = _checked(X, y, "X and y")
    if validation_data is not None and not (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2):
        raise TypeError("validation_data is a pair (X, y).")
    held = None if validation_data is None else _checked(*validation_data, "validation_data")
    epochs, batch_size = at_least_one(epochs, "epochs"), at_least_one(batch_size, "batch_size")
    if not isinstance(checkpoint_every, (int, float, np.number)) or not checkpoint_every >= 0:
        raise ValueError(f"checkpoint_every is a number of seconds, at least 0, not {checkpoint_every!r}.")
    if resume and checkpoint is None:
        raise ValueError("resume=True goes on with the run in a file: say which one, with checkpoint=.")
    compute = named(loss, LOSSES, "loss")
    opt = _optimizer(optimizer, model, lr, weight_decay)
    rate, scheduler = opt.lr, _scheduler(schedule, opt, epochs)
    stopping = EarlyStopping(early_stopping) if isinstance(early_stopping, (int, np.integer)) else early_stopping
    if stopping is not None and not isinstance(stopping, EarlyStopping):
        raise TypeError(f"early_stopping is an EarlyStopping or its patience in epochs, not {stopping!r:.60}.")
    hooks = Callbacks(callbacks, first=stopping)
    limits = {"max_norm": max_norm, "clip_norm": clip_norm, "clip_value": clip_value}
    _bound(hooks, **limits)
    run = Run(model, opt, X, y, held, int(epochs), compute)
    settings = {
        "loss": _name(loss), "optimizer": type(opt).__name__, "lr": rate, "epochs": epochs,
        "batch_size": batch_size, "schedule": _name(schedule), "early_stopping": stopping and repr(stopping),
        "l1": l1, "l2": l2, "weight_decay": weight_decay, **limits,
    }  # fmt: skip
    run.history.settings = {k: v.item() if isinstance(v, np.generic) else v for k, v in settings.items()}
    measures = measures_of(metrics, compute, y), measures_of(metrics, compute, held[1]) if held else {}
    penalty, shuffle, watcher = _penalty(model, l1, l2), np.random.default_rng(rng), observer.get()
    model.train()
    try:
        hooks.call("on_train_begin", run)
        keeper = None if checkpoint is None else Keeper(checkpoint, run, scheduler, hooks, shuffle, checkpoint_every)
        if keeper is not None:
            keeper.begin(resume, rng, measures[0], laid_out=isinstance(schedule, str))
        with display(progress, epochs, scheduler is not None, run.epoch) as show:
            try:
                while run.epoch < epochs and run.stopped is None:
                    run.epoch += 1
                    epoch = _epoch(run, hooks, batch_size, shuffle, measures, penalty)
                    if epoch is None:
                        break
                    run.history.epochs.append(epoch)
                    if found := flaw_after(run, epoch):
                        run.stop(found)
                    elif scheduler is not None:
                        _turn(scheduler, epoch)
                    hooks.call("on_epoch_end", run)
                    if keeper is not None:
                        keeper.epoch_ended()
                    show(epoch)
                run.history.ended = run.stopped or "finished"
            except KeyboardInterrupt:
                run.history.ended = "interrupted"
        hooks.call("on_train_end", run)
    finally:
        observer.set(watcher)  # a callback that watched this run watches no more
        model.eval()
    return run.history


def _epoch(
    run: Run, hooks: Callbacks, batch_size: int, rng: Any, measures: tuple[dict[str, Measure], dict[str, Measure]],
    penalty: Callable[[], Any] | None,
) -> Epoch | None:  # fmt: skip
    """One pass over the data; None if the run ended on the way."""
    begun, opt, n = time.perf_counter(), run.optimizer, len(run.y)
    run.model.train()  # a callback may have looked at it in evaluation
    params, lr, generators = opt.params, opt.param_groups[0]["lr"], [g for _, g in run.model.named_generators()]
    sums, total, penalties, squares, left = dict.fromkeys(measures[0], 0.0), 0.0, 0.0, 0.0, n
    # NumPy need not warn of a loss or gradient that ends the run with its reason; who asked it to raise is heard.
    quiet: dict[str, Any] = {kind: "ignore" for kind, how in np.geterr().items() if how == "warn"}

    def forward() -> tuple[Any, Any, Any]:
        scores = run.model(run.batch[0])
        loss = run.loss = run.compute(scores, run.batch[1])
        if not isinstance(loss, Node):
            raise TypeError(f"the loss function gave {type(loss).__name__}: compute it from the scores, with nodes.")
        if penalty is None:
            return scores, loss, None
        extra = penalty()
        run.loss = loss + extra
        return scores, loss, extra

    def again() -> None:
        for g, state in zip(generators, drawn, strict=True):
            g.bit_generator.state = state
        forward()

    for Xb, yb in batches(run.X, run.y, batch_size, rng):
        run.batch = Xb, yb
        run.loss = scores = loss = None  # frees the last graph before the next is built
        drawn = [g.bit_generator.state for g in generators]
        with np.errstate(**quiet):
            scores, loss, extra = forward()
            opt.zero_grad()
            run.loss.backward()
        # The gradients' squares are summed at every step, because a nan among them would be in the weights for good.
        squares, value = sum_of_squares(params), run.loss.item()
        if not math.isfinite(squares + value) and (found := flaw(run, again)):
            run.stop(found)
            return None
        if not run.step and all(p.grad is None for p in params):
            raise ValueError(
                "the loss depends on no parameter of the model, so there is nothing to learn: compute it from the "
                "scores, which are nodes, and not from their .data."
            )
        count = len(yb)
        left -= count
        run.last_batch = not left
        for call in hooks.on_backward_end:
            call(run)
        if run.stopped is not None:
            return None
        opt.step()
        run.step += 1
        for call in hooks.on_batch_end:
            call(run)
        total += (value if extra is None else loss.item()) * count
        penalties += 0.0 if extra is None else extra.item() * count
        for name, measure in measures[0].items():
            sums[name] += measure(plain(scores), yb) * count
        if run.stopped is not None:
            return None
    means = {name: s / n for name, s in sums.items()}
    test_loss, tests = None, dict[str, float]()
    if run.validation_data is not None:
        with np.errstate(**quiet):
            test_loss, tests = _evaluated(run.model, run.compute, *run.validation_data, measures[1])
    share, test_share = means.pop("accuracy", None), tests.pop("accuracy", None)
    means |= {f"val_{name}": value for name, value in tests.items()}
    seconds, norm = time.perf_counter() - begun, math.sqrt(squares)
    added = penalties / n if penalty else None
    return Epoch(run.epoch, total / n, share, test_loss, test_share, seconds, lr, norm, added, means)


def evaluate(model: Module, loss: Any, X: Any, y: Any, batch_size: int = 1024) -> tuple[float, float | None]:
    """Mean loss and accuracy of `model`, in evaluation mode, without recording a graph."""
    compute = named(loss, LOSSES, "loss")
    X, y = paired(X, y)
    mean, found = _evaluated(model, compute, X, y, measures_of((), compute, y), batch_size)
    return mean, found.get("accuracy")


def _evaluated(
    model: Module, compute: Any, X: Any, y: Any, measures: dict[str, Measure], batch_size: int = 1024
) -> tuple[float, dict[str, float]]:
    """Mean loss and measures over the data."""
    total, sums = 0.0, dict.fromkeys(measures, 0.0)
    was_training = model.training
    model.eval()
    with no_grad():
        for Xb, yb in batches(X, y, batch_size):
            scores = model(Xb)
            total += compute(scores, yb).item() * len(yb)
            for name, measure in measures.items():
                sums[name] += measure(plain(scores), yb) * len(yb)
    model.train(was_training)
    return total / len(y), {name: s / len(y) for name, s in sums.items()}


# --- what fit was given ---------------------------------------------------------------------------------------------


def named(given: Any, known: dict[str, Any], what: str, own: str = "a function of your own") -> Any:
    if not isinstance(given, str):
        return given
    if given not in known:
        raise ValueError(f"{what} is {', '.join(map(repr, known))} or {own}, not {given!r}.")
    return known[given]


def _name(given: Any) -> str | None:
    """What a setting is called in the history."""
    if given is None or isinstance(given, str):
        return given
    return getattr(given, "__qualname__", type(given).__qualname__)


def _optimizer(given: Any, model: Module, lr: float | None, weight_decay: float | None) -> Optimizer:
    if isinstance(given, Optimizer):
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if value:
                raise ValueError(f"an optimiser of your own brings its {name}: set it there, or name the optimiser.")
        if not {id(p) for p in given.params} & {id(p) for p in model.parameters()}:
            raise ValueError(
                "this optimiser holds none of the model's parameters, and would train nothing: make it from "
                "model.parameters()."
            )
        return given
    if not isinstance(given, str):
        raise TypeError(f"optimizer is a name or an Optimizer, such as SGD(model.parameters()), not {given!r:.60}.")
    make: Callable[..., Optimizer] = named(given, OPTIMIZERS, "optimizer", "an Optimizer of your own")
    if weight_decay is None and make is AdamW:
        weight_decay = 0.01  # PyTorch's
    params = decay_groups(model, weight_decay) if weight_decay else model.parameters()
    return make(params, lr=1e-3 if lr is None else lr, **({"weight_decay": 0.0} if make is AdamW else {}))


def _scheduler(given: Any, opt: Optimizer, epochs: int) -> Any:
    if isinstance(given, str):
        return named(given, SCHEDULES, "schedule")(opt, epochs)
    if given is not None and (isinstance(given, type) or not hasattr(given, "step")):
        given = given(opt)
    if given is not None and given.optimizer is not opt:
        raise ValueError(
            "the schedule is of another optimiser, and would change nothing here: give a function that makes one, "
            "schedule=lambda opt: StepLR(opt, 10)."
        )
    return given


def _turn(scheduler: Any, epoch: Epoch) -> None:
    """The rate for the next epoch."""
    if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
        scheduler.step(epoch.loss if epoch.val_loss is None else epoch.val_loss)
    else:
        scheduler.step()


def _penalty(model: Module, l1: float, l2: float) -> Callable[[], Any] | None:
    """What regularisation adds to the loss, if anything."""
    if l1 and l2:
        return lambda: nn.l1_penalty(model, l1) + nn.l2_penalty(model, l2)
    if l1:
        return lambda: nn.l1_penalty(model, l1)
    return (lambda: nn.l2_penalty(model, l2)) if l2 else None


def _bound(hooks: Callbacks, max_norm: float | None, clip_norm: float | None, clip_value: float | None) -> None:
    """Bounds on gradients, after the callbacks have seen them, and on weights, before the callbacks see those."""
    for name, bound in (("max_norm", max_norm), ("clip_norm", clip_norm), ("clip_value", clip_value)):
        if bound is not None and not (
            isinstance(bound, (int, float, np.number)) and not isinstance(bound, bool) and bound > 0
        ):
            raise ValueError(f"{name} is a number above 0, or None for no bound, not {bound!r}.")
    if clip_norm is not None:
        hooks.on_backward_end.append(lambda run: utils.clip_grad_norm_(run.optimizer.params, clip_norm))
    if clip_value is not None:
        hooks.on_backward_end.append(lambda run: utils.clip_grad_value_(run.optimizer.params, clip_value))
    if max_norm is not None:
        hooks.on_batch_end.insert(0, lambda run: utils.max_norm_(run.model, max_norm))


def _checked(X: Any, y: Any, who: str) -> tuple[Any, Any]:
    X, y = paired(X, y)
    if not len(X):
        raise ValueError(f"{who} hold no examples.")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"{who}: X holds {X.dtype}, and a network takes numbers.")
    if y.dtype.kind not in "fiub":
        raise TypeError(
            f"{who}: y holds {y.dtype}, such as {str(y.flat[0])!r:.30}, and a loss takes numbers: "
            "names, y = np.unique(y, return_inverse=True) makes classes 0, 1, ... of them, and keeps their names."
        )
    for name, a in (("X", X), ("y", y)):
        bad = np.argwhere(~np.isfinite(a))
        if len(bad):
            raise ValueError(
                f"{who}: {name} has {a[tuple(bad[0])]} at {bad[0].tolist()}; a network cannot learn from that."
            )
    return (X if X.dtype.kind == "f" else X.astype(float)), y
