"""How long a gradient check takes, beside PyTorch's on the same function where that is installed.

    python benchmarks/gradcheck.py [--rounds N]

`network` checks all 337 parameters of an MLP 2-16-16-1 (relu) under the max-margin loss of 100 examples, `by hand` the
same network and its backward pass in plain NumPy. `wide` checks an input of 100,000 numbers, of which it looks at 2,000
one by one and at all by random projections, `wide, one wrong` the same with one entry off by 1e-4 outside the sample.
Seconds are on the clock, the median over the rounds; calls are of the function, for each entry looked at. The process
stays on the cores that it was given (`taskset -c 0,1 python ...` gives it two).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from run import table, verdict

import micrograd_nn.functional as F
from micrograd_nn import nn
from micrograd_nn.checking import GradcheckReport, check_backward, gradcheck
from micrograd_nn.data import make_moons

LIMITS = {"network": 2.0, "by hand": 2.0, "wide": 10.0, "wide, one wrong": 10.0}  # seconds
WIDE, PLACE = 100_000, 31_415


def moons() -> tuple[Any, Any, Any]:
    X, y = make_moons(100, noise=0.1, rng=0)
    return nn.MLP(2, [16, 16, 1], "relu", rng=1), X, 2.0 * y - 1


def forward(X: Any, y: Any, *p: Any) -> Any:
    for weight, bias in zip(p[:4:2], p[1:4:2], strict=True):
        X = np.maximum(X @ weight.T + bias, 0)
    scores = (X @ p[4].T + p[5])[:, 0]
    return np.mean(np.maximum(1 - y * scores, 0))


def backward(g: Any, X: Any, y: Any, *p: Any) -> Any:
    h1 = np.maximum(X @ p[0].T + p[1], 0)
    h2 = np.maximum(h1 @ p[2].T + p[3], 0)
    scores = (h2 @ p[4].T + p[5])[:, 0]
    d3 = (g * -y * (1 - y * scores > 0) / len(y))[:, None]
    d2 = d3 @ p[4] * (h2 > 0)
    d1 = d2 @ p[2] * (h1 > 0)
    return d1.T @ X, d1.sum(0), d2.T @ h1, d2.sum(0), d3.T @ h2, d3.sum(0)


def ours() -> dict[str, Callable[[], GradcheckReport]]:
    model, X, y = moons()
    parameters = [np.array(p.data) for p in model.parameters()]
    x = np.random.default_rng(0).normal(size=WIDE)

    def slopes(g: Any, x: Any, by: float) -> Any:
        found = g * (np.tanh(x) + x * (1 - np.tanh(x) ** 2))
        found[PLACE] *= 1 + by
        return found

    def wide(by: float) -> GradcheckReport:
        return check_backward(
            lambda x: np.sum(np.tanh(x) * x), lambda g, x: slopes(g, x, by), x, raise_on_error=False, progress=False
        )

    return {
        "network": lambda: gradcheck(lambda m: F.hinge_loss(m(X)[:, 0], y), model, progress=False),
        "by hand": lambda: check_backward(
            lambda *p: forward(X, y, *p), lambda g, *p: backward(g, X, y, *p), *parameters, progress=False
        ),
        "wide": lambda: wide(0.0),
        "wide, one wrong": lambda: wide(1e-4),
    }


def pytorch() -> dict[str, Callable[[], bool]]:
    """The same network in PyTorch, where it is installed."""
    try:
        import torch
    except ImportError:
        return {}
    model, X, y = moons()
    given = [torch.tensor(np.array(p.data), requires_grad=True) for p in model.parameters()]
    X, y = torch.tensor(np.asarray(X)), torch.tensor(np.asarray(y))

    def loss(*p: Any) -> Any:
        h = torch.relu(torch.relu(X @ p[0].T + p[1]) @ p[2].T + p[3])
        return torch.clamp(1 - y * (h @ p[4].T + p[5])[:, 0], min=0).mean()

    first = float(loss(*given).detach())
    assert abs(first - forward(X.numpy(), y.numpy(), *(p.detach().numpy() for p in given))) < 1e-12
    return {
        "PyTorch": lambda: torch.autograd.gradcheck(loss, given),
        "PyTorch, fast": lambda: torch.autograd.gradcheck(loss, given, fast_mode=True),
    }


def seconds(work: Callable[[], Any], rounds: int) -> tuple[list[float], Any]:
    found, times = work(), []
    for _ in range(rounds):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return times, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    rows, network = [], 0.0
    for name, check in ours().items():
        times, report = seconds(check, rounds)
        wrong = [r for r in report.rows if r.verdict != "ok"]
        assert report.ok or [r.index for r in wrong] == [(PLACE,)], str(report)
        low, middle, high = np.percentile(times, [25, 50, 75])
        network = middle if name == "network" else network
        calls = f"{report.calls / report.checked:.1f}"
        bar = f"{statistics.median(r.error_bar / abs(r.numeric) for r in report.rows if r.numeric):.1e}"
        limit = LIMITS[name]
        seen = f"{report.checked:,} of {report.coordinates:,}"
        rows.append([name, seen, f"{middle:.2f}", f"{low:.2f} – {high:.2f}", calls, bar, f"{limit:g}",
                     verdict(middle, "<=", limit)])  # fmt: skip
    print(table(["check", "entries", "s", "middle half", "calls", "error bar", "at most", ""], rows), flush=True)
    beside = [[name, f"{(s := statistics.median(seconds(check, rounds)[0])):.3f}", f"{network / s:.1f}"]
              for name, check in pytorch().items()]  # fmt: skip
    if beside:
        print("\n" + table(["network", "s", "ours takes times"], beside))
    else:
        print("\nleft out: PyTorch (not installed)")


if __name__ == "__main__":
    main()
