"""How a tutorial looks in a terminal: prose, code and results as lines of text, in colours where there are any."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from functools import cached_property
from textwrap import wrap
from typing import Any

__all__ = ["Screen", "plain"]

_PROSE = 82  # columns: longer lines are hard to read
_RULE = 92  # as wide as code comes
_WIDEST = 120  # a picture
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_HOLLOW = re.compile(r"^(\x1b\[[\d;]*m| )+$", re.MULTILINE)  # a line that only looks empty
_GREY, _BLUE, _ORANGE = "color(243)", "color(32)", "color(166)"  # each can be read on white and on black
_STYLES = {
    "markdown.code": f"bold {_BLUE}", "markdown.item.bullet": _GREY, "markdown.item.number": _GREY,
    "markdown.h1": "bold", "markdown.h2": "bold", "markdown.h3": "bold", "markdown.link": "underline",
    "markdown.table.border": _GREY, "markdown.table.header": "bold", "table.header": "bold",
}  # fmt: skip
_TOKENS = {
    "Comment": f"italic {_GREY}", "Keyword": "bold color(32)", "Operator.Word": "bold color(32)",
    "Literal.String": "color(29)", "Literal.Number": _ORANGE, "Literal.String.Interpol": _ORANGE,
    "Name.Function": "bold", "Name.Class": "bold", "Name.Builtin": "color(133)", "Name.Exception": "color(133)",
    "Name.Decorator": "color(133)",
}  # fmt: skip


class Screen:
    """What is written to: a terminal, or a file or pipe, which gets plain text. Its methods give lines to `write`."""

    def __init__(self) -> None:
        from rich.console import Console

        stream = sys.stdout
        real = Console(file=stream)
        self.alive = real.is_terminal and not real.is_dumb_terminal and not real.legacy_windows  # knows escape codes
        self.color = self.alive and real.color_system is not None and not real.no_color
        self._system: Any = real.color_system if self.alive else None
        self._no_color = real.no_color
        self.encoding = getattr(stream, "encoding", None)

    @property
    def width(self) -> int:
        """Columns that are used; a terminal may change its size."""
        return max(40, min(shutil.get_terminal_size((80, 24)).columns, _WIDEST))

    @property
    def height(self) -> int:
        """Rows there are."""
        return shutil.get_terminal_size((80, 24)).lines

    def write(self, text: str = "") -> None:
        """Print lines, in ASCII where the terminal knows no more."""
        from micrograd_nn.cli._draw import written_for

        print(written_for(text, self.encoding), flush=True)

    def heading(self, name: str, counter: str, strong: bool) -> str:
        """A rule across the screen, the section's name at its left and the counter at its right."""
        from rich.cells import cell_len

        width = min(self.width, _RULE)
        room = width - cell_len(counter) - 8
        name = plain(name)
        name = name if cell_len(name) <= room else f"{name[: room - 1]}…"
        rule = "─" * (width - cell_len(name) - cell_len(counter) - 7)
        return self._styled([("── ", _GREY), (name, "bold" if strong else _GREY), (f" {rule} {counter} ─", _GREY)])

    def entry(self, number: int, title: str, far: str, about: str, here: bool, short: bool) -> str:
        """A tutorial in the list: its title, how far one is, and under it what it is about."""
        from rich.cells import cell_len

        width, title = min(self.width, _RULE), plain(title)
        dots = "·" * max(2, width - cell_len(title) - len(far) - 9)
        head = [(f"  {number:2}  ", "bold" if here else _GREY), (title, "bold"), (f" {dots} ", _GREY)]
        told = wrap(about, width - 8, max_lines=1 if short else None, placeholder=" …")
        return "\n".join([self._styled([*head, (far, "bold" if here else _GREY)]), *(f"      {t}" for t in told)])

    def prose(self, markdown: str) -> str:
        """Markdown, as paragraphs, lists and tables."""
        from rich.markdown import Markdown
        from rich.padding import Padding

        if not self.alive:  # where there is no bold, the marks say what is code
            markdown = _INLINE.sub(r"`` `\1` ``", markdown)
        shown = self._rendered(Padding(Markdown(markdown), (0, 0, 0, 2)), min(self.width, _PROSE))
        return re.sub(r"\n{3,}", "\n\n", _HOLLOW.sub("", shown)).strip("\n")  # no more air around lists and tables

    def code(self, text: str) -> str:
        """Python, coloured; a line that is too long goes on under its own beginning, further in."""
        from pygments.token import string_to_tokentype
        from rich.style import Style
        from rich.syntax import ANSISyntaxTheme, Syntax

        theme = ANSISyntaxTheme({string_to_tokentype(name): Style.parse(style) for name, style in _TOKENS.items()})
        coloured = Syntax("", "python", theme=theme).highlight(text)
        coloured.rstrip()
        return "\n".join(self._rendered(part) for line in coloured.split("\n") for part in _fitted(line, self.width))

    def result(self, text: str, wrong: bool = False) -> str:
        """What a cell printed, or the traceback of its error: set off by a bar."""
        bar = ("  │ ", _ORANGE if wrong else _BLUE)
        lines = text.expandtabs().rstrip().split("\n")
        if self.alive:  # a file keeps its lines as they are
            lines = [part for line in lines for part in _folded(line, self.width - 4)]
        return "\n".join(self._styled([bar, (line, "")]) for line in lines)

    def note(self, text: str, strong: str = "") -> str:
        """What the program says, in its own voice: quieter than the tutorial. `strong` at its end is not."""
        from rich.text import Text

        said = Text.assemble((text, _GREY), (strong, "bold" if self.alive else ""))
        lines = said.wrap(self._console, min(self.width, _PROSE) - 2)
        return "\n".join("  " + self._rendered(line) for line in lines)

    def wipe(self, lines: int) -> None:
        """Take back the last lines, if the terminal can."""
        if self.alive and lines:
            print(f"\x1b[{lines}A\r\x1b[J", end="", flush=True)

    def _styled(self, parts: Iterable[tuple[str, str]]) -> str:
        from rich.text import Text

        return self._rendered(Text.assemble(*((text, style) for text, style in parts)))

    def _rendered(self, what: Any, width: int | None = None) -> str:
        with self._console.capture() as found:
            self._console.print(what, soft_wrap=width is None, width=width)
        return "\n".join(line.rstrip() for line in found.get().rstrip("\n").split("\n"))

    @cached_property
    def _console(self) -> Any:
        from rich.console import Console
        from rich.theme import Theme

        return Console(
            force_terminal=self.alive, color_system=self._system, no_color=self._no_color, width=_WIDEST,
            theme=Theme(_STYLES), highlight=False, markup=False, emoji=False, legacy_windows=False,
        )  # fmt: skip


