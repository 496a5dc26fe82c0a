"""`gradcheck`: what it takes, what it moves, what it says of code that has a right or a wrong gradient."""

import functools
import os
import sys
import threading
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, nn
from micrograd_nn import functional as F
from micrograd_nn.checking import GradcheckError, GradcheckReport, gradcheck
from micrograd_nn.checking import _progress as progress_module
from micrograd_nn.op import REGISTRY, Op

look = functools.partial(gradcheck, raise_on_error=False)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2))
W = RNG.normal(size=(2, 2))
Pair = namedtuple("Pair", "a b")


def own_op(*args, **options):
    """An operation that the registry forgets at once."""
    op = Op(*args, **options)
    del REGISTRY[op.name]
    return op


def moved(report):
    """What was moved, in order."""
    return list(dict.fromkeys(r.input for r in report.rows))


def square(x):
    return x * x


# --- inputs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [3.0, np.float64(3.0), np.float32(3.0), np.array(3.0), np.float16([1, 2]), np.longdouble([1, 2]), X[::2].T,
     np.asfortranarray(X), np.broadcast_to(X[0], (3, 2)), Value(2.0), Tensor(X), Tensor(X, requires_grad=True),
     Value(2.0) * 3, Tensor(X, requires_grad=True) @ W],
    ids=["float", "np.float64", "np.float32", "0-d", "float16", "longdouble", "non-contiguous", "Fortran", "read-only",
         "Value", "Tensor", "tracked Tensor", "a computed Value", "a computed Tensor"],
)  # fmt: skip
def test_every_kind_of_real_number_is_moved(x):
    report = gradcheck(lambda x: F.sum(x * x), x)
    data = np.asarray(x.data if isinstance(x, Value | Tensor) else x, float)
    assert report.checked == report.coordinates == data.size
    assert {r.index for r in report.rows} == set(np.ndindex(data.shape))
    for row in report.rows:
        assert row.input in ("x", getattr(x, "name", None))
        assert row.analytic == 2 * data[row.index]
        assert abs(row.numeric - 2 * data[row.index]) <= row.error_bar


@given(arrays(np.float64, array_shapes(min_dims=0, max_dims=3, max_side=3), elements=st.floats(-3, 3, width=32)))
def test_a_right_gradient_passes_at_every_shape(x):
    report = gradcheck(lambda x: F.tanh(x) * x, x)
    assert report.checked == x.size


def test_numbers_in_lists_tuples_and_dicts_are_moved_and_named_by_their_place():
    report = gradcheck(lambda p, q, r: p["w"] * q[0] * q[1][0] + r.a * r.b, {"w": 2.0}, (X, [3.0]), Pair(1.0, X))
    assert moved(report) == ["p['w']", "q[0]", "q[1][0]", "r[0]", "r[1]"]
    assert gradcheck(lambda p: p["b"] * p["a"], OrderedDict(a=2.0, b=X)).checked == 7


def test_a_container_arrives_in_its_own_kind():
    def f(pair, table, row):
        assert isinstance(pair, Pair)
        assert isinstance(table, OrderedDict)
        assert isinstance(row, tuple)
        return pair.a * table["k"] * row[0]

    assert gradcheck(f, Pair(1.0, "label"), OrderedDict(k=2.0, name="n"), (3.0, None)).checked == 3


def test_integers_booleans_and_text_stay_as_they_are():
    seen = []

    def f(x, labels, flag, name, n, nothing):
        seen.append((labels.dtype.kind, flag, name, n, nothing))
        return (x * n)[labels]

    assert moved(gradcheck(f, X, np.array([0, 2, 2]), True, "mean", 3, None)) == ["x"]
    assert set(seen) == {("i", True, "mean", 3, None)}


def test_names_are_those_of_nodes_and_else_of_the_parameters():
    report = gradcheck(lambda x, y, z: x * y * z, Value(2.0, "speed"), Tensor(X), Value(1.0, "speed"))
    assert moved(report) == ["speed", "y", "speed'"]
    assert moved(gradcheck(lambda *a: a[0] * a[1], X, X)) == ["x0", "x1"]


