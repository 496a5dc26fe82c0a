"""A model at three zooms, and what its edges say: held against the engine, differences, and the health module."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import SVG, boxes, edges, marked, parse, words

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn import nn
from viz._text import number

RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(20, 2)), RNG.integers(0, 2, 20)


def named(picture: viz.Picture, name: str) -> ET.Element:
    (found,) = [b for b in boxes(picture) if b.get("data-name") == name]
    return found


def notes(picture: viz.Picture) -> str:
    return " ".join(words(parse(picture)))


def numbered(picture: viz.Picture, order: list[Any]) -> dict[Any, int]:
    """The number that each node's box has, by name."""
    number = {b.attrib["data-name"]: int(b.attrib["data-box"]) for b in boxes(picture)}
    return {node: number[node.name] for node in order}


def all_named(root: mg.Value | mg.Tensor) -> Any:
    for i, node in enumerate(mg.topological_order(root)):
        node.name = f"node{i}"
    return root


def into(picture: viz.Picture, name: str) -> list[ET.Element]:
    """The edges that lead to a box."""
    place = named(picture, name).attrib["data-box"]
    return [e for e in edges(picture) if e.attrib["data-head"] == place]


# --- every number is the engine's -----------------------------------------------------------------------------------

UNARY: list[Callable[[Any], Any]] = [
    F.tanh, F.sigmoid, F.relu, F.exp, F.softplus, F.sin, F.square, lambda a: a * 2.0, lambda a: -a, F.silu,
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, F.maximum, lambda a, b: a / (b * b + 1.0), F.minimum,
]  # fmt: skip
numbers = st.floats(-2, 2).map(lambda x: round(x, 3))


