"""How fast `nn.Network` is with 10,000 units and 1,000,000 edges: wiring, checking for loops, forward and backward.

    python benchmarks/network.py [--rounds N] [--units N] [--only WORK]

Every line is measured in a process of its own, on one thread, pinned to one core where the system can. Seconds are of
the process's CPU, those of a step the median over the rounds; bytes are by how much the peak of resident memory grew
from before the wiring to after the steps.

Three shapes, each with 100 inputs and a batch of 64 examples: `layered`, ten layers of which each unit reads a tenth of
the layer below; `anywhere`, each unit reads a hundred others made before it; `window`, each reads the hundred made just
before it, so that there is a generation for every unit. `mlp` is an MLP 784-256-256-10 (relu) beside the Network made
from it. Connects come one by one in four orders: `as made`, from older to newer units; `shuffled`, where the units were
made in another order than the edges agree on; `backwards`, every edge from a newer to an older unit, the worst found;
`refused`, any two units, of which half would close a loop and are refused.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Iterator
from typing import Any

from chain import memory
from run import python, table, verdict

SHAPES = ("layered", "anywhere", "window")
ORDERS = ("as made", "shuffled", "backwards", "refused")
READS, INPUTS, BATCH = 100, 100, 64
TARGETS = {**dict.fromkeys(SHAPES, 2.0), **dict.fromkeys(ORDERS, 60.0)}  # seconds


def wired(shape: str, units: int) -> Any:
    import numpy as np

    from micrograd_nn.nn import Network

    rng = np.random.default_rng(0)
    net = Network(rng=0)
    names = [net.input(f"x{i}") for i in range(INPUTS)]
    for i in range(units):
        if shape == "window":
            read = names[-READS:]
        elif shape == "anywhere":
            read = [names[j] for j in rng.choice(len(names), READS, replace=False)]
        else:
            layer = i // (units // 10)
            begin, size = (INPUTS + (layer - 1) * (units // 10), units // 10) if layer else (0, INPUTS)
            read = [names[begin + j] for j in rng.choice(size, READS, replace=False)]
        names.append(net.unit(f"u{i}", "relu", read))
    return net


def step_times(model: Any, x: Any, rounds: int) -> tuple[list[float], list[float]]:
    forward, backward = [], []
    for _ in range(rounds):
        start = time.process_time()
        loss = (model(x) ** 2).mean()
        between = time.process_time()
        loss.backward()
        backward.append(time.process_time() - between)
        forward.append(between - start)
        model.zero_grad()
    return forward, backward


def shape(kind: str, units: int, rounds: int) -> dict[str, Any]:
    import numpy as np

    at_first, start = memory("VmRSS"), time.process_time()
    net = wired(kind, units)
    made = time.process_time() - start
    start = time.process_time()
    generations = len(net.generations)
    planned = time.process_time() - start
    forward, backward = step_times(net, np.random.default_rng(1).normal(size=(BATCH, INPUTS)), rounds + 1)
    peak = memory("VmHWM")
    return {
        "edges": net.weight.size, "generations": generations, "wired": made, "planned": planned,
        "forward": statistics.median(forward[1:]),
        "backward": statistics.median(backward[1:]), "bytes an edge": (peak - at_first) / net.weight.size,
    }  # fmt: skip


def mlp(units: int, rounds: int) -> dict[str, Any]:
    import numpy as np

    from micrograd_nn import nn

    model = nn.MLP(784, [256, 256, 10], rng=0)
    net, x = nn.Network.from_mlp(model), np.random.default_rng(0).normal(size=(BATCH, 784))
    ratios, of_mlp, of_net = [], [], []
    for _ in range(max(20, rounds)):
        a, b = (sum(sum(t) for t in step_times(m, x, 3)) / 3 for m in (model, net))
        ratios.append(b / a)
        of_mlp.append(a)
        of_net.append(b)
    return {
        "edges": net.weight.size, "MLP": statistics.median(of_mlp), "Network": statistics.median(of_net),
        "ratio": statistics.median(ratios),
    }  # fmt: skip


def connects(order: str, units: int) -> dict[str, Any]:
    from micrograd_nn import CycleError
    from micrograd_nn.nn import Network

    drawn, count = random.Random(0), units * READS
    net = Network()
    names = [net.unit(f"u{i}") for i in range(units)]
    pairs: dict[tuple[int, int], None] = {}
    while len(pairs) < count:
        i, j = drawn.randrange(units), drawn.randrange(units)
        if i != j:
            pairs[(i, j) if order == "refused" else (min(i, j), max(i, j))] = None
    edges = list(pairs)
    if order == "shuffled":
        drawn.shuffle(names)
    elif order == "backwards":
        names.reverse()
        edges.sort(reverse=True)
    refused, start = 0, time.process_time()
    for i, j in edges:
        try:
            net.connect(names[i], names[j])
        except CycleError:
            refused += 1
    return {"connects": len(edges), "refused": refused, "seconds": time.process_time() - start}


def child(work: str, units: int, rounds: int) -> dict[str, Any]:
    if work == "mlp":
        return mlp(units, rounds)
    return shape(work, units, rounds) if work in SHAPES else connects(work, units)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--only", choices=[*SHAPES, "mlp", *ORDERS])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        print(json.dumps(child(chosen.child, chosen.units, chosen.rounds)))
        return
    found = {}
    for work in [chosen.only] if chosen.only else [*SHAPES, "mlp", *ORDERS]:
        run = python(__file__, "--child", work, "--units", str(chosen.units), "--rounds", str(chosen.rounds))
        if run.returncode:
            raise SystemExit(run.stderr)
        found[work] = json.loads(run.stdout)
    print("\n\n".join(tables(found)))


def tables(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Those that there are figures for."""

    def judged(work: str, seconds: float) -> list[str]:
        return [f"{seconds:.2f}", f"{TARGETS[work]:g}", verdict(seconds, "<=", TARGETS[work])]

    shapes = [[s, f"{r['generations']:,}", f"{r['wired']:.2f}", f"{r['planned']:.2f}", f"{r['forward']:.2f}",
               f"{r['backward']:.2f}", *judged(s, r["forward"] + r["backward"]), f"{r['bytes an edge']:.0f}"]
              for s, r in found.items() if s in SHAPES]  # fmt: skip
    if shapes:
        head = ["s CPU", "generations", "wiring", "planning", "forward", "backward", "both", "at most", "",
                "bytes an edge"]  # fmt: skip
        yield table(head, shapes)
    connects = [[o, f"{r['connects']:,}", f"{r['refused']:,}", *judged(o, r["seconds"])]
                for o, r in found.items() if o in ORDERS]  # fmt: skip
    if connects:
        yield table(["s CPU", "connects", "refused", "all", "at most", ""], connects)
    if "mlp" in found:
        r = found["mlp"]
        yield table(["ms CPU, both ways", "edges", "MLP", "Network", "times"], [[
            "784-256-256-10", f"{r['edges']:,}", f"{r['MLP'] * 1e3:.2f}", f"{r['Network'] * 1e3:.2f}",
            f"{r['ratio']:.2f}",
        ]])  # fmt: skip


if __name__ == "__main__":
    main()
