"""What a report holds, how it reads, and that it travels."""

import copy
import functools
import json
import math
import pickle

import numpy as np
import pytest

from micrograd_nn import Tensor, nn
from micrograd_nn import functional as F
from micrograd_nn.checking import GradcheckError, GradcheckReport, Row, check_backward, gradcheck
from micrograd_nn.checking._report import figures
from micrograd_nn.op import REGISTRY, Op

look = functools.partial(check_backward, raise_on_error=False)
RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(30, 20)), RNG.normal(size=(20, 10))


def half_affine(g, x, w):
    return g @ w.T / 2, x.T @ g


def failing():
    return look(lambda x, w: x @ w, half_affine, X, W)


def reports():
    """One of every kind."""
    x = np.array([0.0, 1.0, -1.0])
    wrong = Op("wrong_tanh", np.tanh, lambda g, out, a: g * (1 + out * out))
    del REGISTRY[wrong.name]
    quiet = functools.partial(gradcheck, raise_on_error=False)
    yield "ok", quiet(F.tanh, X)
    yield "one entry", quiet(F.tanh, 2.0)
    yield "wrong", failing()
    yield "op", quiet(nn.Sequential(nn.Linear(20, 3, rng=0), wrong, nn.Linear(3, 1, rng=0)), X)
    yield "kink", quiet(F.relu, x)
    yield "kink allowed", quiet(F.relu, x, allow_kinks=True)
    yield "undefined", look(np.sqrt, lambda g, x: g, np.array([1.0, -1.0, np.nan]))
    yield "NaN returned", look(np.tanh, lambda g, x: g * np.nan, x)
    yield "inf returned", look(np.tanh, lambda g, x: g * np.inf, x)
    yield "shape", look(np.tanh, lambda g, x: g[:2], x)
    yield "two shapes", look(lambda a, b: a + b, lambda g, a, b: (g.sum(), g.sum(0)), X, X)
    yield "random", look(lambda x: x * RNG.random(3), lambda g, x: g, x)
    yield "ignored", look(np.tanh, lambda g, x: 1 - np.tanh(x) ** 2, x)
    yield "sample", quiet(F.tanh, X, max_coordinates=50)
    yield "order 2", quiet(lambda x: wrong(F.square(x)), x, order=2)
    yield "float32", quiet(lambda x: F.tanh(x.astype(np.float32)), X)
    yield "left the graph", quiet(lambda x: float(x.data.sum()), x)
    yield "tiny and huge", look(lambda x: x * 1.0, lambda g, x: g * (1 + 1e-6), np.array([1e-300, -0.0, 1e300]))


REPORTS = dict(reports())
each = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


