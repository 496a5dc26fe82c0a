"""`Module`: a part of a network, that knows its parameters, its parts and its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.modes import Frame, frame
from micrograd_nn.text import table

__all__ = ["Module", "Summary", "activate", "observer"]

# Whoever wants to see the activations of a forward pass: called as watch(module, function, z, a).
observer: ContextVar[Callable[[Any, Any, Any, Any], None] | None] = ContextVar("observer", default=None)


def activate(module: Module, function: Callable[[Any], Any], z: Any) -> Any:
    """The activation of a module's units at `z`, shown to whoever watches; what goes on within it is not."""
    watch = observer.get()
    if watch is None:
        return function(z)
    token = observer.set(None)
    try:
        a = function(z)
    finally:
        observer.reset(token)
    watch(module, function, z, a)
    return a


@dataclass(frozen=True)
class Row:
    """One part with parameters of its own, as `summary()` lists it."""

    name: str
    kind: str
    units: int
    weights: int  # with the slopes that units learn
    biases: int
    note: str = ""


@dataclass(frozen=True)
class Summary:
    """Units, weights and biases part by part; printed as a table.

    A layer is a part with units and parameters: the input is not counted. Learned slopes (PReLU) count as weights.
    """

    title: str
    rows: tuple[Row, ...]

    @property
    def units(self) -> int:
        return sum(r.units for r in self.rows)

    @property
    def weights(self) -> int:
        return sum(r.weights for r in self.rows)

    @property
    def biases(self) -> int:
        return sum(r.biases for r in self.rows)

    @property
    def parameters(self) -> int:
        return self.weights + self.biases

    def __str__(self) -> str:
        rows = [("", "", "units", "weights", "biases", "parameters")]
        for r in (*self.rows, Row("total", "", self.units, self.weights, self.biases)):
            counts = (r.units, r.weights, r.biases, r.weights + r.biases)
            rows.append((r.name, r.kind, *(f"{n:,}" for n in counts)))  # type: ignore[arg-type]
        *lines, total = table(rows, words=2)
        layers = sum(r.units > 0 for r in self.rows)
        kind = f": a {layers}-layer network" if layers else "" if self.rows else ": no parameters"
        notes: dict[str, list[str]] = {}
        for r in self.rows:
            if r.note:
                notes.setdefault(r.note, []).append(r.name)
        feet = [f"{', '.join(names)}: {note}" for note, names in notes.items()]
        return "\n".join([self.title + kind, *lines, "-" * len(total), total, *feet])


