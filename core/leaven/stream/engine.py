"""Engine: what runs behind a loader, from start to close: memory, transport, workers, supervisor, leases."""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections import deque
from collections.abc import Iterator
from copy import copy
from typing import Any

from leaven.errors import LeavenError, WorkerError
from leaven.stream import wire
from leaven.stream.arena import Arena, Layout
from leaven.stream.delivery import Ledger
from leaven.stream.parts import Parts
from leaven.stream.processes import Child
from leaven.stream.serving import Server
from leaven.stream.sources import Stretch
from leaven.stream.supervisor import Result, Supervisor

log = logging.getLogger("leaven.loader")


class _Lease(weakref.ref[Any]):
    """Knows when the last view of a slot has died.

    Its callback is a deque's ``append``, which runs no Python code: a Ctrl-C that arrives within a Python finalizer
    would be printed and forgotten.
    """

    __slots__ = ("slot",)

    slot: int

    def __new__(cls, memory: Any, callback: Any, slot: int) -> _Lease:
        self = super().__new__(cls, memory, callback)
        self.slot = slot
        return self

    def __init__(self, memory: Any, callback: Any, slot: int) -> None:
        """Nothing is left to do; the constructor of references would not take the slot."""


class Engine:
    """Makes batches of stretches of samples.

    Args:
        parts: the loader's components.
        layout: where a mini-batch's arrays lie.
        slots: how many mini-batches there may be at a time, those that the consumer holds included.
        depth: how many of them one worker may have at a time.
        workers: how many workers there are.
        seed: of the loader.
        shared: whether arrays lie in shared memory or travel through the transport.
        max_restarts: how many workers may be replaced after they have died.
    """

    def __init__(
        self,
        parts: Parts,
        layout: Layout,
        slots: int,
        depth: int,
        workers: int,
        seed: int,
        shared: bool,
        max_restarts: int,
    ) -> None:
        self._next_number = 0
        self._parts = parts
        self._layout = layout
        self._slots = slots
        self._depth = depth
        self._workers = workers
        self._seed = seed
        self._shared = shared
        self._max_restarts = max_restarts
        self._leases: dict[int, _Lease] = {}
        self._ended: deque[_Lease] = deque()
        self._told = False
        self._arena: Arena | None = None
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Reserve the memory, open the transport, start the workers; they become ready while the caller goes on."""
        self._leases, self._ended = {}, deque()  # those of before belong to another arena
        in_process = self._parts.transport.in_process
        if not in_process and not hasattr(os, "pidfd_open"):
            raise WorkerError("worker processes need Linux 5.3 or newer; use transport='inline' here")
        self._arena = arena = Arena(self._slots, self._layout.size if self._shared else 0, self._workers)
        try:
            handlers = [self._server(number).handle for number in range(self._workers)] if in_process else None
            self._parts.transport.open(self._workers, handlers)
            start_worker = None if in_process else self._start_worker
            ledger = Ledger(self._slots, self._workers, self._depth)
            self._supervisor = Supervisor(
                self._parts.transport, ledger, start_worker, self._doing, self._workers, self._max_restarts
            )
            self._supervisor.start()
        except BaseException:
            arena.close()
            raise

    def begin(self, stretches: Iterator[Stretch]) -> None:
        """Make a batch of each of ``stretches`` from now on; nothing else is wanted any more."""
        assert self._supervisor is not None
        self._next_number = self._supervisor.begin(stretches)

    def take(self) -> list[dict[str, Any]] | None:
        """Wait for the next stretch's batches; ``None`` at the end."""
        if self._supervisor is None:
            raise LeavenError("the loader has been closed")
        self._take_back()
        result = self._supervisor.take(self._next_number)
        if result is None:
            return None
        self._next_number += 1
        return self._samples(result)

    def close(self) -> None:
        """Stop the workers and give back everything."""
        if self._supervisor is not None and self._arena is not None:
            self._supervisor.close()
            self._arena.close()
            self._supervisor = self._arena = None

    def _samples(self, result: Result) -> list[dict[str, Any]]:
        assert self._supervisor is not None
        if not result.in_slot:
            self._supervisor.release(result.slot)
            return [dict(batch) for batch in result.batches]
        arrays = self._lease(result)
        return [{**arrays, **batch} for batch in result.batches]

    def _lease(self, result: Result) -> dict[str, Any]:
        """Return the slot's arrays. The slot comes back when the last view of it dies; if too few are left, copies."""
        assert self._arena is not None
        assert self._supervisor is not None
        memory = self._arena.slot(result.slot)
        arrays = self._layout.arrays(memory, result.rows)
        shown = {key: arrays[key] for key in result.in_slot}
        if len(self._leases) < self._slots - self._workers:
            self._leases[result.slot] = _Lease(memory, self._ended.append, result.slot)
            return shown
        if not self._told:
            self._told = True
            log.info("%d batches are held: further ones are copied out of shared memory", len(self._leases))
        copies = {key: array.copy() for key, array in shown.items()}
        self._supervisor.release(result.slot)
        return copies

    def _take_back(self) -> None:
        assert self._supervisor is not None
        while self._ended:
            slot = self._ended.popleft().slot
            del self._leases[slot]
            self._supervisor.release(slot)

    def _doing(self, worker: int) -> str:
        assert self._arena is not None
        request, index = (int(word) for word in self._arena.lines[worker][:2])
        return f"while it worked on sample {index} (request {request - 1})" if request else "while it waited for work"

    def _server(self, number: int) -> Server:
        parts, arena = self._parts, self._arena
        assert arena is not None
        worker = parts.worker_recipe.build() if parts.worker_recipe else copy(parts.worker)
        dataset = parts.dataset if parts.readable else None
        if dataset is not None and parts.dataset_recipe is not None:
            dataset = parts.dataset_recipe.build()  # threads share no open file
        shared = arena if self._shared else None
        server = Server(worker, parts.collators, dataset, self._layout, shared, self._seed, arena.lines[number])
        server.setup()
        return server

    def _start_worker(self, number: int) -> Child:
        parts, arena = self._parts, self._arena
        assert arena is not None
        assert parts.worker_recipe is not None
        assert parts.transport_recipe is not None
        arena.lines[number] = 0  # it may have been another worker's, which has died
        start = {
            "path": [folder or os.getcwd() for folder in sys.path],
            "number": number,
            "workers": self._workers,
            "transport": parts.transport_recipe.to_plain(),
            "address": dict(parts.transport.address(number)),
            "worker": parts.worker_recipe.to_plain(),
            "collators": [recipe.to_plain() for recipe in parts.collator_recipes],
            "dataset": parts.dataset_recipe.to_plain() if parts.dataset_recipe else None,
            "rows": self._layout.rows,
            "slots": self._slots,
            "shared": self._shared,
            "seed": self._seed,
            "arena": arena.fd,
        }
        return Child(wire.pack(start), [arena.fd])
