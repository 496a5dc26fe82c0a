"""What a tutorial is: a Python file in percent format, read as cells of prose and code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import micrograd_nn
from micrograd_nn.data import DataError

__all__ = ["Cell", "Tutorial", "exercises_of", "find", "folder", "read", "tutorials"]

_NAME = re.compile(r"(\d\d)_\w+\.py")
_START = re.compile(r"# %%(?P<kind> \[markdown\])?\s*")
_PREDICT = re.compile(r"^\*\*Predict\.\*\*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a tutorial: `text` is Markdown or Python, and begins at the file's line `line`, counted from 1."""

    kind: Literal["markdown", "code"]
    text: str
    line: int

    @property
    def predicts(self) -> bool:
        """Whether it asks the reader for a prediction of what the next cell shows."""
        return self.kind == "markdown" and _PREDICT.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Tutorial:
    """A tutorial with its cells; `title` is its first heading, without the number."""

    number: int
    title: str
    cells: tuple[Cell, ...]
    path: Path


def folder() -> Path:
    """Where the tutorials are: installed with the package, or beside it in a copy of the project.

    Raises DataError where they are neither.
    """
    package = Path(micrograd_nn.__file__).parent
    for place in (package / "_tutorials", package.parent / "tutorials"):
        if any(_NAME.fullmatch(file.name) for file in place.glob("*.py")):
            return place
    raise DataError(f"the tutorials are not where they are installed to, {package / '_tutorials'}.")


def tutorials() -> list[Tutorial]:
    """All of them, in reading order."""
    return [read(file) for file in sorted(folder().glob("*.py")) if _NAME.fullmatch(file.name)]


def find(number: int) -> Tutorial:
    """The tutorial of this number. Raises DataError where there is none."""
    for file in folder().glob(f"{number:02d}_*.py"):
        return read(file)
    raise DataError(f"there is no tutorial {number}: micrograd-nn tutorial lists those that there are.")


def exercises_of(number: int) -> list[Path]:
    """The files of a tutorial's exercises: the one with holes first, then its checks and what these need."""
    place = folder() / "exercises"
    return [place / f"exercise_{number:02d}.py", place / f"test_exercise_{number:02d}.py", place / "marking.py"]


def read(path: Path) -> Tutorial:
    """Read a file in percent format: `# %%` begins a cell of code, `# %% [markdown]` one of prose in comments.

    What stands before the first of these is the file's own, and no cell. Raises DataError for a file that has no
    number in its name, or does not begin with a heading.
    """
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise DataError(f"{path.name} is no tutorial: its name begins with a number of two digits, as 01_neuron.py.")
    try:
        cells = tuple(_cells(path.read_text(encoding="utf-8").splitlines()))
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is no tutorial: it is not UTF-8 text.") from None
    heading = re.match(r"# (?:\d+\. )?(.+)", cells[0].text) if cells and cells[0].kind == "markdown" else None
    if heading is None:
        raise DataError(f"{path.name} does not begin with a cell of prose and its title.")
    return Tutorial(int(name[1]), heading[1].strip(), cells, path)


def _cells(lines: list[str]) -> list[Cell]:
    starts = [(i, found) for i, line in enumerate(lines) if (found := _START.fullmatch(line))]
    ends = [*(i for i, _ in starts), len(lines)][1:]
    cells = []
    for (start, found), end in zip(starts, ends, strict=True):
        body = lines[start + 1 : end]
        first = next((k for k, line in enumerate(body) if line.strip()), 0)
        if found["kind"]:
            body = [re.sub(r"^# ?", "", line) for line in body]
        text = "\n".join(body[first:]).rstrip()
        if text:
            cells.append(Cell("markdown" if found["kind"] else "code", text, start + first + 2))
    return cells
