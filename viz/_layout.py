"""Where things go: sizes and edges go to Graphviz as DOT, positions and curves come back.

No text of the user's is ever part of the DOT: boxes are n0, n1, ... of fixed size, so no name can upset it.
The same DOT goes to the `dot` program where there is one on PATH, else to Graphviz compiled to WebAssembly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from os.path import commonprefix
from typing import Any

from viz import _graphviz as engines
from viz._graphviz import LayoutError, LayoutTimeout
from viz._plan import Lane, Plan, plan, uses
from viz._scene import Frame
from viz._text import width

__all__ = ["Curve", "LayoutError", "LayoutTimeout", "Link", "Placed", "Point", "Rect", "lay_out", "walk"]

Point = tuple[float, float]
Home = tuple[int, ...]
Rect = tuple[float, float, float, float]  # left, top, right, bottom

_SECONDS = 10.0
_PLANNED = 150  # with more edges than this they have no labels, and are worth a plan
_PORTS = {"LR": ("e", "w"), "TB": ("s", "n")}
_WEIGHT = 48  # of the only edge that leaves a box
_WORK = 1.2e7  # steps times places in the last and longest search of Graphviz, in about half a second
_MARGIN = 24  # pixels around the inside of a frame: its label stands in them
_RIBBON, _APART = 16.0, 3.0  # pixels: the widest that edges in a lane get together, and the most from one to the next


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

    Raises `LayoutTimeout` when that is too much for Graphviz within ten seconds, `LayoutError` when it is missing or
    fails.
    """
    if not sizes:
        return Placed(0, 0, [])
    ends = [(link.tail, link.head) for link in links]
    homes = _homes(root, len(sizes))
    planned = plan(homes, ends, len(links) > _PLANNED and not any(link.label for link in links))
    answer = json.loads(_graphviz(_dot(sizes, links, root, direction, planned, homes)))
    placed = _read(answer, sizes, links, planned, direction)
    _put_upright(placed, links, root, direction)
    _put_in_order(placed, sizes, links, root, direction)
    return placed


def _put_upright(placed: Placed, links: Sequence[Link], root: Frame, direction: str) -> None:
    """Mirror the layout if its frames, or its leaves where it has none, stand more against their order than in it.

    Nothing that Graphviz cares for tells one from the other, so that half of all networks come out upside down.
    """
    along, across = (0, 1) if direction == "LR" else (1, 0)
    places = {id(frame): k for k, frame in enumerate(walk(root))}
    heads = {link.head for link in links}
    rows = [[placed.frames[places[id(f)]] for f in frame.frames] for frame in (root, *walk(root))]
    if not any(len(row) > 1 for row in rows):
        rows = [[placed.boxes[b] * 2 for b in frame.boxes if b not in heads] for frame in (root, *walk(root))]
    right = wrong = 0
    for row in rows:
        for a, b in pairwise(row):
            shared = min(a[along + 2], b[along + 2]) - max(a[along], b[along])
            if shared >= min(a[along + 2] - a[along], b[along + 2] - b[along]) / 2:  # else one comes after the other
                right += a[across] < b[across]
                wrong += a[across] > b[across]
    if wrong <= right:
        return
    end = placed.height if direction == "LR" else placed.width

    def mirrored(p: Point) -> Point:
        return (p[0], end - p[1]) if direction == "LR" else (end - p[0], p[1])

    def turned(r: Rect) -> Rect:
        (x0, y0), (x1, y1) = mirrored(r[:2]), mirrored(r[2:])
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    placed.boxes = [mirrored(p) for p in placed.boxes]
    placed.labels = {i: mirrored(p) for i, p in placed.labels.items()}
    placed.frames = {k: turned(r) for k, r in placed.frames.items()}
    for i, curves in placed.curves.items():
        placed.curves[i] = [Curve([mirrored(p) for p in c.points], c.tip and mirrored(c.tip)) for c in curves]


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


