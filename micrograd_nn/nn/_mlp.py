"""Layers one after another: the multilayer perceptron, and any sequence of modules and functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.modes import frame
from micrograd_nn.nn._activations import ACTIVATIONS, Activation, PReLU, activation_named, whole
from micrograd_nn.nn._dense import Layer, Maxout
from micrograd_nn.nn._module import Module, activate
from micrograd_nn.nn._noise import Dropout, GaussianNoise, spawn
from micrograd_nn.nn._scalars import numbers
from micrograd_nn.nn.init import Init
from micrograd_nn.value import Value

__all__ = ["MLP", "Sequential"]

if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


class MLP(Module):
    """Fully connected layers one after another, with no activation on the last.

    `MLP(3, [4, 4, 1])` is the notes' 3-layer network with two hidden layers: the input is not counted. `activation` is
    one for all hidden layers, or a list with one for each; "maxout" makes a `Maxout` with two pieces. `init` and
    `scale` are those of `Layer`. `dropout` is the share of each hidden layer's activations to drop in training,
    `input_noise` the standard deviation of what is then added to the inputs; both have generators of their own, so the
    weights drawn from `rng` are the same with and without.

    >>> MLP(3, [4, 4, 1]).summary().parameters
    41
    >>> MLP(2, [8, 8, 2], ["relu", "tanh"], dropout=0.5)
    MLP(2, [8, 8, 2], ['relu', 'tanh'], dropout=0.5)
    """

    def __init__(
        self, n_in: int, sizes: Sequence[int], activation: Activation | Sequence[Activation] = "relu",
        rng: Rng = None, *, init: Init = None, scale: float = 1.0, dropout: float = 0.0, input_noise: float = 0.0,
    ) -> None:  # fmt: skip
        if isinstance(sizes, (int, np.integer)):
            sizes = [int(sizes)]
        if isinstance(sizes, (str, bytes)) or not np.iterable(sizes) or not len(sizes):
            raise ValueError(
                f"an MLP needs at least one layer, as a list of sizes: MLP(n_in, [n1, ..., n_out]), not {sizes!r}."
            )
        rng = np.random.default_rng(rng)
        *hidden, n_out = sizes
        if isinstance(activation, str) or callable(activation) or not np.iterable(activation):
            one: Any = activation
            activations = [one] * max(1, len(hidden))  # with no hidden layer, checked all the same
        elif len(activation) != len(hidden):
            raise ValueError(
                f"{len(activation)} activations for {len(hidden)} hidden layers: give one for each, and none for the "
                "output layer, which has no activation."
            )
        else:
            activations = list(activation)
        for a in activations:
            if not (isinstance(a, str) and a == "maxout"):
                activation_named(a)  # refuses what is none, before anything is drawn
        self.layers: list[Layer] = []
        for n, a in zip(hidden, activations, strict=False):
            self.layers.append(
                Maxout(n_in, n, 2, rng, init=init, scale=scale) if isinstance(a, str) and a == "maxout"
                else Layer(n_in, n, a, rng, init=init, scale=scale)
            )  # fmt: skip
            n_in = n
        self.layers.append(Layer(n_in, n_out, "identity", rng, init=init, scale=scale))
        for i, layer in enumerate(self.layers):
            layer.weight.name, layer.bias.name = f"W{i + 1}", f"b{i + 1}"
            if isinstance(layer.act, PReLU):
                layer.act.weight.name = f"a{i + 1}"
        self.noise: GaussianNoise | None = None
        self.dropouts: list[Dropout] = []
        if dropout or input_noise:
            first, *others = spawn(rng, 1 + len(hidden))
            self.noise = GaussianNoise(input_noise, first) if input_noise else None
            self.dropouts = [Dropout(dropout, other) for other in others] if dropout else []

    def forward(self, x: Any) -> Any:
        if self.noise is not None:
            x = self.noise(x)
        hidden = min(len(self.layers) - 1, len(self.dropouts))
        for i, layer in enumerate(self.layers):
            x = layer(x)
            if i < hidden:
                x = self.dropouts[i](x)
        return x

    def __repr__(self) -> str:
        if not all(isinstance(layer, Layer) for layer in self.layers):  # put there by hand
            return f"MLP({', '.join(map(repr, self.layers))})"
        kinds = [layer._shown() for layer in self.layers[:-1]]
        parts = [str(self.layers[0].n_in), str([layer.n_out for layer in self.layers])]
        if kinds:
            parts.append(kinds[0] if len(set(kinds)) == 1 else f"[{', '.join(kinds)}]")
        if self.dropouts:
            parts.append(f"dropout={self.dropouts[0].p:g}")
        if self.noise is not None:
            parts.append(f"input_noise={self.noise.std:g}")
        return f"MLP({', '.join(parts)})"


class Sequential(Module):
    """Modules one after another; plain functions such as `F.relu` may stand between them.

    A function works unit by unit: on numbers and Values it is called on each (softmax and log_softmax, which work on a
    whole layer, are given them all). Parts can be reached by index, and paths count them as `layers[0]`.

    >>> import micrograd_nn.functional as F
    >>> from micrograd_nn.nn import Linear
    >>> Sequential(Linear(2, 3, rng=0), F.relu, Dropout(0.2), Linear(3, 1, rng=1))
    Sequential(Linear(2, 3), relu, Dropout(0.2), Linear(3, 1))
    """

    def __init__(self, *modules: Module | Callable[[Any], Any]) -> None:
        for m in modules:
            if not callable(m) or isinstance(m, type):
                hint = f": F.{m}, the function itself" if isinstance(m, str) and m in ACTIVATIONS else ""
                hint = ": Sequential(a, b), without the brackets of a list" if isinstance(m, (list, tuple)) else hint
                hint = f": {m.__name__}(...), made before it is given" if isinstance(m, type) else hint
                raise TypeError(f"Sequential takes modules and functions of one input, not {m!r:.60}{hint}.")
        self.layers = list(modules)

    def forward(self, x: Any) -> Any:
        for i, part in enumerate(self.layers):
            x = part(x) if isinstance(part, Module) else self._apply(i, part, x)
        return x

    def _apply(self, i: int, function: Callable[[Any], Any], x: Any) -> Any:
        """A function at its place, so that what it makes is known to have been made there."""
        here = frame.get()
        token = frame.set(here.but(module=f"{here.module}.layers[{i}]" if here.module else f"layers[{i}]"))
        try:
            if isinstance(x, (list, tuple)) and numbers(x) is not None and not whole(function):
                return [function(v) for v in x]
            if isinstance(x, Value) or not isinstance(x, Node) or whole(function):
                return function(x)
            return activate(self, function, x)
        finally:
            frame.reset(token)

    def __getitem__(self, i: int) -> Any:
        return self.layers[i]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __repr__(self) -> str:
        names = (repr(m) if isinstance(m, Module) else getattr(m, "__name__", repr(m)) for m in self.layers)
        return f"Sequential({', '.join(names)})"
