"""`HealthMonitor` watches a run: a report an epoch, with gradients and steps as training really has them."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from micrograd_nn import HealthMonitor, History, Tensor, data, fit, nn, optim, unit_health
from micrograd_nn import functional as F
from micrograd_nn.health._monitor import _update_ratio
from micrograd_nn.nn._module import observer
from micrograd_nn.training import Callback, Run

X, y = data.make_moons(200, rng=0)


class Own(nn.Module):
    """Activations that nobody shows, one of them of the weights."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.V = Tensor(rng.normal(size=(2, 32)), True)
        self.hidden = nn.Layer(32, 5, lambda z: z * F.sigmoid(z), rng=1)
        self.W = Tensor(rng.normal(size=(5, 2)), True)

    def forward(self, x):
        return self.hidden(F.tanh(x @ self.V) * F.sigmoid(self.V[0])) @ self.W


def one_step(model, monitor, optimizer, X=X, y=y):
    """One epoch of one batch; the report, and the weights before."""
    before = model.state_dict()
    settings = {"optimizer": optimizer, "epochs": 1, "batch_size": len(X), "callbacks": [monitor]}
    return fit(model, X, y, rng=0, progress=False, **settings).health[0], before


def test_every_epoch_has_a_report_of_the_same_examples():
    model = nn.MLP(2, [8, 2], rng=0)
    history = fit(model, X, y, epochs=3, callbacks=[HealthMonitor(examples=70)], rng=0, progress=False)
    assert [(r.epoch, r.examples) for r in history.health] == [(1, 70), (2, 70), (3, 70)]
    chosen = X[np.linspace(0, 199, 70).astype(int)]
    now = unit_health(model, chosen)
    for name in ("on_rate", "dead", "mean", "spread"):
        np.testing.assert_array_equal(getattr(now.layers[0], name), getattr(history.health[-1].layers[0], name))
    assert History.from_dict(history.to_dict()).health == history.health


@pytest.mark.parametrize(("n", "expected"), [(30, 30), (200, 64), (2400, 100), (40_000, 1024)])
def test_the_sample_is_a_24th_within_64_and_1024(n, expected):
    X = np.arange(n)[:, None] * 1.0
    sample = HealthMonitor()._examples_of(Run(nn.MLP(1, [2, 1], rng=0), None, X, X))[:, 0]
    assert len(sample) == expected
    steps = np.diff(sample)
    assert (sample[0], sample[-1]) == (0, n - 1)
    assert steps.max() - steps.min() <= 1


def test_examples_of_ones_own_are_all_used():
    history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=1, callbacks=[HealthMonitor(X=X[:7])], rng=0, progress=False)
    assert history.health[0].examples == 7


def test_every_third_epoch_and_the_last():
    callbacks = [HealthMonitor(every=3)]
    history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=8, callbacks=callbacks, rng=0, progress=False)
    assert [r.epoch for r in history.health] == [3, 6, 8]
    assert all(len(r.updates) == 4 and len(r.gradients) == 5 for r in history.health)


@pytest.mark.parametrize("activation", ["relu", "maxout", lambda z: z * F.sigmoid(z)])
@pytest.mark.parametrize("form", ["MLP", "Network"])
def test_gradients_are_those_of_the_batch(activation, form):
    model = nn.MLP(2, [8, 6, 2], activation, rng=0)
    model = nn.Network.from_mlp(model) if form == "Network" else model
    expected = unit_health(model, X, y).gradients  # no dropout: the same in both modes
    report, _ = one_step(model, HealthMonitor(), optim.SGD(model.parameters(), 0.1))
    assert [g.name for g in report.gradients] == [g.name for g in expected]
    for g, e in zip(report.gradients, expected, strict=True):
        got = (g.mean, g.std, g.norm, g.mean_abs, g.zeros)
        np.testing.assert_allclose(got, (e.mean, e.std, e.norm, e.mean_abs, e.zeros), rtol=1e-9, atol=1e-15)


def test_activations_that_nobody_shows_are_found():
    model = Own()
    expected = unit_health(model, X, y).gradients
    report, _ = one_step(model, HealthMonitor(), optim.SGD(model.parameters(), 0.1))
    assert [g.name for g in report.gradients] == ["tanh", "hidden", "V", "W", "hidden.weight", "hidden.bias"]
    for g, e in zip(report.gradients, expected, strict=True):
        assert (g.name, g.norm) == (e.name, pytest.approx(e.norm, rel=1e-9))


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.RMSprop])
def test_updates_are_what_the_optimiser_really_did(kind):
    model = nn.MLP(2, [8, 2], "tanh", rng=0)
    model.layers[1].bias.data = np.array([0.5, -0.5])
    report, before = one_step(model, HealthMonitor(), kind(model.parameters(), lr=0.01))
    after = model.state_dict()
    assert report.updates["layers[0].bias"] is None  # all zero before the first step
    for name in ("layers[0].weight", "layers[1].weight", "layers[1].bias"):
        expected = np.log10(np.std(after[name] - before[name]) / np.std(before[name]))
        assert report.updates[name] == pytest.approx(expected, abs=1e-9)


