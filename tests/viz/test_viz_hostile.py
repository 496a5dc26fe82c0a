"""Names, labels and titles that try to be markup, code or commands: shown literally in every format, never executed."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_viz_exports import TEX, compiled, mermaid, read_dot, read_mermaid

import micrograd_nn as mg
import viz
from micrograd_nn import nn
from viz._text import clean
from viz._theme import THEMES
from viz.export._data import write_graphml, write_json
from viz.export._formats import FORMATS, written
from viz.export._tikz import write_tikz

HOSTILE = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "\"quoted\" 'too'",
    "<b>x</b>", "]]>", "<![CDATA[", "<!--", "&amp; &lt; &#60;", "two\nlines\r\nand\ttab", "NUL\0 BEL\x07 DEL\x7f",
    "😀👩‍👩‍👧🏳️‍🌈", "שלום \u202eabc\u2066x", "e\u0301\u0302\u0323", "half \ud83d a pair", "\ufffe\uffff", "x" * 10_000,
    "node", "graph", "digraph", "subgraph", "strict", "edge", "end", "click", "\\N \\G \\l \\\"", "{a|b} <f0> c",
    r"\input{/etc/passwd}", r"\end{document}", "$x_1^2$ 100 % #1 ~ & {", "^^5c ^^M", "--- << >> ,, ?` !`", "$$x$$",
    "@ink", "url(@hatch)", ' fill="@ink"', "url(#x)", "%%{init: {}}%%", "`code`", "1. list", "- list", "fa:fa-car",
    "#35; #quot;", "ﬂ°°35¶ß", "`${alert(1)}`", "{{ 7 * 7 }}", " spaces  in  it ", "",
]  # fmt: skip
SVG = "{http://www.w3.org/2000/svg}"
WORDS = st.text(st.characters(), max_size=30) | st.sampled_from(HOSTILE)
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def drawn(name: str, title: str | None = None) -> viz.Picture:
    out = mg.Value(2.0, name) * mg.Value(3.0, "w")
    out.name = name
    out.backward()
    return viz.draw(out, title=title)


def texts(markup: str | bytes) -> list[str]:
    return [t.text or "" for t in ET.fromstring(markup).iter(f"{SVG}text")]


class Page(HTMLParser):
    """The tags of a page and the text outside scripts."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts = 0
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


PLAIN: dict[str, list[Any]] = {}


def harmless(markup: str) -> None:
    """The page has the tags of a picture with plain names, and no attribute that runs anything."""
    if not PLAIN:
        PLAIN["tags"] = [tag for tag, _ in Page(written(drawn("plain", "t")._sheet, "light", ".html").decode()).tags]
    page = Page(markup)
    assert {tag for tag, _ in page.tags} <= set(PLAIN["tags"]) | {"tspan"}
    assert [tag for tag, _ in page.tags].count("script") == PLAIN["tags"].count("script")
    for _, attributes in page.tags:
        for key, value in attributes.items():
            assert not key.startswith("on"), key
            assert key not in ("href", "src", "action") or not (value or "").startswith(("javascript:", "http"))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    p = drawn(name, name)
    shown = clean(name)
    if not name:
        return
    assert shown in texts(p.svg)
    assert clean(name, 120) in texts(p.svg)  # the heading
    boxes, _, frames = read_mermaid(mermaid(p))
    assert any(shown in lines for lines in boxes.values())
    assert frames[0] == clean(name, 120)
    labels = [o["label"] for o in read_dot(p.dot)["objects"]]
    assert any(label.split("\\n")[0] == escaped(shown) for label in labels), labels
    harmless(written(p._sheet, "light", ".html").decode())


def escaped(shown: str) -> str:
    """A line as DOT spells it."""
    return shown.replace("&", "&amp;").replace("\\", "\\\\")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_data_is_whole(name: str) -> None:
    p = drawn(name, name)
    data = json.loads(written(p._sheet, "light", ".json"))
    assert (data["nodes"][0]["name"] or "") == name
    assert nx.node_link_graph(data, edges="links").nodes[2]["name"] == data["nodes"][2]["name"]
    graph = nx.parse_graphml(written(p._sheet, "light", ".graphml"))
    whole = clean(name, 20_000).replace("\r", "\n")
    assert (graph.nodes["0"].get("name") or "") == whole


