"""From a model and its input to the graph that shows it computing: on arrays, or on one example number by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.graph import Node, gradients
from micrograd_nn.health._activity import forward, nodes, shows_all
from micrograd_nn.modes import enable_grad
from micrograd_nn.nn import Dropout, GaussianNoise, Layer, Maxout, Module, Network, Neuron
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value
from viz._running import Array, at_work, bare, numbers
from viz._text import clean
from viz.graph._loss import ONE_BY_ONE, loss_for, shaped
from viz.graph._reading import Reading

__all__ = ["Example", "by_name", "kind_of", "run_example"]


@dataclass
class Example:
    """The graph of one call of a model: what comes out of it, or the loss, and what a picture must say beside."""

    roots: list[Node]
    reading: Reading
    notes: list[str] = field(default_factory=list)


def run_example(
    model: Module, X: Any, y: Any, loss: Any, example: int, singly: bool, *, must: bool = True
) -> Example | None:
    """The model on all of X on arrays, or `singly` on one example number by number.

    With labels y the loss is part of the graph, with the gradients of all its nodes; no `.grad` is written. Raises
    TypeError or ValueError saying what does not fit; where the model cannot be computed number by number, None unless
    it `must` be.
    """
    if isinstance(example, bool) or not isinstance(example, (int, np.integer)):
        raise TypeError(f"example is the number of a row of X, counted from 0, not {example!r:.60}.")
    rows = _rows(by_name(model, X) if isinstance(X, Mapping) else X)
    labels = None if y is None else bare(y)
    if labels is not None and labels.ndim == 0:
        labels = labels[None]
    if labels is not None and len(labels) != len(rows):
        raise ValueError(f"y needs a label for each example: X has {len(rows):,} and y {len(labels):,}.")
    if singly:
        return _one(model, rows, labels, loss, example, must)
    batch = Tensor(rows, requires_grad=True, name="X")
    with at_work(model, recording=True):
        out, activations = forward(model, batch, not shows_all(model.modules()))
    outs = list(nodes(out))
    if not outs:
        raise TypeError(
            f"{_said(model)} gave a {type(out).__name__} and no node, so there is no graph to draw: compute with the "
            "Tensor it is given, without .data or .numpy()."
        )
    names = dict(zip(outs, ["out"] if len(outs) == 1 else [f"out{i + 1}" for i in range(len(outs))], strict=True))
    reading = Reading(names=names, kinds=kinds_of(model), activations=activations, inputs={batch})
    found = Example(outs, reading, _mode_notes(model))
    if labels is None:
        return found
    compute, called = loss_for(loss, outs[0], labels)
    with enable_grad(), np.errstate(all="ignore"):
        result = compute(out if callable(loss) else outs[0], shaped(labels, outs[0], called))
    return _with_loss(found, result, called, len(rows))


def _one(model: Module, rows: Array, labels: Any, loss: Any, example: int, must: bool) -> Example | None:
    if not -len(rows) <= example < len(rows):
        raise IndexError(f"example={example}, and X has {len(rows):,} examples, counted from 0.")
    example %= len(rows)
    if rows.ndim != 2:
        if not must:
            return None
        raise ValueError(
            f"detail='scalar' shows one example as a list of numbers, and X has shape {rows.shape}: draw it with "
            "detail='tensor'."
        )
    names = model.inputs if isinstance(model, Network) else [f"x{i + 1}" for i in range(rows.shape[1])]
    if len(names) != rows.shape[1]:
        raise ValueError(f"{_said(model)} takes {len(names)} inputs, and X has {rows.shape[1]} columns.")
    given = [Value(float(x), name=name) for x, name in zip(rows[example], names, strict=True)]
    try:
        with at_work(model, recording=True):
            out = model(given)
        outs = list(nodes(out))
        if not outs or any(np.ndim(n.data) for n in outs):
            raise TypeError(f"it gave {'arrays' if outs else type(out).__name__}")
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        if not must:
            return None
        with at_work(model):
            model(Tensor(rows))  # where that cannot be computed either, it says why
        raise TypeError(
            f"{_said(model)} cannot be computed number by number ({clean(error, 160)}): draw it with detail='tensor'."
        ) from error
    called = ["out"] if len(outs) == 1 else [f"out{i + 1}" for i in range(len(outs))]
    reading = Reading(
        names=dict(zip(outs, called, strict=True)), kinds=kinds_of(model), inputs=set(given), picks_are_leaves=True
    )
    notes = _mode_notes(model)
    if len(rows) > 1:
        notes.append(f"example {example} of {len(rows):,}")
    found = Example(outs, reading, notes)
    if labels is None:
        return found
    compute, name = loss_for(loss, outs[0] if len(outs) == 1 else outs, labels)
    try:
        with enable_grad(), np.errstate(all="ignore"):
            if name in ONE_BY_ONE:
                result = compute(outs[0] if len(outs) == 1 else outs, _target(labels[example], len(outs), name))
            else:
                result = compute([outs], labels[example : example + 1])
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        if not callable(loss):
            raise
        if not must:
            return None
        raise TypeError(
            f"the loss {name} cannot be computed on numbers, as lists of rows ({clean(error, 160)}): draw it with "
            "detail='tensor'."
        ) from error
    return _with_loss(found, result, name, 1)


def _target(target: Any, count: int, loss: str) -> Any:
    """The label of one example as the losses take it that work on plain numbers; as a node with a name where it can."""
    wanted = np.asarray(target, float).reshape(-1)
    if len(wanted) != count:
        raise ValueError(
            f"{loss} needs a number for each output: of those there {'is' if count == 1 else 'are'} {count}, and the "
            f"label is {target}."
        )
    if loss == "hinge_loss":
        return float(wanted[0]) if count == 1 else wanted.tolist()
    nodes = [Value(float(t), name="y" if count == 1 else f"y{i + 1}") for i, t in enumerate(wanted)]
    for node in nodes:
        node.requires_grad = False
    return nodes[0] if count == 1 else nodes


def by_name(model: Module, X: Mapping[str, Any]) -> Array:
    """Inputs given by name, as the columns of an array."""
    names = model.inputs if isinstance(model, Network) else ()
    if not names or set(names) != set(X):
        raise ValueError(
            f"X by name is for a Network, with a value or a column for each of its inputs, and {_said(model)} has "
            f"{', '.join(names) or 'none by name'}."
        )
    columns = [np.atleast_1d(bare(X[n])) for n in names]
    if len(shapes := {c.shape for c in columns}) > 1 or columns[0].ndim > 1:
        raise ValueError(f"X by name has a value or a column for each input, all equally long, not {sorted(shapes)}.")
    return np.column_stack(columns)


def _rows(X: Any) -> Array:
    """The examples, a row each; one example alone is a row."""
    rows = numbers(X)
    return rows.reshape(1, -1) if rows.ndim < 2 else rows


# --- the loss -------------------------------------------------------------------------------------------------------


def _with_loss(found: Example, result: Any, called: str, count: int) -> Example:
    if not isinstance(result, Node) or not result.requires_grad or np.size(result.data) != 1:
        what = f"shape {np.shape(result.data)}" if isinstance(result, Node) else f"a {type(result).__name__}"
        raise ValueError(f"the loss {called} has to give one number that depends on the model, and gave {what}.")
    outs = found.roots
    found.reading.names = {**found.reading.names, result: "loss"}
    with np.errstate(all="ignore"):
        found.reading.grads = gradients(result)
    found.roots = [result, *(n for n in outs if n is not result and n not in found.reading.grads)]
    found.notes.append(f"loss: {called}" + (f", mean over {count:,} examples" if count > 1 else ""))
    return found


# --- what the model is ----------------------------------------------------------------------------------------------


def _said(model: Module) -> str:
    return clean(repr(model), 60)


def _mode_notes(model: Module) -> list[str]:
    noisy = [m for m in model.modules() if isinstance(m, (Dropout, GaussianNoise)) and m.training and m._amount()]
    return ["drawn as in use: dropout and noise are off"] if noisy else []


def kinds_of(model: Module) -> dict[str, str]:
    """What each part of a model is, by its path: `Layer(3 → 4), tanh`."""
    found = {path: kind_of(part) for path, part in model.named_modules() if path}
    if isinstance(model, Network):
        found |= {f"generations[{i}]": _counted(names) for i, names in enumerate(model.generations)}
    return found


def _counted(names: list[str]) -> str:
    return f"{len(names):,} unit" + "s" * (len(names) != 1)


def kind_of(part: Module) -> str:
    """What one part of a model is, in a few words."""
    if isinstance(part, Maxout):
        return f"Maxout({part.n_in} → {part.n_out}), k = {part.k}"
    if isinstance(part, Layer):
        kind = f"{type(part).__name__}({part.n_in} → {part.n_out})"
        return kind if type(part).__name__ == "Linear" else f"{kind}, {clean(part.activation, 20)}"
    if isinstance(part, Neuron):
        return f"Neuron, {clean(part.activation, 20)}"
    return clean(repr(part), 40)
