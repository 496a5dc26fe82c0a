"""A run folder: weights, history, settings and a readable summary, written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn import checkpoint
from micrograd_nn.checkpoint import write_arrays
from micrograd_nn.data import DataError
from micrograd_nn.files import written_whole

__all__ = [
    "CHECKPOINT", "UNFINISHED", "ended_like_ctrl_c", "finished", "load_checkpoint", "load_json", "load_weights",
    "next_free", "publish", "resumable", "save_json", "save_weights", "uninterrupted", "working_folder",
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
def working_folder(out: Path, again: Path | None = None, source: Path | None = None) -> Iterator[Path]:
    """`out` with .unfinished added, to write into until `publish` moves it; or the one that a run left, `again`.

    A new folder starts with a copy of the checkpoint in the run `source`, where one is given. When a run fails it is
    removed, unless training got further than it was in the beginning. Raises DataError, before anything is done, when
    `out` holds something already or cannot be made, or another process is at work in `again`.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            what = "holds another run" if out.is_dir() else "is a file"
            raise DataError(f"{out} {what} already: give --out a new folder. Nothing was overwritten.")
        folder = again
        if folder is None:
            out.resolve().parent.mkdir(parents=True, exist_ok=True)
            folder = _new_folder(out.resolve())
    except OSError as error:
        raise DataError(f"{out} cannot be made: {error.filename}: {error.strerror}.") from None
    with _alone_in(folder):
        begun = 0 if source is None else _epochs(source)
        try:
            if source is not None:
                shutil.copyfile(source / CHECKPOINT, folder / CHECKPOINT)
            yield folder
        except BaseException:
            if again is None and _epochs(folder) <= begun:
                shutil.rmtree(folder, ignore_errors=True)
            raise


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keeps other processes from working in `folder`, until this one leaves it or ends in any way."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # not every system locks folders
        yield
        return
    try:
        with suppress(OSError):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DataError(f"{folder} is the folder of a run that is at work at this moment.") from None
        yield
    finally:
        os.close(handle)


def _epochs(folder: Path) -> int:
    """How many epochs the checkpoint in `folder` holds, 0 where there is none that can be read."""
    try:
        return int(load_checkpoint(folder)["epoch"])
    except (OSError, ValueError, TypeError, KeyError):
        return 0


def load_checkpoint(folder: Path) -> Any:
    """The content of a run's checkpoint. Raises DataError for a file that is damaged."""
    return checkpoint.load(folder / CHECKPOINT)


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
    """The folder to go on from: that of a run that was cut off before its first checkpoint or later, or has ended."""
    run = run if run.name.strip(".") else run.resolve()
    cut = run.parent / f"{run.name}{UNFINISHED}"
    for folder in (run, cut):
        if (folder / "settings.json").is_file() and (
            (folder / CHECKPOINT).is_file() or folder.name.endswith(UNFINISHED)
        ):
            return folder
    if (run / "settings.json").is_file():
        raise DataError(f"{run} cannot go on: there is no {CHECKPOINT} in it. Earlier versions kept none.")
    if cut.is_dir():
        raise DataError(f"{run} was cut off before it began: remove {cut}, and start anew.")
    if run.exists():
        raise DataError(f"{run} is not the folder of a run: there is no settings.json in it.")
    raise DataError(f"there is no run {run}" + ("." if run.name.endswith(UNFINISHED) else f", nor {cut}."))


def finished(run: Path) -> Path:
    """`run`, which must be the folder of a run that has ended."""
    missing = [name for name in ("settings.json", "weights.npz") if not (run / name).is_file()]
    cut = run.parent / f"{run.name}{UNFINISHED}"
    if missing and (run.name.endswith(UNFINISHED) or (cut.is_dir() and not run.exists())):
        raise DataError(
            f"{run} has not ended: it is at work still, or was cut off; then micrograd-nn train --resume {run} ends it."
        )
    if not run.is_dir():
        raise DataError(f"{run} is a file, not a run folder." if run.exists() else f"there is no run folder {run}.")
    if missing:
        raise DataError(f"{run} is not a run folder: there is no {missing[0]} in it.")
    return run


def publish(partial: Path, out: Path) -> Path:
    """Move a finished folder to `out`, or beside it when another run has taken that name meanwhile; returns where."""
    for left in partial.glob(".*.partial"):  # what a kill -9 in the middle of a writing leaves behind
        left.unlink()
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
    """What `save_weights` wrote; no pickle is read. Raises DataError for a file that is damaged."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except MemoryError:
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        raise DataError(f"{path} was changed or cut short: it holds no weights ({type(error).__name__}).") from None


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
