"""The facts of a picture for other programs: JSON and GraphML of the whole graph, JSON of a chart's tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from micrograd_nn.text import spelled
from viz._sheet import Sheet
from viz._text import clean

__all__ = ["write_graphml", "write_json"]

# Half a pair, which UTF-8 cannot hold, and what controls a terminal or turns the direction of writing.
_UNSEEN = re.compile("[\ud800-\udfff\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_EVERYTHING = 10_000_000  # a limit of characters that no name reaches


def write_json(sheet: Sheet, theme: str) -> str:
    """The facts of the picture as JSON, each number exact.

    Of a graph: all of it, nothing folded, in networkx's node-link layout: `nx.node_link_graph(data, edges="links",
    multigraph=...)` reads it, one line a node and a line an edge. Arrays are objects with shape, dtype and data, as
    nested lists; NaN and infinities are the words "NaN", "Infinity" and "-Infinity". Of a `Network`, or an MLP drawn as
    one: what `Network.to_json` writes, and `nn.Network.from_json` reads, the picture's tables beside it; it raises
    ValueError for weights that are not finite and activations without a name. Of a chart: {"kind", "title", "note",
    "tables"}, a table being {"caption", "columns", "rows"}.
    """
    make = sheet.network if sheet.graph is None else sheet.graph.full
    tables = [{"caption": t.caption, "columns": t.columns, "rows": t.rows} for t in sheet.tables]
    if make is None:
        about = _line({"kind": sheet.kind, "title": sheet.title, "note": sheet.note})
        return f'{about[:-1]}, "tables": {_listed(map(_line, tables))}}}\n'
    graph = make()
    if not graph.is_multigraph():  # the units of a Network
        from micrograd_nn.nn._network_files import to_json

        about_all = {**graph.graph, "title": sheet.title, "note": sheet.note, "tables": _plain(tables)}
        edges = [(s, t, has) for t in graph for s, has in graph.pred[t].items()]  # a unit adds up in this very order
        return _seen(to_json(about_all, graph.nodes(data=True), edges))
    facts = {"format": "micrograd_nn.graph", "version": 1, "title": sheet.title, "note": sheet.note}
    nodes = (_line({"id": n, **has}) for n, has in graph.nodes(data=True))
    links = (_line({"source": s, "target": t, "key": k, **e}) for s, t, k, e in graph.edges(keys=True, data=True))
    head = '{"directed": true, "multigraph": true, "graph": ' + _line({**facts, **graph.graph})
    return f'{head},\n"nodes": {_listed(nodes)},\n"links": {_listed(links)}}}\n'


def _listed(lines: Iterable[str]) -> str:
    shown = ",\n  ".join(lines)
    return f"[\n  {shown}\n]" if shown else "[]"


def _line(entry: Any) -> str:
    return _seen(json.dumps(_plain(entry), ensure_ascii=False, allow_nan=False))


def _seen(text: str) -> str:
    """JSON with what nobody could see in it by number; it stands in quotes only."""
    return _UNSEEN.sub(lambda c: f"\\u{ord(c[0]):04x}", text)


def _plain(x: Any) -> Any:
    """`x` as JSON can hold it: what it has no words for becomes text."""
    if x is None or isinstance(x, (str, bool, int)):
        return x
    if isinstance(x, float):
        return spelled(float(x))
    if isinstance(x, np.generic):
        return _plain(x.item())
    if isinstance(x, np.ndarray):
        return {"shape": list(x.shape), "dtype": str(x.dtype), "data": _nested(x)}
    if isinstance(x, dict):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(v) for v in x]
    return clean(repr(x), 1000)


def _nested(x: np.ndarray[Any, Any]) -> Any:
    listed = x.tolist()
    whole = x.dtype.kind in "biu" or (x.dtype.kind == "f" and bool(np.isfinite(x).all()))
    return listed if whole else _plain(listed)


def write_graphml(sheet: Sheet, theme: str) -> bytes:
    """The whole graph as GraphML, nothing folded: `nx.read_graphml` and programs such as Gephi and yEd read it.

    Numbers keep every digit. Arrays, and all else that GraphML has no type for, are JSON; what is None is left out;
    characters that XML forbids are shown as in the picture. Raises ValueError for a chart, which is no graph.
    """
    from networkx.readwrite.graphml import GraphMLWriter

    make = sheet.network if sheet.graph is None and sheet.network is not None else sheet.needed_graph().full
    whole = make()
    graph = whole.__class__()
    graph.graph.update(_simple({"title": sheet.title, "note": sheet.note, **whole.graph}))
    names: dict[Any, Any] = {}
    taken: set[Any] = set()
    for i, (n, has) in enumerate(whole.nodes(data=True)):
        name = n if isinstance(n, int) else clean(n, _EVERYTHING)
        names[n] = f"{name} #{i}" if name in taken else name  # two names may look alike
        taken.add(names[n])
        graph.add_node(names[n], **_simple(has))
    if whole.is_multigraph():
        for s, t, k, has in whole.edges(keys=True, data=True):
            graph.add_edge(names[s], names[t], key=k, **_simple(has))
    else:
        graph.add_edges_from((names[s], names[t], _simple(has)) for s, t, has in whole.edges(data=True))
    writer = GraphMLWriter(encoding="utf-8", prettyprint=True)
    writer.add_graph_element(graph)
    return _finished(writer)


def _finished(writer: Any) -> bytes:
    """The document, with booleans, NaN and infinities in the words that XML and Java have for them."""
    import xml.etree.ElementTree as ET

    root = ET.fromstring(str(writer))
    space = root.tag.partition("}")[0] + "}"
    kinds = {key.get("id"): key.get("attr.type") for key in root.iter(f"{space}key")}
    for data in root.iter(f"{space}data"):
        kind, text = kinds[data.get("key")], data.text or ""
        data.text = text.lower() if kind == "boolean" else str(spelled(float(text))) if kind == "double" else text
    ET.register_namespace("", space[1:-1])
    found: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return found


def _simple(has: dict[str, Any]) -> dict[str, Any]:
    """Attributes in GraphML's own types: a bool, an int, a float or a text."""
    found: dict[str, Any] = {}
    for key, x in has.items():
        if isinstance(x, np.generic):
            x = x.item()
        if isinstance(x, float):
            found[key] = float(x)
        elif isinstance(x, (bool, str)) or (isinstance(x, int) and abs(x) < 2**31):
            found[key] = clean(x, _EVERYTHING) if isinstance(x, str) else x
        elif x is not None and not (x == {} if isinstance(x, dict) else False):
            text = _line(x)
            found[key] = text if text.isascii() and "\x7f" not in text else clean(text, _EVERYTHING)
    return found
