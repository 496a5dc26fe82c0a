"""`micrograd-nn draw`: a picture of an expression, of a trained run or of a wiring; in the terminal or as a file."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

from micrograd_nn import data
from micrograd_nn.cli._options import add_parser, complain, count, number, one_of, say
from micrograd_nn.cli._subjects import KINDS, drawn, refuse, subject
from micrograd_nn.expression import FUNCTIONS, ExpressionError

__all__ = ["add_command"]

DESCRIPTION = f"""\
Draws the graph of an expression with every value, gradient and local derivative; or what a trained run is doing; or \
the wiring in a Network's file. Without --save or --open the picture is text, for the terminal.

An expression has names, numbers, + - * / **, brackets and functions. It is parsed, never run as Python. Every name \
needs a value from --set; parts can be named: "n = w*x + b; tanh(n)". The functions:
{fill(", ".join(FUNCTIONS), 76, initial_indent="  ", subsequent_indent="  ")}
"""
EXAMPLES = """
  micrograd-nn draw "tanh(w1*x1 + w2*x2 + b)" --set w1=-3,x1=2,w2=1,x2=0,b=6.88
  micrograd-nn draw "a*a + relu(a)" --set a=2 --save picture.svg
  micrograd-nn draw runs/moons-1
  micrograd-nn draw runs/moons-1 --detail scalar --example 3 --neurons 0,2 --open
  micrograd-nn draw runs/moons-1 --as boundary -o boundary.svg -o boundary.png
  micrograd-nn draw wiring.json --open

