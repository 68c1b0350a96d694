"""Repeat: a dataset several times over."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.lazy import lazy
from leaven.data.view import View, checked, numbered, title
from leaven.errors import DatasetError, ParameterError
from leaven_plugins.datasets.bounds import check_whole

if TYPE_CHECKING:
    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Repeat(View):
    """All samples of a dataset, and then all of them again. Nothing is kept for each sample.

    Args:
        dataset: whose samples it shows.
        times: how often.
        min_size: instead of ``times``: as often as it takes for at least so many samples.

    Raises:
        ParameterError: not exactly one of ``times`` and ``min_size``, or it is no whole number of at least 1,
            or there would be more samples than ``len()`` can tell.
        DatasetError: at the first access: there are no samples to get to ``min_size`` with.
    """

    dataset: Dataset
    times: int | None = None
    min_size: int | None = None

    def __post_init__(self) -> None:
        if (self.times is None) == (self.min_size is None):
            raise ParameterError("repeat: times or min_size: exactly one of them has to be given")
        given = "min_size" if self.times is None else "times"
        check_whole("repeat", 1, **{given: getattr(self, given)})

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.dataset) * self._rounds

    def position(self, index: int) -> int:
        """Return which sample of the dataset is shown; raises as for :class:`View`."""
        count = len(self.dataset)
        return checked(index, count * self._rounds, self) % count

    def key(self, index: int) -> str:
        """Return the name of a sample, followed by ``#2`` in the second round."""
        key = super().key(index)
        return key if self._rounds == 1 else numbered(key, checked(index, len(self), self) // len(self.dataset) + 1)

    def taken(self, values: Any) -> Any:
        """Return the values for each round."""
        if isinstance(values, np.ndarray):
            return np.concatenate([values] * self._rounds)
        return list(values) * self._rounds

    @lazy
    def _rounds(self) -> int:
        if self.min_size is None:
            assert self.times is not None
            if len(self.dataset) * self.times > sys.maxsize:
                raise ParameterError(f"repeat: times={self.times}: more samples than can be counted")
            return self.times
        if not len(self.dataset):
            raise DatasetError(f"repeat: {title(self.dataset)} has no samples to get to min_size={self.min_size} with")
        return -(-self.min_size // len(self.dataset))
