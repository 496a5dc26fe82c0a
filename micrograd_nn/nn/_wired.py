"""What a network is told: its inputs, units and edges by name, and which of those it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn
from warnings import warn

import numpy as np

from micrograd_nn.graph import CycleError
from micrograd_nn.nn._activations import ACTIVATIONS, Activation, PReLU, activation_named
from micrograd_nn.nn._acyclic import Acyclic
from micrograd_nn.nn._module import Module
from micrograd_nn.nn._scalars import size

__all__ = ["Wired", "finite", "listed"]

Numbers = float | Sequence[float] | None


class Wired(Module):
    """Inputs and units by name, and edges between them that close no loop; `Network` computes them."""

    def __init__(self) -> None:
        self._wiring = Acyclic()
        self._names_of: list[str] = []  # of inputs and units, in order of creation
        self._number: dict[str, int] = {}
        self._inputs: list[int] = []
        self._activations: list[Activation] = []  # "" for an input
        self._parts: list[Module] = []  # activations that are modules, each once
        self._pieces: list[int] = []  # how many entries of `bias` each has: 0 for an input, k for a maxout unit
        self._slope_at: dict[int, int] = {}  # where in `slope` a prelu unit's is
        self._chosen: list[int] = []  # outputs; when empty, all that nothing reads
        # what the parameters do not know yet
        self._stale = True
        self._weights_given: dict[int, list[float]] = {}
        self._biases_given: list[float] = []
        self._slopes_given: list[float] = []
        self._warned = False

    def input(self, name: str) -> str:
        """A new input; gives its name. The order of creation is that of the last axis of what the network is given."""
        self._inputs.append(self._add(self._new(name), "", 0))
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
        if isinstance(activation, (list, tuple)):
            raise TypeError(f"the activation comes before the inputs: net.unit({name!r}, inputs={list(activation)!r}).")
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
        biases = [0.0] * k if bias is None else finite(bias, k, f"the bias of {name!r}")
        slopes = finite(0.25 if slope is None else slope, 1, f"the slope of {name!r}")
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
        if isinstance(activation, Module) and not any(part is activation for part in self._parts):
            self._parts.append(activation)
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
        given = None if weight is None else finite(weight, self._pieces[t], f"the weight of {source} -> {target}")
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
        known = f"There are {listed(self._names_of)}" if self._names_of else "There are none yet"
        hint = f"Did you mean {near[0]!r}?" if near else f"{known}: net.input(...) and net.unit(...) make new ones."
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
            known = listed([self._names_of[n] for n in self._wiring.reads[t]])
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
        return tuple(self._names_of[n] for n in self._inputs)

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

        >>> from micrograd_nn.nn import Network
        >>> net = Network()
        >>> h = net.unit("h", inputs=[net.input("x")])
        >>> y = net.unit("y", inputs=[h])
        >>> net.outputs
        ('y',)
        >>> net.outputs = [h, y]
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

    def __repr__(self) -> str:
        edges = sum(map(len, self._wiring.reads))
        counts = (len(self._inputs), "input"), (self._units(), "unit"), (edges, "edge")
        return f"{type(self).__name__}({', '.join(f'{n:,} {what}' + 's' * (n != 1) for n, what in counts)})"

    def _units(self) -> int:
        return len(self._pieces) - len(self._inputs)

    def _warn_of_idle_units(self) -> None:
        names, w, pieces = self._names_of, self._wiring, self._pieces
        fed = w.reached(self._inputs)
        lost = [names[n] for n, k in enumerate(pieces) if k and n not in fed]
        if lost:
            warn(
                f"no input reaches {listed(lost)}, so nothing there depends on the examples: connect what is cut off, "
                f"as in net.connect({self.inputs[0]!r}, {lost[0]!r}).",
                stacklevel=4,
            )
        used = w.reached(self._outputs(), back=True)
        idle = [names[n] for n, k in enumerate(pieces) if k and n not in used]
        if idle:
            warn(
                f"no output depends on {listed(idle)}, so nothing is learned there: connect what is cut off "
                f"to what leads to {listed(list(self.outputs))}, or make them outputs too.",
                stacklevel=4,
            )


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8:,} more" if len(names) > 8 else shown


def finite(value: Any, count: int, what: str) -> list[float]:
    """One number, or `count` of them for a maxout unit, as floats."""
    try:
        found = np.asarray(value if np.ndim(value) or count > 1 else [value])
    except ValueError:  # rows of unequal length
        found = np.empty(0)
    if found.dtype.kind not in "fiu" or found.shape != (count,) or not np.isfinite(found).all():
        needs = "a finite number" if count == 1 else f"a list of {count} finite numbers, one for each piece"
        raise ValueError(f"{what} is {needs}, not {value!r}.")
    return [float(v) for v in found]
