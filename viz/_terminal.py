"""Pictures for those without a screen: a graph as lines of text, a tree down to its leaves or a small diagram."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from viz._diagram import Piece, diagram
from viz._draw import plan_of
from viz._scene import Box, Edge, Frame, Scene
from viz._summary import Summary
from viz._text import clean, number, signed

__all__ = ["in_ascii", "text"]

Line = list[Piece]
BUDGET = 60  # boxes, and about as many lines
_DIAGRAM = 40  # boxes, and edges, that a diagram may have
_REFERENCES = 3  # of a box's inputs that were shown above, those told one by one
_STYLES = {"name": "bold", "grey": "grey50", "positive": "color(32)", "negative": "color(166)", "mark": "bold"}
_UNDER = {"": "", "├─ ": "│  ", "╰─ ": "   "}  # what goes on below a turn of a branch
_MARKS = {"closed": "× closed", "dead": "× dead", "saturated": "□ saturated"}
_MEANINGS = {
    "closed": "× closed: the input is not positive, so nothing passes and no gradient comes back.",
    "dead": "× dead: not above 0 on any of these examples.",
    "saturated": "□ saturated: on a flat end of its function, so next to no gradient comes back.",
}
_ASCII = str.maketrans("│─╭╮╰╯├┤┬┴┼▶▸−–…∂×□·↑↓±∞σ÷←→", "|-..`'+++++>>--~dxo*^v~8s/<>")


def text(
    what: Any,
    *,
    style: Literal["tree", "diagram"] | None = None,
    width: int | None = None,
    color: bool | None = None,
    title: str | None = None,
    budget: int = BUDGET,
    values: bool = True,
    gradients: bool = True,
    local_derivatives: bool = True,
    **options: Any,
) -> str:
    """A graph as text: what `draw` takes, with its arguments; a report or a history says itself.

    `style` "tree" goes from the output down to the leaves, a line a box, with the local derivative at every branch;
    what is used again is told in full once. "diagram" goes from left to right, for small graphs. By default it is the
    diagram where that fits into `width` columns (the terminal's), else the tree. `color` puts in colour codes.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(3.0, name="a")
    >>> b = a * a; b.name = "b"; b.backward()
    >>> print(text(b))
    ╭────────╮   ╭──────────╮
    │ a  3.0 │──▶│ × b  9.0 │
    │   +6.0 │──▶│     +1.0 │
    ╰────────╯   ╰──────────╯
    <BLANKLINE>
    In each box the value, and under it the gradient.
    """
    if style not in (None, "tree", "diagram"):
        raise ValueError(f'style is "tree" or "diagram", not {style!r}.')
    width = width if width is not None else shutil.get_terminal_size((80, 24)).columns
    if width < 20:
        raise ValueError(f"width is a number of columns, 20 or more, not {width}.")
    if _says_itself(what):
        return str(what)
    options |= {"values": values, "gradients": gradients, "local_derivatives": local_derivatives}
    with np.errstate(all="ignore"):  # infinities and NaN are shown, not warned about
        plan = plan_of(what, budget=budget, **options)
        scene = plan.scene(budget)
    lines = [[(clean(title, width), "name")], []] if title else []
    notes = []
    drawn = None
    if style != "tree" and len(scene.boxes) <= _DIAGRAM and len(scene.edges) <= _DIAGRAM:
        drawn = diagram([_content(box, values, gradients) for box in scene.boxes], scene.edges, width)
    if drawn is not None:
        lines += drawn
        if values and gradients and scene.kind == "graph":
            arrays = any(isinstance(box.value, Summary) for box in scene.boxes)
            notes.append(f"In each box the value{', mean ± std of arrays' * arrays}, and under it the gradient.")
        if scene.kind == "wiring":
            notes.append("The tree tells the weights too.")
    else:
        if style == "diagram":
            notes.append(f"As a tree: a diagram of {len(scene.boxes)} boxes does not fit into {width} columns.")
        smaller = budget
        while len(tree := _tree(scene, width, values, gradients, local_derivatives)) > 1.5 * budget and smaller > 4:
            smaller //= 2  # a dense net has more lines for its edges than for its boxes
            with np.errstate(all="ignore"):
                scene = plan.scene(smaller)
        lines += tree
    notes += _notes(scene, gradients)
    lines += [[], *([(note, "grey")] for note in notes)] if notes else []
    return _written(lines, bool(color), width)


def in_ascii(shown: str) -> str:
    """`shown` for a terminal that has no more than ASCII, every character that `text` uses as one of the same width.

    >>> in_ascii("╰─ ∂ −2.0")
    '`- d -2.0'
    """
    return shown.translate(_ASCII)


def _says_itself(what: Any) -> bool:
    """Whether `str` of it is its picture in text already."""
    from micrograd_nn.health import HealthReport
    from micrograd_nn.training import History

    return isinstance(what, (HealthReport, History))


def _notes(scene: Scene, gradients: bool) -> list[str]:
    """What a reader must know to read the marks."""
    notes = [_MEANINGS[mark] for mark in _MARKS if any(box.mark == mark for box in scene.boxes)]
    if gradients and any(box.tracked and box.grad is None and box.kind == "scalar" for box in scene.boxes):
        notes.append("– no gradient yet: call backward() first.")
    return [*notes, *scene.notes, *([f"{scene.fold_note}."] if scene.fold_note else [])]


# --- what is said of a box -----------------------------------------------------------------------------------------


def _label(box: Box) -> Line:
    """What a box is called: its op, its name, its shape."""
    pieces: Line = []
    if box.kind == "constant" and not box.name:
        return [("constant", "grey")]
    if box.op:
        pieces.append((box.op, ""))
    if box.name:
        pieces.append((box.name, "name"))
    if not pieces:
        pieces.append(("value", "grey"))
    pieces += [(t, "grey") for t in (box.subtitle, "" if box.subtitle else box.shape) if t]
    pieces += [("◂", "mark")] * box.highlighted
    return [p for piece in pieces for p in ((" ", ""), piece)][1:]


def _value(box: Box) -> Piece:
    value = box.value if box.shows_value else None
    if isinstance(value, Summary):
        spread = f" ± {number(value.std)}" if value.count > 1 else ""
        return number(value.mean) + spread if value.count else "", ""
    return (number(value), "") if isinstance(value, float) else ("", "")


def _gradient(box: Box) -> Piece:
    """The gradient; of an array its norm."""
    if not box.tracked or not box.shows_grad or box.kind in ("view", "unit"):
        return "", ""
    grad = box.grad
    if isinstance(grad, Summary) and grad.count != 1:
        return f"norm {number(grad.norm)}", ""
    if grad is not None:
        g = grad.mean if isinstance(grad, Summary) else grad
        return signed(g), "positive" if g > 0 else "negative" if g < 0 else ""
    return "–", "grey"


def _said(box: Box) -> str:
    """A box's mark and note, in words."""
    mark = _MARKS.get(box.mark, "")
    if box.kind == "scalar" or (isinstance(box.value, Summary) and box.value.count == 1):
        return mark  # a note would tell the number again
    return f"{mark}  {box.note}".strip()


def _derivative(edge: Edge | None) -> str:
    """The local derivative at an edge, and why nothing comes back where that is so; of a wire its weight."""
    if edge is not None and edge.weight is not None:
        return number(edge.weight)
    if edge is None or not edge.label:
        return ""
    if edge.local is None:
        return edge.label
    reason, _, _ = edge.label.partition(": ")
    return f"∂ {number(edge.local)} ({reason})" if edge.stop and reason != edge.label else f"∂ {edge.label}"


def _content(box: Box, values: bool, gradients: bool) -> list[list[Piece]]:
    """The rows of a box in a diagram, the last piece of each at its right edge."""
    value, grad = _value(box), _gradient(box)
    if box.kind == "constant":
        return [[(box.name + " " if box.name else "", "grey"), (value[0], "grey")]]
    label = _label(box)
    if box.kind == "scalar":
        rows = [[*label, ("  ", ""), value] if values else [*label, ("", "")]]
        if gradients:
            rows.append([("", ""), grad])
    else:
        rows = [[*_label(replace(box, subtitle="", shape="")), ("", "")]]
        rows += [[(t, "grey")] for t in (box.subtitle or box.shape,) if t]
        if values and value[0]:
            rows.append([("bias" if box.kind == "unit" else "", "grey"), ("  " + value[0], value[1])])
        if gradients and grad[0] and box.kind != "unit":
            rows.append([("", ""), grad])
    said = _said(box)
    return rows + ([[(said, "mark")]] if said else [])


# --- the tree ------------------------------------------------------------------------------------------------------


def _tree(scene: Scene, width: int, values: bool, gradients: bool, local_derivatives: bool) -> list[Line]:
    """Lines from the outputs down to the leaves, with columns of numbers."""
    rows = [[[(guide, "grey"), *cells[0]], *cells[1:]] for guide, cells in _walk(scene, width, local_derivatives)]
    arrays = any(isinstance(box.value, Summary) and box.value.count > 1 for box in scene.boxes)
    wanted = (True, values, gradients, True)
    kept = [k for k in range(4) if wanted[k] and (k == 0 or any(_cells(row[k]) for row in rows))]
    derivatives = local_derivatives and any(e.label for e in scene.edges)
    heads = ("", "mean ± std" if arrays else "value", "gradient", "local derivative" if derivatives else "")
    if scene.kind == "wiring":
        heads = ("", "bias", "", "weight")
    rows.insert(0, [[(head, "grey")] for head in heads])
    if len(kept) == 1:
        return [row[0] for row in rows[1:]]
    rows = [[row[k] for k in kept] for row in rows]
    _fit(rows, kept, width)
    wide = [max(_cells(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        line: Line = []
        for cell, room, k in zip(row, wide, kept, strict=True):
            space = (" " * (room - _cells(cell)), "")
            line += [("  ", "")] * (k > 0) + ([space, *cell] if k in (1, 2) else [*cell, space])
        lines.append(line)
    return lines


def _fit(rows: list[list[Line]], kept: list[int], width: int) -> None:
    """Shorten the rows' cells, those first that matter least, until all have room in `width`."""

    def too_much() -> int:
        return sum(max(_cells(cell) for cell in c) + 2 for c in zip(*rows, strict=True)) - 2 - width

    def cut(k: int, shorter: Callable[[Line], Line]) -> None:
        if k in kept and too_much() > 0:
            for row in rows:
                row[kept.index(k)] = shorter(row[kept.index(k)])

    def to(k: int, least: int) -> Callable[[Line], Line]:
        room = max(least, max(_cells(row[kept.index(k)]) for row in rows) - too_much()) if k in kept else 0
        return lambda cell: _cut(cell, room)

    cut(3, lambda cell: [("∂ " + t.rpartition(" = ")[2] if " = " in t else t, s) for t, s in cell])
    cut(1, lambda cell: [(t.partition(" ± ")[0], s) for t, s in cell])
    cut(3, lambda cell: [(t[0] if t in _MARKS.values() else t, s) for t, s in cell])
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

    if _cells(cell) <= room:
        return cell
    out: Line = []
    for piece, style in cell:
        left = room - 1 - _cells(out)
        out.append((piece if _cells([(piece, style)]) <= left else set_cell_size(piece, max(0, left)), style))
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
                names = [_called(scene.boxes[b], numbers.get(b)) for b in item]
                told = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
                yield guide, [[(f"↑ {told} (above)", "grey")], [], [], []]
                continue
            b, edge = item
            box = scene.boxes[b]
            derivative = _derivative(edge) if local_derivatives else ""
            local: Line = [(derivative, "grey")] if derivative else []
            if b in seen:
                told = f"↑ {_called(box, numbers.get(b))} (above)"
                yield guide, [[(told, "grey")], [], [], local]
                continue
            if depth >= deepest and inputs[b]:
                later.append(b)
                if not box.name:
                    numbers.setdefault(b, len(numbers) + 1)
                yield guide, [[(f"↓ {_called(box, numbers.get(b))} (below)", "grey")], [], [], local]
                continue
            seen.add(b)
            called = _label(box) + ([(f" #{numbers[b]}", "grey")] if b in numbers else [])
            said = _said(box)
            local += [("  ", "")] * bool(local and said) + [(said, "mark")]
            yield guide, [called, [_value(box)], [_gradient(box)], local]
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


def _called(box: Box, numbered: int | None) -> str:
    """What a line calls a box that stands elsewhere."""
    if box.kind == "group" and box.module:
        return box.module
    return box.name or f"{box.op or 'value'} #{numbered}"


def _numbered(scene: Scene, inputs: list[list[Edge]]) -> dict[int, int]:
    """Numbers for the nameless boxes that are used more than once, so that a line can refer to them."""
    uses = [0] * len(scene.boxes)
    for edges in inputs:
        for e in edges:
            uses[e.tail] += 1
    many = [b for b, box in enumerate(scene.boxes) if uses[b] > 1 and not box.name and box.kind != "constant"]
    return {b: k + 1 for k, b in enumerate(many)}


# --- into a string -------------------------------------------------------------------------------------------------


def _cells(pieces: Sequence[Piece]) -> int:
    from rich.cells import cell_len

    return sum(cell_len(t) for t, _ in pieces)


def _written(lines: list[Line], color: bool, width: int) -> str:
    if not color:
        return "\n".join("".join(t for t, _ in line).rstrip() for line in lines)
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system="256", width=width, legacy_windows=False)
    for line in lines:
        styled = Text.assemble(*((t, _STYLES.get(s, "")) for t, s in line), no_wrap=True, overflow="ignore", end="\n")
        styled.rstrip()
        console.print(styled, crop=False, soft_wrap=True)
    return out.getvalue().removesuffix("\n")
