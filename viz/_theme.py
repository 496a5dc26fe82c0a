"""The colours of a page: drawings name roles, such as ink or positive, and a theme says what colour each one is."""

from __future__ import annotations

import re
from typing import Literal, get_args

__all__ = ["THEMES", "Theme", "checked_theme", "following", "paint", "palette", "still"]

Theme = Literal["light", "dark", "print", "auto"]

# paper: the page; card: a box on it; pale: a box that matters less; track: what a bar runs in; frame: a module's tint;
# faint, line, grey, ink: from hairlines to text; positive and negative: the hues of signs; hatch and dots: patterns.
THEMES: dict[str, dict[str, str]] = {
    "light": {
        "paper": "#ffffff", "card": "#ffffff", "pale": "#f4f4f2", "track": "#e9e9e5", "frame": "#7a7a70",
        "faint": "#d3d3ce", "line": "#8c8c87", "grey": "#5f5f5b", "ink": "#1f1f1d",
        "positive": "#0b5fa5", "negative": "#b35806", "hatch": "#c4c4be", "dots": "#b4b4ae",
    },
    "dark": {
        "paper": "#191a1c", "card": "#232528", "pale": "#2c2e32", "track": "#3a3d42", "frame": "#9a9ea5",
        "faint": "#4a4d53", "line": "#868a91", "grey": "#b0b4ba", "ink": "#eeeeec",
        "positive": "#74b6f2", "negative": "#f2a65a", "hatch": "#585c63", "dots": "#6d7178",
    },
    "print": {
        "paper": "#ffffff", "card": "#ffffff", "pale": "#f4f4f4", "track": "#e4e4e4", "frame": "#707070",
        "faint": "#b8b8b8", "line": "#6e6e6e", "grey": "#454545", "ink": "#000000",
        "positive": "#0b5fa5", "negative": "#b35806", "hatch": "#9c9c9c", "dots": "#8c8c8c",
    },
}  # fmt: skip

# What follows its reader is painted in the light colours, each spelled in a way of its own, so that style tells them.
_AUTO = THEMES["light"] | {"card": "#fff"}
_PAINTED = ("fill", "stroke", "stop-color")
_ROLE = re.compile(rf' ({"|".join(_PAINTED)})="@([a-z]+)"')
_PATTERN = re.compile(r' (fill|mask|clip-path)="url\(@([a-z]+)\)"')


def checked_theme(theme: str) -> Theme:
    """`theme`, or a ValueError that lists those there are."""
    if not isinstance(theme, str) or theme not in get_args(Theme):
        raise ValueError(f"theme must be one of {', '.join(map(repr, get_args(Theme)))}, not {theme!r:.60}.")
    return theme  # type: ignore[return-value]


def palette(theme: str) -> dict[str, str]:
    """The colours that a theme has in the markup: of "auto" those it shows where no style is known."""
    return _AUTO if theme == "auto" else THEMES[theme]


def still(theme: str) -> str:
    """The theme of what cannot follow its reader, such as a PNG: "light" in place of "auto"."""
    return "light" if theme == "auto" else theme


def following(prefix: str) -> str:
    """Style that turns a picture with the id `prefix`, painted as "auto", dark on the screen of who prefers that.

    Attributes say the light colours, so that a program that knows no style shows these; any style outranks them.
    """
    rules = (
        f"#{prefix} [{what}='{_AUTO[role]}']{{{what}:{dark}}}"
        for role, dark in THEMES["dark"].items() for what in _PAINTED
    )  # fmt: skip
    return f"@media screen and (prefers-color-scheme:dark){{{''.join(rules)}}}"


def paint(markup: str, colours: dict[str, str], prefix: str) -> str:
    """Markup with its roles in `colours`, and the names of its patterns made unique by `prefix`.

    Only whole attributes are looked at, and no text can look like one: its quotes are escaped.

    >>> paint('<rect fill="@ink" stroke="url"/>', THEMES["light"], "p")
    '<rect fill="#1f1f1d" stroke="url"/>'
    """
    markup = _ROLE.sub(lambda found: f' {found[1]}="{colours[found[2]]}"', markup)
    return _PATTERN.sub(lambda found: f' {found[1]}="url(#{prefix}-{found[2]})"', markup)
