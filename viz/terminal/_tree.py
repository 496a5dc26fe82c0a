"""A graph as a tree of lines, from its outputs down to its leaves, with columns of numbers beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from viz._scene import Edge, Frame, Scene
from viz._summary import Summary
from viz.terminal._words import MARKS, Line, called, cells, derivative_of, gradient_of, label_of, said_of, value_of

__all__ = ["tree"]

_REFERENCES = 3  # of a box's inputs that were shown above, those told one by one
_UNDER = {"": "", "├─ ": "│  ", "╰─ ": "   "}  # what goes on below a turn of a branch


def tree(scene: Scene, width: int, values: bool, gradients: bool, local_derivatives: bool) -> list[Line]:
    """Lines from the outputs down to the leaves, with columns of numbers."""
    rows = [[[(guide, "grey"), *cells[0]], *cells[1:]] for guide, cells in _walk(scene, width, local_derivatives)]
    arrays = any(isinstance(box.value, Summary) and box.value.count > 1 for box in scene.boxes)
    wanted = (True, values, gradients, True)
    kept = [k for k in range(4) if wanted[k] and (k == 0 or any(cells(row[k]) for row in rows))]
    derivatives = local_derivatives and any(e.label and e.local is not None for e in scene.edges)
    heads = ("", "mean ± std" if arrays else "value", "gradient", "local derivative" if derivatives else "")
    if scene.kind == "wiring":
        heads = ("", "bias", "", "weight")
    rows.insert(0, [[(head, "grey")] for head in heads])
    if len(kept) == 1:
        return [row[0] for row in rows[1:]]
    rows = [[row[k] for k in kept] for row in rows]
    _fit(rows, kept, width)
    wide = [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line: Line = []
        for cell, room, k in zip(row, wide, kept, strict=True):
            space = (" " * (room - cells(cell)), "")
            line += [("  ", "")] * (k > 0) + ([space, *cell] if k in (1, 2) else [*cell, space])
        lines.append(line)
    return lines


def _fit(rows: list[list[Line]], kept: list[int], width: int) -> None:
    """Shorten the rows' cells, those first that matter least, until all have room in `width`."""

    def too_much() -> int:
        return sum(max(cells(cell) for cell in c) + 2 for c in zip(*rows, strict=True)) - 2 - width

    def cut(k: int, shorter: Callable[[Line], Line]) -> None:
        if k in kept and too_much() > 0:
            for row in rows:
                row[kept.index(k)] = shorter(row[kept.index(k)])

    def to(k: int, least: int) -> Callable[[Line], Line]:
        room = max(least, max(cells(row[kept.index(k)]) for row in rows) - too_much()) if k in kept else 0
        return lambda cell: _cut(cell, room)

    cut(3, lambda cell: [("∂ " + t.rpartition(" = ")[2] if " = " in t else t, s) for t, s in cell])
    cut(1, lambda cell: [(t.partition(" ± ")[0], s) for t, s in cell])
    cut(3, lambda cell: [(t[0] if t in MARKS.values() else t, s) for t, s in cell])
    cut(0, lambda cell: [(_narrow(cell[0][0]), "grey"), *cell[1:]])
    for k, least in ((3, 28), (0, 26), (3, 16), (0, 16)):
        cut(k, to(k, least))
    for k in (3, 2, 1):
        cut(k, lambda cell: [])
    cut(0, to(0, 1))


def _narrow(guide: str) -> str:
    """A guide with two columns a branch instead of three."""
    return "".join(guide[i : i + 1] + " " for i in range(0, len(guide), 3))


def _cut(cell: Line, room: int) -> Line:
    """A cell that is no wider than `room`."""
    from rich.cells import set_cell_size

    if cells(cell) <= room:
        return cell
    out: Line = []
    for piece, style in cell:
        left = room - 1 - cells(out)
        out.append((piece if cells([(piece, style)]) <= left else set_cell_size(piece, max(0, left)), style))
    return [*out, ("…", "grey")]


