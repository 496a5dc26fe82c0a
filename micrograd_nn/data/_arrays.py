"""Arrays of examples: X with y, in batches, in two parts, and on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.checks import at_least_one

Array = np.ndarray[Any, Any]
if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


class DataError(ValueError):
    """Data that cannot be learned from, with the place and what to do."""


def paired(X: Any, y: Any) -> tuple[Array, Array]:
    """X and y as arrays of as many rows, or a DataError."""
    X, y = np.asarray(X), np.asarray(y)
    if not X.ndim or not y.ndim or len(X) != len(y):
        raise DataError(f"X and y need one row an example each, and have shapes {X.shape} and {y.shape}.")
    return X, y


def batches(X: Array, y: Array, batch_size: int, rng: Rng = None) -> Iterator[tuple[Array, Array]]:
    """Mini-batches of `batch_size` examples, the last one smaller; in a new random order when `rng` is given.

    >>> [len(yb) for Xb, yb in batches(np.zeros((5, 2)), np.zeros(5), 2)]
    [2, 2, 1]
    """
    X, y = paired(X, y)
    batch_size = at_least_one(batch_size, "batch_size")
    order = np.arange(len(X)) if rng is None else np.random.default_rng(rng).permutation(len(X))
    for start in range(0, len(X), batch_size):
        rows = order[start : start + batch_size]
        yield X.take(rows, 0), y.take(rows, 0)  # X[rows] takes three times as long


def train_test_split(X: Array, y: Array, test_size: float = 0.2, rng: Rng = None) -> tuple[Array, Array, Array, Array]:
    """X_train, X_test, y_train, y_test; of each class the share `test_size` goes into the test set.

    Classes are split one by one, so that a rare one is on both sides (many rare ones make the test set larger than
    `test_size`); one with a single example is trained on. Where y is a measurement, with fractions, it is all split as
    one.

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


@dataclass(frozen=True, eq=False)
class Scale:
    """Each column's mean and standard deviation in the training data; called on data, it puts them on that scale.

    `mean` and `std` (features,) may be lists, as they come out of a file; `names` are the columns' names for errors.

    >>> Scale([10.0, 0.0], [2.0, 1.0])([[12, 3]])
    array([[1., 3.]])
    """

    mean: Array
    std: Array
    names: Sequence[str] | None = None

    def __post_init__(self) -> None:
        mean, std = (np.array(v, float) for v in (self.mean, self.std))
        if mean.ndim != 1 or mean.shape != std.shape or not np.isfinite([mean, std]).all() or (std <= 0).any():
            raise DataError("a scale is a mean and a standard deviation above 0 for each column, all finite.")
        if self.names is not None and len(self.names) != len(mean):
            raise DataError(f"{len(self.names)} names were given for {len(mean)} columns.")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "std", std)

    def __call__(self, X: Any) -> Array:
        """(X - mean) / std, in the dtype of X where that is a float's; X has shape (N, features)."""
        X = _floats(X)
        if X.shape[1] != len(self.mean):
            raise DataError(f"X has {X.shape[1]} columns, and the scale was made of {len(self.mean)}.")
        with np.errstate(all="ignore"):
            scaled: Array = ((X - self.mean) / self.std).astype(X.dtype)
        lost = np.argwhere(~np.isfinite(scaled))
        if len(lost):
            i, j = map(int, lost[0])
            raise DataError(
                f"column {_column(self.names, j)}, X[{i}, {j}]: {X[i, j]} cannot be put on a scale of mean "
                f"{self.mean[j]:.4g} and standard deviation {self.std[j]:.4g}."
            )
        return scaled

    def to_dict(self) -> dict[str, list[float]]:
        """`mean` and `std` as lists, ready for JSON: `Scale(**scale.to_dict())` is the same scale."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}


def standardised(X_train: Any, *others: Any, names: Sequence[str] | None = None) -> tuple[tuple[Array, ...], Scale]:
    """X_train with mean 0 and standard deviation 1 in every column and the others on the same scale; and that Scale.

    All have shape (N, features). A column that never changes in X_train becomes 0 there. Raises DataError, by column,
    for numbers that are not finite or too large or too close together for floats.

    >>> (X_train, X_test), scale = standardised([[1, 7], [3, 7]], [[5, 8]])
    >>> X_train.tolist(), X_test.tolist(), scale.to_dict()
    ([[-1.0, 0.0], [1.0, 0.0]], [[3.0, 1.0]], {'mean': [2.0, 7.0], 'std': [1.0, 1.0]})
    """
    X = _floats(X_train)
    if not len(X):
        raise DataError("there is no row to take the mean of.")
    with np.errstate(all="ignore"):
        mean, std = X.mean(0, dtype=float), X.std(0, dtype=float)
    same = X.max(0) == X.min(0)  # rounding would leave a spread that is not quite 0
    mean[same], std[same] = X[0, same], 1
    for j in np.flatnonzero(~(np.isfinite(mean) & np.isfinite(std) & (std > 0))):
        name, column = _column(names, int(j)), X[:, j]
        if not np.isfinite(column).all():
            raise DataError(f"column {name} holds {column[~np.isfinite(column)][0]}: remove or fill it in.")
        if std[j] == 0:
            raise DataError(f"column {name} holds numbers too close together to work with: multiply it by a constant.")
        raise DataError(f"column {name} holds numbers too large to work with: divide it by a constant first.")
    scale = Scale(mean, std, names)
    return tuple(scale(part) for part in (X, *others)), scale


def _floats(given: Any) -> Array:
    X: Array = np.asarray(given)
    if X.ndim != 2:
        raise DataError(f"X has one row an example and one column a feature, (N, features), not the shape {X.shape}.")
    if X.dtype.kind not in "biuf":
        raise DataError(f"X holds {X.dtype}, and numbers are needed.")
    return X if X.dtype.kind == "f" else X.astype(float)


def _column(names: Sequence[str] | None, j: int) -> str:
    return repr(names[j]) if names and j < len(names) else str(j)
