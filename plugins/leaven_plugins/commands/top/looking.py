"""Looking at loaders: what each worker is on, and what it has done since the look before."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leaven.errors import printable
from leaven.stream.board import Board, Doing
from leaven_plugins.commands.top.finding import PROC, boards


@dataclass(frozen=True)
class Seen:
    """One worker.

    Attributes:
        number: of the worker in its pool.
        pid: its process; 0 where it has not begun.
        stage: what it does.
        sample: position in the dataset of what it is on, or ``None``.
        request: number of the batch that it makes, or ``None``.
        seconds: how long it has been at that.
        done: requests done.
        cpu_seconds: processor time that its process has used, or ``None`` where that has ended.
        memory_mb: resident memory of its process, shared memory included, in 10**6 bytes, or ``None``.
        requests_per_second: since the look before, or ``None``.
        cpu_percent: since the look before, 100 for one core, or ``None``.
    """

    number: int
    pid: int
    stage: str
    sample: int | None
    request: int | None
    seconds: float
    done: int
    cpu_seconds: float | None
    memory_mb: float | None
    requests_per_second: float | None = None
    cpu_percent: float | None = None

    @property
    def ended(self) -> bool:
        """Whether its process has ended."""
        return self.pid > 0 and self.memory_mb is None


_Earlier = dict[tuple[int, int, int], Seen]  # by board, number and process


@dataclass(frozen=True)
class Loader:
    """One pool of workers: what its process is called, the process, since when it runs, its workers."""

    title: str
    pid: int
    seconds: float
    workers: tuple[Seen, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)


class Looks:
    """Looks at all loaders, again and again."""

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._before: _Earlier = {}
        self._time = 0.0

    def look(self) -> list[Loader]:
        """Return the loaders that there are, with rates since the look before."""
        now = time.monotonic()
        elapsed, self._time = now - self._time, now
        before, self._before = self._before, {}
        with boards(self._proc) as found:
            return [self._loader(board, before, elapsed) for board in found if (self._proc / str(board.pid)).exists()]

    def _loader(self, board: Board, earlier: _Earlier, elapsed: float) -> Loader:
        inode = os.fstat(board.fd).st_ino
        workers = []
        for number in range(board.workers):
            doing = board.line(number).read()
            seen = self._seen(number, doing, earlier.get((inode, number, doing.pid)), elapsed)
            self._before[inode, number, doing.pid] = seen
            workers.append(seen)
        return Loader(printable(board.title), board.pid, max(0.0, time.time() - board.began), tuple(workers))

    def _seen(self, number: int, doing: Doing, before: Seen | None, elapsed: float) -> Seen:
        process = self._proc / str(doing.pid)
        cpu = _cpu_seconds(process)
        rate = share = None
        if before is not None and elapsed > 0:
            rate = (doing.done - before.done) / elapsed
            if cpu is not None and before.cpu_seconds is not None:
                share = 100 * (cpu - before.cpu_seconds) / elapsed
        return Seen(
            number=number,
            pid=doing.pid,
            stage=doing.stage,
            sample=doing.index,
            request=doing.request,
            seconds=doing.seconds,
            done=doing.done,
            cpu_seconds=cpu,
            memory_mb=_memory_mb(process),
            requests_per_second=rate,
            cpu_percent=share,
        )


def settled(looks: Looks, seconds: float) -> list[Loader]:
    """Look twice, ``seconds`` apart, so that there are rates; once where there is nothing to see."""
    if not looks.look():
        return []
    time.sleep(seconds)
    return looks.look()


def _cpu_seconds(process: Path) -> float | None:
    fields = _words(process / "stat", after=")")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else None


def _memory_mb(process: Path) -> float | None:
    pages = _words(process / "statm")
    return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if len(pages) > 1 else None


def _words(file: Path, after: str = "") -> Sequence[str]:
    try:
        return file.read_text().rpartition(after)[2].split() if after else file.read_text().split()
    except OSError:  # the process has ended
        return ()
