"""Checks of the exercises of tutorial 3."""

import exercise_03 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled, number

import micrograd_nn as mg
import micrograd_nn.functional as F

pytestmark = [pytest.mark.tutorial_3, pytest.mark.exercise]


def problem(seed, n=12, features=3, wrong=2):
    """Random examples, labels 0 and 1 (all but `wrong` as the neuron has them), weights and a bias."""
    rng = np.random.default_rng(seed)
    X, w, b = rng.normal(size=(n, features)), rng.normal(size=features), float(rng.normal())
    y = (X @ w + b > 0).astype(int)
    y[:wrong] = 1 - y[:wrong]
    return X, y, w, b


def given(X, y, w, b):
    """Copies for the student's code, which may change what it is given."""
    return X.copy(), y.copy(), w.copy(), b


def sigmoid(s):
    return 1.0 / (1.0 + np.exp(-s))


def same(found, wanted):
    return np.shape(found) == np.shape(wanted) and np.allclose(found, wanted, rtol=1e-7)


def pair(answer, name, of_w, of_b, features):
    """The two parts of an answer, of the right shapes."""
    if not isinstance(filled(answer, name), (tuple, list)) or len(answer) != 2:
        fail(f"{name} should give back two things, the one of the weights and then the one of the bias.")
    if np.size(answer[0]) == 1 and np.size(answer[1]) == features:
        fail(f"{name}: the order is that of the weights first, then that of the bias.")
    return array(answer[0], (features,), of_w), number(answer[1], of_b)


def test_1_the_probability_of_class_1():
    X, _, w, b = problem(1)
    found = array(yours.probability(X.copy(), w.copy(), b), (12,), "probability(X, w, b)")
    s = X @ w + b
    typical = [
        (s, "These are the scores. The sigmoid makes probabilities of them."),
        (sigmoid(-s), "These are the probabilities of class 0: look at the sign in the exponent, 1 / (1 + e^−s)."),
        (sigmoid(s - b), "The bias is missing: the score is w·x + b."),
        (s > 0, "These are decisions, 0 or 1. The probability itself was asked for, before comparing it with 0.5."),
    ]
    for mistake, words in typical:
        if same(found, mistake):
            fail(words)
    close(found, sigmoid(s), "The probability of class 1 is σ(w·x + b), for each row x of X.")


def test_2_the_gradients_of_cross_entropy():
    for seed in (2, 3):
        X, y, w, b = problem(seed)
        answer = yours.gradients(*given(X, y, w, b))
        of_w, of_b = pair(answer, "gradients", "the gradient of w", "the gradient of b", 3)

        weights, bias = mg.Tensor(w, requires_grad=True), mg.Tensor(b, requires_grad=True)
        F.binary_cross_entropy_with_logits(X @ weights + bias, y).backward()
        p = sigmoid(X @ w + b)
        through = (p - y) * p * (1 - p)
        typical = [
            (-weights.grad, "The sign is turned round: what was said minus what is true, p − y."),
            (weights.grad * 12, "That is the sum over the examples. The loss is their mean: divide by N."),
            (through @ X / 12, "You went through the slope p·(1 − p) as well. The logarithm has undone it: p − y is "
                               "already the gradient on the score."),
            (2 * through @ X / 12, "That is the gradient of the squared distance (p − y)². Cross-entropy has p − y on "
                                   "the score."),
            ((X @ w + b - y) @ X / 12, "You took the score where p belongs: p = σ(w·x + b)."),
        ]  # fmt: skip
        for mistake, words in typical:
            if same(of_w, mistake):
                fail(words)
        close(of_w, weights.grad, "The gradient of w is the mean of (p − y)·x over the examples.")
        if same(of_b, 12 * bias.grad):
            fail("The gradient of b is a sum over the examples; the loss is their mean: divide by N.")
        close(of_b, bias.grad, "The gradient of b is the mean of p − y: the bias is added to each score as it is.")


