"""The neuron diagram, read back out of the SVG as data and held against the model and its health report."""

from __future__ import annotations

import copy
import math
import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn import nn
from viz._text import signed, width
from viz._theme import THEMES
from viz.neurons._columns import Glyph, stand
from viz.neurons._wires import point_at

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]


def parse(picture: viz.Picture) -> ET.Element:
    return ET.fromstring(picture.svg)


def with_data(picture: viz.Picture, key: str) -> list[ET.Element]:
    return [e for e in parse(picture).iter() if f"data-{key}" in e.attrib]


def edges(picture: viz.Picture) -> dict[tuple[str, str], ET.Element]:
    return {(e.attrib["data-tail"], e.attrib["data-head"]): e for e in with_data(picture, "edge")}


def units(picture: viz.Picture) -> dict[str, ET.Element]:
    return {e.attrib["data-unit"]: e for e in with_data(picture, "unit")}


def texts(element: ET.Element) -> list[str]:
    return [t.text or "" for t in element.iter(f"{SVG}text")]


def hover(element: ET.Element) -> str:
    return element.findtext(f"{SVG}title") or ""


def line(edge: ET.Element) -> ET.Element:
    found = edge.find(f"{SVG}path")
    assert found is not None
    return found


def moved(element: ET.Element) -> Point:
    x, y = re.findall(r"-?[\d.]+", element.attrib["transform"])
    return float(x), float(y)


def way(edge: ET.Element) -> list[Point]:
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", line(edge).attrib["d"])]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def half(unit: ET.Element) -> float:
    """From a unit's middle to its outline, ring left out."""
    sizes = [float(e.attrib["r"]) for e in unit.iter(f"{SVG}circle")]
    sizes += [float(e.attrib["width"]) / 2 for e in unit.iter(f"{SVG}rect")]
    return max(sizes)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def planted() -> tuple[nn.MLP, Any]:
    """A network with dead and saturated units, and the examples they are so on."""
    model = nn.MLP(4, [6, 5, 3], ["tanh", "relu"], rng=0)
    model.layers[0].bias.data = np.array([0.0, 50.0, 0.0, -50.0, 0.0, 0.0])
    model.layers[1].bias.data = np.array([0.0, 0.0, -60.0, 0.0, -60.0])
    return model, rng().normal(size=(40, 4))


def skipping() -> nn.Network:
    net = nn.Network(rng=1)
    a, b, c = (net.input(f"x{i}") for i in (1, 2, 3))
    h1, h2, h3 = net.unit("h1", "tanh", [a, b]), net.unit("h2", "relu", [b, c]), net.unit("h3", "tanh", [a, c])
    g1, g2 = net.unit("g1", "tanh", [h1, h2, c]), net.unit("g2", "relu", [h2, h3, a])
    k = net.unit("k", "tanh", [g1, g2, h1, b])
    net.unit("out", "identity", [k, g1, h3, a])
    net.unit("aux", "identity", [g2, h2])
    return net


# --- edges ----------------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=4), st.integers(0, 2**32 - 1))
def test_every_weight_has_an_edge_of_its_hue_width_and_number(sizes: list[int], seed: int) -> None:
    model = nn.MLP(sizes[0], sizes[1:], "tanh", rng=seed)
    drawn = edges(viz.draw_network(model))
    assert len(drawn) == sum(layer.weight.size for layer in model.layers)
    for k, layer in enumerate(model.layers):
        below = "inputs" if k == 0 else f"layers[{k - 1}]"
        w = layer.weight.data
        widest = np.abs(w).max()
        full = max(float(line(e).attrib["stroke-width"]) for (_, h), e in drawn.items() if h.startswith(f"layers[{k}]"))
        for j, i in np.ndindex(w.shape):
            edge = drawn[f"{below}[{i}]", f"layers[{k}][{j}]"]
            assert float(edge.attrib["data-value"]) == w[j, i]
            assert repr(float(w[j, i])) in hover(edge)
            assert line(edge).attrib["stroke"] == THEMES["light"]["positive" if w[j, i] > 0 else "negative"]
            share = abs(w[j, i]) / widest
            assert float(line(edge).attrib["stroke-width"]) == pytest.approx(max(0.5, full * share), abs=2e-3)


def test_widths_are_measured_against_the_layers_largest_also_where_it_is_not_drawn() -> None:
    model = nn.Linear(30, 1, rng=0)
    model.weight.data = np.full((1, 30), 0.25)
    model.weight.data[0, 20] = -1.0
    picture = viz.draw_network(model)
    widths = {float(line(e).attrib["stroke-width"]) for e in edges(picture).values()}
    sample = max(float(e.attrib["stroke-width"]) for e in parse(picture).iter(f"{SVG}line"))
    assert widths == {0.25 * sample}
    assert "widest edge 1.0" in texts(parse(picture))


