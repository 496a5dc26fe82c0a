"""Mistakes planted in hand-written passes and in rules of our own ops: every one is caught, and most are named.

A mistake counts from a relative size of 1e-6 on, measured on what it does to the gradient: one that changes nothing at
the inputs drawn is none.
"""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from passes import AWAY, PASSES
from rules import RULES

from micrograd_nn import Tensor, Value, gradients, nn
from micrograd_nn import functional as F
from micrograd_nn.checking import check_backward, gradcheck
from micrograd_nn.graph import Node
from micrograd_nn.op import Patch

SMALLEST = 1e-6


class Said(str):
    """A contract that is broken: what its sentence must speak of, in place of a cause."""


@dataclass
class Fault:
    """A mistake made at one draw of inputs, ready to be looked for."""

    check: Callable[[], Any]  # gives the report
    size: float  # the largest relative change it makes
    causes: tuple[str, ...]  # what it may be called; empty where no cause of the table fits
    op: str = ""  # for our own graphs: the op that is wrong,
    place: int | None = None  # the input whose rule is,
    module: str = ""  # and where it stands


def relative(right, faulty):
    """The largest change of an entry on its own scale; infinite where 0 became something, or the other way round."""
    size = 0.0
    for a, b in zip(right, faulty, strict=True):
        if np.shape(a) != np.shape(b):
            return math.inf
        a, b = np.asarray(a, float), np.asarray(b, float)
        changed = ~(a == b)
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.abs(b - a)[changed] / np.abs(a)[changed]
        size = max(size, float(np.nan_to_num(change, nan=math.inf, posinf=math.inf).max(initial=0)))
    return size


# --- mistakes that can be made anywhere ----------------------------------------------------------------------------

# mistake: (what it makes of the right gradient `d` of `x`, what it may be called); None where it cannot be made
MISTAKES: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}


def mistake(*causes):
    def named(make):
        MISTAKES[make.__name__.replace("_", " ")] = make, causes
        return make

    return named


def some_axis(rng, d, least):
    axes = [i for i, n in enumerate(d.shape) if n >= least]
    return int(rng.choice(axes)) if axes else None


@mistake("factor")
def a_factor(rng, d, x, size):
    return d * (1 + size)


@mistake("factor")
def a_round_factor(rng, d, x, size):
    return d * rng.choice([2.0, 0.5, -2.0, 1.5])


@mistake("sign")
def a_sign(rng, d, x, size):
    return -d


@mistake("never reached")
def nothing(rng, d, x, size):
    return np.zeros_like(d)


@mistake("part")
def one_entry(rng, d, x, size):
    places = np.argwhere(d)
    if d.size < 3 or not len(places):
        return None
    d = d.copy()
    d[tuple(rng.choice(places))] *= 1 + size
    return d


@mistake("part")
def one_row(rng, d, x, size):
    axis = some_axis(rng, d, 3)
    if axis is None or d.ndim < 2:
        return None
    d = d.copy()
    np.moveaxis(d, axis, 0)[rng.integers(d.shape[axis])] *= 1 + size
    return d


@mistake("transposed")
def transposed(rng, d, x, size):
    return d.T if d.ndim == 2 and min(d.shape) > 1 else None


@mistake("shifted")
def shifted(rng, d, x, size):
    axis = some_axis(rng, d, 4)
    return None if axis is None else np.roll(d, rng.choice([-1, 1]), axis)


@mistake("reversed")
def turned_round(rng, d, x, size):
    axis = some_axis(rng, d, 3)
    return None if axis is None else np.flip(d, axis)


@mistake("penalty", "grad_output ignored")  # added whatever comes in: both are true
def a_penalty(rng, d, x, size):
    return d + size * x if d.size > 2 else None


@mistake("negative inputs")
def wrong_where_negative(rng, d, x, size):
    both = min(((x < 0) & (d != 0)).sum(), ((x > 0) & (d != 0)).sum()) >= 3
    return np.where(x < 0, d * (1 + size), d) if both else None


