"""What a check found: its rows, its sentences, and how they are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from micrograd_nn.text import spelled, table

if TYPE_CHECKING:
    from micrograd_nn.checking._blame import Blame
    from micrograd_nn.graph import Node

__all__ = ["BAD", "GradcheckError", "GradcheckReport", "Row", "called", "figures"]

BAD = ("wrong", "undefined", "not differentiable", "not checked")  # verdicts that are not well, the worst first


def called(name: str, index: tuple[int, ...]) -> str:
    """An entry as a person writes it.

    >>> called("w", (0, 2)), called("bias", ())
    ('w[0, 2]', 'bias')
    """
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def figures(x: float, digits: int = 4) -> str:
    """A number for people: few digits, a real minus sign.

    >>> figures(-0.5), figures(1.23456e-7), figures(float("nan"))
    ('−0.5', '1.235e−07', 'NaN')
    """
    text = f"{x + 0.0:.{digits}g}" if math.isfinite(x) else spelled(float(x)).replace("Infinity", "inf")
    return text.replace("-", "−")


@dataclass(frozen=True)
class Row:
    """One entry of one input: what the code returned for it, and what differences of the function's values say.

    `numeric` is right to within `error_bar`. `left` and `right` are the slopes from one side where they disagree.
    """

    input: str
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error_bar: float
    verdict: str
    note: str = ""
    left: float | None = None
    right: float | None = None
    order: int = 1

    @property
    def off(self) -> float:
        """How far apart the two are, relative to the larger; inf where either is no number."""
        scale = max(abs(self.analytic), abs(self.numeric))
        if not math.isfinite(self.analytic - self.numeric):
            return math.inf
        return abs(self.analytic - self.numeric) / scale if scale else 0.0

    @property
    def between(self) -> bool | None:
        """Whether what was returned lies between the slopes from either side; None where there is no kink."""
        if self.left is None or self.right is None:
            return None
        low, high = sorted((self.left, self.right))
        return low - self.error_bar <= self.analytic <= high + self.error_bar

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as JSON takes them."""
        return {
            "input": self.input, "index": list(self.index), "order": self.order, "verdict": self.verdict,
            "analytic": spelled(self.analytic), "numeric": spelled(self.numeric), "error_bar": spelled(self.error_bar),
            "left": spelled(self.left), "right": spelled(self.right), "note": self.note,
        }  # fmt: skip


