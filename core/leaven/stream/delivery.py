"""The ledger: which batch is where. Plain bookkeeping, without threads, sockets or clocks.

A request is given to one worker together with a free slot. An answer counts only if it matches what is on the books:
same request, worker, attempt and slot. So a worker's death, a late answer or a repeated one can neither lose a batch
nor deliver it twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple


class Task(NamedTuple):
    """One request to come: its number over the loader's life, and the :class:`~leaven.stream.sources.Stretch` it is."""

    number: int
    position: int
    epochs: list[int]
    indices: list[int]
    items: list[bytes] | None


@dataclass(frozen=True)
class Job:
    """A task that was given out."""

    task: Task
    worker: int
    slot: int
    attempt: int = 0


class Ledger:
    """Which request is with which worker, which slot is free.

    Args:
        slots: how many requests may be anywhere between being given out and being released.
        workers: how many workers there are.
        depth: how many requests one worker may have at a time, the one it works on included.
    """

    def __init__(self, slots: int, workers: int, depth: int) -> None:
        self._free = deque(range(slots))
        self._loads = [0] * workers
        self._depth = depth
        self._flight: dict[int, Job] = {}
        self._again: deque[tuple[Task, int]] = deque()
        self._tasks: Iterator[Task] = iter(())
        self._unwanted: set[int] = set()

    @property
    def idle(self) -> bool:
        """Whether no request is with a worker."""
        return not self._flight

    def begin(self, tasks: Iterator[Task]) -> None:
        """Take requests from ``tasks`` from now on; what is in flight is not wanted any more."""
        self._unwanted.update(self._flight)
        self._again.clear()
        self._tasks = tasks

    def give(self, able: set[int]) -> Job | None:
        """Book the next request on the least loaded of the ``able`` workers; ``None`` while none can be given out."""
        worker = min(able, key=lambda number: (self._loads[number], number), default=None)
        if worker is None or self._loads[worker] >= self._depth or not self._free:
            return None
        task, attempt = self._next()
        if task is None:
            return None
        job = Job(task, worker, self._free.popleft(), attempt)
        self._flight[task.number] = job
        self._loads[worker] += 1
        return job

    def undo(self, job: Job) -> None:
        """Take a job back that could not be sent."""
        self._settle(job)
        self._free.appendleft(job.slot)
        self._again.appendleft((job.task, job.attempt))

    def settle(self, worker: int, number: int, attempt: int, slot: int) -> Job | None:
        """Book an answer; return its job, whose slot is now the caller's, or ``None`` where it does not count."""
        job = self._flight.get(number)
        if job is None or (job.worker, job.attempt, job.slot) != (worker, attempt, slot):
            return None
        self._settle(job)
        if number in self._unwanted:
            self._unwanted.discard(number)
            self._free.append(slot)
            return None
        return job

    def lost(self, worker: int) -> None:
        """Take everything back from a worker that has died: its requests go first in the queue, its slots are free."""
        jobs = sorted((job for job in self._flight.values() if job.worker == worker), key=lambda job: job.task.number)
        for job in reversed(jobs):
            self._settle(job)
            self._free.append(job.slot)
            if job.task.number in self._unwanted:
                self._unwanted.discard(job.task.number)
            else:
                self._again.appendleft((job.task, job.attempt + 1))

    def release(self, slot: int) -> None:
        """Take a slot back that the consumer has done with."""
        self._free.append(slot)

    def _settle(self, job: Job) -> None:
        del self._flight[job.task.number]
        self._loads[job.worker] -= 1

    def _next(self) -> tuple[Any, int]:
        if self._again:
            return self._again.popleft()
        return next(self._tasks, None), 0
