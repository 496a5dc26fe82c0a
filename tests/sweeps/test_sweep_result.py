"""SweepResult: grouped over the seeds, printed, saved and loaded."""

import csv
import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd_nn import SweepResult
from micrograd_nn.data import DataError
from micrograd_nn.sweeping import Row, Spread

finite = st.floats(-1e6, 1e6)
anything = st.one_of(st.floats(), st.integers(-(2**40), 2**40))


def a_result():
    """Two sizes, three seeds; the second seed of size 8 failed."""
    losses = {2: [0.5, 0.7, 0.9], 8: [0.25, None, 0.75]}
    rows = [
        Row({"hidden": h, "seed": s}, {}, 0.1, "ValueError: too large")
        if loss is None
        else Row({"hidden": h, "seed": s}, {"loss": loss}, 0.1)
        for h, given in losses.items()
        for s, loss in enumerate(given)
    ]
    return SweepResult(rows)


def test_the_seeds_are_taken_together_and_the_failed_left_out():
    two, eight = a_result().group()
    assert (two.setting, two.runs, two.failed) == ({"hidden": 2}, 3, 0)
    assert (eight.setting, eight.runs, eight.failed) == ({"hidden": 8}, 3, 1)
    spread = two.values["loss"]
    assert (spread.mean, spread.std, spread.n) == pytest.approx((0.7, 0.2, 3))
    assert (spread.min, spread.max) == (0.5, 0.9)
    assert eight.values["loss"] == Spread(0.5, pytest.approx(0.5 / math.sqrt(2)), 0.25, 0.75, 2)


def test_grouping_by_a_name_takes_all_else_together():
    assert [g.setting for g in a_result().group("seed")] == [{"seed": 0}, {"seed": 1}, {"seed": 2}]
    (everything,) = a_result().group([])
    assert (everything.runs, everything.failed, everything.values["loss"].n) == (6, 1, 5)
    with pytest.raises(ValueError, match="there is no 'lr' in this sweep: it has hidden, seed"):
        a_result().group("lr")


@given(st.lists(st.tuples(st.integers(0, 3), finite), min_size=1, max_size=30))
def test_mean_and_spread_are_those_of_the_statistics_module(drawn):
    rows = [Row({"k": k, "seed": i}, {"v": v}) for i, (k, v) in enumerate(drawn)]
    groups = SweepResult(rows).group()
    assert [g.setting["k"] for g in groups] == list(dict.fromkeys(k for k, _ in drawn))
    for g in groups:
        own = [v for k, v in drawn if k == g.setting["k"]]
        spread = g.values["v"]
        assert spread.mean == pytest.approx(statistics.fmean(own), rel=1e-9, abs=1e-6)
        assert (spread.min, spread.max, spread.n) == (min(own), max(own), len(own))
        if len(own) > 1:
            assert spread.std == pytest.approx(statistics.stdev(own), rel=1e-9, abs=1e-6)
        else:
            assert math.isnan(spread.std)


def test_a_run_that_ended_at_infinity_shows_in_the_mean_and_warns_nobody():
    rows = [Row({"seed": s}, {"loss": v}) for s, v in enumerate([1.0, math.inf])]
    (g,) = SweepResult(rows).group()
    assert g.values["loss"].mean == math.inf
    assert math.isnan(g.values["loss"].std)


def test_settings_that_are_equal_are_one_group_whatever_they_are():
    settings = [
        {"sizes": [4, 2]},
        {"sizes": (4, 2)},
        {"sizes": np.array([4, 2])},
        {"sizes": {4: 2}},
        {},
        {"sizes": None},
    ]
    groups = SweepResult([Row(s, {"v": i}) for i, s in enumerate(settings)]).group()
    assert [g.runs for g in groups] == [3, 1, 1, 1]
    nans = SweepResult([Row({"x": math.nan}, {"v": 0}), Row({"x": float("nan")}, {"v": 1})])
    assert len(nans.group()) == 1


def test_a_column_is_aligned_with_the_rows():
    result = a_result()
    np.testing.assert_array_equal(result.column("loss"), [0.5, 0.7, 0.9, 0.25, np.nan, 0.75])
    assert result.column("hidden").tolist() == [2, 2, 2, 8, 8, 8]
    mixed = SweepResult([Row({"activation": "relu", "sizes": [1, 2]}, {"v": 0}), Row({"activation": "tanh"}, {"v": 0})])
    assert mixed.column("activation").tolist() == ["relu", "tanh"]
    assert mixed.column("sizes").tolist() == [[1, 2], None]
    with pytest.raises(ValueError, match="there is no 'accuracy' in this sweep: it has loss, hidden, seed"):
        result.column("accuracy")


