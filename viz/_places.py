"""What a layout is made of: edges to be laid out, and the places found for boxes, labels, curves and frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from viz._scene import Frame

__all__ = ["Curve", "Link", "Placed", "Point", "Rect", "meet", "walk"]

Point = tuple[float, float]
Rect = tuple[float, float, float, float]  # left, top, right, bottom


def meet(a: Rect, b: Rect) -> bool:
    """Whether two rectangles have more in common than an edge."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to be laid out; with `label`, a gap of that width and height is left on it for text."""

    tail: int
    head: int
    label: Point | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A chain of cubic Bézier pieces (1 + 3n points), and the arrow's tip where the curve ends in one."""

    points: list[Point]
    tip: Point | None = None


@dataclass(slots=True)
class Placed:
    """Centres of boxes and of edges' labels, curves of edges, outlines of frames: pixels, y downwards."""

    width: float
    height: float
    boxes: list[Point]
    labels: dict[int, Point] = field(default_factory=dict)
    curves: dict[int, list[Curve]] = field(default_factory=dict)
    frames: dict[int, Rect] = field(default_factory=dict)


def walk(frame: Frame) -> Iterator[Frame]:
    """All frames within `frame`, outer before inner."""
    for inner in frame.frames:
        yield inner
        yield from walk(inner)
