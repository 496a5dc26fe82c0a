"""A finished picture: it shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from micrograd_nn.files import written_whole
from viz._dot import write_dot
from viz._formats import written
from viz._sheet import Sheet
from viz._theme import checked_theme

__all__ = ["Picture"]


class Picture:
    """A picture: `.svg` and, where it is of a graph, `.dot` are texts; `.save` writes these and more formats.

    >>> import micrograd_nn as mg, viz, tempfile, pathlib
    >>> picture = viz.draw(mg.Value(2.0, name="a") * 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture.save(pathlib.Path(folder) / "a.svg").name
    'a.svg'
    """

    def __init__(self, sheet: Sheet, theme: str = "light") -> None:
        self._sheet, self.theme = sheet, checked_theme(theme)

    @property
    def title(self) -> str:
        """What the picture is of."""
        return self._sheet.title

    @property
    def svg(self) -> str:
        """The picture as SVG that stands on its own."""
        return self._sheet.svg(self.theme)

    @property
    def dot(self) -> str:
        """The graph as DOT. Raises ValueError for a chart, which has no graph."""
        return write_dot(self._sheet)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to `path`, whose ending chooses the format; returns the path.

        Endings: .svg, .png, .pdf, .html (one page, offline), .dot, .mermaid, .graphml, .json, .tikz or .tex. The file
        appears whole or not at all: a save that fails leaves an older file as it was. Raises ValueError for an ending
        there is no format for, ImportError naming what to install, OSError where the file cannot be written.
        """
        target = Path(path)
        try:
            content = written(self._sheet, self.theme, target.suffix)
        except ValueError as error:
            raise ValueError(f"cannot save this picture as {target.name!r}: {error}") from None
        with written_whole(target) as file:
            file.write(content)
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        sheet = self._sheet
        return f"<Picture of {sheet.title!r}, {sheet.width}×{sheet.height}: save it with .save('picture.svg')>"
