"""What kind of mistake makes a gradient wrong in just this way: patterns in the numbers, and the choice among all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import comb, prod
from typing import Any

import numpy as np

from micrograd_nn.checking._evidence import (
    CAUSES,
    Case,
    Evidence,
    Finding,
    LocalOp,
    Trace,
    axes_said,
    times,
    verbatim,
)
from micrograd_nn.checking._lost import lost_findings
from micrograd_nn.checking._mutants import REDUCTIONS, Graph, graph_findings, right_gradients
from micrograd_nn.checking._rule import local_findings, traced

__all__ = ["CAUSES", "Evidence", "LocalOp", "Trace", "diagnose"]

Array = np.ndarray[Any, Any]
WORDS = {2: "half", 3: "a third", 4: "a quarter", 10: "a tenth"}


def diagnose(
    evidence: Sequence[Evidence], *, trace: Trace | None = None, sizes: Sequence[int] = (), op: LocalOp | None = None
) -> tuple[str, str]:
    """What kind of mistake the errors in `evidence` look like: one of `CAUSES` and a sentence, or twice "".

    A kind is named only where it says what every wrong entry is (or which entries are wrong), to the digits that the
    measurement has, and leaves the right ones right. Of several that fit, the simplest is taken: first what has
    nothing to adjust, then one factor, last a mere place. `trace` lets slips in the backward pass be tried in the graph
    of the same computation. `sizes` are lengths that a factor may be named after, besides those of the inputs. With
    `op` the evidence is about the inputs of that one op.

    >>> right = np.array([1.0, -2.0, 0.5])
    >>> all_of_it, none = np.ones(3, bool), np.zeros(3)
    >>> e = Evidence("w", np.array([3.0, 1.0, 2.0]), 2.5 * right, right, none, all_of_it, all_of_it)
    >>> diagnose([e])
    ('factor', 'the gradient of w is 2.5x too large in every entry.')
    """
    evidence = [e if e.name else replace(e, name="its input" if len(evidence) == 1 else f"its input {i}")
                for i, e in enumerate(evidence)]  # fmt: skip
    cases = [Case(e) for e in evidence]
    bad = frozenset(i for i, c in enumerate(cases) if c.bad)
    if not bad:
        return "", ""
    with np.errstate(all="ignore"):
        if op is not None and trace is None:
            trace = traced(op, len(cases))
        graph = lossy = None
        if trace is not None and (found := right_gradients(trace, cases)):
            if found[1] is None:
                lossy = found[0]
            else:
                graph = found[0]
                cases = [Case(e, base) for e, base in zip(evidence, found[1], strict=True)]
        named = _sizes(cases, sizes, op, graph)
        shapes = list(_shapes(cases))
        if shapes:
            return _chosen(shapes, frozenset(i for f in shapes for i in f.inputs), cases)
        findings = [f for i in sorted(bad) for f in _of_one(i, cases[i], named)]
        findings += _of_several(cases, bad)
        best = _chosen(findings, bad, cases)
        if best[0] in ("never reached", "sign", "swapped inputs"):
            return best
        if op is not None:
            findings += local_findings(cases, op)
        if lossy is not None:
            findings += lost_findings(cases, lossy)
        if graph is not None:
            findings += graph_findings(cases, graph, named, alone=op is not None)
    return _chosen(findings, bad, cases)


# --- choosing ---------------------------------------------------------------------------------------------------------


def _chosen(findings: Sequence[Finding], bad: frozenset[int], cases: Sequence[Case]) -> tuple[str, str]:
    """The best explanation of all wrong inputs; failing that, of some."""
    options: list[tuple[float, str, list[Finding]]] = []
    for f in findings:
        if f.inputs >= bad and (f.firm or len(bad) == 1):
            options.append((f.rank, f.cause, [f]))
    if len(bad) > 1:
        for cause in dict.fromkeys(f.cause for f in findings):
            group = _cover([f for f in findings if f.cause == cause], bad)
            if group and (firm := _firmly(group)):
                rank = max(5.0 if f.cause == "factor" and not f.firm else f.rank for f in group)
                options.append((rank + 0.01 * firm, cause, group))
        group = _cover([f for f in findings if f.firm and f.rank < 13], bad)
        if group:
            group = sorted(group, key=lambda f: f.rank)
            options.append((group[-1].rank + 2, group[0].cause, group))
    if not options:
        some = sorted((f for f in findings if f.firm), key=lambda f: (f.rank, -len(f.inputs)))
        if not some:
            return "", ""
        options.append((some[0].rank, some[0].cause, [some[0]]))
    _, cause, group = min(options, key=lambda o: o[0])
    return cause, _sentence(group, cases)


def _cover(findings: Sequence[Finding], bad: frozenset[int]) -> list[Finding]:
    """Findings that explain every wrong input together, the best first; [] where they do not."""
    left, group = set(bad), []
    for f in sorted(findings, key=lambda f: (f.rank, -len(f.inputs))):
        if f.inputs & left:
            group.append(f)
            left -= f.inputs
    return [] if left else group


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-3 * min(abs(a - 1), abs(b - 1)) + 1e-12
    return bool(a == b)


def _clusters(group: Sequence[Finding]) -> list[list[Finding]]:
    """Findings with the same value together."""
    out: list[list[Finding]] = []
    for f in group:
        home = next((c for c in out if c[0].cause == f.cause and _alike(c[0].value, f.value)), None)
        if home is None:
            out.append([f])
        else:
            home.append(f)
    return out


def _firmly(group: Sequence[Finding]) -> int:
    """How many different things the group says; 0 where one of them rests on a single number."""
    clusters = _clusters(group)
    return len(clusters) if all(len(c) > 1 or c[0].firm for c in clusters) else 0


def _sentence(group: Sequence[Finding], cases: Sequence[Case]) -> str:
    parts = []
    for cluster in _clusters(group)[:2]:
        inputs = sorted({i for f in cluster for i in f.inputs})
        parts.append(cluster[0].fill([cases[i].name for i in inputs]))
    return parts[0] if len(parts) == 1 else f"{parts[0].rstrip('.')}; and {parts[1]}"


# --- sizes and factors ------------------------------------------------------------------------------------------------


def _sizes(cases: Sequence[Case], given: Sequence[int], op: LocalOp | None, graph: Graph | None) -> dict[int, str]:
    """Lengths a factor may be named after, the likeliest first, each with how a sentence says it."""
    said: dict[int, str] = {}

    def add(n: Any, words: str) -> None:
        if int(n) > 1:
            said.setdefault(int(n), words)

    arrays = sorted((c for c in cases if c.x.ndim), key=lambda c: -c.x.size)
    if arrays and op is None:
        add(arrays[0].x.shape[0], f"there are {arrays[0].x.shape[0]} examples")
    for n in given:
        add(n, f"{n} is a size here")
    for c in arrays:
        for axis, n in enumerate(c.x.shape):
            add(n, f"axis {axis} of {c.name} is {n} long")
    if op is not None and np.size(op.out):
        for v in op.values:
            if np.size(v) % np.size(op.out) == 0:
                n = np.size(v) // np.size(op.out)
                add(n, f"`{op.op.name}` takes {n} entries together")
    for node in graph.order if graph is not None else ():
        if node.op is not None and node.op.name in REDUCTIONS and np.size(node._data):
            n = np.size(node.inputs[0]._data) // np.size(node._data)
            add(n, f"`{node.op.name}` takes {n} entries together")
    for c in arrays:
        add(c.x.size, f"{c.name} has {c.x.size} entries")
    for m, n in combinations(list(said), 2):
        add(m * n, f"there are {m} · {n} = {m * n} of them")
    return said


def _factor(i: int, case: Case, sizes: Mapping[int, str]) -> Iterator[Finding]:
    t, told = case.fitted(case.n)
    c = 1 + t
    if not told or abs(c) < 1e-6 or abs(c + 1) < 1e-6:
        return
    small = max(1e-6, 3 * float(np.median((case.bar / np.maximum(np.abs(case.n), 1e-300))[case.known])))
    small = min(small, 1e-3)
    inputs = frozenset([i])
    near = next((n for n in sizes if abs(c / n - 1) < small or abs(c * n - 1) < small), 0)
    words = verbatim(sizes.get(near, ""))
    if near > 2 and c > 1:
        text = f"the gradient of {{names}} is {near}x too large, and {words}: missing 1/N."
        yield Finding("missing 1/N", inputs, 5.0, text, c)
        return
    if near > 2:
        text = f"the gradient of {{names}} is 1/{near} of what is right, and {words}: divided by N once too often."
        yield Finding("1/N too many", inputs, 5.0, text, c)
        return
    every = "" if case.a.size == 1 else " in every entry"
    k = round(1 / abs(c))
    if c < 0:
        much = f"{times(c)} times what it should be{every}: the sign is flipped, too"
    elif c > 1:
        much = f"{times(c)}x too large{every}"
    else:
        word = f": {WORDS[k]}" if k in WORDS and abs(c * k - 1) < small else ""
        much = f"{times(c)} of what it should be{every}{word}"
    hint = f" ({words}: {'missing 1/N' if c > 1 else 'divided by N twice'}?)" if near == 2 else ""
    round_ = any(abs(abs(c) / k - 1) < small or abs(abs(c) * k - 1) < small for k in (*range(2, 11), 100, 1000))
    firm = told > 1 or round_
    if not firm and case.a.size > 1:
        return  # one entry alone that is not 0: a place, and no factor of the whole
    yield Finding("factor", inputs, 5.0 if firm else 12.0, f"the gradient of {{names}} is {much}{hint}.", c, firm)


# --- one input --------------------------------------------------------------------------------------------------------


def _of_one(i: int, case: Case, sizes: Mapping[int, str]) -> Iterator[Finding]:
    """Every pattern that fits the numbers of one input."""
    inputs, a, n, x, seen = frozenset([i]), case.a, case.n, case.x, case.known
    if not np.any(case.wrong):
        return
    if not np.any(a[seen]) and case.top > 0:
        yield Finding("never reached", inputs, 1.0, "no gradient reaches {names}: {they} {have} 0 in every entry.")
        return
    if case.told(-n):
        text = "the sign of the gradient of {names} is flipped: look for a minus missing, or one too many."
        yield Finding("sign", inputs, 2.0, text)
        return
    yield from _factor(i, case, sizes)
    yield from _moved(inputs, case)
    yield from _summed(inputs, case)
    yield from _centred(inputs, case)
    if a.size > 1:
        for what, direction in (("", x), ("the sign of ", np.sign(x))):
            t, told = case.fitted(direction)
            if told >= 2 and np.ptp(direction[seen]) > 0 and not case.fitted(n)[1]:
                yield Finding("penalty", inputs, 6.9, _penalty(t, what), 1 + t, told >= 3)
        if case.told(n * n) >= 3:
            text = "the gradient of {names} is the square of what it should be: a derivative that is there twice?"
            yield Finding("activation derivative", inputs, 11.0, text)
    yield from _sided(inputs, case)
    yield from _part(inputs, case)


def _penalty(t: float, what: str) -> str:
    kind, much = "L1" if what else "L2", f"{abs(t):.4g} times {what}"
    if t < 0:
        return f"{much}{{names}} is missing from the gradient of {{names}}: an {kind} penalty in the forward alone?"
    own = "{names}" if what else "{itself}"
    return f"the gradient of {{names}} has {much}{own} too much: an {kind} penalty not in the forward?"


def _moved(inputs: frozenset[int], case: Case) -> Iterator[Finding]:
    """Right numbers at wrong places."""
    n, shape, bar = case.n, case.n.shape, case.bar
    several = [k for k, size in enumerate(shape) if size > 1]
    for j, k in combinations(several, 2):
        if shape[j] == shape[k] and case.told(n.swapaxes(j, k), bar.swapaxes(j, k)):
            text = "the gradient of {names} is the transpose of the right one: write .T, or swap a product's factors."
            yield Finding("transposed", inputs, 6.0, text)
    if len(several) == 2 and n.ndim == 2:
        other = shape[::-1]
        for guess, spread in ((n.T.reshape(shape), bar.T.reshape(shape)), (n.reshape(other).T, bar.reshape(other).T)):
            if case.told(guess, spread):
                text = "the gradient of {names} has the right numbers in its transpose's order: .T is not reshape."
                yield Finding("transposed", inputs, 6.1, text)
    for axes in [(k,) for k in several] + ([tuple(several)] if len(several) > 1 else []):
        if case.told(np.flip(n, axes), np.flip(bar, axes)):
            along = f" along {axes_said(axes)}" if len(shape) > 1 else ""
            yield Finding("reversed", inputs, 6.5, f"the gradient of {{names}} is in reverse order{along}.")
    for axis in several:
        for k in (1, -1, 2, -2) if shape[axis] > 4 else (1, -1):
            yield from _by_places(inputs, case, axis, k)


def _by_places(inputs: frozenset[int], case: Case, axis: int, k: int) -> Iterator[Finding]:
    """Off by `k` places along an axis: what comes in at the end may come round, or be zeros, or anything."""
    n, shape = case.n, case.n.shape
    moved, spread = np.roll(n, k, axis), np.roll(case.bar, k, axis)
    index = np.arange(shape[axis]).reshape([-1 if d == axis else 1 for d in range(len(shape))])
    came_in = np.broadcast_to(index < k if k > 0 else index >= shape[axis] + k, shape)
    edge = np.take(n, [0 if k > 0 else -1], axis)
    if case.told(moved, spread):
        rank, how = 6.6, ", round the end"
    elif any(case.told(np.where(came_in, v, moved), np.where(came_in, 0.0, spread)) for v in (0.0, edge)):
        rank, how = 6.65, ""
    elif shape[axis] > 3 and case.told(moved, spread, ~came_in) >= 3:
        rank, how = 6.7, ""
    else:
        return
    places = ("one place" if abs(k) == 1 else f"{abs(k)} places") + f" towards the {'end' if k > 0 else 'start'}"
    along = f" along axis {axis}" if len(shape) > 1 else ""
    text = f"the gradient of {{names}} is shifted by {places}{along}{how}: an index that is off by one?"
    yield Finding("shifted", inputs, rank, text)


def _summed(inputs: frozenset[int], case: Case) -> Iterator[Finding]:
    """A sum over an axis that the input has."""
    n, shape = case.n, case.n.shape
    several = [k for k, size in enumerate(shape) if size > 1]
    axes = [(k,) for k in several] + ([tuple(several)] if len(several) > 1 else [])
    for some in axes:
        for how, f in (("summed", np.sum), ("averaged", np.mean)):
            guess = f(n, axis=some, keepdims=True)
            if case.told(guess, f(case.bar, axis=some, keepdims=True)):
                text = f"the gradient of {{names}} is {how} over {axes_said(some)}, and every entry has one of its own."
                yield Finding("broadcast", inputs, 6.8, text)


def _centred(inputs: frozenset[int], case: Case) -> Iterator[Finding]:
    """A mean or a variance along an axis, taken for a constant: what is missing is then the same for all entries along
    it, or in proportion to their distance from the mean; and the right gradient adds up to 0 there."""
    n, bar, u = case.n, case.bar, np.where(case.known, case.u, np.nan)
    for axis, size in enumerate(n.shape):
        total = np.abs(np.sum(n, axis))
        if size < 3 or np.any(total > 1e-9 * np.sum(np.abs(n), axis) + 3 * np.sum(bar, axis)):
            continue
        away = case.x - case.x.mean(axis, keepdims=True)
        mean = np.mean(u, axis, keepdims=True) + 0 * n
        var = away * (np.sum(u * away, axis, keepdims=True) / np.sum(away * away, axis, keepdims=True))
        for change, what, least in ((mean, "mean", 3), (var, "variance", 3), (mean + var, "mean or the variance", 4)):
            if size >= least and case.told(n + change, bar + np.mean(bar, axis, keepdims=True)) >= 3:
                over = f" over axis {axis}" if n.ndim > 1 else ""
                text = f"no gradient goes through the {what} of {{names}}{over}: treated as a constant."
                yield Finding("constant", inputs, 7.9 if least == 3 else 7.95, text)


def _what_there(case: Case, at: Array) -> str:
    """How the entries `at` are wrong, where that is simple."""
    a, n = case.a[at], case.n[at]
    if np.any(np.isnan(a)):
        return "they are nan"
    if not np.any(a):
        return "they are 0"
    t, told = case.fitted(case.n, at)
    if not told or np.sum(at) < 2:
        return f"{float(a[0]):.4g} in place of {float(n[0]):.4g}" if a.size == 1 else ""
    c = 1 + t
    return "their sign is flipped" if abs(c + 1) < 1e-6 else f"they are {times(c)} times what they should be"


def _sided(inputs: frozenset[int], case: Case) -> Iterator[Finding]:
    """Wrong on one side of 0 only."""
    x, seen, wrong = case.x, case.known, case.wrong
    for cause, side, other in (("negative inputs", x < 0, x > 0), ("positive inputs", x > 0, x < 0)):
        side, other = side & seen, other & seen
        counts = side & (wrong | (case.n != 0))
        if np.any(wrong & ~side) or not other.any() or np.sum(wrong) * 2 < np.sum(counts) or not wrong.any():
            continue
        if not np.any(case.n[other]):
            continue
        there = _what_there(case, wrong)
        told = there.startswith(("they", "their"))
        by_chance = 1 / comb(int(np.sum(seen)), int(np.sum(wrong)))
        exactly = by_chance < 0.06 and not np.any(counts & ~wrong)
        if np.sum(seen) < 3 or not (told or exactly):
            continue
        word = cause.split()[0]
        rank = 10.0 if not told else 3.9 if by_chance < 0.06 else 8.9
        yield Finding(cause, inputs, rank, _one_side(word, there if told else ""))


def _one_side(word: str, there: str) -> str:
    other = "positive" if word == "negative" else "negative"
    there = f" ({there})" if there else ""
    return f"only entries where {{names}} {{are}} {word} are wrong{there}; where {{they}} {{are}} {other} all is right."


def _part(inputs: frozenset[int], case: Case) -> Iterator[Finding]:
    """Wrong in one row, column, border or other simple place only."""
    wrong, shape = case.wrong, case.x.shape
    still = ~case.known | (~wrong & (case.a == case.n))  # entries that cannot show a mistake
    if not shape or wrong.sum() == case.known.sum():
        return
    for said, region in _regions(wrong):
        if not region.all() and not np.any(wrong & ~region) and np.all(wrong | still | ~region):
            if not np.any(case.known & ~region):
                continue
            there = _what_there(case, wrong)
            text = f"only {said} of {{names}} {'are' if said.startswith('entries') else 'is'} wrong"
            yield Finding("part", inputs, 13.0, f"{text} ({there})." if there else f"{text}.")
            return


def _regions(wrong: Array) -> Iterator[tuple[str, Array]]:
    shape, ndim = wrong.shape, wrong.ndim
    places = np.argwhere(wrong)
    if len(places) == 1:
        where = ", ".join(map(str, places[0]))
        yield f"entry [{where}]", wrong.copy()
        return
    for axis in range(ndim):
        along = np.unique(places[:, axis])
        index = np.arange(shape[axis]).reshape([-1 if k == axis else 1 for k in range(ndim)])
        word = ("row", "column")[axis] if ndim == 2 else ""
        if len(along) == 1 and ndim > 1:
            k = int(along[0])
            name = f"{word} {k}" if word else f"the slice {k} along axis {axis}"
            yield name, np.broadcast_to(index == k, shape)
        elif len(along) < shape[axis] and np.all(np.diff(along) == 1):
            low, high = int(along[0]), int(along[-1])
            name = f"entries in {word}s {low} to {high}" if word else f"entries {low} to {high}"
            name += f" along axis {axis}" if ndim > 2 else ""
            yield name, np.broadcast_to((index >= low) & (index <= high), shape)
    inside = np.zeros(shape, bool)
    inside[tuple(slice(1, -1) for _ in shape)] = True
    if all(size > 2 for size in shape):
        yield "the border", ~inside
        yield "the inside, without the border,", inside
    if ndim == 2:
        rows, columns = np.indices(shape)
        yield "the diagonal", np.asarray(rows == columns)
        yield "entries off the diagonal", np.asarray(rows != columns)
        yield "entries above the diagonal", np.asarray(rows < columns)
        yield "entries below the diagonal", np.asarray(rows > columns)


# --- shapes, and several inputs at once -------------------------------------------------------------------------------


def _shapes(cases: Sequence[Case]) -> Iterator[Finding]:
    """Gradients that came back in another shape."""
    odd = [i for i, c in enumerate(cases) if c.odd]
    came = {i: np.shape(np.asarray(cases[i].evidence.returned)) for i in odd}
    if len(odd) > 1 and Counter(came.values()) == Counter(cases[i].x.shape for i in odd):
        text = "the gradients of {names} stand in each other's place, as their shapes show: mind the order."
        yield Finding("swapped inputs", frozenset(odd), 0.0, text)
        return
    for i in odd:
        own, back = cases[i].x.shape, came[i]
        axes, rank, cause = _axes_apart(own, back), 0.2, "broadcast"
        if back == own[::-1] and len(own) > 1:
            cause, then = "transposed", "that is its transpose: write .T, or swap a product's factors"
        elif prod(back) == prod(own):
            rank, then = 0.3, f"as many numbers in another shape: reshape to {own}"
        elif axes and len(back) >= len(own):
            then = f"sum it over {axes_said(axes)}"
        elif axes := _axes_apart(back, own):
            then = f"it was summed over {axes_said(axes)}, where every entry has one of its own"
        else:
            continue
        shapes = f"{{names}} {{have}} shape {own} and the gradient {back}"
        yield Finding(cause, frozenset([i]), rank, f"{shapes}: {then}.", value=shapes)


def _axes_apart(small: tuple[int, ...], large: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of `large` that `small` would be broadcast over to become it; () where it would not."""
    lead = len(large) - len(small)
    if lead < 0 or any(m not in (1, n) for m, n in zip(small, large[lead:], strict=True)):
        return ()
    return tuple(k for k, n in enumerate(large) if k < lead or small[k - lead] != n)


def _of_several(cases: Sequence[Case], bad: frozenset[int]) -> list[Finding]:
    """Gradients that stand in each other's place."""
    whose: dict[int, int] = {}
    for i in sorted(bad):
        for j, other in enumerate(cases):
            if j != i and other.n.shape == cases[i].n.shape:
                told = cases[i].told(other.n, np.where(other.known, other.bar, np.nan))
                if told and (j in bad or told > 1):
                    whose[i] = j
                    break
    ring = {i for i in whose if whose[i] in whose}
    while ring != (ring := {i for i in ring if whose[i] in ring}):
        pass
    if {whose[i] for i in ring} != ring:
        ring = set()
    text = "the gradients of {names} stand in each other's place: return them in the order of the inputs."
    found = [Finding("swapped inputs", frozenset(ring), 3.0, text)] if ring else []
    for i, j in whose.items():
        if i not in ring:
            text = verbatim(f"the gradient of {cases[i].name} is that of {cases[j].name}.")
            found.append(Finding("swapped inputs", frozenset([i]), 7.05, text, text))
    return found
