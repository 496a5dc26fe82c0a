"""Hand-written forward and backward passes in plain NumPy, each with the slips that people make in it.

Half of them remember what the backward pass needs (`forward -> (out, cache)`, `backward(grad_output, cache)`), half
are given the inputs again (`backward(grad_output, *inputs)`). `slip=""` is the right backward pass; the other slips a
pass knows stand in `PASSES`, with what a diagnosis may truly call each.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

AWAY = 0.06  # how far from a kink the drawn inputs keep


@dataclass(frozen=True)
class Pass:
    name: str
    forward: Callable[..., Any]
    slippery: Callable[..., Any]  # the backward pass with its `slip=` argument
    draw: Callable[[np.random.Generator], tuple[Any, ...]]  # inputs of random shapes, away from kinks
    slips: dict[str, tuple[str, ...]] = field(default_factory=dict)  # slip: what it may be called

    def __str__(self):
        return self.name

    @property
    def cached(self):
        """Whether forward gives `(out, cache)` and backward takes the cache."""
        return list(inspect.signature(self.slippery).parameters)[1] == "cache"

    def backward(self, slip=""):
        """The backward pass as a student hands it in: without the switch."""

        def backward(*args):
            return self.slippery(*args, slip=slip)

        signature = inspect.signature(self.slippery)
        backward.__signature__ = signature.replace(
            parameters=[p for p in signature.parameters.values() if p.name != "slip"]
        )
        backward.__name__ = self.slippery.__name__
        return backward

    def gradients(self, backward, grad_output, inputs):
        """What a backward pass gives for these inputs, one entry an input."""
        given = (self.forward(*inputs)[1],) if self.cached else inputs
        got = backward(grad_output, *given)
        return tuple(got) if isinstance(got, (tuple, list)) else (got,)

    def out(self, *inputs):
        return self.forward(*inputs)[0] if self.cached else self.forward(*inputs)


def sizes(rng, *ranges):
    return tuple(int(rng.integers(low, high + 1)) for low, high in ranges)


def drawn_until(condition, draw):
    """The first of many draws that keeps away from the kinks."""
    for _ in range(1000):
        inputs = draw()
        if condition(*inputs):
            return inputs
    raise AssertionError("no inputs away from kinks in 1000 draws")


def apart(rng, shape, gap=0.1):
    """Numbers of both signs, no two closer than `gap` / 2, none closer to 0."""
    n = int(np.prod(shape))
    x = (np.arange(n) - n // 2 + 0.5) * gap + rng.uniform(-0.25, 0.25, n) * gap
    return rng.permutation(x).reshape(shape)


# --- layers --------------------------------------------------------------------------------------------------------


def affine(x, w, b):
    return x @ w + b


def affine_backward(grad_output, x, w, b, slip=""):
    dx = grad_output @ w.T
    dw = x.T @ grad_output
    db = grad_output.sum(0)
    if slip == "dw transposed":
        dw = grad_output.T @ x
    if slip == "db not summed":
        db = grad_output
    if slip == "db of one row":
        db = grad_output[0]
    if slip == "db averaged":
        db = grad_output.mean(0)
    if slip == "db forgotten":
        db = np.zeros_like(b)
    return dx, dw, db


def draw_affine(rng):
    n, d, m = sizes(rng, (2, 5), (2, 4), (2, 4))
    return rng.normal(size=(n, d)), rng.normal(size=(d, m)), rng.normal(size=m)


def affine_relu(x, w, b):
    return np.maximum(x @ w + b, 0)


def affine_relu_backward(grad_output, x, w, b, slip=""):
    z = x @ w + b
    dz = grad_output * (z > 0)
    if slip == "mask left out":
        dz = grad_output
    if slip == "mask turned round":
        dz = grad_output * (z < 0)
    db = dz.sum(0)
    if slip == "db not summed":
        db = dz
    if slip == "db before the mask":
        db = grad_output.sum(0)
    return dz @ w.T, x.T @ dz, db


def draw_affine_relu(rng):
    def away(x, w, b):
        z = x @ w + b
        return np.abs(z).min() > AWAY and (z > 0).any(0).all()

    return drawn_until(away, lambda: draw_affine(rng))


def affine_tanh(x, w, b):
    a = np.tanh(x @ w + b)
    return a, (x, w, b, a)


def affine_tanh_backward(grad_output, cache, slip=""):
    x, w, b, a = cache
    dz = grad_output * (1 - a**2)
    if slip == "derivative left out":
        dz = grad_output
    if slip == "derivative taken twice":
        dz = dz * (1 - a**2)
    if slip == "derivative at the input":
        dz = grad_output * (1 - (x @ w + b) ** 2)
    if slip == "tanh for tanh squared":
        dz = grad_output * (1 - a)
    dw, db = x.T @ dz, dz.sum(0)
    if slip == "dw over N":
        dw = dw / len(x)
    if slip == "db averaged":
        db = dz.mean(0)
    if slip == "sign of dz":
        dw, db = -dw, -db
        return -dz @ w.T, dw, db
    return dz @ w.T, dw, db


def leaky_relu(x):
    return np.where(x > 0, x, 0.1 * x)


def leaky_relu_backward(grad_output, x, slip=""):
    slope = np.where(x > 0, 1.0, 0.1)
    if slip == "as relu":
        slope = np.where(x > 0, 1.0, 0.0)
    if slip == "sign of the leak":
        slope = np.where(x > 0, 1.0, -0.1)
    if slip == "leaks everywhere":
        slope = np.full_like(x, 0.1)
    return grad_output * slope


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def elu_backward(grad_output, x, slip=""):
    slope = np.where(x > 0, 1.0, np.exp(np.minimum(x, 0)))
    if slip == "expm1 for exp":
        slope = np.where(x > 0, 1.0, np.expm1(np.minimum(x, 0)))
    if slip == "x in place of 1":
        slope = np.where(x > 0, x, np.exp(np.minimum(x, 0)))
    return grad_output * slope


def draw_elementwise(rng):
    n, d = sizes(rng, (3, 5), (2, 4))
    return (apart(rng, (n, d), 0.25),)


def scale_and_shift(x, scale, shift):
    return x * scale + shift


def scale_and_shift_backward(grad_output, x, scale, shift, slip=""):
    dscale = (grad_output * x).sum(0)
    dshift = grad_output.sum(0)
    if slip == "scale not summed":
        dscale = grad_output * x
    if slip == "shift of the last row":
        dshift = grad_output[-1]
    if slip == "swapped":
        dscale, dshift = dshift, dscale
    return grad_output * scale, dscale, dshift


def draw_scale_and_shift(rng):
    n, d = sizes(rng, (2, 5), (2, 4))
    return rng.normal(size=(n, d)), rng.normal(size=d), rng.normal(size=d)


# --- losses --------------------------------------------------------------------------------------------------------


def mean_squared_error(pred, target):
    return np.mean((pred - target) ** 2)


def mean_squared_error_backward(grad_output, pred, target, slip=""):
    d = grad_output * 2 * (pred - target) / pred.size
    if slip == "summed":
        d = d * pred.size
    if slip == "over N alone":
        d = grad_output * 2 * (pred - target) / len(pred)
    if slip == "twice over N":
        d = d / len(pred)
    if slip == "2 left out":
        d = d / 2
    if slip == "from 1":
        d = 2 * (pred - target) / pred.size
    if slip == "both alike":
        return d, d
    if slip == "swapped":
        return -d, d
    return d, -d


def draw_two_alike(rng):
    n, d = sizes(rng, (3, 6), (2, 4))
    return rng.normal(size=(n, d)), rng.normal(size=(n, d))


def sigmoid_bce(scores, targets):
    p = 1 / (1 + np.exp(-scores))
    loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return loss, (p, targets)


def sigmoid_bce_backward(grad_output, cache, slip=""):
    p, targets = cache
    d = p - targets
    if slip == "sigmoid' once more":
        d = d * p * (1 - p)
    if slip == "sigmoid' left out":
        d = d / (p * (1 - p))
    if slip == "sign":
        d = targets - p
    if slip != "not averaged":
        d = d / len(p)
    if slip == "averaged twice":
        d = d / len(p)
    return (grad_output * d,)


def draw_sigmoid_bce(rng):
    (n,) = sizes(rng, (3, 9))
    return rng.normal(size=n), rng.integers(0, 2, n)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softmax_backward(grad_output, x, slip=""):
    p = softmax(x)
    if slip == "diagonal only":
        return grad_output * p * (1 - p)
    if slip == "the sum a constant":
        return grad_output * p
    if slip == "the top row only":
        dot = (grad_output * p).sum(-1, keepdims=True)
        dot[1:] = 0
        return p * (grad_output - dot)
    return p * (grad_output - (grad_output * p).sum(-1, keepdims=True))


def draw_scores(rng):
    n, c = sizes(rng, (2, 5), (3, 5))
    return (rng.normal(size=(n, c)),)


def softmax_cross_entropy(scores, labels):
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(labels)), labels])


def softmax_cross_entropy_backward(grad_output, scores, labels, slip=""):
    n = len(labels)
    d = softmax(scores)
    if slip != "the right class a constant":
        d[np.arange(n), labels] -= 1
    if slip == "the sum a constant":
        d[...] = 0
        d[np.arange(n), labels] -= 1
    if slip != "not averaged":
        d /= n
    if slip == "averaged twice":
        d /= n
    if slip == "averaged over the classes":
        d *= n / scores.shape[1]
    if slip == "sign":
        d = -d
    if slip == "from 1":
        return d, None
    return grad_output * d, None


def draw_labelled(rng):
    n, c = sizes(rng, (2, 6), (3, 5))
    return rng.normal(size=(n, c)), rng.integers(0, c, n)


def negative_log_likelihood(p, labels):
    return -np.mean(np.log(p[np.arange(len(labels)), labels])), (p, labels)


def negative_log_likelihood_backward(grad_output, cache, slip=""):
    p, labels = cache
    n = len(labels)
    d = np.zeros_like(p)
    d[np.arange(n), labels] = -grad_output / (p[np.arange(n), labels] * n)
    if slip == "not averaged":
        d *= n
    if slip == "sign":
        d = -d
    return d, None


def draw_probabilities(rng):
    scores, labels = draw_labelled(rng)
    return softmax(scores), labels


def penalised_loss(w, x, y, strength=0.3):
    return np.mean((x @ w - y) ** 2) + 0.5 * strength * np.sum(w * w)


def penalised_loss_backward(grad_output, w, x, y, slip=""):
    strength = {"no penalty": 0.0, "twice the penalty": 0.6, "minus the penalty": -0.3}.get(slip, 0.3)
    d = 2 * (x @ w - y) / len(y)
    dw = x.T @ d + strength * w
    if slip == "not averaged":
        d = d * len(y)
        dw = x.T @ d + strength * w
    return grad_output * dw, grad_output * np.outer(d, w), -grad_output * d


def draw_penalised(rng):
    n, d = sizes(rng, (3, 6), (3, 5))
    return rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=n)


# --- statistics ----------------------------------------------------------------------------------------------------


def batch_norm(x, gamma, beta):
    mean, var = x.mean(0), x.var(0)
    std = np.sqrt(var + 1e-5)
    normed = (x - mean) / std
    return gamma * normed + beta, (normed, std, gamma)


def batch_norm_backward(grad_output, cache, slip=""):
    normed, std, gamma = cache
    dnormed = grad_output * gamma
    mean_part = dnormed.mean(0)
    var_part = normed * (dnormed * normed).mean(0)
    if slip in ("mean a constant", "statistics constants"):
        mean_part = 0
    if slip in ("variance a constant", "statistics constants"):
        var_part = 0
    if slip == "var over N - 1":
        var_part = var_part * len(normed) / (len(normed) - 1)
    dgamma, dbeta = (grad_output * normed).sum(0), grad_output.sum(0)
    if slip == "dbeta averaged":
        dbeta = grad_output.mean(0)
    if slip == "dgamma not summed":
        dgamma = grad_output * normed
    if slip == "dgamma and dbeta swapped":
        dgamma, dbeta = dbeta, dgamma
    return (dnormed - mean_part - var_part) / std, dgamma, dbeta


def draw_batch_norm(rng):
    n, d = sizes(rng, (3, 6), (2, 4))
    x = drawn_until(lambda x: x.std(0).min() > 0.4, lambda: (rng.normal(size=(n, d)),))[0]
    return x, rng.normal(1, 0.5, d), rng.normal(size=d)


def layer_norm(x, gamma, beta):
    mean = np.mean(x, axis=-1, keepdims=True)
    var = np.mean((x - mean) ** 2, axis=-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + 1e-5) + beta


def layer_norm_backward(grad_output, x, gamma, beta, slip=""):
    mean, std = x.mean(-1, keepdims=True), np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    normed = (x - mean) / std
    d = grad_output * gamma
    mean_part = d.mean(-1, keepdims=True)
    var_part = normed * (d * normed).mean(-1, keepdims=True)
    if slip == "mean a constant":
        mean_part = 0
    if slip == "variance a constant":
        var_part = 0
    axes = tuple(range(x.ndim - 1))
    dgamma, dbeta = (grad_output * normed).sum(axes), grad_output.sum(axes)
    if slip == "dbeta not summed":
        dbeta = grad_output
    if slip == "dgamma averaged":
        dgamma = (grad_output * normed).mean(axes)
    return (d - mean_part - var_part) / std, dgamma, dbeta


def draw_layer_norm(rng):
    n, d = sizes(rng, (2, 4), (3, 5))
    x = drawn_until(lambda x: x.std(-1).min() > 0.4, lambda: (rng.normal(size=(n, d)),))[0]
    return x, rng.normal(1, 0.5, d), rng.normal(size=d)


# --- images --------------------------------------------------------------------------------------------------------


def conv2d(x, w, b):
    """A convolution (N, C, H, W) with (F, C, h, w), no padding, stride 1."""
    windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))
    out = np.einsum("nchwij,fcij->nfhw", windows, w) + b[:, None, None]
    return out, (x, w)


def conv2d_backward(grad_output, cache, slip=""):
    x, w = cache
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    kh, kw = w.shape[2:]
    height, width = grad_output.shape[2:]
    kernel = w[:, :, ::-1, ::-1] if slip == "kernel turned in dx" else w
    for i in range(height - (slip == "the last row of windows")):
        for j in range(width):
            g = grad_output[:, :, i, j]
            here = np.tensordot(g, kernel, 1)
            if slip == "= for +=":
                dx[:, :, i : i + kh, j : j + kw] = here
            else:
                dx[:, :, i : i + kh, j : j + kw] += here
            dw += np.einsum("nf,ncij->fcij", g, x[:, :, i : i + kh, j : j + kw])
    db = grad_output.sum((0, 2, 3))
    if slip == "dw turned":
        dw = dw[:, :, ::-1]
    if slip == "dx shifted":
        dx = np.roll(dx, 1, axis=3)
    if slip == "db not summed over the batch":
        db = grad_output.sum((2, 3))
    if slip == "db averaged over the batch":
        db = grad_output.mean(0).sum((1, 2))
    return dx, dw, db


def draw_conv2d(rng):
    n, c, f, h, w, kh, kw = sizes(rng, (2, 2), (1, 2), (1, 2), (3, 4), (3, 4), (2, 2), (2, 2))
    return rng.normal(size=(n, c, h, w)), rng.normal(size=(f, c, kh, kw)), rng.normal(size=f)


def max_pool(x):
    """The largest of each 2 by 2 window, stride 1, so that windows overlap."""
    out = np.maximum(
        np.maximum(x[:, :, :-1, :-1], x[:, :, :-1, 1:]), np.maximum(x[:, :, 1:, :-1], x[:, :, 1:, 1:])
    )  # fmt: skip
    return out, x


def max_pool_backward(grad_output, cache, slip=""):
    x = cache
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(grad_output.shape):
        window = x[n, c, i : i + 2, j : j + 2]
        top = np.unravel_index(window.argmax(), window.shape)
        g = grad_output[n, c, i, j]
        if slip == "= for +=":
            dx[n, c, i + top[0], j + top[1]] = g
        elif slip == "the first image only" and n:
            pass
        else:
            dx[n, c, i + top[0], j + top[1]] += g
    return dx


def draw_max_pool(rng):
    h, w = sizes(rng, (3, 4), (3, 4))
    return (apart(rng, (2, 1, h, w), 0.25),)


# --- sequences -----------------------------------------------------------------------------------------------------


def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv
    scores = q @ k.T / np.sqrt(wq.shape[1])
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return (e / np.sum(e, axis=-1, keepdims=True)) @ v


def attention_backward(grad_output, x, wq, wk, wv, slip=""):
    q, k, v = x @ wq, x @ wk, x @ wv
    scale = 1 / np.sqrt(wq.shape[1])
    p = softmax(q @ k.T * scale)
    dp = grad_output @ v.T
    dv = p.T @ grad_output
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    if slip == "softmax one by one":
        ds = dp * p * (1 - p)
    if slip != "scale left out":
        ds = ds * scale
    dq, dk = ds @ k, ds.T @ q
    dx = dq @ wq.T + dk @ wk.T + dv @ wv.T
    if slip == "x by v alone":
        dx = dv @ wv.T
    if slip == "x without k":
        dx = dq @ wq.T + dv @ wv.T
    dwq, dwk, dwv = x.T @ dq, x.T @ dk, x.T @ dv
    if slip == "wq and wk swapped":
        dwq, dwk = dwk, dwq
    if slip == "wk never reached":
        dwk = np.zeros_like(wk)
    if slip == "no gradient through the scores":
        dwq, dwk, dx = np.zeros_like(wq), np.zeros_like(wk), dv @ wv.T
    return dx, dwq, dwk, dwv


def draw_attention(rng):
    t, d, h = sizes(rng, (2, 4), (2, 3), (2, 3))
    return rng.normal(size=(t, d)), *(rng.normal(size=(d, h)) for _ in range(3))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_cell(x, h, c, w, u, b):
    """One step: (N, D), (N, H), (N, H) -> the new h and c."""
    n = h.shape[1]
    z = x @ w + h @ u + b
    i, f, o, g = sigmoid(z[:, :n]), sigmoid(z[:, n : 2 * n]), sigmoid(z[:, 2 * n : 3 * n]), np.tanh(z[:, 3 * n :])
    c_next = f * c + i * g
    return o * np.tanh(c_next), c_next


def lstm_cell_backward(grad_output, x, h, c, w, u, b, slip=""):
    dh, dc = grad_output
    n = h.shape[1]
    z = x @ w + h @ u + b
    i, f, o, g = sigmoid(z[:, :n]), sigmoid(z[:, n : 2 * n]), sigmoid(z[:, 2 * n : 3 * n]), np.tanh(z[:, 3 * n :])
    t = np.tanh(f * c + i * g)
    through = dh * o * (1 - t * t)
    if slip == "tanh' of c left out":
        through = dh * o
    dc = dc + through if slip != "c by h alone" else through
    di, df, do, dg = dc * g * i * (1 - i), dc * c * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g * g)
    if slip == "sigmoid' of f left out":
        df = dc * c
    if slip == "tanh' of g left out":
        dg = dc * i
    if slip == "the forget gate forgotten":
        df = np.zeros_like(df)
    dz = np.concatenate([di, df, do, dg], axis=1)
    db = dz.sum(0)
    if slip == "db not summed":
        db = dz
    if slip == "db averaged":
        db = dz.mean(0)
    dc_before = dc * f
    if slip == "c never reached":
        dc_before = np.zeros_like(c)
    dh_before = dz @ u.T
    if slip == "h and c swapped":
        dh_before, dc_before = dc_before, dh_before
    return dz @ w.T, dh_before, dc_before, x.T @ dz, h.T @ dz, db


def draw_lstm_cell(rng):
    n, d, m = sizes(rng, (2, 3), (2, 3), (2, 2))
    return (
        rng.normal(size=(n, d)), rng.normal(size=(n, m)), rng.normal(size=(n, m)), rng.normal(size=(d, 4 * m)),
        rng.normal(size=(m, 4 * m)), rng.normal(size=4 * m),
    )  # fmt: skip


def embedding(table, words):
    return table[words], (table.shape, words)


def embedding_backward(grad_output, cache, slip=""):
    shape, words = cache
    dtable = np.zeros(shape)
    if slip == "= for +=":
        dtable[words] = grad_output
    elif slip == "+= without add.at":
        dtable[words] += grad_output  # repeated words count once
    else:
        np.add.at(dtable, words, grad_output)
    if slip == "row 0 is padding":
        dtable[0] = 0
    return dtable, None


def draw_embedding(rng):
    rows, d = sizes(rng, (3, 5), (2, 3))
    words = rng.integers(0, rows, int(rng.integers(5, 9)))
    words[0], words[1], words[2] = 0, 1, 1
    return rng.normal(size=(rows, d)), rng.permutation(words)


def shifted_product(x, w):
    """Every entry with its neighbour's weight."""
    return np.roll(x, 1, axis=0) * w


