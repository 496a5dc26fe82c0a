"""Penalties on the size of the weights, to be added to a loss: regularisation as gradual forgetting."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn.graph import Node
from micrograd_nn.nn._activations import PReLU
from micrograd_nn.nn._module import Module
from micrograd_nn.tensor import Tensor

__all__ = ["l1_penalty", "l2_penalty", "penalised"]


def l2_penalty(model: Module, strength: float, biases: bool = False) -> Any:
    """strength · ½ Σ w² over the weights, a node: its gradient is strength · w, as of SGD's `weight_decay`.

    Biases and the slopes of units (PReLU) are left out, unless `biases` is true, and so is what is frozen. Raises
    ValueError for a strength below 0.

    >>> from micrograd_nn.nn import Layer
    >>> layer = Layer(2, 1, init="ones")
    >>> l2_penalty(layer, 0.1).item()
    0.1
    """
    return _named((F.square(p) for p in penalised(model, biases)), _checked(strength) * 0.5, "l2")


def l1_penalty(model: Module, strength: float, biases: bool = False) -> Any:
    """strength · Σ |w| over the weights, a node: its gradient is strength · sign(w), and 0 at 0.

    It draws weights to exactly 0, all at the same speed. `biases` as in `l2_penalty`.
    """
    return _named((F.abs(p) for p in penalised(model, biases)), _checked(strength), "l1")


def penalised(model: Module, biases: bool = False) -> Iterator[Any]:
    """The parameters that regularisation is about, each once: all but biases and slopes, or all of them."""
    if not isinstance(model, Module):
        raise TypeError(f"regularisation takes a module, which knows what is a bias, not {type(model).__name__}.")
    seen: set[int] = set()
    for module in model.modules():
        for name, leaf in module._members():
            if not isinstance(leaf, Node) or leaf.op is not None or not leaf.requires_grad or id(leaf) in seen:
                continue
            seen.add(id(leaf))
            if biases or not (name.startswith(("bias", "slope")) or isinstance(module, PReLU)):
                yield leaf


def _named(sizes: Iterator[Any], factor: float, name: str) -> Any:
    terms = [F.sum(s) if s.shape else s for s in sizes]
    total = reduce(operator.add, terms) * factor if terms else Tensor(0.0)
    total.name = name
    return total


def _checked(strength: Any) -> float:
    if isinstance(strength, bool) or not isinstance(strength, (int, float, np.number)) or not 0 <= strength < math.inf:
        raise ValueError(f"strength is a number of at least 0, not {strength!r}.")
    return float(strength)
