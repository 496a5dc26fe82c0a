"""Checks of the exercises of tutorial 9."""

import exercise_09 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled

import micrograd_nn as mg
import micrograd_nn.functional as F
from micrograd_nn import data, nn, optim

pytestmark = [pytest.mark.tutorial_9, pytest.mark.exercise]


# --- 1. one scale ----------------------------------------------------------------------------------------------------


def test_1_both_tables_on_the_scale_of_the_training_table():
    rng = np.random.default_rng(1)
    X_train = rng.normal([5.0, -300.0, 0.02], [2.0, 40.0, 0.01], (40, 3))
    X_test = rng.normal([6.0, -280.0, 0.03], [3.0, 30.0, 0.01], (12, 3))
    given = X_train.copy(), X_test.copy()
    answer = filled(yours.on_one_scale(X_train, X_test), "on_one_scale")
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        fail("on_one_scale should give back two tables: `return X_train_scaled, X_test_scaled`.")
    train = array(answer[0], (40, 3), "the training table on one scale")
    test = array(answer[1], (12, 3), "the test table on one scale")
    if not (np.array_equal(X_train, given[0]) and np.array_equal(X_test, given[1])):
        fail("The tables that were given have been changed themselves. X -= mean does that: write X - mean.")

    def scaled(X, of, axis=0):
        return (X - of.mean(axis, keepdims=True)) / of.std(axis, keepdims=True)

    both = np.concatenate([X_train, X_test])
    told_of_train = [
        (scaled(X_train, X_train, None), "That is one mean for the whole table. Each column has its own: axis=0."),
        (scaled(X_train, X_train, 1), "That puts each row on a scale of its own. A column is a measurement: axis=0."),
        (scaled(X_train, both), "The mean was taken of both tables. The test table is not to be seen before the test."),
        (X_train - X_train.mean(0), "The means are 0 now. Divide each column by its standard deviation too."),
        (scaled(X_train, X_train) / X_train.std(0), "That divides by the variance. Take its root."),
        (scaled(X_train, X_train) * np.sqrt(39 / 40), "That standard deviation divides by N − 1: leave out ddof=1."),
    ]  # fmt: skip
    for mistake, words in told_of_train:
        if np.allclose(train, mistake):
            fail(f"{words} Your columns have the means {train.mean(0)} and the spreads {train.std(0)}.")
    close(train.mean(0), np.zeros(3), "Each column of the training table should have the mean 0.")
    close(train.std(0), np.ones(3), "Each column of the training table should have the standard deviation 1.")
    if np.allclose(test, scaled(X_test, X_test)):
        fail(
            "The test table was put on a scale of its own. A value of 5 then means one thing in training and another "
            "in the test: subtract the mean of X_train, and divide by its standard deviation."
        )
    close(test, scaled(X_test, X_train), "The test table should be on the scale of the training table.")


# --- 2. the confusion matrix -----------------------------------------------------------------------------------------


def test_2_the_confusion_matrix():
    rng = np.random.default_rng(2)
    for classes, n in ((2, 9), (5, 200)):
        y, said = rng.integers(classes, size=n), rng.integers(classes, size=n)
        y[:2], said[:2] = classes - 1, 0  # so that it is not its own mirror image
        wanted = np.array([[np.sum((y == i) & (said == j)) for j in range(classes)] for i in range(classes)])
        found = array(yours.confusion(y, said, classes), (classes, classes), f"confusion for {classes} classes")
        if np.array_equal(found, wanted):
            continue
        if np.array_equal(found, wanted.T):
            fail("Rows and columns have changed places: the label is the row, what was said is the column.")
        if np.array_equal(found, wanted > 0):
            fail(
                "There is a 1 wherever there should be a count. `table[y, said] += 1` with arrays adds to each place "
                "once, however often it is named: go through the examples one by one, or use np.add.at."
            )
        if np.allclose(found, wanted / n) or np.allclose(found, wanted / wanted.sum(1, keepdims=True)):
            fail("Those are shares. Counts are asked for: whole numbers.")
        if np.array_equal(found, np.tile(wanted.sum(0), (classes, 1))):
            fail("All rows are the same. [[0] * classes] * classes names one list many times: use np.zeros.")
        if np.array_equal(found, wanted - np.diag(np.diag(wanted))):
            fail("The diagonal is empty. It counts the examples that were said right.")
        if found.sum() != n:
            fail(f"There are {n} examples, and your counts add up to {found.sum():g}.")
        told = f"yours:\n{found}\nexpected:\n{wanted}"
        fail(f"Row i, column j counts the examples whose label is i and of which j was said.\n{told}")


# --- 3. dropout ------------------------------------------------------------------------------------------------------


