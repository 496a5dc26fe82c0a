"""Which units of a network are dead, dormant or saturated on given data, and whether gradients reach its layers."""

from micrograd_nn.health._measure import unit_health
from micrograd_nn.health._monitor import HealthMonitor
from micrograd_nn.health._report import GradientFlow, HealthReport, LayerHealth

__all__ = ["GradientFlow", "HealthMonitor", "HealthReport", "LayerHealth", "unit_health"]
