"""Substitutes: which samples are tried in the place of one that fails; the same on any worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leaven.stream.messages import Done
from leaven.stream.randomness import Streams
from leaven.stream.sources import Stretch, contents

SUBSTITUTES = 8
"""How many are tried for a row until one can be made."""


def substitute(streams: Streams, epoch: int, index: int, attempt: int, count: int) -> int:
    """Return which of ``count`` samples to try for the ``attempt``-th time (from 0) in place of sample ``index``."""
    draws = streams.at("replace", epoch, index).random(attempt + 1)
    return int(draws[-1] * count)


def wants_substitutes(message: Done) -> bool:
    """Return whether a worker that cannot read the dataset found nothing to put in the place of failing samples."""
    return any(fields.get("substitute") is None for _, fields in message.failures)


def choices(message: Done, stretch: Stretch, seed: int, count: int, read: Callable[[int], Any]) -> list[list[Any]]:
    """Return what may be taken in place of the samples that failed, as :class:`~leaven.stream.messages.Work` has it.

    Args:
        message: the answer that says which failed.
        stretch: of the samples.
        seed: of the loader.
        count: how many samples the dataset has.
        read: reads one.
    """
    streams = Streams(seed)
    found = []
    for row, _ in message.failures:
        epoch, index = stretch.epochs[row], stretch.indices[row]
        drawn = [substitute(streams, epoch, index, attempt, count) for attempt in range(SUBSTITUTES)]
        items, unread = contents(read, drawn)
        bad = {place for place, _ in unread}
        good = [[drawn[place], b"" if place in bad else item] for place, item in enumerate(items)]
        found.append([row, good])
    return found
