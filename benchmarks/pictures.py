"""How long a picture takes, laid out by the native `dot` and by Graphviz as WebAssembly, and how much memory.

    python benchmarks/pictures.py [--rounds N]

`modules` is the loss of an MLP 3-24-24-1 (relu) on 70 examples, a node a number, with each layer as one box. The others
show every number of about 1,000: `network` the loss of an MLP 3-14-14-1 on one example, `chain` a long chain, every
third link of which uses the same number again, `tangle` sums and products of any two of the last 40, `hopeless` of any
two at all. Seconds are on the clock, from the call to the finished SVG, the median over the rounds, after a first call,
which compiles the WebAssembly. Memory is the most that Python had allocated at any time beyond the graph.
"""

from __future__ import annotations

import argparse
import random
import shutil
import time
import tracemalloc
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
from run import table, verdict

import micrograd_nn as mg
import viz
from micrograd_nn import nn

LIMITS = {"modules": 3.0, "network": 1.0, "chain": 1.0, "tangle": 1.0, "hopeless": 1.0}  # seconds
MOST = 3_000  # boxes


def network(units: int, examples: int = 1) -> Any:
    model, rng = nn.MLP(3, [units, units, 1], "relu", rng=0), np.random.default_rng(0)
    losses = []
    for row in rng.normal(size=(examples, 3)):
        out = model([mg.Value(float(x)) for x in row])
        losses.append(((out[0] if isinstance(out, list) else out) - 1.0) ** 2)
    return finished(sum(losses[1:], losses[0]))


def chain(links: int = 1000) -> Any:
    x = y = mg.Value(0.5, "x")
    for i in range(links):
        y = y.tanh() if i % 3 else y + x
    return finished(y)


def tangle(window: int, nodes: int = 560) -> Any:
    rng = random.Random(0)
    made = [mg.Value(rng.uniform(-1, 1), f"v{i}") for i in range(nodes // 10)]
    while len(made) < nodes:
        a, b = rng.choice(made[-window:]), rng.choice(made[-window:])
        made.append(a * b if rng.random() < 0.5 else (a + b).tanh())
    used = {id(p) for node in made for p in node.parents}
    ends = [node for node in made if id(node) not in used]
    return finished(sum(ends[1:], ends[0]))


def finished(root: Any) -> Any:
    root.backward()
    return root


def pictures() -> dict[str, tuple[Any, dict[str, Any]]]:
    whole = {"budget": MOST}
    return {
        "modules": (network(24, 70), {"depth": 1}),
        "network": (network(14), whole),
        "chain": (chain(), whole),
        "tangle": (tangle(40), whole),
        "hopeless": (tangle(560), whole),
    }


def draw(root: Any, how: dict[str, Any]) -> Any:
    picture = viz.draw(root, **how)
    assert picture.svg.endswith("</svg>\n")
    return picture


def seconds(work: Callable[[], Any], rounds: int) -> list[float]:
    times = []
    work()
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def memory(root: Any, how: dict[str, Any]) -> int:
    tracemalloc.start()
    draw(root, how)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    engines = {"dot": shutil.which("dot"), "WebAssembly": None}
    if engines["dot"] is None:
        del engines["dot"]
        print("left out: the native dot (not on PATH)\n")
    rows = []
    for name, (root, how) in pictures().items():
        count = len(mg.topological_order(root))
        for engine, path in engines.items():
            with patch.object(shutil, "which", lambda _, path=path: path):
                boxes = draw(root, how).svg.count("data-box=")
                low, middle, high = np.percentile(seconds(lambda r=root, h=how: draw(r, h), rounds), [25, 50, 75])
            limit = LIMITS[name]
            rows.append([name, engine, f"{count:,}", f"{boxes:,}", f"{middle:.2f}", f"{low:.2f} – {high:.2f}",
                         f"{limit:g}", verdict(middle, "<=", limit)])  # fmt: skip
    print(table(["picture", "laid out by", "nodes", "boxes", "s", "middle half", "at most", ""], rows), flush=True)
    rows, before = [], 0.0
    for units, examples in (14, 1), (24, 7), (24, 70):
        root = network(units, examples)
        count = len(mg.topological_order(root))
        each = memory(root, {"depth": 1}) / count
        rows.append([f"{count:,}", f"{each * count / 2**20:.1f}", f"{each:.0f}",
                     verdict(each, "<=", 1.25 * before) if before else "–"])  # fmt: skip
        before = each
    print("\n" + table(["nodes, layers as boxes", "MB", "bytes a node", "in proportion"], rows))


if __name__ == "__main__":
    main()
