"""What a training run needs to go on, after a kill, as if it had never been stopped."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from micrograd_nn import checkpoint
from micrograd_nn.data import DataError
from micrograd_nn.training._callbacks import Callbacks, Run
from micrograd_nn.training._history import History

__all__ = ["Keeper"]

FORMAT = 1


class Keeper:
    """Saves a run after every epoch in the file `path`, and puts it back as it was then.

    With `every`, an epoch that ends less than so many seconds after the last saving is passed over.
    """

    def __init__(
        self, path: str | Path, run: Run, scheduler: Any, callbacks: Callbacks, rng: np.random.Generator,
        every: float = 0.0,
    ) -> None:  # fmt: skip
        self.every, self.saved = every, -math.inf
        self.path, self.run, self.scheduler, self.callbacks, self.rng = Path(path), run, scheduler, callbacks, rng
        self.health: list[Any] = []  # the reports packed, each once: there are more and more, and they do not change

    def begin(self, resume: bool, seed: Any, measures: Iterable[str], laid_out: bool) -> None:
        """Go on with the run in the file, or save the beginning of a new one; `laid_out` for so many epochs.

        Raises DataError when the file holds a run and `resume` is False, or another run than this one.
        """
        there = self.path.exists()
        if there and not resume:
            raise DataError(
                f"{self.path} is there already: resume=True goes on with the run in it; to start anew, give another "
                "path. Nothing was overwritten."
            )
        self.fingerprint = self._fingerprint(seed, measures, laid_out)
        if there:
            self._restore(checkpoint.load(self.path))
        else:
            self.path.resolve().parent.mkdir(parents=True, exist_ok=True)
            self.save()

    def epoch_ended(self) -> None:
        run = self.run
        last = run.epoch == run.epochs or run.stopped is not None
        if last or time.monotonic() - self.saved >= self.every:
            self.save()

    def save(self) -> None:
        run, history = self.run, self.run.history
        self.health += [_packed(report.to_dict()) for report in history.health[len(self.health) :]]
        tree = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "epoch": run.epoch,
            "step": run.step,
            "stopped": run.stopped,
            "model": run.model.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "generators": {name: g.bit_generator.state for name, g in self._generators()},
            "callbacks": self.callbacks.state(),
            "history": History(history.epochs).to_dict(),
            "health": self.health,
        }
        checkpoint.save(self.path, tree)
        self.saved = time.monotonic()

    def _restore(self, tree: Any) -> None:
        if not isinstance(tree, dict) or tree.get("format") != FORMAT:
            raise DataError(f"{self.path} is not the checkpoint of a run, or is one of another version.")
        differences = list(_differences(tree["fingerprint"], self.fingerprint))
        if differences:
            more = f"; and {len(differences) - 4} more" if len(differences) > 4 else ""
            raise DataError(
                f"{self.path} holds another run, which cannot go on here: {'; '.join(differences[:4])}{more}. To start "
                "anew, give another path."
            )
        run = self.run
        if run.epochs < tree["epoch"]:
            raise DataError(f"{self.path} holds {tree['epoch']} epochs already, and epochs is {run.epochs} now.")
        run.model.load_state_dict(tree["model"])
        run.optimizer.load_state_dict(tree["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(tree["scheduler"])
        for name, g in self._generators():
            g.bit_generator.state = tree["generators"][name]
        run.epoch, run.step, run.stopped = tree["epoch"], tree["step"], tree["stopped"]
        run.history.epochs[:] = History.from_dict(tree["history"]).epochs
        self.health = tree["health"]
        reports = [_unpacked(report) for report in self.health]
        run.history.health[:] = History.from_dict({"ended": "", "epochs": [], "health": reports}).health
        self.callbacks.load(tree["callbacks"])

    def _fingerprint(self, seed: Any, measures: Iterable[str], laid_out: bool) -> dict[str, Any]:
        """What has to be the same for two runs to be the same: data, model, optimiser, settings."""
        run, model, held = self.run, self.run.model, self.run.validation_data
        settings = {k: v for k, v in run.history.settings.items() if k not in ("epochs", "lr")}
        if laid_out:
            settings["schedule"] = f"{settings['schedule']!r} over {run.epochs} epochs"
        return settings | {
            "the schedule's settings": None if self.scheduler is None else _settled(self.scheduler.state_dict()),
            "metrics": sorted(measures),
            "callbacks": self.callbacks.names(),
            "rng": int(seed) if isinstance(seed, (int, np.integer)) else type(seed).__name__,
            "training data (digest)": _digest(run.X, run.y),
            "validation data (digest)": None if held is None else _digest(*held),
            "the optimiser's groups": [
                {k: v for k, v in group.items() if k != "initial_lr"} | {"lr": group.get("initial_lr", group["lr"])}
                for group in run.optimizer.state_dict()["param_groups"]
            ],
            "parameters": {
                n: f"{np.asarray(p.data).dtype} {np.shape(p.data)}{'' if p.requires_grad else ' frozen'}"
                for n, p in model._named_leaves()
            },
            "parts": {n or "model": re.sub("0x[0-9a-fA-F]+", "0x...", repr(m)) for n, m in model.named_modules()},
            "generators": {n: type(g.bit_generator).__name__ for n, g in self._generators()},
        }

    def _generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Everything that draws random numbers."""
        yield "rng", self.rng
        for name, g in self.run.model.named_generators():
            yield f"model.{name}", g


MOVING = {"last_epoch", "last_lr", "lr", "base_lrs", "best", "num_bad_epochs", "cooldown_counter"}


def _settled(state: Any) -> Any:
    """The state of a schedule without what a step changes."""
    if isinstance(state, dict):
        return {k: _settled(v) for k, v in state.items() if k not in MOVING}
    return [_settled(s) for s in state] if isinstance(state, (list, tuple)) else state


def _packed(content: dict[str, Any]) -> Any:
    """Plain data as compressed text, in an array of bytes."""
    import json
    import zlib

    return np.frombuffer(zlib.compress(json.dumps(content).encode(), 1), np.uint8)


def _unpacked(packed: Any) -> Any:
    import json
    import zlib

    return json.loads(zlib.decompress(packed.tobytes()))


def _digest(*arrays: Any) -> str:
    import hashlib

    digest = hashlib.blake2b(digest_size=16)
    for a in arrays:
        digest.update(f"{a.dtype.str} {a.shape} ".encode())
        digest.update(np.ascontiguousarray(a).data if a.size else b"")
    return digest.hexdigest()


def _differences(then: Any, now: Any, place: str = "") -> Any:
    """Sentences on what is not the same in two trees, leaf by leaf."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*then, *now)):
            here = f"{place}[{key!r}]" if place else key
            if key not in now or key not in then:
                yield f"{here} was {then.get(key, 'not there')}, and is {now.get(key, 'not there')} now"
            else:
                yield from _differences(then[key], now[key], here)
    elif isinstance(then, (list, tuple)) and isinstance(now, (list, tuple)) and len(then) == len(now):
        for i, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from _differences(a, b, f"{place}[{i}]")
    elif then is not now and then != now:
        yield f"{place} was {then}, and is {now} now"
