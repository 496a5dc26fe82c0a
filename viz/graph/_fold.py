"""Which nodes share a box: a graph too large to read is folded by module, then by level, before layout."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["Path", "fold", "split"]

Path = tuple[str, ...]
_RUNS = 12  # a longer row of nameless boxes tells nobody anything


def split(module: str) -> Path:
    """A module's path in steps, outermost first.

    >>> split("layers[1].neurons[3]")
    ('layers[1]', 'neurons[3]')
    """
    return tuple(step for step in re.split(r"\.", module) if step)


def fold(
    paths: Sequence[Path], levels: Sequence[int], budget: int, depth: int | None = None
) -> list[tuple[Path, list[int]]]:
    """Nodes 0, 1, ... gathered into at most `budget` boxes, each a module's path and its nodes in order.

    `paths[i]` is the module of node i, `levels[i]` lies above the levels of its parents. With `depth`,
    modules nested that deep are one box each whatever the budget. While there are too many boxes, modules are
    closed from the innermost out. Then the nodes of no module share boxes: those of level 0 one, the others a
    few runs of like level. At last the modules share boxes too. Takes time linear in the number of nodes.

    >>> fold([("l",), ("l",), ()], [0, 1, 2], budget=2)
    [(('l',), [0, 1]), ((), [2])]
    >>> fold([(), (), (), ()], [0, 1, 2, 0], budget=3)
    [((), [0, 3]), ((), [1]), ((), [2])]
    """
    deepest = max(map(len, paths), default=0)
    groups = _singles(paths) if depth is None else _by_module(paths, depth)
    for closed in range(min(deepest, depth or deepest), 0, -1):
        if len(groups) <= budget:
            return groups
        groups = _by_module(paths, closed)
    if len(groups) <= budget:
        return groups
    loose = [nodes for path, nodes in groups if not path]
    modules = [group for group in groups if group[0]]
    room = budget - len(modules)
    if loose and room >= 2:
        leaves = [nodes for nodes in loose if not levels[nodes[0]]]
        made = [nodes for nodes in loose if levels[nodes[0]]]
        return _runs(leaves, levels, 1) + modules + _runs(made, levels, min(room - 1, _RUNS))
    return _runs([nodes for _, nodes in groups], levels, min(budget, _RUNS))


def _singles(paths: Sequence[Path]) -> list[tuple[Path, list[int]]]:
    return [(path, [i]) for i, path in enumerate(paths)]


def _by_module(paths: Sequence[Path], depth: int) -> list[tuple[Path, list[int]]]:
    """Every module nested `depth` deep as one box; nodes outside such modules stay on their own."""
    found: dict[Path, list[int]] = {}
    groups = []
    for i, path in enumerate(paths):
        if len(path) < depth:
            groups.append((path, [i]))
            continue
        key = path[:depth]
        if key not in found:
            found[key] = []
            groups.append((key, found[key]))
        found[key].append(i)
    return groups


def _runs(groups: list[list[int]], levels: Sequence[int], count: int) -> list[tuple[Path, list[int]]]:
    """All groups in at most `count` runs of about equal size, lowest level first."""
    ordered = sorted(groups, key=lambda nodes: levels[nodes[0]])
    flat = sum(map(len, ordered))
    runs: list[tuple[Path, list[int]]] = []
    filled = 0
    for nodes in ordered:
        if len(runs) <= filled * count // flat:
            runs.append(((), []))
        runs[-1][1].extend(nodes)
        filled += len(nodes)
    return runs
