"""What a picture shows, read back out of the SVG as data and held against the engine."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn.graph import Frame, frame

SVG = "{http://www.w3.org/2000/svg}"


def parse(picture: viz.Picture) -> ET.Element:
    return ET.fromstring(picture.svg)


def boxes(picture: viz.Picture) -> list[ET.Element]:
    return [g for g in parse(picture).iter(f"{SVG}g") if "data-box" in g.attrib]


def edges(picture: viz.Picture) -> list[ET.Element]:
    return [g for g in parse(picture).iter(f"{SVG}g") if "data-edge" in g.attrib]


def texts(element: ET.Element) -> list[str]:
    return [t.text or "" for t in element.iter(f"{SVG}text")]


def value_of(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def named(picture: viz.Picture, name: str) -> ET.Element:
    found = [b for b in boxes(picture) if name in texts(b)]
    assert len(found) == 1, f"{len(found)} boxes named {name}"
    return found[0]


def neuron() -> tuple[mg.Value, dict[str, mg.Value]]:
    x1, x2, w1, w2 = mg.Value(2.0, "x1"), mg.Value(0.5, "x2"), mg.Value(-3.0, "w1"), mg.Value(1.0, "w2")
    b = mg.Value(6.8813735870195432, "b")
    n = x1 * w1 + x2 * w2 + b
    n.name = "n"
    o = F.tanh(n)
    o.name = "o"
    return o, {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b, "n": n, "o": o}


def test_each_value_and_gradient_is_the_engines() -> None:
    o, nodes = neuron()
    o.backward()
    picture = viz.draw(o)
    for name, node in nodes.items():
        *_, shown_name, value, word, grad = texts(named(picture, name))
        assert (shown_name, word) == (name, "grad")
        assert value_of(value) == float(f"{node.data:.4g}")
        assert value_of(grad) == float(f"{node.grad:.4g}")
        assert grad[0] == ("+" if node.grad > 0 else "\u2212")


def test_local_derivatives_stand_on_the_edges() -> None:
    o, _ = neuron()
    o.backward()
    shown = sorted(texts(e)[0] for e in edges(viz.draw(o)) if texts(e))
    slope = f"1 \u2212 out² = {1 - o.data**2:.4g}"
    assert shown == sorted(["w1 = \u22123.0", "x1 = 2.0", "w2 = 1.0", "x2 = 0.5", "1.0", "1.0", "1.0", "1.0", slope])
    hovers = [e.findtext(f"{SVG}title") or "" for e in edges(viz.draw(o))]
    assert any("∂out·w1" in h for h in hovers)


def test_edges_are_as_wide_as_the_gradient_through_them_and_have_its_hue() -> None:
    a, b = mg.Value(10.0, "a"), mg.Value(-0.01, "b")
    (a * b).backward()
    out = a * b
    out.backward()
    strokes = {}
    for e in edges(viz.draw(out)):
        path = e.find(f"{SVG}path")
        assert path is not None
        strokes[texts(e)[0]] = (path.attrib["stroke"], float(path.attrib["stroke-width"]))
    assert strokes["a = 10.0"][0] == "#0b5fa5"
    assert strokes["b = \u22120.01"][0] == "#b35806"
    assert strokes["a = 10.0"][1] > strokes["b = \u22120.01"][1] + 1


def test_no_gradient_yet_is_a_dash_and_never_zero() -> None:
    o, nodes = neuron()
    picture = viz.draw(o)
    for name in nodes:
        assert texts(named(picture, name))[-1] == "–"
    assert "– no gradient yet" in texts(parse(picture))
    o.backward()
    assert not any("–" in t for t in texts(parse(viz.draw(o))))


def test_a_gradient_of_zero_is_a_zero() -> None:
    a = mg.Value(-1.0, "a")
    F.relu(a).backward()
    assert a.grad == 0
    out = F.relu(a)
    out.backward()
    assert texts(named(viz.draw(out), "a"))[-1] == "0.0"


def test_a_node_used_twice_has_two_edges() -> None:
    a = mg.Value(1.0, "a")
    picture = viz.draw(a + a)
    assert len(boxes(picture)) == 2
    assert [(e.attrib["data-tail"], e.attrib["data-head"]) for e in edges(picture)] == [
        ("0", "1"),
        ("0", "1"),
    ]
    paths = ["".join(p.attrib["d"] for p in e.iter(f"{SVG}path")) for e in edges(picture)]
    assert paths[0] != paths[1]


def test_a_closed_gate_is_hatched_and_its_edge_dashed() -> None:
    def marks(x: float) -> tuple[str | None, bool]:
        out = F.relu(mg.Value(x, "x"))
        picture = viz.draw(out)
        dashed = "stroke-dasharray" in ET.tostring(edges(picture)[0], encoding="unicode")
        return boxes(picture)[1].get("data-mark"), dashed

    assert marks(-1.0) == ("closed", True)
    assert marks(0.0) == ("closed", True)
    assert marks(1.0) == (None, False)


@pytest.mark.parametrize(("z", "mark"), [(2.0, None), (2.2, "saturated"), (-2.2, "saturated")])
def test_a_saturated_tanh_is_dotted(z: float, mark: str | None) -> None:
    assert boxes(viz.draw(F.tanh(mg.Value(z))))[1].get("data-mark") == mark


def test_constants_are_told_from_leaves() -> None:
    drawn = boxes(viz.draw(mg.Value(2.0, "a") * 7.0))
    assert [b.attrib["data-kind"] for b in drawn] == ["scalar", "constant", "scalar"]
    assert texts(drawn[1]) == ["7.0"]


def test_a_tensor_shows_shape_statistics_and_gradient_norm() -> None:
    rng = np.random.default_rng(0)
    w = mg.Tensor(rng.normal(size=(5, 3)), requires_grad=True, name="W")
    (w * w).sum().backward()
    shown = texts(named(viz.draw(w), "W"))
    assert "(5, 3)" in shown
    assert value_of(shown[shown.index("mean") + 1]) == float(f"{w.data.mean():.4g}")
    assert value_of(shown[shown.index("std") + 1]) == float(f"{w.data.std():.4g}")
    assert value_of(shown[shown.index("norm") + 1]) == float(f"{np.linalg.norm(w.grad):.4g}")


def test_a_tensor_without_gradient_has_a_dash_for_its_norm() -> None:
    shown = texts(named(viz.draw(mg.Tensor(np.ones(4), requires_grad=True, name="W")), "W"))
    assert shown[shown.index("norm") + 1] == "–"


def test_dead_units_are_those_that_never_rise_above_zero() -> None:
    z = mg.Tensor([[-1.0, 1.0, -1.0, 0.0], [-2.0, -1.0, 3.0, -5.0]], requires_grad=True)
    assert any("75 % off, 2 of 4 units dead" in texts(b) for b in boxes(viz.draw(F.relu(z))))


@pytest.mark.parametrize("tracked", [False, True])
def test_units_are_the_columns_of_inputs_times_weights_and_the_rows_of_weights_times_inputs(tracked: bool) -> None:
    """Also where the inputs themselves are tracked: a transposed W says which are the weights."""
    X = mg.Tensor([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0], [1.0, 1.0], [2.0, 3.0]], requires_grad=tracked, name="X")
    W = mg.Tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, 0.0]], requires_grad=True, name="W")
    for z in [X @ W.T, W @ X.T] if not tracked else [X @ W.T]:
        assert any("1 of 3 units dead" in line for b in boxes(viz.draw(F.relu(z))) for line in texts(b))


def test_saturation_of_a_tensor_counts_entries_and_units() -> None:
    z = mg.Tensor([[9.0, 0.0], [9.0, -9.0]], requires_grad=True)
    for f in F.tanh, F.sigmoid:
        assert any("75 % saturated (1 of 2), 0 dead" in texts(b) for b in boxes(viz.draw(f(z))))


def test_nan_and_infinity_are_shown_for_what_they_are() -> None:
    v = mg.Value(float("nan"), "v") + mg.Value(float("-inf"), "w")
    picture = viz.draw(v)
    assert "NaN" in texts(named(picture, "v"))
    assert "\u2212∞" in texts(named(picture, "w"))
    t = mg.Tensor([1.0, float("nan"), float("inf")], requires_grad=True, name="T")
    assert "2 of 3 NaN or infinite" in texts(named(viz.draw(t), "T"))
    t = mg.Tensor([float("nan")] * 2, requires_grad=True, name="T")
    shown = texts(named(viz.draw(t), "T"))
    assert shown[shown.index("mean") + 1] == "NaN"


HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "comment": "]]> --> <!-- &amp; &#0;",
    "quotes": "a\"b'c`d",
    "emoji": "w👩‍🔬🙂",
    "dot": 'digraph { a -> b } "\\N',
    "keyword": "subgraph",
    "html": "<<b>x</b>>",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_are_shown_literally(name: str) -> None:
    picture = viz.draw(mg.Value(1.0, name) * 2.0, title=name)
    shown = name if len(name) <= 24 else name[:23] + "…"
    assert shown in texts(boxes(picture)[0])
    assert name in texts(parse(picture))  # the title has room for all of it
    assert "<script" not in picture.svg


def test_control_characters_become_pictures_and_the_file_stays_xml() -> None:
    picture = viz.draw(mg.Value(1.0, "a\nb\0c\x1bd\x7f\x85\u202ee\ud800f\ufffe"))
    assert "a␊b␀c␛d␡��e�f�" in texts(boxes(picture)[0])
    picture.svg.encode("utf-8")
    picture.dot.encode("utf-8")


def test_a_name_of_ten_thousand_characters_is_shortened() -> None:
    picture = viz.draw(mg.Value(1.0, "n" * 10_000))
    assert "n" * 23 + "…" in texts(boxes(picture)[0])
    assert len(picture.svg) < 10_000
    assert len(picture.dot) < 2_000


def test_no_text_is_too_small_and_every_picture_describes_itself() -> None:
    o, _ = neuron()
    t = F.relu(mg.Tensor(np.ones((2, 2)), requires_grad=True)).sum()
    for picture in viz.draw(o, title="A neuron"), viz.draw(t):
        root = parse(picture)
        assert min(float(t.attrib["font-size"]) for t in root.iter(f"{SVG}text")) >= 11
        assert root.attrib["role"] == "img"
        ids = root.attrib["aria-labelledby"].split()
        assert [e.attrib["id"] for e in (root.find(f"{SVG}title"), root.find(f"{SVG}desc")) if e is not None] == ids
        assert root.find(f"{SVG}rect[@fill='#ffffff']") is not None
    assert parse(viz.draw(o, title="A neuron")).findtext(f"{SVG}title") == "A neuron"


def test_boxes_lie_on_the_page_and_do_not_overlap() -> None:
    o, _ = neuron()
    root = parse(viz.draw(o, direction="TB"))
    spans = []
    for b in root.iter(f"{SVG}g"):
        if "data-box" not in b.attrib:
            continue
        inner = b.find(f"{SVG}g")
        assert inner is not None
        x, y = map(float, re.findall(r"-?[\d.]+", inner.attrib["transform"]))
        rect = inner.find(f"{SVG}rect")
        assert rect is not None
        spans.append((x, y, x + float(rect.attrib["width"]), y + float(rect.attrib["height"])))
    for i, p in enumerate(spans):
        assert 0 <= p[0] < p[2] <= float(root.attrib["width"])
        assert 0 <= p[1] < p[3] <= float(root.attrib["height"])
        for q in spans[i + 1 :]:
            assert p[2] <= q[0] or q[2] <= p[0] or p[3] <= q[1] or q[3] <= p[1]


def test_drawing_changes_nothing() -> None:
    o, nodes = neuron()
    o.backward()
    before = {name: (n.data, n.grad, n.op) for name, n in nodes.items()}
    order = mg.topological_order(o)
    viz.draw(o)
    assert {name: (n.data, n.grad, n.op) for name, n in nodes.items()} == before
    assert mg.topological_order(o) == order


def test_the_same_graph_gives_the_same_picture() -> None:
    assert viz.draw(neuron()[0]).svg == viz.draw(neuron()[0]).svg


def test_a_list_of_nodes_shares_what_they_share() -> None:
    a = mg.Value(1.0, "a")
    assert len(boxes(viz.draw([a + 1.0, a * 2.0]))) == 5


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(TypeError, match="not ndarray"):
        viz.draw(np.ones(3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a list with a float in it"):
        viz.draw([mg.Value(1.0), 2.0])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="empty"):
        viz.draw([])
    with pytest.raises(ValueError, match="LR"):
        viz.draw(mg.Value(1.0), direction="up")
    with pytest.raises(ValueError, match="budget"):
        viz.draw(mg.Value(1.0), budget=0)
    with pytest.raises(ValueError, match="depth"):
        viz.draw(mg.Value(1.0), depth=0)


def test_a_loop_is_refused() -> None:
    a = mg.Value(1.0, "a")
    b = a * 2.0
    c = b + 1.0
    b.a = c  # by hand: arithmetic cannot do this
    with pytest.raises(mg.CycleError):
        viz.draw(c)


def two_layers(units: int, examples: int = 1) -> mg.Value:
    """A scalar network of two layers, the modules' paths set by hand."""
    total = mg.Value(0.0, "total")
    weights: dict[tuple[int, int], mg.Value] = {}
    for example in range(examples):
        row = [mg.Value(example + 0.5, f"x{i}") for i in range(3)]
        for layer in range(2):
            made = []
            for unit in range(units):
                token = frame.set(Frame(f"layers[{layer}].neurons[{unit}]"))
                s = weights.setdefault((layer, unit), mg.Value(0.1, "w"))
                for x in row:
                    s = s + x * 0.5
                made.append(s)
                frame.reset(token)
            row = made
        for x in row:
            total = total + x
    return total


