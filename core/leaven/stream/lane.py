"""Lane: what one loader has in a pool of workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.stream.sources import Stretch

if TYPE_CHECKING:
    from leaven.stream.messages import Done
    from leaven.stream.serving import Answerer


class Result(NamedTuple):
    """What became of a request: the batches and the slot that holds their arrays, or an error.

    ``slot`` is -1 where there is none to give back. ``failures`` are the rows that could not be made, as
    ``[row, error fields]``, ``counts`` how often what has happened.
    """

    number: int
    stretch: Stretch | None
    slot: int = -1
    in_slot: Sequence[str] = ()
    batches: Sequence[Mapping[str, Any]] = ()
    failures: Sequence[Sequence[Any]] = ()
    counts: Mapping[str, int] = MappingProxyType({})
    error: BaseException | None = None


@dataclass(eq=False)
class Lane:
    """The record that the two sides share: the consumer under the supervisor's lock, the supervisor alone otherwise.

    Args:
        slots: how many requests may be under way or held by the consumer at a time.
        depth: how many of them one worker may have at a time.
        spec: returns what a worker's process sets up from, for one of this host or (``True``) of another.
        answerer: makes what works for the lane within this process.
        descriptors: what a worker's process is to inherit.
        read: reads a sample for workers that cannot: of other hosts, or where samples travel; ``None`` where there are
            no positions to read at.
        substitutes: returns what may be taken in the place of the samples that an answer says have failed; ``None``
            where nothing is.
        poison_after: how many workers one sample may kill.
        tolerant: whether a sample that may not be tried again is left out; otherwise it is an error.
        key: returns a sample's key.
        misfit: returns what is wrong with an answer, or ``None``.
        observe: told of every answer: the worker's number, process, the request, and what it was on.
        keeps: whether a request's result stays until the consumer drops it: who was interrupted finds it again.
    """

    slots: int
    depth: int
    spec: Callable[[bool], Mapping[str, Any]]
    answerer: Callable[[], Answerer]
    descriptors: Sequence[int] = ()
    read: Callable[[int], Any] | None = None
    substitutes: Callable[[Done, Stretch], list[list[Any]]] | None = None
    poison_after: int = 3
    tolerant: bool = False
    key: Callable[[int], str] | None = None
    misfit: Callable[[Done, Stretch], str | None] | None = None
    observe: Callable[[int, int, int, Sequence[Sequence[int]]], None] | None = None
    keeps: bool = False

    number: int = -1
    error: Exception | None = None
    results: dict[int, Result] = field(default_factory=dict)
    next_request: int = 0
    last_request: int | None = None  # the number after the epoch's last, once known
    taken: int = 0  # numbers below it were begun in earlier epochs or handed out: requests taken of this epoch
    able: set[int] = field(default_factory=set)
    kills: Counter[int] = field(default_factory=Counter)
    choices: dict[int, list[list[Any]]] = field(default_factory=dict)  # substitutes, by request
    poison: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def ready(self, number: int | None) -> bool:
        """Return whether there is an answer to who waits for request ``number``, or (``None``) for any."""
        if self.error is not None:
            return True
        if number is not None:
            return number in self.results or (self.last_request is not None and number >= self.last_request)
        return bool(self.results) or (self.last_request is not None and self.taken >= self.last_request)

    def take(self, number: int | None) -> Result | None:
        """Return the result waited for, or ``None`` at the end."""
        if self.keeps and number is not None:
            return self.results.get(number)
        if number is None and self.results:
            number = next(iter(self.results))
        result = None if number is None else self.results.pop(number, None)
        self.taken += result is not None
        return result
