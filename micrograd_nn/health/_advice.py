"""What is wrong with a network's health, said in sentences, with what the course notes advise for it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from micrograd_nn.health._report import HealthReport, LayerHealth

__all__ = ["advise", "spoken"]

COMPLAIN = 0.05  # the notes expect fewer of the units to die at a sane learning rate
TOO_FAST, TOO_SLOW = -1.5, -5.0  # log10 of update over weights, healthy near -3
ROUNDING = 1e-12


def advise(report: HealthReport) -> list[str]:
    """The sentences, the worst trouble first."""
    found = []
    on = "on this one example" if report.examples == 1 else f"on these {report.examples:,} examples"
    for h in report.layers:
        broken = ~(np.isfinite(h.mean) & np.isfinite(h.mean_abs))
        if broken.any():
            found.append(
                f"{_units(h, broken)} not finite {on}: the numbers overflow. Start again with smaller initial "
                "weights and a lower learning rate."
            )
    found += _of_gradients(report)
    for h in report.layers:
        where = spoken(h.name, h.activation)
        if _many(h.dead):
            found.append(f"{_units(h, h.dead)} dead {on}: lower the learning rate, or try leaky ReLU or Maxout.")
        stuck = h.saturated & ~h.dead
        if _many(stuck):
            always = h.always_saturated & stuck
            every = f" ({always.sum():,} of them on every single one)" if 0 < always.sum() < stuck.sum() else ""
            found.append(f"{_units(h, stuck)} saturated {on}{every}: {CURES.get(h.activation, CURES[''])}.")
        same = (h.spread <= ROUNDING * h.mean_abs) & ~h.dead & ~h.saturated
        if report.examples > 1 and _many(same):
            found.append(
                f"{_units(h, same)} constant {on}, which says nothing of the input: start from random weights that are "
                "not 0, or mend the layer before."
            )
        faint = h.dormant & ~h.dead & ~h.saturated & ~same
        if _many(faint):
            found.append(
                f"{_units(h, faint)} dormant {on}, with a mean |a| of at most {report.faint:g} times that of {where} "
                "as a whole: lower the learning rate, or do with fewer units."
            )
    return found + _of_updates(report)


CURES = {
    "sigmoid": "start from smaller initial weights, or use tanh, or better ReLU, in place of sigmoid",
    "tanh": "start from smaller initial weights, or use ReLU",
    "": "start from smaller initial weights, or lower the learning rate",
}


def _of_gradients(report: HealthReport) -> list[str]:
    bad = {v: [g for g in report.gradients if g.verdict == v] for v in ("nan or inf", "exploding", "vanishing")}
    found = []
    if bad["nan or inf"]:
        found.append(
            f"The gradient on {_places(bad['nan or inf'])} is NaN or infinite: lower the learning rate, and look for "
            "the first bad number with micrograd_nn.detect_anomaly()."
        )
    if bad["exploding"]:
        found.append(
            f"The gradient explodes on {_places(bad['exploding'])} (norm over 1e4): clip it, lower the learning rate, "
            "or start from smaller initial weights."
        )
    weights = [g for g in report.gradients if g.kind == "parameter"]
    faint = [g for g in bad["vanishing"] if g.kind == "parameter"]
    if faint and len(faint) == len(weights):
        found.append(
            "The gradient on every parameter is tiny (mean |g| under 1e-7): there is nothing left to learn from these "
            "examples, or no gradient gets through the last layer."
        )
    elif faint:
        bent = {h.activation for h in report.layers} & {"sigmoid", "tanh"}
        instead = f"use ReLU in place of {' or '.join(sorted(bent))}, " if bent else ""
        found.append(
            f"The gradient vanishes on {_places(faint)} (mean |g| under 1e-7), so there is hardly any learning there: "
            f"{instead}start from other initial weights, or use fewer layers."
        )
    return found


def _of_updates(report: HealthReport) -> list[str]:
    found = []
    weights = {n: x for n, x in report.updates.items() if x is not None and not n.rpartition(".")[2].startswith("bias")}
    if any(h.dead.all() for h in report.layers):  # weights that did not move at all had no gradient: no rate helps
        weights = {n: x for n, x in weights.items() if x > -math.inf}
    fast = {n: x for n, x in weights.items() if x > TOO_FAST}
    slow = {n: x for n, x in weights.items() if x < TOO_SLOW}
    lower, higher = "lower the learning rate", "raise the learning rate, unless it is low on purpose by now"
    for moved, say, do in ((fast, "large", lower), (slow, "small", higher)):
        if moved:
            sizes = ", ".join(f"{x:.1f}" for x in moved.values())
            found.append(
                f"The steps of {_listed(map(spoken, moved))} are {say} for the weights (log10 of the ratio {sizes}, "
                f"healthy near -3): {do}."
            )
    return found


def _many(flags: Any) -> bool:
    return bool(len(flags)) and flags.sum() / len(flags) >= COMPLAIN


def _units(h: LayerHealth, flags: Any) -> str:
    """How many units of a layer, with the names of a few that have one, and the verb."""
    k, n = int(flags.sum()), len(flags)
    named = [h.units[i] for i in np.flatnonzero(flags)] if h.units else []
    shown = f" ({_listed(named)})" if named else ""
    layer = spoken(h.name, h.activation)
    place = layer.removeprefix(f"the {h.activation} units of ")
    kind = f"{h.activation} " if place != layer else ""
    return f"{k:,} of {n:,} {kind}unit{'' if n == 1 else 's'} of {place}{shown} {'is' if k == 1 else 'are'}"


def spoken(name: str, activation: str = "") -> str:
    """A path as one says it: `layers[1]` is layer 2, for the input is not counted.

    >>> spoken("layers[1]"), spoken("encoder.layers[0].weight"), spoken("relu #2", "relu")
    ('layer 2', 'the weight of layer 1 of encoder', 'the relu activation (call 2)')
    """
    path, _, call = name.partition(" #")
    again = f" (call {call})" if call else ""
    if path == activation:
        return f"the {path} activation{again}"
    match = re.fullmatch(r"(?:(.+)\.)?(layers|generations)\[(\d+)\](?:\.(\w+))?", path)
    if match is None:
        return path + again
    outer, kind, number, part = match.groups()
    place = f"{kind[:-1]} {int(number) + 1}" + (f" of {outer}" if outer else "")
    group = f"the {part} units of " if part and part == activation else f"the {part} of " if part else ""
    return group + place + again


def _places(flows: Iterable[Any]) -> str:
    return _listed((spoken(g.name) if g.kind == "parameter" else f"the activations of {spoken(g.name)}") for g in flows)


def _listed(items: Iterable[str], most: int = 4) -> str:
    """The items as one says them, at most a few.

    >>> _listed(["a", "b", "c"]), _listed("abcdef")
    ('a, b and c', 'a, b, c and 3 more')
    """
    items = list(items)
    if len(items) > most:
        items = [*items[: most - 1], f"{len(items) - most + 1:,} more"]
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
