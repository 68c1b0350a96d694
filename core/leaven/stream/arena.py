"""Arena: one anonymous piece of shared memory, cut into batch slots, that cannot be left behind.

It has no name: once the last process that maps it has gone, so has it. Workers inherit its descriptor.
Layout: one line of 64 bytes for each worker (what it is on), then the slots, on page borders.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, WorkerError
from leaven.stream.buffers import BufferSpec

_ALIGN = 64
_LINE = 64


@dataclass(frozen=True)
class Layout:
    """Where the arrays of one batch lie in its slot.

    ``fields`` maps each key to ``(offset in bytes, spec)``; each array has ``rows`` rows and starts on a cache line.
    """

    rows: int
    fields: Mapping[str, tuple[int, BufferSpec]]
    size: int

    @classmethod
    def of(cls, specs: Mapping[str, BufferSpec], rows: int) -> Layout:
        """Lay out ``specs`` for ``rows`` rows; the same arguments give the same layout in any process."""
        fields, offset = {}, 0
        for key, spec in specs.items():
            fields[key] = (offset, spec)
            offset += -(-spec.row_bytes * rows // _ALIGN) * _ALIGN
        return cls(rows, fields, offset)

    def arrays(self, memory: NDArray[np.uint8], rows: int) -> dict[str, NDArray[Any]]:
        """Return views of the first ``rows`` rows of each array in ``memory``, a slot's bytes."""
        return {
            key: memory[offset : offset + rows * spec.row_bytes].view(spec.dtype).reshape((rows, *spec.shape))
            for key, (offset, spec) in self.fields.items()
        }

    def filled(self, memory: NDArray[np.uint8], rows: int) -> dict[str, NDArray[Any]]:
        """Return the same views, with every row set to its fill value."""
        arrays = self.arrays(memory, rows)
        for key, array in arrays.items():
            array[...] = self.fields[key][1].fill
        return arrays


class Arena:
    """Shared memory for ``slots`` slots of ``slot_bytes`` bytes and one line for each of ``workers`` workers.

    Args:
        fd: descriptor of an arena that another process made; ``None`` makes a new one.

    Raises:
        WorkerError: there is not enough memory; the text says how much is needed.
    """

    def __init__(self, slots: int, slot_bytes: int, workers: int, fd: int | None = None) -> None:
        self.slots = slots
        self._slot_bytes = -(-slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        self._first = -(-workers * _LINE // mmap.PAGESIZE) * mmap.PAGESIZE
        size = self._first + slots * self._slot_bytes
        self.fd = _anonymous(size) if fd is None else fd
        try:
            self._map = mmap.mmap(self.fd, size)
        except (OSError, ValueError) as error:
            raise WorkerError(f"cannot map {size / 1e6:.1f} MB of shared memory: {error}") from error
        self.lines = np.frombuffer(self._map, np.int64, workers * _LINE // 8).reshape(workers, _LINE // 8)

    def slot(self, number: int) -> NDArray[np.uint8]:
        """Return a slot's bytes as an array of its own: nothing else refers to it, so a finalizer on it is a lease."""
        if not 0 <= number < self.slots:
            raise LeavenError(f"no slot {number}: there are {self.slots}")
        return np.frombuffer(self._map, np.uint8, self._slot_bytes, self._first + number * self._slot_bytes)

    def close(self) -> None:
        """Give back the descriptor. The memory goes when the last array that shows it does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def _anonymous(size: int) -> int:
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("leaven", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:  # not Linux: a file that has no name any more
        with tempfile.TemporaryFile(prefix="leaven-") as file:
            fd = os.dup(file.fileno())
    try:
        _reserve(fd, size)
    except OSError as error:
        os.close(fd)
        raise WorkerError(
            f"not enough memory for batches: {size / 1e6:.1f} MB wanted ({error.strerror}); "
            "take a smaller batch_size, fewer workers, or shared_memory=False"
        ) from error
    return fd


def _reserve(fd: int, size: int) -> None:
    """Take the pages now, so that a lack of memory is an error here and no SIGBUS later; forbid to shrink the file."""
    if not hasattr(os, "posix_fallocate"):
        os.ftruncate(fd, size)
        return
    os.posix_fallocate(fd, 0, size)
    import fcntl

    if hasattr(fcntl, "F_ADD_SEALS") and hasattr(os, "memfd_create"):
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
