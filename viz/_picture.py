"""A finished picture: it shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from micrograd_nn.files import written_whole
from viz._sheet import Sheet
from viz._theme import Theme, checked_theme, still
from viz._xml import Raw, element
from viz.export._dot import write_dot
from viz.export._formats import written

__all__ = ["Picture"]

_shown: defaultdict[str, count[int]] = defaultdict(count)  # how often each picture was, and so the same in each run
_UNTRUSTED = "This picture appears when you trust the notebook. What it shows: "  # nobody sees this in an SVG


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
    def description(self) -> str:
        """What is to be seen in it, in words: what a screen reader tells after the title."""
        return self._sheet.description

    @property
    def svg(self) -> str:
        """The picture as SVG that stands on its own."""
        return self._sheet.svg(self.theme)

    @property
    def dot(self) -> str:
        """The graph as DOT. Raises ValueError for a chart, which has no graph."""
        return write_dot(self._sheet, still(self.theme))

    def in_theme(self, theme: Theme) -> Picture:
        """The same picture in another theme: "light", "dark", "print", or "auto", which as .svg and .html is light or
        dark as its reader's system is, and else light. Raises ValueError for a theme that there is not.

        >>> import micrograd_nn as mg, viz
        >>> picture = viz.draw(mg.Value(2.0, name="a") * 3)
        >>> "prefers-color-scheme:dark" in picture.in_theme("auto").svg, picture.theme
        (True, 'light')
        """
        return Picture(self._sheet, theme)

    def save(self, path: str | os.PathLike[str], *, scale: float | None = None) -> Path:
        """Write the picture to `path`, whose ending chooses the format; returns the path.

        Endings: .svg, .png, .pdf, .html (one page, offline), .dot, .mermaid, .graphml, .json, .tikz or .tex. `scale` is
        for .png: how many pixels to one of the picture's own, 2 if not said. The file appears whole or not at all: a
        save that fails leaves an older file as it was. Raises ValueError for an ending there is no format for, for the
        graph of a chart and for a bad scale, ImportError naming what to install, OSError where the file cannot be
        written.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"save takes the name of a file, such as 'picture.svg', not {path!r:.60}.")
        target = Path(path)
        try:
            if target.is_dir():
                raise IsADirectoryError(f"{str(target)!r} is a folder: name a file in it, such as 'picture.svg'.")
            if not target.parent.is_dir():
                raise FileNotFoundError(f"cannot save {target.name!r}: there is no folder {str(target.parent)!r}.")
            content = written(self._sheet, self.theme, target.suffix, scale)
            with written_whole(target) as file:
                file.write(content)
        except ValueError as error:
            raise ValueError(f"cannot save this picture as {target.name!r}: {error}") from None
        except OSError as error:
            if error.errno is None:  # said above
                raise
            raise OSError(error.errno, error.strerror, str(target)) from error  # named as it was given
        return target

    def __getstate__(self) -> dict[str, Any]:
        """For copying and pickling: the whole graph that exports write goes along as data."""
        sheet = self._sheet
        if sheet.graph is not None:
            sheet = replace(sheet, graph=replace(sheet.graph, full=_kept(sheet.graph.full), folded=None))
        if sheet.network is not None:
            sheet = replace(sheet, network=_kept(sheet.network))
        return {"_sheet": sheet, "theme": self.theme}

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, str]:
        """What a notebook shows: the SVG at its own size in a box that scrolls.

        Each time with ids of its own: where a copy is hidden, as in a closed cell, browsers do not find patterns by
        the ids that it shares with the others.
        """
        svg, prefix = self.svg, self._sheet.prefix
        own = svg.replace(prefix, f"{prefix}-{next(_shown[prefix])}")
        bundle = {"text/html": _scrolling(own, self.title), "image/svg+xml": svg, "text/plain": repr(self)}
        wanted = set(bundle if include is None else include) - set(exclude or ())
        return {kind: content for kind, content in bundle.items() if kind in wanted}

    def __repr__(self) -> str:
        sheet = self._sheet
        return f"<Picture of {sheet.title!r}, {sheet.width}×{sheet.height}: save it with .save('picture.svg')>"


def _kept(make: Callable[[], Any]) -> Callable[[], Any]:
    """What `make` makes, or the error that it raises, by a function that can be pickled."""
    try:
        return partial(_given, make())
    except ValueError as error:
        return partial(_given, None, str(error))


def _given(graph: Any, error: str = "") -> Any:
    if error:
        raise ValueError(error)
    return graph


def _scrolling(svg: str, title: str) -> str:
    """The SVG as part of a page, in a box that a keyboard can scroll too; notebooks shrink what is wider than they are
    unless told not to. Of a notebook from elsewhere, Jupyter drops the tags of an SVG and shows its texts."""
    start, tag_end, rest = svg.strip().partition(">")
    start = start.replace("<svg ", '<svg style="max-width:none;display:block" ', 1)
    inline = Raw(start + tag_end + element("metadata", _UNTRUSTED).markup + rest)
    region = {"role": "region", "aria_label": title, "tabindex": 0}
    return element("div", inline, style="overflow:auto;max-width:100%", **region).markup
