"""Dispatch: requests out, answers in, and what becomes of both when a worker is lost. It alone changes the ledger."""

from __future__ import annotations

import logging
from typing import Protocol

from leaven.errors import ProtocolError, TransportError, WorkerError, printable
from leaven.protocols import Transport
from leaven.stream.delivery import Job, Ledger
from leaven.stream.failures import rebuilt_all
from leaven.stream.lane import Lane, Result
from leaven.stream.messages import Died, Done, Failed, Hello, Message, Ready, Work, decode, encode
from leaven.stream.poison import accuse, acquit, rejections
from leaven.stream.roster import Roster
from leaven.stream.sources import contents
from leaven.stream.substitutes import wants_substitutes
from leaven.stream.watch import Watch

log = logging.getLogger("leaven.loader")


class Consumers(Protocol):
    """Who waits for results."""

    def deliver(self, lane: Lane, result: Result) -> None:
        """A request has come to its end."""

    def refuse(self, lane: Lane, error: Exception) -> None:
        """Nothing more can come of a lane."""


class Dispatch:
    """Has the requests of all lanes made.

    Args:
        transport: an open transport.
        roster: the workers.
        watch: knows which worker makes no progress.
        consumers: who waits for results.
    """

    def __init__(self, transport: Transport, roster: Roster, watch: Watch, consumers: Consumers) -> None:
        self._transport = transport
        self._roster = roster
        self._watch = watch
        self._consumers = consumers
        self.ledger = Ledger()
        self.lanes: dict[int, Lane] = {}

    def open(self, lane: Lane) -> None:
        """Work for a lane from now on."""
        self.lanes[lane.number] = lane
        self.ledger.open(lane.number, lane.slots, lane.depth)
        self._roster.open(lane)

    def shut(self, lane: Lane) -> None:
        """Work for a lane no more."""
        if self.lanes.pop(lane.number, None) is not None:
            self.ledger.shut(lane.number)
            self._roster.shut(lane)

    def settled(self) -> bool:
        """Return whether every lane has come to the end of its requests."""
        return all(lane.last_request is not None and self.ledger.idle(number) for number, lane in self.lanes.items())

    def give_out(self) -> None:
        """Give requests to workers, as many as they can take."""
        self._roster.flush()
        listening = self._roster.busy_listening
        able = {number: lane.able - listening for number, lane in self.lanes.items() if lane.error is None}
        while any(able.values()):
            job = self.ledger.give(able)
            if job is None:
                return
            if self._sent(job):
                self._watch.given(job)
                continue
            self.ledger.undo(job)
            for workers in able.values():
                workers.discard(job.worker)

    def receive(self) -> None:
        """Take in all answers that have arrived; what is none is logged and dropped."""
        for worker, data in self._transport.receive():
            try:
                message = decode(data)
            except ProtocolError as error:
                self._roster.reject(worker, str(error))
                continue
            self._answered(worker, message)

    def died(self, worker: int) -> None:
        """A worker process has ended: have its requests made by others, and another one started.

        Raises:
            WorkerError: too many have died.
        """
        crew = self._roster.crew
        assert crew is not None
        death = crew.bury(worker)
        doing = death.doing
        request = -1 if doing.request is None else doing.request
        index = -1 if doing.index is None else doing.index
        if self._lost(worker, (doing.lane, request, index), death.status, death.words):
            crew.restarts.finished()
        if not crew.replace(worker, death.starting):
            raise WorkerError(death.text + (f"; it last said:\n{death.words}" if death.words else ""))
        log.warning("%s; it is replaced", death.text)

    def look_after(self, awaited: bool) -> None:
        """Look for guests that have gone, and for workers that hang; ``awaited``: somebody waits for a batch.

        Raises:
            WorkerError: a thread hangs, which cannot be ended; or no worker has come for too long.
        """
        works = self._roster.workers > 0 or any(lane.able for lane in self.lanes.values())
        alone = self._watch.alone(awaited and not works)
        if alone:
            raise WorkerError(f"no worker of another host has joined for {alone:.0f} s")
        for worker in getattr(self._transport, "gone", list)():
            log.warning("a worker of another host (%d) has gone", worker)
            self._forget(worker)
            self._roster.guests.discard(worker)
        for worker, seconds in self._watch.hanging(self.ledger):
            if worker in self._roster.guests:
                self._forget(worker)
            elif self._roster.crew is None:
                raise WorkerError(self._watch.stuck(worker, seconds))
            elif self._roster.crew.here(worker):
                self._roster.crew.end_hanging(worker, seconds)

    # ---- requests

    def _sent(self, job: Job) -> bool:
        try:
            return self._transport.send(job.worker, encode(self._work(job)))
        except TransportError as error:
            if job.worker not in self._roster.guests or not self._roster.workers:
                raise
            log.warning("%s; workers of other hosts do not work on this any more", error)
            self.lanes[job.lane].able -= self._roster.guests  # which leaves it to those of this host
            return False

    def _work(self, job: Job) -> Work:
        lane, stretch = self.lanes[job.lane], job.task.stretch
        items, rejected = stretch.items, [*stretch.rejected, *rejections(lane, stretch)]
        if items is None and job.worker in self._roster.guests and lane.read is not None:
            items, unread = contents(lane.read, stretch.indices)
            rejected += unread
        return Work(
            job.lane,
            job.task.number,
            job.attempt,
            job.slot,
            stretch.position,
            stretch.rows,
            stretch.epochs,
            stretch.indices,
            items,
            rejected,
            None if lane.substitutes is None else lane.choices.get(job.task.number, []),
        )

    # ---- answers

    def _answered(self, worker: int, message: Message) -> None:
        lane = self.lanes.get(getattr(message, "lane", -1))
        if isinstance(message, Hello):
            self._joins(worker)
        elif worker >= self._roster.workers and worker not in self._roster.guests:
            self._roster.reject(worker, "it has not said who it is")
        elif isinstance(message, Died):
            self._guest_died(worker, message)
        elif lane is None:
            log.debug("worker %d spoke of a lane that is not there any more", worker)
        elif isinstance(message, Ready):
            lane.able.add(worker)
            if self._roster.crew is not None:
                self._roster.crew.became_ready(worker)
        elif isinstance(message, Failed) and message.number < 0:
            self._unable(lane, worker, message)
        elif isinstance(message, Done | Failed):
            self._settle(lane, worker, message)
        else:
            self._roster.reject(worker, "only the loader says that")

    def _settle(self, lane: Lane, worker: int, message: Done | Failed) -> None:
        job = self.ledger.settle(worker, lane.number, message.number, message.attempt, message.slot)
        if job is None:
            return
        wrong = self._misfit(lane, job, message)
        if wrong and worker in self._roster.guests:
            self._roster.reject(worker, wrong)
            self.ledger.redo(job)
            return
        acquit(lane, job.task.stretch)
        if self._roster.crew is not None:
            self._roster.crew.restarts.finished()
        if wrong or isinstance(message, Failed):
            self.ledger.release(lane.number, message.slot)
            errors = message.errors if isinstance(message, Failed) else []
            error = ProtocolError(f"worker {worker} answered with {wrong}") if wrong else rebuilt_all(worker, errors)
            self._consumers.deliver(lane, Result(message.number, job.task.stretch, error=error))
        elif self._lacks_substitutes(lane, job, message):
            lane.choices[message.number] = lane.substitutes(message, job.task.stretch) if lane.substitutes else []
            self.ledger.redo(job)
        else:
            self._done(lane, job, message)

    def _misfit(self, lane: Lane, job: Job, message: Done | Failed) -> str | None:
        if lane.misfit is None or isinstance(message, Failed):
            return None
        if message.in_slot and job.worker in self._roster.guests:
            return "arrays in a slot, which it cannot see"
        return lane.misfit(message, job.task.stretch)

    def _done(self, lane: Lane, job: Job, message: Done) -> None:
        lane.choices.pop(message.number, None)
        if lane.observe is not None:
            lane.observe(job.worker, self._watch.pid(job.worker), message.number, message.trace)
        answer = (message.slot, message.in_slot, message.batches, message.failures, message.counts)
        self._consumers.deliver(lane, Result(message.number, job.task.stretch, *answer))

    def _lacks_substitutes(self, lane: Lane, job: Job, message: Done) -> bool:
        """Return whether samples failed with a worker that cannot read others, which it has not been given yet."""
        reads = job.task.stretch.items is None and job.worker not in self._roster.guests
        if reads or lane.substitutes is None or message.number in lane.choices:
            return False
        return wants_substitutes(message)

    def _unable(self, lane: Lane, worker: int, message: Failed) -> None:
        """A worker cannot set up for a lane: none can, but for those of other hosts."""
        error = rebuilt_all(worker, message.errors, " could not start")
        if worker in self._roster.guests:
            log.warning("%s; it does not take part", error)
        else:
            self._consumers.refuse(lane, error)

    # ---- workers

    def _joins(self, worker: int) -> None:
        if worker < self._roster.workers:
            self._roster.reject(worker, "only workers of other hosts say that")
            return
        self._forget(worker)
        self._roster.welcome(worker, self.lanes.values())

    def _guest_died(self, worker: int, message: Died) -> None:
        if worker in self._roster.guests:
            status, words = printable(message.status, 200), "\n".join(map(printable, message.words.splitlines()[-50:]))
            log.warning("a worker of another host (%d) %s", worker, status)
            self._lost(worker, (message.lane, message.number, message.index), status, words)

    def _lost(self, worker: int, suspect: tuple[int, int, int], status: str, words: str) -> bool:
        """A worker is lost, and perhaps the sample to blame; return whether that is now known as poison."""
        number, request, index = suspect
        lane = self.lanes.get(number)
        jobs = [job for job in self.ledger.jobs(worker) if (job.lane, job.task.number) == (number, request)]
        self._forget(worker)
        known = any(index in job.task.stretch.indices for job in jobs)
        if lane is None or not (known or (jobs and index >= 0 and lane.substitutes is not None)):
            return False
        error = accuse(lane, index, status, words)
        if error is not None and not lane.tolerant and self.ledger.withdraw(number, request):
            self._consumers.deliver(lane, Result(request, jobs[0].task.stretch, error=error))
        return error is not None

    def _forget(self, worker: int) -> None:
        """Nothing more comes from a worker: its requests are made by others."""
        self.ledger.lost(worker)
        self._roster.forget(worker)
        for lane in self.lanes.values():
            lane.able.discard(worker)
