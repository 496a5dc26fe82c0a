"""A tutorial that was run, as a page for the browser: no script, no request but for its own style and pictures."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from micrograd_nn.cli.tutorial._prose import Block, Prose, minutes
from micrograd_nn.cli.tutorial._session import Output
from micrograd_nn.cli.tutorial._source import Cell, Tutorial, exercises_of

if TYPE_CHECKING:
    from viz import Picture

__all__ = ["FACES", "MARK", "Ran", "contents", "page", "style"]

MARK = "micrograd-nn tutorial --html"  # how a site of ours is known
# `file:` is for a page that is opened from disk, which has no origin to be 'self'.
_POLICY = "default-src 'none'; style-src 'self' file:; img-src 'self' file: data:; base-uri 'none'; form-action 'none'"
_COVER = '<details class="answer">\n<summary>See what happens</summary>\n<div class="inside">\n'
_LONG = 36  # characters: a longer line may be wider than a telephone, and the keyboard must be able to scroll it
_ALT = 1_500  # characters of a description
# Colours that are no role of a picture: wash is what code stands on, marked a question, both paler than `pale`.
_EXTRA = {
    "light": {"wash": "#f9f9f7", "marked": "#eff5fa"},
    "dark": {"wash": "#202225", "marked": "#1c2832"},
    "print": {"wash": "#ffffff", "marked": "#ffffff"},
}
# For the list: of which picture a part is shown, by its title; x, y and width of that part, which is half as high.
FACES = {
    "One neuron: σ(w1·x1 + w2·x2 + b)": (0, 42, 582),
    "Four activations; slopes dashed": (22, 112, 392),
    "Two losses, two lines": (432, 190, 344),
    "3 → 4 → 4 → 1": (222, 135, 480),
    "Sums of bumps": (54, 54, 624),
    "Twenty units, L2 from none to strong": (68, 118, 344),
    "A wrong rule, and one that is right": (130, 276, 360),
    "Rate 1.4: when units died": (124, 92, 470),
    "Adam at 0.002: after the last epoch": (180, 46, 300),
    "After training: what each unit sees": (300, 150, 660),
}


@dataclass(slots=True)
class Ran:
    """A tutorial, what each of its cells of code gave, and its pictures by the names of their files."""

    tutorial: Tutorial
    outputs: list[Output] = field(default_factory=list)
    pictures: dict[str, Picture] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its page."""
        return f"{self.tutorial.path.stem}.html"


def page(ran: Ran, all_of_them: Sequence[Ran]) -> str:
    """The page of one of the tutorials."""
    tutorial = ran.tutorial
    prose = Prose({other.tutorial.number: other.name for other in all_of_them}, tutorial.number)
    lead, body, headings = _body(ran, prose)
    place = all_of_them.index(ran)
    before = all_of_them[place - 1] if place else None
    after = all_of_them[place + 1] if place + 1 < len(all_of_them) else None
    return Template(_static("tutorial.html")).substitute(
        policy=_POLICY,
        mark=MARK,
        number=tutorial.number,
        count=len(all_of_them),
        title=escape(tutorial.title),
        minutes=minutes(tutorial.cells),
        steps="".join(_step(other, other is ran) for other in all_of_them),
        sections="".join(f'<li><a href="#{h.anchor}">{escape(h.words)}</a></li>\n' for h in headings),
        lead=lead,
        body=body,
        files=_files(tutorial.number),
        turn=_turn(before, "Previous", "prev") + _turn(after, "Next", "next"),
    )


def contents(all_of_them: Sequence[Ran]) -> str:
    """The page that lists them."""
    prose = Prose({ran.tutorial.number: ran.name for ran in all_of_them})
    rows = "".join(_row(ran, prose) for ran in all_of_them)
    return Template(_static("index.html")).substitute(policy=_POLICY, mark=MARK, rows=rows)


def style() -> str:
    """The one style sheet: the colours of pictures as custom properties, of code, and the rest."""
    from viz._theme import THEMES

    def rule(theme: str) -> str:
        colours = "".join(f"--{role}: {colour}; " for role, colour in (THEMES[theme] | _EXTRA[theme]).items())
        return f":root {{ color-scheme: {'dark' if theme == 'dark' else 'light'}; {colours}}}"

    return (
        f"/* Written by {MARK}. */\n{rule('light')}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ {rule('dark')} }}\n"
        f"@media print {{ {rule('print')} }}\n{_static('site.css')}"
    )


def _static(name: str) -> str:
    return (files("micrograd_nn.cli.tutorial") / "static" / name).read_text(encoding="utf-8")


def _body(ran: Ran, prose: Prose) -> tuple[str, str, list[Block]]:
    """The opening, the rest, and the headings in it.

    What comes after a question is covered until the reader has thought: what the cell gives, the assertions it ends
    with, and the prose that tells the answer, which is what follows up to a heading or the next question.
    """
    lead: list[str] = []
    body: list[str] = []
    headings: list[Block] = []
    end, asked = "", False  # what ends the cover that is open; whether a question has no answer yet
    results, pictures = iter(ran.outputs), iter(ran.pictures.items())
    for place, cell in enumerate(ran.tutorial.cells):
        if cell.kind == "code":
            body.append(end)
            end, output = "", next(results)
            code, checks = _parts(cell, output.value is not None) if asked else (cell.text, "")
            result = _result(output, checks, pictures)
            if asked and result:
                body += [_cell(_code(code), asked=True), _COVER, _cell(result)]
                end = "</div>\n</details>\n"
            else:
                body.append(_cell(_code(code) + result))
            asked = asked and not result  # a cell that shows nothing answers nothing
            continue
        question = ""
        for block in prose.blocks(cell.text):
            if block.kind in ("heading", "predict"):
                body.append(end)
                end = ""
            if block.kind == "heading":
                headings.append(block)
            if block.kind == "predict" or question:
                question += block.html
            elif block.kind != "title":
                (body if place else lead).append(block.html)
        body.append(end)
        end = ""
        if question:
            body.append(f'<div class="predict">\n{question}</div>\n')
        asked = asked or cell.predicts
    return "".join(lead), "".join([*body, end]), headings


