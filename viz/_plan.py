"""What a large graph is spared before layout: edges of one box that go far share a lane, and the longest are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Lane", "Plan", "levels", "plan", "uses"]

Ends = tuple[int, int]  # tail and head of an edge
Home = Sequence[object]

_TOGETHER = 3  # so many edges that go far are worth a lane
_MOST = 6_000  # places that edges may take in the columns they pass: Graphviz's time goes with them


@dataclass(frozen=True, slots=True)
class Lane:
    """Edges of the box `tail` that run side by side; at each stop, a column before their heads, some leave."""

    tail: int
    stops: list[list[int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Lanes, edges that Graphviz is not told of, how many places the others take in the columns they pass, and how many
    columns there are."""

    lanes: list[Lane] = field(default_factory=list)
    apart: set[int] = field(default_factory=set)
    passed: int = 0
    level: Sequence[int] = ()
    columns: int = 0


def plan(homes: Sequence[Home], ends: Sequence[Ends], large: bool) -> Plan:
    """A plan for edges between boxes 0, 1, ... that have no labels; `homes[b]` are the frames around box b, outermost
    first."""
    level = levels(homes, ends)
    if not large:
        return Plan(level=level)
    far: dict[int, list[int]] = {}
    for i, (tail, head) in enumerate(ends):
        if level[head] - level[tail] >= 2:
            far.setdefault(tail, []).append(i)
    lanes, alone = [], []
    for tail, edges in far.items():
        if len(edges) < _TOGETHER:
            alone += edges
            continue
        stops: dict[int, list[int]] = {}
        for i in edges:
            stops.setdefault(level[ends[i][1]], []).append(i)
        lanes.append(Lane(tail, [stops[k] for k in sorted(stops)]))
    runs = [(level[ends[i][1]] - level[ends[i][0]] - 1, [i], None) for i in alone]
    runs += [(level[ends[lane.stops[-1][0]][1]] - level[lane.tail] - 1, sum(lane.stops, []), lane) for lane in lanes]
    runs.sort(key=lambda run: run[0])
    kept, apart, passed = [], set(), 0
    for length, edges, lane in runs:
        if passed + length > _MOST:
            apart.update(edges)
            continue
        passed += length
        if lane is not None:
            kept.append(lane)
    return Plan(kept, apart, passed, level, max(level) + 1)


def uses(boxes: int, ends: Sequence[Ends]) -> list[int]:
    """How many edges leave each box."""
    found = [0] * boxes
    for tail, _ in ends:
        found[tail] += 1
    return found


def levels(homes: Sequence[Home], ends: Sequence[Ends]) -> list[int]:
    """The column of each box: after those of its parents, and as near to its children as costs nothing.

    An edge weighs as much as its tail has fewer others, as in the layout: what many boxes use stays behind, what one
    box uses comes along. Nothing moves towards the inside of another frame, or a layer's neurons would stand askew.
    Edges that would close a loop, as between folded modules, count for nothing.
    """
    boxes = len(homes)
    parents: list[list[int]] = [[] for _ in range(boxes)]
    children: list[list[int]] = [[] for _ in range(boxes)]
    for tail, head in ends:
        parents[head].append(tail)
        children[tail].append(head)
    waits = [len(p) for p in parents]
    ready = [b for b in range(boxes) if not waits[b]]
    order: list[int] = []
    place: dict[int, int] = {}
    pending = iter(range(boxes))
    while len(order) < boxes:
        # In a loop nobody is ready: the first of those that are left goes ahead.
        b = ready.pop() if ready else next(b for b in pending if b not in place)
        if b in place:
            continue
        place[b] = len(order)
        order.append(b)
        for c in children[b]:
            waits[c] -= 1
            if not waits[c] and c not in place:
                ready.append(c)
    level, cost = [0] * boxes, [0.0] * boxes
    for b in order:
        for p in parents[b]:
            if place[p] < place[b]:
                level[b] = max(level[b], level[p] + 1)
                weight = 1 / len(children[p])
                cost[b] += min(weight, cost[p]) if len(children[p]) == 1 else weight
    for b in reversed(order):
        later = [level[c] for c in children[b] if place[c] > place[b]]
        near = all(homes[c][: len(homes[b])] == homes[b] for c in children[b])
        if later and near and cost[b] < 1:
            level[b] = min(later) - 1
    return level
