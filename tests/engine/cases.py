"""One entry an operation: how it is called, what NumPy says, and on what.

`test_rules.py` puts every entry through all the readings, and fails when a registered operation, or a name of
`functional`, has none.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn import Tensor, ops
from micrograd_nn import functional as F
from micrograd_nn.wiring import Wires, Wiring


@dataclass
class Case:
    name: str
    call: Any  # of the inputs
    numpy: Any  # the same in plain NumPy
    inputs: tuple[np.ndarray, ...]
    ops: tuple[str, ...] = field(default=())  # the registered operations it stands for, besides its own name

    def __str__(self):
        return self.name


def between(low, high, shape, seed=0, away=0.0):
    """Numbers in a range, none nearer to 0 than `away`, no two of them close."""
    n = math.prod(shape)
    x = np.linspace(low, high, n + 2)[1:-1]
    x = np.where(np.abs(x) < away, np.copysign(away + np.abs(x), x), x)
    return np.random.default_rng(seed).permutation(x).reshape(shape)


def leaves(arrays):
    return [Tensor(a, requires_grad=True) for a in arrays]


def weights_like(array):
    """Other weights than 1, which would hide where an entry goes."""
    return np.random.default_rng(0).uniform(0.5, 1.5, np.shape(array))


def _erf(x):
    return np.vectorize(math.erf)(x)


def _softmax(x, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis, keepdims=True)


LABELS = np.array([2, 0, 2])


def _margins(x, p=1, margin=1.0):
    """The multi-class SVM loss in plain loops."""
    n, c = x.shape
    return sum(
        max(0.0, margin - x[i, LABELS[i]] + x[i, j]) ** p for i in range(n) for j in range(c) if j != LABELS[i]
    ) / (n * c)  # fmt: skip


# Who reads whom, by row: everybody a block of 2, some of a block of 5 (a matrix filled up), and each its own of a block
# of 14 (too few wires for that).
ROWS = [np.repeat(np.arange(12), 2), np.array([0, 0, 3, 4, 7, 11]), np.arange(12)]
SOURCES = [np.tile(np.arange(2), 12), np.array([0, 3, 3, 1, 0, 3]), np.append(np.arange(1, 12), 13)]
WIRING = Wiring([Wires(12, n, r, s) for n, r, s in zip((2, 5, 14), ROWS, SOURCES, strict=True)])
BLOCKS = tuple(between(-2, 2, (n, 3), seed=n) for n in (2, 5, 14))


def _wired(w, *blocks):
    """A product wire by wire."""
    ends = [(t, x[s]) for rows, sources, x in zip(ROWS, SOURCES, blocks, strict=True) for t, s in zip(rows, sources)]
    out = np.zeros((12, 3))
    for weight, (t, x) in zip(w, ends, strict=True):
        out[t] += weight * x
    return out


def _wired_weight(g, *blocks):
    return np.array([g[t] @ x[s] for rows, sources, x in zip(ROWS, SOURCES, blocks, strict=True)
                     for t, s in zip(rows, sources)])  # fmt: skip


# Functions of one number: NumPy's, and the range to try.
ELEMENTWISE = {
    "abs": (np.abs, -2, 2), "sign": (np.sign, -2, 2), "square": (np.square, -2, 2), "neg": (np.negative, -2, 2),
    "sqrt": (np.sqrt, 0.2, 3), "exp": (np.exp, -2, 2), "expm1": (np.expm1, -2, 2), "log": (np.log, 0.2, 3),
    "log1p": (np.log1p, -0.7, 3), "sin": (np.sin, -3, 3), "cos": (np.cos, -3, 3), "tan": (np.tan, -1.2, 1.2),
    "arcsin": (np.arcsin, -0.9, 0.9), "arccos": (np.arccos, -0.9, 0.9), "arctan": (np.arctan, -3, 3),
    "sinh": (np.sinh, -2, 2), "cosh": (np.cosh, -2, 2), "tanh": (np.tanh, -2, 2),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -4, 4), "relu": (lambda x: np.maximum(x, 0), -2, 2),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), -2, 2),
    "elu": (lambda x: np.where(x > 0, x, np.exp(x) - 1), -2, 2),
    "softplus": (lambda x: np.log(1 + np.exp(x)), -4, 4), "silu": (lambda x: x / (1 + np.exp(-x)), -4, 4),
    "gelu": (lambda x: x * 0.5 * (1 + _erf(x / math.sqrt(2))), -3, 3), "identity": (np.positive, -2, 2),
    "clip": (lambda x: np.clip(x, -0.77, 1.03), -2, 2),
}  # fmt: skip
ARGUMENTS = {"clip": (-0.77, 1.03)}

# Functions of two numbers, broadcasting.
BINARY = {
    "add": (np.add, -2, 2), "sub": (np.subtract, -2, 2), "mul": (np.multiply, -2, 2), "div": (np.divide, 0.5, 2),
    "pow": (np.power, 0.5, 2), "maximum": (np.maximum, -2, 2), "minimum": (np.minimum, -2, 2),
}  # fmt: skip

A, B = between(-2, 2, (3, 4)), between(-2, 2, (3, 4), seed=1)
CUBE, SQUARE, VECTOR = between(-2, 2, (2, 3, 4)), between(-2, 2, (3, 3)), between(-1.9, 2.2, (4,))
POSITIVE = between(0.3, 2, (3, 4))
MASK = A + B > 0

CASES = [
    *(Case(n, lambda x, n=n: getattr(F, n)(x, *ARGUMENTS.get(n, ())), f, (between(a, b, (3, 4), away=0.05),))
      for n, (f, a, b) in ELEMENTWISE.items()),
    *(Case(n, getattr(F, n), f, (between(a, b, (3, 4)), between(a + 0.03, b + 0.03, (3, 4), seed=1)))
      for n, (f, a, b) in BINARY.items()),
    *(Case("prelu", F.prelu, lambda x, w: np.where(x > 0, x, w * x), (A, between(-0.5, 1, shape)))
      for shape in ((4,), (1,), ())),
    Case("where", lambda x, y: F.where(MASK, x, y), lambda x, y: np.where(MASK, x, y), (A, B)),
    Case("softmax", F.softmax, _softmax, (A,)),
    Case("softmax", lambda x: F.softmax(x, 0), lambda x: _softmax(x, 0), (A,)),
    Case("log_softmax", F.log_softmax, lambda x: np.log(_softmax(x)), (A,)),
    Case("logsumexp", F.logsumexp, lambda x: np.log(np.exp(x).sum()), (A,)),
    Case("logsumexp", lambda x: F.logsumexp(x, (0, -1), True), lambda x: np.log(np.exp(x).sum((0, -1), keepdims=True)),
         (CUBE,)),
    *(Case(n, lambda x, n=n: getattr(F, n)(x), getattr(np, n), (CUBE,))
      for n in ("sum", "mean", "var", "std", "max", "min", "prod", "cumsum")),
    Case("cumsum", lambda x: F.cumsum(x, 1), lambda x: np.cumsum(x, 1), (CUBE,)),
    Case("var", lambda x: F.var(x, 1, ddof=1), lambda x: np.var(x, 1, ddof=1), (CUBE,)),
    Case("std", lambda x: F.std(x, (0, 2), ddof=1), lambda x: np.std(x, (0, 2), ddof=1), (CUBE,)),
    Case("norm", F.norm, np.linalg.norm, (A,)),
    Case("norm", lambda x: F.norm(x, 2, axis=-1), lambda x: np.linalg.norm(x, 2, axis=-1), (A,)),
    Case("norm", lambda x: F.norm(x, 1), lambda x: np.linalg.norm(x, 1), (VECTOR,)),
    Case("norm", lambda x: F.norm(x, math.inf), lambda x: np.linalg.norm(x, math.inf), (VECTOR,)),
    Case("matmul", F.matmul, np.matmul, (A, B.T)),
    Case("dot", F.dot, np.dot, (CUBE, between(-2, 2, (2, 4, 3)))),
    Case("inner", F.inner, np.inner, (CUBE, A)),
    Case("outer", F.outer, np.outer, (A, VECTOR)),
    Case("tensordot", lambda x, y: F.tensordot(x, y, ([2, 0], [1, 0])),
         lambda x, y: np.tensordot(x, y, ([2, 0], [1, 0])),
         (CUBE, between(-2, 2, (2, 4, 3)))),
    Case("einsum", lambda x, y: F.einsum("ijk,jk->ki", x, y), lambda x, y: np.einsum("ijk,jk->ki", x, y), (CUBE, A)),
    Case("transpose", F.transpose, np.transpose, (CUBE,)),
    Case("transpose", lambda x: F.transpose(x, (1, -1, 0)), lambda x: np.transpose(x, (1, -1, 0)), (CUBE,)),
    Case("swapaxes", lambda x: F.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), (CUBE,)),
    Case("moveaxis", lambda x: F.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), (CUBE,)),
    Case("trace", F.trace, np.trace, (CUBE,)),
    Case("trace", lambda x: F.trace(x, -1, 1, 2), lambda x: np.trace(x, -1, 1, 2), (CUBE,)),
    Case("diagonal", lambda x: F.diagonal(x, 1, 2, 0), lambda x: np.diagonal(x, 1, 2, 0), (CUBE,)),
    Case("diag", F.diag, np.diag, (SQUARE,)),
    Case("diag", lambda x: F.diag(x, -2), lambda x: np.diag(x, -2), (VECTOR,), ("scatter",)),
    Case("reshape", lambda x: F.reshape(x, (4, -1)), lambda x: np.reshape(x, (4, -1)), (CUBE,)),
    Case("ravel", F.ravel, np.ravel, (CUBE,)),
    Case("squeeze", F.squeeze, np.squeeze, (CUBE.reshape(1, 6, 1, 4),)),
    Case("squeeze", lambda x: F.squeeze(x, 2), lambda x: np.squeeze(x, 2), (CUBE.reshape(1, 6, 1, 4),)),
    Case("expand_dims", lambda x: F.expand_dims(x, (0, -1)), lambda x: np.expand_dims(x, (0, -1)), (A,)),
    Case("broadcast_to", lambda x: F.broadcast_to(x, (2, 3, 4)), lambda x: np.broadcast_to(x, (2, 3, 4)), (A[:, :1],)),
    Case("concatenate", lambda x, y: F.concatenate([x, y], -2), lambda x, y: np.concatenate([x, y], -2), (A, B[:2])),
    Case("concatenate", lambda x, y: F.concatenate([x, y], None), lambda x, y: np.concatenate([x, y], None),
         (A, VECTOR)),
    Case("stack", lambda x, y: F.stack([x, y], -1), lambda x, y: np.stack([x, y], -1), (A, B)),
    Case("split", lambda x: F.split(x, [1, 3], -1)[1], lambda x: np.split(x, [1, 3], -1)[1], (A,)),
    Case("pad", lambda x: F.pad(x, ((1, 0), (2, 3)), constant_values=7), lambda x: np.pad(x, ((1, 0), (2, 3)),
         constant_values=7), (A,)),
    *(Case("pad", lambda x, m=m: F.pad(x, 2, mode=m), lambda x, m=m: np.pad(x, 2, mode=m), (A,))
      for m in ("edge", "reflect", "symmetric", "wrap")),
    Case("flip", F.flip, np.flip, (CUBE,)),
    Case("flip", lambda x: F.flip(x, (0, -1)), lambda x: np.flip(x, (0, -1)), (CUBE,)),
    Case("roll", lambda x: F.roll(x, 2), lambda x: np.roll(x, 2), (A,)),
    Case("roll", lambda x: F.roll(x, (1, -2), (0, 1)), lambda x: np.roll(x, (1, -2), (0, 1)), (A,)),
    *(Case("sliding_window_view", lambda x, a=a: F.sliding_window_view(x, *a),
           lambda x, a=a: np.lib.stride_tricks.sliding_window_view(x, *a), (CUBE,))
      for a in (((1, 2, 3),), ((2, 2), (1, 2)), (2, -1))),
    Case("tile", lambda x: F.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), (A,)),
    Case("tile", lambda x: F.tile(x, 2), lambda x: np.tile(x, 2), (A,)),
    Case("repeat", lambda x: F.repeat(x, 2), lambda x: np.repeat(x, 2), (A,)),
    Case("repeat", lambda x: F.repeat(x, [1, 0, 3], axis=0), lambda x: np.repeat(x, [1, 0, 3], axis=0), (A,)),
    Case("tril", lambda x: F.tril(x, -1), lambda x: np.tril(x, -1), (CUBE,)),
    Case("triu", lambda x: F.triu(x, 1), lambda x: np.triu(x, 1), (CUBE,)),
    Case("getitem", lambda x: F.getitem(x, (slice(None), [0, 2, 0])), lambda x: x[:, [0, 2, 0]], (A,)),
    Case("cross_entropy", lambda x: F.cross_entropy(x, LABELS),
         lambda x: -np.log(_softmax(x))[np.arange(3), LABELS].mean(), (A,)),
    Case("cross_entropy", lambda x: F.cross_entropy(x, LABELS, "none"),
         lambda x: -np.log(_softmax(x))[np.arange(3), LABELS], (A,)),
    Case("cross_entropy", F.cross_entropy, lambda x, p: -(p * np.log(_softmax(x))).sum(1).mean(), (A, _softmax(B))),
    Case("cross_entropy", lambda x: F.cross_entropy(x, 1), lambda x: -np.log(_softmax(x))[1], (VECTOR,)),
    Case("nll_loss", lambda x: F.nll_loss(x, LABELS), lambda x: -x[np.arange(3), LABELS].mean(),
         (np.log(_softmax(A)),)),
    Case("binary_cross_entropy_with_logits", F.binary_cross_entropy_with_logits,
         lambda x, y: np.mean(-y * np.log(1 / (1 + np.exp(-x))) - (1 - y) * np.log(1 / (1 + np.exp(x)))),
         (A, between(0.03, 0.97, (3, 4), seed=1))),
    Case("l1_loss", F.l1_loss, lambda x, y: np.mean(np.abs(x - y)), (A, B + 0.03)),
    Case("multi_margin_loss", lambda x: F.multi_margin_loss(x, LABELS), _margins, (A,)),
    Case("multi_margin_loss", lambda x: F.multi_margin_loss(x, LABELS, 2, 1.5, "sum"),
         lambda x: 3 * _margins(x, 2, 1.5), (A,)),
    Case("mse_loss", F.mse_loss, lambda x, y: np.mean((x - y) ** 2), (A, B)),
    Case("hinge_loss", lambda x: F.hinge_loss(x, np.sign(B)), lambda x: np.maximum(0, 1 - np.sign(B) * x).mean(), (A,)),
    # what only rules and dtypes use
    Case("scaled", ops.scaled, np.multiply, (A, B)),
    Case("over", ops.over, np.divide, (A, POSITIVE)),
    Case("raised", ops.raised, lambda g, a, b: g * a**b, (A, POSITIVE, B)),
    Case("erfc", ops.erfc, lambda x: 1 - _erf(x), (A,)),
    Case("wired", lambda w, *x: ops.wired(w, *x, wiring=WIRING), _wired, (between(-2, 2, (42,)), *BLOCKS)),
    Case("wired_weight", lambda g, *x: ops.wired_weight(g, *x, wiring=WIRING), _wired_weight,
         (between(-2, 2, (12, 3)), *BLOCKS)),
    Case("astype", lambda x: ops.astype(x, dtype=float), np.positive, (A,)),
]  # fmt: skip
PLACES = {"argmax", "argmin"}  # plain integers: nothing to differentiate