@st.composite
def graphs(draw: Any) -> mg.Value:
    """Some random operations on three numbers, all of which the result depends on."""
    made = [mg.Value(draw(numbers), f"v{i}") for i in range(3)]
    for _ in range(draw(st.integers(1, 8))):
        if draw(st.booleans()):
            made.append(draw(st.sampled_from(UNARY))(draw(st.sampled_from(made))))
        else:
            made.append(draw(st.sampled_from(BINARY))(draw(st.sampled_from(made)), draw(st.sampled_from(made))))
    total = made[0] * 0.5
    for v in made[1:]:
        total = total + v
    total.backward()
    all_named(total)
    return total


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_of_any_graph_each_number_and_each_contribution_is_the_engines(root: mg.Value) -> None:
    picture, order = viz.draw(root), mg.topological_order(root)
    drawn = boxes(picture)
    assert len(drawn) == len(order)
    place = numbered(picture, order)
    sums = dict.fromkeys(range(len(order)), 0.0)
    seen = []
    for e in edges(picture):
        if "data-through" in e.attrib:
            sums[int(e.attrib["data-tail"])] += float(e.attrib["data-through"])
        seen.append((int(e.attrib["data-tail"]), int(e.attrib["data-head"])))
    assert sorted(seen) == sorted((place[p], place[n]) for n in order for p in n.parents)
    for node in order:
        i = place[node]
        box = drawn[i]
        assert float(box.attrib["data-value"]) == node.data
        if node.requires_grad:
            assert float(box.attrib["data-grad"]) == node.grad
            if node is not root:
                assert sums[i] == pytest.approx(node.grad, rel=1e-9, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_of_any_graph_each_edges_derivative_is_the_numerical_one(root: mg.Value) -> None:
    picture, order = viz.draw(root), mg.topological_order(root)
    place = numbered(picture, order)
    found: dict[tuple[int, int], list[float]] = {}
    for e in edges(picture):
        if "data-local" in e.attrib:
            key = int(e.attrib["data-tail"]), int(e.attrib["data-head"])
            found.setdefault(key, []).append(float(e.attrib["data-local"]))
    for node in order:
        for parent in {p for p in node.parents if p.requires_grad}:
            values = [p.data for p in node.parents]
            if (
                node.op.name in ("relu", "maximum", "minimum")
                and np.ptp([*values, *([0.0] * (len(values) == 1))]) < 1e-3
            ):
                continue  # on the kink
            where = [p is parent for p in node.parents]

            def at(h: float, node: Any = node, values: Any = values, where: Any = where) -> float:
                return float(node.op.run([v + h * w for v, w in zip(values, where, strict=True)], node.params))

            slope = (at(1e-6) - at(-1e-6)) / 2e-6
            local = sum(found[place[parent], place[node]])
            assert local == pytest.approx(slope, rel=1e-4, abs=1e-5 * max(1.0, abs(node.data)))


def test_contributions_to_an_array_add_up_to_its_gradient() -> None:
    model = nn.MLP(2, [5, 3, 2], "tanh", rng=1)
    batch = mg.Tensor(X, requires_grad=True, name="X")
    h = model.layers[0](batch)
    out = (model.layers[1](h) * 2).sum() + (h * h).mean() + (h @ np.ones((5, 1))).sum() + h[:, 1].sum()
    out.backward()
    picture, order = viz.draw(all_named(out)), mg.topological_order(out)
    place = numbered(picture, order)
    sums = dict.fromkeys(range(len(order)), 0.0)
    for e in edges(picture):
        sums[int(e.attrib["data-tail"])] += float(e.get("data-total", 0.0))
    users = {node: sum(p is node for n in order for p in n.parents) for node in order}
    assert max(users.values()) >= 4
    for node in order:
        if node.requires_grad and node is not out:
            assert sums[place[node]] == pytest.approx(np.sum(node.grad), rel=1e-9, abs=1e-12)
    only = {place[n]: n for n in order if users[n] == 1 and n.requires_grad and n.data.size > 1}
    for e in edges(picture):
        if (alone := only.get(int(e.attrib["data-tail"]))) is not None:  # the norm through the one edge is the node's
            assert float(e.attrib["data-through"]) == pytest.approx(np.linalg.norm(alone.grad))


def test_infinite_gradients_that_cancel_are_nan_on_a_folded_edge_too() -> None:
    a = mg.Value(0.0, "a")
    with np.errstate(all="ignore"):
        out = F.log(a) - F.log(a) * 2.0 + (-a)
        out.backward()
    assert len(boxes(viz.draw(out, budget=3))) <= 3
    assert np.isnan(a.grad)


# --- where the gradient stops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda a: F.relu(a), ["closed: 0"]),
        (lambda a: F.relu(a + 2.0), [None]),
        (lambda a: F.maximum(a, 1.0), ["not the max: 0", None]),
        (lambda a: F.minimum(a, -2.0), ["not the min: 0", None]),
        (lambda a: F.where(False, a, 1.0), ["not taken: 0", None]),
        (lambda a: F.where(True, a, 1.0), [None, None]),
        (lambda a: F.clip(a, 0.0, 1.0), ["clipped: 0"]),
        (lambda a: F.abs(a + 1.0), ["at its kink: 0"]),
        (lambda a: a * 0.0, ["times 0: 0", None]),
        (lambda a: F.tanh(a * 3.0), [f"saturated: {1 - np.tanh(3) ** 2:.4g}"]),
        (lambda a: F.tanh(a), [None]),
        (lambda a: F.sigmoid(a - 4.0), ["saturated: 0.006648"]),
        (lambda a: F.leaky_relu(a), [None]),
    ],
)
def test_an_edge_says_where_and_why_the_gradient_stops(make: Callable[[Any], Any], said: list[str | None]) -> None:
    out = make(mg.Value(-1.0, "a"))
    out.name = "out"
    found = into(viz.draw(out), "out")
    assert [e.get("data-stop") for e in found] == said
    for e, why in zip(found, said, strict=True):
        dashes = [p.get("stroke-dasharray") for p in e.iter(f"{SVG}path") if "stroke-dasharray" in p.attrib]
        assert bool(dashes) == bool(why)
        assert (why in words(e)) if why else True


def test_closed_and_saturated_edges_look_different_and_the_legend_tells_both() -> None:
    a = mg.Value(-3.0, "a")
    picture = viz.draw(F.relu(a) + F.tanh(a))
    dashes = {
        e.attrib["data-stop"].split(":")[0]: next(
            p.attrib["stroke-dasharray"] for p in e.iter(f"{SVG}path") if "stroke-dasharray" in p.attrib
        )
        for e in edges(picture)
        if "data-stop" in e.attrib
    }
    assert set(dashes) == {"closed", "saturated"}
    assert len(set(dashes.values())) == 2
    assert {"the gradient stops here", "next to none comes through"} <= set(words(parse(picture)))
    open_gate = words(parse(viz.draw(F.relu(mg.Value(1.0)))))
    assert not {"the gradient stops here", "next to none comes through"} & set(open_gate)


