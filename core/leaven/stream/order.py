"""Which sample comes when: pure functions of (seed, position), so that a position is all there is to resume from.

The stream of a loader is endless: position ``p`` shows sample ``indices(p // n, p % n)`` of passes of ``n`` samples,
which a sampler lays over the dataset, each pass in an order of its own. An epoch is a stretch of it, by default exactly
one pass.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError

if TYPE_CHECKING:
    from leaven.protocols import Pass, Sampler

_ROUNDS = 8
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_EPOCH_BITS = 32
LAST_EPOCH = (1 << _EPOCH_BITS) - 1
"""The largest number of an epoch; what lies above these bits tells appearances within a pass apart."""

_LAST_RANK = (1 << 31) - 1
_STEPS = np.array([[(i + 1) * _GOLDEN & _MASK] for i in range(_ROUNDS)], np.uint64)


class Cells(NamedTuple):
    """The samples at some positions: ``epochs[i]`` passes came before sample ``indices[i]``. Both are int64, 1-D.

    Where a pass may show a sample several times, ``epochs`` tell these apart as well, so that each is augmented in a
    way of its own: :func:`epoch_of` gives the number of passes.
    """

    epochs: NDArray[np.int64]
    indices: NDArray[np.int64]


@dataclass(frozen=True)
class Order:
    """The endless stream of a sampler's passes over a dataset.

    Args:
        passes: what the sampler has laid over the dataset.
        size: how many samples the dataset has; a pass may show fewer of them, or some of them repeatedly.
        name: what errors call the sampler.

    Raises:
        ParameterError: a pass has no samples.
    """

    passes: Pass
    size: int
    name: str

    def __post_init__(self) -> None:
        length = self.passes.length
        if isinstance(length, bool) or not isinstance(length, int) or length < 1:
            raise ParameterError(f"{self.name}: a pass has length {length!r}: expected a whole number, at least 1")

    @classmethod
    def of(cls, sampler: Sampler, dataset: Sized, seed: int) -> Order:
        """Return the order in which ``sampler`` goes over ``dataset``, which has at least one sample."""
        return cls(sampler.over(dataset, seed), len(dataset), f"sampler {type(sampler).__name__}")

    @property
    def length(self) -> int:
        """Samples in one pass."""
        return self.passes.length

    def cells(self, start: int, stop: int) -> Cells:
        """Return the samples at positions ``start <= p < stop``; any stretch of any pass, without state.

        Raises:
            ParameterError: the sampler gave something else than positions in the dataset.
        """
        length = self.length
        epochs, ranks = np.divmod(np.arange(start, stop, dtype=np.int64), length)
        indices = np.empty_like(ranks)
        for epoch in range(start // length, -(-stop // length) if stop > start else 0):
            here = slice(max(epoch * length - start, 0), (epoch + 1) * length - start)
            indices[here] = self._indices(epoch, ranks[here])
        if getattr(self.passes, "repeats", False):
            epochs |= ((ranks + 1) & _LAST_RANK) << _EPOCH_BITS
        return Cells(epochs, indices)

    def _indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        indices = np.asarray(self.passes.indices(epoch, ranks))
        if indices.dtype.kind not in "iu" or indices.shape != ranks.shape:
            raise ParameterError(
                f"{self.name}: pass {epoch}: asked for {len(ranks)} samples: expected as many integers, "
                f"got {indices.dtype} of shape {indices.shape}"
            )
        lowest, highest = indices.min(), indices.max()
        if lowest < 0 or highest >= self.size:
            raise ParameterError(
                f"{self.name}: pass {epoch}: there is no sample {lowest if lowest < 0 else highest}; "
                f"the dataset has samples 0 to {self.size - 1}"
            )
        return indices


def epoch_of(epoch: int) -> int:
    """Return how many passes came before, from one of the ``epochs`` of :class:`Cells`."""
    return epoch & LAST_EPOCH


def permuted(ranks: NDArray[np.int64], length: int, seed: int, number: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what a keyed permutation of ``range(length)`` has at ``ranks``, without making it.

    A Feistel network over pairs ``(rank // columns, rank % columns)`` permutes the ``rows x columns`` grid that just
    holds the range; values outside of the range are sent through again until they fall into it (cycle walking: Black
    and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). The grid exceeds the range by less than one
    row, so that is rare.

    Args:
        ranks: int64, 1-D, each ``0 <= rank < length``.
        length: of the range, at least 1.
        seed: any integer; its lower 128 bits count.
        number: which permutation of this seed, such as the epoch: ``0 <= number < 2**63``; or one for each rank.
    """
    columns = isqrt(length - 1) + 1
    rows = -(-length // columns)
    keys = np.broadcast_to(_round_keys(seed, np.asarray(number, np.uint64)), (_ROUNDS, len(ranks)))
    values = _feistel(ranks.astype(np.uint64), np.uint64(rows), np.uint64(columns), keys)
    outside = values >= length
    while outside.any():
        values[outside] = _feistel(values[outside], np.uint64(rows), np.uint64(columns), keys[:, outside])
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


def _round_keys(seed: int, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return keys ``(rounds, numbers)``; one column for a single number."""
    start = (seed & _MASK) ^ ((seed >> 64) & _MASK) * _GOLDEN & _MASK
    return _mixed((_mixed(np.array([start], np.uint64)) ^ numbers) + _STEPS)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every input bit flips about half of the output."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))
