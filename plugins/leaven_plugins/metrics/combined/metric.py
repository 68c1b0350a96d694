"""Combined: several metrics as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Metric


class Combined:
    """Several metrics of the same sample dicts, their values in one dict.

    Args:
        metrics: one or more.

    Raises:
        ParameterError: there is none, or two of them have a value of the same name; most metrics take a name of their
            own as ``metric_key``.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        if not metrics:
            raise ParameterError("combined: metrics is empty: expected one or more")
        self.metrics = tuple(metrics)
        self.compute()  # a clash of names shows now, and not after an epoch

    def update(self, sample: Mapping[str, Any]) -> None:
        """Let each take in the batch."""
        for metric in self.metrics:
            metric.update(dict(sample))

    def compute(self) -> dict[str, float]:
        """Return the values of all, in their order.

        Raises:
            ParameterError: two of them have a value of the same name.
        """
        return _united(self.metrics)

    def reset(self) -> None:
        """Let each forget everything."""
        for metric in self.metrics:
            metric.reset()

    def merge(self, other: Metric) -> None:
        """Merge each metric with the other's at its place.

        Raises:
            ParameterError: the other one is not made of metrics like these.
        """
        if not isinstance(other, Combined) or list(map(type, other.metrics)) != list(map(type, self.metrics)):
            raise ParameterError(f"combined: {_listed(self.metrics)} cannot be merged with {other!r}")
        for mine, theirs in zip(self.metrics, other.metrics, strict=True):
            mine.merge(theirs)

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all; what metric 0 calls ``hits`` is ``0.hits``.

        Raises:
            LeavenError: a metric has no state.
        """
        states = (_with_state(metric).state_dict() for metric in self.metrics)
        return {f"{number}.{name}": value for number, state in enumerate(states) for name, value in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let each go on from its part of the state.

        Raises:
            LeavenError: a metric has no state, or the state is of other metrics.
        """
        parts: list[dict[str, Any]] = [{} for _ in self.metrics]
        for key, value in state.items():
            number, _, name = key.partition(".")
            if not number.isdecimal() or int(number) >= len(parts):
                raise LeavenError(f"combined: {_listed(self.metrics)} cannot go on from a state with {key!r}")
            parts[int(number)][name] = value
        for metric, part in zip(self.metrics, parts, strict=True):
            _with_state(metric).load_state_dict(part)


def _united(metrics: Iterable[Metric]) -> dict[str, float]:
    values: dict[str, float] = {}
    owners: dict[str, str] = {}
    for number, metric in enumerate(metrics):
        for key, value in metric.compute().items():
            if key in values:
                raise ParameterError(
                    f"combined: {key!r} is a value of {owners[key]} and of {type(metric).__name__} (metric {number}); "
                    "give one of them another metric_key"
                )
            values[key], owners[key] = value, f"{type(metric).__name__} (metric {number})"
    return values


def _with_state(metric: Any) -> Any:
    if not hasattr(metric, "state_dict"):
        raise LeavenError(f"combined: {type(metric).__name__} has no state_dict")
    return metric


def _listed(metrics: Iterable[Metric]) -> str:
    return ", ".join(type(metric).__name__ for metric in metrics)
