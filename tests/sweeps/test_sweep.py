"""sweep: the same rows through every executor; a worker that dies costs its own run at most, and the rows say which."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import sweep_runs as runs

import micrograd_nn as mg
from micrograd_nn import Tensor, Value, sweep

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(3) as pool:
        yield pool


def quietly(*args, **options):
    return sweep(*args, progress=False, **options)


class Inline(Executor):
    """Does a run when it is handed over; keeps count."""

    def __init__(self):
        self.taken = 0

    def submit(self, fn, /, *args, **kwargs):
        self.taken += 1
        future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


# Settings


def test_a_dict_of_lists_is_the_grid_of_all_combinations_the_last_name_varying_fastest(threads):
    result = quietly(lambda a, b: a, {"a": [1, 2], "b": ["xy", "z"]}, threads)
    assert [row.setting for row in result.rows] == [{"a": a, "b": b} for a in (1, 2) for b in ("xy", "z")]


def test_a_list_of_dicts_is_done_in_its_order_and_seeds_are_added_to_each(threads):
    result = quietly(lambda a=0, b=0, seed=None: seed, [{"a": 1}, {"b": 2}], threads, seeds=[5, 3])
    assert [row.setting for row in result.rows] == [
        {"a": 1, "seed": 5}, {"a": 1, "seed": 3}, {"b": 2, "seed": 5}, {"b": 2, "seed": 3},
    ]  # fmt: skip
    assert result.column("value").tolist() == [5, 3, 5, 3]


def test_a_number_of_seeds_counts_from_0_and_no_setting_at_all_is_one_setting(threads):
    assert quietly(lambda seed: seed, {}, threads, seeds=3).column("seed").tolist() == [0, 1, 2]
    assert quietly(lambda: 7, {}, threads).column("value").tolist() == [7]


@pytest.mark.parametrize(
    ("settings", "options", "says"),
    [
        ({"x": "relu"}, {}, "'x' is a list of what to try: write {'x': ['relu']}"),
        ({"x": 3}, {}, "write {'x': [3]}"),
        ({"x": []}, {}, "the list of 'x' is empty"),
        ([], {}, "nothing to run"),
        ([{"x": 1}, 2], {}, "entry 1 is 2"),
        ([{1: 2}], {}, "the name of an argument is text, not 1"),
        ([{"x": 1, "seed": 0}], {"seeds": 2}, "say seed already"),
        ([{"x": 1}], {"seeds": 0}, "at least 1"),
        ([{"x": 1}], {"seeds": True}, "how many"),
        ([{"x": 1}], {"seeds": 2.5}, "how many (at least 1), or a list of them, not 2.5"),
        ([{"x": 1}], {"seeds": "12"}, "how many (at least 1), or a list of them, not '12'"),
        (None, {}, "a list of dicts, or a dict of lists, not None"),
        ("x", {}, "a list of dicts, or a dict of lists, not 'x'"),
        ([{"x": 1}], {"workers": 0}, "workers is a whole number"),
        ([{"x": 1}], {"seeds": 2}, "square(x, wait=0.0) cannot be called as square(x=..., seed=...)"),
        ([{"y": 1}], {}, "missing a required argument: 'x'"),
    ],
)
def test_settings_that_mean_nothing_are_refused_before_any_run(settings, options, says):
    inline = Inline()
    with pytest.raises((TypeError, ValueError)) as error:
        quietly(runs.square, settings, inline, **options)
    assert says in str(error.value)
    assert inline.taken == 0


def test_an_executor_must_take_runs():
    with pytest.raises(
        TypeError, match=r"executor has a submit\(\).*; 4 has none. How many processes there are is work"
    ):
        quietly(runs.square, [{"x": 1}], 4)


def test_run_must_be_callable():
    with pytest.raises(TypeError, match="run is a function"):
        quietly(3, [{}])


# What a run returns


@pytest.mark.parametrize(
    ("returned", "values"),
    [
        (3, {"value": 3}),
        (np.float32(0.5), {"value": 0.5}),
        (np.array(2.0), {"value": 2.0}),
        (Value(4.0), {"value": 4.0}),
        (Tensor(1.5, requires_grad=True), {"value": 1.5}),
        ({"a": np.int64(1), "b": True, "c": np.inf}, {"a": 1, "b": 1, "c": np.inf}),
    ],
)
def test_numbers_of_every_kind_become_pythons(threads, returned, values):
    (row,) = quietly(runs.what_is_returned, [{"x": returned}], threads).rows
    assert row.values == values
    assert row.error is None
    assert {type(v) for v in row.values.values()} <= {int, float}


@pytest.mark.parametrize(
    "returned", [None, "0.5", [0.5], np.zeros(3), 1j, {"loss": None}, {"loss": Tensor([1.0, 2.0])}]
)
def test_what_is_no_number_fails_and_says_what_to_return(threads, returned):
    (row,) = quietly(runs.what_is_returned, [{"x": returned}], threads).failed
    assert "return a number, or a dict of numbers" in row.error
    assert row.values == {}


# Every executor


def test_a_whole_number_too_large_for_a_mean_fails_its_own_run(threads):
    result = quietly(runs.what_is_returned, {"x": [10**400, 10**300]}, threads)
    assert [row.setting["x"] for row in result.failed] == [10**400]
    assert "OverflowError: int too large" in str(result)
    assert result.rows[1].values == {"value": 10**300}


def test_the_rows_come_in_the_order_of_the_settings_whatever_ends_first(threads):
    settings = [{"x": x, "wait": 0.02 * (5 - x)} for x in range(6)]
    assert quietly(runs.square, settings, threads).column("value").tolist() == [0, 1, 4, 9, 16, 25]


def test_a_training_gives_the_same_numbers_through_every_executor(threads):
    own = quietly(runs.train, runs.TRAININGS, seeds=2, workers=2)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        passed = quietly(runs.train, runs.TRAININGS, pool, seeds=2)
    here = [runs.train(hidden, lr, seed) for hidden in (2, 8) for lr in (0.01, 0.1) for seed in (0, 1)]
    assert own.failed == []
    assert [row.values for row in own.rows] == here
    assert own == passed == quietly(runs.train, runs.TRAININGS, threads, seeds=2)
    assert all(row.seconds > 0 for row in own.rows)


def test_every_run_computes_with_one_blas_thread_and_afterwards_all_is_as_before(threads):
    before = runs.blas_threads(0)
    for executor in (None, threads):
        assert set(quietly(runs.blas_threads, {"x": range(6)}, executor, workers=2).column("value")) == {1}
    assert runs.blas_threads(0) == before


def test_of_two_sweeps_at_a_time_the_last_to_end_gives_the_blas_threads_back(threads):
    before, met = runs.blas_threads(0), threading.Barrier(2, timeout=20)

    def first(x):
        met.wait()
        return runs.blas_threads(x)

    def second(x):
        if x == 0:
            met.wait()
            one.join()  # from here on it goes on alone
        return runs.blas_threads(x)

    def sweeps(run, out):
        with ThreadPoolExecutor(1) as pool:
            out.extend(quietly(run, {"x": range(3 if run is second else 1)}, pool).column("value"))

    found = []
    one, two = (threading.Thread(target=sweeps, args=(run, found)) for run in (first, second))
    one.start()
    two.start()
    two.join()
    assert found == [1] * 4
    assert runs.blas_threads(0) == before


def test_large_matrices_are_multiplied_to_the_same_last_digit_everywhere(threads):
    own, here = (quietly(runs.product_of_matrices, {}, e, seeds=2, workers=2) for e in (None, threads))
    assert own == here


def test_equal_settings_are_so_many_runs(threads):
    assert len(set(quietly(runs.at_this_moment, [{}] * 3, threads).column("value"))) == 3


def test_no_more_runs_are_handed_over_than_there_are_workers():
    class Counting(ThreadPoolExecutor):
        now = most = 0

        def submit(self, *args, **kwargs):
            self.now += 1
            self.most = max(self.most, self.now)
            future = super().submit(*args, **kwargs)
            future.add_done_callback(self.gone)
            return future

        def gone(self, _):
            self.now -= 1

    with Counting(4) as pool:
        assert len(quietly(runs.square, {"x": range(300)}, pool)) == 300
        assert pool.most <= 5  # the callbacks of one future run one after the other
        pool.most = 0
        quietly(runs.square, {"x": range(300)}, pool, workers=2)
        assert pool.most <= 3


# Failures


def test_an_exception_is_recorded_with_its_place_and_stops_nobody(threads):
    for executor in (None, threads):
        result = quietly(runs.troubled, {"x": range(4)}, executor, workers=1)
        assert [row.setting["x"] for row in result.failed] == [1, 2]
        line = (
            Path(runs.__file__).read_text().splitlines().index('        raise ValueError("one is not\\nmy number")') + 1
        )
        assert result.rows[1].error == f"ValueError: one is not\nmy number (sweep_runs.py, line {line})"
        assert result.rows[2].error.startswith("SystemExit: 3")
        np.testing.assert_array_equal(result.column("y"), [0, np.nan, np.nan, 3])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
class TestAWorkerThatDies:
    def test_costs_the_run_that_killed_it_and_no_other(self):
        result = quietly(runs.killed, {"x": range(12), "victim": [5]}, workers=3)
        assert [row.setting["x"] for row in result.failed] == [5]
        assert "its worker process died" in result.rows[5].error
        assert [row.values["value"] for row in result.rows if not row.error] == [x for x in range(12) if x != 5]
        assert result.ended == "finished"
        assert "x=5, victim=5: its worker process died" in str(result)

    def test_costs_nothing_when_it_dies_but_once(self, tmp_path):
        settings = {"x": range(12), "victim": [5], "marker": [str(tmp_path / "died")]}
        result = quietly(runs.killed_once, settings, workers=3)
        assert (tmp_path / "died").exists()
        assert result.failed == []
        assert result.column("value").tolist() == list(range(12))

    def test_may_be_the_first_the_last_or_all(self):
        for settings in ([{"x": x, "victim": v} for x in range(4) for v in (0, 3)], [{"x": 1, "victim": 1}] * 2):
            result = quietly(runs.killed, settings, workers=2)
            assert [row.setting for row in result.failed] == [s for s in settings if s["x"] == s["victim"]]

    def test_breaks_a_pool_that_was_passed_in_and_ours_goes_on(self):
        with (
            ProcessPoolExecutor(3, get_context("spawn")) as pool,
            pytest.warns(RuntimeWarning, match="The executor was lost"),
        ):
            result = quietly(runs.killed, {"x": range(12), "victim": [5]}, pool)
        assert [row.setting["x"] for row in result.failed] == [5]
        assert np.isfinite(np.delete(result.column("value"), 5)).all()
        (note,) = result.notes
        assert "processes of our own" in note
        assert note in str(result)

    def test_from_outside_costs_nothing(self):
        """Somebody kills a worker that did nothing wrong."""
        seen = []

        class Watching(ProcessPoolExecutor):
            def submit(self, *args, **kwargs):
                future = super().submit(*args, **kwargs)
                future.add_done_callback(self.look)
                return future

            def look(self, future):
                if future.exception() is None and isinstance(future.result(), tuple) and not seen:
                    seen.append(future.result()[0]["pid"])
                    os.kill(seen[0], signal.SIGKILL)

        with Watching(2, get_context("spawn")) as pool, pytest.warns(RuntimeWarning, match="lost"):
            result = quietly(runs.where_it_runs, {"x": range(10), "wait": [0.05]}, pool)
        assert result.failed == []
        assert seen[0] == result.rows[0].values["pid"] or seen[0] in result.column("pid")
        assert result.column("x").tolist() == list(range(10))

    def test_leaves_threads_with_runs_that_no_process_can_load_to_fail_and_say_so(self):
        class Broken(Inline):
            def submit(self, fn, /, *args, **kwargs):
                if self.taken == 3:
                    raise BrokenExecutor("gone")
                return super().submit(fn, *args, **kwargs)

        with pytest.warns(RuntimeWarning, match="3 of 6 runs"):
            result = quietly(lambda x: x, {"x": range(6)}, Broken())
        assert [row.setting["x"] for row in result.failed] == [3, 4, 5]
        assert "the executor was lost, and" in result.rows[4].error
        assert "cannot be sent" in result.rows[4].error


def test_a_cluster_that_gives_a_run_up_gets_it_a_second_time_alone():
    """As dask.distributed does when four workers died with a run: innocent runs beside the guilty one are blamed."""

    class KilledWorker(Exception):
        pass

    class Cluster(Inline):
        def submit(self, fn, /, run, setting, *rest):
            times[setting["x"]] = times.get(setting["x"], 0) + 1
            if setting["x"] == 2 or (setting["x"] == 3 and times[3] == 1):
                self.taken += 1
                future = Future()
                future.set_exception(KilledWorker("4 workers died"))
                return future
            return super().submit(fn, run, setting, *rest)

    times = {}
    result = quietly(runs.square, {"x": range(6)}, Cluster())
    assert [row.setting["x"] for row in result.failed] == [2]
    assert times == {0: 1, 1: 1, 2: 2, 3: 2, 4: 1, 5: 1}


def test_a_run_that_its_executor_lets_go_is_handed_over_once_more():
    class Forgetful(Inline):
        def submit(self, fn, /, run, setting, *rest):
            if setting["x"] == 4 or self.taken == 1:
                self.taken += 1
                future = Future()
                future.cancel()
                future.set_running_or_notify_cancel()
                return future
            return super().submit(fn, run, setting, *rest)

    result = quietly(runs.square, {"x": range(6)}, Forgetful())
    assert [row.setting["x"] for row in result.failed] == [4]
    assert "CancelledError" in result.rows[4].error


def test_an_executor_that_takes_no_more_costs_the_runs_that_are_left():
    class Closing(Inline):
        def submit(self, fn, /, *args, **kwargs):
            if self.taken == 4:
                raise RuntimeError("cannot schedule new futures after shutdown")
            return super().submit(fn, *args, **kwargs)

    result = quietly(runs.square, {"x": range(6)}, Closing(), workers=2)
    assert [row.setting["x"] for row in result.failed] == [4, 5]
    assert "cannot schedule new futures after shutdown" in result.rows[5].error


def test_an_executor_that_takes_nothing_is_an_error():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        quietly(runs.square, {"x": [1, 2]}, pool)


# What cannot be sent to a process


def test_a_function_that_no_worker_can_load_is_refused_at_once_with_the_fix():
    def nested(x):
        return x

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        for run in (nested, lambda x: x):
            for executor in (None, pool):
                with pytest.raises(TypeError, match=r"at the top of a module .* or use threads"):
                    quietly(run, {"x": [1]}, executor)


def test_a_setting_that_cannot_be_sent_costs_its_own_run():
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        result = quietly(runs.what_is_returned, {"x": [1, lambda: 0, 3]}, pool)
    assert [row.error is None for row in result.rows] == [True, False, True]
    assert "cannot be sent to a worker process" in result.rows[1].error


def test_an_object_that_cannot_be_unpacked_there_costs_its_own_run():
    result = quietly(runs.what_is_returned, {"x": [1, Unloadable(), 3]}, workers=1)
    assert [row.error is None for row in result.rows] == [True, False, True]
    assert "cannot load it: ValueError: no" in result.rows[1].error


class Unloadable:
    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise ValueError("no")


def python(code, tmp_path, **options):
    (tmp_path / "script.py").write_text(code)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, *options.pop("how", ["script.py"])], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


SCRIPT = "import micrograd_nn as mg\ndef run(x): return x * x\n"
CALL = "print(mg.sweep(run, {'x': [1, 2]}, workers=1, progress=False).column('value'))\n"


def test_a_script_needs_its_guard_and_is_told_so(tmp_path):
    out, err = python(SCRIPT + CALL, tmp_path).communicate(timeout=60)
    assert out == ""
    assert 'under `if __name__ == "__main__":`' in err.splitlines()[-1]
    out, err = python(SCRIPT + "if __name__ == '__main__': " + CALL, tmp_path).communicate(timeout=60)
    assert (out, err) == ("[1. 4.]\n", "")


def test_a_function_defined_at_a_prompt_is_refused_with_the_fix(tmp_path):
    _, err = python("", tmp_path, how=["-c", SCRIPT + CALL]).communicate(timeout=60)
    assert err.splitlines()[-1].startswith("TypeError: run cannot be sent to worker processes")
    assert "or use threads" in err


# Ctrl-C

INTERRUPTED = """
import os, sys, time
import micrograd_nn as mg
def run(x):
    open(f"pid-{os.getpid()}", "w").close()
    time.sleep(0 if x < 3 else 60)
    return x
