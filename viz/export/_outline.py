"""The geometry of our SVG, for exports that must speak it in another language: transforms and outlines of shapes."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["SVG", "Affine", "Point", "Step", "bounds", "outline", "steps_of", "transform"]

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]
Step = tuple[str, list[Point]]  # M and L with a point, C with three, Z with none; all points are absolute

_ARC = 0.5522847498  # how far a quarter circle's control points reach, to its radius
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TOKEN = re.compile(r"[A-Za-z]|" + _NUMBER.pattern)
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "Q": 4, "Z": 0}


class Affine(NamedTuple):
    """A transform of the plane: (x, y) goes to (a x + c y + e, b x + d y + f)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def __call__(self, p: Point) -> Point:
        x, y = p
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def __matmul__(self, first: Affine) -> Affine:
        """This transform after `first`."""
        (a, b), (c, d) = self._turned(first.a, first.b), self._turned(first.c, first.d)
        return Affine(a, b, c, d, *self((first.e, first.f)))

    def _turned(self, x: float, y: float) -> Point:
        return self.a * x + self.c * y, self.b * x + self.d * y

    @property
    def scale(self) -> float:
        """How much longer a line becomes, on the whole."""
        return math.sqrt(abs(self.a * self.d - self.b * self.c))

    @property
    def turn(self) -> float:
        """By how many degrees a level line is turned, clockwise."""
        return math.degrees(math.atan2(self.b, self.a))

    def inverse(self) -> Affine:
        """The transform back."""
        area = self.a * self.d - self.b * self.c
        linear = Affine(self.d / area, -self.b / area, -self.c / area, self.a / area)
        x, y = linear((self.e, self.f))
        return Affine(linear.a, linear.b, linear.c, linear.d, -x, -y)


def transform(text: str) -> Affine:
    """What an attribute such as "translate(10 20) rotate(-90)" says.

    >>> transform("translate(10 20) rotate(90)")((1, 0))
    (10.0, 21.0)
    """
    whole = Affine()
    for name, inside in re.findall(r"(\w+)\(([^)]*)\)", text):
        n = [float(x) for x in _NUMBER.findall(inside)]
        if name == "translate":
            step = Affine(e=n[0], f=n[1] if len(n) > 1 else 0.0)
        elif name == "scale":
            step = Affine(a=n[0], d=n[1] if len(n) > 1 else n[0])
        elif name == "rotate":
            c, s = math.cos(math.radians(n[0])), math.sin(math.radians(n[0]))
            x, y = n[1:] or (0.0, 0.0)
            step = Affine(c, s, -s, c, x - c * x + s * y, y - s * x - c * y)
        elif name == "matrix":
            step = Affine(*n)
        else:
            raise ValueError(f"the drawing has a transform {name!r}, which is not known here.")
        whole = whole @ step
    return whole


def outline(shape: ET.Element) -> list[Step]:
    """The outline of a rect, line, path, circle, ellipse, polyline or polygon, in its own coordinates."""
    tag = shape.tag.removeprefix(SVG)

    def at(key: str) -> float:
        return float(shape.get(key, 0))

    if tag == "path":
        return steps_of(shape.get("d", ""))
    if tag == "line":
        return [("M", [(at("x1"), at("y1"))]), ("L", [(at("x2"), at("y2"))])]
    if tag in ("polyline", "polygon"):
        n = [float(x) for x in _NUMBER.findall(shape.get("points", ""))]
        points = list(zip(n[::2], n[1::2], strict=True))
        steps: list[Step] = [("L" if i else "M", [p]) for i, p in enumerate(points)]
        return [*steps, ("Z", [])] if tag == "polygon" and points else steps
    if tag == "rect":
        wide, high = at("width"), at("height")
        rx, ry = float(shape.get("rx", shape.get("ry", 0))), float(shape.get("ry", shape.get("rx", 0)))
        return _rounded(at("x"), at("y"), wide, high, min(rx, wide / 2), min(ry, high / 2)) if wide and high else []
    rx, ry = (at("r"), at("r")) if tag == "circle" else (at("rx"), at("ry"))
    return _rounded(at("cx") - rx, at("cy") - ry, 2 * rx, 2 * ry, rx, ry) if rx and ry else []


def _rounded(x: float, y: float, wide: float, high: float, rx: float, ry: float) -> list[Step]:
    right, low, kx, ky = x + wide, y + high, rx * (1 - _ARC), ry * (1 - _ARC)
    if not rx or not ry:
        corners = [(x, y), (right, y), (right, low), (x, low)]
        return [("L" if i else "M", [p]) for i, p in enumerate(corners)] + [("Z", [])]
    return [
        ("M", [(x + rx, y)]),
        ("L", [(right - rx, y)]),
        ("C", [(right - kx, y), (right, y + ky), (right, y + ry)]),
        ("L", [(right, low - ry)]),
        ("C", [(right, low - ky), (right - kx, low), (right - rx, low)]),
        ("L", [(x + rx, low)]),
        ("C", [(x + kx, low), (x, low - ky), (x, low - ry)]),
        ("L", [(x, y + ry)]),
        ("C", [(x, y + ky), (x + kx, y), (x + rx, y)]),
        ("Z", []),
    ]


def steps_of(d: str) -> list[Step]:
    """A path's data as absolute steps; knows M, L, H, V, C, Q and Z, large and small, and refuses the others.

    >>> steps_of("m1 2h3l0-1z")
    [('M', [(1.0, 2.0)]), ('L', [(4.0, 2.0)]), ('L', [(4.0, 1.0)]), ('Z', [])]
    """
    tokens = _TOKEN.findall(d)
    steps: list[Step] = []
    here = start = (0.0, 0.0)
    command, i = "", 0
    while i < len(tokens):
        if tokens[i].isalpha():
            command, i = tokens[i], i + 1
            if command.upper() not in _TAKES:
                raise ValueError(f"the drawing has a path with {command!r} in it, which is not known here.")
        kind, moved = command.upper(), command.islower()
        n = [float(x) for x in tokens[i : i + _TAKES[kind]]]
        i += len(n)
        base = here if moved else (0.0, 0.0)
        if kind == "Z":
            steps.append(("Z", []))
            here = start
            continue
        if kind in "HV":
            n = [n[0] + base[0], here[1]] if kind == "H" else [here[0], n[0] + base[1]]
            kind, base = "L", (0.0, 0.0)
        points = [(x + base[0], y + base[1]) for x, y in zip(n[::2], n[1::2], strict=True)]
        if kind == "Q":
            (qx, qy), (x, y) = points
            near = [((px + 2 * qx) / 3, (py + 2 * qy) / 3) for px, py in (here, (x, y))]
            kind, points = "C", [*near, (x, y)]
        steps.append((kind, points))
        here = points[-1]
        if kind == "M":
            start, command = here, "l" if moved else "L"  # more numbers after a move are lines
    return steps


def bounds(steps: Iterable[Step]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a box around an outline."""
    points = [p for _, at in steps for p in at]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
