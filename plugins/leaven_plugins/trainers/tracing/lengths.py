"""TraceLengths: how far examples are followed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from leaven_plugins.trainers.feedback import Feedback
from leaven_plugins.trainers.tracing.following import Ended


class TraceLengths:
    """A metric of the traces that have ended.

    ``length`` is the mean number of their steps, ``lost`` the share of those whose last step lost the track; NaN where
    none has ended.

    Args:
        feedback: hands outputs to the traces, and tells which have ended.
    """

    def __init__(self, feedback: Feedback[list[Ended]]) -> None:
        self._feedback = feedback
        self.reset()

    def update(self, sample: Mapping[str, Any]) -> None:
        """Hand an output on."""
        for ended in self._feedback.give(sample) or ():
            self._traces += 1
            self._steps += ended.length
            self._lost += ended.lost

    def compute(self) -> dict[str, float]:
        """Return ``length`` and ``lost``."""
        if not self._traces:
            return {"length": math.nan, "lost": math.nan}
        return {"length": self._steps / self._traces, "lost": self._lost / self._traces}

    def reset(self) -> None:
        """Forget everything."""
        self._traces = self._steps = self._lost = 0

    def merge(self, other: Any) -> None:
        """Take in what another one has counted."""
        self._add(other.state_dict())

    def state_dict(self) -> dict[str, int]:
        """Return the counts."""
        return {"traces": self._traces, "steps": self._steps, "lost": self._lost}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from these counts."""
        self.reset()
        self._add(state)

    def _add(self, state: Mapping[str, Any]) -> None:
        self._traces += int(state["traces"])
        self._steps += int(state["steps"])
        self._lost += int(state["lost"])
