"""One browser for the site's tests, and pages opened in it from disk; skipped where there is no browser.

Closed after the last test of a module: two of these cannot run in one process, and the pictures' tests have theirs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = "chromium", "chromium-browser", "google-chrome"
PATIENCE = 60_000  # milliseconds: a busy machine is no failure


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"the browser tests need one of {', '.join(NAMES)}")
    with playwright.sync_playwright() as p:
        running = p.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        yield running
        running.close()


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