def test_of_arrays_the_edge_says_which_share_of_the_gates_is_closed() -> None:
    z = mg.Tensor(RNG.normal(size=(8, 5)), requires_grad=True)
    closed = int((z.data <= 0).sum())
    out = F.relu(z)
    out.name = "out"
    (e,) = into(viz.draw(out), "out")
    assert e.get("data-stop") == f"{closed / 40:.0%} of 40 gates closed".replace("%", " %")
    big = F.maximum(z, mg.Tensor(z.data - 1.0, requires_grad=True))
    big.name = "out"
    assert [e.get("data-stop") for e in into(viz.draw(big), "out")] == [None, "100 % of 40 not the max"]
    top = z.max(axis=1)
    top.name = "out"
    assert [e.get("data-stop") for e in into(viz.draw(top), "out")] == ["80 % of 40 not the max"]


def test_a_dropped_unit_says_so() -> None:
    drop = nn.Dropout(0.5, rng=0)
    outs = drop([mg.Value(1.0, f"a{i}") for i in range(8)])
    kept = [o.data != 0 for o in outs]
    assert 0 < sum(kept) < 8
    stops = [e.get("data-stop") for e in edges(viz.draw(outs)) if "data-local" in e.attrib]
    assert stops == [None if k else "dropped: 0" for k in kept]


# --- units ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", ["tensor", "module"])
def test_each_dead_unit_carries_its_cross_and_no_other_does(detail: Any) -> None:
    model = nn.MLP(2, [6, 2], "relu", rng=3)
    model.layers[0].bias.data = np.array([0.0, -100.0, 5.0, -100.0, 5.0, 5.0])
    dead = mg.unit_health(model, X).layers[0].dead
    assert dead.sum() >= 2
    picture = viz.draw(model, detail, X=X, y=LABELS)
    cells = marked(picture, "data-unit")
    assert [c.get("data-mark") == "dead" for c in cells] == dead.tolist()
    assert [float(c.attrib["data-value"]) for c in cells] == mg.unit_health(model, X).layers[0].on_rate.tolist()
    assert f"{int(dead.sum())} of 6 units dead" in picture.svg


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "elu", "silu", "gelu", "softplus", "leaky_relu", "prelu"])
def test_saturated_units_are_those_that_the_health_report_names(activation: str) -> None:
    model = nn.MLP(2, [4, 2], activation, rng=3)
    model.layers[0].bias.data = np.array([0.0, 40.0, -40.0, 0.0])
    health = mg.unit_health(model, X).layers[0]
    cells = marked(viz.draw(model, "tensor", X=X), "data-unit")
    assert [c.get("data-mark") == "saturated" for c in cells] == (health.saturated & ~health.dead).tolist()
    assert [c.get("data-mark") == "dead" for c in cells] == health.dead.tolist()


def test_the_sigmoid_that_the_notes_write_is_one() -> None:
    def f(x: Any) -> Any:
        return 1.0 / (1.0 + np.exp(-x))

    W = mg.Tensor([[9.0, 0.0], [0.1, 0.2], [0.0, -9.0]], requires_grad=True, name="W")
    h = f(np.dot(W, np.array([[1.0], [1.0]])))  # a column: each row is a unit
    h.name = "h"
    cells = marked(viz.draw(h), "data-unit")
    assert [c.get("data-mark") for c in cells] == ["saturated", None, "saturated"]
    assert "67 % saturated (2 of 3), 0 dead" in words(named(viz.draw(h), "h"))
    v = f(mg.Value(9.0))
    assert boxes(viz.draw(v))[-1].get("data-mark") == "saturated"


def test_a_network_of_your_own_names_its_units() -> None:
    net = nn.Network(rng=0)
    net.input("x")
    net.unit("on", "relu", inputs=["x"], bias=100.0)
    net.unit("off", "relu", inputs=["x"], bias=-100.0)
    net.unit("y", "identity", inputs=["on", "off"])
    cells = marked(viz.draw(net, "tensor", X=X[:, :1]), "data-unit")
    assert [(c.attrib["data-unit"], c.get("data-mark")) for c in cells] == [("on", None), ("off", "dead")]


def test_the_legend_says_on_how_many_examples_a_unit_is_dead() -> None:
    model = nn.MLP(2, [6, 2], "relu", rng=3)
    model.layers[0].bias.data = np.full(6, -100.0)
    assert "dead on these 20 examples: activation never above 0" in words(parse(viz.draw(model, "tensor", X=X)))
    assert "dead on this one example: activation never above 0" in words(parse(viz.draw(model, "tensor", X=X[0])))
    (unit,) = {c.findtext(f"{SVG}title") for c in marked(viz.draw(model, "tensor", X=X), "data-unit")[:1]}
    assert unit == "unit 0, dead\non for 0.0 of the examples"


# --- three zooms on one model ---------------------------------------------------------------------------------------


