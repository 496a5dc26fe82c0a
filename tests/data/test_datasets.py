"""The data in the package, and data sets by name."""

import sys
from pathlib import Path

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


def test_the_irises_are_fishers():
    X, y = data.load_iris()
    assert X.shape == (150, 4)
    assert y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    # means and standard deviations as R prints them for its iris
    np.testing.assert_allclose(X.mean(0), [5.843333, 3.057333, 3.758, 1.199333], atol=5e-7)
    np.testing.assert_allclose(X.std(0, ddof=1), [0.8280661, 0.4358663, 1.7652982, 0.7622377], atol=5e-8)
    # the means of the three species in Fisher's paper, table II
    of_species = [[5.006, 3.428, 1.462, 0.246], [5.936, 2.770, 4.260, 1.326], [6.588, 2.974, 5.552, 2.026]]
    np.testing.assert_allclose([X[y == c].mean(0) for c in range(3)], of_species, atol=1e-12)
    # the two flowers that differ from the paper in UCI's file, as its notes correct them
    assert X[34].tolist() == [4.9, 3.1, 1.5, 0.2]
    assert X[37].tolist() == [4.9, 3.6, 1.4, 0.1]


def test_the_irises_agree_with_scikit_learn():
    bunch = pytest.importorskip("sklearn.datasets").load_iris()
    found = data.load("iris")
    assert np.array_equal(found.X, bunch.data)
    assert np.array_equal(found.y, bunch.target)
    assert list(found.classes) == bunch.target_names.tolist()
    assert list(found.features) == bunch.feature_names


def test_data_in_the_package_are_the_callers_own():
    for load in (data.load_digits, data.load_iris):
        X, y = load()
        X[:], y[:] = 0, 0
        assert load()[0].any()
        assert load()[1].any()


def _size(name):
    if name in ("wine", "breast_cancer"):
        pytest.importorskip("sklearn")
    return data.load(name, rng=0)


@pytest.mark.parametrize("name", data.NAMES)
def test_every_name_has_its_names_and_sizes_right(name):
    found = _size(name)
    assert found.name == found.stem == name
    assert found.X.shape == (len(found.y), len(found.features))
    assert found.X.dtype == np.float64
    assert found.y.dtype == np.int64
    assert sorted(set(found.y.tolist())) == list(range(len(found.classes)))
    assert all(isinstance(word, str) for word in (*found.classes, *found.features))
    assert len(set(found.features)) == len(found.features)
    assert np.isfinite(found.X).all()


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("digits", (1797, 64), ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")),
        ("iris", (150, 4), ("setosa", "versicolor", "virginica")),
        ("moons", (100, 2), ("upper", "lower")),
        ("circles", (100, 2), ("outer", "inner")),
        ("spirals", (300, 2), ("0", "1", "2")),
        ("wine", (178, 13), ("class_0", "class_1", "class_2")),
        ("breast_cancer", (569, 30), ("malignant", "benign")),
    ],
)
def test_sizes_and_classes_by_name(name, shape, classes):
    found = _size(name)
    assert found.X.shape == shape
    assert found.classes == classes


def test_class_names_say_which_shape_it_is():
    moons, circles, xor = (data.load(name, rng=0, noise=0) for name in ("moons", "circles", "xor"))
    assert moons.X[moons.y == moons.classes.index("upper"), 1].min() > -1e-12
    assert np.hypot(*circles.X[circles.y == circles.classes.index("inner")].T).max() < 0.51
    assert (xor.X[xor.y == xor.classes.index("same")].prod(1) == 1).all()


def test_a_data_set_unpacks_and_shows_itself():
    X, y = found = data.load("moons", rng=0)
    assert X is found.X
    assert y is found.y
    assert repr(found) == "<Dataset moons: 100 examples, 2 features, 2 classes>"
    assert [len(part) for part in data.train_test_split(*data.load("iris"), 0.2, rng=0)] == [120, 30, 120, 30]


