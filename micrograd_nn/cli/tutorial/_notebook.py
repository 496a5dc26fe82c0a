"""A tutorial as a notebook: the same cells, nothing executed, in the JSON that Jupyter reads."""

from __future__ import annotations

import json
from pathlib import Path

from micrograd_nn.cli.tutorial._source import Tutorial
from micrograd_nn.files import written_whole

__all__ = ["write"]

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def write(tutorial: Tutorial, target: Path) -> None:
    """Write the tutorial to `target` as a notebook (nbformat 4.5), the same bytes each time.

    Its format: https://nbformat.readthedocs.io/en/latest/format_description.html. Raises OSError where the file cannot
    be written.
    """
    cells = []
    for number, cell in enumerate(tutorial.cells, 1):
        content: dict[str, object] = {
            "id": f"cell-{number}",
            "metadata": {},
            "source": cell.text.splitlines(keepends=True),
        }
        if cell.kind == "code":
            content |= {"execution_count": None, "outputs": []}
        cells.append({"cell_type": cell.kind, **content})
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "title": tutorial.title}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    with written_whole(target) as file:
        file.write(json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n")
