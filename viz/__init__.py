"""Pictures of computation graphs: `viz.draw(node)` shows every value, gradient and local derivative.

>>> import micrograd_nn as mg, viz
>>> a = mg.Value(2.0, name="a")
>>> picture = viz.draw(a * a + 1)
>>> picture.svg[:4]
'<svg'
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import packages_distributions


def _refuse_a_second_owner(owners: Iterable[str]) -> None:
    """Raise ImportError when another distribution has installed files into a package of this name too."""
    others = sorted({owner for owner in owners if owner.lower().replace("_", "-") != "micrograd-nn"})
    if others:
        raise ImportError(
            f"the name 'viz' is also taken by another installed package: {', '.join(others)}. Their files "
            f"lie in the same folder and overwrite each other. Run `pip uninstall {' '.join(others)}`, then "
            "`pip install --force-reinstall --no-deps micrograd-nn`; or use a virtual environment without it."
        )


_refuse_a_second_owner(packages_distributions().get("viz", ()))

from viz._layout import LayoutError  # noqa: E402
from viz._picture import Picture  # noqa: E402
from viz.charts._activations import draw_activations  # noqa: E402 - only once the name is known to be ours
from viz.charts._boundary import draw_boundary  # noqa: E402
from viz.charts._health import draw_health  # noqa: E402
from viz.charts._history import draw_history  # noqa: E402
from viz.export._networkx import to_networkx  # noqa: E402
from viz.graph._draw import draw  # noqa: E402
from viz.neurons._network import draw_network  # noqa: E402
from viz.terminal._terminal import text  # noqa: E402

__all__ = [
    "LayoutError",
    "Picture",
    "draw",
    "draw_activations",
    "draw_boundary",
    "draw_health",
    "draw_history",
    "draw_network",
    "text",
    "to_networkx",
]
