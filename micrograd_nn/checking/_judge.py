"""The verdict on one entry: what was returned, held against what differences say."""

from __future__ import annotations

import math
from dataclasses import dataclass

from micrograd_nn.checking._differences import Slope
from micrograd_nn.checking._report import Row, figures

__all__ = ["Tolerance", "judge"]

COARSE = 1e-3  # an error bar above this part of the gradient's own scale can confirm nothing,
TRUST = 0.01  # and above this part of the slope that was found refute nothing: steps that skip whole periods find ever
FIRM = 1e-4  # smaller ones; nor can it above this part of the slope that would change the function by its own size.
FINE = 1e-10  # of that slope: it confirms all the same
ROUNDED = 2.0**-46  # of that slope: what terms that cancel may leave, in the best of backward passes


@dataclass(frozen=True)
class Tolerance:
    """How far apart the two may be: `rtol` of the larger, and `atol`, beyond the error bar; and what an error bar is
    worth: see COARSE and FIRM."""

    rtol: float
    atol: float
    coarse: float = COARSE
    firm: float = FIRM


def judge(
    name: str, index: tuple[int, ...], analytic: float, found: Slope, scale: float, natural: float, allowed: Tolerance,
    order: int = 1,
) -> Row:  # fmt: skip
    """The row of one entry.

    `scale` is the gradient's own: the largest of its entries known so far. `natural` is the slope that would change
    the function by its own size over the size of the entry. Where the slopes from either side differ, the error bar
    of the row is theirs.
    """
    numeric, bar = float(found.value[0]), float(found.error[0])
    left, right = float(found.left[0]), float(found.right[0])

    def row(verdict: str, note: str = "") -> Row:
        return Row(name, index, analytic, numeric, bar, verdict, note, order=order)

    if found.side:
        where = "nowhere around" if found.side == "neither" else f"only to the {found.side} of"
        return row("undefined", f"the function is defined {where} this point: it has no slope here.")
    if bool(found.kinked[0]):
        (low, below), (high, above) = sorted(((left, float(found.left_error[0])), (right, float(found.right_error[0]))))
        slack = max(below, above) + allowed.rtol * max(
            (abs(side) for side in (low, high) if math.isfinite(side)), default=0.0
        )
        what = "lies between them" if low - slack <= analytic <= high + slack else "does not lie between them"
        jumps = " (a jump, or a vertical tangent)" if math.isinf(low) or math.isinf(high) else ""
        note = (f"the slope is {figures(left)} from the left and {figures(right)} from the right{jumps}; "
                f"{figures(analytic)} was returned, which {what}.")  # fmt: skip
        return Row(name, index, analytic, numeric, slack, "not differentiable", note, left, right, order)
    if math.isnan(analytic) or math.isinf(analytic):
        return row("wrong")
    gap, larger = abs(analytic - numeric), max(abs(analytic), abs(numeric))
    rounded = bar + ROUNDED * natural
    rough = row(
        "not checked", f"the function is too rough here to tell: its slope is known to ±{figures(bar, 2)} only."
    )
    if gap > allowed.atol + allowed.rtol * larger + rounded:
        return row("wrong") if bar <= max(TRUST * abs(numeric), allowed.firm * natural) else rough
    if analytic == 0 and abs(numeric) > rounded:
        return row("wrong", "exactly 0 was returned, and the slope is surely not 0.")
    if not bar <= allowed.atol + max(allowed.coarse * max(larger, scale), FINE * natural):
        return rough
    return row("ok")
