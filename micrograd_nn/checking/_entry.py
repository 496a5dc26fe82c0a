"""`gradcheck` and `check_backward`: a check, what its errors look like, and which op they come from, as one report."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from micrograd_nn.checking._arguments import called_by, keyword_names, kind_of
from micrograd_nn.checking._blame import find_blame, on_kinks
from micrograd_nn.checking._check import Checked, check
from micrograd_nn.checking._pair import Pair
from micrograd_nn.checking._patterns import Trace, diagnose
from micrograd_nn.checking._report import GradcheckError, GradcheckReport
from micrograd_nn.checking._sources import sources
from micrograd_nn.checking._subject import Graph, Slopes, joined
from micrograd_nn.checks import at_least_one

__all__ = ["check_backward", "gradcheck"]


def gradcheck(
    f: Any, *inputs: Any, order: int = 1, eps: float | None = None, rtol: float | None = None, atol: float = 0.0,
    max_coordinates: int | None = 2000, rng: Any = 0, raise_on_error: bool = True, allow_kinks: bool = False,
    progress: bool | None = None, **keywords: Any,
) -> GradcheckReport:  # fmt: skip
    """Hold the gradients of `f`, a function of Values and Tensors or a Module, against differences of its values.

    `inputs` are floats, arrays of floats, Values, Tensors, Modules, or lists and dicts of these; every float in them
    is moved, and so is every parameter of a Module, `f` included. Integers and booleans are labels or indices and stay.
    Keywords that are not named here go to `f`: arrays and nodes among them are moved, plain numbers are settings.
    Everything happens on float64 copies. Several results are weighed into one number, with fixed random weights.

    An entry is wrong when it is off by more than `atol`, plus `rtol` of the larger of the two (default: 1e-9, or 1e-3
    where the results are float32), plus the error bar of the differences. `order` 2 and above check the derivatives of
    the derivatives as well. `eps` is the first step to try (default: a part of each number's own size), `rng` seeds
    weights, samples and projections. Up to `max_coordinates` are looked at one by one, of more a sample that is spread
    over all inputs, with random projections of all; None looks at every one. `allow_kinks` passes an entry where `f`
    has a kink if what was returned lies between the slopes from either side.

    Raises `GradcheckError`, an AssertionError with the report, unless all is well or `raise_on_error` is False.
    TypeError where there is nothing to check.

    >>> import micrograd_nn as mg
    >>> report = gradcheck(lambda x, w: np.tanh(x @ w), np.ones((3, 2)), np.array([0.5, -1.0]))
    >>> print(report)
    gradcheck of f: ok - checked all 8 entries: all right
    """
    __tracebackhide__ = True
    _clear("gradcheck", f, len(inputs), locals())
    generator = _generator(rng)
    settings, order = _settings(eps, rtol, atol, max_coordinates), at_least_one(order, "order")
    subject: Any = Graph(f, inputs, keywords)
    runs: list[Checked] = []
    for k in range(1, order + 1):
        runs.append(done := check(subject, generator, *settings, progress, k))
        if k == order or done.probe is None:
            break
        if not _ended(runs, allow_kinks).ok:
            done.notes.append(f"The derivative of order {k + 1} was not looked at, since this one is not well.")
            break
        subject = Slopes(subject, done.probe.seeds)
    return _finished(runs, allow_kinks, raise_on_error, generator)


def check_backward(
    forward: Callable[..., Any], backward: Callable[..., Any], *inputs: Any, eps: float | None = None,
    rtol: float | None = None, atol: float = 0.0, max_coordinates: int | None = 2000, rng: Any = 0,
    raise_on_error: bool = True, allow_kinks: bool = False, progress: bool | None = None, cache: bool | None = None,
    **keywords: Any,
) -> GradcheckReport:  # fmt: skip
    """Hold a backward pass written by hand, on plain arrays, against differences of its forward pass.

    `backward(grad_output, *inputs)` returns the gradient of sum(grad_output * result) for each input, in their order:
    the array itself where there is one input, nothing or None for integer ones, or a dict of them by name ("w" or
    "dw"). A pair that keeps what it needs is recognised too: forward returns `(result, cache)`, and backward takes
    `(grad_output, cache)`; where that could be read in two ways, `cache=True` or `False` settles it. A backward of one
    argument gets grad_output alone. Where forward gives several results, grad_output is a tuple. Keywords that are not
    named here go to forward, and to backward if it takes them; they are not moved. All else is as for `gradcheck`.

    >>> def affine(x, w): return x @ w
    >>> def affine_backward(g, x, w): return g @ w.T, x.T @ g
    >>> bool(check_backward(affine, affine_backward, np.ones((4, 3)), np.eye(3, 2)))
    True
    """
    __tracebackhide__ = True
    _clear("check_backward", forward, len(inputs), locals())
    if not callable(backward):
        raise TypeError(
            f"check_backward takes a forward and a backward pass first: {kind_of(backward)} cannot be called."
        )
    generator = _generator(rng)
    settings = _settings(eps, rtol, atol, max_coordinates)
    subject = Pair(forward, backward, inputs, keywords, cache)
    return _finished([check(subject, generator, *settings, progress)], allow_kinks, raise_on_error, generator)


OPTIONS = {
    "order": 1, "eps": None, "rtol": None, "atol": 0.0, "max_coordinates": 2000, "rng": 0, "raise_on_error": True,
    "allow_kinks": False, "progress": None, "cache": None,
}  # fmt: skip


def _clear(who: str, f: Any, count: int, given: dict[str, Any]) -> None:
    """Refuse what cannot be called, and an option that could be meant for `f` as well as for the check."""
    if not callable(f):
        raise TypeError(f"{who} takes a function first, and then what to call it with: {kind_of(f)} cannot be called.")
    for name in keyword_names(f, count):
        if name in OPTIONS and name in given and given[name] is not OPTIONS[name] and given[name] != OPTIONS[name]:
            raise ValueError(
                f"{name} is an option of {who} and an argument of {called_by(f)}: wrap that, as in lambda x: "
                f"{called_by(f)}(x, {name}=...), and the two are told apart."
            )


def _generator(rng: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(f"rng is a np.random.Generator, or a whole number to seed one with, not {rng!r}.") from None


def _settings(eps: Any, rtol: Any, atol: Any, budget: Any) -> tuple[Any, Any, Any, int]:
    for name, value, least in (("eps", eps, "above"), ("rtol", rtol, "of at least"), ("atol", atol, "of at least")):
        if value is None and name != "atol":
            continue
        number = isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)
        if not number or value < 0 or (value == 0 and least == "above"):
            raise ValueError(f"{name} is a number {least} 0, not {value!r}.")
    return eps, rtol, atol, 2**62 if budget is None else at_least_one(budget, "max_coordinates (None for all)")


def _ended(runs: list[Checked], allow_kinks: bool) -> GradcheckReport:
    """The report of all orders together."""
    first = runs[0]
    return GradcheckReport(
        [r for run in runs for r in run.rows], tuple(dict.fromkeys(p for run in runs for p in run.problems)),
        subject=first.subject.name, coordinates=first.coordinates, projections=sum(run.projections for run in runs),
        rtol=float(first.allowed.rtol), atol=float(first.allowed.atol), allow_kinks=allow_kinks,
        notes=tuple(dict.fromkeys(n for run in runs for n in run.notes)),
        calls=sum(run.probe.calls for run in runs if run.probe),
    )  # fmt: skip


def _finished(
    runs: list[Checked], allow_kinks: bool, raise_on_error: bool, rng: np.random.Generator
) -> GradcheckReport:
    """The report with what there is to say of its errors; raised where it has to be."""
    __tracebackhide__ = True
    report, last = _ended(runs, allow_kinks), runs[-1]
    if not report.ok:
        _explain(report, last, rng)
        if last.probe is not None and last.probe.weighed and not all(map(report.well, report.rows)):
            report.notes += (last.probe.weighed,)
        report.notes += last.subject.hints
        if raise_on_error:
            raise GradcheckError(report) from last.reason
    return report


def _explain(report: GradcheckReport, done: Checked, rng: np.random.Generator) -> None:
    """What the errors look like, and which op of our own they come from."""
    subject = done.subject
    if done.probe is None or (done.returned is None and done.reason is None):
        return
    with np.errstate(all="ignore"), sources() as made:
        traced = subject.graph(subject.arrays)
    node = joined(traced[0], done.probe.seeds) if traced else None
    with np.errstate(all="ignore"):
        trace = Trace(node[0], traced[1], node[1]) if node and traced else None
        if trace is not None:
            report.root = trace.root
            for leaf, entry in zip(trace.leaves, subject.entries):
                leaf.name = leaf.name or entry.name
        wrong = any(r.verdict == "wrong" for r in done.rows)
        if trace is None or isinstance(subject, Pair):
            pass
        elif wrong or done.problems:
            report.blame = find_blame(trace.root, made, rng)
            if report.blame is not None:
                report.cause, report.diagnosis = diagnose(report.blame.evidence, op=report.blame.local)
        elif report.count("not differentiable"):
            report.diagnosis = on_kinks(trace.root, rng)
        if done.returned is None:
            return
        lost = subject.lost() if wrong and report.blame is None and not done.problems else ""
        if done.returned.nonlinear:  # then nothing else can be the matter
            report.cause, report.diagnosis = "grad_output ignored", done.returned.nonlinear
        elif lost:
            report.cause, report.diagnosis = "never reached", lost
        elif not report.diagnosis:
            report.cause, report.diagnosis = diagnose(done.evidence(), trace=trace)