@mistake("positive inputs")
def wrong_where_positive(rng, d, x, size):
    both = min(((x < 0) & (d != 0)).sum(), ((x > 0) & (d != 0)).sum()) >= 3
    return np.where(x > 0, d * (1 + size), d) if both else None


@mistake()
def scattered(rng, d, x, size):
    return d * (1 + size * np.random.default_rng(5).uniform(0.5, 1, d.shape))


@mistake()
def an_offset(rng, d, x, size):
    return d + size * np.abs(d).max(initial=0)


@mistake()
def not_a_number(rng, d, x, size):
    d = d.copy()
    d.flat[rng.integers(d.size)] = rng.choice([np.nan, np.inf])
    return d


def equally_true(causes, d, faulty, *arrays):
    """The names that are as true as the planned one: a factor may happen to be a size of what was drawn."""
    sizes = {n for a in arrays for n in (*np.shape(a), np.size(a))} - {1}
    if not causes or causes[0] not in ("factor", "sign", "missing 1/N", "1/N too many") or not np.any(d):
        return causes
    k = np.flatnonzero(d)[0]
    ratio = float(np.ravel(faulty)[k] / np.ravel(d)[k])
    if any(math.isclose(ratio, n) for n in sizes):
        causes = (*causes, "missing 1/N")
    if any(math.isclose(ratio, 1 / n) for n in sizes):
        causes = (*causes, "1/N too many")
    if "factor" not in causes and (math.isclose(ratio, 2) or math.isclose(ratio, 0.5)):  # of two examples: a 2 is a 2
        causes = (*causes, "factor")
    return causes


def by_sign(x, d, faulty):
    """Whether a row or an entry that was picked happens to be all the inputs of one sign."""
    if np.shape(d) != np.shape(faulty) or not np.any(d != faulty):
        return ()
    changed = (d != faulty)[d != 0]
    return [f"{word} inputs" for word, side in (("negative", x < 0), ("positive", x > 0))
            if np.array_equal(changed, side[d != 0])]  # fmt: skip


# --- hand-written passes -------------------------------------------------------------------------------------------


def breaks_a_promise(p, place, inputs, rng, size):
    """Mistakes of the whole pair, by name: (forward, backward, *what may be said)."""
    right = p.backward()
    total = [0.0]
    noise = np.random.default_rng(3)

    def with_signature(backward):
        backward.__signature__ = right.__signature__
        return backward

    def changed(change):
        """The right backward pass, its gradient of one input changed."""

        def backward(*args):
            got = right(*args)
            if not isinstance(got, tuple):
                return change(got)
            return (*got[:place], change(got[place]), *got[place + 1 :])

        return with_signature(backward)

    def accumulated(d):
        total[0] = total[0] + d
        return total[0]

    def changes_its_input(*args):
        got = right(*args)
        args[1 + place][...] *= 1 + size
        return got

    def changes_grad_output(*args):
        got = right(*args)
        for g in args[0] if isinstance(args[0], tuple) else args[:1]:
            np.asarray(g)[...] *= 1 + size
        return got

    def ones_for_grad_output(*args):
        g = args[0]
        return right(tuple(map(np.ones_like, g)) if isinstance(g, tuple) else np.ones_like(g), *args[1:])

    def squared_grad_output(*args):
        g = args[0]
        return right(tuple(x * x for x in g) if isinstance(g, tuple) else g * g, *args[1:])

    def one_too_few(*args):
        got = right(*args)
        return got[:-1] if isinstance(got, tuple) else ()

    def forward_changes_its_input(*args):
        out = p.forward(*args)
        args[place][...] *= 1 + size
        return out

    def random_forward(*args):
        out = p.forward(*args)
        factor = 1 + size * noise.uniform(0.5, 1)
        if p.cached:
            return out[0] * factor, out[1]
        return tuple(o * factor for o in out) if isinstance(out, tuple) else out * factor

    twice = Said("determin|twice|same|again|random|state")
    touched = Said("chang|modif|in place|overwr")
    found = {
        "float32": (p.forward, changed(lambda d: d.astype(np.float32)), Said("float32")),
        "an axis too many": (p.forward, changed(lambda d: d[None]), Said("shape")),
        "an axis too few": (p.forward, changed(lambda d: d.sum(0)), Said("shape")),
        "None": (p.forward, changed(lambda d: None), "never reached", Said("returns None")),
        "adds up over calls": (p.forward, changed(accumulated), twice),
        "not the same twice": (p.forward, changed(lambda d: d * (1 + size * noise.uniform(0.5, 1))), twice),
        "changes grad_output": (p.forward, with_signature(changes_grad_output), touched),
        "ones for grad_output": (p.forward, with_signature(ones_for_grad_output), "grad_output ignored"),
        "squared grad_output": (p.forward, with_signature(squared_grad_output), "grad_output ignored"),
        "one gradient too few": (p.forward, with_signature(one_too_few), Said("gradients?|None|returned|gave")),
        "a random forward": (random_forward, right, twice),
        "forward changes its input": (forward_changes_its_input, right, touched),
    }
    if not p.cached:
        found["changes its input"] = p.forward, with_signature(changes_its_input), touched
    return found


