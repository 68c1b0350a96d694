"""Average: the mean of one tensor of the sample over all rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import ParameterError
from leaven.protocols import Metric


class Average:
    """Mean over all rows since :meth:`reset`.

    Args:
        output_key: key of a tensor ``(rows, ...)``, of which each row counts with its mean; a scalar counts as one row.
        metric_key: what to call the result.
    """

    def __init__(self, output_key: str = "output", metric_key: str = "average_metric") -> None:
        self.output_key = output_key
        self.metric_key = metric_key
        self._sum: float | Tensor
        self._rows: int
        self.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Add one batch. Nothing waits for the device before :meth:`compute`."""
        values = torch.as_tensor(sample[self.output_key]).detach()
        rows = values.shape[0] if values.ndim else 1
        self._sum = self._sum + values.double().mean() * rows
        self._rows += rows

    def compute(self) -> dict[str, float]:
        """Return the mean; NaN where nothing was seen."""
        return {self.metric_key: float(self._sum) / self._rows if self._rows else float("nan")}

    def reset(self) -> None:
        """Forget everything."""
        self._sum = 0.0
        self._rows = 0

    def merge(self, other: Metric) -> None:
        """Take in what another average has seen.

        Raises:
            ParameterError: it is not an average.
        """
        if not isinstance(other, Average):
            raise ParameterError(f"average: cannot be merged with {other!r}")
        self._sum = self._sum + float(other._sum)
        self._rows += other._rows
