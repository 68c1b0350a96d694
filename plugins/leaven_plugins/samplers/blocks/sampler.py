"""Blocks: a shuffled order that reads neighbouring samples together."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from leaven.stream.order import permuted
from leaven_plugins.samplers.checks import check_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Blocks:
    """Shuffles for media that are fast at reading neighbours: disks, network drives, compressed files.

    The dataset is cut into blocks of ``size`` neighbouring samples. The blocks come in an order of chance, ``window``
    of them at a time, and the samples of these in an order of chance among each other. Every pass has each sample once.

    Each pass begins to cut at another sample, and takes the first sample for the last one's neighbour: so no two
    samples share a block in every pass, and it is others each time that make up the last block, which may be shorter
    and comes at the end.

    The order is computed where it is asked for, never stored.

    Args:
        size: samples in a block. The larger, the longer a stretch that is read at once.
        window: blocks that are read at a time. The larger, the more evenly are samples shuffled.

    Raises:
        ParameterError: ``size`` or ``window`` is not a whole number of at least 1.
    """

    size: int = 1024
    window: int = 16

    def __post_init__(self) -> None:
        check_counts("blocks", size=self.size, window=self.window)

    def over(self, dataset: Sized, seed: int) -> BlockPass:
        """Return the passes over ``dataset`` under one seed."""
        length = len(dataset)
        size = min(self.size, max(length, 1))
        return BlockPass(length, seed, size, min(self.window, -(-length // size)))


@dataclass(frozen=True)
class BlockPass:
    """For each epoch: where the circle of samples is cut, a permutation of blocks, and one within each window."""

    length: int
    seed: int
    size: int
    window: int

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the samples at ``ranks`` of the epoch's order."""
        blocks, inside = np.divmod(self._within_windows(epoch, ranks), self.size)
        count = self.length // self.size
        full = blocks < count  # the shorter block stays where it is, at the end
        if full.any():
            blocks[full] = permuted(blocks[full], count, self.seed, epoch)
        return (blocks * self.size + inside + self._key(epoch, "cut")) % self.length

    def _within_windows(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Permute ranks within windows; the last of these has what is left."""
        span = self.size * self.window
        count, rest = divmod(self.length, span)
        windows, within = np.divmod(ranks, span)
        key = self._key(epoch, "window")
        for length, here in ((span, windows < count), (rest, windows == count)):
            if here.any():
                within[here] = permuted(within[here], length, key, windows[here])
        return windows * span + within

    def _key(self, epoch: int, purpose: str) -> int:
        """Return a number below ``2**62`` that one purpose has in one epoch."""
        digest = blake2b(f"{self.seed} {epoch} {purpose}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") >> 2
