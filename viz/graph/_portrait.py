"""A node, or many folded into one, as a box: their numbers, their names, and how the units among them are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.symbol import Symbol, write
from viz._scene import Box
from viz._summary import Mark, Summary, summarise
from viz._text import clean, number, signed
from viz.graph._fold import Path
from viz.graph._pulse import Pulse, activation
from viz.graph._reading import LONG, LONGEST, VIEWS, Reading, called, is_number, is_pick, item, symbol

__all__ = ["group", "single"]

Array = np.ndarray[Any, Any]
_COUNTED = 5_000  # nodes that are looked at one by one


def single(node: Node, path: Path, reading: Reading, pulse: Pulse, is_output: bool) -> Box:
    """The box of one node, drawn in the module with this path."""
    name, grad, op = reading.name(node), reading.grad(node), node.op
    picked = reading.picks_are_leaves and is_pick(node)
    common: dict[str, Any] = {
        "name": clean(name) if name else "",
        "full_name": clean(name, LONGEST) if name else "",
        "op": "" if picked else symbol(op),
        "op_name": "" if op is None or picked else clean(op.name, LONG),
        "module": clean(".".join(path), LONG),
        "tracked": node.requires_grad,
        "is_input": node in reading.inputs,
        "is_output": is_output,
        **_judged([reading.verdicts.get(node, "")]),
        "shows_value": reading.values,
        "shows_grad": reading.gradients,
    }
    constant = op is None and not node.requires_grad
    # Without its number, an array of one is best drawn like any other array.
    if is_number(node) and (constant or reading.values or reading.gradients or isinstance(node.data, float)):
        common["shows_value"] |= constant and not name  # its number is all that it is called by
        return Box(
            "constant" if constant else "scalar",
            value=item(node.data) if common["shows_value"] else None,
            grad=None if grad is None or not reading.gradients else item(grad),
            mark=pulse.gate(node),
            hover=_hover(node, path, reading, picked),
            **common,
        )
    shape = str(np.shape(node.data))
    value, slope = summarise([node.data]), None if grad is None else summarise([grad])
    hover = _hover(node, path, reading, picked, value, slope)
    if op is not None and op.name in VIEWS:
        return Box("view", shape=shape, hover=hover, **common)
    vitals = pulse.vitals(node)
    note, mark, units, told, examples = vitals or ("", "", (), "", 0)
    if value.flawed:
        note = f"{value.flawed:,} of {np.size(node.data):,} NaN or infinite"
    return Box(
        "tensor",
        shape=shape,
        value=value if reading.values else None,
        grad=slope if reading.gradients else None,
        note=note,
        mark=mark,
        units=units,
        examples=examples,
        hover=f"{hover}\n{told}" if told else hover,
        **common,
    )


def _hover(
    node: Node, path: Path, reading: Reading, picked: bool, value: Summary | None = None, slope: Summary | None = None
) -> str:
    name = called(node, reading.name(node))
    made = "" if node.op is None or picked else clean(node.op.name, LONG)
    lines = [name if made in ("", name) else f"{name}, made by {made}"]
    if picked:
        source = node.parents[0]
        lines.append(f"entry {np.atleast_1d(node.params['index']).tolist()} of {called(source, reading.name(source))}")
    elif formula := _formula(node, reading):
        lines.append(f"= {formula}")
    if path:
        lines.append(f"in {clean('.'.join(path), LONG)}")
    grad = reading.grad(node)
    if is_number(node):
        lines.append(f"value {item(node.data)!r}")
        if node.requires_grad:
            lines.append("no gradient yet" if grad is None else f"gradient {item(grad)!r}")
    else:
        lines.append(f"shape {np.shape(node.data)}, {getattr(node.data, 'dtype', 'float64')}")
        lines += [] if value is None else _told(value)
        if node.requires_grad:
            lines.append("no gradient yet" if slope is None else f"gradient norm {slope.norm!r}")
    return "\n".join(lines)


def _formula(node: Node, reading: Reading) -> str:
    """What a node was computed as: its inputs by name, or by number where they have none."""
    if node.op is None or node.op.name in VIEWS or not all(reading.name(p) or is_number(p) for p in node.parents):
        return ""
    symbols = [Symbol(name, shape=np.shape(p.data)) if (name := reading.name(p)) else write(item(p.data))
               for p in node.parents]  # fmt: skip
    try:
        return clean(node.op.write(symbols, node.params), LONG)
    except Exception:  # an op of the user's own may hold what cannot be written down
        return ""


def _told(s: Summary) -> list[str]:
    return [f"mean {s.mean!r}", f"std {s.std!r}", f"largest magnitude {s.limit!r}"] if s.count else []


def group(
    members: Sequence[Node], path: Path, senders: Sequence[Node], reading: Reading, pulse: Pulse, is_output: bool
) -> Box:
    """Many nodes in one box: what leaves it, as one number or all numbers together, and the units among them."""
    ops = Counter(n.op for n in members if n.op is not None)
    made = Counter({symbol(op): count for op, count in ops.items()})
    parameters = sum(np.size(n.data) for n in members if n.op is None and n.requires_grad)
    parameters += sum(1 for n in members if is_pick(n)) if reading.picks_are_leaves else 0
    note, mark, units, health, examples = _units(members, pulse)
    counted = f"{parameters:,} parameter" + "s" * (parameters != 1) if parameters and path else ""
    alone = senders[0] if len(senders) == 1 and is_number(senders[0]) and senders[0].op is not None else None
    if not note and alone is not None:
        note = _sent(alone, reading)
    note = note or counted or ", ".join(f"{count:,} {s}" for s, count in made.most_common(3))
    full = ".".join(path)
    kind = reading.kinds.get(full, "")
    hover = [clean(full, LONG) if path else "nodes of no module", kind, f"{len(members):,} nodes folded"]
    hover += [counted or f"{parameters:,} parameters", health]
    hover += [f"{count:,} × {s}" for s, count in made.most_common(8)]
    grads = [g for n in senders if (g := reading.grad(n)) is not None]
    verdicts = [reading.verdicts[n] for n in reading.verdicts.keys() & members] if reading.verdicts else []
    return Box(
        "group",
        name=clean(path[-1], 18) if path else " ".join(s for s, _ in made.most_common(3)) or "leaves",
        full_name=clean(path[-1], LONGEST) if path else "",
        shape=f"{len(members):,} nodes",
        value=_together([n.data for n in senders], alone) if reading.values else None,
        grad=_together(grads, alone) if grads and reading.gradients else None,
        note=note,
        mark=mark,
        units=units,
        examples=examples,
        subtitle=clean(kind, 48),
        aside=counted if counted != note else "",
        tracked=any(n.requires_grad for n in members),
        hover="\n".join(filter(None, hover)),
        is_output=is_output,
        module=clean(full, LONG),
        **_judged(verdicts),
        shows_value=reading.values,
        shows_grad=reading.gradients,
    )


def _sent(node: Node, reading: Reading) -> str:
    """The one number that leaves a box."""
    grad = reading.grad(node)
    said = [f"out {number(item(node.data))}"] if reading.values else []
    if grad is not None and reading.gradients:
        said.append(f"grad {signed(item(grad))}")
    return ", ".join(said)


def _units(members: Sequence[Node], pulse: Pulse) -> tuple[str, Mark, Any, str, int]:
    """The health of the last activation on arrays that is folded here."""
    for node in reversed(members):
        if node.op is not None and not is_number(node) and (vitals := pulse.vitals(node)):
            return vitals
    return _gates(members, pulse) if len(members) <= _COUNTED else "", "", (), "", 0


def _gates(members: Sequence[Node], pulse: Pulse) -> str:
    """How many of the activations folded here, one number each, are closed or saturated."""
    steep = [pulse.gate(n) for n in members if n.op is not None and activation(n) is not None]
    closed, stuck = steep.count("closed"), steep.count("saturated")
    if len(steep) < 2 or not closed + stuck:
        return ""
    return ", ".join(f"{k:,} of {len(steep):,} {what}" for k, what in ((closed, "closed"), (stuck, "saturated")) if k)


def _together(values: list[Any], alone: Node | None) -> float | Summary:
    return item(values[0]) if alone is not None else summarise(_gathered(values))


def _gathered(values: list[Any]) -> list[Any]:
    """Arrays as they are, and all plain numbers as one array: a call to NumPy a number would take minutes."""
    numbers = [v for v in values if isinstance(v, float)]
    return [v for v in values if not isinstance(v, float)] + ([np.array(numbers)] if numbers else [])


def _judged(verdicts: Sequence[str]) -> dict[str, Any]:
    """What a gradient check found of the nodes in a box: the first that is wrong, else whether one is right."""
    wrong = [said for said in verdicts if said not in ("", "right")]
    return {"verdict": "wrong", "fault": min(wrong)} if wrong else {"verdict": "right" if "right" in verdicts else ""}
