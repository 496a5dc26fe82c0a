"""`draw_history`: how training went, epoch by epoch: loss, accuracy, gradients, steps and units on one axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from functools import partial
from typing import Any

from micrograd_nn.training import History
from micrograd_nn.training._history import MEASURES
from viz._marks import Piece, cross, patterned, said, square
from viz._picture import Picture
from viz._sheet import Table, compose
from viz._text import clean, number
from viz._theme import Theme, checked_theme
from viz._thresholds import on, saturates
from viz._xml import DOTS, GREY, HATCH, Raw
from viz.charts._chart import DENSE, WIDE, usual, wrapped
from viz.charts._chosen import chosen
from viz.charts._panels import STYLES, Column, Guide, Panel, Series, draw_columns
from viz.charts._plain import tell_history

__all__ = ["draw_history"]

_NAMED = 8  # lines of a panel that have a label: as many as there are styles
_RUNS = 24
HEALTHY, WITHIN = -3.0, 0.5  # log10 of update over weights, as the course notes have it: about 1e-3


def draw_history(
    history: History | Mapping[str, History], *, panels: str | Sequence[str] | None = None, theme: Theme = "light",
    title: str | None = None,
) -> Picture:  # fmt: skip
    """Loss, accuracy, gradient norms, update ratios, dead and saturated units of a training run, on one axis of epochs.

    `history` is what `mg.fit` gave, or a dict {title: history} of several runs, side by side on the same scales. What
    was not measured is left out, with a line that says how to measure it: update ratios and units need
    `callbacks=[health.HealthMonitor()]`.

    `panels` are the ones to draw, by their names on the picture: "loss", "accuracy", "gradient norm", "update ratio",
    "dead units", "saturated", "learning rate", or that of a metric. Of several runs a single panel is one chart: a line
    a run, on the same axes, and a thin one for its validation (but update ratios have no line for a whole run).

    A loss that spans more than two decades has a logarithmic scale. Update
    ratios are log10(std of the step / std of the weights), healthy near -3 (the CS231n notes); "saturated" is the share
    of all activations whose slope is under 6 % of its largest.

    Raises TypeError for what is no history, ValueError for one without epochs, and for a panel that is not there.

    >>> from micrograd_nn.training import Epoch, History
    >>> picture = draw_history(History([Epoch(1, 0.5), Epoch(2, 0.25)]))
    >>> "training 0.25" in picture.svg
    True
    """
    runs = _checked(history)
    checked_theme(theme)
    several = len(runs) > 1
    columns = [_column(clean(name, 34) if several or name else "", run) for name, run in runs]
    columns = columns if panels is None else chosen(columns, panels, _hint([run for _, run in runs]))
    drawing, wide, high = draw_columns(columns, (WIDE, 964.0, 1164.0)[min(len(columns), 3) - 1])
    asked = {p.key for c in columns for p in c.panels}
    notes = [line for text in _together(runs, asked if panels is not None else None) for line in wrapped(text, wide)]
    notes += wrapped(hint, wide) if panels is None and (hint := _hint([run for _, run in runs])) else []
    heading = clean(title, 120) if title else ""
    told = ", ".join(f"{clean(name, 60)}: {_summary(run)}" if name else _summary(run) for name, run in runs)
    sheet = compose(
        "history", drawing, (wide, high), _pieces(runs, columns, drawing), title=heading, name=f"Training: {told}",
        notes=notes, description=told, tables=[t for name, run in runs for t in _tables(name, run)],
        plain=partial(tell_history, columns),
    )  # fmt: skip
    return Picture(sheet, theme)


def _checked(history: Any) -> list[tuple[str, History]]:
    runs = list(history.items()) if isinstance(history, Mapping) else [("", history)]
    if not runs:
        raise ValueError("draw_history was given an empty dict: there is no run to draw.")
    if len(runs) > _RUNS:
        raise ValueError(f"draw_history draws up to {_RUNS} runs in one picture, and got {len(runs)}: draw fewer.")
    for name, run in runs:
        where = f" under {clean(name)!r}" if isinstance(history, Mapping) else ""
        if not isinstance(run, History):
            raise TypeError(
                f"draw_history takes what fit gave, a History, or a dict {{title: History}}, not "
                f"{type(run).__name__}{where}; a saved one is read by History.load(path)."
            )
        if not run.epochs:
            raise ValueError(f"the history{where} has no epochs to draw; its run ended so: {clean(run.ended, 300)}.")
    return [(str(name), run) for name, run in runs]


# --- what each panel shows --------------------------------------------------------------------------------------------


def _column(name: str, run: History) -> Column:
    epochs = [e.epoch for e in run.epochs]
    looks = [report.epoch if report.epoch is not None else i for i, report in enumerate(run.health, 1)]
    lo, hi = min([*epochs, *looks]), max([*epochs, *looks])
    guides = []
    if run.best_epoch is not None:
        best = next((e for e in run.epochs if e.epoch == run.best_epoch), None)
        kept = "" if best is None or best.val_loss is None else f", validation loss {number(best.val_loss)}"
        short = f"epoch {run.best_epoch}"
        guides.append(Guide(run.best_epoch, (f"weights kept: {short}{kept}", f"weights kept: {short}", short), "best"))
    if broke := _broke(run):
        hi = max(hi, broke)
        guides.append(Guide(broke, (f"no finite number in epoch {broke}", "not finite"), "broke", None))
    elif run.ended == "interrupted":
        guides.append(Guide(epochs[-1], ("interrupted",), "ended", "1 3"))
    xlim = (float(lo), float(hi)) if hi > lo else (lo - 0.5, hi + 0.5)
    return Column(name, _panels(run, epochs, looks), xlim, guides)


def _broke(run: History) -> int | None:
    """The epoch in which a number was not finite and the run broke off, if it did."""
    import re

    bad = next((e.epoch for e in run.epochs if not math.isfinite(e.loss)), None)
    what = re.search(r"(?:became (?:nan|-?inf)|not finite|holds (?:nan|-?inf))", run.ended)
    where = re.search(r"in epoch (\d{1,9})|of epoch (\d{1,9})", run.ended)
    if bad is None and what and where:
        return int(where[1] or where[2])
    return bad


def _panels(run: History, epochs: list[int], looks: list[int]) -> list[Panel]:
    def column(measure: str) -> list[float | None]:
        return [None if v is None else float(v) for v in run[measure]]

    def pair(measure: str) -> list[Series]:
        there = [m for m in (measure, f"val_{measure}") if m in run.metrics or m in MEASURES]
        both = [Series("validation", epochs, column(m), dash="6 4") if m.startswith("val_")
                else Series("training", epochs, column(m)) for m in there]  # fmt: skip
        return [s for s in both if _any(s.ys)]

    losses = pair("loss")
    if usual(penalty := column("penalty")) and any(usual(penalty)):
        losses.append(Series("penalty", epochs, penalty, GREY, "2 3"))
    name = run.settings.get("loss")
    heading = f"loss: {clean(name, 40)}" if isinstance(name, str) and "<" not in name else "loss"
    panels = [
        Panel("loss", heading, losses, 176.0, "auto"),
        Panel("accuracy", "accuracy", pair("accuracy"), percent=True),
    ]
    for metric in dict.fromkeys(m.removeprefix("val_") for m in run.metrics):
        lines = (
            pair(metric)
            if metric in run.metrics
            else [Series("validation", epochs, column(f"val_{metric}"), dash="6 4")]
        )
        panels.append(Panel(f"metric {metric}", clean(metric, 40), lines))
    styles = _styles(run)
    panels += [
        _norms(run, epochs, column("grad_norm"), looks, styles), _updates(run, looks, styles),
        _units(run, looks, "dead"), _units(run, looks, "saturated"),
    ]  # fmt: skip
    rates = column("lr")
    changes = len(set(usual(rates))) > 1
    panels.append(Panel("lr", "learning rate", [Series("lr", epochs, rates)], 84.0, "auto", worth=changes))
    return [p for p in panels if any(_any(s.ys) for s in p.series)]


def _any(values: Sequence[float | None]) -> bool:
    return any(v is not None for v in values)


def _styles(run: History) -> dict[str, tuple[str, str | None]]:
    """How the line of each parameter is drawn, the same in every panel."""
    names = dict.fromkeys(name for report in run.health for name in report.updates)
    flows = dict.fromkeys(g.name for report in run.health for g in report.gradients if g.kind == "parameter")
    return {name: STYLES[i % len(STYLES)] for i, name in enumerate({**names, **flows})}


def _norms(run: History, epochs: list[int], total: list[float | None], looks: list[int], styles: Any) -> Panel:
    lines = [Series("all parameters", epochs, total, wide=2.75)] if _any(total) else []
    seen = [{g.name: g.norm for g in report.gradients if g.kind == "parameter"} for report in run.health]
    names = [n for n in styles if any(n in norms for norms in seen)]
    weights = [n for n in names if n.endswith("weight")] or names
    for name in weights[: _NAMED - 1] if len(weights) > 1 or not lines else []:
        colour, dash = styles[name]
        lines.append(Series(clean(name, 22), looks, [norms.get(name) for norms in seen], colour, dash, 1.5))
    more = f"and {len(weights) - _NAMED + 1} more" if len(weights) > _NAMED - 1 else ""
    return Panel("grad_norm", "gradient norm, on the last batch of each epoch", lines, 112.0, "yes", more=more)


def _updates(run: History, looks: list[int], styles: Any) -> Panel:
    """The lines; where there are many, those have labels that are furthest from -3 in the end."""
    seen = {name: [report.updates.get(name) for report in run.health] for name in styles}
    seen = {name: ys for name, ys in seen.items() if _any(ys)}

    def off(name: str) -> float:
        v = next((v for v in reversed(seen[name]) if v is not None), HEALTHY)
        return math.inf if math.isnan(v) else abs(v - HEALTHY)

    named = set(sorted(seen, key=off, reverse=True)[:_NAMED])
    lines = []
    for name, ys in seen.items():
        colour, dash = styles[name]
        lines.append(Series(clean(name, 22), looks, ys, colour, dash, 1.75, faint=name not in named))
    more = f"and {len(seen) - _NAMED} nearer to −3" if len(seen) > _NAMED else ""
    band = (HEALTHY - WITHIN, HEALTHY + WITHIN, HEALTHY, "healthy near −3")
    return Panel("updates", "update ratio: log10 of step over weights", lines, 140.0, band=band, more=more)


def _units(run: History, looks: list[int], what: str) -> Panel:
    """Which share of each layer's units is dead, or of its activations saturated."""
    layers = dict.fromkeys(h.name for report in run.health for h in report.layers)
    shares: dict[str, list[float | None]] = {name: [] for name in layers}
    total: list[float | None] = []
    for report in run.health:
        found = {h.name: (_share(h, what), len(h)) for h in report.layers}
        for name in layers:
            shares[name].append(found[name][0] if name in found else None)
        count = sum(n for _, n in found.values())
        total.append(sum(s * n for s, n in found.values()) / count if count else None)
    some = {name: ys for name, ys in shares.items() if any(usual(ys))}
    lines = []
    for i, (name, ys) in enumerate(some.items()):
        colour, dash = STYLES[i % len(STYLES)]
        lines.append(Series(clean(name, 22), looks, ys, colour, dash, faint=i >= _NAMED))
    hidden = max(0, len(some) - _NAMED)
    rest = f"and {hidden} more" if hidden else ""
    if lines and len(layers) > len(some):
        rest += (", " if rest else "") + "other layers: 0 %"
    lines = lines or [Series("all layers", looks, total)]
    heading = "dead units, share of each layer" if what == "dead" else "saturated, share of each layer's activations"
    area = (Series("all layers", looks, total), HATCH if what == "dead" else DOTS)
    return Panel(what, heading, lines, 92.0, percent=True, area=area, more=rest, worth=bool(some))


