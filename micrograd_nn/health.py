"""Which units of a network are dead, dormant or saturated on given data, and whether gradients reach its layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn import losses
from micrograd_nn.activity import FLAT, Activation, Curves, by_units, forward, shows_all
from micrograd_nn.advice import advise
from micrograd_nn.graph import Node, gradients
from micrograd_nn.modes import enable_grad, no_grad
from micrograd_nn.nn import Module
from micrograd_nn.tensor import Tensor
from micrograd_nn.text import table

__all__ = ["GradientFlow", "HealthReport", "LayerHealth", "unit_health"]

Array = np.ndarray[Any, Any]
OFTEN, FAINT = 0.95, 0.025
VANISHING, EXPLODING = 1e-7, 1e4
FLAGS = ("dead", "dormant", "saturated", "always_saturated")
SIZES = ("on_rate", "saturated_share", "mean", "spread", "max", "mean_abs")


@dataclass(frozen=True, eq=False)
class LayerHealth:
    """One layer: `name`, its `activation`, its `units` by name where they have names, and for each measure an array
    with an entry a unit. `spread` is the standard deviation (over n, as NumPy has it)."""

    name: str
    activation: str
    units: tuple[str, ...] | None
    on_rate: Array  # share of examples with activation > 0
    dead: Array  # largest activation <= 0, and slope 0 on every example
    dormant: Array  # mean |activation| at most `faint` times the layer's mean of it
    saturated: Array  # the slope is under `flat` of its largest for at least `often` of the examples
    always_saturated: Array  # ... for all of them
    saturated_share: Array  # share of examples where it is
    mean: Array
    spread: Array
    max: Array
    mean_abs: Array

    def __len__(self) -> int:
        """How many units there are."""
        return len(self.dead)


@dataclass(frozen=True)
class GradientFlow:
    """The gradient of the loss on all activations of a layer (`kind` "activation"), or on a parameter: its mean,
    standard deviation, norm, mean size and share of exact zeros, and a verdict: "ok", "vanishing" (mean |g| < 1e-7),
    "exploding" (norm > 1e4) or "nan or inf"."""

    name: str
    kind: str
    mean: float
    std: float
    norm: float
    mean_abs: float
    zeros: float

    @property
    def verdict(self) -> str:
        if not math.isfinite(self.mean_abs):
            return "nan or inf"
        return "exploding" if self.norm > EXPLODING else "vanishing" if self.mean_abs < VANISHING else "ok"


@dataclass(frozen=True, eq=False)
class HealthReport:
    """The health of every layer on `examples` examples; printed as tables, with what is wrong in sentences.

    `layers` has those with an activation: an output layer has none. `gradients` is there when labels were given.
    `updates` has for each parameter log10(std of its last update / std of its weights), healthy near -3, or None where
    the weights are all equal; a HealthMonitor fills it in, and `epoch`.
    """

    layers: list[LayerHealth]
    examples: int
    gradients: list[GradientFlow] = field(default_factory=list)
    updates: dict[str, float | None] = field(default_factory=dict)
    epoch: int | None = None
    flat: float = FLAT
    often: float = OFTEN
    faint: float = FAINT

    @property
    def findings(self) -> list[str]:
        """What is wrong, a sentence each, with what the course notes advise; empty when all is well."""
        return advise(self)

    @property
    def ok(self) -> bool:
        """Whether nothing was found to be wrong."""
        return not self.findings

    def __str__(self) -> str:
        if not self.layers:
            return "This network has no activations whose health could be measured."
        rows = [("layer", "activation", "units", "dead", "dormant", "saturated", "always", "on-rate", "mean", "spread")]
        for h in self.layers:
            counts = (f"{int(getattr(h, flag).sum()):,}" for flag in FLAGS)
            means = (f"{x.mean():.3g}" for x in (h.mean, h.spread))
            rows.append((h.name, h.activation, f"{len(h):,}", *counts, f"{h.on_rate.mean():.0%}", *means))  # type: ignore[arg-type]
        on = "this 1 example" if self.examples == 1 else f"these {self.examples:,} examples"
        parts = [
            *table(rows, words=2),
            f"On {on}. Dead: never above 0, with slope 0 on each. Dormant: mean |a| at most {self.faint:g} of the "
            f"layer's. Saturated: slope under {self.flat:.0%} of its largest on at least {self.often:.0%} of them; "
            "always: on all. On-rate: share of them above 0; spread: standard deviation.",
        ]
        if self.gradients:
            flows = [("gradient on", "", "mean", "std", "norm", "mean |g|", "zeros", "verdict")]
            for g in self.gradients:
                sizes = (f"{x:.3g}" for x in (g.mean, g.std, g.norm, g.mean_abs))
                kind = "activations" if g.kind == "activation" else ""
                flows.append((g.name, kind, *sizes, f"{g.zeros:.0%}", g.verdict))  # type: ignore[arg-type]
            limits = f"Vanishing: mean |g| < {VANISHING:g}. Exploding: norm > {EXPLODING:g}. Zeros: exact ones."
            parts += ["", *table(flows, words=2), limits]
        if self.updates:
            steps = [("update of", "log10(std(update) / std(weights))")]
            steps += [(name, "n/a" if x is None else f"{x:.2f}") for name, x in self.updates.items()]
            parts += ["", *table(steps, words=1), "Healthy near -3. n/a: its entries are all equal."]
        return "\n".join([*parts, "", *(self.findings or ["All is well: nothing here asks for a change."])])

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, HealthReport) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and text, ready for JSON; what is not finite is "NaN", "Infinity" or "-Infinity"."""
        return {
            "examples": self.examples,
            "epoch": self.epoch,
            "thresholds": {"flat": self.flat, "often": self.often, "faint": self.faint},
            "layers": [
                {"name": h.name, "activation": h.activation, "units": h.units and list(h.units)}
                | {n: getattr(h, n).tolist() for n in FLAGS}
                | {n: [_plain(x) for x in getattr(h, n).tolist()] for n in SIZES}
                for h in self.layers
            ],
            "gradients": [{k: _plain(x) for k, x in vars(g).items()} | {"verdict": g.verdict} for g in self.gradients],
            "updates": {name: _plain(x) for name, x in self.updates.items()},
            "findings": self.findings,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> HealthReport:
        """The report that `to_dict` gave. Raises ValueError for anything else."""
        try:
            layers = [
                LayerHealth(
                    str(h["name"]), str(h["activation"]), None if h["units"] is None else tuple(h["units"]),
                    **{n: np.array(h[n], bool) for n in FLAGS},
                    **{n: np.array([float(x) for x in h[n]], float) for n in SIZES},
                )
                for h in content["layers"]
            ]  # fmt: skip
            flows = [
                GradientFlow(g["name"], g["kind"], *(float(g[k]) for k in ("mean", "std", "norm", "mean_abs", "zeros")))
                for g in content["gradients"]
            ]
            updates = {name: None if x is None else float(x) for name, x in content["updates"].items()}
            limits = {k: float(content["thresholds"][k]) for k in ("flat", "often", "faint")}
            return cls(layers, int(content["examples"]), flows, updates, content["epoch"], **limits)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"this is not a health report: {type(error).__name__}: {error}.") from None

    def to_numpy(self) -> Array:
        """A structured array with a row for every unit: its layer, activation, number and name, and every measure.

        >>> from micrograd_nn.nn import MLP
        >>> units = unit_health(MLP(2, [3, 4, 1], rng=0), np.eye(2)).to_numpy()
        >>> len(units), units["layer"][3], units["unit"][3]
        (7, np.str_('layers[1]'), np.int64(0))
        """
        rows = [
            (h.name, h.activation, i, h.units[i] if h.units else "", *(getattr(h, n)[i] for n in (*FLAGS, *SIZES)))
            for h in self.layers for i in range(len(h))
        ]  # fmt: skip
        text = [f"U{max([1, *(len(r[k]) for r in rows)])}" for k in (0, 1, 3)]
        kinds = [("layer", text[0]), ("activation", text[1]), ("unit", int), ("name", text[2]),
                 *((n, bool) for n in FLAGS), *((n, float) for n in SIZES)]  # fmt: skip
        return np.array(rows, dtype=kinds)