@each
def test_a_report_is_short_and_fits_a_terminal(report):
    lines = str(report).splitlines()
    assert len(lines) <= 20
    assert all(len(line) <= 120 for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert len(repr(report).splitlines()) == 1
    assert len(repr(report)) <= 120
    assert ("ok" in lines[0].split(" - ")[0]) == bool(report)


@each
def test_a_report_goes_through_json_unchanged(report):
    told = report.to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["ok"] == report.ok == bool(report)
    assert told["checked"] == report.checked
    assert len(told["rows"]) == len(report.rows)
    assert sum(told["verdicts"].values()) == len(report.rows)
    assert set(told) == {
        "subject", "ok", "checked", "coordinates", "projections", "rtol", "atol", "verdicts", "problems", "cause",
        "diagnosis", "blame", "notes", "rows",
    }  # fmt: skip
    for row in told["rows"]:
        assert set(row) == {
            "input", "index", "order", "verdict", "analytic", "numeric", "error_bar", "left", "right", "note",
        }  # fmt: skip


@each
def test_a_report_travels(report):
    if report.blame is None:  # an op of one's own has to be registered where it arrives
        for twin in (pickle.loads(pickle.dumps(report)), copy.deepcopy(report)):
            assert str(twin) == str(report)
            assert twin.to_dict() == report.to_dict()
        error = pickle.loads(pickle.dumps(GradcheckError(report)))
        assert str(error) == str(report)
        assert error.report.to_dict() == report.to_dict()
    assert str(copy.copy(report)) == str(report)


@each
def test_a_report_is_ok_only_when_every_row_is(report):
    if report.ok:
        assert not report.problems
        assert all(r.verdict == "ok" or (report.allow_kinks and r.between) for r in report.rows)
        assert report.cause == report.diagnosis == ""
        assert report.blame is None
    else:
        assert report.problems or any(r.verdict != "ok" for r in report.rows)
    assert {r.verdict for r in report.rows} <= {"ok", "wrong", "not differentiable", "undefined", "not checked"}


def test_a_table_of_the_five_worst_and_how_many_more():
    report = failing()
    assert report.count("wrong") == X.size
    lines = str(report).splitlines()
    assert lines[0] == "gradcheck of f: FAILED - checked all 800 entries: 600 wrong"
    assert lines[2].split("  ")[1:] != []
    assert lines[2].split() == ["entry", "verdict", "returned", "differences", "±", "error", "bar", "off", "by"]
    assert [line.split()[2] for line in lines[3:8]] == ["wrong"] * 5
    assert [line.split()[-1] for line in lines[3:8]] == ["50.0%"] * 5
    assert lines[8] == "  ... and 595 more"
    assert report.diagnosis in str(report).replace("\n  ", " ")


def test_the_worst_come_first():
    report = look(
        lambda x: x * 1.0, lambda g, x: g * (1 + np.array([0, 1e-3, 0.5, 0.0, np.nan])), np.array([1.0, 2, 3, 4, 5])
    )
    assert [r.index[0] for r in report.worst(3)] == [4, 2, 1]
    assert len(report.worst()) == 5
    assert report.worst(0) == []
    assert [r.verdict for r in report.worst()] == ["wrong"] * 3 + ["ok"] * 2


def test_of_entries_that_are_as_far_off_the_largest_come_first():
    report = look(lambda x: x**2 * np.arange(1, 7), lambda g, x: g * x * np.arange(1, 7), np.ones(6))
    sizes = [abs(r.numeric) for r in report.worst(6)]
    assert sizes == sorted(sizes, reverse=True)


def test_kinks_show_the_slope_from_either_side():
    text = str(REPORTS["kink"])
    (row,) = [r for r in REPORTS["kink"].rows if r.verdict == "not differentiable"]
    assert f"{figures(row.left)} | {figures(row.right)}" in text
    assert "lies between them" in text
    assert "100" not in text


def test_one_note_for_all_rows_that_it_is_about():
    report = look(np.log, lambda g, x: g / x, np.array([1.0, -1.0, -2.0]))
    assert str(report).count("has no slope here") == 1
    assert "x[1], x[2]: " in str(report)


def test_rows_are_frozen_and_hold_plain_numbers():
    row = failing().rows[0]
    assert isinstance(row, Row)
    with pytest.raises(AttributeError):
        row.verdict = "ok"
    for value in (row.analytic, row.numeric, row.error_bar):
        assert type(value) is float
    assert (row.input, row.index, row.order, row.left) == ("x", (0, 0), 1, None)
    assert all(type(i) is int for i in row.index)


def test_how_far_off_a_row_is():
    row = functools.partial(Row, "x", (), error_bar=0.0, verdict="ok")
    assert row(analytic=1.0, numeric=2.0).off == 0.5
    assert row(analytic=-2.0, numeric=2.0).off == 2.0
    assert row(analytic=0.0, numeric=-0.0).off == 0.0
    assert row(analytic=math.nan, numeric=1.0).off == math.inf
    assert row(analytic=1.0, numeric=2.0).between is None
    assert row(analytic=1.0, numeric=0.5, left=0.0, right=1.0).between is True
    assert row(analytic=1.1, numeric=0.5, left=1.0, right=0.0).between is False


def test_names_are_printed_as_they_are():
    for name in ("a name with spaces", "[bold]w[/bold]", "<b>w</b>", "w%s{}", "σ"):
        report = gradcheck(lambda x: float(x.data.sum()), Tensor(X[0, :2], name=name), raise_on_error=False)
        assert str(report).splitlines()[3].startswith(f"  {name}[0] ")
        assert report.rows[0].input == name


def test_a_long_module_is_named_shortly():
    model = nn.Sequential(*(nn.Linear(2, 2, rng=0) for _ in range(12)))
    assert repr(gradcheck(model, X[:2, :2])) == "<gradcheck of Sequential(...): ok - checked all 76 entries: all right>"


def test_a_notebook_shows_the_table():
    class Printer:
        def text(self, s):
            self.shown = s

    printer = Printer()
    failing()._repr_pretty_(printer, False)
    assert printer.shown == str(failing())


def test_an_empty_report_is_no_failure_of_its_own():
    assert GradcheckReport([])
    assert not GradcheckReport([], problems=("broken",))
