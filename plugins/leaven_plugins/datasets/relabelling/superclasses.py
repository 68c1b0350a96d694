"""RandomSuperclasses: classes merged into larger ones."""

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
class RandomSuperclasses(Relabelled):
    """The samples of a dataset with the labels of larger classes, each made of several of the dataset's.

    Samples without a label (-1) stay so.

    Args:
        dataset: whose samples it shows.
        size: classes in a superclass; the last one may have fewer.
        splits: each superclass is cut into so many labels, over which the samples of each class are spread evenly:
            label ``l`` of ``n`` superclasses stands for superclass ``l % n``.
        shuffle: whether superclasses are of classes drawn by chance, and splits of samples; otherwise of neighbours.
        seed: another seed, other superclasses; a whole number from 0 on.

    Raises:
        ParameterError: a number is not what it has to be; at the first access, that a label has no class name.
    """

    dataset: Dataset
    size: int
    splits: int = 1
    shuffle: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("random_superclasses", 1, size=self.size, splits=self.splits)
        check_whole("random_superclasses", seed=self.seed)

    def relabelled(self) -> NDArray[np.int64]:
        """Return the labels, ``(n,)``."""
        found, count = counted_labels("random_superclasses", self.dataset)
        random = np.random.default_rng(self.seed)
        places = random.permutation(count) if self.shuffle else np.arange(count)
        order = random.permutation(len(found)) if self.shuffle else np.arange(len(found))
        split = np.empty_like(found)
        split[order] = occurrences(found[order]) % self.splits
        new = (places[found] // self.size if count else found) + split * -(-count // self.size)
        return np.where(found < 0, found, new)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names such as ``cat+dog``, with `` 1`` behind them where they are split."""
        names = class_names(self.dataset)
        count = len(names)
        places = np.random.default_rng(self.seed).permutation(count) if self.shuffle else np.arange(count)
        merged = [
            "+".join(names[label] for label in np.flatnonzero(places // self.size == number))
            for number in range(-(-count // self.size))
        ]
        suffixes = [""] if self.splits == 1 else [f" {number}" for number in range(self.splits)]
        return tuple(name + suffix for suffix in suffixes for name in merged)
