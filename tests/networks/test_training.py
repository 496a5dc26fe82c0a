"""fit."""

import json

import numpy as np
import pytest

from micrograd_nn import data, fit, nn, optim, training
from micrograd_nn import functional as F


@pytest.fixture(scope="module")
def moons():
    return data.make_moons(200, rng=0)


def test_the_same_seed_gives_the_same_numbers(moons):
    runs = [fit(nn.MLP(2, [8, 2], rng=1), *moons, lr=0.01, epochs=5, rng=2, progress=False) for _ in range(2)]
    assert runs[0]["loss"] == runs[1]["loss"]
    other = fit(nn.MLP(2, [8, 2], rng=1), *moons, lr=0.01, epochs=5, rng=3, progress=False)
    assert other["loss"] != runs[0]["loss"]


def test_one_full_batch_step_is_the_optimisers_step(moons):
    X, y = moons
    model, twin = nn.MLP(2, [4, 2], rng=0), nn.MLP(2, [4, 2], rng=0)
    history = fit(
        model, X, y, optimizer=optim.SGD(model.parameters(), lr=0.5), epochs=1, batch_size=200, progress=False
    )
    loss = F.cross_entropy(twin(X), y)
    loss.backward()
    assert history["loss"][0] == pytest.approx(loss.item(), rel=1e-12)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.data - 0.5 * q.grad, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "out", "labels"), [("hinge_loss", 1, lambda y: 2 * y - 1), ("cross_entropy", 2, None)]
)
def test_moons_are_learned_with_either_loss(moons, loss, out, labels):
    X, y = moons
    y = labels(y) if labels else y
    model = nn.MLP(2, [16, out], rng=0)
    history = fit(model, X, y, loss=loss, lr=0.02, epochs=40, rng=0, validation_data=(X, y), progress=False)
    assert history["val_accuracy"][-1] > 0.97
    assert history.ended == "finished"


def test_a_line_is_learned_with_the_squared_error():
    X = np.linspace(-1, 1, 50)[:, None]
    model = nn.MLP(1, [1], rng=0)
    history = fit(model, X, 3 * X - 1, loss="mse_loss", lr=0.05, epochs=200, rng=0, progress=False)
    assert model.layers[0].weight.item() == pytest.approx(3, abs=1e-3)
    assert model.layers[0].bias.item() == pytest.approx(-1, abs=1e-3)
    assert history["accuracy"] == [None] * 200


def test_lines_are_printed_where_there_is_no_terminal_and_nothing_on_request(moons, capsys):
    fit(nn.MLP(2, [2], rng=0), *moons, epochs=2, rng=0, validation_data=moons)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss ")
    assert "test accuracy" in lines[1]
    fit(nn.MLP(2, [2], rng=0), *moons, epochs=2, rng=0, progress=False)
    assert capsys.readouterr().err == ""


def test_an_interrupt_keeps_what_was_learned(moons):
    calls = []

    def loss(scores, y):
        calls.append(1)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return F.cross_entropy(scores, y)

    model = nn.MLP(2, [4, 2], rng=0)
    start = model.state_dict()
    history = fit(model, *moons, loss=loss, epochs=5, batch_size=50, progress=False)
    assert history.ended == "interrupted"
    assert len(history) == 2
    assert any(not np.array_equal(v, start[k]) for k, v in model.state_dict().items())


def test_a_loss_that_is_not_finite_ends_the_run_before_the_weights_are_lost(moons):
    X, y = moons
    model = nn.MLP(2, [8, 1], rng=0)
    sgd = optim.SGD(model.parameters(), 1e12)
    with np.errstate(all="ignore"):
        history = fit(model, X, y[:, None], loss="mse_loss", optimizer=sgd, epochs=50, progress=False)
    assert "try a lower learning rate" in history.ended
    assert len(history) < 50


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (np.ones((3, 2)), [0, 1], ValueError, "one row an example"),
        ([[1.0, np.nan]], [0], ValueError, r"X has nan at \[0, 1\]"),
        (np.zeros((0, 2)), [], ValueError, "no examples"),
        ([["a", "b"]], [0], TypeError, "takes numbers"),
        (np.ones((2, 3)), [0, 1], ValueError, "takes 2 inputs"),
        (np.ones((2, 2)), [0, 5], ValueError, "takes integer labels 0 ... 1"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused(X, y, error, message):
    with pytest.raises(error, match=message):
        fit(nn.MLP(2, [2], rng=0), X, y, progress=False)


def test_unknown_names_are_refused(moons):
    with pytest.raises(ValueError, match="'cross_entropy', 'nll_loss', 'mse_loss'"):
        fit(nn.MLP(2, [2], rng=0), *moons, loss="cross-entropy", progress=False)


def test_history_is_plain_json(moons):
    history = fit(nn.MLP(2, [2], rng=0), *moons, epochs=2, progress=False)
    back = json.loads(history.to_json())
    assert back["ended"] == "finished"
    assert [e["loss"] for e in back["epochs"]] == history["loss"]


def test_accuracy_of_one_score_is_its_sign():
    assert training.accuracy(np.array([[1.0], [-2.0]]), np.array([1, -1])) == 1.0
    assert training.accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1])) == 0.5


def test_a_measurement_has_no_accuracy():
    X = np.linspace(0, 1, 30)[:, None]
    history = fit(nn.MLP(1, [1], rng=0), X, 50 + X, loss=lambda a, b: ((a - b) ** 2).mean(), epochs=1, progress=False)
    assert history["accuracy"] == [None]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs is a whole number"),
        ({"epochs": 1.5}, ValueError, "epochs is a whole number"),
        ({"validation_data": np.ones((5, 2))}, TypeError, "a pair"),
    ],
)
def test_settings_that_make_no_sense_are_refused(moons, settings, error, message):
    with pytest.raises(error, match=message):
        fit(nn.MLP(2, [2], rng=0), *moons, progress=False, **settings)
