"""Axes of charts: where a number lies on the page, ticks, a light grid, lines that say where they have gaps or ends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from viz._text import number, width
from viz._xml import CARD, FAINT, GREY, INK, LINE, Raw, element, write
from viz.charts._ticks import limits, log_ticks, tick_labels, ticks, usual

__all__ = [
    "DENSE", "LABEL", "TICK", "WIDE", "Axes", "Ending", "endings", "limits", "reading", "spread", "tick_labels",
    "ticks", "usual", "widest", "wrapped",
]  # fmt: skip

WIDE = 764.0  # of a chart: with its margins the page is as wide as a notebook's column
TICK, LABEL = 11.5, 12.5  # sizes of the text at ticks, and of axis labels and line ends
DENSE = 1000  # points of a line: more than there are pixels only cost room

# --- axes -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axes:
    """A rectangle of the page, with its upper left corner at (x0, y0), that shows numbers from `xlim` and `ylim`.

    With `log` heights go by the logarithm; with `whole` x counts whole things, such as epochs. `xlabel` is written
    under the axis and `ylabel` over the upper left corner. `box` draws an edge all around in place of the grid, over
    what fills the plane. `bare` leaves the numbers under the axis to a panel below, `beside` those along y to one at
    its left. `percent` writes heights as percentages.

    >>> a = Axes(0, 0, 100, 50, (0, 10), (0, 1))
    >>> a.x(5), a.y(1)
    (50.0, 0.0)
    """

    x0: float
    y0: float
    width: float
    height: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]
    xlabel: str = ""
    ylabel: str = ""
    log: bool = False
    whole: bool = False
    bare: bool = False
    beside: bool = False
    percent: bool = False
    box: bool = False

    def x(self, v: float) -> float:
        """How far to the right `v` is; what is beyond the limits is at the edge."""
        lo, hi = self.xlim
        return self.x0 + self.width * _share(v, lo, hi)

    def y(self, v: float) -> float:
        """How far down `v` is; what is beyond the limits is at the edge."""
        lo, hi = self.ylim
        if self.log:
            v = math.log10(v) if v > 0 else -math.inf
            lo, hi = math.log10(lo), math.log10(hi)
        return self.y0 + self.height * (1 - _share(v, lo, hi))

    @property
    def right(self) -> float:
        return self.x0 + self.width

    @property
    def bottom(self) -> float:
        return self.y0 + self.height

    def xticks(self) -> list[float]:
        found = ticks(*self.xlim, about=max(3, round(self.width / 80)), whole=self.whole)
        lo = self.xlim[0]
        if self.whole and lo == int(lo) and len(found) > 1 and found[0] - lo > 0.6 * (found[1] - found[0]):
            found.insert(0, lo)  # the first of all
        return found

    def yticks(self) -> list[float]:
        about = max(3, round(self.height / 60)) if self.box else max(2, round(self.height / 27))
        return log_ticks(*self.ylim, about) if self.log else ticks(*self.ylim, about)

    def ylabels(self) -> list[str]:
        """The texts at the ticks of y."""
        found = self.yticks()
        if self.percent:
            return [text if text == "0" else text + " %" for text in tick_labels([100 * v for v in found])]
        return tick_labels(found, self.log)

    def frame(self, *inside: Raw) -> list[Raw]:
        """Grid, ticks and labels over what is `inside`, such as shading; the limits are in data attributes as well."""
        x1, y1 = self.right, self.bottom
        ground = element("rect", x=self.x0, y=self.y0, width=self.width, height=self.height, fill=CARD)
        parts = [ground, *inside]
        for v, text in zip(self.yticks(), self.ylabels(), strict=True):
            y = self.y(v)
            zero = v == 0 and not self.log
            if self.box:
                parts.append(_rule(self.x0 - 4, y, self.x0, y, LINE))
            else:
                parts.append(_rule(self.x0, y, x1, y, LINE if zero else FAINT))
            if not self.beside:
                parts.append(write(text, self.x0 - 8, y + 4, TICK, GREY, "end"))
        found = self.xticks()
        for v, text in zip(found, tick_labels(found), strict=True):
            x = self.x(v)
            if not self.box:
                parts.append(_rule(x, self.y0, x, y1, FAINT, "1 4"))
            if not self.bare:
                parts.append(_rule(x, y1, x, y1 + 4, LINE))
                parts.append(write(text, x, y1 + 18, TICK, GREY, "middle"))
        if self.box:
            edge = {"x": self.x0, "y": self.y0, "width": self.width, "height": self.height}
            parts.append(element("rect", fill="none", stroke=LINE, **edge))
        else:
            parts.append(_rule(self.x0, y1, x1, y1, LINE))
        if self.ylabel:
            parts.append(write(self.ylabel, self.x0, self.y0 - 10, LABEL, GREY if self.box else INK, bold=not self.box))
        if self.xlabel and not self.bare:
            parts.append(write(self.xlabel, self.x0 + self.width / 2, y1 + 37, LABEL, GREY, "middle"))
        where = {
            "data_x": f"{self.x0!r} {x1!r} {self.xlim[0]!r} {self.xlim[1]!r}",
            "data_y": f"{y1!r} {self.y0!r} {self.ylim[0]!r} {self.ylim[1]!r}",
        }
        return [element("g", *parts, data_axes=self.ylabel, data_log="y" if self.log else None, **where)]

    def shown(self, v: float | None) -> bool:
        """Whether there is a place for `v`: a number, or what is drawn at the edge, an infinity or the log of 0."""
        return v is not None and not math.isnan(v) and (not self.log or v >= 0)

    def endless(self, v: float) -> bool:
        """Whether `v` lies beyond every edge: an infinity, or 0 where heights go by the logarithm."""
        return math.isinf(v) or (self.log and v == 0)

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float | None],
        colour: str = INK,
        dash: str | None = None,
        wide: float = 2.0,
        title: str | None = None,
        **data: Any,
    ) -> Raw:
        """A line with gaps where there is no number; a point alone between gaps is a dot, an infinity an arrowhead at
        the edge. Of more than `DENSE` points the thick line goes through means of neighbours, and a thin one behind it
        through those that reach furthest up and down. `data` become attributes."""
        runs: list[list[tuple[float, float]]] = [[]]
        marks, beyond = [], False
        for x, y in zip(xs, ys, strict=True):
            if y is None or not self.shown(y):
                runs.append([])
                beyond = False
                continue
            if self.endless(y) and not beyond:  # of many in a row, the first
                marks.append(_arrow(self.x(x), self.y(y), up=y > 0, colour=colour))
            beyond = self.endless(y)
            runs[-1].append((self.x(x), self.y(y)))
        total = sum(map(len, runs)) or 1
        d = trend = ""
        for run in filter(None, runs):
            kept = _thinned(run, max(4, DENSE * len(run) // total))
            if len(kept) == 1:
                marks.append(element("circle", cx=kept[0][0], cy=kept[0][1], r=max(2.5, wide * 1.4), fill=colour))
            else:
                d += _path(kept)
                trend += _path(_averaged(run, max(2, DENSE // 5 * len(run) // total))) if total > DENSE else ""
        look = {"fill": "none", "stroke": colour, "stroke_linejoin": "round"}
        main = {"stroke_width": wide, "stroke_dasharray": dash, "stroke_linecap": None if dash else "round"}
        thin = {"stroke_width": 0.6, "stroke_opacity": 0.5}
        paths = [element("path", d=d, **look, **(thin if trend else main))] if d else []
        if trend:
            paths.append(element("path", d=trend, **look, **main, data_mark="mean"))
        head = [element("title", title)] if title else []
        return element("g", *head, *paths, *marks[:DENSE], **data)


def _share(v: float, lo: float, hi: float) -> float:
    """How far `v` is on the way from `lo` to `hi`, from 0 to 1."""
    if not hi > lo:
        return 0.5
    return max(0.0, min(1.0, v / (hi - lo) - lo / (hi - lo))) if math.isfinite(v) else float(v > 0)


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str, dash: str | None = None) -> Raw:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=1, stroke_dasharray=dash)


def _arrow(x: float, y: float, up: bool, colour: str) -> Raw:
    side = 5 if up else -5
    d = f"M{x - 4.5:.2f} {y + side:.2f}L{x:.2f} {y - side:.2f}L{x + 4.5:.2f} {y + side:.2f}Z"
    return element("path", d=d, fill=colour, stroke=CARD, stroke_width=1, data_mark="endless")


def _thinned(run: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """Of each stretch of a line its first, highest, lowest and last point, in their order."""
    if len(run) <= most:
        return run
    stretches = max(1, most // 4)
    kept = []
    for i in range(stretches):
        a, b = i * len(run) // stretches, (i + 1) * len(run) // stretches
        at = {a, b - 1, min(range(a, b), key=lambda k: run[k][1]), max(range(a, b), key=lambda k: run[k][1])}
        kept += [run[k] for k in sorted(at)]
    return kept


def _averaged(run: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """The middle of each of as many stretches of a line, between its first and its last point."""
    cut = [run[i * len(run) // most : (i + 1) * len(run) // most] for i in range(min(most, len(run)))]
    middles = [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in cut if part]
    return [run[0], *middles, run[-1]]


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


# --- labels at the ends of lines --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ending:
    """What is written at the end of a line, which is at (x, y)."""

    x: float
    y: float
    text: str
    colour: str = INK
    dash: str | None = None
    thick: float = 2.25


def spread(heights: Sequence[float], lo: float, hi: float, apart: float = 15.0) -> list[float]:
    """Heights moved as little as it takes to be `apart` and within `lo` and `hi`; in their order.

    >>> spread([10, 11, 50], 0, 100, 10)
    [5.5, 15.5, 50.0]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    groups: list[list[Any]] = []  # [members, the middle of the heights they ask for]
    for i in order:
        groups.append([[i], float(heights[i])])
        while True:
            for members, middle in groups[-2:]:
                half = (len(members) - 1) * apart / 2
                groups[groups.index([members, middle])][1] = max(lo + half, min(middle, hi - half))
            if len(groups) < 2:
                break
            (a, at), (b, bt) = groups[-2:]
            if bt - at >= (len(a) + len(b)) * apart / 2 - 1e-9:
                break
            groups[-2:] = [[a + b, sum(float(heights[k]) for k in a + b) / len(a + b)]]
    found = [0.0] * len(heights)
    for members, middle in groups:
        for k, i in enumerate(members):
            found[i] = middle + (k - (len(members) - 1) / 2) * apart
    return found


