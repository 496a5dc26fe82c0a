"""What a layer can be given as its activation: a name, a function of a node, or a module such as `PReLU`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.modes import frame
from micrograd_nn.nn._module import Module, activate
from micrograd_nn.nn._scalars import numbers, picked, size
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["ACTIVATIONS", "Activation", "PReLU", "activation_named", "shown", "whole"]

Activation = str | Callable[[Any], Any]

# The function of each; that of prelu takes its slope as well, and so a layer makes a PReLU of its own.
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": F.relu, "leaky_relu": F.leaky_relu, "prelu": F.prelu, "elu": F.elu, "gelu": F.gelu, "silu": F.silu,
    "softplus": F.softplus, "tanh": F.tanh, "sigmoid": F.sigmoid, "identity": F.identity,
}  # fmt: skip


def whole(function: Any) -> bool:
    """Whether a function works on a whole layer, and not unit by unit."""
    return function in (F.softmax, F.log_softmax)


def activation_named(activation: Activation) -> tuple[str, Callable[..., Any]]:
    """Name and function of an activation given as either. Raises ValueError for a name there is not."""
    if whole(activation) or activation in ("softmax", "log_softmax"):
        raise ValueError("softmax works on a whole layer, an activation on each unit: apply it to the output instead.")
    if activation == "maxout":
        raise ValueError(
            "a maxout unit has several rows of weights, so it is a layer of its own: nn.Maxout(n_in, n_out, k=2), or "
            "MLP(..., activation='maxout')."
        )
    if isinstance(activation, type):
        raise ValueError(f"an activation is made before it is given: {activation.__name__}(), with brackets.")
    if callable(activation):
        return getattr(activation, "__name__", type(activation).__name__), activation
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return activation, ACTIVATIONS[activation]
    import difflib

    near = difflib.get_close_matches(str(activation), ACTIVATIONS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"no activation is named {activation!r}.{hint} There are {', '.join(ACTIVATIONS)}; "
        "any function of one node, unit by unit, will do too."
    )


class PReLU(Module):
    """The input where positive, else `weight` times the input, with `weight` learned (He et al. 2015).

    `weight` has shape (num_parameters,): one slope for all units, or one for each unit along the last axis, starting
    at `init`. Works on arrays and Tensors (..., units), on a Value and on a list of one Value a unit. As the activation
    of a `Layer` by its name, "prelu", it is made with a slope for each neuron.

    >>> PReLU(2)(np.array([[-1.0, 3.0]])).tolist()
    [[-0.25, 3.0]]
    """

    __name__ = "prelu"  # what it is called as an activation

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.num_parameters = size(num_parameters, "num_parameters")
        self.init = float(init)
        self.weight = Tensor(np.full(self.num_parameters, self.init), True, "slope")

    def forward(self, x: Any) -> Any:
        singly = numbers(x)
        n = self.num_parameters
        if singly is not None:
            if n not in (1, len(singly)):
                raise ValueError(f"{self!r} has a slope for each of {n} units, and got {len(singly)} numbers.")
            out = [self.unit(i)(v) for i, v in enumerate(singly)]
            return out[0] if isinstance(x, (Value, float, int)) else out
        x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x, float)
        if n > 1 and x.shape[-1:] != (n,):
            raise ValueError(f"{self!r} has a slope for each of {n} units on the last axis, and got shape {x.shape}.")
        return activate(self, self.prelu, x)

    def prelu(self, z: Any) -> Any:
        """The function itself, of an array or Tensor."""
        return F.prelu(z, self.weight)

    def unit(self, i: int) -> Callable[[Any], Any]:
        """The activation of unit `i` alone: of a number, a Value, or any array or Tensor of that unit's inputs."""
        place = (i if self.num_parameters > 1 else 0,)

        def prelu(z: Any) -> Any:
            if not isinstance(z, (Value, float, int)):
                return F.prelu(z, self.weight[place])
            cache = self.__dict__.setdefault("_picks", {})
            return F.prelu(z, *picked(cache, (place, frame.get().module), [(self.weight, place, "a")]))

        return prelu

    def __repr__(self) -> str:
        given = [str(self.num_parameters)] if self.num_parameters > 1 else []
        return f"PReLU({', '.join([*given, f'init={self.init:g}'] if self.init != 0.25 else given)})"


def shown(name: str, function: Any, units: int) -> str:
    """An activation as the repr of its layer writes it: as it would be typed, where that is possible."""
    if isinstance(function, PReLU) and (function.num_parameters, function.init) == (units, 0.25):
        return repr("prelu")
    if isinstance(function, Module):
        return repr(function)
    return repr(name) if name == "maxout" or ACTIVATIONS.get(name) is function else name
