"""Typical mistakes in the exercises of tutorial 8, and what their checks say."""

import numpy as np

import micrograd_nn as mg


def over_units(a):
    return (a > 0).mean(axis=1), a.max(axis=1) <= 0


def at_least_zero(a):
    return (a >= 0).mean(axis=0), a.max(axis=0) <= 0


def off_once(a):
    return (a > 0).mean(axis=0), a.min(axis=0) <= 0


def nearly_never_on(a):
    return (a > 0).mean(axis=0), a.max(axis=0) < 1e-3


def every_one(a):
    return (1 - a**2 < 0.06).all(axis=0)


def upper_side_only(a):
    return (a > 0.97).mean(axis=0) >= 0.95


def slope_of_a_sigmoid(a):
    return (a * (1 - a) < 0.06).mean(axis=0) >= 0.95


def table_of_all(a):
    return 1 - a**2 < 0.06


def first_deaths(reports, layer):
    dead = np.array([report.layers[layer].dead for report in reports])
    epochs = np.array([report.epoch for report in reports])
    return np.where(dead.any(axis=0), epochs[dead.argmax(axis=0)], 0)


def first_deaths_of_the_dead(reports, layer):
    return np.where(reports[-1].layers[layer].dead, first_deaths(reports, layer), 0)


def count_reports(reports, layer):
    epochs = np.zeros(len(reports[0].layers[layer].dead), int)
    for i, report in enumerate(reports, start=1):
        dead = report.layers[layer].dead
        epochs[dead & (epochs == 0)] = i
        epochs[~dead] = 0
    return epochs


def waking(*, bias=True, outgoing=True, everyone=False, rows=False):
    def wake(model, X, rng):
        first, second = model.layers[:2]
        dead = mg.unit_health(model, X).layers[0].dead
        chosen = np.ones_like(dead) if everyone else dead
        weight, offset, out = first.weight.data.copy(), first.bias.data.copy(), second.weight.data.copy()
        weight[chosen] = rng.normal(size=(chosen.sum(), weight.shape[1]))
        offset[chosen] = -np.median(X @ weight[chosen].T, axis=0) if bias else 1.0
        if rows:
            out[:2] = 0
        elif outgoing:
            out[:, chosen] = 0
        first.weight.data, first.bias.data, second.weight.data = weight, offset, out

    return wake


def positions(a):
    return (a > 0).mean(axis=0), np.flatnonzero(a.max(axis=0) <= 0)


def shares(a):
    return (1 - a**2 < 0.06).mean(axis=0)


def weight_itself(model, X, rng):
    model.layers[0].weight = model.layers[0].weight.data.copy()


def copies_only(model, X, rng):
    model.layers[0].weight.data.copy()[:] = 1.0


MISTAKES = [
    ("test_1_on_rates_and_dead_units", {"on_rates_and_dead": over_units}, "Go over the examples: axis 0"),
    ("test_1_on_rates_and_dead_units", {"on_rates_and_dead": at_least_zero}, "exactly 0 is off"),
    ("test_1_on_rates_and_dead_units", {"on_rates_and_dead": off_once}, "on *no* example"),
    ("test_1_on_rates_and_dead_units", {"on_rates_and_dead": nearly_never_on}, "It is not dead"),
    ("test_2_saturated_tanh_units", {"saturated_units": every_one}, "38 of 40"),
    ("test_2_saturated_tanh_units", {"saturated_units": upper_side_only}, "both sides"),
    ("test_2_saturated_tanh_units", {"saturated_units": slope_of_a_sigmoid}, "the slope of a sigmoid"),
    ("test_2_saturated_tanh_units", {"saturated_units": table_of_all}, "for each example and unit"),
    ("test_3_the_epoch_of_death", {"epochs_of_death": first_deaths}, "look from the end"),
    ("test_3_the_epoch_of_death", {"epochs_of_death": first_deaths_of_the_dead}, "*last* death"),
    ("test_3_the_epoch_of_death", {"epochs_of_death": count_reports}, "You count reports"),
    ("test_4_wake_the_dead", {"wake": waking(bias=False)}, "should be for half of them"),
    ("test_4_wake_the_dead", {"wake": waking(outgoing=False)}, "says something else"),
    ("test_4_wake_the_dead", {"wake": waking(everyone=True)}, "that was alive has changed"),
    ("test_4_wake_the_dead", {"wake": waking(rows=True)}, "*column*"),
    ("test_1_on_rates_and_dead_units", {"on_rates_and_dead": positions}, "positions of the dead units"),
    ("test_2_saturated_tanh_units", {"saturated_units": shares}, "which of them are at least 0.95"),
    ("test_4_wake_the_dead", {"wake": weight_itself}, "Assign your array to `.data`"),
    ("test_4_wake_the_dead", {"wake": copies_only}, "or it changes copies"),
]
