"""Gradients that a graph itself has lost: what was taken out of it and came back in as a constant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.checking._evidence import Case, Finding
from micrograd_nn.checking._functions import STATISTICS, nearly
from micrograd_nn.checking._mutants import Graph, Search
from micrograd_nn.graph import Node, gradients
from micrograd_nn.ops import sum_to
from micrograd_nn.tensor import Tensor

__all__ = ["lost_findings"]

Array = np.ndarray[Any, Any]


def lost_findings(cases: Sequence[Case], graph: Graph) -> list[Finding]:
    """Where the graph itself gives the wrong gradients: what was taken out of it and came back as a constant.

    An array among the constants that equals a node's value, or a statistic of it, is taken for one that lost its
    gradient; then what would have come through it must be just what is missing.
    """
    base = graph.at_leaves(graph.base)
    for case, g in zip(cases, base, strict=True):
        if not np.all(np.abs(case.a - g)[case.known] <= 1e-9 * np.abs(g)[case.known] + 1e-12 * case.scale):
            return []
    search, found = Search(cases, graph, {}), []
    missing: list[tuple[str, list[Array]]] = []
    for n in graph.order:
        if n.op is None or n not in graph.grads or n.op.name == "getitem" or len(missing) > 8:
            continue
        for i, c in enumerate(n.inputs):
            value = c._data if isinstance(c, Node) else c
            tracked, least = isinstance(c, Node) and c.stamp > 0, 1 if isinstance(c, Node) else 2
            if tracked or isinstance(value, (list, tuple)) or np.size(value) < least or not np.any(value):
                continue
            for t in graph.order[: graph.place[n]]:
                over = _came_from(t._data, np.asarray(value))
                if over is None:
                    continue
                what, pull = over
                raw = graph.raw(n, i, graph.grads[n])
                lost = pull(np.asarray(sum_to(np.asarray(raw, float), np.shape(value))))
                change = graph.at_leaves(graph.sweep({t: float(lost) if isinstance(t._data, float) else lost}))
                missing.append((f"{what}{search.call(t)}", [-d for d in change]))
                break
    for said, changes in missing:
        found += search.held(3.9, "constant", _lost(said), changes)
    if len(missing) > 1:
        total = [np.sum([changes[k] for _, changes in missing], axis=0) for k in range(len(cases))]
        names = " and ".join(dict.fromkeys(said for said, _ in missing[:3]))
        found += search.held(3.91, "constant", _lost(names), total)
    return found


def _lost(what: str) -> str:
    return (
        f"no gradient goes through {what}: it is computed outside the graph and comes in as a constant (detach(), "
        "numpy(), item() or no_grad()?)"
    )


def _came_from(data: Any, value: Array) -> tuple[str, Callable[[Array], Array]] | None:
    """How `value` can be made from `data`: said, and the way back for a gradient."""
    if nearly(data, value):
        return "a copy of ", lambda g: g
    if np.ndim(data) == 0 or np.size(value) >= np.size(data):
        return None
    for axis in (None, *range(np.ndim(data))):
        for name, f in STATISTICS.items():
            there = np.asarray(f(data, axis=axis))
            if there.size == value.size and nearly(there.ravel(), value.ravel()):
                ours = {"variance": "var", "standard deviation": "std", "maximum": "max", "minimum": "min",
                        "length": "norm"}.get(name, name)  # fmt: skip

                def pull(g: Array, axis: Any = axis, ours: str = ours, shape: Any = there.shape) -> Array:
                    leaf = Tensor(data, requires_grad=True)
                    back = gradients(getattr(F, ours)(leaf, axis=axis), g.reshape(shape))
                    return np.asarray(back[leaf])

                return f"the {name}{'' if axis is None else f' over axis {axis}'} of ", pull
    return None
