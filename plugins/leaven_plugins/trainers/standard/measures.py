"""Measures: several metrics as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaven.errors import LeavenError
from leaven.protocols import Metric


class Measures:
    """Metrics that see the same samples; their values are merged.

    Args:
        metrics: one metric, or several.
    """

    def __init__(self, metrics: Metric | Sequence[Metric]) -> None:
        self._metrics = (metrics,) if isinstance(metrics, Metric) else tuple(metrics)

    def reset(self) -> None:
        """Forget everything."""
        for metric in self._metrics:
            metric.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Take in one batch."""
        for metric in self._metrics:
            metric.update(dict(sample))

    def compute(self) -> dict[str, float]:
        """Return all values.

        Raises:
            LeavenError: two metrics have a value of the same name.
        """
        values: dict[str, float] = {}
        for metric in self._metrics:
            found = metric.compute()
            twice = values.keys() & found.keys()
            if twice:
                raise LeavenError(f"two metrics have a value called {min(twice)!r}; give one of them another key")
            values.update(found)
        return values
