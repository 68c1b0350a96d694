"""Shuffle: every pass is a permutation of the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaven.stream.order import permuted

if TYPE_CHECKING:
    from collections.abc import Sized

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Shuffle:
    """Every pass has each sample once, in an order of its own, which is drawn from the seed.

    The order is computed where it is asked for, never stored: a dataset of 10^9 samples costs no more than one of ten.
    """

    def over(self, dataset: Sized, seed: int) -> ShuffledPass:
        """Return the passes over ``dataset`` under one seed."""
        return ShuffledPass(len(dataset), seed)


@dataclass(frozen=True)
class ShuffledPass:
    """A keyed permutation of ``length`` samples for each epoch."""

    length: int
    seed: int

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the samples at ``ranks`` of the epoch's permutation."""
        return permuted(ranks, self.length, self.seed, epoch)
