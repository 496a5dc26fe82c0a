"""`micrograd-nn health`: which units of a saved run are dead or saturated, on its own test or on new data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn import data, run
from micrograd_nn.cli._options import count, explained, say
from micrograd_nn.experiment import LOSSES, Experiment, Settings, built
from micrograd_nn.health import unit_health

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    parser = commands.add_parser(
        "health", help="say which units of a trained network are dead or saturated",
        description="Measures every unit of a run's network on the examples its training held back, or on other data: "
        "how often it is on, whether it is dead, dormant or saturated, where the gradient gets through, and what to "
        "do about it.",
    )  # fmt: skip
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, as `micrograd-nn train` leaves it")
    parser.add_argument(
        "--data", metavar="NAME|FILE.csv", help="other data: a set by name, or a table with the run's columns"
    )
    parser.add_argument("--batch-size", type=count, default=1024, help="examples at a time (default: 1024)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON, unit by unit")
    parser.set_defaults(command=health)


@np.errstate(all="ignore")
def health(arguments: argparse.Namespace) -> int:
    folder = run.finished(arguments.run)
    saved = run.load_json(folder / "settings.json")
    with explained():
        settings = Settings.from_dict(saved)
        n_out = len(saved["classes"]) if LOSSES[settings.loss][1] is None else 1
        model = built(settings, saved["n_in"], n_out, 0)
        model.load_state_dict(run.load_weights(folder / "weights.npz"))
        what, X, y = examples(arguments, settings, saved)
        report = unit_health(model, X, y, LOSSES[settings.loss][0], batch_size=arguments.batch_size)
    say(json.dumps(report.to_dict(), indent=1) if arguments.json else f"{folder}: {model!r} on {what}\n\n{report}")
    return 0


def examples(arguments: argparse.Namespace, settings: Settings, saved: dict[str, Any]) -> tuple[str, Any, Any]:
    """The examples to measure on, in words and in the run's own scale, with labels where there are any."""
    if arguments.data is None:
        experiment = Experiment(settings)
        return f"the test of {experiment.dataset.title}", experiment.X_test, experiment.y_test
    if settings.target is None:
        found = data.load(arguments.data)
        title, X, y = found.title, found.X, found.y
        if X.shape[1] != saved["n_in"]:
            raise data.DataError(f"{title}: {X.shape[1]} features, and this network takes {saved['n_in']}.")
        if found.classes != tuple(saved["classes"]):
            y = None
    else:
        table = data.read_table(arguments.data, settings.target, features=saved["features"], classes=saved["classes"])
        title, X, y = arguments.data, table.X, table.y
    if saved["scale"]:
        X = data.Scale(**saved["scale"])(X)
    labels = LOSSES[settings.loss][1]
    return title, X, y if y is None or labels is None else np.array(labels)[y]
