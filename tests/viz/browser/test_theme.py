"""The theme that follows its reader, in a browser: light or dark as the reader's system is, on paper always light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import micrograd_nn as mg
import viz

pytestmark = pytest.mark.slow


def seen(browser: Any, url: str, scheme: str, media: str = "screen") -> bytes:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 900, "height": 700})
    page.emulate_media(media=media, color_scheme=scheme)
    page.goto(url)
    shot: bytes = page.screenshot()
    page.close()
    return shot


@pytest.fixture(scope="module")
def picture() -> viz.Picture:
    X, y = mg.data.make_moons(40, rng=0)
    return viz.draw_network(mg.nn.MLP(2, [4, 2], rng=0), X, y, title="Light or dark")


def test_it_is_the_light_or_the_dark_picture_to_the_pixel(browser: Any, picture: viz.Picture, tmp_path: Path) -> None:
    urls = {t: picture.in_theme(t).save(tmp_path / f"{t}.svg").as_uri() for t in ("auto", "light", "dark")}
    for scheme in ("light", "dark"):
        assert seen(browser, urls["auto"], scheme) == seen(browser, urls[scheme], scheme)
    assert seen(browser, urls["light"], "light") != seen(browser, urls["dark"], "dark")
    assert seen(browser, urls["auto"], "dark", "print") == seen(browser, urls["light"], "dark", "print")


@pytest.mark.parametrize("inline", [False, True])
def test_in_a_page_it_follows_too_and_leaves_its_neighbours_alone(
    browser: Any, picture: viz.Picture, tmp_path: Path, inline: bool
) -> None:
    """Beside a picture that has a theme of its own, in a page that goes with the system."""

    def page(first: str) -> str:
        parts = [picture.in_theme(theme) for theme in (first, "print")]
        names = [p.save(tmp_path / f"{p.theme}.svg").name for p in parts]
        shown = [p.svg if inline else f'<img src="{name}">' for p, name in zip(parts, names, strict=True)]
        file = tmp_path / f"{first}.html"
        file.write_text(f"<!doctype html><meta name=color-scheme content='light dark'>{''.join(shown)}", "utf-8")
        return file.as_uri()

    for scheme in ("light", "dark"):
        assert seen(browser, page("auto"), scheme) == seen(browser, page(scheme), scheme)
