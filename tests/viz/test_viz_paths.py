"""draw_paths: every step is where it is, on axes of one scale, and what is no path is refused."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reading import legible, marked, parse, texts

import micrograd_nn as mg
import viz

WALK = np.random.default_rng(0).normal(size=(30, 2)).cumsum(axis=0)
steps = arrays(float, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(-1e3, 1e3))


def placed(picture):
    """Where the steps are painted, and the axes: (x0, x1, low, high), (y1, y0, low, high)."""
    root = ET.fromstring(picture.svg)
    axes = next(g for g in root.iter() if g.get("data-axes") is not None)
    dots = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter() if c.get("data-step")]
    return np.array(dots), *(tuple(map(float, axes.get(name).split())) for name in ("data-x", "data-y"))


@settings(max_examples=40, deadline=None)
@given(steps)
def test_every_step_is_where_it_is_and_both_axes_have_one_scale(path):
    picture = viz.draw_paths(path)
    dots, (x0, x1, x_low, x_high), (y1, y0, y_low, y_high) = placed(picture)
    across, up = (x1 - x0) / (x_high - x_low), (y0 - y1) / (y_high - y_low)
    assert across == pytest.approx(-up)
    found = np.stack([x_low + (dots[:, 0] - x0) / across, y_low + (dots[:, 1] - y1) / up], axis=1)
    assert found == pytest.approx(path, abs=0.02 / across)
    legible(picture)


def test_paths_are_told_apart_and_their_steps_counted():
    picture = viz.draw_paths({"by rate 0.1": WALK, "by rate 1": WALK[:12] + 1}, goal=(2, 1), title="Two walks")
    said = {text.said for text in texts(picture)}
    assert {"by rate 0.1: 29 steps", "by rate 1: 11 steps", "start", "goal", "w1", "w2"} <= said
    lines = [g[1] for g in ET.fromstring(picture.svg).iter() if g.get("data-path")]
    assert len({(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}) == 2
    legible(picture)


def test_every_step_is_in_a_table(tmp_path):
    file = viz.draw_paths(WALK, xlabel="weight", ylabel="bias").save(tmp_path / "a.json")
    (table,) = json.loads(file.read_text(encoding="utf-8"))["tables"]
    assert table["columns"] == ["step", "weight", "bias"]
    assert table["rows"] == [[i, x, y] for i, (x, y) in enumerate(WALK.tolist())]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (np.zeros((3, 3)), r"\(steps, 2\).*\(3, 3\)"),
        (np.zeros(4), r"\(steps, 2\)"),
        ([1.0, 2.0], r"\(steps, 2\)"),
        ([(1.0, 2.0), (3.0,)], "several lengths"),
        (np.zeros((0, 2)), r"\(0, 2\)"),
        ([[0.0, np.inf]], "not finite"),
        ([[0.0, 1e308], [0.0, -1e308]], "beyond 1e"),
        ({}, "1 to 4 paths"),
        (dict.fromkeys("abcde", WALK), "not 5"),
    ],
)
def test_what_is_no_path_is_refused(paths, words):
    with pytest.raises(ValueError, match=words):
        viz.draw_paths(paths)


@pytest.mark.parametrize("far", [0.0, 1e3, 1e17, 1e300])
def test_a_path_that_stays_where_it_is_has_a_picture(far):
    for step in (0.0, 1e-13, 5e-324):
        picture = viz.draw_paths(np.array([[far, 1.0], [far + step, 1.0]]))
        dots, (x0, x1, *_), (y1, y0, *_) = placed(picture)
        assert np.isfinite(dots).all()
        assert x0 < dots[0, 0] < x1
        assert y0 < dots[0, 1] < y1


@pytest.mark.parametrize("goal", [3, (1, 2, 3)])
def test_a_goal_is_one_point(goal):
    with pytest.raises(ValueError, match=r"goal is a point \(x, y\)"):
        viz.draw_paths(WALK, goal=goal)


def test_steps_may_be_pairs_of_nodes():
    x = mg.Value(1.0)
    (begin, _), *_ = placed(viz.draw_paths([(x, x * 2), (3, 4)]))
    assert begin == pytest.approx(placed(viz.draw_paths([(1, 2), (3, 4)]))[0][0])


@pytest.mark.parametrize("apart", [0.0, 0.05, 1.0, 5.0])
def test_starts_and_a_goal_near_each_other_are_named_apart(apart):
    picture = viz.draw_paths({k: WALK + apart * k for k in range(4)}, goal=WALK[0] + apart / 2)
    said = [text.said for text in texts(picture)]
    assert said.count("goal") == 1
    assert 1 <= said.count("start") <= 4
    assert (said.count("start") == 1) == (apart < 0.5)
    legible(picture)


def test_long_names_have_room_at_axes_that_are_narrow():
    tall = np.array([[0.0, 0.0], [1.0, 1000.0]])
    for name in ("</text>&" * 9, "x" * 99, "狐狸" * 50):
        picture = viz.draw_paths({name: tall}, xlabel=name, ylabel=name, title="t")
        legible(picture)
        assert viz.text(picture, width=40)


def test_the_line_goes_through_every_step_of_a_long_path():
    path = np.stack([np.cos(k := np.arange(3000.0)), np.sin(k)], axis=1)
    picture = viz.draw_paths(path)
    (line,) = [p for g in marked(picture, "data-path") for p in g if p.get("d")]
    assert len(line.get("d").split("L")) == 3000
    assert not marked(picture, "data-step")
    assert len(marked(viz.draw_paths(path[:500]), "data-step")) == 500
    assert "path: 2,999 steps" in [text.said for text in texts(picture)]
    assert "path: 1 step" in [text.said for text in texts(viz.draw_paths(path[:2]))]


def test_the_theme_auto_follows_the_reader():
    picture = viz.draw_paths(WALK, goal=(0, 0), theme="auto")
    assert "prefers-color-scheme:dark" in picture.svg
    assert parse(picture).get("id")
    legible(picture)
