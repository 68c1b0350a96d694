"""Limits: how much of the data makes an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import ceil
from typing import Any

from leaven.errors import ParameterError


def limited(data: Any, limit: float | None) -> Any:
    """Return data whose epochs have so many iterations at most.

    A loader of leaven gets shorter epochs, which follow each other through the dataset; of other data each epoch is the
    beginning.

    Args:
        data: any iterable.
        limit: how many iterations, or, below 1, which share of them; ``None`` for all.

    Raises:
        ParameterError: the limit is out of range, or a share of data without a length.
    """
    if limit is None:
        return data
    length = length_of(data)
    items = _items(limit, length)
    if length is not None and items >= length:
        return data
    if hasattr(data, "set_epoch_iterations"):
        data.set_epoch_iterations(items)
        return data
    return Beginning(data, items, length is not None)


class Beginning:
    """The first items of each pass over some data."""

    def __init__(self, data: Any, items: int, sized: bool) -> None:
        self._data = data
        self._items = items
        self._sized = sized

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self._data), self._items)

    def __len__(self) -> int:
        if not self._sized:
            raise TypeError("the data has no length")
        return self._items


def length_of(data: Any) -> int | None:
    """Return the number of iterations in one pass over the data, where it is known."""
    try:
        return len(data)
    except TypeError:
        return None


def _items(limit: float, length: int | None) -> int:
    if isinstance(limit, bool) or not limit > 0:
        raise ParameterError(f"limit {limit!r}: expected a number of iterations, or a share between 0 and 1")
    if limit >= 1:
        if limit != int(limit):
            raise ParameterError(f"limit {limit!r}: from 1 on it is a number of iterations, and has to be whole")
        return int(limit)
    if length is None:
        raise ParameterError(f"limit {limit!r}: a share needs data with a length")
    return ceil(limit * length)
