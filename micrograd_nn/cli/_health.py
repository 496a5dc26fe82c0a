"""`micrograd-nn health`: which units of a saved run are dead or saturated, on its own test or on other data."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn import data, run, training
from micrograd_nn.cli import _saved
from micrograd_nn.cli._options import add_parser, count, explained, say
from micrograd_nn.experiment import LOSSES, Settings, dataset
from micrograd_nn.health import unit_health

__all__ = ["add_command"]

EXAMPLES = """
  micrograd-nn health runs/digits-1
  micrograd-nn health runs/flowers-1 --data new.csv
  micrograd-nn health runs/digits-1 --json > units.json
"""


def add_command(commands: Any) -> None:
    parser = add_parser(
        commands, "health", "say which units of a trained network are dead or saturated",
        "Measures every unit of a run's network, on the examples its training held back or on other data: how often it "
        "is on, whether it is dead, dormant or saturated, where the gradient gets through, and what to do about it.",
        "micrograd-nn health RUN [OPTION ...]", EXAMPLES,
    )  # fmt: skip
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, as micrograd-nn train leaves it")
    parser.add_argument(
        "--data", metavar="NAME|FILE.csv",
        help="other data: a set by name, or a table with the run's columns, in any order; more columns do no harm, and "
        "without the column of the classes there are no gradients",
    )  # fmt: skip
    parser.add_argument("--target", metavar="COLUMN", help="the column of the classes (default: the run's)")
    parser.add_argument(
        "--batch-size", type=count, default=1024, metavar="N", help="examples at a time (default: 1024)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON, unit by unit")
    parser.set_defaults(command=health)


@np.errstate(all="ignore")
def health(arguments: argparse.Namespace) -> int:
    folder = run.finished(arguments.run)
    settings, saved = _saved.settings(folder)
    model = _saved.restored(folder, settings, saved)
    loss = LOSSES[settings.loss][0]
    with _saved.whole(folder):
        what, X, y = examples(arguments, settings, saved)
    with explained():
        report = unit_health(model, X, y, None if y is None else loss, batch_size=arguments.batch_size)
    if arguments.json:
        say(json.dumps(report.to_dict(), indent=1, allow_nan=False))
        return 0
    lines = [f"{folder}: {model!r} on {what}"]
    if y is None:
        lines.append("They have no labels for this network, so there are no gradients.")
    else:
        mean, accuracy = training.evaluate(model, loss, X, y)
        lines.append(f"Accuracy {accuracy:.2%}, loss {mean:.4f}.")
    say("\n".join([*lines, "", str(report)]))
    return 0


def examples(arguments: argparse.Namespace, settings: Settings, saved: dict[str, Any]) -> tuple[str, Any, Any]:
    """The examples to measure on, in words and in the run's own scale, with labels where there are any."""
    if arguments.data is None:
        if arguments.target is not None:
            raise data.DataError("--target names a column of --data FILE.csv, and no --data was given.")
        own = _saved.experiment(settings, saved, ", or give other data with --data")
        return f"the test of {own.dataset.title}", own.X_test, own.y_test
    classes, y = tuple(saved["classes"]), None
    if arguments.data in data.NAMES or not os.path.exists(arguments.data):
        made = replace(settings, data=arguments.data, target=arguments.target)
        if arguments.data != settings.data:
            made = replace(made, examples=None, noise=None)
        found = dataset(made, settings.seeds[-1])  # where points are made, others than those learned from
        title, X = found.title, found.X
        if X.shape[1] != saved["n_in"]:
            raise data.DataError(f"{arguments.data} has {X.shape[1]} features, and this network takes {saved['n_in']}.")
        if found.classes == classes:
            y = found.y
    else:
        if not saved["features"]:
            raise data.DataError("a run of the first version knows no names of columns: give --data a set by name.")
        target = arguments.target if arguments.target is not None else settings.target
        table = data.read_table(arguments.data, target, features=saved["features"], classes=classes)
        if arguments.target is not None and table.y is None:
            raise data.DataError(f"{arguments.data} has no column {target!r}.")
        title, X, y = f"{arguments.data}: {len(table.X):,} rows", table.X, table.y
    if saved["scale"]:
        X = data.Scale(**saved["scale"], names=saved["features"])(X)
    labels = LOSSES[settings.loss][1]
    return title, X, y if y is None or labels is None else np.array(labels)[y]
