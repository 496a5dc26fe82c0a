"""Who reads whom, kept free of loops one edge at a time."""

from __future__ import annotations

__all__ = ["Acyclic"]


class Acyclic:
    """Nodes 0, 1, ... and edges 0, 1, ... between them, both in the order they were added.

    `rank` is a topological order at any moment: every edge leads from a lower to a higher rank. An edge that agrees
    with it costs nothing to check. One that does not is looked into between the two ranks only: either a way back is
    found, which names the loop, or the nodes met there change places (Pearce and Kelly 2007).
    """

    def __init__(self) -> None:
        self.reads: list[dict[int, int]] = []  # for each node its sources, with the number of the edge
        self.read_by: list[list[int]] = []
        self.rank: list[int] = []
        self.source: list[int] = []  # of each edge; -1 when it was taken away
        self.target: list[int] = []

    def add_node(self) -> int:
        self.rank.append(len(self.rank))
        self.reads.append({})
        self.read_by.append([])
        return len(self.rank) - 1

    def connect(self, source: int, target: int) -> list[int]:
        """Add an edge, or, where it would close a loop, change nothing and give the loop."""
        rank = self.rank
        if rank[source] >= rank[target]:
            way = self._way(target, source)
            if way:
                return [*way, target]
        self.reads[target][source] = len(self.source)
        self.read_by[source].append(target)
        self.source.append(source)
        self.target.append(target)
        return []

    def disconnect(self, source: int, target: int) -> None:
        self.source[self.reads[target].pop(source)] = -1
        self.read_by[source].remove(target)

    def renumber(self) -> None:
        """Number the edges anew, without those that were taken away."""
        edges = [(s, t) for s, t in zip(self.source, self.target, strict=True) if s >= 0]
        self.source, self.target = [s for s, _ in edges], [t for _, t in edges]
        for i, (s, t) in enumerate(edges):
            self.reads[t][s] = i

    def _way(self, start: int, end: int) -> list[int]:
        """The way from `start` to `end`; where there is none, `end` and its sources are ranked before `start`.

        It is looked for from both ends in turn, which finds one of few steps soon.
        """
        if start == end:
            return [start]
        rank, low, high = self.rank, self.rank[start], self.rank[end]
        ahead, behind = {start: start}, {end: end}  # each node met, with the one it was met from
        front, back = [start], [end]
        while front or back:
            met = []
            if front and (not back or len(front) <= len(back)):
                for node in front:
                    for after in self.read_by[node]:
                        if rank[after] <= high and after not in ahead:
                            ahead[after] = node
                            if after in behind:
                                return _joined(ahead, behind, after)
                            met.append(after)
                front = met
            else:
                for node in back:
                    for before in self.reads[node]:
                        if rank[before] >= low and before not in behind:
                            behind[before] = node
                            if before in ahead:
                                return _joined(ahead, behind, before)
                            met.append(before)
                back = met
        moved = sorted(behind, key=rank.__getitem__) + sorted(ahead, key=rank.__getitem__)
        for node, place in zip(moved, sorted(map(rank.__getitem__, moved)), strict=True):
            rank[node] = place
        return []

    def in_order(self) -> list[int]:
        """The nodes, each after all it reads."""
        return sorted(range(len(self.rank)), key=self.rank.__getitem__)

    def reached(self, start: list[int], back: bool = False) -> set[int]:
        """Every node that `start` leads to, or with `back` that leads to `start`, and these themselves."""
        after = self.reads if back else self.read_by
        found, stack = set(start), list(start)
        while stack:
            new = [node for node in after[stack.pop()] if node not in found]
            found.update(new)
            stack.extend(new)
        return found


def _joined(ahead: dict[int, int], behind: dict[int, int], middle: int) -> list[int]:
    """The way found from both ends, through the node where they met."""
    way = [middle]
    while ahead[way[-1]] != way[-1]:
        way.append(ahead[way[-1]])
    way.reverse()
    while behind[way[-1]] != way[-1]:
        way.append(behind[way[-1]])
    return way