def _parts(cell: Cell, pictured: bool) -> tuple[str, str]:
    """A cell in two: the assertions that it ends with tell what comes out, and are covered as that is.

    Between and below them names may be given, and something printed or drawn.
    """
    statements = ast.parse(cell.text).body
    rest = statements[:-1] if pictured else statements
    first, at = len(rest), len(rest) - 1
    while at >= 0 and (_checks(rest[at]) or isinstance(rest[at], (ast.Assign, ast.AugAssign, ast.Expr))):
        first = at if _checks(rest[at]) else first
        at -= 1
    if first in (0, len(rest)):
        return cell.text, ""
    lines, end = cell.text.splitlines(), rest[first - 1].end_lineno
    return "\n".join(lines[:end]), "\n".join(lines[end:]).strip("\n")


def _checks(statement: ast.stmt) -> bool:
    """Whether it is an assertion, or a loop over nothing but these."""
    if isinstance(statement, ast.For):
        return all(map(_checks, statement.body + statement.orelse))
    return isinstance(statement, ast.Assert)


def _cell(inside: str, asked: bool = False) -> str:
    return f'<div class="{"cell asked" if asked else "cell"}">\n{inside}</div>\n' if inside else ""


def _code(text: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    marked = highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).rstrip("\n")
    return f'<pre class="code"{_scrolls(text, "Code")}><code>{marked}</code></pre>\n'


def _result(output: Output, checks: str, pictures: Iterator[tuple[str, Picture]]) -> str:
    """What a cell gave, in the order in which it happened."""
    from viz import Picture

    parts = [_printed(output.printed)] if output.printed.strip() else []
    if checks:
        parts.insert(0 if "print(" in checks else 1, _code(checks))
    if isinstance(output.value, Picture):
        parts.append(_figure(*next(pictures)))
    elif output.value is not None:
        parts.append(_printed(repr(output.value)))
    return "".join(parts)


def _printed(text: str) -> str:
    text = text.rstrip()
    return f'<pre class="output"{_scrolls(text, "Output")}><samp>{escape(text, quote=False)}</samp></pre>\n'


def _scrolls(text: str, name: str) -> str:
    long = max(map(len, text.splitlines()), default=0) > _LONG
    return f' role="group" aria-label="{name}" tabindex="0"' if long else ""


def _figure(name: str, picture: Picture) -> str:
    title, sheet = escape(picture.title), picture._sheet
    told = escape(" ".join(f"{picture.title}. {picture.description}".split())[:_ALT])
    return (
        "<figure>\n"
        f'<div class="picture" role="group" aria-label="Picture: {title}" tabindex="0">'
        f'<img src="pictures/{name}.svg" alt="{told}" width="{sheet.width}" height="{sheet.height}"></div>\n'
        f'<figcaption><a href="pictures/{name}.html" aria-label="Look around in it: {title}">Look around in it</a>'
        "</figcaption>\n</figure>\n"
    )


def _step(ran: Ran, here: bool) -> str:
    tutorial = ran.tutorial
    where = ' aria-current="page"' if here else ""
    name = escape(f"{tutorial.number}. {tutorial.title}")
    return f'<li><a href="{escape(ran.name)}" title="{name}" aria-label="{name}"{where}>{tutorial.number}</a></li>\n'


def _turn(ran: Ran | None, word: str, rel: str) -> str:
    if ran is None:
        return ""
    title = escape(f"{ran.tutorial.number}. {ran.tutorial.title}")
    return f'<a class="{rel}" rel="{rel}" href="{escape(ran.name)}"><span>{word}</span> {title}</a>\n'


def _files(number: int) -> str:
    """Links to the exercises, where there are any."""
    files = exercises_of(number)
    if not files[0].is_file():
        return ""
    links = "".join(f'<li><a href="exercises/{file.name}" download>{file.name}</a></li>\n' for file in files)
    return f'<div class="files">\n<p>To download, into one folder:</p>\n<ul>\n{links}</ul>\n</div>\n'


def _row(ran: Ran, prose: Prose) -> str:
    tutorial = ran.tutorial
    opening = next((b for b in prose.blocks(tutorial.cells[0].text) if b.kind == "text"), None)
    asked = sum(cell.predicts for cell in tutorial.cells)
    facts = [f"about {minutes(tutorial.cells)} minutes"]
    facts += [
        f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((asked, "prediction"), (len(ran.pictures), "picture")) if n
    ]
    title, name = escape(tutorial.title), escape(ran.name)
    return (
        f'<li><a class="go" href="{name}"><span class="n">{tutorial.number}</span> <span class="t">{title}</span></a>\n'
        f"{_face(ran)}{opening.html if opening else ''}"
        f'<p class="facts">{" · ".join(facts)}</p></li>\n'
    )


def _face(ran: Ran) -> str:
    """A part of one of its pictures; it says nothing that the words beside it do not."""
    for name, picture in ran.pictures.items():
        if picture.title in FACES:
            x, y, wide = FACES[picture.title]
            view = f"{x},{y},{wide},{wide / 2:g}"
            return f'<div class="thumb"><img src="pictures/{name}.svg#svgView(viewBox({view}))" alt=""></div>\n'
    return ""
