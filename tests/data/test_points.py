"""Points made up for learning from: checked by their geometry."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn import data

MAKERS = {
    "moons": data.make_moons, "circles": data.make_circles, "spirals": data.make_spirals, "blobs": data.make_blobs,
    "xor": data.make_xor,
}  # fmt: skip
SPREAD = {name: "cluster_std" if name == "blobs" else "noise" for name in MAKERS}
every = pytest.mark.parametrize("name", MAKERS)


def test_moons_without_noise_lie_on_two_half_circles():
    X, y = data.make_moons(100, noise=0.0, rng=0)
    upper, lower = X[y == 0], X[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1)
    np.testing.assert_allclose(np.hypot(lower[:, 0] - 1, lower[:, 1] - 0.5), 1)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 0.5).all()


def test_a_seeds_moons_are_for_ever():
    # first the order is drawn and then the noise: what is published with a seed can be made again
    rng = np.random.default_rng(7)
    order, noise = rng.permutation(5), rng.normal(scale=0.2, size=(5, 2))
    bare = np.array([[1, 0], [-1, 0], [0, 0.5], [1, -0.5], [2, 0.5]])
    X, y = data.make_moons(5, 0.2, 7)
    np.testing.assert_allclose(X, (bare + noise)[order], rtol=0, atol=1e-15)
    assert y.tolist() == np.array([0, 0, 1, 1, 1])[order].tolist()


@given(n=st.integers(2, 60), factor=st.floats(0, 0.99))
def test_circles_without_noise_lie_evenly_on_two_circles(n, factor):
    X, y = data.make_circles(n, noise=0, factor=factor, rng=0)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == 0, 1, factor), atol=1e-12)
    for points in (X[y == 0], X[y == 1]):
        if factor > 0.01 and len(points) > 1:
            angles = np.sort(np.arctan2(points[:, 1], points[:, 0]))
            gaps = np.diff([*angles, angles[0] + 2 * math.pi])
            np.testing.assert_allclose(gaps, 2 * math.pi / len(points), rtol=1e-9)


@given(m=st.integers(1, 20), classes=st.integers(1, 7), turns=st.floats(-3, 3))
def test_a_spiral_arm_turns_in_step_with_its_distance(m, classes, turns):
    X, y = data.make_spirals(m * classes, noise=0, classes=classes, turns=turns, rng=0)
    for c in range(classes):
        arm = X[y == c]
        away = np.hypot(*arm.T)
        np.testing.assert_allclose(np.sort(away), np.arange(1, m + 1) / m)
        angle = 2 * math.pi * (turns * away + c / classes)  # turned back by it, every point lies on the x axis
        back = (arm[:, 0] + 1j * arm[:, 1]) * np.exp(-1j * angle)
        np.testing.assert_allclose(back, away, atol=1e-12)


def test_spiral_arms_do_not_meet():
    X, y = data.make_spirals(900, noise=0, classes=3, turns=1, rng=0)
    apart = np.hypot(*(X[:, None] - X[None]).transpose(2, 0, 1))
    assert apart[y[:, None] != y].min() > 0.003  # the innermost ones: 1/300 from the middle, a third of a turn apart


def test_blobs_have_the_centres_and_spreads_asked_for():
    centers, spreads = np.array([[0.0, 0, 5], [10, -10, 0], [3, 3, 3]]), [0.5, 1.0, 2.0]
    X, y = data.make_blobs(30_000, centers, spreads, rng=0)
    for c, (center, spread) in enumerate(zip(centers, spreads, strict=True)):
        cloud = X[y == c]
        # 5 standard errors of a mean, of a standard deviation and of a correlation of 10,000 normal numbers
        np.testing.assert_allclose(cloud.mean(0), center, atol=5 * spread / 100)
        np.testing.assert_allclose(cloud.std(0), spread, atol=5 * spread / math.sqrt(20_000))
        np.testing.assert_allclose(np.corrcoef(cloud.T), np.eye(3), atol=0.05)


def test_blobs_without_centres_draw_them_from_the_box():
    X, y = data.make_blobs(40, 4, 0, rng=3, n_features=5, center_box=(2, 3))
    assert X.shape == (40, 5)
    assert ((X >= 2) & (X <= 3)).all()
    assert len(np.unique(X, axis=0)) == 4
    assert all(len(np.unique(X[y == c], axis=0)) == 1 for c in range(4))


def test_four_points_of_xor_are_the_four_bare_corners():
    X, y = data.make_xor(4, noise=0, rng=0)
    truth = {(-1, -1): 0, (-1, 1): 1, (1, -1): 1, (1, 1): 0}
    assert {tuple(map(int, x)): int(label) for x, label in zip(X, y, strict=True)} == truth


@given(st.integers(4, 99))
def test_xor_is_the_sign_of_the_product_and_fills_its_corners_alike(n):
    X, y = data.make_xor(n, noise=0, rng=0)
    assert (y == (X[:, 0] * X[:, 1] < 0)).all()
    _, counts = np.unique(X, axis=0, return_counts=True)
    assert len(counts) == 4
    assert counts.max() - counts.min() <= 1


@every
def test_noise_is_the_standard_deviation_of_what_is_added(name):
    # the same seed shuffles alike, so the difference is the noise alone
    bare, noisy = (MAKERS[name](5000, **{SPREAD[name]: s}, rng=1) for s in (0, 0.3))
    assert np.array_equal(bare[1], noisy[1])
    added = (noisy[0] - bare[0]).ravel()
    assert added.std() == pytest.approx(0.3, abs=5 * 0.3 / math.sqrt(20_000))
    assert added.mean() == pytest.approx(0, abs=5 * 0.3 / 100)


@every
@given(n=st.integers(4, 200))
def test_classes_are_as_equal_as_can_be(name, n):
    X, y = MAKERS[name](n, rng=0)
    assert X.shape == (n, 2)
    assert y.shape == (n,)
    assert (X.dtype, y.dtype) == (np.float64, np.int64)
    counts = np.bincount(y)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


@given(n=st.integers(1, 200), classes=st.integers(1, 12))
def test_any_number_of_arms_and_clouds(n, classes):
    for name, argument in (("spirals", "classes"), ("blobs", "centers")):
        if n < classes:
            with pytest.raises(ValueError, match=f"at least {classes} points"):
                MAKERS[name](n, **{argument: classes}, rng=0)
        else:
            counts = np.bincount(MAKERS[name](n, **{argument: classes}, rng=0)[1])
            assert len(counts) == classes
            assert counts.max() - counts.min() <= 1


@every
def test_points_are_shuffled(name):
    _, y = MAKERS[name](400, rng=0)
    changes = int((y[1:] != y[:-1]).sum())
    assert changes > 150  # sorted by class there would be one or two; 200 or more are expected


@every
def test_a_seed_says_it_all(name):
    (X, y), again = (MAKERS[name](50, rng=4) for _ in range(2))
    assert np.array_equal(X, again[0])
    assert np.array_equal(y, again[1])
    assert np.array_equal(X, MAKERS[name](50, rng=np.random.default_rng(4))[0])
    assert not np.array_equal(X, MAKERS[name](50, rng=5)[0])
    rng = np.random.default_rng(4)
    assert not np.array_equal(MAKERS[name](50, rng=rng)[0], MAKERS[name](50, rng=rng)[0])
    assert not np.array_equal(MAKERS[name](50)[0], MAKERS[name](50)[0])


@every
def test_the_global_generators_are_left_alone(name):
    ours, numpys = random.getstate(), np.random.get_state()
    MAKERS[name](50)
    MAKERS[name](50, rng=0)
    assert random.getstate() == ours
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), numpys, strict=True))


@every
@pytest.mark.parametrize(
    ("argument", "value", "error", "message"),
    [
        ("n_samples", 1, ValueError, "needs at least [234] points"),
        ("n_samples", -5, ValueError, "n_samples is at least 0, not -5"),
        ("n_samples", 10.5, TypeError, "n_samples is a whole number, not 10.5"),
        ("spread", -0.1, ValueError, "is a standard deviation, 0 or more, not -0.1"),
        ("spread", math.nan, ValueError, "is a standard deviation"),
        ("spread", math.inf, ValueError, "is a standard deviation"),
        ("spread", "much", ValueError, "is a standard deviation"),
        ("spread", None, ValueError, "is a standard deviation"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_everywhere(name, argument, value, error, message):
    with pytest.raises(error, match=message):
        MAKERS[name](**{SPREAD[name] if argument == "spread" else argument: value}, rng=0)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("circles", {"factor": 1}, "factor is the inner circle's radius"),
        ("circles", {"factor": -0.1}, "factor is the inner circle's radius"),
        ("circles", {"factor": math.nan}, "factor is the inner circle's radius"),
        ("spirals", {"turns": math.inf}, "turns is a number of turns"),
        ("spirals", {"turns": "1"}, "turns is a number of turns"),
        ("spirals", {"classes": 0}, "classes is at least 1, not 0"),
        ("blobs", {"centers": 0}, "centers is at least 1, not 0"),
        ("blobs", {"centers": [1, 2]}, "a row a centre"),
        ("blobs", {"centers": [[1, 2], [3]]}, "a row a centre"),
        ("blobs", {"centers": [[1, math.nan]]}, "a row a centre"),
        ("blobs", {"centers": "three"}, "a row a centre"),
        ("blobs", {"n_features": 0}, "n_features is at least 1"),
        ("blobs", {"center_box": (1, 0)}, "center_box is"),
        ("blobs", {"center_box": (0, math.inf)}, "center_box is"),
        ("blobs", {"cluster_std": [1, 2]}, "one for each of the 3 centres"),
        ("blobs", {"cluster_std": [1, -2, 1]}, "cluster_std is a standard deviation"),
    ],
)
def test_what_makes_no_sense_for_one_shape_is_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        MAKERS[name](**arguments, rng=0)


@pytest.mark.parametrize("n", [100, 101])
@pytest.mark.parametrize(("name", "options"), [("moons", {}), ("circles", {"factor": 0.3})])
def test_moons_and_circles_are_scikit_learns(name, options, n):
    datasets = pytest.importorskip("sklearn.datasets")
    theirs, labels = getattr(datasets, f"make_{name}")(n, shuffle=False, **options)
    X, y = MAKERS[name](n, noise=0, rng=0, **options)
    for c in (0, 1):
        ours, wanted = X[y == c], theirs[labels == c]
        assert len(ours) == len(wanted)
        gap = np.hypot(*(ours[:, None] - wanted[None]).transpose(2, 0, 1))
        assert max(gap.min(0).max(), gap.min(1).max()) < 1e-12
