"""One op by itself: what its rule gives for one input, held against differences of the op at the values that flowed.

Many entries of an input, or many ops on plain numbers, are judged at once (`judged`), by the step sizes of
`_differences` one after another, until an agreement is sure. What disagrees is a suspect: it is looked at again by
itself (`looked_at_again`), with the rounding of the op measured, and only what is wrong then is wrong. An input with
more entries than can be looked at one by one is moved as a whole along random directions (`along`); where that
disagrees, halving finds an entry that does (`narrowed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd_nn.gradcheck._differences import (
    CENTRAL_NOISE,
    JUMP_NOISE,
    SHRINK,
    STEP,
    STEPS,
    SURE,
    TABLE,
    Slope,
    rounding,
    slope,
    step_size,
)
from micrograd_nn.graph import Node
from micrograd_nn.op import Patch

__all__ = [
    "KINKED", "OK", "SUSPECT", "UNSURE", "WRONG", "Entries", "Fault", "Local", "Numbers", "Row", "Tally", "Verdicts",
    "along", "judged", "looked_at_again", "mixed", "narrowed", "protected", "share_of",
]  # fmt: skip

Array = np.ndarray[Any, Any]
OK, WRONG, KINKED, UNSURE, SUSPECT, LOOKING = range(6)
CALL = 3_000  # what calling an op at all costs, in numbers read and written
RTOL = {8: 1e-9, 4: 1e-3, 2: 0.1}  # by the bytes of the coarsest number involved
BLOCKS = (0, 1, 2, 3, 5)  # the step sizes: STEP * SHRINK ** k
NEAREST = float(np.abs(STEPS).min())
EXACT = 2.0**-52
SLACK = 500  # roundings of g * out that a rule is forgiven: 1 - out * out has lost its digits where out is nearly 1


class Fault(Exception):
    """Something is wrong with a rule whatever the numbers: the message says what."""


class Tally:
    """How often ops were computed."""

    def __init__(self) -> None:
        self.evaluations = 0


def mixed(rng: np.random.Generator, n: int) -> Array:
    """Numbers of both signs and of several sizes, none near 0."""
    found: Array = rng.choice([-1.0, 1.0], n) * 2.0 ** rng.uniform(-2, 2, n)
    return found


def share_of(node: Node, i: int, g: Any, values: Sequence[Any]) -> Any:
    """Input i's share of `g`, settled as the backward sweep settles it: a float or an array of the input's shape.

    Raises `Fault` where the rule gives nothing that could be settled.
    """
    x = node.inputs[i]
    before = g.copy() if isinstance(g, np.ndarray) else g
    try:
        raw = node.op.share(i, g, node._data, values, node.params)
    except Exception as error:  # a rule may raise anything
        if isinstance(error, ValueError) and "read-only" in str(error):
            raise Fault("its rule writes into its inputs") from None
        raise Fault(f"its rule raises {type(error).__name__}: {error}") from None
    if raw.__class__ is float and x._data.__class__ is float:
        return raw
    if isinstance(g, np.ndarray) and not np.array_equal(before, g, equal_nan=True):
        raise Fault("its rule changes the gradient that comes in, in place, and others need it too")
    if isinstance(raw, Node):
        raise Fault(f"its rule gives a {raw.kind} where plain numbers went in")
    shape, dtype = (tuple(raw.shape), raw.dtype) if isinstance(raw, Patch) else _form(raw)
    if dtype.kind not in "fbiu":
        what = "complex numbers" if dtype.kind == "c" else f"{type(raw).__name__} {raw!r:.40}"
        raise Fault(f"its rule gives {what}, and a gradient is real numbers")
    wanted = np.shape(x._data)
    try:
        if shape != wanted and isinstance(raw, Patch):
            raise ValueError
        np.broadcast_shapes(shape, wanted)
        fitted = x._settle(x._fit(raw, g))
        if np.shape(fitted) != wanted:
            raise ValueError
    except (ValueError, IndexError, TypeError):
        raise Fault(f"its rule gives shape {shape} for an input of shape {wanted}") from None
    return fitted


def _form(raw: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        array = np.asarray(raw)
    except ValueError:  # rows of several lengths
        array = np.empty((), object)
    return array.shape, array.dtype


def protected(value: Any) -> Any:
    """An array as a view that cannot be written to; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    view = value.view()
    view.flags.writeable = False
    return view


