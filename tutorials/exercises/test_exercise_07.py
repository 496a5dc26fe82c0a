"""Checks of the exercises of tutorial 7."""

import exercise_07 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled

import micrograd_nn as mg

pytestmark = [pytest.mark.tutorial_7, pytest.mark.exercise]


def judged(forward, backward, *inputs):
    """The report on a backward pass whose arguments are (g, *inputs)."""
    return mg.check_backward(forward, backward, *inputs, cache=False, raise_on_error=False)


def told(report):
    """What a failed report says, in a few lines."""
    rows = [row for row in report.worst(3) if not report.well(row)]
    lines = [
        f"  {row.input}{list(row.index)}: yours {row.analytic:.6g}, differences say {row.numeric:.6g}" for row in rows
    ]
    said = [*report.problems, report.diagnosis, *lines]
    return "\n".join(line for line in said if line)


def wavy(x):
    return float(np.sum(np.sin(x) * np.exp(0.3 * x)) + np.prod(np.cos(x)))


def one_sided(x, h, way):
    out = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += way * h
        out[index] = way * (wavy(moved) - wavy(x)) / h
    return out


def test_1_a_central_difference():
    rng = np.random.default_rng(1)
    for shape in ((4,), (2, 3)):
        x = rng.normal(size=shape)
        given, wanted = x.copy(), np.asarray(mg.numerical_gradient(wavy, x))
        h = 1e-3
        found = array(yours.central_difference(wavy, given, h), shape, f"central_difference at an array {shape}")
        if not np.array_equal(given, x):
            fail("The array that was given to you has changed. Work on a copy of x, or put each entry back.")
        for way, name in ((1, "f(x + h) − f(x)"), (-1, "f(x) − f(x − h)")):
            if np.allclose(found, one_sided(x, h, way), rtol=1e-9, atol=1e-12):
                fail(f"That is a difference to one side, ({name}) / h. Look to both sides: f(x + h) − f(x − h).")
        right = {2.0: "Divide by 2h and not by h: that is how far apart the two points are.",
                 -1.0: "The sign is turned: f(x + h) comes first.",
                 1 / h: "The differences are not divided by the step yet.",
                 2 * h: "The differences are not divided by the step yet, which is 2h."}  # fmt: skip
        for factor, words in right.items():
            if np.allclose(found, factor * wanted, rtol=1e-4):
                fail(words)
        close(found, wanted, "Move each entry of x by itself, and put it back before the next.", rtol=1e-4)
        coarse, fine = (np.abs(yours.central_difference(wavy, x.copy(), h) - wanted).max() for h in (0.1, 0.01))
        if not fine < coarse / 20:
            fail(
                f"With h = 0.1 you are off by {coarse:.2g}, with h = 0.01 by {fine:.2g}. A central difference gets a "
                "hundred times better. Does your step depend on the argument h?"
            )


def test_2_the_backward_pass_of_a_leaky_layer():
    rng = np.random.default_rng(2)
    for n, n_in, n_out in ((5, 4, 3), (4, 3, 3)):
        x, W, b = rng.normal(size=(n, n_in)), rng.normal(size=(n_out, n_in)), rng.normal(size=n_out)
        g = rng.normal(size=(n, n_out))
        given = [a.copy() for a in (g, x, W, b)]
        answer = filled(yours.leaky_layer_backward(*given), "leaky_layer_backward")
        for name, before, after in zip("gxWb", (g, x, W, b), given, strict=True):
            if not np.array_equal(before, after):
                fail(f"The array {name} that was given to you has changed: write `d = g * ...`, and not `g *= ...`.")
        if not isinstance(answer, (tuple, list)) or len(answer) != 3:
            fail("leaky_layer_backward should give back three arrays, `return of_x, of_W, of_b`.")
        z = x @ W.T + b
        slopes = {
            "relu": (1.0 * (z > 0), "Below 0 your slope is 0, which is ReLU. A leaky ReLU has the slope 0.1 there."),
            "none": (np.ones_like(z), "The slope of the leaky ReLU is missing: multiply g by 1 above 0, by 0.1 below."),
            "at g": (np.where(g > 0, 1.0, 0.1), "Your slope looks at the sign of g. It depends on z = x·Wᵀ + b."),
            "no b": (np.where(x @ W.T > 0, 1.0, 0.1), "Your z has no bias in it: the slope depends on x·Wᵀ + b."),
            "turned": (np.where(z > 0, 0.1, 1.0), "The two slopes are exchanged: 1 is above 0, and 0.1 below."),
            "usual": (np.where(z > 0, 1.0, 0.01), "Below 0 your slope is 0.01. This leaky ReLU has 0.1 there."),
            "value": (np.where(z > 0, z, 0.1 * z), "You multiply by the value of the leaky ReLU, not by its slope."),
        }
        right = np.where(z > 0, 1.0, 0.1)
        for slope, words in slopes.values():
            if np.shape(answer[0]) == x.shape and np.allclose(answer[0], (g * slope) @ W):
                fail(words)
        if np.shape(answer[1]) == W.shape and np.allclose(answer[1], g.T @ x):
            fail("The gradient of W is made from g as it came in. Multiply g by the slope first, for x, W and b alike.")
        if np.shape(answer[2]) == b.shape and np.allclose(answer[2], g.sum(axis=0)):
            fail("The gradient of b is made from g as it came in. Multiply g by the slope first, for x, W and b alike.")
        if np.shape(answer[2]) == g.shape:
            fail("The gradient of b has a row for each example. b was used by all of them: sum over axis 0.")
        if np.shape(answer[2]) == b.shape and np.allclose(answer[2], (g * right).mean(axis=0)):
            fail("The gradient of b is a mean over the examples. Each use of b counts in full: sum over axis 0.")
        report = judged(yours.leaky_layer, yours.leaky_layer_backward, x, W, b)
        if not report:
            fail(f"The checker does not agree.\n{told(report)}")


