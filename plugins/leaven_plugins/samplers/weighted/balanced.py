"""ClassBalanced: samples by chance, each class as often as the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import Pass
from leaven_plugins.samplers.checks import check_lengths, positions_in, whole_numbers
from leaven_plugins.samplers.classes import check_labelled, labels_of
from leaven_plugins.samplers.weighted.sampler import Weighted


@dataclass(frozen=True, eq=False)
class ClassBalanced:
    """Draws with replacement, so that each class that occurs is as likely as the others, however many samples it has.

    Args:
        labels: the class of each sample, at least 0; by default what the dataset says.
        n_classes: how many classes there are; by default not checked. Those that do not occur play no part.
        length: samples in a pass; by default as many as are drawn from.
        indices: positions of the samples to draw from, among which classes are balanced; by default all.

    Raises:
        ParameterError: a number is out of range; or from ``over``: labels are missing, below 0, too large, or not one
            for each sample.
    """

    labels: Sequence[int] | None = None
    n_classes: int | None = None
    length: int | None = None
    indices: Sequence[int] | None = None

    def __post_init__(self) -> None:
        given = {"n_classes": self.n_classes, "length": self.length}
        check_lengths("class_balanced", **{name: value for name, value in given.items() if value is not None})

    def over(self, dataset: Any, seed: int) -> Pass:
        """Return the passes over ``dataset`` under one seed."""
        labels = self._labels(dataset)
        if self.indices is not None:
            labels = labels[positions_in("class_balanced", self.indices, len(dataset))]
        check_labelled("class_balanced", labels)
        if self.n_classes is not None and labels.max() >= self.n_classes:
            raise ParameterError(f"class_balanced: n_classes={self.n_classes}: a sample is of class {labels.max()}")
        weights: Any = class_balancing_weights(labels)
        return Weighted(weights, self.length, self.indices).over(dataset, seed)

    def _labels(self, dataset: Any) -> NDArray[np.int64]:
        if self.labels is None:
            return labels_of("class_balanced", dataset)
        labels = whole_numbers("class_balanced", "labels", self.labels)
        if labels.shape != (len(dataset),) or labels.dtype.kind not in "iub":
            raise ParameterError(
                f"class_balanced: labels: expected a whole number for each of {len(dataset)} samples, "
                f"got {labels.dtype} of shape {labels.shape}"
            )
        return labels.astype(np.int64)


def class_balancing_weights(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return weights, float64 of the same shape, that sum to 1, with the same sum for each class that occurs."""
    _, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = 1.0 / (counts[places] * len(counts))
    return weights
