"""The command as a person runs it, in a process of its own, and what a run leaves behind."""

import json
import subprocess
import sys

from micrograd_nn import run

FILES = {"checkpoint.npz", "graph.svg", "history.json", "settings.json", "summary.txt", "weights.npz"}
QUICK = ("--data", "moons", "--layers", "4", "--lr", "0.02", "--epochs", "3")


def started(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "micrograd_nn", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def settings(folder):
    return json.loads((folder / "settings.json").read_text())


def history(folder):
    """The epochs without their seconds, the only thing that differs from run to run."""
    found = json.loads((folder / "history.json").read_text())
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in found["epochs"]], found["ended"]


def same_numbers(a, b):
    weights, others = run.load_weights(a / "weights.npz"), run.load_weights(b / "weights.npz")
    return (
        weights.keys() == others.keys()
        and all(weights[name].tobytes() == others[name].tobytes() for name in weights)
        and history(a) == history(b)
        and (a / "graph.svg").read_text() == (b / "graph.svg").read_text()
    )


def one_line(capsys):
    """What was said on stderr, which must be one line that names the command, with nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("micrograd-nn: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err
