"""In which order a network is computed: generation by generation, each one matrix product away from those before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from micrograd_nn.nn._acyclic import Acyclic
from micrograd_nn.wiring import Wires, Wiring, as_index

__all__ = ["Group", "Plan", "Step", "entries_of"]

Array = np.ndarray[Any, Any]


class Group(NamedTuple):
    """Units of one generation with the same activation: side by side, so that it is called once for all."""

    part: str  # what its path adds to that of the generation; nothing where all units are of one kind
    name: str
    activation: str | Callable[[Any], Any]
    units: Array
    rows: slice  # of the generation's sums


class Step(NamedTuple):
    """One generation."""

    path: str
    weights: slice  # of the plan's
    biases: slice
    reads: tuple[int, ...]  # which of the blocks in hand
    wiring: Wiring
    groups: tuple[Group, ...]
    keep: tuple[int, ...]  # which of them are read again, by a later generation
    joined: int  # how many of the last blocks in hand, with the new one, become one

    @property
    def units(self) -> list[int]:
        return [unit for group in self.groups for unit in group.units.tolist()]


class Plan(NamedTuple):
    """The generations, and where their weights and biases are in the parameters.

    Values are kept in blocks, a row a unit. A generation may read units of many others; so that it need not read as
    many blocks, a new block takes in those before it that are less than twice as large, much as the digits of a
    counter carry. Each block in hand is then at least twice as large as the next, so there are at most log2(units) or
    so, and a row is copied as often at most. In a layered network one block is in hand, and nothing is copied.
    """

    steps: tuple[Step, ...]
    weights: Array | slice  # the order in which the steps use the entries of `weight`
    biases: Array | slice
    outputs: Array | slice  # rows of all blocks in hand at the end

    @classmethod
    def of(
        cls, acyclic: Acyclic, inputs: Sequence[int], activations: Sequence[Any], pieces: Sequence[int],
        outputs: Sequence[int],
    ) -> Plan:  # fmt: skip
        """The plan for a wiring. `pieces` counts the rows of each node: 0 for an input, k for a maxout unit."""
        generation = [0] * len(pieces)
        for node in acyclic.in_order():
            if pieces[node]:
                generation[node] = 1 + max(map(generation.__getitem__, acyclic.reads[node]), default=0)
        top = max(generation, default=0)
        kinds: dict[Any, int] = {}
        kind: list[int] = [
            kinds.setdefault((a if isinstance(a, str) else id(a), n), len(kinds))
            for a, n in zip(activations, pieces, strict=True)
        ]
        generations, rows = np.array(generation, int), np.array(pieces, int)

        # units by generation, then by activation, then by age; their rows likewise
        units = np.lexsort((np.array(kind, int), generations))[len(inputs) :]
        cuts = np.searchsorted(generations[units], np.arange(1, top + 2))
        biases = entries_of(units, rows)
        row_of = np.zeros(len(rows) + 1, int)  # where in all of them a unit's begin
        row_of[units] = np.cumsum(rows[units]) - rows[units]

        # wires, one for each piece of each edge, by the generation they lead to
        source, target = np.array(acyclic.source, int), np.array(acyclic.target, int)
        entry = np.argsort(np.repeat(generations[target], rows[target]), kind="stable")
        edge = np.repeat(np.arange(len(source)), rows[target])
        piece = np.arange(len(edge)) - np.repeat(np.cumsum(rows[target]) - rows[target], rows[target])
        row, source = (row_of[target[edge]] + piece)[entry], source[edge][entry]
        ends = np.searchsorted(generations[target[edge]][entry], np.arange(1, top + 2))

        last = np.zeros(top + 1, int)  # the last generation that reads each
        np.maximum.at(last, generations[source], generations[target[edge]][entry])
        np.maximum.at(last, generations[np.array(outputs, int)], top + 1)

        blocks, steps = _Blocks(inputs, len(rows), int(last[0])), []
        for g, (first, after) in enumerate(pairwise(cuts.tolist()), 1):
            mine, wires = units[first:after], slice(*ends[g - 1 : g + 1].tolist())
            base = int(row_of[mine[0]])
            high = base + int(rows[mine].sum())
            block, place = blocks.where(source[wires])
            order = np.lexsort((place, row[wires], block))
            entry[wires], block, place, to = entry[wires][order], block[order], place[order], row[wires][order] - base
            reads = tuple(np.unique(block).tolist()) or (0,)
            cut = pairwise(np.searchsorted(block, [*reads, len(blocks.units)]).tolist())
            wiring = Wiring(
                [Wires(high - base, len(blocks.units[i]), to[a:b], place[a:b]) for i, (a, b) in zip(reads, cut)]
            )
            groups = _groups(mine, kind, activations, row_of[mine] - base, rows[mine])
            keep, joined = blocks.take(mine, g, int(last[g]))
            steps.append(Step(f"generations[{g - 1}]", wires, slice(base, high), reads, wiring, groups, keep, joined))
        return cls(tuple(steps), _as_slice(entry), _as_slice(biases), _as_slice(blocks.joined(np.array(outputs, int))))


class _Blocks:
    """The blocks in hand while generation after generation is computed, and where in them each node is."""

    def __init__(self, inputs: Sequence[int], nodes: int, last: int) -> None:
        self.units, self.last = [np.array(inputs, int)], [last]  # of each block; the generation that reads it last
        self.number = [0]  # of each block, ascending
        self.block_of, self.place = np.zeros(nodes, int), np.zeros(nodes, int)
        self.place[inputs] = np.arange(len(inputs))
        self.numbers = count(1)

    def where(self, nodes: Array) -> tuple[Array, Array]:
        """For each node its block, counted as they are in hand, and its row there."""
        return np.searchsorted(self.number, self.block_of[nodes]), self.place[nodes]

    def take(self, units: Array, generation: int, last: int) -> tuple[tuple[int, ...], int]:
        """Take in a generation; gives which blocks are kept, and how many of the last become one with it."""
        keep = tuple(i for i, last_read in enumerate(self.last) if last_read > generation)
        self.units, self.last = [self.units[i] for i in keep], [self.last[i] for i in keep]
        self.number = [self.number[i] for i in keep]
        size, begin = len(units), len(keep)
        while begin and len(self.units[begin - 1]) < 2 * size:
            begin -= 1
            size += len(self.units[begin])
        number = next(self.numbers)
        joined = np.concatenate([*self.units[begin:], units])
        self.block_of[joined], self.place[joined] = number, np.arange(size)
        self.units[begin:], self.number[begin:] = [joined], [number]
        self.last[begin:] = [max(last, *self.last[begin:], 0)]
        return keep, len(keep) - begin + 1

    def joined(self, nodes: Array) -> Array:
        """Where nodes are when all blocks in hand are joined."""
        block, place = self.where(nodes)
        begins: Array = np.cumsum([0, *map(len, self.units)])
        return begins[block] + place


def _groups(
    units: Array, kind: Sequence[int], activations: Sequence[Any], row_of: Array, rows: Array
) -> tuple[Group, ...]:  # fmt: skip
    runs: dict[int, list[int]] = {}
    for i, unit in enumerate(units.tolist()):
        runs.setdefault(kind[unit], []).append(i)
    found: list[Group] = []
    for run in runs.values():
        activation = activations[units[run[0]]]
        name = activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)
        again = sum(name == known.name for known in found) + 1
        part = "" if len(runs) == 1 else name + (str(again) if again > 1 else "")
        span = slice(int(row_of[run[0]]), int(row_of[run[-1]] + rows[run[-1]]))
        found.append(Group(part, name, activation, units[run[0] : run[-1] + 1], span))
    return tuple(found)


def entries_of(units: Array, sizes: Array) -> Array:
    """Where the entries of these units are in a parameter that holds `sizes` of each unit, in order of creation."""
    n = sizes[units]
    begins = np.cumsum(sizes) - sizes
    return np.repeat(begins[units] - np.cumsum(n) + n, n) + np.arange(int(n.sum()))


def _as_slice(index: Array) -> Array | slice:
    ascending = len(index) > 0 and bool((np.diff(index) == 1).all())
    return as_index(index) if ascending else index
