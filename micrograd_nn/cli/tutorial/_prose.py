"""The prose of a tutorial as HTML: Markdown in blocks, headings with anchors, and "tutorial 7" as a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

from micrograd_nn.cli.tutorial._source import Cell

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["Block", "Prose", "minutes"]

# "tutorial 7", and what may follow it in a sentence: "tutorials 3, 4 and 5"; each number is a link.
_TUTORIALS = re.compile(r"\b[Tt]utorials? \d+(?:(?:, | and | or | to )\d+)*")
_NUMBER = re.compile(r"(?:[Tt]utorial )?\d+")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list or table as HTML; `predict` is a paragraph that asks for a prediction.

    `words` is the text of a heading, `anchor` the name that it can be linked to by.
    """

    kind: Literal["title", "heading", "predict", "text"]
    html: str
    words: str = ""
    anchor: str = ""


class Prose:
    """Reads the prose of one page. `pages` says where the tutorials are, by number; the page's own is not linked.

    >>> prose = Prose({2: "02_activation_functions.html"})
    >>> [block.html.strip() for block in prose.blocks("See *how*, in tutorial 2.")]
    ['<p>See <em>how</em>, in <a href="02_activation_functions.html">tutorial 2</a>.</p>']
    """

    def __init__(self, pages: Mapping[int, str] | None = None, own: int = 0) -> None:
        from markdown_it import MarkdownIt

        self._pages = {number: page for number, page in (pages or {}).items() if number != own}
        self._anchors: set[str] = set()
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._markdown.add_render_rule("table_open", lambda *_: f"{_SCROLLS}<table>\n")
        self._markdown.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")

    def blocks(self, text: str) -> list[Block]:
        """The blocks of a cell, in order."""
        found, group = [], []
        for token in self._markdown.parse(text):
            if style := token.attrs.pop("style", None):  # of a table's cell: the page allows no style but its own
                token.attrs["class"] = str(style).removeprefix("text-align:")
            group.append(token)
            if token.level == 0 and token.nesting <= 0:
                found.append(self._block(group))
                group = []
        return found

    def _block(self, group: list[Token]) -> Block:
        first = group[0]
        inline = [token for token in group if token.type == "inline"]
        for token in inline:
            token.children = _joined(token.children or [])
        if first.type == "heading_open":
            if first.tag == "h1":
                return Block("title", self._html(group))
            words = "".join(child.content for child in inline[0].children or [])
            anchor = self._anchor(words)
            first.attrs = {"id": anchor}
            html = re.sub(r"(<h\d[^>]*>)(.*)(</h\d>)", rf'\1<a href="#{anchor}">\2</a>\3', self._html(group))
            return Block("heading", html, words, anchor)
        asks = first.type == "paragraph_open" and group[1].content.startswith("**Predict.**")
        for token in inline:
            self._link(token.children or [])
        return Block("predict" if asks else "text", self._html(group))

    def _html(self, group: Sequence[Token]) -> str:
        return str(self._markdown.renderer.render(group, self._markdown.options, {}))

    def _anchor(self, words: str) -> str:
        """A name for a heading, no other's on this page."""
        plain = re.sub(r"\W+", "-", words.lower()).strip("-") or "section"
        anchor, count = plain, 1
        while anchor in self._anchors:
            count += 1
            anchor = f"{plain}-{count}"
        self._anchors.add(anchor)
        return anchor

    def _link(self, children: list[Token]) -> None:
        """Make links of the names of other tutorials, but for what is in a link already."""
        inside = 0
        for token in children:
            inside += (token.type == "link_open") - (token.type == "link_close")
            if token.type == "text" and not inside:
                token.type = "html_inline"
                token.content = _TUTORIALS.sub(self._links, escape(token.content, quote=False))

    def _links(self, mention: re.Match[str]) -> str:
        def link(name: re.Match[str]) -> str:
            page = self._pages.get(int(name[0].split()[-1]))
            return name[0] if page is None else f'<a href="{escape(page)}">{name[0]}</a>'

        return _NUMBER.sub(link, mention[0])


# What may be wider than the page scrolls in a box of its own, by keyboard too.
_SCROLLS = '<div class="scroll" role="group" aria-label="Table" tabindex="0">\n'


def _joined(children: list[Token]) -> list[Token]:
    """Sentences as one text each, however they were wrapped in the file: a name may stand over the end of a line.

    What is one word as code is marked: a browser would break it at its hyphens.
    """
    joined: list[Token] = []
    for token in children:
        if token.type == "softbreak":
            token.type, token.tag, token.content = "text", "", " "
        if token.type == "text" and joined and joined[-1].type == "text":
            joined[-1].content += token.content
        else:
            if token.type == "code_inline" and len(token.content) <= 20 and " " not in token.content:
                token.attrs["class"] = "word"
            joined.append(token)
    return joined


def minutes(cells: Sequence[Cell]) -> int:
    """About how long a student takes: reading, following the code, thinking at each prediction; in steps of 5."""
    words = sum(len(cell.text.split()) for cell in cells if cell.kind == "markdown")
    lines = sum(cell.text.count("\n") + 1 for cell in cells if cell.kind == "code")
    asked = sum(cell.predicts for cell in cells)
    return max(5, 5 * round((words / 200 + lines / 30 + asked / 2) / 5))
