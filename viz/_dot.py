"""The picture as DOT that a person can read and change, every label escaped."""

from __future__ import annotations

from viz._boxes import NO_GRADIENT
from viz._scene import Box, Frame, Scene
from viz._sheet import Sheet
from viz._text import number, signed

__all__ = ["write_dot"]


def write_dot(sheet: Sheet, theme: str = "light") -> str:
    """What is drawn as a DOT digraph, for Graphviz or any program that reads DOT."""
    graph = sheet.needed_graph()
    scene = graph.scene
    lines = ["digraph {", f"  rankdir={graph.direction}", '  node [shape=box, style=rounded, fontname="Helvetica"]']
    heading = [line for line in (sheet.title, sheet.note) if line]
    if heading:
        lines.append(f"  label={_quote(*heading)}")
    lines += _nodes(scene, scene.root, "  ", [0])
    for edge in scene.edges:
        label = f"×{edge.count}" if edge.count > 1 else edge.label
        dashed = ", style=dashed" if edge.closed else ""
        lines.append(f"  n{edge.tail} -> n{edge.head} [label={_quote(label)}{dashed}]")
    return "\n".join([*lines, "}", ""])


def _nodes(scene: Scene, frame: Frame, indent: str, drawn: list[int]) -> list[str]:
    lines = [f"{indent}n{b} [label={_quote(*_lines(scene.boxes[b]))}]" for b in frame.boxes]
    for inner in frame.frames:
        lines.append(f"{indent}subgraph cluster_{drawn[0]} {{")
        drawn[0] += 1
        lines.append(f"{indent}  label={_quote(inner.label)}")
        lines += _nodes(scene, inner, indent + "  ", drawn)
        lines.append(f"{indent}}}")
    return lines


def _lines(box: Box) -> list[str]:
    lines = [" ".join(filter(None, [box.op, box.name, box.shape]))]
    if isinstance(box.value, float):
        lines.append(number(box.value))
        if box.tracked:
            lines.append("grad " + (signed(box.grad) if isinstance(box.grad, float) else NO_GRADIENT))
    elif box.note:
        lines.append(box.note)
    return [line for line in lines if line]


def _quote(*lines: str) -> str:
    """A quoted label. DOT reads \\N and HTML entities in labels: neither may come from a name."""
    safe = (line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(safe) + '"'
