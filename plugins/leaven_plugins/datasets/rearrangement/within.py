"""ShuffleWithinClasses: other samples of the same classes in the same places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.view import Selection
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.classwise import by_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class ShuffleWithinClasses(Selection):
    """All samples of a dataset, those of each class shuffled among their own places: the sequence of labels stays.

    Args:
        dataset: whose samples it shows. Those without a label (-1) stay where they are.
        seed: another seed, another order; a whole number from 0 on.

    Raises:
        ParameterError: ``seed`` is something else.
    """

    dataset: Dataset
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("shuffle_within_classes", seed=self.seed)

    def chosen(self) -> NDArray[np.int64]:
        """Return a permutation."""
        random = np.random.default_rng(self.seed)
        positions = np.arange(len(self.dataset))
        for members in by_class(self.dataset).values():
            positions[members] = random.permutation(members)
        return positions
