"""Six holes of today's gradient checkers, each passed here; and, where they are installed, what they do beside ours.

Measured on PyTorch 2.13 (`torch.autograd.gradcheck`), JAX 0.10.2 (`jax.test_util.check_grads`, with x64 enabled) and
HIPS autograd 1.9.1 (`autograd.test_util.check_grads`); the last two with `order=1, modes=["rev"]`, and everything else
as it comes. What fails is called "mismatch" by all three, and never says more than the numbers.
"""

import importlib
import math

import numpy as np
import pytest

import micrograd_nn as mg
from micrograd_nn import functional as F
from micrograd_nn.checking import GradcheckError, check_backward, gradcheck, numerical_gradient

N, TRIES = 1000, 20


class Torch:
    """PyTorch's, with a function whose derivative is written by hand."""

    def __init__(self, **settings):
        self.torch = self.np = pytest.importorskip("torch")
        self.module, self.settings = importlib.import_module("torch.autograd.gradcheck"), settings
        self.torch.manual_seed(0)

    def function(self, forward, backward):
        class Written(self.torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return forward(x)

            @staticmethod
            def backward(ctx, g):
                return backward(g, *ctx.saved_tensors)

        return Written.apply

    def off_at(self, place, by):
        def backward(g, x):
            slopes = g * self.torch.cos(x)
            slopes[place] *= 1 + by
            return slopes

        return self.function(self.torch.sin, backward)

    def says(self, f, x):
        """Empty where the check passes, else its message."""
        x = self.torch.tensor(x, dtype=self.torch.float64, requires_grad=True)
        try:
            assert self.module.gradcheck(f, (x,), **self.settings)
        except self.module.GradcheckError as error:
            return str(error)
        return ""


class Autograd:
    def __init__(self):
        self.check = pytest.importorskip("autograd.test_util").check_grads
        self.extend, self.np = pytest.importorskip("autograd.extend"), pytest.importorskip("autograd.numpy")

    def function(self, forward, backward):
        written = self.extend.primitive(forward)
        self.extend.defvjp(written, lambda out, x: lambda g: backward(g, x))
        return written

    def off_at(self, place, by):
        def backward(g, x):
            slopes = g * np.cos(x)
            slopes[place] *= 1 + by
            return slopes

        return self.function(np.sin, backward)

    def says(self, f, x):
        try:
            with np.errstate(all="ignore"):
                self.check(f, modes=["rev"], order=1)(x)
        except AssertionError as error:
            return str(error)
        return ""


class Jax:
    def __init__(self):
        self.jax = pytest.importorskip("jax")
        self.jax.config.update("jax_enable_x64", True)
        self.check, self.np = pytest.importorskip("jax.test_util").check_grads, self.jax.numpy

    def function(self, forward, backward):
        written = self.jax.custom_vjp(forward)
        written.defvjp(lambda x: (forward(x), x), lambda x, g: (backward(g, x),))
        return written

    def off_at(self, place, by):
        return self.function(self.np.sin, lambda g, x: (g * self.np.cos(x)).at[place].multiply(1 + by))

    def says(self, f, x):
        try:
            self.check(f, (self.np.asarray(x),), order=1, modes=["rev"])
        except AssertionError as error:
            return str(error)
        return ""


def missed(other, by):
    """The share of tries in which one wrong entry of a thousand is passed."""
    rng = np.random.default_rng(0)
    return np.mean([other.says(other.off_at(int(rng.integers(N)), by), rng.normal(size=N)) == "" for _ in range(TRIES)])


# --- (a) one wrong entry in a thousand -------------------------------------------------------------------------------


def ours_names(by, budget, seed):
    rng = np.random.default_rng(seed)
    place = int(rng.integers(N))

    def backward(g, x):
        slopes = g * np.cos(x)
        slopes[place] *= 1 + by
        return slopes

    x = rng.normal(size=N)
    report = check_backward(lambda x: np.sin(x), backward, x, max_coordinates=budget, rng=seed, raise_on_error=False)
    return [r.index for r in report.rows if r.verdict == "wrong"] == [(place,)]


@pytest.mark.parametrize("budget", [2000, 10])
def test_a_one_wrong_entry_in_a_thousand_is_found_where_one_projection_misses_it_in_half_of_the_tries(budget):
    """sin at 1,000 random points, one entry of its gradient off by 1e-4.

    JAX misses 91 of 100 tries (94 where the results are summed), autograd 103 of 200 (83): one random projection, and
    a tolerance for the whole of it. PyTorch's `fast_mode=True` misses all, and an entry off by 1e-2 as well; its slow
    mode looks at every entry, and passes 1e-4 too, which is within its rtol of 1e-3. Ours finds it and says which,
    whether it looks at every entry or only at ten.
    """
    assert all(ours_names(1e-4, budget, seed) for seed in range(TRIES if budget < N else 2))


def test_a_beside_pytorch_fast():
    assert missed(Torch(fast_mode=True), 1e-4) == 1
    assert missed(Torch(fast_mode=True), 1e-2) == 1


def test_a_beside_pytorch_slow():
    torch = Torch()
    assert torch.says(torch.off_at(3, 1e-4), np.linspace(-1, 1, 20)) == ""


def test_a_beside_jax():
    assert missed(Jax(), 1e-4) > 0.5


def test_a_beside_autograd():
    np.random.seed(0)  # its projections are of the global state
    assert missed(Autograd(), 1e-4) > 0.25


# --- (b) nothing where there is a little -----------------------------------------------------------------------------


@pytest.mark.parametrize("slope", [1e-7, 1e-12, 1e-100])
def test_b_a_gradient_of_zero_is_wrong_however_small_the_truth(slope):
    """f(x) = 1e-7 x with a gradient of 0: all three pass it, by an absolute tolerance (PyTorch 1e-5 in either mode,
    JAX 1e-5, autograd 1e-6) that knows nothing of the size of the gradient. Ours judges on the gradient's own scale.
    """
    x = np.ones(3)
    report = check_backward(lambda x: slope * x, lambda g, x: g * 0, x, raise_on_error=False)
    assert [r.verdict for r in report.rows] == ["wrong"] * 3


def test_b_nor_is_nothing_right_beside_an_entry_that_is_large():
    report = check_backward(
        lambda x: 5 * x[0] + 1e-7 * x[1], lambda g, x: g * np.array([5.0, 0.0]), np.ones(2), raise_on_error=False
    )
    assert [r.verdict for r in report.rows] == ["ok", "wrong"]
    assert report.rows[1].numeric == pytest.approx(1e-7, rel=1e-6)
    assert check_backward(lambda x: 5 * x[0], lambda g, x: g * np.array([5.0, 0.0]), np.ones(2))  # this 0 is right


@pytest.mark.parametrize(
    "other", [Torch, lambda: Torch(fast_mode=True), Jax, Autograd], ids=["torch", "fast", "jax", "autograd"]
)
def test_b_beside_the_others(other):
    other = other()
    assert other.says(other.function(lambda x: 1e-7 * x, lambda g, x: g * 0.0), np.ones(3)) == ""


# --- (c) NaN equals NaN ----------------------------------------------------------------------------------------------


def test_c_no_number_equals_nothing_not_even_itself():
    """sqrt(-1): JAX passes, since its `assert_allclose` takes NaN for equal to NaN. PyTorch and autograd fail it as a
    mismatch of NaN and NaN. Ours calls it undefined, and a NaN returned where there is a slope wrong.
    """
    report = gradcheck(F.sqrt, np.array([-1.0, 4.0]), raise_on_error=False)
    assert [r.verdict for r in report.rows] == ["undefined", "ok"]
    assert not report
    assert "defined nowhere around" in str(report)
    report = check_backward(lambda x: x * 1.0, lambda g, x: g * np.nan, np.ones(3), raise_on_error=False)
    assert [r.verdict for r in report.rows] == ["wrong"] * 3
    assert np.isnan(numerical_gradient(np.sqrt, -1.0))
    for nothing in (np.nan, np.inf, -np.inf):
        assert not check_backward(lambda x: x**2, lambda g, x: np.full(2, nothing), np.ones(2), raise_on_error=False)  # noqa: B023


def test_c_beside_jax():
    other = Jax()
    assert other.says(other.np.sqrt, -np.ones(3)) == ""


@pytest.mark.parametrize("other", [Torch, Autograd])
def test_c_beside_the_others(other):
    other = other()
    assert "nan" in other.says(other.np.sqrt, -np.ones(3))


# --- (d) and (e) kinks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "left", "right"),
    [(F.relu, 0, 1), (F.abs, -1, 1), (lambda x: F.maximum(x, 0.0), 0, 1), (lambda x: F.leaky_relu(x, 0.2), 0.2, 1)],
)
def test_d_and_e_a_kink_is_neither_passed_in_silence_nor_failed_without_a_hint(f, left, right):
    """At 0, (d) autograd passes abs and maximum(x, 0), JAX maximum(x, 0) and PyTorch abs: what they return happens to
    be the mean of both slopes, which is what a central difference gives. (e) PyTorch fails relu ("Jacobian mismatch":
    0.5 and 0), leaky_relu and clamp, and JAX relu and abs ("Not equal to tolerance"), with no word about a kink. Ours
    says "not differentiable", shows both slopes, and whether what was returned lies between them.
    """
    report = gradcheck(f, np.array([0.0]), raise_on_error=False)
    (row,) = report.rows
    assert not report.ok
    assert row.verdict == "not differentiable"
    assert (row.left, row.right) == pytest.approx((left, right), abs=1e-12)
    assert row.between
    assert "from the left" in str(report)
    assert "lies between them" in str(report)
    assert gradcheck(f, np.array([0.0]), allow_kinks=True).ok
    assert gradcheck(f, np.array([1e-3, -1e-3])).ok


