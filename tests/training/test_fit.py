"""fit: losses, optimisers, schedules, penalties and metrics by name, and what it says when numbers go wrong."""

import json
import math
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from micrograd_nn import Tensor, data, fit, nn, optim, training
from micrograd_nn import functional as F
from micrograd_nn.training._progress import fitting

X, Y = data.make_moons(60, rng=0)


def trained(model=None, y=Y, **settings):
    model = nn.MLP(2, [6, 2], rng=0) if model is None else model
    return fit(model, X, y, progress=False, **({"epochs": 3, "rng": 0, "lr": 0.02} | settings))


def weights(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


# --- names ------------------------------------------------------------------------------------------------------------

TARGETS = {
    "cross_entropy": (2, Y), "nll_loss": (2, Y), "multi_margin_loss": (2, Y), "mse_loss": (1, X[:, :1] * 2.0),
    "l1_loss": (1, X[:, :1] * 2.0), "binary_cross_entropy_with_logits": (1, Y), "hinge_loss": (1, 2 * Y - 1),
}  # fmt: skip


@pytest.mark.parametrize("loss", training.LOSSES)
def test_every_loss_by_its_name_is_made_smaller_and_says_how_many_are_right(loss):
    out, y = TARGETS[loss]
    model = nn.MLP(2, [16, out], rng=0)
    if loss == "nll_loss":
        model = nn.Sequential(model, LogSoftmax())
    history = trained(model, y, loss=loss, epochs=60, validation_data=(X, y))
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history.settings["loss"] == loss
    if loss in ("mse_loss", "l1_loss"):
        assert history["accuracy"][-1] is history["val_accuracy"][-1] is None
    else:
        s = model.eval()(X).data
        right = s.argmax(1) == Y if out == 2 else (s[:, 0] > 0) == (Y == 1)
        assert history["val_accuracy"][-1] == pytest.approx(right.mean(), rel=1e-12)
        assert history["val_accuracy"][-1] > 0.9


class LogSoftmax(nn.Module):
    def forward(self, x):
        return F.log_softmax(x, axis=-1)


@pytest.mark.parametrize("name", training.OPTIMIZERS)
def test_a_named_optimiser_is_the_one_of_optim(name):
    kind = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad", "rmsprop": "RMSprop"}[name]
    named, own = nn.MLP(2, [6, 2], rng=0), nn.MLP(2, [6, 2], rng=0)
    trained(named, optimizer=name, weight_decay=0.1)
    trained(own, optimizer=getattr(optim, kind)(optim.decay_groups(own, 0.1), lr=0.02), lr=None)
    assert np.array_equal(weights(named), weights(own))


def test_weight_decay_alone_shrinks_weights_and_spares_biases():
    model = nn.MLP(2, [6, 2], rng=0)
    model.layers[0].bias.data = np.ones(6)
    before = model.state_dict()
    fit(
        model, X, Y, loss=lambda s, y: 0.0 * F.sum(s), optimizer="sgd", lr=0.5, weight_decay=0.1, epochs=1,
        batch_size=60, progress=False,
    )  # fmt: skip
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value, before[name] * (0.95 if "weight" in name else 1.0), rtol=1e-14)


def test_adamw_decays_as_pytorchs_does_unless_told_otherwise():
    decays = []
    see = lambda run: decays.append(run.optimizer.param_groups[0]["weight_decay"])
    for given in ({}, {"weight_decay": 0.0}, {"weight_decay": 0.3}):
        trained(optimizer="adamw", epochs=1, callbacks=[see], **given)
    assert decays == [0.01, 0.0, 0.3]


@pytest.mark.parametrize("given", [{"lr": 0.1}, {"weight_decay": 0.1}])
def test_an_optimiser_of_ones_own_brings_its_rate(given):
    model = nn.MLP(2, [2], rng=0)
    with pytest.raises(ValueError, match=f"brings its {next(iter(given))}"):
        fit(model, X, Y, optimizer=optim.SGD(model.parameters(), lr=0.1), progress=False, **given)


