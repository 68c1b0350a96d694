"""Pad: borders around an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import prepared
from leaven_plugins.ops.drawn import FixedOp
from leaven_plugins.ops.framing import Background, bordered, checked_margins, checked_mode

Image = NDArray[Any]


@dataclass(frozen=True)
class Pad(FixedOp):
    """Adds borders. The image gets larger, so this is for ``Compose`` and not for workers.

    Nothing is drawn: it is done to every image.

    Args:
        margins: top, bottom, left and right, in pixels; one number counts for all.
        mode: what the border shows: ``"constant"``, or of the image ``"edge"``, ``"reflect"``, ``"symmetric"``,
            ``"wrap"``, as in :func:`numpy.pad`.
        background: what a constant border shows, one value or one for each channel.

    Raises:
        ParameterError: the margins are negative or not four, or there is no such mode.
    """

    name: ClassVar = "pad"
    geometric: ClassVar = True
    keeps_size: ClassVar = False
    example: ClassVar[Mapping[str, Any]] = {"margins": (4, 4, 30, 30), "mode": "reflect"}

    margins: int | Sequence[int]
    mode: str = "constant"
    background: Background = 0

    def __post_init__(self) -> None:
        checked_margins("margins", self.margins)
        checked_mode("mode", self.mode)

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the larger image, ``(top + height + bottom, left + width + right, channels)``.

        Raises:
            ImageError: the number of values in ``background`` does not fit the image.
        """
        return bordered(prepared(image), checked_margins("margins", self.margins), self.background, self.mode)

    def scaled(self, factor: float) -> Pad:
        """Return the op for images ``factor`` times as large."""
        margins = [round(margin * factor) for margin in checked_margins("margins", self.margins)]
        return replace(self, margins=margins)
