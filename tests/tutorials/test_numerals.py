"""The check that no number in the prose was typed and left: what it takes for computed, and what it reports."""

from __future__ import annotations

from pathlib import Path

import pytest
from numerals import lost

from micrograd_nn.cli.tutorial._source import read


def found(folder: Path, prose: str, code: str = "pass", printed: str = "") -> list[str]:
    lines = [f"# {line}".rstrip() for line in prose.splitlines()]
    file = folder / "03_some.py"
    file.write_text("\n".join(["# %% [markdown]", "# # 3. Some", "", "# %% [markdown]", *lines, "", "# %%", code, ""]))
    return [f"{which.place} {which.numeral}" for which in lost(read(file), printed)]


@pytest.mark.parametrize(
    ("prose", "code", "printed"),
    [
        ("It falls by 0.003.", "assert round(change, 6) == -0.003", ""),
        ("It falls by 0.003.", "", "−0.0030"),
        ("The slope is −3.", "b = -3.0", ""),
        ("Of it 76 % are dead.", "", "dead: 0.7583"),
        ("Of it 76% are dead.", "", "dead: 75.8%"),
        ("Of it 0.76 are dead.", "", "dead: 75.8 %"),
        ("There are 1,797 of them.", "", "1797 digits"),
        ("There are 1797 of them.", "n = 1_797", ""),
        ("It is 1.3 times as fast.", "", "ratio 1.27"),
        ("It is about 15 times as fast.", "", "ratio 14.8"),
        ("W is 10x3072, or 10 × 3,072.", "W = zeros((10, 3072))", ""),
        ("That is 2⁶, or 10⁻⁴.", "64, 1e-4", ""),
        ("More than 70 %.", "assert dead > 0.7", ""),
        ("`mg.fit(lr=0.1)` does it.", "mg.fit(lr=0.1)", ""),
        ("See tutorial 7, tutorials 3, 4 and 5, and exercise 2.", "", ""),
        ("`W1`, `h2`, x1, float32, `exercise_07.py`, `pytest -m tutorial_7`, a 2-D plane, a 3-layer network", "", ""),
        ("1. first\n2. second", "", ""),
        ("https://example.org/1706", "", ""),
        ("The range is 3–5, and 3−5.", "3, 5", ""),
    ],
)
def test_what_is_computed_is_found(tmp_path: Path, prose: str, code: str, printed: str) -> None:
    assert found(tmp_path, prose, code or "pass", printed) == []


@pytest.mark.parametrize(
    ("prose", "code", "printed", "numeral"),
    [
        ("It falls by 0.004.", "assert round(change, 6) == -0.003", "", "0.004"),
        ("The slope is −3.", "b = 3.0", "", "−3"),
        ("It is 15 times as fast.", "", "ratio 14.8", "15"),
        ("It is 1.4 times as fast.", "", "ratio 1.27", "1.4"),
        ("There are 1,797 of them.", "1, 797", "", "1,797"),
        ("Of it 75 % are dead.", "", "0.7583", "75 %"),
        ("It has 41 parameters.", "n = 40  # 41", "layer h41", "41"),
        ("It has 41 parameters.", "print('41')", "", "41"),
        ("`Value(41)` has 0.5.", "0.5", "", "41"),
    ],
)  # fmt: skip
def test_what_was_typed_and_left_is_reported(tmp_path: Path, prose: str, code: str, printed: str, numeral: str) -> None:
    assert found(tmp_path, prose, code or "pass", printed) == [f"03_some.py:5 {numeral}"]


def test_the_report_names_file_line_and_numeral(tmp_path: Path) -> None:
    assert found(tmp_path, "Two lines,\nthe second with 12 in it, and 13.", "13") == ["03_some.py:6 12"]
