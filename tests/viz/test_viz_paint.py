"""What the eye sees: patterns, glyphs, bars, rings, outlines and hues as they are painted, held against the engine, the
health module and NumPy; what a picture says of itself in data attributes is not asked."""

from __future__ import annotations

import colorsys
import math
import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from reading import SVG, drawing, glyph, legend, legible, marks_agree, painted, parse, pattern, texts

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn import health, nn
from viz._theme import THEMES
from viz.neurons._neurons import RING

LIGHT = THEMES["light"]
X = np.random.default_rng(0).normal(size=(20, 2))
Point = tuple[float, float]


def marked(root: ET.Element, key: str) -> list[ET.Element]:
    return [node for node in root.iter() if f"data-{key}" in node.attrib]


def box_of(root: ET.Element, name: str) -> ET.Element:
    (found,) = [box for box in marked(root, "box") if box.get("data-name") == name]
    return found


def sights(root: ET.Element) -> dict[str, set[str]]:
    """The patterns and glyphs seen in each box or unit, by name."""
    return {thing.get("data-name") or thing.get("data-unit") or "": set(seen) for thing, seen in painted(root)}


def said_below(root: ET.Element) -> str:
    """All words of the legend."""
    within = set(drawing(root).iter())
    return " | ".join(t.text or "" for t in root.iter(f"{SVG}text") if t not in within)


def numbers(d: str) -> list[Point]:
    flat = [float(x) for x in re.findall(r"-?[\d.]+", d)]
    return list(zip(flat[::2], flat[1::2], strict=True))


def length(points: list[Point]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(points))


def planted(n_in: int = 2) -> nn.MLP:
    """Hidden units that are dead, saturated and in good health."""
    model = nn.MLP(n_in, [6, 5, 2], ["tanh", "relu"], rng=0)
    model.layers[0].bias.data = np.array([0.0, 50.0, 0.0, -50.0, 0.0, 0.0])
    model.layers[1].bias.data = np.array([0.0, 0.0, -60.0, 0.0, -60.0])
    return model


PAINT = {"dead": {"hatch", "cross"}, "saturated": {"dots", "square"}, "": set()}


def marks_of(layer: Any) -> list[str]:
    return ["dead" if d else "saturated" if s else "" for d, s in zip(layer.dead, layer.saturated, strict=True)]


# --- graphs: boxes --------------------------------------------------------------------------------------------------


@cache
def gates(direction: Any = "LR") -> ET.Element:
    outs = []
    for z in (-3.0, -0.5, 0.0, 0.5, 3.0):
        for f in F.relu, F.tanh:
            outs.append(f(mg.Value(z, f"z{z}")))
            outs[-1].name = f"{f.__name__}{z}"
    total = outs[0]
    for out in outs[1:]:
        total = total + out
    total.backward()
    return parse(viz.draw(total, direction=direction))


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_closed_gates_are_hatched_saturated_ones_dotted_with_a_square_and_no_other_box_is(direction: Any) -> None:
    for name, seen in sights(gates(direction)).items():
        f, z = name[:4], float(name[4:]) if name[:4] in ("relu", "tanh") else 0.0
        closed, flat = f == "relu" and z <= 0, f == "tanh" and 1 - math.tanh(z) ** 2 < 0.06
        assert seen == ({"hatch"} if closed else {"dots", "square"} if flat else set()), name


@pytest.mark.parametrize(("activation", "bias", "mark"), [("relu", -99.0, "dead"), ("tanh", 99.0, "saturated")])
def test_a_tensor_too_wide_for_cells_carries_the_mark_that_all_its_units_share(
    activation: str, bias: float, mark: str
) -> None:
    model = nn.MLP(2, [20, 2], activation, rng=0)
    assert not any(seen for _, seen in painted(parse(viz.draw(model, "tensor", X=X))))
    model.layers[0].bias.data = np.full(20, bias)
    assert [set(seen) for _, seen in painted(parse(viz.draw(model, "tensor", X=X))) if seen] == [PAINT[mark]]


@pytest.mark.parametrize("detail", ["tensor", "module"])
def test_the_cells_of_units_are_painted_as_their_health_is(detail: Any) -> None:
    model = planted()
    root = parse(viz.draw(model, detail, X=X))
    cells = [seen for thing, seen in painted(root) if "data-unit" in thing.attrib]
    expected = [mark for layer in mg.unit_health(model, X).layers for mark in marks_of(layer)]
    assert {"dead", "saturated", ""} == set(expected)
    assert [set(seen) for seen in cells] == [PAINT[mark] for mark in expected]
    words = said_below(root)
    assert "dead on these 20 examples: activation never above 0" in words
    assert "f′(z) / max f′ < 0.06, a unit on ≥ 95 % of these 20 examples" in words


