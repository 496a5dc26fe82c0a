"""Makes the gallery: `python docs/make_gallery.py [FOLDER]` writes every picture and the page that shows them."""

import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import micrograd_nn as mg
import viz
from micrograd_nn import Tensor, Value, data, health, nn
from micrograd_nn import functional as F


class Exhibit(NamedTuple):
    """A picture of the gallery: its file, what it shows, the code that a reader would type, and what makes it."""

    file: str
    caption: str
    code: str
    make: Callable[[], viz.Picture]


EXHIBITS: list[Exhibit] = []


def exhibit(caption: str, code: str) -> Callable[[Callable[[], viz.Picture]], Callable[[], viz.Picture]]:
    """Enter a function that makes a picture into the gallery, under its own name."""

    def enter(make: Callable[[], viz.Picture]) -> Callable[[], viz.Picture]:
        EXHIBITS.append(Exhibit(f"{make.__name__.replace('_', '-')}.svg", caption, code, make))
        return make

    return enter


def one_neuron() -> Value:
    x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
    w1, w2, b = Value(-3.0, name="w1"), Value(1.0, name="w2"), Value(6.8813735870195432, name="b")
    total = w1 * x1 + w2 * x2 + b
    out = total.tanh()
    total.name, out.name = "sum", "out"
    out.backward()
    return out


@exhibit(
    "One neuron. Every box is a number with its value and gradient, every edge carries its local derivative and is as "
    "wide as the gradient that comes back along it.",
    "viz.draw(out)",
)
def neuron() -> viz.Picture:
    return viz.draw(one_neuron(), title="One neuron: out = tanh(w1·x1 + w2·x2 + b)")


@exhibit("The same on a dark page.", 'viz.draw(out, theme="dark")')
def neuron_dark() -> viz.Picture:
    return viz.draw(one_neuron(), title="One neuron: out = tanh(w1·x1 + w2·x2 + b)", theme="dark")


@exhibit("And for paper, without gradients, with one number marked.", 'viz.draw(out, theme="print", ...)')
def neuron_print() -> viz.Picture:
    title = "One neuron, forward only"
    return viz.draw(one_neuron(), title=title, theme="print", gradients=False, highlight="out")


@exhibit(
    "A number that is used twice has two edges, and gets both gradients: that is why a topological sort is needed.",
    "viz.draw(c)",
)
def used_twice() -> viz.Picture:
    a = Value(1.0, name="a")
    b = a + a
    c = b + b
    b.name, c.name = "b", "c"
    c.backward()
    return viz.draw(c, title="b = a + a, c = b + b: the gradient of a is 4")


@exhibit(
    "Where the gradient stops. A closed ReLU lets nothing back; of a saturated tanh almost nothing is left; a maximum "
    "sends everything to the larger.",
    "viz.draw(loss)",
)
def gradient_stops() -> viz.Picture:
    x, y, z = Value(-1.5, name="x"), Value(3.0, name="y"), Value(0.4, name="z")
    gate, flat, largest = F.relu(x), F.tanh(y), F.maximum(z, x)
    gate.name, flat.name, largest.name = "gate", "flat", "largest"
    loss = gate * 2 + flat + largest
    loss.name = "loss"
    loss.backward()
    return viz.draw(loss, title="Three ways for a gradient to stop")


def trained(sizes: list[int], activation: str = "tanh", lr: float = 0.02, epochs: int = 40, **more: Any) -> Any:
    """A small network trained on two moons, with its data and its history."""
    X, y = data.make_moons(200, noise=0.15, rng=0)
    model = nn.MLP(2, sizes, activation, rng=more.pop("seed", 0))
    history = mg.fit(
        model, X, y, lr=lr, epochs=epochs, rng=0, progress=False, callbacks=[health.HealthMonitor()], **more
    )
    return model, X, y, history


@exhibit(
    "A network at the coarsest of three zooms: a box a layer.",
    'viz.draw(model, "module", X=X, y=y)',
)
def zoom_module() -> viz.Picture:
    model, X, y, _ = trained([3, 3, 2])
    return viz.draw(model, "module", X=X, y=y, title="MLP(2, [3, 3, 2]), a box a layer")


@exhibit(
    "The same network at the second: a box an operation on arrays, with the distribution of its values and gradients.",
    'viz.draw(model, "tensor", X=X, y=y)',
)
def zoom_tensor() -> viz.Picture:
    model, X, y, _ = trained([3, 3, 2])
    return viz.draw(model, "tensor", X=X, y=y, title="MLP(2, [3, 3, 2]) on 200 examples, a box an operation")


