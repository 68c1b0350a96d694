"""Leases: what a consumer holds of shared memory, and when it has done with it."""

from __future__ import annotations

from collections import deque
from typing import Any

from leaven.stream.lane import Lane
from leaven.stream.lending import Lease
from leaven.stream.supervisor import Supervisor


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
