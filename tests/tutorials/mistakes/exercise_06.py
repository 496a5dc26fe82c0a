"""Typical mistakes in the exercises of tutorial 6, and words that the checks must find for them."""

import math

import numpy as np


def without_the_half(model, strength):
    return strength * sum((layer.weight**2).sum() for layer in model.layers)


def with_biases(model, strength):
    return strength * 0.5 * sum((p**2).sum() for p in model.parameters())


def without_the_strength(model, strength):
    return 0.5 * sum((layer.weight**2).sum() for layer in model.layers)


def the_length(model, strength):
    return strength * sum((layer.weight**2).sum() for layer in model.layers).sqrt()


def sizes(model, strength):
    return strength * sum(layer.weight.abs().sum() for layer in model.layers)


def first_layer(model, strength):
    return strength * 0.5 * (model.layers[0].weight ** 2).sum()


def of_data(model, strength):
    return strength * 0.5 * sum((layer.weight.data**2).sum() for layer in model.layers)


def squared_in_place(model, strength):
    for layer in model.layers:
        layer.weight.data = layer.weight.data**2
    return strength * 0.5 * sum(layer.weight.sum() for layer in model.layers)


def kept(a, p, rng):
    return a * (rng.random(a.shape) < p) / p


def unscaled(a, p, rng):
    return a * (rng.random(a.shape) >= p)


def divided_by_p(a, p, rng):
    return a * (rng.random(a.shape) >= p) / (p or 1)


def multiplied(a, p, rng):
    return a * (rng.random(a.shape) >= p) * (1 - p)


def one_draw(a, p, rng):
    return a * (rng.random() >= p) / (1 - p)


def whole_columns(a, p, rng):
    return a * (rng.random(a.shape[1]) >= p) / (1 - p)


def whole_rows(a, p, rng):
    return a * (rng.random((len(a), 1)) >= p) / (1 - p)


def in_place(a, p, rng):
    a *= (rng.random(a.shape) >= p) / (1 - p)
    return a


def own_seed(a, p, rng):
    return a * (np.random.default_rng(0).random(a.shape) >= p) / (1 - p)


def added_up(p, surely=0.95):
    return math.ceil(surely / p)


def no_number(p, surely=0.95):
    return float("nan")


def not_rounded(p, surely=0.95):
    return math.log(1 - surely) / math.log(1 - p)


def rounded_down(p, surely=0.95):
    return max(1, int(math.log(1 - surely) / math.log(1 - p)))


def one_more(p, surely=0.95):
    return math.ceil(math.log(1 - surely) / math.log(1 - p)) + 1


PENALTY = "test_1_the_penalty_is_strength_times_half_the_sum_of_squares"
REACHES = "test_1_its_gradient_reaches_the_weights"
SHARE = "test_2_dropout_takes_away_the_share_p_and_keeps_the_mean"
ANEW = "test_2_dropout_draws_anew_and_leaves_its_input_alone"
TRIES = "test_3_the_smallest_number_of_tries_that_is_enough"

MISTAKES = [
    (PENALTY, {"l2_penalty": without_the_half}, "the half is missing"),
    (PENALTY, {"l2_penalty": with_biases}, "penalised the biases"),
    (PENALTY, {"l2_penalty": without_the_strength}, "the strength is missing"),
    (PENALTY, {"l2_penalty": the_length}, "the square root"),
    (PENALTY, {"l2_penalty": sizes}, "That is L1"),
    (PENALTY, {"l2_penalty": first_layer}, "the first layer only"),
    (PENALTY, {"l2_penalty": squared_in_place}, "has changed the weights"),
    (REACHES, {"l2_penalty": of_data}, "remembers nothing"),
    (SHARE, {"dropout": kept}, "that to stay"),
    (SHARE, {"dropout": unscaled}, "as they were"),
    (SHARE, {"dropout": divided_by_p}, "divided by p"),
    (SHARE, {"dropout": multiplied}, "multiplied what stays"),
    (SHARE, {"dropout": one_draw}, "a draw of its own"),
    (SHARE, {"dropout": whole_columns}, "in whole columns"),
    (SHARE, {"dropout": whole_rows}, "in whole rows"),
    (ANEW, {"dropout": in_place}, "has changed the array"),
    (ANEW, {"dropout": own_seed}, "dropped the same entries"),
    (TRIES, {"tries_needed": added_up}, "added probabilities up"),
    (TRIES, {"tries_needed": not_rounded}, "Round up"),
    (TRIES, {"tries_needed": no_number}, "no number of beginnings"),
    (TRIES, {"tries_needed": rounded_down}, "not enough"),
    (TRIES, {"tries_needed": one_more}, "enough already"),
]