def test_the_loss_and_all_gradients_are_those_of_training_and_nothing_is_touched() -> None:
    model = nn.MLP(2, [3, 2], "tanh", rng=0, dropout=0.5)
    model.train()
    states = [g.bit_generator.state for _, g in model.named_generators()]
    picture = viz.draw(model, "tensor", X=X, y=LABELS)
    assert [g.bit_generator.state for _, g in model.named_generators()] == states
    assert all(m.training for m in model.modules())
    assert all(p.grad is None for p in model.parameters())
    assert "dropout and noise are off" in notes(picture)
    loss = F.cross_entropy(model.eval()(X), LABELS)
    assert float(named(picture, "loss").attrib["data-value"]) == loss.item()
    loss.backward()
    for layer in model.layers:
        for p in (layer.weight, layer.bias):
            shown = words(named(picture, p.name))
            norm = float(f"{np.linalg.norm(p.grad):.4g}")
            assert float(shown[shown.index("norm") + 1]) == pytest.approx(norm, rel=1e-3)


def test_one_example_number_by_number_has_the_gradients_of_that_example() -> None:
    model = nn.MLP(2, [3, 2], "tanh", rng=0)
    picture = viz.draw(model, "scalar", X=X, y=LABELS, example=7)
    loss = F.cross_entropy(model(X[7:8]), LABELS[7:8])
    grads = mg.gradients(loss)
    assert float(named(picture, "loss").attrib["data-value"]) == pytest.approx(loss.item())
    for i in range(2):
        assert float(named(picture, f"x{i + 1}").attrib["data-value"]) == X[7, i]
    found = {}
    for b in boxes(picture):
        at = re.fullmatch(r"layers\[(\d)\]\.neurons\[(\d)\]", b.get("data-module", ""))
        if at and re.fullmatch(r"w\d|b", b.get("data-name", "")):
            found[int(at[1]), int(at[2]), b.attrib["data-name"]] = float(b.attrib["data-grad"])
    for k, layer in enumerate(model.layers):
        for i, row in enumerate(grads[layer.weight]):
            assert [found[k, i, f"w{j}"] for j in range(len(row))] == pytest.approx(row.tolist())
            assert found[k, i, "b"] == pytest.approx(grads[layer.bias][i])
    assert "example 7 of 20" in notes(picture)
    assert model.layers[0].weight.grad is None


def test_without_labels_gradients_that_are_there_are_shown_and_others_are_dashes() -> None:
    model = nn.MLP(2, [2, 1], "tanh", rng=0)
    assert words(named(viz.draw(model, "tensor", X=X), "W1"))[-1] == "–"
    model(X).sum().backward()
    shown = words(named(viz.draw(model, "tensor", X=X), "W1"))
    assert shown[shown.index("norm") + 1] == f"{np.linalg.norm(model.layers[0].weight.grad):.4g}"


def test_neurons_asked_for_are_open_and_every_other_is_one_box() -> None:
    model = nn.MLP(2, [4, 3, 2], "relu", rng=0)
    picture = viz.draw(model, X=X, y=LABELS, neurons=["layers[0].neurons[2]", "layers[1].neurons[0]"])
    folded = {b.attrib["data-module"] for b in boxes(picture) if b.attrib["data-kind"] == "group"}
    everything = {f"layers[{k}].neurons[{i}]" for k, n in enumerate([4, 3, 2]) for i in range(n)}
    opened = {"layers[0].neurons[2]", "layers[1].neurons[0]"}
    assert folded == everything - opened
    inside = [b for b in boxes(picture) if b.get("data-module") in opened]
    assert all(b.attrib["data-kind"] != "group" for b in inside)
    assert sum(b.get("data-op") == "mul" for b in inside) == 2 + 4
    for wanted, count in (("layers[0]", 4), (2, 2), ("layers[*].neurons[0]", 3), ("neurons[?]", 9)):
        left = [b for b in boxes(viz.draw(model, X=X, neurons=wanted)) if b.attrib["data-kind"] == "group"]
        assert len(left) == 9 - count


def test_neurons_that_are_too_large_to_be_opened_are_not_folded_in_silence() -> None:
    model = nn.MLP(2, [30, 30, 2], "relu", rng=0)
    said = "the neurons asked for have"
    assert said in notes(viz.draw(model, X=X, y=LABELS, neurons="layers[1].neurons[7]", budget=60))
    assert said not in notes(viz.draw(model, X=X, y=LABELS, neurons="layers[1].neurons[7]"))


