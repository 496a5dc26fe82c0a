"""What is to be drawn of a graph, before anybody knows where it goes: boxes, edges and frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from viz._summary import Mark, Summary

__all__ = ["Box", "Edge", "Frame", "Scene", "Unit"]

Kind = Literal["scalar", "constant", "tensor", "view", "group", "unit"]


class Unit(NamedTuple):
    """One unit of an activation: the share of the examples it is on for (or not saturated: `measure`), and its mark."""

    name: str
    on: float
    mark: Mark
    measure: str


@dataclass(frozen=True, slots=True)
class Box:
    """One thing drawn. Text is clean; `value` and `grad` are numbers for scalars, else summaries.

    In a "unit" of a wiring, `op` is its activation and `value` its bias. `name` is short enough to be drawn.
    """

    kind: Kind
    name: str
    op: str = ""  # the op's symbol; empty for leaves
    shape: str = ""
    value: float | Summary | None = None
    grad: float | Summary | None = None
    note: str = ""  # one line on an activation's health, or on what is folded here
    mark: Mark = ""
    hover: str = ""
    full_name: str = ""
    tracked: bool = True  # whether there will ever be a gradient
    is_input: bool = False  # what a model was given
    is_output: bool = False
    module: str = ""  # the full path of the module it is in, or that is folded here
    op_name: str = ""
    subtitle: str = ""  # what kind of module is folded here,
    aside: str = ""  # and how many parameters it has
    units: tuple[Unit, ...] = ()  # those of an activation, where there is room for a cell each,
    examples: int = 0  # and on how many examples they were looked at
    highlighted: bool = False
    verdict: Literal["", "wrong", "right"] = ""  # of a gradient check, on an op's rule or an input's gradient,
    fault: str = ""  # and what is wrong
    shows_value: bool = True
    shows_grad: bool = True


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from box `tail` to box `head`, in the direction the data flows.

    `through` is the gradient that comes back along it, None when that is not known; of an array it is the norm, and
    `signed` is false because a norm has no sign; `total` is the sum of its entries. `local` is the local derivative,
    of a number by a number. `count` edges of the graph are drawn as this one. In a wiring, `weight` is the weight of
    the connection.
    """

    tail: int
    head: int
    through: float | None = None
    signed: bool = True
    label: str = ""
    hover: str = ""
    stop: str = ""  # where the gradient stops, or some of it: why
    stopped: Literal["", "closed", "saturated"] = ""  # none comes through, or next to none
    count: int = 1
    local: float | None = None
    total: float | None = None
    weight: float | None = None
    wrong: bool = False  # what comes back here is not the derivative, a gradient check says


@dataclass(slots=True)
class Frame:
    """A module's outline: the boxes directly in it, and the frames of the modules within."""

    label: str = ""  # what is written at its corner
    boxes: list[int] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    path: str = ""  # the module's full path
    highlighted: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a picture shows. `root` is the frame around all others and is not drawn.

    `kind` is "graph", or "wiring" for units and their connections. `notes` say what else a reader must know.
    """

    boxes: list[Box]
    edges: list[Edge]
    root: Frame
    folded_nodes: int = 0
    folded_boxes: int = 0
    kind: Literal["graph", "wiring"] = "graph"
    notes: tuple[str, ...] = ()

    @property
    def fold_note(self) -> str:
        """What the picture folded, in words; empty when each node has its own box."""
        if not self.folded_boxes:
            return ""
        boxes = "1 box" if self.folded_boxes == 1 else f"{self.folded_boxes:,} boxes"
        what = "nodes" if self.kind == "graph" else "units"
        return f"{self.folded_nodes:,} {what} folded into {boxes}"
