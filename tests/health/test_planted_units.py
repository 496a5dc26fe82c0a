"""Networks built to have exactly so many dead and so many saturated units are counted exactly."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd_nn import Tensor, nn, unit_health
from micrograd_nn import functional as F

RISING = ["relu", "leaky_relu", "prelu", "maxout"]
BENDING = ["tanh", "sigmoid"]


class Own(nn.Module):
    """The layers of an MLP as a user might write them: parameters and functions."""

    def __init__(self, mlp, kinds):
        self.parts = [
            (Tensor(np.array(layer.weight.data), True), Tensor(np.array(layer.bias.data), True)) for layer in mlp.layers
        ]
        self.kinds = kinds

    def forward(self, x):
        functions = {"relu": F.relu, "leaky_relu": F.leaky_relu, "tanh": F.tanh, "sigmoid": F.sigmoid,
                     "prelu": lambda z: F.prelu(z, 0.25)}  # fmt: skip
        for (W, b), kind in zip(self.parts, [*self.kinds, None], strict=True):
            x = x @ W.T + b
            x = functions[kind](x) if kind else x
        return {"scores": x}


@st.composite
def planted(draw):
    """An MLP, its layers' activations, and which units of each are planted dead or saturated, and the examples."""
    kinds = draw(st.lists(st.sampled_from(RISING + BENDING), min_size=1, max_size=3))
    sizes = [draw(st.integers(1, 12)) for _ in kinds]
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (draw(st.integers(1, 70)), draw(st.integers(1, 4))))
    model = nn.MLP(X.shape[1], [*sizes, 2], kinds, rng)
    chosen = []
    for layer, n in zip(model.layers, sizes, strict=False):
        layer.weight.data = 0.01 * np.sign(layer.weight.data)  # so that the biases decide
        stuck = rng.permutation(n)[: draw(st.integers(0, n))]
        bias = np.full(layer.bias.shape, 0.7)
        bias[..., stuck] = rng.choice([-30.0, 30.0] if layer.activation in BENDING else [-30.0], len(stuck))
        layer.bias.data = bias
        chosen.append(np.isin(np.arange(n), stuck))
    return model, kinds, chosen, X


@settings(max_examples=150, deadline=None, derandomize=True)
@given(planted(), st.integers(1, 80), st.sampled_from(["MLP", "Sequential", "a user's own", "Network"]))
def test_what_was_planted_is_what_is_found(case, batch_size, form):
    model, kinds, chosen, X = case
    if form == "Sequential":
        model = nn.Sequential(*model.layers)
    elif form == "a user's own" and "maxout" not in kinds:
        model = Own(model, kinds)
    elif form == "Network":
        model = nn.Network.from_mlp(model)
    report = unit_health(model, X, batch_size=batch_size)
    assert [h.activation for h in report.layers] == kinds
    for h, kind, stuck in zip(report.layers, kinds, chosen, strict=True):
        none = np.zeros(len(stuck), bool)
        np.testing.assert_array_equal(h.dead, stuck if kind == "relu" else none)
        np.testing.assert_array_equal(h.saturated, stuck if kind in BENDING else none)
        np.testing.assert_array_equal(h.always_saturated, h.saturated)
        said = [f for f in report.findings if " dead " in f or " saturated " in f]
    counts = [int(c.sum()) for c, kind in zip(chosen, kinds, strict=True) if kind in ("relu", *BENDING)]
    assert [int(f.split()[0]) for f in said] == [c for c in counts if c]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 200), st.integers(1, 64))
def test_a_unit_is_on_for_exactly_the_planted_examples(units, on, n, batch_size):
    on = min(on, n)
    layer = nn.Layer(1, units, "relu", rng=0)
    layer.weight.data, layer.bias.data = np.ones((units, 1)), np.zeros(units)
    x = np.where(np.arange(n) < on, 1.0, -1.0)[np.random.default_rng(n).permutation(n), None]
    found = unit_health(layer, x, batch_size=batch_size).layers[0]
    assert found.on_rate.tolist() == [on / n] * units
    assert found.dead.tolist() == [not on] * units
