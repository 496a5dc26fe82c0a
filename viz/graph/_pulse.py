"""Which nodes are activations, and which of their units are dead or saturated, by the health module's own curves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrograd_nn.graph import Node
from viz._scene import Unit
from viz._summary import Mark, percent

if TYPE_CHECKING:
    from micrograd_nn.health._activity import Activation

__all__ = ["MOST_UNITS", "Pulse", "Vitals", "activation", "steepness"]

MOST_UNITS = 16  # a tensor's box has room for so many cells


class Vitals(NamedTuple):
    """The health of one activation on the examples it was computed for, in a line, a mark and a cell a unit."""

    note: str
    mark: Mark
    units: tuple[Unit, ...]
    hover: str


class Pulse:
    """Feels the pulse of activations: `shown` are those that a model's own modules point out."""

    def __init__(self, shown: Iterable[Activation] = ()) -> None:
        from micrograd_nn.health._activity import Curves

        self._shown = {act.node: act for act in shown}
        self._curves = Curves()

    def vitals(self, node: Node) -> Vitals | None:
        """The units of an activation on arrays; None for any other node, and for a Maxout, which has no one slope."""
        from micrograd_nn.health._activity import FLAT
        from micrograd_nn.health._measure import _Units
        from micrograd_nn.health._report import FAINT, OFTEN

        act = self._shown.get(node) or activation(node)
        if act is None or not node.data.size:
            return None
        curve = self._curves.of(act)
        if curve is None:
            return None
        measured = _Units(act)
        measured.add(act, self._curves, FLAT)
        found = measured.found(act.name, OFTEN, FAINT)
        n, dead, stuck = len(found), int(found.dead.sum()), int(found.saturated.sum())
        if curve.bends:
            some = f" ({stuck} of {n})" if stuck else ""
            note = f"{percent(float(found.saturated_share.mean()))} saturated{some}, {dead} dead"
        else:
            note = f"{percent(1.0 - float(found.on_rate.mean()))} off, {dead} of {n} units dead"
        marks: list[Mark] = ["dead" if d else "saturated" if s else "" for d, s in zip(found.dead, found.saturated)]
        lit = 1.0 - found.saturated_share if curve.bends else found.on_rate
        names = act.units or tuple(map(str, range(n)))
        cells = tuple(Unit(name, float(x), mark) for name, x, mark in zip(names, lit, marks, strict=True))
        told = [
            f"{word} units: {', '.join(u.name for u in those[:20])}{', ...' if len(those) > 20 else ''}"
            for word in ("dead", "saturated")
            if (those := [u for u in cells if u.mark == word])
        ]
        all_one = marks[0] if len(set(marks)) == 1 else ""
        return Vitals(note, all_one, cells if n <= MOST_UNITS else (), "\n".join([f"activation {act.label}", *told]))

    def gate(self, node: Node) -> Mark:
        """The mark of an activation that is one number: "closed" where its slope is 0, "saturated" where it is near."""
        steep = steepness(node)
        if steep is None or math.isnan(steep[0]):
            return ""
        share, bends = steep
        return "saturated" if bends and share < _flat() else "closed" if not bends and share == 0 else ""


def steepness(node: Node) -> tuple[float, bool] | None:
    """|f'(z)| / max |f'| of an activation that is one number, and whether it is one that saturates; None for others."""
    from micrograd_nn.health._activity import _curve_of_op

    act = activation(node)
    if act is None or node.op is None:
        return None
    if node.op.name == "div":  # a sigmoid by hand
        s = _item(node.data)
        return abs(4 * s * (1 - s)), True
    where = next(i for i, p in enumerate(node.parents) if p is act.z)
    values = [p.data for p in node.parents]
    one = 1.0 if isinstance(node.data, float) else np.ones(np.shape(node.data))
    try:
        slope = abs(_item(node.op.share(where, one, node.data, values, node.params)))
        if len(values) > 1:
            return (slope if not math.isnan(_item(node.data)) else math.nan), False
        curve = _curve_of_op(node.op, tuple(sorted(node.params.items())))
    except Exception:  # a rule that raises has no slope to speak of
        return None
    if math.isnan(_item(node.data)):
        return math.nan, curve.bends
    return slope / float(np.max(curve.steepest)), curve.bends


def activation(node: Node) -> Activation | None:
    """The activation that a node computes, if it is one: by its op, or as np.maximum(0, z) or 1 / (1 + np.exp(-z))."""
    from micrograd_nn.health._activity import NAMES, Activation
    from micrograd_nn.nn import Neuron

    if node.op is None:
        return None
    label, function = node.op.name, None
    if label in NAMES:
        z: Node | None = node.parents[0]
    elif label == "maximum":
        zeros = [p for p in node.parents if not p.requires_grad and not np.any(p.data)]
        z = next(p for p in node.parents if p is not zeros[0]) if len(zeros) == 1 else None
        label = "relu"
    else:
        z = _squashed(node) if label == "div" else None
        label = "sigmoid"
        if z is not None:
            from micrograd_nn.functional import sigmoid as function  # type: ignore[assignment]
    if z is None:
        return None
    owner = node.frame.owner
    axis = None if isinstance(owner, Neuron) else owner._units_axis if owner is not None else _axis(z)
    return Activation(node.module or label, label, node, z, axis, function)


def _squashed(node: Node) -> Node | None:
    """The z of 1 / (1 + exp(-z))."""
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
            weights_first = a.op is None and a.requires_grad and not (b.op is None and b.requires_grad)
            return 0 if weights_first and np.ndim(z.data) == 2 else -1
        z = max(z.parents, key=lambda p: (p.op is not None, np.size(p.data)))
    return -1


def _item(x: Any) -> float:
    return float(np.asarray(x.dense() if hasattr(x, "dense") else x).reshape(()))


def _flat() -> float:
    from micrograd_nn.health._activity import FLAT

    return FLAT
