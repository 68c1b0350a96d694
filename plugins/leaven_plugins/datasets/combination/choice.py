"""Choice: blocks of samples, each of them from one of several datasets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.lazy import lazy
from leaven.data.view import checked
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.combination.parts import Place, Several, check_datasets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Choice(Several):
    """Several datasets as one, in blocks: all samples of a block are neighbours in the same dataset.

    It comes in rounds: one block of each dataset, and the next of each, until one of them has no whole block any more;
    what the others have left is not shown. With ``stratified``, all blocks of all datasets are shown, those of each
    spread evenly over the whole, and then what is left of each dataset, in parts shorter than a block.

    Batches of ``block`` samples in sequence are of one dataset each. To shuffle samples, shuffle ``datasets``.

    Args:
        datasets: at least one. Labels have to mean the same in all of them, as far as they have class names.
        stratified: whether all samples are shown.
        block: samples in a block.
        seed: of the order of the datasets in each round, or of the blocks' places; ``None`` leaves nothing to chance.

    Raises:
        ParameterError: there are no datasets, or a number is not what it has to be.
        DatasetError: at the first access: labels mean different classes.
    """

    datasets: Sequence[Dataset]
    stratified: bool = False
    block: int = 1
    seed: int | None = 0

    def __post_init__(self) -> None:
        check_datasets("choice", self.datasets)
        check_whole("choice", 1, block=self.block)
        if self.seed is not None:
            check_whole("choice", seed=self.seed)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._rows)

    def place(self, index: int) -> Place:
        """Return where a sample is; raises as for :class:`Several`."""
        row = self._rows.item(checked(index, len(self), self))
        starts = self.sizes.starts
        part = bisect_right(starts, row) - 1
        return Place(part, row - starts[part])

    def rows(self) -> NDArray[np.int64]:
        """Return the positions in a row, int64 ``(n,)``."""
        return self._rows

    @lazy
    def _rows(self) -> NDArray[np.int64]:
        lengths, starts, _ = self.sizes
        block = min(self.block, max(lengths) + 1)  # one that is larger than all datasets is never filled
        counts = [length // block for length in lengths]
        blocks = self._spread(counts) if self.stratified else self._rounds(min(counts))
        firsts = np.array(starts[:-1])[blocks[:, 0]] + blocks[:, 1] * block
        whole = (firsts[:, None] + np.arange(block)).ravel()
        ends = zip(starts[1:], lengths, strict=True)
        rest = [np.arange(stop - length % block, stop) for stop, length in ends] if self.stratified else []
        return np.concatenate([whole, *rest])

    def _rounds(self, count: int) -> NDArray[np.int64]:
        """Return dataset and number of each block, ``(n, 2)``: each dataset once in each round."""
        parts = np.tile(np.arange(len(self.datasets)), (count, 1))
        if self.seed is not None:
            parts = np.random.default_rng(self.seed).permuted(parts, axis=1)
        rounds = np.repeat(np.arange(count), len(self.datasets))
        return np.stack([parts.ravel(), rounds], axis=1)

    def _spread(self, counts: Sequence[int]) -> NDArray[np.int64]:
        """Return the same where block ``b`` of ``n`` lies between ``b / n`` and ``(b + 1) / n`` of the whole."""
        parts = np.repeat(np.arange(len(counts)), counts)
        numbers = np.concatenate([np.arange(count) for count in counts])
        random = None if self.seed is None else np.random.default_rng(self.seed)
        within = 0.5 if random is None else random.random(len(numbers))
        order = np.argsort((numbers + within) / np.repeat(counts, counts), kind="stable")
        return np.stack([parts, numbers], axis=1)[order]
