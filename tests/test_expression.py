"""Expressions: the same value as Python's own, the engine's gradients, and a column for whatever is refused."""

import math
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn import functional as F
from micrograd_nn.expression import DEEPEST, FUNCTIONS, LONGEST, Expression, ExpressionError
from micrograd_nn.graph import topological_order

PYTHON = {
    "exp": math.exp, "tanh": math.tanh, "sin": math.sin, "sqrt": math.sqrt, "log": math.log, "abs": abs, "max": max,
    "min": min, "relu": lambda x: max(x, 0.0), "sigmoid": F.sigmoid, "softplus": F.softplus,
}  # fmt: skip
NODES = {"max": F.maximum, "min": F.minimum} | {n: getattr(F, n) for n in PYTHON if n not in ("max", "min")}
VALUES = {"a": 0.75, "b": -1.5, "c": 2.0, "x_1": 3.0, "λ2": 0.5}

leaves = st.sampled_from([*VALUES, "2.0", ".5", "3.", "1e-1", "10.0"])
spaces = st.sampled_from(["", " ", "\t", "\n "])
ones = st.sampled_from([n for n in PYTHON if n not in ("max", "min")])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, spaces, st.sampled_from(["+", "-", "*", "/", "**"]), spaces, inner).map("".join),
        st.tuples(st.sampled_from("+-"), inner).map("".join),
        inner.map("({})".format),
        st.tuples(ones, inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(["max", "min"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    ),
    max_leaves=12,
)


def pythons(text, functions, values):
    """What Python itself makes of the text; None where it finds no real number."""
    try:
        out = eval(f"({text}\n)", {"__builtins__": {}} | functions, values)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None if isinstance(out, complex) else out


@given(expressions)
def test_the_value_is_pythons_own(text):
    wanted = pythons(text, PYTHON, VALUES)
    assume(wanted is not None)
    expression = Expression(text)
    with np.errstate(all="ignore"):
        found = expression(VALUES).data
    assert found == wanted or (math.isnan(found) and math.isnan(wanted))


@given(expressions)
def test_the_gradients_are_those_of_mg_grad(text):
    expression = Expression(text)
    assume(expression.names)
    values = [VALUES[name] for name in expression.names]
    with np.errstate(all="ignore"):
        root = expression(VALUES)
        assume(math.isfinite(root.data))
        gradients = {node.name: g for node, g in mg.gradients(root).items() if node.op is None}
        for k, name in enumerate(expression.names):
            f = lambda *nodes: pythons(text, NODES, dict(zip(expression.names, nodes, strict=True)))
            assume(f(*values) is not None)
            wanted = mg.grad(f, k)(*values)
            assert gradients[name] == pytest.approx(wanted, rel=1e-12, nan_ok=True)


@given(st.text("abx12.()+-*/,;= eE_λ^[]'\"{}!<>:\\аｘ²\x00\u202e\ud800", max_size=40) | st.text(max_size=30))
def test_what_is_refused_has_a_column_in_the_text(text):
    error = None
    try:
        expression = Expression(text)
    except ExpressionError as caught:
        error = caught
    if error is None:
        with np.errstate(all="ignore"):
            expression(dict.fromkeys(expression.names, 1.0))
        return
    assert 1 <= error.column <= max(1, len(text))
    assert str(error).startswith(f"column {error.column}: ")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("x.data", 2, "attributes"), ("np.tanh(x)", 3, "write tanh(x)"), ("|x|", 1, "write abs(...)"),
        ("ln(x)", 1, "did you mean log?"), ("sum(x)", 1, "no function sum; for a product write sum*(...)."),
        ("tan + tanh(tan)", 1, "is a function"),
        ("x[0]", 2, "indexed"), ("__import__('os')", 1, "no function __import__"),
        ("print(x)", 1, "no function print"), ("tnah(x)", 1, "did you mean tanh?"), ("x(2)", 1, "no function x"),
        ("lambda x: x", 1, "a word of Python's"), ("[x for x in y]", 1, "indexed"), ("a if b else c", 3, "operator"),
        ("x == 1", 3, "compares"), ("a < b", 3, "compares"), ("(y := 2)", 4, "a part is named with ="),
        ("f'{x}'", 1, "no text"), ("'x'", 1, "no text"), ("a + 1j", 5, "no complex numbers"),
        ("a^2", 2, "write **"), ("a // b", 3, "write /"), ("a % b", 3, "no remainder"), ("2x", 1, "write 2*x"),
        ("a b", 3, "for a product write *"), ("(a)(b)", 4, "for a product write *"), ("1e999", 1, "too large"),
        ("x + 1e-999", 5, "too small"), ("0x10", 1, "no number"), ("1_000", 1, "without _"),
        ("а + 1", 1, "CYRILLIC SMALL LETTER A"), ("ｘ", 1, "write x"), ("a − b", 3, "write -"), ("x²", 2, "write **2"),
        ("a\u202eb", 2, "RIGHT-TO-LEFT OVERRIDE"), ("", 1, "nothing was given"), ("a +", 3, "missing after '+'"),
        ("(a", 1, "never closed"), ("a)", 2, "no open bracket"), ("tanh", 1, "is a function"), ("tanh()", 1, "takes 1"),
        ("max(a, b, c)", 1, "write max(a, max(b, c))"), ("a, b", 2, "comma"), ("a; b", 2, "needs a name"),
        ("n = n + 1", 1, "part of itself"), ("n = a; n = b; n", 8, "something else"), ("a + 1 = b", 7, "before ="),
        ("leaky_relu(a, negative_slope=2)", 29, "in order"), ("a # b", 3, "no comments"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_column(text, column, problem):
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    assert (caught.value.column, problem in str(caught.value)) == (column, True), caught.value


@pytest.mark.parametrize("text", ["(" * 9000, "-" * 9000 + "x", "2**" * 3000 + "2", "exp(" * 1500 + "x" + ")" * 1500])
def test_deep_nesting_is_refused_and_not_survived_by_luck(text):
    with pytest.raises(ExpressionError, match=f"more than {DEEPEST} deep"):
        Expression(text)


def test_length_is_limited_and_what_fits_is_read_whole():
    assert Expression("x+" * (LONGEST // 2 - 1) + "xx").names == ("x", "xx")
    with pytest.raises(ExpressionError, match="10,000 are the most"):
        Expression("x" * (LONGEST + 1))
    n = 3000
    assert Expression("+".join(["x"] * n))({"x": 1.0}).data == n


def test_a_name_used_twice_is_one_leaf():
    root = Expression("a*a + a")({"a": 3.0})
    assert [n.name for n in topological_order(root)].count("a") == 1
    assert mg.gradients(root)[next(n for n in topological_order(root) if n.name == "a")] == 7.0


def test_parts_have_names_and_are_one_node_wherever_they_are_used():
    expression = Expression("n = w*x + b; two = 2; m = n; tanh(n)*m*two")
    assert (expression.names, expression.assigned) == (("w", "x", "b"), ("n", "two", "m"))
    names = [n.name for n in topological_order(expression({"w": 1.0, "x": 2.0, "b": 3.0})) if n.name]
    assert sorted(names) == ["b", "n", "two", "w", "x"]
    assert Expression("out = a*b")({"a": 1.0, "b": 2.0}).name == "out"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_takes_numbers_and_gives_the_librarys_value(name):
    function, least, most = FUNCTIONS[name]
    values = [0.25, 0.5, 0.75][:least]
    text = f"{name}({', '.join('abc'[:least])})"
    assert Expression(text)(dict(zip("abc", values, strict=False))).data == function(*values)
    with pytest.raises(ExpressionError, match=f"and this gives it {most + 1}"):
        Expression(f"{name}({', '.join(['a'] * (most + 1))})")


def test_a_slope_must_be_a_number_as_it_has_no_gradient():
    assert Expression("leaky_relu(a, 0.5)")({"a": -2.0}).data == -1.0
    for name in ("leaky_relu", "elu"):
        with pytest.raises(ExpressionError, match=f"column 5: the second number of {name} has no gradient"):
            Expression(f"a + {name}(a, b)")({"a": -2.0, "b": 0.5})


def test_a_mistake_of_our_own_is_not_taken_for_one_in_the_text(monkeypatch):
    def broken(x):
        raise TypeError("a rule of ours that is wrong")

    monkeypatch.setitem(FUNCTIONS, "tanh", (broken, 1, 1))
    with pytest.raises(TypeError, match="a rule of ours"):
        Expression("tanh(a)")({"a": 1.0})


def test_division_by_zero_is_infinite_as_everywhere_in_the_engine():
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Expression("1/a")({"a": 0.0}).data == math.inf
        assert Expression("log(0)")({}).data == -math.inf
        assert math.isnan(Expression("a/a")({"a": 0.0}).data)
        assert Expression("10**(10**10)")({}).data == math.inf


def test_a_name_without_a_value_is_an_error():
    with pytest.raises(ValueError, match="b, c in 'a\\*b\\*c' has no value"):
        Expression("a*b*c")({"a": 1.0})
