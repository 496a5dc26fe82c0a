"""`micrograd_nn.testing`: what is drawn goes together, has derivatives, and shrinks to what one can read."""

import importlib
import math
import sys

import numpy as np
import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st

from micrograd_nn import functional as F
from micrograd_nn.checking import GradcheckError, check_backward, gradcheck
from micrograd_nn.testing import arrays, broadcast_shapes, matching_shapes, positive, shapes, unit_interval

steady = settings(derandomize=True, deadline=None, max_examples=60, database=None)
first = settings(steady, phases=[Phase.generate])  # the first example there is, not the simplest
SIZES = [(), (1,), (5,), (3, 4), (9, 9)]  # the last is drawn as a whole


def everything(drawn):
    """The entries of all arrays drawn together, in one row."""
    return np.concatenate([x.ravel() for x in (drawn if isinstance(drawn, tuple) else (drawn,))])


def closest(x):
    """The smallest distance between two entries, or between one and the negative of another."""
    return np.diff(np.sort(np.abs(x))).min(initial=np.inf)


# Shapes


@steady
@given(shapes(min_dims=1, max_dims=2, min_side=0, max_side=5))
def test_shapes_keep_their_limits(shape):
    assert 1 <= len(shape) <= 2
    assert all(0 <= side <= 5 for side in shape)


def test_the_smallest_shape_is_a_number():
    assert find(shapes(), lambda shape: True) == ()


@steady
@given(st.integers(1, 4).flatmap(lambda n: broadcast_shapes(n).map(lambda group: (n, group))))
def test_shapes_drawn_together_broadcast(drawn):
    n, group = drawn
    assert len(group) == n
    assert len(np.broadcast_shapes(*group)) == max(map(len, group)) <= 3


@pytest.mark.parametrize(
    "is_there",
    [
        lambda a, b: a == () and b != (),
        lambda a, b: len(a) < len(b) and a and a[-1] == b[-1] == 3,  # an axis is missing
        lambda a, b: len(a) == len(b) == 2 and a[0] == 1 < b[0] and b[1] == 1 < a[1],  # both are stretched
        lambda a, b: a == b and len(a) == 3,
    ],
)
def test_every_way_to_broadcast_is_drawn(is_there):
    find(broadcast_shapes(), lambda pair: is_there(*pair), settings=settings(first, max_examples=2_000))


@steady
@given(broadcast_shapes(3, min_side=2))
def test_without_axes_of_one_only_missing_axes_are_left(group):
    longest = max(group, key=len)
    assert all(longest[len(longest) - len(shape) :] == shape for shape in group)


@steady
@given(matching_shapes("(n,d),(m,d),(m)", max_side=5))
def test_axes_of_one_name_have_one_length(drawn):
    x, w, b = drawn
    assert (len(x), len(w), len(b)) == (2, 2, 1)
    assert x[1] == w[1]
    assert w[0] == b[0]


@steady
@given(matching_shapes(np.matmul.signature, max_dims=2))
def test_numpys_own_signatures_can_be_used(pair):
    np.matmul(*map(np.ones, pair))


def test_the_names_of_axes_are_free_of_each_other():
    assert find(matching_shapes("(n,d),(m,d)"), lambda s: s[0][0] != s[1][0] and s[0][0] != s[0][1])


# Numbers


@st.composite
def ranges(draw):
    """Ranges near and far from 0, wide and narrow, and what to keep away from in them."""
    width = draw(st.sampled_from([1e-3, 0.3, 1.0, 4.0, 99.0, 1e6]))
    low = draw(st.sampled_from([-1.0, -0.5, -0.3, 0.0, 0.7, -2.0])) * width
    kinks = draw(st.lists(st.floats(low, low + width), max_size=3))
    margin = draw(st.none() | st.floats(0, width / 10))
    return {"low": low, "high": low + width, "away_from": tuple(kinks), "margin": margin}


@settings(steady, max_examples=300)
@given(st.data(), ranges(), st.sampled_from([*SIZES, ((3,), (2, 3)), ((), ())]))
def test_numbers_are_in_range_away_from_kinks_and_from_each_other(data, place, shape):
    width = place["high"] - place["low"]
    drawn = data.draw(arrays(shape, **place))
    x = everything(drawn)
    margin = width / 40 if place["margin"] is None else place["margin"]
    assert np.all((place["low"] <= x) & (x <= place["high"]))
    for kink in place["away_from"]:
        assert np.abs(x - kink).min(initial=np.inf) >= margin * (1 - 1e-12) - 1e-15 * width
    assert closest(x) >= width / (200 * len(x))


@steady
@given(st.data(), st.floats(1e-4, 0.04), st.sampled_from(SIZES))
def test_a_gap_that_is_asked_for_is_kept(data, gap, shape):
    assume(math.prod(shape) * gap < 1.5)
    assert closest(everything(data.draw(arrays(shape, gap=gap)))) >= gap * (1 - 1e-9)


