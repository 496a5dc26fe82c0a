"""What `micrograd-nn draw` is to draw: an expression, a run or a wiring; each can be drawn, and told in lines."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from micrograd_nn import data, nn, run
from micrograd_nn.cli import _saved
from micrograd_nn.expression import Expression, ExpressionError
from micrograd_nn.health import unit_health
from micrograd_nn.training import History

__all__ = ["KINDS", "drawn", "refuse", "subject"]

KINDS = ("graph", "network", "health", "lifetimes", "boundary", "history", "activations")
OF_RUN = ("example", "neurons")  # options that make sense for a run alone,
OF_EXPRESSION = ("given", "no_grad")  # for an expression alone,
OF_GRAPH = (
    "detail", *OF_RUN, "depth", "budget", "direction", "highlight", "values", "gradients", "local_derivatives", "style",
)  # fmt: skip
OF_FILES = ("direction", "theme")  # and for what is drawn, not told
SPELLED = {"given": "set", "local_derivatives": "no-derivatives", "values": "no-values", "gradients": "no-gradients"}
TITLE = 70  # characters of an expression that may stand above its picture

Subject = tuple[Callable[[], Any], Callable[[], str]]


def subject(arguments: argparse.Namespace) -> Subject:
    """A folder before a file, a file before an expression."""
    what = arguments.what = arguments.what.removeprefix(" ") if arguments.what.startswith(" -") else arguments.what
    if os.path.isdir(what):
        refuse(arguments, OF_EXPRESSION, f"is for expressions, and {what} is a folder.")
        return of_run(arguments, Path(what))
    if arguments.kind != "graph":
        raise data.DataError(f"--as {arguments.kind} is for a run, and there is no run folder {what:.60}.")
    refuse(arguments, OF_RUN, f"is for a run, and there is no run folder {what:.60}.")
    if os.path.isfile(what) and what.endswith(".json"):
        refuse(arguments, OF_EXPRESSION, f"is for expressions, and {what} is a file.")
        return of_wiring(arguments, what)
    return of_expression(arguments, what)


def of_expression(arguments: argparse.Namespace, text: str) -> Subject:
    try:
        expression = Expression(text)
    except ExpressionError:
        if os.path.isfile(text):
            raise data.DataError(f"{text} is a file, and neither a run folder nor a Network's .json.") from None
        if text.endswith(".json") or re.fullmatch(r"(?=.*[/\\])[\w./\\:~-]+", text):
            raise data.DataError(f"there is no run or file {text}.") from None
        raise
    root = expression(values_for(expression, arguments))
    if root.op is not None and root.name is None:
        root.name = "out"
    if root.requires_grad and not arguments.no_grad:
        root.backward()
    options = chosen(arguments, OF_GRAPH)
    if arguments.no_grad:
        options |= {"gradients": False}
    if arguments.title is None and len(text) <= TITLE:
        options["title"] = " ".join(text.split())
    return pictured(root, options)


def values_for(expression: Expression, arguments: argparse.Namespace) -> dict[str, float]:
    """A value for each name, from --set."""
    values: dict[str, float] = {}
    for name, value in (pair for pairs in arguments.given for pair in pairs):
        if name in values:
            raise data.DataError(f"--set gives {name:.40} twice.")
        values[name] = value
    missing = [name for name in expression.names if name not in values]
    example = ",".join(f"{name}={values.get(name, 1.0):.12g}" for name in expression.names)
    command = f'micrograd-nn draw "{expression.text}" --set {example}'
    hint = f": {command}" if len(command) < 200 else f": add --set {missing[0]:.40}=1" if missing else ""
    if missing:
        verb = "has no value" if len(missing) == 1 else "have no value"
        if re.fullmatch(r"\w[\w./\\-]*", expression.text) and not values:
            hint = f", and there is no run {expression.text}{hint}"
        raise data.DataError(f"{', '.join(missing):.120} {verb}{hint}")
    strange = [name for name in values if name not in expression.names]
    if strange:
        if strange[0] in expression.assigned:
            raise data.DataError(f"{strange[0]} is computed in the expression: leave it out of --set.")
        raise data.DataError(
            f"there is no {strange[0]:.40} in the expression, whose names are {', '.join(expression.names):.120}{hint}"
            if expression.names
            else f"there is no {strange[0]:.40} in the expression: it has no names at all."
        )
    return values


def of_wiring(arguments: argparse.Namespace, file: str) -> Subject:
    try:
        net = nn.Network.from_json(Path(file), 0)
    except RecursionError:
        raise data.DataError(f"{file}: it is no network, but brackets within brackets.") from None
    except (ValueError, TypeError) as error:
        where = "" if str(error).startswith(file) else f"{file}: "
        raise data.DataError(f"{where}{error}") from None
    return pictured(net, chosen(arguments, OF_GRAPH))


def of_run(arguments: argparse.Namespace, folder: Path) -> Subject:
    folder, kind = run.finished(folder), arguments.kind
    if kind != "graph":
        refuse(arguments, OF_GRAPH, f"is for graphs: leave it out, or --as {kind}.")
    if kind in ("history", "lifetimes"):
        history = History.load(folder / "history.json")
        if kind == "history":
            return charted("draw_history", arguments, history)
        if not history.health:
            raise data.DataError(f"{folder} has no health report of each epoch: --as health measures its units now.")
        return charted("draw_health", arguments, history)
    settings, saved = _saved.settings(folder)
    model = _saved.restored(folder, settings, saved)
    with _saved.whole(folder):
        own = _saved.experiment(settings, saved)
    X, y = own.X_test, own.y_test
    if arguments.example is not None and arguments.example >= len(X):
        raise data.DataError(f"--example {arguments.example}: the test has {len(X):,} examples, counted from 0.")
    if kind == "graph":
        options = chosen(arguments, OF_GRAPH)
        options.setdefault("title", f"{model!r} on the test of {own.dataset.stem}")
        return pictured(model, options | {"X": X, "y": y, "loss": own.loss})
    if kind == "health":
        with drawn():
            report = unit_health(model, X, y, own.loss)
        return charted("draw_health", arguments, report)
    if kind == "boundary":
        if X.shape[1] > 2:
            raise data.DataError(
                f"--as boundary is for data with two features, and these have {X.shape[1]}: a map has two axes."
            )
        return charted("draw_boundary", arguments, model, own.X, own.y, X_test=X, y_test=y)
    if kind == "network":
        return charted("draw_network", arguments, model, X, y, loss=own.loss)
    return charted("draw_activations", arguments, model, X)


def pictured(what: Any, options: dict[str, Any]) -> Subject:
    """`viz.draw`, and `viz.text`."""
    import viz

    told = {name: value for name, value in options.items() if name not in OF_FILES}
    seen = {name: value for name, value in options.items() if name != "style"}
    return lambda: viz.draw(what, **seen), telling(lambda **more: viz.text(what, **told, **more), options)


def charted(function: str, arguments: argparse.Namespace, *given: Any, **more: Any) -> Subject:
    """One of `viz`'s charts, and the same in characters."""
    import viz

    options = chosen(arguments, ())

    def make() -> Any:
        return getattr(viz, function)(*given, **more, **options)

    return make, telling(lambda **look: viz.text(make(), **look), options)


