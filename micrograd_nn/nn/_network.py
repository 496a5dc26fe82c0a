"""`Network`: units wired in any way that has no loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn import ops
from micrograd_nn.graph import Node
from micrograd_nn.modes import frame
from micrograd_nn.nn._activations import ACTIVATIONS
from micrograd_nn.nn._dense import maxout
from micrograd_nn.nn._module import Module, Row, Summary, activate
from micrograd_nn.nn._network_files import build, convert, described, from_json, to_json
from micrograd_nn.nn._plan import Group, Plan
from micrograd_nn.nn._scalars import checked, numbers, pick
from micrograd_nn.nn._wired import Wired, finite, listed
from micrograd_nn.nn.init import RECTIFIED
from micrograd_nn.tensor import Tensor

if TYPE_CHECKING:  # NumPy loads its random module at first use
    from pathlib import Path

    import networkx as nx

    Rng = np.random.Generator | int | None

__all__ = ["Network"]

_building = RLock()  # threads that call a network for the first time take turns to build it


class _Entries(Tensor):
    """A parameter whose entries come and go. `layout` is another number whenever they did, for those who remember
    something of each entry: an optimiser's moments are worth nothing on other edges."""

    __slots__ = ("layout",)

    def __init__(self, name: str) -> None:
        super().__init__(np.zeros(0), True, name)
        self.layout = 0

    def become(self, stay: Any, new: Any) -> None:
        """Keep the values `stay`, and put `new` ones after them."""
        if len(new) or len(stay) < self.size:
            self._data = np.concatenate([stay, np.asarray(new, stay.dtype)])
            self.grad = None
            self.layout += 1
            self.written()

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return *super().__reduce_ex__(protocol), (None, {"layout": self.layout})


