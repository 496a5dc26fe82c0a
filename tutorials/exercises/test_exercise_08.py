"""Checks of the exercises of tutorial 8."""

from types import SimpleNamespace

import exercise_08 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled

import micrograd_nn as mg

pytestmark = [pytest.mark.tutorial_8, pytest.mark.exercise]


def test_1_on_rates_and_dead_units():
    rng = np.random.default_rng(1)
    for n, units in ((20, 6), (7, 7)):
        a = np.maximum(0, rng.normal(size=(n, units)) + np.linspace(-1.5, 1.5, units))
        a[:, [1, units - 1]] = 0.0
        a[2, 1] = 1e-6  # on once, and hardly
        answer = filled(yours.on_rates_and_dead(a.copy()), "on_rates_and_dead")
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            fail("on_rates_and_dead should give back two arrays, `return on_rate, dead`.")
        for one, name in zip(answer, ("the on-rates", "dead"), strict=True):
            filled(one, name)
            if np.shape(one) != (units,) and np.shape(one) in ((n,), ()):
                fail(f"{name} should have an entry for each of the {units} units. Go over the examples: axis 0.")
        if np.array_equal(answer[1], np.flatnonzero(a.max(axis=0) <= 0)):
            fail("dead holds the positions of the dead units. Give True or False for every unit.")
        on, dead = array(answer[0], (units,), "the on-rates"), array(answer[1], (units,), "dead")
        for wrong, words in (
            ((a > 0).mean(axis=1), "These are shares of the units, for each example. Go over the examples: axis 0."),
            ((a >= 0).mean(axis=0), "An activation of exactly 0 is off: on is > 0, and not >= 0."),
            ((a > 0).sum(axis=0), "That is a count. A share is the count divided by the number of examples."),
            (100 * (a > 0).mean(axis=0), "These are percentages. A share is a number from 0 to 1."),
            ((a > 0).sum(axis=0) / units, "Divide by the number of examples, not by that of the units."),
            (a.max(axis=0) <= 0, "The first array says which units are dead. The on-rates come first, then dead."),
            (a.mean(axis=0), "That is the mean activation. The on-rate only asks whether it is above 0."),
        ):
            if wrong.shape == on.shape and np.allclose(on, wrong) and not np.allclose(on, (a > 0).mean(axis=0)):
                fail(words)
        close(on, (a > 0).mean(axis=0), "The on-rate is the share of the examples with an activation above 0.")
        never = (a > 0).sum(axis=0) == 0
        if np.array_equal(dead, (a <= 0).any(axis=0)):
            fail("You call a unit dead that is off for some example. Dead: never above 0, on *no* example.")
        if np.array_equal(dead, ~never):
            fail("True and False are exchanged: True is for the dead.")
        if dead[1]:
            fail("Unit 1 is on for one example, though hardly (0.000001). It is not dead: never above 0, exactly.")
        close(dead, never, "A unit is dead if its largest activation over the examples is not above 0.")


def test_2_saturated_tanh_units():
    rng = np.random.default_rng(2)
    n = 40
    a = np.tanh(rng.normal(size=(n, 7)))
    a[:, 1] = np.where(np.arange(n) % 2, 0.99, -0.99)  # far out on either side
    a[:, 2] = np.where(np.arange(n) < 38, 0.99, 0.1)  # on exactly 95 %
    a[:, 3] = np.where(np.arange(n) < 37, -0.99, 0.1)  # on a little less
    a[:, 4] = 0.95  # steeper than 0.06
    a[:, 5] = -0.98
    a[:, 6] = -0.5
    wanted = [False, True, True, False, False, True, False]
    found = filled(yours.saturated_units(a.copy()), "saturated_units")
    if np.shape(found) == a.shape:
        fail("That is an answer for each example and unit. Count, for each unit, on how many examples it is so.")
    slopes = 1 - a**2
    if np.shape(found) == (n,):
        fail("That is an answer for each example. Go over the examples, axis 0, for one for each unit.")
    if np.array_equal(found, np.flatnonzero(wanted)):
        fail("These are the positions of the saturated units. Give True or False for every unit.")
    found = array(found, (7,), "saturated_units")
    if not np.isin(found, (0.0, 1.0)).all():
        fail("These are not True and False. If they are shares of the examples: which of them are at least 0.95?")
    found = found.astype(bool).tolist()
    for wrong, words in (
        ((slopes < 0.06).any(axis=0), "Unit 3 is saturated on most examples, but on fewer than 95 % of them."),
        ((slopes < 0.06).all(axis=0), "Unit 2 is saturated on 38 of 40 examples, which is 95 %: that is enough."),
        ((slopes < 0.06).mean(axis=0) > 0.95, "Unit 2 has exactly 95 %: *at least* 95 % is >= 0.95."),
        ((a > 0.97).mean(axis=0) >= 0.95, "Tanh saturates on both sides. Look at the slope, or at |a|."),
        ((np.abs(a) > 0.94).mean(axis=0) >= 0.95, "At |a| = 0.95 the slope is about 0.1, not under 0.06. Use 1 − a²."),
        ((a * (1 - a) < 0.06).mean(axis=0) >= 0.95, "a(1 − a) is the slope of a sigmoid. That of tanh is 1 − a²."),
        ((1 - np.tanh(a) ** 2 < 0.06).mean(axis=0) >= 0.95, "a is tanh z already: do not take tanh of it again."),
        (
            (slopes > 0.06).mean(axis=0) >= 0.95,
            "You ask where the slope is large. Saturated is where it is under 0.06.",
        ),
        (slopes.mean(axis=0) < 0.06, "A mean of slopes hides much: count the examples with a slope under 0.06."),
    ):
        if found == wrong.tolist() != wanted:
            fail(words)
    if found == [not one for one in wanted]:
        fail("True and False are exchanged: True is for the saturated.")
    close(found, wanted, "A unit is saturated where the share of examples with 1 − a² < 0.06 is at least 0.95.")


