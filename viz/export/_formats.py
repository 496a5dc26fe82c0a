"""What a picture can be saved as: for each ending of a file name the function that writes it, imported when used."""

from __future__ import annotations

from importlib import import_module

from viz._sheet import Sheet
from viz._theme import still

__all__ = ["ENDINGS", "FORMATS", "written"]

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
_FOLLOWING = (".svg", ".html")  # the reader's light or dark; for the others "auto" is light
# every ending there is: the format it stands for
ENDINGS = dict(zip(FORMATS, FORMATS)) | {".htm": ".html", ".gv": ".dot", ".mmd": ".mermaid", ".tex": ".tikz"}


def written(sheet: Sheet, theme: str, ending: str, scale: float | None = None) -> bytes:
    """The sheet as a file of the kind that `ending` names, a .png at `scale`.

    Raises ValueError for an ending there is no format for, and for a scale of what has no pixels.
    """
    known = ENDINGS.get(ending.lower())
    if known is None:
        raise ValueError(f"the ending must be one of {', '.join(FORMATS)}.")
    if scale is not None and known != ".png":
        raise ValueError("scale= is for .png; the others have no pixels.")
    module, name = FORMATS[known]
    theme = theme if known in _FOLLOWING else still(theme)
    more = {} if scale is None else {"scale": scale}
    content: str | bytes = getattr(import_module(f"viz.export.{module}"), name)(sheet, theme, **more)
    return content.encode("utf-8") if isinstance(content, str) else content


def svg(sheet: Sheet, theme: str) -> str:
    """The page as SVG."""
    return sheet.svg(theme)
