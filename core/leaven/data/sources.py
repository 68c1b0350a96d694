"""Sources: where batches come from, as tuples of arrays; they can be mapped, joined, and worked through as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from leaven.data.index_batches import generator_of
from leaven.errors import ParameterError


class Source:
    """Base of all sources: one pass of batches for each call of ``batch_iterator``.

    ``shuffle`` is the same everywhere: ``None`` or ``False`` keep the order, a whole number is a seed, and a generator
    of numpy (``Generator`` or ``RandomState``) is drawn from directly. ``True`` is a seed as well: that of a source's
    first call is 0, then 1 and so on, so that each pass has an order of its own and a program repeats itself.

    A batch is a tuple of arrays, whose first axis counts the samples; parts of it may be tuples again.
    """

    _turn = 0

    @property
    def is_random_access(self) -> bool:
        """Whether any samples can be asked for by their indices."""
        return False

    def num_samples(self) -> float | None:
        """Return how many samples one ``batch_iterator`` gives: an int, ``math.inf``, or ``None`` for unknown."""
        raise NotImplementedError

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return an iterator over batches.

        Args:
            batch_size: samples in a batch.
            shuffle: how to shuffle, see the class.

        Raises:
            ParameterError: an argument is out of range.
        """
        indices = self.batch_indices_iterator(batch_size, shuffle)
        return map(self.samples_by_indices_nomapping, indices)

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return an iterator over the indices of batches; random numbers are drawn when they are asked for.

        Raises:
            ParameterError: an argument is out of range, or the source has no random access.
        """
        raise self._in_order_only()

    def samples_by_indices_nomapping(self, indices: Any) -> Any:
        """Return the batch of the indices that ``batch_indices_iterator`` gave.

        Raises:
            ParameterError: the source has no random access.
        """
        raise self._in_order_only()

    def samples_by_indices(self, indices: Any) -> Any:
        """Return the batch of samples at positions within the source, which may be part of what the data has.

        Raises:
            ParameterError: the source has no random access.
        """
        raise self._in_order_only()

    def map(self, function: Callable[..., Any]) -> MappedSource:
        """Return a source of ``function(*batch)``, which has to return a tuple."""
        return MappedSource(self, function)

    def batch_map_concat(self, function: Callable[..., Any], batch_size: int, **options: Any) -> tuple[Any, ...]:
        """See :func:`leaven.data.whole_set.batch_map_concat`."""
        from leaven.data.whole_set import batch_map_concat

        return batch_map_concat(self, function, batch_size, **options)

    def batch_map_mean(self, function: Callable[..., Any], batch_size: int, **options: Any) -> tuple[Any, ...]:
        """See :func:`leaven.data.whole_set.batch_map_mean`."""
        from leaven.data.whole_set import batch_map_mean

        return batch_map_mean(self, function, batch_size, **options)

    def _generator(self, shuffle: Any) -> Any:
        generator = generator_of(shuffle, self._turn)
        self._turn += shuffle is True
        return generator

    def _in_order_only(self) -> ParameterError:
        return ParameterError(f"a {type(self).__name__} has no random access: it only gives its batches in their order")


class MappedSource(Source):
    """What a function makes of each batch of another source; made by ``map``.

    Args:
        source: the other source.
        function: called with the parts of a batch; returns a tuple. In a pool, workers call it.
    """

    def __init__(self, source: Source, function: Callable[..., Any]) -> None:
        self._source = source
        self._function = function

    @property
    def is_random_access(self) -> bool:
        """As the other source."""
        return self._source.is_random_access

    def num_samples(self) -> float | None:
        """As the other source."""
        return self._source.num_samples()

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return an iterator over mapped batches."""
        return map(self._mapped, self._source.batch_iterator(batch_size, self._generator(shuffle)))

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """As the other source."""
        return self._source.batch_indices_iterator(batch_size, self._generator(shuffle))

    def samples_by_indices_nomapping(self, indices: Any) -> Any:
        """Return a mapped batch."""
        return self._mapped(self._source.samples_by_indices_nomapping(indices))

    def samples_by_indices(self, indices: Any) -> Any:
        """Return a mapped batch."""
        return self._mapped(self._source.samples_by_indices(indices))

    def _mapped(self, batch: Any) -> tuple[Any, ...]:
        made = self._function(*batch)
        if not isinstance(made, tuple):
            raise ParameterError(f"a mapped function returned a {type(made).__name__}: expected a tuple of arrays")
        return made