def _share(h: Any, what: str) -> float:
    return float(h.dead.mean() if what == "dead" else h.saturated_share.mean()) if len(h) else 0.0


# --- what is said -----------------------------------------------------------------------------------------------------


def _together(runs: Sequence[tuple[str, History]], asked: Set[str] | None) -> list[str]:
    """What is said of the runs, once for all of which it is true."""
    said: dict[str, list[str]] = {}
    for name, run in runs:
        for text in _notes(run, asked):
            said.setdefault(text, []).append(clean(name, 60))
    return [f"{', '.join(names)}: {text}" if len(names) < len(runs) else text for text, names in said.items()]


def _notes(run: History, asked: Set[str] | None) -> list[str]:
    """How the run was set up and how it ended, and what was not finite in the panels `asked` for."""
    s = run.settings
    parts = [f"{len(run):,} epoch{'' if len(run) == 1 else 's'}"]
    if isinstance(s.get("optimizer"), str):
        parts.append(clean(s["optimizer"], 30))
    if isinstance(s.get("lr"), (int, float)):
        parts.append(f"lr {s['lr']:g}")
    if isinstance(s.get("schedule"), str):
        parts.append(f"schedule {clean(s['schedule'], 30)}")
    if isinstance(s.get("batch_size"), int):
        parts.append(f"batches of {s['batch_size']:,}")
    lines = [", ".join(parts) + ("." if run.ended == "finished" else f". Ended: {clean(run.ended, 400)}.")]
    bad = []
    for measure in ("loss", "val_loss", *run.metrics):
        kind = measure.removeprefix("val_")
        if asked is not None and not {kind, f"metric {kind}"} & asked:
            continue
        odd = [e for e, v in zip(run["epoch"], run[measure], strict=True) if v is not None and not math.isfinite(v)]
        if odd:
            where = f"epoch {odd[0]}" if len(odd) == 1 else f"{len(odd):,} epochs from {odd[0]} on"
            bad.append(f"{clean(measure, 40)} in {where}")
    if bad:
        lines.append(f"Not a finite number: {'; '.join(bad)}.")
    known = usual(run["loss"]) if asked is None or "loss" in asked else []
    if min(known, default=0.0) < 0 < max(known):
        lines.append("The loss falls below 0, so its scale is not logarithmic.")
    if len(run) > DENSE:
        lines.append(f"Thick lines are means of {5 * len(run) / DENSE:.0f} epochs, thin ones show each extreme.")
    units = asked is None or "dead" in asked or "saturated" in asked
    if units and run.health and not any(h.dead.any() or h.saturated_share.any() for r in run.health for h in r.layers):
        lines.append(f"No unit was dead or saturated {on(run.health[-1].examples)}.")
    return lines


