"""The numbers of boxes: their reading order, which screen readers, the Tab key and the tables follow."""

from __future__ import annotations

from dataclasses import replace

from viz._places import Placed
from viz._scene import Frame, Scene

__all__ = ["in_reading_order"]


def in_reading_order(scene: Scene, placed: Placed, direction: str) -> tuple[Scene, Placed]:
    """The same picture with its boxes numbered anew: a model's inputs, then module by module along the flow.

    Within a module, and where there are none, boxes go column by column, each from the top; a module comes where its
    first box stands. With `direction` "TB" it is row by row.
    """
    along, across = (0, 1) if direction == "LR" else (1, 0)

    def place(b: int) -> tuple[float, float]:
        return round(placed.boxes[b][along]), placed.boxes[b][across]

    def read(frame: Frame) -> list[int]:
        parts = [[b] for b in frame.boxes] + [inside for inner in frame.frames if (inside := read(inner))]
        return [b for part in sorted(parts, key=lambda part: min(map(place, part))) for b in part]

    order = sorted(read(scene.root), key=lambda b: not scene.boxes[b].is_input)
    number = {b: i for i, b in enumerate(order)}

    def renumbered(frame: Frame) -> Frame:
        return replace(frame, boxes=[number[b] for b in frame.boxes], frames=[renumbered(f) for f in frame.frames])

    edges = [replace(e, tail=number[e.tail], head=number[e.head]) for e in scene.edges]
    there = replace(placed, boxes=[placed.boxes[b] for b in order])
    return replace(scene, boxes=[scene.boxes[b] for b in order], edges=edges, root=renumbered(scene.root)), there
