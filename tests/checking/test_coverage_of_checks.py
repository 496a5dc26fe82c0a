"""What a check looks at when it cannot look at everything: shares, samples, and one wrong entry among a million."""

import numpy as np
import pytest

from micrograd_nn import functional as F
from micrograd_nn import nn
from micrograd_nn.checking import check_backward, gradcheck
from micrograd_nn.checking._coverage import chosen

# --- the budget ------------------------------------------------------------------------------------------------------


def sine(wrong=None, by=0.0, to=None, sums=True):
    """sum(sin x) or sin x, and its backward pass: the entries `wrong` are off by the part `by`, or replaced by `to`."""

    def backward(g, x):
        slopes = g * np.cos(x)
        if wrong is not None:
            slopes[wrong] = slopes[wrong] * (1 + by) if to is None else to
        return slopes

    return (lambda x: np.sum(np.sin(x))) if sums else (lambda x: np.sin(x)), backward


def test_a_report_says_how_many_of_how_many_were_checked():
    report = gradcheck(lambda x: F.sum(F.sin(x)), np.linspace(-1, 1, 2_345))
    assert "checked 2,000 of 2,345" in str(report)
    assert report.ok
    assert (report.checked, report.coordinates) == (2000, 2_345)
    assert report.projections > 0


@pytest.mark.slow
def test_a_report_says_checked_two_thousand_of_a_million():
    report = gradcheck(lambda x: x[0] * 2, np.ones(1_000_000))
    assert "checked 2,000 of 1,000,000" in str(report)
    assert report.ok


def test_within_the_budget_every_entry_is_checked():
    for budget, seen in ((None, 300), (300, 300), (299, 299), (1, 1)):
        report = gradcheck(lambda x: F.sum(F.sin(x)), np.linspace(-1, 1, 300), max_coordinates=budget)
        assert report.checked == seen
        assert report.ok
    assert gradcheck(lambda x: F.sin(x), np.ones((3, 2))).projections == 0


