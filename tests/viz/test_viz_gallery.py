"""The gallery as a whole: making it again changes nothing, and every picture of it can be read, in every theme."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from reading import SVG, legible, marks_agree, parse

from viz._theme import THEMES

DOCS = Path(__file__).parents[2] / "docs"
GALLERY = DOCS / "gallery"
PICTURES = sorted(GALLERY.glob("*.svg"))


@pytest.mark.slow
def test_making_the_gallery_again_changes_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, DOCS / "make_gallery.py", tmp_path], check=True)
    made = sorted(f.name for f in tmp_path.iterdir())
    assert made == sorted(f.name for f in GALLERY.iterdir())
    for name in made:
        now, kept = (taken_apart(folder / name) for folder in (tmp_path, GALLERY))
        assert now[0] == kept[0], f"{name} is another picture now: python docs/make_gallery.py"
        assert now[1] == pytest.approx(kept[1], rel=1e-3, abs=1e-6), name


def taken_apart(file: Path) -> tuple[list[str], list[float]]:
    """The words of a file and its numbers: of trained weights the last digits depend on the machine."""
    text = file.read_text(encoding="utf-8").replace("−", "-")
    text = re.sub(r"viz[0-9a-f]{10}", "viz", text)  # ids are made of the content
    words = re.split(r"(-?\d+\.?\d*(?:e[-+]?\d+)?)", text)
    return words[::2], [float(number) for number in words[1::2]]


def test_there_is_a_gallery_and_its_page_shows_all_of_it() -> None:
    assert len(PICTURES) >= 15
    page = (GALLERY / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\]\(([\w-]+\.svg)\)", page)) == [f.name for f in PICTURES]


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: p.stem)
def test_nothing_is_too_small_cut_off_or_on_top_of_another(path: Path) -> None:
    legible(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: p.stem)
def test_the_marks_that_are_painted_are_those_that_are_meant(path: Path) -> None:
    marks_agree(path.read_text(encoding="utf-8").replace("='#fff'", "").replace('"#fff"', '"#ffffff"'))


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: p.stem)
def test_each_picture_tells_a_screen_reader_what_it_is(path: Path) -> None:
    root = parse(path.read_text(encoding="utf-8"))
    ids = {node.get("id"): "".join(node.itertext()) for node in root.iter() if node.get("id")}
    assert root.get("role") == "img"
    title, description = (ids[i] for i in root.get("aria-labelledby", "").split())
    assert title
    assert len(description) > 40


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: p.stem)
def test_text_has_the_colours_that_can_be_read(path: Path) -> None:
    theme = THEMES.get(path.stem.rpartition("-")[2], THEMES["light"])
    readable = {theme[role] for role in ("ink", "grey", "positive", "negative")}
    root = parse(path.read_text(encoding="utf-8"))
    assert {text.get("fill") for text in root.iter(f"{SVG}text")} <= readable


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: p.stem)
def test_a_picture_needs_nothing_but_itself(path: Path) -> None:
    """No script, nothing from anywhere else; style is there for colours in the dark alone."""
    root = parse(path.read_text(encoding="utf-8"))
    assert not {node.tag.removeprefix(SVG) for node in root.iter()} & {"script", "foreignObject", "image", "a"}
    for style in root.iter(f"{SVG}style"):
        assert style.text.startswith("@media screen and (prefers-color-scheme:dark)")
        assert not re.search(r"url\(\s*['\"]?[^#'\"]|@import", style.text)
    assert not [key for node in root.iter() for key in node.attrib if "href" in key or key.startswith("on")]
