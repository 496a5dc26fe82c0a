"""Which op is to blame: every op of a graph by itself is code with a backward pass, its rule, and is checked as such.

What an op gives each input of the gradient `g` of its result has to be the slope of sum(g * op(inputs)). That can be
held against differences of the op alone, at the values that flowed, so no op is blamed for another's mistake.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.checking._arguments import Contract, Entry
from micrograd_nn.checking._check import Checked, check
from micrograd_nn.checking._evidence import Evidence, LocalOp
from micrograd_nn.checking._report import Row, called, figures
from micrograd_nn.checking._sources import Source
from micrograd_nn.checking._subject import Subject
from micrograd_nn.graph import Node, topological_order
from micrograd_nn.op import Patch
from micrograd_nn.ops import sum_to

__all__ = ["Blame", "Rule", "find_blame", "on_kinks"]

Array = np.ndarray[Any, Any]
MOST = 1_000  # ops that are looked at
EACH = 40  # and of each op so many at first, where there are more than MOST of all
WORK = 4_000_000  # numbers that may be read in checking one op
ALIKE = 50  # places of an op on plain numbers that a diagnosis is given side by side


class Rule(Subject):
    """The op of one node with its inputs: a function, whose backward pass is its rule."""

    def __init__(self, node: Node) -> None:
        self.node, self.name = node, f"`{node.op.name}`"
        self.values = [_wide(x._data if isinstance(x, Node) else x) for x in node.inputs]
        self.places = [i for i, x in enumerate(node.inputs) if isinstance(x, Node) and x.stamp > 0]
        self.entries = [
            Entry(self._called(i), np.array(v, float), np.asarray(v).dtype, isinstance(v, float))
            for i, v in enumerate(self.values) if i in self.places
        ]  # fmt: skip

    def _called(self, i: int) -> str:
        x = self.node.inputs[i]
        return x.name or ("its input" if len(self.values) == 1 else f"input {i + 1}")

    def _filled(self, arrays: Sequence[Array]) -> list[Any]:
        """The inputs with these in their places."""
        values = list(self.values)
        for i, e, a in zip(self.places, self.entries, arrays, strict=True):
            values[i] = float(a) if e.number else np.array(a)
        return values

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        try:
            return [np.asarray(self.node.op.run(self._filled(arrays), self.node.params))]
        except TypeError as error:  # an op that does not know what to do elsewhere is not defined there
            raise ValueError(str(error)) from error

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        values, found = self._filled(arrays), []
        out = self.node.op.run(values, self.node.params)
        g = seeds[0].item() if isinstance(out, float) else seeds[0].astype(np.asarray(out).dtype)
        for i, e in zip(self.places, self.entries, strict=True):
            given = [_sealed(v) for v in values]
            came = np.array(g) if isinstance(g, np.ndarray) else g
            try:
                share = self.node.op.share(i, came, out, given, self.node.params)
                if share is None or isinstance(share, Node):
                    what = "None" if share is None else f"a {share.kind}"
                    raise Contract(f"for {e.name} its rule gives {what}, where plain numbers belong")
                found.append(self._fitted(i, share))
            except Contract:
                raise
            except Exception as error:  # a rule may raise anything
                raise Contract(f"for {e.name} its rule raises {type(error).__name__}: {error}") from error
            if not np.array_equal(came, g, equal_nan=True):
                raise Contract("its rule changes the gradient that comes in, in place, and others need it too")
        return found

    def _fitted(self, i: int, share: Any) -> Any:
        """A share with broadcasting undone, as the backward sweep does it; as it came where that cannot be done."""
        raw, shape = share.dense() if isinstance(share, Patch) else share, np.shape(self.values[i])
        try:
            return sum_to(np.asarray(raw), shape) if np.asarray(raw).dtype.kind in "fiubc" else raw
        except (ValueError, IndexError, TypeError):
            return raw


def _sealed(x: Any) -> Any:
    """An array as a view that cannot be written to: inputs of an op are not its rule's."""
    if not isinstance(x, np.ndarray):
        return x
    view = x.view()
    view.flags.writeable = False
    return view


def _wide(x: Any) -> Any:
    return x.astype(np.float64) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


