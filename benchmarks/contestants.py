"""The training steps of W1 to W4, written for each contestant the way its users write them.

A contestant is a function that makes one training step and returns the loss before it. The same start, the same data
and the same rule for all: `loss_check` compares their first losses before anything is timed.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import micrograd_nn as mg
import micrograd_nn.functional as F

Step = Callable[[], float]
L2 = 1e-4


@dataclass
class Job:
    """A network, its data, and how it is trained. `params` is [W1, b1, W2, b2, ...], W of shape (in, out)."""

    title: str
    X: np.ndarray
    y: np.ndarray
    params: list[np.ndarray]
    activation: str
    adam: bool
    lr: float
    tolerance: float  # how far the losses of two contestants may lie apart, relatively
    hinge: bool = False

    def weights(self) -> list[np.ndarray]:
        return [p.copy() for p in self.params]


def moons_job() -> Job:
    """micrograd's demo: two half circles of 50 points, 2-16-16-1, max-margin loss and L2, full batch."""
    draw, start = np.random.default_rng(1), random.Random(1337)
    t = np.linspace(0, math.pi, 50)
    X = np.concatenate([np.c_[np.cos(t), np.sin(t)], np.c_[1 - np.cos(t), 0.5 - np.sin(t)]])
    X, y = X + draw.normal(scale=0.1, size=X.shape), np.repeat([-1.0, 1.0], 50)
    order = draw.permutation(100)
    params = []
    for n, m in ((2, 16), (16, 16), (16, 1)):
        params += [np.array([[start.uniform(-1, 1) for _ in range(n)] for _ in range(m)]).T.copy(), np.zeros(m)]
    title = "100 moons, 2-16-16-1, relu, max-margin + L2, SGD, float64"
    return Job(title, X[order], y[order][:, None].copy(), params, "relu", False, 0.1, 1e-9, hinge=True)


def labels_job(title: str, sizes: tuple[int, ...], batch: int, activation: str, adam: bool, lr: float) -> Job:
    """Random data with random labels, float32: only the time is of interest."""
    draw = np.random.default_rng(7)
    params: list[np.ndarray] = []
    for n, m in itertools.pairwise(sizes):
        params += [(draw.normal(size=(n, m)) / math.sqrt(n)).astype(np.float32), np.zeros(m, np.float32)]
    X = draw.normal(size=(batch, sizes[0])).astype(np.float32)
    return Job(title, X, draw.integers(0, sizes[-1], batch), params, activation, adam, lr, 2e-4)


JOBS: dict[str, Callable[[], Job]] = {
    "w1": moons_job,
    "w2": moons_job,
    "w3": lambda: labels_job("3072-100-10, relu, cross-entropy, batch 256, SGD, float32",
                             (3072, 100, 10), 256, "relu", False, 0.01),
    "w4": lambda: labels_job("784-256-256-256-10, tanh, cross-entropy, batch 64, Adam, float32",
                             (784, 256, 256, 256, 10), 64, "tanh", True, 1e-3),
}  # fmt: skip


def scalar_step(job: Job, kind: Any, zero: Any) -> tuple[Step, Callable[[], Any]]:
    """micrograd's moons demo on `kind` (our Value or micrograd's): a node for every addition and multiplication."""
    layers = [
        [([kind(float(w)) for w in column], kind(float(b))) for column, b in zip(W.T, bias, strict=True)]
        for W, bias in zip(job.params[::2], job.params[1::2], strict=True)
    ]
    params = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    rows, labels = job.X.tolist(), job.y.ravel().tolist()

    def loss() -> Any:
        margins = []
        for row, label in zip(rows, labels, strict=True):
            h = [kind(x) for x in row]
            for layer in layers:
                h = [sum((w * x for w, x in zip(weights, h, strict=True)), bias) for weights, bias in layer]
                if layer is not layers[-1]:
                    h = [z.relu() for z in h]
            margins.append((1 + -label * h[0]).relu())
        return sum(margins) * (1.0 / len(margins)) + L2 * sum(p * p for p in params)

    def step() -> float:
        out = loss()
        for p in params:
            p.grad = zero
        out.backward()
        for p in params:
            p.data -= job.lr * p.grad
        return float(out.data)

    return step, loss


