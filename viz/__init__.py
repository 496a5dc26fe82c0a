"""Pictures of what the engine computed: `viz.draw(node)` shows every value, gradient and local derivative.

`draw_network` is the neuron diagram, `draw_health` shows dead and saturated units, `draw_boundary` what a classifier
makes of the plane, `draw_history` a training run, `draw_activations` functions and where on them the units are,
`draw_functions` curves over one axis, `draw_paths` ways through a plane. `text` needs no screen.
Each gives a `Picture`, which shows itself in a notebook and saves itself to a file.

>>> import micrograd_nn as mg, viz
>>> a = mg.Value(2.0, name="a")
>>> picture = viz.draw(a * a + 1)
>>> picture.svg[:4]
'<svg'
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from viz._owner import refuse_a_second_owner

if TYPE_CHECKING:
    from viz._picture import Picture
    from viz.charts._activations import draw_activations
    from viz.charts._boundary import draw_boundary
    from viz.charts._functions import draw_functions
    from viz.charts._health import draw_health
    from viz.charts._history import draw_history
    from viz.charts._paths import draw_paths
    from viz.export._networkx import to_networkx
    from viz.graph._draw import draw
    from viz.graph._layout import LayoutError
    from viz.neurons._network import draw_network
    from viz.terminal._terminal import text

__all__ = [
    "LayoutError",
    "Picture",
    "draw",
    "draw_activations",
    "draw_boundary",
    "draw_functions",
    "draw_health",
    "draw_history",
    "draw_network",
    "draw_paths",
    "text",
    "to_networkx",
]

refuse_a_second_owner()

# Imported when first asked for, so that a picture loads what it needs and no more: where each name is.
_LATER = {
    "LayoutError": "graph._layout",
    "Picture": "_picture",
    "draw": "graph._draw",
    "draw_activations": "charts._activations",
    "draw_boundary": "charts._boundary",
    "draw_functions": "charts._functions",
    "draw_health": "charts._health",
    "draw_history": "charts._history",
    "draw_network": "neurons._network",
    "draw_paths": "charts._paths",
    "text": "terminal._terminal",
    "to_networkx": "export._networkx",
}

if not TYPE_CHECKING:  # to a type checker, it would mean that any name is there

    def __getattr__(name):
        if name not in _LATER:
            me = sys.modules[__name__]
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=me)
        globals()[name] = found = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
