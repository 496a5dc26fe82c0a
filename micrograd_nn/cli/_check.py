"""`micrograd-nn check`: the backward passes in a user's own file, against differences of their forward passes."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from micrograd_nn import data
from micrograd_nn.cli._options import add_parser, complain, count, not_negative, positive, say, seed

if TYPE_CHECKING:
    from micrograd_nn.checking import GradcheckReport

__all__ = ["add_command"]

DESCRIPTION = """\
Runs FILE.py, finds the backward passes in it by their names, and compares every gradient they give with differences \
of the forward pass. Says which entries are wrong, by how much, and why.

FILE.py is run as Python code: check only files you trust. What stands under if __name__ == "__main__": is not run.

What is found, by the example of some names:
  affine_forward(x, w, b)       gives out or (out, cache); it goes with
    affine_backward             (grad_output, cache) or (grad_output, x, w, b)
  affine, affine_backward       the same
  tanh, tanh_grad               the derivative at the same x: it is multiplied
    or tanh_prime, dtanh,       by the gradient that comes in. With a parameter
    tanh_derivative             more it is a backward pass, as above
  svm_loss(W, X, y)             gives (loss, gradient): by the first input, or a
                                tuple by the first few, or a dict by name
  Relu, relu                    a class or an object with forward(x) and
                                backward(grad_output); its own array W is
                                checked too, if its gradient is left in dW
  model, f                      a Module, an Op or a function of nodes

Inputs are in the file, under the name with _inputs at its end:
  affine_inputs = (x, w, b)     or a dict by name, or a function that gives one
Arrays of floats and floats are checked. Whole numbers are labels or settings; dicts are settings, and so are \
numbers given by name where there is a default. What takes one array needs no inputs: it gets normal numbers.\
"""
EXAMPLES = """
  micrograd-nn check layers.py
  micrograd-nn check layers.py::affine layers.py::relu
  micrograd-nn check layers.py::affine --inputs "x=(4, 3), w=(3, 5), b=(5,)"
  micrograd-nn check layers.py::softmax_loss --inputs "x=(4, 3), y=[0, 2, 1, 1]"
  micrograd-nn check layers.py --json > report.json

exit status: 0 all right, 1 something is wrong, 2 something could not be checked (stderr says why), 130 interrupted
"""


def add_command(commands: Any) -> None:
    parser = add_parser(
        commands, "check", "check the backward passes in a file of your own, which is run as Python code",
        DESCRIPTION, "micrograd-nn check FILE.py[::NAME] [...] [OPTION ...]", EXAMPLES,
    )  # fmt: skip
    parser.add_argument("targets", nargs="+", metavar="FILE.py[::NAME]", help="a file, or one thing in it")
    parser.add_argument(
        "--inputs", metavar='"x=(4, 3), ..."',
        help="inputs for one NAME, in place of its _inputs: a shape gives normal numbers, a list an array, anything "
        "else is taken as it is",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of all that is random (default: 0)")
    parser.add_argument("--rtol", type=positive, metavar="X", help="relative tolerance (default: 1e-9; float32 1e-3)")
    parser.add_argument("--atol", type=not_negative, default=0.0, metavar="X", help="absolute tolerance (default: 0)")
    coverage = parser.add_mutually_exclusive_group()
    coverage.add_argument(
        "--max-coordinates", type=count, default=2000, metavar="N",
        help="how many entries are checked one by one; of more, a sample (default: 2000)",
    )  # fmt: skip
    coverage.add_argument("--all", action="store_true", help="check every entry, however many")
    parser.add_argument("--order", type=count, default=1, metavar="N", help="2: the derivative of the derivative too")
    parser.add_argument("--allow-kinks", action="store_true", help="at a kink, any slope between the two sides will do")
    parser.add_argument(
        "--json", action="store_true", help="print the report as JSON; of several, an object with each by its name"
    )
    parser.set_defaults(command=check)


def check(arguments: argparse.Namespace) -> int:
    from micrograd_nn.cli._pairs import everything, subject
    from micrograd_nn.cli._user_file import loaded

    files, alone = targets(arguments.targets)
    if arguments.inputs is not None and not alone:
        raise data.DataError('--inputs is for one thing at a time: name it, as in FILE.py::affine --inputs "x=(4, 3)".')
    results = Results(arguments.json, alone)
    for shown, names in files.items():
        try:
            with loaded(shown, arguments.seed) as file:
                with file.running():
                    chosen = names or everything(file)
                if not chosen:
                    raise data.DataError(f"{shown} has nothing to check by its names: see micrograd-nn check --help.")
                for name in chosen:
                    try:
                        with file.running(name):
                            found = subject(file, name)
                        if found.where not in results.seen:
                            report = found.check(arguments.inputs, arguments.seed, options(arguments))
                            results.add(found.where, report, found.also)
                    except data.DataError as error:
                        results.cannot(f"{shown}::{name}", error)
        except data.DataError as error:
            results.cannot(shown, error)
    return results.end()


def targets(given: list[str]) -> tuple[dict[str, list[str]], bool]:
    """The names that are wanted of each file, none for all of them; and whether it is one name alone."""
    files: dict[str, list[str]] = {}
    for target in given:
        shown, colons, name = target.partition("::")
        if not shown or (colons and not name):
            raise data.DataError(f"{target}: give a file, and after two colons the name of what to check in it.")
        files.setdefault(shown, []).append(name)
    for shown, names in files.items():
        if "" in names:
            files[shown] = []
    return files, len(given) == 1 and "::" in given[0]


def options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the check itself is told."""
    return {
        "rtol": arguments.rtol, "atol": arguments.atol, "order": arguments.order,
        "max_coordinates": None if arguments.all else arguments.max_coordinates,
        "allow_kinks": arguments.allow_kinks,
    }  # fmt: skip


class Results:
    """What was found, shown as it comes; one thing `alone` is shown in full, of several those that are wrong."""

    def __init__(self, as_json: bool, alone: bool) -> None:
        self.as_json, self.alone = as_json, alone
        self.seen: dict[str, dict[str, Any]] = {}
        self.wrong: list[str] = []
        self.missed = 0

    def add(self, where: str, report: GradcheckReport, also: list[str]) -> None:
        """A report, and what is to be said besides."""
        content = report.to_dict()
        self.seen[where] = content | {"notes": [*content["notes"], *also]}
        text = "\n".join([str(report), *also])
        if not report:
            self.wrong.append(f"{where}\n{text}")
        if not self.as_json:
            say(text if self.alone else f"{where}: {report.headline.partition(': ')[2]}")

    def cannot(self, where: str, error: data.DataError) -> None:
        """A line why there is no report."""
        if self.alone:
            raise error
        self.seen[where] = {"ok": False, "error": str(error)}
        self.missed += 1
        complain(str(error))

    def end(self) -> int:
        """Show what is left; returns the exit status."""
        if self.as_json:
            content: Any = next(iter(self.seen.values())) if self.alone else self.seen
            if self.alone or len(self.seen) > self.missed:
                say(json.dumps(content, indent=1, allow_nan=False))
        elif not self.alone and len(self.seen) > self.missed:
            right = len(self.seen) - len(self.wrong) - self.missed
            parts = [f"{right} right", f"{len(self.wrong)} wrong", f"{self.missed} not checked"]
            say("\n" + "\n\n".join([*self.wrong, ", ".join(parts) + "."]))
        return 1 if self.wrong else 2 if self.missed else 0
