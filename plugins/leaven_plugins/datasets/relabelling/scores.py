"""Scores: from what a network says of each class to one label."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leaven.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Labels(NamedTuple):
    """Labels ``(n,)``, and how probable each is, where that is known."""

    labels: NDArray[np.int64]
    confidence: NDArray[np.float64] | None


def probabilities(scores: NDArray[Any], temperature: float | None) -> NDArray[np.float64]:
    """Return probabilities ``(n, classes)``.

    Args:
        scores: the same, or anything proportional to them; logits where there is a temperature.
        temperature: by which logits are divided.

    Raises:
        ParameterError: a score is not finite, or they cannot be probabilities.
    """
    values = scores.astype(np.float64)
    if temperature is not None:
        values = np.zeros_like(values) if temperature == inf else values / temperature
        values = np.exp(values - values.max(axis=1, keepdims=True, initial=-inf))
    sums = values.sum(axis=1, keepdims=True)
    wrong = np.flatnonzero(~(np.isfinite(scores).all(axis=1) & (values >= 0).all(axis=1) & (sums[:, 0] > 0)))
    if len(wrong):
        raise ParameterError(
            f"given_labels: scores[{wrong[0]}] are no probabilities: {scores[wrong[0]][:5].tolist()}...; "
            "logits need a temperature, such as 1"
        )
    return np.asarray(values / sums)


def best(chances: NDArray[np.float64], threshold: float | None) -> Labels:
    """Return the most probable labels; -1 for those not above the threshold."""
    labels = chances.argmax(axis=1)
    confidence = np.take_along_axis(chances, labels[:, None], axis=1)[:, 0]
    return Labels(labels if threshold is None else np.where(confidence > threshold, labels, -1), confidence)


def drawn(chances: NDArray[np.float64], top: int, random: np.random.Generator) -> Labels:
    """Return labels drawn from the ``top`` most probable ones, in proportion to their probabilities."""
    if top > chances.shape[1]:
        raise ParameterError(f"given_labels: top={top}, but there are {chances.shape[1]} classes")
    candidates = np.argsort(-chances, axis=1, kind="stable")[:, :top]
    limits = np.cumsum(np.take_along_axis(chances, candidates, axis=1), axis=1)
    points = random.random((len(chances), 1)) * limits[:, -1:]
    chosen = np.minimum((points >= limits).sum(axis=1), top - 1)
    labels = np.take_along_axis(candidates, chosen[:, None], axis=1)
    return Labels(labels[:, 0], np.take_along_axis(chances, labels, axis=1)[:, 0])
