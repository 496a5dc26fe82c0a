"""`draw_activations`: activation functions, their slopes, where they are flat, where on them a model's units are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn import nn
from micrograd_nn.graph import Node
from micrograd_nn.health import LayerHealth, unit_health
from micrograd_nn.health._activity import Activation, Curves, by_units, forward, shows_all
from micrograd_nn.nn._activations import activation_named
from micrograd_nn.tensor import Tensor
from viz._picture import Picture
from viz._running import Array, at_work, numbers
from viz._sheet import Table, compose
from viz._summary import percent
from viz._text import clean, number
from viz._theme import Theme, checked_theme
from viz._thresholds import on
from viz.charts._cellchart import BINS, Cell, counted, draw_cells, keys
from viz.charts._chart import WIDE, wrapped
from viz.charts._curves import Shape, sampled, standalone
from viz.charts._plain import Bend, tell_activations

__all__ = ["draw_activations"]

_REACH = 6.0  # a function by itself is drawn from -6 to 6
_ROWS, _MOST = 41, 24  # of a table, and cells of a picture


def draw_activations(what: Any, X: Any = None, *, theme: Theme = "light", title: str | None = None) -> Picture:
    """An activation function f(z) and its slope f′(z), where it is saturated or closed, and where a model's units are.

    `what` is a name from `nn.ACTIVATIONS`, a function of nodes, a list of these or a dict {title: function}; or a model
    with examples X (N, features): then each of its activation layers has under its function a histogram of its own
    pre-activations, on the same axis, with the share saturated and the number of dead units as `mg.unit_health` counts
    them. Saturated: the slope is under 6 % of its largest. Closed: it is exactly 0. Where a slope is learned, for each
    unit its own, the line is the mean over the units and the shaded band what they span.

    Raises TypeError for what is no activation, ValueError for a name there is not, an empty list, a model without
    examples or without activations, and what `unit_health` refuses.

    >>> "tanh" in draw_activations("tanh").svg
    True
    """
    checked_theme(theme)
    notes: list[str] = []
    if isinstance(what, nn.Module) and not (isinstance(what, nn.PReLU) and X is None):
        cells, examples = _of_model(what, X)
        notes.append(f"Pre-activations {on(examples)}.")
    elif X is not None:
        raise ValueError("X goes with a model, draw_activations(model, X): a function by itself needs no examples.")
    else:
        cells = _by_themselves(what)
    if len(cells) > _MOST:
        half = _MOST // 2
        notes.append(f"{len(cells) - _MOST:,} of {len(cells):,} in the middle are left out.")
        cells = cells[:half] + cells[-half:]
    drawing, size = draw_cells(cells)
    names = ", ".join(cell.name for cell in cells)
    sheet = compose(
        "activations", drawing, size, keys(cells), title=clean(title, 120) if title else "",
        name=clean(f"Activations: {names}", 200), notes=[line for n in notes for line in wrapped(n, WIDE)],
        description=" ".join(f"{cell.name}: {'; '.join(cell.facts)}." for cell in cells), tables=_tables(cells),
        plain=partial(tell_activations, [_bend(cell) for cell in cells]),
    )  # fmt: skip
    return Picture(sheet, theme)


# --- what is drawn ----------------------------------------------------------------------------------------------------


def _by_themselves(what: Any) -> list[Cell]:
    if isinstance(what, Mapping):
        items = list(what.items())
    else:
        items = [(None, one) for one in (what if isinstance(what, (list, tuple)) else [what])]
    if not items:
        raise ValueError("draw_activations was given an empty list: there is nothing to draw.")
    cells = []
    for given, one in items:
        if not (isinstance(one, str) or callable(one)) or isinstance(one, Node):
            names = ", ".join(nn.ACTIVATIONS)
            raise TypeError(
                f"an activation is a name ({names}) or a function of a node, and a model comes with examples, "
                f"draw_activations(model, X); not {type(one).__name__}."
            )
        if isinstance(one, nn.Module) and not isinstance(one, nn.PReLU):
            raise ValueError("in a list there are activations only: a model is drawn by itself, with examples.")
        name, function = activation_named(one)
        name = clean(name if given is None else given, 40)
        act, curves = standalone(name, nn.PReLU() if function is F.prelu else function)
        shape = sampled(act, curves, -_REACH, _REACH)
        cells.append(Cell(name, shape, -_REACH, _REACH, _facts(shape)))
    return cells


def _of_model(model: nn.Module, X: Any) -> tuple[list[Cell], int]:
    """A cell for each activation layer, and how many examples there are."""
    if X is None:
        raise ValueError(
            "a model is drawn with examples: draw_activations(model, X), with an array (N, features); or name one of "
            "its activations, such as draw_activations('tanh')."
        )
    X = numbers(X)
    with at_work(model):
        report = unit_health(model, X)
    if not report.layers:
        raise ValueError("this model has no activations to draw: its layers are linear.")
    health = {h.name: h for h in report.layers}
    acts, seen, curves = _forward(model, X)
    cells = []
    for act in acts:
        z = np.concatenate(seen[act.name])
        finite = z[np.isfinite(z)]
        lo = min(-_REACH, float(finite.min())) if len(finite) else -_REACH
        hi = max(_REACH, float(finite.max())) if len(finite) else _REACH
        wide = _round((hi - lo) / BINS)
        lo, hi = math.floor(lo / wide) * wide, math.ceil(hi / wide) * wide
        shape, h = sampled(act, curves, lo, hi, report.flat), health[act.name]
        name = clean(f"{act.name}: {act.label}" if act.name != act.label else act.label, 40)
        cells.append(Cell(name, shape, lo, hi, _facts(shape, h, len(z) - len(finite)), h, finite, wide))
    return cells, len(X)


def _round(x: float) -> float:
    """`x`, or a little less that is short to write.

    >>> _round(0.27083), _round(3.9)
    (0.25, 2.5)
    """
    power = 10.0 ** math.floor(math.log10(x))
    return max(m for m in (1.0, 1.25, 2.0, 2.5, 5.0) if m * power <= x) * power


def _forward(model: nn.Module, X: Array) -> tuple[list[Activation], dict[str, list[Array]], Curves]:
    """Each activation once, and all that went into it (or where that is no single number, all that came out)."""
    acts: dict[str, Activation] = {}
    seen: dict[str, list[Array]] = {}
    search = not shows_all(model.modules())
    with at_work(model, recording=search):
        for i in range(0, len(X), 1024):
            for act in forward(model, Tensor(X[i : i + 1024], requires_grad=search), search)[1]:
                source = act.z if act.z.data.shape == act.node.data.shape else act.node
                seen.setdefault(act.name, []).append(by_units(source.data, act.axis).astype(float).ravel())
                acts.setdefault(act.name, act)
    return list(acts.values()), seen, Curves()


# --- words ------------------------------------------------------------------------------------------------------------


def _facts(s: Shape | None, health: LayerHealth | None = None, lost: int = 0) -> list[str]:
    """What there is to know of a function, and of the units that use it, in lines; `lost` of their z are not finite."""
    lines = []
    if health is not None:
        lines.append(_counts(health))
        if lost:
            lines.append(f"{lost:,} pre-activations are no finite numbers and not in the histogram")
    if s is None:
        return [*lines, "each output is the largest of several z: it has no curve of one z"]
    f, slope = s.at(0.0)
    if health is not None and s.closed.any():
        lines[0] += f", on-rate {percent(float(health.on_rate.mean()), 1)}"
    lines.append(f"f(0) = {_plain(f)}, f′(0) = {_plain(slope)}")
    lines.append(f"range {_plain(s.span[0])} to {_plain(s.span[1])}")
    if s.is_steep:
        steepest = max(filter(math.isfinite, s.slope.tolist()), key=abs)
        lines.append(f"slope {'up' if steepest > 0 else 'down'} to {_plain(steepest)}, beyond the picture")
    if flat := _said(s, s.flat):
        lines.append(f"saturated {flat}")
    if closed := _said(s, s.closed):
        lines.append(f"closed {closed}")
    if s.low is not None and s.high is not None:
        i = int(np.argmax(s.high - s.low))
        low, high = float(s.low[i]), float(s.high[i])
        lines.append(f"units differ: f({_plain(float(s.z[i]))}) from {_plain(low)} to {_plain(high)}")
    return lines


def _plain(x: float) -> str:
    """A number without the decimal that says nothing."""
    return number(x).removesuffix(".0")


def _counts(h: LayerHealth) -> str:
    return f"{percent(float(h.saturated_share.mean()), 1)} saturated, {int(h.dead.sum()):,} dead of {len(h):,} units"


def _said(s: Shape, mask: Array) -> str:
    """The stretches of z where a mask holds, in words."""
    found = s.stretches(mask)
    left, right = [a <= s.z[0] for a, _ in found], [b >= s.z[-1] for _, b in found]
    if len(found) == 2 and left[0] and right[1] and math.isclose(-found[0][1], found[1][0], rel_tol=1e-6):
        return f"beyond ±{_plain(found[1][0])}"
    parts = []
    for (a, b), first, last in zip(found, left, right, strict=True):
        if first and last:
            return "everywhere"
        near = [_plain(round(v, 6) + 0.0) for v in (a, b)]
        parts.append(f"below {near[1]}" if first else f"above {near[0]}" if last else f"{near[0]} to {near[1]}")
    more = f", {len(parts) - 4} more" if len(parts) > 4 else ""
    return ", ".join(parts[:4]) + more


def _bend(cell: Cell) -> Bend:
    """The same in characters."""
    s = cell.shape
    grid = None
    if s is not None:
        beyond = s.is_steep & ((s.slope < s.heights[0]) | (s.slope > s.heights[1]))
        grid = s.z, s.f, np.where(beyond, np.nan, s.slope), s.flat, s.closed
    counts = [] if cell.z is None else counted(cell)[0].tolist()
    return Bend(cell.name, list(cell.facts), cell.lo, cell.hi, grid, counts)


def _tables(cells: Sequence[Cell]) -> list[Table]:
    tables = []
    for cell in cells:
        if cell.shape is not None:
            zs = np.linspace(cell.lo, cell.hi, _ROWS)
            rows = [(float(z), *cell.shape.at(float(z))) for z in zs]
            tables.append(Table(f"{cell.name}: the function and its slope", ("z", "f(z)", "slope"), list(rows)))
    for cell in cells:
        if cell.z is not None:
            counts, edges = counted(cell)
            bins = [(float(a), float(b), int(n)) for n, a, b in zip(counts, edges, edges[1:], strict=False)]
            tables.append(Table(f"{cell.name}: {_counts(cell.health)}" if cell.health else cell.name,
                                ("above z", "up to z", "pre-activations"), list(bins)))  # fmt: skip
    return tables
