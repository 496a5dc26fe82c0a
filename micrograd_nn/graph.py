"""Nodes, the order they are visited in, and the backward sweep: a graph that knows nothing about numbers.

A node keeps what it was made from: the operation (`op`), its inputs in order, its value (`data`) and, after a
backward sweep, its gradient (`grad`). An input is another node, or a plain number or array: a constant costs
nothing until somebody looks at `parents`, which turns it into a node of its own.

Order needs no search. A result lies one level above the highest of its inputs (`depth`), so a sweep that goes
down level by level meets every consumer of a node before the node itself. A loop would need an input that does
not lie below its consumer; that is checked on every edge, and then the loop is looked for and named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, RLock
from typing import Any, ClassVar

__all__ = [
    "AnomalyError", "CycleError", "Node", "detect_anomaly", "formulas", "gradients", "local_derivatives",
    "no_grad", "topological_order",
]  # fmt: skip


class CycleError(ValueError):
    """A loop where only an acyclic graph makes sense. `.loop` lists it in the direction the data flows."""

    def __init__(self, loop: list[Any], message: str | None = None) -> None:
        self.loop = loop
        shown = loop if len(loop) <= 24 else [*loop[:12], f"... ({len(loop) - 24:,} more) ...", *loop[-12:]]
        names = " -> ".join(n.label if isinstance(n, Node) else str(n) for n in shown)
        super().__init__(message or f"this graph has a loop: {names}. A value cannot depend on itself.")


class AnomalyError(ArithmeticError):
    """The first NaN or infinity, named by `detect_anomaly`."""


class Frame:
    """What a new node must know of its surroundings, in one look-up: the module at work, and the two modes."""

    __slots__ = ("module", "owner", "plain", "tracking", "watching")

    def __init__(self, module: str = "", owner: Any = None, tracking: bool = True, watching: bool = False) -> None:
        self.module, self.owner, self.tracking, self.watching = module, owner, tracking, watching
        self.plain = tracking and not watching

    def but(self, **changes: Any) -> Frame:
        now = {"module": self.module, "owner": self.owner, "tracking": self.tracking, "watching": self.watching}
        return Frame(**(now | changes))

    def __reduce__(self) -> tuple[Any, ...]:
        return Frame, (self.module,)  # a node that travels takes its address along, not the mode of its birth


frame: ContextVar[Frame] = ContextVar("frame", default=Frame())  # noqa: B039 - a Frame is never changed
kinds: dict[type, type[Node]] = {}  # float -> the kind that holds a number, object -> the kind that holds arrays
_sweeping = RLock()  # gradients gather in the nodes themselves, so sweeps take turns


class _Writes:
    """How many times a leaf has been given a new value, anywhere."""

    count = 0
    _turn = Lock()

    def another(self) -> int:
        with self._turn:  # a count lost between threads would hide a change
            self.count += 1
            return self.count


writes = _Writes()


def same(g: Any, *_: Any, **__: Any) -> Any:
    """The rule of an operation that passes its gradient on unchanged."""
    return g


class Node:
    """One value in a graph. `Value` and `Tensor` are the two kinds."""

    __slots__ = (  # noqa: RUF023 - what it is, how it was made, what a sweep needs
        "_data", "grad", "op", "a", "b", "rest", "params", "name", "frame", "born", "depth", "next", "__weakref__",
    )  # fmt: skip
    kind: ClassVar[str]
    _data: Any
    grad: Any
    op: Any  # None for a leaf
    a: Any  # the first input, the second, and a tuple of the others
    b: Any
    rest: tuple[Any, ...]
    params: dict[str, Any] | None  # None for an op of one or two inputs and nothing else: the hot path
    name: str | None
    frame: Frame
    born: int  # the count of writes when this node was made; for a leaf, when it was last written
    depth: int  # -1: not tracked; 0: a leaf; else one more than the deepest input
    next: Any  # the next node waiting on the same level, while a sweep is under way

    def __init__(self, data: Any, name: str | None = None, tracked: bool = True) -> None:
        self._data, self.name = data, name
        self.grad = self.op = self.a = self.b = self.params = self.next = None
        self.rest, self.frame, self.born, self.depth = (), frame.get(), 0, 0 if tracked else -1

    @property
    def data(self) -> Any:
        """The value itself. It can be assigned on a leaf; a computed value follows from its inputs."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        if self.op is not None:
            raise AttributeError(
                f"{self.label} was computed by `{self.op.name}`: a new value here would not follow from its inputs, "
                "and gradients through it would be wrong. Assign to a leaf, or start a new node from the new value."
            )
        self._data = self._take(value)
        self.born = writes.another()

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the op was given, in order: nodes, and plain numbers or arrays for constants."""
        if self.op is None:
            return ()
        return (self.a, *self.rest) if self.b is None else (self.a, self.b, *self.rest)

    @property
    def parents(self) -> tuple[Node, ...]:
        """The nodes this one was made from, in order; constants appear as nodes that are not tracked."""
        inputs = self.inputs
        if all(isinstance(x, Node) for x in inputs):
            return inputs
        self.a, *others = (x if isinstance(x, Node) else constant(x) for x in inputs)
        self.b, self.rest = (others[0], tuple(others[1:])) if others else (None, ())
        return self.inputs

    @property
    def requires_grad(self) -> bool:
        """Whether the graph tracks this node."""
        return self.depth >= 0

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.op is not None:
            raise AttributeError(f"{self.label} was computed: only a leaf can be told to require a gradient or not.")
        self.depth = 0 if wanted else -1

    @property
    def module(self) -> str:
        """The path of the module that made this node, such as `layers[1].neurons[3]`; empty outside modules."""
        return self.frame.module

    @property
    def label(self) -> str:
        """What messages and pictures call this node: its name, or its op, or its value."""
        if self.name:
            return self.name
        return str(self.op.name) if self.op is not None else self._brief()

    def backward(self, gradient: Any = None) -> None:
        """Give every node of the graph its gradient of this one.

        Leaves add up over calls (see `zero_grad`); every other node holds the gradient of the latest sweep alone.
        `gradient` is the gradient to start from: 1 for a single number.
        """
        sweep(self, self._seed(gradient))

    # What a kind of node must answer: see value.py and tensor.py.
    @staticmethod
    def _take(value: Any) -> Any:
        """`value` as this kind holds it; refuses what cannot be held."""
        raise NotImplementedError

    def _seal(self) -> None:
        """Keep a computed value from being overwritten, where it could be."""

    def _brief(self) -> str:
        raise NotImplementedError

    def _seed(self, gradient: Any) -> Any:
        raise NotImplementedError

    def _fit(self, share: Any, g: Any) -> Any:
        """A share of its consumer's gradient `g`, in the form of this node's own value: undoes broadcasting."""
        raise NotImplementedError

    def _settle(self, gradient: Any, own: bool = False) -> Any:
        """A finished gradient; with `own`, one that shares no memory with another node's."""
        raise NotImplementedError

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # Recursion over a deep graph would overflow, so a computed node travels as the flat list of its ancestors.
        if self.op is None:
            return _rebuild_leaf, (type(self), self._data, self.name, self.grad, self.depth, self.frame)
        order = topological_order(self)
        place = {node: i for i, node in enumerate(order)}
        rows = [
            n if n.op is None else
            (type(n), n._data, n.name, n.grad, n.frame, n.op, n.params, [place[p] for p in n.parents])
            for n in order
        ]  # fmt: skip
        return _rebuild, (rows,)

    def __copy__(self) -> Node:
        twin: Node = object.__new__(type(self))
        for slot in Node.__slots__:
            if slot != "__weakref__":
                setattr(twin, slot, getattr(self, slot))
        return twin

    __hash__ = object.__hash__


