"""What a HealthMonitor costs: the time of a training run with it and without it, in turns.

    python benchmarks/health.py [--rounds 40] [--epochs 2]

An MLP 64-256-128-10 learns the digits in batches of 32 with Adam, on one BLAS thread; times are of CPU. Each round
trains four times: without, with, with, without, so that a machine that grows faster or slower takes from both alike.
Printed are the median of the rounds' ratios and its quartiles.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from threadpoolctl import threadpool_limits

from micrograd_nn import HealthMonitor, data, fit, nn


def seconds(activation: str, epochs: int, monitor: HealthMonitor | None) -> float:
    X, y = data.load_digits()
    model = nn.MLP(64, [256, 128, 10], activation, rng=0)
    callbacks = [] if monitor is None else [monitor]
    begun = time.process_time()
    history = fit(model, X, y, epochs=epochs, batch_size=32, callbacks=callbacks, rng=0, progress=False)
    spent = time.process_time() - begun
    assert len(history.health) == (0 if monitor is None else epochs)
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=2)
    given = parser.parse_args()
    with threadpool_limits(1, "blas"):
        for activation in ("relu", "tanh", "gelu"):
            ratios, plain = [], []
            for _ in range(given.rounds):
                monitor = HealthMonitor()
                a, b, c, d = (seconds(activation, given.epochs, m) for m in (None, monitor, monitor, None))
                ratios.append((b + c) / (a + d))
                plain.append((a + d) / 2 / given.epochs)
            low, middle, high = np.percentile(ratios, [25, 50, 75]) - 1
            print(
                f"{activation:5} an epoch {np.median(plain) * 1e3:6.1f} ms; watched {middle:+.1%} "
                f"(quartiles {low:+.1%} to {high:+.1%})",
                flush=True,
            )


if __name__ == "__main__":
    main()