def test_a_thousandth_is_minus_three():
    w = np.random.default_rng(0).normal(size=20)

    def update_ratio(before, after):
        return _update_ratio(before.copy(), after.reshape(4, 5))

    assert update_ratio(w, w * 1.001) == pytest.approx(-3, abs=1e-9)
    assert update_ratio(w + 1e3, w * 1.001 + 1e3) == pytest.approx(-3, abs=1e-6)
    assert update_ratio(np.full(20, 0.1), np.arange(20)) is None
    assert update_ratio(w, w) == -math.inf
    assert math.isnan(update_ratio(w, w * np.nan))


def test_watching_changes_nothing():
    def run(*callbacks):
        model = nn.MLP(2, [8, 8, 2], dropout=0.2, rng=0)
        history = fit(model, X, y, epochs=4, validation_data=(X, y), callbacks=callbacks, rng=1, progress=False)
        return history["loss"], history["val_loss"], model.state_dict()

    alone, watched = run(), run(HealthMonitor(), HealthMonitor(every=2))
    assert alone[:2] == watched[:2]
    for name, value in alone[2].items():
        np.testing.assert_array_equal(value, watched[2][name])
    assert observer.get() is None


def test_two_monitors_see_the_same():
    a, b = HealthMonitor(), HealthMonitor()
    history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=1, callbacks=[a, b], rng=0, progress=False)
    assert history.health[0] == history.health[1]


def test_a_monitor_can_watch_another_run():
    monitor = HealthMonitor()
    for n_in in (2, 1):
        history = fit(nn.MLP(n_in, [4, 2], rng=0), X[:, :n_in], y, epochs=2, callbacks=[monitor], rng=0, progress=False)
        assert [len(r.layers[0]) for r in history.health] == [4, 4]


@pytest.mark.parametrize("hook", ["on_train_begin", "on_backward_end", "on_batch_end", "on_epoch_end"])
def test_nobody_watches_after_a_run_that_broke_off(hook):
    class Broken(Callback):
        pass

    def broken(self, run):
        raise RuntimeError("stop here")

    setattr(Broken, hook, broken)
    with pytest.raises(RuntimeError, match="stop here") as caught:
        fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=1, callbacks=[HealthMonitor(), Broken()], progress=False)
    assert observer.get() is None
    del caught  # so long the run was alive, as it is in a notebook


@pytest.mark.parametrize("hook", ["on_train_begin", "on_backward_end", "on_batch_end", "on_epoch_end"])
@pytest.mark.parametrize("first", [True, False])
def test_what_other_callbacks_compute_meanwhile_is_no_part_of_it(hook, first):
    class Busy(Callback):
        pass

    def busy(self, run):
        run.model.eval()(Tensor(X))
        fit(nn.MLP(2, [5, 2], rng=0), X, y, epochs=1, batch_size=200, callbacks=[HealthMonitor()], progress=False)

    def run(*callbacks):
        return fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=2, callbacks=callbacks, rng=0, progress=False).health

    setattr(Busy, hook, busy)
    assert run(*([HealthMonitor(), Busy()] if first else [Busy(), HealthMonitor()])) == run(HealthMonitor())
    assert observer.get() is None


def test_runs_in_several_threads_do_not_see_each_other():
    def run(seed):
        settings = {"epochs": 4, "callbacks": [HealthMonitor()], "rng": seed, "progress": False}
        return fit(nn.MLP(2, [8, 2], rng=seed), X, y, **settings).health

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, [0, 1] * 4)) == [run(0), run(1)] * 4


def test_a_run_that_was_stopped_has_a_report_of_its_last_epoch():
    class Stops(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 5:
                run.stop("enough")

    callbacks = [Stops(), HealthMonitor(every=3)]
    history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=9, callbacks=callbacks, rng=0, progress=False)
    assert [(r.epoch, len(r.updates)) for r in history.health] == [(3, 4), (5, 0)]


def test_a_monitor_travels_to_other_processes_before_and_after_a_run():
    monitor = pickle.loads(pickle.dumps(HealthMonitor(every=2)))
    history = fit(nn.MLP(2, [8, 2], rng=0), X, y, epochs=2, callbacks=[monitor], rng=0, progress=False)
    assert [r.epoch for r in history.health] == [2]
    assert pickle.loads(pickle.dumps(monitor)).every == 2
    assert pickle.loads(pickle.dumps(history.health)) == history.health


def test_dead_units_are_reported_as_training_kills_them():
    model = nn.MLP(2, [30, 2], rng=0)
    opt = optim.SGD(model.parameters(), lr=300.0)
    history = fit(model, X, y, optimizer=opt, epochs=2, callbacks=[HealthMonitor()], rng=0, progress=False)
    last = history.health[-1]
    assert last.layers[0].dead.mean() > 0.3
    assert "dead on these 64 examples" in " ".join(last.findings)


@pytest.mark.parametrize("settings", [{"examples": 0}, {"every": 0}, {"every": None}, {"examples": 2.5}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match="a whole number of at least 1"):
        HealthMonitor(**settings)
