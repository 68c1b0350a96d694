"""The ledger: which batch is where. Plain bookkeeping, without threads, sockets or clocks.

A request is given to one worker together with a free slot of its lane. An answer counts only if it matches what is on
the books: same lane, request, worker, attempt and slot. So a worker's death, a late answer or a repeated one can
neither lose a batch nor deliver it twice.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from leaven.stream.sources import Stretch


class Task(NamedTuple):
    """One request to come: its number over the lane's life, and the samples it is for."""

    number: int
    stretch: Stretch


@dataclass(frozen=True)
class Job:
    """A task that was given out."""

    lane: int
    task: Task
    worker: int
    slot: int
    attempt: int = 0


@dataclass
class _Lane:
    """One loader's share of the books."""

    depth: int
    free: deque[int]
    tasks: Iterator[Task] = field(default_factory=lambda: iter(()))
    again: deque[tuple[Task, int]] = field(default_factory=deque)
    flight: dict[int, Job] = field(default_factory=dict)
    unwanted: set[int] = field(default_factory=set)


class Ledger:
    """Which request is with which worker, which slot is free."""

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._loads: dict[int, int] = {}
        self._turn = 0

    def open(self, lane: int, slots: int, depth: int) -> None:
        """Keep books for a lane.

        Args:
            lane: its number.
            slots: how many requests may be anywhere between being given out and being released.
            depth: how many requests one worker may have at a time, the one it works on included.
        """
        self._lanes[lane] = _Lane(depth, deque(range(slots)))

    def shut(self, lane: int) -> None:
        """Keep no books for it any more."""
        for job in self._lanes.pop(lane).flight.values():
            self._loads[job.worker] -= 1

    def idle(self, lane: int) -> bool:
        """Return whether none of the lane's requests is with a worker."""
        return not self._lanes[lane].flight

    def jobs(self, worker: int) -> list[Job]:
        """Return what a worker has, in the order of the requests."""
        jobs = [job for lane in self._lanes.values() for job in lane.flight.values() if job.worker == worker]
        return sorted(jobs, key=lambda job: (job.lane, job.task.number))

    def flight(self) -> dict[tuple[int, int], int]:
        """Return which worker has which request: ``(lane, number) -> worker``."""
        books = self._lanes.items()
        return {(lane, number): job.worker for lane, book in books for number, job in book.flight.items()}

    def begin(self, lane: int, tasks: Iterator[Task]) -> None:
        """Take a lane's requests from ``tasks`` from now on; what is in flight is not wanted any more."""
        book = self._lanes[lane]
        book.unwanted.update(book.flight)
        book.again.clear()
        book.tasks = tasks

    def put(self, lane: int, task: Task) -> None:
        """Take one more request, to be given out after those that were put before."""
        if lane in self._lanes:
            self._lanes[lane].again.append((task, 0))

    def give(self, able: Mapping[int, set[int]]) -> Job | None:
        """Book the next request on the least loaded worker; ``None`` while none can be given out.

        Args:
            able: for each lane, the workers that can take a request of it. Lanes take turns.
        """
        lanes = sorted(self._lanes)
        for turn in range(len(lanes)):
            lane = lanes[(self._turn + turn) % len(lanes)]
            job = self._give(lane, able.get(lane, set()))
            if job is not None:
                self._turn += turn + 1
                return job
        return None

    def undo(self, job: Job) -> None:
        """Take a job back that could not be sent."""
        self._settle(job)
        book = self._lanes[job.lane]
        book.free.appendleft(job.slot)
        book.again.appendleft((job.task, job.attempt))

    def settle(self, worker: int, lane: int, number: int, attempt: int, slot: int) -> Job | None:
        """Book an answer; return its job, whose slot is now the caller's, or ``None`` where it does not count."""
        book = self._lanes.get(lane)
        job = book.flight.get(number) if book else None
        if book is None or job is None or (job.worker, job.attempt, job.slot) != (worker, attempt, slot):
            return None
        self._settle(job)
        if number in book.unwanted:
            book.unwanted.discard(number)
            book.free.append(slot)
            return None
        return job

    def redo(self, job: Job) -> None:
        """Have a request made once more that was settled; its slot is free."""
        book = self._lanes[job.lane]
        book.free.append(job.slot)
        book.again.appendleft((job.task, job.attempt + 1))

    def lost(self, worker: int) -> None:
        """Take everything back from a worker that has died: its requests go first in the queue, its slots are free."""
        for job in reversed(self.jobs(worker)):
            book = self._lanes[job.lane]
            self._settle(job)
            book.free.append(job.slot)
            if job.task.number in book.unwanted:
                book.unwanted.discard(job.task.number)
            else:
                book.again.appendleft((job.task, job.attempt + 1))

    def withdraw(self, lane: int, number: int) -> bool:
        """Take a request that is to be made again off the books; return whether there was one."""
        again = self._lanes[lane].again
        found = [entry for entry in again if entry[0].number == number]
        for entry in found:
            again.remove(entry)
        return bool(found)

    def release(self, lane: int, slot: int) -> None:
        """Take a slot back that the consumer has done with."""
        if lane in self._lanes:
            self._lanes[lane].free.append(slot)

    def _give(self, lane: int, able: set[int]) -> Job | None:
        book, loads = self._lanes[lane], self._loads
        mine = Counter(job.worker for job in book.flight.values())
        free = [number for number in able if mine[number] < book.depth]
        worker = min(free, key=lambda number: (loads.get(number, 0), number), default=None)
        if worker is None or not book.free:
            return None
        task, attempt = book.again.popleft() if book.again else (next(book.tasks, None), 0)
        if task is None:
            return None
        job = Job(lane, task, worker, book.free.popleft(), attempt)
        book.flight[task.number] = job
        loads[worker] = loads.get(worker, 0) + 1
        return job

    def _settle(self, job: Job) -> None:
        del self._lanes[job.lane].flight[job.task.number]
        self._loads[job.worker] -= 1