PROMISES = [*breaks_a_promise(PASSES[0], 0, (), None, 0.1)]


def in_a_pass(p, name, seed, size):
    """A fault in the backward pass of `p`; None where it cannot be planted, or would change nothing."""
    rng = np.random.default_rng(seed)
    inputs = p.draw(rng)
    out = p.out(*inputs)
    weights = [rng.uniform(0.5, 1.5, np.shape(o)) * rng.choice([-1, 1], np.shape(o))
               for o in (out if isinstance(out, tuple) else (out,))]  # fmt: skip
    grad_output = tuple(weights) if isinstance(out, tuple) else weights[0]
    right = [g for g in p.gradients(p.backward(), grad_output, inputs) if g is not None]
    place = int(rng.integers(len(right)))  # of the inputs that have a gradient, which come first in every pass
    forward = p.forward
    if name in p.slips:
        backward, causes = p.backward(name), p.slips[name]
        faulty = [g for g in p.gradients(backward, grad_output, inputs) if g is not None]
        for x, a, b in zip(inputs, right, faulty, strict=False):  # labels come last, and have no gradient
            if np.shape(a) == np.shape(b) and np.any(a != b):
                causes = equally_true(causes, a, b, *inputs, *weights)
                causes = causes and (*causes, *by_sign(x, a, b))
        found = relative(right, faulty)
    elif name in MISTAKES:
        make, causes = MISTAKES[name]
        state = rng.bit_generator.state

        def changed(d):
            again = np.random.default_rng()
            again.bit_generator.state = state  # the same mistake at every call
            return make(again, np.asarray(d), np.asarray(inputs[place]), size)

        faulty = changed(right[place])
        if faulty is None:
            return None
        causes = equally_true(causes, right[place], faulty, *inputs, *weights)
        causes = causes and (*causes, *by_sign(inputs[place], right[place], faulty))
        if p.name == "leaky_relu" and causes and causes[0].endswith("inputs"):
            causes = (*causes, "factor")  # of what one of two branches sends back
        found = relative([right[place]], [faulty])
        whole = p.backward()

        def backward(*args):
            got = whole(*args)
            if not isinstance(got, tuple):
                return changed(got)
            return (*got[:place], changed(got[place]), *got[place + 1 :])

        backward.__signature__ = whole.__signature__
    else:
        promises = breaks_a_promise(p, place, inputs, rng, size)
        outs = out if isinstance(out, tuple) else (out,)
        pointless = {
            "an axis too few": not np.ndim(right[place]),
            "changes grad_output": not all(isinstance(o, np.ndarray) for o in outs),  # numbers cannot be changed
            "one gradient too few": p.gradients(p.backward(), grad_output, inputs)[-1] is None,  # labels need none
        }
        if name not in promises or pointless.get(name):
            return None
        forward, backward, *said = promises[name]
        if not np.any(right[place]) or (name == "None" and not np.abs(right[place]).max() > 1e-3):
            return None
        causes, found = tuple(said), math.inf
    return Fault(lambda: check_backward(forward, backward, *inputs, raise_on_error=False), found, causes)


