"""SVG elements as text, with everything escaped that could end an attribute or an element."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BLUE", "FAINT", "FONT", "GREY", "INK", "LINE", "ORANGE", "PALE", "Raw", "element", "hue", "write"]

# The visual language: sign is hue (and a printed sign), everything else is ink.
BLUE = "#0b5fa5"  # positive
ORANGE = "#b35806"  # negative
PALE = "#f4f4f2"  # neutral
INK = "#1f1f1d"
GREY = "#5f5f5b"  # words beside numbers; contrast on white 6.4
LINE = "#8c8c87"
FAINT = "#d3d3ce"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


class Raw(NamedTuple):
    """Markup, to be told from text that is yet to be escaped."""

    markup: str


def element(name: str, *children: Raw | str, **attributes: object) -> Raw:
    """An SVG element. `stroke_width=2` is written stroke-width="2"; an attribute of None is left out.

    >>> element("text", "a < b", x=1.50001, text_anchor="end").markup
    '<text x="1.5" text-anchor="end">a &lt; b</text>'
    """
    head = name
    for key, value in attributes.items():
        if value is not None:
            shown = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
            head += f' {key.strip("_").replace("_", "-")}="{_escape(shown)}"'
    if not children:
        return Raw(f"<{head}/>")
    inside = "".join(c.markup if isinstance(c, Raw) else _escape(c) for c in children)
    return Raw(f"<{head}>{inside}</{name}>")


def _escape(text: str) -> str:
    for plain, safe in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("\n", "&#10;"):
        text = text.replace(plain, safe)
    return text


def write(
    text: str,
    x: float,
    y: float,
    size: float = 12,
    fill: str = INK,
    anchor: str = "start",
    bold: bool = False,
    halo: bool = False,
) -> Raw:
    """One line of text with its baseline at `y`; with `halo`, edged in white so that it reads on lines."""
    edge = {"stroke": "#ffffff", "stroke_width": 3, "stroke_linejoin": "round", "paint_order": "stroke"} if halo else {}
    return element(
        "text",
        text,
        x=float(x),
        y=float(y),
        font_size=size,
        fill=fill,
        text_anchor=None if anchor == "start" else anchor,
        font_weight=600 if bold else None,
        **edge,
    )


def hue(x: float | None) -> str:
    """The colour of a number's sign."""
    return BLUE if x and x > 0 else ORANGE if x and x < 0 else GREY
