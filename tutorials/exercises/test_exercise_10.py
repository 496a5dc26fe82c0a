"""Checks of the exercises of tutorial 10."""

import itertools
import math

import exercise_10 as yours
import numpy as np
import pytest
from marking import close, fail, filled

import micrograd_nn as mg
from micrograd_nn import nn

pytestmark = [pytest.mark.tutorial_10, pytest.mark.exercise]


class Name(str):
    """A name that stops whoever asks for names too often, and says why: what would never end, ends."""

    asked, words = 0, ""

    def ask(self):
        Name.asked += 1
        if Name.asked > 200_000:
            fail(Name.words)

    def __hash__(self):
        self.ask()
        return super().__hash__()

    def __eq__(self, other):
        self.ask()
        return super().__eq__(other)

    def __ne__(self, other):
        self.ask()
        return super().__ne__(other)


# --- 1. odd or even --------------------------------------------------------------------------------------------------


def three_inputs(net):
    if not isinstance(net, nn.Network):
        fail(f"odd should give back the nn.Network, and yours gives {net!r:.60}.")
    if len(net.inputs) != 3:
        fail(f"There should be three inputs, and yours are {', '.join(net.inputs) or 'none'}.")


def test_1_odd_with_two_hidden_units():
    net = filled(yours.odd(), "odd")
    three_inputs(net)
    if len(net.outputs) != 1:
        fail(
            f"There should be one output. The outputs are the units that nothing reads, and yours are "
            f"{', '.join(net.outputs) or 'none'}: connect the hidden units to the output."
        )
    if len(net.units) > 3:
        fail(f"One output and at most two hidden units are allowed, and yours are {', '.join(net.units)}.")
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=3)))
    scores = net(corners).data.ravel()
    table = "\n".join(
        f"  {''.join(f'{int(x)}' for x in corner)}: yours {score:6.2f}, expected {sum(corner) % 2:.0f}"
        for corner, score in zip(corners, scores, strict=True)
    )
    ones = corners.sum(1)
    if np.allclose(scores, ones % 2):
        return
    if np.allclose(scores, 1 - ones % 2):
        fail(f"Odd and even are exchanged: one and three ones should give 1.\n{table}")
    if np.allclose(scores[ones < 3], (ones % 2)[ones < 3]):
        fail(
            "Right for none, one and two, and wrong for three ones. As a function of the sum the output has to bend "
            f"twice: the second hidden unit comes on only where the sum is above 2, by its bias.\n{table}"
        )
    if np.allclose(scores, ones):
        fail(f"Your output counts the ones. Each hidden unit should bend that line once.\n{table}")
    if np.allclose(scores, -2.0 * (ones > 1)):
        fail(f"The hidden units are right. The inputs should also be connected to the output, past them.\n{table}")
    if np.allclose(scores, 1 / (1 + np.exp(-(ones % 2)))):
        fail(f'Right, but for a sigmoid at the end: let the output unit be of the kind "identity".\n{table}')
    bent = [np.unique(np.round(scores[ones == k], 9)).size > 1 for k in range(4)]
    if any(bent):
        fail(f"Inputs with as many ones give different scores: let all three inputs have the same weight.\n{table}")
    fail(f"These scores are not right yet:\n{table}")


def test_1_odd_is_not_trained_but_made():
    first, second = filled(yours.odd(), "odd"), yours.odd()
    three_inputs(first)
    x = np.array([[0.25, 0.5, 1.0]])
    if not np.array_equal(first(x).data, second(x).data):
        fail(
            "Two calls of odd() give two networks: a weight was left out, and is drawn at random. Give each edge its "
            "weight, net.connect(source, target, weight), and none in `inputs=`."
        )


# --- 2. evaluation order ---------------------------------------------------------------------------------------------


def wired_by_lot(rng, n):
    names = [f"u{k}" for k in rng.permutation(n)]
    reads = {
        name: [str(r) for r in rng.choice(["x", "y", *names[:k]], size=min(k + 1, 3), replace=False)]
        for k, name in enumerate(names)
    }
    return {name: reads[name] for name in rng.permutation(names).tolist()}


def told(reads):
    """A wiring in one line."""
    return ", ".join(f"{unit} reads {' '.join(read) or 'nothing'}" for unit, read in list(reads.items())[:6])


