"""The tutorials as a site: every one executed, linked pages with pictures and exercises, read offline."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from micrograd_nn import data
from micrograd_nn.cli.tutorial._page import MARK, Ran, contents, page, style
from micrograd_nn.cli.tutorial._session import Session
from micrograd_nn.cli.tutorial._source import Tutorial, exercises_of
from micrograd_nn.files import written_whole

if TYPE_CHECKING:
    from viz import Picture

__all__ = ["write"]


def write(tutorials: list[Tutorial], folder: Path, tell: Callable[[str], None]) -> Path:
    """Run the tutorials and write the site to `folder`; returns its first page. `tell` hears which one is running.

    Nothing is written before all of them have run. Files of an older site of ours are replaced, nothing is removed, and
    two runs write the same bytes. Raises data.DataError for a tutorial that stops with an error, naming its line, and
    for a folder that holds what is not ours; OSError where a file cannot be written.
    """
    names = [f"{tutorial.path.stem}.html" for tutorial in tutorials]
    _check(folder, ["index.html", "site.css", "pictures", "exercises", *names])
    all_of_them = []
    for tutorial in tutorials:
        tell(f"Running tutorial {tutorial.number}, {tutorial.title}")
        all_of_them.append(_ran(tutorial))
    pages = {ran.name: page(ran, all_of_them) for ran in all_of_them}
    first = contents(all_of_them)
    for place in (folder, folder / "pictures", folder / "exercises"):
        place.mkdir(parents=True, exist_ok=True)
    _put(folder / "site.css", style())  # first: it marks what a killed run leaves as ours
    for ran in all_of_them:
        for name, picture in ran.pictures.items():
            picture.save(folder / "pictures" / f"{name}.svg")
            picture.save(folder / "pictures" / f"{name}.html")
        exercises = exercises_of(ran.tutorial.number)
        for file in exercises if exercises[0].is_file() else []:
            _put(folder / "exercises" / file.name, file.read_text(encoding="utf-8"))
    for name, text in pages.items():
        _put(folder / name, text)
    return _put(folder / "index.html", first)


def _check(folder: Path, names: list[str]) -> None:
    """Raise DataError where a file in the folder would be lost that is no older site of ours."""
    if folder.exists() and not folder.is_dir():
        raise data.DataError(f"{folder} is a file: name a folder for the site.")
    there = [folder / name for name in names if (folder / name).exists()]
    if there:  # the first page tells whose they are, or, where a run of ours was killed before it, the style
        sign = there[0] if there[0].name == "index.html" else folder / "site.css"
        if not sign.is_file() or MARK not in sign.read_text(encoding="utf-8", errors="replace")[:2_000]:
            raise data.DataError(f"{there[0]} is there and is not ours: name another folder, or a new one.")


def _ran(tutorial: Tutorial) -> Ran:
    """The tutorial with what its cells gave, or a DataError that says where it stopped."""
    from viz import Picture

    ran, session = Ran(tutorial), Session(tutorial)
    for cell in tutorial.cells:
        if cell.kind == "markdown":
            continue
        output = session.run(cell)
        if output.error:
            lines = re.findall(rf'File "{re.escape(str(tutorial.path))}", line (\d+)', output.error)
            where = f"line {lines[-1] if lines else cell.line} of {tutorial.path.name}"
            why = output.error.splitlines()[-1].rstrip(".")
            raise data.DataError(f"tutorial {tutorial.number} stops at {where}: {why:.200}. No site was written.")
        ran.outputs.append(output)
        if isinstance(output.value, Picture):
            ran.pictures[f"{tutorial.number:02d}-{len(ran.pictures) + 1}"] = _timeless(output.value).in_theme("auto")
    return ran


def _timeless(picture: Picture) -> Picture:
    """The same but for how long the epochs of a history took, which is in its tables and never the same twice."""
    from viz import Picture

    tables = []
    for table in picture._sheet.tables:
        kept = [i for i, column in enumerate(table.columns) if column != "seconds"]
        rows = [tuple(row[i] for i in kept) for row in table.rows]
        tables.append(replace(table, columns=tuple(table.columns[i] for i in kept), rows=rows))
    return Picture(replace(picture._sheet, tables=tables), picture.theme)


def _put(target: Path, text: str) -> Path:
    with written_whole(target) as file:
        file.write(text.encode())
    return target
