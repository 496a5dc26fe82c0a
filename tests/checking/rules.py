"""Operations of one's own on the engine, right ones, and each with the slips that people make in its rule."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from passes import apart, sizes

from micrograd_nn import functional as F
from micrograd_nn.op import REGISTRY, Op, Patch, shape_of
from micrograd_nn.ops import spread


@dataclass(frozen=True)
class Slip:
    place: int  # the input whose rule is wrong; None puts several rules in place
    rule: Any
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    name: str
    array: Callable[..., Any]
    rules: tuple[Callable[..., Any], ...]
    draw: Callable[[np.random.Generator], tuple[Any, ...]]  # inputs of random shapes, away from kinks
    slips: dict[str, Slip] = field(default_factory=dict)
    scalar: Callable[..., Any] | None = None
    params: dict[str, Any] = field(default_factory=dict)  # or a function of the inputs that gives it
    kink: float | None = None  # where an elementwise function has one

    def __str__(self):
        return self.name

    def op(self, rules=None):
        """The operation, with these rules in place of the right ones; the registry forgets it at once."""
        op = Op(self.name, self.array, *(rules or self.rules), scalar=self.scalar)
        del REGISTRY[self.name]
        return op

    def slipped(self, name):
        slip = self.slips[name]
        if slip.place is None:
            return slip.rule
        return tuple(slip.rule if i == slip.place else rule for i, rule in enumerate(self.rules))

    def settings(self, *inputs):
        return {k: v(*inputs) if callable(v) else v for k, v in self.params.items()}


def swapped(a):
    return F.swapaxes(a, -1, -2)


def signed(rng):
    n, d = sizes(rng, (3, 5), (2, 4))
    return (apart(rng, (n, d), 0.25),)


def mild(rng):
    return (rng.uniform(-1.5, 1.5, sizes(rng, (2, 4), (2, 4))),)


def tall(rng):
    return (rng.normal(size=sizes(rng, (3, 5), (2, 4))),)


def pair(rng):
    shape = sizes(rng, (2, 4), (2, 4))
    return rng.normal(size=shape), rng.normal(size=shape)


def pair_of_positive(rng):
    a, b = pair(rng)
    return a, np.exp(0.4 * b)


def broadcast_pair(rng):
    n, d = sizes(rng, (2, 4), (2, 4))
    return rng.normal(size=(n, d)), rng.normal(size=d)


def matrices(rng):
    n, k, m = sizes(rng, (2, 4), (2, 4), (2, 4))
    return rng.normal(size=(n, k)), rng.normal(size=(k, m))


def half_of(a, *_):
    """Which entries to take from the first: about half of them."""
    return np.random.default_rng(a.size).permutation(a.size).reshape(a.shape) % 2 == 0


def picked_rows(a):
    return np.array([0, 1, 1, 2, 0, 1])


def set_at(g, index, shape):
    """What indexing sends back, forgetting that repeated indices add up."""
    out = np.zeros(shape)
    out[index] = g
    return out


def number(x):
    return 1 / (1 + math.exp(-x))


RULES = [
    Rule("my_tanh", np.tanh, (lambda g, out, a: g * (1 - out * out),), mild, {
        "derivative left out": Slip(0, lambda g, out, a: g, ("activation derivative",)),
        "derivative taken twice": Slip(0, lambda g, out, a: g * (1 - out * out) ** 2, ("activation derivative",)),
        "derivative at the input": Slip(0, lambda g, out, a: g * (1 - a * a), ("activation derivative",)),
        "plus for minus": Slip(0, lambda g, out, a: g * (1 + out * out)),
    }, math.tanh),
    Rule("my_sigmoid", lambda a: 1 / (1 + np.exp(-a)), (lambda g, out, a: g * (out * (1 - out)),), mild, {
        "derivative left out": Slip(0, lambda g, out, a: g, ("activation derivative",)),
        "derivative at the input": Slip(0, lambda g, out, a: g * (a * (1 - a)), ("activation derivative",)),
        "half of the product": Slip(0, lambda g, out, a: g * out),
        "sign": Slip(0, lambda g, out, a: g * (out * (out - 1)), ("sign",)),
    }, number),
    Rule("my_exp", np.exp, (lambda g, out, a: g * out,), mild, {
        "derivative left out": Slip(0, lambda g, out, a: g, ("activation derivative",)),
        "one term of the series more": Slip(0, lambda g, out, a: g * (out + 1e-5)),
    }, math.exp),
    Rule("my_relu", lambda a: np.maximum(a, 0), (lambda g, out, a: g * (a > 0),), signed, {
        # taken alone, only its negative inputs are wrong: the two say the same
        "mask left out": Slip(0, lambda g, out, a: g, ("activation derivative", "negative inputs")),
        "a little leak": Slip(0, lambda g, out, a: g * ((a > 0) + 1e-6 * (a < 0)), ("negative inputs",)),
    }, lambda a: a if a > 0 else 0.0, kink=0.0),
    Rule("my_leaky_relu", lambda a, slope: np.where(a > 0, a, slope * a),
         (lambda g, out, a, slope: g * ((a > 0) + slope * (a <= 0)),), signed, {
        # a is used once for either sign: what one of the two uses sends back is as good a name
        "as relu": Slip(0, lambda g, out, a, slope: g * (a > 0), ("negative inputs", "overwritten")),
        "everywhere": Slip(0, lambda g, out, a, slope: g * slope, ("positive inputs", "factor")),
    }, lambda a, slope: a if a > 0 else slope * a, {"slope": 0.1}, kink=0.0),
    Rule("my_softplus", lambda a: np.logaddexp(a, 0), (lambda g, out, a: g * F.sigmoid(a),), mild, {
        "derivative left out": Slip(0, lambda g, out, a: g, ("activation derivative",)),
        "derivative at the output": Slip(0, lambda g, out, a: g * F.sigmoid(out), ("activation derivative",)),
    }, lambda a: math.log1p(math.exp(a))),
    Rule("my_square", lambda a: a * a, (lambda g, out, a: g * (2 * a),), signed, {
        # a * a uses a twice: half of the gradient is that of one use
        "2 left out": Slip(0, lambda g, out, a: g * a, ("factor", "overwritten")),
        "size of a": Slip(0, lambda g, out, a: g * (2 * F.abs(a)), ("negative inputs",)),
    }, lambda a: a * a),
    Rule("my_sin", np.sin, (lambda g, out, a: g * F.cos(a),), mild, {
        "sign": Slip(0, lambda g, out, a: g * -F.cos(a), ("sign",)),
        "sin for cos": Slip(0, lambda g, out, a: g * out),
    }, math.sin),
    Rule("my_mul", lambda a, b: a * b, (lambda g, out, a, b: g * b, lambda g, out, a, b: g * a), pair, {
        "swapped": Slip(None, (lambda g, out, a, b: g * a, lambda g, out, a, b: g * b), ("swapped inputs",)),
        "b a constant": Slip(1, lambda g, out, a, b: g * 0.0, ("never reached",)),
    }, lambda a, b: a * b),
    Rule("my_scale", lambda a, b: a * b, (lambda g, out, a, b: g * b, lambda g, out, a, b: g * a), broadcast_pair, {
        "over N": Slip(1, lambda g, out, a, b: F.mean(g * a, axis=0), ("1/N too many",)),
        "the first row": Slip(1, lambda g, out, a, b: (g * a)[0], ("broadcast",)),
    }),
    Rule("my_sub", lambda a, b: a - b, (lambda g, out, a, b: g, lambda g, out, a, b: -g), pair, {
        "sign of b": Slip(1, lambda g, out, a, b: g, ("sign",)),
    }, lambda a, b: a - b),
    Rule("my_div", lambda a, b: a / b, (lambda g, out, a, b: g / b, lambda g, out, a, b: -g * out / b),
         pair_of_positive, {
        "sign of b": Slip(1, lambda g, out, a, b: g * out / b, ("sign",)),
        "b not squared": Slip(1, lambda g, out, a, b: -g * a / b),
        "b a constant": Slip(1, lambda g, out, a, b: g * 0.0, ("never reached",)),
    }, lambda a, b: a / b),
    Rule("my_matmul", lambda a, b: a @ b, (lambda g, out, a, b: g @ swapped(b), lambda g, out, a, b: swapped(a) @ g),
         matrices, {
        "b's transposed": Slip(1, lambda g, out, a, b: swapped(g) @ a, ("transposed",)),
        "a's times 3": Slip(0, lambda g, out, a, b: 3 * (g @ swapped(b)), ("factor",)),
    }),
    Rule("my_sum", lambda a, axis: np.sum(a, axis), (lambda g, out, a, axis: spread(g, a, axis, False),), tall, {
        "averaged": Slip(0, lambda g, out, a, axis: spread(g, a, axis, False) / shape_of(a)[0], ("1/N too many",)),
    }, params={"axis": 0}),
    Rule("my_mean", lambda a, axis: np.mean(a, axis),
         (lambda g, out, a, axis: spread(g, a, axis, False) / shape_of(a)[0],), tall, {
        "not averaged": Slip(0, lambda g, out, a, axis: spread(g, a, axis, False), ("missing 1/N",)),
        "over the other axis": Slip(0, lambda g, out, a, axis: spread(g, a, axis, False) / shape_of(a)[1], ("factor",)),
    }, params={"axis": 0}),
    Rule("my_softmax", lambda a: np.exp(a) / np.exp(a).sum(-1, keepdims=True),
         (lambda g, out, a: out * (g - F.sum(g * out, axis=-1, keepdims=True)),), tall, {
        "diagonal only": Slip(0, lambda g, out, a: g * out * (1 - out), ("cross terms",)),
        "the sum a constant": Slip(0, lambda g, out, a: g * out, ("constant",)),
    }),
    Rule("my_logsumexp", lambda a: np.log(np.exp(a).sum(-1)),
         (lambda g, out, a: F.expand_dims(g, -1) * F.softmax(a, -1),), tall, {
        "not normed": Slip(0, lambda g, out, a: F.expand_dims(g, -1) * F.exp(a)),
        "along the other axis": Slip(0, lambda g, out, a: F.expand_dims(g, -1) * F.softmax(a, 0)),
    }),
    Rule("my_where", lambda a, b, condition: np.where(condition, a, b),
         (lambda g, out, a, b, condition: g * condition, lambda g, out, a, b, condition: g * ~condition), pair, {
        "swapped": Slip(None, (lambda g, out, a, b, condition: g * ~condition,
                               lambda g, out, a, b, condition: g * condition), ("swapped inputs",)),
        "b never": Slip(1, lambda g, out, a, b, condition: g * 0.0, ("never reached",)),
    }, params={"condition": half_of}),
    Rule("my_roll", lambda a: np.roll(a, 1, 0), (lambda g, out, a: F.roll(g, -1, 0),), tall, {
        "not rolled back": Slip(0, lambda g, out, a: g, ("shifted",)),
    }),
    Rule("my_flip", lambda a: np.flip(a, 0), (lambda g, out, a: F.flip(g, 0),), tall, {
        "not turned back": Slip(0, lambda g, out, a: g, ("reversed",)),
    }),
    Rule("my_rows", lambda a, rows: a[rows], (lambda g, out, a, rows: Patch(g, rows, shape_of(a)),), tall, {
        "= for +=": Slip(0, lambda g, out, a, rows: set_at(g, rows, shape_of(a)), ("overwritten",)),
    }, params={"rows": picked_rows}),
    Rule("my_transpose", lambda a: a.T, (lambda g, out, a: swapped(g),), tall, {
        "reshaped": Slip(0, lambda g, out, a: F.reshape(g, shape_of(a))),
    }),
]  # fmt: skip
