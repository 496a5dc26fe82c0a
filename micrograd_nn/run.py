"""A run folder: weights, history, settings and a readable summary, written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn.checkpoint import write_arrays, written_whole
from micrograd_nn.data import DataError

__all__ = [
    "CHECKPOINT", "UNFINISHED", "ended_like_ctrl_c", "finished", "load_json", "load_weights", "next_free", "publish",
    "resumable", "save_json", "save_weights", "uninterrupted", "working_folder",
]  # fmt: skip

CHECKPOINT = "checkpoint.npz"
UNFINISHED = ".unfinished"


def next_free(stem: str, base: Path = Path("runs")) -> Path:
    """`runs/stem-1`, or the next number that is not taken, by a run that was cut off either."""
    number = 1
    while any(os.path.lexists(base / f"{stem}-{number}{ending}") for ending in ("", UNFINISHED)):
        number += 1
    return base / f"{stem}-{number}"


@contextmanager
def working_folder(out: Path, again: Path | None = None) -> Iterator[Path]:
    """`out` with .unfinished added, to write into until `publish` moves it; or the one that a run left, `again`.

    What is there when a run fails is removed, unless there is a checkpoint in it to go on from. Raises DataError,
    before anything is done, when `out` holds something already or cannot be made.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            what = "holds another run" if out.is_dir() else "is a file"
            raise DataError(f"{out} {what} already: give --out a new folder. Nothing was overwritten.")
        if again is None:
            out.resolve().parent.mkdir(parents=True, exist_ok=True)
            again = _new_folder(out.resolve())
    except OSError as error:
        raise DataError(f"{out} cannot be made: {error.filename}: {error.strerror}.") from None
    try:
        yield again
    finally:
        if not (again / CHECKPOINT).exists():
            shutil.rmtree(again, ignore_errors=True)


def _new_folder(out: Path) -> Path:
    """A folder for the run `out` to work in, or one for `out-2` where another run is at work on that name."""
    for name in (out.name, *(f"{out.name}-{k}" for k in range(2, 1000))):
        folder = out.with_name(name + UNFINISHED)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise DataError(f"{out} and a thousand names like it are taken.")


def resumable(run: Path) -> Path:
    """The folder that holds the checkpoint of `run`, of one that was cut off or of one that has ended."""
    for folder in (run, run.with_name(run.name + UNFINISHED)):
        if (folder / "settings.json").is_file() and (folder / CHECKPOINT).is_file():
            return folder
    raise DataError(f"{run} is not a run that can go on: there is no {CHECKPOINT} with its settings.json in it.")


def finished(run: Path) -> Path:
    """`run`, which must be the folder of a run that has ended."""
    if not run.is_dir():
        raise DataError(f"there is no run folder {run}.")
    missing = [name for name in ("settings.json", "weights.npz") if not (run / name).is_file()]
    if missing and (run / CHECKPOINT).is_file():
        raise DataError(f"{run} is a run that was cut off: finish it first, with micrograd-nn train --resume {run}.")
    if missing:
        raise DataError(f"{run} is not a run folder: there is no {missing[0]} in it.")
    return run


def publish(partial: Path, out: Path) -> Path:
    """Move a finished folder to `out`, or beside it when another run has taken that name meanwhile; returns where."""
    out = out.resolve()
    for target in (out, *(out.with_name(f"{out.name}-{k}") for k in range(2, 1000))):
        try:
            if target.is_dir():
                target.rmdir()  # fails unless it is empty
            os.rename(partial, target)
        except OSError:
            if os.path.lexists(target):
                continue
            raise
        return target
    raise DataError(f"{out} and a thousand names like it are taken.")


@contextmanager
def handling(handler: Any, *signals: signal.Signals) -> Iterator[None]:
    """Signals answered by `handler` for a while; only the main thread can say so, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, handler) for number in signals]
    try:
        yield
    finally:
        for number, old in zip(signals, before, strict=True):
            signal.signal(number, old)


def uninterrupted() -> Any:
    """Ctrl-C and a request to end wait while what was learned is being saved."""
    return handling(signal.SIG_IGN, signal.SIGINT, signal.SIGTERM)


def ended_like_ctrl_c() -> Any:
    """A request to end (SIGTERM) does what Ctrl-C does."""
    return handling(signal.default_int_handler, signal.SIGTERM)


def save_weights(path: Path, state: dict[str, np.ndarray[Any, Any]]) -> None:
    """The parameters by name, as plain arrays: an npz file, whatever the names are."""
    with written_whole(path) as file:
        write_arrays(file, state)


def load_weights(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """What `save_weights` wrote; no pickle is read."""
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def save_json(path: Path, content: Any) -> None:
    """Plain lists, dicts, text and numbers, for people and programs to read."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with written_whole(path) as file:
        file.write(text.encode())


def load_json(path: Path) -> Any:
    """What `save_json` wrote. Raises DataError where that is not what the file holds."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"{path} was changed or cut short: it is no JSON.") from None
