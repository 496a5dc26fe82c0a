"""Pictures read as data: their elements, their texts with places and sizes, and which of these lie on one another."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import viz
from viz._text import width

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Text:
    """A line of text and about where it is: left, top, right, bottom, in pixels of the page."""

    said: str
    size: float
    left: float
    top: float
    right: float
    bottom: float


def parse(picture: viz.Picture | str) -> ET.Element:
    """The picture, or its SVG, as a tree."""
    return ET.fromstring(picture if isinstance(picture, str) else picture.svg)


def placed(root: ET.Element) -> Iterator[tuple[ET.Element, float, float]]:
    """Every element with how far it was moved right and down; no picture turns or scales anything but patterns."""
    stack = [(root, 0.0, 0.0)]
    while stack:
        node, dx, dy = stack.pop()
        if node.tag == SVG + "defs":
            continue
        if move := node.get("transform"):
            found = re.fullmatch(r"translate\(([-\d.e]+)[ ,]+([-\d.e]+)\)", move)
            assert found, f"a transform that is no translation: {move}"
            dx, dy = dx + float(found[1]), dy + float(found[2])
        yield node, dx, dy
        stack += [(child, dx, dy) for child in reversed(node)]


def texts(picture: viz.Picture | str) -> list[Text]:
    """All text that is drawn, with its estimated box."""
    found = []
    for node, dx, dy in placed(parse(picture)):
        if node.tag != SVG + "text":
            continue
        said, size = "".join(node.itertext()), float(node.get("font-size", "16"))
        wide = width(said, size, node.get("font-weight") == "600")
        x, y = float(node.get("x", "0")) + dx, float(node.get("y", "0")) + dy
        left = x - {"middle": wide / 2, "end": wide}.get(node.get("text-anchor", "start"), 0.0)
        found.append(Text(said, size, left, y - 0.74 * size, left + wide, y + 0.2 * size))
    return found


def overlaps(picture: viz.Picture | str, tolerance: float = 1.0) -> list[tuple[str, str]]:
    """The pairs of texts whose boxes share more than `tolerance` pixels in both directions."""
    return [
        (a.said, b.said)
        for a, b in combinations(texts(picture), 2)
        if min(a.right, b.right) - max(a.left, b.left) > tolerance
        and min(a.bottom, b.bottom) - max(a.top, b.top) > tolerance
    ]


def outside(picture: viz.Picture | str) -> list[str]:
    """The texts that reach over the edge of the page."""
    root = parse(picture)
    wide, high = float(root.get("width", "0")), float(root.get("height", "0"))
    return [t.said for t in texts(picture) if t.left < 0 or t.top < 0 or t.right > wide or t.bottom > high]


def legible(picture: viz.Picture | str) -> None:
    """Nothing under 11 pixels, nothing cut off, no text on another."""
    assert min(t.size for t in texts(picture)) >= 11
    assert outside(picture) == []
    assert overlaps(picture) == []
