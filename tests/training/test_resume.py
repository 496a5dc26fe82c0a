"""A run that was stopped at any moment, kill -9 included, goes on as if it never had been."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from micrograd_nn import checkpoint, data, fit, nn, optim
from micrograd_nn import functional as F
from micrograd_nn.data import DataError
from micrograd_nn.health import HealthMonitor
from micrograd_nn.training import Callback, EarlyStopping

X, Y = data.make_moons(80, rng=0)
TEST = data.make_moons(40, rng=1)


def model_of(seed=0, dropout=0.3):
    return nn.Sequential(nn.GaussianNoise(0.1, rng=3), nn.MLP(2, [8, 6, 2], rng=seed, dropout=dropout))


def trained(path=None, model=None, **settings):
    """A run with everything that has a memory; returns its history and weights."""
    model = model_of() if model is None else model
    given = {
        "epochs": 8, "optimizer": "adam", "lr": 0.02, "schedule": "warmup_cosine", "l2": 1e-3, "max_norm": 3.0,
        "rng": 5, "clip_norm": 1.0, "early_stopping": EarlyStopping(5, monitor="val_accuracy"),
        "metrics": {"mean": mean}, "validation_data": TEST, "batch_size": 16, "callbacks": [HealthMonitor()],
    }  # fmt: skip
    history = fit(model, X, Y, checkpoint=path, progress=False, **(given | settings))
    return history, model.state_dict()


def mean(scores, y):
    return scores.mean()


def as_told(history):
    """All of a history but the time it took."""
    content = history.to_dict()
    for epoch in content["epochs"]:
        del epoch["seconds"]
    return content


def assert_same(run, other):
    assert as_told(run[0]) == as_told(other[0])
    assert run[1].keys() == other[1].keys()
    assert all(np.array_equal(run[1][name], other[1][name]) for name in run[1])


class Interrupt(Callback):
    """Ctrl-C in a given epoch, in the midst of it or at its end."""

    def __init__(self, epoch, hook):
        self.epoch, self.hook = epoch, hook

    def _interrupt(self, run, hook):
        if run.epoch == self.epoch and hook == self.hook and (run.last_batch or hook == "on_batch_end"):
            self.epoch = None
            raise KeyboardInterrupt

    def on_batch_end(self, run):
        self._interrupt(run, "on_batch_end")

    def on_epoch_end(self, run):
        self._interrupt(run, "on_epoch_end")


OPTIMIZERS = {
    "sgd": lambda m: optim.SGD(m.parameters(), 0.1, momentum=0.9, nesterov=True),
    "adamw": lambda m: optim.AdamW(optim.decay_groups(m, 0.1), 0.01),
    "rmsprop": lambda m: optim.RMSprop(m.parameters(), 0.01, momentum=0.5, centered=True),
    "adagrad": lambda m: optim.Adagrad(m.parameters(), 0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("hook", ["on_batch_end", "on_epoch_end"])
def test_an_interrupted_run_goes_on_as_if_it_never_had_been(tmp_path, name, hook):
    def run(path, interrupt, resume):
        model = model_of()
        monitor = HealthMonitor()
        return trained(
            path, model, optimizer=OPTIMIZERS[name](model), lr=None, callbacks=[monitor, Interrupt(interrupt, hook)],
            resume=resume, schedule=lambda opt: optim.lr_scheduler.StepLR(opt, 3, 0.5), early_stopping=None,
        )  # fmt: skip

    whole = run(None, None, False)
    assert len(whole[0]) == len(whole[0].health) == 8
    first = run(tmp_path / "run", 3, False)
    assert first[0].ended == "interrupted"
    second = run(tmp_path / "run", 6, True)
    assert (second[0].ended, len(second[0])) == ("interrupted", 5 if hook == "on_batch_end" else 6)
    assert_same(run(tmp_path / "run", None, True), whole)


@pytest.mark.parametrize("schedule", ["step", "exponential", "cosine", "warmup", "warmup_cosine", "plateau"])
def test_every_schedule_goes_on(tmp_path, schedule):
    def run(path=None, stops=None, resume=False):
        return trained(path, schedule=schedule, callbacks=[HealthMonitor(), Stops(stops)], resume=resume)

    whole = run()
    run(tmp_path / "run", stops=2)
    assert_same(run(tmp_path / "run", resume=True), whole)


class Stops(Callback):
    def __init__(self, epoch=None):
        self.epoch = epoch

    def on_batch_end(self, run):
        if run.epoch == self.epoch:
            raise KeyboardInterrupt


def test_a_run_without_a_file_begins_and_one_that_is_over_gives_its_history(tmp_path):
    path = tmp_path / "new" / "run"
    whole = trained()
    assert_same(trained(path, resume=True), whole)
    content = path.read_bytes()
    assert_same(trained(path, resume=True), whole)
    assert path.read_bytes() == content


def test_a_run_that_stopped_early_is_over_and_comes_back_with_its_best_weights(tmp_path):
    stopping = {"early_stopping": EarlyStopping(2, min_delta=10.0), "epochs": 9, "schedule": None}
    whole = trained(tmp_path / "run", **stopping)
    assert len(whole[0]) == 3
    assert whole[0].best_epoch == 1
    assert_same(trained(tmp_path / "run", resume=True, **stopping), whole)
    longer = trained(tmp_path / "run", resume=True, **(stopping | {"epochs": 20}))
    assert len(longer[0]) == 3


def test_more_epochs_continue_a_finished_run_from_its_last_weights_not_its_best(tmp_path):
    plain = {"schedule": None, "early_stopping": EarlyStopping(50)}
    trained(tmp_path / "run", **plain)
    assert_same(trained(tmp_path / "run", resume=True, epochs=12, **plain), trained(epochs=12, **plain))


def test_the_users_generator_stands_where_it_would_have(tmp_path):
    rngs = [np.random.default_rng(9) for _ in range(3)]
    trained(rng=rngs[0])
    trained(tmp_path / "run", rng=rngs[1], callbacks=[HealthMonitor(), Stops(4)])
    trained(tmp_path / "run", rng=rngs[2], callbacks=[HealthMonitor(), Stops()], resume=True)
    assert rngs[2].random() == rngs[0].random()


def test_a_run_in_a_notebook_begins_again_where_it_began(tmp_path):
    """Interrupted before the first epoch was over, and with no seed: the same model, half trained, is put back."""
    model = nn.MLP(2, [4, 2])
    start = model.state_dict()

    def stop(run):
        raise ZeroDivisionError

    settings = {"epochs": 2, "progress": False, "checkpoint": tmp_path / "run"}
    with pytest.raises(ZeroDivisionError):
        fit(model, X, Y, callbacks=[stop], **settings)
    tree = checkpoint.load(tmp_path / "run")
    assert tree["epoch"] == 0
    assert all(np.array_equal(tree["model"][k], start[k]) for k in start)


def test_a_callbacks_own_memory_goes_along(tmp_path):
    class Counts(Callback):
        def __init__(self):
            self.steps = 0

        def on_batch_end(self, run):
            self.steps += 1
            if run.epoch == 2 and self.steps == 7 and not getattr(self, "resumed", False):
                raise KeyboardInterrupt

        def state_dict(self):
            return {"steps": self.steps}

        def load_state_dict(self, state):
            self.steps, self.resumed = state["steps"], True

    first, second = Counts(), Counts()
    trained(tmp_path / "run", callbacks=[first], early_stopping=None)
    trained(tmp_path / "run", callbacks=[second], early_stopping=None, resume=True)
    assert (first.steps, second.steps) == (7, 8 * 5)


DIFFERENT = {
    "batch size": ({"batch_size": 8}, "batch_size was 16, and is 8 now"),
    "rate": ({"lr": 0.5}, r"the optimiser's groups\[0\]\['lr'\] was 0.02, and is 0.5 now"),
    "optimiser": ({"optimizer": "sgd"}, "optimizer was Adam, and is SGD now"),
    "loss": ({"loss": "multi_margin_loss"}, "loss was cross_entropy, and is multi_margin_loss now"),
    "penalty": ({"l2": 0.5}, "l2 was 0.001, and is 0.5 now"),
    "layer": ({"model": nn.MLP(2, [2], rng=0)}, "parameters"),
    "activation": (
        {"model": nn.Sequential(nn.GaussianNoise(0.1, rng=3), nn.MLP(2, [8, 6, 2], "tanh", rng=0, dropout=0.3))},
        "relu",
    ),
    "dropout": ({"model": model_of(dropout=0.5)}, "Dropout"),
    "data": ({"validation_data": (TEST[0] + 1e-9, TEST[1])}, r"validation data \(digest\)"),
    "seed": ({"rng": 6}, "rng was 5, and is 6 now"),
    "stopping": ({"early_stopping": 3}, "early_stopping was EarlyStopping"),
    "metrics": ({"metrics": ()}, "metrics"),
    "callbacks": ({"callbacks": []}, "callbacks was"),
    "length of a schedule": (
        {"epochs": 9},
        "schedule was 'warmup_cosine' over 8 epochs, and is 'warmup_cosine' over 9",
    ),
    "fewer epochs": ({"epochs": 4, "schedule": None}, "schedule"),
}


@pytest.mark.parametrize("changed", DIFFERENT.values(), ids=DIFFERENT)
def test_another_run_is_refused_and_named_and_the_file_stays(tmp_path, changed):
    settings, message = changed
    trained(tmp_path / "run")
    content = (tmp_path / "run").read_bytes()
    with pytest.raises(DataError, match=f"holds another run.*{message}"):
        trained(tmp_path / "run", resume=True, **settings)
    assert (tmp_path / "run").read_bytes() == content


def test_a_schedule_of_other_settings_is_another_run(tmp_path):
    def run(step_size, **more):
        steps = optim.lr_scheduler.StepLR
        return trained(tmp_path / "run", schedule=lambda opt: steps(opt, step_size), epochs=2, **more)

    run(3)
    with pytest.raises(DataError, match=r"the schedule's settings\['step_size'\] was 3, and is 5 now"):
        run(5, resume=True)
    assert len(run(3, resume=True)[0]) == 2


def test_fewer_epochs_than_there_are_is_refused(tmp_path):
    trained(tmp_path / "run", schedule=None, epochs=3)
    with pytest.raises(DataError, match="holds 3 epochs already, and epochs is 2 now"):
        trained(tmp_path / "run", schedule=None, epochs=2, resume=True)


def test_a_file_is_never_overwritten_unasked(tmp_path):
    (tmp_path / "precious").write_text("notes")
    with pytest.raises(DataError, match=r"precious is there already: resume=True.*Nothing was overwritten"):
        trained(tmp_path / "precious")
    with pytest.raises(DataError, match="no checkpoint"):
        trained(tmp_path / "precious", resume=True)
    assert (tmp_path / "precious").read_text() == "notes"
    checkpoint.save(tmp_path / "tree", {"format": 0})
    with pytest.raises(DataError, match="not the checkpoint of a run"):
        trained(tmp_path / "tree", resume=True)


def test_resume_needs_a_file():
    with pytest.raises(ValueError, match="say which one"):
        trained(resume=True)


def test_a_loss_that_is_nan_is_met_again_after_resuming(tmp_path):
    def bad(scores, y):
        return F.cross_entropy(scores, y) * (1.0 if float(np.abs(scores.data).max()) < 3 else np.inf)

    runs = [trained(tmp_path / "run", loss=bad, lr=0.5, resume=again)[0] for again in (False, True)]
    assert "the loss became" in runs[0].ended
    assert as_told(runs[0]) == as_told(runs[1])


# --- kill -9 ----------------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from test_resume import checkpoint, trained, as_told
print("begins", flush=True)
history, weights = trained({path!r}, resume={resume}, epochs={epochs}, early_stopping=30)
checkpoint.save({out!r}, [as_told(history), weights, history["seconds"]])
"""


