"""Points made up for learning from: moons, circles, spirals, blobs and XOR, a class a shape."""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

Array = np.ndarray[Any, Any]
if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None


def make_moons(n_samples: int = 100, noise: float = 0.1, rng: Rng = None) -> tuple[Array, Array]:
    """Two half circles that interlock: X (n, 2), y (n,) of 0 and 1, shuffled. `noise` is the standard deviation added.

    >>> X, y = make_moons(100, rng=0)
    >>> X.shape, int(y.sum())
    ((100, 2), 50)
    """
    upper, lower = _shares("make_moons", n_samples, 2)
    s, t = np.linspace(0, math.pi, upper), np.linspace(0, math.pi, lower)
    X = np.concatenate([np.c_[np.cos(s), np.sin(s)], np.c_[1 - np.cos(t), 0.5 - np.sin(t)]])
    return _scattered(X, [upper, lower], noise, rng)


def make_circles(n_samples: int = 100, noise: float = 0.1, factor: float = 0.5, rng: Rng = None) -> tuple[Array, Array]:
    """A circle of radius 1, class 0, around one of radius `factor`, class 1: X (n, 2), y (n,), shuffled.

    The points of a circle are evenly spaced, and normal `noise` of that standard deviation is added to both
    coordinates.

    >>> X, y = make_circles(8, noise=0, rng=0)
    >>> np.hypot(*X[y == 1].T)
    array([0.5, 0.5, 0.5, 0.5])
    """
    outer, inner = _shares("make_circles", n_samples, 2)
    if not _number(factor) or not 0 <= factor < 1:
        raise ValueError(f"factor is the inner circle's radius, from 0 to below the outer one's 1, not {factor!r}.")
    X = np.concatenate([radius * _circle(np.arange(n) / n) for radius, n in ((1.0, outer), (factor, inner))])
    return _scattered(X, [outer, inner], noise, rng)


def make_spirals(
    n_samples: int = 300, noise: float = 0.05, classes: int = 3, turns: float = 1.0, rng: Rng = None
) -> tuple[Array, Array]:
    """Spiral arms around the origin, a class each: X (n, 2), y (n,) of 0 ... classes - 1, shuffled.

    The k-th of an arm's m points is k/m from the origin, so the last is 1 away and none on the origin itself, which
    would belong to every class; on that way out the arm goes round `turns` times, to the left (negative: to the
    right). Arm c starts c/classes of a circle further round. Normal `noise` of that standard deviation is added to
    both coordinates. The well-known course draws 3 arms of 100 points each with `turns=4 / (2 * math.pi)`.

    >>> X, y = make_spirals(6, noise=0, classes=2, turns=1, rng=0)
    >>> sorted(np.hypot(*X[y == 0].T).round(3).tolist())
    [0.333, 0.667, 1.0]
    """
    if not _number(turns):
        raise ValueError(f"turns is a number of turns, such as 0.75, not {turns!r}.")
    sizes = _shares("make_spirals", n_samples, _count("classes", classes))
    ways = [np.arange(1, n + 1) / n for n in sizes]
    X = np.concatenate([r[:, None] * _circle(turns * r + c / classes) for c, r in enumerate(ways)])
    return _scattered(X, sizes, noise, rng)


def make_blobs(
    n_samples: int = 100, centers: int | Any = 3, cluster_std: float | Any = 1.0, rng: Rng = None, *,
    n_features: int = 2, center_box: tuple[float, float] = (-10.0, 10.0),
) -> tuple[Array, Array]:  # fmt: skip
    """Clouds of normally distributed points, a class each: X (n, features), y (n,), shuffled.

    `centers` is their number, and then each is drawn uniformly from `center_box` in each of `n_features` directions,
    or the centres themselves (classes, features). `cluster_std` is the standard deviation in each direction, of all
    clouds or one a cloud.

    >>> X, y = make_blobs(90, centers=[[0, 0], [5, 5], [0, 5]], cluster_std=0.5, rng=0)
    >>> X.shape, np.bincount(y).tolist()
    ((90, 2), [30, 30, 30])
    """
    rng = np.random.default_rng(rng)
    try:
        places: Array = np.array(centers, float)
    except (TypeError, ValueError):
        places = np.empty(0)
    if places.ndim == 0:
        if len(center_box) != 2 or not all(map(_number, center_box)) or center_box[0] > center_box[1]:
            raise ValueError(f"center_box is (lowest, highest), two finite numbers, not {center_box!r}.")
        size = _count("centers", centers), _count("n_features", n_features)
        places = rng.uniform(*center_box, size=size)
    if places.ndim != 2 or not places.size or not np.isfinite(places).all():
        raise ValueError("centers is a number, or finite numbers of shape (classes, features): a row a centre.")
    sizes = _shares("make_blobs", n_samples, len(places))
    spread = _spread("cluster_std", cluster_std)
    if spread.ndim and spread.shape != (len(places),):
        raise ValueError(f"cluster_std is one number, or one for each of the {len(places)} centres, not {cluster_std}.")
    each = np.repeat(np.broadcast_to(spread, len(places)), sizes)[:, None]
    return _scattered(np.repeat(places, sizes, 0), sizes, each, rng)


def make_xor(n_samples: int = 100, noise: float = 0.25, rng: Rng = None) -> tuple[Array, Array]:
    """The corners (±1, ±1), class 0 where the signs are the same and 1 where they differ: X (n, 2), y (n,), shuffled.

    Normal `noise` of that standard deviation is added to both coordinates; a point that strays over an axis keeps its
    corner's class. `make_xor(4, noise=0)` is the four bare corners.

    >>> X, y = make_xor(4, noise=0, rng=0)
    >>> sorted(zip(X.tolist(), y.tolist()))
    [([-1.0, -1.0], 0), ([-1.0, 1.0], 1), ([1.0, -1.0], 1), ([1.0, 1.0], 0)]
    """
    sizes = _shares("make_xor", n_samples, 4, "corner")
    X = np.repeat([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]], sizes, 0)
    return _scattered(X, [sizes[0] + sizes[1], sizes[2] + sizes[3]], noise, rng)


def _circle(turned: Array) -> Array:
    """The points on the unit circle after so many turns."""
    points: Array = np.c_[np.cos(2 * math.pi * turned), np.sin(2 * math.pi * turned)]
    return points


def _shares(maker: str, n_samples: int, parts: int, part: str = "class") -> list[int]:
    """`n_samples` in so many parts, as equal as can be."""
    n = _count("n_samples", n_samples, 0)
    if n < parts:
        raise ValueError(f"{maker} needs at least {parts} points, one for each {part}, not {n}.")
    return [n * (k + 1) // parts - n * k // parts for k in range(parts)]


def _scattered(X: Array, sizes: list[int], noise: Any, rng: Rng) -> tuple[Array, Array]:
    """X, of `sizes[c]` points of class c one after another, shuffled, and `noise` added."""
    _spread("noise", noise)
    rng = np.random.default_rng(rng)
    y = np.repeat(np.arange(len(sizes)), sizes)
    order = rng.permutation(len(X))
    return (X + rng.normal(scale=noise, size=X.shape))[order], y[order]


def _spread(name: str, value: Any) -> Array:
    spread = np.asarray(value)
    if spread.dtype.kind not in "iuf" or not ((spread >= 0) & (spread < math.inf)).all():
        raise ValueError(f"{name} is a standard deviation, 0 or more, not {value!r}.")
    return spread


def _count(name: str, value: Any, least: int = 1) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, not {value!r}.") from None
    if number < least:
        raise ValueError(f"{name} is at least {least}, not {number}.")
    return number


def _number(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)
