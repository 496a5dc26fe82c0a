"""Data sets by name: those in the package, those of scikit-learn, and a CSV file by its path."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.data._arrays import DataError
from micrograd_nn.data._points import make_blobs, make_circles, make_moons, make_spirals, make_xor
from micrograd_nn.data._tables import read_table

Array = np.ndarray[Any, Any]
if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None

FLOWERS = ("setosa", "versicolor", "virginica")
MEASURED = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
PIXELS = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
# Each maker with its classes' names; () where their number is an argument.
MADE: dict[str, tuple[Callable[..., tuple[Array, Array]], tuple[str, ...]]] = {
    "moons": (make_moons, ("upper", "lower")),
    "circles": (make_circles, ("outer", "inner")),
    "spirals": (make_spirals, ()),
    "blobs": (make_blobs, ()),
    "xor": (make_xor, ("same", "different")),
}
OF_SCIKIT_LEARN = ("wine", "breast_cancer")
NAMES = ("digits", "iris", *MADE, *OF_SCIKIT_LEARN)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Examples to learn from, with their names. It unpacks: `X, y = data.load("iris")`.

    `X` (N, features) and `y` (N,), the index into `classes`; `features` names the columns of X. `name` is what `load`
    was given, `title` a line for people, `stem` a short name that is safe for a file or folder. `one_scale` is True
    where the columns are of one kind (pixels, places in the plane), so that there is nothing to standardise.
    """

    name: str
    title: str
    X: Array
    y: Array
    classes: tuple[str, ...]
    features: tuple[str, ...]
    one_scale: bool = False

    @property
    def stem(self) -> str:
        stem, _ = os.path.splitext(os.path.basename(self.name))
        return re.sub(r"[^\w.-]+", "-", stem)[:40].strip(".-") or "data"

    def __iter__(self) -> Iterator[Array]:
        yield self.X
        yield self.y

    def __repr__(self) -> str:
        return f"<Dataset {self.title}>"


def load_digits() -> tuple[Array, Array]:
    """The 1,797 optical digits of Alpaydin & Kaynak (1998): X (1797, 64) in 0 ... 1, y (1797,) the digit.

    Shipped with the package under CC BY 4.0; the source is named in `_data/README.md`. The source's pixels go from 0
    to 16, and are divided by 16 here.

    >>> X, y = load_digits()
    >>> X.shape, float(X.max()), int(y[0])
    ((1797, 64), 1.0, 0)
    """
    images, labels = _stored("digits.npz", "images", "labels")
    return images / 16.0, labels.astype(np.int64)


def load_iris() -> tuple[Array, Array]:
    """The 150 irises of Fisher (1936): X (150, 4) in cm, y (150,) the species; `load("iris")` has their names.

    The columns are length and width of the sepals and of the petals; 50 flowers each of setosa, versicolor and
    virginica. Shipped with the package under CC BY 4.0; the source is named in `_data/README.md`.

    >>> X, y = load_iris()
    >>> X.shape, X[0].tolist(), int(y[0])
    ((150, 4), [5.1, 3.5, 1.4, 0.2], 0)
    """
    millimetres, species = _stored("iris.npz", "millimetres", "species")
    return millimetres / 10.0, species.astype(np.int64)


def load(name: str | os.PathLike[str], target: str | None = None, rng: Rng = None, **options: Any) -> Dataset:
    """A data set by its name, one of `NAMES`, or the table in a CSV file by its path and the column of the classes.

    `rng` draws the points of the sets that are made (moons, circles, spirals, blobs, xor) and `options` go to their
    makers (`n_samples=200`, `noise=0.2`; for blobs that is their `cluster_std`); the others are always the same. wine
    and breast_cancer come with scikit-learn. Nothing is ever downloaded. Raises DataError for a name that there is
    not, an option that makes no sense, or a table that cannot be learned from.

    >>> load("moons", rng=0, n_samples=200)
    <Dataset moons: 200 examples, 2 features, 2 classes>
    >>> X, y = load("digits")
    """
    name = os.fspath(name)
    table = name not in NAMES and (os.path.exists(name) or os.path.basename(name) != name or "." in name)
    if name in MADE:
        return _made(name, target, rng, options)
    if not table and name not in NAMES:
        import difflib

        near = difflib.get_close_matches(name.lower().replace("-", "_"), NAMES, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise DataError(f"no data set is named {name!r}{hint} There are {', '.join(NAMES)}, and a CSV file's path.")
    if options:
        raise DataError(f"{name} is as it is: there is no {' or '.join(map(repr, options))} to choose.")
    if table:
        return _table(name, target)
    _no_target(name, target)
    if name == "digits":
        title, classes = "1,797 handwritten digits, 8x8 pixels", tuple("0123456789")
        return Dataset(name, title, *load_digits(), classes, PIXELS, one_scale=True)
    if name == "iris":
        return _named(name, *load_iris(), FLOWERS, MEASURED)
    return _of_scikit_learn(name)


def _made(name: str, target: str | None, rng: Rng, options: dict[str, Any]) -> Dataset:
    import inspect

    _no_target(name, target)
    maker, classes = MADE[name]
    if name == "blobs" and "cluster_std" not in options:
        options = {("cluster_std" if key == "noise" else key): value for key, value in options.items()}
    known = [p for p in inspect.signature(maker).parameters if p != "rng"]
    for option in options:
        if option not in known:
            raise DataError(f"{name} has no option {option!r}; it has {', '.join(known)}.")
    try:
        X, y = maker(rng=rng, **options)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}") from None
    classes = classes or tuple(map(str, range(int(y.max()) + 1)))
    return _named(name, X, y, classes, tuple(f"x{j + 1}" for j in range(X.shape[1])), one_scale=True)


def _table(name: str, target: str | None) -> Dataset:
    table = read_table(name, target)
    title = f"{os.path.basename(name)}: {len(table.y):,} rows, {len(table.features)} features, target {target!r}"
    return Dataset(name, title, table.X, table.y, table.classes, table.features)


def _of_scikit_learn(name: str) -> Dataset:
    from importlib import import_module

    try:
        found = getattr(import_module("sklearn.datasets"), f"load_{name}")()
    except ImportError as error:
        raise DataError(
            f"{name} comes with scikit-learn, which is not installed: pip install 'micrograd-nn[datasets]'."
        ) from error
    classes, features = (tuple(map(str, names)) for names in (found.target_names, found.feature_names))
    return _named(name, found.data.astype(float), found.target.astype(np.int64), classes, features)


def _named(
    name: str, X: Array, y: Array, classes: tuple[str, ...], features: tuple[str, ...], one_scale: bool = False
) -> Dataset:
    title = f"{name}: {len(y):,} examples, {len(features)} features, {len(classes)} classes"
    return Dataset(name, title, X, y, classes, features, one_scale)


def _no_target(name: str, target: str | None) -> None:
    if target is not None:
        raise DataError(f"a target names a column of a CSV file, and {name!r} is none.")


def _stored(file: str, *keys: str) -> list[Array]:
    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "_data")
    with np.load(os.path.join(folder, file), allow_pickle=False) as found:
        return [found[key] for key in keys]