def test_a_weight_of_zero_has_no_sign() -> None:
    model = nn.Linear(2, 1, rng=0)
    model.weight.data = np.array([[0.0, 2.0]])
    drawn = edges(viz.draw_network(model))
    assert line(drawn["inputs[0]", "Linear[0]"]).attrib["stroke"] == THEMES["light"]["grey"]


def test_few_edges_carry_their_numbers_with_the_sign_written() -> None:
    model = nn.Linear(2, 2, rng=0)
    model.weight.data = np.array([[0.125, -0.5], [0.75, 2.0]])
    shown = texts(parse(viz.draw_network(model)))
    assert {"+0.125", "\u22120.5", "+0.75", "+2.0"} <= set(shown)


@pytest.mark.parametrize("sizes", [[2, 8, 6, 2], [8, 8], [30, 20, 10], [5, 7]], ids=str)
def test_every_edge_tells_its_sign_without_its_colour(sizes: list[int]) -> None:
    """By its number; where that is not printed, negative edges are hollow, or dashed where too thin for that."""
    picture = viz.draw_network(nn.MLP(sizes[0], sizes[1:], rng=1))
    drawn, printed, ways = edges(picture), texts(parse(picture)), set()
    for edge in drawn.values():
        value, wide = float(edge.attrib["data-value"]), float(line(edge).attrib["stroke-width"])
        hollow, dashed = len(edge.findall(f"{SVG}path")) == 2, "stroke-dasharray" in line(edge).attrib
        if len(drawn) > 40 or signed(value) not in printed:
            assert (hollow, dashed) == (value < 0 and wide >= 2, value < 0 and wide < 2)
            ways.add((hollow, dashed))
        else:
            assert not hollow
            assert not dashed
    assert ("hollow or dashed: negative" in printed) == bool(ways - {(False, False)})
    assert len(ways) == (3 if len(drawn) > 40 else len(ways))


def test_gradients_are_the_engines_and_leave_the_model_as_it_was() -> None:
    model, X = planted()
    y = rng(1).integers(0, 3, len(X))
    model.layers[0].weight.grad = kept = np.ones((6, 4))
    drawn = edges(viz.draw_network(model, X, y, edges="gradient", most_edges=999))
    assert model.layers[0].weight.grad is kept
    assert model.layers[1].weight.grad is None
    model.zero_grad()
    F.cross_entropy(model(mg.Tensor(X)), y).backward()
    for k, layer in enumerate(model.layers):
        below = "inputs" if k == 0 else f"layers[{k - 1}]"
        for j, i in np.ndindex(layer.weight.shape):
            edge = drawn[f"{below}[{i}]", f"layers[{k}][{j}]"]
            assert float(edge.attrib["data-value"]) == pytest.approx(layer.weight.grad[j, i], rel=1e-12, abs=1e-18)
    again = edges(viz.draw_network(model, edges="gradient", most_edges=999))
    assert float(again["layers[0][0]", "layers[1][1]"].attrib["data-value"]) == layer_grad(model, 1)[1, 0]


def layer_grad(model: nn.MLP, k: int) -> Any:
    return model.layers[k].weight.grad


def test_the_loss_of_gradients_can_be_chosen() -> None:
    model, X = nn.Linear(2, 1, rng=0), rng().normal(size=(8, 2))
    y = rng(1).normal(size=(8, 1))
    drawn = edges(viz.draw_network(model, X, y, edges="gradient", loss="mse_loss"))
    by_hand = 2 * ((X @ model.weight.data.T + model.bias.data - y) * X).mean(0)
    for i in range(2):
        assert float(drawn[f"inputs[{i}]", "Linear[0]"].attrib["data-value"]) == pytest.approx(by_hand[i])


@pytest.mark.parametrize(
    ("y", "width", "loss"),
    [
        (np.array([0, 1] * 4), 1, "binary_cross_entropy_with_logits"), (np.array([-1, 1] * 4), 1, "hinge_loss"),
        (np.linspace(0, 1, 8), 1, "mse_loss"), (np.array([0, 1, 2, 1] * 2), 3, "cross_entropy"),
    ],
)  # fmt: skip
def test_the_loss_is_the_one_that_draw_chooses(y: Any, width: int, loss: str) -> None:
    model, X = nn.MLP(2, [3, width], rng=0), rng().normal(size=(8, 2))
    picture = viz.draw_network(model, X, y, edges="gradient")
    assert f"loss: {loss}, mean over 8 examples" in texts(parse(viz.draw(model, "module", X=X, y=y)))
    assert f"Loss: {loss} on these 8 examples." in texts(parse(picture))
    labels = y.reshape(8, 1).astype(float) if width == 1 and loss != "hinge_loss" else y
    mg.training.LOSSES[loss](model(mg.Tensor(X)), labels).backward()
    for (tail, head), edge in edges(picture).items():
        k, j, i = int(head[7]), int(head[-2]), int(tail[-2])
        assert float(edge.attrib["data-value"]) == pytest.approx(model.layers[k].weight.grad[j, i], rel=1e-12)


