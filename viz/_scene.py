"""From a graph to what is to be drawn of it: boxes, edges and frames, before anybody knows where they go."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import Any, Literal

import numpy as np

from micrograd_nn.graph import Node, formulas, local_derivatives, topological_order
from viz._fold import Path, fold, split
from viz._summary import Mark, Summary, activation_note, is_saturated, summarise
from viz._text import clean, number, signed

__all__ = ["Box", "Edge", "Frame", "Scene", "build_scene"]

Kind = Literal["scalar", "constant", "tensor", "view", "group"]

_VIEWS = {"transpose", "reshape", "expand_dims", "broadcast_to", "astype"}
_PASSING = _VIEWS | {"add", "sub", "neg"}
_LONGEST_TERM = 14  # characters of formula that an edge has room for
_LONG = 200  # characters of a name in a hover text


@dataclass(frozen=True, slots=True)
class Box:
    """One thing drawn. Text is clean; `value` and `grad` are numbers for scalars, else summaries."""

    kind: Kind
    name: str
    op: str = ""  # the op's symbol; empty for leaves
    shape: str = ""
    value: float | Summary | None = None
    grad: float | Summary | None = None
    note: str = ""  # one line on an activation's health, or on what is folded here
    mark: Mark = ""
    hover: str = ""
    tracked: bool = True  # whether there will ever be a gradient
    is_output: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from box `tail` to box `head`, in the direction the data flows.

    `through` is the gradient that comes back along it, None when that is not known; `signed` says whether its
    sign means anything (a norm has none). `count` edges of the graph are drawn as this one.
    """

    tail: int
    head: int
    through: float | None = None
    signed: bool = True
    label: str = ""
    hover: str = ""
    closed: bool = False
    count: int = 1


@dataclass(slots=True)
class Frame:
    """A module's outline: the boxes directly in it, and the frames of the modules within."""

    label: str = ""
    boxes: list[int] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a picture shows. `root` is the frame around all others and is not drawn."""

    boxes: list[Box]
    edges: list[Edge]
    root: Frame
    folded_nodes: int = 0
    folded_boxes: int = 0

    @property
    def fold_note(self) -> str:
        """What the picture folded, in words; empty when each node has its own box."""
        if not self.folded_boxes:
            return ""
        boxes = "1 box" if self.folded_boxes == 1 else f"{self.folded_boxes:,} boxes"
        return f"{self.folded_nodes:,} nodes folded into {boxes}"


def build_scene(roots: Sequence[Node], budget: int, depth: int | None = None) -> Scene:
    """The scene of everything `roots` depend on, in at most `budget` boxes; see `viz.draw`.

    Raises `micrograd_nn.CycleError` when the graph has a loop. Takes time linear in the number of nodes.
    """
    nodes = topological_order(roots)
    place = {node: i for i, node in enumerate(nodes)}
    paths = _paths(nodes, place)
    groups = fold(paths, _levels(nodes, place), budget, depth)
    box_of = [0] * len(nodes)
    for b, (_, members) in enumerate(groups):
        for i in members:
            box_of[i] = b
    outputs = set(roots)
    links = [(place[p], i, k) for i, n in enumerate(nodes) for k, p in enumerate(n.parents)]
    boxes, homes = [], []
    senders = _senders(groups, links, box_of)
    for b, (path, members) in enumerate(groups):
        if len(members) == 1:
            node = nodes[members[0]]
            boxes.append(_box(node, node in outputs))
            homes.append(paths[members[0]])
        else:
            boxes.append(_group([nodes[i] for i in members], path, [nodes[i] for i in senders[b]]))
            homes.append(path[:-1])
    folded = [members for _, members in groups if len(members) > 1]
    edges = _edges(nodes, links, box_of, {b for b, (_, m) in enumerate(groups) if len(m) > 1})
    return Scene(boxes, edges, _frames(boxes, homes), sum(map(len, folded)), len(folded))


def _paths(nodes: list[Node], place: dict[Node, int]) -> list[Path]:
    """The module that each node is drawn in."""
    split_once = {module: split(module) for module in {n.module for n in nodes}}
    paths = [split_once[n.module] for n in nodes]
    shared: dict[int, Path] = {}  # what the modules of all users so far have in common
    for i in range(len(nodes) - 1, -1, -1):
        if i in shared and _belongs_to_users(nodes[i]):
            paths[i] = shared[i]
        for parent in nodes[i].parents:
            j = place[parent]
            shared[j] = _common(shared[j], paths[i]) if j in shared else paths[i]
    return paths


def _belongs_to_users(node: Node) -> bool:
    """Whether a node is drawn where it is used, not where it happened to be made.

    So are nameless constants, parameters (made before the network ran), and entries picked out of a parameter.
    """
    if node.op is None:
        return not isinstance(node.data, float) if node.requires_grad else node.name is None and _is_number(node)
    return node.op.name == "getitem" and node.parents[0].op is None and node.parents[0].requires_grad


def _common(a: Path, b: Path) -> Path:
    if a == b:
        return a
    same = [x for x, y in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))]
    return tuple(same)


def _levels(nodes: list[Node], place: dict[Node, int]) -> list[int]:
    levels: list[int] = []
    for n in nodes:
        levels.append(max((levels[place[p]] + 1 for p in n.parents), default=0))
    return levels


def _senders(
    groups: list[tuple[Path, list[int]]], links: list[tuple[int, int, int]], box_of: list[int]
) -> list[list[int]]:
    """For every box the nodes in it that another box uses, or nobody at all."""
    within, used = set(), set()
    for tail, head, _ in links:
        used.add(tail)
        if box_of[tail] != box_of[head]:
            within.add(tail)
    return [[i for i in members if i in within or i not in used] for _, members in groups]


def _is_number(node: Node) -> bool:
    return np.size(node.data) == 1


def _item(x: Any) -> float:
    return float(np.asarray(x).reshape(()))


def _shape(node: Node) -> str:
    return str(np.shape(node.data))


def _symbol(node: Node) -> str:
    """What stands in an op's circle; the ops that only rearrange are called by their names."""
    if node.op is None:
        return ""
    return clean(node.op.name if node.op.name in _VIEWS else node.op.symbol, 16)