@dataclass(frozen=True, eq=False)
class Blame:
    """The first wrong op that the backward sweep meets, from the result towards the leaves.

    `op` is its name, `input` the place of the input whose gradient is wrong and `input_name` what that is called;
    `module`, `source` ("train.py:12") and `line` (the text there) say where it was made, `reason` what is wrong.
    Between it and the result are `ops_after` ops, of which `after` were looked at, and are right. `others` are more
    places where the same op is wrong. `evidence` and `local` are what a diagnosis needs. For pictures: `node` in the
    graph of `root`, and the nodes that were found `wrong` and `right`.
    """

    node: Node
    root: Node = field(repr=False)
    input: int
    input_name: str
    reason: str
    source: str
    line: str
    after: int
    ops_after: int
    wrong: tuple[Node, ...] = field(repr=False)
    right: tuple[Node, ...] = field(repr=False)
    evidence: list[Evidence] = field(repr=False)
    local: LocalOp = field(repr=False)

    @property
    def op(self) -> str:
        return str(self.node.op.name)

    @property
    def module(self) -> str:
        return self.node.module

    @property
    def others(self) -> tuple[Node, ...]:
        return self.wrong[1:]

    def __str__(self) -> str:
        at = f" at {self.module}" if self.module else ""
        line = self.line if len(self.line) <= 80 else self.line[:77] + "..."
        made = f" ({self.source}{f': `{line}`' if line else ''})" if self.source else ""
        after = "the op after it is right" if self.after == 1 else f"the {self.after:,} ops after it are right"
        if not self.ops_after:
            after = "no op comes after it"
        elif self.after < self.ops_after:
            after = f"of the {self.ops_after:,} ops after it {self.after:,} were looked at and are right"
        more = ""
        if self.others:
            modules = list(dict.fromkeys(n.module for n in self.others if n.module and n.module != self.module))
            places = "one more place" if len(self.others) == 1 else f"{len(self.others):,} more places"
            named = f" ({', '.join(modules[:4])}{', ...' if len(modules) > 4 else ''})" if modules else ""
            more = f" The same op is wrong at {places}{named}."
        reason = self.reason[0].upper() + self.reason[1:].rstrip(".")
        return f"op `{self.op}`{at}{made} is wrong; {after}. {reason}.{more}"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as JSON takes them; nodes by their place in `topological_order(root)`."""
        number = {node: i for i, node in enumerate(topological_order(self.root))}
        return {
            "sentence": str(self), "op": self.op, "module": self.module, "source": self.source, "line": self.line,
            "node": number[self.node], "input": self.input, "input_name": self.input_name, "reason": self.reason,
            "after": self.after, "ops_after": self.ops_after, "wrong": [number[n] for n in self.wrong],
            "right": [number[n] for n in self.right],
        }  # fmt: skip


class _Search:
    """The ops of a graph that were looked at so far, and what was found."""

    def __init__(self, root: Node, rng: np.random.Generator) -> None:
        self.root, self.rng = root, rng
        self.ops = [n for n in reversed(topological_order(root)) if n.op is not None]
        self.ops.sort(key=lambda n: -n.stamp)  # as the sweep meets them
        self.rules: dict[Node, Rule] = {}
        self.found: dict[Node, Checked] = {}
        self.nothing: dict[Node, str] = {}  # what a rule makes of no gradient at all, where that is not 0

    def wrong(self, node: Node) -> bool:
        """Whether the rule of this node's op is wrong here."""
        if node not in self.found:
            rule = self.rules[node] = Rule(node)
            cost = 1 + sum(int(np.size(v)) for v in rule.values) + int(np.size(node._data))
            budget = int(np.clip(WORK / cost / 10, 8, 200))
            try:
                self.found[node] = check(rule, self.rng, None, None, 0.0, budget, False)
            except (TypeError, ValueError):  # gives no real numbers: nothing flows through it
                self.found[node] = Checked(rule, 1)
            self.nothing[node] = "" if self.found[node].problems else _of_nothing(rule)
        done = self.found[node]
        return bool(done.problems or self.nothing[node]) or any(r.verdict == "wrong" for r in done.rows)

    def first(self) -> Node | None:
        """The first wrong op on the way back."""
        if len(self.ops) <= MOST:
            return next(filter(self.wrong, self.ops), None)
        kinds: dict[Any, list[Node]] = {}
        for n in self.ops:
            kinds.setdefault(n.op, []).append(n)
        wrong = [n for nodes in kinds.values() for n in _telling(nodes, EACH, self.rng) if self.wrong(n)]
        if not wrong:
            return next(filter(self.wrong, self.ops[:MOST]), None)
        ops, last = {n.op for n in wrong}, max(n.stamp for n in wrong)
        nearer = [n for n in self.ops if n.op in ops and n.stamp > last]
        return next(filter(self.wrong, nearer[:MOST]), next(n for n in wrong if n.stamp == last))


