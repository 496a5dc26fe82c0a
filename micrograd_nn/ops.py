"""The rule table: every operation once, and for each of its inputs the formula of its share of the gradient.

`g` is the gradient that comes in, `out` the result, then the inputs. The formulas say nothing about broadcasting,
the kind of number, or the order of the derivative: see `Op`.
"""

# mypy: disable-error-code="has-type"
# (a rule may name its own operation, whose type mypy has not settled at that point)

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from micrograd_nn.graph import Node, same
from micrograd_nn.op import Op, Patch, over, scaled, shape_of, where_needed
from micrograd_nn.symbol import Symbol

# --- arithmetic --------------------------------------------------------------------------------------------------

add = Op("add", operator.add, same, same, scalar=operator.add, symbol="+", infix=True)
sub = Op("sub", operator.sub, same, lambda g, out, a, b: -g, scalar=operator.sub, symbol="−", infix=True)
mul = Op("mul", operator.mul, lambda g, out, a, b: g * b, lambda g, out, a, b: g * a,
         scalar=operator.mul, symbol="×", infix=True)  # fmt: skip
div = Op("div", operator.truediv, lambda g, out, a, b: over(g, b), lambda g, out, a, b: over(scaled(-g, out), b),
         scalar=operator.truediv, symbol="÷", infix=True)  # fmt: skip
pow = Op(
    "pow", operator.pow,
    lambda g, out, a, b: raised(g * b, a, b - (b != 0)),  # b = 0: the factor is 0, and no 1 / a is looked at
    lambda g, out, a, b: scaled(scaled(g, out), log(a + (a == 0))),  # 0 ** b: the limit for b > 0, and no log(0)
    scalar=math.pow, symbol="**", infix=True,
)  # fmt: skip
raised = Op(
    "raised",
    lambda g, a, b: g * a**b if isinstance(g, Symbol) else g * where_needed(np.power, np.not_equal(g, 0), a, b),
    lambda d, out, g, a, b: raised(d, a, b),
    lambda d, out, g, a, b: raised(scaled(d, g) * b, a, b - (b != 0)),
    lambda d, out, g, a, b: scaled(scaled(d, out), log(a + (a == 0))),
    scalar=lambda g, a, b: g * math.pow(a, b) if g else 0.0, infix=True,
)  # fmt: skip
neg = Op("neg", operator.neg, lambda g, out, a: -g, scalar=operator.neg, symbol="−", infix=True)
abs = Op("abs", np.abs, lambda g, out, a: g * sign(a), scalar=operator.abs)
sign = Op("sign", np.sign, lambda g, out, a: g * 0.0, scalar=lambda a: 1.0 if a > 0 else -1.0 if a < 0 else a * 0.0)
square = Op("square", np.square, lambda g, out, a: scaled(g, 2 * a), scalar=lambda a: a * a)
sqrt = Op("sqrt", np.sqrt, lambda g, out, a: over(g, 2 * out), scalar=math.sqrt)
exp = Op("exp", np.exp, lambda g, out, a: scaled(g, out), scalar=math.exp)
expm1 = Op("expm1", np.expm1, lambda g, out, a: scaled(g, out + 1), scalar=math.expm1)
log = Op("log", np.log, lambda g, out, a: over(g, a), scalar=math.log)
log1p = Op("log1p", np.log1p, lambda g, out, a: over(g, 1 + a), scalar=math.log1p)
sin = Op("sin", np.sin, lambda g, out, a: g * cos(a), scalar=math.sin)
cos = Op("cos", np.cos, lambda g, out, a: -g * sin(a), scalar=math.cos)
tan = Op("tan", np.tan, lambda g, out, a: g * (1 + out * out), scalar=math.tan)
arcsin = Op("arcsin", np.arcsin, lambda g, out, a: over(g, sqrt(1 - a * a)), scalar=math.asin)
arccos = Op("arccos", np.arccos, lambda g, out, a: over(-g, sqrt(1 - a * a)), scalar=math.acos)
arctan = Op("arctan", np.arctan, lambda g, out, a: g / (1 + a * a), scalar=math.atan)
sinh = Op("sinh", np.sinh, lambda g, out, a: scaled(g, cosh(a)), scalar=math.sinh)
cosh = Op("cosh", np.cosh, lambda g, out, a: scaled(g, sinh(a)), scalar=math.cosh)
maximum = Op("maximum", np.maximum, lambda g, out, a, b: g * ((a > b) + (a == b) * 0.5),
             lambda g, out, a, b: g * ((b > a) + (a == b) * 0.5),
             scalar=lambda a, b: a if a >= b or a != a else b, symbol="max")  # fmt: skip