def test_keywords_go_to_f_arrays_among_them_are_moved_and_plain_numbers_are_settings():
    def f(x, *, scale, power=2, weights=None):
        assert isinstance(power, float | int)
        return x**power * scale * weights[0]

    report = gradcheck(f, X, scale=np.array(2.0), power=3.0, weights=[Value(2.0), 5.0])
    assert moved(report) == ["x", "scale", "weights[0]"]


def test_an_option_that_f_takes_too_is_refused():
    def scaled(x, eps=1e-5):
        return x / (F.std(x) + eps)

    with pytest.raises(ValueError, match="eps is an option of gradcheck and an argument of scaled: wrap that"):
        gradcheck(scaled, X, eps=1e-3)
    assert gradcheck(scaled, X)
    assert gradcheck(scaled, X, 1e-3).checked == 7  # by place, it is an input
    assert gradcheck(functools.partial(scaled, eps=1e-3), X, eps=1e-3)
    assert gradcheck(np.sin, X, order=2)  # every ufunc takes order=, and not for derivatives


@pytest.mark.parametrize(
    ("f", "inputs"),
    [(F.softmax, (X,)), (F.tanh, (X,)), (np.tanh, (X,)), (np.matmul, (X, W)), (abs, (X,)), (max, (2.0, 3.0)),
     (Tensor.sum, (X,)), (F.cross_entropy, (X, np.array([0, 1, 1]))), (functools.partial(F.sum, axis=0), (X,)),
     (functools.partial(lambda k, x: k * x, 3.0), (X,)), (mg.grad(lambda x: x**3), (2.0,)), (pow, (2.0, 3.0))],
    ids=["F", "op", "ufunc", "numpy", "builtin", "no signature", "method of a class", "labels", "partial",
         "partial by place", "a derivative", "pow"],
)  # fmt: skip
def test_whatever_can_be_called_is_checked(f, inputs):
    assert gradcheck(f, *inputs)


def test_objects_and_bound_methods_are_called_as_they_are():
    class Scale:
        factor = 3.0

        def __call__(self, x):
            return x * self.factor

        def half(self, x):
            return self(x) / 2

    assert str(gradcheck(Scale(), X)).startswith("gradcheck of Scale: ok")
    assert str(gradcheck(Scale().half, X)).startswith("gradcheck of half: ok")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [((3,), "there is nothing to move in what square is given.*write 3.0 for 3"),
     ((np.arange(3),), "nothing to move"), ((), "nothing to move"), ((np.zeros((0, 3)),), "nothing to move"),
     ((np.ones(3, complex),), "x is complex"), ((3j,), "x is complex"), (([1.0, 2j],), r"x\[1\] is complex")],
)  # fmt: skip
def test_what_cannot_be_moved_is_refused(inputs, said):
    with pytest.raises(TypeError, match=said):
        gradcheck(square, *inputs)


@pytest.mark.parametrize(
    ("f", "error", "said"),
    [(lambda x: None, TypeError, "f gives nothing: does it end in a return statement"),
     (lambda x: "x", TypeError, "is a str, not a number"),
     (lambda x: (v for v in [x]), TypeError, "is a generator"),
     (lambda x: x.argmax(), TypeError, "f gives an int.*no real numbers in it"),
     (lambda x: x[:0], TypeError, r"float64 of shape \(0, 2\)"),
     (lambda x: x.data * 1j, ValueError, "give its .real and .imag apart"),
     (lambda x: [x.sum()] * (1 + int(x.data[0, 0] > X[0, 0])), TypeError, "shapes must not depend on the numbers"),
     (3.0, TypeError, "takes a function first.*a float cannot be called")],
)  # fmt: skip
def test_what_has_no_derivative_is_refused(f, error, said):
    with pytest.raises(error, match=said):
        gradcheck(f, X)


