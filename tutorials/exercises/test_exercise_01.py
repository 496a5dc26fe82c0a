"""Checks of the exercises of tutorial 1."""

import math

import exercise_01 as yours
import numpy as np
import pytest
from marking import array, close, fail, filled, number

import micrograd_nn as mg

pytestmark = [pytest.mark.tutorial_1, pytest.mark.exercise]


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def same(found, wanted):
    return np.allclose(found, wanted, rtol=1e-7)


def test_1_the_slope_of_softplus():
    for z in np.random.default_rng(1).normal(size=6).tolist():
        found = number(yours.slope_of_softplus(z), f"slope_of_softplus({z:.4f})")
        p = math.exp(z)
        typical = {
            math.log(1 + p): "That is softplus itself. The question is how fast it grows with z.",
            sigmoid(z) * (1 - sigmoid(z)): "That is the slope of σ. Here σ(z) is the slope: it needs no factor more.",
            1 / (1 + p): "That is the derivative of log q by q, the last edge alone. The edge from z to p counts too.",
            p: "That is e^z, the derivative of the first edge alone. Multiply it by that of log q, which is 1/q.",
            p / p: "That would be the slope of log(e^z). The 1 has been lost: q is 1 + e^z.",
        }
        for mistake, words in typical.items():
            if same(found, mistake):
                fail(f"At z = {z:.4f} yours is {found:.6f}. {words}")
        slope = mg.grad(lambda v: (1.0 + v.exp()).log())(z)
        close(
            found,
            slope,
            f"The slope of softplus at z = {z:.4f} is the product of three local derivatives: e^z, 1, 1/q.",
        )


def test_2_the_gradients_of_a_neuron():
    rng = np.random.default_rng(2)
    for n in (2, 5):
        x, w, b = rng.normal(size=n), rng.normal(size=n), float(rng.normal())
        answer = filled(yours.neuron_gradients(x.copy(), w.copy(), b), "neuron_gradients")
        if not isinstance(answer, (tuple, list)) or len(answer) != 3:
            fail("neuron_gradients should give back three things, `return of_w, of_x, of_b`.")
        of_w = array(answer[0], (n,), "the gradients of w")
        of_x = array(answer[1], (n,), "the gradients of x")
        of_b = number(answer[2], "the gradient of b")

        out = sigmoid(w @ x + b)
        slope = out * (1 - out)
        factors = {
            "1": (1.0, "The slope of the sigmoid is missing: everything passes through it on the way back."),
            "out": (out, "You used the output σ(z) as the slope. The slope is out·(1 − out)."),
            "1 − out": (1 - out, "You used 1 − out as the slope. The slope is out·(1 − out)."),
            "at out": (sigmoid(out) * (1 - sigmoid(out)), "You took the slope of σ at the output. It belongs at z."),
            "without b": (sigmoid(w @ x) * (1 - sigmoid(w @ x)), "Your z is w·x. The bias b belongs to it too."),
        }
        for factor, words in factors.values():
            if same(of_w, factor * x) or same(of_x, factor * w):
                fail(words)
        if same(of_w, slope * w) and same(of_x, slope * x):
            fail("The gradients of w and of x are exchanged: that of a weight is the slope times its *input*.")
        close(of_w, slope * x, "The gradient of each weight is the slope times its input.")
        close(of_x, slope * w, "The gradient of each input is the slope times its weight.")
        close(of_b, slope, "The bias is added to z as it is, so its gradient is the slope itself.")


def descent(x, w, b, target, rate, steps, *, sign=-1.0, clear=True, bias=True):
    """The losses of gradient descent, and the weights at its end: the right one, and some that are not."""
    losses, of_w, of_b = [], np.zeros_like(w), 0.0
    for _ in range(steps):
        out = sigmoid(w @ x + b)
        losses.append((out - target) ** 2)
        slope = 2 * (out - target) * out * (1 - out)
        of_w, of_b = (slope * x, slope) if clear else (of_w + slope * x, of_b + slope)
        w, b = w + sign * rate * of_w, b + bias * sign * rate * of_b
    return np.array(losses), w