minimum = Op("minimum", np.minimum, lambda g, out, a, b: g * ((a < b) + (a == b) * 0.5),
             lambda g, out, a, b: g * ((b < a) + (a == b) * 0.5),
             scalar=lambda a, b: a if a <= b or a != a else b, symbol="min")  # fmt: skip
clip = Op("clip", lambda a, low, high: np.clip(a, low, high),
          lambda g, out, a, low, high: g * ((a >= low) * (a <= high)),
          scalar=lambda a, low, high: high if a > high or low > high else low if a < low else a)  # fmt: skip
where = Op("where", lambda a, b, condition: np.where(condition, a, b),
           lambda g, out, a, b, condition: where(g, 0.0, condition=condition),
           lambda g, out, a, b, condition: where(0.0, g, condition=condition),
           scalar=lambda a, b, condition: a if condition else b)  # fmt: skip
identity = Op("identity", lambda a: a.view(), lambda g, out, a: g, scalar=lambda a: a, text="{0}")
astype = Op("astype", lambda a, dtype: np.array(a, dtype), lambda g, out, a, dtype: g, text="{0}")

# --- activations -------------------------------------------------------------------------------------------------


def _sigmoid(a: Any) -> Any:
    small = np.exp(-np.abs(a))  # never overflows
    return np.where(a >= 0, 1.0, small).astype(small.dtype) / (1 + small)


def _sigmoid_number(a: float) -> float:
    small = math.exp(-math.fabs(a))
    return (1.0 if a >= 0 else small) / (1 + small)


def _keep_dtype(formula: Any) -> Any:
    """An array formula built from pieces, in the floating type it was given."""
    return lambda a, **params: np.asarray(formula(a, **params), np.result_type(a, np.float16))


sigmoid = Op("sigmoid", _sigmoid, lambda g, out, a: g * (out * (1 - out)), scalar=_sigmoid_number, symbol="σ")
tanh = Op("tanh", np.tanh, lambda g, out, a: g * (1 - out * out), scalar=math.tanh)
relu = Op("relu", lambda a: np.maximum(a, 0), lambda g, out, a: g * (out > 0),
          scalar=lambda a: a if a > 0 or a != a else 0.0)  # fmt: skip
leaky_relu = Op("leaky_relu", lambda a, negative_slope: np.where(a > 0, a, negative_slope * a),
                lambda g, out, a, negative_slope: where(g, g * negative_slope, condition=(a > 0)),
                scalar=lambda a, negative_slope: a if a > 0 else negative_slope * a)  # fmt: skip
prelu = Op("prelu", lambda a, w: np.where(a > 0, a, w * a), lambda g, out, a, w: where(g, g * w, condition=(a > 0)),
           lambda g, out, a, w: where(0.0, g * a, condition=(a > 0)),
           scalar=lambda a, w: a if a > 0 else w * a)  # fmt: skip
elu = Op("elu", lambda a, alpha: np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0))),
         lambda g, out, a, alpha: where(g, g * (out + alpha), condition=(a > 0)),
         scalar=lambda a, alpha: a if a > 0 else alpha * math.expm1(a))  # fmt: skip
softplus = Op("softplus", lambda a: np.logaddexp(a, 0), lambda g, out, a: g * sigmoid(a),
              scalar=lambda a: (a if a > 0 else 0.0) + math.log1p(math.exp(-math.fabs(a))))  # fmt: skip
silu = Op("silu", lambda a: a * _sigmoid(a), lambda g, out, a: g * (sigmoid(a) + out * (1 - sigmoid(a))),
          scalar=lambda a: a * _sigmoid_number(a))  # fmt: skip
erfc = Op("erfc", _keep_dtype(np.frompyfunc(math.erfc, 1, 1)),  # NumPy has none; exact, if slow
          lambda g, out, a: g * (-2 / math.sqrt(math.pi) * exp(-a * a)), scalar=math.erfc)  # fmt: skip
gelu = Op("gelu", lambda a: 0.5 * a * erfc(a * -math.sqrt(0.5)),  # x Φ(x); erfc keeps its digits for x < 0
          lambda g, out, a: g * (0.5 * erfc(a * -math.sqrt(0.5)) + a * exp(a * a * -0.5) * (2 * math.pi) ** -0.5),
          scalar=lambda a: 0.5 * a * math.erfc(a * -math.sqrt(0.5)))  # fmt: skip

