"""Examples on a plane: a shape for each class, filled for training and hollow for test, and the ring of a wrong one."""

from __future__ import annotations

import math
from typing import Any

from viz._xml import CARD, INK, NEGATIVE, POSITIVE, Raw, element, write

__all__ = ["point", "wrong"]


def _polygon(corners: int, size: float, turned: float) -> list[tuple[float, float]]:
    angles = [2 * math.pi * (i / corners + turned) for i in range(corners)]
    return [(size * math.sin(a), -size * math.cos(a)) for a in angles]


def _turned(shape: list[tuple[float, float]], by: float) -> list[tuple[float, float]]:
    c, s = math.cos(by), math.sin(by)
    return [(c * x - s * y, s * x + c * y) for x, y in shape]


# In units of the radius of a circle that looks as large; None is that circle.
_TRIANGLE, _HALF = (
    _polygon(3, 1.35, 0),
    [(0.42, -1.25), (0.42, -0.42), (1.25, -0.42), (1.25, 0.42), (0.42, 0.42), (0.42, 1.25)],
)
_PLUS = _HALF + [(-x, -y) for x, y in _HALF]
_STAR = [p for pair in zip(_polygon(5, 1.5, 0), _polygon(5, 0.62, 0.1), strict=True) for p in pair]
_SHAPES: list[list[tuple[float, float]] | None] = [
    _TRIANGLE, None, _polygon(4, 1.2, 0.125), _polygon(4, 1.35, 0), _PLUS, _turned(_TRIANGLE, math.pi), _STAR,
    [(-1.1, -1.2), (1.1, -1.2), (-1.1, 1.2), (1.1, 1.2)], _turned(_PLUS, math.pi / 4),
    [(-1.4, -0.6), (1.4, -0.6), (1.4, 0.6), (-1.4, 0.6)],
]  # fmt: skip


def point(x: float, y: float, r: float, k: int, kinds: int, is_filled: bool, **data: Any) -> Raw:
    """An example of class `k` at (x, y). Of two classes each has the hue of its sign; beyond ten shapes classes are
    numbers in a circle."""
    hue = INK if kinds > 2 else POSITIVE if k else NEGATIVE
    look = {"fill": hue, "stroke": CARD, "stroke_width": 0.9} if is_filled else {
        "fill": CARD, "stroke": hue, "stroke_width": 1.5,
    }  # fmt: skip
    if k >= len(_SHAPES):
        number = str(k)
        circle = element("circle", cx=x, cy=y, r=4.5 + 2.5 * len(number), **look)
        return element("g", circle, write(number, x, y + 4, 11, CARD if is_filled else INK, "middle"), **data)
    shape = _SHAPES[k]
    size = r if is_filled else r - 0.3
    if shape is None:
        return element("circle", cx=x, cy=y, r=size, **look, **data)
    d = "M" + "L".join(f"{x + size * a:.2f} {y + size * b:.2f}" for a, b in shape) + "Z"
    return element("path", d=d, **look, **data)


def wrong(x: float, y: float, r: float) -> Raw:
    """The ring around an example that is given another class."""
    return element(
        "circle",
        cx=x,
        cy=y,
        r=1.3 * r + 2.0,
        fill="none",
        stroke=INK,
        stroke_width=1.25 if r > 2.5 else 0.9,
        data_mark="wrong",
    )
