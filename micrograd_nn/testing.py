"""Hypothesis strategies for testing derivatives: shapes, shapes that go together, and numbers where slopes exist."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ModuleNotFoundError as missing:
    if missing.name != "hypothesis":
        raise
    raise ModuleNotFoundError(
        'micrograd_nn.testing needs Hypothesis, which is not installed: pip install "micrograd-nn[test]".',
        name="hypothesis",
    ) from None

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Shape: TypeAlias = tuple[int, ...]
    Shapes: TypeAlias = int | Shape | Sequence[Shape] | st.SearchStrategy[Any] | None

__all__ = ["arrays", "broadcast_shapes", "matching_shapes", "positive", "shapes", "unit_interval"]

ONE_BY_ONE = 64  # entries; of more, drawing and shrinking each alone takes longer than it tells


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of arrays, () among them; with `min_side=0` also empty ones. Shrinks towards ().

    >>> from hypothesis import find
    >>> find(shapes(), lambda shape: len(shape) > 1)
    (1, 1)
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcast_shapes(
    n: int = 2, *, min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Tuples of `n` shapes that broadcast together: some with axes of length 1, some with axes missing, some ().

    `np.broadcast_shapes(*drawn)` is the shape of the result. With `min_side` above 1 no axis is of length 1, and the
    shapes differ in the missing ones alone.

    >>> from hypothesis import find
    >>> find(broadcast_shapes(), lambda pair: pair[0] != pair[1])
    ((), (1,))
    """
    for name, least, most in (("dims", min_dims, max_dims), ("side", min_side, max_side)):
        if not 0 <= least <= most:
            raise ValueError(f"broadcast_shapes: 0 <= min_{name} <= max_{name} does not hold for {least} and {most}.")
    # Hypothesis draws the lengths, and we which axes are missing: alone it puts a () into more than half of all pairs.
    dims = sorted([*range(min_dims, max_dims + 1), *range(min_dims + 1, max_dims + 1)])
    return st.tuples(
        hnp.mutually_broadcastable_shapes(
            num_shapes=n, min_dims=max_dims, max_dims=max_dims, min_side=min_side, max_side=max_side
        ),
        st.lists(st.sampled_from(dims), min_size=n, max_size=n),
    ).map(lambda drawn: tuple(s[max_dims - d :] for s, d in zip(drawn[0].input_shapes, drawn[1], strict=True)))


