"""NSS: the normalised scanpath saliency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven_plugins.metrics.images import images_of
from leaven_plugins.metrics.sums import SumMetric

_EPSILON = 1e-5  # added to the standard deviation: a map that is the same everywhere has 0


@dataclass(eq=False)
class NSS(SumMetric):
    """Mean of the standardised saliency over all fixations since :meth:`reset`.

    Each channel of each map is standardised by itself, ``z = (output - mean) / (std + 1e-5)`` with the unbiased
    deviation; the value is ``sum(z * target) / sum(target)``. 0 is chance, 1 a standard deviation above it. Each
    fixation counts the same, however batches were cut. NaN where there was no fixation.

    After Peters, Iyer, Itti and Koch, "Components of bottom-up gaze allocation in natural images", Vision Research 45,
    2005.

    Args:
        output_key: key of the saliency maps, floats ``(rows, channels, height, width)``.
        target_key: key of how often each pixel was fixated, of the same shape; axes of length one do not count.
        metric_key: what to call the result.
    """

    output_key: str = "output"
    target_key: str = "target_image"
    metric_key: str = "nss"

    def zeros(self) -> dict[str, Tensor]:  # noqa: D102
        zero = torch.zeros((), dtype=torch.float64)
        return {"saliency": zero, "fixations": zero}

    def terms(self, sample: Mapping[str, Any]) -> Mapping[str, Tensor | int]:  # noqa: D102
        output, target = images_of(sample, self.output_key, self.target_key)
        apart = output - output.mean((2, 3), keepdim=True)
        variance = apart.square().sum((2, 3), keepdim=True) / max(output.shape[2] * output.shape[3] - 1, 1)
        standardised = apart / (variance.sqrt() + _EPSILON)
        return {"saliency": (standardised * target).sum(), "fixations": target.sum()}

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:  # noqa: D102
        return {self.metric_key: float(sums["saliency"] / sums["fixations"])}
