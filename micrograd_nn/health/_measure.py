"""`unit_health`: the measures of every unit and gradient, summed up over batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from micrograd_nn import losses
from micrograd_nn.checks import at_least_one
from micrograd_nn.graph import Node, gradients
from micrograd_nn.health._activity import FLAT, Activation, Curves, by_units, forward, shows_all
from micrograd_nn.health._report import FAINT, OFTEN, GradientFlow, HealthReport, LayerHealth
from micrograd_nn.modes import enable_grad, no_grad
from micrograd_nn.nn import Module
from micrograd_nn.tensor import Tensor

__all__ = ["CANCELS", "layer_health", "moments", "unit_health"]

Array = np.ndarray[Any, Any]


def unit_health(
    model: Module, X: Any, y: Any = None, loss: str | Callable[[Any, Any], Any] | None = None, batch_size: int = 1024,
    *, flat: float = FLAT, often: float = OFTEN, faint: float = FAINT,
) -> HealthReport:  # fmt: skip
    """Measure every activation that `model` computes from X, and with labels `y` the gradients of the loss as well.

    X is an array (N, features), also a memory-mapped one, or an iterable of batches: arrays, or pairs (X, y). It is
    gone through in pieces of at most `batch_size` examples, each forgotten after it was measured; the result does not
    depend on their size. The last axis of an activation counts the units, the others count as examples. `loss` is the
    name of one or a function of outputs and labels that gives their mean (default: cross_entropy, for whole-number
    labels). Gradients on activations are those of each example's own loss, gradients on parameters those of the mean
    over all examples, so that neither depends on how many there are. The model works as in use (dropout off), and is
    left as it was: modes, `.grad` and random generators.

    Dead, dormant (Sokar et al. 2023) and saturated are what LayerHealth says, with the thresholds `faint`, `flat` and
    `often`. A sigmoid or tanh is never dead but saturated; a leaky ReLU or Maxout unit is neither. Any module will
    do: what parts of your own compute with relu, tanh and so on of `functional`, or np.maximum(0, z), is found in the
    graph. Where activations overflow the report says so; NaN or infinity in X raises ValueError.

    >>> from micrograd_nn.nn import MLP
    >>> model = MLP(2, [3, 1], rng=0)
    >>> model.layers[0].bias.data = np.array([0.0, 0.0, -100.0])
    >>> unit_health(model, np.ones((5, 2))).layers[0].dead.tolist()[2]
    True
    """
    if not isinstance(model, Module):
        raise TypeError(f"unit_health takes a Module of micrograd_nn.nn, not {type(model).__name__}: subclass Module.")
    for name, x in (("flat", flat), ("often", often), ("faint", faint)):
        if not 0 <= x <= 1:
            raise ValueError(f"{name} is a share between 0 and 1, not {x!r}.")
    batch_size = at_least_one(batch_size, "batch_size")
    if loss is not None and y is None and hasattr(X, "__len__"):
        raise ValueError("a loss needs labels: unit_health(model, X, y, loss).")
    layers: dict[str, _Units] = {}
    flows: dict[str, _Moments] = {}
    totals: dict[str, Any] = {}
    parts = list(model.modules())
    curves, search, examples = Curves(), not shows_all(parts), 0
    was_training = [m for m in parts if m.training]
    for m in was_training:
        m.training = False
    try:
        for Xb, yb in _pieces(X, y, batch_size):
            batch = Tensor(Xb, requires_grad=search or yb is not None)
            with np.errstate(all="ignore"), enable_grad() if batch.requires_grad else no_grad():
                out, activations = forward(model, batch, search)
                for act in activations:
                    layers.setdefault(act.name, _Units(act)).add(act, curves, flat)
                if yb is not None:
                    slopes = gradients(_loss(loss, yb, out)(out, yb))
                    for act in activations:
                        g = slopes.get(act.node)
                        flows.setdefault(act.name, _Moments()).add(
                            np.zeros(act.node.data.shape) if g is None else g * len(Xb)
                        )
                    for name, p in model.named_parameters():
                        totals[name] = totals.get(name, 0.0) + slopes.get(p, np.zeros(np.shape(p.data))) * len(Xb)
            examples += len(Xb)
    finally:
        for m in was_training:
            m.training = True
    if not examples:
        raise ValueError("unit_health got no examples.")
    with np.errstate(all="ignore"):
        report = [GradientFlow(name, "activation", *m.found(examples)) for name, m in flows.items()]
        for name, total in totals.items():
            report.append(GradientFlow(name, "parameter", *moments(total / examples)))
        return HealthReport(
            [units.found(name, often, faint) for name, units in layers.items()], examples, report,
            flat=flat, often=often, faint=faint,
        )  # fmt: skip


def layer_health(
    act: Activation, curves: Curves, *, flat: float = FLAT, often: float = OFTEN, faint: float = FAINT
) -> LayerHealth:
    """The health of one activation's units on the examples that it was computed for, as `unit_health` measures it."""
    units = _Units(act)
    units.add(act, curves, flat)
    return units.found(act.name, often, faint)


