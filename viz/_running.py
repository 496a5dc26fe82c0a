"""A model at work for a picture: quietly, as in use, and left as it was; and the examples it is given, checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.modes import enable_grad, no_grad
from micrograd_nn.nn import Module

__all__ = ["Array", "at_work", "bare", "numbers"]

Array = np.ndarray[Any, Any]


@contextmanager
def at_work(model: Any, recording: bool = False) -> Iterator[None]:
    """Inside, a Module works as in use: dropout and noise are off, nothing is recorded unless `recording`, and what
    overflows does not warn. Afterwards its parts have their modes back, and its random generators their states."""
    training, generators = [], []
    if isinstance(model, Module):
        training = [m for m in model.modules() if m.training]
        generators = [(g, g.bit_generator.state) for _, g in model.named_generators()]
    for m in training:
        m.training = False
    try:
        with enable_grad() if recording else no_grad(), np.errstate(all="ignore"):
            yield
    finally:
        for m in training:
            m.training = True
        for generator, state in generators:
            generator.bit_generator.state = state


def bare(x: Any) -> Array:
    """The numbers of a node, or `x` as an array."""
    return np.asarray(x.data if isinstance(x, Node) else x)


def numbers(X: Any, name: str = "X") -> Array:
    """Examples as an array of floats: a node, an array, a table, or lists of numbers and nodes.

    Raises TypeError for what are no numbers, ValueError for rows of several lengths and where there is no example.
    """
    if isinstance(X, (list, tuple)):
        X = [x.data if isinstance(x, Node) else x for x in X]
    try:
        found = bare(X)
    except ValueError:
        raise ValueError(f"{name} has rows of several lengths: it is an array (N, features).") from None
    if found.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds {found.dtype}, and a network takes numbers.")
    if not found.size:
        raise ValueError(f"{name} has no examples: its shape is {found.shape}.")
    return found if found.dtype.kind == "f" else found.astype(float)
