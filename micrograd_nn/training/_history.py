"""What a training run gave, epoch by epoch, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from micrograd_nn.data import DataError
from micrograd_nn.files import written_whole
from micrograd_nn.text import spelled

__all__ = ["Epoch", "History"]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the data gave; None where there is nothing to measure.

    `loss`, `accuracy`, `penalty` and the metrics are means over the pass, an example as much as any other, while the
    weights moved; those of the validation data are taken at its end. `loss` is that of the data alone: what
    regularisation added to it is `penalty`. `lr` is the learning rate during the pass, `grad_norm` the length (L2 norm)
    of the gradient of all parameters on its last batch, before any clipping.
    """

    epoch: int
    loss: float
    accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    seconds: float = 0.0
    lr: float | None = None
    grad_norm: float | None = None
    penalty: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)


MEASURES = tuple(name for name in Epoch.__dataclass_fields__ if name != "metrics")


@dataclass(repr=False, eq=False)
class History:
    """Every epoch of a run, and how it ended: "finished", "interrupted", why it was stopped, or what went wrong.

    `settings` says what the run was told to do, `health` has a HealthReport for every time that a HealthMonitor looked,
    and `best_epoch` the epoch whose weights early stopping put back in the end (None: those of the last epoch stay).

    >>> history = History([Epoch(1, 0.5, val_loss=0.75), Epoch(2, 0.25, val_loss=0.5)])
    >>> history["val_loss"], history
    ([0.75, 0.5], History(2 epochs: loss 0.25, val_loss 0.5; finished))
    """

    epochs: list[Epoch] = field(default_factory=list)
    ended: str = "finished"
    health: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    best_epoch: int | None = None

    def __len__(self) -> int:
        return len(self.epochs)

    def __eq__(self, other: object) -> bool:
        """Whether all is the same, as written: nan equals nan."""
        return self.to_dict() == other.to_dict() if isinstance(other, History) else NotImplemented

    def __getitem__(self, measure: str) -> list[Any]:
        """One measure over the epochs, `history["loss"]`, or a metric by its name. Raises KeyError, listing them."""
        if measure in MEASURES:
            return [getattr(e, measure) for e in self.epochs]
        if measure not in self.metrics:
            there = ", ".join((*MEASURES, *self.metrics))
            raise KeyError(f"this history has no measure {measure!r}; it has {there}.")
        return [e.metrics.get(measure) for e in self.epochs]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics that were asked for."""
        return tuple(dict.fromkeys(name for e in self.epochs for name in e.metrics))

    def __repr__(self) -> str:
        count = f"{len(self)} epoch{'' if len(self) == 1 else 's'}"
        if not self.epochs:
            return f"History({count}; {self.ended})"
        last = self.epochs[-1]
        parts = [f"loss {last.loss:.4g}"]
        for name in ("accuracy", "val_loss", "val_accuracy"):
            value = getattr(last, name)
            if value is not None:
                parts.append(f"{name} {value:.4g}" if name == "val_loss" else f"{name} {value:.1%}")
        parts += [f"{name} {value:.4g}" for name, value in last.metrics.items()]
        return f"History({count}: {', '.join(parts)}; {self.ended})"

    # --- as plain data ----------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and text, which strict JSON can hold: what is not finite is "NaN", "Infinity" or
        "-Infinity", as `float` and JavaScript's `Number` read them."""
        return {
            "ended": self.ended,
            "best_epoch": self.best_epoch,
            "settings": _plain(self.settings),
            "epochs": [_plain(vars(e)) for e in self.epochs],
            "health": [report.to_dict() for report in self.health],
        }

    @classmethod
    def from_dict(cls, content: Any) -> History:
        """The history that `to_dict` gave. Raises DataError for anything else."""
        try:
            epochs = [_epoch(row) for row in content["epochs"]]
            found = cls(epochs, str(content["ended"]), settings=_numbers(content.get("settings", {})))
            found.best_epoch = content.get("best_epoch")
            if content.get("health"):
                from micrograd_nn.health import HealthReport

                found.health = [HealthReport.from_dict(report) for report in content["health"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"this is not the history of a run: {type(error).__name__}: {error}.") from None
        return found

    def to_json(self) -> str:
        """The history as JSON, a line for every epoch and every health report."""
        import json

        def text(x: Any) -> str:
            return json.dumps(x, ensure_ascii=False, allow_nan=False)

        def lines(rows: list[Any]) -> str:
            return "[\n" + ",\n".join(map(text, rows)) + "\n]" if rows else "[]"

        parts = {key: lines(x) if isinstance(x, list) else text(x) for key, x in self.to_dict().items()}
        return "{\n" + ",\n".join(f"{text(key)}: {part}" for key, part in parts.items()) + "\n}"

    def save(self, path: str | Path) -> None:
        """Write the history to `path` as JSON, whole or not at all; every number comes back to the last bit."""
        text = self.to_json() + "\n"
        with written_whole(path) as file:
            file.write(text.encode())

    @classmethod
    def load(cls, path: str | Path) -> History:
        """Read what `save` wrote, or the history.json of a run folder. Raises DataError for anything else."""
        import json

        try:
            content = json.loads(Path(path).read_bytes())
        except ValueError as error:
            raise DataError(f"{path} is not the history of a run: it is no JSON ({error}).") from None
        try:
            return cls.from_dict(content)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None


def _epoch(row: dict[str, Any]) -> Epoch:
    row = {name: _numbers(value) for name, value in row.items() if name in Epoch.__dataclass_fields__}
    if row["loss"] is None:  # the first histories wrote null for what is not finite
        row["loss"] = math.nan
    for name, value in row.items():
        if name != "metrics" and value is not None and not isinstance(value, (int, float)):
            raise TypeError(f"{name} is {value!r}, not a number")
    return Epoch(**row)


NOT_FINITE = {"NaN", "Infinity", "-Infinity"}


def _plain(x: Any) -> Any:
    """`x` with words for the floats that JSON has none for."""
    if isinstance(x, dict):
        return {key: _plain(value) for key, value in x.items()}
    return [_plain(item) for item in x] if isinstance(x, (list, tuple)) else spelled(x)


def _numbers(x: Any) -> Any:
    """`x` with floats again for those words."""
    if isinstance(x, str):
        return float(x) if x in NOT_FINITE else x
    if isinstance(x, dict):
        return {key: _numbers(value) for key, value in x.items()}
    return [_numbers(item) for item in x] if isinstance(x, list) else x
