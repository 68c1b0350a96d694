"""Supervisor: gives out requests, takes in answers, watches the workers. It alone changes the ledger.

The consumer talks to it through a few queues and one wake-up descriptor, never through its state. With workers in
other processes it runs in a thread of its own; otherwise the consumer drives it while it waits for a batch.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from leaven.errors import LeavenError, ProtocolError, WorkerError
from leaven.protocols import Transport
from leaven.stream.delivery import Ledger, Task
from leaven.stream.failures import rebuilt
from leaven.stream.messages import STOP, Done, Failed, Ready, Work, decode, encode
from leaven.stream.processes import Child, wait_all
from leaven.stream.sources import Stretch

log = logging.getLogger("leaven.loader")

_LAST_MESSAGE = 0.05  # seconds in which what a worker said just before it ended may still arrive
_GRACE = 1.0  # seconds that a worker has to finish what it is on when the loader closes


class Result(NamedTuple):
    """What became of a request: the batches and the slot that holds their arrays, or an error."""

    number: int
    rows: int
    slot: int
    in_slot: list[str]
    batches: list[Mapping[str, Any]]
    error: BaseException | None = None


class Supervisor:
    """Runs the delivery of one loader.

    Args:
        transport: an open transport.
        ledger: the books.
        start_worker: starts the process of worker ``i``; ``None`` where workers run in this process.
        doing: says what worker ``i`` is on, for the error when it dies.
        workers: how many workers there are.
        max_restarts: how many workers may be replaced, in all, after they have died.
    """

    def __init__(
        self,
        transport: Transport,
        ledger: Ledger,
        start_worker: Callable[[int], Child] | None,
        doing: Callable[[int], str],
        workers: int,
        max_restarts: int,
    ) -> None:
        self._transport = transport
        self._ledger = ledger
        self._start_worker = start_worker
        self._doing = doing
        self._workers = workers
        self._restarts_left = max_restarts
        self._children: dict[int, Child] = {}
        self._able: set[int] = set() if start_worker else set(range(workers))
        self._orders: deque[Callable[[], None]] = deque()
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._changed = threading.Condition()
        self._results: dict[int, Result] = {}
        self._next_number = 0
        self._last: int | None = None  # number of the request after the epoch's last, once known
        self._fatal: Exception | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    # ---- the consumer's side

    def start(self) -> None:
        """Start the workers, and a thread to look after them where they work by themselves."""
        if self._transport.concurrent:
            self._thread = threading.Thread(target=self._run, name="leaven-supervisor", daemon=True)
            self._thread.start()

    def begin(self, stretches: Iterator[Stretch]) -> int:
        """Make batches of ``stretches`` from now on; nothing else is wanted any more. Return the first one's number."""
        done = threading.Event()
        first = 0

        def order() -> None:
            nonlocal first
            with self._changed:
                for result in self._results.values():
                    if result.slot >= 0:
                        self._ledger.release(result.slot)
                self._results.clear()
                self._last = None
            first = self._next_number
            self._ledger.begin(self._numbered(stretches))
            done.set()

        self._order(order)
        if self._thread is None:
            self._obey()
        while not done.wait(0.1) and self._fatal is None:
            pass
        return first

    def take(self, number: int) -> Result | None:
        """Wait for request ``number``; return ``None`` where the epoch ends before it.

        Raises:
            Exception: what the request, a worker or the source of samples failed with.
        """
        if self._thread is None:
            while not self._has(number):
                self._step(None)
        with self._changed:
            self._changed.wait_for(lambda: self._has(number))
            result = self._results.pop(number, None)
        if result is None:
            if self._fatal is not None:
                raise self._fatal
            if self._closing:
                raise LeavenError("the loader has been closed")
            return None
        if result.error is not None:
            raise result.error
        return result

    def release(self, slot: int) -> None:
        """Give a slot back."""
        self._order(lambda: self._ledger.release(slot))

    def close(self) -> None:
        """Stop the workers and give back everything. Idempotent."""
        if self._wake_fd < 0:
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._wake()
        if self._thread is not None:
            self._thread.join()
        else:
            self._transport.close()
        wake_fd, self._wake_fd = self._wake_fd, -1
        os.close(wake_fd)

    # ---- the supervisor's side

    def _run(self) -> None:
        # the terminal's Ctrl-C reaches the whole process group; it is for the consumer alone
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if self._start_worker is not None:
                for number in range(self._workers):
                    self._children[number] = self._start_worker(number)
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

    def _step(self, timeout: float | None) -> None:
        self._obey()
        self._give_out()
        if self._closing or (self._thread is None and self._settled()):
            return
        fds = {child.fd: number for number, child in self._children.items()}
        readable = self._transport.wait([self._wake_fd, *fds], timeout)
        if self._wake_fd in readable:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake_fd)
        for worker, message in self._transport.receive():
            self._answered(worker, message)
        for fd in readable:
            if fd in fds and self._fatal is None:
                self._died(fds[fd])

    def _settled(self) -> bool:
        return self._last is not None and self._ledger.idle

    def _has(self, number: int) -> bool:
        over = self._last is not None and number >= self._last
        return number in self._results or over or self._closing or self._fatal is not None

    def _give_out(self) -> None:
        able = set(self._able)
        while able:
            try:
                job = self._ledger.give(able)
            except (Exception, SystemExit) as error:  # the source of samples is foreign code
                self._next_number += 1
                self._put(Result(self._next_number - 1, 0, -1, [], [], error), last=self._next_number)
                return
            if job is None:
                return
            task = job.task
            message = encode(
                Work(task.number, job.attempt, job.slot, task.position, task.epochs, task.indices, task.items)
            )
            if not self._transport.send(job.worker, message):
                self._ledger.undo(job)
                able.discard(job.worker)

    def _numbered(self, stretches: Iterator[Stretch]) -> Iterator[Task]:
        for stretch in stretches:
            self._next_number += 1
            yield Task(self._next_number - 1, *stretch)
        with self._changed:
            self._last = self._next_number
            self._changed.notify_all()

    def _answered(self, worker: int, data: bytes) -> None:
        message = decode(data)
        if isinstance(message, Ready):
            self._able.add(worker)
        elif isinstance(message, Failed) and message.number < 0:
            raise rebuilt(worker, message.error, " could not start")
        elif isinstance(message, Done | Failed):
            job = self._ledger.settle(worker, message.number, message.attempt, message.slot)
            if job is None:
                return
            rows = len(job.task.indices)
            if isinstance(message, Failed):
                self._ledger.release(message.slot)
                self._put(Result(message.number, rows, -1, [], [], rebuilt(worker, message.error)))
            else:
                self._put(Result(message.number, rows, message.slot, list(message.in_slot), list(message.batches)))
        else:
            raise ProtocolError(f"worker {worker} sent what only the loader says")

    def _put(self, result: Result, last: int | None = None) -> None:
        with self._changed:
            self._results[result.number] = result
            if last is not None:
                self._last = last
            self._changed.notify_all()

    def _died(self, number: int) -> None:
        child = self._children[number]
        self._transport.wait([], _LAST_MESSAGE)
        for worker, message in self._transport.receive():
            self._answered(worker, message)
        words = child.last_words()
        what = f"worker {number} (pid {child.pid}) {child.status()} {self._doing(number)}"
        if not self._restarts_left:
            raise WorkerError(what + (f"; it last said:\n{words}" if words else ""))
        self._restarts_left -= 1
        self._replace(number)
        log.warning("%s; it was replaced, %d more may be", what, self._restarts_left)

    def _replace(self, number: int) -> None:
        """Start another worker in the place of a dead one, which can write into no slot any more."""
        assert self._start_worker is not None
        self._able.discard(number)
        self._children[number].close()
        self._ledger.lost(number)
        self._transport.renew(number)
        self._children[number] = self._start_worker(number)

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._fatal = error
            self._changed.notify_all()

    def _stop_workers(self) -> None:
        for number, child in self._children.items():
            with contextlib.suppress(LeavenError):
                if self._fatal is not None or not self._transport.send(number, STOP):
                    child.kill()
        wait_all(self._children.values(), _GRACE)
        for child in self._children.values():
            child.close()

    # ---- orders

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        self._wake()

    def _wake(self) -> None:
        if self._wake_fd >= 0:
            os.eventfd_write(self._wake_fd, 1)

    def _obey(self) -> None:
        while self._orders:
            self._orders.popleft()()
