"""Accuracy: how often the right class is among the k highest outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Metric
from leaven_plugins.losses.cross_entropy.labels import labels_for


class Accuracy:
    """Hits divided by labels since :meth:`reset`: ``accuracy`` for k = 1, ``top5_accuracy`` for k = 5.

    Args:
        top_k: one k, or several.
        output_key: key of the scores, ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target_key: key of the class numbers, integers; axes of length one do not count.

    Raises:
        ParameterError: no ``top_k``, or one below 1.
    """

    def __init__(self, top_k: int | Sequence[int] = 1, output_key: str = "output", target_key: str = "label") -> None:
        self.top_k = (top_k,) if isinstance(top_k, int) else tuple(top_k)
        if not self.top_k or min(self.top_k) < 1:
            raise ParameterError(f"accuracy: top_k={top_k!r}: expected one or more numbers from 1")
        self.output_key = output_key
        self.target_key = target_key
        self._hits: list[int | Tensor]
        self._labels: int
        self.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Count the hits of one batch. Nothing waits for the device before :meth:`compute`.

        Raises:
            LeavenError: labels that do not fit the output, or fewer classes than ``top_k``.
        """
        output = sample[self.output_key].detach()
        target = labels_for(output, sample[self.target_key], self.target_key)
        if max(self.top_k) > output.shape[1]:
            raise LeavenError(f"accuracy: top_k={max(self.top_k)} of an output with {output.shape[1]} classes")
        hits = output.topk(max(self.top_k), dim=1).indices == target.unsqueeze(1)
        self._hits = [total + hits[:, :k].sum() for total, k in zip(self._hits, self.top_k, strict=True)]
        self._labels += target.numel()

    def compute(self) -> dict[str, float]:
        """Return each accuracy, 0 to 1; NaN where nothing was seen."""
        if not self._labels:
            return {_key(k): float("nan") for k in self.top_k}
        return {_key(k): int(hits) / self._labels for k, hits in zip(self.top_k, self._hits, strict=True)}

    def reset(self) -> None:
        """Forget everything."""
        self._hits = [0 for _ in self.top_k]
        self._labels = 0

    def merge(self, other: Metric) -> None:
        """Take in what another accuracy has seen.

        Raises:
            ParameterError: it is not an accuracy of the same ``top_k``.
        """
        if not isinstance(other, Accuracy) or other.top_k != self.top_k:
            raise ParameterError(f"accuracy: top_k={self.top_k} cannot be merged with {other!r}")
        self._hits = [int(mine) + int(theirs) for mine, theirs in zip(self._hits, other._hits, strict=True)]
        self._labels += other._labels


def _key(k: int) -> str:
    return "accuracy" if k == 1 else f"top{k}_accuracy"
