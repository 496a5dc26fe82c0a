"""Module: what it is made of, saving and loading, and its summary."""

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from micrograd_nn import Tensor, Value, nn


class Shared(nn.Module):
    """Two uses of one layer, a parameter of its own, and things that are no parameters."""

    def __init__(self):
        self.layer = nn.Layer(2, 2, rng=0)
        self.again = self.layer
        self.parts = {"a": nn.Layer(2, 1, rng=1)}
        self.scale = Value(2.0)
        self.fixed = Tensor([1.0])
        self.name = "shared"

    def forward(self, x):
        return self.parts["a"](self.again(self.layer(x))) * self.scale


def test_parameters_are_found_once_each_by_path():
    names = [name for name, _ in Shared().named_parameters()]
    assert names == ["scale", "layer.weight", "layer.bias", "parts['a'].weight", "parts['a'].bias"]


def test_a_modules_own_forward_is_recorded_with_its_paths():
    out = Shared()(np.ones((3, 2)))
    assert out.module == ""
    assert out.parents[0].module == "parts['a']"


def test_state_goes_out_and_in_again():
    a, b = nn.MLP(3, [4, 2], rng=0), nn.MLP(3, [4, 2], rng=1)
    b.load_state_dict(a.state_dict())
    x = np.ones((1, 3))
    assert np.array_equal(a(x).data, b(x).data)
    a.layers[0].weight.data[...] = 0
    assert not np.array_equal(a(x).data, b(x).data)  # a copy, not a view


def test_a_state_that_does_not_fit_is_refused_whole_and_reported_whole():
    model = nn.MLP(3, [4, 2], rng=0)
    before = model.state_dict()
    state = model.state_dict()
    state["layers[0].weight"] = np.zeros((3, 4))
    state["extra"] = state.pop("layers[1].bias")
    with pytest.raises(ValueError, match="left as it was") as error:
        model.load_state_dict(state)
    text = str(error.value)
    assert "missing: layers[1].bias" in text
    assert "unexpected: extra" in text
    assert "layers[0].weight (needs (4, 3), got (3, 4))" in text
    assert all(np.array_equal(v, before[k]) for k, v in model.state_dict().items())


def test_a_state_is_a_dict():
    with pytest.raises(TypeError, match=r"as state_dict\(\) gives it, not Linear"):
        nn.Linear(1, 1).load_state_dict(nn.Linear(1, 1))


def test_a_value_parameter_is_saved_and_loaded():
    a, b = Shared(), Shared()
    a.scale.data = 5.0
    b.load_state_dict(a.state_dict())
    assert b.scale.data == 5.0
    assert type(b.scale.data) is float


@pytest.mark.parametrize(
    ("n_in", "sizes", "units", "weights", "biases"),
    [(3, [4, 2], 6, 20, 6), (3, [4, 4, 1], 9, 32, 9), (2, [16, 16, 1], 33, 304, 33)],
)
def test_the_summary_counts_as_the_notes_do(n_in, sizes, units, weights, biases):
    s = nn.MLP(n_in, sizes).summary()
    assert (s.units, s.weights, s.biases, s.parameters) == (units, weights, biases, weights + biases)
    last = str(s).splitlines()[-1].split()
    assert last == ["total", *(str(n) for n in (units, weights, biases, weights + biases))]
    assert f"{len(sizes)}-layer network" in str(s)


def test_a_summary_calls_a_layer_only_what_has_units():
    class Own(nn.Module):
        def __init__(self):
            self.W1, self.b = Tensor(np.zeros((2, 3)), requires_grad=True), Value(0.0)

    assert str(Own().summary()).splitlines()[0] == "Own()"
    assert Own().summary().parameters == 7
    assert str(nn.Module().summary()).splitlines()[0] == "Module(): no parameters"
    assert "a 1-layer network" in str(nn.Sequential(nn.Linear(2, 2), nn.PReLU()).summary())


def test_train_and_eval_reach_every_part():
    model = Shared()
    model.eval()
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())


def test_zero_grad_forgets_every_gradient():
    model = Shared()
    model(np.ones((3, 2))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_a_network_of_its_own(twin):
    model = nn.MLP(2, [3, 1], rng=0)
    model([1.0, 2.0])
    other = twin(model)
    other.layers[0].weight.data += 1
    assert not np.array_equal(model.layers[0].weight.data, other.layers[0].weight.data)
    assert other([1.0, 2.0]).item() == pytest.approx(other(np.array([1.0, 2.0])).item())


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="has no forward"):
        nn.Module()(1.0)


def test_zero_grad_forgets_the_gradient_of_what_was_frozen_since():
    layer = nn.Linear(2, 1, rng=0)
    layer(np.ones((3, 2))).sum().backward()
    layer.weight.requires_grad = False
    layer.zero_grad()
    assert layer.weight.grad is None


@pytest.mark.parametrize("path", ["all at once", "number by number"])
def test_threads_may_call_one_module_from_the_start(path):
    def network():
        net = nn.Network(rng=0)
        names = [net.input(f"x{i}") for i in range(3)]
        for i in range(30):
            names.append(net.unit(f"u{i}", ["tanh", "prelu", "maxout"][i % 3], names[-4:]))
        net.outputs = names[-1:]
        return net

    x = np.ones((4, 3)) if path == "all at once" else [1.0, 2.0, 3.0]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for make in (network, lambda: nn.MLP(3, [4, 4, 4, 1], rng=0)) * 8:
                module = make()
                outs = list(pool.map(module, [x] * 16))
                assert len({out.numpy().tobytes() for out in outs}) == 1
    finally:
        sys.setswitchinterval(interval)


def test_what_is_frozen_is_saved_and_counted_and_not_stepped():
    model = nn.MLP(3, [4, 2], rng=0)
    model.layers[0].weight.requires_grad = False
    assert "layers[0].weight" in model.state_dict()
    assert model.summary().parameters == 26
    assert len(model.parameters()) == 3
    nn.MLP(3, [4, 2]).load_state_dict(model.state_dict())


def test_a_neuron_of_a_layer_says_where_its_parameters_are():
    neuron = nn.Layer(3, 2, rng=0).neurons[1]
    with pytest.raises(TypeError, match=r"row 1 of the layer's weight"):
        neuron.parameters()
    assert neuron.summary().parameters == 4
