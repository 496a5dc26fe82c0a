"""The offline page: a picture with pan, zoom, folding, search and tables, in one file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from viz._sheet import Sheet, Table
from viz._text import clean
from viz._theme import THEMES, checked_theme

__all__ = ["write_html"]

Cell = str | float | int | bool | None

_LONG = 1_000  # characters of a text in a table
_MANY = 500  # rows that fit on paper: the rest stays in the file


def write_html(sheet: Sheet, theme: str) -> str:
    """The sheet as one HTML file; `theme` is the one it opens in; "auto" follows the system.

    Nothing but this file is ever read, which its Content-Security-Policy makes sure of: only the style and the script
    whose hashes it names may run, and no address may be asked. Data is only ever text. Without scripts the picture and
    its tables are still there; on paper it is always the theme "print".

    Raises ValueError for an unknown theme.

    >>> import micrograd_nn as mg, viz
    >>> page = write_html(viz.draw(mg.Value(2.0, name="a") * 3)._sheet, "light")
    >>> page[:15], page.count("<script"), "default-src 'none'" in page
    ('<!doctype html>', 1, True)
    """
    paper = "landscape" if sheet.width > 1.2 * sheet.height else "portrait"
    style = f"{_palettes()}@page{{size:{paper};margin:14mm}}\n{_static('page.css')}"
    script = _static("page.js")
    allowed = "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'"
    return Template(_static("page.html")).substitute(
        theme=checked_theme(theme),
        direction=sheet.graph.direction if sheet.graph else "",
        policy=allowed.format(_hash(script), _hash(style)),
        title=_text(sheet.title, 200),
        note=_text(sheet.note),
        description=_text(sheet.description, 20_000),
        style=style,
        script=script,
        svg=sheet.svg({role: f"var(--{role})" for role in THEMES["light"]}),
        tables="".join(map(_table, sheet.tables)),
    )


def _static(name: str) -> str:
    return (files("viz") / "static" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: object, limit: int = _LONG) -> str:
    return escape(clean(text, limit))


def _palettes() -> str:
    """The themes as custom properties, named after the roles; "auto" follows the system, paper is always "print"."""

    def rule(selector: str, theme: str) -> str:
        bright = "dark" if theme == "dark" else "light"
        return f"{selector}{{color-scheme:{bright};{';'.join(f'--{k}:{v}' for k, v in THEMES[theme].items())}}}"

    rules = [rule(":root", "light"), rule(":root[data-theme=dark]", "dark"), rule(":root[data-theme=print]", "print")]
    rules.append(f"@media (prefers-color-scheme:dark){{{rule(':root[data-theme=auto]', 'dark')}}}")
    rules.append(f"@media print{{{rule(':root[data-theme]', 'print')}}}")
    return "\n".join(rules) + "\n"


def _table(table: Table) -> str:
    """A table whose first column heads its rows, without columns of empty texts, in a box of its own to scroll in."""
    caption = _text(table.caption)
    columns = list(zip(table.columns, *table.rows, strict=True))
    columns = [c for k, c in enumerate(columns) if not k or not table.rows or any(cell != "" for cell in c[1:])]
    marks = [_mark(cells) for _, *cells in columns]
    head = "".join(f'<th scope="col"{a}>{_text(c[0])}</th>' for c, a in zip(columns, marks, strict=True))
    rows = "".join(_row(row, marks) for row in list(zip(*columns, strict=True))[1:])
    more = len(table.rows) - _MANY
    cut = f'<p class="cut">{more:,} more rows are in the file this was printed from.</p>' if more > 0 else ""
    return (
        f'<div class="scroll" role="region" aria-label="Table: {caption}" tabindex="0"><table><caption>{caption} '
        f"<small>{len(table.rows):,}</small></caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{cut}"
    )


def _mark(cells: Sequence[Cell]) -> str:
    """What marks the cells of a column: numbers stand to the right."""
    there = [cell for cell in cells if cell is not None]
    return ' class="n"' if there and all(isinstance(cell, (int, float)) for cell in there) else ' dir="auto"'


def _row(row: Sequence[Cell], marks: list[str]) -> str:
    first, *rest = (f"{mark}>{_cell(cell)}" for cell, mark in zip(row, marks, strict=True))
    return f'<tr><th scope="row"{first}</th>{"".join(f"<td{cell}</td>" for cell in rest)}</tr>'


def _cell(value: Cell) -> str:
    """Numbers in full, as Python writes and reads them."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(float(value)) if isinstance(value, float) else _text(value)
