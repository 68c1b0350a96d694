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

    Attributes:
        metrics: all of them.
    """

    def __init__(self, metrics: Metric | Sequence[Metric]) -> None:
        self.metrics = (metrics,) if isinstance(metrics, Metric) else tuple(metrics)

    def reset(self) -> None:
        """Forget everything."""
        for metric in self.metrics:
            metric.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Take in one batch."""
        for metric in self.metrics:
            metric.update(dict(sample))

    def compute(self) -> dict[str, float]:
        """Return all values.

        Raises:
            LeavenError: two metrics have a value of the same name.
        """
        return values_of(self.metrics)

    def state_dict(self) -> list[Any]:
        """Return what each metric has seen, as plain data and tensors; ``None`` for one that cannot tell."""
        return [metric.state_dict() if hasattr(metric, "state_dict") else None for metric in self.metrics]

    def load_state_dict(self, states: Sequence[Any]) -> None:
        """Let each metric go on from its state.

        Raises:
            LeavenError: there are other metrics than the states are of.
        """
        if len(states) != len(self.metrics):
            raise LeavenError(f"the state is of {len(states)} metrics, and there are {len(self.metrics)}")
        for metric, state in zip(self.metrics, states, strict=True):
            if state is not None:
                metric.load_state_dict(state)  # type: ignore[attr-defined]

    def merge(self, other: Measures) -> None:
        """Take in what other metrics of the same kinds have seen."""
        for mine, theirs in zip(self.metrics, other.metrics, strict=True):
            mine.merge(theirs)


def values_of(metrics: Sequence[Metric]) -> dict[str, float]:
    """Return the values of several metrics in one dict.

    Raises:
        LeavenError: two metrics have a value of the same name.
    """
    values: dict[str, float] = {}
    for metric in metrics:
        found = metric.compute()
        twice = values.keys() & found.keys()
        if twice:
            raise LeavenError(f"two metrics have a value called {min(twice)!r}; give one of them another key")
        values.update(found)
    return values
