"""Batches, splits, and columns on one scale."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograd_nn import data


def test_batches_hold_every_example_once():
    X, y = np.arange(10).reshape(10, 1), np.arange(10)
    got = list(data.batches(X, y, 4, rng=0))
    assert [len(b) for _, b in got] == [4, 4, 2]
    assert sorted(np.concatenate([b for _, b in got]).tolist()) == list(range(10))
    assert all(np.array_equal(a[:, 0], b) for a, b in got)
    assert np.concatenate([b for _, b in data.batches(X, y, 4)]).tolist() == list(range(10))


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True, None, "all"])
def test_a_batch_has_a_whole_number_of_examples(batch_size):
    with pytest.raises(ValueError, match="batch_size is a whole number of at least 1, not"):
        next(data.batches(np.zeros((3, 1)), np.zeros(3), batch_size))


def test_a_split_keeps_the_shares_of_the_classes():
    y = np.repeat([0, 1, 2], [100, 40, 5])
    X = np.arange(145).reshape(-1, 1)
    Xa, Xt, ya, yt = data.train_test_split(X, y, 0.2, rng=0)
    assert np.bincount(yt).tolist() == [20, 8, 1]
    assert sorted([*Xa[:, 0], *Xt[:, 0]]) == list(range(145))
    assert np.array_equal(y[Xt[:, 0]], yt)
    assert np.array_equal(y[Xa[:, 0]], ya)


def test_a_measurement_is_split_as_one():
    y = np.random.default_rng(0).normal(size=100)
    assert [len(part) for part in data.train_test_split(y[:, None], y, 0.2, rng=0)] == [80, 20, 80, 20]
    with pytest.raises(data.DataError, match="nothing to hold back"):
        data.train_test_split(np.ones((3, 1)), np.arange(3), 0.2)


def test_examples_without_a_partner_are_refused():
    for cut in (lambda X, y: next(data.batches(X, y, 2)), data.train_test_split):
        with pytest.raises(data.DataError, match=r"shapes \(3, 1\) and \(2,\)"):
            cut(np.ones((3, 1)), np.ones(2))


def test_columns_get_mean_0_and_standard_deviation_1_by_the_training_part():
    rng = np.random.default_rng(0)
    X, X_test = (rng.normal([5, -1e6, 0.01], [2, 1e5, 1e-4], size=(n, 3)) for n in (200, 50))
    (train, test), scale = data.standardised(X, X_test)
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(train.std(0), 1, rtol=1e-12)
    np.testing.assert_allclose(test, (X_test - X.mean(0)) / X.std(0), rtol=1e-12)  # never by its own mean
    assert np.array_equal(scale(X_test), test)


def test_a_saved_scale_does_to_new_data_what_the_first_one_did():
    X, new = np.random.default_rng(0).normal(3, 7, size=(2, 30, 4))
    _, scale = data.standardised(X)
    again = data.Scale(**json.loads(json.dumps(scale.to_dict())))
    assert np.array_equal(again(new), scale(new))


@given(st.floats(-1e300, 1e300), st.integers(1, 40))
def test_a_column_that_never_changes_becomes_0(value, n):
    (X, other), scale = data.standardised(np.c_[np.full(n, value), np.arange(n)], [[value, 0]])
    assert not X[:, 0].any()
    assert other[0, 0] == 0
    assert scale.to_dict()["std"][0] == 1


@given(arrays(float, (6, 2), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_whatever_comes_out_is_finite_and_in_the_order_of_what_went_in(X):
    try:
        (scaled,), _ = data.standardised(X)
    except data.DataError:
        return
    assert np.isfinite(scaled).all()
    for before, after in zip(X.T, scaled.T, strict=True):
        assert (np.diff(after[np.argsort(before, kind="stable")]) >= 0).all()


def test_float32_stays_float32_and_whole_numbers_become_floats():
    (a, b), _ = data.standardised(np.array([[1], [3]], np.float32), np.array([[5]]))
    assert (a.dtype, b.dtype) == (np.float32, np.float64)
    assert (a.tolist(), b.tolist()) == ([[-1], [1]], [[3]])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (([[0, 1e308], [1, -1e308]],), "column 'b' holds numbers too large"),
        (([[0, 1e-300], [1, 2e-300]],), "column 'b' holds numbers too close together"),
        (([[0, np.nan], [1, 2]],), "column 'b' holds nan"),
        (([[0, -np.inf], [1, -np.inf]],), "column 'b' holds -inf"),
        (([[0, 1], [1, 2]], [[0, 0], [np.nan, 0]]), r"column 'a', X\[1, 0\]: nan cannot be put on a scale"),
        (([[0, 1], [1, 1 + 1e-9]], [[0, 1e308]]), r"column 'b', X\[0, 1\]: 1e\+308 cannot"),
        (([[0, 1], [1, 2]], [[0, 1, 2]]), "X has 3 columns, and the scale was made of 2"),
        (([0, 1],), r"\(N, features\), not the shape \(2,\)"),
        ((np.empty((0, 2)),), "no row"),
        (([["0", "1"]],), "numbers are needed"),
    ],
)
def test_what_cannot_be_scaled_is_refused_by_column(parts, message):
    with pytest.raises(data.DataError, match=message):
        data.standardised(*parts, names=("a", "b"))


def test_a_column_without_a_name_goes_by_its_number():
    with pytest.raises(data.DataError, match="column 1 holds nan"):
        data.standardised([[0, np.nan], [1, 2]])


@pytest.mark.parametrize(
    ("mean", "std", "names"),
    [([0], [0], None), ([0], [-1], None), ([0, 1], [1], None), ([np.nan], [1], None), (0, 1, None)],
)
def test_a_scale_that_cannot_be_is_refused(mean, std, names):
    with pytest.raises(data.DataError, match="a scale is a mean and a standard deviation"):
        data.Scale(mean, std, names)


def test_names_are_as_many_as_columns():
    with pytest.raises(data.DataError, match="1 names were given for 2 columns"):
        data.standardised([[0, 1], [1, 2]], names=["a"])
