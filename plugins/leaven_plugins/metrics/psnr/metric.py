"""PSNR: the peak signal-to-noise ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.losses.pairs import pair
from leaven_plugins.metrics.sums import RowMean, row_means

_FLOOR = 1e-8  # added to the error, so that images without any have a finite value


@dataclass(eq=False)
class PSNR(RowMean):
    """``10 * log10(peak ** 2 / (error + 1e-8))``, in decibels, of the mean squared error over all rows.

    Images that are equal have 80 dB at a peak of 1.

    Args:
        peak: the highest value that a pixel may have, such as 1 or 255.
        output_key: key of the output, floats ``(rows, ...)``.
        target_key: key of the target, of the same shape; axes of length one do not count.
        metric_key: what to call the result.

    Raises:
        ParameterError: the peak is not above 0.
    """

    peak: float = 1.0
    output_key: str = "output"
    target_key: str = "target_image"
    metric_key: str = "psnr"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.peak > 0:
            raise ParameterError(f"psnr: peak={self.peak}: must be above 0")

    def per_row(self, sample: Mapping[str, Any]) -> Tensor:  # noqa: D102
        output, target = pair(sample, self.output_key, self.target_key)
        return row_means((output - target).square())

    def from_mean(self, mean: float) -> float:  # noqa: D102
        return 20 * math.log10(self.peak) - 10 * math.log10(mean + _FLOOR)  # defined where the error is infinite
