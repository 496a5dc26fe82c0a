"""A user's own file, run as Python code: what it prints, changes or raises does no harm to the command that runs it."""

from __future__ import annotations

import importlib.util
import io
import linecache
import os
import random
import sys
import sysconfig
import tokenize
import traceback
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import micrograd_nn
from micrograd_nn.data import DataError
from micrograd_nn.op import REGISTRY

__all__ = ["UserFile", "loaded"]

SAID = 4000  # bytes of what a file prints that are shown: a print in a forward pass is made thousands of times
ELSEWHERE = (sysconfig.get_path("stdlib"), os.path.dirname(os.path.abspath(micrograd_nn.__file__)))
GUARD = 'put that under if __name__ == "__main__":'


class Overheard(io.RawIOBase):
    """What a user's file prints: it goes to stderr, so that stdout holds the report alone, and not for ever."""

    left, last = SAID, b"\n"

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Pass it on, as long as there is room."""
        text = bytes(data)
        shown, self.left = text[: max(self.left, 0)], self.left - len(text)
        if shown:
            sys.stderr.write(shown.decode("utf-8", "replace"))
            self.last = shown[-1:]
            if self.left < 0:
                self.end_line()
                sys.stderr.write("… (more of what the file prints is left out)\n")
        return len(text)

    def end_line(self) -> None:
        """End the last line, if something stands in it."""
        if self.last != b"\n":
            sys.stderr.write("\n")
            self.last = b"\n"


class UserFile:
    """A file that was run: `shown` is how it was given, `module` its name, `names` all that it defines."""

    def __init__(self, shown: str, seed: int) -> None:
        self.shown, self.seed = shown, seed
        self.path = os.path.abspath(shown)
        self.folder = self.root = os.path.dirname(self.path)  # the root holds the package that the file is in, if any
        self.module = ""
        self.names: dict[str, Any] = {}
        self.ops = set(REGISTRY.values())  # that were there before it
        self.heard = Overheard()

    @contextmanager
    def running(self, what: str = "") -> Iterator[None]:
        """Whatever the user's code raises in here becomes a DataError of one line: where, and what.

        `what` is said where no line of the user's has a part in it. The same seed gives the same numbers in code that
        draws from the global generators, too.
        """
        np.random.seed(self.seed % 2**32)  # noqa: NPY002 - the user's code has it, until `loaded` puts it back
        random.seed(self.seed)
        out: Any = io.TextIOWrapper(self.heard, encoding="utf-8", errors="replace", write_through=True)
        try:
            with (
                redirect_stdout(out),
                redirect_stderr(sys.stderr),
                warnings.catch_warnings(),
                np.errstate(all="ignore"),
            ):
                warnings.simplefilter("ignore")
                yield
        except (KeyboardInterrupt, DataError):
            raise
        except BaseException as error:  # SystemExit, and whatever else a file may raise
            raise DataError(self.told(error, what)) from None
        finally:
            with suppress(ValueError):  # the file may have closed it
                out.detach()
            self.heard.end_line()

    def told(self, error: BaseException, what: str) -> str:
        """An error in one line: the line of the user's own that it came from, and what it is."""
        where, message = self.place(error), _message(error)
        if isinstance(error, SystemExit):
            return f"{where or self.shown}: sys.exit() ended it: {GUARD}"
        if isinstance(error, EOFError) and "reading a line" in message:
            return f"{where or self.shown}: it waits for input(): {GUARD}"
        if isinstance(error, NameError) and "get_ipython" in message:
            message += ": it comes from a notebook, whose lines with % or ! are no Python: delete them"
        if isinstance(error, ImportError) and "relative import" in message:
            message += ": its folder needs an __init__.py for that"
        where = where or (f"{self.shown}::{what}" if what else self.shown)
        return f"{where}: {type(error).__name__}{': ' if message else ''}{message}"

    def place(self, error: BaseException) -> str:
        """The last line of the user's own that an error came through: where, and what is written there."""
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            return f"{self.said(error.filename)}, line {error.lineno}"
        own = [(f.f_code, line) for f, line in traceback.walk_tb(error.__traceback__) if self.own(f.f_code.co_filename)]
        if not own:
            return ""
        code, line = own[-1]
        text = linecache.getline(code.co_filename, line).strip()
        text = text if len(text) <= 80 else f"{text[:79]}…"
        inside = "" if code.co_name.startswith("<") else f" in {code.co_name}"
        return f"{self.said(code.co_filename)}, line {line}{inside}{f', `{text}`' if text else ''}"

    def own(self, file: str) -> bool:
        """Is it the user's file, or another that came with it?"""
        return file == self.path or (
            file.startswith(os.path.join(self.root, ""))
            and "site-packages" not in Path(file).parts
            and not any(file.startswith(os.path.join(other, "")) for other in ELSEWHERE)
        )

    def said(self, file: str) -> str:
        """A file as the user would call it."""
        return os.path.join(os.path.dirname(self.shown), os.path.relpath(file, self.folder))


