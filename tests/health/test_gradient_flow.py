"""The gradients that reach the activations and parameters of a network, and the verdict on them."""

import math

import numpy as np
import pytest

import micrograd_nn as mg
from micrograd_nn import functional as F
from micrograd_nn import nn, unit_health
from micrograd_nn.health import GradientFlow

rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3))
y = rng.integers(0, 4, 50)


def whole_batch(model, X, y, loss=F.cross_entropy):
    """By one backward pass what every batch size must give: the gradients of the mean loss on the parameters, and of
    each example's own loss on the activations."""
    x, activations = mg.Tensor(X), {}
    for i, layer in enumerate(model.layers):
        x = layer(x)
        activations[f"layers[{i}]"] = x
    value = loss(x, y)
    found = mg.gradients(value)
    return {name: found[a] * len(X) for name, a in list(activations.items())[:-1]} | {
        name: found[p] for name, p in model.named_parameters()
    }


@pytest.mark.parametrize("batch_size", [1, 16, 50, 500])
def test_they_are_those_of_a_single_backward_pass_whatever_the_batches(batch_size):
    model = nn.MLP(3, [6, 5, 4], ["relu", "tanh"], rng=0)
    expected = whole_batch(model, X, y)
    report = unit_health(model, X, y, batch_size=batch_size)
    assert [g.name for g in report.gradients] == list(expected)
    assert [g.kind for g in report.gradients] == ["activation"] * 2 + ["parameter"] * 6
    for flow in report.gradients:
        g = expected[flow.name]
        got = [flow.mean, flow.std, flow.norm, flow.mean_abs, flow.zeros]
        length = np.sqrt((g**2).sum(1).mean()) if flow.kind == "activation" else np.linalg.norm(g)
        np.testing.assert_allclose(
            got, [g.mean(), g.std(), length, abs(g).mean(), (g == 0).mean()], rtol=1e-9, atol=1e-15
        )
        assert flow.verdict == "ok"


def test_a_loss_by_name_or_of_ones_own():
    model = nn.MLP(3, [6, 1], "tanh", rng=0)
    target = X[:, :1] ** 2
    a = unit_health(model, X, target, "mse_loss")
    b = unit_health(model, X, target, lambda out, t: ((out - t) ** 2).mean(), batch_size=7)
    c = whole_batch(model, X, target, F.mse_loss)
    for p, q in zip(a.gradients, b.gradients, strict=True):
        assert p.norm == pytest.approx(q.norm, rel=1e-12)
        if p.kind == "parameter":
            assert p.norm == pytest.approx(np.linalg.norm(c[p.name]), rel=1e-12)


