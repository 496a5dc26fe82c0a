"""Penalties on the weights, dropout, and noise on the input."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, nn
from micrograd_nn import functional as F
from micrograd_nn.nn._noise import spawn


def network(**settings):
    model = nn.MLP(3, [4, 5, 2], ["prelu", "maxout"], rng=0, **settings)
    for layer in model.layers:
        layer.bias.data = np.random.default_rng(1).normal(size=layer.bias.shape)
    return model


# --- penalties -----------------------------------------------------------------------------------------------------


def test_the_gradient_of_the_l2_penalty_is_the_strength_times_the_weight():
    model = network()
    penalty = nn.l2_penalty(model, 0.3)
    assert penalty.item() == pytest.approx(0.15 * sum((layer.weight.data**2).sum() for layer in model.layers))
    penalty.backward()
    for name, p in model.named_parameters():
        if name in ("layers[0].weight", "layers[1].weight", "layers[2].weight"):
            np.testing.assert_allclose(p.grad, 0.3 * p.data, rtol=1e-15)
        else:
            assert p.grad is None, name  # biases and slopes go free


def test_the_gradient_of_the_l1_penalty_is_the_strength_times_the_sign():
    model = network()
    model.layers[0].weight.data[0] = 0.0
    penalty = nn.l1_penalty(model, 0.3)
    assert penalty.item() == pytest.approx(0.3 * sum(np.abs(layer.weight.data).sum() for layer in model.layers))
    penalty.backward()
    for layer in model.layers:
        np.testing.assert_allclose(layer.weight.grad, 0.3 * np.sign(layer.weight.data))
        assert layer.bias.grad is None


@pytest.mark.parametrize("penalty", [nn.l1_penalty, nn.l2_penalty])
def test_biases_and_slopes_take_part_on_request_and_what_is_frozen_never(penalty):
    model = network()
    penalty(model, 0.1, biases=True).backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    frozen = model.layers[0].weight
    frozen.requires_grad = False
    penalty(model, 0.1).backward()
    assert frozen.grad is None


def test_a_penalty_counts_a_shared_part_once_and_takes_numbers_too():
    class Own(nn.Module):
        def __init__(self):
            self.factor = Value(3.0)
            self.layer = nn.Layer(2, 2, init="ones")
            self.again = self.layer

    assert nn.l2_penalty(Own(), 2.0).item() == 9.0 + 4.0
    assert nn.l1_penalty(Own(), 2.0).item() == 2 * (3.0 + 4.0)
    nothing = nn.l2_penalty(nn.Dropout(), 1.0)
    assert (nothing + 1.0).item() == 1.0


@pytest.mark.parametrize("biases", [False, True])
def test_the_l2_penalty_is_weight_decay_step_for_step(biases):
    X, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2
    by_loss, by_decay = network(), network()
    weights = [p for n, p in by_decay.named_parameters() if biases or n in [f"layers[{i}].weight" for i in range(3)]]
    others = [p for p in by_decay.parameters() if not any(p is w for w in weights)]
    first = mg.optim.SGD(by_loss.parameters(), lr=0.1)
    second = [mg.optim.SGD(weights, lr=0.1, weight_decay=0.02)]
    second += [mg.optim.SGD(others, lr=0.1)] if others else []
    for _ in range(10):
        by_loss.zero_grad()
        by_decay.zero_grad()
        (F.cross_entropy(by_loss(X), y) + nn.l2_penalty(by_loss, 0.02, biases)).backward()
        F.cross_entropy(by_decay(X), y).backward()
        for optimiser in (first, *second):
            optimiser.step()
        for p, q in zip(by_loss.parameters(), by_decay.parameters(), strict=True):
            np.testing.assert_allclose(p.data, q.data, rtol=1e-12, atol=1e-14)


@given(st.floats(0.001, 0.5), st.floats(0.01, 1.0))
def test_regularisation_alone_is_gradual_forgetting(lr, strength):
    model = network()
    start = model.state_dict()
    optimiser = mg.optim.SGD(model.parameters(), lr=lr)
    for step in range(1, 6):
        model.zero_grad()
        nn.l2_penalty(model, strength).backward()
        optimiser.step()
        for name, now in model.state_dict().items():
            share = (1 - lr * strength) ** step if name.endswith("].weight") else 1.0
            np.testing.assert_allclose(now, share * start[name], rtol=1e-12)


@pytest.mark.parametrize("strength", [-0.1, math.nan, math.inf, "0.1", None, True])
def test_a_strength_is_a_number_of_at_least_0(strength):
    for penalty in (nn.l1_penalty, nn.l2_penalty):
        with pytest.raises(ValueError, match="strength is a number of at least 0"):
            penalty(network(), strength)


@pytest.mark.parametrize("penalty", [nn.l1_penalty, nn.l2_penalty])
def test_a_penalty_is_of_a_module(penalty):
    with pytest.raises(TypeError, match="takes a module, which knows what is a bias, not list"):
        penalty(network().parameters(), 0.1)


def test_a_penalty_leaves_float32_as_it_is():
    layer = nn.Layer(2, 2)
    layer.weight = Tensor(np.ones((2, 2), np.float32), requires_grad=True)
    penalty = nn.l2_penalty(layer, 0.1)
    penalty.backward()
    assert penalty.dtype == layer.weight.grad.dtype == np.float32


# --- dropout -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_dropout_zeroes_a_share_and_keeps_the_expectation(p):
    x = np.full((400, 500), 3.0)
    out = nn.Dropout(p, rng=0)(x)
    assert (out == 0).mean() == pytest.approx(p, abs=0.005)
    np.testing.assert_allclose(out[out != 0], 3.0 / (1 - p))
    assert out.mean() == pytest.approx(3.0, abs=0.04)


def test_the_gradient_goes_back_through_the_same_mask():
    x = Tensor(np.ones((50, 4)), requires_grad=True)
    out = nn.Dropout(0.5, rng=0)(x)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad, out.data)


def test_dropout_does_nothing_in_evaluation_nor_with_p_0():
    x = Tensor(np.ones((5, 4)))
    drop = nn.Dropout(0.5, rng=0)
    before = copy.deepcopy(drop.rng)
    assert drop.eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert drop.rng.random() == before.random()  # and draws nothing
    assert not nn.Dropout(1.0)(x).data.any()


def test_dropout_draws_a_new_mask_each_time_and_the_same_ones_from_the_same_seed():
    x = np.ones((10, 10))
    a, b = nn.Dropout(0.5, rng=3), nn.Dropout(0.5, rng=3)
    first, second = a(x), a(x)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(b(x), first)
    np.testing.assert_array_equal(b(x), second)


@pytest.mark.parametrize("part", [nn.Dropout(0.5, rng=0), nn.GaussianNoise(0.3, rng=0)], ids=repr)
def test_number_by_number_the_same_is_drawn_as_for_rows(part):
    X = np.random.default_rng(1).normal(size=(6, 5))
    twin = copy.deepcopy(part)
    rows = [[Value(float(v)) for v in x] for x in X]
    out = [twin(row) for row in rows]
    expected = part(X)
    np.testing.assert_allclose([[v.data for v in row] for row in out], expected)
    sum(v for row in out for v in row).backward()
    slopes = [[v.grad for v in row] for row in rows]
    np.testing.assert_array_equal(slopes, np.where(expected == 0, 0.0, 2.0) if isinstance(part, nn.Dropout) else 1.0)
    assert isinstance(part(Value(1.0)), Value)
    assert isinstance(part(1.0), float)


@pytest.mark.parametrize("part", [nn.Dropout(0.5, rng=0), nn.GaussianNoise(0.3, rng=0)], ids=repr)
def test_kind_shape_and_precision_stay(part):
    for shape in ((3,), (2, 3), (2, 3, 4)):
        assert part(np.ones(shape)).shape == shape
        assert type(part(np.ones(shape))) is np.ndarray
        assert part(Tensor(np.ones(shape, np.float32))).dtype == np.float32
        assert part(np.ones(shape, int)).dtype == np.float64
    assert part([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)


@pytest.mark.parametrize("p", [-0.1, 1.1, 50, math.nan, "0.5", None, True])
def test_a_share_is_between_0_and_1(p):
    with pytest.raises(ValueError, match="from 0 to 1"):
        nn.Dropout(p)


# --- noise ---------------------------------------------------------------------------------------------------------


def test_noise_has_the_mean_and_spread_it_says_and_is_only_for_training():
    noise = nn.GaussianNoise(0.3, rng=0)
    x = Tensor(np.ones((300, 300)), requires_grad=True)
    out = noise(x)
    drawn = out.data - 1
    assert drawn.std() == pytest.approx(0.3, rel=0.02)
    assert drawn.mean() == pytest.approx(0, abs=0.005)
    out.sum().backward()
    assert (x.grad == 1).all()
    assert noise.eval()(x) is x
    assert nn.GaussianNoise(0.0)(x) is x


@pytest.mark.parametrize("std", [-1.0, math.nan, math.inf, "1"])
def test_a_spread_is_a_number_of_at_least_0(std):
    with pytest.raises(ValueError, match="std is the standard deviation"):
        nn.GaussianNoise(std)


def test_on_a_linear_model_noise_acts_as_an_l2_penalty_on_average():
    # E[(w.(x + e) - y)^2] = (w.x - y)^2 + std^2 |w|^2 (Bishop 1995)
    w, x, std = np.array([2.0, -1.0]), np.array([0.5, 1.0]), 0.4
    noise = nn.GaussianNoise(std, rng=0)
    errors = (noise(np.tile(x, (200_000, 1))) @ w - 1.5) ** 2
    assert errors.mean() == pytest.approx((w @ x - 1.5) ** 2 + std**2 * (w @ w), rel=0.01)


# --- in a network --------------------------------------------------------------------------------------------------


def test_an_mlp_drops_after_every_hidden_layer_and_disturbs_its_input():
    model = nn.MLP(3, [4, 5, 2], rng=0, dropout=0.5, input_noise=0.1)
    assert [type(layer) for layer in model.layers] == [nn.Layer] * 3
    assert len(model.dropouts) == 2
    made = [n for n in mg.topological_order(model(np.ones((2, 3)))) if n.op is not None]
    assert {n.module for n in made} == {"layers[0]", "dropouts[0]", "layers[1]", "dropouts[1]", "layers[2]"}
    assert {n.module for n in made if n.shape == (2, 5) and n.op.name == "mul"} == {"dropouts[1]"}
    tracked = model(Tensor(np.ones((2, 3)), requires_grad=True))
    assert "noise" in {n.module for n in mg.topological_order(tracked)}
    assert model.summary().parameters == 3 * 4 + 4 + 4 * 5 + 5 + 5 * 2 + 2
    assert repr(model) == "MLP(3, [4, 5, 2], 'relu', dropout=0.5, input_noise=0.1)"


def test_randomness_in_training_changes_nothing_of_what_is_drawn_at_the_start():
    for rng in (7, np.random.default_rng(7), np.random.Generator(np.random.MT19937(7))):
        twin = copy.deepcopy(rng)
        plain, noisy = nn.MLP(3, [4, 2], rng=rng), nn.MLP(3, [4, 2], rng=twin, dropout=0.5, input_noise=0.1)
        for p, q in zip(plain.parameters(), noisy.parameters(), strict=True):
            np.testing.assert_array_equal(p.data, q.data)
        if not isinstance(rng, int):
            assert rng.random() == twin.random()
    X = np.ones((4, 3))
    np.testing.assert_array_equal(plain(X).data, noisy.eval()(X).data)


def test_masks_do_not_depend_on_whether_the_input_is_noisy():
    a, b = nn.MLP(3, [4, 2], rng=0, dropout=0.5), nn.MLP(3, [4, 2], rng=0, dropout=0.5, input_noise=0.1)
    np.testing.assert_array_equal(a.dropouts[0](np.ones(50)), b.dropouts[0](np.ones(50)))


def test_a_generator_without_a_seed_sequence_will_do():
    class Unspawnable(np.random.Generator):
        def spawn(self, n):
            raise TypeError("The underlying SeedSequence does not implement spawning.")

    a, b = (Unspawnable(np.random.PCG64(5)) for _ in range(2))
    first, again = spawn(a, 2), spawn(b, 2)
    draws = [g.random() for g in (*first, *again)]
    assert draws[:2] == draws[2:]
    assert draws[0] != draws[1]
    assert a.random() == np.random.Generator(np.random.PCG64(5)).random()


def test_generators_are_found_by_path_each_once():
    class Own(nn.Module):
        def __init__(self):
            self.drop = nn.Dropout(0.5, rng=0)
            self.same = self.drop
            self.shared = nn.GaussianNoise(0.1, self.drop.rng)
            self.rngs = [np.random.default_rng(1)]

    assert [path for path, _ in Own().named_generators()] == ["rngs[0]", "drop.rng"]
    model = nn.MLP(3, [4, 5, 2], rng=0, dropout=0.5, input_noise=0.1)
    assert [path for path, _ in model.named_generators()] == ["noise.rng", "dropouts[0].rng", "dropouts[1].rng"]
    assert len({g.random() for _, g in model.named_generators()}) == 3
    assert not list(nn.MLP(3, [4, 2]).named_generators())


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_goes_on_with_the_same_random_numbers(twin):
    model = nn.MLP(3, [4, 2], rng=0, dropout=0.5, input_noise=0.1)
    X = np.ones((4, 3))
    model(X)
    other = twin(model)
    np.testing.assert_array_equal(model(X).data, other(X).data)
    assert not {id(g) for _, g in model.named_generators()} & {id(g) for _, g in other.named_generators()}


def test_generator_states_can_be_put_back():
    model = nn.MLP(3, [4, 2], rng=0, dropout=0.5, input_noise=0.1)
    states = {path: g.bit_generator.state for path, g in model.named_generators()}
    X = np.ones((4, 3))
    first = model(X).data
    for path, generator in model.named_generators():
        generator.bit_generator.state = states[path]
    np.testing.assert_array_equal(model(X).data, first)


def test_both_paths_of_a_noisy_network_agree_on_the_same_random_numbers():
    model = nn.MLP(3, [4, 5, 2], "tanh", rng=0, dropout=0.5, input_noise=0.1)
    other = copy.deepcopy(model)
    X = np.random.default_rng(0).normal(size=(6, 3))
    rows = [[v.data for v in other(x.tolist())] for x in X]
    np.testing.assert_allclose(rows, model(X).data, atol=1e-13)


def test_layers_put_in_by_hand_still_run():
    model = nn.MLP(2, [3, 3, 1], rng=0, dropout=0.5)
    model.layers.insert(1, nn.Layer(3, 3, rng=1))
    assert model(np.ones((2, 2))).shape == (2, 1)
    model.layers = [nn.Layer(2, 1, "tanh", rng=0)]
    assert model(np.ones((2, 2))).shape == (2, 1)
    model.layers = [nn.Linear(2, 2, rng=0), nn.PReLU()]
    assert "PReLU()" in repr(model)


def test_an_ensemble_of_dropped_networks_averages_to_the_whole_one():
    # for one linear layer after the dropout the average over masks is exactly the output in evaluation
    model = nn.MLP(2, [20, 1], rng=0, dropout=0.5)
    X = np.array([[0.3, -0.7]])
    drawn = [model(X).item() for _ in range(4000)]
    model.eval()
    assert np.mean(drawn) == pytest.approx(model(X).item(), abs=4 * np.std(drawn) / math.sqrt(4000))
