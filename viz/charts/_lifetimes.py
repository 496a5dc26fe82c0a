"""Health over training: for each layer a row a unit and epochs along x, so that one sees when units died."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from viz._marks import Piece
from viz._running import Array
from viz._sheet import Sheet, Table, compose
from viz._text import clean, fitted, width
from viz._xml import CARD, DOTS, GREY, HATCH, INK, LINE, Raw, element, write
from viz.charts._cells import MEASURES, glyph, greys, in_words, keys, marks, measure_of, ringed, tint, unit
from viz.charts._chart import WIDE, spread, tick_labels, ticks
from viz.charts._plain import Strip, tell_lifetimes

if TYPE_CHECKING:
    from micrograd_nn.health import HealthReport, LayerHealth

__all__ = ["draw_lifetimes"]

_LEFT, _GRID = 36.0, 572
_HEIGHTS = ((20, 14), (40, 9), (64, 6), (96, 3), (256, 2))  # up to so many rows: pixels a row
_LEVELS = 24  # of grey: runs of the same are one line


class _Life(NamedTuple):
    """What became of one layer: reports by units, its rows from the top (each some units), and groups of rows."""

    last: LayerHealth
    measure: str
    marks: Array
    values: Array
    rows: list[Array]
    groups: list[tuple[str, int, int]]  # what is said of rows from - to


def draw_lifetimes(reports: Sequence[HealthReport], measure: str | None, order: str, heading: str) -> Sheet:
    """The picture over training. Raises ValueError where the reports are not of one network."""
    _check(reports)
    lives = [_life(reports, k, measure, order) for k in range(len(reports[-1].layers))]
    times, word = _times(reports)
    parts: list[Raw] = []
    column = min(120.0, _GRID / len(reports))
    column = float(math.floor(column)) if column >= 2 else column
    y = 4.0
    for life in lives:
        panel, high = _panel(life, times, word, column)
        parts.append(element("g", *panel, transform=f"translate(0 {y:.2f})", data_layer=clean(life.last.name, 400)))
        y += high + 20
    if not lives:
        parts.append(write("This network has no activations whose health could be measured.", 0, y + 14, 13, GREY))
        y += 24
    else:
        parts += _time_axis(times, word, column, y - 20)
        y += 10
    sorts = {
        "death": "A row a unit: on top those that died or saturated first.",
        "measure": "A row a unit: on top those that are on least at the end.",
        "index": "A row a unit, from unit 0 on.",
    }
    notes = [sorts[order]] if lives else []
    most = max((len(row) for life in lives for row in life.rows), default=1)
    if most > 1:
        notes.append(
            f"In layers of more than {_HEIGHTS[-1][0]} units a row is {most} units or fewer, drawn as their mean."
        )
    return compose(
        "health", parts, (WIDE, y), _legend(reports[-1], lives), title=heading, name="Unit health over training",
        notes=notes, description=_describe(lives, times, word), tables=_tables(lives, reports, times, word),
        plain=partial(tell_lifetimes, [_strip(life, times, word) for life in lives], times, word,
                      in_words(reports[-1], (), [m for life in lives for m in np.unique(life.marks).tolist()])),
    )  # fmt: skip


def _strip(life: _Life, times: list[int], word: str) -> Strip:
    """The same in characters."""
    h, dead = life.last, life.marks == "dead"
    said = ", ".join(text for text, _, _ in life.groups) or "none dead"
    said += f", first death: {word} {times[int(dead.any(1).argmax())]:,}" if dead.any() else ""
    what = clean(f"{h.activation} · {len(h):,} unit{'' if len(h) == 1 else 's'}", 40)
    stuck = (life.marks == "saturated").mean(1).tolist()
    return Strip(clean(h.name, 40), what, dead.mean(1).tolist(), stuck, said)


def _check(reports: Sequence[HealthReport]) -> None:
    shapes = [[(h.name, len(h)) for h in r.layers] for r in reports]
    for i, shape in enumerate(shapes):
        if shape != shapes[-1]:
            a, b = (", ".join(f"{name} ({n})" for name, n in s) or "none" for s in (shape, shapes[-1]))
            raise ValueError(
                f"these reports are not of one network: report {i} has the layers {a}, and the last one {b}. "
                "Draw the reports of one run together."
            )


def _times(reports: Sequence[HealthReport]) -> tuple[list[int], str]:
    """What the columns are called: their epochs, where all have one and they grow."""
    epochs = [r.epoch for r in reports]
    known = [e for e in epochs if e is not None]
    if len(known) == len(epochs) and all(a < b for a, b in pairwise(known)):
        return known, "epoch"
    return list(range(1, len(reports) + 1)), "report"


def _life(reports: Sequence[HealthReport], k: int, measure: str | None, order: str) -> _Life:
    layers = [r.layers[k] for r in reports]
    last = layers[-1]
    chosen = measure_of(last, measure)
    table = np.array([marks(h) for h in layers]).reshape(len(layers), len(last))
    values = np.array([greys(h, chosen) for h in layers], float).reshape(table.shape)
    dead, saturated = table == "dead", table == "saturated"
    rank = np.full(len(last), 3)  # the groups from the top, and when within them
    when = np.zeros(len(last))
    for i in range(len(last)):
        if dead[-1, i]:
            rank[i], when[i] = 0, _since(dead[:, i])
        elif dead[:, i].any():
            rank[i], when[i] = 1, int(dead[:, i].argmax())
        elif saturated[-1, i]:
            rank[i], when[i] = 2, _since(saturated[:, i])
    if order == "death":
        sequence = np.lexsort((np.arange(len(last)), when, rank))
    else:
        sequence = np.argsort(values[-1], kind="stable") if order == "measure" else np.arange(len(last))
    size = math.ceil(len(last) / _HEIGHTS[-1][0])
    rows = [sequence[i : i + size] for i in range(0, len(last), size)]
    counts = [int((rank == r).sum()) for r in range(3)]
    said = [
        f"{counts[0]:,} of {len(last):,} dead",
        f"{counts[1]:,} came back",
        f"{counts[2]:,} of {len(last):,} saturated",
    ]
    groups, start = [], 0
    for text, n in zip(said, counts, strict=True):
        if n:
            groups.append((text, start // size, (start + n - 1) // size + 1))
        start += n
    if order != "death":  # then they are anywhere
        groups = [(text, -1, -1) for text, _, _ in groups]
    return _Life(last, chosen, table, values, rows, groups)


def _since(flags: Array) -> int:
    """When the last spell began that still lasts."""
    off = np.flatnonzero(~flags)
    return int(off[-1]) + 1 if len(off) else 0


# --- a panel --------------------------------------------------------------------------------------------------------


def _panel(life: _Life, times: list[int], word: str, column: float) -> tuple[list[Raw], float]:
    h, n = life.last, len(life.rows)
    size = f"{len(h):,} unit{'' if len(h) == 1 else 's'}"
    name = fitted(h.name, 13, 360, bold=True)
    parts = [
        write(name, _LEFT, 13, 13, INK, bold=True),
        write(fitted(f"{h.activation} · {size}", 11.5, 300), _LEFT + width(name, 13, bold=True) + 10, 13, 11.5, GREY),
    ]
    top = 22.0
    dead = life.marks == "dead"
    right = _LEFT + column * len(times)
    if dead.any():
        first = int(dead.any(1).argmax())
        x = _LEFT + column * first
        text = f"first death: {word} {times[first]:,}"
        after = x + 9 + width(text, 11.5) < right + 60
        parts.append(element("path", d=f"M{x - 4:.2f} {top + 7:.2f}h8l-4 7z", fill=INK, data_first=times[first]))
        parts.append(write(text, x + 9 if after else x - 9, top + 13, 11.5, INK, "start" if after else "end"))
        top += 18
    pitch = next((float(px) for most, px in _HEIGHTS if n <= most), 2.0)
    for r, members in enumerate(life.rows):
        parts.append(_row(life, members, times, word, top + r * pitch, pitch, column))
        if pitch >= 14 and len(members) == 1:
            label = h.units[members[0]] if h.units else str(members[0])
            parts.append(write(fitted(label, 11, _LEFT - 8), _LEFT - 6, top + r * pitch + 11, 11, GREY, "end"))
    for mark, colour, wide in (("saturated", GREY, 1.0), ("dead", INK, 1.5)):
        flags = np.array([(life.marks[:, members] == mark).all(1) for members in life.rows]).reshape(n, len(times))
        if flags.any():
            d = _outline(flags, _LEFT, top, column, pitch)
            parts.append(element("path", d=d, fill="none", stroke=colour, stroke_width=wide))
    parts += _said(life, right, top, pitch)
    bottom = top + n * pitch
    return parts, max(bottom, top + 17 * len(life.groups))


def _runs(keys: Sequence[Any]) -> list[tuple[Any, int, int]]:
    """Stretches of one and the same: what, from, to."""
    found, start = [], 0
    for i in range(1, len(keys) + 1):
        if i == len(keys) or keys[i] != keys[start]:
            found.append((keys[start], start, i))
            start = i
    return found


def _row(life: _Life, members: Array, times: list[int], word: str, y: float, pitch: float, column: float) -> Raw:
    values = life.values[:, members].mean(1)
    together = [str(m[0]) if (m == m[0]).all() else "" for m in life.marks[:, members]]
    levels = np.round(np.nan_to_num(values) * _LEVELS).astype(int).tolist()
    high = pitch - 1 if pitch >= 9 else pitch
    tints, over = [], []
    for (level, mark), a, b in _runs(list(zip(levels, together, strict=True))):
        if mark not in ("dead", "nan"):
            d = f"M{_LEFT + a * column:.1f} {y + high / 2:.1f}h{(b - a) * column:.1f}"
            tints.append(element("path", d=d, stroke_opacity=f"{tint(level / _LEVELS):.3f}"))
    for mark, a, b in _runs(together):
        box = {"x": _LEFT + a * column, "y": y, "width": (b - a) * column, "height": pitch}
        if mark == "dead":
            over.append(element("rect", fill=HATCH, **box))
        elif mark == "saturated":
            over.append(element("rect", fill=DOTS, **box))
        elif mark == "nan":
            over.append(element("rect", fill=CARD, stroke=INK, stroke_width=0.75, **box))
        elif mark == "dormant" and pitch >= 6:
            x0, middle = _LEFT + a * column, y + high / 2
            over.append(
                element("path", d=f"M{x0 + 1:.1f} {middle:.1f}h{(b - a) * column - 2:.1f}", stroke=INK, stroke_width=1)
            )
    i = int(members[0])
    one = len(members) == 1
    return element(
        "g",
        element("title", _tell(life, i, times, word) if one else f"{clean(life.last.name, 60)}: {len(members)} units"),
        element("g", *tints, fill="none", stroke=INK, stroke_width=high),
        *over,
        data_unit=unit(life.last, i) if one else None,
        data_units=None if one else " ".join(map(str, members)),
        data_mark=together[-1] or None,
        data_marks=" ".join(mark or "-" for mark in together),
        data_value=" ".join(map(repr, values.tolist())),
    )


def _tell(life: _Life, i: int, times: list[int], word: str) -> str:
    h = life.last
    name = f" ({h.units[i]})" if h.units else ""
    lines = [f"{unit(h, i)}{name}, {h.activation}"]
    for mark, a, b in _runs(life.marks[:, i].tolist()):
        if mark:
            said = "not finite" if mark == "nan" else mark
            until = "on" if b == len(times) else f"to {times[b - 1]}"
            lines.append(f"{said} from {word} {times[a]} {until}")
    lines.append(f"{MEASURES[life.measure]} at the end: {float(life.values[-1, i])!r}")
    return "\n".join(clean(line, 400) for line in lines)


def _outline(flags: Array, x0: float, y0: float, column: float, pitch: float) -> str:
    """The edges around the cells with a flag (rows by columns), as a path."""
    padded = np.pad(flags, 1)
    d = ""
    down = padded[:, 1:] != padded[:, :-1]  # an edge at the left of column c
    for c in range(down.shape[1]):
        for edge, a, b in _runs(down[1:-1, c].tolist()):
            if edge:
                d += f"M{x0 + c * column:.1f} {y0 + a * pitch:.1f}v{(b - a) * pitch:.1f}"
    along = padded[1:] != padded[:-1]  # an edge on top of row r
    for r in range(along.shape[0]):
        for edge, a, b in _runs(along[r, 1:-1].tolist()):
            if edge:
                d += f"M{x0 + a * column:.1f} {y0 + r * pitch:.1f}h{(b - a) * column:.1f}"
    return d


def _said(life: _Life, right: float, top: float, pitch: float) -> list[Raw]:
    """To the right of the rows: brackets around those that ended alike, with their number."""
    x = right + 6
    middles = [top + (a + b) / 2 * pitch for _, a, b in life.groups]
    if life.groups and life.groups[0][1] < 0:
        middles = [top + 8 + 17.0 * k for k in range(len(life.groups))]
    bottom = top + max(len(life.rows) * pitch, 17.0 * len(life.groups))
    parts = []
    for (text, a, b), wanted, y in zip(life.groups, middles, spread(middles, top + 8, bottom - 8, 17), strict=True):
        mark = "dead" if "dead" in text else "saturated" if "saturated" in text else ""
        if a >= 0:
            y0, y1 = top + a * pitch + 1, top + b * pitch - 1
            d = f"M{x:.1f} {y0:.1f}h4V{y1:.1f}h-4" if y1 > y0 else f"M{x:.1f} {y0:.1f}h4"
            parts.append(
                element("path", d=f"{d}M{x + 4:.1f} {wanted:.1f}L{x + 11:.1f} {y:.1f}", fill="none", stroke=LINE)
            )
        parts += glyph(mark, x + 19, y, 15)
        strong = mark == "dead"
        parts.append(write(text, x + (30 if mark else 15), y + 4, 12 if strong else 11.5, INK, bold=strong))
    if not life.groups:
        parts.append(write("none dead", x + 8, top + 12, 11.5, GREY))
    return parts


def _time_axis(times: list[int], word: str, column: float, y: float) -> list[Raw]:
    """The columns' epochs under the last panel."""
    wanted = [v for v in ticks(times[0], times[-1], 8, whole=True) if v in times and v - times[0] >= 0]
    end = _LEFT + column * len(times)
    room = width(f"{times[-1]:,}", 11.5) + 12
    shown = [times[0], *(int(v) for v in wanted if v != times[0])]
    places = {v: _LEFT + column * (times.index(v) + 0.5) for v in dict.fromkeys([*shown, times[-1]])}
    kept: list[int] = []
    for v, x in places.items():
        clear = not kept or x - places[kept[-1]] >= room
        if v == times[-1] and not clear:
            kept.pop()
            clear = True
        if clear:
            kept.append(v)
    parts = [element("line", x1=_LEFT, y1=y + 4, x2=end, y2=y + 4, stroke=LINE, stroke_width=1)]
    for v, text in zip(kept, tick_labels([float(v) for v in kept]), strict=True):
        parts.append(element("line", x1=places[v], y1=y + 4, x2=places[v], y2=y + 8, stroke=LINE, stroke_width=1))
        parts.append(write(text, places[v], y + 21, 11.5, GREY, "middle"))
    return [*parts, write(word, end + 12, y + 21, 11.5, GREY)]