def test_the_outline_is_around_what_is_highlighted_and_nothing_else() -> None:
    out = nn.MLP(2, [3, 1], "tanh", rng=0)([mg.Value(1.0, "x1"), mg.Value(2.0, "x2")])
    out.name = "out"

    def rects(box: ET.Element) -> list[tuple[float, ...]]:
        return [
            tuple(float(r.get(k, "0")) for k in ("x", "y", "width", "height"))
            for r in box.iter(f"{SVG}rect")
            if r.get("stroke") == LIGHT["ink"]
        ]

    for lit in ["x1"], ["x2", "out"]:
        root = parse(viz.draw(out, highlight=[*lit, "layers[0].neurons[1]"]))
        around = set()
        for box in marked(root, "box"):
            inner = [(w, h) for x, y, w, h in rects(box) if (x, y) == (0, 0)]
            outer = [(w, h) for x, y, w, h in rects(box) if x < -2 and y < -2]
            if outer:
                around.add(box.get("data-name"))
                assert outer[0][0] > inner[0][0] + 4
                assert outer[0][1] > inner[0][1] + 4
        assert around == set(lit)
        frames = {f.get("data-frame") for f in marked(root, "frame") if f.get("stroke") == LIGHT["ink"]}
        assert frames == {"layers[0].neurons[1]"}
        assert "highlighted" in said_below(root)
    assert "highlighted" not in said_below(parse(viz.draw(out)))


def test_each_box_is_a_card_that_hides_what_is_behind_and_holds_its_words() -> None:
    pictures = fresh()
    for box in (b for kind in ("scalar", "tensor", "module", "wiring") for b in marked(parse(pictures[kind]), "box")):
        *_, inside = box.findall(f"{SVG}g")
        card = next(r for r in inside.findall(f"{SVG}rect") if r.get("x") is None)
        assert card.get("fill") in (LIGHT["card"], LIGHT["pale"])
        wide, high = float(card.attrib["width"]), float(card.attrib["height"])
        words = ET.Element(f"{SVG}svg")
        words.extend(inside.iter(f"{SVG}text"))
        for t in texts(ET.tostring(words, encoding="unicode")):
            assert 0 <= t.left < t.right <= wide, t
            assert 0 <= t.top < t.bottom <= high, t


VALUES = (4.0, 2.0, 0.5, -0.5, -1.0, -3.0, 0.0)


def test_the_bar_of_a_number_goes_up_or_down_as_far_as_its_share_of_the_largest() -> None:
    root = parse(viz.draw([mg.Value(v, f"v{v}") for v in VALUES]))
    for v in VALUES:
        box = box_of(root, f"v{v}")
        rects = [r for r in box.iter(f"{SVG}rect") if r.get("fill") in (LIGHT["positive"], LIGHT["negative"])]
        (track,) = [r for r in box.iter(f"{SVG}rect") if r.get("fill") == LIGHT["track"]]
        half, middle = float(track.attrib["height"]) / 2, float(track.attrib["y"]) + float(track.attrib["height"]) / 2
        drawn = [(float(r.attrib["y"]), float(r.attrib["height"]), r.get("fill")) for r in rects]
        long = abs(v) / 4.0 * half
        assert len(drawn) == (v != 0)
        for top, high, colour in drawn:
            assert top == pytest.approx(middle - long if v > 0 else middle, abs=0.01)
            assert high == pytest.approx(long, abs=0.01)
            assert colour == LIGHT["positive" if v > 0 else "negative"]
    assert "full bar: 4.0" in said_below(root)


# --- graphs: histograms ---------------------------------------------------------------------------------------------


def histogram(box: ET.Element, row: int) -> dict[int, tuple[float, str]]:
    """Height and colour of each bar by its place from the zero line, of the first or the second histogram of a box."""
    zeros = [float(n.attrib["x1"]) for n in box.iter(f"{SVG}line") if "stroke-dasharray" in n.attrib]
    found = [
        (float(x), float(y), float(high), float(wide), p.attrib["fill"])
        for p in box.iter(f"{SVG}path")
        for x, y, high, wide in re.findall(r"M([\d.]+) ([\d.]+)v-([\d.]+)h([\d.]+)v", p.attrib["d"])
    ]
    base = sorted({y for _, y, _, _, _ in found})[row]
    return {round((x + wide / 2 - zeros[row]) / 4): (high, colour) for x, y, high, wide, colour in found if y == base}