# --- results --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [lambda x: x[0, 0], lambda x: x.sum(), lambda x: F.reshape(x, (1, 6, 1)), lambda x: (x * 2, x.sum()),
     lambda x: {"a": [x, (x[0, 0] * 2,)], "b": x.T}, lambda x: (x[:0], x.sum()), lambda x: (x.argmax(), x.mean()),
     lambda x: x * 0, lambda x: Tensor(np.ones(3)), lambda x: np.ones(3), lambda x: (x.sum(), 1.5),
     lambda x: F.concatenate([x] * 1000)],
    ids=["number", "sum", "three axes", "two", "nested", "one empty", "one of integers", "slope 0", "a constant",
         "a plain constant", "one a constant", "large"],
)  # fmt: skip
def test_results_of_any_kind_and_number(f):
    assert gradcheck(f, X)


def test_several_results_are_weighed_so_that_none_can_hide_another():
    twice = own_op("twice_over", lambda a: a * 1.0, lambda g, out, a: 2 * g)
    assert gradcheck(lambda x: (x.sum(), x.sum()), X)
    assert not look(lambda x: (twice(x).sum(), -twice(x).sum()), X)
    assert not look(lambda x: F.stack([twice(x), x * -1.0, x * -1.0]), X)


def test_an_error_in_f_comes_through_untouched():
    class Mine(Exception):
        pass

    calls = []

    def f(x):
        calls.append(1)
        if len(calls) > 6:
            raise Mine("in the middle")
        return x.sum()

    with pytest.raises(Mine, match=r"^in the middle$"):
        gradcheck(f, X)
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda x: 1 / 0, X)


LEFT = "the computation left the graph, and nothing flows back"


@pytest.mark.parametrize(
    ("f", "said"),
    [(lambda x: float(x.data.sum()), "a plain float"), (lambda x: x.numpy().sum(), "a plain float64"),
     (lambda x: Tensor(x.data * 2), "an untracked Tensor"), (lambda x: x.detach() * 2, "an untracked Tensor"),
     (mg.no_grad()(lambda x: x * 2), "an untracked Tensor"), (lambda x: (x.sum(), x.detach()), "a result of f"),
     (lambda x: x.data.tolist(), "6 results of f came back as plain float")],
)  # fmt: skip
def test_a_result_that_left_the_graph_is_said_to_have(f, said):
    report = look(f, X)
    assert not report
    assert report.cause == "never reached"
    assert said in report.diagnosis
    assert LEFT in report.diagnosis
    assert ".numpy()" in report.diagnosis


def test_what_left_the_graph_and_moves_nothing_is_not_mentioned():
    doubled = own_op("doubled", lambda a: a * 2.0, lambda g, out, a: g)
    report = look(lambda x: (doubled(x).sum(), float(np.mean(x.data > 0))), X)
    assert report.count("wrong") == 6
    assert LEFT not in str(report)


def test_a_part_that_left_the_graph_is_found_wrong():
    report = look(lambda x: (x * x.data).sum(), X)
    assert report.count("wrong") == 6
    assert all(r.analytic == pytest.approx(r.numeric / 2) for r in report.rows)


def test_the_mode_around_a_check_does_not_matter():
    with mg.no_grad():
        assert gradcheck(square, X)
    with mg.detect_anomaly():
        assert gradcheck(F.log, np.array([0.01, 1.0]))


# --- modules --------------------------------------------------------------------------------------------------------


class Tied(nn.Module):
    """All that a module of one's own may hold."""

    def __init__(self):
        self.weight = Tensor(RNG.normal(size=(2, 2)), True, "shared")
        self.again = self.weight
        self.scale = Value(2.0)
        self.frozen = Tensor(1.5)
        self.act = F.tanh
        self.f = lambda x: x * 2
        self.parts = {"bias": Tensor([0.5, 1.0], True)}
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        return self.f(self.act((x @ self.weight) @ self.again.T)) * self.scale * self.frozen + self.parts["bias"]


