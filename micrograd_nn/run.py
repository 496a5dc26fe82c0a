"""A run folder: weights, history, settings and a readable summary, written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn.checkpoint import write_arrays, written_whole
from micrograd_nn.data import DataError

__all__ = [
    "ended_like_ctrl_c",
    "load_weights",
    "next_free",
    "partial_folder",
    "publish",
    "save_json",
    "save_weights",
    "uninterrupted",
]


def next_free(stem: str, base: Path = Path("runs")) -> Path:
    """`runs/stem-1`, or the next number that is not taken."""
    number = 1
    while os.path.lexists(base / f"{stem}-{number}"):
        number += 1
    return base / f"{stem}-{number}"


@contextmanager
def partial_folder(out: Path) -> Iterator[Path]:
    """A hidden folder beside `out` to write into; it vanishes unless `publish` has moved it.

    Raises DataError, before anything is done, when `out` holds something already or cannot be made.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            what = "holds another run" if out.is_dir() else "is a file"
            raise DataError(f"{out} {what} already: give --out a new folder. Nothing was overwritten.")
        parent = out.resolve().parent
        parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".run-", dir=parent))
    except OSError as error:
        raise DataError(f"{out} cannot be made: {error.filename}: {error.strerror}.") from None
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def publish(partial: Path, out: Path) -> Path:
    """Move a finished folder to `out`, or beside it when another run has taken that name meanwhile; returns where."""
    out = out.resolve()
    partial.chmod(0o755)
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
