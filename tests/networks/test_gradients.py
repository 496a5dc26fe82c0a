"""Every module, on arrays and number by number: the gradients of all its parameters against differences."""

import copy
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_network import KINDS, networks
from test_units import KINDS as UNITS
from test_units import Swish

from micrograd_nn import functional as F
from micrograd_nn import gradients, nn
from micrograd_nn.checking import gradcheck

few = settings(max_examples=6, deadline=None, derandomize=True)


def somewhere(model, seed=0):
    """The model with parameters of no special values: biases and slopes that differ, too."""
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data = rng.normal(size=p.shape)
    return model


def drawn(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("kind", nn.ACTIVATIONS)
def test_a_layer_of_every_activation(kind):
    layer = somewhere(nn.Layer(2, 3, kind))
    report = gradcheck(layer, drawn(4, 2), order=2)
    assert {r.input for r in report.rows} == {"x", *(name for name, _ in layer.named_parameters())}
    assert report.coordinates == layer.summary().parameters + 8
    gradcheck(layer, drawn(2).tolist())


@pytest.mark.parametrize("k", [1, 2, 5])
def test_maxout_of_any_number_of_pieces(k):
    layer = somewhere(nn.Maxout(2, 2, k))
    gradcheck(layer, drawn(3, 2), order=2)
    gradcheck(layer, drawn(2).tolist())


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.PReLU(), (5, 3)), (nn.PReLU(3), (5, 3)), (nn.Linear(3, 2), (2, 4, 3)), (nn.Neuron(3, "tanh"), (5, 3)),
        (nn.Sequential(nn.Linear(3, 4), F.softmax, nn.PReLU(4), nn.Maxout(4, 2)), (5, 3)),
        (nn.Layer(3, 2, Swish()), (5, 3)), (nn.MLP(3, [4, 2], nn.PReLU()), (5, 3)),
    ],
    ids=lambda x: repr(x) if isinstance(x, nn.Module) else "",
)  # fmt: skip
def test_every_other_module(module, shape):
    gradcheck(somewhere(copy.deepcopy(module)), drawn(*shape), order=2)


@few
@given(
    st.integers(1, 4), st.lists(st.tuples(st.integers(1, 4), st.sampled_from(UNITS)), max_size=3),
    st.integers(1, 3), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_any_mixture_of_units(n_in, hidden, n_out, seed):
    model = somewhere(nn.MLP(n_in, [*(n for n, _ in hidden), n_out], [kind for _, kind in hidden]), seed)
    gradcheck(model, drawn(3, n_in, seed=seed))
    gradcheck(model, drawn(n_in, seed=seed).tolist())


@settings(few, max_examples=4)
@given(networks(KINDS))
def test_any_wiring(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of units that no chosen output needs
        gradcheck(net, drawn(3, len(net.inputs)))
        gradcheck(net, drawn(len(net.inputs)).tolist())


@settings(few, max_examples=4)
@given(networks(["tanh", "sigmoid", "softplus", F.sin, "identity"]))
def test_second_derivatives_of_any_wiring(net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        gradcheck(lambda net, X: F.sum(F.sin(net(X))), net, drawn(3, len(net.inputs)), order=2)


@pytest.mark.parametrize("part", [nn.Dropout(0.5, rng=0), nn.GaussianNoise(0.3, rng=0)], ids=repr)
def test_what_is_drawn_at_random_is_drawn_again_for_a_check(part):
    gradcheck(lambda X: copy.deepcopy(part)(X), drawn(5, 3))
    report = gradcheck(part, drawn(5, 3), raise_on_error=False)
    assert not report
    assert "not deterministic" in report.problems[0]
    assert gradcheck(copy.deepcopy(part).eval(), drawn(5, 3))


@pytest.mark.parametrize("penalty", [nn.l1_penalty, nn.l2_penalty])
def test_penalties(penalty):
    model = somewhere(nn.MLP(3, [4, 2], ["prelu"]))
    assert gradcheck(lambda model: penalty(model, 0.3, biases=True), model).checked == 3 * 4 + 4 + 4 + 4 * 2 + 2


@pytest.mark.parametrize("loss", [F.cross_entropy, F.multi_margin_loss])
def test_a_network_with_its_loss(loss):
    model, labels = nn.MLP(2, [8, 8, 3], "tanh", rng=0), np.arange(10) % 3
    gradcheck(lambda model, X: loss(model(X), labels), model, drawn(10, 2))


def test_a_penalty_on_the_slope_of_a_network():
    def steepness(model, X):
        slope = gradients(F.sum(model(X)), create_graph=True)[X]
        return F.mean(F.sum(slope * slope, 1))

    gradcheck(steepness, nn.MLP(2, [4, 1], "tanh", rng=0), drawn(3, 2), order=2)
