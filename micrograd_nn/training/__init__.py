"""Training a model on arrays: the loop, and what goes with it."""

from micrograd_nn.training._callbacks import Callback, EarlyStopping, Run
from micrograd_nn.training._fit import LOSSES, OPTIMIZERS, SCHEDULES, evaluate, fit, named
from micrograd_nn.training._history import Epoch, History
from micrograd_nn.training._measures import METRICS, accuracy

__all__ = [
    "LOSSES", "METRICS", "OPTIMIZERS", "SCHEDULES", "Callback", "EarlyStopping", "Epoch", "History", "Run", "accuracy",
    "evaluate", "fit", "named",
]  # fmt: skip