def _dot(
    sizes: Sequence[Point], links: Sequence[Link], root: Frame, direction: str, planned: Plan, homes: Sequence[Home]
) -> str:
    tail_port, head_port = _PORTS[direction]
    crowded = len(links) > (40 if not planned.columns else 5 * planned.columns)
    ranks = 26 if any(link.label for link in links) else 86 if crowded else 54  # a bundle needs a run
    work = len(sizes) * (2 * len(sizes) + 2 * planned.passed + len(links))  # of one iteration for each box
    patience = max(0.2, min(8, _WORK / max(1, work)))
    lines = [
        "digraph {",
        f"graph [rankdir={direction}, nodesep={16 / 72:.6f}, ranksep={ranks / 72:.6f}, "
        f"splines=true, nslimit={patience:.3g}, nslimit1=8, mclimit={1 if patience == 8 else 0.4}, "
        f"margin={_MARGIN}]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [arrowhead=normal, arrowsize=0.6]",
    ]
    used = uses(len(sizes), [(link.tail, link.head) for link in links])

    def edge(tail: str, head: str, name: str, weight: float, plain: bool = False) -> None:
        arrow = ", arrowhead=none" if plain else ""
        lines.append(f"{tail}:{tail_port} -> {head}:{head_port} [id={name}{arrow}, weight={max(1, round(weight))}]")

    in_lanes = {i for lane in planned.lanes for stop in lane.stops for i in stop}
    for i, link in enumerate(links):
        weight = _WEIGHT / used[link.tail] + min(planned.level[link.tail], _WEIGHT) / 4
        if link.label is not None:
            edge(f"n{link.tail}", f"t{i}", f"e{i}", weight, plain=True)
            edge(f"t{i}", f"n{link.head}", f"e{i}", 2 * weight)
        elif i not in in_lanes and i not in planned.apart:
            edge(f"n{link.tail}", f"n{link.head}", f"e{i}", weight)
    for k, lane in enumerate(planned.lanes):
        before = f"n{lane.tail}"
        for s, leaving in enumerate(lane.stops):
            edge(before, f"b{k}_{s}", f"b{k}_{s}", _WEIGHT / 6, plain=True)
            before = f"b{k}_{s}"
            for i in leaving:
                edge(before, f"n{links[i].head}", f"e{i}", _WEIGHT / 12)
    lines[4:4] = _nodes(root, -1, sizes, _more(links, planned, homes, direction), count())
    return "\n".join([*lines, "}"])


def _homes(root: Frame, boxes: int) -> list[Home]:
    """For each box the frames around it by their places in `walk`, outermost first."""
    places = {id(frame): k for k, frame in enumerate(walk(root))}
    homes: list[Home] = [()] * boxes

    def note(frame: Frame, outer: Home) -> None:
        for inner in frame.frames:
            path = (*outer, places[id(inner)])
            for b in inner.boxes:
                homes[b] = path
            note(inner, path)

    note(root, ())
    return homes


def _more(links: Sequence[Link], planned: Plan, homes: Sequence[Home], direction: str) -> dict[int, list[str]]:
    """Declarations of nodes for labels and lanes, by the innermost frame that holds all ends of the edges, -1 for none.

    Were a label outside the frame that its edge lies in, Graphviz would lead the edge out and back again.
    """
    found: dict[int, list[str]] = {}

    def declare(boxes: Iterable[int], text: str) -> None:
        shared = commonprefix([homes[b] for b in boxes])
        found.setdefault(shared[-1] if shared else -1, []).append(text)

    for i, link in enumerate(links):
        if link.label is not None:
            declare((link.tail, link.head), f"t{i} [{_size(link.label)}]")
    for k, lane in enumerate(planned.lanes):
        edges = [i for stop in lane.stops for i in stop]
        across = _step(len(edges)) * (len(edges) - 1) + 2
        size = _size((1.0, across) if direction == "LR" else (across, 1.0))
        for s in range(len(lane.stops)):
            declare([lane.tail, *(links[i].head for i in edges)], f"b{k}_{s} [{size}]")
    return found


def _step(count: int) -> float:
    """How far from one another `count` edges in a lane run."""
    return min(_APART, _RIBBON / max(1, count - 1))


def _nodes(frame: Frame, place: int, sizes: Sequence[Point], more: dict[int, list[str]], places: Iterator[int]) -> list[str]:
    """Declarations of all that a frame holds, frames within it as clusters."""
    lines = [f"n{b} [{_size(sizes[b])}]" for b in frame.boxes] + more.get(place, [])
    for inner in frame.frames:
        k = next(places)
        lines.append(f"subgraph cluster_{k} {{")
        if (wanted := width(inner.label, 12)) > _content(inner, sizes):
            lines.append(f"s{k} [{_size((wanted, 1.0))}]")
        lines += [*_nodes(inner, k, sizes, more, places), "}"]
    return lines


def _content(frame: Frame, sizes: Sequence[Point]) -> float:
    """How wide the inside of a frame is at least."""
    inner = [_content(f, sizes) + 2 * _MARGIN for f in frame.frames]
    return max([*(sizes[b][0] for b in frame.boxes), *inner, 0.0])


def _size(size: Point) -> str:
    wide, high = (2 * math.ceil(s / 2) / 72 for s in size)  # half of it is whole, too: older versions round
    return f"width={wide:.6f}, height={high:.6f}"


def _graphviz(dot: str) -> bytes:
    program = engines.program()
    return engines.native(program, dot, _SECONDS) if program else engines.webassembly(dot, _SECONDS)


