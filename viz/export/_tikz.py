"""The picture as a LaTeX document of its own, drawn by TikZ; pdfLaTeX, XeLaTeX and LuaLaTeX all set it.

The SVG is read back and every element of it becomes a command or two, with all transforms worked out, in big points
with y upwards. An element that is not known here is an error, so that nothing can be missing in silence.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator

from viz._sheet import Sheet
from viz._text import width
from viz._theme import THEMES
from viz.export._outline import SVG, Affine, Point, Step, bounds, outline, transform
from viz.export._tex import PREAMBLE, tex

__all__ = ["write_tikz"]

_HANDED_DOWN = {
    "fill": THEMES["print"]["ink"], "stroke": "none", "stroke-width": "1", "stroke-dasharray": "",
    "stroke-linecap": "butt", "stroke-linejoin": "miter", "font-size": "16", "font-weight": "400",
    "text-anchor": "start", "fill-opacity": "1", "stroke-opacity": "1", "fill-rule": "nonzero",
}  # fmt: skip
_UNSEEN = {"title", "desc", "defs", "clipPath", "pattern", "linearGradient", "metadata"}
_SHAPES = {"rect", "line", "path", "circle", "ellipse", "polyline", "polygon"}
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
_POINTS = 0.75  # to a pixel
_LARGEST = 16_000.0  # points: TeX knows no longer lengths
_STRIPES = 48  # of a gradient

Style = dict[str, str]


def write_tikz(sheet: Sheet, theme: str) -> str:
    """The page as a standalone LaTeX document of its size.

    Needs TikZ; with TeX Gyre or Latin Modern it is set in their sans. Characters that the fonts lack are shown as their
    numbers, such as U+1F600.
    """
    root = ET.fromstring(sheet.svg(theme))
    drawing = _Drawing(root, sheet, dict(reversed([(colour, role) for role, colour in THEMES[theme].items()])))
    commands = "\n".join(drawing.group(root, Affine(), dict(_HANDED_DOWN), 1.0))
    colours = "\n".join(
        rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}" for colour, name in sorted(drawing.used.items())
    )
    wide, high = sheet.width * drawing.unit, sheet.height * drawing.unit
    return rf"""% Set it with pdflatex, xelatex or lualatex.
