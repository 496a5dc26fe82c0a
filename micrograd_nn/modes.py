"""What surrounds a new node: the module at work, and whether operations are recorded and watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["Frame", "detect_anomaly", "enable_grad", "frame", "no_grad", "witnessed"]


class Frame:
    """What a new node must know of its surroundings, in one look-up: the module at work, the modes, who is told."""

    __slots__ = ("module", "owner", "plain", "tracking", "watching", "witness")

    def __init__(
        self, module: str = "", owner: Any = None, tracking: bool = True, watching: bool = False,
        witness: Callable[[Any], object] | None = None,
    ) -> None:  # fmt: skip
        self.module, self.owner, self.tracking, self.watching = module, owner, tracking, watching
        self.witness = witness
        self.plain = tracking and not watching and witness is None  # nothing but the node itself has to be made

    def but(self, **changes: Any) -> Frame:
        now = {slot: getattr(self, slot) for slot in self.__slots__ if slot != "plain"}
        return Frame(**(now | changes))

    def __reduce__(self) -> tuple[Any, ...]:
        return Frame, (self.module,)  # a node that travels takes its address along, not the mode of its birth


frame: ContextVar[Frame] = ContextVar("frame", default=Frame())  # noqa: B039 - a Frame is never changed


@contextmanager
def _mode(**changes: Any) -> Iterator[None]:
    token = frame.set(frame.get().but(**changes))
    try:
        yield
    finally:
        frame.reset(token)


def no_grad() -> Any:
    """Inside `with no_grad():` operations are computed and not recorded. Also a decorator.

    >>> import micrograd_nn as mg
    >>> with mg.no_grad():
    ...     y = mg.Value(2.0) * 3
    >>> y.requires_grad
    False
    """
    return _mode(tracking=False)


def enable_grad() -> Any:
    """Inside `with enable_grad():` operations are recorded, also within `no_grad()`."""
    return _mode(tracking=True)


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Inside `with detect_anomaly():` the first NaN or infinity raises `AnomalyError`, forward or backward.

    The error names the operation, its inputs and the module it happened in.

    >>> import micrograd_nn as mg
    >>> with mg.detect_anomaly():
    ...     mg.Value(1e308, name="x") * 10
    Traceback (most recent call last):
        ...
    micrograd_nn.graph.AnomalyError: `mul` gave inf in the forward pass from (x = 1e+308, 10.0).
    """
    from numpy import errstate  # NumPy's warning would come before the error, which says more

    with _mode(watching=True), errstate(all="ignore"):
        yield


def witnessed(witness: Callable[[Any], object]) -> Any:
    """Inside `with witnessed(f):` f is told of every node that an operation makes and the graph tracks.

    >>> import micrograd_nn as mg
    >>> seen = []
    >>> with witnessed(seen.append):
    ...     y = mg.Value(2.0) * 3 + 1
    >>> [node.op.name for node in seen]
    ['mul', 'add']
    """
    return _mode(witness=witness)