# --- rules of ops of our own ---------------------------------------------------------------------------------------


def before(x):
    """A right piece of graph in front of an op, that keeps signs and order: x is used twice."""
    return x * (1 + 0.1 * F.sigmoid(x))


def after(x):
    return F.tanh(0.3 * x) + 0.1 * x * x


class Mine(nn.Module):
    """An op of one's own as a part of a network; its second input is a parameter."""

    def __init__(self, op, params, *others):
        self.call = lambda *xs: op(*xs, **params)
        self.others = [Tensor(x, requires_grad=True) for x in others]

    def forward(self, x):
        return self.call(x, *self.others)


def network(rule, op, inputs, seed):
    """A layer, the op, a layer; None where the op would be fed something too near its kink."""
    x, *others = inputs
    params = rule.settings(*inputs)
    width = np.shape(rule.op()(*inputs, **params))[-1]
    net = nn.Sequential(
        nn.Linear(x.shape[1], x.shape[1], rng=seed), Mine(op, params, *others), nn.Linear(width, 2, rng=seed + 1)
    )
    if rule.kink is not None and np.abs(net.layers[0](Tensor(x)).data - rule.kink).min() < AWAY:
        return None
    return net


def graph(where, rule, op, inputs, seed):
    """`(f, inputs)` for gradcheck: the op alone, inside a graph, inside a network, or of single numbers."""
    params = rule.settings(*inputs)
    if where == "alone":
        return lambda *xs: op(*xs, **params), inputs
    if where == "inside":
        return lambda *xs: after(op(*map(before, xs), **params)), inputs
    if where == "network":
        net = network(rule, op, inputs, seed)
        return None if net is None else (net, inputs[:1])
    if rule.scalar is None:
        return None
    numbers = [float(x.flat[0]) for x in inputs]
    if len(numbers) == 2:
        return lambda a, b: op(before(a), b, **params) * a + F.sin(b), numbers
    if rule.kink is not None and abs(numbers[0] * 0.7 - rule.kink) < AWAY:
        return None
    return lambda a, b: op(a * b, **params) * a + F.sin(b), [numbers[0], 0.7]


def slopes(f, inputs, seed):
    """The engine's gradients of a weighed sum of f, one for each leaf."""
    leaves = [Value(x) if isinstance(x, float) else Tensor(x, requires_grad=True) for x in inputs]
    out = f(*leaves)
    if isinstance(f, nn.Module):
        leaves += f.parameters()
    weights = np.random.default_rng(seed).uniform(0.5, 1.5, np.shape(out.data))
    with np.errstate(invalid="ignore"):
        found = gradients((out * weights).sum() if isinstance(out, Tensor) else out)
    return [found.get(leaf, np.zeros(np.shape(leaf.data))) for leaf in leaves]


def array_rule(rule, make, state, size):
    """A rule with a mistake of `MISTAKES` in what it gives for arrays."""

    def faulty(g, out, *inputs, **params):
        share = rule(g, out, *inputs, **params)
        share = share.dense() if isinstance(share, Patch) else np.asarray(share)
        again = np.random.default_rng()
        again.bit_generator.state = state
        made = make(again, np.broadcast_to(share, np.broadcast_shapes(share.shape, np.shape(out)))
                    if share.ndim == 0 else share, np.asarray(inputs[0]), size)  # fmt: skip
        return share if made is None else made

    return faulty


