"""A small, exact, readable engine for teaching neural networks: numbers and arrays in one acyclic graph."""

from micrograd_nn import functional, graph
from micrograd_nn.graph import (
    AnomalyError, CycleError, detect_anomaly, formulas, gradients, local_derivatives, no_grad, topological_order,
)  # fmt: skip
from micrograd_nn.op import Op
from micrograd_nn.tensor import Tensor
from micrograd_nn.transforms import grad, hessian, jacobian, value_and_grad
from micrograd_nn.value import Value

__version__ = "0.1.0"
__all__ = [
    "AnomalyError", "CycleError", "Op", "Tensor", "Value", "detect_anomaly", "formulas", "functional", "grad",
    "gradients", "graph", "hessian", "jacobian", "local_derivatives", "no_grad", "topological_order", "value_and_grad",
]  # fmt: skip
