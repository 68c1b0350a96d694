"""RandomLabels: labels that have nothing to do with the samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.changed import Relabelled
from leaven.data.getters import class_count
from leaven.errors import ParameterError, suggestion
from leaven_plugins.datasets.bounds import check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset

_MODES = ("random", "balanced")


@dataclass(frozen=True, eq=False)
class RandomLabels(Relabelled):
    """The samples of a dataset with labels of chance, which stay the same.

    Args:
        dataset: whose samples it shows; it need not have labels where ``classes`` is given.
        classes: how many classes there are; by default as many as in the dataset.
        mode: ``random`` draws each label; ``balanced`` repeats one order of all classes, so that each class has as many
            samples as any other, or one more.
        seed: another seed, other labels; a whole number from 0 on.

    Raises:
        ParameterError: no such mode, or a number is not what it has to be; at the first access, that there are no
            classes.
    """

    dataset: Dataset
    classes: int | None = None
    mode: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            advice = suggestion(str(self.mode), _MODES)
            raise ParameterError(f"random_labels: no mode {self.mode!r}{advice}; modes: {', '.join(_MODES)}")
        if self.classes is not None:
            check_whole("random_labels", 1, classes=self.classes)
        check_whole("random_labels", seed=self.seed)

    def relabelled(self) -> NDArray[np.int64]:
        """Return the labels, ``(n,)``."""
        count = class_count(self.dataset) if self.classes is None else self.classes
        if count < 1:
            raise ParameterError("random_labels: the dataset has no classes; say how many: classes=10")
        random = np.random.default_rng(self.seed)
        if self.mode == "random":
            return random.integers(0, count, len(self.dataset))
        return np.resize(random.permutation(count), len(self.dataset))

    @property
    def class_names(self) -> tuple[str, ...]:
        """No names: the classes mean nothing."""
        return ()
