"""The name `viz` has one owner: another distribution installed under it is refused, as its files overwrite ours."""

from __future__ import annotations

import os
import sys

__all__ = ["refuse_a_second_owner"]


def refuse_a_second_owner() -> None:
    """Raise ImportError when another installed distribution has a package of this name, too."""
    if not _perhaps_shared():
        return
    from importlib.metadata import packages_distributions

    owners = packages_distributions().get("viz", ())
    if others := sorted({owner for owner in owners if owner.lower().replace("_", "-") != "micrograd-nn"}):
        raise ImportError(
            f"the name 'viz' is also taken by another installed package: {', '.join(others)}. Their files "
            f"lie in the same folder and overwrite each other. Run `pip uninstall {' '.join(others)}`, then "
            "`pip install --force-reinstall --no-deps micrograd-nn`; or use a virtual environment without it."
        )


def _perhaps_shared() -> bool:
    """Whether anything else installed lists a name that begins with viz: packages_distributions is sure, at 0.1 s."""
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:  # no folder, or a zip file
            continue
        for entry in entries:
            if not entry.endswith((".dist-info", ".egg-info")) or entry.startswith("micrograd_nn-"):
                continue
            said = _read(folder, entry, "top_level.txt") or _read(folder, entry, "RECORD")
            if b"\nviz" in b"\n" + said:
                return True
    return False


def _read(*path: str) -> bytes:
    try:
        with open(os.path.join(*path), "rb") as file:
            return file.read().strip()
    except OSError:
        return b""
