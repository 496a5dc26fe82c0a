"""Where a reader stopped in each tutorial, kept from one day to the next."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from micrograd_nn.cli.tutorial._steps import Step
from micrograd_nn.files import written_whole

__all__ = ["Place", "file", "places", "remember", "resumed"]


@dataclass(frozen=True, slots=True)
class Place:
    """The step that comes next, counted from 0, of how many, and in which section; `digest` is of all before it."""

    step: int
    of: int
    section: str
    digest: str

    def __post_init__(self) -> None:
        kinds = [type(part) for part in (self.step, self.of, self.section, self.digest)]
        if kinds != [int, int, str, str] or not 0 <= self.step <= self.of:
            raise ValueError("no place")

    @property
    def ended(self) -> bool:
        """Whether nothing comes after it."""
        return self.step >= self.of


def file() -> Path:
    """The file they are kept in."""
    from platformdirs import user_state_path

    return user_state_path("micrograd-nn", appauthor=False) / "tutorials.json"


def places() -> dict[int, Place]:
    """All that are remembered; none where the file cannot be read or is not ours."""
    found = {}
    for number, place in _content().items():
        with suppress(TypeError, ValueError):
            found[int(number)] = Place(**place)
    return found


def resumed(number: int, steps: list[Step]) -> tuple[int, str]:
    """The step to begin with, and a line that says why where that is not plain."""
    place = places().get(number)
    if place is None:
        return 0, ""
    if place.ended:
        return 0, "You have been to the end of this tutorial. Here it is from the beginning; --at STEP goes elsewhere."
    if place.step < len(steps) and digest(steps[: place.step]) == place.digest:
        return place.step, ""
    start = next((k for k, step in enumerate(steps) if step.section == place.section), 0)
    where = f'the beginning of "{place.section}"' if start else "the beginning"
    return start, f"The text has changed since you were here, so this is {where}."


def remember(number: int, step: int, steps: list[Step]) -> None:
    """Keep the place before step `step`; the last one passed is the end. Raises OSError where nothing can be kept."""
    content = _content()
    section = steps[min(step, len(steps) - 1)].section
    content[str(number)] = asdict(Place(step, len(steps), section, digest(steps[:step])))
    path = file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as target:
        target.write((json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def digest(steps: list[Step]) -> str:
    """Of the text of these steps; where in the file it stands does not matter."""
    return hashlib.sha256("\0".join(step.text for step in steps).encode()).hexdigest()[:16]


def _content() -> dict[str, Any]:
    try:
        content = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # not there, or not ours
        return {}
    return content if isinstance(content, dict) else {}