def _of_nothing(rule: Rule) -> str:
    """What is wrong with a rule that makes something of no gradient at all: 0 * inf is NaN where 0 belongs."""
    try:
        with np.errstate(all="ignore"):
            shape = np.shape(rule.node._data)
            came = rule.pull(rule.arrays, [np.zeros(shape)])
    except (Contract, TypeError, ValueError) as error:
        return str(error)
    for e, g in zip(rule.entries, came, strict=True):
        odd = np.flatnonzero(np.asarray(g) != 0)  # NaN too
        if len(odd):
            at = tuple(int(k) for k in np.unravel_index(odd[0], np.shape(g)))
            which = f"{e.name} at {called('', at)}" if at else e.name
            return f"it gives {which} {figures(float(np.asarray(g)[at]))} where no gradient comes in"
    return ""


def _telling(nodes: Sequence[Node], most: int, rng: np.random.Generator) -> list[Node]:
    """Of many places of one op those that tell most: nearest to the result, extremes, smallest, some of the rest."""
    if len(nodes) <= most:
        return list(nodes)
    x = np.array([_largest(n) for n in nodes])
    part = most // 5
    by_value, by_size = np.argsort(x), np.argsort(np.abs(x))
    picked = [*range(part), *by_value[:part], *by_value[-part:], *by_size[:part], *rng.permutation(len(nodes))[:part]]
    return [nodes[k] for k in sorted({int(k) for k in picked})]


def _largest(node: Node) -> float:
    """The entry of the first input that is furthest from 0, with its sign."""
    x = node.inputs[0]
    values = np.ravel(x._data if isinstance(x, Node) else x)
    return float(values[np.argmax(np.abs(values))]) if values.size else 0.0


def find_blame(
    root: Node, sources: Mapping[Node, Source] | None = None, rng: np.random.Generator | int | None = 0
) -> Blame | None:
    """The op whose rule is wrong, the first that the backward sweep from `root` meets; None where none is.

    `sources` says where nodes were made. Of more than 1,000 ops those are looked at that tell most.

    >>> import micrograd_nn as mg
    >>> from micrograd_nn.checking._sources import sources
    >>> from micrograd_nn.op import REGISTRY, Op
    >>> cube = Op("cubed", lambda a: a * a * a, lambda g, out, a: g * (2 * a * a))
    >>> x = mg.Value(2.0)
    >>> with sources() as found:
    ...     y = cube(x.exp()).sin()
    >>> blame = find_blame(y, sources=found)
    >>> blame.op, blame.line, blame.after
    ('cubed', 'y = cube(x.exp()).sin()', 1)
    >>> del REGISTRY["cubed"]
    """
    known, search = sources or {}, _Search(root, np.random.default_rng(rng))
    node = search.first()
    if node is None:
        return None
    after = _after(node, search.ops)
    if node in known:  # ops that the check itself adds to the user's are not worth counting
        after &= known.keys()
    same = [n for n in search.ops if n.op is node.op and n is not node][:ALIKE]
    wrong = (node, *filter(search.wrong, same))
    right = tuple(n for n in search.ops if n in search.found and not search.wrong(n))
    file, number, line = known.get(node, ("", 0, ""))
    if "ipykernel_" in file or file.startswith("<ipython-input"):
        file = "cell"  # a notebook's cells have file names that say nothing
    name = file if file.startswith("<") else os.path.basename(file)
    place, reason = _reason(search, node)
    evidence, local = _gathered(search, [node, *same])
    return Blame(
        node, root, place, node.inputs[place].name or "", reason, f"{name}:{number}" if name else "", line,
        len(after.intersection(right)), len(after), wrong, right, evidence, local,
    )  # fmt: skip


