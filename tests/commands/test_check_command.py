"""`micrograd-nn check`: what it finds in a student's file, what it says of it, and of files that cannot be run."""

import json
import os
import random
import signal
import sys
import textwrap

import numpy as np
import pytest
from command import one_line, started

from micrograd_nn import op
from micrograd_nn.checking import check_backward
from micrograd_nn.cli import main

LAYERS = '''
"""Layers by hand."""

import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def tanh(x):
    return np.tanh(x)


def tanh_grad(x):
    return 1 - np.tanh(x) ** 2


def affine_inputs():
    rng = np.random.default_rng(0)
    return rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.normal(size=5)


if __name__ == "__main__":
    raise SystemExit("never run by the check")
'''
# What is found by its name; right where K is 1. X and Y are arrays of shape (4, 3).
FOUND = {
    "forward and cache": """
        def scale_forward(x, c): return x * c, (x, c)
        def scale_backward(dout, cache): return dout * cache[1], K * dout * cache[0]
        scale_inputs = (X, Y)
        """,
    "forward and inputs": """
        def scale_forward(x, c): return x * c
        def scale_backward(dout, x, c): return dout * c, K * dout * x
        scale_inputs = (X, Y)
        """,
    "the input itself as cache": """
        def relu_forward(x): return np.maximum(0, x), x
        def relu_backward(dout, x): return K * dout * (x > 0)
        """,
    "two results of one input": """
        def turn_forward(x): return np.sin(x), np.cos(x)
        def turn_backward(dout, x): return K * dout[0] * np.cos(x) - dout[1] * np.sin(x)
        """,
    "forward inside the name": """
        def scale_forward_naive(x, c): return x * c, (x, c)
        def scale_backward_naive(dout, cache): return dout * cache[1], K * dout * cache[0]
        scale_naive_inputs = (X, Y)
        """,
    "no forward in the name": """
        def square(x): return x * x
        def square_backward(dout, x): return K * dout * 2 * x
        """,
    "no name before it": """
        def forward(x, c): return x * c, (x, c)
        def backward(dout, cache): return dout * cache[1], K * dout * cache[0]
        inputs = (X, Y)
        """,
    "_grad": "def f(x): return x**2\ndef f_grad(x): return K * 2 * x",
    "_prime": "def f(x): return x**2\ndef f_prime(x): return K * 2 * x",
    "_derivative": "def f(x): return x**2\ndef f_derivative(x): return K * 2 * x",
    "df": "def f(x): return x**2\ndef df(x): return K * 2 * x",
    "_grad of one number": "def f(x): return np.sum(x**2)\ndef f_grad(x): return K * 2 * x",
    "_grad of two inputs": """
        def f(x, y): return x**2 * y
        def f_grad(x, y): return K * 2 * x * y, x**2
        f_inputs = (X, Y)
        """,
    "_grad as a backward pass": "def f(x): return x**2\ndef f_grad(g, x): return K * 2 * g * x",
    "_grad with a cache": """
        def f(x, y): return x**2 * y, (x, y)
        def f_grad(g, cache): return K * 2 * g * cache[0] * cache[1], g * cache[0]**2
        f_inputs = (X, Y)
        """,
    "a loss and its gradient": """
        def f(w, y):
            return np.sum((X @ w - y)**2), K * 2 * X.T @ (X @ w - y)
        f_inputs = (X[0], np.arange(4))
        """,
    "a loss and gradients by name": """
        def f(x, w): return np.sum(x * w**2), {"dw": K * 2 * x * w, "x": w**2}
        f_inputs = (X, Y)
        """,
    "a class": """
        class Square:
            def forward(self, x):
                self.x = x
                return x**2
            def backward(self, dout):
                return K * 2 * dout * self.x
        """,
    "an object with an array of its own": """
        class Affine:
            def __init__(self, W):
                self.W = W
            def forward(self, x):
                self.x = x
                return x @ self.W
            def backward(self, dout):
                self.dW = K * self.x.T @ dout
                return dout @ self.W.T
        affine = Affine(Y.T)
        """,
    "an op": """
        from micrograd_nn import Op
        f = Op("my square", lambda x: x * x, lambda g, out, x: g * 2 * x * K)
        """,
    "a module": """
        from micrograd_nn import Op, nn
        cube = Op("my cube", lambda x: x * x * x, lambda g, out, x: g * 3 * x * x * K)
        model = nn.MLP(3, [4, 2], cube, rng=0)
        """,
    "a function of nodes": """
        from micrograd_nn import Op
        _cube = Op("my cube", lambda x: x * x * x, lambda g, out, x: g * 3 * x * x * K)
        def f(x): return _cube(x).sum()
        f_inputs = X
        """,
}  # fmt: skip


