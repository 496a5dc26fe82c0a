"""The checks of the exercises of tutorial 6."""

import exercise_06 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled, number

import micrograd_nn as mg

pytestmark = [pytest.mark.tutorial_6, pytest.mark.exercise]


def _model(seed):
    """A network with weights and biases drawn at random."""
    rng = np.random.default_rng(seed)
    model = mg.nn.MLP(2, rng.integers(2, 6, 3).tolist(), rng=rng)
    for layer in model.layers:
        layer.bias.data = rng.normal(size=layer.bias.shape)
    return model


def test_1_the_penalty_is_strength_times_half_the_sum_of_squares():
    for seed, strength in ((61, 0.1), (62, 2.0), (63, 0.37)):
        model = _model(seed)
        weights = np.concatenate([layer.weight.data.ravel() for layer in model.layers])
        found = number(yours.l2_penalty(model, strength), "l2_penalty(model, strength)")
        if not np.array_equal(weights, np.concatenate([layer.weight.data.ravel() for layer in model.layers])):
            fail("l2_penalty has changed the weights of the model. It should only calculate with them.")
        biases = np.concatenate([layer.bias.data for layer in model.layers])
        right = strength * np.sum(weights**2) / 2
        usual = {
            2 * right: "the half is missing: with it the derivative of ½·w² is w, without it 2·w.",
            right + strength * np.sum(biases**2) / 2: "you have penalised the biases too. They only say where a unit "
            "stands, and make nothing steep: leave them out.",
            right / strength: "the strength is missing as a factor.",
            strength * np.sqrt(np.sum(weights**2)): "you have taken the square root of the sum. L2 leaves the squares.",
            strength * np.sum(np.abs(weights)): "you have added up the sizes |w|. That is L1; L2 adds up the squares.",
            strength * np.sum(model.layers[0].weight.data ** 2) / 2: "you have counted the first layer only.",
            strength * np.mean(weights**2) / 2: "you have taken the mean of the squares in place of their sum.",
        }
        for wrong, words in usual.items():
            if np.isclose(found, wrong) and not np.isclose(found, right):
                fail(f"{words}\n  yours:    {found:.6g}\n  expected: {right:.6g}")
        close(found, right, f"this is not {strength} · ½ · the sum of the squared weights.")


def test_1_its_gradient_reaches_the_weights():
    model, strength = _model(64), 0.3
    penalty = filled(yours.l2_penalty(model, strength), "l2_penalty(model, strength)")
    if not isinstance(penalty, mg.Tensor):
        fail(f"your penalty is {type(penalty).__name__}, a plain number that remembers nothing: calculate with the "
             "Tensors layer.weight, and not with their .data.")  # fmt: skip
    number(penalty, "l2_penalty(model, strength)")
    model.zero_grad()
    penalty.backward()
    for i, layer in enumerate(model.layers):
        if layer.weight.grad is None:
            fail(f"no gradient reaches the weights of layers[{i}]: calculate with the Tensor itself, not its .data.")
        wanted = strength * layer.weight.data
        close(layer.weight.grad, wanted, f"the gradient of the weights of layers[{i}] should be strength · w.")
        if layer.bias.grad is not None and np.any(layer.bias.grad):
            fail(f"a gradient reaches the bias of layers[{i}]: biases are not penalised.")


def test_2_dropout_takes_away_the_share_p_and_keeps_the_mean():
    for seed, p in ((65, 0.2), (66, 0.7)):
        a = np.random.default_rng(seed).uniform(1.0, 2.0, (100, 80))
        found = array(yours.dropout(a.copy(), p, np.random.default_rng(seed)), a.shape, "dropout(a, p, rng)")
        gone = float(np.mean(found == 0))
        told = f"with p = {p}, {gone:.0%} of the entries became 0"
        if abs(gone - (1 - p)) < 0.03:
            fail(f"{told}: p is the probability to be dropped, and yours is that to stay.")
        if gone in (0.0, 1.0):
            fail(f"{told}: each entry needs a draw of its own, rng.random(a.shape), compared with p.")
        for axis, lines in enumerate(("columns", "rows")):
            if np.all((found == 0).all(axis=axis) | (found != 0).all(axis=axis)):
                fail(f"{told}, but in whole {lines}: draw for every entry, rng.random(a.shape).")
        if abs(gone - p) > 0.03:
            fail(f"{told}, and it should be about {p:.0%}.")
        factor = found[found != 0] / a[found != 0]
        if np.allclose(factor, 1):
            fail(f"the entries that stay are as they were, so the mean falls to {1 - p:.0%} of what it was: multiply "
                 "them by 1 / (1 − p).")  # fmt: skip
        if np.allclose(factor, 1 - p):
            fail("you have multiplied what stays by 1 − p; divide by it, so that what stays makes up for what is gone.")
        if np.allclose(factor, 1 / p):
            fail("you have divided by p. The share that stays is 1 − p: divide by that.")
        close(factor, 1 / (1 - p), "the entries that stay should be multiplied by 1 / (1 − p). By what they were:")
    close(yours.dropout(a, 0.0, np.random.default_rng(0)), a, "with p = 0 nothing should change.")


def test_2_dropout_draws_anew_and_leaves_its_input_alone():
    rng, a = np.random.default_rng(67), np.linspace(1.0, 2.0, 60).reshape(3, 20)
    first = array(yours.dropout(a, 0.5, rng), a.shape, "dropout(a, p, rng)")
    if not np.array_equal(a, np.linspace(1.0, 2.0, 60).reshape(3, 20)):
        fail("dropout has changed the array it was given: the same activations may be needed again. Make a new one.")
    if np.array_equal(first, yours.dropout(a, 0.5, rng)):
        fail("two calls with one generator dropped the same entries: draw from the `rng` that was given, each time.")
    again = yours.dropout(a, 0.5, np.random.default_rng(67))
    if not np.array_equal(first, again):
        fail("the same seed dropped other entries: draw from the `rng` that was given, and from nothing else.")


def test_3_the_smallest_number_of_tries_that_is_enough():
    rng = np.random.default_rng(68)
    for p, surely in ((0.19, 0.95), (0.5, 0.75), (0.9, 0.5), *rng.uniform(0.02, 0.98, (20, 2))):
        found = number(yours.tries_needed(p, surely), "tries_needed(p, surely)")
        told = f"with p = {p:.4g} and surely = {surely:.4g}"
        if not np.isfinite(found):
            fail(f"{told}, you say {found}, which is no number of beginnings.")
        right = next(n for n in range(1, 10_000) if 1 - (1 - p) ** n >= surely - 1e-12)
        if found == right:
            continue
        if found == int(np.ceil(surely / p)):
            fail(f"{told}, you say {found:.0f}: you have added probabilities up. Two tries of 0.5 do not make 1: both "
                 "may end badly. Multiply the probabilities of ending badly.")  # fmt: skip
        if found != int(found):
            fail(f"{told}, you say {found:.4g}: nobody can begin {found:.4g} times. Round up.")
        if found < 1:
            fail(f"{told}, you say {found:.0f}: one beginning is needed at least.")
        chance = 1 - (1 - p) ** found
        if found < right:
            fail(f"{told}, you say {found:.0f}: at least one of these ends well with probability {chance:.4g}, which "
                 f"is not enough. Expected {right}.")  # fmt: skip
        fail(f"{told}, you say {found:.0f}, with which it is {chance:.4g}; but {right} are enough already.")
