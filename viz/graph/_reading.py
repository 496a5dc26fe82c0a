"""How a graph is to be read: which gradients, what things are called, what is kept open, what is said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import Node
from viz._text import clean

if TYPE_CHECKING:
    from micrograd_nn.health._activity import Activation

__all__ = ["LONG", "LONGEST", "VIEWS", "Reading", "called", "is_number", "is_pick", "item", "norm", "symbol"]

LONG, LONGEST = 200, 1_000  # characters of a name in a hover text, and in a table
VIEWS = {"transpose", "reshape", "expand_dims", "broadcast_to", "astype", "stack", "concatenate"}


@dataclass
class Reading:
    """What a scene needs to know beside the graph itself.

    `grads` are gradients by node, in place of each node's own `.grad`; `names` are for nodes that have none, `kinds`
    for modules by path; `activations` are those that a model pointed out, `inputs` what it was given. With
    `picks_are_leaves`, entries picked out of parameters count as leaves. Not folded are the nodes in `opened` and in
    modules that a pattern in `open_modules` fits; with `innermost`, each other innermost module is one box. `verdicts`
    ("right", or what is wrong) and `wrong` are a gradient check's, on nodes and on the inputs of nodes.
    """

    grads: Mapping[Node, Any] | None = None
    names: Mapping[Node, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    activations: Sequence[Activation] = ()
    inputs: Set[Node] = frozenset()
    picks_are_leaves: bool = False
    opened: Set[Node] = frozenset()
    open_modules: Sequence[str] = ()
    innermost: bool = False
    highlight: Sequence[Any] = ()
    verdicts: Mapping[Node, str] = field(default_factory=dict)
    wrong: Mapping[tuple[Node, int], str] = field(default_factory=dict)
    values: bool = True
    gradients: bool = True
    local_derivatives: bool = True

    def grad(self, node: Node) -> Any:
        """The gradient of a node, None where there is none yet."""
        return node.grad if self.grads is None else self.grads.get(node)

    def name(self, node: Node) -> str | None:
        """What a node is called, by the user or else by us."""
        return node.name or self.names.get(node)

    def parents(self, node: Node) -> tuple[Node, ...]:
        """What a node is drawn as made from."""
        return () if self.picks_are_leaves and is_pick(node) else node.parents


def is_pick(node: Node) -> bool:
    """Whether a node is one entry of a parameter."""
    if node.op is None or node.op.name != "getitem" or not is_number(node):
        return False
    source = node.parents[0]
    return source.op is None and source.requires_grad


def is_number(node: Node) -> bool:
    return isinstance(node.data, float) or np.size(node.data) == 1


def item(x: Any) -> float:
    return float(x) if isinstance(x, float) else float(np.asarray(x).reshape(()))


def norm(x: Any) -> float:
    """The Euclidean norm, of huge numbers too."""
    flat = np.ravel(x)
    scale = float(np.max(np.abs(flat), initial=0.0))
    return scale * float(np.linalg.norm(flat / scale)) if 0 < scale < math.inf else scale


def symbol(op: Any) -> str:
    """What stands in an op's circle; the ops that only rearrange are called by their names."""
    return "" if op is None else clean(op.name if op.name in VIEWS else op.symbol, 16)


def called(node: Node, name: str | None = None) -> str:
    """What a hover text or a description calls a node."""
    if name or node.name:
        return clean(name or node.name, LONG)
    return symbol(node.op) if node.op is not None else "constant" if not node.requires_grad else "leaf"
