"""What an edge says: the local derivative and its formula, the gradient that comes back, and where and why it stops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from micrograd_nn.graph import Node, formulas
from micrograd_nn.health._activity import FLAT, curve_of_op
from micrograd_nn.op import Patch
from viz._scene import Edge
from viz._summary import percent
from viz._text import clean, number, signed
from viz.graph._pulse import steepness
from viz.graph._reading import LONG, Reading, called, is_number, item, norm

__all__ = ["Link", "bundle", "contribution", "edge"]

_LONGEST_TERM = 14  # characters of formula that an edge has room for

# Why the derivative by an input is exactly 0: by the op, and for `where` and `prelu` by the input's place.
_CLOSED = {
    "relu": "closed", "leaky_relu": "closed", "prelu": "closed", "maximum": "not the max", "max": "not the max",
    "minimum": "not the min", "min": "not the min", "where": "not taken", "clip": "clipped", "mul": "times 0",
    "abs": "at its kink", "getitem": "not picked",
}  # fmt: skip
_GATES = {"relu", "leaky_relu", "maximum", "minimum", "max", "min", "where", "clip"}
_GATED = {"relu": "gates closed", "leaky_relu": "gates closed"}
_SQUASHING = {"tanh", "sigmoid", "elu", "gelu", "silu", "softplus"}


class Link(NamedTuple):
    """One use of a node by another: input `k` of `child`; `tail` and `head` are their boxes."""

    tail: int
    head: int
    parent: Node
    child: Node
    k: int


def contribution(child: Node, k: int, g: Any) -> Any:
    """What input `k` of a node gets of the node's gradient `g`: a number, an array or a Patch; None where the rule
    cannot say. All contributions to a node together are its gradient."""
    values = [x._data if isinstance(x, Node) else x for x in child.inputs]
    parent = child.parents[k]
    try:
        return parent._fit(child.op.share(k, g, child._data, values, child.params), g)
    except Exception:  # a rule of the user's own may do anything; the picture shows the rest
        return None


def edge(link: Link, reading: Reading) -> Edge:
    """A use of a node that is drawn as an arrow of its own."""
    parent, child = link.parent, link.child
    if not parent.requires_grad:
        name = called(parent, reading.name(parent))
        return Edge(link.tail, link.head, hover=f"{name} is constant: no gradient comes back")
    local = _local(link)
    through, has_sign, total = _through(link, reading)
    stop, stopped = _stop(link, local)
    label, hover = _text(link, reading, local)
    if stop:
        hover += f"\n{stop}"
        label = stop if reading.local_derivatives else stop.split(":")[0]
    elif not reading.local_derivatives:
        label = ""
    if through is not None:
        hover += (
            f"\ngradient through here {through!r}" if has_sign else f"\nnorm of the gradient through here {through!r}"
        )
    wrong = reading.wrong.get((child, link.k))
    if wrong is not None:
        label, hover = wrong, f"{hover}\n{wrong}"
    if not reading.gradients:
        through = total = None
    return Edge(
        link.tail, link.head, through, has_sign, label, hover, stop, stopped, local=local, total=total,
        wrong=wrong is not None,
    )  # fmt: skip


def bundle(links: Sequence[Link], reading: Reading) -> Edge:
    """All uses between two boxes, one of which is folded, as one arrow."""
    first = links[0]
    found = [_through(link, reading) for link in links if link.parent.requires_grad]
    known = [t for t, _, _ in found if t is not None]
    size = norm(known) if known else None
    total = sum(t for _, _, t in found if t is not None) if known else None  # fsum refuses inf - inf
    hover = f"{len(links):,} edges" + ("" if size is None else f"\nnorm of the gradients {size!r}")
    if not reading.gradients:
        size = total = None
    return Edge(first.tail, first.head, size, False, hover=hover, count=len(links), total=total)


def _local(link: Link) -> float | None:
    """How much a number grows with another that it is made from."""
    if not (is_number(link.parent) and is_number(link.child)):
        return None
    data = link.child._data
    found = contribution(link.child, link.k, 1.0 if isinstance(data, float) else np.ones(np.shape(data)))
    return None if found is None else item(_dense(found))


def _through(link: Link, reading: Reading) -> tuple[float | None, bool, float | None]:
    """The gradient that comes back, whether it has a sign, and the sum of its entries."""
    g = reading.grad(link.child)
    if g is None:
        return None, True, None
    share = contribution(link.child, link.k, g)
    if share is None:
        return None, True, None
    if isinstance(share, float):
        return float(share), True, float(share)
    one = is_number(link.child) and isinstance(share, Patch) and np.size(share.value) == 1
    if one or is_number(link.parent):  # one entry of an array, or a number
        x = item(share.value if one else _dense(share))
        return x, True, x
    array = _dense(share)
    return norm(array), False, float(np.sum(array))


def _dense(share: Any) -> Any:
    return share.dense() if isinstance(share, Patch) else share


# --- where it stops -------------------------------------------------------------------------------------------------


def _stop(link: Link, local: float | None) -> tuple[str, Literal["", "closed", "saturated"]]:
    """Why no gradient, or next to none, comes back along an edge; and of arrays, for what share of the entries."""
    child, op = link.child, link.child.op.name
    if local is None:
        return _stops(link)
    if math.isnan(local):
        return "", ""
    steep = steepness(child) if op in _SQUASHING else None
    if steep is not None and steep[1] and steep[0] < FLAT:
        return f"saturated: {number(local)}", "saturated"
    if local == 0:
        return f"{_reason(link)}: 0", "closed"
    return "", ""


def _reason(link: Link) -> str:
    owner, op = link.child.frame.owner, link.child.op.name
    if op == "prelu" and link.k == 1:
        return "not in use"
    if op == "mul" and type(owner).__name__ == "Dropout":
        return "dropped"
    return _CLOSED.get(op, "flat")


def _stops(link: Link) -> tuple[str, Literal["", "closed", "saturated"]]:
    """The same for an op on arrays that lets each entry through or not."""
    child, op = link.child, link.child.op.name
    dropped = op == "mul" and _reason(link) == "dropped"
    squashing = op in _SQUASHING
    if not (op in _GATES or squashing or dropped or (op == "prelu" and link.k == 0)) or not np.size(child.data):
        return "", ""
    values = [x._data if isinstance(x, Node) else x for x in child.inputs]
    try:
        slopes = np.abs(child.op.share(link.k, np.ones(np.shape(child.data)), child._data, values, child.params))
    except Exception:  # a rule of the user's own
        return "", ""
    if squashing:
        curve = curve_of_op(child.op, child.params)
        if not curve.bends:
            return "", ""
        lost, word = slopes < FLAT * curve.steepest, "saturated"
    else:
        lost, word = slopes == 0, _GATED.get(op, _reason(link))
    share = float(np.mean(lost))
    if not share:
        return "", ""
    return f"{percent(share)} of {lost.size:,} {word}", ("saturated" if squashing else "closed") if share == 1 else ""


# --- text -----------------------------------------------------------------------------------------------------------


def _text(link: Link, reading: Reading, local: float | None) -> tuple[str, str]:
    """An edge's label and hover text: the local derivative as a number, and the formula it comes from."""
    parent, child = link.parent, link.child
    formula = _formula(child, link.k)
    hover = f"gradient of {called(parent, reading.name(parent))} from here: {formula}"
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
        return clean(formulas(node)[k], LONG)
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


def returned_against(analytic: float, numeric: float) -> str:
    """What a wrong rule gave, beside what differences of the op say."""
    return f"returned {signed(analytic)}, differences {signed(numeric)}"