@pytest.mark.parametrize("row", [0, 1], ids=["value", "gradient"])
def test_a_histogram_is_that_of_numpy_with_the_hue_of_the_sign(row: int) -> None:
    rng = np.random.default_rng(3)
    data, slopes = rng.exponential(size=400) - 0.5, 0.7 - rng.exponential(size=400)
    w = mg.Tensor(data, requires_grad=True, name="w")
    (w * slopes).sum().backward()
    bars = histogram(box_of(parse(viz.draw(w)), "w"), row)
    given = (data, slopes)[row]
    counts, _ = np.histogram(given, (np.arange(26) - 12.5) / 12 * np.abs(given).max())
    assert set(bars) == {int(k) for k in np.flatnonzero(counts) - 12}
    assert min(bars) * max(bars) < 0
    assert min(bars) != -max(bars)  # a mirror would show
    tallest = max(high for high, _ in bars.values())
    for place, (high, colour) in bars.items():
        assert high == pytest.approx(max(1.0, tallest * math.sqrt(counts[place + 12] / counts.max())), abs=0.01)
        assert colour == LIGHT["positive" if place > 0 else "negative" if place < 0 else "line"]


# --- graphs: edges --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_bar_crosses_a_stopped_edge_near_its_head_and_its_line_is_dashed_as_in_the_legend(direction: Any) -> None:
    root = gates(direction)
    names = {box.get("data-box"): box.get("data-name") or "" for box in marked(root, "box")}
    dashes = {}
    for words in "the gradient stops here", "next to none comes through":
        (line,) = legend(root, words).findall(f"{SVG}line")
        dashes[words] = line.attrib["stroke-dasharray"]
    assert len(set(dashes.values())) == 2
    stopped = 0
    for edge in marked(root, "edge"):
        name = names[edge.get("data-head")]
        f, z = name[:4], float(name[4:]) if name[:4] in ("relu", "tanh") else 1.0
        words = {"relu": "the gradient stops here" if z <= 0 else "", "tanh": "next to none comes through"}.get(f, "")
        words = "" if f == "tanh" and abs(z) < 2 else words
        lines = [p for p in edge.iter(f"{SVG}path") if p.get("fill") == "none"]
        ways = [p for p in lines if "C" in p.attrib["d"]]  # in pieces where a label interrupts it
        bars, way = [p for p in lines if p not in ways], ways[-1]
        assert {p.get("stroke-dasharray") for p in ways} == {dashes.get(words)}
        assert len(bars) == bool(words)
        for bar in bars:
            a, b = numbers(bar.attrib["d"])
            middle, end = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), numbers(way.attrib["d"])[-1]
            along = end[0] - middle[0], end[1] - middle[1]
            assert 4 < math.hypot(*along) < 14
            turned = (along[0] * (b[0] - a[0]) + along[1] * (b[1] - a[1])) / math.hypot(*along) / math.dist(a, b)
            assert abs(turned) < 0.2
            assert math.dist(a, b) > 8 + float(way.attrib["stroke-width"])
            assert bar.get("stroke") == LIGHT["ink"]
            stopped += 1
    assert stopped == 5


def test_the_legend_has_the_widths_that_edges_of_each_power_of_ten_have() -> None:
    inputs = [mg.Value(1.0, f"x{k}") for k in range(-3, 2)]
    total = mg.Value(0.0, "start")
    for k, x in zip(range(-3, 2), inputs, strict=True):
        total = total + x * 10.0**k
    total.backward()
    root = parse(viz.draw(total))
    drawn = []
    for x in inputs:
        place = box_of(root, x.name or "").get("data-box")
        (edge,) = [e for e in marked(root, "edge") if e.get("data-tail") == place]
        (wide,) = {p.attrib["stroke-width"] for p in edge.iter(f"{SVG}path") if p.get("fill") == "none"}
        drawn.append(float(wide))
    piece = legend(root, "gradient ≤ 0.001")
    assert [float(line.attrib["stroke-width"]) for line in piece.findall(f"{SVG}line")] == drawn
    assert drawn == sorted(set(drawn))
    assert [t.text for t in piece.findall(f"{SVG}text")] == ["gradient ≤ 0.001", "≥ 10"]


