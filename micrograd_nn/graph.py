"""Nodes, the order they are visited in, and the backward sweep: a graph that knows nothing about numbers.

A node keeps what it was made from: the operation (`op`), its inputs in order, its value (`data`) and, after a
backward sweep, its gradient (`grad`). An input is another node, or a plain number or array: a constant costs
nothing until somebody looks at `parents`, which turns it into a node of its own.

Order needs no search. Every node carries the number of its birth (`stamp`), and a result is younger than its inputs:
a sweep from young to old meets every consumer of a node before the node itself, and goes through memory in order.
An input that is not older than its consumer means a loop, or a leaf that was given a new value since; that is
checked on every edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from threading import RLock
from typing import Any, ClassVar, Generic, TypeVar

from micrograd_nn.modes import Frame, detect_anomaly, enable_grad, frame, no_grad

__all__ = [
    "AnomalyError", "CycleError", "Node", "detect_anomaly", "enable_grad", "formulas", "gradients", "local_derivatives",
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


kinds: dict[type, type[Node]] = {}  # float -> the kind that holds a number, object -> the kind that holds arrays
_sweeping = RLock()  # gradients gather in the nodes themselves, so sweeps take turns
stamps = count(2)  # one for every node made and every new value of a leaf; next() gives no number twice


def same(g: Any, *_: Any, **__: Any) -> Any:
    """The rule of an operation that passes its gradient on unchanged."""
    return g


_T = TypeVar("_T")


class _Rare(Generic[_T]):
    """A slot that is left empty, which costs nothing, until it is set; empty, it reads as None."""

    def __init__(self, slot: str) -> None:
        self.slot = slot

    def __get__(self, node: Any, kind: type | None = None) -> _T:
        return getattr(node, self.slot, None)  # type: ignore[return-value]

    def __set__(self, node: Any, value: _T) -> None:
        setattr(node, self.slot, value)


MANY: Any = ("more than two inputs, or parameters",)


class Node:
    """One value in a graph. `Value` and `Tensor` are the two kinds."""

    __slots__ = (  # noqa: RUF023
        "_data", "_grad", "op", "a", "b", "_name", "frame", "stamp", "__weakref__",
    )  # fmt: skip
    kind: ClassVar[str]
    _data: Any
    _grad: Any
    op: Any  # None for a leaf
    a: Any  # the first input,
    b: Any  # and the second or None; where there are more, or parameters: (inputs, params), and MANY
    grad = _Rare[Any]("_grad")
    name = _Rare[str | None]("_name")
    frame: Frame
    stamp: int  # when this node was made, or a leaf last given a value; negative when it is not tracked

    def __init__(self, data: Any, name: str | None = None, tracked: bool = True) -> None:
        self._data = data
        if name is not None:
            self.name = name
        self.op = self.a = self.b = None
        self.frame, self.stamp = frame.get(), next(stamps) if tracked else -next(stamps)

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
        self.written()

    def written(self) -> None:
        """Tell the graph that this leaf has a new value: results computed from the old one have no gradient."""
        self.stamp = next(stamps) if self.stamp > 0 else -next(stamps)

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the op was given, in order: nodes, and plain numbers or arrays for constants."""
        if self.op is None:
            return ()
        if self.b is MANY:
            return self.a[0]  # type: ignore[no-any-return]
        return (self.a,) if self.b is None else (self.a, self.b)

    @property
    def params(self) -> dict[str, Any]:
        """What the op was given by keyword."""
        return self.a[1] if self.b is MANY else {}

    @property
    def parents(self) -> tuple[Node, ...]:
        """The nodes this one was made from, in order; constants appear as nodes that are not tracked."""
        inputs = self.inputs
        if all(isinstance(x, Node) for x in inputs):
            return inputs
        self.a, self.b = (tuple(x if isinstance(x, Node) else self._constant(x) for x in inputs), self.params), MANY
        return self.inputs

    @parents.setter
    def parents(self, _: Any) -> None:
        raise AttributeError(
            f"the parents of {self.label} are fixed when it is made, so that arithmetic cannot make a loop: compute a "
            "new node from the parents you want, as in `new = a + b`, and go on with that."
        )

    def _constant(self, x: Any) -> Node:
        """A plain number or array as a node that nothing is tracked through, as old as such a thing must be."""
        node = constant(x)
        node.stamp, node.frame = -1, self.frame
        return node

    @property
    def requires_grad(self) -> bool:
        """Whether the graph tracks this node."""
        return self.stamp > 0

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self.op is not None:
            raise AttributeError(f"{self.label} was computed: only a leaf can be told to require a gradient or not.")
        if self.stamp == -1:
            raise AttributeError(f"{self.label} is a constant of a graph: make it a Value or Tensor before computing.")
        self.stamp = abs(self.stamp) if wanted else -abs(self.stamp)

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

    def _check_inputs(self) -> None:
        """Raise where a leaf was given a new value since: a copy, being new, could no longer show it."""
        for x in self.inputs:
            if isinstance(x, Node) and x.op is None and abs(x.stamp) > self.stamp:
                _refuse(self, x, self)

    @staticmethod
    def _take_own(data: Any) -> Any:
        """Data that nobody else can change."""
        return data

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
            return _rebuild_leaf, (type(self), self._data, self.name, self.grad, self.stamp > 0, self.frame)
        order = topological_order(self)
        for n in order:
            n._check_inputs()
        place = {node: i for i, node in enumerate(order)}
        rows = [
            n if n.op is None else
            (type(n), n._data, n.name, n.grad, n.frame, n.op, n.params, [place[p] for p in n.parents])
            for n in order
        ]  # fmt: skip
        return _rebuild, (rows,)

    def __copy__(self) -> Node:
        self._check_inputs()
        twin: Node = object.__new__(type(self))
        for slot in ("_data", "grad", "op", "a", "b", "name", "frame"):
            setattr(twin, slot, getattr(self, slot))
        if self.op is None:
            twin._data = self._take_own(self._data)
        twin.stamp = next(stamps) if self.stamp > 0 else -next(stamps)
        return twin

    __hash__ = object.__hash__


