"""Activation functions and where a model's units are on them: the numbers drawn are the engine's and unit_health's."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from reading import legible, parse, texts

import micrograd_nn as mg
import viz
from micrograd_nn import data, nn
from micrograd_nn import functional as F

X = data.make_moons(90, noise=0.2, rng=0)[0]


def cells(picture: viz.Picture) -> list[ET.Element]:
    return [g for g in parse(picture).iter() if g.get("data-activation")]


def regions(cell: ET.Element, kind: str) -> list[tuple[float, float]]:
    found = [(float(e.get("data-from", "")), float(e.get("data-to", "")))
             for e in cell.iter() if e.get("data-region") == kind]  # fmt: skip
    return sorted(set(found))


def curve(cell: ET.Element, series: str) -> list[tuple[float, float]]:
    """The points of a line, in numbers."""
    axes = next(g for g in cell.iter() if g.get("data-axes") is not None)
    x0, x1, u0, u1 = map(float, axes.get("data-x", "").split())
    y0, y1, v0, v1 = map(float, axes.get("data-y", "").split())
    line = next(g for g in cell.iter() if g.get("data-series") == series)
    places = [tuple(map(float, p.split())) for path in line.iter() if path.get("d") and not path.get("data-mark")
              for p in re.split("[ML]", path.get("d", ""))[1:]]  # fmt: skip
    return [(u0 + (u1 - u0) * (x - x0) / (x1 - x0), v0 + (v1 - v0) * (y - y0) / (y1 - y0)) for x, y in places]


def moved(model: nn.MLP, scale: float) -> nn.MLP:
    for layer in model.layers[:-1]:
        layer.weight.data = layer.weight.data * scale
    return model


# --- functions by themselves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in nn.ACTIVATIONS if n != "prelu"])
def test_the_lines_are_the_function_and_its_numerical_slope(name: str) -> None:
    cell = cells(viz.draw_activations(name))[0]
    f = nn.ACTIVATIONS[name]

    def at(z: float) -> float:
        return float(f(mg.Value(z)).data)

    for z, y in curve(cell, "f")[::37]:
        assert y == pytest.approx(at(z), abs=0.04)
    for z, y in curve(cell, "slope")[::37]:
        if abs(z) > 0.03:  # away from kinks
            assert y == pytest.approx((at(z + 1e-5) - at(z - 1e-5)) / 2e-5, abs=0.04)
    marks = {float(e.get("data-value", "")) for e in cell.iter() if e.get("data-at") == "0"}
    x = mg.Value(0.0)
    y0 = f(x)
    assert marks == {float(y0.data), 1.0 if y0 is x else float(mg.gradients(y0)[x])}


def test_tanh_and_sigmoid_are_saturated_where_theory_says() -> None:
    tanh, sigmoid = cells(viz.draw_activations(["tanh", "sigmoid"]))
    edge = math.atanh(math.sqrt(1 - 0.06))
    assert regions(tanh, "saturated") == [(-6.0, pytest.approx(-edge)), (pytest.approx(edge), 6.0)]
    s = (1 + math.sqrt(1 - 0.06)) / 2  # s (1 - s) = 0.06 / 4
    edge = math.log(s / (1 - s))
    assert regions(sigmoid, "saturated") == [(-6.0, pytest.approx(-edge)), (pytest.approx(edge), 6.0)]
    assert len([e for e in tanh.iter() if e.get("data-mark") == "saturated"]) == 2


def test_a_relu_is_closed_below_zero_and_never_saturated() -> None:
    cell = cells(viz.draw_activations("relu"))[0]
    assert regions(cell, "closed") == [(-6.0, pytest.approx(0.0, abs=1e-6))]
    assert regions(cell, "saturated") == []
    assert not [e for e in cell.iter() if e.get("data-mark") == "saturated"]
    assert all("hatch" in (e.get("fill") or "") for e in cell.iter() if e.get("data-region") == "closed")


@pytest.mark.parametrize("name", ["leaky_relu", "prelu", "identity"])
def test_what_is_never_flat_has_no_region(name: str) -> None:
    cell = cells(viz.draw_activations(name))[0]
    assert regions(cell, "closed") == regions(cell, "saturated") == []


def test_a_slope_that_jumps_is_drawn_with_a_gap() -> None:
    slopes = curve(cells(viz.draw_activations("relu"))[0], "slope")
    assert {round(y, 2) for _, y in slopes} == {0.0, 1.0}
    assert max(z for z, y in slopes if y < 0.5) == pytest.approx(0.0, abs=0.01)
    assert min(z for z, y in slopes if y > 0.5) == pytest.approx(0.0, abs=0.01)


def test_a_slope_of_zero_at_a_single_place_is_not_closed() -> None:
    assert regions(cells(viz.draw_activations(lambda z: z * z * z))[0], "closed") == []


def test_limits_and_ranges_are_those_of_the_functions() -> None:
    def ranges(what: Any) -> list[str]:
        return [t.said.removeprefix("range ") for t in texts(viz.draw_activations(what)) if t.said.startswith("range")]

    assert ranges(["relu", "tanh", "sigmoid", "elu", "identity", "softplus"]) == [
        "0 to ∞", "−1 to 1", "0 to 1", "−1 to ∞", "−∞ to ∞", "0 to ∞",
    ]  # fmt: skip
    assert ranges([F.sqrt, F.log, lambda z: z * math.nan]) == ["0 to ∞", "−∞ to ∞", "NaN to NaN"]
    elu = cells(viz.draw_activations("elu"))[0]
    assert [float(e.get("data-value", "")) for e in elu.iter() if e.get("data-mark") == "limit"] == [-1.0]


def test_where_there_is_no_value_there_is_no_slope() -> None:
    root = cells(viz.draw_activations(F.log))[0]
    for series in ("f", "slope"):
        assert min(z for z, _ in curve(root, series)) > -0.01


def test_functions_of_ones_own_are_drawn() -> None:
    picture = viz.draw_activations(
        {"steep": lambda z: F.tanh(20 * z), "clipped": lambda z: F.maximum(-1.0, F.minimum(z, 1.0))}
    )
    steep, clipped = cells(picture)
    edge = math.atanh(math.sqrt(1 - 0.06)) / 20
    flat = regions(steep, "saturated") + regions(steep, "closed")
    assert min(abs(b + edge) for _, b in flat) < 1e-6
    assert [(round(a, 5), round(b, 5)) for a, b in regions(clipped, "closed")] == [(-6, -1), (1, 6)]


def test_tables_have_the_function_in_full() -> None:
    table = viz.draw_activations("tanh")._sheet.tables[0]
    assert len(table.rows) == 41
    for z, f, slope in table.rows:
        assert f == np.tanh(z)  # type: ignore[arg-type]
        assert slope == pytest.approx(1 - math.tanh(z) ** 2, abs=1e-15)  # type: ignore[arg-type]


def test_all_activations_in_one_figure() -> None:
    picture = viz.draw_activations(list(nn.ACTIVATIONS), title="All of them")
    assert [c.get("data-activation") for c in cells(picture)] == list(nn.ACTIVATIONS)
    legible(picture)


# --- models -----------------------------------------------------------------------------------------------------------


def models() -> list[nn.Module]:
    network = nn.Network.from_mlp(nn.MLP(2, [4, 2], activation="tanh", rng=0))
    return [
        moved(nn.MLP(2, [9, 5, 2], activation="sigmoid", rng=0), 12.0), moved(nn.MLP(2, [9, 5, 2], rng=1), 3.0),
        nn.MLP(2, [4, 2], activation="prelu", rng=0), nn.MLP(2, [4, 3, 2], activation="maxout", rng=0),
        nn.MLP(2, [4, 2], activation=lambda z: F.tanh(9 * z), rng=0), network,
        nn.Sequential(nn.Linear(2, 3, rng=0), nn.PReLU(3), nn.Linear(3, 2, rng=0)), nn.Neuron(2, "tanh", rng=0),
    ]  # fmt: skip


@pytest.mark.parametrize("model", models(), ids=lambda m: type(m).__name__)
def test_shares_and_counts_are_those_of_unit_health(model: nn.Module) -> None:
    picture = viz.draw_activations(model, X)
    report = mg.unit_health(model, X)
    assert [c.get("data-layer") for c in cells(picture)] == [h.name for h in report.layers]
    said = [t.said for t in texts(picture)]
    for cell, h in zip(cells(picture), report.layers, strict=True):
        assert float(cell.get("data-saturated", "")) == h.saturated_share.mean()
        assert int(cell.get("data-dead", "")) == h.dead.sum()
        assert any(f" saturated, {h.dead.sum()} dead of {len(h)} units" in t for t in said)
    legible(picture)


def bars(cell: ET.Element) -> dict[float, int]:
    return {float(e.get("data-bin", "")): int(e.get("data-value", "")) for e in cell.iter() if e.get("data-bin")}


def test_the_histogram_counts_the_models_own_pre_activations() -> None:
    model = moved(nn.MLP(2, [9, 5, 2], rng=1), 3.0)
    cell = cells(viz.draw_activations(model, X))[0]
    z = X @ model.layers[0].weight.data.T + model.layers[0].bias.data
    found = bars(cell)
    assert sum(found.values()) == z.size
    lefts = sorted(found)
    wide = min(b - a for a, b in pairwise(lefts))
    for left, count in found.items():
        assert count == ((z > left) & (z <= left + wide + 1e-9)).sum()
    assert sum(n for left, n in found.items() if left >= -1e-9) == (z > 0).sum()  # 0 itself is on the closed side


def test_the_share_saturated_is_what_lies_in_the_shaded_part() -> None:
    model = moved(nn.MLP(2, [9, 2], activation="sigmoid", rng=0), 30.0)
    cell = cells(viz.draw_activations(model, X))[0]
    z = X @ model.layers[0].weight.data.T + model.layers[0].bias.data
    inside = sum(((z > a) & (z < b)).sum() for a, b in regions(cell, "saturated") + regions(cell, "closed"))
    assert inside / z.size == pytest.approx(float(cell.get("data-saturated", "")), abs=1 / z.size)


def test_the_axis_covers_six_and_all_of_the_data() -> None:
    def ends(model: nn.MLP) -> tuple[float, float]:
        axes = next(g for g in cells(viz.draw_activations(model, X))[0].iter() if g.get("data-axes") is not None)
        return tuple(map(float, axes.get("data-x", "").split()))[2:]  # type: ignore[return-value]

    assert ends(nn.MLP(2, [4, 2], rng=0)) == (-6.0, 6.0)
    model = moved(nn.MLP(2, [4, 2], rng=0), 50.0)
    z = X @ model.layers[0].weight.data.T
    lo, hi = ends(model)
    assert lo <= min(z.min(), -6) and hi >= max(z.max(), 6)  # noqa: PT018
    assert hi - lo < 1.2 * (z.max() - z.min())


def test_learned_slopes_are_drawn_as_their_mean_and_what_they_span() -> None:
    model = nn.MLP(2, [5, 2], activation="prelu", rng=0)
    slopes = np.array([0.0, 0.1, 0.2, 0.3, 0.9])
    model.layers[0].act.weight.data = slopes  # type: ignore[union-attr]
    picture = viz.draw_activations(model, X)
    cell = cells(picture)[0]
    for z, y in curve(cell, "f")[::50]:
        assert y == pytest.approx(z * (slopes.mean() if z < 0 else 1), abs=0.05)
    assert any(t.said.endswith("units differ: f(−6) from −5.4 to 0") for t in texts(picture))


def test_maxout_has_a_histogram_of_its_outputs_and_no_curve() -> None:
    model = nn.MLP(2, [4, 2], activation="maxout", rng=0)
    picture = viz.draw_activations(model, X)
    cell = cells(picture)[0]
    assert not [e for e in cell.iter() if e.get("data-series")]
    assert sum(bars(cell).values()) == 4 * len(X)
    assert any("largest of several z" in t.said for t in texts(picture))


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(2, 6, rng=0), nn.Dropout(0.5, rng=0), nn.Layer(6, 2, "tanh", rng=0))
    model.train()
    before = model.state_dict()
    first = viz.draw_activations(model, X).svg
    assert viz.draw_activations(model, X).svg == first
    assert model.training
    assert all(np.array_equal(before[k], v) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_more_examples_than_a_batch_are_all_counted() -> None:
    many = np.tile(X, (25, 1))
    assert sum(bars(cells(viz.draw_activations(nn.MLP(2, [3, 2], rng=0), many))[0]).values()) == 3 * len(many)


def test_a_deep_model_is_folded_and_it_says_so() -> None:
    model = nn.MLP(2, [2] * 31, rng=0)
    picture = viz.draw_activations(model, X[:5])
    assert len(cells(picture)) == 24
    assert any(t.said.startswith("6 of 30 in the middle are left out") for t in texts(picture))


def test_numbers_that_overflow_are_left_out_and_counted() -> None:
    model = nn.MLP(2, [2, 2], rng=0)
    model.layers[0].weight.data = np.array([[1e308, 1e308], [1.0, 0.0]])
    picture = viz.draw_activations(model, np.array([[9.0, 9.0], [1.0, 1.0]]))
    assert any("no finite number" in t.said for t in texts(picture))


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_nothing_overlaps_or_is_cut_off(count: int) -> None:
    picture = viz.draw_activations(list(nn.ACTIVATIONS)[-count:], title="Functions")
    legible(picture)
    assert picture._sheet.kind == "activations"


@pytest.mark.parametrize(
    "text", ["</script><b>&", "q\"uo'te", "line\nfeed", "\u202eleft", "x" * 10_000, "🦊 фокс 狐狸"]
)
def test_hostile_names_are_shown_as_they_are(text: str) -> None:
    def odd(z: Any) -> Any:
        return F.tanh(z)

    odd.__name__ = text
    for picture in (
        viz.draw_activations({text: odd, "b": "relu", "c": odd}, title=text),
        viz.draw_activations(odd),
        viz.draw_activations(nn.MLP(2, [3, 2], activation=odd, rng=0), X),
    ):
        legible(picture)
        assert not [e for e in parse(picture).iter() if e.tag.endswith(("script", "}b"))]
        assert "\u202e" not in picture.svg


def test_what_is_no_activation_is_refused_in_a_sentence() -> None:
    for bad, error, words in [
        ("tahn", ValueError, "Did you mean 'tanh'"), ("softmax", ValueError, "whole layer"), ([], ValueError, "empty"),
        (3, TypeError, "not int"), (lambda z: z.sum(), TypeError, r"gave shape \(\)"),
        (lambda z: 1 / 0, TypeError, "ZeroDivisionError"), (lambda z: 3.0, TypeError, "it gave float"),
        (nn.MLP(2, [3, 1], rng=0), ValueError, "with examples"), (nn.PReLU, ValueError, "with brackets"),
        ([nn.MLP(2, [3, 1], rng=0)], ValueError, "activations only"),
    ]:  # fmt: skip
        with pytest.raises(error, match=words):
            viz.draw_activations(bad)
    with pytest.raises(ValueError, match="X goes with a model"):
        viz.draw_activations("tanh", X)
    with pytest.raises(ValueError, match="no activations"):
        viz.draw_activations(nn.MLP(2, [2], rng=0), X)
    with pytest.raises(ValueError, match=r"X\[None\]"):
        viz.draw_activations(nn.MLP(2, [3, 2], rng=0), X[0])


# --- steep functions --------------------------------------------------------------------------------------------------


def test_the_slope_of_a_steep_function_is_drawn_as_far_as_there_is_room() -> None:
    picture = viz.draw_activations(lambda z: F.sigmoid(20 * z))
    (cell,) = cells(picture)
    f, slope = curve(cell, "f"), curve(cell, "slope")
    heights = [v for _, v in slope]
    axes = next(g for g in cell.iter() if g.get("data-axes") is not None)
    low, high = map(float, axes.get("data-y", "").split()[2:])
    assert high < 1.2 * max(v for _, v in f)
    assert (low, high) == (pytest.approx(-0.08), pytest.approx(1.08))
    assert max(heights) == pytest.approx(high, abs=1e-3)
    leaves = [z for z, v in slope if v > high - 1e-3]
    s = (1 + math.sqrt(1 - 4 * high / 20)) / 2  # 20 s (1 - s) is the height there
    z = math.log(s / (1 - s)) / 20
    assert sorted(leaves) == [pytest.approx(-z, abs=0.01), pytest.approx(z, abs=0.01)]
    assert not [1 for z, _ in slope if abs(z) < min(map(abs, leaves)) - 1e-6]
    assert [e.get("data-value") for e in cell.iter() if e.get("data-at") == "0"] == ["0.5"]
    told = "slope up to 5, beyond the picture"
    assert any(told in text.said for text in texts(picture))
    shown = viz.text(picture, width=80)
    assert told in " ".join(shown.split())
    assert re.search(r"^ +1\.0 ┤", shown, re.M)
    legible(picture)


@pytest.mark.parametrize(("factor", "is_steep"), [(9.9, False), (10.1, True)])
def test_a_slope_of_two_and_a_half_times_the_range_is_too_steep(factor: float, is_steep: bool) -> None:
    picture = viz.draw_activations(lambda z: F.sigmoid(factor * z))  # from 0 to 1, with the slope factor / 4 at 0
    assert ("beyond the picture" in picture.svg) == is_steep
    assert (max(v for _, v in curve(cells(picture)[0], "slope")) > 2) != is_steep


def test_functions_that_fall_steeply_or_jump_to_nan_have_a_picture() -> None:
    given = {"down": lambda z: -F.tanh(30 * z), "log": F.log, "wave": lambda z: F.sin(20 * z), "flat": lambda z: 0 * z}
    picture = viz.draw_activations(given)
    said = [text.said for text in texts(picture)]
    assert "slope down to −30, beyond the picture" in said
    assert sum("beyond the picture" in text for text in said) == 3
    legible(picture)
    assert "beyond the picture" in viz.text(picture, width=60)
