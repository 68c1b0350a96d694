"""Weighted: samples by chance, each as often as its weight says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.data.getters import getall
from leaven.errors import ParameterError
from leaven.protocols import Pass
from leaven_plugins.samplers.checks import check_lengths, check_readable, positions_in
from leaven_plugins.samplers.weighted.passes import Drawn, DrawnOnce


@dataclass(frozen=True, eq=False)
class Weighted:
    """Draws each sample with a probability that is proportional to its weight.

    Args:
        weights: a number for each sample of the dataset, or for each of ``indices``; or the name of the field that
            samples have them in. A sample of weight 0 never comes.
        length: samples in a pass; by default as many as there are weights, and without replacement as many as there
            are above 0.
        indices: positions of the samples to draw from; by default all of the dataset.
        replacement: whether a sample may come several times in a pass. Without, each draw is among those that have
            not come yet: those of large weights come early. One order is kept for a pass, 8 bytes for each weight.

    Raises:
        ParameterError: ``length`` is out of range; or from ``over``: a weight is below 0 or no number, none is
            above 0, or there are not as many as there should be.
    """

    weights: Sequence[float] | str
    length: int | None = None
    indices: Sequence[int] | None = None
    replacement: bool = True

    def __post_init__(self) -> None:
        if self.length is not None:
            check_lengths("weighted", length=self.length)

    def over(self, dataset: Any, seed: int) -> Pass:
        """Return the passes over ``dataset`` under one seed."""
        members = None if self.indices is None else positions_in("weighted", self.indices, len(dataset))
        weights = self._weights(dataset, members)
        if self.replacement:
            return Drawn.of(weights, members, int(self.length or len(weights)), seed)
        return DrawnOnce(weights, members, self._most(weights), seed)

    def _weights(self, dataset: Any, members: NDArray[np.int64] | None) -> NDArray[np.float64]:
        if isinstance(self.weights, str):
            check_readable("weighted", dataset, self.weights)
            weights = checked(getall(dataset, self.weights), len(dataset))
            return weights if members is None else checked(weights[members], len(members))
        return checked(self.weights, len(dataset if members is None else members))

    def _most(self, weights: NDArray[np.float64]) -> int:
        """Return how many samples a pass without replacement has."""
        available = int(np.count_nonzero(weights))
        if self.length is not None and self.length > available:
            raise ParameterError(
                f"weighted: length={self.length} without replacement: only {available} weights are above 0"
            )
        return int(self.length or available)


def checked(weights: Any, count: int) -> NDArray[np.float64]:
    """Return ``count`` weights, the largest of which is 1: float64, 1-D.

    Raises:
        ParameterError: they are something else than as many numbers of at least 0, of which one is above 0.
    """
    try:
        found = np.asarray(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"weighted: weights: expected numbers: {error}") from error
    if found.shape != (count,):
        raise ParameterError(f"weighted: weights of shape {found.shape} for {count} samples: expected one for each")
    (wrong,) = np.nonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        raise ParameterError(f"weighted: weight {wrong[0]} is {found[wrong[0]]}: expected a number of at least 0")
    if not found.any():
        raise ParameterError(f"weighted: all {count} weights are 0: expected one above that")
    return np.asarray(found / found.max())
