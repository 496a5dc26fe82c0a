"""Right code is never failed: random right computations away from kinks are all ok, and on a kink it is said so."""

import math
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from passes import AWAY, PASSES
from rules import RULES
from test_planted_faults import WHERE, graph

from micrograd_nn import functional as F
from micrograd_nn import nn
from micrograd_nn.checking import check_backward, gradcheck

sys.path.append(str(Path(__file__).parents[1] / "engine"))
from cases import ARGUMENTS, BINARY, CASES, ELEMENTWISE, LABELS

# How far the inputs of an operation are from its kinks; operations without an entry have none.
FROM_KINK = {
    "maximum": lambda x, y: x - y, "minimum": lambda x, y: x - y, "l1_loss": lambda x, y: x - y,
    "abs": lambda x: x, "sign": lambda x: x, "relu": lambda x: x, "leaky_relu": lambda x: x, "elu": lambda x: x,
    "prelu": lambda x, w: x, "norm": lambda x: x, "hinge_loss": lambda x: np.abs(x) - 1,
    "clip": lambda x: np.stack([x - ARGUMENTS["clip"][0], x - ARGUMENTS["clip"][1]]),
    "multi_margin_loss": lambda x: np.stack(
        [m + np.delete(x[i] - x[i, LABELS[i]], LABELS[i]) for m in (1, 1.5) for i in range(3)]),
    "max": lambda x: np.diff(np.sort(x, None)), "min": lambda x: np.diff(np.sort(x, None)),
}  # fmt: skip


# All but those that take (log-)probabilities, which must sum to 1: other numbers are refused.
FREE = [c for c in CASES if c.name != "nll_loss" and (c.name != "cross_entropy" or len(c.inputs) == 1)]


def away(name, *inputs):
    return name not in FROM_KINK or np.abs(FROM_KINK[name](*inputs)).min(initial=1) > AWAY / 3


def like(rng, x):
    """Other numbers over the range of `x`, as far from one another."""
    n = x.size
    if n < 2:
        return x * rng.uniform(0.8, 1.1)
    low, high = x.min(), x.max()
    grid = np.linspace(low, high, n) + rng.uniform(-0.2, 0.2, n) * (high - low) / (n - 1)
    return rng.permutation(np.clip(grid, low, high)).reshape(x.shape)


def shape_of(rng, most=3):
    return tuple(rng.integers(1, 5, rng.integers(0, most + 1)).tolist())


def an_operation(rng):
    """An entry of the engine's own table, on other numbers."""
    case = FREE[rng.integers(len(FREE))]
    inputs = [like(rng, x) for x in case.inputs]
    return case.name, away(case.name, *inputs), lambda: gradcheck(case.call, *inputs, raise_on_error=False)


def of_any_shape(rng):
    """An elementwise operation, or one along an axis, on an array of any shape."""
    kind = rng.integers(3)
    if kind == 0:
        name = rng.choice([*ELEMENTWISE])
        _, low, high = ELEMENTWISE[name]
        inputs = [rng.uniform(low, high, shape_of(rng))]
        call = lambda x: getattr(F, name)(x, *ARGUMENTS.get(name, ()))
    elif kind == 1:
        name = rng.choice([*BINARY])
        _, low, high = BINARY[name]
        shape = shape_of(rng)
        other = tuple(n if rng.integers(3) else 1 for n in shape)[int(rng.integers(len(shape) + 1)) :]
        inputs = [rng.uniform(low, high, s) for s in rng.permutation(np.array([shape, other], object))]
        call = getattr(F, name)
    else:
        name = rng.choice(["sum", "mean", "var", "max", "min", "logsumexp", "softmax", "log_softmax", "cumsum", "prod"])
        shape = (*shape_of(rng, 2), int(rng.integers(2, 5)))
        inputs = [like(rng, np.linspace(-2, 2, math.prod(shape)).reshape(shape))]
        axis = int(rng.integers(-len(shape), len(shape)))
        call = lambda x: getattr(F, name)(x, axis)
    return f"{name} of {[x.shape for x in inputs]}", away(name, *inputs), lambda: gradcheck(
        call, *inputs, raise_on_error=False)  # fmt: skip


# name: how many inputs, what it is, and how far from its kink
STEPS = {
    "add": (2, lambda x, y: x + y, None), "sub": (2, lambda x, y: x - y, None), "mul": (2, lambda x, y: x * y, None),
    "div": (2, lambda x, y: x / (y * y + 1), None), "tanh": (1, F.tanh, None), "sin": (1, F.sin, None),
    "square": (1, lambda x: x**2, None), "halve": (1, lambda x: x / 2, None), "shift": (1, lambda x: 3 - x, None),
    "relu": (1, F.relu, lambda x: x), "abs": (1, F.abs, lambda x: x), "maximum": (2, F.maximum, lambda x, y: x - y),
    "sigmoid": (1, F.sigmoid, None), "softplus": (1, F.softplus, None),
    "root": (1, lambda x: F.sqrt(x * x + 0.5), None),
}  # fmt: skip