def test_the_seed_and_options_reach_the_maker():
    X, y = data.make_spirals(90, noise=0.1, classes=5, turns=2, rng=3)
    found = data.load("spirals", rng=3, n_samples=90, noise=0.1, classes=5, turns=2)
    assert np.array_equal(found.X, X)
    assert np.array_equal(found.y, y)
    assert found.classes == ("0", "1", "2", "3", "4")
    assert data.load("blobs", rng=0, n_features=4).features == ("x1", "x2", "x3", "x4")


def test_noise_is_the_spread_of_blobs_too():
    X, _ = data.make_blobs(50, cluster_std=0.25, rng=3)
    assert np.array_equal(data.load("blobs", rng=3, n_samples=50, noise=0.25).X, X)


def test_only_columns_of_different_kinds_need_a_scale():
    assert data.load("digits").one_scale
    assert data.load("moons").one_scale
    assert not data.load("iris").one_scale


def test_a_table_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my points.csv").write_text("a,side,b\n1,up,3\n2,down,4\n")
    for path in ("my points.csv", Path("my points.csv"), tmp_path / "my points.csv"):
        found = data.load(path, "side")
        assert found.X.tolist() == [[1, 3], [2, 4]]
        assert found.y.tolist() == [1, 0]
        assert found.classes == ("down", "up")
        assert found.features == ("a", "b")
        assert found.name == str(path)
        assert found.stem == "my-points"
        assert found.title == "my points.csv: 2 rows, 2 features, target 'side'"
        assert not found.one_scale


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../a/b.csv", "b"), ("a b?.csv", "a-b"), ("größe.csv", "größe"), ("..csv", "csv"), ("???.csv", "data"),
        ("x" * 300 + ".csv", "x" * 40), ("v1.2.csv", "v1.2"), ("-rf.csv", "rf"),
    ],
)  # fmt: skip
def test_a_stem_is_safe_in_a_path(name, stem):
    assert data.Dataset(name, "", np.empty((0, 0)), np.empty(0), (), ()).stem == stem


def test_a_file_without_an_ending_and_one_with_a_sets_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("points", "moons"):
        Path(name).write_text("a,k\n1,x\n2,y\n")
    assert len(data.load("points", "k").y) == 2
    assert len(data.load("./moons", "k").y) == 2
    assert len(data.load("moons").y) == 100  # a name is a name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("irsi",), {}), "no data set is named 'irsi'; did you mean iris\\? There are digits, iris, moons, "),
        ((("Moons",), {}), "did you mean moons"),
        ((("breast-cancer",), {}), "did you mean breast_cancer"),
        ((("",), {}), "no data set is named ''. There are"),
        ((("imagenet", "k"), {}), "no data set is named 'imagenet'. There are .* and a CSV file's path"),
        ((("none.csv", "k"), {}), "there is no file none.csv"),
        ((("folder/none", "k"), {}), "there is no file folder/none"),
        ((("moons", "k"), {}), "a target names a column of a CSV file, and 'moons' is none"),
        ((("digits", "k"), {}), "a target names a column"),
        ((("iris",), {"n_samples": 10}), "iris is as it is: there is no 'n_samples' to choose"),
        ((("moons",), {"turns": 2}), "moons has no option 'turns'; it has n_samples, noise"),
        ((("moons",), {"n_samples": 1}), "moons: make_moons needs at least 2 points"),
        ((("circles",), {"n_samples": "ten"}), "circles: n_samples is a whole number, not 'ten'"),
        ((("circles",), {"noise": -1}), "circles: noise is a standard deviation"),
        ((("table.csv",), {}), "name the target.*its columns are 'a', 'k'"),
        ((("table.csv", "c"), {}), "no column 'c'"),
        ((("table.csv", "k"), {"noise": 1}), "there is no 'noise' to choose"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_what_there_is(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("a,k\n1,x\n2,y\n")
    given, options = arguments
    with pytest.raises(data.DataError, match=message):
        data.load(*given, **options)


def test_without_scikit_learn_its_sets_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)  # importing it fails, as where it is not installed
    with pytest.raises(data.DataError, match=r"pip install 'micrograd-nn\[datasets\]'"):
        data.load("wine")
    assert len(data.load("iris").y) == 150
