"""A nested tree of dicts, lists, numbers, text and arrays in one file: no pickle, written whole or not at all."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from micrograd_nn.data import DataError
from micrograd_nn.files import written_whole

__all__ = ["load", "save", "write_arrays"]

TREE = "tree.json"


def write_arrays(file: IO[bytes], arrays: Mapping[str, Any], tree: str | None = None) -> None:
    """Arrays by name as an npz file, for `np.load`; the same content gives the same bytes."""
    import zipfile

    with zipfile.ZipFile(file, "w") as archive:
        if tree is not None:
            archive.writestr(zipfile.ZipInfo(TREE), tree)
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)


def save(path: str | Path, tree: Any) -> None:
    """Write `tree` to the file `path`, whole or not at all.

    A tree is made of dicts (keys: text, numbers, None or tuples of them), lists, tuples, numbers of any size, True and
    False, None, text and NumPy arrays and scalars; each comes back from `load` as it was, to the last bit. Raises
    TypeError, naming the place, for anything else; then nothing is written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(f"{folder}/state", {"weights": [np.zeros(2)], "step": 2**127, 3: (math.inf, None)})
    ...     load(f"{folder}/state")
    {'weights': [array([0., 0.])], 'step': 170141183460469231731687303715884105728, 3: (inf, None)}
    """
    import json

    arrays: dict[str, Any] = {}
    text = json.dumps(_packed(tree, arrays, "tree"), allow_nan=False)
    with written_whole(path) as file:
        write_arrays(file, arrays, text)


def load(path: str | Path) -> Any:
    """The tree that `save` wrote. Raises DataError for a file that is no whole checkpoint."""
    import json
    import zipfile

    content = Path(path).read_bytes()
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            tree = json.loads(archive.read(TREE))

            def array(number: int) -> Any:
                entry = BytesIO(archive.read(f"{number}.npy"))  # read whole, its checksum is verified
                return np.lib.format.read_array(entry, allow_pickle=False)

            return _unpacked(tree, array)
    except MemoryError:
        raise
    except Exception as error:
        what = "is empty" if not content else "is no checkpoint, or was cut short or changed"
        raise DataError(f"{path} {what}: it cannot be loaded ({type(error).__name__}: {error}).") from None


def _packed(x: Any, arrays: dict[str, Any], place: str) -> Any:
    """`x` as JSON can hold it. What JSON has no word for is a dict of one key that begins with "!"."""
    if x is None or isinstance(x, bool) or type(x) is str:
        return x
    if type(x) is int:
        return x if -(2**63) <= x < 2**63 else {"!int": hex(x)}
    if type(x) is float:
        return x if math.isfinite(x) else {"!float": struct.pack(">d", x).hex()}
    if type(x) is np.ndarray or isinstance(x, np.generic):
        if not x.dtype.hasobject:
            arrays[str(len(arrays))] = x
            return {"!array" if type(x) is np.ndarray else "!scalar": len(arrays) - 1}
    elif isinstance(x, (list, tuple)):
        items = [_packed(item, arrays, f"{place}[{i}]") for i, item in enumerate(x)]
        return items if isinstance(x, list) else {"!tuple": items}
    elif isinstance(x, dict):
        if all(type(key) is str and not key.startswith("!") for key in x):
            return {key: _packed(value, arrays, f"{place}[{key!r}]") for key, value in x.items()}
        return {
            "!pairs": [
                [_packed(key, arrays, f"a key of {place}"), _packed(value, arrays, f"{place}[{key!r}]")]
                for key, value in x.items()
            ]
        }
    raise TypeError(
        f"{place} is {type(x).__name__} ({x!r:.40}): a checkpoint holds dicts, lists, numbers, text, None, and arrays "
        "of numbers or text."
    )


def _unpacked(x: Any, array: Any) -> Any:
    """What `_packed` was given."""
    if isinstance(x, list):
        return [_unpacked(item, array) for item in x]
    if not isinstance(x, dict):
        return x
    mark = next(iter(x), "")
    if not mark.startswith("!"):
        return {key: _unpacked(value, array) for key, value in x.items()}
    (content,) = x.values()
    if mark == "!int":
        return int(content, 16)
    if mark == "!float":
        (number,) = struct.unpack(">d", bytes.fromhex(content))
        return number
    if mark in ("!array", "!scalar"):
        return array(content) if mark == "!array" else array(content)[()]
    if mark == "!tuple":
        return tuple(_unpacked(item, array) for item in content)
    return {_unpacked(key, array): _unpacked(value, array) for key, value in content}
