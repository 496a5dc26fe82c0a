"""A graph as a networkx graph, every attribute kept, for any of its algorithms and file formats."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import Node, formulas, local_derivatives, stamps, topological_order
from micrograd_nn.nn import Module, Network
from viz._text import clean

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["later", "to_networkx", "units_of", "whole_graph"]


def to_networkx(what: Node | Sequence[Node] | Module) -> nx.MultiDiGraph[int] | nx.DiGraph[str]:
    """Everything a node, or any of several, depends on, as a multigraph with an edge from parent to child a use.

    Nodes are numbered from 0, parents before children. Each carries `data`, `grad`, `op` (the op's name, None
    for a leaf), `params` (what the op was given by keyword), `name`, `module`, `shape`, `requires_grad` and `label`
    (what a picture calls it); each edge its `position` among the child's parents, which is also its key, the `local`
    derivative (None for arrays and constants) and its `formula` (None for constants, and for rules that cannot be
    written down). A `Network`, and an MLP made into one, gives what `Network.to_networkx` does: its units and wiring.

    Raises `micrograd_nn.CycleError` when the graph has a loop, TypeError for what has no graph.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(3.0, name="a")
    >>> g = to_networkx(a * a)
    >>> g.number_of_edges(0, 1), g.edges[0, 1, 0]["local"], g.edges[0, 1, 1]["formula"]
    (2, 3.0, '∂out·a')
    """
    if isinstance(what, Module):
        return _units(what)
    nodes = [what] if isinstance(what, Node) else list(what) if isinstance(what, (list, tuple)) else []
    if not nodes or not all(isinstance(node, Node) for node in nodes):
        shown = "an empty list" if isinstance(what, (list, tuple)) and not nodes else f"{type(what).__name__}"
        if nodes:
            strange = next(x for x in nodes if not isinstance(x, Node))
            shown = f"a {type(what).__name__} with a {type(strange).__name__} in it"
        raise TypeError(f"to_networkx takes a Value or a Tensor, a list of them, or a module, not {shown}.")
    return whole_graph(nodes)


def whole_graph(
    nodes: Sequence[Node],
    grad: Callable[[Node], Any] = attrgetter("grad"),
    name: Callable[[Node], str | None] = attrgetter("name"),
) -> nx.MultiDiGraph[int]:
    """See `to_networkx`; `grad` and `name` say what a picture shows as a node's gradient and name."""
    import networkx as nx  # costs as much to import as all the rest

    graph: Any = nx.MultiDiGraph()
    place: dict[Node, int] = {}
    for i, n in enumerate(topological_order(nodes)):
        place[n] = i
        graph.add_node(
            i,
            label=clean(name(n) or n.label, 200),
            data=n.data,
            grad=grad(n),
            op=None if n.op is None else n.op.name,
            params=dict(n.params),
            name=name(n),
            module=n.module,
            shape=np.shape(n.data),
            requires_grad=n.requires_grad,
        )
        for k, (parent, local, rule) in enumerate(zip(n.parents, local_derivatives(n), _formulas(n), strict=True)):
            graph.add_edge(place[parent], i, key=k, position=k, local=local, formula=rule)
    found: nx.MultiDiGraph[int] = graph
    return found


def later(
    nodes: Sequence[Node],
    grad: Callable[[Node], Any] = attrgetter("grad"),
    name: Callable[[Node], str | None] = attrgetter("name"),
) -> Callable[[], nx.MultiDiGraph[int]]:
    """`whole_graph` when it is asked for: a picture of 100,000 nodes would take too long with it.

    It has the gradients and names of now, whatever comes later. It raises ValueError when a leaf has been given a new
    value since, as by an optimiser's step: no export may show other numbers than the picture does.
    """
    now = next(stamps)
    grads: dict[Node, Any] = {}
    names: dict[Node, str | None] = {}
    for n in topological_order(nodes):
        g = grad(n)
        grads[n] = np.copy(g) if isinstance(g, np.ndarray) else g  # which may be written in place
        names[n] = name(n)

    def made() -> nx.MultiDiGraph[int]:
        for n in grads:
            if n.op is None and abs(n.stamp) > now:
                raise ValueError(
                    f"{clean(n.label, 60)} has a new value since this picture was drawn, so the graph is no longer "
                    "what it shows: draw it again, and save it before the next step."
                )
        return whole_graph(nodes, grads.__getitem__, names.__getitem__)

    return made


def units_of(model: Module) -> Callable[[], nx.DiGraph[str]] | None:
    """The units and weights of a model as they are now, made when asked for; None where `to_networkx` knows none."""
    twin = copy.deepcopy(model)
    if not isinstance(twin, Network):
        try:
            twin = Network.from_mlp(twin)
        except (TypeError, ValueError):
            return None
    return twin.to_networkx


def _formulas(node: Node) -> list[str | None]:
    if node.op is None:
        return []
    try:
        rules = formulas(node)
    except Exception:  # a rule of the user's own may hold calls that cannot be written down
        return [None] * len(node.parents)
    return [clean(r, 1000) if p.requires_grad else None for p, r in zip(node.parents, rules, strict=True)]


def _units(module: Module) -> nx.DiGraph[str]:
    """The units and wiring of a Network, or of what can be made into one."""
    if isinstance(module, Network):
        return module.to_networkx()
    try:
        return Network.from_mlp(module).to_networkx()
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"to_networkx knows the units of a Network and of an MLP without dropout, and this is a "
            f"{type(module).__name__}: {error} For the graph of a computation with it, call "
            "viz.to_networkx(model(x)), x being an example."
        ) from None