@pytest.mark.parametrize(
    ("model", "names"),
    [(nn.Linear(2, 3, rng=0), ["weight", "bias"]),
     (nn.MLP(2, [3, 1], "tanh", rng=0), ["layers[0].weight", "layers[0].bias", "layers[1].weight", "layers[1].bias"]),
     (nn.MLP(2, [3, 1], "prelu", rng=0),
      ["layers[0].weight", "layers[0].bias", "layers[0].act.weight", "layers[1].weight", "layers[1].bias"]),
     (nn.Maxout(2, 3, rng=0), ["weight", "bias"]),
     (nn.Sequential(nn.Linear(2, 3, rng=0), F.tanh, nn.Linear(3, 1, rng=1)), ["[0].weight", "[2].bias"]),
     (Tied(), ["weight", "scale", "parts['bias']"])],
    ids=["Linear", "MLP", "PReLU", "Maxout", "Sequential", "one's own"],
)  # fmt: skip
def test_every_parameter_of_a_module_is_moved_under_its_path(model, names):
    report = gradcheck(model, X)
    parameters = dict(model.named_parameters())
    assert moved(report) == [*parameters, "x"]
    assert {n for n in names if n[0] != "["} <= set(parameters)
    assert report.coordinates == sum(np.size(p.data) for p in parameters.values()) + X.size


def test_a_network_of_any_wiring():
    net = nn.Network(rng=0)
    a, b = net.input("a"), net.input("b")
    h = net.unit("h", "tanh", inputs=[a, b])
    net.unit("y", "prelu", inputs=[h, b])
    assert moved(gradcheck(net, X)) == ["weight", "bias", "slope", "x"]
    assert gradcheck(net, [1.0, 2.0])


def test_a_module_on_numbers_builds_the_scalar_graph():
    report = gradcheck(nn.Neuron(2, "tanh", rng=0), [1.0, 2.0])
    assert moved(report) == ["weight", "bias", "x[0]", "x[1]"]


def test_a_module_that_comes_twice_is_one():
    model = nn.MLP(2, [3, 1], "tanh", rng=0)
    report = gradcheck(lambda a, b, x: a(x) * b(x), model, model, X)
    assert report.coordinates == 13 + 6
    assert {r.input.split(".")[0] for r in report.rows} == {"a", "x"}
    assert gradcheck(lambda models, x: models[0](x), [model], X).coordinates == 13 + 6
    assert gradcheck(model.forward, X).coordinates == 13 + 6
    assert gradcheck(lambda x, model=None: model(x), X, model=model).coordinates == 13 + 6


def test_a_parameter_that_is_frozen_stays():
    model = nn.Linear(2, 3, rng=0)
    model.weight.requires_grad = False
    assert moved(gradcheck(model, X)) == ["bias", "x"]


def test_what_f_finds_elsewhere_is_said_to_be_unchecked():
    model = nn.Linear(2, 3, rng=0)
    report = gradcheck(lambda x: model(x), X)
    (note,) = report.notes
    assert note.startswith("f also depends on weight and bias, which it was not given: not checked.")
    assert not gradcheck(lambda x: x * Tensor(2.0, True), X).notes  # made on the spot


def test_dropout_in_training_is_named():
    model = nn.MLP(2, [8, 1], dropout=0.5, rng=0)
    before = [g.bit_generator.state for _, g in model.named_generators()]
    with pytest.raises(GradcheckError, match="is not deterministic") as failed:
        gradcheck(model, X)
    assert ".eval()" in str(failed.value)
    assert failed.value.report.checked == 0
    assert gradcheck(model.eval(), X)
    assert [g.bit_generator.state for _, g in model.named_generators()] == before


def test_a_generator_that_is_passed_in_gives_the_same_numbers_at_every_call():
    rng = np.random.default_rng(3)
    before = rng.bit_generator.state
    assert gradcheck(lambda x, rng: x * rng.random(2), X, rng) is not None
    assert rng.bit_generator.state == before


class Wrong(nn.Module):
    def __init__(self, f):
        self.weight = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), True)
        self.f = f

    def forward(self, x):
        return self.f(x @ self.weight)


def raises(*_):
    raise ValueError("not today")


