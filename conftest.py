"""Every block of code in the README and in docs/ is run, page by page, and must print what stands below it (Sybil).

Python with prompts is compared as doctests are; Python without, and commands for the shell, with the block that
follows, if that names no language. Python whose first line is a comment with a file's name is put into that file.
"""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path

from sybil import Region, Sybil
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PROMPTED = DocTestStringParser(DocTestEvaluator(FLAGS | doctest.IGNORE_EXCEPTION_DETAIL))
INSTALLING = re.compile(r"python3 -m venv .*&& \.venv/bin/")  # done by .ci/run, as it stands there


def blocks(document):
    """The page's code, each with the output that is shown directly below it."""
    fenced = list(FencedCodeBlockLexer(r"\w*")(document))
    for block, following in zip_longest(fenced, fenced[1:]):
        language, code = block.lexemes["language"], block.lexemes["source"]
        if code.startswith(">>>"):
            for region in PROMPTED(code, document.path):
                region.adjust(block, code)
                yield region
        elif language in ("python", "sh"):
            below = following is not None and document.text[block.end : following.start].strip() == ""
            shown = below and not following.lexemes["language"]
            expected = following.lexemes["source"] if shown else None
            yield Region(block.start, block.end, (code, expected), {"python": run, "sh": command}[language])


def run(example):
    """Python, as if in a file of its own: reports name its lines."""
    code, expected = example.parsed
    named = re.match(r"# (\w+\.py)\n", code)
    file = Path(named[1] if named else f"line_{example.line}/example.py")
    file.parent.mkdir(exist_ok=True)
    file.write_text(code, encoding="utf-8")
    if named:
        return None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(file.absolute()), "exec"), example.namespace)
    return difference(printed.getvalue(), expected)


def command(example):
    """Commands for the shell, in the page's folder."""
    code, expected = example.parsed
    code = INSTALLING.sub("", code)
    if code.startswith("python -m pytest"):
        return None  # what is running now
    places = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.getcwd(),
    }
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code], encoding="utf-8",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | places | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "120", "BROWSER": "true", "NO_COLOR": "1",
                                   "XDG_STATE_HOME": os.getcwd()},
    )  # fmt: skip
    if expected is None:
        return f"it ended with {ran.returncode}:\n{ran.stdout}" if ran.returncode else None
    return difference(ran.stdout, expected)


def difference(printed, expected):
    """None if both are the same but for spaces, times, lengths of lines of ==== and how wide error bars are."""
    if expected is None:
        return f"this is printed, and not shown:\n{printed}" if printed else None
    same = [re.sub(r"([=_])\1+", r"\1", re.sub(r"\b\d\.?\d?e−\d\d\b", "~", text)) for text in (expected, printed)]
    wanted, got = (re.sub(r"\d+\.\d+ ?s\b", "0.1 s", text) for text in same)
    return None if doctest.OutputChecker().check_output(wanted, got, FLAGS) else f"printed:\n{printed}"


def begin(namespace):
    """Each page has a folder of its own."""
    namespace["__name__"] = "example"
    namespace["_folder"] = tempfile.TemporaryDirectory()
    namespace["_home"] = os.getcwd()
    os.chdir(namespace["_folder"].name)


def end(namespace):
    """Back to where we were."""
    os.chdir(namespace["_home"])
    namespace["_folder"].cleanup()


pytest_collect_file = Sybil([blocks], patterns=["README.md", "docs/*.md"], setup=begin, teardown=end).pytest()
# No places to look for examples: conftest.py, of which there are several, and answers to exercises, which are checked.
collect_ignore_glob = [
    "tests/*conftest.py",
    "tests/tutorials/solutions/*",
    "tests/tutorials/mistakes/*",
    "tutorials/exercises/[!t]*.py",
]
