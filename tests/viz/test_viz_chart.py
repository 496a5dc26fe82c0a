"""Axes of charts: where ticks go, that numbers come back from the page, that labels stay apart."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from viz._text import width
from viz.charts._chart import Axes, limits, spread, tick_labels, ticks, wrapped

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@given(NUMBERS, NUMBERS, st.integers(2, 12))
@example(0.0, 1.0, 5)
@example(-1e-9, 1e-9, 5)
def test_ticks_are_few_round_and_within(a: float, b: float, about: int) -> None:
    lo, hi = min(a, b), max(a, b)
    assume(hi - lo > 1e-6 * max(abs(lo), abs(hi), 1e-6))
    found = ticks(lo, hi, about)
    slack = 1e-6 * (hi - lo)
    assert 1 <= len(found) <= 2.6 * about + 1
    assert all(lo - slack <= v <= hi + slack for v in found)
    if len(found) > 2:
        step = found[1] - found[0]
        digit = step / 10 ** math.floor(math.log10(step * 1.001))
        assert min(abs(digit - d) for d in (1, 2, 5)) < 0.01
        assert all(math.isclose(b - a, step, rel_tol=1e-3) for a, b in pairwise(found))


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=2, unique=True), NUMBERS)
def test_tick_labels_tell_ticks_apart(ends: list[int], shift: float) -> None:
    found = ticks(shift + min(ends), shift + max(ends))
    assert len(set(tick_labels(found))) == len(found)


def test_whole_ticks_are_whole() -> None:
    assert ticks(1, 3, whole=True) == [1, 2, 3]
    assert all(v == int(v) for v in ticks(1, 7, 20, whole=True))
    axes = Axes(0, 0, 520, 100, (1, 60), (0, 1), whole=True)
    assert axes.xticks()[0] == 1


def test_a_log_axis_has_powers_of_ten() -> None:
    axes = Axes(0, 0, 100, 150, (0, 1), (1e-5, 30.0), log=True)
    assert all(math.isclose(math.log10(v), round(math.log10(v)), abs_tol=1e-9) for v in axes.yticks())
    assert axes.ylabels()[0] == "1e−5"
    assert len(Axes(0, 0, 100, 150, (0, 1), (0.9, 6.0), log=True).yticks()) >= 2
    assert len(Axes(0, 0, 100, 150, (0, 1), (0.91, 0.92), log=True).yticks()) >= 2


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6), st.floats(0, 1))
def test_what_is_within_the_limits_comes_back_from_the_page(values: list[float], share: float) -> None:
    lo, hi = limits(values)
    assert lo < min(values) or lo <= -1e299 * 9
    assert hi > max(values) or hi >= 1e299 * 9
    axes = Axes(10, 20, 300, 200, (0.0, 1.0), (lo, hi))
    v = lo * (1 - share) + hi * share
    assert axes.y(v) == pytest.approx(220 - 200 * share, abs=1e-3)
    assert axes.x(share) == pytest.approx(10 + 300 * share)


def test_beyond_the_edge_is_the_edge() -> None:
    axes = Axes(0, 0, 100, 50, (0, 1), (1e-3, 1), log=True)
    assert [axes.y(v) for v in (math.inf, 1.0, 1e-3, 0.0)] == [0.0, 0.0, 50.0, 50.0]
    assert Axes(0, 0, 100, 50, (0, 1), (0, 1)).y(-math.inf) == 50.0


@given(st.lists(st.floats(0, 200), max_size=12))
def test_labels_are_spread_apart_in_their_order_and_within(heights: list[float]) -> None:
    found = spread(heights, 0.0, 200.0, 15.0)
    order = sorted(range(len(heights)), key=lambda i: (heights[i], found[i]))
    moved = [found[i] for i in order]
    assert all(b - a >= 15 - 1e-6 for a, b in pairwise(moved))
    assert all(-1e-6 <= v <= 200 + 1e-6 for v in found)
    if all(b - a >= 15 for a, b in pairwise(sorted(heights))):
        assert found == pytest.approx(heights)


@given(st.text(max_size=80), st.integers(40, 300))
def test_wrapped_lines_keep_every_word_and_fit(text: str, wide: int) -> None:
    lines = wrapped(text, wide)
    assert "".join("".join(lines).split(" ")) == "".join(text.split(" "))
    assert all(width(line.strip(" "), 12.5) <= wide or len(line.strip(" ")) == 1 for line in lines)


def test_axes_reject_nothing_that_is_a_number() -> None:
    for values in ([], [math.nan, None], [math.inf], [0.0], [5e-324, 1e-320], [-1e308, 1e308]):
        lo, hi = limits(values)
        axes = Axes(0, 0, 100, 100, (0, 1), (lo, hi))
        assert math.isfinite(lo)
        assert lo < hi
        assert axes.frame()
        lo, hi = limits(values, log=True)
        assert 0 < lo < hi < math.inf
        assert Axes(0, 0, 100, 100, (0, 1), (lo, hi), log=True).frame()
