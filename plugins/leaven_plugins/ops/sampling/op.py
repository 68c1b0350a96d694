"""Sampling: fewer frames of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo

Image = NDArray[Any]


@dataclass(frozen=True)
class Sampling:
    """Keeps every ``theta``-th frame of a sequence, beginning at a drawn phase; for ``Compose``.

    Of n frames n // theta are kept, at least one. A single image stays. It reads ``sampling``: the phase, within 0 and
    1; frame number i of the result is the frame ``int((i + phase) * theta)``. Its own draw is used where the RNG gives
    none.

    Args:
        theta: out of how many frames one is kept, 1 or more; need not be a whole number.

    Raises:
        ParameterError: ``theta`` is below 1.
    """

    name: ClassVar = "sampling"
    keys: ClassVar[tuple[str, ...]] = ("sampling",)
    geometric: ClassVar = True
    example: ClassVar[Mapping[str, Any]] = {"theta": 2}

    theta: float

    def __post_init__(self) -> None:
        if not self.theta >= 1:
            raise ParameterError(f"theta is {self.theta!r}; it has to be at least 1")

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return the phase."""
        return {"sampling": random.random()}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is a phase."""
        return values.get("sampling") is not None

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image itself: a single one stays."""
        return image

    def apply_frames(
        self, frames: Sequence[Image], values: Mapping[str, Any], random: np.random.Generator
    ) -> list[Image]:
        """Return the frames that are kept; ``random`` is not used."""
        count = max(int(len(frames) // self.theta), 1)
        places = (int((i + values["sampling"]) * self.theta) for i in range(count))
        return [frames[min(place, len(frames) - 1)] for place in places]
