"""A user's own table: a CSV file as arrays to learn from, or the place where it cannot be."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn.data import DataError

__all__ = ["Table", "read_table"]

Array = np.ndarray[Any, Any]


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
    classes, index = _classes(labels, path, target)
    features = tuple(name for name in header if name != target)
    return Table(np.array(X, float), np.array([index[c] for c in labels]), features, classes)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(f"{path} is not an ordinary file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"there is no file {path}.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a CSV file.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not text in UTF-8: save the table as CSV UTF-8.") from None
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
    """Commas, unless the header has none outside quotes and does have semicolons or tabs."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", head)
    mark = next((c for c in ",;\t" if c in bare), ",")
    return type("Dialect", (csv.excel,), {"delimiter": mark})


def _number(cell: str, path: Any, row: int, column: str) -> float:
    try:
        value = float(cell.replace("_", "?"))  # 1_000 is a number to Python alone
    except ValueError:
        what = f"{cell.strip()!r:.40} is not a number" if cell.strip() else "the number is missing"
        raise DataError(f"{path}, row {row}, column {column!r}: {what}.") from None
    if not math.isfinite(value):
        raise DataError(
            f"{path}, row {row}, column {column!r}: {cell.strip():.40} cannot be learned from; remove or fill it in."
        )
    return value


def _classes(labels: list[str], path: Any, target: str) -> tuple[tuple[str, ...], dict[str, int]]:
    """The classes in order, numbers by size, and which of them each label stands for."""
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
        value: dict[str, float | str] = {name: float(name) for name in found}
    except ValueError:
        value = {name: name for name in found}
    if any(v != v for v in value.values()):
        raise DataError(f"{path}: column {target!r} holds NaN.")
    order = sorted(set(value.values()))
    place = {v: i for i, v in enumerate(order)}  # 1 and 1.0 are one class
    if len(order) < 2:
        raise DataError(f"{path}: column {target!r} holds one number, written in several ways.")
    names = tuple(min((n for n in found if value[n] == v), key=lambda n: (len(n), n)) for v in order)
    return names, {name: place[value[name]] for name in found}