def test_3_a_neuron_learns():
    rng = np.random.default_rng(3)
    x, target, rate, steps = rng.normal(size=3), 0.8, 0.7, 12
    neuron = mg.nn.Neuron(3, "sigmoid", rng=3)
    neuron.bias.data = -0.5
    start = x, neuron.weight.data.copy(), -0.5, target, rate
    try:
        answer, gone_back = yours.learn(neuron, x.tolist(), target, rate, steps), True
    except TypeError as error:
        if "NoneType" not in str(error):
            raise
        answer, gone_back = [], False
    if not gone_back:
        fail("A gradient is None: nothing has gone back yet. Call `loss.backward()` in every step, before the move.")
    if not isinstance(filled(answer, "learn"), list):
        fail(f"learn should give back a list of losses, and yours is {answer!r:.80}.")
    if not answer:
        fail("learn still has its hole: the list of losses it gives back is empty.")
    if any(isinstance(loss, mg.graph.Node) for loss in answer):
        fail("The losses should be plain numbers: `loss.item()` is the number of a node.")
    if len(answer) != steps:
        fail(f"{steps} steps were asked for, one loss each, and your list has {len(answer)} entries.")
    answer = array(answer, (steps,), "the list of losses")
    losses, weights = descent(*start, steps)
    if same(neuron.weight.data, start[1]):
        fail("The weights are as they were. Give each parameter a new value: `parameter.data = ...`.")
    if same(answer, descent(*start, steps, sign=1.0)[0]):
        fail("The loss grows: you moved along the gradient. Move against it, by −rate times the gradient.")
    if same(answer, losses[0]):
        fail("All your losses are the same number. Compute the output and the loss anew in every step.")
    if same(answer, descent(*start, steps, clear=False)[0]):
        fail("Gradients of earlier steps are still in yours. Leaves add up: call `neuron.zero_grad()` in every step.")
    if same(answer, descent(*start, steps, bias=False)[0]):
        fail("The bias stays where it was. It is a parameter too: go through all of `neuron.parameters()`.")
    if same(answer, descent(*start, steps + 1)[0][1:]):
        fail("These are the losses after each move. Wanted is the one that each step began with.")
    close(answer, losses, "These are not the losses of gradient descent with this rate.")
    close(neuron.weight.data, weights, "The losses are right, and the weights at the end are not.")


def graph():
    """Nodes used more than once, at different depths, and constants."""
    a, b = mg.Value(1.5, name="a"), mg.Value(-0.7, name="b")
    c = a * b + 2.0
    d = c * c + a
    return (d.tanh() + d * c * 3.0 - b / 4.0), (a, b, c, d)


def computed(root, name="gradients_of"):
    try:
        return filled(yours.gradients_of(root), name)
    except TypeError as error:
        if "NoneType" not in str(error):
            raise
        words = "A constant has no derivative: `mg.local_derivatives` gives None for it. Step over those parents."
    except KeyError as error:
        if not any(isinstance(key, mg.graph.Node) for key in error.args):
            raise
        words = (
            "A gradient was looked up before it was in the dict. Go through the topological order from the back, "
            "`reversed(...)`, so that the root comes first, and begin each sum at 0: `found.get(parent, 0.0) + ...`."
        )
    return fail(words)


def test_4_backward_for_any_graph():
    root, named = graph()
    found = computed(root)
    if any(leaf.grad is not None for leaf in named[:2]):
        fail("You called .backward(), which is what you are to write yourself.")
    if not isinstance(found, dict):
        fail(f"gradients_of should give back a dict {{node: gradient}}, and yours is {found!r:.80}.")
    if any(not isinstance(node, mg.graph.Node) for node in found):
        fail(f"The keys of the dict should be the nodes themselves, and yours begins with {next(iter(found))!r:.80}.")
    if root not in found:
        fail("The root itself is missing: its gradient is 1, and the sweep starts from there.")
    wanted = mg.gradients(root)
    if any(node not in wanted for node in found):
        fail("Your dict has constants in it. Leave out the parents whose local derivative is None.")
    if missing := [node.label for node in wanted if node not in found]:
        fail(
            f"These nodes have no gradient in your dict: {', '.join(missing)}. Go through the whole topological order."
        )

    a = mg.Value(1.0, name="a")
    b = a + a
    c = b + b
    small = computed(c)
    if same(small[a], 6.0):
        fail(
            "With b = a + a and c = b + b, your ∂c/∂a is 6 and not 4: b passed its gradient on before it was complete. "
            "Go through `mg.topological_order(root)` from the back."
        )
    if same(small[a], 1.0) or same(small[a], 2.0):
        fail(
            f"With b = a + a and c = b + b, your ∂c/∂a is {small[a]:g} and not 4: a second path overwrote what the "
            "first had brought. Over paths, add: `found.get(parent, 0.0) + ...`."
        )
    if same(small[a], 0.0):
        fail("Nothing arrives at a leaf: you go from the leaves to the root. Go from the back, `reversed(...)`.")
    for node in named:
        close(found[node], wanted[node], f"The gradient of {node.label} is not right.")


def test_4_each_node_has_its_turn_once(monkeypatch):
    root = leaf = mg.Value(1.0)
    for _ in range(16):
        root = root + root
    turns, derivatives = [0], mg.local_derivatives

    def counted(node):
        turns[0] += 1
        if turns[0] > 1000:
            fail("17 nodes, and more than 1,000 turns: your code walks every path. Each node needs only one turn.")
        return derivatives(node)

    def forbidden(node):
        fail("You called mg.gradients, which is what you are to write yourself.")

    monkeypatch.setattr(mg, "local_derivatives", counted)
    monkeypatch.setattr(mg, "gradients", forbidden)
    found = computed(root)
    if leaf not in found:
        fail("After 16 doublings the leaf has no gradient in your dict.")
    close(found[leaf], 2.0**16, "After 16 doublings the leaf counts 2**16 times.")
