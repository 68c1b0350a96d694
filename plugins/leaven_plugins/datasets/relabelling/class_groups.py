"""ClassGroups: samples of several classes dealt out to as many new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.changed import Relabelled
from leaven.data.getters import class_names
from leaven.data.view import occurrences
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.classwise import counted_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class ClassGroups(Relabelled):
    """The samples of a dataset with labels that tell groups of classes apart, but not the classes of a group.

    Each group of ``size`` classes has ``size`` labels, and the samples of each of its classes are dealt out to all of
    them in turn: the first sample of a class gets the group's first label. Samples without a label (-1) stay so.

    Args:
        dataset: whose samples it shows.
        size: classes in a group; the last group may have fewer.
        shuffle: whether groups are of classes drawn by chance; otherwise of neighbours.
        seed: another seed, other groups; a whole number from 0 on.

    Raises:
        ParameterError: a number is not what it has to be; at the first access, that a label has no class name.
    """

    dataset: Dataset
    size: int
    shuffle: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("class_groups", 1, size=self.size)
        check_whole("class_groups", seed=self.seed)

    def relabelled(self) -> NDArray[np.int64]:
        """Return the labels, ``(n,)``."""
        found, count = counted_labels("class_groups", self.dataset)
        groups = self._groups(count)
        if not len(groups):
            return found
        new = groups[found] * self.size + occurrences(found) % self.size
        return np.where(found < 0, found, new)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names such as ``cat+dog 0``: the classes of the group, and which of its labels it is."""
        names = class_names(self.dataset)
        groups = self._groups(len(names))[: len(names)]
        count = -(-len(names) // self.size)
        titles = ["+".join(names[label] for label in np.flatnonzero(groups == group)) for group in range(count)]
        return tuple(f"{title} {number}" for title in titles for number in range(self.size))

    def _groups(self, count: int) -> NDArray[np.int64]:
        """Return the group of each class; there are a few more where the last group is not full."""
        groups = np.arange(-(-count // self.size)).repeat(self.size)
        return np.random.default_rng(self.seed).permuted(groups) if self.shuffle else groups
