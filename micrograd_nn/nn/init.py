"""Ways to draw the first weights: PyTorch's names and formulas, on a leaf Tensor, with `rng=` for the randomness.

A weight has shape (out, in). Axes in front of these two count matrices that are drawn alike but each on its own, as
the pieces of a Maxout (k, out, in); a single axis is one unit's row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd_nn.tensor import Tensor

__all__ = [
    "calculate_gain", "constant_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "orthogonal_",
    "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

if TYPE_CHECKING:  # NumPy loads its random module at first use
    Rng = np.random.Generator | int | None
Init = str | Callable[..., Any] | None

RECTIFIED = ("relu", "leaky_relu", "prelu", "elu", "gelu", "silu", "softplus")


def _leaf(tensor: Any) -> Tensor:
    if not isinstance(tensor, Tensor) or tensor.op is not None:
        what = "was computed" if isinstance(tensor, Tensor) else f"is a {type(tensor).__name__}"
        raise TypeError(f"an initialiser fills a leaf Tensor, such as layer.weight, and this {what}.")
    return tensor


def _fans(tensor: Tensor) -> tuple[int, int]:
    """How many inputs a unit has, and how many units an input goes to."""
    if not tensor.ndim:
        raise ValueError("fan in and fan out are numbers of inputs and units: the Tensor needs axes (out, in).")
    return max(1, tensor.shape[-1]), tensor.shape[-2] if tensor.ndim > 1 else 1


def _squared_gain(nonlinearity: str, param: float | None = None) -> float:
    known = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": (5 / 3) ** 2, "relu": 2.0, "selu": (3 / 4) ** 2}
    if nonlinearity == "leaky_relu":
        return 2.0 / (1 + (0.01 if param is None else param) ** 2)
    if nonlinearity not in known:
        raise ValueError(f"no gain is known for {nonlinearity!r}: there are {', '.join([*known, 'leaky_relu'])}.")
    return known[nonlinearity]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights must be larger than for a linear unit, to keep the size of a signal through this one.

    `param` is the slope of "leaky_relu" (0.01 by default). The values are PyTorch's: 1 for "linear" and "sigmoid",
    5/3 for "tanh", sqrt(2) for "relu", 3/4 for "selu". Raises ValueError for any other name.

    >>> calculate_gain("relu") == math.sqrt(2)
    True
    """
    return math.sqrt(_squared_gain(nonlinearity, param))


# --- constants -----------------------------------------------------------------------------------------------------


def constant_(tensor: Any, val: float, rng: Rng = None) -> Any:
    """Every entry `val`. Nothing is drawn: `rng` is there because every initialiser has it."""
    _leaf(tensor).data = np.full(tensor.shape, val, float)
    return tensor


def zeros_(tensor: Any, rng: Rng = None) -> Any:
    """Every entry 0."""
    return constant_(tensor, 0.0)


def ones_(tensor: Any, rng: Rng = None) -> Any:
    """Every entry 1."""
    return constant_(tensor, 1.0)


def eye_(tensor: Any, rng: Rng = None) -> Any:
    """The identity matrix (out, in): ones on the diagonal, zeros elsewhere."""
    if _leaf(tensor).ndim < 2:
        raise ValueError(f"eye_ makes a matrix (out, in), and this Tensor has shape {tensor.shape}.")
    tensor.data = np.broadcast_to(np.eye(*tensor.shape[-2:]), tensor.shape)
    return tensor


# --- distributions -------------------------------------------------------------------------------------------------


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, rng: Rng = None) -> Any:
    """Evenly spread between `a` and `b`: variance (b - a)² / 12.

    >>> w = uniform_(Tensor(np.zeros((2, 3))), -0.1, 0.1, rng=0)
    >>> bool((abs(w) <= 0.1).all())
    True
    """
    if not a <= b:
        raise ValueError(f"uniform_ draws between a and b, and a = {a} is not below b = {b}.")
    _leaf(tensor).data = np.random.default_rng(rng).uniform(a, b, tensor.shape)
    return tensor


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, rng: Rng = None) -> Any:
    """From the bell curve of this mean and standard deviation."""
    _leaf(tensor).data = np.random.default_rng(rng).normal(mean, std, tensor.shape)
    return tensor


def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, rng: Rng = None
) -> Any:
    """From the bell curve between `a` and `b`: what falls outside is drawn again. The bounds are values, not multiples
    of `std`. Raises ValueError where less than 1 % of the curve lies between them."""
    _leaf(tensor)
    if not std > 0:
        raise ValueError(f"std is the standard deviation of the curve, a number above 0, not {std!r}.")
    share = (math.erf((b - mean) / (std * math.sqrt(2))) - math.erf((a - mean) / (std * math.sqrt(2)))) / 2
    if not share >= 0.01:
        raise ValueError(f"only {share:.2%} of a normal({mean}, {std}) lies between {a} and {b}: widen the bounds.")
    generator = np.random.default_rng(rng)
    drawn = generator.normal(mean, std, tensor.shape)
    while (outside := (drawn < a) | (drawn > b)).any():
        drawn[outside] = generator.normal(mean, std, np.count_nonzero(outside))
    tensor.data = drawn
    return tensor


