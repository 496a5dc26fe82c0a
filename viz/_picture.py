"""A finished picture: it shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Any

__all__ = ["Picture"]


class Picture:
    """A picture as text: `.svg`, and `.dot` for Graphviz and other programs.

    >>> import micrograd_nn as mg, viz, tempfile, pathlib
    >>> picture = viz.draw(mg.Value(2.0, name="a") * 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture.save(pathlib.Path(folder) / "a.svg").name
    'a.svg'
    """

    def __init__(self, svg: str, dot: str) -> None:
        self.svg, self.dot = svg, dot

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to `path`, whose ending (.svg or .dot) chooses the format; returns the path.

        The file appears whole or not at all: a save that fails leaves an older file as it was. Raises
        ValueError for an ending there is no format for, OSError where the file cannot be written.
        """
        target = Path(path)
        formats = {".svg": self.svg, ".dot": self.dot}
        ending = target.suffix.lower()
        if ending not in formats:
            raise ValueError(
                f"cannot save a picture as {target.name!r}: the ending must be one of {', '.join(formats)}."
            )
        _replace(target, formats[ending])
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Picture, {len(self.svg):,} characters of SVG: save it with .save('picture.svg')>"


def _replace(target: Path, text: str) -> None:
    """Write beside the target, then swap: a reader never sees half a file."""
    target = Path(os.path.realpath(target))  # through a link, to the file it names
    beside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    try:
        with beside.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            beside.chmod(mode)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
