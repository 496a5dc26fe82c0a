"""What pictures of health share: the mark a unit carries, how grey it is, what it says, and the legend for all that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from viz._chars import shades
from viz._marks import Piece, cross, sample, square
from viz._running import Array
from viz._text import clean
from viz._thresholds import dead_key, dead_words, on, saturated_key, saturated_words
from viz._xml import CARD, DOTS, FAINT, HATCH, INK, Raw, element, write

if TYPE_CHECKING:
    from micrograd_nn.health import HealthReport, LayerHealth

__all__ = [
    "MEASURES", "cell", "glyph", "greys", "hover", "in_words", "keys", "marks", "measure_of", "ringed", "tint", "unit",
]  # fmt: skip

# What grey may stand for: the share of examples that a unit is on, or that it is not saturated.
MEASURES = {"on_rate": "on-rate", "saturated_share": "1 − saturated share"}
_BENT = ("tanh", "sigmoid")  # on half of the time or always: their on-rate says little
_LEAST, _MOST = 0.05, 0.75  # opacities of ink
_PATTERN = {"dead": HATCH, "saturated": DOTS}


def measure_of(h: LayerHealth, measure: str | None) -> str:
    """The measure asked for; of a tanh or sigmoid, unasked, that of saturation."""
    return measure or ("saturated_share" if h.activation in _BENT else "on_rate")


def greys(h: LayerHealth, measure: str) -> Array:
    """A number from 0 to 1 for every unit."""
    return h.on_rate if measure == "on_rate" else 1.0 - h.saturated_share


def marks(h: LayerHealth) -> list[str]:
    """What is wrong with each unit, the worst only: "nan", "dead", "saturated", "dormant" or ""."""
    found = np.full(len(h), "", "U9")
    found[h.dormant] = "dormant"
    found[h.saturated] = "saturated"
    found[h.dead] = "dead"
    found[~(np.isfinite(h.mean) & np.isfinite(h.mean_abs))] = "nan"
    return [str(mark) for mark in found]


def tint(value: float) -> float:
    """How opaque ink is for a share."""
    return _LEAST + (_MOST - _LEAST) * value


def unit(h: LayerHealth, i: int) -> str:
    """The path of a unit, such as `layers[0][3]`."""
    return clean(f"{h.name}[{i}]", 400)


def hover(h: LayerHealth, i: int, mark: str, report: HealthReport) -> str:
    """All that is known of a unit, a line each."""
    name = f" ({h.units[i]})" if h.units else ""
    lines = [f"{unit(h, i)}{name}, {h.activation}"]
    if mark:
        often = " each time" if mark == "saturated" and h.always_saturated[i] else ""
        lines.append(f"{'not finite' if mark == 'nan' else mark}{often} {on(report.examples)}")
    for label, values in (
        ("on-rate", h.on_rate), ("saturated share", h.saturated_share), ("mean", h.mean), ("spread", h.spread),
        ("largest", h.max), ("mean |a|", h.mean_abs),
    ):  # fmt: skip
        lines.append(f"{label} {float(values[i])!r}")
    return "\n".join(clean(line, 400) for line in lines)


def glyph(mark: str, x: float, y: float, size: float) -> list[Raw]:
    """The sign of a mark around (x, y), for a cell of `size`."""
    if mark == "dead":
        return [cross(x, y, max(4.0, 0.5 * size))]
    if mark == "saturated":
        return [square(x, y, max(3.5, 0.42 * size))]
    if mark == "dormant":
        return [element("circle", cx=x, cy=y, r=max(1.4, 0.13 * size), fill=CARD, stroke=INK, stroke_width=1.25)]
    if mark == "nan" and size >= 11:
        return [write("!", x, y + 4.5, 13, INK, "middle", bold=True)]
    return []


def cell(x: float, y: float, size: float, value: float, mark: str) -> list[Raw]:
    """A unit as a square: grey for its value, with the pattern and the sign of its mark."""
    roomy = size > 8
    inset = 0.5 if roomy else 0.0
    box: dict[str, Any] = {"x": x + inset, "y": y + inset, "width": size - 2 * inset, "height": size - 2 * inset}
    if roomy:
        box |= {"rx": 3, "stroke": INK if mark == "nan" else FAINT, "stroke_width": 1}
    parts = []
    if mark not in ("dead", "nan"):
        parts.append(element("rect", fill=INK, fill_opacity=f"{tint(value):.3f}", **box))
    if mark in ("dead", "saturated", "nan"):
        parts.append(element("rect", fill=_PATTERN.get(mark, CARD), **box))
    return parts + glyph(mark, x + size / 2, y + size / 2, size)


# --- legend ---------------------------------------------------------------------------------------------------------


def keys(report: HealthReport, measures: Iterable[str]) -> list[Piece]:
    """What grey and the marks mean, with the thresholds of the report: a scale, dead and saturated."""
    return [_scale(_measured(measures)), dead_key(report), saturated_key(report)]


def in_words(report: HealthReport, measures: Iterable[str], found: Iterable[str]) -> list[str]:
    """What characters mean: the shades, where there are some `measures`, and the marks, where `found` or worth it."""
    used, met = list(measures), set(found)
    words = [shades(_measured(used))] if used else []
    words += [f"× {dead_words(report)}.", f"□ {saturated_words(report)}."]
    return words + [f"○ {_dormant(report)}."] * ("dormant" in met) + ["! not finite."] * ("nan" in met)


def _measured(measures: Iterable[str]) -> str:
    """What grey stands for."""
    used = list(dict.fromkeys(measures)) or ["on_rate"]
    return MEASURES[used[0]] if len(used) == 1 else "on-rate (of tanh and sigmoid 1 − saturated share)"


def _dormant(report: HealthReport) -> str:
    return f"dormant: mean |a| at most {report.faint:g} of the layer's"


def _scale(words: str) -> Piece:
    parts = []
    for k in range(6):
        box = {"x": 15.0 * k, "y": -6.5, "width": 13, "height": 13, "rx": 2.5, "stroke": FAINT}
        parts.append(element("rect", fill=INK, fill_opacity=f"{tint(k / 5):.3f}", **box))
    return sample(parts, 90, f"{words} from 0 to 1")


def ringed(report: HealthReport, *sign: Raw) -> Piece:
    """What dormant means; `sign` is in place of the ring."""
    box = element("rect", y=-6.5, width=19, height=13, rx=3, fill=INK, fill_opacity="0.2", stroke=FAINT)
    return sample([box, *(sign or glyph("dormant", 9.5, 0, 15))], 19, _dormant(report))
