"""Reading a written site: the elements of a page, what they refer to, and whether that is there."""

from __future__ import annotations

import ast
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from micrograd_nn.cli.tutorial._source import Tutorial

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart: `elements` are (tag, attributes, text, tags and classes around it), in order."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.elements: list[tuple[str, dict[str, str], list[str], list[str]]] = []
        self._open: list[tuple[str, dict[str, str], list[str], list[str]]] = []
        self.feed(file.read_text(encoding="utf-8"))
        assert not self._open, f"{file.name}: {self._open[-1][0]} is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        around = [f"{t}.{a.get('class', '')}" for t, a, *_ in self._open]
        element = (tag, {k: v or "" for k, v in attrs}, [], around)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1][0] == tag, f"{self.file.name}: {tag} closes {self._open[-1][0]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for _, _, text, _ in self._open:
            text.append(data)

    def all(self, tag: str, kind: str = "") -> list[tuple[dict[str, str], str, list[str]]]:
        return [
            (a, "".join(t), around)
            for name, a, t, around in self.elements
            if name == tag and kind in a.get("class", "")
        ]

    def text(self, tag: str, kind: str = "") -> list[str]:
        return [text for _, text, _ in self.all(tag, kind)]


def pages(site: Path) -> list[Page]:
    return [Page(file) for file in sorted(site.glob("*.html"))]


def broken(site: Path) -> list[str]:
    """What pages refer to that is not in the site: files, anchors, pictures, ids."""
    anchors = {p.file: {a["id"] for _, a, *_ in p.elements if "id" in a} for p in pages(site)}
    found = []
    for file, page in ((p.file, p) for p in pages(site)):
        for tag, attributes, *_ in page.elements:
            found += [
                f"{file.name}: {tag} {name}={attributes[name]}"
                for name in ("href", "src")
                if name in attributes and not there(file, attributes[name], anchors)
            ]
            labels = attributes.get("aria-labelledby", "").split()
            found += [f"{file.name}: no {label}" for label in labels if label not in anchors[file]]
    return found


def there(file: Path, address: str, anchors: dict[Path, set[str]]) -> bool:
    parts = urlsplit(address)
    if parts.scheme:
        return parts.scheme in ("data", "https")
    target = file if not parts.path else (file.parent / unquote(parts.path)).resolve()
    if not target.is_file():
        return False
    return not parts.fragment or target not in anchors or unquote(parts.fragment) in anchors[target]


def code_is_kept(page: Page, tutorial: Tutorial) -> None:
    """The page's code, in order, is the tutorial's, but for blank lines between two parts of a cell."""
    shown = "\n".join(page.text("pre", "code"))
    source = "\n".join(cell.text for cell in tutorial.cells if cell.kind == "code")
    told, meant = ([line for line in text.splitlines() if line.strip()] for text in (shown, source))
    assert told == meant
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(source))
