"""Which op is to blame: the rule of every op in a graph is checked by itself, at the values that flowed through it.

An op's rule says what each input gets of the gradient `g` of the result: the slope of sum(g * op(inputs)) by that
input. That can be held against differences of the op alone, whatever the other ops do, so an op is never blamed for
another's mistake.

Two gradients come in. A random one, of both signs and several sizes: where the real one is 0, nothing could be learned
from it. And the one that really flowed, since a rule may go wrong for just that: NaN where no gradient comes in.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.gradcheck._one_op import (
    KINKED,
    OK,
    SUSPECT,
    UNSURE,
    WRONG,
    Entries,
    Fault,
    Local,
    Numbers,
    Row,
    Tally,
    Verdicts,
    along,
    judged,
    looked_at_again,
    mixed,
    narrowed,
    protected,
    share_of,
)  # fmt: skip
from micrograd_nn.gradcheck._sources import Source, sources
from micrograd_nn.graph import Node, topological_order
from micrograd_nn.op import Patch
from micrograd_nn.text import spelled

if TYPE_CHECKING:
    from micrograd_nn.gradcheck._patterns import Evidence, LocalOp

__all__ = ["Blame", "Findings", "Kink", "Place", "Source", "examine", "find_blame", "sources"]

Array = np.ndarray[Any, Any]
Key = tuple[Node, int]  # an op of the graph, and which of its inputs

NUMBERS = 300_000  # inputs of ops on plain numbers that are looked at; where there are more, those that tell most
WORK = 200_000_000  # what the ops on arrays may cost together, in numbers read and written
LOCAL = 200  # entries of one input that are looked at one by one,
FEW = 8  # and how many where the same op has been looked at that often


@dataclass(frozen=True, eq=False)
class Place:
    """An op of the graph, and where it was made: `source` is such as "train.py:12", `line` the text there, or ""."""

    node: Node
    op: str
    module: str
    source: str
    line: str

    def __str__(self) -> str:
        at = f" at {self.module}" if self.module else ""
        line = self.line if len(self.line) <= 80 else self.line[:77] + "..."
        made = f" ({self.source}{f': `{line}`' if line else ''})" if self.source else ""
        return f"op `{self.op}`{at}{made}"

    def to_dict(self) -> dict[str, Any]:
        """Plain text, as JSON takes it."""
        return {"op": self.op, "module": self.module, "source": self.source, "line": self.line}


def _place(node: Node, known: Mapping[Node, Source]) -> Place:
    file, number, line = known.get(node, ("", 0, ""))
    if "ipykernel_" in file or file.startswith("<ipython-input"):
        file = "cell"  # a notebook's cells have file names that say nothing
    name = file if file.startswith("<") else os.path.basename(file)
    return Place(node, str(node.op.name), node.module, f"{name}:{number}" if name else "", line)


class _Placed:
    """What has a place has its parts."""

    place: Place

    @property
    def node(self) -> Node:
        return self.place.node

    @property
    def op(self) -> str:
        return self.place.op

    @property
    def module(self) -> str:
        return self.place.module

    @property
    def source(self) -> str:
        return self.place.source

    @property
    def line(self) -> str:
        return self.place.line


@dataclass(frozen=True, eq=False)
class Kink(_Placed):
    """An op that sits exactly where its slope jumps: it is not wrong, but no one gradient is right.

    `index` and `value` are one such entry of its input, `left` and `right` the slopes there (NaN where these depend on
    the gradient that comes in); so are `count` of the `entries` that were looked at, and `nodes` of such ops in one
    module.
    """

    place: Place
    input: int
    index: tuple[int, ...]
    value: float
    left: float
    right: float
    count: int = 1
    entries: int = 1
    nodes: int = 1

    def __str__(self) -> str:
        at = f"[{', '.join(map(str, self.index))}] " if self.index else ""
        many = ""
        if self.count > 1:
            many = f", as do {self.count - 1:,} more of the {self.entries:,} entries looked at"
        elif self.nodes > 1:
            many = f", as do {self.nodes - 1:,} more like it"
        slopes = f"goes from {_said(self.left)} to {_said(self.right)}" if isfinite(self.left) else "jumps"
        return (
            f"{self.place} sits exactly on its kink: its input {at}is {_said(self.value)}, where its slope "
            f"{slopes}{many}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as JSON takes them."""
        numbers = {name: spelled(float(getattr(self, name))) for name in ("value", "left", "right")}
        counts = {"count": self.count, "entries": self.entries, "nodes": self.nodes}
        return {**self.place.to_dict(), "input": self.input, "index": list(self.index), **numbers, **counts}


