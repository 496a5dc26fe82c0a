"""How a unit looks: a circle or a small map, its ring, its marks, its numbers; and what the legend says of these."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from viz._marks import Piece, cross, sample, square
from viz._places import Point
from viz._text import clean, fitted, signed, width
from viz._xml import CARD, DOTS, FAINT, GREY, HATCH, INK, NEGATIVE, PAPER, POSITIVE, TRACK, Raw, element, hue, write
from viz.neurons._columns import Glyph
from viz.neurons._maps import TINTS, Plane, draw_map

__all__ = ["RING", "Look", "draw_unit", "fill_scale", "map_scale", "ring_sample"]

RING = 4.0  # width of the ring, and
_OFF = 3.5  # its distance from the unit
CORNER = 9.0
TINT = 0.47  # the strongest fill: text on it keeps its contrast in every theme


@dataclass(frozen=True, slots=True)
class Look:
    """What is drawn of one unit: `mean` None without examples, `on_rate` None without a ring; `most` is what the
    strongest tint stands for; `beside` says on which side of it the name stands."""

    name: str
    mean: float | None = None
    on_rate: float | None = None
    mark: str = ""
    most: float = 0.0
    plane: Plane | None = None
    is_output: bool = False
    beside: str = ""


def draw_unit(look: Look, glyph: Glyph) -> list[Raw]:
    """A unit about (0, 0)."""
    flawed = look.mean is not None and not math.isfinite(look.mean)
    half = glyph.half
    parts = []
    if look.on_rate is not None and math.isfinite(look.on_rate):
        parts += _ring(glyph, look.on_rate)
    if glyph.is_square:
        parts += [] if look.plane is None else draw_map(look.plane, look.most, 2 * half, CORNER)
        parts.append(_corners(half))
    else:
        parts.append(element("circle", r=half, fill=CARD))
        if look.mean and look.most and not flawed:
            tint = TINT * min(1.0, abs(look.mean) / look.most)
            parts.append(element("circle", r=half, fill=hue(look.mean), fill_opacity=f"{tint:.4f}", data_fill=""))
    pattern = {"dead": HATCH, "saturated": DOTS}.get(look.mark)
    if look.mark == "saturated":  # dots read on a paler tint
        parts.append(_shape(glyph, fill=CARD, fill_opacity=0.45))
    if pattern:
        parts.append(_shape(glyph, fill=pattern))
    heavy = 3 if flawed else 2.25 if look.is_output else 1.25
    parts.append(_shape(glyph, fill="none", stroke=INK if flawed or look.is_output else GREY, stroke_width=heavy))
    parts += _texts(look, glyph)
    if look.mark == "dead":
        parts += _badge(cross(0, 0, 17 if glyph.is_square else 15), 12)
    elif look.mark == "saturated":
        at = half * (0.92 if glyph.is_square else 0.74)
        parts.append(square(at, -at, 11))
    return parts


def _badge(glyph: Raw, radius: float) -> list[Raw]:
    return [element("circle", r=radius, fill=CARD, fill_opacity=0.85), glyph]


def _shape(glyph: Glyph, **paint: object) -> Raw:
    half = glyph.half
    if not glyph.is_square:
        return element("circle", r=half, **paint)
    return element("rect", x=-half, y=-half, width=2 * half, height=2 * half, rx=CORNER, **paint)


def _corners(half: float) -> Raw:
    """What the rounded frame leaves of the square's corners, in the colour of the page."""
    d = ""
    for sx, sy in ((1, 1), (1, -1), (-1, -1), (-1, 1)):
        x, y, r = sx * (half + 0.5), sy * (half + 0.5), CORNER
        bend = r * 0.45
        d += (
            f"M{x:.2f} {y:.2f}L{x:.2f} {y - sy * r:.2f}"
            f"C{x:.2f} {y - sy * bend:.2f} {x - sx * bend:.2f} {y:.2f} {x - sx * r:.2f} {y:.2f}Z"
        )
    return element("path", d=d, fill=PAPER)


def _ring(glyph: Glyph, share: float) -> list[Raw]:
    """A track around the unit, and on it the on-rate, clockwise from the top."""
    radius = glyph.half + _OFF + RING / 2 - 0.5
    around = _around(radius, glyph.is_square)
    line = {"fill": "none", "stroke_width": RING}
    parts = [element("path", d=_path(around) + "Z", stroke=TRACK, **line)]
    if share > 0:
        parts.append(
            element("path", d=_path(_part(around, min(1.0, share))), stroke=GREY, data_on_rate=repr(share), **line)
        )
    return parts


def _around(radius: float, is_square: bool) -> list[Point]:
    """A circle or rounded square as a polygon from the top, clockwise, closed."""
    if not is_square:
        turns = [2 * math.pi * k / 72 for k in range(73)]
        return [(radius * math.sin(t), -radius * math.cos(t)) for t in turns]
    bend, inner, points = CORNER + _OFF, 0.0, [(0.0, -radius)]
    inner = radius - bend
    for quarter, (sx, sy) in enumerate(((1, -1), (1, 1), (-1, 1), (-1, -1))):
        for k in range(9):
            t = math.pi / 2 * (quarter + k / 8)
            points.append((sx * inner + bend * math.sin(t), sy * inner - bend * math.cos(t)))
    return [*points, (0.0, -radius)]