def _rebuild_leaf(kind: type[Node], data: Any, name: Any, grad: Any, depth: int, where: Frame) -> Node:
    node: Node = object.__new__(kind)
    Node.__init__(node, data, name, depth >= 0)
    node.grad, node.frame = grad, where
    return node


def _rebuild(rows: list[Any]) -> Node:
    nodes: list[Node] = []
    for row in rows:
        if isinstance(row, Node):
            nodes.append(row)
            continue
        kind, data, name, grad, where, op, params, places = row
        node = make(kind, op, data, tuple(nodes[i] for i in places), params, where)
        node.name, node.grad = name, grad
        node._seal()
        nodes.append(node)
    return nodes[-1]


def constant(x: Any) -> Node:
    """A plain number or array as a node that nothing is tracked through."""
    kind = kinds[float] if isinstance(x, (int, float)) else kinds[object]
    return _rebuild_leaf(kind, kind._take(x), None, None, -1, frame.get())


def make(
    kind: type[Node], op: Any, data: Any, inputs: tuple[Any, ...], params: dict[str, Any] | None, where: Frame
) -> Node:
    """The node for a value just computed; a leaf when nothing that went in is tracked."""
    depth = 0
    if where.tracking:
        for x in inputs:
            if isinstance(x, Node) and x.depth >= depth:
                depth = x.depth + 1
    node: Node = object.__new__(kind)
    node._data, node.frame = data, where
    node.grad = node.b = node.params = node.name = node.next = None
    node.rest = ()
    if depth:
        node.op, node.depth, node.a, node.born = op, depth, inputs[0], writes.count
        if len(inputs) > 1:
            node.b = inputs[1]
        if params or len(inputs) > 2:
            node.params, node.rest = params or {}, inputs[2:]
    else:
        node.op, node.depth, node.a, node.born = None, -1, None, 0
    if where.watching and not op.finite(data):
        shown = ", ".join(x.label + " = " + x._brief() if isinstance(x, Node) else str(x) for x in inputs)
        raise AnomalyError(f"`{op.name}`{_at(where)} gave {op.flaw(data)} in the forward pass from ({shown}).")
    return node


