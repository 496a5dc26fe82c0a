"""`micrograd-nn train --resume`: a run that was cut off ends as if it had never been, one that has ended goes on."""

import json
import os
import shutil
import signal
import time

import pytest
from command import FILES, QUICK, history, one_line, same_numbers, settings, started

from micrograd_nn.cli import main

KILLED = (
    "--layers", "64,32", "--activation", "relu,maxout", "--dropout", "0.2", "--input-noise", "0.1", "--optimizer",
    "rmsprop", "--schedule", "warmup_cosine", "--l2", "0.001", "--max-norm", "3", "--early-stopping", "30",
)  # fmt: skip


def seen(path, process):
    """Wait until there is a file at `path`."""
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def killed_after_an_epoch(arguments, folder):
    """Start a run and kill it once its checkpoint was written a second time; True unless it was over by then."""
    process = started(*arguments)
    seen(folder / "checkpoint.npz", process)
    first = (folder / "checkpoint.npz").stat().st_mtime_ns
    try:
        while process.poll() is None:
            if (folder / "checkpoint.npz").stat().st_mtime_ns != first:
                process.kill()
                break
            time.sleep(0.005)
    except FileNotFoundError:  # it ended, and moved
        pass
    process.communicate(timeout=60)
    return process.returncode != 0


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_run_killed_half_way_ends_bit_for_bit_as_if_it_had_not_been(here):
    epochs = ("--epochs", "40")
    whole = started("train", *KILLED, *epochs, "--out", "whole")
    cut = here / "cut.unfinished"
    assert killed_after_an_epoch(("train", *KILLED, *epochs, "--out", "cut"), cut)
    assert {"settings.json", "checkpoint.npz"} <= {f.name for f in cut.iterdir()}
    assert not (here / "cut").exists()
    (cut / ".checkpoint.npz.0123456789ab.partial").write_bytes(b"cut in the middle of a writing")
    process = started("train", "--resume", "cut")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "epoch  1/40" not in err
    whole.communicate(timeout=120)
    assert {f.name for f in (here / "cut").iterdir()} == FILES
    assert not cut.exists()
    assert same_numbers(here / "whole", here / "cut")
    assert (here / "whole" / "summary.txt").read_text() == (here / "cut" / "summary.txt").read_text()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_a_run_killed_at_any_moment_again_and_again_ends_the_same(here):
    arguments = (*KILLED, "--epochs", "40")
    begun = time.perf_counter()
    started("train", *arguments, "--out", "whole").communicate(timeout=120)
    seconds = time.perf_counter() - begun
    command, kills = ("train", *arguments, "--out", "cut"), 0
    for attempt in range(40):
        process = started(*command)
        if attempt < 8:
            time.sleep(seconds * (0.15 + 0.1 * attempt))
            process.kill()
        process.communicate(timeout=120)
        if process.returncode == 0:
            break
        kills += 1
        if (here / "cut.unfinished" / "settings.json").exists():
            command = ("train", "--resume", "cut")
        else:  # it had not even begun
            shutil.rmtree(here / "cut.unfinished", ignore_errors=True)
    assert kills
    assert same_numbers(here / "whole", here / "cut")


def test_a_run_cut_off_before_its_first_checkpoint_begins_anew(here):
    assert main(["train", *QUICK, "--out", "whole"]) == 0
    (here / "cut.unfinished").mkdir()
    shutil.copy(here / "whole" / "settings.json", here / "cut.unfinished")
    assert main(["train", "--resume", "cut"]) == 0
    assert same_numbers(here / "whole", here / "cut")


def test_a_run_that_has_ended_can_be_trained_longer_into_a_new_folder(here):
    assert main(["train", *QUICK, "--out", "short"]) == 0
    assert main(["train", *QUICK, "--epochs", "7", "--out", "long"]) == 0
    before = (here / "short" / "weights.npz").read_bytes()
    assert main(["train", "--resume", "short", "--epochs", "7"]) == 0
    assert same_numbers(here / "long", here / "runs" / "moons-1")
    assert (here / "short" / "weights.npz").read_bytes() == before
    assert settings(here / "runs" / "moons-1")["epochs"] == 7


