"""What the company of a training run costs: a HealthMonitor, and a checkpoint after every epoch.

    python benchmarks/training.py [--rounds N] [--epochs N]

An MLP 64-256-128-10 learns the digits in batches of 32 with Adam, on one BLAS thread and one core where the
system can. Each round trains four times: without, with, with, without, so that a machine that grows faster or
slower takes from both alike. Given are medians over the rounds, and what the middle half of them lies between.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from run import pin, table
from threadpoolctl import threadpool_limits

from micrograd_nn import HealthMonitor, data, fit, nn

Times = tuple[float, float]  # seconds of CPU, seconds on the clock


def seconds(activation: str, epochs: int, **company: Any) -> Times:
    X, y = data.load_digits()
    model = nn.MLP(64, [256, 128, 10], activation, rng=0)
    cpu, wall = time.process_time(), time.perf_counter()
    history = fit(model, X, y, epochs=epochs, batch_size=32, rng=0, progress=False, **company)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert len(history.health) == epochs * len(company.get("callbacks", ()))
    return cpu, wall


def rounds(count: int, without: Callable[[], Times], watched: Callable[[], Times]) -> Any:
    """(rounds, 2, 2): of each round the seconds without and with the company, of CPU and on the clock."""
    found = []
    for _ in range(count):
        a, b, c, d = (np.array(run()) for run in (without, watched, watched, without))
        found.append(((a + d) / 2, (b + c) / 2))
    return np.array(found)


def spread(values: Any, form: str) -> list[str]:
    low, middle, high = (format(v, form) for v in np.percentile(values, [25, 50, 75]))
    return [middle, f"{low} – {high}"]


def monitor(activation: str, count: int, epochs: int) -> list[str]:
    cpu = rounds(
        count,
        lambda: seconds(activation, epochs),
        lambda: seconds(activation, epochs, callbacks=[HealthMonitor()]),
    )[..., 0]
    return [activation, f"{np.median(cpu[:, 0]) / epochs * 1e3:.1f}", *spread(cpu[:, 1] / cpu[:, 0] - 1, "+.1%")]


def checkpoint(count: int, epochs: int) -> tuple[list[str], int]:
    """Its row, and the bytes of the file. `fit` writes once before the first epoch, and once after each."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "run")

        def saved() -> Times:
            file.unlink(missing_ok=True)
            return seconds("relu", epochs, checkpoint=file)

        found = rounds(count, lambda: seconds("relu", epochs), saved)
        cost = (found[:, 1] - found[:, 0]) / (epochs + 1) * 1e3
        return [*spread(cost[:, 0], ".1f"), *spread(cost[:, 1], ".1f")], file.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    pin()
    with threadpool_limits(1, "blas"):
        rows = [monitor(activation, given.rounds, given.epochs) for activation in ("relu", "tanh", "gelu")]
        print(table(["hidden units", "ms an epoch", "watched", "middle half"], rows), flush=True)
        row, size = checkpoint(given.rounds, given.epochs)
        head = ["a checkpoint", "ms CPU", "middle half", "ms wall", "middle half"]
        print("\n" + table(head, [[f"{size / 1e6:.2f} MB", *row]]))


if __name__ == "__main__":
    main()
