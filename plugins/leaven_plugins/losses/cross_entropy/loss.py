"""CrossEntropy: between the softmax of logits, and class numbers or shares of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from leaven_plugins.losses.cross_entropy.labels import are_shares, check_reduction, class_loss


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
        output, target = sample[self.output_key], sample[self.target_key]
        if are_shares(output, target):
            return self._of_shares(output, torch.as_tensor(target))
        return class_loss(
            functional.cross_entropy,
            sample,
            self.output_key,
            self.target_key,
            self.weight,
            self.reduction,
            self.ignore_index,
        )

    def _of_shares(self, output: Tensor, shares: Tensor) -> Tensor:
        weight = None if self.weight is None else torch.as_tensor(self.weight, dtype=output.dtype, device=output.device)
        return functional.cross_entropy(output, shares.to(output), weight=weight, reduction=self.reduction)
