"""A sheet: a drawing on its page, with heading, legend and the same facts as tables; every picture is one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from viz._chars import Line
from viz._marks import Piece, legend, patterns
from viz._text import width
from viz._theme import following, paint, palette
from viz._xml import FONT, GREY, INK, PAPER, Raw, element, write

if TYPE_CHECKING:
    from viz._places import Placed
    from viz._scene import Scene

__all__ = ["Graph", "Sheet", "Table", "compose"]

MARGIN = 18.0
_NARROWEST = 480.0  # room for the legend
_LINE = 110  # characters of a note


@dataclass(frozen=True, slots=True)
class Table:
    """Facts of a picture, in full: a row a thing drawn, each cell a text, a number, or None for what is not there."""

    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float | int | bool | None, ...]]


@dataclass(frozen=True, slots=True)
class Graph:
    """What a picture of a graph is made of: the scene, where it was laid out, and, when asked for, the whole graph as
    networkx has it, nothing folded. `gathered` is the scene with its boxes in the order of the graph, `looks` say
    what was left out of it, and `folded` makes one of fewer boxes, where the picture has not been in a file since."""

    scene: Scene
    placed: Placed
    direction: str
    full: Callable[[], Any]
    gathered: Scene
    looks: dict[str, bool] = field(default_factory=dict)
    folded: Callable[[int], Scene] | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A finished page. `body` has roles for colours, which `svg` paints.

    `kind` is "graph", "network", "health", "boundary", "history", "activations", "functions" or "paths"; `note` says
    what was folded or left out; `graph` is there where the picture is of a graph; `network` makes a networkx.DiGraph of
    the units and weights where it is a diagram of those, and `wiring` makes that graph a scene. `plain` tells what is
    no graph in lines of that many characters; `headed` says whether `title` is drawn.
    """

    kind: str
    title: str
    note: str
    description: str
    width: int
    height: int
    body: str
    tables: list[Table] = field(default_factory=list)
    graph: Graph | None = None
    network: Callable[[], Any] | None = None
    wiring: Callable[[Any], Scene] | None = None
    plain: Callable[[int], list[Line]] | None = None
    headed: bool = True

    @property
    def prefix(self) -> str:
        """What ids in the markup begin with: pictures on one page must not share them."""
        seen = repr((self.title, self.body)).encode("utf-8", "replace")
        return "viz" + hashlib.blake2s(seen, digest_size=5).hexdigest()

    def needed_graph(self) -> Graph:
        """The graph drawn, or a ValueError where the picture is a chart."""
        if self.graph is None:
            raise ValueError(
                f"this picture of {self.kind} has no graph: save it as .svg, .png, .pdf, .html, .tikz or .json."
            )
        return self.graph

    def svg(self, colours: dict[str, str] | str = "light") -> str:
        """The page as SVG that stands on its own, in the colours of a theme, by name or as a dict from role to
        colour. That of "auto" follows its reader."""
        prefix, auto = self.prefix, colours == "auto"
        markup = element(
            "svg",
            element("title", self.title, id=f"{prefix}-title"),
            element("desc", self.description, id=f"{prefix}-desc"),
            *([element("style", following(prefix))] if auto else []),
            patterns(prefix),
            element("rect", width=self.width, height=self.height, rx=12, fill=PAPER),
            Raw(self.body),
            xmlns="http://www.w3.org/2000/svg",
            id=prefix if auto else None,
            role="img",
            aria_labelledby=f"{prefix}-title {prefix}-desc",
            width=self.width,
            height=self.height,
            viewBox=f"0 0 {self.width} {self.height}",
            font_family=FONT,
            font_variant="tabular-nums",
        ).markup
        return paint(markup, palette(colours) if isinstance(colours, str) else colours, prefix) + "\n"


def compose(
    kind: str,
    drawing: Sequence[Raw],
    size: tuple[float, float],
    pieces: Sequence[Piece],
    *,
    title: str = "",
    name: str = "",
    notes: Sequence[str] = (),
    description: str = "",
    tables: Sequence[Table] = (),
    graph: Graph | None = None,
    network: Callable[[], Any] | None = None,
    wiring: Callable[[Any], Scene] | None = None,
    plain: Callable[[int], list[Line]] | None = None,
) -> Sheet:
    """A drawing of `size` pixels, from (0, 0) on, between its heading and a legend made of `pieces`.

    `title` is the heading and may be empty: then `name` is the title that a screen reader tells. `notes` stand under
    the heading, each on a line of its own, or on several where it is long. The page is as wide as the widest of these
    and no narrower than a legend needs.
    """
    wide, high = size
    lines = [line for note in notes for line in _in_lines(note)]
    page = max(wide, _NARROWEST, width(title, 17, bold=True), *(width(line, 12.5) for line in lines), 0.0)
    head, y = [], MARGIN
    if title:
        head.append(write(title, MARGIN, y + 15, 17, INK, bold=True))
        y += 27
    for line in lines:
        head.append(write(line, MARGIN, y + 12, 12.5, GREY))
        y += 20
    y += 4 if notes else 0
    shift = MARGIN + (page - wide) / 2
    body = element("g", *drawing, transform=f"translate({shift:.2f} {y:.2f})", data_drawing="")
    y += high + 10
    below, y = legend(pieces, MARGIN, y, page) if pieces else ([], y - 6)
    return Sheet(
        kind,
        title or name,
        " ".join(note if note.endswith((".", ":", "?", "!")) else f"{note}." for note in notes),
        description,
        math.ceil(page + 2 * MARGIN),
        math.ceil(y + MARGIN - 6),
        "".join(part.markup for part in (*head, body, *below)),
        list(tables),
        graph,
        network,
        wiring,
        plain,
        bool(title),
    )


def _in_lines(note: str) -> list[str]:
    """A note in as few lines as it needs, all of about one length."""
    fewest = max(1, len(wrap(note, _LINE)))
    least = min(_LINE, max(1, len(note) // fewest))
    return next(lines for wide in range(least, _LINE + 1) if len(lines := wrap(note, wide)) <= fewest)
