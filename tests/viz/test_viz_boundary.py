"""Decision regions: what is drawn at a place is what the model says there; points and accuracies are the engine's."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import legible, outside, parse, placed, texts

import micrograd_nn as mg
import viz
from micrograd_nn import data, nn
from micrograd_nn.training import accuracy, evaluate

Array = np.ndarray[Any, Any]
X, Y = data.make_moons(90, noise=0.15, rng=0)
XT, YT = data.make_moons(30, noise=0.15, rng=1)


def panels(picture: viz.Picture) -> dict[str, ET.Element]:
    return {g.attrib["data-panel"]: g for g in parse(picture).iter() if "data-panel" in g.attrib}


def points(panel: ET.Element) -> list[ET.Element]:
    return [e for e in panel.iter() if "data-point" in e.attrib]


def limits(panel: ET.Element) -> list[list[float]]:
    """Of x and of y: from and to in pixels of the page, from and to in the feature."""
    axes = next(e for e in panel.iter() if "data-axes" in e.attrib)
    return [[float(v) for v in axes.attrib[f"data-{k}"].split()] for k in "xy"]


def plane(panel: ET.Element) -> Callable[[Array], Array]:
    """From pixels of the page to the two features."""
    (x0, x1, a0, a1), (y0, y1, b0, b1) = limits(panel)
    return lambda p: np.c_[a0 + (p[:, 0] - x0) / (x1 - x0) * (a1 - a0), b0 + (p[:, 1] - y0) / (y1 - y0) * (b1 - b0)]


def rings(path: ET.Element) -> list[Array]:
    found = [np.array([[float(v) for v in p.split()] for p in part.strip("Z").split("L")])
             for part in path.attrib["d"].split("M")[1:]]  # fmt: skip
    return [ring for ring in found if len(ring) > 1]


def inside(path: ET.Element, at: Array) -> Array:
    """Whether places are within a path, as fill-rule evenodd has it."""
    count = np.zeros(len(at), int)
    for ring in rings(path):
        for (xa, ya), (xb, yb) in zip(ring, np.roll(ring, -1, 0), strict=True):
            crosses = (ya > at[:, 1]) != (yb > at[:, 1])
            with np.errstate(all="ignore"):
                count += crosses & (at[:, 0] < xa + (at[:, 1] - ya) / (yb - ya) * (xb - xa))
    return count % 2 == 1


def regions(panel: ET.Element, level: str = "0.0") -> dict[int, list[ET.Element]]:
    found: dict[int, list[ET.Element]] = {}
    for e in panel.iter():
        if e.get("data-level") == level:
            found.setdefault(int(e.attrib["data-region"]), []).append(e)
    return found


def sampled(panel: ET.Element, n: int = 400) -> Array:
    """Places all over a panel, in pixels."""
    (x0, x1, *_), (y0, y1, *_) = limits(panel)
    u = np.random.default_rng(0).uniform(size=(n, 2))
    return np.c_[x0 + u[:, 0] * (x1 - x0), y0 + u[:, 1] * (y1 - y0)]


def numbers(model: Any, Z: Array) -> Array:
    out = model(Z)
    return np.asarray(getattr(out, "data", out)).reshape(len(Z), -1)


def trained(sizes: list[int], X: Array = X, y: Array = Y, **more: Any) -> nn.MLP:
    model = nn.MLP(2, sizes, rng=1)
    mg.fit(model, X, y, **({"epochs": 25, "lr": 0.03, "rng": 0, "progress": False} | more))
    return model


# --- regions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_region_drawn_at_a_place_is_the_class_given_there(classes: int) -> None:
    Z, y = data.make_blobs(120, centers=classes, rng=classes) if classes > 2 else (X, Y)
    model = trained([12, classes], Z, y)
    panel = panels(viz.draw_boundary(model, Z, y))[repr(model)]
    at = sampled(panel)
    scores = numbers(model, plane(panel)(at))
    ordered = np.sort(scores, 1)
    clear = ordered[:, -1] - ordered[:, -2] > 0.03 * np.abs(scores).max()  # further than a pixel from the line
    assert clear.mean() > 0.8
    drawn = regions(panel)
    assert set(drawn) == set(scores.argmax(1).tolist())
    for k, paths in drawn.items():
        covered = np.any([inside(p, at) for p in paths], 0)
        assert (covered == (scores.argmax(1) == k))[clear].all()


def test_tints_deepen_at_the_probabilities_of_the_scale() -> None:
    model = trained([8, 1], loss="binary_cross_entropy_with_logits", epochs=8)
    panel = panels(viz.draw_boundary(model, X, Y))[repr(model)]
    at = sampled(panel)
    p = 1 / (1 + np.exp(-numbers(model, plane(panel)(at))[:, 0]))
    levels = sorted({float(e.attrib["data-level"]) for e in panel.iter() if "data-level" in e.attrib})
    assert np.allclose(1 / (1 + np.exp(-np.array(levels))), [0.5, 0.6, 0.7, 0.8, 0.9])
    for level in levels:
        least = 1 / (1 + np.exp(-level))
        for k, sure in ((1, p), (0, 1 - p)):
            paths = regions(panel, repr(level)).get(k, [])
            covered = np.any([inside(e, at) for e in paths], 0) if paths else np.zeros(len(at), bool)
            clear = np.abs(sure - least) > 0.02
            assert (covered == (sure > least))[clear].all()


def test_the_line_runs_where_the_score_is_zero() -> None:
    def score(Z: Array) -> Array:
        return 2 * Z[:, 0] - 3 * Z[:, 1] + 0.25

    panel = panels(viz.draw_boundary(score, X, Y))["score"]
    line = next(e for e in panel.iter() if e.get("data-line") == "0")
    on = np.concatenate(rings(line))
    assert len(on) > 10
    assert np.abs(score(plane(panel)(on))).max() < 0.02  # a tenth of a pixel


def test_hinge_labels_are_drawn_with_the_margins_at_one() -> None:
    def score(Z: Array) -> Array:
        return (Z[:, :1] - 0.5) * 3

    picture = viz.draw_boundary(score, X, 2 * Y - 1)
    panel = panels(picture)["score"]
    on = np.concatenate(rings(next(e for e in panel.iter() if e.get("data-line") == "1")))
    assert np.allclose(np.abs(score(plane(panel)(on))), 1, atol=0.02)
    said = " ".join(t.said for t in texts(picture))
    assert "class −1" in said
    assert "score +1 and −1" in said


def test_a_threshold_for_probabilities() -> None:
    def logistic(Z: Array) -> Array:
        return 1 / (1 + np.exp(-4 * (Z[:, 0] - 0.5)))

    panel = panels(viz.draw_boundary(logistic, X, Y, threshold=0.5))["logistic"]
    on = np.concatenate(rings(next(e for e in panel.iter() if e.get("data-line") == "0")))
    assert np.allclose(plane(panel)(on)[:, 0], 0.5, atol=0.01)
    notes = viz.draw_boundary(logistic, X, Y)._sheet.note
    assert "threshold=0.5" in notes


def test_ties_go_where_accuracy_puts_them() -> None:
    for model in (lambda Z: np.zeros(len(Z)), lambda Z: np.zeros((len(Z), 2)), lambda Z: np.zeros((len(Z), 3))):
        panel = panels(viz.draw_boundary(model, X, Y))["<lambda>"]
        assert {p.attrib["data-predicted"] for p in points(panel)} == {"0"}
        assert set(regions(panel)) == {0}


def test_where_scores_are_nan_the_plane_is_hatched_and_nothing_is_given() -> None:
    def root(Z: Array) -> Array:
        return np.sqrt(Z[:, 0]) - 0.5

    picture = viz.draw_boundary(root, X, Y)
    panel = panels(picture)["root"]
    at = sampled(panel)
    nan = plane(panel)(at)[:, 0] < -0.05
    for paths in regions(panel).values():
        assert not any(inside(p, at)[nan].any() for p in paths)
    for p in points(panel):
        assert (p.attrib["data-predicted"] == "nan") == (X[int(p.attrib["data-point"]), 0] < 0)
    assert "NaN" in picture._sheet.note
    assert [e for e in panel.iter() if e.get("fill", "").endswith("-hatch)")]
    viz.draw_boundary(lambda Z: np.full(len(Z), np.nan), X, Y)
    viz.draw_boundary(lambda Z: np.where(Z > 0, np.inf, -np.inf), X, Y)


# --- points ---------------------------------------------------------------------------------------------------------


def test_each_point_has_its_place_class_set_and_what_is_given_it() -> None:
    model = trained([6, 2])
    panel = panels(viz.draw_boundary({"six": model}, X, Y, X_test=XT, y_test=YT))["six"]
    for part, Z, y in (("train", X, Y), ("test", XT, YT)):
        drawn = [p for p in points(panel) if p.attrib["data-set"] == part]
        assert [int(p.attrib["data-point"]) for p in drawn] == list(range(len(Z)))
        assert [int(p.attrib["data-class"]) for p in drawn] == y.tolist()
        assert [int(p.attrib["data-predicted"]) for p in drawn] == numbers(model, Z).argmax(1).tolist()
        at = np.array([centre(p) for p in drawn])
        assert np.allclose(plane(panel)(at), Z, atol=0.02)


def centre(mark: ET.Element) -> tuple[float, float]:
    if "cx" in mark.attrib:
        return float(mark.attrib["cx"]), float(mark.attrib["cy"])
    corners = rings(mark)[0]
    return float(corners[:, 0].mean()), float(corners[:, 1].mean())


def test_a_ring_is_around_each_misclassified_point_and_no_other() -> None:
    model = trained([3, 2], epochs=5)
    panel = panels(viz.draw_boundary(model, X, Y))[repr(model)]
    wrong = [p for p in points(panel) if p.attrib["data-class"] != p.attrib["data-predicted"]]
    around = [centre(e) for e in panel.iter() if e.get("data-mark") == "wrong"]
    assert 0 < len(wrong) < len(X)
    assert np.allclose(sorted(around), sorted(map(centre, wrong)), atol=0.02)


def test_training_is_filled_and_test_is_hollow_and_classes_have_shapes() -> None:
    model = trained([5, 2])
    panel = panels(viz.draw_boundary([model], X, Y, X_test=XT, y_test=YT))[repr(model)]
    looks = {(p.tag, p.attrib["fill"], p.attrib["data-class"], p.attrib["data-set"]) for p in points(panel)}
    assert len(looks) == 4
    fills = {k: {f for _, f, *rest in looks if rest[1] == k} for k in ("train", "test")}
    assert len(fills["train"]) == 2
    assert len(fills["test"]) == 1
    tags = {k: {t for t, _, c, _ in looks if c == k} for k in "01"}
    assert not tags["0"] & tags["1"]


@pytest.mark.parametrize("kinds", [3, 10, 12])
def test_every_class_has_a_shape_of_its_own(kinds: int) -> None:
    Z = np.random.default_rng(0).normal(size=(4 * kinds, 2))
    y = np.arange(len(Z)) % kinds
    model = lambda Z: Z @ np.ones((2, kinds)) * np.arange(kinds)
    panel = panels(viz.draw_boundary(model, Z, y, resolution=40))["<lambda>"]
    shapes = {}
    for p in points(panel):
        if p.get("d"):
            ring = rings(p)[0]
            shapes[p.attrib["data-class"]] = str(np.round(ring - ring.mean(0), 0).tolist())
        else:
            shapes[p.attrib["data-class"]] = "".join(p.itertext()) + p.tag
    assert len(set(shapes.values())) == kinds


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=30), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_no_point_is_cut_off_wherever_they_are(where: list[tuple[float, float]], margin: float) -> None:
    Z = np.array(where)
    picture = viz.draw_boundary(lambda P: P[:, 0] - P[:, 1], Z, np.zeros(len(Z)), resolution=12, margin=margin)
    (panel,) = panels(picture).values()
    (x0, x1, a0, a1), (y1, y0, b0, b1) = limits(panel)
    assert a0 <= Z[:, 0].min() <= Z[:, 0].max() <= a1
    assert b0 <= Z[:, 1].min() <= Z[:, 1].max() <= b1
    for p in points(panel):
        cx, cy = centre(p)
        assert x0 - 0.01 <= cx <= x1 + 0.01
        assert y0 - 2 <= cy <= y1 + 2
    assert outside(picture) == []


def test_many_points_are_thinned_out_and_a_note_says_so() -> None:
    Z, y = data.make_moons(5000, rng=0)
    picture = viz.draw_boundary(lambda P: P[:, 1] - 0.2, Z, y, resolution=40)
    (panel,) = panels(picture).values()
    assert len(points(panel)) == 2000
    assert "2,000 of 5,000 training points are drawn; accuracy counts all." in picture._sheet.note
    right = accuracy(Z[:, 1:] - 0.2, y)
    assert f"accuracy: train {right:.1%}".replace("%", " %") in [t.said for t in texts(picture)]


# --- panels ---------------------------------------------------------------------------------------------------------


def test_models_side_by_side_share_their_axes_and_their_scale() -> None:
    models = {f"{n} hidden": trained([n, 1], y=2 * Y - 1, loss="hinge_loss", epochs=4) for n in (3, 6, 20)}
    picture = viz.draw_boundary(models, X, 2 * Y - 1, X_test=XT, y_test=2 * YT - 1, resolution=90)
    found = panels(picture)
    assert list(found) == list(models)
    axes = [limits(g) for g in found.values()]
    assert len({str([x[2:], y]) for x, y in axes}) == 1
    assert len({round(x[1] - x[0], 6) for x, _ in axes}) == 1
    levels = {float(e.attrib["data-level"]) for g in found.values() for e in g.iter() if "data-level" in e.attrib}
    assert len(levels) <= 5
    legible(picture)


def test_accuracies_are_evaluates() -> None:
    for sizes, labels, loss in (
        ([5, 2], (Y, YT), "cross_entropy"),
        ([5, 1], (Y, YT), "binary_cross_entropy_with_logits"),
        ([5, 1], (2 * Y - 1, 2 * YT - 1), "hinge_loss"),
    ):
        model = trained(sizes, y=labels[0], loss=loss, epochs=6)
        picture = viz.draw_boundary(model, X, labels[0], X_test=XT, y_test=labels[1], resolution=40)
        rows = {r[1]: r[4] for r in picture._sheet.tables[0].rows}
        for part, Z, y in (("train", X, labels[0]), ("test", XT, labels[1])):
            assert rows[part] == evaluate(model, loss, Z, y)[1]
        assert any(f"train {rows['train']:.1%}".replace("%", " %") in t.said for t in texts(picture))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7])
def test_any_number_of_panels_fits_a_notebook(n: int) -> None:
    picture = viz.draw_boundary([trained([2, 2], epochs=1)] * n, X, Y, resolution=20, title="Models")
    assert len([g for g in parse(picture).iter() if "data-panel" in g.attrib]) == n
    assert float(parse(picture).attrib["width"]) <= 802
    legible(picture)


def test_regions_carry_names_where_hue_cannot() -> None:
    Z, y = data.make_spirals(150, rng=0)
    picture = viz.draw_boundary(trained([16, 3], Z, y), Z, y, classes=["ash", "birch", "cedar"])
    said = [t.said for t in texts(picture)]
    assert {"ash", "birch", "cedar"} <= {s for s in said if said.count(s) == 2}  # in the region and in the legend
    hues = {"#0b5fa5", "#b35806"}
    assert not hues & set(re.findall(r"#[0-9a-f]{6}", picture.svg))
    legible(picture)


def test_two_classes_carry_their_signs_in_their_regions() -> None:
    picture = viz.draw_boundary(trained([6, 2]), X, Y)
    (panel,) = panels(picture).values()
    at = {(t.text or "")[0]: [float(t.attrib["x"]), float(t.attrib["y"])] for t in panel.iter() if t.get("paint-order")}
    assert set(at) == {"+", "−"}
    drawn = regions(panel)
    for sign, k in (("+", 1), ("−", 0)):
        assert any(inside(p, np.array([at[sign]]))[0] for p in drawn[k])


# --- the model is left as it was ------------------------------------------------------------------------------------


def test_the_model_works_as_in_use_and_is_left_as_it_was() -> None:
    model = nn.MLP(2, [10, 2], dropout=0.5, input_noise=0.3, rng=0)
    model.train()
    model.dropouts[0].training = False
    before = model.state_dict()
    drawn = [g.bit_generator.state for _, g in model.named_generators()]
    modes = [m.training for m in model.modules()]
    for p in model.parameters():
        p.grad = np.ones(p.data.shape)
    first = viz.draw_boundary(model, X, Y)
    assert viz.draw_boundary(model, X, Y).svg == first.svg
    assert [m.training for m in model.modules()] == modes
    assert [g.bit_generator.state for _, g in model.named_generators()] == drawn
    assert all((p.grad == 1).all() for p in model.parameters())
    assert all((before[k] == v).all() for k, v in model.state_dict().items())

    class Bad(nn.Module):
        def forward(self, x: Any) -> Any:
            raise ZeroDivisionError

    bad = Bad()
    with pytest.raises(ZeroDivisionError):
        viz.draw_boundary(bad, X, Y)
    assert bad.training


def test_nothing_is_recorded() -> None:
    seen = []

    def model(Z: Array) -> Any:
        out = mg.Tensor(Z, requires_grad=True) @ np.ones(2)
        seen.append(out.requires_grad)
        return out

    viz.draw_boundary(model, mg.Tensor(X), mg.Tensor(Y))
    assert seen
    assert not any(seen)


# --- what is refused, and what is hostile ---------------------------------------------------------------------------


def test_other_than_two_features_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two features, and X has shape \(5, 3\)"):
        viz.draw_boundary(nn.MLP(3, [2]), np.ones((5, 3)), np.zeros(5))
    with pytest.raises(ValueError, match=r"cannot be drawn over two features"):
        viz.draw_boundary(nn.MLP(4, [2]), X, Y)


@pytest.mark.parametrize(
    ("more", "error", "text"),
    [
        ({"y": Y.astype(str)}, TypeError, "np.unique"),
        ({"y": Y[:5]}, ValueError, "one label a point"),
        ({"y": Y + 1}, ValueError, "labels are 0 to 1, and y has 2"),
        ({"y": Y * 0.5}, ValueError, "labels are"),
        ({"X": np.where(X > 1.9, np.nan, X)}, ValueError, "not finite at row"),
        ({"X": X[:0], "y": Y[:0]}, ValueError, "X has no examples"),
        ({"X": X * 1e200}, ValueError, "X reaches 2."),
        ({"y": [[1], [1, 2]]}, ValueError, "y has entries of several lengths"),
        ({"model": lambda Z: Z[:, 7]}, ValueError, "<lambda> cannot be drawn over two features: index 7"),
        ({"X_test": XT}, ValueError, "go together"),
        ({"model": []}, ValueError, "no model"),
        ({"model": 3}, TypeError, "a Module or a function"),
        ({"model": {"a": "b"}}, TypeError, "and a is str"),
        ({"model": lambda Z: Z[:3]}, ValueError, "one score a point"),
        ({"model": [nn.MLP(2, [2]), nn.MLP(2, [3])]}, ValueError, "the same classes"),
        ({"resolution": 1}, ValueError, "resolution"),
        ({"margin": -1}, ValueError, "margin"),
        ({"most_points": 0}, ValueError, "most_points"),
        ({"scale": "rainbow"}, ValueError, "scale is one of 'probability', 'margin', not"),
        ({"resolution": "a"}, ValueError, "resolution is a whole number of at least 2, not 'a'."),
        ({"margin": "a"}, ValueError, "margin is a finite number of at least 0, not 'a'."),
        ({"threshold": "a"}, ValueError, "threshold is a finite number, not 'a'."),
        ({"threshold": np.nan}, ValueError, "threshold is a finite number, not nan."),
        ({"most_points": "a"}, ValueError, "most_points is a whole number of at least 1, not 'a'."),
        ({"scale": ["margin"]}, ValueError, "scale is one of 'probability', 'margin', not"),
        ({"features": ("a",)}, ValueError, "features takes a list of 2 names, not ('a',)."),
        ({"features": "ab"}, ValueError, "features takes a list of 2 names, not 'ab'."),
        ({"features": 3}, ValueError, "features takes a list of 2 names, not 3."),
        ({"classes": ["one"]}, ValueError, "classes takes a list of 2 names, not ['one']."),
        ({"classes": 2}, ValueError, "classes takes a list of 2 names, not 2."),
        ({"theme": "neon"}, ValueError, "theme"),
    ],
)
def test_bad_input_is_answered_with_what_to_write(more: dict[str, Any], error: type[Exception], text: str) -> None:
    given: dict[str, Any] = {"model": nn.MLP(2, [2], rng=0), "X": X, "y": Y} | more
    with pytest.raises(error, match=re.escape(text)):
        viz.draw_boundary(given.pop("model"), given.pop("X"), given.pop("y"), **given)


NASTY = ['</script><b>&"', "a\nb\x00\u202eevil", "🦜" * 60, "W" * 10_000]


@pytest.mark.parametrize("name", NASTY)
def test_hostile_names_are_shown_and_harm_nothing(name: str) -> None:
    model = trained([4, 2], epochs=1)
    picture = viz.draw_boundary(
        {name: model, name + "2": model}, X, Y, title=name, classes=[name, name], features=(name, name), resolution=30
    )
    legible(picture)
    assert "<b>" not in picture.svg
    assert float(parse(picture).attrib["width"]) <= 802
    assert len([node for node, _, _ in placed(parse(picture)) if "data-panel" in node.attrib]) == 2


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_colour_is_the_themes(theme: Any) -> None:
    assert "@" not in viz.draw_boundary(trained([4, 2], epochs=1), X, Y, theme=theme).svg
