import pytest

from micrograd_nn import data


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(here):
    """... with points.csv, a table of two features and the class `side`."""
    X, y = data.make_moons(60, rng=0)
    rows = "\n".join(f"{a},{b * 1000},{'up' if k else 'down'}" for (a, b), k in zip(X, y, strict=True))
    (here / "points.csv").write_text(f"x,y,side\n{rows}\n")
    return here
