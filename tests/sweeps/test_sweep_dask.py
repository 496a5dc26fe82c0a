"""sweep on a real dask.distributed scheduler and workers, started on loopback, some of them killed half way."""

import logging
import os
import signal
import threading
import time

import pytest
import sweep_runs as runs

from micrograd_nn import sweep

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


@pytest.fixture(scope="module")
def client():
    """Two worker processes, and a client that knows them; the cluster's own log stays out of the tests' output."""
    for name in ("distributed.nanny", "distributed.scheduler", "distributed.client", "distributed.worker"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    patient = {f"distributed.comm.timeouts.{name}": "120s" for name in ("connect", "tcp")}  # on a busy machine
    settings = {"n_workers": 2, "threads_per_worker": 2, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with dask.config.set(patient), distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as c:
        yield c


def quietly(*args, **options):
    return sweep(*args, progress=False, **options)


def test_a_training_gives_the_same_numbers_as_in_our_own_processes(client):
    cluster = quietly(runs.train, runs.TRAININGS, client.get_executor(), seeds=2)
    assert cluster.failed == []
    assert cluster == quietly(runs.train, runs.TRAININGS, seeds=2, workers=2)


def test_the_rows_come_in_order_with_the_failures_named(client):
    result = quietly(runs.troubled, {"x": range(20)}, client.get_executor())
    assert [row.setting["x"] for row in result.rows] == list(range(20))
    assert [row.setting["x"] for row in result.failed] == [1, 2]
    assert result.rows[1].error.startswith("ValueError: one is not\nmy number (sweep_runs.py, line ")


def test_equal_settings_are_so_many_runs_also_where_equal_calls_are_computed_once(client):
    assert len(set(quietly(runs.at_this_moment, [{}] * 3, client.get_executor()).column("value"))) == 3


def test_every_run_computes_with_one_blas_thread(client):
    assert set(quietly(runs.blas_threads, {"x": range(8)}, client.get_executor()).column("value")) == {1}


def test_a_worker_killed_half_way_costs_nothing(client, tmp_path):
    """The scheduler gives its runs to the other one, and its nanny starts another."""
    victim = next(iter(client.run(os.getpid).values()))
    begun_before = []

    def kill():
        while len(begun := list(tmp_path.iterdir())) < 15 or not any(p.suffix == f".{victim}" for p in begun):
            time.sleep(0.01)
        begun_before.extend(begun)
        os.kill(victim, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    settings = {"x": range(40), "wait": [0.1], "folder": [str(tmp_path)]}
    result = quietly(runs.where_it_runs, settings, client.get_executor())
    killing.join()
    assert 15 <= len(begun_before) < 40
    assert victim not in client.run(os.getpid).values()
    assert result.failed == []
    assert result.notes == []
    assert result.column("x").tolist() == list(range(40))


def test_a_run_whose_worker_dies_but_once_completes(client, tmp_path):
    settings = {"x": range(12), "victim": [5], "marker": [str(tmp_path / "died")]}
    result = quietly(runs.killed_once, settings, client.get_executor())
    assert (tmp_path / "died").exists()
    assert result.failed == []
    assert result.column("value").tolist() == list(range(12))


@pytest.mark.slow
def test_a_run_that_kills_every_worker_it_gets_fails_alone(client):
    result = quietly(runs.killed, {"x": range(30), "victim": [5]}, client.get_executor())
    assert [row.setting["x"] for row in result.failed] == [5]
    assert "its worker process died" in result.rows[5].error
    assert result.notes == []


@pytest.mark.slow
def test_runs_beside_the_one_that_kills_are_not_blamed_for_it(client):
    """A long run that shares a worker with the guilty one dies with it every time, and is done again on its own."""
    settings = [{"x": 0, "victim": 0}, *({"x": x, "victim": 0, "wait": 3.0} for x in (1, 2, 3))]
    result = quietly(runs.killed, settings, client.get_executor())
    assert [row.setting["x"] for row in result.failed] == [0]
    assert result.column("value")[1:].tolist() == [1, 2, 3]
