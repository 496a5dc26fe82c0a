"""Optimisers: what turns gradients into a step of the parameters. Names, defaults and arguments are PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from micrograd_nn.graph import Node

__all__ = ["SGD", "Adam", "Optimizer"]

Array = np.ndarray[Any, Any]


class Optimizer:
    """Keeps the parameters and, for each, what its rule remembers. `lr` may be changed between steps."""

    def __init__(self, params: Iterable[Any], lr: float) -> None:
        self.params = list(params)
        for p in self.params:
            if not (isinstance(p, Node) and p.op is None and p.requires_grad):
                raise TypeError(f"an optimiser steps leaves that require a gradient, and {p!r:.60} is none.")
        if len({id(p) for p in self.params}) < len(self.params):
            raise ValueError("an optimiser was given the same parameter twice, and would step it twice.")
        if not self.params:
            raise ValueError("an optimiser needs parameters: give it model.parameters().")
        self.lr = not_negative(lr, "lr")
        self.memory: list[dict[str, Any]] = [{} for _ in self.params]

    def zero_grad(self) -> None:
        """Forget the gradients: the next backward() starts from none."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for p, memory in zip(self.params, self.memory, strict=True):
            if p.grad is None:
                continue
            if isinstance(p.data, float):
                data = np.array(p.data)
                self.update(data, np.asarray(p.grad), memory)
                p.data = float(data)
            else:
                self.update(p.data, p.grad, memory)
                p.written()

    def update(self, data: Array, grad: Array, memory: dict[str, Any]) -> None:
        """Change `data` in place."""
        raise NotImplementedError


class SGD(Optimizer):
    """Steps of `lr` down the gradient; with `momentum`, down a running sum of gradients. `weight_decay` adds that
    multiple of the parameter to its gradient.

    >>> from micrograd_nn import Value
    >>> x = Value(3.0)
    >>> opt = SGD([x], lr=0.1)
    >>> (x * x).backward(); opt.step(); round(x.data, 12)
    2.4
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0.0, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr)
        self.momentum = not_negative(momentum, "momentum")
        self.weight_decay = not_negative(weight_decay, "weight_decay")

    def update(self, data: Array, grad: Array, memory: dict[str, Any]) -> None:
        scratch = scratch_like(data, memory)
        if self.weight_decay:
            grad = np.multiply(data, self.weight_decay, out=scratch) + grad
        if self.momentum:
            if "velocity" not in memory:
                memory["velocity"] = np.array(grad)
            else:
                memory["velocity"] *= self.momentum
                memory["velocity"] += grad
            grad = memory["velocity"]
        data -= np.multiply(grad, self.lr, out=scratch)


class Adam(Optimizer):
    """Steps by running means of the gradient and of its square (Kingma & Ba 2015). `weight_decay` adds that multiple
    of the parameter to its gradient.

    >>> from micrograd_nn import Tensor
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> opt = Adam([w], lr=0.1)
    >>> (w * w).sum().backward(); opt.step(); w.data.round(6)
    array([ 0.9, -1.9])
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(params, lr)
        if not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas lie in 0 <= beta < 1, not {betas}.")
        self.betas, self.eps = betas, not_negative(eps, "eps")
        self.weight_decay = not_negative(weight_decay, "weight_decay")

    def update(self, data: Array, grad: Array, memory: dict[str, Any]) -> None:
        scratch = scratch_like(data, memory)
        if self.weight_decay:
            grad = np.multiply(data, self.weight_decay, out=scratch) + grad
        if "t" not in memory:
            memory |= {"t": 0, "mean": np.zeros_like(data), "square": np.zeros_like(data)}
        memory["t"] += 1
        mean, square, (b1, b2) = memory["mean"], memory["square"], self.betas
        mean *= b1
        mean += np.multiply(grad, 1 - b1, out=scratch)
        square *= b2
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - b2
        square += scratch
        np.sqrt(square, out=scratch)
        scratch *= 1 / math.sqrt(1 - b2 ** memory["t"])
        scratch += self.eps
        np.divide(mean, scratch, out=scratch)
        scratch *= self.lr / (1 - b1 ** memory["t"])
        data -= scratch


def scratch_like(data: Array, memory: dict[str, Any]) -> Array:
    """Room for one intermediate result, kept from step to step."""
    if "scratch" not in memory:
        memory["scratch"] = np.empty_like(data)
    found: Array = memory["scratch"]
    return found


def not_negative(x: float, name: str) -> float:
    if isinstance(x, bool) or not (isinstance(x, Real) and 0 <= x < math.inf):
        raise ValueError(f"{name} is a number of at least 0, not {x!r}.")
    return float(x)
