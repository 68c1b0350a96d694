"""SortByClass: samples in the order of their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.getters import labels
from leaven.data.view import Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class SortByClass(Selection):
    """All samples of a dataset, class after class; those of a class stay in their order.

    Args:
        dataset: whose samples it shows. Those without a label (-1) come first.
    """

    dataset: Dataset

    def chosen(self) -> NDArray[np.int64]:
        """Return a permutation."""
        return np.argsort(labels(self.dataset), kind="stable")
