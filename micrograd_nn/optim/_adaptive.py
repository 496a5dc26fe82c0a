"""Adagrad, RMSprop, Adam and AdamW: steps scaled, entry by entry, by the size of the gradients so far.

All work in place: `scratch` holds one intermediate result after another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from micrograd_nn.optim._optimizer import Array, Memory, Optimizer, kept, with_decay

__all__ = ["Adagrad", "Adam", "AdamW", "RMSprop"]


class Adagrad(Optimizer):
    """Steps of lr · g / (sqrt(s) + eps), where s is the sum of all squared gradients so far (Duchi et al. 2011).

    s starts from `initial_accumulator_value`; in step t, lr is divided by 1 + (t - 1) `lr_decay`. `weight_decay` adds
    that multiple of the parameter to its gradient.

    >>> from micrograd_nn import Value
    >>> x = Value(3.0)
    >>> opt = Adagrad([x], lr=0.1)
    >>> (x * x).backward(); opt.step(); round(x.data, 8)
    2.9
    """

    remembers = {"step": True, "sum": True}  # noqa: RUF012

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, lr_decay: float = 0.0, weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0, eps: float = 1e-10,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, eps=eps,
        )  # fmt: skip

    def update(self, data: Array, grad: Array, memory: Memory, group: dict[str, Any]) -> None:
        scratch = memory["scratch"]
        if group["weight_decay"]:
            grad = with_decay(data, grad, group["weight_decay"], kept(memory, "decayed", data))
        if "step" not in memory:
            memory |= {"step": 0, "sum": np.full_like(data, group["initial_accumulator_value"])}
        rate = group["lr"] / (1 + memory["step"] * group["lr_decay"])
        memory["step"] += 1
        total = memory["sum"]
        total += np.multiply(grad, grad, out=scratch)
        np.sqrt(total, out=scratch)
        scratch += group["eps"]
        np.divide(grad, scratch, out=scratch)
        scratch *= rate
        data -= scratch


class RMSprop(Optimizer):
    """Steps of lr · g / (sqrt(v) + eps), where v is a running mean of the squared gradient (Tieleman & Hinton 2012).

    v keeps `alpha` of itself in each step. `centered` takes the square of the gradient's running mean off it, which
    leaves an estimate of the variance (Graves 2013); `momentum` steps down a running sum of the scaled gradients.
    `weight_decay` adds that multiple of the parameter to its gradient.

    >>> from micrograd_nn import Value
    >>> x = Value(3.0)
    >>> opt = RMSprop([x], lr=0.1, alpha=0.75)
    >>> (x * x).backward(); opt.step(); round(x.data, 6)
    2.8
    """

    remembers = {"square_avg": True, "grad_avg": False, "momentum_buffer": False}  # noqa: RUF012

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0.0, momentum: float = 0.0, centered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum, centered=centered
        )

    def update(self, data: Array, grad: Array, memory: Memory, group: dict[str, Any]) -> None:
        scratch, alpha = memory["scratch"], group["alpha"]
        if group["weight_decay"]:
            grad = with_decay(data, grad, group["weight_decay"], kept(memory, "decayed", data))
        square = kept(memory, "square_avg", data)
        blend(square, np.multiply(grad, grad, out=scratch), alpha, scratch)
        if group["centered"]:
            mean = kept(memory, "grad_avg", data)
            blend(mean, grad, alpha, scratch)
            np.multiply(mean, mean, out=scratch)
            np.subtract(square, scratch, out=scratch)
            np.maximum(scratch, 0.0, out=scratch)  # a variance: only rounding can bring it below
            np.sqrt(scratch, out=scratch)
        else:
            np.sqrt(square, out=scratch)
        scratch += group["eps"]
        np.divide(grad, scratch, out=scratch)
        if group["momentum"]:
            buffer = kept(memory, "momentum_buffer", data)
            buffer *= group["momentum"]
            buffer += scratch
            np.multiply(buffer, group["lr"], out=scratch)
        else:
            scratch *= group["lr"]
        data -= scratch


class Adam(Optimizer):
    """Steps of lr · m / (sqrt(v) + eps) by running means m of the gradient and v of its square (Kingma & Ba 2015).

    The means keep `betas` of themselves in each step, and are corrected for having started from 0. `amsgrad` divides
    by the largest v so far (Reddi et al. 2018). `weight_decay` adds that multiple of the parameter to its gradient.

    >>> from micrograd_nn import Tensor
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> opt = Adam([w], lr=0.1)
    >>> (w * w).sum().backward(); opt.step(); w.data.round(6)
    array([ 0.9, -1.9])
    """

    remembers = {"step": True, "exp_avg": True, "exp_avg_sq": True, "max_exp_avg_sq": False}  # noqa: RUF012
    decoupled: ClassVar[bool] = False  # whether weights decay by themselves, and not through the gradient

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0, amsgrad: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def update(self, data: Array, grad: Array, memory: Memory, group: dict[str, Any]) -> None:
        scratch, lr, (b1, b2) = memory["scratch"], group["lr"], group["betas"]
        if group["weight_decay"]:
            if self.decoupled:
                data *= 1 - lr * group["weight_decay"]
            else:
                grad = with_decay(data, grad, group["weight_decay"], kept(memory, "decayed", data))
        if "step" not in memory:
            memory |= {"step": 0, "exp_avg": np.zeros_like(data), "exp_avg_sq": np.zeros_like(data)}
        memory["step"] += 1
        mean, square = memory["exp_avg"], memory["exp_avg_sq"]
        blend(mean, grad, b1, scratch)
        blend(square, np.multiply(grad, grad, out=scratch), b2, scratch)
        if group["amsgrad"]:
            largest = kept(memory, "max_exp_avg_sq", data)
            square = np.maximum(largest, square, out=largest)
        # lr · (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps), with all the numbers gathered in two
        root = math.sqrt(1 - b2 ** memory["step"])
        np.sqrt(square, out=scratch)
        scratch += group["eps"] * root
        np.divide(mean, scratch, out=scratch)
        scratch *= lr * root / (1 - b1 ** memory["step"])
        data -= scratch


class AdamW(Adam):
    """Adam whose weights decay by themselves: each step first takes the share lr · `weight_decay` off every parameter
    (Loshchilov & Hutter 2019), so that the decay is not scaled like a gradient. 0.01 by default.

    >>> from micrograd_nn import Value
    >>> w = Value(2.0)
    >>> opt = AdamW([w], lr=0.1)
    >>> w.grad = 0.0
    >>> opt.step(); w.data
    1.998
    """

    decoupled = True

    def __init__(
        self, params: Iterable[Any], lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)


def blend(mean: Array, new: Array, kept: float, scratch: Array) -> None:
    """Move a running mean towards `new`: the share `kept` of it stays."""
    mean *= kept
    mean += np.multiply(new, 1 - kept, out=scratch)