def test_a_network_takes_its_examples_by_name() -> None:
    net, X = nn.Network.from_mlp(nn.MLP(2, [3, 1], rng=0)), rng().normal(size=(8, 2))
    first, second = net.inputs
    picture = viz.draw_network(net, {second: X[:, 1], first: X[:, 0].tolist()})
    assert picture.svg == viz.draw_network(net, X).svg
    assert viz.draw_network(net, {first: 0.5, second: -1.0}).svg == viz.draw_network(net, [0.5, -1.0]).svg
    with pytest.raises(ValueError, match=r"all equally long, not \[\(1,\), \(8,\)\]\.$"):
        viz.draw_network(net, {first: X[:, 0], second: 1.0})


def test_updates_are_what_was_added() -> None:
    model = nn.MLP(2, [3, 1], rng=0)
    before = model.state_dict()
    step = rng().normal(size=(3, 2))
    model.layers[0].weight.data = model.layers[0].weight.data + step
    drawn = edges(viz.draw_network(model, edges="update", before=before))
    for j, i in np.ndindex(3, 2):
        edge = drawn[f"inputs[{i}]", f"layers[0][{j}]"]
        assert float(edge.attrib["data-value"]) == pytest.approx(step[j, i])
        assert repr(float(model.layers[0].weight.data[j, i])) in hover(edge)
    assert float(drawn["layers[0][0]", "layers[1][0]"].attrib["data-value"]) == 0


def test_a_maxout_edge_is_its_strongest_piece_and_tells_all() -> None:
    model = nn.Maxout(2, 3, k=3, rng=0)
    drawn = edges(viz.draw_network(model))
    for j, i in np.ndindex(3, 2):
        pieces = model.weight.data[:, j, i]
        edge = drawn[f"inputs[{i}]", f"Maxout[{j}]"]
        assert float(edge.attrib["data-value"]) == pieces[np.abs(pieces).argmax()]
        assert all(repr(float(w)) in hover(edge) for w in pieces)
    assert "3 maxout of 3 pieces · outputs" in texts(parse(viz.draw_network(model)))


def test_past_most_edges_only_the_strongest_are_drawn_and_it_says_so() -> None:
    model = nn.MLP(6, [8, 5], rng=0)
    drawn = edges(viz.draw_network(model, most_edges=30))
    assert len(drawn) == 30
    shares = {
        (f"{below}[{i}]", f"layers[{k}][{j}]"): abs(w[j, i]) / np.abs(w).max()
        for k, below in ((0, "inputs"), (1, "layers[0]"))
        for w in [model.layers[k].weight.data]
        for j, i in np.ndindex(w.shape)
    }
    assert set(drawn) == set(sorted(shares, key=lambda e: -shares[e])[:30])
    assert any("30 of 88 are drawn, the strongest" in t for t in texts(parse(viz.draw_network(model, most_edges=30))))
    assert not edges(viz.draw_network(model, most_edges=0))


# --- units ----------------------------------------------------------------------------------------------------------


def test_marks_and_numbers_are_those_of_unit_health() -> None:
    model, X = planted()
    picture, report = viz.draw_network(model, X), mg.unit_health(model, X)
    assert report.layers[1].dead.sum() >= 2
    assert report.layers[0].saturated.sum() >= 2
    drawn = units(picture)
    for h in report.layers:
        for i in range(len(h)):
            unit = drawn[f"{h.name}[{i}]"]
            assert unit.attrib.get("data-mark") == ("dead" if h.dead[i] else "saturated" if h.saturated[i] else None)
            marks = [e.attrib["data-mark"] for e in unit.iter() if e is not unit and "data-mark" in e.attrib]
            assert marks == ([unit.attrib["data-mark"]] if "data-mark" in unit.attrib else [])
            assert float(unit.attrib["data-value"]) == h.mean[i]
            assert f"on-rate {float(h.on_rate[i])!r}" in hover(unit)
            ring = [float(e.attrib["data-on-rate"]) for e in unit.iter() if "data-on-rate" in e.attrib]
            assert ring == ([h.on_rate[i]] if h.on_rate[i] > 0 else [])
    for name, column in (("inputs", X), ("layers[2]", model(X).data)):
        for i in range(column.shape[1]):
            assert float(drawn[f"{name}[{i}]"].attrib["data-value"]) == pytest.approx(column[:, i].mean())
            assert "data-mark" not in drawn[f"{name}[{i}]"].attrib
    shown = texts(parse(picture))
    assert f"dead on these {len(X)} examples: activation never above 0" in shown
    assert f"saturated: f′(z) / max f′ < {report.flat:g} on ≥ 95 % of these {len(X)} examples" in shown
    dead, stuck = sum(h.dead.sum() for h in report.layers), sum(h.saturated.sum() for h in report.layers)
    assert f"Mean activations on these {len(X)} examples: {dead} units dead, {stuck} saturated." in shown


