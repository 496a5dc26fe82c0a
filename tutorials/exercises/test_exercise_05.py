"""The checks of the exercises of tutorial 5."""

import exercise_05 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled, number

import micrograd_nn as mg

pytestmark = [pytest.mark.tutorial_5, pytest.mark.exercise]


def test_1_a_step_climbs_within_the_given_width():
    for width in np.random.default_rng(51).uniform(0.05, 8.0, 5):
        k = number(yours.steepness_for(width), "steepness_for(width)")
        right = 2 * np.log(9) / width
        if not k > 0:
            fail(f"a step climbs only where k is above 0, and yours is {k:.4g}.")
        if np.isclose(k, right / 2):
            fail(f"with your k = {k:.4g} the climb from 0.5 to 0.9 has the width {width:.4g}: it begins at 0.1, as far "
                 "to the left again. Twice as steep.")  # fmt: skip
        if np.isclose(k, 2 * np.log(9) * width) or np.isclose(k, width / (2 * np.log(9))):
            fail("a narrower climb needs a steeper step, so `width` divides: your k has it the other way round.")
        if np.isclose(k, right, rtol=3e-3) and not np.isclose(k, right, rtol=1e-7):
            fail(f"close, but rounded: 4.39 is 2·log(9). Yours is {k:.8g}, expected {right:.8g}.")
        climb = 2 * np.log(9) / k
        close(k, right, f"with your k, σ(k·x) climbs from 0.1 to 0.9 over {climb:.4g}, and not over {width:.4g}.")


def test_2_a_tent_is_0_then_1_in_the_middle_then_0():
    rng = np.random.default_rng(52)
    for a, b in ((0.0, 2.0), *np.sort(rng.uniform(-5, 5, (4, 2)))):
        middle, half = (a + b) / 2, (b - a) / 2
        x = np.array([a - 3.0, a, middle, b, b + 2.0, b + 5.0])
        found = array(yours.tent(x, a, b), (6,), "tent(x, a, b)")
        told = f"for a = {a:.3g} and b = {b:.3g}"
        if not np.allclose(found[:2], 0, atol=1e-10):
            fail(f"{told}, your tent is {found[0]:.4g} left of a and {found[1]:.4g} at a, and should be 0 there: where "
                 "does each of your three units begin to rise?")  # fmt: skip
        if np.isclose(found[2], half) and not np.isclose(half, 1):
            fail(f"{told}, your tent is {found[2]:.4g} high, half of its width: divide by that, so that it is 1.")
        close(found[2], 1.0, f"{told}, your tent should be 1 in the middle.")
        if found[4] > 1e-10 and np.isclose(found[5] - found[4], 3 / half):
            fail(f"{told}, your tent rises again after b: {found[4]:.4g} at b + 2. All three slopes must add up to 0 "
                 "there: 1, then −2, then 1.")  # fmt: skip
        if found[4] < -1e-10 and found[5] < found[4]:
            fail(f"{told}, your tent goes on falling after b, to {found[4]:.4g} at b + 2: a third unit, which begins "
                 "at b, must stop it.")  # fmt: skip
        if np.isclose(found[4], 1) and np.isclose(found[5], 1):
            fail(f"{told}, your tent stays at 1 after the middle. There the slope changes from up to down, so the "
                 "second unit counts twice: once to end the rise, once to fall.")  # fmt: skip
        close(found[3:], np.zeros(3), f"{told}, your tent should be 0 at b and to the right of it.")
        x = rng.uniform(a - 2, b + 2, (3, 4))
        wanted = np.maximum(0, 1 - np.abs(x - middle) / half)
        words = f"{told}, right at its corners, but not between them."
        close(array(yours.tent(x, a, b), (3, 4), "tent(x, a, b)"), wanted, words)
    node = yours.tent(mg.Tensor(x, requires_grad=True), a, b)
    if not isinstance(node, mg.Tensor):
        fail(f"given a Tensor, tent gives {type(node).__name__}, and its gradient is lost: use F.relu, not np.maximum.")