def _at(where: Frame) -> str:
    return f" in {where.module}" if where.module else ""


def topological_order(root: Node | Iterable[Node]) -> list[Node]:
    """Every node that `root` (or any of several) depends on, each after all its parents, the root last.

    The walk keeps its own stack, so depth is no limit. Raises `CycleError` naming the loop where there is one.

    >>> import micrograd_nn as mg
    >>> a = mg.Value(1.0, name="a")
    >>> [n.label for n in mg.topological_order(a + a)]
    ['a', 'add']
    """
    order: list[Node] = []
    on_path: dict[Node, bool] = {}  # True while a node's ancestors are being walked, False once it has its place
    stack = [root] if isinstance(root, Node) else list(root)[::-1]
    while stack:
        node = stack[-1]
        if node in on_path:
            stack.pop()
            if on_path[node]:
                on_path[node] = False
                order.append(node)
            continue
        on_path[node] = True
        for parent in reversed(node.parents):
            if parent not in on_path:
                stack.append(parent)
            elif on_path[parent]:
                path = [n for n, walking in on_path.items() if walking]
                start = next(i for i, n in enumerate(path) if n is parent)
                raise CycleError([parent, *path[:start:-1], parent])
    return order


def sweep(root: Node, seed: Any, record: bool = False, keep: dict[Node, Any] | None = None) -> None:
    """Carry `seed` from `root` back to the leaves, level by level.

    The rules are fed plain values, or with `record` the nodes themselves, so that the gradients are graphs in
    their turn. With `keep`, gradients go into that dict and the nodes are left as they were.
    """
    if root.depth < 0:
        raise ValueError(
            f"nothing that {root.label} was made from requires a gradient. Use Value, or "
            "Tensor(..., requires_grad=True), for what you want the gradient of, and compute outside no_grad()."
        )
    watching = frame.get().watching
    now = -1 if record or watching else writes.count  # -1 sends every node the careful way
    lowest = 1 if keep is None else root.depth + 1  # where nodes begin whose .grad may be replaced at once
    with _sweeping:
        levels: list[Any] = [_END] * (root.depth + 1)
        before: list[tuple[Node, Any]] = []  # nodes whose .grad must outlive the sweep, with what it was

        def arrive(node: Node, share: Any, depth: int) -> None:
            if node.next is not None:
                node.grad = node.grad + share
                return
            if node.depth >= depth:
                _refuse_loop(root)
            if not node.depth or keep is not None:
                before.append((node, node.grad))
            node.grad, node.next, levels[node.depth] = share, levels[node.depth], node

        arrive(root, seed, root.depth + 1)
        try:
            for depth in range(root.depth, 0, -1):
                node = levels[depth]
                while node is not _END:
                    levels[depth] = following = node.next
                    node.next = None  # its gradient is complete
                    g = node.grad
                    if g.__class__ is not float:
                        g = node.grad = node._settle(g)
                    if node.params is not None or node.born != now:
                        for parent, share in _shares(node, g, record, watching):
                            arrive(parent, share, depth)
                        node = following
                        continue
                    # The same for an op of one or two inputs, spelled out: nine tenths of a scalar step are here.
                    op = node.op
                    out = node._data
                    a = node.a
                    b = node.b
                    if b is None:
                        share = op.rule_a(g, out, a._data)
                    else:
                        x = a._data if isinstance(a, Node) else a
                        y = b._data if isinstance(b, Node) else b
                        if y is not b and b.depth >= 0:
                            rule = op.rule_b
                            share = g if rule is same else rule(g, out, x, y)
                            if share.__class__ is not float:
                                share = b._fit(share, g)
                            if b.next is not None:
                                b.grad = b.grad + share
                            elif lowest <= b.depth < depth:
                                b.grad = share
                                b.next = levels[b.depth]
                                levels[b.depth] = b
                            else:
                                arrive(b, share, depth)
                        if x is a or a.depth < 0:
                            node = following
                            continue
                        rule = op.rule_a
                        share = g if rule is same else rule(g, out, x, y)
                    if share.__class__ is not float:
                        share = a._fit(share, g)
                    if a.next is not None:
                        a.grad = a.grad + share
                    elif lowest <= a.depth < depth:
                        a.grad = share
                        a.next = levels[a.depth]
                        levels[a.depth] = a
                    else:
                        arrive(a, share, depth)
                    node = following
        except BaseException:
            for node in levels:
                while node is not _END:
                    node.next, node = None, node.next
            for node, grad in before:
                node.grad = grad
            raise
        for node, grad in before:
            node.next = None
            found = node._settle(node.grad, own=True)
            if keep is not None:
                keep[node], node.grad = found, grad
            else:
                node.grad = found if grad is None else grad + found


