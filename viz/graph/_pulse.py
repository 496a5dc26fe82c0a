"""Which nodes are activations, and which of their units are dead or saturated, by the health module's own curves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from micrograd_nn.functional import sigmoid
from micrograd_nn.graph import Node
from micrograd_nn.health._activity import FLAT, Activation, Curves, activated, by_units, curve_of_op
from micrograd_nn.health._measure import layer_health
from micrograd_nn.nn import Neuron
from viz._scene import Unit
from viz._summary import Mark, percent
from viz._thresholds import on
from viz.graph._reading import item

__all__ = ["MOST_UNITS", "Pulse", "Vitals", "activation", "steepness"]

MOST_UNITS = 16  # a tensor's box has room for so many cells


class Vitals(NamedTuple):
    """The health of one activation on the examples it was computed for, in a line, a mark and a cell a unit."""

    note: str
    mark: Mark
    units: tuple[Unit, ...]
    hover: str
    examples: int


class Pulse:
    """Feels the pulse of activations: `shown` are those that a model's own modules point out."""

    def __init__(self, shown: Iterable[Activation] = ()) -> None:
        self._shown = {act.node: act for act in shown}
        self._curves = Curves()

    def vitals(self, node: Node) -> Vitals | None:
        """The units of an activation on arrays; None for any other node, and for a Maxout, which has no one slope."""
        act = self._shown.get(node) or activation(node)
        if act is None or not node.data.size:
            return None
        curve = self._curves.of(act)
        if curve is None:
            return None
        found, examples = layer_health(act, self._curves), len(by_units(node.data, act.axis))
        n, dead, stuck = len(found), int(found.dead.sum()), int(found.saturated.sum())
        if curve.bends:
            some = f" ({stuck} of {n})" if stuck else ""
            note = f"{percent(float(found.saturated_share.mean()))} saturated{some}, {dead} dead"
        else:
            note = f"{percent(1.0 - float(found.on_rate.mean()))} off, {dead} of {n} units dead"
        marks: list[Mark] = ["dead" if d else "saturated" if s else "" for d, s in zip(found.dead, found.saturated)]
        lit = 1.0 - found.saturated_share if curve.bends else found.on_rate
        names, measure = act.units or map(str, range(n)), "not saturated" if curve.bends else "on"
        cells = tuple(Unit(name, float(x), mark, measure) for name, x, mark in zip(names, lit, marks, strict=True))
        told = [
            f"{word} {on(examples)}: units {', '.join(u.name for u in those[:20])}{', …' if len(those) > 20 else ''}"
            for word in ("dead", "saturated")
            if (those := [u for u in cells if u.mark == word])
        ]
        all_one = marks[0] if len(set(marks)) == 1 else ""
        hover = "\n".join([f"activation {act.label}", *told])
        return Vitals(note, all_one, cells if n <= MOST_UNITS else (), hover, examples)

    def gate(self, node: Node) -> Mark:
        """The mark of an activation that is one number: "closed" where its slope is 0, "saturated" where it is near."""
        steep = steepness(node)
        if steep is None or math.isnan(steep[0]):
            return ""
        share, bends = steep
        return "saturated" if bends and share < FLAT else "closed" if not bends and share == 0 else ""


def steepness(node: Node) -> tuple[float, bool] | None:
    """|f'(z)| / max |f'| of an activation that is one number, and whether it is one that saturates; None for others."""
    act = activation(node)
    if act is None:
        return None
    out = item(node.data)
    if act.function is sigmoid:  # by hand
        return abs(4 * out * (1 - out)), True
    place = next(i for i, p in enumerate(node.parents) if p is act.z)
    values = [p.data for p in node.parents]
    one = 1.0 if isinstance(node.data, float) else np.ones(np.shape(node.data))
    try:
        slope = math.nan if math.isnan(out) else abs(item(node.op.share(place, one, node.data, values, node.params)))
        if len(values) > 1:  # two straight pieces
            return slope, False
        curve = curve_of_op(node.op, node.params)
    except Exception:  # a rule that raises has no slope to speak of
        return None
    return slope / float(np.max(curve.steepest)), curve.bends


def activation(node: Node) -> Activation | None:
    """The activation that a node computes, if it is one: by its op, or as np.maximum(0, z) or 1 / (1 + np.exp(-z))."""
    found, function = activated(node), None
    if found is None and (squashed := _squashed(node)) is not None:
        found, function = ("sigmoid", squashed), sigmoid
    if found is None:
        return None
    (label, z), owner = found, node.frame.owner
    axis = None if isinstance(owner, Neuron) else owner._units_axis if owner is not None else _axis(z)
    return Activation(node.module or label, label, node, z, axis, function)


def _squashed(node: Node) -> Node | None:
    """The z of 1 / (1 + exp(-z))."""
    if node.op is None or node.op.name != "div":
        return None
    top, bottom = node.parents
    if not _constant(top, 1.0) or bottom.op is None or bottom.op.name != "add":
        return None
    powers = [p for p in bottom.parents if not _constant(p, 1.0)]
    if len(powers) != 1 or powers[0].op is None or powers[0].op.name != "exp":
        return None
    inner = powers[0].parents[0]
    if inner.op is not None and inner.op.name == "neg":
        return inner.parents[0]
    if inner.op is not None and inner.op.name == "mul":
        rest = [p for p in inner.parents if not _constant(p, -1.0)]
        return rest[0] if len(rest) == 1 else None
    return None


def _constant(node: Node, x: float) -> bool:
    return not node.requires_grad and bool(np.all(np.asarray(node.data) == x))


def _axis(z: Node) -> int:
    """Which axis counts the units where no module says: rows for weights @ x, as the notes write it."""
    for _ in range(3):
        if z.op is None or z.op.name not in ("add", "sub", "matmul"):
            return -1
        if z.op.name == "matmul":
            a, b = z.parents
            if b.op is not None and b.op.name == "transpose":  # inputs @ weights.T
                return -1
            weights_first = a.op is None and a.requires_grad and not (b.op is None and b.requires_grad)
            return 0 if weights_first and np.ndim(z.data) == 2 else -1
        z = max(z.parents, key=lambda p: (p.op is not None, np.size(p.data)))
    return -1