def test_an_optimiser_of_another_model_is_refused():
    with pytest.raises(ValueError, match="none of the model's parameters"):
        trained(optimizer=optim.Adam(nn.MLP(2, [2]).parameters()), lr=None)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"optimizer": "adan"}, ValueError, "'adamw' or an Optimizer of your own, not 'adan'"),
        ({"optimizer": optim.Adam}, TypeError, "optimizer is a name or an Optimizer"),
        ({"schedule": "cosin"}, ValueError, "'step', 'exponential', 'cosine', 'warmup', 'warmup_cosine', 'plateau'"),
        ({"metrics": "f1"}, ValueError, "metrics has 'mae', 'mse', 'r2', 'accuracy' by name, and not 'f1'"),
        ({"metrics": {"loss": max}}, ValueError, "cannot be called 'loss'"),
        ({"metrics": {"val_x": max}}, ValueError, "cannot be called 'val_x'"),
        ({"metrics": [3]}, TypeError, "a name or a function"),
        ({"metrics": [lambda s, y: 0, lambda s, y: 1]}, ValueError, "two metrics are called '<lambda>'"),
        ({"checkpoint_every": math.nan}, ValueError, "checkpoint_every is a number of seconds, at least 0, not nan"),
        ({"checkpoint_every": "60"}, ValueError, "checkpoint_every is a number of seconds"),
        ({"model": abs}, TypeError, "fit takes a Module of micrograd_nn.nn, not builtin_function_or_method"),
        ({"loss": lambda s, y: 1.0}, TypeError, "the loss function gave float"),
        ({"clip_norm": 0}, ValueError, "clip_norm is a number above 0"),
        ({"max_norm": -1.0}, ValueError, "max_norm is a number above 0"),
        ({"l2": -1.0}, ValueError, "at least 0"),
        ({"batch_size": 0}, ValueError, "batch_size is a whole number of at least 1"),
        ({"batch_size": 2.5}, ValueError, "batch_size is a whole number of at least 1"),
        ({"y": np.array(["a", "b"])[Y]}, TypeError, r"names, y = np.unique\(y, return_inverse=True\)"),
        ({"y": np.where(Y, 1.0, np.nan), "loss": "mse_loss"}, ValueError, r"y has nan at \[\d+\]"),
        ({"y": Y.astype(object)}, TypeError, "y holds object"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        trained(**settings)


# --- schedules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("step", lambda k: 0.1 ** (k // 10)),
        ("exponential", lambda k: 0.01 ** (k / 29)),
        ("cosine", lambda k: (1 + math.cos(math.pi * k / 30)) / 2),
        ("warmup", lambda k: min(1.0, 0.1 + 0.9 * k / 3)),
        ("warmup_cosine", lambda k: 0.1 + 0.3 * k if k < 3 else (1 + math.cos(math.pi * (k - 3) / 27)) / 2),
    ],
)
def test_what_a_schedule_by_name_does_to_the_rate(name, rates):
    history = trained(epochs=30, schedule=name)
    np.testing.assert_allclose(history["lr"], [0.02 * rates(k) for k in range(30)], rtol=1e-9)


@pytest.mark.parametrize("epochs", [1, 2, 3])
@pytest.mark.parametrize("name", training.SCHEDULES)
def test_a_schedule_fits_a_short_run_too(name, epochs):
    history = trained(epochs=epochs, schedule=name)
    assert all(0 < lr <= 0.02 for lr in history["lr"])


def test_plateau_halves_the_rate_where_the_validation_loss_stays():
    history = trained(epochs=20, schedule="plateau", loss=lambda s, y: F.sum(s) * 0.0 + 1.0, validation_data=(X, Y))
    assert history["lr"][:7] == [0.02] * 4 + [0.01] * 3  # patience 2: epochs 2 and 3 are waited for, after 4 it halves


def test_a_function_may_make_the_schedule():
    assert trained(schedule=lambda opt: optim.lr_scheduler.ExponentialLR(opt, 0.5))["lr"] == [0.02, 0.01, 0.005]


def test_a_schedule_of_another_optimiser_is_refused():
    other = optim.SGD(nn.MLP(2, [2]).parameters(), lr=0.1)
    with pytest.raises(ValueError, match="of another optimiser"):
        trained(schedule=optim.lr_scheduler.StepLR(other, 1))


# --- penalties and metrics --------------------------------------------------------------------------------------------


def test_the_l2_penalty_is_weight_decay_by_another_name():
    one, two = nn.MLP(2, [6, 2], rng=0), nn.MLP(2, [6, 2], rng=0)
    trained(one, optimizer="sgd", l2=0.1)
    trained(two, optimizer="sgd", weight_decay=0.1)
    np.testing.assert_allclose(weights(one), weights(two), rtol=1e-12)


def test_penalties_are_recorded_apart_from_the_loss_of_the_data():
    model = nn.MLP(2, [6, 2], rng=0)
    expected = nn.l1_penalty(model, 0.5).item() + nn.l2_penalty(model, 0.25).item()
    loss = F.cross_entropy(model(X), Y).item()
    history = trained(model, l1=0.5, l2=0.25, epochs=1, batch_size=60)
    assert history["penalty"] == [pytest.approx(expected, rel=1e-12)]
    assert history["loss"] == [pytest.approx(loss, rel=1e-12)]
    assert trained(epochs=1)["penalty"] == [None]