def a_graph(rng):
    """A random graph, of Values or of Tensors."""
    shape = () if rng.integers(2) else (3,)
    inputs = [rng.uniform(-1.5, 1.5, shape) for _ in range(rng.integers(1, 4))]
    inputs = [float(x) for x in inputs] if not shape else inputs
    lines = []
    for place in range(len(inputs), len(inputs) + rng.integers(1, 9)):
        name = str(rng.choice([*STEPS]))
        lines.append((name, rng.integers(0, place, STEPS[name][0]).tolist()))
    near = [1.0]

    def f(*values):
        values = list(values)
        for name, places in lines:
            operands = [values[i] for i in places]
            if STEPS[name][2] is not None and not hasattr(operands[0], "op"):
                near.append(float(np.min(np.abs(STEPS[name][2](*operands)))))
            values.append(STEPS[name][1](*operands))
        return values[-1]

    f(*inputs)
    return f"a graph {lines} of {inputs}", min(near) > AWAY, lambda: gradcheck(f, *inputs, raise_on_error=False)


def a_pass(rng):
    p = PASSES[rng.integers(len(PASSES))]
    inputs = p.draw(rng)
    return f"pass {p}", True, lambda: check_backward(p.forward, p.backward(), *inputs, raise_on_error=False)


def a_rule(rng):
    """An op of one's own, somewhere in a graph."""
    rule, where, seed = RULES[rng.integers(len(RULES))], str(rng.choice(WHERE)), int(rng.integers(2**31))
    built = graph(where, rule, rule.op(), rule.draw(rng), seed)
    return f"{rule} {where}", built is not None, lambda: gradcheck(built[0], *built[1], raise_on_error=False)


ACTIVATIONS = [*nn.ACTIVATIONS, "maxout"]


def a_network(rng):
    """A random MLP of any activation, on arrays or unit by unit on numbers."""
    activation = str(rng.choice(ACTIVATIONS))
    n_in, n_out = rng.integers(1, 4, 2).tolist()
    model = nn.MLP(n_in, [*rng.integers(1, 5, rng.integers(1, 3)).tolist(), n_out], activation, rng=rng)
    x = rng.normal(size=(int(rng.integers(1, 4)), n_in))
    h, safe = x, True
    for layer in model.layers[:-1]:
        if activation == "maxout":
            z = np.stack([h @ w.T + b for w, b in zip(layer.weight.data, layer.bias.data, strict=True)])
            safe &= np.diff(np.sort(z, 0), axis=0).min() > AWAY
        else:
            z = h @ layer.weight.data.T + layer.bias.data
            safe &= activation not in ("relu", "leaky_relu", "prelu", "elu") or np.abs(z).min() > AWAY
        h = layer(h).data
    given = x if rng.integers(2) else x[0].tolist()
    return f"{model!r} of {given!r}", bool(safe), lambda: gradcheck(model, given, raise_on_error=False)


KINDS = [an_operation] * 4 + [of_any_shape] * 5 + [a_graph] * 5 + [a_pass] * 3 + [a_rule] * 2 + [a_network]


def computation(seed):
    """One random right computation: what it is, whether it is away from kinks, and its check."""
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        return KINDS[rng.integers(len(KINDS))](rng)


def verdicts(cases, seed=0):
    """Every verdict on random right code, counted, and what was failed."""
    rows, failed, looked = Counter(), [], 0
    while looked < cases:
        what, safe, check = computation(seed)
        if safe:
            looked += 1
            report = check()
            rows.update(r.verdict for r in report.rows)
            if not report.ok:
                failed.append(f"computation({seed}), {what}:\n{report}")
        seed += 1
    return rows, failed


def never_failed(cases, seed=0):
    rows, failed = verdicts(cases, seed)
    print(f"{cases:,} right computations, {len(failed)} failed; entries: {dict(rows)}")
    assert not failed, f"{len(failed)} of {cases} failed; entries: {dict(rows)}\n" + "\n".join(failed[:10])
    assert set(rows) == {"ok"}


def test_no_right_code_is_failed():
    never_failed(250)


@pytest.mark.slow
def test_no_right_code_is_failed_in_twenty_thousand_cases():
    never_failed(20_000, seed=1_000)


# --- on kinks ------------------------------------------------------------------------------------------------------


def kinked_rows(report):
    assert report.count("wrong") == report.count("undefined") == report.count("not checked") == 0, str(report)
    return {(r.input, r.index) for r in report.rows if r.verdict == "not differentiable"}


