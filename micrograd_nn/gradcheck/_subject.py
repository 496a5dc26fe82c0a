"""What is checked: code that has a value and a backward pass, with every number it may be moved by in one list.

`Graph` is a function of our nodes or a Module, `Pair` a forward and a backward pass on plain arrays. Both work on
copies in float64: what the user gave is never touched.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.graph import Node, gradients
from micrograd_nn.nn import Module
from micrograd_nn.op import Op
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["Contract", "Entry", "Graph", "Pair", "Subject", "called_by"]

Array = np.ndarray[Any, Any]
OUTSIDE = (ArithmeticError, ValueError)  # what code raises where it is not defined


class Contract(Exception):  # noqa: N818 - not an error: a sentence for the report
    """A promise that the code breaks, before any number can be compared."""


@dataclass
class Entry:
    """One array of numbers to move: its name, its values in float64, and the type it was given in."""

    name: str
    array: Array
    given: np.dtype[Any]
    number: bool  # a single number rather than an array


class Subject:
    """Code to check. `entries` is what it can be moved by; arrays go in and out in that order."""

    name = "f"
    entries: list[Entry]

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        """The results of the code, as arrays."""
        raise NotImplementedError

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        """What the backward pass returns for each entry, when `seeds` come in at the results; None for nothing."""
        raise NotImplementedError

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        """The results as nodes of our own engine, and the leaves for the entries; None where that cannot be had."""
        return None

    @property
    def arrays(self) -> list[Array]:
        return [e.array for e in self.entries]


def called_by(f: Any) -> str:
    """What to call a function in messages."""
    if isinstance(f, Module):
        return repr(f)
    name = getattr(f, "__name__", type(f).__name__)
    return "f" if name == "<lambda>" else str(name)


def _parameter_names(f: Any, count: int) -> list[str]:
    """The names of the first `count` positional parameters of `f`."""
    names: list[str] = []
    if not isinstance(f, Op):
        try:
            signature = inspect.signature(f.forward if isinstance(f, Module) else f)
            names = [p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]  # noqa: E501
        except (TypeError, ValueError):
            names = []
    if len(names) < count:
        spare = ["x"] if count == 1 else [f"x{i}" for i in range(count)]
        names += spare[len(names) :]
    return names[:count]


def _moved(x: Any, settings: bool) -> bool:
    """Whether `x` is numbers to move, rather than a setting, a label or an index."""
    if isinstance(x, Node):
        return True
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind == "f"
    return isinstance(x, float) and not settings


class _Slots:
    """Arguments with holes: the numbers in them, taken out, and a way to put others in."""

    def __init__(self, kind: Callable[[Entry, Array], Any]) -> None:
        self.entries: list[Entry] = []
        self.kind = kind

    def take(self, name: str, x: Any, settings: bool = False) -> Callable[[Sequence[Any]], Any]:
        """Take the numbers out of `x`; gives a function that builds the like of `x` from what fills the holes."""
        if isinstance(x, list | tuple | dict):
            keys = list(x) if isinstance(x, dict) else range(len(x))
            parts = [self.take(f"{name}[{k!r}]", x[k], settings) for k in keys]
            if isinstance(x, dict):
                return lambda holes: {k: p(holes) for k, p in zip(keys, parts, strict=True)}
            if hasattr(x, "_fields"):
                return lambda holes: type(x)(*(p(holes) for p in parts))
            return lambda holes: type(x)(p(holes) for p in parts)
        if not _moved(x, settings):
            return lambda holes: x
        data = x.data if isinstance(x, Node) else x
        if np.asarray(data).dtype.kind == "c":
            raise TypeError(f"{name} is complex: derivatives by complex numbers are not checked here. Split it into two.")
        number = isinstance(x, Value) or (not isinstance(x, Node) and np.ndim(x) == 0 and not isinstance(x, np.ndarray))
        given = np.asarray(data).dtype
        label = x.name if isinstance(x, Node) and x.name else name
        place = self.add(Entry(label, np.array(data, np.float64), given, number))
        return lambda holes: holes[place]

    def add(self, entry: Entry) -> int:
        taken = {e.name for e in self.entries}
        while entry.name in taken:
            entry.name += "'"
        self.entries.append(entry)
        return len(self.entries) - 1


def _flat(out: Any) -> Iterator[Any]:
    """The results in order, out of however they are packed."""
    if isinstance(out, list | tuple):
        for x in out:
            yield from _flat(x)
    elif isinstance(out, dict):
        for x in out.values():
            yield from _flat(x)
    elif out is not None:
        yield out


class Graph(Subject):
    """A function of nodes, or a Module, with the arguments it is called with."""

    def __init__(self, f: Any, inputs: Sequence[Any], keywords: dict[str, Any]) -> None:
        self.name = called_by(f)
        slots, memo = _Slots(lambda e, a: None), {}  # type: ignore[var-annotated]
        self._parameters: list[tuple[int, Node]] = []

        def own(x: Any, prefix: str = "") -> Any:
            """A module of our own in float64, the parameters of which are entries."""
            first = id(x) not in memo
            twin = copy.deepcopy(x, memo)
            if first:
                for path, p in twin.named_parameters():
                    entry = Entry(prefix + path, np.array(p.data, np.float64), np.asarray(p.data).dtype, isinstance(p, Value))
                    self._parameters.append((slots.add(entry), p))
            return twin

        names = _parameter_names(f, len(inputs))
        if isinstance(f, Module):
            f = own(f)
        self._f = f
        self._fill = [
            (lambda holes, twin=own(x, f"{n}."): twin) if isinstance(x, Module) else slots.take(n, x)
            for n, x in zip(names, inputs, strict=True)
        ]
        self._keywords = {
            k: (lambda holes, twin=own(x, f"{k}."): twin) if isinstance(x, Module) else slots.take(k, x, settings=True)
            for k, x in keywords.items()
        }
        self.entries = slots.entries
        if not self.entries:
            raise TypeError(
                f"there is nothing to move in what {self.name} is given: pass floats, arrays of floats, Values, Tensors "
                "or Modules. Integers are taken for labels, indices or settings."
            )

    def _call(self, arrays: Sequence[Array], track: bool = True) -> tuple[list[Any], list[Node]]:
        """The results, and the leaf of every entry."""
        leaves: list[Any] = [
            Value(float(a), e.name) if e.number else Tensor(a, requires_grad=True, name=e.name)
            for e, a in zip(self.entries, arrays, strict=True)
        ]
        for place, p in self._parameters:
            a = arrays[place]
            p._data = float(a) if isinstance(p, Value) else np.array(a)
            p.written()
            leaves[place] = p
        out = self._f(*(fill(leaves) for fill in self._fill), **{k: fill(leaves) for k, fill in self._keywords.items()})
        return list(_flat(out)), leaves

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        return [np.asarray(o.data if isinstance(o, Node) else o) for o in self._call(arrays)[0]]

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        outs, leaves = self._call(arrays)
        before = [np.array(leaf.data) for leaf in leaves]
        found = self._slopes(outs, leaves, seeds)
        for e, leaf, was in zip(self.entries, leaves, before, strict=True):
            if not np.array_equal(leaf.data, was, equal_nan=True):
                raise Contract(f"{self.name} changes its input {e.name} in place: work on a copy, or it counts twice.")
        return found

    @staticmethod
    def _slopes(outs: list[Any], leaves: list[Node], seeds: Sequence[Array]) -> list[Any]:
        total: dict[Node, Any] = {}
        for out, seed in zip(outs, seeds, strict=True):
            if isinstance(out, Node) and out.requires_grad:
                found = gradients(out, float(seed) if isinstance(out, Value) else seed.astype(out.dtype))
                for leaf in leaves:
                    if leaf in found:
                        total[leaf] = total[leaf] + found[leaf] if leaf in total else found[leaf]
        return [total.get(leaf) for leaf in leaves]

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        return self._call(arrays)

    def lost(self) -> list[int]:
        """Which results are no nodes, or not tracked: nothing flows back from them."""
        return [i for i, o in enumerate(self._call(self.arrays)[0]) if not (isinstance(o, Node) and o.requires_grad)]


class Slopes(Subject):
    """The gradient of another subject as a function of its inputs: what an order above the first checks."""

    def __init__(self, subject: Graph | Slopes, seeds: Sequence[Array]) -> None:
        self.name, self.entries = f"the derivative of {subject.name}", subject.entries
        self._subject, self._seeds = subject, seeds

    def _call(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]]:
        outs, leaves = self._subject._call(arrays)
        total: dict[Node, Any] = {}
        for out, seed in zip(outs, self._seeds, strict=True):
            if isinstance(out, Node) and out.requires_grad:
                found = gradients(out, float(seed) if isinstance(out, Value) else seed.astype(out.dtype), create_graph=True)
                for leaf in leaves:
                    if leaf in found:
                        total[leaf] = total[leaf] + found[leaf] if leaf in total else found[leaf]
        return [total[leaf] for leaf in leaves if leaf in total], leaves

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        return [np.asarray(o.data if isinstance(o, Node) else o) for o in self._call(arrays)[0]]

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        outs, leaves = self._call(arrays)
        return Graph._slopes(outs, leaves, seeds)

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        return self._call(arrays)


class Pair(Subject):
    """A forward and a backward pass on plain arrays."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[Any],
        keywords: dict[str, Any], cache: bool | None = None,
    ) -> None:  # fmt: skip
        self.name = called_by(forward)
        self.backward_name = called_by(backward) if called_by(backward) != "f" else "backward"
        slots = _Slots(lambda e, a: a)
        names = _parameter_names(forward, len(inputs))
        self._count: list[int] = []  # how many entries each input holds
        self._fill = []
        for n, x in zip(names, inputs, strict=True):
            before = len(slots.entries)
            self._fill.append(slots.take(n, _plain(x)))
            self._count.append(len(slots.entries) - before)
        self._names = names
        self.entries = slots.entries
        if not self.entries:
            raise TypeError(
                f"there is nothing to move in what {self.name} is given: pass floats or arrays of floats. Integers are "
                "taken for labels or settings."
            )
        self._forward, self._backward, self._keywords = forward, backward, keywords
        self._cache = self._has_cache(cache)
        self._backward_keywords = {} if self._cache else _accepted(backward, keywords)

    def _arguments(self, arrays: Sequence[Array], dtype: bool = False) -> list[Any]:
        """The arguments with copies of `arrays` in them, in the types that were given with `dtype`."""
        holes = [
            (a.item() if e.given == np.float64 else e.given.type(a.item())) if e.number and a.dtype.kind == "f"
            else a.item() if e.number else a.astype(e.given) if dtype else np.array(a)
            for e, a in zip(self.entries, arrays, strict=True)
        ]  # fmt: skip
        return [fill(holes) for fill in self._fill]

    def _has_cache(self, wanted: bool | None) -> bool:
        """Whether forward gives (out, cache), and backward takes the two arguments (grad_output, cache)."""
        if wanted is not None:
            return wanted
        try:
            parameters = inspect.signature(self._backward).parameters.values()
        except (TypeError, ValueError):
            return False
        fixed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        needed = [p for p in fixed if p.default is p.empty]
        if any(p.kind == p.VAR_POSITIONAL for p in parameters) or not len(needed) <= 2 <= len(fixed):
            return False
        out = self._forward(*self._arguments(self.arrays), **self._keywords)
        if not isinstance(out, tuple) or len(out) != 2:
            return False
        own = _parameter_names(self._forward, 1)[0]
        return len(self._fill) != 1 or not isinstance(out[1], np.ndarray | float) or needed[-1].name != own

    def _run(self, arguments: list[Any]) -> tuple[list[Any], Any, Any]:
        out, cache = self._forward(*arguments, **self._keywords), None
        if self._cache:
            if not isinstance(out, tuple) or len(out) != 2:
                raise Contract(f"{self.name} returns {_kind(out)}, and with a cache it has to return (out, cache).")
            out, cache = out
        return list(_flat(out)), cache, out

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        return [np.asarray(o) for o in self._run(self._arguments(arrays))[0]]

    def complex_outputs(self, arrays: Sequence[Array]) -> list[Array] | None:
        """The results for complex numbers, where the code takes them."""
        with np.errstate(all="ignore"):
            outs = [np.asarray(o) for o in self._run(self._arguments(arrays))[0]]
        return outs if all(o.dtype.kind == "c" for o in outs) else None

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array], dtype: bool = False) -> list[Any]:
        arguments = self._arguments(arrays, dtype)
        kept = copy.deepcopy(arguments)
        outs, cache, packed = self._run(arguments)
        self._unchanged(arguments, kept, self.name)
        seeds = [s.reshape(np.shape(o)).astype(np.asarray(o).dtype) for s, o in zip(seeds, outs, strict=True)]
        shown = [s if isinstance(o, np.ndarray) else s.item() for s, o in zip(seeds, outs, strict=True)]
        g: Any = tuple(np.array(s) if isinstance(s, np.ndarray) else s for s in shown)
        if not isinstance(packed, list | tuple | dict):
            g = g[0]
        if self._cache:
            found = self._backward(g, cache)
        else:
            found = self._backward(g, *arguments, **self._backward_keywords)
        self._unchanged(arguments, kept, self.backward_name)
        for s, was in zip(g if isinstance(g, tuple) else [g], seeds, strict=True):
            if not np.array_equal(s, was, equal_nan=True):
                raise Contract(f"{self.backward_name} changes the gradient that comes in, in place: work on a copy of it.")
        return self._sorted(found)

    def _unchanged(self, arguments: list[Any], kept: list[Any], who: str) -> None:
        for name, a, was in zip(self._names, arguments, kept, strict=True):
            for x, y in zip(_flat(a), _flat(was), strict=True):
                if isinstance(x, np.ndarray) and not np.array_equal(x, y, equal_nan=x.dtype.kind in "fc"):
                    raise Contract(f"{who} changes its input {name} in place: work on a copy of it.")

    def _sorted(self, found: Any) -> list[Any]:
        """What backward returned, one for each entry."""
        wanted = [i for i, n in enumerate(self._count) if n]
        names = [e.name for e in self.entries]
        if isinstance(found, dict):
            unknown = [k for k in found if k not in self._names and k not in names]
            lookup = {**found, **{k.removeprefix("d"): v for k, v in found.items() if k in unknown}}
            found = tuple(lookup.get(n) for n in self._names)
        if isinstance(found, np.ndarray | float | int | np.generic) or found is None:
            found = (found,)
        elif len(self._fill) == 1 and len(found) != 1:
            found = (found,)
        found = list(found)
        if len(found) == len(self._fill):
            found = [found[i] for i in wanted]
        if len(found) != len(wanted):
            raise Contract(
                f"{self.backward_name} returns {len(found)} gradient{'s' * (len(found) != 1)}, and {self.name} has "
                f"{len(wanted)} input{'s' * (len(wanted) != 1)} to move ({', '.join(self._names[i] for i in wanted)}): "
                "return one for each, in their order."
            )
        flat: list[Any] = []
        for i, g in zip(wanted, found, strict=True):
            parts = [g] if self._count[i] == 1 and not isinstance(g, list | tuple | dict) else list(_flat_with_none(g))
            if len(parts) != self._count[i]:
                raise Contract(
                    f"{self.backward_name} returns {len(parts)} gradients for {self._names[i]}, which holds "
                    f"{self._count[i]} arrays: return the same structure."
                )
            flat += parts
        return flat

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        """The forward pass once more, on our own nodes: NumPy's functions work on them too."""
        leaves: list[Any] = [
            Value(float(a), e.name) if e.number else Tensor(a, requires_grad=True, name=e.name)
            for e, a in zip(self.entries, arrays, strict=True)
        ]
        try:
            outs = self._run([fill(leaves) for fill in self._fill])[0]
        except Exception:  # not everything that NumPy can do has a rule: then there is no graph
            return None
        return (outs, leaves) if any(isinstance(o, Node) and o.requires_grad for o in outs) else None


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Node) else x


def _kind(x: Any) -> str:
    return f"{len(x)} values" if isinstance(x, tuple) else f"one {type(x).__name__}"


def _accepted(f: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    """Those of the keywords that `f` takes."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return keywords
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return keywords
    return {k: v for k, v in keywords.items() if k in {p.name for p in parameters}}


def _flat_with_none(g: Any) -> Iterator[Any]:
    if isinstance(g, list | tuple):
        for x in g:
            yield from _flat_with_none(x)
    elif isinstance(g, dict):
        for x in g.values():
            yield from _flat_with_none(x)
    else:
        yield g


def joined(outs: Sequence[Any], seeds: Sequence[Array]) -> tuple[Node, Any] | None:
    """Several results as one node, and what comes in there; None where nothing is tracked."""
    pairs = [(o, s) for o, s in zip(outs, seeds, strict=True) if isinstance(o, Node) and o.requires_grad]
    if not pairs:
        return None
    if len(pairs) == 1:
        out, seed = pairs[0]
        return out, float(seed) if isinstance(out, Value) else seed
    root = F.concatenate([F.reshape(o, (-1,)) if o.shape else F.stack([o]) for o, _ in pairs])
    return root, np.concatenate([np.ravel(s) for _, s in pairs])
