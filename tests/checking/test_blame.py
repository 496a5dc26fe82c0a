"""Which op is to blame: wrong rules planted in graphs are found, by name, place and line; no right one is blamed."""

import gc
import json
import linecache
import math
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import Tensor, Value
from micrograd_nn import functional as F
from micrograd_nn.checking import gradcheck
from micrograd_nn.checking._blame import find_blame, on_kinks
from micrograd_nn.checking._sources import sources
from micrograd_nn.modes import frame, witnessed
from micrograd_nn.nn import MLP, Layer, Module, Network
from micrograd_nn.op import REGISTRY, Op, Patch, shape_of

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
from cases import CASES

drawn = settings(max_examples=25, deadline=None, derandomize=True)


def op(name, array, *rules, **options):
    """An op that the registry forgets at once."""
    made = Op(name, array, *rules, **options)
    del REGISTRY[name]
    return made


def tracked(*arrays):
    return [Tensor(a, requires_grad=True) for a in arrays]


def numbers(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Wrong rules: for each op its forward, a rule that is wrong, and the path for numbers. All take one input.
WRONG = {
    "tanh_left_out": (np.tanh, lambda g, out, a: g * 1.0, math.tanh),
    "tanh_at_the_input": (np.tanh, lambda g, out, a: g * (1 - a * a), math.tanh),
    "exp_once_too_often": (np.exp, lambda g, out, a: g * out * out, math.exp),
    "square_without_2": (lambda a: a * a, lambda g, out, a: g * a, lambda a: a * a),
    "sin_with_a_sign": (np.sin, lambda g, out, a: -g * F.cos(a), math.sin),
    "a_millionth_too_much": (np.sin, lambda g, out, a: g * F.cos(a) * (1 + 1e-6), math.sin),
    "nothing": (np.cos, lambda g, out, a: g * 0.0, math.cos),
}  # fmt: skip
# Right ones to put around it.
RIGHT = [F.tanh, F.sigmoid, F.softplus, F.sin, lambda x: x * 0.9 + 0.1, lambda x: x * x, lambda x: x / (x * x + 1)]


# --- the first wrong op -----------------------------------------------------------------------------------------------


@drawn
@given(
    st.sampled_from(sorted(WRONG)), st.lists(st.sampled_from(RIGHT), max_size=5),
    st.lists(st.sampled_from(RIGHT), max_size=5), st.booleans(), st.integers(0, 1000),
)  # fmt: skip
def test_the_wrong_op_is_named_wherever_it_stands(name, before, after, scalar, seed):
    forward, rule, number = WRONG[name]
    wrong = op(name, forward, rule, scalar=number)
    start = numbers((3, 2), seed) * 0.5 + 0.4
    x = Value(float(start[0, 0])) if scalar else Tensor(start, requires_grad=True)
    for f in before:
        x = f(x)
    bad = x = wrong(x)
    made_before = len(mg.topological_order(x))
    for f in after:
        x = f(x)
    root = x if scalar else F.sum(x * numbers((3, 2), seed + 1))
    blame = find_blame(root, rng=seed)
    assert blame is not None
    assert (blame.op, blame.node, blame.input, blame.root) == (name, bad, 0, root)
    ops_after = sum(n.op is not None for n in mg.topological_order(root)) - sum(
        n.op is not None for n in mg.topological_order(bad)
    )
    assert blame.after == blame.ops_after == ops_after
    assert made_before >= 2
    assert blame.others == ()
    assert set(blame.right) >= {n for n in mg.topological_order(root) if n.op is not None} - set(
        mg.topological_order(bad)
    )


@drawn
@given(st.integers(0, 1), st.booleans(), st.sampled_from([(3, 2), (2,), (1, 2), ()]), st.integers(0, 1000))
def test_the_wrong_input_is_named(place, scalar, shape, seed):
    rules = [lambda g, out, a, b: g * b, lambda g, out, a, b: g * a]
    rules[place] = lambda g, out, a, b: g * (a + b)
    times = op("times", lambda a, b: a * b, *rules, scalar=lambda a, b: a * b)
    if scalar:
        a, b = Value(1.3, name="left"), Value(0.4, name="right")
    else:
        a, b = tracked(numbers((3, 2), seed), numbers(shape, seed + 1))
        a.name, b.name = "left", "right"
    blame = find_blame(F.sum(F.tanh(times(a, b))))
    assert blame.input == place
    assert blame.input_name == ("left", "right")[place]
    assert f"Its gradient for input {place + 1} of 2, `{('left', 'right')[place]}`, is " in str(blame)


def test_both_inputs_wrong_are_both_in_the_evidence():
    swapped = op("swapped", lambda a, b: a * b, lambda g, out, a, b: g * a, lambda g, out, a, b: g * b)
    a, b = tracked(numbers((3, 2)), numbers((3, 2), 1))
    blame = find_blame(F.sum(swapped(a, b)))
    assert blame.input == 0
    one, two = blame.evidence
    assert one.wrong.all()
    assert two.wrong.all()
    np.testing.assert_allclose(one.numeric, two.analytic, rtol=1e-9)
    np.testing.assert_allclose(two.numeric, one.analytic, rtol=1e-9)
    assert (one.name, two.name) == ("input 1", "input 2")


def test_an_input_that_is_not_tracked_is_nobodys_business():
    half = op("half", lambda a, b: a * b, lambda g, out, a, b: g * b, lambda g, out, a, b: g * 77.0)
    (a,) = tracked(numbers((3, 2)))
    assert find_blame(F.sum(half(a, numbers((3, 2), 1)))) is None
    assert find_blame(F.sum(half(numbers((3, 2), 1), a))).input == 1


def test_of_several_wrong_ops_the_first_on_the_way_back_is_blamed():
    one = op("one", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    two = op("two", np.sin, lambda g, out, a: g, scalar=math.sin)
    for x in (Value(0.7), *tracked(numbers(4))):
        first = one(x)
        second = two(first * 2)
        third = two(second + 1)
        root = F.sum(third.exp())
        blame = find_blame(root)
        assert blame.node is third
        assert blame.others == (second,)
        assert "The same op is wrong at one more place." in str(blame)
        assert blame.wrong == (third, second)


def test_right_ops_beside_it_are_not_after_it():
    wrong = op("wrong", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    x = Value(0.4)
    y = wrong(x)
    aside = (x * 3).sin().exp()
    assert find_blame((y * 2) + aside).after == 2


def test_the_last_op_and_the_last_but_one_have_sentences_of_their_own():
    wrong = op("wrong", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    x = Value(0.4)
    assert str(find_blame(wrong(x))).startswith("op `wrong` is wrong; no op comes after it. Its gradient is ")
    assert str(find_blame(wrong(x).exp())).startswith("op `wrong` is wrong; the op after it is right. ")
    assert str(find_blame(wrong(x).exp() + 1)).startswith("op `wrong` is wrong; the 2 ops after it are right. ")


def test_the_numbers_are_in_the_sentence():
    double = op("double", lambda a: a * 2, lambda g, out, a: g * 3, scalar=lambda a: a * 2)
    x = Value(0.5)
    (evidence,) = find_blame(double(x) + 1).evidence
    assert evidence.analytic.tolist() == [3.0]
    np.testing.assert_allclose(evidence.numeric, 2, rtol=1e-12)
    assert (evidence.error_bar < 1e-10).all()
    (t,) = tracked([[0.5, 1.0]])
    told = str(find_blame(F.sum(op("late", lambda a: a * 2, lambda g, out, a: g * np.array([2.0, 3.0]))(t))))
    assert "at [0, 1] where" in told
    assert "(the input is 1)" in told


# --- where it stands --------------------------------------------------------------------------------------------------


def test_the_line_that_made_it_is_named():
    wrong = op("wrong", np.tanh, lambda g, out, a: g)
    x, w = tracked(numbers((5, 3)), numbers((3, 2), 1))
    with sources() as found:
        h = x @ w
        h = wrong(h)  # the line
        loss = (h * h).mean()
    blame = find_blame(loss, sources=found)
    assert blame.line == "h = wrong(h)  # the line"
    assert blame.source == f"test_blame.py:{found[blame.node][1]}"
    assert linecache.getline(__file__, found[blame.node][1]).strip() == blame.line
    assert str(blame).startswith(
        f"op `wrong` ({blame.source}: `h = wrong(h)  # the line`) is wrong; the 2 ops after it are right."
    )


class Squash(Module):
    def __init__(self, squash):
        self.squash = squash

    def forward(self, x):
        return self.squash(x)  # in forward


class Stack(Module):
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def test_in_a_module_of_ones_own_the_path_and_the_line_of_its_forward_are_named():
    wrong = op("wrong", np.tanh, lambda g, out, a: g)
    model = Stack(Layer(3, 4, "tanh", rng=0), Squash(wrong), Layer(4, 2, "tanh", rng=1), Squash(F.sin))
    with sources() as found:
        loss = F.sum(model(numbers((5, 3))))
    blame = find_blame(loss, sources=found)
    assert (blame.module, blame.line) == ("layers[1]", "return self.squash(x)  # in forward")
    assert str(blame).startswith(f"op `wrong` at layers[1] ({blame.source}: `return self.squash(x)  # in forward`) is")


def test_in_a_built_in_layer_the_line_that_called_the_model_is_named():
    wrong = op("wrong", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    model = MLP(3, [4, 4, 1], activation=wrong, rng=0)
    with sources() as found:
        loss = F.sum(model(numbers((5, 3))))  # vectors
    blame = find_blame(loss, sources=found)
    assert (blame.module, blame.line) == ("layers[1]", "loss = F.sum(model(numbers((5, 3))))  # vectors")
    assert [n.module for n in blame.others] == ["layers[0]"]
    assert "The same op is wrong at one more place (layers[0])." in str(blame)
    with sources() as found:
        out = model([0.3, -0.4, 0.5])  # numbers
    blame = find_blame(out, sources=found)
    assert (blame.module, blame.line) == ("layers[1].neurons[3]", "out = model([0.3, -0.4, 0.5])  # numbers")
    assert len(blame.others) == 7


def test_lines_are_those_outside_this_package_and_numpy():
    x, y = Value(0.5), Tensor([1.0, 2.0], requires_grad=True)
    with sources() as found:
        results = [
            np.polynomial.polynomial.polyval(x, [2.0, 1.0]),
            (lambda v: v.tanh())(x),
            np.sum(np.exp(y)),
            1.5 * x,
        ]
    texts = {found[node][2] for node in results}
    assert texts == {
        "np.polynomial.polynomial.polyval(x, [2.0, 1.0]),",
        "(lambda v: v.tanh())(x),",
        "np.sum(np.exp(y)),",
        "1.5 * x,",
    }
    assert {file for file, _, _ in found.values()} == {__file__}


def test_code_that_was_typed_has_a_line_and_its_text_where_python_knows_it():
    space = {"x": Value(0.5)}
    with sources() as found:
        exec(compile("\ny = x.exp()", "<stdin>", "exec"), space)
    assert list(found.values()) == [("<stdin>", 2, "")]
    linecache.cache["<cell 7>"] = (12, None, ["# a comment\n", "  y = x.exp()\n"], "<cell 7>")
    try:
        with sources() as found:
            exec(compile("\ny = x.exp()", "<cell 7>", "exec"), space)
    finally:
        del linecache.cache["<cell 7>"]
    assert list(found.values()) == [("<cell 7>", 2, "y = x.exp()")]


def test_sources_are_those_of_nodes_made_inside():
    x = Value(0.5)
    before = x * 2
    with sources() as outer:
        a = x + before
        with sources() as inner:
            b = a * 2
        c = a * 3
    after = x * 4
    assert list(outer) == [a, c]
    assert list(inner) == [b]
    assert after not in outer
    with sources() as found, mg.no_grad():
        x * 2
    assert found == {}


def test_a_node_that_lives_on_keeps_no_other_alive():
    x = Value(0.5)
    with sources() as found:
        kept, gone = x * 2, x * 3
    watched = weakref.ref(gone)
    del gone, found
    gc.collect()
    assert watched() is None
    assert kept.frame.witness is not None


def test_a_witness_sees_every_node_and_the_quick_ways_are_back_afterwards():
    seen = []
    x, t = Value(0.5), Tensor([1.0, 2.0], requires_grad=True)
    with witnessed(seen.append):
        assert not frame.get().plain
        made = [x * 2, 2 * x, x.tanh(), -x, t + 1, 1 + t, t @ t, t[0]]
        MLP(2, [1], rng=0)([0.1, 0.2])
    assert seen[: len(made)] == made or [n is m for n, m in zip(seen, made)] == [True] * len(made)
    assert len(seen) > len(made)
    assert frame.get().plain


def test_ops_that_the_check_adds_to_the_users_are_not_counted():
    wrong = op("wrong", np.tanh, lambda g, out, a: g)
    (x,) = tracked(numbers(4))
    with sources() as found:
        y = wrong(x) * 2
    assert find_blame(F.sum(y * numbers(4, 1)), sources=found).after == 1
    assert find_blame(F.sum(y * numbers(4, 1))).after == 3


# --- what can be wrong with a rule ------------------------------------------------------------------------------------


REASONS = [
    ("raises", lambda g, out, a: g @ a.nothing, "its rule raises AttributeError"),
    ("takes too few", lambda g, out: g, "its rule raises TypeError"),
    ("gives None", lambda g, out, a: None, "its rule gives None, where plain numbers belong"),
    ("is complex", lambda g, out, a: g * (1 + 0j), "The gradient of its input is complex (complex128)"),
    ("gives a list of lists", lambda g, out, a: [[1.0], [1.0, 2.0]], "its input is a list, not an array of"),
    ("is transposed", lambda g, out, a: g.T, "has shape (2, 3), and its input has shape (3, 2)"),
    ("is too short", lambda g, out, a: g[:2], "has shape (2, 2), and its input has shape (3, 2)"),
    ("gives a Tensor", lambda g, out, a: Tensor(g), "its rule gives a Tensor, where plain numbers belong"),
    ("works in place", lambda g, out, a: np.multiply(g, 1.0, out=g) * 0 + np.negative(g, out=g) * -1,
     "its rule changes the gradient that comes in, in place"),
    ("writes into inputs", lambda g, out, a: g * np.add(a, 0, out=a), "raises ValueError: output array is read-only"),
    ("ignores g", lambda g, out, a: np.ones_like(a), "does not depend on the gradient that comes in: multiply by it"),
    ("takes only the sign of g", lambda g, out, a: np.sign(g), "is not linear in the gradient that comes in"),
    ("squares g", lambda g, out, a: g * g, "is not linear in the gradient that comes in"),
    ("takes the size of g", lambda g, out, a: np.abs(g), "is not linear in the gradient that comes in"),
    ("clips g", lambda g, out, a: np.clip(g, -1, 1), "is not linear in the gradient that comes in"),
    ("works in float32", lambda g, out, a: (g * np.float32(1 / 3)).astype("f4") * 3, "is float32, and all else is"),
    ("is NaN in places", lambda g, out, a: np.where(a > 0.3, np.nan, g), "is NaN at ["),
    ("is infinite", lambda g, out, a: g * np.inf, "inf at [0, 0] where"),
    ("is a patch of the wrong shape", lambda g, out, a: Patch(g, ..., (2, 3)), "ValueError: operands could not be"),
    ("is a patch in part", lambda g, out, a: Patch(g[1:], slice(1, None), shape_of(a)), "is 0 at [0, "),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rule", "said"), REASONS, ids=[name for name, _, _ in REASONS])
def test_what_is_wrong_with_a_rule_is_said(name, rule, said):
    copied = op(name.replace(" ", "_"), lambda a: a + 0.0, rule)
    (x,) = tracked(numbers((3, 2)))
    made = copied(x * 1.0)
    before = x.data.copy()
    blame = find_blame(F.sum(F.sin(made)))
    assert blame.node is made
    assert said in str(blame).replace("Its rule", "its rule")
    assert str(blame).endswith(".")
    np.testing.assert_array_equal(x.data, before)
    json.dumps(blame.to_dict(), allow_nan=False)


def test_an_op_with_too_few_rules_is_wrong_for_the_others():
    half = op("half", lambda a, b: a * b, lambda g, out, a, b: g * b)
    a, b = tracked(numbers(3), numbers(3, 1))
    assert find_blame(F.sum(half(a, b.data))) is None
    blame = find_blame(F.sum(half(a, b)))
    assert blame.input == 1
    assert "For input 2 its rule raises IndexError" in str(blame)


def test_a_rule_that_is_wrong_for_some_numbers_only_is_found_in_a_crowd_of_right_ones():
    wrong = op("leak", lambda a: np.maximum(a, 0), lambda g, out, a: g * ((a > 0) + 1e-3 * (a < -3.5)),
               scalar=lambda a: a if a > 0 else 0.0)  # fmt: skip
    start = np.random.default_rng(0).uniform(-3, 3, 20_000)
    start[11_234] = -4.0
    (x,) = tracked(start)
    blame = find_blame(F.sum(wrong(x)))
    assert "at [11234] where 0 is right (the input is −4)" in str(blame)
    assert blame.evidence[0].wrong[11_234]
    values = [wrong(Value(v)) for v in [*start[:300].tolist(), -4.0, *start[300:600].tolist()]]
    root = values[0]
    for v in values[1:]:
        root = root + v
    blame = find_blame(root)
    assert blame.node is values[300]
    assert blame.others == ()
    assert blame.evidence[0].x[blame.evidence[0].wrong].tolist() == [-4.0]


def test_one_wrong_entry_among_many_is_found_by_halves():
    spot = 12_345
    factor = np.ones(50_000)
    factor[spot] = 1 + 1e-4
    wrong = op("spot", np.tanh, lambda g, out, a: g * (1 - out * out) * factor)
    (x,) = tracked(np.random.default_rng(0).normal(size=50_000) * 0.5)
    assert f"at [{spot}] where" in str(find_blame(F.sum(wrong(x))))


def test_shares_that_are_patches_are_checked_like_any():
    rows = np.array([0, 2, 2, 1])
    right = op("rows", lambda a: a[rows], lambda g, out, a: Patch(g, rows, shape_of(a)))

    def overwritten(g, out, a):
        back = np.zeros(shape_of(a))
        back[rows] = g
        return back

    wrong = op("rows_wrong", lambda a: a[rows], overwritten)
    (x,) = tracked(numbers((3, 2)))
    assert find_blame(F.sum(F.sin(right(x)) * 2)) is None
    blame = find_blame(F.sum(F.sin(wrong(x)) * 2))
    assert blame.op == "rows_wrong"
    assert (np.flatnonzero(blame.evidence[0].wrong.any(axis=1)) == [2]).all()


def test_nan_where_no_gradient_comes_in_is_a_mistake():
    # sqrt at 0 has the slope inf: 0 * inf is NaN where the branch was not taken
    wrong = op("naive_sqrt", np.sqrt, lambda g, out, a: g * (0.5 / out), scalar=math.sqrt)
    (x,) = tracked(np.array([0.0, 1.0, 4.0]))
    root = F.sum(F.where(x.data > 0, wrong(x), 0.0))
    blame = find_blame(root)
    assert blame.op == "naive_sqrt"
    assert "NaN where no gradient comes in" in str(blame)
    assert find_blame(F.sum(F.where(x.data > 0, F.sqrt(x), 0.0))) is None


def test_nan_at_a_kink_is_a_mistake_and_any_number_between_is_not():
    nan = op("length", np.abs, lambda g, out, a: g * a / np.abs(a))
    (x,) = tracked(np.array([0.0, 1.0, -4.0]))
    blame = find_blame(F.sum(nan(x)))
    assert "NaN where no gradient comes in" in str(blame)
    fine = op("length_too", np.abs, lambda g, out, a: g * (2.0 * (a >= 0) - 1))
    assert find_blame(F.sum(fine(x))) is None


def test_what_comes_from_further_on_is_not_blamed_on_those_before():
    # the NaN is made by the root; everything before it gets NaN, and is right all the same
    wrong = op("wrong", np.tanh, lambda g, out, a: g * np.nan, scalar=math.tanh)
    for x in (Value(0.3), *tracked(numbers(4))):
        blame = find_blame(F.sum(wrong((x * 2).sin().exp())))
        assert blame.op == "wrong"
        assert blame.others == ()


# --- numbers and arrays -----------------------------------------------------------------------------------------------


def test_values_and_tensors_in_one_graph():
    wrong = op("wrong", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    a, b = Value(0.3), Value(-0.4)
    joined = F.stack([wrong(a), b * 2])
    (t,) = tracked(numbers((3, 2)))
    root = F.sum(t @ joined) + b
    blame = find_blame(root)
    assert blame.node.kind == "Value"
    assert blame.op == "wrong"
    wrong = op("wrong", lambda *parts: np.stack(parts), lambda g, out, *parts, position: g[position] * 2, variadic=True)
    blame = find_blame(F.sum(wrong(a, b * 2) * 3))
    assert (blame.op, blame.input, blame.input_name) == ("wrong", 0, "")
    assert "Its gradient for input 1 of 2 is " in str(blame)


def test_params_and_arguments_go_along():
    wrong = op("roll_back", lambda a, by: np.roll(a, by), lambda g, out, a, by: F.roll(g, by))
    right = op("roll_on", lambda a, by: np.roll(a, by), lambda g, out, a, by: F.roll(g, -by))
    (x,) = tracked(numbers(5))
    assert find_blame(F.sum(F.sin(right(x, by=2)))) is None
    blame = find_blame(F.sum(F.sin(wrong(x, by=2))))
    assert blame.op == "roll_back"
    assert blame.local.params == {"by": 2}
    ratio = op("ratio", lambda a, low, high: (a - low) / (high - low), lambda g, out, a, low, high: g / (high - low),
               scalar=lambda a, low, high: (a - low) / (high - low))  # fmt: skip
    v = Value(0.4)
    assert find_blame(ratio(v, low=0.1, high=0.9) * 2) is None


def test_float32_is_judged_by_what_float32_can_do():
    model = MLP(4, [8, 3], activation="tanh", rng=0)
    for p in model.parameters():
        p._data = p.data.astype("f4")
        p.written()
    X = numbers((20, 4)).astype("f4")
    root = F.cross_entropy(model(X), np.arange(20) % 3)
    assert root.dtype == np.float32
    assert find_blame(root) is None
    wrong = op("wrong", np.tanh, lambda g, out, a: g * (1 - out * out) * 1.01)
    assert find_blame(F.sum(wrong(Tensor(X, requires_grad=True)))).op == "wrong"


def test_evidence_of_numbers_gathers_every_place_of_the_op():
    wrong = op("my_relu", lambda a: np.maximum(a, 0), lambda g, out, a: g, scalar=lambda a: max(a, 0.0))
    values = np.random.default_rng(0).normal(size=50).tolist()
    root = Value(0.0)
    for v in values:
        root = root + wrong(Value(v)) * 2
    blame = find_blame(root)
    (evidence,) = blame.evidence
    assert sorted(evidence.x.tolist()) == sorted(values)
    np.testing.assert_array_equal(evidence.wrong, evidence.x < 0)
    assert blame.node._data == blame.local.out[0]
    np.testing.assert_allclose(evidence.numeric, evidence.x > 0, atol=1e-12)
    np.testing.assert_array_equal(evidence.analytic, blame.local.g)


# --- what is right is never blamed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_op_of_the_engine_is_blamed(case):
    root = F.sum(F.sin(case.call(*tracked(*case.inputs))) * 3)
    assert find_blame(root, rng=1) is None


ACTIVATIONS = ["relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus"]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scalar", [True, False])
def test_no_op_of_a_network_is_blamed(activation, scalar):
    model, X = MLP(3, [3, 3, 2] if scalar else [6, 5, 2], activation=activation, rng=0), numbers((12, 3))
    if scalar:
        a, b = model(list(X[0]))
        root = a * b
    else:
        root = F.cross_entropy(model(X), np.arange(12) % 2)
    assert find_blame(root) is None


def test_no_op_of_any_wiring_is_blamed_and_a_wrong_unit_is():
    wrong = op("wrong", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    for last in ("tanh", wrong):
        net = Network()
        names = [net.input("x0"), net.input("x1"), net.input("x2")]
        for k, activation in enumerate(["relu", "tanh", "maxout", "prelu", "identity", "sigmoid", last]):
            names.append(net.unit(f"h{k}", activation, names[k : k + 3]))
        net.unit("out", "identity", names[-4:])
        for x in (numbers((9, 3)), [0.3, -0.2, 0.8]):
            out = net(x)
            root = F.mean(F.square(out))
            blame = find_blame(root)
            assert blame is None if last == "tanh" else blame.op == "wrong"


@drawn
@given(st.integers(0, 10_000), st.booleans())
def test_no_op_of_a_random_expression_is_blamed(seed, scalar):
    rng = np.random.default_rng(seed)
    shape = () if scalar else (3,)
    pool = [Value(float(v)) for v in rng.normal(size=3)] if scalar else tracked(*rng.normal(size=(3, *shape)))
    one = [F.tanh, F.exp, F.sin, F.relu, F.sigmoid, F.gelu, F.abs, F.square, F.softplus, lambda a: F.log(a * a + 1)]
    two = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / (b * b + 1), F.maximum]
    for _ in range(12):
        a, b = (pool[int(rng.integers(len(pool)))] for _ in range(2))
        new = one[int(rng.integers(len(one)))](a) if rng.random() < 0.5 else two[int(rng.integers(len(two)))](a, b)
        if np.all(np.abs(new.data) < 1e6):
            pool.append(new)
    root = F.sum(sum(pool[1:], pool[0]))
    assert find_blame(root, rng=seed) is None


def test_numbers_at_the_limits_are_not_blamed():
    x = Tensor(np.array([1e-8, 1e-3, 1.0, 7.0, 40.0, 300.0, 1e5]), requires_grad=True)
    for f in (F.log, F.sqrt, F.tanh, F.sigmoid, F.softplus, F.relu, F.square, F.sin, lambda x: 1 / x, F.log1p,
              lambda x: F.softmax(x), lambda x: F.exp(-x), lambda x: x**0.5, lambda x: F.log_softmax(x)):  # fmt: skip
        assert find_blame(F.sum(F.tanh(f(x) * 1e-3))) is None
        if (f(1.0) is not None and not isinstance(f(np.ones(2)), np.ndarray)) or f in (F.log, F.sqrt, F.tanh, F.square):
            root = Value(0.0)
            for v in x.data.tolist():
                root = root + f(Value(v))
            assert find_blame(root) is None


def test_gradients_too_small_to_divide_by_are_not_blamed():
    for x in (Value(0.3), *tracked(numbers(3))):
        y = x
        for _ in range(40):
            y = (y * 1e-8).tanh()
        assert find_blame(F.sum(y)) is None


# --- kinks ------------------------------------------------------------------------------------------------------------


def test_a_kink_and_a_wrong_op_are_told_apart():
    wrong = op("wrong", np.tanh, lambda g, out, a: g)
    (x,) = tracked(np.array([0.0, 1.0, -2.0]))
    blame = find_blame(F.sum(wrong(F.relu(x))))
    assert blame.op == "wrong"
    relu = op("my_relu", lambda a: np.maximum(a, 0), lambda g, out, a: g * (a < 0))
    blame = find_blame(F.sum(relu(x)))
    assert "at [1] where" in str(blame) or "at [2] where" in str(blame)


# --- large graphs -----------------------------------------------------------------------------------------------------


def sentence(f, *inputs):
    return gradcheck(f, *inputs, raise_on_error=False).diagnosis


def test_where_no_op_is_wrong_the_one_on_its_kink_is_named():
    model = Stack(Layer(2, 3, "relu", rng=0))
    model.layers[0].weight.data = np.array([[1.0, -1.0], [1.0, 1.0], [0.5, 0.2]])
    model.layers[0].bias.data = np.zeros(3)
    x = np.array([[2.0, 1.0], [1.0, 1.0]])
    assert sentence(model, x) == "No op is wrong, but `relu` at layers[0] sits on its kink: its input [1, 0] is 0."
    assert sentence(lambda x: F.max(x, axis=1) ** 2, np.array([[1.0, 3.0, 3.0]])) == (
        "No op is wrong, but `max` sits on its kink: its input [0, 1] is 3."
    )
    assert sentence(lambda a: F.tanh(a).abs() * 2, 0.0) == "No op is wrong, but `abs` sits on its kink: its input is 0."
    assert on_kinks(F.sum(model(x * [1, 3]))) == ""


def chain(links, wrong=None, at=None):
    x = Value(0.3)
    for k in range(links):
        x = (x * 0.99 + 0.01).tanh()
        if k == at:
            x = wrong(x)
    return x


def counted(number):
    """The same function, and how often it was called."""
    calls = []

    def f(x):
        calls.append(x)
        return number(x)

    return f, calls


def test_in_fifty_thousand_ops_the_wrong_one_is_found_for_few_computations():
    f, calls = counted(math.tanh)
    wrong = op("wrong", np.tanh, lambda g, out, a: g * (1 - a * a), scalar=f)
    root = chain(17_000, wrong, 5_000)
    blame = find_blame(root)
    assert blame.op == "wrong"
    assert blame.ops_after == 3 * (17_000 - 5_001)
    assert 0 < blame.after < 200
    assert "of the 35,997 ops after it" in str(blame)
    assert len(calls) < 1_000


def test_of_many_places_those_that_tell_most_are_looked_at():
    wrong = op("wrong", np.tanh, lambda g, out, a: g * (1 - out * out) * (1 + (a > 3.5)), scalar=math.tanh)
    x, odd = Value(0.3), []
    for k in range(3_000):
        x = wrong((x * 0.9) + 0.01 + (4.0 if k in (700, 1_500) else 0.0))
        odd += [x] if k in (700, 1_500) else []
    assert find_blame(x).node is odd[1]


def test_a_large_product_is_checked_without_looking_at_every_entry():
    W, X = Tensor(numbers((200, 50)) * 0.1, requires_grad=True), numbers((300, 200), 1)
    f, calls = counted(lambda a: a * 1.0)
    same = op("same", f, lambda g, out, a: g * 1.0)
    assert find_blame(F.cross_entropy(same(X @ W), np.arange(300) % 50)) is None
    assert len(calls) < 1_000


# --- the record -------------------------------------------------------------------------------------------------------


def test_a_blame_is_ready_for_json_with_the_places_of_its_nodes():
    wrong = op("wrong", np.tanh, lambda g, out, a: g, scalar=math.tanh)
    x = Value(0.4)
    y = wrong(x) * 2
    root = wrong(y) + 1
    with sources() as made:
        pass
    blame = find_blame(root, sources=made)
    told = json.loads(json.dumps(blame.to_dict(), allow_nan=False))
    order = mg.topological_order(root)
    assert order[told["node"]] is blame.node
    assert [order[i] for i in told["wrong"]] == list(blame.wrong)
    assert [order[i] for i in told["right"]] == list(blame.right)
    assert told["sentence"] == str(blame)
    assert told["op"] == "wrong"
    assert told["source"] == told["line"] == told["module"] == ""


def test_a_look_leaves_everything_as_it_was():
    (x,) = tracked(numbers((3, 2)))
    v = Value(0.4)
    y = F.sum(F.tanh(x) * v)
    y.backward()
    grads, state = (x.grad.copy(), v.grad), np.random.get_state()[1].copy()
    find_blame(y, rng=3)
    on_kinks(y, rng=3)
    np.testing.assert_array_equal(x.grad, grads[0])
    assert v.grad == grads[1]
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert x.data.flags.writeable


def test_the_same_seed_finds_the_same():
    wrong = op("wrong", np.tanh, lambda g, out, a: g)
    (x,) = tracked(numbers((30, 20)))
    y = F.sum(wrong(x))
    assert str(find_blame(y, rng=5)) == str(find_blame(y, rng=np.random.default_rng(5)))


def test_a_result_may_be_of_many_numbers():
    wrong = op("wrong", np.tanh, lambda g, out, a: g)
    (x,) = tracked(numbers((3, 2)))
    assert find_blame(wrong(x)).op == "wrong"
    assert find_blame(F.tanh(x)) is None
