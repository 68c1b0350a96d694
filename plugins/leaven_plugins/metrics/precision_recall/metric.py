"""Precision, Recall, F1: how much of what was found is right, how much of what is there was found, and both in one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from leaven.errors import ParameterError, suggestion
from leaven_plugins.metrics.class_counts import ClassCounts

AVERAGES = ("macro", "micro", "weighted", "binary")


@dataclass(eq=False)
class ClassRatio(ClassCounts, ABC):
    """A ratio of each class' counts, and its average over the classes.

    A class for which there is nothing to divide by has 0, as long as it is there or was found. One that was neither has
    NaN, and is not part of an average.

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
        average: ``"macro"``: each class counts the same; ``"weighted"``: as often as it is there; ``"micro"``: of the
            counts of all classes together; ``"binary"``: the value of class 1, of two classes.

    Raises:
        ParameterError: fewer than two classes, ``average`` is none of these, or ``"binary"`` of more than two classes.
    """

    average: str = "macro"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_average(self.average, self.classes)

    @abstractmethod
    def ratio(self, hits: Tensor, predicted: Tensor, actual: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is to be divided by what."""

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        counts = self.counts(sums)
        return self.named(self._averaged(*counts), self._each(*counts))

    def _averaged(self, hits: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
        if self.average == "micro":
            return self._each(hits.sum(), predicted.sum(), actual.sum())
        each = self._each(hits, predicted, actual)
        if self.average == "binary":
            return each[1]
        if self.average == "weighted":
            return (each.nan_to_num() * actual).sum() / actual.sum()
        return each.nanmean()

    def _each(self, hits: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
        above, below = self.ratio(hits, predicted, actual)
        return torch.where(predicted + actual == 0, torch.nan, above / below.clamp(min=1))


@dataclass(eq=False)
class Precision(ClassRatio):
    """Share of what was found that is right, ``hits / predicted``; 0 to 1.

    Its parameters are those of :class:`ClassRatio`; ``average`` is ``"macro"``, ``"micro"``, ``"weighted"`` or
    ``"binary"``.
    """

    metric_key: str = "precision"

    def ratio(self, hits: Tensor, predicted: Tensor, actual: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        return hits, predicted


@dataclass(eq=False)
class Recall(ClassRatio):
    """Share of what is there that was found, ``hits / actual``; 0 to 1.

    Its parameters are those of :class:`ClassRatio`; ``average`` is ``"macro"``, ``"micro"``, ``"weighted"`` or
    ``"binary"``.
    """

    metric_key: str = "recall"

    def ratio(self, hits: Tensor, predicted: Tensor, actual: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        return hits, actual


@dataclass(eq=False)
class F1(ClassRatio):
    """Harmonic mean of precision and recall, ``2 * hits / (predicted + actual)``; 0 to 1.

    Its parameters are those of :class:`ClassRatio`; ``average`` is ``"macro"``, ``"micro"``, ``"weighted"`` or
    ``"binary"``.
    """

    metric_key: str = "f1"

    def ratio(self, hits: Tensor, predicted: Tensor, actual: Tensor) -> tuple[Tensor, Tensor]:  # noqa: D102
        return 2 * hits, predicted + actual


def _check_average(average: str, classes: int) -> None:
    if average not in AVERAGES:
        raise ParameterError(f"average {average!r}{suggestion(average, AVERAGES)}: expected {', '.join(AVERAGES)}")
    if average == "binary" and classes != 2:
        raise ParameterError(f"average 'binary' is of two classes, not of {classes}")
