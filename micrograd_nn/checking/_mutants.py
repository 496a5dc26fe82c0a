"""Patterns in the graph: which slip of the pen in the backward pass gives just these wrong gradients.

The graph of the same computation has the right gradients. Each suspected slip is made in it on purpose, once, and what
reaches the leaves is held against what the code under test returned. A slip at one place changes the gradient that
arrives at one node, and what that changes further down is linear in it: so each guess costs one short sweep from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from micrograd_nn.checking._evidence import Case, Finding, Trace, axes_said, times, verbatim
from micrograd_nn.checking._functions import KNOWN, STATISTICS, nearly, softmax, wrong_slopes
from micrograd_nn.graph import Node, topological_order
from micrograd_nn.op import Patch

__all__ = ["NOT_CURVED", "Graph", "Search", "graph_findings", "right_gradients"]

Array = np.ndarray[Any, Any]
LARGEST = 3000  # nodes; nothing is tried in a larger graph
BUDGET = 60_000.0  # shares computed, a large array counting for several: well under half a second
ROOM = 50_000_000.0  # numbers: the arrays that are kept during the search
NOT_CURVED = {
    "add", "sub", "mul", "div", "neg", "identity", "astype", "reshape", "expand_dims", "broadcast_to", "flip", "roll",
    "transpose", "tril", "triu", "cumsum", "softmax", "log_softmax", "matmul", "einsum", "where", "getitem", "scatter",
    "concatenate", "stack", "pad", "sum", "mean", "max", "min",
}  # fmt: skip
REDUCTIONS = {"sum", "mean", "max", "min", "norm", "logsumexp"}


class Jump(NamedTuple):
    """A function from node `u` to node `v`, and a way to carry a gradient back over it that is wrong."""

    u: Node
    v: Node
    cause: str
    said: str
    name: str
    back: Callable[[Any], Any]


class Slip(NamedTuple):
    """A change of the gradient that arrives at a node."""

    rank: float
    cause: str
    node: Node
    change: Any
    said: str
    free: Callable[[float], tuple[str, str, float] | None] | None = None  # t -> (cause, said, rank), if t may be any
    alone: bool = False  # whether it may be in the gradient of one input only


class Graph:
    """The tracked nodes of a graph with their right gradients, and sweeps through it in which something is wrong."""

    def __init__(self, trace: Trace) -> None:
        self.root, self.leaves = trace.root, trace.leaves
        self.order = [n for n in topological_order(trace.root) if n.stamp > 0]
        self.place = {n: i for i, n in enumerate(self.order)}
        self.uses: dict[Node, list[tuple[Node, int]]] = {n: [] for n in self.order}
        for n in self.order:
            for i, x in enumerate(n.inputs):
                if isinstance(x, Node) and x.stamp > 0:
                    self.uses[x].append((n, i))
        self.seed = trace.root._seed(trace.seed)
        self.cost = np.cumsum([len(n.inputs) * (1 + np.size(n._data) / 2000) for n in self.order])
        self.spent = 0.0
        self.grads: dict[Node, Any] = {}
        self.mute: set[Node] = set()
        self.base = self.sweep({self.root: self.seed}, keep=True)
        # A reduction whose gradient is 0 but for rounding (the maximum that a softmax takes away first) is no way for a
        # gradient: no hand-written pass has it, and a slip elsewhere must not send anything through it.
        for n, g in self.grads.items():
            if n.op is not None and n.op.name in REDUCTIONS and n is not self.root:
                near = [np.max(np.abs(self.grads[c]), initial=0.0) for c, _ in self.uses[n] if c in self.grads]
                if np.max(np.abs(g), initial=0.0) <= 1e-10 * max(near):
                    self.mute.add(n)

    def raw(self, node: Node, i: int, g: Any) -> Any:
        values = [x._data if isinstance(x, Node) else x for x in node.inputs]
        return node.op.share(i, g, node._data, values, node.params)

    def share(self, node: Node, i: int, g: Any) -> Any:
        x = node.inputs[i]
        return x._settle(x._fit(self.raw(node, i, g), g))

    def right(self, node: Node, i: int) -> Any:
        """The share that this edge sends back rightly; zeros where no gradient came in."""
        g = self.grads.get(node)
        return self.share(node, i, g) if g is not None else 0.0 * node.inputs[i]._data

    def sweep(
        self, start: Mapping[Node, Any], dropped: frozenset[tuple[Node, int]] = frozenset(),
        jumps: Mapping[Node, Jump] | None = None, keep: bool = False, stop: Node | None = None,
    ) -> dict[Node, Any]:  # fmt: skip
        """What arrives at each leaf (or at `stop`) when `start` is carried back, without the edges in `dropped`."""
        pending = dict(start)
        first = max(self.place[n] for n in start)
        self.spent += self.cost[first]
        found: dict[Node, Any] = {}
        last = self.place[stop] if stop is not None else 0
        for node in reversed(self.order[last : first + 1]):
            g = pending.pop(node, None)
            if g is None:
                continue
            if keep:
                self.grads[node] = g
            if node.op is None or node is stop:
                found[node] = g
                continue
            if node in self.mute:
                continue
            if jumps and node in jumps:
                jump = jumps[node]
                share = jump.back(g)
                pending[jump.u] = pending[jump.u] + share if jump.u in pending else share
                continue
            for i, x in enumerate(node.inputs):
                if isinstance(x, Node) and x.stamp > 0 and (node, i) not in dropped:
                    share = self.share(node, i, g)
                    pending[x] = pending[x] + share if x in pending else share
        return found

    def at_leaves(self, found: Mapping[Node, Any], minus: Mapping[Node, Any] | None = None) -> list[Array]:
        out = []
        for leaf in self.leaves:
            g = np.asarray(found.get(leaf, 0.0), float)
            if minus is not None:
                g = g - np.asarray(minus.get(leaf, 0.0), float)
            out.append(np.broadcast_to(g, np.shape(leaf._data)))
        return out

    def below(self, node: Node) -> set[Node]:
        """The nodes that depend on `node`."""
        found = {node}
        for n in self.order[self.place[node] + 1 :]:
            if any(isinstance(x, Node) and x in found for x in n.inputs):
                found.add(n)
        return found


def right_gradients(trace: Trace, cases: Sequence[Case]) -> tuple[Graph, list[Array] | None] | None:
    """The graph, and its gradients where they are those that were measured; None where it cannot be used."""
    try:
        with np.errstate(all="ignore"):
            graph = Graph(trace)
            if len(graph.order) > LARGEST or sum(np.size(n._data) for n in graph.order) > ROOM:
                return None
            base = graph.at_leaves(graph.base)
    except (TypeError, ValueError, IndexError, ArithmeticError, RuntimeError, LookupError):
        return None
    if any(g.shape != case.x.shape for case, g in zip(cases, base, strict=True)):
        return None
    for case, g in zip(cases, base, strict=True):
        off = np.abs(g - case.n)[case.known]
        if not np.all(off <= (3 * case.bar + 1e-9 * np.abs(case.n))[case.known] + 1e-9 * case.scale):
            return graph, None
    return graph, base


def graph_findings(cases: Sequence[Case], graph: Graph, sizes: Mapping[int, str], alone: bool = False) -> list[Finding]:
    """Every slip that explains some of the wrong gradients and leaves all the others as they are.

    `alone`: the graph is that of a single op.
    """
    found: list[Finding] = []
    search = Search(cases, graph, sizes)
    later = 1.5 if alone else 0.0  # a rule rarely forgets a use: a plain factor says the same more simply
    with np.errstate(all="ignore"):
        for slip in search.slips():
            if graph.spent > BUDGET:
                break
            if slip.cause == "overwritten":
                slip = slip._replace(rank=slip.rank + later)
            found += search.tried(slip, graph.at_leaves(graph.sweep({slip.node: slip.change})))
        for rank, cause, said, leaves in search.sweeps():
            found += search.held(rank, cause, said, graph.at_leaves(leaves, graph.base))
            if graph.spent > 2 * BUDGET:
                break
    return found


class Search:
    def __init__(self, cases: Sequence[Case], graph: Graph, sizes: Mapping[int, str]) -> None:
        self.cases, self.graph, self.sizes = cases, graph, sizes
        self.called = {leaf: case.name for leaf, case in zip(graph.leaves, cases, strict=True)}
        tops = [c.top / c.scale for c in cases if c.bad and c.scale and c.top]
        # A small mistake is known with few digits, and more guesses fit it by chance.
        self.needed = 1 if tops and min(tops) > 1e-4 else 2
        self.jumps: list[Jump] = []
        self.near: dict[Node, list[Node]] = {}

    def call(self, node: Node) -> str:
        """What a sentence calls a node."""
        if node in self.called:
            return self.called[node]
        name = node.name or (f"`{node.op.name}`" if node.op is not None else "a constant")
        return f"{name} in {node.module}" if node.module else name

    # --- what fits --------------------------------------------------------------------------------------------------

    def held(self, rank: float, cause: str, said: str, changes: Sequence[Array], alone: bool = False) -> list[Finding]:
        """The finding that these changes of the right gradients are what is wrong, if they are.

        With `alone`, one input may have the slip in its gradient though others on the same way have not.
        """
        inputs, told = set(), 0
        singly = []
        for i, (case, change) in enumerate(zip(self.cases, changes, strict=True)):
            if not np.any(change):
                continue
            here = case.told(case.n + change) if case.bad and not case.odd else 0
            told += here
            if here:
                inputs.add(i)
                if here > 1:
                    text = f"in the gradient of {case.name} {said}"
                    singly.append(Finding(cause, frozenset([i]), rank + 0.5, verbatim(f"{text}."), value=text))
            elif not self._same(case, change):
                told = -(10**9)
        if told < 0:
            return singly if alone else []
        if told < self.needed:
            return []
        return [Finding(cause, frozenset(inputs), rank, verbatim(f"{said}."), value=said)]

    @staticmethod
    def _same(case: Case, change: Array) -> bool:
        """Whether the change is too small to be seen in this input."""
        allowed = case.slack(case.n + change) + 1e-9 * np.abs(case.n)
        return bool(np.all((np.abs(change) <= allowed)[case.known]))

    def tried(self, slip: Slip, changes: Sequence[Array]) -> list[Finding]:
        if slip.said:
            whole = self.held(slip.rank, slip.cause, slip.said, changes, slip.alone)
            if whole or slip.free is None:
                return whole
        if slip.free is None:
            return []
        top = size = 0.0
        for case, change in zip(self.cases, changes, strict=True):
            if case.bad and not case.odd and case.top and np.any(change):
                at = case.known & np.isfinite(change) & np.isfinite(case.u)
                top += float(np.sum(case.u[at] * change[at])) / case.top**2
                size += float(np.sum(change[at] ** 2)) / case.top**2
        t = top / size if size else 0.0
        named = slip.free(t) if t and abs(t - 1) > 1e-6 and np.isfinite(t) else None
        if named is None:
            return []
        cause, said, rank = named
        found = self.held(rank, cause, said, [t * c for c in changes])
        told = sum(self.cases[i].told(self.cases[i].n + t * changes[i]) for f in found for i in f.inputs)
        return found if told > self.needed else []

    # --- what is tried ----------------------------------------------------------------------------------------------

    def slips(self) -> Iterator[Slip]:
        """Slips at one place, the likeliest first: near the wrong leaves before far from them."""
        graph = self.graph
        far = {n: 0 if n in self.called else 1 for n in graph.order}
        for n in graph.order:  # how many ops from the nearest leaf
            if n.op is not None:
                far[n] = 1 + min((far[x] for x in n.inputs if isinstance(x, Node) and x.stamp > 0), default=0)
        reached = [n for n in sorted(graph.order, key=far.__getitem__) if n in graph.grads]
        for n in reached:
            yield from self._uses(n)
        self.jumps = list(self._functions())
        for jump in self.jumps:
            g = graph.grads.get(jump.v)
            if g is None or jump.u is graph.root:
                continue
            over = graph.sweep({jump.v: g}, stop=jump.u).get(jump.u)
            if over is not None:
                rank = 7.1 if jump.cause == "activation derivative" else 7.2
                yield Slip(rank, jump.cause, jump.u, jump.back(g) - over, jump.said, alone=True)
        for n in reached:
            if n.op is not None:
                for i, x in enumerate(n.inputs):
                    if isinstance(x, Node) and x.stamp > 0:
                        yield from self._edge(n, i, x)

    def _uses(self, x: Node) -> Iterator[Slip]:
        """A value used several times that has the gradient of some uses only."""
        graph = self.graph
        uses = [(c, i) for c, i in graph.uses[x] if c in graph.grads]
        if len(uses) < 2:
            if uses and uses[0][0].op.name == "getitem":  # one use that picks some entries several times
                raw = graph.raw(*uses[0], graph.grads[uses[0][0]])
                if isinstance(raw, Patch):
                    once = np.zeros(raw.shape)
                    once[raw.index] = raw.value
                    said = f"{self.call(x)} has entries that are picked several times, and the gradient of one time"
                    yield Slip(4, "overwritten", x, once - raw.dense(), f"{said}: `=` where `+=` belongs (np.add.at)")
            return
        rank = 4.0 if x.op is None else 7.35
        said = f"{self.call(x)} is used {len(uses)} times and has the gradient of"
        fix = "`=` where `+=` belongs"
        if any(c.op.name == "getitem" for c, _ in uses):
            whole = f"{self.call(x)} is used {len(uses)} times, and each use overwrites the gradient of another"
            for order, zeros_too in product((uses, uses[::-1]), (True, False)):
                buffer = np.zeros(np.shape(x._data))
                for c, i in order:
                    raw = graph.raw(c, i, graph.grads[c])
                    one = graph.share(c, i, graph.grads[c])
                    if isinstance(raw, Patch) and zeros_too:
                        buffer[raw.index] = raw.value
                    else:
                        np.copyto(buffer, one, where=zeros_too | (one != 0))
                yield Slip(rank, "overwritten", x, buffer - graph.grads[x], f"{whole}: {fix}")
        if len(uses) > 2:
            for c, i in uses if len(uses) <= 32 else (uses[0], uses[-1]):
                others = all(self._aside(x, d, j)[0] == "penalty" for d, j in uses if d is not c or j != i)
                kept = graph.right(c, i) - graph.grads[x]
                yield Slip(8.5 if others else rank, "overwritten", x, kept, f"{said} one use (`{c.op.name}`): {fix}")

    def _aside(self, x: Node, consumer: Node, i: int) -> tuple[str, str]:
        """What kind of path starts at this edge: through a statistic of `x` that meets it again ("constant", and what
        the statistic is), through a sum that does not ("penalty"), or neither."""
        graph, node, summed = self.graph, consumer, None
        below = None
        named = ""
        while True:
            others = [y for y in node.inputs if isinstance(y, Node) and y.stamp > 0]
            if len({id(y) for y in others}) > 1:
                below = graph.below(x) if below is None else below
                if len({id(y) for y in others if y in below}) > 1:  # here it meets the other uses
                    break
            if node.op.name in REDUCTIONS and np.size(node._data) < np.size(x._data):
                summed = node
            if summed is not None:
                named = self._statistic(x, node) or named
            if len(graph.uses[node]) != 1:
                break
            before, node = node, graph.uses[node][0][0]
            if np.size(node._data) > np.size(before._data) and summed is not None:
                break
        if summed is None:
            return "", ""
        spread = any(np.size(c._data) > np.size(summed._data) for c in [node, *(u for u, _ in graph.uses[node])])
        return ("constant" if spread else "penalty"), named or f"`{summed.op.name}`"

    def _statistic(self, x: Node, node: Node) -> str:
        """The name of what `node` is of `x`, where it is a mean, a variance and so on."""
        data, value = np.asarray(x._data), np.asarray(node._data)
        axes = [None, *range(data.ndim)]
        if data.ndim > 2:
            axes += [c for r in range(2, data.ndim) for c in combinations(range(data.ndim), r)]
        for axis in axes:
            for name, f in STATISTICS.items():
                found = np.asarray(f(data, axis))
                if found.size == value.size and value.size < data.size and nearly(found.ravel(), value.ravel()):
                    said = "" if axis is None else f" over {axes_said(axis if isinstance(axis, tuple) else (axis,))}"
                    return f"the {name} of {self.call(x)}{said}"
        return ""

    def _spread(self, n: Node) -> bool:
        """Whether `n` sums something up that is then used entry by entry: a mean taken away, a sum divided by."""
        graph = self.graph
        if n.op.name not in REDUCTIONS or np.size(n._data) >= np.size(n.inputs[0]._data) or n in graph.mute:
            return False
        ahead, size = [n], np.size(n._data)
        for _ in range(12):
            ahead = [c for node in ahead for c, _ in graph.uses[node] if c.op.name not in ("matmul", "einsum")]
            if any(np.size(c._data) > size for c in ahead):
                return True
            if not ahead or len(ahead) > 12:
                return False
        return False

    def _named_statistic(self, n: Node) -> str:
        """What statistic of a leaf a reduction is, or is on the way to."""
        graph, node = self.graph, n
        leaves = [x for x in graph.leaves if x in graph.place and n in graph.below(x)]
        for _ in range(4):
            for x in leaves:
                if name := self._statistic(x, node):
                    return name
            if len(graph.uses[node]) != 1 or np.size(graph.uses[node][0][0]._data) != np.size(node._data):
                return ""
            node = graph.uses[node][0][0]
        return ""

    def _edge(self, n: Node, i: int, x: Node) -> Iterator[Slip]:
        """Mistakes in what one op sends back to one of its inputs."""
        graph = self.graph
        g, right = graph.grads[n], graph.right(n, i)
        where = f"what `{n.op.name}`{f' in {n.module}' if n.module else ''} sends back to {self.call(x)}"
        uses = graph.uses[x]
        if self._spread(n):
            rank, cause, statistic = 3.95, "constant", self._named_statistic(n) or self.call(n)
            said = f"no gradient goes through {statistic}: it is treated as a constant"
        elif n.op.name == "getitem" and len(uses) > 1:
            rank, cause = (13.5, "overwritten") if x.op is None else (7.6, "constant")
            said = f"no gradient goes through one part of {self.call(x)} (`getitem`)"
        elif len(uses) > 1:
            kind, statistic = self._aside(x, n, i)
            if kind == "constant":
                rank, cause = 7.3, "constant"
                said = f"no gradient goes through {statistic}: it is treated as a constant"
            elif all(self._aside(x, d, j)[0] == "constant" for d, j in uses if d is not n or j != i):
                rank, cause = 7.32, "constant"
                said = f"{self.call(x)} has the gradient through its statistics alone, and not the one of `{n.op.name}`"
            else:
                cause, some = "overwritten", "one use" if len(uses) == 2 else f"{len(uses) - 1} uses"
                rank = 8.5 if kind == "penalty" else 4.0 if x.op is None else 7.35
                said = (f"{self.call(x)} is used {len(uses)} times and has the gradient of {some} (not of "
                        f"`{n.op.name}`): `=` where `+=` belongs")  # fmt: skip
        else:
            rank, cause = 7.6, "constant"
            said = f"no gradient goes through {self.call(n)} to {self.call(x)}: it is treated as a constant"
        ratio = np.size(x._data) / max(np.size(n._data), 1)

        def scaled(t: float) -> tuple[str, str, float] | None:
            c = 1 - t
            if abs(c + 1) < 1e-6:
                return "sign", f"the sign of {where} is flipped", 9.0
            for k in {*self.sizes, *([round(ratio)] if ratio > 1 else []), *([round(1 / ratio)] if ratio < 1 else [])}:
                if k > 1 and abs(c / k - 1) < 1e-6:
                    return "missing 1/N", f"{where} is {k}x too large, and {k} is a size there: missing 1/N", 9.0
                if k > 1 and abs(c * k - 1) < 1e-6:
                    return "1/N too many", f"{where} is 1/{k} of what it should be: divided by N = {k} too often", 9.0
            much = f"{times(c)}x too large" if c > 1 else f"{times(c)} times what it should be"
            return "factor", f"{where} is {much}", 9.5

        if np.shape(right) and np.size(right) > 1 and self._curved(n, i, x):
            for kind, part in (("negative", x._data < 0), ("positive", x._data > 0)):
                if np.any(part):
                    said_part = f"{where} is wrong where the input of `{n.op.name}` is {kind}"

                    def sided(t: float, kind: str = kind, said: str = said_part) -> tuple[str, str, float]:
                        return f"{kind} inputs", said, 9.6

                    yield Slip(9.6, f"{kind} inputs", x, np.where(part, -right, 0.0), said_part, sided)
        yield Slip(rank, cause, x, -right, said, scaled)
        yield from self._structure(n, i, x, g, right)
        if n is not graph.root and np.shape(g) == np.shape(n._data) and i == 0 and len(graph.order) <= 80:
            ones = graph.share(n, i, np.ones_like(g))
            yield Slip(9.2, "grad_output ignored", x, ones - right,
                       f"`{n.op.name}` does not use the gradient that comes in: multiply by it")  # fmt: skip

    def _structure(self, n: Node, i: int, x: Node, g: Any, right: Any) -> Iterator[Slip]:
        name, shape = n.op.name, np.shape(x._data)
        if name in ("roll", "flip", "transpose") and np.shape(g) == shape:
            cause = {"roll": "shifted", "flip": "reversed", "transpose": "transposed"}[name]
            yield Slip(7.5, cause, x, g - right, f"`{name}` is not undone on the way back to {self.call(x)}")
        if name == "cumsum":
            yield Slip(7.5, "reversed", x, np.cumsum(g, n.params["axis"]) - right,
                       "the gradient's running sum starts at the wrong end: it comes from the last entry")  # fmt: skip
        if name == "matmul" and len(shape) == 2 and np.ndim(g) == 2:
            other = n.inputs[1 - i]
            b = other._data if isinstance(other, Node) else np.asarray(other)
            back = (g, b) if i == 0 else (b, g)
            if back[0].shape[-1] == back[1].shape[0] and (back[0] @ back[1]).shape == shape:
                whose = self.call(other) if isinstance(other, Node) else "the other matrix"
                yield Slip(7.5, "transposed", x, back[0] @ back[1] - right,
                           f"{whose} is not transposed in the gradient of {self.call(x)}: write "
                           + ("g @ B.T" if i == 0 else "A.T @ g"))  # fmt: skip
            if shape[0] == shape[1]:
                yield Slip(7.55, "transposed", x, right.T - right,
                           f"what `matmul` sends back to {self.call(x)} is the transpose of the right one")  # fmt: skip
        raw = self.graph.raw(n, i, g)
        if isinstance(raw, np.ndarray) and raw.shape != shape and raw.ndim >= len(shape) and raw.size > prod(shape):
            lead = raw.ndim - len(shape)
            axes = tuple(k for k in range(raw.ndim) if k < lead or shape[k - lead] != raw.shape[k])
            for end, said in ((0, "first"), (-1, "last")):
                row = raw[tuple(slice(end, None if end else 1) if k in axes else slice(None) for k in range(raw.ndim))]
                spread = prod(raw.shape[k] for k in axes)
                yield Slip(7.4, "broadcast", x, row.reshape(shape) - right,
                           f"{self.call(x)} is used in {spread} places and has the gradient of the {said} alone: "
                           f"sum over {axes_said(axes)}")  # fmt: skip

    # --- functions --------------------------------------------------------------------------------------------------

    def _curved(self, n: Node, i: int, x: Node) -> bool:
        """Whether `n` is a function of `x`, entry by entry."""
        tracked = sum(isinstance(y, Node) and y.stamp > 0 for y in n.inputs)
        alone = tracked == 1 or (i == 0 and n.op.name in ("prelu", "pow"))
        return alone and np.shape(n._data) == np.shape(x._data) and n.op.name not in NOT_CURVED

    def _functions(self) -> Iterator[Jump]:
        """Functions of one node, single ops or in several steps, with the mistakes made in their derivatives."""
        graph = self.graph
        by_shape: dict[tuple[int, ...], list[Node]] = {}
        for n in graph.order:
            if n in graph.grads:
                by_shape.setdefault(np.shape(n._data), []).append(n)
        for shape, nodes in by_shape.items():
            if len(nodes) > 200:
                continue
            for u in nodes:
                x, younger = np.asarray(u._data), [v for v in nodes if graph.place[v] > graph.place[u]]
                known = {}
                for name, k in KNOWN.items():
                    y = k.f(x)
                    v = next((v for v in younger if nearly(v._data, y)), None)
                    if v is not None and not nearly(v._data, x):
                        known[name] = v
                        for said, slope in wrong_slopes(name, k, x, y):
                            yield Jump(u, v, "activation derivative", said, name, _times(slope, x))
                for axis in range(len(shape)):
                    y = softmax(x, axis) if shape[axis] > 1 else x
                    for v in younger if shape[axis] > 1 else ():
                        if nearly(v._data, y):
                            yield from _softmax_jumps(u, v, y)
                            break
                        if nearly(v._data, np.log(y)):
                            said = "only the diagonal of log_softmax's Jacobian is used: take exp(out) · sum(g) away"
                            yield Jump(u, v, "cross terms", said, "log_softmax", _times(1 - y, x))
                            said = "no gradient goes through the logsumexp in log_softmax: it is treated as a constant"
                            yield Jump(u, v, "constant", said, "log_softmax", _times(np.ones_like(y), x))
                            break
                for v, i in graph.uses[u]:
                    if v in graph.grads and v.op.name not in known and self._curved(v, i, u):
                        yield from self._op_jumps(u, v, i)

    def _op_jumps(self, u: Node, v: Node, i: int) -> Iterator[Jump]:
        """An op of one input with its derivative left out, taken elsewhere, or there twice."""
        op, name = v.op, v.op.name
        values = [y._data if isinstance(y, Node) else y for y in v.inputs]

        def rule(g: Any, out: Any, x: Any) -> Any:
            return u._settle(u._fit(op.share(i, g, out, [*values[:i], x, *values[i + 1 :]], v.params), g))

        cause = "activation derivative"
        yield Jump(u, v, cause, f"the derivative of {name} is left out", name, lambda g: g)
        yield Jump(u, v, cause, f"the derivative of {name} is taken at its output in place of its input", name,
                   lambda g: rule(g, op.run([*values[:i], v._data, *values[i + 1 :]], v.params), v._data))  # fmt: skip
        yield Jump(u, v, cause, f"the derivative of {name} is written for its output and taken at its input", name,
                   lambda g: rule(g, u._data, u._data))  # fmt: skip
        yield Jump(u, v, cause, f"the derivative of {name} is there twice", name,
                   lambda g: rule(rule(g, v._data, u._data), v._data, u._data))  # fmt: skip

    # --- several slips at once --------------------------------------------------------------------------------------

    def sweeps(self) -> Iterator[tuple[float, str, str, dict[Node, Any]]]:
        """The same mistake at every place where it can be made, which takes a whole sweep: rank, cause, sentence,
        and what reaches the leaves."""
        graph, seed = self.graph, self.graph.seed
        ones = np.ones_like(seed) if np.ndim(seed) else 1.0
        proportional = (
            "the gradients are not in proportion to the gradient that comes in (grad_output): multiply by it, once"
        )
        for odd, said in (
            (ones, "the gradient that comes in (grad_output) is not used: multiply by it"),
            (seed * seed, proportional),
            (np.abs(seed), proportional),
        ):
            yield 4.8, "grad_output ignored", said, graph.sweep({graph.root: odd})
        through = [n for n in graph.order if n.op is not None and n in graph.grads and self._spread(n)]
        for some in [*combinations(through[:6], 2), *([through] if 2 < len(through) < 30 else [])]:
            edges = frozenset((n, 0) for n in some)
            names = [self._named_statistic(n) or self.call(n) for n in some]
            said = " or ".join(dict.fromkeys(names))
            yield (3.96, "constant", f"no gradient goes through {said}: treated as constants",
                   graph.sweep({graph.root: seed}, edges))  # fmt: skip
        groups: dict[tuple[str, str], list[Jump]] = {}
        for jump in self.jumps:
            groups.setdefault((jump.name, jump.said), []).append(jump)
        for (_, said), jumps in groups.items():
            at = {jump.v: jump for jump in jumps}
            if len(at) > 1:
                yield 7.15, jumps[0].cause, f"{said} (all {len(at)} times)", graph.sweep({graph.root: seed}, jumps=at)
        again: dict[tuple[str, str, int], list[tuple[Node, int]]] = {}
        for x in graph.order:
            if x.op is not None and len(graph.uses[x]) > 1:
                for c, i in graph.uses[x]:
                    again.setdefault((x.op.name, c.op.name, i), []).append((c, i))
        for (name, consumer, _), edges_ in again.items():
            if 1 < len(edges_) <= 64:
                said = (f"`{name}` is used several times and does not have the gradient of `{consumer}`, {len(edges_)} "
                        "times: `=` where `+=` belongs")  # fmt: skip
                yield 7.45, "overwritten", said, graph.sweep({graph.root: seed}, frozenset(edges_))


def _times(slope: Any, x: Any) -> Callable[[Any], Any]:
    return lambda g: g * slope


def _softmax_jumps(u: Node, v: Node, y: Array) -> Iterator[Jump]:
    yield Jump(u, v, "cross terms", "only the diagonal of softmax's Jacobian is used: each score moves every "
               "probability, so take out · (g − sum(g · out))", "softmax", _times(y * (1 - y), y))  # fmt: skip
    said = "no gradient goes through the sum that softmax divides by: it is treated as a constant"
    yield Jump(u, v, "constant", said, "softmax", _times(y, y))
    yield Jump(u, v, "activation derivative", "the derivative of softmax is left out", "softmax", lambda g: g)