def collector_off(step: Step) -> Step:
    def quiet() -> float:
        gc.disable()
        try:
            return step()
        finally:
            gc.enable()

    return quiet


def numpy_step(job: Job) -> Step:
    """Hand-written and naive: the formulas one after another, a new array for every result."""
    X, y, P, n = job.X, job.y, job.weights(), len(job.params) // 2
    rows, relu = np.arange(len(X)), job.activation == "relu"
    means, squares, t = [np.zeros_like(p) for p in P], [np.zeros_like(p) for p in P], 0

    def step() -> float:
        nonlocal t
        h = [X]
        for i in range(n):
            z = h[-1] @ P[2 * i] + P[2 * i + 1]
            if i < n - 1:
                z = np.maximum(z, 0) if relu else np.tanh(z)
            h.append(z)
        if job.hinge:
            margin = np.maximum(1 - y * z, 0)
            loss = margin.mean() + L2 * sum((p * p).sum() for p in P)
            d = (margin > 0) * (-y / len(X))
        else:
            z = z - z.max(1, keepdims=True)
            e = np.exp(z)
            total = e.sum(1, keepdims=True)
            loss = (np.log(total[:, 0]) - z[rows, y]).mean()
            d = e / total
            d[rows, y] -= 1
            d /= len(X)
        grads: list[Any] = [None] * len(P)
        for i in reversed(range(n)):
            grads[2 * i], grads[2 * i + 1] = h[i].T @ d, d.sum(0)
            if i:
                d = d @ P[2 * i].T
                d = d * (h[i] > 0) if relu else d * (1 - h[i] * h[i])
        if job.hinge:
            grads = [g + 2 * L2 * p for g, p in zip(grads, P, strict=True)]
        t += 1
        for k, (p, g) in enumerate(zip(P, grads, strict=True)):
            if job.adam:
                means[k] = 0.9 * means[k] + 0.1 * g
                squares[k] = 0.999 * squares[k] + 0.001 * g * g
                p -= job.lr * (means[k] / (1 - 0.9**t)) / (np.sqrt(squares[k] / (1 - 0.999**t)) + 1e-8)
            else:
                p -= job.lr * g
        return float(loss)

    return step


def tensor_step(job: Job, decay: bool = False) -> Step:
    """Ours: Tensors, operators and `functional`, an optimiser of `mg.optim`.

    With `decay` the L2 penalty is the optimiser's `weight_decay`, and plain NumPy adds it to the loss that is shown.
    """
    P = [mg.Tensor(p, requires_grad=True) for p in job.params]
    layers = list(zip(P[::2], P[1::2], strict=True))
    activation = F.relu if job.activation == "relu" else F.tanh

    def forward() -> Any:
        h: Any = job.X
        for W, b in layers[:-1]:
            h = activation(h @ W + b)
        W, b = layers[-1]
        scores = h @ W + b
        if job.hinge:
            loss = F.relu(1 - job.y * scores).mean()
            return loss if decay else loss + L2 * sum((p * p).sum() for p in P)
        return F.cross_entropy(scores, job.y)

    return _ours(job, P, forward, decay)


def module_step(job: Job) -> Step:
    """Ours again, through `nn.MLP`, which keeps its weights as (out, in) and computes `x @ weight.T + bias`."""
    model = mg.nn.MLP(job.X.shape[1], [len(b) for b in job.params[1::2]], job.activation)
    for layer, W, b in zip(model.layers, job.params[::2], job.params[1::2], strict=True):
        layer.weight, layer.bias = mg.Tensor(W.T.copy(), requires_grad=True), mg.Tensor(b, requires_grad=True)
    return _ours(job, model.parameters(), lambda: F.cross_entropy(model(job.X), job.y))


