"""What pytest gains: the fixture and marker `gradcheck`, `--gradcheck-thorough`, a failed report shown in full, and
the markers of the tutorials' exercises.

pytest loads this in every run of an environment that has micrograd_nn in it, so nothing more is imported until a test
checks a gradient. `-p no:micrograd_nn` leaves it out.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

if TYPE_CHECKING:
    from micrograd_nn.checking import GradcheckReport

__all__ = ["Gradcheck", "gradcheck"]

AT_WORK = pytest.StashKey[pytest.Item]()  # the test that is running; kept in the configuration, as runs can be nested
TUTORIALS = 10  # whose exercises have markers
SHOWN = 3  # reports at most for one failed assertion


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("micrograd_nn", "checking gradients").addoption(
        "--gradcheck-thorough", action="store_true",
        help="the gradcheck fixture looks at every coordinate, and at second derivatives of functions of nodes",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "gradcheck(**options): options that the gradcheck fixture checks this test's gradients with, such as rtol=1e-6 "
        "or allow_kinks=True. Every test that uses the fixture has the marker: -m gradcheck selects them.",
    )
    config.addinivalue_line("markers", "exercise: a check of a tutorial's exercise, which fails until that is done.")
    for n in range(1, TUTORIALS + 1):
        config.addinivalue_line("markers", f"tutorial_{n}: a check of an exercise of tutorial {n}.")


def pytest_report_header(config: pytest.Config) -> str | None:
    thorough = config.getoption("gradcheck_thorough")
    return "gradcheck: thorough (every coordinate, and second derivatives)" if thorough else None


@pytest.hookimpl(tryfirst=True)  # before -m picks tests by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "gradcheck" in getattr(item, "fixturenames", ()):
            item.add_marker("gradcheck")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.config.stash[AT_WORK] = item
    try:
        return (yield)
    finally:
        del item.config.stash[AT_WORK]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    marks = list(item.iter_markers("gradcheck"))
    if not any(mark.args or mark.kwargs for mark in marks):
        return
    from micrograd_nn.checking import gradcheck

    known = _options(gradcheck)
    for mark in marks:
        if mark.args or not known.issuperset(mark.kwargs):
            given = [*map(repr, mark.args), *(name for name in mark.kwargs if name not in known)]
            pytest.fail(
                f"@pytest.mark.gradcheck takes the options of mg.gradcheck, by name ({', '.join(sorted(known))}), "
                f"not {', '.join(given)}.",
                pytrace=False,
            )
    if "gradcheck" not in getattr(item, "fixturenames", ()) and any(m.kwargs for m in item.own_markers if m in marks):
        pytest.fail(
            f"{item.name} is marked with options for the fixture `gradcheck`, and does not use it, so that they would "
            f"change nothing: take it as an argument, `def {item.name}(gradcheck):`.",
            pytrace=False,
        )


def _options(check: Callable[..., Any]) -> set[str]:
    """The names of a check's own options; whatever else it is given by name goes to the function it checks."""
    return {p.name for p in inspect.signature(check).parameters.values() if p.kind is p.KEYWORD_ONLY}


