"""A small, exact, readable engine for teaching neural networks: numbers and arrays in one acyclic graph."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from micrograd_nn import functional, graph, nn, optim
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
from micrograd_nn.op import Op
from micrograd_nn.tensor import Tensor
from micrograd_nn.transforms import grad, hessian, jacobian, value_and_grad
from micrograd_nn.value import Value

if TYPE_CHECKING:
    from micrograd_nn import checking, checkpoint, data, health, sweeping, training
    from micrograd_nn.checking import (
        GradcheckError,
        GradcheckReport,
        check_backward,
        gradcheck,
        numerical_gradient,
        numerical_jacobian,
    )  # fmt: skip
    from micrograd_nn.health import HealthMonitor, HealthReport, unit_health
    from micrograd_nn.sweeping import SweepResult, sweep
    from micrograd_nn.training import Callback, EarlyStopping, History, fit

__version__ = "0.1.0"
__all__ = [
    "AnomalyError", "Callback", "CycleError", "EarlyStopping", "GradcheckError", "GradcheckReport", "HealthMonitor",
    "HealthReport", "History", "Op", "SweepResult", "Tensor", "Value", "check_backward", "checking", "checkpoint",
    "data", "detect_anomaly", "enable_grad", "fit", "formulas", "functional", "grad", "gradcheck", "gradients",
    "graph", "health", "hessian", "jacobian", "local_derivatives", "nn", "no_grad", "numerical_gradient",
    "numerical_jacobian", "optim", "sweep", "sweeping", "topological_order", "training", "unit_health",
    "value_and_grad",
]  # fmt: skip

# Imported when first asked for, so that the engine alone is there sooner: where each name is, or "" for a module.
_LATER = dict.fromkeys(("checking", "checkpoint", "data", "health", "sweeping", "training"), "") | {
    name: module
    for module, names in {
        "checking": "GradcheckError GradcheckReport check_backward gradcheck numerical_gradient numerical_jacobian",
        "health": "HealthMonitor HealthReport unit_health",
        "sweeping": "SweepResult sweep",
        "training": "Callback EarlyStopping History fit",
    }.items()
    for name in names.split()
}

if not TYPE_CHECKING:  # to a type checker, it would mean that any name is there

    def __getattr__(name):
        if name not in _LATER:
            me = sys.modules[__name__]
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=me)
        module = import_module(f"{__name__}.{_LATER[name] or name}")
        globals()[name] = found = getattr(module, name) if _LATER[name] else module
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
