"""Panels of lines, one under the other on one axis of epochs, and such columns side by side on the same scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from viz._places import Rect, meet
from viz._text import clean, width
from viz._xml import GREY, INK, LINE, TRACK, Raw, element, write
from viz.charts._chart import LABEL, TICK, Axes, Ending, endings, limits, reading, usual, widest

__all__ = ["STYLES", "Column", "Guide", "Panel", "Series", "draw_columns", "scale"]

# How lines are told apart where sign is hue: ink and grey, whole and broken, as many as can be told apart.
STYLES = [
    (INK, None), (GREY, "7 4"), (INK, "2 3"), (GREY, None), (INK, "9 3 2 3"), (GREY, "2 3"), (INK, "12 5"),
    (GREY, "9 3 2 3"),
]  # fmt: skip
_HOVERS = 60  # points of a line that tell their number on hover; of more no one could be hit
_GAP = 40.0  # from one panel to the next: room for a heading


@dataclass(frozen=True)
class Series:
    """A line: a number, or None, for each of `xs`. A `faint` one is background: thin and without a label."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    colour: str = INK
    dash: str | None = None
    wide: float = 2.0
    faint: bool = False

    def last(self) -> float | None:
        return self.ys[-1] if self.ys else None


@dataclass(frozen=True)
class Panel:
    """One measure: its lines, a shaded `band` (from, to, guide, words) and an `area` under one line in a pattern.

    `log` is "auto" (where it spans more than two decades), "yes" (unless something is below 0) or "no".
    """

    key: str
    heading: str
    series: list[Series]
    height: float = 104.0
    log: str = "no"
    percent: bool = False
    band: tuple[float, float, float, str] | None = None
    area: tuple[Series, str] | None = None
    more: str = ""  # what is said of lines without a label of their own
    worth: bool = True  # whether it is drawn where no other run has anything to show in it
    shared: bool = False  # whether its lines are of several runs

    @property
    def name(self) -> str:
        """What it is asked for by: its heading as far as the first mark, or the metric."""
        return self.heading if self.key.startswith("metric ") else self.heading.replace(",", ":").partition(":")[0]

    @property
    def summary(self) -> list[Series]:
        """The lines that say it of a whole run: of units those of all layers, of gradients those of all parameters."""
        if self.area:
            return [self.area[0]]
        whole = {"grad_norm": ("all parameters",), "updates": ()}.get(self.key, ("training", "validation", "lr"))
        return [s for s in self.series if s.name in whole]

    def values(self) -> list[float | None]:
        lines = [*self.series, *([self.area[0]] if self.area else [])]
        return [v for line in lines for v in line.ys]


@dataclass(frozen=True)
class Guide:
    """A vertical line at an epoch, with words, the longest that there is room for."""

    x: float
    texts: tuple[str, ...]
    mark: str
    dash: str | None = "4 3"


@dataclass(frozen=True)
class Column:
    """One run: its name, its panels and guides, and the epochs they span."""

    name: str
    panels: list[Panel]
    xlim: tuple[float, float]
    guides: list[Guide] = field(default_factory=list)