class Gradcheck:
    """`mg.gradcheck` and, as `.backward`, `mg.check_backward`, with the options of the test that is running."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def __repr__(self) -> str:
        return "gradcheck"

    def __call__(self, f: Any, *inputs: Any, **options: Any) -> GradcheckReport:
        """`mg.gradcheck(f, *inputs, ...)`: a report, or GradcheckError."""
        __tracebackhide__ = True
        from micrograd_nn.checking import gradcheck

        return self._run(gradcheck, {"order": 2}, (f, *inputs), options)

    def backward(self, forward: Any, backward: Any, *inputs: Any, **options: Any) -> GradcheckReport:
        """`mg.check_backward(forward, backward, *inputs, ...)`: a report, or GradcheckError."""
        __tracebackhide__ = True
        from micrograd_nn.checking import check_backward

        return self._run(check_backward, {}, (forward, backward, *inputs), options)

    def _run(
        self, check: Callable[..., GradcheckReport], thorough: dict[str, Any], args: Any, options: dict[str, Any]
    ) -> GradcheckReport:
        """Run a check: the call's own options come first, then the closest marker's, then those of the command line.

        Only the budget is the command line's to say: thorough is every coordinate.
        """
        __tracebackhide__ = True
        from micrograd_nn.checking import GradcheckError

        item, known = self.config.stash.get(AT_WORK, None), _options(check)
        if item is None:
            raise RuntimeError("the gradcheck fixture works while a test is running, and now none is.")
        seed = crc32(item.name.encode()) % 10_000
        settings: dict[str, Any] = {"rng": seed, "progress": False}
        if self.config.getoption("gradcheck_thorough"):
            settings |= thorough
        for mark in reversed(list(item.iter_markers("gradcheck"))):  # the closest last
            settings |= {name: value for name, value in mark.kwargs.items() if name in known}
        settings |= options
        if self.config.getoption("gradcheck_thorough"):
            settings["max_coordinates"] = None  # all of them
        try:
            return check(*args, **settings)
        except GradcheckError as error:
            if settings["rng"] == seed:
                error.add_note(f"(to see this outside pytest: rng={seed}, which comes from the test's name)")
            raise


@pytest.fixture(scope="session")  # so that Hypothesis has nothing against it; what belongs to a test is looked up
def gradcheck(pytestconfig: pytest.Config) -> Gradcheck:
    """mg.gradcheck, and as gradcheck.backward mg.check_backward, for this test.

    `gradcheck(f, *inputs)` raises GradcheckError when a gradient is wrong. Random choices depend on the test's name
    alone. Options: those of the call, of @pytest.mark.gradcheck(...), and --gradcheck-thorough.
    """
    return Gradcheck(pytestconfig)


# A failed `assert report` says no more than the report's repr, on one line and cut short. What the report says in full
# goes with the exception as a note, which pytest shows right below, whatever the style of its tracebacks.


def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> None:
    kind = getattr(sys.modules.get("micrograd_nn.checking"), "GradcheckReport", None)
    if call.excinfo is not None and kind is not None:
        for error in _single(call.excinfo.value):
            said = str(error)
            for text in map(str, _failed_reports(error, kind)):
                if text not in said and text not in getattr(error, "__notes__", ()):
                    error.add_note(text)


def _single(error: BaseException) -> Iterator[AssertionError]:
    """The failed assertions of an exception, which can be a group."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _single(one)
    elif isinstance(error, AssertionError):
        yield error


def _failed_reports(error: AssertionError, kind: type[GradcheckReport]) -> list[GradcheckReport]:
    """The reports of failed checks that the assertion was about: those it names, and those it made on its way."""
    if error.__traceback__ is None:  # never raised by itself: put into a group
        return []
    for entry in reversed(pytest.ExceptionInfo.from_exception(error).traceback):
        frame = entry.frame
        helper = "__unittest" in frame.f_globals  # assertTrue(expr) and its like
        source = frame.code.fullsource
        statement = str(source.getstatement(entry.lineno)) if source is not None else ""
        named = dict.fromkeys(frame.f_locals if helper else re.findall(r"[^\W\d]\w*", statement))
        values = [v for k, v in frame.f_locals.items() if k.startswith("@py_")]  # pytest's own, cleared where it passed
        values += [frame.f_locals.get(name, frame.f_globals.get(name)) for name in named]
        found: list[GradcheckReport] = []
        for value in values:
            for one in (
                value if isinstance(value, (list, tuple)) else value.values() if type(value) is dict else [value]
            ):
                if isinstance(one, kind) and not one and not any(one is other for other in found):
                    found.append(one)
        if found or not helper:
            return found[:SHOWN]
    return []
