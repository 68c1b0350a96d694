"""Arrays in shared memory that another process can map: memory without a name, which cannot be left behind."""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, ProtocolError, WorkerError
from leaven.stream.arena import anonymous
from leaven.stream.dtypes import sizes_of

_KINDS = "biufcSUmM"  # plain values of a fixed size


class Memory(mmap.mmap):
    """Shared memory of ``size`` bytes behind the descriptor ``fd``, which is closed when nothing shows it any more.

    Raises:
        WorkerError: it cannot be mapped.
    """

    fd: int
    address: int

    def __new__(cls, fd: int, size: int) -> Memory:
        """Map the memory."""
        try:
            self = super().__new__(cls, fd, size)
        except (OSError, ValueError, OverflowError) as error:
            os.close(fd)
            raise WorkerError(f"cannot map {size / 1e6:.1f} MB of shared memory: {error}") from error
        self.fd = fd
        self.address = address_of(np.frombuffer(self, np.uint8))
        _mapped[self.address] = self
        return self

    def __del__(self) -> None:
        os.close(self.fd)


_mapped: weakref.WeakValueDictionary[int, Memory] = weakref.WeakValueDictionary()


def shared_array(shape: int | Sequence[int], dtype: Any = "float32") -> NDArray[Any]:
    """Return an array of zeros that other processes can share.

    Raises:
        ParameterError: ``shape`` is none, or ``dtype`` is not one of plain values.
        WorkerError: there is not enough memory.
    """
    kept = _plain(dtype)
    sizes = sizes_of(shape, "shared array")
    size = max(1, prod(sizes) * kept.itemsize)
    return np.ndarray(sizes, kept, Memory(anonymous(size, "leaven-array"), size))


def descriptor_of(array: NDArray[Any]) -> dict[str, Any]:
    """Return what :func:`attach_array` needs in another process: plain data, also for JSON.

    It is good for as long as the array lives. Whoever is to use it has to run on the same machine, as the same user.

    Args:
        array: made by :func:`shared_array` or :func:`attach_array`, or any view of one.

    Raises:
        ParameterError: it does not lie in shared memory.
    """
    memory = memory_of(array)
    return {
        **handle(memory.fd),
        "size": len(memory),
        "offset": address_of(array) - memory.address,
        "shape": list(array.shape),
        "strides": list(array.strides),
        "dtype": array.dtype.str,
    }


def attach_array(descriptor: Mapping[str, Any]) -> NDArray[Any]:
    """Return the array that :func:`descriptor_of` described in another process: the same memory, not a copy.

    Raises:
        ProtocolError: this is no descriptor of an array.
        WorkerError: the array does not exist any more.
    """
    try:
        offset, shape, strides = (descriptor[name] for name in ("offset", "shape", "strides"))
        dtype = _plain(descriptor["dtype"])
        size = int(descriptor["size"])
        memory = Memory(opened(descriptor), size)
        return np.ndarray(tuple(shape), dtype, memory, offset, tuple(strides))
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"not the descriptor of a shared array: {error!r}") from error


def memory_of(array: NDArray[Any]) -> Memory:
    """Return the shared memory that ``array`` lies in.

    Raises:
        ParameterError: it does not.
    """
    address = address_of(array)
    for start, memory in list(_mapped.items()):
        if start <= address < start + len(memory):
            return memory
    raise ParameterError(f"array of shape {array.shape} does not lie in shared memory; make it by shared_array")


def address_of(array: NDArray[Any]) -> int:
    """Return where the first element of an array lies in this process."""
    address: int = array.__array_interface__["data"][0]
    return address


def handle(fd: int) -> dict[str, int]:
    """Return what another process needs to open what is behind a descriptor of this one."""
    status = os.fstat(fd)
    return {"pid": os.getpid(), "fd": fd, "device": status.st_dev, "inode": status.st_ino}


def opened(handle: Mapping[str, Any], flags: int = os.O_RDWR) -> int:
    """Return a new descriptor of what :func:`handle` is of: in the process that made it, or inherited from that.

    Raises:
        WorkerError: it does not exist any more, or belongs to another user.
    """
    pid, fd, wanted = int(handle["pid"]), int(handle["fd"]), (handle["device"], handle["inode"])
    for path in (f"/proc/{pid}/fd/{fd}", f"/proc/self/fd/{fd}"):
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) == wanted:  # the number may mean something else by now
                return os.open(path, flags | os.O_CLOEXEC)
        except OSError:
            continue
    raise WorkerError(
        f"no shared memory behind descriptor {fd} of process {pid}: it has been given back, the process has ended, "
        "or it is another user's or another machine's"
    )


def _plain(dtype: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError as error:
        raise ParameterError(f"dtype {dtype!r}: {error}") from error
    if found.kind not in _KINDS or not found.itemsize:
        raise ParameterError(f"dtype {found}: shared memory takes numbers, times and strings of a fixed size")
    return found