def written(folder, name, text):
    (folder / name).write_text(textwrap.dedent(text))


def wrong(text, old, new):
    assert old in text
    return text.replace(old, new)


@pytest.fixture
def layers(here):
    written(here, "layers.py", LAYERS)
    return here


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("right", [True, False])
def test_what_is_found_by_its_name(here, capsys, name, right):
    head = f"import numpy as np\nK = {1 if right else 1.001}\nX, Y = np.random.default_rng(0).normal(size=(2, 4, 3))\n"
    (here / "file.py").write_text(head + textwrap.dedent(FOUND[name]))
    assert main(["check", "file.py"]) == (0 if right else 1)
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    found = 2 if name == "a module" else 1  # its op, too
    assert lines[-1] == (
        f"{found} right, 0 wrong, 0 not checked." if right else f"0 right, {found} wrong, 0 not checked."
    )
    assert ("ok - checked all" if right else " wrong") in lines[0]


def test_one_thing_is_shown_in_full(layers, capsys):
    for name in ("affine", "affine_forward", "affine_backward"):
        assert main(["check", f"layers.py::{name}"]) == 0
        assert capsys.readouterr().out == "gradcheck of affine_forward: ok - checked all 32 entries: all right\n"
    written(layers, "layers.py", wrong(LAYERS, "x.T @ dout", "x.T @ dout / len(x)"))
    assert main(["check", "layers.py::affine"]) == 1
    out, err = capsys.readouterr()
    assert "gradcheck of affine_forward: FAILED - checked all 32 entries: 15 wrong" in out
    assert "w[" in out
    assert "b[" not in out
    assert err == ""