def plain(markdown: str) -> str:
    """A line of Markdown without its marks.

    >>> plain("Is `a*b` a *Value*?")
    'Is a*b a Value?'
    """
    parts = re.split(r"`([^`]*)`", markdown)
    return "".join(part if k % 2 else re.sub(r"\*+(\S.*?)\*+", r"\1", part) for k, part in enumerate(parts))


def _fitted(line: Any, width: int) -> list[Any]:
    """A line of code, indented by four, in as many pieces as the width asks for."""
    indent, pieces = 4, []
    own = len(line.plain) - len(line.plain.lstrip())
    while len(line.plain) + indent > width:
        room = width - indent
        at = line.plain.rfind(" ", own + 1, room) + 1 or room
        head, line = line.divide([at])
        head.rstrip()
        pieces.append((indent, head))
        indent, own = 8 + own if len(pieces) == 1 else indent, 0
    pieces.append((indent, line))
    from rich.text import Text

    return [Text(" " * indent) + piece for indent, piece in pieces]


def _folded(line: str, width: int) -> list[str]:
    """A line of a result in as many pieces as the width asks for, the later ones a little further in."""
    start = " " * min(len(line) - len(line.lstrip()), width // 2)
    return wrap(line, width, subsequent_indent=f"{start}  ", break_on_hyphens=False) or [""]