def made_up(dead, every=2):
    """Reports of one layer with these dead units, epochs by units."""
    return [
        SimpleNamespace(epoch=every * (i + 1), layers=[SimpleNamespace(dead=np.zeros(3, bool)), layer])
        for i, layer in enumerate(SimpleNamespace(dead=row) for row in dead)
    ]


def test_3_the_epoch_of_death():
    lives = ["....xx", "xxxxxx", "......", ".xx...", ".x..xx", "x.x.xx", ".....x", "xxxxx."]
    dead = np.array([[sign == "x" for sign in life] for life in lives]).T
    wanted = np.array([10, 2, 0, 0, 10, 10, 12, 0])
    found = array(yours.epochs_of_death(made_up(dead), 1), (8,), "epochs_of_death")
    firsts = np.where(dead.any(axis=0), 2 * (dead.argmax(axis=0) + 1), 0)
    if np.array_equal(found, firsts):
        fail("These are first deaths. A unit that came back was not dead for good: look from the end.")
    if np.array_equal(found, np.where(dead[-1], firsts, 0)):
        fail("Unit 4 died, came back, and died again: wanted is the epoch of its *last* death.")
    if np.array_equal(2 * found, wanted) or np.array_equal(2 * (found + 1), np.where(wanted, wanted, 2)):
        fail("You count reports. A monitor need not look at every epoch: take `.epoch` of the report.")
    if np.array_equal(found, np.where(dead[-1], 12, 0)):
        fail("The dead all have the last epoch. Wanted is when their last unbroken time of being dead began.")
    for k in range(8):
        if found[k] != wanted[k]:
            fail(
                f"A unit with the life {lives[k]!r} (x is dead; reports of the epochs 2, 4, ... 12) has the epoch "
                f"{wanted[k]}, and yours says {found[k]:g}."
            )


def killed(seed):
    """A network of which some units of the first layer are dead, and the data."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 3))
    model = mg.nn.MLP(3, [8, 5, 2], "relu", rng=seed)
    bias = rng.normal(size=8) / 2
    bias[[1, 4, 6]] = -30.0
    model.layers[0].bias.data = bias
    return model, X


def test_4_wake_the_dead():
    for seed in (4, 5):
        model, X = killed(seed)
        before, dead = model.state_dict(), mg.unit_health(model, X).layers[0].dead
        said = model(X).data.copy()
        answer = yours.wake(model, X.copy(), np.random.default_rng(seed))
        after = model.state_dict()
        if set(after) != set(before):
            fail("layers[0].weight is a Tensor, and no longer is one. Assign your array to `.data` of it.")
        if answer is not None and answer is not ... and not isinstance(answer, mg.nn.Module):
            fail("wake should give nothing back: it changes the model that it was given.")
        if all(np.array_equal(before[name], after[name]) for name in before):
            fail(
                "The model is as it was. Either wake still has its hole, or it changes copies: assign these to `.data`."
            )
        health = mg.unit_health(model, X).layers[0]
        if health.dead.any():
            fail(f"Units {np.flatnonzero(health.dead).tolist()} of the first layer are still dead on X.")
        for name in ("layers[0].weight", "layers[0].bias"):
            if not np.array_equal(before[name][~dead], after[name][~dead]):
                fail(f"{name} of a unit that was alive has changed. Only rows of dead units are to be drawn anew.")
        if not np.array_equal(before["layers[1].weight"][:, ~dead], after["layers[1].weight"][:, ~dead]):
            fail("layers[1].weight has changed for units that were alive. A unit of layer 1 is a *column* of it.")
        if np.array_equal(before["layers[1].weight"], after["layers[1].weight"]):
            fail("The units are awake, and the network says something else. Put 0 into layers[1].weight for them.")
        if after["layers[1].weight"][:, dead].any():
            fail("In layers[1].weight there are weights other than 0 for units that were dead.")
        if np.array_equal(before["layers[0].weight"], after["layers[0].weight"]):
            fail("The units are on, but with their old weights. Draw these anew, with rng.normal.")
        wrong = np.flatnonzero(dead & (np.abs(health.on_rate - 0.5) > 0.03))
        if len(wrong):
            k = int(wrong[0])
            fail(
                f"Unit {k} is on for {health.on_rate[k]:.0%} of the examples, and should be for half of them. With the "
                "bias −median(X·w), half of the sums are above 0."
            )
        close(model(X).data, said, "The network says something else than before.")
        if len({tuple(row) for row in after["layers[0].weight"][dead].round(9).tolist()}) < dead.sum():
            fail("Some units got the same weights. Then they would stay the same for ever: draw for each of them.")
