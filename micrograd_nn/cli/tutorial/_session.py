"""Running a tutorial: its cells, one after the other, in names of its own."""

from __future__ import annotations

import ast
import io
import sys
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass
from types import CodeType
from typing import Any

from micrograd_nn.cli.tutorial._source import Cell, Tutorial

__all__ = ["Output", "Session"]


@dataclass(frozen=True, slots=True)
class Output:
    """What a cell gave: what it printed, the value of the expression it ends with (None if it ends otherwise), and
    the traceback of the error that ended it, as text."""

    printed: str = ""
    value: Any = None
    error: str = ""


class Session:
    """One walk through a tutorial. Cells of code are run in order; `names` is what they have defined so far."""

    def __init__(self, tutorial: Tutorial) -> None:
        self.tutorial = tutorial
        self.names: dict[str, Any] = {"__name__": "__main__", "__doc__": None}

    def run(self, cell: Cell) -> Output:
        """Run a cell of code as if it stood alone in its file, so that errors name the file's lines.

        Never raises but for KeyboardInterrupt; a cell that leaves the program has ended with an error, too.
        """
        from threadpoolctl import threadpool_limits

        printed, value = io.StringIO(), None
        try:
            body, last = self._compiled(cell)
            with threadpool_limits(1, "blas"), redirect_stdout(printed):  # small arrays: more threads only wait
                exec(body, self.names)
                if last is not None:
                    value = eval(last, self.names)
        except (Exception, SystemExit):
            return Output(printed.getvalue(), None, self._told())
        return Output(printed.getvalue(), value)

    def _compiled(self, cell: Cell) -> tuple[CodeType, CodeType | None]:
        """The statements of a cell, and the expression that it ends with, apart."""
        file = str(self.tutorial.path)
        tree = ast.parse("\n" * (cell.line - 1) + cell.text, file)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr):
            return compile(tree, file, "exec"), None
        del tree.body[-1]
        return compile(tree, file, "exec"), compile(ast.Expression(last.value), file, "eval")

    def _told(self) -> str:
        """The traceback from the cell on: our own frames tell a reader nothing."""
        _, error, trace = sys.exc_info()
        while trace is not None and trace.tb_frame.f_code.co_filename != str(self.tutorial.path):
            trace = trace.tb_next
        assert error is not None
        return "".join(traceback.format_exception(type(error), error, trace)).rstrip()
