"""The picture as a Mermaid flowchart, which GitHub, GitLab and many notebooks draw out of Markdown."""

from __future__ import annotations

import re

from viz._scene import Frame, Scene
from viz._sheet import Sheet
from viz._theme import THEMES
from viz.export._dot import lines_of, pen, said_on, scene_of

__all__ = ["write_mermaid"]

_MOST = 50_000  # characters that GitHub draws
_PLAIN = re.compile(r"[^0-9A-Za-z .,=()/+\-\u0080-\U0010ffff]")
_TAKEN = re.compile(r"\$(?=\$)|fa[a-z]?:(?=fa-)|[\ufb02\u00b6]")  # what begins a formula, an icon, or a code of its own
_JOINER = "\N{WORD JOINER}"  # shows nothing, takes no room
_LIST = re.compile(r"^(\d+)([.)])(?= )|^([+-])(?= )")  # Mermaid takes a label that begins so for Markdown's


def write_mermaid(sheet: Sheet, theme: str) -> str:
    """What is drawn as a Mermaid flowchart: put it between ```mermaid and ``` in a Markdown file.

    Raises ValueError for a chart, which is no graph.
    """
    (scene, direction, heading), colours = scene_of(sheet), THEMES[theme]
    lines = ["---", "config:", "  theme: base", "  themeVariables:"]
    for name, role in _VARIABLES.items():
        lines.append(f'    {name}: "{colours[role]}"')
    lines += ["---", f"flowchart {direction}"]
    # The front matter could hold a title, but would show its < as &lt;. So all is in a frame, which also has a label.
    lines += [f'  subgraph page["{"<br/>".join(map(_escape, heading))}"]', f"  direction {direction}"]
    lines += [*_nodes(scene, scene.root, "  ", [0], direction), "  end"]
    lines.append(f"  style page fill:{colours['paper']},stroke:{colours['paper']}")
    pens: dict[str, list[str]] = {}
    for i, edge in enumerate(scene.edges):
        label = said_on(edge)
        shown = f'|"{_escape(label)}"|' if label else ""
        lines.append(f"  n{edge.tail} -->{shown} n{edge.head}")
        role, wide, dashed = pen(edge)
        style = f"stroke:{colours[role]},stroke-width:{wide:.2f}px" + ",stroke-dasharray:5 4" * dashed
        pens.setdefault(style, []).append(str(i))
    lines += [f"  linkStyle {','.join(edges)} {style}" for style, edges in pens.items()]
    boxes = dict(enumerate(scene.boxes))
    for name, style, members in (
        ("closed", "stroke-dasharray:5 4", [b for b, box in boxes.items() if box.mark in ("closed", "dead")]),
        ("saturated", "stroke-dasharray:2 3,stroke-width:2px", [b for b, x in boxes.items() if x.mark == "saturated"]),
        ("output", "stroke-width:3px", [b for b, box in boxes.items() if box.is_output or box.highlighted]),
    ):
        if members:
            lines.append(f"  classDef {name} {style}")
            lines.append(f"  class {','.join(f'n{b}' for b in members)} {name}")
    text = "\n".join([*lines, ""])
    if len(text) > _MOST or len(scene.edges) > 500:
        note = f"  %% {len(text):,} characters, {len(scene.edges):,} edges: Mermaid stops at {_MOST:,} and 500 unless"
        note += " told otherwise (maxTextSize, maxEdges); a smaller budget= or depth= folds more.\n"
        head, flow, rest = text.partition(f"flowchart {direction}\n")
        text = head + flow + note + rest
    return text


_VARIABLES = {
    "background": "paper", "primaryColor": "card", "primaryTextColor": "ink", "primaryBorderColor": "grey",
    "lineColor": "line", "textColor": "ink", "clusterBkg": "pale", "clusterBorder": "faint",
    "edgeLabelBackground": "paper",
}  # fmt: skip


def _nodes(scene: Scene, frame: Frame, indent: str, drawn: list[int], direction: str) -> list[str]:
    lines = [f'{indent}n{b}["{"<br/>".join(map(_escape, lines_of(scene.boxes[b])))}"]' for b in frame.boxes]
    for inner in frame.frames:
        lines += [f'{indent}subgraph f{drawn[0]}["{_escape(inner.label)}"]', f"{indent}  direction {direction}"]
        drawn[0] += 1
        lines += [*_nodes(scene, inner, indent + "  ", drawn, direction), f"{indent}end"]
    return lines


def _escape(text: str) -> str:
    """Text in which nothing is markup: all that could be is written by its number, as Mermaid has it, #34; for a quote.

    >>> _escape('say "<b>" 100 %')
    'say #34;#60;b#62;#34; 100 #37;'
    """
    apart = _TAKEN.sub(lambda found: found[0] + _JOINER, text)
    safe = _PLAIN.sub(lambda found: f"#{ord(found[0])};", apart)
    return _LIST.sub(lambda f: f"{f[1]}#{ord(f[2])};" if f[1] else f"#{ord(f[3])};", safe)
