"""Engine: what runs behind one loader, from start to close: its memory, its lane in the pool of workers, leases."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

from leaven.errors import LeavenError
from leaven.stream.arena import Arena, Layout
from leaven.stream.lane import Lane, Result
from leaven.stream.leases import Leases
from leaven.stream.messages import Done
from leaven.stream.parts import Parts
from leaven.stream.pool import WorkerPool
from leaven.stream.serving import Policy, Server
from leaven.stream.shared import handle
from leaven.stream.sources import Stretch, reader
from leaven.stream.substitutes import choices
from leaven.stream.supervisor import Supervisor
from leaven.stream.tracing import Trace
from leaven.stream.versions import versions
from leaven.stream.vetting import misfit

log = logging.getLogger("leaven.loader")


@dataclass(frozen=True)
class Settings:
    """How a loader's batches are made and held.

    Args:
        slots: how many mini-batches there may be at a time, those that the consumer holds included.
        depth: how many of them one worker may have at a time.
        seed: of the loader.
        shared: whether arrays lie in shared memory or travel through the transport.
        policy: how batches are made.
        poison_after: how many workers one sample may kill.
        trace: takes in what the workers were on, and when.
    """

    slots: int
    depth: int
    seed: int
    shared: bool
    policy: Policy
    poison_after: int
    trace: Trace | None


class Engine:
    """Makes batches of stretches of samples.

    Args:
        parts: the loader's components.
        pool: the workers.
        own: whether nobody else uses the pool.
        layout: where a mini-batch's arrays lie.
        settings: how batches are made and held.
    """

    def __init__(self, parts: Parts, pool: WorkerPool, own: bool, layout: Layout, settings: Settings) -> None:
        self._parts = parts
        self._pool = pool
        self._own = own
        self._layout = layout
        self._settings = settings
        self._next_number = 0
        self._told = False
        self._arena: Arena | None = None
        self._lane: Lane | None = None
        self._leases: Leases | None = None
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Reserve the memory, start the workers; they become ready while the caller goes on."""
        settings = self._settings
        arena = self._arena = Arena(settings.slots, self._layout.size if settings.shared else 0)
        dataset, trace = self._parts.dataset, settings.trace
        read = reader(dataset) if self._parts.order is not None else None
        lane = Lane(
            settings.slots,
            settings.depth,
            self._spec,
            self._server,
            descriptors=[arena.fd],
            read=read,
            substitutes=self._substitutes(read),
            misfit=partial(misfit, layout=self._layout, shared=settings.shared),
            poison_after=settings.poison_after,
            tolerant=settings.policy.tolerance != "raise",
            key=_key_of(dataset),
            observe=None if trace is None else _observer(trace, weakref.ref(self)),
        )
        try:
            if self._own:
                self._pool.start()
            self._supervisor = self._pool.add(lane)
        except BaseException:
            arena.close()
            if self._own:
                self._pool.close()
            raise
        self._lane = lane
        self._leases = Leases(lane, self._supervisor)

    def begin(self, stretches: Iterator[Stretch]) -> int:
        """Make a batch of each of ``stretches`` from now on; nothing else is wanted any more.

        Returns:
            the number of the first request.
        """
        if self._supervisor is None or self._lane is None:
            raise LeavenError("the loader has been closed")
        self._next_number = self._supervisor.begin(self._lane, stretches)
        return self._next_number

    def take(self, arrival: bool = False) -> tuple[Result, list[dict[str, Any]]] | None:
        """Wait for the next stretch's batches, or for whichever are made first; ``None`` at the end."""
        if self._supervisor is None or self._lane is None or self._leases is None:
            raise LeavenError("the loader has been closed")
        self._leases.take_back()
        result = self._supervisor.take(self._lane, None if arrival else self._next_number)
        if result is None:
            return None
        self._next_number += 1
        return result, self._samples(result, self._leases)

    def ready(self, arrival: bool = False) -> bool:
        """Return whether :meth:`take` would not wait."""
        if self._supervisor is None or self._lane is None:
            return False
        return self._supervisor.ready(self._lane, None if arrival else self._next_number)

    def close(self, wait: bool = True) -> None:
        """Give back everything; workers that nobody else uses are stopped. ``wait`` until that is so."""
        if self._supervisor is None or self._arena is None or self._lane is None:
            return
        supervisor, self._supervisor = self._supervisor, None
        try:
            if self._own:
                self._pool.close(wait)
            else:
                supervisor.remove(self._lane, wait)
        finally:
            self._arena.close()

    def _samples(self, result: Result, leases: Leases) -> list[dict[str, Any]]:
        assert result.stretch is not None
        if not self._settings.shared or not result.in_slot:
            leases.release(result.slot)
            return [dict(batch) for batch in result.batches]
        assert self._arena is not None
        memory = self._arena.slot(result.slot)
        arrays = self._layout.arrays(memory, result.stretch.rows)
        shown = {key: arrays[key] for key in result.in_slot}
        if leases.held < self._settings.slots - self._pool.nworkers:
            leases.lend(memory, result.slot)
        else:
            self._tell(leases.held)
            shown = {key: array.copy() for key, array in shown.items()}
            leases.release(result.slot)
        return [{**shown, **batch} for batch in result.batches]

    def _substitutes(self, read: Callable[[int], Any] | None) -> Callable[[Done, Stretch], list[list[Any]]] | None:
        if read is None or self._settings.policy.tolerance != "replace":
            return None
        return partial(choices, seed=self._settings.seed, count=len(self._parts.dataset), read=read)

    def _tell(self, held: int) -> None:
        if not self._told:
            self._told = True
            log.info("%d batches are held: further ones are copied out of shared memory", held)

    def _server(self) -> Server:
        """Return what works for the loader in this process."""
        parts, arena, settings = self._parts, self._arena, self._settings
        worker = parts.worker_recipe.build() if parts.worker_recipe else copy(parts.worker)
        dataset = parts.dataset if parts.readable else None
        if dataset is not None and parts.dataset_recipe is not None:
            dataset = parts.dataset_recipe.build()  # threads share no open file
        shared = arena if settings.shared else None
        return Server(worker, parts.collators, dataset, self._layout, shared, settings.seed, settings.policy)

    def _spec(self, elsewhere: bool) -> dict[str, Any]:
        """Return what a worker in another process, or on another host, sets up from."""
        parts, arena, settings = self._parts, self._arena, self._settings
        assert arena is not None
        assert parts.worker_recipe is not None
        dataset = parts.dataset_recipe
        return {
            "role": "loader",
            "worker": parts.worker_recipe.to_plain(),
            "collators": [recipe.to_plain() for recipe in parts.collator_recipes],
            "dataset": dataset.to_plain() if dataset is not None and not elsewhere else None,
            "rows": self._layout.rows,
            "slots": settings.slots,
            "shared": settings.shared and not elsewhere,
            "seed": settings.seed,
            "tolerance": settings.policy.tolerance,
            "mask": settings.policy.mask,
            "trace": settings.policy.trace,
            "arena": None if elsewhere else handle(arena.fd),
            "versions": versions() if elsewhere else {},
        }


def _observer(trace: Trace, engine: weakref.ref[Engine]) -> Callable[[int, int, int, Any], None]:
    def observe(worker: int, pid: int, request: int, changes: Any) -> None:
        owner = engine()
        lane = owner._lane if owner is not None else None
        trace.worker(worker, pid, lane.number if lane is not None else 0, request, changes)

    return observe


def _key_of(dataset: Any) -> Callable[[int], str] | None:
    if not hasattr(dataset, "key"):
        return None

    def key(index: int) -> str:
        try:
            return str(dataset.key(index))
        except Exception:  # it is asked for in an error about the sample, which is the one to tell
            return ""

    return key
