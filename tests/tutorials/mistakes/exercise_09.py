"""Typical mistakes in the exercises of tutorial 9, and what the checks must say to each."""

import numpy as np

import micrograd_nn.functional as F
from micrograd_nn import data, optim


def own_scales(X_train, X_test):
    return tuple((X - X.mean(0)) / X.std(0) for X in (X_train, X_test))


def seen_together(X_train, X_test):
    both = np.concatenate([X_train, X_test])
    return tuple((X - both.mean(0)) / both.std(0) for X in (X_train, X_test))


def one_mean(X_train, X_test):
    return tuple((X - X_train.mean()) / X_train.std() for X in (X_train, X_test))


def in_place(X_train, X_test):
    mean, std = X_train.mean(0), X_train.std(0)
    for X in (X_train, X_test):
        X -= mean
        X /= std
    return X_train, X_test


def mirrored(y, said, classes):
    table = np.zeros((classes, classes), int)
    np.add.at(table, (said, y), 1)
    return table


def counted_once(y, said, classes):
    table = np.zeros((classes, classes), int)
    table[y, said] += 1
    return table


def not_made_up_for(a, p, training, rng):
    return a * (rng.random(a.shape) >= p) if training else a


def exchanged(a, p, training, rng):
    return a * (rng.random(a.shape) < p) / p if training else a


def whole_units(a, p, training, rng):
    return a * (rng.random(a.shape[1]) >= p) / (1 - p) if training else a


def always(a, p, training, rng):
    return a * (rng.random(a.shape) >= p) / (1 - p)


def made_up_for_in_use(a, p, training, rng):
    return a * (rng.random(a.shape) >= p) if training else a * (1 - p)


def training(model, X, y, lr, epochs, seed, *, clear=True, anew=False, shuffled=True, by_batch=False, steps=True):
    optimizer, order, losses = optim.SGD(model.parameters(), lr=lr), np.random.default_rng(seed), []
    for _ in range(epochs):
        found, sizes = [], []
        for X_batch, y_batch in data.batches(X, y, 32, (seed if anew else order) if shuffled else None):
            loss = F.cross_entropy(model(X_batch), y_batch)
            if clear:
                optimizer.zero_grad()
            loss.backward()
            if steps:
                optimizer.step()
            found.append(loss.item())
            sizes.append(1 if by_batch else len(y_batch))
        losses.append(float(np.average(found, weights=sizes)))
    return losses


def with_mistake(**which):
    return lambda model, X, y, lr, epochs, seed: training(model, X, y, lr, epochs, seed, **which)


def divided_by_n_minus_1(X_train, X_test):
    return tuple((X - X_train.mean(0)) / X_train.std(0, ddof=1) for X in (X_train, X_test))


def one_row_many_times(y, said, classes):
    table = [[0] * classes] * classes
    for label, answer in zip(y, said, strict=True):
        table[label][answer] += 1
    return table


def only_the_wrong(y, said, classes):
    table = np.zeros((classes, classes), int)
    np.add.at(table, (y[y != said], said[y != said]), 1)
    return table


def from_numpys_own(a, p, training, rng):
    return a * (np.random.random(a.shape) >= p) / (1 - p) if training else a


def tensors(model, X, y, lr, epochs, seed):
    optimizer, order, losses = optim.SGD(model.parameters(), lr=lr), np.random.default_rng(seed), []
    for _ in range(epochs):
        total = 0.0
        for X_batch, y_batch in data.batches(X, y, 32, order):
            loss = F.cross_entropy(model(X_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total = total + loss * len(y_batch)
        losses.append(total / len(y))
    return losses


def one_for_each_batch(model, X, y, lr, epochs, seed):
    return [loss for loss in training(model, X, y, lr, epochs, seed) for _ in range(3)]


MISTAKES = [
    ("test_1_both_tables_on_the_scale_of_the_training_table", {"on_one_scale": divided_by_n_minus_1}, "ddof=1"),
    ("test_2_the_confusion_matrix", {"confusion": one_row_many_times}, "names one list many times"),
    ("test_2_the_confusion_matrix", {"confusion": only_the_wrong}, "The diagonal is empty"),
    ("test_3_dropout_in_training", {"dropout": from_numpys_own}, "not from np.random"),
    ("test_4_the_training_loop", {"train": tensors}, "loss.item()"),
    ("test_4_the_training_loop", {"train": one_for_each_batch}, "one for each epoch"),
    ("test_1_both_tables_on_the_scale_of_the_training_table", {"on_one_scale": own_scales}, "a scale of its own"),
    ("test_1_both_tables_on_the_scale_of_the_training_table", {"on_one_scale": seen_together}, "taken of both tables"),
    ("test_1_both_tables_on_the_scale_of_the_training_table", {"on_one_scale": one_mean}, "Each column has its own"),
    ("test_1_both_tables_on_the_scale_of_the_training_table", {"on_one_scale": in_place}, "changed themselves"),
    ("test_2_the_confusion_matrix", {"confusion": mirrored}, "Rows and columns have changed places"),
    ("test_2_the_confusion_matrix", {"confusion": counted_once}, "once, however often it is named"),
    ("test_3_dropout_in_training", {"dropout": not_made_up_for}, "sums are smaller in training"),
    ("test_3_dropout_in_training", {"dropout": exchanged}, "kept and dropped are exchanged"),
    ("test_3_dropout_in_training", {"dropout": whole_units}, "Each entry is dropped by itself"),
    ("test_3_dropout_in_use", {"dropout": always}, "In use entries were dropped too"),
    ("test_3_dropout_in_use", {"dropout": made_up_for_in_use}, "in use nothing is changed"),
    ("test_4_the_training_loop", {"train": with_mistake(clear=False)}, "Call optimizer.zero_grad()"),
    ("test_4_the_training_loop", {"train": with_mistake(anew=True)}, "Every epoch had the same order"),
    ("test_4_the_training_loop", {"train": with_mistake(shuffled=False)}, "the order in which they lie"),
    ("test_4_the_training_loop", {"train": with_mistake(by_batch=True)}, "the mean over the batches"),
    ("test_4_the_training_loop", {"train": with_mistake(steps=False)}, "The model has not changed"),
]
