"""Themes: what can be read on what, and that drawings name roles and no colours."""

from __future__ import annotations

import re
from collections.abc import Callable
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