def test_metrics_by_name_are_those_of_the_whole_whatever_the_batches():
    y = np.c_[X[:, 0] ** 2, X[:, 1] - 1]
    model = nn.MLP(2, [8, 2], rng=0)
    history = trained(
        model, y, loss="mse_loss", metrics=["mae", "mse", "r2"], validation_data=(X[:50], y[:50]), batch_size=7
    )
    error = model(X[:50]).data - y[:50]
    assert history["val_mae"][-1] == pytest.approx(np.abs(error).mean(), rel=1e-12)
    assert history["val_mse"][-1] == pytest.approx(history["val_loss"][-1], rel=1e-12)
    r2 = 1 - (np.square(error).sum(0) / np.square(y[:50] - y[:50].mean(0)).sum(0)).mean()  # as scikit-learn averages
    assert history["val_r2"][-1] == pytest.approx(r2, rel=1e-12)
    assert history.metrics == ("mae", "mse", "r2", "val_mae", "val_mse", "val_r2")


def test_r2_on_training_batches_is_one_number_for_the_whole():
    y = X[:, :1] * 3 + 1
    history = trained(nn.MLP(2, [1], rng=0), y, loss="mse_loss", metrics="r2", optimizer="sgd", lr=0.0, batch_size=7)
    s = nn.MLP(2, [1], rng=0)(X).data
    assert history["r2"][-1] == pytest.approx(1 - np.square(s - y).sum() / np.square(y - y.mean()).sum(), rel=1e-9)


def test_metrics_of_ones_own_see_arrays_and_are_weighted_by_their_batch():
    seen = []

    def size(scores, y):
        assert type(scores) is np.ndarray
        seen.append(len(y))
        return len(y)

    history = trained(metrics=[size], batch_size=40, epochs=1)
    assert seen == [40, 20]
    assert history["size"] == [(40 * 40 + 20 * 20) / 60]


def test_a_metric_takes_labels_without_an_axis_and_refuses_what_would_broadcast():
    history = trained(nn.MLP(2, [1], rng=0), Y, loss="binary_cross_entropy_with_logits", metrics="mae")
    assert history["mae"][-1] < 2
    with pytest.raises(ValueError, match="one score a label"):
        trained(metrics="mae")


def test_accuracy_on_request_and_of_probabilities():
    y = np.c_[1 - Y, Y].astype(float) * 0.8 + 0.1
    model = nn.MLP(2, [8, 2], rng=0)
    history = trained(model, y, validation_data=(X, y))
    assert history["val_accuracy"][-1] == pytest.approx((model(X).data.argmax(1) == Y).mean(), rel=1e-12)
    line = trained(nn.MLP(2, [1], rng=0), 2.0 * Y[:, None] - 1, loss="mse_loss", metrics=["accuracy"])
    assert 0 <= line["accuracy"][-1] <= 1
    assert line.metrics == ()


def test_accuracy_compares_each_example_with_its_own_label():
    scores = np.eye(3)[[0, 1, 2, 0, 1]]
    assert training.accuracy(scores, np.array([[0], [1], [2], [0], [2]])) == 0.8  # not 5 times 5 pairs
    with pytest.raises(ValueError, match="one score a label"):
        training.accuracy(scores, [0, 1, 2])
    with pytest.raises(ValueError, match="one score a label"):
        training.accuracy(scores[:, :1], [0, 1, 2])


def test_settings_may_be_numpys_numbers():
    history = trained(
        clip_norm=np.float32(1), max_norm=np.int64(3), epochs=np.int64(2), early_stopping=np.int64(4),
        validation_data=(X, Y),
    )  # fmt: skip
    assert (len(history), history.settings["max_norm"]) == (2, 3)
    assert type(history).from_dict(json.loads(history.to_json())) == history


def test_accuracy_of_several_yes_or_no_answers():
    y = np.c_[Y, 1 - Y, X[:, 0] > 0].astype(float)
    model = nn.MLP(2, [3], rng=0)
    history = trained(model, y, loss="binary_cross_entropy_with_logits", validation_data=(X, y))
    assert history["val_accuracy"][-1] == pytest.approx(((model(X).data > 0) == (y > 0.5)).mean(), rel=1e-12)


# --- numbers that go wrong --------------------------------------------------------------------------------------------