# formulas with a mistake in them, that numbers, arrays and nodes can be fed; for Values too
FORMULAS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "a factor": (lambda rule, size: lambda g, out, *a, **k: rule(g * (1 + size), out, *a, **k), ("factor",)),
    "a round factor": (lambda rule, size: lambda g, out, *a, **k: rule(g * 2, out, *a, **k), ("factor",)),
    "a sign": (lambda rule, size: lambda g, out, *a, **k: rule(-g, out, *a, **k), ("sign",)),
    "nothing": (lambda rule, size: lambda g, out, *a, **k: rule(g * 0.0, out, *a, **k), ("never reached",)),
    "ones for grad_output": (
        lambda rule, size: lambda g, out, *a, **k: rule(g * 0.0 + 1.0, out, *a, **k), ("grad_output ignored",)),
    "squared grad_output": (lambda rule, size: lambda g, out, *a, **k: rule(g * g, out, *a, **k),
                            ("grad_output ignored",)),
}  # fmt: skip
ARRAYS = ["one entry", "one row", "wrong where negative", "wrong where positive", "scattered", "an offset",
          "not a number", "turned round", "shifted", "transposed"]  # fmt: skip


def in_a_rule(rule, name, where, seed, size):
    """A fault in the rule of an op of our own, somewhere in a graph; None where there is none."""
    rng = np.random.default_rng(seed)
    inputs = rule.draw(rng)
    place: int | None = int(rng.integers(len(rule.rules)))
    if name in rule.slips:
        rules, causes, place = rule.slipped(name), rule.slips[name].causes, rule.slips[name].place
    elif name in FORMULAS:
        make, causes = FORMULAS[name]
        rules = tuple(make(r, size) if i == place else r for i, r in enumerate(rule.rules))
    else:
        if where == "numbers":
            return None
        make, causes = MISTAKES[name]
        state = rng.bit_generator.state
        rules = tuple(array_rule(r, make, state, size) if i == place else r for i, r in enumerate(rule.rules))
        if place or where != "alone":
            causes = ()  # seen through other ops, or at the other input, the pattern is another
    if where == "numbers" and causes and causes[0].endswith("inputs"):
        causes = ()  # one number has no pattern
    op = rule.op(rules)
    planted, right = graph(where, rule, op, inputs, seed), graph(where, rule, rule.op(), inputs, seed)
    if planted is None or right is None:
        return None
    of_right = slopes(*right, seed)
    try:
        of_faulty = slopes(*planted, seed)
    except ValueError:  # a share of a shape that cannot be: the engine itself refuses it
        of_faulty = [np.full(1, np.nan)] * len(of_right)
    for a, b in zip(of_right, of_faulty, strict=True):
        if np.shape(a) == np.shape(b) and np.any(a != b):
            causes = equally_true(causes, a, b, *inputs)
    f, given = planted
    return Fault(
        lambda: gradcheck(f, *given, raise_on_error=False), relative(of_right, of_faulty), causes, rule.name, place,
        "layers[1]" if where == "network" else "",
    )  # fmt: skip


# --- drawn ---------------------------------------------------------------------------------------------------------

WHERE = ["alone", "inside", "network", "numbers"]
BY_NAME = {str(p): p for p in [*PASSES, *RULES]}


def plant(subject, name, seed, size, where=""):
    """One fault, as the lists of misses below write it: this line alone makes it again."""
    subject = BY_NAME[subject]
    return in_a_rule(subject, name, where, seed, size) if where else in_a_pass(subject, name, seed, size)


@st.composite
def faults(draw):
    """What `plant` takes: equally often a slip of the very pass or rule, and a mistake that fits everywhere."""
    if draw(st.booleans()):
        subject, own = draw(st.sampled_from(PASSES)), draw(st.booleans())
        where, names = "", list(subject.slips) if own else [*MISTAKES, *PROMISES]
    else:
        subject, own = draw(st.sampled_from(RULES)), draw(st.booleans())
        where, names = draw(st.sampled_from(WHERE)), list(subject.slips) if own else [*FORMULAS, *ARRAYS]
    size = 10 ** draw(st.floats(math.log10(1.01 * SMALLEST), 0))
    return str(subject), draw(st.sampled_from(names)), draw(st.integers(0, 2**32 - 2)), size, where


def named(report, causes):
    said = " ".join((*report.problems, report.diagnosis))
    return any(re.search(c, said, re.IGNORECASE) if isinstance(c, Said) else report.cause == c for c in causes)


