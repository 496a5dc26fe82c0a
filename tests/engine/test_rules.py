"""Every operation, in all four readings: what NumPy says, and derivatives of the first and second order."""

import numpy as np
import pytest
from cases import ARGUMENTS, BINARY, CASES, ELEMENTWISE, PLACES, leaves, weights_like

from micrograd_nn import Tensor, Value, formulas, gradients
from micrograd_nn import functional as F
from micrograd_nn.checking import gradcheck
from micrograd_nn.op import REGISTRY, Op
from micrograd_nn.symbol import Symbol

ENGINE_OPS = {op.name for op in vars(F.ops).values() if isinstance(op, Op)}
every_case = pytest.mark.parametrize("case", CASES, ids=str)


def test_every_operation_and_every_function_has_an_entry():
    covered = {c.name for c in CASES} | {n for c in CASES for n in c.ops}
    assert not {n for n in REGISTRY if n in ENGINE_OPS} - covered
    assert not set(F.__all__) - covered - PLACES


@every_case
def test_values_are_numpys(case):
    expected = case.numpy(*case.inputs)
    for out in (case.call(*case.inputs), case.call(*leaves(case.inputs)).data):
        np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-15)
        assert np.shape(out) == np.shape(expected)


@every_case
def test_derivatives_of_the_first_and_second_order(case):
    gradcheck(case.call, *case.inputs, order=2)


@every_case
def test_the_plainest_of_differences_agrees_too(case):
    """Nothing of the checker is in this: the textbook's (f(x + h) − f(x − h)) / 2h, and six digits."""
    inputs, h = leaves(case.inputs), 1e-6
    out = case.call(*inputs)
    weights = weights_like(out.data)
    found = gradients(F.sum(out * weights))
    for k, x in enumerate(case.inputs):
        expected = np.zeros(x.shape)
        for i in np.ndindex(x.shape):
            step = np.zeros(x.shape)
            step[i] = h
            above, below = (case.call(*case.inputs[:k], x + s, *case.inputs[k + 1 :]) for s in (step, -step))
            expected[i] = np.sum(weights * (above - below)) / (2 * h)
        got = found.get(inputs[k], np.zeros(x.shape))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6 * max(1.0, np.abs(expected).max()))


@every_case
def test_arrays_give_arrays_and_tensors_tensors(case):
    assert isinstance(case.call(*case.inputs), np.ndarray | np.floating)
    out = case.call(*leaves(case.inputs))
    assert isinstance(out, Tensor)
    assert out.requires_grad
    untracked = case.call(*map(Tensor, case.inputs))
    assert isinstance(untracked, Tensor)
    assert not untracked.requires_grad
    assert untracked.parents == ()


@every_case
def test_float32_stays_float32(case):
    if case.name == "astype":
        return
    inputs = leaves([x.astype(np.float32) for x in case.inputs])
    out = case.call(*inputs)
    assert out.dtype == np.float32
    for create_graph in (False, True):
        found = gradients(F.sum(out), create_graph=create_graph)
        assert {found[x].dtype for x in inputs} == {np.dtype(np.float32)}


@every_case
def test_gradients_with_a_graph_are_the_gradients_without(case):
    inputs = leaves(case.inputs)
    root = F.sum(F.sin(case.call(*inputs)))
    plain, recorded = gradients(root), gradients(root, create_graph=True)
    for x in inputs:
        np.testing.assert_allclose(recorded[x].data, plain[x], rtol=1e-13, atol=1e-15)


@every_case
def test_the_chain_rule_can_be_read(case):
    node = case.call(*leaves(case.inputs))
    while node.op is not None:
        found = formulas(node)
        assert len(found) == len(node.parents)
        assert all(isinstance(text, str) and text and "object at" not in text for text in found)
        node = next(p for p in node.parents if p.requires_grad)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_functions_of_one_number(name):
    function, numpys = getattr(F, name), ELEMENTWISE[name][0]
    low, high = ELEMENTWISE[name][1:]
    for x in np.linspace(low, high, 6).tolist():
        extra = ARGUMENTS.get(name, ())
        out = function(x, *extra)
        assert type(out) is float
        assert out == pytest.approx(float(numpys(x)), rel=1e-13, abs=1e-15)
        v = Value(x)
        assert type(function(v, *extra)) is Value
        assert function(v, *extra).data == out
        # NumPy's 0-d array takes the vectorised road
        t = Tensor(x, requires_grad=True)
        of_value, of_tensor = gradients(function(v, *extra)), gradients(function(t, *extra))
        assert of_value[v] == pytest.approx(of_tensor[t].item(), rel=1e-13, abs=1e-15)
        assert type(of_value[v]) is float
        assert type(gradients(function(v, *extra), create_graph=True)[v]) is Value
        gradcheck(function, x, *extra, order=2)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers(name):
    function, (numpys, low, high) = getattr(F, name), BINARY[name]
    x, y = 0.3 * low + 0.7 * high, 0.6 * low + 0.4 * high
    expected = float(numpys(x, y))
    assert function(x, y) == pytest.approx(expected, rel=1e-15)
    assert type(function(x, y)) is float
    for a, b in ((Value(x), y), (x, Value(y)), (Value(x), Value(y))):
        assert type(function(a, b)) is Value
        assert function(a, b).data == pytest.approx(expected, rel=1e-15)
    v, w, t, u = Value(x), Value(y), Tensor(x, requires_grad=True), Tensor(y, requires_grad=True)
    scalar, vector = gradients(function(v, w)), gradients(function(t, u))
    assert [scalar[v], scalar[w]] == pytest.approx([vector[t].item(), vector[u].item()], rel=1e-14)
    gradcheck(function, x, y, order=2)


