"""ConfusionMatrix: how often each class is taken for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.metrics.confusion_matrix.picture import confusion_picture
from leaven_plugins.metrics.counting import check_classes, check_labels, classes_of, tally
from leaven_plugins.metrics.sums import SumMetric


@dataclass(eq=False)
class ConfusionMatrix(SumMetric):
    """Counts of (label, highest output) since :meth:`reset`: row 3, column 5 is how often a 3 was taken for a 5.

    Its values are ``class_accuracy``, the mean over the classes of the share of their samples that was found (each
    class counts the same, however rare), and ``worst_class_accuracy``, the lowest of these shares; 0 to 1. Classes that
    are not there do not count.

    Args:
        classes: how many there are, 2 or more.
        output_key: key of the scores, ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count. Or, in the scores' shape, a
            share for each class (also one-hot), of which the largest is the label's.
        names: what to call the classes in the picture; their numbers, unless given.
        ignore_index: class number that does not count.
        metric_key: what to call the mean; the lowest is ``worst_{metric_key}``.

    Raises:
        ParameterError: fewer than two classes, or not one name for each.
    """

    classes: int
    output_key: str = "output"
    target_key: str = "label"
    names: Sequence[str] | None = None
    ignore_index: int = -100
    metric_key: str = "class_accuracy"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_classes("confusion_matrix", self.classes)
        if self.names is not None and len(self.names) != self.classes:
            raise ParameterError(f"confusion_matrix: {len(self.names)} names of {self.classes} classes")

    def zeros(self) -> dict[str, Tensor]:  # noqa: D102
        matrix = torch.zeros((self.classes, self.classes), dtype=torch.int64)
        return {"matrix": matrix, "outside": torch.zeros((), dtype=torch.int64)}

    def terms(self, sample: Mapping[str, Any]) -> Mapping[str, Tensor | int]:  # noqa: D102
        seen = classes_of(sample, self.output_key, self.target_key, self.classes, self.ignore_index)
        cells = tally(seen.actual * self.classes + seen.predicted, seen.counts, self.classes**2)
        return {"matrix": cells.view(self.classes, self.classes), "outside": seen.outside}

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        check_labels(sums["outside"], self.target_key, self.ignore_index)
        matrix = sums["matrix"].double()
        shares = matrix.diagonal() / matrix.sum(1)
        lowest = min(shares[~shares.isnan()].tolist(), default=float("nan"))
        return {self.metric_key: float(shares.nanmean()), f"worst_{self.metric_key}": lowest}

    @property
    def matrix(self) -> Tensor:
        """The counts, int64 ``(classes, classes)`` on the CPU; rows are labels, columns what they were taken for."""
        return self._fetched()["matrix"]

    def true_false_positives(self) -> Tensor:
        """Return for each class how often it was found rightly, found wrongly, and there; int64 ``(classes, 3)``."""
        matrix = self.matrix
        hits = matrix.diagonal()
        return torch.stack([hits, matrix.sum(0) - hits, matrix.sum(1)], dim=1)

    def picture(self) -> NDArray[np.uint8]:
        """Return the matrix as a picture, RGB ``(height, width, 3)``."""
        return confusion_picture(self.matrix.numpy(), self.names or [str(number) for number in range(self.classes)])