def _part(points: list[Point], share: float) -> list[Point]:
    """The beginning of a line, `share` of its length."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    left, kept = share * sum(lengths), points[:1]
    for (x0, y0), (x1, y1), length in zip(points[:-1], points[1:], lengths, strict=True):
        if length >= left:
            t = left / length if length else 0.0
            return [*kept, (x0 + t * (x1 - x0), y0 + t * (y1 - y0))]
        kept.append((x1, y1))
        left -= length
    return kept


def _path(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def _texts(look: Look, glyph: Glyph) -> list[Raw]:
    """The name beside, below or in the unit; the mean in the circle, or below the map."""
    name, parts = clean(look.name, 40), []
    if look.beside:
        left = look.beside == "left"
        x = (glyph.reach + 9) * (-1 if left else 1)
        parts.append(write(fitted(name, 12.5, 150), x, 4.5, 12.5, INK, "end" if left else "start", bold=True))
    if look.mean is None:
        if not look.beside:
            inside = width(name, 11.5) <= 1.7 * glyph.half
            y = 4.0 if inside else glyph.reach + 13
            shown = name if inside else fitted(name, 11, 2 * glyph.half + 28)
            parts.append(write(shown, 0, y, 11.5 if inside else 11, GREY, "middle", halo=not inside))
        return parts
    mean, below = signed(look.mean), glyph.reach + 12.5
    if not glyph.is_square:
        mean = next((t for t in map(_digits(look.mean), (4, 3, 2)) if width(t, 11) <= 2 * glyph.half), mean)
    if glyph.is_square:
        at, anchor = (0.0, "middle") if look.beside else (glyph.reach, "end")
        if not look.beside:  # the mean in as many digits as leave room for a short name
            room = 2 * glyph.reach - 4 - min(width(name, 11), 0.7 * glyph.reach)
            mean = next((t for t in map(_digits(look.mean), (4, 3, 2)) if width(t, 11) <= room), mean)
            shown = fitted(name, 11, 2 * glyph.reach - 4 - width(mean, 11))
            parts.append(write(shown, -glyph.reach, below, 11, GREY))
        return [*parts, write(mean, at, below, 11, INK, anchor)]
    if look.mark == "saturated":  # away with the dots behind it
        back = {"width": width(mean, 11) + 6, "height": 15, "rx": 7.5}
        parts.append(element("rect", x=-back["width"] / 2, y=-7.5, fill=CARD, fill_opacity=0.9, **back))
    if look.mark != "dead":
        parts.append(write(mean, 0, 4, 11, INK, "middle"))
    if not look.beside:
        parts.append(write(fitted(name, 11, 2 * glyph.half + 26), 0, below, 11, GREY, "middle", halo=True))
    return parts


def _digits(x: float) -> Callable[[int], str]:
    """A number in as many digits; in full it is on hover and in the table."""
    return lambda digits: signed(float(f"{x:.{digits}g}"))


# --- what the legend says of it ------------------------------------------------------------------------------------


def fill_scale(text: str) -> Piece:
    """From the strongest negative tint to the strongest positive one."""
    steps, parts = 9, []
    for k in range(steps):
        x = (k - steps // 2) / (steps // 2)
        colour = hue(x) if x else CARD
        parts.append(element("rect", x=k * 7, y=-6, width=7, height=12, fill=colour, fill_opacity=TINT * abs(x)))
    return _scale(parts, steps * 7.0, text)


def map_scale(text: str) -> Piece:
    """The levels of a map, and its zero line."""
    parts, middle = [], TINTS * 7.0
    for k in range(TINTS):
        for colour, sign in ((NEGATIVE, -1), (POSITIVE, 1)):
            wide = (TINTS - k) * 7.0
            x = middle + k * 7 if sign > 0 else 0.0
            parts.append(element("rect", x=x, y=-6, width=wide, height=12, fill=colour, fill_opacity=0.16))
    parts.append(element("line", x1=middle, x2=middle, y1=-6, y2=6, stroke=INK, stroke_width=1.25))
    return _scale(parts, 2 * middle, text)


def _scale(parts: list[Raw], wide: float, text: str) -> Piece:
    edge = element("rect", y=-6, width=wide, height=12, fill="none", stroke=FAINT, stroke_width=1)
    ends = [write("−", 0, 4, 12, GREY), write("+", wide + 13, 4, 12, GREY)]
    bar = element("g", *parts, edge, transform="translate(10 0)")
    return sample([ends[0], bar, ends[1]], wide + 21, text)


def ring_sample(text: str) -> Piece:
    """A ring and what it means."""
    small = Glyph(1.5, 8.0)
    return sample([element("g", *_ring(small, 0.62), transform="translate(9 0)")], 19, text)
