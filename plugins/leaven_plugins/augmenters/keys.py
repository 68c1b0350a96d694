"""Keys: from which number the chance of each row grows, whatever other rows are in its batch."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.augmenters.batch import Values

_STEP = np.uint64(0x9E3779B97F4A7C15)


def row_keys(values: Sequence[Values], seed: int, call: int) -> NDArray[np.uint64]:
    """Return a key of 64 bits for each row.

    Args:
        values: where a row has a ``cell``, the epoch and the sample's position in the dataset, the key is made of this;
            otherwise of ``call`` and the row's number, so that it depends on what else there is.
        seed: any integer; its lowest 64 bits count.
        call: how many batches came before.

    Raises:
        ParameterError: a ``cell`` is not two whole numbers.
    """
    cells = [_cell(row.get("cell") or (-1 - call, number)) for number, row in enumerate(values)]
    numbers = np.array(cells, np.int64).reshape(-1, 2).astype(np.uint64)
    key = _mixed(np.full(len(values), seed & 0xFFFFFFFFFFFFFFFF, np.uint64))
    for part in numbers.T:
        key = _mixed(key ^ part)
    return key


def halves(keys: NDArray[np.uint64], op: str) -> NDArray[np.int32]:
    """Return the keys of one op, ``(rows, 2)``: tensors have no whole numbers of 64 bits without a sign."""
    salted = _mixed(keys ^ np.uint64(crc32(op.encode())))
    return np.ascontiguousarray(salted).view(np.int32).reshape(-1, 2)


def _cell(cell: Any) -> tuple[int, int]:
    try:
        epoch, index = map(operator.index, cell)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"cell is {cell!r}; it has to be two whole numbers, as a worker writes it") from error
    return epoch, index


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return SplitMix64's next output (Steele, Lea and Flood, Fast Splittable Pseudorandom Generators, OOPSLA 2014)."""
    mixed = numbers + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result
