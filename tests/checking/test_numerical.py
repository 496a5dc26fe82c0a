"""Derivatives by differences: right to ten digits and more, and an error bar that can be believed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import functional as F
from micrograd_nn.checking import check_backward, gradcheck, numerical_gradient, numerical_jacobian

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def integral(f):
    """The integral of f from 0 to x, by Gauss and Legendre."""
    return lambda x: float(x / 2 * np.sum(WEIGHTS * f(x * (NODES + 1) / 2)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def newton_root(x):
    s = np.float64(1.0)
    for _ in range(12):
        s = (s + x / s) / 2
    return s


# name: f, its derivative, and from where to where its points are drawn
SMOOTH = {
    "x²": (lambda x: x**2, lambda x: 2 * x, 0.1, 3),
    "x³ - 2x": (lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2, 1, 3),
    "x⁷": (lambda x: x**7, lambda x: 7 * x**6, 0.5, 2),
    "Chebyshev 8": (lambda x: 128 * x**8 - 256 * x**6 + 160 * x**4 - 32 * x**2 + 1,
                    lambda x: 1024 * x**7 - 1536 * x**5 + 640 * x**3 - 64 * x, 1.05, 2),
    "1/x": (lambda x: 1 / x, lambda x: -1 / x**2, 0.1, 5),
    "1/(1 + x²)": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2, 0.1, 3),
    "Runge": (lambda x: 1 / (1 + 25 * x * x), lambda x: -50 * x / (1 + 25 * x * x) ** 2, 0.1, 2),
    "rational": (lambda x: (x**3 + 1) / (x * x + 2), lambda x: (x**4 + 6 * x * x - 2 * x) / (x * x + 2) ** 2, 0.5, 3),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.1, 5),
    "cbrt": (np.cbrt, lambda x: np.cbrt(x) / (3 * x), 0.1, 5),
    "root by Newton": (newton_root, lambda x: 0.5 / np.sqrt(x), 0.1, 5),
    "x^1.7": (lambda x: np.power(x, 1.7), lambda x: 1.7 * x**0.7, 0.1, 5),
    "x^x": (lambda x: np.power(x, x), lambda x: x**x * (np.log(x) + 1), 0.6, 3),
    "2^x": (lambda x: 2**x, lambda x: 2**x * math.log(2), 0.1, 5),
    "exp": (np.exp, np.exp, 0.1, 5),
    "expm1": (np.expm1, np.exp, 0.01, 5),
    "Gauss's bell": (lambda x: np.exp(-x * x), lambda x: -2 * x * np.exp(-x * x), 0.1, 3),
    "log": (np.log, lambda x: 1 / x, 0.05, 20),
    "log1p": (np.log1p, lambda x: 1 / (1 + x), 0.01, 5),
    "x log x": (lambda x: x * np.log(x), lambda x: np.log(x) + 1, 0.5, 5),
    "sin": (np.sin, np.cos, 0.01, 1.4),
    "cos": (np.cos, lambda x: -np.sin(x), 0.1, 3),
    "tan": (np.tan, lambda x: 1 + np.tan(x) ** 2, 0.01, 1.4),
    "sin 30x": (lambda x: np.sin(30 * x), lambda x: 30 * np.cos(30 * x), 0.3, 0.34),
    "sin x²": (lambda x: np.sin(x * x), lambda x: 2 * x * np.cos(x * x), 0.1, 1.2),
    "sin(x)/x": (lambda x: np.sin(x) / x, lambda x: (x * np.cos(x) - np.sin(x)) / x**2, 0.5, 3),
    "arcsin": (np.arcsin, lambda x: 1 / np.sqrt(1 - x * x), 0.01, 0.95),
    "arccos": (np.arccos, lambda x: -1 / np.sqrt(1 - x * x), 0.05, 0.95),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x), 0.01, 3),
    "sinh": (np.sinh, np.cosh, 0.01, 4),
    "cosh": (np.cosh, np.sinh, 0.1, 4),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2, 0.01, 2.5),
    "arcsinh": (np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x), 0.01, 5),
    "arctanh": (np.arctanh, lambda x: 1 / (1 - x * x), 0.01, 0.95),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x), 0.1, 4),
    "softplus": (lambda x: np.logaddexp(0, x), sigmoid, 0.1, 5),
    "exp sin": (lambda x: np.exp(np.sin(x)), lambda x: np.exp(np.sin(x)) * np.cos(x), 0.1, 1.3),
    "log cosh": (lambda x: np.log(np.cosh(x)), np.tanh, 0.1, 4),
    "sqrt(1 + x²)": (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x), 0.1, 4),
    "erf": (math.erf, lambda x: 2 / math.sqrt(math.pi) * math.exp(-x * x), 0.01, 2),
    "gelu": (lambda x: x / 2 * math.erfc(-x / math.sqrt(2)),
             lambda x: math.erfc(-x / math.sqrt(2)) / 2 + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi), 0.1, 4),
    "∫exp(-t²)": (integral(lambda t: np.exp(-t * t)), lambda x: math.exp(-x * x), 0.05, 2),
    "∫(1 + sin t²)": (integral(lambda t: np.sin(t * t) + 1), lambda x: math.sin(x * x) + 1, 0.05, 2),
}  # fmt: skip


def smooth_draws(rng, f, slope, low, high, count):
    """Relative errors and bars of f at `count` points, with x and f at scales from 1e-8 to 1e8."""
    errors, bars = [], []
    for _ in range(count):
        x = rng.uniform(low, high)
        of_x, of_f = 10 ** rng.uniform(-8, 8, 2) * rng.choice([-1, 1], 2)
        at = x * of_x
        truth = of_f * float(slope(at / of_x)) / of_x
        found = numerical_gradient(lambda t, s=of_f, c=of_x: s * f(t / c), at)
        assert found.verdict == "ok"
        errors.append(abs(float(found) - truth) / abs(truth))
        bars.append(float(found.error) / abs(truth))
    return np.array(errors), np.array(bars)


@pytest.mark.parametrize("name", SMOOTH)
def test_slopes_of_smooth_functions_are_right_to_ten_digits_at_any_scale(name):
    errors, bars = smooth_draws(np.random.default_rng(0), *SMOOTH[name], 12)
    assert errors.max() <= 1e-10
    assert np.median(bars) <= 1e-9


@pytest.mark.slow
def test_ten_digits_and_believable_bars_at_ten_thousand_points():
    rng = np.random.default_rng(1)
    found = [smooth_draws(rng, *case, 10_000 // len(SMOOTH) + 1) for case in SMOOTH.values()]
    errors, bars = (np.concatenate(part) for part in zip(*found, strict=True))
    covered = np.mean(errors <= bars)
    print(
        f"{len(errors):,} points: at most {errors.max():.1e} off, {covered:.2%} within the bar, "
        f"median bar {np.median(bars):.1e}"
    )
    assert len(errors) >= 10_000
    assert errors.max() <= 1e-10
    assert covered >= 0.99
    assert np.median(bars) <= 1e-11


# --- functions of arrays --------------------------------------------------------------------------------------------


def spd(x):
    return x @ x.T + np.eye(len(x))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


V = np.array([0.3, -1.2, 0.7, 2.0])
SIGN = np.array([[1.0, -2, 0.5, 3], [0, 1, 1, -1], [2, 0.1, -1, 1], [0.7, 1, 0, 0.2]])


def net(x):
    return float(np.tanh(np.tanh(V @ x) @ SIGN) @ V)


def net_slope(x):
    h = np.tanh(V @ x)
    out = np.tanh(h @ SIGN)
    return np.outer(V, (SIGN @ ((1 - out**2) * V)) * (1 - h**2))


def exponential(a):
    term = total = np.eye(len(a))
    for k in range(1, 40):
        term = term @ a / k
        total = total + term
    return total


# name: f, its gradient, the shape of x; SMALL entries are positive
MANY = {
    "sum": (np.sum, np.ones_like, (5,)),
    "mean": (np.mean, lambda x: np.full_like(x, 1 / x.size), (3, 4)),
    "sum of squares": (lambda x: np.sum(x * x), lambda x: 2 * x, (3, 3)),
    "norm": (np.linalg.norm, lambda x: x / np.linalg.norm(x), (6,)),
    "product": (np.prod, lambda x: np.prod(x) / x, (5,)),
    "variance": (np.var, lambda x: 2 * (x - x.mean()) / x.size, (7,)),
    "standard deviation": (np.std, lambda x: (x - x.mean()) / (x.size * x.std()), (7,)),
    "x·Ax": (lambda x: x @ SIGN @ x, lambda x: (SIGN + SIGN.T) @ x, (4,)),
    "logsumexp": (lambda x: np.log(np.sum(np.exp(x))), softmax, (6,)),
    "softmax·v": (lambda x: softmax(x) @ V, lambda x: softmax(x) * (V - softmax(x) @ V), (4,)),
    "cross-entropy": (lambda x: -np.log(softmax(x)[1]), lambda x: softmax(x) - np.eye(4)[1], (4,)),
    "entropy": (lambda x: -np.sum(np.exp(x) * x), lambda x: -np.exp(x) * (1 + x), (4,)),
    "log determinant": (lambda x: np.linalg.slogdet(spd(x))[1], lambda x: 2 * np.linalg.inv(spd(x)) @ x, (3, 3)),
    "determinant": (lambda x: np.linalg.det(spd(x)),
                    lambda x: 2 * np.linalg.det(spd(x)) * np.linalg.inv(spd(x)) @ x, (3, 3)),
    "trace of the inverse": (lambda x: np.trace(np.linalg.inv(spd(x))),
                             lambda x: -2 * np.linalg.matrix_power(np.linalg.inv(spd(x)), 2) @ x, (3, 3)),
    "trace of the cube": (lambda x: np.trace(x @ x @ x), lambda x: 3 * (x @ x).T, (4, 4)),
    "trace of exp": (lambda x: np.trace(exponential(x)), lambda x: exponential(x).T, (3, 3)),
    "largest eigenvalue": (lambda x: np.linalg.eigvalsh(x + x.T)[-1],
                           lambda x: 2 * np.outer(*[np.linalg.eigh(x + x.T)[1][:, -1]] * 2), (4, 4)),
    "Rosenbrock": (lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
                   lambda x: (x[1] - x[0] ** 2) * np.array([-400 * x[0], 200]) - [2 * (1 - x[0]), 0], (2,)),
    "cosine": (lambda x: x @ V / np.linalg.norm(x),
               lambda x: V / np.linalg.norm(x) - x * (x @ V) / np.linalg.norm(x) ** 3, (4,)),
    "network": (net, net_slope, (4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", MANY)
def test_gradients_of_functions_of_arrays_are_right_to_ten_digits(name):
    f, slope, shape = MANY[name]
    rng = np.random.default_rng(2)
    for _ in range(4):
        x = rng.normal(size=shape)
        found, truth = numerical_gradient(f, x), slope(x)
        assert found.shape == found.error.shape == found.verdict.shape == shape
        assert np.abs(found - truth).max() <= 1e-10 * np.abs(truth).max()
        assert np.mean(np.abs(found - truth) <= found.error + 1e-15 * np.abs(truth).max()) == 1
        assert np.median(found.error) <= 1e-10 * np.abs(truth).max()
        assert np.all(found.verdict == "ok")


def test_a_jacobian_has_the_result_first_and_then_the_input():
    a = np.random.default_rng(0).normal(size=(2, 3))
    found = numerical_jacobian(lambda x: a @ x, np.ones((3, 4)))
    assert found.shape == found.error.shape == (2, 4, 3, 4)
    np.testing.assert_allclose(found, np.einsum("ik,jl->ijkl", a, np.eye(4)), atol=1e-12)


def test_one_rough_result_does_not_spoil_the_others_of_a_jacobian():
    found = numerical_jacobian(lambda x: np.stack([np.sin(x), np.abs(x - 0.7), 1e9 + np.sin(x), np.sin(2000 * x)]), 0.7)
    assert found.verdict.tolist() == ["ok", "not differentiable", "ok", "ok"]
    truth = np.array([math.cos(0.7), 0, math.cos(0.7), 2000 * math.cos(1400)])
    smooth = [0, 2, 3]
    assert np.all(np.abs(found - truth)[smooth] <= found.error[smooth])
    assert found.error[0] < 1e-11
    assert found.error[3] < 1e-6
    assert (found.left[1], found.right[1]) == pytest.approx((-1, 1))


# --- the error bar --------------------------------------------------------------------------------------------------


def a_smooth_one(rng):
    f, slope, low, high = list(SMOOTH.values())[rng.integers(len(SMOOTH))]
    x = float(rng.uniform(low, high))
    return f, float(slope(x)), x


def cancelled(rng):
    """A large number added, and taken away again."""
    f, slope, x = a_smooth_one(rng)
    large = 10 ** rng.uniform(0, 10)
    return lambda t: (large + f(t)) - large, slope, x


def raised(rng):
    f, slope, x = a_smooth_one(rng)
    large = 10 ** rng.uniform(0, 10)
    return lambda t: large + f(t), slope, x


def nearly_flat(rng):
    f, slope, x = a_smooth_one(rng)
    small = 10 ** rng.uniform(-12, -2)
    return lambda t: 1 + small * f(t), small * slope, x


def near_a_pole(rng):
    x = float(rng.uniform(0.5, 2))
    pole = x - x * 10 ** rng.uniform(-8, -0.5)
    d = x - pole
    return [
        (lambda t: 1 / (t - pole), -1 / d**2, x),
        (lambda t: np.log(abs(t - pole)), 1 / d, x),
        (lambda t: np.sqrt(t - pole), 0.5 / math.sqrt(d), x),
        (lambda t: math.log(t - pole) + t, 1 / d + 1, x),
    ][rng.integers(4)]


def near_a_kink(rng):
    f, slope, x = a_smooth_one(rng)
    kink = x - x * 10 ** rng.uniform(-12, -0.5) * rng.choice([-1, 1])
    strength = rng.normal()
    return lambda t: f(t) + strength * abs(t - kink), slope + strength * np.sign(x - kink), x


def near_a_jump(rng):
    f, slope, x = a_smooth_one(rng)
    place = x - x * 10 ** rng.uniform(-12, -0.5) * rng.choice([-1, 1])
    height = rng.normal() * 10 ** rng.uniform(-6, 0)
    return lambda t: f(t) + height * (t > place), slope, x


def single_at_the_end(rng):
    f, slope, x = a_smooth_one(rng)
    return lambda t: np.float32(f(t)), slope, x


def single_all_the_way(rng):
    c, x = rng.normal(size=7).astype(np.float32), float(rng.uniform(0.5, 2))

    def horner(t):
        total = np.float32(0)
        for k in c:
            total = total * np.float32(t) + k
        return total

    return horner, float(np.polyval(np.polyder(c.astype(float)), x)), x


def few_digits(rng):
    """Printed to a file, and read again."""
    f, slope, x = a_smooth_one(rng)
    digits = int(rng.integers(4, 14))
    return lambda t: round(float(f(t)), digits), slope, x


def fast(rng):
    k, phase, x = 10 ** rng.uniform(0, 4), rng.uniform(0, 6), float(rng.uniform(0.5, 2))
    return lambda t: np.sin(k * t + phase) + t, k * math.cos(k * x + phase) + 1, x


def bumpy(rng):
    f, slope, x = a_smooth_one(rng)
    width, height = x * 10 ** rng.uniform(-5, 0), rng.normal()
    top = x + width * rng.uniform(-2, 2)
    u = (x - top) / width
    return (
        lambda t: f(t) + height * np.exp(-(((t - top) / width) ** 2)),
        slope - 2 * height * u / width * math.exp(-u * u),
        x,
    )


def a_thousand_terms(rng):
    v, x = rng.normal(size=1000), float(rng.uniform(0.5, 2))
    return lambda t: np.sum(np.sin(v * t)), float(np.sum(v * np.cos(v * x))), x


def steep(rng):
    k, x = 10 ** rng.uniform(0, 6), float(rng.uniform(0.5, 2))
    place = x + rng.uniform(-3, 3) / k
    return lambda t: np.tanh(k * (t - place)) + t, k / math.cosh(k * (x - place)) ** 2 + 1, x


ROUGH = [
    a_smooth_one, cancelled, raised, nearly_flat, near_a_pole, near_a_kink, near_a_jump, single_at_the_end,
    single_all_the_way, few_digits, fast, bumpy, a_thousand_terms, steep,
]  # fmt: skip


def covered(kind, rng):
    """Whether the truth is within the bar; at a kink closer than steps can be, between the slopes from either side."""
    f, truth, x = kind(rng)
    found = numerical_gradient(f, x)
    assert found.verdict != "undefined"
    if found.verdict == "not differentiable":
        assert kind in (near_a_kink, near_a_jump), "no kink was there"
        low, high = sorted((float(found.left), float(found.right)))
        return low - found.error <= truth <= high + found.error
    return abs(float(found) - truth) <= found.error


@pytest.mark.parametrize("kind", ROUGH)
def test_the_bar_covers_the_error_of_rough_functions(kind):
    rng = np.random.default_rng(0)
    assert np.mean([covered(kind, rng) for _ in range(60)]) >= 0.95


@pytest.mark.slow
def test_the_bar_covers_the_error_in_ninety_nine_of_a_hundred_of_ten_thousand_draws():
    rng = np.random.default_rng(1)
    share = {kind.__name__: np.mean([covered(kind, rng) for _ in range(10_000 // len(ROUGH) + 1)]) for kind in ROUGH}
    print({name: f"{s:.2%}" for name, s in share.items()}, f"all: {np.mean(list(share.values())):.2%}")
    assert min(share.values()) >= 0.98
    assert np.mean(list(share.values())) >= 0.99


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=6), st.floats(-3, 3).map(lambda x: round(x, 9)),
    st.floats(0.01, 5), st.sampled_from([1.0, 1e-4, 1e6]),
)  # fmt: skip
def test_the_bar_covers_the_error_of_any_polynomial_and_wave(coefficients, x, frequency, scale):
    def f(t):
        return scale * (np.polyval(coefficients, t) + math.sin(frequency * t))

    truth = scale * (float(np.polyval(np.polyder(coefficients), x)) + frequency * math.cos(frequency * x))
    size = scale * (np.sum(np.abs(coefficients)) * max(1, abs(x)) ** 5 + frequency)
    found = numerical_gradient(f, x)
    assert found.verdict == "ok"
    assert abs(float(found) - truth) <= found.error + 1e-15 * size
    assert found.error <= 1e-9 * size


# --- the edge of the domain ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "truth"),
    [
        (np.log, 1e-9, 1e9), (math.log, 1e-9, 1e9), (np.log, 1e-300, 1e300), (math.sqrt, 1e-12, 5e5),
        (lambda x: x**0.5, 1e-3, 0.5 / math.sqrt(1e-3)), (np.log, 1.0, 1.0),
        (np.arcsin, 1 - 1e-6, 1 / math.sqrt(1 - (1 - 1e-6) ** 2)),
        (math.acosh, 1 + 1e-7, 1 / math.sqrt((1 + 1e-7) ** 2 - 1)),
        (lambda x: 1 / x, 1e-5, -1e10), (lambda x: x * math.log(x), 1e-12, math.log(1e-12) + 1),
        (lambda x: math.exp(-1 / x), 0.02, math.exp(-50) / 0.0004), (math.exp, 700.0, math.exp(700)),
    ],
)  # fmt: skip
def test_near_the_edge_of_a_domain_steps_shrink_and_the_slope_is_right(f, x, truth):
    found = numerical_gradient(f, x)
    assert found.verdict == "ok"
    assert abs(float(found) - truth) <= found.error
    assert found.error <= 1e-6 * abs(truth)


def test_a_complex_result_is_outside_the_domain_and_not_cut_to_its_real_part():
    found = numerical_gradient(lambda x: x**1.7, 0.01)  # (-0.01) ** 1.7 is a complex number in Python
    assert abs(float(found) - 1.7 * 0.01**0.7) <= found.error <= 1e-7


@pytest.mark.parametrize(
    "f", [np.sqrt, math.sqrt, lambda x: x**0.5, lambda x: x * math.log(x) if x > 0 else math.log(x + 1e-300)]
)
def test_where_a_function_is_defined_on_one_side_alone_it_has_no_slope(f):
    found = numerical_gradient(f, 0.0)
    assert found.verdict == "undefined"
    assert np.isnan(found).all()


@pytest.mark.parametrize("x", [np.nan, np.inf, -1.0])
def test_where_a_function_is_no_number_it_has_no_slope(x):
    assert numerical_gradient(np.log, x).verdict == "undefined"


@pytest.mark.parametrize(
    ("f", "x", "error"),
    [(math.log, -1.0, ValueError), (lambda x: 1 / x, 0.0, ZeroDivisionError), (math.exp, 800.0, OverflowError)],
)
def test_what_a_function_raises_at_the_point_itself_is_raised(f, x, error):
    with pytest.raises(error):
        numerical_gradient(f, x)


def test_the_report_says_that_steps_had_to_shrink():
    report = check_backward(lambda x: np.log(x), lambda g, x: g / x, np.array([1e-3, 1.0]))
    assert "not defined all around" in str(report)
    report = check_backward(lambda x: math.log(x), lambda g, x: g / x, 1e-6)
    assert report.rows[0].verdict == "ok"
    assert gradcheck(lambda x: F.sum(F.log(x)), np.array([1e-12, 1.0]))


def test_a_report_says_on_which_side_a_function_is_defined():
    report = check_backward(np.sqrt, lambda g, x: g / (2 * np.sqrt(x)), np.array([0.0, 4.0]), raise_on_error=False)
    assert [r.verdict for r in report.rows] == ["undefined", "ok"]
    assert "only to the right" in report.rows[0].note


def test_entries_that_are_no_numbers_are_undefined_and_the_others_looked_at():
    report = check_backward(lambda x: 2 * x, lambda g, x: 2 * g, np.array([1.0, np.nan, 3.0]), raise_on_error=False)
    assert [r.verdict for r in report.rows] == ["ok", "undefined", "ok"]
    assert not report.ok


# --- kinks and jumps -------------------------------------------------------------------------------------------------

KINKS = {  # f, where, the slope from the left, and from the right
    "|x|": (abs, 0.0, -1, 1),
    "relu": (lambda x: np.maximum(x, 0), 0.0, 0, 1),
    "relu(x - 3)": (lambda x: np.maximum(x - 3, 0), 3.0, 0, 1),
    "leaky relu": (lambda x: x if x > 0 else 0.01 * x, 0.0, 0.01, 1),
    "max": (lambda x: max(x * x, x + 2), 2.0, 1, 4),
    "clip": (lambda x: np.clip(x, -1, 1), 1.0, 1, 0),
    "a small kink": (lambda x: x if x > 0 else x * (1 + 1e-6), 0.0, 1 + 1e-6, 1),
    "curved": (lambda x: math.exp(x) * abs(x - 1), 1.0, -math.e, math.e),
    "large": (lambda x: 1e6 * abs(x - 1e5), 1e5, -1e6, 1e6),
    "tiny": (lambda x: 1e-9 * abs(x - 1e-5), 1e-5, -1e-9, 1e-9),
    "jump, below it": (lambda x: float(x > 0), 0.0, 0, math.inf),
    "jump, above it": (lambda x: x + float(x >= 1), 1.0, math.inf, 1),
    "jump down": (lambda x: -float(x > 0), 0.0, 0, -math.inf),
    "sign": (np.sign, 0.0, math.inf, math.inf),
    "sqrt|x|": (lambda x: abs(x) ** 0.5, 0.0, -math.inf, math.inf),
    "cbrt": (np.cbrt, 0.0, math.inf, math.inf),
}


@pytest.mark.parametrize("name", KINKS)
def test_on_a_kink_or_a_jump_the_slopes_from_either_side_are_right(name):
    f, x, left, right = KINKS[name]
    found = numerical_gradient(f, x)
    assert found.verdict == "not differentiable"
    assert (found.left, found.right) == pytest.approx((left, right), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", KINKS)
@pytest.mark.parametrize("where", [0.0, 0.3, 1.0])
def test_a_report_shows_both_slopes_and_whether_the_returned_one_lies_between(name, where):
    f, x, left, right = KINKS[name]
    between = (
        left + where * (right - left) if math.isfinite(right - left) else 7.0 if math.inf in (left, right) else -7.0
    )
    inside = left != right
    for returned, word in ((between, "lies" if inside else "does not"), (min(left, right) - 0.5, "does not")):
        if not math.isfinite(returned):
            continue
        report = check_backward(lambda x: np.asarray(f(x)) * 1.0, lambda g, x: g * returned, x, raise_on_error=False)  # noqa: B023
        (row,) = report.rows
        assert row.verdict == "not differentiable"
        assert (row.left, row.right) == pytest.approx((left, right), rel=1e-9, abs=1e-9)
        assert f"which {word}" in row.note
        assert row.between is (word == "lies")
        assert not report.ok


def test_allowed_kinks_pass_what_lies_between_and_nothing_else():
    for returned, well in ((0.0, True), (0.5, True), (1.0, True), (1.001, False), (-0.001, False), (2.5, False)):
        backward = lambda g, x, slope=returned: g * slope
        report = check_backward(
            lambda x: np.maximum(x, 0.0), backward, np.zeros(1), raise_on_error=False, allow_kinks=True
        )
        assert report.ok is well


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("side", [-1, 1])
def test_near_a_kink_the_slope_of_its_own_side_is_found(distance, side):
    kink = 1 - side * distance
    for f, truth in ((lambda x: abs(x - kink), side), (lambda x: np.maximum(x, kink), (side + 1) / 2)):
        found = numerical_gradient(f, 1.0)
        assert found.verdict == "ok"
        assert abs(float(found) - truth) <= found.error <= 1e-7


@pytest.mark.parametrize(
    ("f", "truth"), [(lambda x: abs(x) ** 1.5, 0), (lambda x: x * abs(x), 0), (lambda x: abs(x) ** 3, 0)]
)
def test_what_is_smooth_enough_is_no_kink(f, truth):
    found = numerical_gradient(f, 0.0)
    assert found.verdict == "ok"
    assert abs(float(found) - truth) <= found.error <= 1e-4
    assert numerical_gradient(lambda x: f(x - 1), 1.0).verdict == "ok"


# --- a second opinion -------------------------------------------------------------------------------------------------


def test_a_step_in_the_imaginary_direction_is_a_second_opinion():
    x = np.array([0.5, 1.0])
    report = check_backward(np.exp, lambda g, x: g * np.exp(x) * (1 + 1e-8), x, raise_on_error=False)
    assert "imaginary direction agrees with differences at all 2 places" in str(report)
    assert [r.verdict for r in report.rows] == ["wrong", "wrong"]
    assert [r.off for r in report.rows] == pytest.approx([1e-8, 1e-8], rel=1e-4)


def test_code_that_does_not_take_complex_numbers_has_no_second_opinion_and_is_judged_all_the_same():
    report = check_backward(lambda x: math.exp(x), lambda g, x: g, 0.5, raise_on_error=False)
    assert "imaginary" not in str(report)
    assert report.rows[0].verdict == "wrong"


# --- good manners -----------------------------------------------------------------------------------------------------


def test_inputs_are_never_touched_even_by_code_that_writes_into_them():
    x = np.array([1.0, 2.0])
    kept = x.copy()

    def greedy(t):
        t *= 2
        return np.sum(t)

    np.testing.assert_allclose(numerical_gradient(greedy, x), [2, 2])
    node = mg.Tensor(x, requires_grad=True)
    numerical_gradient(lambda t: F.sum(t * t), node)
    gradcheck(lambda t: t * t, node)
    assert (x == kept).all()
    assert (node.data == kept).all()
    assert node.grad is None


def test_the_global_random_state_is_neither_read_nor_moved():
    def numbers(seed):
        np.random.seed(seed)
        before = np.random.get_state()
        found = numerical_gradient(lambda x: np.sum(np.sin(x)), np.arange(4.0))
        report = gradcheck(lambda x: F.sin(x), np.arange(3000.0), max_coordinates=20)
        after = np.random.get_state()
        assert before[0] == after[0]
        assert (before[1] == after[1]).all()
        assert before[2:] == after[2:]
        return found.tolist(), [(r.index, r.numeric) for r in report.rows]

    assert numbers(0) == numbers(1)


def test_the_same_seed_gives_the_same_numbers():
    x = np.linspace(-2, 2, 500)
    runs = [gradcheck(lambda x: F.tanh(x), x, max_coordinates=50, rng=seed) for seed in (3, 3, 4)]
    rows = [[(r.index, r.numeric, r.error_bar) for r in run.rows] for run in runs]
    assert rows[0] == rows[1] != rows[2]
    f = lambda x: 1e6 + math.sin(x)
    assert float(numerical_gradient(f, 0.3, rng=5)) == float(numerical_gradient(f, 0.3, rng=5))


@pytest.mark.parametrize("x", [2.0, np.float64(2.0), np.array([2.0]), mg.Value(2.0), mg.Tensor(np.array([2.0])), 2])
def test_a_function_gets_the_kind_it_is_asked_about(x):
    kinds = set()

    def square(t):
        kinds.add(type(t))
        return F.sum(t * t) if isinstance(t, mg.Tensor | np.ndarray) else t * t

    found = numerical_gradient(square, x)
    np.testing.assert_allclose(found, np.full(np.shape(getattr(x, "data", x) if isinstance(x, mg.Tensor) else x), 4.0))
    assert kinds == {float if isinstance(x, int | float) else type(x)}


def test_what_is_computed_from_a_gradient_is_plain():
    found = numerical_gradient(lambda x: np.sum(x**2), np.array([1.0, 2.0]))
    assert type(found * 2) is np.ndarray
    assert type(found[0]) is np.float64
    assert float(found.sum()) == pytest.approx(6)


def test_a_first_step_of_ones_own_can_be_given():
    calls = []
    numerical_gradient(lambda x: calls.append(x) or math.sin(x), 1.0, eps=1e-3)
    away = np.abs(np.array(calls) - 1)
    assert np.isclose(away, 1e-3, rtol=1e-6).any()


@pytest.mark.parametrize("x", ["a", 1j, np.array([1j]), np.array(["a"])])
def test_only_real_numbers_have_derivatives(x):
    with pytest.raises(TypeError, match="real numbers"):
        numerical_gradient(lambda t: t, x)
    with pytest.raises(TypeError, match="real numbers"):
        numerical_gradient(lambda t: t + 1j, 1.0)


def test_a_gradient_of_many_results_is_refused_and_a_jacobian_named():
    with pytest.raises(ValueError, match="numerical_jacobian"):
        numerical_gradient(lambda x: x, np.ones(3))


def test_a_constant_has_slope_zero():
    found = numerical_gradient(lambda x: 3.0, 1.0)
    assert (float(found), found.verdict) == (0, "ok")
    assert numerical_gradient(lambda x: 0.0, 0.0).error == 0


@pytest.mark.parametrize("x", [1e-308, 1e308, -1e300, 1e-150])
def test_very_large_and_very_small_numbers_have_slopes(x):
    found = numerical_gradient(lambda t: t, x)
    assert abs(float(found) - 1) <= found.error <= 1e-7


def test_at_zero_where_no_size_is_known_all_sizes_are_tried():
    for size in (1e-8, 1e-4, 1.0, 1e4):
        found = numerical_gradient(lambda x: math.sin(x / size), 0.0)  # noqa: B023
        assert abs(float(found) - 1 / size) <= found.error <= 1e-8 / size