def test_2_each_unit_comes_after_what_it_reads():
    rng = np.random.default_rng(2)
    small = {"c": ["b", "x"], "b": ["x"], "d": [], "a": ["d", "c"]}
    for reads in (small, *(wired_by_lot(rng, n) for n in (5, 12, 40))):
        given = {unit: list(read) for unit, read in reads.items()}
        try:
            order = filled(yours.evaluation_order(reads), "evaluation_order")
        except ValueError as error:
            fail(f"ValueError ({error}) for a wiring without a loop: {told(given)}.")
        if reads != given:
            fail("The dict that was given has been changed. Make one of your own: dict(reads).")
        if not isinstance(order, (list, tuple)):
            fail(f"evaluation_order should give back a list of names, and yours is {order!r:.60}.")
        order = list(order)
        odd = [name for name in order if not isinstance(name, str)]
        if odd:
            fail(f"The list should hold names of units, and yours holds {odd[0]!r:.60}.")
        inputs = [name for name in order if name not in reads]
        if inputs:
            fail(f"{inputs[0]} is an input: it is no key of the dict, and is not computed. Leave it out of the list.")
        twice = [name for name in order if order.count(name) > 1]
        if twice:
            fail(f"{twice[0]} is in the list {order.count(twice[0])} times, and should be computed once.")
        missing = [name for name in reads if name not in order]
        if missing:
            fail(f"{missing[0]} is missing from the list. Every unit is to be computed, also one that nothing reads.")
        place = {name: k for k, name in enumerate(order)}
        early = [(a, b) for a in reads for b in reads[a] if b in place and place[b] > place[a]]
        if early and all(place[b] > place[a] for a in reads for b in reads[a] if b in place):
            fail(f"The order is turned round: {early[0][0]} reads {early[0][1]}, which is only computed after it.")
        if early:
            fail(
                f"{early[0][0]} comes before {early[0][1]}, which it reads. Take a unit only when all that it reads "
                f"has been taken.\n  wiring: {told(reads)}\n  yours:  {' '.join(order[:12])}"
            )


def test_2_a_loop_has_no_order():
    for reads in ({"a": ["b", "x"], "b": ["a"]}, {"a": ["x"], "b": ["a", "d"], "c": ["b"], "d": ["c"]}, {"a": ["a"]}):
        Name.asked = 0
        Name.words = (
            f"{told(reads)}: that is a loop, and yours goes round and round in it. When units are left and none of "
            "them can be taken, raise ValueError."
        )
        try:
            order = yours.evaluation_order({Name(unit): [Name(r) for r in read] for unit, read in reads.items()})
        except ValueError:
            continue
        except RecursionError:
            fail("With a loop yours calls itself for ever. Notice that you are back at a unit you have begun.")
        order = filled(order, "evaluation_order")
        fail(f"{told(reads)}: that is a loop, and has no order. Raise ValueError; yours gave {order!r:.60}.")


# --- 3. unrolled in time ---------------------------------------------------------------------------------------------


def recurrent(w, v, inputs, turned=False, start=0.0, plain=False):
    h = mg.Value(start)
    for x in reversed(inputs) if turned else inputs:
        h = w * h + v * x
        h = h if plain else h.tanh()
    return h


def test_3_a_recurrent_unit():
    rng = np.random.default_rng(3)
    for steps in (1, 3, 7):
        numbers, inputs = rng.uniform(0.3, 1.2, 2).tolist(), rng.normal(size=steps).tolist()
        w, v = (mg.Value(x, name=n) for x, n in zip(numbers, "wv", strict=True))
        found = filled(yours.unrolled(w, v, inputs), "unrolled")
        if isinstance(found, (list, tuple)):
            fail("Give back the last h alone, and not all of them.")
        if not isinstance(found, mg.Value):
            fail(f"unrolled gave {found!r:.40}, a plain number, and no gradient can come back: calculate with w and v.")
        ours = [mg.Value(x) for x in numbers]
        wanted = recurrent(*ours, inputs)
        for other, words in (
            (recurrent(*ours, inputs, turned=True), "You went through the inputs from the last to the first."),
            (recurrent(*ours, inputs, start=1.0), "h(0) should be 0, and yours begins with 1."),
            (recurrent(*ours, inputs, plain=True), "The tanh is missing: it belongs to every step."),
            (recurrent(*ours, inputs, plain=True).tanh(), "The tanh belongs to every step, and not to the last alone."),
            (recurrent(*ours[::-1], inputs), "w and v have changed places: w belongs to h, and v to x."),
            (recurrent(*ours, inputs[-1:]), "That is the last input alone: h is to be carried from step to step."),
        ):
            close_by = math.isclose(found.data, other.data, rel_tol=1e-9)
            if close_by and not math.isclose(other.data, wanted.data, rel_tol=1e-9):
                fail(f"After {steps} steps h is {found.data:.6f}, and should be {wanted.data:.6f}. {words}")
        close(found.data, wanted.data, f"The value of h after {steps} steps is not right.", rtol=1e-9)

        found.backward()
        wanted.backward()
        for name, mine, theirs in (("w", w, ours[0]), ("v", v, ours[1])):
            lost = f"h is right, but the gradient of {name}"
            if mine.grad is None:
                fail(
                    f"{lost} is missing. Use the Value {name} itself at every step: a new Value made from its number, "
                    f"or {name}.data, knows nothing of {name}."
                )
            close(
                mine.grad, theirs.grad,
                f"{lost} is not the sum over the steps. Is h a plain number, or a new Value, in between? Then only the "
                "last step counts. Carry the Value h on.", rtol=1e-9,
            )  # fmt: skip


