"""Which sample comes when: pure functions of (seed, position), so that a position is all there is to resume from.

The stream of a loader is endless: position ``p`` shows sample ``order(p % n)`` of pass ``p // n`` over the ``n``
samples of the dataset, each pass in an order of its own. An epoch is a stretch of it, by default exactly one pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 8
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Cells(NamedTuple):
    """The samples at some positions: ``epochs[i]`` passes came before sample ``indices[i]``. Both are int64, 1-D."""

    epochs: NDArray[np.int64]
    indices: NDArray[np.int64]


@dataclass(frozen=True)
class Order:
    """The order of ``length`` samples under one seed.

    Args:
        length: number of samples, at least 1.
        seed: any integer.
        shuffle: every pass is a permutation of its own; otherwise the samples come as they are.
    """

    length: int
    seed: int = 0
    shuffle: bool = False

    def cells(self, start: int, stop: int) -> Cells:
        """Return the samples at positions ``start <= p < stop``; any stretch of any pass, without state."""
        epochs, ranks = np.divmod(np.arange(start, stop, dtype=np.int64), self.length)
        if not self.shuffle:
            return Cells(epochs, ranks)
        indices = np.empty_like(ranks)
        for epoch in np.unique(epochs):
            here = epochs == epoch
            indices[here] = permuted(ranks[here], self.length, self.seed, int(epoch))
        return Cells(epochs, indices)


def permuted(ranks: NDArray[np.int64], length: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return what a keyed permutation of ``range(length)`` has at ``ranks``, without making it.

    A Feistel network over pairs ``(rank // columns, rank % columns)`` permutes the ``rows x columns`` grid that just
    holds the range; values outside of the range are sent through again until they fall into it (cycle walking: Black
    and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). The grid exceeds the range by less than one
    row, so that is rare.
    """
    columns = isqrt(length - 1) + 1
    rows = -(-length // columns)
    keys = _round_keys(seed, epoch)
    values = _feistel(ranks.astype(np.uint64), np.uint64(rows), np.uint64(columns), keys)
    outside = values >= length
    while outside.any():
        values[outside] = _feistel(values[outside], np.uint64(rows), np.uint64(columns), keys)
        outside = values >= length
    return values.astype(np.int64)


def _feistel(
    values: NDArray[np.uint64], rows: np.uint64, columns: np.uint64, keys: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    high, low = values // columns, values % columns
    for even, odd in zip(keys[::2], keys[1::2], strict=True):
        high = (high + _mixed(low ^ even) % rows) % rows
        low = (low + _mixed(high ^ odd) % columns) % columns
    return high * columns + low


def _round_keys(seed: int, epoch: int) -> NDArray[np.uint64]:
    start = (seed & _MASK) ^ ((seed >> 64) & _MASK) * _GOLDEN & _MASK
    base = int(_mixed(np.array([start], np.uint64))[0]) ^ epoch
    return _mixed(np.array([(base + (i + 1) * _GOLDEN) & _MASK for i in range(_ROUNDS)], np.uint64))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every input bit flips about half of the output."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))