# --- fitted to the number of inputs and units ----------------------------------------------------------------------


def xavier_uniform_(tensor: Any, gain: float = 1.0, rng: Rng = None) -> Any:
    """Uniform with variance gain² · 2 / (fan_in + fan_out), a middle way between keeping the size of the signal going
    forward and of the gradient coming back (Glorot & Bengio 2010)."""
    bound = gain * math.sqrt(6.0 / sum(_fans(_leaf(tensor))))
    return uniform_(tensor, -bound, bound, rng)


def xavier_normal_(tensor: Any, gain: float = 1.0, rng: Rng = None) -> Any:
    """As `xavier_uniform_`, from the bell curve."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(_leaf(tensor)))), rng)


def _kaiming(tensor: Any, a: float, mode: str, nonlinearity: str, factor: float = 1.0) -> float:
    """The square root of factor · gain² / fan."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}.")
    return math.sqrt(factor * _squared_gain(nonlinearity, a) / _fans(_leaf(tensor))[mode == "fan_out"])


def kaiming_uniform_(
    tensor: Any, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Rng = None
) -> Any:
    """Uniform with variance gain² / fan, which keeps the size of a signal through rectifiers (He et al. 2015).

    `a` is the slope of "leaky_relu" (0: ReLU). `mode` "fan_in" keeps the size going forward, "fan_out" coming back.
    """
    bound = _kaiming(tensor, a, mode, nonlinearity, 3.0)
    return uniform_(tensor, -bound, bound, rng)


def kaiming_normal_(
    tensor: Any, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Rng = None
) -> Any:
    """As `kaiming_uniform_`, from the bell curve."""
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity), rng)


def orthogonal_(tensor: Any, gain: float = 1.0, rng: Rng = None) -> Any:
    """Rows (or columns, where these are fewer) at right angles and of length `gain` (Saxe et al. 2014).

    >>> w = orthogonal_(Tensor(np.zeros((2, 3))), rng=0)
    >>> np.allclose(w @ w.T, np.eye(2))
    True
    """
    if _leaf(tensor).ndim < 2:
        raise ValueError(f"orthogonal_ makes a matrix (out, in), and this Tensor has shape {tensor.shape}.")
    *lead, rows, cols = tensor.shape
    drawn = np.random.default_rng(rng).normal(size=(*lead, max(rows, cols), min(rows, cols)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]  # else not evenly spread over all rotations
    tensor.data = gain * (np.swapaxes(q, -1, -2) if rows < cols else q)
    return tensor


# --- by name, or by the activation ---------------------------------------------------------------------------------

NAMED = {f.__name__.rstrip("_"): f for f in (
    eye_, kaiming_normal_, kaiming_uniform_, normal_, ones_, orthogonal_, trunc_normal_, uniform_, xavier_normal_,
    xavier_uniform_, zeros_,
)}  # fmt: skip


def initialise(tensor: Tensor, init: Init, activation: str, rng: Any, scale: float = 1.0) -> None:
    """Fill the weights of a layer by a name, by a function of tensor and rng, or, given None, by its activation:
    kaiming_uniform_ for ReLU and its kin, xavier_uniform_ for tanh and sigmoid, else kaiming_uniform_ of a linear unit.
    """
    if isinstance(init, str):
        init = _named(init)
    if callable(init):
        import inspect

        by_name = "rng" in inspect.signature(init).parameters
        made = init(tensor, rng=rng) if by_name else init(tensor, rng)
        if made is not None and made is not tensor:
            tensor.data = made
    elif init is not None:
        raise TypeError(f"init is a name, such as 'xavier_normal', or a function of (tensor, rng), not {init!r}.")
    elif activation in ("tanh", "sigmoid"):
        xavier_uniform_(tensor, rng=rng)
    else:
        kaiming_uniform_(tensor, nonlinearity="relu" if activation in RECTIFIED else "linear", rng=rng)
    if isinstance(scale, bool) or not isinstance(scale, (int, float, np.number)) or not math.isfinite(scale):
        raise ValueError(f"scale is the number the weights are multiplied by, not {scale!r}.")
    if scale != 1:
        tensor.data = tensor.data * scale


def _named(name: str) -> Callable[..., Any]:
    if name.rstrip("_") in NAMED:
        return NAMED[name.rstrip("_")]
    import difflib

    near = difflib.get_close_matches(name, NAMED, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"no initialiser is named {name!r}.{hint} There are {', '.join(NAMED)}; a function of (tensor, rng) will do "
        "too: lambda w, rng: nn.init.constant_(w, 0.5)."
    )