class Module:
    """A part of a network: subclass it, keep parameters and parts as attributes, and write `forward`.

    A parameter is a Tensor or Value that requires a gradient. Attributes may be lists, tuples and dicts of
    parameters and modules; names that begin with an underscore are left alone. Every node made inside a call
    remembers where: `node.module` is the path of the innermost module, such as `layers[1]`.

    >>> import numpy as np
    >>> from micrograd_nn import Tensor
    >>> class Scale(Module):
    ...     def __init__(self):
    ...         self.factor = Tensor(2.0, requires_grad=True)
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(np.array([1.0, 3.0])).data
    array([2., 6.])
    """

    training: bool = True
    _units_axis: ClassVar[int] = -1  # which axis of an activation counts the units
    _caches: ClassVar[frozenset[str]] = frozenset({"_names", "_neurons", "_picks"})  # made anew where they are needed

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; called through the module itself."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(): write one that computes its output.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outer = frame.get()
        self.__dict__.pop("_names", None)  # parts may have been moved since
        token = frame.set(Frame(self._place(outer), self, outer.tracking, outer.watching, outer.witness))
        try:
            return self.forward(*args, **kwargs)
        finally:
            frame.reset(token)

    def _place(self, outer: Any) -> str:
        if outer.owner is None or outer.owner is self:
            return outer.module if outer.owner is self else ""
        name = outer.owner._name_of(self)
        return f"{outer.module}.{name}" if outer.module and name else name or outer.module

    def _name_of(self, part: Module) -> str:
        known: dict[int, str] = self.__dict__.get("_names", {})
        if id(part) not in known:
            known = {id(m): name for name, m in self.named_modules() if name}
            known.setdefault(id(part), type(part).__name__)
            self.__dict__["_names"] = known
        return known[id(part)]

    # --- what it is made of ---------------------------------------------------------------------------------------

    def _members(self, *kinds: type) -> Iterator[tuple[str, Any]]:
        kinds = kinds or (Module, Node)
        for name, value in vars(self).copy().items():  # another thread may be at work here too
            if name[0] != "_":
                if isinstance(value, kinds):
                    yield name, value
                elif isinstance(value, (list, tuple, dict)):
                    yield from _flat(name, value, kinds)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Path and module, this one first, each once."""
        yield from self._named_modules(prefix, set())

    def _named_modules(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
        if id(self) in seen:
            return
        seen.add(id(self))
        yield prefix, self
        for name, value in self._members():
            if isinstance(value, Module):
                yield from value._named_modules(f"{prefix}.{name}" if prefix else name, seen)

    def modules(self) -> Iterator[Module]:
        """This module and all within it."""
        return (m for _, m in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """Path and parameter, each once, in the order they were made."""
        return ((name, leaf) for name, leaf in self._named_leaves() if leaf.requires_grad)

    def _named_leaves(self) -> Iterator[tuple[str, Any]]:
        """Path and leaf, with those that are frozen or fixed: what has to be saved."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, value in module._members():
                if isinstance(value, Node) and value.op is None and id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{prefix}.{name}" if prefix else name), value

    def parameters(self) -> list[Any]:
        """All parameters, each once."""
        return [p for _, p in self.named_parameters()]

    def named_generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Path and random generator of every part that draws numbers in training, each once.

        Their `bit_generator.state` is what has to be saved, beside the parameters, to go on as if never stopped.

        >>> from micrograd_nn.nn import MLP
        >>> [path for path, _ in MLP(2, [3, 1], dropout=0.5, input_noise=0.1).named_generators()]
        ['noise.rng', 'dropouts[0].rng']
        """
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, value in module._members(np.random.Generator):
                if id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{prefix}.{name}" if prefix else name), value

    def zero_grad(self) -> None:
        """Forget the gradients, of what is frozen too: the next backward() starts from none."""
        for _, p in self._named_leaves():
            p.grad = None

    def train(self, mode: bool = True) -> Module:
        """Behave as in training (dropout on)."""
        for m in self.modules():
            m.training = mode
        return self

    def eval(self) -> Module:
        """Behave as in use (dropout off)."""
        return self.train(False)

    # --- saving and loading ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """A copy of every parameter by path, and of every other Value or Tensor the parts hold.

        A `Network` adds a number that stands for its wiring: the same entries on other edges are another network.
        """
        return {name: np.array(p.data) for name, p in self._named_leaves()} | self._named_wirings()

    def _named_wirings(self) -> dict[str, np.ndarray[Any, Any]]:
        found = {f"{path}.wiring" if path else "wiring": m._wired_as() for path, m in self.named_modules()}
        return {path: np.array(number) for path, number in found.items() if number is not None}

    def _wired_as(self) -> int | None:
        """A number that stands for the wiring, where there is one to choose."""
        return None

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave.

        Raises ValueError listing every key that is missing, unexpected, of another shape or of a network that is wired
        otherwise; then nothing is changed.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state is a dict, as state_dict() gives it, not {type(state).__name__}.")
        own, wirings = dict(self._named_leaves()), self._named_wirings()
        arrays = {name: np.asarray(value) for name, value in state.items()}
        wrong = {
            "missing": [k for k in own if k not in arrays],
            "unexpected": [k for k in arrays if k not in own and k not in wirings],
            "of another shape": [
                f"{k} (needs {np.shape(p.data)}, got {arrays[k].shape})"
                for k, p in own.items() if k in arrays and arrays[k].shape != np.shape(p.data)
            ],
            "wired otherwise": [k for k, w in wirings.items() if k in arrays and not np.array_equal(arrays[k], w)],
            "not real numbers": [k for k in own if k in arrays and arrays[k].dtype.kind not in "fiu"],
        }  # fmt: skip
        if any(wrong.values()):
            report = "; ".join(f"{what}: {', '.join(keys)}" for what, keys in wrong.items() if keys)
            raise ValueError(f"this state does not fit {type(self).__name__}, which is left as it was. {report}.")
        for name, p in own.items():
            p.data = arrays[name] if arrays[name].ndim or hasattr(p.data, "shape") else float(arrays[name])

    # --- for people -----------------------------------------------------------------------------------------------

    def summary(self) -> Summary:
        """Units, weights and biases of each part, and in all.

        >>> from micrograd_nn.nn import MLP
        >>> s = MLP(3, [4, 2]).summary()
        >>> s.units, s.weights, s.biases, s.parameters
        (6, 20, 6, 26)
        """
        rows = []
        for path, module in self.named_modules():
            own = [(n, v) for n, v in module._members() if isinstance(v, Node) and v.op is None]
            if own:
                biases = sum(int(np.size(v.data)) for n, v in own if n.startswith("bias"))
                total = sum(int(np.size(v.data)) for _, v in own)
                rows.append(
                    Row(path or "(itself)", repr(module), module._units(), total - biases, biases, module._note())
                )
        return Summary(repr(self), tuple(rows))

    def _units(self) -> int:
        """How many neurons are in this part itself."""
        return 0

    def _note(self) -> str:
        """What `summary()` should say of this part under its table."""
        return ""

    def _unit_names(self, a: Any) -> tuple[str, ...] | None:
        """What the units of the activation `a` are called, where they have names."""
        return None

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k not in self._caches}


def _flat(name: str, value: Any, kinds: tuple[type, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _flat(f"{name}[{i}]", item, kinds)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{name}[{key!r}]", item, kinds)
    elif isinstance(value, kinds):
        yield name, value
