"""AUC: the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Metric
from leaven_plugins.metrics.class_counts import named_values
from leaven_plugins.metrics.counting import check_labels, class_targets, counted


@dataclass(eq=False)
class AUC:
    """Chance that a sample of a class has a higher score than one that is not of it, ties counting half; 0 to 1.

    It is exact, from the ranks of all scores: 0.5 is chance, 1 a perfect order. Of two classes it is that of class 1.
    Of more, each class is held against all others, and the value is the mean over the classes of which there are
    samples both of it and not of it; NaN where there is none.

    All scores are kept, on their device, until :meth:`reset`. They are sorted by :meth:`compute`.

    After Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
    Radiology 143, 1982.

    Args:
        output_key: key of the scores, ``(rows, classes)`` or ``(rows, classes, *positions)``; one class, ``(rows, 1)``,
            is the score of class 1 of two.
        target_key: key of the class numbers, integers; axes of length one do not count. Or, in the scores' shape, a
            share for each class (also one-hot), of which the largest is the label's.
        ignore_index: class number that does not count.
        logits: whether the scores of three or more classes are logits; their softmax is what is held against others'.
        per_class: whether there is a value of each class as well.
        metric_key: what to call the result; that of class 3 is ``{metric_key}_3``.
    """

    output_key: str = "output"
    target_key: str = "label"
    ignore_index: int = -100
    logits: bool = True
    per_class: bool = False
    metric_key: str = "auc"

    def __post_init__(self) -> None:
        self.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Keep the scores of one batch. Nothing waits for the device before :meth:`compute`.

        Raises:
            LeavenError: labels that do not fit the output, or another number of classes than before.
        """
        output = sample[self.output_key].detach()
        labels = class_targets(output, sample[self.target_key], self.target_key)
        if self._scores and self._scores[0].shape[1] != output.shape[1]:
            raise LeavenError(f"auc: {output.shape[1]} classes after {self._scores[0].shape[1]}")
        dtype = torch.promote_types(output.dtype, torch.float32)
        scores = output.to(dtype, copy=True)  # the network may use its memory for the next batch
        self._scores.append(scores.movedim(1, -1).flatten(0, -2))
        self._labels.append(labels.flatten().clone())

    def compute(self) -> dict[str, float]:
        """Return the area; NaN where nothing was seen.

        Raises:
            LeavenError: labels that are not classes, or scores that are not numbers.
        """
        if not self._scores:
            return {self.metric_key: float("nan")}
        ranked, labels = self._counted()
        if ranked.shape[1] == 1:
            return named_values(self.metric_key, area_under_roc(ranked[:, 0], labels == 1), None)
        areas = torch.stack([area_under_roc(column, labels == number) for number, column in enumerate(ranked.T)])
        return named_values(self.metric_key, areas.nanmean(), areas if self.per_class else None)

    def reset(self) -> None:
        """Forget everything."""
        self._scores: list[Tensor] = []
        self._labels: list[Tensor] = []

    def merge(self, other: Metric) -> None:
        """Take in what another one has seen.

        Raises:
            ParameterError: it is not an AUC of the same parameters.
        """
        if not isinstance(other, AUC) or repr(other) != repr(self):
            raise ParameterError(f"{self!r} cannot be merged with {other!r}")
        self._scores = [*self._scores, *other._scores]
        self._labels = [*self._labels, *other._labels]

    def state_dict(self) -> dict[str, Any]:
        """Return the scores and labels of all batches, as tensors on the CPU."""
        return {
            "scores": [scores.cpu() for scores in self._scores],
            "labels": [labels.cpu() for labels in self._labels],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the scores of :meth:`state_dict`.

        Raises:
            LeavenError: it is not the state of an AUC.
        """
        if set(state) != {"scores", "labels"} or list(map(len, state["scores"])) != list(map(len, state["labels"])):
            raise LeavenError(f"auc: cannot go on from a state of {', '.join(sorted(state)) or 'nothing'}")
        self._scores, self._labels = list(state["scores"]), list(state["labels"])

    def _counted(self) -> tuple[Tensor, Tensor]:
        """Return what is ranked, float64 ``(n, classes)`` or, of two classes, ``(n, 1)``, and the labels."""
        scores = torch.cat([part.cpu() for part in self._scores]).double()
        labels = torch.cat([part.cpu() for part in self._labels])
        counts, outside = counted(labels, max(2, scores.shape[1]), self.ignore_index)
        check_labels(outside, self.target_key, self.ignore_index)
        ranked = _ranked(scores[counts], self.logits)
        if number := int(ranked.isnan().any(1).sum()):
            raise LeavenError(f"auc: the scores of {number} of {len(ranked)} samples are not numbers (NaN)")
        return ranked, labels[counts]


def area_under_roc(scores: Tensor, is_positive: Tensor) -> Tensor:
    """Return the area for scores ``(n,)`` and booleans ``(n,)``, as a float64 scalar; NaN where all are the same."""
    _, places, counts = torch.unique(scores, return_inverse=True, return_counts=True)
    ranks = counts.cumsum(0).double() - (counts - 1) / 2  # from 1; those that tie share their mean rank
    positives = is_positive.sum().double()
    negatives = len(scores) - positives
    below: Tensor = ranks[places][is_positive].sum() - positives * (positives + 1) / 2
    return below.div(positives * negatives)


def _ranked(scores: Tensor, logits: bool) -> Tensor:
    if scores.shape[1] == 2:  # in the order of the softmax, of which 1 is all that is left of large differences
        return scores[:, 1:] - scores[:, :1]
    return scores.softmax(1) if logits and scores.shape[1] > 2 else scores