def test_the_total_of_a_bundle_is_the_sum_of_its_edges_and_its_size_their_norm() -> None:
    x = [mg.Value(1.5, "x1"), mg.Value(-0.5, "x2")]
    out = nn.MLP(2, [4, 1], "tanh", rng=2)(x)
    out.backward()

    def parts(picture: viz.Picture, node: mg.Value, key: str) -> list[float]:
        root = parse(picture)
        place = box_of(root, node.name or "").get("data-box")
        return [float(e.attrib[key]) for e in marked(root, "edge") if e.get("data-tail") == place]

    whole, folded = viz.draw(out, "scalar"), viz.draw(out, "module")
    for node in x:
        single = parts(whole, node, "data-through")
        assert len(single) == 4
        (total,), (size,) = parts(folded, node, "data-total"), parts(folded, node, "data-through")
        assert total == pytest.approx(math.fsum(single))
        assert total == pytest.approx(node.grad)
        assert size == pytest.approx(math.hypot(*single))
        assert abs(total) != pytest.approx(size)


# --- graphs: words --------------------------------------------------------------------------------------------------


def test_the_description_of_a_graph_names_its_boxes_and_their_marks() -> None:
    pictures = {
        "numbers": gates(),
        "arrays": parse(viz.draw(planted(), "tensor", X=X)),
        "wiring": parse(viz.draw(nn.MLP(2, [3, 1], rng=0))),
    }
    for what, root in pictures.items():
        told = root.findtext(f"{SVG}desc") or ""
        boxes = marked(root, "box")
        assert told.startswith(f"{len(boxes)} boxes and {len(marked(root, 'edge'))} edges."), what
        for box in boxes[:40]:
            assert box.get("data-name", "") in told, what
    told = pictures["numbers"].findtext(f"{SVG}desc") or ""
    assert "relu-3.0 = 0.0, gradient +1.0, closed." in told
    assert "tanh3.0 = 0.9951, gradient +1.0, saturated." in told
    assert "The gradient stops, or nearly, at 5 of the edges." in told


# --- the neuron diagram ---------------------------------------------------------------------------------------------


@cache
def diagram(n_in: int) -> tuple[ET.Element, Any, Any]:
    model, given = planted(n_in), np.random.default_rng(1).normal(size=(40, n_in))
    return parse(viz.draw_network(model, given)), mg.unit_health(model, given), model


@pytest.mark.parametrize("n_in", [2, 3], ids=["maps", "circles"])
def test_units_of_the_diagram_are_painted_as_their_health_is(n_in: int) -> None:
    root, report, _ = diagram(n_in)
    expected = {f"{h.name}[{i}]": PAINT[mark] for h in report.layers for i, mark in enumerate(marks_of(h))}
    assert {frozenset(paint) for paint in expected.values()} == {frozenset(paint) for paint in PAINT.values()}
    for name, seen in sights(root).items():
        assert seen == expected.get(name, set()), name


@pytest.mark.parametrize("n_in", [2, 3], ids=["maps", "circles"])
@pytest.mark.parametrize("theme", THEMES)
def test_the_ring_goes_around_a_unit_as_far_as_its_on_rate_and_can_be_seen(n_in: int, theme: Any) -> None:
    root, report, model = diagram(n_in)
    if theme != "light":
        root = parse(viz.draw_network(model, np.random.default_rng(1).normal(size=(40, n_in)), theme=theme))
    rates = {f"{h.name}[{i}]": on for h in report.layers for i, on in enumerate(h.on_rate)}
    assert any(0 < on < 1 and abs(on - 0.5) > 0.1 for on in rates.values())  # on or off would show
    for unit in marked(root, "unit"):
        rings = [p for p in unit.iter(f"{SVG}path") if p.get("stroke-width") == f"{RING:g}"]
        if unit.attrib["data-unit"] not in rates:
            assert rings == []
            continue
        track, *arcs = rings
        around = numbers(track.attrib["d"])
        assert track.attrib["d"].endswith("Z")
        assert track.get("stroke") == THEMES[theme]["track"]
        on = rates[unit.attrib["data-unit"]]
        assert len(arcs) == (on > 0)
        for arc in arcs:
            line = numbers(arc.attrib["d"])
            assert length(line) / length(around) == pytest.approx(on, abs=0.005)
            assert line[0] == (0, min(y for _, y in around))  # from the top
            assert line[1][0] > 0  # clockwise
            assert arc.get("stroke") == THEMES[theme]["grey"]


