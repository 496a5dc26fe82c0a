"""What Graphviz is told besides boxes and edges: frames one after the other, lanes for edges that go far together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

__all__ = ["Ends", "Home", "Lane", "Plan", "common", "plan"]

Ends = tuple[int, int]  # tail and head of an edge
Home = tuple[int, ...]  # the frames around a box, outermost first

_LARGE = 150  # with more edges than this, those without labels may share lanes
_TOGETHER = 3  # so many edges that go far are worth a lane
_MOST = 3_000  # places that edges may take in the columns they pass: Graphviz's time goes with them


@dataclass(frozen=True, slots=True)
class Lane:
    """Edges of the box `tail` that run side by side; at each stop, in a column before their heads, some leave."""

    tail: int
    stops: list[list[int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The column of each box, about, and how many columns each edge must span; lanes; edges that Graphviz is not told
    of; and how many places the others take in the columns they pass."""

    level: list[int]
    spans: list[int]
    lanes: list[Lane] = field(default_factory=list)
    apart: set[int] = field(default_factory=set)
    passed: int = 0

    @property
    def is_large(self) -> bool:
        """Whether the graph was thought too large for each edge to have its own way."""
        return len(self.spans) > _LARGE


def plan(homes: Sequence[Home], ends: Sequence[Ends], lengths: Sequence[int]) -> Plan:
    """A plan for boxes with these `homes`; an edge takes at least as many columns as `lengths` has for it."""
    order = _order(len(homes), ends)
    spans = _spread(homes, ends, lengths, order)
    level = _levels(homes, ends, spans, order)
    if len(ends) <= _LARGE:
        return Plan(level, spans)
    far: dict[int, list[int]] = {}
    for i, (tail, head) in enumerate(ends):
        if level[head] - level[tail] >= 2 and lengths[i] == 1:
            far.setdefault(tail, []).append(i)
    runs: list[tuple[int, list[int], Lane | None]] = []
    for tail, edges in far.items():
        if len(edges) < _TOGETHER:
            runs += [(level[ends[i][1]] - level[tail] - 1, [i], None) for i in edges]
            continue
        stops: dict[int, list[int]] = {}
        for i in edges:
            stops.setdefault(level[ends[i][1]], []).append(i)
        runs.append((max(stops) - level[tail] - 1, edges, Lane(tail, [stops[k] for k in sorted(stops)])))
    lanes: list[Lane] = []
    apart: set[int] = set()
    passed = 0
    for length, edges, lane in sorted(runs, key=lambda run: run[0]):
        if passed + length > _MOST:
            apart.update(edges)
            continue
        passed += length
        if lane is not None:
            lanes.append(lane)
    return Plan(level, spans, lanes, apart, passed)


def common(homes: Sequence[Home]) -> Home:
    """The frames that are around all of several boxes."""
    levels = takewhile(lambda level: len(set(level)) == 1, zip(*homes, strict=False))
    return tuple(level[0] for level in levels)


def _order(boxes: int, ends: Sequence[Ends]) -> list[int]:
    """The boxes, parents first. In a loop, as there may be between folded modules, the first box goes ahead."""
    children: list[list[int]] = [[] for _ in range(boxes)]
    waits = [0] * boxes
    for tail, head in ends:
        children[tail].append(head)
        waits[head] += 1
    order: list[int] = []
    done = [False] * boxes
    ready = [b for b in reversed(range(boxes)) if not waits[b]]
    pending = iter(range(boxes))
    while len(order) < boxes:
        b = ready.pop() if ready else next(b for b in pending if not done[b])
        if done[b]:
            continue
        done[b] = True
        order.append(b)
        for c in children[b]:
            waits[c] -= 1
            if not waits[c]:
                ready.append(c)
    return order


def _spread(homes: Sequence[Home], ends: Sequence[Ends], lengths: Sequence[int], order: Sequence[int]) -> list[int]:
    """How many columns each edge spans at least, so that a frame begins after those end that lead to it.

    Layers then stand beside one another. Where they shared a column, Graphviz would have to put one below the other.
    """
    spans = list(lengths)
    place = {b: k for k, b in enumerate(order)}
    inside: dict[Home, list[int]] = {}  # edges within a frame
    between: dict[int, dict[tuple[Home, Home], list[int]]] = {}  # edges from one to a sibling, by depth
    for i, (tail, head) in enumerate(ends):
        if place[tail] > place[head]:
            continue
        shared = len(common([homes[tail], homes[head]]))
        for depth in range(1, shared + 1):
            inside.setdefault(homes[tail][:depth], []).append(i)
        a, b = homes[tail][: shared + 1], homes[head][: shared + 1]
        if len(a) > shared and len(b) > shared:
            between.setdefault(shared, {}).setdefault((a, b), []).append(i)
    for depth in sorted(between, reverse=True):  # what is within a frame first: it makes it longer
        pairs = between[depth]
        found: dict[Home, tuple[dict[int, int], dict[int, int], int]] = {}
        for (a, b), edges in pairs.items():
            if (b, a) in pairs:
                continue
            for frame in {a, b} - found.keys():
                within = sorted(inside.get(frame, ()), key=lambda i: place[ends[i][0]])
                found[frame] = _extent(within, ends, spans)
            (early, _, length), (_, late, _) = found[a], found[b]
            for i in edges:
                tail, head = ends[i]
                spans[i] = max(spans[i], length - early.get(tail, 0) + lengths[i] + late.get(head, found[b][2]))
    return spans


def _extent(
    within: Sequence[int], ends: Sequence[Ends], spans: Sequence[int]
) -> tuple[dict[int, int], dict[int, int], int]:
    """The first and the last column that each box can have, counted from the frame's first, and the frame's last."""
    early: dict[int, int] = {}
    rest: dict[int, int] = {}
    for i in within:
        tail, head = ends[i]
        early[head] = max(early.get(head, 0), early.get(tail, 0) + spans[i])
    for i in reversed(within):
        tail, head = ends[i]
        rest[tail] = max(rest.get(tail, 0), rest.get(head, 0) + spans[i])
    length = max(early.values(), default=0)
    return early, {b: length - rest.get(b, 0) for b in (*early, *rest)}, length


def _levels(homes: Sequence[Home], ends: Sequence[Ends], spans: Sequence[int], order: Sequence[int]) -> list[int]:
    """The column of each box: after those of its parents, and as near to its children as costs nothing.

    An edge weighs as much as its tail has fewer others, as in the layout: what many boxes use stays behind, what one
    box uses comes along. Nothing moves towards the inside of another frame, or a layer's neurons would stand askew.
    """
    boxes = len(homes)
    place = {b: k for k, b in enumerate(order)}
    arriving: list[list[int]] = [[] for _ in range(boxes)]
    leaving: list[list[int]] = [[] for _ in range(boxes)]
    for i, (tail, head) in enumerate(ends):
        if place[tail] < place[head]:
            arriving[head].append(i)
            leaving[tail].append(i)
    level, cost = [0] * boxes, [0.0] * boxes
    for b in order:
        for i in arriving[b]:
            p = ends[i][0]
            level[b] = max(level[b], level[p] + spans[i])
            weight = 1 / len(leaving[p])
            cost[b] += min(weight, cost[p]) if len(leaving[p]) == 1 else weight
    for b in reversed(order):
        near = all(homes[ends[i][1]][: len(homes[b])] == homes[b] for i in leaving[b])
        if leaving[b] and near and cost[b] < 1:
            level[b] = min(level[ends[i][1]] - spans[i] for i in leaving[b])
    return level
