"""Themes: what can be read on what, and that drawings name roles and no colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

import micrograd_nn as mg
import viz
from viz._theme import THEMES, paint

SOURCES = sorted(Path(viz.__file__).parent.rglob("*.py"))


def luminance(colour: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_light_hues_are_those_of_the_visual_language() -> None:
    assert THEMES["light"]["negative"] == "#b35806"
    assert THEMES["light"]["positive"] == "#0b5fa5"
    assert THEMES["light"]["pale"] == "#f4f4f2"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [(text, ground) for text in ("ink", "grey", "positive", "negative") for ground in ("paper", "card")]
    + [("ink", "pale"), ("grey", "pale")],  # what is pale has no gradient, and nothing signed is written on it
)
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    assert contrast(THEMES[theme][text], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_lines_that_mean_something_can_be_seen(theme: str, ground: str) -> None:
    assert contrast(THEMES[theme]["line"], THEMES[theme][ground]) >= 3


def test_all_themes_have_the_same_roles() -> None:
    assert {frozenset(colours) for colours in THEMES.values()} == {frozenset(THEMES["light"])}


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name != "_theme.py"], ids=lambda p: p.stem)
def test_drawings_name_no_colour(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"""["']#[0-9a-fA-F]{3,8}["']""", text)


def test_only_whole_attributes_are_painted() -> None:
    markup = '<g data-name=" fill=&quot;@ink&quot;"><text fill="@ink"> fill=&quot;@ink&quot; @ink</text></g>'
    painted = paint(markup, THEMES["light"], "p")
    assert painted == markup.replace('<text fill="@ink"', f'<text fill="{THEMES["light"]["ink"]}"')


MODEL = mg.nn.MLP(2, [3, 2], rng=0)
X, Y = mg.data.make_moons(20, rng=0)


@pytest.mark.parametrize("theme", ["sepia", ["light"], None, 3])
@pytest.mark.parametrize(
    "draw",
    [
        lambda theme: viz.draw(mg.Value(1.0), theme=theme),
        lambda theme: viz.draw_network(MODEL, theme=theme),
        lambda theme: viz.draw_health(mg.unit_health(MODEL, X), theme=theme),
        lambda theme: viz.draw_boundary(MODEL, X, Y, theme=theme),
        lambda theme: viz.draw_history(mg.fit(MODEL, X, Y, epochs=1, progress=False), theme=theme),
        lambda theme: viz.draw_activations("tanh", theme=theme),
    ],
)
def test_a_theme_that_is_not_there_is_refused_with_those_that_are(draw: Callable[[Any], Any], theme: Any) -> None:
    with pytest.raises(ValueError, match=f"'light', 'dark', 'print', 'auto', not {re.escape(repr(theme))}"):
        draw(theme)


# --- the theme that follows its reader --------------------------------------------------------------------------------


def pictures() -> list[viz.Picture]:
    a = mg.Value(-2.0, "a")
    root = a.relu() * 3.0 + a
    root.backward()
    return [viz.draw(root, title="Closed"), viz.draw_network(MODEL, X), viz.draw_boundary(MODEL, X, Y),
            viz.draw_health(mg.unit_health(MODEL, X)), viz.draw_activations("tanh")]  # fmt: skip


def in_style(svg: str) -> dict[tuple[str, str], str]:
    """What the style of a picture puts for attributes."""
    (style,) = re.findall("<style>(.*)</style>", svg)
    query, rules = re.fullmatch(r"@media ([^{]*){(.*)}", style).groups()  # type: ignore[union-attr]
    assert query == "screen and (prefers-color-scheme:dark)"
    root = re.search('<svg [^>]*id="([^"]*)"', svg)
    found = {}
    for rule in rules.removesuffix("}").split("}"):
        where, what, old, same, new = re.fullmatch(r"#(\S+) \[([a-z-]+)='(#\w+)'\]{([a-z-]+):(#\w+)", rule).groups()  # type: ignore[union-attr]
        assert root
        assert (where, what) == (root[1], same)  # nothing else on a page is touched
        found[what, old] = new
    return found


def test_a_picture_that_follows_its_reader_is_light_where_there_is_no_style_and_dark_by_its_style() -> None:
    for picture in pictures():
        auto = picture.in_theme("auto").svg
        rules = in_style(auto)
        bare = re.sub('<style>.*</style>| id="viz[0-9a-f]*"(?= role)', "", auto)
        assert bare.replace('"#fff"', '"#ffffff"') == picture.svg
        parts = re.split(r' ([a-z-]+)="(#[0-9a-f]+)"', bare)
        painted = [
            f' {what}="{rules.get((what, old), old)}"' for what, old in zip(parts[1::3], parts[2::3], strict=True)
        ]
        dark = "".join(a + b for a, b in zip_longest(parts[::3], painted, fillvalue=""))
        assert dark == picture.in_theme("dark").svg


def test_a_picture_in_another_theme_is_the_same_picture() -> None:
    a = viz.draw(mg.Value(2.0, "a") * 3.0, title="One")
    for theme in (*THEMES, "auto"):
        again = a.in_theme(theme)
        assert again.svg == viz.draw(mg.Value(2.0, "a") * 3.0, title="One", theme=theme).svg
        assert (again.theme, again.title, a.theme) == (theme, "One", "light")
        assert again.in_theme("light").svg == a.svg
    with pytest.raises(ValueError, match="'auto', not 'sepia'"):
        a.in_theme("sepia")


def test_what_cannot_follow_its_reader_is_light(tmp_path: Path) -> None:
    light = pictures()[0]
    auto = light.in_theme("auto")
    assert auto.dot == light.dot
    for ending in (".dot", ".mermaid", ".tikz", ".json", ".graphml"):
        one, two = (p.save(tmp_path / f"{name}{ending}").read_bytes() for p, name in ((auto, "auto"), (light, "light")))
        assert one == two
    page = auto.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert 'data-theme="auto"' in page
    assert page.replace('data-theme="auto"', 'data-theme="light"') == light.save(tmp_path / "b.html").read_text("utf-8")


def test_a_program_that_knows_no_media_queries_shows_it_light(tmp_path: Path) -> None:
    convert = pytest.importorskip("vl_convert", reason="a PNG needs vl-convert-python")
    for picture in pictures():
        auto = picture.in_theme("auto")
        assert convert.svg_to_png(auto.svg) == convert.svg_to_png(picture.svg)
        assert auto.save(tmp_path / "a.png").read_bytes() == picture.save(tmp_path / "b.png").read_bytes()


def test_a_notebook_gives_each_showing_its_own_style() -> None:
    picture = pictures()[0].in_theme("auto")
    shown = [picture._repr_mimebundle_()["text/html"] for _ in range(2)]
    ids = [set(re.findall(r'id="([^"]+)"', html)) for html in shown]
    assert not ids[0] & ids[1]
    for html, mine in zip(shown, ids, strict=True):
        assert set(re.findall(r"#(viz\S+) \[", html)) < mine
