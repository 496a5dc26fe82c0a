"""What is checked: code that has a value and a backward pass, with every number it may be moved by in one list.

`Graph` is a function of our nodes or a Module, `Slopes` its gradient; `Pair`, in `_pair`, a forward and a backward pass
on plain arrays. All work on copies in float64: what the user gave is never touched.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import MethodType
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.checking._arguments import (
    Contract,
    Entry,
    Slots,
    argument_names,
    called_by,
    flat,
    kind_of,
    nothing_to_move,
)  # fmt: skip
from micrograd_nn.checking._evidence import listed
from micrograd_nn.graph import Node, gradients
from micrograd_nn.modes import enable_grad
from micrograd_nn.nn import Module
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["OUTSIDE", "Contract", "Entry", "Graph", "Slopes", "Subject", "called_by", "joined"]

Array = np.ndarray[Any, Any]
OUTSIDE = (ArithmeticError, ValueError)  # what code raises where it is not defined


class Subject:
    """Code to check. `entries` is what it can be moved by; arrays go in and out in that order."""

    name = "f"
    entries: list[Entry]
    notes: tuple[str, ...] = ()  # what a report should say of the way it was called,
    hints: tuple[str, ...] = ()  # and what else, where all is not well

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        """The results of the code, as arrays."""
        raise NotImplementedError

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        """What the backward pass returns for each entry, when `seeds` come in at the results; None for nothing."""
        raise NotImplementedError

    def complex_outputs(self, arrays: Sequence[Array]) -> list[Array] | None:
        """The results for complex numbers, where the code takes them."""
        return None

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        """The results as nodes of our own engine, and the leaves for the entries; None where that cannot be had."""
        return None

    def lost(self) -> str:
        """How the results came to be out of the graph, where that is why nothing flows back; empty otherwise."""
        return ""

    @property
    def arrays(self) -> list[Array]:
        return [e.array for e in self.entries]

    def _numbers(self, outs: Sequence[Any]) -> list[Array]:
        """Results as arrays of numbers. TypeError for what is none; ValueError for complex ones: (-1.0) ** 0.5 is."""
        arrays = [np.asarray(o.data if isinstance(o, Node) else o) for o in outs]
        for o, a in zip(outs, arrays, strict=True):
            if a.dtype.kind == "c":
                raise ValueError(f"a result of {self.name} is {kind_of(o)}: give its .real and .imag apart.")
            if a.dtype.kind not in "fiub":
                raise TypeError(f"a result of {self.name} is {kind_of(o)}, not a number or an array of numbers.")
        if not outs:
            raise TypeError(f"{self.name} gives nothing: does it end in a return statement?")
        if not any(a.dtype.kind == "f" and a.size for a in arrays):
            given = " and ".join(map(kind_of, outs))
            raise TypeError(f"{self.name} gives {given}: there are no real numbers in it to take the derivative of.")
        return arrays


class Graph(Subject):
    """A function of nodes, or a Module, with the arguments it is called with."""

    def __init__(self, f: Any, inputs: Sequence[Any], keywords: dict[str, Any]) -> None:
        self.name = called_by(f)
        memo: dict[int, Any] = {}
        self._parameters: list[tuple[int, Node]] = []
        self._strays: dict[Node, None] = {}

        def own(x: Module, prefix: str = "") -> Module:
            """A module of our own, the parameters of which are entries; the same one for the same module."""
            first = id(x) not in memo
            try:
                twin: Module = copy.deepcopy(x, memo)
            except Exception as error:
                error.add_note(f"gradcheck works on a copy of {called_by(x)}, and copy.deepcopy could not make one.")
                raise
            if first:
                for path, p in twin.named_parameters():
                    if all(p is not known for _, known in self._parameters):
                        self._parameters.append((slots.add(prefix + path, p.data, isinstance(p, Value)), p))
            return twin

        slots = Slots(own)
        names = argument_names(f, len(inputs))
        if isinstance(f, Module):
            f = own(f)
        elif isinstance(f, MethodType) and isinstance(f.__self__, Module):
            f = MethodType(f.__func__, own(f.__self__))
        self._f = f
        self._parts = [slots.take(n, x) for n, x in zip(names, inputs, strict=True)]
        self._keywords = {k: slots.take(k, x, settings=True) for k, x in keywords.items()}
        self.entries = slots.entries
        if not any(e.array.size for e in self.entries):
            raise nothing_to_move(self.name, "floats, arrays of floats, Values, Tensors or Modules")

    def _call(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]]:
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
        with enable_grad():
            keywords = {k: p.fill(leaves) for k, p in self._keywords.items()}
            out = self._f(*(p.fill(leaves) for p in self._parts), **keywords)
        return list(flat(out)), leaves

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        return self._numbers(self._call(arrays)[0])

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        outs, leaves = self._call(arrays)
        self._unchanged(leaves, arrays, self.name)
        newest = max(abs(leaf.stamp) for leaf in leaves)
        found, met = swept(self.name, outs, leaves, seeds)
        known = set(leaves)
        self._strays |= {n: None for n in met if n.op is None and n.stamp < newest and n not in known}
        self._unchanged(leaves, arrays, "the backward pass")
        return found

    def _unchanged(self, leaves: Sequence[Node], arrays: Sequence[Array], who: str) -> None:
        for e, leaf, was in zip(self.entries, leaves, arrays, strict=True):
            if not np.array_equal(leaf.data, was, equal_nan=True):
                raise Contract(f"{who} changes its input {e.name} in place: work on a copy of it.")

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        if not self._strays:
            return ()
        found = listed([n.label for n in sorted(self._strays, key=lambda n: n.stamp)])
        return (
            f"{self.name} also depends on {found}, which it was not given: not checked. Pass it, or the Module it "
            "belongs to, as an input.",
        )

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        return self._call(arrays)

    def lost(self) -> str:
        outs, lost = _untracked(self)
        if not lost:
            return ""
        kinds = dict.fromkeys(
            f"untracked {o.kind}" if isinstance(o, Node) else f"plain {type(o).__name__}" for o in lost
        )
        which = "the result" if len(outs) == 1 else "a result" if len(lost) == 1 else f"{len(lost)} results"
        article = "" if len(lost) > 1 else "an " if isinstance(lost[0], Node) else "a "
        return (
            f"{which} of {self.name} came back as {article}{listed(list(kinds))}: the computation left the graph, and "
            "nothing flows back. Compute with the nodes themselves, as in np.exp(x) or x.sum(), without .data, "
            ".numpy(), .item(), .detach() or no_grad()."
        )


def _untracked(subject: Graph | Slopes) -> tuple[list[Any], list[Any]]:
    """The results, and those that depend on the inputs while nothing flows back from them."""
    outs = subject._call(subject.arrays)[0]
    try:
        moved = subject.outputs([a + 1e-3 * (1 + np.abs(a)) for a in subject.arrays])
    except OUTSIDE:
        return outs, []
    here = [np.asarray(o.data if isinstance(o, Node) else o) for o in outs]
    change = [not np.array_equal(a, b) for a, b in zip(here, moved, strict=False)]
    return outs, [o for o, c in zip(outs, change, strict=False) if c and not (isinstance(o, Node) and o.requires_grad)]


def swept(
    name: str, outs: Sequence[Any], leaves: Sequence[Any], seeds: Sequence[Array], create_graph: bool = False
) -> tuple[list[Any], dict[Node, None]]:
    """What flows back from the results to each leaf, None where nothing does; and every node it went through."""
    total: dict[Node, Any] = {}
    met: dict[Node, None] = {}
    for out, seed in zip(outs, seeds, strict=True):
        if not isinstance(out, Node) or not out.requires_grad:
            continue
        try:
            found = gradients(out, float(seed) if isinstance(out, Value) else seed.astype(out.data.dtype), create_graph)
        except Exception as error:
            again = ", differentiated in its turn," if create_graph else ""
            why = " ".join([f"{str(error).rstrip('.')}.", *getattr(error, "__notes__", ())])
            raise Contract(f"the backward pass of {name}{again} raises {type(error).__name__}: {why}") from error
        met |= dict.fromkeys(found)
        for leaf in leaves:
            if leaf in found:
                total[leaf] = total[leaf] + found[leaf] if leaf in total else found[leaf]
    return [total.get(leaf) for leaf in leaves], met


class Slopes(Subject):
    """The gradient of another subject as a function of its inputs: what an order above the first checks."""

    def __init__(self, subject: Graph | Slopes, seeds: Sequence[Array]) -> None:
        self.name, self.entries = f"the derivative of {subject.name}", subject.entries
        self._subject, self._seeds = subject, seeds

    def _call(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]]:
        outs, leaves = self._subject._call(arrays)
        found, _ = swept(self._subject.name, outs, leaves, self._seeds, create_graph=True)
        return [g for g in found if g is not None], leaves

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        """Empty where no input is left that anything depends on."""
        return [np.asarray(g.data) for g in self._call(arrays)[0]]

    def lost(self) -> str:
        if not _untracked(self)[1]:
            return ""
        return (
            f"{self.name} left the graph: a rule on the way computes with plain arrays (.data, .numpy(), NumPy on "
            "them) in place of the nodes it is given, so what it gives cannot be differentiated again."
        )

    def pull(self, arrays: Sequence[Array], seeds: Sequence[Array]) -> list[Any]:
        outs, leaves = self._call(arrays)
        return swept(self.name, outs, leaves, seeds)[0]

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        return self._call(arrays)


def joined(outs: Sequence[Any], seeds: Sequence[Array]) -> tuple[Node, Any] | None:
    """Several results as one node, and what comes in there; None where nothing is tracked."""
    pairs = [(o, s) for o, s in zip(outs, seeds, strict=True) if isinstance(o, Node) and o.requires_grad]
    if not pairs:
        return None
    if len(pairs) == 1:
        out, seed = pairs[0]
        return out, float(seed) if isinstance(out, Value) else seed
    root = F.concatenate([F.reshape(o, (-1,)) if np.shape(o.data) else F.stack([o]) for o, _ in pairs])
    return root, np.concatenate([np.ravel(s) for _, s in pairs])
