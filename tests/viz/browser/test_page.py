"""The offline page in a real browser: it asks nobody for anything, folds, searches, and needs no mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import micrograd_nn as mg
import viz

Opened = Callable[..., Any]

# Everything drawn and where, as the browser has it: to be compared before folding and after unfolding.
DRAWN = """() => [...document.querySelectorAll('#view [data-box], #view [data-edge] *, #view [data-frame]')].map(
  el => [el.style.display, ...['transform', 'd', 'x', 'width'].map(name => el.getAttribute(name))])"""
# The boxes and cards to be seen, and each pair of them that overlaps.
SEEN = """() => [...document.querySelectorAll('#view [data-box], #view .module[aria-expanded=false] .card')]
  .map(el => el.getBoundingClientRect()).filter(r => r.width > 0)"""


def overlapping(page: Any) -> list[tuple[int, int]]:
    boxes = page.evaluate(SEEN)
    assert boxes
    return [
        (i, j)
        for i, a in enumerate(boxes)
        for j, b in enumerate(boxes[:i])
        if min(a["right"], b["right"]) - max(a["left"], b["left"]) > 1
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 1
    ]


def focused(page: Any, what: str) -> Any:
    return page.evaluate(f"() => document.activeElement.{what}")


def module(page: Any, path: str) -> Any:
    return page.locator(f".module[aria-label^='Module {path},']")


@pytest.mark.parametrize("name", ["small", "tensor", "health"])
def test_it_opens_from_disk_and_asks_nobody_for_anything(opened: Opened, pictures: dict[str, Path], name: str) -> None:
    page = opened(pictures[name])  # what it requested and said is looked at when it is closed
    assert page.locator("#view svg").bounding_box()["width"] > 100
    blocked = "async () => { try { await fetch('https://example.org/'); return 'asked' } catch { return 'refused' } }"
    assert page.evaluate(blocked) == "refused"
    assert page.said.pop().startswith(("Connecting to", "Refused to connect", "Fetch API cannot load"))
    page.said.clear()


def test_a_module_folds_into_a_card_and_unfolds_to_the_very_same_drawing(
    opened: Opened, pictures: dict[str, Path]
) -> None:
    page = opened(pictures["small"])
    before, frame = page.evaluate(DRAWN), page.locator("[data-frame='layers[0]']").bounding_box()
    inside = page.locator("[data-edge]:visible").count()
    button = module(page, "layers[0]")
    assert button.get_attribute("aria-expanded") == "true"
    button.locator(".grip").click()
    page.wait_for_selector("#view[data-settled]")
    assert button.get_attribute("aria-expanded") == "false"
    assert re.search(r"\d+ nodes folded", button.locator("g:visible").text_content())
    assert page.locator("[data-frame='layers[0]']").is_hidden()
    assert page.locator("[data-frame='layers[0].neurons[0]']").is_hidden()
    assert 0 < button.locator(".card").bounding_box()["width"] < 0.9 * frame["width"]
    assert 0 < page.locator(".bundle").count() < inside
    assert overlapping(page) == []
    assert page.locator("#status").text_content() == "layers[0] folded"
    assert "folded=0" in page.url
    button.locator(".card").first.click()
    page.wait_for_selector("#view[data-settled]")
    assert page.evaluate(DRAWN) == before
    assert page.locator(".bundle").count() == 0


def test_a_folded_neuron_shows_its_one_output(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    module(page, "layers[1].neurons[0]").dispatch_event("click")
    assert re.search(r"out −?\d\.\d+", module(page, "layers[1].neurons[0]").text_content())


def test_all_modules_fold_and_what_is_left_neither_overlaps_nor_lies_apart(
    opened: Opened, pictures: dict[str, Path]
) -> None:
    page = opened(pictures["large"])
    assert page.locator("[data-box]").count() > 300
    wide = page.locator("#view svg").get_attribute("viewBox").split()[2]
    page.click("#fold")
    page.wait_for_selector("#view[data-settled]")
    assert page.locator("[data-box]:visible").count() < 10
    assert float(page.locator("#view svg").get_attribute("viewBox").split()[2]) < float(wide) / 2
    assert overlapping(page) == []
    ends = page.evaluate("""() => [...document.querySelectorAll('.bundle path:nth-of-type(2)')].map(p =>
        [p.getPointAtLength(0).x, p.getPointAtLength(p.getTotalLength()).x])""")
    assert ends
    assert all(start < end for start, end in ends), "every edge still goes forward"
    page.click("#unfold")
    page.wait_for_selector("#view[data-settled]")
    assert page.locator("[data-box]:visible").count() == page.locator("[data-box]").count()


def test_what_is_folded_is_remembered_in_the_address(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    page.click("#fold")
    page.reload()
    page.wait_for_selector("html.live")
    assert page.locator(".module[aria-expanded=true]").count() == 0


def test_search_counts_walks_and_unfolds(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    page.click("#fold")
    page.fill("#query", "tanh")
    assert page.locator("#found").text_content() == "1 of 2"  # layers[0] has two neurons, the last layer no activation
    assert page.locator("[data-box].found").count() == 2
    names = []
    for _ in range(2):
        page.press("#query", "Enter")
        page.wait_for_selector("#view[data-settled]")
        names.append(page.locator("#facts dd").first.text_content())
    assert len(set(names)) == 2
    assert page.locator("#found").text_content() == "2 of 2"
    found = page.locator("[data-box].found").last
    assert found.is_visible()
    inner, outer = found.bounding_box(), page.locator("#view").bounding_box()
    assert outer["x"] <= inner["x"] <= outer["x"] + outer["width"] - inner["width"]
    page.press("#query", "Shift+Enter")
    assert page.locator("#found").text_content() == "1 of 2"
    page.fill("#query", "layers[0].neurons[1]")
    assert page.locator("[data-box].found").count() > 3
    page.fill("#query", "no such thing")
    assert page.locator("#found").text_content() == "none"
    page.fill("#query", "")
    assert page.locator(".found, .hit").count() == 0


def test_pointing_at_a_box_or_an_edge_tells_its_numbers_in_full(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    titles = re.findall(r"value (-?\d\.\d{6,})", pictures["small"].read_text(encoding="utf-8"))
    box = page.locator("[data-box]").last
    box.hover()
    told = page.locator("#facts").text_content()
    assert any(number in told for number in titles)
    page.click("#scale")
    edge = page.locator("[data-edge]").filter(has=page.locator("text")).first
    edge.locator("text").scroll_into_view_if_needed()
    edge.locator("text").hover(force=True)
    assert "local derivative" in page.locator("#facts").text_content()
    assert page.locator("#view title").count() == 0  # no second tooltip from the browser itself


def test_everything_is_reached_with_the_keyboard_alone(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    key = page.keyboard.press
    page.evaluate("() => document.addEventListener('pointerdown', () => { window.mouse = 1 })")
    key("Tab")
    assert focused(page, "className") == "skip"
    key("/")
    page.keyboard.type("x1")
    assert page.locator("#found").text_content() != ""
    key("Enter")
    key("Escape")  # empties the field
    assert page.input_value("#query") == ""
    key("Escape")  # leaves it
    assert focused(page, "id") == "view"
    before = page.text_content("#scale")
    key("+")
    assert page.text_content("#scale") != before
    key("0")
    key("Tab")  # the first module
    assert focused(page, "getAttribute('role')") == "button"
    path = focused(page, "getAttribute('aria-label')")
    key("Enter")
    assert focused(page, "getAttribute('aria-expanded')") == "false"
    assert "folded" in page.locator("#facts").text_content()
    key("ArrowRight")  # along an edge, from the card
    assert focused(page, "getAttribute('aria-label')") != path
    key("ArrowLeft")
    assert focused(page, "getAttribute('aria-label')") == path
    key(" ")
    assert focused(page, "getAttribute('aria-expanded')") == "true"
    key("Tab")  # a box
    assert focused(page, "dataset.box") is not None
    seen = set()
    for _ in range(4):
        seen.add(focused(page, "dataset.box"))
        key("ArrowRight")
    assert len(seen) >= 3
    name = focused(page, "getAttribute('aria-label')")
    assert page.locator("#facts h2").first.text_content() in name
    key("f")  # fold the module around
    key("Escape")
    assert focused(page, "id") == "view"
    key("?")
    assert page.locator("#keys").is_visible()
    key("Escape")
    assert page.locator("#keys").is_hidden()
    for _ in range(60):
        key("Tab")
        if focused(page, "className") == "scroll":
            break
    assert focused(page, "className") == "scroll", "the tables are reached, and nothing traps the keyboard"
    assert page.evaluate("() => window.mouse") is None


def test_arrows_walk_along_edges(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    last = str(page.locator("[data-box]").count() - 1)
    page.focus(f"[data-box='{last}']")
    links = page.locator("[data-edge]").evaluate_all("edges => edges.map(e => [e.dataset.tail, e.dataset.head])")
    walked = [last]
    while walked[-1] in {head for _, head in links}:
        page.keyboard.press("ArrowLeft")
        walked.append(focused(page, "dataset.box"))
        assert [walked[-1], walked[-2]] in links
    assert len(walked) > 2
    page.keyboard.press("ArrowRight")
    assert focused(page, "dataset.box") == walked[-2], "the way back is the way that one came"


def test_shift_lights_up_everything_that_a_box_depends_on(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    count = page.locator("[data-box]").count()
    page.focus(f"[data-box='{count - 1}']")
    assert page.locator("[data-box].lit").count() < count / 2
    page.keyboard.down("Shift")
    assert page.locator("[data-box].lit").count() == count
    page.keyboard.up("Shift")
    assert page.locator("[data-box].lit").count() < count / 2


def test_zooming_keeps_what_is_under_the_pointer_and_a_plain_wheel_scrolls(
    opened: Opened, pictures: dict[str, Path]
) -> None:
    page = opened(pictures["small"])
    page.click("#scale")
    view = page.locator("#view").bounding_box()
    x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
    at = """([x, y]) => { const d = document.querySelector('[data-drawing]');
        const p = new DOMPoint(x, y).matrixTransform(d.getScreenCTM().inverse()); return [p.x, p.y] }"""
    page.evaluate("() => document.querySelector('#view').scrollTo(600, 300)")
    before = page.evaluate(at, [x, y])
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function("() => document.querySelector('#scale').textContent !== '100 %'")
    assert page.evaluate(at, [x, y]) == pytest.approx(before, abs=2)
    left = page.evaluate("() => document.querySelector('#view').scrollLeft")
    page.mouse.down()
    page.mouse.move(x - 120, y, steps=4)
    page.mouse.up()
    assert page.evaluate("() => document.querySelector('#view').scrollLeft") == pytest.approx(left + 120, abs=2)
    scale = page.text_content("#scale")
    page.mouse.wheel(0, 4000)
    page.wait_for_timeout(100)
    assert page.text_content("#scale") == scale
    page.click("#fit")
    box = page.locator("#view svg").bounding_box()
    assert box["width"] <= view["width"]
    assert box["height"] <= view["height"]


@pytest.mark.parametrize("width", [400, pytest.param(1280, marks=pytest.mark.slow)])
def test_a_picture_too_wide_to_be_read_whole_opens_where_it_begins(
    opened: Opened, pictures: dict[str, Path], width: int
) -> None:
    page = opened(pictures["large"], width)
    assert page.text_content("#scale") == "70 %"
    view, boxes = page.locator("#view").bounding_box(), page.evaluate(SEEN)
    first = min(boxes, key=lambda box: box["left"])
    assert view["x"] <= first["left"] < view["x"] + 60
    assert view["y"] < (first["top"] + first["bottom"]) / 2 < view["y"] + view["height"]
    assert page.locator("#facts .more").is_visible()
    page.click("#fit")
    assert int(page.text_content("#scale").split()[0]) < 40
    svg = page.locator("#view svg").bounding_box()
    assert svg["width"] <= view["width"]
    assert svg["height"] <= view["height"]
    assert page.locator("#facts .more").is_hidden()


def test_the_cells_in_a_box_are_no_boxes(opened: Opened, pictures: dict[str, Path]) -> None:
    """An activation of few units has a cell for each, and says what each is when it is pointed at."""
    page = opened(pictures["tensor"])
    cells = page.locator("[data-box] [data-unit]")
    assert cells.count() == 16 + 8
    assert page.locator("#view [role=img][tabindex]").count() == page.locator("[data-box]").count()
    assert module(page, "layers[0]").get_attribute("aria-label") == "Module layers[0], 6 nodes"
    cells.first.hover()
    assert "unit 0" in page.text_content("#facts")
    relu = page.locator("[data-box]", has=page.locator("[data-unit]")).first
    assert "lit" in relu.get_attribute("class")
    cells.first.click()
    assert focused(page, "dataset.box") == relu.get_attribute("data-box")


def test_a_chart_of_which_nothing_is_told_has_no_room_for_details(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["boundary"])
    assert page.locator("#facts").is_hidden()
    assert page.locator("#view").bounding_box()["width"] == 1200


def test_a_chart_has_no_controls_that_do_nothing(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["health"])
    assert page.locator("#query").is_hidden()
    assert page.locator("#fold").is_hidden()
    page.focus("#view")
    page.keyboard.press("Tab")
    assert focused(page, "getAttribute('aria-label')").startswith(page.locator("#facts h2").text_content())
    first = page.locator("#facts").text_content()
    page.keyboard.press("ArrowRight")
    assert page.locator("#facts").text_content() != first


@pytest.mark.parametrize("name", ["small", "tensor", "health"])
def test_nothing_sticks_out_at_any_width(opened: Opened, pictures: dict[str, Path], name: str, tmp_path: Path) -> None:
    page = opened(pictures[name], 400, 900)
    for width in (400, 1000, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("() => document.querySelector('header').offsetWidth === innerWidth")
        assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")
        assert len(page.screenshot(path=tmp_path / "page.png", full_page=True)) > 10_000
        view = page.locator("#view").bounding_box()
        assert view["height"] > 200
        assert view["y"] + view["height"] < 900


def test_the_theme_follows_the_system_or_the_reader(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"], color_scheme="dark")
    paper = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.select_option("#theme", "auto")
    dark = page.evaluate(paper)
    assert dark != light
    page.emulate_media(color_scheme="light")
    assert page.evaluate(paper) == light
    page.select_option("#theme", "dark")
    assert page.evaluate(paper) == dark
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"


def test_printing_leaves_the_picture_and_the_tables(opened: Opened, pictures: dict[str, Path]) -> None:
    page = opened(pictures["small"])
    page.select_option("#theme", "dark")
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2, "the tables start a page of their own"
    page.emulate_media(media="print")
    assert (
        page.locator("h1, #view svg, #legend li, table").count()
        == page.locator(":is(h1, #view svg, #legend li, table):visible").count()
    )
    assert page.locator(".tools").is_hidden()
    assert page.locator("#facts").is_hidden()


@pytest.mark.parametrize("name", ["small", pytest.param("health", marks=pytest.mark.slow)])
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_to_complain_about(opened: Opened, pictures: dict[str, Path], theme: str, name: str) -> None:
    sync = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(pictures[name])
    page.select_option("#theme", theme)

    def complaints() -> list[str]:
        found = sync.Axe().run(page).response["violations"]
        return [f"{v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"][:3]]

    assert complaints() == []
    if name == "small":
        page.click("#fold")
        page.fill("#query", "tanh")
        assert complaints() == []
    page.click("#help")
    assert complaints() == []


HOSTILE = "</script><script>window.__hit=1</script><img src=x onerror='window.__hit=1'>"


@pytest.mark.parametrize("name", [HOSTILE, "\"'><svg onload=window.__hit=1>", "<b>שלום</b>🦊\n", "y" * 10_000])
def test_a_hostile_name_is_shown_and_does_nothing(opened: Opened, tmp_path: Path, name: str) -> None:
    out = mg.Value(2.0, name) * mg.Value(3.0, "w")
    page = opened(viz.draw(out, title=name).save(tmp_path / "a.html"))
    shown = name.replace("\n", "␊")[:100]
    assert page.text_content("h1").startswith(shown)
    box = page.locator("[data-box]").filter(has_text=shown[:10]).first
    box.hover()
    assert shown in page.text_content("#facts")
    assert any(shown in text for text in page.locator("td").all_text_contents()) or len(name) > 20
    page.fill("#query", name[:15].strip())
    assert page.locator("#found").text_content() == "1 of 1"
    assert page.evaluate("() => [window.__hit, document.scrollingElement.scrollWidth <= innerWidth]") == [None, True]


def test_two_pictures_in_one_notebook_do_not_clash(browser: Any, tmp_path: Path) -> None:
    xs = [mg.Value(x, "x") for x in (-1.0, -2.0)]
    svgs = [viz.draw(x.relu() * 2.0).svg for x in xs]
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!doctype html><meta charset=utf-8><title>n</title>{''.join(svgs)}", encoding="utf-8")
    page = browser.new_page()
    page.goto(notebook.as_uri())
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids)) > 2
    own = """() => [...document.querySelectorAll('svg')].every(svg => [...svg.querySelectorAll('[fill^="url("]')].every(
        el => svg.querySelector(el.getAttribute('fill').slice(4, -1))))"""
    assert page.evaluate(own)
    page.close()
