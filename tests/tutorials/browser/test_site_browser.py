"""The site in a real browser: nothing is asked of anybody, everyone can read it, on any screen and on paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Opened = Callable[..., Any]
SCHEMES: dict[str, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}  # what may differ
WIDTHS = 400, 700, 1000, 1250, 1600

UNCOVER = "document.querySelectorAll('details').forEach(details => { details.open = true })"
# What reaches out of the window to the right, but for what is in a box that scrolls.
BEYOND = """() => [...document.querySelectorAll('body *')].filter(el =>
  el.getBoundingClientRect().right > innerWidth + 1 && !el.closest('pre, .picture, .scroll, .skip')
).map(el => el.outerHTML.slice(0, 80))"""
# Characters in each line of each paragraph of the article, last lines left out.
LINES = """() => [...document.querySelectorAll('article > p, .inside > p')].filter(p => p.offsetHeight).flatMap(p => {
  const range = document.createRange(), counts = new Map(), walk = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
  for (let node; node = walk.nextNode();) for (let i = 0; i < node.length; i++) {
    range.setStart(node, i); range.setEnd(node, i + 1);
    const y = Math.round(range.getBoundingClientRect().bottom / 12);
    counts.set(y, (counts.get(y) ?? 0) + 1);
  }
  return [...counts.values()].slice(0, -1);
})"""


def well_laid_out(opened: Opened, file: Path) -> None:
    page = opened(file)
    page.evaluate(UNCOVER)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width, f"{file.name} scrolls at {width}"
        assert page.evaluate(BEYOND) == [], f"{file.name} at {width}"


def accessible(opened: Opened, file: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(file)
    page.evaluate(UNCOVER)
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        found = axe.run(page, options={"preload": False} | rules)  # it would ask for the style sheet: not allowed
        assert found.violations_count == 0, f"{file.name}, {scheme}:\n{found.generate_report()}"


def pictures_shown(opened: Opened, file: Path) -> None:
    page = opened(file)
    page.evaluate(UNCOVER)
    sizes = page.evaluate("[...document.images].map(img => [img.complete, img.naturalWidth, img.clientWidth])")
    assert all(complete and natural and shown for complete, natural, shown in sizes)


CHECKS = well_laid_out, accessible, pictures_shown
checks = pytest.mark.parametrize("check", CHECKS, ids=[check.__name__ for check in CHECKS])


@checks
def test_the_pages_of_a_small_site(opened: Opened, small_site: Path, check: Callable[..., None]) -> None:
    for name in ("index.html", "01_products.html"):
        check(opened, small_site / name)


@checks
@pytest.mark.slow
def test_the_pages_of_the_whole_site(opened: Opened, whole_site: Path, check: Callable[..., None]) -> None:
    for file in whole_site.glob("*.html"):
        check(opened, file)


@pytest.mark.slow
def test_the_page_of_every_picture_opens(opened: Opened, whole_site: Path) -> None:
    for file in (whole_site / "pictures").glob("*.html"):
        page = opened(file)
        page.wait_for_selector("html.live #view[data-settled]", state="attached")
        page.close()


@pytest.fixture
def first(opened: Opened, small_site: Path) -> Any:
    return opened(small_site / "01_products.html")


def test_an_answer_is_uncovered_by_a_click_and_by_the_keyboard(first: Any) -> None:
    answers = first.locator(".answer .inside")
    assert [answers.nth(i).is_visible() for i in range(2)] == [False, False]
    first.locator("summary").first.click()
    assert [answers.nth(i).is_visible() for i in range(2)] == [True, False]
    first.locator("summary").last.focus()
    first.keyboard.press("Enter")
    assert [answers.nth(i).is_visible() for i in range(2)] == [True, True]


def test_on_paper_all_is_uncovered_and_light_and_nothing_is_for_the_mouse(opened: Opened, small_site: Path) -> None:
    page = opened(small_site / "01_products.html", 700, color_scheme="dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)" != dark
    assert page.evaluate(
        "[...document.querySelectorAll('.inside')].every(el => el.getBoundingClientRect().height > 20)"
    )
    for what in ("summary", ".steps", ".turn", "figcaption"):
        assert not page.locator(what).first.is_visible(), what
    wide = "[...document.querySelectorAll('pre, img')].every(el => el.getBoundingClientRect().right <= innerWidth)"
    assert page.evaluate(wide)


def test_a_long_line_of_code_scrolls_in_its_box_by_keyboard(opened: Opened, small_site: Path) -> None:
    page = opened(small_site / "01_products.html", 400)
    box = page.locator("pre.code", has_text="much too long")
    box.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())


@pytest.mark.slow
@pytest.mark.parametrize("width", [1000, 1600])
def test_lines_are_of_a_length_that_can_be_read(opened: Opened, whole_site: Path, width: int) -> None:
    for file in whole_site.glob("[0-9]*.html"):
        page = opened(file, width)
        page.evaluate(UNCOVER)
        lines = sorted(page.evaluate(LINES))
        assert 58 <= lines[len(lines) // 2] <= 78, file.name
        assert lines[-1] <= 92, file.name
        page.close()
