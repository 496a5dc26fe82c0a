"""What micrograd_nn adds to pytest, seen from outside: tests run by a pytest within the test, and what they print."""

import re
import sys
from importlib.metadata import entry_points

import numpy.random  # noqa: F401 - here once, not anew in each of the runs
import pytest

import micrograd_nn.checking
import micrograd_nn.testing  # noqa: F401

pytest_plugins = ["pytester"]

WRONG = """
    import numpy as np
    import pytest
    from micrograd_nn import Tensor
    from micrograd_nn import functional as F
    from micrograd_nn.checking import check_backward, gradcheck as check

    X = np.arange(1.0, 13.0).reshape(3, 4)

    def cube(x):
        return x**3

    def cube_backward(g, x):
        return 2 * g * 3 * x**2

    def failed():
        return check_backward(cube, cube_backward, X, raise_on_error=False)
"""


@pytest.fixture
def run(pytester):
    """Run the lines as a test file, warnings being errors, and give what pytest printed."""

    def run(lines, *options, head=WRONG, **outcomes):
        source = "\n".join(re.sub("^    ", "", part, flags=re.M) for part in (head, lines))
        pytester.makepyfile(test_it=source)
        result = pytester.runpytest("-W", "error", "--strict-markers", "-p", "no:cacheprovider", *options)
        result.assert_outcomes(**outcomes)
        return result.stdout.str()

    return run


def report():
    """The report that `failed()` gives."""
    names = {}
    exec(re.sub("^    ", "", WRONG, flags=re.M), names)
    return names["failed"]()


def whole(text, expected, times=1):
    """Whether the lines stand in the text, one below the other, behind whatever pytest puts before a line."""
    lines = [re.sub("^(E  )? *([\\w.]*GradcheckError: )?", "", line).rstrip() for line in text.splitlines()]
    wanted = [line.strip() for line in expected.splitlines()]
    places = [i for i in range(len(lines)) if lines[i : i + len(wanted)] == wanted]
    return len(places) == times


