"""A gradient check that failed, as a graph: the op to blame or the inputs with wrong gradients, and what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from micrograd_nn.graph import Node, gradients, topological_order
from viz._text import clean
from viz.graph._reading import Reading
from viz.graph._slopes import returned_against

if TYPE_CHECKING:
    from micrograd_nn.checking import GradcheckReport
    from micrograd_nn.checking._blame import Blame

__all__ = ["read_verdict"]


def read_verdict(report: GradcheckReport, gradients_shown: bool) -> tuple[Node, Reading, list[str]]:
    """The graph that a report speaks of, how to read it, and what to say beside.

    With an op to blame that is marked, and the ops that are right; else the inputs are whose gradients are wrong, and
    those whose are right. Raises ValueError where all is well, or nothing could be traced.
    """
    blame = report.blame
    if blame is not None:
        verdicts = {**dict.fromkeys(blame.right, "right"), **dict.fromkeys(blame.wrong, "this rule is wrong")}
        reading = Reading(
            grads=_gradients(blame.root),
            opened=_around(blame),
            verdicts=verdicts,
            wrong={(blame.node, blame.input): _wrong(blame)},
        )
        return blame.root, reading, _notes(report, str(blame))
    if report.ok or report.root is None:
        found = "all is well" if report.ok else "nothing could be traced on our own nodes"
        raise ValueError(
            f"a gradcheck report is drawn to show what is wrong, and in this one {found} "
            f"({clean(report.headline, 160)}). To see the computation itself, draw its result: viz.draw(f(x))."
        )
    worst: dict[str, str] = {}
    for row in report.worst(len(report.rows)):
        if not report.well(row):
            at = f" at {list(row.index)}" if row.index else ""
            said = returned_against(row.analytic, row.numeric) if row.verdict == "wrong" else row.verdict
            worst.setdefault(row.input, f"{said}{at}")
    seen = {row.input for row in report.rows}
    leaves = [n for n in topological_order(report.root) if n.op is None and n.requires_grad and n.name in seen]
    reading = Reading(
        grads=_gradients(report.root),
        opened=set(leaves),
        verdicts={leaf: worst.get(str(leaf.name), "right") for leaf in leaves},
    )
    notes = _notes(report, report.diagnosis)
    notes += ["Gradients are drawn as our own nodes give them for the same computation."] * gradients_shown
    return report.root, reading, notes


def _notes(report: GradcheckReport, more: str) -> list[str]:
    return [clean(report.headline, 150), *([clean(more, 1000)] if more else [])]


def _gradients(root: Node) -> dict[Node, object]:
    """What flows back through the rules as they are, the wrong one included; nothing where one of them raises."""
    try:
        with np.errstate(all="ignore"):
            return gradients(root, None if np.size(root.data) == 1 else np.ones(np.shape(root.data)))
    except Exception:  # the rule to blame may raise anything
        return {}


def _around(blame: Blame) -> set[Node]:
    """The op to blame with its inputs, and what uses it: kept open however large the graph is."""
    near = {blame.node, *blame.node.parents}
    return near | {n for n in topological_order(blame.root) if any(p is blame.node for p in n.parents)}


def _wrong(blame: Blame) -> str:
    """What came back along the wrong edge, and what should have."""
    places = blame.local.places or range(len(blame.local.values))
    told = dict(zip(places, blame.evidence, strict=False)).get(blame.input)
    if told is None or not np.any(told.wrong):
        return "what comes back here is wrong"
    analytic, numeric = np.ravel(told.analytic), np.ravel(told.numeric)
    with np.errstate(all="ignore"):
        off = np.nan_to_num(np.abs(analytic - numeric) / np.fmax(np.abs(analytic), np.abs(numeric)), nan=np.inf)
    k = int(np.argmax(np.where(np.ravel(told.wrong), off, -1.0)))  # the one that the report tells, too
    if np.size(blame.node.data) == 1 and len(analytic) > 1 and isinstance(blame.node.data, float):
        k = 0  # an op on plain numbers has its places side by side, this one first
    return returned_against(float(analytic[k]), float(numeric[k]))
