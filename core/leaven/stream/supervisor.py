"""Supervisor: the thread that runs the delivery of one pool, and what consumers have to do with it.

Consumers talk to it through a few queues and one wake-up descriptor, never through its state. With workers in other
processes it runs in a thread of its own; otherwise a consumer drives it while it waits for a batch.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from leaven.errors import LeavenError, TimedOut, WorkerError
from leaven.protocols import Transport
from leaven.stream.crew import Crew
from leaven.stream.delivery import Task
from leaven.stream.dispatch import Dispatch
from leaven.stream.lane import Lane, Result
from leaven.stream.roster import Roster
from leaven.stream.sources import Stretch
from leaven.stream.watch import Watch

if TYPE_CHECKING:
    from leaven.stream.serving import Answerer

log = logging.getLogger("leaven.loader")

_STUCK = 3.0  # seconds that closing waits for user's code, the workers' grace included


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
        self._watch = watch
        self._roster = Roster(transport, crew, workers)
        self._dispatch = Dispatch(transport, self._roster, watch, self)
        self._lanes = [] if lanes is None else lanes
        self._next_lane = 0
        self._orders: deque[Callable[[], None]] = deque()
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._changed = threading.Condition()
        self._fatal: Exception | None = None
        self._waiting = 0
        self._closing = False
        self._hurry = False
        self._ended = threading.Event()
        self._handles = threading.RLock()  # of the wake-up descriptor, and of the turn to drive a pool without a thread
        self._in_source = False
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None

    # ---- the consumers' side

    def start(self) -> None:
        """Start the workers, and a thread to look after them where they work by themselves."""
        _running.add(self)
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
        if not self._closing:
            (self._order_and_wait if wait else self._order)(lambda: self._shut(lane))

    def begin(self, lane: Lane, stretches: Iterator[Stretch]) -> int:
        """Make batches of ``stretches`` from now on; nothing else is wanted any more. Return the first one's number."""

        def order() -> None:
            if lane not in self._lanes:  # it was closed meanwhile
                return
            with self._changed:
                for result in lane.results.values():
                    if result.slot >= 0:
                        self._dispatch.ledger.release(lane.number, result.slot)
                lane.results.clear()
                lane.choices.clear()
                lane.last_request, lane.taken = None, lane.next_request
            self._dispatch.ledger.begin(lane.number, self._numbered(lane, stretches))

        self._order_and_wait(order)
        return lane.taken

    def put(self, lane: Lane, stretch: Stretch) -> int:
        """Have one more request made of a lane for which :meth:`begin` is not called; return its number, from 0."""
        with self._changed:
            number, lane.next_request = lane.next_request, lane.next_request + 1
        self._order(lambda: self._dispatch.ledger.put(lane.number, Task(number, stretch)))
        return number

    def take(self, lane: Lane, number: int | None, timeout: float | None = None) -> Result | None:
        """Wait for request ``number``, or (``None``) for whichever comes first; return ``None`` where the epoch ends.

        Raises:
            Exception: what the request, a worker or the source of samples failed with.
            TimedOut: nothing came within ``timeout`` seconds.
        """
        self._refuse_forks()
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._thread is None and not self._has(lane, number):
            with self._handles:
                if not self._has(lane, number):
                    self._step(_left(deadline))
            if _left(deadline) == 0:
                break
        with self._changed:
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._has(lane, number), _left(deadline)):
                    raise TimedOut(f"nothing came within {timeout:g} s")
            finally:
                self._waiting -= 1
            result = lane.take(number)
        if result is None:
            if self._fatal is not None or lane.error is not None:
                raise self._fatal or lane.error or LeavenError("")
            if self._closing:
                raise LeavenError("the workers have been closed")
            return None
        if result.error is not None:
            raise result.error
        return result

    def ready(self, lane: Lane, number: int | None) -> bool:
        """Return whether :meth:`take` would not wait."""
        with self._changed:
            return self._has(lane, number)

    def release(self, lane: Lane, slot: int) -> None:
        """Give a slot back."""
        self._order(lambda: self._dispatch.ledger.release(lane.number, slot))

    def close(self, wait: bool = True) -> None:
        """Stop the workers and give back everything. Idempotent; interrupted, it ends the workers at once.

        Args:
            wait: until that is done. Not for finalizers: the garbage collector may run in any thread, this one's too.
        """
        with self._changed:
            first, self._closing = not self._closing, True
            self._changed.notify_all()
        self._wake()
        if self._thread is None:
            if first:
                self._finish()
        elif wait and self._thread is not threading.current_thread() and self._pid == os.getpid():
            try:
                self._wait_for_the_end()
            except KeyboardInterrupt:
                self._hurry = True
                self._wake()
                self._wait_for_the_end()
                raise

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
                self._roster.stop(self._wake_fd, self._fatal is not None, lambda: self._hurry)
            finally:
                self._finish()

    def _finish(self) -> None:
        """Give back what is left, once the workers have ended."""
        try:
            self._transport.close()
        finally:
            with self._handles:
                wake_fd, self._wake_fd = self._wake_fd, -1
            os.close(wake_fd)
            self._ended.set()

    def _wait_for_the_end(self) -> None:
        # an event, since a join() that Ctrl-C has interrupted may take the thread for ended (CPython 3.11)
        while not self._ended.wait(_STUCK):
            if self._in_source:  # user's code, which nobody can end
                log.warning("the samples' source does not return; its thread is left behind")
                if self._crew is not None:
                    self._crew.kill(self._crew.numbers())
                return
        assert self._thread is not None
        self._thread.join()

    def _step(self, timeout: float | None) -> None:
        self._obey()
        if self._crew is not None:
            self._crew.start_due()
        self._dispatch.give_out()
        if self._closing or (self._thread is None and self._dispatch.settled()):
            return
        deaths = self._crew.descriptors() if self._crew is not None else {}
        readable = self._transport.wait([self._wake_fd, *deaths], self._patience(timeout))
        if self._wake_fd in readable:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake_fd)
        self._dispatch.receive()  # also what those have said who have died meanwhile
        for fd in readable:
            if fd in deaths:
                self._dispatch.died(deaths[fd])
        self._dispatch.look_after(self._waiting > 0)

    def _patience(self, timeout: float | None) -> float | None:
        due = self._crew.next_due() if self._crew is not None else None
        limits = [limit for limit in (timeout, due, self._watch.interval) if limit is not None]
        return min(limits, default=None)

    def _has(self, lane: Lane, number: int | None) -> bool:
        return lane.ready(number) or self._closing or self._fatal is not None

    # ---- what comes of requests

    def deliver(self, lane: Lane, result: Result) -> None:
        """A request has come to its end."""
        with self._changed:
            lane.results[result.number] = result
            self._changed.notify_all()

    def refuse(self, lane: Lane, error: Exception) -> None:
        """Nothing more can come of a lane."""
        with self._changed:
            lane.error = error
            self._changed.notify_all()

    def _numbered(self, lane: Lane, stretches: Iterator[Stretch]) -> Iterator[Task]:
        try:
            while (stretch := self._asked(stretches)) is not None:
                lane.next_request += 1
                yield Task(lane.next_request - 1, stretch)
        except (Exception, SystemExit) as error:  # the source of samples is foreign code
            lane.next_request += 1
            self.deliver(lane, Result(lane.next_request - 1, None, error=error))
        with self._changed:
            lane.last_request = lane.next_request
            self._changed.notify_all()

    def _asked(self, stretches: Iterator[Stretch]) -> Stretch | None:
        self._in_source = True
        try:
            return next(stretches, None)
        finally:
            self._in_source = False

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._fatal = error
            self._changed.notify_all()

    # ---- orders

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._wake()

    def _order_and_wait(self, order: Callable[[], None]) -> None:
        self._refuse_forks()
        done = threading.Event()

        def noted() -> None:
            order()
            done.set()

        self._order(noted)
        if self._thread is None:
            with self._handles:
                self._obey()
        while not done.wait(0.1) and self._fatal is None and not self._closing:
            pass

    def _wake(self) -> None:
        with self._handles if self._thread is not None else contextlib.nullcontext():
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def _refuse_forks(self) -> None:
        if self._pid != os.getpid():
            raise WorkerError(
                "this process is a fork of the one that the workers belong to; make a loader where it is used"
            )

    def _opened(self, lane: Lane) -> None:
        self._lanes.append(lane)
        self._dispatch.open(lane)

    def _shut(self, lane: Lane) -> None:
        if lane in self._lanes:
            self._lanes.remove(lane)
            self._dispatch.shut(lane)
            self.refuse(lane, LeavenError("the loader has been closed"))

    def _obey(self) -> None:
        while self._orders:
            self._orders.popleft()()


_running: weakref.WeakSet[Supervisor] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Close what is still open when the program ends, while threads still run."""
    for supervisor in list(_running):
        supervisor.close()


def _left(deadline: float | None) -> float | None:
    """Return how many seconds are left until then."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())
