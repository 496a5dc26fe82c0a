"""A graph as a networkx graph, every attribute kept, for any of its algorithms and file formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import Node, local_derivatives, topological_order

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["to_networkx"]


def to_networkx(node: Node) -> nx.MultiDiGraph[int]:
    """Everything `node` depends on, as a multigraph with an edge from parent to child for every use.

    Nodes are numbered from 0, parents before children. Each carries `data`, `grad`, `op` (the op's name, None
    for a leaf), `name`, `module`, `shape` and `requires_grad`; each edge carries its `position` among the
    child's parents, which is also its key, and the `local` derivative (None for arrays and constants). Raises
    `micrograd_nn.CycleError` when the graph has a loop.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(3.0, name="a")
    >>> g = to_networkx(a * a)
    >>> g.number_of_edges(0, 1), g.edges[0, 1, 0]["local"]
    (2, 3.0)
    """
    import networkx as nx  # costs as much to import as all the rest

    if not isinstance(node, Node):
        raise TypeError(f"to_networkx takes a Value or a Tensor, not {type(node).__name__}.")
    graph: Any = nx.MultiDiGraph()
    place: dict[Node, int] = {}
    for i, n in enumerate(topological_order(node)):
        place[n] = i
        graph.add_node(
            i,
            data=n.data,
            grad=n.grad,
            op=None if n.op is None else n.op.name,
            name=n.name,
            module=n.module,
            shape=np.shape(n.data),
            requires_grad=n.requires_grad,
        )
        for k, (parent, local) in enumerate(zip(n.parents, local_derivatives(n), strict=True)):
            graph.add_edge(place[parent], i, key=k, position=k, local=local)
    found: nx.MultiDiGraph[int] = graph
    return found