class Planted(nn.Module):
    """Two layers with a function between."""

    def __init__(self, function, after=lambda z: z):
        self.layers = [nn.Layer(2, 3, "identity", rng=0), nn.Layer(3, 2, after, rng=1)]
        self.function = function

    def forward(self, x):
        return self.layers[1](self.function(self.layers[0](x)))


def test_a_loss_that_is_not_finite_names_the_operation_and_the_layer_and_steps_nothing():
    model = Planted(lambda z: z, after=lambda z: F.log(F.exp(z * 1e4)))
    before = weights(model)
    history = trained(model)
    assert history.ended.startswith("the loss became nan in epoch 1: `exp` in layers[1] gave inf at [")
    assert history.ended.endswith(": try a lower learning rate")
    assert len(history) == 0
    assert np.array_equal(weights(model), before)


def test_a_nan_born_in_the_backward_pass_is_never_stepped_into_the_weights():
    model = Planted(lambda z: F.sqrt(z * 0.0))  # the loss is finite, the slope of the root at 0 is not
    before = weights(model)
    history = trained(model)
    assert history.ended.startswith("with a loss of 0.")
    assert "a gradient was not finite in epoch 1: `sqrt` gave " in history.ended
    assert "backward pass" in history.ended
    assert "slope has no end" in history.ended
    assert np.array_equal(weights(model), before)


def test_a_nan_in_the_gradient_of_one_large_weight_alone_is_seen():
    class Scaled(nn.Module):
        def __init__(self):
            self.first, self.w = nn.Layer(2, 2, "identity", rng=0), Tensor(np.zeros((2, 50)), requires_grad=True)

        def forward(self, x):
            return self.first(x) + F.sqrt(F.sum(self.w * self.w))

    model = Scaled()
    history = trained(model)
    assert "`sqrt` gave inf in the backward pass" in history.ended
    assert not model.w.data.any()


def test_the_same_dropout_is_drawn_again_to_find_the_cause():
    model = nn.Sequential(nn.Dropout(0.5, rng=0), nn.Layer(2, 2, "identity", rng=0))
    calls = []

    def loss(scores, y):
        calls.append(scores.data.copy())
        return F.cross_entropy(scores, y) if len(calls) not in (3, 4) else F.mean(F.log(scores * 0.0))

    history = trained(model, loss=loss, batch_size=20, epochs=5)
    assert "`log` gave -inf" in history.ended
    assert np.array_equal(calls[2], calls[3])
    assert len(calls) == 4


@pytest.mark.parametrize(("loss", "lr"), [("mse_loss", 1e3), ("cross_entropy", 1e60)])
def test_a_run_that_diverges_says_so_itself_and_leaves_numpys_warnings_as_they_were(loss, lr):
    met = []  # by callbacks; a warning is an error here
    far = np.c_[Y, 1 - Y] if loss == "mse_loss" else Y
    history = trained(
        nn.MLP(2, [6, 6, 6, 2], "leaky_relu", rng=0), far, loss=loss, optimizer="sgd", lr=lr, epochs=50,
        callbacks=[lambda run: met.append(np.geterr())],
    )  # fmt: skip
    assert re.match("the loss became (inf|nan)|with a loss of .* a gradient was not finite", history.ended)
    assert all(how == np.geterr() for how in met)
    with np.errstate(all="raise", under="ignore"), pytest.raises(FloatingPointError):
        trained(nn.MLP(2, [6, 6, 6, 2], "leaky_relu", rng=0), far, loss=loss, optimizer="sgd", lr=lr, epochs=50)


def test_what_a_run_does_not_say_itself_numpy_still_warns_of():
    model = nn.MLP(2, [2], rng=0)
    with pytest.warns(RuntimeWarning, match="overflow"):  # Adam squares the gradient, and would then stand still
        history = trained(model, np.c_[Y, Y] * 1.0, loss=lambda s, y: 1e200 * F.mean(s), epochs=1)
    assert history.ended == "finished"


def test_weights_that_held_nan_from_the_start_are_named():
    model = nn.MLP(2, [6, 2], rng=0)
    model.layers[1].weight.data[1, 4] = np.nan
    assert trained(model).ended == (
        "the loss became nan in epoch 1: layers[1].weight holds nan at [1, 4] before the first step: start from "
        "weights that are finite numbers"
    )


@np.errstate(all="ignore")  # the steps themselves overflow
def test_weights_that_the_last_step_blew_up_are_named():
    history = trained(optimizer="sgd", lr=1e308, batch_size=30, loss=lambda s, y: 1e3 * F.cross_entropy(s, y))
    words = (
        r"the loss became nan in epoch 1: layers\[0\]\.weight holds -?(inf|nan) at \[\d, \d\] since the last step: .*"
    )
    assert re.fullmatch(words, history.ended)


