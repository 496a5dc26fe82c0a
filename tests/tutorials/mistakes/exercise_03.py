"""Typical mistakes in the exercises of tutorial 3, and what the checks must say to each."""

import numpy as np


def sigmoid(s):
    return 1.0 / (1.0 + np.exp(-s))


def pulled(X, y, w, b, *, sign=1.0, mean=True, slope=False, swap=False):
    p = sigmoid(X @ w + b)
    pull = sign * (p - y) * (p * (1 - p) if slope else 1.0)
    of_w, of_b = pull @ X, pull.sum()
    if mean:
        of_w, of_b = of_w / len(X), of_b / len(X)
    return (of_b, of_w) if swap else (of_w, of_b)


def bias_summed(X, y, w, b):
    pull = sigmoid(X @ w + b) - y
    return pull @ X / len(X), pull.sum()


def one_after_the_other(X, t, w, b, rate, strength):
    new_w, _ = stepped(X, t, w, b, rate, strength)
    return new_w, stepped(X, t, new_w, b, rate, strength)[1]


def gradients_only(X, t, w, b, rate, strength):
    new_w, new_b = stepped(X, t, w, b, rate, strength)
    return (w - new_w) / rate, (b - new_b) / rate


def bias_added_up(X, t, w, b, rate, strength):
    new_w, new_b = stepped(X, t, w, b, rate, strength)
    return new_w, b + len(X) * (new_b - b)


def stepped(X, t, w, b, rate, strength, *, forget=1.0, bias_too=0.0, sign=1.0, over=None):
    inside = t * (X @ w + b) < 1
    of_s = np.where(inside, -t, 0) / (len(X) if over is None else over(inside))
    of_w, of_b = of_s @ X + forget * strength * w, of_s.sum() + bias_too * strength * b
    return w - sign * rate * of_w, b - sign * rate * of_b


P, G = "test_1_the_probability_of_class_1", "test_2_the_gradients_of_cross_entropy"
T, S = "test_3_the_examples_that_still_teach", "test_4_one_step_of_an_svm"

MISTAKES = [
    (P, {"probability": lambda X, w, b: X @ w + b}, "These are the scores"),
    (P, {"probability": lambda X, w, b: sigmoid(-(X @ w + b))}, "the probabilities of class 0"),
    (P, {"probability": lambda X, w, b: sigmoid(X @ w)}, "The bias is missing"),
    (P, {"probability": lambda X, w, b: (X @ w + b > 0) * 1.0}, "These are decisions"),
    (P, {"probability": lambda X, w, b: sigmoid(X @ w + b).mean()}, "should have the shape (12,)"),
    (G, {"gradients": lambda *a: pulled(*a, sign=-1.0)}, "The sign is turned round"),
    (G, {"gradients": lambda *a: pulled(*a, mean=False)}, "That is the sum over the examples"),
    (G, {"gradients": lambda *a: pulled(*a, slope=True)}, "The logarithm has undone it"),
    (G, {"gradients": lambda *a: pulled(*a, swap=True)}, "the order is that of the weights first"),
    (G, {"gradients": bias_summed}, "The gradient of b is a sum"),
    (T, {"still_teaching": lambda X, t, w, b: t * (X @ w + b) < 0}, "the examples on the wrong side"),
    (T, {"still_teaching": lambda X, t, w, b: np.abs(X @ w + b) < 1}, "the examples near the line"),
    (T, {"still_teaching": lambda X, t, w, b: X @ w + b < 1}, "You compared the score with 1"),
    (T, {"still_teaching": lambda X, t, w, b: t * (X @ w + b) > 1}, "the other way round"),
    (T, {"still_teaching": lambda X, t, w, b: 1 - t * (X @ w + b)}, "True or False"),
    (T, {"still_teaching": lambda X, t, w, b: t * (X @ w) < 1}, "the first has the margin"),
    (S, {"svm_step": lambda *a: stepped(*a, forget=0.0)}, "the penalty is missing"),
    (S, {"svm_step": lambda *a: stepped(*a, bias_too=1.0)}, "your bias forgets too"),
    (S, {"svm_step": lambda *a: stepped(*a, sign=-1.0)}, "Go against it"),
    (S, {"svm_step": lambda *a: stepped(*a, forget=-1.0)}, "The weights grow by themselves"),
    (S, {"svm_step": lambda *a: stepped(*a, forget=2.0)}, "not 2w"),
    (S, {"svm_step": lambda *a: stepped(*a, over=np.sum)}, "the number of examples that still teach"),
    (S, {"svm_step": lambda *a: stepped(*a, over=lambda inside: 1)}, "You added the examples up"),
    (S, {"svm_step": gradients_only}, "These are the gradients"),
    (S, {"svm_step": bias_added_up}, "it too takes their mean"),
    (S, {"svm_step": one_after_the_other}, "both gradients are taken at the old"),
]