def _message(error: BaseException) -> str:
    """The words of an error; of a SyntaxError without the place, which is told otherwise."""
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # it is user code, like all the rest
        return ""


@contextmanager
def loaded(shown: str, seed: int) -> Iterator[UserFile]:
    """Run the file, its folder first on the path, and keep it loaded; afterwards everything is as it was before.

    Its `__name__` is not "__main__", so that part of it does not run. Raises DataError where it cannot be run.
    """
    file = UserFile(shown, seed)
    source = _source(file)
    package: list[str] = []
    while os.path.isfile(os.path.join(file.root, "__init__.py")):  # in a package: imports with a dot must work
        package.insert(0, os.path.basename(file.root))
        file.root = os.path.dirname(file.root)
    file.module = ".".join([*package, Path(shown).stem])
    if file.module in sys.modules or file.module in sys.stdlib_module_names:
        file.module = f"_checked_{Path(shown).stem}"
    with ExitStack() as stack:
        for restore in _now(file):
            stack.callback(restore)
        sys.path[:0] = dict.fromkeys((file.folder, file.root))
        sys.argv, sys.stdin, sys.dont_write_bytecode = [shown], io.StringIO(), True
        os.environ.setdefault("MPLBACKEND", "Agg")  # no window to wait for
        spec: Any = importlib.util.spec_from_file_location(file.module, file.path)
        module = sys.modules[file.module] = importlib.util.module_from_spec(spec)
        file.names = vars(module)
        with file.running():
            exec(compile(source, file.path, "exec", dont_inherit=True), file.names)
        yield file


def _now(file: UserFile) -> Iterator[Any]:
    """Functions that put back what user code may change, and what is changed for it."""
    drawn, drawn_too = np.random.get_state(), random.getstate()  # noqa: NPY002
    yield lambda: (np.random.set_state(drawn), random.setstate(drawn_too))  # noqa: NPY002
    argv, stdin, writes, path = sys.argv, sys.stdin, sys.dont_write_bytecode, list(sys.path)

    def back() -> None:
        sys.argv, sys.stdin, sys.dont_write_bytecode, sys.path[:] = argv, stdin, writes, path

    yield back
    for contents in (REGISTRY, os.environ):
        yield partial(_refill, contents, dict(contents))
    yield partial(os.chdir, os.getcwd())
    modules = set(sys.modules)

    def forget() -> None:  # the next file may mean other modules by the same names
        for name in set(sys.modules) - modules:
            if file.own(getattr(sys.modules[name], "__file__", None) or ""):
                del sys.modules[name]
        linecache.checkcache()

    yield forget


def _refill(contents: Any, with_: dict[str, Any]) -> None:
    contents.clear()
    contents.update(with_)


def _source(file: UserFile) -> str:
    shown, path = file.shown, Path(file.path)
    if path.suffix == ".ipynb":
        raise DataError(f"{shown} is a notebook: export it (jupyter nbconvert --to script), and check that .py file.")
    if path.is_dir():
        raise DataError(f"{shown} is a folder: give a file in it.")
    if not path.exists():
        raise DataError(f"there is no file {shown}.")
    if path.suffix != ".py":
        raise DataError(f"{shown} is no Python file: its name should end in .py.")
    try:
        with tokenize.open(path) as text:
            return text.read()
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror or error}.") from None
    except (UnicodeDecodeError, SyntaxError):  # or an encoding is declared that there is not
        raise DataError(f"{shown} is not UTF-8 text: save it as UTF-8, or declare its encoding in line 1.") from None