@pytest.mark.parametrize("budget", [7, 40, 500, 3000])
def test_every_input_gets_its_share(budget):
    sizes = [100_000, 3, 500, 1, 20_000, 40, 0]
    places = chosen([np.ones(n) for n in sizes], budget, np.random.default_rng(0))
    counts = [len(p) for p in places]
    assert sum(counts) <= max(budget, len(sizes))
    assert all(c >= min(n, 1) for c, n in zip(counts, sizes, strict=True))
    assert all(len(set(p.tolist())) == len(p) for p in places)
    assert all((np.diff(p) > 0).all() for p in places)
    if budget >= 500:
        assert sum(counts) >= 0.95 * budget
        assert counts[1] == 3
        assert counts[3] == 1
        assert counts[5] >= min(40, budget // 30)
        assert counts[0] > counts[4] > counts[2]


def test_a_sample_is_spread_over_rows_and_columns_and_differs_by_seed():
    a = np.ones((100, 50, 20))
    seen = set()
    for seed in range(5):
        (places,) = chosen([a], 1000, np.random.default_rng(seed))
        i, j, k = np.unravel_index(places, a.shape)
        assert len(places) == 1000
        assert len(set(i)) == 100  # every slice along the first axis
        assert len(set(j)) == 50
        assert len(set(k)) == 20
        assert np.diff(places).max() <= 2 * a.size / 1000
        seen.add(tuple(places))
    assert len(seen) == 5


def test_more_inputs_than_the_budget_leave_none_out():
    inputs = [np.full(2, float(k + 1)) for k in range(30)]
    report = gradcheck(lambda *xs: sum(F.sum(x * x) for x in xs), *inputs, max_coordinates=10)
    assert report.checked <= 30
    assert {r.input for r in report.rows} or report.projections


def test_parameters_of_a_model_all_have_their_turn():
    model = nn.MLP(40, [60, 50, 3], "tanh", rng=0)
    report = gradcheck(model, np.random.default_rng(0).normal(size=(4, 40)), max_coordinates=200)
    assert report.ok
    names = {r.input for r in report.rows}
    assert names >= {f"layers[{i}].{p}" for i in range(3) for p in ("weight", "bias")}
    assert len(names) == 7


# --- one wrong entry -------------------------------------------------------------------------------------------------


def unsampled(size, budget, seed):
    """An entry that the sample of this seed is not likely to hit; the check says whether it did."""
    return int(np.random.default_rng(seed + 1000).integers(size))


def found(size, budget, seed, **fault):
    x = np.random.default_rng(seed).normal(size=size)
    place = unsampled(size, budget, seed)
    sums = fault.pop("sums", True)
    forward, backward = sine(place, sums=sums, **fault)
    report = check_backward(forward, backward, x, max_coordinates=budget, rng=seed, raise_on_error=False)
    bad = [r for r in report.rows if r.verdict != "ok"]
    assert [r.index for r in bad] in ([], [(place,)])
    return bool(bad) and not report.ok and all(r.verdict == "wrong" for r in bad)


@pytest.mark.parametrize("sums", [True, False])
@pytest.mark.parametrize("by", [1e-4, 1e-6])
def test_one_wrong_entry_in_a_thousand_is_found_and_named_outside_the_sample(by, sums):
    assert all(found(1000, 20, seed, by=by, sums=sums) for seed in range(25))


@pytest.mark.parametrize("to", [0.0, np.nan, np.inf, 7.0])
def test_one_entry_that_is_nothing_like_the_truth_is_found(to):
    assert all(found(3000, 20, seed, to=to, sums=seed % 2 == 0) for seed in range(10))


def test_one_wrong_entry_in_a_hundred_thousand_is_found():
    assert found(100_000, 50, 0, by=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("sums", [True, False])
def test_one_wrong_entry_is_always_found(sums):
    assert all(found(1000, 20, seed, by=by, sums=sums) for seed in range(200) for by in (1e-4, 1e-6))
    assert all(found(100_000, 20, seed, by=by, sums=sums) for seed in range(10) for by in (1e-4, 1e-6))


@pytest.mark.slow
@pytest.mark.parametrize("fault", [{"by": 1e-4}, {"by": 1e-6}, {"to": 0.0}, {"to": np.nan}])
def test_one_wrong_entry_in_a_million_is_found(fault):
    assert found(1_000_000, 10, 0, **fault)


def test_a_wrong_entry_outside_the_sample_says_how_it_was_found():
    forward, backward = sine(777, 1e-4)
    report = check_backward(forward, backward, np.linspace(0, 1, 5000), max_coordinates=50, raise_on_error=False)
    (bad,) = [r for r in report.rows if r.verdict == "wrong"]
    assert bad.index == (777,)
    assert "halving random projections" in bad.note
    assert bad.off == pytest.approx(1e-4, rel=1e-3)


def test_several_wrong_entries_are_found_one_after_another():
    places = [17, 2345, 4000]
    forward, backward = sine(places, 1e-3)
    report = check_backward(forward, backward, np.linspace(0, 1, 5000), max_coordinates=20, raise_on_error=False)
    assert {r.index[0] for r in report.rows if r.verdict == "wrong"} <= set(places)
    assert len([r for r in report.rows if r.verdict == "wrong"]) >= 2


def test_a_wrong_entry_among_several_inputs_is_named_with_its_input():
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(30, 40)), rng.normal(size=(40, 50)), rng.normal(size=50)

    def backward(g, x, w, b):
        dw = x.T @ g
        dw[7, 11] *= 1.0001
        return g @ w.T, dw, g.sum(0)

    report = check_backward(lambda x, w, b: x @ w + b, backward, x, w, b, max_coordinates=60, raise_on_error=False)
    assert [(r.input, r.index) for r in report.rows if r.verdict == "wrong"] == [("w", (7, 11))]


def test_no_number_in_an_entry_that_is_not_sampled_is_found():
    for seed in range(5):
        place = int(np.random.default_rng(seed).integers(50_000))
        forward, backward = sine(place, to=np.nan)
        report = check_backward(
            forward, backward, np.full(50_000, 0.3), max_coordinates=10, rng=seed, raise_on_error=False
        )
        assert [r.index for r in report.rows if r.verdict == "wrong"] == [(place,)]


def test_many_that_are_slightly_wrong_are_found():
    for share, by in ((1.0, 1e-7), (0.5, 1e-6), (0.05, 1e-5), (0.001, 1e-4)):
        wrong = np.random.default_rng(0).random(20_000) < share
        forward, backward = sine(wrong, by)
        report = check_backward(forward, backward, np.linspace(-1, 1, 20_000), max_coordinates=30, raise_on_error=False)
        assert not report.ok
        assert all(wrong[r.index] for r in report.rows if r.verdict == "wrong")


def test_errors_within_the_tolerance_do_not_add_up_to_a_failure():
    forward, backward = sine(slice(None), 1e-7)
    x = np.linspace(-1, 1, 20_000)
    assert check_backward(forward, backward, x, max_coordinates=30, rtol=1e-6).ok
    assert not check_backward(forward, backward, x, max_coordinates=30, rtol=1e-8, raise_on_error=False).ok
    noise = np.random.default_rng(0).normal(size=x.size) * 1e-8
    assert check_backward(forward, lambda g, x: g * np.cos(x) + g * noise, x, max_coordinates=30, atol=1e-7).ok


# --- no false alarm --------------------------------------------------------------------------------------------------


def softmax_loss(x, labels):
    z = x - x.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(x)), labels])


