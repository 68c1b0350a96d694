"""Bounds: where stretches of a dataset begin and end, and checks of numbers."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isfinite
from typing import Any, NamedTuple

from leaven.errors import ParameterError


def share(count: int, percent: float, up: bool = False) -> int:
    """Return how many of ``count`` are so many percent, rounded down, or up.

    It is computed with the decimal number that was written: 29 % of 100 is 29, which in binary is a little less.
    """
    part = count * Fraction(str(percent)) / 100
    return ceil(part) if up else floor(part)


def check_percent(component: str, **values: Any) -> None:
    """Raise a ``ParameterError`` for a value that is no number from 0 to 100."""
    for name, value in values.items():
        if not is_number(value) or not 0 <= value <= 100:
            raise ParameterError(f"{component}: {name}={value!r}: expected percent, 0 to 100")


def check_whole(component: str, least: int = 0, **values: Any) -> None:
    """Raise a ``ParameterError`` for a value that is no whole number of at least ``least``."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ParameterError(f"{component}: {name}={value!r}: expected a whole number, at least {least}")


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return not isinstance(value, bool) and isinstance(value, (int, float)) and isfinite(value)


class Stretch(NamedTuple):
    """A stretch between two bounds, each a position, or in percent of the length, or not given."""

    start: int | None = None
    stop: int | None = None
    start_percent: float | None = None
    stop_percent: float | None = None

    def check(self, component: str) -> None:
        """Raise a ``ParameterError`` for a bound that is given twice, or is not what it has to be."""
        for name in ("start", "stop"):
            position, percent = getattr(self, name), getattr(self, f"{name}_percent")
            if position is not None and percent is not None:
                raise ParameterError(f"{component}: {name} and {name}_percent: one of them, not both")
            if position is not None and (isinstance(position, bool) or not isinstance(position, int)):
                raise ParameterError(f"{component}: {name}={position!r}: expected a whole number")
            if percent is not None:
                check_percent(component, **{f"{name}_percent": percent})

    def of(self, count: int) -> range:
        """Return the positions that it covers of ``count``."""
        start = self.start if self.start_percent is None else share(count, self.start_percent)
        stop = self.stop if self.stop_percent is None else share(count, self.stop_percent)
        return range(*slice(start, stop).indices(count))
