"""What the README and the pages of docs/ show is what the code draws and prints today."""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAMS = {
    "micrograd-nn": ["-m", "micrograd_nn"],
    "pytest": ["-m", "pytest", "-p", "no:cacheprovider", *(
        [] if entry_points(group="pytest11", name="micrograd_nn") else ["-p", "micrograd_nn.pytest_plugin"])],
}  # fmt: skip


def shown(page):
    """Code that has no prompt, files and commands of a page, each with the output shown below it, or None."""
    found = [*FENCED.findall(page.read_text(encoding="utf-8")), ("end", "")]
    for (language, code), (following, output) in pairwise(found):
        if (language == "python" and not code.startswith(">>>")) or (language == "sh" and page.name == "gradcheck.md"):
            yield code, language, output if not following else None


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "gradcheck.md"], ids=lambda page: page.name)
def test_what_a_page_prints_is_what_its_code_prints(page, tmp_path, monkeypatch):
    names = {"__name__": "example"}
    monkeypatch.chdir(tmp_path)
    for i, (code, language, expected) in enumerate(shown(page)):
        title = re.match(r"# (\w+\.py)\n", code)
        if title:
            (tmp_path / title[1]).write_text(code, encoding="utf-8")
        elif language == "sh":
            same(command(code, tmp_path), expected)
        else:  # as if in a file: reports name its lines
            file = tmp_path / str(i) / "example.py"
            file.parent.mkdir()
            file.write_text(code, encoding="utf-8")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, str(file), "exec"), names)
            same(printed.getvalue(), expected)


def command(line, folder):
    program, *arguments = re.findall(r'"[^"]*"|\S+', line)
    surroundings = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, *PROGRAMS[program], *(a.strip('"') for a in arguments)],
        cwd=folder, capture_output=True, encoding="utf-8", env=os.environ | surroundings | {"COLUMNS": "120"},
    )  # fmt: skip
    return run.stdout + run.stderr


def same(printed, expected):
    """The same but for spaces, the lengths of lines of ====, times, and how wide error bars are."""
    if expected is None:
        assert not printed
        return
    printed, expected = (
        re.sub(r"([=_])\1+", r"\1", re.sub(r"\b\d\.?\d?e−\d\d\b", "~", t)) for t in (printed, expected)
    )
    printed = re.sub(r"\d+\.\d+s", "0.1s", printed)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.OutputChecker().check_output(expected, printed, flags), printed