def draw_columns(columns: Sequence[Column], wide: float, abreast: int = 4) -> tuple[list[Raw], float, float]:
    """The columns, `abreast` of them side by side, and their width and height; `wide` is what there is for them.

    A row of panels has one scale, so that runs can be compared; panels that a column lacks leave room.
    """
    worth = {p.key for c in columns for p in c.panels if p.worth}
    keys = [key for key in dict.fromkeys(p.key for c in columns for p in c.panels) if key in worth]
    rows = {key: [p for c in columns for p in c.panels if p.key == key] for key in keys}
    scales = {key: scale(panels) for key, panels in rows.items()}
    blank = {k: Axes(0, 0, 100, p[0].height, (0, 1), scales[k][1], log=scales[k][0], percent=p[0].percent)
             for k, p in rows.items()}  # fmt: skip
    left = max((width(text, TICK) for axes in blank.values() for text in axes.ylabels()), default=0.0) + 14
    high = {k: max(p[0].height, *(15.0 * len(_labels(panel)) + 6 for panel in p)) for k, p in rows.items()}
    right = [max((widest(_labels(p)) for p in c.panels if p.key in worth), default=0.0) + 8 for c in columns]
    n = min(abreast, len(columns))
    plot = max(170.0 if n > 1 else 380.0, (wide - left - sum(sorted(right)[-n:])) / n)
    parts: list[Raw] = []
    top, total = 0.0, 0.0
    for start in range(0, len(columns), n):
        x, end = left, top
        for i, column in enumerate(columns[start : start + n], start):
            y = top
            if column.name:
                parts.append(write(column.name, x, y + 14, 14, INK, bold=True))
                y += 26
            there = {p.key: p for p in column.panels}
            last = keys[-1]
            for key in keys:
                log, ylim = scales[key]
                y += _GAP - 14 if key == keys[0] else _GAP
                model = rows[key][0]
                head = model.heading + (" (log scale)" if log else "")
                panel = there.get(key)
                axes = Axes(
                    x, y, plot, high[key], column.xlim, ylim, xlabel="epoch", ylabel=head if i == start else "",
                    log=log, whole=True, bare=key != last, beside=i != start, percent=model.percent,
                )  # fmt: skip
                drawn = _drawn(panel, axes, column.guides if panel else [], key == keys[0])
                parts.append(element("g", *drawn, data_panel=clean(key, 60), data_run=column.name,
                                     data_shared="" if model.shared else None))  # fmt: skip
                y += high[key]
            end = max(end, y + 44)
            x += plot + right[i] + 14
        total, top = max(total, x - 14), end + 26
    return parts, total, top - 26


def scale(panels: Sequence[Panel]) -> tuple[bool, tuple[float, float]]:
    """Whether these panels have a logarithmic scale, and its limits."""
    found, how = usual(v for p in panels for v in p.values()), panels[0].log
    above = [v for v in found if v > 0]
    spans = bool(above) and max(above) / 100 > min(above)
    log = bool(above) and min(found) >= 0 and (how == "yes" or (how == "auto" and spans))
    band = panels[0].band
    lo, hi = limits([*found, *(band[:2] if band else ())], log)
    if panels[0].area:
        lo = 0.0
    if panels[0].percent and found and min(found) >= 0 and max(found) <= 1:
        lo, hi = max(0.0, lo), min(1.0, hi) if hi > 1.0 else hi
    return log, (lo, hi)


def _labels(panel: Panel) -> list[str]:
    texts = [reading(s.name, s.last(), panel.percent) for s in panel.series if not s.faint]
    return [*texts, *([panel.band[3]] if panel.band else []), *([panel.more] if panel.more else [])]


def _drawn(panel: Panel | None, axes: Axes, guides: Sequence[Guide], named: bool) -> list[Raw]:
    if panel is None:
        words = write("not measured", axes.x0 + axes.width / 2, axes.y0 + axes.height / 2 + 4, LABEL, GREY, "middle")
        return [*axes.frame(), words]
    shade: list[Raw] = []
    if panel.band:
        lo, hi, guide, _ = panel.band
        y = axes.y(hi)
        shade.append(element("rect", x=axes.x0, y=y, width=axes.width, height=axes.y(lo) - y, fill=TRACK))
        mid = axes.y(guide)
        shade.append(element("line", x1=axes.x0, y1=mid, x2=axes.right, y2=mid, stroke=LINE, stroke_dasharray="4 3"))
    if panel.area:
        shade.append(_area(axes, *panel.area))
    for g in guides:
        x = axes.x(g.x)
        shade.append(
            element("line", x1=x, y1=axes.y0, x2=x, y2=axes.bottom, stroke=GREY, stroke_width=1.25,
                    stroke_dasharray=g.dash, data_mark=g.mark, data_value=repr(g.x))
        )  # fmt: skip
    parts = axes.frame(*shade)
    lines, hovers, wanted = [], [], []
    for s in sorted(panel.series, key=lambda s: not s.faint):
        last = s.last()
        said = reading(s.name, last, panel.percent)
        lines.append(
            axes.line(s.xs, s.ys, LINE if s.faint else s.colour, s.dash, 1.0 if s.faint else s.wide, title=said,
                      data_series=s.name, data_value=None if last is None else repr(float(last)))
        )  # fmt: skip
        if len(s.xs) <= _HOVERS:
            hovers += [
                element("circle", element("title", f"{s.name}, epoch {x:g}: {y!r}"), cx=axes.x(x), cy=axes.y(y), r=5,
                        fill="none", pointer_events="all", data_series=s.name, data_epoch=f"{x:g}", data_value=repr(y))
                for x, y in zip(s.xs, s.ys, strict=True) if y is not None and axes.shown(y)
            ]  # fmt: skip
        there = [(x, y) for x, y in zip(s.xs, s.ys, strict=True) if axes.shown(y)]
        if not s.faint and there and there[-1][1] is not None:
            wanted.append(Ending(axes.x(there[-1][0]), axes.y(there[-1][1]), said, s.colour, s.dash, s.wide))
        elif not s.faint:
            wanted.append(Ending(axes.right, axes.bottom, said, s.colour, s.dash, s.wide))
    if panel.band:
        wanted.append(Ending(axes.right, axes.y(panel.band[2]), panel.band[3], TRACK, thick=10))
    if panel.more:
        wanted.append(Ending(axes.right, axes.bottom, panel.more, "none"))
    parts += [*lines, *endings(wanted, axes), *hovers]
    if named:
        parts += _named(guides, axes, panel.series)
    return parts


