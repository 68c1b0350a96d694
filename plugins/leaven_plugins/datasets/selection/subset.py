"""Subset: samples of a dataset by their positions, or a stretch of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.view import Selection, title
from leaven.errors import ParameterError
from leaven_plugins.datasets.bounds import Stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Subset(Selection):
    """Some samples of a dataset: those at ``indices``, or the stretch between a start and a stop.

    Args:
        dataset: which samples it is of.
        indices: positions, in the order in which they are shown, also several times; negative ones count from the end.
        start: the first position of a stretch; negative ones count from the end.
        stop: the position after the last one. One beyond the end means the end, 0 means that nothing is left.
        start_percent: the same in percent of the dataset's length, rounded down.
        stop_percent: the same for the end.

    Raises:
        ParameterError: both ``indices`` and bounds are given, or a bound both ways; at the first access, that there is
            no sample at one of ``indices``.
    """

    repeats = True

    dataset: Dataset
    indices: Sequence[int] | NDArray[np.int64] | None = None
    start: int | None = None
    stop: int | None = None
    start_percent: float | None = None
    stop_percent: float | None = None

    def __post_init__(self) -> None:
        stretch = self._stretch()
        stretch.check("subset")
        if self.indices is not None and any(bound is not None for bound in stretch):
            raise ParameterError("subset: indices and bounds: one of them, not both")

    def chosen(self) -> NDArray[np.int64]:
        """Return the positions, counted from the start."""
        count = len(self.dataset)
        if self.indices is None:
            covered = self._stretch().of(count)
            return np.arange(covered.start, covered.stop)
        return _checked(self.indices, count, title(self.dataset))

    def _stretch(self) -> Stretch:
        return Stretch(self.start, self.stop, self.start_percent, self.stop_percent)


def _checked(indices: Sequence[int] | NDArray[np.int64], count: int, name: str) -> NDArray[np.int64]:
    try:
        found = np.asarray(indices)
    except ValueError as error:
        raise ParameterError(f"subset: indices: expected whole numbers in a row: {error}") from error
    if found.size == 0:
        return np.zeros(0, np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise ParameterError(f"subset: indices: expected whole numbers in a row, got {found.dtype} {found.shape}")
    outside = np.flatnonzero((found < -count) | (found >= count))
    if len(outside):
        raise ParameterError(f"subset: indices[{outside[0]}] is {found[outside[0]]}, but {name} has {count} samples")
    return np.where(found < 0, found + count, found).astype(np.int64)
