"""The verdict on one entry: what was returned, held against what differences say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from micrograd_nn.gradcheck._differences import Slope
from micrograd_nn.gradcheck._report import Row, figures

__all__ = ["Tolerance", "judge"]

KINK = 1e-7  # slopes from either side that differ by less than this part of them are no kink but curvature
COARSE = 1e-3  # an error bar above this part of the gradient's own scale can confirm nothing,
FINE = 1e-10  # unless it is below this part of the slope that would change the function by its own size


@dataclass(frozen=True)
class Tolerance:
    """How far apart the two may be: `rtol` of the larger, and `atol`, beyond the error bar."""

    rtol: float
    atol: float
    coarse: float = COARSE


def judge(
    name: str, index: tuple[int, ...], analytic: float, found: Slope, scale: float, natural: float, allowed: Tolerance,
    order: int = 1,
) -> Row:  # fmt: skip
    """The row of one entry.

    `scale` is the gradient's own: the largest of its entries known so far. `natural` is the slope that would change
    the function by its own size over the size of the entry.
    """
    numeric, bar = float(found.value[0]), float(found.error[0])
    left, right = float(found.left[0]), float(found.right[0])

    def row(verdict: str, note: str = "", sides: bool = False) -> Row:
        return Row(name, index, analytic, numeric, bar, verdict, note, left if sides else None, right if sides else None, order)

    if found.side:
        where = "nowhere around" if found.side == "neither" else f"only to the {found.side} of"
        return row("undefined", f"the function is defined {where} this point: it has no slope here.")
    if bool(found.kinked[0]) and abs(right - left) > KINK * max(abs(left), abs(right)) + float(found.side_error[0]):
        low, high = sorted((left, right))
        slack = bar - abs(right - left) if bar > abs(right - left) else 0.0
        slack += float(found.side_error[0]) + allowed.rtol * max(abs(low), abs(high))
        inside = low - slack <= analytic <= high + slack
        what = "lies between them" if inside else "does not lie between them"
        note = (f"the slope is {figures(left)} from the left and {figures(right)} from the right; "
                f"{figures(analytic)} was returned, which {what}.")  # fmt: skip
        return row("not differentiable", note, sides=True)
    if math.isnan(analytic) or math.isinf(analytic):
        return row("wrong", f"{figures(analytic)} was returned where the slope is {figures(numeric)}.")
    gap, larger = abs(analytic - numeric), max(abs(analytic), abs(numeric))
    if gap > allowed.atol + allowed.rtol * larger + bar:
        return row("wrong")
    if analytic == 0 and abs(numeric) > bar:
        return row("wrong", "exactly 0 was returned, and the slope is surely not 0.")
    if bar > allowed.atol + max(allowed.coarse * max(larger, scale), FINE * natural):
        return row("not checked", f"the function is too rough here to tell: its slope is known to ±{figures(bar, 2)} only.")
    return row("ok")