if __name__ == "__main__":
    result = mg.sweep(run, {"x": range(20)}, workers=2, progress=False)
    first = [row.values.get("value") for row in result.rows[:4]]
    print(result.ended, len(result), first, result.rows[9].error, sep=";")
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def until(condition):
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
@pytest.mark.parametrize("how", [signal.SIGINT, "SIGKILL"])
def test_ctrl_c_gives_what_there_is_and_no_worker_stays_behind_even_after_kill_9(tmp_path, how):
    process = python(INTERRUPTED, tmp_path)
    assert until(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
    time.sleep(0.5)
    process.send_signal(getattr(signal, how) if isinstance(how, str) else how)
    out, err = process.communicate(timeout=30)
    workers = [int(p.name[4:]) for p in tmp_path.glob("pid-*")]
    assert until(lambda: not any(alive(pid) for pid in workers))
    if how == signal.SIGINT:
        assert out == "interrupted;20;[0, 1, 2, None];not done: interrupted\n"
        assert err == ""


def test_ctrl_c_with_an_executor_passed_in_cancels_what_has_not_begun():
    handed = []

    class Interrupting(Inline):
        def submit(self, fn, /, *args, **kwargs):
            if self.taken < 3:
                return super().submit(fn, *args, **kwargs)
            handed.append(Future())
            if len(handed) == 2:
                signal.raise_signal(signal.SIGINT)
            return handed[-1]

    result = quietly(runs.square, {"x": range(10)}, Interrupting(), workers=8)
    assert result.ended == "interrupted"
    assert result.column("value")[:3].tolist() == [0, 1, 4]
    assert len(result.failed) == 7
    assert handed[0].cancelled()
    assert "not done: interrupted" in str(result)


# Progress


def test_lines_where_there_is_no_terminal_and_nothing_on_request(threads, capsys):
    sweep(runs.troubled, {"x": range(4)}, threads, workers=1)
    assert capsys.readouterr().err.splitlines() == [
        "run 1/4", "run 2/4  1 failed", "run 3/4  2 failed", "run 4/4  2 failed",
    ]  # fmt: skip
    sweep(runs.square, {"x": range(200)}, threads)
    assert len(capsys.readouterr().err.splitlines()) == 11
    quietly(runs.square, {"x": range(4)}, threads)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(threads, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    sweep(runs.troubled, {"x": range(4)}, threads)
    err = capsys.readouterr().err
    assert "4/4" in err
    assert "2 failed" in err


def test_the_engine_does_not_load_what_only_sweeps_need():
    code = (
        "import sys, micrograd_nn; print('concurrent.futures.process' in sys.modules, 'multiprocessing' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


def test_the_names_are_public():
    assert mg.sweep is sweep
    assert mg.SweepResult.__name__ == "SweepResult"
