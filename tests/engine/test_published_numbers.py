"""Numbers that others have published, or that theory gives."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, grad, gradients
from micrograd_nn import functional as F

MOONS = json.loads((Path(__file__).parents[1] / "data" / "moons.json").read_text())
STEPS = 100


def test_the_front_page_example():
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert [round(x, 4) for x in (g.data, a.grad, b.grad)] == [24.7041, 138.8338, 645.5773]


def layers(parameters):
    """(weights, biases) a layer, out of the flat list: each neuron's weights, then its bias."""
    found, place = [], 0
    for n_in, n_out in ((2, 16), (16, 16), (16, 1)):
        rows = [parameters[place + i * (n_in + 1) : place + (i + 1) * (n_in + 1)] for i in range(n_out)]
        found.append(([row[:-1] for row in rows], [row[-1] for row in rows]))
        place += n_out * (n_in + 1)
    assert place == len(parameters) == 337
    return found


def rate(k):
    return 1.0 - 0.9 * k / STEPS


@pytest.mark.slow
def test_moons_number_by_number():
    parameters = [Value(p) for p in MOONS["init_params"]]
    network = layers(parameters)
    for k in range(STEPS):
        scores = []
        for point in MOONS["X"]:
            h = point
            for i, (weight, bias) in enumerate(network):
                h = [sum((w * x for w, x in zip(row, h, strict=True)), b) for row, b in zip(weight, bias, strict=True)]
                h = [z.relu() for z in h] if i < 2 else h
            scores.append(h[0])
        losses = [(1 + -y * s).relu() for y, s in zip(MOONS["y"], scores, strict=True)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in parameters)
        assert loss.data == pytest.approx(MOONS["rerun_losses"][k], rel=1e-12)
        accuracy = sum((s > 0) == (y > 0) for y, s in zip(MOONS["y"], scores, strict=True)) / len(scores)
        assert accuracy * 100 == pytest.approx(MOONS["notebook_accuracy"][k])
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= rate(k) * p.grad


def test_moons_array_by_array():
    network = [
        (Tensor(weight, requires_grad=True), Tensor(bias, requires_grad=True))
        for weight, bias in layers(MOONS["init_params"])
    ]
    parameters = [p for layer in network for p in layer]
    points, labels = np.array(MOONS["X"]), np.array(MOONS["y"])
    for k in range(STEPS):
        h = points
        for i, (weight, bias) in enumerate(network):
            h = h @ weight.T + bias
            h = h.relu() if i < 2 else h
        loss = F.hinge_loss(h, labels) + 1e-4 * sum((p * p).sum() for p in parameters)
        assert loss.item() == pytest.approx(MOONS["rerun_losses"][k], rel=1e-9)
        for p in parameters:
            p.grad = None
        loss.backward()
        for p in parameters:
            p.data -= rate(k) * p.grad


def test_the_third_derivative_of_x_cubed_times_exp():
    third = grad(grad(grad(lambda x: x**3 * np.exp(x))))
    for x in (-1.5, 0.0, 0.7, 2.0):
        assert third(x) == pytest.approx((x**3 + 9 * x**2 + 18 * x + 6) * math.exp(x), rel=1e-12)


@pytest.mark.parametrize("one", [Value(1.0), Tensor(1.0, requires_grad=True)], ids=["Value", "Tensor"])
def test_sixty_doublings(one):
    x = one
    for _ in range(60):
        x = x + x
    assert x.item() == 2**60
    assert gradients(x)[one] == 2**60
    x.backward()
    assert one.grad == 2**60


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: x**x, lambda x: x**x * (math.log(x) + 1)),
        (lambda x: 2**x, lambda x: 2**x * math.log(2)),
        (lambda x: np.tanh(np.sin(x)), lambda x: math.cos(x) / math.cosh(math.sin(x)) ** 2),
        (lambda x: 1 / (1 + np.exp(-x)), lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
        (lambda x: np.log(x) / np.sqrt(x), lambda x: (2 - math.log(x)) / (2 * x**1.5)),
        (lambda x: np.arctan(x) * np.arcsin(x / 2),
         lambda x: math.asin(x / 2) / (1 + x * x) + math.atan(x) / math.sqrt(4 - x * x)),
    ],
)  # fmt: skip
def test_derivatives_from_a_book(f, slope):
    for x in (0.3, 1.1, 1.9):
        assert grad(f)(x) == pytest.approx(slope(x), rel=1e-12)
