"""Which units of a network are dead, dormant or saturated on given data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.graph import Node, topological_order
from micrograd_nn.modes import enable_grad
from micrograd_nn.nn import Module
from micrograd_nn.tensor import Tensor
from micrograd_nn.text import table

__all__ = ["HealthReport", "LayerHealth", "unit_health"]

Array = np.ndarray[Any, Any]
ACTIVATIONS = {"relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid"}
STEEPEST = {"tanh": 1.0, "sigmoid": 0.25}  # the largest slope of the functions that flatten on both sides
FLAT, OFTEN, FAINT = 0.06, 0.95, 0.025


@dataclass(frozen=True)
class LayerHealth:
    """One layer: `name`, its activation, and an array with an entry a unit for each measure."""

    name: str
    activation: str
    on_rate: Array  # share of examples with activation > 0
    dead: Array  # a ReLU whose largest activation over the examples is <= 0
    dormant: Array  # mean |activation| at most FAINT times the layer's mean of it
    saturated: Array  # the slope is under FLAT of its largest for at least OFTEN of the examples


@dataclass(frozen=True)
class HealthReport:
    """The health of every layer on `examples` examples; printed as a table. The output layer has no activation and
    is not in it."""

    layers: list[LayerHealth]
    examples: int

    def __str__(self) -> str:
        if not self.layers:
            return "This network has no activations whose health could be measured."
        head = ("layer", "activation", "units", "dead", "dormant", "saturated", "on-rate")
        rows = [head]
        for h in self.layers:
            counts = (str(int(flags.sum())) for flags in (h.dead, h.dormant, h.saturated))
            rows.append((h.name, h.activation, str(len(h.dead)), *counts, f"{h.on_rate.mean():.0%}"))  # type: ignore[arg-type]
        note = (
            f"On these {self.examples:,} examples. Dead: a ReLU that never lets anything through. Dormant: mean |a| at "
            f"most {FAINT} of the layer's. Saturated: slope under {FLAT:.0%} of its largest for at least {OFTEN:.0%} "
            "of the examples."
        )
        return "\n".join([*table(rows, words=2), note])

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, ready for JSON."""
        names = ("on_rate", "dead", "dormant", "saturated")
        return {
            "examples": self.examples,
            "thresholds": {"flat": FLAT, "often": OFTEN, "faint": FAINT},
            "layers": [
                {"name": h.name, "activation": h.activation} | {n: getattr(h, n).tolist() for n in names}
                for h in self.layers
            ],
        }


def unit_health(model: Module, X: Any, batch_size: int = 1024) -> HealthReport:
    """Measure every activation that `model` computes from X (N, features), in batches of bounded memory.

    Any module will do: the activations are found in the graph of a forward pass, by the layers that made them.

    >>> from micrograd_nn.nn import MLP
    >>> model = MLP(2, [3, 1], rng=0)
    >>> model.layers[0].bias.data = np.array([0.0, 0.0, -100.0])
    >>> unit_health(model, np.ones((5, 2))).layers[0].dead.tolist()[2]
    True
    """
    X = np.asarray(X, float)
    if X.ndim != 2 or not len(X):
        raise ValueError(f"unit_health takes examples (N, features), and got shape {X.shape}.")
    if not np.isfinite(X).all():
        raise ValueError("unit_health takes finite numbers, and X holds NaN or infinity.")
    sums: dict[str, dict[str, Any]] = {}
    was_training = [m for m in model.modules() if m.training]
    model.eval()
    try:
        for start in range(0, len(X), batch_size):
            batch = Tensor(X[start : start + batch_size], requires_grad=True)
            with enable_grad():
                out = model(batch)
            for name, op, a in _activations(out, batch):
                s = sums.setdefault(name, {"op": op, "n": 0, "on": 0, "top": -np.inf, "size": 0, "flat": 0})
                s["n"] += len(a)
                s["on"] = s["on"] + (a > 0).sum(0)
                s["top"] = np.maximum(s["top"], a.max(0))
                s["size"] = s["size"] + np.abs(a).sum(0)
                s["flat"] = s["flat"] + _flat(op, a).sum(0)
    finally:
        for m in was_training:
            m.training = True
    layers = []
    for name, s in sums.items():
        size = s["size"] / s["n"]
        if not np.isfinite(size).all():
            raise ValueError(f"the activations of {name} overflow: there is no health to measure.")
        dead = (s["top"] <= 0) & (s["op"] == "relu")
        layers.append(
            LayerHealth(name, s["op"], s["on"] / s["n"], dead, size <= FAINT * size.mean(), s["flat"] >= OFTEN * s["n"])
        )
    return HealthReport(layers, len(X))


def _activations(out: Any, batch: Tensor) -> Iterator[tuple[str, str, Array]]:
    """Name, function and array (N, units) of every activation between the examples and what came of them."""
    seen: dict[str, int] = {}
    from_data: set[Node] = {batch}
    for node in topological_order(list(_nodes(out))):
        if from_data.isdisjoint(node.parents):
            continue
        from_data.add(node)
        op = node.op.name
        if op in ACTIVATIONS and np.ndim(node.data) >= 2:
            name = node.module or op
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name = f"{name} #{seen[name]}"
            yield name, op, node.data.reshape(-1, node.data.shape[-1])


def _nodes(out: Any) -> Iterator[Node]:
    """The nodes in what a model returned."""
    if isinstance(out, Node):
        yield out
    elif isinstance(out, (list, tuple, dict)):
        for item in out.values() if isinstance(out, dict) else out:
            yield from _nodes(item)


def _flat(op: str, a: Array) -> Array:
    """Where the slope at the activation `a` is under FLAT of the largest there is."""
    if op not in STEEPEST:
        return np.zeros(a.shape, bool)
    slope = 1 - a * a if op == "tanh" else a * (1 - a)
    flat: Array = slope < FLAT * STEEPEST[op]
    return flat
