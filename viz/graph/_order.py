"""Reading order: Graphviz cares for crossings alone, so frames and boxes that may as well stand in order are put so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from viz._places import Curve, Link, Placed, Point, Rect, walk
from viz._scene import Frame

__all__ = ["put_in_order", "put_upright"]

_COMPARED = 60  # frames or leaves in a row


def put_upright(placed: Placed, links: Sequence[Link], root: Frame, direction: str) -> float:
    """Mirror the layout if its frames, or its leaves where it has none, stand more against their order than in it.

    Nothing that Graphviz cares for tells one from the other, so that half of all networks come out upside down. What
    comes back is the share of pairs that are still in the wrong order.
    """
    along, across = (0, 1) if direction == "LR" else (1, 0)
    places = {id(frame): k for k, frame in enumerate(walk(root))}
    heads = {link.head for link in links}
    rows = [[placed.frames[places[id(f)]] for f in frame.frames] for frame in (root, *walk(root))]
    if not any(len(row) > 1 for row in rows):
        rows = [[placed.boxes[b] * 2 for b in frame.boxes if b not in heads] for frame in (root, *walk(root))]
    right = wrong = 0
    for row in rows:
        for a, b in combinations(row[:_COMPARED], 2):
            shared = min(a[along + 2], b[along + 2]) - max(a[along], b[along])
            if shared >= min(a[along + 2] - a[along], b[along + 2] - b[along]) / 2:  # else one comes after the other
                right += a[across] < b[across]
                wrong += a[across] > b[across]
    share = min(right, wrong) / max(1, right + wrong)
    if wrong <= right:
        return share
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
    return share


def put_in_order(placed: Placed, sizes: Sequence[Point], links: Sequence[Link], root: Frame, direction: str) -> None:
    """Let boxes with the same neighbours, such as a layer's neurons, change places until they stand in order.

    Graphviz cares for crossings alone, and those stay the same; it may as well put neuron 3 above neuron 0.
    """
    along, across = (0, 1) if direction == "LR" else (1, 0)
    before: dict[int, list[tuple[int, float]]] = {b: [] for b in range(len(sizes))}
    after: dict[int, list[tuple[int, float]]] = {b: [] for b in range(len(sizes))}
    for link in links:
        room = link.label[across] if link.label else 0.0  # a label needs this where it goes
        before[link.head].append((link.tail, room))
        after[link.tail].append((link.head, room))
    owner = list(range(len(sizes)))  # whose place each box takes
    for frame in (root, *walk(root)):
        alike: dict[object, list[int]] = {}
        for b in frame.boxes:
            alike.setdefault((sizes[b], tuple(sorted(before[b])), tuple(sorted(after[b]))), []).append(b)
        for boxes in alike.values():
            for b, other in zip(boxes, sorted(boxes, key=lambda b: placed.boxes[b][across]), strict=True):
                owner[b] = other
    ways: dict[object, list[int]] = {}
    for i, link in enumerate(links):
        ways.setdefault((link.tail, link.head, bool(link.label)), []).append(i)
    curves, labels = dict(placed.curves), dict(placed.labels)
    for i, link in enumerate(links):
        # The place of each end has an edge to the place of the other: their owners have the same neighbours.
        other = ways[owner[link.tail], owner[link.head], bool(link.label)].pop(0)
        placed.curves[i] = curves[other]
        theirs = links[other].label
        if link.label and theirs:
            placed.labels[i] = labels[other]
            wider = (link.label[along] - theirs[along]) / 2
            placed.curves[i] = [_moved(c, -1, -wider, along) for c in curves[other][:1]] + [
                _moved(c, 0, wider, along) for c in curves[other][1:]
            ]
    placed.boxes = [placed.boxes[b] for b in owner]


def _moved(curve: Curve, end: int, by: float, along: int) -> Curve:
    """The curve with one end and what steers it moved in the direction of the flow."""
    if not by:
        return curve
    points = list(curve.points)
    for k in (end, end + (1 if end == 0 else -1)):
        x, y = points[k]
        points[k] = (x, y + by) if along else (x + by, y)
    return Curve(points, curve.tip)
