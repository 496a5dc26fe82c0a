"""A run as its settings: the same settings give the same data, the same network and the same training."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from micrograd_nn import data, nn, training
from micrograd_nn.data import DataError
from micrograd_nn.data._datasets import MADE
from micrograd_nn.training import History

__all__ = ["LOSSES", "MADE", "Experiment", "Settings", "built", "dataset", "trial"]

Array = np.ndarray[Any, Any]
# By the name a person gives: the loss, and the labels it takes in place of 0 and 1 where the network has one output.
LOSSES: dict[str, tuple[str, tuple[float, float] | None]] = {
    "cross_entropy": ("cross_entropy", None),
    "multi_margin": ("multi_margin_loss", None),
    "binary_cross_entropy": ("binary_cross_entropy_with_logits", (0.0, 1.0)),
    "hinge": ("hinge_loss", (-1.0, 1.0)),
}
# What a network from a file brings itself.
OF_LAYERS = ("layers", "activation", "init", "init_scale", "dropout", "input_noise")
# What a setting may be in a file, by its annotation.
KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (int, float), "None": (type(None),), "tuple[int, ...]": (list, tuple),
    "Mapping[str, Any]": (dict,),
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on; what is not given has the value that learns the digits well."""

    data: str = "digits"
    target: str | None = None
    examples: int | None = None
    noise: float | None = None
    network: Mapping[str, Any] | None = None  # the contents of a Network's file, instead of layers
    layers: tuple[int, ...] = (256, 128)
    activation: str = "relu"  # or one for each hidden layer, with commas between
    init: str | None = None
    init_scale: float = 1.0
    loss: str = "cross_entropy"
    dropout: float = 0.0
    input_noise: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float | None = None
    max_norm: float | None = None
    clip_norm: float | None = None
    optimizer: str = "adam"
    lr: float = 1e-3
    schedule: str | None = None
    early_stopping: int | None = None
    epochs: int = 40
    batch_size: int = 32
    seed: int = 0

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Settings:
        """Settings as `to_dict` gave them; other entries are left alone. Raises DataError for what it never gives."""
        given = {f.name: saved[f.name] for f in fields(cls) if f.name in saved}
        for f in fields(cls):
            kinds = tuple(kind for name in str(f.type).split(" | ") for kind in KINDS[name])
            value = given.get(f.name, f.default)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise DataError(f"{f.name} is {value!r:.40}, and should be {f.type}.")
        settings = cls(**given)
        return replace(settings, layers=tuple(map(int, settings.layers)))

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and text: through JSON and `from_dict` they come back as they were."""
        return asdict(self) | {"layers": list(self.layers)}

    @property
    def seeds(self) -> list[np.random.Generator]:
        """What draws the split, the weights, the order of the examples, the points that are made, and new points."""
        return [np.random.default_rng(seed) for seed in np.random.SeedSequence(self.seed).spawn(5)]


class Experiment:
    """The data, cut and scaled, and the network untrained, that settings stand for.

    >>> experiment = Experiment(Settings(data="moons", layers=(8,), epochs=2, lr=0.01))
    >>> experiment.model
    MLP(2, [8, 2], 'relu')
    >>> len(experiment.fit(progress=False))
    2
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        splitting, drawing, self.shuffling, making, _ = settings.seeds
        found = self.dataset = dataset(settings, making)
        X, X_test, y, y_test = data.train_test_split(found.X, found.y, 0.2, splitting)
        self.scale: dict[str, list[float]] = {}
        if not found.one_scale:
            (X, X_test), scale = data.standardised(X, X_test, names=found.features)
            self.scale = scale.to_dict()
        self.loss, labels = LOSSES[settings.loss]
        if labels is not None:
            if len(found.classes) != 2:
                raise DataError(
                    f"the {settings.loss} loss tells two classes apart, and there are {len(found.classes)} here: use "
                    "cross_entropy or multi_margin."
                )
            y, y_test = (np.array(labels)[part] for part in (y, y_test))
        self.X, self.X_test, self.y, self.y_test = X, X_test, y, y_test
        self.model = built(settings, found.features, found.classes, drawing)

    def fit(self, **options: Any) -> History:
        """Train the network as the settings say; `options` go to `fit`."""
        s = self.settings
        return training.fit(
            self.model, self.X, self.y, loss=self.loss, optimizer=s.optimizer, lr=s.lr, epochs=s.epochs,
            batch_size=s.batch_size, validation_data=(self.X_test, self.y_test), schedule=s.schedule,
            early_stopping=s.early_stopping, l1=s.l1, l2=s.l2, weight_decay=s.weight_decay, max_norm=s.max_norm,
            clip_norm=s.clip_norm, rng=self.shuffling, **options,
        )  # fmt: skip

    @property
    def digest(self) -> str | None:
        """A fingerprint of the examples that were loaded; None for those that are made."""
        import hashlib

        found = self.dataset
        if found.name in MADE:
            return None  # sines and cosines differ in the last digit from one computer to another
        digest = hashlib.blake2b(repr((found.X.shape, found.classes)).encode(), digest_size=16)
        for array in (found.X.astype("<f8"), found.y.astype("<i8")):
            digest.update(array.tobytes())
        return digest.hexdigest()


