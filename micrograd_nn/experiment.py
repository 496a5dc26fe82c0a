"""A run as its settings: the same settings give the same data, the same network and the same training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from micrograd_nn import data, nn, training
from micrograd_nn.data import DataError
from micrograd_nn.data._datasets import MADE
from micrograd_nn.training import History

__all__ = ["LOSSES", "Experiment", "Settings", "trial"]

Array = np.ndarray[Any, Any]
# By the name a person gives: the loss, and the labels it takes in place of 0 and 1 where the network has one output.
LOSSES: dict[str, tuple[str, tuple[float, float] | None]] = {
    "cross_entropy": ("cross_entropy", None),
    "multi_margin": ("multi_margin_loss", None),
    "binary_cross_entropy": ("binary_cross_entropy_with_logits", (0.0, 1.0)),
    "hinge": ("hinge_loss", (-1.0, 1.0)),
}


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
    weight_decay: float = 0.0
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
        """Settings as `to_dict` gave them; other entries are left alone."""
        known = {f.name for f in fields(cls)}
        settings = cls(**{k: v for k, v in saved.items() if k in known})
        return replace(settings, layers=tuple(settings.layers))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"layers": list(self.layers)}


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
        seeds = np.random.SeedSequence(settings.seed).spawn(4)
        splitting, drawing, self.shuffling, making = (np.random.default_rng(seed) for seed in seeds)
        self.dataset = dataset(settings, making)
        X, X_test, y, y_test = data.train_test_split(self.dataset.X, self.dataset.y, 0.2, splitting)
        self.scale: dict[str, list[float]] = {}
        if not self.dataset.one_scale:
            (X, X_test), scale = data.standardised(X, X_test, names=self.dataset.features)
            self.scale = scale.to_dict()
        self.loss, labels = LOSSES[settings.loss]
        classes = len(self.dataset.classes)
        if labels is not None:
            if classes != 2:
                raise DataError(f"the {settings.loss} loss tells two classes apart, and there are {classes} here.")
            y, y_test = (np.array(labels)[part] for part in (y, y_test))
        self.X, self.X_test, self.y, self.y_test = X, X_test, y, y_test
        self.model = built(settings, X.shape[1], classes if labels is None else 1, drawing)

    def fit(self, **options: Any) -> History:
        """Train the network as the settings say; `options` go to `fit`."""
        s = self.settings
        return training.fit(
            self.model, self.X, self.y, loss=self.loss, optimizer=s.optimizer, lr=s.lr, epochs=s.epochs,
            batch_size=s.batch_size, validation_data=(self.X_test, self.y_test), schedule=s.schedule,
            early_stopping=s.early_stopping, l1=s.l1, l2=s.l2, weight_decay=s.weight_decay, max_norm=s.max_norm,
            clip_norm=s.clip_norm, rng=self.shuffling, **options,
        )  # fmt: skip


def dataset(settings: Settings, rng: np.random.Generator) -> data.Dataset:
    """The examples that settings name, made or loaded."""
    options: dict[str, Any] = {"n_samples": 400} if settings.data in MADE else {}
    if settings.examples is not None:
        options["n_samples"] = settings.examples
    if settings.noise is not None:
        options["noise"] = settings.noise
    return data.load(settings.data, settings.target, rng, **options)


def built(settings: Settings, n_in: int, n_out: int, rng: np.random.Generator | int | None) -> nn.Module:
    """The network that settings describe, for so many features and scores."""
    if settings.network is not None:
        net = nn.Network.from_json(settings.network)
        for what, found, wanted in (("inputs", len(net.inputs), n_in), ("outputs", len(net.outputs), n_out)):
            if found != wanted:
                raise DataError(f"the network has {found} {what}, and these data need {wanted}.")
        return net
    kinds: str | Sequence[str] = settings.activation.split(",") if "," in settings.activation else settings.activation
    if not isinstance(kinds, str) and len(kinds) != len(settings.layers):
        raise DataError(
            f"{len(kinds)} activations for {len(settings.layers)} hidden layers: give one for all, or one for each."
        )
    return nn.MLP(
        n_in, [*settings.layers, n_out], kinds, rng, init=settings.init, scale=settings.init_scale,
        dropout=settings.dropout, input_noise=settings.input_noise,
    )  # fmt: skip


def trial(**setting: Any) -> dict[str, float]:
    """Train once, and give the losses and accuracies of the end and the share of dead and saturated units.

    >>> sorted(trial(data="moons", layers=(4,), epochs=1))
    ['accuracy', 'dead', 'loss', 'saturated', 'test_accuracy', 'test_loss']
    """
    from threadpoolctl import threadpool_limits

    from micrograd_nn.health import unit_health

    experiment = Experiment(Settings(**setting))
    with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
        history = experiment.fit(progress=False)
        if "nan" in history.ended or not len(history):
            raise ArithmeticError(history.ended)
        loss, accuracy = training.evaluate(experiment.model, experiment.loss, experiment.X, experiment.y)
        test_loss, test_accuracy = training.evaluate(
            experiment.model, experiment.loss, experiment.X_test, experiment.y_test
        )
        health = unit_health(experiment.model, experiment.X)
    units = max(1, sum(len(layer.dead) for layer in health.layers))
    share: Callable[[str], float] = lambda what: sum(int(getattr(h, what).sum()) for h in health.layers) / units
    return {
        "loss": loss, "accuracy": math.nan if accuracy is None else accuracy, "test_loss": test_loss,
        "test_accuracy": math.nan if test_accuracy is None else test_accuracy, "dead": share("dead"),
        "saturated": share("saturated"),
    }  # fmt: skip
