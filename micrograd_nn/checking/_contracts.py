"""What must hold before any number is compared: each promise, and the sentence for code that breaks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.checking._pair import Pair
from micrograd_nn.checking._report import called, figures
from micrograd_nn.checking._subject import Contract, Entry, Subject

__all__ = ["Returned", "agree", "same_results"]

Array = np.ndarray[Any, Any]
SAME = 1e-12  # two runs of the same sums may differ by rounding, where a library splits them differently
SINGLE = 1e-6  # what is off by less than this has the digits of float32


class Returned:
    """What a backward pass returned for the entries, as float64 arrays of their shapes, and what was wrong with it.

    `arrays` holds None where it was no array of that shape; `raw` then has it as it came, where that is numbers.
    `coarse` says which have the digits of float32 only. `nonlinear` is the sentence for gradients that are not linear
    in the one that comes in.
    """

    def __init__(self) -> None:
        self.arrays: list[Array | None] = []
        self.raw: list[Array | None] = []
        self.coarse: list[bool] = []
        self.problems: list[str] = []
        self.nonlinear = ""

    def add(self, e: Entry, g: Any, coarse: bool) -> None:
        """Look at the gradient of an entry: its type and shape. With `coarse` the code computes in float32."""
        array = np.zeros(e.array.shape) if g is None else _array(g)
        fault = _fault(e, g, array, coarse)
        if fault:
            self.problems.append(fault)
        fits = array.shape == e.array.shape or (e.number and array.size == 1)
        plain = array.dtype.kind in "fiubc"
        self.raw.append(array if plain else None)
        self.arrays.append(np.asarray(array.real, np.float64).reshape(e.array.shape) if plain and fits else None)
        self.coarse.append(array.dtype.kind == "f" and array.dtype.itemsize < 8)


def _array(g: Any) -> Array:
    try:
        return np.asarray(g)
    except (TypeError, ValueError):  # rows of several lengths, or a node
        return np.array(g, object)


def _fault(e: Entry, g: Any, array: Array, coarse: bool) -> str:
    """The one sentence for a gradient that is not what it has to be; empty where there is nothing to say."""
    its, kind = f"the gradient of {e.name}", array.dtype.kind
    if kind not in "fiubc":
        return f"{its} is {_called(g)}, not an array of numbers."
    if array.shape != e.array.shape and not (e.number and array.size == 1):
        return f"{its} has shape {array.shape}, and {e.name} has shape {e.array.shape}: they must be the same."
    if isinstance(g, list | tuple) and not e.number:
        return f"{its} is a {type(g).__name__}, not an array: make it one with np.array(...)."
    if kind == "c":
        return f"{its} is complex ({array.dtype}), and {e.name} is real: take its .real."
    if kind in "iub" and array.size and not (e.number and isinstance(g, int)):
        return (
            f"{its} is {array.dtype}, which holds no decimals: make it with np.zeros_like({e.name}), or multiply by "
            "the gradient that comes in."
        )
    if array.dtype.itemsize < 8 and not coarse and g is not None:
        return f"{its} is {array.dtype}, and all else is float64: digits are lost on the way back."
    return ""


def _called(g: Any) -> str:
    if isinstance(g, np.ndarray):
        return f"an array of {'objects' if g.dtype.kind == 'O' else g.dtype}"
    return f"{'an' if type(g).__name__[0] in 'aeiou' else 'a'} {type(g).__name__}"


def agree(
    subject: Subject, outs: Sequence[Array], seeds: Sequence[Array], rng: np.random.Generator, slack: float,
    natural: Sequence[Array],
) -> Returned:  # fmt: skip
    """What the backward pass returns for `seeds`, after the promises that no number is needed for.

    `natural` are the slopes that would change the results by their own size: against them sums that cancel are 0.
    Raises `Contract` where one is broken that makes comparing pointless.
    """
    found = subject.pull(subject.arrays, seeds)
    _same_gradients(subject, found, seeds, max(slack, SAME))
    returned = Returned()
    for e, g in zip(subject.entries, found, strict=True):
        returned.add(e, g, any(o.dtype.itemsize < 8 and o.dtype.kind == "f" for o in outs))
    if not returned.problems:  # what is no proper array needs no second sentence
        returned.nonlinear = _nonlinear(subject, found, seeds, rng, slack, natural)
        returned.problems += [returned.nonlinear] if returned.nonlinear else []
    if isinstance(subject, Pair):
        returned.problems += _types(subject, seeds)
    return returned


def same_results(subject: Subject, outs: Sequence[Array], slack: float) -> None:
    """Raise `Contract` where the function does not give the same for the same numbers."""
    slack = max(slack, SAME)
    again = subject.outputs(subject.arrays)
    for i, (o, p) in enumerate(zip(outs, again, strict=False)):
        if len(outs) == len(again) and o.shape == p.shape and _near(o, p, slack):
            continue
        off = "of another shape"
        if o.shape == p.shape:
            a, b = o.astype(float), p.astype(float)
            place = np.unravel_index(np.argmax(np.where(a == b, 0, np.nan_to_num(np.abs(a - b), nan=np.inf))), o.shape)
            at = called("", tuple(map(int, place)))
            off = f"{figures(float(a[place]), 6)} and then {figures(float(b[place]), 6)}{f' at {at}' if at else ''}"
        what = "its result" if len(outs) == 1 else f"result {i}"
        raise Contract(
            f"{subject.name} is not deterministic: called twice with the same numbers, {what} is {off}. Switch dropout "
            "and noise off with .eval(), draw random numbers once and pass them in, and keep nothing from call to call."
        )


def _same_gradients(subject: Subject, first: Sequence[Any], seeds: Sequence[Array], slack: float) -> None:
    """Whether the backward pass gives the same again."""
    for e, a, b in zip(subject.entries, first, subject.pull(subject.arrays, seeds), strict=True):
        if _numeric(a, b) and not _near(a, b, slack):
            grown = (
                " It has grown: something is added up over calls." if _near(b, 2 * np.asarray(a, float), SINGLE) else ""
            )
            raise Contract(
                "the backward pass is not the same twice: called again with the same numbers, it gives another "
                f"gradient of {e.name}.{grown}"
            )


def _nonlinear(
    subject: Subject, first: Sequence[Any], seeds: Sequence[Array], rng: np.random.Generator, slack: float,
    natural: Sequence[Array],
) -> str:  # fmt: skip
    """The sentence for gradients that are not linear in the gradient that comes in; empty where all are."""
    others = [
        np.where(s == 0, 0.0, rng.uniform(0.5, 1.5, s.shape) * rng.choice([-1.0, 1.0], s.shape)) if s.size > 1
        else -rng.uniform(0.5, 1.5, s.shape) * np.ones(s.shape)  # of the other sign: |g| is not linear
        for s in seeds
    ]  # fmt: skip
    one = subject.pull(subject.arrays, others)
    both = subject.pull(subject.arrays, [s + 3 * o for s, o in zip(seeds, others, strict=True)])
    for e, a, b, c, large in zip(subject.entries, first, one, both, natural, strict=True):
        if not (_numeric(a, b) and _numeric(a, c)) or not np.shape(a) == np.shape(b) == np.shape(c) == large.shape:
            continue
        a, b, c = (np.asarray(x, float) for x in (a, b, c))
        with np.errstate(all="ignore"):
            scale = np.abs(a) + 3 * np.abs(b)
            scale += 1e-3 * np.max(scale[np.isfinite(scale)], initial=0) + 1e-2 * large
            off = np.abs(c - (a + 3 * b)) / np.where(scale > 0, scale, 1)
        if not np.any(off > max(slack, 1e-10)):
            continue
        if _near(a, b, 1e-9) and _near(a, c, 1e-9):
            return (
                f"the gradient of {e.name} does not depend on the gradient that comes in: multiply by it. A loss is "
                "not always the end, and its gradient not always 1."
            )
        if np.nanmax(off) < SINGLE:
            least = figures(float(np.nanmax(off)), 1)
            return (
                f"the gradient of {e.name} follows the gradient that comes in to {least} only: something on the way "
                "back is rounded, or is float32."
            )
        return (
            f"the gradient of {e.name} is not linear in the gradient that comes in: for g1 + 3·g2 it is not what it is "
            "for g1, plus 3 times what it is for g2. Multiply by the gradient that comes in once, and everywhere."
        )
    return ""


def _near(a: Any, b: Any, slack: float) -> bool:
    """Whether two gradients are the same but for rounding."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        return False
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(a), np.abs(b))
        top = np.max(scale[np.isfinite(scale)], initial=0)
        close = np.abs(a - b) <= slack * (scale + 1e-3 * top)
    return bool(np.all(close | (a == b) | (np.isnan(a) & np.isnan(b))))


def _numeric(*gradients: Any) -> bool:
    return all(g is not None and _array(g).dtype.kind in "fiub" for g in gradients)


def _types(pair: Pair, seeds: Sequence[Array]) -> list[str]:
    """Whether code that is given one type of float throughout gives gradients of that type."""
    given = {e.given for e in pair.entries}
    if given == {np.dtype(np.float64)} or len(given) > 1:
        return []
    found = pair.pull(pair.arrays, seeds, dtype=True)
    return [
        f"{e.name} was given as {e.given}, and its gradient comes back as {_array(g).dtype}: they must be the same."
        for e, g in zip(pair.entries, found, strict=True)
        if g is not None and not e.number and _array(g).dtype.kind == "f" and _array(g).dtype != e.given
    ]