def test_of_a_whole_file_those_that_are_wrong_are_shown_in_full(layers, capsys):
    written(layers, "layers.py", wrong(LAYERS, "1 - np.tanh(x) ** 2", "1 - x**2"))
    assert main(["check", "layers.py"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "layers.py::affine: ok - checked all 32 entries: all right",
        "layers.py::relu: ok - checked all 12 entries: all right",
        "layers.py::tanh: FAILED - checked all 12 entries: 12 wrong",
    ]
    assert lines[4:6] == ["layers.py::tanh", "gradcheck of tanh: FAILED - checked all 12 entries: 12 wrong"]
    assert "x is normal numbers of shape (4, 3): tanh_inputs can say otherwise." in lines
    assert lines[-1] == "2 right, 1 wrong, 0 not checked."


def test_several_by_name_each_once(layers, capsys):
    written(layers, "other.py", "def f(x): return 3 * x\ndef f_prime(x): return 3.0 + 0 * x\n")
    assert main(["check", "layers.py::relu", "other.py::f", "layers.py::tanh", "layers.py::relu_backward"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines[:3]] == ["layers.py::relu", "layers.py::tanh", "other.py::f"]
    assert lines[-1] == "3 right, 0 wrong, 0 not checked."


def test_the_json_is_the_report(layers, capsys):
    space = {}
    exec(LAYERS, space)
    report = check_backward(space["affine_forward"], space["affine_backward"], *space["affine_inputs"](), cache=True)
    assert main(["check", "layers.py::affine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report.to_dict()
    assert main(["check", "layers.py", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["layers.py::affine", "layers.py::relu", "layers.py::tanh"]
    assert found["layers.py::affine"] == report.to_dict()


# --- inputs ---------------------------------------------------------------------------------------------------------

SCALE = """
import numpy as np
def scale_forward(x, factor, power=2.0, settings=None):
    assert power == POWER and settings == SETTINGS
    return factor * x**power
def scale_backward(dout, x, factor, power=2.0, settings=None):
    return factor * POWER * dout * x ** (POWER - 1), np.sum(dout * x**POWER)
"""


@pytest.mark.parametrize(
    ("inputs", "power", "settings"),
    [
        ("np.ones(3), 2.0", 2.0, None),
        ("[np.ones(3), 2.0]", 2.0, None),
        ("{'factor': 2.0, 'x': np.ones(3)}", 2.0, None),
        ("{'factor': 2.0, 'x': np.ones(3), 'power': 3.0}", 3.0, None),  # by name in place of a default: a setting
        ("np.ones(3), 2.0, 3", 3, None),  # a whole number: a setting
        ("{'x': np.ones(3), 'factor': 2.0, 'settings': {'rate': 0.5}}", 2.0, {"rate": 0.5}),
        ("np.ones(3), 2.0, 3, {'rate': 0.5}", 3, {"rate": 0.5}),
        ("lambda: (np.ones(3), 2.0)", 2.0, None),
    ],
)
def test_inputs_in_the_file(here, capsys, inputs, power, settings):
    head = f"POWER, SETTINGS = {power!r}, {settings!r}\n"
    written(here, "file.py", f"{head}{SCALE}\nscale_inputs = {inputs}\n")
    assert main(["check", "file.py::scale"]) == 0
    assert "checked all 4 entries" in capsys.readouterr().out  # of x, and factor


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("(4, 3), (3, 5), (5,)", 32),
        ("x=(4, 3), b=(5,), w=(3, 5)", 32),
        ("x=(2, 3), w=(3, 1), b=[0.5]", 6 + 3 + 1),
        ("x=(2, 3), w=(3, 2), b=0.5", 6 + 6),
        ("x=[[1, 2], [3, 4]], w=(2, 2), b=(2,)", 4 + 2),  # whole numbers are not moved
    ],
)
def test_inputs_on_the_command_line(layers, capsys, text, entries):
    written(layers, "layers.py", wrong(LAYERS, "dout.sum(axis=0)", "None if np.ndim(b) == 0 else dout.sum(axis=0)"))
    status = main(["check", "layers.py::affine", "--inputs", text])
    out = capsys.readouterr().out
    if "b=0.5" in text:
        assert (status, "of 13" in out or "all 13" in out) == (1, True)  # a number is moved, and None is no gradient
    else:
        assert status == 0
        assert f"checked all {entries} entries" in out


def test_without_inputs_it_says_what_to_write_and_that_works(layers, capsys):
    written(layers, "layers.py", LAYERS.replace("def affine_inputs", "def nothing"))
    assert main(["check", "layers.py::affine"]) == 2
    line = one_line(capsys)
    assert "layers.py::affine needs inputs: write affine_inputs = (x, w, b) in the file" in line
    assert main(["check", "layers.py::affine", "--inputs", line.split('"')[1]]) == 0
    assert "checked all 32 entries" in capsys.readouterr().out
    assert main(["check", "layers.py"]) == 2  # the others are checked all the same
    out, err = capsys.readouterr()
    assert "2 right, 0 wrong, 1 not checked." in out
    assert err == line


def test_inputs_that_do_not_fit(layers, capsys):
    for text, message in (
        (
            "(4, 3), (3, 5)",
            "layers.py::affine takes (x, w, b), and --inputs does not fit that: missing a required argument",
        ),
        ("x=(4, 3), v=(3, 5)", "and --inputs does not fit that:"),
        ("(4, 3), (4, 5), (5,)", "in affine_forward, `return x @ w + b, (x, w, b)`: ValueError: matmul: "),
        ("(4, -3), 1, 2", "(4, -3) is no shape: a shape is whole numbers, as in (4, 3)"),
        ("x=(4, 3", "write shapes, lists and numbers, as in"),
        ("x=__import__('os')", "write shapes, lists and numbers, as in"),
        ("1) + f(2", "write shapes, lists and numbers, as in"),
        ("**{'x': 1}", "write shapes, lists and numbers, as in"),
        ("x=[[1], [1, 2]]", "write shapes, lists and numbers, as in"),
        ("(10**9,)", "write shapes, lists and numbers, as in"),
        ("(900000000000, 3), 1, 2", "that needs more memory than there is"),
        ("4, 3, 5", "whole numbers are settings; a shape stands in brackets, as in (4, 3)"),
    ):
        assert main(["check", "layers.py::affine", "--inputs", text]) == 2, text
        assert message in one_line(capsys), text
    assert main(["check", "layers.py", "--inputs", "(4, 3)"]) == 2
    assert "--inputs is for one thing at a time: name it" in one_line(capsys)


def test_what_a_loss_or_a_layer_gives_no_gradient_of_is_said(here, capsys):
    written(
        here, "file.py",
        """
        import numpy as np
        def f(w, x): return np.sum(x @ w), x.sum(0)
        f_inputs = np.ones(3), np.ones((4, 3))
        class Affine:
            W, V = np.ones((2, 3, 3))
            def __init__(self): self.W, self.V = Affine.W, Affine.V
            def forward(self, x):
                self.x = x
                return x @ self.W @ self.V
            def backward(self, dout):
                self.dW = self.x.T @ dout @ self.V.T
                return dout @ self.V.T @ self.W.T
        """,
    )  # fmt: skip
    assert main(["check", "file.py::f"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["Not checked: x (f returns no gradient of it)."]
    assert main(["check", "file.py::Affine"]) == 0
    assert "checked all 21 entries" in (out := capsys.readouterr().out)
    assert "Not checked: V of Affine (no gradient in dV)." in out


def test_a_function_of_nodes_has_the_backward_pass_of_the_engine_and_says_so(here, capsys):
    written(here, "file.py", "import micrograd_nn as mg\ndef f(a, b): return (a * b).tanh()\n")
    assert main(["check", "file.py::f", "--inputs", "a=0.5, b=(2,)"]) == 0
    assert "f has no backward pass of its own: this checks the one of micrograd_nn." in capsys.readouterr().out
    written(here, "file.py", "import numpy as np\ndef f(a, b): return np.tanh(a * b)\n")
    assert main(["check", "file.py::f", "--inputs", "a=0.5, b=(2,)"]) == 2
    assert "file.py::f has no backward pass: write f_backward(grad_output, ...) beside it" in one_line(capsys)


def test_a_students_own_engine_is_a_function_that_gives_loss_and_gradient(here, capsys):
    text = """
        class Number:
            def __init__(self, data, parents=()):
                self.data, self.grad, self.parents = data, 0.0, parents
            def __mul__(self, other):
                return Number(self.data * other.data, ((self, other.data), (other, self.data)))
            def backward(self, g=1.0):
                self.grad += g
                for parent, slope in self.parents:
                    parent.backward(g * slope)

        def cube(x, y):
            x, y = Number(x), Number(y)
            out = x * x * x * y
            out.backward()
            return out.data, (x.grad, y.grad)

        cube_inputs = 0.5, -2.0
        """
    written(here, "engine.py", text)
    assert main(["check", "engine.py"]) == 0
    written(here, "engine.py", wrong(text, "self.grad += g", "self.grad = g"))
    capsys.readouterr()
    assert main(["check", "engine.py::cube", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["verdict"] for row in rows] == ["wrong", "ok"]  # x is used three times, y once


# --- options --------------------------------------------------------------------------------------------------------


def test_coverage(layers, capsys):
    seen = []
    for options in ((), ("--all",), ("--max-coordinates", "50")):
        command = ["check", "layers.py::affine", "--inputs", "x=(100, 20), w=(20, 4), b=(4,)", *options, "--json"]
        assert main(command) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["coordinates"] == 2084
        seen.append(report["checked"])
    assert 1900 < seen[0] <= 2000
    assert seen[1] == 2084
    assert seen[2] <= 50


def test_tolerances(here, capsys):
    written(here, "file.py", "def f(x): return 3 * x\ndef f_prime(x): return 3.0001 + 0 * x\n")
    for options, status in ((), 1), (("--rtol", "1e-3"), 0), (("--atol", "1e-2"), 0), (("--rtol", "1e-6"), 1):
        assert main(["check", "file.py::f", *options]) == status
    capsys.readouterr()
    assert main(["check", "file.py::f", "--rtol", "-1"]) == 2
    assert "'-1' is not a number above 0" in one_line(capsys)


def test_a_kink_is_no_pass_unless_it_is_allowed(here, capsys):
    written(
        here, "file.py", "def f(x): return abs(x)\ndef f_prime(x): return 0 * x + (x > 0) - (x < 0)\nf_inputs = (0.0,)"
    )
    assert main(["check", "file.py::f"]) == 1
    assert "not differentiable" in capsys.readouterr().out
    assert main(["check", "file.py::f", "--allow-kinks"]) == 0


def test_second_order_is_for_nodes(here, capsys):
    written(
        here, "file.py",
        """
        from micrograd_nn import Op
        f = Op("my square", lambda x: x * x, lambda g, out, x: g * 2 * x)
        def h(x): return x * x
        def h_prime(x): return 2 * x
        """,
    )  # fmt: skip
    assert main(["check", "file.py::f", "--order", "2", "--json"]) == 0
    assert {row["order"] for row in json.loads(capsys.readouterr().out)["rows"]} == {1, 2}
    assert main(["check", "file.py::h", "--order", "2"]) == 2
    assert "--order is for nodes: a backward pass by hand has no derivative of its own" in one_line(capsys)


def test_the_same_seed_gives_the_same_numbers(here, capsys):
    written(
        here, "file.py",
        """
        import random, numpy as np
        factor = np.random.randn()
        def f(x): return factor * x
        def f_prime(x): return 2 * factor + 0 * x
        def f_inputs(): return np.random.rand(3) + random.random(),
        """,
    )  # fmt: skip
    said = []
    for seed in ("1", "1", "2"):
        assert main(["check", "file.py::f", "--seed", seed, "--json"]) == 1
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]


# --- what cannot be checked -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (1,\ny = 2\n", "file.py, line 1: SyntaxError: '(' was never closed"),
        ("def f(x):\nreturn x\n", "file.py, line 2: IndentationError: expected an indented block"),
        ("import numpy\nimport nothing_of_that_name\n", "file.py, line 2, `import nothing_of_that_name`: Module"),
        ("def f(x):\n    return 1 / x\n\nf(0)\n", "file.py, line 2 in f, `return 1 / x`: ZeroDivisionError: division"),
        ("import sys\nsys.exit()\n", "file.py, line 2, `sys.exit()`: sys.exit() ended it: put that under if __name__"),
        ("name = input('name? ')\n", "line 1, `name = input('name? ')`: it waits for input(): put that under if"),
        ("get_ipython().run_line_magic('time')", "it comes from a notebook, whose lines with % or ! are no Python"),
        ("class Odd(BaseException): pass\nraise Odd('so')\n", "file.py, line 2, `raise Odd('so')`: Odd: so"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E\n", "line 3, `raise E`: E"),
        ("def f(): return f()\nf()\n", "file.py, line 1 in f, `def f(): return f()`: RecursionError: maximum"),
        ("from .other import f\n", "ImportError: attempted relative import with no known parent package: its"),
        ("x = bytearray(10**18)\n", "file.py, line 1, `x = bytearray(10**18)`: MemoryError"),
        ("raise ValueError('a\\nb\\x1b[31m')\n", "ValueError: a b"),
        ("", "file.py has nothing to check by its names: see micrograd-nn check --help"),
        ("import numpy as np\nx = 1\n", "file.py has nothing to check by its names"),
        (
            "def f_forward(x): return x\ndef f_bakward(g, x): return g\n",
            "file.py::f_forward has no f_backward beside it: did you mean f_bakward?",
        ),
        (
            "def f_foward(x): return x\ndef f_backward(g, x): return g\n",
            "file.py::f_backward has no f_forward beside it: did you mean f_foward?",
        ),
        (
            "class F:\n def __init__(self, w): pass\n def forward(self, x): pass\n def backward(self, g): pass\n",
            "file.py::F(w) needs arguments: make one in the file, and give its name",
        ),
        (
            "def f(x): return x\ndef f_grad(x): raise NotImplementedError\n",
            "file.py, line 2 in f_grad, `def f_grad(x): raise NotImplementedError`: NotImplementedError",
        ),
        (
            "def f_inputs(): return 1 / 0\ndef f(x): return x\ndef f_grad(x): return x\n",
            "file.py, line 1 in f_inputs, `def f_inputs(): return 1 / 0`: ZeroDivisionError",
        ),
        ("def f(): return 1.0\ndef f_grad(): return 1.0\n", "file.py::f takes no inputs: there is nothing to check"),
        (
            "import json\ndef f(x): return json.loads('{')\ndef f_grad(x): return x\n",
            "file.py, line 2 in f, `def f(x): return json.loads('{')`: JSONDecodeError: Expecting",
        ),
    ],
)
def test_a_file_that_cannot_be_checked_gets_one_line(here, capsys, text, message):
    (here / "file.py").write_text(text)
    assert main(["check", "file.py"]) == 2
    out, err = capsys.readouterr()
    assert out.rstrip() in ("", "0 right, 0 wrong, 1 not checked.")
    assert message in err
    assert err.replace("name? \n", "").count("\n") == 1
    assert "\x1b" not in err


def test_a_backward_pass_that_raises_is_named_with_its_line(layers, capsys):
    written(layers, "layers.py", wrong(LAYERS, "x.T @ dout", "x @ dout"))
    assert main(["check", "layers.py::affine"]) == 2
    line = one_line(capsys)
    assert (
        "layers.py, line 13 in affine_backward, `return dout @ w.T, x @ dout, dout.sum(axis=0)`: ValueError: " in line
    )


def test_files_that_are_no_python_code(here, capsys):
    (here / "folder").mkdir()
    (here / "folder.py").mkdir()
    (here / "latin.py").write_bytes("name = 'Müller'\n".encode("latin-1"))
    (here / "wide.py").write_bytes("x = 1\n".encode("utf-16"))
    (here / "zero.py").write_bytes(b"x = 1\0\n")
    (here / "odd.py").write_bytes(b"# coding: klingon\nx = 1\n")
    for name in ("notes.txt", "book.ipynb"):
        (here / name).write_text("{}")
    for target, message in (
        ("none.py", "there is no file none.py."),
        ("folder", "folder is a folder: give a file in it."),
        ("folder.py", "folder.py is a folder: give a file in it."),
        ("latin.py", "latin.py is not UTF-8 text: save it as UTF-8, or declare its encoding in line 1."),
        ("wide.py", "wide.py is not UTF-8 text"),
        ("odd.py", "odd.py is not UTF-8 text"),
        ("zero.py", "null bytes"),
        ("notes.txt", "notes.txt is no Python file: its name should end in .py."),
        ("book.ipynb::f", "book.ipynb is a notebook: export it (jupyter nbconvert --to script)"),
        ("none.py::f", "there is no file none.py."),
        ("x" * 300 + ".py", "File name too long"),
        ("::f", "::f: give a file, and after two colons the name"),
        ("file.py::", "file.py::: give a file, and after two colons the name"),
    ):
        assert main(["check", target]) == 2
        assert message in one_line(capsys), target
    (here / "latin.py").write_bytes(
        "# coding: latin-1\n# Müller\ndef f(x): return x\ndef df(x): return 1 + 0 * x\n".encode("latin-1")
    )
    assert main(["check", "latin.py"]) == 0


def test_names_that_are_not_there(layers, capsys):
    for name, message in (
        ("afine", "layers.py has no function 'afine': did you mean affine?"),
        ("tanhh", "layers.py has no function 'tanhh': did you mean tanh?"),
        ("softmax", "layers.py has no function 'softmax': there are affine, relu, tanh."),
        ("Affine::forward", "layers.py has no function 'Affine::forward'"),
        ("__doc__", "layers.py::__doc__ is a str: there is nothing to check in it."),
        ("np", "layers.py::np is a module: there is nothing to check in it."),
    ):
        assert main(["check", f"layers.py::{name}"]) == 2
        assert message in one_line(capsys), name


def test_one_that_cannot_be_checked_costs_no_other(layers, capsys):
    (layers / "broken.py").write_text("x = (")
    written(layers, "more.py", wrong(LAYERS, "(cache > 0)", "(cache[0] > 0)"))
    assert main(["check", "broken.py", "layers.py", "none.py", "more.py::tanh", "--json"]) == 2
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [name for name, what in found.items() if not what["ok"]] == ["broken.py", "none.py"]
    assert len(found) == 6
    assert "never closed" in found["broken.py"]["error"]
    assert err.count("\n") == 2
    assert main(["check", "broken.py", "more.py"]) == 1  # wrong outweighs not checked


# --- what a file may do ---------------------------------------------------------------------------------------------


def test_nothing_is_left_behind(here, capsys):
    (here / "code").mkdir()
    written(
        here / "code", "file.py",
        """
        import io, os, random, sys, warnings
        import numpy as np
        import helper
        from micrograd_nn import Op
        os.chdir("/")
        os.environ["STRAY"] = "1"
        np.random.seed(5), random.seed(5), np.seterr(all="raise"), warnings.simplefilter("error")
        sys.path.append("/stray"), sys.argv.append("stray")
        sys.stdout = sys.stderr = io.StringIO()
        assert __name__ == "file"
        assert sys.path[0] == os.path.dirname(__file__)
        square = Op("a stray op", lambda x: x * x, lambda g, out, x: g * 2 * x)
        def f(x): return helper.times * x
        def f_prime(x): return helper.times + 0 * x
        """,
    )  # fmt: skip
    (here / "code" / "helper.py").write_text("times = 3")
    (here / "helper.py").write_text("times = 4")
    written(here, "file.py", "import helper\ndef f(x): return 4 * x\ndef df(x): return helper.times + 0 * x\n")
    kept = np.random.get_state()[1].tolist(), random.getstate(), dict(os.environ), list(sys.path), list(sys.argv)
    modules, ops, errors = set(sys.modules), dict(op.REGISTRY), np.geterr()
    for _ in range(2):
        assert main(["check", "code/file.py", "file.py", "./file.py::f"]) == 0
    assert capsys.readouterr().err == ""
    now = np.random.get_state()[1].tolist(), random.getstate(), dict(os.environ), list(sys.path), list(sys.argv)
    assert now == kept
    assert os.getcwd() == str(here)
    assert np.geterr() == errors
    assert ops == op.REGISTRY
    assert not {"file", "helper"} & (set(sys.modules) - modules)
    assert {p.name for p in here.rglob("*")} == {"code", "file.py", "helper.py"}  # and no __pycache__


def test_what_a_file_prints_goes_to_stderr_and_not_for_ever(here, capsys):
    written(
        here, "file.py",
        """
        print("hello", end="")
        def f(x):
            print("x is", x)
            return 3 * x
        def f_prime(x): return 3 + 0 * x
        """,
    )  # fmt: skip
    assert main(["check", "file.py::f", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["ok"]
    assert err.startswith("hello\nx is [[")
    assert len(err) < 5000
    assert err.count("… (more of what the file prints is left out)") == 1


def test_warnings_of_a_file_are_not_shown(here, capsys):
    written(
        here, "file.py",
        r"""
        import numpy as np, warnings
        warnings.warn("old")
        pattern = "\d"
        np.log(np.array([0.0, -1.0]))
        def f(x): return np.log(np.abs(x)) + 0 * np.log(-np.abs(x) * 0 + 1)
        def f_prime(x): return 1 / x + np.nan_to_num(0 / (0 * x))
        """,
    )  # fmt: skip
    assert main(["check", "file.py"]) == 0
    assert capsys.readouterr().err == ""


def test_a_file_may_have_any_name(here, capsys):
    text = (
        "from dataclasses import *\n@dataclass\nclass A: n: int\ndef f(x): return 3 * x\ndef df(x): return 3 + 0 * x\n"
    )
    names = (
        "my layers.py",
        "my-layers.py",
        "Übung 1.py",
        "numpy.py",
        "json.py",
        "a.b.py",
        "micrograd_nn.py",
        "__init__.py",
    )
    for name in names:
        (here / "sub folder").mkdir(exist_ok=True)
        (here / "sub folder" / name).write_text(text, encoding="utf-8")
        assert main(["check", f"sub folder/{name}::f"]) == 0, capsys.readouterr().err
        (here / "sub folder" / name).unlink()


def test_a_file_in_a_package_imports_its_neighbours(here, capsys):
    package = here / "course" / "part"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package / "layers.py").write_text(LAYERS)
    (package / "more.py").write_text(
        "from .layers import *\nfrom course.part import layers\ndef f(x): return tanh(x)\ndf = layers.tanh_grad\n"
    )
    assert main(["check", "course/part/more.py::f"]) == 0
    assert main(["check", "course/part/more.py"]) == 2  # what it imports is checked where it is written
    assert "has nothing to check" in capsys.readouterr().err
    assert main(["check", "course/part/more.py::relu"]) == 0


def test_an_error_in_a_neighbour_is_told_with_the_line_there(here, capsys):
    (here / "helper.py").write_text("def half(x):\n    return x / 0\n")
    (here / "file.py").write_text("import helper\nx = helper.half(1)\n")
    assert main(["check", "file.py"]) == 2
    assert "helper.py, line 2 in half, `return x / 0`: ZeroDivisionError" in capsys.readouterr().err
    (here / "helper.py").write_text("x = (\n")
    assert main(["check", "file.py"]) == 2
    assert "helper.py, line 1: SyntaxError: '(' was never closed" in capsys.readouterr().err


# --- as a process ---------------------------------------------------------------------------------------------------


def test_as_a_command(layers):
    written(layers, "wrong.py", wrong(LAYERS, "x.T @ dout", "2 * x.T @ dout"))
    for name, status in (("layers.py", 0), ("wrong.py", 1), ("none.py", 2)):
        process = started("check", name)
        out, err = process.communicate(timeout=60)
        assert process.returncode == status, err
        assert err.count("\n") == (status == 2)
        assert ("not checked." in out) == (status < 2)
    assert sorted(p.name for p in layers.iterdir()) == ["layers.py", "wrong.py"]


def test_ctrl_c_ends_a_file_that_never_ends(here):
    (here / "file.py").write_text("print('on and on', flush=True)\nwhile True: print('.' * 100)\n")
    process = started("check", "file.py")
    assert process.stderr.readline() == "on and on\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert len(err) < 5000
    assert err.endswith("micrograd-nn: interrupted.\n")


def test_the_help_says_that_the_file_is_run(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["check", "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "FILE.py is run as Python code: check only files you trust." in text
    assert "affine_inputs = (x, w, b)" in text
