"""ClassSubset: a stretch of each class's samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leaven.data.getters import class_names
from leaven.data.view import Selection, title
from leaven.errors import DatasetError
from leaven_plugins.datasets.bounds import Stretch
from leaven_plugins.datasets.classwise import by_class, joined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class ClassSubset(Selection):
    """The same stretch of the samples of each class, class after class. Samples without a label (-1) are left out.

    Args:
        dataset: which samples it is of.
        start: the first position within a class; negative ones count from the end.
        stop: the position after the last one.
        start_percent: the same in percent of the class's size, rounded down.
        stop_percent: the same for the end.
        check: whether a class that has fewer samples than ``stop`` is an error; otherwise it gives what it has.

    Raises:
        ParameterError: a bound is given both ways, or is not what it has to be.
        DatasetError: at the first access: a class is too small.
    """

    dataset: Dataset
    start: int | None = None
    stop: int | None = None
    start_percent: float | None = None
    stop_percent: float | None = None
    check: bool = True

    def __post_init__(self) -> None:
        self._stretch().check("class_subset")

    def chosen(self) -> NDArray[np.int64]:
        """Return the positions, class after class."""
        classes = by_class(self.dataset)
        if self.check and self.stop is not None:
            self._check({label: len(part) for label, part in classes.items()}, self.stop)
        stretch = self._stretch()
        return joined([part[list(stretch.of(len(part)))] for part in classes.values()])

    def _stretch(self) -> Stretch:
        return Stretch(self.start, self.stop, self.start_percent, self.stop_percent)

    def _check(self, sizes: dict[int, int], stop: int) -> None:
        names = class_names(self.dataset)
        for label, size in sizes.items():
            if size < stop:
                name = f" ({names[label]})" if label < len(names) else ""
                raise DatasetError(
                    f"{title(self.dataset)}: class {label}{name} has {size} samples, and stop is {stop}; "
                    "check=False takes what there is"
                )
