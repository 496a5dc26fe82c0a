"""`micrograd-nn train`: train a network and leave a run folder."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn import data, run, training
from micrograd_nn.cli import _saved
from micrograd_nn.cli._options import add_parser, add_settings, explained, say
from micrograd_nn.experiment import Experiment, Settings
from micrograd_nn.health import HealthMonitor, unit_health
from micrograd_nn.training import History

__all__ = ["add_command"]

EXAMPLES = """
  micrograd-nn train
  micrograd-nn train --data moons --layers 20 --l2 0.01 --lr 0.02
  micrograd-nn train --data flowers.csv --target species --activation tanh
  micrograd-nn train --dropout 0.3 --optimizer sgd --lr 0.1 --schedule cosine
  micrograd-nn train --data xor --network wiring.json
  micrograd-nn train --resume runs/digits-1 --epochs 80
"""


def add_command(commands: Any) -> None:
    parser = add_parser(
        commands, "train", "train a network on handwritten digits, or on data of your own",
        "Trains a network, holding a fifth of the examples back for the test, and leaves a run folder: weights.npz, "
        "history.json, settings.json, summary.txt, graph.svg, and checkpoint.npz to go on from. Ctrl-C ends the "
        "training with what was learned so far. A run that was cut off in any other way stays behind as "
        "FOLDER.unfinished, and --resume FOLDER ends it as if nothing had happened.",
        "micrograd-nn train [OPTION ...]", EXAMPLES,
    )  # fmt: skip
    add_settings(parser)
    where = parser.add_argument_group("the run")
    where.add_argument("--out", type=Path, metavar="FOLDER", help="where it goes (default: runs/NAME-1, -2, ...)")
    where.add_argument(
        "--resume", type=Path, metavar="FOLDER",
        help="go on with a run that was cut off; with --epochs, train one that has ended for longer, as a new run",
    )  # fmt: skip
    parser.set_defaults(command=train)


@np.errstate(all="ignore")  # a run that overflows ends, and says so itself
def train(arguments: argparse.Namespace) -> int:
    from threadpoolctl import threadpool_limits

    # Matrices of this size are multiplied faster by one core than by several, and to the same last digit everywhere.
    with threadpool_limits(1, "blas"):
        experiment, out, again, source = begun(arguments) if arguments.resume is None else resumed(arguments)
        with run.working_folder(out, again, source) as folder:
            saved = carried_out(experiment, folder, out, resume=arguments.resume is not None)
    shown = out if saved == out.resolve() else saved
    say(f"\nSaved in {shown}: weights.npz, history.json, settings.json, summary.txt, graph.svg, {run.CHECKPOINT}.")
    return 0


def carried_out(experiment: Experiment, folder: Path, out: Path, resume: bool) -> Path:
    """Train in `folder`, write everything into it, and move it to `out`."""
    model, title = experiment.model, experiment.dataset.title
    run.save_json(folder / "settings.json", _saved.recorded(experiment))
    counts = f"{len(experiment.y):,} to train on, {len(experiment.y_test):,} held back for the test"
    say(f"Data: {title}; {counts}.\n\n{model.summary()}\n")
    begun = time.perf_counter()
    with explained():
        history = experiment.fit(
            callbacks=[HealthMonitor()], checkpoint=folder / run.CHECKPOINT, checkpoint_every=1.0, resume=resume
        )
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
    return saved


Start = tuple[Experiment, Path, Path | None, Path | None]  # where it goes, the folder to go on in, or to copy from


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    return {f.name: getattr(arguments, f.name) for f in fields(Settings) if f.name in arguments}


def begun(arguments: argparse.Namespace) -> Start:
    """A new run."""
    settings = Settings(**given(arguments))
    with explained():
        experiment = Experiment(settings)
    return experiment, arguments.out or run.next_free(experiment.dataset.stem), None, None


def resumed(arguments: argparse.Namespace) -> Start:
    """A run that was cut off, in its own folder; or one that has ended, in a new one."""
    changed = given(arguments)
    fixed = sorted(set(changed) - {"epochs"})
    if fixed:
        raise data.DataError(
            f"--resume goes on as the run began, so --{fixed[0].replace('_', '-')} cannot be given with it."
        )
    found = run.resumable(arguments.resume)
    before, saved = _saved.settings(found)
    settings = replace(before, **changed)
    cut_off = found.name.endswith(run.UNFINISHED)
    done = run.load_checkpoint(found)["epoch"] if (found / run.CHECKPOINT).is_file() else 0
    if settings.epochs < done:
        raise data.DataError(f"{found} holds {done} epochs already: give --epochs a larger number.")
    if not cut_off:
        ended = History.load(found / "history.json").ended
        if ended not in ("finished", "interrupted"):
            raise data.DataError(f"{found} is over: {ended}. Start anew, with other settings.")
        if settings.epochs <= before.epochs and ended == "finished":
            raise data.DataError(f"{found} has ended after {before.epochs} epochs: give --epochs a larger number.")
    if before.schedule and settings.epochs != before.epochs:
        raise data.DataError(
            f"the {before.schedule} schedule of {found} was laid out for {before.epochs} epochs: start anew with "
            f"--epochs {settings.epochs}."
        )
    with explained():
        experiment = _saved.experiment(settings, saved)
    if cut_off:
        return experiment, arguments.out or found.with_name(found.name.removesuffix(run.UNFINISHED)), found, None
    return experiment, arguments.out or run.next_free(experiment.dataset.stem), None, found


def findings(experiment: Experiment, history: History) -> tuple[str, str]:
    """How the run went, in a sentence, and the health of the units, as a table."""
    model, X, y = experiment.model, experiment.X_test, experiment.y_test
    if not all(np.isfinite(p.data).all() for p in model.parameters()):
        return f"The run came to nothing: {history.ended}.", "No unit health: there are weights that are not finite."
    loss, accuracy = training.evaluate(model, experiment.loss, X, y)
    if not math.isfinite(loss):
        return f"The run came to nothing: {history.ended}.", "No unit health: the network's numbers overflow."
    result = f"Test accuracy {accuracy:.2%}, test loss {loss:.4f}, after {epochs(len(history))}."
    if history.ended != "finished":
        result += f" The run ended early: {history.ended}."
    if experiment.settings.early_stopping is not None:
        result += " The test had a say in when to stop, so these figures flatter a little."
    try:
        return result, str(unit_health(model, X))
    except ValueError as error:  # numbers that overflow on the way, and yet a loss
        return result, f"No unit health: {error}"


def epochs(n: int) -> str:
    return "1 epoch" if n == 1 else f"{n:,} epochs"


def picture(experiment: Experiment, path: Path) -> None:
    """A box a layer, with what it does on the test examples and the gradients of the loss."""
    import viz

    model, X, y = experiment.model, experiment.X_test, experiment.y_test
    title = f"{model!r} on the test of {experiment.dataset.stem}"
    viz.draw(model, "module", X=X, y=y, loss=experiment.loss, title=title).save(path)
