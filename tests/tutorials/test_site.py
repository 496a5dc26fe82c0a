"""The site: executed, linked, covered where a prediction is asked for, and careful with what is in its folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sites import Page, broken, code_is_kept, pages

from micrograd_nn import data
from micrograd_nn.cli.tutorial import _site
from micrograd_nn.cli.tutorial._source import exercises_of, read, tutorials


@pytest.fixture(scope="module")
def page(small_site: Path) -> Page:
    return Page(small_site / "01_products.html")


def inside(around: list[str]) -> bool:
    return "details.answer" in around


def test_there_is_a_page_for_each_and_one_that_lists_them_in_order(small_site: Path) -> None:
    assert {f.name for f in small_site.iterdir() if f.is_file()} == {
        "index.html", "site.css", "01_products.html", "02_many_numbers.html"
    }  # fmt: skip
    links = [(a["href"], t) for a, t, _ in Page(small_site / "index.html").all("a", "go")]
    assert links == [("01_products.html", "1 Products & <sums>"), ("02_many_numbers.html", "2 Many numbers")]


def test_each_page_leads_to_the_next_the_previous_and_the_list(small_site: Path) -> None:
    turns = {p.file.stem: [(a["rel"], a["href"]) for a, *_ in p.all("a") if "rel" in a] for p in pages(small_site)}
    assert turns["01_products"] == [("next", "02_many_numbers.html")]
    assert turns["02_many_numbers"] == [("prev", "01_products.html")]
    assert all("index.html" in [a["href"] for a, *_ in p.all("a")] for p in pages(small_site)[:2])


def test_every_link_anchor_and_picture_is_there(small_site: Path) -> None:
    assert broken(small_site) == []


def test_sections_are_listed_and_two_of_one_name_have_anchors_of_their_own(page: Page) -> None:
    assert [a["id"] for a, *_ in page.all("h2")] == ["two-numbers", "two-numbers-2"]
    listed = [a["href"] for a, _, around in page.all("a") if "nav.sections" in around]
    assert listed == ["#two-numbers", "#two-numbers-2"]


def test_the_names_of_other_tutorials_are_links_in_prose_and_nowhere_else(page: Page) -> None:
    links = [(a["href"], t) for a, t, around in page.all("a") if "header.opening" in around]
    assert links == [("02_many_numbers.html", "tutorial 2"), ("02_many_numbers.html", "2")]
    assert "micrograd-nn tutorial 2" in page.text("code")
    assert not [a for a, _, around in page.all("a") if "code." in around]


def test_the_code_is_the_source_s(small_site: Path, two: list[Path]) -> None:
    for file in two:
        code_is_kept(Page(small_site / f"{file.stem}.html"), read(file))


def test_what_was_printed_and_drawn_is_there(page: Page) -> None:
    assert page.text("pre", "output") == ["-6.0 <script>alert(1)</script>", "the answer is -1.5", "told of b: 2.0"]
    assert [a["src"] for a, *_ in page.all("img")] == ["pictures/01-1.svg", "pictures/01-2.svg"]


def test_nothing_tells_the_answer_before_it_is_uncovered(page: Page) -> None:
    covered = page.text("details")
    assert len(covered) == 2
    assert "the answer is -1.5" in covered[0]
    assert "assert more.data - c.data == -1.5\nfor value in (more, c):" in covered[0]
    assert "The telling paragraph" in covered[0]
    assert "And another one" in covered[0]
    assert covered[1].index("assert b.grad == 2.0") < covered[1].index("told of b: 2.0")
    assert "What the picture tells" in covered[1]
    assert [inside(around) for _, _, around in page.all("figure")] == [True, False]
    open_text = [t for tag, _, t, around in page.elements if tag in ("p", "pre") and not inside(around)]
    seen = " ".join("".join(t) for t in open_text)
    for word in ("answer is -", "telling", "another one", "assert", "told of b", "What the picture"):
        assert word not in seen
    assert "A paragraph before" in seen
    assert "A paragraph after" in seen
    assert "more = (a + 0.5) * b" in seen


def test_a_question_stands_apart_with_all_that_belongs_to_it(page: Page) -> None:
    first, second = (" ".join(text.split()) for text in page.text("div", "predict"))
    assert first == "Predict. By how much does c change if a grows by 0.5? by 0.5 by −1.5"
    assert second == "Predict. And what is the gradient of b?"


def test_a_picture_is_a_file_that_follows_light_and_dark_with_a_page_of_its_own(small_site: Path, page: Page) -> None:
    attributes = page.all("img")[0][0]
    svg = (small_site / attributes["src"]).read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in svg
    assert f'width="{attributes["width"]}" height="{attributes["height"]}"' in svg
    assert attributes["alt"].startswith("A product & its gradients. 3 boxes and 2 edges.")
    link = next(a for a, t, _ in page.all("a") if t == "Look around in it")
    assert link["href"] == "pictures/01-1.html"
    assert "<!doctype html>" in (small_site / link["href"]).read_text(encoding="utf-8")


def test_pages_run_nothing_and_ask_nobody(small_site: Path) -> None:
    for one in pages(small_site):
        policy = next(a["content"] for a, *_ in one.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
        assert policy.startswith("default-src 'none'")
        assert one.all("script") == []
        assert not [a for _, a, *_ in one.elements if "style" in a or any(name.startswith("on") for name in a)]
    assert "url(" not in (small_site / "site.css").read_text(encoding="utf-8")


def test_exercises_can_be_downloaded(small_site: Path) -> None:
    for number, name in ((1, "01_products"), (2, "02_many_numbers")):
        files = exercises_of(number)
        links = [a["href"] for a, *_ in Page(small_site / f"{name}.html").all("a") if "download" in a]
        assert links == [f"exercises/{file.name}" for file in files if files[0].is_file()]
        for file in files if links else []:
            assert (small_site / "exercises" / file.name).read_bytes() == file.read_bytes()


def content(site: Path) -> dict[str, bytes]:
    return {str(f.relative_to(site)): f.read_bytes() for f in sorted(site.rglob("*")) if f.is_file()}


def test_two_runs_write_the_same_bytes(small_site: Path, two: list[Path], tmp_path: Path) -> None:
    _site.write([read(file) for file in two], tmp_path, str)
    assert content(tmp_path) == content(small_site)


def test_it_says_which_tutorial_is_running(two: list[Path], tmp_path: Path) -> None:
    heard: list[str] = []
    assert _site.write([read(two[1])], tmp_path / "a" / "b", heard.append) == tmp_path / "a" / "b" / "index.html"
    assert heard == ["Running tutorial 2, Many numbers"]


# What is in the folder already.


def test_an_older_site_is_replaced_and_nothing_else_is_touched(two: list[Path], tmp_path: Path) -> None:
    _site.write([read(two[1])], tmp_path, str)
    fresh = content(tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    (tmp_path / "pictures" / "mine.svg").write_text("kept")
    (tmp_path / "02_many_numbers.html").write_text("old")
    _site.write([read(two[1])], tmp_path, str)
    assert content(tmp_path) == fresh | {"mine.txt": b"kept", "pictures/mine.svg": b"kept"}


def test_what_a_killed_run_left_is_replaced(two: list[Path], tmp_path: Path) -> None:
    _site.write([read(two[1])], tmp_path, str)
    (tmp_path / "index.html").unlink()
    assert _site.write([read(two[1])], tmp_path, str).is_file()


@pytest.mark.parametrize("name", ["index.html", "site.css", "02_many_numbers.html", "exercises/x", "pictures/x"])
def test_a_folder_with_anything_of_somebody_else_s_is_refused(two: list[Path], tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("theirs")
    with pytest.raises(data.DataError, match=r"is not ours") as refused:
        _site.write([read(two[1])], tmp_path, pytest.fail)
    assert "\n" not in str(refused.value)
    assert content(tmp_path) == {name: b"theirs"}


def test_a_file_is_no_folder(two: list[Path], tmp_path: Path) -> None:
    (tmp_path / "site").write_text("theirs")
    with pytest.raises(data.DataError, match="is a file: name a folder"):
        _site.write([read(two[1])], tmp_path / "site", pytest.fail)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\n\nraise ValueError('no\\nsuch thing.')", r"line 9 of 05_bad\.py"),
        ("def f():\n    return 1 / 0\n\nf()", r"line 8 of 05_bad\.py: ZeroDivisionError"),
        ("import json\njson.loads('')", r"line 8 of 05_bad\.py: json\.decoder\.JSONDecodeError"),
        ("x = (", r"line 7 of 05_bad\.py: SyntaxError"),
    ],
)
def test_a_tutorial_that_fails_is_named_with_its_line_and_no_site_is_written(
    tmp_path: Path, code: str, told: str
) -> None:
    file = tmp_path / "05_bad.py"
    file.write_text(f"# %% [markdown]\n# # 5. Bad\n#\n# It is.\n\n# %%\n{code}\n")
    with pytest.raises(data.DataError, match=rf"tutorial 5 stops at {told}.*\. No site was written\.$") as failed:
        _site.write([read(file)], tmp_path / "site", str)
    assert "\n" not in str(failed.value)
    assert not (tmp_path / "site").exists()


# The real ones.


@pytest.mark.slow
def test_every_link_anchor_and_picture_of_the_whole_site_is_there(whole_site: Path) -> None:
    assert broken(whole_site) == []


@pytest.mark.slow
def test_every_page_has_its_code_its_pictures_and_all_its_predictions(whole_site: Path) -> None:
    for tutorial in tutorials():
        one = Page(whole_site / f"{tutorial.path.stem}.html")
        code_is_kept(one, tutorial)
        asked = sum(cell.predicts for cell in tutorial.cells)
        assert len(one.all("div", "predict")) == len(one.all("details")) == asked, tutorial.title
        assert one.all("img"), tutorial.title
        for attributes, *_ in one.all("img"):
            assert re.match(r".+\. .+", attributes["alt"]), attributes["src"]


@pytest.mark.slow
def test_each_in_the_list_has_a_part_of_one_of_its_pictures(whole_site: Path) -> None:
    index = Page(whole_site / "index.html")
    shown = [a["src"] for a, _, around in index.all("img") if "div.thumb" in around]
    assert [src[: len("pictures/01-")] for src in shown] == [f"pictures/{t.number:02d}-" for t in tutorials()]
    for name, view in (src.split("#") for src in shown):
        x, y, wide, high = map(float, re.findall(r"[\d.]+", view))
        size = re.findall(r'<svg [^>]*?width="(\d+)" height="(\d+)"', (whole_site / name).read_text(encoding="utf-8"))
        assert x + wide <= int(size[0][0]), name
        assert y + high <= int(size[0][1]), name


@pytest.mark.slow
def test_headings_of_a_page_are_different(whole_site: Path) -> None:
    for one in pages(whole_site):
        headings = one.text("h2")
        assert len(set(headings)) == len(headings), one.file.name
