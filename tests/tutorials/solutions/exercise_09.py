"""Exercises of tutorial 9, solved."""

import numpy as np

import micrograd_nn.functional as F
from micrograd_nn import data, optim


def on_one_scale(X_train, X_test):
    mean, std = X_train.mean(axis=0), X_train.std(axis=0)
    return (X_train - mean) / std, (X_test - mean) / std


def confusion(y, said, classes):
    table = np.zeros((classes, classes), int)
    for label, answer in zip(y, said, strict=True):
        table[label, answer] += 1
    return table


def dropout(a, p, training, rng):
    if not training:
        return a
    kept = rng.random(a.shape) >= p
    return a * kept / (1 - p)


def train(model, X, y, lr, epochs, seed):
    losses = []
    optimizer = optim.SGD(model.parameters(), lr=lr)
    order = np.random.default_rng(seed)
    for _ in range(epochs):
        total = 0.0
        for X_batch, y_batch in data.batches(X, y, 32, order):
            loss = F.cross_entropy(model(X_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y_batch)
        losses.append(total / len(y))
    return losses