def test_fill_is_the_sign_and_size_of_the_mean() -> None:
    model, X = planted()
    drawn = units(viz.draw_network(model, X))
    for column in ("inputs", "layers[0]", "layers[2]"):
        here = [u for name, u in drawn.items() if name.startswith(column)]
        fills = [next(e for e in u.iter() if "data-fill" in e.attrib) for u in here]
        means = [float(u.attrib["data-value"]) for u in here]
        most = max(float(f.attrib["fill-opacity"]) for f in fills)
        for fill, mean in zip(fills, means, strict=True):
            assert fill.attrib["fill"] == THEMES["light"]["positive" if mean > 0 else "negative"]
            share = float(fill.attrib["fill-opacity"]) / most
            assert share == pytest.approx(abs(mean) / max(map(abs, means)), abs=1e-3)


def test_of_one_example_the_circles_show_its_activations() -> None:
    model, x = nn.MLP(3, [4, 2], "tanh", rng=0), [1.0, -0.5, 2.0]
    drawn = units(viz.draw_network(model, x))
    hidden = model.layers[0](np.array([x])).data[0]
    for name, values in (("inputs", x), ("layers[0]", hidden), ("layers[1]", model(np.array([x])).data[0])):
        for i, a in enumerate(values):
            shown = next(float(t.replace("\u2212", "-")) for t in texts(drawn[f"{name}[{i}]"]) if t[0] in "+\u2212")
            assert shown == float(f"{a:.4g}")


def test_hidden_units_are_counted_with_their_marks() -> None:
    model = nn.MLP(20, [30, 13, 2], rng=0)
    model.layers[0].bias.data[[2, 15, 20, 29]] = -1000.0
    picture = viz.draw_network(model, rng().normal(size=(25, 20)))
    assert mg.unit_health(model, rng().normal(size=(25, 20))).layers[0].dead.sum() == 4
    more = {e.attrib["data-layer"]: e for e in with_data(picture, "more")}
    assert {name: int(e.attrib["data-more"]) for name, e in more.items()} == {
        "inputs": 8, "layers[0]": 18, "layers[1]": 1,
    }  # fmt: skip
    assert texts(more["layers[0]"]) == ["18 more", "2 dead"]  # 2 and 29 are drawn
    assert "dead: 15, 20" in hover(more["layers[0]"])
    drawn = [name for name in units(picture) if name.startswith("layers[0]")]
    assert drawn == [f"layers[0][{i}]" for i in [*range(11), 29]]


def test_functions_between_layers_belong_to_the_layer_before() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), F.relu, nn.Dropout(0.5), nn.Linear(4, 2, rng=1), nn.PReLU(2))
    model.layers[0].bias.data = np.array([0.0, -99.0, 0.0, 0.0])
    X = rng().normal(size=(30, 3))
    picture = viz.draw_network(model, X)
    report = mg.unit_health(model, X)
    assert [h.name for h in report.layers] == ["layers[1]", "layers[4]"]
    drawn = units(picture)
    for column, h in (("layers[0]", report.layers[0]), ("layers[3]", report.layers[1])):
        assert [float(drawn[f"{column}[{i}]"].attrib["data-value"]) for i in range(len(h))] == h.mean.tolist()
    assert drawn["layers[0][1]"].attrib["data-mark"] == "dead"
    assert "slope below 0: 0.25" in hover(drawn["layers[3][0]"])
    assert {"4 relu", "16 parameters, dropout 0.5", "2 prelu · outputs"} <= set(texts(parse(picture)))
    assert all(part.training for part in model.modules())


def test_softmax_at_the_end_shows_probabilities() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), F.softmax)
    X = rng().normal(size=(9, 3))
    drawn = units(viz.draw_network(model, X))
    found = [float(drawn[f"layers[0][{i}]"].attrib["data-value"]) for i in range(4)]
    assert found == pytest.approx(model(mg.Tensor(X)).data.mean(0))


def test_a_layer_used_twice_is_two_columns() -> None:
    layer = nn.Layer(3, 3, "tanh", rng=0)
    model = nn.Sequential(layer, layer)
    X = rng().normal(size=(7, 3))
    drawn = units(viz.draw_network(model, X))
    for name, h in zip(("layers[0]", "layers[0] #2"), mg.unit_health(model, X).layers, strict=True):
        assert [float(drawn[f"{name}[{i}]"].attrib["data-value"]) for i in range(3)] == h.mean.tolist()


@pytest.mark.parametrize(
    "model",
    [nn.Neuron(3, "tanh", rng=0), nn.Layer(3, 2, "relu", rng=0), nn.Linear(3, 2, rng=0), nn.Maxout(3, 2, rng=0),
     nn.Layer(3, 2, "tanh", rng=0).neurons[1], nn.Maxout(3, 2, rng=0).neurons[1], nn.Layer(3, 2, "prelu", rng=0),
     nn.MLP(3, [2], rng=0), nn.MLP(3, [4, 2], "maxout", rng=0, dropout=0.5, input_noise=0.1),
     nn.Sequential(nn.Sequential(nn.Linear(3, 2, rng=0)), F.tanh)],
    ids=repr,
)  # fmt: skip
def test_every_kind_of_layer_is_drawn_with_what_it_gives(model: nn.Module) -> None:
    X = rng().normal(size=(6, 3))
    picture = viz.draw_network(model, X)
    model.eval()
    last = list(units(picture).values())[-1]
    assert float(last.attrib["data-value"]) == pytest.approx(model(mg.Tensor(X)).data.reshape(6, -1)[:, -1].mean())
    model.train()


