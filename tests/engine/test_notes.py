"""The code of the course notes, with our nodes in the place of its arrays."""

import math

import numpy as np
import pytest

from micrograd_nn import Tensor, Value
from micrograd_nn.checking import gradcheck, numerical_gradient

rng = np.random.default_rng(7)
SIZES = [(4, 3), (4, 1), (4, 4), (4, 1), (1, 4), (1, 1)]
PARAMETERS = [rng.normal(size=s) for s in SIZES]


def f(x):
    return 1.0 / (1.0 + np.exp(-x))


def forward_pass(x, W1, b1, W2, b2, W3, b3):
    h1 = f(np.dot(W1, x) + b1)
    h2 = f(np.dot(W2, h1) + b2)
    return np.dot(W3, h2) + b3


@pytest.mark.parametrize("columns", [1, 5])
def test_the_forward_pass_and_its_gradients(columns):
    x = rng.normal(size=(3, columns))
    out = forward_pass(Tensor(x), *(Tensor(p, requires_grad=True) for p in PARAMETERS))
    np.testing.assert_allclose(out.data, forward_pass(x, *PARAMETERS), rtol=1e-14)
    assert out.shape == (1, columns)
    gradcheck(forward_pass, x, *PARAMETERS)
    gradcheck(lambda *p: forward_pass(x, *p), *PARAMETERS, order=2)


def test_the_network_has_41_parameters():
    assert sum(p.size for p in PARAMETERS) == 41


class Neuron:
    """The notes' class, its sigmoid written with `exp`."""

    def __init__(self, weights, bias, exp):
        self.weights, self.bias, self.exp = weights, bias, exp

    def forward(self, inputs):
        cell_body_sum = np.sum(inputs * self.weights) + self.bias
        return 1.0 / (1.0 + self.exp(-cell_body_sum))


WEIGHTS, BIAS, INPUTS = np.array([0.5, -1.0, 2.0]), 0.25, np.array([1.0, 2.0, -0.5])


def test_the_neuron_with_a_tensor():
    weights, bias = Tensor(WEIGHTS, requires_grad=True), Tensor(BIAS, requires_grad=True)
    rate = Neuron(weights, bias, np.exp).forward(INPUTS)
    assert rate.item() == pytest.approx(Neuron(WEIGHTS, BIAS, math.exp).forward(INPUTS), rel=1e-15)
    rate.backward()
    expected = numerical_gradient(lambda w: Neuron(w, BIAS, math.exp).forward(INPUTS), WEIGHTS)
    np.testing.assert_allclose(weights.grad, expected, rtol=1e-10)
    gradcheck(lambda w, b: Neuron(w, b, np.exp).forward(INPUTS), WEIGHTS, BIAS, order=2)
    assert bias.grad == pytest.approx(rate.item() * (1 - rate.item()), rel=1e-14)


def test_the_neuron_with_values():
    weights, bias = [Value(w) for w in WEIGHTS], Value(BIAS)
    rate = Neuron(np.stack(weights), bias, np.exp).forward(INPUTS)
    rate.backward()
    s = rate.item()
    assert [w.grad for w in weights] == pytest.approx([s * (1 - s) * x for x in INPUTS], rel=1e-14)
    assert bias.grad == pytest.approx(s * (1 - s), rel=1e-14)


@pytest.mark.parametrize("weights", [Tensor(WEIGHTS, requires_grad=True), Value(0.5)], ids=["Tensor", "Value"])
def test_math_exp_says_to_write_np_exp(weights):
    with pytest.raises(TypeError, match=r"np\.exp") as error:
        Neuron(weights, BIAS, math.exp).forward(INPUTS if isinstance(weights, Tensor) else 2.0)
    assert "gradient would be lost" in str(error.value)


def test_a_row_of_layers_without_activation_collapses():
    x, A, B = (Tensor(rng.normal(size=s), requires_grad=True) for s in ((3, 2), (4, 3), (2, 4)))
    np.testing.assert_allclose((B @ (A @ x)).data, ((B @ A) @ x).data, rtol=1e-13)
