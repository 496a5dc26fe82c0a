"""The digits, the moons, batches and splits."""

import numpy as np
import pytest

from micrograd_nn import data


def test_the_digits_are_the_published_ones():
    X, y = data.load_digits()
    assert X.shape == (1797, 64)
    assert X.min() == 0
    assert X.max() == 1
    # counts of each class as the source's documentation lists them for this set
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # the well-known first image, a nought
    assert (X[0].reshape(8, 8)[0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_the_digits_agree_with_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(return_X_y=True)
    ours = data.load_digits()
    assert np.array_equal(ours[0] * 16, X)
    assert np.array_equal(ours[1], y)


def test_moons_without_noise_lie_on_two_half_circles():
    X, y = data.make_moons(100, noise=0.0, rng=0)
    upper, lower = X[y == 0], X[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(lower[:, 0] - 1, lower[:, 1] - 0.5), 1)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 0.5).all()


def test_batches_hold_every_example_once():
    X, y = np.arange(10).reshape(10, 1), np.arange(10)
    got = list(data.batches(X, y, 4, rng=0))
    assert [len(b) for _, b in got] == [4, 4, 2]
    assert sorted(np.concatenate([b for _, b in got]).tolist()) == list(range(10))
    assert all(np.array_equal(a[:, 0], b) for a, b in got)
    assert np.concatenate([b for _, b in data.batches(X, y, 4)]).tolist() == list(range(10))


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