def _called(node: Node) -> str:
    """What a hover text or a description calls a node."""
    if node.name:
        return clean(node.name, _LONG)
    return _symbol(node) if node.op is not None else "constant" if not node.requires_grad else "leaf"


def _box(node: Node, is_output: bool) -> Box:
    name = clean(node.name) if node.name else ""
    common: dict[str, Any] = {
        "name": name,
        "op": _symbol(node),
        "tracked": node.requires_grad,
        "is_output": is_output,
        "hover": _hover(node),
    }
    kept = node.op is None and not node.requires_grad
    if _is_number(node):
        value = _item(node.data)
        grad = None if node.grad is None else _item(node.grad)
        mark: Mark = ""
        if node.op is not None:
            if node.op.name == "relu" and value <= 0:
                mark = "closed"
            elif is_saturated(node.op.name, value):
                mark = "saturated"
        kind: Kind = "constant" if kept else "scalar"
        return Box(kind, value=value, grad=grad, mark=mark, **common)
    if node.op is not None and node.op.name in _VIEWS:
        return Box("view", shape=_shape(node), **common)
    units_axis = getattr(node.frame.owner, "_units_axis", -1)  # a Network counts units along the first axis
    by_unit = node.data.T if units_axis == 0 and node.data.ndim == 2 else node.data
    note, table_mark = activation_note(node.op.name if node.op is not None else "", by_unit)
    flaws = np.size(node.data) - int(np.count_nonzero(np.isfinite(node.data)))
    if flaws:
        note = f"{flaws:,} of {np.size(node.data):,} NaN or infinite"
    return Box(
        "tensor",
        shape=_shape(node),
        value=summarise([node.data]),
        grad=None if node.grad is None else summarise([node.grad]),
        note=note,
        mark=table_mark,
        **common,
    )


def _hover(node: Node) -> str:
    lines = [_called(node) if node.op is None else f"{_called(node)}, made by {clean(node.op.name)}"]
    if node.module:
        lines.append(f"in {clean(node.module, _LONG)}")
    if _is_number(node):
        lines.append(f"value {_item(node.data)!r}")
        if node.requires_grad:
            lines.append("no gradient yet" if node.grad is None else f"gradient {_item(node.grad)!r}")
    else:
        lines.append(f"shape {_shape(node)}, {getattr(node.data, 'dtype', 'float64')}")
    return "\n".join(lines)


def _group(members: list[Node], path: Path, senders: list[Node]) -> Box:
    """Many nodes in one box: their numbers together, and what comes out when that is one number."""
    made = Counter(_symbol(n) for n in members if n.op is not None)
    parameters = sum(np.size(n.data) for n in members if n.op is None and n.requires_grad)
    note = ""
    if len(senders) == 1 and _is_number(senders[0]) and senders[0].op is not None:
        note = f"out {number(_item(senders[0].data))}"
        if senders[0].grad is not None:
            note += f", grad {signed(_item(senders[0].grad))}"
    elif parameters and path:
        note = f"{parameters:,} parameter" + "s" * (parameters != 1)
    elif made:
        note = ", ".join(f"{count:,} {symbol}" for symbol, count in made.most_common(3))
    called = clean(".".join(path), _LONG) if path else "nodes of no module"
    name = clean(path[-1], 18) if path else " ".join(s for s, _ in made.most_common(3)) or "leaves"
    hover = [called, f"{len(members):,} nodes folded", f"{parameters:,} parameters"]
    hover += [f"{count:,} × {symbol}" for symbol, count in made.most_common(8)]
    return Box(
        "group",
        name=name,
        shape=f"{len(members):,} nodes",
        value=summarise(_gathered([n.data for n in members])),
        grad=summarise(grads) if (grads := _gathered([n.grad for n in members if n.grad is not None])) else None,
        note=note,
        tracked=any(n.requires_grad for n in members),
        hover="\n".join(hover),
    )


