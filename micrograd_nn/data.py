"""Data to learn from, the digits and points in the plane, and ways to cut data up."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

__all__ = ["DataError", "batches", "load_digits", "make_moons", "train_test_split"]

Array = np.ndarray[Any, Any]
if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


class DataError(ValueError):
    """Data that cannot be learned from, with the place and what to do."""


def load_digits() -> tuple[Array, Array]:
    """The 1,797 optical digits of Alpaydin & Kaynak (1998): X (1797, 64) in 0 ... 1, y (1797,) the digit.

    Shipped with the package under CC BY 4.0; the source is named in `_data/README.md`. The source's pixels go from 0
    to 16, and are divided by 16 here.

    >>> X, y = load_digits()
    >>> X.shape, float(X.max()), int(y[0])
    ((1797, 64), 1.0, 0)
    """
    with np.load(os.path.join(os.path.dirname(__file__), "_data", "digits.npz"), allow_pickle=False) as found:
        return found["images"] / 16.0, found["labels"].astype(np.int64)


def make_moons(n_samples: int = 100, noise: float = 0.1, rng: Rng = None) -> tuple[Array, Array]:
    """Two half circles that interlock: X (n, 2), y (n,) of 0 and 1, shuffled. `noise` is the standard deviation added.

    >>> X, y = make_moons(100, rng=0)
    >>> X.shape, int(y.sum())
    ((100, 2), 50)
    """
    if n_samples < 2:
        raise ValueError(f"make_moons needs at least 2 points, not {n_samples}.")
    rng = np.random.default_rng(rng)
    upper = n_samples // 2
    s, t = np.linspace(0, math.pi, upper), np.linspace(0, math.pi, n_samples - upper)
    X = np.concatenate([np.c_[np.cos(s), np.sin(s)], np.c_[1 - np.cos(t), 0.5 - np.sin(t)]])
    y = np.repeat([0, 1], [upper, n_samples - upper])
    order = rng.permutation(n_samples)
    return (X + rng.normal(scale=noise, size=X.shape))[order], y[order]


def batches(X: Array, y: Array, batch_size: int, rng: Rng = None) -> Iterator[tuple[Array, Array]]:
    """Mini-batches of `batch_size` examples, the last one smaller; in a new random order when `rng` is given.

    >>> [len(yb) for Xb, yb in batches(np.zeros((5, 2)), np.zeros(5), 2)]
    [2, 2, 1]
    """
    X, y = paired(X, y)
    if batch_size < 1:
        raise ValueError(f"batch_size is at least 1, not {batch_size}.")
    order = np.arange(len(X)) if rng is None else np.random.default_rng(rng).permutation(len(X))
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X[rows], y[rows]


def train_test_split(X: Array, y: Array, test_size: float = 0.2, rng: Rng = None) -> tuple[Array, Array, Array, Array]:
    """X_train, X_test, y_train, y_test; of each class the share `test_size` goes into the test set.

    Classes are split one by one, so that a rare one is on both sides; one with a single example is trained on. Where
    y is a measurement, with fractions, it is all split as one.

    >>> [len(part) for part in train_test_split(np.zeros((10, 1)), np.repeat([0, 1], 5), 0.2, rng=0)]
    [8, 2, 8, 2]
    """
    X, y = paired(X, y)
    if not 0 < test_size < 1:
        raise ValueError(f"test_size is a share between 0 and 1, not {test_size}.")
    rng = np.random.default_rng(rng)
    measured = y.ndim > 1 or (y.dtype.kind == "f" and not np.array_equal(y, np.floor(y)))
    groups = [np.arange(len(y))] if measured else [np.flatnonzero(y == label) for label in np.unique(y)]
    test = np.zeros(len(y), bool)
    for rows in groups:
        if len(rows) > 1:
            wanted = min(max(1, round(test_size * len(rows))), len(rows) - 1)
            test[rng.permutation(rows)[:wanted]] = True
    if not test.any():
        raise DataError("no class has two rows, so there is nothing to hold back for the test.")
    order = rng.permutation(len(y))
    train, held = order[~test[order]], order[test[order]]
    return X[train], X[held], y[train], y[held]


def paired(X: Any, y: Any) -> tuple[Array, Array]:
    """X and y as arrays of as many rows, or a DataError."""
    X, y = np.asarray(X), np.asarray(y)
    if not X.ndim or not y.ndim or len(X) != len(y):
        raise DataError(f"X and y need one row an example each, and have shapes {X.shape} and {y.shape}.")
    return X, y
