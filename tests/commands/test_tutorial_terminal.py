"""`micrograd-nn tutorial` in a terminal: what is asked, what is wiped away, Ctrl-C, Ctrl-D and a Python prompt."""

import os
import re
import select
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("there are no such terminals here", allow_module_level=True)
else:
    import fcntl
    import pty
    import termios

COUNTING = """\
# %% [markdown]
# # 1. Counting
#
# We count.

# %%
n = 1
print("n:", n)

# %% [markdown]
# **Predict.** What is n + 1?

# %%
n += 1
print("n:", n)

# %%
import time
from pathlib import Path

while Path("wait").exists():
    time.sleep(0.01)
print("n:", 10 * n)

# %% [markdown]
# The end.
"""
COMMAND = """\
import fcntl, sys, termios
from pathlib import Path
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # Ctrl-C typed there is for this process
from micrograd_nn.cli import main
from micrograd_nn.cli.tutorial import _place, _source
_source.folder = lambda: Path("tutorials")
_place.file = lambda: Path("tutorials.json")
sys.exit(main(["tutorial", *sys.argv[1:]]))
"""
PROMPT = "\r\n  > "


class Terminal:
    """The command in a terminal of its own; `seen` is all that it has sent."""

    def __init__(self, *arguments, rows=24, columns=80, **environment):
        unset = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONSTARTUP")
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        self.end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            env=kept | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment},
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.seen = ""

    def type(self, text):
        os.write(self.end, text.encode())

    def until(self, words):
        """Read on until `words` have come; gives all that came up to their end."""
        deadline = time.monotonic() + 60
        start = len(self.seen)
        while (at := self.seen.find(words, start)) < 0:
            assert select.select([self.end], [], [], deadline - time.monotonic())[0], self.seen[start:]
            self.seen += self.read()
        found, self.seen = self.seen[: at + len(words)], self.seen[at + len(words) :]
        return found

    def read(self):
        try:
            got = os.read(self.end, 65536)
        except OSError:
            got = b""
        assert got, f"it has ended: {self.seen}"
        return got.decode(errors="replace")

    def enter(self, text=""):
        """Type a line at the prompt; gives what comes up to the next prompt."""
        self.type(text + "\n")
        return self.until(PROMPT)

    def status(self):
        """Read to the end; gives the exit status."""
        try:
            while True:
                self.seen += self.read()
        except AssertionError:
            pass
        return self.process.wait()


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A function that starts the command; what still runs at the end is ended."""
    (tmp_path / "tutorials").mkdir()
    (tmp_path / "tutorials" / "01_counting.py").write_text(COUNTING)
    monkeypatch.chdir(tmp_path)
    running = []

    def start(*arguments, **options):
        running.append(Terminal(*arguments, **options))
        return running[-1]

    yield start
    for terminal in running:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.end)


def shown(text):
    """Without the codes of a terminal."""
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]|[\x01\x02]", "", text)


def test_enter_runs_a_cell_and_takes_the_prompt_away(opened):
    terminal = opened("1")
    first = terminal.until(PROMPT)
    assert "Enter: run it" in first
    assert "\x1b[1m" in first  # the heading is bold
    second = terminal.enter()
    assert second.lstrip("\r\n").startswith("\x1b[3A\r\x1b[J")
    assert "│ n: 1" in shown(second)
    assert "Your answer?" in second
    assert "You said: 3" in shown(terminal.enter("3"))
    assert "│ n: 20" in shown(terminal.enter())
    terminal.type("\n")
    assert "That was tutorial 1" in terminal.until("Counting.")
    assert terminal.status() == 0


def test_no_colour_where_none_is_wanted(opened):
    text = opened("1", NO_COLOR="1").until(PROMPT)
    assert not re.search(r"\x1b\[[\d;]*(3\d|9\d)", text)


def test_ctrl_c_interrupts_a_cell_and_the_numbers_stay_the_same(opened):
    Path("wait").touch()
    terminal = opened("1")
    terminal.until(PROMPT)
    terminal.enter()
    terminal.enter()
    terminal.type("\n")
    terminal.until("running ...")
    time.sleep(0.2)
    terminal.type("\x03")
    assert "Interrupted. This step has not been run." in terminal.until(PROMPT)
    Path("wait").unlink()
    assert "│ n: 20" in shown(terminal.enter())


@pytest.mark.parametrize(("key", "status"), [("\x04", 0), ("\x03", 130)])
def test_ctrl_d_and_ctrl_c_at_the_prompt_stop_and_remember(opened, key, status):
    terminal = opened("1")
    terminal.until(PROMPT)
    terminal.enter()
    terminal.type(key)
    assert terminal.status() == status
    assert "Stopped at step 2 of 4" in terminal.seen
    assert "Traceback" not in terminal.seen
    assert "Going on at step 2 of 4; running the cell before it again." in shown(opened("1").until(PROMPT))


def test_a_closed_terminal_loses_nothing(opened):
    terminal = opened("1")
    terminal.until(PROMPT)
    terminal.enter()
    terminal.process.kill()
    assert "Going on at step 2 of 4" in opened("1").until(PROMPT)


def test_a_request_to_end_ends_even_in_a_cell(opened):
    Path("wait").touch()
    terminal = opened("1", "--at", "3")
    terminal.until(PROMPT)
    terminal.type("\n")
    terminal.until("running ...")
    time.sleep(0.2)
    terminal.process.terminate()
    assert terminal.status() == 130


def test_what_is_tried_changes_nothing(opened):
    terminal = opened("1")
    terminal.until(PROMPT)
    terminal.enter()
    terminal.type("try\n")
    terminal.until(">>> ")
    terminal.type("n = n + 76; n\n")
    assert "\r\n77\r\n" in terminal.until(">>> ")
    terminal.type("exit()\n")
    terminal.until(PROMPT)
    assert "│ n: 2" in shown(terminal.enter())


def test_a_mended_cell_is_run_anew(opened):
    file = Path("tutorials/01_counting.py")
    file.write_text(COUNTING.replace('print("n:", n)', 'print("n:", m)', 1))
    terminal = opened("1")
    terminal.until(PROMPT)
    text = terminal.enter()
    assert "NameError: name 'm' is not defined" in shown(text)
    assert "mended" in text
    file.write_text(COUNTING)
    assert "│ n: 1" in shown(terminal.enter())


def test_what_does_not_fit_waits_for_enter(opened):
    text = "\n".join(f"# Line {k}.\n#" for k in range(5))
    Path("tutorials/01_counting.py").write_text(
        "# %% [markdown]\n# # 1. Long\n\n# %%\nprint('\\n'.join(map(str, range(12))))\n\n# %% [markdown]\n" + text
    )
    terminal = opened("1", rows=24)
    terminal.until(PROMPT)
    result = terminal.enter()
    assert "Enter: go on" in result
    assert "Line 0" not in result
    assert "Line 4" in terminal.enter()
    tall = opened("1", "--from-start", rows=60)
    tall.until(PROMPT)
    assert "Line 4" in tall.enter()


def test_a_result_that_does_not_fit_under_its_code_waits_too(opened):
    lines = "\n".join(f"x{k} = {k}" for k in range(10))
    Path("tutorials/01_counting.py").write_text(
        "# %% [markdown]\n# # 1. Long\n\n# %% [markdown]\n# **Predict.** How many?\n\n# %%\n"
        f"{lines}\nprint('\\n'.join(['result'] * 12))\n\n# %%\nprint('next')\n"
    )
    terminal = opened("1")
    terminal.until(PROMPT)
    code = shown(terminal.enter("ten"))
    assert "x9 = 9" in code
    assert "Enter: more" in code
    assert "│ result" not in code
    assert "\x1b" in terminal.enter("help")  # which goes nowhere
    assert shown(terminal.enter()).count("│ result") == 12
    terminal.enter("back")
    assert "You said: ten" in shown(terminal.enter())


def test_a_result_taller_than_the_terminal_comes_in_pieces(opened):
    Path("tutorials/01_counting.py").write_text(
        "# %% [markdown]\n# # 1. Tall\n\n# %%\nprint('\\n'.join(['result'] * 50))\n\n# %%\nprint('next')\n"
    )
    terminal = opened("1", rows=24)
    terminal.until(PROMPT)
    assert [shown(terminal.enter()).count("│ result") for _ in range(3)] == [20, 21, 9]


def test_keys_typed_while_a_cell_runs_are_read_when_it_is_done(opened):
    Path("wait").touch()
    terminal = opened("1", "--at", "3")
    terminal.until("running step 2 of 2 ...")
    terminal.until(PROMPT)
    terminal.type("\n")
    terminal.until("running ...")
    time.sleep(0.2)
    terminal.type("again\n")
    time.sleep(0.2)
    Path("wait").unlink()
    assert "again" not in terminal.until("n: 20")
    assert "again" in terminal.until("n: 20")


def test_ctrl_c_on_the_way_to_a_place_keeps_it(opened):
    terminal = opened("1")
    terminal.until(PROMPT)
    for _ in range(3):
        terminal.enter()
    terminal.type("\x04")
    assert terminal.status() == 0
    Path("wait").touch()
    terminal = opened("1")
    terminal.until("running step 3 of 3 ...")
    time.sleep(0.2)
    terminal.type("\x03")
    assert terminal.status() == 130
    assert "Stopped at step 4 of 4" in terminal.seen
    Path("wait").unlink()
    assert "Going on at step 4 of 4" in opened("1").until(PROMPT)


def test_a_result_that_is_too_wide_stays_beside_its_bar(opened):
    Path("tutorials/01_counting.py").write_text(
        "# %% [markdown]\n# # 1. Wide\n\n# %%\nprint('word ' * 30)\n\n# %%\n0\n"
    )
    terminal = opened("1")
    terminal.until(PROMPT)
    lines = [line for line in shown(terminal.enter()).split("\r\n") if "word word" in line]
    assert len(lines) == 2
    assert all(line.startswith("  │ ") and len(line) <= 80 for line in lines)
