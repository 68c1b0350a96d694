"""Locking: pages of shared memory that CUDA reads without a detour, until the memory is unmapped."""

from __future__ import annotations

import logging
import mmap
import weakref
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven.stream.shared import address_of

log = logging.getLogger("leaven.feed")

_PORTABLE = 1  # cudaHostRegisterPortable: for all devices of the process


def lock(memory: mmap.mmap, address: int) -> int:
    """Lock the pages of a mapping for CUDA, for as long as it lives; return CUDA's error, or 0.

    Args:
        memory: of a subclass of ``mmap.mmap``: what refers to a plain one learns of its end too late.
        address: where it is mapped.
    """
    cuda: Any = torch.cuda.cudart()  # type: ignore[no-untyped-call]
    failed = int(cuda.cudaHostRegister(address, len(memory), _PORTABLE))
    if failed:
        _forget_the_error()
    else:
        # called before the memory is unmapped; at the end of the process the driver does it
        weakref.finalize(memory, cuda.cudaHostUnregister, address).atexit = False
    return failed


def _forget_the_error() -> None:
    """CUDA tells an error that nobody has asked for once more after the next kernel: here, and not to the network."""
    with suppress(RuntimeError, AssertionError):  # the latter where torch was built without CUDA
        torch.zeros(1, device="cuda").add_(1)


class Locks:
    """Locks the mappings that arrays lie in, each once. Where CUDA refuses one, it is left as it is."""

    def __init__(self) -> None:
        self._tried: weakref.WeakKeyDictionary[mmap.mmap, bool] = weakref.WeakKeyDictionary()

    def covers(self, array: NDArray[Any]) -> bool:
        """Return whether the array lies in a mapping whose pages are locked; lock them where that was not tried."""
        memory = mapping_of(array)
        if memory is None or type(memory) is mmap.mmap:
            return False
        if memory not in self._tried:
            failed = lock(memory, address_of(np.frombuffer(memory, np.uint8)))
            self._tried[memory] = not failed
            if failed:
                log.warning(
                    "CUDA cannot lock %.1f MB of memory (error %d): batches are copied once more on their way",
                    len(memory) / 1e6,
                    failed,
                )
        return self._tried[memory]


def mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    """Return the mapping that an array shows, or ``None`` where it lies in other memory."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    base = base.obj if isinstance(base, memoryview) else base
    return base if isinstance(base, mmap.mmap) else None