def _ours(job: Job, params: list[Any], forward: Callable[[], Any], decay: bool = False) -> Step:
    kind: Any = mg.optim.Adam if job.adam else mg.optim.SGD
    optimizer = kind(params, lr=job.lr, weight_decay=2 * L2 if decay else 0.0)

    def step() -> float:
        loss = forward()
        shown = loss.item()
        if decay:
            shown += L2 * sum((p.data * p.data).sum() for p in params)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(shown)

    return step


def torch_step(torch: Any, job: Job) -> Step:
    """PyTorch, eager, with its optimiser's defaults."""
    torch.set_num_threads(1)
    X, y = torch.from_numpy(job.X), torch.from_numpy(job.y)
    P = [torch.from_numpy(p).requires_grad_() for p in job.weights()]
    activation = torch.relu if job.activation == "relu" else torch.tanh
    optimizer = (torch.optim.Adam if job.adam else torch.optim.SGD)(P, lr=job.lr)

    def step() -> float:
        h = X
        for i in range(0, len(P), 2):
            h = h @ P[i] + P[i + 1]
            if i < len(P) - 2:
                h = activation(h)
        if job.hinge:
            loss = torch.relu(1 - y * h).mean() + L2 * sum((p * p).sum() for p in P)
        else:
            loss = torch.nn.functional.cross_entropy(h, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return step


def contestants(work: str) -> tuple[Job, dict[str, Step], list[str]]:
    """The job, who takes part in it, and what there is to say about it. Ours comes first."""
    job, notes, steps = JOBS[work](), [], {}
    if work == "w1":
        steps["ours"], ours = scalar_step(job, mg.Value, None)
        steps["ours, collector off in the step"] = collector_off(scalar_step(job, mg.Value, None)[0])
        micrograd = optional("micrograd.engine", notes)
        if micrograd:
            steps["micrograd"], theirs = scalar_step(job, micrograd.Value, 0.0)
            steps["micrograd, collector off in the step"] = collector_off(scalar_step(job, micrograd.Value, 0.0)[0])
            notes.append(same_graph(ours(), theirs()))
    else:
        steps["ours"] = tensor_step(job)
        if job.hinge:
            steps["ours, L2 by weight decay"] = tensor_step(job, decay=True)
        else:
            steps["ours, nn.MLP"] = module_step(job)
        steps["NumPy, naive"] = numpy_step(job)
        torch = optional("torch", notes)
        if torch:
            steps["PyTorch, eager"] = torch_step(torch, job)
    return job, steps, notes


def optional(name: str, notes: list[str]) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a broken installation is as good as none
        notes.append(f"left out: {name} ({type(error).__name__}: {error})")
        return None


def same_graph(ours: Any, theirs: Any) -> str:
    """Counts the operations of both graphs; an error unless they are the same."""
    mine = Counter(node.op.name for node in mg.topological_order(ours) if node.op is not None)
    seen, stack, other = {theirs}, [theirs], Counter[str]()
    while stack:
        node = stack.pop()
        if node._op:
            other[{"+": "add", "*": "mul", "ReLU": "relu"}.get(node._op, node._op)] += 1
        fresh = set(node._prev) - seen
        seen |= fresh
        stack += fresh
    if mine != other:
        raise SystemExit(f"w1 is not the same graph: ours has {dict(mine)}, micrograd's {dict(other)}.")
    shown = ", ".join(f"{count:,} {name}" for name, count in mine.items())
    return f"both graphs: {sum(mine.values()):,} operations ({shown}), {len(seen):,} nodes in micrograd's"


def loss_check(job: Job, steps: dict[str, Step]) -> str:
    """The losses before each of the first five updates and after the fifth, against naive NumPy's."""
    reference, worst = numpy_step(job), 0.0
    wanted = [reference() for _ in range(6)]
    for name, step in steps.items():
        for want in wanted:
            apart = abs(step() / want - 1)
            worst = max(worst, apart)
            if not apart <= job.tolerance:
                raise SystemExit(f"{name} does not do the same work: its first losses differ by {apart:.1e}.")
    return f"the first 6 losses of all agree to {worst:.0e}"