@pytest.mark.parametrize(
    "f",
    [F.tanh, own_op("half_tanh", np.tanh, lambda g, out, a: g * (1 - out * out) / 2),
     own_op("no_rule", np.tanh, raises), own_op("writes", np.tanh, lambda g, out, a: np.multiply(g, 2, out=a)), raises],
    ids=["right", "wrong", "a rule that raises", "a rule that writes", "a forward that raises"],
)  # fmt: skip
def test_nothing_of_the_users_is_touched(f):
    model, x, labels, tensor = Wrong(f), X.copy(), np.array([0, 1]), Tensor(X, True)
    model(tensor.detach()) if f is F.tanh else None
    tensor.grad = np.full(X.shape, 7.0)
    model.weight.grad = np.full((2, 2), 5.0)
    given, stamps = [x.copy(), labels.copy()], [model.weight.stamp, tensor.stamp]
    state, random = model.state_dict(), np.random.get_state()[1].copy()

    def spoils(model, x, t, labels):
        labels += 1
        return model(x) + model(t)

    for run in (lambda: look(model, x, order=2), lambda: look(spoils, model, x, tensor, labels)):
        if f is raises:
            with pytest.raises(ValueError, match="not today"):
                run()
        else:
            run()
    np.testing.assert_equal([x, labels], given)
    np.testing.assert_equal(model.state_dict(), state)
    np.testing.assert_equal(model.weight.grad, np.full((2, 2), 5.0))
    np.testing.assert_equal(tensor.grad, np.full(X.shape, 7.0))
    np.testing.assert_equal(np.random.get_state()[1], random)
    assert [model.weight.stamp, tensor.stamp] == stamps
    assert model.f is f
    assert "_names" not in model.__dict__ or f is F.tanh


def test_a_module_that_cannot_be_copied_says_so():
    model = Wrong(F.tanh)
    model.lock = threading.Lock()
    with pytest.raises(TypeError, match="lock") as failed:
        gradcheck(model, X)
    assert failed.value.__notes__ == ["gradcheck works on a copy of Wrong(), and copy.deepcopy could not make one."]


# --- rules of one's own ----------------------------------------------------------------------------------------------


def test_five_lines_make_an_op_and_one_more_checks_it():
    cube = own_op("cube_of_mine", lambda a: a * a * a, lambda g, out, a: g * (3 * a * a))
    assert gradcheck(cube, X, order=3)


@pytest.mark.parametrize(
    ("rule", "said"),
    [(lambda g, out, a: 1 / 0, "raises ZeroDivisionError: division by zero"),
     (lambda g, out, a: {}["k"], "raises KeyError: 'k'"), (lambda g, out: g, "raises TypeError"),
     (lambda g, out, a: np.ones(7), "raises ValueError"),
     (lambda g, out, a: g.nothing, "raises AttributeError")],
)  # fmt: skip
def test_a_rule_that_raises_makes_a_report_that_names_the_op(rule, said):
    report = look(own_op("mine", np.tanh, rule), X)
    assert len(report.problems) == 1
    assert said in report.problems[0]
    assert not report.rows
    assert "`mine`" in str(report)
    with pytest.raises(GradcheckError) as failed:
        gradcheck(own_op("mine", np.tanh, rule), X)
    assert failed.value.__cause__ is not None  # what it raised, with its traceback


def test_a_leaf_changed_in_place_is_named():
    def f(x):
        y = x * 2
        x.data = x.data + 1
        return y

    (problem,) = look(f, X).problems
    assert problem == "f changes its input x in place: work on a copy of it."
    inside = own_op("inside", lambda a: np.tanh(np.add(a, 1, out=a)), lambda g, out, a: g * (1 - out * out))
    assert look(inside, X.copy()).problems == ("inside changes its input x in place: work on a copy of it.",)

    def rule(g, out, a):
        a += 1
        return g * (1 - out * out)

    (problem,) = look(own_op("behind", np.tanh, rule), X).problems
    assert problem == "the backward pass changes its input x in place: work on a copy of it."


# --- orders ----------------------------------------------------------------------------------------------------------


def plain(a):
    return a.data if isinstance(a, Tensor | Value) else a


CUT = own_op("cut", lambda a: a**3, lambda g, out, a: g * (3 * np.square(plain(a))))
TWICE = own_op("twice", np.exp, lambda g, out, a: 2 * g * out)
FALSE_EXP = own_op("false_exp", np.exp, lambda g, out, a: g * TWICE(a))
RAISES = own_op("raises_later", np.exp, lambda g, out, a: g * np.exp(np.asarray(a)))