def unit_health(
    model: Module, X: Any, y: Any = None, loss: str | Callable[[Any, Any], Any] | None = None, batch_size: int = 1024,
    *, flat: float = FLAT, often: float = OFTEN, faint: float = FAINT,
) -> HealthReport:  # fmt: skip
    """Measure every activation that `model` computes from X, and with labels `y` the gradients of the loss as well.

    X is an array (N, features), also a memory-mapped one, or an iterable of batches: arrays, or pairs (X, y). It is
    gone through in pieces of at most `batch_size` examples, each forgotten after it was measured; the result does not
    depend on their size. `loss` is the name of one or a function of outputs and labels that gives their mean (default:
    cross_entropy, for whole-number labels); gradients are those of its mean over all examples. The model works as in
    use (dropout off), and is left as it was: modes, `.grad` and random generators.

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
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ValueError(f"batch_size is a whole number of at least 1, not {batch_size!r}.")
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
        for Xb, yb in _pieces(X, y, int(batch_size)):
            batch = Tensor(Xb, requires_grad=search or yb is not None)
            with np.errstate(all="ignore"), enable_grad() if batch.requires_grad else no_grad():
                out, activations = forward(model, batch, search)
                for act in activations:
                    layers.setdefault(act.name, _Units(act)).add(act, curves, flat)
                if yb is not None:
                    slopes = gradients(_loss(loss, yb)(out, yb))
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
        report = [GradientFlow(name, "activation", *m.found(1 / examples)) for name, m in flows.items()]
        for name, total in totals.items():
            report.append(GradientFlow(name, "parameter", *moments(total / examples)))
        return HealthReport(
            [units.found(name, often, faint) for name, units in layers.items()], examples, report,
            flat=flat, often=often, faint=faint,
        )  # fmt: skip


# --- what is gone through -------------------------------------------------------------------------------------------


def _pieces(X: Any, y: Any, size: int) -> Iterator[tuple[Array, Any]]:
    """The examples in arrays of at most `size`, with their labels or None."""
    X, y = _bare(X), _bare(y)
    if isinstance(X, (list, tuple)):
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
        pair = isinstance(item, tuple) and len(item) == 2
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


def _loss(loss: Any, y: Array) -> Any:
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


class _Moments:
    """Mean, standard deviation, norm, mean size and share of zeros of all numbers seen so far."""

    def __init__(self) -> None:
        self.n = self.zeros = 0
        self.mean = self.squares = self.size = 0.0

    def add(self, g: Any) -> _Moments:
        g = np.asarray(g, float).reshape(-1)
        n, mean = len(g), float(g.sum()) / max(1, len(g))
        scratch = g - mean
        self.mean, self.squares = merged(self.n, self.mean, self.squares, n, mean, float(scratch @ scratch))
        self.size += float(np.abs(g, out=scratch).sum())
        self.zeros += n - int(np.count_nonzero(g))
        self.n += n
        return self

    def found(self, scale: float) -> tuple[float, ...]:
        n = max(1, self.n)
        mean, std, norm = self.mean, math.sqrt(self.squares / n), math.sqrt(self.squares + n * self.mean**2)
        return mean * scale, std * scale, norm * scale, self.size / n * scale, self.zeros / n


def moments(g: Any) -> tuple[float, ...]:
    """Mean, standard deviation, norm, mean size and share of zeros of one array."""
    return _Moments().add(g).found(1.0)


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
        self.alive: Any = False  # a slope that is not 0 was seen
        self.dies = False

    def add(self, act: Activation, curves: Curves, flat: float) -> None:
        a = by_units(act.node.data, act.axis)
        if self.n and a.shape[1] != len(self.mean):
            raise ValueError(f"{act.name} has {a.shape[1]} units on one batch and {len(self.mean)} on another.")
        a = a.astype(float, copy=False)
        n = len(a)
        mean = a.sum(0) / n
        scratch = a - mean
        squares = np.multiply(scratch, scratch, out=scratch).sum(0)
        self.mean, self.squares = merged(self.n, self.mean, self.squares, n, mean, squares)
        self.on = self.on + (a > 0).sum(0)
        self.top = np.maximum(self.top, a.max(0))
        self.size = self.size + np.abs(a, out=scratch).sum(0)
        self.n += n
        curve = curves.of(act)
        self.dies = curve is not None and curve.dies
        low = self.top <= 0
        if curve is not None and (curve.bends or (curve.dies and (low & ~np.asarray(self.alive)).any())):
            slope = by_units(curve.slope(act.z, act.node.data), act.axis)
            self.alive = self.alive | slope.any(0)
            if curve.bends:
                self.flat = self.flat + (np.abs(slope) < flat * curve.steepest).sum(0)

    def found(self, name: str, often: float, faint: float) -> LayerHealth:
        share, size = (np.zeros(len(self.mean)) + x / self.n for x in (self.flat, self.size))
        return LayerHealth(
            name, self.activation, self.units, self.on / self.n,
            dead=(self.top <= 0) & ~np.asarray(self.alive) & self.dies,
            dormant=size <= faint * size.mean(), saturated=(share >= often) & (share > 0), always_saturated=share == 1,
            saturated_share=share, mean=self.mean, spread=np.sqrt(self.squares / self.n), max=self.top, mean_abs=size,
        )  # fmt: skip


def _plain(x: Any) -> Any:
    """`x`, or for a float that JSON cannot write the word that `float` reads back."""
    if not isinstance(x, float) or math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
