"""Average: the mean of one tensor of the sample over all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven_plugins.metrics.sums import RowMean, row_means


@dataclass(eq=False)
class Average(RowMean):
    """Mean over all rows since :meth:`reset`.

    Args:
        output_key: key of a tensor ``(rows, ...)``, of which each row counts with its mean; a scalar counts as one row.
        metric_key: what to call the result.
    """

    output_key: str = "output"
    metric_key: str = "average_metric"

    def per_row(self, sample: Mapping[str, Any]) -> Tensor:  # noqa: D102
        values = torch.as_tensor(sample[self.output_key]).detach()
        return row_means(values if values.ndim else values[None])
