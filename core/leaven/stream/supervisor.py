"""Supervisor: gives out requests, takes in answers, watches the workers. It alone changes the ledger.

Consumers talk to it through a few queues and one wake-up descriptor, never through its state. With workers in other
processes it runs in a thread of its own; otherwise a consumer drives it while it waits for a batch.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from leaven.errors import LeavenError, ProtocolError, TimedOut, TransportError, WorkerError
from leaven.protocols import Transport
from leaven.stream.crew import Crew
from leaven.stream.delivery import Job, Ledger, Task
from leaven.stream.failures import rebuilt_all
from leaven.stream.lane import Lane, Result
from leaven.stream.messages import STOP, Died, Done, Failed, Hello, Message, Open, Ready, Shut, Work, decode, encode
from leaven.stream.poison import accuse, acquit, rejections
from leaven.stream.sources import Stretch, contents
from leaven.stream.substitutes import wants_substitutes
from leaven.stream.watch import Watch

if TYPE_CHECKING:
    from leaven.stream.serving import Answerer

log = logging.getLogger("leaven.loader")

_LAST_MESSAGE = 0.05  # seconds in which what a worker said just before it ended may still arrive
_GRACE = 1.0  # seconds that a worker has to finish what it is on when the pool closes


class Supervisor:
    """Runs the delivery of one pool.

    Args:
        transport: an open transport.
        crew: the worker processes; ``None`` where workers run in this process.
        workers: how many workers there are, those who join from elsewhere not among them.
        watch: knows which worker makes no progress.
        lanes: is kept to hold the lanes that there are, for who starts workers.
    """

    def __init__(
        self, transport: Transport, crew: Crew | None, workers: int, watch: Watch, lanes: list[Lane] | None = None
    ) -> None:
        self._transport = transport
        self._crew = crew
        self._workers = workers
        self._watch = watch
        self._ledger = Ledger()
        self._lanes: dict[int, Lane] = {}
        self._shown = [] if lanes is None else lanes
        self._next_lane = 0
        self._peers: set[int] = set()
        self._unsent: dict[int, deque[bytes]] = {}
        self._orders: deque[Callable[[], None]] = deque()
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._changed = threading.Condition()
        self._fatal: Exception | None = None
        self._closing = False
        self._hurry = False
        self._thread: threading.Thread | None = None

    # ---- the consumers' side

    def start(self) -> None:
        """Start the workers, and a thread to look after them where they work by themselves."""
        if self._transport.concurrent:
            self._thread = threading.Thread(target=self._run, name="leaven-supervisor", daemon=True)
            self._thread.start()

    def add(self, lane: Lane, openers: Sequence[Callable[[int, Answerer], None]]) -> None:
        """Work for a lane from now on; ``openers`` let the workers of this process set up for it."""
        with self._changed:
            lane.number, self._next_lane = self._next_lane, self._next_lane + 1
        for worker, opener in enumerate(openers):
            opener(lane.number, lane.answerer())
            lane.able.add(worker)
        if self._thread is None:  # nothing runs yet, or nobody but consumers
            self._opened(lane)
        else:
            self._order(lambda: self._opened(lane))

    def remove(self, lane: Lane, wait: bool = True) -> None:
        """Work for a lane no more; ``wait`` until that is so."""
        if self._wake_fd >= 0:
            (self._order_and_wait if wait else self._order)(lambda: self._shut(lane))

    def begin(self, lane: Lane, stretches: Iterator[Stretch]) -> int:
        """Make batches of ``stretches`` from now on; nothing else is wanted any more. Return the first one's number."""

        def order() -> None:
            with self._changed:
                for result in lane.results.values():
                    self._ledger.release(lane.number, result.slot)
                lane.results.clear()
                lane.choices.clear()
                lane.last_request, lane.taken = None, lane.next_request
            self._ledger.begin(lane.number, self._numbered(lane, stretches))

        self._order_and_wait(order)
        return lane.taken

    def put(self, lane: Lane, stretch: Stretch) -> int:
        """Have one more request made of a lane for which :meth:`begin` is not called; return its number, from 0."""
        with self._changed:
            number, lane.next_request = lane.next_request, lane.next_request + 1
        self._order(lambda: self._ledger.put(lane.number, Task(number, stretch)))
        return number

    def take(self, lane: Lane, number: int | None, timeout: float | None = None) -> Result | None:
        """Wait for request ``number``, or (``None``) for whichever comes first; return ``None`` where the epoch ends.

        Raises:
            Exception: what the request, a worker or the source of samples failed with.
            TimedOut: nothing came within ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._thread is None and not self._has(lane, number):
            self._step(_left(deadline))
            if _left(deadline) == 0:
                break
        with self._changed:
            if not self._changed.wait_for(lambda: self._has(lane, number), _left(deadline)):
                raise TimedOut(f"nothing came within {timeout:g} s")
            result = lane.take(number)
        if result is None:
            if self._fatal is not None or lane.error is not None:
                raise self._fatal or lane.error or LeavenError("")
            if self._closing:
                raise LeavenError("the loader has been closed")
            return None
        if result.error is not None:
            raise result.error
        return result

    def release(self, lane: Lane, slot: int) -> None:
        """Give a slot back."""
        self._order(lambda: self._ledger.release(lane.number, slot))

    def close(self) -> None:
        """Stop the workers and give back everything. Idempotent; interrupted, it ends the workers at once."""
        if self._wake_fd < 0:
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._wake()
        try:
            self._joined()
        except KeyboardInterrupt:
            self._hurry = True
            self._wake()
            self._joined()
            raise
        finally:
            wake_fd, self._wake_fd = self._wake_fd, -1
            os.close(wake_fd)

    # ---- the supervisor's side

    def _run(self) -> None:
        # the terminal's Ctrl-C reaches the whole process group; it is for the consumer alone
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if self._crew is not None:
                self._crew.start()
            while not self._closing and self._fatal is None:
                self._step(None)
        except Exception as error:
            self._fail(error)
        except BaseException as error:
            self._fail(WorkerError(f"the loader's thread was ended by {type(error).__name__}: {error}"))
        finally:
            try:
                self._stop_workers()
            finally:
                self._transport.close()

    def _joined(self) -> None:
        if self._thread is not None:
            self._thread.join()
        else:
            self._transport.close()

    def _step(self, timeout: float | None) -> None:
        self._obey()
        if self._crew is not None:
            self._crew.start_due()
        self._give_out()
        if self._closing or (self._thread is None and self._settled()):
            return
        deaths = self._crew.descriptors() if self._crew is not None else {}
        readable = self._transport.wait([self._wake_fd, *deaths], self._patience(timeout))
        if self._wake_fd in readable:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake_fd)
        self._receive()
        for fd in readable:
            if fd in deaths and self._fatal is None:
                self._died(deaths[fd])
        self._look_after()

    def _patience(self, timeout: float | None) -> float | None:
        due = self._crew.next_due() if self._crew is not None else None
        limits = [limit for limit in (timeout, due, self._watch.interval) if limit is not None]
        return min(limits, default=None)

    def _settled(self) -> bool:
        return all(lane.last_request is not None and self._ledger.idle(number) for number, lane in self._lanes.items())

    def _has(self, lane: Lane, number: int | None) -> bool:
        return lane.ready(number) or self._closing or self._fatal is not None

    # ---- requests

    def _give_out(self) -> None:
        for worker in list(self._unsent):
            self._flush(worker)
        able = {number: lane.able - set(self._unsent) for number, lane in self._lanes.items() if lane.error is None}
        while any(able.values()):
            job = self._ledger.give(able)
            if job is None:
                return
            if self._sent(job):
                self._watch.given(job)
                continue
            self._ledger.undo(job)
            for workers in able.values():
                workers.discard(job.worker)

    def _sent(self, job: Job) -> bool:
        try:
            return self._transport.send(job.worker, encode(self._work(job)))
        except TransportError as error:
            if job.worker not in self._peers or not self._workers:
                raise
            log.warning("%s; workers of other hosts do not work on this any more", error)
            self._lanes[job.lane].able -= self._peers  # which leaves it to those of this host
            return False

    def _work(self, job: Job) -> Work:
        lane, stretch = self._lanes[job.lane], job.task.stretch
        items, rejected = stretch.items, [*stretch.rejected, *rejections(lane, stretch)]
        if items is None and job.worker in self._peers and lane.read is not None:
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

    def _numbered(self, lane: Lane, stretches: Iterator[Stretch]) -> Iterator[Task]:
        try:
            for stretch in stretches:
                lane.next_request += 1
                yield Task(lane.next_request - 1, stretch)
        except (Exception, SystemExit) as error:  # the source of samples is foreign code
            lane.next_request += 1
            self._put(lane, Result(lane.next_request - 1, None, error=error))
        with self._changed:
            lane.last_request = lane.next_request
            self._changed.notify_all()

    # ---- answers

    def _receive(self) -> None:
        for worker, data in self._transport.receive():
            try:
                message = decode(data)
            except ProtocolError as error:
                log.warning("a message of worker %d was dropped: %s", worker, error)
                self._blame(worker)
                continue
            self._answered(worker, message)

    def _answered(self, worker: int, message: Message) -> None:
        if isinstance(message, Hello):
            self._joins(worker)
            return
        lane = self._lanes.get(getattr(message, "lane", -1))
        if isinstance(message, Died):
            self._peer_died(worker, message)
        elif lane is None:
            log.debug("worker %d spoke of a lane that is not there any more", worker)
        elif isinstance(message, Ready):
            lane.able.add(worker)
            if self._crew is not None:
                self._crew.became_ready(worker)
        elif isinstance(message, Failed) and message.number < 0:
            self._unable(lane, worker, message)
        elif isinstance(message, Done | Failed):
            self._settle(lane, worker, message)
        else:
            log.warning("worker %d sent what only the loader says; it was dropped", worker)

    def _settle(self, lane: Lane, worker: int, message: Done | Failed) -> None:
        if worker in self._peers and isinstance(message, Done) and message.in_slot:
            log.warning("worker %d of another host says that it wrote into this one's memory; it was dropped", worker)
            self._blame(worker)
            return
        job = self._ledger.settle(worker, lane.number, message.number, message.attempt, message.slot)
        if job is None:
            return
        acquit(lane, job.task.stretch)
        if self._crew is not None:
            self._crew.restarts.finished()
        if isinstance(message, Failed):
            self._ledger.release(lane.number, message.slot)
            error = rebuilt_all(worker, message.errors)
            self._put(lane, Result(message.number, job.task.stretch, error=error))
            return
        if self._lacks_substitutes(lane, job, message):
            lane.choices[message.number] = lane.substitutes(message, job.task.stretch) if lane.substitutes else []
            self._ledger.redo(job)
            return
        lane.choices.pop(message.number, None)
        if lane.observe is not None:
            lane.observe(worker, self._watch.pid(worker), message.number, message.trace)
        result = Result(
            message.number, job.task.stretch, message.slot, message.in_slot, message.batches, message.failures
        )
        self._put(lane, result)

    def _lacks_substitutes(self, lane: Lane, job: Job, message: Done) -> bool:
        """Return whether samples failed with a worker that cannot read others, which it has not been given yet."""
        reads = job.task.stretch.items is None and job.worker not in self._peers
        if reads or lane.substitutes is None or message.number in lane.choices:
            return False
        return wants_substitutes(message)

    def _unable(self, lane: Lane, worker: int, message: Failed) -> None:
        """A worker cannot set up for a lane: none can, but for those of other hosts."""
        error = rebuilt_all(worker, message.errors, " could not start")
        if worker in self._peers:
            log.warning("%s; it does not take part", error)
            return
        with self._changed:
            lane.error = error
            self._changed.notify_all()

    def _put(self, lane: Lane, result: Result) -> None:
        with self._changed:
            lane.results[result.number] = result
            self._changed.notify_all()

    # ---- workers

    def _opened(self, lane: Lane) -> None:
        self._lanes[lane.number] = lane
        self._shown.append(lane)
        self._ledger.open(lane.number, lane.slots, lane.depth)
        for worker in self._crew.numbers() if self._crew is not None else ():
            self._say(worker, Open(lane.number, lane.spec(False)))
        for worker in self._peers:
            self._say(worker, Open(lane.number, lane.spec(True)))

    def _shut(self, lane: Lane) -> None:
        if self._lanes.pop(lane.number, None) is None:
            return
        self._shown.remove(lane)
        self._ledger.shut(lane.number)
        own = range(self._workers) if self._crew is None else self._crew.numbers()
        for worker in [*own, *self._peers]:
            self._say(worker, Shut(lane.number))

    def _say(self, worker: int, message: Message) -> None:
        """Send what must not be lost, as soon as the worker takes it and before anything else."""
        self._unsent.setdefault(worker, deque()).append(encode(message))
        self._flush(worker)

    def _flush(self, worker: int) -> None:
        waiting = self._unsent[worker]
        while waiting and self._transport.send(worker, waiting[0]):
            waiting.popleft()
        if not waiting:
            del self._unsent[worker]

    def _joins(self, worker: int) -> None:
        if worker < self._workers:
            log.warning("worker %d sent what only workers of other hosts say; it was dropped", worker)
            return
        self._forget(worker)
        self._peers.add(worker)
        for lane in self._lanes.values():
            self._say(worker, Open(lane.number, lane.spec(True)))

    def _peer_died(self, worker: int, message: Died) -> None:
        if worker in self._peers:
            log.warning("a worker of another host (%d) %s", worker, message.status)
            self._lost(worker, (message.lane, message.number, message.index), message.status, message.words)

    def _died(self, worker: int) -> None:
        """A worker process has ended: have its requests made by others, and another one started."""
        assert self._crew is not None
        self._transport.wait([], _LAST_MESSAGE)
        self._receive()
        death = self._crew.bury(worker)
        doing = death.doing
        request = -1 if doing.request is None else doing.request
        index = -1 if doing.index is None else doing.index
        if self._lost(worker, (doing.lane, request, index), death.status, death.words):
            self._crew.restarts.finished()
        if not self._crew.replace(worker, death.starting):
            raise WorkerError(death.text + (f"; it last said:\n{death.words}" if death.words else ""))
        self._transport.renew(worker)
        log.warning("%s; it is replaced", death.text)

    def _lost(self, worker: int, suspect: tuple[int, int, int], status: str, words: str) -> bool:
        """A worker is lost, and perhaps the sample to blame; return whether that is now known as poison."""
        number, request, index = suspect
        lane = self._lanes.get(number)
        jobs = [job for job in self._ledger.jobs(worker) if (job.lane, job.task.number) == (number, request)]
        self._forget(worker)
        if lane is None or not any(index in job.task.stretch.indices for job in jobs):
            return False
        error = accuse(lane, index, status, words)
        if error is not None and not lane.tolerant and self._ledger.withdraw(number, request):
            self._put(lane, Result(request, jobs[0].task.stretch, error=error))
        return error is not None

    def _look_after(self) -> None:
        for worker in getattr(self._transport, "gone", list)():
            log.warning("a worker of another host (%d) has gone", worker)
            self._forget(worker)
            self._peers.discard(worker)
        for worker, seconds in self._watch.hanging(self._ledger):
            if worker in self._peers:
                self._forget(worker)
            elif self._crew is None:
                raise WorkerError(self._watch.stuck(worker, seconds))
            elif self._crew.here(worker):
                self._crew.end_hanging(worker, seconds)

    def _blame(self, worker: int) -> None:
        """A worker of another host sent what makes no sense; the transport drops who does so again and again."""
        if worker >= self._workers and hasattr(self._transport, "blame"):
            self._transport.blame(worker)

    def _forget(self, worker: int) -> None:
        """Nothing more comes from a worker: its requests are made by others."""
        self._ledger.lost(worker)
        self._unsent.pop(worker, None)
        for lane in self._lanes.values():
            lane.able.discard(worker)

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._fatal = error
            self._changed.notify_all()

    def _stop_workers(self) -> None:
        for worker in self._peers:
            with contextlib.suppress(LeavenError):
                self._transport.send(worker, STOP)
        if self._crew is None:
            return
        for worker in self._crew.numbers():
            with contextlib.suppress(LeavenError):
                self._transport.send(worker, STOP)
        if self._fatal is not None or self._hurry:
            self._crew.kill()
        self._crew.wait(self._wake_fd, _GRACE, lambda: self._hurry)
        self._crew.close()

    # ---- orders

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._wake()

    def _order_and_wait(self, order: Callable[[], None]) -> None:
        done = threading.Event()

        def noted() -> None:
            order()
            done.set()

        self._order(noted)
        if self._thread is None:
            self._obey()
        while not done.wait(0.1) and self._fatal is None and not self._closing:
            pass

    def _wake(self) -> None:
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    def _obey(self) -> None:
        while self._orders:
            self._orders.popleft()()


def _left(deadline: float | None) -> float | None:
    """Return how many seconds are left until then."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
