"""Huber: squared where the difference is small, absolute where it is large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from leaven.errors import ParameterError
from leaven_plugins.losses.pairs import pair
from leaven_plugins.losses.reductions import check_reduction


@dataclass(frozen=True)
class Huber:
    """``d ** 2 / 2`` of differences ``d`` up to ``delta``, ``delta * (|d| - delta / 2)`` of larger ones.

    P. J. Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35, 1964.

    Args:
        delta: the difference at which it goes over, in units of the output, above 0.
        output_key: key of the output, float ``(rows, ...)``.
        target_key: key of the target, numbers of any dtype in the same shape; axes of length one do not count.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    Raises:
        ParameterError: ``delta`` is not above 0, or ``reduction`` is none of these.
    """

    delta: float = 1.0
    output_key: str = "output"
    target_key: str = "target_image"
    reduction: str = "mean"

    def __post_init__(self) -> None:
        check_reduction(self.reduction)
        if not self.delta > 0:
            raise ParameterError(f"huber: delta={self.delta}: expected a number above 0")

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each element of the output with ``reduction="none"``.

        Raises:
            LeavenError: the target is of another shape, or the output not float.
        """
        output, target = pair(sample, self.output_key, self.target_key)
        return functional.huber_loss(output, target, reduction=self.reduction, delta=self.delta)
