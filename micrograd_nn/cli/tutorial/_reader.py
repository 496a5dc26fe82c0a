"""Reading a tutorial step by step: what is shown when, what the reader can say to it, and what is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import nullcontext
from textwrap import indent
from typing import Any

from micrograd_nn import run
from micrograd_nn.cli._options import complain
from micrograd_nn.cli.tutorial import _place
from micrograd_nn.cli.tutorial._look import Screen
from micrograd_nn.cli.tutorial._prompt import HELP, Prompt, tried, unechoed, word
from micrograd_nn.cli.tutorial._shelf import Shelf, is_picture, told
from micrograd_nn.cli.tutorial._source import Tutorial
from micrograd_nn.cli.tutorial._steps import Result, Walk

__all__ = ["Reader"]

_KEYS = "b back · s skip · q quit · ? all keys"
_HINTS = {
    "run": f"Enter: run it · {_KEYS}",
    "on": f"Enter: go on · {_KEYS}",
    "more": f"Enter: more · {_KEYS}",
    "end": f"Enter: finish · {_KEYS}",
    "failed": f"Enter: again, once the file is mended · {_KEYS}",
    "guess": "Your answer? Enter alone passes · code shows the code first · ? all keys",
}
_REFUSED = {
    "back": "This is the first step.",
    "again": "No code has been run yet.",
    "skip": "This is the last section.",
    "code": "There is no code here that you have not seen.",
}


class _Ended(KeyboardInterrupt):
    """A request to end (SIGTERM): unlike Ctrl-C in a cell, it ends the program."""


class _Stopped(Exception):
    def __init__(self, status: int = 0) -> None:
        self.status = status


class _Elsewhere(Exception):
    """The reader wants to be at another step before this one was shown to its end."""

    def __init__(self, step: int) -> None:
        self.step = step


class Reader:
    """One sitting with a tutorial. Without a prompt nobody is asked, and no place is kept."""

    def __init__(self, tutorial: Tutorial, screen: Screen, prompt: Prompt | None, shelf: Shelf) -> None:
        self.walk, self.screen, self.prompt, self.shelf = Walk(tutorial), screen, prompt, shelf
        self._terminal = prompt is not None and prompt.terminal
        self._here = 0  # the step that is shown
        self._next = 0  # the step that Enter leads to
        self._at_once = False  # the step that comes is run without asking
        self._fresh = 0  # rows written since the reader was last asked
        self._section = ""  # the last that was shown
        self._unkept = False  # it has been said that no place can be kept

    def read(self, start: int = 0) -> tuple[int, bool]:
        """Read from step `start` on; returns the exit status, and whether the end was reached."""
        self._keep(start)
        with run.handling(_end, signal.SIGTERM):
            try:
                here = self._passed(start)
                if here < start and self.walk.failure is None:  # interrupted: it goes on from `start` the next time
                    raise KeyboardInterrupt
                while here < len(self.walk.steps):
                    try:
                        here = self._step(here)
                    except _Elsewhere as wanted:
                        here = wanted.step
                self._keep(here)
                return 0, True
            except _Stopped as end:
                status = end.status
            except KeyboardInterrupt:
                print()
                status = 130
        if self.prompt is not None:
            number = self.walk.tutorial.number
            place = f"step {self._next + 1} of {len(self.walk.steps)}"
            self._note(f"Stopped at {place}. It goes on from there with ", f"micrograd-nn tutorial {number}")
        return status, False

    def _step(self, here: int) -> int:
        """Show a step, then do what the reader says until another is to be shown; which one that is."""
        walk, step = self.walk, self.walk.steps[here]
        at_once, self._at_once = self._at_once, False
        done = here < len(walk.results) and not at_once
        failure = None if at_once or here != len(walk.results) else walk.failure
        asks = step.predicts and self.prompt is not None and not (done or failure or at_once)
        hidden = asks  # the code often gives the answer away
        self._here = here
        self._keep(here + done)
        for part in self._parts(here, not hidden):
            self._write(part)
        self._section = step.section
        if failure or done:
            self._tell(here, failure or walk.results[here])
        while True:
            if failure and not self._terminal:
                raise _Stopped(1)
            on = "end" if here == len(walk.steps) - 1 else "on"
            kind = "failed" if failure else "guess" if asks else on if done or step.code is None else "run"
            said, guess = ("", "") if at_once else self._asked(kind)
            at_once = False
            if said == "" and done:
                return here + 1
            if hidden and said in ("", "code"):
                self._write(self._code(here))
                hidden = False
                if said:
                    continue
            if said or failure:
                target = self._wanted(said or "again")
                if target is not None:
                    return target
                continue
            asks = False
            if not self._run(here):
                continue
            if len(walk.results) < here:  # one before it failed, which went well the last time
                return len(walk.results)
            failure, done = walk.failure, walk.failure is None
            self._keep(here + done)
            if done and guess:
                walk.results[here].guess = guess
            self._tell(here, failure or walk.results[here])
            if done and not (on == "on" and self._too_much("\n".join(self._parts(here + 1)))):
                return here + 1

    def _wanted(self, said: str) -> int | None:
        """Do what the reader says; the step where that leads, if it leads to one."""
        here, walk = self._here, self.walk
        match said:
            case "back" if here > 0:
                return here - 1
            case "again" if (last := self._last(here)) is not None:
                return self._read_again(last)
            case "skip" if (section := self._section_after(here)) is not None:
                return self._passed(section)
            case "try":
                self._try(min(here + 1, len(walk.results)))
            case "help":
                self._put("\n" + "\n".join(map(self.screen.note, HELP.split("\n"))))
            case "quit":
                raise _Stopped
            case _:
                self._note(_REFUSED[said])
        return None

    def _parts(self, here: int, with_code: bool = False) -> list[str]:
        """A step in pieces that are not torn apart, each after an empty line."""
        step, steps = self.walk.steps[here], self.walk.steps
        name = step.section if here else f"{self.walk.tutorial.number}. {step.section}"
        heading = self.screen.heading(name, f"{here + 1}/{len(steps)}", step.section != self._section)
        prose = [f"\n{self.screen.prose(text)}" for cell in step.prose if (text := _without_heading(cell.text))]
        code = [self._code(here)] if step.code is not None and with_code else []
        first, *others = [*prose, *code] or [""]
        return [f"\n{heading}\n{first}", *others]

    def _code(self, here: int) -> str:
        code = self.walk.steps[here].code
        return "" if code is None else f"\n{self.screen.code(code.text)}"

    def _tell(self, here: int, result: Result) -> None:
        """Write what a step gave: what it printed, beside the guess, and its picture."""
        output = result.output
        pictured = is_picture(output.value)
        printed = output.printed + ("" if pictured or output.value is None else f"{output.value!r}\n")
        guess = [self.screen.note("You said: ", result.guess)] if result.guess else []
        shown = [self.screen.result(printed)] if printed.strip() else []
        wrong = [self.screen.result(output.error, wrong=True)] if output.error else []
        if pictured and result.picture is None:
            text = indent(told(output.value, self.screen.width - 4, self.screen.color), "  ")
            saved = self.shelf.put(output.value, here + 1)
            result.picture = f"{text}\n\n{self.screen.note(f'Picture: {saved}')}" if saved else text
        picture = [] if result.picture is None else [result.picture]
        for part in ["\n\n".join([*guess, *shown]), *wrong, *picture]:
            if part:
                self._write(f"\n{part}")

    def _passed(self, target: int) -> int:
        """Run what stands before a step, without showing it; the step to be at then."""
        if target > len(self.walk.results):
            self._run(target - 1)
        return min(target, len(self.walk.results))

    def _read_again(self, here: int) -> int | None:
        """Make ready to run a step anew, as it stands in the file now; the step to be at then."""
        try:
            changed = self.walk.read_again()
        except (OSError, ValueError) as error:
            self._note(f"The file cannot be read: {error}")
            return None
        if changed:
            self._note("The file has changed since it was read.")
        here = min(here, len(self.walk.steps) - 1)
        found = self._passed(here)
        self._at_once = found == here
        return found

    def _run(self, number: int) -> bool:
        """Run a step and what must be run before it; whether the reader let it end."""
        rows = 0

        def tell(step: int) -> None:
            nonlocal rows
            if self._terminal and self.screen.alive:
                several = f"step {step + 1} of {number + 1} " if rows or step < number else ""
                self.screen.wipe(rows)
                self.screen.write("\n" + self.screen.note(f"running {several}..."))
                rows = 2

        try:
            with unechoed() if self._terminal else nullcontext():
                self.walk.run(number, tell)
        except KeyboardInterrupt as error:
            if not self._terminal or isinstance(error, _Ended):
                raise
            self.screen.wipe(rows)
            self._note("Interrupted. This step has not been run.")
            return False
        self.screen.wipe(rows)
        return True

    def _asked(self, kind: str) -> tuple[str, str]:
        """What the reader says: a command, "" for Enter, or Enter with an answer."""
        while self.prompt is not None:
            line = self.prompt.ask(_HINTS[kind])
            self._fresh = 0
            if line is None:
                raise _Stopped
            said = word(line, kind == "guess")
            if said is not None:
                return said, ""
            if kind == "guess":
                return "", line
            self._note(f"{line[:40]} means nothing here. Enter alone goes on; ? lists what you can say.")
        return "", ""

    def _try(self, number: int) -> None:
        """A Python prompt with the names that the first `number` steps define."""
        if not self._terminal:
            self._note("try needs a terminal: nothing was tried.")
            return
        if self.walk.ran != number and not self._run(number - 1):
            return
        self._note("Python, with the names so far; nothing you do here changes the tutorial. Ctrl-D comes back.")
        with run.handling(signal.SIG_DFL, signal.SIGTERM):
            tried(self.walk.lend(), self._display)
        self._fresh = 0

    def _display(self, value: Any) -> None:
        if is_picture(value):
            self.screen.write(told(value, self.screen.width, self.screen.color))
        elif value is not None:
            self.screen.write(repr(value))

    def _last(self, here: int) -> int | None:
        """The last step up to `here` whose code has been run."""
        known = min(here + 1, len(self.walk.results) + (self.walk.failure is not None))
        return next((k for k in range(known - 1, -1, -1) if self.walk.steps[k].code is not None), None)

    def _section_after(self, here: int) -> int | None:
        steps = self.walk.steps
        return next((k for k in range(here, len(steps)) if steps[k].section != steps[here].section), None)

    def _keep(self, step: int) -> None:
        """Remember that the reader goes on with this step, even if the terminal is closed now."""
        self._next = min(step, len(self.walk.steps) - 1)
        if self.prompt is None:
            return
        try:
            _place.remember(self.walk.tutorial.number, step, self.walk.steps)
        except OSError as error:
            if not self._unkept:
                complain(f"where you stop cannot be remembered: {_place.file()}: {error.strerror or error}.")
            self._unkept = True

    def _write(self, text: str) -> None:
        """Write what the reader is to see; what would push the unread off the screen comes after an Enter."""
        for piece in _pages(text, self._room()):
            while self._too_much(piece) and (said := self._asked("more")[0]):
                target = self._wanted(said)
                if target is not None:
                    raise _Elsewhere(target)
            self._put(piece)

    def _too_much(self, text: str) -> bool:
        """Whether this would push off the screen what the reader has not been asked about yet."""
        alive = self._terminal and self.screen.alive
        return alive and self._fresh > 0 and self._fresh + text.count("\n") + 1 > self._room()

    def _room(self) -> int:
        """Rows for what is read at a time: those of the screen without the prompt."""
        return max(8, self.screen.height - 3)

    def _put(self, text: str) -> None:
        self._fresh += text.count("\n") + 1
        self.screen.write(text)

    def _note(self, text: str, strong: str = "") -> None:
        self._put("\n" + self.screen.note(text, strong))


def _pages(text: str, rows: int) -> Iterator[str]:
    """A text in pieces of at most so many rows, parted at an empty line where there is one in the later half."""
    lines = text.split("\n")
    while len(lines) > rows:
        at = max((k for k in range(rows // 2, rows) if not lines[k]), default=rows)
        yield "\n".join(lines[:at])
        lines = lines[at:]
    yield "\n".join(lines)


def _without_heading(markdown: str) -> str:
    first, _, rest = markdown.partition("\n")
    return rest.strip() if first.startswith(("# ", "## ")) else markdown


def _end(*_: Any) -> None:
    raise _Ended
