"""`micrograd-nn train`, as a person runs it."""

import json
import os
import re
import signal
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from command import FILES, QUICK, one_line, settings, started

import micrograd_nn as mg
from micrograd_nn import data, nn, run
from micrograd_nn.cli import main
from micrograd_nn.experiment import Settings


def test_with_no_argument_it_learns_the_digits(here):
    process = started("train", env=os.environ | {"PATH": ""})  # and needs no program but Python
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    accuracy = float(re.search(r"Test accuracy ([\d.]+)%", out)[1])
    assert accuracy >= 97
    assert len(err.splitlines()) == 11  # plain lines where there is no terminal
    folder = here / "runs" / "digits-1"
    assert {f.name for f in folder.iterdir()} == FILES
    assert "layers[0]  relu" in out
    assert f"{accuracy}" in (folder / "summary.txt").read_text()
    history = json.loads((folder / "history.json").read_text())
    assert len(history["epochs"]) == 40
    assert history["epochs"][-1]["val_accuracy"] == pytest.approx(accuracy / 100, abs=1e-4)
    ET.parse(folder / "graph.svg")


def test_the_saved_weights_compute_what_was_reported(here, capsys):
    assert main(["train", "--layers", "16", "--epochs", "3", "--out", "a"]) == 0
    saved = settings(here / "a")
    model = nn.MLP(saved["n_in"], saved["sizes"], saved["activation"])
    model.load_state_dict(run.load_weights(here / "a" / "weights.npz"))
    seeds = np.random.SeedSequence(saved["seed"]).spawn(3)
    _, X, _, y = data.train_test_split(*data.load_digits(), 0.2, np.random.default_rng(seeds[0]))
    share = (model(X).data.argmax(1) == y).mean()
    assert f"Test accuracy {share:.2%}" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_files(here):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert main(["train", "--layers", "8", "--epochs", "2", "--seed", seed, "--out", name]) == 0
    a, b, c = (run.load_weights(here / name / "weights.npz") for name in "abc")
    assert all(np.array_equal(a[k], b[k]) for k in a)
    assert not all(np.array_equal(a[k], c[k]) for k in a)
    assert (here / "a" / "graph.svg").read_text() == (here / "b" / "graph.svg").read_text()


def test_a_table_of_ones_own(table, capsys):
    assert main(["train", "--data", "points.csv", "--target", "side", "--layers", "16", "--lr", "0.02"]) == 0
    assert "2 features, target 'side'" in capsys.readouterr().out
    saved = settings(table / "runs" / "points-1")
    assert saved["features"] == ["x", "y"]
    assert saved["classes"] == ["down", "up"]
    history = json.loads((table / "runs" / "points-1" / "history.json").read_text())
    assert history["epochs"][-1]["accuracy"] > 0.85  # y is a thousand times x: columns are standardised