def test_3_a_network_goes_through_the_points():
    rng = np.random.default_rng(53)
    for n in (1, 2, 7):
        xs, ys = np.cumsum(rng.uniform(0.2, 1.5, n + 1)) - 2, rng.normal(size=n + 1)
        model = _network(xs, ys, n)
        at = array(model(xs[:, None]), (n + 1, 1), "model(xs[:, None])")[:, 0]
        between = np.sort(rng.uniform(xs[0], xs[-1], 30))
        found, wanted = model(between[:, None]).data[:, 0], np.interp(between, xs, ys)
        if not np.allclose(found, wanted):
            _explain(model, xs, ys, at)
        close(at, ys, "your network does not go through the points. What it gives at xs, beside ys:")
        close(found, wanted, "your network goes through the points, but not in straight lines between them.")


def test_3_twice_the_points_a_quarter_of_the_error():
    x = np.linspace(0.01, 2.99, 500)
    errors = []
    for n in (20, 40):
        xs = np.linspace(0, 3, n + 1)
        off = _network(xs, np.sin(2 * xs), n)(x[:, None]).data[:, 0] - np.sin(2 * x)
        errors.append(float(np.sqrt(np.mean(off**2))))
    if not 0.2 < errors[1] / errors[0] < 0.3:
        fail(f"for sin 2x your network's error is {errors[0]:.4g} with 20 pieces and {errors[1]:.4g} with 40, and this "
             "should be about a quarter of it: see the other check of this exercise.")  # fmt: skip


def _network(xs, ys, n):
    """What polyline gives, if it is a network of the right form."""
    __tracebackhide__ = True
    model = filled(yours.polyline(xs.copy(), ys.copy()), "polyline(xs, ys)")
    if not isinstance(model, mg.nn.MLP):
        fail(f"polyline should return the network, an MLP, and yours gives {type(model).__name__}.")
    sizes = [layer.n_out for layer in model.layers]
    if model.layers[0].n_in != 1 or sizes != [n, 1] or model.layers[0].activation != "relu":
        fail(f"for {n + 1} points the network should be MLP(1, [{n}, 1], 'relu'), and yours is {model!r}.")
    hidden, out = model.layers
    for name, parameter, shape in (
        ("the hidden weight", hidden.weight, (n, 1)), ("the hidden bias", hidden.bias, (n,)),
        ("the output weight", out.weight, (1, n)), ("the output bias", out.bias, (1,)),
    ):  # fmt: skip
        if not isinstance(parameter, mg.Tensor):
            fail(f"{name} is no Tensor any more: leave it there, and give its `.data` the new array.")
        array(parameter, shape, name)
    return model


def _explain(model, xs, ys, at):
    """Fail with the mistake, if it is one of the usual ones."""
    __tracebackhide__ = True
    hidden, out = model.layers
    slopes = np.diff(ys) / np.diff(xs)
    if not np.allclose(hidden.weight.data, 1):
        fail(f"the hidden weights should all be 1, and yours are {hidden.weight.data[:, 0].round(4)}.")
    if np.allclose(hidden.bias.data, xs[:-1]):
        fail("unit i computes relu(x + b), and stands where x + b = 0: its bias is −xs[i], with the minus sign.")
    if not np.allclose(hidden.bias.data, -xs[:-1]):
        fail(f"the units do not stand at xs[0] ... xs[n-1]: your biases are {hidden.bias.data.round(4)}, and the "
             f"places {xs.round(4)}.")  # fmt: skip
    if len(slopes) > 1 and np.allclose(out.weight.data, slopes):
        fail("your output weights are the slopes of the pieces. But the units to the left go on rising, and their "
             "slopes add up: each weight is the CHANGE of slope at its place.")  # fmt: skip
    if np.allclose(out.weight.data, np.diff(ys, prepend=0.0)[1:]) and not np.allclose(np.diff(xs), 1):
        fail("your output weights are the differences of ys. A slope is such a difference divided by that of xs.")
    if np.allclose(at - ys, at[0] - ys[0]):
        fail(f"the form is right, but the whole is {at[0] - ys[0]:.4g} too high: the output's bias is ys[0].")