def shifted_product_backward(grad_output, x, w, slip=""):
    dx = np.roll(grad_output * w, -1, axis=0)
    if slip == "not rolled back":
        dx = grad_output * w
    return dx, grad_output * np.roll(x, 1, axis=0)


def reversed_product(x, w):
    return x[::-1] * w


def reversed_product_backward(grad_output, x, w, slip=""):
    dx = (grad_output * w)[::-1]
    if slip == "not turned back":
        dx = grad_output * w
    return dx, grad_output * x[::-1]


def draw_rows(rng):
    n, d = sizes(rng, (3, 6), (1, 3))
    return rng.normal(size=(n, d)), rng.normal(size=(n, d))


def residual_block(x, w1, b1, w2):
    return x + np.tanh(x @ w1 + b1) @ w2


def residual_block_backward(grad_output, x, w1, b1, w2, slip=""):
    a = np.tanh(x @ w1 + b1)
    dz = (grad_output @ w2.T) * (1 - a * a)
    if slip == "derivative left out":
        dz = grad_output @ w2.T
    dx = grad_output + dz @ w1.T
    if slip == "the branch alone":
        dx = dz @ w1.T
    if slip == "the skip alone":
        dx = grad_output.copy()
    db = dz.sum(0)
    if slip == "db averaged":
        db = dz.mean(0)
    return dx, x.T @ dz, db, a.T @ grad_output


