"""Callbacks: when they are called, what they see, and what they may do."""

import numpy as np
import pytest

from micrograd_nn import data, fit, nn, optim
from micrograd_nn import functional as F
from micrograd_nn.training import Callback, EarlyStopping, Epoch, Run

X, Y = data.make_moons(50, rng=0)


def trained(callbacks=(), model=None, **settings):
    model = nn.MLP(2, [4, 2], rng=0) if model is None else model
    return fit(model, X, Y, callbacks=callbacks, progress=False, **({"epochs": 2, "rng": 0} | settings))


class Diary(Callback):
    def __init__(self):
        self.lines = []

    def on_train_begin(self, run):
        self.lines.append("begin")

    def on_backward_end(self, run):
        self.lines.append(f"backward {run.step}{' last' if run.last_batch else ''}")

    def on_batch_end(self, run):
        self.lines.append(f"batch {run.step}")

    def on_epoch_end(self, run):
        self.lines.append(f"epoch {run.epoch} of {run.epochs}, {len(run.history)} over")

    def on_train_end(self, run):
        self.lines.append(f"end: {run.history.ended}")


def test_the_order_of_the_calls():
    diary = Diary()
    trained([diary])
    assert diary.lines == [
        "begin", "backward 0", "batch 1", "backward 1 last", "batch 2", "epoch 1 of 2, 1 over", "backward 2", "batch 3",
        "backward 3 last", "batch 4", "epoch 2 of 2, 2 over", "end: finished",
    ]  # fmt: skip


def test_what_a_callback_sees_between_gradients_and_step():
    class See(Callback):
        def on_backward_end(self, run):
            (Xb, yb), model = run.batch, run.model
            assert run.loss.item() == run.compute(model(Xb), yb).item() == F.cross_entropy(model(Xb), yb).item()
            self.before = [p.data - 0.5 * p.grad for p in model.parameters()]

        def on_batch_end(self, run):
            for p, q in zip(run.model.parameters(), self.before, strict=True):
                np.testing.assert_allclose(p.data, q, rtol=1e-14)
            assert run.optimizer.lr == 0.5
            assert run.validation_data is None
            assert len(run.X) == len(run.y) == 50

    trained([See()], optimizer="sgd", lr=0.5)


def test_watching_changes_nothing():
    assert trained([Diary()])["loss"] == trained()["loss"]


def test_a_callback_may_use_the_model_in_evaluation():
    model = nn.MLP(2, [4, 2], rng=0, dropout=0.5)
    plain = trained(model=nn.MLP(2, [4, 2], rng=0, dropout=0.5))
    assert trained([lambda run: run.model.eval()], model)["loss"] == plain["loss"]


def test_a_function_is_called_after_every_epoch_and_some_methods_are_enough():
    epochs = []

    class Some:
        def on_batch_end(self, run):
            epochs.append(-1)

    trained([lambda run: epochs.append(run.epoch), Some()])
    assert epochs == [-1, -1, 1, -1, -1, 2]


@pytest.mark.parametrize(
    ("callback", "message"), [(3, "neither a function of the run nor"), (Diary, r"Diary is a class; .*Diary\(\)")]
)
def test_what_is_no_callback_is_refused(callback, message):
    with pytest.raises(TypeError, match=message):
        trained([callback])


def test_an_error_of_a_callback_is_the_users_and_leaves_the_model_in_evaluation():
    def breaks(run):
        raise ZeroDivisionError("mine")

    model = nn.MLP(2, [4, 2], rng=0)
    with pytest.raises(ZeroDivisionError, match="mine"):
        trained([breaks], model)
    assert not model.training


@pytest.mark.parametrize(
    ("hook", "steps", "epochs"), [("on_backward_end", 2, 1), ("on_batch_end", 3, 1), ("on_epoch_end", 4, 2)]
)
def test_a_run_stops_where_it_is_told_to(hook, steps, epochs):
    class Stop:
        pass

    def stop(self, run):
        self.run = run
        if run.step + (hook == "on_backward_end") >= 3:
            run.stop("enough")
            run.stop("more than enough")

    setattr(Stop, hook, stop)
    callback = Stop()
    history = trained([callback], epochs=9)
    assert (callback.run.step, len(history), history.ended) == (steps, epochs, "enough")


def test_a_reason_is_text():
    with pytest.raises(TypeError, match="takes the reason as text"):
        Run(nn.MLP(1, [1]), None, X, Y).stop(None)


# --- early stopping -------------------------------------------------------------------------------------------------


class Script(Callback):
    """Sets the weights of a model with one weight, so that the validation loss is what the script says."""

    def __init__(self, losses):
        self.losses = losses

    def on_batch_end(self, run):
        run.model.weight.data = np.array([[self.losses[run.epoch - 1]]])
        run.model.bias.data = np.zeros(1)


def scripted(losses, **settings):
    model = nn.Layer(1, 1, "identity", rng=0)
    ones = np.ones((4, 1))
    history = fit(
        model, ones, ones, loss=lambda s, y: F.mean(s) if hasattr(s, "op") else s.mean(), callbacks=[Script(losses)],
        epochs=len(losses), validation_data=(ones, ones), progress=False, **settings,
    )  # fmt: skip
    assert history["val_loss"] == losses[: len(history)]
    return history, model.weight.item()


