"""Writing a file so that a kill at any moment leaves the old content or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

__all__ = ["written_whole"]


@contextmanager
def written_whole(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write to, which becomes `path` at the end, in one step; until then `path` is what it was.

    However a program ends, kill -9 and a power cut included, `path` holds the old content or the new one. What such an
    end leaves behind is a hidden `.NAME.*.partial` beside it, that nobody reads; a later writing removes it.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    stem = f".{target.name[:40]}."
    partial = target.with_name(f"{stem}{os.urandom(6).hex()}.partial")
    try:
        with open(partial, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # the content reaches the disk before the name does
            now = os.fstat(file.fileno()).st_mtime
        with suppress(OSError):  # a file that only its owner reads stays so
            partial.chmod(target.stat().st_mode & 0o777)
        os.replace(partial, target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # not every system opens a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:  # a minute untouched, it is nobody's writing any more
            if entry.name.startswith(stem) and entry.name.endswith(".partial") and entry.stat().st_mtime < now - 60:
                os.unlink(entry.path)
