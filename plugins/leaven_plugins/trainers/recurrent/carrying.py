"""Carrying: the way of the state, from the network's output to the next chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven_plugins.trainers.feedback import Feedback


class Carrying:
    """A metric without values, which leads the state that the network came to back to the sequences.

    Args:
        feedback: leads it there.
    """

    def __init__(self, feedback: Feedback[None]) -> None:
        self._feedback = feedback

    def update(self, sample: Mapping[str, Any]) -> None:
        """Hand an output on."""
        self._feedback.give(sample)

    def compute(self) -> dict[str, float]:
        """Return nothing."""
        return {}

    def reset(self) -> None:
        """Do nothing."""

    def merge(self, other: Any) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""