def _rebuild_leaf(kind: type[Node], data: Any, name: Any, grad: Any, tracked: bool, where: Frame) -> Node:
    node: Node = object.__new__(kind)
    Node.__init__(node, data, name, tracked)
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
    return _rebuild_leaf(kind, kind._take(x), None, None, False, frame.get())


def make(
    kind: type[Node], op: Any, data: Any, inputs: tuple[Any, ...], params: dict[str, Any] | None, where: Frame
) -> Node:
    """The node for a value just computed; a leaf when nothing that went in is tracked."""
    tracked, simple = False, not params and len(inputs) <= 2
    if where.tracking:
        for x in inputs:
            if isinstance(x, Node):
                if x.stamp > 0:
                    tracked = True
                else:
                    simple = False
    node: Node = object.__new__(kind)
    node._data, node.frame, node.stamp = data, where, next(stamps)
    node.a = node.b = None
    if tracked:
        node.op = op
        if simple:
            node.a = inputs[0]
            if len(inputs) == 2:
                node.b = inputs[1]
        else:
            node.a, node.b = (inputs, params or {}), MANY
    else:
        node.op, node.stamp = None, -node.stamp
    if where.witness is not None and tracked:
        where.witness(node)
    if where.watching and not op.finite(data):
        for x in inputs:
            if isinstance(x, Node) and not op.finite(x._data):
                raise AnomalyError(f"{x.label} already held {op.flaw(x._data)} when `{op.name}`{_at(where)} used it.")
        shown = ", ".join(x.label + " = " + x._brief() if isinstance(x, Node) else op.brief(x) for x in inputs)
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
    """Carry `seed` from `root` back to the leaves, from young to old.

    The rules are fed plain values, or with `record` the nodes themselves, so that the gradients are graphs in
    their turn. With `keep`, gradients go into that dict and the nodes are left as they were.
    """
    if root.stamp < 0:
        raise ValueError(
            f"nothing that {root.label} was made from requires a gradient. Use Value, or "
            "Tensor(..., requires_grad=True), for what you want the gradient of, and compute outside no_grad()."
        )
    watching = frame.get().watching
    careful = record or watching
    direct = keep is None  # whether the ._grad of a node that is no leaf may be replaced at once
    with _sweeping:
        pending: dict[int, Node] = {}  # by stamp: nodes that a gradient has reached, and that are still to be visited
        before: list[tuple[Node, Any]] = []  # nodes whose ._grad must outlive the sweep, with what it was

        def arrive(node: Node, share: Any, consumer: Node | None) -> None:
            if node.stamp in pending:
                node._grad = node._grad + share
            elif node.stamp > 0:
                if consumer is not None and node.stamp >= consumer.stamp:
                    _refuse(root, node, consumer)
                if node.op is None or not direct:
                    before.append((node, node.grad))
                node._grad = share
                pending[node.stamp] = node
            elif node.op is None and consumer is not None and -node.stamp >= consumer.stamp:
                _refuse(root, node, consumer)

        arrive(root, seed, None)
        take, now, misses, kind = pending.pop, root.stamp + 1, 0, root.__class__
        try:
            while pending:
                now -= 1
                node = take(now, None)
                if node is None:  # what was made then is not of this graph: soon look for the next that is
                    misses += 1
                    if misses > len(pending):
                        if all(n.op is None for n in pending.values()):
                            break
                        now, misses = max(pending) + 1, 0
                    continue
                op = node.op
                if op is None:
                    continue
                g = node._grad  # complete: all consumers are younger
                array = g.__class__ is not float
                if array:
                    g = node._grad = node._settle(g)
                b = node.b
                if b is MANY or careful:
                    for parent, share in _shares(node, g, record, watching):
                        arrive(parent, share, node)
                    continue
                # The same for an op of one or two inputs, spelled out: nine tenths of a scalar step are here.
                out = node._data
                a = node.a
                if b is None:
                    share = op.rule_a(g, out, a._data)
                else:
                    x = a._data if a.__class__ is kind or isinstance(a, Node) else a
                    if b.__class__ is kind or isinstance(b, Node):
                        y = b._data
                        rule = op.rule_b
                        share = g if rule is same else rule(g, out, x, y)
                        if array:
                            share = b._fit(share, g)
                        stamp = b.stamp
                        if stamp in pending:
                            b._grad = b._grad + share
                        elif stamp < now and direct and b.op is not None:
                            b._grad = share
                            pending[stamp] = b
                        else:
                            arrive(b, share, node)
                        if x is a:
                            continue
                    else:
                        y = b
                    rule = op.rule_a
                    share = g if rule is same else rule(g, out, x, y)
                if array:
                    share = a._fit(share, g)
                stamp = a.stamp
                if stamp in pending:
                    a._grad = a._grad + share
                elif stamp < now and direct and a.op is not None:
                    a._grad = share
                    pending[stamp] = a
                else:
                    arrive(a, share, node)
        except BaseException as error:
            for reached, grad in before:
                reached.grad = grad
            ours = (CycleError, AnomalyError, RuntimeError)
            if node is not None and isinstance(error, Exception) and not isinstance(error, ours):
                error.add_note(f"This is from the backward rule of `{node.op.name}`{_at(node.frame)}.")
            raise
        for node, grad in before:
            found = node._settle(node._grad, own=True)
            if keep is not None:
                keep[node], node.grad = found, grad
            else:
                node._grad = found if grad is None else grad + found


