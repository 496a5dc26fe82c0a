"""Derivatives of functions: `grad` and its kin, which nest to any order."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from micrograd_nn import functional as F
from micrograd_nn import ops
from micrograd_nn.graph import Node, gradients
from micrograd_nn.modes import enable_grad
from micrograd_nn.op import shape_of
from micrograd_nn.protocols import plain
from micrograd_nn.tensor import Tensor
from micrograd_nn.value import Value

__all__ = ["grad", "hessian", "jacobian", "value_and_grad"]

_inside: ContextVar[bool] = ContextVar("inside", default=False)  # while the function of an outer transform runs


def grad(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The derivative of `f`, a function with one number as its result, by its argument `argnum` (or several).

    Give it a float and it gives a float, an ndarray and it gives an ndarray of the same shape, a node and it gives a
    node that can be differentiated again. A tracked node that `f` reaches in another way, such as the weights of a
    model, counts as a constant of the result; `gradients(..., create_graph=True)` keeps both.

    >>> f = lambda x: x**3
    >>> grad(f)(2.0), grad(grad(f))(2.0), grad(grad(grad(f)))(2.0)
    (12.0, 12.0, 6.0)
    """
    both = value_and_grad(f, argnum)

    def derivative(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return derivative


def value_and_grad(f: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., tuple[Any, Any]]:
    """A function that gives the value of `f` and its `grad`, for the work of one.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        nested, leaves, out = _trace(f, argnum, args, kwargs)
        if np.prod(shape_of(out)) != 1:
            raise ValueError(
                f"grad is for a function with one number as its result, and this one gave shape {shape_of(out)}: use "
                "jacobian, or reduce it with .sum() or a loss."
            )
        slopes = _slopes(out, leaves, nested)
        return _result(out, nested), tuple(slopes) if isinstance(argnum, tuple) else slopes[0]

    return both


def jacobian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """Every derivative of every result: shape (*shape of the result, *shape of the argument).

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        if isinstance(argnum, tuple):
            raise TypeError("jacobian and hessian take one argnum: call them once for each argument.")
        nested, (x,), out = _trace(f, argnum, args, kwargs)
        shape = shape_of(out)
        if not shape:
            return _slopes(out, [x], nested)[0]
        rows = []
        for i in range(int(np.prod(shape))):
            seed = np.zeros(shape, out.dtype)
            seed.flat[i] = 1
            rows += _slopes(out, [x], nested, seed)
        inner = shape_of(x)
        return F.reshape(F.stack(rows), (*shape, *inner)) if rows else np.zeros((*shape, *inner))

    return derivative


def hessian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """All second derivatives of `f`: shape (*shape of the argument, *shape of the argument).

    >>> hessian(lambda x: x[0] * x[1])(np.array([3.0, 5.0]))
    array([[0., 1.],
           [1., 0.]])
    """
    return jacobian(grad(f, argnum), argnum)


def _trace(f: Any, argnum: Any, args: Any, kwargs: Any) -> tuple[bool, list[Node], Any]:
    """Run `f` with fresh nodes in the places of `argnum`: whether the result stays in a graph, those nodes, the result.

    Fresh even for a node: a function that also reaches it by another way must not count that way too.
    """
    places = argnum if isinstance(argnum, tuple) else (argnum,)
    if any(not -len(args) <= i < len(args) for i in places):
        raise TypeError(f"argnum={argnum} needs that many positional arguments, and {len(args)} were given.")
    nested = _inside.get() or any(isinstance(x, Node) and x.stamp > 0 for x in (*args, *kwargs.values()))
    filled = list(args)
    for i in places:
        filled[i] = _fresh(args[i])
    token = _inside.set(True)
    try:
        with enable_grad():
            out = f(*filled, **kwargs)
    finally:
        _inside.reset(token)
    if isinstance(out, (list, tuple)):
        out = F.stack(out)
    return nested, [filled[i] for i in places], out


def _fresh(x: Any) -> Node:
    """A node for one call alone, with the value of `x`: connected to it when `x` is tracked."""
    if isinstance(x, Node) and x.stamp > 0:
        node: Node = ops.identity(x)
        return node
    if isinstance(x, Value) or not (isinstance(x, (Node, np.ndarray)) or np.ndim(x)):
        return Value(plain(x))
    return Tensor(plain(x), requires_grad=True)


def _slopes(out: Any, leaves: list[Node], nested: bool, seed: Any = None) -> list[Any]:
    """The gradient of `out` at each of `leaves`; zeros where it does not depend on them."""
    with enable_grad():
        found = gradients(out, seed, create_graph=nested) if isinstance(out, Node) and out.stamp > 0 else {}
    zeros = (0.0 if isinstance(x, Value) else np.zeros_like(x.data) for x in leaves)
    return [_result(found.get(x, zero), nested) for x, zero in zip(leaves, zeros, strict=True)]


def _result(x: Any, nested: bool) -> Any:
    """Nodes inside another transform, plain numbers outside."""
    if nested or not isinstance(x, Node):
        return x
    return x.data
