"""`micrograd-nn health`: what it says of a saved run, on its own test and on other data."""

import json
import random
import shutil

import numpy as np
import pytest
from command import QUICK, one_line, settings

from micrograd_nn import data, nn, run, unit_health
from micrograd_nn.cli import main
from micrograd_nn.health import HealthReport


@pytest.fixture
def points(table, capsys):
    """A run on points.csv, in the folder `run`."""
    options = ["--layers", "6", "--lr", "0.02", "--epochs", "5", "--out", "run"]
    assert main(["train", "--data", "points.csv", "--target", "side", *options]) == 0
    capsys.readouterr()
    return table


def rebuilt(folder):
    saved = settings(folder)
    model = nn.MLP(saved["n_in"], saved["sizes"], saved["activation"])
    model.load_state_dict(run.load_weights(folder / "weights.npz"))
    return model, data.Scale(**saved["scale"]) if saved["scale"] else lambda X: X


def report(capsys, *arguments):
    assert main(["health", *arguments, "--json"]) == 0
    return HealthReport.from_dict(json.loads(capsys.readouterr().out))


def test_the_json_is_the_report_of_the_saved_network_on_its_test(points, capsys):
    model, scale = rebuilt(points / "run")
    table = data.read_table(points / "points.csv", "side")
    rng = np.random.default_rng(np.random.SeedSequence(0).spawn(1)[0])
    _, X, _, y = data.train_test_split(table.X, table.y, 0.2, rng)
    assert report(capsys, "run") == unit_health(model, scale(X), y)


def test_the_text_says_what_was_measured_on_what(points, capsys):
    assert main(["health", "run"]) == 0
    out = capsys.readouterr().out
    assert "run: MLP(2, [6, 2], 'relu') on the test of points.csv: 60 rows" in out
    saved = json.loads((points / "run" / "history.json").read_text())["epochs"][-1]
    assert f"Accuracy {saved['val_accuracy']:.2%}, loss {saved['val_loss']:.4f}." in out
    assert "On these 12 examples" in out
    assert "layers[1].bias" in out  # gradients


def test_a_table_of_new_data_is_read_by_the_names_of_its_columns(points, capsys):
    rows = [line.split(",") for line in (points / "points.csv").read_text().splitlines()[1:]]
    (points / "new.csv").write_text("y,note,x\n" + "".join(f"{y},hello,{x}\n" for x, y, _ in rows))
    (points / "known.csv").write_text("side,y,x\n" + "".join(f"{side},{y},{x}\n" for x, y, side in rows))
    (points / "german.csv").write_text("Seite;y;x\n" + "".join(f"{side};{y};{x}\n" for x, y, side in rows))
    model, scale = rebuilt(points / "run")
    table = data.read_table(points / "points.csv", "side")
    assert report(capsys, "run", "--data", "new.csv") == unit_health(model, scale(table.X))
    assert report(capsys, "run", "--data", "known.csv") == unit_health(model, scale(table.X), table.y)
    known = report(capsys, "run", "--data", "german.csv", "--target", "Seite")
    assert known == unit_health(model, scale(table.X), table.y)
    assert main(["health", "run", "--data", "new.csv"]) == 0
    assert "They have no labels for this network, so there are no gradients." in capsys.readouterr().out


def test_a_set_by_name(here, capsys):
    assert main(["train", *QUICK, "--out", "run"]) == 0
    capsys.readouterr()
    moons = report(capsys, "run", "--data", "moons")
    assert moons == report(capsys, "run", "--data", "moons")  # new points, but always the same ones
    assert (moons.examples, bool(moons.gradients)) == (400, True)
    assert report(capsys, "run", "--data", "circles").gradients == []  # of other classes


def test_what_does_not_suit_is_refused(points, capsys):
    (points / "less.csv").write_text("y,side\n1,up\n")
    (points / "other.csv").write_text("x,y,side\n1,2,left\n")
    (points / "huge.csv").write_text("x,y\n1e308,1e308\n")
    for arguments, message in (
        (["run", "--data", "less.csv"], "less.csv lacks the column 'x'"),
        (["run", "--data", "other.csv"], "'left' is none of the classes that were learned: 'down', 'up'"),
        (["run", "--data", "huge.csv", "--target", "side"], "huge.csv has no column 'side'"),
        (["run", "--data", "none.csv"], "there is no file none.csv"),
        (["run", "--data", "digits"], "digits has 64 features, and this network takes 2"),
        (["run", "--data", "moon"], "did you mean moons?"),
        (["run", "--target", "side"], "--target names a column of --data FILE.csv"),
        (["run", "--batch-size", "0"], "'0' is not a whole number of at least 1"),
        (["none"], "there is no run folder none"),
        (["points.csv"], "points.csv is a file, not a run folder"),
        (["."], "there is no settings.json in it"),
    ):
        assert main(["health", *arguments]) == 2
        assert message in one_line(capsys)


def test_a_table_that_is_gone_or_has_changed(points, monkeypatch, capsys):
    (points / "elsewhere").mkdir()
    monkeypatch.chdir(points / "elsewhere")
    assert main(["health", "../run"]) == 0
    capsys.readouterr()
    text = (points / "points.csv").read_text()
    (points / "points.csv").write_text(text + "1,2,up\n")
    assert main(["health", "../run"]) == 2
    assert "is not what the run learned from: it has changed since" in one_line(capsys)
    (points / "points.csv").unlink()
    assert main(["health", "../run"]) == 2
    assert "is not there: put it back, or give other data with --data" in one_line(capsys)


def test_damaged_files_are_named_and_never_measured(points, capsys):
    rng, sound = random.Random(0), report(capsys, "run")
    for name in ("settings.json", "weights.npz"):
        whole = (points / "run" / name).read_bytes()
        for _ in range(25):
            shutil.rmtree(points / "bad", ignore_errors=True)
            shutil.copytree(points / "run", points / "bad")
            place = rng.randrange(len(whole))
            flipped = whole[:place] + bytes([whole[place] ^ 1 << rng.randrange(8)]) + whole[place + 1 :]
            (points / "bad" / name).write_bytes(rng.choice([flipped, whole[:place]]))
            if main(["health", "bad", "--json"]) == 0:  # the damage was done to what does not count
                assert HealthReport.from_dict(json.loads(capsys.readouterr().out)) == sound
            else:
                one_line(capsys)


def test_run_folders_of_the_first_version(here, capsys):
    """They had no checkpoint, and their settings other names: layers in `sizes`, digits without columns."""
    assert main(["train", "--layers", "12,6", "--epochs", "2", "--out", "new"]) == 0
    capsys.readouterr()
    saved = settings(here / "new")
    kept = ("target", "activation", "lr", "epochs", "batch_size", "seed", "version", "data", "classes", "scale", "n_in")
    shutil.copytree(here / "new", here / "old")
    (here / "old" / "checkpoint.npz").unlink()
    old = {name: saved[name] for name in (*kept, "sizes")} | {"features": []}
    (here / "old" / "settings.json").write_text(json.dumps(old))
    assert report(capsys, "old") == report(capsys, "new")
    assert report(capsys, "old", "--data", "digits").examples == 1797
    assert main(["train", "--resume", "old", "--epochs", "9"]) == 2
    assert "there is no checkpoint.npz in it" in one_line(capsys)
