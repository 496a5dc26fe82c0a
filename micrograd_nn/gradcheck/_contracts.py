"""What must hold before any number is compared: each promise, and the sentence for code that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.gradcheck._report import called, figures
from micrograd_nn.gradcheck._subject import Contract, Pair, Subject

__all__ = ["Returned", "agree", "looked_at"]

Array = np.ndarray[Any, Any]
SAME = 1e-12  # two runs of the same sums may differ by rounding, where a library splits them differently


class Returned:
    """What a backward pass returned for the entries, as float64 arrays of their shapes, and what was wrong with it.

    `arrays` holds None where the shape was another; `raw` then has the array as it came. `linear` is whether they are
    linear in the gradient that came in, `ignores` whether that made no difference at all.
    """

    def __init__(self) -> None:
        self.arrays: list[Array | None] = []
        self.raw: list[Any] = []
        self.problems: list[str] = []
        self.dtypes: list[Any] = []
        self.missing: list[bool] = []
        self.ignores, self.linear = False, True


def looked_at(subject: Subject, found: Sequence[Any], coarse: bool) -> Returned:
    """Shape and type of every gradient. With `coarse` the code computes in float32, and says so elsewhere."""
    out = Returned()
    for e, g in zip(subject.entries, found, strict=True):
        out.missing.append(g is None)
        if g is None:
            out.arrays.append(np.zeros(e.array.shape))
            out.raw.append(None)
            continue
        try:
            array = np.asarray(g)
        except (TypeError, ValueError):
            array = np.array(None)
        out.raw.append(array)
        if array.dtype.kind == "c":
            out.problems.append(f"the gradient of {e.name} is complex ({array.dtype}), and {e.name} is real: take its .real.")
        elif array.dtype.kind in "iub" and array.size:
            out.problems.append(
                f"the gradient of {e.name} is {array.dtype}, which cuts off decimals: make it with np.zeros_like({e.name}), "
                "or multiply by the gradient that comes in."
            )
        elif array.dtype.kind not in "fiub":
            out.problems.append(f"the gradient of {e.name} is {type(g).__name__}, not an array of numbers.")
            out.arrays.append(None)
            continue
        elif array.dtype.itemsize < 8 and not coarse:
            out.problems.append(
                f"the gradient of {e.name} is {array.dtype}, and all else is float64: digits are lost on the way back."
            )
        if array.shape != e.array.shape and not (e.number and array.size == 1):
            out.problems.append(
                f"the gradient of {e.name} has shape {array.shape}, and {e.name} has shape {e.array.shape}: they must be "
                "the same."
            )
            out.arrays.append(None)
            continue
        out.arrays.append(np.asarray(array.real if array.dtype.kind == "c" else array, np.float64).reshape(e.array.shape))
    return out


def _near(a: Any, b: Any, slack: float) -> bool:
    """Whether two gradients are the same but for rounding."""
    if a is None or b is None:
        return a is b
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(a), np.abs(b))
        top = np.max(scale[np.isfinite(scale)], initial=0)
        close = np.abs(a - b) <= slack * (scale + 1e-3 * top)
    return bool(np.all(close | (a == b) | (np.isnan(a) & np.isnan(b))))


def agree(
    subject: Subject, outs: Sequence[Array], seeds: Sequence[Array], rng: np.random.Generator, slack: float,
    natural: Sequence[Array],
) -> Returned:  # fmt: skip
    """What the backward pass returns for `seeds`, after the promises that no number is needed for.

    `natural` are the slopes that would change the results by their own size: against them sums that cancel are 0.
    Raises `Contract` where one is broken that makes comparing pointless.
    """
    again = subject.outputs(subject.arrays)
    for i, (o, p) in enumerate(zip(outs, again, strict=False)):
        if len(outs) != len(again) or o.shape != p.shape or not _near(o, p, max(slack, SAME)):
            what = "its result" if len(outs) == 1 else f"result {i}"
            off = "another shape"
            if o.shape == p.shape:
                place = np.unravel_index(np.argmax(np.nan_to_num(np.abs(o - p), nan=np.inf)), o.shape)
                at = called("", tuple(map(int, place)))
                off = f"{figures(float(o[place]), 6)} and then {figures(float(p[place]), 6)}" + (f" at {at}" if at else "")
            raise Contract(
                f"{subject.name} is not deterministic: called twice with the same numbers, {what} is {off}. Fix its random "
                "numbers, switch dropout and noise off with .eval(), and keep nothing from call to call."
            )
    first = subject.pull(subject.arrays, seeds)
    second = subject.pull(subject.arrays, seeds)
    returned = looked_at(subject, first, any(o.dtype.itemsize < 8 and o.dtype.kind == "f" for o in outs))
    names = [e.name for e in subject.entries]
    for name, a, b in zip(names, first, second, strict=True):
        if _numeric(a, b) and not _near(a, b, max(slack, SAME)):
            grown = " It has grown: something is added up over calls." if _near(b, 2 * np.asarray(a, float), 1e-6) else ""
            raise Contract(
                f"the backward pass is not the same twice: called again with the same numbers, the gradient of {name} is "
                f"another.{grown}"
            )
    others = [rng.uniform(0.5, 1.5, s.shape) * rng.choice([-1.0, 1.0], s.shape) for s in seeds]
    others = [np.where(s == 0, 0.0, o) if s.size > 1 else o for s, o in zip(seeds, others, strict=True)]
    one, both = subject.pull(subject.arrays, others), subject.pull(subject.arrays, [s + 3 * o for s, o in zip(seeds, others)])
    for name, a, b, c, large in zip(names, first, one, both, natural, strict=True):
        if not (_numeric(a, b) and _numeric(a, c)) or not np.shape(a) == np.shape(b) == np.shape(c):
            continue
        a, b, c = (np.asarray(x, float) for x in (a, b, c))
        with np.errstate(all="ignore"):
            scale = np.abs(a) + 3 * np.abs(b)
            top = np.max(scale[np.isfinite(scale)], initial=0)
            off = np.abs(c - (a + 3 * b)) > max(slack, 1e-10) * (scale + 1e-3 * top + 1e-3 * large)
        if off.any():
            returned.linear = False
            returned.ignores = _near(a, b, 1e-9) and _near(a, c, 1e-9)
            if returned.ignores:
                returned.problems.append(
                    f"the gradient of {name} does not depend on the gradient that comes in: multiply by it. A loss is not "
                    "always the end, and its gradient not always 1."
                )
            else:
                returned.problems.append(
                    f"the gradient of {name} is not linear in the gradient that comes in: for g1 + 3·g2 it is not what it "
                    "is for g1, plus 3 times what it is for g2."
                )
            break
    if isinstance(subject, Pair):
        returned.problems += _types(subject, seeds)
    return returned


def _numeric(*arrays: Any) -> bool:
    return all(a is not None and np.asarray(a).dtype.kind in "fiub" for a in arrays)


def _types(pair: Pair, seeds: Sequence[Array]) -> list[str]:
    """Whether an input that was given in another type of float gets its gradient in that type."""
    if all(e.given == np.float64 for e in pair.entries):
        return []
    found = pair.pull(pair.arrays, seeds, dtype=True)
    return [
        f"{e.name} was given as {e.given}, and its gradient comes back as {np.asarray(g).dtype}: the types must be the same."
        for e, g in zip(pair.entries, found, strict=True)
        if g is not None and np.asarray(g).dtype.kind == "f" and np.asarray(g).dtype != e.given
    ]
