"""Where in the user's code each node of a graph was made."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.modes import witnessed

__all__ = ["Source", "sources"]

Source = tuple[str, int, str]  # file, line number, text of the line
# The nearest line outside of these is the user's; NumPy has Python code of its own that calls ops, such as np.polyval.
PASSED_OVER = tuple(os.path.dirname(f) + os.sep for f in (os.path.dirname(__file__), np.__file__))


class _Witness:
    """Notes for each new node the line that made it; after `close` it holds on to nothing."""

    def __init__(self) -> None:
        self.found: dict[Node, Source] | None = {}
        self.lines: dict[tuple[str, int], Source] = {}
        self.ours: dict[str, bool] = {}  # by file

    def __call__(self, node: Node) -> None:
        if self.found is None:
            return
        frame = sys._getframe(1)
        while True:
            file = frame.f_code.co_filename
            ours = self.ours.get(file)
            if ours is None:
                ours = self.ours[file] = file.startswith(PASSED_OVER)
            if not ours:
                break
            if frame.f_back is None:
                return
            frame = frame.f_back
        place = file, frame.f_lineno
        source = self.lines.get(place)
        if source is None:
            source = self.lines[place] = (*place, linecache.getline(*place, frame.f_globals).strip())
        self.found[node] = source

    def close(self) -> None:
        self.found = None  # a node that lives on must not keep all the others of the run alive


@contextmanager
def sources() -> Iterator[dict[Node, Source]]:
    """Collects, for every node that is made inside, where: {node: (file, line number, text of the line)}.

    That is the nearest line outside this package and NumPy: in a user's own `forward`, or for a built-in layer the line
    that called the model. The text is empty where Python does not know it.

    >>> import micrograd_nn as mg
    >>> x = mg.Value(0.5, name="x")
    >>> with sources() as found:
    ...     y = x.tanh() * 2
    >>> [(node.op.name, line, text) for node, (file, line, text) in found.items()]
    [('tanh', 2, 'y = x.tanh() * 2'), ('mul', 2, 'y = x.tanh() * 2')]
    """
    witness = _Witness()
    found = witness.found
    assert found is not None
    try:
        with witnessed(witness):
            yield found
    finally:
        witness.close()
