"""A small, exact, readable engine for teaching neural networks: numbers and arrays in one acyclic graph."""

from micrograd_nn import data, functional, graph, nn, optim
from micrograd_nn.graph import (
    AnomalyError,
    CycleError,
    detect_anomaly,
    enable_grad,
    formulas,
    gradients,
    local_derivatives,
    no_grad,
    topological_order,
)  # fmt: skip
from micrograd_nn.health import HealthMonitor, HealthReport, unit_health
from micrograd_nn.op import Op
from micrograd_nn.sweeping import SweepResult, sweep
from micrograd_nn.tensor import Tensor
from micrograd_nn.training import History, fit
from micrograd_nn.transforms import grad, hessian, jacobian, value_and_grad
from micrograd_nn.value import Value

__version__ = "0.1.0"
__all__ = [
    "AnomalyError", "CycleError", "HealthMonitor", "HealthReport", "History", "Op", "SweepResult", "Tensor", "Value",
    "data", "detect_anomaly", "enable_grad", "fit", "formulas", "functional", "grad", "gradients", "graph", "hessian",
    "jacobian", "local_derivatives", "nn", "no_grad", "optim", "sweep", "topological_order", "unit_health",
    "value_and_grad",
]  # fmt: skip