@dataclass
class GradcheckReport:
    """The outcome of a check, true in an `if` when all is well.

    `rows` has an entry for every coordinate that was looked at, `problems` a sentence for every contract that the code
    breaks whatever the numbers, `diagnosis` what the pattern of the errors looks like (`cause` is its key), `blame`
    the op of our own graph that is wrong. `notes` say what was and was not looked at. Where a check failed and its
    computation could be traced, `root` is the result of the same computation on our nodes, whose leaves have the names
    of the inputs: `viz.draw(report)` draws it.

    >>> import micrograd_nn as mg
    >>> report = mg.check_backward(lambda x: x**3, lambda g, x: g * x**2, 2.0, raise_on_error=False)
    >>> bool(report), report.rows[0].verdict, report.cause
    (False, 'wrong', 'factor')
    """

    rows: list[Row]
    problems: tuple[str, ...] = ()
    cause: str = ""
    diagnosis: str = ""
    blame: Blame | None = None
    notes: tuple[str, ...] = ()
    coordinates: int = 0
    projections: int = 0
    subject: str = "f"
    rtol: float = 0.0
    atol: float = 0.0
    allow_kinks: bool = False
    calls: int = field(default=0, repr=False)
    root: Node | None = field(default=None, repr=False, compare=False)

    @property
    def checked(self) -> int:
        """How many coordinates were looked at one by one."""
        return len({(r.input, r.index) for r in self.rows})

    @property
    def ok(self) -> bool:
        """Whether every entry looked at is right, and no contract broken."""
        return not self.problems and all(map(self.well, self.rows))

    def well(self, row: Row) -> bool:
        """Whether a row needs nobody's attention."""
        return row.verdict == "ok" or (self.allow_kinks and row.verdict == "not differentiable" and bool(row.between))

    def __bool__(self) -> bool:
        return self.ok

    def count(self, verdict: str) -> int:
        """How many rows have this verdict."""
        return sum(r.verdict == verdict for r in self.rows)

    def worst(self, n: int = 5) -> list[Row]:
        """The `n` worst rows: those that are not well first, by verdict and how far off, of equals the larger."""
        order = {v: i for i, v in enumerate(BAD)}

        def key(r: Row) -> tuple[bool, int, float, float]:
            size = abs(r.numeric) if math.isfinite(r.numeric) else 0.0
            return self.well(r), order.get(r.verdict, len(BAD)), -float(f"{r.off:.2g}"), -size

        return sorted(self.rows, key=key)[:n]

    @property
    def headline(self) -> str:
        """The outcome in one line."""
        if self.checked < self.coordinates:
            seen = f"checked {self.checked:,} of {self.coordinates:,} entries"
            if self.projections:
                seen += f", and all along {self.projections} random directions"
        else:
            seen = "checked its one entry" if self.coordinates == 1 else f"checked all {self.coordinates:,} entries"
        found = [f"{self.count(v):,} {v}" for v in BAD if self.count(v)]
        if self.problems:
            found.append(f"{len(self.problems)} contract{'s' * (len(self.problems) > 1)} broken")
        outcome = ", ".join(found) or "all right"
        return f"gradcheck of {self.subject}: {'ok' if self.ok else 'FAILED'} - {seen}: {outcome}"

    def __str__(self) -> str:
        lines = [self.headline]
        bad = [r for r in self.worst() if not self.well(r)]
        if bad:
            higher = any(r.order > 1 for r in bad)
            head = ("entry", "verdict", "returned", "differences", "± error bar", "off by")
            cells = [head] + [
                (called(r.input, r.index) + (f" (order {r.order})" if higher else ""), r.verdict,
                 figures(r.analytic, 8), _numeric(r), figures(r.error_bar, 2), _off(r))
                for r in bad
            ]  # fmt: skip
            lines += ["", *(f"  {line}" for line in table(cells, words=2))]
            notes: dict[str, list[str]] = {}
            for r in bad:
                notes.setdefault(r.note, []).append(called(r.input, r.index))
            lines += [
                line for note, who in notes.items() if note for line in _wrapped(f"{', '.join(who)}: {note}", "  ")
            ]
            left = sum(not self.well(r) for r in self.rows) - len(bad)
            if left:
                lines.append(f"  ... and {left:,} more")
        blame = "" if self.blame is None else str(self.blame)
        sentences = [s for s in dict.fromkeys((*self.problems, self.diagnosis, blame)) if s]
        for block in (sentences, self.notes):
            if block:
                lines += ["", *(line for sentence in block for line in _wrapped(sentence))]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{self.headline}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))  # a notebook shows the table

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers and text, ready for JSON."""
        return {
            "subject": self.subject, "ok": self.ok, "checked": self.checked, "coordinates": self.coordinates,
            "projections": self.projections, "rtol": self.rtol, "atol": self.atol,
            "verdicts": {v: self.count(v) for v in ("ok", *BAD)}, "problems": list(self.problems),
            "cause": self.cause, "diagnosis": self.diagnosis,
            "blame": None if self.blame is None else self.blame.to_dict(),
            "notes": list(self.notes), "rows": [r.to_dict() for r in self.rows],
        }  # fmt: skip


def _wrapped(sentence: str, indent: str = "") -> list[str]:
    """A sentence as lines of at most 120 columns; those after the first stand in a little."""
    return wrap(
        sentence, 120, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _numeric(row: Row) -> str:
    if row.left is None or row.right is None:
        return figures(row.numeric, 8)
    return f"{figures(row.left)} | {figures(row.right)}"


def _off(row: Row) -> str:
    if not math.isfinite(row.off) or row.left is not None:
        return "–"
    return f"{row.off:.2g}".replace("-", "−") if row.off < 0.01 else f"{row.off:.1%}"


class GradcheckError(AssertionError):
    """A check that failed; the message is its report, which is also in `.report`."""

    __module__ = "micrograd_nn.checking"  # where users find it

    def __init__(self, report: GradcheckReport) -> None:
        self.report = report
        super().__init__(str(report))

    def __reduce__(self) -> tuple[Any, ...]:
        return GradcheckError, (self.report,)
