"""Hypothesis draws the same examples in every run, and few enough that the suite stays quick."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "engine", max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("engine")
