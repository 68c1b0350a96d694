"""WorkerPool: the workers behind one loader or several: transport, processes, supervisor, board."""

from __future__ import annotations

import math
import os
import resource
import sys
import threading
import weakref
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leaven.errors import LeavenError, ParameterError, WorkerError
from leaven.protocols import Transport
from leaven.stream import failpoints, wire
from leaven.stream.board import Board, Doing
from leaven.stream.crew import Crew
from leaven.stream.processes import Child
from leaven.stream.restarts import Restarts
from leaven.stream.serving import Host
from leaven.stream.supervisor import Supervisor
from leaven.stream.watch import Watch

if TYPE_CHECKING:
    from leaven.registry.recipes import Recipe
    from leaven.stream.lane import Lane


class WorkerPool:
    """Workers that loaders share, such as one for training and one for validation.

    ::

        with WorkerPool(4) as workers:
            train = TurboDataLoader(train_set, 64, worker, workers, shuffle=True)
            val = TurboDataLoader(val_set, 64, worker, workers)

    A loader with a number of workers makes a pool of its own.

    Args:
        nworkers: number of workers; 0 works in this process, or waits for workers of other hosts where the transport
            lets them join.
        transport: spec, table or instance of kind ``transport``.
        max_restarts: how many worker processes may die in a row, with no request finished in between, and be replaced.
            Their batches are made again, the same to the last bit. One more death is a
            :class:`~leaven.errors.WorkerError`. Pauses between the replacements grow, to 5 s at most.
        worker_timeout: seconds without any progress after which a worker counts as hanging: it writes its stack and is
            replaced like one that has died. A thread cannot be ended: that is an error. 0 for no limit.
        registry: where names are looked up; by default :func:`leaven.default_registry`.

    Raises:
        ParameterError: a value is out of range.
        LookupFailed: there is no such transport.
    """

    def __init__(
        self,
        nworkers: int,
        transport: Transport | str | Mapping[str, Any] = "zeromq",
        max_restarts: int = 10,
        worker_timeout: float = 300.0,
        registry: Any = None,
    ) -> None:
        _at_least_zero(nworkers=nworkers, max_restarts=max_restarts, worker_timeout=worker_timeout)
        self.transport, self._recipe = _transport(transport, nworkers, registry)
        self.nworkers = nworkers if nworkers or getattr(self.transport, "joins", False) else 1
        """Workers of this host; without any, this process works itself."""
        self._max_restarts = max_restarts
        self._worker_timeout = worker_timeout
        self._board: Board | None = None
        self._hosts: list[Host] = []
        self._supervisor: Supervisor | None = None
        self._finalizer: weakref.finalize[..., Any] | None = None
        self._waiting: list[Lane] = []
        self._closed = False
        self._lock = threading.RLock()  # loaders may be started and closed in several threads

    @property
    def in_process(self) -> bool:
        """Whether the workers are in this process."""
        return self.transport.in_process

    def workers(self) -> list[Doing]:
        """Return what each worker of this host is on; nothing before the start."""
        board = self._board
        return [] if board is None else [board.line(number).read() for number in range(board.workers)]

    def start(self) -> None:
        """Start the workers; they become ready while the caller goes on. Done by ``with`` and by the first loader.

        Raises:
            WorkerError: this system has not what processes need.
            ConfigError: ``LEAVEN_FAILPOINT`` is malformed.
            TransportError: the transport cannot be opened.
        """
        with self._lock:
            self._closed = False
            if self._finalizer is None:
                self._start()

    def _start(self) -> None:
        if not self.in_process and not hasattr(os, "pidfd_open"):
            raise WorkerError("worker processes need Linux 5.3 or newer; use transport='inline' here")
        failpoints.check()
        if not self.in_process:
            _need_descriptors(16 + 8 * self.nworkers)
        board = self._board = Board(self.nworkers, _title())
        try:
            self._hosts = [Host(board.line(number)) for number in range(self.nworkers)] if self.in_process else []
            for number in range(self.nworkers):
                board.line(number).start(os.getpid() if self.in_process else 0)
                if self.in_process:
                    board.line(number).rest()
            self.transport.open(self.nworkers, [host.handle for host in self._hosts] if self.in_process else None)
            self._supervisor = supervisor = self._supervised(board)
            for lane in self._waiting:
                self._join(lane, supervisor)
            supervisor.start()
        except BaseException:
            board.close()
            self._board = self._supervisor = None
            self.transport.close()
            raise
        self._finalizer = weakref.finalize(self, _ended, supervisor, board, wait=False)
        self._finalizer.atexit = False  # the supervisor sees to that, and waits

    def close(self, wait: bool = True) -> None:
        """Stop the workers and give back everything; loaders that still use them get an error.

        Args:
            wait: until that is done.
        """
        with self._lock:
            self._closed = True
            finalizer, self._finalizer = self._finalizer, None
            supervisor, board = self._supervisor, self._board
            self._supervisor, self._board, self._hosts = None, None, []
        if finalizer is not None and supervisor is not None and board is not None:
            finalizer.detach()
            _ended(supervisor, board, wait)

    def __enter__(self) -> WorkerPool:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---- for loaders

    def add(self, lane: Lane) -> Supervisor:
        """Let the workers work for a lane as well; return who is to be asked for its batches.

        Raises:
            LeavenError: the pool was closed, and not started again.
        """
        with self._lock:
            if self._closed:
                raise LeavenError("the pool of workers has been closed")
            if self._supervisor is not None:
                self._join(lane, self._supervisor)
                return self._supervisor
            self._waiting = [lane]
            try:
                self.start()
            finally:
                self._waiting = []
            assert self._supervisor is not None
            return self._supervisor

    def _join(self, lane: Lane, supervisor: Supervisor) -> None:
        supervisor.add(lane, [host.open for host in self._hosts])

    def _supervised(self, board: Board) -> Supervisor:
        crew: Crew | None = None
        watch = Watch(board, self._worker_timeout if self.transport.concurrent else 0)
        if self.in_process:
            return Supervisor(self.transport, None, self.nworkers, watch)
        lanes: list[Lane] = []
        start = partial(_start_worker, lanes, board, self.transport, self._recipe, self.nworkers)
        crew = Crew(start, self.transport.renew, self.nworkers, board, Restarts(self._max_restarts))
        return Supervisor(self.transport, crew, self.nworkers, watch, lanes)


