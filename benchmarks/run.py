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
import tempfile
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
    (
        "w1",
        "times as fast as micrograd with the collector off",
        "micrograd, collector off in the step / ours",
        ">=",
        2.5,
    ),
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
    us, size, notes, ends = {}, {}, [], {}
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
                ends[name] = (found["y"], found["gradient"])
                if found["bytes"]:
                    size.setdefault(name, []).append(found["bytes"] / (3 * n))
    y, g = ends["floats by hand"]
    if any(abs(v - y) > 1e-9 * abs(y) or abs(d - g) > 1e-9 * abs(g) for v, d in ends.values()):
        raise SystemExit(f"w5: values or derivatives differ: {ends}")
    notes.append(f"all end at the same value, {y:.12f}, with the same derivative, {g:.3g}")
    return {"title": "y = tanh(y * 1.01 + 0.01), forward and backward", "notes": notes, "us": us, "bytes": size}


def imports(rounds: int) -> dict[str, Any]:
    """W6: fresh processes, `import numpy` by turns with the same and ours after it; milliseconds of CPU and wall."""
    lines = {"numpy": "import numpy", "micrograd_nn": "import numpy; import micrograd_nn"}
    cpu, wall = {name: [] for name in lines}, {name: [] for name in lines}
    with tempfile.TemporaryDirectory() as bytecode:  # compiled in the first turn, as when a package is installed
        for turn in range(rounds + 1):
            for name, line in lines.items():
                start = time.perf_counter()
                run = python("-c", line + "; import time; print(time.process_time())", PYTHONPYCACHEPREFIX=bytecode)
                if turn:
                    wall[name].append((time.perf_counter() - start) * 1e3)
                    cpu[name].append(float(run.stdout) * 1e3)
    ms = {"micrograd_nn": [b - a for a, b in zip(cpu["numpy"], cpu["micrograd_nn"], strict=True)]}
    return {"title": "a fresh interpreter", "notes": [], "ms": ms, "cpu_ms": cpu, "wall_ms": wall}


def python(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(p for p in (str(HERE.parent), os.environ.get("PYTHONPATH", "")) if p)
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": path} | extra
    if extra:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it crashed"])[-1]


def pin() -> str:
    """Stay on the core that was idlest for half a second, where the system lets a process choose."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned to a core"

    def idle() -> dict[int, int]:
        with open("/proc/stat") as stat:
            rows = [line.split() for line in stat if line.startswith("cpu") and line[3].isdigit()]
        return {int(row[0][3:]): int(row[4]) for row in rows}

    before = idle()
    time.sleep(0.5)
    after = idle()
    core = max(os.sched_getaffinity(0), key=lambda c: after.get(c, 0) - before.get(c, 0))
    os.sched_setaffinity(0, {core})
    return f"pinned to core {core}"


def machine() -> dict[str, str]:
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    found = {"CPU": f"{cpu}, {os.cpu_count()} cores", "Python": platform.python_version()}
    for name in ("numpy", "micrograd", "torch"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def middle(values: list[float]) -> float:
    return statistics.median(values)


def measured(result: dict[str, Any], what: str) -> float | None:
    """The figure of a target, or None where a contestant was left out."""
    if " / " in what:
        top, bottom = (result["cpu_ms"].get(name) for name in what.split(" / "))
        return middle([a / b for a, b in zip(top, bottom, strict=True)]) if top and bottom else None
    unit, name = what.split(" ", 1)
    found = result[unit].get(name)
    return middle(found) if found else None


def verdict(value: float | None, sign: str, reach: float) -> str:
    if value is None:
        return "not measured"
    if value <= reach if sign == "<=" else value >= reach:
        return "reached"
    short = abs(value / reach - 1)
    return f"missed by {short:.0%}" if short >= 0.005 else "missed by <1%"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, in line for the eye too: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (w + 2 - bool(i)) + ":" * bool(i) for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def timings(result: dict[str, Any]) -> str:
    """One work's contestants."""
    cpu, rows = result.get("cpu_ms"), []
    if "us" in result:
        for name, us in result["us"].items():
            size = result["bytes"].get(name)
            rows.append([name, f"{middle(us):.2f}", f"{middle(size):.0f}" if size else "–"])
        return table(["", "µs / operation", "bytes / operation"], rows)
    first = next(iter(cpu))
    for name, ms in cpu.items():
        low, _, high = statistics.quantiles(ms, n=4) if len(ms) > 1 else ms * 3
        ratio = middle([a / b for a, b in zip(ms, cpu[first], strict=True)])
        rows.append([name, f"{middle(ms):.4g}", f"{low:.4g} – {high:.4g}", f"{middle(result['wall_ms'][name]):.4g}",
                     f"{ratio:.2f}"])  # fmt: skip
    return table(["", "ms CPU", "middle half", "ms wall", f"times {first}"], rows)


def targets(results: dict[str, Any]) -> str:
    rows = []
    for work, what, where, sign, reach in TARGETS:
        if work in results:
            value = measured(results[work], where)
            shown = "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.2f}"
            limit = f"at {'most' if sign == '<=' else 'least'} {reach:g}"
            rows.append([f"{TITLES[work]}: {what}", limit, shown, verdict(value, sign, reach)])
    return table(["target", "reach", "measured", ""], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", default=",".join(TITLES), help="which of w1 to w6, with commas between")
    parser.add_argument("--rounds", type=int, default=21, help="how many turns each contestant gets (W5: a third)")
    parser.add_argument("--json", metavar="FILE", help="write every single measurement there")
    parser.add_argument("--markdown", action="store_true", help="print the tables alone, ready for README.md")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(args.child, args.rounds)))
        return
    works = args.work.lower().split(",")
    if args.rounds < 1 or not set(works) <= set(TITLES):
        parser.error(f"--rounds is at least 1, and --work is some of {', '.join(TITLES)}.")

    def say(text: str) -> None:
        if not args.markdown:
            print(text, flush=True)

    about, results = machine(), {}
    say(", ".join(f"{k} {v}" for k, v in about.items()) + f"; one thread, {pin()}\n")
    sections = []
    for work in works:
        if work == "w5":
            results[work] = chain(max(1, args.rounds // 3))
        elif work == "w6":
            results[work] = imports(args.rounds)
        else:
            run = python(str(HERE / "run.py"), "--child", work, "--rounds", str(args.rounds))
            if run.returncode:
                raise SystemExit(run.stderr)
            results[work] = json.loads(run.stdout)
        result = results[work]
        section = f"**{TITLES[work]}** ({result['title']})\n\n{timings(result)}\n"
        sections.append(section)
        say(section + "".join(f"  {note}\n" for note in result["notes"]))
    print(targets(results) + ("\n\n" + "\n".join(sections) if args.markdown else ""))
    if args.json:
        Path(args.json).write_text(json.dumps({"machine": about, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
