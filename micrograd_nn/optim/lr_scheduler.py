"""Learning-rate schedules: the rate of an optimiser as a function of the steps a schedule has taken.

Call `optimizer.step()` for every batch, and `schedule.step()` after it or after every epoch, as the schedule is meant.
As in PyTorch a step changes the rate that is there, so that schedules can be chained and a rate set by hand carries on.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from micrograd_nn.graph import Node
from micrograd_nn.optim._optimizer import Optimizer, not_negative, share

__all__ = [
    "CosineAnnealingLR", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "ReduceLROnPlateau",
    "SequentialLR", "StepLR",
]  # fmt: skip


class LRScheduler:
    """Sets the rates of an optimiser: a subclass says in `get_lr` how a rate moves on.

    `base_lrs` are the rates of the groups before any schedule, `last_epoch` counts the steps taken. With `last_epoch`
    given, a schedule goes on after that many steps and one, with the rates that the optimiser has by then.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = driven(optimizer)
        fresh = count(last_epoch, "last_epoch", -1) == -1
        for i, group in enumerate(optimizer.param_groups):
            if fresh:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(
                    f"last_epoch={last_epoch} goes on with a schedule, and group {i} of this optimiser never had one: "
                    "load the optimiser's state first, or leave last_epoch out."
                )
        self.base_lrs = self._last_lr = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._set(self._rates() if fresh else self._present())

    def get_lr(self, lr: float, base: float) -> float:
        """The rate of a group after `last_epoch` steps: `lr` is its present rate, `base` the one it began with."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates this schedule set last, one for each group."""
        return list(self._last_lr)

    def step(self) -> None:
        """Move the rates on."""
        self.last_epoch += 1
        self._set(self._rates())

    def _present(self) -> list[float]:
        """The rates there are."""
        rates, known = [group["lr"] for group in self.optimizer.param_groups], len(self._last_lr)
        if len(rates) != known:
            raise ValueError(
                f"this {type(self).__name__} was made for {known} group{'s' * (known != 1)} of parameters, and its "
                f"optimiser has {len(rates)} now: make the schedule after add_param_group()."
            )
        return rates

    def _rates(self) -> list[float]:
        return [self.get_lr(lr, base) for lr, base in zip(self._present(), self.base_lrs, strict=True)]

    def _set(self, rates: list[float]) -> None:
        self._last_lr = [not_negative(rate, "lr") for rate in rates]
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = rate

    def _begin(self) -> None:
        """Start from the rates the optimiser began with."""
        for group, _, base in zip(self.optimizer.param_groups, self._present(), self.base_lrs, strict=True):
            group["lr"] = base
        self.last_epoch = 0
        self._set(self._rates())

    # --- saving and loading ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Settings, place and the rates of this moment, as a dict of numbers, strings and lists."""
        own = {k: v for k, v in vars(self).items() if k != "optimizer" and not k.startswith("_")}
        rates = [group["lr"] for group in self.optimizer.param_groups]
        state = {"class": type(self).__name__, **own, "last_lr": self._last_lr, "lr": rates}
        return {k: list(v) if isinstance(v, list) else v for k, v in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, settings included, and give the optimiser the rates of that moment.

        Raises ValueError for the state of another kind of schedule or of an optimiser with more or fewer groups; then
        nothing is changed.
        """
        self._check(state)
        self._take(state)
        for key, name in (("lr", "lr"), ("base_lrs", "initial_lr")):
            for group, rate in zip(self.optimizer.param_groups, state.get(key, ()), strict=False):
                group[name] = rate

    def _check(self, state: Mapping[str, Any]) -> None:
        own = self.state_dict()
        kind = state.get("class") if isinstance(state, Mapping) else type(state).__name__
        if kind != own["class"]:
            raise ValueError(f"a state of {kind} does not fit {own['class']}, which is left as it was.")
        if state.keys() != own.keys():
            odd = ", ".join(sorted(state.keys() ^ own.keys()))
            raise ValueError(f"this state does not fit {kind}, which is left as it was: missing or unknown are {odd}.")
        if any(len(state[k]) != len(own["lr"]) for k in own.keys() & {"base_lrs", "last_lr", "lr", "min_lrs"}):
            raise ValueError(
                f"a state for {len(state['lr'])} groups of parameters does not fit this {kind}, which is left as it "
                f"was: its optimiser has {len(own['lr'])}."
            )

    def _take(self, state: Mapping[str, Any]) -> None:
        own = {k: list(v) if isinstance(v, list) else v for k, v in state.items()}
        self._last_lr = own.pop("last_lr")
        vars(self).update({k: v for k, v in own.items() if k not in ("class", "lr")})

    def __repr__(self) -> str:
        own = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if k != "optimizer" and not k.startswith("_"))
        return f"{type(self).__name__}({own})"


class StepLR(LRScheduler):
    """The rate times `gamma` after every `step_size` steps.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.8)
    >>> schedule = StepLR(opt, step_size=2, gamma=0.5)
    >>> for _ in range(5): print(opt.lr, end=" "); schedule.step()
    0.8 0.8 0.4 0.4 0.2
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = count(step_size, "step_size"), not_negative(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def get_lr(self, lr: float, base: float) -> float:
        return lr * self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else lr


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each of the `milestones`, counted in steps.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.8)
    >>> schedule = MultiStepLR(opt, milestones=[1, 3], gamma=0.5)
    >>> for _ in range(5): print(opt.lr, end=" "); schedule.step()
    0.8 0.4 0.4 0.2 0.2
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = [count(m, "a milestone") for m in milestones]
        self.gamma = not_negative(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def get_lr(self, lr: float, base: float) -> float:
        return lr * self.gamma ** self.milestones.count(self.last_epoch)


class ExponentialLR(LRScheduler):
    """The rate times `gamma` in every step.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.8)
    >>> schedule = ExponentialLR(opt, gamma=0.5)
    >>> for _ in range(4): print(opt.lr, end=" "); schedule.step()
    0.8 0.4 0.2 0.1
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = not_negative(gamma, "gamma")
        super().__init__(optimizer, last_epoch)

    def get_lr(self, lr: float, base: float) -> float:
        return lr * self.gamma if self.last_epoch else lr


class CosineAnnealingLR(LRScheduler):
    """Half a cosine wave down, in `T_max` steps from the base rate to `eta_min` (Loshchilov & Hutter 2017).

    After t steps the rate is eta_min + (base - eta_min) · (1 + cos(π t / T_max)) / 2; past T_max it rises again.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=1.0)
    >>> schedule = CosineAnnealingLR(opt, T_max=4)
    >>> for _ in range(5): print(f"{opt.lr:.3f}", end=" "); schedule.step()
    1.000 0.854 0.500 0.146 0.000
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = count(T_max, "T_max"), not_negative(eta_min, "eta_min")
        super().__init__(optimizer, last_epoch)

    def get_lr(self, lr: float, base: float) -> float:
        t, T = self.last_epoch, self.T_max
        if not t:
            return lr
        now, before = (1 + math.cos(math.pi * s / T) for s in (t, t - 1))
        if (t - 1) % (2 * T) == T:  # it stood at eta_min, where there is nothing to scale
            return lr + (base - self.eta_min) * now / 2
        return self.eta_min + (lr - self.eta_min) * now / before


