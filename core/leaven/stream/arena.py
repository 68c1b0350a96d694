"""Arena: one anonymous piece of shared memory, cut into batch slots, that cannot be left behind.

It has no name: once the last process that maps it has gone, so has it. Workers inherit its descriptor.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, WorkerError
from leaven.stream.buffers import BufferSpec

_ALIGN = 64


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

    def empty(self, rows: int) -> dict[str, NDArray[Any]]:
        """Return new arrays of ``rows`` rows, every row set to its fill value."""
        return {key: spec.allocate(rows) for key, (_, spec) in self.fields.items()}

    def filled(self, memory: NDArray[np.uint8], rows: int) -> dict[str, NDArray[Any]]:
        """Return the same views, with every row set to its fill value."""
        arrays = self.arrays(memory, rows)
        for key, array in arrays.items():
            spec = self.fields[key][1]
            if spec.fill is not None:
                array[...] = spec.fill
        return arrays


class _Map(mmap.mmap):
    """What refers to it weakly learns of its end before it is unmapped, as it would not of a plain one's."""


class Arena:
    """Shared memory for ``slots`` slots of ``slot_bytes`` bytes, each on page borders.

    Args:
        fd: descriptor of an arena that another process made; ``None`` makes a new one.

    Raises:
        WorkerError: there is not enough memory; the text says how much is needed and how much there is.
    """

    def __init__(self, slots: int, slot_bytes: int, fd: int | None = None) -> None:
        self.slots = slots
        self._slot_bytes = -(-slot_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        size = max(slots * self._slot_bytes, mmap.PAGESIZE)
        self.fd = anonymous(size) if fd is None else fd
        try:
            self._map = _Map(self.fd, size)
        except (OSError, ValueError) as error:
            raise WorkerError(f"cannot map {size / 1e6:.1f} MB of shared memory: {error}") from error

    def slot(self, number: int) -> NDArray[np.uint8]:
        """Return a slot's bytes as an array of its own: nothing else refers to it, so a finalizer on it is a lease."""
        if not 0 <= number < self.slots:
            raise LeavenError(f"no slot {number}: there are {self.slots}")
        return np.frombuffer(self._map, np.uint8, self._slot_bytes, number * self._slot_bytes)

    def close(self) -> None:
        """Give back the descriptor. The memory goes when the last array that shows it does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def anonymous(size: int, name: str = "leaven-arena") -> int:
    """Return the descriptor of new shared memory without a name in any file system.

    Raises:
        WorkerError: there is not enough memory.
    """
    free = free_memory()
    if size > free:
        raise _shortage(size, f"{free / 1e6:.1f} MB are free")
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    else:  # not Linux: a file that has no name any more
        with tempfile.TemporaryFile(prefix=name) as file:
            fd = os.dup(file.fileno())
    try:
        _reserve(fd, size)
    except OSError as error:
        os.close(fd)
        raise _shortage(size, str(error.strerror)) from error
    return fd


def free_memory() -> float:
    """Return how many bytes there are for shared memory: of the machine, or of the container that this process is in.

    It is asked before, since beyond a container's limit the kernel kills the process instead of refusing.
    """
    found = [float("inf")]
    with contextlib.suppress(OSError, ValueError, IndexError):
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    with contextlib.suppress(OSError, ValueError, IndexError):
        found.append(_container_memory(Path("/sys/fs/cgroup"), Path("/proc/self/cgroup").read_text()))
    return max(0.0, min(found))


def _container_memory(root: Path, groups: str) -> float:
    """Return what a version 2 control group leaves; page cache that can be dropped counts as free."""
    own = next(line.split("::", 1)[1] for line in groups.splitlines() if "::" in line)
    folder = root / own.strip("/")
    limit = (folder / "memory.max").read_text().strip()
    if limit == "max":
        return float("inf")
    used = int((folder / "memory.current").read_text())
    statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(limit) - used + int(statistics.get("inactive_file", 0))


def _shortage(size: int, why: str) -> WorkerError:
    return WorkerError(
        f"not enough memory for batches: {size / 1e6:.1f} MB wanted ({why}); "
        "take a smaller batch_size, fewer workers, a smaller shared_memory, or shared_memory=False"
    )


def _reserve(fd: int, size: int) -> None:
    """Take the pages now, so that a lack of memory is an error here and no SIGBUS later; forbid to shrink the file."""
    if not hasattr(os, "posix_fallocate"):
        os.ftruncate(fd, size)
        return
    os.posix_fallocate(fd, 0, size)
    import fcntl

    if hasattr(fcntl, "F_ADD_SEALS") and hasattr(os, "memfd_create"):
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
