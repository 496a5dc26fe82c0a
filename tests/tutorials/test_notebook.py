"""Tutorials as notebooks: valid, the same bytes each time, and cell for cell what Jupytext reads from the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from micrograd_nn.cli.tutorial import _notebook
from micrograd_nn.cli.tutorial._source import read, tutorials

SMALL = """\
# %% [markdown]
# # 4. Four cells
#
# With *prose* in them, "quotes", ∂c/∂a,
#
#     and an indented line.

# %%
# A comment of the code.
x = 2

# %% [markdown]
# **Predict.** What is x?

# %%
def double(y):

    return 2 * y


print(double(x), "\\n")
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "04_four_cells.py"
    file.write_text(SMALL, encoding="utf-8")
    return file


def test_it_is_a_valid_notebook_without_outputs(small: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    _notebook.write(read(small), tmp_path / "four.ipynb")
    notebook = nbformat.read(tmp_path / "four.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "markdown", "code"]
    assert [cell.id for cell in notebook.cells] == ["cell-1", "cell-2", "cell-3", "cell-4"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in notebook.cells if "outputs" in cell)


def test_the_bytes_are_those_that_nbformat_writes_and_the_same_each_time(small: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    for name in ("a.ipynb", "b.ipynb"):
        _notebook.write(read(small), tmp_path / name)
    written = (tmp_path / "a.ipynb").read_text(encoding="utf-8")
    assert written == (tmp_path / "b.ipynb").read_text(encoding="utf-8")
    assert written == nbformat.writes(nbformat.reads(written, as_version=4)) + "\n"


def test_a_notebook_that_cannot_be_written_is_an_oserror(small: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        _notebook.write(read(small), tmp_path / "nowhere" / "four.ipynb")


def same_cells(file: Path, target: Path) -> None:
    jupytext, nbformat = pytest.importorskip("jupytext"), pytest.importorskip("nbformat")
    _notebook.write(read(file), target)
    ours, theirs = nbformat.read(target, as_version=4), jupytext.read(file)
    assert theirs.metadata.get("jupytext", {}).get("text_representation", {}).get("format_name", "percent") == "percent"
    assert [(c.cell_type, c.source) for c in ours.cells] == [(c.cell_type, c.source) for c in theirs.cells]


def test_the_cells_are_those_that_jupytext_reads(small: Path, tmp_path: Path) -> None:
    same_cells(small, tmp_path / "four.ipynb")


def test_so_it_is_with_every_tutorial(tmp_path: Path) -> None:
    for tutorial in tutorials():
        same_cells(tutorial.path, tmp_path / "tutorial.ipynb")


def test_every_tutorial_is_percent_format_to_jupytext() -> None:
    formats = pytest.importorskip("jupytext.formats")
    for tutorial in tutorials():
        found, _ = formats.guess_format(tutorial.path.read_text(encoding="utf-8"), ".py")
        assert found == "percent", tutorial.path.name
