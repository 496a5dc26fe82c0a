"""Which activations a forward pass computes, and how steep each one's function is where it was computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from micrograd_nn.graph import Node, gradients, topological_order
from micrograd_nn.modes import enable_grad, frame
from micrograd_nn.nn import Module, Neuron
from micrograd_nn.nn._module import observer
from micrograd_nn.op import Op
from micrograd_nn.tensor import Tensor

__all__ = [
    "Activation",
    "Curve",
    "Curves",
    "activated",
    "as_shown",
    "by_units",
    "curve_of_op",
    "forward",
    "found",
    "nodes",
    "shows_all",
    "watching",
]

Array = np.ndarray[Any, Any]
NAMES = ("relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid")


@dataclass(frozen=True)
class Activation:
    """One activation of a forward pass: units at `z` gave `node`, and `axis` of both counts the units (None: there is
    one). `function` is what computed it, or None where the node's own op says so. `units` are names, where units have
    some."""

    name: str
    label: str
    node: Node
    z: Node
    axis: int | None
    function: Callable[[Any], Any] | None = None
    units: tuple[str, ...] | None = None


@contextmanager
def watching(watch: Any) -> Iterator[None]:
    """Inside, `watch` and nobody else is shown the activations."""
    token = observer.set(watch)
    try:
        yield
    finally:
        observer.reset(token)


def shows_all(parts: Iterable[Module]) -> bool:
    """Whether every part is one of ours: those show each activation, so that no graph needs to be searched."""
    return all(type(part).forward.__module__.startswith("micrograd_nn.nn.") for part in parts)


def forward(model: Module, batch: Tensor, search: bool) -> tuple[Any, list[Activation]]:
    """What the model gives for a batch, and every activation on the way there, in the order they were computed.

    They are shown by the modules that compute them; with `search` the graph from the batch on, which must be recorded,
    is searched for those that a module of one's own computed without showing them.
    """
    shown: list[Activation] = []

    def watch(module: Module, function: Any, z: Any, a: Any) -> None:
        act = as_shown(module, function, z, a, frame.get().module)
        if act is not None:
            shown.append(replace(act, units=module._unit_names(a)))

    with watching(watch):
        out = model(batch)
    return out, found(shown, list(nodes(out)) if search else None, batch, len(batch))


def as_shown(module: Module, function: Callable[[Any], Any], z: Any, a: Any, path: str) -> Activation | None:
    """What `activate` shows at a place in the model, as an activation; None for an identity, or what is no node."""
    if a is z or not isinstance(z, Node) or not isinstance(a, Node):
        return None
    given = getattr(module, "activation", None)
    label = given if isinstance(given, str) else str(getattr(function, "__name__", type(function).__name__))
    axis = None if isinstance(module, Neuron) else module._units_axis
    return Activation(path or label, label, a, z, axis, function)


def found(shown: list[Activation], roots: Iterable[Node] | None, batch: Node | None, rows: int) -> list[Activation]:
    """The activations shown, and with `roots` those in the graph of these nodes that nobody showed, by age.

    With `batch` only what was computed from it counts; `rows` is its number of examples. What a module computed more
    than once has a number in its name.
    """
    everything = list(shown)
    if roots is not None:
        inside: set[Node] = set()
        for act in shown:
            stack = [act.node]
            while stack:  # back from the activation to what it was given
                node = stack.pop()
                if node not in inside and abs(node.stamp) > abs(act.z.stamp):
                    inside.add(node)
                    stack.extend(node.parents)
        from_data = {batch}
        for node in topological_order([*roots, *(act.node for act in shown)]):
            if batch is not None and from_data.isdisjoint(node.parents):
                continue
            from_data.add(node)
            if node not in inside and (batch is not None or node.frame.owner is not None):
                everything.extend(_of_an_op(node, rows))
        if batch is not None:
            everything = [act for act in everything if act.node in from_data]
        everything.sort(key=lambda act: abs(act.node.stamp))
    calls: dict[str, int] = {}
    for i, act in enumerate(everything):
        calls[act.name] = again = calls.get(act.name, 0) + 1
        if again > 1:
            everything[i] = replace(act, name=f"{act.name} #{again}")
    return everything


def activated(node: Node) -> tuple[str, Node] | None:
    """Which activation a node is by its op, and of which input; None for any other op, and for a leaf."""
    if node.op is None:
        return None
    if node.op.name == "maximum":  # np.maximum(0, z), as the notes write a ReLU
        zeros = [p for p in node.parents if p.stamp < 0 and not np.any(p.data)]
        return ("relu", next(p for p in node.parents if p is not zeros[0])) if len(zeros) == 1 else None
    return (node.op.name, node.parents[0]) if node.op.name in NAMES else None


def _of_an_op(node: Node, rows: int) -> Iterator[Activation]:
    """The activation that a node of the graph is, if it is one."""
    shape, owner, is_one = np.shape(node.data), node.frame.owner, activated(node)
    if is_one is not None and (len(shape) > 1 or shape == (rows,)):  # anything else has no examples
        axis = None if len(shape) == 1 else owner._units_axis if owner is not None else -1
        yield Activation(node.module or is_one[0], is_one[0], node, is_one[1], axis)


def nodes(out: Any) -> Iterator[Node]:
    """The nodes in what a model returned."""
    if isinstance(out, Node):
        yield out
    elif isinstance(out, (list, tuple, dict)):
        for item in out.values() if isinstance(out, dict) else out:
            yield from nodes(item)


def by_units(a: Any, axis: int | None) -> Array:
    """An activation as (rows, units)."""
    a = np.asarray(a)
    if axis is None or not a.ndim:
        return np.reshape(a, (-1, 1))
    if axis not in (-1, a.ndim - 1):
        a = np.moveaxis(a, axis, -1)
    rows: Array = a.reshape(-1, a.shape[-1])
    return rows


# --- how steep ------------------------------------------------------------------------------------------------------

GRID = np.linspace(-20.0, 20.0, 2001)  # 0 is in the middle
ONE = np.ones(())
FLAT = 0.06
Slope = Callable[[Any, Any], Array]  # of z and the activation there


@dataclass(frozen=True)
class Curve:
    """A function of one number as health sees it: its slope at any z, and what a grid of its slopes tells.

    `steepest` is the largest |f'(z)|, one for all units or one each. A function `bends` that is more than two straight
    pieces, and has a largest slope: it is flat in some places, where it saturates. ReLU's kin do not. It `dies` that
    is not flat at both ends: a sigmoid that is flat is saturated, not dead.
    """

    slope: Slope
    steepest: Any = 1.0
    bends: bool = False
    dies: bool = True
    alike: bool = False  # whether `slope` can be asked about some of the units, in any arrangement

    def slopes(self, act: Activation, units: Any = None) -> Array:
        """The slopes at an activation, as (rows, units); with `units`, a mask, only theirs."""
        z, a = act.z.data, act.node.data
        if units is not None and self.alike:
            return self.slope(by_units(z, act.axis)[:, units], by_units(a, act.axis)[:, units])
        rows = by_units(self.slope(z, a), act.axis)
        return rows if units is None else rows[:, units]


class Curves:
    """The curve of each activation; what has to be measured is measured once."""

    def __init__(self) -> None:
        self.measured: dict[str, Curve] = {}

    def of(self, act: Activation) -> Curve | None:
        """None where an output does not belong to one z, as in Maxout: no slope, no dying and no saturation."""
        z = act.z.data
        if z.shape != act.node.data.shape:
            return None
        function, place = act.function, 0
        if isinstance(function, Op):
            return curve_of_op(function, {})
        origin = act.node
        if function is None:
            place = next(i for i, x in enumerate(origin.inputs) if x is act.z)
        elif act.name in self.measured:
            return self.measured[act.name]
        else:  # what is a single op with a parameter has that op's own rule
            probe = Tensor(z if z.ndim == 1 else z[:, :1] if act.axis == 0 else z[:1], True)
            origin = _quietly(function, probe)
            if not (isinstance(origin, Node) and origin.stamp > 0 and origin.op is not None
                    and origin.op.name in NAMES and origin.inputs[0] is probe):  # fmt: skip
                self.measured[act.name] = _curve_of_any(function, z.shape, act.axis)
                return self.measured[act.name]
        op, given, params = origin.op, origin.inputs, origin.params
        if len(given) == 1:
            return curve_of_op(op, params)
        rest = [x.data if isinstance(x, Node) else x for x in given]  # a slope that is learned, or the 0 of max(0, z)
        before, after = rest[:place], rest[place + 1 :]
        return Curve(lambda z, a: np.broadcast_to(op.share(place, ONE, a, [*before, z, *after], params), np.shape(z)))


def curve_of_op(op: Op, params: Mapping[str, Any]) -> Curve:
    """The curve of an op with one input, the slope from its own rule; measured once."""
    return _curve_of_op(op, tuple(sorted(params.items())))


@lru_cache
def _curve_of_op(op: Op, params: tuple[tuple[str, Any], ...]) -> Curve:
    settings = dict(params)

    def slope(z: Any, a: Any) -> Array:
        return np.broadcast_to(op.share(0, ONE, a, (z,), settings), np.shape(z))

    with np.errstate(all="ignore"):
        return _measured(slope, slope(GRID, op.array(GRID, **settings))[:, None], alike=True)


def _curve_of_any(function: Callable[[Any], Any], shape: tuple[int, ...], axis: int | None) -> Curve:
    """The slope of any function of nodes, from the engine."""

    def slope(z: Any, a: Any = None) -> Array:
        x = Tensor(z, True)
        y = _quietly(function, x)
        if not isinstance(y, Node) or y.stamp < 0:
            return np.zeros(np.shape(z))
        if y.data.shape != x.data.shape:
            raise ValueError(f"an activation gave shape {y.data.shape} for shape {x.data.shape}.")
        return np.asarray(gradients(y, np.ones(x.data.shape)).get(x, 0.0) * np.ones(x.data.shape))

    if axis is None or len(shape) < 2:
        return _measured(slope, by_units(slope(GRID if axis is None else _grid(shape, -1)), axis))
    try:  # most functions treat all units alike
        return _measured(slope, by_units(slope(_grid((1, 1), axis)), axis))
    except (ValueError, IndexError):
        return _measured(slope, by_units(slope(_grid(shape, axis)), axis))


def _grid(shape: tuple[int, ...], axis: int) -> Array:
    """The grid for every unit, with as many axes as the activations have."""
    units = shape[axis]
    return np.repeat(GRID[None], units, 0) if axis == 0 else np.repeat(GRID[:, None], units, 1)


def _measured(slope: Slope, found: Array, alike: bool = False) -> Curve:
    """What the slopes on the grid, (points, units), say of a function."""
    size = np.abs(found)
    steepest = size.max(0)
    quarter = len(GRID) // 4
    grows = (steepest > 1.05 * size[quarter:-quarter].max(0)).any()
    pieces = np.delete(found, len(GRID) // 2, 0)  # at 0 itself, where a tie is shared, the slope may be neither side's
    changes = (np.abs(np.diff(pieces, axis=0)) > 1e-9 * steepest).sum(0)
    dies = (np.maximum(size[0], size[-1]) >= FLAT * steepest).any()
    shared = steepest[0] if (steepest == steepest[0]).all() else steepest
    return Curve(slope, shared, bool((changes > 1).any() and not grows), bool(dies), alike)


def _quietly(function: Callable[[Any], Any], x: Tensor) -> Any:
    with enable_grad(), watching(None):
        return function(x)
