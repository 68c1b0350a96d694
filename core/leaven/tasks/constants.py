"""Constants: arguments that cross once to each worker, however many tasks have them; large arrays not even once."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.stream.shared import attach_array, descriptor_of, shared_array
from leaven.tasks.arrays import shared_from_plain, shared_to_plain, shared_zeros

LARGE = 1 << 16
"""Bytes from which an array is rather shared than copied, where it can be."""

_KEPT = 16  # constants that a worker keeps; one that was dropped is read from shared memory again

_numbers = itertools.count()
_read: OrderedDict[int, Any] = OrderedDict()


class Sharing:
    """Puts arrays into shared memory, and keeps them there for as long as it lives."""

    def __init__(self) -> None:
        self._arrays: list[NDArray[Any]] = []

    def share(self, array: NDArray[Any]) -> list[Any]:
        """Return an array by reference to a copy in shared memory.

        Raises:
            WorkerError: there is not enough memory.
        """
        copy = shared_zeros(array.shape, array.dtype)
        copy[...] = array
        self._arrays.append(copy)
        return shared_to_plain(copy)


class SharedConstant:
    """Stands for a value among a task's arguments; made by ``WorkerProcessPool.shared_constant``.

    Args:
        data: the value, packed.
        sharing: keeps the arrays that are not within ``data``.
    """

    def __init__(self, data: bytes, sharing: Sharing) -> None:
        self._number = next(_numbers)  # never given twice, unlike an ``id``
        self._sharing = sharing
        self._data = shared_array(len(data), "uint8")
        self._data[...] = np.frombuffer(data, np.uint8)

    def to_plain(self) -> dict[str, Any]:
        """Return what a worker needs to read the value, while this object lives."""
        return {"number": self._number, "data": descriptor_of(self._data)}


def constant_from_plain(plain: Mapping[str, Any], unpack: Callable[[bytes], Any]) -> Any:
    """Return a constant's value, the same object each time; only ever called in workers of one process.

    Raises:
        WorkerError: the constant does not exist any more.
    """
    number = plain["number"]
    if number not in _read:
        _read[number] = unpack(attach_array(plain["data"]).tobytes())
    _read.move_to_end(number)
    while len(_read) > _KEPT:
        _read.popitem(last=False)
    return _read[number]


def shared_array_of(plain: list[Any]) -> NDArray[Any]:
    """Return an array that :meth:`Sharing.share` made: not writable, since all workers see the same."""
    array = shared_from_plain(plain)
    array.flags.writeable = False
    return array