def test_runs_are_numbered_and_a_folder_that_holds_one_is_refused(here, capsys):
    quick = ["train", "--layers", "4", "--epochs", "1"]
    assert main(quick) == 0
    assert main(quick) == 0
    assert {f.name for f in (here / "runs").iterdir()} == {"digits-1", "digits-2"}
    before = (here / "runs" / "digits-1" / "weights.npz").read_bytes()
    capsys.readouterr()
    assert main([*quick, "--seed", "5", "--out", "runs/digits-1"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        err
        == "micrograd-nn: runs/digits-1 holds another run already: give --out a new folder. Nothing was overwritten.\n"
    )
    assert (here / "runs" / "digits-1" / "weights.npz").read_bytes() == before


def test_an_empty_folder_may_be_given(here):
    (here / "new").mkdir()
    assert main(["train", "--layers", "4", "--epochs", "1", "--out", "new"]) == 0
    assert {f.name for f in (here / "new").iterdir()} == FILES


BAD = {
    "no such file": (["--data", "none.csv", "--target", "k"], "there is no file none.csv"),
    "no such column": (["--data", "points.csv", "--target", "colour"], "no column 'colour'"),
    "no target": (
        ["--data", "points.csv"],
        "name the target, the column of points.csv that holds the classes; its columns are",
    ),
    "a target alone": (["--target", "k"], "a target names a column of a CSV file"),
    "text for numbers": (["--data", "text.csv", "--target", "k"], "row 3, column 'a': 'red' is not a number"),
    "one class": (["--data", "one.csv", "--target", "k"], "every row has '1'"),
    "nan": (["--data", "nan.csv", "--target", "k"], "row 2, column 'a': nan"),
    "huge": (["--data", "huge.csv", "--target", "k"], "column 'a' holds numbers too large"),
    "lonely classes": (["--data", "lonely.csv", "--target", "k"], "nothing to hold back"),
    "a folder": (["--data", ".", "--target", "k"], "is a folder"),
    "layers": (["--layers", "64,x"], "'x' is not a whole number of at least 1"),
    "no layers": (["--layers", ""], "'' is not a whole number"),
    "zero units": (["--layers", "0"], "'0' is not a whole number of at least 1"),
    "activation": (["--activation", "rellu"], "did you mean relu?"),
    "lr": (["--lr", "-1"], "'-1' is not a number above 0"),
    "lr nan": (["--lr", "nan"], "'nan' is not a number above 0"),
    "epochs": (["--epochs", "0"], "'0' is not a whole number of at least 1"),
    "batch size": (["--batch-size", "1.5"], "'1.5' is not a whole number"),
    "seed": (["--seed", "-3"], "'-3' is not a whole number of at least 0"),
    "out is a file": (["--out", "points.csv"], "points.csv is a file already"),
    "out below a file": (["--out", "points.csv/run"], "cannot be made"),
    "init": (["--init", "xavier"], "did you mean"),
    "init scale": (["--init-scale", "0"], "'0' is not a number above 0"),
    "loss": (["--loss", "mse"], "no loss is named 'mse'"),
    "a loss for two classes": (["--loss", "hinge"], "two classes apart, and there are 10 here: use cross_entropy"),
    "optimizer": (["--optimizer", "Adma"], "did you mean adam?"),
    "schedule": (["--schedule", "cosin"], "did you mean cosine?"),
    "dropout": (["--dropout", "1"], "'1' is not a probability of at least 0 and below 1"),
    "l2": (["--l2", "-0.1"], "'-0.1' is not a number of at least 0"),
    "patience": (["--early-stopping", "0"], "'0' is not a whole number of at least 1"),
    "activations": (["--activation", "relu,tanh,elu"], "3 activations for 2 hidden layers"),
    "no such set": (["--data", "Moon"], "did you mean moons?"),
    "points of what is not made": (["--examples", "50"], "can be chosen for data that are made"),
    "too few points": (["--data", "moons", "--examples", "1"], "at least 2 points"),
    "no such network": (["--network", "none.json"], "none.json: No such file"),
    "no network": (["--network", "points.csv"], "points.csv is not JSON"),
    "nothing to resume": (["--resume", "none"], "there is no run none"),
    "no run to resume": (["--resume", "."], "there is no settings.json in it"),
    "unknown option": (["--colour"], "unrecognized arguments: --colour"),
    "too large": (["--layers", "1000000000,1000000000"], "more memory than there is"),
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD)
def test_bad_input_gets_one_clear_line_and_status_2(table, capsys, arguments):
    (table / "text.csv").write_text("a,k\n1,0\nred,1\n")
    (table / "one.csv").write_text("a,k\n1,1\n2,1\n")
    (table / "nan.csv").write_text("a,k\nnan,0\n2,1\n")
    (table / "huge.csv").write_text("a,k\n" + "1e308,0\n-1e308,1\n" * 5)
    (table / "lonely.csv").write_text("a,k\n1,0\n2,1\n3,2\n")
    before = sorted(table.rglob("*"))
    options, message = arguments
    assert main(["train", *options]) == 2
    assert message in one_line(capsys)
    assert [p for p in sorted(table.rglob("*")) if p.name != "runs"] == before  # nothing left behind


def test_no_command_and_a_wrong_one(capsys):
    for arguments in ([], ["trian"]):
        assert main(arguments) == 2
        assert "--help" in one_line(capsys)


@pytest.mark.skipif(os.name != "posix", reason="sends the signal a terminal's Ctrl-C sends")
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_run_with_what_was_learned(here, asked):
    process = started("train", "--layers", "64", "--epochs", "100000", "--out", "cut")
    assert process.stderr.readline().startswith("epoch")
    process.send_signal(asked)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "The run ended early: interrupted." in out
    assert {f.name for f in (here / "cut").iterdir()} == FILES
    assert json.loads((here / "cut" / "history.json").read_text())["ended"] == "interrupted"
    assert [f.name for f in here.iterdir()] == ["cut"]


def test_every_option_at_once(here):
    options = {
        "--data": "spirals", "--examples": "90", "--noise": "0.02", "--layers": "8,6,4", "--loss": "multi_margin",
        "--activation": "maxout,prelu,tanh", "--init": "orthogonal", "--init-scale": "0.9", "--dropout": "0.1",
        "--input-noise": "0.01", "--l1": "1e-4", "--l2": "1e-3", "--weight-decay": "1e-3", "--max-norm": "3",
        "--clip-norm": "5", "--optimizer": "adamw", "--lr": "0.01", "--schedule": "warmup_cosine", "--epochs": "3",
        "--early-stopping": "2", "--batch-size": "16", "--seed": "7", "--out": "all",
    }  # fmt: skip
    assert main(["train", *(word for option in options.items() for word in option)]) == 0
    saved = settings(here / "all")
    assert (saved["layers"], saved["activation"]) == ([8, 6, 4], "maxout,prelu,tanh")
    assert (saved["l2"], saved["dropout"], saved["schedule"]) == (1e-3, 0.1, "warmup_cosine")
    assert Settings.from_dict(saved) == Settings.from_dict(json.loads(json.dumps(saved)))
    assert "figures flatter" in (here / "all" / "summary.txt").read_text()  # early stopping looked at the test


@pytest.mark.parametrize("name", [n for n in data.NAMES if n not in data._datasets.OF_SCIKIT_LEARN])
def test_every_set_by_name(here, name):
    assert main(["train", "--data", name, "--layers", "4", "--epochs", "1"]) == 0
    assert {f.name for f in (here / "runs" / f"{name}-1").iterdir()} == FILES


@pytest.mark.parametrize("name", data._datasets.OF_SCIKIT_LEARN)
def test_the_sets_of_scikit_learn(here, name):
    pytest.importorskip("sklearn")
    assert main(["train", "--data", name, "--layers", "4", "--epochs", "1"]) == 0
    assert settings(here / "runs" / f"{name}-1")["digest"]


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "hinge"])
def test_losses_of_two_classes_have_one_score(here, loss):
    assert main(["train", *QUICK, "--epochs", "20", "--loss", loss, "--out", "two"]) == 0
    assert settings(here / "two")["sizes"] == [4, 1]
    assert json.loads((here / "two" / "history.json").read_text())["epochs"][-1]["accuracy"] > 0.8


