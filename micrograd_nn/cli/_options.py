"""What can be said on the command line: the options of a run, and how each is read."""

from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO

from micrograd_nn import data, experiment, nn, training

__all__ = [
    "Formatter", "Parser", "Patient", "Wiring", "add_parser", "add_settings", "complain", "count", "explained", "say",
]  # fmt: skip


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise data.DataError(f"{message} (see {self.prog} --help)")


class Formatter(argparse.HelpFormatter):
    """Help in lines that are easy to read, however wide the terminal; what is indented stays as it was written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=min(shutil.get_terminal_size().columns, 92) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        wrapped = super()._fill_text
        return "\n".join(p if p.startswith("  ") else wrapped(p, width, indent) for p in text.split("\n"))


def add_parser(commands: Any, name: str, short: str, description: str, usage: str, examples: str) -> Parser:
    """A command, with examples at the end of its help."""
    parser: Parser = commands.add_parser(
        name, help=short, description=description, usage=usage, formatter_class=Formatter,
        epilog=f"examples:\n{examples.strip(chr(10))}",
    )  # fmt: skip
    return parser


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
        near = difflib.get_close_matches(text.lower().replace("-", "_"), names, n=1)
        hint = f"; did you mean {near[0]}?" if near else f": there are {', '.join(names)}"
        raise argparse.ArgumentTypeError(f"no {what} is named {text!r}{hint}")

    return parse


activation = one_of((*nn.ACTIVATIONS, "maxout"), "activation")
INITIALISERS = [name.rstrip("_") for name in nn.init.__all__ if name not in ("calculate_gain", "constant_")]
OFF = ("l1", "l2", "dropout", "input_noise", "init_scale")  # what does nothing unless it is asked for
initialiser = one_of(INITIALISERS, "way to draw weights")


def activations(text: str) -> str:
    return ",".join(activation(part.strip()) for part in text.split(","))


class Wiring(dict[str, Any]):
    """The contents of a Network's file, and its name."""

    file: str


def network(text: str) -> Wiring:
    """The contents of a Network's file, checked by building it; where weights are missing, a run's seed draws them."""
    try:
        nn.Network.from_json(Path(text), 0)
        found = Wiring(json.loads(Path(text).read_text(encoding="utf-8")))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    except RecursionError:
        raise argparse.ArgumentTypeError(f"{text}: it is no network, but brackets within brackets") from None
    except (ValueError, TypeError) as error:
        where = "" if str(error).startswith(text) else f"{text}: "
        raise argparse.ArgumentTypeError(f"{where}{str(error).rstrip('.')}") from None
    found.file = text
    return found


GROUPS: dict[str, dict[str, tuple[Callable[[str], Any], str, str]]] = {
    "data": {
        "data": (str, "NAME|FILE.csv", "{names}, or a CSV file with a header line"),
        "target": (str, "COLUMN", "the column of FILE.csv that holds the classes"),
        "examples": (count, "N", "how many points to make, for {made} (default: 400)"),
        "noise": (not_negative, "STD", "how far these points stray"),
    },
    "network": {
        "layers": (sizes, "N,N", "hidden units, layer by layer"),
        "activation": (activations, "NAME", "of the hidden units, or with commas one for each layer: {activations}"),
        "init": (initialiser, "NAME", "how weights are drawn: {initialisers} (default: what suits the activation)"),
        "init_scale": (positive, "FACTOR", "then multiplies them: 10 saturates on purpose"),
        "network": (network, "FILE.json", "instead of layers, any acyclic wiring, as nn.Network.save writes it; "
                    "training goes on from the weights in it"),
    },
    "training": {
        "loss": (one_of(tuple(experiment.LOSSES), "loss"), "NAME", "{losses}; the last two for two classes"),
        "optimizer": (one_of(tuple(training.OPTIMIZERS), "optimizer"), "NAME", "{optimizers}"),
        "lr": (positive, "RATE", "learning rate"),
        "schedule": (one_of(tuple(training.SCHEDULES), "schedule"), "NAME",
                     "how the rate changes over the run: {schedules} (default: not at all)"),
        "epochs": (count, "N", "passes over the training examples"),
        "batch_size": (count, "N", "examples a step"),
        "clip_norm": (positive, "LENGTH", "a longer gradient is shortened to this"),
        "seed": (seed, "N", "the same seed gives the same numbers"),
    },
    "regularisation": {
        "l2": (not_negative, "STRENGTH", "adds STRENGTH/2 times the sum of squared weights to the loss"),
        "l1": (not_negative, "STRENGTH", "adds STRENGTH times the sum of absolute weights"),
        "weight_decay": (not_negative, "RATE", "decay by the optimizer, biases exempt (default: 0; adamw: 0.01)"),
        "dropout": (probability, "P", "the share of the hidden units that is dropped at each step"),
        "input_noise": (not_negative, "STD", "noise that is added to the inputs at each step"),
        "max_norm": (positive, "LENGTH", "a unit's row of weights, where longer, is shortened to this"),
        "early_stopping": (count, "N", "ends when the test loss has not fallen for N epochs, with the best weights"),
    },
}  # fmt: skip


def add_settings(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """The options that make a run; with `several` each may be given more than once."""
    default = experiment.Settings()
    names = {
        "names": data.NAMES, "made": experiment.MADE, "activations": (*nn.ACTIVATIONS, "maxout"),
        "initialisers": INITIALISERS, "losses": experiment.LOSSES, "optimizers": training.OPTIMIZERS,
        "schedules": training.SCHEDULES,
    }  # fmt: skip
    words = {key: ", ".join(values) for key, values in names.items()}
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for name, (parse, metavar, text) in options.items():
            value = getattr(default, name)
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
            text = text.format(**words) + (
                "" if value is None or name in OFF or (several and name == "seed") else f" (default: {shown})"
            )
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


class Patient:
    """A stream that goes on when nobody reads it any more, or nothing can be written: the run is what counts."""

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream if stream is not None else open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write, if that can be done."""
        self._do(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, if that can be done."""
        self._do(self.stream.flush)

    def _do(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except OSError:  # what is still in the buffer, and all that comes, goes nowhere
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


def say(text: str) -> None:
    """Print at once: whoever waits for it may be a program."""
    print(text, flush=True)


def complain(message: str, status: int = 2) -> int:
    """One line on stderr, whatever is in the message; returns the exit status."""
    line = "".join(c if c.isprintable() else " " for c in " ".join(message.split()))
    print(f"micrograd-nn: {line if len(line) <= 400 else line[:399] + '…'}", file=sys.stderr, flush=True)
    return status
