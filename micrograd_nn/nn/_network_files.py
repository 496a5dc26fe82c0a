"""A network's wiring as JSON in networkx's node-link layout, and back from there or from networkx itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["FORMAT", "built", "from_json", "to_json"]

FORMAT = "micrograd_nn.Network"
Described = tuple[Any, Any, Any]  # what the whole has; (name, what it has) of each node; (source, target, ...) of edges


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


def from_json(text_or_path: str | Path) -> Described:
    """The three parts of what a text, or the file at a path, describes."""
    import json

    is_text = isinstance(text_or_path, str) and text_or_path.lstrip()[:1] in ("{", "[", "")
    where = "this text" if is_text else str(text_or_path)
    try:
        text = str(text_or_path) if is_text else Path(text_or_path).read_text(encoding="utf-8")
        found = json.loads(text, parse_constant=lambda word: _refuse(f"{where} holds {word}, which is no finite number"))
    except UnicodeDecodeError:
        _refuse(f"{where} is no text in UTF-8")
    except json.JSONDecodeError as error:
        _refuse(f"{where} is not JSON: {error}")
    if not isinstance(found, dict):
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
    edges = [
        (_key(e, "source", "link", where), _key(e, "target", "link", where), e) for e in links  # type: ignore[union-attr]
    ]  # fmt: skip
    return facts, nodes, edges


def built(net: Any, facts: Mapping[str, Any], nodes: Iterable[Any], edges: Iterable[Any]) -> Any:
    """The network described, made in `net`, which is empty."""
    if facts.get("format", FORMAT) != FORMAT or facts.get("version", 1) != 1:
        _refuse(
            f"this describes a {facts.get('format')}, version {facts.get('version')}, and what is read here is a {FORMAT}, "
            "version 1"
        )
    nodes, edges = list(nodes), list(edges)
    reading, read = {t for _, t, _ in edges}, {s for s, _, _ in edges}
    names: dict[str, Any] = {}
    for key, has in nodes:
        name = str(key)
        if name in names:
            _refuse(f"two nodes, {names[name]!r} and {key!r}, are both called {name!r}")
        names[name] = key
        kind = has.get("kind", "unit" if key in reading else "input")
        if kind == "input":
            net.input(name)
        elif kind == "unit":
            activation = has.get("activation", "relu" if key in read else "identity")
            if not isinstance(activation, str) and not callable(activation):
                _refuse(f"the activation of unit {name!r} is {activation!r}, which is no name")
            settings = {k: has[k] for k in ("pieces", "bias", "slope") if k in has}
            try:
                net.unit(name, activation, **settings)
            except (TypeError, ValueError) as error:
                _refuse(f"unit {name!r} cannot be made: {str(error).removesuffix('.')}")
        else:
            _refuse(f"node {name!r} is of kind {kind!r}, and there are 'input' and 'unit'")
    for source, target, has in edges:
        net.connect(str(source), str(target), has.get("weight"))
    if facts.get("outputs") is not None:
        net.outputs = [str(name) for name in _list(facts["outputs"])]
    return net


def _list(names: Any) -> Any:
    if not isinstance(names, (list, tuple)):
        _refuse(f"'outputs' is a list of names, not {names!r}")
    return names


def _key(entry: dict[str, Any], key: str, what: str, where: str) -> Any:
    found = entry.get(key)
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        _refuse(f"{where} has a {what} without {key!r}: {entry}" if found is None else f"{found!r} is no name of a node")
    return found


def _refuse(what: str) -> Any:
    raise ValueError(f"{what}.")
