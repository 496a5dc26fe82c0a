"""What a picture in text says of a box or an edge of the scene, in pieces that a terminal can colour."""

from __future__ import annotations

from dataclasses import replace

from viz._chars import Line, Piece
from viz._scene import Box, Edge
from viz._summary import Summary
from viz._text import number, signed

__all__ = ["MARKS", "called", "content_of", "derivative_of", "gradient_of", "label_of", "said_of", "value_of"]

MARKS = {"closed": "× closed", "dead": "× dead", "saturated": "□ saturated"}


def label_of(box: Box) -> Line:
    """What a box is called: its op, its name, its shape."""
    pieces: Line = []
    if box.kind == "constant" and not box.name:
        return [("constant", "grey")]
    if box.op:
        pieces.append((box.op, ""))
    if box.name:
        pieces.append((box.name, "name"))
    if not pieces:
        pieces.append(("value", "grey"))
    pieces = [p for piece in pieces for p in ((" ", ""), piece)][1:]
    pieces += [(f" {t}", "shape") for t in (box.subtitle or box.shape,) if t]
    return pieces + [(" ◂", "mark")] * box.highlighted


def value_of(box: Box) -> Piece:
    """The value; of arrays mean and standard deviation."""
    value = box.value if box.shows_value else None
    if isinstance(value, Summary):
        spread = f" ± {number(value.std)}" if value.count > 1 else ""
        return number(value.mean) + spread if value.count else "", ""
    return (number(value), "") if isinstance(value, float) else ("", "")


def gradient_of(box: Box) -> Piece:
    """The gradient; of an array its norm."""
    if not box.tracked or not box.shows_grad or box.kind in ("view", "unit"):
        return "", ""
    grad = box.grad
    if isinstance(grad, Summary) and grad.count != 1:
        return number(grad.norm), ""
    if grad is not None:
        g = grad.mean if isinstance(grad, Summary) else grad
        return signed(g), "positive" if g > 0 else "negative" if g < 0 else ""
    return "–", "grey"


def said_of(box: Box) -> Line:
    """A box's mark and note, and what a gradient check found wrong, in words."""
    single = box.value.count == 1 if isinstance(box.value, Summary) else box.value is not None
    note = "" if single else box.note  # it would tell the number again
    told = (MARKS.get(box.mark, ""), "mark"), (box.fault, "mark"), (note, "grey")
    pieces: Line = [(t, s) for t, s in told if t]
    return [p for piece in pieces for p in (("  ", ""), piece)][1:]


def derivative_of(edge: Edge | None) -> str:
    """The local derivative at an edge, and why nothing comes back where that is so; of a wire its weight."""
    if edge is not None and edge.weight is not None:
        return number(edge.weight)
    if edge is None or not edge.label:
        return ""
    if edge.local is None:
        return edge.label
    reason, _, _ = edge.label.partition(": ")
    return f"∂ {number(edge.local)} ({reason})" if edge.stop and reason != edge.label else f"∂ {edge.label}"


def content_of(box: Box) -> list[list[Piece]]:
    """The rows of a box in a diagram, the last piece of each at its right edge."""
    value, grad = value_of(box), gradient_of(box)
    if box.kind == "constant":
        return [[(box.name + " " if box.name else "", "grey"), (value[0], "grey")]]
    label = label_of(box)
    if box.kind == "scalar":
        rows = [[*label, ("  ", ""), value] if box.shows_value else [*label, ("", "")]]
        if box.shows_grad:
            rows.append([("", ""), grad])
    else:
        rows = [[*label_of(replace(box, subtitle="", shape="")), ("", "")]]
        rows += [[(t, "grey")] for t in (box.subtitle or box.shape,) if t]
        if value[0]:
            rows.append([("bias" if box.kind == "unit" else "", "grey"), ("  " + value[0], value[1])])
        if grad[0]:
            rows.append([("", ""), grad])
    said = said_of(box)
    return [*rows, said] if said else rows


def called(box: Box, numbered: int | None) -> str:
    """What a line calls a box that stands elsewhere."""
    if box.kind == "group" and box.module:
        return box.module
    return box.name or f"{box.op or 'value'} #{numbered}"
