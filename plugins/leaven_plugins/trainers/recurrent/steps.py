"""Steps as rows: what losses and metrics see of sequences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from leaven.protocols import Loss, Metric
from leaven_plugins.trainers.recurrent.sequences import PLACES

Sample = dict[str, Any]


def flattened(sample: Mapping[str, Any], input_key: str) -> Sample:
    """Return a sample whose rows are the steps that count.

    Args:
        sample: a chunk, as the network gave it back.
        input_key: key of the input ``(rows, steps, ...)``.

    Returns:
        What begins with ``(rows, steps)`` as ``(counted, ...)``, with an axis of one where nothing is left; everything
        else as it is.
    """
    places = sample[PLACES][:, 0]
    shape = sample[input_key].shape[:2]

    def flat(value: Any) -> Any:
        if not isinstance(value, Tensor) or value.shape[:2] != shape:
            return value
        whole = value.reshape(shape[0] * shape[1], *(value.shape[2:] or (1,)))
        if len(places) == len(whole):
            return whole
        return whole.index_select(0, places.to(value.device, non_blocking=True))

    return {key: flat(value) for key, value in sample.items()}


class StepLoss:
    """A loss of the steps that count, each of them a row."""

    def __init__(self, loss: Loss, input_key: str) -> None:
        self.loss = loss
        self._input_key = input_key

    def __call__(self, sample: Mapping[str, Any]) -> Any:
        """Return the loss."""
        return self.loss(flattened(sample, self._input_key))


class StepMetric:
    """A metric of the steps that count, each of them a row."""

    def __init__(self, metric: Metric, input_key: str) -> None:
        self.metric = metric
        self._input_key = input_key

    def update(self, sample: Mapping[str, Any]) -> None:
        """Take in one chunk."""
        self.metric.update(flattened(sample, self._input_key))

    def compute(self) -> dict[str, float]:
        """Return the metric's values."""
        return self.metric.compute()

    def reset(self) -> None:
        """Forget everything."""
        self.metric.reset()

    def merge(self, other: Any) -> None:
        """Take in what another one has seen."""
        self.metric.merge(other.metric)

    def state_dict(self) -> Any:
        """Return the metric's state, ``None`` where it has none."""
        return self.metric.state_dict() if hasattr(self.metric, "state_dict") else None

    def load_state_dict(self, state: Any) -> None:
        """Go on from a state."""
        self.metric.load_state_dict(state)  # type: ignore[attr-defined]
