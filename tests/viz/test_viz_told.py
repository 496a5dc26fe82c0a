"""Pictures told in characters: the numbers, marks and places of the picture, at any width, without a screen."""

from __future__ import annotations

import math
import pickle
import re
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from rich.cells import cell_len

import micrograd_nn as mg
import viz
from micrograd_nn.expression import Expression
from viz._chars import abreast, curves, spark
from viz._text import number, signed
from viz.terminal._terminal import in_ascii

X, Y = mg.data.make_moons(60, noise=0.1, rng=0)


def neuron() -> mg.Value:
    root = Expression("tanh(w1*x1 + w2*x2 + b)")({"w1": -3.0, "x1": 2.0, "w2": 1.0, "x2": 0.0, "b": 6.88})
    root.name = "out"
    root.backward()
    return root


def net() -> mg.nn.MLP:
    """Two inputs, and of its four units one that is dead."""
    model = mg.nn.MLP(2, [4, 2], "relu", rng=1)
    model.layers[0].bias.data[1] = -50.0
    return model


@cache
def pictures() -> dict[str, viz.Picture]:
    model, monitor = net(), mg.health.HealthMonitor()
    history = mg.fit(model, X, Y, epochs=4, rng=0, progress=False, callbacks=[monitor], validation_data=(X, Y))
    return {
        "diagram": viz.draw(neuron(), title="A neuron"),
        "tree": viz.draw(model, "tensor", X=X, y=Y),
        "wiring": viz.draw(model),
        "network": viz.draw_network(model, X, Y),
        "gradients": viz.draw_network(model, X, Y, edges="gradient"),
        "health": viz.draw_health(mg.unit_health(model, X, Y)),
        "lifetimes": viz.draw_health(history),
        "boundary": viz.draw_boundary({"one": model, "two": net()}, X, Y),
        "history": viz.draw_history(history, title="Training"),
        "runs": viz.draw_history({"one": history, "two": history}),
        "activations": viz.draw_activations(["tanh", "relu", "leaky_relu"]),
        "pre-activations": viz.draw_activations(model, X),
        "paths": viz.draw_paths({"there": np.eye(2), "back": -np.eye(2)}, goal=(1, -1)),
        "functions": viz.draw_functions({"sine": np.sin, "line": lambda x: x, "zero": lambda x: 0 * x}, -2, 2),
    }


KINDS = list(pictures())
CHARTS = [kind for kind in KINDS if pictures()[kind]._sheet.graph is None]


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [20, 33, 60, 80, 120, 200])
def test_nothing_is_wider_than_the_width(kind: str, width: int) -> None:
    shown = viz.text(pictures()[kind], width=width)
    assert max(map(cell_len, shown.split("\n"))) <= width, shown


@pytest.mark.parametrize("kind", KINDS)
def test_from_80_columns_on_nothing_is_cut_off(kind: str) -> None:
    for width in (80, 120):
        assert kind == "tree" or "…" not in viz.text(pictures()[kind], width=width)


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_without_more_than_ascii_can_show_it(kind: str) -> None:
    shown = viz.text(pictures()[kind], width=100)
    plain = in_ascii(shown)
    assert plain.isascii()
    for line, before in zip(plain.split("\n"), shown.split("\n"), strict=True):
        assert len(line) == cell_len(before) or "∞" in before


def test_an_infinity_is_no_number_in_ascii_either() -> None:
    assert in_ascii("│ a    −∞ │    ∞ │ ∞   │") == "| a    -inf |  inf | inf |"
    assert in_ascii("range −∞ to ∞") == "range -inf to inf"


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_from_a_file_is_told_the_same(kind: str) -> None:
    again = pickle.loads(pickle.dumps(pictures()[kind]))
    assert viz.text(again, width=100) == viz.text(pictures()[kind], width=100)