@pytest.mark.parametrize("schedule", [None, "plateau"])
def test_a_validation_loss_that_is_not_finite_ends_the_run_after_its_epoch_and_names_the_operation(schedule):
    far = X.copy()
    far[7] *= 1e200
    model = Planted(lambda z: z, after=lambda z: F.log(F.exp(z)))
    history = trained(model, validation_data=(far, Y), schedule=schedule)
    assert history.ended.startswith(
        f"the validation loss became {history['val_loss'][0]} in epoch 1: `exp` in layers[1]"
    )
    assert re.search(r" gave inf at \[7, \d\] in the forward pass from \(add = an array of shape", history.ended)
    assert len(history) == 1
    assert not model.training


@np.errstate(all="ignore")  # the steps themselves overflow
def test_weights_that_the_very_last_step_blew_up_are_no_finished_run():
    history = trained(optimizer="sgd", lr=1e308, batch_size=60, epochs=1, loss=lambda s, y: 1e3 * F.cross_entropy(s, y))
    assert history.ended.startswith("the last step of epoch 1 went too far: layers[0].weight holds ")
    assert len(history) == 1


def test_an_infinity_in_what_is_frozen_is_no_flaw():
    class Masked(nn.Module):
        def __init__(self):
            self.first, self.mask = nn.Layer(2, 3, "identity", rng=0), Tensor(np.array([0.0, 0.0, -np.inf]))

        def forward(self, x):
            return F.softmax(self.first(x) + self.mask)

    assert trained(Masked(), np.c_[Y, 1 - Y, 0 * Y] * 1.0, loss="mse_loss").ended == "finished"


def test_a_loss_that_no_parameter_has_a_part_in_is_refused():
    apart = Tensor(2.0, requires_grad=True)
    with pytest.raises(ValueError, match=r"depends on no parameter of the model.*not from their \.data"):
        trained(loss=lambda s, y: apart * float(s.data.mean()))


def test_large_but_finite_gradients_of_single_precision_are_no_error():
    model = nn.MLP(2, [1], rng=0)
    for p in model.parameters():
        p._data = p._data.astype(np.float32)
    history = fit(
        model, X.astype(np.float32), np.zeros((60, 1), np.float32), loss=lambda s, y: F.mean(s) * 1e25, lr=1e-3,
        optimizer="sgd", epochs=1, batch_size=60, progress=False,
    )  # fmt: skip
    assert history.ended == "finished"
    assert 1e24 < history["grad_norm"][0] < 1e27


# --- shown ------------------------------------------------------------------------------------------------------------


def test_only_what_fits_is_shown_beside_the_bar():
    parts = ["loss 0.1234", "(99.0%)", "test 0.2345", "(98.0%)", "lr 0.001"]
    assert fitting(parts, 80) == " ".join(parts)
    assert fitting(parts, 20) == "loss 0.1234 (99.0%)"
    assert fitting(parts, 3) == "loss 0.1234"


def test_lines_say_the_rate_where_it_changes(capsys):
    fit(nn.MLP(2, [2], rng=0), X, Y, epochs=2, lr=0.25, schedule="cosine", metrics={"half": lambda s, y: 0.5}, rng=0)
    first, second = capsys.readouterr().err.splitlines()
    assert "lr 0.25  half 0.5" in first
    assert "lr 0.125" in second
    fit(nn.MLP(2, [2], rng=0), X, Y, epochs=1, rng=0)
    assert "lr" not in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal")
@pytest.mark.parametrize("columns", [40, 80])
def test_the_bar_keeps_its_length_in_a_narrow_terminal(columns):
    import pty

    master, slave = pty.openpty()
    code = (
        "from micrograd_nn import data, fit, nn\nX, y = data.make_moons(60, rng=0)\n"
        "fit(nn.MLP(2, [2], rng=0), X, y, epochs=12, validation_data=(X, y), rng=0, schedule='cosine')"
    )
    env = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "LINES": "24"}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=slave, env=env)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=60) == 0
    lines = [re.sub(r"\x1b\[[\d;?]*\w", "", line) for line in re.split("[\r\n]+", shown.decode())]
    last = next(line for line in reversed(lines) if line)
    assert len(last) <= columns
    assert re.match("epoch 12/12 ━{7} loss [0-9.]+", last)
    assert ("test" in last and "lr" in last) == (columns == 80)
