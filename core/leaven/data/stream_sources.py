"""Sources that have an order of their own: what a function returns, or an iterator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from leaven.data.index_batches import check_batch_size
from leaven.data.sources import Source
from leaven.errors import ParameterError


class CallableSource(Source):
    """Batches that a function returns.

    Args:
        function: called with the batch size, and with ``shuffle=`` and a generator of numpy where there is to be one;
            returns an iterable of batches.
        num_samples: how many samples there are, or a function that returns that; ``math.inf`` for no end, ``None`` for
            unknown.

    Raises:
        ParameterError: these are something else.
    """

    def __init__(self, function: Callable[..., Iterable[Any]], num_samples: Any = None) -> None:
        if not callable(function):
            raise ParameterError(f"a {type(function).__name__} is no function that returns batches")
        self._function = function
        self._num_samples = num_samples if callable(num_samples) else _count(num_samples)

    def num_samples(self) -> float | None:
        """Return what was told."""
        return _count(self._num_samples()) if callable(self._num_samples) else self._num_samples

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Call the function."""
        check_batch_size(batch_size)
        generator = self._generator(shuffle)
        return iter(self._function(batch_size) if generator is None else self._function(batch_size, shuffle=generator))


class IteratorSource(Source):
    """Batches as an iterator gives them, whatever size and order are asked for; once.

    Args:
        batches: the iterator.
        num_samples: how many samples it has, ``math.inf`` or ``None``.

    Raises:
        ParameterError: it is none; or batches are asked for a second time.
    """

    def __init__(self, batches: Iterator[Any], num_samples: float | None = None) -> None:
        if not isinstance(batches, Iterator):
            raise ParameterError(f"a {type(batches).__name__} is no iterator over batches")
        self._batches: Iterator[Any] | None = batches
        self._num_samples = _count(num_samples)

    def num_samples(self) -> float | None:
        """Return what was told."""
        return self._num_samples

    def batch_iterator(self, batch_size: int, shuffle: Any = None) -> Iterator[Any]:
        """Return the iterator."""
        batches, self._batches = self._batches, None
        if batches is None:
            raise ParameterError("an iterator gives its batches once; take a function that returns a new one each time")
        return batches


def _count(value: Any) -> float | None:
    if value is None or value == math.inf or (isinstance(value, int) and value >= 0):
        found: float | None = value
        return found
    raise ParameterError(f"num_samples={value!r}: expected a whole number, math.inf or None")
