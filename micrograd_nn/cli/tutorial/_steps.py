"""A walk through a tutorial: its steps, each run in the state that the ones before it leave, however one gets there."""

from __future__ import annotations

import time
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

    def same_text(self, other: Step) -> bool:
        """Whether both say the same, wherever in the file it stands."""
        return [(c.kind, c.text) for c in self.cells] == [(c.kind, c.text) for c in other.cells]


@dataclass(slots=True)
class Result:
    """What a step's code gave, if it has any, how long that took, and the guess made before it."""

    output: Output
    seconds: float = 0.0
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
    whichever way one walks.
    """

    def __init__(self, tutorial: Tutorial) -> None:
        self.tutorial = tutorial
        self.steps = steps_of(tutorial)
        self.results: list[Result] = []
        self._session: Session | None = None
        self._ran = 0  # the steps that the session has run

    def run(self, number: int) -> Result:
        """Run step `number`, counted from 0, after those before it that the session has not run; each is recorded.

        Where one fails, its result is returned, nothing after it is run, and `results` ends before it.
        KeyboardInterrupt leaves the results of the steps before the one that was running.
        """
        if self._session is None or self._ran > number:
            self.forget()
            self._session = Session(self.tutorial)
        while True:
            here, started = self._ran, time.perf_counter()
            code = self.steps[here].code
            try:
                output = Output() if code is None else self._session.run(code)
            except BaseException:
                self.forget()
                del self.results[here:]
                raise
            result = Result(output, time.perf_counter() - started)
            if result.failed:
                self.forget()
                del self.results[here:]
                return result
            self._record(here, result)
            if here == number:
                return result

    def names(self, number: int) -> dict[str, Any]:
        """A copy of the names that the code before step `number` defines; empty where that code fails."""
        if number and self._ran != number:
            self.run(number - 1)
        return {} if self._session is None or not number else dict(self._session.names)

    def seconds(self, number: int) -> float:
        """How long it took, as far as one knows, to run what must be run again before step `number` can be."""
        start = self._ran if self._ran <= number else 0
        return sum(result.seconds for result in self.results[start:number])

    def forget(self) -> None:
        """Let go of the names, which may have been changed: the next run starts at the beginning."""
        self._session, self._ran = None, 0

    def read_again(self) -> bool:
        """Read the file anew; whether it says something else. The results of the steps before the change stay.

        Raises OSError and ValueError as `read` does; then nothing has changed.
        """
        before, found = self.steps, read(self.tutorial.path)
        if found.cells == self.tutorial.cells:
            return False
        self.tutorial, self.steps = found, steps_of(found)
        same = 0
        for old, new in zip(before, self.steps):
            if not old.same_text(new):
                break
            same += 1
        del self.results[same:]
        self.forget()
        return True

    def _record(self, here: int, result: Result) -> None:
        self._ran = here + 1
        if here < len(self.results):  # once more, on the way: the numbers are the same, and the guess stays
            result.guess, result.picture = self.results[here].guess, self.results[here].picture
            self.results[here] = result
        else:
            self.results.append(result)
