"""What a network does with examples: each unit's mean, on-rate and marks, and the number that each edge shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.checks import one_of
from micrograd_nn.graph import Node, gradients
from micrograd_nn.tensor import Tensor
from viz._running import Array, at_work, bare, numbers
from viz.graph._example import by_name
from viz.graph._loss import given_loss, loss_for, shaped
from viz.neurons._units import Column, Columns, Place

__all__ = ["Measured", "Wire", "examples_of", "measure", "numbers_of", "wires_of"]

_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one column, an entry a unit. The last four are those of the HealthReport, None where it does not know the
    column: inputs, and outputs without an activation."""

    mean: Array
    on_rate: Array | None = None
    dead: Array | None = None
    saturated: Array | None = None
    saturated_share: Array | None = None

    def mark(self, unit: int) -> str:
        """ "dead", "saturated" or neither."""
        if self.dead is not None and self.dead[unit]:
            return "dead"
        return "saturated" if self.saturated is not None and self.saturated[unit] else ""


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge between two units that are drawn: its weight, and the number it shows, piece by piece; `share` is that
    number's size over the largest in the layer."""

    tail: Place
    head: Place
    weights: tuple[float, ...]
    values: tuple[float, ...]
    share: float

    @property
    def piece(self) -> int:
        """The piece that is drawn: the one whose number is largest."""
        return max(range(len(self.values)), key=lambda p: abs(self.values[p]))

    @property
    def value(self) -> float:
        return self.values[self.piece]


def examples_of(X: Any, columns: Columns) -> Array:
    """X as an array (N, inputs) of floats; one example may come without its first axis, a Network's inputs by name.

    Names of columns (a DataFrame's) become those of the inputs. Raises ValueError where X does not fit the network.
    """
    inputs = columns.columns[0]
    n, given = len(inputs), X
    rows = numbers(by_name(columns.model, X) if isinstance(X, Mapping) else X)
    rows = rows[None] if rows.ndim == 1 and len(rows) == n else rows
    names = ", ".join(inputs.names[:3]) + (", ..." if n > 3 else "")
    if rows.ndim != 2 or rows.shape[1] != n:
        raise ValueError(
            f"this network takes {n} input{'s' * (n != 1)} ({names}), so X has shape (N, {n}); yours has {rows.shape}."
        )
    if len(called := list(getattr(given, "columns", ()))) == n and not columns.wired:
        inputs.names = [str(name) for name in called]
    return rows


def measure(columns: Columns, X: Array) -> tuple[list[Measured], Any]:
    """What is known of every column, and the HealthReport it comes from; None where X has numbers that are not finite,
    on which no unit can be called dead or saturated."""
    totals = [np.zeros(len(column)) for column in columns.columns]
    for i in range(0, len(X), _AT_ONCE):
        for total, rows in zip(totals, columns.values(X[i : i + _AT_ONCE]), strict=True):
            with np.errstate(all="ignore"):
                total += rows.sum(0, dtype=float)
    means = [Measured(total / len(X)) for total in totals]
    if not np.isfinite(X).all():
        return means, None
    from micrograd_nn.health import unit_health

    with at_work(columns.model):
        report = unit_health(columns.model, X)
    return [_from_report(m, column, report.layers) for m, column in zip(means, columns.columns, strict=True)], report


def _from_report(own: Measured, column: Column, layers: list[Any]) -> Measured:
    """The report's numbers for a column. A generation with several activations is several layers there."""
    if not column.health:
        return own
    if column.kind != "Network":
        h = next((h for h in layers if h.name == column.health and len(h) == len(column)), None)
        return own if h is None else Measured(h.mean, h.on_rate, h.dead, h.saturated, h.saturated_share)
    n = len(column)
    mean, on, share = own.mean.copy(), np.full(n, np.nan), np.full(n, np.nan)
    dead, saturated = np.zeros(n, bool), np.zeros(n, bool)
    place = {name: i for i, name in enumerate(column.names)}
    for h in layers:
        if h.units is not None and (h.name == column.health or h.name.startswith(f"{column.health}.")):
            at = [place[name] for name in h.units]
            mean[at], on[at], share[at], dead[at], saturated[at] = (
                h.mean, h.on_rate, h.saturated_share, h.dead, h.saturated)  # fmt: skip
    return Measured(mean, on, dead, saturated, share)


# --- edges ----------------------------------------------------------------------------------------------------------

