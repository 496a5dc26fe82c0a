"""The arguments of a call with the numbers in them taken out, so that others can be put in."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.nn import Module
from micrograd_nn.op import Op
from micrograd_nn.value import Value

__all__ = [
    "Argument", "Contract", "Entry", "Slots", "argument_names", "called_by", "flat", "is_moved", "keyword_names",
    "kind_of", "nothing_to_move", "positional",
]  # fmt: skip

Array = np.ndarray[Any, Any]


class Contract(Exception):
    """A promise that the code breaks, before any number can be compared."""


@dataclass
class Entry:
    """One array of numbers to move: its name, its values in float64, and the type it was given in."""

    name: str
    array: Array
    given: np.dtype[Any]
    number: bool  # a single number rather than an array
    kind: type = float  # of a number: float, or NumPy's


class Argument:
    """An argument that stays as it is: a setting, labels, an index, a random generator, a module."""

    count = 0

    def __init__(self, x: Any) -> None:
        self.x = x

    def fill(self, holes: Sequence[Any]) -> Any:
        """The argument with `holes` in it."""
        return copy.deepcopy(self.x) if isinstance(self.x, np.ndarray | np.random.Generator) else self.x

    def fits(self, g: Any) -> bool:
        """Whether `g` is gradients for this argument as it stands, not in a tuple with those of others."""
        return g is None

    def sort(self, g: Any, found: list[Any], who: str) -> None:
        """Put what came back for this argument where it belongs in `found`."""


class _Hole(Argument):
    """An argument that is moved: entry number `x`."""

    count = 1

    def __init__(self, place: int, entry: Entry) -> None:
        self.x, self.entry = place, entry

    def fill(self, holes: Sequence[Any]) -> Any:
        return holes[self.x]

    def fits(self, g: Any) -> bool:
        numbers = isinstance(g, list) and len(g) == len(self.entry.array) if self.entry.array.ndim else False
        return not isinstance(g, list | tuple | dict) or (numbers and not isinstance(g[0] if g else 0, np.ndarray))

    def sort(self, g: Any, found: list[Any], who: str) -> None:
        found[self.x] = g


class _Packed(Argument):
    """A list, tuple or dict of arguments, some of which are moved."""

    def __init__(self, x: Any, name: str, parts: dict[Any, Argument]) -> None:
        self.x, self.name, self.parts, self.count = x, name, parts, sum(p.count for p in parts.values())

    def fill(self, holes: Sequence[Any]) -> Any:
        filled = {k: p.fill(holes) for k, p in self.parts.items()}
        if isinstance(self.x, dict):
            twin = copy.copy(self.x)
            twin.update(filled)
            return twin
        return type(self.x)(*filled.values()) if hasattr(self.x, "_fields") else type(self.x)(filled.values())

    def fits(self, g: Any) -> bool:
        if isinstance(self.x, dict):
            return isinstance(g, dict) and set(g) <= set(self.parts)
        return isinstance(g, list | tuple) and len(g) == len(self.parts)

    def sort(self, g: Any, found: list[Any], who: str) -> None:
        if g is None:
            return
        if not self.fits(g):
            own = kind_of(self.x) + (f" ({', '.join(map(repr, self.parts))})" if isinstance(self.x, dict) else "")
            raise Contract(f"{who} returns {kind_of(g)} for {self.name}, which is {own}: return the same structure.")
        for k, p in self.parts.items():
            p.sort(g.get(k) if isinstance(g, dict) else g[k], found, who)


class Slots:
    """Arguments with holes: the numbers in them are taken out, and others can be put in."""

    def __init__(self, own: Callable[[Module, str], Module] | None = None) -> None:
        self.entries: list[Entry] = []
        self.own = own

    def take(self, name: str, x: Any, settings: bool = False) -> Argument:
        """Take the numbers out of the argument `x`, and the parameters out of modules."""
        if isinstance(x, list | tuple | dict):
            keys = list(x) if isinstance(x, dict) else range(len(x))
            return _Packed(x, name, {k: self.take(f"{name}[{k!r}]", x[k], settings) for k in keys})
        if isinstance(x, Module) and self.own is not None:
            return Argument(self.own(x, f"{name}."))
        if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
            raise TypeError(f"{name} is complex: derivatives are checked by real numbers. Pass .real and .imag apart.")
        if not is_moved(x, settings):
            return Argument(x)
        number = isinstance(x, Value | float | np.generic)
        label = x.name if isinstance(x, Node) and x.name else name
        place = self.add(
            label, x.data if isinstance(x, Node) else x, number, type(x) if isinstance(x, np.generic) else float
        )
        return _Hole(place, self.entries[place])

    def add(self, name: str, data: Any, number: bool, kind: type = float) -> int:
        """A new entry, under a name of its own; gives its place."""
        taken = {e.name for e in self.entries}
        while name in taken:
            name += "'"
        self.entries.append(Entry(name, np.array(data, np.float64), np.asarray(data).dtype, number, kind))
        return len(self.entries) - 1


def called_by(f: Any) -> str:
    """What to call a function in messages."""
    if isinstance(f, Module):
        return repr(f) if len(repr(f)) <= 60 else f"{type(f).__name__}(...)"
    if isinstance(f, partial):
        return called_by(f.func)
    name = getattr(f, "__name__", type(f).__name__)
    return "f" if name == "<lambda>" else str(name)


def positional(f: Any) -> tuple[list[inspect.Parameter], bool] | None:
    """The parameters of `f` that are given by place, and whether it takes any number; None where nobody knows."""
    if isinstance(f, Op):
        return None
    try:
        parameters = inspect.signature(f.forward if isinstance(f, Module) else f).parameters.values()
    except (TypeError, ValueError):
        return None
    fixed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return fixed, any(p.kind == p.VAR_POSITIONAL for p in parameters)


def argument_names(f: Any, count: int) -> list[str]:
    """The names of the first `count` arguments of `f`."""
    fixed, _ = positional(f) or ([], True)
    spare = ["x"] if count == 1 else [f"x{i}" for i in range(count)]
    names = [p.name for p in fixed[:count]]
    return names + spare[len(names) :]


def keyword_names(f: Any, count: int) -> list[str]:
    """The names of arguments of `f` that are left to give by keyword, after `count` by place."""
    try:
        parameters = inspect.signature(f.forward if isinstance(f, Module) else f).parameters.values()
    except (TypeError, ValueError):
        return []
    if isinstance(f, np.ufunc):
        return []  # what they all take is not for derivatives
    fixed = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    settled = f.keywords if isinstance(f, partial) else {}
    return [n for n in (*fixed[count:], *(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)) if n not in settled]


def is_moved(x: Any, settings: bool) -> bool:
    """Whether `x` is numbers to move, rather than a setting, a label or an index."""
    if isinstance(x, Node):
        return True
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind == "f"
    return isinstance(x, float) and not settings


def flat(out: Any) -> Iterator[Any]:
    """The results in order, out of however they are packed."""
    if isinstance(out, list | tuple):
        for x in out:
            yield from flat(x)
    elif isinstance(out, dict):
        for x in out.values():
            yield from flat(x)
    elif out is not None:
        yield out


def nothing_to_move(name: str, kinds: str) -> TypeError:
    """The error for a call without anything to move."""
    return TypeError(
        f"there is nothing to move in what {name} is given: pass {kinds}. Whole numbers stay as they are: write 3.0 "
        "for 3."
    )


def kind_of(x: Any) -> str:
    """What kind of thing this is, for messages.

    >>> kind_of([1, 2]), kind_of(3), kind_of(np.ones((2, 3)))
    ('a list of 2', 'an int', 'float64 of shape (2, 3)')
    """
    if x is None:
        return "None"
    data = x.data if isinstance(x, Node) else x
    if isinstance(data, np.ndarray) and data.ndim:
        return f"{data.dtype} of shape {data.shape}"
    name = type(x).__name__
    said = f"a{'n' * (name[0] in 'aeiouAEIOU')} {name}"
    return f"{said} of {len(x)}" if isinstance(x, list | tuple | dict) else said
