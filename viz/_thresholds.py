"""How pictures speak of a health report: on how many examples, and what dead, saturated and dormant mean there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viz._marks import Piece, cross, patterned, square
from viz._summary import percent
from viz._xml import DOTS, HATCH

if TYPE_CHECKING:
    from micrograd_nn.health import HealthReport

__all__ = ["dead_key", "dead_words", "on", "saturated_key", "saturated_words", "saturates"]


def on(examples: int) -> str:
    """`on these 400 examples`.

    >>> on(1), on(2000)
    ('on this one example', 'on these 2,000 examples')
    """
    return "on this one example" if examples == 1 else f"on these {examples:,} examples"


def saturates(flat: float) -> str:
    """When an activation is saturated.

    >>> saturates(0.06)
    'f′(z) / max f′ < 0.06'
    """
    return f"f′(z) / max f′ < {flat:g}"


def dead_words(report: HealthReport) -> str:
    """What dead means there."""
    return f"dead {on(report.examples)}: activation never above 0"


def saturated_words(report: HealthReport) -> str:
    """What saturated means of a unit there."""
    where = on(report.examples)
    if report.examples > 1:
        where = where.replace("on these", f"on ≥ {percent(report.often)} of these")
    return f"saturated: {saturates(report.flat)} {where}"


def dead_key(report: HealthReport) -> Piece:
    """What the mark of dead units means."""
    return patterned(HATCH, dead_words(report), cross(9.5, 0, 8))


def saturated_key(report: HealthReport) -> Piece:
    """What the mark of saturated units means."""
    return patterned(DOTS, saturated_words(report), square(9.5, 0, 7))