def test_one_value_is_an_array_without_axes():
    for name in ("sum", "mean", "max", "min", "prod", "logsumexp", "norm"):
        assert type(getattr(F, name)(Value(2.0))) is Value
        assert getattr(F, name)(Value(2.0)).data == 2.0
    assert F.std(Value(2.0)).data == F.var(Value(2.0)).data == 0.0


def test_a_list_of_values_is_joined_where_an_array_is_meant():
    values = [Value(1.0), Value(2.0)]
    out = F.softmax(values)
    assert isinstance(out, Tensor)
    found = gradients(out[0])
    s = 1 / (1 + np.e)
    assert [found[v] for v in values] == pytest.approx([s * (1 - s), -s * (1 - s)], rel=1e-13)


def test_places_are_plain_integers():
    t = Tensor([[1.0, 5.0], [7.0, 2.0]], requires_grad=True)
    assert np.argmax(t) == 2
    assert t.argmin(axis=1).tolist() == [0, 1]
    assert type(F.argmax(t, axis=0)) is np.ndarray


@pytest.mark.parametrize(
    ("build", "formula"),
    [
        (lambda a, b: a * b, ("∂out·b", "∂out·a")),
        (lambda a, b: a + b, ("∂out", "∂out")),
        (lambda a, b: a / b, ("∂out / b", "−∂out·out / b")),
        (lambda a, b: a**3, ("∂out·3·a²", "∂out·out·log(a + [a = 0])")),
        (lambda a, b: a**b, ("∂out·b·a^(b − 1)", "∂out·out·log(a + [a = 0])")),
        (lambda a, b: 2**a, ("∂out·a·2^(a − 1)", "∂out·out·log(2)")),
        (lambda a, b: a**-1, ("∂out·(−1)·a⁻²", "∂out·out·log(a + [a = 0])")),
        (lambda a, b: (-2) ** a, ("∂out·a·(−2)^(a − 1)", "∂out·out·log(−2)")),
        (lambda a, b: a.tanh(), ("∂out·(1 − out²)",)),
        (lambda a, b: a.exp(), ("∂out·out",)),
        (lambda a, b: a.relu(), ("∂out·[out > 0]",)),
    ],
)
def test_formulas_are_those_of_a_textbook(build, formula):
    node = build(Value(2.0, name="a"), Value(3.0, name="b"))
    assert formulas(node) == formula


def test_a_symbol_goes_in_and_a_formula_comes_out():
    a = Symbol("a")
    assert str(F.exp(a * a + 1)) == "exp(a² + 1)"


def test_a_formula_has_the_brackets_it_needs():
    a, b = Symbol("a"), Symbol("b")
    assert str((a + b) * -a) == "(a + b)·(−a)"
    assert str(a - (b - a)) == "a − (b − a)"
    assert str(a - -2.0) == "a − (−2)"
    assert str(a / (a * b)) == "a / (a·b)"
    assert str((a * b) ** 2) == "(a·b)²"


def test_an_operation_of_ones_own():
    x = np.linspace(0.5, 2, 4)
    cube = Op("test_cube", lambda a: a * a * a, lambda g, out, a: g * (3 * a * a), scalar=lambda a: a * a * a)
    try:
        gradcheck(cube, x, order=3)
        assert cube(2.0) == 8.0
        with pytest.raises(ValueError, match="already an op named 'test_cube'"):
            Op("test_cube", np.abs, lambda g, out, a: g)
    finally:
        del REGISTRY["test_cube"]


def test_an_operation_of_the_program_itself_may_be_written_again():
    """As when a notebook's cell is run a second time; a name that a module has taken stays taken."""

    def written(module, factor):
        rule = lambda g, out, a: g * factor
        rule.__module__ = module
        return Op("test_again", lambda a: a * factor, rule)

    try:
        written("__main__", 2.0)
        again = written("__main__", 3.0)
        assert REGISTRY["test_again"] is again
        gradcheck(again, np.array([0.5, 2.0]))
        with pytest.raises(ValueError, match="already an op named 'test_again'"):
            written("a_module", 4.0)
        assert REGISTRY["test_again"] is again
        for name in ("exp", "add"):  # nor may a cell take the place of the engine's own
            with pytest.raises(ValueError, match="choose another name"):
                Op(name, np.exp, type(written)(written.__code__, {"__name__": "__main__"}))
    finally:
        del REGISTRY["test_again"]
