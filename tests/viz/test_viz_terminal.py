"""Pictures in text: every number is the engine's, nothing is wider than it may be, and every line can be followed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn.expression import Expression
from micrograd_nn.graph import local_derivatives, topological_order
from viz._text import number, signed


def made(text: str, **values: float) -> mg.Value:
    root = Expression(text)(values)
    root.name = root.name or "out"
    root.backward()
    return root


def neuron() -> mg.Value:
    return made("tanh(w1*x1 + w2*x2 + b)", w1=-3.0, x1=2.0, w2=1.0, x2=0.0, b=6.8813735870195432)


def widest(shown: str) -> int:
    return max(cell_len(line) for line in shown.split("\n"))


def line_of(shown: str, name: str) -> str:
    found = [line for line in shown.split("\n") if re.search(rf"[├╰]─? {re.escape(name)}( |$)", line)]
    assert found, f"no line of {name} in\n{shown}"
    return found[0]


def test_each_line_of_a_tree_has_the_engines_value_gradient_and_local_derivative() -> None:
    root = neuron()
    shown = viz.text(root, style="tree", width=100)
    for node in topological_order(root):
        for parent, local in zip(node.parents, local_derivatives(node), strict=True):
            if parent.name:
                line = line_of(shown, parent.name)
                assert number(parent.data) in line
                assert signed(parent.grad) in line
                assert local is not None
                assert number(local) in line.partition("∂")[2]
    first = shown.split("\n")[1]
    assert first.split() == ["tanh", "out", number(root.data), "+1.0"]


def test_a_shared_node_is_told_in_full_once() -> None:
    shown = viz.text(made("a*a + tanh(a)", a=0.5), style="tree", width=100)
    assert shown.count("↑ a (above)") == 2
    assert len(re.findall(r"─ a +0\.5 ", shown)) == 1
    v = mg.Value(1.0, "v")
    inner = v * 2.0
    shown = viz.text(inner.tanh() + inner.sin(), style="tree")
    assert "× #1" in shown
    assert "↑ × #1 (above)" in shown


def test_a_node_used_twice_has_two_arrows() -> None:
    a = mg.Value(3.0, "a")
    assert viz.text(a * a).count("►") == 2
    assert viz.text(a.tanh()).count("►") == 1


def test_a_gradient_that_is_not_there_is_a_dash_and_never_zero() -> None:
    a = mg.Value(3.0, "a")
    for style in ("tree", "diagram"):
        shown = viz.text(a * 2.0, style=style)
        assert "–" in shown
        assert "– no gradient yet: call backward() first." in shown
        assert "0.0" not in shown
    assert a.grad is None


def test_marks_are_words_and_glyphs_and_stand_where_they_belong() -> None:
    shown = viz.text(made("relu(a) + tanh(b) + sigmoid(c) + relu(d)", a=-1, b=4, c=0.1, d=2), style="tree", width=120)
    lines = shown.split("\n")
    assert len([line for line in lines if "× closed" in line and "relu" in line]) == 1
    assert len([line for line in lines if "□ saturated" in line and "tanh" in line]) == 1
    assert not [line for line in lines if "sigmoid" in line and ("×" in line or "□" in line)]
    assert "× closed: the input is not positive" in shown
    assert "□ saturated: on a flat end" in shown


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120, 200])
def test_nothing_is_wider_than_the_width(width: int) -> None:
    model = mg.nn.MLP(2, [4, 3, 2], "tanh", rng=0)
    X, y = np.ones((5, 2)), np.array([0, 1, 0, 1, 0])
    for detail in ("module", "tensor", "scalar"):
        shown = viz.text(model, detail=detail, X=X, y=y, width=width, title="What it does, on five examples")
        assert widest(shown) <= width, shown
    assert widest(viz.text(neuron(), width=width)) <= width


def test_in_a_narrow_terminal_every_box_is_still_told_by_its_name() -> None:
    model = mg.nn.MLP(2, [4, 3, 2], "tanh", rng=0)
    X, y = np.ones((5, 2)), np.array([0, 1, 0, 1, 0])
    for width in (40, 60, 80):
        shown = viz.text(model, "tensor", X=X, y=y, width=width)
        for name in ("cross_entropy loss", "W1", "W2", "W3", "b1", "b2", "b3", "X", "transpose", "tanh"):
            assert re.search(rf"{name}[^…\n]*( |$)", shown, re.M), (width, name, shown)
    assert "(below)" not in viz.text(neuron(), style="tree", width=50)  # there is room


def test_the_neurons_asked_for_are_told_number_by_number() -> None:
    model = mg.nn.MLP(2, [8, 8, 2], rng=0)
    X = np.random.default_rng(0).normal(size=(5, 2))
    shown = viz.text(model, "scalar", X=X, neurons="layers[1].neurons[3]", width=100)
    row = model.layers[1].weight.data[3]
    for j, weight in enumerate(row):
        assert number(weight) in line_of(shown, f"w{j}")


def test_of_arrays_the_norm_of_the_gradient_is_told() -> None:
    t = mg.Tensor([3.0, -4.0], requires_grad=True, name="t")
    (t * t).sum().backward()
    for style, note in (("tree", "Of arrays: the norm"), ("diagram", "Of arrays: mean ± std and the norm")):
        shown = viz.text((t * t).sum(), style=style, width=100)
        assert f"{note} of the gradient." in shown
        assert re.search(r"t.*\b10\.0", shown.replace("\n", " "))  # the norm of (6, -8)
    assert "norm" not in viz.text((t * t).sum(), gradients=False)


def test_many_that_are_told_elsewhere_share_a_line() -> None:
    model = mg.nn.MLP(2, [8, 8, 2], rng=0)
    shown = viz.text(model, "scalar", X=np.ones((5, 2)), neurons=[0], width=80)
    assert re.search(r"↓ relu #\d+, layers\[0\]\.neurons\[\d\] an", shown)
    assert len(re.findall(r"\n *layers\[0\]\.neurons\[\d\]", shown)) == 7


def test_wide_characters_do_not_bend_a_box() -> None:
    a, b = mg.Value(1.0, "重み"), mg.Value(2.0, "b")
    shown = viz.text(a * b, style="diagram")
    lines = shown.partition("\n\n")[0].split("\n")
    edge = cell_len(lines[0].partition("╮")[0])
    for line in lines[1:3]:
        left = re.match(r"│.*?│", line)
        assert left is not None
        assert cell_len(left[0]) == edge + 1


def followed(shown: str) -> dict[str, list[str]]:
    """The boxes that arrows arrive at, by name, each with the names of the boxes that its lines come from."""
    grid: dict[tuple[int, int], str] = {}
    for y, line in enumerate(shown.partition("\n\n")[0].split("\n")):
        x = 0
        for c in line:
            grid[y, x] = c
            x += cell_len(c)
    ways = dict(zip("│─╰╯╭╮├┤┬┴", ("ud", "lr", "ur", "ul", "dr", "dl", "udr", "udl", "dlr", "ulr"), strict=True))
    steps = {"u": (-1, 0), "d": (1, 0), "l": (0, -1), "r": (0, 1)}
    back = {"u": "d", "d": "u", "l": "r", "r": "l"}

    def name_at(y: int, x: int, step: int) -> str:
        while grid.get((y - 1, x)) not in ("╭", "╮"):
            y -= 1
        row, x = "", x + step
        while grid[y, x] != "│":
            row, x = (row + grid[y, x] if step > 0 else grid[y, x] + row), x + step
        return row.split()[-2]

    found: dict[str, list[str]] = {}
    for (y, x), c in grid.items():
        if c != "►":
            continue
        sources, seen, stack = [], set(), [(y, x - 1, "r")]
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            y1, x1, towards = at
            c = grid[y1, x1]
            if c == "│" and towards == "r":  # a box's own side
                sources.append(name_at(y1, x1, -1))
                continue
            open_ways = "udlr" if c in "┼●" else ways[c]
            assert towards in open_ways, (c, towards)
            for way in open_ways:
                if way in (towards, "r") or (c == "┼" and way != back[towards]):
                    continue  # a line is followed against its direction, and straight through a crossing
                dy, dx = steps[way]
                stack.append((y1 + dy, x1 + dx, back[way]))
        found.setdefault(name_at(y, x + 1, 1), []).extend(sources)
    return found


steps = st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9)


@given(steps)
def test_the_lines_of_a_diagram_lead_from_each_input_to_its_result(steps: list[tuple[str, int, int]]) -> None:
    names, parts = ["a", "b", "c"], []
    for k, (op, i, j) in enumerate(steps):
        parts.append(f"n{k} = {names[-1 - i % len(names)]} {op} {names[-1 - j % len(names)]}")
        names.append(f"n{k}")
    with np.errstate(all="ignore"):
        root = Expression("; ".join(parts))(dict.fromkeys("abc", 0.5))
    shown = viz.text(root, style="diagram", width=400)
    if "As a tree" in shown:  # lines that would run into one another
        return
    wanted = {n.name: sorted(p.name or "" for p in n.parents) for n in topological_order(root) if n.op is not None}
    assert {name: sorted(sources) for name, sources in followed(shown).items()} == wanted, shown


def test_most_small_graphs_have_a_diagram() -> None:
    rng, drawn = np.random.default_rng(0), 0
    for _ in range(100):
        names = list("abc")
        nodes = [mg.Value(0.5, name) for name in names]
        for _ in range(7):
            i, j = rng.integers(len(nodes), size=2)
            nodes.append(nodes[i] * nodes[j] if rng.random() < 0.5 else nodes[i] + nodes[j])
        drawn += "►" in viz.text(nodes[-1], style="diagram", width=400)
    assert drawn >= 95, drawn


def test_a_diagram_of_layers_has_an_arrow_for_every_wire() -> None:
    wiring = viz.text(mg.nn.MLP(2, [3, 3, 1], rng=0), style="diagram", width=120)
    assert wiring.count("►") == 2 * 3 + 3 * 3 + 3, wiring


def test_a_diagram_that_does_not_fit_is_a_tree_and_says_so() -> None:
    root = neuron()
    assert "►" in viz.text(root, width=80)
    assert "►" not in viz.text(root, width=50)
    shown = " ".join(viz.text(root, width=50, style="diagram").split())
    assert "As a tree: a diagram of 10 boxes cannot be drawn in 50 columns." in shown
    assert "As a tree" not in viz.text(root, width=50)


def test_a_deep_graph_goes_on_below_and_tells_every_node() -> None:
    v = mg.Value(0.5, "v")
    out = v
    for _ in range(55):
        out = out.sin()
    shown = viz.text(out, width=80)
    assert shown.count("↓ sin #") == shown.count("\nsin #") > 0
    assert len(re.findall(r"sin(?: #\d+)? +0\.", shown)) == 55
    assert widest(shown) <= 80


def test_a_large_graph_is_folded_and_says_so() -> None:
    model = mg.nn.MLP(2, [16, 16, 1], "tanh", rng=0)
    shown = viz.text(model([0.5, -1.0]), width=80)
    assert shown.count("\n") < 100
    assert re.search(r"1,0\d\d nodes folded into \d+ boxes: a larger budget opens more\.", shown)


def test_models_are_told_at_every_detail() -> None:
    model = mg.nn.MLP(2, [3, 1], "relu", rng=0)
    model.layers[0].bias.data = np.array([-50.0, 0.0, 0.0])
    X = np.random.default_rng(0).normal(size=(16, 2))
    y = np.sign(X[:, 0])
    module = viz.text(model, detail="module", X=X, y=y, width=120)
    assert "layers[0] Layer(2 → 3), relu" in module
    assert "1 of 3 units dead" in module
    out = F.relu(X @ model.layers[0].weight.data.T + model.layers[0].bias.data)
    assert f"{number(out.mean())} ± {number(out.std())}" in module
    scalar = viz.text(model, detail="scalar", X=X, y=y, example=3, neurons=[1], width=120)
    assert "example 3 of 16" in scalar
    assert "▸ layers[0].neurons[1]" in scalar
    assert number(X[3, 0]) in line_of(scalar, "x1")


def test_a_wiring_tells_its_weights() -> None:
    net = mg.nn.Network(rng=0)
    net.unit("y", "tanh", inputs=[net.input("x1"), net.input("x2")])
    shown = viz.text(net, style="tree")
    for name, weight in zip(("x1", "x2"), net.weight.data, strict=True):
        assert line_of(shown, name).endswith(number(weight))
    assert "tanh y" in viz.text(net)


def test_reports_and_histories_say_themselves() -> None:
    model = mg.nn.MLP(2, [3, 2], rng=0)
    X, y = mg.data.make_moons(20, rng=0)
    history = mg.fit(model, X, y, epochs=1, progress=False)
    report = mg.unit_health(model, X)
    assert (viz.text(history), viz.text(report)) == (str(history), str(report))


def test_parts_can_be_left_out_and_a_title_put_above() -> None:
    root = neuron()
    shown = viz.text(root, style="tree", gradients=False, local_derivatives=False, title="A neuron")
    assert shown.startswith("A neuron\n\n")
    assert not set("∂") & set(shown)
    assert "gradient" not in shown
    assert "−3.0" not in viz.text(root, style="tree", values=False, local_derivatives=False)
    assert "◂" in viz.text(root, style="tree", highlight="w1")


def test_colour_codes_are_there_when_asked_for_and_change_nothing_else() -> None:
    for style in ("tree", "diagram"):
        plain, coloured = (viz.text(neuron(), style=style, width=90, color=c) for c in (None, True))
        assert "\x1b" not in plain
        stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
        assert coloured != stripped
        assert [line.rstrip() for line in stripped.split("\n")] == plain.split("\n")


@given(st.text(max_size=30) | st.sampled_from(["\x1b[31m", "a\nb", "\u202eabc", "[bold]x[/bold]", "x" * 10_000]))
def test_names_do_no_harm(name: str) -> None:
    v = mg.Value(1.0, name)
    for color in (False, True):
        shown = viz.text(v * 2.0, style="tree", color=color, title=name, width=80)
        if not color:
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        assert shown.count("\n") <= 9
    if name == "[bold]x[/bold]":
        assert name in viz.text(v * 2.0, color=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"style": "list"}, 'style is "tree" or "diagram"'), ({"width": 5}, "20 or more"), ({"budget": 0}, "at least 1")],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.text(neuron(), **arguments)
    with pytest.raises(TypeError, match="takes a Value"):
        viz.text(3.0)