def _gathered(values: list[Any]) -> list[Any]:
    """Arrays as they are, and all plain numbers as one array: a call to NumPy a number would take minutes."""
    numbers = [v for v in values if isinstance(v, float)]
    return [v for v in values if not isinstance(v, float)] + ([np.array(numbers)] if numbers else [])


def _edges(nodes: list[Node], links: list[tuple[int, int, int]], box_of: list[int], folded: set[int]) -> list[Edge]:
    """One edge for every use of a node by another; between folded boxes, one for all."""
    uses = Counter(tail for tail, _, _ in links)
    edges: list[Edge] = []
    merged: dict[tuple[int, int], list[float | None]] = {}
    locals_at: tuple[float | None, ...] = ()
    of_node = -1
    for tail, head, k in links:
        a, b = box_of[tail], box_of[head]
        if a == b:
            continue
        parent, child = nodes[tail], nodes[head]
        if of_node != head:
            locals_at, of_node = local_derivatives(child), head
        local = locals_at[k]
        through, has_sign = _through(parent, child, local, uses[tail])
        if a in folded or b in folded:
            merged.setdefault((a, b), []).append(through)
            continue
        edges.append(
            Edge(
                a,
                b,
                through,
                has_sign,
                *_local_text(parent, child, k, local),
                closed=child.op.name == "relu" and _is_number(child) and _item(child.data) <= 0,
            )
        )
    for (a, b), shares in merged.items():
        known = [s for s in shares if s is not None]
        norm = float(np.linalg.norm(known)) if known else None
        hover = f"{len(shares):,} edges" + ("" if norm is None else f"\nnorm of the gradients {norm!r}")
        edges.append(Edge(a, b, norm, False, hover=hover, count=len(shares)))
    return edges


def _through(parent: Node, child: Node, local: float | None, uses: int) -> tuple[float | None, bool]:
    """The gradient that comes back from `child` to `parent`, and whether it has a sign.

    For arrays it is known, up to its sign, where the op passes it on as it is; else it is the parent's own
    gradient when that can have come no other way.
    """
    if local is not None:
        return (None if child.grad is None else _item(child.grad) * local), True
    if not parent.requires_grad or child.grad is None:
        return None, False
    if child.op.name == "getitem" and _is_number(child):
        return _item(child.grad), True
    if child.op.name in _PASSING and np.size(parent.data) == np.size(child.data):
        return _norm(child.grad), False
    if parent.grad is None or uses > 1:
        return None, False
    return (_item(parent.grad), True) if _is_number(parent) else (_norm(parent.grad), False)


def _norm(x: Any) -> float:
    return float(np.linalg.norm(np.ravel(x)))


def _local_text(parent: Node, child: Node, k: int, local: float | None) -> tuple[str, str]:
    """An edge's label and hover text: the local derivative as a number, and the formula it comes from."""
    if not parent.requires_grad:
        return "", f"{_called(parent)} is constant: no gradient comes back"
    formula = _formula(child, k)
    hover = f"gradient of {_called(parent)} from here: {formula}"
    if local is None:
        return "", hover
    hover += f"\nlocal derivative {local!r}"
    term = formula.removeprefix("∂out·")
    if term.startswith("(") and term.endswith(")") and _closes_last(term):
        term = term[1:-1]
    # A nameless factor is called after its place, x1: on an edge that would read like a name of the user's.
    nameless = any(f"x{i}" in term for i, p in enumerate(child.parents) if not p.name)
    plain = not any(c.isalpha() for c in term)
    told = "∂out" not in term and len(term) <= _LONGEST_TERM and not plain and not nameless
    return (f"{term} = {number(local)}" if told else number(local)), hover


def _formula(node: Node, k: int) -> str:
    try:
        return clean(formulas(node)[k], _LONG)
    except Exception:  # a rule of the user's own may hold calls that cannot be written down; the number still stands
        return "no formula, as this rule cannot be written down"


def _closes_last(text: str) -> bool:
    """Whether the bracket that opens `text` is closed by its last character."""
    open_now = 0
    for i, c in enumerate(text):
        open_now += (c == "(") - (c == ")")
        if open_now == 0:
            return i == len(text) - 1
    return False


def _frames(boxes: list[Box], homes: list[Path]) -> Frame:
    """Nested frames for modules, in reading order; `homes[b]` is the path of the module of box b."""
    root = Frame()
    at: dict[Path, Frame] = {(): root}
    by_name = sorted((b for b, box in enumerate(boxes) if box.kind == "group"), key=lambda b: _in_order(boxes[b].name))
    others = [b for b, box in enumerate(boxes) if box.kind != "group"]
    for b in (*by_name, *others):
        path = homes[b]
        for outer, inner in pairwise(path[:i] for i in range(len(path) + 1)):
            if inner not in at:
                at[inner] = Frame(clean(".".join(inner), 40))
                at[outer].frames.append(at[inner])
        at[path].boxes.append(b)
    for frame in at.values():
        frame.frames.sort(key=lambda inner: _in_order(inner.label))
    return root


def _in_order(label: str) -> list[tuple[int, str]]:
    """Sorts labels as people do: layers[2] before layers[10]."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", label)]