@dataclass(frozen=True, eq=False)
class Blame(_Placed):
    """The first wrong op that the backward sweep meets, from the result towards the leaves.

    `op` is its name, `input` the place of the input whose gradient is wrong, `input_name` what that is called;
    `module`, `source` and `line` say where it was made. `reason` says what is wrong. `after` counts the ops between it
    and the result that were found right, of `ops_after` there are. `others` are the wrong ops that the sweep meets
    later, `kinks` the ops that sit on one.

    What it was checked with: `g`, the gradient that came in, `out`, the value, `x`, the input; what the rule gave for
    it, `analytic`; what is right, `numeric`, to within `error_bar`; where it was `looked`. For an op on plain numbers
    these are arrays with an entry for every place in the graph where that op was looked at. `evidence` and `local` are
    the same as `diagnose` takes them.

    For pictures: `node` in the graph of `root`, and all nodes that are `wrong`, `right` and `unchecked`.
    """

    place: Place
    root: Node = field(repr=False)
    input: int
    input_name: str
    reason: str
    after: int
    ops_after: int
    wrong: tuple[Node, ...] = field(repr=False)
    right: tuple[Node, ...] = field(repr=False)
    unchecked: tuple[Node, ...] = field(repr=False)
    elsewhere: tuple[Place, ...] = field(repr=False)
    kinks: tuple[Kink, ...] = field(repr=False)
    inputs: dict[int, dict[str, Any]] = field(repr=False)  # by place, what is known of each tracked input
    values: tuple[Any, ...] = field(repr=False)
    g: Any = field(repr=False)
    out: Any = field(repr=False)

    @property
    def others(self) -> tuple[Node, ...]:
        return self.wrong[1:]

    @property
    def x(self) -> Array:
        return self.inputs[self.input]["x"]  # type: ignore[no-any-return]

    @property
    def analytic(self) -> Array:
        return self.inputs[self.input]["analytic"]  # type: ignore[no-any-return]

    @property
    def numeric(self) -> Array:
        return self.inputs[self.input]["numeric"]  # type: ignore[no-any-return]

    @property
    def error_bar(self) -> Array:
        return self.inputs[self.input]["error_bar"]  # type: ignore[no-any-return]

    @property
    def looked(self) -> Array:
        return self.inputs[self.input]["looked"]  # type: ignore[no-any-return]

    @property
    def evidence(self) -> list[Evidence]:
        """Every tracked input of the op as `diagnose` takes it."""
        from micrograd_nn.gradcheck._patterns import Evidence

        names = [_input_name(self.node, i) or f"input {i + 1}" for i in self.inputs]
        return [Evidence(name, **arrays) for name, arrays in zip(names, self.inputs.values(), strict=True)]

    @property
    def local(self) -> LocalOp:
        """The op by itself as `diagnose` takes it."""
        from micrograd_nn.gradcheck._patterns import LocalOp

        return LocalOp(self.node.op, self.out, self.g, self.values, self.node.params, tuple(self.inputs))

    def __str__(self) -> str:
        if not self.ops_after:
            after = "no op comes after it"
        elif self.after == self.ops_after:
            after = "the op after it is right" if self.after == 1 else f"the {self.after:,} ops after it are right"
        else:
            after = f"of the {self.ops_after:,} ops after it {self.after:,} are right, the others were not checked"
        many, name = len(self.node.inputs), f", `{self.input_name}`," if self.input_name else ""
        which = f"for input {self.input + 1} of {many}{name}" if many > 1 else ""
        if self.reason.startswith("is "):
            reason = f"Its gradient {which} {self.reason}" if which else f"Its gradient {self.reason}"
        else:
            reason = f"{which}{'' if name else ','} {self.reason}" if which else self.reason
            reason = reason[0].upper() + reason[1:]
        return f"{self.place} is wrong; {after}. {reason}.{self._elsewhere()}"

    def _elsewhere(self) -> str:
        same = [p for p in self.elsewhere if p.node.op is self.node.op]
        rest = [p for p in self.elsewhere if p.node.op is not self.node.op]
        text = ""
        if same:
            modules = [p.module for p in same if p.module and p.module != self.module]
            places = f"{len(same):,} more places" if len(same) > 1 else "one more place"
            text += f" The same op is wrong at {places}{f' ({_some(modules)})' if modules else ''}."
        if rest:
            named = [f"`{p.op}` at {p.module}" if p.module else f"`{p.op}`" for p in rest]
            text += f" Further back {_some(named)} {'are' if len(set(named)) > 1 else 'is'} wrong too."
        return text

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as JSON takes them; nodes by their place in `topological_order(root)`."""
        number = {node: i for i, node in enumerate(topological_order(self.root))}
        sets = {name: [number[n] for n in getattr(self, name)] for name in ("wrong", "right", "unchecked")}
        return {
            "sentence": str(self), **self.place.to_dict(), "node": number[self.node], "input": self.input,
            "input_name": self.input_name, "reason": self.reason, "after": self.after, "ops_after": self.ops_after,
            "others": [p.to_dict() | {"node": number[p.node]} for p in self.elsewhere[:100]],
            "kinks": [k.to_dict() for k in self.kinks], **sets,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Findings:
    """What a look at every op of a graph found: whom to blame, who sits on a kink, what else is strange.

    `notes` are sentences, about ops that give one thing on numbers and another on arrays, or not the same twice.
    `evaluations` counts how often ops were computed.
    """

    blame: Blame | None
    kinks: tuple[Kink, ...]
    notes: tuple[str, ...]
    wrong: tuple[Node, ...] = field(repr=False)
    right: tuple[Node, ...] = field(repr=False)
    unchecked: tuple[Node, ...] = field(repr=False)
    evaluations: int = 0

    def __str__(self) -> str:
        if self.blame is not None:
            text = str(self.blame)
        else:
            right, ops = len(self.right), len(self.right) + len(self.unchecked)
            text = f"no op is wrong ({f'all {ops:,}' if right == ops else f'{right:,} of the {ops:,}'} checked)"
            text += f", but {'; '.join(map(str, self.kinks[:3]))}." if self.kinks else "."
        return " ".join([text, *self.notes])


def find_blame(
    root: Node, seed: Any = None, sources: Mapping[Node, Source] | None = None,
    rng: np.random.Generator | int | None = 0,
) -> Blame | None:  # fmt: skip
    """The op whose rule is wrong, the first that the backward sweep from `root` meets; None when none is.

    Every op is checked by itself at the values that flowed, with a random gradient and with the one that flows when
    `seed` comes in at `root` (1 for a single number, where it is left out). `sources` says where nodes were made.

    >>> import micrograd_nn as mg
    >>> from micrograd_nn.op import REGISTRY, Op
    >>> cube = Op("cubed", lambda a: a * a * a, lambda g, out, a: g * (2 * a * a))
    >>> x = mg.Value(2.0)
    >>> with sources() as found:
    ...     y = cube(x.exp()).sin()
    >>> print(find_blame(y, sources=found))  # doctest: +ELLIPSIS
    op `cubed` (...: `y = cube(x.exp()).sin()`) is wrong; the op after it is right. Its gradient is ... is right ...
    >>> del REGISTRY["cubed"]
    """
    return examine(root, seed, sources, rng).blame


def examine(
    root: Node, seed: Any = None, sources: Mapping[Node, Source] | None = None,
    rng: np.random.Generator | int | None = 0,
) -> Findings:  # fmt: skip
    """Check every op of a graph by itself, as `find_blame` does, and say all that was found."""
    with np.errstate(all="ignore"):
        return _Search(root, seed, sources or {}, np.random.default_rng(rng)).findings()


class _Search:
    """The ops of one graph, input by input: the verdicts so far, and what they rest on."""

    def __init__(self, root: Node, seed: Any, known: Mapping[Node, Source], rng: np.random.Generator) -> None:
        self.root, self.known, self.rng, self.tally = root, known, rng, Tally()
        self.order = [n for n in topological_order(root) if n.op is not None]
        self.verdicts: dict[int, dict[Node, int]] = defaultdict(dict)  # by input, then by node
        self.faults: dict[Key, str] = {}
        self.shown: dict[Key, tuple[int, Array]] = {}  # where it is wrong: an entry, and the gradient that shows it
        self.numbers: dict[tuple[Any, int], list[Row]] = defaultdict(list)  # by op and input, from the result on
        self.arrays: list[Key] = []  # from the result on
        self.flowed: dict[Node, Any] = {}  # what reached ops on arrays
        self.kinks: list[Kink] = []
        self.notes: dict[str, None] = {}
        self._sweep(seed)

    def findings(self) -> Findings:
        self._check_numbers()
        self._check_arrays()
        sorts: tuple[list[Node], list[Node], list[Node]] = [], [], []
        for node in self.order:
            found = [self.verdicts[i].get(node) for i, x in enumerate(node.inputs) if x.stamp > 0]
            well = all([v in (OK, KINKED) for v in found])  # noqa: C419
            sorts[0 if WRONG in found else 1 if well else 2].append(node)
        sorts[0].sort(key=lambda n: -n.stamp)  # as the sweep meets them
        wrong, right, unchecked = map(tuple, sorts)
        blame = self._blame(wrong, right, unchecked) if wrong else None
        kinks, notes = tuple(self.kinks), tuple(self.notes)
        return Findings(blame, kinks, notes, wrong, right, unchecked, self.tally.evaluations)

    def _sweep(self, seed: Any) -> None:
        """Carry the gradient back as the engine does, past every mistake, and note what each rule makes of it."""
        try:
            start = self.root._seed(seed)
        except (ValueError, TypeError):
            start = np.ones_like(self.root._data)
        pending: dict[Node, Any] = {self.root: start}
        other = float(mixed(self.rng, 1)[0])
        for node in reversed(self.order):
            g, out, inputs = pending.pop(node, None), node._data, node.inputs
            values = tuple([x._data for x in inputs])
            number = out.__class__ is float and all([v.__class__ is float for v in values])  # noqa: C419
            solid = isfinite(out) and all(map(isfinite, values)) if number else _finite(out, *values)
            if not number:
                values = tuple(map(protected, values))
                self.flowed[node] = g = None if g is None else node._settle(g)
            for i, x in enumerate(inputs):
                if x.stamp < 0:
                    continue
                share = None
                try:
                    share = None if g is None else share_of(node, i, g, values)
                    if not number:
                        self.arrays.append((node, i))
                    elif solid:
                        self.numbers[node.op, i].append(self._row(node, i, values, g, share, other))
                except Fault as fault:
                    if solid and (g is None or _finite(g)):
                        self._at_fault((node, i), fault)
                if share is not None and x.op is not None:
                    before = pending.get(x)
                    pending[x] = share if before is None else before + share

    @staticmethod
    def _row(node: Node, i: int, values: tuple[float, ...], g: float | None, share: Any, other: float) -> Row:
        """What there is to judge; with a gradient of our own where none of use came in."""
        if g is not None and 1e-200 < abs(g) < 1e200:
            return Row(node, values, node.params, g, share)
        if g == 0 and share != 0:
            raise Fault(f"its rule gives {_said(share)} where no gradient comes in")
        return Row(node, values, node.params, other, share_of(node, i, other, values))

    def _at_fault(self, key: Key, fault: Fault) -> None:
        self.faults[key] = str(fault)
        self._set(key, WRONG)

    def _set(self, key: Key, verdict: int) -> None:
        self.verdicts[key[1]][key[0]] = verdict

    def _verdict(self, key: Key) -> int | None:
        return self.verdicts[key[1]].get(key[0])

    # --- ops on plain numbers -----------------------------------------------------------------------------------------

    def _check_numbers(self) -> None:
        total = sum(map(len, self.numbers.values()))
        for (op, i), rows in self.numbers.items():
            chosen, rest = (rows, []) if total <= NUMBERS else self._telling(rows, i, NUMBERS * len(rows) // total)
            wrong = self._check_rows(op, i, chosen)
            if wrong and rest:  # one nearer to the result may be wrong as well
                last = max(n.stamp for n in wrong)
                self._check_rows(op, i, [r for r in rest if r.node.stamp > last][:20_000])
            self._compare_paths(op, rows)

    def _telling(self, rows: list[Row], i: int, most: int) -> tuple[list[Row], list[Row]]:
        """Of many rows those that tell most (nearest to the result, extremes, zeros, some of the rest); the others."""
        x, most = np.array([r.values[i] for r in rows]), max(most, 64)
        few, places = most // 10, set(range(most // 2))
        by_size = np.argsort(np.abs(x), kind="stable")
        for some in (by_size[:few], by_size[-few:], np.argsort(x)[:few]):
            places.update(some.tolist())
        places.update(self.rng.permutation(len(rows))[: max(0, most - len(places))].tolist())
        return [rows[p] for p in sorted(places)], [r for p, r in enumerate(rows) if p not in places]

    def _table(self, op: Any, i: int, rows: list[Row]) -> tuple[Numbers, list[Row]]:
        """The rows with a random gradient as well; without those whose rule fails on it."""
        drawn, shares, kept = mixed(self.rng, len(rows)).tolist(), [], []
        for row, g in zip(rows, drawn, strict=True):
            try:
                shares.append((share_of(row.node, i, g, row.values), g))
                kept.append(row)
            except Fault as fault:
                self._at_fault((row.node, i), fault)
        pairs = np.array(shares, float).reshape(-1, 2)
        return Numbers(op, i, kept, pairs[:, 1], pairs[:, 0], self.tally), kept

    def _check_rows(self, op: Any, i: int, rows: list[Row]) -> list[Node]:
        """Check one input of one op at many nodes; gives those where it is wrong."""
        table, rows = self._table(op, i, rows)
        if not rows:
            return []
        for r in np.flatnonzero(~table.same)[:1]:
            self._not_the_same(rows[r].node, float(rows[r].node._data), table.here[r])
        found = judged(table)
        status = np.where(table.same, found.status, UNSURE)
        suspects = np.flatnonzero(status == SUSPECT)
        again: dict[int, int] = {}
        for r in suspects[:12].tolist():
            local, row = Local(rows[r].node, i, self.tally), rows[r]
            for g, share in ((table.drawn[r], table.shares[r]), (row.flowed, row.share)):
                again[r], _ = looked_at_again(local, 0, np.array([g]), float(share))
                if again[r] == WRONG:
                    self.shown[row.node, i] = 0, np.array([g])
                    break
        status[suspects] = WRONG if set(again.values()) == {WRONG} else UNSURE
        for r, verdict in again.items():
            status[r] = verdict
        self.verdicts[i].update({row.node: v for row, v in zip(rows, status.tolist(), strict=True)})
        kinks: dict[str, list[int]] = {}
        for r in np.flatnonzero(status == KINKED).tolist():
            kinks.setdefault(rows[r].node.module, []).append(r)
        for places in kinks.values():
            r = places[0]
            self._on_a_kink(rows[r].node, i, 0, rows[r].values[i], found, r, 1.0, nodes=len(places))
        return [rows[r].node for r in np.flatnonzero(status == WRONG).tolist()]

    def _compare_paths(self, op: Any, rows: list[Row]) -> None:
        """Note where an op gives one thing on numbers and another on arrays."""
        if op.scalar is None:
            return
        for k in np.linspace(0, len(rows) - 1, min(20, len(rows))).astype(int):
            values, ours = rows[k].values, rows[k].node._data
            try:
                other = float(op.array(*map(np.asarray, values), **rows[k].params))
            except Exception:  # then the two cannot be compared
                continue
            if not np.isclose(other, ours, rtol=1e-7, atol=1e-15, equal_nan=True):
                given = ", ".join(map(_said, values))
                note = f"Op `{op.name}` gives {_said(ours)} on numbers and {_said(other)} on arrays, for {given}."
                self.notes[note] = None
                return

    def _on_a_kink(
        self, node: Node, i: int, at: int, value: float, found: Verdicts, r: int, g: float, **counts: int
    ) -> None:  # fmt: skip
        if not any(k.node is node or (counts.get("nodes") and k.op == node.op.name and k.module == node.module)
                   for k in self.kinks):  # fmt: skip
            left, right = float(found.left[r]) / g, float(found.right[r]) / g
            least = 1e-9 * max(abs(left), abs(right))
            left, right = (0.0 if abs(side) <= least else side for side in (left, right))
            index = tuple(int(k) for k in np.unravel_index(at, np.shape(node.inputs[i]._data)))
            self.kinks.append(Kink(_place(node, self.known), i, index, value, left, right, **counts))

    def _not_the_same(self, node: Node, before: float, now: float) -> None:
        place = str(_place(node, self.known)).replace("op", "Op", 1)
        note = f"{place} gave {_said(before)} before and gives {_said(now)} now for the same inputs: not checked."
        self.notes[note] = None

    # --- ops on arrays ------------------------------------------------------------------------------------------------

    def _check_arrays(self) -> None:
        """Every input along a random direction, a few of every op's first; then entry by entry."""
        keys = [key for key in self.arrays if key not in self.faults]
        seen: dict[Any, int] = defaultdict(int)
        nth = {}
        for node, i in keys:
            nth[node, i] = seen[node.op, i]
            seen[node.op, i] += 1
        work, looked = WORK, {}
        for key in sorted(keys, key=lambda key: nth[key] > 2):
            if work < WORK // 3:
                break
            local = looked[key] = Local(*key, self.tally)
            before = self.tally.evaluations
            self._check_whole(key, local)
            work -= (self.tally.evaluations - before) * local.cost
        left = [key for key in keys if key in looked and self._verdict(key) in (OK, UNSURE)]
        for k, key in enumerate(left):
            local = looked[key]
            most = min(LOCAL if nth[key] < FEW else FEW, int(work / (len(left) - k) / (9 * local.cost)))
            if most >= min(4, local.n):
                chosen = self._chosen(local, most)
                self._check_entries(key, local, chosen)
                work -= len(chosen) * 9 * local.cost
        self._check_nearer([key for key in keys if key not in looked])

    def _check_nearer(self, keys: list[Key]) -> None:
        """Of ops found wrong, those nearer to the result that there was no time for."""
        last: dict[Any, int] = {}
        for i, verdicts in self.verdicts.items():
            for node, verdict in verdicts.items():
                if verdict == WRONG:
                    last[node.op, i] = max(node.stamp, last.get((node.op, i), 0))
        for node, i in [(n, i) for n, i in keys if n.stamp > last.get((n.op, i), n.stamp)][:2_000]:
            self._check_whole((node, i), Local(node, i, self.tally))
            if self._verdict((node, i)) == WRONG:
                break

    def _gradients(self, local: Local) -> list[tuple[Array, Array]]:
        """The gradient that flowed and a random one, each with what the input gets of it."""
        flowed = self.flowed.get(local.node)
        given = [np.ravel(np.asarray(flowed, float))] if flowed is not None and _finite(flowed) else []
        return [(g, local.share(g)) for g in (*given, local.drawn(self.rng))]

    def _check_whole(self, key: Key, local: Local) -> None:
        """Check an input by moving all of it along a random direction."""
        empty = not local.n or not local.here.size
        self._set(key, OK if empty else UNSURE)
        if not local.same and local.now is not None:
            before = np.ravel(local.node._data)
            at = int(np.argmax(np.abs(local.now - before)))
            self._not_the_same(local.node, float(before[at]), float(local.now[at]))
        if not local.same or empty:
            return
        way = np.where(local.finite, local.size * mixed(self.rng, local.n).reshape(local.x.shape), 0.0)
        try:
            gradients = self._gradients(local)
            verdict = along(local, way, gradients)
            if verdict != SUSPECT:
                self._set(key, verdict)
                return
            places = self._chosen(local, 40)
            for g, _ in gradients:
                found = narrowed(local, way, g, self.rng)
                places = places if found is None else np.union1d(places, [found])
        except Fault as fault:
            self._at_fault(key, fault)
            return
        self._check_entries(key, local, places)

    def _chosen(self, local: Local, most: int) -> Array:
        """Entries to look at: all, or the extremes, the zeros, the corners and some of the rest."""
        able = np.flatnonzero(local.finite.ravel())
        if len(able) <= most:
            return able
        few, x = max(1, most // 10), local.x.ravel()[able]
        by_size = np.argsort(np.abs(x), kind="stable")
        places = np.concatenate([by_size[:few], by_size[-few:], np.argsort(x)[:few], [0, len(able) - 1]])
        rest = self.rng.choice(len(able), most, replace=False)
        return np.sort(able[list(dict.fromkeys([*places.tolist(), *rest.tolist()]))[:most]])

    def _check_entries(self, key: Key, local: Local, places: Array) -> None:
        """Check entries of an input one by one."""
        try:
            gradients = self._gradients(local)
        except Fault as fault:
            self._at_fault(key, fault)
            return
        if not local.same:
            return
        found = judged(Entries(local, places, gradients))
        status = found.status
        for r in np.flatnonzero(status == SUSPECT)[:12].tolist():
            at = int(places[r])
            for g, share in gradients:
                status[r], _ = looked_at_again(local, at, g, float(share[at]))
                if status[r] == WRONG:
                    self.shown[key] = at, g
                    self._set(key, WRONG)
                    return
        kinks = np.flatnonzero(status == KINKED)
        if len(kinks):
            at, g = int(places[kinks[0]]), gradients[-1][0]
            came = float(g[at]) if len(g) == local.n else np.nan  # an elementwise op has its slopes whatever comes in
            value, counts = float(local.x.flat[at]), {"count": len(kinks), "entries": len(places)}
            self._on_a_kink(local.node, local.i, at, value, found, int(kinks[0]), came, **counts)
        if np.isin(status, (OK, KINKED)).all():
            self._set(key, OK)

    # --- whom to blame ------------------------------------------------------------------------------------------------

    def _blame(self, wrong: tuple[Node, ...], right: tuple[Node, ...], unchecked: tuple[Node, ...]) -> Blame:
        node = wrong[0]
        i = next(i for i in range(len(node.inputs)) if self._verdict((node, i)) == WRONG)
        after = {node}
        for other in self.order:
            if any(x in after for x in other.inputs):
                after.add(other)
        after.discard(node)
        if node in self.known:  # ops that the check itself adds to the user's are not worth counting
            after &= self.known.keys()
        well = after.intersection(right)
        inputs, values, g, out = self._gathered(node, i)
        return Blame(
            _place(node, self.known), self.root, i, _input_name(node, i), self._reason(node, i), len(well), len(after),
            wrong, right, unchecked, tuple(_place(n, self.known) for n in wrong[1:]), tuple(self.kinks),
            inputs, values, g, out,
        )  # fmt: skip

    def _gathered(self, node: Node, blamed: int) -> tuple[dict[int, dict[str, Any]], tuple[Any, ...], Any, Any]:
        """What is known of each tracked input; the values, the gradient that came in, and the result."""
        tracked = [i for i, x in enumerate(node.inputs) if x.stamp > 0]
        rows = {i: {r.node: r for r in self.numbers.get((node.op, i), [])} for i in tracked}
        if all(node in rows[i] for i in tracked) and not any((node, i) in self.faults for i in tracked):
            return self._gathered_rows(node, tracked, rows)
        local = {i: Local(node, i, self.tally) for i in tracked}
        place, g = self.shown.get((node, blamed), (0, local[blamed].drawn(self.rng)))
        inputs = {i: self._gathered_entries(one, g, place if i == blamed else 0) for i, one in local.items()}
        return inputs, tuple(local[blamed].values), local[blamed].given(g), node._data

    def _gathered_rows(
        self, node: Node, tracked: list[int], rows: dict[int, dict[Node, Row]]
    ) -> tuple[dict[int, dict[str, Any]], tuple[Any, ...], Any, Any]:
        """Of an op on plain numbers, all its places in the graph side by side, that a pattern may show."""
        nodes = [n for n in rows[tracked[0]] if n is not node and all(n in rows[i] for i in tracked)]
        nodes = [n for n in nodes if all((n, i) not in self.faults for i in tracked) and n.params == node.params]
        nodes = [node, *nodes[:1_999]]
        drawn = mixed(self.rng, len(nodes))
        inputs = {}
        for i in tracked:
            some = [rows[i][n] for n in nodes]
            shares = np.array([share_of(r.node, i, g, r.values) for r, g in zip(some, drawn.tolist(), strict=True)])
            table = Numbers(node.op, i, some, drawn, shares, self.tally)
            table.analytic = table.analytic[1:]
            found = judged(table)
            wrong = np.array([self._verdict((n, i)) == WRONG for n in nodes])
            inputs[i] = _arrays(table.x, shares, drawn * found.slope, np.abs(drawn) * found.error, wrong)
        values = tuple(np.array(column) for column in zip(*(r.values for r in some), strict=True))
        return inputs, values, drawn, np.array([n._data for n in nodes])

    def _gathered_entries(self, local: Local, g: Array, place: int) -> dict[str, Any]:
        """Of an op on arrays, one input entry by entry."""
        most = int(min(2 * LOCAL, max(16, WORK / 20 / (9 * local.cost))))
        places = np.union1d(self._chosen(local, most), [place] if local.n else []).astype(int)
        analytic, returned = np.full(local.n, np.nan), None
        try:
            analytic = local.share(g)
        except Fault:
            returned = self._returned(local, g)
        slopes, error, wrong = np.full((3, local.n), np.nan)
        if local.here.size and len(places):
            found = judged(Entries(local, places, [(g, analytic)]))
            slopes[places], error[places] = found.slope, found.error
            wrong[places] = (found.status == SUSPECT) | np.isnan(analytic[places])
        shape = local.x.shape
        arrays = (a.reshape(shape) for a in (local.x, analytic, slopes, error, wrong == 1))
        return _arrays(*arrays) | {"returned": returned}

    @staticmethod
    def _returned(local: Local, g: Array) -> Array | None:
        """What came back, where it has not the form of a gradient of this input."""
        node = local.node
        try:
            raw = node.op.share(local.i, local.given(g), node._data, local.values, node.params)
            return np.asarray(raw.dense() if isinstance(raw, Patch) else raw, float)
        except Exception:  # nothing that could be looked at
            return None

    def _reason(self, node: Node, i: int) -> str:
        """What is wrong, in words that follow "Its gradient" or stand alone."""
        if (node, i) in self.faults:
            return self.faults[node, i]
        local = Local(node, i, self.tally)
        place, g = self.shown.get((node, i), (0, local.drawn(self.rng)))
        try:
            analytic = local.share(g)
            if said := _not_linear(local, g, analytic):
                return said
        except Fault as fault:
            return f"{fault}, now and then"
        _, look = looked_at_again(local, place, g, float(analytic[place]))
        got, wanted, bar = float(analytic[place]), float(look.value[0]), float(look.error[0])
        wanted = 0.0 if abs(wanted) <= bar else wanted
        digits = 4 if not abs(got - wanted) <= 1e-3 * abs(wanted) else 12
        index = _index(place, local)
        at = f" at [{', '.join(map(str, index))}]" if index else ""
        coming = f", for {_said(float(g[0]))} coming in" if g.size == 1 else ""
        coarse = ""
        raw = node.op.share(i, local.given(g), node._data, local.values, node.params)
        found, own = np.asarray(raw.value if isinstance(raw, Patch) else raw).dtype, np.asarray(local.values[i]).dtype
        if found.kind == "f" and found.itemsize < own.itemsize:
            coarse = f"; the rule works in {found}, and the input is {own}"
        given = f"the input is {_said(float(local.x.flat[place]))}{coming}{coarse}"
        if np.isnan(got) and look.kinked[0]:
            sides = f"from {_said(float(look.left[0]))} to {_said(float(look.right[0]))}"
            return f"is NaN{at} where the slope goes {sides} ({given})"
        nothing = ", though no gradient comes in" if np.isnan(got) and not np.any(g) else ""
        return f"is {_said(got, digits)}{at} where {_said(wanted, digits)} is right ({given}{nothing})"


def _not_linear(local: Local, g: Array, analytic: Array) -> str:
    """What is wrong with how a rule uses the gradient that comes in; "" when nothing is."""
    scale = float(np.max(np.abs(analytic), initial=0.0))
    if not isfinite(scale):
        return ""

    def differ(a: Array, b: Array) -> bool:
        return bool(np.max(np.abs(a - b), initial=0.0) > max(1e-6, local.rtol) * scale)

    twice = local.share(2 * g)
    if differ(local.share(g), analytic):
        return "its rule does not give the same twice"
    if scale and not differ(twice, analytic):
        return "its rule takes no account of the size of the gradient that comes in"
    if differ(twice, 2 * analytic):
        return "its rule is not linear in the gradient that comes in: for twice as much it does not give twice as much"
    if differ(local.share(-g), -analytic):
        return "its rule is not linear in the gradient that comes in: for the opposite it does not give the opposite"
    return ""


def _input_name(node: Node, i: int) -> str:
    """What an input is called: its own name, or that in the rule."""
    if node.inputs[i].name:
        return str(node.inputs[i].name)
    rules = node.op.rules
    code = getattr(rules[i], "__code__", None) if not node.op.variadic and i < len(rules) else None
    return code.co_varnames[2 + i] if code is not None and code.co_argcount > 2 + i else ""


def _index(place: int, local: Local) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(place, local.x.shape))


def _arrays(x: Array, analytic: Array, numeric: Array, error: Array, wrong: Array) -> dict[str, Any]:
    looked = np.isfinite(numeric)
    known = {"analytic": np.where(looked, analytic, np.nan), "numeric": numeric, "error_bar": error}
    return {"x": x, "looked": looked, "wrong": wrong & looked, **known}


def _finite(*given: Any) -> bool:
    return all(bool(np.isfinite(x).all()) for x in given)


def _said(x: float, digits: int = 4) -> str:
    """A number for people."""
    return f"{x + 0.0:.{digits}g}".replace("-", "−") if isfinite(x) else spelled(float(x)).replace("Infinity", "inf")


def _some(items: Sequence[str], most: int = 4) -> str:
    items = list(dict.fromkeys(items))
    shown = items[:most] + ([f"{len(items) - most:,} more"] if len(items) > most else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
