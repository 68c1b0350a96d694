"""What several samplers check of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import has_getter
from leaven.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray


_MOST = 1 << 40  # so that places in 2**22 passes are numbers of 63 bits


def check_counts(sampler: str, **numbers: Any) -> None:
    """Raise a ``ParameterError`` for a value that is no whole number, at least 1."""
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ParameterError(f"{sampler}: {name}={value!r}: expected a whole number, at least 1")


def check_lengths(sampler: str, **numbers: Any) -> None:
    """Raise the same, also for a value that is too large to count passes by."""
    check_counts(sampler, **numbers)
    for name, value in numbers.items():
        if value > _MOST:
            raise ParameterError(f"{sampler}: {name}={value!r}: expected at most {_MOST}")


def check_readable(sampler: str, dataset: Any, name: str) -> None:
    """Raise a ``ParameterError`` where a dataset is not one that samples' fields can be read from."""
    if not (hasattr(dataset, "sample") or has_getter(dataset, name) or hasattr(dataset, f"getall_{name}")):
        raise ParameterError(f"{sampler}: a {type(dataset).__name__} cannot tell the {name!r} of its samples")


def whole_numbers(sampler: str, name: str, values: Any) -> NDArray[Any]:
    """Return values as an array; raises a ``ParameterError`` for lists of different lengths."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ParameterError(f"{sampler}: {name}: expected whole numbers in a row: {error}") from error


def positions_in(sampler: str, indices: Sequence[int] | NDArray[Any], size: int) -> NDArray[np.int64]:
    """Return positions in a dataset of ``size`` samples as an array, int64, 1-D.

    Raises:
        ParameterError: there are none, or they are something else.
    """
    found = whole_numbers(sampler, "indices", indices)
    if found.ndim != 1 or not len(found) or found.dtype.kind not in "iu":
        raise ParameterError(
            f"{sampler}: indices: expected whole numbers, at least one, got {found.dtype} of shape {found.shape}"
        )
    lowest, highest = found.min(), found.max()
    if lowest < 0 or highest >= size:
        raise ParameterError(
            f"{sampler}: indices: there is no sample {lowest if lowest < 0 else highest}; "
            f"the dataset has samples 0 to {size - 1}"
        )
    return found.astype(np.int64)
