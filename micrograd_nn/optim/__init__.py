"""Optimisers and learning-rate schedules: what turns gradients into a step of the parameters.

Names, defaults and arguments are PyTorch's, and so is every step, to rounding.
"""

from micrograd_nn.optim import lr_scheduler
from micrograd_nn.optim._adaptive import Adagrad, Adam, AdamW, RMSprop
from micrograd_nn.optim._optimizer import Optimizer, decay_groups
from micrograd_nn.optim._sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "decay_groups", "lr_scheduler"]