exit status: 0 all right, 2 something cannot be drawn (stderr says what), 130 interrupted
"""
SHOWN = 70  # characters of an expression around a mistake

whole = number(int, lambda n: n >= 0, "a whole number of at least 0")


def names(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise argparse.ArgumentTypeError(f"there is no name in {text!r:.60}")
    return found


def neurons(text: str) -> tuple[str | int, ...]:
    return tuple(int(name) if name.isascii() and name.isdigit() else name for name in names(text))


def assignments(text: str) -> list[tuple[str, float]]:
    """`name=value,name=value`."""
    found = []
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            found.append((name, float(value if name and value.isascii() else "")))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{part.strip()!r:.60} is not a name and a number, as in w1=-3,x1=2"
            ) from None
    return found


def add_command(commands: Any) -> None:
    parser = add_parser(
        commands, "draw", "draw an expression, a trained network or a wiring, in the terminal or as a file",
        DESCRIPTION, "micrograd-nn draw EXPRESSION|RUN|FILE.json [OPTION ...]", EXAMPLES,
    )  # fmt: skip
    parser.add_argument(
        "what", metavar="EXPRESSION|RUN|FILE.json",
        help="an expression in quotes; a run folder, as micrograd-nn train leaves it; or a Network's file",
    )  # fmt: skip
    group = parser.add_argument_group
    formula, picture, look, where = map(group, ("expressions", "runs", "how it is drawn", "where it goes"))
    formula.add_argument(
        "--set", type=assignments, action="append", default=[], metavar="NAME=VALUE,...", dest="given",
        help="values for the names; may be repeated",
    )  # fmt: skip
    formula.add_argument("--no-grad", action="store_true", help="only values, no backward pass")
    picture.add_argument(
        "--as", type=one_of(KINDS, "kind of picture"), default="graph", metavar="KIND", dest="kind",
        help="graph (default): layers or numbers; network: neurons and weights; health: dead and saturated units; "
        "lifetimes: health over the epochs; boundary: decisions over two features; history: loss and accuracy; "
        "activations: functions and where units are on them",
    )  # fmt: skip
    picture.add_argument("--example", type=whole, metavar="N", help="the test example whose numbers are shown")
    picture.add_argument(
        "--neurons", type=neurons, metavar="N,NAME", help="these are opened: a number in each layer, or a name"
    )
    for name, kind, metavar, text in (
        ("detail", one_of(("module", "tensor", "scalar"), "detail"), "DETAIL",
         "module: a box a layer; tensor: a box an operation on arrays; scalar: a box a number (default: the finest "
         "that fits)"),
        ("depth", count, "N", "modules nested this deep are one box each"),
        ("budget", count, "N", "the most boxes; what is more is folded, and the picture says so"),
        ("direction", one_of(("LR", "TB"), "direction"), "LR|TB", "left to right, or top to bottom"),
        ("theme", one_of(("light", "dark", "print", "auto"), "theme"), "THEME",
         "light, dark, print, or auto: a .svg or .html that follows its reader's system"),
        ("title", str, "TEXT", "a heading"),
        ("highlight", names, "NAME,NAME", "what is to stand out, by its name or its module's path"),
        ("style", one_of(("tree", "diagram"), "style"), "STYLE",
         "in the terminal: tree or diagram (default: a diagram where it fits)"),
    ):  # fmt: skip
        look.add_argument(f"--{name}", type=kind, metavar=metavar, help=text)
    for name in ("values", "gradients", "local_derivatives"):
        word = name.removeprefix("local_")
        look.add_argument(
            f"--no-{word}", action="store_false", default=None, dest=name, help=f"leave out {name.replace('_', ' ')}"
        )
    where.add_argument(
        "-o", "--save", type=Path, action="append", default=[], metavar="FILE",
        help="write the picture; the ending says as what: .svg, .png, .pdf, .html, .dot, .mermaid, .graphml, .json or "
        ".tikz; may be repeated",
    )  # fmt: skip
    where.add_argument("--open", action="store_true", help="show it in the browser, as a page to look around in")
    read: Callable[..., tuple[argparse.Namespace, list[str]]] = parser.parse_known_args

    def parse(args: list[str], *rest: Any) -> tuple[argparse.Namespace, list[str]]:
        # "-x**2" is no option: what begins with a blank, argparse takes as it is.
        found, more = read([f" {a}" if re.match(r"-[^-oh]|-[oh][^/.]*[-+*/(]", a) else a for a in args], *rest)
        if more:
            values, option = "values go together, as in --set a=1,b=2", "there is no such option"
            why = option if more[0].startswith("-") else values if "=" in more[0] else "an expression goes in quotes"
            parser.error(f"{more[0].strip()!r:.60} is too much: {why}")
        return found, more

    parser.parse_known_args = parse  # type: ignore[method-assign, assignment]
    parser.set_defaults(command=draw)


@np.errstate(all="ignore")  # 1/0 is inf, and is drawn
def draw(arguments: argparse.Namespace) -> int:
    for target in arguments.save:
        check_ending(target)
    try:
        make, tell = subject(arguments)
        if not arguments.save and not arguments.open:
            say(written_for(tell(), sys.stdout.encoding))
            return 0
        refuse(arguments, ("style",), "is for the terminal: leave out --save and --open.")
        with drawn():
            picture = make()
    except ExpressionError as error:
        complain(str(error))
        if error.text.strip():
            print("\n".join(pointed_at(error, sys.stderr.encoding)), file=sys.stderr, flush=True)
        return 2
    pages = save(picture, arguments.save)
    if arguments.open:
        show(picture, pages)
    return 0


def check_ending(target: Path) -> None:
    """Raise DataError for an ending that there is no format for, before anything is done."""
    from viz.export._formats import ENDINGS, FORMATS

    if target.suffix.lower() not in ENDINGS:
        raise data.DataError(f"cannot save a picture as {target}: the ending must be one of {', '.join(FORMATS)}.")


def save(picture: Any, targets: list[Path]) -> list[Path]:
    """Write the picture to each; returns the pages among them."""
    for target in targets:
        try:
            with drawn():
                picture.save(target)
        except OSError as error:
            why = f"{target} cannot be written: {error.strerror}." if error.strerror else str(error)
            raise data.DataError(why) from None
    if targets:
        say(f"Saved in {', '.join(map(str, targets))}.")
    return [target for target in targets if target.suffix.lower() in (".html", ".htm")]


def show(picture: Any, pages: list[Path]) -> None:
    """Open the picture's page in the browser; in a folder of its own where it was not saved."""
    import webbrowser

    if not pages:
        pages = [Path(tempfile.mkdtemp(prefix="micrograd-nn-")) / "picture.html"]
        with drawn():
            picture.save(pages[0])
    try:
        shown = webbrowser.open(pages[0].resolve().as_uri())
    except webbrowser.Error:
        shown = False
    say(f"{'Opened' if shown else 'There is no browser to show it: it is in'} {pages[0]}.")


def written_for(text: str, encoding: str | None) -> str:
    """`text`, in ASCII where the terminal cannot show it as it is."""
    from viz.terminal._terminal import in_ascii

    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return in_ascii(text)
    return text


def pointed_at(error: ExpressionError, encoding: str | None) -> list[str]:
    """The expression, or as much of it as there is room for, with a caret under the column of the error."""
    from rich.cells import cell_len

    from viz._text import clean

    at = error.column - 1
    start = max(0, at - SHOWN // 2)
    end = start + SHOWN
    encoding = encoding or "ascii"
    shown = clean(error.text[start:end], SHOWN).encode(encoding, "replace").decode(encoding)
    dots, more = "... " if start else "", " ..." if end < len(error.text) else ""
    return [f"  {dots}{shown}{more}", f"  {' ' * cell_len(dots + shown[: at - start])}^"]
