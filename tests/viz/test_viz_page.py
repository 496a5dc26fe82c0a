"""The offline page as a document, read without a browser: what it holds, and that it can ask for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
import viz
from viz._sheet import Sheet, Table
from viz._text import clean
from viz._theme import THEMES
from viz.export._page import write_html

HOSTILE = [
    "</script><script>window.__hit=1</script>", "</style>", "<b>bold</b>", "\"'><img src=x onerror=alert(1)>",
    "a\nb\r\x00", "🦊👩‍🔬", "שלום\u202eעולם", "x" * 10_000, "${title}$title", "<!--", "]]>", "&amp;&lt;", "digraph{",
]  # fmt: skip


class Reader(HTMLParser):
    """What a browser would make of a page: its tags with their attributes, and the text in each kind of tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)
            self.text.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text[self.open[-1]][-1] += data


def sheet(title: str = "A picture", rows: list | None = None, **changed: str) -> Sheet:
    table = Table("Facts", ("name", "number"), [("a", 0.1)] if rows is None else rows)
    kept = {"note": "", "description": "Two boxes.", **changed}
    return Sheet("history", title, kept["note"], kept["description"], 100, 80, "<g data-drawing=''/>", [table])


def neuron(name: str = "x1") -> viz.Picture:
    x, w = mg.Value(2.0, name), mg.Value(-3.0, "w1")
    out = (x * w + 6.8814).tanh()
    out.backward()
    return viz.draw(out)


def test_only_the_style_and_the_script_of_the_page_may_run() -> None:
    page = write_html(neuron()._sheet, "light")
    read = Reader(page)
    policy = next(a["content"] for tag, a in read.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed.pop("default-src") == "'none'"
    for kind in ("script", "style"):
        (text,) = read.text[kind]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed.pop(f"{kind}-src") == f"'sha256-{digest}'"
    assert allowed == {"img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}


def test_the_page_names_no_address() -> None:
    page = write_html(neuron()._sheet, "dark")
    assert set(re.findall(r"https?://[^\s\"'<]+", page)) == {"http://www.w3.org/2000/svg"}
    for tag, attributes in Reader(page).tags:
        assert not {"src", "srcset", "action", "data", "style", "onload", "onclick"} & set(attributes), tag
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))


@pytest.mark.parametrize("theme", THEMES)
def test_the_page_opens_in_the_theme_of_the_picture_and_carries_them_all(theme: str) -> None:
    page = write_html(neuron()._sheet, theme)
    assert dict(Reader(page).tags)["html"]["data-theme"] == theme
    for palette in THEMES.values():
        assert all(f"--{role}:{colour}" in page for role, colour in palette.items())
    svg = page[page.index("<svg") : page.index("</svg>")]
    assert not re.search(r"#[0-9a-f]{6}\b", svg), "a colour that no theme can change"
    assert set(re.findall(r"var\(--([a-z]+)\)", svg)) <= set(THEMES["light"])


def test_an_unknown_theme_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="'light', 'dark', 'print', 'auto', not 'pink'"):
        write_html(sheet(), "pink")


def test_the_tables_hold_each_number_in_full() -> None:
    rows = [("a", 0.1 + 0.2), ("b", None), ("c", True), ("d", 7), ("e", float("nan")), ("f", -1e-300)]
    read = Reader(write_html(sheet(rows=rows), "light"))
    assert read.text["td"] == ["0.30000000000000004", "–", "yes", "7", "nan", "-1e-300"]
    assert [a["scope"] for tag, a in read.tags if tag == "th"] == ["col"] * 2 + ["row"] * 6
    assert read.text["caption"] == ["Facts "]


def test_a_graphs_tables_are_those_of_its_sheet() -> None:
    drawn = neuron()._sheet
    page = write_html(drawn, "light")
    read = Reader(page)
    assert len(read.text["tr"]) == sum(1 + len(table.rows) for table in drawn.tables)
    for table in drawn.tables:
        numbers = [cell for row in table.rows for cell in row[1:] if isinstance(cell, float)]
        assert all(repr(x) in read.text["td"] for x in numbers)


def test_a_very_long_table_is_whole_and_says_what_paper_leaves_out() -> None:
    page = write_html(sheet(rows=[(f"r{i}", float(i)) for i in range(1_700)]), "light")
    assert page.count('<th scope="row"') == 1_700
    assert "1,200 more rows" in page
    assert "more rows" not in write_html(sheet(), "light")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_a_hostile_name_is_text_wherever_it_is_shown(name: str) -> None:
    page = write_html(neuron(name)._sheet, "light")
    read = Reader(page)
    tags = [tag for tag, _ in read.tags]
    assert (tags.count("script"), tags.count("style"), tags.count("img"), tags.count("b")) == (1, 1, 0, 0)
    assert any(clean(name, 20)[:15] in cell for cell in read.text["td"] + read.text["th"])


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_stays_text(title: str, cell: str) -> None:
    drawn = sheet(title, [(cell, 1.0)], note=cell, description=title)
    read = Reader(write_html(drawn, "light"))
    plain = Reader(write_html(sheet("t", [("c", 1.0)], note="n"), "light"))
    assert [tag for tag, _ in read.tags] == [tag for tag, _ in plain.tags]
    assert read.text["title"][0] == clean(title, 200)
    assert read.text["th"][-1] == clean(cell, 1_000)


def test_saving_as_html_writes_this_page(tmp_path: Path) -> None:
    picture = neuron()
    assert picture.save(tmp_path / "a.html").read_text(encoding="utf-8") == write_html(picture._sheet, "light")


def test_the_script_asks_for_nothing_and_makes_no_markup_from_text() -> None:
    script = (Path(viz.__file__).parent / "static" / "page.js").read_text(encoding="utf-8")
    forbidden = r"\b(fetch|XMLHttpRequest|WebSocket|import|eval|Function|innerHTML|outerHTML|insertAdjacentHTML)\b"
    assert not re.search(forbidden, re.sub(r"//.*|/\*.*?\*/", "", script))
    assert "</script" not in script


@pytest.mark.slow
def test_a_wheel_brings_the_static_files_along(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
    root = Path(viz.__file__).parents[1]
    made = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    assert {"viz/static/page.js", "viz/static/page.css", "viz/static/page.html"} <= set(names)
    assert json.dumps(names).count("node_modules") == 0
    tutorials = {
        f"micrograd_nn/_tutorials/{f.relative_to(root / 'tutorials')}" for f in (root / "tutorials").rglob("*.py")
    }
    assert len(tutorials) > 30
    assert tutorials <= set(names)
