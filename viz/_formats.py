"""What a picture can be saved as: for each ending of a file name the function that writes it, imported when used."""

from __future__ import annotations

from importlib import import_module

from viz._sheet import Sheet

__all__ = ["FORMATS", "written"]

# ending: module of viz, function(sheet, theme) -> str or bytes
FORMATS: dict[str, tuple[str, str]] = {
    ".svg": ("_formats", "svg"),
    ".png": ("_raster", "write_png"),
    ".pdf": ("_raster", "write_pdf"),
    ".html": ("_page", "write_html"),
    ".dot": ("_dot", "write_dot"),
    ".mermaid": ("_mermaid", "write_mermaid"),
    ".graphml": ("_data", "write_graphml"),
    ".json": ("_data", "write_json"),
    ".tikz": ("_tikz", "write_tikz"),
}
_ALIASES = {".htm": ".html", ".gv": ".dot", ".mmd": ".mermaid", ".tex": ".tikz"}


def written(sheet: Sheet, theme: str, ending: str) -> bytes:
    """The sheet as a file of the kind that `ending` names. Raises ValueError for an ending there is no format for."""
    ending = ending.lower()
    known = _ALIASES.get(ending, ending)
    if known not in FORMATS:
        raise ValueError(f"the ending must be one of {', '.join(FORMATS)}.")
    module, name = FORMATS[known]
    content: str | bytes = getattr(import_module(f"viz.{module}"), name)(sheet, theme)
    return content.encode("utf-8") if isinstance(content, str) else content


def svg(sheet: Sheet, theme: str) -> str:
    """The page as SVG."""
    return sheet.svg(theme)
