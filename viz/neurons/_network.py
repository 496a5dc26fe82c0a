"""`draw_network`: the neuron diagram, a column a layer, with what examples do to its units and what edges weigh."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, Literal

import numpy as np

from micrograd_nn.checks import whole
from micrograd_nn.nn import Layer, Module, Network, Sequential
from viz._picture import Picture
from viz._scene import Scene
from viz._sheet import Sheet, compose
from viz._text import clean, width
from viz._theme import Theme, checked_theme
from viz._xml import GREY, INK, Raw, element, write
from viz.export._networkx import units_of
from viz.graph._wiring import wiring_scene
from viz.neurons._captions import Facts
from viz.neurons._columns import Glyph, Stand, stand
from viz.neurons._maps import planes
from viz.neurons._measured import examples_of, measure, numbers_of, wires_of
from viz.neurons._neurons import RING, Look, draw_unit
from viz.neurons._units import Place, columns_of
from viz.neurons._wires import NUMBERED, draw_wire, settle_labels, widest

__all__ = ["draw_network"]

_WIDE = 850.0  # of the columns and the gaps between them: with names and margins less than 1,000
_HEAD = 62.0  # room for the words above the columns
_LINE = 16.0
_NAMED = 160.0  # the widest name that stands beside a unit


def draw_network(
    model: Module, X: Any = None, y: Any = None, *, edges: Literal["weight", "gradient", "update"] = "weight",
    before: Mapping[str, Any] | None = None, loss: str | Callable[[Any, Any], Any] | None = None,
    most_edges: int = 200, most_units: int = 12, theme: Theme = "light", title: str | None = None,
) -> Picture:  # fmt: skip
    """The units of a network as circles, a column a layer, or for a Network a column a generation.

    `model` is an MLP, a Sequential of layers and functions, a layer, a neuron, or a Network. Hue is an edge's sign,
    width its size over the largest of its layer. With examples X (N, inputs), of a Network also by name, fill is the
    mean activation and the ring the on-rate (the share of examples with activation > 0); dead and saturated units are
    those of `mg.unit_health`. Of two inputs, each unit shows a map of its activation over their plane. `edges` are the
    weights; their gradients, of `loss` (as in `viz.draw`) on X and labels `y`, or without labels those that backward()
    left; or the last update: what was added since `before`, a state_dict taken before the step. Of more than
    `most_units` units of a layer the first and the last are drawn, of more than `most_edges` edges the strongest; the
    picture says of how many. Of a Maxout unit an edge shows the strongest piece.

    Nothing of the model is changed; dropout is off. Raises TypeError or ValueError, saying what to write instead.

    >>> from micrograd_nn.nn import MLP
    >>> draw_network(MLP(3, [4, 4, 1], rng=0)).title
    "MLP(3, [4, 4, 1], 'relu')"
    """
    checked_theme(theme)
    most_edges, most_units = whole(most_edges, "most_edges", 0), whole(most_units, "most_units", 2)
    columns = columns_of(model)
    if X is not None:
        X = examples_of(X, columns)
    numbers, called = numbers_of(edges, model, X, y, loss, before)
    sizes = [len(column) for column in columns.columns]
    shown = [list(range(n)) if n <= most_units else [*range(most_units - 1), n - 1] for n in sizes]
    wires, largest = wires_of(columns, shown, numbers)
    wires.sort(key=lambda w: w.share)  # the strongest are drawn last, and so on top
    drawn = wires[max(0, len(wires) - most_edges) :]
    hidden = [n - len(units) for n, units in zip(sizes, shown, strict=True)]
    facts = Facts(columns, edges, shown, hidden, drawn, len(wires), largest, called, X)
    if X is not None:
        facts.measured, facts.report = measure(columns, X)
        if X.shape[1] == 2 and np.isfinite(X).all():
            facts.maps = planes(columns, X, shown)
    return Picture(_sheet(facts, clean(title, 120) if title else ""), theme)


def _sheet(facts: Facts, title: str) -> Sheet:
    columns, glyphs = facts.columns.columns, _glyphs(facts)
    high = max(len(units) * 2 * (g.reach + g.under) for units, g in zip(facts.shown, glyphs, strict=True))
    labelled = 0 < len(facts.wires) <= NUMBERED
    least, most = (150.0, 215.0) if labelled else (110.0, 150.0)
    room = (_WIDE - sum(2 * g.reach for g in glyphs)) / max(1, len(columns) - 1)
    gap = max(least, min(room, max(most, min(460.0, 0.42 * high))))
    # the words above and below a column may be wider than its units
    words = [
        max(
            *(width(line, 13, bold=k == 0) for k, line in enumerate(facts.head(c))),
            *(width(line, 11, bold=True) for line in facts.foot(c)),
        )
        for c in range(len(columns))
    ]
    gaps = [0.0]
    for c in range(1, len(columns)):
        gaps.append(max(gap, (words[c - 1] + words[c]) / 2 + 20 - glyphs[c - 1].reach - glyphs[c].reach))
    crowded = facts.X is not None and max(map(len, facts.shown)) > 8
    bare = {p for p in facts.names if _look(facts, p).on_rate is None}
    place = stand(
        facts.shown, facts.hidden, glyphs, [(w.tail, w.head) for w in facts.wires], gaps=gaps,
        widths=[2 * g.reach for g in glyphs], space=6.0 if crowded else 14.0,
        ellipsis=max(44.0 + 14 * len(facts.more(c)) for c in range(len(columns))), free=facts.columns.wired, bare=bare,
    )  # fmt: skip
    numbers = _numbers(facts, place, glyphs) if labelled else {}
    parts, size = _drawn(facts, place, glyphs, words, numbers)
    return compose(
        "network", parts, size, facts.legend(numbers), title=title, name=clean(repr(facts.columns.model), 90),
        notes=facts.notes(), description=facts.description(), tables=facts.tables(),
        network=_wiring(facts.columns.model), wiring=_scene, plain=facts.plain(),
    )  # fmt: skip


def _wiring(model: Module) -> Callable[[], Any] | None:
    """What makes the network as a graph, for the formats that are graphs; None where it is no wiring of units."""
    return units_of(Sequential(model) if isinstance(model, Layer) else model)


def _scene(graph: Any) -> Scene:
    return wiring_scene(Network.from_networkx(graph), budget=400)


def _glyphs(facts: Facts) -> list[Glyph]:
    """The shape of each column's units: larger where there are few, and of two inputs squares with room for a map."""
    most = max(map(len, facts.shown))
    if facts.measured is None:
        half = 20.0 if most > 8 else 23.0
        return [Glyph(half, half + 0.5, 14.0 if facts.columns.wired else 0.0)] * len(facts.shown)
    square = facts.maps is not None
    half = 44.0 if most <= 3 else 40.0 if most <= 5 else 35.0 if most <= 8 else 30.0
    half = half if square else 24.0 if most > 8 else 27.0
    glyphs = []
    for c, (units, m) in enumerate(zip(facts.shown, facts.measured, strict=True)):
        mine = half
        if square and c == len(facts.shown) - 1 and not facts.columns.wired:  # the outputs, where there is room
            mine = max(half, min(1.6 * half, most * (half + 22) / len(units) - 22))
        glyphs.append(Glyph(mine, mine + (0.5 if m.on_rate is None else RING + 3.5), 15.0, square))
    return glyphs


