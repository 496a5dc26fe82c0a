"""`draw`: from nodes, a model or a check's report to a picture, by way of a scene and its layout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from micrograd_nn.checks import at_least_one
from micrograd_nn.graph import Node, topological_order
from micrograd_nn.nn import Module, Network, Neuron
from viz._picture import Picture
from viz._scene import Scene
from viz._sheet import Sheet
from viz._text import clean
from viz._theme import Theme, checked_theme
from viz.export._networkx import later, units_of
from viz.graph._example import Example, kind_of, run_example
from viz.graph._gather import build_scene, needed
from viz.graph._layout import LayoutTimeout
from viz.graph._reading import Reading, is_number, is_pick
from viz.graph._svg import draw_scene
from viz.graph._wiring import wiring_scene

if TYPE_CHECKING:
    from micrograd_nn.checking import GradcheckReport

__all__ = ["draw"]

Detail = Literal["module", "tensor", "scalar"]
_FEW = 6  # arrays that fit side by side
TOO_LONG = "Graphviz took more than 10 s at this detail: drawn coarser"


@dataclass
class Plan:
    """What is to be drawn: a scene for any budget, and the whole graph for exports."""

    scene: Callable[[int], Scene]
    full: Callable[[], Any]


def draw(
    what: Node | Iterable[Node] | Module | GradcheckReport,
    detail: Detail | None = None,
    *,
    X: Any = None,
    y: Any = None,
    loss: str | Callable[[Any, Any], Any] | None = None,
    example: int = 0,
    neurons: Sequence[str | int] | str | int | None = None,
    direction: Literal["LR", "TB"] | None = None,
    depth: int | None = None,
    budget: int = 400,
    values: bool = True,
    gradients: bool = True,
    local_derivatives: bool = True,
    highlight: Sequence[Node | str] | Node | str = (),
    theme: Theme = "light",
    title: str | None = None,
) -> Picture:
    """A picture of a computation: of everything a Value, a Tensor or a list of them depends on, or of a model at work.

    A Module is drawn computing `X`, examples (N, features) or one of them. With labels `y` the loss is part of the
    picture, and so is every gradient: `loss` is a name as in `fit`, or a function of (outputs, labels); by itself it is
    cross_entropy for whole numbers and several outputs, binary_cross_entropy_with_logits for 0 and 1, hinge_loss for -1
    and +1, else mse_loss. Without `y`, gradients that are there are shown. A `Network`, or an MLP or Sequential of
    layers, without `X` is drawn as its wiring. A GradcheckReport of a failed check shows the op to blame, or the
    inputs whose gradients are wrong.

    `detail` is a zoom: "module" has a box a layer, "tensor" a box an op on arrays (for a graph of numbers: a box a
    neuron), "scalar" a box a number, which is the model on one example, `X[example]`. None is the finest that fits.
    With `neurons` at "scalar" only these are opened, each other one is a box: paths, in full or by their end
    ("layers[0].neurons[2]", "neurons[2]", "layers[0]", a unit's name), * and ? for any text and character; a number k
    is neuron k of every layer. A graph of more than `budget` boxes is folded, innermost modules first, and further
    while there are too many arrows to be told apart; the picture says so. `depth` folds modules nested that deep in any
    case (1: layers, 2: neurons).

    `direction` is "LR" (left to right) or "TB" (top to bottom); None is "TB" for more than a few arrays, whose boxes
    are wide, else "LR". `values`, `gradients` and `local_derivatives` can be left out. `highlight` marks nodes, names,
    or modules by their paths, with * and ? as well. `theme` is "light", "dark", "print"
    or "auto": a .svg or .html that is light or dark as its reader's system is, all else light.

    Pictures read and never touch: no `.grad` is written, a gradient that is not there yet is "–", and a model is run as
    in use (dropout off), its modes and random generators then being as they were. Where Graphviz takes more than 10 s,
    less is drawn, and the picture says so.

    Raises TypeError and ValueError for what cannot be drawn so, `micrograd_nn.CycleError` for a graph with a loop,
    `viz.LayoutError` where Graphviz is missing or gives up.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(2.0, name="a")
    >>> "grad" in draw(a * a).svg
    True
    >>> picture = draw(mg.nn.MLP(2, [3, 1], "tanh", rng=0), "module", X=[[0.5, -1.0]], y=[1.0])
    >>> "layers[0]" in picture.svg and "loss" in picture.svg
    True
    """
    if direction not in ("LR", "TB", None):
        raise ValueError(f'direction must be "LR" (left to right) or "TB" (top to bottom), not {direction!r}.')
    checked_theme(theme)
    looks: dict[str, Any] = {"values": values, "gradients": gradients, "local_derivatives": local_derivatives}
    with np.errstate(all="ignore"):  # infinities and NaN are shown, not warned about
        plan = plan_of(
            what, detail, X=X, y=y, loss=loss, example=example, neurons=neurons, depth=depth, budget=budget,
            highlight=highlight, **looks,
        )  # fmt: skip
        sheet = _fitting(plan, budget, direction, clean(title, 120) if title else "")
        assert sheet.graph is not None
        return Picture(replace(sheet, graph=replace(sheet.graph, looks=looks, folded=plan.scene)), theme)


def plan_of(
    what: Any, detail: Detail | None = None, *, X: Any = None, y: Any = None, loss: Any = None, example: int = 0,
    neurons: Any = None, depth: int | None = None, budget: int, highlight: Any = (), **looks: bool,
) -> Plan:  # fmt: skip
    """What `draw` draws, and `text` tells, before it is laid out; see `draw` for the arguments."""
    if isinstance(what, Module) and detail is not None and not isinstance(detail, str):
        raise TypeError("examples are given to draw by name, and labels too: viz.draw(model, X=X, y=y).")
    if detail not in (None, "module", "tensor", "scalar"):
        raise ValueError(f'detail must be "module", "tensor" or "scalar" (None: the finest that fits), not {detail!r}.')
    budget = at_least_one(budget, "budget")
    depth = None if depth is None else at_least_one(depth, "depth")
    marked: Any = [highlight] if isinstance(highlight, (Node, str)) else highlight
    if not isinstance(marked, (list, tuple, set)) or not all(isinstance(h, (Node, str)) for h in marked):
        raise TypeError(f"highlight takes nodes, names, and paths of modules, not {highlight!r:.60}.")
    marked = list(marked)
    shown: dict[str, Any] = {**looks, "highlight": marked}
    opened = _patterns(neurons)
    if loss is not None and y is None:
        raise ValueError("a loss needs labels: viz.draw(model, X=X, y=y, loss=loss).")
    if isinstance(what, Module) and X is None:
        wanted = {"y": y is not None, "neurons": bool(opened), f"detail={detail!r}": detail in ("tensor", "scalar")}
        if any(wanted.values()):
            given = " and ".join(name for name, there in wanted.items() if there)
            raise ValueError(f"{given} goes with a model computing X, and there is no X: viz.draw(model, X=X, ...).")
        return _wiring(what, detail, depth, looks.get("values", True), marked)
    if isinstance(what, Module):
        return _model(what, detail, X, y, loss, example, opened, depth, budget, shown)
    if X is not None or y is not None or loss is not None:
        raise TypeError(f"X, y and loss go with a model, and {_kind(what)} was given: leave them out.")
    return _graph(what, detail, opened, depth, shown)


def _patterns(neurons: Any) -> list[str]:
    given = [] if neurons is None else [neurons] if isinstance(neurons, (str, int)) else list(neurons)
    for n in given:
        if isinstance(n, bool) or not isinstance(n, (str, int, np.integer)):
            raise TypeError(f'neurons are paths such as "layers[0].neurons[2]", or numbers, not {n!r:.60}.')
    return [n if isinstance(n, str) else f"neurons[{n}]" for n in given]


# --- what is drawn --------------------------------------------------------------------------------------------------


def _wiring(model: Module, detail: Any, depth: int | None, values: bool, marked: list[Any]) -> Plan:
    """A model without an input: its units and weights."""
    net = model
    if not isinstance(net, Network):
        try:
            net = Network.from_mlp(model)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"to draw {clean(repr(model), 60)} give it something to compute: viz.draw(model, X=X), with X an array "
                f"of examples. Its wiring alone cannot be drawn: {clean(error, 200)}"
            ) from error
    depth = depth or (1 if detail == "module" else None)
    wired: Network = net
    full = units_of(model) or wired.to_networkx
    return Plan(lambda budget: wiring_scene(wired, budget, depth, values=values, highlight=marked), full)


def _model(
    model: Module, detail: Any, X: Any, y: Any, loss: Any, example: int, opened: list[str], depth: int | None,
    budget: int, looks: dict[str, Any],
) -> Plan:  # fmt: skip
    """A model computing X, at the detail asked for or the finest that fits."""
    if opened and detail not in (None, "scalar"):
        raise ValueError(f'neurons= opens neurons at detail="scalar", and detail is {detail!r}.')
    run: Example | None = None
    # One neuron of a layer has no parameters of its own, and is never too large to be tried.
    entries = 0 if isinstance(model, Neuron) else sum(int(np.size(p.data)) for p in model.parameters())
    if detail == "scalar" or opened:
        run = run_example(model, X, y, loss, example, True)
    elif detail is None and entries < budget:
        run = run_example(model, X, y, loss, example, True, must=False)
        if run is not None and len(needed(run.roots, run.reading)) > budget:
            run = None
    if run is None:
        run = run_example(model, X, y, loss, example, False)
    assert run is not None
    reading = replace(run.reading, **looks, open_modules=opened, innermost=bool(opened))
    return _planned(run.roots, depth, detail, reading, [" · ".join(run.notes)] if run.notes else [])


def _planned(roots: list[Node], depth: int | None, detail: Any, reading: Reading, notes: Sequence[str]) -> Plan:
    depth = depth or (1 if detail == "module" else None)

    def scene(budget: int) -> Scene:
        found = build_scene(roots, budget, depth, reading)
        return replace(found, notes=(*notes, *found.notes))

    return Plan(scene, later(roots, reading.grad, reading.name))


def _graph(what: Any, detail: Any, opened: list[str], depth: int | None, looks: dict[str, Any]) -> Plan:
    """A graph that is there already: of nodes, or of what a check blames."""
    notes: list[str] = []
    if isinstance(what, Node):
        roots, reading = [what], Reading()
    elif isinstance(what, (list, tuple, set)) and all(isinstance(node, Node) for node in what):
        roots, reading = list(what), Reading()
    else:
        from micrograd_nn.checking import GradcheckReport
        from viz.graph._verdict import read_verdict

        if not isinstance(what, GradcheckReport):
            raise TypeError(
                f"draw takes a Value, a Tensor, or a list of them, a Module with X=, or a GradcheckReport, not "
                f"{_kind(what)}."
            )
        root, reading, notes = read_verdict(what, looks["gradients"])
        roots = [root]
    if not roots:
        raise ValueError("draw was given an empty list: there is nothing to draw.")
    nodes = topological_order(roots)
    numbers = _of_numbers(nodes)
    if detail == "scalar" and not numbers:
        raise ValueError(
            'this is a graph of arrays, and detail="scalar" has a box a number: pass the model, '
            'viz.draw(model, X=..., detail="scalar"), and one example is computed number by number.'
        )
    if opened and not numbers:
        raise ValueError(
            "neurons= opens neurons of a graph of numbers, and this is one of arrays: pass the model, "
            "viz.draw(model, X=..., neurons=[...])."
        )
    innermost = bool(opened) or (detail == "tensor" and numbers)
    reading = replace(reading, **looks, kinds=_kinds(nodes), open_modules=opened, innermost=innermost)
    return _planned(roots, depth, detail, reading, notes)


def _of_numbers(nodes: list[Node]) -> bool:
    """Whether every node is a number, but for parameters that entries are picked out of."""
    arrays = {n for n in nodes if not is_number(n)}
    if any(n.op is not None for n in arrays):
        return False
    return not arrays or all(is_pick(n) or arrays.isdisjoint(n.parents) for n in nodes)


def _kinds(nodes: list[Node]) -> dict[str, str]:
    """What the modules are that made these nodes, where a node remembers."""
    from micrograd_nn.nn import Layer

    found: dict[str, str] = {}
    owners = {id(n.frame.owner): (n.module, n.frame.owner) for n in nodes if n.frame.owner is not None}
    for module, owner in owners.values():
        layer = getattr(owner, "_layer", None)  # of a neuron
        if isinstance(layer, Layer):
            module, owner = module.rpartition(".")[0], layer
        if isinstance(owner, Layer) and module:
            found[module] = kind_of(owner)
    return found


def _kind(what: object) -> str:
    if isinstance(what, (list, tuple, set)):
        strange = next(x for x in what if not isinstance(x, Node))
        return f"a {type(what).__name__} with a {type(strange).__name__} in it"
    return type(what).__name__


# --- until it can be laid out ---------------------------------------------------------------------------------------


def _direction(scene: Scene) -> str:
    return "TB" if sum(box.kind == "tensor" for box in scene.boxes) > _FEW else "LR"


def _fitting(plan: Plan, budget: int, direction: str | None, heading: str) -> Sheet:
    """The sheet at this budget, or at a smaller one where Graphviz needs too long."""
    late = False
    while True:
        scene = plan.scene(budget)
        if late:
            scene = replace(scene, notes=(*scene.notes, TOO_LONG))
        try:
            return draw_scene(scene, direction or _direction(scene), heading, plan.full)
        except LayoutTimeout:
            if len(scene.boxes) <= 12:
                raise
            budget, late = max(8, len(scene.boxes) // 4), True