\documentclass{{article}}
\usepackage[paperwidth={wide:g}bp, paperheight={high:g}bp, margin=0pt]{{geometry}}
{PREAMBLE}
{colours}
\pagestyle{{empty}}
\newsavebox{{\drawing}}
\begin{{document}}
\begin{{lrbox}}{{\drawing}}% and not an argument, which would take TeX's memory for all of it at once
\begin{{tikzpicture}}[x=1bp, y=1bp, inner xsep=0bp, inner ysep=0.75bp, outer sep=0bp, miter limit=4]
\path[use as bounding box] (0,0) rectangle ({wide:g},{high:g});
{commands}
\end{{tikzpicture}}%
\end{{lrbox}}
\noindent\raisebox{{\dimexpr\topskip-\height}}[0pt][0pt]{{\makebox[0pt][l]{{\usebox{{\drawing}}}}}}
\end{{document}}
"""


class _Drawing:
    """From elements to commands; gathers the colours that they use."""

    def __init__(self, root: ET.Element, sheet: Sheet, names: dict[str, str]) -> None:
        self.unit = min(_POINTS, _LARGEST / max(sheet.width, sheet.height))
        self.height = sheet.height
        self.by_id = {element.get("id"): element for element in root.iter()}
        self.names, self.used = names, dict[str, str]()

    def group(self, parent: ET.Element, to: Affine, style: Style, opacity: float) -> Iterator[str]:
        for element in parent:
            tag = element.tag.removeprefix(SVG)
            if tag in _UNSEEN:
                continue
            own = style | {key: element.attrib[key] for key in _HANDED_DOWN if key in element.attrib}
            here = to @ transform(element.get("transform", ""))
            seen = opacity * float(element.get("opacity", 1))
            clip = self.referred(element.get("clip-path", ""))
            if clip is not None:
                yield rf"\begin{{scope}}\clip {self.path([s for c in clip for s in outline(c)], here)};"
            if tag in ("g", "a"):
                yield from self.group(element, here, own, seen)
            elif tag == "text":
                yield from self.text(element, here, own, seen)
            elif tag in _SHAPES:
                yield from self.shape(outline(element), here, own, seen, filled=tag != "line")
            else:
                raise ValueError(f"it has an element <{tag}>, which is not known here.")
            if clip is not None:
                yield r"\end{scope}"

    def referred(self, value: str) -> ET.Element | None:
        """The element that url(#...) names."""
        return self.by_id[value[5:-1]] if value.startswith("url(#") else None

    def colour(self, value: str) -> str:
        if not re.fullmatch("#[0-9a-fA-F]{6}", value):
            raise ValueError(f"it has a colour {value!r}, which is not known here.")
        return self.used.setdefault(value, self.names.get(value) or f"colour{len(self.used)}")

    def path(self, steps: Iterable[Step], to: Affine) -> str:
        parts = []
        for kind, points in steps:
            at = [self.point(to(p)) for p in points]
            if kind == "C":
                parts.append(f".. controls {at[0]} and {at[1]} .. {at[2]}")
            else:
                parts.append("--cycle" if kind == "Z" else at[0] if kind == "M" else "--" + at[0])
        return "".join(parts)

    def point(self, p: Point) -> str:
        return f"({_short(p[0] * self.unit)},{_short((self.height - p[1]) * self.unit)})"

    def shape(self, steps: list[Step], to: Affine, style: Style, opacity: float, filled: bool = True) -> Iterator[str]:
        if len(steps) < 2:
            return
        path, options = self.path(steps, to), []
        server = self.referred(style["fill"])
        if server is not None:
            yield rf"\begin{{scope}}\clip {path};"
            inside = self.gradient if server.tag == SVG + "linearGradient" else self.pattern
            yield from inside(server, bounds(steps), to, opacity * float(style["fill-opacity"]))
            yield r"\end{scope}"
        elif filled and style["fill"] != "none":
            options.append(f"fill={self.colour(style['fill'])}")
            options += ["even odd rule"] * (style["fill-rule"] == "evenodd")
            options += _seen("fill", opacity * float(style["fill-opacity"]))
        if style["stroke"] != "none":
            scale = to.scale * self.unit
            options.append(f"draw={self.colour(style['stroke'])}")
            options.append(f"line width={_short(float(style['stroke-width']) * scale)}bp")
            options += _seen("draw", opacity * float(style["stroke-opacity"]))
            lengths = [_short(float(d) * scale) for d in re.findall(r"[\d.]+", style["stroke-dasharray"])]
            lengths *= 1 + len(lengths) % 2
            if lengths:
                pairs = zip(lengths[::2], lengths[1::2], strict=True)
                options.append("dash pattern=" + " ".join(f"on {on}bp off {off}bp" for on, off in pairs))
            cap, join = style["stroke-linecap"], style["stroke-linejoin"]
            options += [f"line cap={'rect' if cap == 'square' else cap}"] * (cap != "butt")
            options += [f"line join={join}"] * (join != "miter")
        if options:
            yield rf"\path[{','.join(options)}] {path};"

    def pattern(
        self, server: ET.Element, around: tuple[float, float, float, float], to: Affine, opacity: float
    ) -> Iterator[str]:
        """A pattern in whole lines, which takes little of TeX's memory and looks alike in every viewer.

        Hatching is lines as it is; a row of dots is a line of dashes without length and with round ends.
        """
        turn = transform(server.get("patternTransform", ""))
        wide, high = float(server.get("width", 0)), float(server.get("height", 0))
        corners = [turn.inverse()((x, y)) for x in around[::2] for y in around[1::2]]
        xs, ys = [x / wide for x, _ in corners], [y / high for _, y in corners]
        columns, rows = (range(math.floor(min(n)), math.ceil(max(n))) for n in (xs, ys))
        (part,) = server
        style = _HANDED_DOWN | part.attrib
        if part.tag == SVG + "circle":
            x, y, r = (float(part.get(key, 0)) for key in ("cx", "cy", "r"))
            dots = {"stroke": style["fill"], "stroke-width": str(2 * r), "stroke-linecap": "round",
                    "stroke-dasharray": f"0 {wide}"}  # fmt: skip
            ends = [(columns.start * wide + x, columns.stop * wide + x)]
            lines = [((a, row * high + y), (b, row * high + y)) for row in rows for a, b in ends]
            style = _HANDED_DOWN | dots
        elif part.get("d") == f"M0 0V{high:g}":
            thick = float(style["stroke-width"]) / 2  # the other half lies outside the tile
            middles = [column * wide + thick / 2 for column in columns]
            lines = [((x, rows.start * high), (x, rows.stop * high)) for x in middles]
            style = style | {"stroke-width": str(thick)}
        else:
            raise ValueError(f"it has a pattern of {part.tag.removeprefix(SVG)!r}, which is not known here.")
        for a, b in lines:
            yield from self.shape([("M", [a]), ("L", [b])], to @ turn, style, opacity, filled=False)

    def gradient(
        self, server: ET.Element, around: tuple[float, float, float, float], to: Affine, opacity: float
    ) -> Iterator[str]:
        """A gradient along x or y, as stripes."""
        ends = [float(server.get(key, default)) for key, default in zip(("x1", "y1", "x2", "y2"), "0010", strict=True)]
        level = abs(ends[2] - ends[0]) >= abs(ends[3] - ends[1])
        start, end = ends[::2] if level else ends[1::2]
        stops = [(float(s.get("offset", 0)), s.get("stop-color", "")) for s in server]
        x0, y0, x1, y1 = around
        for k in range(_STRIPES):
            a, b = k / _STRIPES, min(1.0, (k + 1.5) / _STRIPES)  # each reaches under the next: no seams
            where = ((a + b) / 2 - start) / ((end - start) or 1.0)
            box = (x0 + a * (x1 - x0), y0, x0 + b * (x1 - x0), y1) if level else (
                x0, y0 + a * (y1 - y0), x1, y0 + b * (y1 - y0))  # fmt: skip
            left, top, right, low = box
            corners = [(left, top), (right, top), (right, low), (left, low)]
            steps: list[Step] = [("L" if i else "M", [p]) for i, p in enumerate(corners)]
            yield from self.shape([*steps, ("Z", [])], to, _HANDED_DOWN | {"fill": _between(stops, where)}, opacity)

    def text(self, element: ET.Element, to: Affine, style: Style, opacity: float) -> Iterator[str]:
        words = (element.text or "") + "".join(
            (e.text or "") + (e.tail or "") for e in element if e.tag != SVG + "title"
        )
        if not words.strip():
            return
        size = float(style["font-size"].removesuffix("px")) * to.scale * self.unit
        weight = style["font-weight"]
        bold = r"\bfseries" if weight == "bold" or (weight.isdigit() and int(weight) >= 600) else ""
        options = [f"anchor={_ANCHORS[style['text-anchor']]}", f"text={self.colour(style['fill'])}"]
        options += _seen("text", opacity * float(style["fill-opacity"]))
        if abs(to.turn) > 0.01:
            options.append(f"rotate={_short(-to.turn)}")
        if style["stroke"] != "none":  # the edge that keeps it readable on lines
            options += [f"fill={self.colour(style['stroke'])}", "fill opacity=0.8", "text opacity=1"]
        at = self.point(to((float(element.get("x", 0)), float(element.get("y", 0)))))
        font = rf"\fontsize{{{_short(size)}bp}}{{{_short(size)}bp}}{bold}\selectfont"
        room = _short(width(words, size, bool(bold)))
        yield rf"\node[{','.join(options)}] at {at} {{{font}\fit{{{room}bp}}{{{tex(words)}}}}};"


def _seen(what: str, opacity: float) -> list[str]:
    return [f"{what} opacity={opacity:.3g}"] if opacity < 1 else []


def _short(x: float) -> str:
    return f"{round(x, 2) + 0.0:.2f}".rstrip("0").rstrip(".")  # + 0.0 for no -0


def _between(stops: list[tuple[float, str]], where: float) -> str:
    """The colour of a gradient at a place from 0 to 1."""
    below = [s for s in stops if s[0] <= where] or stops[:1]
    above = [s for s in stops if s[0] > where] or stops[-1:]
    (a, low), (b, high) = below[-1], above[0]
    share = (where - a) / (b - a) if b > a else 0.0
    pairs = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(p + share * (q - p)):02x}" for p, q in pairs)
