"""Learning rates over time: each schedule by its formula, by PyTorch, and resumed."""

import copy
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from micrograd_nn import Tensor, Value, optim
from micrograd_nn.optim import lr_scheduler as S

BASES = [0.4, 0.03]


def ours():
    return optim.SGD([{"params": [Value(0.0)], "lr": lr} for lr in BASES])


def rates(opt):
    return [group["lr"] for group in opt.param_groups]


def run(schedule, steps, *metrics):
    """The rates at the beginning and after every step."""
    out = [rates(schedule.optimizer)]
    for i in range(steps):
        schedule.step(*(m[i] for m in metrics))
        out.append(rates(schedule.optimizer))
    return np.array(out)


# --- formulas ---------------------------------------------------------------------------------------------------------


def cosine(base, t, T, low):
    return low + (base - low) * (1 + math.cos(math.pi * t / T)) / 2


def linear(t, start, end, n):
    return start + (end - start) * min(t, n) / n


def bell(t):
    return math.exp(-t * t / 50)


# How the schedule is made, out of a module of schedules and an optimiser, and the rate it gives after t steps.
KINDS = {
    "step": (lambda M, o: M.StepLR(o, 3, gamma=0.5), lambda base, t: base * 0.5 ** (t // 3)),
    "step, defaults": (lambda M, o: M.StepLR(o, 7), lambda base, t: base * 0.1 ** (t // 7)),
    "milestones": (
        lambda M, o: M.MultiStepLR(o, [2, 5, 5, 9], gamma=0.3),
        lambda base, t: base * 0.3 ** sum(t >= m for m in (2, 5, 5, 9)),
    ),
    "exponential": (lambda M, o: M.ExponentialLR(o, 0.9), lambda base, t: base * 0.9**t),
    "cosine": (lambda M, o: M.CosineAnnealingLR(o, 10), lambda base, t: cosine(base, t, 10, 0.0)),
    "cosine with a floor": (
        lambda M, o: M.CosineAnnealingLR(o, 7, eta_min=0.01),
        lambda base, t: cosine(base, t, 7, 0.01),
    ),
    "cosine of one step": (lambda M, o: M.CosineAnnealingLR(o, 1), lambda base, t: cosine(base, t, 1, 0.0)),
    "linear, defaults": (lambda M, o: M.LinearLR(o), lambda base, t: base * linear(t, 1 / 3, 1, 5)),
    "linear to nothing": (
        lambda M, o: M.LinearLR(o, 1.0, 0.0, total_iters=8),
        lambda base, t: base * linear(t, 1.0, 0.0, 8),
    ),
    "a function": (lambda M, o: M.LambdaLR(o, bell), lambda base, t: base * bell(t)),
    "warm-up and cosine": (
        lambda M, o: M.SequentialLR(o, [M.LinearLR(o, 0.1, total_iters=4), M.CosineAnnealingLR(o, 9)], [4]),
        lambda base, t: base * linear(t, 0.1, 1, 4) if t < 4 else cosine(base, t - 4, 9, 0.0),
    ),
    "three in a row": (
        lambda M, o: M.SequentialLR(
            o, [M.ExponentialLR(o, 0.9), M.LambdaLR(o, bell), M.StepLR(o, 2, 0.7)], milestones=[3, 8]
        ),
        lambda base, t: base * (0.9**t if t < 3 else bell(t - 3) if t < 8 else 0.7 ** ((t - 8) // 2)),
    ),
    "the second at once": (
        lambda M, o: M.SequentialLR(o, [M.LinearLR(o), M.ExponentialLR(o, 0.8)], milestones=[1]),
        lambda base, t: base / 3 if t < 1 else base * 0.8 ** (t - 1),
    ),
}
ALL = pytest.mark.parametrize("kind", KINDS)


@ALL
def test_rates_follow_the_formula(kind):
    make, formula = KINDS[kind]
    expected = [[formula(base, t) for base in BASES] for t in range(41)]
    np.testing.assert_allclose(run(make(S, ours()), 40), expected, rtol=1e-9, atol=1e-14)


def theirs(torch):
    return torch.optim.SGD([{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in BASES])


@ALL
def test_rates_are_pytorchs(kind):
    torch = pytest.importorskip("torch")
    make, _ = KINDS[kind]
    opt = theirs(torch)
    other = make(torch.optim.lr_scheduler, opt)
    opt.step()
    np.testing.assert_allclose(run(make(S, ours()), 40), run(other, 40), rtol=1e-12, atol=1e-15)


@pytest.mark.filterwarnings("ignore:Detected call")
@given(st.integers(1, 12), st.floats(0, 0.1), st.integers(1, 12), st.floats(0.01, 1), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_warm_up_and_cosine_are_pytorchs_at_any_length(T_max, eta_min, total_iters, start, end):
    torch = pytest.importorskip("torch")

    def make(M, o):
        parts = [M.LinearLR(o, start, end, total_iters), M.CosineAnnealingLR(o, T_max, eta_min)]
        return M.SequentialLR(o, parts, [total_iters])

    other = make(torch.optim.lr_scheduler, theirs(torch))
    np.testing.assert_allclose(run(make(S, ours()), 30), run(other, 30), rtol=1e-12, atol=1e-14)


def test_chained_schedules_and_a_rate_set_by_hand_act_as_in_pytorch():
    torch = pytest.importorskip("torch")
    opt = theirs(torch)
    found = []
    for M, o in ((S, ours()), (torch.optim.lr_scheduler, opt)):
        pair = [M.ExponentialLR(o, 0.9), M.StepLR(o, 4, 0.5), M.LinearLR(o, 0.5, total_iters=6)]
        found.append([])
        for t in range(12):
            if t == 5:
                o.param_groups[1]["lr"] = 0.2
            o.step()
            for schedule in pair:
                schedule.step()
            found[-1].append(rates(o))
    np.testing.assert_allclose(*found, rtol=1e-12)


# --- the plateau ------------------------------------------------------------------------------------------------------

PLATEAU = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["min", "max"]), "factor": st.sampled_from([0.0, 0.1, 0.5]),
        "patience": st.integers(0, 4), "threshold": st.sampled_from([0.0, 1e-4, 0.2]),
        "threshold_mode": st.sampled_from(["rel", "abs"]), "cooldown": st.integers(0, 3),
        "min_lr": st.sampled_from([0.0, 0.02, [0.1, 0.001]]), "eps": st.sampled_from([1e-8, 0.01]),
    },
)  # fmt: skip
LOSSES = st.lists(st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.1, -1.0, math.inf]), min_size=1, max_size=40)


@given(PLATEAU, LOSSES)
@example({}, [1.0] * 30)
@example({"patience": 2, "cooldown": 2}, [1.0] * 30)
@settings(max_examples=150, deadline=None)
def test_the_plateau_is_pytorchs(options, losses):
    torch = pytest.importorskip("torch")
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs(torch), **options)
    mine = S.ReduceLROnPlateau(ours(), **options)
    np.testing.assert_allclose(run(mine, len(losses), losses), run(other, len(losses), losses), rtol=1e-12)
    assert mine.num_bad_epochs == other.num_bad_epochs


def test_the_plateau_waits_then_cuts_then_cools_down():
    opt = ours()
    schedule = S.ReduceLROnPlateau(opt, factor=0.5, patience=2, cooldown=1)
    falls = run(schedule, 10, [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0])[:, 0]
    #  worse by the third bad step: index 5; one step of cooldown; three more bad ones: index 9
    assert falls.tolist() == [0.4] * 5 + [0.2] * 4 + [0.1] * 2


def test_the_plateau_takes_any_number_and_nothing_else():
    schedule = S.ReduceLROnPlateau(ours())
    for metric in (1, 1.0, np.float32(1), np.array(1.0), Value(1.0), Tensor([1.0])):
        schedule.step(metric)
    for metric in (None, math.nan, "low", True, [1.0]):
        with pytest.raises(ValueError, match="needs the number it is to watch"):
            schedule.step(metric)
    with pytest.raises(TypeError):
        schedule.step()
    assert schedule.last_epoch == 6


# --- saving and resuming ----------------------------------------------------------------------------------------------

RESUMED = {k: v for k, v in KINDS.items() if k != "the second at once"}


def plain(tree):
    if isinstance(tree, dict):
        return all(isinstance(k, str) and plain(v) for k, v in tree.items())
    return all(map(plain, tree)) if isinstance(tree, list) else tree is None or isinstance(tree, (int, float, str))


@pytest.mark.parametrize("kind", RESUMED)
@pytest.mark.parametrize("stop", [0, 3, 4, 12])
@pytest.mark.parametrize("order", ["schedule first", "optimiser first", "schedule alone"])
def test_a_reloaded_schedule_continues_bit_for_bit(kind, stop, order):
    make, _ = KINDS[kind]
    opt = ours()
    schedule = make(S, opt)
    run(schedule, stop)
    saved, steps = schedule.state_dict(), opt.state_dict()
    assert plain(saved)
    kept = copy.deepcopy(saved)
    rest = run(schedule, 20)
    fresh = ours()
    fresh.lr = 7.0
    new = make(S, fresh)
    if order == "optimiser first":
        fresh.load_state_dict(steps)
    new.load_state_dict(saved)
    if order == "schedule first":
        fresh.load_state_dict(steps)
    assert new.get_last_lr() == rates(fresh)
    assert np.array_equal(run(new, 20), rest)
    assert saved == kept
    assert new.state_dict() == schedule.state_dict()


def test_a_reloaded_plateau_continues():
    losses = [3.0, 2.0, 2.0, 2.0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]
    for stop in range(len(losses)):
        schedule, new = (S.ReduceLROnPlateau(ours(), factor=0.5, patience=1, cooldown=1) for _ in range(2))
        run(schedule, stop, losses)
        saved = schedule.state_dict()
        assert plain(saved)
        new.load_state_dict(saved)
        left = losses[stop:]
        assert np.array_equal(run(new, len(left), left), run(schedule, len(left), left))


@pytest.mark.parametrize("kind", [k for k in RESUMED if k not in ("warm-up and cosine", "three in a row")])
def test_last_epoch_goes_on_where_the_optimiser_left_off(kind):
    make, _ = KINDS[kind]
    opt = ours()
    schedule = make(S, opt)
    run(schedule, 6)
    fresh = ours()
    fresh.load_state_dict(opt.state_dict())

    class From:
        def __getattr__(self, name):
            return lambda *a, **k: getattr(S, name)(*a, **k, last_epoch=5)

    assert np.array_equal(run(make(From(), fresh), 10), run(schedule, 10))


def test_a_state_of_another_kind_is_refused_and_changes_nothing():
    schedule = S.StepLR(ours(), 2)
    before = schedule.state_dict()
    one = optim.SGD([Value(0.0)], lr=0.1)
    parts = [S.LinearLR(schedule.optimizer), S.StepLR(schedule.optimizer, 3)]
    row = S.SequentialLR(schedule.optimizer, parts, [2])
    inside = row.state_dict()
    inside["schedulers"][1]["class"] = "ExponentialLR"
    inside["schedulers"][0]["last_epoch"] = 99
    fewer = row.state_dict()
    fewer["schedulers"].pop()
    row_before = row.state_dict()
    for target, state, message in [
        (schedule, S.ExponentialLR(ours(), 0.9).state_dict(), "state of ExponentialLR does not fit StepLR"),
        (schedule, S.StepLR(one, 2).state_dict(), "1 groups of parameters.*has 2"),
        (schedule, {k: v for k, v in before.items() if k != "gamma"}, "gamma"),
        (schedule, {**before, "speed": 1}, "speed"),
        (schedule, None, "a state of NoneType"),
        (row, inside, "state of ExponentialLR does not fit StepLR"),
        (row, fewer, "1 schedules does not fit"),
    ]:
        with pytest.raises(ValueError, match=message):
            target.load_state_dict(state)
    assert row.state_dict() == row_before
    assert schedule.state_dict() == {**before, "lr": rates(schedule.optimizer)}


def test_the_functions_of_a_lambda_are_not_saved():
    schedule = S.LambdaLR(ours(), [bell, lambda t: 1.0])
    assert "bell" not in str(schedule.state_dict())
    schedule.step()
    assert schedule.get_last_lr() == [BASES[0] * bell(1), BASES[1]]


# --- wrong settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda o: S.StepLR([o], 3), TypeError, "drives an optimiser"),
        (lambda o: S.StepLR(o, 0), ValueError, "step_size is a whole number of at least 1"),
        (lambda o: S.StepLR(o, 2.0), ValueError, "step_size is a whole number"),
        (lambda o: S.StepLR(o, 2, gamma=-1), ValueError, "gamma"),
        (lambda o: S.StepLR(o, 2, last_epoch=3), ValueError, "never had one"),
        (lambda o: S.MultiStepLR(o, [1.5]), ValueError, "milestone"),
        (lambda o: S.CosineAnnealingLR(o, 0), ValueError, "T_max"),
        (lambda o: S.LinearLR(o, start_factor=0.0), ValueError, "start_factor is above 0"),
        (lambda o: S.LinearLR(o, end_factor=1.5), ValueError, "end_factor at most 1"),
        (lambda o: S.LambdaLR(o, [bell]), ValueError, "a list of 2"),
        (lambda o: S.LambdaLR(o, lambda t: math.nan), ValueError, "lr is a number of at least 0, not nan"),
        (lambda o: S.ReduceLROnPlateau(o, mode="low"), ValueError, "mode is 'min' or 'max'"),
        (lambda o: S.ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold_mode"),
        (lambda o: S.ReduceLROnPlateau(o, factor=1.0), ValueError, "factor"),
        (lambda o: S.ReduceLROnPlateau(o, patience=-1), ValueError, "patience"),
        (lambda o: S.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr has 1 rates, and the optimiser 2"),
        (lambda o: S.SequentialLR(o, [], []), ValueError, "needs schedules"),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 2)], [3]), ValueError, "1 schedules do not go with milestones"),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 2)] * 3, [3, 2]), ValueError, "rising order"),
        (lambda o: S.SequentialLR(o, [S.ReduceLROnPlateau(o)], []), TypeError, "ReduceLROnPlateau does not"),
        (lambda o: S.SequentialLR(o, [S.StepLR(ours(), 2)], []), ValueError, "another optimiser"),
    ],
)
def test_wrong_settings_are_refused(build, error, message):
    with pytest.raises(error, match=message):
        build(ours())


@pytest.mark.parametrize(
    "make",
    [
        lambda opt: S.StepLR(opt, 1),
        lambda opt: S.LambdaLR(opt, lambda t: 1.0),
        lambda opt: S.SequentialLR(opt, [S.StepLR(opt, 1), S.ExponentialLR(opt, 0.5)], [1]),
        lambda opt: S.ReduceLROnPlateau(opt),
    ],
)
def test_groups_added_under_a_schedule_are_refused_with_the_fix(make):
    opt = optim.SGD([Value(1.0)], lr=0.1)
    schedule = make(opt)
    opt.add_param_group({"params": [Value(2.0)]})
    with pytest.raises(ValueError, match=r"made for 1 group of parameters.* has 2 now.*after add_param_group"):
        schedule.step(*[1.0] * isinstance(schedule, S.ReduceLROnPlateau))
    assert opt.lr == 0.1


def test_a_schedule_shows_its_settings():
    assert "step_size=2, gamma=0.5" in repr(S.StepLR(ours(), 2, 0.5))
