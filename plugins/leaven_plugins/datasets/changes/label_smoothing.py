"""LabelSmoothing: labels as vectors that are a little less sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaven.data.changed import Changed
from leaven.data.getters import class_count
from leaven.data.lazy import lazy
from leaven.errors import ParameterError
from leaven_plugins.datasets.bounds import check_whole, is_number
from leaven_plugins.datasets.changes.vectors import binary, smoothed, whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class LabelSmoothing(Changed):
    """The samples of a dataset with labels as float32 vectors: ``1 - smoothing + smoothing / n`` at the class of ``n``.

    Elsewhere they are ``smoothing / n``. With a single class, labels are 0 or 1, and become numbers that are nearer to
    each other by ``smoothing / 2`` on either side. Samples without a label (-1) have -1 everywhere. With a smoothing of
    0, labels stay what they are. Views that go by class belong below this one.

    Args:
        dataset: whose samples it shows.
        smoothing: how much is taken from the class, 0 to 1.
        classes: length of the vectors; by default the number of the dataset's classes.

    Raises:
        ParameterError: a number is not what it has to be; at an access, that there are no more classes than the label.
    """

    part = "label"

    dataset: Dataset
    smoothing: float
    classes: int | None = None

    def __post_init__(self) -> None:
        if not is_number(self.smoothing) or not 0 <= self.smoothing <= 1:
            raise ParameterError(f"label_smoothing: smoothing={self.smoothing!r}: expected a number, 0 to 1")
        if self.classes is not None:
            check_whole("label_smoothing", 1, classes=self.classes)

    def change(self, value: Any, position: int, ctx: dict[str, Any] | None) -> NDArray[np.float32] | float | int:
        """Return what a label becomes."""
        if self.smoothing == 0:
            return whole(value, position)
        if self._count == 1:
            return binary("label_smoothing", value, self.smoothing, position)
        return smoothed("label_smoothing", value, self._count, self.smoothing, position)

    @lazy
    def _count(self) -> int:
        return class_count(self.dataset) if self.classes is None else self.classes
