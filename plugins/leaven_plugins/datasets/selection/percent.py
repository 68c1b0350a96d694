"""Percent: a stretch of a dataset, in percent of its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.view import Selection
from leaven_plugins.datasets.bounds import check_percent, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Percent(Selection):
    """The samples from ``start`` % on up to ``stop`` % of a dataset.

    What ends at a percentage and what begins there have no sample in common, and none is missing between them, as long
    as both round the same way: ``percent(0, 80)`` and ``percent(80, 100)`` are a split.

    Args:
        dataset: which samples it is of.
        start: where it begins, 0 to 100; fractions such as 12.5 are taken as they are written.
        stop: where it ends. Nothing is left where it is not beyond ``start``.
        ceil_start: whether the first position is rounded up; otherwise down.
        ceil_stop: the same for the end.

    Raises:
        ParameterError: ``start`` or ``stop`` is no percentage.
    """

    dataset: Dataset
    start: float = 0
    stop: float = 100
    ceil_start: bool = False
    ceil_stop: bool = False

    def __post_init__(self) -> None:
        check_percent("percent", start=self.start, stop=self.stop)

    def chosen(self) -> NDArray[np.int64]:
        """Return a range of positions."""
        count = len(self.dataset)
        start, stop = share(count, self.start, self.ceil_start), share(count, self.stop, self.ceil_stop)
        return np.arange(start, max(start, stop))
