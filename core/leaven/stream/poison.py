"""Poison: samples that kill the workers that work on them. They are told apart by what each worker was on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven.errors import PoisonError
from leaven.stream.failures import described
from leaven.stream.lane import Lane
from leaven.stream.sources import Stretch


def accuse(lane: Lane, index: int, status: str, words: str) -> PoisonError | None:
    """Note that a worker died while it was on a sample; return the error once it has killed too many.

    Args:
        lane: whose sample it is.
        index: of the sample.
        status: how the worker ended.
        words: the end of what it wrote, with its stack where it could write one.
    """
    lane.kills[index] += 1
    if lane.kills[index] < lane.poison_after:
        return None
    error = PoisonError(lane.kills[index], status, words, index=index, key=lane.key(index) if lane.key else "")
    lane.poison[index] = described(error)
    return error


def acquit(lane: Lane, stretch: Stretch) -> None:
    """What was made after all is no poison."""
    for index in stretch.indices if lane.kills else ():
        if index not in lane.poison:
            lane.kills.pop(index, None)


def rejections(lane: Lane, stretch: Stretch) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the rows that are not to be tried, with the error as fields; row -1: not to be put into any row either."""
    if not lane.poison:
        return []
    others = [(-1, fields) for fields in lane.poison.values()] if lane.substitutes is not None else []
    return [*((row, lane.poison[index]) for row, index in enumerate(stretch.indices) if index in lane.poison), *others]