def _shares(node: Node, g: Any, record: bool, watching: bool) -> Iterator[tuple[Node, Any]]:
    """What each tracked input of `node` gets of its gradient `g`: the general way, with every check."""
    inputs = node.inputs
    out = node if record else node._data
    values = inputs if record else [x._data if isinstance(x, Node) else x for x in inputs]
    params = node.params
    for i, x in enumerate(inputs):
        if not isinstance(x, Node):
            continue
        if x.op is None and abs(x.stamp) > node.stamp:
            _refuse(node, x, node)
        if x.stamp < 0:
            continue
        share = x._fit(node.op.share(i, g, out, values, params), g)
        if watching and not node.op.finite(share):
            raise AnomalyError(
                f"`{node.op.name}`{_at(node.frame)} gave {node.op.flaw(share)} in the backward pass, as the gradient "
                f"of its input {x.label} = {x._brief()}; its own gradient was {node.op.brief(g)}, its value "
                f"{node._brief()}."
            )
        yield x, share


def _refuse(root: Node, node: Node, consumer: Node) -> None:
    """`node` is not older than the `consumer` that was made from it."""
    if node.op is None:
        raise RuntimeError(
            f"{node.label} was given a new value after `{consumer.op.name}`{_at(consumer.frame)} had used it, so "
            "gradients through it would be wrong. Compute the result again after the change, or call backward() "
            "before it."
        )
    topological_order(root)  # names the loop
    raise RuntimeError("the inputs of a node were rewired by hand: it is no longer younger than they are.")


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
        if isinstance(x, Node) and x.stamp > 0 and isinstance(x._data, float):
            out.append(x._fit(node.op.share(i, 1.0, node._data, values, node.params), None))
        else:
            out.append(None)
    return tuple(out)


def formulas(node: Node) -> tuple[str, ...]:
    """The chain rule at a node as text, one formula an input, out of the very rules that compute it."""
    return node.op.formulas(node.parents, node, node.params) if node.op is not None else ()
