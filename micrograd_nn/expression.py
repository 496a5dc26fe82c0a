"""An expression such as `tanh(w*x + b)` as a text: parsed here, never run as Python, and built into a graph.

The grammar is Python's for names, numbers, + - * / **, brackets and calls of the functions in `FUNCTIONS`, with the
same precedence: `-x**2` is -(x**2), and `2**3**2` is 2**(3**2). `n = w*x + b; tanh(n)` names a part. Nothing else is
read. The parser goes by binding powers (V. Pratt, "Top down operator precedence", 1973) and writes its steps down in
the order in which a stack carries them out.
"""

from __future__ import annotations

import difflib
import keyword
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

from micrograd_nn import functional as F
from micrograd_nn.graph import Node, constant
from micrograd_nn.value import Value

__all__ = ["FUNCTIONS", "Expression", "ExpressionError"]

LONGEST = 10_000  # characters
DEEPEST = 100  # brackets, signs and powers within one another

_ONE = (
    "abs", "arccos", "arcsin", "arctan", "cos", "cosh", "exp", "expm1", "gelu", "log", "log1p", "neg", "relu",
    "sigmoid", "sign", "silu", "sin", "sinh", "softplus", "sqrt", "square", "tan", "tanh",
)  # fmt: skip
_TWO = ("add", "div", "maximum", "minimum", "mul", "pow", "prelu", "sub")
# By name: the function, and how few and how many numbers it takes.
FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    **{name: (getattr(F, name), 1, 1) for name in _ONE},
    **{name: (getattr(F, name), 2, 2) for name in _TWO},
    "max": (F.maximum, 2, 2), "min": (F.minimum, 2, 2), "clip": (F.clip, 3, 3),
    "leaky_relu": (F.leaky_relu, 1, 2), "elu": (F.elu, 1, 2),
}  # fmt: skip

_SET = (F.leaky_relu, F.elu)  # the second number is a setting

_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
_SIGN = 3  # between: -x**2 is -(x**2), and -x*y is (-x)*y
_BINARY = {"+": F.add, "-": F.sub, "*": F.mul, "/": F.div, "**": F.pow}

_GREEK = "αβγδεζηθικλμνξπρσςτυφχψωΓΔΘΛΞΠΣΦΨΩ"  # without those that look like a Latin letter
_TOKEN = re.compile(
    rf"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z_{_GREEK}][A-Za-z_0-9{_GREEK}]*)"
    r"|(?P<sign>\*\*(?!=)|:=|[<>=!]=|//|->|[-+*/(),;=])"
)
_WORDS = {
    "^": "for a power write **", "%": "there is no remainder here", "@": "one number has no matrix product: write *",
    "//": "whole division has no derivative: write /", ".": "there are no attributes; write tanh(x), not np.tanh(x)",
    "|": "for the absolute value write abs(...)", "!": "there is no factorial",
    "[": "nothing can be indexed here: a name is one number", "]": "nothing can be indexed here",
    "'": "there is no text here", '"': "there is no text here", "{": "there are no sets", "}": "there are no sets",
    "`": "there is no text here", "#": "there are no comments here", "\\": "a line needs no backslash here",
    ":=": "a part is named with =, as in n = w*x + b; tanh(n)", ":": "there are no slices and no lambdas here",
    "→": "it only computes", "->": "it only computes", "×": "write *", "·": "write *", "∗": "write *", "⋅": "write *",
    "÷": "write /", "∕": "write /", "−": "this is a long minus sign: write -", "–": "this is a dash: write -",
    "—": "this is a dash: write -", "²": "write **2", "³": "write **3", "√": "write sqrt(...)",
}  # fmt: skip
_COMPARING = {"<", ">", "<=", ">=", "==", "!=", "&", "~"}


class ExpressionError(ValueError):
    """What an expression cannot be, and where: `.column` counts the characters of `.text` from 1."""

    def __init__(self, problem: str, text: str, column: int) -> None:
        self.problem, self.text, self.column = problem, text, column
        super().__init__(f"column {column}: {problem}")

    def __reduce__(self) -> tuple[Any, ...]:
        return ExpressionError, (self.problem, self.text, self.column)


class Token(NamedTuple):
    """A word of the text; `kind` is "number", "name", "end", or for a sign the sign itself."""

    kind: str
    text: str
    column: int


class Step(NamedTuple):
    """What to do next with the stack: put a number or a name on it, name what is on top, or call a function."""

    kind: str
    what: Any
    takes: int
    column: int


