"""Ends: between which values something is drawn, found by drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

DRAWS = 2000
"""How many draws show where a range ends, but for about a thousandth of it."""


class Ends(NamedTuple):
    """The draws with the smallest and the largest value."""

    low: Any
    high: Any


def ends_of(values: Sequence[Any]) -> Ends | None:
    """Return both ends of drawn values, of those that are not ``None``; ``None`` where they are all the same.

    Numbers and decisions are ordered; lists of numbers are by their sum. Others have no ends.
    """
    present = [value for value in values if value is not None]
    measured = [measure for measure in map(_measure, present) if measure is not None]
    if not measured or len(measured) < len(present) or min(measured) == max(measured):
        return None
    return Ends(present[measured.index(min(measured))], present[measured.index(max(measured))])


def values_at(draws: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """Return the values that draws have for a key, as far as they have any."""
    return [draw[key] for draw in draws if draw.get(key) is not None]


def _measure(value: Any) -> float | None:
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(part, (int, float)) for part in value):
        return float(sum(value))
    return None
