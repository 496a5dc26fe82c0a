"""`micrograd-nn sweep`: many runs, one for each combination of settings and each seed, side by side."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from micrograd_nn import data, run, sweeping
from micrograd_nn.cli._options import Wiring, add_parser, add_settings, count, explained, say
from micrograd_nn.experiment import Experiment, Settings, trial
from micrograd_nn.sweeping import SweepResult

__all__ = ["add_command"]

EXAMPLES = """
  micrograd-nn sweep --data moons --layers 3 --layers 6 --layers 20 --seeds 20
  micrograd-nn sweep --data moons --layers 20 --l2 0.001 --l2 0.01 --l2 0.1
  micrograd-nn sweep --lr 0.001 --lr 0.1 --activation relu --activation maxout
  micrograd-nn sweep --layers 64 --layers 256,128 --dask tcp://host:8786
"""


def add_command(commands: Any) -> None:
    parser = add_parser(
        commands, "sweep", "train many networks, over seeds, sizes and strengths, and compare them",
        "Every option of a run may be given several times: each combination is trained with each seed, and the table "
        "gives mean and spread over the seeds. Runs go to as many processes as there are cores, or to a dask cluster; "
        "one that fails is named, and costs no other. Ctrl-C keeps the runs that are done. The folder has sweep.csv "
        "(a line a run), sweep.json and summary.txt.",
        "micrograd-nn sweep [OPTION ...]", EXAMPLES,
    )  # fmt: skip
    add_settings(parser, several=True)
    where = parser.add_argument_group("the sweep")
    where.add_argument("--seeds", type=count, metavar="N", help="seeds 0 ... N-1, in place of --seed (default: 5)")
    where.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")
    where.add_argument("--dask", metavar="ADDRESS", help="a dask scheduler to send the runs to: tcp://host:8786")
    where.add_argument("--out", type=Path, metavar="FOLDER", help="where it goes (default: runs/sweep-1, -2, ...)")
    parser.set_defaults(command=sweep)


def sweep(arguments: argparse.Namespace) -> int:
    given = {f.name: once(getattr(arguments, f.name)) for f in fields(Settings) if f.name in arguments}
    files = {os.path.abspath(name): name for name in given.get("data", []) if os.path.isfile(name)}
    if files:  # a worker may be at home in another folder
        given["data"] = [os.path.abspath(name) if os.path.isfile(name) else name for name in given["data"]]
    if arguments.seeds and "seed" in given:
        raise data.DataError("--seed says which seeds, and --seeds how many: give one of them.")
    seeds = given.pop("seed", None) or arguments.seeds or 5
    grid = {name: values for name, values in given.items() if len(values) > 1}
    fixed = {name: values[0] for name, values in given.items() if len(values) == 1}
    first = fixed | {name: values[0] for name, values in grid.items()}
    out = arguments.out or run.next_free("sweep")
    with run.working_folder(out) as folder, ExitStack() as stack:
        with explained():
            for name, values in (grid or {"seed": [0]}).items():  # before hundreds of runs fail for one reason
                for value in values:
                    Experiment(Settings(**first | {name: value}))
            executor = stack.enter_context(cluster(arguments.dask)) if arguments.dask else None
            result = sweeping.sweep(
                partial(trial, **fixed), grid or [{}], executor, seeds=seeds, workers=arguments.workers
            )
        with run.uninterrupted():
            result = readable(result, files)
            if "early_stopping" in given:
                result.notes.append("The test had a say in when to stop, so its figures flatter a little.")
            if result.ended != "finished" and not any(row.values for row in result.rows):
                raise KeyboardInterrupt
            result.save(folder / "sweep.json")
            result.to_csv(folder / "sweep.csv")
            (folder / "summary.txt").write_text(f"{result}\n", encoding="utf-8")
            saved = run.publish(folder, out)
    say(f"{result}\n\nSaved in {out if saved == out.resolve() else saved}: sweep.csv, sweep.json, summary.txt.")
    if result.ended != "finished":
        return 130
    return 2 if len(result.failed) == len(result) else 0


def once(values: list[Any]) -> list[Any]:
    """Each value once, in order."""
    return [value for k, value in enumerate(values) if value not in values[:k]]


def readable(result: SweepResult, files: dict[str, str]) -> SweepResult:
    """The settings in the words of the command line: layers as 256,128, networks and tables by their files."""

    def said(value: Any) -> Any:
        if isinstance(value, tuple):
            return ",".join(map(str, value))
        return value.file if isinstance(value, Wiring) else files.get(value, value) if isinstance(value, str) else value

    rows = [replace(row, setting={name: said(value) for name, value in row.setting.items()}) for row in result.rows]
    return replace(result, rows=rows)


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """The workers of a dask scheduler, as an executor."""
    try:
        connect: Any = import_module("distributed").Client
    except ImportError:
        raise data.DataError("--dask needs dask.distributed: pip install 'micrograd-nn[cluster]'.") from None
    try:
        client = connect(address, timeout=10)
    except (OSError, ValueError) as error:
        raise data.DataError(f"there is no dask scheduler at {address}: {error}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=10)
        except TimeoutError:
            raise data.DataError(
                f"the dask scheduler at {address} has no workers: start some, with dask worker {address}."
            ) from None
        yield client.get_executor()
