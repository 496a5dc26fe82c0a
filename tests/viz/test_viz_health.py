"""Unit health as pictures: every cell is its unit's, every mark is in the report, and one sees when units died."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import SVG, legible, outside, overlaps, parse, texts

import micrograd_nn as mg
import viz
from micrograd_nn import data, health, nn
from micrograd_nn.health import GradientFlow, HealthReport, LayerHealth
from micrograd_nn.training import History

X, Y = data.make_moons(60, noise=0.1, rng=0)


def layer(n: int, name: str = "layers[0]", kind: str = "relu", **known: Any) -> LayerHealth:
    """A layer in good health, but for what is known of it."""
    usual: dict[str, Any] = dict.fromkeys(("dead", "dormant", "saturated", "always_saturated"), np.zeros(n, bool))
    usual |= {"saturated_share": np.zeros(n), "on_rate": np.linspace(0.25, 1, n)}
    usual |= dict.fromkeys(("mean", "spread", "max", "mean_abs"), np.ones(n))
    return LayerHealth(name, kind, None, **(usual | {k: np.asarray(v) for k, v in known.items()}))


def cells(picture: viz.Picture) -> dict[str, ET.Element]:
    found = [g for g in parse(picture).iter() if "data-unit" in g.attrib]
    assert len({g.attrib["data-unit"] for g in found}) == len(found)
    return {g.attrib["data-unit"]: g for g in found}


def marked(picture: viz.Picture, mark: str) -> set[str]:
    return {unit for unit, g in cells(picture).items() if g.get("data-mark") == mark}


def signs(cell: ET.Element) -> list[str]:
    return [e.attrib["data-mark"] for e in cell.iter() if e is not cell and "data-mark" in e.attrib]


def said(picture: viz.Picture) -> str:
    return " ".join(t.said for t in texts(picture))


def planted() -> tuple[nn.MLP, set[str]]:
    """A network in which some units can never be on."""
    model = nn.MLP(2, [12, 20, 2], rng=1)
    for hidden, off in zip(model.layers, ([0, 5, 11], [3]), strict=False):
        bias = hidden.bias.data.copy()
        bias[off] = -1000.0
        hidden.bias.data = bias
    return model, {"layers[0][0]", "layers[0][5]", "layers[0][11]", "layers[1][3]"}


# --- one report -----------------------------------------------------------------------------------------------------


def test_each_dead_unit_carries_its_cross_and_no_other_does() -> None:
    model, off = planted()
    report = mg.unit_health(model, X)
    dead = {f"{h.name}[{i}]" for h in report.layers for i in np.flatnonzero(h.dead)}
    assert off <= dead
    picture = viz.draw_health(report)
    assert marked(picture, "dead") == dead
    for unit, cell in cells(picture).items():
        assert ("dead" in signs(cell)) == (unit in dead)
        hatched = [e for e in cell.iter() if e.get("fill", "").endswith("-hatch)")]
        assert bool(hatched) == (unit in dead)


def test_each_saturated_unit_carries_its_square_and_no_other_does() -> None:
    model = nn.MLP(2, [10, 2], "sigmoid", rng=0)
    weight, bias = model.layers[0].weight.data.copy(), np.zeros(10)
    bias[[1, 7]], weight[4] = (50.0, -50.0), 1e4
    model.layers[0].weight.data, model.layers[0].bias.data = weight, bias
    report = mg.unit_health(model, X)
    flat = {f"layers[0][{i}]" for i in np.flatnonzero(report.layers[0].saturated)}
    assert flat == {"layers[0][1]", "layers[0][4]", "layers[0][7]"}
    picture = viz.draw_health(report)
    assert marked(picture, "saturated") == flat
    for unit, cell in cells(picture).items():
        assert ("saturated" in signs(cell)) == (unit in flat)
        assert any(e.get("fill", "").endswith("-dots)") for e in cell.iter()) == (unit in flat)


def test_grey_is_the_on_rate_or_how_much_is_not_saturated() -> None:
    report = mg.unit_health(nn.MLP(2, [6, 7, 2], ["relu", "tanh"], rng=0), 3 * X)
    relu, tanh = report.layers
    for measure, expected in (
        (None, [relu.on_rate, 1 - tanh.saturated_share]),
        ("on_rate", [relu.on_rate, tanh.on_rate]),
        ("saturated_share", [1 - relu.saturated_share, 1 - tanh.saturated_share]),
    ):
        shown = cells(viz.draw_health(report, measure=measure))
        for h, values in zip((relu, tanh), expected, strict=True):
            found = [float(shown[f"{h.name}[{i}]"].attrib["data-value"]) for i in range(len(h))]
            assert found == values.tolist()


def test_the_darker_the_more_often_it_is_on() -> None:
    shown = cells(viz.draw_health(HealthReport([layer(9)], 10)))
    rates = [
        (float(g.attrib["data-value"]), float(g.find("*[@fill-opacity]").get("fill-opacity"))) for g in shown.values()
    ]  # type: ignore[union-attr, arg-type]
    assert sorted(rates) == sorted(rates, key=lambda r: r[1])
    assert len({opacity for _, opacity in rates}) == 9


flags = st.lists(st.booleans(), min_size=1, max_size=70)


@given(dead=flags, saturated=flags, dormant=flags, rates=st.lists(st.floats(0, 1), min_size=70, max_size=70))
@settings(max_examples=25, deadline=None)
def test_marks_and_counts_are_the_reports(
    dead: list[bool], saturated: list[bool], dormant: list[bool], rates: list[float]
) -> None:
    n = min(map(len, (dead, saturated, dormant)))
    d, s, q = (np.array(f[:n]) for f in (dead, saturated, dormant))
    h = layer(n, dead=d, saturated=s, dormant=q, on_rate=rates[:n])
    picture = viz.draw_health(HealthReport([h], 50))
    worst = {"dead": d, "saturated": s & ~d, "dormant": q & ~d & ~s}
    for mark, here in worst.items():
        assert marked(picture, mark) == {f"layers[0][{i}]" for i in np.flatnonzero(here)}
    assert [float(g.attrib["data-value"]) for g in cells(picture).values()] == rates[:n]
    lines = [t.said for t in texts(picture)]
    if d.any():
        assert f"{d.sum()} of {n} dead" in lines
    if worst["saturated"].any():
        assert f"{worst['saturated'].sum()} saturated" in lines
    legible(picture)


def test_the_legend_has_the_thresholds_and_the_number_of_examples() -> None:
    report = mg.unit_health(nn.MLP(2, [5, 2], "tanh", rng=0), X, flat=0.11, often=0.8, faint=0.07)
    text = said(viz.draw_health(report))
    for part in ("< 0.11 on ≥ 80 % of these 60 examples", "0.07", "dead on these 60 examples"):
        assert part in text


def test_every_finding_is_said_in_full() -> None:
    model, _ = planted()
    report = mg.unit_health(model, X, Y)
    assert report.findings
    picture = viz.draw_health(report)
    for finding in report.findings:
        assert finding in said(picture)
    legible(picture)


def test_gradients_and_updates_are_drawn_with_their_numbers() -> None:
    history = mg.fit(
        nn.MLP(2, [6, 5, 2], rng=0), X, Y, epochs=2, rng=0, progress=False, callbacks=[health.HealthMonitor()]
    )
    report = history.health[-1]
    root = parse(viz.draw_health(report))
    bars = {(g.attrib["data-flow"], g.attrib["data-kind"]): g for g in root.iter() if "data-flow" in g.attrib}
    assert {k: float(g.attrib["data-value"]) for k, g in bars.items()} == {
        (g.name, g.kind): g.norm for g in report.gradients
    }
    dots = {g.attrib["data-update"]: float(g.attrib["data-value"]) for g in root.iter() if "data-update" in g.attrib}
    assert dots == report.updates
    long = {k: float(g.find("*[@height]").get("width")) for k, g in bars.items()}  # type: ignore[union-attr, arg-type]
    norms = {(g.name, g.kind): g.norm for g in report.gradients}
    assert sorted(long, key=long.__getitem__) == sorted(norms, key=norms.__getitem__)


def test_gradients_that_cannot_be_drawn_are_said() -> None:
    flows = [
        GradientFlow("a.weight", "parameter", math.nan, math.nan, math.nan, math.nan, 0.0),
        GradientFlow("b.weight", "parameter", 0.0, 0.0, 0.0, 0.0, 1.0),
        GradientFlow("c.weight", "parameter", 1e9, 1e9, 1e9, 1e9, 0.0),
        GradientFlow("d.weight", "parameter", 1e-12, 1e-12, 1e-12, 1e-12, 0.0),
    ]
    updates = {"a.weight": math.nan, "b.weight": -math.inf, "c.weight": 14.0, "d.weight": None}
    picture = viz.draw_health(HealthReport([layer(4)], 8, flows, updates))
    text = said(picture)
    for word in ("nan or inf", "all exactly zero", "exploding", "vanishing", "n/a", "−∞"):
        assert word in text
    legible(picture)


def test_a_deep_network_keeps_its_panel_short_and_says_what_is_left_out() -> None:
    report = mg.unit_health(nn.MLP(2, [4] * 20 + [2], rng=0), X, Y)
    picture = viz.draw_health(report)
    drawn = [g for g in parse(picture).iter() if "data-flow" in g.attrib]
    assert 20 <= len(drawn) <= 30
    assert f"{len(report.gradients) - len(drawn)} more parts" in said(picture)
    legible(picture)


@pytest.mark.parametrize("sizes", [[13], [20], [21], [24], [12, 24], [64, 24], [17, 30], [512, 24]], ids=str)
def test_layers_of_up_to_24_units_stand_in_one_row(sizes: list[int]) -> None:
    picture = viz.draw_health(HealthReport([layer(n, f"layers[{k}]") for k, n in enumerate(sizes)], 9))
    found = cells(picture)
    for k, n in enumerate(sizes):
        rows = {next(found[f"layers[{k}][{i}]"].iter(f"{SVG}rect")).attrib["y"] for i in range(n)}
        assert (len(rows) == 1) == (n <= 24)
    legible(picture)


def test_wide_layers_wrap_and_keep_every_unit() -> None:
    dead = np.arange(700) % 7 == 0
    picture = viz.draw_health(HealthReport([layer(700, dead=dead), layer(10, "layers[1]")], 9))
    assert len(cells(picture)) == 710
    assert marked(picture, "dead") == {f"layers[0][{i}]" for i in np.flatnonzero(dead)}
    legible(picture)


def test_layers_too_wide_for_cells_become_groups_that_count() -> None:
    dead, flat = np.arange(5000) % 9 == 0, np.arange(5000) % 11 == 1
    h = layer(5000, dead=dead, saturated=flat)
    picture = viz.draw_health(HealthReport([h], 9))
    groups = [g for g in parse(picture).iter() if "data-group" in g.attrib]
    sizes = [int(g.attrib["data-count"]) for g in groups]
    assert sum(sizes) == 5000
    assert f"a cell: {sizes[0]} units" in said(picture)
    for g, size in zip(groups, sizes, strict=True):
        start = int(g.attrib["data-group"])
        part = slice(start, start + size)
        assert int(g.attrib["data-dead"]) == dead[part].sum()
        assert int(g.attrib["data-saturated"]) == (flat & ~dead)[part].sum()
        assert float(g.attrib["data-value"]) == h.on_rate[part].mean()
    assert outside(picture) == []
    assert overlaps(picture) == []
    assert len(cells(viz.draw_health(HealthReport([layer(5000)], 9), most_units=5000))) == 5000


def test_units_can_be_sorted_and_keep_their_names() -> None:
    h = layer(8, on_rate=[0.5, 0.1, 0.9, 0.3, 0.2, 0.8, 0.7, 0.6])
    found = [
        float(g.attrib["data-value"]) for g in cells(viz.draw_health(HealthReport([h], 4), order="measure")).values()
    ]
    assert found == sorted(h.on_rate)
    first = next(iter(cells(viz.draw_health(HealthReport([h], 4), order="measure"))))
    assert first == "layers[0][1]"


def test_hover_tells_the_units_numbers_in_full() -> None:
    report = mg.unit_health(nn.MLP(2, [4, 2], rng=0), X)
    h = report.layers[0]
    for i, cell in enumerate(cells(viz.draw_health(report)).values()):
        title = cell.findtext("{*}title") or ""
        for x in (h.on_rate[i], h.mean[i], h.max[i]):
            assert repr(float(x)) in title


def test_units_that_are_not_finite_are_told_from_dead_ones() -> None:
    h = layer(4, mean=[1.0, math.nan, math.inf, 1.0])
    picture = viz.draw_health(HealthReport([h], 4))
    assert marked(picture, "nan") == {"layers[0][1]", "layers[0][2]"}
    assert "2 not finite" in said(picture)
    model = nn.MLP(2, [4, 2], rng=0)
    model.layers[0].weight.data = model.layers[0].weight.data * 1e308
    viz.draw_health(mg.unit_health(model, 1e10 * X))


def test_a_network_without_activations_says_so() -> None:
    picture = viz.draw_health(mg.unit_health(nn.MLP(2, [2], rng=0), X))
    assert "no activations whose health could be measured" in said(picture)


def test_tables_hold_every_unit_in_full() -> None:
    model, _ = planted()
    report = mg.unit_health(model, X, Y)
    tables = {t.caption: t for t in viz.draw_health(report)._sheet.tables}
    units = tables["Units on these 60 examples"].rows
    assert [(r[0], r[2], r[5], r[7]) for r in units] == [
        (h.name, i, float(h.on_rate[i]), float(h.mean[i])) for h in report.layers for i in range(len(h))
    ]
    assert len(tables["Gradient flow"].rows) == len(report.gradients)


# --- over training --------------------------------------------------------------------------------------------------


def trained(**more: Any) -> History:
    known: dict[str, Any] = {"epochs": 6, "lr": 0.3, "callbacks": [health.HealthMonitor()]}
    return mg.fit(nn.MLP(2, [16, 12, 2], rng=3), X, Y, rng=0, progress=False, **(known | more))


def over(columns: list[list[bool]], **more: Any) -> list[HealthReport]:
    """Reports, one a column, of a layer with these units dead."""
    return [HealthReport([layer(len(c), dead=np.array(c), **more)], 10, epoch=k + 1) for k, c in enumerate(columns)]


def states(picture: viz.Picture) -> dict[str, list[str]]:
    return {unit: g.attrib["data-marks"].split(" ") for unit, g in cells(picture).items()}


def test_each_epochs_marks_and_values_are_its_reports() -> None:
    history = trained()
    assert any(h.dead.any() for r in history.health for h in r.layers)
    picture = viz.draw_health(history)
    found, rows = states(picture), cells(picture)
    for k in range(2):
        layers = [r.layers[k] for r in history.health]
        for i in range(len(layers[0])):
            unit = f"layers[{k}][{i}]"
            assert [m == "dead" for m in found[unit]] == [bool(h.dead[i]) for h in layers]
            shown = [float(v) for v in rows[unit].attrib["data-value"].split(" ")]
            assert shown == [float(h.on_rate[i]) for h in layers]
    legible(picture)


def test_those_that_died_first_are_on_top_and_those_that_came_back_follow() -> None:
    no, yes = False, True
    history = over([[no, no, yes, no, no], [no, yes, yes, no, no], [no, yes, no, no, yes], [no, yes, no, no, yes]])
    picture = viz.draw_health(history)
    assert list(cells(picture)) == [f"layers[0][{i}]" for i in (1, 4, 2, 0, 3)]
    text = said(picture)
    assert "2 of 5 dead" in text
    assert "1 came back" in text
    assert "first death: epoch 1" in text
    title = cells(picture)["layers[0][2]"].findtext("{*}title") or ""
    assert "dead from epoch 1 to 2" in title
    assert "dead from epoch 2 on" in (cells(picture)["layers[0][1]"].findtext("{*}title") or "")
    assert list(cells(viz.draw_health(history, order="index"))) == [f"layers[0][{i}]" for i in range(5)]


def test_what_counts_is_the_death_that_lasts() -> None:
    history = over([[True, False, False], [False, True, False], [False, True, False], [True, True, False]])
    assert list(cells(viz.draw_health(history))) == ["layers[0][1]", "layers[0][0]", "layers[0][2]"]


@given(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=9))
@settings(max_examples=25, deadline=None)
def test_the_first_death_and_the_count_are_the_reports(columns: list[list[bool]]) -> None:
    picture = viz.draw_health(over(columns))
    dead = np.array(columns)
    first = [e.attrib["data-first"] for e in parse(picture).iter() if "data-first" in e.attrib]
    assert first == ([str(int(dead.any(1).argmax()) + 1)] if dead.any() else [])
    text = said(picture)
    assert (f"{dead[-1].sum()} of 6 dead" in text) == bool(dead[-1].any())
    back = int((dead.any(0) & ~dead[-1]).sum())
    assert (f"{back} came back" in text) == bool(back)
    legible(picture)


def test_hatching_covers_exactly_the_dead_epochs() -> None:
    columns = [[False, False], [True, False], [True, False], [False, False], [True, True]]
    picture = viz.draw_health(over(columns))
    for unit, cell in cells(picture).items():
        i = int(unit[-2])
        boxes = [e for e in cell.iter() if e.get("fill", "").endswith("-hatch)")]
        whole = sum(float(b.attrib["width"]) for b in boxes)
        assert whole == pytest.approx(114 * sum(c[i] for c in columns), abs=1)


def test_a_history_from_a_file_draws_the_same_picture(tmp_path: Any) -> None:
    history = trained(epochs=3)
    history.save(tmp_path / "history.json")
    again = History.from_dict(json.loads(json.dumps(history.to_dict())))
    first = viz.draw_health(history).svg
    assert viz.draw_health(History.load(tmp_path / "history.json")).svg == first
    assert viz.draw_health(again).svg == first
    assert viz.draw_health(history.health).svg == first
    one = HealthReport.from_dict(json.loads(json.dumps(history.health[-1].to_dict())))
    assert viz.draw_health(one).svg == viz.draw_health(history.health[-1]).svg


def test_epochs_that_were_skipped_are_named_as_they_were() -> None:
    history = trained(epochs=11, callbacks=[health.HealthMonitor(every=4)])
    assert [r.epoch for r in history.health] == [4, 8, 11]
    picture = viz.draw_health(history)
    assert {"4", "8", "11", "epoch"} <= {t.said for t in texts(picture)}
    bare = [replace(r, epoch=None) for r in history.health]
    assert {"1", "2", "3", "report"} <= {t.said for t in texts(viz.draw_health(bare))}


@pytest.mark.parametrize("n", [1, 20, 33, 64, 128, 256, 600])
def test_any_number_of_units_fits(n: int) -> None:
    rng = np.random.default_rng(n)
    since = rng.integers(0, 9, n)
    reports = over([[bool(s <= k) for s in since] for k in range(7)])
    picture = viz.draw_health(reports)
    rows = [g for g in parse(picture).iter() if "data-marks" in g.attrib]
    units = [
        int(u) for g in rows for u in g.get("data-units", g.get("data-unit", "[?]").rpartition("[")[2][:-1]).split()
    ]
    assert sorted(units) == list(range(n))
    assert len(rows) <= 256
    assert f"{(since <= 6).sum()} of {n} dead" in said(picture)
    legible(picture)


def test_four_hundred_epochs_fit() -> None:
    picture = viz.draw_health(over([[k > 37, k > 200, False] for k in range(400)]))
    assert float(parse(picture).attrib["width"]) <= 802
    assert "first death: epoch 39" in said(picture)
    legible(picture)


# --- what is refused, and what is hostile ---------------------------------------------------------------------------


def test_a_history_without_health_names_the_monitor() -> None:
    with pytest.raises(ValueError, match=r"HealthMonitor"):
        viz.draw_health(mg.fit(nn.MLP(2, [3, 2], rng=0), X, Y, epochs=1, rng=0, progress=False))
    with pytest.raises(ValueError, match=r"HealthMonitor"):
        viz.draw_health([])


def test_what_is_no_health_is_refused() -> None:
    report = HealthReport([layer(3)], 5)
    with pytest.raises(TypeError, match="HealthReport, a History or a list"):
        viz.draw_health(nn.MLP(2, [3, 2]))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="other things in it"):
        viz.draw_health([report, 3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="not of one network"):
        viz.draw_health([report, HealthReport([layer(4)], 5)])
    with pytest.raises(ValueError, match="'on_rate', 'saturated_share'"):
        viz.draw_health(report, measure="mean")
    with pytest.raises(ValueError, match="order is one of 'index', 'measure', not"):
        viz.draw_health(report, order="death")
    with pytest.raises(ValueError, match="measure is one of 'on_rate'"):
        viz.draw_health(report, measure=["on_rate"])  # type: ignore[arg-type]
    for most in ("a", 0, 1.5, None):
        with pytest.raises(ValueError, match="most_units is a whole number of at least 1, not"):
            viz.draw_health(report, most_units=most)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="theme must be"):
        viz.draw_health(report, theme="neon")  # type: ignore[arg-type]


NASTY = ['</script><b>&"', "a\nb\x00\u202eevil", "🦜" * 60, "W" * 10_000]


@pytest.mark.parametrize("name", NASTY)
def test_hostile_names_are_shown_and_harm_nothing(name: str) -> None:
    h = replace(layer(6, name, name), units=(name,) * 6)
    reports = [HealthReport([h], 5, epoch=k) for k in (1, 2)]
    flows = [GradientFlow(f"{name}.weight", "parameter", 1.0, 1.0, 1.0, 1.0, 0.0)]
    full = replace(reports[0], gradients=flows, updates={f"{name}.weight": -3.0})
    for picture in (viz.draw_health(full, title=name), viz.draw_health(reports, title=name)):
        legible(picture)
        assert "<b>" not in picture.svg
        assert "script>" not in picture.svg.replace("&lt;/script&gt;", "")
        assert float(parse(picture).attrib["width"]) <= 802


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_colour_is_the_themes(theme: Any) -> None:
    assert "@" not in viz.draw_health(trained(epochs=2), theme=theme).svg
