"""Reading a tutorial step by step: what is shown when, what the reader can say to it, and what is kept."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Any

from micrograd_nn import run
from micrograd_nn.cli._options import complain
from micrograd_nn.cli.tutorial import _place
from micrograd_nn.cli.tutorial._look import Screen
from micrograd_nn.cli.tutorial._prompt import HELP, Prompt, tried, word
from micrograd_nn.cli.tutorial._shelf import Shelf, is_picture, told
from micrograd_nn.cli.tutorial._source import Tutorial
from micrograd_nn.cli.tutorial._steps import Result, Walk

__all__ = ["Reader"]

_SLOW = 1.0  # seconds; to run again what takes longer is announced
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


class _Instead(Exception):
    """The reader wants to be elsewhere before a step was shown to its end; `seen` is what was, counted in parts."""

    def __init__(self, word: str, seen: int) -> None:
        self.word, self.seen = word, seen


class Reader:
    """One sitting with a tutorial. Without a prompt nobody is asked, and no place is kept."""

    def __init__(self, tutorial: Tutorial, screen: Screen, prompt: Prompt | None, shelf: Shelf) -> None:
        self.walk, self.screen, self.prompt, self.shelf = Walk(tutorial), screen, prompt, shelf
        self._terminal = prompt is not None and prompt.terminal
        self._next = 0  # the step that Enter leads to
        self._failure: tuple[int, Result] | None = None  # the step that did not go well, to be mended and run again
        self._fresh = 0  # rows written since the reader was last asked
        self._section = ""  # the last that was shown
        self._unkept = False  # it has been said that no place can be kept

    def read(self, start: int = 0) -> tuple[int, bool]:
        """Read from step `start` on; returns the exit status, and whether the end was reached."""
        with run.handling(_end, signal.SIGTERM):
            try:
                here = self._passed(start)
                while here < len(self.walk.steps):
                    here = self._step(here)
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
        step, done = self.walk.steps[here], here < len(self.walk.results)
        kind = "on" if done or step.code is None else "guess" if step.predicts and self.prompt else "run"
        if kind == "on" and here == len(self.walk.steps) - 1:
            kind = "end"
        hidden = kind == "guess"  # the code often gives the answer away
        said: str | None = None
        text, seen, cut = "", here, False  # an answer, the step that the reader sees, and whether not to its end
        self._keep(here + done)
        try:
            self._show(here, with_code=not hidden, with_result=done)
        except _Instead as instead:
            said, seen, cut = instead.word, here if instead.seen else here - 1, True
        if self._failure is not None and self._failure[0] == here:
            self._tell(here, self._failure[1])
            kind, hidden = "failed", False
        while True:
            if said is None:
                said, answer = self._asked(kind)
                text = answer or text
            match said:
                case "" if done:
                    return here + 1
                case "" if kind != "failed":
                    if hidden:
                        self._code(here)
                    after, hidden = self._run(here, text), False
                    if after != here:
                        return after
                    kind = "failed" if self._failure is not None else "run"
                case "" | "again" if kind == "failed" or self._last(here) is not None:
                    last = here if kind == "failed" else self._last(here)
                    after = self._anew(last or 0)
                    if after != here or kind != "failed":
                        return after
                case "code" if hidden:
                    self._code(here)
                    hidden = False
                case "back" if seen > 0:
                    return seen - 1
                case "skip" if (section := self._section_after(max(seen, 0))) is not None:
                    return self._passed(section)
                case _:
                    self._here(said, here + done)
                    if cut:
                        return here
            said = None

    def _here(self, said: str, number: int) -> None:
        """Do what is said without going anywhere; `number` steps have been run."""
        match said:
            case "try":
                self._try(number)
            case "help":
                self._write("\n" + "\n".join(map(self.screen.note, HELP.split("\n"))))
            case "quit":
                raise _Stopped
            case _:
                self._note(_REFUSED[said])

    def _show(self, here: int, with_code: bool = True, with_result: bool = False) -> None:
        """Write a step; pauses where the screen would be too full."""
        step, steps = self.walk.steps[here], self.walk.steps
        parts = [self.screen.prose(text) for cell in step.prose if (text := _without_heading(cell.text))]
        if step.code is not None and with_code:
            parts.append(self.screen.code(step.code.text))
        name = step.section if here else f"{self.walk.tutorial.number}. {step.section}"
        heading = self.screen.heading(name, f"{here + 1}/{len(steps)}", step.section != self._section)
        self._section = step.section
        if self._too_much("\n\n".join([heading, *parts])):
            self._more(here, 0)
        for k, part in enumerate(parts or [""]):
            if k and self._too_much(part):
                self._more(here, k)
            self._write(f"\n{part}" if k else f"\n{heading}\n\n{part}")
        if with_result:
            self._tell(here, self.walk.results[here])

    def _code(self, here: int) -> None:
        code = self.walk.steps[here].code
        if code is not None:
            self._write("\n" + self.screen.code(code.text))

    def _run(self, here: int, guess: str = "") -> int:
        """Run a step that is shown, and tell its result; the step to be at then, which is `here` if it is not done."""
        result = self._quietly(here)
        if result is None:
            return here
        at = len(self.walk.results) if result.failed else here
        if not result.failed:
            result.guess = result.guess or guess
        elif at != here:  # one before it, which went well the last time
            return self._failed(at, result)
        self._tell(here, result)
        return self._failed(here, result, told=True) if result.failed else here + 1

    def _anew(self, here: int) -> int:
        """Run the code of a step again, as it stands in the file now; the step to be at then."""
        try:
            changed = self.walk.read_again()
        except (OSError, ValueError) as error:
            self._note(f"The file cannot be read: {error}")
            return here
        if changed:
            self._note("The file has changed since it was read.")
            here = min(here, len(self.walk.steps) - 1)
            if here > len(self.walk.results):
                return self._passed(here)
        with suppress(_Instead):
            self._show(here)
        return self._run(here)

    def _passed(self, target: int) -> int:
        """Run what stands before a step, without showing it; the step to be at then."""
        if target <= len(self.walk.results):
            return target
        result = self._quietly(target - 1)
        if result is not None and result.failed:
            return self._failed(len(self.walk.results), result)
        return len(self.walk.results)

    def _failed(self, here: int, result: Result, told: bool = False) -> int:
        """A step has ended with an error: to be shown, unless it was told, and mended, or the end."""
        self._failure = here, result
        self._keep(here)
        if self._terminal:
            return here
        if not told:
            self._show(here)
            self._tell(here, result)
        raise _Stopped(1)

    def _quietly(self, here: int) -> Result | None:
        """Run a step and what must be run before it; None where the reader interrupted it."""
        self._failure = None
        if self.walk.seconds(here) > _SLOW:
            self._note("The code before it is run again first, which takes a moment.")
        waits = self._terminal and self.screen.alive
        if waits:
            self.screen.write("\n" + self.screen.note("running ..."))
        try:
            result = self.walk.run(here)
        except KeyboardInterrupt as error:
            if not self._terminal or isinstance(error, _Ended):
                raise
            self._note("Interrupted. This step has not been run.")
            return None
        if waits:
            self.screen.wipe(2)
        return result

    def _tell(self, here: int, result: Result) -> None:
        """Write what a step gave: what it printed, beside the guess, and its picture."""
        output, parts = result.output, []
        pictured = is_picture(output.value)
        printed = output.printed + ("" if pictured or output.value is None else f"{output.value!r}\n")
        if result.guess:
            parts.append(self.screen.note("You said: ", result.guess))
        if printed.strip():
            parts.append(self.screen.result(printed))
        if output.error:
            parts.append(self.screen.result(output.error, wrong=True))
        if pictured and result.picture is None:
            text = self.screen.picture(told(output.value, self.screen.width - 4, self.screen.color))
            saved = self.shelf.put(output.value, here + 1)
            result.picture = f"{text}\n\n{self.screen.note(f'Picture: {saved}')}" if saved else text
        if result.picture is not None:
            parts.append(result.picture)
        for part in parts:
            self._write("\n" + part)

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

    def _more(self, here: int, seen: int) -> None:
        """Wait for Enter, `seen` parts of the step having been shown."""
        while said := self._asked("more")[0]:
            if said in ("back", "again", "skip"):
                raise _Instead(said, seen)
            self._here(said, min(here, len(self.walk.results)))

    def _try(self, number: int) -> None:
        """A Python prompt with the names that the first `number` steps define."""
        if not self._terminal:
            self._note("try needs a terminal: nothing was tried.")
            return
        try:
            names = self.walk.names(number)
        except KeyboardInterrupt:
            self._note("Interrupted.")
            return
        self._note("Python, with the names so far; nothing you do here changes the tutorial. Ctrl-D comes back.")
        with run.handling(signal.SIG_DFL, signal.SIGTERM):
            if tried(names, self._display):
                self.walk.forget()
        self._fresh = 0

    def _display(self, value: Any) -> None:
        if is_picture(value):
            self.screen.write(told(value, self.screen.width, self.screen.color))
        elif value is not None:
            self.screen.write(repr(value))

    def _last(self, here: int) -> int | None:
        """The last step up to `here` whose code has been run."""
        known = min(here + 1, len(self.walk.results))
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
                where = error.filename or _place.file()
                complain(f"where you stop cannot be remembered: {where}: {error.strerror or error}.")
            self._unkept = True

    def _too_much(self, text: str) -> bool:
        """Whether this would push off the screen what the reader has not been asked about yet."""
        rows = self._fresh + text.count("\n") + 2
        return self._terminal and self.screen.alive and self._fresh > 0 and rows > self.screen.height - 4

    def _write(self, text: str) -> None:
        self._fresh += text.count("\n") + 1
        self.screen.write(text)

    def _note(self, text: str, strong: str = "") -> None:
        self._write("\n" + self.screen.note(text, strong))


def _without_heading(markdown: str) -> str:
    first, _, rest = markdown.partition("\n")
    return rest.strip() if first.startswith(("# ", "## ")) else markdown


def _end(*_: Any) -> None:
    raise _Ended
