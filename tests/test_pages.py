"""The pages that are read on a code-hosting page: each link, picture and anchor in them leads to something that is
there, and so does each path that they, or the tutorials, name as code."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from micrograd_nn.cli.tutorial._source import tutorials

ROOT = Path(__file__).parents[1]
PLACES = "", "docs", "docs/gallery", "tutorials", "benchmarks", "micrograd_nn/_data", "tests/data"
PAGES = sorted(page for place in PLACES for page in (ROOT / place).glob("*.md"))
LINK = re.compile(r"\]\(\s*<?([^\s)>]+)|(?:src|href|srcset)=[\"']([^\"'\s]+)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
FENCED = re.compile(r"^ *(```+|~~~+).*?^ *\1", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`((?:docs|tests|tutorials|benchmarks|micrograd_nn|viz)/[\w/.-]+)`")


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """As the code-hosting sites make them of headings: small letters, no punctuation, hyphens for spaces, and a number
    for each repetition; and those that stand there as HTML."""
    text, found = prose(page), set()
    for heading in re.findall(r"^#{1,6} +(.*?) *#*$", text, re.MULTILINE):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found.add(next(s for s in (slug, *(f"{slug}-{k}" for k in range(1, 99))) if s not in found))
    return found | set(re.findall(r"<\w+ (?:id|name)=\"([^\"]+)\"", text))


def lost(page: Path, root: Path = ROOT) -> list[str]:
    """What a page links to, or shows, that is not there."""
    found = []
    for match in LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(page))):
        address = next(filter(None, match.groups()))
        parts = urlsplit(address)
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if parts.scheme:
            there = parts.scheme in ("https", "mailto")
        else:
            there = target.exists() and target.is_relative_to(root)
            there = there and (not parts.fragment or parts.fragment in anchors(target))
        if not there:
            found.append(address)
    return found


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_all_that_a_page_links_to_or_shows_is_there(page: Path) -> None:
    assert lost(page) == []


def test_the_readme_leads_to_every_page_for_readers_and_to_every_tutorial() -> None:
    linked = {match[1] for match in LINK.finditer(prose(ROOT / "README.md"))}
    assert {f"tutorials/{tutorial.path.name}" for tutorial in tutorials()} <= linked
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= linked


@pytest.mark.parametrize(
    "file", [*PAGES, *(t.path for t in tutorials())], ids=lambda file: f"{file.parent.name}/{file.name}"
)
def test_files_of_the_project_that_are_named_are_there(file: Path) -> None:
    named = NAMED.findall(file.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ("see [b](b.md), [there](b.md#two-words), [here](#top), [c](https://c.org/x)", []),
        ("[of two\nlines](none.md)", ["none.md"]),
        ("![a picture](none.svg)", ["none.svg"]),
        ('<img src="none.svg">', ["none.svg"]),
        ("[b](b.md#three)", ["b.md#three"]),
        ("[here](#topp)", ["#topp"]),
        ("[out](../../elsewhere.md)", ["../../elsewhere.md"]),
        ("[plain](http://c.org)", ["http://c.org"]),
        ("[b]: none.md", ["none.md"]),
        ("`[no](link.md)`\n\n```\n[no](link.md)\n```", []),
    ],
)
def test_what_is_not_there_is_found(tmp_path: Path, written: str, missing: list[str]) -> None:
    (tmp_path / "a.md").write_text(f"# Top\n\n{written}\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("# B\n\n## Two, `words`\n", encoding="utf-8")
    assert lost(tmp_path / "a.md", tmp_path) == missing


def test_anchors_are_those_of_headings_numbered_where_repeated(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Is it so? Yes\n## A `b.c_d` – e\n## Same\n## Same\n```\n# none\n```\n", "utf-8")
    assert anchors(tmp_path / "a.md") == {"is-it-so-yes", "a-bc_d--e", "same", "same-1"}
