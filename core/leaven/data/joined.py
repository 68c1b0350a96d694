"""Sources that join others: side by side, or batch by batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from leaven.data.batch_shape import length_of, trimmed
from leaven.data.coercion import count_of, source_of
from leaven.data.index_batches import check_batch_size, num_batches
from leaven.data.sources import Source
from leaven.errors import ParameterError


class _Joined(Source):
    """What both have in common: several sources."""

    def __init__(self, sources: Sequence[Any]) -> None:
        if not sources:
            raise ParameterError(f"a {type(self).__name__} needs sources, at least one")
        self._sources = [source_of(source) for source in sources]

    @property
    def is_random_access(self) -> bool:
        """Whether all of the sources are."""
        return all(getattr(source, "is_random_access", False) for source in self._sources)

    def _iterators(self, batch_size: int, generator: Any, of_indices: bool) -> list[Iterator[Any]]:
        check_batch_size(batch_size)
        if of_indices and not self.is_random_access:
            raise self._in_order_only()
        make: Callable[[Source], Callable[..., Iterator[Any]]]
        make = (lambda source: source.batch_indices_iterator) if of_indices else (lambda source: source.batch_iterator)
        return [make(source)(batch_size, generator) for source in self._sources]


class CompositeSource(_Joined):
    """Sources side by side: a batch has a batch of each. It ends with the shortest.

    Each source shuffles for itself; all draw from the same generator, one after the other.

    Args:
        sources: each anything that :func:`~leaven.data.coercion.source_of` takes.
        flatten: one tuple of all parts; otherwise a tuple with one for each source.
        trim: cuts batches that are not equally long to the shortest.

    Raises:
        ParameterError: there are none, or something is no source.
    """

    def __init__(self, sources: Sequence[Any], flatten: bool = True, trim: bool = True) -> None:
        super().__init__(sources)
        self._flatten = flatten
        self._trim = trim

    def num_samples(self) -> float | None:
        """Return how many the shortest has; ``None`` where one does not know."""
        counts = [count_of(source) for source in self._sources]
        known = [count for count in counts if count is not None]
        return min(known) if len(known) == len(counts) else None

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return an iterator over batches of all sources."""
        iterators = self._iterators(batch_size, self._generator(shuffle), of_indices=False)
        return map(self._put_together, zip(*iterators, strict=False))

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return an iterator over tuples with the indices of each source."""
        iterators = self._iterators(batch_size, self._generator(shuffle), of_indices=True)
        return map(self._cut, zip(*iterators, strict=False))

    def samples_by_indices_nomapping(self, indices: Any) -> Any:
        """Return the batch of a tuple of indices, one for each source."""
        return self._gathered(indices, "samples_by_indices_nomapping")

    def samples_by_indices(self, indices: Any) -> Any:
        """Return the batch of a tuple of positions, one for each source."""
        return self._gathered(indices, "samples_by_indices")

    def _gathered(self, indices: Any, method: str) -> Any:
        pairs = zip(self._sources, indices, strict=True)
        return self._put_together(tuple(getattr(source, method)(part) for source, part in pairs))

    def _put_together(self, batches: tuple[Any, ...]) -> tuple[Any, ...]:
        batches = self._cut(batches)
        return tuple(chain.from_iterable(batches)) if self._flatten else batches

    def _cut(self, batches: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self._trim:
            return batches
        length = min(map(length_of, batches))
        return tuple(trimmed(batch, length) for batch in batches)


class ChoiceBatch(NamedTuple):
    """The indices of a batch of one of several sources."""

    sample_indices: Any
    ds_index: int


class ChoiceSource(_Joined):
    """Batches of several sources, each from one of them.

    They come in turn, or each round in an order of its own, until one has no more; what others have left is not used.

    Args:
        sources: each anything that :func:`~leaven.data.coercion.source_of` takes.
        stratified: uses all sources up, as evenly spread as can be, or in an order of chance. All have to know their
            number of samples; where one has no end, they come in turn.

    Raises:
        ParameterError: there are none, or something is no source.
    """

    def __init__(self, sources: Sequence[Any], stratified: bool = False) -> None:
        super().__init__(sources)
        self._stratified = stratified

    def num_samples(self) -> float | None:
        """Return how many all have together; ``None`` where one does not know."""
        counts = [count_of(source) for source in self._sources]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return an iterator over batches."""
        generator = self._generator(shuffle)
        iterators = self._iterators(batch_size, generator, of_indices=False)
        return (batch for _, batch in self._chosen(iterators, batch_size, generator))

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[ChoiceBatch]:
        """Return an iterator over :class:`ChoiceBatch`."""
        generator = self._generator(shuffle)
        iterators = self._iterators(batch_size, generator, of_indices=True)
        return (ChoiceBatch(indices, number) for number, indices in self._chosen(iterators, batch_size, generator))

    def samples_by_indices_nomapping(self, indices: ChoiceBatch) -> Any:
        """Return the batch of a :class:`ChoiceBatch`."""
        return self._sources[indices.ds_index].samples_by_indices_nomapping(indices.sample_indices)

    def samples_by_indices(self, indices: ChoiceBatch) -> Any:
        """Return the batch of a :class:`ChoiceBatch` of positions."""
        return self._sources[indices.ds_index].samples_by_indices(indices.sample_indices)

    def _chosen(self, iterators: list[Iterator[Any]], batch_size: int, generator: Any) -> Iterator[tuple[int, Any]]:
        """Return pairs of a source's number and what comes next of it."""
        counts = [count_of(source) for source in self._sources]
        if not self._stratified or math.inf in counts:
            return _in_rounds(iterators, generator)
        if None in counts:
            raise ParameterError(f"stratified: source {counts.index(None)} does not know how many samples it has")
        order = _spread([num_batches(int(count or 0), batch_size) for count in counts])
        if generator is not None:
            order.sort()
            generator.shuffle(order)
        return _in_order(iterators, order)


def _in_rounds(iterators: list[Iterator[Any]], generator: Any) -> Iterator[tuple[int, Any]]:
    while True:
        order = range(len(iterators)) if generator is None else generator.permutation(len(iterators))
        for number in map(int, order):
            try:
                found = next(iterators[number])
            except StopIteration:
                return
            yield number, found


def _in_order(iterators: list[Iterator[Any]], order: Sequence[int]) -> Iterator[tuple[int, Any]]:
    for place, number in enumerate(order):
        try:
            found = next(iterators[number])
        except StopIteration:
            there, said = order[:place].count(number), order.count(number)
            raise ParameterError(f"stratified: source {number} ended after {there} batches instead of {said}") from None
        yield number, found


def _spread(batches: Sequence[int]) -> list[int]:
    """Return each source's number as often as it has batches: batch k of n comes at the part k / n of the longest."""
    most = max(batches)
    places = [(-(-k * most // count), number) for number, count in enumerate(batches) for k in range(count)]
    return [number for _, number in sorted(places)]
