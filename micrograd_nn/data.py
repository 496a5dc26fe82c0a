"""Data to learn from: the digits, points in the plane, a user's own table; and ways to cut it up."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["DataError", "Table", "batches", "load_digits", "make_moons", "read_table", "train_test_split"]

Array = np.ndarray[Any, Any]
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
    raw = (resources.files("micrograd_nn") / "_data" / "digits.npz").read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as found:
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

    Classes are split one by one, so that a rare one is on both sides (unless it has a single example).

    >>> [len(part) for part in train_test_split(np.zeros((10, 1)), np.repeat([0, 1], 5), 0.2, rng=0)]
    [8, 2, 8, 2]
    """
    X, y = paired(X, y)
    if not 0 < test_size < 1:
        raise ValueError(f"test_size is a share between 0 and 1, not {test_size}.")
    rng = np.random.default_rng(rng)
    test = np.zeros(len(y), bool)
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        wanted = (
            round(test_size * len(rows)) if len(rows) < 2 else min(max(1, round(test_size * len(rows))), len(rows) - 1)
        )
        test[rows[:wanted]] = True
    order = rng.permutation(len(y))
    train, held = order[~test[order]], order[test[order]]
    return X[train], X[held], y[train], y[held]


def paired(X: Any, y: Any) -> tuple[Array, Array]:
    """X and y as arrays of as many rows, or a DataError."""
    X, y = np.asarray(X), np.asarray(y)
    if not X.ndim or not y.ndim or len(X) != len(y):
        raise DataError(f"X and y need one row an example each, and have shapes {X.shape} and {y.shape}.")
    return X, y


@dataclass(frozen=True)
class Table:
    """A user's table, ready to learn from: `X` (N, features), `y` (N,) the index into `classes`, and the names."""

    X: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...]


def read_table(path: str | Path, target: str) -> Table:
    """A CSV file with a header line: the column `target` holds the classes, every other column numbers.

    Raises DataError, naming row and column, for anything that cannot be learned from: a missing file or column, text
    or a gap where a number belongs, NaN or infinity, fewer than two classes, rows of another length.
    """
    rows = _rows(Path(path))
    header = [name.strip() for name in rows[0][1]]
    if target not in header:
        raise DataError(f"{path} has no column {target!r}; its columns are {', '.join(map(repr, header))}.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path} has more than one column named {twice[0]!r}.")
    if len(header) < 2:
        raise DataError(f"{path} has only the column {target!r}: there is nothing to learn it from.")
    place = header.index(target)
    X, labels = [], []
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}, row {number}: {len(cells)} cells, and the header has {len(header)}.")
        labels.append(cells[place].strip())
        if not labels[-1]:
            raise DataError(f"{path}, row {number}, column {target!r}: the class is missing.")
        X.append(
            [_number(cell, path, number, name) for name, cell in zip(header, cells, strict=True) if name != target]
        )
    classes = _classes(labels, path, target)
    index = {name: i for i, name in enumerate(classes)}
    features = tuple(name for name in header if name != target)
    return Table(np.array(X, float), np.array([index[c] for c in labels]), features, classes)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"there is no file {path}.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a CSV file.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a text file in UTF-8: export the table as CSV.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        reader = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text))
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as CSV: {error}.") from None
    if len(rows) < 3:
        raise DataError(f"{path} needs a header line and at least two rows of data.")
    return rows


def _dialect(text: str) -> Any:
    """Commas, unless the header has none and does have semicolons or tabs."""
    head = text.partition("\n")[0]
    mark = next((c for c in ",;\t" if c in head), ",")
    return type("Dialect", (csv.excel,), {"delimiter": mark})


def _number(cell: str, path: Any, row: int, column: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        what = f"{cell.strip()!r:.40} is not a number" if cell.strip() else "the number is missing"
        raise DataError(f"{path}, row {row}, column {column!r}: {what}.") from None
    if not math.isfinite(value):
        raise DataError(
            f"{path}, row {row}, column {column!r}: {cell.strip()} cannot be learned from; remove or fill it in."
        )
    return value


def _classes(labels: list[str], path: Any, target: str) -> tuple[str, ...]:
    found = set(labels)
    if len(found) < 2:
        raise DataError(
            f"{path}: every row has {labels[0]!r:.40} in column {target!r}; a classifier needs two classes or more."
        )
    if len(found) > max(20, len(labels) // 4):
        raise DataError(
            f"{path}: column {target!r} has {len(found)} different values in {len(labels)} rows, which looks like a "
            "measurement and not a class."
        )
    try:
        numbers = {name: float(name) for name in found}
        if any(math.isnan(v) for v in numbers.values()):
            raise DataError(f"{path}: column {target!r} holds NaN.")
        return tuple(sorted(found, key=lambda name: numbers[name]))
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        return tuple(sorted(found))
