"""The exercises: as shipped every check fails and says that there is a hole; the model solutions pass; typical mistakes
are told in the words meant for them."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "tutorials" / "exercises"
SOLUTIONS = Path(__file__).parent / "solutions"
MISTAKES = Path(__file__).parent / "mistakes"
NUMBERS = [int(file.stem[-2:]) for file in sorted(EXERCISES.glob("test_exercise_*.py"))]


def marked(folder, *options):
    """What pytest says of the exercises in `folder`: the outcome and the words of each check."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--tb=short", "--color=no", "-W", "error",
         "-c", "/dev/null", "--rootdir", folder, *options, folder],
        cwd=folder, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    return run.stdout


def copied(number, folder, answers):
    """The exercise as somebody has it before them, with the file of `answers` in place of the one with holes."""
    for file in (EXERCISES / f"test_exercise_{number:02d}.py", EXERCISES / "marking.py"):
        shutil.copy(file, folder)
    shutil.copy(answers / f"exercise_{number:02d}.py", folder)
    return folder


def checks(number):
    """The names of the checks."""
    lines = (EXERCISES / f"test_exercise_{number:02d}.py").read_text(encoding="utf-8").splitlines()
    return [line[4 : line.index("(")] for line in lines if line.startswith("def test_")]


def test_each_tutorial_has_exercises_of_its_own():
    from micrograd_nn.cli.tutorial._source import exercises_of, tutorials

    for tutorial in tutorials():
        assert all(file.is_file() for file in exercises_of(tutorial.number)), tutorial.path.name
        assert 2 <= len({name.split("_")[1] for name in checks(tutorial.number)}) <= 4, tutorial.path.name


@pytest.mark.parametrize("number", NUMBERS)
def test_with_the_holes_as_shipped_every_check_fails_and_says_where_the_hole_is(number, tmp_path):
    said = marked(copied(number, tmp_path, EXERCISES), "-m", f"tutorial_{number}")
    for name in checks(number):
        assert f"FAILED test_exercise_{number:02d}.py::{name}" in said, said
    assert said.count("hole") >= len(checks(number)), said
    assert "passed" not in said
    assert "Error:" not in said, said


@pytest.mark.parametrize("number", NUMBERS)
def test_the_model_solution_passes_every_check(number, tmp_path):
    said = marked(copied(number, tmp_path, SOLUTIONS), "-m", f"tutorial_{number}")
    for name in checks(number):
        assert f"PASSED test_exercise_{number:02d}.py::{name}" in said, said
    assert "failed" not in said


@pytest.mark.parametrize("number", NUMBERS)
def test_the_solution_has_the_names_that_the_exercise_asks_for(number):
    holes, solved = (names_in(folder / f"exercise_{number:02d}.py") for folder in (EXERCISES, SOLUTIONS))
    assert holes <= solved


def names_in(file):
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name for name in vars(module) if not name.startswith("_")}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_typical_mistake_is_told_in_words_for_it(number, tmp_path):
    """Each mistake replaces some functions of the model solution; the check must fail and say what was planned."""
    mistakes = names_of_mistakes(number)
    assert {name.split("_")[1] for name, _ in mistakes} == {name.split("_")[1] for name in checks(number)}
    for i, (check, words) in enumerate(mistakes):
        folder = tmp_path / str(i)
        folder.mkdir()
        copied(number, folder, SOLUTIONS)
        shutil.copy(MISTAKES / f"exercise_{number:02d}.py", folder / "mistakes.py")
        (folder / "conftest.py").write_text(
            f"import exercise_{number:02d} as yours\nfrom mistakes import MISTAKES\n"
            f"for name, function in MISTAKES[{i}][1].items():\n    assert hasattr(yours, name)\n"
            "    setattr(yours, name, function)\n",
            encoding="utf-8",
        )
        said = marked(folder, "-k", check)
        assert f"FAILED test_exercise_{number:02d}.py::{check}" in said, (check, words, said)
        assert " ".join(words.split()) in " ".join(said.split()), (check, words, said)


def names_of_mistakes(number):
    spec = importlib.util.spec_from_file_location(f"mistakes_{number}", MISTAKES / f"exercise_{number:02d}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(check, words) for check, _, words in module.MISTAKES]


def test_the_markers_are_those_of_the_tutorials_there_are(pytestconfig):
    marks = {line.split(":")[0] for line in pytestconfig.getini("markers") if line.startswith("tutorial_")}
    from micrograd_nn.cli.tutorial._source import tutorials

    assert marks == {f"tutorial_{tutorial.number}" for tutorial in tutorials()}