class Expression:
    """A text that was read: `names` are those that need a value, in order of appearance.

    Called with a dict of values it gives the node that it stands for, made of one leaf a name. Numbers among themselves
    are computed at once. Raises `ExpressionError`, which knows the column, for anything that is not in the grammar.

    >>> e = Expression("tanh(w*x + b)")
    >>> e.names
    ('w', 'x', 'b')
    >>> e({"w": -3.0, "x": 2.0, "b": 6.0})
    Value(0.0, op=tanh)
    >>> Expression("w*x +* b")
    Traceback (most recent call last):
    micrograd_nn.expression.ExpressionError: column 6: a number, a name or a bracket is missing before '*'.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        parser = _Parser(text)
        parser.statements()
        self.steps = parser.steps
        self.assigned = tuple(parser.assigned)
        self.names = tuple(parser.names)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(self, values: Mapping[str, float]) -> Node:
        """The graph of the expression for these values. Raises ValueError for a name that has none."""
        missing = [name for name in self.names if name not in values]
        if missing:
            raise ValueError(f"{', '.join(missing)} in {self.text!r:.80} has no value.")
        known: dict[str, Any] = {name: Value(values[name], name) for name in self.names}
        stack: list[Any] = []
        for kind, what, takes, column in self.steps:
            if kind == "number":
                stack.append(what)
            elif kind == "name":
                stack.append(known[what])
            elif kind == "assign":
                made = stack.pop()
                known[what] = made = made if isinstance(made, Node) else constant(made)
                if made.name is None:
                    made.name = what
            else:
                arguments = stack[len(stack) - takes :]
                del stack[len(stack) - takes :]
                if what in _SET and isinstance(arguments[-1], Node) and takes > 1:
                    problem = f"the second number of {what.__name__} has no gradient: write it as a number."
                    raise ExpressionError(problem, self.text, column)
                stack.append(what(*arguments))
        last = stack.pop() if stack else known[self.assigned[-1]]
        return last if isinstance(last, Node) else constant(last)


class _Parser:
    """Reads a text from left to right; each method leaves the token after what it has read in `self.token`."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0
        self.steps: list[Step] = []
        self.names: dict[str, None] = {}
        self.assigned: dict[str, None] = {}
        if len(text) > LONGEST:
            self.refuse(f"this has {len(text):,} characters, and {LONGEST:,} are the most that is read.", LONGEST)
        self.before = self.token = Token("start", "", 1)
        self.next()

    def refuse(self, problem: str, column: int) -> NoReturn:
        raise ExpressionError(problem, self.text, max(1, min(column, len(self.text))))

    def next(self) -> Token:
        """The current token; the one after it becomes current."""
        while self.place < len(self.text) and self.text[self.place] in " \t\r\n":
            self.place += 1
        self.before, column = self.token, self.place + 1
        if self.place == len(self.text):
            self.token = Token("end", "", len(self.text))
            return self.before
        found = _TOKEN.match(self.text, self.place)
        if found is None:
            self.refuse(_strange(self.text[self.place]), column)
        text, kind = found[0], str(found.lastgroup)
        if kind == "sign":
            if text in _WORDS or text in _COMPARING:
                self.refuse(_strange(text), column)
            kind = text
        self.place = found.end()
        after = self.text[self.place : self.place + 1]
        if kind == "number" and (after.isalpha() or after == "_"):
            hint = "write numbers without _" if after == "_" else f"write {text}*{after}... for a product"
            if after in "jJ":
                hint = "there are no complex numbers here"
            self.refuse(f"{text}{after} is no number: {hint}.", column)
        self.token = Token(kind, text, column)
        return self.before

    def statements(self) -> None:
        """`name = expression; ...; expression`: all there is."""
        while True:
            self.statement()
            if self.token.kind == "end":
                return
            if self.token.kind != ";":
                self.refuse(self.unexpected(), self.token.column)
            self.next()

    def statement(self) -> None:
        first, start = self.token, len(self.steps)
        self.expression(0)
        if self.token.kind == "=":
            if len(self.steps) != start + 1 or self.steps[-1].kind != "name" or self.before != first:
                self.refuse("only a name can stand before =.", self.token.column)
            name = first.text
            if name in self.assigned or any(step.what == name for step in self.steps[:start] if step.kind == "name"):
                self.refuse(f"{name} stands for something else already: choose another name.", first.column)
            self.steps.pop()
            del self.names[name]
            self.next()
            self.expression(0)
            if name in self.names:
                self.refuse(f"{name} cannot be part of itself.", first.column)
            self.assigned[name] = None
            self.steps.append(Step("assign", name, 1, first.column))
        elif self.token.kind == ";":
            self.refuse("what stands before ; needs a name, as in n = w*x + b; tanh(n).", self.token.column)

    def expression(self, least: int) -> None:
        """Everything from here that binds at least this strongly."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"this is nested more than {DEEPEST} deep: name the parts, as in n = ...; tanh(n).",
                        self.token.column)  # fmt: skip
        self.operand()
        while _BINDING.get(self.token.kind, -1) >= least:
            sign = self.next()
            self.expression(_SIGN if sign.kind == "**" else _BINDING[sign.kind] + 1)
            self.steps.append(Step("call", _BINARY[sign.kind], 2, sign.column))
        self.depth -= 1

    def operand(self) -> None:
        token = self.token
        if token.kind in ("+", "-"):
            self.next()
            self.expression(_SIGN)
            if token.kind == "-":
                self.steps.append(Step("call", F.neg, 1, token.column))
        elif token.kind == "(":
            self.next()
            self.expression(0)
            self.close(token)
        elif token.kind == "number":
            value = float(token.text)
            if value == float("inf") or (not value and token.text.lower().partition("e")[0].strip("0.")):
                self.refuse(f"{token.text:.20} is too {'large' if value else 'small'} for a number.", token.column)
            self.next()
            self.steps.append(Step("number", value, 0, token.column))
        elif token.kind == "name":
            self.name()
        elif token.kind == "end":
            after = f" after {self.before.text!r}" if self.before.text else ": nothing was given"
            self.refuse(f"a number, a name or a bracket is missing{after}.", token.column)
        elif self.before.text == "(" and token.kind == ")":
            self.refuse("there is nothing in these brackets.", token.column)
        else:
            self.refuse(f"a number, a name or a bracket is missing before {token.text!r}.", token.column)

    def name(self) -> None:
        word = self.token
        if keyword.iskeyword(word.text):
            self.refuse(f"{word.text} is a word of Python's, and this is a formula: it can be no name.", word.column)
        after = self.text[word.column - 1 + len(word.text) :][:1]
        if after and after in "'\"":
            self.refuse("there is no text here, only numbers and their names.", word.column)
        self.next()
        if self.token.kind == "(":
            self.call(word)
        elif word.text in FUNCTIONS:
            self.refuse(f"{word.text} is a function: write {word.text}(...), or choose another name.", word.column)
        else:
            if word.text not in self.assigned:
                self.names[word.text] = None
            self.steps.append(Step("name", word.text, 0, word.column))

    def call(self, word: Token) -> None:
        if word.text not in FUNCTIONS:
            near = difflib.get_close_matches(word.text.lower(), FUNCTIONS, n=1, cutoff=0.7)
            near = ["log"] if word.text == "ln" else near
            used = word.text in self.names or word.text in self.assigned
            hint = f"did you mean {near[0]}?" if near and not used else f"for a product write {word.text:.40}*(...)."
            self.refuse(f"there is no function {word.text:.40}; {hint}", word.column)
        function, least, most = FUNCTIONS[word.text]
        bracket, count = self.next(), 0
        while self.token.kind != ")" or count:
            self.expression(0)
            count += 1
            if self.token.kind == "=":
                self.refuse("numbers are given to a function in order, without names.", self.token.column)
            if self.token.kind != ",":
                break
            self.next()
        self.close(bracket)
        if not least <= count <= most:
            wanted = f"{least} number{'s' * (least > 1)}" if least == most else f"{least} or {most} numbers"
            more = f"; write {word.text}(a, {word.text}(b, c))" if word.text[:3] in ("max", "min") and count > 2 else ""
            self.refuse(f"{word.text} takes {wanted}, and this gives it {count}{more}.", word.column)
        self.steps.append(Step("call", function, count, word.column))

    def close(self, bracket: Token) -> None:
        if self.token.kind == "end":
            self.refuse("this bracket is never closed.", bracket.column)
        if self.token.kind != ")":
            self.refuse(self.unexpected(), self.token.column)
        self.next()

    def unexpected(self) -> str:
        token = self.token
        if token.kind in ("number", "name", "("):
            return f"an operator is missing before {token.text:.40}: for a product write *."
        words = {
            ")": "there is no open bracket for this one.", ",": "a comma stands only between what a function takes.",
            "=": "only a name can stand before =, and only once.",
        }  # fmt: skip
        return words.get(token.kind, f"{token.text!r} cannot stand here.")


def _strange(c: str) -> str:
    """Why a character, or two, are not read."""
    if c in _COMPARING:
        return f"{c} compares or combines truths, and a formula only computes: use max, min or relu."
    if c in _WORDS:
        return f"{c} is not read here: {_WORDS[c]}."
    shown = c if c.isprintable() else "this character"
    plain = unicodedata.normalize("NFKC", c)
    called = unicodedata.name(c, f"U+{ord(c):04X}")
    hint = f": write {plain}" if plain != c and plain.isascii() and plain.isprintable() and plain.strip() else ""
    return f"{shown} ({called}) is not read here{hint or ': names have Latin or Greek letters, digits and _'}."
