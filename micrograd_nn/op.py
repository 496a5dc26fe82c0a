"""What an operation is: its value on plain data, a derivative rule for each input, and four readings of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

import numpy as np

from micrograd_nn.graph import Node, kinds, make, same
from micrograd_nn.modes import frame
from micrograd_nn.symbol import Symbol, write

__all__ = ["REGISTRY", "Op", "Patch", "shape_of"]

REGISTRY: dict[str, Op] = {}  # by name; how a pickled node finds its op again


class Op:
    """A differentiable operation.

    `array` computes it on ndarrays, `scalar` (where there is one) on floats. `rules` holds for each input the
    formula of its share of the gradient, called as `rule(g, out, *inputs, **params)`: `g` is the gradient of the
    result `out`. The rule is written with ordinary operators and other ops, and what it is fed decides what it gives:

    - floats give a float, ndarrays an ndarray: the ordinary backward sweep;
    - nodes give a node: the sweep records itself, for derivatives of any order;
    - symbols give a formula: `op.formulas(...)`.

    A rule need not undo broadcasting: the engine does. With `variadic` one rule serves any number of inputs and is
    told which by `position=`. `symbol` is what a picture writes in the op's circle.

    >>> from micrograd_nn import Value
    >>> cube = Op("cube", lambda a: a * a * a, lambda g, out, a: g * (3 * a * a), scalar=lambda a: a * a * a)
    >>> x = Value(2.0)
    >>> y = cube(x); y.backward(); x.grad
    12.0
    """

    def __init__(
        self, name: str, array: Callable[..., Any], *rules: Callable[..., Any],
        scalar: Callable[..., Any] | None = None, symbol: str | None = None, infix: bool = False,
        variadic: bool = False, text: str | None = None,
    ) -> None:  # fmt: skip
        self.name, self.array, self.scalar = name, array, scalar
        self.rules: tuple[Callable[..., Any], ...] = rules
        self.symbol, self.infix, self.variadic, self.text = symbol or name, infix, variadic, text
        self.rule_a = rules[0]
        self.rule_b = rules[1] if len(rules) > 1 else same
        self.__name__ = self.__qualname__ = name
        self.__doc__ = f"`{name}` of floats, ndarrays, Values or Tensors, giving the same kind."
        if name in REGISTRY and not (_in_main(rules) and _in_main(REGISTRY[name].rules)):
            raise ValueError(f"there is already an op named {name!r}: choose another name.")
        REGISTRY[name] = self

    def __get__(self, node: Any, kind: Any = None) -> Any:
        """As an attribute of a class, an operation is a method."""
        return self if node is None else MethodType(self, node)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name,)

    def __deepcopy__(self, memo: Any) -> Op:
        return self

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """The operation on floats, ndarrays, nodes or symbols, giving the same kind."""
        for x in inputs:
            if isinstance(x, Node):
                return self.record(inputs, params)
            if isinstance(x, Symbol):
                return self.write(inputs, params)
        return self.run(inputs, params)

    def run(self, values: Sequence[Any], params: dict[str, Any]) -> Any:
        """The value on plain data. Numbers follow IEEE 754 as arrays do: 1 / 0 is inf, with NumPy's warning."""
        for x in values:
            if not isinstance(x, (float, int)):
                return self._on_arrays(values, params)
        if self.scalar is not None:
            try:
                return self.scalar(*values, **params)
            except (ArithmeticError, ValueError):
                return float(self.array(*map(np.float64, values), **params))
        out = self._on_arrays(values, params)
        return float(out) if np.ndim(out) == 0 else out

    def _on_arrays(self, values: Sequence[Any], params: dict[str, Any]) -> Any:
        try:
            return self.array(*values, **params)
        except (ValueError, IndexError, TypeError) as error:
            raise self._explain(error, values, params) from None

    def record(self, inputs: tuple[Any, ...], params: dict[str, Any]) -> Node:
        """The value as a node that remembers what it was made from."""
        values, kind = [], kinds[float]
        for x in inputs:
            if isinstance(x, Node):
                values.append(x._data)
                if x.__class__ is not kind:
                    kind = kinds[object]
            else:
                values.append(x)
        if kind is kinds[float]:
            data = self.run(values, params)
            if data.__class__ is not float:
                kind = kinds[float if np.ndim(data) == 0 else object]
                data = kind._take(data)
        else:
            data = self._on_arrays(values, params)
            if data.__class__ is np.float64:
                data = np.asarray(data)
            elif data.__class__ is not np.ndarray or data.dtype.kind != "f":
                data = kind._take(data)
        node = make(kind, self, data, inputs, params, frame.get())
        if node.stamp > 0 or getattr(data, "base", None) is not None:
            node._seal()  # a value, or a view of one, overwritten under the graph would make gradients wrong
        return node

    def share(self, i: int, g: Any, out: Any, inputs: Sequence[Any], params: dict[str, Any]) -> Any:
        """Input `i`'s share of the gradient `g`."""
        if self.variadic:
            return self.rules[0](g, out, *inputs, position=i, **params)
        rule = self.rules[i]
        return g if rule is same else rule(g, out, *inputs, **params)

    def write(self, inputs: Sequence[Any], params: dict[str, Any]) -> Symbol:
        symbols = [write(x) for x in (*inputs, *(v for v in params.values() if isinstance(v, Symbol)))]
        if self.infix:
            found: Symbol = self.array(*symbols, **params)
            return found
        if self.text is not None:
            return Symbol(self.text.format(*(s.held(4) for s in symbols)) if self.text != "{0}" else symbols[0].text,
                          symbols[0].bond if self.text == "{0}" else 4, symbols[0].shape)  # fmt: skip
        return Symbol(f"{self.symbol}({', '.join(s.text for s in symbols)})", shape=symbols[0].shape)

    def formulas(self, parents: Sequence[Node], node: Node, params: dict[str, Any]) -> tuple[str, ...]:
        """What each of `parents` gets, as text; ∂out stands for the gradient that comes in."""
        names = [Symbol(p.name or f"x{i}", shape=shape_of(p)) if p.stamp > 0 or p.name or shape_of(p)
                 else write(float(p._data)) for i, p in enumerate(parents)]  # fmt: skip
        g, out = Symbol("∂out", shape=shape_of(node)), Symbol("out", shape=shape_of(node))
        return tuple(write(self.share(i, g, out, names, params)).text for i in range(len(names)))

    @staticmethod
    def finite(data: Any) -> bool:
        return bool(np.isfinite(_numbers(data)).all())

    @staticmethod
    def flaw(data: Any) -> str:
        """Which of nan, inf or -inf is the first bad number, and where."""
        values = np.asarray(_numbers(data))
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0]) if values.ndim else ()
        return f"{values[where]}" + (f" at {list(where)}" if where else "")

    @staticmethod
    def brief(g: Any) -> str:
        g = _numbers(g)
        return f"{g:.4g}" if isinstance(g, float) else f"an array of shape {np.shape(g)}"

    def _explain(self, error: Exception, values: Sequence[Any], params: dict[str, Any]) -> Exception:
        shapes = " and ".join(str(np.shape(x)) for x in values if not isinstance(x, (list, tuple)))
        kind = TypeError if isinstance(error, TypeError) else IndexError if type(error) is IndexError else ValueError
        settings = "".join(f", {k}={v!r}" for k, v in params.items() if not isinstance(v, np.ndarray))
        hint: object = error
        if kind is ValueError and self.infix:
            hint = MATMUL_SHAPES if self.symbol == "@" else BROADCAST_SHAPES
        return kind(f"`{self.name}` cannot work on shapes {shapes}{settings}. {hint}")


