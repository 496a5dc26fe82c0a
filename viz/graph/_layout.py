"""Where things go: sizes and edges go to Graphviz as DOT, positions and curves come back.

No text of the user's is ever part of the DOT: boxes are n0, n1, ... of fixed size, so no name can upset it.
The same DOT goes to the `dot` program where there is one on PATH, else to Graphviz compiled to WebAssembly.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from viz._places import Curve, Link, Placed, Point, Rect, walk
from viz._scene import Frame
from viz._text import width
from viz.graph._graphviz import LayoutError, LayoutTimeout, native, webassembly
from viz.graph._order import put_in_order, put_upright
from viz.graph._plan import Home, Lane, Plan, common, plan

__all__ = ["Curve", "LayoutError", "LayoutTimeout", "Link", "Placed", "Point", "Rect", "lay_out", "walk"]

_SECONDS = 10.0
_PORTS = {"LR": ("e", "w"), "TB": ("s", "n")}
_WEIGHT = 48  # of the only edge that leaves a box
_WORK = 6e6  # steps times places in the last and longest search of Graphviz, in some tenths of a second
_SORTINGS = 0.05, 0.1  # with few rounds of sorting, frames keep their order at 3 to 7 % more crossings
_RETRIED = 1_500  # more boxes than this are sorted once
_MARGIN = 24  # pixels around the inside of a frame: its label stands in them
_RIBBON, _APART = 16.0, 3.0  # pixels: the widest that edges in a lane get together, and the most from one to the next


def lay_out(
    sizes: Sequence[Point], links: Sequence[Link], root: Frame, direction: str, apart: float | None = None
) -> Placed:
    """Places for boxes of `sizes` (pixels), joined by `links` and nested in frames; frames count in `walk`
    order. `apart` is from rank to rank, in pixels, in place of what suits edges with labels, and many edges.

    Raises `LayoutTimeout` when that is too much for Graphviz within ten seconds, `LayoutError` when it is missing or
    fails.
    """
    if not sizes:
        return Placed(0, 0, [])
    ends = [(link.tail, link.head) for link in links]
    homes = _homes(root, len(sizes))
    planned = plan(homes, ends, _lengths(links, homes))
    best, least = None, math.inf
    for sorting in _SORTINGS if planned.is_large and root.frames and len(sizes) <= _RETRIED else (1.0,):
        answer = json.loads(_graphviz(_dot(sizes, links, root, direction, planned, homes, sorting, apart)))
        placed = _read(answer, sizes, links, planned, direction)
        wrong = put_upright(placed, links, root, direction)
        if wrong < least:
            best, least = placed, wrong
        if least < 0.02:
            break
    assert best is not None
    put_in_order(best, sizes, links, root, direction)
    return best


def _lengths(links: Sequence[Link], homes: Sequence[Home]) -> list[int]:
    """How many columns each edge takes: two with a label, which needs one.

    Where only some edges have labels, such as those to closed gates, all others to an op of one input take as many.
    Else the neurons with closed gates would stand askew beside their fellows.
    """
    arriving = Counter(link.head for link in links)

    def single(link: Link) -> bool:
        return arriving[link.head] == 1 and homes[link.tail] == homes[link.head]

    labelled = [link for link in links if link.label]
    some = 2 * len(labelled) < len(links) and any(map(single, labelled))
    return [2 if link.label or (some and single(link)) else 1 for link in links]


def _dot(
    sizes: Sequence[Point],
    links: Sequence[Link],
    root: Frame,
    direction: str,
    planned: Plan,
    homes: Sequence[Home],
    sorting: float,
    apart: float | None,
) -> str:
    tail_port, head_port = _PORTS[direction]
    crowded = len(links) > (5 * max(planned.level) if planned.is_large else 40)
    labelled = any(link.label for link in links) and not planned.is_large
    ranks = 26 if labelled else 86 if crowded else apart or 54  # a label has one on either side, a bundle needs a run
    work = len(sizes) * (2 * len(sizes) + 2 * planned.passed + len(links))  # of one iteration for each box
    patience = max(0.2, min(8, _WORK / max(1, work)))
    sorting = sorting if patience == 8 else min(sorting, 0.4)
    lines = [
        "digraph {",
        f"graph [rankdir={direction}, nodesep={16 / 72:.6f}, ranksep={ranks / 72:.6f}, "
        f"newrank=true, splines=true, nslimit={patience:.3g}, nslimit1=8, mclimit={sorting:g}, "
        f"margin={_MARGIN}]",
        'node [shape=box, fixedsize=true, label=""]',
        "edge [arrowhead=normal, arrowsize=0.6]",
    ]
    used = Counter(link.tail for link in links)

    def edge(tail: str, head: str, name: str, weight: float, span: int = 1, plain: bool = False) -> None:
        more = (f", minlen={span}" if span > 1 else "") + (", arrowhead=none" if plain else "")
        lines.append(f"{tail}:{tail_port} -> {head}:{head_port} [id={name}, weight={max(1, round(weight))}{more}]")

    in_lanes = {i for lane in planned.lanes for stop in lane.stops for i in stop}
    for i, link in enumerate(links):
        weight = _WEIGHT / used[link.tail] + min(planned.level[link.tail], _WEIGHT) / 4
        if link.label is not None:
            edge(f"n{link.tail}", f"t{i}", f"e{i}", weight, planned.spans[i] - 1, plain=True)
            edge(f"t{i}", f"n{link.head}", f"e{i}", 2 * weight)
        elif i not in in_lanes and i not in planned.apart:
            edge(f"n{link.tail}", f"n{link.head}", f"e{i}", weight, planned.spans[i])
    for k, lane in enumerate(planned.lanes):
        before, column = f"n{lane.tail}", planned.level[lane.tail]
        for s, leaving in enumerate(lane.stops):
            span = planned.level[links[leaving[0]].head] - 1 - column
            edge(before, f"b{k}_{s}", f"b{k}_{s}", _WEIGHT / 6, span, plain=True)
            before, column = f"b{k}_{s}", column + span
            for i in leaving:
                edge(before, f"n{links[i].head}", f"e{i}", _WEIGHT / 12)
    wide = list(sizes) if direction == "LR" else _widened(root, sizes)
    lines[4:4] = _nodes(root, -1, wide, _more(links, planned, homes, direction), count())
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
    first: dict[Home, int] = {}  # column of a frame
    for home, column in zip(homes, planned.level, strict=True):
        for depth in range(1, len(home) + 1):
            first[home[:depth]] = min(column, first.get(home[:depth], column))

    def declare(boxes: Iterable[int], text: str) -> None:
        shared = common([homes[b] for b in boxes])
        found.setdefault(shared[-1] if shared else -1, []).append(text)

    for i, link in enumerate(links):
        if link.label is not None:
            declare((link.tail, link.head), f"t{i} [{_size(link.label)}]")
    for k, lane in enumerate(planned.lanes):
        edges = [i for stop in lane.stops for i in stop]
        across = _step(len(edges)) * (len(edges) - 1) + 2
        size = _size((1.0, across) if direction == "LR" else (across, 1.0))
        for s, leaving in enumerate(lane.stops):
            heads = [links[i].head for i in leaving]
            within = common([homes[b] for b in heads])
            enters = within and first[within] == planned.level[heads[0]] - 1  # it goes in by the front
            declare(heads if enters else [lane.tail, *(links[i].head for i in edges)], f"b{k}_{s} [{size}]")
    return found


def _step(count: int) -> float:
    """How far from one another `count` edges in a lane run."""
    return min(_APART, _RIBBON / max(1, count - 1))


def _nodes(
    frame: Frame, place: int, sizes: Sequence[Point], more: dict[int, list[str]], places: Iterator[int]
) -> list[str]:
    """Declarations of all that a frame holds, frames within it as clusters."""
    lines = [f"n{b} [{_size(sizes[b])}]" for b in frame.boxes] + more.get(place, [])
    for inner in frame.frames:
        k = next(places)
        lines.append(f"subgraph cluster_{k} {{")
        if (wanted := width(inner.label, 12)) > _content(inner, sizes):
            lines.append(f"{{rank=same; s{k} [{_size((wanted, 1.0))}]; n{_first(inner)}}}")
        lines += [*_nodes(inner, k, sizes, more, places), "}"]
    return lines


def _widened(root: Frame, sizes: Sequence[Point]) -> list[Point]:
    """The sizes with a box of each frame made as wide as the frame's label: across the flow that moves no edge."""
    wide = list(sizes)
    for inner in reversed(list(walk(root))):
        first = _first(inner)
        if (wanted := width(inner.label, 12)) > _content(inner, wide):
            wide[first] = wanted, wide[first][1]
    return wide