@pytest.mark.parametrize("kind", KINDS)
def test_colours_change_nothing_else(kind: str) -> None:
    plain, coloured = (viz.text(pictures()[kind], width=90, color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert coloured != plain
    stripped = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in stripped.split("\n")] == plain.split("\n")


@pytest.mark.parametrize("kind", CHARTS)
def test_the_theme_does_not_matter(kind: str) -> None:
    assert viz.text(pictures()[kind].in_theme("print"), width=80) == viz.text(pictures()[kind], width=80)


def test_the_heading_is_the_pictures_or_yours() -> None:
    picture = pictures()["history"]
    assert viz.text(picture).startswith("Training\n\n")
    assert viz.text(picture, title="Mine").startswith("Mine\n\n")
    assert viz.text(viz.draw_boundary(net(), X, Y)).startswith("Decision boundary\n\n")
    assert viz.text(viz.draw(neuron())).startswith("╭")


@pytest.mark.parametrize(
    "wrong", [{"detail": "module"}, {"X": X}, {"values": False}, {"budget": 5}, {"highlight": "b"}]
)
def test_what_belongs_to_the_drawing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=f"as it was drawn: give {next(iter(wrong))}= to the function"):
        viz.text(pictures()["diagram"], **wrong)
    with pytest.raises(ValueError, match=r"style= is for pictures of graphs, and this one is of health"):
        viz.text(pictures()["health"], style="tree")


# --- graphs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("style", [None, "tree", "diagram"])
def test_a_picture_of_nodes_is_told_as_the_nodes_are(style: str | None, width: int) -> None:
    root = neuron()
    for looks in (
        {},
        {"values": False},
        {"gradients": False},
        {"local_derivatives": False},
        {"highlight": ["w1", "b"]},
    ):
        told = viz.text(viz.draw(root, **looks), style=style, width=width)
        assert told == viz.text(root, style=style, width=width, **looks)


def test_a_picture_of_a_model_is_told_as_the_model_is() -> None:
    model = net()
    for detail in ("module", "tensor", "scalar"):
        picture = viz.draw(model, detail, X=X, y=Y, title="At work")
        told = viz.text(model, detail, X=X, y=Y, width=100, title="At work")
        assert viz.text(picture, width=100) == told.replace(": a larger budget opens more", "")


def test_a_large_picture_is_told_folded_and_one_from_a_file_in_full() -> None:
    model = mg.nn.MLP(2, [8, 1], "tanh", rng=0)
    picture = viz.draw(model([0.5, -1.0]))
    shown = viz.text(picture, width=100)
    assert shown.count("\n") <= 95
    assert re.search(r"\d+ nodes folded into \d+ boxes\.", shown)
    full = viz.text(pickle.loads(pickle.dumps(picture)), width=100)
    assert "folded" not in full
    assert len(re.findall(r"\btanh\b", full)) >= 8


# --- decision regions -------------------------------------------------------------------------------------------------


def rows(shown: str) -> list[str]:
    """What is to the right of the axis of a plot that stands alone."""
    return [re.split("[┤│]", line, maxsplit=1)[1] for line in shown.split("\n") if re.search("[┤│]", line)]