def _area(axes: Axes, line: Series, pattern: str) -> Raw:
    """The area under a line, filled with a pattern."""
    points = [(axes.x(x), axes.y(y)) for x, y in zip(line.xs, line.ys, strict=True) if y is not None and axes.shown(y)]
    points = [p for i, p in enumerate(points) if i % max(1, len(points) // 500) == 0 or i == len(points) - 1]
    if not points:
        return element("g")
    if len(points) == 1:
        points = [(points[0][0] - 6, points[0][1]), (points[0][0] + 6, points[0][1])]
    top = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
    d = f"M{points[0][0]:.2f} {axes.bottom:.2f}L{top}L{points[-1][0]:.2f} {axes.bottom:.2f}Z"
    return element("path", d=d, fill=pattern, stroke="none", data_series=line.name)


def _named(guides: Sequence[Guide], axes: Axes, lines: Sequence[Series]) -> list[Raw]:
    """The words at the guides, inside the axes where no line and no other words are, if there is such a place."""
    parts: list[Raw] = []
    taken: list[Rect] = []
    points = [
        [(axes.x(x), axes.y(y)) for x, y in zip(s.xs, s.ys, strict=True) if y is not None and axes.shown(y)]
        for s in lines
    ]
    heights = [axes.y0 + 15 + 15 * k for k in range(max(1, int(axes.height / 15) - 1))]
    for g in guides:
        x, free = axes.x(g.x), []
        for text in g.texts:
            wide = width(text, TICK) + 4
            for y in heights:
                for anchor, a in (("start", x + 6), ("end", x - 6 - wide)):
                    box = (a, y - 14, a + wide, y + 6)
                    if a < axes.x0 or a + wide > axes.right or any(meet(box, other) for other in taken):
                        continue
                    free.append((sum(_crosses(line, box) for line in points), anchor, y, text, box))
            if free:
                break
        if not free:  # not even the shortest: above everything
            free = [(0, "middle", heights[0], g.texts[-1], (x, heights[0], x, heights[0]))]
        _, anchor, y, text, box = min(free, key=lambda place: place[0])
        taken.append(box)
        at = {"start": x + 6, "end": x - 6}.get(anchor, x)
        parts.append(write(text, at, y, TICK, INK, anchor, halo=True))
    return parts


def _crosses(line: Sequence[tuple[float, float]], box: Rect) -> int:
    """How many of some places of a line along a box are within it."""
    left, top, right, bottom = box
    inside = [p for p in line if left - 1 < p[0] < right + 1]
    if not line or right < line[0][0] or left > line[-1][0]:
        return 0
    xs = np.linspace(left, right, 12)
    ys = np.interp(xs, [p[0] for p in line], [p[1] for p in line])
    return int(((ys > top) & (ys < bottom)).sum()) + sum(top < y < bottom for _, y in inside[:500])
