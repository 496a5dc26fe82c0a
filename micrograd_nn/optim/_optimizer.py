"""`Optimizer`: parameters in groups, the options of each group, and what the rule remembers of each parameter."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from micrograd_nn.graph import Node
from micrograd_nn.nn._penalty import penalised

__all__ = ["Optimizer", "decay_groups"]

Array = np.ndarray[Any, Any]
Memory = dict[str, Any]


def not_negative(x: Any, name: str) -> float:
    if isinstance(x, bool) or not (isinstance(x, Real) and 0 <= float(x) < math.inf):
        raise ValueError(f"{name} is a number of at least 0, not {x!r}.")
    return float(x)


def share(x: Any, name: str) -> float:
    if isinstance(x, bool) or not (isinstance(x, Real) and 0 <= float(x) < 1):
        raise ValueError(f"{name} is a number with 0 <= {name} < 1, not {x!r}.")
    return float(x)


def two_shares(x: Any, name: str) -> tuple[float, float]:
    if not (isinstance(x, (tuple, list)) and len(x) == 2 and all(isinstance(b, Real) and 0 <= float(b) < 1 for b in x)):
        raise ValueError(f"{name} is a pair of numbers with 0 <= beta < 1, not {x!r}.")
    return float(x[0]), float(x[1])


def yes_or_no(x: Any, name: str) -> bool:
    if not isinstance(x, (bool, np.bool_)):
        raise ValueError(f"{name} is True or False, not {x!r}.")
    return bool(x)


CHECKS: dict[str, Callable[[Any, str], Any]] = {
    "lr": not_negative, "initial_lr": not_negative, "momentum": not_negative, "dampening": not_negative,
    "weight_decay": not_negative, "lr_decay": not_negative, "initial_accumulator_value": not_negative,
    "eps": not_negative, "alpha": share, "betas": two_shares, "nesterov": yes_or_no, "centered": yes_or_no,
    "amsgrad": yes_or_no,
}  # fmt: skip


class Optimizer:
    """Moves parameters down their gradients.

    `params` are leaves that require a gradient (Tensors or Values), or groups of them that differ in options:
    `[{"params": weights, "weight_decay": 1e-4}, {"params": biases, "lr": 0.1}]`; what a group leaves out is as given
    to the optimiser. `param_groups` lists each group's parameters and options; they may be changed between steps.
    `state` holds what the rule remembers of each parameter.

    A subclass hands its options to `__init__` by name, says in `remembers` what it keeps in a parameter's memory (True:
    from the first step on, False: depending on options), and writes `update`.
    """

    remembers: ClassVar[dict[str, bool]] = {}

    def __init__(self, params: Iterable[Any], **options: Any) -> None:
        self.defaults = options
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Any, Memory] = defaultdict(dict)
        self._seen: list[dict[str, Any]] = []  # the groups as they were when last checked
        self._layouts: dict[Any, Any] = {}  # which entries each parameter had when it was given
        self.check({"params": [], **options})
        if isinstance(params, (Node, Mapping)) or not isinstance(params, Iterable):
            raise TypeError(f"an optimiser takes a list of parameters or of groups, such as model.parameters(), not "
                            f"{type(params).__name__}.")  # fmt: skip
        given = list(params)
        groups = given if any(isinstance(g, Mapping) for g in given) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)
        if not self.params:
            raise ValueError("an optimiser needs parameters: give it model.parameters().")

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take on more parameters: {"params": [...], and options that differ from those the optimiser was given}."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f'a group is a dict {{"params": [...], "lr": ...}}, not {group!r:.60}.')
        params = [group["params"]] if isinstance(group["params"], Node) else list(group["params"])
        for p in params:
            if not (isinstance(p, Node) and p.op is None and p.requires_grad):
                raise TypeError(f"an optimiser steps leaves that require a gradient, and {p!r:.60} is none.")
        together = [id(p) for p in (*self.params, *params)]
        if len(set(together)) < len(together):
            raise ValueError("an optimiser was given the same parameter twice, and would step it twice.")
        new = {**self.defaults, **group, "params": params}
        self.check(new)
        self.param_groups.append(new)
        self._seen.append(dict(new))
        self._layouts.update((p, getattr(p, "layout", None)) for p in params)

    @property
    def params(self) -> list[Any]:
        """The parameters of all groups."""
        return [p for group in self.param_groups for p in group["params"]]

    @property
    def lr(self) -> Any:
        """The rate of all groups, or where they differ a list with one for each; either can be assigned."""
        rates = [group["lr"] for group in self.param_groups]
        return rates[0] if all(r == rates[0] for r in rates) else rates

    @lr.setter
    def lr(self, lr: Any) -> None:
        several = isinstance(lr, (list, tuple, np.ndarray)) and np.ndim(lr) == 1
        if several and len(lr) != len(self.param_groups):
            raise ValueError(f"{len(lr)} rates for {len(self.param_groups)} groups of parameters.")
        rates = [not_negative(r, "lr") for r in (lr if several else [lr] * len(self.param_groups))]
        for group, rate in zip(self.param_groups, rates, strict=True):
            group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients: the next backward() starts from none."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient, and is not frozen.

        Raises RuntimeError for a parameter of a `Network` that was wired anew since the optimiser was given it.
        """
        state, update, layouts = self.state, self.update, self._layouts
        for i, group in enumerate(self.param_groups):
            if group["params"] is not self._seen[i]["params"] or group != self._seen[i]:  # compares no parameters
                self.check(group)
                self._seen[i] = dict(group)
            for p in group["params"]:
                grad = p.grad
                if grad is None or p.stamp < 0:
                    continue
                if getattr(p, "layout", None) != layouts.get(p):
                    raise RuntimeError(
                        f"the entries of {_called(p)} are not those that this {type(self).__name__} was given: the "
                        "network was wired anew. Make a new optimiser with its parameters()."
                    )
                data, memory = p._data, state[p]
                number = data.__class__ is float
                if number:
                    data = np.array(data)
                if grad.__class__ is not np.ndarray:
                    grad = np.asarray(grad)
                if grad.shape != data.shape:
                    raise ValueError(f"{_called(p)} has shape {data.shape}, and its gradient {grad.shape}.")
                if "scratch" not in memory:
                    memory["scratch"] = np.empty_like(data)
                update(data, grad, memory, group)
                if number:
                    p.data = data.item()
                else:
                    p.written()

    def update(self, data: Array, grad: Array, memory: Memory, group: dict[str, Any]) -> None:
        """Change `data` in place. `memory` is kept from step to step; memory["scratch"] is room for a result."""
        raise NotImplementedError

    def check(self, group: dict[str, Any]) -> None:
        """Refuse options that are unknown or make no sense."""
        for name in group.keys() - self.defaults.keys() - {"params", "initial_lr"}:
            raise ValueError(
                f"{type(self).__name__} has no option {name!r}: a group can set {', '.join(self.defaults)}."
            )
        for name in group.keys() & CHECKS.keys():
            group[name] = CHECKS[name](group[name], name)

    # --- saving and loading ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that the next steps depend on beside the parameters, as dicts and lists of numbers, strings and arrays.

        The arrays are copies. `param_groups` lists parameters by their place, `state` holds what is remembered of each.
        """
        places = iter(range(len(self.params)))
        groups = [
            {k: list(v) if isinstance(v, tuple) else v for k, v in group.items() if k != "params"}
            | {"params": [next(places) for _ in group["params"]]}
            for group in self.param_groups
        ]  # fmt: skip
        memories = [
            {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self.state[p].items() if k in self.remembers}
            for p in self.params
        ]
        return {"class": type(self).__name__, "param_groups": groups, "state": memories}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, options included; the next steps are then bit for bit the ones it had.

        Raises ValueError saying what does not fit (the class, the parameters' number or shapes, an option); then
        nothing is changed.
        """
        own = f"{type(self).__name__}, which is left as it was"
        if not (
            isinstance(state, Mapping)
            and {"class", "param_groups", "state"} <= state.keys()
            and all(isinstance(group, Mapping) and "params" in group for group in state["param_groups"])
            and all(isinstance(memory, Mapping) for memory in state["state"])
        ):
            raise ValueError(f"this is no state of an optimiser, so it does not fit {own}.")
        if state["class"] != type(self).__name__:
            raise ValueError(f"a state of {state['class']} does not fit {own}.")
        there, here = ([len(g["params"]) for g in groups] for groups in (state["param_groups"], self.param_groups))
        if there != here or len(state["state"]) != sum(here):
            raise ValueError(f"a state for groups of {there} parameters does not fit {own}: it has groups of {here}.")
        groups = []
        for mine, saved in zip(self.param_groups, state["param_groups"], strict=True):
            groups.append({**mine, **saved, "params": mine["params"]})
            self.check(groups[-1])
        memories = []
        for i, (p, memory) in enumerate(zip(self.params, state["state"], strict=True)):
            wrong = self._misfit(p, memory)
            if wrong:
                raise ValueError(f"this state does not fit {own}: of parameter {i}, {_called(p)}, {wrong}.")
            like = np.asarray(p._data).dtype
            memories.append({k: int(v) if k == "step" else np.array(v, like) for k, v in memory.items()})
        for mine, new in zip(self.param_groups, groups, strict=True):
            mine.update(new)
        self.state = defaultdict(dict, zip(self.params, memories, strict=True))

    def _misfit(self, p: Any, memory: Mapping[str, Any]) -> str:
        """What is wrong with what was remembered of `p`."""
        for name, value in memory.items():
            if name not in self.remembers:
                return f"{name!r} is nothing that {type(self).__name__} remembers"
            if name == "step":
                if not isinstance(value, Integral) or value < 0:
                    return f"'step' is a count, not {value!r}"
            elif np.shape(value) != np.shape(p._data):
                return f"{name!r} has shape {np.shape(value)}, and the parameter {np.shape(p._data)}"
            elif np.asarray(value).dtype.kind != "f":
                return f"{name!r} holds {np.asarray(value).dtype}, not real numbers"
        missing = [k for k, always in self.remembers.items() if always and k not in memory] if memory else []
        return f"{missing[0]!r} is missing" if missing else ""

    def __repr__(self) -> str:
        groups = [", ".join(f"{k}={v!r}" for k, v in g.items() if k != "params") for g in self.param_groups]
        return f"{type(self).__name__}({' | '.join(groups)})"


