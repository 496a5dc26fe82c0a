"""`Network`: units wired in any way that has no loops."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from warnings import warn

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn import ops
from micrograd_nn.graph import CycleError, Node
from micrograd_nn.modes import frame
from micrograd_nn.nn._activations import ACTIVATIONS, Activation, PReLU, activation_named
from micrograd_nn.nn._acyclic import Acyclic
from micrograd_nn.nn._dense import Layer, Maxout, maxout
from micrograd_nn.nn._module import Module, Row, Summary, activate
from micrograd_nn.nn._network_files import FORMAT, built, from_json, to_json
from micrograd_nn.nn._plan import Group, Plan
from micrograd_nn.nn._scalars import checked, numbers, pick, size
from micrograd_nn.nn.init import RECTIFIED
from micrograd_nn.tensor import Tensor

if TYPE_CHECKING:  # NumPy loads its random module at first use
    import networkx as nx

    Rng = np.random.Generator | int | None

__all__ = ["Network"]

Numbers = float | Sequence[float] | None


class Network(Module):
    """Units wired in any acyclic way, each of whichever kind: the notes' neurons without layers.

    `input`, `unit` and `connect` build it; an edge that would close a loop raises `CycleError`, and nothing has
    changed. `weight` holds an entry for each edge in order of connection, `bias` one for each unit, `slope` one for
    each unit whose activation is "prelu"; a maxout unit of k pieces has k entries in place of one. They are the same
    Tensors for the network's life: when it is wired anew they grow or shrink, and what stays keeps its value. New
    weights are drawn with `rng` when they are first needed, uniform with variance 2 / n for ReLU and its kin, else
    1 / n, where n is the number of units the target reads by then.

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
        self._rng = np.random.default_rng(rng)
        self._wiring = Acyclic()
        self._names_of: list[str] = []  # of inputs and units, in order of creation
        self._number: dict[str, int] = {}
        self._activations: list[Activation] = []  # "" for an input
        self._pieces: list[int] = []  # how many entries of `bias` each has: 0 for an input, k for a maxout unit
        self._slope_at: dict[int, int] = {}  # where in `slope` a prelu unit's is
        self._chosen: list[int] = []  # outputs; when empty, all that nothing reads
        self._warned = False
        self._weight, self._bias, self._slope = (Tensor(np.zeros(0), True, n) for n in ("weight", "bias", "slope"))
        # what the parameters do not know yet
        self._edges_held = 0  # how many edges, counted as the wiring does, `weight` is made for
        self._weights_given: dict[int, list[float]] = {}
        self._biases_given: list[float] = []
        self._slopes_given: list[float] = []
        self._stale = True

    # --- wiring ---------------------------------------------------------------------------------------------------

    def input(self, name: str) -> str:
        """A new input; gives its name. The order of creation is that of the last axis of what the network is given."""
        self._add(self._new(name), "", 0)
        return name

    def unit(
        self, name: str, activation: Activation = "relu", inputs: Iterable[str] = (), *, pieces: int | None = None,
        bias: Numbers = None, slope: float | None = None,
    ) -> str:  # fmt: skip
        """A new unit that reads `inputs`, names of inputs and units; gives its name.

        `activation` is a name of `nn.ACTIVATIONS`, any function of a node that works unit by unit, or "maxout": the
        largest of `pieces` (2) weighted sums. `bias` starts at 0, a number for each piece; the `slope` of a "prelu"
        unit, its own and learned, at 0.25. Outputs usually have "identity".
        """
        self._new(name)
        if activation == "maxout":
            k = size(2 if pieces is None else pieces, "pieces")
        elif pieces is not None:
            raise ValueError(f"pieces are for maxout units, and {name!r} is given the activation {activation!r}.")
        else:
            called, function = activation_named(activation)
            activation, k = called if ACTIVATIONS.get(called) is function else function, 1
            if isinstance(activation, PReLU) and activation.num_parameters > 1:
                raise ValueError(
                    f"{activation!r} counts units on the last axis: write 'prelu' for a slope of each unit's own."
                )
        if slope is not None and activation != "prelu":
            raise ValueError(f"a slope is for prelu units, and {name!r} is given the activation {activation!r}.")
        biases = [0.0] * k if bias is None else _finite(bias, k, f"the bias of {name!r}")
        slopes = _finite(0.25 if slope is None else slope, 1, f"the slope of {name!r}")
        if isinstance(inputs, str):
            raise TypeError(f"inputs is a list of names: inputs=[{inputs!r}].")
        inputs = list(inputs)
        if name in inputs:
            self._refuse_loop([name, name])
        sources = self._find_all(inputs, f"the inputs of {name!r}")
        number = self._add(name, activation, k)
        self._biases_given += biases
        if activation == "prelu":
            self._slope_at[number] = len(self._slope_at)
            self._slopes_given += slopes
        for source_number in sources:
            self._wiring.connect(source_number, number)
        return name

    def connect(self, source: str, target: str, weight: Numbers = None) -> None:
        """An edge: unit `target` reads `source`. Without `weight`, the weight is drawn.

        Raises `CycleError` naming the loop when the edge would close one, and ValueError for a name there is not, for
        an edge there is, and for one into an input; the network is then as it was.
        """
        s, t = self._find(source), self._find(target)
        if not self._pieces[t]:
            raise ValueError(f"{target!r} is an input: its value comes from outside, and no edge leads into it.")
        if s in self._wiring.reads[t]:
            raise ValueError(
                f"there is an edge {source} -> {target} already: net.set_weight({source!r}, {target!r}, ...) changes "
                "its weight."
            )
        given = None if weight is None else _finite(weight, self._pieces[t], f"the weight of {source} -> {target}")
        loop = self._wiring.connect(s, t)
        if loop:
            self._refuse_loop([self._names_of[n] for n in loop])
        if given is not None:
            self._weights_given[len(self._wiring.source) - 1] = given
        self._changed()

    def disconnect(self, source: str, target: str) -> None:
        """Take an edge away; all others keep their weights."""
        s, t = self._edge(source, target)
        self._wiring.disconnect(s, t)
        self._changed()

    def weight_of(self, source: str, target: str) -> Any:
        """The weight of an edge as it is now: a number, or for a maxout unit a list with one for each piece."""
        s, t = self._edge(source, target)
        found = self.weight.data[self._entries(s, t)].tolist()
        return found if self._activations[t] == "maxout" else found[0]

    def set_weight(self, source: str, target: str, weight: float | Sequence[float]) -> None:
        """Give an edge a weight: a number, or for a maxout unit one for each piece."""
        s, t = self._edge(source, target)
        given = _finite(weight, self._pieces[t], f"the weight of {source} -> {target}")
        self.weight.data[self._entries(s, t)] = given
        self._weight.written()

    def _new(self, name: str) -> str:
        if not isinstance(name, str) or not name:
            raise TypeError(f"inputs and units are called by a name, a text, not {name!r}.")
        if name in self._number:
            kind = "a unit" if self._pieces[self._number[name]] else "an input"
            raise ValueError(f"there is {kind} named {name!r} already: every name is given once.")
        return name

    def _add(self, name: str, activation: Activation, pieces: int) -> int:
        self._number[name] = number = self._wiring.add_node()
        self._names_of.append(name)
        self._activations.append(activation)
        self._pieces.append(pieces)
        self._changed()
        return number

    def _find(self, name: str) -> int:
        number = self._number.get(name) if isinstance(name, str) else None
        if number is not None:
            return number
        import difflib

        near = difflib.get_close_matches(str(name), self._names_of, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Make it first, with net.input(...) or net.unit(...)."
        raise ValueError(f"no input or unit is named {name!r}. {hint}")

    def _find_all(self, names: list[str], what: str) -> list[int]:
        found = [self._find(name) for name in names]
        if len(set(found)) < len(found):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            raise ValueError(f"{twice!r} is listed twice among {what}.")
        return found

    def _edge(self, source: str, target: str) -> tuple[int, int]:
        s, t = self._find(source), self._find(target)
        if s not in self._wiring.reads[t]:
            known = _listed([self._names_of[n] for n in self._wiring.reads[t]])
            raise ValueError(f"there is no edge {source} -> {target}: {target} reads {known or 'nothing'}.")
        return s, t

    def _refuse_loop(self, loop: list[str]) -> NoReturn:
        shown = loop if len(loop) <= 24 else [*loop[:12], f"... ({len(loop) - 24:,} more) ...", *loop[-12:]]
        raise CycleError(
            loop, f"an edge {loop[-2]} -> {loop[-1]} would close the loop {' -> '.join(shown)}: the network is left as "
            "it was.",
        )  # fmt: skip

    def _changed(self) -> None:
        self._stale = True
        self._forget()

    def _forget(self) -> None:
        """What was worked out from the wiring as it was."""
        self._warned = False
        self.__dict__.pop("_plan", None)
        self.__dict__.pop("_picks", None)

    # --- what there is --------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return tuple(name for name, k in zip(self._names_of, self._pieces, strict=True) if not k)

    @property
    def units(self) -> tuple[str, ...]:
        """Names of the units, in order of creation."""
        return tuple(name for name, k in zip(self._names_of, self._pieces, strict=True) if k)

    @property
    def edges(self) -> list[tuple[str, str]]:
        """Source and target of every edge, in order of connection, as `weight` has them."""
        w, names = self._wiring, self._names_of
        return [(names[s], names[t]) for s, t in zip(w.source, w.target, strict=True) if s >= 0]

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the units whose values are the result: those that nothing reads, or those chosen by assignment.

        >>> net = Network()
        >>> net.outputs = [net.unit(name, inputs=[net.input("x")]) for name in "a"]
        >>> net.outputs
        ('a',)
        """
        return tuple(self._names_of[n] for n in self._outputs())

    @outputs.setter
    def outputs(self, names: Iterable[str] | None) -> None:
        if isinstance(names, str):
            raise TypeError(f"outputs is a list of names: net.outputs = [{names!r}].")
        self._chosen = self._find_all([] if names is None else list(names), "the outputs")
        self._forget()

    def _outputs(self) -> list[int]:
        return self._chosen or [n for n, k in enumerate(self._pieces) if k and not self._wiring.read_by[n]]

    @property
    def generations(self) -> list[list[str]]:
        """Names of the units by the longest way to them: those of generation 0 read inputs only, as layer 0 does."""
        return [[self._names_of[n] for n in step.units] for step in self._planned().steps]

    def __repr__(self) -> str:
        counts = (len(self.inputs), "input"), (len(self.units), "unit"), (sum(map(len, self._wiring.reads)), "edge")
        return f"Network({', '.join(f'{n:,} {what}' + 's' * (n != 1) for n, what in counts)})"

    def summary(self) -> Summary:
        """Units, weights and biases of each generation, and in all."""
        rows = []
        for step in self._planned().steps:
            kinds = [(len(g.units), g.name) for g in step.groups]
            slopes = sum(n for n, name in kinds if name == "prelu")
            more = sorted({self._pieces[g.units[0]] for g in step.groups if g.activation == "maxout"})
            note = " and ".join(f"{k} pieces a unit, {k} times the parameters" for k in more)
            wires, biases = step.weights.stop - step.weights.start, step.biases.stop - step.biases.start
            kind = ", ".join(f"{n:,} {name}" for n, name in kinds)
            rows.append(Row(step.path, kind, sum(n for n, _ in kinds), wires + slopes, biases, note))
        return Summary(repr(self), tuple(rows))

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
        self._build()
        if not kinds or Node in kinds:
            yield "weight", self._weight
            yield "bias", self._bias
            if self._slope.size:
                yield "slope", self._slope
        if not kinds or Module in kinds:
            modules = [a for a in self._activations if isinstance(a, Module)]
            yield from ((f"activations[{i}]", m) for i, m in enumerate({id(m): m for m in modules}.values()))

    def _build(self) -> None:
        """Fit the parameters to the wiring: what stays keeps its value, and what is new is given or drawn."""
        if not self._stale:
            return
        self._stale = False
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
        self._grow(self._weight, stay, drawn)
        self._grow(self._bias, self._bias._data, self._biases_given)
        self._grow(self._slope, self._slope._data, self._slopes_given)
        self._weights_given, self._biases_given, self._slopes_given = {}, [], []
        each = pieces[np.array(wiring.target, int)]
        self._entry = np.cumsum(each) - each  # where each edge's entries of `weight` begin,
        self._row = np.cumsum(pieces) - pieces  # and each unit's of `bias`

    @staticmethod
    def _grow(parameter: Tensor, stay: Any, new: Any) -> None:
        if len(new) or len(stay) < parameter.size:
            parameter._data = np.concatenate([stay, np.asarray(new, stay.dtype)])
            parameter.grad = None
            parameter.written()

    def _entries(self, source: int, target: int) -> slice:
        """Where the weights of an edge are."""
        self._build()
        begin = int(self._entry[self._wiring.reads[target][source]])
        return slice(begin, begin + self._pieces[target])

    def _row_of(self, name: str) -> Any:
        """For each entry of `weight` the row of `bias` it leads to: the entries of a row are one unit's weights."""
        if name != "weight":
            return None
        self._build()
        target = np.array(self._wiring.target, int)
        each = np.array(self._pieces, int)[target]
        return np.repeat(self._row[target] - self._entry, each) + np.arange(int(each.sum()))

    def _units(self) -> int:
        return len(self.units)

    # --- computing ------------------------------------------------------------------------------------------------

    def forward(self, x: Any) -> Any:
        plan = self._planned()
        if not self.inputs or not self.units:
            what = "units: net.unit('y', inputs=[...])" if self.inputs else "inputs: net.input('x')"
            raise ValueError(f"{self!r} has nothing to compute: it needs {what} makes one.")
        if not self._warned:
            self._warned = True
            self._warn_of_idle_units()
        if isinstance(x, Mapping):
            x = self._in_order(x)
        singly = numbers(x)
        if singly is None:
            return self._at_once(plan, checked(x, len(self.inputs), repr(self)))
        if len(singly) != len(self.inputs):
            raise ValueError(f"{self!r} takes {len(self.inputs)} inputs, and got {len(singly)}.")
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
                values = [self._activated(group, z if len(step.groups) == 1 else z[group.rows]) for group in step.groups]
                blocks = [*(blocks[i] for i in step.keep), values[0] if len(values) == 1 else F.concatenate(values)]
                for _ in range(step.merges):
                    blocks[-2:] = [F.concatenate(blocks[-2:])]
        out = F.transpose(_taken(blocks[0] if len(blocks) == 1 else F.concatenate(blocks), plan.outputs))
        return out if len(lead) == 1 else F.reshape(out, (*lead, len(self.outputs)))

    def _activated(self, group: Group, z: Any) -> Any:
        function: Any = group.activation
        if function == "maxout":
            function, z = maxout, z.reshape(len(group.units), -1, z.shape[-1])
        elif function == "prelu":
            slopes = F.expand_dims(self._slope[[self._slope_at[n] for n in group.units.tolist()]], 1)

            def prelu(z: Any) -> Any:
                return ops.prelu(z, slopes)

            function = prelu
        elif isinstance(function, str):
            function = ACTIVATIONS[function]
        with _inside(group.part):
            a = activate(self, function, z)
        if a.shape != (len(group.units), z.shape[-1]):
            raise ValueError(
                f"the activation {group.name} gave shape {a.shape} for {len(group.units)} units and {z.shape[-1]} "
                "examples: it must work on each number alone."
            )
        return a

    def _one_by_one(self, plan: Plan, x: list[Any]) -> Any:
        """The units one after another, a multiplication for each edge."""
        known = dict(zip((n for n, k in enumerate(self._pieces) if not k), x, strict=True))
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
        weights = [
            [pick(self._weight, (int(self._entry[e]) + p,), f"w{mark}[{self._names_of[s]}]") for p, mark in enumerate(marks)]
            for s, e in self._wiring.reads[n].items()
        ]
        biases = [pick(self._bias, (row + p,), f"b{mark}") for p, mark in enumerate(marks)]
        return weights, biases, pick(self._slope, (self._slope_at[n],), "a") if n in self._slope_at else None

    def _in_order(self, x: Mapping[str, Any]) -> Any:
        """What was given by name, as a list of numbers or as an array."""
        missing, extra = [n for n in self.inputs if n not in x], [n for n in x if n not in self.inputs]
        if missing or extra:
            wrong = [f"{_listed(names)} {what}" for names, what in ((missing, "missing"), (extra, "no input")) if names]
            raise ValueError(f"a dict has a value for each input of {self!r}, and here {' and '.join(wrong)}.")
        values = [x[name] for name in self.inputs]
        if numbers(values) is not None:
            return values
        return F.stack([v if isinstance(v, Node) else np.asarray(v, float) for v in values], -1)

    def _planned(self) -> Plan:
        self._build()
        plan: Plan | None = self.__dict__.get("_plan")
        if plan is None:
            inputs = [n for n, k in enumerate(self._pieces) if not k]
            plan = Plan.of(self._wiring, inputs, self._activations, self._pieces, self._outputs())
            self.__dict__["_plan"] = plan
        return plan

    def _warn_of_idle_units(self) -> None:
        names, w, pieces = self._names_of, self._wiring, self._pieces
        fed = w.reached([n for n, k in enumerate(pieces) if not k])
        lost = [names[n] for n, k in enumerate(pieces) if k and n not in fed]
        if lost:
            warn(
                f"no input reaches {_listed(lost)}: what they compute is the same whatever goes in. Connect them, as in "
                f"net.connect({self.inputs[0]!r}, {lost[0]!r}).",
                stacklevel=4,
            )
        used = w.reached(self._outputs(), back=True)
        idle = [names[n] for n, k in enumerate(pieces) if k and n not in used]
        if idle:
            warn(
                f"no output depends on {_listed(idle)}: they are computed for nothing, and never learn. Connect them to "
                f"what leads to {_listed(list(self.outputs))}, or make them outputs too.",
                stacklevel=4,
            )

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

        Raises ValueError for dropout and noise, which no wiring has, and TypeError for layers that are none of ours.

        >>> from micrograd_nn.nn import MLP
        >>> Network.from_mlp(MLP(3, [4, 2]))
        Network(3 inputs, 6 units, 20 edges)
        """
        layers = list(getattr(mlp, "layers", ()))
        if not layers or not all(isinstance(layer, Layer) for layer in layers):
            raise TypeError(f"from_mlp takes an MLP, or another module of fully connected layers, not {mlp!r:.60}.")
        if getattr(mlp, "noise", None) is not None or getattr(mlp, "dropouts", None):
            raise ValueError("a Network has no dropout and no input noise: convert an MLP without them.")
        net = cls()
        below = [net.input(f"x{i + 1}") for i in range(layers[0].n_in)]
        weights, biases, slopes = [], [], []
        for i, layer in enumerate(layers):
            act, settings = layer.act, {}
            if isinstance(layer, Maxout):
                act, settings = "maxout", {"pieces": layer.k}
            elif isinstance(act, PReLU) and act.num_parameters == layer.n_out:
                act = "prelu"
                slopes.append(layer.act.weight.data)
            elif isinstance(act, Module):
                act = copy.deepcopy(act)
            stem = "y" if layer is layers[-1] else f"h{i + 1}_"
            below = [net.unit(f"{stem}{j + 1}", act, below, **settings) for j in range(layer.n_out)]
            # a maxout layer has its pieces on the first axis
            weights.append(np.moveaxis(layer.weight.data.reshape(-1, layer.n_out, layer.n_in), 0, -1).ravel())
            biases.append(layer.bias.data.reshape(-1, layer.n_out).T.ravel())
        net.weight.data, net.bias.data = np.concatenate(weights), np.concatenate(biases)
        if slopes:
            net._slope.data = np.concatenate(slopes)
        return net

    def to_networkx(self) -> nx.DiGraph[str]:
        """The wiring as a networkx graph, for its algorithms and file formats.

        Nodes carry `kind` ("input" or "unit"), and units `activation`, `bias`, and where they have them `pieces` and
        `slope`; edges carry `weight`. What a maxout unit has for each piece is a list.
        """
        import networkx as nx

        graph: Any = nx.DiGraph()
        facts, nodes, edges = self._described()
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
        return built(cls(rng), graph.graph, graph.nodes(data=True), graph.edges(data=True))

    def to_json(self) -> str:
        """The network as text: JSON in networkx's node-link layout (`nx.node_link_graph(data, edges="links")`), every
        number exact. Raises ValueError for an activation that has no name, and for weights that are not finite."""
        return to_json(*self._described())

    def save(self, path: str | Path) -> None:
        """Write `to_json` to a file, whole or not at all."""
        path = Path(path)
        beside = path.with_name(path.name + ".part")
        beside.write_text(self.to_json(), encoding="utf-8")
        beside.replace(path)

    @classmethod
    def from_json(cls, text_or_path: str | Path, rng: Rng = None) -> Network:
        """A network from what `to_json` or `save` wrote, or networkx's `node_link_data`: the text, or a file's path.

        Raises ValueError saying what is wrong with it, and `CycleError` naming the loop where there is one.
        """
        return built(cls(rng), *from_json(text_or_path))

    def _described(self) -> tuple[dict[str, Any], list[Any], list[Any]]:
        """What the whole has, what each node has, and what each edge has."""
        self._build()
        facts: dict[str, Any] = {"format": FORMAT, "version": 1}
        if self._chosen:
            facts["outputs"] = list(self.outputs)
        nodes: list[Any] = []
        for n, (name, activation, k) in enumerate(zip(self._names_of, self._activations, self._pieces, strict=True)):
            if not k:
                nodes.append((name, {"kind": "input"}))
                continue
            bias = self._bias.data[self._row[n] : self._row[n] + k].tolist()
            unit = {"kind": "unit", "activation": activation, "bias": bias if activation == "maxout" else bias[0]}
            if activation == "maxout":
                unit["pieces"] = k
            if n in self._slope_at:
                unit["slope"] = float(self._slope.data[self._slope_at[n]])
            nodes.append((name, unit))
        w, numbers = self._wiring, self._weight.data.tolist()
        edges = []
        for s, t, at in zip(w.source, w.target, self._entry.tolist(), strict=True):
            weight = numbers[at : at + self._pieces[t]] if self._activations[t] == "maxout" else numbers[at]
            edges.append((self._names_of[s], self._names_of[t], {"weight": weight}))
        return facts, nodes, edges


@contextmanager
def _inside(part: str) -> Iterator[None]:
    """Nodes made inside know this part of the module at work as their place."""
    here = frame.get()
    token = frame.set(here.but(module=f"{here.module}.{part}" if here.module else part)) if part else None
    try:
        yield
    finally:
        if token:
            frame.reset(token)


def _taken(source: Any, index: Any) -> Any:
    """Entries of a node in another order; the node itself where they are all in order."""
    return source if isinstance(index, slice) and index == slice(0, len(source)) else source[index]


def _name(activation: Any) -> str:
    return activation if isinstance(activation, str) else getattr(activation, "__name__", "")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown


def _finite(value: Any, count: int, what: str) -> list[float]:
    """One number, or `count` of them for a maxout unit, as floats."""
    found = np.asarray(value if np.ndim(value) or count > 1 else [value])
    if found.dtype.kind not in "fiu" or found.shape != (count,) or not np.isfinite(found).all():
        needs = "a finite number" if count == 1 else f"a list of {count} finite numbers, one for each piece"
        raise ValueError(f"{what} is {needs}, not {value!r}.")
    return [float(v) for v in found]