def _hint(runs: Sequence[History]) -> str:
    """How to measure what these runs did not."""
    hints = []
    if not any(_any(run["val_loss"]) for run in runs):
        hints.append("validation curves: fit(..., validation_data=(X, y))")
    if not any(run.health for run in runs):
        hints.append("update ratios, dead and saturated units: fit(..., callbacks=[health.HealthMonitor()])")
    return f"Not measured: {'; '.join(hints)}." if hints else ""


def _pieces(runs: Sequence[tuple[str, History]], columns: Sequence[Column], drawing: Sequence[Raw]) -> list[Piece]:
    reports = [report for _, run in runs for report in run.health]
    counts = {r.examples for r in reports}
    where = f" {on(*counts)}: activation never above 0" if len(counts) == 1 else ""
    there = {p.key for c in columns for p in c.panels if p.worth}
    filled = any(p.area for c in columns for p in c.panels)
    pieces = []
    if "dead" in there:
        text = f"share of all units that is dead{where}"
        pieces.append(patterned(HATCH, text, cross(9.5, 0, 8)) if filled else said(text))
    if "saturated" in there:
        text = (
            f"share of all activations that is saturated: {' or '.join(sorted({saturates(r.flat) for r in reports}))}"
        )
        pieces.append(patterned(DOTS, text, square(9.5, 0, 7)) if filled else said(text))
    if any(' data-mark="endless"' in part.markup for part in drawing):
        pieces.append(said("▲ ▼ beyond the edge: infinite, or 0 on a log scale"))
    return pieces


