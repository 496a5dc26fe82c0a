"""draw_functions: lines through the numbers of the functions, and what is no function of one variable is refused."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from reading import legible, marked, parse, texts

import viz
from micrograd_nn import Value, nn
from micrograd_nn import functional as F


def axes_of(root):
    """From pixels back to numbers, by the limits in the picture."""
    axes = next(g for g in root.iter() if g.get("data-axes") is not None)
    maps = []
    for name in ("data-x", "data-y"):
        a, b, lo, hi = map(float, axes.get(name).split())
        maps.append(lambda p, a=a, b=b, lo=lo, hi=hi: lo + (p - a) / (b - a) * (hi - lo))
    return maps


def line_of(picture, name):
    root = ET.fromstring(picture.svg)
    to_x, to_y = axes_of(root)
    group = next(g for g in root.iter() if g.get("data-function") == name)
    path = next(p for p in group if p.get("d"))
    points = [tuple(map(float, pair.split())) for pair in path.get("d")[1:].split("L")]
    return np.array([(to_x(x), to_y(y)) for x, y in points])


@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: x**3 - x, lambda x: F.sigmoid(5 * x)])
def test_a_line_goes_through_the_functions_numbers(f):
    found = line_of(viz.draw_functions({"f": f, "zero": lambda x: 0.0}, -2, 2), "f")
    expected = np.asarray(getattr(f(found[:, 0]), "data", f(found[:, 0])))
    assert len(found) > 500
    assert found[[0, -1], 0] == pytest.approx([-2, 2], abs=1e-3)
    assert found[:, 1] == pytest.approx(expected, abs=0.01 * np.ptp(expected))


def test_a_model_with_one_input_and_one_output_is_a_function_and_works_as_in_use():
    model = nn.Sequential(nn.Linear(1, 8, rng=0), nn.Dropout(0.5, rng=0), nn.Linear(8, 1, rng=1))
    found = line_of(viz.draw_functions({"model": model}, 0, 3), "model")
    weights = [layer.weight.data for layer in (model[0], model[2])]
    expected = (found[:, :1] @ weights[0].T + model[0].bias.data) @ weights[1].T + model[2].bias.data
    assert model.training
    assert found[:, 1] == pytest.approx(expected.ravel(), abs=0.01 * np.ptp(expected))


def test_examples_are_dots_where_they_are_and_those_beyond_the_axis_are_left_out():
    x, y = np.array([0.25, 0.5, 7.0]), np.array([1.0, -3.0, 0.0])
    root = ET.fromstring(viz.draw_functions(np.cos, 0, 1, points=(x, y)).svg)
    to_x, to_y = axes_of(root)
    dots = [c for c in root.iter() if c.get("data-point")]
    assert [c.get("data-point") for c in dots] == ["0.25 1.0", "0.5 -3.0"]
    for dot in dots:
        place = to_x(float(dot.get("cx"))), to_y(float(dot.get("cy")))
        assert place == pytest.approx(tuple(map(float, dot.get("data-point").split())), abs=0.01)


def test_every_line_is_named_at_its_end_and_has_a_look_of_its_own():
    names = ["target", "3 units", "6 units", "20 units", "50 units", "100 units"]
    picture = viz.draw_functions({name: lambda x, k=k: k * x for k, name in enumerate(names)}, 0, 1)
    root = parse(picture)
    assert set(names) <= {text.said for text in texts(picture)}
    looks = set()
    for name in names:
        group = next(g for g in root.iter() if g.get("data-function") == name)
        path = next(p for p in group if p.get("d"))
        looks.add((path.get("stroke"), path.get("stroke-dasharray"), path.get("stroke-width")))
    assert len(looks) == len(names)
    legible(picture.svg)


LONG = ["</script><b>&", "q\"uo'te", "line\nfeed", "\u202eright to left", "x" * 99, "狐狸" * 60]


@pytest.mark.parametrize("theme", ["light", "dark", "print", "auto"])
def test_six_functions_with_long_and_hostile_names_are_legible(theme):
    functions = {name: lambda x, k=k: np.sin(x + k) for k, name in enumerate(LONG)}
    picture = viz.draw_functions(functions, 0, 5, theme=theme, title=LONG[0])
    legible(picture)
    assert "\u202e" not in picture.svg
    assert not [e for e in parse(picture).iter() if e.tag.endswith(("script", "}b"))]
    assert "line: q\"uo'te, dots: </script><b>&" in viz.text(picture, width=60)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * np.nan, lambda x: x * 0 + np.inf, lambda x: 1e308 * np.sign(x), lambda x: 1e-300 * x,
        lambda x: 3.0, lambda x: 0.0, lambda x: -1e12 + 1e-9 * x, lambda x: np.where(x > 0, x, np.nan),
    ],
    ids=["nan", "inf", "huge", "tiny", "constant", "zero", "nearly constant", "half"],
)  # fmt: skip
def test_functions_of_odd_numbers_have_a_picture(f):
    picture = viz.draw_functions({"odd": f, "line": lambda x: f(x)}, -1, 1)
    legible(picture)
    assert "nan" not in picture.svg.lower().replace("dominant", "")
    assert "odd" in viz.text(picture, width=40)


def test_examples_beyond_the_axis_do_not_stretch_it():
    alone = viz.draw_functions(np.sin, 0, 1)
    beside = viz.draw_functions(np.sin, 0, 1, points=([0.5, 9.0], [0.5, 1e6]))
    (one,), (other,) = (marked(picture, "data-axes") for picture in (alone, beside))
    assert one.get("data-y") == other.get("data-y")


def test_a_line_that_ends_early_has_its_name_where_it_ended():
    picture = viz.draw_functions({"line": lambda x: x, "root": lambda x: np.sqrt(-x)}, -1, 1)
    assert line_of(picture, "root")[-1] == pytest.approx([0, 0], abs=0.01)
    legible(picture)


def test_gaps_stay_gaps_and_infinities_are_at_the_edge():
    picture = viz.draw_functions({"log": np.log, "1/x": lambda x: 1 / x}, -1, 1)
    found = line_of(picture, "log")
    assert found[:, 0].min() >= -1e-4
    legible(picture.svg)


def test_the_numbers_are_in_a_table(tmp_path):
    file = viz.draw_functions({"square": np.square}, 0, 3).save(tmp_path / "a.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    (table,) = content["tables"]
    assert table["columns"] == ["x", "square"]
    assert all(y == pytest.approx(x * x) for x, y in table["rows"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({}, 0, 1), "1 to 6 functions"),
        ((dict.fromkeys("abcdefg", np.sin), 0, 1), "not 7"),
        ((np.sin, 1, 1), "low < high"),
        ((np.sin, 0, np.inf), "low < high"),
        ((lambda x: x[:3], 0, 1), "one number for each"),
        ((nn.MLP(2, [1], rng=0), 0, 1), "takes 2 inputs"),
        ((nn.MLP(1, [2], rng=0), 0, 1), r"\(601, 2\)"),
    ],
)
def test_what_is_no_function_of_one_variable_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        viz.draw_functions(*arguments)


def test_a_number_is_no_function_and_points_come_in_pairs():
    with pytest.raises(TypeError, match="is no function"):
        viz.draw_functions({"a": Value(1.0)}, 0, 1)
    with pytest.raises(TypeError, match=r"relu, given an array \(601,\) of x, raised ValueError.*np\.where"):
        viz.draw_functions({"relu": lambda x: x if x > 0 else 0.0}, 0, 1)
    with pytest.raises(ValueError, match="2 x and 1 y"):
        viz.draw_functions(np.sin, 0, 1, points=([0, 1], [0]))
    with pytest.raises(ValueError, match="two arrays"):
        viz.draw_functions(np.sin, 0, 1, points=np.zeros((3, 2)))
