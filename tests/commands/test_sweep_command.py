"""`micrograd-nn sweep`: many runs at once, in processes and on a cluster, and what is left of those that fail."""

import csv
import json
import logging
import os
import signal

import pytest
from command import one_line, started

from micrograd_nn import SweepResult, nn
from micrograd_nn.cli import main
from micrograd_nn.experiment import trial

SMALL = ("sweep", "--data", "moons", "--examples", "60", "--lr", "0.02", "--epochs", "2", "--workers", "2")
FILES = {"summary.txt", "sweep.csv", "sweep.json"}
MEASURES = ["loss", "accuracy", "test_loss", "test_accuracy", "dead", "saturated"]


def rows(folder):
    return list(csv.DictReader((folder / "sweep.csv").read_text().splitlines()))


def test_every_combination_with_every_seed(here, capsys):
    assert main([*SMALL, "--layers", "3", "--layers", "6,4", "--l2", "0", "--l2", "0.1", "--seeds", "2"]) == 0
    out, err = capsys.readouterr()
    folder = here / "runs" / "sweep-1"
    assert {f.name for f in folder.iterdir()} == FILES
    found = rows(folder)
    assert [(r["layers"], r["l2"], r["seed"]) for r in found] == [
        (layers, l2, seed) for layers in ("3", "6,4") for l2 in ("0.0", "0.1") for seed in ("0", "1")
    ]
    one = trial(data="moons", examples=60, lr=0.02, epochs=2, layers=(6, 4), l2=0.1, seed=1)
    assert {name: float(found[-1][name]) for name in MEASURES} == one
    assert "6,4     0.1" in out
    assert out.startswith((folder / "summary.txt").read_text().rstrip())
    assert len(err.splitlines()) == 8
    assert len(SweepResult.load(folder / "sweep.json")) == 8


def test_nothing_to_compare_is_a_table_of_one_row(here, capsys):
    assert main([*SMALL, "--layers", "3", "--seed", "5", "--seed", "7", "--seed", "5", "--out", "one"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [*MEASURES, "runs"]
    assert lines[1].split()[-1] == "2"
    assert [r["seed"] for r in rows(here / "one")] == ["5", "7"]


def test_a_run_that_comes_to_nothing_is_named_and_costs_no_other(here, capsys):
    assert main([*SMALL, "--layers", "3", "--lr", "1e300", "--seeds", "2", "--out", "half"]) == 0
    out = capsys.readouterr().out
    assert "2 of 4 runs failed:" in out
    assert "lr=1e+300, seed=1: ArithmeticError: the run came to nothing: the loss became" in out
    assert "try a lower learning rate" in out
    assert [bool(r["error"]) for r in rows(here / "half")] == [False, False, True, True]
    alone = ("--layers", "3", "--seeds", "2", "--out", "none")
    assert main([*(w for w in SMALL if w not in ("--lr", "0.02")), "--lr", "1e300", *alone]) == 2
    assert "2 of 2 runs failed:" in capsys.readouterr().out


def test_a_trial_that_comes_to_nothing_raises():
    with pytest.raises(ArithmeticError, match=r"the run came to nothing: the loss became nan in epoch 1: `matmul` in"):
        trial(data="moons", layers=(4,), lr=1e300, epochs=2)


def test_networks_and_tables_are_called_by_their_files(table, capsys):
    for name, kind in (("a.json", "relu"), ("b.json", "tanh")):
        net = nn.Network(rng=0)
        inputs = [net.input("x"), net.input("y")]
        hidden = [net.unit(f"h{k}", kind, inputs) for k in range(3)]
        for side in ("down", "up"):
            net.unit(side, "identity", hidden)
        net.save(name)
    options = ["--data", "points.csv", "--target", "side", "--epochs", "2", "--seeds", "2", "--workers", "2"]
    assert main(["sweep", *options, "--network", "a.json", "--network", "b.json", "--out", "nets"]) == 0
    assert [r["network"] for r in rows(table / "nets")] == ["a.json", "a.json", "b.json", "b.json"]
    (table / "again.csv").write_text((table / "points.csv").read_text())
    assert main(["sweep", *options, "--data", "again.csv", "--layers", "3", "--out", "tables"]) == 0
    found = rows(table / "tables")
    assert [r["data"] for r in found] == ["points.csv", "points.csv", "again.csv", "again.csv"]
    assert [r["loss"] for r in found[:2]] == [r["loss"] for r in found[2:]]


def test_what_would_fail_in_every_run_is_refused_before_the_first(here, capsys):
    for options, message in (
        (["--layers", "3", "--activation", "relu,tanh"], "2 activations for 1 hidden layer"),
        (
            ["--loss", "hinge", "--loss", "hinge", "--data", "iris", "--examples", "9"],
            "can be chosen for data that are",
        ),
        (["--data", "none.csv"], "can be chosen for data that are made"),
        (["--seed", "1", "--seeds", "3"], "--seed says which seeds, and --seeds how many: give one of them"),
        (["--workers", "0"], "'0' is not a whole number of at least 1"),
        (["--dask", "nonsense"], "there is no dask scheduler at nonsense"),
    ):
        if "--dask" in options:
            pytest.importorskip("distributed")
        assert main([*SMALL, *options]) == 2
        assert message in one_line(capsys)
    assert not list(here.rglob("sweep*"))


@pytest.mark.skipif(os.name != "posix", reason="sends the signal a terminal's Ctrl-C sends")
def test_ctrl_c_keeps_the_runs_that_are_done(here):
    options = ("--layers", "4", "--epochs", "1", "--epochs", "100000000", "--seeds", "3", "--workers", "2")
    process = started("sweep", "--data", "moons", *options, "--out", "some")
    for _ in range(3):
        assert process.stderr.readline().startswith("run ")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert [bool(r["error"]) for r in rows(here / "some")] == [False] * 3 + [True] * 3
    assert json.loads((here / "some" / "sweep.json").read_text())["ended"] == "interrupted"


def test_on_a_cluster_the_numbers_are_the_same(table, capsys):
    distributed = pytest.importorskip("distributed")
    for name in ("distributed.nanny", "distributed.scheduler", "distributed.client", "distributed.worker"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    options = [
        "--data",
        "points.csv",
        "--target",
        "side",
        "--layers",
        "3",
        "--layers",
        "6",
        "--epochs",
        "2",
        "--seeds",
        "2",
    ]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        assert main(["sweep", *options, "--dask", cluster.scheduler_address, "--out", "there"]) == 0
    assert main(["sweep", *options, "--workers", "2", "--out", "here"]) == 0
    there, own = (SweepResult.load(table / name / "sweep.json") for name in ("there", "here"))
    assert there.failed == []
    assert there == own
