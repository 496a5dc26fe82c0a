"""Losses: how far the outputs of a network are from what they should be, as one number to make small.

Names, arguments and reductions are PyTorch's: "mean", "sum", or "none" for one loss each. Every loss takes Tensors,
ndarrays, numbers, Values or lists of Values. Scores are what an output layer without an activation gives; a loss
takes their softmax or sigmoid itself, where it can be done without overflow. Labels are checked before they count.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from micrograd_nn import ops
from micrograd_nn.graph import Node, kinds
from micrograd_nn.op import shape_of
from micrograd_nn.ops import joined

__all__ = [
    "binary_cross_entropy_with_logits", "cross_entropy", "hinge_loss", "l1_loss", "mse_loss", "multi_margin_loss",
    "nll_loss",
]  # fmt: skip

SUM_TO_ONE = 1e-3  # how far from 1 the probabilities of one example may add up, for rounding

# --- real numbers --------------------------------------------------------------------------------------------------


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared error (input - target)², of two equal shapes. Its mean is over all entries.

    Raises ValueError for two shapes: (N, 1) against (N,) would broadcast, and quietly make N x N errors.

    >>> mse_loss(np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    np.float64(2.0)
    """
    input, target = _alike("mse_loss", input, target)
    return _reduced("mse_loss", ops.square(input - target), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The absolute error |input - target|, of two equal shapes; outliers pull less than with `mse_loss`.

    >>> l1_loss(np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    np.float64(1.0)
    """
    input, target = _alike("l1_loss", input, target)
    return _reduced("l1_loss", ops.abs(input - target), reduction)


# --- two classes, one score an example -----------------------------------------------------------------------------


def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Any:
    """-y log σ(s) - (1 - y) log(1 - σ(s)) of scores s and labels y: 0, 1 or a probability between; in nats.

    The loss of logistic regression, and a softmax of two classes with scores 0 and s. Its gradient is σ(s) - y.
    Shapes are equal, or scores (N, 1) with labels (N,). Raises ValueError for labels outside 0 ... 1.

    >>> round(float(binary_cross_entropy_with_logits(np.array([0.0, -1000.0]), np.array([1, 0]))), 4)
    0.3466
    """
    who = "binary_cross_entropy_with_logits"
    scores, target = _numbers(input), joined(target)
    needs = f"{who} takes labels 0 and 1, or probabilities between them"
    labels = _labels(needs, target, "(y == {!r}).astype(float)", tracked=True)
    if not ((labels >= 0) & (labels <= 1)).all():
        _refuse(needs, labels, (-1, 1), "for -1 and +1 write (y + 1) / 2")
    labels = _one_each(who, scores, target if isinstance(target, Node) else labels)
    return _reduced(who, ops.binary_cross_entropy_with_logits(scores, labels), reduction)


def hinge_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """max(0, 1 - y s) of scores s and labels y of -1 or +1: with L2 regularisation, a binary SVM.

    Beyond the margin, y s > 1, the loss and its gradient are 0. Shapes are equal, or scores (N, 1) with labels (N,).
    Raises ValueError for other labels.

    >>> hinge_loss(np.array([0.5, 2.0, 2.0]), np.array([1, 1, -1]), reduction="none")
    array([0.5, 0. , 3. ])
    """
    scores, needs = _numbers(input), "hinge_loss needs labels -1 and +1"
    labels = _labels(needs, joined(target), "np.where(y == {!r}, 1, -1)")
    if labels.dtype == bool or not (np.abs(labels) == 1).all():
        _refuse(needs, labels, (0, 1), "for 0 and 1 write 2 * y - 1")
    return _reduced("hinge_loss", ops.relu(1 - _one_each("hinge_loss", scores, labels) * scores), reduction)


# --- several classes, one score each -------------------------------------------------------------------------------


def cross_entropy(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Softmax cross-entropy of scores (N, C), or (C,) of one example; in nats.

    `target` holds integer labels (N,), or probabilities (N, C), which may be nodes. Raises TypeError for labels that
    are not integers; ValueError for a class out of range and for probabilities below 0 or that do not sum to 1.

    >>> round(float(cross_entropy(np.zeros((2, 10)), np.array([3, 7]))), 4)
    2.3026
    """
    scores, target = _numbers(input), joined(target)
    shape = shape_of(scores)
    if shape and shape == np.shape(_plain(target)):
        chances = _chances(scores, target)
        return _reduced("cross_entropy", -ops.sum(chances * ops.log_softmax(scores, axis=-1), axis=-1), reduction)
    labels = _classes("cross_entropy", scores, target)
    if reduction == "mean" and labels.size and labels.ndim:
        return ops.cross_entropy(scores, labels=labels)  # in one go
    return _reduced("cross_entropy", -_own(ops.log_softmax(scores, axis=-1), labels), reduction)


def nll_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Minus the log-probability of the label: of log-probabilities (N, C) and labels (N,), or (C,) and one label.

    `cross_entropy(scores, y)` is `nll_loss(log_softmax(scores), y)`. Raises ValueError for log-probabilities that do
    not belong to probabilities with sum 1, such as scores.

    >>> round(nll_loss(np.log([0.5, 0.25, 0.25]), 2) / np.log(2), 12)
    np.float64(2.0)
    """
    logs = _numbers(input)
    labels = _classes("nll_loss", logs, target)
    plain = _plain(logs)
    total = np.exp(np.minimum(plain, 1)).sum(-1)  # held below e: no overflow, and still not 1
    if not (np.abs(total - 1) <= SUM_TO_ONE).all():
        raise ValueError(
            "nll_loss takes log-probabilities, whose exp sums to 1 over the classes; that of these does not: give it "
            "log_softmax(scores), or give the scores themselves to cross_entropy."
        )
    return _reduced("nll_loss", -_own(logs, labels), reduction)


def multi_margin_loss(input: Any, target: Any, p: int = 1, margin: float = 1.0, reduction: str = "mean") -> Any:
    """Σ max(0, margin - s_y + s_i)^p / C over the classes i other than the label y: a multi-class SVM; p is 1 or 2.

    Of scores (N, C) and labels (N,), or (C,) and one label. The division by the number of classes C is PyTorch's;
    the well-known course notes on SVM classifiers sum over the classes: multiply by C for theirs.

    >>> float(multi_margin_loss(np.array([13.0, -7.0, 11.0]), 0, margin=10.0)) * 3  # the example of those notes
    8.0
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss takes p=1 or p=2, not {p!r}.")
    scores = _numbers(input)
    labels = _classes("multi_margin_loss", scores, target)
    others = np.ones(shape_of(scores), scores.dtype)
    others[_place(labels)] = 0
    own = ops.expand_dims(_own(scores, labels), axis=-1)
    short = ops.relu(scores - own + float(margin)) * others
    losses = ops.sum(ops.square(short) if p == 2 else short, axis=-1) / float(shape_of(scores)[-1])
    return _reduced("multi_margin_loss", losses, reduction)


# --- what they share -----------------------------------------------------------------------------------------------


def _reduced(who: str, losses: Any, reduction: str) -> Any:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}.")
    shape = shape_of(losses)
    if reduction == "none" or not shape:
        return losses
    if reduction == "mean" and 0 in shape:
        raise ValueError(f"{who} got no examples, and nothing has no mean: leave empty batches out.")
    return (ops.mean if reduction == "mean" else ops.sum)(losses)


def _plain(x: Any) -> Any:
    return x._data if isinstance(x, Node) else x


def _numbers(x: Any) -> Any:
    """Real numbers: a node as it is, one number as a float, anything else as an array of floats."""
    if not isinstance(x, Node):
        x = joined(x)
    if isinstance(x, Node):
        return x
    return float(x) if isinstance(x, (int, float)) else kinds[object]._take(x)


def _beside(x: Any, other: Any) -> Any:
    """Plain numbers in the floating type of what they meet, if that is a node: float32 stays float32."""
    if isinstance(x, Node) or not isinstance(other, Node):
        return x
    return x.astype(other._data.dtype) if shape_of(x) else float(x)


def _alike(who: str, input: Any, target: Any) -> tuple[Any, Any]:
    """Two of a shape."""
    a, b = _numbers(input), _numbers(target)
    if shape_of(a) != shape_of(b):
        fix = f": use reshape, target.reshape{shape_of(a)}" if np.size(_plain(a)) == np.size(_plain(b)) else ""
        raise ValueError(f"{who} needs two equal shapes, and got {shape_of(a)} and {shape_of(b)}{fix}.")
    return _beside(a, b), _beside(b, a)


def _labels(needs: str, target: Any, instead: str, tracked: bool = False) -> np.ndarray[Any, Any]:
    """Labels as an array of their own: changed later, the user's would change gradients.

    `needs` begins the message, `instead` says what to write for labels that are text.
    """
    if isinstance(target, Node) and target.requires_grad and not tracked:
        raise TypeError(
            f"{needs}, which are given, and {target.label} is computed: its gradient would be lost. Use .detach()."
        )
    labels = np.array(_plain(target))
    if labels.dtype.kind not in "fiub":
        found = next(iter(labels.reshape(-1).tolist()), None)
        fix = f"write {instead.format(found)}" if isinstance(found, str) else "write them as numbers"
        raise TypeError(f"{needs}, and got {type(found).__name__} {found!r}: {fix}.")
    return labels


def _one_each(who: str, scores: Any, labels: Any) -> Any:
    """One label a score, in the shape and floating type of the scores."""
    shape = shape_of(scores)
    if shape_of(labels) != shape:
        if shape != (*shape_of(labels), 1):
            fix = (
                f": write y.reshape{shape}" if np.size(_plain(labels)) == np.size(_plain(scores)) else
                ": for a score a class see cross_entropy and multi_margin_loss" if len(shape) == 2 else ""
            )  # fmt: skip
            raise ValueError(f"{who} needs one label a score, and got {shape} and {shape_of(labels)}{fix}.")
        labels = ops.reshape(labels, shape=shape)
    if isinstance(labels, Node):
        return labels
    return labels.astype(scores.dtype) if shape else float(labels)


def _refuse(needs: str, labels: np.ndarray[Any, Any], usual: tuple[int, int], fix: str) -> NoReturn:
    """Say which numbers there are where two were meant, and how the `usual` other two become those."""
    found = np.unique(labels)[:4].tolist()
    if not np.isin(found, usual).all():
        whole = np.array_equal(labels, np.floor(labels))
        fix = "for several classes see cross_entropy and multi_margin_loss" if whole else ""
    raise ValueError(f"{needs}, and found {found}{': ' if fix else ''}{fix}.")


def _classes(who: str, scores: Any, target: Any) -> np.ndarray[Any, Any]:
    """The label of each example, from 0 up to the number of classes: (N,), or () of one example."""
    shape = shape_of(scores)
    if len(shape) not in (1, 2):
        raise ValueError(
            f"{who} takes scores (N, C), or (C,) of one example, and got shape {shape}"
            + ("." if shape else ": for one score an example see binary_cross_entropy_with_logits and hinge_loss.")
        )
    classes = shape[-1]
    needs = f"{who} takes integer labels 0 ... {classes - 1}"
    labels = _labels(needs, joined(target), "names, y = np.unique(y, return_inverse=True)")
    if labels.shape != shape[:-1]:
        fix = (
            ": for one label a score see binary_cross_entropy_with_logits, of one-hot rows take y.argmax(1)"
            if labels.shape == shape else ": write y.ravel()" if labels.shape == (shape[0], 1) else ""
        )  # fmt: skip
        raise ValueError(
            f"{who} takes scores (N, C) and one label an example (N,), and got {shape} and {labels.shape}{fix}."
        )
    if labels.dtype.kind not in "iu":
        whole = np.array_equal(labels, np.floor(labels))
        fix = f": write y{'.numpy()' if isinstance(target, Node) else ''}.astype(int)" if whole else ""
        raise TypeError(f"{needs}, and got {labels.dtype} {labels.reshape(-1)[:3].tolist()}{fix}.")
    if labels.size and np.maximum.reduce(labels.astype(np.uint64), None) >= classes:  # a negative one is huge there
        low, high = labels.min(), labels.max()
        fix = {
            (1, classes): ": to count from 0 write y - 1",
            (-1, 1): ": for -1 and +1 write (y + 1) // 2",
        }.get((low, high), ": for one score an example see hinge_loss" if classes == 1 else "")
        raise ValueError(f"{needs} for {classes} scores, and these go from {low} to {high}{fix}.")
    return labels


def _place(labels: np.ndarray[Any, Any]) -> Any:
    """Where the label's own score is: the index of one entry, or of one in each row."""
    return (np.arange(len(labels)), labels) if labels.ndim else int(labels)


def _own(scores: Any, labels: np.ndarray[Any, Any]) -> Any:
    """The score of each example's own label."""
    return ops.getitem(scores, index=_place(labels))


def _chances(scores: Any, target: Any) -> Any:
    """Class probabilities, checked: PyTorch lets any numbers pass."""
    needs = "cross_entropy takes probabilities in the shape of the scores"
    values = _labels(needs, target, "names, y = np.unique(y, return_inverse=True)", tracked=True)
    if values.dtype.kind != "f":
        raise TypeError(
            f"{needs} as floats, and got {values.dtype}: for one-hot rows write y.astype(float), for one label a "
            "score see binary_cross_entropy_with_logits."
        )
    rows = values.reshape(-1, values.shape[-1])
    bad = np.flatnonzero(~((rows >= 0).all(1) & (np.abs(rows.sum(1) - 1) <= SUM_TO_ONE)))
    if len(bad):
        row = rows[bad[0]]
        what = f"sums to {row.sum():.6g}" if (row >= 0).all() else f"holds {row[~(row >= 0)][0]:.6g}"
        raise ValueError(
            f"{needs}, at least 0 and with sum 1 for each example, and row {bad[0]} {what}: divide by the sum, or take "
            "softmax; where several classes can be right at once see binary_cross_entropy_with_logits."
        )
    return target if isinstance(target, Node) else values.astype(scores.dtype, copy=False)
