"""A tree in a file: every bit comes back, and a file is written whole or not at all."""

import builtins
import math
import os
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from micrograd_nn import checkpoint, run
from micrograd_nn.data import DataError

dtypes = st.one_of(
    npst.floating_dtypes(), npst.integer_dtypes(), npst.boolean_dtypes(), npst.complex_number_dtypes(),
    npst.unicode_string_dtypes(max_len=5), npst.datetime64_dtypes(),
)  # fmt: skip
arrays = dtypes.flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_side=4)))
numbers = st.one_of(st.none(), st.booleans(), st.integers(-(2**200), 2**200), st.floats(), st.text())
trees = st.recursive(
    numbers | arrays | arrays.filter(lambda a: a.size).map(lambda a: a.flat[0]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.text() | st.integers() | st.tuples(st.booleans(), st.none()), inner, max_size=4),
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal to the last bit, and of the same type; nan is nan, and -0.0 is not 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return math.copysign(1, a) == math.copysign(1, b) and (a == b or (a != a and b != b))
    return a == b


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(tree=trees)
def test_every_tree_comes_back_to_the_last_bit(tmp_path, tree):
    checkpoint.save(tmp_path / "t", tree)
    assert same(checkpoint.load(tmp_path / "t"), tree)


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_the_state_of_a_generator_comes_back_whole(tmp_path, kind):
    rng = np.random.Generator(getattr(np.random, kind)(7))
    rng.random(5)
    checkpoint.save(tmp_path / "t", rng.bit_generator.state)
    twin = np.random.Generator(getattr(np.random, kind)(0))
    twin.bit_generator.state = checkpoint.load(tmp_path / "t")
    assert twin.random(9).tolist() == rng.random(9).tolist()


def test_arrays_keep_their_order_in_memory(tmp_path):
    a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    checkpoint.save(tmp_path / "t", [a, a[:, ::2]])
    first, second = checkpoint.load(tmp_path / "t")
    assert first.flags.f_contiguous
    assert second.tolist() == a[:, ::2].tolist()


def test_keys_that_look_like_marks_are_no_marks(tmp_path):
    tree = {"!array": 3, "x": {"!tuple": [1]}, "y": {"!float": "nan", "!": None}, "": []}
    checkpoint.save(tmp_path / "t", tree)
    assert checkpoint.load(tmp_path / "t") == tree


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        ({1, 2}, r"tree\['a'\]\[1\] is set"),
        (np.array([None]), r"tree\['a'\]\[1\] is ndarray"),
        (2 + 3j, "is complex"),
        (b"bytes", "is bytes"),
        (lambda: 0, "is function"),
        (np.ma.masked_array([1.0], [True]), "is MaskedArray"),
    ],
)
def test_what_cannot_be_saved_is_named_with_its_place_and_the_old_file_stays(tmp_path, leaf, message):
    checkpoint.save(tmp_path / "t", 1)
    with pytest.raises(TypeError, match=message):
        checkpoint.save(tmp_path / "t", {"a": [np.zeros(3), leaf]})
    assert checkpoint.load(tmp_path / "t") == 1
    assert os.listdir(tmp_path) == ["t"]


def test_the_same_tree_gives_the_same_bytes(tmp_path):
    for name in "ab":
        checkpoint.save(tmp_path / name, {"x": np.arange(3), "y": [1.5]})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_cut_short_anywhere_is_refused(tmp_path):
    checkpoint.save(tmp_path / "t", {"x": np.arange(5), "n": 2**80})
    content = (tmp_path / "t").read_bytes()
    for length in range(len(content)):
        (tmp_path / "cut").write_bytes(content[:length])
        with pytest.raises(DataError, match=r"is empty|cut short or changed"):
            checkpoint.load(tmp_path / "cut")


def test_a_bit_changed_anywhere_never_gives_another_tree(tmp_path):
    tree = {"x": np.arange(5), "n": 2**80}
    checkpoint.save(tmp_path / "t", tree)
    content = (tmp_path / "t").read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x10
        (tmp_path / "t").write_bytes(changed)
        try:
            found = checkpoint.load(tmp_path / "t")
        except DataError:
            continue
        assert same(found, tree)


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("hello")
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("tree.json", '{"!array": 4}')
    for name in ("text", "other.npz", "zip"):
        with pytest.raises(DataError, match="no checkpoint"):
            checkpoint.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "none")


def test_no_pickle_is_ever_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil", "w") as archive:
        archive.writestr("tree.json", '{"!array": 0}')
        with archive.open("0.npy", "w") as entry:
            np.lib.format.write_array(entry, np.array([print], object), allow_pickle=True)
    with pytest.raises(DataError):
        checkpoint.load(tmp_path / "evil")


class Killed(BaseException):
    """As far as files go, a kill -9: whatever comes after does not happen."""


@pytest.mark.parametrize("call", ["open", "fsync", "replace", "second fsync", "scandir"])
def test_a_writing_that_ends_at_any_call_leaves_the_old_file_or_the_new(tmp_path, monkeypatch, call):
    checkpoint.save(tmp_path / "t", "old")
    calls = []

    def dies(real, name):
        def instead(*args, **kwargs):
            calls.append(name)
            if call == name or (call == "second fsync" and calls.count("fsync") == 2):
                raise Killed
            return real(*args, **kwargs)

        return instead

    for name in ("fsync", "replace", "scandir"):
        monkeypatch.setattr(os, name, dies(getattr(os, name), name))
    monkeypatch.setattr(builtins, "open", dies(open, "open"))
    with pytest.raises(Killed):
        checkpoint.save(tmp_path / "t", "new")
    monkeypatch.undo()
    expected = "new" if call in ("second fsync", "scandir") else "old"
    assert checkpoint.load(tmp_path / "t") == expected
    assert os.listdir(tmp_path) == ["t"]


def test_what_a_kill_left_behind_goes_with_a_later_writing_and_nothing_else_does(tmp_path):
    left, fresh, other = tmp_path / ".t.aa.partial", tmp_path / ".t.bb.partial", tmp_path / ".u.cc.partial"
    for path in (left, fresh, other):
        path.write_bytes(b"half")
    for path in (left, other):
        os.utime(path, (time.time() - 3600,) * 2)
    checkpoint.save(tmp_path / "t", 1)
    assert {p.name for p in tmp_path.iterdir()} == {"t", fresh.name, other.name}


def test_a_link_stays_a_link_and_a_long_name_is_no_trouble(tmp_path):
    long = tmp_path / ("n" * 250)
    checkpoint.save(long, 1)
    (tmp_path / "link").symlink_to(long)
    checkpoint.save(tmp_path / "link", 2)
    assert (tmp_path / "link").is_symlink()
    assert checkpoint.load(long) == 2


def test_files_may_be_read_by_whom_the_system_lets(tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    checkpoint.save(tmp_path / "t", 1)
    assert (tmp_path / "t").stat().st_mode == plain.stat().st_mode


def test_weights_are_an_npz_file_whatever_their_names(tmp_path):
    state = {"layers[0].weight": np.arange(6.0).reshape(2, 3), "file": np.float32([1]), "a/b": np.array(2.0)}
    run.save_weights(tmp_path / "weights.npz", state)
    with np.load(tmp_path / "weights.npz") as found:
        assert set(found.files) == set(state)
    assert all(same(found, state[name]) for name, found in run.load_weights(tmp_path / "weights.npz").items())
