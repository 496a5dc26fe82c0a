"""What `draw_boundary` was given, checked: models with their titles, points, labels as classes, names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.nn import Module
from viz._running import Array, bare, numbers
from viz._text import MINUS, clean, fitted, number
from viz.charts._chart import LABEL
from viz.charts._regions import LARGEST

__all__ = ["Labelled", "classes_of", "heads_of", "labels_of", "models_of", "names_of", "points_of"]


@dataclass(frozen=True)
class Labelled:
    """Training or test examples: where, and of which class, counted from 0; `drawn` are the numbers of those drawn."""

    X: Array
    classes: Array
    drawn: Array


def models_of(given: Any) -> list[tuple[str, Callable[[Any], Any]]]:
    """Each model with its title."""
    if isinstance(given, Mapping):
        found = [(str(name), f) for name, f in given.items()]
    else:
        several = list(given) if isinstance(given, (list, tuple)) else [given]
        found = [(repr(f) if isinstance(f, Module) else getattr(f, "__name__", type(f).__name__), f) for f in several]
    if not found:
        raise ValueError("draw_boundary was given no model: there is nothing to draw.")
    for name, f in found:
        if not callable(f):
            raise TypeError(
                f"draw_boundary takes a Module or a function of points (N, 2), a list or a dict of them, and "
                f"{clean(name, 60)} is {type(f).__name__}."
            )
    return [(clean(name, 200), f) for name, f in found]


def points_of(X: Any, what: str) -> Array:
    """Examples of two features (N, 2) as floats, all of them finite."""
    Z = numbers(X, what).astype(float)
    if Z.ndim != 2 or Z.shape[1] != 2:
        raise ValueError(
            f"a decision boundary is drawn over two features, and {what} has shape {Z.shape}: choose two columns, such "
            f"as {what}[:, [0, 1]], and a model trained on these."
        )
    if not np.isfinite(Z).all():
        row = int(np.flatnonzero(~np.isfinite(Z).all(1))[0])
        raise ValueError(f"{what} is not finite at row {row}: {Z[row].tolist()} has no place on the plane.")
    if (most := float(np.abs(Z).max())) > LARGEST:
        raise ValueError(f"{what} reaches {number(most)}, too far to be drawn: scale it, such as {what} / {most:.0e}.")
    return Z


def labels_of(y: Any, n: int, what: str) -> Array:
    """One number a point; of probabilities (N, classes) the largest counts, as in accuracy."""
    try:
        labels = bare(y)
    except ValueError:
        raise ValueError(f"{what} has entries of several lengths: one label a point is needed.") from None
    if labels.dtype.kind not in "fiub":
        raise TypeError(
            f"{what} holds {labels.dtype}, and labels are numbers: np.unique({what}, return_inverse=True) gives names "
            "and numbers for them."
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(1)
    labels = labels.reshape(-1)
    if len(labels) != n:
        raise ValueError(f"one label a point is needed: {what} has {len(labels):,} for {n:,} points.")
    return labels


def classes_of(raw: dict[str, Array], kinds: int, single: bool) -> tuple[dict[str, Array], bool]:
    """The labels as classes counted from 0; and whether they are -1 and +1."""
    values = sorted({float(v) for labels in raw.values() for v in np.unique(labels)})
    signed = single and -1.0 in values
    allowed = [-1.0, 1.0] if signed else [float(k) for k in range(kinds)]
    if strange := [v for v in values if v not in allowed]:
        need = "0 and 1, or −1 and +1," if single else f"0 to {kinds - 1}"
        have = "one score tells two classes apart" if single else f"these models tell {kinds} classes apart"
        raise ValueError(f"{have}: labels are {need.rstrip(',')}, and y has {number(strange[0])}.")
    return {part: (labels > 0).astype(int) if signed else labels.astype(int) for part, labels in raw.items()}, signed


def names_of(given: Sequence[str] | None, kinds: int, signed: bool) -> list[str]:
    if given is None:
        return [f"class {MINUS}1", "class +1"] if signed else [f"class {k}" for k in range(kinds)]
    return [fitted(name, LABEL, 130) for name in _list(given, "classes", kinds)]


def heads_of(given: Sequence[str]) -> tuple[str, str]:
    """The names of the two features."""
    x, y = _list(given, "features", 2)
    return x, y


def _list(given: Any, what: str, n: int) -> list[str]:
    if isinstance(given, str) or not isinstance(given, Iterable) or len(found := [str(name) for name in given]) != n:
        raise ValueError(f"{what} takes a list of {n} names, not {given!r:.60}.")
    return found
