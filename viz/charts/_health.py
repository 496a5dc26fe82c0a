"""`draw_health`: a row a layer, a cell a unit, grey for how often it is on, and marks on what is dead or saturated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.checks import at_least_one, one_of
from viz._chars import Block
from viz._picture import Picture
from viz._sheet import Sheet, Table, compose
from viz._summary import percent
from viz._text import clean, fitted, number, width
from viz._theme import Theme, checked_theme
from viz._thresholds import on
from viz._xml import CARD, FAINT, GREY, HATCH, INK, Raw, element, write
from viz.charts._cells import MEASURES, cell, glyph, greys, hover, in_words, keys, marks, measure_of, ringed, tint, unit
from viz.charts._chart import WIDE, wrapped
from viz.charts._flows import draw_flows
from viz.charts._plain import Row, tell_health

if TYPE_CHECKING:
    from micrograd_nn.health import HealthReport, LayerHealth
    from micrograd_nn.training import History

__all__ = ["draw_health"]

_NAMES, _CELLS, _COUNTS = 0.0, 158.0, 654.0  # where the three columns begin
# up to so many units: cells in a row, and pixels from one to the next
_SIZES = ((12, 12, 36), (20, 20, 24), (24, 24, 20), (64, 16, 24), (512, 32, 15), (math.inf, 64, 7))
_ROW, _WRAPPED = 24, 512  # units that fit in one row, and in rows of cells with room for marks
_SPOKEN = {"nan": "not finite", "dead": "dead", "saturated": "saturated", "dormant": "dormant"}


def draw_health(
    report: HealthReport | History | Sequence[HealthReport],
    *,
    measure: str | None = None,
    order: str | None = None,
    most_units: int = 2048,
    theme: Theme = "light",
    title: str | None = None,
) -> Picture:
    """The health of every unit: on the data of one report, or over training with a row a unit and epochs along x.

    `report` is what `mg.unit_health` gave; or, for a picture over training, a History with reports of a HealthMonitor,
    or a list of reports. Dead units are hatched and crossed, saturated ones dotted with a square, dormant ones have a
    ring; the thresholds are the report's. `measure` is what grey stands for: "on_rate", the share of examples with
    activation > 0, or "saturated_share" (grey = 1 - that share); None: the second for tanh and sigmoid, the first for
    all else. `order` sorts a layer's units: "index", "measure" (the least first) or, over training, "death" (those that
    died first on top, the default there). A layer of more than `most_units` units is drawn in groups of neighbours.

    Raises ValueError for a History without reports, and where the reports are not of one network.

    >>> import micrograd_nn as mg, viz
    >>> X, y = mg.data.make_moons(100, rng=0)
    >>> viz.draw_health(mg.unit_health(mg.nn.MLP(2, [8, 2], rng=0), X), title="Before training").title
    'Before training'
    """
    from micrograd_nn.health import HealthReport

    checked_theme(theme)
    if measure is not None:
        one_of(measure, MEASURES, "measure")
    orders = ("index", "measure") if isinstance(report, HealthReport) else ("death", "index", "measure")
    if order is not None:
        one_of(order, orders, "order")
    most_units = at_least_one(most_units, "most_units")
    heading = fitted(title, 17, WIDE, bold=True) if title else ""
    if isinstance(report, HealthReport):
        return Picture(_draw_report(report, measure, order or "index", most_units, heading), theme)
    from viz.charts._lifetimes import draw_lifetimes

    return Picture(draw_lifetimes(_reports(report), measure, order or "death", heading), theme)


def _reports(given: Any) -> list[HealthReport]:
    """The reports over training. Raises TypeError and ValueError for what holds none."""
    from micrograd_nn.health import HealthReport
    from micrograd_nn.training import History

    monitor = "mg.fit(..., callbacks=[mg.health.HealthMonitor()])"
    if isinstance(given, History):
        if not given.health:
            raise ValueError(f"this History has no health reports: a HealthMonitor makes one an epoch, {monitor}.")
        return list(given.health)
    found = list(given) if isinstance(given, (list, tuple)) else None
    if found is None or not all(isinstance(r, HealthReport) for r in found):
        kind = type(given).__name__ if found is None else f"a {type(given).__name__} with other things in it"
        raise TypeError(f"draw_health takes a HealthReport, a History or a list of HealthReports, not {kind}.")
    if not found:
        raise ValueError(f"there are no health reports in this list: a HealthMonitor makes one an epoch, {monitor}.")
    return found


# --- one report -----------------------------------------------------------------------------------------------------


def _draw_report(report: HealthReport, measure: str | None, order: str, most: int, heading: str) -> Sheet:
    parts: list[Raw] = []
    y = 6.0
    sizes = [len(h) for h in report.layers]
    usual = _size(max((n for n in sizes if n <= _WRAPPED), default=0))
    if any(usual[0] < n <= _ROW for n in sizes):  # smaller cells, but every layer that can has them in one row
        usual = _size(_ROW)
    if not report.layers:
        parts.append(write("This network has no activations whose health could be measured.", 0, y + 14, 13, GREY))
        y += 34
    for k, h in enumerate(report.layers):
        if k:
            parts.append(
                element("line", x1=0, y1=y, x2=WIDE, y2=y, stroke=FAINT, stroke_width=1, stroke_dasharray="1 4")
            )
            y += 15
        row, high = _layer(report, h, measure_of(h, measure), order, most, usual)
        parts.append(element("g", *row, transform=f"translate(0 {y:.2f})", data_layer=clean(h.name, 400)))
        y += high + 15
    if report.gradients or report.updates:
        drawn, high = draw_flows(report)
        parts.append(element("g", *drawn, transform=f"translate(0 {y + 8:.2f})"))
        y += high + 16
    for k, finding in enumerate(report.findings):
        y += 4 if k else 10
        for i, line in enumerate(wrapped(clean(finding, 2000), WIDE - 16, 12.5)):
            if not i:
                parts.append(element("rect", x=0, y=y + 5, width=4, height=11, fill=INK))
            parts.append(write(line, 14, y + 15, 12.5, INK))
            y += 19
    notes = [] if order == "index" else ["Units are sorted, within a layer, from the least to the greatest measure."]
    measures = [measure_of(h, measure) for h in report.layers]
    return compose(
        "health", parts, (WIDE, y), [*keys(report, measures), ringed(report)], title=heading, name="Unit health",
        notes=notes, description=_describe(report), tables=_tables(report),
        plain=_plain(report, measure, order),
    )  # fmt: skip


def _layer(
    report: HealthReport, h: LayerHealth, measure: str, order: str, most: int, usual: tuple[int, int]
) -> tuple[list[Raw], float]:
    """The row of a layer and its height: what it is, its units, and how many carry a mark."""
    found, values = marks(h), greys(h, measure)
    sequence = np.argsort(values, kind="stable") if order == "measure" else np.arange(len(h))
    size = f"{len(h):,} unit{'' if len(h) == 1 else 's'}"
    parts = [
        write(fitted(h.name, 13, 116, bold=True), _NAMES, 12, 13, INK, bold=True),
        write(fitted(f"{h.activation} · {size}", 11.5, 116), _NAMES, 29, 11.5, GREY),
    ]
    if len(h) > most:
        cells, high = _groups(h, found, values, sequence, most)
    else:
        across, pitch = usual if len(h) <= _WRAPPED else _size(len(h))
        cells, high = [], 0.0
        for place, i in enumerate(sequence):
            x, y = _CELLS + place % across * pitch, place // across * float(pitch)
            shown = cell(x, y, pitch - (1.0 if pitch < 10 else 2.0), float(values[i]), found[i])
            title = element("title", hover(h, int(i), found[i], report))
            cells.append(
                element(
                    "g", title, *shown, data_unit=unit(h, int(i)), data_mark=found[i] or None,
                    data_value=repr(float(values[i])),
                )
            )  # fmt: skip
            high = y + pitch
        if order == "index" and len(h) > across:
            every = max(1, math.ceil(15 / pitch))
            for line in range(0, math.ceil(len(h) / across), every):
                cells.append(write(str(line * across), _CELLS - 7, line * pitch + 10.5, 11, GREY, "end"))
    lines = _counted(h, measure, found, values)
    if width(lines[0][0], 12.5, bold=True) > WIDE - _COUNTS:
        lines[0] = (f"{found.count('dead'):,} dead", lines[0][1])
    for k, (text, strong) in enumerate(lines):
        parts.append(
            write(text, _COUNTS, 12 + 17 * k, 12.5 if not k else 11.5, INK if strong else GREY, bold=strong and not k)
        )
    return parts + cells, max(high, 34.0, 17.0 * len(lines))


def _counted(h: LayerHealth, measure: str, found: list[str], values: Any) -> list[tuple[str, bool]]:
    """How many units carry each mark, and the mean of what is measured; and whether that matters."""
    lines = [(f"{found.count('dead'):,} of {len(h):,} dead", "dead" in found)]
    lines += [
        (f"{found.count(m):,} {_SPOKEN[m]}", m != "dormant") for m in ("nan", "saturated", "dormant") if m in found
    ]
    if not lines[0][1] and len(lines) > 1:
        del lines[0]
    mean = float(values.mean())
    return [*lines, (f"on-rate {percent(mean)}" if measure == "on_rate" else f"saturated {percent(1 - mean)}", False)]


def _plain(report: HealthReport, measure: str | None, order: str) -> Callable[[int], Block]:
    """The same in characters."""
    rows, used, met = [], [], list[str]()
    for h in report.layers:
        used.append(measure_of(h, measure))
        found, values = marks(h), greys(h, used[-1])
        sequence = (np.argsort(values, kind="stable") if order == "measure" else np.arange(len(h))).tolist()
        met += found
        rows.append(
            Row(
                clean(h.name, 40), clean(f"{h.activation} · {len(h):,} unit{'' if len(h) == 1 else 's'}", 40),
                ", ".join(text for text, _ in _counted(h, used[-1], found, values)),
                [found[i] for i in sequence], [float(values[i]) for i in sequence],
            )
        )  # fmt: skip
    meanings = in_words(report, used, met)
    meanings += ["Units are sorted, within a layer, from the least to the greatest measure."] * (order == "measure")
    if not rows:
        meanings = ["This network has no activations whose health could be measured."]
    updates = {clean(name, 36): "n/a" if x is None else number(x) for name, x in report.updates.items()}
    flows: list[tuple[str, ...]] = [
        ("gradient on", "norm", "mean |g|", "zeros", "verdict", *["update ratio"] * bool(updates))
    ]
    for g in report.gradients:
        name = clean(g.name, 36)
        last = [updates.get(name, "") if g.kind == "parameter" else ""] * bool(updates)
        flows.append((name if g.kind == "parameter" else f"{name}, {g.kind}", number(g.norm), number(g.mean_abs),
                      percent(g.zeros), g.verdict, *last))  # fmt: skip
    return partial(tell_health, rows, meanings, flows, [clean(text, 2000) for text in report.findings])


def _size(units: int) -> tuple[int, int]:
    """How many cells a row has, and how many pixels each takes."""
    return next((across, pitch) for most, across, pitch in _SIZES if units <= most)


def _groups(h: LayerHealth, found: list[str], values: Any, sequence: Any, most: int) -> tuple[list[Raw], float]:
    """Neighbours in cells of their own, with how many of them carry a mark."""
    fewest = math.ceil(len(h) / min(most, 96))
    power = 10 ** (len(str(fewest)) - 1)
    size = next(m * power for m in (1, 2, 5, 10) if m * power >= fewest)
    parts: list[Raw] = [write(f"a cell: {size:,} units", _NAMES, 46, 11.5, GREY)]
    lines = [mark for mark in ("dead", "saturated") if mark in found]
    pitch = 24.0 + 15 * len(lines)
    y = 0.0
    for k, start in enumerate(range(0, len(h), size)):
        members = sequence[start : start + size]
        x, y = _CELLS + k % 12 * 40.0, k // 12 * pitch
        value, kinds = float(values[members].mean()), [found[i] for i in members]
        box = {"y": y + 0.5, "height": 15, "rx": 3, "stroke": FAINT}
        inside = [
            element("title", f"{clean(h.name, 60)}: {len(members)} units, from {start} on\nmean {value!r}"),
            element("rect", x=x + 0.5, width=36, fill=INK, fill_opacity=f"{tint(value):.3f}", **box),
        ]
        if dead := kinds.count("dead"):
            inside += [
                element("rect", x=x + 0.5, width=36.0 * dead / len(members), fill=f, **box) for f in (CARD, HATCH)
            ]
        for line, mark in enumerate(lines):
            if n := kinds.count(mark):
                base = y + 28 + 15 * line
                inside += [*glyph(mark, x + 5, base - 4, 13), write(str(n), x + 13, base, 11, INK)]
        data = {f"data_{m}": kinds.count(m) for m in lines}
        parts.append(element("g", *inside, data_group=start, data_count=len(members), data_value=repr(value), **data))
    return parts, y + pitch


def _describe(report: HealthReport) -> str:
    """The picture in words."""
    told = [f"The units of {len(report.layers)} layers {on(report.examples)}."]
    for h in report.layers[:40]:
        found = marks(h)
        counts = ", ".join(f"{found.count(m)} {_SPOKEN[m]}" for m in _SPOKEN if m in found) or "none dead or saturated"
        told.append(f"{h.name} ({h.activation}): of {len(h)} units {counts}.")
    return clean(" ".join([*told, *report.findings]), 6000)


def _tables(report: HealthReport) -> list[Table]:
    """Every number, a row a unit, a gradient or a parameter."""
    sizes = ("on_rate", "saturated_share", "mean", "spread", "max", "mean_abs")
    rows: list[tuple[Any, ...]] = []
    for h in report.layers:
        columns = [getattr(h, n).tolist() for n in sizes]
        for i, mark in enumerate(marks(h)):
            name = clean(h.units[i], 400) if h.units else None
            rows.append(
                (
                    clean(h.name, 400),
                    clean(h.activation, 400),
                    i,
                    name,
                    mark or None,
                    *(column[i] for column in columns),
                )
            )
    heads = ("layer", "activation", "unit", "name", "mark", *(n.replace("_", " ") for n in sizes))
    tables = [Table(f"Units {on(report.examples)}", heads, rows)]
    if report.gradients:
        flows: list[tuple[Any, ...]] = [
            (clean(g.name, 400), g.kind, g.mean, g.std, g.norm, g.mean_abs, g.zeros, g.verdict)
            for g in report.gradients
        ]
        heads = ("gradient on", "kind", "mean", "std", "norm", "mean |g|", "zeros", "verdict")
        tables.append(Table("Gradient flow", heads, flows))
    if report.updates:
        tables.append(
            Table(
                "Updates",
                ("parameter", "log10(std(update) / std(weights))"),
                [(clean(name, 400), x) for name, x in report.updates.items()],
            )
        )
    if findings := report.findings:
        tables.append(Table("Findings", ("finding",), [(clean(text, 2000),) for text in findings]))
    return tables
