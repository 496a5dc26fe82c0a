"""Gradients held against differences: which entry is wrong, by how much, why, and which op made it so."""

from micrograd_nn.checking._entry import check_backward, gradcheck
from micrograd_nn.checking._numerical import Numerical, numerical_gradient, numerical_jacobian
from micrograd_nn.checking._report import GradcheckError, GradcheckReport, Row

__all__ = [
    "GradcheckError", "GradcheckReport", "Numerical", "Row", "check_backward", "gradcheck",
    "numerical_gradient", "numerical_jacobian",
]  # fmt: skip
