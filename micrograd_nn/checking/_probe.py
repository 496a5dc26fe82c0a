"""One number made of all the results of a subject, and its slope along any coordinate or direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.checking._differences import ENOUGH, STEP, Slope, own_size, rounding, slope, step_size
from micrograd_nn.checking._report import figures
from micrograd_nn.checking._subject import OUTSIDE, Subject

__all__ = ["Probe"]

Array = np.ndarray[Any, Any]
GOOD, FAIR = 1e-11, 1e-8  # error bars, as parts of the slope, with which a check is content: see `slope`
PRECISION = {np.dtype(np.float16): 2.0**-11, np.dtype(np.float32): 2.0**-24}  # half the distance from 1 to the next


class Probe:
    """The results of a subject at its inputs, weighed with `seeds` into one number that can be moved.

    A single result that is one number has the weight 1; others have random weights, of which none is small. Results
    that are no numbers (NaN, inf) are left out: `bad` says which.
    """

    def __init__(self, subject: Subject, outs: Sequence[Array], rng: np.random.Generator, eps: float | None) -> None:
        self.subject, self.arrays, self.first = subject, subject.arrays, STEP if eps is None else eps
        self.fixed = eps is not None
        # A large block given back: from then on malloc (glibc's) keeps memory between calls, instead of handing it back
        # to the system and fetching it anew each time, which takes longer than most functions.
        np.empty(min(2**22 - 2**12, 16 * sum(a.size for a in self.arrays)))
        self.calls = self.agreed = 0
        self.bad = [~np.isfinite(o) for o in outs]
        if len(outs) == 1 and outs[0].size == 1:
            weights = [np.ones(outs[0].shape)]
        else:
            weights = [rng.uniform(0.5, 1.5, o.shape) * rng.choice([-1.0, 1.0], o.shape) for o in outs]
        self.weighed = "" if len(outs) == 1 and outs[0].size == 1 else _weighed(weights)
        self.seeds = [np.where(b, 0.0, w) for b, w in zip(self.bad, weights, strict=True)]
        self.shapes = [o.shape for o in outs]
        self.dtype = min(
            (o.dtype for o in outs if o.dtype.kind == "f"), key=lambda d: d.itemsize, default=np.dtype(float)
        )
        self.here = self._weighed(outs)
        self.typical = [typical(a) for a in self.arrays]
        self.sizes = [step_size(a, t) for a, t in zip(self.arrays, self.typical, strict=True)]
        self.size = max(self._amount(outs), *(self._amount_near(rng) for _ in range(3)))
        self.least = PRECISION.get(self.dtype, 2.0**-53) * self.size  # the last operation alone rounds that much
        self.noise = np.maximum(self._measured(rng), self.least)
        self.hollow = bool(self.size <= 100 * self.noise[0])  # all of it is rounding, as of x - x,
        if self.hollow:  # and on any scale of its own it is 0
            self.size = 1e13 * float(self.noise[0])

    def _weighed(self, outs: Sequence[Array]) -> Array:
        total = 0.0
        for w, o, b in zip(self.seeds, outs, self.bad, strict=True):
            values = np.where(b, 0.0, o) if b.any() else o
            total += float(
                np.sum(w * np.asarray(values, float))
            )  # pairwise: rounds less than np.dot, and on one thread
        return np.array([total])

    def _amount(self, outs: Sequence[Array]) -> float:
        """The size of the number, had nothing in it cancelled."""
        parts = zip(self.seeds, outs, self.bad, strict=True)
        return sum(float(np.sum(np.abs(w * np.where(b | ~np.isfinite(o), 0, o)))) for w, o, b in parts)

    def _amount_near(self, rng: np.random.Generator) -> float:
        """The same a step away: at the point, or at steps all alike, a sum of large parts may happen to be 0."""
        parts = (rng.choice([-1.0, 1.0], a.shape) * rng.uniform(1 / 32, 1 / 16, a.shape) for a in self.arrays)
        ways = [part * s for part, s in zip(parts, self.sizes, strict=True)]
        try:
            outs = self.subject.outputs([a + w for a, w in zip(self.arrays, ways, strict=True)])
        except OUTSIDE:
            return 0.0
        return self._amount(outs) if [o.shape for o in outs] == self.shapes else 0.0

    def natural(self, place: int) -> Array:
        """The slopes that would change the number by its own size, as each entry of an input moves by its own."""
        return np.broadcast_to(self.size / np.asarray(self.sizes[place]), self.arrays[place].shape)

    def at(self, arrays: Sequence[Array]) -> Array | None:
        """The number elsewhere; None where the subject is not defined."""
        self.calls += 1
        try:
            outs = self.subject.outputs(arrays)
        except OUTSIDE:
            return None
        if any(o.dtype.kind == "c" for o in outs):  # (-0.1) ** 0.5 is a complex number in Python
            return None
        if [o.shape for o in outs] != self.shapes:
            raise TypeError(
                f"the results of {self.subject.name} have shapes {[o.shape for o in outs]} here and {self.shapes} a "
                "small step away: their shapes must not depend on the numbers."
            )
        value = self._weighed(outs)
        return value if np.isfinite(value[0]) else None

    def _measured(self, rng: np.random.Generator) -> Array:
        """The rounding of the number, along a direction in which everything moves."""
        ways = [rng.choice([-1.0, 1.0], a.shape) * own_size(a, s) for a, s in zip(self.arrays, self.sizes, strict=True)]
        return rounding(lambda t: self.at([a + t * w for a, w in zip(self.arrays, ways, strict=True)]), self.here, 1.0)

    def coordinate(self, place: int, index: tuple[int, ...], again: bool = False) -> Slope:
        """The slope by one entry of one input; for a second opinion `again`: other steps, rounding measured anew."""
        original = self.arrays[place]
        x, size = float(original[index]), float(np.asarray(self.sizes[place])[index])
        moved = original.copy()
        arrays = [*self.arrays[:place], moved, *self.arrays[place + 1 :]]

        def move(t: float) -> Array | None:
            moved[index] = x + t
            return self.at(arrays)

        return self._slope(move, size, again, x, float(own_size(x, size)))

    def direction(self, ways: Sequence[Array], again: bool = False) -> Slope:
        """The slope as every input moves by its array of `ways` a unit."""

        def move(t: float) -> Array | None:
            return self.at([a + t * w for a, w in zip(self.arrays, ways, strict=True)])

        return self._slope(move, 1.0, again)

    def _slope(self, move: Any, size: float, again: bool, x: float = 0.0, smallest: float = 0.0) -> Slope:
        noise, first = self.noise, self.first / size if self.fixed else self.first
        if again:
            noise = np.maximum(rounding(move, self.here, smallest or size), self.least)
            first *= 0.37
        return slope(
            move, self.here, size, noise, x, smallest, first, ENOUGH if again else GOOD, ENOUGH if again else FAIR
        )

    def complex_slope(self, place: int, index: tuple[int, ...]) -> tuple[float, float] | None:
        """The slope by one entry, and its error bar, from a step in the imaginary direction (Squire and Trapp 1998).

        None where the code does not take complex numbers.
        """
        if any(b.any() for b in self.bad):
            return None
        tiny = 2.0**-500
        arrays = [a.astype(complex) if i == place else a for i, a in enumerate(self.arrays)]
        arrays[place][index] += tiny * 1j
        try:
            outs = self.subject.complex_outputs(arrays)
        except Exception:  # code that was not written for complex numbers may do anything
            return None
        if outs is None or [o.shape for o in outs] != self.shapes:
            return None
        parts = np.concatenate([(w * o.imag).ravel() / tiny for w, o in zip(self.seeds, outs, strict=True)])
        value, amount = float(parts.sum()), float(np.abs(parts).sum())
        return (value, 1e-13 * amount) if np.isfinite(amount) else None


def _weighed(weights: Sequence[Array]) -> str:
    """How several results became one number, in words."""
    n = sum(w.size for w in weights)
    shown = ", ".join(figures(w) for part in weights for w in part.ravel().tolist()) if n <= 4 else ""
    how = f"the weights {shown}" if shown else "random weights between 0.5 and 1.5, of either sign"
    return f"The {n:,} results are weighed into one number, with {how}."


def typical(a: Array) -> float:
    """The size of a typical entry: the root of the mean square; 1 where all are 0, or next to it."""
    finite = a[np.isfinite(a)]
    top = float(np.abs(finite).max(initial=0.0))
    return float(np.sqrt(np.mean((finite / top) ** 2)) * top) if top > 1e-200 else 1.0
