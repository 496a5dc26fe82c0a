"""What came out of a sweep: a row a run, grouped over the seeds, printed, saved and loaded."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn.data import DataError
from micrograd_nn.files import written_whole
from micrograd_nn.text import table

__all__ = ["Group", "Row", "Spread", "SweepResult", "shortened"]

Array = np.ndarray[Any, Any]
SHOWN = 40  # combinations that a printed table shows, and a quarter as many failures


@dataclass(frozen=True)
class Row:
    """One run: its setting, the numbers it returned (none if it failed), how long it took, and what went wrong."""

    setting: dict[str, Any]
    values: dict[str, float]
    seconds: float = field(default=0.0, compare=False)
    error: str | None = None


@dataclass(frozen=True)
class Spread:
    """One value over the `n` runs that gave it. `std` divides by n - 1; of a single run it is NaN."""

    mean: float
    std: float
    min: float
    max: float
    n: int

    @classmethod
    def of(cls, numbers: Iterable[float]) -> Spread:
        x = np.array(list(numbers), float)
        with np.errstate(all="ignore"):  # runs that ended at infinity have a spread of NaN, and need no warning
            std = float(x.std(ddof=1)) if len(x) > 1 else math.nan
            return cls(float(x.mean()), std, float(x.min()), float(x.max()), len(x))

    def __str__(self) -> str:
        return f"{self.mean:.4g}" + ("" if self.n == 1 else f" ± {self.std:.2g}")


@dataclass(frozen=True)
class Group:
    """The runs that share a setting: how many were asked for, how many of them failed, and each value's spread."""

    setting: dict[str, Any]
    runs: int
    failed: int
    values: dict[str, Spread]


