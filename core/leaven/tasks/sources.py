"""What pools take batches from: sources with random access, which tell the indices of their batches beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

from leaven.data.array_source import ArraySource
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


def source_of(data: Any) -> RandomAccessSource:
    """Return the source that is meant by a source, or by a list or tuple of arrays.

    Raises:
        ParameterError: it is neither, or without random access.
    """
    if isinstance(data, (list, tuple)):
        return ArraySource(data)
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
