"""The pictures of a tutorial as files, and as text for the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from micrograd_nn.cli._options import complain

__all__ = ["Shelf", "is_picture", "told"]


class Shelf:
    """A folder for the pictures of the steps; where it cannot be written, that is said once."""

    def __init__(self, folder: Path, in_browser: bool) -> None:
        self.folder, self.in_browser = folder, in_browser
        self._refused = False

    def put(self, picture: Any, number: int) -> Path | None:
        """Save the picture of step `number`, counted from 1, and show it in the browser if so asked."""
        name = f"step-{number:02d}"
        saved = self._saved(picture, self.folder / f"{name}.svg")
        if self.in_browser:
            from micrograd_nn.cli._draw import show

            page = self._saved(picture, self.folder / f"{name}.html")
            show(picture, [] if page is None else [page])
        return saved

    def _saved(self, picture: Any, target: Path) -> Path | None:
        if self._refused:
            return None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            picture.save(target)
        except OSError as error:
            self._refused = True
            complain(f"pictures cannot be saved in {self.folder} ({error.strerror or error}): going on without.")
            return None
        return target


def is_picture(value: Any) -> bool:
    """Whether a cell ended in a picture; viz is not imported to find out."""
    return type(value).__module__.partition(".")[0] == "viz" and hasattr(value, "save")


def told(picture: Any, width: int, color: bool) -> str:
    """A picture as text, no wider than `width` if it can be; its title where it has no text."""
    import viz

    try:
        return viz.text(picture, width=width, color=color)
    except (TypeError, ValueError):
        return f"[{picture.title}]"
