"""Pictures for those without a screen: a graph as lines of text, a tree down to its leaves or a small diagram."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from textwrap import wrap
from typing import Any, Literal

import numpy as np

from viz._chars import Line, prose
from viz._picture import Picture
from viz._scene import Scene
from viz._summary import Summary
from viz._text import clean
from viz.graph._draw import Detail, plan_of
from viz.terminal._diagram import diagram
from viz.terminal._tree import cut, tree
from viz.terminal._words import MARKS, content_of, gradient_of

__all__ = ["in_ascii", "text"]

_FEW = 60  # boxes of a picture that is told
_DIAGRAM = 40  # boxes, and edges, that a diagram may have
_STYLES = {
    "name": "bold", "grey": "grey50", "shape": "grey50", "positive": "color(32)", "negative": "color(166)",
    "mark": "bold", "wrong": "bold reverse",
}  # fmt: skip
_MEANINGS = {
    "closed": "× closed: the input is not positive, so nothing passes and no gradient comes back.",
    "dead": "× dead: not above 0 on any of these examples.",
    "saturated": "□ saturated: on a flat end of its function, so next to no gradient comes back.",
}
_ASCII = str.maketrans(
    "│─╭╮╰╯├┤┬┴┼●►▸◂−–…⋮∂×□·↑↓±σ÷←→○•∙░▒▓█▁▂▃▄▅▆▇▲▼≥≤′Δ²", "|-..`'++++++>><--~:dxo*^v~s/<>co.:+%#_.,-=+*^v><'D2"
) | {0x2800 + bits: " '.:"[bool(bits & 0b00011011) + 2 * bool(bits & 0b11100100)] for bits in range(256)}  # braille


def text(
    what: Any,
    detail: Detail | None = None,
    *,
    style: Literal["tree", "diagram"] | None = None,
    width: int | None = None,
    color: bool | None = None,
    title: str | None = None,
    X: Any = None,
    y: Any = None,
    loss: Any = None,
    example: int = 0,
    neurons: Any = None,
    depth: int | None = None,
    budget: int | None = None,
    values: bool = True,
    gradients: bool = True,
    local_derivatives: bool = True,
    highlight: Any = (),
) -> str:
    """A graph or a picture as text, for those without a screen; a HealthReport or a History says itself.

    `what` and the arguments that are not told here are those of `draw`. A `Picture` is told as it was drawn, and only
    takes `style`, `width`, `color` and `title`: of a graph the same boxes, charts in characters. Everything reads
    without colours.

    `style` "tree" goes from the output down to the leaves, a line a box, with the local derivative at every branch;
    what is used again is told in full once. "diagram" goes from left to right, for small graphs. By default it is the
    diagram where that fits into `width` columns (the terminal's), else the tree. `color` puts in colour codes. What is
    more than `budget` boxes (60, or 400 where you ask for neurons) is folded, and more again where that leaves many
    more lines.

    Raises TypeError and ValueError for what cannot be told so, as `draw` does.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(3.0, name="a")
    >>> b = a * a; b.name = "b"; b.backward()
    >>> print(text(b))
    ╭────────╮   ╭──────────╮
    │ a  3.0 │──►│ × b  9.0 │
    │   +6.0 │──►│     +1.0 │
    ╰────────╯   ╰──────────╯
    <BLANKLINE>
    In each box the value, and under it the gradient.
    """
    if style not in (None, "tree", "diagram"):
        raise ValueError(f'style is "tree" or "diagram", not {style!r}.')
    width = width if width is not None else max(20, shutil.get_terminal_size((80, 24)).columns)
    if width < 20:
        raise ValueError(f"width is a number of columns, 20 or more, not {width}.")
    if _says_itself(what):
        return str(what)
    parts: dict[str, Any] = {"values": values, "gradients": gradients, "local_derivatives": local_derivatives}
    asked: dict[str, Any] = {
        "X": X, "y": y, "loss": loss, "example": example, "neurons": neurons, "depth": depth, "highlight": highlight,
    }  # fmt: skip
    if isinstance(what, Picture):
        usual = {"example": 0, "highlight": (), **dict.fromkeys(parts, True)}
        given = {"detail": detail, "budget": budget, **asked, **parts}
        for name, value in given.items():
            if value is not usual.get(name) and (name not in usual or value != usual[name]):
                raise TypeError(f"a picture is told as it was drawn: give {name}= to the function that draws it.")
        lines = _of_picture(what, style, width)
        title = title or _heading(what)
    else:
        few = budget if budget is not None else _FEW if neurons is None else 400
        with np.errstate(all="ignore"):  # infinities and NaN are shown, not warned about
            scene = (plan := plan_of(what, detail, budget=few, **asked, **parts)).scene(few)
        more = "" if detail == "module" or depth is not None else ": a larger budget opens more"
        lines = _of_scene(scene, plan.scene, few, style, width, more, **parts)
    head: list[Line] = [cut([(part, "name")], width) for part in wrap(clean(title or "", 2 * width), width)]
    return _written([*head, *([[]] * bool(head)), *lines], bool(color), width)


def _heading(picture: Picture) -> str:
    """What stands above a picture: its title, or what a chart shows."""
    sheet = picture._sheet
    return sheet.title if sheet.headed or sheet.graph is None else ""


def _of_picture(picture: Picture, style: str | None, width: int) -> list[Line]:
    sheet = picture._sheet
    if sheet.graph is not None:
        scene, folded = sheet.graph.gathered, sheet.graph.folded
        if folded is not None and len(scene.boxes) > _FEW:
            with np.errstate(all="ignore"):
                scene = folded(_FEW)
        return _of_scene(scene, folded, _FEW, style, width, "", **sheet.graph.looks)
    if style is not None:
        raise ValueError(f"style= is for pictures of graphs, and this one is of {sheet.kind}: leave it out.")
    notes = [] if sheet.kind == "health" else prose(sheet.note, width)  # those are of rows that are drawn otherwise
    told = sheet.plain(width) if sheet.plain is not None else prose(sheet.description, width)
    return [cut(line, width) for line in (*notes, *([[]] * bool(notes)), *told)]


def _of_scene(
    scene: Scene, folded: Callable[[int], Scene] | None, budget: int, style: str | None, width: int, more: str,
    values: bool = True, gradients: bool = True, local_derivatives: bool = True,
) -> list[Line]:  # fmt: skip
    """A graph as a diagram or a tree, with its notes; `folded` makes it smaller, and `more` says what opens more."""
    notes: list[str] = []
    drawn, of_arrays = None, ["the norm of the gradient"] * gradients
    if style != "tree" and len(scene.boxes) <= _DIAGRAM and len(scene.edges) <= _DIAGRAM:
        drawn = diagram([content_of(box) for box in scene.boxes], scene.edges, width)
    if drawn is None:
        if style == "diagram":
            notes.append(f"As a tree: a diagram of {len(scene.boxes)} boxes cannot be drawn in {width} columns.")
        smaller, drawn = budget, tree(scene, width, local_derivatives)
        while folded is not None and len(drawn) > 1.5 * budget and smaller > 4:
            smaller //= 2  # a dense net has more lines for its edges than for its boxes
            with np.errstate(all="ignore"):
                scene = folded(smaller)
            drawn = tree(scene, width, local_derivatives)
    elif scene.kind == "wiring":
        notes.append('The style "tree" tells the weights, too.')
    else:
        of_arrays = ["mean ± std"] * values + of_arrays  # a tree has a heading for these
        if values and gradients and any(gradient_of(box)[0] for box in scene.boxes):
            notes.append("In each box the value, and under it the gradient.")
    if of_arrays and any(isinstance(box.value, Summary) and box.value.count > 1 for box in scene.boxes):
        notes.append(f"Of arrays: {' and '.join(of_arrays)}.")
    notes += _notes(scene)
    if scene.fold_note:
        hinted = any("budget" in note for note in scene.notes)
        notes.append(f"{scene.fold_note}{'' if hinted else more}.")
    return [*drawn, [], *(line for note in notes for line in prose(note, width))]


def in_ascii(shown: str) -> str:
    """`shown` for a terminal that has no more than ASCII, every character that `text` uses as one of the same width;
    but an infinity is `inf`, in the room that is beside it.

    >>> in_ascii("╰─ ∂ −2.0")
    '`- d -2.0'
    """
    return re.sub("(?<= )  ∞|∞  (?= )|∞", "inf", shown).translate(_ASCII)


def _says_itself(what: Any) -> bool:
    """Whether `str` of it is its picture in text already."""
    from micrograd_nn.health import HealthReport
    from micrograd_nn.training import History

    return isinstance(what, (HealthReport, History))


def _notes(scene: Scene) -> list[str]:
    """What a reader must know to read the marks."""
    notes = [_MEANINGS[mark] for mark in MARKS if any(box.mark == mark for box in scene.boxes)]
    if any(box.tracked and box.shows_grad and box.grad is None and box.kind == "scalar" for box in scene.boxes):
        notes.append("– no gradient yet: call backward() first.")
    return [*notes, *scene.notes]


def _written(lines: list[Line], color: bool, width: int) -> str:
    while not lines[-1]:
        lines.pop()
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