def test_3_dropout_in_training():
    rng = np.random.default_rng(3)
    for p in (0.25, 0.5, 0.8):
        a = rng.uniform(0.5, 2.0, (60, 80))
        given = a.copy()
        found = array(yours.dropout(a, p, True, np.random.default_rng(30)), a.shape, f"dropout with p = {p}")
        if not np.array_equal(a, given):
            fail("The array that was given has been changed itself. Give back a new one.")
        off = found == 0
        if not off.any():
            fail("In training nothing was dropped: some entries must become 0.")
        if (off == off[0]).all() or (off == off[:, :1]).all():
            fail("All rows, or all columns, are dropped alike. Each entry is dropped by itself: `rng.random(a.shape)`.")
        share = off.mean()
        if p != 0.5 and abs(share - (1 - p)) < 0.05:
            fail(
                f"p is the probability to be dropped, {p}, and yours drops {share:.0%}: kept and dropped are exchanged."
            )
        if abs(share - p) > 0.05:
            fail(f"With p = {p} about {p:.0%} of the entries should be 0, and of yours {share:.0%} are.")
        factor = found[~off] / a[~off]
        for wrong, words in (
            (1.0, "Those that stay are as they were, so that sums are smaller in training: multiply by 1/(1 − p)."),
            (1 - p, "Those that stay were multiplied by 1 − p. It is 1/(1 − p): fewer are left, each counts for more."),
            (1 / p, "Those that stay were multiplied by 1/p. The share that stays is 1 − p: multiply by 1/(1 − p)."),
        ):  # fmt: skip
            if np.allclose(factor, wrong) and not np.isclose(wrong, 1 / (1 - p)):
                fail(f"With p = {p}: {words}")
        close(factor, np.full(factor.shape, 1 / (1 - p)), f"What stays should be multiplied by 1/(1 − p), p = {p}.")

    generator, a = np.random.default_rng(31), np.ones((8, 8))
    first, second = (yours.dropout(a, 0.5, True, generator) for _ in range(2))
    if np.array_equal(first, second):
        fail("Two calls dropped the same entries. Draw from the `rng` that is given, and do not make one anew.")
    again = yours.dropout(a, 0.5, True, np.random.default_rng(31))
    if not np.array_equal(first, again):
        fail(
            "Two generators with one seed should drop the same entries. Draw from the `rng` that is given, and not "
            "from np.random."
        )


def test_3_dropout_in_use():
    a = np.random.default_rng(33).normal(size=(5, 4))
    found = array(yours.dropout(a, 0.5, False, np.random.default_rng(0)), a.shape, "dropout in use")
    if np.allclose(found, a * 0.5):
        fail(
            "In use the entries were multiplied by 1 − p. The multiplication by 1/(1 − p) in training makes up for "
            "what is dropped already: in use nothing is changed."
        )
    if (found == 0).any():
        fail("In use entries were dropped too. When `training` is False the array comes back as it is.")
    close(found, a, "When `training` is False the array should come back as it is.")


# --- 4. the training loop --------------------------------------------------------------------------------------------


def looped(model, X, y, lr, epochs, seed, *, clear=True, one_order=True, shuffled=True, weighted=True, late=False):
    """The loop with one mistake or another in it."""
    opt, order, losses = optim.SGD(model.parameters(), lr=lr), np.random.default_rng(seed), []
    for _ in range(epochs):
        parts = list(data.batches(X, y, 32, (order if one_order else seed) if shuffled else None))
        found = []
        for Xb, yb in parts:
            loss = F.cross_entropy(model(Xb), yb)
            if clear:
                opt.zero_grad()
            loss.backward()
            opt.step()
            if late:
                with mg.no_grad():
                    loss = F.cross_entropy(model(Xb), yb)
            found.append(loss.item())
        losses.append(np.average(found, weights=[len(yb) for _, yb in parts] if weighted else None))
    return losses


def moons_net():
    return nn.MLP(2, [8, 2], rng=4)


def test_4_the_training_loop():
    X, y = data.make_moons(75, 0.2, rng=4)
    settings = {"lr": 0.3, "epochs": 4}
    mine, model = moons_net(), moons_net()
    history = mg.fit(mine, X, y, optimizer="sgd", **settings, rng=44, progress=False)
    losses = filled(yours.train(model, X, y, **settings, seed=44), "train")
    start, weight, wanted = (net.layers[0].weight.data for net in (moons_net(), model, mine))
    if not isinstance(losses, (list, np.ndarray)):
        fail(f"train should give back a list of losses, and yours is {losses!r:.60}.")
    if np.array_equal(start, weight) and not len(losses):
        fail("train still has its hole: the model has not changed, and there are no losses.")
    if np.array_equal(start, weight):
        fail(
            "The model has not changed. Each batch calls optimizer.zero_grad(), then loss.backward(), then "
            "optimizer.step(), in this order."
        )
    if not np.allclose(weight, wanted, rtol=1e-9):
        for mistake, words in (
            ({"clear": False},
             "The gradients of all batches have been added up. Call optimizer.zero_grad() before each backward()."),
            ({"one_order": False},
             "Every epoch had the same order. Make the generator once, before the loop over the epochs, and give "
             "data.batches the generator, not the seed."),
            ({"shuffled": False},
             "The examples came in the order in which they lie. Give data.batches the generator as well."),
        ):  # fmt: skip
            other = moons_net()
            looped(other, X, y, **settings, seed=44, **mistake)
            if np.allclose(weight, other.layers[0].weight.data, rtol=1e-9):
                fail(words)
        fail(
            "The weights differ from those that mg.fit learns with optimizer='sgd', the same rate, epochs and order. "
            "In each batch: scores, loss, zero_grad, backward, step."
        )
    if any(isinstance(loss, mg.Tensor) for loss in losses):
        fail("The losses are Tensors, and each of them keeps a whole graph alive. Add up plain numbers: loss.item().")
    if len(losses) != 4:
        fail(f"There were 4 epochs, and your list has {len(losses)} losses. It should have one for each epoch.")
    losses = array(losses, (4,), "the list of losses")
    for mistake, words in (
        ({"weighted": False},
         "That is the mean over the batches. The last one is smaller (11 examples, not 32) and counts for less: add "
         "up loss · len(y_batch), and divide by len(y)."),
        ({"late": True}, "The losses were measured after the step. Take the loss that you call backward() on."),
    ):  # fmt: skip
        if np.allclose(losses, looped(moons_net(), X, y, **settings, seed=44, **mistake), rtol=1e-9):
            fail(words)
    close(losses, history["loss"], "The model is right. The losses should be the mean over the examples of each epoch.")
