"""Labels: a sample's class numbers into their row of a batch, or an error; never a number that wrapped around."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import SampleError, listing, suggestion


def write_label(sample: Mapping[str, Any], key: str, row: NDArray[Any], classes: int | None = None) -> None:
    """Broadcast ``sample[key]`` into ``row``.

    Args:
        sample: has a number, a list or an array under ``key``.
        key: of the label.
        row: any shape and dtype.
        classes: labels have to lie within 0 and ``classes - 1``; ``None`` allows all that fit the row.

    Raises:
        SampleError: (stage ``label``) it is missing, no number, out of range, or of another shape.
    """
    label = _numbers(sample, key)
    if not _fits(label, row.dtype):
        raise _error(f"label {_shown(label)} does not fit the buffer's dtype {row.dtype}")
    if classes is not None and (label.min(initial=0) < 0 or label.max(initial=0) >= classes):
        raise _error(f"label {_shown(label)} is out of range: there are {classes} classes, 0 to {classes - 1}")
    try:
        row[...] = label
    except ValueError:
        raise _error(f"label of shape {label.shape} does not fit rows of shape {row.shape}") from None


def _numbers(sample: Mapping[str, Any], key: str) -> NDArray[Any]:
    if key not in sample:
        names = [str(name) for name in sample]
        raise _error(f"no key {key!r}{suggestion(key, names)}; the sample has: {listing(names)}")
    try:
        label = np.asarray(sample[key])
    except ValueError:  # lists of different lengths
        label = np.asarray(None)
    if label.dtype.kind not in "biuf":
        kind = type(sample[key]).__name__
        raise _error(f"label {str(sample[key])[:80]!r} of type {kind} is no number, or one that is too large")
    return label


def _fits(label: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if dtype.kind in "fc" or np.can_cast(label.dtype, dtype):
        return True
    with np.errstate(invalid="ignore"):  # a float that is no integer of this dtype is found by comparing
        return bool(np.array_equal(label.astype(dtype), label))


def _shown(label: NDArray[Any]) -> str:
    return str(label.item()) if label.ndim == 0 else np.array2string(label, threshold=6)


def _error(message: str) -> SampleError:
    return SampleError(message, stage="label")
