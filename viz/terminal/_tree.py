"""A graph as a tree of lines, from its outputs down to its leaves, with columns of numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any

from viz._chars import Line, cells
from viz._scene import Edge, Frame, Scene
from viz._summary import Summary
from viz.terminal._words import MARKS, called, derivative_of, gradient_of, label_of, said_of, value_of

__all__ = ["cut", "tree"]

_SHALLOW = 3  # branches that always stay in their place
_REFERENCES = 3  # of a box's inputs that were shown above, those told one by one
_UNDER = {"": "", "├─ ": "│  ", "╰─ ": "   "}  # what goes on below a turn of a branch


def tree(scene: Scene, width: int, local_derivatives: bool) -> list[Line]:
    """Lines from the outputs down to the leaves, with columns of numbers.

    Branches so deep that they would leave no room for what is said go on below, at the left margin.
    """
    deepest = len(scene.boxes)
    while True:
        rows = [[[(guide, "grey"), *row[0]], *row[1:]] for guide, row in _walk(scene, deepest, local_derivatives)]
        heads = [[(head, "grey")] * bool(_widest(rows, k)) for k, head in enumerate(_heads(scene, local_derivatives))]
        rows = [heads, *rows] if any(heads) else rows
        if _shorter(rows, width, _GENTLE) or deepest <= _SHALLOW:
            break
        deepest = max(_SHALLOW, deepest * 3 // 4)
    _shorter(rows, width, _HARSH)
    wide = [_widest(rows, k) for k in range(4)]
    lines = []
    for row in rows:
        line: Line = []
        for k, (cell, room) in enumerate(zip(row, wide, strict=True)):
            space = (" " * (room - cells(cell)), "")
            line += [("  ", "")] * (k > 0 < room) + ([space, *cell] if k in (1, 2) else [*cell, space])
        lines.append(line)
    return lines


def _heads(scene: Scene, local_derivatives: bool) -> tuple[str, str, str, str]:
    if scene.kind == "wiring":
        return "", "bias", "", "weight" if any(e.weight is not None for e in scene.edges) else ""
    derivatives = local_derivatives and any(e.label and e.local is not None for e in scene.edges)
    arrays = any(isinstance(box.value, Summary) and box.value.count > 1 for box in scene.boxes)
    return "", "mean ± std" if arrays else "value", "gradient", "local derivative" if derivatives else ""


def _shorter(rows: list[list[Line]], width: int, ways: Ways) -> bool:
    """Make columns narrower, one way after the other, until there is room; whether there is."""
    for k, shorter in ways:
        over = _over(rows, width)
        room = _widest(rows, k) - over
        if over > 0:
            for row in rows:
                row[k] = shorter(row[k], room)
    return _over(rows, width) <= 0


def _widest(rows: list[list[Line]], k: int) -> int:
    return max(cells(row[k]) for row in rows)


def _over(rows: list[list[Line]], width: int) -> int:
    """How many columns of the terminal are missing."""
    return sum(wide + 2 for k in range(4) if (wide := _widest(rows, k))) - 2 - width


def cut(cell: Line, room: int) -> Line:
    """A cell that is no wider than `room`."""
    from rich.cells import set_cell_size

    if cells(cell) <= room:
        return cell
    out: Line = []
    for piece, style in cell:
        left = room - 1 - cells(out)
        out.append((piece if cells([(piece, style)]) <= left else set_cell_size(piece, max(0, left)), style))
    return [*out, ("…", "grey")]


Ways = tuple[tuple[int, Callable[[Line, int], Line]], ...]  # the column, and its cells with so much room
_GENTLE: Ways = (  # what matters least first; all can still be told
    (3, lambda cell, room: [("∂ " + t.rpartition(" = ")[2] if " = " in t else t, s) for t, s in cell]),
    (0, lambda cell, room: [("".join(c + " " for c in cell[0][0][::3]), "grey"), *cell[1:]]),  # a narrower guide
    (3, lambda cell, room: [(t[0] if t in MARKS.values() else t.partition(" off, ")[2] or t, s) for t, s in cell]),
    (1, lambda cell, room: [(t.partition(" ± ")[0], s) for t, s in cell]),
    (3, lambda cell, room: cut(cell, max(20, room))),
    (0, lambda cell, room: cell if cells(cell) <= room else [p for p in cell if p[1] != "shape"]),
    (3, lambda cell, room: cut(cell, max(16, room))),
)
_HARSH: Ways = (
    (0, lambda cell, room: cut(cell, max(20, room))),
    (3, lambda cell, room: []),
    (0, lambda cell, room: cut(cell, max(16, room))),
    (2, lambda cell, room: []),
    (1, lambda cell, room: []),
    (0, lambda cell, room: cut(cell, max(1, room))),
)


def _walk(scene: Scene, deepest: int, local_derivatives: bool) -> Iterable[tuple[str, list[Line]]]:
    """Depth first, each box once: the guide before a line, and its cells."""
    inputs: list[list[Edge]] = [[] for _ in scene.boxes]
    used = set()
    for e in scene.edges:
        inputs[e.head].append(e)
        used.add(e.tail)
    homes = _homes(scene.root)
    numbers = _numbered(scene, inputs)
    seen: set[int] = set()  # told above
    later: dict[int, None] = {}  # to be told below, in this order
    roots = sorted((b for b in range(len(scene.boxes)) if b not in used), key=lambda b: not scene.boxes[b].is_output)
    waiting = [*roots, *range(len(scene.boxes))][::-1]  # all boxes, as a loop of folded modules has no output

    def defer(b: int) -> None:
        if b not in seen and inputs[b]:
            later[b] = None
            if not scene.boxes[b].name:
                numbers.setdefault(b, len(numbers) + 1)

    def elsewhere(boxes: list[int]) -> Line:
        up = boxes[0] in seen
        names = [called(scene.boxes[b], numbers.get(b)) for b in boxes]
        told = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        return [(f"{'↑' if up else '↓'} {told}", "grey"), (f" ({'above' if up else 'below'})", "shape")]

    while later or waiting:
        below = bool(later)
        start = next(iter(later)) if later else waiting.pop()
        later.pop(start, None)
        if start in seen:
            continue
        # what to write: a box, by the edge that leads to it; a module, by its path; or boxes told elsewhere
        stack: list[tuple[str, int, str, Any]] = [("", 0, "", (start, None))]
        while stack:
            before, depth, turn, item = stack.pop()
            guide = before + turn
            if isinstance(item, str):
                yield guide, [[(item, "name")], [], [], []]
                continue
            if isinstance(item, list):
                yield guide, [elsewhere(item), [], [], []]
                continue
            b, edge = item
            box = scene.boxes[b]
            derivative = derivative_of(edge) if local_derivatives else ""
            local: Line = [(derivative, "grey")] if derivative else []
            if depth >= deepest:
                defer(b)
            if b in seen or b in later:
                yield guide, [elsewhere([b]), [], [], local]
                continue
            seen.add(b)
            label = [(called(box, None), "name")] if below and box.module and box.kind == "group" else label_of(box)
            if b in numbers:
                label.append((f" #{numbers[b]}", "grey"))
            said = said_of(box)
            local += [("  ", "")] * bool(local and said) + said
            yield guide, [label, [value_of(box)], [gradient_of(box)], local]
            below = False
            if depth + 1 >= deepest:
                for e in inputs[b]:
                    defer(e.tail)
            stack += _branches(inputs[b], seen, later, homes, b, before + _UNDER[turn], depth + 1)[::-1]


def _branches(
    edges: list[Edge], seen: Container[int], later: Container[int], homes: dict[int, str], parent: int, inside: str,
    depth: int,
) -> list[tuple[str, int, str, Any]]:  # fmt: skip
    """What hangs on a box: its inputs, those of another module below its path, and many told elsewhere in one line."""
    known: dict[bool, list[int]] = {True: [], False: []}  # edges from what is told above, and below
    for k, e in enumerate(edges):
        if e.tail in seen or e.tail in later:
            known[e.tail in seen].append(k)
    lines = []  # several of these in one
    for many in known.values():
        if len(many) <= _REFERENCES:
            many = [k for k in many if not edges[k].label and edges[k].weight is None]
        lines += [many] * (len(many) > 1)
    together: dict[object, list[Any]] = {}  # by the module that is entered here; the others one by one
    for k, e in enumerate(edges):
        if any(k in many for many in lines):
            continue
        home = "" if e.tail in seen or e.tail in later else homes.get(e.tail, "")
        outside = home and not f"{homes.get(parent, '')}.".startswith(f"{home}.")
        together.setdefault(home if outside else k, []).append((e.tail, e))
    for many in lines:
        together[len(edges) + len(together)] = [list(dict.fromkeys(edges[k].tail for k in many))]
    out: list[tuple[str, int, str, Any]] = []
    for n, (where, items) in enumerate(together.items()):
        turn = "├─ " if n < len(together) - 1 else "╰─ "
        at = inside
        if isinstance(where, str):
            out.append((inside, depth, turn, f"▸ {where}"))
            at += _UNDER[turn]
        for k, item in enumerate(items):
            if isinstance(where, str):
                turn = "├─ " if k < len(items) - 1 else "╰─ "
            out.append((at, depth + isinstance(where, str), turn, item))
    return out


def _homes(frame: Frame) -> dict[int, str]:
    """The path of the module that each box is in."""
    found = dict.fromkeys(frame.boxes, frame.path)
    for inner in frame.frames:
        found |= _homes(inner)
    return found


def _numbered(scene: Scene, inputs: list[list[Edge]]) -> dict[int, int]:
    """Numbers for the nameless boxes that are used more than once, so that a line can refer to them."""
    uses = [0] * len(scene.boxes)
    for edges in inputs:
        for e in edges:
            uses[e.tail] += 1
    many = [b for b, box in enumerate(scene.boxes) if uses[b] > 1 and not box.name and box.kind != "constant"]
    return {b: k + 1 for k, b in enumerate(many)}
