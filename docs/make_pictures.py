"""Makes the pictures of the README: `python docs/make_pictures.py [FOLDER]`."""

import sys
from pathlib import Path

import numpy as np

import viz
from micrograd_nn import Tensor, Value, nn
from micrograd_nn import functional as F


def neuron() -> viz.Picture:
    """One neuron, number by number."""
    x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
    w1, w2, b = Value(-3.0, name="w1"), Value(1.0, name="w2"), Value(6.8813735870195432, name="b")
    total = w1 * x1 + w2 * x2 + b
    out = total.tanh()
    total.name, out.name = "sum", "out"
    out.backward()
    return viz.draw(out, title="One neuron: out = tanh(w1·x1 + w2·x2 + b)")


def network() -> viz.Picture:
    """A small network on a batch, array by array."""
    rng = np.random.default_rng(3)
    model = nn.MLP(3, [8, 2], rng=rng)
    X = Tensor(rng.normal(size=(20, 3)), name="X")
    loss = F.cross_entropy(model(X), (X.data[:, 0] > 0).astype(int))
    loss.name = "loss"
    loss.backward()
    return viz.draw(loss, title="MLP(3, [8, 2]) on 20 examples")


def main(folder: Path) -> None:
    neuron().save(folder / "neuron.svg")
    network().save(folder / "network.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
