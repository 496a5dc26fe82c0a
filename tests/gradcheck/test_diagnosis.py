"""The kind of mistake is named from its numbers: planted in NumPy, by the hundred, and near misses stay unnamed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn.gradcheck._patterns import CAUSES, Evidence, LocalOp, Trace, diagnose

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


# --- one input, nothing but numbers: (x, right gradient) -> the wrong one, or None where it would be the same ---------


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
    """Right in at least 95 of 100 draws: of arrays, shapes (square, size-1 axes, one entry) and kinds of the mistake."""
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


@pytest.mark.parametrize(("n", "cause"), [(100, "missing 1/N"), (5, "missing 1/N"), (100, "1/N too many"), (12, "1/N too many")])
def test_a_factor_that_is_a_size_is_named_after_it(n, cause):
    rng = np.random.default_rng(n)
    x, b, gx, gb = (draw(rng, s) for s in ((n, 3), (4,), (n, 3), (4,)))
    factor = n if cause == "missing 1/N" else 1 / n
    found, sentence = diagnose([evidence("x", x, gx, gx), evidence("b", b, gb, factor * gb)])
    assert found == cause
    assert str(n) in sentence
    assert "examples" in sentence
    assert cause != "missing 1/N" or (f"b is {n}x too large" in sentence and "missing 1/N" in sentence)


# --- never a confident wrong word ---------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_random_wrongness_has_no_name_but_a_place(data):
    shape = data.draw(st.sampled_from([(4,), (7,), (3, 3), (5, 3), (2, 3, 4), (12, 5)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    size = 10.0 ** data.draw(st.integers(-6, 0))
    x, n = draw(rng, shape), draw(rng, shape)
    share = data.draw(st.sampled_from([0.3, 0.7, 1.0]))
    wrong = n * (1 + size * rng.normal(size=shape) * (rng.random(shape) < share))
    found, _ = diagnose([evidence("w", x, n, wrong, rng)])
    assert found in ("", "part")


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
    assert diagnose([evidence("x", 2.0, 3.0, 6.0)]) == ("factor", "x is 2.0x too large.")


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
        "sign", "the sign is flipped in every entry of w, b and x: look for a minus that is missing, or one too many."
    )  # fmt: skip


def test_two_mistakes_make_one_sentence():
    rng = np.random.default_rng(4)
    w, b = draw(rng, (3, 2)), draw(rng, (3,))
    cause, sentence = diagnose([evidence("w", w, w[::-1], -w[::-1]), evidence("b", b, b[::-1], 2.5 * b[::-1])])
    assert cause == "sign"
    assert "; and every entry of b is 2.5x too large" in sentence


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
