"""What a neuron diagram says in words: headings, scales, notes, legend, hover texts, and the same facts as tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from viz._chars import Block
from viz._marks import SIGNS, Piece, said
from viz._running import Array
from viz._sheet import Table
from viz._summary import percent
from viz._text import clean, number
from viz._thresholds import dead_key, dead_words, on, saturated_key, saturated_words
from viz.neurons._maps import Plane
from viz.neurons._measured import Measured, Wire
from viz.neurons._neurons import fill_scale, map_scale, ring_sample
from viz.neurons._plain import Layer, Unit, tell_network
from viz.neurons._units import Columns, Place
from viz.neurons._wires import negative_sample, widest, width_sample

__all__ = ["Facts"]

_LONG = 200  # characters of a name in a hover text and in a table
_LISTED = 40  # names of units in a hover text
_SIGN = {"weight": "w", "gradient": "∂loss/∂w", "update": "Δw"}
_MEANING = {"weight": "weights w", "gradient": "gradients of the loss on the weights, ∂loss/∂w",
            "update": "what the last update added to the weights, Δw"}  # fmt: skip
_MARKS = ("dead", "saturated")


@dataclass
class Facts:
    """What is drawn: `shown` units of each column and how many `hidden` ones; the `wires` drawn, of `possible` between
    units shown; for each column the `largest` size of an edge; the `loss` that gradients were taken of here; and with
    examples `X` what was `measured` on them, the HealthReport that came from, and of two inputs the units' `maps`."""

    columns: Columns
    edges: str
    shown: list[list[int]]
    hidden: list[int]
    wires: list[Wire]
    possible: int
    largest: list[float]
    loss: str = ""
    X: Array | None = None
    measured: list[Measured] | None = None
    report: Any = None
    maps: list[dict[int, Plane]] | None = None

    def __post_init__(self) -> None:
        self.labels = [clean(column.label, _LONG) for column in self.columns.columns]
        self.ids = [[clean(c.id_of(i), _LONG) for i in range(len(c))] for c in self.columns.columns]

    @cached_property
    def names(self) -> dict[Place, str]:
        """What each unit is called in the picture: outputs of layers y1, y2, ..., as in the notes."""
        names = {(c, i): self.columns.columns[c].names[i] for c, units in enumerate(self.shown) for i in units}
        if not self.columns.wired:
            names |= {p: f"y{k + 1}" for k, p in enumerate(self.columns.outputs) if p in names}
        return names

    @cached_property
    def scales(self) -> list[float]:
        """What the strongest tint in each column stands for."""
        found = []
        for c in range(len(self.labels)):
            if self.maps is not None:
                values = np.concatenate([plane.ravel() for plane in self.maps[c].values()])
            else:
                values = np.zeros(0) if self.measured is None else self.measured[c].mean
            values = np.abs(values[np.isfinite(values)])
            found.append(float(values.max()) if values.size else 0.0)
        return found

    @property
    def on(self) -> str:
        return on(0 if self.X is None else len(self.X))

    @property
    def judged(self) -> list[Measured]:
        """The columns that the HealthReport knows."""
        return [m for m in self.measured or [] if m.dead is not None]

    def mark(self, p: Place) -> str:
        """The mark of a unit."""
        return "" if self.measured is None else self.measured[p[0]].mark(p[1])

    # --- beside the columns ---------------------------------------------------------------------------------------

    def head(self, c: int) -> list[str]:
        """The words above a column: what it is, its units and their activation, its parameters."""
        column = self.columns.columns[c]
        n = len(column)
        if c == 0:
            what = ", ".join(["1 feature" if n == 1 else f"{n:,} features", *column.activations[:1]])
        else:
            kinds = Counter("linear" if a == "identity" else a for a in column.activations)
            what = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
            if "maxout" in kinds and not self.columns.wired and column.bias is not None:
                what += f" of {column.bias.shape[1]} pieces"
            outputs = sum(p[0] == c for p in self.columns.outputs)
            count = f"{outputs:,} " if outputs < n else ""
            what = clean(what, 36) + (f" · {count}output" + "s" * (outputs > 1) if outputs else "")
        extras = ([f"{column.parameters:,} parameters"] if c else []) + column.extras
        return [clean(column.label, 28), what, clean(", ".join(extras), 40)]

    def foot(self, c: int) -> list[str]:
        """The words below a column: its scales, and how many units carry marks."""
        lines = []
        if self.measured is not None and np.isfinite(self.measured[c].mean).any():
            lines.append(f"{'map' if self.maps is not None else 'fill'} ±{number(self.scales[c])}")
        if c and self.columns.columns[c].edges:
            lines.append(f"widest edge {number(self.largest[c])}")
        counts = self.counts(c, range(len(self.ids[c])))
        return [*lines, ", ".join(counts)] if counts else lines

    def counts(self, c: int, units: Iterable[int]) -> list[str]:
        """How many of some units are dead and how many saturated, where any are."""
        marks = Counter(self.mark((c, i)) for i in units)
        return [f"{marks[m]:,} {m}" for m in _MARKS if marks[m]]

    def _unseen(self, c: int) -> list[int]:
        shown = set(self.shown[c])
        return [i for i in range(len(self.ids[c])) if i not in shown] if self.hidden[c] else []

    def more(self, c: int) -> list[str]:
        """The words under an ellipsis."""
        return [f"{self.hidden[c]:,} more", *self.counts(c, self._unseen(c))] if self.hidden[c] else []

    # --- on hover -------------------------------------------------------------------------------------------------

    def of_more(self, c: int) -> str:
        """Which of the units not drawn carry marks."""
        lines = [f"{self.hidden[c]:,} more units of {self.labels[c]}"]
        for mark in _MARKS:
            found = [i for i in self._unseen(c) if self.mark((c, i)) == mark]
            if found:
                names = ", ".join(clean(self.columns.columns[c].names[i], 40) for i in found[:_LISTED])
                more = f" and {len(found) - _LISTED:,} more" if len(found) > _LISTED else ""
                lines.append(f"{mark}: {names}{more}")
        return "\n".join(lines)

    def of_unit(self, p: Place) -> str:
        """Everything known of a unit, in full."""
        c, i = p
        column = self.columns.columns[c]
        kind = clean(column.activations[i], 60) if column.activations else "input"
        name = self.ids[c][i]
        if self.names.get(p, name) not in (name, column.names[i]) or c == 0:
            name += f", {clean(self.names[p], _LONG)}" if self.names[p] != name else ""
        lines = [f"{name}: {'linear' if kind == 'identity' else kind}{', an output' * (p in self.columns.outputs)}"]
        if column.bias is not None:
            pieces = [b for b in column.bias[i].tolist() if len(column.bias[i]) == 1 or not math.isnan(b)]
            lines.append(f"bias {', '.join(map(repr, pieces))}")
        if column.slopes and column.slopes[i] is not None:
            lines.append(f"slope below 0: {column.slopes[i]!r}")
        if self.measured is not None:
            m = self.measured[c]
            mean = float(m.mean[i])
            shown = "NaN" if math.isnan(mean) else repr(mean)
            lines.append(f"{'activation' if self._one else 'mean activation'} {shown} {self.on}")
            if m.on_rate is not None and math.isfinite(m.on_rate[i]):
                lines.append(f"on-rate {float(m.on_rate[i])!r}")
            if m.mark(i) == "dead":
                lines.append(f"dead {self.on}")
            if m.saturated_share is not None and m.saturated_share[i] > 0:
                lines.append(f"saturated on {percent(float(m.saturated_share[i]), 1)} of them")
        return "\n".join(lines)

    def of_wire(self, wire: Wire) -> str:
        """The weight of an edge in full, and with gradients or updates that number too; of a Maxout, by pieces."""
        tail, head = (self.ids[c][i] for c, i in (wire.tail, wire.head))
        lines = [f"{tail} → {head}"]
        for p, (weight, value) in enumerate(zip(wire.weights, wire.values, strict=True)):
            piece = f"piece {p}: " if len(wire.values) > 1 else ""
            lines.append(f"{piece}weight {weight!r}" + ("" if self.edges == "weight" else f", {self.edges} {value!r}"))
        if len(wire.values) > 1:
            lines.append(f"drawn: piece {wire.piece}, the strongest")
        return "\n".join(lines)

    @property
    def _one(self) -> bool:
        return self.X is not None and len(self.X) == 1

    # --- around the drawing ---------------------------------------------------------------------------------------

    def notes(self) -> list[str]:
        """The lines under the title: how large it is, what of it is drawn, on what it was measured."""
        columns = self.columns.columns
        layers, total = len(columns) - 1, sum(c.parameters for c in columns)
        kind = "generation" if self.columns.wired else "layer"
        line = f"{layers} {kind}{'s' * (layers != 1)}, {total:,} parameters. Edges are {_MEANING[self.edges]}"
        every = sum(c.edges for c in columns)
        if len(self.wires) < every:
            which = "the strongest" if len(self.wires) < self.possible else "those"
            line += f"; {len(self.wires):,} of {every:,} are drawn, {which}"
            line += " between the units shown" if any(self.hidden) else ""
        notes = [f"{line}."] + ([f"Loss: {self.loss} {self.on}."] if self.loss else [])
        if self.measured is not None:
            line = f"{'Activations' if self._one else 'Mean activations'} {self.on}"
            if self.report is None:
                line += ". X has NaN or infinite numbers, on which no unit can be called dead or saturated"
            elif self.judged:
                dead, stuck = (sum(int(getattr(m, mark).sum()) for m in self.judged) for mark in _MARKS)
                units = f"{dead:,} unit{'s' * (dead != 1)} dead, {stuck:,} saturated"
                line += f": {units}" if dead or stuck else ": no unit is dead or saturated"
                flawed = sum(int((~np.isfinite(m.mean)).sum()) for m in self.measured[1:])
                line += f", {flawed:,} {'is' if flawed == 1 else 'are'} not finite" * (flawed > 0)
            notes.append(f"{line}.")
        return notes

    def legend(self, numbered: Container[int]) -> list[Piece]:
        """What the marks mean, with the thresholds behind them; the numbers of the wires `numbered` are printed."""
        pieces = list(SIGNS)
        if any(wire.value < 0 and w not in numbered for w, wire in enumerate(self.wires)):
            pieces.append(negative_sample("hollow or dashed: negative"))
        if self.wires:
            pieces.append(width_sample(f"|{_SIGN[self.edges]}| over its layer's largest", widest(len(self.wires))))
        if self.measured is None:
            return pieces
        if self.maps is not None:
            x1, x2 = (clean(name, 16) for name in self.columns.columns[0].names)
            pieces.append(map_scale(f"activation over {x1} (→) and {x2} (↑), and its zero line"))
        else:
            pieces.append(fill_scale(f"{'activation' if self._one else 'mean activation'} over its column's largest"))
        if self.judged:
            pieces.append(ring_sample("on-rate: share of examples with activation > 0"))
        if self.judged and self.report is not None:
            pieces += [dead_key(self.report), saturated_key(self.report)]
        if not all(np.isfinite(m.mean).all() for m in self.measured):
            pieces.append(said("heavy outline: NaN or infinite"))
        return pieces

    def description(self) -> str:
        """The picture in words, for a screen reader."""
        lines = []
        for c in range(len(self.labels)):
            label, what, _ = self.head(c)
            lines.append(f"{', '.join([f'{label}: {what}', *self.counts(c, range(len(self.ids[c])))])}.")
        return " ".join([*lines, *self.notes()])

    def plain(self) -> Callable[[int], Block]:
        """The same in characters."""
        reads: dict[Place, list[Wire]] = {}
        for wire in self.wires:
            reads.setdefault(wire.head, []).append(wire)
        layers = []
        for c, column in enumerate(self.columns.columns):
            m = None if self.measured is None else self.measured[c]
            units = []
            for i in self.shown[c]:
                mine = sorted(reads.get((c, i), []), key=lambda w: -w.share)
                every = len(column.reads[i]) if column.reads else column.edges // len(column)
                on = None if m is None or m.on_rate is None or math.isnan(m.on_rate[i]) else float(m.on_rate[i])
                units.append(
                    Unit(
                        self._told((c, i)), self.mark((c, i)), None if m is None else float(m.mean[i]), on,
                        [(w.value, self._told(w.tail)) for w in mine], every - len(mine),
                        self.maps[c][i] if self.maps is not None and c else None,  # inputs are their own axes
                    )
                )  # fmt: skip
            _, *what = self.head(c)
            foot = self.foot(c) if c or self.maps is None else []
            more = ", ".join(self.more(c))
            layers.append(Layer(clean(self.labels[c], 40), [*what, *foot], units, more, self.scales[c]))
        meanings = []
        if self.judged and self.report is not None:
            marks = {self.mark((c, i)) for c, ids in enumerate(self.ids) for i in range(len(ids))}
            meanings.append("on: on-rate, the share of examples with activation > 0.")
            meanings += [f"× {dead_words(self.report)}."] * ("dead" in marks)
            meanings += [f"□ {saturated_words(self.report)}."] * ("saturated" in marks)
        return partial(tell_network, layers, f"{self.edges}s", meanings)

    def _told(self, p: Place) -> str:
        """What a unit is called in a row: one without a name of its own by its number, in brackets."""
        name = self.names[p]
        return f"[{name}]" if not self.columns.wired and p[0] and p not in self.columns.outputs else clean(name, 24)

    def tables(self) -> list[Table]:
        """The same facts in full precision: a row a layer, a unit shown, an edge drawn."""
        layers: list[tuple[Any, ...]] = []
        units: list[tuple[Any, ...]] = []
        for c, column in enumerate(self.columns.columns):
            m = None if self.measured is None else self.measured[c]
            judged = [None if m is None or m.dead is None else int(getattr(m, mark).sum()) for mark in _MARKS]
            largest = self.largest[c] if c else None
            row = (self.labels[c], len(column), self.head(c)[1], column.parameters, largest, self.hidden[c], *judged)
            layers.append(row)
            for i in self.shown[c]:
                arrays = [getattr(m, k, None) for k in ("mean", "on_rate", "dead", "saturated", "saturated_share")]
                biases = [] if column.bias is None else [b for b in column.bias[i].tolist() if not math.isnan(b)]
                bias = (biases[0] if len(biases) == 1 else ", ".join(map(repr, biases))) if biases else None
                kind = clean(column.activations[i], 60) if column.activations else ""
                known = (None if a is None else a[i].item() for a in arrays)
                units.append((self.labels[c], self.ids[c][i], kind, bias, *known))
        edges: list[tuple[Any, ...]] = []
        for w in self.wires:
            ends = (self.ids[c][i] for c, i in (w.tail, w.head))
            edges.append((*ends, w.weights[w.piece], *(() if self.edges == "weight" else (w.value,))))
        extra = () if self.edges == "weight" else (self.edges,)
        return [
            Table("Layers", ("layer", "units", "activation", "parameters", "widest edge", "not drawn", *_MARKS),
                  layers),
            Table("Units drawn", ("layer", "unit", "activation", "bias", "mean", "on-rate", *_MARKS,
                                  "share saturated"), units),
            Table("Edges drawn", ("from", "to", "weight", *extra), edges),
        ]  # fmt: skip