def test_too_many_arrows_are_folded_too() -> None:
    model = nn.MLP(16, [32, 10], "relu", rng=0)
    many, labels = RNG.normal(size=(5, 16)), RNG.integers(0, 10, 5)
    picture = viz.draw(model, "scalar", X=many, y=labels)
    assert len(edges(picture)) <= 600
    closed = int((model.layers[0](many[:1]).data == 0).sum())
    (first,) = [b for b in boxes(picture) if b.get("data-module") == "layers[0]"]
    assert f"{closed} of 32 closed" in words(first)
    opened = viz.draw(model, X=many, y=labels, neurons="layers[1].neurons[3]")
    assert (
        sum(b.get("data-module") == "layers[1].neurons[3]" and b.get("data-op") == "mul" for b in boxes(opened)) == 32
    )
    assert len(edges(opened)) <= 600
    assert len(edges(viz.draw(nn.MLP(64, [128, 10], rng=0)))) <= 400


def test_a_neuron_that_there_is_not_is_an_error_that_names_near_ones() -> None:
    with pytest.raises(ValueError, match=r"Did you mean layers\[0\]\.neurons\[3\]"):
        viz.draw(nn.MLP(2, [4, 1], rng=0), X=X, neurons="layers[0].neurons[13]")
    with pytest.raises(ValueError, match="detail"):
        viz.draw(nn.MLP(2, [4, 1], rng=0), "module", X=X, neurons=0)


def test_details_are_zooms_on_the_same_model() -> None:
    model = nn.MLP(2, [3, 1], "tanh", rng=0)
    module = [b for b in boxes(viz.draw(model, "module", X=X)) if b.attrib["data-kind"] == "group"]
    assert [b.attrib["data-module"] for b in module] == ["layers[0]", "layers[1]"]
    tensor = boxes(viz.draw(model, "tensor", X=X))
    assert sum(b.get("data-op") == "tanh" for b in tensor) == 1
    assert not any(b.attrib["data-kind"] == "group" for b in tensor)
    scalar = boxes(viz.draw(model, "scalar", X=X))
    assert sum(b.get("data-op") == "tanh" for b in scalar) == 3
    assert all(b.attrib["data-kind"] == "scalar" for b in scalar)
    assert len(boxes(viz.draw(model, X=X))) == len(scalar)  # the finest that fits
    assert len(boxes(viz.draw(model, X=X, budget=20))) == len(tensor)
    assert len(boxes(viz.draw(model, X=X, budget=4))) <= 4


def test_frames_say_what_kind_of_module_they_are() -> None:
    root = parse(viz.draw(nn.MLP(2, [3, 1], "tanh", rng=0), "tensor", X=X))
    assert {"layers[0] · Layer(2 → 3), tanh", "layers[1] · Layer(3 → 1), identity"} <= set(words(root))
    assert {f.attrib["data-frame"] for f in root.iter() if "data-frame" in f.attrib} == {"layers[0]", "layers[1]"}


def test_graphs_of_numbers_fold_into_neurons_and_layers() -> None:
    out = nn.MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0])
    for detail, modules in (
        ("tensor", {f"layers[0].neurons[{i}]" for i in range(3)} | {"layers[1].neurons[0]"}),
        ("module", {"layers[0]", "layers[1]"}),
        ("scalar", set()),
    ):
        picture = viz.draw(out, detail)  # type: ignore[arg-type]
        assert {b.attrib["data-module"] for b in boxes(picture) if b.attrib["data-kind"] == "group"} == modules


def test_a_graph_of_arrays_has_no_box_a_number() -> None:
    out = nn.MLP(2, [3, 1], rng=0)(X).sum()
    with pytest.raises(ValueError, match=r'viz\.draw\(model, X=\.\.\., detail="scalar"\)'):
        viz.draw(out, "scalar")
    assert len(boxes(viz.draw(mg.Tensor(2.0, requires_grad=True) * 3.0, "scalar"))) == 3


@pytest.mark.parametrize(
    ("sizes", "y", "loss"),
    [
        ([3, 2], LABELS, "cross_entropy"),
        ([3, 1], LABELS, "binary_cross_entropy_with_logits"),
        ([3, 1], 2 * LABELS - 1, "hinge_loss"),
        ([3, 1], X[:, 0], "mse_loss"),
        ([3, 2], X, "mse_loss"),
        ([3, 1], X[:, :1], "mse_loss"),
    ],
)
@pytest.mark.parametrize("detail", ["scalar", "tensor"])
def test_the_loss_suits_the_labels(sizes: list[int], y: Any, loss: str, detail: Any) -> None:
    model = nn.MLP(2, sizes, "tanh", rng=0)
    picture = viz.draw(model, detail, X=X, y=y)
    assert f"loss: {loss}" in notes(picture)
    rows = slice(0, 1) if detail == "scalar" else slice(None)
    target = y[rows].reshape(-1, 1) if loss == "mse_loss" and sizes[-1] == 1 else y[rows]
    wanted = getattr(F, loss)(model(X[rows]), target).item()
    assert float(named(picture, "loss").attrib["data-value"]) == pytest.approx(wanted)


