"""The marks that all pictures share: patterns, the dead cross, the saturated square, and the pieces of a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from viz._text import width
from viz._xml import CARD, DOTS, FAINT, GREY, HATCH, INK, NEGATIVE, POSITIVE, Raw, element, write

__all__ = [
    "DEAD", "SATURATED", "SIGNS", "Piece", "cross", "legend", "patterned", "patterns", "said", "sample", "square",
    "swatch",
]  # fmt: skip

_SMALL = 11.5


class Piece(NamedTuple):
    """A part of a legend: its width, and its markup with the middle of its left end at (0, 0)."""

    width: float
    markup: list[Raw]


def patterns(prefix: str) -> Raw:
    """The hatching of what is closed or dead and the dots of what is saturated, to be filled with HATCH and DOTS."""
    size = {"patternUnits": "userSpaceOnUse"}
    hatch = element("path", d="M0 0V7", stroke="@hatch", stroke_width=3)
    dot = element("circle", cx=3, cy=3, r=1.25, fill="@dots")
    turn = "rotate(45)"
    return element(
        "defs",
        element("pattern", hatch, id=f"{prefix}-hatch", width=7, height=7, patternTransform=turn, **size),
        element("pattern", dot, id=f"{prefix}-dots", width=6, height=6, **size),
    )


def cross(x: float, y: float, size: float = 10.0) -> Raw:
    """The cross of a dead unit around (x, y)."""
    half = size / 2
    d = f"M{x - half:.2f} {y - half:.2f}l{size:g} {size:g}m0 {-size:g}l{-size:g} {size:g}"
    return element("path", d=d, fill="none", stroke=INK, stroke_width=2, data_mark="dead")


def square(x: float, y: float, size: float = 9.0) -> Raw:
    """The square of a saturated unit around (x, y)."""
    half, edge = size / 2, 1.75
    return element(
        "rect", x=x - half, y=y - half, width=size, height=size, fill=CARD, stroke=INK, stroke_width=edge,
        data_mark="saturated",
    )  # fmt: skip


def said(text: str, x: float = 0.0) -> Piece:
    """Words in a legend, `x` to the right."""
    return Piece(x + width(text, _SMALL), [write(text, x, 4, _SMALL, GREY)])


def sample(drawn: Sequence[Raw], wide: float, text: str) -> Piece:
    """Something as it is drawn, `wide` pixels of it, and what it means."""
    words = said(text, wide + 5.0)
    return Piece(words.width, [*drawn, *words.markup])


def swatch(colour: str, text: str) -> Piece:
    """A colour and what it means."""
    return sample([element("rect", y=-5.5, width=11, height=11, rx=2, fill=colour)], 11, text)


def patterned(pattern: str, text: str, glyph: Raw | None = None) -> Piece:
    """A pattern, HATCH or DOTS, with the glyph that goes with it, and what they mean."""
    box = element("rect", y=-6.5, width=19, height=13, rx=3, fill=pattern, stroke=GREY)
    return sample([box, *([glyph] if glyph else [])], 19, text)


SIGNS = (swatch(POSITIVE, "+ positive"), swatch(NEGATIVE, "− negative"))
DEAD = patterned(HATCH, "dead", cross(9.5, 0, 8))
SATURATED = patterned(DOTS, "saturated", square(9.5, 0, 7))


def legend(pieces: Sequence[Piece], x: float, y: float, wide: float) -> tuple[list[Raw], float]:
    """A rule and under it the pieces, in as many lines as they need within `wide`; and where they end."""
    parts = [element("line", x1=x, y1=y, x2=x + wide, y2=y, stroke=FAINT, stroke_width=1)]
    at, y = 0.0, y + 17
    for piece in pieces:
        if at and at + piece.width > wide:
            at, y = 0.0, y + 20
        parts.append(element("g", *piece.markup, transform=f"translate({x + at:.2f} {y:.2f})"))
        at += piece.width + 14
    return parts, y + 12