# --- what is gone through -------------------------------------------------------------------------------------------


def _pieces(X: Any, y: Any, size: int) -> Iterator[tuple[Array, Any]]:
    """The examples in arrays of at most `size`, with their labels or None."""
    X, y = _bare(X), _bare(y)
    if isinstance(X, (list, tuple)) and not (len(X) and _is_batch(X[0])):
        X = np.asarray(X)
    if hasattr(X, "shape"):
        y = np.asarray(y) if isinstance(y, (list, tuple)) else y
        if y is not None and (not hasattr(y, "__len__") or len(y) != len(X)):
            raise ValueError(f"X and y need one row an example: {len(X):,} and {len(y) if np.ndim(y) else 'no'} rows.")
        yield from _cut(X, y, size, 0)
        return
    if not hasattr(X, "__iter__"):
        raise TypeError(f"X is an array of examples or an iterable of batches, not {type(X).__name__}.")
    if y is not None:
        raise ValueError("an iterable brings the labels along: let it give pairs (X, y).")
    start, labelled = 0, None
    for item in X:
        pair = _is_pair(item)
        if labelled not in (None, pair):
            raise ValueError("some of the batches come with labels, and some without.")
        labelled = pair
        Xb, yb = map(_bare, item) if pair else (_bare(item), None)
        Xb = Xb if hasattr(Xb, "shape") else np.asarray(Xb)
        yb = None if yb is None else np.asarray(yb)
        if yb is not None and (not yb.ndim or not Xb.shape or len(yb) != len(Xb)):
            raise ValueError(f"a batch needs one label an example, and has shapes {Xb.shape} and {yb.shape}.")
        yield from _cut(Xb, yb, size, start)
        start += len(Xb)