def test_modules_are_framed_and_labelled_with_their_path() -> None:
    root = parse(viz.draw(two_layers(2)))
    labels = [r.attrib["data-frame"] for r in root.iter(f"{SVG}rect") if "data-frame" in r.attrib]
    assert labels == [
        "layers[0]",
        "layers[0].neurons[0]",
        "layers[0].neurons[1]",
        "layers[1]",
        "layers[1].neurons[0]",
        "layers[1].neurons[1]",
    ]
    short = {"layers[0]", "layers[1]", "neurons[0]", "neurons[1]"}  # what a frame is in, the outer frame says
    assert short <= set(texts(root))


def frames_of(picture: viz.Picture) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each frame, in the drawing's own coordinates."""
    found = {}
    for r in parse(picture).iter(f"{SVG}rect"):
        if "data-frame" in r.attrib:
            x, y, w, h = (float(r.attrib[k]) for k in ("x", "y", "width", "height"))
            found[r.attrib["data-frame"]] = (x, y, x + w, y + h)
    return found


def corner(box: ET.Element) -> tuple[float, float]:
    inner = box.find(f"{SVG}g")
    assert inner is not None
    x, y = map(float, re.findall(r"-?[\d.]+", inner.attrib["transform"]))
    return x, y


@pytest.mark.parametrize("batch", [False, True])
def test_parameters_are_drawn_in_the_layer_that_uses_them(batch: bool) -> None:
    model = mg.nn.MLP(3, [2, 1], activation="tanh", rng=0)
    out = model(mg.Tensor(np.ones((4, 3)), name="X") if batch else [1.0, 2.0, 3.0])
    picture = viz.draw(out.sum() if batch else out)
    frames = frames_of(picture)
    for name, layer in ("W1", "layers[0]"), ("b1", "layers[0]"), ("W2", "layers[1]"):
        (x, y), (left, top, right, bottom) = corner(named(picture, name)), frames[layer]
        assert left < x < right
        assert top < y < bottom
    if batch:
        x, y = corner(named(picture, "X"))
        left, top, right, bottom = frames["layers[0]"]
        assert not (left < x < right and top < y < bottom)


