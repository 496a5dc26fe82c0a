"""The ten tutorials, each run once as a script and once as a notebook: no error, no warning, the same text, and no
number in the prose that is not computed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from numerals import lost

from micrograd_nn.cli.tutorial import _notebook
from micrograd_nn.cli.tutorial._source import Tutorial, folder, tutorials

pytestmark = pytest.mark.slow
PATIENCE = 120  # seconds for one tutorial
NAMES = [file.stem for file in sorted(folder().glob("[0-9][0-9]_*.py"))]
each = pytest.mark.parametrize("name", NAMES)

# In a process of its own, with a kernel of this Python: what nbclient warns of is not ours, and tests run in threads.
EXECUTE = f"""
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
client = nbclient.NotebookClient(notebook, timeout={PATIENCE}, allow_errors=True, kernel_name="python3")
client.execute()
nbformat.write(notebook, sys.argv[1])
"""


class Run(NamedTuple):
    """What a tutorial printed, what it wrote to the standard error stream, its status or the errors of its cells, and
    the files it left."""

    printed: str
    complained: str
    failed: str
    left: list[str]


def as_script(tutorial: Tutorial, place: Path) -> Run:
    ended = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "always", tutorial.path],
        cwd=place, capture_output=True, encoding="utf-8", timeout=PATIENCE,
    )  # fmt: skip
    failed = f"status {ended.returncode}" if ended.returncode else ""
    return Run(ended.stdout, ended.stderr, failed, [file.name for file in place.iterdir()])


def as_notebook(tutorial: Tutorial, place: Path) -> Run:
    nbformat = pytest.importorskip("nbformat")
    target = place.parent / f"{tutorial.path.stem}.ipynb"
    _notebook.write(tutorial, target)
    subprocess.run([sys.executable, "-c", EXECUTE, target], cwd=place, check=True, timeout=2 * PATIENCE)
    outputs = [out for cell in nbformat.read(target, as_version=4).cells for out in cell.get("outputs", ())]
    streams = {
        name: "".join(out.text for out in outputs if out.output_type == "stream" and out.name == name)
        for name in ("stdout", "stderr")
    }
    failed = "\n".join("\n".join(out.traceback) for out in outputs if out.output_type == "error")
    return Run(streams["stdout"], streams["stderr"], failed, [file.name for file in place.iterdir()])


def each_run(how: Callable[[Tutorial, Path], Run], place: Path) -> dict[str, Run]:
    """Two at a time, each in a clean folder; keyed by the name of the file."""

    def run(tutorial: Tutorial) -> Run:
        clean = place / tutorial.path.stem
        clean.mkdir()
        try:
            return how(tutorial, clean)
        except subprocess.SubprocessError as error:
            return Run("", "", str(error), [])

    every = tutorials()
    with ThreadPoolExecutor(2) as pool:
        return dict(zip((t.path.stem for t in every), pool.map(run, every), strict=True))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    return each_run(as_script, tmp_path_factory.mktemp("scripts"))


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    for module in ("nbformat", "nbclient", "ipykernel"):
        pytest.importorskip(module)
    return each_run(as_notebook, tmp_path_factory.mktemp("notebooks"))


@each
def test_it_runs_as_a_script_from_a_clean_folder_and_warns_of_nothing(scripts: dict[str, Run], name: str) -> None:
    run = scripts[name]
    assert (run.failed, run.complained, run.left) == ("", "", [])
    assert run.printed.strip()


@each
def test_it_runs_as_a_notebook_and_warns_of_nothing(notebooks: dict[str, Run], name: str) -> None:
    run = notebooks[name]
    assert (run.failed, run.complained, run.left) == ("", "", [])


@each
def test_both_print_the_same_to_the_letter(scripts: dict[str, Run], notebooks: dict[str, Run], name: str) -> None:
    assert notebooks[name].printed == scripts[name].printed


@each
def test_no_number_in_its_prose_was_typed_and_left(scripts: dict[str, Run], name: str) -> None:
    tutorial = next(t for t in tutorials() if t.path.stem == name)
    if unfounded := lost(tutorial, scripts[name].printed):
        pytest.fail("\n".join(map(str, unfounded)), pytrace=False)
