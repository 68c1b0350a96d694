"""NSS: the negative normalised scanpath saliency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from leaven.errors import LeavenError
from leaven_plugins.losses.pairs import pair

_EPS = 1e-5  # part of the definition: it is added to the standard deviation


@dataclass(frozen=True)
class NSS:
    """``-sum(z * target) / sum(target)``, where ``z`` is the output with mean 0 and standard deviation 1.

    Mean and (unbiased) standard deviation are those of a row, over all its pixels and channels; the sums are over the
    whole batch. So it is the negative mean of the normalised output at the points that people looked at, where each
    point counts alike. R. J. Peters et al., Components of Bottom-Up Gaze Allocation in Natural Images, Vision Research
    45, 2005.

    Args:
        output_key: key of the saliency, float ``(rows, ...)``, two values or more in each row.
        target_key: key of how often each point was looked at, in the same shape, not negative; axes of length one do
            not count. Rows in which it is 0 everywhere have no part; where there are no others the loss is 0.
    """

    output_key: str = "output"
    target_key: str = "target_image"

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss, a scalar.

        Raises:
            LeavenError: the target is of another shape, or the output is not float, or has one value in each row.
        """
        output, target = pair(sample, self.output_key, self.target_key)
        if output[:1].numel() < 2:
            raise LeavenError(f"{self.output_key}: shape {tuple(output.shape)}: nss needs two values or more in a row")
        rows = output.flatten(1)
        z = (rows - rows.mean(1, keepdim=True)) / (rows.std(1, keepdim=True) + _EPS)
        mass = target.sum()
        return -(z * target.flatten(1)).sum() / mass.where(mass != 0, 1)