def test_the_same_examples_again_change_nothing():
    model = nn.MLP(3, [6, 5, 4], rng=0)
    once, often = (unit_health(model, np.tile(X, (k, 1)), np.tile(y, k)) for k in (1, 40))
    for p, q in zip(once.gradients, often.gradients, strict=True):
        numbers = [(g.mean, g.std, g.norm, g.mean_abs, g.zeros) for g in (p, q)]
        np.testing.assert_allclose(*numbers, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("labels", "loss", "message"),
    [
        (X[:, :1], None, "say which loss"),
        (y.astype(float), None, "say which loss"),
        (y, "cross-entropy", "loss is .*'cross_entropy'"),
        (y + 1, None, r"labels 0 \.\.\. 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, loss, message):
    with pytest.raises(ValueError, match=message):
        unit_health(nn.MLP(3, [6, 4], rng=0), X, labels, loss)


def test_a_model_that_gives_several_things_needs_a_loss_that_takes_one():
    class Two(nn.Module):
        def __init__(self):
            self.model = nn.MLP(3, [4, 2], rng=0)

        def forward(self, x):
            scores = self.model(x)
            return scores, {"shares": F.sigmoid(scores)}

    x, y = np.eye(3), np.array([0, 1, 0])
    for loss in (None, "cross_entropy"):
        with pytest.raises(TypeError, match=r"the model gives a tuple.*loss=lambda out, y: .*\(out\[0\], y\)"):
            unit_health(Two(), x, y, loss)
    found = unit_health(Two(), x, y, lambda out, y: F.cross_entropy(out[0], y)).gradients
    expected = unit_health(Two().model, x, y).gradients
    assert {g.name.removeprefix("model."): g.norm for g in found if "layers" in g.name} == {
        g.name: pytest.approx(g.norm, rel=1e-12) for g in expected
    }


def test_without_labels_there_are_none():
    assert unit_health(nn.MLP(3, [6, 4], rng=0), X).gradients == []


def test_frozen_parameters_have_no_gradient_and_are_left_out():
    model = nn.MLP(3, [6, 4], rng=0)
    model.layers[0].weight.requires_grad = False
    names = [g.name for g in unit_health(model, X, y).gradients]
    assert names == ["layers[0]", "layers[0].bias", "layers[1].weight", "layers[1].bias"]


def test_what_leads_to_no_output_gets_zeros():
    class Aside(nn.Module):
        def __init__(self):
            self.used, self.idle = nn.Layer(3, 4, "tanh", rng=0), nn.Layer(3, 2, "relu", rng=1)

        def forward(self, x):
            self.idle(x)
            return self.used(x)

    flows = {g.name: g for g in unit_health(Aside(), X, y).gradients}
    assert flows["idle"].zeros == flows["idle.weight"].zeros == 1
    assert flows["used"].zeros == 0


def test_dead_units_pass_no_gradient_on():
    model = nn.MLP(3, [8, 4], rng=0)
    model.layers[0].bias.data = np.where(np.arange(8) < 6, -100.0, 100.0)
    flows = {g.name: g for g in unit_health(model, X, y).gradients}
    assert flows["layers[0].weight"].zeros == 6 / 8
    assert flows["layers[0].bias"].zeros == 6 / 8
    assert flows["layers[0]"].zeros == 0  # the activations themselves still matter to what follows


def test_a_deep_sigmoid_network_with_small_weights_vanishes_and_says_where():
    model = nn.MLP(3, [10] * 12 + [4], "sigmoid", rng=0, scale=0.2)
    report = unit_health(model, X, y)
    flows = {g.name: g.verdict for g in report.gradients}
    assert flows["layers[0].weight"] == "vanishing"
    assert flows["layers[12].weight"] == "ok"
    (said,) = (s for s in report.findings if s.startswith("The gradient vanishes on the weight of layer 1"))
    assert "use ReLU in place of sigmoid, start from other initial weights" in said
    model = nn.MLP(3, [10] * 12 + [4], "relu", rng=0, scale=0.1)
    (said,) = (s for s in unit_health(model, X, y).findings if "vanishes" in s)
    assert "ReLU" not in said  # it has nothing else


def test_a_network_that_is_right_for_sure_has_nothing_left_to_learn():
    model = nn.MLP(3, [6, 4], rng=0)
    model.layers[1].weight.data, model.layers[1].bias.data = np.zeros((4, 6)), np.array([99.0, 0, 0, 0])
    findings = unit_health(model, X, np.zeros(50, int)).findings
    assert any("nothing left to learn" in s for s in findings)


def test_huge_weights_make_gradients_explode():
    model = nn.MLP(3, [30, 30, 1], rng=0, scale=40.0)
    report = unit_health(model, X, X[:, :1], "mse_loss")
    assert "exploding" in {g.verdict for g in report.gradients}
    assert any(s.startswith("The gradient explodes on") and "clip it" in s for s in report.findings)


@pytest.mark.parametrize(
    ("norm", "size", "verdict"),
    [
        (1.0, 1e-7, "ok"), (1.0, 0.99e-7, "vanishing"), (0.0, 0.0, "vanishing"), (1e4, 1.0, "ok"),
        (1.01e4, 1.0, "exploding"), (math.nan, math.nan, "nan or inf"), (math.inf, math.inf, "nan or inf"),
        (math.inf, 1e200, "exploding"),
    ],
)  # fmt: skip
def test_the_verdicts_are_those_of_the_field(norm, size, verdict):
    assert GradientFlow("W", "parameter", 0.0, 1.0, norm, size, 0.0).verdict == verdict


def test_a_loss_that_is_nan_is_a_verdict():
    report = unit_health(nn.MLP(3, [6, 4], rng=0), X, y, lambda out, t: F.cross_entropy(out, t) * np.nan)
    assert {g.verdict for g in report.gradients} == {"nan or inf"}
    assert "NaN or infinite" in report.findings[0]
    assert "detect_anomaly" in report.findings[0]