def wiring(outputs, weights=True):
    net = nn.Network(rng=0)
    inputs = [net.input("x1"), net.input("x2")]
    hidden = [net.unit(f"h{k}", kind, inputs) for k, kind in enumerate(("relu", "tanh", "prelu", "maxout"))]
    for k in range(outputs):
        net.unit(f"y{k}", "identity", [*hidden, "x1"])
    found = json.loads(net.to_json())
    if not weights:
        for entry in found["links"]:
            del entry["weight"]
    return json.dumps(found)


def test_a_network_of_any_wiring(here, capsys):
    (here / "net.json").write_text(wiring(2))
    assert main(["train", "--data", "moons", "--network", "net.json", "--lr", "0.02", "--out", "a"]) == 0
    assert "Network(2 inputs, 6 units, 18 edges)" in capsys.readouterr().out
    assert json.loads((here / "a" / "history.json").read_text())["epochs"][-1]["accuracy"] > 0.85
    assert main(["health", "a"]) == 0
    assert "generations[0].tanh" in capsys.readouterr().out


def test_a_network_file_without_weights_takes_them_from_the_seed(here):
    (here / "bare.json").write_text(wiring(2, weights=False))
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        options = ["--network", "bare.json", "--epochs", "1", "--seed", seed, "--out", name]
        assert main(["train", "--data", "moons", *options]) == 0
    a, b, c = ((here / name / "weights.npz").read_bytes() for name in "abc")
    assert a == b != c


