"""`micrograd-nn sweep`: many runs, one for each combination of settings and each seed, side by side."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from micrograd_nn import data, run, sweeping
from micrograd_nn.cli._options import add_settings, count, explained, say
from micrograd_nn.experiment import Experiment, Settings, trial

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    parser = commands.add_parser(
        "sweep", help="train many networks, over seeds, sizes and strengths, and compare them",
        description="Every option of a run may be given several times: each combination is trained with each of "
        "--seeds seeds, and the table gives mean and spread over the seeds. Runs go to as many processes as there "
        "are cores, or to a dask cluster; one that fails is named, and costs no other.",
    )  # fmt: skip
    add_settings(parser, several=True)
    where = parser.add_argument_group("the sweep")
    where.add_argument("--seeds", type=count, default=5, metavar="N", help="seeds 0 ... N-1 (default: 5)")
    where.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")
    where.add_argument(
        "--dask", metavar="ADDRESS", help="a dask scheduler to send the runs to, such as tcp://host:8786"
    )
    where.add_argument("--out", type=Path, metavar="FOLDER", help="where the table goes (default: runs/sweep-1, ...)")
    parser.set_defaults(command=sweep)


def sweep(arguments: argparse.Namespace) -> int:
    given = {f.name: getattr(arguments, f.name) for f in fields(Settings) if f.name in arguments}
    seeds = given.pop("seed", None) or arguments.seeds
    grid = {name: values for name, values in given.items() if len(values) > 1}
    fixed = {name: values[0] for name, values in given.items() if len(values) == 1}
    out = arguments.out or run.next_free("sweep")
    with run.working_folder(out) as folder, ExitStack() as stack:
        with explained():
            for name, values in (grid or {"seed": [0]}).items():  # before hundreds of runs fail for one reason
                first = fixed | {other: choices[0] for other, choices in grid.items()}
                for value in values:
                    Experiment(Settings(**first | {name: value}))
            executor = stack.enter_context(cluster(arguments.dask)) if arguments.dask else None
            result = sweeping.sweep(
                partial(trial, **fixed), grid or [{}], executor, seeds=seeds, workers=arguments.workers
            )
        with run.uninterrupted():
            result.save(folder / "sweep.json")
            result.to_csv(folder / "sweep.csv")
            (folder / "summary.txt").write_text(f"{result}\n", encoding="utf-8")
            saved = run.publish(folder, out)
    say(f"{result}\n\nSaved in {out if saved == out.resolve() else saved}: sweep.csv, sweep.json, summary.txt.")
    return 1 if result.failed else 0


@contextmanager
def cluster(address: str) -> Iterator[Any]:
    """The workers of a dask scheduler, as an executor."""
    try:
        from distributed import Client
    except ImportError:
        raise data.DataError("--dask needs dask.distributed: pip install 'micrograd-nn[cluster]'.") from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise data.DataError(f"there is no dask scheduler at {address}: {error}") from None
    with client:
        yield client.get_executor()
