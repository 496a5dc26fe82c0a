"""`micrograd-nn tutorial`: the tutorials listed, stepped through in the terminal, as notebooks or as a site."""

from __future__ import annotations

import argparse
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from micrograd_nn import data
from micrograd_nn.cli._options import add_parser, count, number, say
from micrograd_nn.cli.tutorial import _place, _source
from micrograd_nn.cli.tutorial._look import Screen, plain
from micrograd_nn.cli.tutorial._prompt import Prompt
from micrograd_nn.cli.tutorial._reader import Reader
from micrograd_nn.cli.tutorial._shelf import Shelf
from micrograd_nn.cli.tutorial._source import Tutorial
from micrograd_nn.cli.tutorial._steps import steps_of

__all__ = ["add_command"]

DESCRIPTION = """\
Ten tutorials, from one number to a network on real data. Without a number they are listed; with one, it is read step \
by step: Enter goes on and runs the code shown; ? lists what else you can say. Where you stop is remembered.

Pictures are shown as text and saved as files. Nobody is asked anything where the input is a file or a pipe: its lines \
are what you would have typed.
"""
EXAMPLES = """
  micrograd-nn tutorial
  micrograd-nn tutorial 3
  micrograd-nn tutorial 3 --open --pictures pictures
  micrograd-nn tutorial 3 --at 12
  micrograd-nn tutorial 3 --exercises my-exercises
  micrograd-nn tutorial 3 --notebook classifier.ipynb
  micrograd-nn tutorial --html site --open

exit status: 0 all right, 1 a tutorial's code ended with an error, 2 input it cannot work on, 130 interrupted
"""
MODES = ("notebook", "html", "exercises")  # instead of stepping
OF_STEPS = ("at", "from_start", "all", "pictures")
whole = number(int, lambda n: n >= 0, "the number of a tutorial: micrograd-nn tutorial lists them")


def add_command(commands: Any) -> None:
    parser = add_parser(
        commands, "tutorial", "read the tutorials, step by step in the terminal, as notebooks or as a site",
        DESCRIPTION, "micrograd-nn tutorial [NUMBER] [OPTION ...]", EXAMPLES,
    )  # fmt: skip
    parser.add_argument("numbers", nargs="*", type=whole, metavar="NUMBER", help="which one; with --html also several")
    steps, instead = (parser.add_argument_group(title) for title in ("stepping", "instead of stepping"))
    steps.add_argument("--at", type=count, metavar="STEP", help="begin at this step; the code before it is run")
    steps.add_argument("--from-start", action="store_true", help="begin at the first step, not where you stopped")
    steps.add_argument(
        "--all", action="store_true", help="run through to the end without asking, from the first step or from --at"
    )
    steps.add_argument(
        "--pictures", type=Path, metavar="DIR", help="save pictures in DIR (default: tutorial-NUMBER, right here)"
    )
    steps.add_argument(
        "--open", action="store_true", help="show each picture in the browser, too; or the site of --html"
    )
    instead.add_argument("--notebook", type=Path, metavar="FILE.ipynb", help="write it as a notebook")
    instead.add_argument(
        "--force", action="store_true", help="with --notebook: over a notebook that is there, and what you wrote in it"
    )
    instead.add_argument(
        "--exercises", type=Path, metavar="DIR", help="copy its exercises and their checks to DIR, never over a file"
    )
    instead.add_argument("--html", type=Path, metavar="DIR", help="run all of them, or those named, and write a site")
    parser.set_defaults(command=tutorial)


def tutorial(arguments: argparse.Namespace) -> int:
    check(arguments)
    if arguments.html is not None:
        return site(arguments)
    if not arguments.numbers:
        return listed()
    chosen = _source.find(arguments.numbers[0])
    if arguments.notebook is not None:
        return notebook(chosen, arguments.notebook, arguments.force)
    if arguments.exercises is not None:
        return exercises(chosen.number, arguments.exercises)
    return stepped(chosen, arguments)


def check(arguments: argparse.Namespace) -> None:
    """Raise DataError for options that exclude each other."""
    given = [name for name in (*MODES, *OF_STEPS, "open", "force") if getattr(arguments, name) not in (None, False)]
    modes = [name for name in given if name in MODES]
    if len(modes) > 1:
        raise data.DataError(f"{spelled(modes[0])} and {spelled(modes[1])} are two commands: give them one by one.")
    if modes:
        wrong = [name for name in given if name in OF_STEPS or (name == "open" and modes[0] != "html")]
        if wrong:
            raise data.DataError(f"{spelled(wrong[0])} is for stepping: it does not go with {spelled(modes[0])}.")
    if "force" in given and modes != ["notebook"]:
        raise data.DataError("--force goes with --notebook alone.")
    if "from_start" in given and "at" in given:
        raise data.DataError("--from-start and --at name two steps to begin at: leave one out.")
    if not arguments.numbers and given and modes != ["html"]:
        raise data.DataError(f"{spelled(given[0])} needs to know which tutorial: micrograd-nn tutorial NUMBER ...")
    if len(arguments.numbers) > 1 and modes != ["html"]:
        raise data.DataError("one tutorial at a time: several go with --html alone.")


def spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def listed() -> int:
    """All of them: what each is about, and how far the reader is."""
    screen, places, found = Screen(), _place.places(), _source.tutorials()
    begun = [each.number for each in found if each.number in places and not places[each.number].ended]
    new = [each.number for each in found if each.number not in places]
    short = screen.alive and 4 * len(found) > screen.height  # no sentence on two lines, and no empty lines
    if short:
        screen.write()
    for each in found:
        steps, place = len(steps_of(each)), places.get(each.number)
        far = f"{steps} steps"
        if place is not None:
            far = f"done · {far}" if place.ended else f"at step {min(place.step + 1, steps)} of {steps}"
        entry = screen.entry(each.number, each.title, far, about(each), each.number in begun, short)
        screen.write(entry if short else f"\n{entry}")
    number = (begun or new or [found[0].number])[0]
    does = "goes on where you stopped" if begun else "begins it" if new else "begins it once more"
    screen.write("\n" + screen.note("", f"micrograd-nn tutorial {number}") + screen.note(does))
    return 0


def about(tutorial: Tutorial) -> str:
    """The first sentence under its title."""
    paragraphs = tutorial.cells[0].text.split("\n\n")[1:2]
    words = " ".join(" ".join(paragraphs).split())
    return plain(words.partition(". ")[0].rstrip(".") + "." if words else "")


def stepped(chosen: Tutorial, arguments: argparse.Namespace) -> int:
    steps, start, words = steps_of(chosen), 0, ""
    if arguments.at is not None and arguments.at > len(steps):
        raise data.DataError(f"tutorial {chosen.number} has {len(steps)} steps: there is no step {arguments.at}.")
    if arguments.at is not None:
        start = arguments.at - 1
    elif not arguments.from_start and not arguments.all:
        start, words = _place.resumed(chosen.number, steps)
    screen = Screen()
    if start:
        cells = sum(step.code is not None for step in steps[:start])
        what, when = ("Going on", "again") if arguments.at is None else ("Beginning", "first")
        before = f"; running the {f'{cells} cells' if cells > 1 else 'cell'} before it {when}" if cells else ""
        words += f" {what} at step {start + 1} of {len(steps)}{before}."
    if words:
        screen.write("\n" + screen.note(words.strip()))
    prompt = None if arguments.all else Prompt(screen)
    shelf = Shelf(arguments.pictures or Path(f"tutorial-{chosen.number}"), arguments.open)
    status, finished = Reader(chosen, screen, prompt, shelf).read(start)
    if finished and prompt is not None:
        after = next((t for t in _source.tutorials() if t.number > chosen.number), None)
        screen.write("\n" + screen.note(f"That was tutorial {chosen.number}, {chosen.title}."))
        if after is not None:
            screen.write(screen.note(f"The next, {after.title}: ", f"micrograd-nn tutorial {after.number}"))
    return status


def notebook(chosen: Tutorial, target: Path, force: bool) -> int:
    from micrograd_nn.cli.tutorial import _notebook

    if target.suffix.lower() != ".ipynb":
        raise data.DataError(f"{target}: the name of a notebook ends in .ipynb.")
    if target.is_dir():
        raise data.DataError(f"{target} cannot be written: it is a folder.")
    if not target.parent.is_dir():
        raise data.DataError(f"{target} cannot be written: {target.parent} is no folder.")
    if target.exists() and not force:
        raise data.DataError(f"{target} is there, and may hold notes of yours: name another file, or add --force.")
    _notebook.write(chosen, target)
    say(f"Wrote {target}.")
    return 0


def site(arguments: argparse.Namespace) -> int:
    from micrograd_nn.cli._draw import show
    from micrograd_nn.cli.tutorial import _site

    numbers = sorted(set(arguments.numbers))
    index = _site.write([_source.find(n) for n in numbers] or _source.tutorials(), arguments.html, say)
    say(f"Wrote {index}.")
    if arguments.open:
        show(None, [index])
    return 0


def exercises(number: int, folder: Path) -> int:
    """Copy what there is not yet; say what was left, and how the exercises are checked."""
    sources = _source.exercises_of(number)
    if not sources[0].is_file():
        raise data.DataError(f"tutorial {number} has no exercises here: there is no {sources[0].name}.")
    if folder.exists() and not folder.is_dir():
        raise data.DataError(f"{folder} is a file: name a folder for the exercises.")
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = folder / source.name
        content = source.read_bytes()
        try:
            with open(target, "xb") as file:
                file.write(content)
        except FileExistsError:
            same = target.is_file() and target.read_bytes() == content
            say(f"{target} is there already{'' if same else ', and was left as it is'}.")
        else:
            say(f"Copied {target}.")
    where = "" if folder == Path() else f"cd {shlex.quote(str(folder))}, then "
    say(f"Fill the holes in {sources[0].name}, and ask how you did: {where}pytest -m tutorial_{number}")
    if find_spec("pytest") is None:
        say("pytest is not installed here: pip install pytest")
    return 0
