"""MSE: mean squared difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from leaven_plugins.losses.pairs import pair
from leaven_plugins.losses.reductions import check_reduction


@dataclass(frozen=True)
class MSE:
    """``(output - target) ** 2``.

    Args:
        output_key: key of the output, float ``(rows, ...)``.
        target_key: key of the target, numbers of any dtype in the same shape; axes of length one do not count.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    Raises:
        ParameterError: ``reduction`` is none of these.
    """

    output_key: str = "output"
    target_key: str = "target_image"
    reduction: str = "mean"

    def __post_init__(self) -> None:
        check_reduction(self.reduction)

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each element of the output with ``reduction="none"``.

        Raises:
            LeavenError: the target is of another shape, or the output not float.
        """
        output, target = pair(sample, self.output_key, self.target_key)
        return functional.mse_loss(output, target, reduction=self.reduction)
