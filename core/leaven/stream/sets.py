"""Sets: equal pieces of shared memory, and which process has which of them.

Memory: one line of 64 bytes for each set and one for all of them, then the sets, on page borders. The numbers of free
sets are in a pipe, from which each is taken once, whoever asks; what gives a set back is a single write to it. Lines
change under a lock that the kernel gives back when its holder dies.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ProtocolError
from leaven.stream.arena import anonymous
from leaven.stream.lending import Lease
from leaven.stream.polling import readable
from leaven.stream.shared import Memory, handle, opened

log = logging.getLogger("leaven.buffers")

MOST = 2_000
"""How many sets there may be: two records of each fit into a pipe's 64 KiB, so that none is ever refused."""

_LINE = 8  # words
_CLOSED = 0  # in the last line, which is that of all sets
_TIMES, _STATE, _PID, _BEGAN, _SINCE = range(5)
# in a set's line: how often it was taken, its state, who has it, when that process began, and since when (ns)
_FREE, _TAKEN, _SENT, _RECEIVED = range(4)

_RECORD = struct.Struct("<qq")  # number of a set, how often it was taken
_END = _RECORD.pack(-1, 0)
_LOOK = 0.2  # seconds between looks for processes that have died with a set
_PATIENCE = 2.0  # seconds that all sets may be in messages before a warning


class Held(NamedTuple):
    """A set that this process has.

    ``times`` counts how often it was taken. ``memory`` is its bytes; when the last view of them has died, the set is
    free again.
    """

    number: int
    times: int
    memory: NDArray[np.uint8]


