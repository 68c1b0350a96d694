"""Shuffle: the samples of a dataset in an order of chance that stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.view import Selection
from leaven_plugins.datasets.bounds import check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Shuffle(Selection):
    """All samples of a dataset, in one order of chance, for good: that of ``numpy.random.default_rng(seed).shuffle``.

    It is for what comes after it, such as a split by ``percent``. A loader has a new order in each epoch from its
    sampler, and keeps no list for it.

    Args:
        dataset: whose samples it shows.
        seed: another seed, another order; a whole number from 0 on.

    Raises:
        ParameterError: ``seed`` is something else.
    """

    dataset: Dataset
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("shuffle", seed=self.seed)

    def chosen(self) -> NDArray[np.int64]:
        """Return a permutation."""
        positions = np.arange(len(self.dataset))
        np.random.default_rng(self.seed).shuffle(positions)
        return positions