def _after(node: Node, ops: Iterable[Node]) -> set[Node]:
    """The ops on the ways from a node to the result."""
    after = {node}
    for other in reversed(list(ops)):
        if any(isinstance(x, Node) and x in after for x in other.inputs):
            after.add(other)
    return after - {node}


def _reason(search: _Search, node: Node) -> tuple[int, str]:
    """Which input's gradient is wrong, and a sentence about it."""
    rule, done = search.rules[node], search.found[node]
    names = [e.name for e in rule.entries]
    bad = sorted((r for r in done.rows if r.verdict == "wrong"), key=lambda r: (names.index(r.input), -r.off))
    said = next(iter(done.problems), "" if bad else search.nothing[node])
    if said:
        place = next((p for p, n in zip(rule.places, names, strict=True) if f" {n} " in f"{said} "), None)
        if place is None:
            place = rule.places[names.index(bad[0].input)] if bad else rule.places[0]
        return place, said
    worst: Row = bad[0]
    place = rule.places[names.index(worst.input)]
    x = float(np.asarray(rule.entries[names.index(worst.input)].array)[worst.index])
    many = f" for input {place + 1} of {len(rule.values)}" if len(rule.values) > 1 else ""
    many += f", `{worst.input}`," if many and node.inputs[place].name else ""
    at = called("", worst.index)
    where = f" at {at}" if at else ""
    return place, (
        f"its gradient{many} is {figures(worst.analytic, 8)}{where} where {figures(worst.numeric, 8)} is right "
        f"(the input is {figures(x)})"
    )


def _gathered(search: _Search, nodes: Sequence[Node]) -> tuple[list[Evidence], LocalOp]:
    """What a diagnosis needs: of an op on arrays its inputs, of one on numbers all its places side by side."""
    node = nodes[0]
    rule, done = search.rules[node], search.found[node]
    parts = [] if done.returned is None else done.evidence()
    if parts and not done.problems and all(isinstance(v, float) for v in (node._data, *rule.values)):
        return _side_by_side(search, [n for n in nodes if _alike(search, n, node)])
    g: Any = done.probe.seeds[0] if done.probe is not None else np.ones(np.shape(node._data))
    given = float(g) if isinstance(node._data, float) else g
    return parts, LocalOp(node.op, node._data, given, rule.values, node.params, tuple(rule.places))


def _alike(search: _Search, n: Node, node: Node) -> bool:
    """Whether an op was looked at here just as at `node`."""
    done = search.found.get(n)
    sound = done is not None and done.returned is not None and not done.problems
    return sound and search.rules[n].places == search.rules[node].places and n.params == node.params


def _side_by_side(search: _Search, nodes: Sequence[Node]) -> tuple[list[Evidence], LocalOp]:
    """The same op on plain numbers at several places, as one op on arrays."""
    parts, rules = [search.found[n].evidence() for n in nodes], [search.rules[n] for n in nodes]
    names = ("x", "analytic", "numeric", "error_bar", "looked", "wrong")
    evidence = [
        Evidence(e.name, **{name: np.array([getattr(p[k], name)[()] for p in parts]) for name in names})
        for k, e in enumerate(parts[0])
    ]
    values = [np.array(column) for column in zip(*(r.values for r in rules), strict=True)]
    out, first = np.array([n._data for n in nodes]), rules[0]
    return evidence, LocalOp(first.node.op, out, np.ones(len(nodes)), values, first.node.params, tuple(first.places))


def on_kinks(root: Node, rng: np.random.Generator | int | None = 0) -> str:
    """A sentence about an op that sits on its kink, where no op is wrong and that is what ails; or nothing."""
    search = _Search(root, np.random.default_rng(rng))
    for node in search.ops[:MOST]:
        search.wrong(node)
        rows = [r for r in search.found[node].rows if r.verdict == "not differentiable"]
        if rows:
            entry = next(e for e in search.rules[node].entries if e.name == rows[0].input)
            at, where = called("", rows[0].index), f" at {node.module}" if node.module else ""
            sits = f"`{node.op.name}`{where} sits on its kink: its input{' ' + at if at else ''}"
            return f"No op is wrong, but {sits} is {figures(float(entry.array[rows[0].index]))}."
    return ""