Numbers = Callable[[Column], Array]  # of a column, an array like its weight


def numbers_of(
    edges: str, model: Any, X: Array | None, y: Any, loss: Any, before: Mapping[str, Any] | None
) -> tuple[Numbers, str]:  # fmt: skip
    """Where the numbers on the edges come from: the weights, their gradients, or what was added to them; and the name
    of the loss that gradients were taken of here.

    Raises ValueError where these are not to be had.
    """
    one_of(edges, ("weight", "gradient", "update"), "edges")
    if loss is not None:
        given_loss(loss)
    if before is not None and edges != "update":
        raise ValueError("before= is what edges='update' subtracts from the weights: say edges='update' as well.")
    if edges == "update":
        if before is None:
            raise ValueError(
                "edges='update' needs the weights from before: before = model.state_dict(), then the step, then "
                "draw_network(model, edges='update', before=before)."
            )
        return lambda column: _since(column, before), ""
    if edges == "weight":
        return lambda column: np.asarray(column.weight.data, float), ""
    if y is None:
        if loss is not None:
            raise ValueError("a loss needs labels: draw_network(model, X, y, edges='gradient', loss=...).")
        return _kept, ""
    if X is None:
        raise ValueError("labels y need the examples they belong to: draw_network(model, X, y, edges='gradient').")
    found, called = _slopes(model, X, y, loss)

    def slope(column: Column) -> Array:
        g = found.get(column.weight)
        return np.zeros(np.shape(column.weight.data)) if g is None else np.asarray(g, float)

    return slope, called


def _slopes(model: Any, X: Array, y: Any, loss: Any) -> tuple[dict[Node, Any], str]:
    """The gradient of the loss with respect to every node, and the name of the loss; no .grad touched, dropout off."""
    y = bare(y)
    y = y[None] if not y.ndim else y
    if len(y) != len(X):
        raise ValueError(f"X and y need one row an example: {len(X):,} and {len(y):,} rows.")
    with at_work(model, recording=True):
        out = model(Tensor(X))
        compute, called = loss_for(loss, out, y)
        total = compute(out, shaped(y, out, called))
        if not isinstance(total, Node) or np.size(total.data) != 1:
            raise ValueError(f"a loss gives one number, and this one gave {total!r:.60}.")
        return gradients(total), called


def _kept(column: Column) -> Array:
    grad = getattr(column.weight, "grad", None)
    if grad is None:
        raise ValueError(
            f"{column.path or column.label} has no gradient yet: call loss.backward() first, or give the labels, "
            "draw_network(model, X, y, edges='gradient')."
        )
    return np.asarray(grad, float)


def _since(column: Column, before: Mapping[str, Any]) -> Array:
    now = np.asarray(column.weight.data, float)
    if not isinstance(before, Mapping):
        raise TypeError(f"before is a dict, as model.state_dict() gave it, not {type(before).__name__}.")
    if column.path not in before:
        raise ValueError(f"before has no {column.path or column.label!r}: take it from this model's state_dict().")
    then = np.asarray(before[column.path])
    if then.shape != now.shape:
        raise ValueError(f"before has {column.path} of shape {then.shape}, and the model of shape {now.shape}.")
    with np.errstate(all="ignore"):
        return np.asarray(now - then, float)


def wires_of(columns: Columns, shown: list[list[int]], numbers: Numbers) -> tuple[list[Wire], list[float]]:
    """Every edge between two units shown, and for each column the largest size there is among all edges into it."""
    wires, largest = [], [0.0]
    places = [{(c, i) for i in units} for c, units in enumerate(shown)]
    for c, column in enumerate(columns.columns[1:], 1):
        found, weights = numbers(column), np.asarray(column.weight.data, float)
        sizes = np.abs(column.all_into(found))
        sizes = sizes[np.isfinite(sizes)]
        top = float(sizes.max()) if sizes.size else 0.0
        largest.append(top)
        for j in shown[c]:
            value_of, weight_of = column.into(j, found), column.into(j, weights)
            sources = [(c - 1, i) for i in shown[c - 1]] if column.arrange is not None else sorted(column.reads[j])
            for tail in sources:
                if tail in places[tail[0]]:
                    values = tuple(map(float, value_of(tail)))
                    size = max(map(abs, values))
                    share = size / top if top and np.isfinite(size) else 0.0
                    wires.append(Wire(tail, (c, j), tuple(map(float, weight_of(tail))), values, share))
    return wires, largest