def _first(frame: Frame) -> int:
    """A box in the frame."""
    return frame.boxes[0] if frame.boxes else _first(frame.frames[0])


def _content(frame: Frame, sizes: Sequence[Point]) -> float:
    """How wide the inside of a frame is at least."""
    inner = [_content(f, sizes) + 2 * _MARGIN for f in frame.frames]
    return max([*(sizes[b][0] for b in frame.boxes), *inner, 0.0])


def _size(size: Point) -> str:
    wide, high = (2 * math.ceil(s / 2) / 72 for s in size)  # half of it is whole, too: older versions round
    return f"width={wide:.6f}, height={high:.6f}"


def _graphviz(dot: str) -> bytes:
    program = shutil.which("dot")
    return native(program, dot, _SECONDS) if program else webassembly(dot, _SECONDS)


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
    pieces: dict[str, list[Curve]] = {}  # of lanes, by the stop that they lead to
    for edge in answer.get("edges", ()):
        curves = [_curve(part, point) for part in edge.get("pos", "").split(";") if part]
        if edge["id"].startswith("b"):
            pieces[edge["id"]] = curves
        else:
            placed.curves.setdefault(int(edge["id"][1:]), []).extend(curves)
    for k, lane in enumerate(planned.lanes):
        trunk = [curve for s in range(len(lane.stops)) for curve in pieces[f"b{k}_{s}"]]
        _fan_out(lane, trunk, placed, links, direction)
    for i, link in enumerate(links):
        if not placed.curves.get(i):  # left out, or Graphviz found no way for it
            placed.curves[i] = [_wave(placed, sizes, link, direction)]
        placed.curves[i].sort(key=lambda curve: curve.tip is not None)  # from box to label first, then on to the arrow
    return placed


