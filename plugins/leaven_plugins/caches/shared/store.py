"""Store: records in shared memory, found by a table in the same memory.

Memory: a head of words, the table, and the records one after the other. A word of the table is empty, or holds where a
record begins and a part of its digest. Readers take no lock: a record is written first and found by a single store of
8 bytes after that, and carries a checksum of what it is. Whoever is killed while writing leaves bytes that nothing
leads to. Writers exclude each other by a lock that the kernel gives back when its holder dies.
"""

from __future__ import annotations

import logging
import os
from struct import Struct
from zlib import crc32

from leaven.errors import ParameterError
from leaven.stream.arena import free_memory
from leaven.stream.shared import Memory
from leaven_plugins.caches.shared.mutex import Mutex

log = logging.getLogger("leaven.caches")

DIGEST = 16
"""Bytes of a digest, which is what records are found by."""

LEAST = 1 << 16
"""The smallest memory, in bytes."""

_MAGIC, _IDENTITY, _SLOTS, _END, _COUNT, _TAKEN = range(6)
# of the head: what it is, which one, words in the table, where records end, how many, up to where pages were taken
_WORD = 8
_HEAD = 8 * _WORD
_TABLE = _HEAD // _WORD  # the first word of the table
_KNOWN = int.from_bytes(b"leavenC1", "little")
_RECORD = Struct(f"<{DIGEST}sQII")  # digest, length, checksum, nothing
_PER_SLOT = 512  # bytes of memory for each word of the table, which so takes 1.6 % of it
_TAG_SHIFT, _PLACES = 40, (1 << 40) - 1  # a word: 24 bits of the digest, and where the record begins, in words
_CHUNK = 1 << 24  # pages are taken so many bytes at a time


class Store:
    """The records in ``size`` bytes of memory behind the descriptor ``fd``, which is closed with it.

    Pages are taken as records come, and before they are touched: where there are no more of them, nothing is kept.

    Args:
        fd: of the memory.
        size: of it, in bytes.
        new: whether it holds nothing yet, and nobody else has it.

    Raises:
        WorkerError: it cannot be mapped.
        ParameterError: there is not enough memory for the table, or it holds something else.
    """

    def __init__(self, fd: int, size: int, new: bool = False) -> None:
        self._memory = Memory(fd, size)
        self._words = memoryview(self._memory).cast("Q")
        self._mutex = Mutex(fd)
        if new:
            self._format(size)
        self._slots = self._words[_SLOTS]
        if self._words[_MAGIC] != _KNOWN or not 0 < self._slots < size // _WORD:
            raise ParameterError("cache:shared: this memory holds no cache")
        self._limit = size  # where records end at the latest

    @property
    def fd(self) -> int:
        """The descriptor of the memory."""
        return self._memory.fd

    @property
    def identity(self) -> int:
        """A number that no other store has."""
        return self._words[_IDENTITY]

    @property
    def used(self) -> int:
        """How many bytes there are up to the end of the last record."""
        return self._words[_END]

    @property
    def count(self) -> int:
        """How many records there are."""
        return self._words[_COUNT]

    def get(self, digest: bytes) -> bytes | None:
        """Return what was put under a digest of 16 bytes, or ``None``."""
        return self._find(digest)[1]

    def put(self, digest: bytes, value: bytes) -> bool:
        """Keep a value, unless there is no room for it; return whether one is kept under this digest."""
        size = _aligned(_RECORD.size + len(value))
        if self.used + size > self._limit:
            return self.get(digest) is not None
        with self._mutex.held():
            place, known = self._find(digest)
            if known is not None:
                return True
            start = self.used
            if self.count >= self._slots * 3 // 4 or not self._take(start + size):
                return False
            self._write(start, digest, value)
            self._words[_END] = start + size  # from here on nobody writes into it
            self._words[place] = _tag(digest) << _TAG_SHIFT | start // _WORD  # and now it is found
            self._words[_COUNT] += 1
            return True

    def clear(self) -> None:
        """Forget all records."""
        with self._mutex.held():
            self._memory[_HEAD : _HEAD + self._slots * _WORD] = bytes(self._slots * _WORD)
            self._words[_COUNT] = 0
            self._words[_END] = _HEAD + self._slots * _WORD

    def _find(self, digest: bytes) -> tuple[int, bytes | None]:
        """Return the word of the table that leads to a record, or is to, and the record's value if it is there."""
        tag, start = _tag(digest), int.from_bytes(digest[:8], "little")
        for step in range(self._slots):
            place = _TABLE + (start + step) % self._slots
            word = self._words[place]
            if not word:
                return place, None
            if word >> _TAG_SHIFT == tag and (value := self._read((word & _PLACES) * _WORD, digest)) is not None:
                return place, value
        return _TABLE, None  # a table without an empty word is one that somebody has spoilt

    def _read(self, start: int, digest: bytes) -> bytes | None:
        begin = start + _RECORD.size
        if begin > len(self._memory):
            return None
        known, length, checksum, _ = _RECORD.unpack_from(self._memory, start)
        if known != digest or begin + length > min(self.used, len(self._memory)):
            return None
        value = self._memory[begin : begin + length]
        return value if crc32(value, crc32(digest)) == checksum else None

    def _write(self, start: int, digest: bytes, value: bytes) -> None:
        begin = start + _RECORD.size
        self._memory[begin : begin + len(value)] = value
        _RECORD.pack_into(self._memory, start, digest, len(value), crc32(value, crc32(digest)), 0)

    def _format(self, size: int) -> None:
        slots = max(64, size // _PER_SLOT)
        end = _HEAD + slots * _WORD
        taken = _grown(self.fd, 0, end, size)
        if not taken:
            raise ParameterError(f"cache:shared: there is not enough memory for a table of {end / 1e6:.1f} MB")
        self._words[_TAKEN] = taken
        self._words[_IDENTITY] = int.from_bytes(os.urandom(8), "little")
        self._words[_SLOTS] = slots
        self._words[_END] = end
        self._words[_MAGIC] = _KNOWN

    def _take(self, stop: int) -> bool:
        """Take the pages up to ``stop``; return whether there were any."""
        taken = self._words[_TAKEN]
        if stop <= taken:
            return True
        grown = _grown(self.fd, taken, stop, self._limit)
        if not grown:
            log.warning("cache:shared: no more memory after %.1f MB: further samples are not kept", taken / 1e6)
            self._limit = taken  # it is asked for once, not for each sample again
            return False
        self._words[_TAKEN] = grown
        return True


def _grown(fd: int, taken: int, stop: int, limit: int) -> int:
    """Take pages up to ``stop`` and some more, and return where they end, or 0 where there is not enough memory.

    To touch one that was not taken would end the process where there are no more (SIGBUS).
    """
    wanted = min(limit, -(-stop // _CHUNK) * _CHUNK)
    try:
        if wanted - taken > free_memory():
            return 0
        os.posix_fallocate(fd, taken, wanted - taken)
    except OSError:
        return 0
    return wanted


def _tag(digest: bytes) -> int:
    return int.from_bytes(digest[8:11], "little")


def _aligned(size: int) -> int:
    return -(-size // _WORD) * _WORD