@exhibit(
    "The same network at the finest: one example, number by number, with one neuron opened.",
    'viz.draw(model, "scalar", X=X, y=y, neurons=["layers[1].neurons[0]"])',
)
def zoom_scalar() -> viz.Picture:
    model, X, y, _ = trained([3, 3, 2])
    return viz.draw(
        model, "scalar", X=X, y=y, neurons=["layers[1].neurons[0]"], title="MLP(2, [3, 3, 2]) on one example"
    )


@exhibit(
    "The neurons of a trained network, each with a map of its activation over the plane of the inputs.",
    "viz.draw_network(model, X, y)",
)
def network() -> viz.Picture:
    model, X, y, _ = trained([4, 4, 2])
    return viz.draw_network(model, X, y, title="Two moons, MLP(2, [4, 4, 2])")


@exhibit("The wiring alone: a box a unit, an edge a weight.", "viz.draw(model)")
def wiring_of_an_mlp() -> viz.Picture:
    return viz.draw(trained([4, 3, 2])[0], title="MLP(2, [4, 3, 2])")


@exhibit(
    "Any acyclic wiring: columns by generation, skip connections led around.",
    "viz.draw_network(net, X)",
)
def wiring() -> viz.Picture:
    net = nn.Network(rng=3)
    x1, x2 = net.input("x1"), net.input("x2")
    a = net.unit("a", activation="tanh", inputs=[x1, x2])
    b = net.unit("b", activation="relu", inputs=[x1, a])
    c = net.unit("c", activation="sigmoid", inputs=[a, b])
    net.unit("score", activation="identity", inputs=[b, c, x2])
    X, _ = data.make_moons(100, rng=0)
    return viz.draw_network(net, X, title="A network that is no stack of layers")


def half_dead() -> Any:
    X, y = data.make_spirals(300, rng=0)
    model = nn.MLP(2, [24, 24, int(y.max()) + 1], "relu", rng=1)
    history = mg.fit(model, X, y, lr=0.15, epochs=30, rng=0, progress=False, callbacks=[health.HealthMonitor()])
    return model, X, y, history


@exhibit(
    "A learning rate that was too high: a row a layer, a cell a unit; hatched and crossed units are dead.",
    "viz.draw_health(mg.unit_health(model, X, y))",
)
def unit_health() -> viz.Picture:
    model, X, y, _ = half_dead()
    return viz.draw_health(mg.unit_health(model, X, y), title="Learning rate 0.15 on spirals")


@exhibit("When they died: epochs from left to right, a row a unit.", "viz.draw_health(history)")
def health_over_training() -> viz.Picture:
    return viz.draw_health(half_dead()[-1], title="Learning rate 0.15 on spirals: when units died")


def overfitted(hidden: int, **more: Any) -> Any:
    """A network that has seen few, noisy points often."""
    model = nn.MLP(2, [hidden, 2], "tanh", rng=0)
    X, y = data.make_moons(70, noise=0.35, rng=4)
    mg.fit(model, X, y, lr=0.05, epochs=400, batch_size=35, rng=0, progress=False, **more)
    return model


@exhibit(
    "3, 6 and 20 hidden units on the same points: more units draw more complicated regions.",
    "viz.draw_boundary({title: model, ...}, X, y, X_test=X_test, y_test=y_test)",
)
def boundary_sizes() -> viz.Picture:
    X, y = data.make_moons(70, noise=0.35, rng=4)
    X_test, y_test = data.make_moons(30, noise=0.35, rng=5)
    models = {f"{hidden} hidden units": overfitted(hidden) for hidden in (3, 6, 20)}
    return viz.draw_boundary(models, X, y, X_test=X_test, y_test=y_test, title="Three sizes")


@exhibit(
    "20 hidden units and three strengths of L2 regularisation: the regions become smoother.",
    "viz.draw_boundary({title: model, ...}, X, y)",
)
def boundary_strengths() -> viz.Picture:
    X, y = data.make_moons(70, noise=0.35, rng=4)
    models = {f"strength {strength}": overfitted(20, l2=strength) for strength in (0.001, 0.01, 0.1)}
    return viz.draw_boundary(models, X, y, title="Three strengths")


@exhibit(
    "A run from start to end: loss, accuracy, gradients, and how large the updates are beside the weights.",
    "viz.draw_history(history)",
)
def history() -> viz.Picture:
    return viz.draw_history(half_dead()[-1], title="Learning rate 0.15 on spirals")


@exhibit(
    "Activation functions with their derivatives; where a unit is saturated is dotted.",
    'viz.draw_activations(["sigmoid", "tanh", "relu", "leaky_relu"])',
)
def activations() -> viz.Picture:
    return viz.draw_activations(["sigmoid", "tanh", "relu", "leaky_relu"], title="Four activations")


