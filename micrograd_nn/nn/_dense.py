"""Neuron and layers of them: fully connected, computed number by number or all at once.

Called on numbers or Values, a module builds the scalar graph: one node per multiplication, made for looking at.
Called on an array or a Tensor it takes the vectorised path. Both use the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.nn._activations import Activation, PReLU, activation_named, shown
from micrograd_nn.nn._module import Module, Row, Summary, activate
from micrograd_nn.nn._scalars import Place, checked, numbers, picked, size
from micrograd_nn.nn.init import Init, initialise
from micrograd_nn.tensor import Tensor

__all__ = ["Layer", "Linear", "Maxout", "Neuron", "maxout"]

if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


class Neuron(Module):
    """One unit: the dot product of weights and inputs, plus a bias, through an activation.

    `weight` has shape (n_in,), `bias` shape (). On numbers or Values it gives a Value, on an array or Tensor
    (..., n_in) a Tensor (...). `activation`, `init` and `scale` are as in `Layer`.

    >>> n = Neuron(2, "tanh", rng=0)
    >>> n([1.0, -1.0]).item() == n(np.array([1.0, -1.0])).item()
    True
    """

    n_in: int
    activation: str  # its name
    act: Callable[[Any], Any]

    def __init__(
        self, n_in: int, activation: Activation = "relu", rng: Rng = None, *, init: Init = None, scale: float = 1.0
    ) -> None:
        self.n_in = size(n_in, "n_in")
        self.activation, self.act = _activation_for(activation, 1)
        self.weight = _weights((self.n_in,), init, self.activation, rng, scale)
        self.bias = Tensor(0.0, True, "bias")

    def forward(self, x: Any) -> Any:
        singly = numbers(x)
        if singly is None:
            return activate(self, self.act, checked(x, self.n_in, self) @ self.weight + self.bias)
        if len(singly) != self.n_in:
            raise ValueError(f"{self!r} takes {self.n_in} inputs, and got {len(singly)}.")
        return self._on_numbers(singly, picked(self.__dict__.setdefault("_picks", {}), "", self._entries()))

    def _entries(self) -> tuple[Place, ...]:
        """Where its weights and its bias are: a parameter each, and the index within it."""
        return (self.weight, (), "w"), (self.bias, (), "b")

    def _on_numbers(self, x: list[Any], scalars: list[Any]) -> Any:
        weights, total = scalars
        for w, v in zip(weights, x, strict=True):
            total = total + w * v
        return self.act(total)

    def _units(self) -> int:
        return 1

    def __repr__(self) -> str:
        return f"Neuron({self.n_in}, {shown(self.activation, self.act, 1)})"


def _activation_for(activation: Activation, n_out: int) -> tuple[str, Callable[[Any], Any]]:
    """Name and function of an activation; for "prelu" by name, a module of its own with a slope for each unit."""
    name, function = activation_named(activation)
    if function is F.prelu:
        function = PReLU(n_out)
    if isinstance(function, PReLU) and function.num_parameters not in (1, n_out):
        raise ValueError(f"{function!r} has {function.num_parameters} slopes, and there are {n_out} units to use them.")
    return name, function


def _weights(shape: tuple[int, ...], init: Init, activation: str, rng: Rng, scale: float) -> Tensor:
    weight = Tensor(np.zeros(shape), True, "weight")
    initialise(weight, init, activation, np.random.default_rng(rng), scale)
    return weight


class _NeuronOf(Neuron):
    """A neuron of a layer: row `i` of the layer's parameters."""

    def __init__(self, layer: Layer, i: int) -> None:
        self._layer, self._i = layer, i
        self.n_in, self.activation = layer.n_in, layer.activation

    @property
    def act(self) -> Callable[[Any], Any]:  # type: ignore[override]
        act = self._layer.act
        return act.unit(self._i) if isinstance(act, PReLU) else act

    @property
    def weight(self) -> Any:  # type: ignore[override]
        return self._layer.weight[..., self._i, :]

    @property
    def bias(self) -> Any:  # type: ignore[override]
        return self._layer.bias[..., self._i]

    def _entries(self) -> tuple[Place, ...]:
        return (self._layer.weight, (self._i,), "w"), (self._layer.bias, (self._i,), "b")

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

    def __repr__(self) -> str:
        return f"Neuron({self.n_in}, {self._layer._shown()})"


