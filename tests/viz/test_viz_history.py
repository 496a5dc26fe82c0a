"""Curves of training: each point is the history's number, gaps and ends are visible, labels are apart."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from reading import legible, marks_agree, parse, texts

import micrograd_nn as mg
import viz
from micrograd_nn import data, health, nn
from micrograd_nn.health import GradientFlow, HealthReport, LayerHealth
from micrograd_nn.training import Epoch, History


def run(**more: Any) -> History:
    X, y = data.make_moons(80, noise=0.2, rng=0)
    given: dict[str, Any] = {"validation_data": data.make_moons(40, noise=0.2, rng=1), "epochs": 8, "lr": 0.02}
    given["callbacks"] = [health.HealthMonitor()]
    return mg.fit(nn.MLP(2, [8, 4, 2], rng=0), X, y, rng=0, progress=False, **(given | more))


@pytest.fixture(scope="module")
def moons() -> History:
    return run()


def panels(picture: viz.Picture) -> dict[str, ET.Element]:
    return {g.get("data-panel", ""): g for g in parse(picture).iter() if g.get("data-panel")}


def lines(panel: ET.Element) -> dict[str, ET.Element]:
    return {g.get("data-series", ""): g for g in panel.iter() if g.get("data-series") and g.tag.endswith("}g")}


def points(panel: ET.Element, series: str) -> list[tuple[float, float]]:
    """The points of a line in numbers, from its path and from what the axes say they are."""
    axes = next(g for g in panel.iter() if g.get("data-axes") is not None)
    x0, x1, u0, u1 = map(float, axes.get("data-x", "").split())
    y0, y1, v0, v1 = map(float, axes.get("data-y", "").split())
    log = axes.get("data-log") == "y"
    if log:
        v0, v1 = math.log10(v0), math.log10(v1)
    group = lines(panel)[series]
    places = [
        tuple(map(float, p.split()))
        for path in group.iter()
        if path.get("d") and path.get("data-mark") is None
        for p in re.split("[ML]", path.get("d", ""))[1:]
    ]
    places += [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in group.iter() if c.tag.endswith("circle")]
    found = []
    for px, py in places:
        v = v0 + (v1 - v0) * (py - y0) / (y1 - y0)
        found.append((u0 + (u1 - u0) * (px - x0) / (x1 - x0), 10**v if log else v))
    return found


def made(losses: list[float], **more: Any) -> History:
    return History([Epoch(i, loss) for i, loss in enumerate(losses, 1)], **more)


# --- the numbers ------------------------------------------------------------------------------------------------------


def test_each_point_is_an_epoch_of_the_history(moons: History) -> None:
    shown = panels(viz.draw_history(moons))
    for panel, series, measure in [
        ("loss", "training", "loss"), ("loss", "validation", "val_loss"), ("accuracy", "training", "accuracy"),
        ("accuracy", "validation", "val_accuracy"), ("grad_norm", "all parameters", "grad_norm"),
    ]:  # fmt: skip
        got = points(shown[panel], series)
        assert [round(x) for x, _ in got] == moons["epoch"]
        assert [y for _, y in got] == pytest.approx(moons[measure], rel=2e-3, abs=2e-3)
        last = lines(shown[panel])[series].get("data-value")
        assert float(last or "nan") == moons[measure][-1]


def test_hovering_tells_each_number_to_the_last_digit(moons: History) -> None:
    panel = panels(viz.draw_history(moons))["loss"]
    told = {c.get("data-epoch"): c.get("data-value") for c in panel.iter()
            if c.get("data-epoch") and c.get("data-series") == "validation"}  # fmt: skip
    assert told == {f"{e.epoch}": repr(e.val_loss) for e in moons.epochs}


def test_update_ratios_and_norms_are_those_of_the_reports(moons: History) -> None:
    shown = panels(viz.draw_history(moons))
    assert set(lines(shown["updates"])) == set(moons.health[0].updates)
    for name, group in lines(shown["updates"]).items():
        assert float(group.get("data-value") or "nan") == moons.health[-1].updates[name]
        assert [y for _, y in points(shown["updates"], name)] == pytest.approx(
            [report.updates[name] for report in moons.health], abs=0.03
        )
    norms = {g.name: g.norm for g in moons.health[-1].gradients if g.kind == "parameter"}
    for name, group in lines(shown["grad_norm"]).items():
        if name != "all parameters":
            assert float(group.get("data-value") or "nan") == norms[name]


def test_the_healthy_band_is_half_a_decade_on_either_side_of_minus_three(moons: History) -> None:
    panel = panels(viz.draw_history(moons))["updates"]
    axes = next(g for g in panel.iter() if g.get("data-axes") is not None)
    y0, y1, v0, v1 = map(float, axes.get("data-y", "").split())
    band = [r for r in axes if r.tag.endswith("rect")][1]
    top, high = float(band.get("y", "")), float(band.get("height", ""))
    assert [v0 + (v1 - v0) * (y - y0) / (y1 - y0) for y in (top, top + high)] == pytest.approx([-2.5, -3.5], abs=0.02)
    assert any(t.said == "healthy near −3" for t in texts(viz.draw_history(moons)))


def test_tables_hold_every_number_in_full(moons: History) -> None:
    tables = viz.draw_history(moons)._sheet.tables
    epochs = tables[0]
    for i, measure in enumerate(epochs.columns):
        assert [row[i] for row in epochs.rows] == moons[measure]
    assert [row[1:] for row in tables[1].rows] == [tuple(r.updates.values()) for r in moons.health]
    units = next(t for t in tables if t.caption.startswith("Units"))
    assert len(units.rows) == sum(len(r.layers) for r in moons.health)


def layer(name: str, dead: list[bool], saturated: list[float]) -> LayerHealth:
    n, no = len(dead), np.zeros(len(dead), bool)
    return LayerHealth(name, "relu", None, np.full(n, 0.5), np.array(dead), no, no, no, np.array(saturated),
                       *[np.ones(n)] * 4)  # fmt: skip


def test_shares_of_dead_and_saturated_units_are_counted_by_layer_and_over_all() -> None:
    reports = [
        HealthReport([layer("a", [True, False], [0.5, 0.0]), layer("b", [False] * 6, [0.0] * 6)], 10, epoch=1),
        HealthReport([layer("a", [True, True], [0.5, 1.0]), layer("b", [False] * 6, [0.0] * 6)], 10, epoch=2),
    ]
    picture = viz.draw_history(made([1.0, 0.5], health=reports))
    shown = panels(picture)
    assert lines(shown["dead"])["a"].get("data-value") == "1.0"
    assert lines(shown["saturated"])["a"].get("data-value") == "0.75"
    assert set(lines(shown["dead"])) == {"a"}
    said = [t.said for t in texts(picture)]
    assert said.count("other layers: 0 %") == 2
    area = next(e for e in shown["dead"].iter() if e.get("data-series") == "all layers")
    assert "hatch" in (area.get("fill") or "")
    area = next(e for e in shown["saturated"].iter() if e.get("data-series") == "all layers")
    assert "dots" in (area.get("fill") or "")


# --- what is there and what is not ------------------------------------------------------------------------------------


def test_panels_without_anything_are_left_out_and_it_says_how_to_get_them() -> None:
    picture = viz.draw_history(made([0.5, 0.25]))
    assert set(panels(picture)) == {"loss"}
    said = " ".join(t.said for t in texts(picture))
    assert "fit(..., callbacks=[health.HealthMonitor()])" in said
    assert "validation_data=(X, y)" in said


def test_the_hints_are_gone_where_all_was_measured(moons: History) -> None:
    assert "Not measured" not in viz.draw_history(moons).svg


def test_the_learning_rate_is_drawn_where_it_changes(moons: History) -> None:
    assert "lr" not in panels(viz.draw_history(moons))
    picture = viz.draw_history(run(epochs=4, schedule="cosine"))
    assert len(points(panels(picture)["lr"], "lr")) == 4


def test_metrics_and_the_penalty_have_their_lines() -> None:
    epochs = [Epoch(i, 1.0 / i, val_loss=2.0 / i, penalty=0.1, metrics={"mae": 0.5, "val_mae": 0.6}) for i in (1, 2)]
    shown = panels(viz.draw_history(History(epochs)))
    assert set(lines(shown["metric mae"])) == {"training", "validation"}
    assert set(lines(shown["loss"])) == {"training", "validation", "penalty"}


def test_training_is_solid_and_validation_dashed(moons: History) -> None:
    dashes = {name: [p.get("stroke-dasharray") for p in g.iter() if p.get("d")]
              for name, g in lines(panels(viz.draw_history(moons))["loss"]).items()}  # fmt: skip
    assert dashes["training"] == [None]
    assert dashes["validation"] != [None]


def test_lines_of_one_panel_differ_in_more_than_hue(moons: History) -> None:
    shown = panels(viz.draw_history(moons))
    looks = [tuple(next((p.get("stroke"), p.get("stroke-dasharray")) for p in g.iter() if p.get("d")))
             for g in lines(shown["updates"]).values()]  # fmt: skip
    assert len(set(looks)) == len(looks) == 6


def test_the_scale_is_logarithmic_over_two_decades_only() -> None:
    def log(losses: list[float]) -> bool:
        axes = next(g for g in panels(viz.draw_history(made(losses)))["loss"].iter() if g.get("data-axes") is not None)
        assert ("log scale" in (axes.get("data-axes") or "")) == (axes.get("data-log") == "y")
        return axes.get("data-log") == "y"

    assert log([1.0, 0.009])
    assert not log([1.0, 0.011])
    assert not log([1.0, -1e-9])
    assert log([1.0, 0.001, 0.0])


# --- how it ended -----------------------------------------------------------------------------------------------------


def test_the_epoch_whose_weights_were_kept_has_a_guide_in_every_panel() -> None:
    history = run(epochs=200, lr=0.1, early_stopping=4)
    assert history.best_epoch
    shown = panels(viz.draw_history(history))
    for panel in shown.values():
        guides = [e for e in panel.iter() if e.get("data-mark") == "best"]
        assert [float(g.get("data-value", "")) for g in guides] == [history.best_epoch]
    said = [t.said for t in texts(viz.draw_history(history))]
    assert any(t.startswith(f"weights kept: epoch {history.best_epoch}") for t in said)
    assert "had not improved on" in " ".join(said)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_run_that_broke_off_says_where_and_why() -> None:
    X, y = data.make_moons(80, noise=0.2, rng=0)
    with np.errstate(all="ignore"):
        history = mg.fit(nn.MLP(2, [8, 1], rng=0), X, y[:, None] * 1.0, loss="mse_loss", optimizer="sgd", lr=30.0,
                         epochs=200, rng=0, progress=False)  # fmt: skip
    assert history.epochs
    assert history.ended != "finished"
    picture = viz.draw_history(history)
    found = re.search(r"epoch (\d+)", history.ended)
    assert found
    broke = [e for e in panels(picture)["loss"].iter() if e.get("data-mark") == "broke"]
    assert [float(e.get("data-value", "")) for e in broke] == [float(found[1])]
    shown = " ".join(t.said for t in texts(picture))
    assert " ".join(history.ended.split())[:60] in shown
    legible(picture)


def test_nan_is_a_gap_and_infinity_an_arrowhead_and_both_are_said() -> None:
    picture = viz.draw_history(made([3.0, 2.0, math.nan, 1.0, math.inf, math.nan, 0.5]))
    panel = panels(picture)["loss"]
    path = next(p.get("d", "") for p in lines(panel)["training"].iter() if p.get("d") and not p.get("data-mark"))
    assert path.count("M") == 2
    assert [round(x) for x, _ in points(panel, "training")] == [1, 2, 4, 5, 7]
    assert len([e for e in panel.iter() if e.get("data-mark") == "endless"]) == 1
    assert any("Not a finite number: loss in 3 epochs from 3 on" in t.said for t in texts(picture))


def test_a_negative_loss_is_drawn_and_says_why_the_scale_is_linear() -> None:
    picture = viz.draw_history(made([1.0, 0.0001, -0.5]))
    assert [y for _, y in points(panels(picture)["loss"], "training")] == pytest.approx([1.0, 0.0, -0.5], abs=0.02)
    assert any("below 0" in t.said for t in texts(picture))


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_one_epoch_is_a_point() -> None:
    picture = viz.draw_history(made([0.5]))
    assert points(panels(picture)["loss"], "training") == [(pytest.approx(1.0, abs=1e-3), pytest.approx(0.5, abs=0.01))]
    legible(picture)


@pytest.mark.parametrize(
    "losses", [[0.5, 0.25], [0.5] * 9, [0.0] * 3, [1e-300, 1e300], [-5.0, -5.0 + 1e-12], [1e9] * 4]
)
def test_unusual_losses_keep_their_place(losses: list[float]) -> None:
    picture = viz.draw_history(made(losses))
    got = [y for _, y in points(panels(picture)["loss"], "training")]
    spread = max(losses) - min(losses)
    if math.isfinite(spread) and spread < 1e200:
        assert got == pytest.approx(losses, abs=max(spread / 50, 1e-6 * abs(losses[0]) + 1e-2 * (spread == 0)))
    legible(picture)


def test_five_thousand_epochs_keep_their_highest_and_lowest_in_a_small_path() -> None:
    rng = np.random.default_rng(0)
    losses = [float(v) for v in 1 + rng.random(5000)]
    losses[1234], losses[4321] = 9.0, 0.125
    picture = viz.draw_history(made(losses))
    got = points(panels(picture)["loss"], "training")
    assert len(got) <= 1000
    assert max(y for _, y in got) == pytest.approx(9.0, abs=0.02)
    assert min(y for _, y in got) == pytest.approx(0.125, abs=0.02)
    assert [round(got[0][0]), round(got[-1][0])] == [1, 5000]
    assert len(picture._sheet.tables[0].rows) == 5000
    legible(picture)


def test_many_parameters_are_folded_and_it_says_so() -> None:
    names = [f"layers[{i}].{w}" for i in range(15) for w in ("weight", "bias")]
    flows = [GradientFlow(n, "parameter", 0, 1, 1.0, 1, 0) for n in names]
    reports = [HealthReport([], 5, flows, {n: -3.0 - 0.05 * i for i, n in enumerate(names)}, epoch=e) for e in (1, 2)]
    picture = viz.draw_history(made([1.0, 0.5], health=reports))
    said = [t.said for t in texts(picture)]
    assert "and 22 nearer to −3" in said
    assert any(t.startswith("layers[14].bias") for t in said)
    assert not any(t.startswith("layers[0].bias") for t in said)
    assert len(lines(panels(picture)["updates"])) == 30
    legible(picture)


def test_a_parameter_without_spread_or_step_is_a_gap_or_an_arrowhead() -> None:
    ratios = [{"w": -3.0, "b": None}, {"w": -math.inf, "b": -2.0}]
    reports = [HealthReport([], 5, updates=u, epoch=e) for e, u in enumerate(ratios, 1)]  # type: ignore[arg-type]
    panel = panels(viz.draw_history(made([1.0, 0.5], health=reports)))["updates"]
    assert len([e for e in lines(panel)["w"].iter() if e.get("data-mark") == "endless"]) == 1
    assert points(panel, "b") == [(pytest.approx(2.0, abs=1e-3), pytest.approx(-2.0, abs=0.02))]


# --- several runs -----------------------------------------------------------------------------------------------------


def test_several_runs_share_the_scale_of_each_panel(moons: History) -> None:
    picture = viz.draw_history({"one": moons, "two": made([4.0, 3.0]), "three": run(epochs=3, callbacks=[])})
    loss = [g for g in parse(picture).iter() if g.get("data-panel") == "loss"]
    assert [g.get("data-run") for g in loss] == ["one", "two", "three"]
    scales = [next(a for a in g.iter() if a.get("data-axes") is not None) for g in loss]
    assert len({tuple((a.get("data-y") or "").split()[2:]) for a in scales}) == 1
    assert points(loss[1], "training") == [(pytest.approx(1, abs=1e-3), pytest.approx(4.0, abs=0.03)),
                                           (pytest.approx(2, abs=1e-3), pytest.approx(3.0, abs=0.03))]  # fmt: skip
    assert "not measured" in [t.said for t in texts(picture)]
    legible(picture)


@pytest.mark.parametrize("count", [2, 4, 5, 9])
def test_any_number_of_runs_fits(count: int, moons: History) -> None:
    legible(viz.draw_history({f"{n} hidden": moons for n in range(count)}))


# --- chosen panels ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        ("loss", ["loss"]), (["accuracy"], ["accuracy"]), (["accuracy", "loss"], ["accuracy", "loss"]),
        (["gradient norm", "update ratio"], ["grad_norm", "updates"]),
        (["dead units", "saturated"], ["dead", "saturated"]),
        (["learning rate", "loss", "loss"], ["lr", "loss"]),
    ],
)  # fmt: skip
def test_just_the_panels_asked_for_are_drawn_in_that_order(moons: History, names: Any, keys: list[str]) -> None:
    picture = viz.draw_history(moons, panels=names)
    assert list(panels(picture)) == keys
    legible(picture)


def test_their_names_are_on_the_picture(moons: History) -> None:
    metric = History([Epoch(k, 1.0, metrics={"mae": 0.5}) for k in (1, 2)])
    for history in (moons, metric):
        with pytest.raises(ValueError, match="there is no panel 'los'") as caught:
            viz.draw_history(history, panels=["loss", "los"])
        names = re.sub(r".*one or more of (.*?)\..*", r"\1", str(caught.value)).split(", ")
        assert {"loss"} < set(names)
        for name in names:
            shown = [t.said for t in texts(viz.draw_history(history, panels=name))]
            assert [said for said in shown if said == name or said.startswith((f"{name}:", f"{name},", f"{name} ("))]


def test_what_was_not_measured_is_said_to_who_asks_for_it_only() -> None:
    history = made([0.5, 0.25])
    assert "Not measured" in viz.draw_history(history).svg
    assert "Not measured" not in viz.draw_history(history, panels=["loss"]).svg
    with pytest.raises(ValueError, match=r"no panel 'dead units'.*one or more of loss\..*HealthMonitor"):
        viz.draw_history(history, panels=["dead units"])
    with pytest.raises(ValueError, match="no panel asked for"):
        viz.draw_history(history, panels=[])


def test_what_is_said_is_about_the_panels_asked_for() -> None:
    history = made([1.0, 0.0001, -0.5, math.nan])
    assert "below 0" in viz.draw_history(history, panels="loss")._sheet.note
    assert "Not a finite number" in viz.draw_history(history, panels="loss")._sheet.note


def test_several_runs_with_one_panel_are_lines_on_the_same_axes() -> None:
    runs = {"SGD": made([4.0, 3.0, 2.0]), "Adam": made([3.0, 1.0]), "none": made([5.0, 5.0, 5.0])}
    picture = viz.draw_history(runs, panels=["loss"], title="A race")
    (panel,) = [g for g in parse(picture).iter() if g.get("data-panel")]
    assert list(lines(panel)) == list(runs)
    for name, history in runs.items():
        got = points(panel, name)
        assert [round(x) for x, _ in got] == history["epoch"]
        assert [y for _, y in got] == pytest.approx(history["loss"], abs=0.02)
    said = [t.said for t in texts(picture)]
    assert {"SGD 2.0", "Adam 1.0", "none 5.0", "loss"} <= set(said)
    assert not [text for text in said if "not measured" in text.lower()]
    legible(picture)


def test_what_is_true_of_all_runs_is_said_once() -> None:
    settings = {"optimizer": "SGD", "lr": 0.1}
    alike = {name: made([1.0, 0.5], settings=settings) for name in "abc"}
    note = "2 epochs, SGD, lr 0.1."
    assert texts(viz.draw_history(alike, panels="loss"))[0].said == note
    other = alike | {"d": made([1.0], settings={"optimizer": "Adam"})}
    said = [t.said for t in texts(viz.draw_history(other, panels="loss"))]
    assert said[:2] == [f"a, b, c: {note}", "d: 1 epoch, Adam."]


@pytest.mark.parametrize("count", [2, 8, 9, 24])
def test_many_runs_on_the_same_axes_are_told_apart(count: int) -> None:
    runs = {f"run {k}": made([1.0, 0.5 + 0.01 * k]) for k in range(count)}
    picture = viz.draw_history(runs, panels="loss")
    looks = [tuple(next((p.get("stroke"), p.get("stroke-dasharray"), p.get("stroke-width")) for p in g if p.get("d")))
             for g in lines(panels(picture)["loss"]).values()]  # fmt: skip
    assert len(set(looks)) == len(looks) == count
    legible(picture)


def test_validation_is_the_thin_one_of_a_run() -> None:
    epochs = [Epoch(k, 1.0 / k, val_loss=2.0 / k) for k in (1, 2)]
    picture = viz.draw_history({"one": History(epochs), "two": made([1.0, 0.7])}, panels="loss")
    shown = lines(panels(picture)["loss"])
    assert list(shown) == ["one", "one validation", "two"]
    looks = {name: next(p for p in g if p.get("d")) for name, g in shown.items()}
    assert len({(looks[name].get("stroke"), looks[name].get("stroke-dasharray")) for name in list(shown)[:2]}) == 1
    wides = {name: float(look.get("stroke-width", "")) for name, look in looks.items()}
    assert wides["one validation"] < wides["one"] == wides["two"]


def test_of_units_and_gradients_a_run_has_one_line_for_all(moons: History) -> None:
    runs = {"one": moons, "two": run(epochs=4)}
    for name, key in (("dead units", "dead"), ("saturated", "saturated"), ("gradient norm", "grad_norm")):
        picture = viz.draw_history(runs, panels=name)
        panel = panels(picture)[key]
        assert list(lines(panel)) == ["one", "two"]
        assert marks_agree(picture)
        legible(picture)
    last = moons.health[-1].layers
    share = sum(int(layer.dead.sum()) for layer in last) / sum(map(len, last))
    dead = lines(panels(viz.draw_history(runs, panels="dead units"))["dead"])["one"]
    assert float(dead.get("data-value") or "nan") == pytest.approx(share)
    assert "dead units, share of all" in [t.said for t in texts(viz.draw_history(runs, panels="dead units"))]


def test_update_ratios_of_several_runs_stay_side_by_side(moons: History) -> None:
    picture = viz.draw_history({"one": moons, "two": moons}, panels="update ratio")
    assert [g.get("data-run") for g in parse(picture).iter() if g.get("data-panel")] == ["one", "two"]
    legible(picture)


def test_runs_on_the_same_axes_are_letters_in_a_terminal() -> None:
    shown = viz.text(viz.draw_history({"up": made([1.0, 2.0, 3.0]), "down": made([3.0, 2.0, 1.0])}, panels="loss"))
    assert "a up, b down" in shown
    plot = [line.partition("│")[2] or line.partition("┤")[2] for line in shown.split("\n")]
    plot = [line for line in plot if line.strip(" ab") == "" and line.strip()]
    assert [set(line.replace(" ", "")) for line in (plot[0], plot[-1])] == [{"a", "b"}] * 2
    assert plot[0].index("b") < plot[0].index("a")
    assert plot[-1].index("a") < plot[-1].index("b")
    line = next(line for line in shown.split("\n") if line.startswith("  up"))
    assert line.split()[-4:] == ["1.0", "3.0", "1.0", "3.0"]


def test_a_panel_without_the_loss_is_told_too(moons: History) -> None:
    for name in ("accuracy", "update ratio", "dead units"):
        shown = viz.text(viz.draw_history(moons, panels=[name]), width=80)
        assert name in shown
        assert "loss:" not in shown


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_nothing_overlaps_or_is_cut_off(moons: History, theme: Any) -> None:
    picture = viz.draw_history(moons, theme=theme, title="Two moons")
    legible(picture)
    assert picture.title == "Two moons"
    assert picture._sheet.kind == "history"


HOSTILE = ["</script><b>&", "q\"uo'te", "line\nfeed", "\u202eright to left", "x" * 10_000, "🦊 фокс 狐狸", "]]>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_are_shown_as_they_are(text: str, moons: History) -> None:
    odd = History(moons.epochs, text, settings={"loss": text, "optimizer": text, "schedule": text})
    metric = History([Epoch(1, 0.5, metrics={text: 1.0})])
    picture = viz.draw_history({text: odd, "other": metric}, title=text)
    legible(picture)
    assert not [e for e in parse(picture).iter() if e.tag.endswith(("script", "}b"))]
    assert "\u202e" not in picture.svg


def test_what_is_no_history_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no epochs to draw; its run ended so: the loss became nan"):
        viz.draw_history(History(ended="the loss became nan in epoch 1"))
    with pytest.raises(ValueError, match="empty dict"):
        viz.draw_history({})
    with pytest.raises(TypeError, match=r"not list.*History\.load"):
        viz.draw_history([1.0, 0.5])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not float under 'a'"):
        viz.draw_history({"a": 1.0})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="up to 24"):
        viz.draw_history({str(i): made([1.0]) for i in range(25)})
    with pytest.raises(ValueError, match="theme"):
        viz.draw_history(made([1.0]), theme="pink")  # type: ignore[arg-type]
