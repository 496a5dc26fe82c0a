"""What can be said on the command line: the options of a run, and how each is read."""

from __future__ import annotations

import argparse
import difflib
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from micrograd_nn import data, experiment, nn, training

__all__ = ["Parser", "add_settings", "count", "explained", "say"]


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise data.DataError(f"{message} (see {self.prog} --help)")


def number(kind: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    """A reader of numbers that refuses what does not fit."""

    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return parse


count = number(int, lambda n: n >= 1, "a whole number of at least 1")
seed = number(int, lambda n: n >= 0, "a whole number of at least 0")
positive = number(float, lambda x: 0 < x < math.inf, "a number above 0")
not_negative = number(float, lambda x: 0 <= x < math.inf, "a number of at least 0")
probability = number(float, lambda p: 0 <= p < 1, "a probability of at least 0 and below 1")


def sizes(text: str) -> tuple[int, ...]:
    return tuple(count(part.strip()) for part in text.split(","))


def one_of(names: Sequence[str], what: str) -> Callable[[str], str]:
    """A reader of names that knows near misses."""

    def parse(text: str) -> str:
        if text in names:
            return text
        near = difflib.get_close_matches(text, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else f": there are {', '.join(names)}"
        raise argparse.ArgumentTypeError(f"no {what} is named {text!r}{hint}")

    return parse


activation = one_of((*nn.ACTIVATIONS, "maxout"), "activation")


def activations(text: str) -> str:
    return ",".join(activation(part.strip()) for part in text.split(","))


def network(text: str) -> Any:
    """The contents of a Network's file, checked by building it."""
    try:
        found = nn.Network.from_json(Path(text))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    import json

    return json.loads(found.to_json())


GROUPS: dict[str, dict[str, tuple[Callable[[str], Any], str, str]]] = {
    "data": {
        "data": (str, "NAME|FILE.csv", "{names}, a set of scikit-learn's, or a CSV file with a header line"),
        "target": (str, "COLUMN", "the column of FILE.csv that holds the classes"),
        "examples": (count, "N", "how many points to make, where the data are made"),
        "noise": (not_negative, "STD", "how far off they lie, where the data are made"),
    },
    "network": {
        "network": (network, "FILE.json", "any acyclic wiring, as Network.to_json writes it, instead of layers"),
        "layers": (sizes, "N,N", "hidden units, layer by layer"),
        "activation": (activations, "NAME", "of the hidden units, or one a layer with commas: {activations}"),
        "init": (str, "NAME", "how weights are drawn, such as xavier_normal; by default as suits the activation"),
        "init_scale": (positive, "FACTOR", "weights so many times as large as they should be"),
    },
    "training": {
        "loss": (one_of(tuple(experiment.LOSSES), "loss"), "NAME", "{losses}"),
        "optimizer": (one_of(tuple(training.OPTIMIZERS), "optimizer"), "NAME", "{optimizers}"),
        "lr": (positive, "RATE", "learning rate"),
        "schedule": (one_of(tuple(training.SCHEDULES), "schedule"), "NAME", "of the rate: {schedules}"),
        "epochs": (count, "N", "passes over the training examples"),
        "batch_size": (count, "N", "examples a step"),
        "early_stopping": (count, "N", "end when the test loss has not fallen for so many epochs"),
        "clip_norm": (positive, "NORM", "gradients at most so long"),
        "seed": (seed, "N", "the same seed gives the same numbers"),
    },
    "regularisation": {
        "l2": (not_negative, "STRENGTH", "adds strength/2 times the sum of squared weights to the loss"),
        "l1": (not_negative, "STRENGTH", "adds strength times the sum of absolute weights"),
        "weight_decay": (not_negative, "RATE", "decay in the optimizer, biases exempt"),
        "dropout": (probability, "P", "share of hidden units dropped at each step"),
        "input_noise": (not_negative, "STD", "noise added to the inputs at each step"),
        "max_norm": (positive, "LENGTH", "longest allowed row of incoming weights"),
    },
}


def add_settings(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """The options that make a run; with `several` each may be given more than once."""
    default = experiment.Settings()
    words = {
        "names": ", ".join(data.NAMES), "activations": ", ".join((*nn.ACTIVATIONS, "maxout")),
        "losses": ", ".join(experiment.LOSSES), "optimizers": ", ".join(training.OPTIMIZERS),
        "schedules": ", ".join(training.SCHEDULES),
    }  # fmt: skip
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for name, (parse, metavar, text) in options.items():
            value = getattr(default, name)
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
            text = text.format(**words) + (f" (default: {shown})" if value not in (None, 0.0) else "")
            action = "append" if several else "store"
            group.add_argument(
                f"--{name.replace('_', '-')}", type=parse, metavar=metavar, help=text.replace("%", "%%"),
                action=action, default=argparse.SUPPRESS, dest=name,
            )  # fmt: skip


@contextmanager
def explained() -> Iterator[None]:
    """What the library refuses, said on one line: settings and data can be wrong together."""
    try:
        yield
    except data.DataError:
        raise
    except (ValueError, TypeError) as error:
        raise data.DataError(str(error)) from None


def say(text: str) -> None:
    """Print, and go on without where nobody reads or nothing can be written."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stands in for stdout until the end
