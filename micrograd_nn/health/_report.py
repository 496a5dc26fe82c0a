"""What is known of a network's health: unit by unit, the gradients and the last step; as tables, a dict, an array."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.health._activity import FLAT
from micrograd_nn.health._advice import advise
from micrograd_nn.text import spelled, table

__all__ = ["FAINT", "OFTEN", "GradientFlow", "HealthReport", "LayerHealth"]

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
    """The gradient of each example's own loss on a layer's activations (`kind` "activation"), or of their mean loss on
    a parameter: mean, standard deviation, norm (on activations the root mean square over the examples), mean size and
    share of exact zeros, and a verdict: "ok", "vanishing" (mean |g| < 1e-7), "exploding" (norm > 1e4) or "nan or inf".
    """

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
        rows = [("layer", "activation", "units", "dead", "dormant", "saturated", "always", "on-rate", "mean", "spread")]
        for h in self.layers:
            counts = (f"{int(getattr(h, flag).sum()):,}" for flag in FLAGS)
            means = (f"{x.mean():.3g}" for x in (h.mean, h.spread))
            rows.append((h.name, h.activation, f"{len(h):,}", *counts, f"{h.on_rate.mean():.0%}", *means))  # type: ignore[arg-type]
        on = "this one example" if self.examples == 1 else f"these {self.examples:,} examples"
        on += "" if self.epoch is None else f", after epoch {self.epoch:,}"
        note = (
            f"On {on}. Dead: never above 0, with slope 0 on each. Dormant: mean |a| at most {self.faint:g} of the "
            f"layer's. Saturated: slope under {self.flat:.0%} of its largest on at least {self.often:.0%} of them; "
            "always: on all. On-rate: share of them above 0; spread: standard deviation."
        )
        parts = ["This network has no activations whose health could be measured."]
        if self.layers:
            parts = table(rows, words=2)
            parts += textwrap.wrap(note, max(72, len(parts[0])))
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
        if findings := self.findings:
            parts += ["", *findings]
        elif self.gradients:
            parts += ["", "All is well: neither units nor gradients ask for a change."]
        elif self.layers:
            parts += ["", "All is well with the units. Whether gradients reach them is known only with labels."]
        return "\n".join(parts)

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
                | {n: [spelled(x) for x in getattr(h, n).tolist()] for n in SIZES}
                for h in self.layers
            ],
            "gradients": [{k: spelled(x) for k, x in vars(g).items()} | {"verdict": g.verdict} for g in self.gradients],
            "updates": {name: spelled(x) for name, x in self.updates.items()},
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

        >>> from micrograd_nn import unit_health
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