def _walk(scene: Scene, width: int, local_derivatives: bool) -> Iterable[tuple[str, list[Line]]]:
    """Depth first, each box once: the guide before a line, and its cells."""
    inputs: list[list[Edge]] = [[] for _ in scene.boxes]
    used = set()
    for e in scene.edges:
        inputs[e.head].append(e)
        used.add(e.tail)
    homes = _homes(scene.root)
    arrays = any(isinstance(box.value, Summary) for box in scene.boxes)
    deepest = max(2, (width - (58 if arrays else 54)) // 2)  # deeper branches go on below, at the left margin
    roots = [b for b, box in enumerate(scene.boxes) if box.is_output and b not in used]
    roots += [b for b in range(len(scene.boxes)) if b not in used and b not in roots]
    numbers = _numbered(scene, inputs)
    seen: set[int] = set()
    later: list[int] = []
    waiting = [*roots[::-1]]
    left = iter(range(len(scene.boxes)))  # for boxes in a loop of folded modules, which has no output
    while True:
        if later:
            start = later.pop(0)
        elif waiting:
            start = waiting.pop()
        else:
            start = next((b for b in left if b not in seen), -1)
            if start < 0:
                return
        if start in seen:
            continue
        # what to write: a box, by the edge that leads to it; a frame, by its path; or a line on boxes shown before
        stack: list[tuple[str, int, str, Any]] = [("", 0, "", (start, None))]
        while stack:
            before, depth, turn, item = stack.pop()
            guide = before + turn
            inside = before + _UNDER[turn]
            if isinstance(item, str):
                yield guide, [[(item, "name")], [], [], []]
                continue
            if isinstance(item, list):
                names = [called(scene.boxes[b], numbers.get(b)) for b in item]
                told = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
                yield guide, [[(f"↑ {told} (above)", "grey")], [], [], []]
                continue
            b, edge = item
            box = scene.boxes[b]
            derivative = derivative_of(edge) if local_derivatives else ""
            local: Line = [(derivative, "grey")] if derivative else []
            if b in seen:
                told = f"↑ {called(box, numbers.get(b))} (above)"
                yield guide, [[(told, "grey")], [], [], local]
                continue
            if depth >= deepest and inputs[b]:
                later.append(b)
                if not box.name:
                    numbers.setdefault(b, len(numbers) + 1)
                yield guide, [[(f"↓ {called(box, numbers.get(b))} (below)", "grey")], [], [], local]
                continue
            seen.add(b)
            label = label_of(box) + ([(f" #{numbers[b]}", "grey")] if b in numbers else [])
            said = said_of(box)
            local += [("  ", "")] * bool(local and said) + [(said, "mark" if box.mark else "grey")]
            yield guide, [label, [value_of(box)], [gradient_of(box)], local]
            stack += _branches(inputs[b], seen, homes, b, inside, depth + 1)[::-1]


def _branches(
    edges: list[Edge], seen: set[int], homes: dict[int, str], parent: int, inside: str, depth: int
) -> list[tuple[str, int, str, Any]]:
    """What hangs on a box: its inputs, those of another module below its path, and in one line those shown above."""
    known = [e.tail for e in edges if e.tail in seen]
    if len(known) <= _REFERENCES:
        known = [e.tail for e in edges if e.tail in seen and not e.label and e.weight is None]
        known = known if len(known) > 1 else []
    together: dict[object, list[Any]] = {}  # by the module that is entered here; the others one by one
    for k, e in enumerate(edges):
        if e.tail in seen:
            if e.tail not in known:
                together[k] = [(e.tail, e)]
            continue
        home = homes.get(e.tail, "")
        outside = home and not f"{homes.get(parent, '')}.".startswith(f"{home}.")
        together.setdefault(home if outside else k, []).append((e.tail, e))
    if known:
        together[-1] = [list(dict.fromkeys(known))]
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