def test_a_run_stops_after_so_many_epochs_without_a_gain_and_has_its_best_weights():
    history, weight = scripted([5.0, 3.0, 4.0, 3.5, 3.0, 1.0], early_stopping=3)
    assert len(history) == 5
    assert history.ended == (
        "val_loss had not improved on 3 (epoch 2) for 3 epochs: stopped after epoch 5, with the weights of epoch 2"
    )
    assert (history.best_epoch, weight) == (2, 3.0)


def test_a_gain_must_be_more_than_min_delta():
    history, weight = scripted([5.0, 4.5, 4.0, 3.5, 3.0], early_stopping=EarlyStopping(3, min_delta=0.5))
    assert (len(history), history.best_epoch, weight) == (
        5,
        5,
        3.0,
    )  # 4.0 is more than 0.5 below 5.0, and 3.0 below 4.0
    history, weight = scripted([5.0, 4.5, 4.5, 4.5, 3.0], early_stopping=EarlyStopping(3, min_delta=0.5))
    assert (len(history), history.best_epoch, weight) == (4, 1, 5.0)


def test_the_best_weights_come_back_also_where_the_run_was_not_stopped():
    history, weight = scripted([5.0, 3.0, 4.0], early_stopping=9)
    assert (history.ended, history.best_epoch, weight) == ("finished", 2, 3.0)


def test_weights_stay_where_nobody_asked_for_the_best():
    history, weight = scripted([5.0, 3.0, 4.0, 4.0], early_stopping=EarlyStopping(2, restore_best=False))
    assert (len(history), history.best_epoch, weight) == (4, None, 4.0)
    assert "weights" not in history.ended


def test_a_loss_that_is_nan_is_no_gain():
    model, stopping = nn.MLP(2, [4, 2], rng=0), EarlyStopping(2)
    run = Run(model, None, X, Y, (X, Y))
    stopping.on_train_begin(run)
    for run.epoch, loss in enumerate([5.0, float("nan"), float("inf")], 1):
        assert run.stopped is None
        run.history.epochs.append(Epoch(run.epoch, 1.0, val_loss=loss))
        stopping.on_epoch_end(run)
    assert run.stopped.startswith("val_loss had not improved on 5 (epoch 1) for 2 epochs")


def test_more_accuracy_is_better_and_of_a_metric_of_ones_own_one_must_say():
    assert EarlyStopping(monitor="val_accuracy").mode == "max"
    assert EarlyStopping(monitor="val_mae").mode == "min"
    with pytest.raises(ValueError, match="less or more of 'f1' better"):
        EarlyStopping(monitor="f1")
    history = trained(
        early_stopping=EarlyStopping(2, monitor="share", mode="max"), epochs=20, metrics={"share": lambda s, y: 0.5}
    )
    assert history.ended.startswith("share had not improved on 0.5 (epoch 1) for 2 epochs")


def test_an_object_used_twice_starts_anew():
    stopping = EarlyStopping(2, monitor="loss", min_delta=10.0)
    assert [len(trained(early_stopping=stopping, epochs=9)) for _ in range(2)] == [3, 3]


@pytest.mark.parametrize(
    ("stopping", "error", "message"),
    [
        (lambda: 3, ValueError, r"watches val_loss, and there is no validation_data.*monitor='loss'"),
        (lambda: EarlyStopping(0), ValueError, "patience is a whole number"),
        (lambda: True, ValueError, "patience is a whole number"),
        (lambda: EarlyStopping(min_delta=-1), ValueError, "min_delta"),
        (lambda: EarlyStopping(monitor="mae"), KeyError, "no measure 'mae'"),
        (lambda: "yes", TypeError, "early_stopping is an EarlyStopping or its patience"),
    ],
)
def test_early_stopping_that_cannot_work_is_refused(stopping, error, message):
    with pytest.raises(error, match=message):
        trained(early_stopping=stopping())


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_clipping_comes_after_the_callbacks_and_max_norm_before_them():
    class See(Callback):
        def on_backward_end(self, run):
            self.whole = np.sqrt(sum(np.square(p.grad).sum() for p in run.optimizer.params))

        def on_batch_end(self, run):
            length = np.sqrt(sum(np.square(p.grad).sum() for p in run.optimizer.params))
            assert length == pytest.approx(1e-3, rel=1e-4)  # PyTorch divides by the norm + 1e-6
            assert self.whole > 0.01
            for layer in run.model.layers:
                assert np.sqrt(np.square(layer.weight.data).sum(1)).max() <= 0.5 * (1 + 1e-12)

    history = trained([See()], clip_norm=1e-3, max_norm=0.5)
    assert history["grad_norm"][-1] > 0.01


def test_clip_value():
    class See(Callback):
        def on_batch_end(self, run):
            assert max(np.abs(p.grad).max() for p in run.optimizer.params) == 1e-4

    trained([See()], clip_value=1e-4)


def test_an_own_optimiser_and_a_schedule_of_it():
    model = nn.MLP(2, [4, 2], rng=0)
    opt = optim.SGD(model.parameters(), lr=0.5)
    history = trained((), model, optimizer=opt, schedule=optim.lr_scheduler.StepLR(opt, 1, 0.5), epochs=3)
    assert history["lr"] == [0.5, 0.25, 0.125]
    assert history.settings["schedule"] == "StepLR"
