"""Class counts: metrics made of how often each class was named, was right, and both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven_plugins.metrics.counting import check_classes, check_labels, classes_of, tally
from leaven_plugins.metrics.sums import SumMetric


@dataclass(eq=False)
class ClassCounts(SumMetric):
    """Three int64 counts for each class: ``hits``, ``predicted`` and ``actual``.

    Args:
        classes: how many there are, 2 or more.
        output_key: key of the scores, ``(rows, classes)`` or ``(rows, classes, *positions)``, of which the highest
            wins. Of two classes it may be one score, ``(rows, 1, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count. Or, in the scores' shape, a
            share for each class (also one-hot), of which the largest is the label's.
        ignore_index: class number that does not count.
        threshold: above it, one score is class 1.
        per_class: whether there is a value of each class as well.
        metric_key: what to call the result; that of class 3 is ``{metric_key}_3``.

    Raises:
        ParameterError: fewer than two classes.
    """

    classes: int
    output_key: str = "output"
    target_key: str = "label"
    ignore_index: int = -100
    threshold: float = 0.5
    per_class: bool = False
    metric_key: str = "counts"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_classes(self.metric_key, self.classes)

    def zeros(self) -> dict[str, Tensor]:  # noqa: D102
        counts = {name: torch.zeros(self.classes, dtype=torch.int64) for name in ("hits", "predicted", "actual")}
        return counts | {"outside": torch.zeros((), dtype=torch.int64)}

    def terms(self, sample: Mapping[str, Any]) -> Mapping[str, Tensor | int]:  # noqa: D102
        seen = classes_of(
            sample, self.output_key, self.target_key, self.classes, self.ignore_index, threshold=self.threshold
        )
        return {
            "hits": tally(seen.actual, seen.counts & (seen.actual == seen.predicted), self.classes),
            "predicted": tally(seen.predicted, seen.counts, self.classes),
            "actual": tally(seen.actual, seen.counts, self.classes),
            "outside": seen.outside,
        }

    def counts(self, sums: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return hits, predicted and actual as float64.

        Raises:
            LeavenError: labels have been seen that are not classes.
        """
        check_labels(sums["outside"], self.target_key, self.ignore_index)
        return sums["hits"].double(), sums["predicted"].double(), sums["actual"].double()

    def named(self, mean: Tensor, each: Tensor) -> dict[str, float]:
        """Return the value over all classes, and those of each if they are wanted."""
        return named_values(self.metric_key, mean, each if self.per_class else None)


def named_values(key: str, mean: Tensor, each: Tensor | None) -> dict[str, float]:
    """Return the mean as ``key``, and the value of class 3 as ``key_3``."""
    values = {} if each is None else {f"{key}_{number}": float(value) for number, value in enumerate(each)}
    return {key: float(mean), **values}