def test_labels_of_a_batch_are_called_y() -> None:
    picture = viz.draw(nn.MLP(2, [3, 1], rng=0), "tensor", X=X, y=LABELS)
    assert named(picture, "y").attrib["data-kind"] == "tensor"


def test_a_loss_that_only_knows_arrays_is_drawn_on_arrays() -> None:
    def mine(out: Any, y: Any) -> Any:
        return ((out - y[:, None]) ** 2).mean()

    model = nn.MLP(2, [3, 1], rng=0)
    picture = viz.draw(model, X=X, y=LABELS, loss=mine)
    assert float(named(picture, "loss").attrib["data-value"]) == pytest.approx(mine(model(X), LABELS).item())
    with pytest.raises(TypeError, match=r"loss mine cannot be computed on numbers.*detail='tensor'"):
        viz.draw(model, "scalar", X=X, y=LABELS, loss=mine)


def test_what_does_not_fit_is_said_in_words() -> None:
    model = nn.MLP(2, [3, 1], rng=0)
    for wrong, match in (
        ({"y": LABELS}, "no X"),
        ({"X": X, "y": LABELS[:3]}, "20 and y 3"),
        ({"X": X, "y": LABELS + 3}, "say which loss"),
        ({"X": X, "y": LABELS, "loss": "huber"}, "cross_entropy"),
        ({"X": X[:0]}, "no example"),
        ({"X": X, "highlight": "layer[0]"}, r"Did you mean layers\[0\]"),
        ({"X": X, "detail": "atom"}, "detail must be"),
        ({"detail": "scalar"}, "no X"),
        ({"neurons": 1}, "no X"),
        ({"X": X, "loss": "mse_loss"}, "a loss needs labels"),
        ({"X": RNG.normal(size=(4, 3)), "detail": "scalar"}, r"takes 2 inputs.* got shape \(4, 3\)"),
        ({"X": X, "budget": "many"}, "budget is a whole number"),
    ):
        with pytest.raises(ValueError, match=match):
            viz.draw(model, **wrong)  # type: ignore[arg-type]
    with pytest.raises(IndexError, match="20 examples"):
        viz.draw(model, "scalar", X=X, example=20)
    with pytest.raises(TypeError, match="example is the number of a row"):
        viz.draw(model, X=X, example=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"highlight takes nodes.* not 3"):
        viz.draw(model, X=X, highlight=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="leave them out"):
        viz.draw(mg.Value(1.0), X=X)
    with pytest.raises(TypeError, match="numbers"):
        viz.draw(model, X=[["a", "b"]])


class Rows(nn.Module):
    """A module that only knows arrays."""

    def __init__(self) -> None:
        self.weight = mg.Tensor(np.ones((2, 2)), requires_grad=True, name="W")

    def forward(self, x: Any) -> Any:
        return F.relu((x @ self.weight).reshape(-1, 2))


def test_a_module_of_ones_own_is_drawn_on_arrays() -> None:
    assert any(b.get("data-op") == "relu" for b in boxes(viz.draw(Rows(), X=X)))
    with pytest.raises(TypeError, match="detail='tensor'"):
        viz.draw(Rows(), "scalar", X=X)
    with pytest.raises(TypeError, match=r"viz\.draw\(model, X=X\)"):
        viz.draw(Rows())


# --- wiring ---------------------------------------------------------------------------------------------------------


def wired() -> nn.Network:
    net = nn.Network(rng=0)
    net.input("a")
    net.input("b")
    net.unit("h", "tanh", inputs=["a", "b"], bias=0.25)
    net.unit("y", "identity", inputs=["h", "a"])
    return net


def test_a_network_without_an_input_is_its_wiring() -> None:
    net = wired()
    picture = viz.draw(net)
    name = {b.attrib["data-box"]: b.attrib["data-name"] for b in boxes(picture)}
    found = {
        (name[e.attrib["data-tail"]], name[e.attrib["data-head"]]): float(e.attrib["data-weight"])
        for e in edges(picture)
    }
    assert found == {edge: net.weight_of(*edge) for edge in net.edges}
    assert float(named(picture, "h").attrib["data-value"]) == 0.25
    assert "tanh" in words(named(picture, "h"))
    for e in edges(picture):
        weight = float(e.attrib["data-weight"])
        assert e.find(f"{SVG}path").attrib["stroke"] == ("#0b5fa5" if weight > 0 else "#b35806")  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="no units"):
        viz.draw(nn.Network())