def planted_zeros(rng, shape):
    x = like(rng, np.linspace(-2, 2, math.prod(shape)).reshape(shape))
    x = np.where(np.abs(x) < AWAY, 2 * AWAY, x)
    at = rng.integers(0, 2, shape).astype(bool)
    at.flat[0] = True
    return np.where(at, 0.0, x), at


def entries(at):
    return {tuple(i) for i in np.argwhere(at).tolist()}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("f", [F.relu, F.abs, F.leaky_relu, lambda x: F.prelu(x, 0.3), lambda x: F.maximum(x, 0.0)])
def test_on_a_kink_the_slope_is_said_to_be_none(f, seed):
    rng = np.random.default_rng(seed)
    x, at = planted_zeros(rng, (3, 4))
    report = gradcheck(f, x, raise_on_error=False)
    assert not report.ok
    assert {index for _, index in kinked_rows(report)} == entries(at)
    assert gradcheck(f, x, allow_kinks=True).ok
    for r in report.rows:
        if r.verdict == "not differentiable":
            low, high = sorted((r.left, r.right))
            assert low - 1e-9 <= r.analytic <= high + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_ties_of_a_maximum_are_kinks_for_those_that_tie(seed):
    rng = np.random.default_rng(seed)
    x = like(rng, np.linspace(-2, 2, 15).reshape(3, 5))
    x[0, 1] = x[0, 3] = 2.5
    x[2] = np.where(x[2] == x[2].min(), x[2].min(), x[2])
    lowest = x[2].argmin()
    x[2, (lowest + 1) % 5] = x[2].min()  # a tie that is not at the top
    report = gradcheck(lambda x: F.max(x, axis=1), x, raise_on_error=False)
    assert {index for _, index in kinked_rows(report)} == {(0, 1), (0, 3)}


@pytest.mark.parametrize("f", [F.maximum, F.minimum, F.l1_loss])
def test_equal_inputs_of_a_maximum_are_kinks_of_both(f):
    rng = np.random.default_rng(3)
    x, y = like(rng, np.linspace(-2, 2, 8)), like(rng, np.linspace(-2, 2, 8) + 0.1)
    y = np.where(np.abs(x - y) < AWAY, y + 0.3, y)
    y[[1, 4]] = x[[1, 4]]
    report = gradcheck(f, x, y, raise_on_error=False)
    assert {index for _, index in kinked_rows(report)} == {(1,), (4,)}
    assert len(kinked_rows(report)) == 4


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_unit_on_its_kink_is_a_kink_of_what_moves_it(activation):
    model = nn.MLP(2, [3, 1], activation, rng=0)
    model.layers[0].bias.data = np.zeros(3)
    model.layers[1].weight.data = np.ones((1, 3))
    x = np.array([[1.0, 2.0], [0.0, 0.0]])  # the second example puts every unit on its kink, whatever its weights
    report = gradcheck(model, x, raise_on_error=False)
    found = kinked_rows(report)
    assert {i for name, i in found if "bias" in name} == {(0,), (1,), (2,)}
    assert not [name for name, _ in found if "weight" in name]
    moved = [(name, i) for name, i in found if "bias" not in name]
    assert {i for _, i in moved} == {(1, 0), (1, 1)}


@pytest.mark.parametrize("p", [p for p in PASSES if p.name in ("leaky_relu", "affine_relu", "max_pool")], ids=str)
def test_hand_written_passes_on_their_kinks(p):
    rng = np.random.default_rng(1)
    inputs = [x.copy() for x in p.draw(rng)]
    if p.name == "max_pool":
        inputs[0][0, 0, :2, :2] = inputs[0].max() + 1  # four that tie
        wanted = {(0, 0, i, j) for i in range(2) for j in range(2)}
    elif p.name == "leaky_relu":
        inputs[0][1, 1] = 0.0
        wanted = {(1, 1)}
    else:
        inputs[0][0] = 0.0
        inputs[2][0] = 0.0  # z of the first example is the bias: on the kink of the first unit
        wanted = None
    report = check_backward(p.forward, p.backward(), *inputs, raise_on_error=False)
    found = kinked_rows(report)
    if wanted is None:
        width = inputs[0].shape[1]
        names = {name for name, _ in found}
        assert len(names) == 2  # x and b: the weights do not move an example that is 0
        assert len(found) == width + 1
    else:
        assert {i for _, i in found} == wanted


@pytest.mark.parametrize("f", [F.relu, F.abs, lambda x: F.maximum(x, 0.0)])
def test_near_a_kink_right_code_is_never_called_wrong(f):
    rng = np.random.default_rng(0)
    for _ in range(40):
        x = rng.normal(size=3)
        x[1] = rng.choice([-1, 1]) * 10 ** rng.uniform(-12, -1)
        report = gradcheck(f, x, raise_on_error=False)
        assert not report.count("wrong"), (x, str(report))
        assert not report.problems
