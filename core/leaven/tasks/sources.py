"""What pools take batches from: sources with random access, which tell the indices of their batches beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError


@runtime_checkable
class RandomAccessSource(Protocol):
    """A source of batches that can be asked for any samples.

    Where it has ``samples_by_indices_nomapping`` as well, that gets the indices; where it has ``is_random_access``,
    that is to be true.
    """

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return the indices of one batch after the other; random numbers are drawn when they are asked for."""

    def samples_by_indices(self, indices: Any) -> Any:
        """Return the batch of these samples."""


class Arrays:
    """Arrays of equal length as a source; a batch is a tuple of what each has at the batch's indices.

    Args:
        arrays: they need ``len()``, and ``[]`` with an array of indices.

    Raises:
        ParameterError: there are none, or their lengths differ.
    """

    def __init__(self, arrays: Sequence[Any]) -> None:
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1:
            raise ParameterError(f"expected arrays of one length, got {sorted(lengths) or 'none'}")
        self._arrays = list(arrays)
        (self._length,) = lengths

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[NDArray[np.int64]]:
        """Return the indices of one pass; the last batch may be smaller.

        Args:
            batch_size: samples in a batch.
            shuffle: a ``numpy.random.RandomState`` or ``Generator``, of which one permutation is drawn; ``True`` for
                numpy's global one; ``None`` or ``False`` for the order of the arrays.

        Raises:
            ParameterError: a value is out of range.
        """
        if type(batch_size) is not int or batch_size < 1:
            raise ParameterError(f"batch_size={batch_size!r}: expected a whole number, at least 1")
        if shuffle is None or shuffle is False:
            order = np.arange(self._length)
        elif shuffle is True or hasattr(shuffle, "permutation"):
            order = (np.random if shuffle is True else shuffle).permutation(self._length)
        else:
            raise ParameterError(f"shuffle={shuffle!r}: expected None, a bool, or a generator of numpy")
        return (order[first : first + batch_size] for first in range(0, self._length, batch_size))

    def samples_by_indices(self, indices: NDArray[np.int64]) -> tuple[Any, ...]:
        """Return a part of each array."""
        return tuple(array[indices] for array in self._arrays)


def source_of(data: Any) -> RandomAccessSource:
    """Return the source that is meant by a source, or by a list or tuple of arrays.

    Raises:
        ParameterError: it is neither, or without random access.
    """
    if isinstance(data, (list, tuple)):
        return Arrays(data)
    if not isinstance(data, RandomAccessSource) or not getattr(data, "is_random_access", True):
        raise ParameterError(
            f"a {type(data).__name__} is no source with random access: expected a list of arrays, or an object with "
            "batch_indices_iterator and samples_by_indices"
        )
    return data


def fetcher(source: RandomAccessSource) -> Callable[[Any], Any]:
    """Return what makes the batch of the indices that ``batch_indices_iterator`` gave."""
    fetch: Callable[[Any], Any] = getattr(source, "samples_by_indices_nomapping", source.samples_by_indices)
    return fetch