def test_the_legend_of_the_diagram_says_by_which_thresholds_units_are_dead_or_saturated() -> None:
    root, report, _ = diagram(3)
    for words, mark, least in (
        ("dead on these 40 examples: activation never above 0", "dead", "0"),
        ("saturated: f′(z) / max f′ < 0.06 on ≥ 95 % of these 40 examples", "saturated", "95 %"),
    ):
        piece = legend(root, words)
        assert least in words
        shown = {pattern(root, n.get("fill", "")) for n in piece} | {glyph(n) for n in piece}
        assert shown - {""} == PAINT[mark]
    assert (report.flat, report.often) == (0.06, 0.95)
    assert "on-rate: share of examples with activation > 0" in said_below(root)


# --- all pictures ---------------------------------------------------------------------------------------------------


def fresh(theme: Any = "light") -> dict[str, viz.Picture]:
    """One picture of each kind that can carry marks, made anew."""
    model, y = planted(), (X[:, 0] > 0).astype(int)
    a = mg.Value(-3.0, "a")
    out = F.relu(a) + F.tanh(a) * 2.0
    out.backward()
    report = mg.unit_health(model, X)
    return {
        "scalar": viz.draw(out, theme=theme),
        "tensor": viz.draw(model, "tensor", X=X, y=y, theme=theme),
        "module": viz.draw(model, "module", X=X, y=y, theme=theme),
        "wiring": viz.draw(nn.MLP(3, [4, 2], rng=0), theme=theme),
        "diagram": viz.draw_network(model, X, theme=theme),
        "health": viz.draw_health(report, theme=theme),
    }


@pytest.mark.parametrize("theme", THEMES)
def test_fresh_pictures_can_be_read_and_paint_what_they_say_in_every_theme(theme: str) -> None:
    for picture in fresh(theme).values():
        legible(picture)
        marks_agree(picture)


def test_every_chart_paints_dead_and_saturated_where_it_says_so_and_nowhere_else() -> None:
    model, y = nn.MLP(2, [12, 6, 2], ["relu", "tanh"], rng=1), (X[:, 0] > 0).astype(int)
    model.layers[0].bias.data = np.where(np.arange(12) < 4, -99.0, 0.0)
    model.layers[1].bias.data = np.array([99.0, 0, 0, 0, 0, 0])
    history = mg.fit(model, X, y, epochs=3, lr=0.01, rng=0, callbacks=[health.HealthMonitor()], progress=False)
    wide = nn.MLP(2, [5000, 1], rng=0)
    wide.layers[0].bias.data = np.where(np.arange(5000) < 400, -99.0, 0.0)
    met = {
        "report": marks_agree(viz.draw_health(mg.unit_health(model, X))),
        "over epochs": marks_agree(viz.draw_health(history)),
        "history": marks_agree(viz.draw_history(history)),
        "groups": marks_agree(viz.draw_health(mg.unit_health(wide, X))),
        "curves": marks_agree(viz.draw_activations(["relu", "tanh", "sigmoid", "elu"])),
        "its own": marks_agree(viz.draw_activations(model, X)),
    }
    assert met["report"]["dead"] >= 4
    assert met["report"]["saturated"] >= 1
    assert met["over epochs"]["dead"] >= 4
    assert met["groups"]["group"] > 10


def hue_of(colour: str) -> tuple[float, float]:
    """Hue in degrees, and saturation."""
    h, _, s = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    return 360 * h, s


@pytest.mark.parametrize("theme", THEMES)
def test_positive_and_negative_are_two_hues_and_everything_else_is_without_one(theme: Any) -> None:
    colours = THEMES[theme]
    (plus, strong), (minus, strong_too) = hue_of(colours["positive"]), hue_of(colours["negative"])
    assert 120 <= abs(plus - minus) <= 240
    assert min(strong, strong_too) > 0.5
    assert all(hue_of(c)[1] < 0.15 for role, c in colours.items() if role not in ("positive", "negative"))
    a, b = mg.Value(2.0, "a"), mg.Value(-3.0, "b")
    out = a * b
    out.backward()
    root = parse(viz.draw(out, theme=theme))
    for words, name, factor in ("+ positive", "a", "b"), ("− negative", "b", "a"):
        (swatch,) = legend(root, words).findall(f"{SVG}rect")
        assert swatch.get("fill") == colours[words[2:]]
        assert swatch.get("fill") in {r.get("fill") for r in box_of(root, name).iter(f"{SVG}rect")}  # its bar
        *_, grad = box_of(root, factor).iter(f"{SVG}text")
        assert (grad.text, grad.get("fill")) == ({"a": "+2.0", "b": "−3.0"}[name], colours[words[2:]])
