"""Frames: ops on sequences of images, each frame by itself or all of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leaven.protocols import Op

Image = NDArray[Any]


@runtime_checkable
class FramesOp(Protocol):
    """An op that treats a sequence as a whole."""

    def apply_frames(
        self, frames: Sequence[Image], values: Mapping[str, Any], random: np.random.Generator
    ) -> list[Image]:
        """Return the changed frames, not necessarily as many; those passed in are not touched."""


def apply_to_frames(
    op: Op, frames: Sequence[Image], values: Mapping[str, Any], random: np.random.Generator
) -> list[Image]:
    """Return the frames after an op that applies; all are changed by the same values."""
    if isinstance(op, FramesOp):
        return op.apply_frames(frames, values, random)
    return [op.apply(frame, values, random) for frame in frames]
