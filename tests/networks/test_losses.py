"""Losses: what they are, at any size of score, and which labels they take."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, gradients, nn
from micrograd_nn import functional as F
from micrograd_nn.checking import gradcheck

REDUCTIONS = ["mean", "sum", "none"]
RNG = np.random.default_rng(0)
SCORES, CLASSES = RNG.normal(size=(6, 4)), RNG.integers(0, 4, 6)
ONE, OTHER = RNG.normal(size=6), RNG.normal(size=6)
BITS, SHARES = RNG.integers(0, 2, 6), RNG.uniform(0, 1, 6)
CHANCES = RNG.dirichlet(np.ones(4), 6)


def softmax(s):
    e = np.exp(s)
    return e / e.sum(-1, keepdims=True)


def margins(s, y, p=1, margin=1.0):
    return np.array([
        sum(max(0.0, margin - row[k] + row[i]) ** p for i in range(len(row)) if i != k) / len(row)
        for row, k in zip(s, y, strict=True)
    ])  # fmt: skip


# Loss, its arguments, and the losses of the examples by hand.
BY_HAND = {
    "mse": (F.mse_loss, (ONE, OTHER), (ONE - OTHER) ** 2),
    "mse of a matrix": (F.mse_loss, (SCORES, CHANCES), (SCORES - CHANCES) ** 2),
    "l1": (F.l1_loss, (ONE, OTHER), abs(ONE - OTHER)),
    "bce": (F.binary_cross_entropy_with_logits, (ONE, BITS),
            np.where(BITS, -np.log(1 / (1 + np.exp(-ONE))), -np.log(1 - 1 / (1 + np.exp(-ONE))))),
    "bce of probabilities": (F.binary_cross_entropy_with_logits, (ONE, SHARES),
                             SHARES * np.log(1 + np.exp(-ONE)) + (1 - SHARES) * np.log(1 + np.exp(ONE))),
    "hinge": (F.hinge_loss, (ONE, 2 * BITS - 1), np.where(BITS, np.maximum(0, 1 - ONE), np.maximum(0, 1 + ONE))),
    "cross entropy": (F.cross_entropy, (SCORES, CLASSES), -np.log(softmax(SCORES))[range(6), CLASSES]),
    "cross entropy of probabilities": (F.cross_entropy, (SCORES, CHANCES),
                                       -(CHANCES * np.log(softmax(SCORES))).sum(1)),
    "nll": (F.nll_loss, (np.log(softmax(SCORES)), CLASSES), -np.log(softmax(SCORES))[range(6), CLASSES]),
    "multi margin": (F.multi_margin_loss, (SCORES, CLASSES), margins(SCORES, CLASSES)),
    "multi margin, squared": (lambda s, y, reduction: F.multi_margin_loss(s, y, 2, 0.5, reduction), (SCORES, CLASSES),
                              margins(SCORES, CLASSES, 2, 0.5)),
}  # fmt: skip
every_loss = pytest.mark.parametrize("name", BY_HAND)
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


@every_loss
@every_reduction
def test_a_loss_is_its_formula(name, reduction):
    loss, (input, target), each = BY_HAND[name]
    expected = {"mean": each.mean(), "sum": each.sum(), "none": each}[reduction]
    for x in (input, input.tolist(), Tensor(input, requires_grad=True), [Value(v) for v in input] if input.ndim == 1
              else [[Value(v) for v in row] for row in input]):  # fmt: skip
        out = loss(x, target, reduction=reduction)
        found = out.data if isinstance(out, mg.graph.Node) else out
        np.testing.assert_allclose(found, expected, rtol=1e-13)
        assert np.shape(found) == np.shape(expected)


@every_loss
@every_reduction
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_float32_stays_float32_whatever_the_target_is(name, reduction, dtype):
    loss, (input, target), _ = BY_HAND[name]
    x = Tensor(input, requires_grad=True, dtype=dtype)
    out = loss(x, target, reduction=reduction)
    assert out.dtype == dtype
    for create_graph in (False, True):
        assert gradients(F.sum(out), create_graph=create_graph)[x].dtype == dtype
    if not name.startswith(("mse", "l1")):  # two plain arrays of numbers follow NumPy
        assert np.asarray(loss(input.astype(dtype), target, reduction=reduction)).dtype == dtype


@every_loss
@every_reduction
def test_its_gradients_are_its_slopes(name, reduction):
    loss, arguments, _ = BY_HAND[name]
    gradcheck(lambda x, y: loss(x, y, reduction=reduction), *arguments, order=2 if reduction == "mean" else 1)


THEIRS = {
    "mse": "mse_loss", "mse of a matrix": "mse_loss", "l1": "l1_loss", "bce": "binary_cross_entropy_with_logits",
    "bce of probabilities": "binary_cross_entropy_with_logits", "cross entropy": "cross_entropy",
    "cross entropy of probabilities": "cross_entropy", "nll": "nll_loss", "multi margin": "multi_margin_loss",
}  # fmt: skip


@pytest.mark.parametrize("name", THEIRS)
@every_reduction
def test_values_and_gradients_are_pytorchs(name, reduction):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    loss, (input, target), _ = BY_HAND[name]
    other = getattr(torch.nn.functional, THEIRS[name])
    mine, theirs = Tensor(input, requires_grad=True), torch.tensor(input, requires_grad=True)
    same = torch.tensor(target.astype(float) if name == "bce" else target)
    out, expected = loss(mine, target, reduction=reduction), other(theirs, same, reduction=reduction)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-12)
    expected.sum().backward()
    np.testing.assert_allclose(gradients(F.sum(out))[mine], theirs.grad.numpy(), rtol=1e-11, atol=1e-15)


@every_reduction
@pytest.mark.parametrize(("p", "margin"), [(1, 0.3), (1, 2.0), (2, 1.0), (2, 2.5)])
def test_margins_and_powers_are_pytorchs(reduction, p, margin):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    mine, theirs = Tensor(SCORES, requires_grad=True), torch.tensor(SCORES, requires_grad=True)
    out = F.multi_margin_loss(mine, CLASSES, p, margin, reduction)
    expected = torch.nn.functional.multi_margin_loss(
        theirs, torch.tensor(CLASSES), p=p, margin=margin, reduction=reduction
    )
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-13)
    expected.sum().backward()
    np.testing.assert_allclose(gradients(F.sum(out))[mine], theirs.grad.numpy(), rtol=1e-12, atol=1e-15)


@every_reduction
@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss", "multi_margin_loss"])
def test_one_example_without_a_batch_is_pytorchs(loss, reduction):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    logs = np.log(softmax(SCORES[0]))
    out = getattr(F, loss)(Tensor(logs, requires_grad=True), 2, reduction=reduction)
    expected = getattr(torch.nn.functional, loss)(torch.tensor(logs), torch.tensor(2), reduction=reduction)
    assert out.shape == tuple(expected.shape) == ()
    assert out.item() == pytest.approx(expected.item(), rel=1e-13)


# --- one number at a time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "value", "slope"),
    [
        (lambda v: F.mse_loss(v, 3.0), 2.25, -3.0), (lambda v: F.l1_loss(v, 3), 1.5, -1.0),
        (lambda v: F.binary_cross_entropy_with_logits(v, 1), math.log1p(math.exp(-1.5)), -1 / (1 + math.exp(1.5))),
        (lambda v: F.hinge_loss(v, -1), 2.5, 1.0), (lambda v: F.hinge_loss(v, 1), 0.0, 0.0),
    ],
)  # fmt: skip
def test_a_value_has_the_loss_of_one_example(call, value, slope):
    v = Value(1.5)
    out = call(v)
    assert type(out) is Value
    assert out.data == pytest.approx(value, rel=1e-15)
    assert gradients(out)[v] == pytest.approx(slope, rel=1e-14)
    assert type(call(1.5)) is float
    assert call(1.5) == out.data
    t = Tensor(1.5, requires_grad=True)
    assert call(t).item() == pytest.approx(value, rel=1e-15)
    assert gradients(call(t))[t] == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.multi_margin_loss])
def test_a_list_of_values_has_the_loss_of_its_array(loss):
    values, tensor = [Value(v) for v in SCORES[0]], Tensor(SCORES[0], requires_grad=True)
    out, expected = loss(values, 2), loss(tensor, 2)
    assert out.item() == expected.item()
    assert [gradients(out)[v] for v in values] == gradients(expected)[tensor].tolist()


@pytest.mark.parametrize("one", ["hinge_loss", "binary_cross_entropy_with_logits"])
def test_both_ways_of_computing_a_module_have_the_same_loss(one):
    model, label = nn.Neuron(3, activation="identity", rng=0), 1
    out = getattr(F, one)(model([0.1, -0.2, 0.3]), label)
    assert type(out) is Value
    assert out.item() == pytest.approx(getattr(F, one)(model(np.array([0.1, -0.2, 0.3])), label).item(), rel=1e-14)


@pytest.mark.parametrize("one", ["hinge_loss", "binary_cross_entropy_with_logits"])
def test_a_column_of_scores_goes_with_a_row_of_labels(one):
    loss, y = getattr(F, one), np.ones(6, int)
    column = Tensor(ONE[:, None], requires_grad=True)
    assert loss(column, y).item() == pytest.approx(loss(ONE, y), rel=1e-15)
    assert loss(column, y, "none").shape == (6, 1)
    assert gradients(loss(column, y))[column].shape == (6, 1)


# --- scores of any size --------------------------------------------------------------------------------------------

FAR = [-1e5, -1000.0, -50.0, 0.0, 50.0, 1000.0, 1e5]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("label", [0, 0.5, 1])
def test_bce_is_exact_at_any_score_and_its_gradient_is_sigma_minus_y(dtype, label):
    s = Tensor(FAR, requires_grad=True, dtype=dtype)
    out = F.binary_cross_entropy_with_logits(s, np.full(7, label), "none")
    # log(1 + e^x) is x or e^x far out; |s| carries the loss on the wrong side, and half of it on both where y = 1/2
    tail = [math.exp(-abs(x)) if x else math.log(2) for x in FAR]
    expected = [label * max(-x, 0) + (1 - label) * max(x, 0) + t for x, t in zip(FAR, tail, strict=True)]
    np.testing.assert_allclose(out.data, np.array(expected, dtype), rtol=2e-6 if dtype == np.float32 else 1e-14)
    sigma = [0.0, 0.0, math.exp(-50), 0.5, 1.0, 1.0, 1.0]
    slope = gradients(F.sum(out), create_graph=True)[s]
    np.testing.assert_allclose(slope.data, np.array(sigma) - label, atol=1e-7 if dtype == np.float32 else 1e-15)
    curve = gradients(F.sum(slope))[s]
    assert curve[3] == 0.25
    assert not np.delete(curve, 3)[[0, 1, -2, -1]].any()
    for i, x in enumerate(FAR):
        v = Value(x)
        one = F.binary_cross_entropy_with_logits(v, label)
        assert one.data == pytest.approx(expected[i], rel=1e-14, abs=1e-300)
        assert gradients(one)[v] == pytest.approx(sigma[i] - label, abs=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_softmax_losses_at_1000(dtype):
    rows, labels = [[1000.0, 0.0, -1000.0], [-1000.0, 1000.0, 0.0], [1000.0, 1000.0, 1000.0]], [0, 0, 1]
    one_hot = np.eye(3)[labels]
    certain = np.array([[1, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3]])
    s = Tensor(rows, requires_grad=True, dtype=dtype)
    for out in (
        F.cross_entropy(s, labels, "sum"), F.cross_entropy(s, labels) * 3, F.cross_entropy(s, one_hot, "sum"),
        F.nll_loss(F.log_softmax(s), labels, "sum"),
    ):  # fmt: skip
        assert out.item() == pytest.approx(2000 + math.log(3), rel=1e-6)
        slope = gradients(out, create_graph=True)[s]
        np.testing.assert_allclose(slope.data, certain - one_hot, atol=1e-6 if dtype == np.float32 else 1e-12)
        assert np.isfinite(gradients(F.sum(slope * slope))[s]).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_other_losses_at_1000(dtype):
    s = Tensor([1000.0, -1000.0], requires_grad=True, dtype=dtype)
    for out, value, slope in (
        (F.mse_loss(s, np.array([-1000.0, -1000.0]), "sum"), 4e6, [4000, 0]),
        (F.l1_loss(s, np.array([-1000.0, -1000.0]), "sum"), 2000, [1, 0]),
        (F.hinge_loss(s, [-1, -1], "sum"), 1001, [1, 0]),
        (F.multi_margin_loss(s, 1, reduction="sum"), 2001 / 2, [0.5, -0.5]),
        (F.multi_margin_loss(s, 1, p=2), 2001**2 / 2, [2001, -2001]),
        (F.multi_margin_loss(s, 0), 0, [0, 0]),
    ):  # fmt: skip
        assert out.item() == pytest.approx(value, rel=1e-6)
        assert gradients(out)[s].tolist() == pytest.approx(slope)


# --- what the notes say --------------------------------------------------------------------------------------------


@given(st.floats(-1000, 1000), st.sampled_from([0, 1]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_sigmoid_neuron_is_a_binary_softmax(s, y):
    v = Value(s)
    by_sigmoid, by_softmax = F.binary_cross_entropy_with_logits(v, y), F.cross_entropy([0.0, v], y)
    assert by_sigmoid.item() == pytest.approx(by_softmax.item(), rel=1e-13, abs=1e-15)
    assert gradients(by_sigmoid)[v] == pytest.approx(gradients(by_softmax)[v], rel=1e-12, abs=1e-15)
    assert F.sigmoid(s) == pytest.approx(F.softmax([0.0, s])[1], rel=1e-12)


def test_the_loss_of_a_sigmoid_neuron_is_the_cross_entropy_of_its_output():
    X, y = RNG.normal(size=(20, 3)), RNG.integers(0, 2, 20)
    w, b = RNG.normal(size=3), 0.3
    P = 1 / (1 + np.exp(-(X @ w + b)))
    expected = -np.mean(np.log(np.where(y, P, 1 - P)))
    assert F.binary_cross_entropy_with_logits(X @ w + b, y) == pytest.approx(expected, rel=1e-13)
    weights = Tensor(w, requires_grad=True)
    found = gradients(F.binary_cross_entropy_with_logits(X @ weights + b, y))[weights]
    np.testing.assert_allclose(found, X.T @ (P - y) / 20, rtol=1e-12)


@given(st.floats(-100, 100), st.sampled_from([-1, 1]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_beyond_the_margin_a_binary_svm_does_not_learn(s, y):
    v = Value(s)
    out = F.hinge_loss(v, y)
    assert out.data == max(0.0, 1 - y * s)
    assert gradients(out)[v] == (0.0 if y * s >= 1 else -y)


def test_the_multi_class_svm_of_the_notes():
    # their example: scores 13, -7, 11, the first class right, margin 10: max(0, -7-13+10) + max(0, 11-13+10) = 8
    s = Tensor([13.0, -7.0, 11.0], requires_grad=True)
    out = 3 * F.multi_margin_loss(s, 0, margin=10)
    assert out.item() == pytest.approx(8, rel=1e-15)
    assert gradients(out)[s].tolist() == pytest.approx([-1, 0, 1])


def test_guessing_at_random_costs_the_logarithm_of_the_number_of_classes():
    for c in (2, 10, 1000):
        assert F.cross_entropy(np.zeros((3, c)), [0, 1, 1]) == pytest.approx(math.log(c), rel=1e-14)
        assert F.multi_margin_loss(np.zeros((3, c)), [0, 1, 1]) == pytest.approx((c - 1) / c, rel=1e-14)
    assert F.binary_cross_entropy_with_logits(np.zeros(3), [0, 1, 1]) == pytest.approx(math.log(2), rel=1e-15)


# --- identities ----------------------------------------------------------------------------------------------------


@st.composite
def batches(draw, bound=50):
    n, c = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    scores = draw(arrays(float, (n, c), elements=st.floats(-bound, bound)))
    labels = draw(arrays(draw(st.sampled_from([np.int64, np.uint8])), n, elements=st.integers(0, c - 1)))
    return scores, labels


few = settings(max_examples=60, deadline=None, derandomize=True)


@given(batches(), st.sampled_from(REDUCTIONS))
@few
def test_labels_one_hot_rows_and_log_probabilities_say_the_same(batch, reduction):
    scores, labels = batch
    s = Tensor(scores, requires_grad=True)
    ways = [
        F.cross_entropy(s, labels, reduction), F.cross_entropy(s, np.eye(scores.shape[1])[labels], reduction),
        F.nll_loss(F.log_softmax(s), labels, reduction),
    ]  # fmt: skip
    for a, b in itertools.pairwise(ways):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(gradients(F.sum(a))[s], gradients(F.sum(b))[s], rtol=1e-12, atol=1e-13)
    assert gradients(F.sum(ways[0]))[s].sum(1) == pytest.approx(0, abs=1e-12)


@given(batches(), st.randoms(use_true_random=False))
@few
def test_the_order_of_examples_and_of_classes_does_not_matter(batch, random):
    scores, labels = batch
    rows, classes = list(range(scores.shape[0])), list(range(scores.shape[1]))
    random.shuffle(rows)
    random.shuffle(classes)
    place = np.argsort(classes)  # where each class went
    for loss in (F.cross_entropy, F.multi_margin_loss, lambda s, y: F.nll_loss(F.log_softmax(s), y)):
        expected = loss(scores, labels)
        assert loss(scores[rows], labels[rows]) == pytest.approx(expected, rel=1e-12, abs=1e-13)
        assert loss(scores[:, classes], place[labels]) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@given(batches(), st.floats(-1000, 1000))
@few
def test_one_number_added_to_all_scores_changes_nothing(batch, shift):
    scores, labels = batch
    for loss in (F.cross_entropy, F.multi_margin_loss):
        assert loss(scores + shift, labels) == pytest.approx(loss(scores, labels), abs=1e-9)


@given(batches())
@few
def test_the_mean_and_the_sum_are_those_of_the_losses(batch):
    scores, labels = batch
    y = np.where(labels % 2, 1, -1)
    for loss, *inputs in (
        (F.cross_entropy, scores, labels), (F.multi_margin_loss, scores, labels), (F.hinge_loss, scores[:, 0], y),
        (F.binary_cross_entropy_with_logits, scores[:, 0], (y + 1) / 2), (F.mse_loss, scores, -scores),
        (F.l1_loss, scores, -scores),
    ):  # fmt: skip
        each = loss(*inputs, reduction="none")
        assert loss(*inputs) == pytest.approx(each.mean(), rel=1e-12, abs=1e-13)
        assert loss(*inputs, reduction="sum") == pytest.approx(each.sum(), rel=1e-12, abs=1e-13)
        assert (each >= 0).all()


def test_probabilities_may_be_learned_too():
    s, p = Tensor(SCORES), Tensor(CHANCES, requires_grad=True)
    np.testing.assert_allclose(gradients(F.cross_entropy(s, p, "sum"))[p], -np.log(softmax(SCORES)), rtol=1e-13)
    y = Tensor(SHARES, requires_grad=True)
    np.testing.assert_allclose(gradients(F.binary_cross_entropy_with_logits(ONE, y, "sum"))[y], -ONE, rtol=1e-15)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_target_changed_after_the_loss_changes_no_gradient(name):
    loss, (input, target), _ = BY_HAND[name]
    x, mine = Tensor(input, requires_grad=True), target.copy()
    expected = gradients(loss(x, target, reduction="sum"))[x]
    out = loss(x, mine, reduction="sum")
    mine[:] = mine[::-1].copy()
    np.testing.assert_array_equal(gradients(out)[x], expected)


# --- what is refused -----------------------------------------------------------------------------------------------

X, T = np.zeros((3, 2)), Tensor(np.zeros((3, 2)), requires_grad=True, name="T")
S = X[:, 0]
BCE = F.binary_cross_entropy_with_logits


@pytest.mark.parametrize(
    ("call", "error", "parts"),
    [
        # other labels than the loss takes
        (lambda: F.hinge_loss(S, [0, 1, 1]), ValueError, ["-1 and +1", "[0, 1]", "2 * y - 1"]),
        (lambda: F.hinge_loss(S, [False, True, True]), ValueError, ["-1 and +1", "2 * y - 1"]),
        (lambda: F.hinge_loss(S, [True, True, True]), ValueError, ["-1 and +1", "[True]", "2 * y - 1"]),
        (lambda: F.hinge_loss(S, [0, 1, 2]), ValueError, ["[0, 1, 2]", "multi_margin_loss"]),
        (lambda: F.hinge_loss(S, [1, -1, np.nan]), ValueError, ["-1 and +1", "nan"]),
        (lambda: F.hinge_loss(S, [1, -1, 0.3]), ValueError, ["-1 and +1", "0.3"]),
        (lambda: F.hinge_loss(Value(0.0), 0), ValueError, ["2 * y - 1"]),
        (lambda: BCE(S, [-1, 1, 1]), ValueError, ["labels 0 and 1", "[-1, 1]", "(y + 1) / 2"]),
        (lambda: BCE(S, [0, 1, 2]), ValueError, ["[0, 1, 2]", "cross_entropy"]),
        (lambda: BCE(S, [0, 1, 1.2]), ValueError, ["between", "1.2"]),
        (lambda: BCE(S, [0, 1, np.nan]), ValueError, ["nan"]),
        (lambda: BCE(Value(0.0), -1), ValueError, ["(y + 1) / 2"]),
        (lambda: F.cross_entropy(X, [0, 1, 2]), ValueError, ["0 ... 1", "from 0 to 2"]),
        (lambda: F.cross_entropy(X, [1, 2, 2]), ValueError, ["from 1 to 2", "y - 1"]),
        (lambda: F.cross_entropy(X, [-1, 1, 1]), ValueError, ["from -1 to 1", "(y + 1) // 2"]),
        (lambda: F.cross_entropy(X[:, :1], [0, 1, 1]), ValueError, ["0 ... 0", "hinge_loss"]),
        (lambda: F.cross_entropy(X, [0.0, 1.0, 1.0]), TypeError, ["integer labels", "y.astype(int)"]),
        (lambda: F.cross_entropy(X, Tensor([0, 1, 1])), TypeError, ["integer labels", "y.numpy().astype(int)"]),
        (lambda: F.cross_entropy(X, [True, False, True]), TypeError, ["bool", "y.astype(int)"]),
        (lambda: F.cross_entropy(X, [0.2, 1.0, 1.0]), TypeError, ["integer labels 0 ... 1", "0.2"]),
        (lambda: F.nll_loss(F.log_softmax(X), [0, 1, 2]), ValueError, ["nll_loss", "from 0 to 2"]),
        (lambda: F.multi_margin_loss(X, [0, 1, 2]), ValueError, ["multi_margin_loss", "from 0 to 2"]),
        (lambda: F.multi_margin_loss(X, [0, 1.0, 1]), TypeError, ["y.astype(int)"]),
        # text
        (lambda: F.cross_entropy(X, ["cat", "dog", "cat"]), TypeError, ["'cat'", "np.unique(y, return_inverse=True)"]),
        (lambda: F.hinge_loss(S, ["cat", "dog", "cat"]), TypeError, ["np.where(y == 'cat', 1, -1)"]),
        (lambda: BCE(S, np.array(["cat", "dog", "cat"])), TypeError, ["(y == 'cat').astype(float)"]),
        (lambda: F.cross_entropy(X, [None, 0, 1]), TypeError, ["NoneType"]),
        (lambda: F.mse_loss(X, "cat"), TypeError, ["text"]),
        # numbers that are no probabilities
        (lambda: F.cross_entropy(X, X + 1), ValueError, ["row 0 sums to 2", "binary_cross_entropy_with_logits"]),
        (lambda: F.cross_entropy(X, [[1, 0], [0, 1], [1.5, -0.5]]), ValueError, ["row 2 holds -0.5"]),
        (lambda: F.cross_entropy(X, X * np.nan), ValueError, ["row 0 holds nan"]),
        (lambda: F.cross_entropy(T, T), ValueError, ["row 0 sums to 0"]),
        (lambda: F.cross_entropy(X, np.eye(2, dtype=int)[[0, 1, 1]]), TypeError, ["y.astype(float)"]),
        (lambda: F.cross_entropy(S, [0, 1, 0]), TypeError, ["binary_cross_entropy_with_logits"]),
        (lambda: F.nll_loss(X, [0, 1, 1]), ValueError, ["log_softmax(scores)", "cross_entropy"]),
        (lambda: F.nll_loss(X + 1e6, [0, 1, 1]), ValueError, ["log_softmax(scores)"]),
        (lambda: F.nll_loss(X + 0.5, [0, 1, 1]), ValueError, ["log_softmax(scores)"]),
        # shapes
        (lambda: F.mse_loss(X[:, :1], S), ValueError, ["(3, 1) and (3,)", "target.reshape(3, 1)"]),
        (lambda: F.l1_loss(S, X[:, :1]), ValueError, ["l1_loss", "(3,) and (3, 1)", "target.reshape(3,)"]),
        (lambda: F.mse_loss(X, 0.0), ValueError, ["(3, 2) and ()"]),
        (lambda: F.hinge_loss(S, [[1], [1], [-1]]), ValueError, ["(3,) and (3, 1)", "y.reshape(3,)"]),
        (lambda: BCE(X, [0, 1, 1]), ValueError, ["(3, 2) and (3,)", "cross_entropy"]),
        (lambda: F.cross_entropy(X, [[0], [1], [1]]), ValueError, ["(3, 2) and (3, 1)", "y.ravel()"]),
        (lambda: F.cross_entropy(X, [0, 1]), ValueError, ["(3, 2) and (2,)"]),
        (lambda: F.cross_entropy(Value(1.0), 0), ValueError, ["()", "binary_cross_entropy_with_logits"]),
        (lambda: F.multi_margin_loss(np.zeros((2, 2, 2)), [0, 1]), ValueError, ["(2, 2, 2)"]),
        # and the rest
        (lambda: F.hinge_loss(S, T[:, 0]), TypeError, ["gradient would be lost", ".detach()"]),
        (lambda: F.multi_margin_loss(X, [0, 1, 1], p=3), ValueError, ["p=1 or p=2", "3"]),
        (lambda: F.cross_entropy(X, [0, 1, 1], "avg"), ValueError, ["'mean', 'sum' or 'none'", "'avg'"]),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_fix(call, error, parts):
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (F.mse_loss, np.zeros((0, 2))), (F.l1_loss, np.zeros((0, 2))), (BCE, np.zeros((0, 2))),
        (F.hinge_loss, np.zeros((0, 2))), (F.cross_entropy, np.zeros(0, int)), (F.cross_entropy, np.zeros((0, 2))),
        (F.nll_loss, np.zeros(0, int)), (F.multi_margin_loss, np.zeros(0, int)),
    ],
)  # fmt: skip
def test_the_mean_over_no_examples_is_refused(loss, target):
    nothing = np.zeros((0, 2))
    with pytest.raises(ValueError, match="got no examples"):
        loss(nothing, target)
    assert loss(nothing, target, reduction="sum") == 0
    assert loss(nothing, target, reduction="none").size == 0


# --- the slope that is learned -------------------------------------------------------------------------------------


@given(arrays(float, (3, 4), elements=st.floats(-1e6, 1e6)), st.floats(-2, 2))
@few
def test_prelu_is_leaky_relu_with_a_slope_that_has_a_gradient(x, slope):
    z, w = Tensor(x, requires_grad=True), Tensor([slope], requires_grad=True)
    out, fixed = F.prelu(z, w), F.leaky_relu(z, slope)
    np.testing.assert_array_equal(out.data, fixed.data)
    np.testing.assert_array_equal(gradients(F.sum(out))[z], gradients(F.sum(fixed))[z])
    assert gradients(F.sum(out))[w].tolist() == pytest.approx([np.minimum(x, 0).sum()], rel=1e-12)


def test_prelu_learns_one_slope_a_unit():
    z, w = np.array([[-1.0, 2.0, -3.0], [-10.0, -20.0, 30.0]]), Tensor([0.1, 0.2, 0.3], requires_grad=True)
    out = F.prelu(z, w)
    np.testing.assert_allclose(out.data, [[-0.1, 2, -0.9], [-1, -4, 30]], rtol=1e-15)
    assert gradients(F.sum(out))[w].tolist() == [-11, -20, -3]


@pytest.mark.parametrize("x", [-2.0, 0.0, 3.0])
@pytest.mark.parametrize("weight", [Value(0.25), Tensor(0.25, requires_grad=True), Tensor([0.25], requires_grad=True)])
def test_prelu_of_one_number(x, weight):
    v = Value(x)
    out = F.prelu(v, weight)
    assert out.shape == ()
    assert out.item() == F.prelu(x, 0.25) == F.leaky_relu(x, 0.25)
    found = gradients(out)
    assert found[v] == (1.0 if x > 0 else 0.25)
    assert np.asarray(found[weight]).item() == min(x, 0.0)


def test_the_slope_of_an_open_prelu_gets_exactly_nothing():
    z, w = Tensor([-1000.0, 1000.0, np.inf]), Tensor(0.1, requires_grad=True)
    assert gradients(F.sum(F.prelu(z, w)))[w] == -1000


def test_a_fixed_parameter_is_not_a_node():
    with pytest.raises(TypeError, match=r"slope would be lost: use F.prelu\(x, weight\)"):
        F.leaky_relu(T, Value(0.1, name="slope"))
    with pytest.raises(TypeError, match=r"gradient of the node alpha would be lost: write F.where\(x > 0"):
        F.elu(T, Value(0.1, name="alpha"))
    with pytest.raises(ValueError, match=r"each of the 2 units .* shape \(3,\)"):
        F.prelu(T, np.ones(3))


@pytest.mark.parametrize("kind", [Value, lambda a, name: Tensor(a, True, name)])
def test_what_elu_says_to_write_is_elu_with_an_alpha_that_has_a_gradient(kind):
    alpha = kind(1.5, name="alpha")
    for x in (-2.0, -0.5, 0.5, 2.0):
        v = Value(x)
        learned, fixed = F.where(v > 0, v, alpha * F.expm1(F.minimum(v, 0.0))), F.elu(v, 1.5)
        assert learned.item() == pytest.approx(fixed.item(), rel=1e-15)
        assert gradients(learned)[v] == pytest.approx(gradients(fixed)[v], rel=1e-14)
        assert gradients(learned)[alpha] == pytest.approx(math.expm1(min(x, 0)), rel=1e-14)
