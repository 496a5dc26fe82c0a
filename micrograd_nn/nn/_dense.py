"""Neuron, layer and multilayer perceptron: fully connected, computed number by number or all at once.

Called on numbers or Values, a module builds the scalar graph: one node per multiplication, made for looking at.
Called on an array or a Tensor it takes the vectorised path. Both use the same parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn import ops
from micrograd_nn.graph import Node, make
from micrograd_nn.modes import frame
from micrograd_nn.nn._activations import activation_named
from micrograd_nn.nn._module import Module, Row, Summary, activate
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["MLP", "Layer", "Neuron"]

Activation = str | Callable[[Any], Any]
if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


def initial(shape: tuple[int, ...], activation: str, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Uniform weights that keep the size of a signal: variance 2 / n for ReLU's kin (He et al. 2015), else 1 / n."""
    gain = 2.0 if activation in ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus") else 1.0
    bound = math.sqrt(3.0 * gain / max(1, shape[-1]))
    return rng.uniform(-bound, bound, shape)


def numbers(x: Any) -> list[Any] | None:
    """The inputs one by one, when they were given as numbers or Values; None for an array or a Tensor."""
    if isinstance(x, (Value, float, int)):
        return [x]
    if isinstance(x, (list, tuple)) and all(isinstance(v, (Value, float, int, np.floating, np.integer)) for v in x):
        return list(x)
    return None


def checked(x: Any, n_in: int, who: str) -> Any:
    """An array or Tensor with `n_in` features on its last axis."""
    x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x, float)
    if not x.ndim or x.shape[-1] != n_in:
        raise ValueError(f"{who} takes {n_in} inputs on the last axis, and got shape {x.shape}.")
    return x


def pick(source: Tensor, index: tuple[int, ...], name: str) -> Node:
    """One entry of a parameter as a Value that sends its gradient back there."""
    node = make(Value, ops.getitem, float(source._data[index]), (source,), {"index": index}, frame.get())
    node.name = name
    return node


class Neuron(Module):
    """One unit: the dot product of weights and inputs, plus a bias, through an activation.

    `weight` has shape (n_in,), `bias` shape (). On numbers or Values it gives a Value, on an array or Tensor
    (..., n_in) a Tensor (...).

    >>> n = Neuron(2, "tanh", rng=0)
    >>> n([1.0, -1.0]).item() == n(np.array([1.0, -1.0])).item()
    True
    """

    def __init__(self, n_in: int, activation: Activation = "relu", rng: Rng = None) -> None:
        self.activation, self._act = activation_named(activation)
        self.n_in = size(n_in, "n_in")
        self.weight = Tensor(initial((n_in,), self.activation, np.random.default_rng(rng)), True, "weight")
        self.bias = Tensor(0.0, True, "bias")

    def forward(self, x: Any) -> Any:
        singly = numbers(x)
        if singly is None:
            return activate(self, self._act, checked(x, self.n_in, repr(self)) @ self.weight + self.bias)
        if len(singly) != self.n_in:
            raise ValueError(f"{self!r} takes {self.n_in} inputs, and got {len(singly)}.")
        weights, total = self._scalars()
        for w, v in zip(weights, singly, strict=True):
            total = total + w * v
        return self._act(total)

    def _entries(self) -> tuple[tuple[Tensor, tuple[int, ...]], ...]:
        """Where its weights and its bias are: a parameter each, and the index within it."""
        return (self.weight, ()), (self.bias, ())

    def _scalars(self) -> tuple[Sequence[Any], Any]:
        """Weights and bias one by one, shared by all calls until they change.

        They are compared by content too, because an array can be written to in place.
        """
        where = frame.get()
        (weight, row), (bias, place) = self._entries()
        state = [(id(p), p.stamp, p._data[i].tobytes(), p.requires_grad) for p, i in ((weight, row), (bias, place))]
        key = (*state, where.tracking, where.module)
        known: tuple[Any, Any] | None = self.__dict__.get("_picks")
        if known is None or known[0] != key:
            weights = [pick(weight, (*row, j), f"w{j}") for j in range(self.n_in)]
            known = self.__dict__["_picks"] = (key, (weights, pick(bias, place, "b")))
        found: tuple[Sequence[Any], Any] = known[1]
        return found

    def _units(self) -> int:
        return 1

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_picks"}

    def __repr__(self) -> str:
        return f"Neuron({self.n_in}, {self.activation})"


