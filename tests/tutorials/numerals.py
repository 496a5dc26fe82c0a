"""The numbers in a tutorial's prose, each held against what the tutorial computes: its code and what it prints."""

from __future__ import annotations

import io
import re
import tokenize
from decimal import Decimal
from typing import NamedTuple

from micrograd_nn.cli.tutorial._source import Cell, Tutorial

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
# Digits that are no figure: addresses, references, the number of the title, markers of lists, names such as W1, h2 and
# float32 (\w before digits), words such as 2-D and 3-layer (a hyphen and a letter after them).
EXEMPT = re.compile(
    r"https?://\S+"
    r"|\b(?:[Tt]utorial|[Ee]xercise)s?[ _]\d+(?:(?:, | and | or | to )\d+)*"
    r"|^# \d+\. |^\s*\d+\. "
    r"|(?<![\w.])\d+(?=-[^\W\d_])",
    re.MULTILINE,
)
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[-−+]?\d+)?"
WRITTEN = re.compile(
    rf"(?P<hedge>\b(?:about|almost|nearly|around|roughly|near|some)\s+)?(?P<sign>(?<![\w)\]²])[-−])?(?<![\w.])"
    rf"(?P<number>{NUMBER})(?P<power>[⁻⁰¹²³⁴-⁹]+)?(?P<percent> ?%| per ?cent)?"
)
FIGURE = re.compile(rf"(?P<sign>(?<![\w)\]])[-−])?(?<![\w.])(?P<number>{NUMBER}|\.\d+)(?P<percent> ?%)?")


class Lost(NamedTuple):
    """A numeral of the prose that the tutorial computes nowhere."""

    place: str
    numeral: str
    line: str

    def __str__(self) -> str:
        return f"{self.place}: {self.numeral} is in no code and no output of this tutorial:  {self.line}"


def lost(tutorial: Tutorial, printed: str) -> list[Lost]:
    """The numerals in digits of a tutorial's prose that are neither in its code nor in what it prints.

    A sign may be left out, but not be the wrong one; what has decimals may be rounded, as a percentage and what is
    called "about" may be; 76 % may stand as 0.76.
    """
    figures = computed(tutorial, printed)
    found = []
    for cell in tutorial.cells:
        if cell.kind == "markdown":
            text = EXEMPT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), cell.text)
            text = re.sub(r"(?<=\d)[x×](?=\d)", " ", text)  # 4x3: two numbers
            for written in WRITTEN.finditer(text):
                if not is_there(written, figures):
                    found.append(told(tutorial, cell, written))
    return found


def computed(tutorial: Tutorial, printed: str) -> set[Decimal]:
    """Each number in the code, comments and texts left out, and in the output: with its sign, percentages as both."""
    figures = set()
    code = "\n".join(cell.text for cell in tutorial.cells if cell.kind == "code") + "\n"
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.NUMBER and not re.search("[jxob]", token.string.lower()):
            figures |= {value(token.string.replace("_", "")), value(before + token.string.replace("_", ""))}
        before = "-" if token.type == tokenize.OP and token.string in ("-", "-=") else ""
    for figure in FIGURE.finditer(re.sub(r"(?<=\d)[x×](?=\d)", " ", printed)):
        number = value((figure["sign"] or "") + figure["number"])
        figures |= {number, number / 100} if figure["percent"] else {number}
    return figures


def is_there(written: re.Match[str], figures: set[Decimal]) -> bool:
    number = value(written["number"])
    wanted = [(number, places(written["number"]))]
    if written["power"]:
        power = number ** int(written["power"].translate(SUPERSCRIPTS))
        wanted.append((power, 50))
    if written["percent"]:
        wanted += [(number / 100, places(written["number"]) + 2)]
    rounded = "." in written["number"] or written["hedge"] or written["percent"]
    for figure in figures:
        there = -figure if written["sign"] else abs(figure)
        for target, decimals in wanted:
            near = Decimal(5).scaleb(-decimals - 1) if rounded else Decimal(0)
            if there >= 0 and abs(there - target) <= near:
                return True
    return False


def value(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("−", "-"))


def places(text: str) -> int:
    return max(0, -int(value(text).as_tuple().exponent))


def told(tutorial: Tutorial, cell: Cell, written: re.Match[str]) -> Lost:
    start = written.start("sign") if written["sign"] else written.start("number")
    above = cell.text.count("\n", 0, start)
    numeral = written.string[start : written.end()].strip()
    return Lost(f"{tutorial.path.name}:{cell.line + above}", numeral, cell.text.splitlines()[above].strip())