@pytest.fixture(autouse=True)
def _as_at_home(monkeypatch):
    """Where these are set, pytest's own summary at the end is not shortened, and says everything once more."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)


def test_pytest_finds_the_plugin():
    assert {e.value for e in entry_points(group="pytest11", name="micrograd_nn")} == {"micrograd_nn.pytest_plugin"}


# A failed report


ASSERTIONS = {
    "a name": "report = failed()\n        assert report",
    "a call": "assert failed()",
    "an attribute": "assert failed().ok",
    "another attribute": "report = failed()\n        assert report.cause == 'sign'",
    "an attribute of an object": "def box(): pass\n        box.report = failed()\n        assert box.report",
    "a global name": "globals()['REPORT'] = failed()\n        assert REPORT",
    "with others": "good, bad = check(F.exp, X), failed()\n        assert good and bad",
    "all of a list": "reports = [failed(), check(F.exp, X)]\n        assert all(reports)",
    "one of a dict": "reports = {'cube': failed()}\n        assert reports['cube']",
    "a message": "report = failed()\n        assert report, 'the backward pass of cube'",
    "itself as the message": "report = failed()\n        assert report, report",
    "its text as the message": "report = failed()\n        assert report, str(report)",
    "over several lines": "report = failed()\n        assert (\n            report\n            and X.size\n        )",
    "a helper": "def well(r):\n            assert r\n        well(failed())",
    "the error itself": "check_backward(cube, cube_backward, X)",
}


@pytest.mark.parametrize("lines", ASSERTIONS.values(), ids=ASSERTIONS)
def test_a_failed_assertion_shows_the_report_once_and_whole(run, lines):
    out = run(f"\n    def test_cube():\n        {lines}\n", failed=1)
    assert whole(out, str(report()))


def test_it_shows_the_worst_five_rows_and_the_diagnosis_and_no_dump(run):
    out = run("\n    def test_cube():\n        assert failed()\n", failed=1)
    worst = report().worst(5)
    assert len(re.findall(r"^E +x\[\d, \d\] +wrong ", out, flags=re.M)) == len(worst) == 5
    assert report().cause == "factor"
    assert "... and 7 more" in out
    assert "2.0x too large" in out
    assert "Row(" not in out
    assert "GradcheckReport(" not in out
    assert max(map(len, out.splitlines())) < 250


@pytest.mark.parametrize("option", ["--tb=short", "--tb=long", "--tb=native", "--showlocals", "-vv", "--assert=plain"])
def test_every_style_of_traceback_shows_it(run, option):
    out = run("\n    def test_cube():\n        report = failed()\n        assert report\n", option, failed=1)
    assert whole(out.split("short test summary")[0], str(report()))  # with -vv the summary has all messages once more


def test_unittest_shows_it_too(run):
    lines = """
    import unittest

    class TestCube(unittest.TestCase):
        def test_by_name(self):
            report = failed()
            self.assertTrue(report)

        def test_by_call(self):
            self.assertTrue(failed())
    """
    assert whole(run(lines, failed=2), str(report()), times=2)


def test_each_failure_of_a_group_shows_its_own(run):
    lines = """
    def test_cube():
        errors = [AssertionError("never raised")]
        try:
            assert failed()
        except AssertionError as error:
            errors.append(error)
        raise ExceptionGroup("two", errors)
    """
    out = run(lines, failed=1)
    assert out.count("<gradcheck of cube: FAILED") == 2  # pytest's own two lines
    assert out.count("... and 7 more") == 1


@pytest.mark.parametrize("lines", ["assert X.sum() < 0", "assert not check(F.exp, X)", "raise ValueError('no')"])
def test_a_failure_that_has_nothing_to_do_with_a_report_shows_none(run, lines):
    out = run(
        f"\n    def test_it():\n        report = failed()\n        assert not report\n        {lines}\n", failed=1
    )
    assert "... and 7 more" not in out


def test_an_error_is_shown_at_the_line_of_the_test_and_no_deeper(run):
    out = run(
        """
    def test_fixture(gradcheck):
        gradcheck.backward(cube, cube_backward, X)

    def test_function():
        check_backward(cube, cube_backward, X)
    """,
        failed=2,
    )
    assert out.count(">       ") == 2
    assert "_entry.py" not in out
    assert "pytest_plugin.py" not in out
    assert len(re.findall(r"^test_it\.py:\d+: GradcheckError", out, flags=re.M)) == 2


# The fixture


def test_the_fixture_is_gradcheck_and_check_backward(run):
    run(
        """
    from micrograd_nn.checking import GradcheckError, GradcheckReport

    def test_right(gradcheck):
        report = gradcheck(F.exp, X / 10)
        assert isinstance(report, GradcheckReport) and report.checked == 12

    def test_keywords_go_on_to_the_function(gradcheck):
        gradcheck(F.sum, X, axis=0)

    def test_right_by_hand(gradcheck):
        gradcheck.backward(cube, lambda g, x: g * 3 * x**2, X)

    def test_wrong(gradcheck):
        with pytest.raises(GradcheckError) as caught:
            gradcheck.backward(cube, cube_backward, X)
        assert caught.value.report.cause == "factor"

    def test_a_report_where_it_is_wanted(gradcheck):
        assert not gradcheck.backward(cube, cube_backward, X, raise_on_error=False)
    """,
        passed=5,
    )


def test_hypothesis_has_nothing_against_the_fixture(run):
    run(
        """
    from hypothesis import given, settings
    from micrograd_nn.testing import arrays, broadcast_shapes

    @settings(max_examples=5, database=None, deadline=None)
    @given(pair=arrays(broadcast_shapes()))
    def test_mul(gradcheck, pair):
        gradcheck(F.mul, *pair)
    """,
        passed=1,
    )


def test_hypothesis_shows_the_report_with_the_smallest_example(run):
    out = run(
        """
    from hypothesis import given, settings
    from micrograd_nn.testing import arrays

    @settings(database=None, deadline=None, derandomize=True)
    @given(x=arrays())
    def test_cube(gradcheck, x):
        gradcheck.backward(cube, lambda g, x: g * 3 * x * abs(x), x)
    """,
        failed=1,
    )
    assert "x=array(-1.)" in out
    assert out.count("gradcheck of cube: FAILED") == 1


DRAWN = """
    def test_{0}(gradcheck, request):
        rows = gradcheck(F.exp, np.linspace(-1, 1, 400), max_coordinates=5).rows
        print("{0}", [r.index for r in rows])