class _NeuronOf(Neuron):
    """A neuron of a layer: row `i` of the layer's parameters."""

    def __init__(self, layer: Layer, i: int) -> None:
        self._layer, self._i = layer, i
        self.n_in, self.activation, self._act = layer.n_in, layer.activation, layer._act

    @property
    def weight(self) -> Any:  # type: ignore[override]
        return self._layer.weight[self._i]

    @property
    def bias(self) -> Any:  # type: ignore[override]
        return self._layer.bias[self._i]

    def _entries(self) -> tuple[tuple[Tensor, tuple[int, ...]], ...]:
        return (self._layer.weight, (self._i,)), (self._layer.bias, (self._i,))

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        raise TypeError(
            f"a neuron of a layer has no parameters of its own: they are row {self._i} of the layer's weight and bias, "
            "so use layer.parameters()."
        )

    def summary(self) -> Summary:
        return Summary(repr(self), (Row("(itself)", repr(self), 1, self.n_in, 1),))

    def _place(self, outer: Any) -> str:
        above = outer.module if outer.owner is self._layer else ""
        return f"{above}.neurons[{self._i}]" if above else f"neurons[{self._i}]"


class Layer(Module):
    """Fully connected units: `x @ weight.T + bias`, through an activation.

    `weight` has shape (n_out, n_in), a row for each neuron; `bias` has shape (n_out,). An array or Tensor (..., n_in)
    gives a Tensor (..., n_out); numbers or Values give a list of Values, or the Value itself for one unit.

    >>> layer = Layer(3, 2, rng=0)
    >>> layer(np.ones((5, 3))).shape, len(layer([1.0, 1.0, 1.0]))
    ((5, 2), 2)
    """

    def __init__(self, n_in: int, n_out: int, activation: Activation = "relu", rng: Rng = None) -> None:
        self.activation, self._act = activation_named(activation)
        self.n_in, self.n_out = size(n_in, "n_in"), size(n_out, "n_out")
        self.weight = Tensor(initial((n_out, n_in), self.activation, np.random.default_rng(rng)), True, "weight")
        self.bias = Tensor(np.zeros(n_out), True, "bias")

    def forward(self, x: Any) -> Any:
        singly = numbers(x)
        if singly is None:
            return activate(self, self._act, checked(x, self.n_in, repr(self)) @ self.weight.T + self.bias)
        out = [neuron(singly) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    @property
    def neurons(self) -> list[Neuron]:
        """The units one by one; they share the layer's parameters."""
        found: list[Neuron] | None = self.__dict__.get("_neurons")
        if found is None:
            found = self.__dict__["_neurons"] = [_NeuronOf(self, i) for i in range(self.n_out)]
        return found

    def _units(self) -> int:
        return self.n_out

    def __repr__(self) -> str:
        return f"Layer({self.n_in}, {self.n_out}, {self.activation})"

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_neurons"}


class MLP(Module):
    """Fully connected layers one after another, with no activation on the last.

    `MLP(3, [4, 4, 1])` is the notes' 3-layer network with two hidden layers: the input is not counted.

    >>> MLP(3, [4, 4, 1]).summary().parameters
    41
    """

    def __init__(self, n_in: int, sizes: Sequence[int], activation: Activation = "relu", rng: Rng = None) -> None:
        sizes = [sizes] if isinstance(sizes, int) else list(sizes)
        if not sizes:
            raise ValueError("an MLP needs at least one layer: MLP(n_in, [n1, ..., n_out]).")
        rng = np.random.default_rng(rng)
        ends = [n_in, *sizes]
        self.layers = [
            Layer(a, b, activation if i < len(sizes) - 1 else "identity", rng)
            for i, (a, b) in enumerate(zip(ends, sizes, strict=False))
        ]
        for i, layer in enumerate(self.layers):
            layer.weight.name, layer.bias.name = f"W{i + 1}", f"b{i + 1}"

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"MLP({self.layers[0].n_in}, {[layer.n_out for layer in self.layers]}, {self.layers[0].activation})"


def size(n: Any, name: str) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{name} is a count of units, an integer of at least 1, not {n!r}.")
    return int(n)
