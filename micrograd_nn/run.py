"""A run folder: weights, history, settings and a readable summary, written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn.data import DataError

__all__ = ["load_weights", "next_free", "run_folder", "save_json", "save_weights"]


def next_free(stem: str, base: Path | None = None) -> Path:
    """`runs/stem-1`, or the next number that is not taken."""
    base = Path("runs") if base is None else base
    number = 1
    while (base / f"{stem}-{number}").exists():
        number += 1
    return base / f"{stem}-{number}"


@contextmanager
def run_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `out` when all has gone well and vanishes when not.

    Raises DataError, before anything is done, when `out` holds something already or cannot be made.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        what = "holds another run" if out.is_dir() else "is a file"
        raise DataError(f"{out} {what} already: give --out a new folder. Nothing was overwritten.")
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.absolute().parent))
    except OSError as error:
        raise DataError(f"{out} cannot be made: {error.strerror}.") from None
    try:
        yield partial
        partial.chmod(0o755)
        if out.exists():
            out.rmdir()  # it was empty
        os.rename(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def save_weights(path: Path, state: dict[str, np.ndarray[Any, Any]]) -> None:
    """The parameters by name, as plain arrays."""
    np.savez(path, **state)  # type: ignore[arg-type]


def load_weights(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """What `save_weights` wrote; no pickle is read."""
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def save_json(path: Path, content: Any) -> None:
    """Plain lists, dicts, text and numbers, for people and programs to read."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
