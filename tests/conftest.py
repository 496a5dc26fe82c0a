"""One browser for all tests that need one; skipped where there is none. Two could not run in one process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = "chromium", "chromium-browser", "google-chrome"
PATIENCE = 60_000  # milliseconds: a busy machine is no failure


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"the browser tests need one of {', '.join(NAMES)}")
    with playwright.sync_playwright() as p:
        running = p.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        yield running
        running.close()
