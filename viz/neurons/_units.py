"""What a network is made of, column by column: its units, their biases, and where each unit's weights are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.nn import MLP, Dropout, GaussianNoise, Layer, Maxout, Module, Network, Neuron, PReLU, Sequential
from micrograd_nn.tensor import Tensor
from viz._running import Array, at_work

__all__ = ["Array", "Column", "Columns", "Place", "columns_of"]

Place = tuple[int, int]  # a column, and a unit in it


@dataclass(slots=True)
class Column:
    """The inputs, the units of a layer, or those of a generation of a Network.

    `weight` is the parameter that holds the units' weights, at `path` in the model's state. Of a layer, whose units
    read all of the column before, `arrange` turns an array of its shape into (units, inputs, pieces); of a Network,
    `reads` tells for each unit whom it reads, and which entries of `weight` are for that. Only a Maxout has more than
    one piece. `health` is what a HealthReport calls the activation, and `steps` lead from the column before to here.
    """

    label: str
    names: list[str]
    kind: str = ""
    activations: list[str] = field(default_factory=list)
    weight: Any = None
    path: str = ""
    arrange: Callable[[Array], Array] | None = None
    reads: list[dict[Place, slice]] = field(default_factory=list)
    bias: Array | None = None  # (units, pieces)
    slopes: list[float | None] = field(default_factory=list)  # of PReLU units
    parameters: int = 0
    extras: list[str] = field(default_factory=list)  # dropout, noise
    health: str = ""
    steps: list[Callable[[Any], Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def edges(self) -> int:
        """How many weighted edges lead into the column, hidden ones too."""
        if self.weight is None:
            return 0
        if self.arrange is None:
            return sum(map(len, self.reads))
        units, inputs, _ = self.arrange(self.weight.data).shape
        return int(units * inputs)

    def into(self, unit: int, numbers: Array) -> Callable[[Place], Array]:
        """For a unit, what `numbers`, an array like `weight`, has for each place it reads, piece by piece."""
        if self.arrange is None:
            return lambda place: numbers[self.reads[unit][place]]
        row = self.arrange(numbers)[unit]
        return lambda place: row[place[1]]

    def all_into(self, numbers: Array) -> Array:
        """What `numbers`, an array like `weight`, has for this column, in any order."""
        if self.arrange is not None:
            return np.ravel(self.arrange(numbers))
        parts = [numbers[where] for unit in self.reads for where in unit.values()]
        return np.concatenate(parts) if parts else np.zeros(0)

    def id_of(self, unit: int) -> str:
        """What the unit is called in full: a Network's by their names, all others by column and number."""
        return self.names[unit] if self.kind == "Network" else f"{self.label}[{unit}]"


@dataclass(slots=True)
class Columns:
    """A network as columns; `outputs` are the places of its outputs in order."""

    model: Module
    columns: list[Column]
    outputs: list[Place]
    wired: bool  # a Network: unit by unit, edges may skip columns

    def values(self, x: Array) -> list[Array]:
        """What every unit gives for examples (N, inputs): for each column an array (N, units)."""
        with at_work(self.model):
            return self._of_units(x) if self.wired else self._of_layers(x)

    def _of_layers(self, x: Array) -> list[Array]:
        found, now = [], Tensor(x)
        for column in self.columns:
            for step in column.steps:
                now = step(now)
            rows = np.asarray(now.data if isinstance(now, Node) else now).reshape(len(x), -1)
            if rows.shape[1] != len(column):
                raise ValueError(
                    f"after {column.label}, which has {len(column)} units, there are {rows.shape[1]} numbers an "
                    "example: draw_network draws functions that work unit by unit. viz.draw shows any other."
                )
            found.append(rows)
        return found

    def _of_units(self, x: Array) -> list[Array]:
        from micrograd_nn.health._activity import watching

        seen: dict[str, Array] = {}

        def watch(module: Any, function: Any, z: Any, a: Any) -> None:
            if module is self.model:
                seen.update(zip(module._unit_names(a) or (), a.data, strict=False))

        with watching(watch):
            self.model(Tensor(x))
        return [x, *(np.stack([seen[name] for name in column.names], 1) for column in self.columns[1:])]


