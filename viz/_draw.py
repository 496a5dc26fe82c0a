"""`draw`: from nodes to a picture, by way of a scene and its layout."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from micrograd_nn.graph import Node
from viz._networkx import to_networkx
from viz._picture import Picture
from viz._scene import build_scene
from viz._svg import draw_scene
from viz._text import clean
from viz._theme import Theme

__all__ = ["draw"]


def draw(
    what: Node | Iterable[Node],
    *,
    direction: str = "LR",
    budget: int = 400,
    depth: int | None = None,
    theme: Theme = "light",
    title: str | None = None,
) -> Picture:
    """A picture of everything `what` depends on: a Value, a Tensor, or a list of them.

    `direction` is "LR" (left to right) or "TB" (top to bottom). A graph of more than `budget` boxes is
    folded: first neurons, then layers become one box each, and the picture says so. `depth` folds modules
    nested that deep in any case (1: layers, 2: neurons). Nothing is changed or computed: a gradient that is
    not there yet is drawn as "–".

    Raises `micrograd_nn.CycleError` for a graph with a loop, `viz.LayoutError` where Graphviz is missing or
    gives up.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(2.0, name="a")
    >>> "grad" in draw(a * a).svg
    True
    """
    roots = [what] if isinstance(what, Node) else list(what) if isinstance(what, (list, tuple, set)) else None
    if roots is None or not all(isinstance(node, Node) for node in roots):
        raise TypeError(f"draw takes a Value, a Tensor, or a list of them, not {_kind(what)}.")
    if not roots:
        raise ValueError("draw was given an empty list: there is nothing to draw.")
    if direction not in ("LR", "TB"):
        raise ValueError(f'direction must be "LR" (left to right) or "TB" (top to bottom), not {direction!r}.')
    if budget < 1:
        raise ValueError(f"budget is a number of boxes, 1 or more, not {budget!r}.")
    if depth is not None and depth < 1:
        raise ValueError(f"depth is a depth of nesting, 1 or more, not {depth!r}.")
    heading = clean(title, 120) if title else ""
    with np.errstate(all="ignore"):  # infinities and NaN are shown, not warned about
        scene = build_scene(roots, budget, depth)
    return Picture(draw_scene(scene, direction, heading, lambda: to_networkx(roots[0])), theme)


def _kind(what: object) -> str:
    if isinstance(what, (list, tuple, set)):
        strange = next(x for x in what if not isinstance(x, Node))
        return f"a {type(what).__name__} with a {type(strange).__name__} in it"
    return type(what).__name__
