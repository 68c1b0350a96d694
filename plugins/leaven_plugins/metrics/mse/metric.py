"""MSE: the mean squared difference of output and target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from leaven_plugins.losses.pairs import pair
from leaven_plugins.metrics.sums import RowMean, row_means


@dataclass(eq=False)
class MSE(RowMean):
    """Mean of ``(output - target) ** 2`` over the elements of a row, and over all rows since :meth:`reset`.

    Args:
        output_key: key of the output, floats ``(rows, ...)``.
        target_key: key of the target, of the same shape; axes of length one do not count.
        metric_key: what to call the result, from 0.
    """

    output_key: str = "output"
    target_key: str = "target_image"
    metric_key: str = "mse"

    def per_row(self, sample: Mapping[str, Any]) -> Tensor:  # noqa: D102
        output, target = pair(sample, self.output_key, self.target_key)
        return row_means((output - target).square())
