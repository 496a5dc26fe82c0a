"""Pictures read as data: their elements, their texts with places and sizes, and which of these lie on one another."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, zip_longest

import viz
from viz._text import width
from viz._theme import THEMES

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


def marked(picture: viz.Picture, attribute: str) -> list[ET.Element]:
    """The elements that have an attribute, such as "data-unit"."""
    return [g for g in parse(picture).iter() if attribute in g.attrib]


def boxes(picture: viz.Picture) -> list[ET.Element]:
    """The boxes of a graph."""
    return marked(picture, "data-box")


def edges(picture: viz.Picture) -> list[ET.Element]:
    """The edges of a graph."""
    return marked(picture, "data-edge")


def words(element: ET.Element) -> list[str]:
    """What is written in an element."""
    return [t.text or "" for t in element.iter(f"{SVG}text")]


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


# --- the paint ------------------------------------------------------------------------------------------------------

_PATTERN = {"dead": "hatch", "closed": "hatch", "saturated": "dots"}
_GLYPH = {"dead": "cross", "saturated": "square"}
_WORD = {"cross": "dead", "square": "saturated"}
_OWNERS = {f"data-{what}" for what in ("box", "unit", "units", "group", "region", "panel", "activation")}
INKS, CARDS = ({colours[role] for colours in THEMES.values()} for role in ("ink", "card"))


def drawing(root: ET.Element) -> ET.Element:
    """What is drawn, without heading and legend."""
    (found,) = [node for node in root.iter() if "data-drawing" in node.attrib]
    return found


def legend(root: ET.Element, words: str) -> ET.Element:
    """The piece of the legend that begins with these words."""
    within = set(drawing(root).iter())
    pieces = [g for g in root.iter(f"{SVG}g") if g not in within and (g.findtext(f"{SVG}text") or "").startswith(words)]
    assert len(pieces) == 1, f"{len(pieces)} pieces of the legend say {words!r}"
    return pieces[0]


def pattern(root: ET.Element, fill: str) -> str:
    """What a fill refers to, by what is in there: "hatch" are lines, "dots" are discs; empty for a colour."""
    if not fill.startswith("url("):
        return ""
    (found,) = [node for node in root.iter(f"{SVG}pattern") if f"url(#{node.get('id')})" == fill]
    (mark,) = found
    shown = {"path": ("hatch", "stroke"), "circle": ("dots", "fill")}
    name, colour = shown[mark.tag.removeprefix(SVG)]
    assert mark.get(colour) not in CARDS | {None, "none"}
    return name


def glyph(node: ET.Element) -> str:
    """ "cross" for two diagonals in ink, "square" for a square of card outlined in ink, by their paint alone."""
    if node.get("stroke") not in INKS:
        return ""
    if node.tag == f"{SVG}rect" and node.get("fill") in CARDS and node.get("rx") is None:
        return "square" if node.get("width") == node.get("height") else ""
    strokes = re.fullmatch(r"M\S+ \S+l([\d.]+) ([\d.]+)m0 -([\d.]+)l-([\d.]+) ([\d.]+)", node.get("d", ""))
    return "cross" if strokes and len({float(x) for x in strokes.groups()}) == 1 else ""


def painted(root: ET.Element) -> list[tuple[ET.Element, Counter[str]]]:
    """Each thing drawn that may carry a mark, with the patterns and glyphs that are seen in it, those of things within
    it left out; last the whole drawing, with what is in no such thing."""
    found: list[tuple[ET.Element, Counter[str]]] = []

    def visit(node: ET.Element, seen: dict[object, str]) -> None:
        for child, after in zip_longest(node, list(node)[1:]):
            own = _OWNERS & child.attrib.keys() or child.get("data-mark") == "nan"
            mine = {} if own else seen
            place = tuple(child.get(k) for k in ("x", "y", "width", "height", "r", "d"))
            fill, solid = child.get("fill", "none"), float(child.get("fill-opacity", "1")) > 0.5
            if fill != "none" and solid:
                mine.pop(place, None)  # painted over
                if what := pattern(root, fill):
                    mine[place] = what
            if (what := glyph(child)) and not (after is not None and _WORD[what] in (after.text or "")):
                mine[child] = what  # and not the label of a count
            visit(child, mine)
            if own:
                found.append((child, Counter(mine.values())))

    whole, loose = drawing(root), dict[object, str]()
    visit(whole, loose)
    return [*found, (whole, Counter(loose.values()))]


def _expected(thing: ET.Element, seen: Counter[str]) -> tuple[set[str], Counter[str]]:
    """The patterns and the glyphs that a thing's marks call for."""
    mark, parts = thing.get("data-mark", ""), list(thing.iter())
    word = thing.get("data-region", mark if "data-shared" in thing.attrib else thing.get("data-panel", mark))
    patterns = {_PATTERN[m] for m in thing.get("data-marks", word).split() if m in _PATTERN}
    glyphs = Counter(_GLYPH[m] for m in (mark,) if m in _GLYPH)
    if "data-marks" in thing.attrib:  # epoch after epoch, in a strip that has no room for glyphs
        glyphs.clear()
    elif "data-group" in thing.attrib:  # many units: the share that is dead, and a count beside each glyph
        counted = [m for m in _GLYPH if int(thing.get(f"data-{m}", "0"))]
        patterns, glyphs = {"hatch"} & {_PATTERN[m] for m in counted}, Counter(_GLYPH[m] for m in counted)
    elif "data-activation" in thing.attrib and any(p.get("data-region") == "saturated" for p in parts):
        glyphs["square"] = seen["square"]  # in each region that has room
    elif "data-box" in thing.attrib and any("data-unit" in p.attrib for p in parts):
        glyphs.clear()  # its units have them
    elif mark == "nan" and "data-unit" not in thing.attrib:
        patterns = {"hatch"}  # a part of a map
    if thing.get("data-verdict") == "wrong":
        glyphs["cross"] += 1  # another cross, with words
    return patterns, +glyphs


def marks_agree(picture: viz.Picture | str) -> Counter[str]:
    """What is said to be dead, closed or saturated is painted so, pattern and glyph, nothing else is, and the legend
    shows the same with the same words; returns how often each mark was met."""
    root, met = parse(picture), Counter[str]()
    for thing, seen in painted(root):
        patterns, glyphs = _expected(thing, seen)
        assert seen.keys() & {"hatch", "dots"} == patterns, f"{thing.attrib} is painted {dict(seen)}"
        assert {k: n for k, n in seen.items() if k in _WORD} == glyphs, f"{thing.attrib} is painted {dict(seen)}"
        met["group" if "data-group" in thing.attrib else thing.get("data-mark", "")] += 1
    within, told = set(drawing(root).iter()), set[str]()
    for piece in (g for g in root.iter(f"{SVG}g") if g not in within):
        if shown := {pattern(root, node.get("fill", "")) or glyph(node) for node in piece} - {""}:
            words = " ".join(t.text or "" for t in piece.iter(f"{SVG}text"))
            (mark,) = [m for m in (*_PATTERN, "NaN") if m in words]
            assert shown == {_PATTERN.get(mark, "hatch"), _GLYPH.get(mark, "")} - {""}, f"{words}: {shown}"
            told.add(mark)
    assert met.keys() & _PATTERN.keys() <= told, "a mark that the legend does not show"
    return met
