"""A walk through a tutorial: its steps, each run in the state that the ones before it leave, however one gets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from micrograd_nn.cli.tutorial._session import Output, Session
from micrograd_nn.cli.tutorial._source import Cell, Tutorial, read

__all__ = ["Result", "Step", "Walk", "steps_of"]

_LINES = 14  # of prose; more is given in two steps


@dataclass(frozen=True, slots=True)
class Step:
    """What is shown at a time: cells of prose, and the cell of code after them, which may be missing."""

    prose: tuple[Cell, ...]
    code: Cell | None
    section: str

    @property
    def predicts(self) -> bool:
        """Whether the reader is asked for a guess before the code is run."""
        return self.code is not None and bool(self.prose) and self.prose[-1].predicts

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The prose and the code, in order."""
        return self.prose if self.code is None else (*self.prose, self.code)

    @property
    def text(self) -> str:
        """What it says, wherever in the file it stands."""
        return "\0".join(f"{cell.kind}\0{cell.text}" for cell in self.cells)


@dataclass(slots=True)
class Result:
    """What a step's code gave, if it has any, and the guess made before it."""

    output: Output
    guess: str = ""
    picture: str | None = None  # in text, with the note on its file: both are made once

    @property
    def failed(self) -> bool:
        """Whether an error ended it."""
        return bool(self.output.error)


def steps_of(tutorial: Tutorial) -> list[Step]:
    """The cells in steps. A step ends with its code; a section, a question, and what is long begin a new one."""
    steps: list[Step] = []
    prose: list[Cell] = []
    section = tutorial.title

    def end(code: Cell | None = None) -> None:
        if prose or code is not None:
            steps.append(Step(tuple(prose), code, section))
            prose.clear()

    for cell in tutorial.cells:
        if cell.kind == "code":
            end(cell)
            continue
        heading = _heading(cell)
        if heading or (prose and (prose[-1].predicts or sum(map(_rows, (*prose, cell))) > _LINES)):
            end()
        if heading and steps:  # the first heading is the tutorial's title
            section = heading
        prose.append(cell)
    end()
    return steps


def _heading(cell: Cell) -> str:
    first = cell.text.partition("\n")[0]
    return first.lstrip("#").strip() if first.startswith(("# ", "## ")) else ""


def _rows(cell: Cell) -> int:
    return cell.text.count("\n") + 1


class Walk:
    """A reader's way through the steps. `results` holds those of the steps run so far, from the first on.

    A step's code is always run after that of all the steps before it, once each, so that the numbers are the same
    whichever way one walks; `ran` of them have been run since the last beginning. `failure` is the result of the step
    after `results`, where that was run and ended with an error.
    """

    def __init__(self, tutorial: Tutorial) -> None:
        self.tutorial = tutorial
        self.steps = steps_of(tutorial)
        self.results: list[Result] = []
        self.failure: Result | None = None
        self.ran, self._session = 0, Session(tutorial)

    def run(self, number: int, tell: Callable[[int], None] = lambda step: None) -> None:
        """Run step `number`, counted from 0, after those before it that have to be run; `tell` hears of each.

        Where one fails, `results` ends before it. KeyboardInterrupt leaves the results there were.
        """
        if self.ran > number:
            self._forget()
        self.failure = None
        while self.ran <= number:
            here = self.ran
            code = self.steps[here].code
            if code is not None:
                tell(here)
            try:
                result = Result(Output() if code is None else self._session.run(code))
            except BaseException:
                self._forget()
                raise
            if result.failed:
                self._forget()
                del self.results[here:]
                self.failure = result
                return
            self.ran = here + 1
            if here < len(self.results):  # once more, on the way: the numbers are the same, and the guess stays
                result.guess, result.picture = self.results[here].guess, self.results[here].picture
            self.results[here : here + 1] = [result]

    def lend(self) -> dict[str, Any]:
        """The names that the code of the first `ran` steps defines, to do anything with: the next run begins anew."""
        names = self._session.names
        self._forget()
        return names

    def read_again(self) -> bool:
        """Read the file anew; whether it says something else. The results of the steps before the change stay.

        Raises OSError and DataError as `read` does; then nothing has changed.
        """
        before, found = self.steps, read(self.tutorial.path)
        if found.cells == self.tutorial.cells:
            return False
        self.tutorial, self.steps = found, steps_of(found)
        same = [old.text == new.text for old, new in zip(before, self.steps)]
        del self.results[(*same, False).index(False) :]
        self.failure = None
        self._forget()
        return True

    def _forget(self) -> None:
        """Let go of the names: the next run starts at the beginning."""
        self.ran, self._session = 0, Session(self.tutorial)
