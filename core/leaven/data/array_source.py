"""ArraySource: batches of arrays that lie side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaven.data.arrays import common_length, take
from leaven.data.index_batches import ENDLESS, check_batch_size, check_repeats, index_batches, seed_of
from leaven.data.orders import order_of
from leaven.data.sources import Source
from leaven.errors import ParameterError

if TYPE_CHECKING:
    from leaven.protocols import Sampler
    from leaven.stream.order import Order


class ArraySource(Source):
    """Arrays of equal length; a batch is a tuple of a part of each.

    Args:
        arrays: a list or tuple of them: they need ``len()``, and ``[]`` that takes a slice and an array of indices.
            Lists will do.
        indices: positions of the samples that are used; by default all.
        repeats: how many passes ``batch_iterator`` makes, ``-1`` for no end. Batches run across the ends of passes.
        sampler: spec, table or instance of kind ``sampler``, one pass of which is made; ``shuffle`` is its seed.
        include_indices: puts positions in ``arrays`` in front of each batch, int64.

    Raises:
        ParameterError: these are no arrays of one length, a value is out of range, or a sampler goes together with
            ``indices`` or ``repeats``, which it says itself.
    """

    def __init__(
        self,
        arrays: Sequence[Any],
        indices: Sequence[int] | NDArray[Any] | None = None,
        repeats: int = 1,
        sampler: Sampler | str | dict[str, Any] | None = None,
        include_indices: bool = False,
    ) -> None:
        if not isinstance(arrays, (list, tuple)):
            raise ParameterError(f"expected a list of arrays, not a {type(arrays).__name__}")
        check_repeats(repeats)
        if sampler is not None and (indices is not None or repeats != 1):
            raise ParameterError("a sampler says itself which samples come, and how many: no indices, no repeats")
        self._arrays = list(arrays)
        self._length = common_length(arrays)
        self._indices = None if indices is None else _checked(indices, self._length)
        self._repeats = repeats
        self._sampler = sampler
        self._include_indices = include_indices

    @property
    def is_random_access(self) -> bool:
        """It is."""
        return True

    def num_samples(self) -> float:
        """Return how many samples all passes together have."""
        if self._sampler is not None:
            return self._order(0).length
        count = self._length if self._indices is None else len(self._indices)
        return count * self._repeats if self._repeats != ENDLESS else math.inf if count else 0

    def batch_indices_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[NDArray[np.int64]]:
        """Return an iterator over positions in the arrays, int64."""
        check_batch_size(batch_size)
        generator = self._generator(shuffle)
        if self._sampler is not None:
            order = self._order(seed_of(generator))
            starts = range(0, order.length, batch_size)
            return (order.cells(start, min(start + batch_size, order.length)).indices for start in starts)
        indices = np.arange(self._length) if self._indices is None else self._indices
        return index_batches(indices, self._repeats, batch_size, generator)

    def samples_by_indices_nomapping(self, indices: NDArray[np.int64] | slice) -> tuple[Any, ...]:
        """Return a part of each array, at positions in these."""
        parts = tuple(take(array, indices) for array in self._arrays)
        return (self._positions(indices), *parts) if self._include_indices else parts

    def samples_by_indices(self, indices: Any) -> tuple[Any, ...]:
        """Return a part of each array; positions are those among the samples that are used."""
        return self.samples_by_indices_nomapping(indices if self._indices is None else self._indices[indices])

    def __len__(self) -> int:
        return self._length

    def _order(self, seed: int) -> Order:
        assert self._sampler is not None
        return order_of(self, self._sampler, seed)

    def _positions(self, indices: Any) -> Any:
        return np.arange(self._length)[indices] if isinstance(indices, slice) else indices


def _checked(indices: Any, length: int) -> NDArray[np.int64]:
    try:
        found = np.asarray(indices, None if np.size(indices) else np.int64)
    except ValueError as error:
        raise ParameterError(f"indices: expected whole numbers in a row: {error}") from error
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ParameterError(f"indices: expected whole numbers, got {found.dtype} of shape {found.shape}")
    if len(found) and not 0 <= found.min() <= found.max() < length:
        raise ParameterError(f"indices: {found.min()} to {found.max()}: the arrays have samples 0 to {length - 1}")
    return found.astype(np.int64)
