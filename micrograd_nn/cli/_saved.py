"""A run folder read again: its settings, wherever its data are by now, and its network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import micrograd_nn as mg
from micrograd_nn import data, nn, run
from micrograd_nn.experiment import Experiment, Settings, built

__all__ = ["experiment", "recorded", "restored", "settings"]


def recorded(experiment: Experiment) -> dict[str, Any]:
    """What is needed to build the model again, to run it on new data, and to do it all again."""
    found, model, file = experiment.dataset, experiment.model, Path(experiment.settings.data)
    return experiment.settings.to_dict() | {
        "version": mg.__version__, "file": str(file.resolve()) if experiment.settings.target is not None else None,
        "digest": experiment.digest, "features": list(found.features), "classes": list(found.classes),
        "scale": experiment.scale, "n_in": len(found.features),
        "sizes": [layer.n_out for layer in model.layers] if isinstance(model, nn.MLP) else None,
    }  # fmt: skip


def settings(folder: Path) -> tuple[Settings, dict[str, Any]]:
    """The settings of the run in `folder`, and everything that was recorded with them."""
    with whole(folder):
        saved = run.load_json(folder / "settings.json")
        if "layers" not in saved:  # the first version said so in another way, and knew layers only
            saved |= {"layers": saved["sizes"][:-1]}
        try:
            return Settings.from_dict(saved), saved
        except data.DataError as error:
            raise data.DataError(f"{folder / 'settings.json'} was changed: {error}") from None


@contextmanager
def whole(folder: Path) -> Iterator[None]:
    """What can go wrong with files that somebody changed, as a DataError."""
    try:
        yield
    except data.DataError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise data.DataError(
            f"{folder / 'settings.json'} was changed, or is of another version ({type(error).__name__}: {error})."
        ) from None


def experiment(settings: Settings, saved: dict[str, Any], instead: str = "") -> Experiment:
    """The same examples and the same network, untrained; `instead` says what else may be done without the examples."""
    if settings.target is not None:
        places = [place for place in (saved.get("file"), settings.data) if place]
        there = [place for place in places if Path(place).is_file()]
        if not there:
            raise data.DataError(f"{places[0]}, which the run learned from, is not there: put it back{instead}.")
        settings = replace(settings, data=there[0])
    found = Experiment(settings)
    if saved.get("digest") not in (None, found.digest):
        raise data.DataError(
            f"{settings.data} is not what the run learned from: it has changed since. Put it back as it was{instead}."
        )
    return found


def restored(folder: Path, settings: Settings, saved: dict[str, Any]) -> nn.Module:
    """The network of a run that has ended, with its weights."""
    with whole(folder):
        features = saved["features"] or [f"x{j + 1}" for j in range(saved["n_in"])]
        model = built(settings, features, saved["classes"], 0)
        model.load_state_dict(run.load_weights(folder / "weights.npz"))
    return model
