"""Workers, datasets and a transport that misbehave, for the loader's worker processes to import."""

from __future__ import annotations

import ctypes
import os
import random

from loader_parts import Echo, Numbers
from mutations import ORDERS, mutated

from leaven_plugins.transports.zeromq.transport import ZeroMQ


class Stuck(Echo):
    """Calls a C function that does not return, and keeps the interpreter's lock meanwhile."""

    def prepare(self, sample, row, buffers):
        ctypes.PyDLL(None).sleep(3600)


class Crashes(Echo):
    """Reads from address 0 at a sample, as a decoder with a fault would."""

    def prepare(self, sample, row, buffers):
        if sample["value"] == 37:
            ctypes.string_at(0)
        super().prepare(sample, row, buffers)


class Leaves(Echo):
    """Ends its process with status 0 at a sample."""

    def prepare(self, sample, row, buffers):
        if sample["value"] == 37:
            os._exit(0)
        super().prepare(sample, row, buffers)


class LeavesAtStart(Echo):
    """Ends its process with status 0 before it has done anything."""

    def setup(self):
        os._exit(0)


class Raises(Numbers):
    """A dataset that cannot read sample 777."""

    def sample(self, index):
        if index == 777:
            raise OSError(5, "input/output error", "shard-0007.msgpack")
        return super().sample(index)


class Noisy(ZeroMQ):
    """Sends ``count`` messages that are none to workers, between those of the loader, once ``noisy`` is set."""

    def __init__(self, count: int):
        super().__init__(queue=64)
        self.count = count
        self.noisy = self.quiet = False
        self._noise = mutated(ORDERS, count, random.Random(0))
        self._next = next(self._noise)

    def send(self, worker, message):
        for _ in range(40 if self.noisy and not self.quiet else 0):
            if not super().send(worker, self._next):
                break
            self._next = next(self._noise, b"")
            self.quiet = not self._next
            if self.quiet:
                break
        return super().send(worker, message)
