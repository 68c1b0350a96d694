"""NLL: the negative log likelihood of class numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from leaven_plugins.losses.cross_entropy.labels import class_loss
from leaven_plugins.losses.reductions import check_reduction


@dataclass(frozen=True)
class NLL:
    """``-output[label]``, where the output holds log probabilities.

    Args:
        output_key: key of the log probabilities, float ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count.
        weight: one weight for each class.
        reduction: ``"mean"`` over the batch (weighted, where there are weights), ``"sum"`` or ``"none"``.
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
        return class_loss(
            functional.nll_loss,
            sample,
            self.output_key,
            self.target_key,
            self.weight,
            self.reduction,
            self.ignore_index,
        )
