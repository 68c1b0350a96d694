"""Draws: chance as a pure function of seed, epoch and rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leaven.stream.order import permuted

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RANGE = 1 << 62


def uniform(ranks: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.float64]:
    """Return a number ``0 <= u < 1`` for each rank, evenly distributed.

    What a permutation of ``2**62`` numbers has at a rank is as good as drawn at random: no two of 10^9 such draws would
    be expected to be equal either.
    """
    return (permuted(ranks, _RANGE, seed, epoch) >> 9).astype(np.float64) * 2.0**-53


def endless(
    places: NDArray[np.int64],
    lengths: int | NDArray[np.int64],
    seed: int,
    stream: int | NDArray[np.int64],
    streams: int,
) -> NDArray[np.int64]:
    """Return what endless streams of shuffled passes over ``range(length)`` have: each number once in each pass.

    Ranges are permuted within the next power of two, so that those of many lengths take few calls: with 1000 classes
    that costs 1.4 us for each place, and 50 us with a call for each class.

    Args:
        places: in the stream, each at least 0.
        lengths: of the ranges, each at least 1; one for each place, or the same for all.
        seed: any integer.
        stream: which of the streams under this seed it is, ``0 <= stream < streams``, each of which has orders of its
            own; one for each place, or the same for all.
        streams: how many there are.
    """
    lengths = np.broadcast_to(lengths, places.shape)
    passes, within = np.divmod(places, lengths)
    numbers = passes * streams + stream
    exponents = np.frexp(lengths - 1.0)[1]
    found = np.empty_like(places)
    for exponent in np.unique(exponents).tolist():
        here = exponents == exponent
        found[here] = _walked(within[here], lengths[here], 1 << exponent, seed, numbers[here])
    return found


def _walked(
    values: NDArray[np.int64], lengths: NDArray[np.int64], domain: int, seed: int, numbers: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Permute within a larger range, again for those that come out beyond their own."""
    values = permuted(values, domain, seed, numbers)
    outside = np.flatnonzero(values >= lengths)
    while len(outside):
        values[outside] = permuted(values[outside], domain, seed, numbers[outside])
        outside = outside[values[outside] >= lengths[outside]]
    return values