@dataclass(repr=False)
class SweepResult:
    """Every run of a sweep, in the order of the settings; printed as a table, a row a combination of settings.

    `ended` is "finished" or "interrupted"; `notes` says what else a reader of the numbers should know. Two results are
    equal when their numbers are: the seconds do not count.
    """

    rows: list[Row]
    ended: str = "finished"
    notes: list[str] = field(default_factory=list, compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"SweepResult({_runs(len(self))}, {len(self.failed)} failed, {self.ended})"

    @property
    def failed(self) -> list[Row]:
        """The runs that gave no values; each `error` says why."""
        return [row for row in self.rows if row.error is not None]

    @property
    def settings(self) -> list[str]:
        """The names of everything that was set, in the order of their first use."""
        return list(dict.fromkeys(name for row in self.rows for name in row.setting))

    @property
    def values(self) -> list[str]:
        """The names of everything that the runs returned."""
        return list(dict.fromkeys(name for row in self.rows for name in row.values))

    def column(self, name: str) -> Array:
        """One value of every run, aligned with `rows`, NaN where it failed; or else one setting of every run."""
        if name in self.values or name not in self.settings:
            self._known([name], self.values + self.settings)
            return np.array([row.values.get(name, math.nan) for row in self.rows], float)
        given = [row.setting.get(name) for row in self.rows]
        if all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in given):
            return np.array(given, float)
        column = np.empty(len(given), object)
        column[:] = given
        return column

    def group(self, by: str | Iterable[str] | None = None) -> list[Group]:
        """The runs with equal settings taken together: over the seeds, or over all that is not named in `by`."""
        names = [n for n in self.settings if n != "seed"] if by is None else [by] if isinstance(by, str) else list(by)
        self._known(names, self.settings)
        alike: dict[Any, list[Row]] = {}
        for row in self.rows:
            alike.setdefault(tuple(_frozen(row.setting.get(n, _ABSENT)) for n in names), []).append(row)
        groups, values = [], self.values
        for rows in alike.values():
            found = {v: [row.values[v] for row in rows if v in row.values] for v in values}
            setting = {n: rows[0].setting[n] for n in names if n in rows[0].setting}
            failed = sum(row.error is not None for row in rows)
            groups.append(Group(setting, len(rows), failed, {v: Spread.of(x) for v, x in found.items() if x}))
        return groups

    def _known(self, names: list[str], known: list[str]) -> None:
        for name in names:
            if name not in known:
                raise ValueError(f"there is no {name!r} in this sweep: it has {', '.join(known) or 'nothing'}.")

    def __str__(self) -> str:
        groups, values = self.group(), self.values
        names = [n for n in self.settings if n != "seed"]
        lines = []
        if values:
            rows = [(*names, *values, "runs")]
            for g in groups[:SHOWN]:
                given = (_text(g.setting[n]) if n in g.setting else "–" for n in names)
                measured = (str(g.values[v]) if v in g.values else "–" for v in values)
                rows.append((*given, *measured, str(g.runs - g.failed)))
            lines = table(rows, words=len(names))
            if len(groups) > SHOWN:
                lines.append(f"... and {len(groups) - SHOWN:,} more combinations: see .group() or .to_csv(path).")
            if any(spread.n > 1 for g in groups for spread in g.values.values()):
                lines.append("Mean ± standard deviation (dividing by n − 1) of the runs that ended well.")
        failed = self.failed
        lines.append(f"{len(failed):,} of {_runs(len(self))} failed{':' if failed else '.'}")
        lines += [f"  {_said(row.setting)}: {shortened(row.error or '', 200)}" for row in failed[: SHOWN // 4]]
        if len(failed) > SHOWN // 4:
            lines.append(f"  ... and {len(failed) - SHOWN // 4:,} more: see .failed.")
        return "\n".join([*lines, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, text and numbers, ready for JSON: a tuple in a setting becomes a list, NaN and infinity text,
        and what JSON cannot hold (a function, say) its name."""
        rows = [
            {"setting": _plain(r.setting), "values": _plain(r.values), "seconds": r.seconds, "error": r.error}
            for r in self.rows
        ]
        return {"ended": self.ended, "notes": list(self.notes), "rows": rows}

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any]) -> SweepResult:
        """What `to_dict` gave, as a result again."""
        rows = [
            Row(
                dict(r["setting"]),
                {n: float(v) if isinstance(v, str) else v for n, v in r["values"].items()},
                r["seconds"],
                r["error"],
            )
            for r in tree["rows"]
        ]
        return cls(rows, tree["ended"], list(tree["notes"]))

    def save(self, path: str | Path) -> None:
        """Write a JSON file, whole or not at all."""
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        with written_whole(path) as file:
            file.write(f"{text}\n".encode())

    @classmethod
    def load(cls, path: str | Path) -> SweepResult:
        """What `save` wrote. Raises DataError for anything else."""
        try:
            return cls.from_dict(json.loads(Path(path).read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} is not the result of a sweep: {type(error).__name__}: {error}.") from None

    def to_csv(self, path: str | Path) -> None:
        """Write a line a run: its settings, its values, seconds, error. A setting that is named like one of the other
        columns is headed "setting NAME"."""
        import csv
        import io

        settings, values = self.settings, self.values
        taken = {*values, "seconds", "error"}
        value_names = [f"value {v}" if v in ("seconds", "error") else v for v in values]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*(f"setting {s}" if s in taken else s for s in settings), *value_names, "seconds", "error"])
        for row in self.rows:
            given = (_text(row.setting[s]) if s in row.setting else "" for s in settings)
            writer.writerow([*given, *(row.values.get(v, "") for v in values), row.seconds, row.error or ""])
        with written_whole(path) as file:
            file.write(text.getvalue().encode())


_ABSENT = object()


def _runs(n: int) -> str:
    return f"{n:,} run{'' if n == 1 else 's'}"


def _frozen(value: Any) -> Any:
    """Something hashable that is equal for equal settings."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    if isinstance(value, Mapping):
        return tuple((key, _frozen(value[key])) for key in sorted(value, key=str))
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return "nan" if isinstance(value, float) and value != value else value


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return getattr(value, "__qualname__", None) or repr(value)


def _text(value: Any) -> str:
    return str(_plain(value))


def shortened(text: str, most: int) -> str:
    """A text as one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _said(setting: Mapping[str, Any]) -> str:
    return shortened(", ".join(f"{name}={_text(value)}" for name, value in setting.items()), 100) or "(no setting)"
