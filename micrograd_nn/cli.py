"""The command line: `micrograd-nn train` trains a network, on the digits or on your own table."""

from __future__ import annotations

import argparse
import difflib
import io
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import micrograd_nn as mg
from micrograd_nn import data, nn, run, tables, training
from micrograd_nn.health import unit_health

__all__ = ["main"]


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise data.DataError(f"{message} (see {self.prog} --help)")


@dataclass(frozen=True)
class Task:
    """What is to be learned: examples, the names of the classes, and what to call it."""

    title: str
    stem: str
    X: Any
    y: Any
    classes: tuple[str, ...]
    features: tuple[str, ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, 2 for input it cannot work on, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name must not end a run where it cannot be shown
    try:
        arguments = _parser().parse_args(argv)
        with run.ended_like_ctrl_c():
            status: int = arguments.command(arguments)
        return status
    except data.DataError as error:
        return _complain(str(error))
    except MemoryError:
        return _complain("that needs more memory than there is: use fewer or smaller layers.")
    except OSError as error:
        return _complain(f"{error.filename or 'writing the run'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        return _complain("interrupted.", 130)


def _complain(message: str, status: int = 2) -> int:
    line = "".join(c if c.isprintable() else " " for c in " ".join(message.split()))
    print(f"micrograd-nn: {line if len(line) <= 400 else line[:399] + '…'}", file=sys.stderr)
    return status


def _say(text: str) -> None:
    """Print, and go on without where nobody reads or nothing can be written."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stands in for stdout until the end


def _parser() -> Parser:
    parser = Parser(prog="micrograd-nn", description="A small, exact, readable engine for neural networks.")
    parser.add_argument("--version", action="version", version=f"micrograd-nn {mg.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train = commands.add_parser(
        "train", help="train a network on handwritten digits, or on a table of your own",
        description="Trains a multilayer perceptron, holding a fifth of the examples back for the test, and leaves a "
        "run folder: weights.npz, history.json, settings.json, summary.txt and graph.svg. Ctrl-C ends the training "
        "with what was learned so far.",
    )  # fmt: skip
    train.add_argument(
        "--data", type=Path, metavar="FILE.csv", help="a CSV file with a header line (default: the digits)"
    )
    train.add_argument("--target", metavar="COLUMN", help="the column of FILE.csv that holds the classes")
    train.add_argument(
        "--layers",
        type=_sizes,
        default=(256, 128),
        metavar="N,N",
        help="hidden units, layer by layer (default: 256,128)",
    )
    train.add_argument(
        "--activation", type=_activation, default="relu", help=f"one of {', '.join(nn.ACTIVATIONS)} (default: relu)"
    )
    train.add_argument("--lr", type=_positive, default=1e-3, help="learning rate of Adam (default: 0.001)")
    train.add_argument("--epochs", type=_count, default=40, help="passes over the training examples (default: 40)")
    train.add_argument("--batch-size", type=_count, default=32, help="examples a step (default: 32)")
    train.add_argument("--seed", type=_seed, default=0, help="the same seed gives the same numbers (default: 0)")
    train.add_argument("--out", type=Path, metavar="FOLDER", help="where the run goes (default: runs/NAME-1, -2, ...)")
    train.set_defaults(command=_train)
    return parser


def _number_of(kind: Callable[[str], Any], fits: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not fits(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return parse


_count = _number_of(int, lambda n: n >= 1, "a whole number of at least 1")
_seed = _number_of(int, lambda n: n >= 0, "a whole number of at least 0")
_positive = _number_of(float, lambda x: 0 < x < math.inf, "a number above 0")


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_count(part.strip()) for part in text.split(","))


def _activation(text: str) -> str:
    if text in nn.ACTIVATIONS:
        return text
    near = difflib.get_close_matches(text, nn.ACTIVATIONS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f": there are {', '.join(nn.ACTIVATIONS)}"
    raise argparse.ArgumentTypeError(f"no activation is named {text!r}{hint}")


def _task(arguments: argparse.Namespace) -> Task:
    if arguments.data is None:
        if arguments.target is not None:
            raise data.DataError("--target names a column of --data FILE.csv, and no --data was given.")
        X, y = data.load_digits()
        return Task("1,797 handwritten digits, 8x8 pixels", "digits", X, y, tuple("0123456789"))
    if arguments.target is None:
        raise data.DataError("--data needs --target COLUMN: which column holds the classes?")
    table = tables.read_table(arguments.data, arguments.target)
    title = f"{arguments.data.name}: {len(table.y):,} rows, {len(table.features)} features, target {arguments.target!r}"
    return Task(title, arguments.data.stem, table.X, table.y, table.classes, table.features)


@np.errstate(all="ignore")  # a run that overflows ends, and says so itself
def _train(arguments: argparse.Namespace) -> int:
    from threadpoolctl import threadpool_limits

    task = _task(arguments)
    out = arguments.out or run.next_free(task.stem)
    # Matrices of this size are multiplied faster by one core than by several, and to the same last digit everywhere.
    with threadpool_limits(1, "blas"), run.partial_folder(out) as folder:
        seeds = np.random.SeedSequence(arguments.seed).spawn(3)
        splitting, drawing, shuffling = (np.random.default_rng(seed) for seed in seeds)
        X, X_test, y, y_test = data.train_test_split(task.X, task.y, 0.2, splitting)
        scale: dict[str, list[float]] = {}
        if task.features:  # the columns of a table differ in size; the pixels of a digit do not
            X, X_test, scale = _standardised(X, X_test, task.features)
        model = nn.MLP(X.shape[1], [*arguments.layers, len(task.classes)], arguments.activation, drawing)
        _say(f"Data: {task.title}; {len(y):,} to train on, {len(y_test):,} held back for the test.\n")
        _say(f"{model.summary()}\n")
        begun = time.perf_counter()
        history = training.fit(
            model, X, y, lr=arguments.lr, epochs=arguments.epochs, batch_size=arguments.batch_size,
            validation_data=(X_test, y_test), rng=shuffling,
        )  # fmt: skip
        seconds = time.perf_counter() - begun
        with run.uninterrupted():
            result, health = _findings(model, X_test, y_test, history)
            run.save_weights(folder / "weights.npz", model.state_dict())
            run.save_json(folder / "history.json", history.to_dict())
            run.save_json(folder / "settings.json", _settings(arguments, task, model, scale))
            summary = f"{task.title}\n\n{model.summary()}\n\n{result}\n\n{health}\n"
            (folder / "summary.txt").write_text(summary, encoding="utf-8")
            _picture(model, X_test[:16], y_test[:16], folder / "graph.svg")
            saved = run.publish(folder, out)
    _say(f"\n{result} ({seconds:.1f} s)\n\n{health}")
    shown = out if saved == out.resolve() else saved
    _say(f"\nSaved in {shown}: weights.npz, history.json, settings.json, summary.txt, graph.svg.")
    return 0


def _standardised(X: Any, X_test: Any, names: Sequence[str]) -> tuple[Any, Any, dict[str, list[float]]]:
    """Both parts with the training part's mean 0 and standard deviation 1, column by column; and those two."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = X.mean(0), X.std(0)
    for name, value in zip(names, mean + spread, strict=True):
        if not math.isfinite(value):
            raise data.DataError(
                f"column {name!r} holds numbers too large to work with: divide it by a constant first."
            )
    same = X.max(0) == X.min(0)  # rounding would leave a spread that is not quite 0
    mean[same], spread[same] = X[0, same], 1
    return (X - mean) / spread, (X_test - mean) / spread, {"mean": mean.tolist(), "std": spread.tolist()}


def _findings(model: nn.MLP, X: Any, y: Any, history: training.History) -> tuple[str, str]:
    """How the run went, in a sentence, and the health of the units, as a table."""
    if not all(np.isfinite(p.data).all() for p in model.parameters()):
        return f"The run came to nothing: {history.ended}.", "No unit health: there are weights that are not finite."
    loss, accuracy = training.evaluate(model, "cross_entropy", X, y)
    if not math.isfinite(loss):
        return f"The run came to nothing: {history.ended}.", "No unit health: the network's numbers overflow."
    result = f"Test accuracy {accuracy:.2%}, test loss {loss:.4f}, after {len(history)} epochs."
    if history.ended != "finished":
        result += f" The run ended early: {history.ended}."
    try:
        return result, str(unit_health(model, X))
    except ValueError as error:  # numbers that overflow on the way, and yet a loss
        return result, f"No unit health: {error}"


def _settings(arguments: argparse.Namespace, task: Task, model: nn.MLP, scale: dict[str, Any]) -> dict[str, Any]:
    """What is needed to build the model again and to run it on new data."""
    given = {k: getattr(arguments, k) for k in ("target", "activation", "lr", "epochs", "batch_size", "seed")}
    return given | {
        "version": mg.__version__,
        "data": str(arguments.data) if arguments.data else "digits",
        "features": list(task.features),
        "classes": list(task.classes),
        "scale": scale,
        "n_in": model.layers[0].n_in,
        "sizes": [layer.n_out for layer in model.layers],
    }


def _picture(model: nn.MLP, X: Any, y: Any, path: Path) -> None:
    """The graph of the loss on a few test examples, with its gradients."""
    import viz

    model.zero_grad()
    loss = mg.functional.cross_entropy(model(mg.Tensor(X, name="X")), y)
    loss.name = "loss"
    loss.backward()
    viz.draw(loss, title=f"{model!r}: loss and gradients on {len(y)} test examples").save(path)
    model.zero_grad()
