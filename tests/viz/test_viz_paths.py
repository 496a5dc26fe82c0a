"""draw_paths: every step is where it is, on axes of one scale, and what is no path is refused."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reading import legible, texts

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
        ([[0.0, np.inf]], "not finite"),
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