def test_3_the_examples_that_still_teach():
    X, y, w, b = problem(8, n=40, wrong=12)
    t = 2 * y - 1
    answer = filled(yours.still_teaching(*given(X, t, w, b)), "still_teaching")
    found = array(answer, (40,), "still_teaching(X, t, w, b)")
    margins = t * (X @ w + b)
    if np.asarray(answer).dtype != bool:
        fail(f"Each entry should be True or False, as a comparison gives it, and yours begins with {found[:4]}.")
    typical = [
        (margins < 0, "These are the examples on the wrong side. Some on the right side still teach: the hinge loss "
                      "asks for a margin of at least 1."),
        (np.abs(margins) < 1, "These are the examples near the line. One that is far on the wrong side teaches too: "
                              "the margin is label times score, with its sign."),
        (margins / t < 1, "You compared the score with 1. The margin is label times score."),
        (margins > 1, "It is the other way round: these are the examples that no longer teach."),
    ]  # fmt: skip
    for mistake, words in typical:
        if same(found, mistake):
            fail(words)
    score = mg.Tensor(X @ w + b, requires_grad=True)
    F.hinge_loss(score, t).backward()
    wrong = np.flatnonzero(found != (score.grad != 0))
    if len(wrong):
        k = wrong[0]
        fail(
            f"Of 40 examples {len(wrong)} are not right; the first has the margin {margins[k]:.3f}. An example has a "
            "gradient where max(0, 1 − margin) is above 0."
        )


def stepped(X, t, w, b, rate, strength, *, divide=None, forget=1.0, bias_too=0.0, sign=1.0):
    """A step, and with other arguments one of those that are typically taken instead."""
    of_s = np.where(t * (X @ w + b) < 1, -t, 0)
    of_s = of_s / (len(X) if divide is None else divide(of_s))
    of_w, of_b = of_s @ X + forget * strength * w, of_s.sum() + bias_too * strength * b
    return w - sign * rate * of_w, b - sign * rate * of_b


def test_4_one_step_of_an_svm():
    for seed in (5, 6):
        X, y, w, b = problem(seed, n=20)
        t, rate, strength = 2 * y - 1, 0.3, 0.4
        answer = yours.svm_step(*given(X, t, w, b), rate, strength)
        new_w, new_b = pair(answer, "svm_step", "the new weights", "the new bias", 3)

        neuron = mg.nn.Neuron(3, "identity", init="zeros")
        neuron.weight.data, neuron.bias.data = w, b
        optimizer = mg.optim.SGD(neuron.parameters(), lr=rate)
        loss = F.hinge_loss(neuron(X), t) + mg.nn.l2_penalty(neuron, strength)
        loss.backward()
        optimizer.step()
        wanted_w, wanted_b = neuron.weight.data, float(neuron.bias.data)

        def step(X=X, t=t, w=w, b=b, rate=rate, strength=strength, **change):
            return stepped(X, t, w, b, rate, strength, **change)

        if same(new_w, wanted_w) and same(new_b, step(bias_too=1.0)[1]):
            fail("The weights are right, but your bias forgets too. The penalty is on the weights only.")
        typical = [
            ((w, b), "Nothing has moved. Subtract rate times the gradient, and give back the new values."),
            (((w - wanted_w) / rate, 0), "These are the gradients. Wanted are the new values, w − rate · gradient."),
            (step(forget=0.0), "Only the data have taught: the penalty is missing. Its gradient is strength · w."),
            (step(sign=-1.0), "This step goes along the gradient, and the loss grows. Go against it."),
            (step(forget=-1.0), "The weights grow by themselves: the penalty's gradient, + strength · w, is to be "
                                "subtracted together with that of the data."),
            (step(forget=2.0), "The weights forget twice as fast as they should: the derivative of ½ w² is w, not 2w."),
            (step(divide=lambda g: 1), "You added the examples up. The loss is their mean: divide by N."),
            (step(divide=lambda g: max(1, np.sum(g != 0))), "You divided by the number of examples that still teach. "
                                                            "The mean is over all N, with 0 for the others."),
        ]  # fmt: skip
        for (mistake, _), words in typical:
            if same(new_w, mistake):
                fail(words)
        close(new_w, wanted_w, "The new weights are w − rate · (the mean of the data's gradients + strength · w).")
        if not same(new_b, wanted_b):
            if same(new_b, b - len(X) * (b - wanted_b)):
                fail("The weights are right. For the bias you added the examples up: it too takes their mean.")
            if same(new_b, step(w=wanted_w)[1]):
                fail("The weights are right. For the bias you used the new ones: both gradients are taken at the old.")
        close(new_b, wanted_b, "The weights are right. The new bias is b − rate · (the mean of the gradients on s).")
