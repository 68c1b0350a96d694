"""LabelSmoothing: cross entropy with a share of every label spread over all classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.losses.cross_entropy.entropy import cross_entropy
from leaven_plugins.losses.reductions import check_reduction


@dataclass(frozen=True)
class LabelSmoothing:
    """``-sum(q * log softmax(output))`` with ``q = (1 - smoothing) * shares + smoothing / classes``.

    ``shares`` is 1 for the label and 0 for the others, or what the target says. C. Szegedy et al., Rethinking the
    Inception Architecture for Computer Vision, CVPR 2016.

    Args:
        smoothing: which part of each label is spread, 0 to 1.
        output_key: key of the logits, float ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count. Or key of each class' share,
            floats in the shape of the logits, as collators that mix samples make them.
        weight: one weight for each class.
        reduction: ``"mean"`` over the batch (weighted, where there are weights and class numbers), ``"sum"`` or
            ``"none"``.
        ignore_index: class number that does not count.

    Raises:
        ParameterError: ``reduction`` is none of these, or ``smoothing`` is not from 0 to 1.
    """

    smoothing: float = 0.0
    output_key: str = "output"
    target_key: str = "label"
    weight: Sequence[float] | None = None
    reduction: str = "mean"
    ignore_index: int = -100

    def __post_init__(self) -> None:
        check_reduction(self.reduction)
        if not 0 <= self.smoothing <= 1:
            raise ParameterError(f"label_smoothing: smoothing={self.smoothing}: expected a number from 0 to 1")

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each label with ``reduction="none"``.

        Raises:
            LeavenError: labels that do not fit the output, or that are not classes.
        """
        return cross_entropy(
            sample,
            self.output_key,
            self.target_key,
            self.weight,
            self.reduction,
            self.ignore_index,
            self.smoothing,
        )
