"""IoU: the overlap of regions, divided by their union."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from leaven_plugins.metrics.class_counts import ClassCounts


@dataclass(eq=False)
class IoU(ClassCounts):
    """Intersection over union of each class, and its mean over the classes that are present.

    ``hits / (predicted + actual - hits)``, of all pixels since :meth:`reset` together; 0 to 1. Also called Jaccard
    index. A class that was neither there nor found has NaN, and is not part of the mean.

    Args:
        classes: how many there are, 2 or more.
        output_key: key of the scores, ``(rows, classes, *positions)``, of which the highest wins. Of two classes it may
            be one score, ``(rows, 1, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count.
        ignore_index: class number that does not count.
        threshold: above it, one score is class 1.
        per_class: whether there is a value of each class as well.
        metric_key: what to call the mean; the value of class 3 is ``{metric_key}_3``.

    Raises:
        ParameterError: fewer than two classes.
    """

    metric_key: str = "iou"

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        hits, predicted, actual = self.counts(sums)
        each = hits / (predicted + actual - hits)
        return self.named(each.nanmean(), each)