# --- reductions --------------------------------------------------------------------------------------------------


def spread(g: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    """What a reduction of `a` gave, stretched over the entries it was made from."""
    if axis is not None and not keepdims:
        g = expand_dims(g, axis=axis)
    shape = shape_of(a)
    if shape_of(g) == shape:
        return g
    if isinstance(g, np.number) or (g.__class__ is np.ndarray and not g.ndim):
        return stretched(g, shape)
    return broadcast_to(g, shape=shape)


def stretched(x: Any, shape: tuple[int, ...]) -> Any:
    """One number as an array of `shape` that stores it once: np.broadcast_to at a tenth of the time."""
    x = np.asarray(x)
    return np.ndarray(shape, x.dtype, x, strides=(0,) * len(shape))


def count(a: Any, axis: Any) -> int:
    """How many entries go into one result."""
    shape = shape_of(a)
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


sum = Op("sum", lambda a, axis=None, keepdims=False: np.add.reduce(a, axis, keepdims=keepdims),
         lambda g, out, a, axis=None, keepdims=False: spread(g, a, axis, keepdims), symbol="Σ")  # fmt: skip
mean = Op("mean", lambda a, axis=None, keepdims=False: np.add.reduce(a, axis, keepdims=keepdims) / count(a, axis),
          lambda g, out, a, axis=None, keepdims=False:
          spread(g * (1 / (count(a, axis) or 1)), a, axis, keepdims))  # fmt: skip


def _share_extremum(g: Any, out: Any, a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    chosen = a == spread(out, a, axis, keepdims)  # ties share equally
    return spread(over(g, sum(chosen * 1.0, axis=axis, keepdims=keepdims)), a, axis, keepdims) * chosen


max = Op("max", lambda a, axis=None, keepdims=False: np.max(a, axis, keepdims=keepdims), _share_extremum)
min = Op("min", lambda a, axis=None, keepdims=False: np.min(a, axis, keepdims=keepdims), _share_extremum)
cumsum = Op("cumsum", lambda a, axis: np.cumsum(a, axis),
            lambda g, out, a, axis: flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis))  # fmt: skip
norm = Op("norm", lambda a, axis=None, keepdims=False: np.sqrt(np.sum(a * a, axis, keepdims=keepdims)),
          lambda g, out, a, axis=None, keepdims=False:
          spread(g, a, axis, keepdims) * over(a, spread(out, a, axis, keepdims)), symbol="‖·‖")  # fmt: skip


def _logsumexp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = np.max(a, axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(top.dtype)
    with np.errstate(divide="ignore"):  # log(0) = -inf where every entry is -inf
        out = np.log(np.sum(np.exp(a - top), axis, keepdims=True)) + top
    return out if keepdims else np.squeeze(out, axis) if axis is not None else out.reshape(())


def _softmax(a: Any, axis: int) -> Any:
    e = np.exp(a - np.maximum.reduce(a, axis, keepdims=True))
    e /= np.add.reduce(e, axis, keepdims=True)
    return e


def _log_softmax(a: Any, axis: int) -> Any:
    a = a - np.maximum.reduce(a, axis, keepdims=True)  # first, or a large score would take digits from all
    return a - np.log(np.add.reduce(np.exp(a), axis, keepdims=True))


logsumexp = Op("logsumexp", _logsumexp, lambda g, out, a, axis=None, keepdims=False:
               spread(g, a, axis, keepdims) * exp(a - spread(out, a, axis, keepdims)))  # fmt: skip
softmax = Op("softmax", _softmax,
             lambda g, out, a, axis: out * (g - sum(g * out, axis=axis, keepdims=True)))  # fmt: skip
log_softmax = Op("log_softmax", _log_softmax,
                 lambda g, out, a, axis: g - exp(out) * sum(g, axis=axis, keepdims=True))  # fmt: skip


def _cross_entropy(a: Any, labels: Any) -> Any:
    shifted = a - np.maximum.reduce(a, 1, keepdims=True)
    losses = np.log(np.add.reduce(np.exp(shifted), 1)) - shifted[np.arange(len(a)), labels]
    return np.add.reduce(losses) / len(a)


def _one_hot(a: Any, labels: Any) -> Any:
    hot = np.zeros(a.shape, a.dtype if isinstance(a.dtype, np.dtype) else float)
    hot[np.arange(len(labels)), labels] = 1
    return hot


cross_entropy = Op("cross_entropy", _cross_entropy, lambda g, out, a, labels:
                   (softmax(a, axis=1) - _one_hot(a, labels)) * (g * (1 / len(labels))))  # fmt: skip

binary_cross_entropy_with_logits = Op(
    "binary_cross_entropy_with_logits",
    lambda a, y: y * softplus(-a) + (1 - y) * softplus(a),  # no difference of large numbers
    lambda g, out, a, y: g * (sigmoid(a) - y), lambda g, out, a, y: g * -a,
    scalar=lambda a, y: y * softplus(-a) + (1 - y) * softplus(a), symbol="BCE",
)  # fmt: skip

# --- linear algebra ----------------------------------------------------------------------------------------------


def _matmul_a(g: Any, out: Any, a: Any, b: Any) -> Any:
    if len(shape_of(b)) == 1:
        return g * b if len(shape_of(a)) == 1 else expand_dims(g, axis=-1) * b
    if len(shape_of(a)) == 1 and len(shape_of(b)) > 2:
        g = expand_dims(g, axis=-2)
    return g @ swapaxes(b)


def _matmul_b(g: Any, out: Any, a: Any, b: Any) -> Any:
    if len(shape_of(a)) == 1:
        return g * a if len(shape_of(b)) == 1 else expand_dims(a, axis=-1) * expand_dims(g, axis=-2)
    if len(shape_of(b)) == 1:
        return g @ a if len(shape_of(a)) == 2 else expand_dims(g, axis=-1) * a
    if isinstance(b, np.ndarray) and b.ndim == a.ndim == 2 and not b.flags.c_contiguous:
        return (g.T @ a).T  # laid out as `b` is: in `x @ w.T` the gradient of w needs no transposing in memory
    return swapaxes(a) @ g


matmul = Op("matmul", operator.matmul, _matmul_a, _matmul_b, symbol="@", infix=True)


def _back(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that undoes another."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


transpose = Op("transpose", lambda a, axes: a.transpose(axes),
               lambda g, out, a, axes: transpose(g, axes=_back(axes)), symbol="ᵀ", text="{0}ᵀ")  # fmt: skip


def swapaxes(a: Any) -> Any:
    """The last two axes swapped: the transpose of a matrix, or of a stack of them."""
    if isinstance(a, np.ndarray):
        return a.T if a.ndim == 2 else np.swapaxes(a, -1, -2)
    n = len(shape_of(a))
    return transpose(a, axes=(*range(n - 2), n - 1, n - 2))


def _einsum_share(g: Any, out: Any, *operands: Any, subscripts: str, position: int) -> Any:
    terms, target = subscripts.split("->")
    names = terms.split(",")
    wanted, shape = names[position], shape_of(operands[position])
    others = [(t, x) for i, (t, x) in enumerate(zip(names, operands, strict=True)) if i != position]
    known = set(target).union(*(t for t, _ in others))
    core = "".join(c for c in wanted if c in known)
    share = einsum(g, *(x for _, x in others), subscripts=",".join([target, *(t for t, _ in others)]) + "->" + core)
    if shape_of(share) == shape or isinstance(share, Symbol):
        return share
    # a letter that only this operand has, or that the others have with size 1: every entry along it gets the same
    share = expand_dims(share, axis=tuple(i for i, c in enumerate(wanted) if c not in known))
    return broadcast_to(share, shape=np.broadcast_shapes(shape_of(share), shape))


einsum = Op("einsum", lambda *operands, subscripts: np.einsum(subscripts, *operands, optimize=len(operands) > 2),
            _einsum_share, variadic=True)  # fmt: skip

# A matrix that has only some of its entries (see wiring.py): its product with blocks of units, and the gradient of its
# weights. With the wires turned round, each is the other's derivative.


class _Rows(Patch):
    """A patch of whole rows, none of them twice."""

    def pour(self, buffer: np.ndarray[Any, Any]) -> None:
        buffer[self.index] += self.value


def _to_block(w: Any, g: Any, block: Any, wiring: Any, i: int) -> Any:
    """What the wires from the i-th block send back to it: nothing to its units that are not used."""
    part, w = wiring.parts[i], getitem(w, index=wiring.slices[i])
    share = wired(w, g, wiring=wiring.turned[i])
    if part.columns == part.block:
        return share
    return (_Rows if isinstance(share, np.ndarray) else put)(share, part.used, shape_of(block))


def _wired_share(g: Any, out: Any, w: Any, *blocks: Any, wiring: Any, position: int) -> Any:
    if position:
        return _to_block(w, g, blocks[position - 1], wiring, position - 1)
    return wired_weight(g, *blocks, wiring=wiring)


def _wired_weight_share(d: Any, out: Any, g: Any, *blocks: Any, wiring: Any, position: int) -> Any:
    if position:
        return _to_block(d, g, blocks[position - 1], wiring, position - 1)
    return wired(d, *blocks, wiring=wiring)


wired = Op("wired", lambda w, *blocks, wiring: wiring.product(w, *blocks), _wired_share, variadic=True)
wired_weight = Op("wired_weight", lambda g, *blocks, wiring: wiring.dots(g, *blocks), _wired_weight_share,
                  variadic=True)  # fmt: skip

# --- shape -------------------------------------------------------------------------------------------------------

reshape = Op("reshape", lambda a, shape: np.reshape(a, shape),
             lambda g, out, a, shape: reshape(g, shape=shape_of(a)), text="{0}")  # fmt: skip
expand_dims = Op("expand_dims", lambda a, axis: np.expand_dims(a, axis),
                 lambda g, out, a, axis: reshape(g, shape=shape_of(a)), text="{0}")  # fmt: skip
broadcast_to = Op("broadcast_to", lambda a, shape: np.broadcast_to(a, shape), lambda g, out, a, shape: g,
                  text="{0}")  # fmt: skip
flip = Op("flip", lambda a, axis: np.flip(a, axis), lambda g, out, a, axis: flip(g, axis=axis))
roll = Op("roll", lambda a, shift, axis: np.roll(a, shift, axis), lambda g, out, a, shift, axis:
          roll(g, shift=tuple(-s for s in shift) if isinstance(shift, tuple) else -shift, axis=axis))  # fmt: skip
tril = Op("tril", lambda a, k: np.tril(a, k), lambda g, out, a, k: tril(g, k=k))
triu = Op("triu", lambda a, k: np.triu(a, k), lambda g, out, a, k: triu(g, k=k))
pad = Op("pad", lambda a, widths, value: np.pad(a, widths, constant_values=value), lambda g, out, a, widths, value:
         getitem(g, index=tuple(slice(w[0], w[0] + n) for w, n in zip(widths, shape_of(a), strict=True))))  # fmt: skip


def _concatenate_share(g: Any, out: Any, *parts: Any, axis: int, position: int) -> Any:
    sizes = [shape_of(p)[axis] for p in parts]
    start = int(np.sum(sizes[:position]))
    return getitem(g, index=(slice(None),) * axis + (slice(start, start + sizes[position]),))


concatenate = Op("concatenate", lambda *parts, axis: np.concatenate(parts, axis), _concatenate_share, variadic=True)
stack = Op("stack", lambda *parts, axis: np.stack(parts, axis), lambda g, out, *parts, axis, position:
           getitem(g, index=(slice(None),) * axis + (position,)), variadic=True)  # fmt: skip


def joined(x: Any) -> Any:
    """A list of nodes, or of lists of them, as one node; anything else as it is."""
    if not isinstance(x, (list, tuple)) or not any(isinstance(v, (Node, list, tuple)) for v in x):
        return x
    parts = [joined(v) for v in x]
    return stack(*parts, axis=0) if any(isinstance(v, Node) for v in parts) else x


def put(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """`g` at `index` of an array of zeros: a node for nodes, and for plain data a `Patch` that costs no array."""
    if isinstance(g, (Node, Symbol)):
        return scatter(g, index=index, shape=shape)
    return Patch(g, index, shape)


getitem = Op("getitem", lambda a, index: a[index], lambda g, out, a, index: put(g, index, shape_of(a)),
             symbol="[ ]", text="{0}[…]")  # fmt: skip
scatter = Op("scatter", lambda g, index, shape: Patch(g, index, shape).dense(),
             lambda d, out, g, index, shape: getitem(d, index=index), symbol="put")  # fmt: skip


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: add up what one entry of an array of `shape` was spread over."""
    found = shape_of(g)
    if found == shape:
        return g
    if not found:  # a factor without axes stands for every entry
        return broadcast_to(g, shape=shape)
    lead = len(found) - len(shape)
    if lead < 0 or any(n != 1 and n != found[i + lead] for i, n in enumerate(shape)):
        raise ValueError(f"a rule gave a gradient of shape {found} for an input of shape {shape}, never broadcast so.")
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 != found[i + lead])
    if isinstance(g, np.ndarray):
        return np.add.reduce(g, axes).reshape(shape)
    return reshape(sum(g, axis=axes), shape=shape)