class Local:
    """One op at one node, as a function of one of its inputs, the others as they were.

    `x` is that input and `here` the value, flat and in float64, as all differences are computed; `size` is what steps
    are relative to, `known` where the value is finite, `same` whether the op gives again what it gave.
    """

    def __init__(self, node: Node, i: int, tally: Tally) -> None:
        self.node, self.i, self.tally = node, i, tally
        self.values = [protected(x._data if isinstance(x, Node) else x) for x in node.inputs]
        self.wide = [v.astype(float) if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for v in self.values]
        self.number = isinstance(self.values[i], float)
        self.x: Array = np.array(self.values[i], float)
        self.shape, self.n = np.shape(node._data), self.x.size
        self.finite = np.isfinite(self.x)
        usual = float(np.sqrt(np.mean(np.square(self.x[self.finite])))) if self.finite.any() else 1.0
        self.size: Array = step_size(np.where(self.finite, self.x, 1.0), usual if 0 < usual < np.inf else 1.0)
        self.dtype = min((np.asarray(v).dtype for v in (node._data, self.values[i])), key=lambda d: d.itemsize)
        self.eps, self.rtol = float(np.finfo(self.dtype).eps), RTOL.get(self.dtype.itemsize, 1e-9)
        self.tiny = float(np.finfo(self.dtype).tiny) / self.eps
        self.grain = EXACT  # of the differences; coarser where the op insists
        self.cost = CALL + sum(np.size(v) for v in self.values) + int(np.size(node._data))
        out = self.run(self.x)
        self.here: Array = np.ravel(node._data).astype(float) if out is None else out
        self.known = np.isfinite(self.here)
        largest = max(np.abs(a).max(initial=1.0) for a in (self.x[self.finite], self.here[self.known]))
        self.far = 2.0 * float(largest)
        self.now = out if self.eps == EXACT else self.run(self.x, self.values)
        self.same = out is not None and self.now is not None and self._again(self.now)

    def _again(self, now: Array) -> bool:
        before = np.ravel(self.node._data)
        if np.array_equal(before, now, equal_nan=True):
            return True
        largest = float(np.abs(before[np.isfinite(before)]).max(initial=0.0))
        rounded = 100 * self.eps * (largest + float(np.sum(np.abs(self.x[self.finite]))))
        return bool(np.allclose(now, before, rtol=1e-9, atol=rounded, equal_nan=True))

    def run(self, x: Array, given: Sequence[Any] | None = None) -> Array | None:
        """The op's value elsewhere, flat; None where it has none."""
        self.tally.evaluations += 1
        values = list(given or self.wide)
        if given is None:
            values[self.i] = float(x) if self.number else x
        try:
            out = np.asarray(self.node.op.run(values, self.node.params))
        except Exception:  # outside its domain an op may raise anything
            return None
        if out.shape != self.shape or out.dtype.kind not in "fbiu":
            return None
        if given is None and out.dtype.kind == "f" and out.dtype.itemsize < 8:
            self.grain = float(np.finfo(out.dtype).eps)
        return np.array(out, float).ravel()

    def moved(self, place: int, t: float) -> Array | None:
        """The value where one entry has moved by `t`."""
        x = self.x.copy()
        x.flat[place] += t
        return self.run(x)

    def natural(self, place: int) -> Array:
        """What the results amount to that an entry has a part in, as far as a rule or a step can be rounded away.

        Found by moving it far: a step in b of a + b may be too small to be seen, and of 1 - out nothing is left where
        out is nearly 1. And by moving it a little: shares that cancel in a sum were rounded one by one.
        """
        x, size = float(self.x.flat[place]), float(self.size.flat[place])
        found, most = np.zeros(self.here.shape), 10 * float(np.abs(self.here[self.known]).max(initial=0.0))
        for far in (self.far, -self.far):
            out = self.moved(place, far)
            if out is None:
                continue
            change = np.abs(np.where(np.isfinite(out), out, np.inf) - self.here)
            usual = np.minimum(change, max(most, self.far)) * (size / self.far)
            found = np.fmax(found, np.where(change > 0, np.abs(self.here) + usual, 0.0))
        step = 2.0**-20 * min(abs(x) or size, size)
        near = self.moved(place, step)
        if near is not None:
            found = np.fmax(found, np.where(found > 0, np.abs(near - self.here) * (size / step), 0.0))
        return np.where(self.known, found, 0.0)

    def given(self, g: Array) -> Any:
        """A flat gradient in the form in which the sweep would bring it."""
        out = self.node._data
        return float(g[0]) if isinstance(out, float) else g.reshape(self.shape).astype(out.dtype)

    def share(self, g: Array) -> Array:
        """What the input gets of `g`, flat."""
        return np.asarray(share_of(self.node, self.i, self.given(g), self.values), float).ravel()

    def drawn(self, rng: np.random.Generator) -> Array:
        """A random gradient for the result, flat: 0 where the result is no number."""
        g = mixed(rng, self.here.size).astype(np.asarray(self.node._data).dtype).astype(float)
        return np.where(self.known, g, 0.0)