def _summary(run: History) -> str:
    first, last = run.epochs[0], run.epochs[-1]
    text = f"{len(run):,} epoch{'' if len(run) == 1 else 's'}, loss {number(float(first.loss))}"
    text += f" to {number(float(last.loss))}" if len(run) > 1 else ""
    if last.accuracy is not None and math.isfinite(last.accuracy):
        text += f", accuracy {number(100 * last.accuracy)} %"
    return text + ("" if run.ended == "finished" else f"; ended: {clean(run.ended, 200)}")


def _tables(name: str, run: History) -> list[Table]:
    """Everything in full: a row an epoch, an update, a layer."""
    of = f" of {clean(name, 200)}" if name else ""
    measures = [m for m in vars(run.epochs[0]) if m != "metrics" and (m == "epoch" or _any(run[m]))]
    measures += run.metrics
    columns = [run[m] for m in measures]
    tables = [Table(f"Epochs{of}", tuple(clean(m, 200) for m in measures), list(zip(*columns, strict=True)))]
    updates = dict.fromkeys(n for r in run.health for n in r.updates)
    if updates:
        rows = [(r.epoch, *(r.updates.get(n) for n in updates)) for r in run.health]
        head = ("epoch", *(clean(n, 200) for n in updates))
        tables.append(Table(f"Update ratios{of}: log10 of std(update) over std(weights)", head, rows))
    norms = [(r.epoch, clean(g.name, 200), g.kind, g.norm) for r in run.health for g in r.gradients]
    if norms:
        tables.append(Table(f"Gradient norms{of}", ("epoch", "of", "kind", "norm"), list(norms)))
    units = [
        (r.epoch, clean(h.name, 200), clean(h.activation, 200), len(h), int(h.dead.sum()), _share(h, "dead"),
         _share(h, "saturated"))
        for r in run.health for h in r.layers
    ]  # fmt: skip
    if units:
        head = ("epoch", "layer", "activation", "units", "dead units", "dead share", "saturated share")
        tables.append(Table(f"Units{of}", head, list(units)))
    return tables