def _read(
    answer: dict[str, Any], sizes: Sequence[Point], links: Sequence[Link], planned: Plan, direction: str
) -> Placed:
    left, bottom, right, top = map(float, answer["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")[:2]
        return float(x) - left, top - float(y)

    placed = Placed(right - left, top - bottom, [(0.0, 0.0)] * len(sizes))
    for thing in answer["objects"]:
        name = thing["name"]
        if name.startswith("cluster_"):
            x0, y0, x1, y1 = map(float, thing["bb"].split(","))
            placed.frames[int(name[8:])] = (x0 - left, top - y1, x1 - left, top - y0)
        elif name.startswith("n"):
            placed.boxes[int(name[1:])] = point(thing["pos"])
        elif name.startswith("t"):
            placed.labels[int(name[1:])] = point(thing["pos"])
    pieces: dict[str, Curve] = {}  # of lanes, by the stop that they lead to
    for edge in answer.get("edges", ()):
        # Where Graphviz found no way for an edge it gives no curve.
        curves = [_curve(part, point) for part in edge.get("pos", "").split(";") if part]
        if edge["id"].startswith("b"):
            pieces.update(dict.fromkeys([edge["id"]], *curves))
        else:
            placed.curves.setdefault(int(edge["id"][1:]), []).extend(curves)
    for k, lane in enumerate(planned.lanes):
        trunk = [pieces[f"b{k}_{s}"] for s in range(len(lane.stops))]
        _fan_out(lane, trunk, placed, links, direction)
    for i, link in enumerate(links):
        if not placed.curves.get(i):
            placed.curves[i] = [_wave(placed, sizes, link, direction)]
        placed.curves[i].sort(key=lambda curve: curve.tip is not None)  # from box to label first, then on to the arrow
    return placed


def _fan_out(lane: Lane, trunk: list[Curve], placed: Placed, links: Sequence[Link], direction: str) -> None:
    """Give each edge of a lane its own line: side by side as far as they go together, the first to leave outermost."""
    across = 1 if direction == "LR" else 0
    leaving = [(s, i) for s, stop in enumerate(lane.stops) for i in stop]

    def side(s: int, i: int) -> tuple[bool, float, float]:
        rise = placed.boxes[links[i].head][across] - trunk[s].points[-1][across]
        return rise >= 0, -s if rise >= 0 else s, rise

    leaving.sort(key=lambda edge: side(*edge))
    step = _step(len(leaving))
    for k, (s, i) in enumerate(leaving):
        by = (k - (len(leaving) - 1) / 2) * step

        def beside(p: Point, by: float = by) -> Point:
            return (p[0], p[1] + by) if across else (p[0] + by, p[1])

        way = _joined(trunk[: s + 1], across)
        branch = placed.curves[i][-1]
        first, second, *rest = branch.points
        end = beside(way[-1])
        placed.curves[i] = [
            Curve([beside(p) for p in way]),
            Curve([end, (second[0] + end[0] - first[0], second[1] + end[1] - first[1]), *rest], branch.tip),
        ]


def _joined(pieces: Sequence[Curve], across: int) -> list[Point]:
    """One chain of Bézier pieces out of several; those that run straight on become one."""
    way = pieces[0].points[:1]
    straight = False
    for piece in pieces:
        for k in range(1, len(piece.points), 3):
            a, b, c = piece.points[k : k + 3]
            flat = max(abs(p[across] - way[-1][across]) for p in (a, b, c)) < 0.5
            if flat and straight:
                way[-2:] = [c, c]
            else:
                way += [way[-1], c, c] if flat else [a, b, c]
            straight = flat
    return way


def _wave(placed: Placed, sizes: Sequence[Point], link: Link, direction: str) -> Curve:
    """A curve straight through, behind whatever lies between."""
    (x0, y0), (x1, y1) = placed.boxes[link.tail], placed.boxes[link.head]
    if direction == "LR":
        x0, x1 = x0 + sizes[link.tail][0] / 2, x1 - sizes[link.head][0] / 2
        half = max(30.0, (x1 - x0) / 2)
        return Curve([(x0, y0), (x0 + half, y0), (x1 - half, y1), (x1, y1)], (x1, y1))
    y0, y1 = y0 + sizes[link.tail][1] / 2, y1 - sizes[link.head][1] / 2
    half = max(30.0, (y1 - y0) / 2)
    return Curve([(x0, y0), (x0, y0 + half), (x1, y1 - half), (x1, y1)], (x1, y1))


def _curve(text: str, point: Any) -> Curve:
    tip = None
    points = []
    for word in text.split():
        if word.startswith("e,"):
            tip = point(word[2:])
        elif not word.startswith("s,"):
            points.append(point(word))
    return Curve(points, tip)
