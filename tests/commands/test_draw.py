"""`micrograd-nn draw`: expressions, runs and wirings, as text and as files; and what it refuses, on one line."""

import contextlib
import io
import json
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import webbrowser
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command import QUICK, one_line
from hypothesis import given
from hypothesis import strategies as st

import micrograd_nn as mg
from micrograd_nn.cli import main
from micrograd_nn.cli._subjects import KINDS

NEURON = ("tanh(w1*x1 + w2*x2 + b)", "--set", "w1=-3,x1=2", "--set", "w2=1, x2=0,b=6.8813735870195432")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run on two features, and one on the digits."""
    base = tmp_path_factory.mktemp("runs")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert main(["train", *QUICK, "--out", str(base / "run")]) == 0
        assert main(["train", "--layers", "6", "--epochs", "1", "--out", str(base / "digits")]) == 0
    return base


@pytest.fixture
def runs(trained, tmp_path, monkeypatch):
    """The same, copied to a folder to be in."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def drawn(capsys, *arguments):
    assert main(["draw", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys, *arguments):
    assert main(["draw", *arguments]) == 2
    return one_line(capsys)


def pointed(capsys, *arguments):
    """The column of a mistake, and the character over the caret."""
    assert main(["draw", *arguments]) == 2
    out, err = capsys.readouterr()
    said, shown, caret = err.rstrip("\n").split("\n")
    found = re.match(r"micrograd-nn: column (\d+): ", said)
    assert out == ""
    assert found
    assert caret.strip() == "^"
    return int(found[1]), shown[caret.index("^")]


def test_an_expression_is_drawn_with_its_gradients(here, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    out = drawn(capsys, *NEURON)
    assert out.startswith("tanh(w1*x1 + w2*x2 + b)\n\n")
    for text in ("tanh out  0.7071", "w1  −3.0", "−1.5", "►"):
        assert text in out
    tree = drawn(capsys, *NEURON, "--style", "tree")
    assert "∂ 1 − out² = 0.5" in tree
    assert "gradient" not in drawn(capsys, *NEURON, "--no-grad", "--style", "tree", "--no-derivatives")


def test_a_picture_has_the_same_numbers(here, capsys):
    assert drawn(capsys, *NEURON, "-o", "a.svg", "--save", "a.dot") == "Saved in a.svg, a.dot.\n"
    texts = [t.text for t in ET.parse("a.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert {"w1", "x1", "out", "0.7071", "−1.5", "+0.5"} <= set(texts)
    assert (here / "a.dot").read_text().lstrip().startswith(("digraph", "//"))


def test_an_expression_may_begin_with_a_minus_sign(here, capsys):
    assert "−4.0" in drawn(capsys, "-x**2", "--set", "x=2")
    assert "−4.0" in drawn(capsys, "--set", "x=2", "--", "-x**2")
    assert "out  2.0" in drawn(capsys, "-o*h", "--set", "o=-1,h=2")


def test_infinity_and_nan_are_drawn(here, capsys):
    assert "∞" in drawn(capsys, "1/x", "--set", "x=0")
    assert "NaN" in drawn(capsys, "x/x", "--set", "x=0")
    assert "−∞" in drawn(capsys, "log(x)", "--set", "x=0")
    assert "∞" in drawn(capsys, "x", "--set", "x=inf")


def test_a_mistake_is_pointed_at(here, capsys):
    assert pointed(capsys, "a +* b") == (4, "*")
    assert pointed(capsys, "  a +* b") == (6, "*")
    assert pointed(capsys, "x.data") == (2, ".")
    assert pointed(capsys, "(" * 50) == (50, "(")
    assert pointed(capsys, "x + " * 400 + "$") == (1601, "$")
    assert pointed(capsys, "日本") == (1, "日")
    assert pointed(capsys, "x\n^2") == (3, "^")
    assert pointed(capsys, "__import__('os').system('touch made')") == (1, "_")
    assert not (here / "made").exists()


def test_values_that_are_missing_or_too_many_show_the_command_to_write(here, capsys):
    said = refused(capsys, "a*b + c", "--set", "b=2")
    assert "a, c have no value" in said
    command = said.partition("value: ")[2].strip()
    assert shlex.split(command) == ["micrograd-nn", "draw", "a*b + c", "--set", "a=1,b=2,c=1"]
    assert main(shlex.split(command)[1:]) == 0
    capsys.readouterr()
    assert "there is no z in the expression, whose names are a" in refused(capsys, "a*a", "--set", "a=1,z=2")
    assert "twice" in refused(capsys, "a*a", "--set", "a=1", "--set", "a=2")
    assert "n is computed" in refused(capsys, "n = 2*a; n", "--set", "a=1,n=2")
    for wrong in ("a", "a=", "a=b", "=1", "a=1;b=2", "a=１"):
        assert "is not a name and a number" in refused(capsys, "a*a", "--set", wrong)


@given(st.text("ab12.()+-*/,;= eE^[]'{}<>\\\x00\ud800é日", max_size=25) | st.text(max_size=25))
def test_garbage_never_gives_a_traceback(text):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["draw", "--", text])
    assert status in (0, 2)
    assert (status == 0) == bool(out.getvalue())
    column = re.match(r"micrograd-nn: column (\d+): ", err.getvalue())
    if column:
        assert 1 <= int(column[1]) <= max(1, len(text))
    else:
        assert err.getvalue().count("\n") == (status == 2)


@pytest.mark.parametrize("detail", ["module", "tensor", "scalar"])
def test_a_run_is_drawn_at_every_detail(runs, capsys, detail):
    out = drawn(capsys, "run", "--detail", detail, "--example", "3")
    assert out.startswith("MLP(2, [4, 2], 'relu') on the test of moons")
    assert "layers[1]" in out
    assert ("example 3 of 80" in out) == (detail == "scalar")
    assert drawn(capsys, "run", "--detail", detail, "-o", f"{detail}.svg") == f"Saved in {detail}.svg.\n"
    assert ET.parse(f"{detail}.svg").getroot().tag.endswith("svg")


def test_the_neurons_asked_for_are_opened(runs, capsys):
    out = drawn(capsys, "run", "--detail", "scalar", "--neurons", "2")
    assert "▸ layers[0].neurons[2]" in out
    assert "▸ layers[0].neurons[1]" not in out
    out = drawn(capsys, "run", "--detail", "scalar", "--neurons", "layers[1].neurons[1], layers[0].neurons[3]")
    assert "▸ layers[0].neurons[3]" in out
    assert "▸ layers[0].neurons[0]" not in out


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_drawn_of_a_run(runs, capsys, kind):
    drawn(capsys, "run", "--as", kind, "-o", "a.svg", "--theme", "dark", "--title", "What it does")
    root = ET.parse("a.svg").getroot()
    assert "What it does" in [t.text for t in root.iter() if t.text]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("network", "layers[0]   4 relu"), ("health", "on these 80 examples"), ("lifetimes", "epochs 1 to 3"),
        ("boundary", "a capital letter: misclassified"), ("history", "3 epochs"), ("activations", "dots: its slope"),
    ],
)  # fmt: skip
def test_every_kind_of_picture_is_told_in_the_terminal(runs, capsys, monkeypatch, kind, said):
    monkeypatch.setenv("COLUMNS", "80")
    out = drawn(capsys, "run", "--as", kind, "--title", "What it does")
    assert out.startswith("What it does\n\n")
    assert said in out
    assert max(map(len, out.split("\n"))) <= 80
    assert "--theme is for pictures: add --save FILE or --open." in refused(
        capsys, "run", "--as", kind, "--theme", "dark"
    )


def test_lifetimes_are_the_epochs_that_the_training_kept(runs, capsys):
    drawn(capsys, "run", "--as", "lifetimes", "-o", "a.json")
    assert "epoch" in (runs / "a.json").read_text()
    content = json.loads((runs / "run" / "history.json").read_text())
    (runs / "run" / "history.json").write_text(json.dumps(content | {"health": []}))
    said = refused(capsys, "run", "--as", "lifetimes", "-o", "b.svg")
    assert "run has no health report of each epoch: --as health measures its units now" in said


def test_a_wiring_is_drawn(here, capsys):
    net = mg.nn.Network(rng=0)
    net.unit("y", "tanh", inputs=[net.input("x1"), net.input("x2")])
    net.save("net.json")
    assert re.search(r"tanh +y", drawn(capsys, "net.json"))
    drawn(capsys, "net.json", "-o", "net.svg")
    assert "x1" in [t.text for t in ET.parse("net.svg").iter()]


def test_a_folder_comes_before_an_expression(here, capsys):
    assert "x  1.0" in drawn(capsys, "x", "--set", "x=1")
    (here / "x").mkdir()
    assert "--set is for expressions, and x is a folder" in refused(capsys, "x", "--set", "x=1")
    assert "x is not a run folder: there is no settings.json in it" in refused(capsys, "x")


def test_what_looks_like_a_path_is_not_called_an_expression(here, capsys):
    assert "moons has no value, and there is no run moons: micrograd-nn draw" in refused(capsys, "moons")
    assert "there is no run or file net.json" in refused(capsys, "net.json")
    assert "there is no run or file runs/1st-try" in refused(capsys, "runs/1st-try")
    said = refused(capsys, "runs/moons-1")
    assert 'runs, moons have no value, and there is no run runs/moons-1: micrograd-nn draw "runs/moons-1" --set' in said
    assert "out  0.5" in drawn(capsys, "a/b", "--set", "a=1,b=2")
    (here / "notes.txt").write_text("hello")
    assert "notes.txt is a file, and neither a run folder nor a Network's .json" in refused(capsys, "notes.txt")


def test_what_does_not_go_together_is_refused(runs, capsys):
    for arguments, message in (
        (["a*a", "--set", "a=1", "--as", "boundary"], "--as boundary is for a run"),
        (["a*a", "--set", "a=1", "--example", "1"], "--example is for a run"),
        (["a*a", "--set", "a=1", "--theme", "dark"], "--theme is for pictures: add --save FILE or --open"),
        (["a*a", "--set", "a=1", "--style", "tree", "-o", "a.svg"], "--style is for the terminal"),
        (["a*a", "--set", "a=1", "-o", "a.gif"], "the ending must be one of .svg, .png"),
        (["a*a", "--set", "a=1", "-o", "svg"], "the ending must be one of .svg, .png"),
        (["a*a", "--set", "a=1", "-o", "none/a.svg"], "there is no folder 'none'"),
        (["a*a", "--set", "a=1", "-o", "a.svg", "--budget", "0"], "'0' is not a whole number of at least 1"),
        (["run", "--as", "boundary", "--detail", "tensor"], "--detail is for graphs"),
        (["run", "--as", "boundary", "--no-values"], "--no-values is for graphs"),
        (["run", "--as", "graf"], "did you mean graph?"),
        (["run", "--example", "80"], "--example 80: the test has 80 examples, counted from 0"),
        (["a*b", "--set", "a=1", "b=2"], "'b=2' is too much: values go together, as in --set a=1,b=2"),
        (["a", "+", "b", "--set", "a=1,b=2"], "'+' is too much: an expression goes in quotes"),
        (["a*b", "--sets", "a=1"], "'--sets' is too much: there is no such option"),
        (["run", "--neurons", "9"], "no such neuron is here"),
        (["run", "--neurons", ","], "there is no name in ','"),
        (["run", "--highlight", "nothing"], "nothing here is called that"),
        (["run", "--no-grad"], "--no-grad is for expressions"),
        (["run", "--as", "health", "-o", "a.dot"], "has no graph: save it as"),
        (["digits", "--as", "boundary", "-o", "a.svg"], "with two features, and these have 64"),
        (["run/settings.json"], "no list of objects called 'nodes'"),
        ([], "the following arguments are required"),
    ):
        assert message in refused(capsys, *arguments), arguments
    assert not list(runs.glob("a.*"))


def test_a_mistake_of_our_own_is_not_hidden(here, monkeypatch):
    import viz

    for error in (TypeError("ours"), KeyError("ours"), IndexError("ours"), ImportError("ours", name="viz")):

        def broken(*args, error=error, **options):
            raise error

        monkeypatch.setattr(viz, "draw", broken)
        with pytest.raises(type(error), match="ours"):
            main(["draw", "a*a", "--set", "a=1", "-o", "a.svg"])


def spoiled(runs):
    """Run folders that somebody changed, and what must be said of them."""

    class Bomb:
        def __reduce__(self):
            return eval, (f"open({str(runs / 'exploded')!r}, 'w')",)

    def copy(name):
        shutil.copytree(runs / "run", runs / name)
        return runs / name

    weights = (runs / "run" / "weights.npz").read_bytes()
    (copy("cut") / "weights.npz").write_bytes(weights[: len(weights) // 2])
    yield "cut", "holds no weights"
    (copy("pickled") / "weights.npz").write_bytes(pickle.dumps(Bomb()))
    yield "pickled", "holds no weights"
    with zipfile.ZipFile(copy("within") / "weights.npz", "w") as file:
        for name in zipfile.ZipFile(runs / "run" / "weights.npz").namelist():
            inside = io.BytesIO()
            np.save(inside, np.array([Bomb()], dtype=object), allow_pickle=True)
            file.writestr(name, inside.getvalue())
    yield "within", "holds no weights"
    (copy("edited") / "settings.json").write_text('{"layers": [4]')
    yield "edited", "it is no JSON"
    (copy("unlike") / "settings.json").write_text("[1, 2]")
    yield "unlike", "was changed"
    saved = json.loads((runs / "run" / "settings.json").read_text())
    (copy("other") / "settings.json").write_text(json.dumps(saved | {"layers": [9]}))
    yield "other", "was changed"
    (copy("pickled-settings") / "settings.json").write_bytes(pickle.dumps(Bomb()))
    yield "pickled-settings", "it is no JSON"
    (copy("less") / "weights.npz").unlink()
    yield "less", "there is no weights.npz in it"


def test_spoiled_runs_run_no_code_and_leave_good_pictures_alone(runs, capsys):
    drawn(capsys, "run", "-o", "good.svg")
    before = (runs / "good.svg").read_bytes()
    for name, message in spoiled(runs):
        assert message in refused(capsys, name, "-o", "good.svg"), name
    assert (runs / "good.svg").read_bytes() == before
    assert not (runs / "exploded").exists()
    assert not list(runs.glob(".*partial"))


def test_a_page_is_opened_in_the_browser(here, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(tempfile, "tempdir", str(here))
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    said = drawn(capsys, "a*a", "--set", "a=2", "--open")
    page = re.fullmatch(r"Opened (.+\.html)\.\n", said)[1]
    assert opened == [f"file://{page}"]
    assert "<html" in Path(page).read_text(encoding="utf-8")
    said = drawn(capsys, "a*a", "--set", "a=2", "--open", "-o", "mine.html", "-o", "a.svg")
    assert said == "Saved in mine.html, a.svg.\nOpened mine.html.\n"
    assert opened[1] == (here / "mine.html").as_uri()
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    assert "There is no browser to show it: it is in" in drawn(capsys, "a*a", "--set", "a=2", "--open")


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "micrograd_nn", "draw", *arguments], capture_output=True, env=environment, check=False
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_without_utf_8_gets_what_it_can_show(here, encoding):
    done = command("α*x", "--set", "α=2,x=-1", PYTHONIOENCODING=encoding, PATH="")
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode(encoding)
    assert ("►" in out) == (encoding == "utf-8")
    assert ("-1.0" in out) == (encoding != "utf-8")
    assert max(map(len, out.splitlines())) <= 80


def test_the_browser_of_the_environment_is_used(here):
    script = here / "browser"
    script.write_text(f"#!/bin/sh\necho \"$1\" > '{here}/opened'\n")
    script.chmod(0o755)
    done = command("a*a", "--set", "a=2", "--open", BROWSER=str(script), PATH="/bin:/usr/bin", TMPDIR=str(here))
    assert done.returncode == 0
    url = (here / "opened").read_text().strip()
    assert url.startswith(here.as_uri())
    assert done.stdout.decode().strip() == f"Opened {url.removeprefix('file://')}."


def test_help_lists_every_function(here, capsys):
    from micrograd_nn.expression import FUNCTIONS

    with pytest.raises(SystemExit):
        main(["draw", "--help"])
    out = capsys.readouterr().out
    assert set(FUNCTIONS) <= set(re.findall(r"\w+", out))
    assert "never run as Python" in " ".join(out.split())