class LinearLR(LRScheduler):
    """A straight line from `start_factor` to `end_factor` times the base rate, in `total_iters` steps: a warm-up.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.8)
    >>> schedule = LinearLR(opt, start_factor=0.25, total_iters=3)
    >>> for _ in range(5): print(f"{opt.lr:.1f}", end=" "); schedule.step()
    0.2 0.4 0.6 0.8 0.8
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        self.start_factor = not_negative(start_factor, "start_factor")
        self.end_factor = not_negative(end_factor, "end_factor")
        if not 0 < self.start_factor <= 1 or self.end_factor > 1:
            raise ValueError(
                f"start_factor is above 0 and at most 1, end_factor at most 1; not {start_factor!r} and {end_factor!r}."
            )
        self.total_iters = count(total_iters, "total_iters")
        super().__init__(optimizer, last_epoch)

    def get_lr(self, lr: float, base: float) -> float:
        if self.last_epoch > self.total_iters:
            return lr
        now, before = (self._factor(t) for t in (self.last_epoch, self.last_epoch - 1))
        return lr * now / before if self.last_epoch else lr * self.start_factor

    def _factor(self, t: int) -> float:
        return self.start_factor + (self.end_factor - self.start_factor) * t / self.total_iters


class LambdaLR(LRScheduler):
    """The base rate times `lr_lambda(t)` after t steps; a list of functions has one for each group.

    A state does not hold the functions: the schedule that loads it must have been given the same ones.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.6)
    >>> schedule = LambdaLR(opt, lambda t: 1 / (1 + t))
    >>> for _ in range(3): print(f"{opt.lr:.1f}", end=" "); schedule.step()
    0.6 0.3 0.2
    """

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        groups = driven(optimizer).param_groups
        self._lambdas = [lr_lambda] * len(groups) if callable(lr_lambda) else list(lr_lambda)
        if len(self._lambdas) != len(groups) or not all(callable(f) for f in self._lambdas):
            raise ValueError(f"lr_lambda is a function of the steps taken, or a list of {len(groups)}, one a group.")
        super().__init__(optimizer, last_epoch)

    def _rates(self) -> list[float]:
        self._present()
        return [base * f(self.last_epoch) for f, base in zip(self._lambdas, self.base_lrs, strict=True)]


class SequentialLR(LRScheduler):
    """One schedule after another: each of the `milestones`, counted in steps, starts the next one from its beginning.

    A warm-up over three steps, then half a cosine wave down over four:

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.8)
    >>> warm_up = LinearLR(opt, start_factor=0.25, total_iters=3)
    >>> cosine = CosineAnnealingLR(opt, T_max=4)
    >>> schedule = SequentialLR(opt, [warm_up, cosine], milestones=[3])
    >>> for _ in range(8): print(f"{opt.lr:.3f}", end=" "); schedule.step()
    0.200 0.400 0.600 0.800 0.683 0.400 0.117 0.000
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]) -> None:
        self.optimizer, self._schedulers = driven(optimizer), list(schedulers)
        for s in self._schedulers:
            if not isinstance(s, LRScheduler) or isinstance(s, ReduceLROnPlateau):
                raise TypeError(f"SequentialLR joins schedules that step by number, and {type(s).__name__} does not.")
            if s.optimizer is not optimizer:
                raise ValueError(f"{s!r} drives another optimiser: SequentialLR joins schedules of one.")
        self.milestones = [count(m, "a milestone") for m in milestones]
        if len(self.milestones) != len(self._schedulers) - 1 or self.milestones != sorted(self.milestones):
            raise ValueError(
                "SequentialLR needs schedules, and in rising order a milestone between each and the next: "
                f"{len(self._schedulers)} schedules do not go with milestones {self.milestones}."
            )
        self.base_lrs = self._schedulers[0].base_lrs
        self._begin()

    def step(self) -> None:
        """Move the rates on."""
        self.last_epoch += 1
        self._forward(begin=self.last_epoch in self.milestones)

    def _begin(self) -> None:
        self.last_epoch = 0
        self._forward(begin=True)

    def _forward(self, begin: bool) -> None:
        now = self._schedulers[bisect_right(self.milestones, self.last_epoch)]
        now._begin() if begin else now.step()
        self._last_lr = now.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Settings, place and the rates of this moment, and the same of each of its schedules."""
        return super().state_dict() | {"schedulers": [s.state_dict() for s in self._schedulers]}

    def _check(self, state: Mapping[str, Any]) -> None:
        super()._check(state)
        if len(state["schedulers"]) != len(self._schedulers):
            raise ValueError(
                f"a state of {len(state['schedulers'])} schedules does not fit this SequentialLR of "
                f"{len(self._schedulers)}, which is left as it was."
            )
        for mine, saved in zip(self._schedulers, state["schedulers"], strict=True):
            mine._check(saved)

    def _take(self, state: Mapping[str, Any]) -> None:
        super()._take({k: v for k, v in state.items() if k != "schedulers"})
        for mine, saved in zip(self._schedulers, state["schedulers"], strict=True):
            mine._take(saved)


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` once the number it watches has not improved for more than `patience` steps.

    `mode` says whether less ("min") or more ("max") is better. An improvement beats the best so far by more than
    `threshold`, as a share of it ("rel") or as it is ("abs"). After a cut it waits `cooldown` steps before it counts
    again; a rate does not fall below `min_lr` (a number, or one for each group), nor by less than `eps`.

    >>> from micrograd_nn import Value, optim
    >>> opt = optim.SGD([Value(0.0)], lr=0.8)
    >>> schedule = ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> for loss in [5.0, 4.0, 4.0, 4.0, 3.0]: schedule.step(loss); print(opt.lr, end=" ")
    0.8 0.8 0.8 0.4 0.4
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: int = 0, min_lr: float | Sequence[float] = 0.0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        for name, given, known in (("mode", mode, ("min", "max")), ("threshold_mode", threshold_mode, ("rel", "abs"))):
            if given not in known:
                raise ValueError(f"{name} is {known[0]!r} or {known[1]!r}, not {given!r}.")
        self.optimizer = driven(optimizer)
        groups = optimizer.param_groups
        least = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * len(groups)
        if len(least) != len(groups):
            raise ValueError(f"min_lr has {len(least)} rates, and the optimiser {len(groups)} groups.")
        self.min_lrs = [not_negative(x, "min_lr") for x in least]
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor, self.threshold = share(factor, "factor"), not_negative(threshold, "threshold")
        self.patience, self.cooldown = count(patience, "patience", 0), count(cooldown, "cooldown", 0)
        self.eps = not_negative(eps, "eps")
        self._last_lr = [group["lr"] for group in groups]
        self.best: float | None = None
        self.last_epoch = self.num_bad_epochs = self.cooldown_counter = 0

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Look at the number that is watched: a float, or a node that holds one. Not a number is an error."""
        current = metrics.item() if isinstance(metrics, Node) or hasattr(metrics, "item") else metrics
        if isinstance(current, bool) or not isinstance(current, Real) or math.isnan(current):
            raise ValueError(
                f"ReduceLROnPlateau.step(metric) needs the number it is to watch, such as the validation loss of the "
                f"epoch, not {metrics!r:.60}."
            )
        rates = self._present()
        self.last_epoch += 1
        self.num_bad_epochs += 1
        if self._better(float(current)):
            self.best, self.num_bad_epochs = float(current), 0
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            lower = [max(lr * self.factor, least) for lr, least in zip(rates, self.min_lrs, strict=True)]
            rates = [new if lr - new > self.eps else lr for lr, new in zip(rates, lower, strict=True)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(rates)

    def _better(self, current: float) -> bool:
        sign = -1 if self.mode == "min" else 1
        if self.best is None:
            return current != -sign * math.inf
        margin = sign * self.threshold
        mark = self.best * (1 + margin) if self.threshold_mode == "rel" else self.best + margin
        return current > mark if self.mode == "max" else current < mark


def driven(optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"a schedule drives an optimiser of micrograd_nn.optim, not {type(optimizer).__name__}.")
    return optimizer


def count(n: Any, name: str, least: int = 1) -> int:
    if isinstance(n, bool) or not isinstance(n, Integral) or n < least:
        raise ValueError(f"{name} is a whole number of at least {least}, not {n!r}.")
    return int(n)
