"""The kind of mistake is named from its numbers: planted in NumPy, by the hundred, and near misses stay unnamed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn.checking._patterns import CAUSES, Evidence, LocalOp, Trace, diagnose

DRAWS = 200
SHAPES = [(1,), (4,), (7,), (3, 3), (5, 3), (1, 6), (6, 1), (2, 2), (4, 4, 2), (12, 5), (2, 3, 4)]


def evidence(name, x, right, wrong, rng=None, noise=1e-12, looked=None):
    """What a check would know: the right gradient by differences, off by less than its error bar."""
    rng = np.random.default_rng(rng)
    x, right = np.asarray(x, float), np.asarray(right, float)
    bar = noise * np.max(np.abs(right), initial=1e-300) * rng.uniform(1, 3, right.shape)
    numeric = right + bar * rng.uniform(-0.5, 0.5, right.shape)
    looked = np.ones(right.shape, bool) if looked is None else looked
    returned = None
    wrong = np.asarray(wrong, float)
    if wrong.shape != right.shape:
        wrong, returned = np.full(right.shape, np.nan), wrong
    with np.errstate(invalid="ignore"):
        bad = ~(np.abs(wrong - numeric) <= bar + 1e-9 * np.maximum(np.abs(wrong), np.abs(numeric)))
    bad |= (wrong == 0) & (np.abs(numeric) > bar)
    wrong, numeric, bar = (np.where(looked, v, np.nan) for v in (wrong, numeric, bar))
    return Evidence(name, x, wrong, numeric, bar, looked, bad & looked, returned)


def draw(rng, shape):
    return rng.normal(size=shape)


# --- one input, nothing but numbers: (x, right gradient) -> the wrong one, or None where it would be the same --------


def negative_part(f):
    return lambda rng, x, n: np.where(x < 0, f(n), n) if (x < 0).any() and (x > 0).any() and x.size > 2 else None


def row(rng, x, n):
    if n.ndim != 2 or n.shape[0] < 3 or n.shape[1] < 2:
        return None
    wrong = n.copy()
    wrong[rng.integers(len(n))] += rng.normal(size=n.shape[1])
    return wrong


def one_entry(rng, x, n):
    wrong = n.copy()
    wrong[tuple(rng.integers(k) for k in n.shape)] *= 1.3
    return wrong if n.size > 3 else None


def border(rng, x, n):
    wrong = n.copy()
    inside = np.zeros(n.shape, bool)
    inside[tuple(slice(1, -1) for _ in n.shape)] = True
    wrong[~inside] *= rng.uniform(1.1, 2, size=(~inside).sum())
    return wrong if n.ndim == 2 and min(n.shape) > 2 else None


def square(f):
    return lambda rng, x, n: f(n) if n.ndim == 2 and n.shape[0] == n.shape[1] > 1 else None


def along(axis, least, f):
    return lambda rng, x, n: f(n) if n.ndim > axis and n.shape[axis] >= least else None


def zero_filled(n):
    return np.concatenate([np.zeros_like(n[:1]), n[:-1]])


def own_factor(rng, x, n):
    return n * (1 + float(rng.choice([1e-6, 1e-4, 0.037, 0.5, 2.3]) * rng.choice([-0.9, 1])))


PLANTED = {
    "factor": [own_factor, lambda rng, x, n: 2 * n, lambda rng, x, n: n / 2],
    "sign": [lambda rng, x, n: -n],
    "never reached": [lambda rng, x, n: 0 * n],
    "transposed": [
        square(np.transpose),
        lambda rng, x, n: n.T.reshape(n.shape) if n.ndim == 2 and min(n.shape) > 1 else None,
        lambda rng, x, n: n.T if n.ndim == 2 and n.shape[0] != n.shape[1] else None,
        lambda rng, x, n: n.swapaxes(0, 1) if n.ndim == 3 and n.shape[0] == n.shape[1] else None,
    ],
    "broadcast": [
        lambda rng, x, n: np.stack([n, 2 * n, -n]),
        lambda rng, x, n: n * np.ones((4,) + (1,) * n.ndim),
        lambda rng, x, n: n.sum(0) if n.ndim > 1 and n.shape[0] > 1 else None,
        lambda rng, x, n: n * np.ones((5, 1)) if n.ndim == 2 and n.shape[0] == 1 and n.shape[1] != 5 else None,
        lambda rng, x, n: n.sum(0, keepdims=True) + 0 * n if n.ndim > 1 and n.shape[0] > 1 else None,
    ],
    "negative inputs": [negative_part(lambda n: 0 * n), negative_part(lambda n: 3 * n), negative_part(lambda n: -n)],
    "positive inputs": [lambda rng, x, n: np.where(x > 0, n * 1.7, n) if (x < 0).any() and x.size > 6 else None],
    "reversed": [along(0, 2, lambda n: n[::-1]), along(1, 2, lambda n: n[:, ::-1])],
    "shifted": [
        along(0, 3, lambda n: np.roll(n, 1, 0)),
        along(1, 3, lambda n: np.roll(n, -1, 1)),
        along(0, 3, zero_filled),
    ],
    "penalty": [
        lambda rng, x, n: n + 0.01 * x if x.size > 2 else None,
        lambda rng, x, n: n - 1e-4 * x if x.size > 2 else None,
        lambda rng, x, n: n + 0.1 * np.sign(x) if x.size > 6 else None,
    ],
    "part": [row, one_entry, border],
}


@pytest.mark.parametrize("cause", PLANTED)
def test_a_planted_mistake_is_named_from_numbers_alone(cause):
    """Right in at least 95 of 100 draws: of numbers, shapes (square, size-1 axes, one entry) and kinds of mistake."""
    right = total = 0
    missed = []
    rng = np.random.default_rng(len(cause))
    while total < DRAWS:
        shape = SHAPES[rng.integers(len(SHAPES))]
        x, n = draw(rng, shape), draw(rng, shape)
        wrong = PLANTED[cause][rng.integers(len(PLANTED[cause]))](rng, x, n)
        if wrong is None:
            continue
        found, sentence = diagnose([evidence("w", x, n, wrong, rng)])
        total += 1
        right += found == cause
        if found != cause:
            missed.append((shape, found, sentence))
        else:
            assert sentence.endswith((".", "?"))
            assert 0 < len(sentence) < 250
            assert "w" in sentence
    assert right >= 0.95 * total, missed[:10]


@pytest.mark.parametrize(
    ("n", "cause"), [(100, "missing 1/N"), (5, "missing 1/N"), (100, "1/N too many"), (12, "1/N too many")]
)
def test_a_factor_that_is_a_size_is_named_after_it(n, cause):
    rng = np.random.default_rng(n)
    x, b, gx, gb = (draw(rng, s) for s in ((n, 3), (4,), (n, 3), (4,)))
    factor = n if cause == "missing 1/N" else 1 / n
    found, sentence = diagnose([evidence("x", x, gx, gx), evidence("b", b, gb, factor * gb)])
    assert found == cause
    assert str(n) in sentence
    assert "examples" in sentence
    assert cause != "missing 1/N" or (f"b is {n}x too large" in sentence and "missing 1/N" in sentence)


# --- never a confident wrong word -------------------------------------------------------------------------------------


def some_wrong(rng, shape):
    x, n = draw(rng, shape), draw(rng, shape)
    size, share = 10.0 ** rng.integers(-6, 1), rng.choice([0.3, 0.7, 1.0])
    return evidence("w", x, n, n * (1 + size * rng.normal(size=shape) * (rng.random(shape) < share)), rng)


@given(st.integers(0, 2**32), st.sampled_from([(5, 5), (2, 3, 4), (12, 5), (40,)]))
@settings(max_examples=300, deadline=None)
def test_random_wrongness_has_no_name_but_a_place(seed, shape):
    assert diagnose([some_wrong(np.random.default_rng(seed), shape)])[0] in ("", "part")


def test_random_wrongness_of_few_numbers_is_misnamed_once_in_a_hundred_at_most():
    """Which of four to nine entries are wrong can fall on the negative ones by chance."""
    rng = np.random.default_rng(9)
    shapes = [(4,), (5,), (7,), (3, 2), (3, 3)]
    found = [diagnose([some_wrong(rng, shapes[k % 5])])[0] for k in range(1000)]
    assert sum(f not in ("", "part") for f in found) <= 10


@given(st.integers(0, 2**32), st.sampled_from([1e-3, 1e-5, 1e-7]))
@settings(max_examples=100, deadline=None)
def test_a_mistake_lost_in_the_error_bars_has_no_name(seed, noise):
    rng = np.random.default_rng(seed)
    x, n = draw(rng, (6, 4)), draw(rng, (6, 4))
    wrong = n + 3 * noise * rng.choice([-1, 1], (6, 4))
    assert diagnose([evidence("w", x, n, wrong, rng, noise)])[0] in ("", "part")


def test_what_is_right_has_no_cause():
    n = np.arange(4.0)
    assert diagnose([evidence("w", n, n, n)]) == ("", "")
    assert diagnose([]) == ("", "")


def test_of_a_symmetric_gradient_nobody_can_say_that_it_is_transposed():
    rng = np.random.default_rng(0)
    a = draw(rng, (4, 4))
    n = a + a.T
    assert diagnose([evidence("w", draw(rng, (4, 4)), n, 2.5 * n)])[0] == "factor"
    assert diagnose([evidence("w", draw(rng, (4, 4)), n, n + 1e-3 * a)])[0] != "transposed"


def test_where_all_inputs_are_positive_no_side_is_blamed():
    rng = np.random.default_rng(1)
    x, n = np.abs(draw(rng, (8,))), draw(rng, (8,))
    wrong = np.where(np.arange(8) % 2, 2 * n, n)
    assert diagnose([evidence("w", x, n, wrong)])[0] == ""


def test_of_one_number_the_sign_and_zero_come_before_a_factor():
    assert diagnose([evidence("x", 2.0, 3.0, -3.0)])[0] == "sign"
    assert diagnose([evidence("x", 2.0, 3.0, 0.0)])[0] == "never reached"
    assert diagnose([evidence("x", 2.0, 3.0, 6.0)]) == ("factor", "the gradient of x is 2.0x too large.")


def test_two_numbers_with_two_odd_factors_have_no_name():
    assert diagnose([evidence("x", 2.0, 3.0, 3.7), evidence("y", 2.0, 5.0, 4.1)]) == ("", "")


def test_two_examples_and_a_factor_of_two_leave_both_readings_open():
    rng = np.random.default_rng(2)
    x, n = draw(rng, (2, 5)), draw(rng, (2, 5))
    cause, sentence = diagnose([evidence("x", x, n, 2 * n)])
    assert cause == "factor"
    assert "2.0x too large" in sentence
    assert "missing 1/N?" in sentence


def test_a_factor_is_shown_with_enough_digits():
    n = np.array([1.0, -2.0, 0.3])
    assert "1.0000010" in diagnose([evidence("w", n, n, n * 1.000001)])[1]
    assert "half" in diagnose([evidence("w", n, n[::-1], n[::-1] / 2)])[1]


def test_inputs_with_one_mistake_are_named_together():
    rng = np.random.default_rng(3)
    parts = [evidence(name, *(draw(rng, (3, 2)),), n := draw(rng, (3, 2)), -n) for name in ("w", "b", "x")]
    assert diagnose(parts) == (
        "sign", "the sign of the gradient of w, b and x is flipped: look for a minus missing, or one too many."
    )  # fmt: skip


def test_two_mistakes_make_one_sentence():
    rng = np.random.default_rng(4)
    w, b = draw(rng, (3, 2)), draw(rng, (3,))
    cause, sentence = diagnose([evidence("w", w, w[::-1], -w[::-1]), evidence("b", b, b[::-1], 2.5 * b[::-1])])
    assert cause == "sign"
    assert "; and the gradient of b is 2.5x too large" in sentence


def test_swapped_inputs_are_seen_by_value_and_by_shape():
    rng = np.random.default_rng(5)
    a, b, c = (draw(rng, (3, 2)) for _ in range(3))
    parts = [evidence("p", a, a, b), evidence("q", b, b, c), evidence("r", c, c, a)]
    cause, sentence = diagnose(parts)
    assert cause == "swapped inputs"
    assert "p, q and r" in sentence
    d = draw(rng, (4,))
    assert diagnose([evidence("w", a, a, d), evidence("b", d, d, a)])[0] == "swapped inputs"


def test_a_shape_that_is_wrong_says_what_to_do():
    rng = np.random.default_rng(6)
    b, w, g = draw(rng, (3,)), draw(rng, (4, 2)), draw(rng, (5, 3))
    assert diagnose([evidence("b", b, g.sum(0), g)]) == (
        "broadcast", "b has shape (3,) and the gradient (5, 3): sum it over axis 0."
    )  # fmt: skip
    assert ".T" in diagnose([evidence("w", w, w, w.T)])[1]


def test_only_what_was_looked_at_counts():
    rng = np.random.default_rng(7)
    x, n = draw(rng, (40, 40)), draw(rng, (40, 40))
    looked = rng.random((40, 40)) < 0.2
    assert diagnose([evidence("w", x, n, n.T, rng, looked=looked)])[0] == "transposed"
    assert diagnose([evidence("w", x, n, 1.7 * n, rng, looked=looked)])[0] == "factor"


def test_a_statistic_taken_for_a_constant_is_seen_without_a_graph():
    rng = np.random.default_rng(8)
    x, g = draw(rng, (8, 3)), draw(rng, (8, 3))
    cause, sentence = diagnose([evidence("x", x, g - g.mean(0), g, rng)])
    assert cause == "constant"
    assert "mean" in sentence
    assert "axis 0" in sentence


# --- with the graph of the same computation: forward, shapes, and backward passes with one slip each ------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def tanh_layer(x, w, b):
    return np.tanh(x @ w + b)


def tanh_layer_back(slope):
    def back(g, x, w, b):
        z = x @ w + b
        d = slope(g, z, np.tanh(z))
        return d @ w.T, x.T @ d, d.sum(0)

    return back


def sigmoid_layer_back(slope):
    def back(g, x, w, b):
        z = x @ w + b
        d = slope(g, z, sigmoid(z))
        return d @ w.T, x.T @ d, d.sum(0)

    return back


def deep(x, w, v):
    return np.tanh(np.tanh(x @ w) @ v)


def deep_back(g, x, w, v):
    h = np.tanh(x @ w)
    return g @ v.T @ w.T, x.T @ (g @ v.T), h.T @ g  # both derivatives are left out


def mixed(x, w):
    return softmax(x @ w)


def mixed_back(jacobian):
    def back(g, x, w):
        d = jacobian(g, softmax(x @ w))
        return d @ w.T, x.T @ d

    return back


def normed(x, scale):
    mean, var = x.mean(0), x.var(0)
    return scale * (x - mean) / np.sqrt(var + 1e-5)


def normed_back(with_mean, with_var):
    def back(g, x, scale):
        std = np.sqrt(x.var(0) + 1e-5)
        y = (x - x.mean(0)) / std
        d = g * scale
        dx = (d - with_mean * d.mean(0) - with_var * y * (d * y).mean(0)) / std
        return dx, (g * y).sum(0)

    return back


def recurrent(x, w, u):
    """Four steps with the same weights."""
    h = np.tanh(x[0] @ w)
    for t in range(1, 4):
        h = np.tanh(x[t] @ w + h @ u)
    return h


def recurrent_back(assign):
    def back(g, x, w, u):
        hs = [np.tanh(x[0] @ w)]
        for t in range(1, 4):
            hs.append(np.tanh(x[t] @ w + hs[-1] @ u))
        dx, dw, du, dh = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), g
        for t in reversed(range(4)):
            d = dh * (1 - hs[t] ** 2)
            dx[t] = d @ w.T
            dw = x[t].T @ d if assign else dw + x[t].T @ d
            if t:
                du = hs[t - 1].T @ d if assign else du + hs[t - 1].T @ d
                dh = d @ u.T
        return dx, dw, du

    return back


def twice_used(x):
    return x * x * x


WORDS = np.array([0, 2, 2, 1, 0, 2])


def picked(table, w):
    return np.tanh(table[WORDS] @ w)


def picked_back(g, table, w):
    d = g * (1 - picked(table, w) ** 2)
    dtable = np.zeros_like(table)
    dtable[WORDS] += d @ w.T  # repeated indices do not add up
    return dtable, table[WORDS].T @ d


def windows(x, k):
    return np.stack([np.sum(x[i : i + 3] * k) for i in range(len(x.data if isinstance(x, mg.Tensor) else x) - 2)])


def windows_back(g, x, k):
    dx = np.zeros_like(x)
    for i in range(len(x) - 2):
        dx[i : i + 3] = g[i] * k
    return dx, sum(g[i] * x[i : i + 3] for i in range(len(x) - 2))


def pooled(x):
    return np.maximum(x[:-1], x[1:])


def pooled_back(g, x):
    dx = np.zeros_like(x)
    for i in range(len(g)):
        dx[i + x[i : i + 2].argmax()] = g[i]
    return dx


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


SLIPS = {
    "tanh left out": (tanh_layer, [(5, 3), (3, 4), (4,)], tanh_layer_back(lambda g, z, a: g),
                      "activation derivative", "tanh is left out"),
    "tanh at its input": (tanh_layer, [(5, 3), (3, 4), (4,)], tanh_layer_back(lambda g, z, a: g * (1 - z * z)),
                          "activation derivative", "written for its output and taken at its input"),
    "tanh of the output": (tanh_layer, [(5, 3), (3, 4), (4,)],
                           tanh_layer_back(lambda g, z, a: g * (1 - np.tanh(a) ** 2)),
                           "activation derivative", "taken at its output"),
    "tanh twice": (tanh_layer, [(5, 3), (3, 4), (4,)], tanh_layer_back(lambda g, z, a: g * (1 - a * a) ** 2),
                   "activation derivative", "there twice"),
    "two tanh left out": (deep, [(5, 3), (3, 4), (4, 2)], deep_back, "activation derivative", "tanh is left out"),
    "sigmoid in three ops": (lambda x, w, b: sigmoid(x @ w + b), [(5, 3), (3, 4), (4,)],
                             sigmoid_layer_back(lambda g, z, a: g), "activation derivative", "sigmoid is left out"),
    "half of sigmoid": (lambda x, w, b: sigmoid(x @ w + b), [(5, 3), (3, 4), (4,)],
                        sigmoid_layer_back(lambda g, z, a: g * a), "activation derivative", "σ"),
    "relu's mask": (lambda x, w, b: np.maximum(x @ w + b, 0), [(5, 3), (3, 4), (4,)],
                    tanh_layer_back(lambda g, z, a: g), "activation derivative", "relu is left out"),
    "softmax's diagonal": (mixed, [(5, 3), (3, 4)],
                           mixed_back(lambda g, p: g * p * (1 - p)), "cross terms", "diagonal"),
    "softmax's sum": (mixed, [(5, 3), (3, 4)], mixed_back(lambda g, p: g * p), "constant", "sum"),
    "mean": (normed, [(6, 3), (3,)], normed_back(0, 1), "constant", "mean of x0 over axis 0"),
    "variance": (normed, [(6, 3), (3,)], normed_back(1, 0), "constant", "variance of x0 over axis 0"),
    "mean and variance": (normed, [(6, 3), (3,)], normed_back(0, 0), "constant", "mean of x0 over axis 0 or"),
    "weights over time": (recurrent, [(4, 2, 3), (3, 3), (3, 3)], recurrent_back(True),
                          "overwritten", "is used 4 times"),
    "a value used twice": (lambda x, w: x * w + np.tanh(x), [(5, 3), (5, 3)],
                           lambda g, x, w: (g * w, g * x), "overwritten", "x0 is used 2 times"),
    "one of three uses": (twice_used, [(5, 3)], lambda g, x: g * x * x, "overwritten", "+="),
    "repeated indices": (picked, [(3, 4), (4, 2)], picked_back, "overwritten", "np.add.at"),
    "windows": (windows, [(9,), (3,)], windows_back, "overwritten", "overwrites"),
    "maxima of windows": (pooled, [(12,)], pooled_back, "overwritten", "overwrites"),
    "one row of a bias": (lambda x, b: np.tanh(x + b), [(5, 3), (3,)],
                          lambda g, x, b: (g * (1 - np.tanh(x + b) ** 2), (g * (1 - np.tanh(x + b) ** 2))[0]),
                          "broadcast", "sum over axis 0"),
    "square matrix": (lambda x, w: np.tanh(x @ w), [(4, 4), (4, 4)],
                      lambda g, x, w: ((d := g * (1 - np.tanh(x @ w) ** 2)) @ w, x.T @ d),
                      "transposed", "not transposed"),
    "ones come in": (tanh_layer, [(5, 3), (3, 4), (4,)],
                     lambda g, x, w, b: tanh_layer_back(lambda g, z, a: 1 - a * a)(g, x, w, b),
                     "grad_output ignored", "grad_output"),
    "a sign inside": (lambda x, w, b: np.sum((x @ w + b) ** 2 - np.tanh(b)), [(5, 3), (3, 4), (4,)],
                      lambda g, x, w, b: (g * 2 * (x @ w + b) @ w.T, g * 2 * x.T @ (x @ w + b),
                                          g * (2 * (x @ w + b) + 1 - np.tanh(b) ** 2).sum(0)), "sign", "flipped"),
    "a factor inside": (lambda x, w: np.tanh(x @ w) + x, [(5, 3), (3, 3)],
                        lambda g, x, w: (1.5 * (d := g * (1 - np.tanh(x @ w) ** 2)) @ w.T + g, 1.5 * x.T @ d),
                        "factor", "1.5x too large"),
    "the wrong way round": (lambda x, w: np.flip(x, 0) * w, [(5, 3), (5, 3)],
                            lambda g, x, w: (g * w, g * x[::-1]), "reversed", "reverse"),
    "a running sum": (lambda x: np.cumsum(x, 0), [(5, 3)], lambda g, x: np.cumsum(g, 0), "reversed", "running sum"),
    "a leak": (leaky, [(5, 3)], lambda g, x: g * (x > 0), "negative inputs", "x0 is negative"),
    "a penalty": (lambda w, x: np.sum((x @ w) ** 2) + 0.1 * np.sum(w * w), [(3, 2), (5, 3)],
                  lambda g, w, x: (g * 2 * x.T @ (x @ w), g * 2 * (x @ w) @ w.T), "penalty", "L2"),
}  # fmt: skip


def trace(forward, arrays, seed=None):
    leaves = [mg.Tensor(a, requires_grad=True, name=f"x{i}") for i, a in enumerate(arrays)]
    root = forward(*leaves)
    seed = np.ones(root.shape) if seed is None else seed
    found = mg.gradients(root, seed)
    return Trace(root, leaves, seed), [found.get(leaf, np.zeros(leaf.shape)) for leaf in leaves]


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_the_backward_pass_is_found_in_the_graph(slip):
    forward, shapes, backward, cause, word = SLIPS[slip]
    named = 0
    for k in range(20):
        rng = np.random.default_rng(k)
        arrays = [draw(rng, s) for s in shapes]
        seed = draw(rng, forward(*[mg.Tensor(a) for a in arrays]).shape)
        traced, right = trace(forward, arrays, seed)
        wrong = backward(seed, *arrays)
        wrong = wrong if isinstance(wrong, tuple) else (wrong,)
        parts = [evidence(f"x{i}", *t, rng) for i, t in enumerate(zip(arrays, right, wrong, strict=True))]
        found, sentence = diagnose(parts, trace=traced)
        named += found == cause and word in sentence
        last = found, sentence
    assert named >= 19, last
    assert traced.leaves[0].grad is None  # nothing of the graph's own was touched


@given(st.sampled_from(sorted(SLIPS)), st.integers(0, 2**32), st.integers(-6, 0))
@settings(max_examples=150, deadline=None)
def test_no_slip_is_seen_in_random_wrongness(slip, seed, size):
    forward, shapes, *_ = SLIPS[slip]
    rng = np.random.default_rng(seed)
    arrays = [draw(rng, s) for s in shapes]
    g = draw(rng, forward(*[mg.Tensor(a) for a in arrays]).shape)
    traced, right = trace(forward, arrays, g)
    some = rng.integers(len(arrays))
    wrong = [n * (1 + 10.0**size * rng.normal(size=n.shape)) if i == some else n for i, n in enumerate(right)]
    parts = [evidence(f"x{i}", *t, rng) for i, t in enumerate(zip(arrays, right, wrong, strict=True))]
    assert diagnose(parts, trace=traced)[0] in ("", "part")


def test_a_copy_taken_out_of_the_graph_is_named_as_what_lost_the_gradient():
    def mean_as_a_number(x):
        return np.tanh(x - mg.Tensor(x.data.mean(0)))

    def detached(x):
        h = np.tanh(x)
        return h * h.detach()

    rng = np.random.default_rng(1)
    x, g = draw(rng, (5, 3)), draw(rng, (5, 3))
    for lossy, whole, word in (
        (mean_as_a_number, lambda x: np.tanh(x - np.mean(x, axis=0)), "the mean over axis 0 of x0"),
        (detached, lambda x: np.tanh(x) ** 2, "a copy of `tanh`"),
    ):
        traced, wrong = trace(lossy, [x], g)
        _, right = trace(whole, [x], g)
        found, sentence = diagnose([evidence("x0", x, right[0], wrong[0], rng)], trace=traced)
        assert found == "constant"
        assert word in sentence
        assert "detach()" in sentence


def test_the_graph_of_something_else_is_not_believed():
    rng = np.random.default_rng(0)
    x, g = draw(rng, (5, 3)), draw(rng, (5, 3))
    traced, _ = trace(np.tanh, [x], g)
    assert diagnose([evidence("x", x, g * np.cos(x), g)], trace=traced) == ("", "")


def test_a_large_graph_costs_a_bounded_number_of_sweeps():
    x = mg.Tensor(np.linspace(-1, 1, 6), requires_grad=True)
    y = x
    for _ in range(700):
        y = np.tanh(y) + x
    traced = Trace(y, [x], np.ones(6))
    right = mg.gradients(y, np.ones(6))[x]
    found, _ = diagnose(
        [evidence("x", x.data, right, right + np.array([0.1, -0.3, 0.2, 0.5, -0.7, 0.1]))], trace=traced
    )
    assert found == ""


# --- one op by itself -------------------------------------------------------------------------------------------------

RULES = {
    "left out": (np.tanh, lambda g, out, x: g, "activation derivative"),
    "at the output": (np.sin, lambda g, out, x: g * np.cos(out), "activation derivative"),
    "at the input": (np.tanh, lambda g, out, x: g * (1 - x * x), "activation derivative"),
    "twice": (np.sin, lambda g, out, x: g * np.cos(x) ** 2, "activation derivative"),
    "ignored": (np.sin, lambda g, out, x: np.cos(x), "grad_output ignored"),
    "squared": (np.sin, lambda g, out, x: g * g * np.cos(x), "grad_output ignored"),
    "diagonal": (lambda x: x / np.sqrt((x * x).sum()),
                 lambda g, out, x: g * (1 - out * out) / np.sqrt((x * x).sum()), "cross terms"),
    "constant": (lambda x: x / np.sum(x * x), lambda g, out, x: g / np.sum(x * x), "constant"),
    "leak": (lambda x: np.where(x > 0, x, 0.1 * x), lambda g, out, x: g * (x > 0), "negative inputs"),
    "half": (lambda x: x * x, lambda g, out, x: g * x, "factor"),
}  # fmt: skip


class Op:
    """As much of an op as a diagnosis looks at."""

    def __init__(self, f):
        self.array, self.name = f, "mine"

    def run(self, values, params):
        return self.array(*values, **params)


@pytest.mark.parametrize("mistake", RULES)
def test_a_mistake_in_one_rule_is_named_from_what_went_through_it(mistake):
    f, rule, cause = RULES[mistake]
    named = 0
    for k in range(20):
        rng = np.random.default_rng(k)
        x, g = draw(rng, (4, 3)), draw(rng, (4, 3))
        leaf = mg.Tensor(x, requires_grad=True)
        right = mg.gradients(f(leaf), g)[leaf]
        found, sentence = diagnose([evidence("", x, right, rule(g, f(x), x), rng)], op=LocalOp(Op(f), f(x), g, [x], {}))
        named += found == cause
        last = found, sentence
    assert named >= 19, last


def test_swapped_rules_of_one_op_are_seen():
    rng = np.random.default_rng(0)
    a, b, g = (draw(rng, (3, 2)) for _ in range(3))
    parts = [evidence("a", a, g * b, g * a), evidence("b", b, g * a, g * b)]
    assert diagnose(parts, op=LocalOp(Op(np.multiply), a * b, g, [a, b], {}))[0] == "swapped inputs"


def test_every_cause_is_planted_somewhere():
    planted = {*PLANTED, *(s[3] for s in SLIPS.values()), *(r[2] for r in RULES.values())}
    planted |= {"missing 1/N", "1/N too many", "swapped inputs"}
    assert planted == set(CAUSES)