def test_the_wiring_of_an_mlp_is_that_of_its_network_and_folds() -> None:
    model = nn.MLP(3, [4, 2], "tanh", rng=0)
    assert len(edges(viz.draw(model))) == 3 * 4 + 4 * 2
    picture = viz.draw(model, budget=3)
    assert len(boxes(picture)) <= 3
    assert "units folded into" in notes(picture)
    assert len(boxes(viz.draw(model, "module"))) == 3 + 2


# --- in which order it is read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", ["module", "tensor", "scalar"])
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_inputs_are_read_first_then_module_by_module(detail: Any, direction: str) -> None:
    model = nn.MLP(2, [3, 2], "tanh", rng=0)
    drawn = boxes(viz.draw(model, detail, X=X, y=LABELS, direction=direction))
    assert [int(b.attrib["data-box"]) for b in drawn] == list(range(len(drawn)))
    inputs = ["X"] if detail != "scalar" else ["x1", "x2"]
    assert [b.attrib["data-name"] for b in drawn[: len(inputs)]] == inputs
    modules = [b.get("data-module", "") for b in drawn[len(inputs) :]]
    visits = [m for m, before in zip(modules, ["", *modules], strict=False) if m != before and m]
    assert len(visits) == len(set(visits))  # none is left and come back to
    assert visits[0].startswith("layers[0]")
    assert drawn[-1].attrib["data-name"] == "loss"


def test_without_modules_boxes_are_read_column_by_column_from_the_top() -> None:
    a, b, c = (mg.Value(x, name) for x, name in ((1.0, "a"), (2.0, "b"), (3.0, "c")))
    picture = viz.draw(F.tanh(a * b + c) * a + b)
    graph = picture._sheet.graph
    assert graph is not None
    places = [(round(x), y) for x, y in graph.placed.boxes]
    assert places == sorted(places)


def test_the_tables_have_whole_names_and_hover_texts_the_formula() -> None:
    long = "weight of the edge from here to there " * 4
    a, b = mg.Value(2.0, long), mg.Value(3.0, "b")
    out = a * b + 1.0
    out.name = "out"
    tables = {t.caption: t for t in viz.draw(out)._sheet.tables}
    assert long in [row[1] for row in tables["Boxes"].rows]
    told = [b.findtext(f"{SVG}title") for b in boxes(viz.draw([a * b, out]))]
    assert any("= 6 + 1" in (t or "") for t in told)
    assert any(f"= {long}·b" in (t or "") for t in told)


def test_what_is_nan_or_infinite_is_outlined_and_the_legend_says_so() -> None:
    a = mg.Value(0.0, "a")
    with np.errstate(all="ignore"):
        out = 1.0 / a
        out.backward()
    picture = viz.draw(out)
    assert "NaN or infinite" in words(parse(picture))
    assert "NaN or infinite" not in words(parse(viz.draw(mg.Value(0.0) * 2.0)))
    (rect,) = [r for r in named(picture, "a").iter(f"{SVG}rect") if r.get("stroke-width") == "3"]  # its gradient is
    assert rect.attrib["fill"] == "none"


# --- what is shown, and what is marked ------------------------------------------------------------------------------


def test_values_gradients_and_derivatives_can_be_left_out() -> None:
    a, b = mg.Value(3.0, "a"), mg.Value(0.5, "b")
    out = a * b
    out.backward()

    def shown(**what: bool) -> set[str]:
        picture = viz.draw(out, **what)  # type: ignore[arg-type]
        return {t for g in (*boxes(picture), *edges(picture)) for t in words(g)}

    assert {"3.0", "grad", "+1.0", "b = 0.5"} <= shown()
    assert not {"3.0", "1.5"} & shown(values=False)
    assert not {"grad", "+1.0"} & shown(gradients=False)
    assert not {"b = 0.5", "a = 3.0"} & shown(local_derivatives=False)
    assert shown(values=False, gradients=False, local_derivatives=False) == {"a", "b", "×", "mul"}
    widths = {
        e.find(f"{SVG}path").attrib["stroke-width"]  # type: ignore[union-attr]
        for e in edges(viz.draw(out, gradients=False))
    }
    assert len(widths) == 1


