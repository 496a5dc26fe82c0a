"""The digits, the moons, batches, splits and tables."""

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


def test_a_table_is_read_with_its_names(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('a;b;kind\n1;2.5;"x"\n-3;4e1;y\n\n0;0;x\n')
    table = data.read_table(file, "kind")
    assert table.features == ("a", "b")
    assert table.classes == ("x", "y")
    assert table.X.tolist() == [[1, 2.5], [-3, 40], [0, 0]]
    assert table.y.tolist() == [0, 1, 0]


def test_numeric_classes_are_in_the_order_of_numbers(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("a,k\n1,10\n2,9\n3,10\n")
    assert data.read_table(file, "k").classes == ("9", "10")


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,k\n1,0\n2,1\n", "missing", "no column 'missing'; its columns are 'a', 'k'"),
        ("a,k\n1,0\nfoo,1\n", "k", "row 3, column 'a': 'foo' is not a number"),
        ("a,k\n1,0\n,1\n", "k", "row 3, column 'a': the number is missing"),
        ("a,k\n1,0\nnan,1\n", "k", "row 3, column 'a': nan"),
        ("a,k\n1,0\ninf,1\n", "k", "row 3, column 'a': inf"),
        ("a,k\n1,0\n2,0\n", "k", "every row has '0'"),
        ("a,k\n1,0\n2,\n", "k", "row 3, column 'k': the class is missing"),
        ("a,k\n1,0\n2\n", "k", "row 3: 1 cells, and the header has 2"),
        ("a,a,k\n1,2,0\n1,2,1\n", "k", "more than one column named 'a'"),
        ("k\n0\n1\n", "k", "nothing to learn it from"),
        ("a,k\n1,0\n", "k", "at least two rows"),
        ("", "k", "needs a header"),
        ("a,k\n" + "".join(f"1,{i / 7}\n" for i in range(200)), "k", "looks like a measurement"),
        ("a,k\n1,nan\n1,1\n", "k", "holds NaN"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused_by_place(tmp_path, text, target, message):
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(data.DataError, match=message):
        data.read_table(file, target)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(bytes(range(256)))
    with pytest.raises(data.DataError, match="UTF-8"):
        data.read_table(tmp_path / "t.csv", "k")
    with pytest.raises(data.DataError, match="folder"):
        data.read_table(tmp_path, "k")
    with pytest.raises(data.DataError, match="no file"):
        data.read_table(tmp_path / "none.csv", "k")