def test_it_prints_as_a_table_with_the_failures_named():
    assert str(a_result()).splitlines() == [
        "hidden        loss  runs",
        "2        0.7 ± 0.2     3",
        "8       0.5 ± 0.35     2",
        "Mean ± standard deviation (dividing by n − 1) of the runs that ended well.",
        "1 of 6 runs failed:",
        "  hidden=8, seed=1: ValueError: too large",
    ]
    assert repr(a_result()) == "SweepResult(6 runs, 1 failed, finished)"


def test_a_long_table_says_how_much_it_leaves_out():
    rows = [Row({"x": i}, {"v": i}) for i in range(1000)] + [
        Row({"x": i}, {}, 0.0, "Error: " + 999 * "e") for i in range(50)
    ]
    lines = str(SweepResult(rows)).splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) < 330
    assert "... and 960 more combinations: see .group() or .to_csv(path)." in lines
    assert "  ... and 40 more: see .failed." in lines
    assert "Mean" not in str(SweepResult(rows[:5]))


def test_the_work_of_grouping_grows_with_the_runs_and_not_with_their_square():
    class Counting(SweepResult):
        looks = 0

        @property
        def values(self):
            self.looks += 1
            return super().values

    result = Counting([Row({"x": i}, {"v": i}) for i in range(50)])
    assert len(result.group()) == 50
    assert result.looks == 1


def test_nothing_but_failures_prints_too():
    failed = SweepResult([Row({}, {}, 0.0, "OSError: no")])
    assert str(failed) == "1 of 1 run failed:\n  (no setting): OSError: no"
    assert repr(failed) == "SweepResult(1 run, 1 failed, finished)"


@given(st.lists(st.tuples(anything, st.dictionaries(st.sampled_from("ab"), anything), st.none() | st.text())))
def test_json_gives_back_what_was_saved(tmp_path_factory, drawn):
    result = SweepResult(
        [Row({"x": i, "y": "text"}, v, 0.5, e) for i, (_, v, e) in enumerate(drawn)], "interrupted", ["n"]
    )
    path = tmp_path_factory.mktemp("saved") / "sweep.json"
    result.save(path)
    back = SweepResult.load(path)
    assert repr(back.rows) == repr(result.rows)  # repr: NaN is not equal to itself
    assert (back.ended, back.notes) == ("interrupted", ["n"])
    json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert [p.name for p in path.parent.iterdir()] == ["sweep.json"]


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b"{}", b'{"rows": [{}]}', b'{"rows": 3, "ended": ""}'])
def test_what_is_no_result_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match="file is not the result of a sweep"):
        SweepResult.load(tmp_path / "file")


def test_what_json_cannot_hold_is_saved_as_its_name():
    setting = {"f": math.sqrt, "sizes": (4, 2), "lr": np.float64(0.1), "n": np.int64(3), "a": np.eye(2), "x": math.inf}
    saved = SweepResult([Row(setting, {"v": 1.0})]).to_dict()["rows"][0]["setting"]
    assert saved == {"f": "sqrt", "sizes": [4, 2], "lr": 0.1, "n": 3, "a": [[1, 0], [0, 1]], "x": "inf"}
    json.dumps(saved, allow_nan=False)


def test_results_are_equal_when_their_numbers_are():
    fast, slow = (SweepResult([Row({"x": 1}, {"v": 2.0}, seconds)]) for seconds in (0.1, 9.0))
    assert fast == slow
    assert fast != SweepResult([Row({"x": 1}, {"v": 2.1}, 0.1)])


def test_csv_has_a_line_a_run(tmp_path):
    a_result().to_csv(tmp_path / "sweep.csv")
    with open(tmp_path / "sweep.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["hidden", "seed", "loss", "seconds", "error"]
    assert lines[1] == {"hidden": "2", "seed": "1", "loss": "0.7", "seconds": "0.1", "error": ""}
    assert (lines[4]["loss"], lines[4]["error"]) == ("", "ValueError: too large")


def test_csv_columns_of_one_name_are_told_apart(tmp_path):
    SweepResult([Row({"loss": "hinge", "seconds": 2}, {"loss": 0.5, "error": 0.1}, 1.0)]).to_csv(tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text().splitlines() == [
        "setting loss,setting seconds,loss,value error,seconds,error",
        "hinge,2,0.5,0.1,1.0,",
    ]