def test_a_network_that_does_not_suit_is_refused(here, capsys):
    (here / "one.json").write_text(wiring(1))
    (here / "two.json").write_text(wiring(2))
    (here / "swapped.json").write_text(wiring(2).replace("x1", "x0").replace("x2", "x1").replace("x0", "x2"))
    (here / "loop.json").write_text(
        wiring(2).replace(
            '"links": [', '"links": [{"source": "h0", "target": "h1"}, {"source": "h1", "target": "h0"}, '
        )
    )
    for options, message in (
        (["one.json"], "has 1 output, and 2 classes with the loss cross_entropy need 2, or 1 with"),
        (["two.json", "--loss", "hinge"], "has 2 outputs, and 2 classes with the loss hinge need 1"),
        (["two.json", "--data", "iris"], "has 2 inputs, and these data have 4 features"),
        (["two.json", "--layers", "8"], "leave out layers"),
        (["two.json", "--dropout", "0.5"], "leave out dropout"),
        (["swapped.json"], "inputs are x2, x1, and the data have x1, x2"),
        (["loop.json"], "would close the loop"),
    ):
        assert main(["train", "--data", "moons", "--network", *options]) == 2
        assert message in one_line(capsys)
    assert not (here / "runs").exists()


@pytest.mark.parametrize("command", [(), ("train",), ("health",), ("sweep",)])
@pytest.mark.parametrize("columns", ["80", "200"])
def test_help_fits_80_columns(monkeypatch, capsys, command, columns):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert stop.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= (80 if columns == "80" else 92)
    assert not command or "examples:" in lines


def test_a_run_that_diverges_says_so(here, capsys):
    assert main(["train", "--layers", "8", "--epochs", "5", "--lr", "1e300", "--out", "lost"]) == 0
    out = capsys.readouterr().out
    assert "lower learning rate" in out
    assert (here / "lost" / "summary.txt").exists()


def test_version_and_help_exit_well(capsys):
    for option, text in (("--version", mg.__version__), ("--help", "train")):
        with pytest.raises(SystemExit) as stop:
            main([option])
        assert stop.value.code == 0
        assert text in capsys.readouterr().out


def test_two_runs_at_once_both_end_well(here):
    runs = [started("train", "--layers", "8", "--epochs", "3", "--seed", str(k), "--out", "same") for k in range(2)]
    assert [r.communicate(timeout=60) and r.returncode for r in runs] == [0, 0]
    assert {f.name for f in here.iterdir()} == {"same", "same-2"}
    assert all({f.name for f in (here / name).iterdir()} == FILES for name in ("same", "same-2"))


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe whose reader has gone")
def test_nobody_reading_the_output_does_not_end_the_run(here):
    process = started("train", "--layers", "8", "--epochs", "3", "--out", "kept")
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert {f.name for f in (here / "kept").iterdir()} == FILES


@pytest.mark.skipif(os.name != "posix", reason="makes symbolic links")
def test_a_link_may_be_given(here):
    (here / "real").mkdir()
    (here / "link").symlink_to("real")
    assert main(["train", "--layers", "4", "--epochs", "1", "--out", "link"]) == 0
    assert {f.name for f in (here / "real").iterdir()} == FILES


def test_a_column_that_never_changes_does_no_harm(here):
    rows = "".join(f"{x},0.1,{int(x > 5)}\n" for x in np.linspace(0, 10, 60))
    (here / "flat.csv").write_text("x,z,k\n" + rows)
    assert main(["train", "--data", "flat.csv", "--target", "k", "--layers", "4", "--epochs", "2"]) == 0
    scale = settings(here / "runs" / "flat-1")["scale"]
    assert (scale["mean"][1], scale["std"][1]) == (0.1, 1.0)