def _numbers(facts: Facts, place: Stand, glyphs: list[Glyph]) -> dict[int, list[Raw]]:
    """The numbers of the edges that have room for them."""
    taken = []
    for (c, _), (x, y) in place.units.items():
        g = glyphs[c]
        taken.append((x - g.reach - 2, y - g.reach - 2, x + g.reach + 2, y + g.reach + g.under))
    return settle_labels(facts.wires, place.ways, taken)


def _drawn(
    facts: Facts, place: Stand, glyphs: list[Glyph], words: list[float], numbers: dict[int, list[Raw]]
) -> tuple[list[Raw], tuple[float, float]]:
    """The whole drawing and its size."""
    ids = facts.ids
    parts = []
    for w, wire in enumerate(facts.wires):
        (a, i), (b, j) = wire.tail, wire.head
        data = {"data_edge": w, "data_tail": ids[a][i], "data_head": ids[b][j], "data_value": repr(wire.value)}
        parts.append(
            draw_wire(wire, place.ways[w], widest(len(facts.wires)), facts.of_wire(wire), w in numbers, **data)
        )
    parts += chain.from_iterable(numbers.values())
    parts += [_ellipsis(facts, c, x, y) for c, (x, y) in place.more.items()]
    room = {"left": 0.0, "right": 0.0, "": 0.0}
    for p, (x, y) in place.units.items():
        look = _look(facts, p)
        wide = 12 + min(_NAMED, width(clean(look.name, 40), 12.5, bold=True))
        room[look.beside] = max(room[look.beside], wide)
        mean = None if look.mean is None else repr(look.mean)
        data = {"data_unit": ids[p[0]][p[1]], "data_layer": facts.labels[p[0]], "data_mark": look.mark or None,
                "data_value": mean}  # fmt: skip
        inside = (element("title", facts.of_unit(p)), *draw_unit(look, glyphs[p[0]]))
        parts.append(element("g", *inside, transform=f"translate({x:.2f} {y:.2f})", **data))
    left = max(room["left"], *(wide / 2 - x for wide, x in zip(words, place.xs, strict=True)))
    right = max(room["right"], *(x + wide / 2 - place.width for wide, x in zip(words, place.xs, strict=True)))
    base = _HEAD + place.height + 20
    around = [part for c, x in enumerate(place.xs) for part in _words(facts, c, x, base)]
    middle = element("g", *parts, transform=f"translate(0 {_HEAD:g})")
    whole = element("g", *around, middle, transform=f"translate({left:.2f} 0)")
    lines = max(len(facts.foot(c)) for c in range(len(glyphs)))
    return [whole], (left + place.width + right, base + _LINE * lines - 4)