def dataset(settings: Settings, rng: np.random.Generator) -> data.Dataset:
    """The examples that settings name, made or loaded."""
    options: dict[str, Any] = {"examples": settings.examples, "noise": settings.noise}
    given = {name: value for name, value in options.items() if value is not None}
    if settings.data not in MADE:
        if given:
            raise DataError(
                f"{' and '.join(given)} can be chosen for data that are made ({', '.join(MADE)}), and not for "
                f"{settings.data}: leave them out."
            )
        return data.load(settings.data, settings.target)
    noise = {"noise": settings.noise} if settings.noise is not None else {}
    return data.load(settings.data, settings.target, rng, n_samples=settings.examples or 400, **noise)


def built(
    settings: Settings, features: Sequence[str], classes: Sequence[str], rng: np.random.Generator | int | None
) -> nn.Module:
    """The network that settings describe, for these features and these classes."""
    n_in, n_out = len(features), len(classes) if LOSSES[settings.loss][1] is None else 1
    if settings.network is not None:
        return wired(settings, features, classes, n_out, rng)
    kinds: str | Sequence[str] = settings.activation.split(",") if "," in settings.activation else settings.activation
    if not isinstance(kinds, str) and len(kinds) != len(settings.layers):
        raise DataError(
            f"{len(kinds)} activations for {_so_many(len(settings.layers), 'hidden layer')}: give one for all, or one "
            "for each."
        )
    return nn.MLP(
        n_in, [*settings.layers, n_out], kinds, rng, init=settings.init, scale=settings.init_scale,
        dropout=settings.dropout, input_noise=settings.input_noise,
    )  # fmt: skip


def wired(
    settings: Settings, features: Sequence[str], classes: Sequence[str], n_out: int,
    rng: np.random.Generator | int | None,
) -> nn.Network:  # fmt: skip
    """The network from a file, checked against the data that it is to learn."""
    default = Settings()
    extra = [name for name in OF_LAYERS if getattr(settings, name) != getattr(default, name)]
    if extra:
        raise DataError(f"a network from a file brings its own layers: leave out {extra[0].replace('_', '-')}.")
    net = nn.Network.from_json(settings.network, rng)  # type: ignore[arg-type]
    n, inputs, outputs = len(features), list(net.inputs), list(net.outputs)
    if len(inputs) != n:
        raise DataError(f"the network has {_so_many(len(inputs), 'input')}, and these data have {n} features.")
    if len(outputs) != n_out:
        alone = ", or 1 with the loss binary_cross_entropy or hinge" if n_out == len(classes) == 2 else ""
        need = f"{len(classes)} classes with the loss {settings.loss} need {n_out}{alone}"
        raise DataError(f"the network has {_so_many(len(outputs), 'output')}, and {need}.")
    for what, names, order in (("inputs", inputs, list(features)), ("outputs", outputs, list(classes))):
        if names != order and sorted(names) == sorted(order):
            raise DataError(
                f"the network's {what} are {', '.join(names)}, and the data have {', '.join(order)}: "
                "put them in the same order."
            )
    return net


def _so_many(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def trial(**setting: Any) -> dict[str, float]:
    """Train once, and give the losses and accuracies of the end and the share of dead and saturated units.

    Raises ArithmeticError when the run came to nothing, so that a sweep records it as failed.

    >>> sorted(trial(data="moons", layers=(4,), epochs=1))
    ['accuracy', 'dead', 'loss', 'saturated', 'test_accuracy', 'test_loss']
    """
    from threadpoolctl import threadpool_limits

    from micrograd_nn.health import unit_health

    experiment = Experiment(Settings(**setting))
    model, values = experiment.model, dict[str, float]()
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        history = experiment.fit(progress=False)
        if history.ended == "interrupted":
            raise KeyboardInterrupt
        if history.ended != "finished" and "had not improved" not in history.ended:
            where = re.sub(r" in the (forward|backward) pass( from \(.*\))?", "", history.ended)
            raise ArithmeticError(f"the run came to nothing: {where}")
        parts = {"": (experiment.X, experiment.y), "test_": (experiment.X_test, experiment.y_test)}
        for part, (X, y) in parts.items():
            loss, accuracy = training.evaluate(model, experiment.loss, X, y)
            values |= {f"{part}loss": loss, f"{part}accuracy": math.nan if accuracy is None else accuracy}
        if not all(map(math.isfinite, values.values())):
            raise ArithmeticError("the run came to nothing: the network's numbers overflow: try a lower learning rate")
        health = unit_health(model, experiment.X)
    units = max(1, sum(len(layer.dead) for layer in health.layers))
    share: Callable[[str], float] = lambda what: sum(int(getattr(h, what).sum()) for h in health.layers) / units
    return values | {"dead": share("dead"), "saturated": share("saturated")}
