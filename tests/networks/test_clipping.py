"""Gradients and weights kept within bounds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, nn
from micrograd_nn.nn.utils import clip_grad_norm_, clip_grad_value_, max_norm_

SHAPES = [(), (4,), (3, 4), (2, 3, 4)]


def params(seed, scale=1.0):
    """Tensors of several shapes and a Value, with gradients, and one without."""
    rng = np.random.default_rng(seed)
    out = [Tensor(np.zeros(s), requires_grad=True) for s in SHAPES]
    for p in out:
        p.grad = rng.normal(size=p.shape) * scale
    v, idle = Value(1.0), Tensor([1.0], requires_grad=True)
    v.grad = float(rng.normal()) * scale
    return [*out, v, idle]


def together(ps):
    return np.concatenate([np.ravel(p.grad) for p in ps if p.grad is not None])


def test_the_utilities_are_part_of_nn():
    assert mg.nn.utils.clip_grad_norm_ is clip_grad_norm_


ORDERS = st.sampled_from([2.0, 1.0, 3.0, math.inf])


@given(st.integers(0, 2**31), st.floats(0.01, 100), ORDERS)
@settings(deadline=None)
def test_the_norm_is_that_of_one_long_vector_and_clipping_keeps_its_direction(seed, max_norm, order):
    ps = params(seed)
    before = together(ps)
    length = clip_grad_norm_(ps, max_norm, order)
    assert type(length) is float
    assert length == pytest.approx(np.linalg.norm(before, order), rel=1e-12)
    after = together(ps)
    if length <= max_norm - 1e-6:
        assert np.array_equal(after, before)
    else:
        np.testing.assert_allclose(after, before * (max_norm / (length + 1e-6)), rtol=1e-12)
    assert np.linalg.norm(after, order) <= max_norm * (1 + 1e-12)
    assert ps[-1].grad is None


@given(st.integers(0, 2**31), st.floats(0.01, 100), ORDERS, st.sampled_from([1.0, math.inf, math.nan]))
@settings(deadline=None)
def test_clipping_agrees_with_pytorch(seed, bound, order, scale):
    torch = pytest.importorskip("torch")
    results = []
    with np.errstate(invalid="ignore"):
        ps = params(seed, scale)
    for p in ps[:2]:
        p.grad = np.nan_to_num(p.grad)  # only some are not finite
    for clip, other in (
        (lambda a: clip_grad_norm_(a, bound, order), lambda b: torch.nn.utils.clip_grad_norm_(b, bound, order)),
        (lambda a: clip_grad_value_(a, bound), lambda b: torch.nn.utils.clip_grad_value_(b, bound)),
    ):
        ts = [torch.zeros(np.shape(p.data), dtype=torch.float64, requires_grad=True) for p in ps]
        for p, t in zip(ps, ts, strict=True):
            t.grad = None if p.grad is None else torch.tensor(p.grad, dtype=torch.float64)
        mine, theirs = clip(ps), other(ts)
        if mine is not None:
            np.testing.assert_allclose(mine, float(theirs), rtol=1e-12)
        results.append((together(ps), np.concatenate([t.grad.numpy().ravel() for t in ts if t.grad is not None])))
        np.testing.assert_allclose(*results[-1], rtol=1e-12)


def test_a_norm_that_is_not_finite_is_returned_or_raised_on_request():
    w = Tensor([1.0, 1.0], requires_grad=True)
    w.grad = np.array([1.0, math.inf])
    with pytest.raises(RuntimeError, match="norm of the gradients is inf"):
        clip_grad_norm_([w], 1.0, error_if_nonfinite=True)
    assert w.grad.tolist() == [1.0, math.inf]
    assert clip_grad_norm_([w], 1.0) == math.inf
    assert w.grad[0] == 0.0
    assert math.isnan(w.grad[1])


def test_no_gradients_have_norm_zero():
    assert clip_grad_norm_([Value(1.0)], 1.0) == 0.0


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_an_array_that_is_somebody_elses_is_not_written_to(clip):
    own = np.array([3.0, 4.0])
    own.setflags(write=False)
    shared = np.array([[30.0, 40.0], [1.0, 1.0]])
    a, b, v = Tensor([0.0, 0.0], requires_grad=True), Tensor([0.0, 0.0], requires_grad=True), Value(0.0)
    a.grad, b.grad, v.grad = own, shared[0], -9.0
    clip([a, b, v], 0.5)
    assert own.tolist() == [3.0, 4.0]
    assert shared.tolist() == [[30.0, 40.0], [1.0, 1.0]]
    assert isinstance(a.grad, np.ndarray)
    assert type(v.grad) is float
    assert max(abs(together([a, b, v]))) <= 0.5


def test_types_stay():
    w, s = Tensor(np.ones(2, np.float32), requires_grad=True), Tensor(1.0, requires_grad=True)
    w.grad, s.grad = np.array([3, 4], np.float32), np.array(5.0)
    for clip in (clip_grad_norm_, clip_grad_value_):
        clip([w, s], 0.1)
        assert w.grad.dtype == np.float32
        assert isinstance(s.grad, np.ndarray)
        assert s.grad.shape == ()


def test_one_parameter_or_a_module_will_do():
    w = Value(0.0)
    w.grad = 5.0
    assert clip_grad_norm_(w, 1.0) == 5.0
    model = nn.MLP(2, [3, 1], rng=0)
    model(np.ones((4, 2))).sum().backward()
    length = clip_grad_norm_(model, 1e-3)
    assert length == pytest.approx(clip_grad_norm_(model.parameters(), 1.0) * length / 1e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: clip_grad_norm_([Value(1.0)], 0.0), ValueError, "max_norm is a number above 0"),
        (lambda: clip_grad_norm_([Value(1.0)], math.nan), ValueError, "max_norm"),
        (lambda: clip_grad_value_([Value(1.0)], -1), ValueError, "clip_value is a number above 0"),
        (lambda: clip_grad_value_([np.ones(2)], 1), TypeError, r"model.parameters\(\)"),
        (lambda: clip_grad_norm_(3, 1), TypeError, "3 is none"),
        (lambda: max_norm_(nn.MLP(2, [1]), None), ValueError, "max_value is a number above 0"),
        (lambda: max_norm_("model", 1), TypeError, "parameters are wanted"),
    ],
)
def test_wrong_settings_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- max-norm ---------------------------------------------------------------------------------------------------------


def kinds(seed):
    return {
        "mlp": nn.MLP(4, [5, 3], rng=seed),
        "prelu": nn.MLP(4, [5, 3], "prelu", rng=seed),
        "maxout": nn.Maxout(4, 3, k=3, rng=seed),
        "neuron": nn.Neuron(4, rng=seed),
    }


@pytest.mark.parametrize("kind", kinds(0))
@given(st.integers(0, 2**31), st.floats(0.05, 5))
@settings(max_examples=30, deadline=None)
def test_long_rows_are_cut_to_the_length_and_all_else_stays(kind, seed, length):
    model = kinds(seed)[kind]
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data = rng.normal(size=p.shape)
    before = model.state_dict()
    max_norm_(model, length)
    for name, after in model.state_dict().items():
        if name.endswith(("act.weight", "slope", "bias")):
            assert np.array_equal(after, before[name])
            continue
        lengths = np.linalg.norm(before[name], axis=-1, keepdims=True)
        np.testing.assert_allclose(after, before[name] * np.minimum(1, length / lengths), rtol=1e-12)
        short = lengths[..., 0] <= length
        assert np.array_equal(after[short], before[name][short])


def test_a_unit_of_a_network_is_bounded_by_the_edges_into_it():
    net = nn.Network(rng=0)
    for name in ("a", "b"):
        net.input(name)
    net.unit("long", "relu", bias=7.0)
    net.unit("short", "maxout", pieces=2)
    net.connect("a", "short", [0.3, 5.0])
    net.connect("a", "long", 3.0)
    net.connect("b", "short", [0.4, 12.0])
    net.connect("b", "long", 4.0)
    max_norm_(net, 1.0)
    assert net.weight_of("a", "long") == pytest.approx(0.6)
    assert net.weight_of("b", "long") == pytest.approx(0.8)
    assert net.weight_of("a", "short") == pytest.approx([0.3, 5 / 13])
    assert net.weight_of("b", "short") == pytest.approx([0.4, 12 / 13])
    assert 7.0 in net.bias.data


def test_a_list_of_parameters_goes_by_axes():
    weight, bias, number = Tensor([[3.0, 4.0]], True), Tensor([3.0, 4.0], True), Value(9.0)
    max_norm_([weight, bias, number], 1.0)
    np.testing.assert_allclose(weight.data, [[0.6, 0.8]])
    assert bias.data.tolist() == [3.0, 4.0]
    assert number.data == 9.0


def test_a_frozen_layer_is_left_alone():
    layer = nn.Layer(2, 2, rng=0)
    layer.weight.data = np.full((2, 2), 5.0)
    layer.weight.requires_grad = False
    max_norm_(layer, 1.0)
    assert (layer.weight.data == 5.0).all()


def test_the_graph_is_told_of_weights_that_changed_and_only_of_those():
    layer = nn.Layer(2, 1, "identity", rng=0)
    layer.weight.data = [[3.0, 4.0]]
    loss = layer(np.ones((1, 2))).sum()
    max_norm_(layer, 5.0)
    loss.backward()
    loss = layer(np.ones((1, 2))).sum()
    max_norm_(layer, 1.0)
    with pytest.raises(RuntimeError, match="new value"):
        loss.backward()


def test_float32_weights_stay_float32():
    w = Tensor(np.full((2, 3), 5, np.float32), requires_grad=True)
    max_norm_([w], 1.0)
    assert w.data.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(w.data, axis=1), 1, rtol=1e-6)
