"""Board: what each worker is on, in shared memory, for the loader when a worker dies or hangs, and for other programs.

Layout: a header of 64 bytes (magic number, version, how many workers, pid of the loader, when it began), 192 bytes of
text, then one line of 64 bytes for each worker. A worker writes into its own line with plain stores, and nobody else
does while it lives. The memory has no name, but a program of the same user finds it as ``/proc/PID/fd/N``, a link to
``memfd:leaven-board``.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from typing import NamedTuple

from leaven.errors import ProtocolError, WorkerError
from leaven.stream.arena import anonymous

NAME = "leaven-board"

STAGES = (
    *("idle", "start", "read", "unpack", "draw", "decode", "prepare", "work", "replace", "collate", "answer"),
    *("geometry", "photometric", "copy"),
)
"""What a worker may be doing, in the order of the numbers that stand for it."""

_CODES = {stage: code for code, stage in enumerate(STAGES)}
_WORK = _CODES["work"]
_MAGIC = 0x6C656176656E3031
_VERSION = 2
_HEADER = 256
_LINE = 64
_WORDS = _LINE // 8


class Doing(NamedTuple):
    """What a worker is on: its process (0 while there is none), request and sample (``None``: none), for how long."""

    pid: int
    lane: int
    request: int | None
    index: int | None  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    stage: str
    seconds: float
    done: int

    def __str__(self) -> str:
        if self.request is None:
            return "while it was starting" if self.stage == "start" else "while it waited for work"
        sample = "" if self.index is None else f" sample {self.index} of"
        return f"while it worked on{sample} request {self.request} (stage {self.stage})"


class Line:
    """One worker's line.

    Words: lane, 1 + request, 1 + index, stage, since when (ns of the monotonic clock, which is the whole machine's),
    pid, requests done.
    """

    def __init__(self, words: memoryview) -> None:
        self._words = words
        self.trace: list[tuple[int, int, int]] | None = None
        """Where it is a list, every change is added to it: stage number, sample index (-1: none), ns."""

    def start(self, pid: int) -> None:
        """A worker begins: nothing of the one before it counts any more."""
        self._words[:] = memoryview(bytes(_LINE)).cast("q")
        self._words[5] = pid
        self._mark(_CODES["start"], 0)

    def begin(self, lane: int, request: int) -> None:
        """It is on a request."""
        self._words[0] = lane
        self._words[1] = request + 1
        self._mark(_CODES["read"], 0)

    @property
    def progress(self) -> memoryview | None:
        """Three words for native code to write into: 1 + index, stage, since when. ``None`` where there is a trace."""
        return self._words[2:5] if self.trace is None else None

    def on(self, index: int, stage: str, since: int | None = None) -> None:
        """It is on a sample of the request, since now or a time (ns) that has passed.

        A stage that is not in the table counts as ``work``.
        """
        self._mark(_CODES.get(stage, _WORK), index + 1, since)

    def marker(self, stage: str) -> Callable[[int], None]:
        """Return what tells of one sample after the other that it is in ``stage``: 0.14 us each, :meth:`on` 0.2."""
        if self.trace is not None:
            return lambda index: self.on(index, stage)
        words, code, clock = self._words, _CODES[stage], time.monotonic_ns

        def mark(index: int) -> None:
            words[2] = index + 1
            words[3] = code
            words[4] = clock()

        return mark

    def stage(self, stage: str) -> None:
        """It is on the request as a whole."""
        self._mark(_CODES[stage], 0)

    def end(self) -> None:
        """It is done with the request."""
        self._words[6] += 1
        self.rest()

    def rest(self) -> None:
        """It waits for work."""
        self._words[1] = 0
        self._mark(_CODES["idle"], 0)

    def read(self) -> Doing:
        """Return what the worker is on."""
        lane, request, index, stage, since, pid, done = self._words.tolist()[:7]
        name = STAGES[stage] if 0 <= stage < len(STAGES) else "?"
        seconds = max(0.0, (time.monotonic_ns() - since) / 1e9) if since else 0.0
        return Doing(pid, lane, request - 1 if request else None, index - 1 if index else None, name, seconds, done)

    def _mark(self, stage: int, index: int, since: int | None = None) -> None:
        now = time.monotonic_ns() if since is None else since
        words = self._words
        words[2] = index
        words[3] = stage
        words[4] = now
        if self.trace is not None:
            self.trace.append((stage, index - 1, now))


class Board:
    """The lines of ``workers`` workers.

    Args:
        workers: how many lines.
        title: what other programs may show, 192 bytes at most.
        fd: descriptor of a board that another process made; ``None`` makes a new one.
        writable: whether this process writes into it.

    Raises:
        WorkerError: there is no memory for it.
        ProtocolError: ``fd`` is no board.
    """

    def __init__(self, workers: int, title: str = "", fd: int | None = None, writable: bool = True) -> None:
        size = _HEADER + workers * _LINE
        self.fd = anonymous(size, NAME) if fd is None else fd
        access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
        try:
            self._map = mmap.mmap(self.fd, size, access=access)
        except (OSError, ValueError) as error:
            raise WorkerError(f"cannot map the workers' board: {error}") from error
        self._words = memoryview(self._map).cast("q")
        self.workers = workers
        if fd is None:
            self._words[0:5] = memoryview(_packed(_MAGIC, _VERSION, workers, os.getpid(), time.time_ns())).cast("q")
            text = title.encode("utf-8", "replace")[: _HEADER - 64]
            self._map[64 : 64 + len(text)] = text
        elif self._words[0] != _MAGIC or self._words[1] != _VERSION:
            raise ProtocolError("not a workers' board of this version")

    @classmethod
    def seen(cls, fd: int) -> Board:
        """Return a board of another program, to read from.

        Raises:
            ProtocolError: it is none, or not whole.
        """
        head = os.pread(fd, 64, 0)
        size = os.fstat(fd).st_size
        if len(head) < 64:
            raise ProtocolError("not a workers' board of this version")
        magic, version, workers = memoryview(head).cast("q")[:3]
        if magic != _MAGIC or version != _VERSION or not 0 <= workers <= (size - _HEADER) // _LINE:
            raise ProtocolError("not a workers' board of this version")
        return cls(workers, fd=fd, writable=False)

    @property
    def pid(self) -> int:
        """Process of the loader."""
        return self._words[3]

    @property
    def began(self) -> float:
        """When the loader began, as seconds since 1970."""
        return self._words[4] / 1e9

    @property
    def title(self) -> str:
        """What the loader is called."""
        return bytes(self._map[64:_HEADER]).rstrip(b"\0").decode("utf-8", "replace")

    def line(self, worker: int) -> Line:
        """Return a worker's line."""
        first = _HEADER // 8 + worker * _WORDS
        return Line(self._words[first : first + _WORDS])

    def close(self) -> None:
        """Give back the descriptor; the memory goes when the last line does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _packed(*words: int) -> bytes:
    return b"".join(word.to_bytes(8, "little", signed=True) for word in words)