def test_what_is_not_finite_is_outlined_and_named_and_does_not_stop_anything() -> None:
    model, X = planted()
    model.layers[0].weight.data[2, 1] = math.nan
    model.layers[0].weight.data[4, 0] = math.inf
    drawn = viz.draw_network(model, X)
    unit = units(drawn)["layers[0][2]"]
    assert "NaN" in texts(unit)
    assert "mean activation NaN" in hover(unit)
    assert "3" in [e.attrib.get("stroke-width") for e in unit.iter()]
    assert edges(drawn)["inputs[1]", "layers[0][2]"].attrib["data-value"] == "nan"
    assert "heavy outline: NaN or infinite" in texts(parse(drawn))
    model, X = planted()
    X[3, 1] = math.nan
    shown = " ".join(texts(parse(viz.draw_network(model, X))))
    assert "no unit can be called dead or saturated" in shown
    assert "dead on" not in shown
    viz.draw_network(nn.MLP(2, [3, 1], rng=0), np.full((4, 2), 1e308))
    viz.draw_network(nn.MLP(2, [3, 1], rng=0), np.full((4, 2), math.inf))


# --- maps -----------------------------------------------------------------------------------------------------------


def test_of_two_inputs_each_unit_has_a_map_whose_zero_line_is_where_it_is_zero() -> None:
    model = nn.MLP(2, [1, 1], "tanh", rng=0)
    model.layers[0].weight.data, model.layers[0].bias.data = np.array([[1.0, 0.0]]), np.array([0.0])
    X = np.array([[-1.0, -1.0], [1.0, 1.0], [3.0, 1.0]])  # the unit is 0 where x1 is, a quarter to the right
    drawn = units(viz.draw_network(model, X))
    assert len([u for u in drawn.values() for e in u.iter() if "data-zero" in e.attrib]) == 4
    zero = next(e for e in drawn["layers[0][0]"].iter() if "data-zero" in e.attrib)
    xs = [float(p) for p in re.findall(r"[ML](-?[\d.]+)", zero.attrib["d"])]
    low, high = -1 - 4 * 0.08, 3 + 4 * 0.08
    side = half(drawn["inputs[0]"])
    assert xs == pytest.approx([(2 * (0 - low) / (high - low) - 1) * side] * len(xs), abs=0.3)


def test_a_map_prints_its_signs_where_they_hold() -> None:
    model = nn.MLP(2, [1], rng=0)
    model.layers[0].weight.data, model.layers[0].bias.data = [[1.0, -1.0]], [0.0]
    drawn = units(viz.draw_network(model, np.array([[-1.0, -1.0], [1.0, 1.0]])))
    (unit,) = (u for name, u in drawn.items() if name.startswith("layers"))
    places = {g[0].attrib["data-sign"]: moved(g) for g in unit.iter(f"{SVG}g") if len(g) and "data-sign" in g[0].attrib}
    assert places.keys() == {"+", "-"}
    assert all((x + y > 0) == (sign == "+") for sign, (x, y) in places.items())  # x2 grows upwards, y downwards


def test_a_map_is_up_where_the_second_input_is_large() -> None:
    drawn = units(viz.draw_network(nn.Linear(2, 1, rng=0), rng().normal(size=(30, 2))))
    blue = [e for e in drawn["inputs[1]"].iter() if e.attrib.get("fill") == THEMES["light"]["positive"]]
    strongest = [float(y) for y in re.findall(r"[ML]-?[\d.]+ (-?[\d.]+)", blue[-1].attrib["d"])]
    assert max(strongest) < 0  # y grows downwards


def test_a_dead_unit_has_no_tint_and_three_inputs_no_maps() -> None:
    model = nn.MLP(2, [3, 1], rng=0)
    model.layers[0].bias.data = np.array([0.0, -500.0, 0.0])
    drawn = units(viz.draw_network(model, rng().normal(size=(30, 2))))
    tints = {THEMES["light"][c] for c in ("positive", "negative")}
    assert not [e for e in drawn["layers[0][1]"].iter() if e.attrib.get("fill") in tints]
    assert drawn["layers[0][1]"].attrib["data-mark"] == "dead"
    picture = viz.draw_network(nn.MLP(3, [3, 1], rng=0), rng().normal(size=(30, 3)))
    assert not with_data(picture, "zero")


# --- where things stand ---------------------------------------------------------------------------------------------