class Entries:
    """Entries of one input of an op on arrays, each moved by itself; columns are sums of g * op, one for each g."""

    def __init__(self, local: Local, places: Array, gradients: Sequence[tuple[Array, Array]]) -> None:
        self.local, self.places, self.n = local, places, len(places)
        self.x, self.size = local.x.flat[places], local.size.flat[places]
        self.g = np.stack([g for g, _ in gradients], axis=1)
        self.analytic = [(column, share[places]) for column, (_, share) in enumerate(gradients)]
        self.eps, self.rtol, self.tiny = local.eps, local.rtol, local.tiny
        self.natural = np.stack([local.natural(p) @ np.abs(self.g) for p in places.tolist()])

    def move(self, rows: Array, t: float) -> Array:
        """The sums at a distance, less what they are here."""
        out = np.full((len(rows), self.g.shape[1]), np.nan)
        for k, r in enumerate(rows.tolist()):
            found = self.local.moved(int(self.places[r]), t * self.size[r])
            if found is None:
                continue
            touched = np.flatnonzero((found != self.local.here) & (self.local.known | ~np.isnan(found)))
            terms = self.g[touched] * (found[touched] - self.local.here[touched])[:, None]
            terms[self.g[touched] == 0] = 0.0  # where no gradient comes in, it is all one what the value does
            out[k] = terms.sum(axis=0)
        return out

    def noise(self, rows: Array) -> Array:
        return self.local.grain / 2 * self.natural[rows]


@dataclass(slots=True)
class Row:
    """One input of one op on plain numbers, and the gradient that flowed with what the rule made of it."""

    node: Node
    values: tuple[float, ...]
    params: dict[str, Any]
    flowed: float
    share: float


