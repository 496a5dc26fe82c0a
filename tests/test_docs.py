"""The pictures of the README are what the code draws today."""

import os
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_making_the_pictures_again_changes_nothing(tmp_path):
    # no program `dot` on PATH: the layout that comes with the package, the same everywhere
    subprocess.run([sys.executable, DOCS / "make_pictures.py", tmp_path], check=True, env=os.environ | {"PATH": ""})
    made = sorted(tmp_path.glob("*.svg"))
    assert [f.name for f in made] == sorted(f.name for f in DOCS.glob("*.svg"))
    for file in made:
        assert file.read_text(encoding="utf-8") == (DOCS / file.name).read_text(encoding="utf-8")