# --- 4. the loop that an edge would close ----------------------------------------------------------------------------


def check_loop(found, edges, source, target):
    """Say what is wrong with a loop that there is."""
    shown = ", ".join(f"{a} → {b}" for a, b in edges[:8])
    asked = f"\n  edges: {shown}\n  new:   {source} → {target}\n  yours: {found!r:.100}"
    if found is None or found is False:
        fail(f"The new edge closes a loop, and yours finds none.{asked}")
    if not isinstance(found, (list, tuple)) or not found:
        fail(f"Give back the loop, as a list of names.{asked}")
    found = list(found)
    if len(found) < 2 or found[0] != found[-1]:
        fail(f"A loop ends where it began: the first name of the list is also its last.{asked}")
    if found[0] != target:
        fail(f"The loop should begin and end with {target}, the target of the new edge.{asked}")
    steps = set(itertools.pairwise(found))
    if steps - {(a, b) for a, b in [*edges, (source, target)]}:
        if {(b, a) for a, b in steps} <= {*edges, (source, target)}:
            fail(f"Right units, but against the direction of the edges.{asked}")
        a, b = next(iter(steps - {*edges, (source, target)}))
        fail(f"There is no edge {a} → {b}.{asked}")
    if (source, target) not in steps:
        fail(f"The loop has to go through the new edge.{asked}")
    if len(set(found[1:])) < len(found) - 1:
        fail(f"Only the first and last name should be the same.{asked}")


def test_4_the_loop_that_an_edge_would_close():
    edges = [("a", "b"), ("b", "c"), ("x", "b"), ("c", "d"), ("a", "d")]
    for source, target in (("c", "a"), ("d", "b"), ("b", "a")):
        check_loop(filled_loop(edges, source, target), edges, source, target)
    found = filled_loop(edges, "b", "b")
    if not found:
        fail("An edge from b to b closes a loop too, the shortest there is: ['b', 'b'].")
    check_loop(found, edges, "b", "b")
    for source, target in (("a", "c"), ("x", "a"), ("x", "d"), ("q", "a")):
        found = yours.closes(list(edges), source, target)
        if found:
            fail(
                f"{source} → {target} closes no loop: nothing leads from {target} back to {source}. Edges have a "
                f"direction, and yours gave {found!r:.60}."
            )


def test_4_the_loop_in_a_large_wiring():
    pairs = [(f"{name}{k}", f"{after}{k + 1}") for k in range(40) for name in "ab" for after in "ab"]
    edges = [(Name(a), Name(b)) for a, b in pairs]
    Name.asked = 0
    Name.words = (
        "There are more ways through this wiring than anybody could walk: two at each of 40 generations. Remember "
        "which units you have been to, and go to none of them again."
    )
    check_loop(filled_loop(edges, Name("a40"), Name("a0")), pairs, "a40", "a0")
    Name.asked = 0
    if yours.closes(list(edges), Name("a0"), Name("b20")):
        fail("a0 → b20 closes no loop: from b20 one only comes to later generations. Yours found one.")

    chain = [(f"h{k}", f"h{k + 1}") for k in range(3000)]
    try:
        found = filled_loop(chain, "h3000", "h0")
    except RecursionError:
        fail("A chain of 3,000 units is too long for a function that calls itself: keep a list of units to go to.")
    check_loop(found, chain, "h3000", "h0")


def filled_loop(edges, source, target):
    """What `closes` gives. None may be a hole: then it is None for the plainest loops too."""
    found = yours.closes(list(edges), source, target)
    if found is None and all(yours.closes([("a", "b")], *new) is None for new in ("ba", "ab", "aa")):
        filled(None, "closes")
    return found