@pytest.mark.skipif(os.name != "posix", reason="sends the signal a terminal's Ctrl-C sends")
def test_a_run_ended_by_ctrl_c_can_go_on(here):
    arguments = ("train", "--layers", "64", "--epochs", "50")
    process = started(*arguments, "--out", "half")
    assert process.stderr.readline().startswith("epoch")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    epochs, ended = history(here / "half")
    assert (ended, len(epochs) < 50) == ("interrupted", True)
    assert main(["train", "--resume", "half", "--out", "rest"]) == 0
    assert main([*arguments, "--out", "whole"]) == 0
    assert same_numbers(here / "whole", here / "rest")


def test_fewer_epochs_than_there_are_change_nothing(here, capsys):
    assert main(["train", *QUICK, "--out", "cut"]) == 0
    (here / "cut").rename(here / "cut.unfinished")
    capsys.readouterr()
    before = (here / "cut.unfinished" / "settings.json").read_bytes()
    assert main(["train", "--resume", "cut", "--epochs", "2"]) == 2
    assert "cut.unfinished holds 3 epochs already: give --epochs a larger number" in one_line(capsys)
    assert (here / "cut.unfinished" / "settings.json").read_bytes() == before


def test_what_cannot_go_on_says_why_and_leaves_nothing_behind(table, capsys):
    assert main(["train", *QUICK, "--out", "done"]) == 0
    assert main(["train", *QUICK, "--schedule", "cosine", "--out", "laid-out"]) == 0
    assert main(["train", *QUICK, "--lr", "1e300", "--out", "lost"]) == 0
    assert main(["train", "--data", "points.csv", "--target", "side", "--epochs", "2", "--out", "csv"]) == 0
    shutil.copytree(table / "done", table / "damaged")
    (table / "damaged" / "checkpoint.npz").write_bytes((table / "done" / "checkpoint.npz").read_bytes()[:999])
    shutil.copytree(table / "done", table / "changed")
    changed = settings(table / "done") | {"l2": 0.5}
    (table / "changed" / "settings.json").write_text(json.dumps(changed))
    shutil.copytree(table / "done", table / "nonsense")
    (table / "nonsense" / "settings.json").write_text(json.dumps(changed | {"epochs": "many"}))
    text = (table / "points.csv").read_text()
    (table / "points.csv").write_text(text.replace("up", "high", 1))
    before = sorted(table.rglob("*"))
    capsys.readouterr()
    for arguments, message in (
        (["done"], "has ended after 3 epochs: give --epochs a larger number"),
        (["done", "--epochs", "3"], "has ended after 3 epochs"),
        (["done", "--epochs", "2"], "done holds 3 epochs already"),
        (["done", "--lr", "0.1", "--epochs", "9"], "--lr cannot be given with it"),
        (["laid-out", "--epochs", "9"], "the cosine schedule of laid-out was laid out for 3 epochs: start anew with"),
        (["lost", "--epochs", "9"], "lost is over: the loss became nan"),
        (["csv", "--epochs", "9"], "points.csv is not what the run learned from: it has changed since"),
        (["damaged", "--epochs", "9"], "damaged/checkpoint.npz is no checkpoint, or was cut short or changed"),
        (["nonsense", "--epochs", "9"], "nonsense/settings.json was changed: epochs is 'many', and should be int"),
        (["done", "--epochs", "9", "--out", "lost"], "lost holds another run already"),
    ):
        assert main(["train", "--resume", *arguments]) == 2
        assert message in one_line(capsys)
    assert main(["train", "--resume", "changed", "--epochs", "9"]) == 2  # found out when the training begins
    assert "holds another run, which cannot go on here: l2 was 0.0, and is 0.5 now" in capsys.readouterr().err
    assert [p for p in sorted(table.rglob("*")) if p.name != "runs"] == before


def test_a_table_is_found_from_another_folder(table, monkeypatch):
    assert main(["train", "--data", "points.csv", "--target", "side", "--epochs", "2", "--out", "csv"]) == 0
    (table / "elsewhere").mkdir()
    monkeypatch.chdir(table / "elsewhere")
    assert main(["train", "--resume", "../csv", "--epochs", "4", "--out", "more"]) == 0
    assert len(history(table / "elsewhere" / "more")[0]) == 4


@pytest.mark.skipif(os.name != "posix", reason="folders are locked there alone")
def test_a_run_at_work_is_left_alone(here, capsys):
    process = started("train", "--layers", "64", "--epochs", "100000", "--out", "busy")
    assert process.stderr.readline().startswith("epoch")
    assert main(["train", "--resume", "busy"]) == 2
    assert "is the folder of a run that is at work at this moment" in one_line(capsys)
    assert main(["health", "busy"]) == 2
    assert "has not ended" in one_line(capsys)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Saved in busy" in out
