"""Soft targets: labels as shares of the classes, which can be mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.collators.mixing import Mixing

Targets = NDArray[np.float32]


def soft_targets(labels: Any, rows: int, classes: int | None, key: str) -> Targets:
    """Return labels as float32 shares.

    Args:
        labels: one class number for each row, ``(rows,)`` or ``(rows, 1)``, which becomes ``(rows, classes)``; or
            shares, ``(rows, ...)``, which keep their shape: floats, or integers of more than one for each row.
        rows: how many there are.
        classes: how many there are; needed for class numbers.
        key: what to call the labels in an error.

    Raises:
        ParameterError: ``classes`` is needed.
        LeavenError: the labels are not one for each row, not numbers, or one is not a class.
    """
    found = np.asarray(labels)
    if found.dtype.kind not in "biuf" or found.ndim < 1 or len(found) != rows:
        raise LeavenError(f"{key}: {found.dtype} of shape {found.shape} is no label for each of {rows} rows")
    if found.dtype.kind == "f" or found.size != rows:
        return found.astype(np.float32)
    if classes is None:
        raise ParameterError(f"{key} holds class numbers: say how many classes there are, as in classes = 10")
    numbers = found.reshape(rows).astype(np.int64)
    wrong = np.flatnonzero((numbers < 0) | (numbers >= classes))
    if wrong.size:
        row = int(wrong[0])
        raise LeavenError(f"{key}: class {numbers[row]} in row {row} of the batch, but classes are 0 to {classes - 1}")
    targets = np.zeros((rows, classes), np.float32)
    targets[np.arange(rows), numbers] = 1
    return targets


def without_gaps(labels: Any, valid: NDArray[np.bool_]) -> Any:
    """Return labels that are 0 in the rows that hold no sample, where they may be anything, or ``None`` in a list."""
    if isinstance(labels, np.ndarray):
        filled = labels.copy()
        filled[~valid] = 0
        return filled
    nothing = next((np.zeros_like(label) for label, is_there in zip(labels, valid, strict=True) if is_there), 0.0)
    return [label if is_there else nothing for label, is_there in zip(labels, valid, strict=True)]


def mixed_targets(targets: Targets, mixing: Mixing) -> Targets:
    """Return targets mixed by the same shares as the rows."""
    shares = mixing.lambdas.astype(np.float32).reshape(-1, *[1] * (targets.ndim - 1))
    return shares * targets + (1 - shares) * targets[mixing.partners]
