"""What the reader says: a word at a prompt, or a line of a pipe; and a Python prompt to try things at."""

from __future__ import annotations

import code
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from micrograd_nn.cli.tutorial._look import Screen

__all__ = ["HELP", "Prompt", "tried", "unechoed", "word"]

ON = ""  # Enter alone
_WORDS = ("back", "again", "skip", "try", "code", "quit", "help")
_OTHERS = {"exit": "quit", "?": "help", "q": "quit"}  # these are never an answer to a question
HELP = """\
Enter   go on: show more, or run the code that is shown
back    the step before, with its result
again   run the last code anew, from the file as it is now
skip    on to the next section; the code in between is run
try     a Python prompt with the names of the tutorial; Ctrl-D comes back
code    at a question: show the code before you answer
quit    stop; the next time goes on from here (so does Ctrl-D)
A first letter is enough, but at a question it is taken as your answer.\
"""


class Prompt:
    """Asks on the terminal, where there is one, or reads a line of what is piped in."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.terminal = sys.stdin is not None and sys.stdin.isatty()
        if self.terminal:
            with suppress(ImportError):
                import readline  # noqa: F401 - arrow keys work
        elif hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(errors="replace")

    def ask(self, hint: str) -> str | None:
        """The line that was typed or piped in, None at the end; after an Enter alone the prompt is gone again."""
        if not self.terminal:
            line = sys.stdin.readline() if sys.stdin is not None else ""
            return "".join(c if c.isprintable() else " " for c in line).strip() if line else None
        shown = self.screen.note(hint)
        self.screen.write("\n" + shown)
        try:
            line = input("  > ")
        except EOFError:
            print()
            return None
        line = "".join(c if c.isprintable() else "?" for c in line).strip()
        if len(line) < self.screen.width - 8:
            self.screen.wipe(shown.count("\n") + 3)
        return line


def word(line: str, question: bool) -> str | None:
    """The command that a line is; None where it is none. At a question a letter alone is an answer."""
    said = line.lower()
    if said == ON or said in _WORDS:
        return said
    if said in _OTHERS:
        return _OTHERS[said]
    return None if question else next((word for word in _WORDS if said == word[0]), None)


@contextmanager
def unechoed() -> Iterator[None]:
    """Keys typed meanwhile are not shown, where they would stand amid a result: the next prompt has them."""
    if sys.platform == "win32":
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def tried(names: dict[str, Any], show: Any) -> None:
    """A Python prompt with these names, until Ctrl-D. `show` tells what comes out."""
    before, sys.displayhook = sys.displayhook, show
    try:  # the exit that Python puts there closes the input
        code.InteractiveConsole({**names, "exit": sys.exit, "quit": sys.exit}).interact(banner="", exitmsg="")
    except SystemExit:
        pass
    finally:
        sys.displayhook = before
