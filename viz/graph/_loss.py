"""Which loss suits a model's outputs and their labels, and the labels as it takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.tensor import Tensor
from micrograd_nn.training import LOSSES
from viz._running import Array
from viz._text import clean

__all__ = ["ONE_BY_ONE", "given_loss", "loss_for", "shaped"]

ONE_BY_ONE = {"mse_loss", "l1_loss", "binary_cross_entropy_with_logits", "hinge_loss"}  # a number for each output


def given_loss(given: Any) -> tuple[Callable[[Any, Any], Any], str]:
    """The loss asked for, and its name. Raises ValueError for what is none."""
    if callable(given):
        return given, clean(getattr(given, "__name__", "loss"), 40)
    if not isinstance(given, str) or given not in LOSSES:
        raise ValueError(f"loss is {', '.join(map(repr, LOSSES))} or a function of your own, not {given!r:.60}.")
    return LOSSES[given], given


def loss_for(given: Any, out: Any, y: Array) -> tuple[Callable[[Any, Any], Any], str]:
    """The loss asked for, else the one that suits the labels; and its name."""
    if given is not None:
        return given_loss(given)
    width = len(out) if isinstance(out, list) else out.data.shape[-1] if np.ndim(out.data) > 1 else 1
    kinds = set(np.unique(y).tolist()) if y.dtype.kind in "iub" and y.size else set()
    if y.dtype.kind in "iub" and y.ndim == 1 and width > 1:
        name = "cross_entropy"
    elif width == 1 and kinds and kinds <= {0, 1}:
        name = "binary_cross_entropy_with_logits"
    elif width == 1 and kinds and kinds <= {-1, 1}:
        name = "hinge_loss"
    elif y.dtype.kind == "f" and y.size == len(y) * width:
        name = "mse_loss"
    else:
        raise ValueError(
            f"labels of {y.dtype} and shape {y.shape} for {width} output{'s' * (width != 1)} may mean several things: "
            "say which loss, such as loss='mse_loss'."
        )
    return LOSSES[name], name


def shaped(y: Array, out: Node, loss: str) -> Any:
    """Labels as a node with a name, in the shape of the outputs, where a loss takes them so."""
    if loss not in ONE_BY_ONE - {"hinge_loss"}:
        return y
    same_size = np.size(out.data) == y.size
    return Tensor((y.reshape(np.shape(out.data)) if same_size else y).astype(float), name="y")
