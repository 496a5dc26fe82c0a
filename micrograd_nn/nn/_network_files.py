"""A network as JSON and networkx have it, node by node and edge by edge, and made from that or from an MLP."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from micrograd_nn.nn._activations import PReLU
from micrograd_nn.nn._dense import Layer, Linear, Maxout
from micrograd_nn.nn._mlp import MLP, Sequential
from micrograd_nn.nn._module import Module

__all__ = ["build", "convert", "described", "from_json", "to_json"]

if TYPE_CHECKING:
    from pathlib import Path

    from micrograd_nn.nn._network import Network

FORMAT = "micrograd_nn.Network"
Described = tuple[Any, Any, Any]  # what the whole has; (name, what it has) of each node; (source, target, ...) of edges


def described(net: Network) -> Described:
    """The three parts of a network as it is now."""
    facts: dict[str, Any] = {"format": FORMAT, "version": 1}
    if net._chosen:
        facts["outputs"] = list(net.outputs)
    weights, biases, nodes = net.weight.data.tolist(), net.bias.data.tolist(), []
    for n, (name, activation, k) in enumerate(zip(net._names_of, net._activations, net._pieces, strict=True)):
        if not k:
            nodes.append((name, {"kind": "input"}))
            continue
        at = int(net._row[n])
        bias = biases[at : at + k] if activation == "maxout" else biases[at]
        unit: dict[str, Any] = {"kind": "unit", "activation": activation, "bias": bias}
        if activation == "maxout":
            unit["pieces"] = k
        elif activation == "prelu":
            unit["slope"] = float(net._slope.data[net._slope_at[n]])
        nodes.append((name, unit))
    edges = []
    for s, t, at in zip(net._wiring.source, net._wiring.target, net._entry.tolist(), strict=True):
        weight = weights[at : at + net._pieces[t]] if net._activations[t] == "maxout" else weights[at]
        edges.append((net._names_of[s], net._names_of[t], {"weight": weight}))
    return facts, nodes, edges


def to_json(facts: Mapping[str, Any], nodes: Iterable[Any], edges: Iterable[Any]) -> str:
    """One line a node, one line an edge."""
    import json

    def line(**entry: Any) -> str:
        try:
            return json.dumps(entry, allow_nan=False, ensure_ascii=False)
        except ValueError:
            raise ValueError(f"a file holds finite numbers, and here is {entry}.") from None

    for name, unit in nodes:
        activation = unit.get("activation", "")
        if not isinstance(activation, str):
            called = getattr(activation, "__name__", type(activation).__name__)
            raise ValueError(
                f"the activation of unit {name!r}, {called}, is a function of your own, and a file can only name those "
                "of nn.ACTIVATIONS and maxout: use to_networkx(), or pickle."
            )
    parts = [
        ["  " + line(id=name, **unit) for name, unit in nodes],
        ["  " + line(source=s, target=t, **edge) for s, t, edge in edges],
    ]
    listed = ["[\n" + ",\n".join(lines) + "\n]" if lines else "[]" for lines in parts]
    return (
        '{"directed": true, "multigraph": false, "graph": ' + line(**facts)
        + f',\n"nodes": {listed[0]},\n"links": {listed[1]}}}\n'
    )  # fmt: skip


def from_json(source: str | Path | Mapping[str, Any]) -> Described:
    """The three parts of what a text, the file at a path, or what was read from one describes."""
    import json
    from pathlib import Path

    if isinstance(source, Mapping):
        return _parts(source, "this dict")
    is_text = isinstance(source, str) and source.lstrip()[:1] in ("{", "[", "")
    where = "this text" if is_text else str(source)
    try:
        text = str(source) if is_text else Path(source).read_text(encoding="utf-8")
        found = json.loads(text, parse_constant=lambda word: _refuse(f"{where} holds {word}: no finite number"))
    except UnicodeDecodeError:
        _refuse(f"{where} is no text in UTF-8")
    except json.JSONDecodeError as error:
        _refuse(f"{where} is not JSON: {error}")
    return _parts(found, where)


def _parts(found: Any, where: str) -> Described:
    if not isinstance(found, Mapping):
        _refuse(f"{where} holds a {type(found).__name__}, and a network is an object with nodes and links")
    links = found.get("links", found.get("edges"))  # networkx has written both
    for name, part in (("nodes", found.get("nodes")), ("links", links)):
        if not isinstance(part, list) or not all(isinstance(entry, dict) for entry in part):
            _refuse(f"{where} has no list of objects called {name!r}")
    facts = found.get("graph", {})
    if not isinstance(facts, dict):
        _refuse(f"{where} has a {type(facts).__name__} as its 'graph', not an object")
    if found.get("directed") is False or found.get("multigraph") is True:
        _refuse(f"{where} is a graph without directions, or with parallel edges: a network is a directed graph")
    nodes = [(_key(n, "id", "node", where), {k: v for k, v in n.items() if k != "id"}) for n in found["nodes"]]
    edges = [(_key(e, "source", "link", where), _key(e, "target", "link", where), e) for e in links]
    return facts, nodes, edges


def build(net: Network, facts: Mapping[str, Any], nodes: Iterable[Any], edges: Iterable[Any]) -> Network:
    """Make in `net`, which is empty, the network described."""
    if facts.get("format", FORMAT) != FORMAT or facts.get("version", 1) != 1:
        _refuse(
            f"its format is {facts.get('format')!r}, version {facts.get('version')!r}, and what is read here is "
            f"{FORMAT!r}, version 1"
        )
    nodes, edges = list(nodes), list(edges)
    reading, read = {t for _, t, _ in edges}, {s for s, _, _ in edges}
    names: dict[str, Any] = {}
    for key, has in nodes:
        name = str(key)
        if name in names:
            _refuse(f"two nodes, {names[name]!r} and {key!r}, are both called {name!r}")
        if not name:
            _refuse("a node has no name")
        names[name] = key
        kind = has.get("kind", "unit" if key in reading else "input")
        if kind == "input":
            net.input(name)
        elif kind == "unit":
            activation = has.get("activation", "relu" if key in read else "identity")
            if not isinstance(activation, str) and not callable(activation):
                _refuse(f"the activation of unit {name!r} is {activation!r}, which is no name")
            settings = {k: _there(has[k], f"the {k} of unit {name!r}") for k in ("pieces", "bias", "slope") if k in has}
            try:
                net.unit(name, activation, **settings)
            except (TypeError, ValueError) as error:
                _refuse(f"unit {name!r} cannot be made: {str(error).removesuffix('.')}")
        else:
            _refuse(f"node {name!r} is of kind {kind!r}, and there are 'input' and 'unit'")
    for source, target, has in edges:
        for end in (source, target):
            if str(end) not in names:
                _refuse(f"a link leads from {source!r} to {target!r}, and there is no node {end!r}")
        what = f"the weight of {source} -> {target}"
        net.connect(str(source), str(target), _there(has["weight"], what) if "weight" in has else None)
    if facts.get("outputs") is not None:
        net.outputs = [str(name) for name in _list(facts["outputs"])]
    return net


def convert(net: Network, mlp: Module) -> Network:
    """Make in `net`, which is empty, the units of an MLP one by one."""
    layers: list[Any] = list(getattr(mlp, "layers", ()))
    ours = type(mlp) in (MLP, Sequential) and all(type(part) in (Layer, Linear, Maxout) for part in layers)
    if not layers or not ours:
        raise TypeError(f"from_mlp takes an MLP, or a Sequential of Layer, Linear and Maxout, not {mlp!r:.80}.")
    if getattr(mlp, "noise", None) is not None or getattr(mlp, "dropouts", None):
        raise ValueError("a Network has no dropout and no input noise: convert an MLP without them.")
    below = [net.input(f"x{i + 1}") for i in range(layers[0].n_in)]
    weights, biases, slopes = [], [], []
    for i, layer in enumerate(layers, 1):
        activation, settings = layer.act, {}
        if isinstance(layer, Maxout):
            activation, settings = "maxout", {"pieces": layer.k}
        elif isinstance(activation, PReLU) and activation.num_parameters == layer.n_out:
            slopes.append(activation.weight.data)
            activation = "prelu"
        elif isinstance(activation, Module):
            activation = copy.deepcopy(activation)
        stem = "y" if i == len(layers) else f"h{i}_"
        below = [net.unit(f"{stem}{j + 1}", activation, below, **settings) for j in range(layer.n_out)]
        # a Maxout counts its pieces on the first axis, a maxout unit on the last
        weights.append(np.moveaxis(layer.weight.data.reshape(-1, layer.n_out, layer.n_in), 0, -1).ravel())
        biases.append(layer.bias.data.reshape(-1, layer.n_out).T.ravel())
    net.weight.data, net.bias.data = np.concatenate(weights), np.concatenate(biases)
    if slopes:
        net._slope.data = np.concatenate(slopes)
    return net


def _there(value: Any, what: str) -> Any:
    if value is None:
        _refuse(f"{what} is null: give a number, or leave it out")
    return value


def _list(names: Any) -> Any:
    if not isinstance(names, (list, tuple)):
        _refuse(f"'outputs' is a list of names, not {names!r}")
    return names


def _key(entry: dict[str, Any], key: str, what: str, where: str) -> Any:
    found = entry.get(key)
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        _refuse(f"{where} has a {what} without {key!r}: {entry}" if found is None else f"{found!r} is no node's name")
    return found


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"{what}.")
