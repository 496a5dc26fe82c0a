"""SVG elements as text, with everything escaped that could end an attribute or an element."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "CARD", "DOTS", "FAINT", "FONT", "FRAME", "GREY", "HATCH", "INK", "LINE", "NEGATIVE", "PALE", "PAPER", "POSITIVE",
    "TRACK", "Raw", "element", "hue", "write",
]  # fmt: skip

# Colours are roles, which a theme (see _theme.py) gives a colour. Sign is hue (and a printed sign), all else is ink.
POSITIVE, NEGATIVE = "@positive", "@negative"
PAPER, CARD, PALE, TRACK, FRAME = "@paper", "@card", "@pale", "@track", "@frame"
INK, GREY, LINE, FAINT = "@ink", "@grey", "@line", "@faint"
HATCH, DOTS = "url(@hatch)", "url(@dots)"  # fills: hatching for dead and closed, dots for saturated
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
    """One line of text with its baseline at `y`; with `halo`, edged so that it reads on lines."""
    edge = {"stroke": CARD, "stroke_width": 3, "stroke_linejoin": "round", "paint_order": "stroke"} if halo else {}
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
    return POSITIVE if x and x > 0 else NEGATIVE if x and x < 0 else GREY