@pytest.mark.parametrize(
    ("f", "said"),
    [(CUT, "the derivative of cut left the graph: a rule on the way computes with plain arrays"), (FALSE_EXP, "twice"),
     (RAISES, "the backward pass of raises_later, differentiated in its turn, raises TypeError")],
)  # fmt: skip
def test_a_rule_that_cannot_be_differentiated_again_is_caught_at_order_2(f, said):
    assert gradcheck(f, X)
    report = look(f, X, order=2)
    assert said in str(report).replace("\n  ", " ")
    assert all(r.verdict == "ok" for r in report.rows if r.order == 1)
    assert all(r.verdict == "wrong" for r in report.rows if r.order == 2)
    assert look(CUT, 2.0, order=2).count("wrong") == 1


def test_orders_up_to_the_third_are_right():
    report = gradcheck(nn.MLP(2, [3, 1], "tanh", rng=0), X, order=3)
    assert {r.order for r in report.rows} == {1, 2, 3}
    assert report.checked == report.coordinates == 19
    cubic = gradcheck(lambda x: x**3, 2.0, order=5)
    assert [r.analytic for r in cubic.rows[:3]] == [12.0, 12.0, 6.0]
    assert [r.order for r in cubic.rows] == list(range(1, len(cubic.rows) + 1))


def test_orders_end_where_nothing_depends_on_the_inputs():
    report = gradcheck(lambda x: 3 * x, 2.0, order=4)
    assert report.notes[-1].endswith("does not depend on the inputs any more.")


def test_a_wrong_first_derivative_ends_it():
    report = look(TWICE, X, order=2)
    assert {r.order for r in report.rows} == {1}
    assert "The derivative of order 2 was not looked at, since this one is not well." in report.notes


# --- kinks, domains ---------------------------------------------------------------------------------------------------


def test_a_kink_is_no_error_and_no_pass():
    x = np.array([0.0, 1.0, -1.0])
    report = look(F.relu, x)
    assert not report
    assert [r.verdict for r in report.rows] == ["not differentiable", "ok", "ok"]
    assert report.rows[0].between
    assert {report.rows[0].left, report.rows[0].right} >= {0.0}
    assert gradcheck(F.relu, x, allow_kinks=True)


def test_a_kink_is_allowed_only_between_its_slopes():
    outside = own_op("outside", lambda a: np.maximum(a, 0), lambda g, out, a: g * ((a > 0) + 2.0 * (a == 0)))
    report = look(outside, np.array([0.0, 1.0, -1.0]), allow_kinks=True)
    assert not report
    assert report.rows[0].between is False
    assert report.count("wrong") == 0


def test_kinks_that_cancel_leave_a_slope_to_be_held_to():
    assert gradcheck(lambda x: F.relu(x) - F.relu(-x), np.array([0.5, -2.0]))
    report = look(lambda x: F.relu(x) - F.relu(-x), 0.0)  # this is x, and every engine with ReLU' = 0 at 0 says 0
    assert [(r.verdict, r.analytic) for r in report.rows] == [("wrong", 0.0)]
    assert report.rows[0].numeric == pytest.approx(1)


def test_allowed_kinks_do_not_end_the_orders():
    assert {r.order for r in gradcheck(F.relu, np.array([0.0, 1.0]), allow_kinks=True, order=2).rows} == {1, 2}


def test_what_is_undefined_is_never_passed():
    for f, x in ((F.sqrt, -1.0), (F.log, np.array([1.0, 0.0])), (square, np.array([1.0, np.nan]))):
        with np.errstate(all="ignore"):
            report = look(f, x)
        assert not report
        assert report.count("undefined") == 1
        assert [r.verdict for r in report.rows].count("ok") == np.size(x) - 1
    assert "x[1]: the input itself is no number here." in str(report)
    assert "1 of 2 results is no number (NaN)" in str(report)


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [({"eps": e}, "eps is a number above 0, not") for e in (0, -1, "a", np.nan, np.inf, True)]
    + [({"rtol": e}, "rtol is a number of at least 0, not") for e in (-1, "a", np.nan, True)]
    + [({"atol": e}, "atol is a number of at least 0, not") for e in (-1, None, np.inf)]
    + [({"max_coordinates": e}, "max_coordinates.*whole number of at least 1, not") for e in (0, 1.5, "a", True)]
    + [({"order": e}, "order is a whole number of at least 1, not") for e in (0, 1.0, "2", True)]
    + [({"rng": e}, "rng is a np.random.Generator, or a whole number to seed one with, not") for e in ("a", -1, 0.5)],
)
def test_an_option_out_of_range_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        gradcheck(square, X, **options)


