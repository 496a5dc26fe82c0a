"""Keeping gradients and weights within bounds: clipping by norm and by value, and max-norm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.nn._module import Module

__all__ = ["clip_grad_norm_", "clip_grad_value_", "max_norm_"]


def clip_grad_norm_(
    parameters: Any, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients together down to a norm of `max_norm`; returns the norm they had (Pascanu et al. 2013).

    The norm is that of one vector of all gradients: `norm_type` 2, 1, math.inf or any other p. A norm that is NaN or
    infinite spoils every gradient, as in PyTorch, unless `error_if_nonfinite` raises RuntimeError before.

    >>> from micrograd_nn import Tensor
    >>> w = Tensor([0.0, 0.0], requires_grad=True)
    >>> w.grad = np.array([3.0, 4.0])
    >>> clip_grad_norm_([w], max_norm=1.0), w.grad.round(3)
    (5.0, array([0.6, 0.8]))
    """
    length, order = above_zero(max_norm, "max_norm"), float(norm_type)
    params = [p for p in leaves(parameters) if p.grad is not None]
    with np.errstate(over="ignore", invalid="ignore"):  # the norm says so
        norms = [np.linalg.norm(np.ravel(p.grad), order) for p in params]
        total = float(np.linalg.norm(norms, order)) if norms else 0.0
        if error_if_nonfinite and not math.isfinite(total):
            raise RuntimeError(f"the norm of the gradients is {total}, so they cannot be clipped to {max_norm}.")
        factor = length / (total + 1e-6)
        if not factor >= 1:
            for p in params:
                put_grad(p, p.grad * factor)
    return total


def clip_grad_value_(parameters: Any, clip_value: float) -> None:
    """Cut every entry of every gradient to between -`clip_value` and `clip_value`.

    >>> from micrograd_nn import Value
    >>> w = Value(1.0)
    >>> w.grad = -7.0
    >>> clip_grad_value_([w], 5.0); w.grad
    -5.0
    """
    limit = above_zero(clip_value, "clip_value")
    for p in leaves(parameters):
        if p.grad is not None:
            put_grad(p, np.clip(p.grad, -limit, limit))


def max_norm_(module_or_params: Any, max_value: float) -> None:
    """Scale the incoming weights of each unit down to a Euclidean length of `max_value` (Srivastava et al. 2014).

    A unit's incoming weights are a row, the last axis, of a parameter of two or more axes, unless its path says that it
    holds biases; of a Neuron, its weight; of a Network, the edges into the unit. All else is left alone. Give it the
    module where you can: bare parameters have no paths. Call it after each step of the optimiser.

    >>> from micrograd_nn import nn
    >>> layer = nn.Layer(2, 2)
    >>> layer.weight.data = [[3.0, 4.0], [0.3, 0.4]]
    >>> max_norm_(layer, 1.0); layer.weight.data
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    limit = above_zero(max_value, "max_value")
    for p, row in weights(module_or_params):
        w = p._data
        if row is None:
            norms = np.sqrt(np.einsum("...i,...i->...", w, w))[..., None]
        else:
            norms = np.sqrt(np.bincount(row, w * w))
        if (norms > limit).any():
            factor = (limit / np.maximum(norms, limit)).astype(w.dtype)
            w *= factor if row is None else factor[row]
            p.written()


def weights(module_or_params: Any) -> Iterator[tuple[Any, Any]]:
    """Every parameter that holds incoming weights, and the unit of each of its entries where it is not their row."""
    if not isinstance(module_or_params, Module):
        yield from ((p, None) for p in leaves(module_or_params) if np.ndim(p._data) >= 2)
        return
    from micrograd_nn.nn._dense import Neuron

    seen: set[int] = set()
    for module in module_or_params.modules():
        row_of = getattr(module, "_row_of", None)
        for name, p in module._members():
            if not (isinstance(p, Node) and p.op is None and p.requires_grad) or id(p) in seen:
                continue
            seen.add(id(p))
            row = row_of(name) if row_of else None
            rows = np.ndim(p._data) >= 2 and not name.startswith(("bias", "slope"))
            if row is not None or rows or (isinstance(module, Neuron) and name == "weight"):
                yield p, row


def leaves(parameters: Any) -> list[Any]:
    """Parameters given one, several or as a module."""
    if isinstance(parameters, Module):
        return parameters.parameters()
    found = list(parameters) if isinstance(parameters, Iterable) and not isinstance(parameters, Node) else [parameters]
    for p in found:
        if not (isinstance(p, Node) and p.op is None):
            raise TypeError(f"parameters are wanted, such as model.parameters(), and {p!r:.60} is none.")
    return found


def put_grad(p: Any, grad: Any) -> None:
    """A new gradient, in a new array: the old one may be somebody else's too."""
    p.grad = float(grad) if isinstance(p.grad, float) else np.asarray(grad)


def above_zero(x: Any, name: str) -> float:
    if isinstance(x, bool) or not (isinstance(x, Real) and float(x) > 0):
        raise ValueError(f"{name} is a number above 0, not {x!r}.")
    return float(x)