def grown(seed: int, size: int) -> nn.Network:
    """A network wired at random."""
    draw, net = rng(seed), nn.Network(rng=seed)
    names = [net.input(f"x{i}") for i in range(1 + int(draw.integers(3)))]
    for i in range(size):
        reads = draw.choice(len(names), min(len(names), 1 + int(draw.integers(3))), replace=False)
        names.append(net.unit(f"u{i}", str(draw.choice(["tanh", "relu", "maxout"])), [names[int(r)] for r in reads]))
    return net


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 14), st.booleans())
def test_units_stand_in_their_generations_and_no_edge_passes_through_a_unit(
    seed: int, size: int, measured: bool
) -> None:
    net = grown(seed, size)
    picture = viz.draw_network(net, rng(seed).normal(size=(5, len(net.inputs))) if measured else None, most_units=50)
    drawn = units(picture)
    centres = {name: moved(u) for name, u in drawn.items()}
    columns = [net.inputs, *net.generations]
    assert sorted(drawn) == sorted(name for column in columns for name in column)
    assert [len({centres[name][0] for name in column}) for column in columns] == [1] * len(columns)
    xs = [centres[column[0]][0] for column in columns]
    assert xs == sorted(set(xs))
    sizes = {name: half(u) for name, u in drawn.items()}
    for a, b in combinations(drawn, 2):
        assert math.dist(centres[a], centres[b]) > sizes[a] + sizes[b] + 4
    found = edges(picture)
    assert len(found) == len(net.weight.data) - sum(len(net.weight_of(*e)) - 1 for e in found if is_maxout(net, e))
    for ends, edge in found.items():
        curve = way(edge)
        for p in (point_at(curve, k / 200) for k in range(201)):
            for name, centre in centres.items():
                room = math.dist(p, centre) - sizes[name]
                assert room > (-0.1 if name in ends else 3.0), (name, ends)
        first, last = centres[ends[0]], centres[ends[1]]
        assert first[0] < curve[0][0] < curve[-1][0] < last[0]


def is_maxout(net: nn.Network, edge: tuple[str, str]) -> bool:
    return isinstance(net.weight_of(*edge), list)


def test_a_network_shows_its_own_weights_marks_and_names() -> None:
    net, X = skipping(), rng().normal(size=(50, 3))
    picture = viz.draw_network(net, X)
    graph = net.to_networkx()
    drawn = edges(picture)
    assert {e: float(g.attrib["data-value"]) for e, g in drawn.items()} == {
        (s, t): w for s, t, w in graph.edges(data="weight")
    }
    shown = units(picture)
    for h in mg.unit_health(net, X).layers:
        for name, mean in zip(h.units or (), h.mean, strict=True):
            assert float(shown[name].attrib["data-value"]) == mean
    assert float(shown["out"].attrib["data-value"]) == pytest.approx(net(X).data[:, net.outputs.index("out")].mean())
    assert ", an output" in hover(shown["aux"])
    assert "generations[3]" in texts(parse(picture))


def test_an_mlp_and_the_network_made_of_it_show_the_same_numbers() -> None:
    model, X = nn.MLP(3, [4, 2], "tanh", rng=0), rng().normal(size=(9, 3))
    one, other = (viz.draw_network(m, X) for m in (model, nn.Network.from_mlp(model)))
    for key in ("edge", "unit"):
        values = [sorted(float(e.attrib["data-value"]) for e in with_data(p, key)) for p in (one, other)]
        assert values[0] == pytest.approx(values[1])
    assert [len({moved(u)[0] for u in units(p).values()}) for p in (one, other)] == [3, 3]


def test_layers_keep_their_order_and_are_centred() -> None:
    drawn = units(viz.draw_network(nn.MLP(2, [5, 3, 4], rng=0)))
    middles = set()
    for column in ("inputs", "layers[0]", "layers[1]", "layers[2]"):
        ys = [moved(u)[1] for name, u in drawn.items() if name.startswith(column)]
        assert ys == sorted(ys)
        steps = np.diff(ys)
        assert steps == pytest.approx([steps[0]] * len(steps), abs=0.02)
        middles.add(round(float(np.mean(ys)), 0))
    assert len(middles) == 1


def test_edges_that_pass_a_column_keep_clear_of_its_units_and_of_each_other() -> None:
    glyph = Glyph(20.0, 20.0)
    shown = [[0, 1], [0, 1, 2, 3, 4], [0, 1]]
    wires = [((0, i), (2, j)) for i in range(2) for j in range(2)]
    placed = stand(shown, [0, 0, 0], [glyph] * 3, wires, gaps=[0, 40, 40], widths=[40.0] * 3, space=10, ellipsis=0,
                   free=False)  # fmt: skip
    curves = [[point_at(way, k / 300) for k in range(301)] for way in placed.ways]
    for curve in curves:
        for centre in placed.units.values():
            assert min(math.dist(p, centre) for p in curve) >= 20
    middle = placed.xs[1]
    for curve in curves:  # level beside every unit of the column
        assert np.ptp([y for x, y in curve if abs(x - middle) < 24]) < 0.01
    heights = sorted(next(y for x, y in curve if x >= middle) for curve in curves)
    assert min(np.diff(heights)) > 8


