"""Watch: which worker makes no progress, by what the board says and by when it was given work."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable

from leaven.stream.board import Board, Doing
from leaven.stream.delivery import Job, Ledger

log = logging.getLogger("leaven.loader")

_SAY = 10.0  # seconds between two warnings that there is no worker
_AWAY = 2.0  # seconds between two looks beyond what was wanted
_OFTEN = 1.0  # seconds between two looks, where the limit is not shorter


class Watch:
    """Knows how long each worker has been on what it is on.

    Args:
        board: what the workers are on.
        limit: seconds without progress after which a worker counts as hanging; 0 for no limit.
        clock: seconds, rising.
    """

    def __init__(self, board: Board, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._limit = limit
        self._clock = clock
        self._since = 0.0  # nothing before counts
        self._given: dict[tuple[int, int], float] = {}
        self._next = self._alone = self._said = clock()
        self.interval = min(_OFTEN, limit / 4) if limit else None
        """Seconds after which to look again, however quiet it is; ``None``: never."""

    def given(self, job: Job) -> None:
        """A request was given out."""
        if self._limit:
            self._given[job.lane, job.task.number] = self._clock()

    def pid(self, worker: int) -> int:
        """Return the process of a worker; 0 where it is on another host."""
        return self._board.line(worker).read().pid if worker < self._board.workers else 0

    def hanging(self, ledger: Ledger) -> list[tuple[int, float]]:
        """Return the workers that make no progress, and for how many seconds. Looks only so often."""
        now = self._clock()
        if self.interval is None or now < self._next:
            return []
        if now - self._next > _AWAY:  # this process has not run, and so perhaps none of them
            self._since = now
        self._next = now + self.interval
        first: dict[int, float] = {}
        flight = ledger.flight()
        self._given = {key: since for key, since in self._given.items() if key in flight}
        for key, worker in flight.items():
            first[worker] = min(first.get(worker, now), self._given.get(key, now))
        for worker in range(self._board.workers):
            if self._doing(worker).stage == "start":
                first.setdefault(worker, 0.0)
        silent = {worker: min(now - max(since, self._since), self._silence(worker)) for worker, since in first.items()}
        return [(worker, seconds) for worker, seconds in silent.items() if seconds > self._limit]

    def alone(self, waiting: bool) -> float:
        """Return for how long batches have been waited for without any worker, once that is too long; otherwise 0."""
        now = self._clock()
        if not waiting:
            self._alone, self._said = now, now
        elif now - self._said >= _SAY:
            self._said = now
            log.warning("waiting for workers of other hosts to join, since %.0f s", now - self._alone)
        seconds = now - self._alone
        return seconds if self._limit and seconds > self._limit else 0.0

    def stuck(self, worker: int, seconds: float) -> str:
        """Return what there is to say of a thread that hangs, which nobody can end."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        threads = sys._current_frames().items()
        frames = [frame for ident, frame in threads if names.get(ident) == f"leaven-worker-{worker}"]
        stack = "".join(line for frame in frames for line in traceback.format_stack(frame))
        where = f"; it is at\n{stack}" if stack else ""
        what = f"worker {worker} made no progress for {seconds:.1f} s {self._doing(worker)}"
        return f"{what}, and a thread cannot be ended{where}"

    def _silence(self, worker: int) -> float:
        return self._doing(worker).seconds if worker < self._board.workers else float("inf")

    def _doing(self, worker: int) -> Doing:
        return self._board.line(worker).read()
