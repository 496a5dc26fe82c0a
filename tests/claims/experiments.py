"""What the course's notes claim, as experiments one can run: each function gives the numbers that a claim is about.

`python tests/claims/experiments.py` runs them all and writes what they found to docs/claims.md; the tests beside this
file say which of it must hold.
"""

import math
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import micrograd_nn as mg
from micrograd_nn import data, fit, nn, optim, unit_health
from micrograd_nn import functional as F

DOCS = Path(__file__).parents[2] / "docs" / "claims.md"


def digits():
    """1,438 handwritten digits to train on and 359 for the test."""
    X, X_test, y, y_test = data.train_test_split(*data.load_digits(), 0.2, rng=0)
    return X, y, X_test, y_test


# --- one neuron ------------------------------------------------------------------------------------------------------


def zigzag(examples, rng=0, n_in=6):
    """Share of positive entries in a sigmoid neuron's weight gradient over `examples` all-positive inputs."""
    rng = np.random.default_rng(rng)
    neuron = nn.Neuron(n_in, "sigmoid", rng=rng)
    X, y = rng.uniform(0.1, 1, (examples, n_in)), rng.integers(0, 2, examples) * 1.0
    F.mse_loss(neuron(X), y).backward()
    return float((neuron.weight.grad > 0).mean())


def forgetting(strength, lr, steps, rng=0):
    """The length of a network's weights before each step, when there is nothing but the L2 penalty to learn from."""
    model = nn.MLP(3, [4, 2], rng=rng)
    opt = optim.SGD(model.parameters(), lr=lr)
    lengths = []
    for _ in range(steps):
        lengths.append(math.sqrt(sum(float((layer.weight.data**2).sum()) for layer in model.layers)))
        opt.zero_grad()
        nn.l2_penalty(model, strength).backward()
        opt.step()
    return np.array(lengths)


# --- activations -----------------------------------------------------------------------------------------------------


def dying(lr, activation, seed, epochs=10):
    """Share of the 200 hidden units that are dead on the training digits after training with rate `lr`."""
    X, y, X_test, y_test = digits()
    model = nn.MLP(64, [100, 100, 10], activation, rng=seed)
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        history = fit(model, X, y, optimizer="sgd", lr=lr, epochs=epochs, rng=seed, progress=False)
        report = unit_health(model, X)
        dead = sum(int(layer.dead.sum()) for layer in report.layers)
        with mg.no_grad():
            right = mg.training.accuracy(model(X_test), y_test)
    return {"dead": dead / 200, "loss": history["loss"][-1] if len(history) else math.nan, "test_accuracy": right}


def saturating(scale, seed, activation="sigmoid", epochs=10):
    """A network of sigmoids whose first weights are `scale` times as large as they should be."""
    X, y, X_test, y_test = digits()
    model = nn.MLP(64, [100, 100, 10], activation, rng=seed, scale=scale)
    before = unit_health(model, X)
    shut = np.concatenate([layer.saturated for layer in before.layers])
    share = np.concatenate([layer.saturated_share for layer in before.layers])
    with threadpool_limits(1, "blas"):
        history = fit(model, X, y, optimizer="sgd", lr=0.3, epochs=epochs, rng=seed, progress=False)
        with mg.no_grad():
            right = mg.training.accuracy(model(X_test), y_test)
    return {
        "saturated_units": float(shut.mean()), "saturated_activations": float(share.mean()),
        "loss": history["loss"][-1], "test_accuracy": right,
    }  # fmt: skip


def steps_to(activation, lr, seed, loss=0.1, every=15, most=3000):
    """Steps of SGD until the loss on all training digits is below `loss`, looked at `every` so many steps."""
    X, y, _, _ = digits()
    model = nn.MLP(64, [100, 100, 10], activation, rng=seed)
    opt, rng, step = optim.SGD(model.parameters(), lr=lr), np.random.default_rng(seed), 0
    with threadpool_limits(1, "blas"):
        while step < most:
            for Xb, yb in data.batches(X, y, 32, rng):
                opt.zero_grad()
                F.cross_entropy(model(Xb), yb).backward()
                opt.step()
                step += 1
                if step % every == 0:
                    with mg.no_grad():
                        if F.cross_entropy(model(X), y).item() < loss:
                            return {"steps": step}
    return {"steps": math.inf}


# --- size and regularisation -----------------------------------------------------------------------------------------


def regions(hidden, strength, seed):
    """One hidden layer of tanh units on 60 points of two noisy moons; the test is 2,000 more."""
    X, y = data.make_moons(60, 0.35, rng=seed)
    X_test, y_test = data.make_moons(2000, 0.35, rng=10_000 + seed)
    model = nn.MLP(2, [hidden, 2], "tanh", rng=seed)
    with threadpool_limits(1, "blas"):
        for lr, epochs in ((0.02, 2000), (0.002, 1000)):
            fit(model, X, y, lr=lr, epochs=epochs, batch_size=60, l2=strength, rng=seed, progress=False)
        with mg.no_grad():
            return {
                "train_accuracy": mg.training.accuracy(model(X), y),
                "test_accuracy": mg.training.accuracy(model(X_test), y_test),
                "test_loss": F.cross_entropy(model(X_test), y_test).item(),
            }


def final_loss(hidden, seed, activation="relu"):
    """The training loss one hidden layer ends with on 100 points of two moons, from the weights that `seed` draws."""
    X, y = data.make_moons(100, 0.1, rng=0)
    model = nn.MLP(2, [hidden, 2], activation, rng=seed)
    with threadpool_limits(1, "blas"):
        fit(model, X, y, lr=0.02, epochs=1500, batch_size=100, rng=0, progress=False)
        with mg.no_grad():
            return {"loss": F.cross_entropy(model(X), y).item()}


# --- what a network can represent ------------------------------------------------------------------------------------


def bumps(f, low, high, count, steepness=60.0):
    """A network with one hidden layer that adds up `count` bumps, each a pair of sigmoids, one up and one down.

    Nothing is learned: each bump stands on its part of [low, high] and is as high as `f` in the middle of it.
    """
    edges = np.linspace(low, high, count + 1)
    k = steepness * count / (high - low)
    heights = f((edges[1:] + edges[:-1]) / 2)
    model = nn.MLP(1, [2 * count, 1], "sigmoid", rng=0)
    hidden, out = model.layers
    hidden.weight.data = np.full((2 * count, 1), k)
    hidden.bias.data = -k * np.concatenate([edges[:-1], edges[1:]])
    out.weight.data = np.concatenate([heights, -heights])[None, :]
    out.bias.data = np.zeros(1)
    return model


def bump_error(f, low, high, count, points=4000):
    """Root mean squared distance between `f` and its bumps."""
    x = np.linspace(low, high, points + 2)[1:-1, None]
    with mg.no_grad():
        found = bumps(f, low, high, count)(x).data
    return float(np.sqrt(np.mean((found - f(x)) ** 2)))