def test_as_many_entries_as_have_room_are_drawn():
    for n in (1, 20):
        assert closest(find(arrays((n,), gap=0.1), lambda x: True, settings=first)) >= 0.1 - 1e-12
    with pytest.raises(
        ValueError, match=r"there are 21 entries, and from -2 to 2, 0.1 away from 0, there is room for 20"
    ):
        arrays((21,), gap=0.1)


def test_without_a_gap_there_are_ties():
    tied = find(arrays((3,), gap=0), lambda x: x[0] == x[1] == x[2])
    np.testing.assert_array_equal(tied, [1, 1, 1])


def test_arrays_are_float64_own_their_memory_and_can_be_written_to():
    x, y = find(arrays(((2, 3), (3,))), lambda drawn: True, settings=first)
    assert x.dtype == y.dtype == np.float64
    assert not np.shares_memory(x, y)
    x[0, 0] = y[0] = 0.0


def test_one_shape_gives_an_array_and_several_a_tuple():
    assert find(arrays(3), lambda x: True, settings=first).shape == (3,)
    assert find(arrays([2, 3]), lambda x: True, settings=first).shape == (2, 3)
    assert [x.shape for x in find(arrays(((2,),)), lambda x: True, settings=first)] == [(2,)]
    assert [x.shape for x in find(arrays([(2,), ()]), lambda x: True, settings=first)] == [(2,), ()]
    assert find(arrays((0, 3)), lambda x: True, settings=first).shape == (0, 3)


@steady
@given(positive(broadcast_shapes()))
def test_positive_numbers_are_not_near_zero(pair):
    assert everything(pair).min() >= 0.05


@steady
@given(unit_interval())
def test_the_unit_interval_is_open(p):
    assert np.all((p >= 0.025) & (p <= 0.975))


# Shrinking


def test_examples_shrink_to_small_shapes_and_simple_numbers():
    assert find(arrays(), lambda x: True) == np.array(1.0)
    assert find(arrays(), lambda x: np.any(x < 0)) == np.array(-1.0)
    assert find(arrays(), lambda x: np.any(x > 1)) == np.array(2.0)
    np.testing.assert_array_equal(find(arrays(), lambda x: x.ndim == 1 and len(x) > 1), [1.0, 2.0])
    x, y = find(arrays(broadcast_shapes()), lambda pair: pair[0].size < pair[1].size)
    assert sorted(everything((x, y))) == [0.2, 1.0, 2.0]


def test_shrunk_numbers_have_one_decimal():
    x = find(arrays((3, 3)), lambda x: x.sum() < -1)
    np.testing.assert_array_equal(x, np.round(x, 1))


def test_a_wrong_rule_is_cornered():
    seen = []

    @settings(derandomize=True, deadline=None, database=None)
    @given(arrays())
    def test_relu(x):
        seen.append(x)
        check_backward(lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x > -1.5, 1.0, 0.0), x)

    with pytest.raises(GradcheckError, match="1 wrong"):
        test_relu()
    assert seen[-1].shape == ()
    assert -1.5 < seen[-1] < 0
    assert seen[-1] == round(float(seen[-1]), 1)


@settings(steady, max_examples=25)
@given(arrays(broadcast_shapes()))
def test_functions_with_kinks_have_derivatives_at_what_is_drawn(pair):
    x, y = pair
    gradcheck(lambda x, y: F.maximum(x, y) + F.relu(x + y) * F.abs(y) / x, x, y)
    gradcheck(lambda x, y: F.max(F.abs(x)) - F.min(y), x, y)


# What cannot be drawn


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"low": 2.0}, "low = 2 and high = 2 are not two ends"),
        ({"low": 3.0}, "low = 3 and high = 2 are not two ends"),
        ({"high": math.inf}, "low = -2 and high = inf are not"),
        ({"margin": 5}, "from -2 to 2, 5 away from 0, no number is left"),
        ({"gap": -1}, "gap is a distance, at least 0, not -1"),
        ({"margin": math.nan}, "margin is a distance, at least 0, not nan"),
        ({"shape": (2.5,)}, r"a shape is a tuple of lengths, such as \(2, 3\)"),
        ({"shape": (-1,)}, r"a tuple of those, not \(-1,\)"),
        ({"shape": ((2, 3), 2.5)}, "a shape is a tuple of lengths"),
        ({"shape": "23"}, "a shape is a tuple of lengths"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(wanted, message):
    with pytest.raises(ValueError, match=message):
        arrays(**wanted)


def test_shapes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="min_dims <= max_dims does not hold for 3 and 2"):
        broadcast_shapes(min_dims=3, max_dims=2)


def test_a_shape_drawn_too_large_for_its_gap_is_an_error_too():
    with pytest.raises(ValueError, match="Choose a smaller gap"):
        find(arrays(shapes(min_dims=3, min_side=3), gap=0.5), lambda x: True)


def test_without_hypothesis_the_import_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "micrograd_nn.testing")
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("micrograd_nn.testing")
    expected = 'micrograd_nn.testing needs Hypothesis, which is not installed: pip install "micrograd-nn[test]".'
    assert str(caught.value) == expected
