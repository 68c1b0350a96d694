"""CrossEntropy: between the softmax of logits, and class numbers or shares of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from leaven_plugins.losses.cross_entropy.entropy import cross_entropy
from leaven_plugins.losses.reductions import check_reduction


@dataclass(frozen=True)
class CrossEntropy:
    """``-log softmax(output)[label]``, or, of shares, ``-sum(shares * log softmax(output))``.

    Args:
        output_key: key of the logits, float ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count. Or key of each class' share,
            floats in the shape of the logits, as collators that mix samples make them.
        weight: one weight for each class.
        reduction: ``"mean"`` over the batch (weighted, where there are weights and class numbers), ``"sum"`` or
            ``"none"``.
        ignore_index: class number that does not count.

    Raises:
        ParameterError: ``reduction`` is none of these.
    """

    output_key: str = "output"
    target_key: str = "label"
    weight: Sequence[float] | None = None
    reduction: str = "mean"
    ignore_index: int = -100

    def __post_init__(self) -> None:
        check_reduction(self.reduction)

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each label with ``reduction="none"``.

        Raises:
            LeavenError: labels that do not fit the output, or that are not classes.
        """
        return cross_entropy(sample, self.output_key, self.target_key, self.weight, self.reduction, self.ignore_index)
