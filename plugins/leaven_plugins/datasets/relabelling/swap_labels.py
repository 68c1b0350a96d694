"""SwapLabels: labels with noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.changed import Relabelled
from leaven.data.getters import class_count, labels
from leaven.data.lazy import lazy
from leaven.errors import ParameterError
from leaven_plugins.datasets.bounds import check_whole, is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class SwapLabels(Relabelled):
    """The samples of a dataset, some of which have a label of chance instead of their own.

    Which ones is told by ``getitem_swapped`` and ``getall_swapped``: a part ``swapped`` of each sample, ``True`` also
    where chance has drawn the label that it had. Samples without a label (-1) get one as well.

    Args:
        dataset: whose samples it shows.
        p: probability, 0 to 1, that a label is drawn anew, each class as likely as any other.
        seed: another seed, other labels; a whole number from 0 on.

    Raises:
        ParameterError: ``p`` is no probability, or ``seed`` no such number.
    """

    dataset: Dataset
    p: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not is_number(self.p) or not 0 <= self.p <= 1:
            raise ParameterError(f"swap_labels: p={self.p!r}: expected a probability, 0 to 1")
        check_whole("swap_labels", seed=self.seed)

    def relabelled(self) -> NDArray[np.int64]:
        """Return the labels, ``(n,)``."""
        drawn, swapped = self._drawn
        return np.where(swapped, drawn, labels(self.dataset))

    def getitem_swapped(self, index: int, ctx: dict[str, Any] | None = None) -> bool:
        """Return whether the label of a sample was drawn."""
        return bool(self._drawn[1][self.position(index)])

    def getall_swapped(self) -> NDArray[np.bool_]:
        """Return for each sample whether its label was drawn, ``(n,)``."""
        return self._drawn[1].copy()

    @lazy
    def _drawn(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """A label for each sample, and whether it is taken."""
        random = np.random.default_rng(self.seed)
        count = len(self.dataset)
        swapped = random.random(count) < self.p
        return random.integers(0, max(class_count(self.dataset), 1), count), swapped