def endings(wanted: Sequence[Ending], axes: Axes, apart: float = 15.0) -> list[Raw]:
    """The labels to the right of the axes, none over another; a short piece of the line leads to each."""
    x, lo, hi = axes.right, axes.y0 + 2, axes.bottom - 2
    if (len(wanted) - 1) * apart > hi - lo:
        lo, hi = lo - apart / 2, max(hi, lo - apart + (len(wanted) - 0.5) * apart)
    parts = []
    for ending, y in zip(wanted, spread([e.y for e in wanted], lo, hi, apart), strict=True):
        start = ending.x if x - ending.x < 24 else x  # a line that ends long before has none leading to it
        d = f"M{start:.2f} {ending.y:.2f}C{x + 9:.2f} {ending.y:.2f} {x + 5:.2f} {y:.2f} {x + 14:.2f} {y:.2f}"
        if ending.colour != "none":
            parts.append(element("path", d=d, fill="none", stroke=LINE, stroke_width=1))
        key = {"stroke": ending.colour, "stroke_width": ending.thick, "stroke_dasharray": ending.dash}
        parts.append(element("line", x1=x + 16.0, y1=y, x2=x + 38.0, y2=y, **key))
        parts.append(write(ending.text, x + 44, y + 4, LABEL, INK))
    return parts


def widest(texts: Iterable[str]) -> float:
    """Room that labels at the ends of lines take, to the right of the axes."""
    return max((44 + width(text, LABEL) for text in texts), default=0.0)


def reading(name: str, value: float | None, percent: bool = False) -> str:
    """A line's name with its last number.

    >>> reading("training", 0.125), reading("training", 0.98765, percent=True)
    ('training 0.125', 'training 98.77 %')
    """
    if value is None:
        return name
    return f"{name} {number(100 * value)} %" if percent and math.isfinite(value) else f"{name} {number(value)}"


def wrapped(text: str, wide: float, size: float = LABEL) -> list[str]:
    """`text` in lines of at most `wide` pixels, broken between words, and within those that are longer than a line.

    >>> wrapped("so much to say", 60)
    ['so much', 'to say']
    """
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and width(f"{lines[-1]} {word}", size) > wide:
            lines.append("")
        elif lines[-1]:
            lines[-1] += " "
        for c in word:
            if lines[-1] and width(lines[-1] + c, size) > wide:
                lines.append("")
            lines[-1] += c
    return lines
