"""From a graph to its scene: which nodes share a box, which frames are around them, which arrows join them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, takewhile
from typing import Any

from micrograd_nn.graph import Node, topological_order
from viz._places import walk
from viz._scene import Box, Edge, Frame, Scene
from viz._text import clean
from viz.graph._fold import Path, fold, split
from viz.graph._portrait import group, single
from viz.graph._pulse import Pulse
from viz.graph._reading import LONG, Reading, is_number, is_pick
from viz.graph._slopes import Link, bundle, edge

__all__ = ["build_scene", "framed", "matcher", "near_misses", "needed"]

Group = tuple[Path, list[int]]
_EDGES = 1.5  # for each box of the budget: what is folded until it fits has so many edges at most
_FEW = 20  # boxes that need no folding further for the sake of their edges


def build_scene(roots: Sequence[Node], budget: int, depth: int | None = None, reading: Reading | None = None) -> Scene:
    """The scene of everything `roots` depend on, in at most `budget` boxes; see `viz.draw`.

    Raises `micrograd_nn.CycleError` when the graph has a loop, ValueError for what is to be highlighted or kept open
    and is not there. Takes time linear in the number of nodes.
    """
    reading = reading or Reading()
    nodes = needed(roots, reading)
    place = {node: i for i, node in enumerate(nodes)}
    parents = [[place[p] for p in reading.parents(n)] for n in nodes]
    paths = _paths(nodes, parents, reading)
    levels, opened = _levels(parents), _opened(nodes, paths, reading)
    groups = _grouped(paths, levels, budget, depth, opened, reading)
    box_of = _box_of(groups, len(nodes))
    while len(groups) > _FEW and len(groups) < len(nodes) and _joined(parents, box_of) > _EDGES * max(budget, _FEW):
        groups = _grouped(paths, levels, len(groups) - 1, depth, opened, reading)  # or nobody could tell them apart
        box_of = _box_of(groups, len(nodes))
    outputs, pulse = set(roots), Pulse(reading.activations)
    boxes, homes = [], []
    senders = _senders(groups, parents, box_of)
    for b, (path, members) in enumerate(groups):
        if len(members) == 1:
            node = nodes[members[0]]
            homes.append(paths[members[0]])
            boxes.append(single(node, homes[-1], reading, pulse, node in outputs))
        else:
            inside, sent = [nodes[i] for i in members], [nodes[i] for i in senders[b]]
            boxes.append(group(inside, path, sent, reading, pulse, not outputs.isdisjoint(sent)))
            homes.append(path[:-1])
    root = framed(homes, [box.name if box.kind == "group" else None for box in boxes], reading.kinds)
    if reading.highlight:
        boxes = _highlighted(boxes, root, place, paths, groups, box_of, reading)
    folded = [members for _, members in groups if len(members) > 1]
    edges = _edges(nodes, parents, box_of, groups, reading)
    closed = reading.open_modules and len(opened) >= budget
    notes = (f"the neurons asked for have {len(opened):,} boxes: a larger budget opens them",) if closed else ()
    return Scene(boxes, edges, root, sum(map(len, folded)), len(folded), notes=notes)


def needed(roots: Sequence[Node], reading: Reading) -> list[Node]:
    """The nodes to be drawn, parents first: all that `roots` depend on, unless some count as leaves."""
    order = topological_order(roots)
    if not reading.picks_are_leaves:
        return order
    used = set(roots)
    for node in reversed(order):
        if node in used:
            used.update(reading.parents(node))
    return [node for node in order if node in used]


def _paths(nodes: list[Node], parents: list[list[int]], reading: Reading) -> list[Path]:
    """The module that each node is drawn in."""
    split_once = {module: split(module) for module in {n.module for n in nodes}}
    paths = [split_once[n.module] for n in nodes]
    shared: dict[int, Path] = {}  # what the modules of all users so far have in common
    for i in range(len(nodes) - 1, -1, -1):
        if i in shared and nodes[i] not in reading.inputs and _belongs_to_users(nodes[i]):
            paths[i] = shared[i]
        for j in parents[i]:
            shared[j] = _common(shared[j], paths[i]) if j in shared else paths[i]
    return paths


def _belongs_to_users(node: Node) -> bool:
    """Whether a node is drawn where it is used, not where it happened to be made.

    So are nameless constants, parameters (made before the network ran), and entries picked out of a parameter.
    """
    if node.op is None:
        return not isinstance(node.data, float) if node.requires_grad else node.name is None and is_number(node)
    return node.op.name == "getitem" and node.parents[0].op is None and node.parents[0].requires_grad


def _common(a: Path, b: Path) -> Path:
    if a == b:
        return a
    return tuple(x for x, y in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _levels(parents: list[list[int]]) -> list[int]:
    levels: list[int] = []
    for inputs in parents:
        levels.append(max((levels[j] + 1 for j in inputs), default=0))
    return levels


def _senders(groups: list[Group], parents: list[list[int]], box_of: list[int]) -> list[list[int]]:
    """For every box the nodes in it that another box uses, or nobody at all."""
    within, used = set(), set()
    for head, inputs in enumerate(parents):
        for tail in inputs:
            used.add(tail)
            if box_of[tail] != box_of[head]:
                within.add(tail)
    return [[i for i in members if i in within or i not in used] for _, members in groups]


# --- who shares a box -----------------------------------------------------------------------------------------------


def _grouped(
    paths: list[Path], levels: list[int], budget: int, depth: int | None, opened: set[int], reading: Reading
) -> list[Group]:
    """Nodes gathered into boxes; those in `opened` keep one each as long as there is room for them."""
    if len(opened) >= budget:
        opened = set()
    rest = [i for i in range(len(paths)) if i not in opened]
    its_paths, its_levels = [paths[i] for i in rest], [levels[i] for i in rest]
    groups = _innermost(its_paths) if reading.innermost and depth is None else None
    if groups is None or len(groups) > budget - len(opened):
        if reading.innermost and depth is None:
            depth = max(map(len, its_paths), default=0) or None
        groups = fold(its_paths, its_levels, budget - len(opened), depth)
    if not opened:
        return groups
    back = [(path, [rest[i] for i in members]) for path, members in groups]
    return sorted([*back, *((paths[i], [i]) for i in opened)], key=lambda found: found[1][0])


def _box_of(groups: list[Group], count: int) -> list[int]:
    """For each node the box it is in."""
    found = [0] * count
    for b, (_, members) in enumerate(groups):
        for i in members:
            found[i] = b
    return found


def _joined(parents: list[list[int]], box_of: list[int]) -> int:
    """How many pairs of boxes have an edge between them."""
    return len({(a, b) for i, inputs in enumerate(parents) for j in inputs if (a := box_of[j]) != (b := box_of[i])})


def _innermost(paths: list[Path]) -> list[Group]:
    """One box for every module that has none within it; other nodes stay on their own."""
    outer = {path[:n] for path in set(paths) for n in range(len(path))}
    found: dict[Path, list[int]] = {}
    groups: list[Group] = []
    for i, path in enumerate(paths):
        if path in outer or not path:
            groups.append((path, [i]))
        elif path in found:
            found[path].append(i)
        else:
            found[path] = [i]
            groups.append((path, found[path]))
    return groups


def _opened(nodes: list[Node], paths: list[Path], reading: Reading) -> set[int]:
    """The nodes that are not to be folded: those named, and all in the modules asked for."""
    found = {i for i, node in enumerate(nodes) if node in reading.opened} if reading.opened else set()
    for wanted in reading.open_modules:
        inside = matcher(wanted)
        modules = {path for path in set(paths) if any(inside(".".join(path[:n])) for n in range(1, len(path) + 1))}
        if not modules:
            known = sorted({".".join(path) for path in paths if path}, key=_in_order)
            raise ValueError(f"neurons= names {wanted!r}, and no such neuron is here. {near_misses(wanted, known)}")
        found.update(i for i, path in enumerate(paths) if path in modules)
    return found


def matcher(wanted: str) -> Any:
    """Whether a path is what was asked for: by its whole or its last part, with * and ? for any text and character."""
    pattern = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(rf"(?:.*\.)?{pattern}").fullmatch


def near_misses(wanted: str, known: Sequence[str]) -> str:
    """What the user may have meant instead."""
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(clean(n, 60) for n in near)}?"
    if not known:
        return "Nothing here has a name."
    more = f" and {len(known) - 8:,} more" if len(known) > 8 else ""
    return f"There are {', '.join(clean(n, 60) for n in known[:8])}{more}."


def _highlighted(
    boxes: list[Box], root: Frame, place: dict[Node, int], paths: list[Path], groups: list[Group], box_of: list[int],
    reading: Reading,
) -> list[Box]:  # fmt: skip
    """The boxes with those marked that were asked for; frames are marked in place."""
    frames = {frame.path: frame for frame in walk(root)}
    modules = {".".join(path[:n]) for path in set(paths) for n in range(1, len(path) + 1)}
    chosen: set[int] = set()
    for wanted in reading.highlight:
        if isinstance(wanted, Node):
            if wanted not in place:
                raise ValueError(f"highlight has the node {clean(wanted.label, 60)}, which is not part of this graph.")
            chosen.add(box_of[place[wanted]])
            continue
        is_it = matcher(wanted)
        named = {module for module in modules if is_it(module)}
        hit = {i for node, i in place.items() if any(map(is_it, _names(node, reading)))}
        if not hit and not named:
            names = [name for node in place for name in _names(node, reading)]
            known = list(dict.fromkeys([*names, *sorted(modules, key=_in_order)]))
            raise ValueError(
                f"highlight names {clean(wanted, 60)!r}, and nothing here is called that. {near_misses(wanted, known)}"
            )
        chosen.update(box_of[i] for i in hit)
        folded = []  # away in a box, or into one
        for module in named:
            if frame := frames.get(clean(module, LONG)):
                frame.highlighted = True
            else:
                folded.append(module)
        for b, (path, members) in enumerate(groups):
            at = ".".join(path)
            if len(members) > 1 and any(module == at or module.startswith(f"{at}.") for module in folded):
                chosen.add(b)
    return [replace(box, highlighted=True) if b in chosen else box for b, box in enumerate(boxes)]


def _names(node: Node, reading: Reading) -> list[str]:
    """What a node may be called by: its own name, and that of the parameter it is an entry of."""
    source = node.parents[0] if reading.picks_are_leaves and is_pick(node) else None
    return [name for n in (node, source) if n is not None and (name := reading.name(n))]


# --- edges and frames -----------------------------------------------------------------------------------------------


def _edges(
    nodes: list[Node], parents: list[list[int]], box_of: list[int], groups: list[Group], reading: Reading
) -> list[Edge]:
    """One edge for every use of a node by another; where a box is folded, one for all between two boxes."""
    folded = [len(members) > 1 for _, members in groups]
    edges, bundles = [], dict[tuple[int, int], list[Link]]()
    for head, inputs in enumerate(parents):
        for k, tail in enumerate(inputs):
            a, b = box_of[tail], box_of[head]
            if a == b:
                continue
            link = Link(a, b, nodes[tail], nodes[head], k)
            if folded[a] or folded[b]:
                bundles.setdefault((a, b), []).append(link)
            else:
                edges.append(edge(link, reading))
    for (_, b), links in bundles.items():
        made = edge(links[0], reading) if len(links) == 1 else bundle(links, reading)
        hidden = folded[b] and not made.wrong  # what goes on in there
        edges.append(replace(made, label="") if hidden else made)
    return edges


def framed(homes: Sequence[Path], groups: Sequence[str | None], kinds: Any = ()) -> Frame:
    """Nested frames for modules, in reading order.

    `homes[b]` is the path of the module of box b, `groups[b]` its name where it is a folded box; `kinds` says, by
    path, what a module is.
    """
    root, known = Frame(), dict(kinds)
    at: dict[Path, Frame] = {(): root}
    by_name = sorted((b for b, name in enumerate(groups) if name is not None), key=lambda b: _in_order(groups[b] or ""))
    others = [b for b, name in enumerate(groups) if name is None]
    for b in (*by_name, *others):
        path = homes[b]
        for outer, inner in pairwise(path[:i] for i in range(len(path) + 1)):
            if inner not in at:
                full = ".".join(inner)
                label = " · ".join(filter(None, [clean(inner[-1], 40), clean(known.get(full, ""), 60)]))
                at[inner] = Frame(label, path=clean(full, LONG))
                at[outer].frames.append(at[inner])
        at[path].boxes.append(b)
    for frame in at.values():
        frame.frames.sort(key=lambda inner: _in_order(inner.path))
    return root


def _in_order(label: str) -> list[tuple[int, str]]:
    """Sorts labels as people do: layers[2] before layers[10]."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", label)]
