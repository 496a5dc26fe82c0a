"""A network's wiring as a scene: a box for every input and unit, an edge for every weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from micrograd_nn.nn import Network
from viz._scene import Box, Edge, Scene
from viz._text import clean, number, signed
from viz.graph._fold import fold
from viz.graph._gather import framed, matcher, near_misses
from viz.graph._reading import LONG, LONGEST

__all__ = ["wiring_scene"]

_INPUTS = "inputs"
_SINGLY = 12  # inputs that keep a box each where units are folded


def wiring_scene(
    net: Network, budget: int, depth: int | None = None, *, values: bool = True, highlight: Sequence[Any] = ()
) -> Scene:
    """Inputs, and units in frames by generation; over the budget, in boxes or edges, a generation is one box.

    Raises ValueError for a network without units, and for a unit to highlight that there is not.
    """
    if not net.units:
        raise ValueError(f"{net!r} has no units to draw: net.unit('y', inputs=[...]) makes one.")
    graph = net.to_networkx()
    generation = {name: k for k, names in enumerate(net.generations) for name in names}
    names = [*net.inputs, *sorted(net.units, key=generation.__getitem__)]
    many = (_INPUTS,) if len(net.inputs) > _SINGLY else ()
    paths = [(f"generations[{generation[n]}]",) if n in generation else many for n in names]
    levels = [generation.get(n, -1) + 1 for n in names]
    if depth is None and graph.number_of_edges() > max(budget, 200):
        depth = 1  # so many lines would be one dark patch
    groups = fold(paths, levels, budget, depth)
    outputs, chosen = set(net.outputs), _chosen(names, highlight)
    boxes: list[Box] = []
    homes: list[tuple[str, ...]] = []
    box_of: dict[str, int] = {}
    for b, (path, members) in enumerate(groups):
        inside = [names[i] for i in members]
        box_of.update(dict.fromkeys(inside, b))
        made = _unit(inside[0], graph, outputs, values) if len(inside) == 1 else _folded(inside, path, graph, outputs)
        boxes.append(replace(made, highlighted=not chosen.isdisjoint(inside)))
        home = paths[members[0]]
        homes.append(() if home == (_INPUTS,) else home if len(members) == 1 else path[:-1])
    kinds = {
        f"generations[{k}]": f"{len(units):,} unit" + "s" * (len(units) != 1) for k, units in enumerate(net.generations)
    }
    root = framed(homes, [box.name if box.kind == "group" else None for box in boxes], kinds)
    folded = [members for _, members in groups if len(members) > 1]
    return Scene(boxes, _edges(graph, box_of, boxes), root, sum(map(len, folded)), len(folded), kind="wiring")


def _unit(name: str, graph: Any, outputs: set[str], values: bool) -> Box:
    facts = graph.nodes[name]
    if facts["kind"] == "input":
        hover = f"{clean(name, LONG)}\ninput"
        full = clean(name, LONGEST)
        return Box("unit", clean(name), hover=hover, full_name=full, tracked=False, is_input=True, shows_grad=False)
    given, bias = facts["activation"], facts["bias"]
    activation = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
    several = isinstance(bias, list)
    lines = [clean(name, LONG), f"unit, {clean(activation, LONG)}", f"bias {bias!r}"]
    lines += [f"{what} {facts[what]!r}" for what in ("pieces", "slope") if what in facts]
    return Box(
        "unit", clean(name), clean(activation, 16), ", ".join(map(number, bias[:3])) if several else "",
        None if several or not values else float(bias), hover="\n".join(lines), full_name=clean(name, LONGEST),
        tracked=False, is_output=name in outputs, op_name=clean(activation, LONG), shows_value=values,
        shows_grad=False,
    )  # fmt: skip


def _folded(inside: list[str], path: tuple[str, ...], graph: Any, outputs: set[str]) -> Box:
    """A generation, or all inputs, as one box."""
    units = [n for n in inside if graph.nodes[n]["kind"] == "unit"]
    kinds = sorted({str(graph.nodes[n]["activation"]) for n in units if isinstance(graph.nodes[n]["activation"], str)})
    shown = ", ".join(clean(n, 16) for n in inside[:4]) + (", …" if len(inside) > 4 else "")
    what = f"{len(inside):,} units" if units else f"{len(inside):,} inputs"
    name = clean(path[-1], 18) if path else _INPUTS if not units else "units"
    hover = "\n".join([clean(".".join(path), LONG) or name, what, *(clean(n, 60) for n in inside[:20])])
    return Box(
        "group", name, shape=what, note=shown, subtitle=clean(", ".join(kinds), 60), hover=hover, tracked=False,
        is_input=not units, is_output=not outputs.isdisjoint(inside), module=clean(".".join(path), LONG),
        shows_value=False, shows_grad=False,
    )  # fmt: skip


def _edges(graph: Any, box_of: dict[str, int], boxes: list[Box]) -> list[Edge]:
    bundles: dict[tuple[int, int], list[tuple[str, str, Any]]] = {}
    for source, target, weight in graph.edges(data="weight"):
        if box_of[source] != box_of[target]:
            bundles.setdefault((box_of[source], box_of[target]), []).append((source, target, weight))
    edges = []
    for (a, b), links in bundles.items():
        weights = np.concatenate([np.atleast_1d(np.asarray(w, float)) for _, _, w in links])
        if boxes[a].kind == boxes[b].kind == "unit":
            source, target, weight = links[0]
            several = isinstance(weight, list)
            label = ", ".join(map(signed, weight[:3])) if several else signed(weight)
            largest = float(weights[np.argmax(np.abs(weights))])
            hover = f"{clean(source, LONG)} → {clean(target, LONG)}\nweight {weight!r}"
            edges.append(Edge(a, b, label=label, hover=hover, weight=largest))
        else:
            hover = f"{len(links):,} weights\nmean {float(weights.mean())!r}\nnorm {float(np.linalg.norm(weights))!r}"
            edges.append(Edge(a, b, signed=False, hover=hover, count=len(links)))
    return edges


def _chosen(names: list[str], highlight: Sequence[Any]) -> set[str]:
    found: set[str] = set()
    for wanted in highlight:
        hit = {name for name in names if matcher(str(wanted))(name)}
        if not hit:
            raise ValueError(
                f"highlight names {clean(wanted, 60)!r}, and no input or unit is called that. "
                f"{near_misses(str(wanted), names)}"
            )
        found |= hit
    return found