_END: Any = object()  # closes the list of nodes that wait on a level


def _shares(node: Node, g: Any, record: bool, watching: bool) -> Iterator[tuple[Node, Any]]:
    """What each tracked input of `node` gets of its gradient `g`: the general way, with every check."""
    inputs = node.inputs
    out = node if record else node._data
    values = inputs if record else [x._data if isinstance(x, Node) else x for x in inputs]
    params = node.params or {}
    for x in inputs:
        if isinstance(x, Node) and x.op is None and x.born > node.born:
            raise RuntimeError(
                f"{x.label} was given a new value after `{node.op.name}`{_at(node.frame)} had used it, so gradients "
                "through it would be wrong. Compute the result again after the change, or call backward() before it."
            )
    for i, x in enumerate(inputs):
        if not isinstance(x, Node) or x.depth < 0:
            continue
        share = x._fit(node.op.share(i, g, out, values, params), g)
        if watching and not node.op.finite(share):
            raise AnomalyError(
                f"`{node.op.name}`{_at(node.frame)} gave {node.op.flaw(share)} in the backward pass, as the gradient "
                f"of its input {x.label} = {x._brief()}; its own gradient was {node.op.brief(g)}, its value "
                f"{node._brief()}."
            )
        yield x, share


def _refuse_loop(root: Node) -> None:
    topological_order(root)  # names the loop
    raise RuntimeError("the inputs of a node were rewired by hand: its level no longer lies above theirs.")


def gradients(root: Node, gradient: Any = None, create_graph: bool = False) -> dict[Node, Any]:
    """The gradient of `root` with respect to every tracked node of its graph, leaving every `.grad` as it is.

    With `create_graph` the gradients are nodes, and can be differentiated again.

    >>> import micrograd_nn as mg
    >>> x = mg.Value(3.0)
    >>> mg.gradients(x * x)[x], x.grad
    (6.0, None)
    """
    found: dict[Node, Any] = {}
    recorded = create_graph and isinstance(gradient, Node)
    seed = root._seed(gradient._data if recorded else gradient)
    if create_graph:
        seed = gradient if recorded else constant(seed)
    sweep(root, seed, create_graph, found)
    return found


def local_derivatives(node: Node) -> tuple[float | None, ...]:
    """How much a number grows with each input, as a float; None for inputs that are constants, or for arrays."""
    if not isinstance(node._data, float):
        return tuple(None for _ in node.inputs)
    values = [x._data if isinstance(x, Node) else x for x in node.inputs]
    out: list[float | None] = []
    for i, x in enumerate(node.inputs):
        if isinstance(x, Node) and x.depth >= 0 and isinstance(x._data, float):
            out.append(x._fit(node.op.share(i, 1.0, node._data, values, node.params or {}), None))
        else:
            out.append(None)
    return tuple(out)


def formulas(node: Node) -> tuple[str, ...]:
    """The chain rule at a node as text, one formula an input, out of the very rules that compute it."""
    return node.op.formulas(node.parents, node, node.params or {}) if node.op is not None else ()


@contextmanager
def _mode(**changes: bool) -> Iterator[None]:
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


Rule = Callable[..., Any]