def matching_shapes(
    signature: str, *, max_dims: int = 0, min_side: int = 1, max_side: int = 3
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """Tuples of shapes in which axes of one name have one length: "(n,d),(m,d),(m)" for an affine layer's X, W, b.

    The notation is that of NumPy's generalised ufuncs, of which the result's part may be left out; a number is a
    length of its own ("(n,3)"), and an axis with a question mark may be missing. Up to `max_dims` axes that broadcast
    come before those named: `matching_shapes(np.matmul.signature, max_dims=1)` is all that `@` takes.

    >>> from hypothesis import find
    >>> find(matching_shapes("(n,d),(m,d),(m)"), lambda s: s[0] != s[1])
    ((1, 1), (2, 1), (2,))
    """
    whole = signature if "->" in signature else f"{signature}->()"
    return hnp.mutually_broadcastable_shapes(
        signature=whole, max_dims=max_dims, min_side=min_side, max_side=max_side
    ).map(lambda drawn: drawn.input_shapes)


def arrays(
    shape: Shapes = None, *, low: float = -2.0, high: float = 2.0, away_from: float | Iterable[float] = 0.0,
    margin: float | None = None, gap: float | None = None,
) -> st.SearchStrategy[Any]:  # fmt: skip
    """Float64 arrays of numbers from `low` to `high` at which an ordinary function has a derivative.

    `shape` is a shape, several shapes, or a strategy that draws either (default: `shapes()`); several shapes give a
    tuple of arrays. No number is nearer than `margin` (default: a fortieth of the range) to those of `away_from`: the
    kinks and poles of the function, and the ends of its domain. 0 is the commonest, `away_from=()` is nowhere.

    No two entries, whether in one array or in two drawn together, are nearer to each other than `gap`, nor is one to
    the negative of another: max, sort, the largest |x| and relu(x + y) have neither ties nor kinks there. By default
    the gap is as wide as `n` entries let it be, roughly range / 15n. With `gap=0` entries may be equal, and often are.

    Shrinks to few decimals, plus signs, and each entry alone (up to 64 entries; larger arrays are drawn as a whole).
    Raises ValueError for a range in which nothing is left, and for more entries than have room with this gap.

    >>> from hypothesis import find, given, settings
    >>> import micrograd_nn as mg
    >>> @settings(max_examples=5, derandomize=True)
    ... @given(arrays(broadcast_shapes()))
    ... def test_the_larger_of_two(pair):
    ...     mg.gradcheck(mg.functional.maximum, *pair)
    >>> test_the_larger_of_two()
    >>> find(arrays((4,), low=-1, high=1, away_from=(-1, 1)), lambda x: x[1] < 0)
    array([ 0. , -0.1,  0.2,  0.3])
    """
    kinks = [away_from] if isinstance(away_from, (int, float)) else away_from
    place = _Range.of(float(low), float(high), tuple(sorted(map(float, kinks))), margin, gap)
    if shape is None:
        shape = shapes()
    if not isinstance(shape, st.SearchStrategy):
        place.grid(sum(map(math.prod, _several(shape))))  # raises now what would be raised at every draw
    return _arrays(shape, place)


def positive(
    shape: Shapes = None, *, high: float = 2.0, margin: float | None = None, gap: float | None = None
) -> st.SearchStrategy[Any]:
    """`arrays` of numbers above 0, and not near it: for log, sqrt, powers and divisors.

    >>> from hypothesis import find
    >>> find(positive((2,)), lambda x: True)
    array([1., 2.])
    """
    return arrays(shape, low=0.0, high=high, margin=margin, gap=gap)


def unit_interval(
    shape: Shapes = None, *, margin: float | None = None, gap: float | None = None
) -> st.SearchStrategy[Any]:
    """`arrays` of numbers between 0 and 1, and near neither: probabilities, dropout's p, the inside of a logit.

    >>> from hypothesis import find
    >>> find(unit_interval(()), lambda x: True)
    array(0.1)
    """
    return arrays(shape, low=0.0, high=1.0, away_from=(0.0, 1.0), margin=margin, gap=gap)


def _several(shape: Any) -> list[tuple[int, ...]]:
    """One shape or several, as a list of shapes."""
    group = shape if _is_group(shape) else [shape]
    group = [(s,) if isinstance(s, (int, np.integer)) else s for s in group]
    sides = [side for s in group for side in (s if isinstance(s, Sequence) else [None])]
    if not all(isinstance(side, (int, np.integer)) and side >= 0 for side in sides):
        raise ValueError(
            f"arrays: a shape is a tuple of lengths, such as (2, 3), and several are a tuple of those, not {shape!r}."
        )
    return [tuple(map(int, s)) for s in group]


def _is_group(shape: Any) -> bool:
    return isinstance(shape, Sequence) and any(isinstance(s, Sequence) for s in shape)


@dataclass(frozen=True)
class _Range:
    """Where numbers may lie, and how close to each other."""

    spans: tuple[tuple[float, float], ...]
    gap: float | None
    text: str

    @classmethod
    def of(cls, low: float, high: float, kinks: tuple[float, ...], margin: float | None, gap: float | None) -> _Range:
        if not (math.isfinite(high - low) and low < high):
            raise ValueError(f"arrays: low = {low:g} and high = {high:g} are not two ends of a range.")
        margin = (high - low) / 40 if margin is None else float(margin)
        for name, x in (("margin", margin), ("gap", gap)):
            if x is not None and not (x >= 0 and math.isfinite(x)):
                raise ValueError(f"arrays: {name} is a distance, at least 0, not {x!r}.")
        spans, start = [], low
        for kink in kinks:
            spans.append((start, min(kink - margin, high)))
            start = max(start, kink + margin)
        spans = [(a, b) for a, b in [*spans, (start, high)] if a < b]
        text = f"from {low:g} to {high:g}"
        if kinks:
            text += f", {margin:g} away from {', '.join(f'{k:g}' for k in kinks)},"
        if not spans:
            raise ValueError(f"arrays: {text} no number is left: choose a smaller margin or a wider range.")
        return cls(tuple(spans), None if gap is None else float(gap), text)

    def __repr__(self) -> str:
        return f"<{self.text.rstrip(',')}>"

    def has(self, x: Floats) -> npt.NDArray[np.bool_]:
        inside: npt.NDArray[np.bool_] = np.any([(a <= x) & (x <= b) for a, b in self.spans], axis=0)
        return inside

    def steps(self) -> Iterator[Decimal]:
        """Round numbers, ever smaller: from a twentieth of the range, or a little less, down to the gap."""
        start = (self.spans[-1][1] - self.spans[0][0]) / 20
        for place in itertools.count(-math.floor(math.log10(start))):
            for step in (Decimal(digit).scaleb(-place) for digit in (5, 2, 1)):
                if self.gap and float(step) <= self.gap:
                    yield Decimal(repr(self.gap))
                    return
                if float(step) <= start:
                    yield step

    @lru_cache(256)  # noqa: B019 - kept for the few ranges that tests name
    def grid(self, n: int) -> tuple[Floats, npt.NDArray[np.bool_], float]:
        """Magnitudes for `n` entries and some to choose from, the simplest first; the signs of each; how far apart."""
        ends = [x for span in self.spans for x in span]
        lowest = 0.0 if ends[0] <= 0 <= ends[-1] else min(map(abs, ends))
        for step in self.steps():
            places = range(math.ceil(lowest / float(step)), math.floor(max(map(abs, ends)) / float(step)) + 1)
            sizes = np.array(sorted((float(k * step) for k in places), key=lambda size: (len(f"{size:g}"), size)))
            signs = np.stack([self.has(sizes), self.has(-sizes)], axis=-1)
            found = signs.any(axis=-1)
            if found.sum() >= 1.25 * n:
                break
        if found.sum() < n:
            raise ValueError(
                f"arrays: there are {n} entries, and {self.text} there is room for {found.sum()} whose magnitudes are "
                f"{self.gap:g} apart. Choose a smaller gap, a smaller shape or a wider range."
            )
        return sizes[found], signs[found], float(step)


@st.composite
def _arrays(draw: st.DrawFn, shape: Any, place: _Range) -> Any:
    wanted = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    group = _several(wanted)
    sizes = [math.prod(s) for s in group]
    parts = np.split(_entries(draw, sum(sizes), place), np.cumsum(sizes)[:-1])
    found = tuple(part.reshape(s).copy() for part, s in zip(parts, group, strict=True))
    return found if _is_group(wanted) else found[0]


def _entries(draw: st.DrawFn, n: int, place: _Range) -> Floats:
    """`n` numbers in a row: places on a grid of round numbers, each moved off it a little."""
    if not n:
        return np.empty(0)
    ties = place.gap == 0
    sizes, signs, step = place.grid(8 if ties else n)
    seed = draw(st.integers(0, 2**16))  # 0: not moved at all
    rng = np.random.default_rng(seed)
    if n <= ONE_BY_ONE:
        left = list(range(len(sizes)))
        places = (draw(st.integers(0, len(left) - 1)) for _ in range(n))
        picks = [left[i] if ties else left.pop(i) for i in places]
        minus = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    else:
        picks = rng.choice(len(sizes), n, replace=ties).tolist()
        minus = rng.random(n) < 0.5
    plus_allowed, minus_allowed = signs[picks].T
    x: Floats = np.where(minus_allowed & (minus | ~plus_allowed), -1.0, 1.0) * sizes[picks] + 0.0  # never -0.0
    if not seed or ties:
        return x
    room = step / 4 if place.gap is None else min(step / 4, (step - place.gap) / 2)
    moved = x + room * (rng.integers(-25, 26, n) / 25)
    if room == step / 4:  # in hundredths of the grid: still few decimals
        moved = np.round(moved, 2 - math.floor(math.log10(step)))
    return np.where(place.has(moved), moved, x)