def columns_of(model: Any) -> Columns:
    """The columns of a model. Raises TypeError for what is no module, ValueError for one whose wiring is not known."""
    if not isinstance(model, Module):
        hint = ": give the model that computed it" if isinstance(model, Node) else ""
        raise TypeError(f"draw_network takes a Module of micrograd_nn.nn, not {type(model).__name__}{hint}.")
    return _of_network(model) if isinstance(model, Network) else _of_layers(model)


# --- layers one after another ---------------------------------------------------------------------------------------


def _of_layers(model: Module) -> Columns:
    inputs = Column("inputs", [])
    columns = [inputs]
    paths = {id(m): path for path, m in model.named_modules()}
    states = {id(p): path for path, p in _leaves(model)}
    calls: dict[str, int] = {}
    seen: dict[str, int] = {}
    start = f"neurons[{model._i}]" if hasattr(model, "_i") else ""  # of a layer
    for path, part in _parts(model, paths, start):
        last = columns[-1]
        if isinstance(part, (Layer, Neuron)) and _computes_as(part, Layer, Maxout, Neuron):
            column = _layer(part, path, states)
            if len(columns) == 1:
                inputs.names = [f"x{i + 1}" for i in range(part.n_in)]
            elif len(last) != part.n_in:
                raise ValueError(
                    f"{column.label} takes {part.n_in} inputs, and {last.label} before it gives {len(last)}: this "
                    "model cannot compute anything."
                )
            seen[column.label] = again = seen.get(column.label, 0) + 1
            column.label += f" #{again}" if again > 1 else ""  # a layer used once more
            columns.append(column)
            if column.activations[0] != "identity":
                _called(column, path or column.activations[0], calls)
        elif isinstance(part, (Dropout, GaussianNoise)):
            word = "dropout" if isinstance(part, Dropout) else "noise"
            last.extras.append(f"{word} {part._amount():g}")
        elif isinstance(part, PReLU) or not isinstance(part, Module):
            last.steps.append(part)
            name = str(getattr(part, "__name__", type(part).__name__))
            before = [a for a in last.activations if a != "identity"]
            last.activations = [f"{before[0]}, {name}" if before else name] * max(1, len(last))
            _called(last, path or name, calls)
            if isinstance(part, PReLU):
                last.slopes = [float(part.weight.data[i if part.num_parameters > 1 else 0]) for i in range(len(last))]
                last.parameters += part.num_parameters
        else:
            where = f"{path} of type " if path else ""
            raise ValueError(
                f"draw_network knows how MLP, Sequential, the layers of nn and Network are wired. What {where}"
                f"{type(part).__name__} does with its inputs, only its forward() knows: viz.draw(model, X=...) shows "
                "what it computes."
            )
    if len(columns) == 1:
        raise ValueError(f"{model!r:.80} has no layers, so there are no units to draw.")
    return Columns(model, columns, [(len(columns) - 1, i) for i in range(len(columns[-1]))], wired=False)


def _called(column: Column, name: str, calls: dict[str, int]) -> None:
    """Give the column's activation the name that a HealthReport gives it, with a number when it comes again."""
    calls[name] = again = calls.get(name, 0) + 1
    column.health = f"{name} #{again}" if again > 1 else name


def _computes_as(part: Module, *kinds: type[Module]) -> bool:
    """Whether a subclass still computes as one of ours does."""
    return any(isinstance(part, kind) and type(part).forward is kind.forward for kind in kinds) or (
        isinstance(part, Neuron) and type(part).__module__ == Neuron.__module__
    )


def _leaves(model: Module) -> Iterator[tuple[str, Any]]:
    try:
        return iter(list(model._named_leaves()))
    except TypeError:  # a neuron of a layer
        return iter(())