class Numbers:
    """One input of an op on plain numbers, at many nodes: a row each, moved all at once, with one column."""

    eps, rtol, tiny = EXACT, RTOL[8], 1e-290

    def __init__(self, op: Any, i: int, rows: list[Row], drawn: Array, shares: Array, tally: Tally) -> None:
        self.op, self.i, self.rows, self.tally, self.n = op, i, rows, tally, len(rows)
        self.x = np.array([r.values[i] for r in rows])
        self.size: Array = step_size(self.x, 1.0)
        self.quick = op.scalar is not None and not any(r.params for r in rows)
        self.here = np.zeros(self.n)
        self.here = self.move(np.arange(self.n), 0.0)[:, 0]
        out = np.array([r.node._data for r in rows])
        self.same = np.isclose(self.here, out, rtol=1e-9, atol=0.0)
        self.drawn, self.shares = drawn, shares
        flowed = np.array([r.flowed for r in rows])
        self.analytic = [(0, np.array([r.share for r in rows]) / flowed), (0, shares / drawn)]

    def move(self, rows: Array, t: float) -> Array:
        """The values at a distance, less what they are here."""
        self.tally.evaluations += len(rows)
        chosen = self.rows if len(rows) == self.n else [self.rows[r] for r in rows.tolist()]
        xs, f, i = (self.x[rows] + t * self.size[rows]).tolist(), self.op.scalar, self.i
        try:
            arity = len(chosen[0].values) if self.quick else 0
            if arity == 1:
                out = [f(x) for x in xs]
            elif arity == 2 and i == 0:
                out = [f(x, r.values[1]) for x, r in zip(xs, chosen, strict=True)]
            elif arity == 2:
                out = [f(r.values[0], x) for x, r in zip(xs, chosen, strict=True)]
            else:
                out = [self._one(r, x) for x, r in zip(xs, chosen, strict=True)]
            found = np.array(out, float)
        except Exception:  # somewhere outside the domain
            found = np.array([self._one(r, x) for x, r in zip(xs, chosen, strict=True)])
        return (found - self.here[rows])[:, None]

    def _one(self, row: Row, x: float) -> float:
        try:
            return float(self.op.run([*row.values[: self.i], x, *row.values[self.i + 1 :]], row.params))
        except Exception:
            return np.nan

    def noise(self, rows: Array) -> Array:
        return EXACT / 2 * np.abs(self.here[rows])[:, None]

    @property
    def natural(self) -> Array:
        return np.abs(self.here)[:, None]


@dataclass
class Verdicts:
    """Row by row the verdict, and in the last column the slope, its error bar and the slopes from either side."""

    status: Array
    slope: Array
    error: Array
    left: Array
    right: Array


def _read(values: Array, noise: Array, h: float) -> tuple[Array, Array, Array, Array, Array]:
    """What the values at h * STEPS, less that at 0, say of many functions at once (see `_differences`).

    The slope, its error bar, the part of it that is rounding, how much the slope jumps at 0, and whether that is sure.
    """
    value, less, jump, jump_less = TABLE[:4] @ (values / h)
    noise = np.maximum(noise, EXACT / 2 * np.abs(values).max(axis=0)) * (SURE / h)
    rounded = CENTRAL_NOISE * noise
    seen = np.abs(jump) - JUMP_NOISE * noise
    error = np.abs(value - less) + rounded + np.where(seen > 0, np.abs(jump), 0.0)
    return value, error, rounded, jump, seen > 2 * np.abs(jump - jump_less)


