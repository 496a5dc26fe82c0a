"""What the course's notes claim, and what our runs say of it: docs/claims.md has the figures."""

import math

import experiments
import numpy as np
import pytest

from micrograd_nn import nn


def mean(rows, what):
    return np.mean([row[what] for row in rows])


# --- quick ones ------------------------------------------------------------------------------------------------------


def test_positive_inputs_give_weight_gradients_of_one_sign_for_one_example():
    assert all(len(set(np.sign(experiments.zigzag(1, seed)))) == 1 for seed in range(200))


def test_and_of_both_signs_for_many_a_batch():
    mixed = np.mean([len(set(np.sign(experiments.zigzag(50, seed)))) == 2 for seed in range(200)])
    assert 0.3 < mixed < 0.7  # the signs can differ, and about every second time they do


def test_regularisation_alone_is_gradual_forgetting():
    lengths = experiments.forgetting(strength=0.5, lr=0.1, steps=50)
    np.testing.assert_allclose(lengths[1:] / lengths[:-1], 1 - 0.1 * 0.5, rtol=1e-12)


def test_a_sum_of_bumps_approximates_a_function_as_closely_as_one_likes():
    errors = {n: experiments.bump_error(experiments.wave, 0.0, 2.0, n) for n in (10, 20, 40, 80)}
    slope = 3 + 0.5 * 7  # no steeper than that
    for n, error in errors.items():
        step = 2.0 / n
        assert error < slope * step / math.sqrt(12)  # a step against a slope is off by at most half its width
    assert errors[80] < 0.02
    assert errors[80] < errors[40] / 1.8 < errors[20] / 1.8**2 < errors[10] / 1.8**3


def test_without_activations_layers_collapse_into_one_matrix():
    model = nn.MLP(3, [5, 4, 2], "identity", rng=0)
    x = np.random.default_rng(0).normal(size=(7, 3))
    W = model.layers[2].weight.data @ model.layers[1].weight.data @ model.layers[0].weight.data
    np.testing.assert_allclose(model(x).data, x @ W.T, atol=1e-12)


@pytest.mark.parametrize(
    ("n_in", "sizes", "units", "weights", "biases"), [(3, [4, 2], 6, 20, 6), (3, [4, 4, 1], 9, 32, 9)]
)
def test_the_notes_networks_have_the_sizes_they_say(n_in, sizes, units, weights, biases):
    summary = nn.MLP(n_in, sizes).summary()
    assert (summary.units, summary.weights, summary.biases) == (units, weights, biases)
    assert f"a {len(sizes)}-layer network" in str(summary)  # the input is not counted


def test_micrograds_moons_network_has_337_parameters():
    assert nn.MLP(2, [16, 16, 1]).summary().parameters == 337


def test_the_notes_image_network_has_its_shapes():
    model = nn.MLP(32 * 32 * 3, [100, 10])
    assert [layer.weight.shape for layer in model.layers] == [(100, 3072), (10, 100)]


# --- trained ones ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_too_high_rate_kills_relu_units_and_a_sane_one_does_not():
    high = experiments.every(experiments.dying, 3, lr=1.0, activation="relu")
    sane = experiments.every(experiments.dying, 3, lr=0.3, activation="relu")
    assert all(row["dead"] >= 0.3 for row in high)
    assert all(row["dead"] < 0.05 for row in sane)
    assert mean(sane, "test_accuracy") > 0.9 > mean(high, "test_accuracy")


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["leaky_relu", "maxout"])
@pytest.mark.parametrize("lr", [0.3, 1.0])
def test_leaky_relu_and_maxout_end_with_no_dead_unit_at_either_rate(activation, lr):
    assert all(row["dead"] == 0 for row in experiments.every(experiments.dying, 3, lr=lr, activation=activation))


@pytest.mark.slow
def test_large_initial_weights_saturate_sigmoids_and_slow_them_down():
    sane = experiments.every(experiments.saturating, 3, scale=1.0)
    large = experiments.every(experiments.saturating, 3, scale=200.0)
    assert all(row["saturated_units"] == 0 for row in sane)
    assert all(row["saturated_units"] > 0.5 for row in large)
    assert mean(large, "loss") > 1.3 * mean(sane, "loss")
    assert mean(large, "test_accuracy") < mean(sane, "test_accuracy") - 0.05


@pytest.mark.slow
def test_more_units_fit_more_and_regularisation_draws_smoother_regions():
    rows = {(hidden, strength): row for hidden, strength, *row in experiments.sizes_and_strengths()}
    train, test, loss = ({k: row[i] for k, row in rows.items()} for i in (0, 2, 4))
    assert train[3, 0.0] < train[6, 0.0] < train[20, 0.0]
    assert train[20, 0.0] > 0.99  # all but every point is fitted
    assert test[20, 0.0] < test[3, 0.0]  # and that does not generalise
    assert train[20, 0.0] > train[20, 0.001] > train[20, 0.01] > train[20, 0.1]
    assert test[20, 0.001] > max(test[3, 0.0], test[6, 0.0], test[20, 0.0])  # rather than a small network
    assert loss[20, 0.001] < 0.7 * min(loss[3, 0.0], loss[6, 0.0])
    assert test[20, 0.1] < test[20, 0.01]  # too much of it


@pytest.mark.slow
def test_small_networks_end_at_many_losses_and_large_ones_at_few():
    spread = {hidden: std for hidden, _, std, _, _ in experiments.spreads()}
    assert spread[3] > 10 * spread[20]


@pytest.mark.slow
def test_relu_needs_fewer_steps_than_tanh_and_tanh_fewer_than_sigmoid():
    steps = {activation: np.array(row) for activation, *row in experiments.races()}
    assert (steps["relu"] < steps["tanh"]).all()  # at every rate, though not six times fewer
    assert (steps["tanh"] < steps["sigmoid"]).all()