def begun(tmp_path, path, out, epochs):
    script = SCRIPT.format(
        folder=os.path.dirname(__file__), path=path, out=str(tmp_path / out), epochs=epochs, resume=path is not None
    )
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=env)
    assert process.stdout.readline() == b"begins\n"
    return process


def killed_and_resumed(tmp_path, kills, epochs, longest):
    with begun(tmp_path, None, "whole", epochs) as process:
        assert process.wait(timeout=120) == 0
    rng, path, cut = random.Random(time.time_ns()), str(tmp_path / "run"), 0
    for attempt in range(kills + 1):
        with begun(tmp_path, path, "resumed", epochs) as process:
            if attempt == kills:
                assert process.wait(timeout=120) == 0
                break
            time.sleep(rng.uniform(0, longest))
            process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            cut += 1
    whole, resumed = checkpoint.load(tmp_path / "whole"), checkpoint.load(tmp_path / "resumed")
    assert whole[0] == resumed[0]
    assert len(whole[2]) == len(resumed[2])
    assert all(np.array_equal(whole[1][name], resumed[1][name]) for name in whole[1])
    return cut


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_run_that_was_killed_again_and_again_ends_bit_for_bit_as_one_that_was_not(tmp_path):
    assert killed_and_resumed(tmp_path, kills=4, epochs=60, longest=0.15) > 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_the_same_with_many_kills(tmp_path):
    assert killed_and_resumed(tmp_path, kills=60, epochs=600, longest=0.2) > 20