def test_nodes_names_and_modules_are_highlighted_and_nothing_else() -> None:
    model = nn.MLP(2, [3, 1], "tanh", rng=0)
    out = model([mg.Value(1.0, "x1"), mg.Value(2.0, "x2")])

    def lit(*highlight: Any, detail: Any = None) -> list[str]:
        picture = viz.draw(out, detail, highlight=highlight)
        assert ("highlighted" in words(parse(picture))) is True
        return [b.get("data-name", "") for b in boxes(picture) if "data-highlighted" in b.attrib]

    assert lit("x1") == ["x1"]
    assert lit("x?") == ["x1", "x2"]
    assert lit(out) == [""]
    assert lit("layers[0].neurons[1]") == []  # its frame is
    assert lit("layers[0].neurons[1]", detail="tensor") == ["neurons[1]"]
    assert sorted(lit("layers[*]", detail="module")) == ["layers[0]", "layers[1]"]
    assert lit("neurons[1]", detail="module") == ["layers[0]"]
    with pytest.raises(ValueError, match="not part of this graph"):
        lit(mg.Value(1.0))


def test_too_long_a_layout_is_drawn_coarser_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from viz.graph import _svg
    from viz.graph._layout import LayoutTimeout, lay_out

    def slow(sizes: Any, *rest: Any) -> Any:
        if len(sizes) > 30:
            raise LayoutTimeout("Graphviz took more than 10 s")
        return lay_out(sizes, *rest)

    monkeypatch.setattr(_svg, "lay_out", slow)
    picture = viz.draw(nn.MLP(2, [3, 1], "tanh", rng=0)([1.0, 2.0]))
    assert len(boxes(picture)) <= 30
    assert "drawn coarser" in notes(picture)
    assert "folded into" in notes(picture)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("activation", ["relu", "prelu", "maxout"])
def test_any_layer_is_drawn_at_any_detail_in_any_theme(theme: Any, activation: str) -> None:
    model = nn.MLP(2, [3, 2], activation, rng=0)
    for detail in ("module", "tensor", "scalar"):
        root = parse(viz.draw(model, detail, X=X, y=LABELS, theme=theme))  # type: ignore[arg-type]
        assert min(float(t.attrib["font-size"]) for t in root.iter(f"{SVG}text")) >= 11


@pytest.mark.parametrize("detail", [None, "scalar", "tensor", "module"])
def test_one_neuron_of_a_layer_is_drawn_too(detail: Any) -> None:
    model = mg.nn.MLP(2, [3, 1], "tanh", rng=0)
    neuron = model.layers[0].neurons[1]
    X = [0.5, -1.0] if detail in (None, "scalar") else [[0.5, -1.0], [1.0, 2.0]]
    picture = viz.draw(neuron, detail, X=X)
    assert "tanh" in picture.svg
    if detail in (None, "scalar"):
        assert number(float(neuron([0.5, -1.0]).data)) in picture.svg


def test_numbers_run_from_left_to_right_and_many_wide_arrays_from_top_to_bottom() -> None:
    model, X = mg.nn.MLP(2, [3, 2], "tanh", rng=0), [[0.5, -1.0], [1.0, 2.0]]
    shapes = {}
    for detail in ("module", "tensor", "scalar"):
        root = ET.fromstring(viz.draw(model, detail, X=X, y=[0, 1]).svg)  # type: ignore[arg-type]
        shapes[detail] = float(root.attrib["width"]) > float(root.attrib["height"])
    assert shapes == {"module": True, "tensor": False, "scalar": True}
    root = ET.fromstring(viz.draw(model, "tensor", X=X, y=[0, 1], direction="LR").svg)
    assert float(root.attrib["width"]) > float(root.attrib["height"])


def test_the_table_has_the_numbers_of_arrays_in_full() -> None:
    W = mg.Tensor([[1.0, -2.0], [0.5, 4.0]], requires_grad=True, name="W")
    loss = (W * W).sum()
    loss.backward()
    table = viz.draw(loss)._sheet.tables[0]
    (row,) = (dict(zip(table.columns, row, strict=True)) for row in table.rows if row[1] == "W")
    assert (row["mean"], row["std"]) == (np.mean(W.data), pytest.approx(np.std(W.data), rel=1e-15))
    assert row["norm of gradient"] == pytest.approx(np.linalg.norm(2 * W.data), rel=1e-15)


def test_examples_without_their_name_are_told_how_to_be_given() -> None:
    with pytest.raises(TypeError, match=r"viz\.draw\(model, X=X, y=y\)"):
        viz.draw(mg.nn.MLP(2, [1], rng=0), np.ones((3, 2)))  # type: ignore[arg-type]
