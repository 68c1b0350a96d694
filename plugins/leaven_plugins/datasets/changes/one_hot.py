"""OneHot: labels as vectors with a single 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaven.data.changed import Changed
from leaven.data.getters import class_count
from leaven.data.lazy import lazy
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.changes.vectors import smoothed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class OneHot(Changed):
    """The samples of a dataset with labels as float32 vectors, 1 at the class and 0 elsewhere.

    Samples without a label (-1) have -1 everywhere. Views that go by class belong below this one.

    Args:
        dataset: whose samples it shows.
        classes: length of the vectors; by default the number of the dataset's classes.

    Raises:
        ParameterError: ``classes`` is no whole number; at an access, that it is not above the label.
    """

    part = "label"

    dataset: Dataset
    classes: int | None = None

    def __post_init__(self) -> None:
        if self.classes is not None:
            check_whole("one_hot", 1, classes=self.classes)

    def change(self, value: Any, position: int, ctx: dict[str, Any] | None) -> NDArray[np.float32]:
        """Return the vector of a label."""
        return smoothed("one_hot", value, self._count, 0, position)

    @lazy
    def _count(self) -> int:
        return class_count(self.dataset) if self.classes is None else self.classes
