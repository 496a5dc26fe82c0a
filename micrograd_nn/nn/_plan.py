"""In which order a network is computed: generation by generation, each one matrix product away from those before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd_nn.nn._acyclic import Acyclic
from micrograd_nn.wiring import Wires, Wiring, as_index

__all__ = ["Group", "Plan", "Step", "entries_of"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Group:
    """Units of one generation with the same activation: side by side, so that it is called once for all."""

    part: str  # what its path adds to that of the generation; nothing where all units are of one kind
    name: str
    activation: str | Callable[[Any], Any]
    units: Array
    rows: slice  # of the generation's sums


@dataclass(frozen=True)
class Step:
    """One generation."""

    path: str
    weights: slice  # of the plan's
    biases: slice
    reads: tuple[int, ...]  # which of the blocks in hand
    wiring: Wiring
    groups: tuple[Group, ...]
    keep: tuple[int, ...]  # which of them are read again, by a later generation
    merges: int  # how often the last two blocks in hand become one

    @property
    def units(self) -> list[int]:
        return [unit for group in self.groups for unit in group.units.tolist()]


@dataclass(frozen=True)
class Plan:
    """The generations, and where their weights and biases are in the parameters.

    Values are kept in blocks, a row a unit. A generation may read units of many others; so that it need not read as
    many blocks, the last two become one as soon as the newer is as large as the older, as the digits of a binary
    counter carry. There are then never more than log2(units) blocks, and a row is copied as often at most. In a layered
    network only one block is ever in hand, and nothing is copied.
    """

    generation: list[int]  # of each node; inputs are in 0
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
        count = max(generation, default=0)
        kinds: dict[Any, int] = {}
        kind = [
            kinds.setdefault((a if isinstance(a, str) else id(a), n), len(kinds))
            for a, n in zip(activations, pieces, strict=True)
        ]
        generations, rows = np.array(generation, int), np.array(pieces, int)

        # units by generation, then by activation, then by age; their rows likewise
        units = np.lexsort((kind, generations))[len(inputs) :]
        cuts = np.searchsorted(generations[units], np.arange(1, count + 2))
        biases = entries_of(units, rows)
        row_of = np.zeros(len(rows) + 1, int)  # where in all of them a unit's begin
        row_of[units] = np.cumsum(rows[units]) - rows[units]

        # wires, one for each piece of each edge, by the generation they lead to
        source, target = np.array(acyclic.source, int), np.array(acyclic.target, int)
        entry = np.argsort(np.repeat(generations[target], rows[target]), kind="stable")
        edge = np.repeat(np.arange(len(source)), rows[target])
        piece = np.arange(len(edge)) - np.repeat(np.cumsum(rows[target]) - rows[target], rows[target])
        row, source = (row_of[target[edge]] + piece)[entry], source[edge][entry]
        ends = np.searchsorted(generations[target[edge]][entry], np.arange(1, count + 2))

        last = np.zeros(count + 1, int)  # the last generation that reads each
        np.maximum.at(last, generations[source], generations[target[edge]][entry])
        np.maximum.at(last, generations[np.array(outputs, int)], count + 1)

        block_of, place = np.zeros(len(rows), int), np.zeros(len(rows), int)
        place[inputs] = np.arange(len(inputs))
        blocks = [_Block(0, np.array(inputs, int), int(last[0]))]  # in hand
        numbered, steps = 1, []
        for g, (first, after) in enumerate(pairwise(cuts.tolist()), 1):
            mine, wires = units[first:after], slice(*ends[g - 1 : g + 1].tolist())
            base = int(row_of[mine[0]])
            high = base + int(rows[mine].sum())
            block = np.searchsorted([b.number for b in blocks], block_of[source[wires]])
            order = np.lexsort((place[source[wires]], row[wires], block))
            entry[wires], block = entry[wires][order], block[order]
            to, frm = row[wires][order] - base, place[source[wires]][order]
            reads = tuple(np.unique(block).tolist()) or (0,)
            edges = np.searchsorted(block, [*reads, len(blocks)]).tolist()
            parts = [
                Wires(high - base, len(blocks[i].units), to[a:b], frm[a:b]) for i, (a, b) in zip(reads, pairwise(edges))
            ]
            path = f"generations[{g - 1}]"
            groups = _groups(mine, kind, activations, row_of[mine] - base, rows[mine])
            keep = tuple(i for i, b in enumerate(blocks) if b.last > g)
            blocks = [*(blocks[i] for i in keep), _Block(numbered, mine, int(last[g]))]
            block_of[mine], place[mine] = numbered, np.arange(len(mine))
            numbered, merges = numbered + 1, 0
            while len(blocks) > 1 and len(blocks[-2].units) <= len(blocks[-1].units):
                old, new = blocks[-2:]
                block_of[new.units] = old.number
                place[new.units] += len(old.units)
                blocks[-2:] = [_Block(old.number, np.concatenate([old.units, new.units]), max(old.last, new.last))]
                merges += 1
            steps.append(Step(path, wires, slice(base, high), reads, Wiring(parts), groups, keep, merges))
        held = np.concatenate([b.units for b in blocks])
        place[held] = np.arange(len(held))
        picks = place[np.array(outputs, int)]
        return cls(generation, tuple(steps), _as_slice(entry), _as_slice(biases), _as_slice(picks))


@dataclass(frozen=True)
class _Block:
    number: int
    units: Array
    last: int


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