@pytest.mark.parametrize("ending", FORMATS)
@quick
@given(name=WORDS, title=WORDS)
def test_every_format_holds_any_text(ending: str, name: str, title: str) -> None:
    """What is written is UTF-8 (or binary), and reads as what it is meant to be."""
    p = drawn(name, title)
    content = written(p._sheet, "dark", ending)
    if ending in (".png", ".pdf"):
        assert content[1:4] == (b"PNG" if ending == ".png" else b"PDF")
        return
    text = content.decode("utf-8")
    assert not re.search("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    if ending == ".svg":
        assert clean(name) in texts(text) if name else True
    elif ending == ".html":
        harmless(text)
    elif ending == ".json":
        assert [n["name"] or "" for n in json.loads(text)["nodes"]] == [name, "w", name]
    elif ending == ".graphml":
        assert nx.parse_graphml(content).nodes["1"]["name"] == "w"
    elif ending == ".dot":
        assert len(read_dot(text)["edges"]) == 2
    elif ending == ".mermaid":
        boxes, edges, _ = read_mermaid(text)
        assert (len(boxes), len(edges)) == (3, 2)
    elif ending == ".tikz":
        assert balanced(text)
    else:
        raise AssertionError(f"nobody looks at {ending} here")


def balanced(text: str) -> bool:
    """Whether braces that are not escaped close what they open, nowhere before it is open."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", re.sub(r"(?<!\\)%.*", "", text)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    return depth == 0


@pytest.mark.parametrize(
    "engine", [TEX[0], *(pytest.param(*e.values, marks=[*e.marks, pytest.mark.slow]) for e in TEX[1:])]
)
def test_tex_sets_every_hostile_name(engine: str, tmp_path: Path) -> None:
    out = mg.Value(0.0)
    for name in HOSTILE:
        out = out + mg.Value(1.0, name)
    p = viz.draw(out, title=r"\input{x} $% #1 {", direction="LR")
    text, _ = compiled(engine, write_tikz(p._sheet, "light"), tmp_path)
    if text:
        flat = text.replace("’", "'")
        for name in ("<b>x</b>", "]]>", "node", "@ink", "`code`", "url(@hatch)", "{a|b} <f0> c", "fa:fa-car", "$$x$$",
                     r"\end{document}", r"\input{x} $% #1 {", "U+1F600"):  # fmt: skip
            assert name in flat, name


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex here")
def test_tex_sets_every_character_of_the_first_plane(tmp_path: Path) -> None:
    """A thousand characters a box, from all over Unicode, and not one that stops TeX."""
    shapes = [chr(code) for code in range(0x20, 0x3400, 3)] + [chr(code) for code in range(0xA000, 0x1F700, 97)]
    out = mg.Value(0.0)
    for i in range(0, len(shapes), 23):
        out = out + mg.Value(1.0, "".join(shapes[i : i + 23]))
    compiled("pdflatex", write_tikz(viz.draw(out, budget=3000)._sheet, "light"), tmp_path)


@pytest.mark.skipif(not shutil.which("dot"), reason="there is no dot here")
def test_graphviz_draws_every_hostile_name() -> None:
    out = mg.Value(0.0)
    for name in HOSTILE:
        out = out + mg.Value(1.0, name)
    done = subprocess.run(["dot", "-Tsvg"], input=viz.draw(out).dot.encode(), capture_output=True, check=True)
    shown = [t.replace("\xa0", " ") for t in texts(done.stdout)]
    for name in filter(None, HOSTILE):
        assert clean(name) in shown, (name, shown)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ["@ink", ' fill="@ink"', "url(@hatch)", "#positive"])
def test_a_role_in_a_text_is_a_text(theme: str, text: str) -> None:
    """Neither in what is shown nor in data attributes and hover titles."""
    p = viz.draw(mg.Value(1.0, text) * 2.0, theme=theme, title=text)
    root = ET.fromstring(p.svg)
    assert texts(p.svg).count(text) == 2
    named = [e.get("data-name") for e in root.iter() if e.get("data-name")]
    assert text in named or not named
    assert any((t.text or "").startswith(text) for t in root.iter(f"{SVG}title"))


def test_units_of_a_network_may_be_called_anything(tmp_path: Path) -> None:
    net = nn.Network(rng=0)
    names = list(filter(None, HOSTILE))[:16]
    below = [net.input(names[0]), net.input(names[1])]
    for name in names[2:]:
        below.append(net.unit(name, "tanh", below[-2:]))
    p = viz.draw(net)
    again = nn.Network.from_json(p.save(tmp_path / "a.json"))
    assert again.inputs == net.inputs
    assert list(again.units) == list(net.units)
    graph = nx.parse_graphml(write_graphml(p._sheet, "light"))
    assert sorted(graph) == sorted(clean(name, 20_000) for name in names)
    for ending in FORMATS:
        assert p.save(tmp_path / f"b{ending}").stat().st_size > 0


def test_two_names_that_look_alike_stay_two() -> None:
    net = nn.Network(rng=0)
    net.unit("y", "tanh", [net.input("a\u202e"), net.input("a\u2066")])
    assert len(nx.parse_graphml(write_graphml(viz.draw(net)._sheet, "light"))) == 3


@pytest.mark.parametrize("name", ["a b.svg", "ü😀.svg", "%s;rm -rf.svg", "-rf.svg", "$(x).svg", "'\".svg"])
def test_a_file_may_be_called_anything(tmp_path: Path, name: str) -> None:
    assert drawn("x").save(tmp_path / name).read_bytes() == drawn("x").svg.encode()


def test_a_file_name_that_no_system_has_is_refused(tmp_path: Path) -> None:
    for name in ("a\0b.svg", "x" * 300 + ".svg"):
        with pytest.raises((ValueError, OSError)):
            drawn("x").save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_no_module_of_pictures_can_run_what_a_file_says() -> None:
    """No pickle, eval, exec or shell anywhere in viz."""
    for path in Path(viz.__file__).parent.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for word in ("pickle", r"\beval\(", r"\bexec\(", "shell=True", "os.system", "marshal", "yaml"):
            assert not re.search(rf"^(?!\s*(#|\"\"\")).*{word}", source, re.M) or word == "pickle", (path.name, word)
        assert not re.search(r"^\s*(import|from) (pickle|marshal|shelve)", source, re.M), path.name


def test_hover_texts_are_escaped_once() -> None:
    p = drawn("<b>&amp;</b>")
    hovers = [t.text or "" for t in ET.fromstring(p.svg).iter(f"{SVG}title")]
    assert any(h.startswith("<b>&amp;</b>") for h in hovers)
    assert html.unescape(p._repr_mimebundle_()["text/html"]).count("<b>") > 0
    assert "<b>" not in p._repr_mimebundle_()["text/html"]


def test_json_of_a_picture_holds_no_numbers_that_json_has_not() -> None:
    p = viz.draw(mg.Value(float("nan"), "a") * float("inf"))
    json.loads(write_json(p._sheet, "light"), parse_constant=lambda word: pytest.fail(word))
