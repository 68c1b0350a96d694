"""Hot vectors: lists of classes as rows of a matrix, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError

Classes = int | str | Iterable[int]


def hotvec2mtx(labels: Sequence[Classes], nclasses: int, on: float = 1.0, off: float = 0.0) -> NDArray[np.float32]:
    """Return a matrix with a row for each label: ``on`` in the columns of its classes, ``off`` in the others.

    Args:
        labels: of each row one class, several, or several as text, such as ``"0,2"``; ``""`` has none.
        nclasses: number of columns.
        on: value of the label's classes, such as ``0.9`` to smooth them.
        off: value of the other classes.

    Returns:
        float32 ``(len(labels), nclasses)``.

    Raises:
        ParameterError: a class is not a whole number from 0 to below ``nclasses``.
    """
    matrix = np.full((len(labels), nclasses), off, np.float32)
    for row, label in enumerate(labels):
        for column in _classes(label):
            if not 0 <= column < nclasses:
                raise ParameterError(f"labels[{row}] is {label!r}; expected classes from 0 to {nclasses - 1}")
            matrix[row, column] = on
    return matrix


def mtx2hotvec(matrix: Any, off: float = 0.0) -> list[list[int]]:
    """Return the classes of each row: the columns that are not ``off``.

    Args:
        matrix: ``(rows, classes)``, an array or whatever becomes one.
        off: what :func:`hotvec2mtx` was told.

    Raises:
        ParameterError: ``matrix`` has not two dimensions.
    """
    values = np.asarray(matrix)
    if values.ndim != 2:
        raise ParameterError(f"matrix has {values.ndim} dimensions; expected (rows, classes)")
    return [np.flatnonzero(row).tolist() for row in values != values.dtype.type(off)]


def _classes(label: Classes) -> list[int]:
    try:
        if isinstance(label, str):
            return [int(part) for part in label.split(",") if part.strip()]
        return [index(part) for part in label] if isinstance(label, Iterable) else [index(label)]
    except (TypeError, ValueError):
        raise ParameterError(f"label {label!r} is not a class, several, or text such as '0,2'") from None