class Tally:
    """What became of the faults drawn."""

    def __init__(self):
        self.caught, self.kinds, self.subjects = 0, set(), set()
        self.crashed, self.missed, self.misblamed, self.misnamed = [], [], [], []
        self.right, self.confused = Counter(), Counter()

    def add(self, recipe, fault):
        self.kinds.add(recipe[1])
        self.subjects.add(recipe[0])
        try:
            report = fault.check()
        except Exception as error:  # whatever is planted, the answer is a report
            self.crashed.append((recipe, repr(error)))
            return
        if report.ok or not str(report):
            self.missed.append((recipe, fault.size, str(report)))
            return
        self.caught += 1
        if fault.op:
            self.judge_blame(recipe, fault, report)
        if fault.causes:
            wanted = fault.causes[0]
            if named(report, fault.causes):
                self.right[wanted] += 1
            else:
                self.confused[wanted, report.cause] += 1
                self.misnamed.append((recipe, fault.causes, report.cause, report.diagnosis, report.problems))

    def judge_blame(self, recipe, fault, report):
        blame = report.blame
        good = (
            blame is not None and blame.op == fault.op and blame.module == fault.module
            and isinstance(blame.node, Node) and blame.node.op.name == fault.op
            and (fault.place is None or blame.input == fault.place)
        )  # fmt: skip
        if not good:
            self.misblamed.append((recipe, fault.size, str(blame)))

    @property
    def share_named(self):
        right, wrong = self.right.total(), self.confused.total()
        return right / (right + wrong)

    def __str__(self):
        lines = [f"{self.caught} caught, {len(self.missed)} missed, {len(self.crashed)} without a report, "
                 f"{len(self.misblamed)} blamed on another op; "
                 f"{len(self.kinds)} kinds of mistake in {len(self.subjects)} rules and passes; "
                 f"{self.share_named:.1%} of {self.right.total() + self.confused.total()} named"]  # fmt: skip
        for title, found in (("no report", self.crashed), ("missed", self.missed), ("misblamed", self.misblamed)):
            lines += [f"{title}: plant{entry[0]!r} {entry[1:]}" for entry in found[:10]]
        lines += [f"{n:5d} x {wanted!r} called {got!r}" for (wanted, got), n in self.confused.most_common()]
        lines += [f"e.g. plant{m[0]!r}: {m[1]} called {m[2]!r}: {m[3] or m[4]}" for m in self.misnamed[:20]]
        return "\n".join(lines)


def tally(draws):
    """Faults drawn by hypothesis, the same ones at every run."""
    found = Tally()

    @settings(max_examples=draws, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(recipe=faults())
    def drawn(recipe):
        fault = plant(*recipe)
        assume(fault is not None and fault.size >= SMALLEST)
        found.add(recipe, fault)

    drawn()
    return found


def holds(found, draws):
    assert found.caught >= 0.95 * draws, str(found)  # most draws make a fault
    assert not found.missed, str(found)
    assert not found.crashed, str(found)
    assert not found.misblamed, str(found)
    assert found.share_named >= 0.9, str(found)


def test_planted_faults_are_caught_named_and_blamed_on_the_right_op():
    found = tally(100)
    holds(found, 100)


@pytest.mark.slow
def test_fifteen_hundred_planted_faults_are_caught_named_and_blamed_on_the_right_op():
    found = tally(1500)
    holds(found, 1500)
    assert len(found.kinds) >= 12
    assert len(found.subjects) >= 15
    assert found.subjects == {str(s) for s in [*PASSES, *RULES]}


def test_the_faults_are_faults():
    """That a planted mistake is one is known from the right gradient, and not from the checker."""
    rng = np.random.default_rng(0)
    for p in PASSES:
        for slip in p.slips:
            assert any(in_a_pass(p, slip, int(rng.integers(2**31)), 0.1).size >= SMALLEST for _ in range(5)), (p, slip)


def test_inputs_are_drawn_away_from_kinks():
    for seed in range(20):
        x, w, b = next(p for p in PASSES if p.name == "affine_relu").draw(np.random.default_rng(seed))
        assert np.abs(x @ w + b).min() > AWAY
