"""The panels of a history that were asked for; of several runs a single one becomes one chart, with a line a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from viz._text import clean
from viz.charts._panels import STYLES, Column, Panel, Series

__all__ = ["chosen"]

_ALONE = 260.0  # height of the only panel


def chosen(columns: list[Column], panels: str | Sequence[str], hint: str) -> list[Column]:
    """The columns with the `panels` of these names only, or one column for all runs. Raises ValueError for a name there
    is not, with the `hint` how to measure more."""
    wanted = list(dict.fromkeys([panels] if isinstance(panels, str) else panels))
    there = dict.fromkeys(p.name for c in columns for p in c.panels)
    unknown = [name for name in wanted if name not in there]
    if unknown or not wanted:
        what = f"no panel {clean(unknown[0])!r} in this picture" if unknown else "no panel asked for"
        raise ValueError(f"there is {what}: panels= takes one or more of {', '.join(there)}. {hint}".rstrip())
    kept = [
        replace(c, panels=[_asked(p, len(wanted)) for n in wanted for p in c.panels if p.name == n]) for c in columns
    ]
    if len(wanted) > 1 or len(kept) == 1 or not all(c.panels and c.panels[0].summary for c in kept):
        return kept
    lines = [line for i, c in enumerate(kept) for line in _lines(c, i)]
    headings = {c.panels[0].heading.replace("each layer's", "all").replace("each layer", "all") for c in kept}
    heading = headings.pop() if len(headings) == 1 else wanted[0]
    panel = replace(kept[0].panels[0], heading=heading, series=lines, area=None, more="", shared=True)
    return [Column("", [panel], (min(c.xlim[0] for c in kept), max(c.xlim[1] for c in kept)))]


def _asked(panel: Panel, count: int) -> Panel:
    """A panel that is drawn whatever it shows."""
    return replace(panel, worth=True, height=_ALONE if count == 1 else panel.height)


def _lines(column: Column, i: int) -> list[Series]:
    """The lines of run `i` in a chart of several, the thin one for validation."""
    colour, dash = STYLES[i % len(STYLES)]
    found = []
    for s in column.panels[0].summary:
        extra = " validation" * (s.name == "validation")
        wide = 1.0 if extra else 2.0 + 1.5 * (i // len(STYLES))
        found.append(replace(s, name=column.name + extra, colour=colour, dash=dash, wide=wide))
    return found
