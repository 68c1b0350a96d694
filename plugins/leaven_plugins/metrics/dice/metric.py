"""Dice: the overlap of regions, divided by their mean size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from leaven_plugins.metrics.class_counts import ClassCounts


@dataclass(eq=False)
class Dice(ClassCounts):
    """The Dice coefficient of each class, and its mean over the classes that are present.

    ``2 * hits / (predicted + actual)``, of all pixels since :meth:`reset` together; 0 to 1. A class that was neither
    there nor found has NaN, and is not part of the mean.

    After Dice, "Measures of the amount of ecologic association between species", Ecology 26, 1945.

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

    metric_key: str = "dice"

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        hits, predicted, actual = self.counts(sums)
        each = 2 * hits / (predicted + actual)
        return self.named(each.nanmean(), each)