def _start_worker(
    lanes: list[Lane], board: Board, transport: Transport, recipe: Recipe, workers: int, number: int
) -> Child:
    board.line(number).start(0)
    start = {
        "path": [os.fspath(folder) or os.getcwd() for folder in sys.path],
        "number": number,
        "workers": workers,
        "transport": recipe.to_plain(),
        "address": dict(transport.address(number)),
        "board": board.fd,
        "lanes": {str(lane.number): dict(lane.spec(False)) for lane in lanes},
    }
    return Child(wire.pack(start), [board.fd, *(fd for lane in lanes for fd in lane.descriptors)])


def _ended(supervisor: Supervisor, board: Board, wait: bool) -> None:
    try:
        supervisor.close(wait)
    finally:
        board.close()


def _transport(transport: Any, nworkers: int, registry: Any) -> tuple[Transport, Any]:
    if registry is None:
        from leaven.registry.registry import default_registry

        registry = default_registry()
    made, recipe = registry.resolve(transport, kind="transport")
    if nworkers == 0 and not getattr(made, "joins", False):
        made, recipe = registry.resolve("inline", kind="transport")
    if not made.in_process and recipe is None:
        from leaven.registry.recipes import recipe_of

        recipe = recipe_of(made)
    return made, recipe


def _need_descriptors(count: int) -> None:
    """Check that there are so many; libraries below end the program, or fail without a name, where there are not."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = limit - len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else count
    if free < count:
        raise WorkerError(
            f"too few file descriptors: {free} of {limit} are free, the workers need {count}; raise the limit "
            "(ulimit -n), close files, or take fewer workers"
        )


def _title() -> str:
    """What the pool is called by programs that look at its board."""
    script = Path(sys.argv[0] or "python").name if sys.argv else "python"
    return " ".join([script, *sys.argv[1:4]])


def _at_least_zero(**values: float) -> None:
    for name, value in values.items():
        whole = name != "worker_timeout"
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not 0 <= value < math.inf:
            expected = "a whole number" if whole else "seconds"
            raise ParameterError(f"{name}={value!r}: expected {expected}, at least 0")
