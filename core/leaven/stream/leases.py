"""Leases: what a consumer holds of shared memory, and when it has done with it."""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any

from leaven.stream.lane import Lane
from leaven.stream.supervisor import Supervisor


class Lease(weakref.ref[Any]):
    """Knows when the last view of ``memory`` has died: then ``callback`` is called with the lease.

    The callback should be a method of a builtin, such as a deque's ``append``, which runs no Python code: a Ctrl-C
    that arrives within a Python finalizer would be printed and forgotten.

    Attributes:
        about: what the lease is about.
    """

    __slots__ = ("about",)

    about: Any

    def __new__(cls, memory: Any, callback: Any, about: Any) -> Lease:  # noqa: D102
        self = super().__new__(cls, memory, callback)
        self.about = about
        return self

    def __init__(self, memory: Any, callback: Any, about: Any) -> None:
        # The constructor of references would not take what it is about.
        pass


class Leases:
    """The slots of one lane that the consumer holds."""

    def __init__(self, lane: Lane, supervisor: Supervisor) -> None:
        self._lane = lane
        self._supervisor = supervisor
        self._leases: dict[int, Lease] = {}
        self._ended: deque[Lease] = deque()

    @property
    def held(self) -> int:
        """How many slots are held."""
        return len(self._leases)

    def lend(self, memory: Any, slot: int) -> None:
        """A slot is held until ``memory``, an array that everything that shows the slot refers to, has died."""
        self._leases[slot] = Lease(memory, self._ended.append, slot)

    def release(self, slot: int) -> None:
        """Give a slot back."""
        if slot >= 0:
            self._supervisor.release(self._lane, slot)

    def take_back(self) -> None:
        """Give back what is not held any more."""
        while self._ended:
            slot = self._ended.popleft().about
            del self._leases[slot]
            self.release(slot)