def softmax_loss_backward(g, x, labels):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(x)), labels] -= 1
    return g * p / len(x)


def right_ones(rng):
    """Right functions of many entries, with everything of sizes from 1e-6 to 1e6, and entries of several sizes."""
    n = int(rng.integers(2100, 6000))
    of_x, of_f = 10 ** rng.uniform(-6, 6, 2)
    spread = 10 ** rng.uniform(-6, 6, n) if rng.integers(2) else np.ones(n)
    x = rng.normal(size=n) * of_x * spread
    m = x[: n // 20 * 20].reshape(20, -1) / of_x
    w = rng.normal(size=(m.shape[1], 3))
    labels = rng.integers(m.shape[1], size=20)
    z = rng.normal(size=m.shape) * rng.choice([1e-3, 1.0, 10.0])
    return [
        ("sum", lambda x: of_f * np.sum(x), lambda g, x: np.full_like(x, g * of_f), [x]),
        ("mean", lambda x: of_f * np.mean(x), lambda g, x: np.full_like(x, g * of_f / x.size), [x]),
        ("squares", lambda x: of_f * np.sum(x * x), lambda g, x: 2 * of_f * g * x, [x]),
        ("waves", lambda x: of_f * np.sin(x / of_x), lambda g, x: g * of_f * np.cos(x / of_x) / of_x, [x]),
        ("norm", lambda x: of_f * np.sqrt(np.sum(x * x)), lambda g, x: g * of_f * x / np.sqrt(np.sum(x * x)), [x]),
        ("variance", lambda x: of_f * np.var(x), lambda g, x: g * of_f * 2 * (x - x.mean()) / x.size, [x]),
        ("matmul", lambda x, w: of_f * (x @ w), lambda g, x, w: (of_f * g @ w.T, of_f * x.T @ g), [m, w]),
        ("softmax", softmax_loss, softmax_loss_backward, [z, labels]),
    ]  # fmt: skip


def false_alarms(count, seed):
    rng, failed = np.random.default_rng(seed), []
    for _ in range(count):
        for name, forward, backward, inputs in right_ones(rng):
            report = check_backward(forward, backward, *inputs, max_coordinates=20, rng=rng, raise_on_error=False)
            if not report.ok:
                failed.append(f"{name}: {report}")
    assert not failed, f"{len(failed)} of {8 * count}\n" + "\n".join(failed[:5])


def test_right_functions_of_thousands_of_entries_are_not_failed():
    false_alarms(4, 0)


@pytest.mark.slow
def test_right_functions_of_thousands_of_entries_are_never_failed():
    false_alarms(150, 1)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu", "softplus"])
def test_right_networks_are_not_failed(activation):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        model = nn.MLP(30, [50, 40, 5], activation, rng=rng)
        X, y = rng.normal(size=(16, 30)) * 10 ** rng.uniform(-2, 1), rng.integers(5, size=16)
        assert gradcheck(lambda m, X: F.cross_entropy(m(X), y), model, X, max_coordinates=40, rng=seed).ok  # noqa: B023
        assert gradcheck(model, X, max_coordinates=40, rng=seed).ok


def test_relu_networks_say_when_projections_crossed_kinks_and_are_not_failed():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        model = nn.MLP(30, [50, 40, 5], "relu", rng=rng)
        report = gradcheck(model, rng.normal(size=(16, 30)), max_coordinates=40, rng=seed, raise_on_error=False)
        assert report.ok, str(report)


def test_functions_in_single_precision_are_not_failed():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=4000)
        report = check_backward(
            lambda x: np.tanh(x.astype(np.float32)), lambda g, x: g * (1 - np.tanh(x.astype(np.float32)) ** 2), x,
            max_coordinates=30, rng=seed, raise_on_error=False,
        )  # fmt: skip
        assert not [r for r in report.rows if r.verdict == "wrong"], str(report)
        assert not any("Along a random direction" in p for p in report.problems)
