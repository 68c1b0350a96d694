"""Unlabelled: some samples without their label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.changed import Relabelled
from leaven.data.getters import labels
from leaven_plugins.datasets.bounds import check_percent, check_whole, share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Unlabelled(Relabelled):
    """The samples of a dataset, some of which have the label -1, which stands for none.

    Args:
        dataset: whose samples it shows.
        percent: how many of them lose their label, 0 to 100, rounded down; they are drawn by chance.
        seed: another seed, other samples; a whole number from 0 on.

    Raises:
        ParameterError: ``percent`` is no percentage, or ``seed`` no such number.
    """

    dataset: Dataset
    percent: float
    seed: int = 0

    def __post_init__(self) -> None:
        check_percent("unlabelled", percent=self.percent)
        check_whole("unlabelled", seed=self.seed)

    def relabelled(self) -> NDArray[np.int64]:
        """Return the labels, ``(n,)``."""
        found = labels(self.dataset).copy()
        order = np.random.default_rng(self.seed).permutation(len(found))
        found[order[: share(len(found), self.percent)]] = -1
        return found