def _parts(model: Any, paths: dict[int, str], path: str) -> Iterator[tuple[str, Any]]:
    """What is computed one after another, with its path."""
    at = f"{path}." if path else ""
    if isinstance(model, MLP) and _computes_as(model, MLP):
        if model.noise is not None:
            yield f"{at}noise", model.noise
        for i, layer in enumerate(model.layers):
            yield from _parts(layer, paths, paths[id(layer)])
            if i < min(len(model.layers) - 1, len(model.dropouts)):
                yield f"{at}dropouts[{i}]", model.dropouts[i]
    elif isinstance(model, Sequential) and _computes_as(model, Sequential):
        for i, part in enumerate(model.layers):
            if isinstance(part, Module):
                yield from _parts(part, paths, paths[id(part)])
            else:
                yield f"{at}layers[{i}]", part
    else:
        yield path, model


def _layer(part: Any, path: str, states: dict[int, str]) -> Column:
    """A column for the units of a Layer, a Maxout or a single Neuron."""
    kind = type(part).__name__.removeprefix("_")
    if isinstance(part, Neuron):
        every = [entry[:2] for entry in part._entries()]
        weight, k = every[0][0], len(every) // 2

        def of_neuron(x: Array) -> Array:
            return np.stack([np.asarray(x)[index] for _, index in every[:k]], -1)[None]

        arrange = of_neuron
        bias = np.array([[float(np.asarray(p.data)[index]) for p, index in every[k:]]])
        n, kind, parameters = 1, "Neuron", k * (part.n_in + 1)
    else:
        weight, n, k = part.weight, part.n_out, getattr(part, "k", 1)
        parameters = int(np.size(weight.data) + np.size(part.bias.data))

        def of_layer(x: Array) -> Array:
            return np.moveaxis(np.asarray(x).reshape(k, n, -1), 0, -1)

        arrange = of_layer
        bias = np.asarray(part.bias.data, float).reshape(k, n).T
    act, slopes = part.act, []
    if isinstance(act, PReLU):
        slopes = [float(act.weight.data[i if act.num_parameters > 1 else 0]) for i in range(n)]
        parameters += act.num_parameters
    names = [str(i) for i in range(n)]
    label = path or kind
    return Column(
        label, names, kind, [part.activation] * n, weight, states.get(id(weight), ""), arrange, bias=bias,
        slopes=list(slopes), parameters=parameters, steps=[part],
    )  # fmt: skip


# --- units wired one by one -----------------------------------------------------------------------------------------


def _of_network(net: Network) -> Columns:
    if not net.inputs or not net.generations:
        raise ValueError(
            f"{net!r} has no units yet: net.unit('y', inputs=[...]) makes one, and then there is a picture."
        )
    place: dict[str, Place] = {name: (0, i) for i, name in enumerate(net.inputs)}
    columns = [Column("inputs", list(net.inputs), "Network")]
    for g, names in enumerate(net.generations):
        place.update({name: (g + 1, i) for i, name in enumerate(names)})
        numbers = [net._number[name] for name in names]
        reads, biases, slopes, activations = [], [], [], []
        slope = net.slope
        for n in numbers:
            k, row = net._pieces[n], int(net._row[n])
            reads.append({place[net._names_of[s]]: net._entries(s, n) for s in net._wiring.reads[n]})
            biases.append(net.bias.data[row : row + k].tolist())
            at = net._slope_at.get(n)
            slopes.append(None if at is None or slope is None else float(slope.data[at]))
            kind = net._activations[n]
            activations.append(kind if isinstance(kind, str) else str(getattr(kind, "__name__", type(kind).__name__)))
        most = max(map(len, biases))
        bias = np.array([b + [np.nan] * (most - len(b)) for b in biases])
        count = sum(w.stop - w.start for unit in reads for w in unit.values()) + sum(map(len, biases))
        column = Column(
            f"generations[{g}]", list(names), "Network", activations, net.weight, "weight", None, reads, bias, slopes,
            count + sum(s is not None for s in slopes), health=f"generations[{g}]",
        )  # fmt: skip
        columns.append(column)
    return Columns(net, columns, [place[name] for name in net.outputs], wired=True)