def _is_pair(item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2


def _is_batch(item: Any) -> bool:
    """Whether an item of a list is a batch, and not an example."""
    return len(getattr(item[0] if _is_pair(item) else item, "shape", ())) > 1


def _bare(x: Any) -> Any:
    return x.data if isinstance(x, Node) else x


def _cut(X: Any, y: Any, size: int, start: int) -> Iterator[tuple[Array, Any]]:
    if len(X.shape) < 2:
        raise ValueError(
            f"unit_health takes examples (N, features), and got shape {tuple(X.shape)}: one example is X[None]."
        )
    for i in range(0, len(X), size):
        piece = np.asarray(X[i : i + size])
        if piece.dtype.kind not in "fiub":
            raise TypeError(f"X holds {piece.dtype}, and a network takes numbers.")
        piece = piece if piece.dtype.kind == "f" else piece.astype(float)
        if not np.isfinite(piece).all():
            where = np.argwhere(~np.isfinite(piece))[0]
            place = [start + i + int(where[0]), *(int(k) for k in where[1:])]
            raise ValueError(f"X has {piece[tuple(where)]} at {place}: unit_health takes finite numbers.")
        yield piece, None if y is None else np.asarray(y[i : i + size])


def _loss(loss: Any, y: Array, out: Any) -> Any:
    if not callable(loss) and not isinstance(out, Node):
        raise TypeError(
            f"the model gives a {type(out).__name__}, and a loss by name takes scores: give a function, such as "
            "loss=lambda out, y: functional.cross_entropy(out[0], y)."
        )
    if loss is None:
        if y.dtype.kind not in "iub" or y.ndim != 1:
            raise ValueError(
                f"labels of {y.dtype} and shape (N{''.join(f', {n}' for n in y.shape[1:])}) may mean several things: "
                "say which loss, such as loss='mse_loss'."
            )
        return losses.cross_entropy
    if not isinstance(loss, str):
        return loss
    if loss not in losses.__all__:
        raise ValueError(f"loss is {', '.join(map(repr, losses.__all__))} or a function of your own, not {loss!r}.")
    return getattr(losses, loss)


# --- sums over pieces -----------------------------------------------------------------------------------------------


CANCELS = 0.05  # where less than this is left of a sum of squares without the mean's, it is computed from the distances


class _Moments:
    """Mean, standard deviation, norm, mean size and share of zeros of all numbers seen so far."""

    def __init__(self) -> None:
        self.n = self.zeros = 0
        self.mean = self.squares = self.size = 0.0

    def add(self, g: Any, scratch: Any = None) -> _Moments:
        g = np.asarray(g, float).ravel("K")
        n, total = max(1, len(g)), float(g @ g)
        mean = float(g.sum()) / n
        squares = total - n * mean * mean
        if squares < CANCELS * total:
            squares = float(np.square(g - mean).sum())
        self.mean, self.squares = merged(self.n, self.mean, self.squares, n, mean, squares)
        self.size += float(np.abs(g, out=scratch).sum())
        self.zeros += len(g) - int(np.count_nonzero(g))
        self.n += n
        return self

    def found(self, rows: int = 1) -> tuple[float, ...]:
        """All of them; the norm is that of one of `rows` rows, as a root mean square."""
        n = max(1, self.n)
        norm = math.sqrt((self.squares + n * self.mean * self.mean) / rows)
        return self.mean, math.sqrt(self.squares / n), norm, self.size / n, self.zeros / n


def moments(g: Any, scratch: Any = None) -> tuple[float, ...]:
    """Mean, standard deviation, norm, mean size and share of zeros of one array; `scratch` has room for its size."""
    return _Moments().add(g, scratch).found()


def merged(n: int, mean: Any, squares: Any, m: int, other: Any, others: Any) -> tuple[Any, Any]:
    """Mean and sum of squares about it of two sets of n and m numbers together (Chan, Golub and LeVeque 1979)."""
    if not n:
        return other, others
    apart = other - mean
    return mean + apart * (m / (n + m)), squares + others + apart * apart * (n * m / (n + m))


class _Units:
    """What has been seen of the units of one layer."""

    def __init__(self, act: Activation) -> None:
        self.activation, self.units = act.label, act.units
        self.n = 0
        self.on: Any = 0
        self.top: Any = -np.inf
        self.mean: Any = 0.0
        self.squares: Any = 0.0
        self.size: Any = 0.0
        self.flat: Any = 0
        self.alive = np.zeros(by_units(act.node.data, act.axis).shape[1], bool)  # a slope that is not 0 was seen
        self.dies = False

    def add(self, act: Activation, curves: Curves, flat: float) -> None:
        a = by_units(act.node.data, act.axis)
        if a.shape[1] != len(self.alive):
            raise ValueError(f"{act.name} has {a.shape[1]} units on one batch and {len(self.alive)} on another.")
        a = a.astype(float, copy=False)
        n = len(a)
        mean = a.sum(0) / n
        total = np.einsum("ij,ij->j", a, a)
        squares = total - n * mean * mean
        close = squares < CANCELS * total
        if close.any():
            squares[close] = np.square(a[:, close] - mean[close]).sum(0)
        self.mean, self.squares = merged(self.n, self.mean, self.squares, n, mean, squares)
        self.on = self.on + (a > 0).sum(0)
        self.top = np.maximum(self.top, a.max(0))
        self.size = self.size + (mean * n if a.min() >= 0 else np.abs(a).sum(0))
        self.n += n
        curve = curves.of(act)
        if curve is None:
            return
        self.dies = curve.dies
        if curve.bends:
            slopes = curve.slopes(act)
            limit = flat * curve.steepest
            self.flat = self.flat + ((slopes < limit) & (slopes > -limit)).sum(0)
            if curve.dies:
                self.alive |= slopes.any(0)
        elif (low := (self.top <= 0) & ~self.alive).any():
            self.alive[low] = curve.slopes(act, low).any(0)

    def found(self, name: str, often: float, faint: float) -> LayerHealth:
        share, size = (np.zeros(len(self.alive)) + x / self.n for x in (self.flat, self.size))
        return LayerHealth(
            name, self.activation, self.units, self.on / self.n,
            dead=(self.top <= 0) & ~self.alive & self.dies,
            dormant=size <= faint * size.mean(), saturated=(share >= often) & (share > 0), always_saturated=share == 1,
            saturated_share=share, mean=self.mean, spread=np.sqrt(self.squares / self.n), max=self.top, mean_abs=size,
        )  # fmt: skip