# --- the page -------------------------------------------------------------------------------------------------------


def on_page(root: ET.Element, x: float = 0.0, y: float = 0.0) -> Any:
    """Every text with where it is on the page."""
    for child in root:
        dx, dy = moved(child) if "translate" in child.attrib.get("transform", "") else (0.0, 0.0)
        if child.tag == f"{SVG}text":
            size = float(child.attrib["font-size"])
            wide = width(child.text or "", size, bold=child.attrib.get("font-weight") == "600")
            shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[child.attrib.get("text-anchor", "start")]
            left = x + float(child.attrib["x"]) - shift * wide
            yield child.text, size, (left, y + float(child.attrib["y"]), left + wide)
        else:
            yield from on_page(child, x + dx, y + dy)


LONG = "an exceedingly long name, of more than sixty characters, with commas"


@cache
def pictures() -> list[viz.Picture]:
    model, X = planted()
    moons = rng().normal(size=(20, 2))
    net = nn.Network(rng=0)
    net.unit(LONG, "tanh", [net.input(LONG * 3)])
    net.unit("y" * 10_000, "identity", [LONG])
    return [
        viz.draw_network(model), viz.draw_network(model, X), viz.draw_network(nn.MLP(2, [9, 1], rng=0), moons),
        viz.draw_network(skipping(), rng().normal(size=(5, 3))), viz.draw_network(nn.MLP(30, [30, 30], rng=0)),
        viz.draw_network(net, [[0.5]], title=LONG * 2), viz.draw_network(nn.Linear(1, 1, rng=0)),
    ]  # fmt: skip


@pytest.mark.parametrize("i", range(7))
def test_every_text_is_on_the_page_and_large_enough(i: int) -> None:
    root = parse(pictures()[i])
    wide, high = float(root.attrib["width"]), float(root.attrib["height"])
    for text, size, (left, base, right) in on_page(root):
        assert size >= 11, text
        assert left >= 4, text
        assert right <= wide - 4, text
        assert 10 < base < high - 4, text


@pytest.mark.parametrize("i", range(7))
def test_no_text_runs_into_another(i: int) -> None:
    boxes = [(left, base - 0.8 * size, right, base + 0.2 * size, text)
             for text, size, (left, base, right) in on_page(parse(pictures()[i]))]  # fmt: skip
    for a, b in combinations(boxes, 2):
        assert a[0] >= b[2] - 1 or b[0] >= a[2] - 1 or a[1] >= b[3] or b[1] >= a[3], (a, b)


def luminance(colour: tuple[float, ...]) -> float:
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