class Network(Wired):
    """Units wired in any acyclic way, each of whichever kind: the notes' neurons without layers.

    `input`, `unit` and `connect` build it; an edge that would close a loop raises `CycleError`, and nothing has
    changed. `weight` holds an entry for each edge in order of connection, `bias` one for each unit, `slope` one for
    each unit whose activation is "prelu"; a maxout unit of k pieces has k entries in place of one. They are the same
    Tensors for the network's life: when it is wired anew they grow or shrink, and what stays keeps its value; an
    optimiser, which remembers steps of every entry, must then be made anew, and says so. New weights are drawn with
    `rng` when they are first needed, uniform with variance 2 / n for ReLU and its kin, else 1 / n, where n is the
    number of units the target reads by then. A state (`state_dict`) fits the wiring it was taken from and no other.

    An array or Tensor (..., inputs) gives a Tensor (..., outputs), computed with one matrix product for each
    generation (see `generations`); numbers or Values give a list of Values, or the Value itself for one output, with
    one multiplication for each edge. A dict by input name will do for both.

    >>> net = Network(rng=0)
    >>> x1, x2 = net.input("x1"), net.input("x2")
    >>> h = net.unit("h", "tanh", inputs=[x1, x2])
    >>> y = net.unit("y", "identity", inputs=[h, x2])
    >>> net(np.ones((5, 2))).shape, net([1.0, 1.0]).label
    ((5, 1), 'add')
    >>> net.connect(y, h)
    Traceback (most recent call last):
        ...
    micrograd_nn.graph.CycleError: an edge y -> h would close the loop h -> y -> h: the network is left as it was.
    """

    _units_axis = 0  # inside, a row is a unit and a column an example
    _caches = Module._caches | {"_plan"}

    def __init__(self, rng: Rng = None) -> None:
        super().__init__()
        self._rng = np.random.default_rng(rng)
        self._weight, self._bias, self._slope = map(_Entries, ("weight", "bias", "slope"))
        self._edges_held = 0  # how many edges, counted as the wiring does, `weight` is made for

    @property
    def generations(self) -> list[list[str]]:
        """Names of the units by the longest way to them: those of generation 0 read inputs only, as layer 0 does."""
        return [[self._names_of[n] for n in step.units] for step in self._planned().steps]

    def summary(self) -> Summary:
        """Units, weights and biases of each generation, and in all; an activation that is a module has its own rows."""
        rows = []
        for step in self._planned().steps:
            slopes = sum(n in self._slope_at for n in step.units)
            wires, biases = step.weights.stop - step.weights.start, step.biases.stop - step.biases.start
            kind = ", ".join(f"{len(g.units):,} {g.name}" for g in step.groups)
            rows.append(Row(step.path, kind, len(step.units), wires + slopes, biases, self._pieces_note(step.units)))
        own = sum(int(np.size(v.data)) for _, v in super()._members(Node) if v.op is None)
        if own:  # of a subclass
            rows.append(Row("(itself)", "", 0, own, 0))
        for name, part in self._members(Module):
            rows += [replace(r, name=f"{name} {r.name}".removesuffix(" (itself)")) for r in part.summary().rows]
        return Summary(repr(self), tuple(rows))

    def _note(self) -> str:
        return self._pieces_note(range(len(self._pieces)))

    def _pieces_note(self, units: Iterable[int]) -> str:
        """That maxout units have more parameters than others."""
        counts = sorted({self._pieces[n] for n in units if self._activations[n] == "maxout"})
        return ", ".join(f"maxout units of {k} pieces have {k} times the parameters" for k in counts)

    # --- parameters -----------------------------------------------------------------------------------------------

    @property
    def weight(self) -> Tensor:
        """An entry for each edge, in order of connection."""
        self._build()
        return self._weight

    @property
    def bias(self) -> Tensor:
        """An entry for each unit, in order of creation."""
        self._build()
        return self._bias

    @property
    def slope(self) -> Tensor | None:
        """An entry for each prelu unit, in order of creation; None when there are none."""
        self._build()
        return self._slope if self._slope.size else None

    def _members(self, *kinds: type) -> Iterator[tuple[str, Any]]:
        yield from super()._members(*kinds)  # those of a subclass
        self._build()
        if not kinds or Node in kinds:
            yield "weight", self._weight
            yield "bias", self._bias
            if self._slope.size:
                yield "slope", self._slope
        if not kinds or Module in kinds:
            yield from ((f"activations[{i}]", part) for i, part in enumerate(self._parts))

    def _build(self) -> None:
        """Fit the parameters to the wiring: what stays keeps its value, and what is new is given or drawn."""
        if self._stale:
            with _building:
                if self._stale:
                    self._rebuild()
                    self._stale = False

    def _rebuild(self) -> None:
        wiring, held = self._wiring, self._edges_held
        there, pieces = np.array(wiring.source, int) >= 0, np.array(self._pieces, int)
        each = pieces[np.array(wiring.target, int)]
        stay = self._weight._data[np.repeat(there[:held], each[:held])]
        new = np.flatnonzero(there[held:]) + held
        target = np.array(wiring.target, int)[new]
        reads = np.array([max(1, len(sources)) for sources in wiring.reads])
        bounds = np.sqrt(np.array([6.0 if a in RECTIFIED else 3.0 for a in map(_name, self._activations)]) / reads)
        drawn = self._rng.uniform(-1.0, 1.0, int(each[new].sum())) * np.repeat(bounds[target], each[new])
        begins = np.cumsum(each[new]) - each[new]
        place = {int(e): int(b) for e, b in zip(new, begins)} if self._weights_given else {}
        for edge, given in self._weights_given.items():
            if edge in place:  # not taken away since
                drawn[place[edge] : place[edge] + len(given)] = given
        if len(stay) < len(self._weight._data) or not there.all():
            wiring.renumber()
        self._edges_held = len(wiring.source)
        self._weight.become(stay, drawn)
        self._bias.become(self._bias._data, self._biases_given)
        self._slope.become(self._slope._data, self._slopes_given)
        self._weights_given, self._biases_given, self._slopes_given = {}, [], []
        each = pieces[np.array(wiring.target, int)]
        self._entry = np.cumsum(each) - each  # where each edge's entries of `weight` begin,
        self._row = np.cumsum(pieces) - pieces  # and each unit's of `bias`

    def weight_of(self, source: str, target: str) -> Any:
        """The weight of an edge as it is now: a number, or for a maxout unit a list with one for each piece."""
        s, t = self._edge(source, target)
        found = self.weight.data[self._entries(s, t)].tolist()
        return found if self._activations[t] == "maxout" else found[0]

    def set_weight(self, source: str, target: str, weight: float | Sequence[float]) -> None:
        """Give an edge a weight: a number, or for a maxout unit one for each piece."""
        s, t = self._edge(source, target)
        given = finite(weight, self._pieces[t], f"the weight of {source} -> {target}")
        self.weight.data[self._entries(s, t)] = given
        self._weight.written()

    def _entries(self, source: int, target: int) -> slice:
        """Where the weights of an edge are."""
        self._build()
        begin = int(self._entry[self._wiring.reads[target][source]])
        return slice(begin, begin + self._pieces[target])

    def _wired_as(self) -> int:
        import zlib

        self._build()  # which numbers the edges
        return zlib.crc32(np.array([self._wiring.source, self._wiring.target], np.int64).tobytes())

    def _row_of(self, name: str) -> Any:
        """For each entry of `weight` the row of `bias` it leads to: the entries of a row are one unit's weights."""
        if name != "weight":
            return None
        self._build()
        target = np.array(self._wiring.target, int)
        each = np.array(self._pieces, int)[target]
        return np.repeat(self._row[target] - self._entry, each) + np.arange(int(each.sum()))

    # --- computing ------------------------------------------------------------------------------------------------

    def forward(self, x: Any) -> Any:
        plan = self._planned()
        if not self._inputs or not self._units():
            what = "units: net.unit('y', inputs=[...])" if self._inputs else "inputs: net.input('x')"
            raise ValueError(f"{self!r} has nothing to compute: it needs {what} makes one.")
        if not self._warned:
            self._warned = True
            self._warn_of_idle_units()
        if isinstance(x, Mapping):
            x = self._in_order(x)
        singly = numbers(x)
        if singly is None:
            return self._at_once(plan, checked(x, len(self._inputs), self))
        if len(singly) != len(self._inputs):
            raise ValueError(f"{self!r} takes {len(self._inputs)} inputs, and got {len(singly)}.")
        return self._one_by_one(plan, singly)

    def _at_once(self, plan: Plan, x: Any) -> Any:
        """The generations one after another; a row of `blocks` is a unit, a column an example."""
        lead = x.shape[:-1]
        x = F.transpose(F.reshape(x, (int(np.prod(lead)), x.shape[-1])))
        blocks = [x if isinstance(x, Tensor) else np.ascontiguousarray(Tensor._take(x))]
        weight, bias = _taken(self._weight, plan.weights), F.expand_dims(_taken(self._bias, plan.biases), 1)
        for step in plan.steps:
            with _inside(step.path):
                read = [blocks[i] for i in step.reads]
                z = ops.wired(weight[step.weights], *read, wiring=step.wiring) + bias[step.biases]
                values = [self._activated(g, z if len(step.groups) == 1 else z[g.rows]) for g in step.groups]
                blocks = [*(blocks[i] for i in step.keep), _joined(values)]
                blocks[-step.joined :] = [_joined(blocks[-step.joined :])]
        out = F.transpose(_taken(_joined(blocks), plan.outputs))
        return out if len(lead) == 1 else F.reshape(out, (*lead, out.shape[-1]))

    def _activated(self, group: Group, z: Any) -> Any:
        function: Any = group.activation
        if function == "maxout":
            n = len(group.units)
            function, z = maxout, z.reshape(n, len(z) // n, z.shape[-1])
        elif function == "prelu":
            slopes = F.expand_dims(self._slope[[self._slope_at[n] for n in group.units.tolist()]], 1)

            def prelu(z: Any) -> Any:
                return ops.prelu(z, slopes)

            function = prelu
        elif isinstance(function, str):
            function = ACTIVATIONS[function]
        if group.part:
            with _inside(group.part):
                a = activate(self, function, z)
        else:
            a = activate(self, function, z)
        if a.shape != (len(group.units), z.shape[-1]):
            raise ValueError(
                f"the activation {group.name} gave shape {a.shape} for {len(group.units)} units and {z.shape[-1]} "
                "examples: it must work on each number alone."
            )
        return a

    def _one_by_one(self, plan: Plan, x: list[Any]) -> Any:
        """The units one after another, a multiplication for each edge."""
        known = dict(zip(self._inputs, x, strict=True))
        scalars = self._scalars(plan)
        for step in plan.steps:
            for n in step.units:
                with _inside(f"{step.path}.{self._names_of[n]}"):
                    weights, totals, slope = scalars[n]
                    totals = list(totals)
                    for source, row in zip(self._wiring.reads[n], weights, strict=True):
                        totals = [total + w * known[source] for total, w in zip(totals, row, strict=True)]
                    a: Any = self._activations[n]
                    a = ACTIVATIONS[a] if isinstance(a, str) and a != "maxout" else a
                    known[n] = (
                        reduce(F.maximum, totals) if a == "maxout" else a(totals[0]) if slope is None
                        else a(totals[0], slope)
                    )  # fmt: skip
        out = [known[n] for n in self._outputs()]
        return out[0] if len(out) == 1 else out

    def _scalars(self, plan: Plan) -> dict[int, Any]:
        """For each unit its weights, edge by edge, its biases and its slope as Values, shared until they change.

        They are compared by content too, because an array can be written to in place.
        """
        where, parameters = frame.get(), (self._weight, self._bias, self._slope)
        key = (*((p.stamp, p._data.tobytes(), p.requires_grad) for p in parameters), where.tracking, where.module)
        known = self.__dict__.get("_picks")
        if known is None or known[0] != key:
            found = {}
            for step in plan.steps:
                for n in step.units:
                    with _inside(f"{step.path}.{self._names_of[n]}"):
                        found[n] = self._scalars_of(n)
            known = self.__dict__["_picks"] = (key, found)
        scalars: dict[int, Any] = known[1]
        return scalars

    def _scalars_of(self, n: int) -> tuple[list[list[Node]], list[Node], Node | None]:
        k, row = self._pieces[n], int(self._row[n])
        marks = [str(p) if k > 1 else "" for p in range(k)]
        weights = []
        for s, e in self._wiring.reads[n].items():
            at, called = int(self._entry[e]), self._names_of[s]
            weights.append([pick(self._weight, (at + p,), f"w{mark}[{called}]") for p, mark in enumerate(marks)])
        biases = [pick(self._bias, (row + p,), f"b{mark}") for p, mark in enumerate(marks)]
        return weights, biases, pick(self._slope, (self._slope_at[n],), "a") if n in self._slope_at else None

    def _in_order(self, x: Mapping[str, Any]) -> Any:
        """What was given by name, as a list of numbers or as an array."""
        missing, extra = [n for n in self.inputs if n not in x], [n for n in x if n not in self.inputs]
        if missing or extra:
            wrong = [f"{listed(names)} {what}" for names, what in ((missing, "missing"), (extra, "no input")) if names]
            raise ValueError(f"a dict has a value for each input of {self!r}, and here {' and '.join(wrong)}.")
        values = [x[name] for name in self.inputs]
        if numbers(values) is not None:
            return values
        return F.stack([v if isinstance(v, Node) else np.asarray(v, float) for v in values], -1)

    def _planned(self) -> Plan:
        self._build()
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is None:
            plan = Plan.of(self._wiring, self._inputs, self._activations, self._pieces, self._outputs())
            self.__dict__["_plan"] = plan
        return plan

    def _unit_names(self, a: Any) -> tuple[str, ...] | None:
        path = frame.get().module.rpartition("generations[")[2]
        number, _, part = path.partition("]")
        for group in self._planned().steps[int(number)].groups if number.isdigit() else ():
            if group.part == part[1:]:
                return tuple(self._names_of[n] for n in group.units)
        return None

    # --- to and from other forms ----------------------------------------------------------------------------------

    @classmethod
    def from_mlp(cls, mlp: Module) -> Network:
        """The units of an MLP one by one, with its weights: inputs x1, x2, ..., hidden units h1_1, ..., outputs y1, ...

        Takes a `Sequential` of layers too. Raises ValueError for dropout and noise, which no wiring has, and TypeError
        for what is no fully connected layer of ours.

        >>> from micrograd_nn.nn import MLP
        >>> Network.from_mlp(MLP(3, [4, 2]))
        Network(3 inputs, 6 units, 20 edges)
        """
        return convert(cls(), mlp)

    def to_networkx(self) -> nx.DiGraph[str]:
        """The wiring as a networkx graph, for its algorithms and file formats.

        Nodes carry `kind` ("input" or "unit"), and units `activation`, `bias`, and where they have them `pieces` and
        `slope`; edges carry `weight`. What a maxout unit has for each piece is a list.
        """
        import networkx as nx

        graph: Any = nx.DiGraph()
        facts, nodes, edges = described(self)
        graph.graph.update(facts)
        graph.add_nodes_from(nodes)
        graph.add_edges_from(edges)
        found: nx.DiGraph[str] = graph
        return found

    @classmethod
    def from_networkx(cls, graph: Any, rng: Rng = None) -> Network:
        """A network from any directed acyclic graph of networkx.

        What `to_networkx` writes is read again. Where it is not there, a node that reads nothing is an input, any other
        a "relu" unit, or an "identity" unit if nothing reads it; weights are drawn and biases 0. Names are str(node).
        Raises `CycleError` naming the loop of a graph that has one, and TypeError or ValueError for what is no network.
        """
        for trait, wanted in (("is_directed", True), ("is_multigraph", False)):
            if not hasattr(graph, trait):
                raise TypeError(f"from_networkx takes a networkx.DiGraph, not {type(graph).__name__}.")
            if getattr(graph, trait)() is not wanted:
                what = "no directions: networkx.DiGraph has" if wanted else "parallel edges: make it a networkx.DiGraph"
                raise TypeError(f"a network's edges lead from one unit to another, and this graph has {what}.")
        return build(cls(rng), graph.graph, graph.nodes(data=True), graph.edges(data=True))

    def to_json(self) -> str:
        """The network as text: JSON in networkx's node-link layout (`nx.node_link_graph(data, edges="links")`), every
        number exact. Raises ValueError for an activation that has no name, and for weights that are not finite."""
        return to_json(*described(self))

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file, whole or not at all."""
        from micrograd_nn.files import written_whole

        text = self.to_json()
        with written_whole(path) as file:
            file.write(text.encode())

    @classmethod
    def from_json(cls, source: str | Path | Mapping[str, Any], rng: Rng = None) -> Network:
        """A network from what `to_json`, `save` or networkx's `node_link_data` made: a text, a file's path, or a dict.

        Raises ValueError saying what is wrong with it, and `CycleError` naming the loop where there is one.
        """
        return build(cls(rng), *from_json(source))


class _inside:
    """With it, nodes made know this part of the module at work as their place."""

    __slots__ = ("part", "token")

    def __init__(self, part: str) -> None:
        self.part = part

    def __enter__(self) -> None:
        here = frame.get()
        path = f"{here.module}.{self.part}" if here.module and self.part else here.module or self.part
        self.token = frame.set(here.but(module=path))

    def __exit__(self, *error: object) -> None:
        frame.reset(self.token)


def _joined(blocks: list[Any]) -> Any:
    return blocks[0] if len(blocks) == 1 else F.concatenate(blocks)


def _taken(source: Any, index: Any) -> Any:
    """Entries of a node in another order; the node itself where they are all in order."""
    return source if isinstance(index, slice) and index == slice(0, len(source)) else source[index]


def _name(activation: Any) -> str:
    return activation if isinstance(activation, str) else getattr(activation, "__name__", "")
