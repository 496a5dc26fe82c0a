"""`micrograd-nn tutorial`: the list, reading step by step, what is remembered, and what it refuses, on one line."""

import contextlib
import io
import json
import os
import re
import sys
import webbrowser
from pathlib import Path

import pytest
from command import one_line
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograd_nn.cli import main
from micrograd_nn.cli.tutorial import _place, _site, _source
from micrograd_nn.cli.tutorial._look import Screen
from micrograd_nn.cli.tutorial._steps import Walk, steps_of

COUNTING = '''\
"""What stands before the first cell is no cell."""

# %% [markdown]
# # 1. Counting
#
# We *count*, with `n`. Then we stop.

# %% [markdown]
# ## Up
#
# We begin at 1.

# %%
n = 1
done = ["one"]
print("n:", n)

# %% [markdown]
# It is 1.
#
# **Predict.** What is n after `n = 3 * n`?

# %%
n = 3 * n
done.append("three")
print("n:", n)
assert n == 3

# %%
n += 10
print("n:", n)

# %% [markdown]
# ## Down
#
# Now the other way.

# %%
n -= 4
done.append("four")
print("n:", n, *done)

# %% [markdown]
# ## Exercises
#
# 1. Count on.
'''
FAILING = """\
# %% [markdown]
# # 2. Failing
#
# It fails.

# %%
zero = 0

# %%
print("before")
print(1 / zero)

# %%
print("after")
"""
PICTURED = """\
# %% [markdown]
# # 4. A picture

# %%
import micrograd_nn as mg
import viz

a = mg.Value(3.0, name="apples")
viz.draw(a * a, title="Apples, squared")

# %%
viz.draw(a + 1.0, title="One more")
"""
OUTPUTS = ["n: 1", "n: 3", "n: 13", "n: 9 one three four"]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder to be in, with three tutorials beside it, and nothing remembered."""
    shelf, here = tmp_path / "tutorials", tmp_path / "here"
    (shelf / "exercises").mkdir(parents=True)
    here.mkdir()
    for name, text in (("01_counting", COUNTING), ("02_failing", FAILING), ("04_pictured", PICTURED)):
        (shelf / f"{name}.py").write_text(text)
    for name in ("exercise_01", "test_exercise_01", "marking"):
        (shelf / "exercises" / f"{name}.py").write_text(f"# {name}\n")
    monkeypatch.setattr(_source, "folder", lambda: shelf)
    monkeypatch.setattr(_place, "file", lambda: tmp_path / "state" / "tutorials.json")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(here)
    return shelf


def said(typed, *arguments, status=0):
    """What is printed when these lines come from a pipe."""
    out, err, before = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(typed)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found = main(["tutorial", *arguments])
    finally:
        sys.stdin = before
    assert found == status, err.getvalue()
    assert status == 2 or err.getvalue() == ""
    out.flush()
    return out.buffer.getvalue().decode().replace(os.linesep, "\n")


def outputs(text):
    """What cells printed, in the order in which it was shown."""
    return re.findall(r"^  │ (.*)$", text, re.MULTILINE)


def counters(text):
    """The steps that were shown."""
    return [int(number) for number in re.findall(r" (\d+)/\d+ ─$", text, re.MULTILINE)]


def refused(capsys, *arguments):
    assert main(["tutorial", *arguments]) == 2
    return one_line(capsys)


def remembered():
    return json.loads(_place.file().read_text())


# The list


def test_the_list_tells_what_each_is_about_and_how_long_it_is(desk):
    text = said("")
    assert re.search(r"1  Counting ·+ 6 steps\n      We count, with n\.\n", text)
    assert re.search(r"2  Failing ·+ 3 steps\n      It fails\.\n", text)
    assert "micrograd-nn tutorial 1" in text
    assert max(map(len, text.split("\n"))) <= 80
    assert "\x1b" not in text


def test_the_list_tells_where_one_is(desk):
    said("\n\n", "1")
    assert re.search(r"Counting ·+ at step 3 of 6", said(""))
    said("\n" * 6, "1")
    text = said("")
    assert re.search(r"Counting ·+ done", text)
    assert "micrograd-nn tutorial 2" in text


# Stepping


def test_every_line_is_a_step_and_the_end_of_them_is_a_stop(desk):
    text = said("\n\n", "1")
    assert counters(text) == [1, 2, 3]
    assert outputs(text) == OUTPUTS[:1]
    assert "Stopped at step 3 of 6" in text
    assert "micrograd-nn tutorial 1" in text


def test_all_runs_to_the_end_and_leaves_the_place_alone(desk):
    text = said("", "1", "--all")
    assert counters(text) == [1, 2, 3, 4, 5, 6]
    assert outputs(text) == OUTPUTS
    assert not _place.file().exists()


def test_prose_and_code_are_plain_in_a_pipe(desk):
    text = said("", "1", "--all")
    assert "\x1b" not in text
    assert "  We count, with `n`. Then we stop." in text
    assert '    done = ["one"]\n' in text
    assert "What stands before" not in text


def test_a_guess_is_asked_for_before_the_code_and_shown_beside_the_result(desk):
    text = said("\n\n  it is 4\n", "1")
    question, code, guess, result = (text.index(t) for t in ("Predict.", "n = 3 * n\n", "You said: it is 4", "│ n: 3"))
    assert question < code < guess < result
    unasked = said("\n\n", "1", "--from-start")
    assert "Predict." in unasked
    assert "    n = 3 * n" not in unasked
    assert "You said" not in said("\n\n\n", "1", "--from-start")


def test_at_a_question_a_letter_is_an_answer_and_a_word_a_command(desk):
    assert "You said: b\n" in said("\n\nb\n", "1")
    assert counters(said("\n\nback\n", "1", "--from-start")) == [1, 2, 3, 2]
    assert counters(said("\nb\n", "1", "--from-start")) == [1, 2, 1]
    assert said("\n\ncode\n4\n", "1", "--from-start").count("    n = 3 * n\n") == 1


def test_back_shows_what_came_out_and_runs_nothing(desk, monkeypatch):
    monkeypatch.setattr(sys, "runs", 0, raising=False)
    (desk / "01_counting.py").write_text(COUNTING.replace("n = 1\n", "import sys; n = sys.runs = sys.runs + 1\n"))
    assert outputs(said("\n\nguess\nback\nback\n\n\n", "1")) == ["n: 1", "n: 3", "n: 3", "n: 1", "n: 3"]
    assert sys.runs == 1
    assert outputs(said("\n\nagain\nagain\n", "1", "--from-start")) == ["n: 2", "n: 3", "n: 4"]


def test_again_runs_a_cell_in_the_state_it_had(desk):
    text = said("\n\n\n\nagain\nagain\n\n", "1")
    assert outputs(text) == ["n: 1", "n: 3", "n: 13", "n: 13", "n: 13", OUTPUTS[3]]


def test_skip_runs_what_it_passes(desk):
    text = said("\nskip\n\n", "1")
    assert counters(text) == [1, 2, 5, 6]
    assert outputs(text) == [OUTPUTS[3]]
    assert outputs(said("\nskip\nback\nback\n", "1", "--from-start")) == ["n: 13", "n: 3"]
    assert "This is the last section." in said("skip\n" * 4, "1", "--from-start")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["", "", "", "back", "again", "skip", "?", "nonsense"]), max_size=25))
def test_numbers_are_the_same_whichever_way_one_walks(desk, words):
    text = said("".join(f"{word}\n" for word in words), "1", "--from-start")
    found = {}
    for block in re.split(r"(?=^── )", text, flags=re.MULTILINE):
        for number, shown in zip(counters(block), outputs(block)):
            found.setdefault(number, set()).add(shown)
    expected = dict(zip((2, 3, 4, 5), OUTPUTS))
    assert all(shown == {expected[number]} for number, shown in found.items())


def test_what_means_nothing_is_said_and_help_lists_the_words(desk):
    assert "nonsense means nothing here" in said("nonsense\n", "1")
    text = said("?\n", "1")
    assert all(word in text for word in ("back", "again", "skip", "try", "code", "quit"))
    assert "This is the first step." in said("back\n", "1")
    assert "No code has been run yet." in said("again\n", "1")
    assert "try needs a terminal" in said("try\n", "1")


def test_quit_stops_at_once(desk):
    assert counters(said("\nq\n\n\n", "1")) == [1, 2]
    assert counters(said("\n\nquit\n\n", "1", "--from-start")) == [1, 2, 3]


def test_a_value_that_is_no_picture_is_shown_as_python_shows_it(desk):
    (desk / "02_failing.py").write_text("# %% [markdown]\n# # 2. Values\n\n# %%\n'text'\n")
    assert outputs(said("", "2", "--all")) == ["'text'"]


@pytest.mark.parametrize("typed", [b"\xff\xfe\n\n\xff\n", "\n\n\x1b[31m∂\x00\n".encode()])
def test_odd_bytes_do_no_harm(desk, monkeypatch, typed):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
    assert main(["tutorial", "1"]) == 0


def test_a_terminal_that_knows_only_ascii_gets_ascii(desk, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["tutorial", "4", "--all"]) == 0
    sys.stdout.flush()
    text = raw.getvalue().decode("ascii")
    assert "-- 4. A picture --" in text
    assert "| apples  3.0 |" in text


# Errors


def test_an_error_is_shown_with_the_line_of_the_file_and_ends_with_1(desk):
    for typed, option in (("", ["--all"]), ("\n\n\n\n", [])):
        text = said(typed, "2", *option, status=1)
        assert "before" in outputs(text)
        assert "ZeroDivisionError: division by zero" in text
        assert f'"{desk / "02_failing.py"}", line 11' in text
        assert "after" not in text
        assert "micrograd_nn/cli" not in text


def test_a_mended_file_goes_on_where_it_failed(desk):
    said("\n\n", "2", status=1)
    (desk / "02_failing.py").write_text(FAILING.replace("1 / zero", "1 + zero"))
    text = said("\n\n", "2")
    assert counters(text) == [2, 3]
    assert outputs(text) == ["before", "1", "after"]


def test_a_cell_that_fails_on_the_way_is_shown(desk):
    text = said("\n", "2", "--at", "3", status=1)
    assert counters(text) == [2]
    assert "ZeroDivisionError" in text


def test_a_cell_cannot_end_the_program(desk):
    (desk / "02_failing.py").write_text(FAILING.replace("print(1 / zero)", "raise SystemExit(0)"))
    assert "SystemExit" in said("", "2", "--all", status=1)


def test_a_walk_reads_a_changed_file_again(desk):
    walk = Walk(_source.find(1))
    walk.run(4)
    file = desk / "01_counting.py"
    assert not walk.read_again()
    file.write_text(COUNTING.replace("n += 10", "n += 20"))
    assert walk.read_again()
    assert [result.output.printed for result in walk.results] == ["", "n: 1\n", "n: 3\n"]
    walk.run(3)
    assert walk.results[3].output.printed == "n: 23\n"


def test_an_interrupted_step_is_not_done(desk):
    walk = Walk(_source.find(1))
    walk.run(2)
    walk.steps[3] = walk.steps[3].__class__((), _source.Cell("code", "n = 0; raise KeyboardInterrupt", 1), "Up")
    with pytest.raises(KeyboardInterrupt):
        walk.run(3)
    assert len(walk.results) == 3
    walk.steps = steps_of(walk.tutorial)
    walk.run(3)
    assert walk.results[3].output.printed == "n: 13\n"


def test_a_walk_tells_what_it_runs_on_the_way(desk):
    walk, told = Walk(_source.find(1)), []
    walk.run(3, told.append)
    walk.run(4, told.append)
    walk.run(2, told.append)  # from the beginning: what comes later must not be in its names
    assert told == [1, 2, 3, 4, 1, 2]


# What is remembered


def test_it_goes_on_where_one_stopped(desk):
    said("\n\n\n", "1")
    text = said("\n\n", "1")
    assert "Going on at step 4 of 6; running the 2 cells before it again." in text
    assert counters(text) == [4, 5, 6]
    assert outputs(text) == OUTPUTS[2:]


def test_one_can_begin_elsewhere(desk):
    said("\n\n\n", "1")
    assert counters(said("", "1", "--at", "2")) == [2]
    assert "the 3 cells before it first" in said("", "1", "--at", "5")
    assert counters(said("", "1", "--from-start")) == [1]
    assert outputs(said("", "1", "--at", "5", "--all")) == OUTPUTS[3:]


def test_what_is_finished_begins_again(desk):
    assert "That was tutorial 1, Counting." in said("\n" * 6, "1")
    assert remembered()["1"]["step"] == 6
    text = said("", "1")
    assert "been to the end" in text
    assert counters(text) == [1]


def test_going_back_is_remembered_too(desk):
    said("\n\n\n\nback\nback\n", "1")
    assert counters(said("", "1")) == [4]


def test_a_text_that_changed_goes_on_at_the_section_or_the_start(desk):
    file = desk / "01_counting.py"
    said("\n\n\n\n\n", "1")
    file.write_text(COUNTING + "# 2. And on.\n")
    assert counters(said("", "1")) == [6]
    file.write_text(COUNTING.replace("We begin at 1.", "We start at 1."))
    text = said("", "1")
    assert 'changed since you were here, so this is the beginning of "Exercises"' in " ".join(text.split())
    assert counters(text) == [6]
    file.write_text(COUNTING.replace("# ## Exercises", "# ## Work"))
    text = said("", "1", "--at", "6")
    file.write_text(COUNTING.replace("n = 1", "n = 2"))
    text = said("", "1")
    assert "so this is the beginning." in text
    assert counters(text) == [1]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"1": 3}', '{"1": {"step": "x"}}', '{"one": {}}', "\0", '{"1": {"step": -1}}', "[" * 100_000],
)
def test_a_broken_memory_stops_nobody(desk, content):
    _place.file().parent.mkdir()
    _place.file().write_text(content)
    assert counters(said("\n", "1")) == [1, 2]
    assert remembered()["1"]["step"] == 1


def test_a_memory_that_cannot_be_written_is_said_once(desk, tmp_path, capsys, monkeypatch):
    (tmp_path / "state").write_text("a file where the folder should be")
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n\n"))
    assert main(["tutorial", "1"]) == 0
    assert capsys.readouterr().err.count("cannot be remembered") == 1


def test_the_place_is_kept_under_the_state_folder_of_the_user(monkeypatch, tmp_path):
    if not sys.platform.startswith("linux"):
        pytest.skip("elsewhere the folder has another name")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert _place.file() == tmp_path / "micrograd-nn" / "tutorials.json"


# Pictures


def test_a_picture_is_text_and_a_file(desk):
    text = said("", "4", "--all")
    assert "│ apples  3.0 │" in text
    assert "Picture: tutorial-4/step-01.svg" in text.replace(os.sep, "/")
    assert sorted(os.listdir("tutorial-4")) == ["step-01.svg", "step-02.svg"]
    assert "Apples, squared" in Path("tutorial-4/step-01.svg").read_text()
    said("", "4", "--all", "--pictures", "a/b")
    assert sorted(os.listdir("a/b")) == ["step-01.svg", "step-02.svg"]


def test_a_picture_is_shown_again_as_it_was(desk):
    text = said("\nback\n", "4")
    assert text.count("│ apples  3.0 │") == 2


def test_pictures_that_cannot_be_saved_are_said_once(desk, capsys):
    Path("taken").write_text("mine")
    assert main(["tutorial", "4", "--all", "--pictures", "taken"]) == 0
    out, err = capsys.readouterr()
    assert "│ apples  3.0 │" in out
    assert "Picture:" not in out
    assert err.count("\n") == 1
    assert "cannot be saved in taken" in err
    assert Path("taken").read_text() == "mine"


def test_pictures_open_in_the_browser_as_pages(desk, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    said("", "4", "--all", "--open")
    assert opened == [Path(f"tutorial-4/step-0{k}.html").resolve().as_uri() for k in (1, 2)]


# Notebooks, the site, exercises


def test_a_notebook_is_written_but_not_over_another(desk, capsys):
    assert said("", "1", "--notebook", "one.ipynb") == "Wrote one.ipynb.\n"
    assert len(json.loads(Path("one.ipynb").read_text())["cells"]) == len(_source.find(1).cells)
    Path("one.ipynb").write_text("my notes")
    assert "--force" in refused(capsys, "1", "--notebook", "one.ipynb")
    assert Path("one.ipynb").read_text() == "my notes"
    said("", "1", "--notebook", "one.ipynb", "--force")
    assert "my notes" not in Path("one.ipynb").read_text()
    assert "ends in .ipynb" in refused(capsys, "1", "--notebook", "one.py")
    assert "nowhere is no folder" in refused(capsys, "1", "--notebook", "nowhere/one.ipynb")


def test_the_site_is_of_all_or_of_those_named(desk, monkeypatch):
    written, opened = [], []

    def write(tutorials, folder, tell):
        written.append([tutorial.number for tutorial in tutorials])
        tell("Running")
        return folder / "index.html"

    monkeypatch.setattr(_site, "write", write)
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert said("", "--html", "site").split() == ["Running", "Wrote", str(Path("site/index.html")) + "."]
    said("", "4", "1", "--html", "site", "--open")
    assert written == [[1, 2, 4], [1, 4]]
    assert opened == [Path("site/index.html").resolve().as_uri()]


def test_exercises_are_copied_and_never_over_a_file(desk):
    text = said("", "1", "--exercises", "mine")
    assert sorted(os.listdir("mine")) == ["exercise_01.py", "marking.py", "test_exercise_01.py"]
    assert text.rstrip().endswith("cd mine, then pytest -m tutorial_1")
    Path("mine/exercise_01.py").write_text("my answers")
    text = said("", "1", "--exercises", "mine")
    assert Path("mine/exercise_01.py").read_text() == "my answers"
    assert f"{Path('mine/exercise_01.py')} is there already, and was left as it is." in text
    assert f"{Path('mine/marking.py')} is there already." in text


def test_a_folder_that_is_a_file_is_refused(desk, capsys):
    Path("taken").write_text("mine")
    assert "taken" in refused(capsys, "1", "--exercises", "taken")
    assert Path("taken").read_text() == "mine"


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("11", "there is no tutorial 11"),
        ("3", "there is no tutorial 3"),
        ("x", "'x' is not the number of a tutorial"),
        ("1 2", "one tutorial at a time"),
        ("1 --at 7", "has 6 steps"),
        ("1 --at 0", "--at"),
        ("1 --at 2 --from-start", "--from-start and --at"),
        ("--all", "needs to know which tutorial"),
        ("--exercises mine", "needs to know which tutorial"),
        ("1 --html site --notebook a.ipynb", "--notebook and --html"),
        ("1 --html site --at 3", "--at is for stepping"),
        ("1 --exercises mine --open", "--open is for stepping"),
        ("1 --force", "--notebook"),
        ("2 --exercises mine", "has no exercises"),
    ],
)
def test_what_cannot_be_is_refused_on_one_line(desk, capsys, arguments, words):
    assert words in refused(capsys, *arguments.split())
    assert not os.listdir()


def test_a_file_that_is_no_tutorial_is_refused_on_one_line(desk, capsys):
    (desk / "03_empty.py").write_text("x = 1\n")
    assert "03_empty.py does not begin with" in refused(capsys, "3")
    assert "03_empty.py" in refused(capsys)
    (desk / "03_empty.py").write_bytes(b"\xff\xfe")
    assert "03_empty.py is no tutorial: it is not UTF-8 text" in refused(capsys, "3")


def test_where_there_are_no_tutorials_that_is_said(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(_source.micrograd_nn, "__file__", str(tmp_path / "package" / "__init__.py"))
    for arguments in ([], ["1"], ["--html", str(tmp_path / "site")]):
        assert "not where they are installed to" in refused(capsys, *arguments)


# The ten


def test_every_tutorial_can_be_read():
    found = _source.tutorials()
    screen = Screen()
    for tutorial in found:
        steps = steps_of(tutorial)
        assert [cell for step in steps for cell in step.cells] == list(tutorial.cells)
        for step in steps:
            for cell in step.prose:
                assert max(map(len, screen.prose(cell.text).split("\n"))) <= 82