def telling(text: Callable[..., str], options: dict[str, Any]) -> Callable[[], str]:
    """What writes for the terminal, in colours where it shows them."""

    def tell() -> str:
        refused = [name for name in OF_FILES if name in options]
        if refused:
            raise data.DataError(f"--{refused[0]} is for pictures: add --save FILE or --open.")
        with drawn():
            return text(color=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))

    return tell


def chosen(arguments: argparse.Namespace, also: tuple[str, ...]) -> dict[str, Any]:
    """The options that were given, by the names `viz` has for them."""
    given = {name: getattr(arguments, name) for name in (*also, "theme", "title")}
    return {name: value for name, value in given.items() if value is not None}


def refuse(arguments: argparse.Namespace, options: tuple[str, ...], why: str) -> None:
    """Raise DataError where one of these options was given."""
    for name in options:
        if getattr(arguments, name) not in (None, [], False) or (name in SPELLED and getattr(arguments, name) is False):
            raise data.DataError(f"--{SPELLED.get(name, name).replace('_', '-')} {why}")


@contextmanager
def drawn() -> Iterator[None]:
    """What cannot be drawn, said on one line; any other error is a mistake of ours, and is not hidden."""
    from viz import LayoutError

    try:
        yield
    except (LayoutError, ValueError) as error:
        raise data.DataError(str(error)) from None
    except ImportError as error:
        if error.name is not None:  # Python's own, not the word on what to install
            raise
        raise data.DataError(str(error)) from None
