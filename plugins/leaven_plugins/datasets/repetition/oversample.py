"""Oversample: samples of rare classes are shown several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaven.data.view import Selection
from leaven.errors import ParameterError, suggestion
from leaven_plugins.datasets.classwise import by_class, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset

_MODES = ("multiply", "exact")


@dataclass(frozen=True, eq=False)
class Oversample(Selection):
    """The samples of a dataset, those of rare classes several times, so that classes are about as frequent.

    Args:
        dataset: whose samples it shows.
        mode: ``multiply`` shows all samples, and then whole copies of classes, as long as none gets larger than the
            largest. ``exact`` shows class after class, each repeated to the size of the largest, the last copy cut;
            samples without a label (-1) are left out.

    Raises:
        ParameterError: no such mode.
    """

    repeats = True

    dataset: Dataset
    mode: str = "multiply"

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            advice = suggestion(str(self.mode), _MODES)
            raise ParameterError(f"oversample: no mode {self.mode!r}{advice}; modes: {', '.join(_MODES)}")

    def chosen(self) -> NDArray[np.int64]:
        """Return the positions, some of them several times."""
        classes = list(by_class(self.dataset).values())
        largest = max(map(len, classes), default=0)
        if self.mode == "exact":
            return joined([np.resize(members, largest) for members in classes])
        copies = [np.tile(members, largest // len(members) - 1) for members in classes]
        return joined([np.arange(len(self.dataset)), *copies])