def _words(facts: Facts, c: int, x: float, base: float) -> list[Raw]:
    """The heading of a column, and what is said below it."""
    label, what, more = facts.head(c)
    parts = [write(label, x, 13, 13, INK, "middle", bold=True), write(what, x, 30, 12, INK, "middle")]
    if more:
        parts.append(write(more, x, 46, 11, GREY, "middle"))
    for k, line in enumerate(facts.foot(c)):
        marks = line.endswith(("dead", "saturated"))
        parts.append(write(line, x, base + _LINE * k, 11, INK if marks else GREY, "middle", bold=marks))
    return parts


def _look(facts: Facts, p: Place) -> Look:
    c, i = p
    is_output = p in facts.columns.outputs
    beside = "left" if c == 0 else "right" if is_output and c == len(facts.shown) - 1 else ""
    if facts.measured is None:
        return Look(facts.names[p], is_output=is_output, beside=beside)
    m = facts.measured[c]
    on = None if m.on_rate is None or math.isnan(m.on_rate[i]) else float(m.on_rate[i])
    plane = None if facts.maps is None else facts.maps[c][i]
    return Look(facts.names[p], float(m.mean[i]), on, m.mark(i), facts.scales[c], plane, is_output, beside)


def _ellipsis(facts: Facts, c: int, x: float, y: float) -> Raw:
    """Three dots, how many more units there are, and how many of them carry marks."""
    lines = facts.more(c)
    top = y - 7 * len(lines)
    parts = [element("title", facts.of_more(c))]
    parts += [element("circle", cx=float(x), cy=float(top - 9 + 8 * k), r=2.25, fill=GREY) for k in range(3)]
    for k, line in enumerate(lines):
        parts.append(write(line, x, top + 22 + 14 * k, 11, INK if k else GREY, "middle", bold=k > 0, halo=True))
    return element("g", *parts, data_more=facts.hidden[c], data_layer=facts.labels[c])
