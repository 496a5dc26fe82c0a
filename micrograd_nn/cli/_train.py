"""`micrograd-nn train`: train a network and leave a run folder."""

from __future__ import annotations

import argparse
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

import micrograd_nn as mg
from micrograd_nn import data, nn, run, training
from micrograd_nn.cli._options import add_settings, explained, say
from micrograd_nn.experiment import Experiment, Settings
from micrograd_nn.health import HealthMonitor, unit_health
from micrograd_nn.training import History

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    parser = commands.add_parser(
        "train", help="train a network on handwritten digits, or on data of your own",
        description="Trains a network, holding a fifth of the examples back for the test, and leaves a run folder: "
        "weights.npz, history.json, settings.json, summary.txt, graph.svg, and checkpoint.npz to go on from. Ctrl-C "
        "ends the training with what was learned so far. A run that was cut off in any other way stays behind as "
        "FOLDER.unfinished, and --resume FOLDER ends it as if nothing had happened.",
    )  # fmt: skip
    add_settings(parser)
    where = parser.add_argument_group("the run")
    where.add_argument("--out", type=Path, metavar="FOLDER", help="where it goes (default: runs/NAME-1, -2, ...)")
    where.add_argument(
        "--resume", type=Path, metavar="FOLDER",
        help="go on with a run that was cut off; with --epochs, train one that has ended for longer",
    )  # fmt: skip
    parser.set_defaults(command=train)


@np.errstate(all="ignore")  # a run that overflows ends, and says so itself
def train(arguments: argparse.Namespace) -> int:
    from threadpoolctl import threadpool_limits

    # Matrices of this size are multiplied faster by one core than by several, and to the same last digit everywhere.
    with threadpool_limits(1, "blas"), place_for(arguments) as (settings, folder, out):
        with explained():
            experiment = Experiment(settings)
        model, title = experiment.model, experiment.dataset.title
        run.save_json(folder / "settings.json", recorded(experiment))
        counts = f"{len(experiment.y):,} to train on, {len(experiment.y_test):,} held back for the test"
        say(f"Data: {title}; {counts}.\n\n{model.summary()}\n")
        begun = time.perf_counter()
        with explained():
            history = experiment.fit(
                callbacks=[HealthMonitor()], checkpoint=folder / run.CHECKPOINT, checkpoint_every=1.0,
                resume=arguments.resume is not None,
            )  # fmt: skip
        seconds = time.perf_counter() - begun
        with run.uninterrupted():
            result, health = findings(experiment, history)
            run.save_weights(folder / "weights.npz", model.state_dict())
            history.save(folder / "history.json")
            summary = f"{title}\n\n{model.summary()}\n\n{result}\n\n{health}\n"
            (folder / "summary.txt").write_text(summary, encoding="utf-8")
            picture(experiment, folder / "graph.svg")
            saved = run.publish(folder, out)
    say(f"\n{result} ({seconds:.1f} s)\n\n{health}")
    shown = out if saved == out.resolve() else saved
    say(f"\nSaved in {shown}: weights.npz, history.json, settings.json, summary.txt, graph.svg, {run.CHECKPOINT}.")
    return 0


@contextmanager
def place_for(arguments: argparse.Namespace) -> Iterator[tuple[Settings, Path, Path]]:
    """The settings of a run, the folder it works in, and the folder it will be."""
    given = {f.name: getattr(arguments, f.name) for f in fields(Settings) if f.name in arguments}
    if arguments.resume is None:
        settings = Settings(**given)
        out = arguments.out or run.next_free(stem(settings))
        with run.working_folder(out) as folder:
            yield settings, folder, out
        return
    fixed = sorted(set(given) - {"epochs"})
    if fixed:
        raise data.DataError(
            f"--resume goes on as the run began, so --{fixed[0].replace('_', '-')} cannot be given with it."
        )
    found = run.resumable(arguments.resume)
    saved = Settings.from_dict(run.load_json(found / "settings.json"))
    settings = replace(saved, **given)
    if found.name.endswith(run.UNFINISHED):
        out = arguments.out or found.with_name(found.name.removesuffix(run.UNFINISHED))
        with run.working_folder(out, found) as folder:
            yield settings, folder, out
        return
    if settings.epochs <= saved.epochs and run.load_json(found / "history.json")["ended"] == "finished":
        raise data.DataError(f"{found} has ended after {saved.epochs} epochs: give --epochs a larger number.")
    out = arguments.out or run.next_free(stem(settings))
    with run.working_folder(out) as folder:
        shutil.copyfile(found / run.CHECKPOINT, folder / run.CHECKPOINT)
        yield settings, folder, out


def stem(settings: Settings) -> str:
    """What a run is called after: its data."""
    return Path(settings.data).stem if settings.target is not None else settings.data


def recorded(experiment: Experiment) -> dict[str, Any]:
    """What is needed to build the model again, to run it on new data, and to do it all again."""
    model, dataset = experiment.model, experiment.dataset
    return experiment.settings.to_dict() | {
        "version": mg.__version__, "features": list(dataset.features), "classes": list(dataset.classes),
        "scale": experiment.scale, "n_in": experiment.X.shape[1],
        "sizes": [layer.n_out for layer in model.layers] if isinstance(model, nn.MLP) else None,
    }  # fmt: skip


def findings(experiment: Experiment, history: History) -> tuple[str, str]:
    """How the run went, in a sentence, and the health of the units, as a table."""
    model, X, y = experiment.model, experiment.X_test, experiment.y_test
    if not all(np.isfinite(p.data).all() for p in model.parameters()):
        return f"The run came to nothing: {history.ended}.", "No unit health: there are weights that are not finite."
    loss, accuracy = training.evaluate(model, experiment.loss, X, y)
    if not math.isfinite(loss):
        return f"The run came to nothing: {history.ended}.", "No unit health: the network's numbers overflow."
    result = f"Test accuracy {accuracy:.2%}, test loss {loss:.4f}, after {len(history)} epochs."
    if history.ended != "finished":
        result += f" The run ended early: {history.ended}."
    try:
        return result, str(unit_health(model, X))
    except ValueError as error:  # numbers that overflow on the way, and yet a loss
        return result, f"No unit health: {error}"


def picture(experiment: Experiment, path: Path) -> None:
    """The graph of the loss on a few test examples, with its gradients."""
    import viz

    model, (X, y) = experiment.model, (experiment.X_test[:16], experiment.y_test[:16])
    model.zero_grad()
    loss = training.named(experiment.loss, training.LOSSES, "loss")(model(mg.Tensor(X, name="X")), y)
    loss.name = "loss"
    loss.backward()
    viz.draw(loss, title=f"{model!r}: loss and gradients on {len(y)} test examples").save(path)
    model.zero_grad()