"""


def test_what_is_looked_at_depends_on_the_name_of_the_test_alone(run):
    def looked(out):
        return dict(re.findall(r"(a|b) (\[\(.*\])", out))

    first = looked(run(DRAWN.format("a") + DRAWN.format("b"), "-s", passed=2))
    again = looked(run(DRAWN.format("b") + "\n    np.random.seed(1)\n" + DRAWN.format("a"), "-s", passed=2))
    assert first == again
    assert first["a"] != first["b"]


def test_a_failure_names_the_seed_that_repeats_it(run):
    lines = "\n    def test_cube(gradcheck):\n        gradcheck.backward(cube, cube_backward, X{})\n"
    assert re.search(r"to see this outside pytest: rng=\d+", run(lines.format(""), failed=1))
    assert "outside pytest" not in run(lines.format(", rng=3"), failed=1)


# --gradcheck-thorough


THOROUGH = """
    def test_coordinates(gradcheck):
        print("coordinates", gradcheck(F.square, np.linspace(1, 2, 2010), order=1).checked)

    def test_a_budget_of_its_own(gradcheck):
        print("budget", gradcheck(F.square, np.linspace(1, 2, 60), max_coordinates=7).checked)

    def test_orders(gradcheck):
        print("orders", {r.order for r in gradcheck(F.exp, X / 10).rows})

    def test_first_order_by_its_own_wish(gradcheck):
        print("own", {r.order for r in gradcheck(F.exp, X / 10, order=1).rows})

    @pytest.mark.gradcheck(order=1)
    def test_first_order_by_marker(gradcheck):
        print("marked", {r.order for r in gradcheck(F.exp, X / 10).rows})

    def test_by_hand(gradcheck):
        print("by hand", {r.order for r in gradcheck.backward(cube, lambda g, x: 3 * g * x**2, X).rows})
