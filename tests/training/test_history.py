"""What a run gave, kept as plain data."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn import data, fit, nn
from micrograd_nn import functional as F
from micrograd_nn.data import DataError
from micrograd_nn.health import HealthMonitor
from micrograd_nn.training import Epoch, History

number = st.floats()
maybe = st.none() | number
epochs = st.builds(
    Epoch, st.integers(1), number, maybe, maybe, maybe, number, maybe, maybe, maybe,
    st.dictionaries(st.sampled_from(["mae", "val_mae", "ä \u2028"]), number),
)  # fmt: skip


def same(a, b):
    return repr(a.epochs) == repr(b.epochs) and (a.ended, a.settings, a.best_epoch) == (
        b.ended,
        b.settings,
        b.best_epoch,
    )


def test_histories_with_health_reports_come_back_and_compare(tmp_path):
    X, y = data.make_moons(40, rng=0)
    runs = [
        fit(nn.MLP(2, [3, 2], rng=0), X, y, epochs=2, callbacks=[HealthMonitor()], rng=k, progress=False)
        for k in (0, 1)
    ]
    runs[0].save(tmp_path / "h.json")
    assert History.load(tmp_path / "h.json") == runs[0] != runs[1]
    assert len(History.load(tmp_path / "h.json").health) == 2


@given(st.builds(History, st.lists(epochs, max_size=3), st.text(), best_epoch=st.none() | st.integers(1)))
def test_a_history_comes_back_from_strict_json_to_the_last_bit(history):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    content = json.loads(history.to_json(), parse_constant=refuse)
    back = History.from_dict(content)
    assert repr(back.epochs) == repr(history.epochs)
    assert back == history


def test_what_is_not_finite_is_written_as_a_word_that_any_language_reads():
    written = History([Epoch(1, math.nan, val_loss=math.inf, grad_norm=-math.inf)]).to_dict()["epochs"][0]
    assert (written["loss"], written["val_loss"], written["grad_norm"]) == ("NaN", "Infinity", "-Infinity")
    assert math.isnan(float(written["loss"]))


def test_save_and_load(tmp_path):
    X, y = data.make_moons(40, rng=0)
    history = fit(
        nn.MLP(2, [3, 2], rng=0), X, y, epochs=3, metrics={"mean": lambda s, y: s.mean()}, validation_data=(X, y),
        rng=0, progress=False,
    )  # fmt: skip
    history.save(tmp_path / "history.json")
    assert History.load(tmp_path / "history.json") == history
    assert History.load(tmp_path / "history.json")["val_mean"] == history["val_mean"]
    assert [p.name for p in tmp_path.iterdir()] == ["history.json"]


def test_histories_written_before_there_was_more_to_say_still_load():
    old = {
        "ended": "the loss became nan",
        "epochs": [
            {"epoch": 1, "loss": 0.5, "accuracy": 0.75, "val_loss": None, "val_accuracy": None, "seconds": 0.1},
            {"epoch": 2, "loss": None, "accuracy": None, "val_loss": None, "val_accuracy": None, "seconds": 0.1},
        ],
    }
    history = History.from_dict(old)
    assert history["accuracy"] == [0.75, None]
    assert math.isnan(history["loss"][1])
    assert history["lr"] == [None, None]
    assert history.health == []


@pytest.mark.parametrize(
    "content", ["nonsense", "[]", "{}", '{"epochs": [{}], "ended": ""}', '{"ended": "", "epochs": [{"loss": "low"}]}']
)
def test_what_is_no_history_is_refused(tmp_path, content):
    (tmp_path / "h.json").write_text(content)
    with pytest.raises(DataError, match=r"h\.json.*history of a run"):
        History.load(tmp_path / "h.json")


def test_an_unknown_measure_is_told_which_there_are():
    history = History([Epoch(1, 0.5, metrics={"mae": 0.25})])
    assert history["mae"] == [0.25]
    with pytest.raises(KeyError, match=r"no measure 'mea'; it has epoch, loss, .*, mae\."):
        history["mea"]


def test_a_history_in_one_line():
    history = History([Epoch(k, 1 / k, 0.5, 2 / k, 0.25, metrics={"mae": 3.0}) for k in (1, 2, 3)])
    assert repr(history) == (
        "History(3 epochs: loss 0.3333, accuracy 50.0%, val_loss 0.6667, val_accuracy 25.0%, mae 3; finished)"
    )
    assert str(History(ended="interrupted")) == "History(0 epochs; interrupted)"


def test_what_fit_records_of_an_epoch():
    X, y = data.make_moons(50, rng=0)
    model = nn.MLP(2, [4, 2], rng=0)
    history = fit(model, X, y, epochs=2, batch_size=50, l2=0.01, optimizer="sgd", lr=0.25, rng=0, progress=False)
    assert history["lr"] == [0.25, 0.25]
    assert history["epoch"] == [1, 2]
    twin = nn.MLP(2, [4, 2], rng=0)
    loss, penalty = F.cross_entropy(twin(X), y), nn.l2_penalty(twin, 0.01)
    (loss + penalty).backward()
    norm = math.sqrt(sum(np.square(p.grad).sum() for p in twin.parameters()))
    assert history["loss"][0] == pytest.approx(loss.item(), rel=1e-12)
    assert history["penalty"][0] == pytest.approx(penalty.item(), rel=1e-12)
    assert history["grad_norm"][0] == pytest.approx(norm, rel=1e-12)
    assert history.settings["l2"] == 0.01
    assert history.settings["optimizer"] == "SGD"
