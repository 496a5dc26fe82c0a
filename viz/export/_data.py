"""The facts of a picture for other programs: JSON and GraphML of the whole graph, JSON of a chart's tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

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

    Of a graph: all of it, nothing folded, in networkx's node-link layout: `nx.node_link_graph(data, edges="links")`
    reads it, one line a node and a line an edge. Arrays are objects with shape, dtype and data, as
    nested lists; NaN and infinities are the words "NaN", "Infinity" and "-Infinity". Of a `Network`, or an MLP drawn as
    one: what `Network.to_json` writes, and `nn.Network.from_json` reads, the picture's tables beside it; it raises
    ValueError for weights that are not finite and activations without a name. Of a chart: {"kind", "title", "note",
    "tables"}, a table being {"caption", "columns", "rows"}.
    """
    make = _whole(sheet)
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


def _whole(sheet: Sheet) -> Callable[[], Any] | None:
    """What makes the whole graph that the picture is of; None for a chart."""
    return sheet.network if sheet.graph is None else sheet.graph.full


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


def write_graphml(sheet: Sheet, theme: str) -> str:
    """The whole graph as GraphML, nothing folded: `nx.read_graphml` and programs such as Gephi and yEd read it.

    Numbers keep every digit. Arrays, and all else that GraphML has no type for, are JSON; what is None is left out;
    characters that XML forbids are shown as in the picture. Raises ValueError for a chart, which is no graph.
    """
    graph = (_whole(sheet) or sheet.needed_graph().full)()
    keys: dict[tuple[str, str, str], str] = {}  # (of what, attribute, type) -> id

    def data(of: str, has: dict[str, Any]) -> str:
        parts = []
        for name, x in has.items():
            if x is not None and not (isinstance(x, dict) and not x):
                kind, text = _typed(x)
                key = keys.setdefault((of, name, kind), f"d{len(keys)}")
                parts.append(f'<data key="{key}">{escape(text)}</data>')
        return "".join(parts)

    names: dict[Any, str] = {}
    taken: set[str] = set()
    body = [data("graph", {"title": sheet.title, "note": sheet.note, **graph.graph})]
    for i, (n, has) in enumerate(graph.nodes(data=True)):
        name = clean(n, _EVERYTHING)
        names[n] = f"{name} #{i}" if name in taken else name  # two names may look alike
        taken.add(names[n])
        body.append(f"<node id={quoteattr(names[n])}>{data('node', has)}</node>")
    many = graph.is_multigraph()
    for s, t, *key, has in graph.edges(keys=True, data=True) if many else graph.edges(data=True):
        ends = f"source={quoteattr(names[s])} target={quoteattr(names[t])}" + (f' id="{key[0]}"' if many else "")
        body.append(f"<edge {ends}>{data('edge', has)}</edge>")
    declared = [
        f'<key id="{d}" for="{of}" attr.name={quoteattr(name)} attr.type="{kind}"/>'
        for (of, name, kind), d in keys.items()
    ]
    head = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    start = ['<?xml version="1.0" encoding="UTF-8"?>', head, *declared, '<graph edgedefault="directed">']
    return "\n".join([*start, *body, "</graph>", "</graphml>", ""])


def _typed(x: Any) -> tuple[str, str]:
    """The type that GraphML has for `x`, and `x` as text."""
    if isinstance(x, np.generic):
        x = x.item()
    if isinstance(x, bool):
        return "boolean", str(x).lower()
    if isinstance(x, float):
        return "double", str(spelled(float(x)))
    if isinstance(x, int) and abs(x) < 2**63:
        return "long", str(x)
    if isinstance(x, str):
        return "string", clean(x, _EVERYTHING)
    text = _line(x)  # long, and all but always plain
    return "string", text if text.isascii() and "\x7f" not in text else clean(text, _EVERYTHING)
