"""Ranges: from where to where a parameter is drawn, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from leaven.errors import ParameterError

Range = Sequence[float]
"""Two numbers; which of them is the larger does not matter."""


def check_range(name: str, value: Range | None) -> None:
    """Check a range; there may be none.

    Raises:
        ParameterError: it is not two finite numbers.
    """
    try:
        good = value is None or (len(value) == 2 and all(isfinite(number) for number in value))
    except TypeError:
        good = False
    if not good:
        raise ParameterError(f"{name} is {value!r}; it has to be two numbers, from and to")


def check_probability(name: str, value: float) -> None:
    """Check a probability.

    Raises:
        ParameterError: it is not within 0 and 1.
    """
    if not 0 <= value <= 1:
        raise ParameterError(f"{name} is {value!r}; it has to be within 0 and 1")


def within(limits: Range, chance: float) -> float:
    """Return where in its range a parameter lies, for a ``chance`` uniform in [0, 1)."""
    return limits[0] + (limits[1] - limits[0]) * chance
