"""Pages of the site, opened in a browser from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60_000  # milliseconds: a busy machine is no failure


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a file of a site; nothing but files of that site is asked for, and nothing said on the console."""
    pages = []

    def go(file: Path, width: int = 1200, **options: Any) -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
        page.set_default_timeout(PATIENCE)
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("requestfailed", lambda request: said.append(f"{request.url} failed"))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        pages.append((page, file.parent.as_uri(), asked, said))
        return page

    yield go
    for page, site, asked, said in pages:
        page.close()
        assert said == []
        assert asked
        assert [url for url in asked if not url.startswith((site, "data:"))] == []