def decay_groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups for an optimiser: the weights of `model`, which decay, and its biases and slopes, which do not.

    The rule is that of `nn.l2_penalty`. The last part of a parameter's path decides: what starts with "bias" or "slope"
    goes free, and so do the slopes of a PReLU; anything else is a weight.

    >>> from micrograd_nn import nn, optim
    >>> opt = optim.SGD(decay_groups(nn.MLP(2, [3, 1]), 1e-4), lr=0.1)
    >>> [(group["weight_decay"], [p.name for p in group["params"]]) for group in opt.param_groups]
    [(0.0001, ['W1', 'W2']), (0.0, ['b1', 'b2'])]
    """
    weights = list(penalised(model))
    known = {id(p) for p in weights}
    rest = [p for p in model.parameters() if id(p) not in known]
    decay = not_negative(weight_decay, "weight_decay")
    return [{"params": weights, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


def with_decay(data: Array, grad: Array, weight_decay: float, out: Array) -> Array:
    """The gradient with that of the penalty weight_decay / 2 · sum(data²), in `out`."""
    np.multiply(data, weight_decay, out=out)
    return np.add(out, grad, out=out) if out.ndim else out + grad  # which is quicker for single numbers


def kept(memory: Memory, name: str, data: Array) -> Array:
    """The array remembered under `name`: zeros like `data` at first."""
    if name not in memory:
        memory[name] = np.zeros_like(data)
    found: Array = memory[name]
    return found


def _called(p: Any) -> str:
    return p.name or f"a {type(p).__name__}"
