"""Concat: datasets one after the other, or by turns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.lazy import lazy
from leaven.data.view import checked, title
from leaven.errors import DatasetError
from leaven_plugins.datasets.combination.parts import Place, Several, check_datasets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Concat(Several):
    """Several datasets as one: first all samples of the first one, then those of the next.

    Args:
        datasets: at least one. Labels have to mean the same in all of them, as far as they have class names.
        balanced: whether one sample of each comes by turns instead, until the longest is through; shorter ones begin
            again meanwhile. The length is that of the longest, times the number of datasets.

    Raises:
        ParameterError: there are no datasets.
        DatasetError: at the first access: labels mean different classes, or a dataset that is to take turns is empty.
    """

    datasets: Sequence[Dataset]
    balanced: bool = False

    def __post_init__(self) -> None:
        check_datasets("concat", self.datasets)

    def __len__(self) -> int:
        """Return the number of samples."""
        return self._length

    def place(self, index: int) -> Place:
        """Return where a sample is; raises as for :class:`Several`."""
        position = checked(index, self._length, self)
        if self.balanced:
            return by_turns(position, self.sizes.lengths)
        starts = self.sizes.starts
        part = bisect_right(starts, position) - 1
        return Place(part, position - starts[part])

    def rows(self) -> NDArray[np.int64]:
        """Return the positions in a row, int64 ``(n,)``."""
        positions = np.arange(len(self), dtype=np.int64)
        if not self.balanced:
            return positions
        rounds, parts = np.divmod(positions, len(self.datasets))
        lengths, starts = (np.array(values, np.int64) for values in self.sizes[:2])
        return np.asarray(starts[parts] + rounds % lengths[parts])

    @lazy
    def _length(self) -> int:
        lengths, starts, _ = self.sizes
        if not self.balanced:
            return starts[-1]
        if 0 in lengths:
            empty = title(self.datasets[lengths.index(0)])
            raise DatasetError(f"concat: {empty} has no samples, and cannot take turns with others (balanced)")
        return max(lengths) * len(lengths)


def by_turns(index: int, lengths: Sequence[int]) -> Place:
    """Return the place of a sample where datasets of these lengths take turns without an end."""
    turn, part = divmod(index, len(lengths))
    lap, position = divmod(turn, lengths[part])
    return Place(part, position, lap)
