"""Arrays, and what is like them: anything with ``len()``, and ``[]`` that takes an array of indices; also lists."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError


def common_length(arrays: Collection[Any]) -> int:
    """Return how many samples arrays have.

    Raises:
        ParameterError: there are none, their lengths differ, or something has no length.
    """
    lengths = {_length(array) for array in arrays}
    if len(lengths) != 1:
        raise ParameterError(f"expected arrays of one length, got {sorted(lengths) or 'none'}")
    return lengths.pop()


def take(array: Any, indices: NDArray[np.int64] | slice) -> Any:
    """Return what an array has at ``indices``; of a list or tuple, a list of that."""
    if isinstance(array, (list, tuple)):
        return [array[index] for index in _positions(indices, len(array))]
    return array[indices]


def _positions(indices: NDArray[np.int64] | slice, length: int) -> Any:
    return range(length)[indices] if isinstance(indices, slice) else indices


def _length(array: Any) -> int:
    if isinstance(array, (str, bytes)):
        raise ParameterError(f"{array[:80]!r} is no array of samples; leaven.open takes names and paths")
    try:
        return len(array)
    except TypeError as error:
        raise ParameterError(f"a {type(array).__name__} is no array of samples: {error}") from error