def test_d_and_e_what_is_not_between_the_slopes_is_not_allowed_as_a_kink():
    for returned, well in ((0.5, True), (1.1, False), (-0.1, False)):
        report = check_backward(
            lambda x: np.maximum(x, 0), lambda g, x: g * returned, np.zeros(2), raise_on_error=False, allow_kinks=True  # noqa: B023
        )  # fmt: skip
        assert report.ok is well


@pytest.mark.parametrize(
    ("other", "name"), [(Autograd, "abs"), (Autograd, "maximum"), (Jax, "maximum"), (Torch, "abs")]
)
def test_d_beside_the_others_kinks_pass_in_silence(other, name):
    other = other()
    f = getattr(other.np, name)
    assert other.says(f if name == "abs" else lambda x: f(x, 0.0), np.zeros(3)) == ""


@pytest.mark.parametrize(("other", "name"), [(Torch, "relu"), (Jax, "relu"), (Jax, "abs")])
def test_e_beside_the_others_kinks_fail_without_a_hint(other, name):
    other = other()
    f = other.jax.nn.relu if isinstance(other, Jax) and name == "relu" else getattr(other.np, name)
    message = other.says(f, np.zeros(3)).lower()
    assert "mismatch" in message or "not equal" in message
    assert not any(word in message for word in ("kink", "differentiable", "one-sided", "left"))