def draw_residual_block(rng):
    n, d, m = sizes(rng, (2, 4), (2, 3), (2, 3))
    return rng.normal(size=(n, d)), rng.normal(size=(d, m)), rng.normal(size=m), rng.normal(size=(m, d))


PASSES = [
    Pass("affine", affine, affine_backward, draw_affine, {
        "dw transposed": ("transposed",), "db not summed": ("broadcast",), "db of one row": ("broadcast",),
        "db averaged": ("1/N too many",), "db forgotten": ("never reached",),
    }),
    Pass("affine_relu", affine_relu, affine_relu_backward, draw_affine_relu, {
        "mask left out": ("activation derivative",), "mask turned round": ("activation derivative",),
        "db not summed": ("broadcast",), "db before the mask": ("activation derivative",),
    }),
    Pass("affine_tanh", affine_tanh, affine_tanh_backward, draw_affine, {
        "derivative left out": ("activation derivative",), "derivative taken twice": ("activation derivative",),
        "derivative at the input": ("activation derivative",), "tanh for tanh squared": ("activation derivative",),
        "dw over N": ("1/N too many",), "db averaged": ("1/N too many",), "sign of dz": ("sign",),
    }),
    Pass("leaky_relu", leaky_relu, leaky_relu_backward, draw_elementwise, {
        # where(x > 0, x, 0.1 * x) uses x once for either sign: what one of the two uses sends back is as good a name
        "as relu": ("negative inputs", "overwritten"), "sign of the leak": ("negative inputs", "sign"),
        "leaks everywhere": ("positive inputs", "factor"),
    }),
    Pass("elu", elu, elu_backward, draw_elementwise, {
        "expm1 for exp": ("negative inputs",), "x in place of 1": ("positive inputs",),
    }),
    Pass("scale_and_shift", scale_and_shift, scale_and_shift_backward, draw_scale_and_shift, {
        "scale not summed": ("broadcast",), "shift of the last row": ("broadcast",), "swapped": ("swapped inputs",),
    }),
    Pass("mean_squared_error", mean_squared_error, mean_squared_error_backward, draw_two_alike, {
        "summed": ("missing 1/N",), "over N alone": ("missing 1/N",), "twice over N": ("1/N too many",),
        "2 left out": ("factor",), "from 1": ("grad_output ignored",), "both alike": ("sign",),
        "swapped": ("swapped inputs", "sign"),  # the two are the same here: one is minus the other
    }),
    Pass("sigmoid_bce", sigmoid_bce, sigmoid_bce_backward, draw_sigmoid_bce, {
        "sigmoid' once more": ("activation derivative",), "sigmoid' left out": ("activation derivative",),
        "sign": ("sign",), "not averaged": ("missing 1/N",), "averaged twice": ("1/N too many",),
    }),
    Pass("softmax", softmax, softmax_backward, draw_scores, {
        "diagonal only": ("cross terms",), "the sum a constant": ("constant",), "the top row only": ("part",),
    }),
    Pass("softmax_cross_entropy", softmax_cross_entropy, softmax_cross_entropy_backward, draw_labelled, {
        "the right class a constant": ("constant", "overwritten"),  # the scores are used twice: one use is left
        "the sum a constant": ("constant", "overwritten"),
        "not averaged": ("missing 1/N",), "averaged twice": ("1/N too many",), "sign": ("sign",),
        "from 1": ("grad_output ignored",), "averaged over the classes": ("factor",),
    }),
    Pass("negative_log_likelihood", negative_log_likelihood, negative_log_likelihood_backward, draw_probabilities, {
        "not averaged": ("missing 1/N",), "sign": ("sign",),
    }),
    Pass("penalised_loss", penalised_loss, penalised_loss_backward, draw_penalised, {
        "no penalty": ("penalty",), "twice the penalty": ("penalty",), "minus the penalty": ("penalty",),
        "not averaged": ("missing 1/N",),
    }),
    Pass("batch_norm", batch_norm, batch_norm_backward, draw_batch_norm, {
        "mean a constant": ("constant",), "variance a constant": ("constant",), "statistics constants": ("constant",),
        "dbeta averaged": ("1/N too many",), "dgamma not summed": ("broadcast",),
        "dgamma and dbeta swapped": ("swapped inputs",), "var over N - 1": (),
    }),
    Pass("layer_norm", layer_norm, layer_norm_backward, draw_layer_norm, {
        "mean a constant": ("constant",), "variance a constant": ("constant",), "dbeta not summed": ("broadcast",),
        "dgamma averaged": ("1/N too many",),
    }),
    Pass("conv2d", conv2d, conv2d_backward, draw_conv2d, {
        "= for +=": ("overwritten",), "kernel turned in dx": (), "dw turned": ("reversed",), "dx shifted": ("shifted",),
        "db not summed over the batch": ("broadcast",), "db averaged over the batch": ("1/N too many",),
        "the last row of windows": ("part",),
    }),
    Pass("max_pool", max_pool, max_pool_backward, draw_max_pool, {
        "= for +=": ("overwritten",), "the first image only": ("part",),
    }),
    Pass("attention", attention, attention_backward, draw_attention, {
        "softmax one by one": ("cross terms",), "scale left out": ("factor",), "x by v alone": ("overwritten",),
        "x without k": ("overwritten",), "wq and wk swapped": ("swapped inputs",),
        "wk never reached": ("never reached",), "no gradient through the scores": ("constant", "never reached"),
    }),
    Pass("lstm_cell", lstm_cell, lstm_cell_backward, draw_lstm_cell, {
        "tanh' of c left out": ("activation derivative",), "sigmoid' of f left out": ("activation derivative",),
        "tanh' of g left out": ("activation derivative",), "c by h alone": ("overwritten",),
        "the forget gate forgotten": ("constant", "part"), "db not summed": ("broadcast",),
        "db averaged": ("1/N too many",), "c never reached": ("never reached",),
        "h and c swapped": ("swapped inputs",),
    }),
    Pass("embedding", embedding, embedding_backward, draw_embedding, {
        "= for +=": ("overwritten",), "+= without add.at": ("overwritten",), "row 0 is padding": ("part",),
    }),
    Pass("shifted_product", shifted_product, shifted_product_backward, draw_rows, {"not rolled back": ("shifted",)}),
    Pass("reversed_product", reversed_product, reversed_product_backward, draw_rows, {
        "not turned back": ("reversed",),
    }),
    Pass("residual_block", residual_block, residual_block_backward, draw_residual_block, {
        "derivative left out": ("activation derivative",), "the branch alone": ("overwritten",),
        "the skip alone": ("overwritten",), "db averaged": ("1/N too many",),
    }),
]  # fmt: skip
