"""What is known about a wrong gradient, when a guess at the mistake counts as right, and how it is said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from micrograd_nn.graph import Node

__all__ = ["CAUSES", "Case", "Evidence", "Finding", "LocalOp", "Trace", "axes_said", "listed", "times", "verbatim"]

Array = np.ndarray[Any, Any]

CAUSES = (
    "factor", "missing 1/N", "1/N too many", "sign", "transposed", "never reached", "broadcast", "overwritten",
    "negative inputs", "positive inputs", "activation derivative", "swapped inputs", "grad_output ignored", "constant",
    "cross terms", "shifted", "reversed", "penalty", "part",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known about the gradient of one input: arrays of the input's shape.

    `looked` and `wrong` are boolean; `analytic`, `numeric` and `error_bar` are NaN where not looked at. `returned` is
    what came back, when it had another shape (`analytic` is then NaN, or what could be made of it).
    """

    name: str
    x: Array
    analytic: Array
    numeric: Array
    error_bar: Array
    looked: Array
    wrong: Array
    returned: Array | None = None


class Trace(NamedTuple):
    """The graph of the very same computation, its leaves in the order of the evidence, the gradient at its root."""

    root: Node
    leaves: list[Node]
    seed: Any


class LocalOp(NamedTuple):
    """One op looked at by itself: the `Op`, its value, the gradient that came in, its inputs' values, in order.

    The evidence that goes with it is about the tracked inputs: `places` says which of `values` each one is (by default
    the first, the second and so on).
    """

    op: Any
    out: Any
    g: Any
    values: Sequence[Any]
    params: dict[str, Any] = {}  # noqa: RUF012  # read, never written
    places: Sequence[int] | None = None


@dataclass(frozen=True)
class Finding:
    """A guess that fits: the inputs (by place) it explains, and what to say of them.

    `rank` orders guesses that fit equally well: the lower, the simpler or likelier. `value` is what it found (a
    factor, a strength), so that inputs with the same mistake can be named together. `text` is the sentence, with
    {names}, {are}, {they} ... to be filled in (see `fill`); what stands in it already goes through `verbatim`. A guess
    that is not `firm` fitted too little to stand beside others.
    """

    cause: str
    inputs: frozenset[int]
    rank: float
    text: str
    value: Any = None
    firm: bool = True

    def fill(self, names: Sequence[str]) -> str:
        """The sentence about these inputs."""
        one, many = ("is", "has", "it", "itself"), ("are", "have", "they", "themselves")
        are, have, they, itself = one if len(names) == 1 else many
        return self.text.format(names=listed(names), are=are, have=have, they=they, itself=itself)


def verbatim(said: str) -> str:
    """Text that holds nothing to be filled in."""
    return said.replace("{", "{{").replace("}", "}}")


@dataclass(eq=False)
class Case:
    """One input's evidence made ready: what came back (`a`), what is right (`n`) and how well that is known (`bar`)."""

    evidence: Evidence
    truth: Array | None = None  # the right gradient everywhere, where a graph could tell it
    a: Array = field(init=False)
    n: Array = field(init=False)

    def __post_init__(self) -> None:
        e = self.evidence
        self.name, self.x = e.name, np.asarray(e.x, float)
        self.a, self.bar = np.asarray(e.analytic, float), np.asarray(e.error_bar, float)
        numeric = np.asarray(e.numeric, float)
        self.known = np.asarray(e.looked, bool) & np.isfinite(numeric) & np.isfinite(self.bar)
        self.n = numeric if self.truth is None else np.where(np.isfinite(self.truth), self.truth, numeric)
        self.odd = e.returned is not None and np.shape(e.returned) != self.x.shape
        self.wrong = self.known & np.asarray(e.wrong, bool)
        self.u = self.a - self.n
        sizes = np.abs(self.u[self.wrong])
        self.top = float(np.max(sizes[np.isfinite(sizes)], initial=0.0))  # the size of the mistake
        self.scale = float(np.max(np.abs(self.n[self.known]), initial=0.0))

    @property
    def bad(self) -> bool:
        """Whether this input's gradient is wrong at all."""
        return self.odd or bool(np.any(self.wrong)) or bool(np.any(self.evidence.wrong))

    def slack(self, guess: Array, bar: Any = None) -> Array:
        """How far from `guess` the gradient may be and still count as it: what the measurement allows and no more
        than a small part of the mistake itself, so that a mistake of 1e-6 is not explained by anything near."""
        bar = self.bar if bar is None else bar
        bar = np.where(np.isfinite(bar), bar, np.max(self.bar[self.known], initial=0.0))
        rounding = 2e-7 * np.maximum(np.abs(self.a), np.abs(guess)) + 1e-13 * self.scale
        allowed: Array = 3 * bar + np.minimum(rounding, 1e-3 * self.top)
        return allowed

    def told(self, guess: Array, bar: Any = None, where: Any = True) -> int:
        """How many entries tell `guess`, as the gradient that came back, from the right one; 0 where it does not fit.

        An entry tells when the two are further apart than ten times what is allowed.
        """
        guess = np.broadcast_to(np.asarray(guess, float), self.a.shape)
        seen = self.known & where
        at = seen & np.isfinite(guess)
        if not np.any(at & self.wrong) or (at.sum() < seen.sum() and at.sum() < max(4, 0.02 * seen.sum())):
            return 0
        slack = self.slack(guess, bar)
        with np.errstate(invalid="ignore", over="ignore"):
            if not np.all(np.abs(self.a - guess)[at] <= slack[at]):
                return 0
            return int(np.sum((np.abs(guess - self.n) > 10 * slack) & at))

    def fitted(self, direction: Array, where: Any = True) -> tuple[float, int]:
        """The t for which the mistake is t times `direction`, and how many entries tell (0: there is no such t)."""
        at = self.known & np.isfinite(direction) & np.isfinite(self.u) & where
        size = float(np.sum(direction[at] ** 2))
        if not size:
            return 0.0, 0
        t = float(np.sum(self.u[at] * direction[at])) / size
        return t, self.told(self.n + t * direction, self.bar * max(1.0, abs(1 + t)), where) if math.isfinite(t) else 0


def listed(names: Sequence[str]) -> str:
    """`w`, `w and b`, `w, b and x`, `w, b, x and 4 more`."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def times(c: float) -> str:
    """A factor with as many digits as show that it is not 1: `2.0`, `0.50`, `1.00000100`, `100`.

    >>> times(2.0), times(0.5), times(1.000001), times(100.0), times(-2.5)
    ('2.0', '0.50', '1.00000100', '100', '−2.5')
    """
    off = abs(abs(c) - 1)
    if abs(c) >= 1e4 or 0 < abs(c) < 1e-3:
        shown = f"{c:.3g}"
    elif abs(c) >= 10 and abs(c - round(c)) < 1e-6 * abs(c):
        shown = f"{c:.0f}"
    else:
        digits = 1 - math.floor(math.log10(off)) if 0 < off < 0.095 else 1 if abs(c) >= 1 else 2
        shown = f"{c:.{min(digits, 12)}f}"
        if digits <= 2 and float(shown) and abs(c / float(shown) - 1) > 2e-4:
            shown = f"{c:.4g}"
    return shown.replace("-", "−")


def axes_said(axes: Sequence[int]) -> str:
    """`axis 0`, `axes 0 and 2`."""
    return ("axis " if len(axes) == 1 else "axes ") + listed([str(i) for i in axes])