# --- (f) which op ----------------------------------------------------------------------------------------------------

WRONG_TANH = mg.Op("wrong_tanh", np.tanh, lambda g, out, x: g * (1 - out))  # 1 - out² is right


def test_f_the_op_that_is_wrong_is_named():
    """exp(wrong_tanh(sin x)): all three give two numbers that differ, and none names the op that is to blame. Ours says
    which op, which line made it, and that what comes after it is right.
    """
    with pytest.raises(GradcheckError) as raised:
        gradcheck(lambda x: F.exp(WRONG_TANH(F.sin(x))), np.array([0.5, 1.0]))
    blame = raised.value.report.blame
    assert blame.op == "wrong_tanh"
    assert blame.after == 1
    assert "test_six_holes.py" in blame.source
    assert "wrong_tanh" in str(raised.value)


@pytest.mark.parametrize("other", [Torch, Jax, Autograd])
def test_f_beside_the_others(other):
    other = other()
    tanh = np.tanh if isinstance(other, Autograd) else other.np.tanh

    def wrong_tanh(x):
        return tanh(x)

    wrong = other.function(wrong_tanh, lambda g, x: g * (1 - tanh(x)))
    message = other.says(lambda x: other.np.exp(wrong(other.np.sin(x))), np.array([0.5, 1.0]))
    assert message
    assert not any(word in message for word in ("tanh", "Written"))


def test_the_holes_are_those_of_the_checker_and_not_of_the_numbers():
    """Every function above, with its right derivative, is ok."""
    x = np.random.default_rng(0).normal(size=N)
    assert check_backward(lambda x: np.sin(x), lambda g, x: g * np.cos(x), x, max_coordinates=50)
    assert check_backward(lambda x: 1e-7 * x, lambda g, x: 1e-7 * g, np.ones(3))
    assert gradcheck(F.sqrt, np.array([1.0, 4.0]))
    assert gradcheck(lambda x: F.exp(F.tanh(F.sin(x))), np.array([0.5, 1.0]))
    assert math.isclose(float(numerical_gradient(np.sqrt, 4.0)), 0.25, rel_tol=1e-12)
