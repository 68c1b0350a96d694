"""Frames: which of a sequence's images are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leaven.errors import ParameterError

KEYS = ("phase", "start")
"""What is drawn, or fixed, each from 0 to below 1."""


def draw_frames(random: np.random.Generator) -> dict[str, float]:
    """Return ``phase``, where within a step the first frame lies, and ``start``, where within the sequence."""
    phase, start = random.random(2).tolist()
    return {"phase": phase, "start": start}


def check_frames(theta: float, params: Mapping[str, Any]) -> None:
    """Check the step, and what was fixed.

    Raises:
        ParameterError: a number is out of range.
    """
    if not theta >= 1:
        raise ParameterError(f"theta is {theta!r}; it has to be at least 1")
    for key in KEYS:
        if not 0 <= params.get(key, 0) < 1:
            raise ParameterError(f"{key} is {params[key]!r}; it has to be at least 0, and below 1")


def chosen_frames(available: int, wanted: int, theta: float, phase: float, start: float) -> list[int]:
    """Return the numbers of the frames to show.

    Every ``theta``-th of them makes ``available // theta`` (one at least): ``int((i + phase) * theta)``. Of these,
    ``wanted`` in a row are shown, or all where there are fewer.
    """
    steps = max(int(available // theta), 1)
    first = int(start * (max(steps - wanted, 0) + 1))
    return [min(int((first + i + phase) * theta), available - 1) for i in range(min(steps, wanted))]
