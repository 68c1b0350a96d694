"""Cutting: which samples belong to which shard and block of a job."""

from __future__ import annotations

from typing import NamedTuple


class Cut(NamedTuple):
    """``total`` samples in ``shards`` of about equal size, each of these in blocks of ``size`` samples at most.

    Blocks are numbered throughout, and none is part of two shards.
    """

    total: int
    size: int
    shards: int = 1

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return self._first_block(self.shards)

    def rows_of(self, shard: int) -> range:
        """Return the samples of a shard; the first shards have one more where they cannot be equal."""
        each, more = divmod(self.total, self.shards)
        start = shard * each + min(shard, more)
        return range(start, start + each + (shard < more))

    def blocks_of(self, shard: int) -> range:
        """Return the numbers of a shard's blocks."""
        return range(self._first_block(shard), self._first_block(shard + 1))

    def rows(self, block: int) -> range:
        """Return the samples of a block.

        Raises:
            IndexError: there is no such block.
        """
        if not 0 <= block < self.blocks:
            raise IndexError(f"block {block} of {self.blocks}")
        most = self._blocks_in(self.total // self.shards + 1)
        shard = next(s for s in range(block // most if most else 0, self.shards) if block in self.blocks_of(s))
        start = (block - self._first_block(shard)) * self.size
        return self.rows_of(shard)[start : start + self.size]

    def _first_block(self, shard: int) -> int:
        each, more = divmod(self.total, self.shards)
        return min(shard, more) * self._blocks_in(each + 1) + max(0, shard - more) * self._blocks_in(each)

    def _blocks_in(self, rows: int) -> int:
        return -(-rows // self.size)
