"""Pictures with numbers left out: what stays is readable and small, and the legend speaks of nothing that is gone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from reading import boxes, drawing, legible, marked, marks_agree, parse, words

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn import nn
from viz._theme import THEMES

QUIET: dict[str, Any] = {"values": False, "gradients": False, "local_derivatives": False}
X, Y = mg.data.make_moons(20, rng=0)
HUES = {THEMES["light"]["positive"], THEMES["light"]["negative"]}


def legend_of(picture: viz.Picture) -> list[str]:
    """What is written outside of the drawing: there is no heading."""
    root = parse(picture)
    return [text for text in words(root) if text not in words(drawing(root))]


def mlp(activation: str = "sigmoid") -> mg.Tensor:
    return nn.MLP(3, [4, 4, 1], activation, rng=0)(mg.Tensor(np.ones(3), name="x"))


# --- constants ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [{"values": False}, QUIET])
def test_a_constant_without_a_name_keeps_its_number(looks: dict[str, bool]) -> None:
    picture = viz.draw((mg.Value(2.0, "x") * 3 + 1).tanh(), **looks)
    constants = [b for b in boxes(picture) if b.get("data-kind") == "constant"]
    assert sorted(text for b in constants for text in words(b)) == ["1.0", "3.0"]
    assert "2.0" not in words(parse(picture))
    told = viz.text(picture, style="tree")
    assert "3.0" in told
    assert "2.0" not in told


def test_a_constant_with_a_name_is_called_by_that() -> None:
    half = mg.Tensor(0.5, name="half")
    picture = viz.draw(mg.Tensor([1.0, 2.0], requires_grad=True) * half, values=False)
    (box,) = [b for b in boxes(picture) if b.get("data-kind") == "constant"]
    assert words(box) == ["half"]


# --- legends --------------------------------------------------------------------------------------------------------


def hued(picture: viz.Picture) -> bool:
    return any({node.get("fill"), node.get("stroke")} & HUES for node in drawing(parse(picture)).iter())


@pytest.mark.parametrize("looks", [{}, {"values": False}, {"gradients": False}, QUIET])
@pytest.mark.parametrize("detail", ["module", "tensor", "scalar"])
def test_the_legend_has_hues_where_the_drawing_has(detail: Any, looks: dict[str, bool]) -> None:
    picture = viz.draw(nn.MLP(2, [3, 2], "tanh", rng=0), detail, X=X, y=Y, **looks)
    said = legend_of(picture)
    assert ("+ positive" in said) == ("− negative" in said) == hued(picture)
    assert hued(picture) == (looks != QUIET)


@pytest.mark.parametrize("looks", [{}, QUIET])
def test_the_legend_has_the_thresholds_wherever_units_are_counted(looks: dict[str, bool]) -> None:
    model = nn.MLP(2, [6, 2], "tanh", rng=3)
    well = legend_of(viz.draw(model, "tensor", X=X, **looks))
    model.layers[0].bias.data = np.full(6, 100.0)
    stuck = viz.draw(model, "tensor", X=X, **looks)
    for said in (well, legend_of(stuck)):
        assert [text for text in said if text.startswith("saturated: f′(z) / max f′ < 0.06")]
        assert [text for text in said if text.startswith("dead on these")]
    assert marks_agree(stuck)["saturated"]
    plain = legend_of(viz.draw(nn.MLP(2, [2], "identity", rng=3), "tensor", X=X, **looks))
    assert not [text for text in plain if "dead" in text or "saturated" in text]


def test_a_share_that_marks_no_unit_is_explained_in_words() -> None:
    model = nn.MLP(2, [1, 2], "tanh", rng=0)
    model.layers[0].weight.data = np.array([[3.0, 0.0]])
    picture = viz.draw(model, "tensor", X=np.array([[2.0, 0.0], [0.0, 0.0]]), **QUIET)
    assert "50 % saturated, 0 dead" in words(parse(picture))
    assert any(text.startswith("saturated: ") for text in legend_of(picture))
    assert not marks_agree(picture)["saturated"]


# --- room -----------------------------------------------------------------------------------------------------------


def test_a_small_network_without_numbers_is_much_lower() -> None:
    quiet, full = viz.draw(mlp(), **QUIET), viz.draw(mlp())
    high, high_in_full = (float(parse(p).attrib["height"]) for p in (quiet, full))
    assert high < 0.6 * high_in_full
    assert len(boxes(quiet)) == len(boxes(full))
    legible(quiet)


@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("detail", ["module", "tensor"])
def test_without_numbers_nothing_is_cut_short_or_lies_on_another(detail: Any, activation: str, direction: Any) -> None:
    model = nn.MLP(2, [12, 8, 2], activation, rng=0)
    picture = viz.draw(model, detail, X=X, y=Y, direction=direction, **QUIET)
    legible(picture)
    marks_agree(picture)
    assert not [text for text in words(parse(picture)) if "…" in text]
    assert len(marked(picture, "data-unit")) == 20


def test_an_array_of_one_number_is_drawn_as_an_array() -> None:
    (last,) = [b for b in boxes(viz.draw(mlp(), **QUIET)) if "(1,)" in words(b) and b.get("data-op") == "matmul"]
    assert words(last) == ["@", "(1,)"]
    loss = boxes(viz.draw(F.mean(mg.Tensor([1.0, 2.0], requires_grad=True)), **QUIET))[-1]
    assert words(loss) == ["mean", "()"]