@exhibit(
    "The same with a network's own pre-activations under them: started with weights ten times too large, most sigmoids "
    "are saturated.",
    "viz.draw_activations(model, X)",
)
def pre_activations() -> viz.Picture:
    X, _ = data.make_moons(200, rng=0)
    model = nn.MLP(2, [16, 16, 2], "sigmoid", rng=0)
    for layer in model.layers[:-1]:
        layer.weight.data *= 10
    return viz.draw_activations(model, X, title="Sigmoids with too large weights")


@exhibit(
    "A derivative that is wrong, and which: the checker's report, drawn.",
    "viz.draw(report)",
)
def wrong_rule() -> viz.Picture:
    from micrograd_nn.op import Op

    wrong = Op("swish", lambda x: x / (1 + np.exp(-x)), lambda g, out, x: g * out * (1 - out))
    weight = Value(0.7, name="w")

    def f(x: Value) -> Value:
        return F.tanh(wrong(x * weight) + x)

    return viz.draw(mg.gradcheck(f, 1.3, raise_on_error=False), title="swish′ is not swish · (1 − swish)")


@exhibit(
    "A backward pass written by hand, held against its forward pass: which gradient is wrong, and what it should be.",
    "viz.draw(mg.check_backward(loss, loss_backward, w, b, raise_on_error=False))",
)
def wrong_gradient() -> viz.Picture:
    X, y = np.arange(8.0).reshape(4, 2), np.array([1.0, 0.0, 2.0, 1.0])

    def loss(w: Any, b: Any) -> Any:
        return np.mean((X @ w + b - y) ** 2)

    def loss_backward(grad_output: Any, w: Any, b: Any) -> Any:
        error = grad_output * 2 * (X @ w + b - y)
        return X.T @ error / 4, error.sum()

    report = mg.check_backward(loss, loss_backward, np.array([1.0, -1.0]), 0.5, raise_on_error=False)
    return viz.draw(report, title="Is my backward pass right?")


@exhibit(
    "Functions of one variable: here bumps, each a pair of sigmoids, that add up to a function.",
    "viz.draw_functions({name: function, ...}, 0, 2)",
)
def functions() -> viz.Picture:
    def target(x: Any) -> Any:
        return np.sin(3 * x) + np.cos(7 * x) / 2

    def bumps(n: int) -> Callable[[Any], Any]:
        edges = np.linspace(-0.01, 2.01, n + 1)
        return lambda x: sum(
            target((a + b) / 2) * (F.sigmoid(30 * n * (x - a)) - F.sigmoid(30 * n * (x - b)))
            for a, b in pairwise(edges)
        )

    several = {"sin 3x + cos(7x)/2": target, "10 bumps": bumps(10), "40 bumps": bumps(40)}
    return viz.draw_functions(several, 0, 2, title="Bumps add up to a function")


@exhibit(
    "Ways through a plane: two weights that learn from inputs of one sign have to zig-zag.",
    "viz.draw_paths({name: steps, ...}, goal=(1, -1))",
)
def paths() -> viz.Picture:
    def walk(inputs: Any) -> Any:
        w, steps = np.zeros(2), [np.zeros(2)]
        for x in inputs:
            w = w - 0.4 * (w @ x - (x[0] - x[1])) * x
            steps.append(w)
            if np.abs(w - [1.0, -1.0]).max() < 0.1:
                break
        return np.array(steps)

    inputs = np.random.default_rng(0).uniform(0.0, 1.0, (500, 2))
    both = {"inputs from 0 to 1": walk(inputs), "inputs from −1 to 1": walk(2 * inputs - 1)}
    return viz.draw_paths(both, goal=(1, -1), title="Two walks to the same weights")


@exhibit(
    "A batch through a network with a loss: shapes, distributions, dead units.",
    "viz.draw(loss)",
)
def batch() -> viz.Picture:
    rng = np.random.default_rng(3)
    model = nn.MLP(3, [8, 2], rng=rng)
    X = Tensor(rng.normal(size=(20, 3)), name="X")
    loss = F.cross_entropy(model(X), (X.data[:, 0] > 0).astype(int))
    loss.name = "loss"
    loss.backward()
    return viz.draw(loss, title="MLP(3, [8, 2]) on 20 examples")


def page() -> str:
    """The gallery's own page."""
    parts = ["# Gallery", "Made by `python docs/make_gallery.py`, each by the line of code above it."]
    for file, caption, code, _ in EXHIBITS:
        parts.append(f"{caption}\n\n```\n{code}\n```\n\n![{caption.partition('.')[0]}]({file})")
    return "\n\n".join(parts) + "\n"


def main(folder: Path) -> None:
    os.environ["PATH"] = ""  # no program `dot`: the layout that comes with the package, the same everywhere
    folder.mkdir(parents=True, exist_ok=True)
    for made in EXHIBITS:
        picture = made.make()
        if picture.theme == "light":
            picture = picture.in_theme("auto")  # light or dark, as the reader's system is
        picture.save(folder / made.file)
    (folder / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "gallery")
