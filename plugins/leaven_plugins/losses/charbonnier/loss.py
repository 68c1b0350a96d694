"""Charbonnier: a smooth absolute difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.losses.pairs import pair
from leaven_plugins.losses.reductions import check_reduction, reduced


@dataclass(frozen=True)
class Charbonnier:
    """``sqrt((output - target) ** 2 + eps)``.

    P. Charbonnier et al., Two Deterministic Half-Quadratic Regularization Algorithms for Computed Imaging, ICIP 1994.

    Args:
        eps: what keeps the root smooth at 0, in squared units of the output, above 0.
        output_key: key of the output, float ``(rows, ...)``.
        target_key: key of the target, numbers of any dtype in the same shape; axes of length one do not count.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    Raises:
        ParameterError: ``eps`` is not above 0, or ``reduction`` is none of these.
    """

    eps: float = 1e-6
    output_key: str = "output"
    target_key: str = "target_image"
    reduction: str = "mean"

    def __post_init__(self) -> None:
        check_reduction(self.reduction)
        if not self.eps > 0:
            raise ParameterError(f"charbonnier: eps={self.eps}: expected a number above 0")

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each element of the output with ``reduction="none"``.

        Raises:
            LeavenError: the target is of another shape, or the output not float.
        """
        output, target = pair(sample, self.output_key, self.target_key)
        return reduced(((output - target).square() + self.eps).sqrt(), self.reduction)
