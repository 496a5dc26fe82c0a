"""A user's own table: a CSV file as arrays to learn from, or the place where it cannot be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.data._arrays import DataError

Array = np.ndarray[Any, Any]
if TYPE_CHECKING:  # csv and pathlib are imported where a file is read
    from pathlib import Path


@dataclass(frozen=True, eq=False)
class Table:
    """A user's table: `X` (N, features), `y` (N,) the index into `classes`, and the names.

    `y` is None where the table of new data has no column for the classes.
    """

    X: Array
    y: Array | Any
    features: tuple[str, ...]
    classes: tuple[str, ...]


def read_table(
    path: str | Path, target: str | None, *, features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Table:  # fmt: skip
    """A CSV file with a header line: the column `target` holds the classes, every other column numbers.

    `features` are the columns to take, found by their names wherever they stand; X has them in the order given, and
    other columns are not looked at. `classes` are those of a model already trained: y counts in them, another is
    refused, and the column `target` may be missing (y is None). So new data for a saved model are read with both.

    Raises DataError, naming row and column, for anything that cannot be learned from: a missing file or column, text
    or a gap where a number belongs, NaN or infinity, fewer than two classes, rows of another length, an open quote.
    """
    rows = _rows(path, least=2 if classes is None else 1)
    header = [name.strip() for name in rows[0][1]]
    there = f"its columns are {', '.join(map(repr, header))}"
    if target is None and features is None:
        raise DataError(f"name the target, the column of {path} that holds the classes; {there}.")
    if target is not None and target not in header and classes is None:
        raise DataError(f"{path} has no column {target!r}; {there}.")
    taken = [name for name in header if name != target] if features is None else list(features)
    missing = [name for name in taken if name not in header]
    if missing:
        what = "the column" if len(missing) == 1 else "the columns"
        raise DataError(f"{path} lacks {what} {', '.join(map(repr, missing))}; {there}.")
    if target in taken:
        raise DataError(f"the column {target!r} cannot be the target and a feature.")
    twice = [name for name in [target, *taken] if header.count(str(name)) > 1]
    if twice:
        raise DataError(f"{path} has more than one column named {twice[0]!r}.")
    if not taken:
        raise DataError(f"{path} has only the column {target!r}: there is nothing to learn it from.")
    places = [header.index(name) for name in taken]
    place = header.index(target) if target in header else None
    X, labels = [], []
    for number, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}, row {number}: {len(cells)} cells, and the header has {len(header)}.")
        if place is not None:
            labels.append(cells[place].strip())
            if not labels[-1]:
                raise DataError(f"{path}, row {number}, column {target!r}: the class is missing.")
        X.append([_number(cells[j], path, number, header[j]) for j in places])
    names, y = tuple(classes or ()), None
    if place is not None:
        names, index = _classes(labels, path, target) if classes is None else (names, _known(labels, names))
        unknown = next((i for i, label in enumerate(labels) if label not in index), None)
        if unknown is not None:
            raise DataError(
                f"{path}, row {rows[unknown + 1][0]}, column {target!r}: {labels[unknown]!r:.40} is none of the "
                f"classes that were learned: {', '.join(map(repr, names))}."
            )
        y = np.array([index[label] for label in labels])
    return Table(np.array(X, float), y, tuple(taken), names)


def _rows(name: str | Path, least: int) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of the line it starts in."""
    import csv
    import io
    from pathlib import Path

    path = Path(name)
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
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows, start = [], 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((start, row))
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, row {start}: {error}; is a quotation mark opened there that is not closed, or not doubled?"
        ) from None
    if len(rows) < 1 + least:
        raise DataError(f"{path} needs a header line and at least {('one row', 'two rows')[least - 1]} of data.")
    return rows


def _delimiter(text: str) -> str:
    """Commas, unless the header has none outside quotes and does have semicolons or tabs."""
    quoted = r'(?<![^,;\t\r\n])(?:"[^"]*")+'  # from the start of a cell, and line ends may be in it
    head = re.match(rf"[\r\n ]*((?:{quoted}|[^\r\n])*)", text)
    bare = re.sub(quoted, "", head[1]) if head else ""
    return next((mark for mark in ",;\t" if mark in bare), ",")


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


def _classes(labels: list[str], path: Any, target: Any) -> tuple[tuple[str, ...], dict[str, int]]:
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
    value = _values(found)
    if any(v != v for v in map(value, found)):
        raise DataError(f"{path}: column {target!r} holds NaN.")
    order = sorted(set(map(value, found)))
    place = {v: i for i, v in enumerate(order)}  # 1 and 1.0 are one class
    if len(order) < 2:
        raise DataError(f"{path}: column {target!r} holds one number, written in several ways.")
    names = tuple(min((n for n in found if value(n) == v), key=lambda n: (len(n), n)) for v in order)
    return names, {name: place[value(name)] for name in found}


def _known(labels: list[str], classes: tuple[str, ...]) -> dict[str, int]:
    """Which of the classes each label stands for; labels that stand for none are left out."""
    value = _values(set(classes))
    place = {value(name): i for i, name in enumerate(classes)}
    return {label: place[value(label)] for label in set(labels) if value(label) in place}


def _values(names: set[str]) -> Callable[[str], Any]:
    """What tells these names apart: their numbers where all of them are numbers, else the names."""

    def number(name: str) -> float | str:
        try:
            return float(name.replace("_", "?"))
        except ValueError:
            return name

    return number if all(isinstance(number(name), float) for name in names) else str
