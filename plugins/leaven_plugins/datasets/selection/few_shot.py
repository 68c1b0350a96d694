"""FewShot: so many samples of each class, drawn by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.view import Selection
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.classwise import by_class, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class FewShot(Selection):
    """A few samples of each class, drawn without replacement, class after class.

    A class that has fewer gives all that it has. Samples without a label (-1) are left out.

    Args:
        dataset: which samples it is of.
        shots: how many of each class.
        seed: another seed, other samples; a whole number from 0 on.

    Raises:
        ParameterError: one of the numbers is not what it has to be.
    """

    dataset: Dataset
    shots: int
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("few_shot", 1, shots=self.shots)
        check_whole("few_shot", seed=self.seed)

    def chosen(self) -> NDArray[np.int64]:
        """Return the positions, class after class."""
        random = np.random.default_rng(self.seed)
        return joined([part[random.permutation(len(part))[: self.shots]] for part in by_class(self.dataset).values()])