def _fan_out(lane: Lane, trunk: list[Curve], placed: Placed, links: Sequence[Link], direction: str) -> None:
    """Give each edge of a lane its own line: side by side as far as they go together, the first to leave outermost."""
    across = 1 if direction == "LR" else 0
    leaving = [(s, i) for s, stop in enumerate(lane.stops) for i in stop if placed.curves.get(i)]
    if len(trunk) < len(lane.stops):  # Graphviz found no way for a part of it
        for _, i in leaving:
            placed.curves[i] = []
        return

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
    across = direction == "TB"
    (x0, y0), (x1, y1) = (_turned(placed.boxes[b], across) for b in (link.tail, link.head))
    x0 += sizes[link.tail][across] / 2
    x1 -= sizes[link.head][across] / 2
    half = max(30.0, (x1 - x0) / 2)
    points = [_turned(p, across) for p in ((x0, y0), (x0 + half, y0), (x1 - half, y1), (x1, y1))]
    return Curve(points, points[-1])


def _turned(p: Point, across: bool) -> Point:
    return (p[1], p[0]) if across else p


def _curve(text: str, point: Any) -> Curve:
    tip = None
    points = []
    for word in text.split():
        if word.startswith("e,"):
            tip = point(word[2:])
        elif not word.startswith("s,"):
            points.append(point(word))
    return Curve(points, tip)
