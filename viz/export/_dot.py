"""The picture as DOT that a person can read and change, every label escaped; and what all such texts say."""

from __future__ import annotations

import math

from viz._scene import Box, Edge, Frame, Scene
from viz._sheet import Sheet
from viz._summary import Summary
from viz._text import number, signed
from viz._theme import THEMES

__all__ = ["lines_of", "pen", "said_on", "scene_of", "write_dot"]

_MARKED = {"closed": "closed", "dead": "✕ dead", "saturated": "▪ saturated"}
_DRAWN = {"closed": "dashed", "dead": "dashed", "saturated": "dotted"}


def write_dot(sheet: Sheet, theme: str = "light") -> str:
    """What is drawn as a DOT digraph, for Graphviz or any program that reads DOT. Raises ValueError for a chart."""
    (scene, direction, heading), colours = scene_of(sheet), THEMES[theme]
    ink, grey = f'"{colours["ink"]}"', f'"{colours["grey"]}"'
    lines = [
        "digraph {",
        f'  rankdir={direction}; bgcolor="{colours["paper"]}"; fontname="Helvetica"; fontcolor={ink}',
        f'  node [shape=box, style="rounded,filled", fillcolor="{colours["card"]}", color={grey}, fontcolor={ink}, '
        'fontname="Helvetica"]',
        f'  edge [fontname="Helvetica", fontcolor={ink}, fontsize=11, arrowsize=0.7]',
    ]
    if heading:
        lines.append(f"  label={_quote(*heading)}; labelloc=t")
    lines += _nodes(scene, scene.root, "  ", [0], grey)
    for edge in scene.edges:
        role, wide, dashed = pen(edge)
        traits = [f"label={_quote(said_on(edge))}"] if said_on(edge) else []
        traits += [f'color="{colours[role]}"', f"penwidth={wide:.2f}"] + ["style=dashed"] * dashed
        traits += [f"tooltip={_quote(*edge.hover.split(chr(10)))}"] if edge.hover else []
        lines.append(f"  n{edge.tail} -> n{edge.head} [{', '.join(traits)}]")
    return "\n".join([*lines, "}", ""])


def scene_of(sheet: Sheet) -> tuple[Scene, str, list[str]]:
    """The scene drawn, or the units of the network that is; its direction and heading. ValueError for a chart."""
    if sheet.graph is None and sheet.network is not None and sheet.wiring is not None:
        scene, direction = sheet.wiring(sheet.network()), "LR"
        note = scene.fold_note  # what the diagram left out is here
    else:
        graph, note = sheet.needed_graph(), sheet.note
        scene, direction = graph.scene, graph.direction
    return scene, direction, [line for line in (sheet.title, note) if line]


def _nodes(scene: Scene, frame: Frame, indent: str, drawn: list[int], frames: str) -> list[str]:
    lines = []
    for b in frame.boxes:
        box = scene.boxes[b]
        traits = [f"label={_quote(*lines_of(box))}", f"tooltip={_quote(*box.hover.split(chr(10)))}"]
        if box.mark:
            traits.append(f'style="rounded,filled,{_DRAWN[box.mark]}"')
        if box.highlighted or box.is_output:
            traits.append(f"penwidth={3 if box.highlighted else 2}")
        lines.append(f"{indent}n{b} [{', '.join(traits)}]")
    for inner in frame.frames:
        lines.append(f"{indent}subgraph cluster_{drawn[0]} {{")
        drawn[0] += 1
        look = f"style=rounded; color={frames}; fontcolor={frames}; penwidth={3 if inner.highlighted else 1}"
        lines.append(f"{indent}  label={_quote(inner.label)}; labelloc=t; {look}")
        lines += _nodes(scene, inner, indent + "  ", drawn, frames)
        lines.append(f"{indent}}}")
    return lines


def lines_of(box: Box) -> list[str]:
    """What a box says, line by line: op, name and shape; value; gradient; its mark in a glyph and a word."""
    lines = [" ".join(filter(None, [box.op, box.name, box.subtitle, box.shape]))]
    if isinstance(box.value, float):
        if box.shows_value:
            lines.append(("bias " if box.kind == "unit" else "") + number(box.value))
        if box.tracked and box.shows_grad and box.kind != "unit":
            lines.append("grad " + (signed(box.grad) if isinstance(box.grad, float) else "–"))
    elif isinstance(box.value, Summary) and box.value.count and box.shows_value:
        lines.append(f"mean {number(box.value.mean)}, std {number(box.value.std)}")
    if box.tracked and box.shows_grad and box.kind in ("tensor", "group"):
        known = box.grad if isinstance(box.grad, Summary) and box.grad.count else None
        lines.append("grad norm " + ("–" if known is None else number(known.norm)))
    lines.append(box.note)
    if box.mark:
        lines.append(_MARKED[box.mark])
    if box.verdict:
        lines.append(box.fault or "checked and right")
    return [line for line in lines if line] or [box.kind]


def said_on(edge: Edge) -> str:
    """What an edge says: how many edges it stands for, or its local derivative or weight, or why nothing comes back."""
    if edge.count > 1:
        return f"×{edge.count:,}"
    return edge.label or edge.stop or ("" if edge.weight is None else number(edge.weight))


def pen(edge: Edge) -> tuple[str, float, bool]:
    """How an edge is drawn: the role of its colour, its width in points, and whether it is dashed.

    Width grows by even steps for every power of ten of the gradient from 0.001 to 10, or of the weight.
    """
    strength = edge.through if edge.weight is None else edge.weight
    if not strength or math.isnan(strength):
        return "line", 1.0, bool(edge.stopped)
    power = min(1.0, max(-3.0, math.log10(abs(strength))))
    role = "grey" if not edge.signed else "positive" if strength > 0 else "negative"
    return role, 1 + 0.75 * (power + 3), bool(edge.stopped)


def _quote(*lines: str) -> str:
    """A quoted label. DOT reads \\N and HTML entities in labels: neither may come from a name."""
    safe = (line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(safe) + '"'