# --- in words -------------------------------------------------------------------------------------------------------


def _legend(report: HealthReport, lives: list[_Life]) -> list[Piece]:
    line = element("path", d="M3 0h13", stroke=INK, stroke_width=1)
    return [*keys(report, [life.measure for life in lives]), ringed(report, line)]


def _describe(lives: list[_Life], times: list[int], word: str) -> str:
    told = [f"The units of {len(lives)} layers over {len(times)} {word}s."]
    for life in lives[:40]:
        dead = life.marks == "dead"
        ends = ", ".join(text for text, _, _ in life.groups) or "none dead"
        first = f"; the first died by {word} {times[int(dead.any(1).argmax())]}" if dead.any() else ""
        told.append(f"{life.last.name} ({life.last.activation}): {ends}{first}.")
    return clean(" ".join(told), 6000)


def _tables(lives: list[_Life], reports: Sequence[HealthReport], times: list[int], word: str) -> list[Table]:
    counts: list[tuple[Any, ...]] = []
    units: list[tuple[Any, ...]] = []
    for life in lives:
        for t, time in enumerate(times):
            found = life.marks[t].tolist()
            mean = float(life.values[t].mean())
            counts.append(
                (clean(life.last.name, 400), time, len(found), found.count("dead"), found.count("saturated"), mean)
            )
        for i in range(len(life.last)):
            dead = np.flatnonzero(life.marks[:, i] == "dead")
            first = times[int(dead[0])] if len(dead) else None
            units.append((clean(life.last.name, 400), i, first, life.marks[-1, i] or None, float(life.values[-1, i])))
    return [
        Table(f"Layers by {word}", ("layer", word, "units", "dead", "saturated", "mean of what grey shows"), counts),
        Table("Units", ("layer", "unit", f"first dead at {word}", "mark at the end", "grey at the end"), units),
    ]
