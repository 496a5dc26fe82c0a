"""Functions and statistics that code computes in several steps, recognised by their values, and how they go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

__all__ = ["KNOWN", "STATISTICS", "Known", "nearly", "softmax", "wrong_slopes"]

Array = np.ndarray[Any, Any]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis, keepdims=True))
    return np.asarray(e / e.sum(axis, keepdims=True))


class Known(NamedTuple):
    """A function that code under test may compute in several steps, recognised by its values."""

    f: Callable[[Any], Any]
    slope: Callable[[Any, Any], Any]  # of the input x and the output y
    mistakes: tuple[tuple[str, Callable[[Any, Any], Any]], ...] = ()


KNOWN = {
    "tanh": Known(np.tanh, lambda x, y: 1 - y * y, (
        ("1 − tanh(z) stands in place of 1 − tanh(z)²", lambda x, y: 1 - y),
        ("tanh(z)² stands in place of 1 − tanh(z)²", lambda x, y: y * y),
    )),
    "sigmoid": Known(_sigmoid, lambda x, y: y * (1 - y), (
        ("σ(z) stands in place of σ(z)(1 − σ(z))", lambda x, y: y),
        ("1 − σ(z) stands in place of σ(z)(1 − σ(z))", lambda x, y: 1 - y),
    )),
    "relu": Known(lambda x: np.maximum(x, 0), lambda x, y: (x > 0) * 1.0, (
        ("its mask is turned round, z < 0 in place of z > 0", lambda x, y: (x < 0) * 1.0),
    )),
    "softplus": Known(lambda x: np.logaddexp(x, 0), lambda x, y: _sigmoid(x)),
    "silu": Known(lambda x: x * _sigmoid(x), lambda x, y: _sigmoid(x) + y * (1 - _sigmoid(x)), (
        ("σ(z) alone stands in place of σ(z) + z σ'(z)", lambda x, y: _sigmoid(x)),
    )),
    "exp": Known(np.exp, lambda x, y: y),
}  # fmt: skip
STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean, "variance": np.var, "standard deviation": np.std, "maximum": np.max, "minimum": np.min,
    "sum": np.sum, "length": lambda x, axis: np.sqrt(np.sum(x * x, axis)),
}  # fmt: skip


def nearly(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 1e-12 + 1e-10 * np.abs(b)))


def wrong_slopes(name: str, known: Known, x: Any, y: Any) -> Iterator[tuple[str, Any]]:
    """What may stand in place of a function's derivative by mistake, and how that is said."""
    right = known.slope(x, y)
    yield f"the derivative of {name} is left out", np.ones_like(right)
    yield f"the derivative of {name} is taken at its output in place of its input", known.slope(y, known.f(y))
    yield f"the derivative of {name} is written for its output and taken at its input", known.slope(x, x)
    yield f"the derivative of {name} is there twice", right * right
    for said, wrong in known.mistakes:
        yield f"the derivative of {name} is wrong: {said}", wrong(x, y)