def test_entries_of_a_parameter_are_drawn_in_the_neuron_that_uses_them() -> None:
    model = mg.nn.MLP(2, [3], rng=0)
    outs = model([1.0, 2.0])
    groups = [b for b in boxes(viz.draw(outs, depth=2)) if b.attrib["data-kind"] == "group"]
    assert len({t for g in groups for t in texts(g) if t.endswith(" nodes")}) == 1  # three neurons of one size


def test_depth_chooses_neurons_or_layers() -> None:
    for depth, names in (1, {"layers[0]", "layers[1]"}), (2, {"neurons[0]", "neurons[1]", "neurons[2]"}):
        picture = viz.draw(two_layers(3), depth=depth)
        groups = [b for b in boxes(picture) if b.attrib["data-kind"] == "group"]
        assert {texts(g)[0] for g in groups} == names
        assert len(groups) == (2 if depth == 1 else 6)


@pytest.mark.parametrize("budget", [1, 2, 3, 7, 20, 60, 400])
def test_folding_keeps_to_the_budget_and_says_so(budget: int) -> None:
    graph = two_layers(12, examples=3)
    count = len(mg.topological_order(graph))
    assert count > 400
    picture = viz.draw(graph, budget=budget)
    drawn = boxes(picture)
    assert len(drawn) <= budget
    groups = [b for b in drawn if b.attrib["data-kind"] == "group"]
    notes = [t for t in texts(parse(picture)) if "folded into" in t]
    folded = count - (len(drawn) - len(groups))
    assert notes == [f"{folded:,} nodes folded into {len(groups)} box" + "es" * (len(groups) != 1)]
    inside = sum(int(re.sub(r"\D", "", t)) for g in groups for t in texts(g) if re.fullmatch(r"[\d,]+ nodes", t))
    assert inside == folded


def test_what_fits_is_not_folded() -> None:
    o, _ = neuron()
    assert len(boxes(viz.draw(o, budget=10))) == 10
    assert "folded" not in viz.draw(o, budget=10).svg
    assert "folded" in viz.draw(o, budget=9).svg


def test_a_hundred_thousand_nodes_are_a_few_boxes() -> None:
    a = x = mg.Value(0.5, "a")
    for _ in range(50_000):
        x = F.tanh(x + a)
    x.backward()
    picture = viz.draw(x)  # 1 s where this was written
    assert "100,001 nodes" in picture.svg or "100,000 nodes folded" in picture.svg
    assert len(boxes(picture)) < 40


def test_the_units_of_a_network_are_counted_and_not_its_examples() -> None:
    net = mg.nn.Network(rng=0)
    net.input("x")
    net.unit("on", activation="relu", inputs=["x"], bias=100.0)
    net.unit("dead", activation="relu", inputs=["x"], bias=-100.0)
    net.unit("y", activation="identity", inputs=["on", "dead"])
    out = net(mg.Tensor(np.linspace(-1, 1, 7)[:, None], name="x")).sum()
    assert "1 of 2 units dead" in viz.draw(out).svg
