"""Models at work for a picture are left as they were, and examples are checked in one way by every picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import micrograd_nn as mg
import viz
from micrograd_nn import functional as F
from micrograd_nn import nn
from viz._running import at_work, numbers

X, Y = mg.data.make_moons(20, rng=0)


class Drawing(nn.Module):
    """A module of one's own that draws random numbers in use as well."""

    def __init__(self) -> None:
        self.first, self.last = nn.Layer(2, 3, "relu", rng=0), nn.Linear(3, 2, rng=1)
        self.rng = np.random.default_rng(0)

    def forward(self, x: Any) -> Any:
        h = F.relu(self.first(x))
        return self.last(h + 0.01 * self.rng.standard_normal(3))


DRAWINGS: list[Callable[[Any, Any], viz.Picture]] = [
    lambda model, X: viz.draw_boundary(model, X, Y, resolution=20),
    lambda model, X: viz.draw_activations(model, X),
    lambda model, X: viz.draw_network(model, X),
    lambda model, X: viz.draw(model, "module", X=X),
]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_modes_random_states_and_gradients_are_as_before(draw: Callable[[Any, Any], viz.Picture]) -> None:
    models = [nn.MLP(2, [4, 2], dropout=0.5, rng=0)]
    models += [Drawing()] if draw is not DRAWINGS[2] else []  # type: ignore[list-item]
    for model in models:
        states = [g.bit_generator.state for _, g in model.named_generators()]
        assert states
        draw(model, X)
        assert [g.bit_generator.state for _, g in model.named_generators()] == states
        assert all(m.training for m in model.modules())
        assert all(p.grad is None for p in model.parameters())


def test_inside_nothing_is_noisy_recorded_or_warned_of_unless_asked() -> None:
    model = nn.MLP(2, [4, 2], dropout=0.5, rng=0)
    with at_work(model):
        assert not any(m.training for m in model.modules())
        assert not model(mg.Tensor(X)).requires_grad
        assert np.isinf(np.float64(1e308) * 10)
    with at_work(model, recording=True), mg.no_grad(), at_work(model, recording=True):
        assert model(mg.Tensor(X)).requires_grad
    with pytest.raises(KeyError), at_work(model):
        raise KeyError
    assert all(m.training for m in model.modules())


@pytest.mark.parametrize("draw", DRAWINGS)
def test_every_picture_takes_the_same_kinds_of_examples(draw: Callable[[Any, Any], viz.Picture]) -> None:
    model = nn.MLP(2, [4, 2], rng=0)
    wanted = draw(model, X).svg
    assert draw(model, X.tolist()).svg == draw(model, mg.Tensor(X)).svg == wanted
    assert draw(model, np.round(4 * X).astype(np.int8)).svg == draw(model, np.round(4 * X)).svg
    for bad in ([[1.0], [1.0, 2.0]], X + 1j, X.astype(str), X.astype(object), X[:0]):
        with pytest.raises((TypeError, ValueError), match=r"^X ") as caught:
            draw(model, bad)
        assert str(caught.value).endswith(".")


def test_examples_become_floats_of_their_own_size() -> None:
    assert numbers(X.astype(np.float32)).dtype == np.float32
    assert numbers([[True, 2]]).tolist() == [[1.0, 2.0]]
    assert numbers([mg.Tensor([1.0, 2.0]), [3, 4]]).tolist() == [[1.0, 2.0], [3.0, 4.0]]
