"""Feeding: batches that the engine has made go through the feed, some of them before they are asked for.

A feed that has ``ahead(sample)`` begins there what takes time, such as a copy to a device, and returns the function
that completes it. Of the iteration that comes next, what is ready is begun while the consumer is busy with the one
before; what is not ready is not waited for. Errors wait until it is their turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from leaven.protocols import Feed
from leaven.stream.engine import Engine
from leaven.stream.lane import Result
from leaven.stream.sources import Stretch

Taken = tuple[Result, list[Callable[[], Any]]]
"""What became of a request, and for each of its batches the function that hands it out."""


class Feeding:
    """Takes batches from an engine, on behalf of one consumer."""

    def __init__(self, engine: Engine, feed: Feed) -> None:
        self._engine = engine
        self._begun: Callable[[Any], Callable[[], Any]] | None = getattr(feed, "ahead", None)
        self._feed = feed
        self._early: deque[Taken | Exception] = deque()

    def begin(self, stretches: Iterator[Stretch]) -> None:
        """Make batches of ``stretches`` from now on; nothing else is wanted any more."""
        self._early.clear()
        self._engine.begin(stretches)

    def take(self, arrival: bool) -> Taken | None:
        """Return what comes next, as :meth:`Engine.take` does."""
        if not self._early:
            return self._taken(arrival)
        early = self._early.popleft()
        if isinstance(early, Exception):
            raise early
        return early

    def look_ahead(self, most: int, arrival: bool) -> None:
        """Begin up to ``most`` batches that are ready."""
        while self._begun is not None and len(self._early) < most and self._engine.ready(arrival):
            try:
                taken = self._taken(arrival)
            except Exception as error:
                self._early.append(error)
                return
            if taken is None:
                return
            self._early.append(taken)

    def close(self) -> None:
        """Let go of what was begun and not handed out."""
        self._early.clear()

    def _taken(self, arrival: bool) -> Taken | None:
        taken = self._engine.take(arrival)
        if taken is None:
            return None
        result, samples = taken
        return result, [self._begun(sample) if self._begun else partial(self._feed, sample) for sample in samples]