class Layer(Module):
    """Fully connected units: `x @ weight.T + bias`, through an activation.

    `weight` has shape (n_out, n_in), a row for each neuron; `bias` has shape (n_out,) and starts at 0. An array or
    Tensor (..., n_in) gives a Tensor (..., n_out); numbers or Values give a list of Values, or the Value itself for one
    unit.

    `activation` is a name of `nn.ACTIVATIONS`, any function of a node that works unit by unit, or a module, which
    becomes a part of the layer, `act`; "prelu" makes a `PReLU` with a slope for each neuron. `init` says how the
    weights are drawn: a name such as "xavier_normal", or a function of (tensor, rng); None chooses by the activation,
    kaiming_uniform for ReLU and its kin, xavier_uniform for tanh and sigmoid, else uniform with variance 1 / n_in. They
    are then multiplied by `scale`: a large one saturates the units on purpose.

    >>> layer = Layer(3, 2, rng=0)
    >>> layer(np.ones((5, 3))).shape, len(layer([1.0, 1.0, 1.0]))
    ((5, 2), 2)
    """

    activation: str  # its name
    act: Callable[[Any], Any]

    def __init__(
        self, n_in: int, n_out: int, activation: Activation = "relu", rng: Rng = None, *, init: Init = None,
        scale: float = 1.0,
    ) -> None:  # fmt: skip
        self.n_in, self.n_out = size(n_in, "n_in"), size(n_out, "n_out")
        self.activation, self.act = _activation_for(activation, self.n_out)
        self.weight = _weights((self.n_out, self.n_in), init, self.activation, rng, scale)
        self.bias = Tensor(np.zeros(self.n_out), True, "bias")

    def forward(self, x: Any) -> Any:
        singly = numbers(x)
        if singly is None:
            return activate(self, self.act, checked(x, self.n_in, self) @ self.weight.T + self.bias)
        out = [neuron(singly) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    @property
    def neurons(self) -> list[Neuron]:
        """The units one by one; they share the layer's parameters."""
        found: list[Neuron] | None = self.__dict__.get("_neurons")
        if found is None:
            found = self.__dict__["_neurons"] = [self._neuron(i) for i in range(self.n_out)]
        return found

    def _neuron(self, i: int) -> Neuron:
        return _NeuronOf(self, i)

    def _units(self) -> int:
        return self.n_out

    def _shown(self) -> str:
        return shown(self.activation, self.act, self.n_out)

    def __repr__(self) -> str:
        return f"Layer({self.n_in}, {self.n_out}, {self._shown()})"


class Linear(Layer):
    """A layer without an activation: `x @ weight.T + bias`.

    >>> Linear(3, 4)
    Linear(3, 4)
    """

    def __init__(self, n_in: int, n_out: int, rng: Rng = None, *, init: Init = None, scale: float = 1.0) -> None:
        super().__init__(n_in, n_out, "identity", rng, init=init, scale=scale)

    def __repr__(self) -> str:
        return f"Linear({self.n_in}, {self.n_out})"


def maxout(z: Any, axis: int = -2) -> Any:
    """The largest of the pieces that `axis` counts; where two tie, each gets half the gradient."""
    after = (slice(None),) * (-1 - axis)
    return reduce(F.maximum, [z[(..., p, *after)] for p in range(z.shape[axis])])


class Maxout(Layer):
    """Units that give the largest of `k` linear pieces: max over p of `x @ weight[p].T + bias[p]`.

    `weight` has shape (k, n_out, n_in), `bias` (k, n_out): k times the parameters of a plain layer. ReLU is the case
    of two pieces of which one is 0, and leaky ReLU that of one piece being a fraction of the other; there is always a
    slope, so a unit neither saturates nor dies (Goodfellow et al. 2013). In and out as for `Layer`.

    >>> Maxout(3, 4).summary().parameters == 2 * Linear(3, 4).summary().parameters
    True
    """

    def __init__(
        self, n_in: int, n_out: int, k: int = 2, rng: Rng = None, *, init: Init = None, scale: float = 1.0
    ) -> None:
        self.n_in, self.n_out, self.k = size(n_in, "n_in"), size(n_out, "n_out"), size(k, "k")
        self.activation, self.act = "maxout", maxout
        self.weight = _weights((self.k, self.n_out, self.n_in), init, "maxout", rng, scale)
        self.bias = Tensor(np.zeros((self.k, self.n_out)), True, "bias")

    def forward(self, x: Any) -> Any:
        if numbers(x) is not None:
            return super().forward(x)
        x = checked(x, self.n_in, self)
        z = x @ self.weight.reshape(-1, self.n_in).T + self.bias.reshape(-1)  # all pieces in one product
        return activate(self, maxout, z.reshape(*z.shape[:-1], self.k, self.n_out))

    def _neuron(self, i: int) -> Neuron:
        return _MaxoutNeuron(self, i)

    def _note(self) -> str:
        return f"{self.k} pieces a unit, {self.k} times the parameters"

    def __repr__(self) -> str:
        return f"Maxout({self.n_in}, {self.n_out}, k={self.k})"


class _MaxoutNeuron(_NeuronOf):
    """A unit of a Maxout: `weight` (k, n_in), `bias` (k,)."""

    _layer: Maxout

    def forward(self, x: Any) -> Any:
        if numbers(x) is not None:
            return super().forward(x)
        return maxout(checked(x, self.n_in, self) @ self.weight.T + self.bias, axis=-1)

    def _entries(self) -> tuple[Place, ...]:
        weight, bias, i = self._layer.weight, self._layer.bias, self._i
        return (*((weight, (p, i), f"w{p}.") for p in range(self._layer.k)),
                *((bias, (p, i), f"b{p}") for p in range(self._layer.k)))  # fmt: skip

    def _on_numbers(self, x: list[Any], scalars: list[Any]) -> Any:
        k, pieces = self._layer.k, []
        for weights, total in zip(scalars[:k], scalars[k:], strict=True):
            for w, v in zip(weights, x, strict=True):
                total = total + w * v
            pieces.append(total)
        return reduce(F.maximum, pieces)

    def summary(self) -> Summary:
        k = self._layer.k
        return Summary(repr(self), (Row("(itself)", repr(self), 1, k * self.n_in, k, self._layer._note()),))

    def __repr__(self) -> str:
        return f"a unit of {self._layer!r}"
