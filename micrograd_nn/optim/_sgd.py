"""`SGD`: gradient descent, with or without momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from micrograd_nn.optim._optimizer import Array, Memory, Optimizer, kept, with_decay

__all__ = ["SGD"]


class SGD(Optimizer):
    """Steps of `lr` down the gradient; with `momentum`, down a running sum of gradients (Polyak 1964).

    Each new gradient goes into the sum times 1 - `dampening`. `nesterov` steps down the gradient plus `momentum` times
    the sum (Sutskever et al. 2013). `weight_decay` adds that multiple of the parameter to its gradient.

    >>> from micrograd_nn import Value
    >>> x = Value(3.0)
    >>> opt = SGD([x], lr=0.1)
    >>> (x * x).backward(); opt.step(); round(x.data, 12)
    2.4
    """

    remembers = {"momentum_buffer": False}  # noqa: RUF012

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov
        )

    def check(self, group: dict[str, Any]) -> None:
        """Refuse options that are unknown or make no sense."""
        super().check(group)
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ValueError("nesterov=True needs a momentum above 0 and no dampening.")

    def update(self, data: Array, grad: Array, memory: Memory, group: dict[str, Any]) -> None:
        scratch, momentum = memory["scratch"], group["momentum"]
        if group["weight_decay"]:
            room = kept(memory, "decayed", data) if group["nesterov"] else scratch  # where both are needed to the end
            grad = with_decay(data, grad, group["weight_decay"], room)
        if momentum:
            buffer = memory.get("momentum_buffer")
            if buffer is None:
                buffer = memory["momentum_buffer"] = np.array(grad, data.dtype)
            else:
                buffer *= momentum
                buffer += np.multiply(grad, 1 - group["dampening"], out=scratch) if group["dampening"] else grad
            if group["nesterov"]:
                np.multiply(buffer, momentum, out=scratch)
                scratch += grad
                grad = scratch
            else:
                grad = buffer
        data -= np.multiply(grad, group["lr"], out=scratch)