@pytest.mark.parametrize("theme", THEMES)
def test_numbers_keep_their_contrast_on_the_strongest_fill(theme: str) -> None:
    def rgb(code: str) -> tuple[float, ...]:
        return tuple(int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))

    model, X = planted()
    colours = THEMES[theme]
    for unit in units(viz.draw_network(model, X, theme=theme)).values():  # type: ignore[arg-type]
        for e in unit.iter():
            if "data-fill" in e.attrib:
                t = float(e.attrib["fill-opacity"])
                mixed = [t * a + (1 - t) * b for a, b in zip(rgb(e.attrib["fill"]), rgb(colours["card"]), strict=True)]
                light, dark = sorted((luminance(tuple(mixed)), luminance(rgb(colours["ink"]))), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5


HOSTILE = '</script><b a="1">&amp;\n\u202ex\x00\U0001f600'


def test_hostile_names_are_shown_and_never_markup() -> None:
    net = nn.Network(rng=0)
    net.unit(HOSTILE + "h", "tanh", [net.input(HOSTILE)])
    net.unit("]]>", "identity", [HOSTILE + "h"])
    picture = viz.draw_network(net, [[1.0]], title=HOSTILE)
    root = parse(picture)
    assert not list(root.iter(f"{SVG}script")) + list(root.iter(f"{SVG}b"))
    assert len(units(picture)) == 3
    everything = "".join(root.itertext()) + "".join(v for e in root.iter() for v in e.attrib.values())
    assert "</script>" in everything
    assert not {"\u202e", "\x00"} & set(everything)


def test_tables_hold_the_same_facts_in_full() -> None:
    model, X = planted()
    sheet = viz.draw_network(model, X)._sheet
    layers, shown, drawn = sheet.tables
    report = mg.unit_health(model, X)
    by_name = {row[1]: row for row in shown.rows}
    columns = shown.columns
    for h in report.layers:
        for i in range(len(h)):
            row = dict(zip(columns, by_name[f"{h.name}[{i}]"], strict=True))
            assert (row["mean"], row["on-rate"]) == (h.mean[i], h.on_rate[i])
            assert (row["dead"], row["saturated"]) == (h.dead[i], h.saturated[i])
    assert [row[3] for row in layers.rows] == [0, *(r.weights + r.biases for r in model.summary().rows)]
    assert len(drawn.rows) == sum(layer.weight.size for layer in model.layers)
    assert sheet.kind == "network"


def test_it_is_saved_as_the_graph_it_is(tmp_path: Path) -> None:
    for model in (nn.MLP(3, [4, 2], "tanh", rng=0), nn.Layer(3, 2, "relu", rng=0), skipping()):
        picture = viz.draw_network(model, np.ones((2, 3)))
        read = nn.Network.from_json(picture.save(tmp_path / "a.json"))
        assert read(np.ones((2, 3))).data == pytest.approx(model(np.ones((2, 3))).data)
        assert picture.dot.startswith("digraph")
    odd = viz.draw_network(nn.Sequential(nn.Linear(2, 2, rng=0), F.tanh))  # a function is part of no wiring
    assert "tables" in odd.save(tmp_path / "b.json").read_text()
    with pytest.raises(ValueError, match="no graph"):
        odd.dot


def test_the_model_is_left_as_it_was() -> None:
    model = nn.MLP(3, [4, 2], rng=0, dropout=0.5)
    before, generators = model.state_dict(), [copy.deepcopy(g) for _, g in model.named_generators()]
    viz.draw_network(model, rng().normal(size=(8, 3)), rng().integers(0, 2, 8), edges="gradient")
    assert all((before[k] == v).all() for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert all(m.training for m in model.modules())
    for old, (_, new) in zip(generators, model.named_generators(), strict=True):
        assert old.random() == copy.deepcopy(new).random()


# --- what is refused ------------------------------------------------------------------------------------------------


class Odd(nn.Module):
    def __init__(self) -> None:
        self.a = nn.Linear(2, 2, rng=0)

    def forward(self, x: Any) -> Any:
        return self.a(x) + x


MODEL = nn.MLP(2, [3, 1], rng=0)
X2 = np.ones((4, 2))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: viz.draw_network(3), "takes a Module of micrograd_nn.nn, not int"),
        (lambda: viz.draw_network(MODEL, np.ones((4, 5))), r"2 inputs \(x1, x2\), so X has shape \(N, 2\); yours"),
        (lambda: viz.draw_network(MODEL, np.ones((0, 2))), "no examples"),
        (lambda: viz.draw_network(MODEL, [["a", "b"]]), "X holds <U1"),
        (lambda: viz.draw_network(MODEL, [[1.0], [1.0, 2.0]]), "several lengths"),
        (lambda: viz.draw_network(Odd()), "What Odd does with its inputs, only its forward"),
        (lambda: viz.draw_network(nn.Sequential(nn.Dropout(0.5))), "has no layers"),
        (lambda: viz.draw_network(nn.Sequential()), "has no layers"),
        (lambda: viz.draw_network(nn.Network()), "has no units yet"),
        (lambda: viz.draw_network(nn.Sequential(nn.Linear(2, 3), nn.Linear(4, 1))), r"layers\[1\] takes 4 inputs"),
        (lambda: viz.draw_network(MODEL, edges="weights"), "edges is one of 'weight', 'gradient', 'update', not"),
        (lambda: viz.draw_network(MODEL, edges="update"), "state_dict"),
        (lambda: viz.draw_network(MODEL, edges="update", before={}), r"before has no 'layers\[0\].weight'"),
        (lambda: viz.draw_network(MODEL, edges="update", before={"layers[0].weight": X2}), r"shape \(4, 2\)"),
        (lambda: viz.draw_network(MODEL, before={}), "edges='update' as well"),
        (lambda: viz.draw_network(MODEL, edges="gradient"), r"layers\[0\].weight has no gradient yet"),
        (lambda: viz.draw_network(MODEL, y=[0, 1], edges="gradient"), "need the examples"),
        (lambda: viz.draw_network(MODEL, X2, [0.0], edges="gradient", loss="mse_loss"), "4 and 1 rows"),
        (lambda: viz.draw_network(MODEL, X2, [0] * 4, edges="gradient", loss="l7"), "'l1_loss'"),
        (lambda: viz.draw_network(MODEL, edges="gradient", loss="mse_loss"), "a loss needs labels"),
        (lambda: viz.draw_network(MODEL, most_units=1), "most_units is a whole number of at least 2, not 1"),
        (lambda: viz.draw_network(MODEL, most_edges=-1), "most_edges is a whole number of at least 0"),
        (lambda: viz.draw_network(MODEL, most_units="a"), "most_units is a whole number"),
        (lambda: viz.draw_network(MODEL, X2, [0] * 4, edges="gradient", loss=3), "or a function of your own, not 3"),
        (lambda: viz.draw_network(MODEL, X2, [0] * 4, loss=["mse_loss"]), "or a function of your own, not"),
        (lambda: viz.draw_network(MODEL, {"x1": [1.0], "x2": [2.0]}), "X by name is for a Network"),
        (lambda: viz.draw_network(MODEL, {}), "X by name is for a Network"),
        (lambda: viz.draw_network(MODEL, theme="pink"), "theme must be one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_told_in_a_sentence(given: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        given()
    assert str(caught.value).endswith(".")
