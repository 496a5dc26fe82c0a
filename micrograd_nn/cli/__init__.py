"""The command line: train a network, look at its health, draw it, compare many runs, check gradients, read."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import micrograd_nn as mg
from micrograd_nn import data, run
from micrograd_nn.cli import _check, _draw, _health, _sweep, _train, _tutorial
from micrograd_nn.cli._options import Formatter, Parser, Patient, complain

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, 1 wrong gradients, 2 input it cannot work on, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name must not end a run where it cannot be shown
    out: Any = Patient(sys.stdout)
    err: Any = Patient(sys.stderr)
    with redirect_stdout(out), redirect_stderr(err):
        return _status(argv)


def _status(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        with run.ended_like_ctrl_c():
            status: int = arguments.command(arguments)
        return status
    except data.DataError as error:
        return complain(str(error))
    except MemoryError:
        return complain("that needs more memory than there is: use fewer or smaller layers.")
    except OSError as error:
        return complain(f"{error.filename or 'writing the files'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        return complain("interrupted.", 130)


def _parser() -> Parser:
    parser = Parser(
        prog="micrograd-nn", description="A small, exact, readable engine for neural networks.",
        formatter_class=Formatter, epilog="micrograd-nn COMMAND --help says what a command can do.",
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"micrograd-nn {mg.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (_train, _health, _draw, _sweep, _check, _tutorial):
        part.add_command(commands)
    return parser
