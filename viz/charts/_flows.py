"""The small panel under the units: how large the gradient on each part is, and how large its last step was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from viz._text import clean, fitted, number
from viz._xml import FAINT, GREY, INK, LINE, Raw, element, write
from viz.charts._chart import tick_labels

if TYPE_CHECKING:
    from micrograd_nn.health import GradientFlow, HealthReport

__all__ = ["draw_flows"]

_ROW, _MOST = 19.0, 30
_HEALTHY = -3.0  # log10 of an update over its weights
_BARS, _DOTS, _DOT_WIDE = 158.0, 530.0, 176.0


def draw_flows(report: HealthReport) -> tuple[list[Raw], float]:
    """The panel and its height: a row a part, a bar for the norm of its gradient and a dot for its update ratio."""
    flows = {(g.name, g.kind): g for g in report.gradients}
    wide = 290.0 if report.updates else 500.0  # of the longest bar
    rows = [*flows, *((name, "parameter") for name in report.updates if (name, "parameter") not in flows)]
    dropped = 0
    if len(rows) > _MOST:
        kept = [row for row in rows if row[0].rpartition(".")[2] != "bias"][:_MOST]
        rows, dropped = kept, len(rows) - len(kept)
    layers = [name for name, kind in flows if kind == "activation"]
    rows.sort(key=lambda row: _owner(row[0], row[1], layers))
    high = 30.0 + _ROW * len(rows)
    parts: list[Raw] = []
    scale = _powers([flows[row].norm for row in rows if row in flows])
    if flows:
        parts.append(write("Norm of the gradient", _BARS, 10, 12.5, INK, bold=True))
        parts += _grid(scale, wide, high)
    ratios = [x for x in report.updates.values() if x is not None and math.isfinite(x)]
    span = (math.floor(min([-5.0, *ratios])), math.ceil(max([-1.0, *ratios])))
    if report.updates:
        parts.append(write("log10 (update / weights)", _DOTS, 10, 12.5, INK, bold=True))
        parts += _guides(span, high)
    for k, (name, kind) in enumerate(rows):
        y = 30.0 + _ROW * k + _ROW / 2
        label = name if kind == "parameter" else f"{name} activations"
        parts.append(write(fitted(label, 11.5, _BARS - 14), 0, y + 4, 11.5, INK if kind == "parameter" else GREY))
        if (name, kind) in flows:
            parts.append(_bar(flows[name, kind], scale, wide, y))
        if kind == "parameter" and name in report.updates:
            parts.append(_dot(name, report.updates[name], span, y))
    if dropped:
        high += 20
        parts.append(write(f"{dropped:,} more parts, biases first, are only in the tables.", 0, high - 4, 11.5, GREY))
    return parts, high


def _owner(name: str, kind: str, layers: list[str]) -> tuple[int, int]:
    """Where a row belongs: with the layer that it is in, the activations after the parameters."""
    if kind == "activation":
        return layers.index(name), 1
    inside = [i for i, layer in enumerate(layers) if name.startswith(f"{layer}.")]
    return (max(inside, key=lambda i: len(layers[i])) if inside else len(layers)), 0


def _powers(norms: list[float]) -> tuple[int, int]:
    """Powers of ten around the norms; a bar begins at the first."""
    logs = [math.log10(x) for x in norms if math.isfinite(x) and x > 0]
    if not logs:
        return -3, 0
    lo, hi = math.ceil(min(logs) - 1 - 1e-9), math.ceil(max(logs))
    return min(lo, hi - 2), hi


def _grid(scale: tuple[int, int], wide: float, high: float) -> list[Raw]:
    lo, hi = scale
    step = max(1, math.ceil((hi - lo) / 4))
    parts = []
    for power in range(lo, hi + 1, step):
        x = _BARS + wide * (power - lo) / (hi - lo)
        parts.append(element("line", x1=x, y1=29, x2=x, y2=high, stroke=LINE if power == lo else FAINT, stroke_width=1))
        parts.append(write(tick_labels([10.0**power], log=True)[0], x, 25, 11, GREY, "middle"))
    return parts


def _bar(flow: GradientFlow, scale: tuple[int, int], wide: float, y: float) -> Raw:
    lo, hi = scale
    known = math.isfinite(flow.norm) and flow.norm > 0
    long = max(1.0, wide * (math.log10(flow.norm) - lo) / (hi - lo)) if known else 0.0
    ok = flow.verdict == "ok"
    said = number(flow.norm) + ("" if ok else f"  {flow.verdict}")
    if flow.zeros == 1:
        said = "0  all exactly zero"
    hover = f"{clean(flow.name, 200)} ({flow.kind}): {flow.verdict}\nnorm {flow.norm!r}\nmean |g| {flow.mean_abs!r}"
    hover += f"\nmean {flow.mean!r}\nstd {flow.std!r}\nexact zeros {flow.zeros!r}"
    return element(
        "g",
        element("title", hover),
        element("rect", x=_BARS, y=y - 5, width=float(long), height=10, fill=LINE if ok else INK),
        write(said, _BARS + long + 7, y + 4, 11.5, GREY if ok else INK, bold=not ok, halo=True),
        data_flow=clean(flow.name, 400),
        data_kind=flow.kind,
        data_verdict=flow.verdict,
        data_value=repr(flow.norm),
    )


def _guides(span: tuple[int, int], high: float) -> list[Raw]:
    parts = []
    for power in range(span[0], span[1] + 1, max(1, math.ceil((span[1] - span[0]) / 6))):
        x = _at(power, span)
        parts.append(element("line", x1=x, y1=29, x2=x, y2=high, stroke=FAINT, stroke_width=1))
        if abs(x - _at(_HEALTHY, span)) > 20:
            parts.append(write(str(power).replace("-", "−"), x, 25, 11, GREY, "middle"))
    x = _at(_HEALTHY, span)
    parts.append(element("line", x1=x, y1=29, x2=x, y2=high, stroke=INK, stroke_width=1.25, stroke_dasharray="4 3"))
    parts.append(write("−3", x, 25, 11, INK, "middle", bold=True))
    return parts


def _at(ratio: float, span: tuple[int, int]) -> float:
    return _DOTS + 8 + (_DOT_WIDE - 16) * (ratio - span[0]) / (span[1] - span[0])


def _dot(name: str, ratio: float | None, span: tuple[int, int], y: float) -> Raw:
    """A dot at the ratio, or the word for what has no place."""
    data = {"data_update": clean(name, 400), "data_value": None if ratio is None else repr(ratio)}
    end = _DOTS + _DOT_WIDE + 10
    if ratio is None or not math.isfinite(ratio):
        why = "n/a: its entries are all equal" if ratio is None else "it did not move" if ratio < 0 else "not finite"
        text = "n/a" if ratio is None else number(ratio)
        return element("g", element("title", f"{clean(name, 200)}: {why}"), write(text, end, y + 4, 11.5, GREY), **data)
    x = _at(ratio, span)
    return element(
        "g",
        element("title", f"{clean(name, 200)}: {ratio!r}, healthy near −3"),
        element("line", x1=x, y1=y, x2=_at(_HEALTHY, span), y2=y, stroke=LINE, stroke_width=1.5),
        element("circle", cx=x, cy=y, r=4, fill=INK),
        write(number(round(ratio, 2)), end, y + 4, 11.5, GREY),
        **data,
    )  # fmt: skip