MATMUL_SHAPES = (
    "The last axis of the first must be as long as the last but one of the second (or its only one): transpose one of "
    "them with .T?"
)
BROADCAST_SHAPES = (
    "Element by element, shapes must be equal from the right, or one of the two sizes 1: add an axis with reshape or "
    "expand_dims where one is missing."
)


def _in_main(rules: Sequence[Callable[..., Any]]) -> bool:
    """Whether an op was written in the program itself, such as a notebook's cell, which may be run again."""
    return all(getattr(rule, "__module__", None) == "__main__" for rule in rules)


def _find(name: str) -> Op:
    if name not in REGISTRY:
        raise LookupError(f"no op is named {name!r} here: define it before loading a graph that uses it.")
    return REGISTRY[name]


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of anything a rule can be fed; () for a number."""
    return getattr(x, "shape", ())


def _numbers(x: Any) -> Any:
    """The plain numbers of a node, a patch, or what is plain already."""
    return x.dense() if isinstance(x, Patch) else getattr(x, "_data", x)


class Patch:
    """A gradient that is zero but for the entries at `index`: what indexing sends back.

    Shares that meet add up in one array, so picking n entries one by one costs n, not n squared.
    """

    __slots__ = ("buffer", "index", "shape", "value")
    __array_ufunc__ = None  # ndarray + Patch is for Patch.__radd__

    def __init__(self, value: Any, index: Any, shape: tuple[int, ...]) -> None:
        self.value, self.index, self.shape = value, index, shape
        self.buffer: np.ndarray[Any, Any] | None = None

    @property
    def dtype(self) -> Any:
        return np.asarray(self.value).dtype

    def dense(self) -> np.ndarray[Any, Any]:
        """The whole array, which this patch alone owns."""
        if self.buffer is None:
            self.buffer = np.zeros(self.shape, self.dtype)
            self.pour(self.buffer)
        return self.buffer

    def pour(self, buffer: np.ndarray[Any, Any]) -> None:
        items = self.index if isinstance(self.index, tuple) else (self.index,)
        if all(i is None or i is Ellipsis or isinstance(i, (slice, int, np.integer)) for i in items):
            buffer[self.index] += self.value
        else:
            np.add.at(buffer, self.index, self.value)  # repeated indices add up

    def __add__(self, other: Any) -> Patch:
        whole = self.dense()
        if isinstance(other, Patch) and other.buffer is None:
            other.pour(whole)
        else:
            whole += other.dense() if isinstance(other, Patch) else other
        return self

    __radd__ = __add__


def where_needed(ufunc: Any, needed: Any, *inputs: Any) -> Any:
    """`ufunc` of the inputs where `needed` holds, and 0 elsewhere, without looking at what it would be there."""
    out = np.zeros(np.broadcast_shapes(np.shape(needed), *map(np.shape, inputs)), np.result_type(*inputs))
    return ufunc(*inputs, out=out, where=needed)


# The products of a rule whose factor can be infinite. Where no gradient comes in none goes out, whatever the factor:
# a branch that `where` did not take sends back exactly 0, not 0 * inf = nan.
scaled: Op = Op(
    "scaled", lambda g, f: g * f if isinstance(g, Symbol) else where_needed(np.multiply, np.logical_and(g, f), g, f),
    lambda d, out, g, f: scaled(d, f), lambda d, out, g, f: scaled(d, g),
    scalar=lambda g, f: g * f if g and f else 0.0, symbol="×", infix=True,
)  # fmt: skip
over: Op = Op(
    "over", lambda g, f: g / f if isinstance(g, Symbol) else where_needed(np.divide, np.not_equal(g, 0), g, f),
    lambda d, out, g, f: over(d, f), lambda d, out, g, f: over(scaled(-d, out), f),
    scalar=lambda g, f: g / f if g else 0.0, symbol="÷", infix=True,
)  # fmt: skip
