"""Text for pictures: numbers in four digits, names made harmless, widths guessed without a font."""

from __future__ import annotations

import math
import unicodedata

__all__ = ["clean", "fitted", "number", "signed", "width"]

MINUS = "\u2212"
ELLIPSIS = "\u2026"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

# Widths of space to tilde in thousandths of the size, as in the common grotesques.
# fmt: off
_ASCII = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
]
# fmt: on
_ROOM = 1.13  # the widest system sans there is needs this much more


def number(x: float) -> str:
    """`x` in four significant digits, with a real minus sign and at least one decimal where it fits.

    >>> number(-2), number(0.70710678), number(1234567.0), number(float("nan"))
    ('−2.0', '0.7071', '1.235e6', 'NaN')
    """
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "∞" if x > 0 else MINUS + "∞"
    text = f"{x:.4g}" if x else "0"
    mantissa, e, exponent = text.partition("e")
    if "." not in mantissa and sum(c.isdigit() for c in mantissa) < 4:
        mantissa += ".0"
    text = mantissa + (f"e{int(exponent)}" if e else "")
    return text.replace("-", MINUS)


def signed(x: float) -> str:
    """Like `number`, with the plus sign written out.

    >>> signed(0.5), signed(-0.5), signed(0.0)
    ('+0.5', '−0.5', '0.0')
    """
    return "+" + number(x) if x > 0 else number(x)


def clean(text: object, limit: int = 24) -> str:
    """`text` on one line, with every character that a document cannot hold replaced, `limit` long at most.

    Control characters become their pictures (a line feed is shown as ␊); characters that turn the direction
    of writing, and those that XML forbids, become �. A longer text keeps its beginning and ends in an
    ellipsis.

    >>> clean("two" + chr(10) + "lines"), clean("x" * 99, 5)
    ('two␊lines', 'xxxx…')
    """
    whole = str(text)
    short = whole if len(whole) <= limit else whole[: limit - 1] + ELLIPSIS
    return "".join(map(_harmless, short))


def _harmless(c: str) -> str:
    code = ord(c)
    if code < 32:
        return chr(0x2400 + code)
    if code == 127:
        return "\u2421"
    joins_emoji = c == "\N{ZERO WIDTH JOINER}"
    forbidden = unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or code & 0xFFFE == 0xFFFE
    return UNKNOWN if forbidden and not joins_emoji else c


def width(text: str, size: float, bold: bool = False) -> float:
    """About how many pixels `text` takes at `size` pixels, never less than in a common system font."""
    total = 0.0
    for c in text:
        code = ord(c)
        if 32 <= code < 127:
            total += _ASCII[code - 32]
        elif unicodedata.combining(c):
            continue
        elif c == MINUS:
            total += 584
        else:
            total += 1250 if unicodedata.east_asian_width(c) in "WF" else 700
    return total / 1000 * size * _ROOM * (1.07 if bold else 1)


def fitted(text: object, size: float, wide: float, bold: bool = False) -> str:
    """`text` on one line and harmless, shortened until it is no wider than `wide`.

    >>> fitted("a name that is long", 12, 60)
    'a name…'
    """
    shown = clean(text, 400)
    if width(shown, size, bold) <= wide:
        return shown
    while shown and width(shown + ELLIPSIS, size, bold) > wide:
        shown = shown[: min(len(shown) - 1, int(len(shown) * 1.2 * wide / width(shown, size, bold)))]
    return shown.rstrip() + ELLIPSIS