"""


def test_thorough_is_every_coordinate_and_the_second_order(run):
    usual, thorough = run(THOROUGH, "-s", passed=6), run(THOROUGH, "-s", "--gradcheck-thorough", passed=6)
    assert "coordinates 2000" in usual
    assert "coordinates 2010" in thorough
    assert "budget 7" in usual
    assert "budget 60" in thorough
    assert "orders {1}" in usual
    assert "orders {1, 2}" in thorough
    for text in ("own {1}", "marked {1}", "by hand {1}"):
        assert text in usual
        assert text in thorough
    assert "gradcheck: thorough" in thorough
    assert "gradcheck: thorough" not in usual


def test_thorough_finds_what_only_the_second_derivative_shows(run):
    lines = """
    from micrograd_nn import Op

    plain = Op("plain_{}", lambda a: a * a, lambda g, out, a: 2 * g * np.asarray(a._data if hasattr(a, "_data") else a))

    def test_rule(gradcheck):
        gradcheck(plain, X)
    """
    run(lines.format("once"), passed=1)
    assert "order 2" in run(lines.format("twice"), "--gradcheck-thorough", failed=1)


# The marker


def test_the_marker_says_how_a_test_checks(run):
    lines = """
    def off(g, x):
        return g * 3 * x**2 * (1 + 1e-7)

    @pytest.mark.gradcheck(rtol=1e-6)
    def test_generous(gradcheck):
        gradcheck.backward(cube, off, X)

    def test_strict(gradcheck):
        gradcheck.backward(cube, off, X)

    @pytest.mark.gradcheck(rtol=1e-6)
    def test_the_call_has_the_last_word(gradcheck):
        gradcheck.backward(cube, off, X, rtol=1e-9)

    @pytest.mark.gradcheck(rtol=1e-6, order=2)
    class TestClosest:
        def test_class(self, gradcheck):
            gradcheck.backward(cube, off, X)

        @pytest.mark.gradcheck(rtol=1e-9)
        def test_function(self, gradcheck):
            gradcheck.backward(cube, off, X)

        def test_without(self):
            pass

    @pytest.mark.gradcheck(allow_kinks=True)
    def test_kink(gradcheck):
        gradcheck(F.relu, np.zeros(2))

    def test_no_kink(gradcheck):
        gradcheck(F.relu, np.zeros(2))
    """
    out = run(lines, "-rA", passed=4, failed=4)
    assert set(re.findall(r"FAILED \S+::(\w+) ", out)) == {
        "test_strict", "test_the_call_has_the_last_word", "test_function", "test_no_kink"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("gradcheck(tolerance=1e-6)", "not tolerance."),
        ("gradcheck(1e-6)", "not 1e-06."),
    ],
)
def test_a_marker_that_cannot_be_meant_is_refused(run, mark, message):
    out = run(f"\n    @pytest.mark.{mark}\n    def test_it(gradcheck):\n        pass\n", errors=1)
    assert "@pytest.mark.gradcheck takes the options of mg.gradcheck, by name (allow_kinks, atol, " in out
    assert message in out


def test_options_that_nobody_would_read_are_refused(run):
    out = run("\n    @pytest.mark.gradcheck(rtol=1e-6)\n    def test_it():\n        check(F.exp, X)\n", errors=1)
    assert "test_it is marked with options for the fixture `gradcheck`, and does not use it" in out
    assert "`def test_it(gradcheck):`" in out


def test_the_marker_selects_all_tests_of_gradients(run):
    lines = """
    def test_with_the_fixture(gradcheck):
        pass

    @pytest.mark.gradcheck
    def test_with_the_marker():
        check(F.exp, X)

    def test_other():
        pass
    """
    run(lines, "-m", "gradcheck", passed=2, deselected=1)
    run(lines, "-m", "not gradcheck", passed=1, deselected=2)


def test_markers_and_fixture_can_be_looked_up(pytester):
    assert (
        "@pytest.mark.gradcheck(**options): options that the gradcheck fixture"
        in pytester.runpytest("--markers").stdout.str()
    )
    assert "gradcheck [session scope]" in pytester.runpytest("--fixtures").stdout.str()
    assert "--gradcheck-thorough" in pytester.runpytest("--help").stdout.str()


# A guest in everybody's runs


def test_it_can_be_left_out(pytester):
    pytester.makepyfile("def test_other(): pass\ndef test_it(gradcheck): pass")
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:micrograd_nn")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*fixture 'gradcheck' not found*")


def test_nothing_heavy_is_imported_before_a_gradient_is_checked(pytester):
    pytester.makepyfile("""
        import sys

        def test_nothing_is_there_yet():
            heavy = {"micrograd_nn.checking", "micrograd_nn.testing", "micrograd_nn.training", "hypothesis",
                     "networkx", "rich", "numpy.random", "viz"}
            assert not heavy & set(sys.modules)
            assert 0 == 1
    """)
    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:hypothesispytest")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("E*assert 0 == 1")


def test_a_program_can_run_tests_again(pytester):
    pytester.makepyfile("def test_it(gradcheck): gradcheck(lambda x: x * x, 2.0)")
    script = "import sys, pytest; sys.exit(pytest.main(['-W', 'error', '-q']) or pytest.main(['-W', 'error', '-q']))"
    assert pytester.run(sys.executable, "-c", script).ret == 0
