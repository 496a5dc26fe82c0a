"""Randomness in training against overfitting: dropout, and noise on the input. Both do nothing in evaluation."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.nn._module import Module
from micrograd_nn.nn._scalars import numbers
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["Dropout", "GaussianNoise", "spawn"]

if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


class _Noise(Module):
    """What both have in common: a generator of their own, and numbers, Values, arrays and Tensors as input."""

    def __init__(self, rng: Rng = None) -> None:
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        singly = numbers(x)
        if singly is None:
            x = x if isinstance(x, (Tensor, np.ndarray)) else np.asarray(x, float)
        if not self.training or not self._amount():
            return x
        if singly is None:
            return self._disturb(x, self._draw(x.shape).astype(x.dtype if x.dtype.kind == "f" else float, copy=False))
        out = [self._disturb(v, float(n)) for v, n in zip(singly, self._draw((len(singly),)), strict=True)]
        return out[0] if isinstance(x, (Value, float, int)) else out

    def _amount(self) -> float:
        raise NotImplementedError

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        raise NotImplementedError

    def _disturb(self, x: Any, drawn: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._amount():g})"


class Dropout(_Noise):
    """In training, each entry is 0 with probability `p`, else multiplied by 1 / (1 - p), so that its expectation stays
    what it was; in evaluation nothing happens (inverted dropout, Srivastava et al. 2014).

    Works on arrays and Tensors of any shape, on Values and on lists of them. `rng` is its own generator: the same seed
    draws the same masks. Raises ValueError unless 0 <= p <= 1.

    >>> drop = Dropout(0.5, rng=0)
    >>> drop(np.ones(6)).tolist()
    [2.0, 0.0, 0.0, 0.0, 2.0, 2.0]
    >>> drop.eval()(np.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    p: float

    def __init__(self, p: float = 0.5, rng: Rng = None) -> None:
        if isinstance(p, bool) or not isinstance(p, (int, float, np.number)) or not 0 <= p <= 1:
            raise ValueError(f"p is the probability to drop a unit, from 0 to 1, not {p!r}.")
        super().__init__(rng)
        self.p = float(p)

    def _amount(self) -> float:
        return self.p

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        kept: np.ndarray[Any, Any] = self.rng.random(shape) >= self.p
        return kept * (1 / (1 - self.p) if self.p < 1 else 0.0)

    def _disturb(self, x: Any, drawn: Any) -> Any:
        return x * drawn


class GaussianNoise(_Noise):
    """In training, adds a draw from normal(0, std) to each entry; in evaluation nothing happens.

    On the input it acts like a penalty on how steep the function is that is learned (Bishop 1995). Works on the same
    things as `Dropout`; raises ValueError for a `std` below 0.
    """

    std: float

    def __init__(self, std: float, rng: Rng = None) -> None:
        if isinstance(std, bool) or not isinstance(std, (int, float, np.number)) or not 0 <= std < math.inf:
            raise ValueError(f"std is the standard deviation of the noise, a number of at least 0, not {std!r}.")
        super().__init__(rng)
        self.std = float(std)

    def _amount(self) -> float:
        return self.std

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        return self.rng.normal(0.0, self.std, shape)

    def _disturb(self, x: Any, drawn: Any) -> Any:
        return x + drawn


def spawn(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Generators of their own derived from `rng`, whose next draws stay what they were."""
    try:
        return rng.spawn(count)
    except (TypeError, AttributeError):  # made without a seed sequence
        drawn = copy.deepcopy(rng).integers(2**63, size=(count, 4))
        return [np.random.default_rng(list(map(int, seed))) for seed in drawn]
