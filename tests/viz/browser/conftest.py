"""Pages of pictures, opened in a browser from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import micrograd_nn as mg
import viz

PATIENCE = 60_000  # milliseconds: a busy machine is no failure


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Saved once: a small network number by number, a loss on arrays, about 400 boxes, and charts."""
    folder = tmp_path_factory.mktemp("pages")
    small = mg.nn.MLP(2, [2, 1], activation="tanh", rng=3)
    loss = (_only(small([mg.Value(0.5, "x1"), mg.Value(-1.25, "x2")])) - 1.0) ** 2
    loss.backward()
    X, y = mg.data.make_moons(64, rng=0)
    wide = mg.nn.MLP(2, [16, 8, 1], activation="relu", rng=0)
    error = ((wide(mg.Tensor(X, name="X"))[:, 0] - y) ** 2).mean()
    error.backward()
    large = mg.nn.MLP(3, [8, 8, 1], activation="tanh", rng=1)
    many = _only(large([mg.Value(v, f"x{i}") for i, v in enumerate((0.5, -1.0, 2.0))]))
    many.backward()
    made = {
        "small": viz.draw(loss, title="A small network"),
        "tensor": viz.draw(error),
        "large": viz.draw(many, budget=500),
        "health": viz.draw_health(mg.unit_health(wide, np.asarray(X))),
        "boundary": viz.draw_boundary(wide, X, y),
    }
    return {name: picture.save(folder / f"{name}.html") for name, picture in made.items()}


def _only(x: Any) -> Any:
    return x[0] if isinstance(x, (list, tuple)) else x


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a file; `page.asked` and `page.said` are what it requested and wrote to the console, and stay empty."""
    pages = []

    def go(path: Path, width: int = 1200, height: int = 800, **options: Any) -> Any:
        page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        page.set_default_timeout(PATIENCE)
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        page.wait_for_selector("html.live #view[data-settled]", state="attached")
        pages.append((page, path.as_uri()))
        return page

    yield go
    for page, address in pages:
        said, asked = page.said, {url.split("#")[0] for url in page.asked}
        page.close()
        assert said == []
        assert asked == {address}