def judged(rows: Entries | Numbers) -> Verdicts:
    """The verdict on every row; what is SUSPECT must be looked at again, by itself."""
    n = rows.n
    status, strikes = np.full(n, LOOKING), np.zeros(n, int)
    kinked, fair, lost = np.zeros((3, n), bool)
    best, gap, slopes, left, right = np.full((5, n), np.nan)
    best[:] = np.inf
    natural, todo = np.zeros(0), np.arange(n)
    for k in BLOCKS:
        if not len(todo):
            break
        h = STEP * SHRINK**k
        values = np.stack([rows.move(todo, h * step) for step in STEPS])
        shape = values.shape[1:]
        if k == BLOCKS[0]:  # f may be 0 here and not around, as a square
            natural = rows.natural + np.nan_to_num(np.abs(values[[0, len(STEPS) // 2]]).min(axis=0))
        read = _read(values.reshape(len(STEPS), -1), rows.noise(todo).ravel(), h)
        value, error, _, jump, kinks = (a.reshape(shape) for a in read)
        inexact = EXACT * np.abs(rows.x[todo]) / (rows.size[todo] * h * NEAREST)  # x + step is rounded
        error = error + inexact[:, None] * np.abs(value)
        agree, struck = np.ones(len(todo), bool), np.zeros(len(todo), bool)
        for column, shares in rows.analytic:
            numeric, bar, analytic = value[:, column], error[:, column], shares[todo] * rows.size[todo]
            least = SLACK * rows.eps * natural[todo, column] + rows.tiny
            off = np.abs(analytic - numeric)
            fits = off <= bar + rows.rtol * np.maximum(np.abs(analytic), np.abs(numeric)) + least
            fits &= np.isfinite(analytic)
            told = bar <= np.maximum(1e-7 * np.abs(numeric), 10 * least)
            agree &= told & fits
            struck |= told & ~fits
            lost[todo] |= np.isnan(analytic)
        closer = bar < best[todo]  # by the last column
        at = todo[closer]
        best[at], gap[at], fair[at], slopes[at] = bar[closer], off[closer], fits[closer], numeric[closer]
        left[at] = numeric[closer] - jump[closer, column] / 2
        right[at] = numeric[closer] + jump[closer, column] / 2
        strikes[todo] += struck
        kinked[todo] = kinks.any(axis=1)
        status[todo[agree]] = OK
        status[todo[strikes[todo] >= 2]] = SUSPECT
        todo = np.flatnonzero(status == LOOKING)
    rest = status == LOOKING
    coarse = best > 1e-4 * np.abs(slopes)
    firm = np.where(np.isfinite(gap), best <= 0.1 * gap, best < 0.1 * np.abs(slopes))
    status[rest] = UNSURE
    status[rest & fair & ~coarse] = OK
    status[rest & ((~fair & firm) | (strikes > 0))] = SUSPECT
    status[rest & kinked] = np.where(lost, SUSPECT, KINKED)[rest & kinked]  # NaN is no slope, whatever the side
    return Verdicts(status, *(a / rows.size for a in (slopes, best, left, right)))


def looked_at_again(local: Local, place: int, g: Array, analytic: float) -> tuple[int, Slope]:
    """The verdict on one entry, from sums of g * op with their rounding measured, twice over with other steps."""
    x0, size = float(local.x.flat[place]), float(local.size.flat[place])
    seen = local.known & (g != 0)

    def total(t: float) -> Array | None:
        out = local.moved(place, t)
        if out is None or not np.isfinite(out[seen]).all():
            return None
        return np.array([g[seen] @ (out[seen] - local.here[seen])])

    sizes = local.natural(place)
    seen &= sizes > 0
    around = [abs(float(v[0])) for t in (STEP, -STEP) if (v := total(t * size)) is not None]
    natural = float(np.abs(g) @ sizes) + (min(around) if len(around) == 2 else 0.0)
    noise = np.maximum(rounding(total, np.zeros(1), size), local.grain / 2 * natural)
    smallest = abs(x0) if 0 < abs(x0) < size else 0.0
    looks = [
        slope(total, np.zeros(1), size, noise, x0, smallest),
        slope(total, np.zeros(1), size, 2 * noise, x0, smallest, first=0.37 * STEP),
    ]
    verdicts = [_verdict(local, look, analytic, natural / size) for look in looks]
    one, two = (float(look.value[0]) for look in looks)
    if verdicts == [WRONG, WRONG]:
        same = abs(one - two) <= 0.1 * abs(analytic - one) or not np.isfinite(analytic)
        return WRONG if same else UNSURE, looks[0]
    if WRONG in verdicts:
        return UNSURE, looks[0]
    return OK if OK in verdicts else max(verdicts), looks[0]


def _verdict(local: Local, look: Slope, analytic: float, natural: float) -> int:
    numeric, bar = float(look.value[0]), float(look.error[0])
    if look.side or not np.isfinite(bar):
        return UNSURE
    off, least = abs(analytic - numeric), SLACK * local.eps * natural + local.tiny
    if look.kinked[0]:  # any number between the slopes will do, but NaN is none
        return WRONG if np.isnan(analytic) else KINKED
    if off <= bar + local.rtol * max(abs(analytic), abs(numeric)) + least and np.isfinite(analytic):
        return OK
    sure = bar <= max(0.01 * abs(numeric), 1e-4 * natural, least)  # or f is too wild for the steps
    firm = sure and not bar >= 0.1 * off
    return WRONG if firm else UNSURE


def along(local: Local, way: Array, gradients: Sequence[tuple[Array, Array]]) -> int:
    """The verdict on an input that is moved along one direction.

    Results that are rough there (a kink within the steps) are left out: no gradient is sent into them.
    """
    best = _slopes_along(local, way)
    if best is None or not best[2].any():
        return UNSURE
    value, error, good = best
    verdict = OK
    for g, share in gradients:
        sent = np.where(good, g, 0.0)
        got = share if good.all() else local.share(sent)
        fits, sure = _fits(local, way, sent, got, value, error)
        if not fits:
            return SUSPECT
        verdict = verdict if sure else UNSURE
    return verdict


def _slopes_along(local: Local, way: Array) -> tuple[Array, Array, Array] | None:
    """The slope of every result along a direction, its error bar, and whether it can be trusted."""
    best: tuple[Array, Array, Array] | None = None
    moving = local.finite & (way != 0)
    ratio = float(np.max(np.abs(local.x[moving] / way[moving]), initial=0.0))
    for k in BLOCKS:
        h = STEP * SHRINK**k
        values = [v for step in STEPS if (v := local.run(local.x + h * step * way)) is not None]
        if len(values) < len(STEPS):
            continue
        noise = local.grain / 2 * np.abs(local.here)
        value, error, rounded, _, kinked = _read(np.stack(values) - local.here, noise, h)
        error += EXACT * ratio / (h * NEAREST) * np.abs(value)
        sure = np.isfinite(value) & np.isfinite(error) & ~kinked
        usual = float(np.sqrt(np.mean(value[sure] ** 2))) if sure.any() else 0.0
        good = sure & ((error <= 1e-7 * np.maximum(np.abs(value), usual)) | (error <= 2 * rounded))
        if best is None or good.sum() > best[2].sum():
            best = value, error, good
        if good.sum() >= 0.98 * local.known.sum():
            break
    return best


def _fits(local: Local, way: Array, sent: Array, got: Array, value: Array, error: Array) -> tuple[bool, bool]:
    """Whether what the input gets of the gradient `sent` agrees with the slopes along `way`; and whether for sure."""
    counts, moving = sent != 0, way.ravel() != 0
    terms, shares = sent[counts] * value[counts], got[moving] * way.ravel()[moving]
    numeric, analytic = float(np.sum(terms)), float(np.sum(shares))
    size = max(float(np.sqrt(np.sum(a**2))) for a in (terms, shares) if np.isfinite(a).all() or a is terms)
    natural = float(np.sqrt(np.sum((sent * np.where(counts, local.here, 0.0)) ** 2)))
    allowed = float(np.sum(np.abs(sent[counts]) * error[counts])) + local.rtol * size + SLACK * local.eps * natural
    return abs(analytic - numeric) <= allowed + local.tiny, allowed <= 1e-4 * size or size == 0


def narrowed(local: Local, way: Array, g: Array, rng: np.random.Generator) -> int | None:
    """One entry that is off, found by halves where the input as a whole is; None where it cannot be told."""
    places = np.flatnonzero(way.ravel())
    while len(places) > 1:
        places = rng.permutation(places)
        for half in (places[: len(places) // 2], places[len(places) // 2 :]):
            part = np.zeros(way.size)
            part[half] = way.ravel()[half]
            part = part.reshape(way.shape)
            found = _slopes_along(local, part)
            if found is None:
                continue
            value, error, good = found
            sent = np.where(good, g, 0.0)
            if not _fits(local, part, sent, local.share(sent), value, error)[0]:
                places = half
                break
        else:
            return None
    return int(places[0]) if len(places) else None
