"""What a failed gradient check blames, drawn: the wrong rule or the wrong inputs, with the numbers of the report."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from reading import SVG, boxes, edges, parse, words

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn.op import REGISTRY, Op
from viz._text import signed


@pytest.fixture
def cube() -> Any:
    yield Op("cubed", lambda a: a * a * a, lambda g, out, a: g * (2 * a * a), scalar=lambda a: a * a * a)
    del REGISTRY["cubed"]


def test_a_failed_check_shows_the_wrong_rule_and_both_numbers(cube: Any) -> None:
    report = mg.gradcheck(lambda x: F.sin(cube(F.exp(x))), 0.5, raise_on_error=False)
    picture = viz.draw(report)
    (wrong,) = [b for b in boxes(picture) if b.get("data-verdict") == "wrong"]
    assert wrong.attrib["data-op"] == "cubed"
    assert "this rule is wrong" in words(wrong)
    assert [b.attrib["data-op"] for b in boxes(picture) if b.get("data-verdict") == "right"] == ["sin"]
    (e,) = [e for e in edges(picture) if e.attrib["data-head"] == wrong.attrib["data-box"]]
    x = np.exp(0.5)
    (label,) = words(e)
    returned, right = (float(t) for t in re.findall(r"[+−][\d.]+", label))
    assert returned == pytest.approx(2 * x * x, rel=1e-3)
    assert right == pytest.approx(3 * x * x, rel=1e-3)


def test_of_arrays_the_wrong_edge_says_the_numbers_that_the_report_says(cube: Any) -> None:
    report = mg.gradcheck(lambda x: cube(x).sum(), np.array([0.1, 2.0, -0.3]), raise_on_error=False)
    assert report.blame is not None
    wanted = [float(t.replace("−", "-")) for t in re.findall(r"is (−?[\d.e−]+)", report.blame.reason)[:1]]
    (e,) = [e for e in edges(viz.draw(report)) if any("returned" in t for t in words(e))]
    assert float(words(e)[0].split()[1].rstrip(",").replace("−", "-")) == pytest.approx(wanted[0], rel=1e-3)


def test_around_the_wrong_op_nothing_is_folded(cube: Any) -> None:
    def f(x: Any) -> Any:
        for _ in range(60):
            x = x * 1.01 + 0.01
        y = cube(x)
        for _ in range(60):
            y = y * 1.01 + 0.01
        return y

    picture = viz.draw(mg.gradcheck(f, 0.3, raise_on_error=False), budget=20)
    assert len(boxes(picture)) <= 20
    (wrong,) = [b for b in boxes(picture) if b.get("data-verdict") == "wrong"]
    near = {e.attrib["data-tail"] for e in edges(picture) if e.attrib["data-head"] == wrong.attrib["data-box"]}
    near |= {e.attrib["data-head"] for e in edges(picture) if e.attrib["data-tail"] == wrong.attrib["data-box"]}
    kinds = {b.attrib["data-box"]: b.attrib["data-kind"] for b in boxes(picture)}
    assert {kinds[b] for b in near} == {"scalar"}


def test_a_check_that_blames_nothing_has_no_graph_to_draw() -> None:
    with pytest.raises(ValueError, match="all is well"):
        viz.draw(mg.gradcheck(lambda x: x * x, 2.0))


def test_of_a_backward_pass_by_hand_the_inputs_say_which_gradients_are_wrong() -> None:
    A, target = np.arange(8.0).reshape(4, 2), np.array([1.0, 0.0, 2.0, 1.0])

    def loss(w: Any, b: Any) -> Any:
        return np.mean((A @ w + b - target) ** 2)

    def loss_backward(g: Any, w: Any, b: Any) -> Any:
        error = 2 * g * (A @ w + b - target)
        return A.T @ error / 4, error.sum()  # 1/4 is missing

    report = mg.check_backward(loss, loss_backward, np.array([1.0, -1.0]), 0.5, raise_on_error=False)
    found = {b.attrib["data-name"]: b for b in boxes(viz.draw(report)) if b.get("data-verdict")}
    assert {name: b.attrib["data-verdict"] for name, b in found.items()} == {"w": "right", "b": "wrong"}
    (row,) = (row for row in report.rows if row.input == "b")
    right = 2 * np.mean(A @ [1.0, -1.0] + 0.5 - target)
    assert (row.analytic, row.numeric) == (pytest.approx(4 * right), pytest.approx(right))
    assert f"returned {signed(4 * right)}, differences {signed(right)}" in words(found["b"])
    assert "1/N" in " ".join(t.text or "" for t in parse(viz.draw(report)).iter(f"{SVG}text"))
    assert f"returned {signed(4 * right)}, differences {signed(right)}" in viz.draw(report).dot
    assert f" {report.diagnosis} " in viz.draw(report)._sheet.note
    assert f"returned {signed(4 * right)}" in viz.text(report, width=120)


def test_gradients_are_spoken_of_where_they_are_drawn() -> None:
    report = mg.check_backward(lambda w: w * w, lambda g, w: g * w, 3.0, raise_on_error=False)
    assert "Gradients are drawn" in viz.draw(report)._sheet.note
    assert "Gradients" not in viz.draw(report, gradients=False)._sheet.note
    assert "Gradients" not in viz.text(report, gradients=False)


def test_an_input_at_a_kink_says_so() -> None:
    report = mg.gradcheck(lambda x, y: F.relu(x) * y, 0.0, 2.0, raise_on_error=False)
    found = {b.attrib["data-name"]: words(b) for b in boxes(viz.draw(report)) if b.get("data-verdict") == "wrong"}
    assert list(found) == ["x"]
    assert "not differentiable" in found["x"]