def test_regions_and_points_are_where_they_are_and_capitals_are_wrong() -> None:
    points, labels = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]]), np.array([0, 1, 1, 1])
    shown = viz.text(viz.draw_boundary(lambda Z: Z[:, 0], points, labels, margin=0.25), width=80)
    plane = rows(shown)
    wide = max(map(len, plane))
    for row in plane:  # left of 0 nothing, right of it shaded
        assert set(row[: wide // 2]) <= {" ", "∙", "a", "B"}
        assert set(row[wide // 2 :]) <= {"░", "▒", "b"}
    assert [row.count("a") for row in plane] == [row.count("B") for row in plane[::-1]]
    assert sum(row.count("B") for row in plane) == 1  # at the upper left, and given class 0
    assert next(k for k, row in enumerate(plane) if "B" in row) < len(plane) / 2
    assert sum(row.count("b") for row in plane) == 2
    assert "accuracy: train 75.0 %" in shown
    assert "a class 0, b class 1; a capital letter: misclassified. Regions: blank class 0, ░ class 1;" in (
        " ".join(shown.split())
    )
    ends = re.findall(r"^ *(\S+) ┤", shown, re.M)
    assert ends == ["1.5", "−1.5"]  # the points and a quarter of their range


@pytest.mark.parametrize(
    ("slope", "labels", "looks", "sure", "words"),
    [
        (4.0, [0, 1], {}, math.log(9) / 4, "where the probability of that is above 0.9."),
        (2.0, [-1, 1], {}, 1 / 2, "where the score is more than 1.0 away from 0.0."),
        (4.0, [0, 1], {"scale": "margin"}, 1.0, "where the score is more than 4.0 away from 0.0."),
    ],
)
def test_where_a_model_is_sure_the_ground_is_denser(
    slope: float, labels: list[int], looks: dict[str, str], sure: float, words: str
) -> None:
    points = np.array([[-1.0, 0.0], [1.0, 1.0]])
    shown = viz.text(viz.draw_boundary(lambda Z: slope * Z[:, 0], points, labels, margin=0.25, **looks), width=80)
    row = max(rows(shown), key=lambda row: sum(row.count(c) for c in " ∙░▒"))
    wide = len(row)
    for k, c in enumerate(row):
        x = -1.5 + 3 * (k + 0.5) / wide
        if abs(abs(x) - sure) > 3 / wide:
            assert c == (" ∙"[abs(x) > sure] if x < 0 else "░▒"[x > sure])
    assert words in " ".join(shown.split())


def test_classes_have_names_and_letters_and_nan_is_no_class() -> None:
    def model(Z: np.ndarray) -> np.ndarray:
        scores = np.stack([-Z[:, 0], 0 * Z[:, 0], Z[:, 0]], 1)
        scores[Z[:, 1] > 0.5] = np.nan
        return scores

    points = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    shown = viz.text(viz.draw_boundary(model, points, [0, 1, 2, 1, 1], classes=["red", "green", "blue"]), width=80)
    assert "Points: a red, b green, c blue" in shown
    assert "? NaN" in shown
    assert set(rows(shown)[0]) == {"?", "B"} or set(rows(shown)[0]) == {"?"}


def test_models_stand_side_by_side_where_there_is_room() -> None:
    for width, lines in ((80, 1), (45, 2)):
        shown = viz.text(pictures()["boundary"], width=width)
        assert len(re.findall(r"^(?:one|two)\b.*$", shown, re.M)) == lines, shown


# --- health -----------------------------------------------------------------------------------------------------------


def test_each_unit_has_a_character_and_each_mark_its_own() -> None:
    model = mg.nn.MLP(2, [12, 30, 2], "relu", rng=3)
    model.layers[0].bias.data[[2, 7]] = -50.0
    report = mg.unit_health(model, X)
    lines = viz.text(viz.draw_health(report), width=80).split("\n")
    for h in report.layers:
        at = next(k for k, line in enumerate(lines) if line.startswith(h.name))
        assert f"{int(h.dead.sum())} of {len(h)} dead" in lines[at] or not h.dead.any()
        units = lines[at + 1].split()
        assert len(units) == len(h)
        for unit, dead, dormant, rate in zip(units, h.dead, h.dormant, h.on_rate, strict=True):
            assert unit == ("×" if dead else "○" if dormant else "░▒▓█"[min(3, int(4 * rate))])
    assert "× dead on these 60 examples: activation never above 0." in lines
    assert report.findings
    assert report.findings[0].split()[0] in " ".join(lines)


def test_saturated_units_are_squares_and_thresholds_the_reports() -> None:
    model = mg.nn.MLP(2, [6, 2], "tanh", rng=3)
    model.layers[0].bias.data[[0, 5]] = 40.0
    shown = viz.text(viz.draw_health(mg.unit_health(model, X)), width=80)
    assert shown.split("\n")[3].split() == ["□", "█", "█", "█", "█", "□"]
    assert "□ saturated: f′(z) / max f′ < 0.06 on ≥ 95 % of these 60 examples." in shown
    assert "Shades: 1 − saturated share" in shown


def test_a_wide_layer_is_told_in_groups() -> None:
    shown = viz.text(viz.draw_health(mg.unit_health(mg.nn.MLP(2, [1000, 2], rng=0), X)), width=60)
    assert "A character: 3 units, with the mark that all of them have." in shown
    assert sum(len(line.strip()) for line in shown.split("\n") if re.fullmatch("  [░▒▓█×○]+", line)) == 334


def test_the_flow_of_gradients_has_the_reports_numbers() -> None:
    model = net()
    report = mg.unit_health(model, X, Y)
    shown = viz.text(viz.draw_health(report), width=80)
    for g in report.gradients:
        line = next(
            line for line in shown.split("\n") if line.startswith(g.name + (" " if g.kind == "parameter" else ","))
        )
        assert number(g.norm) in line
        assert g.verdict in line


def test_over_training_the_share_of_dead_units_is_told_by_epoch() -> None:
    shown = viz.text(pictures()["lifetimes"], width=80)
    assert re.search(r"layers\[0\]  relu · 4 units  1 of 4 dead, first death: epoch 1", shown)
    (bars, share), *_ = re.findall(r"× dead +(\S+) +(\S+ %)", shown)
    assert (len(bars), len(set(bars)), share) == (4, 1, "25.0 %")
    assert "epochs 1 to 4" in shown


# --- curves -----------------------------------------------------------------------------------------------------------


def dots(block: list[list[tuple[str, str]]]) -> set[tuple[int, int]]:
    """The dots of a plot as (column, row), rows from the top."""
    table = [
        (0, 0, 0x01),
        (0, 1, 0x02),
        (0, 2, 0x04),
        (0, 3, 0x40),
        (1, 0, 0x08),
        (1, 1, 0x10),
        (1, 2, 0x20),
        (1, 3, 0x80),
    ]
    return {
        (2 * i + dx, 4 * k + dy)
        for k, line in enumerate(block) for i, c in enumerate(line[0][0]) if c != " "
        for dx, dy, bit in table if ord(c) - 0x2800 & bit
    }  # fmt: skip


def test_a_straight_line_is_drawn_from_corner_to_corner() -> None:
    found = dots(curves([([0, 1], [0.0, 1.0], False)], 20, 10, (0, 1), (0, 1)))
    assert {(0, 39), (39, 0)} <= found
    assert {x for x, _ in found} == set(range(40))
    assert all(abs(x + y - 39) <= 1 for x, y in found)


def test_a_curve_has_gaps_where_there_is_no_number_and_dots_are_not_joined() -> None:
    ys = [0.0, 0.0, None, float("nan"), float("inf"), 0.0]
    found = {x for x, _ in dots(curves([(range(6), ys, False)], 30, 2, (0, 5), (0, 1)))}
    assert found == {*range(13), 59}
    dotted = {x for x, _ in dots(curves([([0, 1], [0.5, 0.5], True)], 10, 2, (0, 1), (0, 1)))}
    assert dotted == {x for x in range(20) if x % 4 < 2}


def test_a_jump_is_joined_and_no_extreme_is_lost() -> None:
    ys = np.zeros(1000)
    ys[503] = 1.0
    found = dots(curves([(range(1000), ys.tolist(), False)], 10, 5, (0, 999), (0, 1)))
    assert {y for x, y in found if x == 10} == set(range(20))


def test_sparklines_rise_with_their_numbers() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7], 8, 0, 7) == "▁▂▃▄▅▆▇█"
    assert spark([0, 7] * 50, 10, 0, 7) == "▅" * 10  # means of ten
    assert spark([1.0, float("inf"), None, -float("inf")], 9, 0, 1) == "█▲ ▼"


def test_blocks_stand_side_by_side_until_there_is_no_room() -> None:
    blocks = [[[("aaa", "")], [("a", "")]], [[("bb", "")]], [[("cccc", "")]]]
    lines = ["".join(t for t, _ in line) for line in abreast(blocks, 8, gap=2)]
    assert lines == ["aaa  bb", "a    ", "", "cccc"]


def test_a_history_is_told_with_first_last_least_and_most() -> None:
    from micrograd_nn.training import Epoch, History

    losses = [0.9, 0.2, 0.3, 0.5]
    history = History([Epoch(k + 1, loss, val_loss=loss + 0.125) for k, loss in enumerate(losses)])
    shown = viz.text(viz.draw_history(history), width=80)
    line = next(line for line in shown.split("\n") if line.startswith("  training"))
    assert line.split()[-4:] == ["0.9", "0.5", "0.2", "0.9"]
    assert [v.split()[-1] for v in shown.split("\n") if v.startswith("  validation")] == ["1.025"]
    bars = line.split()[1]
    assert [bars.index(c) for c in sorted(bars)] == [1, 2, 3, 0]
    assert "line: training, dots: validation" in shown
    assert re.search(r"^1\.025 ┤", shown, re.M)
    assert re.search(r"^ *0\.2 ┤", shown, re.M)


def test_runs_have_one_scale() -> None:
    from micrograd_nn.training import Epoch, History

    runs = {"high": History([Epoch(1, 4.0), Epoch(2, 3.0)]), "low": History([Epoch(1, 1.0), Epoch(2, 1.0)])}
    shown = viz.text(viz.draw_history(runs), width=80)
    high, low = (line.split()[1] for line in shown.split("\n") if line.startswith("  training"))
    assert max(low) < min(high)
    assert len(re.findall(r"4\.0 ┤", shown)) == 2


def test_an_activation_has_its_numbers_and_says_where_it_is_flat() -> None:
    shown = viz.text(viz.draw_activations("tanh"), width=60)
    plot = rows(shown)
    strip = next(line for line in shown.split("\n") if "□" in line)
    wide = 44
    flat = [k for k, c in enumerate(strip[8:].ljust(wide)) if c == "□"]
    z = [-6 + 12 * (k + 0.5) / wide for k in flat]
    assert len(flat) > wide / 2
    assert all(abs(v) > 2.06 for v in z)  # where 1 − tanh² falls to 0.06, within a character
    assert "saturated beyond ±2.085" in shown
    assert re.search(r"^ +1\.0 ┤", shown, re.M)
    assert len(plot) == 9
    assert "□" not in viz.text(viz.draw_activations("relu"), width=60)
    assert "×" in viz.text(viz.draw_activations("relu"), width=60)


def test_pre_activations_are_bars_under_the_function() -> None:
    shown = viz.text(pictures()["pre-activations"], width=80)
    assert re.search("[▁▂▃▄▅▆▇]*█", shown)
    words = " ".join(shown.split())
    assert "Bars: pre-activations." in words
    assert "1 dead of 4 units" in words


# --- networks ---------------------------------------------------------------------------------------------------------


def test_a_network_tells_every_unit_with_its_strongest_weights() -> None:
    model = net()
    shown = viz.text(viz.draw_network(model, X), width=80)
    for i, weights in enumerate(model.layers[0].weight.data):
        line = next(line for line in shown.split("\n") if re.match(rf"[ ×] \[{i}\] .*·x", line))
        order = np.argsort(-np.abs(weights))
        assert re.findall(r"(\S+)·(x\d)", line) == [(signed(weights[j]), f"x{j + 1}") for j in order]
        assert line.startswith("×") == (i == 1)
    mean = np.maximum(X @ model.layers[0].weight.data.T + model.layers[0].bias.data, 0).mean(0)
    assert all(signed(m) in shown for m in mean)
    assert "× dead on these 60 examples" in shown


def test_weights_for_which_there_is_no_room_are_counted() -> None:
    shown = viz.text(viz.draw_network(mg.nn.MLP(30, [2], rng=0), most_units=40), width=60)
    for line in re.findall(r"^  y\d.*$", shown, re.M):
        told, more = len(re.findall("·x", line)), re.search(r"and (\d+) more", line)
        assert more
        assert told + int(more[1]) == 30


def test_maps_show_the_sign_and_a_dead_unit_an_empty_one() -> None:
    model = mg.nn.MLP(2, [2], rng=0)
    model.layers[0].weight.data[:] = [[1.0, 0.0], [0.0, 1.0]]
    model.layers[0].bias.data[:] = 0.0
    grid = np.array([[-1.0, -1.0], [1.0, 1.0]])
    shown = viz.text(viz.draw_network(model, grid), width=80)
    lines = shown.split("\n")
    at = next(k for k, line in enumerate(lines) if line.split() == ["y1", "y2"])
    block = [line.ljust(36) for line in lines[at + 1 : at + 8]]
    assert all(set(line[2:9]) <= set("-= ") and set(line[11:18]) <= set("░▒▓█ ") for line in block)  # x1, to the right
    assert ["".join(sorted(set(line[20:]))) for line in block] == ["█", "▓", "▒", " ", "-", "=", "="]  # x2, upwards
    dead = viz.text(viz.draw_network(net(), X), width=80).split("\n")
    at = next(k for k, line in enumerate(dead) if "× [1]" in line)
    assert all(not line[20:36].strip() for line in dead[at + 1 : at + 8])


def test_functions_are_held_against_the_first() -> None:
    shown = viz.text(pictures()["functions"], width=100)
    assert "line: line, dots: sine" in shown
    assert "line: zero, dots: sine" in shown
    assert "•" not in shown
    points = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert rows(viz.text(viz.draw_functions(np.sin, -2, 2, points=points), width=80))[0]
    assert viz.text(viz.draw_functions(np.sin, -2, 2, points=points), width=80).count("•") == 3  # one explains


def test_steps_of_a_log_scale_are_even() -> None:
    from micrograd_nn.training import Epoch, History

    history = History([Epoch(k + 1, 10.0**-k) for k in range(5)])
    line = next(t for t in viz.text(viz.draw_history(history), width=80).split("\n") if t.startswith("  training"))
    heights = ["▁▂▃▄▅▆▇█".index(c) for c in line.split()[1]]
    assert len({a - b for a, b in pairwise(heights)}) <= 2
    assert heights[0] > heights[-1]


def test_a_path_goes_from_start_to_end_in_true_angles() -> None:
    shown = viz.text(viz.draw_paths(np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]), goal=(0, 2)), width=80)
    plot = rows(shown)
    at = {c: (k, row.index(c)) for k, row in enumerate(plot) for c in "SEG" if c in row}
    assert at["S"][0] == max(k for k, _ in at.values())
    assert at["E"][1] == max(x for _, x in at.values())
    assert (at["G"][0], at["G"][1]) == (at["E"][0], at["S"][1])
    (high, wide) = abs(at["S"][0] - at["E"][0]), at["E"][1] - at["S"][1]
    assert wide / high == pytest.approx(2, abs=0.2)  # a character is twice as high as wide
    assert "path: 2 steps from (0.0, 0.0) to (2.0, 2.0)." in " ".join(shown.split())


@pytest.mark.parametrize("name", ["\x1b[31mred", "two\nlines", "\u202eabc", "漢字" * 9, "x" * 500, "[bold]b[/bold]"])
def test_names_do_no_harm(name: str) -> None:
    from micrograd_nn.training import Epoch, History

    wiring = mg.nn.Network(rng=0)
    wiring.unit("y", "tanh", inputs=[wiring.input(name), wiring.input("x2")])
    run = History([Epoch(1, 0.5, metrics={name: 1.0}), Epoch(2, 0.25, metrics={name: 2.0})])
    made = [
        viz.draw_boundary({name: net()}, X, Y, classes=[name, "b"], features=(name, "x2")),
        viz.draw_history({name: run, "other": run}, title=name),
        viz.draw_functions({name: np.sin}, -1, 1), viz.draw_paths({name: np.eye(2)}, xlabel=name),
        viz.draw_activations({name: np.tanh}), viz.draw_network(wiring, X),
        viz.draw_health(mg.unit_health(wiring, X), title=name),
    ]  # fmt: skip
    for picture in made:
        for width in (30, 80):
            shown = viz.text(picture, width=width)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
            assert max(map(cell_len, shown.split("\n"))) <= width
