"""The activations a layer can be given by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd_nn import functional as F

__all__ = ["ACTIVATIONS", "activation_named"]

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": F.relu, "tanh": F.tanh, "sigmoid": F.sigmoid, "leaky_relu": F.leaky_relu, "elu": F.elu, "gelu": F.gelu,
    "silu": F.silu, "softplus": F.softplus, "identity": F.identity,
}  # fmt: skip


def activation_named(activation: str | Callable[[Any], Any]) -> tuple[str, Callable[[Any], Any]]:
    """Name and function of an activation given as either. Raises ValueError for a name there is not."""
    if activation in (F.softmax, F.log_softmax, "softmax", "log_softmax"):
        raise ValueError("softmax works on a whole layer, an activation on each unit: apply it to the output instead.")
    if callable(activation):
        return getattr(activation, "__name__", type(activation).__name__), activation
    if activation in ACTIVATIONS:
        return activation, ACTIVATIONS[activation]
    import difflib

    near = difflib.get_close_matches(str(activation), ACTIVATIONS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"no activation is named {activation!r}.{hint} There are {', '.join(ACTIVATIONS)}; "
        "any function of one node, unit by unit, will do too."
    )
