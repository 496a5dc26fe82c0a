"""Mistakes in the rule of one op, from what it was given and what it gave back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from micrograd_nn.checking._evidence import Case, Finding, LocalOp, Trace, verbatim
from micrograd_nn.checking._functions import KNOWN, nearly, wrong_slopes
from micrograd_nn.checking._mutants import NOT_CURVED
from micrograd_nn.graph import Node
from micrograd_nn.tensor import Tensor

__all__ = ["local_findings", "traced"]

Array = np.ndarray[Any, Any]


COARSE = 1e-6  # of the slopes that are taken here by simple differences


def traced(op: LocalOp, n: int) -> Trace | None:
    """The forward computation of an op as a graph of other ops, where it is made of such as we have."""
    places = list(op.places) if op.places is not None else list(range(n))
    leaves = {p: Tensor(np.asarray(op.values[p], float), requires_grad=True) for p in places}
    try:
        root = op.op.array(*(leaves.get(p, v) for p, v in enumerate(op.values)), **op.params)
        if not isinstance(root, Node) or root.op is op.op or root.op is None:
            return None
        return Trace(root, [leaves[p] for p in places], np.asarray(op.g, float))
    except Exception:  # whatever it does not like about nodes, there is no trace then
        return None


def local_findings(cases: Sequence[Case], op: LocalOp) -> list[Finding]:
    """Mistakes in the rule of one op, from what it was given and what came back."""
    found: list[Finding] = []
    places = list(op.places) if op.places is not None else list(range(len(cases)))
    with np.errstate(all="ignore"):
        for k, case in enumerate(cases):
            if case.bad and not case.odd and places[k] < len(op.values):
                for rank, cause, said, guess, bar in _guesses(case, op, places[k]):
                    if guess.shape == case.x.shape and case.told(guess, case.bar + bar):
                        found.append(Finding(cause, frozenset([k]), rank, verbatim(f"{said}."), said))
    return found


def _guesses(case: Case, op: LocalOp, place: int) -> Iterator[tuple[float, str, str, Array, Any]]:
    """Rank, cause, sentence, the wrong gradient that would be, and how well that is known."""
    x, n, out, g, name = case.x, case.n, np.asarray(op.out, float), np.asarray(op.g, float), op.op.name
    run = _runner(op, place)
    slopes = _jacobian(run, x) if out.size and x.size * max(out.size, x.size) <= 250_000 else None
    if slopes is not None and g.shape == out.shape:
        for coming, how in (
            (np.ones_like(g), "does not use the gradient that comes in: multiply by it"),
            (g * g, "uses the gradient that comes in twice: multiply by it once"),
            (np.abs(g), "uses the size of the gradient that comes in without its sign"),
        ):
            bar = COARSE * np.abs(coming).ravel() @ np.abs(slopes)
            yield (7.0, "grad_output ignored", f"the rule of `{name}` {how}",
                   (coming.ravel() @ slopes).reshape(x.shape), bar.reshape(x.shape))  # fmt: skip
        diagonal = np.diagonal(slopes)
        if out.shape == x.shape and np.any(np.abs(slopes - np.diag(diagonal)) > 1e-7 * np.max(np.abs(slopes))):
            guess = g * diagonal.reshape(x.shape)
            said = f"only the diagonal of `{name}`'s Jacobian is used: each input moves several results"
            yield 7.05, "cross terms", said, guess, COARSE * np.abs(guess)
    if out.shape != x.shape or g.shape != x.shape:
        return
    cause, said = "activation derivative", f"the derivative of {name}"
    if name not in NOT_CURVED:
        yield 7.1, cause, f"{said} is left out", g, 0.0
        slope = np.divide(n, g, where=g != 0, out=np.zeros_like(n))
        yield 7.12, cause, f"{said} is there twice", n * slope, 0.0
        elsewhere = _slopes(run, out)
        if elsewhere is not None:
            guess = g * elsewhere
            yield 7.11, cause, f"{said} is taken at its output in place of its input", guess, COARSE * np.abs(guess)
    for known_name, known in KNOWN.items():
        if nearly(known.f(x), out):
            for mistake, wrong in wrong_slopes(known_name, known, x, out):
                yield 7.13, cause, mistake, np.asarray(g * wrong), 0.0


def _runner(op: LocalOp, place: int) -> Callable[[Array], Array]:
    def run(x: Array) -> Array:
        values = list(op.values)
        values[place] = float(x) if isinstance(values[place], float) else x
        return np.asarray(op.op.run(values, op.params), float)

    return run


def _steps(x: Array) -> Array:
    return np.asarray(6e-6 * np.maximum(np.abs(x), 1.0))


def _slopes(run: Callable[[Array], Array], x: Array) -> Array | None:
    """f'(x) of a function that works entry by entry."""
    h = _steps(x)
    try:
        return np.asarray((run(x + h) - run(x - h)) / (2 * h))
    except (TypeError, ValueError, ArithmeticError):
        return None


def _jacobian(run: Callable[[Array], Array], x: Array) -> Array | None:
    """A row a result, a column an entry of x, to about eight digits."""
    columns, h = [], _steps(x)
    try:
        for at in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[at] += h[at]
            down[at] -= h[at]
            columns.append((run(up) - run(down)).ravel() / (up[at] - down[at]))
    except (TypeError, ValueError, ArithmeticError):
        return None
    return np.stack(columns, -1)