def test_3_inputs_that_tell():
    answer = filled(yours.telling_inputs(), "telling_inputs")
    if not isinstance(answer, (tuple, list)) or len(answer) != 3:
        fail("telling_inputs should give back three arrays, `return x, w, b`.")
    if any(one is ... for one in answer):
        fail("telling_inputs still has a hole: x, w and b should be arrays of numbers.")
    try:
        x, w, b = (np.asarray(one, dtype=float) for one in answer)
    except (TypeError, ValueError):
        x = None  # pytest would show this error too, before the words
    if x is None:
        fail(f"x, w and b should be arrays of numbers, and yours are {answer!r:.80}.")
    if not (x.shape == w.shape == b.shape and x.ndim == 1 and x.size):
        fail(f"x, w and b should be arrays of one length, and yours have the shapes {x.shape}, {w.shape}, {b.shape}.")
    if not max(np.abs(one).max() for one in (x, w, b)) < 1e6:
        fail("Choose small numbers, such as 1.5 and −2: larger ones, infinities and NaN tell nothing here.")
    reports = [
        judged(yours.gated, backward, x, w, b)
        for backward in (yours.gated_backward_1, yours.gated_backward_2, yours.gated_backward_3)
    ]
    if any(reports[1].count(verdict) for verdict in ("not differentiable", "not checked", "undefined")):
        fail("One of your units is at its kink, where there is no right answer: keep x·w + b away from 0.")
    if not reports[1]:
        fail(f"With your inputs gated_backward_2 fails, which is right: {told(reports[1])}")
    if reports[0]:
        fail(
            "With your inputs gated_backward_1 passes. It looks at x·w alone: choose an entry where the bias turns the "
            "unit on, or off, so that x·w and x·w + b have different signs."
        )
    if reports[2]:
        fail(
            "With your inputs gated_backward_3 passes. It uses |x| in the place of x: choose an entry where x is below "
            "0 and the unit is on."
        )


def test_4_the_backward_pass_of_standardise():
    rng = np.random.default_rng(4)
    x, g = rng.normal(1.0, 2.0, (6, 3)), rng.normal(size=(6, 3))
    given = g.copy(), x.copy()
    found = array(yours.standardise_backward(*given), x.shape, "standardise_backward")
    for name, before, after in zip("gx", (g, x), given, strict=True):
        if not np.array_equal(before, after):
            fail(f"The array {name} that was given to you has changed. Work on a copy of it.")
    u, std = yours.standardise(x), x.std(axis=0)
    typical = [
        (g / std, "You took mean and std for constants. Moving an entry moves both, and with them its whole column."),
        ((g - g.mean(axis=0)) / std, "The path through the standard deviation is missing, only that."),
        ((g - u * (g * u).mean(axis=0)) / std, "The path through the mean is missing, only that."),
        ((g - g.mean(axis=0) - u * (g * u).sum(axis=0)) / std,
         "On the path through std, a sum over the column is there where a mean belongs: its slope is u / N."),
        ((g - g.sum(axis=0) - u * (g * u).mean(axis=0)) / std,
         "On the path through the mean, a sum over the column is there where a mean belongs."),
        ((g - g.mean(axis=0) - u * (g * u).mean(axis=0)) * std, "Divide by the standard deviation, do not multiply."),
        (g - g.mean(axis=0) - u * (g * u).mean(axis=0), "The division by the standard deviation is missing."),
        ((g - g.mean(axis=0) - u * (g * u).mean(axis=0)) / std**2,
         "You divide by the square of the standard deviation. Once is enough."),
        ((g - g.mean(axis=0) - x * (g * x).mean(axis=0)) / std,
         "On the path through std you use x where u = standardise(x) belongs."),
        ((g - g.mean() - u * (g * u).mean()) / std, "Your means are over the whole array. Each column has its own."),
        ((g - g.mean(axis=0) + u * (g * u).mean(axis=0)) / std,
         "The path through std comes with a minus: a larger std makes the result smaller."),
        ((g + g.mean(axis=0) + u * (g * u).mean(axis=0)) / std,
         "The paths through mean and std come with a minus: a larger mean or std makes the result smaller."),
    ]  # fmt: skip
    for mistake, words in typical:
        if np.allclose(found, mistake):
            fail(words)
    for shape in ((6, 3), (3, 5), (2, 2)):
        x = rng.normal(1.0, 2.0, shape)
        report = judged(yours.standardise, yours.standardise_backward, x)
        if not report:
            fail(f"The checker does not agree.\n{told(report)}")