class Sets:
    """``count`` sets of ``size`` bytes each.

    Args:
        descriptor: of sets that another process made; ``None`` makes new ones.

    Raises:
        WorkerError: there is not enough memory, or those sets do not exist any more.
    """

    def __init__(self, count: int, size: int, descriptor: Mapping[str, Any] | None = None) -> None:
        self._count = count
        self._size = _pages(max(size, 1))
        self._first = _pages((count + 1) * _LINE * 8)
        total = self._first + count * self._size
        fd = anonymous(total, "leaven-buffers") if descriptor is None else opened(descriptor["memory"])
        self._memory = Memory(fd, total)
        self._pipe = _Pipe(None if descriptor is None else descriptor["pipe"])
        self._lines: NDArray[np.int64] = np.ndarray((count + 1, _LINE), np.int64, self._memory)
        self._leases: dict[int, tuple[int, Lease]] = {}
        self._mutex = threading.Lock()
        self._lock = self._memory.fd
        self._pid = os.getpid()
        if descriptor is None:
            for number in range(count):
                self._pipe.write(number, 0)

    def descriptor(self) -> dict[str, Any]:
        """Return what another process of the same user needs, as plain data."""
        return {"memory": handle(self._memory.fd), "pipe": handle(self._pipe.fd)}

    def take(self) -> Held | None:
        """Wait for a free set; ``None`` after :meth:`close`."""
        warned = False
        while True:
            if not readable([self._pipe.fd], _LOOK):
                self._take_from_the_dead()
                warned = warned or self._warned()
                continue
            with self._locked():
                if self._lines[-1, _CLOSED]:
                    return None
                if (held := self._taken()) is not None:
                    return held

    def held(self, number: int, memory: NDArray[np.uint8] | None) -> Held | None:
        """Return set ``number`` if ``memory`` is its bytes, as this process took or received them last."""
        times, lease = self._leases.get(number, (0, None))
        if lease is None or memory is None or self._pid != os.getpid():
            return None
        mine = lease() is memory
        return Held(number, times, memory) if mine else None

    def number_at(self, address: int) -> tuple[int, int]:
        """Return which set lies at an address of this process, and the offset in it."""
        return divmod(address - self._memory.address - self._first, self._size)

    def send(self, held: Held) -> None:
        """Say that a set is on its way to whoever receives it: this process does not give it back any more.

        Raises:
            ProtocolError: it was sent before.
        """
        with self._locked():
            times, state, pid = self._lines[held.number, : _PID + 1].tolist()
            if (times, pid) != (held.times, os.getpid()) or state not in (_TAKEN, _RECEIVED):
                raise ProtocolError(f"set {held.number} was packed before: its arrays belong into one message")
            self._mark(held.number, _SENT, 0)
            self._leases[held.number][1].about = _nothing

    def receive(self, number: int, times: int) -> Held:
        """Take a set that was sent.

        Raises:
            ProtocolError: it was received before, or does not exist.
        """
        with self._locked():
            known = 0 <= number < self._count
            if not known or self._lines[number, : _STATE + 1].tolist() != [times, _SENT]:
                raise ProtocolError(f"set {number} is in no message: it was unpacked before, or does not exist")
            return self._lend(number, _RECEIVED)

    def reclaim(self, older_than: float) -> int:
        """Give back the sets that were sent more than ``older_than`` seconds ago; return how many."""
        with self._locked():
            sent = [number for number, age in self._sent() if age >= older_than]
            for number in sent:
                self._mark(number, _FREE, 0)
                self._pipe.write(number, int(self._lines[number, _TIMES]))
        return len(sent)

    def close(self) -> None:
        """End it for all processes: whoever waits in :meth:`take` gets ``None``. Sets that are held stay."""
        with self._locked():
            if not self._lines[-1, _CLOSED]:
                self._lines[-1, _CLOSED] = 1
                os.write(self._pipe.fd, _END)  # nobody reads it, so that everybody wakes up

    def _taken(self) -> Held | None:
        """Take the set that the pipe names; ``None`` if somebody else was faster."""
        try:
            number, times = _RECORD.unpack(os.read(self._pipe.fd, _RECORD.size))
        except BlockingIOError:
            return None
        if self._lines[number, _TIMES] != times:  # given back twice: by a process, and in its place
            return None
        self._lines[number, _TIMES] += 1
        return self._lend(number, _TAKEN)

    def _take_from_the_dead(self) -> None:
        """Give back the sets of processes that have ended."""
        with self._locked():
            for number, line in enumerate(self._lines[:-1].tolist()):
                if line[_STATE] in (_TAKEN, _RECEIVED) and _began(line[_PID]) != line[_BEGAN]:
                    self._mark(number, _FREE, 0)
                    self._pipe.write(number, line[_TIMES])

    def _sent(self) -> list[tuple[int, float]]:
        """Return which sets are in messages, and for how many seconds."""
        lines, now = self._lines[:-1].tolist(), time.monotonic_ns()
        return [(number, (now - line[_SINCE]) / 1e9) for number, line in enumerate(lines) if line[_STATE] == _SENT]

    def _warned(self) -> bool:
        """Log a warning if all sets have been in messages for long; return whether that is so."""
        sent = self._sent()
        if len(sent) < self._count or min(age for _, age in sent) < _PATIENCE:
            return False
        oldest = max(age for _, age in sent)
        log.warning(
            "all %d sets of a buffer pool are in messages that nobody unpacks, the oldest for %.0f s; if messages are "
            "lost, pool.reclaim(older_than=seconds) frees their sets",
            self._count,
            oldest,
        )
        return True

    def _lend(self, number: int, state: int) -> Held:
        self._mark(number, state, os.getpid())
        times = int(self._lines[number, _TIMES])
        memory = np.frombuffer(self._memory, np.uint8, self._size, self._first + number * self._size)
        lease = Lease(memory, methodcaller("about"), self._pipe.writer(number, times))
        _live.add(Lease(memory, _live.discard, (lease, self._pipe)))
        self._leases[number] = times, lease
        return Held(number, times, memory)

    def _mark(self, number: int, state: int, pid: int) -> None:
        self._lines[number, _STATE : _SINCE + 1] = state, pid, _began(pid) if pid else 0, time.monotonic_ns()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._pid != os.getpid():
            self._forked()
        with self._mutex:  # the kernel's lock is the process's, not the thread's
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _forked(self) -> None:
        """Go on in a forked process: it has none of the sets, and shares its parent's locks until it has its own."""
        self._leases.clear()
        self._mutex = threading.Lock()
        self._lock = opened(handle(self._memory.fd))
        weakref.finalize(self, os.close, self._lock)
        self._pid = os.getpid()


_live: set[Lease] = set()
"""What must live until the sets that this process has are given back, even if nothing else does: leases, their pipe."""

_nothing = int
"""What a lease calls that gives nothing back: no Python code either."""


def _disarm() -> None:
    """What a forked process has inherited is its parent's to give back."""
    for last in _live:
        lease, _ = last.about
        lease.about = _nothing


os.register_at_fork(after_in_child=_disarm)


class _Pipe:
    """Records of free sets. It can be read and written, neither of which waits, and goes when nobody needs it."""

    def __init__(self, other: Mapping[str, Any] | None) -> None:
        if other is not None:
            self.fd = opened(other, os.O_RDWR | os.O_NONBLOCK)
            return
        ends = os.pipe()
        try:
            self.fd = opened(handle(ends[0]), os.O_RDWR | os.O_NONBLOCK)
        finally:
            for end in ends:
                os.close(end)

    def write(self, number: int, times: int) -> None:
        self.writer(number, times)()

    def writer(self, number: int, times: int) -> Callable[[], object]:
        return partial(os.write, self.fd, _RECORD.pack(number, times))

    def __del__(self) -> None:
        with suppress(AttributeError):  # it could not be opened
            os.close(self.fd)


def _pages(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE


def _began(pid: int) -> int:
    """Return when a process began (ticks since the machine did), or -1 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] in "ZX" else int(fields[19])
