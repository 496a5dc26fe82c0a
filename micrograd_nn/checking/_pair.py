"""A forward and a backward pass on plain arrays, in whichever of the usual ways they are written."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from micrograd_nn.checking._arguments import (
    Contract,
    Slots,
    argument_names,
    called_by,
    flat,
    is_moved,
    kind_of,
    nothing_to_move,
    positional,
)  # fmt: skip
from micrograd_nn.checking._evidence import listed
from micrograd_nn.checking._subject import Subject
from micrograd_nn.graph import Node
from micrograd_nn.modes import enable_grad
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["Pair"]

Array = np.ndarray[Any, Any]


class Pair(Subject):
    """A forward and a backward pass on plain arrays."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[Any],
        keywords: dict[str, Any], cache: bool | None = None,
    ) -> None:  # fmt: skip
        self.name = called_by(forward)
        self.backward_name = called_by(backward) if called_by(backward) != "f" else "backward"
        slots = Slots()
        self._names = argument_names(forward, len(inputs))
        self._parts = [slots.take(n, x) for n, x in zip(self._names, inputs, strict=True)]
        self.entries = slots.entries
        if not any(e.array.size for e in self.entries):
            raise nothing_to_move(self.name, "floats or arrays of floats")
        self._forward, self._backward, self._keywords = forward, backward, keywords
        self._style = self._styled(cache)
        self._backward_keywords = _accepted(backward, keywords)
        unmoved = [k for k, x in keywords.items() if isinstance(x, np.ndarray | Node) and is_moved(x, True)]
        if unmoved:
            them = f"{listed(unmoved)} came by keyword and {'is' if len(unmoved) == 1 else 'are'} not moved"
            self.notes = (f"{them}: gradients are checked of the inputs that are given by place.",)

    def _arguments(self, arrays: Sequence[Array], dtype: bool = False) -> list[Any]:
        """The arguments with copies of `arrays` in them, in the types that were given with `dtype`."""
        holes: list[Any] = [
            np.array(a, e.given if dtype else a.dtype) if not e.number
            else a.item() if e.kind is float or a.dtype.kind == "c" else (e.kind if dtype else np.float64)(a.item())
            for e, a in zip(self.entries, arrays, strict=True)
        ]  # fmt: skip
        return [p.fill(holes) for p in self._parts]

    def _styled(self, cache: bool | None) -> str:
        """What backward takes beside grad_output: the "inputs", the "cache", or "nothing"."""
        if cache is not None:
            return "cache" if cache else "inputs"
        fixed, any_number = positional(self._backward) or ([], True)
        needed = [p for p in fixed if p.default is p.empty]
        if not any_number and len(fixed) == 1:
            self.hints = (f"{self.backward_name} takes one argument: it was called with the gradient that comes in.",)
            return "nothing"  # what it needs is kept somewhere, as a layer's `forward` does in `self`
        if any_number or not len(needed) <= 2 <= len(fixed):
            return "inputs"
        with np.errstate(all="ignore"):
            given = self._arguments(self.arrays)
            out = self._forward(*given, **self._keywords)
        if not isinstance(out, tuple) or len(out) != 2:
            return "inputs"
        if any(out[1] is x for x in given):  # `return out, x`
            return "cache"
        own = argument_names(self._forward, 1)[0]
        if len(self._parts) > 1 or not isinstance(out[1], np.ndarray | float) or fixed[1].name != own:
            return "cache"
        self.hints = (f"{self.name} returns two things: taken for two results. If one is a cache, say cache=True.",)
        return "inputs"

    def _run(self, arguments: list[Any]) -> tuple[list[Any], Any, Any]:
        out, cache = self._forward(*arguments, **self._keywords), None
        if self._style == "cache":
            if not isinstance(out, tuple) or len(out) != 2:
                raise TypeError(f"{self.name} returns {kind_of(out)}, and with a cache it has to return (out, cache).")
            out, cache = out
        return list(flat(out)), cache, out

    def outputs(self, arrays: Sequence[Array]) -> list[Array]:
        return self._numbers(self._run(self._arguments(arrays))[0])

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
        shown = [np.array(s) if isinstance(o, np.ndarray) else s.item() for s, o in zip(seeds, outs, strict=True)]
        g: Any = tuple(shown) if isinstance(packed, list | tuple | dict) else shown[0]
        given = {"cache": (cache,), "inputs": arguments, "nothing": ()}[self._style]
        try:
            found = self._backward(g, *given, **self._backward_keywords)
        except Exception as error:
            names = {"cache": ["cache"], "inputs": self._names, "nothing": []}[self._style]
            these = ", ".join(f"{n}: {kind_of(x)}" for n, x in zip(["grad_output", *names], [g, *given], strict=True))
            error.add_note(f"gradcheck called {self.backward_name}({', '.join(['grad_output', *names])}) with {these}.")
            raise
        self._unchanged(arguments, kept, self.backward_name)
        if any(not np.array_equal(s, was, equal_nan=True) for s, was in zip(shown, seeds, strict=True)):
            raise Contract(f"{self.backward_name} changes the gradient that comes in, in place: work on a copy of it.")
        return self._sorted(found)

    def _unchanged(self, arguments: list[Any], kept: list[Any], who: str) -> None:
        for name, a, was in zip(self._names, arguments, kept, strict=True):
            for x, y in zip(flat(a), flat(was), strict=True):
                if isinstance(x, np.ndarray) and not np.array_equal(x, y, equal_nan=x.dtype.kind in "fc"):
                    raise Contract(f"{who} changes its input {name} in place: work on a copy of it.")

    def _sorted(self, found: Any) -> list[Any]:
        """What backward returned, one for each entry."""
        moved = [i for i, p in enumerate(self._parts) if p.count]
        alone = self._parts[moved[0]] if len(moved) == 1 else None
        if found is None:
            raise Contract(f"{self.backward_name} returns None: does it end in a return statement?")
        if alone is not None and alone.fits(found):
            found = [found]
        elif isinstance(found, dict):
            found = self._by_name(found)
        given = list(found) if isinstance(found, list | tuple) else [found]
        if len(given) == len(self._parts):
            given = [given[i] for i in moved]
        if len(given) != len(moved):
            came = kind_of(found) if isinstance(found, list | tuple) else f"one gradient ({kind_of(found)})"
            wanted = f"{len(moved)} input{'s' * (len(moved) != 1)} to move ({', '.join(self._names[i] for i in moved)})"
            raise Contract(
                f"{self.backward_name} returns {came}, and {self.name} has {wanted}: return one gradient for each, in "
                "their order."
            )
        flat: list[Any] = [None] * len(self.entries)
        for i, g in zip(moved, given, strict=True):
            self._parts[i].sort(g, flat, self.backward_name)
        return flat

    def _by_name(self, found: dict[Any, Any]) -> list[Any]:
        """Gradients that came as a dict, in the order of the inputs: that of `w` is called "w", "dw" or "grad_w"."""
        known = {key: n for n in self._names for key in (f"grad_{n}", f"d{n}", n)}
        for key in found:
            if key not in known:
                raise Contract(
                    f"{self.backward_name} returns a gradient called {key!r}, and the inputs of {self.name} are "
                    f"{', '.join(self._names)}: call it {self._names[0]!r} or {'d' + self._names[0]!r}, and so on."
                )
        named = {known[key]: g for key, g in found.items()}
        return [named.get(n) for n in self._names]

    def graph(self, arrays: Sequence[Array]) -> tuple[list[Any], list[Node]] | None:
        """The forward pass once more, on our own nodes: NumPy's functions work on them too."""
        leaves: list[Any] = [
            Value(float(a), e.name) if e.number else Tensor(a, requires_grad=True, name=e.name)
            for e, a in zip(self.entries, arrays, strict=True)
        ]
        try:
            with enable_grad():
                outs = self._run([p.fill(leaves) for p in self._parts])[0]
        except Exception:  # not everything that NumPy can do has a rule: then there is no graph
            return None
        return (outs, leaves) if any(isinstance(o, Node) and o.requires_grad for o in outs) else None


def _accepted(f: Any, keywords: dict[str, Any]) -> dict[str, Any]:
    """Those of the keywords that `f` takes."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return keywords
    if any(p.kind == p.VAR_KEYWORD for p in parameters):
        return keywords
    return {k: v for k, v in keywords.items() if k in {p.name for p in parameters}}
