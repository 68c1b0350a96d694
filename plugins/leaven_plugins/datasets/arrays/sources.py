"""Things that are indexed like an array: one row, several rows, all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def row_of(source: Any, position: int) -> Any:
    """Return one row as plain data: a number of Python, an array of numpy (a view where there is one), or as it is."""
    return _plain(source[position])


def rows_of(source: Any, positions: NDArray[np.int64]) -> Any:
    """Return several rows, in this order and as often as they are asked for: an array where they make one, else a list.

    Args:
        source: an array of numpy, a tensor, a list, or what reads from a file.
        positions: ``(k,)``, all of them within the length.
    """
    if isinstance(source, np.ndarray) or hasattr(source, "detach"):
        return _plain(source[positions])
    if hasattr(source, "dtype") and hasattr(source, "shape"):
        # Files, such as those of HDF5, take indices that rise, and each of them once.
        unique, back = np.unique(positions, return_inverse=True)
        return np.asarray(source[unique])[back] if len(unique) else np.asarray(source[0:0])
    return stacked([row_of(source, position) for position in positions.tolist()])


def all_of(source: Any) -> Any:
    """Return all rows: an array where they make one, else a list."""
    if isinstance(source, np.ndarray):
        return source
    if hasattr(source, "detach") or hasattr(source, "shape"):
        return _plain(source[:])
    return stacked([row_of(source, position) for position in range(len(source))])


def stacked(rows: list[Any]) -> Any:
    """Return numbers or arrays of one shape and type as an array, anything else as the list that it is.

    Text and bytes stay a list: numpy cuts zero bytes off their ends.
    """
    if all(isinstance(row, np.ndarray) for row in rows):
        return np.stack(rows) if len({(row.dtype, row.shape) for row in rows}) == 1 else rows
    kinds = {type(row) for row in rows}
    is_whole = kinds == {int} and all(-(1 << 63) <= row < 1 << 63 for row in rows)
    return np.array(rows) if is_whole or kinds in ({bool}, {float}) else rows


def _plain(value: Any) -> Any:
    if hasattr(value, "detach"):  # a tensor of torch; the array shows the same memory
        value = value.detach().cpu().numpy()
    return value.item() if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 else value