def test_the_tolerances_decide():
    off = own_op("off", lambda a: a * 1.0, lambda g, out, a: g * (1 + 1e-6))
    assert not look(off, X)
    assert gradcheck(off, X, rtol=1e-5)
    assert gradcheck(off, X, atol=1e-3)
    report = look(off, X, rtol=1e-7, atol=1e-9)
    assert (report.rtol, report.atol) == (1e-7, 1e-9)
    assert look(off, X).rtol == 1e-9


def test_the_first_step_may_be_chosen():
    assert gradcheck(F.exp, X, eps=1e-2)
    assert gradcheck(F.exp, X, eps=1e-4, rtol=1e-6)


def test_seeds_make_a_check_repeatable_and_a_generator_moves_on():
    big = RNG.normal(size=(40, 40))
    first, again = (gradcheck(F.tanh, big, max_coordinates=20, rng=3) for _ in range(2))
    assert first.to_dict() == again.to_dict()
    assert [r.index for r in gradcheck(F.tanh, big, max_coordinates=20, rng=4).rows] != [r.index for r in first.rows]
    rng = np.random.default_rng(3)
    assert gradcheck(F.tanh, big, max_coordinates=20, rng=rng).to_dict() == first.to_dict()
    assert gradcheck(F.tanh, big, max_coordinates=20, rng=rng).to_dict() != first.to_dict()


def test_a_budget_leaves_a_sample_and_random_projections():
    report = gradcheck(F.tanh, X, max_coordinates=1)
    assert (report.checked, report.coordinates) == (1, 6)
    assert report.projections > 0
    assert "checked 1 of 6 entries, and all along 8 random directions: all right" in str(report)
    big = RNG.normal(size=(45, 46))
    assert gradcheck(F.tanh, big).checked == 2000
    assert gradcheck(F.tanh, big, max_coordinates=None).checked == 2070


def test_an_error_outside_the_sample_is_found():
    def rule(g, out, a):
        share = g * (1 - out * out)
        if isinstance(share, np.ndarray):
            share = share.copy()
            share[37, 11] *= 1.5
        return share

    report = look(own_op("one_wrong", np.tanh, rule), RNG.normal(size=(50, 50)), max_coordinates=100)
    assert [r.index for r in report.rows if r.verdict == "wrong"] == [(37, 11)]


def test_it_raises_unless_told_not_to():
    with pytest.raises(AssertionError) as failed:
        gradcheck(TWICE, X)
    assert isinstance(failed.value, GradcheckError)
    assert isinstance(failed.value.report, GradcheckReport)
    assert str(failed.value) == str(failed.value.report)
    assert not gradcheck(TWICE, X, raise_on_error=False)


def test_float32_code_is_judged_by_its_own_digits_and_says_so():
    report = gradcheck(lambda x: F.tanh(x.astype(np.float32)), X)
    assert report.rtol == 1e-3
    assert "float32" in report.notes[0]
    assert not look(lambda x: TWICE(x.astype(np.float32)), X)


def test_a_check_shows_how_far_it_is_from_two_seconds_on(monkeypatch, capsys):
    def shown(progress):
        assert gradcheck(F.tanh, X, progress=progress)
        return capsys.readouterr().err

    assert shown(True) == ""
    monkeypatch.setattr(progress_module, "PATIENCE", -1.0)
    assert shown(False) == shown(None) == ""
    assert shown(True).splitlines() == [f"gradcheck {k}/6" for k in range(1, 6)]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert shown(False) == ""
    assert "gradcheck" in shown(None) or os.environ.get("TERM") == "dumb"
