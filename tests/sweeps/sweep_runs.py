"""Runs for the sweeps of the tests; in a module of their own because worker processes must be able to import them."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from micrograd_nn import data, fit, nn


def train(hidden, lr, seed):
    """A small network on the moons."""
    X, y = data.make_moons(100, rng=seed)
    model = nn.MLP(2, [hidden, 2], rng=seed)
    history = fit(model, X, y, lr=lr, epochs=5, rng=seed, progress=False)
    return {"loss": history["loss"][-1], "accuracy": history["accuracy"][-1]}


TRAININGS = {"hidden": [2, 8], "lr": [0.01, 0.1]}


def square(x, wait=0.0):
    time.sleep(wait)
    return x * x


def noise(seed):
    return np.random.default_rng(seed).normal()


def product_of_matrices(seed):
    """A matrix product whose last digits depend on how many threads share the work."""
    a, b = np.random.default_rng(seed).normal(size=(2, 300, 300))
    return float((a @ b).sum())


def blas_threads(x):
    from threadpoolctl import threadpool_info

    return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")


def killed(x, victim, wait=0.02):
    """Takes its worker process with it, for one x."""
    if x == victim:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(wait)
    return float(x)


def killed_once(x, victim, marker):
    """Takes its worker process with it, for one x, the first time."""
    if x == victim and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return float(x)


def troubled(x):
    if x == 1:
        raise ValueError("one is not\nmy number")
    if x == 2:
        raise SystemExit(3)
    return {"y": x}


def what_is_returned(x):
    return x


def where_it_runs(x, wait=0.0, folder=None):
    if folder is not None:
        Path(folder, f"{x}.{os.getpid()}").touch()
    time.sleep(wait)
    return {"x": x, "pid": os.getpid()}


def at_this_moment():
    return time.time_ns()
