"""`draw_boundary`: which class a model gives at every point of the plane of two features, with the examples on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd_nn.checks import at_least_one, one_of, real, whole
from viz._chars import Block
from viz._marks import Piece, patterned, sample
from viz._picture import Picture
from viz._running import Array
from viz._sheet import Table, compose
from viz._summary import percent
from viz._text import clean, fitted, number, signed
from viz._theme import Theme, checked_theme
from viz._xml import FAINT, HATCH, INK, NEGATIVE, POSITIVE, Raw, element
from viz.charts._borders import TINT, Shown, accuracy, aspect, panels, right, with_sign
from viz.charts._chart import WIDE, limits
from viz.charts._examples import Labelled, classes_of, heads_of, labels_of, models_of, names_of, points_of
from viz.charts._plain import Map, tell_boundary
from viz.charts._points import point, wrong
from viz.charts._regions import LARGEST, decided, plane_of, scores_of

__all__ = ["draw_boundary"]

_PROBABILITIES = (0.6, 0.7, 0.8, 0.9)  # tints change here, beside 0.5, and likewise below
_STEPS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0)  # of a score, times a power of ten


def draw_boundary(
    model: Any,
    X: Any,
    y: Any,
    *,
    X_test: Any = None,
    y_test: Any = None,
    resolution: int = 240,
    margin: float = 0.08,
    threshold: float = 0.0,
    scale: str | None = None,
    classes: Sequence[str] | None = None,
    features: tuple[str, str] = ("x1", "x2"),
    most_points: int = 2000,
    theme: Theme = "light",
    title: str | None = None,
) -> Picture:
    """Decision regions over the plane of two features, with the examples X (N, 2) and y (N,), and test ones if given.

    `model` is a Module or any function from (N, 2) to scores; a list, or a dict {title: model}, gives panels side by
    side on one scale. One score a point says class 1 (or +1) where it is above `threshold`, a column a class the
    largest: as fit's accuracy counts. A model that gives probabilities in place of scores has its threshold at 0.5.

    Two classes are tinted by `scale`: "probability", that of class 1 by the logistic function of the score (of the
    difference of two), or "margin", the score itself, with dashed lines at +1 and -1; None: "margin" for labels -1 and
    +1 or a threshold other than 0, else "probability". The plane is computed at `resolution` points along x and reaches
    a share `margin` beyond the points. `classes` and `features` are names; more than `most_points` points a set are
    thinned out, and a note says so. The model works as in use (dropout off), without recording, and is left as it was.

    Raises ValueError for X of other than two features, and for scores that do not fit the labels.

    >>> import micrograd_nn as mg, viz
    >>> X, y = mg.data.make_moons(40, rng=0)
    >>> viz.draw_boundary(mg.nn.MLP(2, [3, 2], rng=0), X, y, resolution=20).title
    'Decision boundary'
    """
    checked_theme(theme)
    resolution, most_points = whole(resolution, "resolution", 2), at_least_one(most_points, "most_points")
    margin, threshold = real(margin, "margin", 0), real(threshold, "threshold")
    if scale is not None:
        one_of(scale, ("probability", "margin"), "scale")
    models = models_of(model)
    points = {"train": points_of(X, "X")}
    raw = {"train": labels_of(y, len(points["train"]), "y")}
    if (X_test is None) != (y_test is None):
        raise ValueError("X_test and y_test go together: give both or neither.")
    if X_test is not None:
        points["test"] = points_of(X_test, "X_test")
        raw["test"] = labels_of(y_test, len(points["test"]), "y_test")

    scores = [{part: scores_of(f, Z, name) for part, Z in points.items()} for name, f in models]
    columns = {s["train"].shape[1] for s in scores}
    counts = {max(2, n) for n in columns}
    if len(counts) > 1:
        raise ValueError(f"models side by side need the same classes, and these tell {sorted(counts)} of them apart.")
    of, signed = classes_of(raw, counts.pop(), 1 in columns)
    sets = {
        part: Labelled(Z, of[part], np.unique(np.linspace(0, len(Z) - 1, min(len(Z), most_points)).astype(int)))
        for part, Z in points.items()
    }
    kinds = max(2, *columns)
    names, heads = names_of(classes, kinds, signed), heads_of(features)
    everything = np.concatenate(list(points.values()))
    xlim, ylim = (limits(everything[:, k].tolist(), pad=max(margin, 1e-6)) for k in (0, 1))
    down = max(2, round(resolution * aspect(xlim, ylim)))
    shown = [
        Shown(name, plane_of(f, xlim, ylim, resolution, down, threshold, name),
               {part: decided(s[part], threshold) for part in points})
        for (name, f), s in zip(models, scores, strict=True)
    ]  # fmt: skip
    chosen = scale or ("margin" if signed or threshold else "probability")
    levels = _levels(shown, chosen) if kinds == 2 else []
    alone = not isinstance(model, (Mapping, list, tuple))
    drawing, size = panels(shown, sets, names, heads, xlim, ylim, levels, chosen, signed, alone)
    notes = _notes(shown, sets, scores, threshold)
    return Picture(
        compose(
            "boundary", drawing, size, _legend(shown, sets, names, levels, chosen, signed, threshold),
            title=fitted(title, 17, WIDE, bold=True) if title else "", name="Decision boundary", notes=notes,
            description=_describe(shown, sets, names), tables=_tables(shown, sets, names, heads),
            plain=_plain(shown, sets, names, heads, xlim, ylim, alone, _sure(levels, chosen, signed, threshold)),
        ),
        theme,
    )  # fmt: skip


# --- the scale, and what is said ------------------------------------------------------------------------------------


def _levels(shown: Sequence[Shown], scale: str) -> list[float]:
    """Where tints change above the boundary; below it they do so likewise."""
    if scale == "probability":
        return [math.log(p / (1 - p)) for p in _PROBABILITIES]
    largest = max((float(np.nanmax(np.abs(s.plane.margins[1]), initial=0.0)) for s in shown), default=0.0)
    power = 10.0 ** math.floor(math.log10(largest)) if 0 < largest < LARGEST else 1.0
    step = next((m * power / 10 for m in _STEPS if 4 * m * power / 10 >= 0.6 * largest), power)
    return [step * k for k in range(1, 5)]


def _notes(
    shown: Sequence[Shown], sets: dict[str, Labelled], scores: Sequence[dict[str, Array]], threshold: float
) -> list[str]:
    found = []
    for part, s in sets.items():
        if len(s.drawn) < len(s.X):
            word = "training" if part == "train" else "test"
            found.append(f"{len(s.drawn):,} of {len(s.X):,} {word} points are drawn; accuracy counts all.")
    if any(s.plane.has_nan for s in shown):
        found.append("Hatched: there the scores are NaN, and no class is given.")
    single = [z[part] for z in scores for part in z if z[part].shape[1] == 1]
    if threshold == 0 and single and all(((z >= 0) & (z <= 1)).all() for z in single):
        found.append("All scores are between 0 and 1: if they are probabilities, draw with threshold=0.5.")
    return found


# --- in words -------------------------------------------------------------------------------------------------------


def _legend(
    shown: Sequence[Shown], sets: dict[str, Labelled], names: Sequence[str], levels: Sequence[float], scale: str,
    signed: bool, threshold: float,
) -> list[Piece]:  # fmt: skip
    kinds = len(names)
    pieces = []
    for k, name in enumerate(names):
        pieces.append(sample([point(6, 0, 4.5, k, kinds, True)], 12 if k < 10 else 18, with_sign(k, name, kinds)))
    if "test" in sets:
        both = [point(6, 0, 4.5, 1, 3, True), point(22, 0, 4.5, 1, 3, False)]
        pieces.append(sample(both, 29, "filled: training, hollow: test"))
    if any((s.given[part] != sets[part].classes).any() for s in shown for part in sets):
        pieces.append(sample([point(9, 0, 3.5, 1, 3, True), wrong(9, 0, 3.5)], 19, "misclassified"))
    line = element("line", x1=0, y1=0, x2=19, y2=0, stroke=INK, stroke_width=2)
    pieces.append(
        sample([line], 20, f"boundary: score {number(threshold)}" if threshold and kinds == 2 else "boundary")
    )
    if kinds == 2:
        pieces.append(_scale(names, levels, scale, threshold))
    if signed and scale == "margin":
        dashed = element("line", x1=0, y1=0, x2=24, y2=0, stroke=INK, stroke_width=1, stroke_dasharray="5 4")
        pieces.append(sample([dashed], 25, "score +1 and −1"))
    if any(s.plane.has_nan for s in shown):
        pieces.append(patterned(HATCH, "NaN"))
    return pieces


def _scale(names: Sequence[str], levels: Sequence[float], scale: str, threshold: float) -> Piece:
    """The tints from the surest no to the surest yes."""
    if scale == "probability":
        text = f"P({names[1]}) from 0 to 1"
    else:
        what = "score" if not threshold else f"score − {number(threshold)}"
        text = f"{what} from {number(-levels[-1])} to {signed(levels[-1])} and beyond"
    n = len(levels) + 1
    parts: list[Raw] = []
    for i in range(2 * n):
        deep = n - i if i < n else i - n + 1
        hue = NEGATIVE if i < n else POSITIVE
        box = {"x": 11.0 * i, "y": -6.5, "width": 11, "height": 13}
        parts.append(element("rect", fill=hue, fill_opacity=f"{1 - (1 - TINT) ** deep:.3f}", **box))
    parts.append(element("line", x1=11.0 * n, y1=-8.5, x2=11.0 * n, y2=8.5, stroke=INK, stroke_width=1.5))
    parts.append(element("rect", x=0, y=-6.5, width=22.0 * n, height=13, fill="none", stroke=FAINT))
    return sample(parts, 22.0 * n + 1, text)


def _plain(
    shown: Sequence[Shown], sets: dict[str, Labelled], names: Sequence[str], features: tuple[str, str],
    xlim: tuple[float, float], ylim: tuple[float, float], alone: bool, sure: tuple[float, str] | None,
) -> Callable[[int], Block]:  # fmt: skip
    """The same in characters; `sure` is the margin beyond which a model is sure of a class, and that in words."""
    maps = []
    for s in shown:
        points = [
            (float(of.X[i, 0]), float(of.X[i, 1]), int(of.classes[i]), bool(s.given[part][i] != of.classes[i]))
            for part, of in sets.items() for i in of.drawn.tolist()
        ]  # fmt: skip
        told = f"accuracy: {accuracy(s, sets)}"
        beyond = None if sure is None else np.abs(s.plane.margins[1]) > sure[0]
        maps.append(Map("" if alone else s.title, told, s.plane.classes.astype(np.int16), beyond, points))
    x, y = (clean(name, 24) for name in features)
    return partial(tell_boundary, maps, list(names), (x, y), xlim, ylim, aspect(xlim, ylim), sure[1] if sure else "")


def _sure(levels: Sequence[float], scale: str, signed: bool, threshold: float) -> tuple[float, str] | None:
    """From which margin on a model is sure: that of the last tint, or what the hinge loss asks for."""
    if not levels:
        return None
    if scale == "probability":
        return levels[-1], f"the probability of that is above {number(_PROBABILITIES[-1])}"
    level = 1.0 if signed else levels[-1]
    return level, f"the score is more than {number(level)} away from {number(threshold)}"


def _describe(shown: Sequence[Shown], sets: dict[str, Labelled], names: Sequence[str]) -> str:
    told = [f"Decision regions of {len(names)} classes: {', '.join(names)}."]
    for s in shown[:20]:
        parts = [f"{percent(right(s, sets, part), 1)} of {len(sets[part].X):,} {part} points right" for part in sets]
        told.append(f"{s.title}: {', '.join(parts)}.")
    return clean(" ".join(told), 6000)


def _tables(
    shown: Sequence[Shown], sets: dict[str, Labelled], names: Sequence[str], features: tuple[str, str]
) -> list[Table]:
    scores: list[tuple[Any, ...]] = []
    for s in shown:
        for part in sets:
            n = len(sets[part].X)
            scores.append((s.title, part, n, round(right(s, sets, part) * n), right(s, sets, part)))
    rows: list[tuple[Any, ...]] = []
    for part, points in sets.items():
        for i in points.drawn.tolist():
            given = [names[k] if (k := int(s.given[part][i])) >= 0 else "NaN" for s in shown]
            rows.append((part, i, *map(float, points.X[i]), names[int(points.classes[i])], *given))
    heads = tuple(clean(name, 60) for name in features)
    return [
        Table("Accuracy", ("model", "set", "points", "right", "accuracy"), scores),
        Table("Points", ("set", "point", *heads, "class", *(f"given by {s.title}" for s in shown)), rows),
    ]
