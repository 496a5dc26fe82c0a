"""The exercises: as shipped every check fails and says that there is a hole; the model solutions pass; typical mistakes
are told in the words meant for them."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from micrograd_nn.cli.tutorial._source import exercises_of, tutorials

EXERCISES = Path(__file__).parents[2] / "tutorials" / "exercises"
SOLUTIONS = Path(__file__).parent / "solutions"
MISTAKES = Path(__file__).parent / "mistakes"
NUMBERS = [int(file.stem[-2:]) for file in sorted(EXERCISES.glob("test_exercise_*.py"))]
each = pytest.mark.parametrize("number", NUMBERS)

# Beside the solutions: each mistake in turn takes the place of some functions, and its check must fail with its words.
WRONG = """
import inspect
import exercise_{n:02d} as yours
import pytest
import test_exercise_{n:02d} as checks
from mistakes_{n:02d} import MISTAKES

@pytest.mark.parametrize("k", range(len(MISTAKES)))
def test_mistake(k, request, monkeypatch):
    name, functions, words = MISTAKES[k]
    for function, wrong in functions.items():
        assert hasattr(yours, function), function
        monkeypatch.setattr(yours, function, wrong)
    check = getattr(checks, name)
    fixtures = {{name: request.getfixturevalue(name) for name in inspect.signature(check).parameters}}
    with pytest.raises(pytest.fail.Exception) as failed:
        check(**fixtures)
    assert " ".join(words.split()) in " ".join(str(failed.value).split())
"""


def said(folder):
    """What pytest says of each test in `folder`: {file::test: (outcome, the words it failed with)}."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--color=no", "-W", "error",
         "-c", "/dev/null", "--rootdir", folder, folder],
        cwd=folder, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stdout + run.stderr
    words = dict(re.findall(r"^_+ (\S+) _+\n(.*?)(?=^_{3,} |^={3,} )", run.stdout, re.MULTILINE | re.DOTALL))
    found = re.findall(r"^(PASSED|FAILED) (\S+)::(\S+)", run.stdout, re.MULTILINE)
    return {f"{file}::{name}": (outcome, words.get(name, "")) for outcome, file, name in found}


def put(folder, answers):
    """The exercises as somebody has them before them, with the files of `answers` in place of those with holes."""
    for file in (*EXERCISES.glob("test_*.py"), EXERCISES / "marking.py", *answers.glob("exercise_*.py")):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def with_holes(tmp_path_factory):
    return said(put(tmp_path_factory.mktemp("holes"), EXERCISES))


@pytest.fixture(scope="module")
def with_solutions(tmp_path_factory):
    return said(put(tmp_path_factory.mktemp("solutions"), SOLUTIONS))


@pytest.fixture(scope="module")
def with_mistakes(tmp_path_factory):
    folder = put(tmp_path_factory.mktemp("mistakes"), SOLUTIONS)
    for n in NUMBERS:
        shutil.copy(MISTAKES / f"exercise_{n:02d}.py", folder / f"mistakes_{n:02d}.py")
        (folder / f"test_mistakes_{n:02d}.py").write_text(WRONG.format(n=n), encoding="utf-8")
    return said(folder)


def checks(number):
    """The names of the checks of a tutorial's exercises."""
    source = (EXERCISES / f"test_exercise_{number:02d}.py").read_text(encoding="utf-8")
    return re.findall(r"^def (test_\w+)", source, re.MULTILINE)


def exercises(names):
    """Which exercises these checks are of: test_2_the_slope is of the second."""
    return {int(name.split("_")[1]) for name in names}


def loaded(file):
    spec = importlib.util.spec_from_file_location(f"{file.parent.name}_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_tutorial_has_two_to_four_exercises_and_tells_what_they_are():
    for tutorial in tutorials():
        n = tutorial.number
        assert all(file.is_file() for file in exercises_of(n)), tutorial.path.name
        listed = re.findall(r"^(\d)\. ", tutorial.cells[-1].text, re.MULTILINE)
        assert exercises(checks(n)) == set(map(int, listed)) == set(range(1, len(listed) + 1)), tutorial.path.name
        assert 2 <= len(listed) <= 4
        for word in (f"micrograd-nn tutorial {n} --exercises", f"exercise_{n:02d}.py", f"pytest -m tutorial_{n}"):
            assert word in " ".join(tutorial.cells[-1].text.split()), (tutorial.path.name, word)


@each
def test_with_the_holes_as_shipped_every_check_fails_and_says_where_the_hole_is(number, with_holes):
    for name in checks(number):
        outcome, words = with_holes[f"test_exercise_{number:02d}.py::{name}"]
        assert outcome == "FAILED"
        assert "hole" in words
        assert "Error" not in words


@each
def test_the_model_solution_passes_every_check(number, with_solutions):
    for name in checks(number):
        outcome, words = with_solutions[f"test_exercise_{number:02d}.py::{name}"]
        assert outcome == "PASSED", words


@each
def test_a_typical_mistake_in_each_exercise_is_told_in_words_for_it(number, with_mistakes):
    mistakes = loaded(MISTAKES / f"exercise_{number:02d}.py").MISTAKES
    assert exercises(name for name, _, _ in mistakes) == exercises(checks(number))
    for k, (name, _, words) in enumerate(mistakes):
        outcome, why = with_mistakes[f"test_mistakes_{number:02d}.py::test_mistake[{k}]"]
        assert outcome == "PASSED", f"{name} should have said {words!r}:\n{why}"


@each
def test_the_solution_has_the_names_that_the_exercise_asks_for(number):
    holes, solved = (set(vars(loaded(place / f"exercise_{number:02d}.py"))) for place in (EXERCISES, SOLUTIONS))
    assert holes <= solved


@each
def test_the_checks_carry_the_markers_of_their_tutorial(number):
    marks = {mark.name for mark in loaded_checks(number).pytestmark}
    assert marks == {"exercise", f"tutorial_{number}"}


def loaded_checks(number):
    sys.path.insert(0, str(EXERCISES))
    try:
        return loaded(EXERCISES / f"test_exercise_{number:02d}.py")
    finally:
        sys.path.remove(str(EXERCISES))


def test_there_is_a_marker_for_each_tutorial(pytestconfig):
    markers = {line.split(":")[0] for line in pytestconfig.getini("markers")}
    assert {name for name in markers if name.startswith("tutorial_")} == {f"tutorial_{t.number}" for t in tutorials()}
