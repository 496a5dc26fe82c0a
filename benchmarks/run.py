"""How fast the engine is beside others at the same work: W1 to W6, as README.md beside this file describes them.

    python benchmarks/run.py [--work w1,w2,...] [--rounds N] [--json FILE] [--markdown]

Everything runs on one thread, pinned to one core where the system can. The times that count are of CPU, which other
programs on the machine disturb least; contestants take turns, and a ratio is the median over the turns.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
CHAIN = 1_000_000 // 3  # links of W5: three operations each
TITLES = {
    "w1": "W1, scalar moons step", "w2": "W2, tiny tensors", "w3": "W3, CIFAR size", "w4": "W4, MNIST size, Adam",
    "w5": "W5, chain of 1e6 operations", "w6": "W6, import",
}  # fmt: skip

# work, what is measured, how to find it in the results, at most or at least, how much
#   "a / b": the ratio of a's time to b's; "us a", "bytes a": of one operation; "ms a": of an import
TARGETS: list[tuple[str, str, str, str, float]] = [
    ("w1", "times as fast as micrograd as it comes", "micrograd / ours", ">=", 25),
    ("w1", "times as fast as micrograd with the collector off", "micrograd, collector off in the step / ours", ">=", 2.5),
    ("w2", "times naive NumPy", "ours / NumPy, naive", "<=", 1.9),
    ("w2", "times as fast as PyTorch", "PyTorch, eager / ours", ">=", 2),
    ("w3", "times naive NumPy", "ours / NumPy, naive", "<=", 1.03),
    ("w4", "times naive NumPy", "ours / NumPy, naive", "<=", 1.05),
    ("w4", "times as fast as PyTorch", "PyTorch, eager / ours", ">=", 1),
    ("w5", "µs per operation, Values", "us ours, Value", "<=", 1.2),
    ("w5", "bytes per operation, Values", "bytes ours, Value", "<=", 250),
    ("w5", "µs per operation, Tensors", "us ours, Tensor", "<=", 1.2),
    ("w5", "bytes per operation, Tensors", "bytes ours, Tensor", "<=", 250),
    ("w6", "ms beyond NumPy's own", "ms micrograd_nn", "<=", 25),
]


def child(work: str, rounds: int) -> dict[str, Any]:
    """W1 to W4, in a process of their own: round-robin blocks of steps, CPU and wall milliseconds per step."""
    from contestants import contestants, loss_check

    job, steps, notes = contestants(work)
    notes.append(loss_check(job, steps))
    in_block, cpu, wall = {}, {name: [] for name in steps}, {name: [] for name in steps}
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        in_block[name] = max(1, min(2000, int(0.05 / (time.perf_counter() - start))))
    names = list(steps)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            step = steps[name]
            gc.collect()
            step()  # brings its code and data back into the caches
            cpu_start, start = time.process_time(), time.perf_counter()
            for _ in range(in_block[name]):
                step()
            wall[name].append((time.perf_counter() - start) / in_block[name] * 1e3)
            cpu[name].append((time.process_time() - cpu_start) / in_block[name] * 1e3)
    return {"title": job.title, "notes": notes, "cpu_ms": cpu, "wall_ms": wall}


def chain(rounds: int) -> dict[str, Any]:
    """W5: each contestant in a fresh process, by turns; microseconds and bytes per operation."""
    contestants = {
        "ours, Value": ("value", CHAIN), "ours, Tensor": ("tensor", CHAIN), "floats by hand": ("floats", CHAIN),
        "micrograd": ("micrograd", CHAIN), "micrograd, 300 operations": ("micrograd", 100),
    }  # fmt: skip
    us, size, notes, gradients = {}, {}, [], {}
    for _ in range(rounds):
        for name, (kind, n) in list(contestants.items()):
            run = python(str(HERE / "chain.py"), kind, str(n))
            found = json.loads(run.stdout) if run.returncode == 0 else {"error": last_line(run.stderr)}
            if "error" in found:
                notes.append(f"left out: {name} ({found['error']})")
                del contestants[name]
                continue
            us.setdefault(name, []).append(found["cpu"] / (3 * n) * 1e6)
            if n == CHAIN:
                gradients[name] = found["gradient"]
                if found["bytes"]:
                    size.setdefault(name, []).append(found["bytes"] / (3 * n))
    wanted = gradients.get("floats by hand", 0.0)
    if any(abs(g - wanted) > 1e-9 * abs(wanted) for g in gradients.values()):
        raise SystemExit(f"w5: the derivatives differ: {gradients}")
    notes.append(f"the derivatives of all agree: {wanted:.3e}")
    return {"title": "y = tanh(y * 1.01 + 0.01), forward and backward", "notes": notes, "us": us, "bytes": size}


def imports(rounds: int) -> dict[str, Any]:
    """W6: fresh processes, `import numpy` by turns with the same and ours after it; milliseconds of the difference."""
    ms: dict[str, list[float]] = {"numpy": [], "micrograd_nn": []}
    wall: dict[str, list[float]] = {"numpy": [], "micrograd_nn": []}
    code = "import time, numpy; c, t = time.process_time(), time.perf_counter()\n%s\nprint(time.process_time() - c)"
    for turn in range(rounds + 1):
        spent = {}
        for name, line in (("numpy", "import numpy"), ("micrograd_nn", "import numpy; import micrograd_nn")):
            start, cpu = time.perf_counter(), children_cpu()
            python("-c", line)
            spent[name] = (children_cpu() - cpu, time.perf_counter() - start)
        if turn:  # the first turn warms the disk
            ms["numpy"].append(spent["numpy"][0] * 1e3)
            wall["numpy"].append(spent["numpy"][1] * 1e3)
            ms["micrograd_nn"].append((spent["micrograd_nn"][0] - spent["numpy"][0]) * 1e3)
            wall["micrograd_nn"].append((spent["micrograd_nn"][1] - spent["numpy"][1]) * 1e3)
    return {"title": "beyond `import numpy`", "notes": [], "ms": ms, "wall": wall}
